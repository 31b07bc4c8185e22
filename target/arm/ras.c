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

int arm_ras_sea_target_el(CPUARMState *env)
{
    int el = MAX(arm_current_el(env), 1);

    if (el < 3 && arm_feature(env, ARM_FEATURE_EL3) &&
        (env->cp15.scr_el3 & SCR_EA)) {
        return 3;
    }
    if (el == 1 && (arm_hcr_el2_eff(env) & (HCR_TGE | HCR_TEA))) {
        return 2;
    }
    if (el == 1 && arm_is_secure(env) && !arm_el_is_aa64(env, 3)) {
        return 3;
    }
    return el;
}

/* DFSR and IFSR of AArch32: they are not part of the syndrome. */
static uint32_t sea_fsr(CPUARMState *env, int target_el, const ArmRasSea *sea)
{
    ARMMMUFaultInfo fi = { .type = ARMFault_SyncExternal };
    bool lpae = target_el == 2 || arm_el_is_aa64(env, target_el) ||
                extended_addresses_enabled(env);
    uint32_t fsr = lpae ? arm_fi_to_lfsc(&fi) : arm_fi_to_sfsc(&fi);

    return fsr | (sea->write ? 1 << 11 : 0);
}

bool arm_ras_handler_failed(CPUState *cs, const RasError *error)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    int el = arm_current_el(env);

    /* Arm ARM: the vectors of synchronous exceptions from the same EL */
    return error->access == RAS_ACCESS_KIND_FETCH && is_a64(env) && el > 0 &&
           arm_ras_sea_target_el(env) == el &&
           (env->pc & ~0x200ULL) == env->cp15.vbar_el[el];
}

void arm_ras_take_sea(CPUState *cs, const RasError *error)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    int target_el = arm_ras_sea_target_el(env);
    ArmRasSea sea = {
        .fetch = error->access == RAS_ACCESS_KIND_FETCH,
        .write = error->access == RAS_ACCESS_KIND_STORE,
        .fnv = !error->has_vaddr,
        .set = ARM_RAS_SET_UER,
        .fsc = ARM_RAS_FSC_EXTERNAL,
    };

    if (error->syndrome.valid) {
        arm_ras_sea_decode(error->syndrome.srr1, &sea, NULL);
    }
    sea.same_el = arm_current_el(env) == target_el;

    env->exception.target_el = target_el;
    env->exception.syndrome = arm_ras_sea_esr(&sea);
    env->exception.fsr = sea_fsr(env, target_el, &sea);
    env->exception.vaddress = error->has_vaddr ? error->vaddr : 0;
    cs->exception_index = sea.fetch ? EXCP_PREFETCH_ABORT : EXCP_DATA_ABORT;
    cs->halted = 0;
    arm_cpu_do_interrupt(cs);
    cs->exception_index = -1;
}
