/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: makes CALLS (to be defined) hypercalls
 * that there are not, and ends the VM.
 */

#include "../functional/bare/pseries.S.inc"

#define H_NONE 0x3f8

#define H_FUNCTION (-2)

        .globl  _start
_start:

power_off:
        .long   RTAS_POWER_OFF, 2, 1, -1, -1, 0

        .org    0x100
        li      %r5, CALLS
        mtctr   %r5
again:
        li      %r3, H_NONE
        sc      1
        cmpdi   %r3, H_FUNCTION
        bne     .
        bdnz    again
        rtas    power_off
        b       .
