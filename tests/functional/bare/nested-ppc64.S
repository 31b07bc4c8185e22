/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine with cap-nested-hv=on: runs a nested
 * guest that never ends, and that is to be left at a time that has passed when
 * it is entered.  At REPORT, 64 bits each: how often it was left, by which
 * interrupt, and how far it has counted.
 */

#include "pseries.S.inc"

#define REPORT 0x30000

/* The nested guest's number, and its MSR: SF, ME. */
#define LPID 1
#define MSR  0x8000000000001000

/* Timebase.  It begins at 0. */
#define PASSED 1

/* Power ISA 3.0, Book III, 6.7: 52 bits by 13, 9, 9, 9, and 12 in the page. */
#define HR              (1 << 63)
#define RTS             (1 << 62 | 5 << 5)
#define ENTRY_VALID     (1 << 63)
#define ENTRY_LEAF      (1 << 62)
#define ENTRY_REFERENCE (1 << 8)
#define ENTRY_CHANGE    (1 << 7)
#define ENTRY_ACCESS    7

        /* the registers of a nested guest are little-endian */
        .macro  le64 value
        .irp    shift, 0, 8, 16, 24, 32, 40, 48, 56
        .byte   (\value) >> \shift & 0xff
        .endr
        .endm

        .globl  _start
_start:

        .org    0x100
        lis     %r4, (partition_table - _start)@ha
        addi    %r4, %r4, (partition_table - _start)@l
        hypercall H_SET_PARTITION_TABLE
        lis     %r8, REPORT >> 16
        li      %r9, 0
again:
        lis     %r4, (state - _start)@ha
        addi    %r4, %r4, (state - _start)@l
        lis     %r5, (registers - _start)@ha
        addi    %r5, %r5, (registers - _start)@l
        hypercall H_ENTER_NESTED
        std     %r3, 8(%r8)
        addi    %r9, %r9, 1
        std     %r9, 0(%r8)
        b       again

nested:
        addi    %r5, %r5, 1
        std     %r5, 16(%r4)
        b       nested

        /* its first GiB is ours */
        .balign 0x10000
root:
        .8byte  ENTRY_VALID | (directory - _start) | 9
        .balign 0x10000
directory:
        .8byte  ENTRY_VALID | ENTRY_LEAF | ENTRY_REFERENCE | ENTRY_CHANGE | \
                ENTRY_ACCESS

        .balign 0x1000
partition_table:
        .org    partition_table + 16 * LPID
        .8byte  HR | RTS | (root - _start) | 13, 0

        /* H_ENTER_NESTED: of the hypervisor's registers */
        .balign 0x1000
state:
        le64    1                       /* version */
        le64    LPID
        .org    state + 12 * 8
        le64    PASSED                  /* hdec_expiry */
        .org    state + 0x1000

        /* and of all others */
registers:
        .org    registers + 4 * 8
        le64    REPORT                  /* r4 */
        .org    registers + 32 * 8
        le64    (nested - _start)       /* NIP */
        le64    MSR
        .org    registers + 0x1000
