/*
 * Guest RAS: where the data of POWER instructions are
 *
 * The words are what an assembler made of the mnemonics with target 6, base
 * register 4 and, where there is one, index register 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/ppc/storage-operand.h"

#define CIA     0x10002000ULL
#define BASE    0x00007fff12345679ULL
#define INDEX   0xffffffffffff0004ULL

typedef enum Address {
    NEG,                        /* base - 16 */
    NEG_12,                     /* base - 12 */
    NEG_512,                    /* base - 512 */
    SUM,                        /* base + index */
    ALIGN,                      /* the same, aligned to the length */
    BASE_ONLY,
    PREFIXED,                   /* base - 0x12345678 */
    RELATIVE,                   /* address of the instruction + 0x1234 */
    ZERO,                       /* base 0 is no register: -16 */
    INDEX_ONLY,
} Address;

static const struct {
    const char *name;
    uint32_t word, suffix;
    Address address;
    unsigned int len;
    bool store;
} rows[] = {
    { "lbz", 0x88c4fff0, 0x00000000, NEG, 1, false },
    { "lbzu", 0x8cc4fff0, 0x00000000, NEG, 1, false },
    { "lhz", 0xa0c4fff0, 0x00000000, NEG, 2, false },
    { "lhzu", 0xa4c4fff0, 0x00000000, NEG, 2, false },
    { "lha", 0xa8c4fff0, 0x00000000, NEG, 2, false },
    { "lhau", 0xacc4fff0, 0x00000000, NEG, 2, false },
    { "lwz", 0x80c4fff0, 0x00000000, NEG, 4, false },
    { "lwzu", 0x84c4fff0, 0x00000000, NEG, 4, false },
    { "lfs", 0xc0c4fff0, 0x00000000, NEG, 4, false },
    { "lfsu", 0xc4c4fff0, 0x00000000, NEG, 4, false },
    { "lfd", 0xc8c4fff0, 0x00000000, NEG, 8, false },
    { "lfdu", 0xccc4fff0, 0x00000000, NEG, 8, false },
    { "ld", 0xe8c4fff0, 0x00000000, NEG, 8, false },
    { "ldu", 0xe8c4fff1, 0x00000000, NEG, 8, false },
    { "lwa", 0xe8c4fff2, 0x00000000, NEG, 4, false },
    { "stb", 0x98c4fff0, 0x00000000, NEG, 1, true },
    { "stbu", 0x9cc4fff0, 0x00000000, NEG, 1, true },
    { "sth", 0xb0c4fff0, 0x00000000, NEG, 2, true },
    { "sthu", 0xb4c4fff0, 0x00000000, NEG, 2, true },
    { "stw", 0x90c4fff0, 0x00000000, NEG, 4, true },
    { "stwu", 0x94c4fff0, 0x00000000, NEG, 4, true },
    { "stfs", 0xd0c4fff0, 0x00000000, NEG, 4, true },
    { "stfsu", 0xd4c4fff0, 0x00000000, NEG, 4, true },
    { "stfd", 0xd8c4fff0, 0x00000000, NEG, 8, true },
    { "stfdu", 0xdcc4fff0, 0x00000000, NEG, 8, true },
    { "std", 0xf8c4fff0, 0x00000000, NEG, 8, true },
    { "stdu", 0xf8c4fff1, 0x00000000, NEG, 8, true },
    { "lmw", 0xbbc4fff0, 0x00000000, NEG, 8, false },
    { "stmw", 0xbfc4fff0, 0x00000000, NEG, 8, true },
    { "lq", 0xe0c4fff0, 0x00000000, NEG, 16, false },
    { "stq", 0xf8c4fff2, 0x00000000, NEG, 16, true },
    { "lfdp", 0xe4c4fff0, 0x00000000, NEG, 16, false },
    { "stfdp", 0xf4c4fff0, 0x00000000, NEG, 16, true },
    { "lxsd", 0xe4c4fff2, 0x00000000, NEG, 8, false },
    { "stxsd", 0xf4c4fff2, 0x00000000, NEG, 8, true },
    { "lxssp", 0xe4c4fff3, 0x00000000, NEG, 4, false },
    { "stxssp", 0xf4c4fff3, 0x00000000, NEG, 4, true },
    { "lxv", 0xf4c4fff1, 0x00000000, NEG, 16, false },
    { "stxv", 0xf4c4fff5, 0x00000000, NEG, 16, true },
    { "lxv", 0xf4c4fff9, 0x00000000, NEG, 16, false },
    { "stxv", 0xf4c4fffd, 0x00000000, NEG, 16, true },
    { "lxvp", 0x18c4fff0, 0x00000000, NEG, 32, false },
    { "stxvp", 0x18c4fff1, 0x00000000, NEG, 32, true },
    /* DS-form: only the last two bits are no displacement */
    { "ld", 0xe8c4fff4, 0x00000000, NEG_12, 8, false },
    { "ldu", 0xe8c4fff5, 0x00000000, NEG_12, 8, false },
    { "lwa", 0xe8c4fff6, 0x00000000, NEG_12, 4, false },
    { "std", 0xf8c4fff4, 0x00000000, NEG_12, 8, true },
    { "stdu", 0xf8c4fff5, 0x00000000, NEG_12, 8, true },
    { "stq", 0xf8c4fff6, 0x00000000, NEG_12, 16, true },
    { "lfdp", 0xe4c4fff4, 0x00000000, NEG_12, 16, false },
    { "stfdp", 0xf4c4fff4, 0x00000000, NEG_12, 16, true },
    { "lxsd", 0xe4c4fff6, 0x00000000, NEG_12, 8, false },
    { "stxsd", 0xf4c4fff6, 0x00000000, NEG_12, 8, true },
    { "lxssp", 0xe4c4fff7, 0x00000000, NEG_12, 4, false },
    { "stxssp", 0xf4c4fff7, 0x00000000, NEG_12, 4, true },
    { "hashst", 0x7fc435a5, 0x00000000, NEG, 8, true },
    { "hashst", 0x7c0435a4, 0x00000000, NEG_512, 8, true },
    { "hashchk", 0x7fc435e5, 0x00000000, NEG, 8, false },
    { "hashchk", 0x7c0435e4, 0x00000000, NEG_512, 8, false },
    { "hashstp", 0x7fc43525, 0x00000000, NEG, 8, true },
    { "hashchkp", 0x7fc43565, 0x00000000, NEG, 8, false },
    { "lbzx", 0x7cc428ae, 0x00000000, SUM, 1, false },
    { "lbzux", 0x7cc428ee, 0x00000000, SUM, 1, false },
    { "lhzx", 0x7cc42a2e, 0x00000000, SUM, 2, false },
    { "lhzux", 0x7cc42a6e, 0x00000000, SUM, 2, false },
    { "lhax", 0x7cc42aae, 0x00000000, SUM, 2, false },
    { "lhaux", 0x7cc42aee, 0x00000000, SUM, 2, false },
    { "lhbrx", 0x7cc42e2c, 0x00000000, SUM, 2, false },
    { "lwzx", 0x7cc4282e, 0x00000000, SUM, 4, false },
    { "lwzux", 0x7cc4286e, 0x00000000, SUM, 4, false },
    { "lwax", 0x7cc42aaa, 0x00000000, SUM, 4, false },
    { "lwaux", 0x7cc42aea, 0x00000000, SUM, 4, false },
    { "lwbrx", 0x7cc42c2c, 0x00000000, SUM, 4, false },
    { "ldx", 0x7cc4282a, 0x00000000, SUM, 8, false },
    { "ldux", 0x7cc4286a, 0x00000000, SUM, 8, false },
    { "ldbrx", 0x7cc42c28, 0x00000000, SUM, 8, false },
    { "lbarx", 0x7cc42868, 0x00000000, SUM, 1, false },
    { "lharx", 0x7cc428e8, 0x00000000, SUM, 2, false },
    { "lwarx", 0x7cc42828, 0x00000000, SUM, 4, false },
    { "ldarx", 0x7cc428a8, 0x00000000, SUM, 8, false },
    { "lqarx", 0x7cc42a28, 0x00000000, SUM, 16, false },
    { "lfsx", 0x7cc42c2e, 0x00000000, SUM, 4, false },
    { "lfsux", 0x7cc42c6e, 0x00000000, SUM, 4, false },
    { "lfdx", 0x7cc42cae, 0x00000000, SUM, 8, false },
    { "lfdux", 0x7cc42cee, 0x00000000, SUM, 8, false },
    { "lfiwax", 0x7cc42eae, 0x00000000, SUM, 4, false },
    { "lfiwzx", 0x7cc42eee, 0x00000000, SUM, 4, false },
    { "lfdpx", 0x7cc42e2e, 0x00000000, SUM, 16, false },
    { "lxsiwzx", 0x7cc42818, 0x00000000, SUM, 4, false },
    { "lxsiwax", 0x7cc42898, 0x00000000, SUM, 4, false },
    { "lxvx", 0x7cc42a18, 0x00000000, SUM, 16, false },
    { "lxvx, reserved bit", 0x7cc42a58, 0x00000000, SUM, 16, false },
    { "lxvdsx", 0x7cc42a98, 0x00000000, SUM, 8, false },
    { "lxvwsx", 0x7cc42ad8, 0x00000000, SUM, 4, false },
    { "lxsspx", 0x7cc42c18, 0x00000000, SUM, 4, false },
    { "lxsdx", 0x7cc42c98, 0x00000000, SUM, 8, false },
    { "lxvw4x", 0x7cc42e18, 0x00000000, SUM, 16, false },
    { "lxvh8x", 0x7cc42e58, 0x00000000, SUM, 16, false },
    { "lxvd2x", 0x7cc42e98, 0x00000000, SUM, 16, false },
    { "lxvb16x", 0x7cc42ed8, 0x00000000, SUM, 16, false },
    { "lxsibzx", 0x7cc42e1a, 0x00000000, SUM, 1, false },
    { "lxsihzx", 0x7cc42e5a, 0x00000000, SUM, 2, false },
    { "lxvpx", 0x7cc42a9a, 0x00000000, SUM, 32, false },
    { "lxvrbx", 0x7cc4281a, 0x00000000, SUM, 1, false },
    { "lxvrhx", 0x7cc4285a, 0x00000000, SUM, 2, false },
    { "lxvrwx", 0x7cc4289a, 0x00000000, SUM, 4, false },
    { "lxvrdx", 0x7cc428da, 0x00000000, SUM, 8, false },
    { "stbx", 0x7cc429ae, 0x00000000, SUM, 1, true },
    { "stbux", 0x7cc429ee, 0x00000000, SUM, 1, true },
    { "sthx", 0x7cc42b2e, 0x00000000, SUM, 2, true },
    { "sthux", 0x7cc42b6e, 0x00000000, SUM, 2, true },
    { "sthbrx", 0x7cc42f2c, 0x00000000, SUM, 2, true },
    { "stwx", 0x7cc4292e, 0x00000000, SUM, 4, true },
    { "stwux", 0x7cc4296e, 0x00000000, SUM, 4, true },
    { "stwbrx", 0x7cc42d2c, 0x00000000, SUM, 4, true },
    { "stdx", 0x7cc4292a, 0x00000000, SUM, 8, true },
    { "stdux", 0x7cc4296a, 0x00000000, SUM, 8, true },
    { "stdbrx", 0x7cc42d28, 0x00000000, SUM, 8, true },
    { "stbcx.", 0x7cc42d6d, 0x00000000, SUM, 1, true },
    { "sthcx.", 0x7cc42dad, 0x00000000, SUM, 2, true },
    { "stwcx.", 0x7cc4292d, 0x00000000, SUM, 4, true },
    { "stdcx.", 0x7cc429ad, 0x00000000, SUM, 8, true },
    { "stqcx.", 0x7cc4296d, 0x00000000, SUM, 16, true },
    { "stfsx", 0x7cc42d2e, 0x00000000, SUM, 4, true },
    { "stfsux", 0x7cc42d6e, 0x00000000, SUM, 4, true },
    { "stfdx", 0x7cc42dae, 0x00000000, SUM, 8, true },
    { "stfdux", 0x7cc42dee, 0x00000000, SUM, 8, true },
    { "stfiwx", 0x7cc42fae, 0x00000000, SUM, 4, true },
    { "stfdpx", 0x7cc42f2e, 0x00000000, SUM, 16, true },
    { "stxsiwx", 0x7cc42918, 0x00000000, SUM, 4, true },
    { "stxvx", 0x7cc42b18, 0x00000000, SUM, 16, true },
    { "stxsspx", 0x7cc42d18, 0x00000000, SUM, 4, true },
    { "stxsdx", 0x7cc42d98, 0x00000000, SUM, 8, true },
    { "stxvw4x", 0x7cc42f18, 0x00000000, SUM, 16, true },
    { "stxvh8x", 0x7cc42f58, 0x00000000, SUM, 16, true },
    { "stxvd2x", 0x7cc42f98, 0x00000000, SUM, 16, true },
    { "stxvb16x", 0x7cc42fd8, 0x00000000, SUM, 16, true },
    { "stxsibx", 0x7cc42f1a, 0x00000000, SUM, 1, true },
    { "stxsihx", 0x7cc42f5a, 0x00000000, SUM, 2, true },
    { "stxvpx", 0x7cc42b9a, 0x00000000, SUM, 32, true },
    { "stxvrbx", 0x7cc4291a, 0x00000000, SUM, 1, true },
    { "stxvrhx", 0x7cc4295a, 0x00000000, SUM, 2, true },
    { "stxvrwx", 0x7cc4299a, 0x00000000, SUM, 4, true },
    { "stxvrdx", 0x7cc429da, 0x00000000, SUM, 8, true },
    { "lvebx", 0x7cc4280e, 0x00000000, ALIGN, 1, false },
    { "lvehx", 0x7cc4284e, 0x00000000, ALIGN, 2, false },
    { "lvewx", 0x7cc4288e, 0x00000000, ALIGN, 4, false },
    { "lvx", 0x7cc428ce, 0x00000000, ALIGN, 16, false },
    { "lvxl", 0x7cc42ace, 0x00000000, ALIGN, 16, false },
    { "stvebx", 0x7cc4290e, 0x00000000, ALIGN, 1, true },
    { "stvehx", 0x7cc4294e, 0x00000000, ALIGN, 2, true },
    { "stvewx", 0x7cc4298e, 0x00000000, ALIGN, 4, true },
    { "stvx", 0x7cc429ce, 0x00000000, ALIGN, 16, true },
    { "stvxl", 0x7cc42bce, 0x00000000, ALIGN, 16, true },
    { "lxvl", 0x7cc42a1a, 0x00000000, BASE_ONLY, 16, false },
    { "lxvll", 0x7cc42a5a, 0x00000000, BASE_ONLY, 16, false },
    { "stxvl", 0x7cc42b1a, 0x00000000, BASE_ONLY, 16, true },
    { "stxvll", 0x7cc42b5a, 0x00000000, BASE_ONLY, 16, true },
    { "lwat", 0x7cc42c8c, 0x00000000, BASE_ONLY, 8, true },
    { "ldat", 0x7cc42ccc, 0x00000000, BASE_ONLY, 16, true },
    { "stwat", 0x7cc42d8c, 0x00000000, BASE_ONLY, 8, true },
    { "stdat", 0x7cc42dcc, 0x00000000, BASE_ONLY, 16, true },
    { "dcbz", 0x7c042fec, 0x00000000, ALIGN, 128, true },
    { "copy", 0x7c242e0c, 0x00000000, ALIGN, 128, false },
    { "paste.", 0x7c242f0d, 0x00000000, ALIGN, 128, true },
    { "plbz", 0x0603edcb, 0x88c4a988, PREFIXED, 1, false },
    { "plhz", 0x0603edcb, 0xa0c4a988, PREFIXED, 2, false },
    { "plha", 0x0603edcb, 0xa8c4a988, PREFIXED, 2, false },
    { "plwz", 0x0603edcb, 0x80c4a988, PREFIXED, 4, false },
    { "plwa", 0x0403edcb, 0xa4c4a988, PREFIXED, 4, false },
    { "pld", 0x0403edcb, 0xe4c4a988, PREFIXED, 8, false },
    { "plq", 0x0403edcb, 0xe0c4a988, PREFIXED, 16, false },
    { "plfs", 0x0603edcb, 0xc0c4a988, PREFIXED, 4, false },
    { "plfd", 0x0603edcb, 0xc8c4a988, PREFIXED, 8, false },
    { "plxsd", 0x0403edcb, 0xa8c4a988, PREFIXED, 8, false },
    { "plxssp", 0x0403edcb, 0xacc4a988, PREFIXED, 4, false },
    { "plxv", 0x0403edcb, 0xc8c4a988, PREFIXED, 16, false },
    { "plxvp", 0x0403edcb, 0xe8c4a988, PREFIXED, 32, false },
    { "pstb", 0x0603edcb, 0x98c4a988, PREFIXED, 1, true },
    { "psth", 0x0603edcb, 0xb0c4a988, PREFIXED, 2, true },
    { "pstw", 0x0603edcb, 0x90c4a988, PREFIXED, 4, true },
    { "pstd", 0x0403edcb, 0xf4c4a988, PREFIXED, 8, true },
    { "pstq", 0x0403edcb, 0xf0c4a988, PREFIXED, 16, true },
    { "pstfs", 0x0603edcb, 0xd0c4a988, PREFIXED, 4, true },
    { "pstfd", 0x0603edcb, 0xd8c4a988, PREFIXED, 8, true },
    { "pstxsd", 0x0403edcb, 0xb8c4a988, PREFIXED, 8, true },
    { "pstxssp", 0x0403edcb, 0xbcc4a988, PREFIXED, 4, true },
    { "pstxv", 0x0403edcb, 0xd8c4a988, PREFIXED, 16, true },
    { "pstxvp", 0x0403edcb, 0xf8c4a988, PREFIXED, 32, true },
    { "plxv", 0x0403edcb, 0xccc4a988, PREFIXED, 16, false },
    { "pstxv", 0x0403edcb, 0xdcc4a988, PREFIXED, 16, true },
    { "pld", 0x04100000, 0xe4c01234, RELATIVE, 8, false },
    { "ld", 0xe8c0fff0, 0x00000000, ZERO, 8, false },
    { "ldx", 0x7cc0282a, 0x00000000, INDEX_ONLY, 8, false },
};

static const struct {
    const char *name;
    uint32_t word, suffix;
} none[] = {
    { "add", 0x7cc42a14, 0x00000000 },
    { "addi", 0x38c40005, 0x00000000 },
    { "mulli", 0x1cc40005, 0x00000000 },
    { "isel", 0x7cc4281e, 0x00000000 },
    { "mfspr", 0x7cc042a6, 0x00000000 },
    { "xxlor", 0xf0221c90, 0x00000000 },
    { "bl", 0x48000001, 0x00000000 },
    { "sc", 0x44000002, 0x00000000 },
    { "paddi", 0x06000000, 0x38c40005 },
    { "lswi", 0x7cc444aa, 0x00000000 },
    { "sync", 0x7c0004ac, 0x00000000 },
    { "vaddubm", 0x10221800, 0x00000000 },
    { "fadd", 0xfc22182a, 0x00000000 },
    { "MLS, lwzu", 0x0603edcb, 0x84c4a988 },
    { "MLS, lmw", 0x0603edcb, 0xb8c4a988 },
    { "MLS, stmw", 0x0603edcb, 0xbcc4a988 },
    { "MLS, lxvp", 0x0603edcb, 0x18c4a980 },
    { "MLS, lq", 0x0603edcb, 0xe0c4a980 },
    { "MLS, ld", 0x0603edcb, 0xe8c4a988 },
    { "MLS, lxv", 0x0603edcb, 0xf4c4a981 },
    { "MLS, std", 0x0603edcb, 0xf8c4a988 },
    { "MLS, ldx", 0x0603edcb, 0x7cc4282a },
    { "MLS, lvx", 0x0603edcb, 0x7cc428ce },
    { "MLS, dcbz", 0x0603edcb, 0x7c042fec },
    { "MLS, lwat", 0x0603edcb, 0x7cc42c8c },
};

static void fill(uint64_t gpr[32])
{
    for (unsigned int i = 0; i < 32; i++) {
        gpr[i] = 0xdead000000000000ULL + i;
    }
    gpr[4] = BASE;
    gpr[5] = INDEX;
}

static uint64_t expected(Address address, unsigned int len)
{
    switch (address) {
    case NEG:
        return BASE - 16;
    case NEG_12:
        return BASE - 12;
    case NEG_512:
        return BASE - 512;
    case SUM:
        return BASE + INDEX;
    case ALIGN:
        return (BASE + INDEX) / len * len;
    case BASE_ONLY:
        return BASE;
    case PREFIXED:
        return BASE - 0x12345678;
    case RELATIVE:
        return CIA + 0x1234;
    case ZERO:
        return -16ULL;
    case INDEX_ONLY:
        return INDEX;
    }
    g_assert_not_reached();
}

static void test_loads_and_stores(void)
{
    uint64_t gpr[32];

    fill(gpr);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        PpcInstruction insn = {
            .word = rows[i].word, .suffix = rows[i].suffix,
            .cia = CIA, .sf = true, .gpr = gpr,
        };
        PpcStorageOperand op;

        g_test_message("%s", rows[i].name);
        g_assert_true(ppc_storage_operand(&insn, &op));
        g_assert_cmphex(op.ea, ==, expected(rows[i].address, rows[i].len));
        g_assert_cmpuint(op.len, ==, rows[i].len);
        g_assert_true(op.store == rows[i].store);
    }
}

/* A wrong guess would have the guest give up a page that is good. */
static void test_others_have_none(void)
{
    uint64_t gpr[32];

    fill(gpr);
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        PpcInstruction insn = {
            .word = none[i].word, .suffix = none[i].suffix,
            .cia = CIA, .sf = true, .gpr = gpr,
        };
        PpcStorageOperand op;

        g_test_message("%s", none[i].name);
        g_assert_false(ppc_storage_operand(&insn, &op));
    }
}

static void test_32_bit_mode(void)
{
    uint64_t gpr[32];
    PpcInstruction insn = { .word = rows[0].word, .gpr = gpr };
    PpcStorageOperand op;

    fill(gpr);
    g_assert_true(ppc_storage_operand(&insn, &op));
    g_assert_cmphex(op.ea, ==, (uint32_t)(BASE - 16));
}

static void test_any_word(void)
{
    uint64_t gpr[32];
    PpcStorageOperand op;

    fill(gpr);
    for (unsigned int i = 0; i < 200000; i++) {
        PpcInstruction insn = {
            .word = g_test_rand_int(), .suffix = g_test_rand_int(),
            .sf = i & 1, .gpr = gpr,
        };

        if (ppc_storage_operand(&insn, &op)) {
            g_assert_cmpuint(op.len, >=, 1);
            g_assert_cmpuint(op.len, <=, 128);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storage-operand/loads-and-stores",
                    test_loads_and_stores);
    g_test_add_func("/storage-operand/others-have-none",
                    test_others_have_none);
    g_test_add_func("/storage-operand/32-bit-mode", test_32_bit_mode);
    g_test_add_func("/storage-operand/any-word", test_any_word);
    return g_test_run();
}
