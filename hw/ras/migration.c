/*
 * Guest RAS: errors and poison move with the VM
 *
 * A section that is sent only if there is something to send, so that a VM
 * without errors moves to and from a QEMU without guest RAS.  It has the errors
 * in flight, oldest first, poison, and the numbers that go with them.  Loading
 * builds the queue anew in place of what was there, and refuses what no queue
 * could hold; then nothing of it stays.
 *
 * It is loaded after the clock and the vCPUs that the machine has created, and
 * before the devices of the command line, as what these have mapped may be
 * poison.
 *
 * Everything is called with the BQL held, on the thread that saves or loads,
 * while no vCPU runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/memory.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "hw/core/vmstate-if.h"
#include "migration/vmstate.h"
#include "internal.h"

/* Enumerations of qapi/ras.json are in streams: their values do not change. */
QEMU_BUILD_BUG_ON(RAS_ERROR_CLASS_UNKNOWN != 6 || RAS_ERROR_CLASS__MAX != 7);
QEMU_BUILD_BUG_ON(RAS_SEVERITY_FATAL != 2 || RAS_SEVERITY__MAX != 3);
QEMU_BUILD_BUG_ON(RAS_ORIGIN_SIGBUS != 5 || RAS_ORIGIN__MAX != 6);
QEMU_BUILD_BUG_ON(RAS_ACCESS_FETCH != 3 || RAS_ACCESS__MAX != 4);
QEMU_BUILD_BUG_ON(RAS_ERROR_STATE_QUEUED != 1 || RAS_ERROR_STATE_NOTIFIED != 3);
QEMU_BUILD_BUG_ON(RAS_ERROR_STATE_ACKNOWLEDGED != 4 ||
                  RAS_ERROR_STATE__MAX != 8);

/* More than any record of any machine, bytes. */
#define RECORD_MAX 65536

/* Bytes for the guest that were given with an error */
typedef struct RasSavedRecord {
    uint32_t len;
    uint8_t *data;
} RasSavedRecord;

/*
 * What a stream has.  The arrays have room for all that there can be, and are
 * there while the section is saved or loaded.  Records are not in the errors,
 * so that those have one description in the stream, and not one each.
 */
typedef struct RasMigration {
    RasState *ras;
    uint64_t last_id;
    RasCounts counts;
    uint64_t poison_accesses;
    uint64_t poison_consumed;   /* of these */
    bool check_stopped;
    bool panic_is_due;          /* GUEST_PANICKED is still to be sent */
    int32_t unrecorded_vcpu;    /* has to run before its next error, or -1 */
    int64_t pause_ns;           /* guest time until the next batch */
    int32_t nr_errors;
    RasEntry *errors;
    int32_t nr_records;         /* of those errors that have one */
    RasSavedRecord *records;
    int32_t nr_poison;
    RasPoisonSlot *poison;
} RasMigration;

static const VMStateDescription vmstate_error = {
    .name = "ras/error",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(class, RasError),
        VMSTATE_UINT32(severity, RasError),
        VMSTATE_UINT32(origin, RasError),
        VMSTATE_UINT32(access, RasError),
        VMSTATE_UINT32(channel, RasError),
        VMSTATE_BOOL(synchronous, RasError),
        VMSTATE_BOOL(limited, RasError),
        VMSTATE_BOOL(immediate, RasError),
        VMSTATE_BOOL(moved, RasError),
        VMSTATE_BOOL(has_addr, RasError),
        VMSTATE_BOOL(has_vaddr, RasError),
        VMSTATE_INT32(vcpu, RasError),
        VMSTATE_UINT64(addr, RasError),
        VMSTATE_UINT64(first, RasError),
        VMSTATE_UINT64(len, RasError),
        VMSTATE_UINT64(vaddr, RasError),
        VMSTATE_BOOL(syndrome.valid, RasError),
        VMSTATE_UINT64(syndrome.srr1, RasError),
        VMSTATE_UINT64(syndrome.dar, RasError),
        VMSTATE_UINT32(syndrome.dsisr, RasError),
        VMSTATE_UINT32(record_len, RasError),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_entry = {
    .name = "ras/entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(id, RasEntry),
        VMSTATE_UINT32(state, RasEntry),
        VMSTATE_BOOL(recorded, RasEntry),
        VMSTATE_BOOL(blocked_until_reset, RasEntry),
        VMSTATE_BOOL(recursive, RasEntry),
        VMSTATE_UINT64(len_acknowledged, RasEntry),
        VMSTATE_UINT64(len_recorded, RasEntry),
        VMSTATE_STRUCT(error, RasEntry, 1, vmstate_error, RasError),
        VMSTATE_END_OF_LIST()
    },
};

static bool record_is_bounded(void *opaque, int version_id)
{
    return ((RasSavedRecord *)opaque)->len <= RECORD_MAX;
}

static const VMStateDescription vmstate_record = {
    .name = "ras/record",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(len, RasSavedRecord),
        VMSTATE_VALIDATE("length of a record", record_is_bounded),
        VMSTATE_VBUFFER_ALLOC_UINT32(data, RasSavedRecord, 1, NULL, len),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_poison = {
    .name = "ras/poison",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, RasPoisonSlot),
        VMSTATE_UINT64(len, RasPoisonSlot),
        VMSTATE_UINT32(severity, RasPoisonSlot),
        VMSTATE_END_OF_LIST()
    },
};

/* --- saving --------------------------------------------------------------- */

static void release(RasMigration *m)
{
    for (int i = 0; m->records && i < RAS_QUEUE_SIZE; i++) {
        g_free(m->records[i].data);
    }
    g_clear_pointer(&m->errors, g_free);
    g_clear_pointer(&m->records, g_free);
    g_clear_pointer(&m->poison, g_free);
}

static void prepare(RasMigration *m)
{
    /* what was saved, or loaded from a stream that ended early */
    release(m);
    m->errors = g_new0(RasEntry, RAS_QUEUE_SIZE);
    m->records = g_new0(RasSavedRecord, RAS_QUEUE_SIZE);
    m->poison = g_new0(RasPoisonSlot, RAS_POISON_RANGES);
    m->nr_errors = m->nr_records = m->nr_poison = 0;
}

/*
 * A pending SError is in the vCPU's state, too, which is enough for the guest.
 * But who has seen it accepted is to see its end.
 */
bool ras_has_errors(RasDevice *d)
{
    return d->state->queue.in_flight || ras_poison_count(d->state);
}

static bool is_needed(void *opaque)
{
    return ras_has_errors(((RasMigration *)opaque)->ras->device);
}

static int pre_save(void *opaque)
{
    RasMigration *m = opaque;
    RasState *s = m->ras;

    prepare(m);
    m->last_id = s->queue.last_id;
    m->counts = s->queue.counts;
    m->poison_accesses = qatomic_read(&s->poison.accesses);
    m->poison_consumed = s->poison.consumed;
    m->check_stopped = s->check_stopped;
    m->panic_is_due = s->panic_is_due;
    m->unrecorded_vcpu = s->unrecorded_vcpu_ran ? -1 : s->unrecorded_vcpu;
    m->pause_ns = ras_batch_pause(s);
    for (RasEntry *e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        m->errors[m->nr_errors++] = *e;
        if (e->error.record) {
            m->records[m->nr_records++] = (RasSavedRecord) {
                .len = e->error.record_len,
                .data = g_memdup2(e->error.record, e->error.record_len),
            };
        }
    }
    for (int i = 0; i < RAS_POISON_RANGES; i++) {
        if (s->poison.range[i].used) {
            m->poison[m->nr_poison++] = s->poison.range[i];
        }
    }
    return 0;
}

/* --- loading -------------------------------------------------------------- */

/* A record names whole pages, of what earlier ones have left. */
static bool lengths_are_valid(const RasEntry *e)
{
    uint64_t len = e->error.len;

    if (e->state == RAS_ERROR_STATE_QUEUED) {
        return !e->len_acknowledged && !e->len_recorded;
    }
    return e->len_acknowledged % RAS_PAGE_SIZE == 0 &&
           e->len_recorded % RAS_PAGE_SIZE == 0 &&
           (len ? e->len_acknowledged < len : !e->len_acknowledged) &&
           e->len_recorded <= len - e->len_acknowledged;
}

/* @record: that of @e, if it has one; the queue has it then */
static bool load_error(RasState *s, RasEntry *e, RasSavedRecord *record)
{
    Error *err = NULL;

    if (record && record->len == e->error.record_len) {
        e->error.record = record->data;
    }
    if (e->state == RAS_ERROR_STATE_NOTIFIED) {
        e->delivery = "notified before the VM state was loaded";
    }
    if (e->state != RAS_ERROR_STATE_QUEUED &&
        e->state != RAS_ERROR_STATE_NOTIFIED) {
        error_setg(&err, "bad state");
    } else if (!ras_check_error(s, &e->error, &err)) {
        /* it says why */
    } else if (!lengths_are_valid(e)) {
        error_setg(&err, "bad address or length");
    } else if (e->error.channel == RAS_CHANNEL_SERROR &&
               ras_serror_in_flight(s, e->error.vcpu)) {
        error_setg(&err, "bad vCPU, which has another SError");
    } else if (!ras_queue_restore(&s->queue, e)) {
        error_setg(&err, "bad order or number");
    }
    if (err) {
        error_reportf_err(err, "ras: cannot load error %" PRIu64 ": ", e->id);
        return false;
    }
    if (record) {
        record->data = NULL;
    }
    return true;
}

static bool load_poison(RasState *s, const RasMigration *m)
{
    Error *err = NULL;

    for (int i = 0; i < m->nr_poison; i++) {
        const RasPoisonSlot *p = &m->poison[i];

        if (!ras_check_poison(s, p->addr, p->severity, true, &err) ||
            !ras_poison_add(s, p->addr, p->len, p->severity, &err)) {
            error_reportf_err(err, "ras: cannot load poison: ");
            return false;
        }
    }
    return true;
}

static bool load(RasState *s, const RasMigration *m)
{
    int next = 0;
    bool good;

    /* numbers of errors do not come round to 0, which is none */
    if (m->last_id > INT64_MAX) {
        error_report("ras: cannot load errors: bad number of the last error");
        return false;
    }
    for (int i = 0; i < m->nr_errors; i++) {
        bool has_record = m->errors[i].error.record_len &&
                          next < m->nr_records;

        if (!load_error(s, &m->errors[i],
                        has_record ? &m->records[next++] : NULL)) {
            return false;
        }
    }
    if (next < m->nr_records) {
        error_report("ras: cannot load errors: there are more records than "
                     "errors that have one");
        return false;
    }
    /* the vCPU of the error that did it may be unplugged since */
    if (m->check_stopped ? m->panic_is_due && !s->queue.nr_blocked :
                           m->panic_is_due || s->queue.nr_blocked) {
        error_report("ras: cannot load errors: one stops the machine, and the "
                     "machine is not stopped, or the other way round");
        return false;
    }
    if (!ras_queue_restore_end(&s->queue) ||
        m->poison_consumed > m->poison_accesses) {
        error_report("ras: cannot load errors: the counters do not add up");
        return false;
    }
    qatomic_set(&s->poison.accesses, m->poison_accesses);
    s->poison.consumed = m->poison_consumed;
    /* The memory map changes once, and not with each range. */
    memory_region_transaction_begin();
    good = load_poison(s, m);
    memory_region_transaction_commit();
    if (!good) {
        return false;
    }
    if (m->unrecorded_vcpu >= 0 && qemu_get_cpu(m->unrecorded_vcpu)) {
        s->unrecorded_vcpu = m->unrecorded_vcpu;
        s->unrecorded_vcpu_ran = false;
    }
    s->panic_is_due = m->panic_is_due;
    return true;
}

/* What was here before makes room; nothing stays of what cannot be loaded. */
static void begin_load(RasState *s, uint64_t last_id, const RasCounts *counts)
{
    /* a stream that has the section twice stops nothing while it is loaded */
    s->panic_is_due = false;
    ras_queue_restore_begin(&s->queue, last_id, counts);
    /* entries are free when their last event was taken */
    ras_events_send_all(s);
    ras_poison_clear(s);
    s->unrecorded_vcpu = -1;
}

/*
 * Time does not pass for a VM that moves, so what was awaited is awaited anew,
 * for the whole time, when the VM runs.
 */
static void end_load(RasState *s, bool check_stopped, int64_t pause_ns)
{
    RasEntry *e;

    s->check_stopped = check_stopped;
    s->check_stop = (RasEvent) {
        .delivery = "check-stopped before the VM state was loaded",
    };
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->blocked_until_reset) {
            s->check_stop.error = e->error;
            s->check_stop.id = e->id;
        }
    }
    ras_exception_loaded(s);
    ras_batch_loaded(s, pause_ns);
    s->loaded = true;
}

static int pre_load(void *opaque)
{
    prepare(opaque);
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    static const RasCounts none;
    RasMigration *m = opaque;
    RasState *s = m->ras;
    uint64_t last_id = s->queue.last_id;
    bool good;

    begin_load(s, m->last_id, &m->counts);
    good = load(s, m);
    if (good) {
        end_load(s, m->check_stopped, m->pause_ns);
    } else {
        begin_load(s, 0, &none);
        s->queue.last_id = last_id;
        end_load(s, false, 0);
    }
    release(m);
    return good ? 0 : -EINVAL;
}

static bool errors_are_bounded(void *opaque, int version_id)
{
    RasMigration *m = opaque;

    return m->nr_errors >= 0 && m->nr_errors <= RAS_QUEUE_SIZE;
}

static bool records_are_bounded(void *opaque, int version_id)
{
    RasMigration *m = opaque;

    return m->nr_records >= 0 && m->nr_records <= m->nr_errors;
}

static bool poison_is_bounded(void *opaque, int version_id)
{
    RasMigration *m = opaque;

    return m->nr_poison >= 0 && m->nr_poison <= RAS_POISON_RANGES;
}

static const VMStateDescription vmstate_ras = {
    .name = "ras",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_needed,
    .pre_save = pre_save,
    .pre_load = pre_load,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(last_id, RasMigration),
        VMSTATE_UINT64(counts.accepted, RasMigration),
        VMSTATE_UINT64(counts.refused, RasMigration),
        VMSTATE_UINT64(counts.recorded, RasMigration),
        VMSTATE_UINT64(counts.notified, RasMigration),
        VMSTATE_UINT64(counts.acknowledged, RasMigration),
        VMSTATE_UINT64(counts.delivered, RasMigration),
        VMSTATE_UINT64(counts.reclaimed, RasMigration),
        VMSTATE_UINT64(counts.discarded, RasMigration),
        VMSTATE_UINT64(poison_accesses, RasMigration),
        VMSTATE_UINT64(poison_consumed, RasMigration),
        VMSTATE_BOOL(check_stopped, RasMigration),
        VMSTATE_BOOL(panic_is_due, RasMigration),
        VMSTATE_INT32(unrecorded_vcpu, RasMigration),
        VMSTATE_INT64(pause_ns, RasMigration),
        VMSTATE_INT32(nr_errors, RasMigration),
        VMSTATE_VALIDATE("number of errors", errors_are_bounded),
        VMSTATE_STRUCT_VARRAY_POINTER_INT32(errors, RasMigration, nr_errors,
                                            vmstate_entry, RasEntry),
        VMSTATE_INT32(nr_records, RasMigration),
        VMSTATE_VALIDATE("number of records", records_are_bounded),
        VMSTATE_STRUCT_VARRAY_POINTER_INT32(records, RasMigration, nr_records,
                                            vmstate_record, RasSavedRecord),
        VMSTATE_INT32(nr_poison, RasMigration),
        VMSTATE_VALIDATE("number of poisoned ranges", poison_is_bounded),
        VMSTATE_STRUCT_VARRAY_POINTER_INT32(poison, RasMigration, nr_poison,
                                            vmstate_poison, RasPoisonSlot),
        VMSTATE_END_OF_LIST()
    },
};

void ras_migration_init(RasState *s)
{
    RasMigration *m = g_new0(RasMigration, 1);

    m->ras = s;
    vmstate_register(VMSTATE_IF(s->device), 0, &vmstate_ras, m);
}
