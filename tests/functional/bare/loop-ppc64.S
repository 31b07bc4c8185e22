/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: goes round for ever because of POISON.
 * One of
 *
 *   FETCH  executes what is there; the handler at 0x200 goes back to it
 *   WALK   has its process table there (radix MMU) and turns translation on:
 *          no entry is valid then, and the handler of that is translated, too
 */

#include "pseries.S.inc"

#define POISON 0x10000000

#define H_SET_MODE          0x31c
#define H_REGISTER_PROC_TBL 0x37c
#define SET_MODE_AIL        3   /* resource of H_SET_MODE, and its value */
#define RADIX_PROC_TBL      0x1d        /* a new one, GTSE */

#define MSR_IR_DR 0x30

        .globl  _start
_start:
        .org    0x100
        lis     %r5, 0x7fff
        mtdec   %r5
#ifdef WALK
        li      %r4, SET_MODE_AIL
        li      %r5, SET_MODE_AIL
        li      %r6, 0
        li      %r7, 0
        hypercall H_SET_MODE
        li      %r4, RADIX_PROC_TBL
        lis     %r5, POISON >> 16
        li      %r6, 0
        li      %r7, 0
        hypercall H_REGISTER_PROC_TBL
        li      %r4, there - _start
        mfmsr   %r5
        ori     %r5, %r5, MSR_IR_DR
#else
        lis     %r4, POISON >> 16
        mfmsr   %r5
#endif
        mtsrr0  %r4
        mtsrr1  %r5
        rfid

        .org    0x200
        rfid

there:
        b       there
