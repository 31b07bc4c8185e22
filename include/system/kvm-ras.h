/*
 * Guest RAS under KVM: hardware errors that the host kernel reports
 *
 * The host kernel says that memory of the guest has failed by SIGBUS, and, if
 * a vCPU has run into an error, by an exit of KVM_RUN.  These functions turn
 * that into errors for the guest.  On a machine without guest RAS they leave
 * everything to the rest of QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_KVM_RAS_H
#define SYSTEM_KVM_RAS_H

#include "hw/core/cpu.h"

#ifdef CONFIG_LINUX
/*
 * kvm_ras_sigbus: a SIGBUS of a memory error has arrived: BUS_MCEERR_AR or AO
 *
 * Called from the signal handler, on any thread, at any point of it.
 *
 * Returns false if guest RAS has nothing to do with it.  Does not return if
 * QEMU cannot go on, because it needs itself what has failed.
 */
bool kvm_ras_sigbus(const siginfo_t *info);
#endif

/* kvm_ras_init: get ready, on the main thread; once, with the RAS device */
void kvm_ras_init(void);

/*
 * kvm_ras_run_failed: KVM_RUN has returned @ret, a negative errno
 *
 * If that is -EFAULT, the guest may have used memory that has failed, and KVM
 * has not said so: on POWER, if the host's kernel has taken the page out of
 * use already; elsewhere, if the page has failed on another host, and the
 * kernel of this one cannot mark it (migration/ras-mark.h).  What the
 * instruction accesses is looked at.  If that is good, the main loop looks at
 * all memory of the guest, and @cpu tries again meanwhile.
 *
 * On @cpu's thread, without the BQL.
 *
 * Returns true if that is the reason, or may be: then the caller leaves the
 * run loop; the error is reported, or @cpu is to try again.
 */
bool kvm_ras_run_failed(CPUState *cpu, int ret);

/*
 * kvm_ras_find_failed: report memory that has failed and that no signal has
 * named
 *
 * For a reset, while no vCPU runs.  The BQL is held all the time: others must
 * not get to see, save or start a machine that is half reset.  How long that
 * takes is bounded by the size of the guest: with PAGEMAP_SCAN, 1 TiB in pages
 * of 4 KiB takes about a second; swapped pages and older kernels take more.
 */
void kvm_ras_find_failed(void);

/*
 * kvm_ras_take_signals: report the memory that signals to this thread, the main
 * one, have named so far; with the BQL held
 */
void kvm_ras_take_signals(void);

/*
 * kvm_ras_lost: memory has failed, and it is not known which
 *
 * ras_host_memory_unreadable has been counted up for it, and is counted down
 * when all memory of the guest has been looked at.  With the BQL held.
 */
void kvm_ras_lost(void);

/*
 * kvm_ras_thread_ends: the thread of a vCPU that is unplugged, on which this is
 * called, has left guest code for good; with the BQL held
 */
void kvm_ras_thread_ends(void);

/*
 * set if the thread's SIGBUS handler or kvm_ras_run_failed() has left something
 * to kvm_ras_after_run()
 */
extern __thread bool kvm_ras_after_run_pending;

void kvm_ras_after_run_slow(CPUState *cpu, int run_ret);

/*
 * kvm_ras_after_run: KVM_RUN has returned @run_ret, on @cpu's thread
 *
 * Called without the BQL, before anything is done about the exit.
 */
static inline void kvm_ras_after_run(CPUState *cpu, int run_ret)
{
    if (unlikely(kvm_ras_after_run_pending)) {
        kvm_ras_after_run_slow(cpu, run_ret);
    }
}

#endif
