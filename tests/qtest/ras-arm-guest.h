/*
 * Guest RAS: firmware and guest for the qtests of the Arm machine "virt"
 *
 * The error status block is in RAM, as with ras=on alone: the test places it
 * and hands QEMU its address through fw_cfg, as UEFI does, then reads the
 * records and acknowledges them, as Linux does.  The virtual clock stands still
 * unless the test moves it.  The offsets and values are those of ACPI 6.5
 * (18.3.2.7, 18.3.2.8) and UEFI 2.10 (N.2.5), written as numbers on purpose: a
 * wrong constant in QEMU must not be wrong here too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_ARM_GUEST_H
#define TESTS_QTEST_RAS_ARM_GUEST_H

#include "ras-arm-fw-cfg.h"
#include "ras-qtest.h"

#define STOCK "RAS_STOCK_QEMU_AARCH64"

/* memory map of virt */
#define FLASH       0x04000000ULL       /* the half that is not secure */
#define FLASH_END   0x08000000ULL
#define UART        0x09000000ULL
#define RAM         0x40000000ULL
#define RAM_END     0x50000000ULL

/* etc/hardware_errors: address of the block, read-ack register, the block */
#define HEADER          (RAM + 64 * MiB)
#define OTHER_HEADER    (RAM + 80 * MiB)
#define READ_ACK        8
#define BLOCK           16
#define BLOCK_SIZE      1024
#define BLOB_SIZE       1040

/* a record: header of the block, then the entries */
#define ENTRIES         20
#define ENTRY_SIZE      152
#define FRU_TEXT        44
#define FRU_TEXT_SIZE   20
#define SECTION         72

#define PAGE(n) (RAM + 32 * MiB + (n) * RAS_PAGE)

/* --- the firmware -------------------------------------------------------- */

/* Tell QEMU where the header is. */
void set_address(RasVm *vm, uint64_t address);

/* Put etc/hardware_errors at an address, as the linker/loader says. */
void place_blob(RasVm *vm, uint64_t header);
void run_firmware(RasVm *vm);
RasVm *start_ready(const char *options);

/* --- the guest ----------------------------------------------------------- */

uint64_t read_ack(RasVm *vm);
void read_block(RasVm *vm, uint8_t *block);
uint32_t block_status(RasVm *vm);
void step_ms(RasVm *vm, unsigned int ms);

/* As Linux does: clear block_status, then write the acknowledgement. */
void acknowledge(RasVm *vm);

/* An error that has come as far as it can without the guest */
uint64_t consume_notified(RasVm *vm, uint64_t address, int vcpu);
uint64_t consume_taken(RasVm *vm);

/* --- records ------------------------------------------------------------- */

/* The block has a record of these pages, and zeros behind it. */
void check_block(const uint8_t *block, uint64_t address, unsigned int pages,
                 unsigned int severity);

/* --- real accesses ------------------------------------------------------- */

uint64_t mail(RasVm *vm, int offset);

/* A guest that accesses memory; its records are there until they are acked. */
RasVm *start_guest(const char *options);
void access_memory(RasVm *vm, uint64_t address, int kind);

/* As acknowledge(), but here the clock runs by itself. */
void acknowledge_live(RasVm *vm);

#endif
