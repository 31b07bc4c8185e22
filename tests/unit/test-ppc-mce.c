/*
 * Tests of target/ppc/mce.c: what SRR1 and DSISR of a machine check mean
 *
 * The rows are typed in a second time, from the meaning that Linux and skiboot
 * give to the causes; nothing is computed from the tables.
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "target/ppc/mce.h"
#include "hw/ppc/rtas_elog.h"

#define BIT42 0x00200000ULL

/* An MSR as it may be in SRR1: SF, EE, PR, FP, ME, FE0, IR, DR, PMM, RI, LE */
#define MSR_NOISE 0x800000000000f837ULL

/* Everything in SRR1 that is no cause: all but bits 36 and 42:45 */
#define NOT_CAUSE 0xfffffffff7c3ffffULL

typedef struct Row {
    unsigned int cpus;          /* that have it */
    uint32_t bits;
    PpcMceClass cls;
    PpcMceSubtype subtype;
    char severity;              /* the sheet's W, S, F */
    PpcMceAddress address;
    int rtas_type;              /* nearest: 8; none: 3, unknown */
    uint8_t rtas_subtype;
} Row;

#define P7 1
#define P8 2
#define P9 4
#define P10 8
#define ALL (P7 | P8 | P9 | P10)

/* Words of the sheet */
#define SRR0 PPC_MCE_ADDRESS_SRR0
#define DAR PPC_MCE_ADDRESS_DAR
#define NO_ADDR PPC_MCE_ADDRESS_NONE
#define UE PPC_MCE_CLASS_UE
#define SLB PPC_MCE_CLASS_SLB
#define ERAT PPC_MCE_CLASS_ERAT
#define TLB PPC_MCE_CLASS_TLB
#define LINK PPC_MCE_CLASS_LINK
#define RA PPC_MCE_CLASS_RA
#define USER PPC_MCE_CLASS_USER
#define IFETCH PPC_MCE_SUBTYPE_IFETCH
#define IFETCH_FOREIGN PPC_MCE_SUBTYPE_IFETCH_FOREIGN
#define WALK_IFETCH PPC_MCE_SUBTYPE_TABLE_WALK_IFETCH
#define WALK_IFETCH_FOREIGN PPC_MCE_SUBTYPE_TABLE_WALK_IFETCH_FOREIGN
#define LOAD PPC_MCE_SUBTYPE_LOAD
#define STORE PPC_MCE_SUBTYPE_STORE
#define LD_ST PPC_MCE_SUBTYPE_LOAD_STORE
#define LD_ST_FOREIGN PPC_MCE_SUBTYPE_LOAD_STORE_FOREIGN
#define WALK_LD_ST PPC_MCE_SUBTYPE_TABLE_WALK_LOAD_STORE
#define WALK_LD_ST_FOREIGN PPC_MCE_SUBTYPE_TABLE_WALK_LOAD_STORE_FOREIGN
#define PARITY PPC_MCE_SUBTYPE_PARITY
#define MULTI PPC_MCE_SUBTYPE_MULTIHIT
#define EITHER PPC_MCE_SUBTYPE_PARITY_OR_MULTIHIT
#define TLBIE PPC_MCE_SUBTYPE_TLBIE
#define SCV PPC_MCE_SUBTYPE_SCV

static const Row srr1_rows[] = {
    { ALL,      0x00040000, UE,   IFETCH,      'S', SRR0, 0, 1 },
    { ALL,      0x00080000, SLB,  PARITY,      'S', SRR0, 1, 0 },
    { ALL,      0x000c0000, SLB,  MULTI,       'W', SRR0, 1, 1 },
    { P7,       0x00100000, SLB,  EITHER,      'W', SRR0, 1, 2 },
    { P8 | P9 | P10, 0x00100000, ERAT, MULTI,       'W', SRR0, 2, 2 },
    { ALL,      0x00140000, TLB,  MULTI,       'W', SRR0, 4, 2 },
    { ALL,      0x00180000, UE,   WALK_IFETCH, 'S', SRR0, 0, 2 },
    { P7 | P8,  0x001c0000, UE,   IFETCH,      'S', SRR0, 0, 1 },
    { P9 | P10, 0x001c0000, RA,   IFETCH_FOREIGN, 'S', SRR0, 8, 1 },
    { P8 | P9,  0x08000000, LINK, IFETCH,      'S', SRR0, 3, 0 },
    { P8 | P9,  0x08040000, LINK, WALK_IFETCH, 'S', SRR0, 3, 0 },
    { P10,      0x08080000, USER, SCV,         'W', SRR0, 3, 0 },
    { P9 | P10, 0x080c0000, RA,   IFETCH,      'S', SRR0, 8, 1 },
    { P9 | P10, 0x08100000, RA,   WALK_IFETCH, 'S', SRR0, 8, 0 },
    { P9 | P10, 0x08140000, RA,   STORE,       'F', NO_ADDR, 8, 1 },
    { P9,       0x08180000, LINK, STORE,       'F', NO_ADDR, 3, 0 },
    { P9 | P10, 0x081c0000, RA,   WALK_IFETCH_FOREIGN, 'S', SRR0, 8, 0 },
};

/* In the order in which they count */
static const Row dsisr_rows[] = {
    { ALL,      0x8000, UE,   LD_ST,       'S', NO_ADDR, 0, 3 },
    { ALL,      0x4000, UE,   WALK_LD_ST,  'S', DAR, 0, 4 },
    { P8 | P9,  0x2000, LINK, LOAD,        'S', DAR, 3, 0 },
    { P8 | P9,  0x1000, LINK, WALK_LD_ST,  'S', DAR, 3, 0 },
    { ALL,      0x0800, ERAT, MULTI,       'W', DAR, 2, 2 },
    { ALL,      0x0400, TLB,  MULTI,       'W', DAR, 4, 2 },
    { P8,       0x0200, ERAT, MULTI,       'W', DAR, 2, 2 },
    { P9 | P10, 0x0200, USER, TLBIE,       'W', NO_ADDR, 3, 0 },
    { ALL,      0x0080, SLB,  MULTI,       'W', DAR, 1, 1 },
    { ALL,      0x0100, SLB,  PARITY,      'S', DAR, 1, 0 },
    { P7,       0x0040, SLB,  EITHER,      'W', DAR, 1, 2 },
    { P9 | P10, 0x0040, RA,   LOAD,        'S', DAR, 8, 1 },
    { P9 | P10, 0x0020, RA,   WALK_LD_ST,  'S', NO_ADDR, 8, 0 },
    { P9 | P10, 0x0010, RA,   WALK_LD_ST_FOREIGN, 'S', NO_ADDR, 8, 0 },
    { P9 | P10, 0x0008, RA,   LD_ST_FOREIGN, 'S', NO_ADDR, 8, 1 },
};

/* Filled from the rows by main() */
static struct Cpu {
    PpcMceCpu cpu;
    const char *name;
    unsigned int bit;
    size_t n_srr1, n_dsisr;
    Row srr1[G_N_ELEMENTS(srr1_rows)], dsisr[G_N_ELEMENTS(dsisr_rows)];
} cpus[] = {
    { PPC_MCE_POWER7, "POWER7", P7 }, { PPC_MCE_POWER8, "POWER8", P8 },
    { PPC_MCE_POWER9, "POWER9", P9 }, { PPC_MCE_POWER10, "POWER10", P10 },
};

static size_t rows_of(const struct Cpu *c, Row *rows, const Row *all, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        if (all[i].cpus & c->bit) {
            rows[found++] = all[i];
        }
    }
    return found;
}

/* Those on the side of data have bit 42, and the two fatal ones are there */
static void assert_decodes(PpcMceCpu cpu, uint64_t srr1, uint32_t dsisr,
                           const Row *row)
{
    const PpcMceInfo *info = ppc_mce_decode(cpu, srr1, dsisr);
    PpcMceSeverity severity = row->severity == 'W' ? PPC_MCE_SEVERITY_WARNING
                            : row->severity == 'S' ? PPC_MCE_SEVERITY_SEVERE
                            : PPC_MCE_SEVERITY_FATAL;

    g_assert_cmpint(info->cls, ==, row->cls);
    g_assert_cmpint(info->subtype, ==, row->subtype);
    g_assert_cmpint(info->severity, ==, severity);
    g_assert_cmpint(info->address, ==, row->address);
    g_assert_cmpint(info->side, ==, srr1 & BIT42 || row->severity == 'F' ?
                                    PPC_MCE_SIDE_LOAD_STORE :
                                    PPC_MCE_SIDE_FETCH);
    /* the two fatal causes are the asynchronous ones */
    g_assert_cmpint(info->sync, ==, row->severity != 'F');
    g_assert_cmpint(info->rtas_type, ==, row->rtas_type);
    g_assert_cmpint(info->rtas_subtype, ==, row->rtas_subtype);
}

static const PpcMceInfo *assert_class(PpcMceCpu cpu, uint64_t srr1,
                                      uint32_t dsisr, PpcMceClass cls,
                                      PpcMceSubtype subtype)
{
    const PpcMceInfo *info = ppc_mce_decode(cpu, srr1, dsisr);

    g_assert_cmpint(info->cls, ==, cls);
    g_assert_cmpint(info->subtype, ==, subtype);
    return info;
}

static void assert_unknown(PpcMceCpu cpu, uint64_t srr1, uint32_t dsisr)
{
    const PpcMceInfo *info;

    info = assert_class(cpu, srr1, dsisr, PPC_MCE_CLASS_UNKNOWN,
                        PPC_MCE_SUBTYPE_INDETERMINATE);
    g_assert_cmpint(info->severity, ==, PPC_MCE_SEVERITY_SEVERE);
    g_assert_cmpint(info->address, ==, PPC_MCE_ADDRESS_NONE);
    g_assert_cmpint(info->side, ==, srr1 & BIT42 ? PPC_MCE_SIDE_LOAD_STORE
                                                 : PPC_MCE_SIDE_FETCH);
    g_assert_true(info->sync);
    g_assert_cmpint(info->rtas_type, ==, RTAS_MC_TYPE_UNKNOWN);
    g_assert_cmpint(info->rtas_subtype, ==, 0);
}

static const Row *find_code(const struct Cpu *c, uint32_t code)
{
    size_t i;

    for (i = 0; i < c->n_srr1; i++) {
        if (c->srr1[i].bits == code) {
            return &c->srr1[i];
        }
    }
    return NULL;
}

/*
 * Decode
 */

static void test_decode_srr1_rows(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    size_t i;

    for (i = 0; i < c->n_srr1; i++) {
        const Row *row = &c->srr1[i];

        assert_decodes(c->cpu, row->bits, 0, row);

        /* what else is in SRR1, and all of DSISR, does not matter */
        assert_decodes(c->cpu, row->bits | MSR_NOISE, 0xffffffff, row);
        assert_decodes(c->cpu, row->bits | NOT_CAUSE, 0x02000000, row);
    }
}

/* All codes there can be: those that are not in the list are unknown */
static void test_decode_srr1_codes_outside_the_table(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    unsigned unknown = 0;
    int n;

    for (n = 0; n < 16; n++) {
        uint32_t code = (n & 8 ? 0x08000000 : 0) | (n & 7) << 18;
        bool is_power7 = c->cpu == PPC_MCE_POWER7;
        /* POWER7 does not look at bit 36 */
        const Row *row = find_code(c, is_power7 ? code & 0x001c0000 : code);
        if (row) {
            assert_class(c->cpu, code, 0, row->cls, row->subtype);
        } else {
            assert_unknown(c->cpu, code, 0x8000);
            assert_unknown(c->cpu, code | NOT_CAUSE, 0xffffffff);
            unknown++;
        }
    }
    /* POWER7: code 0, with bit 36 and without */
    g_assert_cmpuint(unknown, ==,
                     c->cpu == PPC_MCE_POWER7 ? 2 : 16 - c->n_srr1);
}

static void test_decode_dsisr_rows(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    size_t i;

    for (i = 0; i < c->n_dsisr; i++) {
        const Row *row = &c->dsisr[i];

        assert_decodes(c->cpu, BIT42, row->bits, row);
        assert_decodes(c->cpu, BIT42 | MSR_NOISE, row->bits, row);

        /* the upper half of DSISR is about other interrupts */
        assert_decodes(c->cpu, BIT42, row->bits | 0xffff0000, row);
    }
}

/* Also with codes in SRR1, as long as they are those of a fetch */
static void test_decode_bit_42_selects_dsisr(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    size_t i;

    for (i = 0; i < c->n_srr1; i++) {
        if (c->srr1[i].severity == 'F') {
            continue;
        }
        assert_decodes(c->cpu, BIT42 | c->srr1[i].bits, 0x8000, &c->dsisr[0]);
        assert_unknown(c->cpu, BIT42 | c->srr1[i].bits, 0);
    }
}

/* Every value of the lower half of DSISR: the first row of the sheet counts */
static void test_decode_dsisr_order(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    uint32_t dsisr;

    for (dsisr = 0; dsisr <= 0xffff; dsisr++) {
        const Row *row = NULL;
        size_t i;

        for (i = 0; i < c->n_dsisr && !row; i++) {
            if (dsisr & c->dsisr[i].bits) {
                row = &c->dsisr[i];
            }
        }
        if (row) {
            assert_decodes(c->cpu, BIT42, dsisr, row);
        } else {
            assert_unknown(c->cpu, BIT42, dsisr);
        }
    }
}

static void test_decode_order_by_example(void)
{
    static const struct {
        PpcMceCpu cpu;
        uint32_t dsisr;
        PpcMceClass cls;
        PpcMceSubtype subtype;
    } cases[] = {
        /* multi-hit before parity, although its bit is the lower one */
        { PPC_MCE_POWER7,  0x0180, SLB, MULTI },
        { PPC_MCE_POWER10, 0x0180, SLB, MULTI },
        { PPC_MCE_POWER7,  0x01c0, SLB, MULTI },
        { PPC_MCE_POWER7,  0x0140, SLB, PARITY },
        /* UE before everything */
        { PPC_MCE_POWER9,  0xfff8, UE, LD_ST },
        { PPC_MCE_POWER9,  0x7ff8, UE, WALK_LD_ST },
        /* a bit that the CPU does not have does not hide another one */
        { PPC_MCE_POWER10, 0x3008, RA, LD_ST_FOREIGN },
        { PPC_MCE_POWER7,  0x3240, SLB, EITHER },
        { PPC_MCE_POWER8,  0x0278, ERAT, MULTI },
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_class(cases[i].cpu, BIT42, cases[i].dsisr, cases[i].cls,
                     cases[i].subtype);
    }
}

/* POWER9 and POWER10: with bit 42 set and the cause in SRR1 all the same */
static void test_decode_asynchronous_store(void)
{
    static const uint32_t stale[] = {
        0, 0x8000, 0x4000, 0x0040, 0xffff, 0xffffffff, 0x42000000,
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(stale); i++) {
        /* bad real address */
        assert_decodes(PPC_MCE_POWER9, BIT42 | 0x08140000, stale[i],
                       find_code(&cpus[2], 0x08140000));
        assert_decodes(PPC_MCE_POWER10, BIT42 | MSR_NOISE | 0x08140000,
                       stale[i], find_code(&cpus[3], 0x08140000));

        /* foreign link, POWER9 only */
        assert_decodes(PPC_MCE_POWER9, BIT42 | 0x08180000, stale[i],
                       find_code(&cpus[2], 0x08180000));
    }

    /* POWER10 does not have it: DSISR counts */
    assert_decodes(PPC_MCE_POWER10, BIT42 | 0x08180000, 0x0040,
                   &cpus[3].dsisr[7]);
    assert_unknown(PPC_MCE_POWER10, BIT42 | 0x08180000, 0);
    assert_unknown(PPC_MCE_POWER10, 0x08180000, 0x8000);

    /* neither do POWER7 and POWER8 */
    assert_decodes(PPC_MCE_POWER8, BIT42 | 0x08140000, 0x8000,
                   &cpus[1].dsisr[0]);
    assert_decodes(PPC_MCE_POWER7, BIT42 | 0x08140000, 0x8000,
                   &cpus[0].dsisr[0]);
    assert_unknown(PPC_MCE_POWER8, BIT42 | 0x08140000, 0);
}

static void test_decode_spurious_paste(void)
{
    const PpcMceInfo *info;

    info = assert_class(PPC_MCE_POWER9, BIT42 | MSR_NOISE, 0x02000000,
                        PPC_MCE_CLASS_UNKNOWN, PPC_MCE_SUBTYPE_INDETERMINATE);
    g_assert_cmpint(info->severity, ==, PPC_MCE_SEVERITY_NO_ERROR);
    g_assert_cmpint(info->address, ==, PPC_MCE_ADDRESS_NONE);

    /* exactly that value, on that CPU, on the load/store side */
    assert_unknown(PPC_MCE_POWER9, BIT42, 0x03000000);
    assert_unknown(PPC_MCE_POWER9, BIT42, 0x82000000);
    assert_unknown(PPC_MCE_POWER9, 0, 0x02000000);
    assert_unknown(PPC_MCE_POWER7, BIT42, 0x02000000);
    assert_unknown(PPC_MCE_POWER8, BIT42, 0x02000000);
    assert_unknown(PPC_MCE_POWER10, BIT42, 0x02000000);
    assert_class(PPC_MCE_POWER9, BIT42, 0x02000080, SLB, MULTI);
}

/* POWER7 leaves the upper half of DSISR undefined */
static void test_decode_power7_upper_half_of_dsisr(void)
{
    assert_unknown(PPC_MCE_POWER7, BIT42, 0xffff0000);
    assert_class(PPC_MCE_POWER7, BIT42, 0xffff0080, SLB, MULTI);
}

/* Where QEMU 10.0 says UE or nothing, see the end of the sheet's section 4 */
static void test_decode_what_stock_qemu_gets_wrong(void)
{
    /* POWER7: SLB, not ERAT */
    assert_class(PPC_MCE_POWER7, 0x00100000, 0, SLB, EITHER);
    /* POWER8: secondary ERAT */
    assert_class(PPC_MCE_POWER8, BIT42, 0x0200, ERAT, MULTI);
    /* no match is not UE */
    assert_unknown(PPC_MCE_POWER8, BIT42, 0);
    assert_unknown(PPC_MCE_POWER10, 0, 0);
    assert_unknown(PPC_MCE_POWER10, MSR_NOISE, 0x8000);
}

static bool encode(PpcMceCpu cpu, PpcMceClass cls, PpcMceSubtype subtype,
                   uint64_t *srr1, uint32_t *dsisr)
{
    return ppc_mce_encode_side(cpu, cls, subtype, PPC_MCE_SIDE_ANY, srr1,
                               dsisr);
}

static void test_cpu_out_of_range(void)
{
    static const int values[] = { -1, PPC_MCE_CPU__MAX, 32, 255 };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        uint64_t srr1 = 1;
        uint32_t dsisr = 1;

        assert_unknown(values[i], 0x00040000, 0);
        assert_unknown(values[i], BIT42, 0x8000);
        g_assert_false(encode(values[i], UE, IFETCH, &srr1, &dsisr));
        g_assert_cmphex(srr1, ==, 0);
        g_assert_cmphex(dsisr, ==, 0);
    }
}

/*
 * Encode
 */

static void test_encode_rows(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    uint64_t srr1;
    uint32_t dsisr;
    size_t i;

    for (i = 0; i < c->n_srr1; i++) {
        const Row *row = &c->srr1[i];
        bool async = row->severity == 'F';
        PpcMceSide side = async ? PPC_MCE_SIDE_LOAD_STORE : PPC_MCE_SIDE_FETCH;
        PpcMceSide other = async ? PPC_MCE_SIDE_FETCH
                                 : PPC_MCE_SIDE_LOAD_STORE;

        srr1 = 1;
        dsisr = 1;
        g_assert_true(ppc_mce_encode_side(c->cpu, row->cls, row->subtype,
                                          side, &srr1, &dsisr));
        if (row->bits == 0x001c0000 && row->cls == UE) {
            /* POWER7 and POWER8 have two codes for this */
            g_assert_cmphex(srr1, ==, 0x00040000);
        } else {
            g_assert_cmphex(srr1, ==, row->bits | (async ? BIT42 : 0));
        }
        g_assert_cmphex(dsisr, ==, 0);

        if (row->cls != SLB && row->cls != ERAT && row->cls != TLB) {
            g_assert_false(ppc_mce_encode_side(c->cpu, row->cls, row->subtype,
                                               other, &srr1, &dsisr));
            g_assert_cmphex(srr1, ==, 0);
            g_assert_cmphex(dsisr, ==, 0);
        }
    }

    for (i = 0; i < c->n_dsisr; i++) {
        const Row *row = &c->dsisr[i];
        bool second_erat = c->cpu == PPC_MCE_POWER8 && row->bits == 0x0200;
        uint32_t want = second_erat ? 0x0800 : row->bits;

        g_assert_true(ppc_mce_encode_side(c->cpu, row->cls, row->subtype,
                                          PPC_MCE_SIDE_LOAD_STORE,
                                          &srr1, &dsisr));
        g_assert_cmphex(srr1, ==, BIT42);
        g_assert_cmphex(dsisr, ==, want);

        /* the load/store side is preferred */
        g_assert_true(encode(c->cpu, row->cls, row->subtype, &srr1, &dsisr));
        g_assert_cmphex(srr1, ==, BIT42);
        g_assert_cmphex(dsisr, ==, want);
    }
}

static bool cpu_has(const struct Cpu *c, PpcMceClass cls,
                    PpcMceSubtype subtype)
{
    size_t i;

    for (i = 0; i < c->n_srr1; i++) {
        if (c->srr1[i].cls == cls && c->srr1[i].subtype == subtype) {
            return true;
        }
    }
    for (i = 0; i < c->n_dsisr; i++) {
        if (c->dsisr[i].cls == cls && c->dsisr[i].subtype == subtype) {
            return true;
        }
    }
    return false;
}

/* All classes with all sub-types, and some that are out of range */
static void test_encode_then_decode(gconstpointer opaque)
{
    const struct Cpu *c = opaque;
    int cls, subtype, side;

    for (cls = -1; cls <= PPC_MCE_CLASS__MAX; cls++) {
        for (subtype = -1; subtype <= PPC_MCE_SUBTYPE__MAX; subtype++) {
            uint64_t srr1 = 1;
            uint32_t dsisr = 1;
            const PpcMceInfo *info;

            g_assert_cmpint(encode(c->cpu, cls, subtype, &srr1, &dsisr), ==,
                            cpu_has(c, cls, subtype));
            if (!cpu_has(c, cls, subtype)) {
                g_assert_cmphex(srr1, ==, 0);
                g_assert_cmphex(dsisr, ==, 0);
            }

            for (side = PPC_MCE_SIDE_ANY; side <= PPC_MCE_SIDE_LOAD_STORE;
                 side++) {
                if (!ppc_mce_encode_side(c->cpu, cls, subtype, side, &srr1,
                                         &dsisr)) {
                    continue;
                }
                g_assert_true(cpu_has(c, cls, subtype));
                g_assert_cmphex(srr1, !=, 0);
                g_assert_cmphex(srr1 & ~PPC_MCE_SRR1_CAUSE_MASK, ==, 0);
                g_assert_cmphex(dsisr & ~PPC_MCE_DSISR_CAUSE_MASK, ==, 0);
                info = assert_class(c->cpu, srr1 | MSR_NOISE, dsisr, cls,
                                    subtype);
                if (side != PPC_MCE_SIDE_ANY) {
                    g_assert_cmpint(info->side, ==, side);
                }
            }
        }
    }
}

/* TCG's own causes on POWER9, sheet section 6 */
static void test_encode_what_tcg_raises(void)
{
    uint64_t srr1;
    uint32_t dsisr;

    g_assert_true(encode(PPC_MCE_POWER9, RA, LOAD, &srr1, &dsisr));
    g_assert_cmphex(srr1, ==, 0x00200000);
    g_assert_cmphex(dsisr, ==, 0x40);
    g_assert_true(encode(PPC_MCE_POWER9, RA, STORE, &srr1, &dsisr));
    g_assert_cmphex(srr1, ==, 0x08340000);
    g_assert_cmphex(dsisr, ==, 0);
    g_assert_true(encode(PPC_MCE_POWER9, RA, IFETCH, &srr1, &dsisr));
    g_assert_cmphex(srr1, ==, 0x080c0000);
    g_assert_cmphex(dsisr, ==, 0);
}

/*
 * Masks, the RTAS log, names
 */

static void test_masks(void)
{
    uint64_t all = 0;
    size_t c, i;

    for (c = 0; c < G_N_ELEMENTS(cpus); c++) {
        for (i = 0; i < cpus[c].n_srr1; i++) {
            all |= cpus[c].srr1[i].bits;
        }
    }
    g_assert_cmphex(PPC_MCE_SRR1_CODE_MASK, ==, all);
    g_assert_cmphex(PPC_MCE_SRR1_CAUSE_MASK, ==, all | BIT42);
    g_assert_cmphex(PPC_MCE_SRR1_CAUSE_MASK, ==, 0x083c0000);
    g_assert_cmphex(PPC_MCE_SRR1_CODE_MASK_POWER7, ==, 0x001c0000);
    g_assert_cmphex(PPC_MCE_SRR1_LOAD_STORE, ==, 1ULL << (63 - 42));
    g_assert_cmphex(PPC_MCE_SRR1_PREFIXED, ==, 1ULL << (63 - 34));
    g_assert_cmphex(PPC_MCE_SRR1_NOT_MSR_MASK, ==, 0x783f0000);
    g_assert_cmphex(PPC_MCE_SRR1_CAUSE_MASK & ~PPC_MCE_SRR1_NOT_MSR_MASK, ==,
                    0);
    g_assert_cmphex(PPC_MCE_SRR1_PREFIXED & ~PPC_MCE_SRR1_NOT_MSR_MASK, ==, 0);
}

/* Every RTAS type and sub-type of the tables can be put into a log */
static void test_rtas_types_are_valid(gconstpointer opaque)
{
    /* first and last sub-type of each type, LoPAR 2.9 10.3.2.12 */
    static const uint8_t subtypes[][2] = {
        [RTAS_MC_TYPE_UE] = { 0, 4 },
        [RTAS_MC_TYPE_SLB] = { 0, 2 },
        [RTAS_MC_TYPE_ERAT] = { 1, 3 },
        [RTAS_MC_TYPE_UNKNOWN] = { 0, 0 },
        [RTAS_MC_TYPE_TLB] = { 1, 3 },
        [RTAS_MC_TYPE_CTRL_MEM_ACCESS] = { 0, 1 },
    };
    const struct Cpu *c = opaque;
    size_t i;

    for (i = 0; i < c->n_srr1 + c->n_dsisr; i++) {
        bool fetch = i < c->n_srr1;
        const Row *row = fetch ? &c->srr1[i] : &c->dsisr[i - c->n_srr1];
        const PpcMceInfo *info;

        info = ppc_mce_decode(c->cpu, fetch ? row->bits : BIT42,
                              fetch ? 0 : row->bits);
        g_assert_cmpint(info->rtas_subtype, >=, subtypes[info->rtas_type][0]);
        g_assert_cmpint(info->rtas_subtype, <=, subtypes[info->rtas_type][1]);
        g_assert_cmpint(info->rtas_type, ==,
                        row->cls == UE ? RTAS_MC_TYPE_UE
                        : row->cls == SLB ? RTAS_MC_TYPE_SLB
                        : row->cls == ERAT ? RTAS_MC_TYPE_ERAT
                        : row->cls == TLB ? RTAS_MC_TYPE_TLB
                        : row->cls == RA ? RTAS_MC_TYPE_CTRL_MEM_ACCESS
                        : RTAS_MC_TYPE_UNKNOWN);
    }
}

static void test_names(void)
{
    int i;

    for (i = 0; i < (int)G_N_ELEMENTS(cpus); i++) {
        g_assert_cmpstr(ppc_mce_cpu_name(cpus[i].cpu), ==, cpus[i].name);
    }
    g_assert_cmpstr(ppc_mce_cpu_name(-1), ==, "unknown");
    g_assert_cmpstr(ppc_mce_cpu_name(PPC_MCE_CPU__MAX), ==, "unknown");
}

static void add_per_cpu(const char *name, GTestDataFunc func)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cpus); i++) {
        g_autofree char *path = g_strdup_printf("/ppc-mce/%s/%s", name,
                                                cpus[i].name);

        g_test_add_data_func(path, &cpus[i], func);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cpus); i++) {
        struct Cpu *c = &cpus[i];

        c->n_srr1 = rows_of(c, c->srr1, srr1_rows, G_N_ELEMENTS(srr1_rows));
        c->n_dsisr = rows_of(c, c->dsisr, dsisr_rows,
                             G_N_ELEMENTS(dsisr_rows));
    }

    add_per_cpu("decode/srr1-rows", test_decode_srr1_rows);
    add_per_cpu("decode/srr1-codes-outside-the-table",
                test_decode_srr1_codes_outside_the_table);
    add_per_cpu("decode/dsisr-rows", test_decode_dsisr_rows);
    add_per_cpu("decode/bit-42-selects-dsisr",
                test_decode_bit_42_selects_dsisr);
    add_per_cpu("decode/dsisr-order", test_decode_dsisr_order);
    g_test_add_func("/ppc-mce/decode/order-by-example",
                    test_decode_order_by_example);
    g_test_add_func("/ppc-mce/decode/asynchronous-store",
                    test_decode_asynchronous_store);
    g_test_add_func("/ppc-mce/decode/spurious-paste",
                    test_decode_spurious_paste);
    g_test_add_func("/ppc-mce/decode/power7-upper-half-of-dsisr",
                    test_decode_power7_upper_half_of_dsisr);
    g_test_add_func("/ppc-mce/decode/what-stock-qemu-gets-wrong",
                    test_decode_what_stock_qemu_gets_wrong);
    g_test_add_func("/ppc-mce/cpu-out-of-range", test_cpu_out_of_range);

    add_per_cpu("encode/rows", test_encode_rows);
    add_per_cpu("encode/then-decode", test_encode_then_decode);
    g_test_add_func("/ppc-mce/encode/what-tcg-raises",
                    test_encode_what_tcg_raises);

    g_test_add_func("/ppc-mce/masks", test_masks);
    add_per_cpu("rtas-types-are-valid", test_rtas_types_are_valid);
    g_test_add_func("/ppc-mce/names", test_names);

    return g_test_run();
}
