/*
 * Guest RAS: errors, their life cycle and the queue that holds them
 *
 * See include/hw/ras-queue.h.  Driven by hw/core/ras.c; pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras-queue.h"

#define NONE (-1)

QEMU_BUILD_BUG_ON(RAS_QUEUE_SIZE > INT16_MAX);

static int16_t entry_index(const RasQueue *q, const RasEntry *e)
{
    return e - q->entry;
}

static RasEntry *entry_at(RasQueue *q, int16_t i)
{
    return i == NONE ? NULL : &q->entry[i];
}

void ras_queue_init(RasQueue *q, uint16_t *parking, unsigned int nr_vcpus)
{
    memset(q, 0, sizeof(*q));
    memset(parking, 0, nr_vcpus * sizeof(*parking));
    q->parking = parking;
    q->nr_vcpus = nr_vcpus;
    q->first = q->last = q->outstanding = NONE;
    for (int i = 0; i < RAS_QUEUE_SIZE; i++) {
        q->entry[i].next = i + 1 < RAS_QUEUE_SIZE ? i + 1 : NONE;
    }
}

static void list_append(RasQueue *q, RasEntry *e)
{
    int16_t i = entry_index(q, e);

    e->prev = q->last;
    e->next = NONE;
    if (q->last == NONE) {
        q->first = i;
    } else {
        q->entry[q->last].next = i;
    }
    q->last = i;
}

static void list_remove(RasQueue *q, RasEntry *e)
{
    if (e->prev == NONE) {
        q->first = e->next;
    } else {
        q->entry[e->prev].next = e->next;
    }
    if (e->next == NONE) {
        q->last = e->prev;
    } else {
        q->entry[e->next].prev = e->prev;
    }
}

/* The ring has room for every step of every entry, so it cannot overflow. */
static void step_append(RasQueue *q, RasEntry *e)
{
    unsigned int at = (q->step_head + q->step_count) % RAS_STEPS_MAX;

    q->step[at].entry = entry_index(q, e);
    q->step[at].stage = e->stage;
    q->step_count++;
}

static bool step_allowed(const RasQueue *q, const RasEntry *e, RasStage to)
{
    switch (to) {
    case RAS_STAGE_QUEUED:
        return e->stage == RAS_STAGE_ACCEPTED;
    case RAS_STAGE_RECORDED:
        return e->stage == RAS_STAGE_QUEUED && q->outstanding == NONE;
    case RAS_STAGE_NOTIFIED:
        return e->stage == RAS_STAGE_RECORDED ||
               (e->stage == RAS_STAGE_QUEUED && q->outstanding == NONE);
    case RAS_STAGE_ACKNOWLEDGED:
    case RAS_STAGE_RECLAIMED:
        return e->stage == RAS_STAGE_NOTIFIED && e->recorded;
    case RAS_STAGE_TAKEN:
        return e->stage == RAS_STAGE_NOTIFIED && !e->recorded;
    case RAS_STAGE_DISCARDED:
        return !ras_stage_is_end(e->stage);
    default:
        return false;
    }
}

static void count_stage(RasCounts *c, RasStage stage)
{
    switch (stage) {
    case RAS_STAGE_RECORDED:
        c->recorded++;
        break;
    case RAS_STAGE_NOTIFIED:
        c->notified++;
        break;
    case RAS_STAGE_ACKNOWLEDGED:
        c->acknowledged++;
        break;
    case RAS_STAGE_TAKEN:
        c->taken++;
        break;
    case RAS_STAGE_RECLAIMED:
        c->reclaimed++;
        break;
    case RAS_STAGE_DISCARDED:
        c->discarded++;
        break;
    default:
        break;
    }
}

bool ras_queue_advance(RasQueue *q, RasEntry *e, RasStage stage)
{
    bool parks = ras_error_parks(&e->error);

    if (!step_allowed(q, e, stage)) {
        return false;
    }

    if (stage == RAS_STAGE_QUEUED) {
        q->queued++;
        if (parks) {
            q->parking[e->error.vcpu]++;
        }
    } else if (stage == RAS_STAGE_RECORDED) {
        /* still queued for its vCPU, which goes on with the notification */
        q->outstanding = entry_index(q, e);
        e->recorded = true;
    } else if (e->stage == RAS_STAGE_QUEUED ||
               e->stage == RAS_STAGE_RECORDED) {
        q->queued--;
        if (parks) {
            q->parking[e->error.vcpu]--;
        }
    }
    if (stage == RAS_STAGE_NOTIFIED) {
        q->outstanding = entry_index(q, e);
    }
    if (ras_stage_is_end(stage)) {
        if (q->outstanding == entry_index(q, e)) {
            q->outstanding = NONE;
        }
        q->in_flight--;
        q->held -= e->held;
        e->held = false;
    }

    e->stage = stage;
    count_stage(&q->counts, stage);
    step_append(q, e);
    return true;
}

RasEntry *ras_queue_accept(RasQueue *q, const RasError *error)
{
    RasEntry *e = entry_at(q, q->free);

    if (!e || error->vcpu < 0 || error->vcpu >= (int64_t)q->nr_vcpus ||
        (error->origin == RAS_ORIGIN_INJECTED &&
         q->in_flight >= RAS_QUEUE_INJECTED_MAX)) {
        ras_queue_refuse(q);
        return NULL;
    }
    q->free = e->next;

    *e = (RasEntry) {
        .error = *error,
        .id = ++q->last_id,
        .stage = RAS_STAGE_ACCEPTED,
        .recursive = q->outstanding != NONE,
    };
    list_append(q, e);
    q->in_flight++;
    q->counts.accepted++;
    step_append(q, e);
    ras_queue_advance(q, e, RAS_STAGE_QUEUED);
    return e;
}

void ras_queue_refuse(RasQueue *q)
{
    q->counts.refused++;
}

RasEntry *ras_queue_outstanding(RasQueue *q)
{
    return entry_at(q, q->outstanding);
}

/*
 * An error that an instruction consumed has to be delivered at that
 * instruction: it goes before what was injected for the same vCPU.
 */
static RasEntry *consumed_before(RasQueue *q, RasEntry *e)
{
    RasEntry *l;

    if (e->error.origin != RAS_ORIGIN_INJECTED) {
        return e;
    }
    for (l = entry_at(q, e->next); l; l = entry_at(q, l->next)) {
        if (l->stage == RAS_STAGE_QUEUED && !l->held &&
            l->error.vcpu == e->error.vcpu &&
            l->error.origin != RAS_ORIGIN_INJECTED) {
            return l;
        }
    }
    return e;
}

RasEntry *ras_queue_next(RasQueue *q)
{
    RasEntry *e;

    if (q->outstanding != NONE || !q->queued) {
        return NULL;
    }
    for (e = entry_at(q, q->first); e; e = entry_at(q, e->next)) {
        if (e->stage == RAS_STAGE_QUEUED && !e->held) {
            return consumed_before(q, e);
        }
    }
    return NULL;
}

unsigned int ras_queue_discard(RasQueue *q, int vcpu)
{
    unsigned int n = 0;

    for (RasEntry *e = entry_at(q, q->first); e; e = entry_at(q, e->next)) {
        if ((vcpu < 0 || e->error.vcpu == vcpu) &&
            ras_queue_advance(q, e, RAS_STAGE_DISCARDED)) {
            n++;
        }
    }
    return n;
}

void ras_queue_hold(RasQueue *q, RasEntry *e)
{
    if (!e->held && e->stage == RAS_STAGE_QUEUED) {
        e->held = true;
        q->held++;
    }
}

bool ras_queue_parks(const RasQueue *q, int vcpu)
{
    if (vcpu < 0 || vcpu >= (int64_t)q->nr_vcpus || !q->parking[vcpu]) {
        return false;
    }
    return q->held || q->outstanding == NONE ||
           q->entry[q->outstanding].error.vcpu != vcpu ||
           q->entry[q->outstanding].stage != RAS_STAGE_NOTIFIED;
}

bool ras_queue_report(RasQueue *q, RasReport *report)
{
    RasStep step;
    RasEntry *e;

    if (!q->step_count) {
        return false;
    }
    step = q->step[q->step_head];
    q->step_head = (q->step_head + 1) % RAS_STEPS_MAX;
    q->step_count--;

    e = &q->entry[step.entry];
    *report = (RasReport) {
        .error = e->error,
        .id = e->id,
        .stage = step.stage,
        .recursive = e->recursive,
        .quiet = e->quiet,
        .delivery = step.stage >= RAS_STAGE_NOTIFIED ? e->delivery : NULL,
    };
    if (ras_stage_is_end(step.stage)) {
        list_remove(q, e);
        e->next = q->free;
        q->free = entry_index(q, e);
    }
    return true;
}

/* Errors at their end stay in the list until their last step is reported. */
static RasEntry *skip_ended(RasQueue *q, RasEntry *e)
{
    while (e && ras_stage_is_end(e->stage)) {
        e = entry_at(q, e->next);
    }
    return e;
}

RasEntry *ras_queue_first(RasQueue *q)
{
    return skip_ended(q, entry_at(q, q->first));
}

RasEntry *ras_queue_following(RasQueue *q, const RasEntry *e)
{
    return skip_ended(q, entry_at(q, e->next));
}
