/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of the KVM tests without an operating system: is reset ROUNDS times
 * (to be defined) by vCPU 1 while vCPU 0 does nothing but load from a device.
 * Each time it begins, it writes a character to the serial port:
 *
 *   .   the registers are those of after a reset
 *   P   the first instruction was skipped
 *   R   a general purpose register is not 0
 *   D   this was the last round; the VM ends
 */

#define UART    0x09000000
#define UART_FR 0x18
/* Of this nothing is loaded again at a reset. */
#define COUNT   0x40800000

#define PSCI_CPU_ON       0xc4000003
#define PSCI_SYSTEM_OFF   0x84000008
#define PSCI_SYSTEM_RESET 0x84000009

        .macro psci function
        ldr     x0, =\function
        hvc     #0
        .endm

        .globl _start
_start:
        b       check_registers
        mov     w1, #'P'
        b       say_and_end

check_registers:
        .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        orr     x0, x0, x\n
        .endr
        .irp    n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
        orr     x0, x0, x\n
        .endr
        mov     w1, #'R'
        cbnz    x0, say_and_end

        ldr     x2, =COUNT
        ldr     w3, [x2]
        cmp     w3, #ROUNDS
        mov     w1, #'D'
        b.hs    say_and_end
        add     w3, w3, #1
        str     w3, [x2]
        ldr     x2, =UART
        mov     w1, #'.'
        str     w1, [x2]

        mov     x1, #1
        ldr     x2, =second
        mov     x3, #0
        psci    PSCI_CPU_ON
        ldr     x30, =UART
load:
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        ldr     w\n, [x30, #UART_FR]
        .endr
        b       load

second:
        ldr     x2, =COUNT
        ldr     w3, [x2]
        and     w3, w3, #7
        add     w3, w3, #1
        lsl     w3, w3, #14
wait:
        subs    w3, w3, #1
        b.ne    wait
        psci    PSCI_SYSTEM_RESET
        b       .

say_and_end:
        ldr     x2, =UART
        str     w1, [x2]
        psci    PSCI_SYSTEM_OFF
        b       .
