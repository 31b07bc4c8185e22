/*
 * Guest RAS: events and log for operators
 *
 * Made from the steps that the queue remembers.
 * All of it is made by the main loop, after the guest was notified.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/qapi-events-ras.h"
#include "qapi/qapi-events-run-state.h"
#include "qemu/coroutine.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "hw/ras.h"
#include "monitor/monitor.h"
#include "system/runstate.h"
#include "internal.h"

/*
 * A guest can make errors faster than anybody reads events: at most so many
 * errors have events in a window of this length.
 */
#define EVENT_ERRORS_MAX 2000
#define EVENT_WINDOW_MS 10000

/* At most this many lines in QEMU's log in a window of this length. */
#define LOG_LINES_MAX 20
#define LOG_WINDOW_MS 5000

/*
 * May one more pass @rate?  Returns how many were suppressed in the window
 * that ended with this call in @suppressed, which is 0 mostly.
 */
static bool rate_allows(RasRate *rate, unsigned int max, int64_t window_ms,
                        unsigned int *suppressed)
{
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

    *suppressed = 0;
    if (now - rate->window_start_ms >= window_ms) {
        *suppressed = rate->suppressed;
        *rate = (RasRate) { .window_start_ms = now };
    }
    if (rate->passed == max) {
        rate->suppressed++;
        return false;
    }
    rate->passed++;
    return true;
}

bool ras_events_allowed(RasState *s)
{
    unsigned int suppressed;

    return rate_allows(&s->event_rate, EVENT_ERRORS_MAX, EVENT_WINDOW_MS,
                       &suppressed);
}

/*
 * QEMU's functions for messages write to the monitor whose command is being
 * carried out.  That command need not have to do with the error.
 */
void ras_log(RasDevice *d, const char *fmt, ...)
{
    RasState *s = d->state;
    Coroutine *self = qemu_coroutine_self();
    Monitor *mon = monitor_set_cur(self, NULL);
    unsigned int suppressed;
    bool allowed = rate_allows(&s->log_rate, LOG_LINES_MAX, LOG_WINDOW_MS,
                               &suppressed);
    va_list ap;

    if (suppressed) {
        warn_report("ras: %u more lines were not shown", suppressed);
    }
    if (allowed) {
        va_start(ap, fmt);
        warn_vreport(fmt, ap);
        va_end(ap);
    }
    monitor_set_cur(self, mon);
}

static void log_error(RasState *s, const RasEvent *r, const char *prefix)
{
    const RasError *err = &r->error;
    g_autofree char *where = err->has_addr ?
        g_strdup_printf("guest physical address 0x%" PRIx64, err->addr) :
        g_strdup("an unknown address");
    g_autofree char *who = err->vcpu < 0 ? g_strdup("no vCPU") :
        g_strdup_printf("vCPU %" PRId32, err->vcpu);

    ras_log(s->device, "ras: error %" PRIu64 ": %s, %s, %s at %s, %s: %s%s",
            r->id, RasErrorClass_str(err->class),
            RasSeverity_str(err->severity),
            RasOrigin_str(err->origin), where,
            who, prefix, r->delivery);
}

void ras_fill_error_info(RasErrorInfo *info, const RasError *error,
                         uint64_t id, RasErrorState state,
                         const char *delivery)
{
    *info = (RasErrorInfo) {
        .id = id,
        .state = state,
        .q_class = error->class,
        .severity = error->severity,
        .origin = error->origin,
        .synchronous = error->synchronous,
        .access = error->access,
        .has_vcpu = error->vcpu >= 0,
        .vcpu = error->vcpu,
        .has_address = error->has_addr,
        .address = error->addr,
        .has_length = error->len != 0,
        .length = error->len,
        .has_virtual_address = error->has_vaddr,
        .virtual_address = error->vaddr,
        .delivery = (char *)delivery,
    };
}

static void send_memory_failure(MemoryFailureAction action, bool required,
                                bool recursive)
{
    MemoryFailureFlags flags = {
        .action_required = required,
        .recursive = recursive,
    };

    qapi_event_send_memory_failure(MEMORY_FAILURE_RECIPIENT_GUEST, action,
                                   &flags);
}

static void send_events(const RasEvent *r)
{
    RasErrorInfo info;

    ras_fill_error_info(&info, &r->error, r->id, r->state, r->delivery);
    qapi_event_send_ras_error(&info);

    if (r->state == RAS_ERROR_STATE_NOTIFIED &&
        r->error.class == RAS_ERROR_CLASS_MEMORY) {
        send_memory_failure(MEMORY_FAILURE_ACTION_INJECT,
                            r->error.synchronous, r->recursive);
    }
}

/*
 * One line an error, when it is known how it went to the guest, and one more
 * if its story ends other than planned.
 */
static void send_step(RasState *s, const RasEvent *r)
{
    if (r->events_suppressed) {
        s->events_dropped++;
    } else {
        send_events(r);
    }
    switch (r->state) {
    case RAS_ERROR_STATE_NOTIFIED:
        log_error(s, r, "");
        break;
    case RAS_ERROR_STATE_RECLAIMED:
        ras_log(s->device, "ras: error %" PRIu64 ": the guest did not "
                "acknowledge the record; it was withdrawn", r->id);
        break;
    default:
        break;
    }
}

void ras_events_send(RasState *s)
{
    RasEvent r;

    while (ras_queue_next_event(&s->queue, &r)) {
        send_step(s, &r);
        if (ras_state_is_end(r.state)) {
            g_free(r.error.record);
        }
    }
}

void ras_events_send_all(RasState *s)
{
    ras_events_send(s);
    if (s->panic_is_due) {
        s->panic_is_due = false;
        log_error(s, &s->check_stop, "check-stop: ");
        send_memory_failure(MEMORY_FAILURE_ACTION_RESET, true,
                            ras_queue_outstanding(&s->queue,
                                                  RAS_CHANNEL_EXCEPTION));
        qemu_system_guest_panicked(NULL);
    }
}

void ras_send_poison_access(const uint64_t *addr, bool is_write,
                            uint64_t count)
{
    qapi_event_send_ras_poison_access(addr, addr ? *addr : 0, is_write, count);
}

static void send_events_now(Notifier *notifier, void *data)
{
    ras_events_send_all(container_of(notifier, RasState, send_events));
}

void ras_events_init(RasState *s)
{
    s->send_events.notify = send_events_now;
    ras_wakeup_add(&s->wakeup, &s->send_events);
}
