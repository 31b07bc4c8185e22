/*
 * Fuzzer of what a migration stream can do to the queue: restore, then live
 *
 * With libFuzzer, or with standalone.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras/queue.h"
#include "fuzz.h"

#define NR_VCPUS 4

typedef struct Input {
    const uint8_t *data;
    size_t size;
} Input;

/* The next n bytes; zeros when there are none left */
static uint64_t get(Input *in, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n && in->size; i++, in->size--) {
        value = value << 8 | *in->data++;
    }
    return value;
}

static RasEntry get_entry(Input *in)
{
    RasEntry e = {
        .id = get(in, 1),
        .state = get(in, 1),
        .recorded = get(in, 1) & 1,
        .blocked_until_reset = get(in, 1) & 1,
        .len_acknowledged = get(in, 2),
        .len_recorded = get(in, 2),
        .error = {
            .class = get(in, 1) % (RAS_ERROR_CLASS_UNKNOWN + 1),
            .severity = get(in, 1) % (RAS_SEVERITY_FATAL + 1),
            .origin = get(in, 1) % (RAS_ORIGIN_SIGBUS + 1),
            .channel = get(in, 1),
            .synchronous = get(in, 1) & 1,
            .vcpu = (int8_t)get(in, 1),
            .len = get(in, 2),
        },
    };

    return e;
}

static void check(RasQueue *q)
{
    unsigned int in_flight = 0, out[RAS_CHANNELS] = { 0 };
    unsigned int queued[RAS_CHANNELS] = { 0 };
    uint64_t last = 0;

    for (RasEntry *e = ras_queue_first(q); e; e = ras_queue_following(q, e)) {
        g_assert(e->id > last && e->id <= q->last_id);
        last = e->id;
        in_flight++;
        if (e->state == RAS_ERROR_STATE_QUEUED) {
            queued[e->error.channel]++;
        } else if (e->error.channel != RAS_CHANNEL_SERROR) {
            out[e->error.channel]++;
        }
    }
    g_assert(in_flight == q->in_flight);
    for (int c = 0; c < RAS_CHANNELS; c++) {
        g_assert(queued[c] == q->channel[c].queued);
        g_assert(out[c] == q->channel[c].nr_outstanding);
    }
    g_assert(out[RAS_CHANNEL_EXCEPTION] <= 1);
}

/* What a guest, a machine and a reset do, in any order */
static void live(RasQueue *q, Input *in)
{
    RasChannel channel = get(in, 1) % RAS_CHANNELS;
    RasEntry *batch[RAS_BATCH_MAX], *e;
    unsigned int n;
    RasEvent r;

    switch (get(in, 1) % 5) {
    case 0:
        e = ras_queue_next(q, RAS_CHANNEL_EXCEPTION);
        if (e) {
            g_assert(ras_queue_advance(q, e, RAS_ERROR_STATE_RECORDED));
            g_assert(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
        }
        break;
    case 1:
        n = channel == RAS_CHANNEL_EXCEPTION ? 0 :
            ras_queue_next_batch(q, channel, batch);
        for (unsigned int i = 0; i < n; i++) {
            g_assert(ras_queue_advance(q, batch[i], RAS_ERROR_STATE_RECORDED));
        }
        for (unsigned int i = 0; i < n; i++) {
            g_assert(ras_queue_advance(q, batch[i], RAS_ERROR_STATE_NOTIFIED));
        }
        break;
    case 2:
        n = ras_queue_outstanding_batch(q, channel, batch);
        for (unsigned int i = 0; i < n; i++) {
            /* or QEMU would end */
            g_assert(ras_queue_advance(q, batch[i],
                                       RAS_ERROR_STATE_ACKNOWLEDGED));
        }
        e = ras_queue_first(q);
        if (e && e->error.channel == RAS_CHANNEL_SERROR) {
            g_assert(ras_queue_advance(q, e, RAS_ERROR_STATE_DELIVERED));
        }
        break;
    case 3:
        ras_queue_discard(q, (int8_t)get(in, 1));
        break;
    default:
        while (ras_queue_next_event(q, &r)) {
            g_assert(r.state < RAS_ERROR_STATE__MAX);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static RasQueue q;
    RasQueueVcpu vcpu[NR_VCPUS];
    Input in = { data, size };
    const RasCounts counts = {
        .accepted = get(&in, 1),
        .recorded = get(&in, 1),
        .notified = get(&in, 1),
        .acknowledged = get(&in, 1),
        .delivered = get(&in, 1),
        .reclaimed = get(&in, 1),
        .discarded = get(&in, 1),
    };
    unsigned int n, restored = 0;

    ras_queue_init(&q, vcpu, NR_VCPUS);
    ras_queue_restore_begin(&q, get(&in, 1), &counts);
    n = get(&in, 1);
    for (unsigned int i = 0; i < n; i++) {
        RasEntry e = get_entry(&in);

        restored += ras_queue_restore(&q, &e);
        g_assert(q.in_flight == restored);
    }
    check(&q);
    if (!ras_queue_restore_end(&q)) {
        return 0;
    }
    while (in.size) {
        live(&q, &in);
        check(&q);
        g_assert(ras_queue_restore_end(&q));
    }
    ras_queue_discard(&q, -1);
    check(&q);
    for (int i = 0; i < NR_VCPUS; i++) {
        g_assert(!vcpu[i].parking && !vcpu[i].deferrable &&
                 !ras_queue_parks(&q, i));
    }
    return 0;
}
