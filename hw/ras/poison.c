/*
 * Guest RAS: poisoned guest memory under TCG
 *
 * Poison is kept by RAM block: it stays with the memory, and ends with it.
 * What an instruction touches gets its error through ras_poison_consumed().
 * Everything else (DMA, page table walks) comes here through the functions of
 * system/ras-poison.h: its memory transaction fails, as it would with real
 * poison, is counted, and the main loop sends an event.  The memory keeps its
 * content, and has it when the poison is removed.
 *
 * The ranges are written with the BQL held.  Who has no lock reads a copy, in
 * terms of ram_addr_t, under a sequence lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/seqlock.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "system/address-spaces.h"
#include "exec/cpu-common.h"
#include "system/ramblock.h"
#include "exec/cputlb.h"
#include "system/memory.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "system/cpus.h"
#include "system/kvm.h"
#include "system/ras-poison.h"
#include "system/runstate.h"
#include "system/tcg.h"
#include "internal.h"
#include "trace.h"

/*
 * What DMA gets in the place of poison: the first buffer is for devices that
 * read, the others are for those that write.
 */
#define BUFFER_SIZE (64 * KiB)
#define BUFFERS 128

/* The most that is one access, and fails as a whole */
#define ACCESS_SIZE 8

/* Accesses that no instruction made have one event in this time. */
#define EVENT_INTERVAL_MS 1000

unsigned int ras_poison_ranges;
uint8_t *ras_poison_buffers;
MemoryRegion ras_poison_region;

/*
 * Where the memory is that a buffer stands for: the page at its beginning.
 * What threads share is of the host's word size, which holds any ram_addr_t of
 * RAM: hosts of 32 bits have no atomic access to more.
 */
static uintptr_t buffer_page[BUFFERS];
static unsigned int buffer_users[BUFFERS];
static unsigned int last_buffer;

static __thread bool overlooked;

/* see ras_poison_probe() */
static bool (*can_read)(const void *host, size_t len);
static __thread bool probing;
static unsigned int probing_threads;

/* The copy for those who have no lock: [start, end) */
static struct {
    QemuSeqLock lock;
    unsigned int n;
    struct {
        uintptr_t start, end;
    } range[RAS_POISON_RANGES];
} ram_ranges;

/* The accesses that the next event is about. */
static struct {
    unsigned int count;
    uintptr_t last;             /* the last one's address */
    bool last_is_write;
    int busy;                   /* it will be sent, or it is too early */
} noted;

/* --- accesses: any thread, no lock --------------------------------------- */

/* Memory of the host that has failed is poison, too; KVM has its own way. */
static bool find_failed(ram_addr_t start, uint64_t len, uint64_t *from,
                        uint64_t *to)
{
    return !kvm_enabled() && ras_host_memory_find(start, len, from, to);
}

/*
 * Look for poison in [@start, @start + @len): the first byte, in @from, and
 * the first good one behind it, in @to.
 */
static bool find_in_ram(ram_addr_t start, uint64_t len, ram_addr_t *from,
                        ram_addr_t *to)
{
    uint64_t failed_from, failed_to;
    unsigned int seq, n;

    do {
        seq = seqlock_read_begin(&ram_ranges.lock);
        n = qatomic_read(&ram_ranges.n);
        *from = start + len;
        *to = start + len;
        for (unsigned int i = 0; i < n; i++) {
            ram_addr_t s = qatomic_read(&ram_ranges.range[i].start);
            ram_addr_t e = qatomic_read(&ram_ranges.range[i].end);

            if (s < start + len && start < e && MAX(s, start) < *from) {
                *from = MAX(s, start);
                *to = e;
            }
        }
    } while (seqlock_read_retry(&ram_ranges.lock, seq));
    if (find_failed(start, *from - start, &failed_from, &failed_to)) {
        *from = failed_from;
        *to = failed_to;
    }
    return *from < start + len;
}

static void want_event(RasPoison *poison)
{
    if (!qatomic_read(&noted.busy) && !qatomic_xchg(&noted.busy, 1)) {
        qemu_bh_schedule(poison->event_bh);
    }
}

static void note_access(ram_addr_t addr, unsigned size, bool is_write)
{
    RasPoison *poison = &ras_state()->poison;

    trace_ras_poison_access(addr, size, is_write ? "write" : "read");
    qatomic_inc(&poison->accesses);
    qatomic_set(&noted.last, addr);
    qatomic_set(&noted.last_is_write, is_write);
    qatomic_inc(&noted.count);
    want_event(poison);
}

static MemTxResult poison_read(void *opaque, hwaddr addr, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    if (!probing) {
        note_access(addr, size, false);
    }
    *data = 0;
    return MEMTX_ERROR;
}

static MemTxResult poison_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    note_access(addr, size, true);
    return MEMTX_ERROR;
}

static const MemoryRegionOps poison_ops = {
    .read_with_attrs = poison_read,
    .write_with_attrs = poison_write,
    /* whatever comes, in one piece: it fails as a whole */
    .impl = { .unaligned = true, .max_access_size = ACCESS_SIZE,
              .min_access_size = 1 },
    .valid = { .unaligned = true, .max_access_size = ACCESS_SIZE,
               .min_access_size = 1 },
    .endianness = DEVICE_NATIVE_ENDIAN,
};

bool ras_poison_overlaps_slow(MemoryRegion *mr, hwaddr offset, hwaddr len)
{
    ram_addr_t from, to;

    return memory_region_is_ram(mr) && !overlooked &&
           find_in_ram(memory_region_get_ram_addr(mr) + offset, len, &from,
                       &to);
}

/* As far as that is in one page, unless it is one access. */
static bool probe(MemoryRegion *mr, hwaddr offset, hwaddr *len)
{
    size_t page = qemu_real_host_page_size();

    if (len && *len > ACCESS_SIZE) {
        *len = MIN(*len, page - offset % page);
    }
    return can_read((uint8_t *)memory_region_get_ram_ptr(mr) + offset,
                    len ? *len : 1);
}

MemoryRegion *ras_poison_translate_slow(MemoryRegion *mr, hwaddr *offset,
                                        hwaddr *len)
{
    ram_addr_t start, from, to;

    if (overlooked) {
        return mr;
    }
    /* also a device's memory, if it is read like RAM, as flash is */
    if (probing && memory_region_supports_direct_access(mr) &&
        !probe(mr, *offset, len)) {
        return &ras_poison_region;
    }
    if (!memory_region_is_ram(mr)) {
        return mr;
    }
    start = memory_region_get_ram_addr(mr) + *offset;
    if (!find_in_ram(start, len ? *len : 1, &from, &to)) {
        return mr;
    }
    if (from > start && *len > ACCESS_SIZE) {
        *len = from - start;
        return mr;
    }
    if (len && *len > ACCESS_SIZE) {
        *len = MIN(*len, to - start);
    }
    *offset = from;
    return &ras_poison_region;
}

/* A buffer to write to: nobody else's, if there is one */
static unsigned int take_buffer(void)
{
    unsigned int i;

    for (unsigned int n = 1; n < BUFFERS; n++) {
        i = 1 + qatomic_fetch_inc(&last_buffer) % (BUFFERS - 1);
        if (!qatomic_cmpxchg(&buffer_users[i], 0, 1)) {
            return i;
        }
    }
    qatomic_inc(&buffer_users[i]);
    return i;
}

void *ras_poison_map(hwaddr offset, hwaddr *len, bool is_write)
{
    unsigned int in_page = offset % RAS_PAGE_SIZE, i = 0;
    uint8_t *p;

    *len = MIN(*len, BUFFER_SIZE - in_page);
    if (is_write) {
        i = take_buffer();
        qatomic_set(&buffer_page[i], offset - in_page);
    } else {
        note_access(offset, *len, false);
    }
    p = ras_poison_buffers + i * BUFFER_SIZE + in_page;
    /* some devices read what they map for writing, and the other way round */
    memset(p, 0, *len);
    return p;
}

void ras_poison_unmap(const void *buffer, hwaddr written)
{
    size_t offset = (uint8_t *)buffer - ras_poison_buffers;
    unsigned int i = offset / BUFFER_SIZE;

    if (!i) {
        return;
    }
    if (written) {
        note_access(qatomic_read(&buffer_page[i]) + offset % BUFFER_SIZE,
                    written, true);
    }
    qatomic_dec(&buffer_users[i]);
}

bool ras_poison_is_buffer_slow(const void *p)
{
    return (uintptr_t)p - (uintptr_t)ras_poison_buffers <
           BUFFERS * BUFFER_SIZE;
}

bool ras_poison_is_mapped_slow(const struct iovec *iov, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        if (ras_poison_is_buffer_slow(iov[i].iov_base)) {
            return true;
        }
    }
    return false;
}

void ras_poison_overlook(bool overlook)
{
    overlooked = overlook;
}

/* --- the ranges: BQL held ------------------------------------------------ */

static uint64_t slot_end(const RasPoisonSlot *slot)
{
    return slot->addr + slot->len;
}

unsigned int ras_poison_count(RasState *s)
{
    unsigned int n = 0;

    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        n += s->poison.range[i].used;
    }
    return n;
}

static void count_ranges(void)
{
    RasState *s = ras_state();

    qatomic_set(&ras_poison_ranges, ram_ranges.n + probing_threads +
                (s && !kvm_enabled() ? s->nr_host_memory : 0));
}

/* The ranges have changed: accesses find them as they are now. */
static void publish(RasState *s)
{
    unsigned int n = 0;

    seqlock_write_begin(&ram_ranges.lock);
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];

        if (slot->used) {
            qatomic_set(&ram_ranges.range[n].start, slot->ram_addr);
            qatomic_set(&ram_ranges.range[n].end, slot->ram_addr + slot->len);
            n++;
        }
    }
    qatomic_set(&ram_ranges.n, n);
    seqlock_write_end(&ram_ranges.lock);
    count_ranges();
}

void ras_poison_set_probe(bool (*function)(const void *host, size_t len))
{
    can_read = function;
}

void ras_poison_probe(bool begin)
{
    if (!can_read || begin == probing) {
        return;
    }
    probing = begin;
    probing_threads += begin ? 1 : -1;
    count_ranges();
}

/*
 * Have everybody who keeps a direct way into RAM look for it again: vCPUs in
 * their TLBs, virtio devices for their rings.  They do so whenever the memory
 * map has changed; this is a change of nothing.
 */
static void renew_users(void)
{
    memory_region_set_enabled(&ras_poison_region, !ras_poison_region.enabled);
}

static RasPoisonSlot *find_free(RasPoisonSlot *slots)
{
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        if (!slots[i].used) {
            return &slots[i];
        }
    }
    return NULL;
}

/* Add @new, joined with those of @slots that it continues. */
static bool add_slot(RasPoisonSlot *slots, RasPoisonSlot new)
{
    RasPoisonSlot *slot;

    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        slot = &slots[i];
        if (!slot->used || slot->severity != new.severity ||
            slot->block != new.block) {
            continue;
        }
        if (slot_end(slot) == new.addr &&
            slot->ram_addr + slot->len == new.ram_addr) {
            new.addr = slot->addr;
            new.ram_addr = slot->ram_addr;
        } else if (slot_end(&new) != slot->addr ||
                   new.ram_addr + new.len != slot->ram_addr) {
            continue;
        }
        new.len += slot->len;
        slot->used = false;
    }
    slot = find_free(slots);
    if (slot) {
        *slot = new;
    }
    return slot;
}

/* Take [@addr, @addr + @len) out of @slot. */
static bool cut_slot(RasPoisonSlot *slots, RasPoisonSlot *slot, uint64_t addr,
                     uint64_t len)
{
    uint64_t from = MAX(addr, slot->addr);
    uint64_t to = MIN(addr + len, slot_end(slot));
    RasPoisonSlot rest = *slot;

    rest.addr = to;
    rest.len = slot_end(slot) - to;
    rest.ram_addr += to - slot->addr;
    slot->len = from - slot->addr;
    slot->used = slot->len;
    if (rest.len) {
        RasPoisonSlot *to_use = find_free(slots);

        if (!to_use) {
            slot->len += (to - from) + rest.len;
            return false;
        }
        *to_use = rest;
    }
    return true;
}

/*
 * vCPUs are stopped when there is new poison, so that it is there for all of
 * them at once.  And what renew_users() does must not happen under a running
 * vCPU: TCG looks an I/O address up in the new map with an index that its TLB
 * has from the old one, and aborts or finds another device.  A paused vCPU
 * flushes its TLB before it runs again.  Called by the main thread; lets
 * others have the BQL.
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

static void create_buffers(void)
{
    if (!ras_poison_buffers) {
        uint8_t *buffers = qemu_memalign(BUFFER_SIZE, BUFFERS * BUFFER_SIZE);

        memset(buffers, 0, BUFFER_SIZE);
        qatomic_set(&ras_poison_buffers, buffers);
    }
}

static bool add_pages(RasState *s, uint64_t addr, uint64_t len,
                      RasSeverity severity, Error **errp)
{
    g_autofree RasPoisonSlot *slots = g_memdup2(s->poison.range,
                                                sizeof(s->poison.range));
    uint64_t size, end = addr + len;

    if (!tcg_enabled()) {
        error_setg(errp, "Mode 'poison' needs TCG; with another accelerator "
                   "poison the page in the host, or use mode 'consume'");
        return false;
    }
    if (!ras_check_ram(s, addr, len, errp)) {
        return false;
    }
    for (uint64_t a = addr; a < end; a += size) {
        MemoryRegionSection section;
        RasPoisonSlot slot;

        /* it has just been looked at */
        ras_find_ram(a, end - a, &section);
        size = int128_get64(section.size);
        slot = (RasPoisonSlot) {
            .used = true,
            .addr = a,
            .len = size,
            .severity = severity,
            .block = section.mr->ram_block,
            .ram_addr = memory_region_get_ram_addr(section.mr) +
                        section.offset_within_region,
        };
        if (!add_slot(slots, slot)) {
            error_setg(errp, "There are %d poisoned ranges, which is the "
                       "maximum; use ras-unpoison", RAS_POISON_RANGES);
            return false;
        }
    }

    create_buffers();
    memcpy(s->poison.range, slots, sizeof(s->poison.range));
    publish(s);
    renew_users();
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
    g_autofree RasPoisonSlot *slots = g_memdup2(s->poison.range,
                                                sizeof(s->poison.range));
    RasPoisonSlot *first, *slot;

    if (!ras_check_pages(addr, len, errp)) {
        return false;
    }
    first = ras_poison_find(s, addr);
    for (uint64_t a = addr; a < addr + len; a = slot_end(slot)) {
        slot = ras_poison_find(s, a);
        if (!slot || slot->severity != first->severity) {
            error_setg(errp, "0x%" PRIx64 " is not poisoned, or not as one "
                       "range; 'info ras' shows what is", a);
            return false;
        }
        if (!cut_slot(slots, &slots[slot - s->poison.range], addr, len)) {
            error_setg(errp, "There are %d poisoned ranges, which is the "
                       "maximum, and this would split one more; remove it "
                       "from one of its ends", RAS_POISON_RANGES);
            return false;
        }
    }

    memcpy(s->poison.range, slots, sizeof(s->poison.range));
    publish(s);
    renew_users();
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
    if (ras_poison_count(s)) {
        memset(s->poison.range, 0, sizeof(s->poison.range));
        publish(s);
        renew_users();
    }
}

void ras_poison_failed_memory(RasState *s, bool more)
{
    bool paused = false;

    if (kvm_enabled()) {
        return;
    }
    if (more) {
        create_buffers();
        paused = pause_vcpus();
    }
    count_ranges();
    if (more) {
        renew_users();
    }
    resume_vcpus(paused);
}

/*
 * From here on, poison goes while vCPUs and devices run, and nobody need look
 * for his memory again: who still takes the long way finds it good.
 */

void ras_poison_forget_absent(RasState *s)
{
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];
        MemoryRegionSection section;

        if (slot->used &&
            (!ras_find_ram(slot->addr, slot->len, &section) ||
             section.mr->ram_block != slot->block)) {
            trace_ras_poison_remove(slot->addr, slot->len);
            slot->used = false;
        }
    }
    publish(s);
}

void ras_poison_discarded(RAMBlock *rb, uint64_t offset, uint64_t len)
{
    ram_addr_t start = qemu_ram_get_offset(rb) + offset;
    RasState *s = ras_state();
    bool changed = false;

    /* failed memory of the host is not for here, and may be in many pieces */
    if (!ram_ranges.n) {
        return;
    }
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];
        ram_addr_t from = MAX(start, slot->ram_addr);
        ram_addr_t to = MIN(start + len, slot->ram_addr + slot->len);

        if (slot->used && from < to) {
            uint64_t addr = slot->addr + (from - slot->ram_addr);

            /* if there is no room for what is left, all of it stays */
            if (cut_slot(s->poison.range, slot, addr, to - from)) {
                trace_ras_poison_remove(addr, to - from);
                changed = true;
            }
        }
    }
    if (changed) {
        publish(s);
    }
}

/* --- events: main loop --------------------------------------------------- */

static void event_bh_run(void *opaque)
{
    RasState *s = opaque;
    uint64_t count = qatomic_xchg(&noted.count, 0);
    bool is_write = qatomic_read(&noted.last_is_write), found = false;
    ram_addr_t at = qatomic_read(&noted.last);
    uint64_t addr = 0;

    for (int i = 0; i < RAS_POISON_RANGES && !found; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];

        found = slot->used && at >= slot->ram_addr &&
                at - slot->ram_addr < slot->len;
        addr = slot->addr + (at - slot->ram_addr);
    }
    for (unsigned int i = 0; i < s->nr_host_memory && !found; i++) {
        RasHostMemory *m = &s->host_memory[i];

        found = at >= m->ram_addr && at - m->ram_addr < m->len &&
                m->first != RAS_NOT_MAPPED;
        addr = m->first + (at - m->ram_addr);
    }
    ras_send_poison_access(found ? &addr : NULL, is_write, count);
    if (found) {
        ras_log(s->device, "ras: poison %s by a device or a page table walk, "
                "at guest physical address 0x%" PRIx64 " (accesses: %" PRIu64
                ")", is_write ? "written" : "read", addr, count);
    }
    timer_mod(s->poison.event_timer, EVENT_INTERVAL_MS +
              qemu_clock_get_ms(QEMU_CLOCK_REALTIME));
}

static void event_timer_expired(void *opaque)
{
    RasState *s = opaque;

    qatomic_set_mb(&noted.busy, 0);
    if (qatomic_read(&noted.count)) {
        want_event(&s->poison);
    }
}

void ras_poison_init(RasState *s)
{
    seqlock_init(&ram_ranges.lock);
    memory_region_init_io(&ras_poison_region, NULL, &poison_ops, NULL,
                          "ras-poison", UINT64_MAX);
    s->poison.event_bh = qemu_bh_new(event_bh_run, s);
    s->poison.event_timer = timer_new_ms(QEMU_CLOCK_REALTIME,
                                          event_timer_expired, s);
}

/* --- vCPUs --------------------------------------------------------------- */

RasAccess ras_access_kind(MMUAccessType access_type)
{
    switch (access_type) {
    case MMU_DATA_LOAD:
        return RAS_ACCESS_LOAD;
    case MMU_DATA_STORE:
        return RAS_ACCESS_STORE;
    default:
        return RAS_ACCESS_FETCH;
    }
}

/*
 * Is all of the page RAM, so that accesses to it do not fail?  TCG takes a page
 * for a device's, as it does with poison, also if only a part of it is RAM.
 *
 * @failed: it is poisoned, or memory of the host that has failed
 */
static bool is_page_of_ram(hwaddr addr, bool *failed)
{
    hwaddr offset, len = RAS_PAGE_SIZE;
    MemoryRegion *mr;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&address_space_memory,
                                 addr & -(hwaddr)RAS_PAGE_SIZE, &offset, &len,
                                 false, MEMTXATTRS_UNSPECIFIED);
    *failed = mr == &ras_poison_region;
    return *failed || (memory_region_is_ram(mr) && len == RAS_PAGE_SIZE);
}

bool ras_poison_consumed(CPUState *cpu, hwaddr addr, vaddr vaddr,
                         MMUAccessType access_type)
{
    RasState *s = ras_state();
    RasPoisonSlot *slot;
    bool failed = false;

    if (!s || !qatomic_read(&ras_poison_buffers)) {
        return false;
    }
    BQL_LOCK_GUARD();
    slot = ras_poison_find(s, addr);
    if (!slot && !is_page_of_ram(addr, &failed)) {
        return false;
    }
    /* leaves the CPU loop; a refused error is tried again by the next run */
    cpu->exception_index = EXCP_INTERRUPT;
    if (!slot && !failed) {
        /* it was made good since it got into the TLB */
        tlb_flush(cpu);
        return true;
    }
    qatomic_inc(&s->poison.accesses);
    s->poison.consumed++;
    ras_report(&(RasError) {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = slot ? slot->severity : RAS_SEVERITY_RECOVERABLE,
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
