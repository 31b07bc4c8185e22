/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine with three vCPUs: two send system resets
 * to the first, as fast as they can.  At REPORT, 64 bits each, see below.
 */

#include "pseries.S.inc"

#define REPORT 0x30000
#define BOOTED 0
#define DIRTY  8                /* boots with registers that were not reset */
#define SRR0   16               /* what was in them, at last */
#define SRR1   24
#define SENT   32
#define TAKEN  40

        .macro  count offset
        ld      %r7, \offset(%r8)
        addi    %r7, %r7, 1
        std     %r7, \offset(%r8)
        .endm

        .globl  _start
_start:
        /* a reset of the machine clears it, as all of this file */
started:
        .long   0
start_1:
        .long   RTAS_START_CPU, 3, 1, 1, send - _start, 0, -1
start_2:
        .long   RTAS_START_CPU, 3, 1, 2, send - _start, 0, -1

        .org    0x100
        lis     %r8, REPORT >> 16
        lwz     %r7, started - _start(0)
        cmpwi   %r7, 0
        beq     boot
        count   TAKEN
        rfid

boot:
        li      %r7, 1
        stw     %r7, started - _start(0)
        mfsrr0  %r5
        mfsrr1  %r6
        or.     %r7, %r5, %r6
        beq     clean
        std     %r5, SRR0(%r8)
        std     %r6, SRR1(%r8)
        count   DIRTY
clean:
        count   BOOTED
        rtas    start_1
        rtas    start_2
        b       .

send:
        lis     %r8, REPORT >> 16
        li      %r4, 0
        hypercall H_SIGNAL_SYS_RESET
        count   SENT
        b       send
