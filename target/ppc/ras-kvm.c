/*
 * Guest RAS: machine checks that KVM leaves to user space
 *
 * KVM_CAP_PPC_FWNMI: once it is enabled, for all of the VM's life, a machine
 * check of the guest ends KVM_RUN with KVM_EXIT_NMI, and KVM repairs nothing.
 * Without it, KVM tries to repair, and else gives the guest an interrupt at
 * 0x200.  It is enabled when the guest registers a handler (hw/ppc/
 * spapr_fwnmi.c), and not before, as a QEMU that does not know the exit ends.
 *
 * Linux, Documentation/virt/kvm/api.rst, "KVM_CAP_PPC_FWNMI".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "hw/ppc/spapr_fwnmi.h"
#include "kvm_ppc.h"
#include "ras.h"
#include "system/hw_accel.h"
#include "trace.h"
#include <linux/kvm.h>

QEMU_BUILD_BUG_ON(SPAPR_MCE_FULLY_RECOVERED !=
                  KVM_RUN_PPC_NMI_DISP_FULLY_RECOV);
QEMU_BUILD_BUG_ON(SPAPR_MCE_LIMITED_RECOVERY !=
                  KVM_RUN_PPC_NMI_DISP_LIMITED_RECOV);
QEMU_BUILD_BUG_ON(SPAPR_MCE_NOT_RECOVERED != KVM_RUN_PPC_NMI_DISP_NOT_RECOV);

int kvm_handle_nmi(PowerPCCPU *cpu, struct kvm_run *run)
{
    CPUPPCState *env = &cpu->env;

    cpu_synchronize_state(CPU(cpu));
    trace_ppc_ras_kvm_nmi(CPU(cpu)->cpu_index,
                          run->flags & KVM_RUN_PPC_NMI_DISP_MASK,
                          env->spr[SPR_SRR0], env->spr[SPR_SRR1],
                          env->spr[SPR_DSISR], env->spr[SPR_DAR]);
    spapr_mce_kvm(cpu, run->flags & KVM_RUN_PPC_NMI_DISP_MASK);
    /* leaves the run loop, so that it is delivered at once */
    return EXCP_INTERRUPT;
}
