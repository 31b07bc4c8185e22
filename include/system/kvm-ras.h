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

/*
 * kvm_ras_sigbus: a SIGBUS of a memory error has arrived
 *
 * Called from the signal handler, on a vCPU thread or on the main thread, at
 * any point of it.
 *
 * Returns false if guest RAS has nothing to do with it.  Does not return if
 * QEMU cannot go on, because it needs itself what has failed.
 */
bool kvm_ras_sigbus(const siginfo_t *info);

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
 * kvm_ras_search: has memory of the guest failed, wherever it is?
 * @pc: the instruction that @cpu is at
 *
 * The same context, but the BQL may be let go of.  The main loop looks at all
 * memory of the guest; until it has, @cpu is to try again, and to call this
 * again if that fails.
 *
 * Returns false if none has failed.  If true, the caller leaves the run loop:
 * the error is reported, or it is to be tried again.
 */
bool kvm_ras_search(CPUState *cpu, vaddr pc);

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
 * named; takes time in proportion to the guest's memory
 *
 * For a reset, with the BQL held.
 */
void kvm_ras_find_failed(void);

/*
 * kvm_ras_take_signals: report the memory that signals to this thread, the main
 * one, have named so far; with the BQL held
 */
void kvm_ras_take_signals(void);

/*
 * kvm_ras_thread_ends: the thread of a vCPU that is unplugged, on which this is
 * called, has left guest code for good; with the BQL held
 */
void kvm_ras_thread_ends(void);

/* set if the thread's SIGBUS handler left something to kvm_ras_drain() */
extern __thread bool kvm_ras_sigbus_pending;

void kvm_ras_drain(CPUState *cpu);

/*
 * kvm_ras_after_run: KVM_RUN has returned, on @cpu's thread
 *
 * Called without the BQL, before anything is done about the exit.
 */
static inline void kvm_ras_after_run(CPUState *cpu)
{
    if (unlikely(kvm_ras_sigbus_pending)) {
        kvm_ras_drain(cpu);
    }
}

#endif
