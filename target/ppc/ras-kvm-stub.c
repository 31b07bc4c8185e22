/*
 * Guest RAS of POWER without KVM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras.h"

unsigned int ppc_ras_accesses(CPUState *cs,
                              RasStorageAccess access[RAS_ACCESSES_MAX])
{
    return 0;
}

bool ppc_ras_kvm_nmi(PowerPCCPU *cpu, struct kvm_run *run)
{
    return false;
}
