/*
 * POWER: the bytes of storage that an instruction accesses
 *
 * A machine check for a load or store does not always say where the data are
 * (DAR is not valid for DSISR bit 48), and a failed KVM_RUN never does.  The
 * instruction and the registers that it uses do.
 *
 * Pure: no state, no allocation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PPC_STORAGE_OPERAND_H
#define PPC_STORAGE_OPERAND_H

/* What the instruction depends on, host byte order. */
typedef struct PpcInstruction {
    uint32_t word;      /* the instruction, or its prefix */
    uint32_t suffix;    /* used if word is a prefix */
    uint64_t cia;       /* its address */
    bool sf;            /* MSR[SF]: 64-bit mode */
    const uint64_t *gpr;
} PpcInstruction;

typedef struct PpcStorageOperand {
    uint64_t ea;        /* effective address of the first byte */
    unsigned int len;   /* bytes; at most so many for lxvl and the like */
    bool store;         /* also for what loads and stores */
} PpcStorageOperand;

/*
 * ppc_storage_operand: where are the data of an instruction?
 *
 * Power ISA 3.1B, Book I and II: loads and stores of fixed-point, floating-
 * point, vector and VSX facilities, prefixed or not; atomic ones, copy, paste,
 * dcbz, and hashst and its like.  Not those of strings (lswi and the like).
 *
 * Returns false if it has none, or is not known.
 */
bool ppc_storage_operand(const PpcInstruction *insn, PpcStorageOperand *op);

#endif
