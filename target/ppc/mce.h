/*
 * POWER machine checks: SRR1 and DSISR to and from error class
 *
 * A machine check has its cause in SRR1 (instruction side, and stores that
 * fail late) or in DSISR (load/store side), differently on each generation of
 * CPUs.  Which generation has which cause: the tables in mce.c,
 * after Linux arch/powerpc/kernel/mce_power.c and skiboot core/mce.c.
 * target/ppc/ras-kvm.c decodes what KVM reports, injection encodes.
 *
 * Pure: no state, no allocation, any thread, no BQL.  Register values are in
 * native byte order.  Bit numbers are IBM's, bit 0 is the most significant of
 * 64 (SRR1) or, for DSISR, bit 32 of the 32-bit register.
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PPC_MCE_H
#define PPC_MCE_H

/* SRR1 bit 42: the cause is in DSISR, except for asynchronous stores */
#define PPC_MCE_SRR1_LOAD_STORE         0x00200000ULL
/* SRR1 bits 36 and 43:45: the code of an instruction side cause */
#define PPC_MCE_SRR1_CODE_MASK          0x081c0000ULL
/* the same on POWER7: bits 43:45 */
#define PPC_MCE_SRR1_CODE_MASK_POWER7   0x001c0000ULL
/* all SRR1 bits that carry a cause: what to keep of a host's SRR1 */
#define PPC_MCE_SRR1_CAUSE_MASK         0x083c0000ULL
/* SRR1 bit 62, MSR[RI]: SRR0 and SRR1 were not in use when it came */
#define PPC_MCE_SRR1_RI                 0x2ULL
/* SRR1 bit 34: the interrupted instruction is prefixed (POWER10) */
#define PPC_MCE_SRR1_PREFIXED           0x20000000ULL
/*
 * SRR1 bits 33:36 and 42:47, which do not come from the MSR.  The ISA's text
 * on this was not at hand; the mask is the one QEMU and KVM use.
 */
#define PPC_MCE_SRR1_NOT_MSR_MASK       0x783f0000ULL
/* DSISR bits 48:63: all causes of all CPUs; the rest is undefined on POWER7 */
#define PPC_MCE_DSISR_CAUSE_MASK        0x0000ffffU
/* DSISR bit 38 alone: spurious, from a paste instruction on early POWER9 */
#define PPC_MCE_DSISR_SPURIOUS_PASTE    0x02000000U

/* CPU generations as far as machine checks differ.  POWER11 is as POWER10. */
typedef enum PpcMceCpu {
    PPC_MCE_POWER7,
    PPC_MCE_POWER8,
    PPC_MCE_POWER9,
    PPC_MCE_POWER10,
    PPC_MCE_CPU__MAX,
} PpcMceCpu;

/* What failed */
typedef enum PpcMceClass {
    PPC_MCE_CLASS_UNKNOWN,              /* no cause that the CPU model has */
    PPC_MCE_CLASS_UE,                   /* uncorrectable memory error */
    PPC_MCE_CLASS_SLB,
    PPC_MCE_CLASS_ERAT,
    PPC_MCE_CLASS_TLB,
    PPC_MCE_CLASS_LINK,                 /* time-out of a foreign link */
    PPC_MCE_CLASS_RA,                   /* bad real address */
    PPC_MCE_CLASS_USER,                 /* invalid use of an instruction */
    PPC_MCE_CLASS_D_CACHE,              /* in no register, firmware knows */
    PPC_MCE_CLASS_I_CACHE,              /* the same */
    PPC_MCE_CLASS__MAX,
} PpcMceClass;

/* In what way; which ones a class has is in the comment */
typedef enum PpcMceSubtype {
    PPC_MCE_SUBTYPE_INDETERMINATE,              /* UNKNOWN D_CACHE I_CACHE */
    PPC_MCE_SUBTYPE_IFETCH,                     /* UE LINK RA */
    PPC_MCE_SUBTYPE_IFETCH_FOREIGN,             /* RA */
    PPC_MCE_SUBTYPE_TABLE_WALK_IFETCH,          /* UE LINK RA */
    PPC_MCE_SUBTYPE_TABLE_WALK_IFETCH_FOREIGN,  /* RA */
    PPC_MCE_SUBTYPE_LOAD,                       /* LINK RA */
    PPC_MCE_SUBTYPE_STORE,                      /* LINK RA, asynchronous */
    PPC_MCE_SUBTYPE_LOAD_STORE,                 /* UE */
    PPC_MCE_SUBTYPE_LOAD_STORE_FOREIGN,         /* RA */
    PPC_MCE_SUBTYPE_TABLE_WALK_LOAD_STORE,      /* UE LINK RA */
    PPC_MCE_SUBTYPE_TABLE_WALK_LOAD_STORE_FOREIGN,  /* RA */
    PPC_MCE_SUBTYPE_PARITY,                     /* SLB */
    PPC_MCE_SUBTYPE_MULTIHIT,                   /* SLB ERAT TLB */
    PPC_MCE_SUBTYPE_PARITY_OR_MULTIHIT,         /* SLB, POWER7 */
    PPC_MCE_SUBTYPE_TLBIE,                      /* USER */
    PPC_MCE_SUBTYPE_SCV,                        /* USER */
    PPC_MCE_SUBTYPE__MAX,
} PpcMceSubtype;

/* How bad it is for the interrupted context, as Linux rates it */
typedef enum PpcMceSeverity {
    PPC_MCE_SEVERITY_NO_ERROR,          /* spurious: ignore it */
    PPC_MCE_SEVERITY_WARNING,
    PPC_MCE_SEVERITY_SEVERE,
    PPC_MCE_SEVERITY_FATAL,
} PpcMceSeverity;

/* Which register holds the effective address of the failed access */
typedef enum PpcMceAddress {
    PPC_MCE_ADDRESS_NONE,
    PPC_MCE_ADDRESS_SRR0,
    PPC_MCE_ADDRESS_DAR,
} PpcMceAddress;

/* Which side of the CPU reports.  Asynchronous stores are load/store. */
typedef enum PpcMceSide {
    PPC_MCE_SIDE_ANY,                   /* load/store if there is a choice */
    PPC_MCE_SIDE_FETCH,                 /* SRR1 bit 42 clear */
    PPC_MCE_SIDE_LOAD_STORE,            /* SRR1 bit 42 set */
} PpcMceSide;

/* What a machine check means */
typedef struct PpcMceInfo {
    PpcMceClass cls;
    PpcMceSubtype subtype;
    PpcMceSeverity severity;
    PpcMceAddress address;
    PpcMceSide side;                    /* never ANY */
    bool sync;                          /* false: SRR0 is not the culprit */

    /*
     * Type and sub-type value of the MC section of an RTAS error log (hw/ppc/
     * rtas_elog.h).  Type 8 (control memory access) is the nearest there is
     * for accesses to bad real addresses, not an exact match; what the log has
     * no word for is of type 3 (unknown).
     */
    uint8_t rtas_type;
    uint8_t rtas_subtype;
} PpcMceInfo;

/*
 * ppc_mce_is_access: is it that the memory has failed which an instruction is
 * in, or which it loads or stores?
 */
static inline bool ppc_mce_is_access(const PpcMceInfo *info)
{
    return info->cls == PPC_MCE_CLASS_UE &&
           (info->subtype == PPC_MCE_SUBTYPE_IFETCH ||
            info->subtype == PPC_MCE_SUBTYPE_LOAD_STORE);
}

/**
 * ppc_mce_decode: what a machine check means
 * @cpu: generation of the CPU that took it
 * @srr1: SRR1 of the machine check; bits that are no cause are ignored
 * @dsisr: DSISR of the machine check
 *
 * DSISR can have several bits set; the first row of the table counts, in the
 * order of its table, uncorrectable memory errors before all others.
 *
 * A store that fails late (POWER9, POWER10) sets bit 42 of SRR1 but has its
 * cause in SRR1; whatever is in DSISR is left over from before.
 *
 * Returns: what it means, a constant; never NULL.
 *
 * If the CPU generation has no such cause, the class is UNKNOWN (never UE),
 * severe, synchronous, and no address is valid.  On POWER9, bit 42 with a
 * DSISR of PPC_MCE_DSISR_SPURIOUS_PASTE is no error: the class is UNKNOWN as
 * well, and the severity NO_ERROR.
 *
 * Source: Linux arch/powerpc/kernel/mce_power.c, skiboot core/mce.c.
 */
const PpcMceInfo *ppc_mce_decode(PpcMceCpu cpu, uint64_t srr1, uint32_t dsisr);

/**
 * ppc_mce_encode_side: the registers that report an error
 * @cpu: generation of the CPU that is to take the machine check
 * @cls: what failed
 * @subtype: in what way
 * @side: the side that is to report the error, or PPC_MCE_SIDE_ANY
 * @srr1_bits: result: bits to set in SRR1, within PPC_MCE_SRR1_CAUSE_MASK.
 *             All other bits of that mask must be 0 in SRR1.
 * @dsisr: result: value of DSISR; 0 when the cause is in SRR1, in which case
 *         hardware leaves DSISR as it was
 *
 * SLB, ERAT and TLB errors exist on both sides: PPC_MCE_SIDE_ANY takes the
 * load/store side if the CPU has it.
 *
 * ppc_mce_decode() of the result gives @cls and @subtype back.
 *
 * Returns: false, results 0, if the CPU generation has no such cause there.
 *
 * Source: Linux arch/powerpc/kernel/mce_power.c, skiboot core/mce.c.
 */
bool ppc_mce_encode_side(PpcMceCpu cpu, PpcMceClass cls,
                         PpcMceSubtype subtype, PpcMceSide side,
                         uint64_t *srr1_bits, uint32_t *dsisr);

/* For messages, never NULL; "unknown" for a value out of range */
const char *ppc_mce_cpu_name(PpcMceCpu cpu);

#endif /* PPC_MCE_H */
