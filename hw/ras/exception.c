/*
 * Guest RAS: errors of one vCPU that come as an exception with a record
 *
 * One record is outstanding at a time.  The vCPU that consumed an error is
 * parked until its own thread has delivered it: written the record, and raised
 * the exception (ras_vcpu_deliver()).  The record ends when the guest
 * acknowledges it, or when it is withdrawn because nobody will; then the next
 * error follows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "system/cpus.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "system/qtest.h"
#include "system/ras.h"
#include "system/runstate.h"
#include "internal.h"
#include "trace.h"

/*
 * Polling for an acknowledgement starts fast and slows down to this.  So does
 * the count of the guest's time, if there is nothing to poll for.
 */
#define ACK_POLL_MIN_NS (50 * SCALE_US)
#define ACK_POLL_MAX_NS (10 * SCALE_MS)

/*
 * A guest that gets exceptions without a record and runs into the next error at
 * once must not keep the rest of QEMU from running: real time from one to the
 * next.
 */
#define UNRECORDED_INTERVAL_MS 2

unsigned int ras_errors_waiting;

static void update_waiting(RasState *s)
{
    ras_errors_waiting = s->queue.channel[RAS_CHANNEL_EXCEPTION].queued +
                         (s->unrecorded_vcpu >= 0 && !s->unrecorded_vcpu_ran);
}

static RasEntry *outstanding(RasState *s)
{
    return ras_queue_outstanding(&s->queue, RAS_CHANNEL_EXCEPTION);
}

static void step(RasState *s, RasEntry *e, RasErrorState state)
{
    ras_step(s, e, state);
    update_waiting(s);
}

static void advance(RasState *s, RasEntry *e, RasErrorState state)
{
    ras_advance(s, e, state);
    update_waiting(s);
}

/*
 * Make @cpu leave guest code, or wake it.  A signal of this thread to itself
 * would make KVM_RUN return once more, after the delivery.  Under TCG with one
 * thread for all vCPUs, cpu_exit() alone would let the other vCPUs run their
 * time slices first.
 */
static void make_leave(CPUState *cpu)
{
    if (cpu == current_cpu && kvm_enabled()) {
        cpu_exit(cpu);
    } else {
        qemu_cpu_kick(cpu);
    }
}

/* The vCPU whose error is next in turn, if there is one, takes it. */
static void kick_next(RasState *s)
{
    RasEntry *e = ras_queue_next(&s->queue, RAS_CHANNEL_EXCEPTION);
    CPUState *cpu = e && !s->check_stopped ? qemu_get_cpu(e->error.vcpu) :
                                             NULL;

    if (cpu) {
        make_leave(cpu);
    }
}

static void end_outstanding(RasState *s, RasErrorState state)
{
    RasEntry *e = outstanding(s);

    if (e && e->state == RAS_ERROR_STATE_NOTIFIED) {
        timer_del(s->ack_timer);
        advance(s, e, state);
        kick_next(s);
    }
}

static void reclaim_outstanding(RasState *s)
{
    RasDeviceClass *rc = ras_class(s);

    if (rc->reclaim) {
        rc->reclaim(s->device);
    }
    end_outstanding(s, RAS_ERROR_STATE_RECLAIMED);
}

void ras_exception_acknowledged(RasState *s)
{
    end_outstanding(s, RAS_ERROR_STATE_ACKNOWLEDGED);
}

void ras_release(RasDevice *d)
{
    end_outstanding(d->state, RAS_ERROR_STATE_RECLAIMED);
}

/* The vCPU that was notified of the outstanding record, or -1. */
static int owner(RasState *s)
{
    RasEntry *e = outstanding(s);

    return e ? e->error.vcpu : -1;
}

static bool poll_acknowledged(RasState *s)
{
    RasDeviceClass *rc = ras_class(s);
    RasEntry *e = outstanding(s);

    if (!e || e->state != RAS_ERROR_STATE_NOTIFIED || !rc->acknowledged ||
        !rc->acknowledged(s->device, RAS_CHANNEL_EXCEPTION)) {
        return false;
    }
    end_outstanding(s, RAS_ERROR_STATE_ACKNOWLEDGED);
    return true;
}

static void set_ack_timer(RasState *s, int64_t now)
{
    s->ack_delay_ns = MIN(s->ack_delay_ns, s->ack_left_ns);
    s->ack_since_ns = now;
    timer_mod(s->ack_timer, now + s->ack_delay_ns);
}

/*
 * Time in which the guest is not run does not count.  The virtual clock stands
 * still if the VM is stopped, but not if QEMU is frozen or does not get a CPU:
 * then a look at the guest, planned @delay after the one before, is late.
 */
static int64_t guest_time(int64_t since, int64_t now, int64_t delay)
{
    return MIN(now - since, 2 * delay);
}

static void ack_timer_expired(void *opaque)
{
    RasState *s = opaque;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (!outstanding(s) || poll_acknowledged(s)) {
        return;
    }
    s->ack_left_ns -= guest_time(s->ack_since_ns, now, s->ack_delay_ns);
    if (s->ack_left_ns <= 0) {
        reclaim_outstanding(s);
        return;
    }
    s->ack_delay_ns = MIN(s->ack_delay_ns * 2, ACK_POLL_MAX_NS);
    set_ack_timer(s, now);
}

/*
 * Called when a record was notified.  If nobody looks for its acknowledgement,
 * neither the count of the guest's time nor events need begin at once, nor wake
 * the main loop.
 */
static void await_acknowledgement(RasState *s)
{
    s->ack_left_ns = s->device->reclaim_ms * (int64_t)SCALE_MS;
    if (ras_class(s)->acknowledged) {
        s->ack_delay_ns = ACK_POLL_MIN_NS;
        set_ack_timer(s, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
        ras_wakeup_now(&s->wakeup);
    } else {
        s->ack_delay_ns = ACK_POLL_MAX_NS;
        ras_wakeup_later(&s->wakeup);
    }
}

static void start_ack_timer(Notifier *notifier, void *data)
{
    RasState *s = container_of(notifier, RasState, start_ack_timer);
    RasEntry *e = outstanding(s);

    if (e && e->state == RAS_ERROR_STATE_NOTIFIED &&
        !timer_pending(s->ack_timer)) {
        set_ack_timer(s, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    }
}

/*
 * The guest cannot be notified of @e and must not run past it: its vCPU stays
 * parked, and the machine counts as check-stopped, until a reset.
 */
static void checkstop(RasState *s, RasEntry *e, const char *why)
{
    ras_queue_block(&s->queue, e);
    s->check_stopped = true;
    s->panic_is_due = true;
    s->check_stop = (RasEvent) {
        .error = e->error,
        .id = e->id,
        .delivery = why,
    };
    trace_ras_checkstop(e->id, e->error.vcpu);
    ras_wakeup_now(&s->wakeup);
}

/*
 * The vCPU that owns the outstanding record ran into the next error: an
 * acknowledgement of the first can no longer come.  An injected error says
 * nothing of the kind; it just waits.
 */
static void resolve_second_error(RasState *s, RasEntry *e)
{
    RasDeviceClass *rc = ras_class(s);
    const char *why = NULL;

    if (e->error.origin == RAS_ORIGIN_INJECTED ||
        !ras_error_parks(&e->error) || e->error.vcpu != owner(s) ||
        poll_acknowledged(s)) {
        return;
    }
    if (rc->second_error(s->device, &e->error, &why)) {
        reclaim_outstanding(s);
    } else {
        checkstop(s, e, why);
    }
}

/* The error that @cpu may take now, if any. */
static RasEntry *deliverable_on(CPUState *cpu)
{
    RasState *s = ras_state();
    RasEntry *e;

    if (s->check_stopped || timer_pending(s->unrecorded_timer) ||
        (cpu->cpu_index == s->unrecorded_vcpu && !s->unrecorded_vcpu_ran)) {
        return NULL;
    }
    e = ras_queue_next(&s->queue, RAS_CHANNEL_EXCEPTION);
    return e && e->error.vcpu == cpu->cpu_index ? e : NULL;
}

void ras_exception_deliver(RasState *s, RasEntry *e)
{
    const RasError *error = &e->error;
    CPUState *cpu = qemu_get_cpu(error->vcpu);

    if (ras_error_has_insn(error)) {
        s->vcpu[error->vcpu].consumed = true;
        s->vcpu[error->vcpu].pc_known = false;
    }
    if (error->origin != RAS_ORIGIN_INJECTED &&
        error->vcpu == s->unrecorded_vcpu) {
        /* it ran, and must not run on now */
        s->unrecorded_vcpu = -1;
    }
    update_waiting(s);

    make_leave(cpu);
    if (!s->check_stopped) {
        resolve_second_error(s, e);
    }
    kick_next(s);
    if (cpu == current_cpu && deliverable_on(cpu)) {
        /* an acknowledgement often comes first */
        ras_wakeup_later(&s->wakeup);
    } else {
        ras_wakeup_now(&s->wakeup);
    }
}

static void start_unrecorded_interval(RasState *s)
{
    timer_mod(s->unrecorded_timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                             UNRECORDED_INTERVAL_MS);
}

/*
 * A vCPU that took an exception without a record has to run before it gets the
 * next one, which would overwrite the registers of the first.
 */
static bool runs_after_unrecorded(RasState *s, CPUState *cpu)
{
    return !s->check_stopped && cpu->cpu_index == s->unrecorded_vcpu &&
           (!s->unrecorded_vcpu_ran || timer_pending(s->unrecorded_timer));
}

bool ras_vcpu_parked_slow(CPUState *cpu)
{
    RasState *s = ras_state();

    return !runs_after_unrecorded(s, cpu) &&
           ras_queue_parks(&s->queue, cpu->cpu_index);
}

bool ras_vcpu_enter_slow(CPUState *cpu)
{
    RasState *s = ras_state();

    if (!s->check_stopped && cpu->cpu_index == s->unrecorded_vcpu &&
        !s->unrecorded_vcpu_ran && qemu_cpu_is_self(cpu)) {
        s->unrecorded_vcpu_ran = true;
        start_unrecorded_interval(s);
        update_waiting(s);
    }
    return !ras_vcpu_parked_slow(cpu);
}

bool ras_vcpu_idle_slow(CPUState *cpu, bool *idle)
{
    RasState *s = ras_state();
    bool first = cpu->cpu_index == s->unrecorded_vcpu &&
                 !s->unrecorded_vcpu_ran && !s->check_stopped;

    /* even if it is halted: its errors wait until it has been run */
    if (first || deliverable_on(cpu)) {
        *idle = false;
        return true;
    }
    *idle = true;
    return ras_vcpu_parked_slow(cpu);
}

/* @cpu has to run before its next error, as it has just taken an exception. */
static void let_run(RasState *s, CPUState *cpu)
{
    s->unrecorded_vcpu = cpu->cpu_index;
    /* vCPUs do not run under qtest */
    s->unrecorded_vcpu_ran = qtest_enabled();
    start_unrecorded_interval(s);
    update_waiting(s);
}

/*
 * An error that was injected, or that was corrected, need not come where the
 * machine says that it had better wait.  The next ones are next then.
 */
static bool put_off(RasState *s, RasEntry *e, CPUState *cpu)
{
    RasDeviceClass *rc = ras_class(s);

    if (!ras_error_can_wait(&e->error) || !rc->put_off ||
        !rc->put_off(s->device, cpu)) {
        return false;
    }
    ras_queue_put_off(&s->queue, cpu->cpu_index, true);
    if (!timer_pending(s->put_off_timer)) {
        timer_mod(s->put_off_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                                    RAS_PUT_OFF_NS);
    }
    kick_next(s);
    return true;
}

static void end_put_off(RasState *s)
{
    timer_del(s->put_off_timer);
    for (unsigned int i = 0; i < s->queue.nr_vcpus; i++) {
        ras_queue_put_off(&s->queue, i, false);
    }
}

static void put_off_timer_expired(void *opaque)
{
    end_put_off(opaque);
    kick_next(opaque);
}

void ras_vcpu_note_pc(CPUState *cpu)
{
    RasVcpu *v = &ras_state()->vcpu[cpu->cpu_index];

    /* what is being loaded is not there yet */
    if (v->consumed && !v->pc_known &&
        !runstate_check(RUN_STATE_INMIGRATE) &&
        !runstate_check(RUN_STATE_RESTORE_VM)) {
        cpu_synchronize_state(cpu);
        v->pc = cpu->cc->get_pc(cpu);
        v->pc_known = true;
    }
}

/*
 * A system reset or a debugger has moved @cpu away from the instruction that
 * has consumed an error.  When @cpu comes back, it is executed again, and fails
 * again.  The Power ISA has the system reset go first in the same way.  What
 * need not come again is delivered as something that no instruction has
 * consumed.
 */
void ras_vcpu_check_pc(CPUState *cpu)
{
    RasState *s = ras_state();
    RasVcpu *v = &s->vcpu[cpu->cpu_index];
    RasEntry *e;

    if (!v->consumed || !v->pc_known) {
        return;
    }
    cpu_synchronize_state(cpu);
    if (cpu->cc->get_pc(cpu) == v->pc) {
        return;
    }
    v->consumed = false;
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->state != RAS_ERROR_STATE_QUEUED || e->blocked_until_reset ||
            e->error.vcpu != cpu->cpu_index ||
            !ras_error_has_insn(&e->error)) {
            continue;
        }
        if (ras_error_comes_again(&e->error)) {
            e->delivery = "not notified, because the vCPU is no longer at the "
                          "instruction, which will run into the error again";
            advance(s, e, RAS_ERROR_STATE_DISCARDED);
        } else {
            ras_queue_move(&s->queue, e);
        }
    }
    kick_next(s);
}

bool ras_vcpu_deliver(CPUState *cpu)
{
    RasState *s = ras_state();
    RasDeviceClass *rc = ras_class(s);
    const char *why = NULL;
    RasRecordResult res;
    RasRecordPart part;
    RasEntry *e;

    if (cpu_is_stopped(cpu)) {
        return false;
    }
    e = deliverable_on(cpu);
    if (!e) {
        return false;
    }
    cpu_synchronize_state(cpu);
    if (!rc->vcpu_online(s->device, cpu) && !ras_error_has_insn(&e->error)) {
        /* the guest switched it off while the error waited */
        e->delivery = "not notified, because the guest has switched off the "
                      "vCPU";
        advance(s, e, RAS_ERROR_STATE_DISCARDED);
        kick_next(s);
        return false;
    }
    if (put_off(s, e, cpu)) {
        return false;
    }

    part = (RasRecordPart) { .error = &e->error, .id = e->id };
    res = rc->record(s->device, &part, cpu, &why);
    if (res == RAS_RECORD_CHECKSTOP) {
        checkstop(s, e, why);
        return false;
    }
    if (res == RAS_RECORD_WRITTEN) {
        step(s, e, RAS_ERROR_STATE_RECORDED);
    }
    e->delivery = rc->notify(s->device, &e->error, cpu,
                             res == RAS_RECORD_WRITTEN);
    step(s, e, RAS_ERROR_STATE_NOTIFIED);
    if (res == RAS_RECORD_WRITTEN) {
        await_acknowledgement(s);
    } else {
        let_run(s, cpu);
        end_outstanding(s, RAS_ERROR_STATE_DELIVERED);
    }
    return true;
}

static void unrecorded_timer_expired(void *opaque)
{
    kick_next(opaque);
}

void ras_exception_update(RasState *s)
{
    update_waiting(s);
    kick_next(s);
}

void ras_exception_vcpu_gone(RasState *s, RasEntry *e)
{
    RasDeviceClass *rc = ras_class(s);

    if (e == outstanding(s) && rc->reclaim) {
        rc->reclaim(s->device);
    }
    s->vcpu[e->error.vcpu] = (RasVcpu) { 0 };
    advance(s, e, RAS_ERROR_STATE_DISCARDED);
}

void ras_exception_reset(RasState *s)
{
    timer_del(s->ack_timer);
    timer_del(s->unrecorded_timer);
    s->unrecorded_vcpu = -1;
    end_put_off(s);
    memset(s->vcpu, 0, s->queue.nr_vcpus * sizeof(*s->vcpu));
    update_waiting(s);
}

void ras_exception_loaded(RasState *s)
{
    RasEntry *e;

    memset(s->vcpu, 0, s->queue.nr_vcpus * sizeof(*s->vcpu));
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->state == RAS_ERROR_STATE_QUEUED &&
            ras_error_has_insn(&e->error)) {
            s->vcpu[e->error.vcpu].consumed = true;
        }
    }
    update_waiting(s);
}

void ras_exception_resume(RasState *s)
{
    if (outstanding(s)) {
        await_acknowledgement(s);
    }
    kick_next(s);
}

void ras_exception_init(RasState *s, unsigned int nr_vcpus)
{
    s->unrecorded_vcpu = -1;
    s->vcpu = g_new0(RasVcpu, nr_vcpus);
    s->ack_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, ack_timer_expired, s);
    s->unrecorded_timer = timer_new_ms(QEMU_CLOCK_REALTIME,
                                       unrecorded_timer_expired, s);
    s->put_off_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, put_off_timer_expired,
                                    s);
    s->start_ack_timer.notify = start_ack_timer;
    ras_wakeup_add(&s->wakeup, &s->start_ack_timer);
}
