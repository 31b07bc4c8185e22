/*
 * Guest RAS: poisoned memory, as seen by those who access memory
 *
 * Poison belongs to the memory and changes nothing in the memory map.  What
 * asks for RAM of the guest asks here whether it is poisoned.  Then it gets
 * ras_poison_region in the place of the RAM, whose accesses fail, or, from
 * address_space_map(), a buffer that is not the memory.
 *
 * Everything here is called on any thread and takes no lock, but for what says
 * otherwise.  While nothing is poisoned it costs one branch.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_RAS_POISON_H
#define SYSTEM_RAS_POISON_H

#include "system/memory.h"
#include "exec/mmu-access-type.h"
#include "exec/vaddr.h"
#include "qemu/atomic.h"

/* poisoned ranges, and threads that probe; only for the inline functions */
extern unsigned int ras_poison_ranges;

/* NULL before anything was poisoned; only for the inline functions */
extern uint8_t *ras_poison_buffers;

/*
 * times that QEMU has met failed memory, since it was replaced; only for the
 * inline functions
 */
extern unsigned int ras_copy_failures;

/* Every access to it fails.  Addresses in it are those of ram_addr_t. */
extern MemoryRegion ras_poison_region;

bool ras_poison_overlaps_slow(MemoryRegion *mr, hwaddr offset, hwaddr len);
MemoryRegion *ras_poison_translate_slow(MemoryRegion *mr, hwaddr *offset,
                                        hwaddr *len);
bool ras_poison_is_buffer_slow(const void *p);
bool ras_poison_is_mapped_slow(const struct iovec *iov, unsigned int n);

/* ras_poison_overlaps: is anything in that part of @mr poisoned RAM? */
static inline bool ras_poison_overlaps(MemoryRegion *mr, hwaddr offset,
                                       hwaddr len)
{
    return unlikely(qatomic_read(&ras_poison_ranges)) &&
           ras_poison_overlaps_slow(mr, offset, len);
}

/*
 * ras_poison_translate: what is to be accessed in the place of @mr?
 * @offset: into @mr, then into what is returned
 * @len: shortened so that it is all poisoned, or not at all; may be NULL.  Not
 *       what can be one access (up to 8 bytes): that fails as a whole.
 */
static inline MemoryRegion *ras_poison_translate(MemoryRegion *mr,
                                                 hwaddr *offset, hwaddr *len)
{
    return likely(!qatomic_read(&ras_poison_ranges)) ? mr :
           ras_poison_translate_slow(mr, offset, len);
}

/*
 * ras_poison_map: a buffer for DMA in the place of poisoned memory
 * @offset: into ras_poison_region
 * @len: shortened to what the buffer can hold
 *
 * It reads as zero, and what is written to it is lost.  Never fails.  There is
 * a fixed number of buffers; if all are in use, they are shared.
 */
void *ras_poison_map(hwaddr offset, hwaddr *len, bool is_write);

/* ras_poison_unmap: @written bytes of a buffer have been written */
void ras_poison_unmap(const void *buffer, hwaddr written);

/* ras_poison_is_buffer: is @p from ras_poison_map()? */
static inline bool ras_poison_is_buffer(const void *p)
{
    return unlikely(qatomic_read(&ras_poison_buffers)) &&
           ras_poison_is_buffer_slow(p);
}

/* ras_poison_is_mapped: is any of @n parts of a mapped request poisoned? */
static inline bool ras_poison_is_mapped(const struct iovec *iov,
                                        unsigned int n)
{
    return unlikely(qatomic_read(&ras_poison_buffers)) &&
           ras_poison_is_mapped_slow(iov, n);
}

/*
 * ras_poison_failed: has an access with this @result met poison, or failed
 * memory?
 */
static inline bool ras_poison_failed(MemTxResult result)
{
    return unlikely(result & MEMTX_ERROR) &&
           (qatomic_read(&ras_poison_buffers) ||
            qatomic_read(&ras_copy_failures));
}

/*
 * ras_poison_looks: may failed memory be the reason for the result of a
 * request, which is @ret?
 *
 * The host's kernel says EFAULT, or does less than it was asked for, but not
 * which part has failed.  Some of those who pass data on do not look whether
 * they could be read or written: then what follows is not copied, either.
 */
static inline bool ras_poison_looks(int ret)
{
    return unlikely(ret < 0 || qatomic_read(&ras_copy_failures));
}

/*
 * ras_has_failed: has memory failed that any of @n parts of a request is in?
 *
 * What has failed is known to guest RAS then.
 */
bool ras_has_failed(const struct iovec *iov, unsigned int n);

/*
 * ras_poison_result: the result of a request, which was @ret without failed
 * memory in its @n parts; another error stays what it is
 */
static inline int ras_poison_result(const struct iovec *iov, unsigned int n,
                                    int ret)
{
    if (!ras_poison_looks(ret) || !ras_has_failed(iov, n)) {
        return ret;
    }
    return ret < 0 && ret != -EFAULT ? ret : -EIO;
}

/*
 * ras_poison_consumed: an instruction of @cpu is not to access @addr, or has
 * failed to
 *
 * Called by TCG with or without the BQL held.  Returns true if the page is
 * poisoned: then the error is reported, @cpu is parked, and the caller leaves
 * the CPU loop with the state of before the instruction.  Also returns true
 * if it is good memory: then it was poisoned before, and the instruction is
 * tried again.
 */
bool ras_poison_consumed(CPUState *cpu, hwaddr addr, vaddr vaddr,
                         MMUAccessType access_type);

/*
 * ras_poison_overlook: from now on, nothing is poisoned for this thread
 *
 * For maps that have been made before, and have to be what they were.
 */
void ras_poison_overlook(bool overlook);

/*
 * ras_poison_set_probe: how to find out whether memory of the guest can be read
 * @can_read: does so, on any thread, in an RCU critical section
 *
 * For an accelerator under which memory may fail; at its start.
 */
void ras_poison_set_probe(bool (*can_read)(const void *host, size_t len));

/*
 * ras_poison_probe: from now on, until this is called with false, what cannot
 * be read is poison for this thread, too
 *
 * For a look at memory of the guest that may have failed on the host: accesses
 * fail then, instead of ending QEMU, and do not count.  With the BQL held.
 */
void ras_poison_probe(bool begin);

#endif
