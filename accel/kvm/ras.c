/*
 * Guest RAS under KVM: hardware errors that the host kernel reports
 *
 * See include/system/kvm-ras.h.  A SIGBUS with BUS_MCEERR_AR on a vCPU thread
 * means that the guest, in KVM_RUN, accessed memory that has failed; with
 * BUS_MCEERR_AO, on any thread, that memory has failed and nobody has touched
 * it yet.  A signal handler can do little, so it only fills a ring of its
 * thread, which is emptied when KVM_RUN has returned, or by a bottom half.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "exec/address-spaces.h"
#include "exec/cpu-common.h"
#include "qemu/rcu.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/ras.h"
#include "hw/ras-ring.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/kvm-ras.h"
#include "system/ras.h"
#include "trace.h"
#include <setjmp.h>
#include <sys/mman.h>

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5
#endif

static __thread RasRing ring;
/* memory of the guest is among what it has lost; counts as unreadable once */
static __thread volatile sig_atomic_t lost_in_guest;
static QEMUBH *main_bh;
__thread bool kvm_ras_sigbus_pending;

/*
 * QEMU has touched failed memory itself: the access would fail again when the
 * handler returns, and there is no content to go on with.
 */
static G_NORETURN void touched_by_qemu(void *addr)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(addr, false, &offset);
    char text[300];

    /* in a signal handler: no locks, no allocation */
    if (block) {
        snprintf(text, sizeof(text), "qemu: ras: hardware memory error: QEMU "
                 "itself accessed guest memory that has failed (block '%s', "
                 "offset 0x" RAM_ADDR_FMT "), for a device; the guest cannot "
                 "be told of that\n", qemu_ram_get_idstr(block), offset);
    } else {
        snprintf(text, sizeof(text), "qemu: ras: hardware memory error in "
                 "memory of QEMU itself, not of the guest (host address "
                 "%p)\n", addr);
    }
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        /* there is nobody to tell */
    }
    _exit(1);
}

/*
 * While a thread looks at guest memory that may have failed, it leaves what it
 * does if it has.
 */
static __thread sigjmp_buf *probe;

bool kvm_ras_probe(void (*look)(void *opaque), void *opaque)
{
    unsigned int depth = get_ptr_rcu_reader()->depth;
    sigjmp_buf buf;
    bool good = false;

    if (sigsetjmp(buf, 1) == 0) {
        probe = &buf;
        look(opaque);
        good = true;
    }
    probe = NULL;
    while (get_ptr_rcu_reader()->depth > depth) {
        rcu_read_unlock();
    }
    return good;
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

static void host_error(CPUState *cpu, const RasHostError *e)
{
    RasDevice *s = ras_get();
    RasHostMemory m = { 0 };
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(e->addr, false, &offset);

    if (!block) {
        /* nothing has used it yet; what will, ends QEMU */
        ras_log(s, "ras: hardware memory error in memory of QEMU itself, not "
                "of the guest (host address %p)", e->addr);
    } else if (!guest_address(e->addr, &m.addr)) {
        ras_log(s, "ras: hardware memory error in block '%s', offset 0x"
                RAM_ADDR_FMT ", which the guest does not see now",
                qemu_ram_get_idstr(block), offset);
    } else {
        guest_range(&m, block, e->addr, e->lsb);
        ras_host_memory_failed(e->required ? cpu : NULL, &m, NULL);
    }
}

/*
 * Of signals that arrive while one is pending, the kernel keeps none.  So if
 * one said that memory has failed that nobody has touched, there may be more
 * such memory.  Where it was taken from under QEMU, the page table has an
 * entry that counts as swapped out and yet as resident.
 */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_SWAPPED (1ULL << 62)

/*
 * Real time until the first look, guest memory that is looked at in one go,
 * bytes, and time until the next look.  A vCPU that runs into an error has to
 * wait while somebody looks, as that takes the BQL.
 */
#define SCAN_DELAY_MS 100
#define SCAN_SLICE (16 * MiB)
#define SCAN_PAUSE_MS 1

typedef struct Scan {
    QEMUTimer *timer;
    int pagemap;
    bool again;
    uint64_t next;              /* bytes of RAM blocks already looked at */
    uint64_t passed, end;       /* of the slice in progress */
    int lost;                   /* that it has to find, of the rings */
} Scan;

static Scan scan = { .pagemap = -1 };

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

/*
 * Can the page be read?  When a signal about it is looked at, the guest may
 * have given it back, and have other memory there.
 */
static bool page_is_good(void *addr)
{
#ifdef MADV_POPULATE_READ
    size_t page = qemu_real_host_page_size();
    void *host = (void *)((uintptr_t)addr & -(uintptr_t)page);
    unsigned char resident = 1;

    return mincore(host, page, &resident) == 0 &&
           (!(resident & 1) || madvise(host, page, MADV_POPULATE_READ) == 0);
#else
    return false;
#endif
}

static void scan_range(uint8_t *host, uint64_t len)
{
    static uint64_t entry[4096];
    size_t page = qemu_real_host_page_size();
    uint64_t pages = len / page;

    for (uint64_t done = 0; done < pages;) {
        size_t n = MIN(pages - done, ARRAY_SIZE(entry));
        ssize_t got = pread(scan.pagemap, entry, n * sizeof(entry[0]),
                            ((uintptr_t)host / page + done) *
                            sizeof(entry[0]));

        if (got < (ssize_t)sizeof(entry[0])) {
            return;
        }
        for (size_t i = 0; i < got / sizeof(entry[0]); i++) {
            if ((entry[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) ==
                PAGEMAP_SWAPPED && page_has_failed(host + (done + i) * page)) {
                host_error(NULL, &(RasHostError) {
                    .addr = host + (done + i) * page,
                });
            }
        }
        done += got / sizeof(entry[0]);
    }
}

/* What lies between scan.next and scan.end of all RAM blocks in a row. */
static int scan_block(RAMBlock *block, void *opaque)
{
    uint64_t len = qemu_ram_get_used_length(block);
    uint64_t from = MAX(scan.next, scan.passed);
    uint64_t to = MIN(scan.end, scan.passed + len);

    if (from < to) {
        scan_range((uint8_t *)qemu_ram_get_host_addr(block) +
                   (from - scan.passed), to - from);
    }
    scan.passed += len;
    return 0;
}

static bool open_pagemap(void)
{
    static bool said;
    Error *err = NULL;

    if (scan.pagemap < 0) {
        scan.pagemap = qemu_open("/proc/self/pagemap", O_RDONLY,
                                 said ? NULL : &err);
    }
    if (err) {
        said = true;
        warn_reportf_err(err, "ras: the host has no way to name all of the "
                         "memory that has failed, and it cannot be looked "
                         "for: ");
    }
    return scan.pagemap >= 0;
}

/* Returns true if there is more to look at. */
static bool scan_slice(uint64_t size)
{
    if (!open_pagemap()) {
        return false;
    }
    scan.passed = 0;
    scan.end = size > UINT64_MAX - scan.next ? UINT64_MAX : scan.next + size;
    qemu_ram_foreach_block(scan_block, NULL);
    scan.next = scan.end;
    return scan.next < scan.passed;
}

/* All memory was looked at: now each place that has failed counts by itself. */
static void scan_ends(void)
{
    scan.next = 0;
    qatomic_sub(&ras_host_memory_unreadable, scan.lost);
    scan.lost = 0;
}

static void scan_in(int64_t delay_ms)
{
    timer_mod(scan.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                          delay_ms * SCALE_MS);
}

static void scan_timer_expired(void *opaque)
{
    if (scan_slice(SCAN_SLICE)) {
        scan_in(SCAN_PAUSE_MS);
        return;
    }
    if (scan.again) {
        scan.again = false;
        scan.next = 0;
        scan_in(SCAN_DELAY_MS);
        return;
    }
    scan_ends();
}

static void look_for_more(void)
{
    if (!scan.timer) {
        scan.timer = timer_new_ns(QEMU_CLOCK_REALTIME, scan_timer_expired,
                                  NULL);
    }
    if (timer_pending(scan.timer)) {
        scan.again = scan.next != 0;
        return;
    }
    scan_in(SCAN_DELAY_MS);
}

void kvm_ras_find_failed(void)
{
    if (scan.timer) {
        timer_del(scan.timer);
    }
    scan.next = 0;
    scan.again = false;
    scan_slice(UINT64_MAX);
    scan_ends();
}

bool kvm_ras_sigbus(const siginfo_t *info)
{
    RasHostError e = {
        .addr = info->si_addr,
        .lsb = info->si_addr_lsb,
        .required = info->si_code == BUS_MCEERR_AR,
    };
    ram_addr_t offset;

    if (!kvm_enabled() || !ras_get()) {
        return false;
    }
    if (e.required && probe) {
        siglongjmp(*probe, 1);
    }
    /*
     * KVM_RUN returns when it has sent one of these, and is not called again
     * before the ring was emptied.
     */
    e.in_guest = qemu_ram_block_from_host(e.addr, false, &offset);
    if (e.required && (!current_cpu || ras_ring_has_required(&ring) ||
                       !e.in_guest)) {
        touched_by_qemu(e.addr);
    }
    if (ras_ring_put(&ring, e)) {
        if (e.in_guest) {
            qatomic_inc(&ras_host_memory_unreadable);
        }
    } else if (e.in_guest && !lost_in_guest) {
        lost_in_guest = 1;
        qatomic_inc(&ras_host_memory_unreadable);
    }
    if (current_cpu) {
        kvm_ras_sigbus_pending = true;
        qatomic_set(&current_cpu->exit_request, 1);
        qatomic_set(&current_cpu->kvm_run->immediate_exit, 1);
    } else {
        qemu_bh_schedule(main_bh);
    }
    return true;
}

/* The host page behind guest physical address @addr; NULL if it is not RAM. */
static void *host_page(hwaddr addr)
{
    hwaddr offset, len = 1;
    MemoryRegion *mr;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&address_space_memory, addr, &offset, &len,
                                 false, MEMTXATTRS_UNSPECIFIED);
    if (!memory_region_is_ram(mr)) {
        return NULL;
    }
    return (void *)((uintptr_t)(memory_region_get_ram_ptr(mr) + offset) &
                    -(uintptr_t)qemu_real_host_page_size());
}

static bool guest_page_has_failed(RasDevice *s, hwaddr addr)
{
    void *host = host_page(addr);

    return host && (page_has_failed(host) ||
                    ras_host_memory_overlaps(s, addr, 1));
}

/* Has the instruction that @cpu is at used memory that has failed? */
static bool find_used(RasDevice *s, CPUState *cpu)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    RasStorageAccess access[RAS_ACCESSES_MAX];
    unsigned int n = rc->accesses ? rc->accesses(s, cpu, access) : 0;

    for (unsigned int i = 0; i < n; i++) {
        if (access[i].has_addr && guest_page_has_failed(s, access[i].addr)) {
            host_error(cpu, &(RasHostError) {
                .addr = (uint8_t *)host_page(access[i].addr) +
                        access[i].addr % qemu_real_host_page_size(),
                .required = true,
            });
            return true;
        }
    }
    return false;
}

/* Elsewhere the thread gets a signal, and a failed KVM_RUN means no memory. */
#ifdef TARGET_PPC64
#define RUN_FAILS_OF_FAILED_MEMORY true
#else
#define RUN_FAILS_OF_FAILED_MEMORY false
#endif

bool kvm_ras_run_failed(CPUState *cpu, int ret)
{
    RasDevice *s = ras_get();
    bool used;

    if (!RUN_FAILS_OF_FAILED_MEMORY || ret != -EFAULT || !s) {
        return false;
    }
    bql_lock();
    used = find_used(s, cpu);
    if (!used) {
        /* a page table of the guest, perhaps, and the VM would stop now */
        scan.next = 0;
        scan_slice(UINT64_MAX);
        scan.next = 0;
        used = ras_host_memory_used(cpu);
    }
    bql_unlock();
    trace_ras_kvm_run_failed(cpu->cpu_index, used);
    return used;
}

static void empty_ring(CPUState *cpu)
{
    RasHostError e;
    int lost;

    while (ras_ring_get(&ring, &e)) {
        if (e.required || !e.in_guest || !page_is_good(e.addr)) {
            host_error(cpu, &e);
        }
        if (e.in_guest) {
            qatomic_dec(&ras_host_memory_unreadable);
        }
    }
    lost = ring.lost;
    if (lost) {
        ring.lost = 0;
        ras_log(ras_get(), "ras: %d reports of failed memory came too fast; it "
                "is looked for", lost);
    }
    if (lost_in_guest) {
        lost_in_guest = 0;
        scan.lost++;
        look_for_more();
    }
}

void kvm_ras_take_signals(void)
{
    empty_ring(NULL);
}

static void main_bh_run(void *opaque)
{
    empty_ring(NULL);
    look_for_more();
}

void kvm_ras_init(void)
{
    sigset_t set;

    main_bh = qemu_bh_new(main_bh_run, NULL);
    /* while that is allowed: options like -run-with user= take it away */
    scan.pagemap = qemu_open("/proc/self/pagemap", O_RDONLY, NULL);
    /*
     * To the handler, and not to the file descriptor that QEMU reads signals
     * from: the kernel kills who touches failed memory with SIGBUS blocked.
     */
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void kvm_ras_thread_ends(void)
{
    sigset_t set;

    if (!ras_get()) {
        return;
    }
    /* what still comes is for another thread */
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kvm_ras_sigbus_pending = false;
    empty_ring(NULL);
}

void kvm_ras_drain(CPUState *cpu)
{
    bql_lock();
    kvm_ras_sigbus_pending = false;
    empty_ring(cpu);
    bql_unlock();
}
