/*
 * Guest RAS under KVM: looking for memory of the guest that has failed, and
 * reporting it
 *
 * See hwpoison-scan.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "qemu/timer.h"
#include "system/address-spaces.h"
#include "exec/cpu-common.h"
#include "system/ramlist.h"
#include "hw/ras.h"
#include "hwpoison-scan.h"
#include "pagemap.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/hw_accel.h"
#include "system/kvm-ras.h"
#include "system/ras-poison.h"
#include "system/ras.h"
#include <sys/mman.h>

/*
 * Real time until the first slice, and between slices.  A vCPU that runs into
 * an error has to wait while a slice is looked at, as that takes the BQL.  If
 * it waits for the end of the pass, pauses are shorter.
 */
#define SCAN_DELAY_US (100 * 1000)
#define SCAN_PAUSE_US 1000
#define SCAN_URGENT_PAUSE_US 100

/* Until a vCPU that waits for a pass tries again. */
#define SEARCH_PAUSE_US 1000

typedef struct Scan {
    QEMUTimer *timer;
    Pagemap pagemap;
    bool running;               /* a pass has begun and not ended */
    bool again;                 /* and is to be followed by another one */
    bool urgent;                /* a vCPU waits for one of them */
    unsigned int begun, ended;  /* number of the last pass */
    uint32_t version;           /* of the list of RAM blocks */
    uint64_t next;              /* bytes of RAM blocks already looked at */
    uint64_t passed;            /* those of the blocks before the current one */
    unsigned int resets;        /* which have looked at all memory */
    /* signals, and failed KVM_RUNs: what they were about is to be found */
    int lost;
} Scan;

static Scan scan = { .pagemap.fd = -1 };

/* Is @host a page that the host has taken away? */
static bool page_has_failed(void *host)
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

/* The guest physical address behind @host, if the guest has it mapped. */
static bool guest_address(void *host, hwaddr *addr)
{
    return kvm_physical_memory_addr_from_host(kvm_state, host, addr);
}

/*
 * The part of the failed host granule that the guest has mapped as one range:
 * all of it, or the host page with the address.
 */
static void guest_range(RasHostMemory *m, RAMBlock *block, void *host,
                        unsigned int lsb)
{
    uint64_t page = qemu_real_host_page_size();
    /* what was found without a signal has no lsb */
    uint64_t granule = MAX(lsb < 63 ? 1ULL << lsb : page,
                           qemu_ram_pagesize(block));
    uint64_t before = (uintptr_t)host & (granule - 1);
    hwaddr first, last;

    if (granule == page || before > m->addr ||
        !guest_address(host - before, &first) ||
        !guest_address(host - before + granule - page, &last) ||
        first != m->addr - before || last != first + granule - page) {
        granule = page;
        before = m->addr & (granule - 1);
    }
    m->first = m->addr - before;
    m->len = granule;
    m->ram_addr = qemu_ram_addr_from_host(host - before);
    m->ram_page = qemu_ram_pagesize(block);
}

void hwpoison_report(CPUState *cpu, void *host, unsigned int lsb)
{
    RasDevice *d = ras_get();
    RasHostMemory m = { 0 };
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(host, false, &offset);

    if (!block) {
        /* nothing has used it yet; what will, ends QEMU */
        ras_log(d, "ras: hardware memory error in memory of QEMU itself, not "
                "of the guest (host address %p)", host);
    } else if (!guest_address(host, &m.addr)) {
        ras_log(d, "ras: hardware memory error in block '%s', offset 0x"
                RAM_ADDR_FMT ", which the guest does not see now",
                qemu_ram_get_idstr(block), offset);
    } else {
        guest_range(&m, block, host, lsb);
        ras_host_memory_failed(cpu, &m, NULL);
    }
}

static void look_at(uint8_t *host)
{
    if (page_has_failed(host)) {
        hwpoison_report(NULL, host, 0);
    }
}

/* Returns 1, to end the walk over all blocks, if the slice is at its end. */
static int scan_block(RAMBlock *block, void *opaque)
{
    /* what is used of it may change during a pass */
    uint64_t len = qemu_ram_get_max_length(block);
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
    if (scan.version != ram_list.version) {
        /* a block has come or gone: the pass has to begin anew */
        scan.version = ram_list.version;
        scan.next = 0;
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

static void scan_in(int64_t delay_us)
{
    timer_mod(scan.timer, qemu_clock_get_us(QEMU_CLOCK_REALTIME) + delay_us);
}

static void scan_timer_expired(void *opaque)
{
    if (!scan.running) {
        pass_begins();
    }
    if (scan_slice()) {
        scan_in(scan.urgent ? SCAN_URGENT_PAUSE_US : SCAN_PAUSE_US);
        return;
    }
    pass_ends();
    if (scan.again) {
        scan.again = false;
        scan_in(scan.urgent ? 0 : SCAN_DELAY_US);
    } else {
        scan.urgent = false;
    }
}

/* Returns the number of the pass that looks at all memory from now on. */
static unsigned int scan_start(bool at_once)
{
    scan.urgent |= at_once;
    if (scan.running) {
        scan.again = true;
    } else if (at_once || !timer_pending(scan.timer)) {
        scan_in(at_once ? 0 : SCAN_DELAY_US);
    }
    return scan.begun + 1;
}

void hwpoison_scan_soon(void)
{
    scan_start(false);
}

void hwpoison_scan_lost(void)
{
    scan.lost++;
    scan_start(false);
}

void hwpoison_scan_init(void)
{
    scan.timer = timer_new_us(QEMU_CLOCK_REALTIME, scan_timer_expired, NULL);
    scan.pagemap.page = qemu_real_host_page_size();
    /* while that is allowed: options like -run-with user= take it away */
    scan.pagemap.fd = qemu_open("/proc/self/pagemap", O_RDONLY, NULL);
}

/* Is @addr RAM?  Then @host is where, in @block. */
static bool host_address(hwaddr addr, uint8_t **host, RAMBlock **block)
{
    hwaddr offset, len = 1;
    MemoryRegion *mr;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&address_space_memory, addr, &offset, &len,
                                 false, MEMTXATTRS_UNSPECIFIED);
    if (!memory_region_is_ram(mr)) {
        return false;
    }
    *host = (uint8_t *)memory_region_get_ram_ptr(mr) + offset;
    *block = mr->ram_block;
    return true;
}

/*
 * What this vCPU waits for after a failed KVM_RUN.  One pass answers for
 * whatever fails when it has ended: two instructions that fail in turn would
 * keep each other waiting for ever otherwise.
 */
static __thread struct {
    bool waits;
    unsigned int pass;          /* its number */
    unsigned int resets;        /* scan.resets when it was asked for */
} search;

static bool access_failed(CPUState *cpu, const RasStorageAccess *access)
{
    RasHostMemory m = { .addr = access->addr };
    RAMBlock *block;
    uint8_t *host;

    if (!host_address(access->addr, &host, &block) ||
        !(ras_host_memory_overlaps(ras_get(), access->addr, 1) ||
          page_has_failed(QEMU_ALIGN_PTR_DOWN(host,
                                       qemu_real_host_page_size())))) {
        return false;
    }
    guest_range(&m, block, host, 0);
    ras_host_memory_failed(cpu, &m, access);
    search.waits = false;
    return true;
}

/* Does this vCPU's thread wait for a pass?  Takes a millisecond if so. */
static bool search_waits(void)
{
    bool waits;

    bql_lock();
    if (search.resets != scan.resets) {
        search.waits = false;
    }
    waits = search.waits && (int)(scan.ended - search.pass) < 0;
    bql_unlock();
    if (waits) {
        g_usleep(SEARCH_PAUSE_US);
    }
    return waits;
}

/*
 * The first time, have all memory looked at.  If KVM_RUN still fails when that
 * is done: has any failed?
 */
static bool search_memory(CPUState *cpu)
{
    if (search.waits) {
        search.waits = false;
        return ras_host_memory_used(cpu);
    }
    search.waits = true;
    search.pass = scan_start(true);
    search.resets = scan.resets;
    /* until it is found, there may be memory that cannot be read */
    qatomic_inc(&ras_host_memory_unreadable);
    scan.lost++;
    kvm_ras_after_run_pending = true;
    return true;
}

bool kvm_ras_run_failed(CPUState *cpu, int ret)
{
    RasStorageAccess access[RAS_ACCESSES_MAX];
    RasDevice *d = ras_get();
    RasDeviceClass *rc;
    bool failed = false;
    unsigned int n;

    if (ret != -EFAULT || !d) {
        return false;
    }
    rc = RAS_GET_CLASS(d);
    if (search_waits()) {
        return true;
    }
    bql_lock();
    cpu_synchronize_state(cpu);
    /* page tables of the guest may have failed as well */
    ras_poison_probe(true);
    n = rc->accesses ? rc->accesses(d, cpu, access) : 0;
    ras_poison_probe(false);
    for (unsigned int i = 0; i < n && !failed; i++) {
        failed = access[i].has_addr && access_failed(cpu, &access[i]);
    }
    if (!failed) {
        /* such a page table, perhaps, and the VM would stop now */
        failed = search_memory(cpu);
    }
    bql_unlock();
    return failed;
}

bool hwpoison_search_goes_on(int run_ret)
{
    search.waits = search.waits && run_ret < 0;
    return search.waits;
}

void kvm_ras_find_failed(void)
{
    timer_del(scan.timer);
    scan.again = scan.urgent = false;
    scan.resets++;
    pass_begins();
    while (scan_slice()) {
        /* without a pause: see kvm-ras.h */
    }
    pass_ends();
}
