/*
 * POWER: the bytes of storage that an instruction accesses
 *
 * See storage-operand.h; the instructions are in storage-operand*.decode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "target/ppc/storage-operand.h"

#define OP_PREFIX       1
#define PREFIX_TYPE(p)  extract32(p, 24, 2)
#define PREFIX_8LS      0
#define PREFIX_MLS      2
#define PREFIX_R(p)     extract32(p, 20, 1)
#define PREFIX_D0(p)    sextract32(p, 0, 18)

/* What the functions that decodetree calls have in common. */
typedef struct DisasContext {
    const PpcInstruction *insn;
    uint32_t prefix;            /* 0 if there is none */
    PpcStorageOperand *op;
} DisasContext;

static int times_4(DisasContext *ctx, int x)
{
    return x * 4;
}

static int times_16(DisasContext *ctx, int x)
{
    return x * 16;
}

/* Six bits: the number of doublewords above 512 bytes before RA. */
static int hash_displacement(DisasContext *ctx, int x)
{
    return (x - 64) * 8;
}

/* From RT to the last register. */
static int multiple_length(DisasContext *ctx, int rt)
{
    return (32 - rt) * 4;
}

#include "decode-storage-operand.c.inc"
#include "decode-storage-operand-8ls.c.inc"

/* RA|0 of the ISA: register 0 stands for no base. */
static uint64_t base(DisasContext *ctx, int ra)
{
    return ra ? ctx->insn->gpr[ra] : 0;
}

static bool set_operand(DisasContext *ctx, uint64_t ea, int len, bool store)
{
    *ctx->op = (PpcStorageOperand) {
        .ea = ctx->insn->sf ? ea : (uint32_t)ea,
        .len = len,
        .store = store,
    };
    return true;
}

static bool trans_D(DisasContext *ctx, arg_D *a)
{
    uint64_t ea = base(ctx, a->ra) + a->si;

    if (ctx->prefix) {
        ea = (PREFIX_R(ctx->prefix) ? ctx->insn->cia : base(ctx, a->ra)) +
             (int64_t)PREFIX_D0(ctx->prefix) * 0x10000 + (uint16_t)a->si;
    }
    return set_operand(ctx, ea, a->len, a->store);
}

static bool trans_X(DisasContext *ctx, arg_X *a)
{
    return set_operand(ctx, base(ctx, a->ra) + ctx->insn->gpr[a->rb], a->len,
                       a->store);
}

static bool trans_X_ALIGNED(DisasContext *ctx, arg_X_ALIGNED *a)
{
    uint64_t ea = base(ctx, a->ra) + ctx->insn->gpr[a->rb];

    return set_operand(ctx, ea & -(uint64_t)a->len, a->len, a->store);
}

/*
 * With a prefix of type MLS, the ISA has D-forms only, and of these neither
 * those with update (odd opcodes) nor lmw.
 */
static bool has_mls_form(uint32_t suffix)
{
    unsigned int opcode = extract32(suffix, 26, 6);

    return opcode >= 32 && opcode < 56 && opcode % 2 == 0 && opcode != 46;
}

bool ppc_storage_operand(const PpcInstruction *insn, PpcStorageOperand *op)
{
    DisasContext ctx = { .insn = insn, .op = op };

    if (extract32(insn->word, 26, 6) != OP_PREFIX) {
        return decode_storage_operand(&ctx, insn->word);
    }
    ctx.prefix = insn->word;
    switch (PREFIX_TYPE(insn->word)) {
    case PREFIX_8LS:
        return decode_storage_operand_8ls(&ctx, insn->suffix);
    case PREFIX_MLS:
        return has_mls_form(insn->suffix) &&
               decode_storage_operand(&ctx, insn->suffix);
    default:
        return false;
    }
}
