/*
 * Guest RAS: HMP commands "info ras", "ras_inject" and "ras_unpoison", and what
 * the monitor offers for their arguments
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-ras.h"
#include "qobject/qdict.h"
#include "qapi/util.h"
#include "qemu/readline.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "hw/ras-error.h"

static void print_sources(Monitor *mon, const RasSourceList *list)
{
    for (; list; list = list->next) {
        const RasSource *source = list->value;

        monitor_printf(mon, "source: %s, %s", source->name,
                       source->ready ? "ready" : "not set up by the guest");
        if (source->has_outstanding) {
            monitor_printf(mon, ", error %" PRIu64 " not acknowledged yet",
                           source->outstanding);
        }
        monitor_printf(mon, "\n");
    }
}

static void print_queue(Monitor *mon, const RasErrorInfoList *list)
{
    for (; list; list = list->next) {
        const RasErrorInfo *info = list->value;

        monitor_printf(mon, "error %" PRIu64 ": %s, %s, %s, %s", info->id,
                       RasErrorState_str(info->state),
                       RasErrorClass_str(info->q_class),
                       RasSeverity_str(info->severity),
                       RasOrigin_str(info->origin));
        if (info->has_address) {
            monitor_printf(mon, ", address 0x%" PRIx64, info->address);
        }
        if (info->has_vcpu) {
            monitor_printf(mon, ", vCPU %" PRId64, info->vcpu);
        }
        monitor_printf(mon, "\n");
    }
}

/* Both return how many bytes there are. */
static uint64_t print_poison(Monitor *mon, const RasPoisonRangeList *list)
{
    uint64_t total = 0;

    for (; list; list = list->next) {
        const RasPoisonRange *range = list->value;

        monitor_printf(mon, "poisoned: 0x%" PRIx64 "..0x%" PRIx64 ", %s\n",
                       range->address, range->address + range->length - 1,
                       RasSeverity_str(range->severity));
        total += range->length;
    }
    return total;
}

static uint64_t print_host_memory(Monitor *mon, const RasHostRangeList *list)
{
    uint64_t total = 0;

    for (; list; list = list->next) {
        const RasHostRange *range = list->value;

        monitor_printf(mon, "failed on the host: 0x%" PRIx64 "..0x%" PRIx64
                       "\n", range->address,
                       range->address + range->length - 1);
        total += range->length;
    }
    return total;
}

void hmp_info_ras(Monitor *mon, const QDict *qdict)
{
    Error *err = NULL;
    g_autoptr(RasInfo) info = qmp_query_ras(&err);
    const RasCounters *c;
    const RasSerrorInfoList *serror;
    const intList *vcpu;
    uint64_t bad;

    if (hmp_handle_error(mon, err)) {
        return;
    }
    print_sources(mon, info->sources);
    print_queue(mon, info->queue);
    for (vcpu = info->parked; vcpu; vcpu = vcpu->next) {
        monitor_printf(mon, "parked: vCPU %" PRId64 "\n", vcpu->value);
    }
    if (info->check_stop && info->check_stop->id) {
        monitor_printf(mon, "check-stop since error %" PRIu64 ": %s\n",
                       info->check_stop->id, info->check_stop->reason);
    } else if (info->check_stop) {
        monitor_printf(mon, "check-stop: %s\n", info->check_stop->reason);
    }
    for (serror = info->serrors; serror; serror = serror->next) {
        monitor_printf(mon, "SError pending: vCPU %" PRId64,
                       serror->value->vcpu);
        if (serror->value->has_syndrome) {
            monitor_printf(mon, ", syndrome 0x%" PRIx64,
                           serror->value->syndrome);
        }
        monitor_printf(mon, "\n");
    }
    bad = print_poison(mon, info->poisoned);
    bad += print_host_memory(mon, info->host_poisoned);
    if (bad) {
        monitor_printf(mon, "bad pages of %d bytes: %" PRIu64 ", %" PRIu64
                       " KiB\n", RAS_PAGE_SIZE, bad / RAS_PAGE_SIZE,
                       bad / KiB);
    }
    c = info->counters;
    monitor_printf(mon, "accepted %" PRIu64 " = in flight %" PRIu64
                   " + acknowledged %" PRIu64 " + delivered %" PRIu64
                   " + reclaimed %" PRIu64 " + discarded %" PRIu64 "\n",
                   c->accepted, c->in_flight, c->acknowledged, c->delivered,
                   c->reclaimed, c->discarded);
    monitor_printf(mon, "refused %" PRIu64 ", other accesses to poison %"
                   PRIu64 "\n", c->refused, c->poison_other_accesses);
}

/*
 * Has the command this argument?  All arguments are optional for the monitor,
 * whose own messages do not say which one is missing.
 */
static bool has_argument(const QDict *qdict, const char *name,
                         const char *usage, Error **errp)
{
    if (qdict_haskey(qdict, name)) {
        return true;
    }
    error_setg(errp, "Parameter '%s' is missing; usage: %s", name, usage);
    return false;
}

/* A word of an enumeration; without one, @absent. */
static int parse_word(const QEnumLookup *lookup, const char *name,
                      const char *word, int absent, Error **errp)
{
    g_autoptr(GString) words = g_string_new(NULL);
    Error *err = NULL;
    int value = qapi_enum_parse(lookup, word, absent, &err);

    if (err) {
        error_free(err);
        for (int i = 0; i < lookup->size; i++) {
            g_string_append_printf(words, "%s%s", i ? ", " : "",
                                   qapi_enum_lookup(lookup, i));
        }
        error_setg(errp, "Parameter '%s' cannot be '%s'; it is one of %s",
                   name, word, words->str);
    }
    return value;
}

static bool parse_memory(const QDict *qdict, RasInjectMemory *memory,
                         Error **errp)
{
    static const char usage[] = "ras_inject memory ADDRESS "
        "poison|consume|report [SEVERITY [VCPU]]";
    const char *kind = qdict_get_try_str(qdict, "kind");

    ERRP_GUARD();

    if (!has_argument(qdict, "kind", usage, errp)) {
        return false;
    }
    if (strcmp(kind, RasInjectKind_str(RAS_INJECT_KIND_MEMORY))) {
        error_setg(errp, "Parameter 'kind' cannot be '%s'; it is 'memory', "
                   "and QMP command 'ras-inject' has more", kind);
        return false;
    }
    if (!has_argument(qdict, "address", usage, errp) ||
        !has_argument(qdict, "mode", usage, errp)) {
        return false;
    }
    memory->address = qdict_get_int(qdict, "address");
    memory->mode = parse_word(&RasInjectMode_lookup, "mode",
                              qdict_get_str(qdict, "mode"), -1, errp);
    if (*errp) {
        return false;
    }
    memory->severity = parse_word(&RasSeverity_lookup, "severity",
                                  qdict_get_try_str(qdict, "severity"),
                                  RAS_SEVERITY_RECOVERABLE, errp);
    memory->has_vcpu = qdict_haskey(qdict, "vcpu");
    memory->vcpu = qdict_get_try_int(qdict, "vcpu", 0);
    return !*errp;
}

void hmp_ras_inject(Monitor *mon, const QDict *qdict)
{
    g_autoptr(RasInjectResult) result = NULL;
    RasInject arg = { .kind = RAS_INJECT_KIND_MEMORY };
    Error *err = NULL;

    if (parse_memory(qdict, &arg.u.memory, &err)) {
        result = qmp_ras_inject(&arg, &err);
    }
    if (result && result->has_id) {
        monitor_printf(mon, "error %" PRIu64 "\n", result->id);
    }
    hmp_handle_error(mon, err);
}

/* @nb_args counts the command and the argument that begins with @str. */
void ras_inject_completion(ReadLineState *rs, int nb_args, const char *str)
{
    static const QEnumLookup *const words[] = {
        [4] = &RasInjectMode_lookup,
        [5] = &RasSeverity_lookup,
    };

    readline_set_completion_index(rs, strlen(str));
    if (nb_args == 2) {
        readline_add_completion_of(rs, str,
                                   RasInjectKind_str(RAS_INJECT_KIND_MEMORY));
    } else if (nb_args < ARRAY_SIZE(words) && words[nb_args]) {
        for (int i = 0; i < words[nb_args]->size; i++) {
            readline_add_completion_of(rs, str,
                                       qapi_enum_lookup(words[nb_args], i));
        }
    }
}

void hmp_ras_unpoison(Monitor *mon, const QDict *qdict)
{
    Error *err = NULL;

    if (has_argument(qdict, "address", "ras_unpoison ADDRESS", &err)) {
        qmp_ras_unpoison(qdict_get_int(qdict, "address"), false, 0, &err);
    }
    hmp_handle_error(mon, err);
}
