/*
 * Guest RAS: the device "ras-ghes" for the qtests of the Arm machine "virt"
 *
 * Registers and RAM as the guest sees them.  Offsets and values are written as
 * numbers on purpose, by hand from ACPI 6.5 (18.3.1, 18.3.2.8, 18.3.2.9) and
 * from the layout that include/hw/acpi/ras_ghes.h promises: a wrong constant in
 * QEMU must not be wrong here too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_ARM_GHES_H
#define TESTS_QTEST_RAS_ARM_GHES_H

#include "ras-qtest.h"

#define MACHINE ",ras=on,ras-ghes=on"

/* memory map of virt */
#define GICD        0x08000000ULL
#define BASE        0x0b000000ULL
#define BASE_END    0x0b020000ULL
#define RAM         0x40000000ULL

/* shared peripheral interrupt 15, and where the GIC's distributor has it */
#define GSIV         47
#define GICD_ISPENDR (GICD + 0x204)
#define GICD_ICPENDR (GICD + 0x284)
#define GICD_TARGET  (GICD + 0x800 + GSIV)
#define GICD_ICFGR   (GICD + 0xc08)
#define GICD_PENDING (1U << 15)
#define GICD_EDGE    (1U << 31)

/* sources */
#define SEA         0
#define GED         1
#define POLLED      2
#define SOURCES     3

/* the window */
#define STATUS_ADDRESS(source) (BASE + 0x10 * (source))
#define READ_ACK(source)       (BASE + 0x10 * (source) + 8)
#define REGISTERS_END          0x30
#define BLOCK(source)          (BASE + 0x10000 + 0x4000 * (source))
#define BLOCK_LENGTH           0x4000
#define BERT                   (BASE + 0x1c000)
#define BERT_LENGTH            0x2000

#define PAGE(n) (RAM + 32 * MiB + (n) * RAS_PAGE)

/* --- helpers ------------------------------------------------------------- */

RasVm *start(void);
uint64_t read_sized(RasVm *vm, uint64_t addr, unsigned int size);
void write_sized(RasVm *vm, uint64_t addr, unsigned int size, uint64_t value);

/* More guest time than there is between two asynchronous records */
#define PACE_NS 1000000000

/* All blocks are free, or that of one source is not. */
#define NONE -1
void check_registers(RasVm *vm, int out);
uint32_t block_status(RasVm *vm, int source);

/* An error that an instruction has consumed: goes to the source for SEA. */
uint64_t consume_notified(RasVm *vm, uint64_t address);

/* An error that no instruction has consumed */
uint64_t report(RasVm *vm, uint64_t address, bool polled);

/* At addr is a block with one entry: a memory error at this address. */
void check_block_at(RasVm *vm, uint64_t addr, uint64_t address);
void check_block(RasVm *vm, uint64_t address);

/* All of the RAM in the window, set to a byte */
void scribble(RasVm *vm, uint8_t byte);
RasVm *load(const char *file, const char *machine);

/* A record with one section of each sort, and what is not looked at, filled */
GByteArray *mixed_record(void);

#endif
