/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine with ic-mode=xive: waits for the interrupt
 * of a power-down, without taking it.  At a system reset, it takes it if the vCPU
 * is interrupted.  At REPORT, 64 bits each: how far it has come, and the number of
 * the interrupt that it has taken.
 */

#include "pseries.S.inc"

#define REPORT 0x30000
#define READY  1
#define WAITS  2
#define TAKEN  3

/* In the device tree: /event-sources/epow-events. */
#define EPOW 0x1000

/* LoPAR: flags, sizes and offsets of hypercalls H_INT_... */
#define ALWAYS_NOTIFY 1
#define SET_EISN      2
#define QUEUE_SIZE    16
#define SET_PQ_00     0xc00

/* The queue; the device tree that is of no interest. */
#define QUEUE    0x40000
#define FDT      0x01000000
#define FDT_SIZE 0x100000

#define PRIORITY 5
#define ALL      0xff

/* Thread management area of the operating system: NSR, CPPR; acknowledge */
#define TIMA_HIGH 0x60302
#define TIMA_LOW  0x031a
#define NSR       0x10
#define NSR_EO    0x8000
#define CPPR      0x11
#define ACK       0x810

#define MSR_EE 0x8000

/* As late as can be. */
#define LATE 0x7fff0000

        .macro  stage number
        li      %r4, \number
        std     %r4, 0(%r30)
        .endm

        .globl  _start
_start:

        .org    0x100
        lis     %r30, REPORT >> 16
        lis     %r4, LATE >> 16
        mtdec   %r4
        ld      %r4, 0(%r30)
        cmpdi   %r4, WAITS
        beq     take
        mfmsr   %r4
        li      %r5, 1
        rldimi  %r4, %r5, 63, 0         /* MSR[SF]: TIMA is far away */
        mtmsrd  %r4
        lis     %r29, TIMA_HIGH >> 16
        ori     %r29, %r29, TIMA_HIGH & 0xffff
        sldi    %r29, %r29, 32
        oris    %r29, %r29, TIMA_LOW
        li      %r4, support - _start
        lis     %r5, FDT >> 16
        lis     %r6, FDT_SIZE >> 16
        hypercall H_CAS
        li      %r4, ALWAYS_NOTIFY
        li      %r5, 0
        li      %r6, PRIORITY
        lis     %r7, QUEUE >> 16
        li      %r8, QUEUE_SIZE
        hypercall H_INT_SET_QUEUE_CONFIG
        li      %r4, SET_EISN
        li      %r5, EPOW
        li      %r6, 0
        li      %r7, PRIORITY
        li      %r8, EPOW
        hypercall H_INT_SET_SOURCE_CONFIG
        li      %r4, 0
        li      %r5, EPOW
        li      %r6, SET_PQ_00
        hypercall H_INT_ESB
        li      %r4, ALL
        stb     %r4, CPPR(%r29)
        stage   READY
poll:
        lwz     %r4, NSR(%r29)
        andis.  %r4, %r4, NSR_EO
        beq     poll
        stage   WAITS
        b       .

take:
        li      %r4, 0
        ori     %r4, %r4, MSR_EE
        mtmsrd  %r4, 1
        nop
        stage   TAKEN
        b       .

        .org    0x500
        lhz     %r4, ACK(%r29)
        lis     %r4, QUEUE >> 16
        lwz     %r4, 0(%r4)
        rldicl  %r4, %r4, 0, 33
        std     %r4, 8(%r30)
        rfid

        /* ibm,client-architecture-support: POWER9; vectors 1 to 5, of which the */
        /* first wants ISA 3.0, and the last XIVE (byte 23) and radix (24) */
        .balign 8
support:
        .long   0xffff0000, 0x004e0000, 0, -1
        .byte   5 - 1
        .byte   3 - 1, 0, 0, 0x80
        .byte   1 - 1, 0, 1 - 1, 0, 1 - 1, 0
        .byte   24 - 1
        .skip   22
        .byte   0x40, 0x40
