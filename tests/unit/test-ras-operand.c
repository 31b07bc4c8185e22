/*
 * Guest RAS: where the data of A64 instructions are
 *
 * The words are what an assembler made of the text beside them, in which the
 * base is X4 and the index X5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/arm/ras-operand.h"

#define PC      0x10002000ULL
#define BASE    0x00007fff12345678ULL
#define INDEX   0x8000000080000004ULL
#define STACK   0x0000aaaabbbbcc00ULL

typedef enum Address {
    BASE_ONLY,
    PLUS_40,
    PLUS_48,
    MINUS_16,
    SUM,                        /* base + index */
    SUM_8,                      /* base + index * 8 */
    SUM_16,
    UXTW,                       /* 32 bits of the index */
    SXTW_8,                     /* with their sign, * 8 */
    SP_40,
    RELATIVE,                   /* address of the instruction + 0x1234 */
} Address;

static const struct {
    const char *text;
    uint32_t word;
    Address address;
    unsigned int len;
    bool store;
} rows[] = {
    { "ldrb w6, [x4, #40]", 0x3940a086, PLUS_40, 1, false },
    { "strb w6, [x4, #40]", 0x3900a086, PLUS_40, 1, true },
    { "ldrh w6, [x4, #40]", 0x79405086, PLUS_40, 2, false },
    { "ldrsh x6, [x4, #40]", 0x79805086, PLUS_40, 2, false },
    { "ldr w6, [x4, #40]", 0xb9402886, PLUS_40, 4, false },
    { "ldrsw x6, [x4, #40]", 0xb9802886, PLUS_40, 4, false },
    { "ldr x6, [x4, #40]", 0xf9401486, PLUS_40, 8, false },
    { "str x6, [x4, #40]", 0xf9001486, PLUS_40, 8, true },
    { "ldr b6, [x4, #40]", 0x3d40a086, PLUS_40, 1, false },
    { "ldr d6, [x4, #40]", 0xfd401486, PLUS_40, 8, false },
    { "str s6, [x4, #40]", 0xbd002886, PLUS_40, 4, true },
    { "ldr q6, [x4, #48]", 0x3dc00c86, PLUS_48, 16, false },
    { "str q6, [x4, #48]", 0x3d800c86, PLUS_48, 16, true },
    { "ldur x6, [x4, #-16]", 0xf85f0086, MINUS_16, 8, false },
    { "sturb w6, [x4, #-16]", 0x381f0086, MINUS_16, 1, true },
    { "ldur q6, [x4, #-16]", 0x3cdf0086, MINUS_16, 16, false },
    { "ldtr x6, [x4, #-16]", 0xf85f0886, MINUS_16, 8, false },
    { "sttr w6, [x4, #-16]", 0xb81f0886, MINUS_16, 4, true },
    { "ldtrsb x6, [x4, #-16]", 0x389f0886, MINUS_16, 1, false },
    { "ldr x6, [x4, #-16]!", 0xf85f0c86, MINUS_16, 8, false },
    { "str q6, [x4, #-16]!", 0x3c9f0c86, MINUS_16, 16, true },
    { "ldapur x6, [x4, #-16]", 0xd95f0086, MINUS_16, 8, false },
    { "stlur w6, [x4, #-16]", 0x991f0086, MINUS_16, 4, true },
    { "ldapursb w6, [x4, #-16]", 0x19df0086, MINUS_16, 1, false },
    { "ldp x6, x7, [x4, #-16]", 0xa97f1c86, MINUS_16, 16, false },
    { "stp x6, x7, [x4, #-16]!", 0xa9bf1c86, MINUS_16, 16, true },
    { "ldpsw x6, x7, [x4, #-16]", 0x697e1c86, MINUS_16, 8, false },
    { "ldp w6, w7, [x4, #-16]", 0x297e1c86, MINUS_16, 8, false },
    { "ldp s6, s7, [x4, #-16]", 0x2d7e1c86, MINUS_16, 8, false },
    { "ldp q6, q7, [x4, #-16]", 0xad7f9c86, MINUS_16, 32, false },
    { "ldnp d6, d7, [x4, #-16]", 0x6c7f1c86, MINUS_16, 16, false },
    { "stnp x6, x7, [x4, #-16]", 0xa83f1c86, MINUS_16, 16, true },
    { "ldr x6, [x4], #-16", 0xf85f0486, BASE_ONLY, 8, false },
    { "str b6, [x4], #-16", 0x3c1f0486, BASE_ONLY, 1, true },
    { "ldp x6, x7, [x4], #-16", 0xa8ff1c86, BASE_ONLY, 16, false },
    { "stp q6, q7, [x4], #-32", 0xacbf1c86, BASE_ONLY, 32, true },
    { "ldxrb w6, [x4]", 0x085f7c86, BASE_ONLY, 1, false },
    { "ldxr x6, [x4]", 0xc85f7c86, BASE_ONLY, 8, false },
    { "stxr w8, x6, [x4]", 0xc8087c86, BASE_ONLY, 8, true },
    { "ldxp w6, w7, [x4]", 0x887f1c86, BASE_ONLY, 8, false },
    { "ldaxp x6, x7, [x4]", 0xc87f9c86, BASE_ONLY, 16, false },
    { "stlxp w8, x6, x7, [x4]", 0xc8289c86, BASE_ONLY, 16, true },
    { "ldar w6, [x4]", 0x88dffc86, BASE_ONLY, 4, false },
    { "stlr x6, [x4]", 0xc89ffc86, BASE_ONLY, 8, true },
    { "ldlar w6, [x4]", 0x88df7c86, BASE_ONLY, 4, false },
    { "cas x6, x7, [x4]", 0xc8a67c87, BASE_ONLY, 8, true },
    { "casalb w6, w7, [x4]", 0x08e6fc87, BASE_ONLY, 1, true },
    { "casp w6, w7, w8, w9, [x4]", 0x08267c88, BASE_ONLY, 8, true },
    { "caspal x6, x7, x8, x9, [x4]", 0x4866fc88, BASE_ONLY, 16, true },
    { "ldadd x6, x7, [x4]", 0xf8260087, BASE_ONLY, 8, true },
    { "ldclralh w6, w7, [x4]", 0x78e61087, BASE_ONLY, 2, true },
    { "swp w6, w7, [x4]", 0xb8268087, BASE_ONLY, 4, true },
    { "stadd x6, [x4]", 0xf826009f, BASE_ONLY, 8, true },
    { "ldumin w6, w7, [x4]", 0xb8267087, BASE_ONLY, 4, true },
    { "ldapr x6, [x4]", 0xf8bfc086, BASE_ONLY, 8, false },
    { "ldaprb w6, [x4]", 0x38bfc086, BASE_ONLY, 1, false },
    { "ld1 {v6.16b}, [x4]", 0x4c407086, BASE_ONLY, 16, false },
    { "ld1 {v6.8b-v8.8b}, [x4]", 0x0c406086, BASE_ONLY, 24, false },
    { "st2 {v6.4s, v7.4s}, [x4]", 0x4c008886, BASE_ONLY, 32, true },
    { "ld3 {v6.2d-v8.2d}, [x4], x5", 0x4cc54c86, BASE_ONLY, 48, false },
    { "st4 {v6.16b-v9.16b}, [x4], #64", 0x4c9f0086, BASE_ONLY, 64, true },
    { "ld1 {v6.b}[3], [x4]", 0x0d400c86, BASE_ONLY, 1, false },
    { "st1 {v6.h}[3], [x4]", 0x0d005886, BASE_ONLY, 2, true },
    { "ld1 {v6.s}[1], [x4], x5", 0x0dc59086, BASE_ONLY, 4, false },
    { "st1 {v6.d}[1], [x4], #8", 0x4d9f8486, BASE_ONLY, 8, true },
    { "ld2 {v6.s, v7.s}[1], [x4]", 0x0d609086, BASE_ONLY, 8, false },
    { "ld3 {v6.h-v8.h}[1], [x4]", 0x0d406886, BASE_ONLY, 6, false },
    { "ld4 {v6.d-v9.d}[1], [x4]", 0x4d60a486, BASE_ONLY, 32, false },
    { "ld1r {v6.4s}, [x4]", 0x4d40c886, BASE_ONLY, 4, false },
    { "ld4r {v6.2d-v9.2d}, [x4]", 0x4d60ec86, BASE_ONLY, 32, false },
    { "ldr x6, [x4, x5]", 0xf8656886, SUM, 8, false },
    { "strb w6, [x4, x5]", 0x38256886, SUM, 1, true },
    { "ldr q6, [x4, x5, lsl #4]", 0x3ce57886, SUM_16, 16, false },
    { "ldr x6, [x4, x5, lsl #3]", 0xf8657886, SUM_8, 8, false },
    { "ldr w6, [x4, w5, uxtw]", 0xb8654886, UXTW, 4, false },
    { "str x6, [x4, w5, sxtw #3]", 0xf825d886, SXTW_8, 8, true },
    { "ldr x6, [x4, xzr]", 0xf87f6886, BASE_ONLY, 8, false },
    { "ldr x6, [sp, #40]", 0xf94017e6, SP_40, 8, false },
    { "ldr x6, .+0x1234", 0x580091a6, RELATIVE, 8, false },
    { "ldr w6, .+0x1234", 0x180091a6, RELATIVE, 4, false },
    { "ldrsw x6, .+0x1234", 0x980091a6, RELATIVE, 4, false },
    { "ldr q6, .+0x1234", 0x9c0091a6, RELATIVE, 16, false },
    { "dc zva, x4", 0xd50b7424, BASE_ONLY, 1, true },
    { "dc cvac, x4", 0xd50b7a24, BASE_ONLY, 1, false },
    { "dc civac, x4", 0xd50b7e24, BASE_ONLY, 1, false },
    { "dc cvau, x4", 0xd50b7b24, BASE_ONLY, 1, false },
    { "dc ivac, x4", 0xd5087624, BASE_ONLY, 1, false },
    { "ic ivau, x4", 0xd50b7524, BASE_ONLY, 1, false },
};

/* Those that access nothing, or are not known */
static const struct {
    const char *text;
    uint32_t word;
} others[] = {
    { "prfm pldl1keep, [x4, #40]", 0xf9801480 },
    { "prfm pldl1keep, [x4, x5]", 0xf8a56880 },
    { "prfum pldl1keep, [x4, #-16]", 0xf89f0080 },
    { "prfm pldl1keep, .+0x1234", 0xd80091a0 },
    { "add x6, x4, x5", 0x8b050086 },
    { "b .+16", 0x14000004 },
    { "stgp x6, x7, [x4, #-16]", 0x693f9c86 },
    { "stg x6, [x4, #-16]", 0xd93ff886 },
    { "ldraa x6, [x4, #-16]", 0xf87fe486 },
    { "ld1b {z6.b}, p0/z, [x4]", 0xa400a086 },
    { "nop", 0xd503201f },
    { "svc #0", 0xd4000001 },
    { "dc isw, x4", 0xd5087644 },
    { "dc csw, x4", 0xd5087a44 },
    { "at s1e1r, x4", 0xd5087804 },
    { "cpyp [x6]!, [x4]!, x5!", 0x1d0404a6 },
};

static const uint64_t x[32] = { [4] = BASE, [5] = INDEX, [31] = STACK };

static uint64_t expected(Address address)
{
    switch (address) {
    case BASE_ONLY:
        return BASE;
    case PLUS_40:
        return BASE + 40;
    case PLUS_48:
        return BASE + 48;
    case MINUS_16:
        return BASE - 16;
    case SUM:
        return BASE + INDEX;
    case SUM_8:
        return BASE + INDEX * 8;
    case SUM_16:
        return BASE + INDEX * 16;
    case UXTW:
        return BASE + (uint32_t)INDEX;
    case SXTW_8:
        return BASE + (uint64_t)(int64_t)(int32_t)INDEX * 8;
    case SP_40:
        return STACK + 40;
    case RELATIVE:
        return PC + 0x1234;
    }
    g_assert_not_reached();
}

static bool operand(uint32_t word, ArmOperand *op)
{
    const ArmInstruction insn = { .word = word, .pc = PC, .x = x };

    return arm_ras_operand(&insn, op);
}

static void test_loads_and_stores(void)
{
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        ArmOperand op = { 0 };

        g_test_message("%s", rows[i].text);
        g_assert_true(operand(rows[i].word, &op));
        g_assert_cmphex(op.va, ==, expected(rows[i].address));
        g_assert_cmpuint(op.len, ==, rows[i].len);
        g_assert_cmpint(op.store, ==, rows[i].store);
    }
}

static void test_others_have_none(void)
{
    for (int i = 0; i < G_N_ELEMENTS(others); i++) {
        ArmOperand op;

        g_test_message("%s", others[i].text);
        g_assert_false(operand(others[i].word, &op));
    }
}

/* Whatever word it is, nothing is read beside the registers. */
static void test_any_word(void)
{
    for (int i = 0; i < 1000000; i++) {
        ArmOperand op;

        if (operand(g_test_rand_int(), &op)) {
            g_assert_cmpuint(op.len, >=, 1);
            g_assert_cmpuint(op.len, <=, 64);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ras-operand/loads-and-stores", test_loads_and_stores);
    g_test_add_func("/ras-operand/others-have-none", test_others_have_none);
    g_test_add_func("/ras-operand/any-word", test_any_word);
    return g_test_run();
}
