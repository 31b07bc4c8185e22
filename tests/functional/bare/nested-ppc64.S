/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a "pseries" machine with cap-nested-hv=on, or with
 * cap-nested-papr=on (PAPR): runs a nested guest that counts for ever, and
 * enters it again whenever it is left.
 *
 *   TICKS       the nested guest is to be left so much later than it is entered
 *   HYPERCALLS  the nested guest makes hypercalls, too: its hypervisor is asked
 *               to switch the machine off, and does not
 *   REGISTERS   a machine check handler is registered
 *   UNPLUGS     the second core runs it, which the first one gives back
 *   WAITS       the nested guest waits for an interrupt when it has counted, in
 *               SRR0 and SRR1, too
 *   DELETES     another vCPU tries to delete the nested guest that runs (PAPR)
 *   CHANGES     the nested guest stores to a page after it has loaded from it,
 *               or, with PROBES, after dcbst; the hypervisor sets the R and C of
 *               that page when they are needed, and clears them when the time of
 *               the nested guest is over
 *   ELSEWHERE   the same, but another vCPU clears C, while the nested guest runs
 *
 * At REPORT, 64 bits each, see below.
 */

#include "pseries.S.inc"

#define RTAS_BASE  0x00800000
#define REPORT     0x30000
#define LEFT       0            /* how often it was left, hypercalls apart */
#define INTERRUPT  8            /* by which interrupt, at last */
#define COUNTED    16           /* by the nested guest */
#define SHORTEST   24           /* from entering to leaving by HDEC, in ticks */
#define CALLED     32           /* hypercalls of the nested guest */
#define BOOTED     40
#define INTERRUPTS 48           /* system resets that came to 0x100 */
#define LOOP       56           /* where the nested guest counts */
#define ANSWERS    64           /* to deleting it, and all */
#define SRR0_WAS   80           /* what the nested guest found after a wait */
#define SRR1_WAS   88
#define STORED     96           /* to that page */
#define SET        104          /* how often R or C was needed, and set */
#define MISSED     112          /* and how often it was not set */

/* special purpose registers */
#define SRR0 26
#define SRR1 27

#ifndef TICKS
#define TICKS 0
#endif

/* LoPAR 7.3.5: indicators, and a connector of dynamic reconfiguration */
#define ISOLATION  9001
#define ALLOCATION 9003
#define CORE_1     0x10000001

#define HDEC    0x980
#define SYSCALL 0xc00
#define HDSI    0xe00

/* The nested guest's number, and its MSR: SF, ME. */
#define LPID 1
#define MSR  0x8000000000001000

/* struct kvmppc_hv_guest_state of Linux, in doublewords */
#define HDEC_EXPIRY 11

/* Power ISA 3.0, Book III, 6.7: 52 bits by 13, 9, 9, 9, and 12 in the page. */
#define HR              (1 << 63)
#define RTS             (1 << 62 | 5 << 5)
#define ENTRY_VALID     (1 << 63)
#define ENTRY_LEAF      (1 << 62)
#define ENTRY_REFERENCE (1 << 8)
#define ENTRY_CHANGE    (1 << 7)
#define ENTRY_ACCESS    7
#define ROOT_SIZE       0x10000
#define GIB             0x40000000

/* Linux, Documentation/arch/powerpc/kvm-nested.rst */
#define POWER9         0x4000
#define CAPABILITY     48
#define PAGE_TABLE     0x0005
#define RUN_INPUT      0x0c00
#define RUN_OUTPUT     0x0c01
#define GPR8           0x1008
#define HDEC_EXPIRY_TB 0x1020
#define NIA            0x1021
#define VCPU_MSR       0x1022
#define BUFFER_SIZE    0x1000

        /* the registers of a nested guest are little-endian */
        .macro  le64 value
        .irp    shift, 0, 8, 16, 24, 32, 40, 48, 56
        .byte   (\value) >> \shift & 0xff
        .endr
        .endm

        .macro  address register, label
        lis     \register, (\label - _start)@ha
        addi    \register, \register, (\label - _start)@l
        .endm

        .macro  count offset
        ld      %r7, \offset(%r8)
        addi    %r7, %r7, 1
        std     %r7, \offset(%r8)
        .endm

        /* of the second GiB of the nested guest */
        .macro  set_entry value
        address %r6, directory
        ld      %r7, \value - _start(0)
        std     %r7, 8(%r6)
        .endm

        .globl  _start
_start:
        /* a reset of the machine clears it, as all of this file */
started:
        .long   0
register:
        .long   RTAS_NMI_REGISTER, 2, 1, no_reset - _start, handler - _start, -1
isolate:
        .long   RTAS_SET_INDICATOR, 3, 1, ISOLATION, CORE_1, 0, -1
unusable:
        .long   RTAS_SET_INDICATOR, 3, 1, ALLOCATION, CORE_1, 0, -1
#ifdef UNPLUGS
start_second:
        .long   RTAS_START_CPU, 3, 1, 1, second - _start, 0, -1
#endif
start:
        .long   RTAS_START_CPU, 3, 1, 1, other - _start, 0, -1
power_off:
        .long   RTAS_POWER_OFF, 2, 1, 0, 0, -1
        .balign 8
ticks:
        .8byte  TICKS
unused:
        .8byte  ENTRY_VALID | ENTRY_LEAF | ENTRY_ACCESS
referenced:
        .8byte  ENTRY_VALID | ENTRY_LEAF | ENTRY_ACCESS | ENTRY_REFERENCE
changed:
        .8byte  ENTRY_VALID | ENTRY_LEAF | ENTRY_ACCESS | ENTRY_REFERENCE | \
                ENTRY_CHANGE

        .org    0x100
        lis     %r8, REPORT >> 16
        lwz     %r7, started - _start(0)
        cmpwi   %cr7, %r7, 0
        beq     %cr7, boot
        count   INTERRUPTS
        rfid

boot:
        li      %r7, 1
        stw     %r7, started - _start(0)
        li      %r7, -1
        std     %r7, SHORTEST(%r8)
        count   BOOTED
        address %r7, nested
        std     %r7, LOOP(%r8)
#ifdef PAPR
        li      %r4, 0
        li      %r5, POWER9
        sldi    %r5, %r5, CAPABILITY
        hypercall H_GUEST_SET_CAPABILITIES
        li      %r4, 0
        li      %r5, -1
        hypercall H_GUEST_CREATE
        mr      %r31, %r4
        li      %r4, 0
        mr      %r5, %r31
        li      %r6, 0
        hypercall H_GUEST_CREATE_VCPU
        li      %r4, 1
        sldi    %r4, %r4, 63
        mr      %r5, %r31
        li      %r6, 0
        address %r7, guest_state
        li      %r8, guest_state_end - guest_state
        hypercall H_GUEST_SET_STATE
        li      %r4, 0
        mr      %r5, %r31
        li      %r6, 0
        address %r7, vcpu_state
        li      %r8, vcpu_state_end - vcpu_state
        hypercall H_GUEST_SET_STATE
        lis     %r8, REPORT >> 16
#else
        address %r4, partition_table
        hypercall H_SET_PARTITION_TABLE
#endif

#ifdef REGISTERS
        address %r4, device_tree
        hypercall H_UPDATE_DT
        rtas    register
#endif
#if defined(DELETES) || defined(ELSEWHERE)
        /* of this boot: the other vCPU waits for the nested guest */
        lis     %r8, REPORT >> 16
        li      %r5, 0
        std     %r5, COUNTED(%r8)
        rtas    start
#endif
#ifdef UNPLUGS
        rtas    isolate
        rtas    unusable
        rtas    start_second
        b       .
second:
        lis     %r8, REPORT >> 16
        li      %r31, 1
#endif

again:
#ifdef WAITS
        /* nothing else is to wake its hypervisor */
        li      %r5, 1
        sldi    %r5, %r5, 50
        mtdec   %r5
#endif
#ifdef CHANGES
        ld      %r29, COUNTED(%r8)
        ld      %r30, STORED(%r8)
#endif
        mftb    %r9
#ifdef PAPR
        li      %r4, 0
        mr      %r5, %r31
        li      %r6, 0
        hypercall H_GUEST_RUN_VCPU
        cmpdi   %r3, 0
        bne     left
        mr      %r3, %r4
left:
#else
        ld      %r10, ticks - _start(0)
        add     %r10, %r10, %r9
        address %r4, state
        li      %r5, 8 * HDEC_EXPIRY
        stdbrx  %r10, %r4, %r5
        address %r5, registers
        hypercall H_ENTER_NESTED
#endif
        mftb    %r10
        std     %r3, INTERRUPT(%r8)
        cmpdi   %r3, SYSCALL
        beq     called
        count   LEFT
#ifdef CHANGES
        address %r6, directory
        ld      %r6, 8(%r6)
        cmpdi   %r3, HDSI
        beq     needed
#ifndef ELSEWHERE
        /* once is possible: it was left after the access */
        andi.   %r7, %r6, ENTRY_REFERENCE
        bne     1f
        ld      %r7, COUNTED(%r8)
        subf    %r7, %r29, %r7
        cmpldi  %r7, 1
        bgt     2f
1:      andi.   %r7, %r6, ENTRY_CHANGE
        bne     3f
        ld      %r7, STORED(%r8)
        cmpld   %r7, %r30
        beq     3f
2:      count   MISSED
3:      cmpdi   %r3, HDEC
        bne     again
        set_entry unused
        b       again
#endif
#endif
        cmpdi   %r3, HDEC
        bne     again
        subf    %r10, %r9, %r10
        ld      %r7, SHORTEST(%r8)
        cmpld   %r10, %r7
        bge     again
        std     %r10, SHORTEST(%r8)
        b       again
called:
        count   CALLED
        b       again
#ifdef CHANGES
needed:
        count   SET
        andi.   %r7, %r6, ENTRY_REFERENCE
        bne     1f
        set_entry referenced
        b       again
1:      set_entry changed
        b       again
#endif

other:
        lis     %r8, REPORT >> 16
        ld      %r5, COUNTED(%r8)
        cmpdi   %r5, 0
        beq     other
#ifdef ELSEWHERE
clear:
        set_entry referenced
        sync
        li      %r4, 0
        li      %r5, LPID
        hypercall H_TLB_INVALIDATE
        ld      %r5, STORED(%r8)
        /* nothing is stored before C is set */
watch:
        sync
        ld      %r9, STORED(%r8)
        sync
        ld      %r7, 8(%r6)
        andi.   %r7, %r7, ENTRY_CHANGE
        bne     clear
        cmpld   %r9, %r5
        beq     watch
        count   MISSED
        b       clear
#endif
        li      %r4, 0
        li      %r5, 1
        hypercall H_GUEST_DELETE
        std     %r3, ANSWERS(%r8)
        li      %r4, 1
        sldi    %r4, %r4, 63
        hypercall H_GUEST_DELETE
        std     %r3, ANSWERS + 8(%r8)
        b       other

        /* the nested guest's machine checks, and resets, do not come there */
no_reset:
handler:
        count   INTERRUPTS
        b       .

nested:
#ifdef CHANGES
        lis     %r6, GIB >> 16
        add     %r6, %r6, %r8
#ifdef PROBES
        dcbst   0, %r6
#else
        ld      %r7, STORED(%r6)
#endif
#endif
        addi    %r5, %r5, 1
        std     %r5, COUNTED(%r8)
#ifdef CHANGES
        std     %r5, STORED(%r6)
#endif
#ifdef WAITS
        mfspr   %r6, SRR0
        std     %r6, SRR0_WAS(%r8)
        mfspr   %r6, SRR1
        std     %r6, SRR1_WAS(%r8)
        sldi    %r6, %r5, 2
        mtspr   SRR0, %r6
        mtspr   SRR1, %r5
        wait
#endif
#ifdef HYPERCALLS
        andi.   %r6, %r5, 0xffff
        bne     nested
        rtas    power_off
#endif
        b       nested

        rtas_device_tree RTAS_BASE

        /* its first GiB is ours, and so is its second one, if it has it */
        .balign ROOT_SIZE
root:
        .8byte  ENTRY_VALID | (directory - _start) | 9
        .balign ROOT_SIZE
directory:
        .8byte  ENTRY_VALID | ENTRY_LEAF | ENTRY_REFERENCE | ENTRY_CHANGE | \
                ENTRY_ACCESS
#ifdef CHANGES
        .8byte  ENTRY_VALID | ENTRY_LEAF | ENTRY_ACCESS
#endif

        .balign 0x1000
partition_table:
        .org    partition_table + 16 * LPID
        .8byte  HR | RTS | (root - _start) | 13, 0

        /* H_ENTER_NESTED: of the hypervisor's registers */
        .balign 0x1000
state:
        le64    1                       /* version */
        le64    LPID
        .org    state + 0x1000

        /* and of all others */
registers:
        .org    registers + 8 * 8
        le64    REPORT                  /* r8 */
        .org    registers + 32 * 8
        le64    (nested - _start)       /* NIP */
        le64    MSR
        .org    registers + 0x1000

        /* H_GUEST_SET_STATE */
guest_state:
        .long   1
        .short  PAGE_TABLE, 24
        .8byte  root - _start, 52, ROOT_SIZE
guest_state_end:
vcpu_state:
        .long   6
        .short  RUN_INPUT, 16
        .8byte  input - _start, BUFFER_SIZE
        .short  RUN_OUTPUT, 16
        .8byte  output - _start, BUFFER_SIZE
        .short  GPR8, 8
        .8byte  REPORT
        .short  HDEC_EXPIRY_TB, 8
        .8byte  TICKS
        .short  NIA, 8
        .8byte  nested - _start
        .short  VCPU_MSR, 8
        .8byte  MSR
vcpu_state_end:

        .balign 0x1000
input:
        .org    input + BUFFER_SIZE
output:
        .org    output + BUFFER_SIZE
