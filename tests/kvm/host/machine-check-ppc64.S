/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a guest of the KVM tests: registers a machine check handler,
 * and goes on behind what a machine check was taken at.  What comes from the
 * terminal:
 *
 *   l   load from BAD
 *   h   the same, and hold the log; a second vCPU loads from BAD_TOO then
 *   i   give the log back, by ibm,nmi-interlock
 *
 * Each line that it writes has 8 characters or more:
 *
 *   ready     the handler is registered, the second vCPU (if any) is started
 *   refused   it cannot be registered
 *   good      the load has found what it should
 *   hold      in the handler, with a log that is held
 *   log PROCESSOR ADDRESS TICKS
 *             in the handler: what the log says, if it is made as by guest RAS
 *             (docs/ppc.rst), and the time since the load, all hexadecimal
 *   at 200    machine check at 0x200
 */

#include "../../functional/bare/pseries.S.inc"

/* RAM. */
#define RTAS_BASE 0x00800000
#define BAD       0x10000000
#define BAD_TOO   0x10010000

/* In the save area: r3, then the log, with section MC at 176. */
#define LOG_PROCESSOR (8 + 176 + 12)
#define LOG_ADDRESS   (8 + 176 + 32)

/* 30 ms, in which the hypervisor gets done with what it did before. */
#define PAUSE 15360000

        /* The line, of 8 characters, goes to the terminal. */
        .macro  say line
        ld      %r6, \line - _start(0)
        li      %r5, 8
        bl      put
        .endm

        /* The time before it is in r30. The handler leaves one out. */
        .macro  load_or_skip address
        lis     %r4, \address >> 16
        mftb    %r30
        ld      %r4, 0(%r4)
        .endm

        .globl  _start
_start:

register:
        .long   RTAS_NMI_REGISTER, 2, 1, reset - _start, handler - _start
register_status:
        .long   -1
start_cpu:
        .long   RTAS_START_CPU, 3, 1, 1, second - _start, 0, -1
interlock:
        .long   RTAS_NMI_INTERLOCK, 0, 1, -1
held:
        .long   0

        .balign 8
ready:  .ascii  "ready  \n"
refused: .ascii "refused\n"
good:   .ascii  "good   \n"
hold:   .ascii  "hold   \n"
at_200: .ascii  "at 200 \n"
log:    .ascii  "log     "

        .org    0x100
reset:
        li      %r4, device_tree - _start
        hypercall H_UPDATE_DT
        rtas    register
        lwz     %r3, register_status - _start(0)
        cmpwi   %r3, 0
        bne     not_registered
        rtas    start_cpu
        say     ready
next:
        bl      get
        li      %r20, 0                 /* to be held? */
        cmpwi   %r5, 'l'
        beq     first
        cmpwi   %r5, 'h'
        bne     next
        li      %r20, 1
first:
        mftb    %r30
        addis   %r30, %r30, PAUSE >> 16
pause:
        mftb    %r3
        cmpd    %r3, %r30
        blt     pause
        load_or_skip BAD
        b       was_good
        b       next
was_good:
        say     good
        b       next

not_registered:
        say     refused
        b       .

        .org    0x200
        say     at_200
        b       .

        /* The second vCPU. */
second:
        li      %r20, 0
wait:
        lwz     %r3, held - _start(0)
        cmpwi   %r3, 0
        beq     wait
        load_or_skip BAD_TOO
        b       .
        b       .

        /* r3: the save area; all else is as it was, and r4 is not needed */
handler:
        mftb    %r31
        subf    %r31, %r30, %r31
        lwz     %r29, LOG_PROCESSOR(%r3)
        ld      %r28, LOG_ADDRESS(%r3)
        mfsrr0  %r27
        mfsrr1  %r26
        cmpwi   %r20, 0
        beq     give_back
        say     hold
        stw     %r20, held - _start(0)
holding:
        bl      get
        cmpwi   %r5, 'i'
        bne     holding
give_back:
        ld      %r6, log - _start(0)
        li      %r5, 4
        bl      put
        mr      %r23, %r29
        li      %r25, ' '
        bl      put_number
        mr      %r23, %r28
        bl      put_number
        mr      %r23, %r31
        li      %r25, '\n'
        bl      put_number
        rtas    interlock
        addi    %r27, %r27, 8
        mtsrr0  %r27
        mtsrr1  %r26
        rfid

        /* Wait for a character, to r5. */
get:
        li      %r4, 0
        hypercall H_GET_TERM_CHAR
        cmpdi   %r4, 0
        beq     get
        srdi    %r5, %r5, 56
        blr

        /* Write r23 as 16 digits, and the character in r25. */
put_number:
        mflr    %r24
        bl      digits
        mr      %r22, %r6
        bl      digits
        mr      %r7, %r6
        mr      %r6, %r22
        li      %r5, 16
        bl      put
        sldi    %r6, %r25, 56
        li      %r5, 1
        mtlr    %r24
        /* Write r5 characters, which are in r6 and r7. */
put:
        li      %r4, 0
        hypercall H_PUT_TERM_CHAR
        blr

        /* 8 digits, to r6, of the upper half of r23, which is turned. */
digits:
        li      %r3, 8
digit:
        rotldi  %r23, %r23, 4
        andi.   %r4, %r23, 15
        addi    %r4, %r4, '0'
        cmpwi   %r4, '9'
        ble     is_digit
        addi    %r4, %r4, 'a' - '9' - 1
is_digit:
        sldi    %r6, %r6, 8
        or      %r6, %r6, %r4
        addic.  %r3, %r3, -1
        bne     digit
        blr

        rtas_device_tree RTAS_BASE
