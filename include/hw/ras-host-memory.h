/*
 * Guest RAS: a range of guest memory that has failed on the host
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_HOST_MEMORY_H
#define HW_RAS_HOST_MEMORY_H

/* Bytes.  [first, first + len) is what failed, in guest physical addresses. */
typedef struct RasHostMemory {
    uint64_t addr;              /* the address that the host named */
    uint64_t first, len;        /* whole host pages, addr in them */
    uint64_t ram_addr;          /* ram_addr_t of first */
    uint64_t ram_page;          /* page size of that RAM block */
    bool moved;                 /* it failed on another host */
    bool told;                  /* the guest knows, or is about to learn it */
} RasHostMemory;

/* RasHostMemory::addr, first: the guest does not see this memory now */
#define RAS_NOT_MAPPED UINT64_MAX

/* ras_host_memory_part: the part of @m in [@start, @end), as ram_addr_t */
static inline bool ras_host_memory_part(const RasHostMemory *m, uint64_t start,
                                        uint64_t end, RasHostMemory *part)
{
    start = MAX(start, m->ram_addr);
    end = MIN(end, m->ram_addr + m->len);
    if (start >= end) {
        return false;
    }
    *part = *m;
    part->ram_addr = start;
    part->first += start - m->ram_addr;
    part->len = end - start;
    if (part->addr - part->first >= part->len) {
        part->addr = part->first;
    }
    return true;
}

/*
 * ras_host_memory_cut: what is left of @m without [@start, @end)
 *
 * Returns the number of pieces in @rest, which are in order.
 */
static inline unsigned int ras_host_memory_cut(const RasHostMemory *m,
                                               uint64_t start, uint64_t end,
                                               RasHostMemory rest[2])
{
    unsigned int n = ras_host_memory_part(m, m->ram_addr, start, &rest[0]);

    return n + ras_host_memory_part(m, end, m->ram_addr + m->len, &rest[n]);
}

#endif
