/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits at Exception level LEVEL (0, 1 or 2) for a synchronous external abort,
 * which EL2 takes, and notes at REPORT which level took it and what SP_EL1 and
 * SP_EL2 were then.  Begins at EL2.
 */

#define REPORT   0x40500000
#define RUNNING  0
#define LEVEL_OF 8
#define SP_1     16
#define SP_2     24
#define DONE     32

#define STACK_1  0x40610000
#define STACK_2  0x40620000

#define HCR_TGE  (1 << 27)
#define HCR_RW   (1 << 31)
#define HCR_E2H  (1 << 34)
#define HCR_TEA  (1 << 37)

#if LEVEL == 0
#define HCR_MORE HCR_TGE
#define SPSR     0x3c0
#else
#define HCR_MORE 0
#define SPSR     0x3c5
#endif

        .globl _start
_start:
        ldr     x0, =(HCR_RW | HCR_E2H | HCR_TEA | HCR_MORE)
        msr     hcr_el2, x0
        isb
        ldr     x0, =vectors
        msr     vbar_el2, x0
        ldr     x0, =STACK_1
        msr     sp_el1, x0
        ldr     x0, =STACK_2
        mov     sp, x0
#if LEVEL < 2
        adr     x0, running
        msr     elr_el2, x0
        mov     x0, #SPSR
        msr     spsr_el2, x0
        eret
running:
#endif
        ldr     x1, =REPORT
        mov     x0, #1
        str     x0, [x1, #RUNNING]
        b       .

taken:
        ldr     x1, =REPORT
        mrs     x0, CurrentEL
        lsr     x0, x0, #2
        str     x0, [x1, #LEVEL_OF]
        mrs     x0, sp_el1
        str     x0, [x1, #SP_1]
        mov     x0, sp
        str     x0, [x1, #SP_2]
        mov     x0, #1
        str     x0, [x1, #DONE]
        b       .

        .balign 2048
vectors:
        .rept   16
        b       taken
        .balign 128
        .endr
