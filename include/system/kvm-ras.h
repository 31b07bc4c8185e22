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
 * kvm_ras_probe: call @look, which only reads guest memory
 *
 * Returns false if it ran into memory that has failed; it was left there.
 */
bool kvm_ras_probe(void (*look)(void *opaque), void *opaque);

/*
 * kvm_ras_run_failed: KVM_RUN has returned @ret, a negative errno
 *
 * On POWER that is all that KVM says when the guest uses memory of the host
 * that has failed.  On @cpu's thread, without the BQL.
 *
 * Returns true if that is the reason: then the error is reported, @cpu is
 * parked, and the caller leaves the run loop.
 */
bool kvm_ras_run_failed(CPUState *cpu, int ret);

/*
 * kvm_ras_find_failed: report memory that has failed and of which no signal
 * told; takes time in proportion to the guest's memory
 *
 * With the BQL held.
 */
void kvm_ras_find_failed(void);

/*
 * kvm_ras_take_signals: report what signals to this thread, the main one, have
 * told of and nobody has looked at yet; with the BQL held
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

/*
 * kvm_finish_operation: let KVM finish what the vCPU has begun
 * @run_ret: what the last KVM_RUN has returned; negative if none was made
 *
 * After KVM_EXIT_MMIO, KVM_EXIT_PAPR_HCALL and the like KVM writes results to
 * registers at the next KVM_RUN.  This is one that executes no instruction of
 * the guest.  If the operation has more parts, the devices' parts of them are
 * done.  After other exits, and errors, it does nothing.
 *
 * On @cpu's thread, without the BQL, when the exit has been handled.  As
 * kvm_cpu_exec() ends with it, whoever runs on a vCPU's thread outside of that
 * (work from run_on_cpu(), delivery of errors, reset, saving) finds nothing
 * left to be finished and may write registers.  Who is called while an exit
 * is being handled must not: async_run_on_cpu() works for a vCPU itself, too.
 */
void kvm_finish_operation(CPUState *cpu, int run_ret);

#endif
