/*
 * GHES: transport of error records to the guest, layouts of QEMU's own tables
 *
 * ACPI 6.5, 18.3.2.8 (Generic Hardware Error Source version 2).  The guest's
 * firmware has placed the blob "etc/hardware_errors" in guest RAM.
 *
 * Up to machine types of QEMU 10.1 there is one source, and the firmware has
 * told QEMU the address of the blob.  In it, all little endian:
 *
 *    0  u64        address of the Generic Error Status Block of source 0
 *    8  u64        read-ack register of source 0
 *   16  u8[1024]   the status block, unless the guest moved the address
 *
 * Since machine types of QEMU 10.2 there are two, and the firmware has told
 * QEMU the address of the table HEST, whose entries have the addresses of the
 * registers of each source.
 *
 * The guest can write all of it at any time, so nothing in it is trusted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ACPI_APEI_GHES_H
#define HW_ACPI_APEI_GHES_H

#include "exec/hwaddr.h"
#include "hw/acpi/ghes.h"

/* bytes; HEST says the same to the guest */
#define GHES_ERROR_STATUS_BLOCK_LENGTH 1024

/* Where one source keeps its block, guest physical addresses. */
typedef struct GhesSource {
    hwaddr error_status_block;
    hwaddr read_ack_register;
} GhesSource;

/* Identifiers of the sources in HEST */
typedef enum GhesSourceId {
    GHES_SOURCE_SEA,            /* notification: an external abort */
    GHES_SOURCE_GED,            /* an interrupt; not in the older layout */
} GhesSourceId;

/* ghes_has_ged: is there a source whose notification is an interrupt? */
bool ghes_has_ged(const AcpiGhesState *ags);

/*
 * ghes_find: find a source in guest memory
 *
 * Returns false if the firmware has not placed it yet, or if it is not in RAM
 * as a whole, or its registers are not aligned.  Called with the BQL held.
 */
bool ghes_find(const AcpiGhesState *ags, GhesSourceId id, GhesSource *source);

/* ghes_forget: forget where the firmware has placed the sources */
void ghes_forget(AcpiGhesState *ags);

/*
 * ghes_read_ack: has the guest acknowledged what is in the block?
 *
 * Only the bit counts that HEST declares for it.  No, if the register is not
 * in good RAM any more.
 */
bool ghes_read_ack(const GhesSource *source);

/*
 * ghes_write: publish a status block
 *
 * @block: a whole block as in hw/acpi/apei/cper.h, block_status included
 * @len: bytes, GHES_ERROR_STATUS_BLOCK_LENGTH at most
 *
 * Empties the block, clears the read-ack register, then writes the body, and
 * block_status last:
 * a guest that looks at the wrong moment sees no block or a whole one.
 */
void ghes_write(const GhesSource *source, const void *block, size_t len);

/* ghes_withdraw: make the block empty and count it as acknowledged */
void ghes_withdraw(const GhesSource *source);

#endif
