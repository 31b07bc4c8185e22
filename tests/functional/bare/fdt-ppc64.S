/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: clears the device tree that it is given.
 * At REPORT, 64 bits each, see below.
 */

#include "pseries.S.inc"

#define REPORT  0x30000
#define ADDRESS 0               /* of the device tree */
#define MAGIC   8               /* the first word of it */
#define CLEARED 16              /* how often */

/* More than it has. */
#define SIZE 0x10000

        .globl  _start
_start:
        .org    0x100
        lis     %r8, REPORT >> 16
        lwz     %r4, 0(%r3)
        std     %r3, ADDRESS(%r8)
        std     %r4, MAGIC(%r8)
        lis     %r5, SIZE / 8 >> 16
        ori     %r5, %r5, SIZE / 8 & 0xffff
        mtctr   %r5
        li      %r4, 0
1:      std     %r4, 0(%r3)
        addi    %r3, %r3, 8
        bdnz    1b
        ld      %r4, CLEARED(%r8)
        addi    %r4, %r4, 1
        std     %r4, CLEARED(%r8)
        b       .
