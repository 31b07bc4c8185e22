/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: sends itself a doorbell while external
 * interrupts are disabled.  A system reset enables them.  At REPORT, 64 bits
 * each: 1 when the doorbell was sent, 2 when it must have been taken; and how
 * often it was.
 */

#define REPORT 0x30000

#define MSR_EE 0x8000

/* Power ISA 3.0, Book III, 10.2: message type 5, thread 0 */
#define DOORBELL 0x28000000

/* As late as can be. */
#define LATE 0x7fff0000

        .globl  _start
_start:

        .org    0x100
        lis     %r8, REPORT >> 16
        lis     %r4, LATE >> 16
        mtdec   %r4
        ld      %r4, 0(%r8)
        cmpdi   %r4, 1
        beq     enable
        lis     %r4, DOORBELL >> 16
        msgsndp %r4
        li      %r4, 1
        std     %r4, 0(%r8)
        b       .

enable:
        li      %r4, 0
        ori     %r4, %r4, MSR_EE
        mtmsrd  %r4, 1
        nop
        li      %r4, 2
        std     %r4, 0(%r8)
        b       .

        .org    0xa00
        ld      %r5, 8(%r8)
        addi    %r5, %r5, 1
        std     %r5, 8(%r8)
        rfid
