/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaves AArch64 state, from the highest level that the machine has, for a
 * program in AArch32 state at ENTRY, at EL1.
 */

#define SCR_NS_HCE_RW 0x501
#define SPSR_EL2H     0x3c9
#define SPSR_SVC      0x1d3

        .globl _start
_start:
        mrs     x0, CurrentEL
        cmp     x0, #(3 << 2)
        b.ne    at_el2
        mov     x0, #SCR_NS_HCE_RW
        msr     scr_el3, x0
        ldr     x0, =at_el2
        msr     elr_el3, x0
        mov     x0, #SPSR_EL2H
        msr     spsr_el3, x0
        isb
        eret
at_el2:
        msr     hcr_el2, xzr
        ldr     x0, =ENTRY
        msr     elr_el2, x0
        mov     x0, #SPSR_SVC
        msr     spsr_el2, x0
        isb
        eret
