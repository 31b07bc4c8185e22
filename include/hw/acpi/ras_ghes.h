/*
 * GHES at constant addresses: the error sources of ras-ghes=on
 *
 * A platform device with all that ACPI 6.5, chapter 18, needs to notify a
 * guest of hardware errors: three Generic Hardware Error Sources version 2
 * (18.3.2.8) and a boot error region (18.3.1).  It also builds the ACPI tables
 * that describe it.  Nothing of it has to be placed by firmware, so a record
 * can be written as soon as the machine exists.
 *
 * The window, RAS_GHES_WINDOW_SIZE bytes, is sysbus MMIO region 0; the board
 * maps it at the address in property "base".  Registers are little endian.
 * Registers and RAM have 64 KiB each, so that the RAM is whole pages of any
 * host: KVM maps no others, and without it each access would be an exit.
 *
 *    0x0000 + 0x10 * s   error status address of source s, 64 bits, read only:
 *                        guest physical address of its status block
 *    0x0008 + 0x10 * s   read-ack of source s, 64 bits: bit 0 is 1 if the block
 *                        is free or acknowledged.  Writing 1 to it while a
 *                        record is outstanding acknowledges that; anything
 *                        else that is written has no effect.
 *    0x10000 + 0x4000 * s  status block of source s, RAM
 *    0x1c000             boot error region, RAM, RAS_GHES_BERT_LENGTH bytes
 *    0x1e000             RAM that is not used
 *
 * Registers take aligned accesses of 4 and 8 bytes.  Any other access to the
 * first 64 KiB reads as zero, or is ignored, and is logged as a guest error: it
 * does not fail, for on Arm that would be one more hardware error.
 *
 * RAM is the guest's to write, too, so nothing is decided by what is in it.
 *
 * Sysbus IRQ 0 is a pulse: the status block of RAS_GHES_GED has a record.
 *
 * Everything here is called with the BQL held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ACPI_RAS_GHES_H
#define HW_ACPI_RAS_GHES_H

#include "hw/acpi/aml-build.h"
#include "hw/acpi/bios-linker-loader.h"
#include "qom/object.h"

#define TYPE_RAS_GHES "ras-ghes"
OBJECT_DECLARE_SIMPLE_TYPE(RasGhesState, RAS_GHES)

/* Bytes: the window, a status block, the boot error region */
#define RAS_GHES_WINDOW_SIZE  0x20000
#define RAS_GHES_WINDOW_ALIGN 0x10000
#define RAS_GHES_NO_BASE      UINT64_MAX    /* the board chooses */
#define RAS_GHES_BLOCK_LENGTH 16384
#define RAS_GHES_BERT_LENGTH  8192

/*
 * How many status blocks the boot error region takes, and the length at which
 * one is refused: Linux shows no more of them, and none that is so long.
 */
#define RAS_GHES_BERT_BLOCKS       5
#define RAS_GHES_BERT_BLOCK_LENGTH 1024

/* Sources, and their numbers in HEST; ACPI 6.5 18.3.2.9 */
typedef enum RasGhesSource {
    RAS_GHES_SEA,           /* synchronous external abort */
    RAS_GHES_GED,           /* interrupt of a Generic Event Device */
    RAS_GHES_POLLED,        /* the guest looks once a second */
    RAS_GHES_SOURCES
} RasGhesSource;

/*
 * RasGhesAckFn: the guest has acknowledged the record of @source
 *
 * Called on the thread of the vCPU that wrote the register, BQL held, with
 * the block free already: the next record may be written at once.
 */
typedef void RasGhesAckFn(void *opaque, RasGhesSource source);

/* ras_ghes_set_ack: what to call on acknowledgements; @fn may be NULL */
void ras_ghes_set_ack(RasGhesState *s, RasGhesAckFn *fn, void *opaque);

/*
 * ras_ghes_write: publish a status block
 *
 * @block: a whole block as in hw/acpi/apei/cper.h, block_status included
 * @len: bytes, at least 4, RAS_GHES_BLOCK_LENGTH at most
 *
 * Empties the block, clears read-ack, writes the body, and block_status last:
 * a guest that looks at the wrong moment sees no block or a whole one.
 * A record that is outstanding is replaced.
 */
void ras_ghes_write(RasGhesState *s, RasGhesSource source,
                    const void *block, size_t len);

/*
 * ras_ghes_withdraw: make the block empty, and free
 *
 * The callback of ras_ghes_set_ack() is not called.
 */
void ras_ghes_withdraw(RasGhesState *s, RasGhesSource source);

/*
 * ras_ghes_notify: notify the guest that ras_ghes_write() was called
 *
 * For RAS_GHES_GED the interrupt.  For the others nothing: the caller raises
 * the abort of RAS_GHES_SEA, and the guest polls RAS_GHES_POLLED by itself.
 */
void ras_ghes_notify(RasGhesState *s, RasGhesSource source);

/*
 * ras_ghes_bert_add: append a status block to the boot error region
 *
 * @block: a whole block as in hw/acpi/apei/cper.h
 * @len: its bytes, as cper_block_length() counts them
 *
 * A guest reads the region once, early in its boot.  A reset of the device
 * leaves it alone: what happened before the reset is to be read after it.
 *
 * Returns false, and changes nothing, if the region has RAS_GHES_BERT_BLOCKS
 * blocks, if @len is RAS_GHES_BERT_BLOCK_LENGTH or more, or if @len is not the
 * length of the block: the guest would not find the next one.
 */
bool ras_ghes_bert_add(RasGhesState *s, const void *block, size_t len);

/* ras_ghes_bert_clear: make the boot error region empty */
void ras_ghes_bert_clear(RasGhesState *s);

/*
 * ras_ghes_build_dsdt: describe the device in the DSDT
 *
 * @scope: AML scope \_SB
 * @gsi: GSIV that sysbus IRQ 0 is connected to
 *
 * Adds HED (PNP0C33, ACPI 6.5 18.3.2.7.2), GED2 (ACPI0013, 5.6.9) which
 * notifies it, GHES (PNP0C02) which reserves the window, and _OSC (6.2.11),
 * which grants firmware-first error handling.  So \_SB has to have no _OSC of
 * its own yet.
 */
void ras_ghes_build_dsdt(RasGhesState *s, Aml *scope, int gsi);

/*
 * ras_ghes_build_hest, ras_ghes_build_bert: append the table (ACPI 6.5 18.3.2,
 * 18.3.1) to @table_data, the blob of all tables
 *
 * @oem_id, @oem_table_id: of the machine, as in its other tables
 *
 * The caller notes the offset of the table for the XSDT before the call.
 */
void ras_ghes_build_hest(RasGhesState *s, GArray *table_data,
                         BIOSLinker *linker, const char *oem_id,
                         const char *oem_table_id);
void ras_ghes_build_bert(RasGhesState *s, GArray *table_data,
                         BIOSLinker *linker, const char *oem_id,
                         const char *oem_table_id);

#endif /* HW_ACPI_RAS_GHES_H */
