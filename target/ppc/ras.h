/*
 * Guest RAS: machine checks of POWER CPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_PPC_RAS_H
#define TARGET_PPC_RAS_H

#include "hw/core/cpu.h"
#include "hw/ras-error.h"
#include "target/ppc/cpu-qom.h"
#include "target/ppc/mce.h"

/* ppc_mce_cpu: generation of a CPU, as far as machine checks differ */
PpcMceCpu ppc_mce_cpu(const struct CPUArchState *env);

/* A machine check that KVM has handed over; the registers have the rest. */
typedef struct PpcMachineCheck {
    const PpcMceInfo *info;     /* what SRR1 and DSISR mean */
    unsigned int disposition;   /* KVM_RUN_PPC_NMI_DISP_* */
    /* if it is for a fetch, a load or a store: what the instruction accesses */
    unsigned int n_accesses;
    RasStorageAccess access[RAS_ACCESSES_MAX];
} PpcMachineCheck;

/*
 * ppc_ras_access_failed: the bus has failed an access of @cs: there is neither
 * memory nor a device at that address
 * @cause: cause bits of SRR1; DSISR and DAR are set already
 *
 * With or without the BQL.  Returns false if the machine has no guest RAS;
 * else the error is reported, @cs is parked, and the caller leaves the CPU
 * loop with the state of before the instruction.
 */
bool ppc_ras_access_failed(CPUState *cs, uint64_t cause, vaddr addr,
                           MMUAccessType access_type);

/*
 * ppc_ras_accesses: what the instruction at NIP accesses, as far as that can
 * be found out: the instruction itself, then the first byte of its data, and
 * where they go on in another page, if they do
 *
 * For KVM, on @cs's thread, with the BQL held and the registers synchronized.
 * What the guest's page tables say is not trusted, and they may be in memory
 * that has failed.
 *
 * Returns the number of @access that are set.
 */
unsigned int ppc_ras_accesses(CPUState *cs,
                              RasStorageAccess access[RAS_ACCESSES_MAX]);

struct kvm_run;

/*
 * ppc_ras_kvm_nmi: KVM_RUN has ended with KVM_EXIT_NMI
 *
 * On @cpu's thread, with the BQL held.  Returns false if the machine has no
 * guest RAS; else the machine check is reported, and the caller leaves the run
 * loop, if only for @cpu to be parked.
 */
bool ppc_ras_kvm_nmi(PowerPCCPU *cpu, struct kvm_run *run);

#endif
