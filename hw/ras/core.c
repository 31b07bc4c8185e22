/*
 * Guest RAS: errors come in here, and acknowledgements
 *
 * An error that the machine can have is queued, and handed to its channel:
 * exception.c, batch.c, serror.c.  The flow and the rules on threads are in
 * include/hw/ras.h, the life cycle is in queue.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "internal.h"
#include "trace.h"

/* A record that is no larger than the guest's block, and of that severity. */
static bool record_is_valid(RasState *s, const RasError *error)
{
    const RasInjectMethods *im = ras_inject_methods(s);
    RasDeviceClass *rc = ras_class(s);
    RasSeverity severity;

    return rc->record_size && error->record_len <= rc->record_size(s->device) &&
           im->check_record(s->device, error->record, error->record_len, false,
                            &severity, NULL) && severity == error->severity;
}

bool ras_check_error(RasState *s, const RasError *error, Error **errp)
{
    bool has_vcpu = error->channel == RAS_CHANNEL_EXCEPTION ||
                    error->channel == RAS_CHANNEL_SERROR;
    const char *bad = NULL;

    if (error->channel >= RAS_CHANNELS ||
        !ras_has_channel(s->device, error->channel)) {
        bad = "source, which this machine does not have (ras-ghes=on on both "
              "sides?)";
    } else if (has_vcpu && (error->vcpu < 0 || !qemu_get_cpu(error->vcpu))) {
        bad = "vCPU, which this machine does not have (the same -smp on both "
              "sides?)";
    } else {
        bad = ras_error_check(error);
        if (!bad && error->record && !record_is_valid(s, error)) {
            bad = "record";
        }
    }
    if (bad) {
        error_setg(errp, "bad %s", bad);
        return false;
    }
    return ras_class(s)->check(s->device, error, true, errp);
}

bool ras_check_poison(RasState *s, uint64_t addr, RasSeverity severity,
                      bool ready, Error **errp)
{
    /* as an access will report it */
    const RasError error = {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = severity,
        .origin = RAS_ORIGIN_POISON,
        .synchronous = true,
        .has_addr = true,
        .vcpu = -1,
        .addr = addr,
        .first = addr,
        .len = RAS_PAGE_SIZE,
    };

    if (severity >= RAS_SEVERITY__MAX) {
        error_setg(errp, "bad severity %d", severity);
        return false;
    }
    if (severity == RAS_SEVERITY_CORRECTED) {
        error_setg(errp, "Poison cannot have severity 'corrected'; use "
                   "'recoverable' or 'fatal'");
        return false;
    }
    return ras_class(s)->check(s->device, &error, ready, errp);
}

uint64_t ras_report(const RasError *error, Error **errp)
{
    bool async = error->channel == RAS_CHANNEL_INTERRUPT ||
                 error->channel == RAS_CHANNEL_POLLED;
    RasState *s = ras_state();
    RasEntry *e;

    assert(bql_locked());
    if (!s) {
        error_setg(errp, "This machine has no guest RAS");
        return 0;
    }
    if (!async && !qemu_get_cpu(error->vcpu)) {
        ras_queue_refuse(&s->queue);
        error_setg(errp, "There is no vCPU %" PRId32, error->vcpu);
        return 0;
    }

    if (s->check_stopped && error->origin == RAS_ORIGIN_INJECTED) {
        ras_queue_refuse(&s->queue);
        error_setg(errp, "The guest is check-stopped since error %" PRIu64
                   "; reset it first", s->check_stop.id);
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
    e->events_suppressed = !ras_events_allowed(s);
    trace_ras_error_accepted(e->id, RasOrigin_str(error->origin), error->vcpu,
                             error->addr, error->vaddr);
    trace_ras_error_step(e->id, RasErrorState_str(RAS_ERROR_STATE_QUEUED),
                         error->vcpu, error->addr);
    if (async) {
        ras_wakeup_now(&s->wakeup);
        ras_batch_deliver(s, error->channel);
        return e->id;
    }
    if (error->channel == RAS_CHANNEL_SERROR) {
        ras_serror_deliver(s, e);
        return e->id;
    }
    ras_exception_deliver(s, e);
    return e->id;
}

void ras_acknowledge(RasDevice *d, RasChannel channel)
{
    RasState *s = d->state;

    if (channel == RAS_CHANNEL_EXCEPTION) {
        ras_exception_acknowledged(s);
    } else {
        ras_batch_acknowledged(s, channel);
    }
}
