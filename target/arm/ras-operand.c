/*
 * Arm: the memory that an A64 instruction accesses
 *
 * See ras-operand.h; the instructions are in ras-operand.decode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "target/arm/ras-operand.h"

#define SP 31

/* PAIR: the address is Rn, which changes afterwards */
#define PAIR_POST 1

/* REG: how Rm is extended; bit 1 is set in all that are allocated */
#define OPTION_UXTW 2
#define OPTION_SXTW 6

/* What the functions that decodetree calls have in common. */
typedef struct DisasContext {
    const ArmInstruction *insn;
    ArmOperand *op;
} DisasContext;

#include "decode-ras-operand.c.inc"

static bool set_operand(DisasContext *ctx, uint64_t va, unsigned int len,
                        bool store)
{
    *ctx->op = (ArmOperand) { .va = va, .len = len, .store = store };
    return true;
}

static bool trans_STRUCT(DisasContext *ctx, arg_STRUCT *a)
{
    /* registers, by opcode */
    static const uint8_t registers[16] = {
        [0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2,
    };

    return registers[a->opc] &&
           set_operand(ctx, ctx->insn->x[a->rn],
                       registers[a->opc] * (a->q ? 16 : 8), !a->l);
}

static bool trans_SINGLE(DisasContext *ctx, arg_SINGLE *a)
{
    unsigned int elements = (a->opc % 2) * 2 + a->r + 1;
    unsigned int scale = a->opc / 2;

    if (scale == 3) {
        /* to all lanes: its size is in the instruction */
        scale = a->size;
    } else if (scale == 2 && a->size) {
        scale = 3;
    }
    return set_operand(ctx, ctx->insn->x[a->rn], elements << scale, !a->l);
}

static bool trans_EXCLUSIVE(DisasContext *ctx, arg_EXCLUSIVE *a)
{
    /* with "other", one register is CAS, two are a pair, or CASP */
    bool pair = a->other && !a->single;
    bool swap = a->other && (a->single || a->size < 2);
    unsigned int len = 1 << a->size;

    if (pair) {
        len = 2 << (a->size % 2 ? 3 : 2);
    }
    return set_operand(ctx, ctx->insn->x[a->rn], len, swap || !a->l);
}

static bool trans_PAIR(DisasContext *ctx, arg_PAIR *a)
{
    unsigned int scale = a->v ? 2 + a->opc : 2 + a->opc / 2;
    int64_t offset = a->mode == PAIR_POST ? 0 : (int64_t)a->imm * (1 << scale);

    /* not STGP, nor what is not allocated */
    return a->opc < 3 && (a->v || a->opc != 1 || a->l) &&
           set_operand(ctx, ctx->insn->x[a->rn] + offset, 2 << scale, !a->l);
}

static bool trans_LITERAL(DisasContext *ctx, arg_LITERAL *a)
{
    unsigned int len = a->v ? 4 << a->opc : a->opc == 1 ? 8 : 4;

    /* PRFM accesses nothing */
    return a->opc < 3 &&
           set_operand(ctx, ctx->insn->pc + (int64_t)a->imm * 4, len, false);
}

/* One register, to or from @va, or Rn + @offset in terms of its size */
static bool set_register(DisasContext *ctx, int size, int v, int opc,
                         uint64_t va, uint64_t offset, bool scaled)
{
    unsigned int scale = v ? (opc & 2) * 2 + size : size;

    /* not PRFM, nor what is not allocated */
    if (scale > 4 || (!v && size == 3 && opc == 2)) {
        return false;
    }
    return set_operand(ctx, va + (scaled ? offset << scale : offset),
                       1 << scale, v ? !(opc & 1) : !opc);
}

static bool trans_ORDERED(DisasContext *ctx, arg_ORDERED *a)
{
    return set_register(ctx, a->size, 0, a->opc, ctx->insn->x[a->rn], a->imm,
                        false);
}

static bool trans_UNSCALED(DisasContext *ctx, arg_IMM *a)
{
    return set_register(ctx, a->size, a->v, a->opc, ctx->insn->x[a->rn],
                        a->imm, false);
}

static bool trans_POST(DisasContext *ctx, arg_IMM *a)
{
    return set_register(ctx, a->size, a->v, a->opc, ctx->insn->x[a->rn], 0,
                        false);
}

static bool trans_SCALED(DisasContext *ctx, arg_IMM *a)
{
    return set_register(ctx, a->size, a->v, a->opc, ctx->insn->x[a->rn],
                        a->imm, true);
}

static bool trans_REG(DisasContext *ctx, arg_REG *a)
{
    uint64_t offset = a->rm == SP ? 0 : ctx->insn->x[a->rm];

    if (a->option == OPTION_UXTW) {
        offset = (uint32_t)offset;
    } else if (a->option == OPTION_SXTW) {
        offset = (int32_t)offset;
    }
    return (a->option & 2) &&
           set_register(ctx, a->size, a->v, a->opc, ctx->insn->x[a->rn],
                        offset, a->s);
}

static bool trans_ATOMIC(DisasContext *ctx, arg_ATOMIC *a)
{
    bool ldapr = a->o3 && a->opc == 4;

    /* with o3, there are swap (0) and, with one register, LDAPR */
    return (!a->o3 || !a->opc || ldapr) &&
           set_operand(ctx, ctx->insn->x[a->rn], 1 << a->size, !ldapr);
}

static bool trans_CACHE(DisasContext *ctx, arg_CACHE *a)
{
    return set_operand(ctx, a->rt == SP ? 0 : ctx->insn->x[a->rt], 1, a->zero);
}

bool arm_ras_operand(const ArmInstruction *insn, ArmOperand *op)
{
    DisasContext ctx = { .insn = insn, .op = op };

    return decode_ras_operand(&ctx, insn->word);
}
