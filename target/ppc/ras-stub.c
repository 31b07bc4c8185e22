/*
 * Guest RAS: machine checks of POWER CPUs on targets without guest RAS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras.h"

bool ppc_ras_access_failed(CPUState *cs, uint64_t cause, vaddr addr,
                           MMUAccessType access_type)
{
    return false;
}
