/*
 * Guest RAS under TCG: an instruction meets failed memory of the host
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_RAS_TCG_H
#define SYSTEM_RAS_TCG_H

#include "hw/core/cpu.h"

/*
 * Where in generated code the helper was called that accesses memory of the
 * guest right now, or 0.  QEMU's own: see set_helper_retaddr(), whose header is
 * not for files that are compiled once for all targets in each release.
 */
extern __thread uintptr_t helper_retaddr;

/*
 * tcg_ras_try_again: leave the loop of @cpu at the instruction of the guest
 * that has been translated to what is at @pc, or has called the helper that
 * @pc is in
 *
 * From a signal handler on @cpu's thread.  Returns if @pc is not generated
 * code, and the helper has not said that it accesses memory.
 */
void tcg_ras_try_again(CPUState *cpu, uintptr_t pc);

#endif
