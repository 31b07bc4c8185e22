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
#include "system/ras-copy.h"
#include "system/ras-poison.h"
#include "system/ras.h"

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
    /*
     * At most one access of a vCPU can be in the ring: KVM_RUN returns after
     * it has sent the signal, and kvm_ras_after_run() comes before the next.
     * Another one is QEMU's own.
     */
    e.in_guest = qemu_ram_block_from_host(e.addr, false, &offset);
    if (e.required && (!current_cpu || ras_ring_has_required(&ring) ||
                       !e.in_guest)) {
        ras_touched_by_qemu(e.addr);
    }
    if (!current_cpu && !ras_on_main_thread()) {
        /* nobody would look into the ring of this thread */
        ras_host_memory_note(e.addr, e.required);
        return true;
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

void kvm_ras_lost(void)
{
    hwpoison_scan_lost();
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
    main_bh = qemu_bh_new(main_bh_run, NULL);
    hwpoison_scan_init();
    ras_poison_set_probe(ras_can_read);
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
