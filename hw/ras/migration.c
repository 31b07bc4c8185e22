/*
 * Guest RAS: errors and poison move with the VM
 *
 * A subsection of the first vCPU, and not a section of the RAS device, because
 * a section of its own would change the numbers of those behind it.  It is
 * there only if there is something to move, so the stream of a VM without
 * errors is that of a QEMU without guest RAS.
 *
 * The queue is not sent as it is in memory, but as a list of errors; loading
 * builds it anew, and refuses what no queue could hold.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "exec/memory.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "internal.h"

/* More than any record of any machine, bytes. */
#define RECORD_MAX 65536

typedef struct SavedError {
    uint64_t id;
    uint8_t state;
    bool recorded;
    bool held;
    bool recursive;
    uint8_t class;
    uint8_t severity;
    uint8_t origin;
    uint8_t access;
    uint8_t channel;
    bool synchronous;
    bool limited;
    bool immediate;
    bool moved;
    bool has_addr;
    bool has_vaddr;
    int32_t vcpu;
    uint64_t addr;
    uint64_t first;
    uint64_t len;
    uint64_t vaddr;
    bool has_syndrome;
    uint64_t srr1;
    uint64_t dar;
    uint32_t dsisr;
    uint64_t told;
    uint64_t telling;
    uint32_t record_len;
    uint8_t *record;
} SavedError;

typedef struct SavedRange {
    uint64_t addr;
    uint64_t len;
    uint8_t severity;
} SavedRange;

/* The arrays have room for all that there can be, and are zero before. */
typedef struct Saved {
    uint64_t last_id;
    RasCounts counts;
    uint64_t poison_accesses;
    uint64_t poison_consumed;   /* of these */
    bool lost;
    bool tell_panic;            /* nobody was told that it is */
    bool fatal_told;
    int32_t bare_vcpu;          /* has to run before its next error, or -1 */
    int64_t pause_ns;           /* before the next asynchronous record */
    bool record_out[RAS_RECORD_CHANNELS];
    int32_t nr_errors;
    SavedError *errors;
    int32_t nr_ranges;
    SavedRange *ranges;
} Saved;

static bool record_is_bounded(void *opaque, int version_id)
{
    return ((SavedError *)opaque)->record_len <= RECORD_MAX;
}

static const VMStateDescription vmstate_error = {
    .name = "ras/error",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(id, SavedError),
        VMSTATE_UINT8(state, SavedError),
        VMSTATE_BOOL(recorded, SavedError),
        VMSTATE_BOOL(held, SavedError),
        VMSTATE_BOOL(recursive, SavedError),
        VMSTATE_UINT8(class, SavedError),
        VMSTATE_UINT8(severity, SavedError),
        VMSTATE_UINT8(origin, SavedError),
        VMSTATE_UINT8(access, SavedError),
        VMSTATE_UINT8(channel, SavedError),
        VMSTATE_BOOL(synchronous, SavedError),
        VMSTATE_BOOL(limited, SavedError),
        VMSTATE_BOOL(immediate, SavedError),
        VMSTATE_BOOL(moved, SavedError),
        VMSTATE_BOOL(has_addr, SavedError),
        VMSTATE_BOOL(has_vaddr, SavedError),
        VMSTATE_INT32(vcpu, SavedError),
        VMSTATE_UINT64(addr, SavedError),
        VMSTATE_UINT64(first, SavedError),
        VMSTATE_UINT64(len, SavedError),
        VMSTATE_UINT64(vaddr, SavedError),
        VMSTATE_BOOL(has_syndrome, SavedError),
        VMSTATE_UINT64(srr1, SavedError),
        VMSTATE_UINT64(dar, SavedError),
        VMSTATE_UINT32(dsisr, SavedError),
        VMSTATE_UINT64(told, SavedError),
        VMSTATE_UINT64(telling, SavedError),
        VMSTATE_UINT32(record_len, SavedError),
        VMSTATE_VALIDATE("length of a record", record_is_bounded),
        VMSTATE_VBUFFER_ALLOC_UINT32(record, SavedError, 1, NULL, record_len),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_range = {
    .name = "ras/poison",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, SavedRange),
        VMSTATE_UINT64(len, SavedRange),
        VMSTATE_UINT8(severity, SavedRange),
        VMSTATE_END_OF_LIST()
    },
};

/* Numbers of errors do not come round to 0, which is none. */
static bool last_id_is_bounded(void *opaque, int version_id)
{
    return ((Saved *)opaque)->last_id <= INT64_MAX;
}

static bool errors_are_bounded(void *opaque, int version_id)
{
    Saved *saved = opaque;

    return saved->nr_errors >= 0 && saved->nr_errors <= RAS_QUEUE_SIZE;
}

static bool ranges_are_bounded(void *opaque, int version_id)
{
    Saved *saved = opaque;

    return saved->nr_ranges >= 0 && saved->nr_ranges <= RAS_POISON_RANGES;
}

static const VMStateDescription vmstate_saved = {
    .name = "ras/state",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(last_id, Saved),
        VMSTATE_VALIDATE("number of the last error", last_id_is_bounded),
        VMSTATE_UINT64(counts.accepted, Saved),
        VMSTATE_UINT64(counts.refused, Saved),
        VMSTATE_UINT64(counts.recorded, Saved),
        VMSTATE_UINT64(counts.notified, Saved),
        VMSTATE_UINT64(counts.acknowledged, Saved),
        VMSTATE_UINT64(counts.taken, Saved),
        VMSTATE_UINT64(counts.reclaimed, Saved),
        VMSTATE_UINT64(counts.discarded, Saved),
        VMSTATE_UINT64(poison_accesses, Saved),
        VMSTATE_UINT64(poison_consumed, Saved),
        VMSTATE_BOOL(lost, Saved),
        VMSTATE_BOOL(tell_panic, Saved),
        VMSTATE_BOOL(fatal_told, Saved),
        VMSTATE_INT32(bare_vcpu, Saved),
        VMSTATE_INT64(pause_ns, Saved),
        VMSTATE_BOOL_ARRAY(record_out, Saved, RAS_RECORD_CHANNELS),
        VMSTATE_INT32(nr_errors, Saved),
        VMSTATE_VALIDATE("number of errors", errors_are_bounded),
        VMSTATE_STRUCT_VARRAY_POINTER_INT32(errors, Saved, nr_errors,
                                            vmstate_error, SavedError),
        VMSTATE_INT32(nr_ranges, Saved),
        VMSTATE_VALIDATE("number of poisoned ranges", ranges_are_bounded),
        VMSTATE_STRUCT_VARRAY_POINTER_INT32(ranges, Saved, nr_ranges,
                                            vmstate_range, SavedRange),
        VMSTATE_END_OF_LIST()
    },
};

/* --- saving --------------------------------------------------------------- */

/* The record stays the queue's: who frees @to must not free it. */
static void save_error(SavedError *to, const RasEntry *e)
{
    const RasError *error = &e->error;

    *to = (SavedError) {
        .id = e->id,
        .state = e->state,
        .recorded = e->recorded,
        .held = e->held,
        .recursive = e->recursive,
        .class = error->class,
        .severity = error->severity,
        .origin = error->origin,
        .access = error->access,
        .channel = error->channel,
        .synchronous = error->synchronous,
        .limited = error->limited,
        .immediate = error->immediate,
        .moved = error->moved,
        .has_addr = error->has_addr,
        .has_vaddr = error->has_vaddr,
        .vcpu = error->vcpu,
        .addr = error->addr,
        .first = error->first,
        .len = error->len,
        .vaddr = error->vaddr,
        .has_syndrome = error->syndrome.valid,
        .srr1 = error->syndrome.srr1,
        .dar = error->syndrome.dar,
        .dsisr = error->syndrome.dsisr,
        .told = e->told,
        .telling = e->telling,
        .record_len = error->record_len,
        .record = error->record,
    };
}

static int put_state(QEMUFile *f, void *opaque, size_t size,
                     const VMStateField *field, JSONWriter *desc)
{
    RasState *s = ras_get();
    Saved saved = {
        .last_id = s->queue.last_id,
        .poison_accesses = stat64_get(&s->poison.accesses),
        .poison_consumed = s->poison.consumed,
        .lost = s->lost,
        .tell_panic = s->tell_panic,
        .fatal_told = s->fatal_told,
        .bare_vcpu = s->bare_vcpu_ran ? -1 : s->bare_vcpu,
        .pause_ns = ras_async_pause(s),
        .errors = g_new0(SavedError, RAS_QUEUE_SIZE),
        .ranges = g_new0(SavedRange, RAS_POISON_RANGES),
    };
    int ret;

    saved.counts = s->queue.counts;
    memcpy(saved.record_out, s->record_out, sizeof(saved.record_out));
    for (RasEntry *e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        save_error(&saved.errors[saved.nr_errors++], e);
    }
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        RasPoisonSlot *slot = &s->poison.range[i];

        if (slot->used) {
            saved.ranges[saved.nr_ranges++] = (SavedRange) {
                .addr = slot->addr,
                .len = slot->len,
                .severity = slot->severity,
            };
        }
    }
    /* A description in JSON would be larger than the state, and take longer. */
    ret = vmstate_save_state(f, &vmstate_saved, &saved, NULL);
    g_free(saved.errors);
    g_free(saved.ranges);
    return ret;
}

/* --- loading -------------------------------------------------------------- */

/* What is told is told of, and a record names whole pages of the rest. */
static bool told_is_good(const RasEntry *e)
{
    uint64_t len = e->error.len;

    if (e->state == RAS_ERROR_STATE_QUEUED) {
        return !e->told && !e->telling;
    }
    return e->told % RAS_PAGE_SIZE == 0 && e->telling % RAS_PAGE_SIZE == 0 &&
           (len ? e->told < len : !e->told) && e->telling <= len - e->told;
}

static bool load_error(RasState *s, SavedError *e)
{
    Error *err = NULL;
    RasEntry entry = {
        .error = {
            .class = e->class,
            .severity = e->severity,
            .origin = e->origin,
            .access = e->access,
            .channel = e->channel,
            .synchronous = e->synchronous,
            .limited = e->limited,
            .immediate = e->immediate,
            .moved = e->moved,
            .has_addr = e->has_addr,
            .has_vaddr = e->has_vaddr,
            .vcpu = e->vcpu,
            .addr = e->addr,
            .first = e->first,
            .len = e->len,
            .vaddr = e->vaddr,
            .syndrome = {
                .valid = e->has_syndrome,
                .srr1 = e->srr1,
                .dar = e->dar,
                .dsisr = e->dsisr,
            },
            .record_len = e->record_len,
            .record = e->record_len ? e->record : NULL,
        },
        .id = e->id,
        .state = e->state,
        .recorded = e->recorded,
        .held = e->held,
        .recursive = e->recursive,
        .delivery = e->state == RAS_ERROR_STATE_NOTIFIED ?
                    "told before the VM was moved here" : NULL,
        .told = e->told,
        .telling = e->telling,
    };

    if (e->state != RAS_ERROR_STATE_QUEUED &&
        e->state != RAS_ERROR_STATE_NOTIFIED) {
        error_setg(&err, "bad state");
    } else if (!ras_check_error(s, &entry.error, &err)) {
        /* it says why */
    } else if (!told_is_good(&entry)) {
        error_setg(&err, "bad address or length");
    } else if (e->channel == RAS_CHANNEL_SERROR &&
               ras_serror_in_flight(s, e->vcpu)) {
        error_setg(&err, "bad vCPU, which has another SError");
    } else if (!ras_queue_restore(&s->queue, &entry)) {
        error_setg(&err, "bad order or number");
    }
    if (err) {
        error_reportf_err(err, "ras: cannot load error %" PRIu64 ": ", e->id);
        return false;
    }
    if (entry.error.record) {
        /* the queue's from now on */
        e->record = NULL;
    }
    return true;
}

static bool load_ranges(RasState *s, const Saved *saved)
{
    Error *err = NULL;

    for (int i = 0; i < saved->nr_ranges; i++) {
        const SavedRange *r = &saved->ranges[i];

        if (!ras_check_poison(s, r->addr, r->severity, true, &err) ||
            !ras_poison_add(s, r->addr, r->len, r->severity, &err)) {
            error_reportf_err(err, "ras: cannot load poison: ");
            return false;
        }
    }
    return true;
}

static bool load_saved(RasState *s, const Saved *saved)
{
    bool good;

    for (int i = 0; i < saved->nr_errors; i++) {
        if (!load_error(s, &saved->errors[i])) {
            return false;
        }
    }
    /* the vCPU of the error that it was lost with may be unplugged since */
    if (saved->lost ? saved->tell_panic && !s->queue.held :
                      saved->tell_panic || s->queue.held) {
        error_report("ras: cannot load errors: one stops the machine, and the "
                     "machine is not stopped, or the other way round");
        return false;
    }
    if (!ras_queue_restore_end(&s->queue) ||
        saved->poison_consumed > saved->poison_accesses) {
        error_report("ras: cannot load errors: the counters do not add up");
        return false;
    }
    stat64_set(&s->poison.accesses, saved->poison_accesses);
    s->poison.consumed = saved->poison_consumed;
    /* The memory map changes once, and not with each range. */
    memory_region_transaction_begin();
    good = load_ranges(s, saved);
    memory_region_transaction_commit();
    if (!good) {
        return false;
    }
    if (saved->bare_vcpu >= 0 && qemu_get_cpu(saved->bare_vcpu)) {
        s->bare_vcpu = saved->bare_vcpu;
        s->bare_vcpu_ran = false;
    }
    for (int c = RAS_CHANNEL_INTERRUPT; c < RAS_RECORD_CHANNELS; c++) {
        s->record_out[c] = saved->record_out[c] &&
                           ras_queue_outstanding(&s->queue, c);
    }
    return true;
}

/* What was here before makes room; nothing stays of what cannot be loaded. */
static void begin_load(RasState *s, uint64_t last_id, const RasCounts *counts)
{
    ras_queue_restore_begin(&s->queue, last_id, counts);
    /* entries are free when their last step was reported */
    ras_report_all(s);
    ras_poison_clear(s);
    s->bare_vcpu = -1;
    s->fatal_told = false;
    s->tell_panic = false;
    memset(s->record_out, 0, sizeof(s->record_out));
}

static bool load(RasState *s, const Saved *saved)
{
    static const RasCounts none;

    begin_load(s, saved->last_id, &saved->counts);
    if (load_saved(s, saved)) {
        s->fatal_told = saved->fatal_told;
        s->tell_panic = saved->tell_panic;
        ras_loaded(s, saved->lost, saved->pause_ns);
        return true;
    }
    begin_load(s, 0, &none);
    ras_loaded(s, false, 0);
    return false;
}

static int get_state(QEMUFile *f, void *opaque, size_t size,
                     const VMStateField *field)
{
    RasState *s = ras_get();
    Saved saved = { 0 };
    int ret;

    if (!s) {
        error_report("ras: the VM comes with hardware errors, and this machine "
                     "has no guest RAS; start it with the same options");
        return -EINVAL;
    }
    saved.errors = g_new0(SavedError, RAS_QUEUE_SIZE);
    saved.ranges = g_new0(SavedRange, RAS_POISON_RANGES);
    ret = vmstate_load_state(f, &vmstate_saved, &saved, 1);
    if (!ret && !load(s, &saved)) {
        ret = -EINVAL;
    }
    for (int i = 0; i < RAS_QUEUE_SIZE; i++) {
        g_free(saved.errors[i].record);
    }
    g_free(saved.errors);
    g_free(saved.ranges);
    return ret;
}

static const VMStateInfo vmstate_info_ras = {
    .name = "ras",
    .get = get_state,
    .put = put_state,
};

/*
 * A pending SError is in the vCPU's state, too, which is enough for the guest.
 * But who has seen it accepted is to see its end.
 */
static bool state_needed(void *opaque)
{
    RasState *s = ras_get();

    if (!s || opaque != first_cpu) {
        return false;
    }
    /* one that has been taken is no reason */
    ras_serrors_settle(s);
    return s->queue.in_flight || ras_poison_count(s);
}

const VMStateDescription vmstate_cpu_common_ras = {
    .name = "cpu_common/ras",
    .version_id = 2,
    .minimum_version_id = 2,
    .needed = state_needed,
    .fields = (const VMStateField[]) {
        {
            .name = "state",
            .info = &vmstate_info_ras,
            .flags = VMS_SINGLE,
        },
        VMSTATE_END_OF_LIST()
    },
};
