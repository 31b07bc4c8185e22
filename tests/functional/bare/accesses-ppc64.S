/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: registers a machine check handler, and
 * makes one access with translation on, of which REPORT tells: whether it is
 * done, SRR0 of the machine check, and r3, which points to its log; or, if the
 * machine check comes at 0x200, SRR0 and other registers.  One of
 *
 *   CACHE  cache instructions for POISON, and then a load from there
 *   CACHE_NOWHERE  cache instructions for NOWHERE
 *   LOAD, STORE, FETCH  of NOWHERE
 */

#include "pseries.S.inc"

#define REPORT  0xf00           /* in page 0 */
#define STATE   0               /* 1: done; a machine check, 2: handler, 3: 0x200 */
#define SRR0    8
#define R3      16
#define CACHED  24              /* 1: the cache instructions are done */
/* at 0x200 */
#define SRR1    16
#define DSISR   24
#define DAR     32

/* Real addresses: RAM; RAM that is to be poisoned; nothing. */
#define RTAS_BASE 0x00800000
#define POISON    0x10000000
#define NOWHERE   0x100000000000

/*
 * Segment 0 is virtual segment 1; its pages 0, 1 and 2 are page 0, NOWHERE and
 * POISON.  Hashes of segment and page: groups 1, 0 and 3.
 */
#define SLB_VALID   0x08000000
#define SLB_VSID    0x1000
#define PTE_HIGH    0x1001      /* the segment, valid */
#define PTE_MEMORY  0x190       /* R, C, M; the kernel reads and writes */
#define PTE_IO      0x1a0       /* the same with I in place of M */
#define EA_NOWHERE  0x1008
#define EA_POISON   0x2008

#define MSR_IR_DR_RI 0x32

/* DSISR, left over from a memory error */
#define STALE 0x8000

        .macro  enter group
        li      %r4, 0
        li      %r5, 8 * \group
        li      %r6, PTE_HIGH
        hypercall H_ENTER
        .endm

        .globl  _start
_start:

register:
        .long   RTAS_NMI_REGISTER, 2, 1, reset - _start, handler - _start, -1

        .org    0x100
reset:
        lis     %r5, 0x7fff
        mtdec   %r5
        li      %r4, device_tree - _start
        hypercall H_UPDATE_DT
        li      %r7, PTE_MEMORY
        enter   1
        li      %r7, NOWHERE >> 32
        sldi    %r7, %r7, 32
        ori     %r7, %r7, PTE_IO
        enter   0
        lis     %r7, POISON >> 16
        ori     %r7, %r7, PTE_MEMORY
        enter   3
        lis     %r4, SLB_VALID >> 16
        li      %r5, SLB_VSID
        slbmte  %r5, %r4
        rtas    register
        lis     %r5, STALE >> 16
        ori     %r5, %r5, STALE
        mtdsisr %r5
        li      %r5, 1
        li      %r10, REPORT
        li      %r8, EA_NOWHERE
        li      %r9, EA_POISON
        mfmsr   %r4
        ori     %r4, %r4, MSR_IR_DR_RI
        mtsrr1  %r4
        li      %r4, there - _start
        mtsrr0  %r4
        rfid
there:
#if defined(CACHE)
        dcbst   0, %r9
        dcbf    0, %r9
        icbi    0, %r9
        std     %r5, CACHED(%r10)
        ld      %r4, 0(%r9)
#elif defined(CACHE_NOWHERE)
        dcbst   0, %r8
        dcbf    0, %r8
        icbi    0, %r8
#elif defined(LOAD)
        ld      %r4, 0(%r8)
#elif defined(STORE)
        std     %r4, 0(%r8)
#elif defined(FETCH)
        mtctr   %r8
        bctr
#endif
        std     %r5, STATE(%r10)
        b       .

        .org    0x200
        li      %r10, REPORT
        mfsrr0  %r4
        std     %r4, SRR0(%r10)
        mfsrr1  %r4
        std     %r4, SRR1(%r10)
        mfdsisr %r4
        std     %r4, DSISR(%r10)
        mfdar   %r4
        std     %r4, DAR(%r10)
        li      %r5, 3
        std     %r5, STATE(%r10)
        b       .

handler:
        li      %r10, REPORT
        mfsrr0  %r4
        std     %r4, SRR0(%r10)
        std     %r3, R3(%r10)
        li      %r5, 2
        std     %r5, STATE(%r10)
        b       .

        rtas_device_tree RTAS_BASE
