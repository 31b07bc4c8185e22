/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a guest of the KVM tests: resets itself ROUNDS times (to be
 * defined) by a hypercall, whose result belongs to the life before.  Each time
 * it begins, it writes a character to the terminal:
 *
 *   .   the registers are those of after a reset
 *   T   r3 does not point to the device tree
 *   R   r1, r4 or r5 is not 0
 *   D   this was the last round; the VM ends
 */

#include "../../functional/bare/pseries.S.inc"

/* Not loaded again at a reset. */
#define COUNT 0x800000

        .globl _start
_start:
        .long   0                       /* what is at 0 is no device tree */

power_off:
        .long   RTAS_POWER_OFF, 2, 1, -1, -1, 0
reboot:
        .long   RTAS_SYSTEM_REBOOT, 0, 1, 0

        .org    0x100
        or      %r1, %r1, %r4
        or      %r1, %r1, %r5
        li      %r6, 'T'
        lwz     %r7, 0(%r3)
        lis     %r8, FDT_MAGIC >> 16
        ori     %r8, %r8, FDT_MAGIC & 0xffff
        cmplw   %r7, %r8
        bne     say_and_end
        li      %r6, 'R'
        cmpdi   %r1, 0
        bne     say_and_end

        lis     %r20, COUNT >> 16
        lwz     %r21, 0(%r20)
        li      %r6, 'D'
        cmpwi   %r21, ROUNDS
        bge     say_and_end
        addi    %r21, %r21, 1
        stw     %r21, 0(%r20)
        li      %r6, '.'
        bl      say
        li      %r1, -1
        li      %r5, -1
        li      %r4, reboot - _start
        b       call

say_and_end:
        bl      say
        li      %r4, power_off - _start
call:
        hypercall H_RTAS
        b       .

        /* the character in r6 */
say:
        li      %r3, H_PUT_TERM_CHAR
        li      %r4, 0
        li      %r5, 1
        sldi    %r6, %r6, 56
        li      %r7, 0
        sc      1
        blr
