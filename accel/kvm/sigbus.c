/*
 * Guest RAS under KVM: memory of the guest that the host kernel reports
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
#include "qemu/rcu.h"
#include "exec/address-spaces.h"
#include "exec/cpu-common.h"
#include "hw/ras.h"
#include "hw/ras-ring.h"
#include "hwpoison-scan.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/kvm-ras.h"
#include "system/ras-poison.h"
#include "system/ras.h"
#include <setjmp.h>

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

/* Set while a thread reads guest memory to see whether it can be read. */
static __thread sigjmp_buf *reading;

/*
 * The handler of the signal that such a read raises comes back here.  Nothing
 * but the loop is left by that: no function of QEMU, no lock.
 */
static bool can_read(const void *host, size_t len)
{
    /* volatile: what counts is that they are read */
    const volatile uint8_t *byte = host;
    sigjmp_buf env;

    if (sigsetjmp(env, 1)) {
        reading = NULL;
        return false;
    }
    reading = &env;
    barrier();
    for (size_t i = 0; i < len; i++) {
        (void)byte[i];
    }
    barrier();
    reading = NULL;
    return true;
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

static void found_by_scan(void *host)
{
    host_error(NULL, &(RasHostError) { .addr = host });
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

bool kvm_ras_access_failed(CPUState *cpu, const RasStorageAccess *access)
{
    RasHostMemory m = { .addr = access->addr };
    RAMBlock *block;
    uint8_t *host;

    if (!host_address(access->addr, &host, &block) ||
        !(ras_host_memory_overlaps(ras_get(), access->addr, 1) ||
          hwpoison_page_has_failed(QEMU_ALIGN_PTR_DOWN(host,
                                       qemu_real_host_page_size())))) {
        return false;
    }
    guest_range(&m, block, host, 0);
    ras_host_memory_failed(cpu, &m, access);
    return true;
}

/* What a vCPU waits for after a failed KVM_RUN, and where it was then. */
static __thread struct {
    bool waits;
    unsigned int pass;
    vaddr pc;
} search;

#define SEARCH_PAUSE_US 1000

bool kvm_ras_search(CPUState *cpu, vaddr pc)
{
    if (!search.waits || search.pc != pc) {
        search.waits = true;
        search.pass = hwpoison_scan_start(true);
        search.pc = pc;
    }
    if (!hwpoison_scan_is_done(search.pass)) {
        bql_unlock();
        g_usleep(SEARCH_PAUSE_US);
        bql_lock();
        return true;
    }
    search.waits = false;
    return ras_host_memory_used(cpu);
}

void kvm_ras_find_failed(void)
{
    hwpoison_scan_all();
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
    if (e.required && reading) {
        siglongjmp(*reading, 1);
    }
    /*
     * At most one access of a vCPU can be in the ring: KVM_RUN returns after
     * it has sent the signal, and kvm_ras_drain() comes before the next one.
     * Another one is QEMU's own.
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

static void empty_ring(CPUState *cpu)
{
    RasHostError e;
    int lost;

    while (ras_ring_get(&ring, &e)) {
        if (e.required || !e.in_guest || !hwpoison_page_is_good(e.addr)) {
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
        hwpoison_scan_lost();
    }
}

void kvm_ras_take_signals(void)
{
    empty_ring(NULL);
}

/*
 * Of signals that arrive while one is pending the kernel keeps none: if one has
 * said that memory has failed which nobody has touched, there may be more.
 */
static void main_bh_run(void *opaque)
{
    empty_ring(NULL);
    hwpoison_scan_start(false);
}

void kvm_ras_init(void)
{
    sigset_t set;

    main_bh = qemu_bh_new(main_bh_run, NULL);
    hwpoison_scan_init(found_by_scan);
    ras_poison_set_probe(can_read);
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
