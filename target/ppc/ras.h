/*
 * Guest RAS: machine checks of emulated POWER CPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_PPC_RAS_H
#define TARGET_PPC_RAS_H

#include "hw/core/cpu.h"

/*
 * ppc_ras_access_failed: an access of @cs found nothing behind its address
 * @cause: cause bits of SRR1; DSISR and DAR are set already
 *
 * With or without the BQL.  Returns false if the machine has no guest RAS;
 * else the error is reported, @cs is parked, and the caller leaves the CPU
 * loop with the state of before the instruction.
 */
bool ppc_ras_access_failed(CPUState *cs, uint64_t cause, vaddr addr,
                           MMUAccessType access_type);

#endif
