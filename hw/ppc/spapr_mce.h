/*
 * Machine checks of pseries: between registers, RasError and RTAS log
 *
 * Pure.  The three forms that a machine check has here: what the CPU left in
 * its registers (target/ppc/mce.h), the error that the core of guest RAS
 * handles (hw/ras-queue.h), and the log that the guest reads
 * (hw/ppc/rtas_elog.h).  Used by hw/ppc/spapr_fwnmi.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PPC_SPAPR_MCE_H
#define HW_PPC_SPAPR_MCE_H

#include "hw/ras-queue.h"
#include "hw/ppc/rtas_elog.h"
#include "target/ppc/mce.h"

/* Registers of a machine check, host byte order. */
typedef struct SpaprMceRegs {
    uint64_t srr1;      /* with the cause bits */
    uint64_t dar;
    uint32_t dsisr;
    uint64_t nip;       /* SRR0: where the CPU was */
} SpaprMceRegs;

/*
 * spapr_mce_to_error: what registers say, as an error
 * @cpu: generation of the CPU
 * @regs: the registers
 * @recovered: hardware or the host has repaired the damage
 * @error: written whole; vcpu and origin are left to the caller
 *
 * Returns false if there is no error (spurious machine check).  A cause that
 * the CPU generation does not have becomes RAS_KIND_UNKNOWN.
 */
bool spapr_mce_to_error(PpcMceCpu cpu, const SpaprMceRegs *regs,
                        bool recovered, RasError *error);

/*
 * spapr_mce_from_error: the registers with which a CPU reports an error
 * @cpu: generation of the CPU
 * @error: a memory error, or any error that has a syndrome
 * @srr1_cause: bits to put into SRR1, within PPC_MCE_SRR1_CAUSE_MASK and
 *              PPC_MCE_SRR1_PREFIXED
 * @regs: dsisr and dar are set, the others left alone
 */
void spapr_mce_from_error(PpcMceCpu cpu, const RasError *error,
                          uint64_t *srr1_cause, SpaprMceRegs *regs);

/*
 * spapr_mce_to_log: the contents of the RTAS error log for an error
 * @cpu: generation of the CPU
 * @error: the error
 * @id: its number
 * @processor: number of the processor in the guest's device tree
 */
void spapr_mce_to_log(PpcMceCpu cpu, const RasError *error, uint64_t id,
                      uint32_t processor, RtasMachineCheckLog *log);

#endif
