/*
 * POWER: the bytes of storage that an instruction accesses
 *
 * See storage-operand.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/ppc/storage-operand.h"

/* Fields of an instruction; bit 0 is the most significant one. */
#define PRIMARY(word)   ((word) >> 26)
#define RT(word)        ((word) >> 21 & 31)
#define RA(word)        ((word) >> 16 & 31)
#define RB(word)        ((word) >> 11 & 31)
#define XO_X(word)      ((word) >> 1 & 0x3ff)

#define PREFIX_TYPE(word)   ((word) >> 24 & 3)
#define PREFIX_8LS          0
#define PREFIX_MLS          2
#define PREFIX_R            0x00100000
#define PREFIX_D0(word)     ((word) & 0x3ffff)

#define OP_PREFIX   1
#define OP_X        31
#define OP_LMW      46
#define OP_STMW     47

/* What a row of a table says, next to the number of bytes. */
#define STORE       0x80
#define BYTES(row)  ((row) & 0x7f)

/* D-form: displacement of 16 bits.  By primary opcode. */
static const uint8_t d_form[64] = {
    [32] = 4,           /* lwz */
    [33] = 4,           /* lwzu */
    [34] = 1,           /* lbz */
    [35] = 1,           /* lbzu */
    [36] = STORE | 4,   /* stw */
    [37] = STORE | 4,   /* stwu */
    [38] = STORE | 1,   /* stb */
    [39] = STORE | 1,   /* stbu */
    [40] = 2,           /* lhz */
    [41] = 2,           /* lhzu */
    [42] = 2,           /* lha */
    [43] = 2,           /* lhau */
    [44] = STORE | 2,   /* sth */
    [45] = STORE | 2,   /* sthu */
    [48] = 4,           /* lfs */
    [49] = 4,           /* lfsu */
    [50] = 8,           /* lfd */
    [51] = 8,           /* lfdu */
    [52] = STORE | 4,   /* stfs */
    [53] = STORE | 4,   /* stfsu */
    [54] = STORE | 8,   /* stfd */
    [55] = STORE | 8,   /* stfdu */
};

/* DS- and DQ-form: the low bits, of which @mask are @xo, are no displacement */
static const struct {
    uint8_t primary, mask, xo, row, displacement_zeros;
} ds_form[] = {
    { 6, 0xf, 0, 32, 4 },           /* lxvp */
    { 6, 0xf, 1, STORE | 32, 4 },   /* stxvp */
    { 56, 0, 0, 16, 4 },            /* lq */
    { 57, 3, 0, 16, 2 },            /* lfdp */
    { 57, 3, 2, 8, 2 },             /* lxsd */
    { 57, 3, 3, 4, 2 },             /* lxssp */
    { 58, 3, 0, 8, 2 },             /* ld */
    { 58, 3, 1, 8, 2 },             /* ldu */
    { 58, 3, 2, 4, 2 },             /* lwa */
    { 61, 3, 0, STORE | 16, 2 },    /* stfdp */
    { 61, 7, 1, 16, 4 },            /* lxv */
    { 61, 3, 2, STORE | 8, 2 },     /* stxsd */
    { 61, 3, 3, STORE | 4, 2 },     /* stxssp */
    { 61, 7, 5, STORE | 16, 4 },    /* stxv */
    { 62, 3, 0, STORE | 8, 2 },     /* std */
    { 62, 3, 1, STORE | 8, 2 },     /* stdu */
    { 62, 3, 2, STORE | 16, 2 },    /* stq */
};

/* 8LS-form: prefixed, other opcodes than without.  By opcode of the suffix. */
static const uint8_t prefixed_8ls[64] = {
    [41] = 4,           /* plwa */
    [42] = 8,           /* plxsd */
    [43] = 4,           /* plxssp */
    [46] = STORE | 8,   /* pstxsd */
    [47] = STORE | 4,   /* pstxssp */
    [50] = 16,          /* plxv */
    [51] = 16,
    [54] = STORE | 16,  /* pstxv */
    [55] = STORE | 16,
    [56] = 16,          /* plq */
    [57] = 8,           /* pld */
    [58] = 32,          /* plxvp */
    [60] = STORE | 16,  /* pstq */
    [61] = STORE | 8,   /* pstd */
    [62] = STORE | 32,  /* pstxvp */
};

/* How an X-form instruction makes its address: mostly by RA|0 plus RB. */
typedef enum XAddress {
    X_SUM,
    X_BASE,             /* RA|0 */
    X_ALIGNED,          /* the sum, aligned to the bytes of the row */
    X_BLOCK,            /* the same, a block of 128 bytes */
    X_HASH,             /* RA plus a displacement in RT and the last bit */
} XAddress;

#define BLOCK_SIZE 128

static const struct {
    uint16_t xo;
    uint8_t row, address;
} x_form[] = {
    { 7, 1, X_ALIGNED },                /* lvebx */
    { 12, 4, X_SUM },                   /* lxsiwzx */
    { 13, 1, X_SUM },                   /* lxvrbx */
    { 20, 4, X_SUM },                   /* lwarx */
    { 21, 8, X_SUM },                   /* ldx */
    { 23, 4, X_SUM },                   /* lwzx */
    { 39, 2, X_ALIGNED },               /* lvehx */
    { 45, 2, X_SUM },                   /* lxvrhx */
    { 52, 1, X_SUM },                   /* lbarx */
    { 53, 8, X_SUM },                   /* ldux */
    { 55, 4, X_SUM },                   /* lwzux */
    { 71, 4, X_ALIGNED },               /* lvewx */
    { 76, 4, X_SUM },                   /* lxsiwax */
    { 77, 4, X_SUM },                   /* lxvrwx */
    { 84, 8, X_SUM },                   /* ldarx */
    { 87, 1, X_SUM },                   /* lbzx */
    { 103, 16, X_ALIGNED },             /* lvx */
    { 109, 8, X_SUM },                  /* lxvrdx */
    { 116, 2, X_SUM },                  /* lharx */
    { 119, 1, X_SUM },                  /* lbzux */
    { 135, STORE | 1, X_ALIGNED },      /* stvebx */
    { 140, STORE | 4, X_SUM },          /* stxsiwx */
    { 141, STORE | 1, X_SUM },          /* stxvrbx */
    { 149, STORE | 8, X_SUM },          /* stdx */
    { 150, STORE | 4, X_SUM },          /* stwcx. */
    { 151, STORE | 4, X_SUM },          /* stwx */
    { 167, STORE | 2, X_ALIGNED },      /* stvehx */
    { 173, STORE | 2, X_SUM },          /* stxvrhx */
    { 181, STORE | 8, X_SUM },          /* stdux */
    { 182, STORE | 16, X_SUM },         /* stqcx. */
    { 183, STORE | 4, X_SUM },          /* stwux */
    { 199, STORE | 4, X_ALIGNED },      /* stvewx */
    { 205, STORE | 4, X_SUM },          /* stxvrwx */
    { 214, STORE | 8, X_SUM },          /* stdcx. */
    { 215, STORE | 1, X_SUM },          /* stbx */
    { 231, STORE | 16, X_ALIGNED },     /* stvx */
    { 237, STORE | 8, X_SUM },          /* stxvrdx */
    { 247, STORE | 1, X_SUM },          /* stbux */
    { 268, 16, X_SUM },                 /* lxvx */
    { 269, 16, X_BASE },                /* lxvl */
    { 276, 16, X_SUM },                 /* lqarx */
    { 279, 2, X_SUM },                  /* lhzx */
    { 301, 16, X_BASE },                /* lxvll */
    { 311, 2, X_SUM },                  /* lhzux */
    { 332, 8, X_SUM },                  /* lxvdsx */
    { 333, 32, X_SUM },                 /* lxvpx */
    { 341, 4, X_SUM },                  /* lwax */
    { 343, 2, X_SUM },                  /* lhax */
    { 359, 16, X_ALIGNED },             /* lvxl */
    { 364, 4, X_SUM },                  /* lxvwsx */
    { 373, 4, X_SUM },                  /* lwaux */
    { 375, 2, X_SUM },                  /* lhaux */
    { 396, STORE | 16, X_SUM },         /* stxvx */
    { 397, STORE | 16, X_BASE },        /* stxvl */
    { 407, STORE | 2, X_SUM },          /* sthx */
    { 429, STORE | 16, X_BASE },        /* stxvll */
    { 439, STORE | 2, X_SUM },          /* sthux */
    { 461, STORE | 32, X_SUM },         /* stxvpx */
    { 487, STORE | 16, X_ALIGNED },     /* stvxl */
    { 524, 4, X_SUM },                  /* lxsspx */
    { 532, 8, X_SUM },                  /* ldbrx */
    { 534, 4, X_SUM },                  /* lwbrx */
    { 535, 4, X_SUM },                  /* lfsx */
    { 567, 4, X_SUM },                  /* lfsux */
    { 582, STORE | 8, X_BASE },         /* lwat: may take the next word, too */
    { 588, 8, X_SUM },                  /* lxsdx */
    { 599, 8, X_SUM },                  /* lfdx */
    { 614, STORE | 16, X_BASE },        /* ldat: the same */
    { 631, 8, X_SUM },                  /* lfdux */
    { 652, STORE | 4, X_SUM },          /* stxsspx */
    { 658, STORE | 8, X_HASH },         /* hashstp */
    { 660, STORE | 8, X_SUM },          /* stdbrx */
    { 662, STORE | 4, X_SUM },          /* stwbrx */
    { 663, STORE | 4, X_SUM },          /* stfsx */
    { 690, 8, X_HASH },                 /* hashchkp */
    { 694, STORE | 1, X_SUM },          /* stbcx. */
    { 695, STORE | 4, X_SUM },          /* stfsux */
    { 710, STORE | 8, X_BASE },         /* stwat: the same */
    { 716, STORE | 8, X_SUM },          /* stxsdx */
    { 722, STORE | 8, X_HASH },         /* hashst */
    { 726, STORE | 2, X_SUM },          /* sthcx. */
    { 727, STORE | 8, X_SUM },          /* stfdx */
    { 742, STORE | 16, X_BASE },        /* stdat: the same */
    { 754, 8, X_HASH },                 /* hashchk */
    { 759, STORE | 8, X_SUM },          /* stfdux */
    { 774, 0, X_BLOCK },                /* copy */
    { 780, 16, X_SUM },                 /* lxvw4x */
    { 781, 1, X_SUM },                  /* lxsibzx */
    { 790, 2, X_SUM },                  /* lhbrx */
    { 791, 16, X_SUM },                 /* lfdpx */
    { 812, 16, X_SUM },                 /* lxvh8x */
    { 813, 2, X_SUM },                  /* lxsihzx */
    { 844, 16, X_SUM },                 /* lxvd2x */
    { 855, 4, X_SUM },                  /* lfiwax */
    { 876, 16, X_SUM },                 /* lxvb16x */
    { 887, 4, X_SUM },                  /* lfiwzx */
    { 902, STORE, X_BLOCK },            /* paste. */
    { 908, STORE | 16, X_SUM },         /* stxvw4x */
    { 909, STORE | 1, X_SUM },          /* stxsibx */
    { 918, STORE | 2, X_SUM },          /* sthbrx */
    { 919, STORE | 16, X_SUM },         /* stfdpx */
    { 940, STORE | 16, X_SUM },         /* stxvh8x */
    { 941, STORE | 2, X_SUM },          /* stxsihx */
    { 972, STORE | 16, X_SUM },         /* stxvd2x */
    { 983, STORE | 4, X_SUM },          /* stfiwx */
    { 1004, STORE | 16, X_SUM },        /* stxvb16x */
    { 1014, STORE, X_BLOCK },           /* dcbz */
};

/* RA|0 of the ISA: register 0 stands for no base. */
static uint64_t base(const PpcInstruction *insn, uint32_t word)
{
    return RA(word) ? insn->gpr[RA(word)] : 0;
}

static int64_t sign_extend(uint64_t value, unsigned int bits)
{
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

/* Six bits: the number of doublewords above 512 bytes before RA. */
static int64_t hash_displacement(uint32_t word)
{
    return ((int64_t)((word & 1) << 5 | RT(word)) - 64) * 8;
}

static bool d_operand(const PpcInstruction *insn, PpcStorageOperand *op)
{
    uint32_t word = insn->word;
    uint8_t row = d_form[PRIMARY(word)];

    op->ea = base(insn, word) + sign_extend(word & 0xffff, 16);
    op->len = BYTES(row);
    op->store = row & STORE;
    if (PRIMARY(word) == OP_LMW || PRIMARY(word) == OP_STMW) {
        op->len = (32 - RT(word)) * 4;
        op->store = PRIMARY(word) == OP_STMW;
    }
    return op->len;
}

static bool ds_operand(const PpcInstruction *insn, PpcStorageOperand *op)
{
    uint32_t word = insn->word;

    for (size_t i = 0; i < ARRAY_SIZE(ds_form); i++) {
        if (ds_form[i].primary == PRIMARY(word) &&
            (word & ds_form[i].mask) == ds_form[i].xo) {
            uint32_t zeros = (1 << ds_form[i].displacement_zeros) - 1;

            op->ea = base(insn, word) +
                     sign_extend(word & 0xffff & ~zeros, 16);
            op->len = BYTES(ds_form[i].row);
            op->store = ds_form[i].row & STORE;
            return true;
        }
    }
    return false;
}

static bool x_operand(const PpcInstruction *insn, PpcStorageOperand *op)
{
    uint32_t word = insn->word;
    uint64_t sum = base(insn, word) + insn->gpr[RB(word)];

    for (size_t i = 0; i < ARRAY_SIZE(x_form); i++) {
        if (x_form[i].xo != XO_X(word)) {
            continue;
        }
        op->len = BYTES(x_form[i].row);
        op->store = x_form[i].row & STORE;
        switch (x_form[i].address) {
        case X_BASE:
            op->ea = base(insn, word);
            break;
        case X_HASH:
            op->ea = base(insn, word) + hash_displacement(word);
            break;
        case X_BLOCK:
            op->len = BLOCK_SIZE;
            /* fall through */
        case X_ALIGNED:
            op->ea = sum & -(uint64_t)op->len;
            break;
        default:
            op->ea = sum;
            break;
        }
        return true;
    }
    return false;
}

static bool prefixed_operand(const PpcInstruction *insn, PpcStorageOperand *op)
{
    uint32_t prefix = insn->word, suffix = insn->suffix;
    uint64_t d = (uint64_t)PREFIX_D0(prefix) << 16 | (suffix & 0xffff);
    uint8_t row = 0;

    if (PREFIX_TYPE(prefix) == PREFIX_8LS) {
        row = prefixed_8ls[PRIMARY(suffix)];
    } else if (PREFIX_TYPE(prefix) == PREFIX_MLS) {
        row = d_form[PRIMARY(suffix)];
    }
    op->ea = (prefix & PREFIX_R ? insn->cia : base(insn, suffix)) +
             sign_extend(d, 34);
    op->len = BYTES(row);
    op->store = row & STORE;
    return op->len;
}

bool ppc_storage_operand(const PpcInstruction *insn, PpcStorageOperand *op)
{
    bool found;

    switch (PRIMARY(insn->word)) {
    case OP_PREFIX:
        found = prefixed_operand(insn, op);
        break;
    case OP_X:
        found = x_operand(insn, op);
        break;
    default:
        found = ds_operand(insn, op) || d_operand(insn, op);
        break;
    }
    if (found && !insn->sf) {
        op->ea = (uint32_t)op->ea;
    }
    return found;
}
