/*
 * Arm: the memory that an A64 instruction accesses
 *
 * A failed KVM_RUN does not say where the guest's data are.  The instruction
 * and the registers that it uses do.
 *
 * Pure: no state, no allocation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ARM_RAS_OPERAND_H
#define ARM_RAS_OPERAND_H

/* What the instruction depends on, host byte order. */
typedef struct ArmInstruction {
    uint32_t word;
    uint64_t pc;
    const uint64_t *x;          /* X0 to X30, and SP */
} ArmInstruction;

typedef struct ArmOperand {
    uint64_t va;                /* virtual address of the first byte */
    unsigned int len;           /* bytes; 1 if it works on a cache line */
    bool store;                 /* also for what loads and stores */
} ArmOperand;

/*
 * arm_ras_operand: where are the data of an A64 instruction?
 *
 * Arm ARM (DDI 0487), loads and stores of general and of SIMD and FP registers,
 * atomic ones, and cache maintenance by address.  Not those of SVE and SME, of
 * memory tags, with pointer authentication, and of 64 bytes; not those that
 * copy or set memory (FEAT_MOPS).
 *
 * Returns false if it has none, or is not known.
 */
bool arm_ras_operand(const ArmInstruction *insn, ArmOperand *op);

#endif
