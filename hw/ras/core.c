/*
 * Guest RAS: delivery of hardware errors to the guest
 *
 * The core between sources and machines: see include/hw/ras.h for the flow
 * and for the rules on threads, include/hw/ras-queue.h for the life cycle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/core/cpu.h"
#include "hw/mem/memory-device.h"
#include "hw/qdev-properties.h"
#include "hw/ras.h"
#include "monitor/monitor.h"
#include "qemu/coroutine.h"
#include "system/cpus.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "system/kvm-ras.h"
#include "system/qtest.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "internal.h"
#include "trace.h"
#ifdef CONFIG_TIMERFD
#include <sys/timerfd.h>
#endif

/* How much later people are told of a record that the guest has to read. */
#define REPORT_DELAY_NS (10 * SCALE_MS)

/*
 * Polling for an acknowledgement starts fast and slows down to this.  So does
 * the count of the guest's time, if there is nothing to poll for.
 */
#define ACK_POLL_MIN_NS (50 * SCALE_US)
#define ACK_POLL_MAX_NS (10 * SCALE_MS)

#define RECLAIM_MS_DEFAULT 1000

/*
 * A guest that gets bare exceptions and runs into the next error at once must
 * not keep the rest of QEMU from running: real time from one to the next.
 */
#define BARE_INTERVAL_MS 2

/* How long a vCPU gets to leave its exception handler, and how often to look */
#define HANDLER_LEAVE_NS (1000 * SCALE_MS)
#define HANDLER_LOOK_NS  (2 * SCALE_MS)

/*
 * A guest can make errors faster than anybody reads events: at most so many
 * errors have events in a window of this length.
 */
#define ERRORS_TOLD_MAX 2000
#define ERRORS_TOLD_WINDOW_MS 10000

/* At most this many lines in QEMU's log in a window of this length. */
#define LOG_LINES_MAX 20
#define LOG_WINDOW_MS 5000

unsigned int ras_errors_waiting;

static RasState *the_ras;

RasState *ras_get(void)
{
    return the_ras;
}

static void update_waiting(RasState *s)
{
    ras_errors_waiting = s->queue.channel[RAS_CHANNEL_EXCEPTION].queued +
                         (s->bare_vcpu >= 0 && !s->bare_vcpu_ran);
}

bool ras_has_channel(RasState *s, RasChannel channel)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);

    return channel == RAS_CHANNEL_SERROR ? rc->raise_serror != NULL :
                                           rc->channel_name(s, channel) != NULL;
}

static RasEntry *outstanding(RasState *s)
{
    return ras_queue_outstanding(&s->queue, RAS_CHANNEL_EXCEPTION);
}

/*
 * A vCPU on its way to the guest's handler must not wake the main thread: that
 * would take the BQL, and perhaps the CPU, and keep both for all that it has to
 * tell.  So the kernel wakes it, later.  An acknowledgement often comes first.
 */
static void report_later(RasState *s)
{
#ifdef CONFIG_TIMERFD
    struct itimerspec delay = { .it_value.tv_nsec = REPORT_DELAY_NS };

    if (s->report_is_due ||
        timerfd_settime(s->report_fd, 0, &delay, NULL) == 0) {
        s->report_is_due = true;
        return;
    }
#endif
    qemu_bh_schedule(s->report_bh);
}

static void advance(RasState *s, RasEntry *e, RasStage stage)
{
    bool done = ras_queue_advance(&s->queue, e, stage);

    /* every caller asks for the stage first, so this cannot fail */
    assert(done);
    trace_ras_error_step(e->id, RasErrorState_str((RasErrorState)stage),
                         e->error.vcpu, e->error.addr);
    update_waiting(s);
}

void ras_advance(RasState *s, RasEntry *e, RasStage stage)
{
    advance(s, e, stage);
    qemu_bh_schedule(s->report_bh);
}

/*
 * Make @cpu leave guest code, or wake it.  A signal of this thread to itself
 * would make KVM_RUN return once more, after the delivery.  Under TCG, this
 * thread may be that of all vCPUs, which would have their share of time before.
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
    CPUState *cpu = e && !s->lost ? qemu_get_cpu(e->error.vcpu) : NULL;

    if (cpu) {
        make_leave(cpu);
    }
}

static void end_outstanding(RasState *s, RasStage stage)
{
    RasEntry *e = outstanding(s);

    if (e && e->stage == RAS_STAGE_NOTIFIED) {
        timer_del(s->ack_timer);
        ras_advance(s, e, stage);
        kick_next(s);
    }
}

static void reclaim_outstanding(RasState *s)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);

    if (rc->reclaim) {
        rc->reclaim(s);
    }
    end_outstanding(s, RAS_STAGE_RECLAIMED);
}

void ras_acknowledge(RasState *s, RasChannel channel)
{
    if (channel == RAS_CHANNEL_EXCEPTION) {
        end_outstanding(s, RAS_STAGE_ACKNOWLEDGED);
    } else {
        ras_async_acknowledged(s, channel);
    }
}

void ras_release(RasState *s)
{
    end_outstanding(s, RAS_STAGE_RECLAIMED);
}

int ras_owner(RasState *s)
{
    RasEntry *e = outstanding(s);

    return e ? e->error.vcpu : -1;
}

static bool poll_acknowledged(RasState *s)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    RasEntry *e = outstanding(s);

    if (!e || e->stage != RAS_STAGE_NOTIFIED || !rc->acknowledged ||
        !rc->acknowledged(s)) {
        return false;
    }
    ras_acknowledge(s, RAS_CHANNEL_EXCEPTION);
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

/* Steps are reported first; that starts the timer, too. */
static void await_acknowledgement(RasState *s)
{
    s->ack_left_ns = s->reclaim_ms * (int64_t)SCALE_MS;
    if (RAS_GET_CLASS(s)->acknowledged) {
        s->ack_delay_ns = ACK_POLL_MIN_NS;
        qemu_bh_schedule(s->report_bh);
    } else {
        s->ack_delay_ns = ACK_POLL_MAX_NS;
        report_later(s);
    }
}

static void start_ack_timer(RasState *s)
{
    RasEntry *e = outstanding(s);

    if (e && e->stage == RAS_STAGE_NOTIFIED && !timer_pending(s->ack_timer)) {
        set_ack_timer(s, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    }
}

/*
 * The guest cannot be told of @e and must not run past it: its vCPU stays
 * parked, and the machine counts as lost, until a reset.
 */
static void checkstop(RasState *s, RasEntry *e, const char *why)
{
    ras_queue_hold(&s->queue, e);
    s->lost = true;
    s->tell_panic = true;
    s->lost_report = (RasReport) {
        .error = e->error,
        .id = e->id,
        .delivery = why,
    };
    trace_ras_checkstop(e->id, e->error.vcpu);
    qemu_bh_schedule(s->report_bh);
}

/*
 * The vCPU that owns the outstanding record ran into the next error: an
 * acknowledgement of the first can no longer come.  An injected error says
 * nothing of the kind; it just waits.
 */
static void resolve_second_error(RasState *s, RasEntry *e)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    const char *why = NULL;

    if (e->error.origin == RAS_ORIGIN_INJECTED ||
        !ras_error_parks(&e->error) || e->error.vcpu != ras_owner(s) ||
        poll_acknowledged(s)) {
        return;
    }
    if (rc->second_error(s, e, &why)) {
        reclaim_outstanding(s);
    } else {
        checkstop(s, e, why);
    }
}

/*
 * May one more pass @rate?  Returns how many were held back in the window
 * that ended with this call in @held_back, which is 0 mostly.
 */
static bool rate_allows(RasRate *rate, unsigned int max, int64_t window_ms,
                        unsigned int *held_back)
{
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

    *held_back = 0;
    if (now - rate->window_start_ms >= window_ms) {
        *held_back = rate->held_back;
        *rate = (RasRate) { .window_start_ms = now };
    }
    if (rate->passed == max) {
        rate->held_back++;
        return false;
    }
    rate->passed++;
    return true;
}

/* The error that @cpu may take now, if any. */
static RasEntry *deliverable_on(CPUState *cpu)
{
    RasEntry *e;

    if (the_ras->lost || timer_pending(the_ras->bare_timer) ||
        (cpu->cpu_index == the_ras->bare_vcpu && !the_ras->bare_vcpu_ran)) {
        return NULL;
    }
    e = ras_queue_next(&the_ras->queue, RAS_CHANNEL_EXCEPTION);
    return e && e->error.vcpu == cpu->cpu_index ? e : NULL;
}

/* A record that is no larger than the guest's block, and of that severity. */
static bool record_is_good(RasState *s, const RasError *error)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    RasSeverity severity;

    return rc->record_size && error->record_len <= rc->record_size(s) &&
           rc->check_record(s, error->record, error->record_len, false,
                            &severity, NULL) && severity == error->severity;
}

bool ras_check_error(RasState *s, const RasError *error, Error **errp)
{
    bool has_vcpu = error->channel == RAS_CHANNEL_EXCEPTION ||
                    error->channel == RAS_CHANNEL_SERROR;
    const char *bad = NULL;

    if (error->channel >= RAS_CHANNELS || !ras_has_channel(s, error->channel)) {
        bad = "source, which this machine does not have (ras-ghes=on on both "
              "sides?)";
    } else if (has_vcpu && (error->vcpu < 0 || !qemu_get_cpu(error->vcpu))) {
        bad = "vCPU, which this machine does not have (the same -smp on both "
              "sides?)";
    } else {
        bad = ras_error_check(error);
        if (!bad && error->record && !record_is_good(s, error)) {
            bad = "record";
        }
    }
    if (bad) {
        error_setg(errp, "bad %s", bad);
        return false;
    }
    return RAS_GET_CLASS(s)->check(s, error, true, errp);
}

bool ras_check_poison(RasState *s, uint64_t addr, RasSeverity severity,
                      bool ready, Error **errp)
{
    /* as an access will report it */
    const RasError error = {
        .kind = RAS_KIND_MEMORY,
        .severity = severity,
        .origin = RAS_ORIGIN_POISON,
        .synchronous = true,
        .has_addr = true,
        .vcpu = -1,
        .addr = addr,
        .first = addr,
        .len = RAS_PAGE_SIZE,
    };

    if (severity > RAS_SEVERITY_FATAL) {
        error_setg(errp, "bad severity %d", severity);
        return false;
    }
    if (severity == RAS_SEVERITY_CORRECTED) {
        error_setg(errp, "Poison cannot have severity 'corrected'; use "
                   "'recoverable' or 'fatal'");
        return false;
    }
    return RAS_GET_CLASS(s)->check(s, &error, ready, errp);
}

uint64_t ras_report(const RasError *error, Error **errp)
{
    bool async = error->channel == RAS_CHANNEL_INTERRUPT ||
                 error->channel == RAS_CHANNEL_POLLED;
    CPUState *cpu = async ? NULL : qemu_get_cpu(error->vcpu);
    RasState *s = the_ras;
    unsigned int held_back;
    RasEntry *e;

    assert(bql_locked());
    if (!s) {
        error_setg(errp, "This machine has no guest RAS");
        return 0;
    }
    if (!async && !cpu) {
        ras_queue_refuse(&s->queue);
        error_setg(errp, "There is no vCPU %" PRId32, error->vcpu);
        return 0;
    }

    if (s->lost && error->origin == RAS_ORIGIN_INJECTED) {
        ras_queue_refuse(&s->queue);
        error_setg(errp, "The guest is lost since error %" PRIu64 " (check-"
                   "stop); reset it first", s->lost_report.id);
        return 0;
    }
    if (!ras_check_error(s, error, errp)) {
        ras_queue_refuse(&s->queue);
        return 0;
    }
    e = ras_queue_accept(&s->queue, error);
    if (!e) {
        trace_ras_error_refused(error->vcpu, error->addr);
        error_setg(errp, "The queue of errors is full: %u wait for the guest, "
                   "and at most %u can be injected; let the guest run, or "
                   "reset it", s->queue.in_flight, RAS_QUEUE_INJECTED_MAX);
        return 0;
    }
    e->quiet = !rate_allows(&s->told_rate, ERRORS_TOLD_MAX,
                            ERRORS_TOLD_WINDOW_MS, &held_back);
    trace_ras_error_accepted(e->id, RasErrorOrigin_str(
                             (RasErrorOrigin)error->origin), error->vcpu,
                             error->addr, error->vaddr);
    trace_ras_error_step(e->id, RasErrorState_str(RAS_ERROR_STATE_QUEUED),
                         error->vcpu, error->addr);
    if (async) {
        qemu_bh_schedule(s->report_bh);
        ras_async_deliver(s, error->channel);
        return e->id;
    }
    if (error->channel == RAS_CHANNEL_SERROR) {
        ras_serror_deliver(s, e);
        return e->id;
    }
    if (ras_error_has_place(error)) {
        s->vcpu[error->vcpu].consumed = true;
        s->vcpu[error->vcpu].place_known = false;
    }
    if (error->origin != RAS_ORIGIN_INJECTED && error->vcpu == s->bare_vcpu) {
        /* it ran, and must not run on now */
        s->bare_vcpu = -1;
    }
    update_waiting(s);

    make_leave(cpu);
    if (!s->lost) {
        resolve_second_error(s, e);
    }
    kick_next(s);
    if (cpu == current_cpu && deliverable_on(cpu)) {
        report_later(s);
    } else {
        qemu_bh_schedule(s->report_bh);
    }
    return e->id;
}

static void start_bare_interval(RasState *s)
{
    timer_mod(s->bare_timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                             BARE_INTERVAL_MS);
}

/*
 * A vCPU that took a bare exception has to run before it gets the next one,
 * or the first would be lost: this is asked just before it does.
 */
static bool runs_for_bare(RasState *s, CPUState *cpu)
{
    if (s->lost || cpu->cpu_index != s->bare_vcpu) {
        return false;
    }
    if (!s->bare_vcpu_ran && qemu_cpu_is_self(cpu)) {
        s->bare_vcpu_ran = true;
        start_bare_interval(s);
        update_waiting(s);
    }
    return !s->bare_vcpu_ran || timer_pending(s->bare_timer);
}

bool ras_vcpu_is_parked(CPUState *cpu)
{
    bool runs = runs_for_bare(the_ras, cpu);

    return !runs && ras_queue_parks(&the_ras->queue, cpu->cpu_index);
}

bool ras_vcpu_is_idle(CPUState *cpu, bool *idle)
{
    bool first = cpu->cpu_index == the_ras->bare_vcpu &&
                 !the_ras->bare_vcpu_ran && !the_ras->lost;

    /* even if it is halted: its errors wait until it has been run */
    if (first || deliverable_on(cpu)) {
        *idle = false;
        return true;
    }
    *idle = true;
    return ras_vcpu_is_parked(cpu);
}

/* @cpu has to run before its next error, as it has just taken an exception. */
static void let_run(RasState *s, CPUState *cpu)
{
    s->bare_vcpu = cpu->cpu_index;
    /* vCPUs do not run under qtest */
    s->bare_vcpu_ran = qtest_enabled();
    start_bare_interval(s);
    update_waiting(s);
}

/*
 * An error that was injected, or that was corrected, need not come where @cpu
 * cannot go on after it: in its handler, for instance.  A guest that never
 * leaves that gets the error in the end, and the next ones at once.
 */
static bool waits_for_handler(RasState *s, RasEntry *e, CPUState *cpu)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    RasVcpu *v = &s->vcpu[cpu->cpu_index];
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (!ras_error_can_wait(&e->error) || qtest_enabled() || !rc->in_handler) {
        return false;
    }
    if (!rc->in_handler(s, cpu)) {
        v->seen_in_handler = false;
        v->stays_in_handler = false;
        return false;
    }
    if (v->seen_in_handler) {
        v->leave_left_ns -= guest_time(v->seen_ns, now, HANDLER_LOOK_NS);
    } else {
        v->leave_left_ns = HANDLER_LEAVE_NS;
        v->seen_in_handler = true;
    }
    v->seen_ns = now;
    if (v->stays_in_handler || v->leave_left_ns <= 0) {
        v->stays_in_handler = true;
        return false;
    }
    ras_queue_put_off(&s->queue, cpu->cpu_index, true);
    if (!timer_pending(s->handler_timer)) {
        timer_mod(s->handler_timer, now + HANDLER_LOOK_NS);
    }
    kick_next(s);
    return true;
}

static void forget_handlers(RasState *s)
{
    timer_del(s->handler_timer);
    for (unsigned int i = 0; i < s->queue.nr_vcpus; i++) {
        ras_queue_put_off(&s->queue, i, false);
    }
}

static void handler_timer_expired(void *opaque)
{
    forget_handlers(opaque);
    kick_next(opaque);
}

void ras_vcpu_note_place(CPUState *cpu)
{
    RasVcpu *v = &the_ras->vcpu[cpu->cpu_index];

    /* what is being loaded is not there yet */
    if (v->consumed && !v->place_known &&
        !runstate_check(RUN_STATE_INMIGRATE) &&
        !runstate_check(RUN_STATE_RESTORE_VM)) {
        cpu_synchronize_state(cpu);
        v->place = cpu->cc->get_pc(cpu);
        v->place_known = true;
    }
}

/*
 * A system reset or a debugger has moved @cpu away from the instruction that
 * has consumed an error.  When @cpu comes back, it is executed again, and fails
 * again.  The Power ISA has the system reset go first in the same way.  What
 * need not come again is told as something that no instruction has consumed.
 */
void ras_vcpu_check_place(CPUState *cpu)
{
    RasState *s = the_ras;
    RasVcpu *v = &s->vcpu[cpu->cpu_index];
    RasEntry *e;

    if (!v->consumed || !v->place_known) {
        return;
    }
    cpu_synchronize_state(cpu);
    if (cpu->cc->get_pc(cpu) == v->place) {
        return;
    }
    v->consumed = false;
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->stage != RAS_STAGE_QUEUED || e->held ||
            e->error.vcpu != cpu->cpu_index ||
            !ras_error_has_place(&e->error)) {
            continue;
        }
        if (ras_error_comes_again(&e->error)) {
            e->delivery = "not told, because the vCPU is no longer at the "
                          "instruction, which will run into the error again";
            ras_advance(s, e, RAS_STAGE_DISCARDED);
        } else {
            ras_queue_move(&s->queue, e);
        }
    }
    kick_next(s);
}

bool ras_vcpu_deliver(CPUState *cpu)
{
    RasState *s = the_ras;
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    const char *why = NULL;
    RasRecordResult res;
    RasEntry *e;

    if (cpu_is_stopped(cpu)) {
        return false;
    }
    e = deliverable_on(cpu);
    if (!e) {
        return false;
    }
    cpu_synchronize_state(cpu);
    if (!rc->vcpu_online(s, cpu) && !ras_error_has_place(&e->error)) {
        /* the guest switched it off while the error waited */
        e->delivery = "not told, because the guest has switched off the vCPU";
        ras_advance(s, e, RAS_STAGE_DISCARDED);
        kick_next(s);
        return false;
    }
    if (waits_for_handler(s, e, cpu)) {
        return false;
    }

    res = rc->record(s, e, cpu, &why);
    if (res == RAS_RECORD_CHECKSTOP) {
        checkstop(s, e, why);
        return false;
    }
    if (res == RAS_RECORD_WRITTEN) {
        advance(s, e, RAS_STAGE_RECORDED);
    }
    e->delivery = rc->notify(s, e, cpu, res == RAS_RECORD_WRITTEN);
    advance(s, e, RAS_STAGE_NOTIFIED);
    if (res == RAS_RECORD_WRITTEN) {
        await_acknowledgement(s);
    } else {
        let_run(s, cpu);
        end_outstanding(s, RAS_STAGE_TAKEN);
    }
    return true;
}

static void bare_timer_expired(void *opaque)
{
    kick_next(opaque);
}

/* --- what people get to see ---------------------------------------------- */

/*
 * QEMU's functions for messages write to the monitor whose command is being
 * carried out.  That command need not have to do with the error.
 */
void ras_log(RasState *s, const char *fmt, ...)
{
    Coroutine *self = qemu_coroutine_self();
    Monitor *mon = monitor_set_cur(self, NULL);
    unsigned int held_back;
    bool allowed = rate_allows(&s->log_rate, LOG_LINES_MAX, LOG_WINDOW_MS,
                               &held_back);
    va_list ap;

    if (held_back) {
        warn_report("ras: %u more lines were not shown", held_back);
    }
    if (allowed) {
        va_start(ap, fmt);
        warn_vreport(fmt, ap);
        va_end(ap);
    }
    monitor_set_cur(self, mon);
}

static void log_error(RasState *s, const RasReport *r, const char *prefix)
{
    const RasError *err = &r->error;
    g_autofree char *where = err->has_addr ?
        g_strdup_printf("guest physical address 0x%" PRIx64, err->addr) :
        g_strdup("an unknown address");
    g_autofree char *who = err->vcpu < 0 ? g_strdup("no vCPU") :
        g_strdup_printf("vCPU %" PRId32, err->vcpu);

    ras_log(s, "ras: error %" PRIu64 ": %s, %s, %s at %s, %s: %s%s",
            r->id, RasErrorClass_str((RasErrorClass)err->kind),
            RasErrorSeverity_str((RasErrorSeverity)err->severity),
            RasErrorOrigin_str((RasErrorOrigin)err->origin), where,
            who, prefix, r->delivery);
}

/*
 * One line an error, when it is known how it went to the guest, and one more
 * if its story ends other than planned.
 */
static void report_step(RasState *s, const RasReport *r)
{
    if (r->quiet) {
        s->events_dropped++;
    } else {
        ras_send_events(r);
    }
    switch (r->stage) {
    case RAS_STAGE_NOTIFIED:
        log_error(s, r, "");
        break;
    case RAS_STAGE_RECLAIMED:
        ras_log(s, "ras: error %" PRIu64 ": the guest did not acknowledge the "
                "record; it was withdrawn", r->id);
        break;
    default:
        break;
    }
}

void ras_report_steps(RasState *s)
{
    RasReport r;

    while (ras_queue_report(&s->queue, &r)) {
        report_step(s, &r);
        if (ras_stage_is_end(r.stage)) {
            g_free(r.error.record);
        }
    }
}

void ras_report_all(RasState *s)
{
    ras_report_steps(s);
    start_ack_timer(s);
    ras_host_memory_block(s);
    if (s->tell_panic) {
        s->tell_panic = false;
        log_error(s, &s->lost_report, "check-stop: ");
        ras_send_lost(outstanding(s));
        qemu_system_guest_panicked(NULL);
    }
}

static void report_bh_run(void *opaque)
{
    ras_report_all(opaque);
}

#ifdef CONFIG_TIMERFD
static void report_fd_readable(void *opaque)
{
    RasState *s = opaque;
    uint64_t expirations;

    if (read(s->report_fd, &expirations, sizeof(expirations)) ==
        sizeof(expirations)) {
        s->report_is_due = false;
        ras_report_all(s);
    }
}
#endif

/* --- the device ---------------------------------------------------------- */

static void ras_reset_enter(Object *obj, ResetType type)
{
    RasState *s = RAS(obj);
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    RasEntry *e;

    timer_del(s->ack_timer);
    timer_del(s->bare_timer);
    ras_async_reset(s);
    trace_ras_reset(s->queue.in_flight);
    ras_serrors_settle(s);
    for (e = ras_queue_first(&s->queue); e && rc->cut_off;
         e = ras_queue_following(&s->queue, e)) {
        rc->cut_off(s, e);
    }
    if (ras_queue_discard(&s->queue, -1)) {
        qemu_bh_schedule(s->report_bh);
    }
    s->lost = false;
    s->fatal_told = false;
    s->loaded = false;
    s->tell_panic = false;
    s->bare_vcpu = -1;
    forget_handlers(s);
    memset(s->vcpu, 0, s->queue.nr_vcpus * sizeof(*s->vcpu));
    update_waiting(s);
    ras_poison_clear(s);
    ras_host_memory_reset(s);
    if (rc->reset) {
        rc->reset(s);
    }
}

/*
 * Time does not pass for a VM that moves, so what was awaited is awaited anew,
 * for the whole time, when the VM runs.
 */
void ras_loaded(RasState *s, bool lost, int64_t pause_ns)
{
    RasEntry *e;

    s->lost = lost;
    s->lost_report = (RasReport) {
        .delivery = "lost before the VM was moved here",
    };
    memset(s->vcpu, 0, s->queue.nr_vcpus * sizeof(*s->vcpu));
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->held) {
            s->lost_report.error = e->error;
            s->lost_report.id = e->id;
        }
        if (e->stage == RAS_STAGE_QUEUED && ras_error_has_place(&e->error)) {
            s->vcpu[e->error.vcpu].consumed = true;
        }
    }
    update_waiting(s);
    ras_async_loaded(s, pause_ns);
    s->loaded = true;
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    RasState *s = opaque;

    ras_report_steps(s);
    if (running && s->loaded) {
        s->loaded = false;
        if (outstanding(s)) {
            await_acknowledgement(s);
        }
        kick_next(s);
        if (s->tell_panic) {
            /* the VM was saved before that was done */
            qemu_bh_schedule(s->report_bh);
        }
    }
}

/*
 * The last one when the VM stops: a system reset that was on its way, or the
 * end of a nested guest, may have moved a vCPU away from its error.
 */
static void vm_stopped(void *opaque, bool running, RunState state)
{
    CPUState *cpu;

    if (!running) {
        CPU_FOREACH(cpu) {
            ras_vcpu_check_place(cpu);
        }
    }
}

/*
 * A vCPU that is unplugged takes its errors with it.  It has lost its index
 * already, so look for errors whose vCPU is not there.
 */
static void device_unrealized(DeviceListener *listener, DeviceState *dev)
{
    RasState *s = container_of(listener, RasState, listener);
    RasDeviceClass *rc = RAS_GET_CLASS(s);
    RasEntry *e;

    if (object_dynamic_cast(OBJECT(dev), TYPE_MEMORY_DEVICE)) {
        ras_poison_forget_absent(s);
        ras_host_memory_forget_absent(s);
    }
    if (!object_dynamic_cast(OBJECT(dev), TYPE_CPU)) {
        return;
    }
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->error.vcpu < 0 || qemu_get_cpu(e->error.vcpu)) {
            continue;
        }
        if (e == outstanding(s) && rc->reclaim) {
            rc->reclaim(s);
        }
        ras_advance(s, e, RAS_STAGE_DISCARDED);
        s->vcpu[e->error.vcpu] = (RasVcpu) { 0 };
    }
    /* nobody is left who must not run on */
    s->lost = s->lost && s->queue.held;
    s->tell_panic = s->tell_panic && s->lost;
    kick_next(s);
}

static void ras_realize(DeviceState *dev, Error **errp)
{
    RasState *s = RAS(dev);
    unsigned int nr_vcpus = MACHINE(qdev_get_machine())->smp.max_cpus;

    if (the_ras) {
        error_setg(errp, "A machine has one RAS device at most");
        return;
    }
    s->bare_vcpu = -1;
    s->vcpu = g_new0(RasVcpu, nr_vcpus);
    ras_poison_init(s);
    ras_queue_init(&s->queue, g_new(RasQueueVcpu, nr_vcpus), nr_vcpus);
    s->ack_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, ack_timer_expired, s);
    s->bare_timer = timer_new_ms(QEMU_CLOCK_REALTIME, bare_timer_expired, s);
    s->handler_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, handler_timer_expired,
                                    s);
    s->report_bh = qemu_bh_new(report_bh_run, s);
#ifdef CONFIG_TIMERFD
    /* if there is none, report_later() does without */
    s->report_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (s->report_fd >= 0) {
        qemu_set_fd_handler(s->report_fd, report_fd_readable, NULL, s);
    }
#endif
    ras_async_init(s);
    qemu_add_vm_change_state_handler(vm_state_changed, s);
    qemu_add_vm_change_state_handler_prio(vm_stopped, s, INT_MIN);
    s->listener.unrealize = device_unrealized;
    device_listener_register(&s->listener);
    the_ras = s;
    if (kvm_enabled()) {
        kvm_ras_init();
    }
    qemu_register_resettable(OBJECT(dev));
}

static const Property ras_properties[] = {
    DEFINE_PROP_UINT32("reclaim-ms", RasState, reclaim_ms,
                       RECLAIM_MS_DEFAULT),
};

static void ras_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "Guest RAS: delivery of hardware errors";
    dc->realize = ras_realize;
    /* the machine creates it and relies on it for its lifetime */
    dc->user_creatable = false;
    dc->hotpluggable = false;
    device_class_set_props(dc, ras_properties);
    rc->phases.enter = ras_reset_enter;
}

RasState *ras_create(const char *type)
{
    DeviceState *dev = qdev_new(type);

    object_property_add_child(qdev_get_machine(), "guest-ras", OBJECT(dev));
    qdev_realize_and_unref(dev, NULL, &error_fatal);
    return RAS(dev);
}

static const TypeInfo ras_types[] = {
    {
        .name = TYPE_RAS,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(RasState),
        .class_init = ras_class_init,
        .class_size = sizeof(RasDeviceClass),
        .abstract = true,
    },
};

DEFINE_TYPES(ras_types)
