/*
 * Guest RAS: hooks for QEMU's own files
 *
 * The loop of the vCPU threads (system/cpus.c), and those who give memory of
 * the guest back to the host or save it.  While there is no error, a hook costs
 * a test of one global variable.  What has to do with poison is in
 * system/ras-poison.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_RAS_H
#define SYSTEM_RAS_H

#include "hw/core/cpu.h"
#include <signal.h>

/*
 * The vCPU loop.  On the thread of @cpu, with the BQL held; questions, which
 * change nothing, on any thread that holds it.
 */

/* number of errors that wait for a vCPU; only for the inline functions */
extern unsigned int ras_errors_waiting;

bool ras_vcpu_parked_slow(CPUState *cpu);
bool ras_vcpu_idle_slow(CPUState *cpu, bool *idle);
bool ras_vcpu_enter_slow(CPUState *cpu);

/* ras_vcpu_note_pc, ras_vcpu_check_pc: see ras_vcpu_left() */
void ras_vcpu_note_pc(CPUState *cpu);
void ras_vcpu_check_pc(CPUState *cpu);

/*
 * ras_vcpu_deliver: deliver the error that @cpu may take, if there is one
 *
 * Between two instructions of @cpu.  Returns whether it has taken one; only
 * then are its registers changed.
 */
bool ras_vcpu_deliver(CPUState *cpu);

/* ras_vcpu_parked: must @cpu not run guest instructions?  A question. */
static inline bool ras_vcpu_parked(CPUState *cpu)
{
    return unlikely(ras_errors_waiting) && ras_vcpu_parked_slow(cpu);
}

/*
 * ras_vcpu_idle: has RAS an opinion on whether @cpu's thread has nothing to
 * do?  Returns true and sets @idle if so.  A question.
 */
static inline bool ras_vcpu_idle(CPUState *cpu, bool *idle)
{
    return unlikely(ras_errors_waiting) && ras_vcpu_idle_slow(cpu, idle);
}

/*
 * ras_vcpu_enter: @cpu's thread is about to run guest code
 *
 * Returns false if it must not, because @cpu is parked.
 */
static inline bool ras_vcpu_enter(CPUState *cpu)
{
    return likely(!ras_errors_waiting) || ras_vcpu_enter_slow(cpu);
}

/*
 * ras_vcpu_left: @cpu's thread has left guest code, and is about to do what
 * others want it to do, which may move @cpu to another instruction: a system
 * reset for instance.  An error that @cpu has consumed belongs to the
 * instruction at which it is now.
 */
static inline void ras_vcpu_left(CPUState *cpu)
{
    if (unlikely(ras_errors_waiting)) {
        ras_vcpu_note_pc(cpu);
    }
}

/*
 * ras_vcpu_service: deliver, on @cpu's thread, the error that it may take;
 * withdraw the one that it has consumed if it is at another instruction now
 */
static inline void ras_vcpu_service(CPUState *cpu)
{
    if (unlikely(ras_errors_waiting)) {
        ras_vcpu_check_pc(cpu);
        ras_vcpu_deliver(cpu);
    }
}

/*
 * ras_vcpu_moved: what follows ras_vcpu_left() in a VM that is stopped
 *
 * Withdraws the error that @cpu has consumed if it is at another instruction
 * now.
 * On the main thread.
 */
static inline void ras_vcpu_moved(CPUState *cpu)
{
    if (unlikely(ras_errors_waiting)) {
        ras_vcpu_check_pc(cpu);
    }
}

/*
 * Memory.  On any thread.
 */

#ifdef CONFIG_LINUX
/*
 * ras_sigbus: a SIGBUS has arrived, on any thread, at any point of it
 * @context: of the thread; changed if it is to go on elsewhere
 *
 * Called from the signal handler.  Returns false if guest RAS has nothing to do
 * with it.  Does not return if QEMU cannot go on, because it needs itself what
 * has failed.
 */
bool ras_sigbus(const siginfo_t *info, void *context);
#endif

/*
 * ras_touched_by_qemu: say that QEMU cannot go on without what has failed at
 * @addr, and end it; from a signal handler
 */
G_NORETURN void ras_touched_by_qemu(void *addr);

bool ras_on_main_thread(void);

/*
 * ras_memory_discarded: the host has taken back this part of a RAM block; what
 * the guest finds there next is other memory
 *
 * Does nothing without the BQL.
 */
void ras_memory_discarded(RAMBlock *rb, uint64_t start, size_t length);

/*
 * Ranges of guest memory that are known to have failed, and signals and failed
 * KVM_RUNs that may be about more of them.  Changed by signal handlers, too.
 */
extern int ras_host_memory_unreadable;

/*
 * ras_host_memory_is_unreadable: may memory of the guest not be read?
 *
 * Asked by those that save the VM, before each page, as a thread with SIGBUS
 * blocked that reads what has failed ends QEMU.
 */
static inline bool ras_host_memory_is_unreadable(void)
{
    return unlikely(qatomic_read(&ras_host_memory_unreadable));
}

/* ras_host_memory_why_unreadable: set @errp to what to say of that */
void ras_host_memory_why_unreadable(Error **errp);

/*
 * ras_host_memory_note: @host, in memory of the guest, has failed
 * @met: for an access; or nobody has touched it yet
 *
 * On any thread, in signal handlers, too.  The main loop does the rest.
 */
void ras_host_memory_note(const void *host, bool met);

#endif
