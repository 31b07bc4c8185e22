/*
 * Guest RAS: QMP commands and events (qapi/ras.json)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-acpi-hest.h"
#include "qapi/qapi-commands-ras.h"
#include "qapi/clone-visitor.h"
#include "qapi/qapi-visit-ras.h"
#include "qemu/base64.h"
#include "hw/core/boards.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "system/hw_accel.h"
#include "system/ras.h"
#include "system/replay.h"
#include "system/runstate.h"
#include "internal.h"
#include "trace.h"

/* --- ras-inject ---------------------------------------------------------- */

/* The RAS device, or NULL with @errp set. */
static RasState *need_ras(Error **errp)
{
    RasState *s = ras_state();

    if (!s) {
        error_setg(errp, "Machine '%s' has no guest RAS; 'virt' has it with "
                   "ras=on, 'pseries' unless it is started with ras=off",
                   MACHINE_GET_CLASS(qdev_get_machine())->name);
    }
    return s;
}

static CPUState *find_vcpu(int64_t index, Error **errp)
{
    CPUState *cpu = index >= 0 && index <= INT_MAX ? qemu_get_cpu(index) : NULL;

    if (!cpu) {
        error_setg(errp, "There is no vCPU %" PRId64 "; 'info cpus' shows "
                   "which there are", index);
    }
    return cpu;
}

static bool check_vcpu(RasState *s, int64_t index, Error **errp)
{
    CPUState *cpu = find_vcpu(index, errp);

    if (!cpu) {
        return false;
    }
    cpu_synchronize_state(cpu);
    if (!ras_class(s)->vcpu_online(s->device, cpu)) {
        error_setg(errp, "vCPU %" PRId64 " is offline, so it cannot consume "
                   "anything; choose one that the guest has started", index);
        return false;
    }
    return true;
}

/* Combinations of arguments that make no sense on any machine. */
static bool check_arguments(const RasInjectMemory *m, Error **errp)
{
    if (m->mode == RAS_INJECT_MODE_CONSUME) {
        if (!m->has_vcpu) {
            error_setg(errp, "Mode 'consume' needs parameter 'vcpu': the "
                       "index of the vCPU that takes the error");
            return false;
        }
    } else if (m->has_vcpu || m->has_virtual_address || m->has_immediate) {
        error_setg(errp, "Parameter '%s' is only for mode 'consume'",
                   m->has_vcpu ? "vcpu" :
                   m->has_virtual_address ? "virtual-address" : "immediate");
        return false;
    }
    if (m->has_polled && m->mode != RAS_INJECT_MODE_REPORT) {
        error_setg(errp, "Parameter 'polled' is only for mode 'report'");
        return false;
    }
    return true;
}

static uint64_t length_of(const RasInjectMemory *m)
{
    return m->has_length ? m->length : RAS_PAGE_SIZE;
}

static bool inject_poison(RasState *s, const RasInjectMemory *m, Error **errp)
{
    return check_arguments(m, errp) &&
           ras_check_ram(s, m->address, length_of(m), errp) &&
           ras_check_poison(s, m->address, m->severity,
                            ras_class(s)->ready(s->device), errp) &&
           ras_poison_add(s, m->address, length_of(m), m->severity, errp);
}

/*
 * For each kind of error, the error that the arguments describe.  Returns
 * false, with the reason in @errp, if there is none.  A record in it is a copy.
 */

static bool fill_memory(RasState *s, const RasInjectMemory *m, RasError *error,
                        Error **errp)
{
    *error = (RasError) {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = m->severity,
        .synchronous = m->mode == RAS_INJECT_MODE_CONSUME,
        .immediate = m->immediate,
        .has_addr = true,
        .has_vaddr = m->has_virtual_address,
        .vcpu = m->has_vcpu ? m->vcpu : -1,
        .addr = m->address,
        .first = m->address,
        .len = length_of(m),
        .vaddr = m->virtual_address,
    };

    if (!check_arguments(m, errp) ||
        !ras_check_ram(s, m->address, length_of(m), errp)) {
        return false;
    }
    if (m->mode == RAS_INJECT_MODE_REPORT) {
        error->channel = m->polled ? RAS_CHANNEL_POLLED : RAS_CHANNEL_INTERRUPT;
        return true;
    }
    error->access = RAS_ACCESS_LOAD;
    return check_vcpu(s, m->vcpu, errp);
}

/* How an error with a record of its own reaches the guest. */
static bool choose_channel(RasState *s, RasError *error, bool has_vcpu,
                           int64_t vcpu, bool polled, Error **errp)
{
    error->synchronous = has_vcpu;
    error->vcpu = -1;
    if (!has_vcpu) {
        error->channel = polled ? RAS_CHANNEL_POLLED : RAS_CHANNEL_INTERRUPT;
        return true;
    }
    if (polled) {
        error_setg(errp, "An error that a vCPU takes cannot be polled; leave "
                   "out 'polled'");
        return false;
    }
    if (!check_vcpu(s, vcpu, errp)) {
        return false;
    }
    error->vcpu = vcpu;
    return true;
}

/* A copy of @record, and its severity */
static bool fill_record(RasState *s, RasError *error, const uint8_t *record,
                        size_t len, bool strict, Error **errp)
{
    if (!ras_inject_methods(s)->check_record(s->device, record, len, strict,
                                             &error->severity, errp)) {
        return false;
    }
    error->record = g_memdup2(record, len);
    error->record_len = len;
    return true;
}

/* @strict: what the record has to be, see check_record() */
static bool fill_cper(RasState *s, const RasInjectCper *c, bool strict,
                      RasError *error, Error **errp)
{
    g_autofree uint8_t *record = NULL;
    size_t len;

    if (!ras_class(s)->record_size) {
        error_setg(errp, "This machine does not notify its guest by CPER "
                   "records; use kind 'memory'");
        return false;
    }
    record = qbase64_decode(c->data, -1, &len, errp);
    if (!record) {
        return false;
    }
    if (len > ras_class(s)->record_size(s->device)) {
        error_setg(errp, "The record has %zu bytes, and the guest's error "
                   "status block only %zu", len,
                   ras_class(s)->record_size(s->device));
        return false;
    }
    *error = (RasError) { .class = RAS_ERROR_CLASS_UNKNOWN };
    return choose_channel(s, error, c->has_vcpu, c->vcpu, c->polled, errp) &&
           fill_record(s, error, record, len, strict, errp);
}

static bool fill_arm_processor(RasState *s, const RasInjectArmProcessor *a,
                               RasError *error, Error **errp)
{
    static const RasErrorClass class_of[] = {
        [RAS_ARM_ERROR_TYPE_CACHE] = RAS_ERROR_CLASS_CACHE,
        [RAS_ARM_ERROR_TYPE_TLB] = RAS_ERROR_CLASS_TLB,
        [RAS_ARM_ERROR_TYPE_BUS] = RAS_ERROR_CLASS_BUS,
        [RAS_ARM_ERROR_TYPE_MICRO_ARCHITECTURAL] = RAS_ERROR_CLASS_UNKNOWN,
    };
    const RasInjectMethods *im = ras_inject_methods(s);
    g_autofree uint8_t *record = NULL;
    size_t len;

    if (!im->build_arm_processor) {
        error_setg(errp, "This machine has no Arm processors; use kind "
                   "'memory'");
        return false;
    }
    if (!find_vcpu(a->vcpu, errp)) {
        return false;
    }
    *error = (RasError) {
        .class = class_of[a->type],
        .has_addr = a->has_physical_address,
        .addr = a->physical_address,
        .has_vaddr = a->has_virtual_address && a->synchronous,
        .vaddr = a->synchronous ? a->virtual_address : 0,
    };
    record = g_malloc(ras_class(s)->record_size(s->device));
    len = im->build_arm_processor(s->device, s->queue.last_id + 1, a, record,
                                  errp);
    return len && choose_channel(s, error, a->synchronous, a->vcpu, a->polled,
                                 errp) &&
           fill_record(s, error, record, len, true, errp);
}

static bool fill_machine_check(RasState *s, const RasInjectMachineCheck *m,
                               RasError *error, Error **errp)
{
    const RasInjectMethods *im = ras_inject_methods(s);

    if (!im->fill_machine_check) {
        error_setg(errp, "This machine has no POWER processors; use kind "
                   "'memory' or 'arm-processor'");
        return false;
    }
    if (!check_vcpu(s, m->vcpu, errp) ||
        !im->fill_machine_check(s->device, qemu_get_cpu(m->vcpu), m, error,
                                errp)) {
        return false;
    }
    error->vcpu = m->vcpu;
    error->immediate = m->immediate;
    return !error->has_addr ||
           ras_check_ram(s, error->first, error->len, errp);
}

static bool fill_serror(RasState *s, const RasInjectSerror *arg,
                        RasError *error, Error **errp)
{
    CPUState *cpu = qemu_get_cpu(arg->vcpu);

    if (!check_vcpu(s, arg->vcpu, errp)) {
        return false;
    }
    ras_serror_settle(s, cpu);
    *error = (RasError) {
        .class = RAS_ERROR_CLASS_UNKNOWN,
        .channel = RAS_CHANNEL_SERROR,
        .vcpu = arg->vcpu,
    };
    return ras_inject_methods(s)->build_serror(s->device, cpu, arg, error,
                                               errp);
}

static bool fill_error(RasState *s, RasInject *arg, bool strict,
                       RasError *error, Error **errp)
{
    switch (arg->kind) {
    case RAS_INJECT_KIND_MEMORY:
        return fill_memory(s, &arg->u.memory, error, errp);
    case RAS_INJECT_KIND_ARM_PROCESSOR:
        return fill_arm_processor(s, &arg->u.arm_processor, error, errp);
    case RAS_INJECT_KIND_MACHINE_CHECK:
        return fill_machine_check(s, &arg->u.machine_check, error, errp);
    case RAS_INJECT_KIND_CPER:
        return fill_cper(s, &arg->u.cper, strict, error, errp);
    case RAS_INJECT_KIND_SERROR:
        return fill_serror(s, &arg->u.serror, error, errp);
    default:
        g_assert_not_reached();
    }
}

typedef struct InjectRequest {
    RasState *s;
    RasInject *arg;
    bool strict;                /* see fill_cper() */
    bool reported;              /* ras_report() counts what it refuses */
    uint64_t id;                /* of the error that was accepted, or 0 */
    Error *err;
} InjectRequest;

static void report_injected(CPUState *cpu, run_on_cpu_data data)
{
    InjectRequest *r = data.host_ptr;
    RasDeviceClass *rc = ras_class(r->s);
    RasDevice *d = r->s->device;
    RasError error = { 0 };

    if (fill_error(r->s, r->arg, r->strict, &error, &r->err)) {
        error.origin = RAS_ORIGIN_INJECTED;
        /* the guest, as it is now, can be notified of it */
        if (rc->check(d, &error, rc->ready(d), &r->err)) {
            r->reported = true;
            r->id = ras_report(&error, &r->err);
        }
    }
    if (!r->id) {
        g_free(error.record);
    }
}

/*
 * On the vCPU's thread: elsewhere, what was synchronized may be gone before it
 * is looked at or changed.
 */
static void inject_serror(InjectRequest *r)
{
    CPUState *cpu;

    if (!ras_inject_methods(r->s)->build_serror) {
        error_setg(&r->err, "This machine has no Arm processors, and so no "
                   "SErrors; use kind 'memory'");
        return;
    }
    cpu = find_vcpu(r->arg->u.serror.vcpu, &r->err);
    if (cpu) {
        run_on_cpu(cpu, report_injected, RUN_ON_CPU_HOST_PTR(r));
    }
}

/* Can anything be injected now? */
static bool check_time(Error **errp)
{
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        error_setg(errp, "The VM is yet to arrive by migration; inject the "
                   "error where it is, or when it is here");
        return false;
    }
    if (replay_mode != REPLAY_MODE_NONE) {
        error_setg(errp, "The VM is being %s (-icount rr=%s), and an injected "
                   "error is not part of a recording; start it without",
                   replay_mode == REPLAY_MODE_RECORD ? "recorded" : "replayed",
                   replay_mode == REPLAY_MODE_RECORD ? "record" : "replay");
        return false;
    }
    return true;
}

static RasInjectResult *inject(RasInject *arg, bool strict, Error **errp)
{
    InjectRequest r = { .s = need_ras(errp), .arg = arg, .strict = strict };
    RasInjectResult *result;

    if (!r.s) {
        return NULL;
    }
    if (!check_time(&r.err)) {
        /* it says why */
    } else if (arg->kind == RAS_INJECT_KIND_MEMORY &&
               arg->u.memory.mode == RAS_INJECT_MODE_POISON) {
        inject_poison(r.s, &arg->u.memory, &r.err);
    } else if (arg->kind == RAS_INJECT_KIND_SERROR) {
        inject_serror(&r);
    } else {
        report_injected(NULL, RUN_ON_CPU_HOST_PTR(&r));
    }
    if (r.err) {
        if (!r.reported) {
            ras_queue_refuse(&r.s->queue);
        }
        error_propagate(errp, r.err);
        return NULL;
    }
    result = g_new0(RasInjectResult, 1);
    result->has_id = r.id;
    result->id = r.id;
    return result;
}

RasInjectResult *qmp_ras_inject(RasInject *arg, Error **errp)
{
    return inject(arg, true, errp);
}

/* What QEMU 10.2 takes by this name, whose script leaves fields out. */
void qmp_inject_ghes_v2_error(const char *cper, Error **errp)
{
    RasInject arg = {
        .kind = RAS_INJECT_KIND_CPER,
        .u.cper.data = (char *)cper,
    };

    qapi_free_RasInjectResult(inject(&arg, false, errp));
}

void qmp_ras_unpoison(uint64_t address, bool has_length, uint64_t length,
                      Error **errp)
{
    RasState *s = need_ras(errp);

    if (s) {
        ras_poison_remove(s, address, has_length ? length : RAS_PAGE_SIZE,
                          errp);
    }
}

/* --- query-ras ----------------------------------------------------------- */

static RasSourceList *list_sources(RasState *s)
{
    RasSourceList *list = NULL, **tail = &list;

    for (int c = 0; c < RAS_RECORD_CHANNELS; c++) {
        RasEntry *e = ras_queue_outstanding(&s->queue, c);
        RasSource *source;

        if (!ras_has_channel(s->device, c)) {
            continue;
        }
        source = g_new0(RasSource, 1);
        source->name = g_strdup(ras_class(s)->channel_name(s->device, c));
        source->synchronous = c == RAS_CHANNEL_EXCEPTION;
        source->ready = ras_class(s)->ready(s->device);
        source->has_outstanding = e;
        source->outstanding = e ? e->id : 0;
        QAPI_LIST_APPEND(tail, source);
    }
    return list;
}

static RasErrorInfoList *list_errors(RasState *s)
{
    RasErrorInfoList *list = NULL, **tail = &list;

    for (RasEntry *e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        RasErrorInfo *info = g_new0(RasErrorInfo, 1);

        ras_fill_error_info(info, &e->error, e->id, e->state, NULL);
        info->delivery = g_strdup(e->delivery);
        QAPI_LIST_APPEND(tail, info);
    }
    return list;
}

static intList *list_parked(void)
{
    intList *list = NULL, **tail = &list;
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (ras_vcpu_parked(cpu)) {
            QAPI_LIST_APPEND(tail, cpu->cpu_index);
        }
    }
    return list;
}

static int compare_slots(const void *a, const void *b)
{
    const RasPoisonSlot *x = a, *y = b;

    /* what is not used comes first */
    return x->used != y->used ? x->used - y->used :
           (x->addr > y->addr) - (x->addr < y->addr);
}

static RasPoisonRangeList *list_poison(RasState *s)
{
    g_autofree RasPoisonSlot *slots = g_memdup2(s->poison.range,
                                                sizeof(s->poison.range));
    RasPoisonRangeList *list = NULL;

    qsort(slots, RAS_POISON_RANGES, sizeof(*slots), compare_slots);
    for (int i = RAS_POISON_RANGES - 1; i >= 0 && slots[i].used; i--) {
        RasSeverity severity = slots[i].severity;
        RasPoisonRange *range = list ? list->value : NULL;

        if (!range || range->severity != severity ||
            range->address != slots[i].addr + slots[i].len) {
            range = g_new0(RasPoisonRange, 1);
            range->severity = severity;
            QAPI_LIST_PREPEND(list, range);
        }
        /* two modules may have a range each */
        range->address = slots[i].addr;
        range->length += slots[i].len;
    }
    return list;
}

static RasHostRangeList *list_host_memory(RasState *s)
{
    RasHostRangeList *list = NULL, **tail = &list;
    RasHostRange *range = NULL;

    for (unsigned int i = 0; i < s->nr_host_memory; i++) {
        const RasHostMemory *m = &s->host_memory[i];

        if (m->first == RAS_NOT_MAPPED) {
            continue;
        }
        if (range && range->moved && m->moved &&
            range->address + range->length == m->first) {
            /* of one part the guest knows */
            range->length += m->len;
            continue;
        }
        range = g_new0(RasHostRange, 1);
        range->address = m->first;
        range->length = m->len;
        range->moved = range->has_moved = m->moved;
        QAPI_LIST_APPEND(tail, range);
    }
    return list;
}

static RasSerrorInfoList *list_serrors(RasState *s)
{
    RasSerrorInfoList *list = NULL, **tail = &list;
    const RasInjectMethods *im = ras_inject_methods(s);
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        RasSerrorInfo info = { .vcpu = cpu->cpu_index };

        if (im->serror_pending) {
            cpu_synchronize_state(cpu);
            if (im->serror_pending(s->device, cpu, &info)) {
                QAPI_LIST_APPEND(tail, QAPI_CLONE(RasSerrorInfo, &info));
            }
        }
    }
    return list;
}

RasInfo *qmp_query_ras(Error **errp)
{
    RasState *s = need_ras(errp);
    const RasCounts *c;
    RasInfo *info;

    if (!s) {
        return NULL;
    }
    info = g_new0(RasInfo, 1);
    /* these may drop the BQL; nothing that is looked at later may change */
    ras_serrors_settle(s);
    info->serrors = list_serrors(s);
    ras_events_send(s);
    c = &s->queue.counts;
    info->sources = list_sources(s);
    info->queue = list_errors(s);
    info->parked = list_parked();
    if (s->check_stopped) {
        info->check_stop = g_new0(RasCheckStop, 1);
        info->check_stop->id = s->check_stop.id;
        info->check_stop->reason = g_strdup(s->check_stop.delivery);
    }
    info->poisoned = list_poison(s);
    ras_host_memory_locate(s);
    info->host_poisoned = list_host_memory(s);
    info->counters = g_new0(RasCounters, 1);
    *info->counters = (RasCounters) {
        .accepted = c->accepted,
        .refused = c->refused,
        .in_flight = s->queue.in_flight,
        .recorded = c->recorded,
        .notified = c->notified,
        .acknowledged = c->acknowledged,
        .delivered = c->delivered,
        .reclaimed = c->reclaimed,
        .discarded = c->discarded,
        .poison_other_accesses = qatomic_read(&s->poison.accesses) -
                                 s->poison.consumed,
        .events_dropped = s->events_dropped,
    };
    return info;
}
