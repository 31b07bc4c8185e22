/*
 * Guest RAS: synchronous external aborts of Arm CPUs
 *
 * See ras.h.  The encoding of the syndrome is in ras-esr.c, which is pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "internals.h"
#include "hw/core/cpu.h"
#include "ras.h"
#include "ras-esr.h"

/* DFSR and IFSR in AArch32 state; before Armv8, there is no FnV */
#define FSR_WNR (1U << 11)
#define FSR_FNV (1U << 16)

/* DFSR and IFSR of AArch32: they are not part of the syndrome. */
static uint32_t sea_fsr(CPUARMState *env, int target_el, const ArmRasSea *sea)
{
    ARMMMUFaultInfo fi = { .type = ARMFault_SyncExternal };
    bool lpae = target_el == 2 || arm_el_is_aa64(env, target_el) ||
                arm_current_el(env) == 2 || extended_addresses_enabled(env) ||
                (target_el == 3 && (env->cp15.tcr_el[3] & TTBCR_EAE));
    uint32_t fsr = lpae ? arm_fi_to_lfsc(&fi) : arm_fi_to_sfsc(&fi);

    if (sea->fnv && arm_feature(env, ARM_FEATURE_V8)) {
        fsr |= FSR_FNV;
    }
    return fsr | (sea->write ? FSR_WNR : 0);
}

/*
 * Was the access that of an instruction to a system register that is in memory
 * (FEAT_NV2)?  TCG notes that in the syndrome of each instruction.
 */
static bool is_vncr(CPUARMState *env, const RasError *error)
{
    return error->origin == RAS_ORIGIN_POISON &&
           error->access != RAS_ACCESS_FETCH &&
           (env->exception.syndrome & ARM_EL_VNCR);
}

bool arm_ras_handler_failed(CPUState *cs, const RasError *error)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    int el = arm_current_el(env);

    /* Arm ARM: the vectors of synchronous exceptions from the same EL */
    return error->access == RAS_ACCESS_FETCH && is_a64(env) && el > 0 &&
           arm_sea_target_el(env) == el &&
           (env->pc & ~0x200ULL) == env->cp15.vbar_el[el];
}

void arm_ras_take_sea(CPUState *cs, const RasError *error)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    int target_el = arm_sea_target_el(env);
    bool vncr = is_vncr(env, error);
    ArmRasSea sea = {
        .fetch = error->access == RAS_ACCESS_FETCH,
        .write = error->access == RAS_ACCESS_STORE,
        .fnv = !error->has_vaddr,
        .set = ARM_RAS_SET_UER,
        .fsc = ARM_RAS_FSC_EXTERNAL,
    };

    if (error->syndrome.valid) {
        arm_ras_sea_decode(error->syndrome.srr1, &sea, NULL);
    }
    if (vncr) {
        target_el = MAX(target_el, 2);
    }
    /* Arm ARM, ESR_ELx.VNCR: as if the access had been made at EL2 */
    sea.same_el = vncr || arm_current_el(env) == target_el;

    env->exception.target_el = target_el;
    env->exception.syndrome = arm_ras_sea_esr(&sea) |
                              (vncr ? ARM_EL_VNCR : 0);
    env->exception.fsr = sea_fsr(env, target_el, &sea);
    env->exception.vaddress = error->has_vaddr ? error->vaddr : 0;
    cs->exception_index = sea.fetch ? EXCP_PREFETCH_ABORT : EXCP_DATA_ABORT;
    /* also ends a WFI: CPU_INTERRUPT_EXITTB is work to do */
    arm_cpu_do_interrupt(cs);
    cs->exception_index = -1;
}
