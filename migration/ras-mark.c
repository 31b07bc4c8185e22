/*
 * Guest RAS: memory that fails each access, because it has failed elsewhere
 *
 * The kernel (Linux 6.6 and later) marks pages with UFFDIO_POISON: who touches
 * one gets what he gets from failed memory.  A mark is in this mapping of the
 * memory only; it stays when the userfaultfd is closed, and goes with the page:
 * when that is discarded or mapped again, as a reset does.
 *
 * In postcopy, memory has a userfaultfd already, and who waits for a page is to
 * be woken.
 *
 * Older kernels, and memory that they cannot mark, as that in a file of a disk,
 * get a file without any content mapped there.  Who touches it gets SIGBUS,
 * with BUS_ADRERR, and KVM_RUN fails with EFAULT: see kvm_ras_run_failed().
 * Not in postcopy, where pages may be waited for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qemu/madvise.h"
#include "qemu/memfd.h"
#include "qemu/rcu.h"
#include "qemu/units.h"
#include "qemu/userfaultfd.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "migration.h"
#include "options.h"
#include "postcopy-ram.h"
#include "ram.h"
#include "ras-mark.h"
#include "rdma.h"
#include "savevm.h"
#include "hw/ras.h"
#include "system/memory.h"
#include "system/ramblock.h"
#include "system/ramlist.h"
#include "system/ras-copy.h"
#include "system/ras.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

/* Marks are kept from what makes huge pages of small ones. */
#define THP_SIZE (2 * MiB)

static bool in_postcopy(void)
{
    PostcopyState ps = postcopy_state_get();

    /* of memory, and not only of dirty bitmaps */
    return migrate_postcopy_ram() && ps >= POSTCOPY_INCOMING_LISTENING &&
           ps < POSTCOPY_INCOMING_END;
}

/* Who reads pages in one go, as a whole, and expects no failure */
static bool reads_by_itself(void)
{
    MultiFDCompression by = migrate_multifd_compression();

    return migrate_zero_copy_send() ||
           (migrate_multifd() && by != MULTIFD_COMPRESSION_NONE &&
#ifdef CONFIG_ZSTD
            by != MULTIFD_COMPRESSION_ZSTD &&
#endif
            by != MULTIFD_COMPRESSION_ZLIB);
}

bool ras_mark_can_move(void)
{
    return !migrate_rdma() && !migrate_colo() && !reads_by_itself() &&
           /* the source has this very memory: to mark it would replace it */
           !migrate_ignore_shared() && migrate_mode() == MIG_MODE_NORMAL;
}

bool ras_mark_in_snapshot(void)
{
    return migrate_background_snapshot();
}

int ras_mark_send_section(QEMUFile *f, const char *idstr)
{
    return qemu_savevm_send_section(f, idstr);
}

bool ras_mark_ping(QEMUFile *f, uint32_t value)
{
    if (!migrate_get_current()->rp_state.rp_thread_created) {
        return false;
    }
    qemu_savevm_send_ping(f, value);
    return true;
}

static int open_fd(void)
{
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = UFFD_FEATURE_POISON,
    };
    int fd = uffd_open(O_CLOEXEC | UFFD_USER_MODE_ONLY);

    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Can a look at a page say that it is not mapped, and not only missing? */
static bool can_map_empty(Error **errp)
{
#ifdef MADV_POPULATE_READ
    if (migrate_postcopy_ram()) {
        error_setg(errp, "in postcopy, this host cannot mark memory as "
                   "failed: that needs userfaultfd with UFFDIO_POISON, which "
                   "Linux 6.6 and later have; move without 'postcopy-ram'");
        return false;
    }
    if (madvise(NULL, 0, MADV_POPULATE_READ) == 0) {
        return true;
    }
#endif
    error_setg(errp, "this host cannot mark memory as failed: that needs Linux "
               "5.14 or later");
    return false;
}

bool ras_mark_supported(Error **errp)
{
    int fd = open_fd();

    if (fd >= 0) {
        close(fd);
        return true;
    }
    return can_map_empty(errp);
}

/* As the block was mapped; what else it had, qemu_ram_remap() gives it. */
void ras_mark_renew(RAMBlock *rb, uint64_t offset, uint64_t len)
{
#ifdef MADV_POPULATE_READ
    size_t page = qemu_ram_pagesize(rb);
    bool file = rb->fd >= 0;
    int flags = MAP_FIXED |
                (qemu_ram_is_shared(rb) ? MAP_SHARED : MAP_PRIVATE) |
                (qemu_ram_is_noreserve(rb) ? MAP_NORESERVE : 0) |
                (file ? 0 : MAP_ANONYMOUS);

    for (uint64_t at = offset; at < offset + len; at += page) {
        uint8_t *host = rb->host + QEMU_ALIGN_DOWN(at, page);

        if (!qatomic_read(&ras_host_memory_unmapped) ||
            madvise(host, page, MADV_POPULATE_READ) == 0 || errno != EFAULT) {
            continue;
        }
        if (mmap(host, page, PROT_READ | PROT_WRITE, flags, rb->fd,
                 file ? rb->fd_offset + (host - rb->host) : 0) == MAP_FAILED) {
            error_report("ras: cannot map memory of RAM block '%s', offset "
                         "0x%" PRIx64 ", again: %s", rb->idstr, at,
                         strerror(errno));
        }
    }
#endif
}

/* What is to be marked, in whole pages of its block */
typedef struct Piece {
    RAMBlock *rb;
    uint64_t offset, len;
} Piece;

/* Map a file without content in the place of @n pieces; returns 0 or -errno */
static int map_empty(const Piece *p, unsigned int n)
{
    static int empty = -1;

    if (empty < 0) {
        empty = qemu_memfd_create("ras-failed", 0, false, 0, 0, NULL);
    }
    if (empty < 0) {
        return -errno;
    }
    qatomic_set(&ras_host_memory_unmapped, true);
    for (unsigned int i = 0; i < n; i++) {
        RAMBlock *rb = p[i].rb;
        int ret;

        munlock(rb->host + p[i].offset, p[i].len);
        ret = ram_block_discard_range(rb, p[i].offset, p[i].len);
        if (ret || mmap(rb->host + p[i].offset, p[i].len,
                        PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, empty,
                        0) == MAP_FAILED) {
            return ret ?: -errno;
        }
    }
    return 0;
}

/* Small pages of a file: what is not longer is not taken out of it. */
#define KEPT_IN_FILE (16 * KiB)

/*
 * Is it enough to discard this in our mapping?  Another process that maps a
 * file finds zeroes there; to take small pages out of it costs several times as
 * much as to look whether they are zero, as they mostly are.
 */
static bool can_unmap(const Piece *p)
{
    RAMBlock *rb = p->rb;
    uint8_t *host = rb->host + p->offset;

    if (qemu_ram_pagesize(rb) != qemu_real_host_page_size()) {
        return false;
    }
    if (!qemu_ram_is_shared(rb)) {
        return rb->fd < 0;
    }
    return p->len <= KEPT_IN_FILE &&
           (ras_is_zero(host, p->len) == RAS_IS_ZERO ||
            ras_set_guest(host, 0, p->len) == p->len);
}

/* One system call for all of it: Linux 6.13 and later */
static bool unmap_at_once(const struct iovec *iov, unsigned int n)
{
    int self = syscall(__NR_pidfd_open, getpid(), 0);
    ssize_t done = -1;

    if (self >= 0) {
        done = syscall(__NR_process_madvise, self, iov, n, MADV_DONTNEED, 0);
        close(self);
    }
    return done >= 0 && done == iov_size(iov, n);
}

static int unmap(const struct iovec *iov, unsigned int n)
{
    if (unmap_at_once(iov, n)) {
        return 0;
    }
    for (unsigned int i = 0; i < n; i++) {
        void *host = iov[i].iov_base;
        size_t len = iov[i].iov_len;

        /* what is locked cannot be discarded; and failed memory need not be */
        if (madvise(host, len, MADV_DONTNEED) &&
            (munlock(host, len) || madvise(host, len, MADV_DONTNEED))) {
            return -errno;
        }
    }
    return 0;
}

/* Have nothing there, of one block; returns 0 or -errno */
static int take_away(const Piece *p, unsigned int n)
{
    g_autofree struct iovec *iov = g_new(struct iovec, n);
    unsigned int to_unmap = 0;
    int ret = 0;

    for (unsigned int i = 0; i < n && !ret; i++) {
        uint8_t *host = p[i].rb->host + p[i].offset;

        if (can_unmap(&p[i])) {
            iov[to_unmap++] = (struct iovec) { host, p[i].len };
            ras_memory_discarded(p[i].rb, p[i].offset, p[i].len);
        } else {
            munlock(host, p[i].len);
            ret = ram_block_discard_range(p[i].rb, p[i].offset, p[i].len);
        }
    }
    return ret || !to_unmap ? ret : unmap(iov, to_unmap);
}

static int poison(int fd, const Piece *p, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        struct uffdio_poison arg = {
            .range = { (uintptr_t)p[i].rb->host + p[i].offset, p[i].len },
        };

        if (ioctl(fd, UFFDIO_POISON, &arg)) {
            return -errno;
        }
    }
    return 0;
}

/* The kernel drops marks when it makes a huge page of a file's. */
static void keep_small(const Piece *p, unsigned int n)
{
    RAMBlock *rb = p->rb;
    uint64_t done = 0;

    if (!qemu_ram_is_shared(rb)) {
        return;
    }
    for (unsigned int i = 0; i < n; i++) {
        uint64_t first = QEMU_ALIGN_DOWN(p[i].offset, THP_SIZE);
        uint64_t end = MIN(QEMU_ALIGN_UP(p[i].offset + p[i].len, THP_SIZE),
                           rb->max_length);

        first = MAX(first, done);
        if (first < end) {
            qemu_madvise(rb->host + first, end - first,
                         QEMU_MADV_NOHUGEPAGE);
            done = end;
        }
    }
}

/*
 * @n pieces of one block.  It is registered as a whole: nobody uses it now, and
 * pieces would cost more.  That is possible for memory without a file, or with
 * one that is shared.
 */
static bool mark_block(int fd, const Piece *p, unsigned int n, Error **errp)
{
    RAMBlock *rb = p->rb;
    struct uffdio_register reg = {
        .range = {
            .start = (uintptr_t)rb->host,
            .len = QEMU_ALIGN_UP(rb->used_length, qemu_ram_pagesize(rb)),
        },
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    int ret;

    if (fd >= 0 && ioctl(fd, UFFDIO_REGISTER, &reg) == 0) {
        keep_small(p, n);
        ret = take_away(p, n) ?: poison(fd, p, n);
        ioctl(fd, UFFDIO_UNREGISTER, &reg.range);
    } else if (can_map_empty(errp)) {
        ret = map_empty(p, n);
    } else {
        return false;
    }
    if (ret) {
        error_setg_errno(errp, -ret, "cannot mark memory of RAM block '%s' as "
                         "failed", rb->idstr);
    }
    return !ret;
}

/* Nothing of that stays, but the marks. */
static bool mark_all(const Piece *p, unsigned int n, Error **errp)
{
    int fd = open_fd();
    bool done = true;

    for (unsigned int i = 0, end; done && i < n; i = end) {
        end = i + 1;
        while (end < n && p[end].rb == p[i].rb) {
            end++;
        }
        done = mark_block(fd, &p[i], end - i, errp);
    }
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

/* Pages that are there already are taken away first. */
static bool place(const Piece *p, bool fail, Error **errp)
{
    MigrationIncomingState *mis = migration_incoming_get_current();
    RAMBlock *rb = p->rb;
    size_t page = qemu_ram_pagesize(rb);

    if (!rb->receivedmap) {
        /* it is over, but for its state */
        return true;
    }
    for (uint64_t at = p->offset; at < p->offset + p->len; at += page) {
        int ret = 0;

        if (ramblock_recv_bitmap_test_byte_offset(rb, at)) {
            munlock(rb->host + at, page);
            ret = ram_block_discard_range(rb, at, page);
        }
        if (!ret) {
            ret = fail ? postcopy_poison_page(mis, rb->host + at, rb) :
                         postcopy_place_page_zero(mis, rb->host + at, rb);
        }
        if (fail && ret == -EEXIST) {
            /* the main thread, or that which loads memory, was faster */
            ret = 0;
        }
        if (ret) {
            error_setg(errp, "cannot mark memory of RAM block '%s', offset 0x%"
                       PRIx64 ", as failed, in postcopy", rb->idstr, at);
            return false;
        }
    }
    return true;
}

static bool place_all(const Piece *p, unsigned int n, bool fail, Error **errp)
{
    for (unsigned int i = 0; i < n; i++) {
        if (!place(&p[i], fail, errp)) {
            return false;
        }
    }
    return true;
}

/* In whole pages, none of them twice; returns how many pieces there are. */
static unsigned int find_pieces(Piece *p, const RasMovedMemory *m,
                                unsigned int n)
{
    unsigned int pieces = 0;

    for (unsigned int i = 0; i < n; i++) {
        size_t page = qemu_ram_pagesize(m[i].rb);
        uint64_t first = QEMU_ALIGN_DOWN(m[i].offset, page);
        uint64_t end = QEMU_ALIGN_UP(m[i].offset + m[i].len, page);

        if (pieces && p[pieces - 1].rb == m[i].rb) {
            first = MAX(first, p[pieces - 1].offset + p[pieces - 1].len);
        }
        if (first < end) {
            p[pieces++] = (Piece) { m[i].rb, first, end - first };
        }
    }
    return pieces;
}

static void warn_of_others(const Piece *p, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        if (qemu_ram_is_shared(p[i].rb) && p[i].rb->fd >= 0) {
            warn_report_once("ras: memory of RAM block '%s' has failed; if "
                             "another process maps it, that does not see it "
                             "fail", p[i].rb->idstr);
        }
    }
}

bool ras_mark(const RasMovedMemory *moved, unsigned int n, bool fail,
              Error **errp)
{
    g_autofree Piece *p = g_new(Piece, n);

    n = find_pieces(p, moved, n);
    if (fail) {
        warn_of_others(p, n);
    }
    if (in_postcopy()) {
        return place_all(p, n, fail, errp);
    }
    return !fail || !n || mark_all(p, n, errp);
}
