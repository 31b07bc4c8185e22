/*
 * Guest RAS: is there memory of the guest at an address, and is it good?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/seqlock.h"
#include "system/address-spaces.h"
#include "system/memory.h"
#include "hw/mem/memory-device.h"
#include "hw/ras.h"
#include "internal.h"
#ifdef CONFIG_LINUX
#include <sys/mman.h>
#endif

unsigned int ras_copy_failures;
bool ras_host_memory_unmapped;

/* Returns 0 if these pages can be read, or a negative errno value */
static int look_at_pages(void *addr, size_t len)
{
#ifdef MADV_POPULATE_READ
    int saved = errno;
    int failed = madvise(addr, len, MADV_POPULATE_READ) ? -errno : 0;

    errno = saved;
    return failed;
#else
    return -ENOSYS;
#endif
}

bool ras_page_is_good(void *addr)
{
    size_t page = qemu_real_host_page_size();

    return look_at_pages(QEMU_ALIGN_PTR_DOWN(addr, page), page) == 0;
}

bool ras_pages_have_failed(void *addr, size_t len)
{
#ifdef EHWPOISON
    int ret = look_at_pages(addr, len);

    return ret == -EHWPOISON ||
           (ret == -EFAULT && qatomic_read(&ras_host_memory_unmapped));
#else
    return false;
#endif
}

/*
 * Failed memory, for those who have no lock: [start, end), in order, none of
 * them overlap.  Of the host's word size, which holds any ram_addr_t of RAM.
 */
static struct {
    QemuSeqLock lock;
    unsigned int n;
    struct {
        uintptr_t start, end;
    } range[RAS_HOST_MEMORY_MAX];
} failed;

static bool slot_overlaps(const RasPoisonSlot *slot, uint64_t addr,
                          uint64_t len)
{
    return slot->used && addr < slot->addr + slot->len &&
           slot->addr < addr + len;
}

/* The first of them, if there are several. */
static RasPoisonSlot *find_poison(RasState *s, uint64_t addr, uint64_t len)
{
    RasPoisonSlot *first = NULL;

    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];

        if (slot_overlaps(slot, addr, len) &&
            (!first || slot->addr < first->addr)) {
            first = slot;
        }
    }
    return first;
}

RasPoisonSlot *ras_poison_find(RasState *s, uint64_t addr)
{
    return find_poison(s, addr, 1);
}

bool ras_host_memory_overlaps(RasDevice *d, uint64_t addr, uint64_t len)
{
    RasState *s = d->state;

    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        RasHostMemory *m = &s->host_memory[i];

        if (addr < m->first + m->len && m->first < addr + len) {
            return true;
        }
    }
    return false;
}

/* Insert @m into the first @n ranges, in order; returns how many they are. */
static unsigned int insert_failed(unsigned int n, const RasHostMemory *m)
{
    uintptr_t start = m->ram_addr, end = start + m->len;
    unsigned int at = n, next;

    while (at && failed.range[at - 1].end >= start) {
        at--;
    }
    /* those from @at to @next become one with it */
    for (next = at; next < n && failed.range[next].start <= end; next++) {
        start = MIN(start, failed.range[next].start);
        end = MAX(end, failed.range[next].end);
    }
    memmove(&failed.range[at + 1], &failed.range[next],
            (n - next) * sizeof(failed.range[0]));
    qatomic_set(&failed.range[at].start, start);
    qatomic_set(&failed.range[at].end, end);
    return n + 1 + at - next;
}

void ras_failed_publish(RasState *s)
{
    unsigned int n = 0;

    seqlock_write_begin(&failed.lock);
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        n = insert_failed(n, &s->host_memory[i]);
    }
    qatomic_set(&failed.n, n);
    seqlock_write_end(&failed.lock);
}

void ras_failed_add(const RasHostMemory *m)
{
    seqlock_write_begin(&failed.lock);
    qatomic_set(&failed.n, insert_failed(failed.n, m));
    seqlock_write_end(&failed.lock);
}

bool ras_host_memory_find(uint64_t start, uint64_t len, uint64_t *from,
                          uint64_t *to)
{
    unsigned int seq;
    bool found;

    do {
        unsigned int low = 0, high;

        seq = seqlock_read_begin(&failed.lock);
        high = MIN(qatomic_read(&failed.n), RAS_HOST_MEMORY_MAX);
        found = false;
        *from = *to = start + len;
        /* the first one that ends behind @start */
        while (low < high) {
            unsigned int middle = (low + high) / 2;

            if (qatomic_read(&failed.range[middle].end) > start) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if (low < MIN(qatomic_read(&failed.n), RAS_HOST_MEMORY_MAX)) {
            uint64_t first = qatomic_read(&failed.range[low].start);

            if (first < start + len) {
                found = true;
                *from = MAX(first, start);
                *to = qatomic_read(&failed.range[low].end);
            }
        }
    } while (seqlock_read_retry(&failed.lock, seq));
    return found;
}

bool ras_check_pages(uint64_t addr, uint64_t len, Error **errp)
{
    if (addr % RAS_PAGE_SIZE) {
        error_setg(errp, "Parameter 'address' 0x%" PRIx64 " is not a multiple "
                   "of the page size %d; the page begins at 0x%" PRIx64,
                   addr, RAS_PAGE_SIZE, addr & -(uint64_t)RAS_PAGE_SIZE);
        return false;
    }
    if (!len || len % RAS_PAGE_SIZE) {
        error_setg(errp, "Parameter 'length' %" PRIu64 " is not a positive "
                   "multiple of the page size %d", len, RAS_PAGE_SIZE);
        return false;
    }
    if (len > UINT64_MAX - addr) {
        error_setg(errp, "Parameter 'length' %" PRIu64 " reaches past the "
                   "end of the address space", len);
        return false;
    }
    return true;
}

/*
 * Is @mr the machine's own, and not that of a device, which the guest would
 * not know how to give up?  Memory of a backend belongs to who maps it.
 */
static bool is_of_machine(MemoryRegion *mr)
{
    for (; mr; mr = mr->container) {
        Object *owner = memory_region_owner(mr);

        if (object_dynamic_cast(owner, TYPE_DEVICE) &&
            !object_dynamic_cast(owner, TYPE_MEMORY_DEVICE)) {
            return false;
        }
    }
    return true;
}

/* Memory that an instruction reads and writes, and that the guest can lose. */
static bool is_ram(const MemoryRegionSection *section)
{
    MemoryRegion *mr = section->mr;

    return memory_region_is_ram(mr) && !memory_region_is_rom(mr) &&
           !memory_region_is_romd(mr) && !memory_region_is_ram_device(mr) &&
           is_of_machine(mr) &&
           (!memory_region_has_ram_discard_manager(mr) ||
            ram_discard_manager_is_populated(
                memory_region_get_ram_discard_manager(mr), section));
}

/* Memory that can fail on the host. */
static bool is_memory(const MemoryRegionSection *section)
{
    return memory_region_is_ram(section->mr) ||
           memory_region_is_romd(section->mr);
}

/* The part of [@addr, @addr + @len) at @addr that lies in one region. */
static bool find_section(bool (*good)(const MemoryRegionSection *section),
                         uint64_t addr, uint64_t len,
                         MemoryRegionSection *section)
{
    bool ok;

    *section = memory_region_find(get_system_memory(), addr, len);
    ok = section->mr && section->offset_within_address_space == addr &&
         good(section);
    if (section->mr) {
        memory_region_unref(section->mr);
    }
    return ok;
}

bool ras_find_ram(uint64_t addr, uint64_t len, MemoryRegionSection *section)
{
    return find_section(is_ram, addr, len, section);
}

static bool range_is(bool (*good)(const MemoryRegionSection *section),
                     uint64_t addr, uint64_t len, uint64_t *bad)
{
    while (len) {
        MemoryRegionSection section;
        uint64_t size;

        if (!find_section(good, addr, len, &section)) {
            *bad = addr;
            return false;
        }
        size = int128_get64(section.size);
        addr += size;
        len -= size;
    }
    return true;
}

bool ras_ram_is_good(hwaddr addr, hwaddr len)
{
    RasState *s = ras_state();
    uint64_t bad;

    return len && len <= UINT64_MAX - addr &&
           range_is(is_ram, addr, len, &bad) &&
           (!s || (!find_poison(s, addr, len) &&
                   !ras_host_memory_overlaps(s->device, addr, len)));
}

bool ras_check_ram(RasState *s, uint64_t addr, uint64_t len, Error **errp)
{
    RasPoisonSlot *slot;
    uint64_t bad;

    if (!ras_check_pages(addr, len, errp)) {
        return false;
    }
    slot = find_poison(s, addr, len);
    if (slot) {
        error_setg(errp, "0x%" PRIx64 " is already poisoned (0x%" PRIx64
                   " bytes from 0x%" PRIx64 " are)", MAX(addr, slot->addr),
                   slot->len, slot->addr);
        return false;
    }
    if (!range_is(is_ram, addr, len, &bad)) {
        error_setg(errp, "0x%" PRIx64 " is not RAM of the guest; 'info "
                   "mtree' shows where RAM is", bad);
        return false;
    }
    return true;
}

bool ras_is_memory(uint64_t addr, uint64_t len)
{
    uint64_t bad;

    return range_is(is_memory, addr, len, &bad);
}
