/*
 * Guest RAS: synchronous external aborts and SErrors of Arm CPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_RAS_H
#define TARGET_ARM_RAS_H

#include "hw/core/registerfields.h"
#include "hw/ras-compat.h"
#include "hw/ras-error.h"
#include "syndrome.h"

/* KVM_EXIT_ARM_SEA; the headers of QEMU 10.0 do not have it yet */
#define ARM_RAS_EXIT_SEA 41

struct kvm_run;

/*
 * arm_ras_take_sea: make @cs take a synchronous external abort for @error
 *
 * EC, WnR and FAR follow from the access that consumed the error; an address
 * that is not known sets FnV.  The exception entry is done at once, so the
 * caller is on the vCPU's thread, between two instructions, with the BQL
 * held and the registers synchronized.
 *
 * Arm ARM: ESR_ELx, ISS encodings for Instruction and Data Abort; DFSR and
 * IFSR.  arm_sea_target_el() says which Exception level takes it, and an
 * access to a system register in memory (FEAT_NV2) is that of EL2.
 */
void arm_ras_take_sea(CPUState *cs, const RasError *error);

/*
 * arm_ras_decode_sea: what a synchronous external abort says, as an error
 * @esr: ESR_ELx, as the CPU has set it
 * @address: FAR_ELx; not used if ESR_ELx.FnV is set
 * @error: access, virtual address and syndrome are set, and severity if the
 *         abort could not be contained
 *
 * Returns false, and changes nothing, if no CPU reports an external abort in
 * this way, or says more than that (ISV and what goes with it, VNCR, PFV).
 */
bool arm_ras_decode_sea(uint64_t esr, uint64_t address, RasError *error);

/*
 * arm_ras_handler_failed: is @error that the first instruction of the handler
 * of synchronous external aborts could not be fetched?
 *
 * Then the next abort would fail in the same way, for ever.  Same context as
 * arm_ras_take_sea().
 */
bool arm_ras_handler_failed(CPUState *cs, const RasError *error);

/*
 * arm_ras_accesses: what the instruction at the PC accesses, as far as that can
 * be found out: the fetch, and what an A64 instruction loads or stores
 *
 * On @cs's thread, the registers synchronized.  See RasDeviceClass::accesses.
 */
unsigned int arm_ras_accesses(CPUState *cs,
                              RasStorageAccess access[RAS_ACCESSES_MAX]);

/*
 * SErrors (ras-serror.c)
 *
 * CPUARMState::serror says whether one is pending, and its syndrome
 * (ESR_ELx.ISS) if it has one.  Under TCG this is a physical SError, whose
 * line is CPU_INTERRUPT_SERROR; under KVM the state is the kernel's, and goes
 * there and comes from there with the registers.  Changed with the BQL held.
 */

/* ESR_ELx.ISS, which VSESR_EL2 and KVM_SET_VCPU_EVENTS have for an SError */
#define ARM_RAS_ISS_MASK R_SYNDROME_ISS_MASK

FIELD(SERROR_ISS, DFSC, 0, 6)
FIELD(SERROR_ISS, EA, 9, 1)
FIELD(SERROR_ISS, AET, 10, 3)
FIELD(SERROR_ISS, IESB, 13, 1)
FIELD(SERROR_ISS, IDS, 24, 1)       /* the rest is implementation defined */

/* DFSC */
#define ARM_RAS_DFSC_UNCATEGORIZED 0x00
#define ARM_RAS_DFSC_ASYNC_SERROR  0x11

/* AET, for ARM_RAS_DFSC_ASYNC_SERROR: the state of the PE */
enum {
    ARM_RAS_AET_UC  = 0,        /* uncontainable */
    ARM_RAS_AET_UEU = 1,        /* unrecoverable */
    ARM_RAS_AET_UEO = 2,        /* restartable */
    ARM_RAS_AET_UER = 3,        /* recoverable */
    ARM_RAS_AET_CE  = 6,        /* corrected */
};

/*
 * arm_ras_check_serror: can @cs take an SError, with a syndrome or without?
 *
 * On @cs's thread, its registers synchronized.  If not, returns false and says
 * in @errp why and what could be done.
 */
bool arm_ras_check_serror(CPUState *cs, bool has_syndrome, Error **errp);

/*
 * arm_ras_raise_serror: make an SError pending
 * @iss: ESR_ELx.ISS, if @has_iss
 *
 * After arm_ras_check_serror(), in the same context.
 */
void arm_ras_raise_serror(CPUState *cs, bool has_iss, uint32_t iss);

/*
 * arm_ras_take_serror: take the exception, if one is pending and not masked
 *
 * Called by TCG between two instructions, with the BQL held.  Arm ARM:
 * asynchronous exception routing and masking, with SCR_EL3.{EA,NMEA,AW} and
 * HCR_EL2.{AMO,TGE}.  Returns true if the exception was taken.
 */
bool arm_ras_take_serror(CPUState *cs);

/*
 * helper_ras_esb: the instruction ESB, for a physical SError
 *
 * A helper of TCG.  Which header generates its prototype differs from one
 * release of QEMU to the next.
 */
void helper_ras_esb(struct CPUArchState *env);

/*
 * arm_ras_serror_loaded: the state of @cs came from a migration stream
 *
 * Returns false, after an error message, if it cannot go on here as it was.
 */
bool arm_ras_serror_loaded(CPUState *cs);

/* arm_ras_kvm_takes_syndrome: can KVM give an SError a syndrome? */
bool arm_ras_kvm_takes_syndrome(void);

/* arm_ras_kvm_check_serror: arm_ras_check_serror(), as far as KVM goes */
bool arm_ras_kvm_check_serror(CPUState *cs, bool has_syndrome, Error **errp);

/*
 * arm_ras_kvm_reset_serror: KVM has reset @cs
 *
 * Some kernels keep a pending SError then, and none can cancel one: it is
 * reported, and stays in CPUARMState.
 */
void arm_ras_kvm_reset_serror(CPUState *cs);

/*
 * arm_ras_kvm_init: have KVM hand over the external aborts that the host does
 * not handle, if it can; called once the VM exists and guest RAS with it
 */
void arm_ras_kvm_init(void);

/*
 * arm_ras_kvm_sea: KVM_RUN has ended with KVM_EXIT_ARM_SEA
 *
 * On @cs's thread, without the BQL.  The error is reported, and @cs parked
 * before the access.  Returns what kvm_arch_handle_exit() has to return.
 */
int arm_ras_kvm_sea(CPUState *cs, struct kvm_run *run);

#endif
