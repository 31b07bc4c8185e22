/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine with ic-mode=xics: waits for the interrupt
 * of a power-down, without taking it.  At a system reset, it does not want it for
 * a moment, and then takes it.  At REPORT, 64 bits each: how far it has come, and
 * the number of the interrupt that it has taken.
 */

#include "pseries.S.inc"

#define REPORT 0x30000
#define READY  1
#define WAITS  2
#define TAKEN  3

/* In the device tree: /event-sources/epow-events. */
#define EPOW 0x1000

#define PRIORITY 5
#define NOTHING  0
#define ALL      0xff

        .macro  want priorities
        li      %r4, \priorities
        hypercall H_CPPR
        .endm

        /* the low 24 bits of r4 */
        .macro  interrupt_of call
        hypercall \call
        rldicl  %r4, %r4, 0, 40
        .endm

        .macro  stage number
        li      %r4, \number
        std     %r4, 0(%r8)
        .endm

        .globl  _start
_start:
set_xive:
        .long   RTAS_SET_XIVE, 3, 1, EPOW, 0, PRIORITY, -1

        .org    0x100
        lis     %r8, REPORT >> 16
        ld      %r4, 0(%r8)
        cmpdi   %r4, WAITS
        beq     take
        rtas    set_xive
        want    ALL
        stage   READY
poll:
        li      %r4, 0
        interrupt_of H_IPOLL
        cmpdi   %r4, EPOW
        bne     poll
        stage   WAITS
        b       .

take:
        want    NOTHING
        want    ALL
        interrupt_of H_XIRR
        std     %r4, 8(%r8)
        stage   TAKEN
        b       .
