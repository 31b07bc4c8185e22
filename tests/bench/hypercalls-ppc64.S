/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: makes CALLS (to be defined) hypercalls
 * that there are not, and ends the VM.
 */

#define H_NONE 0x3f8
#define H_RTAS 0xf000

#define H_FUNCTION (-2)

#define RTAS_POWER_OFF 0x2003

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
        li      %r4, power_off - _start
        li      %r3, 0
        ori     %r3, %r3, H_RTAS
        sc      1
        b       .
