/*
 * Guest RAS: memory of the host that failed under the guest
 *
 * Remembers what has failed: the guest is notified of it once, it is shown by
 * query-ras, moves with the VM (holes.c) or keeps it from being migrated, and
 * is replaced by good memory at the next reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "system/address-spaces.h"
#include "exec/cpu-common.h"
#include "system/ramblock.h"
#include "system/ramlist.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "migration/blocker.h"
#include "system/kvm.h"
#include "system/kvm-ras.h"
#include "system/ras-poison.h"
#include "system/ras.h"
#include "internal.h"

/*
 * Real time until migration is tried to be blocked again, which it cannot be
 * while one runs.
 */
#define BLOCK_AGAIN_MS 100

int ras_host_memory_unreadable;
void (*ras_host_memory_renew)(RAMBlock *rb, uint64_t offset, uint64_t len);
void (*ras_host_memory_replaced)(RAMBlock *rb, uint64_t offset, uint64_t len);
void (*ras_host_memory_discarded)(RAMBlock *rb, uint64_t offset, uint64_t len);

/*
 * Pages that accesses have met, none of which KVM has reported: written by
 * whoever has met them, emptied by the main loop.
 */
#define NOTES 4096              /* more ranges than can be remembered */
#define NOTE_NOT_MET 1          /* nobody has touched it yet */
static uintptr_t notes[NOTES];
static int note_lost;           /* there was no room */

static RasHostMemory *find(RasState *s, hwaddr addr)
{
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        RasHostMemory *m = &s->host_memory[i];

        if (addr >= m->first && addr - m->first < m->len) {
            return m;
        }
    }
    return NULL;
}

/* @new: it was only added; or the list has changed */
static void set_nr_host_memory(RasState *s, unsigned int nr,
                               const RasHostMemory *new)
{
    qatomic_add(&ras_host_memory_unreadable, (int)(nr - s->nr_host_memory));
    s->nr_host_memory = nr;
    if (new) {
        ras_failed_add(new);
    } else {
        ras_failed_publish(s);
    }
    ras_poison_failed_memory(s, false);
    if (!s->device->move_failed_memory) {
        qemu_bh_schedule(s->block_bh);
    }
}

/* The block that @addr is in, or NULL; in an RCU critical section */
static RAMBlock *block_at(ram_addr_t addr)
{
    RAMBlock *rb;

    RAMBLOCK_FOREACH(rb) {
        if (addr - rb->offset < rb->max_length) {
            return rb;
        }
    }
    return NULL;
}

void ras_host_memory_forget_absent(RasState *s)
{
    unsigned int kept = 0;

    RCU_READ_LOCK_GUARD();
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        const RasHostMemory *m = &s->host_memory[i];

        if (m->first == RAS_NOT_MAPPED ? block_at(m->ram_addr) != NULL :
                                         ras_is_memory(m->first, m->len)) {
            s->host_memory[kept++] = *m;
        }
    }
    set_nr_host_memory(s, kept, NULL);
}

/* The guest need not learn that memory which it has given back had failed. */
static void withdraw(RasState *s, const RasHostMemory *m)
{
    RasEntry *e;

    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->state == RAS_ERROR_STATE_QUEUED &&
            e->error.origin == RAS_ORIGIN_SIGBUS && !e->error.synchronous &&
            e->error.first >= m->first &&
            e->error.first + e->error.len <= m->first + m->len) {
            e->delivery = "not notified, because the guest has given the "
                          "memory back";
            ras_advance(s, e, RAS_ERROR_STATE_DISCARDED);
        }
    }
}

/* Good memory is put there. */
static void renew(const RasHostMemory *m)
{
    RAMBlock *rb;

    RCU_READ_LOCK_GUARD();
    rb = block_at(m->ram_addr);
    if (rb && ras_host_memory_renew) {
        ras_host_memory_renew(rb, m->ram_addr - rb->offset, m->len);
    }
}

static void forget_discarded(RasState *s, ram_addr_t start, uint64_t len)
{
    uint64_t end = start + len, from, to;
    RasHostMemory part, rest[2], behind;
    unsigned int kept = 0;
    bool split = false;

    if (!ras_host_memory_find(start, len, &from, &to)) {
        return;
    }
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        RasHostMemory m = s->host_memory[i];

        if (!ras_host_memory_part(&m, start, end, &part)) {
            s->host_memory[kept++] = m;
            continue;
        }
        withdraw(s, &part);
        renew(&part);
        /* what the blocker of migration says is true no longer */
        s->nr_host_blocked = UINT_MAX;
        switch (ras_host_memory_cut(&m, start, end, rest)) {
        case 1:
            s->host_memory[kept++] = rest[0];
            break;
        case 2:
            if (split || s->nr_host_memory == RAS_HOST_MEMORY_MAX) {
                /* no room for another piece */
                s->host_memory[kept++] = m;
                break;
            }
            s->host_memory[kept++] = rest[0];
            behind = rest[1];
            split = true;
            break;
        }
    }
    if (split) {
        s->host_memory[kept++] = behind;
    }
    if (s->nr_host_blocked == UINT_MAX) {
        set_nr_host_memory(s, kept, NULL);
    }
}

void ras_memory_discarded(RAMBlock *rb, uint64_t start, size_t length)
{
    RasState *s = ras_state();

    /*
     * What a migration discards without the BQL is not for the guest; and its
     * locks may be taken with the BQL held, so the BQL cannot be taken here.
     */
    if (!s || !bql_locked()) {
        return;
    }
    ras_poison_discarded(rb, start, length);
    /* the reset discards what it replaces, and forgets all at its end */
    if (ras_host_memory_is_unreadable() && !s->host_memory_resetting) {
        if (!current_cpu) {
            kvm_ras_take_signals();
        }
        forget_discarded(s, qemu_ram_get_offset(rb) + start, length);
        if (ras_host_memory_discarded) {
            ras_host_memory_discarded(rb, start, length);
        }
    }
}

/* Neighbours in a block are one range, if they have one story. */
static bool continues(const RasHostMemory *m, const RasHostMemory *next)
{
    RCU_READ_LOCK_GUARD();
    return m->ram_addr + m->len == next->ram_addr &&
           (m->first == RAS_NOT_MAPPED ? next->first == RAS_NOT_MAPPED :
                                         m->first + m->len == next->first) &&
           m->moved == next->moved && m->told == next->told &&
           block_at(m->ram_addr) == block_at(next->ram_addr);
}

/* Is there nothing on the list, but perhaps @m, that touches it? */
static bool is_alone(const RasHostMemory *m)
{
    uint64_t before = m->ram_addr ? 1 : 0, from, to;

    return !ras_host_memory_find(m->ram_addr - before, before + m->len + 1,
                                 &from, &to) ||
           (from == m->ram_addr && to == m->ram_addr + m->len);
}

/* Add @m to @list, which has room for it; returns the new length. */
static unsigned int join(RasHostMemory *list, unsigned int nr, RasHostMemory m)
{
    for (unsigned int i = is_alone(&m) ? nr : 0; i < nr; ) {
        if (continues(&list[i], &m)) {
            list[i].len += m.len;
            m = list[i];
        } else if (continues(&m, &list[i])) {
            m.len += list[i].len;
        } else {
            i++;
            continue;
        }
        list[i] = list[--nr];
        i = 0;
    }
    list[nr] = m;
    return nr + 1;
}

static void remember(RasState *s, const RasHostMemory *m, bool joined)
{
    unsigned int nr = s->nr_host_memory;

    if (nr == RAS_HOST_MEMORY_MAX) {
        s->host_memory_full = true;
        return;
    }
    /* a reset counts what it has replaced */
    if (joined && !s->host_memory_resetting) {
        nr = join(s->host_memory, nr, *m);
    } else {
        s->host_memory[nr++] = *m;
    }
    set_nr_host_memory(s, nr, m);
}

/* A refused error has no other witness than this line. */
static void report(const RasError *error)
{
    Error *err = NULL;

    if (!error->len || ras_report(error, &err)) {
        return;
    }
    ras_log(ras_get(), "ras: failed memory at guest physical address 0x%"
            PRIx64 ": %s", error->addr, error_get_pretty(err));
    error_free(err);
}

static void set_access(RasError *error, const RasStorageAccess *access)
{
    error->access = access->kind;
    error->has_vaddr = true;
    error->vaddr = access->vaddr;
}

/* The host says which memory has failed, but not for which access. */
static void find_access(RasState *s, CPUState *cpu, RasError *error)
{
    RasDeviceClass *rc = ras_class(s);
    RasStorageAccess access[RAS_ACCESSES_MAX];
    unsigned int n;

    if (!rc->accesses) {
        return;
    }
    /* page tables of the guest may have failed as well */
    ras_poison_probe(true);
    n = rc->accesses(s->device, cpu, access);
    ras_poison_probe(false);
    for (unsigned int i = 0; i < n; i++) {
        if (access[i].has_addr && access[i].addr / RAS_PAGE_SIZE ==
                                  error->addr / RAS_PAGE_SIZE) {
            set_access(error, &access[i]);
            return;
        }
    }
}

bool ras_host_memory_used(CPUState *cpu)
{
    RasState *s = ras_state();
    RasError error = {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_SIGBUS,
        .synchronous = true,
        .vcpu = cpu->cpu_index,
    };

    if (!s->nr_host_memory) {
        return false;
    }
    ras_report(&error, NULL);
    return true;
}

static void notify(CPUState *cpu, const RasHostMemory *m, bool known,
                   const RasStorageAccess *access)
{
    RasState *s = ras_state();
    RasDeviceClass *rc = ras_class(s);
    bool async = ras_has_channel(s->device, RAS_CHANNEL_INTERRUPT);
    uint64_t end = m->first + m->len;
    /* what the exception's record covers: nothing, if nobody waits for it */
    uint64_t first = m->first, next = m->first;
    RasError error = {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_SIGBUS,
        .has_addr = true,
        .vcpu = -1,
    };

    if (!cpu && !known && !async) {
        ras_log(s->device, "ras: %" PRIu64 " KiB of the guest's memory at "
                "guest physical address 0x%" PRIx64 " have failed on this "
                "host; the guest learns of that when it uses them",
                m->len / KiB, m->first);
    }
    if (cpu) {
        uint64_t unit = rc->record_pages(s->device) * RAS_PAGE_SIZE;

        if (known && async) {
            /* the guest was notified of all of it, or is about to be */
            unit = RAS_PAGE_SIZE;
        }
        first = MAX(m->first, QEMU_ALIGN_DOWN(m->addr, unit));
        next = MIN(end, first + unit);
        error.synchronous = true;
        error.channel = RAS_CHANNEL_EXCEPTION;
        error.vcpu = cpu->cpu_index;
        error.addr = m->addr;
        error.first = first;
        error.len = next - first;
        if (access) {
            set_access(&error, access);
        } else {
            find_access(s, cpu, &error);
        }
        report(&error);
    }
    /* of what could not be remembered there would be no end */
    if (!known && async && !s->host_memory_full) {
        RasError rest = error;

        rest.synchronous = false;
        rest.channel = RAS_CHANNEL_INTERRUPT;
        rest.vcpu = -1;
        rest.access = RAS_ACCESS_UNKNOWN;
        rest.has_vaddr = false;
        rest.addr = rest.first = m->first;
        rest.len = first - m->first;
        report(&rest);
        rest.addr = rest.first = next;
        rest.len = end - next;
        report(&rest);
    }
}

void ras_host_memory_failed(CPUState *cpu, const RasHostMemory *m,
                            const RasStorageAccess *access)
{
    RasState *s = ras_state();
    bool known = find(s, m->addr);

    if (!known) {
        RasHostMemory new = *m;

        new.told = true;
        remember(s, &new, false);
    }
    if (!s->host_memory_resetting) {
        notify(cpu, m, known, access);
    }
}

/* --- what has no guest physical address from elsewhere -------------------- */

/* Where the guest sees memory: a range of the map, and what is looked for. */
typedef struct Search {
    RAMBlock *block;
    uint64_t offset;
    /* @len bytes of @block from @first on are at @addr; 0: none found yet */
    uint64_t first, len, addr;
} Search;

static bool is_at(Int128 start, Int128 len, const MemoryRegion *mr,
                  hwaddr offset, void *opaque)
{
    Search *search = opaque;

    if (mr->ram_block != search->block || search->offset < offset ||
        search->offset - offset >= int128_get64(len)) {
        return false;
    }
    search->first = offset;
    search->len = int128_get64(len);
    search->addr = int128_get64(start);
    return true;
}

/*
 * The guest physical address of @offset of @rb.  In one RCU critical section
 * and without a change of the memory map, @search, which is empty at first, can
 * be used again: what comes next is often near.
 */
static uint64_t guest_address(Search *search, RAMBlock *rb, uint64_t offset)
{
    search->offset = offset;
    if (search->block != rb || offset - search->first >= search->len) {
        search->block = rb;
        search->len = 0;
        flatview_for_each_range(
            address_space_to_flatview(&address_space_memory), is_at, search);
    }
    return search->len ? search->addr + (offset - search->first) :
                         RAS_NOT_MAPPED;
}

static void add(RasState *s, Search *search, RAMBlock *rb, uint64_t offset,
                uint64_t len, bool moved, bool told)
{
    RasHostMemory m = {
        .first = guest_address(search, rb, offset),
        .len = len,
        .ram_addr = rb->offset + offset,
        .ram_page = qemu_ram_pagesize(rb),
        .moved = moved,
        .told = told,
    };

    m.addr = m.first;
    if (len) {
        remember(s, &m, true);
    }
}

/* Who waits for a page in postcopy may have met it before it is known here. */
static void came_with_it(RasState *s, ram_addr_t start, uint64_t len)
{
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        RasHostMemory *m = &s->host_memory[i];

        m->moved |= m->ram_addr >= start && m->ram_addr + m->len <= start + len;
    }
}

/*
 * What is known is not added again, nor told twice.  @added: bytes that were
 * not known.
 */
static bool add_unknown(RasState *s, Search *search, RAMBlock *rb,
                        uint64_t offset, uint64_t len, bool told,
                        uint64_t *added)
{
    uint64_t at = rb->offset + offset, end = at + len, from, to;

    came_with_it(s, at, len);
    for (; at < end; at = to) {
        /* if there is none, both are @end */
        ras_host_memory_find(at, end - at, &from, &to);
        if (from > at && s->nr_host_memory == RAS_HOST_MEMORY_MAX) {
            return false;
        }
        add(s, search, rb, at - rb->offset, from - at, true, told);
        *added += from - at;
    }
    return true;
}

static bool add_moved(RasState *s, Search *search, const RasMovedMemory *m)
{
    uint64_t added = 0;

    return add_unknown(s, search, m->rb, m->offset, m->len, m->told, &added);
}

/* Of larger pages, the rest fails, too, and the guest thinks that it is good */
static bool add_rest(RasState *s, Search *search, const RasMovedMemory *m)
{
    RAMBlock *rb = m->rb;
    uint64_t page = qemu_ram_pagesize(rb), last = m->offset + m->len;
    uint64_t first = QEMU_ALIGN_DOWN(m->offset, page);
    uint64_t end = QEMU_ALIGN_UP(last, page);
    uint64_t more = 0;

    if (!add_unknown(s, search, rb, first, m->offset - first, false, &more) ||
        !add_unknown(s, search, rb, last, end - last, false, &more)) {
        return false;
    }
    if (more) {
        ras_log(s->device, "ras: %" PRIu64 " KiB more of the guest's memory "
                "fail than on the other host: block '%s', offset 0x%" PRIx64
                ", is in pages of %" PRIu64 " KiB here", more / KiB,
                qemu_ram_get_idstr(rb), first, page / KiB);
    }
    return true;
}

bool ras_host_memory_told(RasDevice *d, uint64_t start, uint64_t *end)
{
    RasState *s = d->state;

    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        const RasHostMemory *m = &s->host_memory[i];

        if (start >= m->ram_addr && start - m->ram_addr < m->len) {
            *end = MIN(*end, m->ram_addr + m->len);
            return m->told;
        }
    }
    return true;
}

bool ras_host_memory_add_moved(RasDevice *d, const RasMovedMemory *moved,
                               unsigned int n)
{
    RasState *s = d->state;
    Search search = { NULL };
    bool all = true;

    RCU_READ_LOCK_GUARD();
    /* first what is said of each, as the rest of a page may have others */
    for (unsigned int i = 0; i < n && all; i++) {
        all = add_moved(s, &search, &moved[i]);
    }
    for (unsigned int i = 0; i < n && all; i++) {
        all = add_rest(s, &search, &moved[i]);
    }
    if (n) {
        /* the memory map changes once, and not with each of them */
        ras_poison_failed_memory(s, true);
    }
    return all;
}

void ras_host_memory_locate(RasState *s)
{
    Search search = { NULL };

    RCU_READ_LOCK_GUARD();
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        RasHostMemory *m = &s->host_memory[i];
        RAMBlock *rb = m->moved ? block_at(m->ram_addr) : NULL;

        if (rb) {
            m->first = m->addr = guest_address(&search, rb,
                                               m->ram_addr - rb->offset);
        }
    }
}

void ras_host_memory_tell(RasDevice *d)
{
    RasState *s = d->state;
    unsigned int nr = 0;
    bool told = false;

    ras_host_memory_locate(s);
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        RasHostMemory *m = &s->host_memory[i];

        if (!m->told && m->first != RAS_NOT_MAPPED) {
            m->told = told = true;
            notify(NULL, m, false, NULL);
        }
    }
    if (told) {
        /* some are one range now */
        for (unsigned int i = 0; i < s->nr_host_memory; i++) {
            RasHostMemory m = s->host_memory[i];

            nr = join(s->host_memory, nr, m);
        }
        set_nr_host_memory(s, nr, NULL);
    }
}

/*
 * Called on any thread, and from signal handlers: no lock, no allocation.  Nor
 * does it look whether that is known: the signal may have come to the thread
 * that changes the list.
 */
void ras_host_memory_note(const void *host, bool met)
{
    RasState *s = ras_state();
    size_t page = qemu_real_host_page_size();
    uintptr_t note = (uintptr_t)host & -page, first = note / page, old;
    ram_addr_t offset;

    if (!s || !qemu_ram_block_from_host((void *)host, false, &offset)) {
        return;
    }
    note |= met ? 0 : NOTE_NOT_MET;
    for (int i = 0; i < NOTES; i++) {
        old = qatomic_cmpxchg(&notes[(first + i) % NOTES], 0, note);
        if (old == note) {
            return;
        }
        if (!old) {
            qatomic_inc(&ras_host_memory_unreadable);
            qemu_bh_schedule(s->note_bh);
            return;
        }
    }
    /* there is no room: without KVM, whoever meets it next, notes it */
    if (kvm_enabled() && !qatomic_xchg(&note_lost, 1)) {
        qatomic_inc(&ras_host_memory_unreadable);
        qemu_bh_schedule(s->note_bh);
    }
}

static void take_notes(void *opaque)
{
    RasState *s = opaque;
    Search search = { NULL };
    ram_addr_t offset;
    uint64_t from, to;
    bool more = false;

    RCU_READ_LOCK_GUARD();
    for (int i = 0; i < NOTES; i++) {
        uintptr_t note = qatomic_xchg(&notes[i], 0);
        void *host = (void *)(note & ~(uintptr_t)NOTE_NOT_MET);
        RAMBlock *rb;

        if (!host) {
            continue;
        }
        rb = qemu_ram_block_from_host(host, false, &offset);
        /* a signal that comes late may name what is good again */
        if (rb && !ras_host_memory_find(rb->offset + offset, 1, &from, &to) &&
            (host == (void *)note || !ras_page_is_good(host))) {
            offset = QEMU_ALIGN_DOWN(offset, qemu_ram_pagesize(rb));
            add(s, &search, rb, offset, qemu_ram_pagesize(rb), false, false);
            more = true;
        }
        qatomic_dec(&ras_host_memory_unreadable);
    }
    if (qatomic_xchg(&note_lost, 0)) {
        kvm_ras_lost();
    }
    if (more) {
        ras_poison_failed_memory(s, true);
        if (!s->host_memory_resetting) {
            ras_host_memory_tell(s->device);
        }
    }
}

/* -------------------------------------------------------------------------- */

void ras_host_memory_why_unreadable(Error **errp)
{
    error_setg(errp, "Can't migrate this vm with hardware poisoned memory: "
               "memory of the guest has failed on this host and cannot "
               "be read; a reset of the guest replaces it");
}

/* A migration is under way, or a snapshot is being made. */
static void block_later(RasState *s)
{
    timer_mod(s->block_timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                              BLOCK_AGAIN_MS);
    if (s->block_waits) {
        return;
    }
    s->block_waits = true;
    warn_report("ras: memory of the guest has failed on this host while it is "
                "migrated or saved; that fails, and the guest runs on here, "
                "unless postcopy has it run elsewhere already");
}

static void stop_waiting(RasState *s)
{
    if (s->block_waits) {
        s->block_waits = false;
        timer_del(s->block_timer);
    }
}

/*
 * Failed memory cannot be read, so the VM cannot be saved.  Adding a migration
 * blocker allocates memory, and is therefore done afterwards.
 */
static void block(void *opaque)
{
    RasState *s = opaque;
    uint64_t bytes = 0;

    if (s->device->move_failed_memory) {
        return;
    }
    if (s->nr_host_blocked == s->nr_host_memory) {
        /* perhaps what it waited for was forgotten meanwhile */
        stop_waiting(s);
        return;
    }
    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        bytes += s->host_memory[i].len;
    }
    migrate_del_blocker(&s->host_blocker);
    s->nr_host_blocked = 0;
    if (bytes) {
        error_setg(&s->host_blocker, "%" PRIu64 " KiB of the guest's memory "
                   "(%u ranges, see 'host-poisoned' in query-ras) have failed "
                   "on this host and cannot be read; a reset of the guest "
                   "replaces them", bytes / KiB, s->nr_host_memory);
        if (migrate_add_blocker_internal(&s->host_blocker, NULL)) {
            block_later(s);
            return;
        }
    }
    stop_waiting(s);
    s->nr_host_blocked = s->nr_host_memory;
}

static void replace(const RasHostMemory *m)
{
    RAMBlock *rb;

    renew(m);
    for (uint64_t done = 0; done < m->len; done += m->ram_page) {
        qemu_ram_remap(m->ram_addr + done);
    }
    /* a migration sends what is there now */
    RCU_READ_LOCK_GUARD();
    rb = block_at(m->ram_addr);
    if (rb) {
        memory_region_set_dirty(rb->mr, m->ram_addr - rb->offset, m->len);
        if (ras_host_memory_replaced) {
            ras_host_memory_replaced(rb, m->ram_addr - rb->offset, m->len);
        }
    }
}

void ras_host_memory_reset(RasState *s)
{
    unsigned int replaced = 0;

    if (ram_block_discard_is_disabled()) {
        /*
         * The IOMMU has the failed pages pinned, and would go on with them.
         * What is not known yet is handled after the reset, as always.
         */
        if (ras_host_memory_is_unreadable()) {
            warn_report("ras: a device is assigned to the guest, so a reset "
                        "does not replace the memory that has failed: it "
                        "fails again when the guest uses it");
        }
        return;
    }
    s->host_memory_resetting = true;
    kvm_ras_take_signals();
    take_notes(s);
    if (!s->nr_host_memory && ras_host_memory_is_unreadable()) {
        /* a vCPU has run into something, and it is not known yet into what */
        kvm_ras_find_failed();
    }
    while (replaced < s->nr_host_memory || s->host_memory_full) {
        if (replaced == s->nr_host_memory) {
            /* now there is room for what is still to be found */
            s->host_memory_full = false;
            set_nr_host_memory(s, 0, NULL);
            replaced = 0;
        }
        /* so that all of it is replaced, and not only what is known */
        kvm_ras_find_failed();
        for (; replaced < s->nr_host_memory; replaced++) {
            replace(&s->host_memory[replaced]);
        }
        /* some may name what is good now, or more */
        kvm_ras_take_signals();
        take_notes(s);
    }
    set_nr_host_memory(s, 0, NULL);
    /* requests that have met it are of before the reset */
    qatomic_set(&ras_copy_failures, 0);
    s->host_memory_resetting = false;
}

void ras_host_memory_init(RasState *s)
{
    s->block_bh = qemu_bh_new(block, s);
    s->note_bh = qemu_bh_new(take_notes, s);
    s->block_timer = timer_new_ms(QEMU_CLOCK_REALTIME, block, s);
}
