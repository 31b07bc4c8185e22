/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: registers a machine check handler, and
 * waits for a machine check with translation on.  The handler
 *
 *   SLEEPS  gives the log back, and then does not return, but sleeps
 *   STAYS   keeps the log for a while, gives it back, stays for a while, and
 *           returns; COUNTERS has how often it was entered, and how often while
 *           it was there
 *   NESTS   gives the log back, stays for a while, and returns; but the first
 *           time, until it was entered once more.  COUNTERS is as above
 */

#include "pseries.S.inc"

/* RAM. */
#define RTAS_BASE 0x00800000
#define COUNTERS  0x4000

/* 2 s, and 800 ms, which is less than an error waits for. */
#define KEEP 1024000000
#define STAY 409600000

/* Segment 0 is virtual segment 1, page 0 is real page 0. */
#define SLB_VALID   0x08000000
#define SLB_VSID    0x1000
#define PTE_GROUP   (8 * 1)
#define PTE_HIGH    0x1001          /* the segment, valid */
#define PTE_LOW     0x190           /* R, C, M; the kernel reads and writes */

#define MSR_IR_DR_RI 0x32

        /* As late as can be. */
        .macro  put_off_decrementer
        lis     %r5, 0x7fff
        mtdec   %r5
        .endm

        .macro  count offset
        lwz     %r5, COUNTERS + \offset(0)
        addi    %r5, %r5, 1
        stw     %r5, COUNTERS + \offset(0)
        .endm

        .macro  spend ticks
        mftb    %r5
        addis   %r5, %r5, \ticks >> 16
1:
        mftb    %r6
        cmpd    %r6, %r5
        blt     1b
        .endm

        .globl  _start
_start:

register:
        .long   RTAS_NMI_REGISTER, 2, 1, reset - _start, handler - _start, -1
interlock:
        .long   RTAS_NMI_INTERLOCK, 0, 1, -1

        .org    0x100
reset:
        li      %r4, device_tree - _start
        hypercall H_UPDATE_DT
        li      %r4, 0
        li      %r5, PTE_GROUP
        li      %r6, PTE_HIGH
        li      %r7, PTE_LOW
        hypercall H_ENTER
        lis     %r4, SLB_VALID >> 16
        li      %r5, SLB_VSID
        slbmte  %r5, %r4
        put_off_decrementer
        rtas    register
        mfmsr   %r4
        ori     %r4, %r4, MSR_IR_DR_RI
        mtsrr1  %r4
        li      %r4, awake - _start
        mtsrr0  %r4
        rfid
awake:
        b       awake

handler:
#ifdef STAYS
        mfsrr0  %r27
        mfsrr1  %r26
        count   0
        cmpwi   %r20, 0
        beq     alone
        count   4
alone:
        li      %r20, 1
        spend   KEEP
        rtas    interlock
        spend   STAY
        li      %r20, 0
        mtsrr0  %r27
        mtsrr1  %r26
        rfid
#elif defined(NESTS)
        mfsrr0  %r25
        mfsrr1  %r24
        count   0
        cmpwi   %r20, 0
        beq     alone
        count   4
        rtas    interlock
        mtsrr0  %r25
        mtsrr1  %r24
        rfid
alone:
        mr      %r27, %r25
        mr      %r26, %r24
        li      %r20, 1
        rtas    interlock
        lwz     %r5, COUNTERS(0)
        cmpwi   %r5, 1
        bne     stay
again:
        lwz     %r5, COUNTERS(0)
        cmpwi   %r5, 2
        bne     again
        b       leave
stay:
        spend   STAY
leave:
        li      %r20, 0
        mtsrr0  %r27
        mtsrr1  %r26
        rfid
#else
        rtas    interlock
sleep:
        hypercall H_CEDE
        b       sleep
#endif

        .org    0x900
        put_off_decrementer
        rfid

        rtas_device_tree RTAS_BASE
