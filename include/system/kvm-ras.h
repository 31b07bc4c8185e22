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

struct RasStorageAccess;

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
 * kvm_ras_access_failed: has memory failed that @cpu has accessed?
 * @access: with a guest physical address
 *
 * After a failed KVM_RUN, on @cpu's thread, with the BQL held.
 *
 * Returns true if so: then the error is reported, and @cpu is parked.
 */
bool kvm_ras_access_failed(CPUState *cpu,
                           const struct RasStorageAccess *access);

/*
 * kvm_ras_search_waits: does this vCPU's thread wait for what kvm_ras_search()
 * has begun?
 *
 * After a failed KVM_RUN, without the BQL.  Takes a millisecond if so.
 */
bool kvm_ras_search_waits(void);

/*
 * kvm_ras_search: find out whether memory of the guest has failed, wherever
 *
 * After a failed KVM_RUN, on @cpu's thread, with the BQL held, if
 * kvm_ras_search_waits() and kvm_ras_access_failed() have returned false.  The
 * first call has the main loop look at all memory of the guest; @cpu is to try
 * again meanwhile.  If KVM_RUN still fails when that is done, the second call
 * has the result.  A KVM_RUN that does not fail, a reported access and a reset
 * that replaces memory end the search.
 *
 * Returns false if no memory is known to have failed.  If true, the caller
 * leaves the run loop: @cpu is to try again, or the error is reported.
 */
bool kvm_ras_search(CPUState *cpu);

/*
 * kvm_ras_run_failed: KVM_RUN has returned @ret, a negative errno
 *
 * On POWER that is all that KVM says when the guest uses memory of the host
 * that has failed; other targets get a signal, and do not have this function.
 * On @cpu's thread, without the BQL.
 *
 * Returns true if that is the reason, or may be: then the caller leaves the
 * run loop.
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
 * set if the thread's SIGBUS handler or kvm_ras_search() has left something to
 * kvm_ras_after_run()
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
