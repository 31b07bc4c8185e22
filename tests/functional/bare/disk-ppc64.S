/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the firmware of a "pseries" machine loads from a disk: a process, that
 * is a loop in problem state that loads from its stack, and a handler of
 * machine checks at 0x200, which ends it.  Both are told on the console.
 */

#include "pseries.S.inc"

/* Segment 0 is virtual segment 1; its pages 1 and 2 are CODE and STACK. */
#define EA_CODE     0x1000
#define EA_STACK    0x2000
#define SLB_VALID   0x08000000
#define SLB_VSID    0x1000
#define PTE_HIGH    0x1001      /* the segment, valid */
#define PTE_MEMORY  0x192       /* R, C, M; read and write for all */

#define MSR_PROBLEM 0x4032      /* PR, IR, DR, RI */

        /* At most 8 characters; r9 is where we are. */
        .macro  print text, length
        li      %r4, 0
        li      %r5, \length
        ld      %r6, \text - _start(%r9)
        li      %r7, 0
        hypercall H_PUT_TERM_CHAR
        .endm

        .macro  enter group, page
        li      %r4, 0
        li      %r5, 8 * \group
        li      %r6, PTE_HIGH
        addi    %r7, %r9, \page - _start
        ori     %r7, %r7, PTE_MEMORY
        hypercall H_ENTER
        .endm

        .globl  _start
_start:
        bl      1f
1:      mflr    %r9
        addi    %r9, %r9, _start - 1b
        lis     %r5, 0x7fff
        mtdec   %r5
        li      %r5, 0x200
        lwz     %r6, vector - _start(%r9)
        stw     %r6, 0(%r5)
        dcbst   0, %r5
        sync
        icbi    0, %r5
        isync
        print   text_runs, 7
        enter   0, code
        enter   3, stack
        lis     %r4, SLB_VALID >> 16
        li      %r5, SLB_VSID
        slbmte  %r5, %r4
        mfmsr   %r4
        ori     %r4, %r4, MSR_PROBLEM
        mtsrr1  %r4
        li      %r4, EA_CODE
        mtsrr0  %r4
        li      %r1, EA_STACK
        rfid

vector: ba      machine_check

        .balign 8
        .globl  entry           /* a function descriptor */
entry:  .quad   _start, 0
text_runs:
        .ascii  "runs\r\n\0\0"
text_ended:
        .ascii  "ended\r\n\0"

machine_check:
        bl      1f
1:      mflr    %r9
        addi    %r9, %r9, _start - 1b
        print   text_ended, 7
        b       .

        .balign 4096
code:
        ld      %r3, 0(%r1)
        addi    %r4, %r4, 1
        b       code
        .balign 4096
stack:
        .space  4096
