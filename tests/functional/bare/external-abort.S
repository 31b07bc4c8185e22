/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads, at EL1, an address behind which nothing answers, and exits with the
 * number of the Exception level that takes the external abort; 0 if none does.
 * Begins at the highest level that the machine has.
 *
 * To be defined: EA (SCR_EL3.EA) and TEA (HCR_EL2.TEA), each 0 or 1.
 */

#define NOWHERE 0x0f000000

#define SCR_NS_HCE_RW 0x501
#define HCR_RW        0x80000000
#define SPSR_EL1H     0x3c5
#define SPSR_EL2H     0x3c9

        .globl _start
_start:
        ldr     x1, =vectors
        mrs     x0, CurrentEL
        cmp     x0, #(3 << 2)
        b.ne    at_el2
        msr     vbar_el3, x1
        ldr     x0, =(SCR_NS_HCE_RW | EA << 3)
        msr     scr_el3, x0
        ldr     x0, =at_el2
        msr     elr_el3, x0
        mov     x0, #SPSR_EL2H
        msr     spsr_el3, x0
        isb
        eret

at_el2:
        msr     vbar_el2, x1
        ldr     x0, =(HCR_RW | TEA << 37)
        msr     hcr_el2, x0
        ldr     x0, =at_el1
        msr     elr_el2, x0
        mov     x0, #SPSR_EL1H
        msr     spsr_el2, x0
        isb
        eret

at_el1:
        msr     vbar_el1, x1
        isb
        ldr     x0, =NOWHERE
        ldr     x0, [x0]
        mov     x0, #0
        b       exit

taken:
        mrs     x0, CurrentEL
        lsr     x0, x0, #2
exit:
        ldr     x1, =status
        str     x0, [x1]
        ldr     x1, =parameters
        mov     w0, #0x18               /* semihosting: SYS_EXIT */
        hlt     #0xf000

        .balign 2048
vectors:
        .rept   16
        b       taken
        .balign 128
        .endr

        .data
        .balign 8
parameters:
        .quad   0x20026                 /* ADP_Stopped_ApplicationExit */
status:
        .quad   0
