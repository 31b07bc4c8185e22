/*
 * Guest RAS under KVM: looking for memory of the guest that has failed
 *
 * See hwpoison-scan.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "exec/cpu-common.h"
#include "system/ras.h"
#include "hwpoison-scan.h"
#include "pagemap.h"
#include <sys/mman.h>

/*
 * Real time until the first slice, and between slices.  A vCPU that runs into
 * an error has to wait while a slice is looked at, as that takes the BQL.
 */
#define SCAN_DELAY_MS 100
#define SCAN_PAUSE_MS 1

typedef struct Scan {
    void (*found)(void *host);
    QEMUTimer *timer;
    Pagemap pagemap;
    bool running;               /* a pass has begun and not ended */
    bool again;                 /* and is to be followed by another one */
    unsigned int begun, ended;  /* number of the last pass */
    uint64_t next;              /* bytes of RAM blocks already looked at */
    uint64_t passed;            /* those of the blocks before the current one */
    int lost;                   /* signals: what they named is to be found */
} Scan;

static Scan scan = { .pagemap.fd = -1 };

bool hwpoison_page_has_failed(void *host)
{
#ifdef MADV_POPULATE_READ
    size_t page = qemu_real_host_page_size();
    unsigned char resident = 0;

    return mincore(host, page, &resident) == 0 && (resident & 1) &&
           madvise(host, page, MADV_POPULATE_READ) != 0 && errno == EHWPOISON;
#else
    return false;
#endif
}

bool hwpoison_page_is_good(void *addr)
{
#ifdef MADV_POPULATE_READ
    size_t page = qemu_real_host_page_size();
    void *host = (void *)((uintptr_t)addr & -(uintptr_t)page);

    /*
     * Not mincore(): the page may be in a file, and this process may not have
     * used it yet.  What the guest has given back costs a page of zeroes.
     */
    return madvise(host, page, MADV_POPULATE_READ) == 0;
#else
    return false;
#endif
}

static void look_at(uint8_t *host)
{
    if (hwpoison_page_has_failed(host)) {
        scan.found(host);
    }
}

/* Returns 1, to end the walk over all blocks, if the slice is at its end. */
static int scan_block(RAMBlock *block, void *opaque)
{
    uint64_t len = qemu_ram_get_used_length(block);
    uint64_t skip = scan.next - scan.passed;
    uint64_t done;

    if (skip < len) {
        done = pagemap_look(&scan.pagemap,
                            (uint8_t *)qemu_ram_get_host_addr(block) + skip,
                            len - skip, look_at);
        scan.next += done;
        if (done < len - skip) {
            return 1;
        }
    }
    scan.passed += len;
    return 0;
}

static bool open_pagemap(void)
{
    static bool said;
    Error *err = NULL;

    if (scan.pagemap.fd < 0) {
        scan.pagemap.fd = qemu_open("/proc/self/pagemap", O_RDONLY,
                                    said ? NULL : &err);
    }
    if (err) {
        said = true;
        warn_reportf_err(err, "ras: the host has no way to name all of the "
                         "memory that has failed, and it cannot be looked "
                         "for: ");
    }
    return scan.pagemap.fd >= 0;
}

/* Returns true if there is more to look at. */
static bool scan_slice(void)
{
    if (!open_pagemap()) {
        return false;
    }
    scan.pagemap.scanned = scan.pagemap.read = scan.pagemap.swapped = 0;
    scan.passed = 0;
    return qemu_ram_foreach_block(scan_block, NULL) != 0;
}

static void pass_begins(void)
{
    scan.running = true;
    scan.next = 0;
    scan.begun++;
}

/* Now each place that has failed counts by itself. */
static void pass_ends(void)
{
    scan.running = false;
    scan.ended = scan.begun;
    if (!scan.again) {
        qatomic_sub(&ras_host_memory_unreadable, scan.lost);
        scan.lost = 0;
    }
}

static void scan_in(int64_t delay_ms)
{
    timer_mod(scan.timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + delay_ms);
}

static void scan_timer_expired(void *opaque)
{
    if (!scan.running) {
        pass_begins();
    }
    if (scan_slice()) {
        scan_in(SCAN_PAUSE_MS);
        return;
    }
    pass_ends();
    if (scan.again) {
        scan.again = false;
        scan_in(SCAN_DELAY_MS);
    }
}

unsigned int hwpoison_scan_start(bool at_once)
{
    if (scan.running) {
        scan.again = true;
    } else if (at_once || !timer_pending(scan.timer)) {
        scan_in(at_once ? 0 : SCAN_DELAY_MS);
    }
    return scan.begun + 1;
}

bool hwpoison_scan_is_done(unsigned int pass)
{
    return (int)(scan.ended - pass) >= 0;
}

void hwpoison_scan_lost(void)
{
    scan.lost++;
    hwpoison_scan_start(false);
}

void hwpoison_scan_all(void)
{
    timer_del(scan.timer);
    scan.again = false;
    pass_begins();
    while (scan_slice()) {
        bql_unlock();
        /* long enough for another thread to take it */
        g_usleep(1);
        bql_lock();
    }
    pass_ends();
    if (scan.again) {
        scan.again = false;
        scan_in(SCAN_DELAY_MS);
    }
}

void hwpoison_scan_init(void (*found)(void *host))
{
    scan.found = found;
    scan.timer = timer_new_ms(QEMU_CLOCK_REALTIME, scan_timer_expired, NULL);
    scan.pagemap.page = qemu_real_host_page_size();
    /* while that is allowed: options like -run-with user= take it away */
    scan.pagemap.fd = qemu_open("/proc/self/pagemap", O_RDONLY, NULL);
}
