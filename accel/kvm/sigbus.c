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
#include "exec/cpu-common.h"
#include "hw/ras.h"
#include "hw/ras-ring.h"
#include "hwpoison-scan.h"
#include "system/kvm.h"
#include "system/kvm-ras.h"
#include "system/ras-poison.h"
#include "system/ras.h"
#include <setjmp.h>

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5
#endif

static __thread RasRing ring;
/*
 * Signals about memory of the guest are among those that the ring has lost.
 * However many they are, they count as one place that cannot be read.
 */
static __thread volatile sig_atomic_t lost_in_guest;
static QEMUBH *main_bh;
__thread bool kvm_ras_after_run_pending;

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
                 "be notified of that\n", qemu_ram_get_idstr(block), offset);
    } else {
        snprintf(text, sizeof(text), "qemu: ras: hardware memory error in "
                 "memory of QEMU itself, not of the guest (host address "
                 "%p)\n", addr);
    }
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        /* and nowhere else to write to */
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
     * it has sent the signal, and kvm_ras_after_run() comes before the next.
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
        kvm_ras_after_run_pending = true;
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
            hwpoison_report(e.required ? cpu : NULL, e.addr, e.lsb);
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
    hwpoison_scan_soon();
}

void kvm_ras_init(void)
{
    sigset_t set;

    main_bh = qemu_bh_new(main_bh_run, NULL);
    hwpoison_scan_init();
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
    kvm_ras_after_run_pending = false;
    empty_ring(NULL);
}

void kvm_ras_after_run_slow(CPUState *cpu, int run_ret)
{
    bql_lock();
    kvm_ras_after_run_pending = false;
    empty_ring(cpu);
    if (hwpoison_search_goes_on(run_ret)) {
        kvm_ras_after_run_pending = true;
    }
    bql_unlock();
}
