/*
 * Guest RAS: SErrors of Arm CPUs
 *
 * What raises, masks, routes, takes and defers a physical SError under TCG,
 * and what TCG and KVM have in common.  The virtual SError, by which a guest
 * hypervisor gives one to its own guest (HCR_EL2.VSE), is not here.
 *
 * Arm ARM (DDI 0487): asynchronous exceptions; ESB; ESR_ELx, DISR_EL1 and DFSR
 * for an SError.  IESB needs nothing: an error is synchronized before it is
 * pending, and an implicit barrier does not defer it to DISR_EL1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "cpu.h"
#include "cpu-features.h"
#include "internals.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "hw/ras-compat.h"
#include "system/kvm.h"
#include "system/tcg.h"
#include "ras.h"

/* DISR_EL1 and DISR */
#define DISR_A (1U << 31)

/* DFSR and DISR in AArch32 state */
#define FSR_AET_SHIFT 14
#define FSR_EXT       (1U << 12)

static bool has_ras(CPUState *cs)
{
    return cpu_isar_feature(any_ras, ARM_CPU(cs));
}

bool arm_ras_check_serror(CPUState *cs, bool has_syndrome, Error **errp)
{
    if (cpu_env(cs)->serror.pending) {
        error_setg(errp, "vCPU %d has an SError pending, which it has not "
                   "taken yet; let it run until it does%s", cs->cpu_index,
                   kvm_enabled() ? "" : ", or reset the machine");
        return false;
    }
    if (kvm_enabled()) {
        return arm_ras_kvm_check_serror(cs, has_syndrome, errp);
    }
    if (has_syndrome && !has_ras(cs)) {
        error_setg(errp, "The CPU model has no RAS extension, so its SErrors "
                   "have no syndrome; leave it out, or use a CPU model that "
                   "has the extension, like 'max' or 'neoverse-n1'");
        return false;
    }
    return true;
}

/* The line follows the state.  KVM does without a line. */
static void update_line(CPUState *cs)
{
    if (!tcg_enabled()) {
        return;
    }
    if (cpu_env(cs)->serror.pending) {
        cpu_interrupt(cs, CPU_INTERRUPT_SERROR);
    } else {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_SERROR);
    }
}

void arm_ras_raise_serror(CPUState *cs, bool has_iss, uint32_t iss)
{
    CPUARMState *env = cpu_env(cs);

    env->serror.pending = 1;
    env->serror.has_esr = has_iss;
    env->serror.esr = has_iss ? iss : 0;
    update_line(cs);
}

bool arm_ras_serror_loaded(CPUState *cs)
{
    CPUARMState *env = cpu_env(cs);

    env->serror.esr &= ARM_RAS_ISS_MASK;
    update_line(cs);
    if (kvm_enabled() && env->serror.pending && env->serror.has_esr &&
        !arm_ras_kvm_takes_syndrome()) {
        error_report("ras: vCPU %d comes with a pending SError of syndrome "
                     "0x%" PRIx64 ", and KVM cannot give it one here (no "
                     "KVM_CAP_ARM_INJECT_SERROR_ESR: the CPUs of this host "
                     "have no RAS extension); move the VM to a host whose "
                     "CPUs have it, or let the guest run until it has taken "
                     "the SError", cs->cpu_index, env->serror.esr);
        return false;
    }
    return true;
}

/* --- TCG ------------------------------------------------------------------ */

static int target_el_of(CPUState *cs)
{
    CPUARMState *env = cpu_env(cs);

    return arm_phys_excp_target_el(cs, EXCP_SERROR, arm_current_el(env),
                                   arm_is_secure(env));
}

static bool is_masked(CPUARMState *env, int target_el)
{
    bool a = env->daif & PSTATE_A;
    int el = arm_current_el(env);
    uint64_t scr = env->cp15.scr_el3;
    uint64_t hcr = arm_hcr_el2_eff(env);

    if (target_el < el) {
        return true;
    }
    if (target_el == el || target_el == 1) {
        return a && !(el == 3 && (scr & SCR_EA) && (scr & SCR_NMEA));
    }
    /* PSTATE.A does not hold back what goes to a higher level, except: */
    if (target_el == 2) {
        return a && (hcr & HCR_E2H) && (hcr & HCR_TGE);
    }
    if (!arm_el_is_aa64(env, 3)) {
        return a && (arm_is_secure(env) ||
                     ((scr & SCR_AW) && !(hcr & HCR_AMO)));
    }
    return false;
}

/* What a CPU reports for an error that says nothing of itself. */
static uint32_t iss_of(CPUARMState *env)
{
    if (env->serror.has_esr) {
        return env->serror.esr & ARM_RAS_ISS_MASK;
    }
    return has_ras(env_cpu(env)) ? R_SERROR_ISS_IDS_MASK : 0;
}

/* AArch32 has two bits for AET, which say of CE no more than of UEO. */
static uint32_t aet_aarch32(uint32_t iss)
{
    uint32_t aet = FIELD_EX32(iss, SERROR_ISS, AET);

    if (FIELD_EX32(iss, SERROR_ISS, IDS) ||
        FIELD_EX32(iss, SERROR_ISS, DFSC) != ARM_RAS_DFSC_ASYNC_SERROR) {
        return ARM_RAS_AET_UC;
    }
    return aet == ARM_RAS_AET_CE ? ARM_RAS_AET_UEO : aet & 3;
}

/* Monitor mode has the format that Secure state has chosen. */
static uint32_t fsr_of(CPUARMState *env, int target_el, uint32_t iss)
{
    ARMMMUFaultInfo fi = { .type = ARMFault_AsyncExternal };
    bool lpae = target_el == 3 ? env->cp15.tcr_el[3] & TTBCR_EAE :
                                 extended_addresses_enabled(env);
    uint32_t fsr = lpae ? arm_fi_to_lfsc(&fi) : arm_fi_to_sfsc(&fi);

    if (!FIELD_EX32(iss, SERROR_ISS, IDS) && FIELD_EX32(iss, SERROR_ISS, EA)) {
        fsr |= FSR_EXT;
    }
    return fsr | aet_aarch32(iss) << FSR_AET_SHIFT;
}

/* Hyp mode takes an SError as a data abort; Armv7 has no IL for it. */
static uint32_t hsr_of(CPUARMState *env, uint32_t iss)
{
    bool same_el = arm_current_el(env) == 2;
    bool ea = !FIELD_EX32(iss, SERROR_ISS, IDS) &&
              FIELD_EX32(iss, SERROR_ISS, EA);
    uint32_t syn = syn_data_abort_no_iss(same_el, 0, ea, 0, 0, 0,
                                         ARM_RAS_DFSC_ASYNC_SERROR);

    if (!arm_feature(env, ARM_FEATURE_V8)) {
        syn &= ~R_SYNDROME_IL_MASK;
    }
    return FIELD_DP32(syn, SERROR_ISS, AET, aet_aarch32(iss));
}

static void end_serror(CPUState *cs)
{
    CPUARMState *env = cpu_env(cs);

    memset(&env->serror, 0, sizeof(env->serror));
    update_line(cs);
    ras_serror_taken(cs);
}

bool arm_ras_take_serror(CPUState *cs)
{
    CPUARMState *env = cpu_env(cs);
    int target_el = target_el_of(cs);
    uint32_t iss = iss_of(env);

    if (!env->serror.pending || is_masked(env, target_el)) {
        return false;
    }
    end_serror(cs);
    env->exception.target_el = target_el;
    env->exception.syndrome = arm_el_is_aa64(env, target_el) ?
                              syn_serror(iss) : hsr_of(env, iss);
    env->exception.fsr = fsr_of(env, target_el, iss);
    env->exception.vaddress = 0;
    cs->exception_index = EXCP_SERROR;
    arm_cpu_do_interrupt(cs);
    return true;
}

#ifdef CONFIG_TCG
/* ESB, for a physical SError: what is masked is deferred. */
void helper_ras_esb(CPUARMState *env)
{
    CPUState *cs = env_cpu(env);
    uint32_t iss;
    int el;

    if (!(qatomic_read(&cs->interrupt_request) & CPU_INTERRUPT_SERROR)) {
        return;
    }
    BQL_LOCK_GUARD();
    if (!env->serror.pending || !is_masked(env, target_el_of(cs))) {
        return;
    }
    iss = iss_of(env);
    el = ras_regime_el(env, arm_mmu_idx(env));
    env->cp15.disr_el1 = DISR_A | (arm_el_is_aa64(env, el) ?
                                   iss : fsr_of(env, el, iss));
    end_serror(cs);
}
#endif
