/*
 * Guest RAS: synchronous external aborts of Arm CPUs
 *
 * See ras.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "internals.h"
#include "hw/core/cpu.h"
#include "system/address-spaces.h"
#include "system/kvm.h"
#include "ras.h"
#include "ras-operand.h"

/* ESR_ELx.ISS of an Instruction or Data Abort */
FIELD(ABORT_ISS, FSC, 0, 6)
FIELD(ABORT_ISS, WNR, 6, 1)
FIELD(ABORT_ISS, S1PTW, 7, 1)
FIELD(ABORT_ISS, CM, 8, 1)
FIELD(ABORT_ISS, EA, 9, 1)
FIELD(ABORT_ISS, FNV, 10, 1)
FIELD(ABORT_ISS, SET, 11, 2)

/* FSC: external aborts, and parity or ECC errors of CPUs without FEAT_RAS */
#define FSC_EXTERNAL            0x10
#define FSC_EXTERNAL_WALK_FIRST 0x12    /* level -2 */
#define FSC_EXTERNAL_WALK_LAST  0x17    /* level 3 */
#define FSC_PARITY              0x18
#define FSC_PARITY_WALK_FIRST   0x1b    /* level -1 */
#define FSC_PARITY_WALK_LAST    0x1f    /* level 3 */

/* SET: the state of the PE after a synchronous external abort */
#define SET_UC       2
#define SET_RESERVED 1

/* DFSR and IFSR in AArch32 state; before Armv8, there is no FnV */
#define FSR_WNR (1U << 11)
#define FSR_FNV (1U << 16)

static bool is_fetch(uint32_t esr)
{
    uint32_t ec = syn_get_ec(esr);

    return ec == EC_INSNABORT || ec == EC_INSNABORT_SAME_EL;
}

static bool is_data_abort(uint32_t esr)
{
    uint32_t ec = syn_get_ec(esr);

    return ec == EC_DATAABORT || ec == EC_DATAABORT_SAME_EL;
}

/*
 * SET on a walk: by the text of the Arm ARM since FEAT_PFAR; before, the field
 * was RES0 there.
 */
static bool is_sea(uint64_t esr)
{
    const uint64_t known = MAKE_64BIT_MASK(R_SYNDROME_IL_SHIFT, 7) |
        R_ABORT_ISS_SET_MASK | R_ABORT_ISS_FNV_MASK | R_ABORT_ISS_EA_MASK |
        R_ABORT_ISS_CM_MASK | R_ABORT_ISS_S1PTW_MASK | R_ABORT_ISS_WNR_MASK |
        R_ABORT_ISS_FSC_MASK;
    uint32_t fsc = FIELD_EX64(esr, ABORT_ISS, FSC);
    uint32_t set = FIELD_EX64(esr, ABORT_ISS, SET);
    bool wnr = FIELD_EX64(esr, ABORT_ISS, WNR);
    bool cm = FIELD_EX64(esr, ABORT_ISS, CM);
    bool external = fsc == FSC_EXTERNAL || (fsc >= FSC_EXTERNAL_WALK_FIRST &&
                                            fsc <= FSC_EXTERNAL_WALK_LAST);
    bool parity = fsc == FSC_PARITY || (fsc >= FSC_PARITY_WALK_FIRST &&
                                        fsc <= FSC_PARITY_WALK_LAST);

    return !(esr & ~known) && (esr & R_SYNDROME_IL_MASK) &&
           (is_fetch(esr) ? !wnr && !cm : is_data_abort(esr) && (wnr || !cm)) &&
           (external ? set != SET_RESERVED : parity && !set) &&
           (fsc == FSC_EXTERNAL || !FIELD_EX64(esr, ABORT_ISS, FNV));
}

bool arm_ras_decode_sea(uint64_t esr, uint64_t address, RasError *error)
{
    if (!is_sea(esr)) {
        return false;
    }
    error->access = is_fetch(esr) ? RAS_ACCESS_FETCH :
                    FIELD_EX64(esr, ABORT_ISS, WNR) ? RAS_ACCESS_STORE :
                                                      RAS_ACCESS_LOAD;
    error->syndrome.valid = true;
    error->syndrome.esr_el = esr;
    error->syndrome.far_el = address;
    if (!FIELD_EX64(esr, ABORT_ISS, FNV)) {
        error->has_vaddr = true;
        error->vaddr = address;
    }
    if (FIELD_EX64(esr, ABORT_ISS, SET) == SET_UC) {
        error->severity = RAS_SEVERITY_FATAL;
    }
    return true;
}

/* ESR_ELx for @error: what KVM has said of it, or an external abort. */
static uint32_t sea_syndrome(const RasError *error, bool same_el, bool vncr)
{
    bool fnv = !error->has_vaddr;
    bool write = error->access == RAS_ACCESS_STORE;
    uint32_t syn;

    if (error->syndrome.valid && is_sea(error->syndrome.esr_el)) {
        syn = error->syndrome.esr_el;
        /* the EC of "same EL" is one more */
        syn = syn_set_ec(syn, (syn_get_ec(syn) & ~1) | same_el);
    } else if (error->access == RAS_ACCESS_FETCH) {
        syn = syn_insn_abort(same_el, 0, 0, FSC_EXTERNAL) |
              (fnv ? R_ABORT_ISS_FNV_MASK : 0);
    } else {
        syn = syn_data_abort_no_iss(same_el, fnv, 0, 0, 0, write,
                                    FSC_EXTERNAL);
    }
    return syn | (vncr ? R_DABORT_ISS_VNCR_MASK : 0);
}

/* DFSR and IFSR of AArch32: they are not part of the syndrome. */
static uint32_t sea_fsr(CPUARMState *env, int target_el, uint32_t syn)
{
    ARMMMUFaultInfo fi = { .type = ARMFault_SyncExternal };
    bool lpae = target_el == 2 || arm_el_is_aa64(env, target_el) ||
                arm_current_el(env) == 2 || extended_addresses_enabled(env) ||
                (target_el == 3 && (env->cp15.tcr_el[3] & TTBCR_EAE));
    uint32_t fsr = lpae ? arm_fi_to_lfsc(&fi) : arm_fi_to_sfsc(&fi);

    if (FIELD_EX32(syn, ABORT_ISS, FNV) && arm_feature(env, ARM_FEATURE_V8)) {
        fsr |= FSR_FNV;
    }
    return fsr | (FIELD_EX32(syn, ABORT_ISS, WNR) ? FSR_WNR : 0);
}

/*
 * Was the access that of an instruction to a system register that is in memory
 * (FEAT_NV2)?  TCG notes that in the syndrome of each instruction.
 */
static bool is_vncr(CPUARMState *env, const RasError *error)
{
    return error->origin == RAS_ORIGIN_POISON &&
           error->access != RAS_ACCESS_FETCH &&
           (env->exception.syndrome & R_DABORT_ISS_VNCR_MASK);
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

/*
 * KVM keeps SP_EL2 with the system registers.  For the stack pointer in use,
 * target/arm/kvm.c takes SP_EL1 at EL2 as well, reading registers and writing
 * them: no harm is done as long as the Exception level stays.
 */
static void do_interrupt_kvm(CPUState *cs)
{
    CPUARMState *env = &ARM_CPU(cs)->env;

    if (arm_current_el(env) == 2) {
        aarch64_restore_sp(env, 2);
    }
    arm_cpu_do_interrupt(cs);
    if (arm_current_el(env) == 2) {
        aarch64_restore_sp(env, 1);
    }
}

void arm_ras_take_sea(CPUState *cs, const RasError *error)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    int target_el = arm_sea_target_el(env);
    bool vncr = is_vncr(env, error);
    uint32_t syn;

    if (vncr) {
        target_el = MAX(target_el, 2);
    }
    /* Arm ARM, ESR_ELx.VNCR: as if the access had been made at EL2 */
    syn = sea_syndrome(error, vncr || arm_current_el(env) == target_el, vncr);

    env->exception.target_el = target_el;
    env->exception.syndrome = syn;
    env->exception.fsr = sea_fsr(env, target_el, syn);
    env->exception.vaddress = error->has_vaddr ? error->vaddr : 0;
    cs->exception_index = is_fetch(syn) ? EXCP_PREFETCH_ABORT :
                                          EXCP_DATA_ABORT;
    /* also ends a WFI: CPU_INTERRUPT_EXITTB is work to do */
    if (kvm_enabled()) {
        do_interrupt_kvm(cs);
    } else {
        arm_cpu_do_interrupt(cs);
    }
    cs->exception_index = -1;
}

static bool translate(CPUState *cs, RasStorageAccess *access)
{
    TranslateForDebugResult result;

    access->has_addr = cpu_translate_for_debug(cs, access->vaddr, &result);
    if (access->has_addr) {
        access->addr = result.physaddr;
    }
    return access->has_addr;
}

static bool find_operand(CPUState *cs, hwaddr fetched, ArmOperand *op)
{
    CPUARMState *env = cpu_env(cs);
    ArmInstruction insn = { .pc = env->pc, .x = env->xregs };
    MemTxResult result;

    insn.word = address_space_ldl_le(cs->as, fetched, MEMTXATTRS_UNSPECIFIED,
                                     &result);
    return result == MEMTX_OK && arm_ras_operand(&insn, op);
}

unsigned int arm_ras_accesses(CPUState *cs,
                              RasStorageAccess access[RAS_ACCESSES_MAX])
{
    unsigned int n = 1;
    ArmOperand op;
    vaddr next;

    access[0] = (RasStorageAccess) {
        .kind = RAS_ACCESS_FETCH,
        .vaddr = cs->cc->get_pc(cs),
    };
    if (!translate(cs, &access[0])) {
        return 0;
    }
    if (!is_a64(cpu_env(cs)) || !find_operand(cs, access[0].addr, &op)) {
        return n;
    }
    access[n++] = (RasStorageAccess) {
        .kind = op.store ? RAS_ACCESS_STORE : RAS_ACCESS_LOAD,
        .vaddr = op.va,
    };
    next = (op.va + op.len - 1) & -(vaddr)RAS_PAGE_SIZE;
    if (next != (op.va & -(vaddr)RAS_PAGE_SIZE)) {
        access[n] = access[1];
        access[n++].vaddr = next;
    }
    for (unsigned int i = 1; i < n; i++) {
        translate(cs, &access[i]);
    }
    return n;
}
