/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of an EFI application: one section, in memory as in the file (UEFI
 * 2.10 2.1.1, Microsoft's PE format).  What follows is padded to SIZE.
 */

#define ALIGNMENT 4096
#define SIZE      0x10000

        .section .text.unlikely, "ax"   /* linkers put it first */
        .globl  _start
_start:
        .ascii  "MZ"
        .org    0x3c
        .long   pe - _start

        .balign 8
pe:     .ascii  "PE\0\0"
        .short  0xaa64                  /* AArch64 */
        .short  1                       /* sections */
        .long   0, 0, 0
        .short  sections - optional
        .short  0x206                   /* executable, no line numbers, debug */
optional:
        .short  0x20b                   /* PE32+ */
        .short  0
        .long   SIZE - ALIGNMENT              /* sizes of code and data */
        .long   0, 0
        .long   efi_main - _start
        .long   ALIGNMENT
        .quad   0                       /* image base */
        .long   ALIGNMENT, ALIGNMENT    /* in memory, in the file */
        .short  0, 0, 0, 0, 0, 0        /* versions */
        .long   0
        .long   SIZE
        .long   ALIGNMENT           /* size of headers */
        .long   0
        .short  10, 0                   /* EFI application */
        .quad   0, 0, 0, 0              /* stack and heap */
        .long   0, 0                    /* no directories */
sections:
        .ascii  ".text\0\0\0"
        .long   SIZE - ALIGNMENT, ALIGNMENT
        .long   SIZE - ALIGNMENT, ALIGNMENT
        .long   0, 0
        .short  0, 0
        .long   0x60000020              /* code, executable, readable */

        .balign ALIGNMENT
