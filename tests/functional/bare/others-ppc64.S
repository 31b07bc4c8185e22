/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: the first vCPU registers a machine check
 * handler, and then stays in real mode, as in a handler.  The second one loads
 * from BAD now and then, and goes on behind the load after the machine check.
 */

#include "pseries.S.inc"

#define RTAS_BASE 0x00800000
#define BAD       0x10000000

/* 5 ms */
#define PAUSE 2560000

        .globl  _start
_start:

register:
        .long   RTAS_NMI_REGISTER, 2, 1, reset - _start, handler - _start, -1
interlock:
        .long   RTAS_NMI_INTERLOCK, 0, 1, -1
start_cpu:
        .long   RTAS_START_CPU, 3, 1, 1, second - _start, 0, -1

        .org    0x100
reset:
        li      %r4, device_tree - _start
        hypercall H_UPDATE_DT
        rtas    register
        rtas    start_cpu
        b       .
        b       .

second:
        lis     %r30, BAD >> 16
again:
        mftb    %r6
        addis   %r6, %r6, PAUSE >> 16
        addi    %r6, %r6, PAUSE & 0xffff
pause:
        mftb    %r5
        cmpd    %r5, %r6
        blt     pause
        ld      %r5, 0(%r30)
        b       again

handler:
        mfsrr0  %r27
        mfsrr1  %r26
        rtas    interlock
        addi    %r27, %r27, 4
        mtsrr0  %r27
        mtsrr1  %r26
        rfid

        rtas_device_tree RTAS_BASE
