/*
 * GHES: transport of error records to the guest, layout of QEMU 10.0
 *
 * See ghes.h.  Used by hw/arm/virt_ras.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "exec/address-spaces.h"
#include "exec/cpu-common.h"
#include "exec/memory.h"
#include "hw/acpi/apei/cper.h"
#include "hw/acpi/apei/ghes.h"
#include "hw/ras.h"

#define OFFSET_ADDRESS  0
#define OFFSET_READ_ACK 8
#define HEADER_SIZE     16

/* HEST: read-ack preserve mask ~1, write mask 1 */
#define READ_ACK_WRITE  1ULL

bool ghes_find(const AcpiGhesState *ags, GhesSource *source)
{
    hwaddr base = ags ? le64_to_cpu(ags->hw_error_le) : 0;

    /* both are registers of 64 bits: each is accessed as a whole */
    if (!base || base % 8 || !ras_ram_is_good(base, HEADER_SIZE)) {
        return false;
    }
    source->error_status_block = ldq_le_phys(&address_space_memory,
                                             base + OFFSET_ADDRESS);
    source->read_ack_register = base + OFFSET_READ_ACK;
    return source->error_status_block &&
           ras_ram_is_good(source->error_status_block,
                           GHES_ERROR_STATUS_BLOCK_LENGTH);
}

bool ghes_read_ack(const GhesSource *source)
{
    return ras_ram_is_good(source->read_ack_register, 8) &&
           (ldq_le_phys(&address_space_memory, source->read_ack_register) &
            READ_ACK_WRITE);
}

void ghes_write(const GhesSource *source, const void *block, size_t len)
{
    hwaddr addr = source->error_status_block;
    const uint8_t empty[CPER_BLOCK_STATUS_SIZE] = { 0 };
    const uint8_t *bytes = block;

    g_assert(len >= CPER_BLOCK_BODY_OFFSET &&
             len <= GHES_ERROR_STATUS_BLOCK_LENGTH);
    /* a guest can acknowledge without emptying the block */
    cpu_physical_memory_write(addr + CPER_BLOCK_STATUS_OFFSET, empty,
                              CPER_BLOCK_STATUS_SIZE);
    stq_le_phys(&address_space_memory, source->read_ack_register, 0);
    /* block_status was empty before the body changes */
    smp_wmb();
    cpu_physical_memory_write(addr + CPER_BLOCK_BODY_OFFSET,
                              bytes + CPER_BLOCK_BODY_OFFSET,
                              len - CPER_BLOCK_BODY_OFFSET);
    /* a guest that sees block_status sees the body, too */
    smp_wmb();
    cpu_physical_memory_write(addr + CPER_BLOCK_STATUS_OFFSET, bytes,
                              CPER_BLOCK_STATUS_SIZE);
    /* the whole block is there before the exception is taken */
    smp_wmb();
}

void ghes_withdraw(const GhesSource *source)
{
    const uint8_t empty[CPER_BLOCK_STATUS_SIZE] = { 0 };

    cpu_physical_memory_write(source->error_status_block +
                              CPER_BLOCK_STATUS_OFFSET, empty, sizeof(empty));
    /* the block is empty before it counts as acknowledged */
    smp_wmb();
    stq_le_phys(&address_space_memory, source->read_ack_register,
                READ_ACK_WRITE);
}
