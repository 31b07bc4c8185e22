/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: the first vCPU loads from BAD now and
 * then, and goes on behind the load after a machine check at 0x200.  The second
 * one is always busy.
 */

#include "pseries.S.inc"

#define BAD 0x10000000

/* 5 ms, so that the machine check is not too early after the one before. */
#define PAUSE 2560000

        .globl  _start
_start:

start_cpu:
        .long   RTAS_START_CPU, 3, 1, 1, second - _start, 0, -1

        .org    0x100
        rtas    start_cpu
        lis     %r4, BAD >> 16
again:
        mftb    %r6
        addis   %r6, %r6, PAUSE >> 16
pause:
        mftb    %r5
        cmpd    %r5, %r6
        blt     pause
        ld      %r5, 0(%r4)
        b       again

        .org    0x200
        mfsrr0  %r5
        addi    %r5, %r5, 4
        mtsrr0  %r5
        rfid

        .org    0x300
second:
        b       second
