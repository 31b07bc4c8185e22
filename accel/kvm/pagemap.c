/*
 * Looking for memory that has failed in the page table of this process
 *
 * See pagemap.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include "pagemap.h"

/* An entry of /proc/self/pagemap */
#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_SWAPPED (1ULL << 62)

/* linux/fs.h, under names of our own: older headers do not have it */
#define CATEGORY_SWAPPED (1ULL << 4)

typedef struct ScanRegion {
    uint64_t start, end;        /* addresses */
    uint64_t categories;
} ScanRegion;

typedef struct ScanArg {
    uint64_t size;              /* of this structure */
    uint64_t flags;
    uint64_t start, end;        /* addresses */
    uint64_t walk_end;          /* result: where it has stopped */
    uint64_t vec, vec_len;      /* array of ScanRegion */
    uint64_t max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask;
    uint64_t return_mask;
} ScanArg;

QEMU_BUILD_BUG_ON(sizeof(ScanRegion) != 24);
QEMU_BUILD_BUG_ON(sizeof(ScanArg) != 96);

#define SCAN_IOCTL _IOWR('f', 16, ScanArg)

/* Returns 0, and sets no_scan, if the kernel cannot do that. */
static uint64_t scan(Pagemap *p, uint8_t *host, uint64_t len,
                     void (*swapped)(uint8_t *host))
{
    uint64_t pages = MIN(len / p->page, PAGEMAP_SLICE_SCANNED - p->scanned);
    ScanRegion region[32];
    ScanArg arg = {
        .size = sizeof(arg),
        .start = (uintptr_t)host,
        .end = (uintptr_t)host + pages * p->page,
        .vec = (uintptr_t)region,
        .vec_len = ARRAY_SIZE(region),
        .max_pages = PAGEMAP_SLICE_SWAPPED - p->swapped,
        .category_mask = CATEGORY_SWAPPED,
        .return_mask = CATEGORY_SWAPPED,
    };
    int n = ioctl(p->fd, SCAN_IOCTL, &arg);

    if (n < 0 || arg.walk_end <= arg.start || arg.walk_end > arg.end) {
        p->no_scan = true;
        return 0;
    }
    for (int i = 0; i < n; i++) {
        for (uint64_t at = region[i].start; at < region[i].end; at += p->page) {
            p->swapped++;
            swapped(host + (at - arg.start));
        }
    }
    p->scanned += (arg.walk_end - arg.start) / p->page;
    return arg.walk_end - arg.start;
}

static uint64_t read_entries(Pagemap *p, uint8_t *host, uint64_t len,
                             void (*swapped)(uint8_t *host))
{
    uint64_t entry[512];
    uint64_t pages = len / p->page;
    size_t n = MIN(MIN(pages, PAGEMAP_SLICE_READ - p->read),
                   ARRAY_SIZE(entry));
    ssize_t got = pread(p->fd, entry, n * sizeof(entry[0]),
                        (uintptr_t)host / p->page * sizeof(entry[0]));
    size_t i;

    if (got < (ssize_t)sizeof(entry[0])) {
        return len;
    }
    for (i = 0; i < got / sizeof(entry[0]); i++) {
        if ((entry[i] & (ENTRY_PRESENT | ENTRY_SWAPPED)) == ENTRY_SWAPPED) {
            if (p->swapped == PAGEMAP_SLICE_SWAPPED) {
                break;
            }
            p->swapped++;
            swapped(host + i * p->page);
        }
    }
    p->read += i;
    return i * p->page;
}

uint64_t pagemap_look(Pagemap *p, uint8_t *host, uint64_t len,
                      void (*swapped)(uint8_t *host))
{
    uint64_t done = 0;

    while (done < len && p->scanned < PAGEMAP_SLICE_SCANNED &&
           p->read < PAGEMAP_SLICE_READ &&
           p->swapped < PAGEMAP_SLICE_SWAPPED) {
        done += (p->no_scan ? read_entries : scan)(p, host + done, len - done,
                                                   swapped);
    }
    return done;
}
