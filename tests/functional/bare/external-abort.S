/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes one access that ends in a synchronous external abort, and notes at
 * REPORT the number of the Exception level that takes it, plus 0x10 if its
 * syndrome says that the access was one by VNCR_EL2; 0 if there is none.
 * Begins at the highest level that the machine has.
 *
 * To be defined: EA (SCR_EL3.EA), SCR and HCR (further bits of SCR_EL3 and
 * HCR_EL2); LEVEL, that of the access, 0 or 1; BAD, the address that fails, a multiple of 4096; and
 * what is done there, one of LOAD, FETCH, WALK (of a stage 1 translation
 * table), WALK2 (of a stage 2 table), VNCR (a system register), LDG, STG (of
 * allocation tags; with -machine mte=on), CVAP (a cache instruction) and SLEEP
 * (nothing: a "wfi" that nothing ends but an abort).  With AGAIN, goes back to
 * it each time.
 */

#define REPORT   0x40500000
#define TAKEN_BY 0
#define ASLEEP   8              /* PC in the "wfi" of SLEEP */
#define DONE     16

#define SCR_NS_HCE_RW 0x501
#define SCTLR_ATA     43        /* bit number */
#define HCR_RW        (1 << 31)
#define HCR_VM        1
#define HCR_NV2       ((1 << 45) | (1 << 42))
#define SPSR_EL0T     0x3c0
#define SPSR_EL1H     0x3c5
#define SPSR_EL2H     0x3c9
#define ESR_VNCR      13        /* bit number */

#define VNCR_EL2      S3_4_C2_C2_0

#ifdef WALK2
#define HCR_MORE (HCR | HCR_VM)
#elif defined(VNCR)
#define HCR_MORE (HCR | HCR_NV2)
#else
#define HCR_MORE HCR
#endif

        .arch   armv8.5-a+memtag

        .macro  tags_on
        mrs     x0, sctlr_el1
        orr     x0, x0, #(1 << SCTLR_ATA)
        msr     sctlr_el1, x0
        isb
        .endm

        .globl _start
_start:
        ldr     x1, =vectors
        mrs     x0, CurrentEL
        cmp     x0, #(3 << 2)
        b.ne    at_el2
        msr     vbar_el3, x1
        ldr     x0, =(SCR_NS_HCE_RW | SCR | EA << 3)
        msr     scr_el3, x0
        ldr     x0, =at_el2
        msr     elr_el3, x0
        mov     x0, #SPSR_EL2H
        msr     spsr_el3, x0
        isb
        eret

at_el2:
        msr     vbar_el2, x1
        msr     vbar_el1, x1            /* also where EL1 is out of use */
#ifdef VNCR
        ldr     x0, =BAD
        msr     VNCR_EL2, x0
#endif
#ifdef WALK2
        /* 4 KiB granule, begins at level 1, 39 bits */
        ldr     x0, =(2 << 16 | 1 << 6 | 25)
        msr     vtcr_el2, x0
        ldr     x0, =BAD
        msr     vttbr_el2, x0
#endif
        ldr     x0, =at_low
        msr     elr_el2, x0
#if LEVEL == 0
        mov     x0, #SPSR_EL0T
#else
        mov     x0, #SPSR_EL1H
#endif
        msr     spsr_el2, x0
        ldr     x0, =(HCR_RW | HCR_MORE)
        msr     hcr_el2, x0
        isb
        eret

at_low:
#if defined(LOAD)
        ldr     x0, =BAD
        ldr     x0, [x0]
#elif defined(LDG)
        tags_on
        ldr     x0, =BAD
        ldg     x1, [x0]
#elif defined(STG)
        tags_on
        ldr     x0, =BAD
        stg     x0, [x0]
#elif defined(CVAP)
        ldr     x0, =BAD
        dc      cvap, x0
#elif defined(FETCH)
        ldr     x0, =BAD
        br      x0
#elif defined(WALK)
        /* 4 KiB granule, 39 bits, TTBR0 only */
        ldr     x0, =(1 << 23 | 25)
        msr     tcr_el1, x0
        ldr     x0, =BAD
        msr     ttbr0_el1, x0
        isb
        mrs     x0, sctlr_el1
        orr     x0, x0, #1
        msr     sctlr_el1, x0
        isb
#elif defined(VNCR)
        mrs     x0, sp_el1              /* VNCR_EL2 + 0x240 */
#elif defined(SLEEP)
        adr     x2, asleep
        ldr     x3, =REPORT
        str     x2, [x3, #ASLEEP]
        wfi
asleep:
#endif
        mov     x0, #0
        b       end

taken:
#ifdef AGAIN
        eret
#endif
        mrs     x0, CurrentEL
        lsr     x0, x0, #2
        cmp     x0, #2
        b.lo    1f
        b.eq    2f
        mrs     x1, esr_el3
        b       3f
1:      mrs     x1, esr_el1
        b       3f
2:      mrs     x1, esr_el2
3:      ubfx    x1, x1, #ESR_VNCR, #1
        orr     x0, x0, x1, lsl #4
end:
        ldr     x1, =REPORT
        str     x0, [x1, #TAKEN_BY]
        mov     x0, #1
        str     x0, [x1, #DONE]
        b       .

        .balign 2048
vectors:
        .rept   16
        b       taken
        .balign 128
        .endr
