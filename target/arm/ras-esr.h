/*
 * ESR_ELx for synchronous external aborts and SErrors: encode, validate,
 * decode.
 *
 * Arm ARM (DDI 0487), ESR_ELx, ISS encodings for an Instruction Abort, a Data
 * Abort and an SError exception taken to AArch64 state, with FEAT_RAS.  Pure;
 * used by the injection in target/arm/ras.c, by the KVM exit, by tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_RAS_ESR_H
#define TARGET_ARM_RAS_ESR_H

/* ESR_ELx */
#define ARM_RAS_ESR_EC_SHIFT 26
#define ARM_RAS_ESR_EC_MASK  0xfc000000U
#define ARM_RAS_ESR_IL       (1U << 25)
#define ARM_RAS_ESR_ISS_MASK 0x01ffffffU

/* EC; "lower" and "same" are the Exception level that the abort came from */
enum {
    ARM_RAS_EC_INSN_ABORT_LOWER_EL = 0x20,
    ARM_RAS_EC_INSN_ABORT_SAME_EL  = 0x21,
    ARM_RAS_EC_DATA_ABORT_LOWER_EL = 0x24,
    ARM_RAS_EC_DATA_ABORT_SAME_EL  = 0x25,
    ARM_RAS_EC_SERROR              = 0x2f,
};

/* ISS of an abort */
#define ARM_RAS_ISS_FSC_MASK  0x3fU
#define ARM_RAS_ISS_WNR       (1U << 6)     /* data aborts */
#define ARM_RAS_ISS_S1PTW     (1U << 7)
#define ARM_RAS_ISS_CM        (1U << 8)     /* data aborts */
#define ARM_RAS_ISS_EA        (1U << 9)
#define ARM_RAS_ISS_FNV       (1U << 10)
#define ARM_RAS_ISS_SET_SHIFT 11
#define ARM_RAS_ISS_SET_MASK  (3U << ARM_RAS_ISS_SET_SHIFT)

/* FSC: external aborts, and parity or ECC errors of CPUs without FEAT_RAS */
enum {
    ARM_RAS_FSC_EXTERNAL               = 0x10,
    ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_M2 = 0x12,  /* FEAT_D128 */
    ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_M1 = 0x13,  /* FEAT_LPA2 */
    ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_0  = 0x14,  /* and levels 1 to 3 */
    ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_3  = 0x17,
    ARM_RAS_FSC_PARITY                 = 0x18,
    ARM_RAS_FSC_PARITY_WALK_LEVEL_M1   = 0x1b,
    ARM_RAS_FSC_PARITY_WALK_LEVEL_0    = 0x1c,  /* and levels 1 to 3 */
    ARM_RAS_FSC_PARITY_WALK_LEVEL_3    = 0x1f,
};

/* SET: the state of the PE after a synchronous external abort */
enum {
    ARM_RAS_SET_UER = 0,        /* recoverable */
    ARM_RAS_SET_UC  = 2,        /* uncontainable */
    ARM_RAS_SET_UEO = 3,        /* restartable */
};

/* A synchronous external abort */
typedef struct ArmRasSea {
    bool fetch;                 /* instruction abort, else data abort */
    bool same_el;               /* from the Exception level that takes it */
    bool write;                 /* WnR; data aborts only */
    bool cm;                    /* cache maintenance; data aborts, with write */
    bool fnv;                   /* FAR is not valid; FSC 0x10 only */
    bool ea;                    /* implementation defined classification */
    bool s1ptw;                 /* stage 2 fault on a stage 1 walk */
    uint8_t set;                /* ARM_RAS_SET_*; 0 for parity errors */
    uint8_t fsc;                /* ARM_RAS_FSC_* */
} ArmRasSea;

/**
 * arm_ras_sea_check:
 * @s: the abort
 * @why: set to a constant string if refused; may be NULL
 *
 * Returns: whether a CPU could report @s (Arm ARM, ESR_ELx, ISS encoding for
 * an exception from an Instruction Abort, from a Data Abort).
 */
bool arm_ras_sea_check(const ArmRasSea *s, const char **why);

/**
 * arm_ras_sea_esr:
 * @s: an abort that arm_ras_sea_check() takes
 *
 * Returns: ESR_ELx[31:0], IL set and ISV clear.  Values too large for their
 * field are cut to it.
 */
uint32_t arm_ras_sea_esr(const ArmRasSea *s);

/**
 * arm_ras_sea_decode:
 * @esr: ESR_ELx; ISS2 (bits 63:32) must be zero
 * @s: the result
 * @why: set to a constant string if refused; may be NULL
 *
 * Accepts exactly the values that arm_ras_sea_esr() can return.
 *
 * Returns: false, and @s unchanged, if @esr is no synchronous external abort
 * or has bits set that ArmRasSea does not know (ISV and what goes with it,
 * VNCR, PFV).
 */
bool arm_ras_sea_decode(uint64_t esr, ArmRasSea *s, const char **why);

/* ISS of an SError */
#define ARM_RAS_ISS_IDS         (1U << 24)
#define ARM_RAS_ISS_IMPDEF_MASK 0x00ffffffU     /* with IDS set */
#define ARM_RAS_ISS_IESB        (1U << 13)
#define ARM_RAS_ISS_AET_SHIFT   10
#define ARM_RAS_ISS_AET_MASK    (7U << ARM_RAS_ISS_AET_SHIFT)
#define ARM_RAS_ISS_DFSC_MASK   0x3fU

/* AET: the state of the PE after an SError */
enum {
    ARM_RAS_AET_UC  = 0,        /* uncontainable */
    ARM_RAS_AET_UEU = 1,        /* unrecoverable */
    ARM_RAS_AET_UEO = 2,        /* restartable */
    ARM_RAS_AET_UER = 3,        /* recoverable */
    ARM_RAS_AET_CE  = 6,        /* corrected */
};

/* DFSC of an SError */
enum {
    ARM_RAS_DFSC_UNCATEGORIZED = 0x00,
    ARM_RAS_DFSC_ASYNC_SERROR  = 0x11,
};

/* An SError */
typedef struct ArmRasSerror {
    bool ids;                   /* implementation defined syndrome */
    uint32_t impdef;            /* ISS[23:0] with ids, else 0 */
    uint8_t dfsc;               /* ARM_RAS_DFSC_*; 0 with ids */
    /* the others are 0 unless dfsc is ARM_RAS_DFSC_ASYNC_SERROR */
    uint8_t aet;                /* ARM_RAS_AET_* */
    bool iesb;                  /* implicit error synchronization event */
    bool ea;                    /* implementation defined classification */
} ArmRasSerror;

/**
 * arm_ras_serror_check:
 * @s: the SError
 * @why: set to a constant string if refused; may be NULL
 *
 * Returns: whether a CPU with FEAT_RAS could report @s (Arm ARM, ESR_ELx, ISS
 * encoding for an SError exception).
 */
bool arm_ras_serror_check(const ArmRasSerror *s, const char **why);

/**
 * arm_ras_serror_esr:
 * @s: an SError that arm_ras_serror_check() takes
 *
 * Returns: ESR_ELx[31:0], IL set.  VSESR_EL2 in its AArch64 form, and
 * serror_esr of KVM_SET_VCPU_EVENTS, take the bits of ARM_RAS_ESR_ISS_MASK.
 * Values too large for their field are cut to it.
 */
uint32_t arm_ras_serror_esr(const ArmRasSerror *s);

/**
 * arm_ras_serror_decode:
 * @esr: ESR_ELx; bits 63:32 must be zero
 * @s: the result
 * @why: set to a constant string if refused; may be NULL
 *
 * Accepts exactly the values that arm_ras_serror_esr() can return.  To judge
 * an ISS, put ARM_RAS_ESR_SERROR in front of it.
 *
 * Returns: false, and @s unchanged, if @esr is no SError, has reserved bits
 * set, or a reserved AET or DFSC.
 */
bool arm_ras_serror_decode(uint64_t esr, ArmRasSerror *s, const char **why);

/* EC and IL of an SError, to be or-ed with an ISS */
#define ARM_RAS_ESR_SERROR \
    ((uint32_t)ARM_RAS_EC_SERROR << ARM_RAS_ESR_EC_SHIFT | ARM_RAS_ESR_IL)

#endif /* TARGET_ARM_RAS_ESR_H */
