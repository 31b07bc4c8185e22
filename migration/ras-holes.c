/*
 * Guest RAS: failed memory moves with the VM
 *
 * Pages that have failed are holes: the source does not read them, or finds out
 * while it does, and sends zeroes in their place.  Where they are is in section
 * "ras/holes", which is sent
 *
 *   announced   as soon as memory is known to have failed: who cannot load the
 *               section, or have holes, says so before it is too late.  The
 *               list is empty.  A ping follows; postcopy waits for its answer;
 *   with the    state of the other devices, when all of memory was sent;
 *   late        for what is found after that: in postcopy, and in a background
 *               snapshot, whose state is from before its memory.
 *
 * The destination has the holes fail (migration/ras-mark.c; poison.c without
 * KVM), and puts them on the list of failed memory (host-memory.c).
 *
 * What threads of the migration find is in bitmaps with a bit a page, set and
 * cleared without a lock: a page that is good again, after a reset, is dirty,
 * and is a hole no longer when it is sent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "qemu/iov.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/rcu.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "io/channel-guard.h"
#include "migration/qemu-file.h"
#include "migration/ras-mark.h"
#include "migration/vmstate.h"
#include "system/hostmem.h"
#include "system/memory.h"
#include "system/ramblock.h"
#include "system/ramlist.h"
#include "system/ras-copy.h"
#include "system/ras-holes.h"
#include "system/system.h"
#include "system/tcg.h"
#include "hw/ras.h"

/* A hole in RAM block number @block of the section; bytes */
typedef struct RasHole {
    uint32_t block;
    uint64_t start, len;
    bool told;                  /* the guest knows */
} RasHole;

typedef struct RasHoleBlock {
    uint8_t idstr[256];
} RasHoleBlock;

/* Other pings have small numbers. */
#define PING 0x7261732f

typedef enum RasHolesWhen {
    HOLES_WITH_STATE,
    HOLES_ANNOUNCED,
    HOLES_LATE,
} RasHolesWhen;

/*
 * The section.  Each time it is saved or loaded there is one of these: in
 * postcopy, another thread loads what is late.
 */
typedef struct RasHoles {
    const RasHolesWhen *parent;
    bool announced;
    int32_t nr_blocks, nr_holes;
    RasHoleBlock block[RAS_HOST_MEMORY_MAX];
    RasHole hole[RAS_HOST_MEMORY_MAX];
} RasHoles;

/* What has been found in a block of the migration that is under way. */
typedef struct RasHoleMap {
    RAMBlock *rb;               /* NULL when it was unplugged */
    bool of_guest;
    unsigned long *failed;      /* zeroes are sent for these pages */
    unsigned long *sent;        /* these are in a section */
} RasHoleMap;

bool ras_holes_moved, ras_holes_unwanted, ras_holes_in_postcopy,
    ras_holes_read_once;

static RasHolesWhen when;      /* the next section is saved */
static RasHoleMap *map;
static unsigned int nr_maps;
static int found;               /* any page at all */
static int unsent;              /* and one that is in no section yet */
static uint8_t *page_read;      /* for ras_holes_read(): one a channel */
static bool announced;
static bool in_snapshot;        /* one that is made in the background */
static int accepted;            /* the destination has loaded that */
static unsigned int run;        /* which migration this is */

/* Of devices and firmware, QEMU reads memory without a copy. */
static bool is_guest_ram(RAMBlock *rb)
{
    return object_dynamic_cast(memory_region_owner(rb->mr),
                               TYPE_MEMORY_BACKEND);
}

/* --- what is found: any thread, no lock ---------------------------------- */

static RasHoleMap *find_map(RAMBlock *rb)
{
    for (unsigned int i = 0; i < nr_maps; i++) {
        if (map[i].rb == rb) {
            return &map[i];
        }
    }
    return NULL;
}

static void set_hole(RAMBlock *rb, uint64_t offset)
{
    RasHoleMap *m = find_map(rb);
    unsigned long page = offset >> qemu_target_page_bits();

    if (!m) {
        return;
    }
    set_bit_atomic(page, m->failed);
    if (!test_bit(page, m->sent)) {
        qatomic_set(&unsent, 1);
    }
    if (!qatomic_xchg(&found, 1)) {
        /* so that all pages are looked at, also if this one is made good */
        qatomic_inc(&ras_host_memory_unreadable);
    }
}

bool ras_holes_check_slow(RAMBlock *rb, uint64_t offset)
{
    size_t page = qemu_target_page_size();
    uint64_t nr = offset >> qemu_target_page_bits(), from, to;
    RasHoleMap *m = find_map(rb);
    bool known = ras_host_memory_find(rb->offset + offset, page, &from, &to);

    if (!known && (!m || !test_bit(nr, m->failed))) {
        /* who reads it will find out */
        return false;
    }
    if (known || in_snapshot || !ras_can_read(rb->host + offset, page)) {
        set_hole(rb, offset);
        return true;
    }
    clear_bit_atomic(nr, m->failed);
    return false;
}

bool ras_holes_is_hole(RAMBlock *rb, uint64_t offset)
{
    RasHoleMap *m = find_map(rb);

    return m && test_bit(offset >> qemu_target_page_bits(), m->failed);
}

uint8_t *ras_holes_read(RAMBlock *rb, uint64_t offset, unsigned int channel)
{
    size_t page = qemu_target_page_size();
    uint8_t *buf = page_read + channel * page;

    if ((ras_host_memory_is_unreadable() && ras_holes_check_slow(rb, offset)) ||
        ras_copy_from_guest(buf, rb->host + offset, page) < page) {
        set_hole(rb, offset);
        return NULL;
    }
    return buf;
}

bool ras_holes_is_zero_slow(RAMBlock *rb, const void *host, size_t len)
{
    if (!ras_holes_moved && ras_holes_in_postcopy) {
        /* nobody would know that it has failed: QEMU ends */
        return buffer_is_zero(host, len);
    }
    /* in precopy, ras_holes_refused() ends the migration */
    set_hole(rb, (const uint8_t *)host - rb->host);
    return true;
}

void ras_holes_copy_slow(void *to, RAMBlock *rb, const void *host, size_t len)
{
    uint64_t offset = (const uint8_t *)host - rb->host;
    uint64_t first, end;
    size_t done = 0;

    if (!ras_host_memory_is_unreadable() ||
        !ras_host_memory_find(rb->offset + offset, len, &first, &end)) {
        done = ras_copy_from_guest(to, host, len);
    }
    if (done < len) {
        memset(to, 0, len);
        set_hole(rb, QEMU_ALIGN_DOWN(offset, qemu_target_page_size()));
    }
}

/*
 * Each thread that writes has a buffer, until it ends: malloc() may map memory
 * of that size anew for each write, which costs more than the copy.
 */
typedef struct CopyBuffer {
    size_t size;
    void *data;
} CopyBuffer;

static void free_buffer(void *opaque)
{
    CopyBuffer *b = opaque;

    qemu_vfree(b->data);
    g_free(b);
}

static GPrivate copy_buffer = G_PRIVATE_INIT(free_buffer);

/* Aligned for O_DIRECT.  Returns NULL if there is no memory for it. */
static void *get_buffer(size_t size)
{
    CopyBuffer *b = g_private_get(&copy_buffer);

    if (!b) {
        b = g_new0(CopyBuffer, 1);
        g_private_set(&copy_buffer, b);
    }
    if (b->size < size) {
        qemu_vfree(b->data);
        b->size = pow2ceil(size);
        b->data = qemu_try_memalign(qemu_real_host_page_size(), b->size);
        if (!b->data) {
            b->size = 0;
        }
    }
    return b->data;
}

/* The block that @iov is in, or NULL: no memory of the guest */
static RAMBlock *find_block(const struct iovec *iov)
{
    for (unsigned int i = 0; i < nr_maps; i++) {
        RAMBlock *rb = qatomic_read(&map[i].rb);

        if (rb &&
            (uintptr_t)iov->iov_base - (uintptr_t)rb->host < rb->max_length) {
            return rb;
        }
    }
    return NULL;
}

static bool any_of_guest(const struct iovec *iov, size_t niov)
{
    for (size_t i = 0; i < niov; i++) {
        if (find_block(&iov[i])) {
            return true;
        }
    }
    return false;
}

static void copy_pages(uint8_t *to, RAMBlock *rb, const uint8_t *host,
                       size_t len)
{
    size_t page = qemu_target_page_size(), n;

    for (; len; to += n, host += n, len -= n) {
        n = MIN(len, page - ((host - rb->host) & (page - 1)));
        ras_holes_copy_slow(to, rb, host, n);
    }
}

/*
 * Copy all of @iov, if there is memory of the guest in it, and room.  In one
 * piece, the kernel is done with it faster than with many, which makes up for
 * most of what the copy costs.
 */
static bool copy_iov(const struct iovec *iov, size_t niov, struct iovec *copy)
{
    uint8_t *p;

    RCU_READ_LOCK_GUARD();
    if (!any_of_guest(iov, niov)) {
        return false;
    }
    *copy = (struct iovec) { .iov_len = iov_size(iov, niov) };
    copy->iov_base = p = get_buffer(copy->iov_len);
    if (!p) {
        return false;
    }
    for (size_t i = 0; i < niov; i++) {
        RAMBlock *rb = find_block(&iov[i]);

        if (rb) {
            copy_pages(p, rb, iov[i].iov_base, iov[i].iov_len);
        } else {
            memcpy(p, iov[i].iov_base, iov[i].iov_len);
        }
        p += iov[i].iov_len;
    }
    return true;
}

/* Without failed memory, only who reads it in user space gets a copy. */
static bool guard(const struct iovec *iov, size_t niov, QIOChannelGuardWhy why,
                  struct iovec *copy)
{
    if (why == QIO_CHANNEL_GUARD_KERNEL && !ras_host_memory_is_unreadable()) {
        return false;
    }
    return copy_iov(iov, niov, copy);
}

static size_t dump_lost;

void ras_dump_read(void *to, const void *host, size_t len)
{
    size_t page = qemu_real_host_page_size(), n;

    for (; len; to += n, host += n, len -= n) {
        n = ras_copy_from_guest(to, host, len);
        if (!n) {
            n = MIN(len, page - (uintptr_t)host % page);
            memset(to, 0, n);
            qatomic_add(&dump_lost, n);
        }
    }
}

void ras_dump_lost(const char *what, uint64_t lost)
{
    lost += qatomic_xchg(&dump_lost, 0);
    if (lost) {
        warn_report("ras: %s: zeroes are in the place of %" PRIu64 " bytes of "
                    "the guest's memory, which has failed", what, lost);
    }
}

/* --- a migration --------------------------------------------------------- */

/* What threads use that may still be there stays until the next one. */
static void end(void)
{
    /* of the main thread */
    g_private_replace(&copy_buffer, NULL);
    ras_holes_moved = ras_holes_in_postcopy = ras_holes_read_once = false;
    announced = false;
    qatomic_set(&accepted, 0);
    qatomic_set(&qio_channel_guard, NULL);
    qatomic_set(&unsent, 0);
    if (qatomic_xchg(&found, 0)) {
        qatomic_dec(&ras_host_memory_unreadable);
    }
}

static void end_later(void *opaque)
{
    if (run == (uintptr_t)opaque) {
        end();
    }
}

/* Threads of the migration are joined after that; a bottom half comes later. */
void ras_holes_end(void)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), end_later,
                            (void *)(uintptr_t)run);
}

static void forget_last(void)
{
    run++;
    end();
    for (unsigned int i = 0; i < nr_maps; i++) {
        g_free(map[i].failed);
        g_free(map[i].sent);
    }
    g_clear_pointer(&map, g_free);
    g_clear_pointer(&page_read, g_free);
    nr_maps = 0;
}

bool ras_holes_begin(Error **errp)
{
    RasDevice *d = ras_get();
    unsigned int n = 0;
    RAMBlock *rb;

    forget_last();
    ras_holes_moved = d && ras_mark_can_move();
    ras_holes_unwanted = !ras_holes_moved || !d->move_failed_memory;
    if (ras_holes_refused()) {
        ras_host_memory_why_unreadable(errp);
        return false;
    }
    if (!ras_holes_moved) {
        return true;
    }
    RCU_READ_LOCK_GUARD();
    RAMBLOCK_FOREACH(rb) {
        n++;
    }
    map = g_new0(RasHoleMap, n);
    page_read = g_malloc(RAS_HOLES_CHANNELS * qemu_target_page_size());
    RAMBLOCK_FOREACH(rb) {
        unsigned long pages = rb->max_length >> qemu_target_page_bits();

        if (qemu_ram_is_migratable(rb)) {
            /* without holes, nothing of these is touched */
            map[nr_maps++] = (RasHoleMap) {
                .rb = rb,
                .of_guest = is_guest_ram(rb),
                .failed = bitmap_new(pages),
                .sent = bitmap_new(pages),
            };
        }
    }
    in_snapshot = ras_mark_in_snapshot();
    qatomic_set(&qio_channel_guard, guard);
    return true;
}

int ras_holes_refuse(QEMUFile *f)
{
    Error *err = NULL;

    ras_host_memory_why_unreadable(&err);
    qemu_file_set_error_obj(f, -EIO, err);
    return -EIO;
}

void ras_holes_resume(void)
{
    /* what has not arrived is dirty again, and read again when it is sent */
    RCU_READ_LOCK_GUARD();
    for (unsigned int i = 0; i < nr_maps; i++) {
        RasHoleMap m = map[i];
        uint64_t nr, page;

        if (!m.rb) {
            continue;
        }
        nr = qemu_ram_get_used_length(m.rb) >> qemu_target_page_bits();
        for (page = find_first_bit(m.failed, nr); page < nr;
             page = find_next_bit(m.failed, nr, page + 1)) {
            if (m.rb->bmap && test_bit(page, m.rb->bmap)) {
                clear_bit_atomic(page, m.failed);
                clear_bit_atomic(page, m.sent);
            }
        }
    }
}

bool ras_holes_unsent(void)
{
    return qatomic_read(&unsent);
}

int ras_holes_send(QEMUFile *f, bool announce)
{
    int ret;

    if (!announce && ras_holes_refused()) {
        return ras_holes_refuse(f);
    }
    if (!ras_holes_moved ||
        (announce ? announced || ras_holes_unwanted ||
                    !ras_host_memory_is_unreadable() :
                    !qatomic_xchg(&unsent, 0))) {
        return 0;
    }
    announced |= announce;
    when = announce ? HOLES_ANNOUNCED : HOLES_LATE;
    do {
        ret = ras_mark_send_section(f, "ras/holes");
        /* there may be more than one can have */
    } while (!ret && !announce && qatomic_xchg(&unsent, 0));
    when = HOLES_WITH_STATE;
    if (!ret && announce && !ras_mark_ping(f, PING)) {
        /* nobody answers: no postcopy */
        qatomic_set(&accepted, 1);
    }
    return ret;
}

void ras_holes_pong(uint32_t value)
{
    if (value == PING) {
        qatomic_set(&accepted, 1);
    }
}

bool ras_holes_can_postcopy(void)
{
    /* what was announced can be on its way when a reset makes memory good */
    return announced ? qatomic_read(&accepted) :
                       !ras_host_memory_is_unreadable();
}

/* --- saving -------------------------------------------------------------- */

static bool put_hole(RasHoles *h, RasHoleMap *m, uint64_t start, uint64_t end,
                     bool told)
{
    int bits = qemu_target_page_bits();
    RasHole *last = h->nr_holes ? &h->hole[h->nr_holes - 1] : NULL;
    bool same = h->nr_blocks &&
        !strcmp((char *)h->block[h->nr_blocks - 1].idstr, m->rb->idstr);

    if (last && same && last->block == h->nr_blocks - 1 &&
        last->start + last->len == start && last->told == told) {
        last->len += end - start;
    } else if (h->nr_holes == RAS_HOST_MEMORY_MAX) {
        return false;
    } else {
        if (!same) {
            strpadcpy((char *)h->block[h->nr_blocks++].idstr,
                      sizeof(h->block[0].idstr), m->rb->idstr, 0);
        }
        h->hole[h->nr_holes++] = (RasHole) {
            h->nr_blocks - 1, start, end - start, told
        };
    }
    bitmap_set(m->sent, start >> bits,
               (QEMU_ALIGN_UP(end, 1ULL << bits) - start) >> bits);
    return true;
}

/*
 * Is this page, that was found, for the section?  A late one has what is in no
 * section yet.  What is still to be sent, or in postcopy will be read again, is
 * not: a reset may have made it good.
 */
static bool belongs(const RasHoleMap *m, uint64_t page)
{
    return !(when == HOLES_LATE && test_bit(page, m->sent)) &&
           !(m->rb->bmap && test_bit(page, m->rb->bmap));
}

/* The first such pages from @at on: [@start, @end), all of them pages */
static void next_found(const RasHoleMap *m, uint64_t at, uint64_t nr,
                       uint64_t *start, uint64_t *end)
{
    *start = find_next_bit(m->failed, nr, at);
    while (*start < nr && !belongs(m, *start)) {
        *start = find_next_bit(m->failed, nr, *start + 1);
    }
    *end = *start;
    while (*end < nr && test_bit(*end, m->failed) && belongs(m, *end)) {
        ++*end;
    }
}

/* In order: memory that is known to have failed, and what has been found. */
static bool put_holes(RasHoles *h, RasHoleMap *m)
{
    uint64_t size = qemu_ram_get_used_length(m->rb);
    uint64_t start = 0, end = 0, known, known_end;
    int bits = qemu_target_page_bits();

    for (uint64_t at = 0; at < size; ) {
        if (at >= end) {
            next_found(m, at >> bits, size >> bits, &start, &end);
            start <<= bits;
            end <<= bits;
        }
        start = MAX(start, at);
        if (when == HOLES_LATE ||
            !ras_host_memory_find(m->rb->offset + at, size - at, &known,
                                  &known_end)) {
            known = size;
        } else {
            known -= m->rb->offset;
            known_end = MIN(known_end, m->rb->offset + size);
        }
        if (known < size && known <= start) {
            bool told = ras_host_memory_told(ras_get(), m->rb->offset + known,
                                             &known_end);

            at = known_end - m->rb->offset;
            if (!put_hole(h, m, known, at, told)) {
                return false;
            }
        } else if (start < size) {
            at = MIN(end, known);
            if (!put_hole(h, m, start, at, false)) {
                return false;
            }
        } else {
            break;
        }
    }
    return true;
}

static int pre_save(void *opaque)
{
    RasHoles *h = opaque;

    h->nr_blocks = h->nr_holes = 0;
    h->announced = when == HOLES_ANNOUNCED;
    if (when == HOLES_WITH_STATE) {
        qatomic_set(&unsent, 0);
    }
    RCU_READ_LOCK_GUARD();
    for (unsigned int i = 0; i < nr_maps && !h->announced; i++) {
        RasHoleMap m = map[i];
        int before = h->nr_holes;

        /* it, or the device that it belonged to, may have been unplugged */
        if (!m.rb || !qemu_ram_is_migratable(m.rb)) {
            continue;
        }
        if (!put_holes(h, &m)) {
            if (when == HOLES_LATE) {
                qatomic_set(&unsent, 1);
                return 0;
            }
            error_report("ras: Can't migrate this vm with hardware poisoned "
                         "memory: there are more than %d ranges of it",
                         RAS_HOST_MEMORY_MAX);
            return -E2BIG;
        }
        if (h->nr_holes > before && !m.of_guest) {
            error_report("ras: Can't migrate this vm with hardware poisoned "
                         "memory: RAM block '%s', which belongs to a device, "
                         "has some", m.rb->idstr);
            return -ENOTSUP;
        }
    }
    return 0;
}

static bool is_needed(void *opaque)
{
    return ras_holes_moved &&
           (when != HOLES_WITH_STATE ||
            (ras_host_memory_is_unreadable() && !ras_holes_unwanted));
}

/* --- loading ------------------------------------------------------------- */

static bool find_blocks(const RasHoles *h, RAMBlock **rb, Error **errp)
{
    for (int i = 0; i < h->nr_blocks; i++) {
        const char *idstr = (char *)h->block[i].idstr;

        if (!memchr(idstr, 0, sizeof(h->block[i].idstr))) {
            error_setg(errp, "a RAM block has no name");
            return false;
        }
        rb[i] = qemu_ram_block_by_name(idstr);
        if (!rb[i] || !qemu_ram_is_migratable(rb[i])) {
            error_setg(errp, "unknown RAM block '%s'", idstr);
            return false;
        }
        if (!is_guest_ram(rb[i])) {
            error_setg(errp, "RAM block '%s' belongs to a device", idstr);
            return false;
        }
        for (int j = 0; j < i; j++) {
            if (rb[j] == rb[i]) {
                error_setg(errp, "RAM block '%s' is there twice", idstr);
                return false;
            }
        }
    }
    return true;
}

static bool check_hole(const RasHoles *h, int i, RAMBlock **rb, Error **errp)
{
    const RasHole *hole = &h->hole[i], *last = i ? hole - 1 : NULL;
    uint64_t size;

    if (hole->block >= h->nr_blocks) {
        error_setg(errp, "hole %d is in block %u of %d", i, hole->block,
                   h->nr_blocks);
        return false;
    }
    size = qemu_ram_get_used_length(rb[hole->block]);
    if (!hole->len || hole->start % RAS_PAGE_SIZE ||
        hole->len % RAS_PAGE_SIZE) {
        error_setg(errp, "hole %d, 0x%" PRIx64 " bytes at 0x%" PRIx64 ", is "
                   "not of whole pages", i, hole->len, hole->start);
        return false;
    }
    if (hole->start >= size || hole->len > size - hole->start) {
        error_setg(errp, "hole %d, 0x%" PRIx64 " bytes at 0x%" PRIx64 ", is "
                   "not in RAM block '%s', which has 0x%" PRIx64, i, hole->len,
                   hole->start, h->block[hole->block].idstr, size);
        return false;
    }
    if (last && (hole->block < last->block ||
                 (hole->block == last->block &&
                  hole->start < last->start + last->len))) {
        error_setg(errp, "hole %d, at 0x%" PRIx64 ", overlaps the one before, "
                   "or is not in order", i, hole->start);
        return false;
    }
    return true;
}

typedef struct LateHoles {
    unsigned int n;
    RasMovedMemory moved[];
} LateHoles;

static void add_late(void *opaque)
{
    g_autofree LateHoles *late = opaque;
    RasDevice *d = ras_get();

    if (!ras_host_memory_add_moved(d, late->moved, late->n)) {
        error_report("ras: no room in the list of failed memory");
    }
    ras_host_memory_tell(d);
}

/*
 * In postcopy this is not the main thread, and whoever has the BQL may wait for
 * a page.
 */
static bool add_holes(const RasHoles *h, RAMBlock **rb, Error **errp)
{
    ERRP_GUARD();
    g_autofree LateHoles *l = NULL;
    bool late = !bql_locked();

    if (!h->nr_holes) {
        return true;
    }
    l = g_malloc(sizeof(*l) + h->nr_holes * sizeof(l->moved[0]));
    l->n = h->nr_holes;
    for (int i = 0; i < h->nr_holes; i++) {
        const RasHole *hole = &h->hole[i];

        l->moved[i] = (RasMovedMemory) {
            rb[hole->block], hole->start, hole->len, hole->told
        };
    }
    /* TCG has poison, but not yet for who waits for the page */
    if (!ras_mark(l->moved, l->n, late || !tcg_enabled(), errp)) {
        if (!late || !tcg_enabled()) {
            return false;
        }
        error_free(*errp);
        *errp = NULL;
        if (!ras_mark(l->moved, l->n, false, errp)) {
            return false;
        }
    }
    if (late) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), add_late,
                                g_steal_pointer(&l));
    } else if (!ras_host_memory_add_moved(ras_get(), l->moved, l->n)) {
        error_setg(errp, "there are more than %d ranges",
                   RAS_HOST_MEMORY_MAX);
        return false;
    }
    return true;
}

static bool load(RasHoles *h, Error **errp)
{
    g_autofree RAMBlock **rb = g_new(RAMBlock *, RAS_HOST_MEMORY_MAX);

    RCU_READ_LOCK_GUARD();
    if (!ras_get()) {
        error_setg(errp, "this machine has no guest RAS");
        return false;
    }
    if (!tcg_enabled() && !ras_mark_supported(errp)) {
        return false;
    }
    if (!find_blocks(h, rb, errp)) {
        return false;
    }
    for (int i = 0; i < h->nr_holes; i++) {
        if (!check_hole(h, i, rb, errp)) {
            return false;
        }
    }
    return add_holes(h, rb, errp);
}

static int pre_load(void *opaque)
{
    RasHoles *h = opaque;

    h->nr_blocks = h->nr_holes = 0;
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    RasHoles *h = opaque;
    Error *err = NULL;

    if (!load(h, &err)) {
        error_reportf_err(err, "ras: cannot load failed memory: ");
    }
    return err ? -EINVAL : 0;
}

static bool blocks_are_bounded(void *opaque, int version_id)
{
    RasHoles *h = opaque;

    return h->nr_blocks >= 0 && h->nr_blocks <= RAS_HOST_MEMORY_MAX;
}

static bool holes_are_bounded(void *opaque, int version_id)
{
    RasHoles *h = opaque;

    return h->nr_holes >= 0 && h->nr_holes <= RAS_HOST_MEMORY_MAX;
}

static const VMStateDescription vmstate_block = {
    .name = "ras/holes/block",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BUFFER(idstr, RasHoleBlock),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_hole = {
    .name = "ras/holes/hole",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(block, RasHole),
        VMSTATE_UINT64(start, RasHole),
        VMSTATE_UINT64(len, RasHole),
        VMSTATE_BOOL(told, RasHole),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_list = {
    .name = "ras/holes/list",
    .pre_save = pre_save,
    .pre_load = pre_load,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(announced, RasHoles),
        VMSTATE_INT32(nr_blocks, RasHoles),
        VMSTATE_VALIDATE("number of RAM blocks", blocks_are_bounded),
        VMSTATE_STRUCT_VARRAY_INT32(block, RasHoles, nr_blocks, 0,
                                    vmstate_block, RasHoleBlock),
        VMSTATE_INT32(nr_holes, RasHoles),
        VMSTATE_VALIDATE("number of holes", holes_are_bounded),
        VMSTATE_STRUCT_VARRAY_INT32(hole, RasHoles, nr_holes, 0,
                                    vmstate_hole, RasHole),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_holes = {
    .name = "ras/holes",
    .version_id = 1,
    .minimum_version_id = 1,
    /* when devices read the guest's memory as they are loaded, it fails */
    .priority = MIG_PRI_MAX,
    .needed = is_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_WITH_TMP(const RasHolesWhen, RasHoles, vmstate_list),
        VMSTATE_END_OF_LIST()
    },
};

/* A snapshot is of before the reset: what it has not saved yet is lost. */
static void keep_lost(RAMBlock *rb, uint64_t offset, uint64_t len)
{
    int bits = qemu_target_page_bits();

    for (uint64_t at = offset; at < offset + len; at += 1ULL << bits) {
        if (rb->bmap && test_bit(at >> bits, rb->bmap)) {
            set_hole(rb, at);
        }
    }
}

/* A page that comes in postcopy has to be there, or is waited for. */
static void replaced(RAMBlock *rb, uint64_t offset, uint64_t len)
{
    RasMovedMemory m = { rb, offset, len };

    ras_mark(&m, 1, false, NULL);
    if (ras_holes_moved && in_snapshot) {
        keep_lost(rb, offset, len);
    }
}

/* The guest has no use for what it has given back, good or not. */
static void discarded(RAMBlock *rb, uint64_t offset, uint64_t len)
{
    RasHoleMap *m = find_map(rb);
    int bits = qemu_target_page_bits();

    if (m && ras_holes_moved && qatomic_read(&found)) {
        uint64_t first = QEMU_ALIGN_UP(offset, 1ULL << bits) >> bits;
        uint64_t end = (offset + len) >> bits;

        for (; first < end; first++) {
            clear_bit_atomic(first, m->failed);
        }
    }
}

/* Memory that is unplugged; who looks at it is in an RCU critical section. */
static void block_removed(RAMBlockNotifier *notifier, void *host, size_t size,
                          size_t max_size)
{
    for (unsigned int i = 0; i < nr_maps; i++) {
        RAMBlock *rb = map[i].rb;

        if (rb && rb->host == host) {
            qatomic_set(&map[i].rb, NULL);
        }
    }
}

/*
 * QEMU numbers the sections in the order in which they are registered.  After
 * those of the machine, ours does not change the numbers of stock QEMU.
 */
static void register_section(Notifier *notifier, void *data)
{
    vmstate_register(NULL, 0, &vmstate_holes, &when);
}

void ras_holes_init(void)
{
    static Notifier machine_done = { .notify = register_section };
    static RAMBlockNotifier blocks = { .ram_block_removed = block_removed };

    ras_host_memory_renew = ras_mark_renew;
    ras_host_memory_discarded = discarded;
    ras_host_memory_replaced = replaced;
    ram_block_notifier_add(&blocks);
    qemu_add_machine_init_done_notifier(&machine_done);
}
