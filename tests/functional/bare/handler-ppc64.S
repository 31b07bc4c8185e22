/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine: registers a machine check handler, and
 * waits for a machine check with translation on.  The handler
 *
 *   SLEEPS  gives the log back, and then does not return, but sleeps
 *   STAYS   keeps the log for a while, gives it back, stays for a while, and
 *           returns; COUNTERS has how often it was entered, and how often while
 *           it was there
 */

#define H_ENTER     0x08
#define H_CEDE      0xe0
#define H_RTAS      0xf000
#define H_UPDATE_DT 0xf003

#define RTAS_NMI_REGISTER  0x202b
#define RTAS_NMI_INTERLOCK 0x202c

/* RAM. */
#define RTAS_BASE 0x00800000
#define COUNTERS  0x4000

/* 2 s, and 800 ms, which is less than an error waits for. */
#define KEEP 1024000000
#define STAY 409600000

/* Segment 0 is virtual segment 1, page 0 is real page 0. */
#define SLB_VALID   0x08000000
#define SLB_VSID    0x1000
#define PTE_GROUP   (8 * 1)
#define PTE_HIGH    0x1001          /* the segment, valid */
#define PTE_LOW     0x190           /* R, C, M; the kernel reads and writes */

#define MSR_IR_DR_RI 0x32

#define FDT_MAGIC      0xd00dfeed
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE   2
#define FDT_PROP       3
#define FDT_END        9

        .macro  hypercall number
        li      %r3, 0
        ori     %r3, %r3, \number
        sc      1
        .endm

        .macro  rtas call
        li      %r4, \call - _start
        hypercall H_RTAS
        .endm

        /* As late as can be. */
        .macro  put_off_decrementer
        lis     %r5, 0x7fff
        mtdec   %r5
        .endm

        .macro  count offset
        lwz     %r5, COUNTERS + \offset(0)
        addi    %r5, %r5, 1
        stw     %r5, COUNTERS + \offset(0)
        .endm

        .macro  spend ticks
        mftb    %r5
        addis   %r5, %r5, \ticks >> 16
1:
        mftb    %r6
        cmpd    %r6, %r5
        blt     1b
        .endm

        .globl  _start
_start:

register:
        .long   RTAS_NMI_REGISTER, 2, 1, reset - _start, handler - _start, -1
interlock:
        .long   RTAS_NMI_INTERLOCK, 0, 1, -1

        .org    0x100
reset:
        li      %r4, device_tree - _start
        hypercall H_UPDATE_DT
        li      %r4, 0
        li      %r5, PTE_GROUP
        li      %r6, PTE_HIGH
        li      %r7, PTE_LOW
        hypercall H_ENTER
        lis     %r4, SLB_VALID >> 16
        li      %r5, SLB_VSID
        slbmte  %r5, %r4
        put_off_decrementer
        rtas    register
        mfmsr   %r4
        ori     %r4, %r4, MSR_IR_DR_RI
        mtsrr1  %r4
        li      %r4, awake - _start
        mtsrr0  %r4
        rfid
awake:
        b       awake

handler:
#ifdef STAYS
        mfsrr0  %r27
        mfsrr1  %r26
        count   0
        cmpwi   %r20, 0
        beq     alone
        count   4
alone:
        li      %r20, 1
        spend   KEEP
        rtas    interlock
        spend   STAY
        li      %r20, 0
        mtsrr0  %r27
        mtsrr1  %r26
        rfid
#else
        rtas    interlock
sleep:
        hypercall H_CEDE
        b       sleep
#endif

        .org    0x900
        put_off_decrementer
        rfid

        /* Node /rtas with property linux,rtas-base: there is the save area. */
        .balign 8
device_tree:
        .long   FDT_MAGIC, end - device_tree, nodes - device_tree
        .long   names - device_tree, reserved - device_tree, 17, 16, 0
        .long   end - names, names - nodes
reserved:
        .quad   0, 0
nodes:
        .long   FDT_BEGIN_NODE, 0, FDT_BEGIN_NODE
        .asciz  "rtas"
        .balign 4
        .long   FDT_PROP, 4, 0, RTAS_BASE
        .long   FDT_END_NODE, FDT_END_NODE, FDT_END
names:
        .asciz  "linux,rtas-base"
end:
