/*
 * Guest RAS: poisoned guest memory under TCG
 *
 * A poisoned range is an I/O region that lies over the RAM and fails every
 * access.  An instruction that touches it gets its error through
 * ras_poison_consumed(); for everything else (DMA, page table walks) the
 * memory transaction fails, as it would with real poison.  The RAM below
 * keeps its content and is found again when the poison is removed.
 *
 * The regions are a fixed pool that is reused, so that nothing has to be
 * freed while a vCPU may still look at it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "exec/address-spaces.h"
#include "exec/cpu-common.h"
#include "exec/memory.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "system/cpus.h"
#include "system/runstate.h"
#include "system/tcg.h"
#include "ras-internal.h"
#include "trace.h"

/* Over anything that a board or a device maps into RAM. */
#define POISON_PRIORITY 1000

/* No page has this address. */
#define NO_PAGE 1

/* Remember what failed on whose behalf, for ras_poison_consumed(). */
static void note_access(const RasPoisonSlot *slot, hwaddr addr, unsigned size,
                        const char *kind)
{
    RasPoison *poison = &ras_get()->poison;

    qatomic_inc(&poison->accesses);
    if (current_cpu) {
        poison->failed_page[current_cpu->cpu_index] =
            (slot->addr + addr) & -(uint64_t)RAS_PAGE_SIZE;
    }
    trace_ras_poison_access(slot->addr + addr, size, kind);
}

static MemTxResult poison_read(void *opaque, hwaddr addr, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    note_access(opaque, addr, size, "read");
    *data = 0;
    return MEMTX_ERROR;
}

static MemTxResult poison_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    note_access(opaque, addr, size, "write");
    return MEMTX_ERROR;
}

static const MemoryRegionOps poison_ops = {
    .read_with_attrs = poison_read,
    .write_with_attrs = poison_write,
    /* whatever comes, in one piece: it fails as a whole */
    .impl = { .unaligned = true, .max_access_size = 8, .min_access_size = 1 },
    .valid = { .unaligned = true, .max_access_size = 8, .min_access_size = 1 },
    .endianness = DEVICE_NATIVE_ENDIAN,
};

static uint64_t slot_end(const RasPoisonSlot *slot)
{
    return slot->addr + slot->len;
}

static bool slot_overlaps(const RasPoisonSlot *slot, uint64_t addr,
                          uint64_t len)
{
    return slot->used && addr < slot_end(slot) && slot->addr < addr + len;
}

static RasPoisonSlot *find_overlap(RasState *s, uint64_t addr, uint64_t len)
{
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        if (slot_overlaps(&s->poison.range[i], addr, len)) {
            return &s->poison.range[i];
        }
    }
    return NULL;
}

RasPoisonSlot *ras_poison_find(RasState *s, uint64_t addr)
{
    return find_overlap(s, addr, 1);
}

void ras_poison_init(RasState *s, unsigned int nr_vcpus)
{
    s->poison.failed_page = g_new(uint64_t, nr_vcpus);
    for (unsigned int i = 0; i < nr_vcpus; i++) {
        s->poison.failed_page[i] = NO_PAGE;
    }
}

unsigned int ras_poison_count(RasState *s)
{
    unsigned int n = 0;

    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        n += s->poison.range[i].used;
    }
    return n;
}

static RasPoisonSlot *find_free(RasState *s)
{
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        if (!s->poison.range[i].used) {
            return &s->poison.range[i];
        }
    }
    return NULL;
}

/* Range that ends at @addr, or starts there, and has the same severity. */
static RasPoisonSlot *find_neighbour(RasState *s, uint64_t addr, bool ends,
                                     RasSeverity severity)
{
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];

        if (slot->used && slot->severity == severity &&
            addr == (ends ? slot_end(slot) : slot->addr)) {
            return slot;
        }
    }
    return NULL;
}

static void slot_map(RasState *s, RasPoisonSlot *slot, uint64_t addr,
                     uint64_t len, RasSeverity severity)
{
    slot->used = true;
    slot->addr = addr;
    slot->len = len;
    slot->severity = severity;
    if (!slot->mr_ready) {
        /* each its own: looking for a free name takes time */
        g_autofree char *name = g_strdup_printf("ras-poison-%d",
                                                (int)(slot - s->poison.range));

        memory_region_init_io(&slot->mr, OBJECT(s), &poison_ops, slot, name,
                              len);
        slot->mr_ready = true;
    } else {
        memory_region_set_size(&slot->mr, len);
    }
    memory_region_add_subregion_overlap(get_system_memory(), addr, &slot->mr,
                                        POISON_PRIORITY);
}

static void slot_unmap(RasPoisonSlot *slot)
{
    memory_region_del_subregion(get_system_memory(), &slot->mr);
    slot->used = false;
}

static bool check_pages(uint64_t addr, uint64_t len, Error **errp)
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
 * Memory that an instruction reads and writes, and that is the guest's own:
 * not that of a device, which the guest would not know how to give up.
 */
static bool is_ram(MemoryRegion *mr)
{
    return memory_region_is_ram(mr) && !memory_region_is_rom(mr) &&
           !memory_region_is_romd(mr) && !memory_region_is_ram_device(mr) &&
           !object_dynamic_cast(memory_region_owner(mr), TYPE_DEVICE);
}

/* Memory that can fail on the host. */
static bool is_memory(MemoryRegion *mr)
{
    return memory_region_is_ram(mr) || memory_region_is_romd(mr);
}

static bool range_is(bool (*good)(MemoryRegion *mr), uint64_t addr,
                     uint64_t len, uint64_t *bad)
{
    while (len) {
        MemoryRegionSection section =
            memory_region_find(get_system_memory(), addr, len);
        uint64_t size = int128_get64(section.size);
        bool ok = section.mr && good(section.mr) &&
                  section.offset_within_address_space == addr;

        if (section.mr) {
            memory_region_unref(section.mr);
        }
        if (!ok) {
            *bad = addr;
            return false;
        }
        addr += size;
        len -= size;
    }
    return true;
}

bool ras_ram_is_good(hwaddr addr, hwaddr len)
{
    uint64_t bad;

    return len && len <= UINT64_MAX - addr &&
           range_is(is_ram, addr, len, &bad) &&
           (!ras_get() || !ras_host_memory_overlaps(ras_get(), addr, len));
}

bool ras_check_ram(RasState *s, uint64_t addr, uint64_t len, Error **errp)
{
    RasPoisonSlot *slot;
    uint64_t bad;

    if (!check_pages(addr, len, errp)) {
        return false;
    }
    slot = find_overlap(s, addr, len);
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

/*
 * The memory map must not change under a running vCPU: TCG looks an I/O
 * address up in the new map with an index that its TLB has from the old one,
 * and aborts or finds another device.  A paused vCPU flushes its TLB before
 * it runs again.  Called by the main thread; lets others have the BQL.
 */
static bool pause_vcpus(void)
{
    if (!runstate_is_running()) {
        return false;
    }
    pause_all_vcpus();
    return true;
}

static void resume_vcpus(bool paused)
{
    if (paused) {
        resume_all_vcpus();
    }
}

static bool add_pages(RasState *s, uint64_t addr, uint64_t len,
                      RasSeverity severity, Error **errp)
{
    RasPoisonSlot *before, *after, *slot;
    uint64_t start = addr, end = addr + len;

    if (!tcg_enabled()) {
        error_setg(errp, "Mode 'poison' needs TCG; with another accelerator "
                   "poison the page in the host, or use mode 'consume'");
        return false;
    }
    if (!ras_check_ram(s, addr, len, errp)) {
        return false;
    }
    before = find_neighbour(s, addr, true, severity);
    after = find_neighbour(s, end, false, severity);
    slot = before ?: after ?: find_free(s);
    if (!slot) {
        error_setg(errp, "There are %d poisoned ranges, which is the maximum; "
                   "use ras-unpoison", RAS_POISON_RANGES);
        return false;
    }

    memory_region_transaction_begin();
    if (before) {
        start = before->addr;
        slot_unmap(before);
    }
    if (after) {
        end = slot_end(after);
        slot_unmap(after);
    }
    slot_map(s, slot, start, end - start, severity);
    memory_region_transaction_commit();
    trace_ras_poison_add(addr, len);
    return true;
}

bool ras_poison_add(RasState *s, uint64_t addr, uint64_t len,
                    RasSeverity severity, Error **errp)
{
    bool paused = pause_vcpus();
    bool done = add_pages(s, addr, len, severity, errp);

    resume_vcpus(paused);
    return done;
}

static bool remove_pages(RasState *s, uint64_t addr, uint64_t len,
                         Error **errp)
{
    RasPoisonSlot *slot, *rest = NULL;
    uint64_t start, end;

    if (!check_pages(addr, len, errp)) {
        return false;
    }
    slot = ras_poison_find(s, addr);
    if (!slot || slot_end(slot) < addr + len) {
        error_setg(errp, "0x%" PRIx64 " is not poisoned, or not as one range; "
                   "'info ras' shows what is", slot ? slot_end(slot) : addr);
        return false;
    }
    start = slot->addr;
    end = slot_end(slot);
    if (start < addr && addr + len < end) {
        rest = find_free(s);
        if (!rest) {
            error_setg(errp, "There are %d poisoned ranges, which is the "
                       "maximum, and this would split one more; remove it "
                       "from one of its ends", RAS_POISON_RANGES);
            return false;
        }
    }

    memory_region_transaction_begin();
    slot_unmap(slot);
    if (start < addr) {
        slot_map(s, slot, start, addr - start, slot->severity);
    }
    if (addr + len < end) {
        slot_map(s, rest ?: slot, addr + len, end - addr - len,
                 slot->severity);
    }
    memory_region_transaction_commit();
    trace_ras_poison_remove(addr, len);
    return true;
}

bool ras_poison_remove(RasState *s, uint64_t addr, uint64_t len,
                       Error **errp)
{
    bool paused = pause_vcpus();
    bool done = remove_pages(s, addr, len, errp);

    resume_vcpus(paused);
    return done;
}

/* A reset has paused the vCPUs. */
void ras_poison_clear(RasState *s)
{
    memory_region_transaction_begin();
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        if (s->poison.range[i].used) {
            slot_unmap(&s->poison.range[i]);
        }
    }
    memory_region_transaction_commit();
}

bool ras_is_memory(uint64_t addr, uint64_t len)
{
    uint64_t bad;

    return range_is(is_memory, addr, len, &bad);
}

void ras_poison_forget_absent(RasState *s)
{
    uint64_t bad;

    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];

        if (slot->used) {
            slot_unmap(slot);
            if (range_is(is_ram, slot->addr, slot->len, &bad)) {
                slot_map(s, slot, slot->addr, slot->len, slot->severity);
            }
        }
    }
}

RasAccessKind ras_access_kind(MMUAccessType access_type)
{
    switch (access_type) {
    case MMU_DATA_LOAD:
        return RAS_ACCESS_KIND_LOAD;
    case MMU_DATA_STORE:
        return RAS_ACCESS_KIND_STORE;
    default:
        return RAS_ACCESS_KIND_FETCH;
    }
}

bool ras_poison_consumed(CPUState *cpu, hwaddr addr, vaddr vaddr,
                         MMUAccessType access_type)
{
    RasState *s = ras_get();
    RasPoisonSlot *slot;

    if (!s) {
        return false;
    }
    BQL_LOCK_GUARD();
    if (s->poison.failed_page[cpu->cpu_index] !=
        (addr & -(uint64_t)RAS_PAGE_SIZE)) {
        return false;
    }
    s->poison.failed_page[cpu->cpu_index] = NO_PAGE;
    s->poison.consumed++;
    /* leaves the CPU loop; a refused error is tried again by the next run */
    cpu->exception_index = EXCP_INTERRUPT;
    slot = ras_poison_find(s, addr);
    if (!slot) {
        /* made good while this vCPU waited for the lock: so it is good */
        return true;
    }
    ras_report(&(RasError) {
        .kind = RAS_KIND_MEMORY,
        .severity = slot->severity,
        .origin = RAS_ORIGIN_POISON,
        .access = ras_access_kind(access_type),
        .synchronous = true,
        .has_addr = true,
        .has_vaddr = true,
        .vcpu = cpu->cpu_index,
        .addr = addr,
        .first = addr & -(uint64_t)RAS_PAGE_SIZE,
        .len = RAS_PAGE_SIZE,
        .vaddr = vaddr,
    }, NULL);
    return true;
}
