/*
 * Looking for memory that has failed in the page table of this process
 *
 * Where Linux has taken a page away because it has failed, the page table has
 * an entry that counts as swapped out (/proc/self/pagemap) and yet as resident
 * (mincore()).  The first is asked of many pages at once, in slices that are
 * bounded in the number of entries; the caller asks the second of the few that
 * are left.
 *
 * Linux, Documentation/admin-guide/mm/pagemap.rst: PAGEMAP_SCAN since 6.7,
 * which skips what is not mapped, and knows huge pages; before, reading the
 * file.
 *
 * Pure, but for these system calls.  No locks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_PAGEMAP_H
#define ACCEL_KVM_PAGEMAP_H

/*
 * The most that one slice does, for less than 0.5 ms.  Measured with Linux 6.18
 * and pages of 4 KiB, an entry takes 3 ns with PAGEMAP_SCAN, and 60 ns to be
 * read; a page that the caller looks at, less than 1 us.
 */
#define PAGEMAP_SLICE_SCANNED   65536   /* entries, by PAGEMAP_SCAN */
#define PAGEMAP_SLICE_READ      4096    /* entries that are read */
#define PAGEMAP_SLICE_SWAPPED   256     /* pages that the caller looks at */

typedef struct Pagemap {
    int fd;                     /* of /proc/self/pagemap */
    bool no_scan;               /* the kernel has no PAGEMAP_SCAN */
    size_t page;                /* bytes that an entry is for */
    /* what the slice has done so far; the caller sets them to 0 */
    unsigned int scanned, read, swapped;
} Pagemap;

/*
 * pagemap_look: look at [@host, @host + @len), or at the first part of it
 * @host, @len: whole pages
 * @swapped: called for each page that counts as swapped out
 *
 * Returns the number of bytes that were looked at: less than @len if the slice
 * is at its end, all of it if the kernel does not say anything of that memory.
 */
uint64_t pagemap_look(Pagemap *p, uint8_t *host, uint64_t len,
                      void (*swapped)(uint8_t *host));

#endif
