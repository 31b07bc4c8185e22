/*
 * GHES: transport of error records to the guest, layouts of QEMU's own tables
 *
 * See ghes.h.  Used by hw/arm/virt_ras.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "system/address-spaces.h"
#include "system/memory.h"
#include "hw/acpi/apei/cper.h"
#include "hw/acpi/apei/ghes.h"
#include "hw/ras.h"
#include "hw/ras-compat.h"

#define OFFSET_ADDRESS  0
#define OFFSET_READ_ACK 8

/* HEST: ACPI 6.5 table 18.1, then one entry of table 18.11 for each source */
#define HEST_ERROR_SOURCE_COUNT 36
#define HEST_HEADER_SIZE        40
#define HEST_TYPE_GHES_V2       10

#define ENTRY_TYPE                 0
#define ENTRY_SOURCE_ID            2
#define ENTRY_ERROR_STATUS_ADDRESS 24   /* in the Generic Address Structure */
#define ENTRY_READ_ACK_REGISTER    68   /* the same */
#define ENTRY_SIZE                 92

/* As many as are looked at; the guest writes their number. */
#define HEST_SOURCES_MAX 16

/* HEST: read-ack preserve mask ~1, write mask 1 */
#define READ_ACK_WRITE  1ULL

/* Registers have 64 bits, and each is accessed as a whole. */
static bool is_register(hwaddr addr)
{
    return addr && addr % 8 == 0 && ras_ram_is_good(addr, 8);
}

static bool is_source(GhesSource *source, hwaddr address_register,
                      hwaddr read_ack_register)
{
    if (!is_register(address_register) || !is_register(read_ack_register)) {
        return false;
    }
    source->read_ack_register = read_ack_register;
    source->error_status_block = ldq_le_phys(&address_space_memory,
                                             address_register);
    return source->error_status_block &&
           ras_ram_is_good(source->error_status_block,
                           GHES_ERROR_STATUS_BLOCK_LENGTH);
}

static bool find_in_hest(hwaddr hest, GhesSourceId id, GhesSource *source)
{
    AddressSpace *as = &address_space_memory;
    hwaddr entry = hest + HEST_HEADER_SIZE;
    uint32_t n;

    if (!ras_ram_is_good(hest, HEST_HEADER_SIZE)) {
        return false;
    }
    n = MIN(ldl_le_phys(as, hest + HEST_ERROR_SOURCE_COUNT), HEST_SOURCES_MAX);
    for (; n; n--, entry += ENTRY_SIZE) {
        if (!ras_ram_is_good(entry, ENTRY_SIZE) ||
            lduw_le_phys(as, entry + ENTRY_TYPE) != HEST_TYPE_GHES_V2) {
            return false;
        }
        if (lduw_le_phys(as, entry + ENTRY_SOURCE_ID) == id) {
            return is_source(source,
                ldq_le_phys(as, entry + ENTRY_ERROR_STATUS_ADDRESS),
                ldq_le_phys(as, entry + ENTRY_READ_ACK_REGISTER));
        }
    }
    return false;
}

bool ghes_has_ged(const AcpiGhesState *ags)
{
    return ags && ras_ghes_has_hest(ags);
}

bool ghes_find(const AcpiGhesState *ags, GhesSourceId id, GhesSource *source)
{
    hwaddr base;

    if (!ags) {
        return false;
    }
    if (ras_ghes_has_hest(ags)) {
        base = ras_ghes_hest_address(ags);
        return base && find_in_hest(base, id, source);
    }
    base = le64_to_cpu(ags->hw_error_le);
    return base && id == GHES_SOURCE_SEA &&
           is_source(source, base + OFFSET_ADDRESS, base + OFFSET_READ_ACK);
}

void ghes_forget(AcpiGhesState *ags)
{
    ags->hw_error_le = 0;
    ras_ghes_forget_hest(ags);
}

bool ghes_read_ack(const GhesSource *source)
{
    return ras_ram_is_good(source->read_ack_register, 8) &&
           (ldq_le_phys(&address_space_memory, source->read_ack_register) &
            READ_ACK_WRITE);
}

static void write_bytes(hwaddr addr, const void *buf, size_t len)
{
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                        buf, len);
}

void ghes_write(const GhesSource *source, const void *block, size_t len)
{
    hwaddr addr = source->error_status_block;
    const uint8_t empty[CPER_BLOCK_STATUS_SIZE] = { 0 };
    const uint8_t *bytes = block;

    g_assert(len >= CPER_BLOCK_BODY_OFFSET &&
             len <= GHES_ERROR_STATUS_BLOCK_LENGTH);
    /* a guest can acknowledge without emptying the block */
    write_bytes(addr + CPER_BLOCK_STATUS_OFFSET, empty, CPER_BLOCK_STATUS_SIZE);
    stq_le_phys(&address_space_memory, source->read_ack_register, 0);
    /* block_status was empty before the body changes */
    smp_wmb();
    write_bytes(addr + CPER_BLOCK_BODY_OFFSET, bytes + CPER_BLOCK_BODY_OFFSET,
                len - CPER_BLOCK_BODY_OFFSET);
    /* a guest that sees block_status sees the body, too */
    smp_wmb();
    write_bytes(addr + CPER_BLOCK_STATUS_OFFSET, bytes, CPER_BLOCK_STATUS_SIZE);
    /* the whole block is there before the exception is taken */
    smp_wmb();
}

void ghes_withdraw(const GhesSource *source)
{
    const uint8_t empty[CPER_BLOCK_STATUS_SIZE] = { 0 };

    write_bytes(source->error_status_block + CPER_BLOCK_STATUS_OFFSET, empty,
                sizeof(empty));
    /* the block is empty before it counts as acknowledged */
    smp_wmb();
    stq_le_phys(&address_space_memory, source->read_ack_register,
                READ_ACK_WRITE);
}
