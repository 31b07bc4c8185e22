/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In AArch32 state: makes an access that fails, or waits for an error that is
 * injected, and notes at REPORT how the exception was taken.
 *
 * To be defined: LEVEL, where it is, 1 (Supervisor mode, not Secure), 2 (Hyp
 * mode) or 3 (Supervisor mode, Secure); BAD, the address that fails; what is
 * done, one of LOAD, STORE, FETCH, UNALIGNED (which is no external abort) and
 * WAIT.  With BEGINS_SECURE it begins in Secure Supervisor mode, and SCR and
 * HCR, further bits of these registers, have to be defined; else it begins
 * where LEVEL is 1.  With EAE defined, translation tables have long descriptors.
 */

#define REPORT  0x40700000
#define RUNNING 0
#define OFFSET  4               /* of the vector that was entered */
#define CPSR    8               /* of the handler */
#define STATUS  12              /* HSR in Hyp mode, else IFSR or DFSR */
#define ADDRESS 16
#define DONE    20

#define SCR_NS  1
#define SCR_HCE 0x100

#define SVC     0x13
#define MON     0x16
#define HYP     0x1a
#define A_I     0x180           /* masked, but not FIQ */

#define SCTLR_A 2
#define TTBCR_EAE 0x80000000

#define PREFETCH_ABORT 0x0c

        .arch   armv7ve
        .arm
        .globl  _start
_start:
        ldr     r8, =REPORT
        ldr     r7, =vectors
#ifdef BEGINS_SECURE
        cps     #MON
        mcr     p15, 0, r7, c12, c0, 1          /* MVBAR */
        mcr     p15, 0, r7, c12, c0, 0          /* VBAR of Secure state */
#if LEVEL == 3
        ldr     r0, =(SCR)
        mcr     p15, 0, r0, c1, c1, 0           /* SCR */
#ifdef EAE
        ldr     r0, =TTBCR_EAE
        mcr     p15, 0, r0, c2, c0, 2           /* TTBCR of Secure state */
#endif
#else
        ldr     r0, =(SCR_NS | SCR_HCE | SCR)
        mcr     p15, 0, r0, c1, c1, 0
        isb
        mcr     p15, 4, r7, c12, c0, 0          /* HVBAR */
        ldr     r0, =(HCR)
        mcr     p15, 4, r0, c1, c1, 0           /* HCR */
#endif
#endif
#if LEVEL != 3
        mcr     p15, 0, r7, c12, c0, 0          /* VBAR */
#ifdef EAE
        ldr     r0, =TTBCR_EAE
        mcr     p15, 0, r0, c2, c0, 2           /* TTBCR */
#endif
#endif
        isb
#if defined(BEGINS_SECURE) && LEVEL == 2
        ldr     r0, =(A_I | HYP)
#else
        ldr     r0, =(A_I | SVC)
#endif
        msr     spsr_cxsf, r0
        ldr     lr, =there
        movs    pc, lr

there:
        mov     r0, #1
        str     r0, [r8, #RUNNING]
        ldr     r1, =BAD
#if defined(LOAD)
        ldr     r0, [r1]
#elif defined(STORE)
        str     r0, [r1]
#elif defined(FETCH)
        bx      r1
#elif defined(UNALIGNED)
        mrc     p15, 0, r0, c1, c0, 0
        orr     r0, r0, #SCTLR_A
        mcr     p15, 0, r0, c1, c0, 0
        isb
        ldr     r0, [r1, #1]
#elif defined(WAIT)
        cpsie   a
        b       .
#endif
        mov     r9, #0xff
        b       done

taken:
        mrs     r0, cpsr
        str     r0, [r8, #CPSR]
        and     r0, r0, #0x1f
        cmp     r0, #HYP
        bne     1f
        mrc     p15, 4, r0, c5, c2, 0           /* HSR */
        mrc     p15, 4, r1, c6, c0, 0           /* HDFAR */
        b       3f
1:      cmp     r0, #MON
        bne     2f
        mrc     p15, 0, r0, c1, c1, 0
        bic     r0, r0, #SCR_NS
        mcr     p15, 0, r0, c1, c1, 0
        isb
2:      cmp     r9, #PREFETCH_ABORT
        mrcne   p15, 0, r0, c5, c0, 0           /* DFSR */
        mrcne   p15, 0, r1, c6, c0, 0           /* DFAR */
        mrceq   p15, 0, r0, c5, c0, 1           /* IFSR */
        mrceq   p15, 0, r1, c6, c0, 2           /* IFAR */
3:      str     r0, [r8, #STATUS]
        str     r1, [r8, #ADDRESS]
done:
        str     r9, [r8, #OFFSET]
        mov     r0, #1
        str     r0, [r8, #DONE]
        b       .

        .balign 32
vectors:
        .set    offset, 0
        .rept   8
        b       entries + 2 * offset
        .set    offset, offset + 4
        .endr
entries:
        .set    offset, 0
        .rept   8
        mov     r9, #offset
        b       taken
        .set    offset, offset + 4
        .endr
