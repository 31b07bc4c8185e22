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
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/madvise.h"
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
#include "system/memory.h"
#include "system/ramblock.h"
#include "system/ramlist.h"
#include <sys/ioctl.h>
#include <linux/userfaultfd.h>

/* Marks are kept from what makes huge pages of small ones. */
#define THP_SIZE (2 * MiB)

static bool in_postcopy(void)
{
    PostcopyState ps = postcopy_state_get();

    return ps >= POSTCOPY_INCOMING_LISTENING && ps < POSTCOPY_INCOMING_END;
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

/*
 * From the first mark to ras_mark_done(); nothing of it stays then.  The block
 * is registered as a whole: nobody uses it now, and pieces would cost more.
 */
static int mark_fd = -1;
static RAMBlock *registered;

static int open_fd(Error **errp)
{
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = UFFD_FEATURE_POISON,
    };
    int fd = uffd_open(O_CLOEXEC | UFFD_USER_MODE_ONLY);

    if (fd < 0) {
        error_setg_errno(errp, errno, "this host cannot mark memory as failed: "
                         "there is no userfaultfd");
        return -1;
    }
    if (ioctl(fd, UFFDIO_API, &api)) {
        error_setg(errp, "this host cannot mark memory as failed: that "
                   "needs UFFDIO_POISON, which Linux 6.6 and later have");
        close(fd);
        return -1;
    }
    return fd;
}

bool ras_mark_supported(Error **errp)
{
    int fd = open_fd(errp);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static struct uffdio_range whole(RAMBlock *rb)
{
    return (struct uffdio_range) {
        .start = (uintptr_t)rb->host,
        .len = QEMU_ALIGN_UP(rb->used_length, qemu_ram_pagesize(rb)),
    };
}

static void unregister(void)
{
    struct uffdio_range range;

    if (registered) {
        range = whole(registered);
        ioctl(mark_fd, UFFDIO_UNREGISTER, &range);
        registered = NULL;
    }
}

static bool register_block(RAMBlock *rb, Error **errp)
{
    struct uffdio_register reg = {
        .range = whole(rb),
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };

    if (mark_fd < 0) {
        mark_fd = open_fd(errp);
    }
    if (mark_fd < 0 || registered == rb) {
        return mark_fd >= 0;
    }
    unregister();
    if (ioctl(mark_fd, UFFDIO_REGISTER, &reg)) {
        error_setg_errno(errp, errno, "RAM block '%s', of which memory has "
                         "failed, is of a kind that cannot be marked",
                         rb->idstr);
        return false;
    }
    registered = rb;
    return true;
}

static bool mark(RAMBlock *rb, uint64_t offset, uint64_t len, Error **errp)
{
    uint8_t *host = rb->host + offset;
    struct uffdio_poison poison = { .range = { (uintptr_t)host, len } };
    int ret;

    if (!register_block(rb, errp)) {
        return false;
    }
    if (qemu_ram_is_shared(rb)) {
        /* the kernel drops marks when it makes a huge page of the file */
        uint64_t first = QEMU_ALIGN_DOWN(offset, THP_SIZE);
        uint64_t end = MIN(QEMU_ALIGN_UP(offset + len, THP_SIZE),
                           rb->max_length);

        qemu_madvise(rb->host + first, end - first, QEMU_MADV_NOHUGEPAGE);
    }
    /* what is locked cannot be discarded; and failed memory need not be */
    munlock(host, len);
    ret = ram_block_discard_range(rb, offset, len);
    if (ret || ioctl(mark_fd, UFFDIO_POISON, &poison)) {
        error_setg_errno(errp, ret ? -ret : errno, "cannot mark memory of "
                         "RAM block '%s', offset 0x%" PRIx64 ", as failed",
                         rb->idstr, offset);
        return false;
    }
    return true;
}

void ras_mark_done(void)
{
    if (mark_fd >= 0) {
        unregister();
        close(mark_fd);
        mark_fd = -1;
    }
}

/* Pages that are there already are taken away first. */
static bool place(RAMBlock *rb, uint64_t offset, uint64_t len, bool fail,
                  Error **errp)
{
    MigrationIncomingState *mis = migration_incoming_get_current();
    size_t page = qemu_ram_pagesize(rb);

    for (uint64_t at = offset; at < offset + len; at += page) {
        int ret = 0;

        if (ramblock_recv_bitmap_test_byte_offset(rb, at)) {
            munlock(rb->host + at, page);
            ret = ram_block_discard_range(rb, at, page);
        }
        if (!ret) {
            ret = fail ? postcopy_poison_page(mis, rb->host + at, rb) :
                         postcopy_place_page_zero(mis, rb->host + at, rb);
        }
        if (ret) {
            error_setg(errp, "cannot mark memory of RAM block '%s', offset 0x%"
                       PRIx64 ", as failed, in postcopy", rb->idstr, at);
            return false;
        }
    }
    return true;
}

bool ras_mark(RAMBlock *rb, uint64_t offset, uint64_t len, bool fail,
              Error **errp)
{
    size_t page = qemu_ram_pagesize(rb);
    uint64_t first = QEMU_ALIGN_DOWN(offset, page);

    len = QEMU_ALIGN_UP(offset + len, page) - first;
    if (fail && qemu_ram_is_shared(rb) && rb->fd >= 0) {
        warn_report_once("ras: memory of RAM block '%s' has failed; if another "
                         "process maps it, that does not see it fail",
                         rb->idstr);
    }
    if (in_postcopy()) {
        return place(rb, first, len, fail, errp);
    }
    return !fail || mark(rb, first, len, errp);
}
