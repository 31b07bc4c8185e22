/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for an SError, with PSTATE.A set, and notes at REPORT what becomes of
 * it.  Begins at the highest level that the machine has, and goes down to LEVEL.
 *
 * To be defined: LEVEL (1 to 3), SCR and HCR (further bits of these registers),
 * and what is done once the SError is there, one of UNMASK, ESB, WFI, IESB,
 * VSE (an SError from EL2, with this syndrome), A32_UNMASK and A32_ESB.  With
 * HOLD also, it is not done before something arrives at the serial port.
 * LEVEL 0 cannot look for the SError: it needs HOLD, and makes an SVC.
 */

#define REPORT   0x40500000
#define RUNNING  0              /* 1: waits for the SError */
#define OFFSET   8              /* of the vector that was entered */
#define EL       16             /* that took it */
#define ESR      24
#define PENDING  32             /* ISR_EL1, at the end */
#define DEFERRED 40             /* DISR_EL1, at the end */
#define DONE     48

#define SCR_NS_HCE_RW 0x501
#define HCR_RW        0x80000000
#define SPSR_EL0T     0x3c0     /* all masked */
#define SPSR_EL1H     0x3c5
#define SPSR_EL2H     0x3c9
#define SPSR_SVC      0x1d3
#define PSTATE_A      0x100
#define ISR_A         (1 << 8)
#define SCTLR_IESB    (1 << 21)

#define UART         0x09000000
#define UART_FR      0x18
#define UART_FR_RXFE 4          /* bit number: nothing has arrived */

#define DISR_EL1      S3_0_C12_C1_1
#define VSESR_EL2     S3_4_C5_C2_3

#if defined(A32_UNMASK) || defined(A32_ESB)
#define A32
#endif
#ifdef VSE
#define HCR_MORE (HCR | 1 << 8)
#else
#define HCR_MORE HCR
#endif

        .globl _start
_start:
        ldr     x20, =REPORT
        ldr     x1, =vectors
        mrs     x0, CurrentEL
        cmp     x0, #(3 << 2)
        b.ne    at_el2
        msr     vbar_el3, x1
        ldr     x0, =(SCR_NS_HCE_RW | SCR)
        msr     scr_el3, x0
        isb
#if LEVEL == 3
        b       arrived
#endif
        ldr     x0, =at_el2
        msr     elr_el3, x0
        mov     x0, #SPSR_EL2H
        msr     spsr_el3, x0
        isb
        eret

at_el2:
        mrs     x0, CurrentEL
        cmp     x0, #(2 << 2)
        b.ne    at_el1
        msr     vbar_el2, x1
#ifdef A32
        ldr     x0, =(HCR_MORE)
        ldr     x1, =vectors32
        msr     vbar_el1, x1
        ldr     x2, =at_svc
        mov     x3, #SPSR_SVC
#else
        ldr     x0, =(HCR_RW | HCR_MORE)
        ldr     x2, =at_el1
#if LEVEL == 0
        mov     x3, #SPSR_EL0T
#else
        mov     x3, #SPSR_EL1H
#endif
#endif
        msr     hcr_el2, x0
#ifdef VSE
        ldr     x0, =(VSE)
        msr     VSESR_EL2, x0
#endif
        isb
#if LEVEL == 2
        b       arrived
#endif
        msr     elr_el2, x2
        msr     spsr_el2, x3
        isb
        eret

at_el1:
#if LEVEL != 0
        msr     vbar_el1, x1
#endif
#ifdef IESB
        mrs     x0, sctlr_el1
        orr     x0, x0, #SCTLR_IESB
        msr     sctlr_el1, x0
#endif
        isb

arrived:
        mov     x0, #1
        str     x0, [x20, #RUNNING]
#ifdef WFI
        wfi
        b       end
#endif
#if LEVEL != 0
wait:
        mrs     x0, isr_el1
        tbz     x0, #8, wait
#endif
#ifdef HOLD
        ldr     x1, =UART
hold:
        ldr     w0, [x1, #UART_FR]
        tbnz    w0, #UART_FR_RXFE, hold
#endif
#if LEVEL == 0
        svc     #0
#endif
#ifdef ESB
        hint    #16
#endif
#ifdef IESB
        svc     #0
#endif
        msr     daifclr, #4
        isb
        b       end

        /* The SVC of IESB: what is pending is neither taken nor deferred. */
at_svc_of_iesb:
        mrs     x0, isr_el1
        tbz     x0, #8, end
        mrs     x0, DISR_EL1
        cbnz    x0, end
        mrs     x0, spsr_el1
        bic     x0, x0, #PSTATE_A
        msr     spsr_el1, x0
        eret
        b       end

taken:
        str     x9, [x20, #OFFSET]
        mrs     x0, CurrentEL
        lsr     x0, x0, #2
        str     x0, [x20, #EL]
        cmp     x0, #2
        b.lo    1f
        b.eq    2f
        mrs     x0, esr_el3
        b       3f
1:      mrs     x0, esr_el1
        b       3f
2:      mrs     x0, esr_el2
3:      str     x0, [x20, #ESR]
end:
        mrs     x0, isr_el1
        str     x0, [x20, #PENDING]
#ifndef NO_RAS
        mrs     x0, DISR_EL1
        str     x0, [x20, #DEFERRED]
#endif
        mov     x0, #1
        str     x0, [x20, #DONE]
        b       .

        .balign 2048
vectors:
        .set    offset, 0
        .rept   16
        mov     x9, #offset
#ifdef IESB
        .if     offset == 0x200
        b       at_svc_of_iesb
        .endif
#endif
        b       taken
        .balign 128
        .set    offset, offset + 128
        .endr

        /* The same in A32: r8 has REPORT */
at_svc:
        .word   0xe3008000              /* movw r8, #0 */
        .word   0xe3448050              /* movt r8, #0x4050 */
        .word   0xe3a00001              /* mov r0, #1 */
        .word   0xe5880000              /* str r0, [r8, RUNNING] */
        .word   0xee1c0f11              /* mrc ISR, r0 */
        .word   0xe3100c01              /* tst r0, #ISR_A */
        .word   0x0afffffc              /* beq: to the mrc */
#ifdef A32_ESB
        .word   0xe320f010              /* esb */
#endif
        .word   0xf1080100              /* cpsie a */
        .word   0xf57ff06f              /* isb sy */
        .word   0xee1c0f31              /* mrc DISR, r0 */
        .word   0xe5880028              /* str r0, [r8, DEFERRED] */
        .word   0xe3a00001              /* mov r0, #1 */
        .word   0xe5880030              /* str r0, [r8, DONE] */
        .word   0xeafffffe              /* b . */

        .balign 32
vectors32:
        .rept   4
        .word   0xeafffffe              /* b . */
        .endr
        .word   0xe3a00010              /* mov r0, #0x10: a data abort */
        .word   0xe5880008              /* str r0, [r8, OFFSET] */
        .word   0xee150f10              /* mrc DFSR, r0 */
        .word   0xe5880018              /* str r0, [r8, ESR] */
        .word   0xe10f0000              /* mrs r0, cpsr */
        .word   0xe5880010              /* str r0, [r8, EL] */
        .word   0xe3a00001              /* mov r0, #1 */
        .word   0xe5880030              /* str r0, [r8, DONE] */
        .word   0xeafffffe              /* b . */
