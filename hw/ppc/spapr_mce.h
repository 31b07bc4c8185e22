/*
 * Machine checks of pseries: between registers, RasError and RTAS log
 *
 * Pure.  The three forms that a machine check has here: what the CPU left in
 * its registers (target/ppc/mce.h), the error that the core of guest RAS
 * handles (hw/ras-error.h), and the log that the guest reads
 * (hw/ppc/rtas_elog.h).  Used by hw/ppc/spapr_fwnmi.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PPC_SPAPR_MCE_H
#define HW_PPC_SPAPR_MCE_H

#include "hw/ras-error.h"
#include "hw/ppc/rtas_elog.h"
#include "target/ppc/mce.h"

/* Registers of a machine check, host byte order. */
typedef struct SpaprMceRegs {
    uint64_t srr1;      /* with the cause bits */
    uint64_t dar;
    uint32_t dsisr;
    uint64_t nip;       /* SRR0: where the CPU was */
} SpaprMceRegs;

/* What the host has done about it: KVM_RUN_PPC_NMI_DISP_* of Linux */
typedef enum SpaprMceDisposition {
    SPAPR_MCE_NOT_SAID,
    SPAPR_MCE_FULLY_RECOVERED,
    SPAPR_MCE_LIMITED_RECOVERY,
    SPAPR_MCE_NOT_RECOVERED,
} SpaprMceDisposition;

/*
 * spapr_mce_to_error: what registers say, as an error
 * @cpu: generation of the CPU
 * @regs: the registers
 * @disposition: what the host has done about it
 * @error: written whole; vcpu and origin are left to the caller
 *
 * "Fully recovered" is believed of the SLB, the ERAT and the TLB, which hosts
 * before Linux 5.11 flush, and of what has no cause in SRR1.  It is not
 * believed of anything else: KVM says so of all machine checks that it has not
 * looked at, in a nested host for instance, and the guest would make the same
 * access again, for ever.  Nor is any recovery if the guest had SRR0 and SRR1
 * in use (MSR[RI]=0), which the interrupt has overwritten.
 *
 * Returns false if there is no error (spurious machine check).  A cause that
 * the CPU generation does not have becomes RAS_ERROR_CLASS_UNKNOWN.
 */
bool spapr_mce_to_error(PpcMceCpu cpu, const SpaprMceRegs *regs,
                        SpaprMceDisposition disposition, RasError *error);

/* What is remembered of a vCPU's last machine check; all 0 at first. */
typedef struct SpaprMceRepair {
    bool done;          /* it had a cause, and counted as fully recovered */
    uint64_t nip;       /* where */
} SpaprMceRepair;

/*
 * spapr_mce_of_kvm: the same for a machine check that KVM reports
 * @info: what the registers mean
 * @repair: of the vCPU; is brought up to date
 *
 * That SLB, ERAT or TLB were repaired is believed once for an instruction: if
 * it fails again, they were not.
 */
bool spapr_mce_of_kvm(const PpcMceInfo *info, const SpaprMceRegs *regs,
                      SpaprMceDisposition disposition, SpaprMceRepair *repair,
                      RasError *error);

/*
 * spapr_mce_add_access: say in @error which memory has failed
 * @access: what the instruction at NIP accesses, @n of them
 * @error: of spapr_mce_to_error()
 *
 * For memory errors in what is fetched, loaded or stored.  DAR does not count
 * then (DSISR bit 48), but where the data of the instruction are in two pages,
 * it decides between them.  If nothing does, and for memory errors in page
 * tables, the error stays without an address, as a wrong one would have the
 * guest give up a good page.
 */
void spapr_mce_add_access(const RasStorageAccess *access, unsigned int n,
                          RasError *error);

/*
 * spapr_mce_make_error: an error of which only the cause is given
 * @side: where SLB, ERAT and TLB errors are to be reported
 * @error: written whole; vcpu, origin and addresses are left to the caller
 *
 * Caches, and ERAT and TLB parity, have no code in the registers of any CPU:
 * they become errors without a syndrome, see spapr_mce_is_log_only().
 *
 * Returns false if the CPU generation has no such cause.
 */
bool spapr_mce_make_error(PpcMceCpu cpu, PpcMceClass cls,
                          PpcMceSubtype subtype, PpcMceSide side,
                          RasError *error);

/* spapr_mce_is_log_only: can the registers not say what the log can? */
static inline bool spapr_mce_is_log_only(const RasError *error)
{
    return error->class != RAS_ERROR_CLASS_MEMORY && !error->syndrome.valid;
}

/*
 * spapr_mce_from_error: the registers with which a CPU reports an error
 * @cpu: generation of the CPU
 * @error: the error; without a syndrome, only a memory error has a cause
 * @srr1_cause: bits to put into SRR1, within PPC_MCE_SRR1_CAUSE_MASK and
 *              PPC_MCE_SRR1_PREFIXED
 * @regs: dsisr and dar are set, the others left alone
 */
void spapr_mce_from_error(PpcMceCpu cpu, const RasError *error,
                          uint64_t *srr1_cause, SpaprMceRegs *regs);

/*
 * spapr_mce_build_log: the RTAS error log for an error
 * @cpu: generation of the CPU
 * @error: the error
 * @id: its number
 * @processor: number of the processor in the guest's device tree
 * @log: written whole, big-endian; no alignment is needed
 *
 * A UE without a guest physical address gets no effective address either:
 * Linux would look for the page itself, and for a page table that failed it
 * finds the page that the table maps; if it finds none, it takes page 0.
 */
void spapr_mce_build_log(PpcMceCpu cpu, const RasError *error, uint64_t id,
                         uint32_t processor, RtasElogMcLogBytes *log);

#endif
