/*
 * Guest RAS: tests of the life cycle and the queue of errors
 *
 * A model that is kept in the test, independent of the queue's own counters,
 * says what must hold after every event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras/queue.h"

#define NR_VCPUS 4

typedef struct Fixture {
    RasQueue *q;
    RasQueueVcpu vcpu[NR_VCPUS];
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->q = g_new(RasQueue, 1);
    memset(f->vcpu, 0xff, sizeof(f->vcpu));
    ras_queue_init(f->q, f->vcpu, NR_VCPUS);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_free(f->q);
}

static RasError an_error(int vcpu)
{
    return (RasError) {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_POISON,
        .access = RAS_ACCESS_LOAD,
        .synchronous = true,
        .has_addr = true,
        .vcpu = vcpu,
        .addr = 0x40000000,
        .len = 4096,
    };
}

static RasEntry *take(Fixture *f, int vcpu)
{
    RasError error = an_error(vcpu);

    return ras_queue_accept(f->q, &error);
}

static void assert_step(RasQueue *q, uint64_t id, RasErrorState state)
{
    RasEvent r;

    g_assert_true(ras_queue_next_event(q, &r));
    g_assert_cmpuint(r.id, ==, id);
    g_assert_cmpuint(r.state, ==, state);
}

static void test_recorded_life(Fixture *f, gconstpointer data)
{
    RasQueue *q = f->q;
    RasEntry *e = take(f, 2);
    RasEvent r;

    g_assert_nonnull(e);
    g_assert_cmpuint(e->id, ==, 1);
    g_assert_cmpuint(e->state, ==, RAS_ERROR_STATE_QUEUED);
    g_assert_true(ras_queue_next(q, RAS_CHANNEL_EXCEPTION) == e);
    g_assert_null(ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION));

    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION) == e);
    g_assert_null(ras_queue_next(q, RAS_CHANNEL_EXCEPTION));
    g_assert_true(ras_queue_parks(q, 2));
    e->delivery = "somehow";
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
    g_assert_false(ras_queue_parks(q, 2));
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_null(ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION));
    g_assert_cmpuint(q->in_flight, ==, 0);

    assert_step(q, 1, RAS_ERROR_STATE_ACCEPTED);
    assert_step(q, 1, RAS_ERROR_STATE_QUEUED);
    assert_step(q, 1, RAS_ERROR_STATE_RECORDED);
    g_assert_true(ras_queue_next_event(q, &r));
    g_assert_cmpuint(r.state, ==, RAS_ERROR_STATE_NOTIFIED);
    g_assert_cmpstr(r.delivery, ==, "somehow");
    g_assert_cmpuint(r.error.addr, ==, 0x40000000);
    assert_step(q, 1, RAS_ERROR_STATE_ACKNOWLEDGED);
    g_assert_false(ras_queue_next_event(q, &r));
}

static void test_bare_life(Fixture *f, gconstpointer data)
{
    RasQueue *q = f->q;
    RasEntry *e = take(f, 0);

    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
    g_assert_false(ras_queue_advance(q, e, RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_false(ras_queue_advance(q, e, RAS_ERROR_STATE_RECLAIMED));
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_DELIVERED));
    g_assert_cmpuint(q->counts.recorded, ==, 0);
    g_assert_cmpuint(q->counts.notified, ==, 1);
    g_assert_cmpuint(q->counts.delivered, ==, 1);
}

/* From each state, try each step; only those of the picture may work. */
static void test_no_stage_is_skipped(Fixture *f, gconstpointer data)
{
    static const struct {
        RasErrorState path[4];
        unsigned int len;
        unsigned int allowed;       /* bit mask of states */
    } cases[] = {
        { { 0 }, 0, 1 << RAS_ERROR_STATE_RECORDED |
          1 << RAS_ERROR_STATE_NOTIFIED | 1 << RAS_ERROR_STATE_DISCARDED },
        { { RAS_ERROR_STATE_RECORDED }, 1, 1 << RAS_ERROR_STATE_NOTIFIED |
          1 << RAS_ERROR_STATE_DISCARDED },
        { { RAS_ERROR_STATE_RECORDED, RAS_ERROR_STATE_NOTIFIED }, 2,
          1 << RAS_ERROR_STATE_ACKNOWLEDGED | 1 << RAS_ERROR_STATE_RECLAIMED |
          1 << RAS_ERROR_STATE_DISCARDED },
        { { RAS_ERROR_STATE_NOTIFIED }, 1, 1 << RAS_ERROR_STATE_DELIVERED |
          1 << RAS_ERROR_STATE_DISCARDED },
        { { RAS_ERROR_STATE_RECORDED, RAS_ERROR_STATE_NOTIFIED,
            RAS_ERROR_STATE_ACKNOWLEDGED }, 3, 0 },
        { { RAS_ERROR_STATE_RECORDED, RAS_ERROR_STATE_NOTIFIED,
            RAS_ERROR_STATE_RECLAIMED }, 3, 0 },
        { { RAS_ERROR_STATE_NOTIFIED, RAS_ERROR_STATE_DELIVERED }, 2, 0 },
        { { RAS_ERROR_STATE_DISCARDED }, 1, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (RasErrorState to = 0; to <= RAS_ERROR_STATE__MAX; to++) {
            RasEntry *e;
            RasErrorState before;
            bool done;

            ras_queue_init(f->q, f->vcpu, NR_VCPUS);
            e = take(f, 1);
            for (unsigned int k = 0; k < cases[i].len; k++) {
                g_assert_true(ras_queue_advance(f->q, e, cases[i].path[k]));
            }
            before = e->state;
            done = ras_queue_advance(f->q, e, to);
            g_assert_cmpint(done, ==, (cases[i].allowed >> to) & 1);
            g_assert_cmpuint(e->state, ==, done ? to : before);
        }
    }
}

static void test_one_outstanding(Fixture *f, gconstpointer data)
{
    RasEntry *a = take(f, 0), *b = take(f, 1);

    g_assert_true(ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED));
    g_assert_false(ras_queue_advance(f->q, b, RAS_ERROR_STATE_RECORDED));
    g_assert_false(ras_queue_advance(f->q, b, RAS_ERROR_STATE_NOTIFIED));
    g_assert_true(ras_queue_advance(f->q, a, RAS_ERROR_STATE_NOTIFIED));
    g_assert_false(ras_queue_advance(f->q, b, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_advance(f->q, a, RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == b);
    g_assert_true(ras_queue_advance(f->q, b, RAS_ERROR_STATE_RECORDED));
}

static void test_owner_is_not_parked(Fixture *f, gconstpointer data)
{
    RasEntry *a = take(f, 3), *b = take(f, 3);

    g_assert_true(ras_queue_parks(f->q, 3));
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED);
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_NOTIFIED);
    g_assert_false(ras_queue_parks(f->q, 3));
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_ACKNOWLEDGED);
    g_assert_true(ras_queue_parks(f->q, 3));
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == b);
}

/* What was consumed must be delivered where it was consumed. */
static void test_consumed_before_injected(Fixture *f, gconstpointer data)
{
    RasError injected = an_error(1);
    RasEntry *a, *b, *c, *d;

    injected.origin = RAS_ORIGIN_INJECTED;
    a = ras_queue_accept(f->q, &injected);
    b = take(f, 0);
    c = take(f, 1);
    d = ras_queue_accept(f->q, &injected);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == c);
    ras_queue_advance(f->q, c, RAS_ERROR_STATE_DISCARDED);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == a);
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_DISCARDED);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == b);
    ras_queue_advance(f->q, b, RAS_ERROR_STATE_DISCARDED);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == d);
}

static void test_corrected_does_not_park(Fixture *f, gconstpointer data)
{
    RasError error = an_error(1);
    RasEntry *e;

    error.severity = RAS_SEVERITY_CORRECTED;
    e = ras_queue_accept(f->q, &error);
    g_assert_false(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == e);
    g_assert_true(ras_queue_advance(f->q, e, RAS_ERROR_STATE_NOTIFIED));
    g_assert_cmpuint(f->vcpu[1].parking, ==, 0);
}

/*
 * What can wait, waits, and neither parks its vCPU nor keeps others waiting; in
 * the end all is as before.
 */
static void test_put_off(Fixture *f, gconstpointer data)
{
    RasError injected = an_error(1), immediate, corrected;
    RasEntry *a, *b, *c, *d, *e, *x;

    injected.origin = RAS_ORIGIN_INJECTED;
    immediate = corrected = injected;
    immediate.immediate = true;
    corrected.severity = RAS_SEVERITY_CORRECTED;
    a = ras_queue_accept(f->q, &injected);
    b = ras_queue_accept(f->q, &corrected);
    ras_queue_put_off(f->q, 1, true);
    g_assert_null(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION));
    g_assert_false(ras_queue_parks(f->q, 1));

    /* what comes while it is so */
    x = ras_queue_accept(f->q, &injected);
    g_assert_null(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION));
    g_assert_false(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_advance(f->q, x, RAS_ERROR_STATE_DISCARDED));

    c = take(f, 0);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == c);
    g_assert_true(ras_queue_advance(f->q, c, RAS_ERROR_STATE_DISCARDED));
    d = take(f, 1);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == d);
    g_assert_true(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_advance(f->q, d, RAS_ERROR_STATE_DISCARDED));
    e = ras_queue_accept(f->q, &immediate);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == e);
    g_assert_true(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_advance(f->q, e, RAS_ERROR_STATE_DISCARDED));
    g_assert_false(ras_queue_parks(f->q, 1));

    ras_queue_put_off(f->q, 1, false);
    g_assert_true(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == a);
    g_assert_true(ras_queue_advance(f->q, a, RAS_ERROR_STATE_DISCARDED));
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == b);
    g_assert_false(ras_queue_parks(f->q, 1));
}

/* What need not come again waits, once its vCPU was moved away from it. */
static void test_moved(Fixture *f, gconstpointer data)
{
    static const struct {
        RasOrigin origin;
        bool again;
    } cases[] = {
        { RAS_ORIGIN_INJECTED, false }, { RAS_ORIGIN_POISON, true },
        { RAS_ORIGIN_ACCESS, true }, { RAS_ORIGIN_KVM_NMI, false },
        { RAS_ORIGIN_KVM_SEA, false }, { RAS_ORIGIN_SIGBUS, true },
    };
    RasError error = an_error(1);
    RasEntry *e;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        error.origin = cases[i].origin;
        g_assert_cmpint(ras_error_comes_again(&error), ==, cases[i].again);
        g_assert_cmpint(ras_error_has_insn(&error), ==, i != 0);
    }
    error.origin = RAS_ORIGIN_KVM_NMI;
    error.first = error.addr;
    e = ras_queue_accept(f->q, &error);
    ras_queue_put_off(f->q, 1, true);
    g_assert_true(ras_queue_parks(f->q, 1));
    ras_queue_move(f->q, e);
    g_assert_null(ras_error_check(&e->error));
    g_assert_false(ras_error_has_insn(&e->error));
    g_assert_false(ras_queue_parks(f->q, 1));
    g_assert_null(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION));
    ras_queue_put_off(f->q, 1, false);
    g_assert_true(ras_queue_parks(f->q, 1));
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == e);
    g_assert_true(ras_queue_advance(f->q, e, RAS_ERROR_STATE_NOTIFIED));
    g_assert_false(ras_queue_parks(f->q, 1));
}

static void test_held(Fixture *f, gconstpointer data)
{
    RasEntry *a = take(f, 0), *b = take(f, 0), *c = take(f, 1);

    ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED);
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_NOTIFIED);
    ras_queue_block(f->q, b);
    ras_queue_block(f->q, b);
    g_assert_true(ras_queue_parks(f->q, 0));
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_ACKNOWLEDGED);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION) == c);
    g_assert_true(ras_queue_parks(f->q, 0));
    g_assert_cmpuint(ras_queue_discard(f->q, -1), ==, 2);
    g_assert_false(ras_queue_parks(f->q, 0));
    g_assert_cmpuint(f->q->nr_blocked, ==, 0);
}

static void test_refusals(Fixture *f, gconstpointer data)
{
    g_assert_null(take(f, -1));
    g_assert_null(take(f, NR_VCPUS));
    g_assert_null(take(f, INT_MAX));
    g_assert_cmpuint(f->q->counts.refused, ==, 3);
    g_assert_cmpuint(f->q->counts.accepted, ==, 0);
    ras_queue_refuse(f->q);
    g_assert_cmpuint(f->q->counts.refused, ==, 4);
    g_assert_false(ras_queue_parks(f->q, -1));
    g_assert_false(ras_queue_parks(f->q, NR_VCPUS));
}

/* Full until the ends were reported, then usable as before. */
static void test_full(Fixture *f, gconstpointer data)
{
    RasEvent r;
    unsigned int steps = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < RAS_QUEUE_SIZE; i++) {
            g_assert_nonnull(take(f, i % NR_VCPUS));
        }
        g_assert_null(take(f, 0));
        for (RasEntry *e; (e = ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION));) {
            g_assert_true(ras_queue_advance(f->q, e, RAS_ERROR_STATE_RECORDED));
            g_assert_true(ras_queue_advance(f->q, e, RAS_ERROR_STATE_NOTIFIED));
            g_assert_true(ras_queue_advance(f->q, e,
                                            RAS_ERROR_STATE_ACKNOWLEDGED));
        }
        g_assert_null(ras_queue_first(f->q));
        g_assert_null(take(f, 0));
        while (ras_queue_next_event(f->q, &r)) {
            steps++;
        }
    }
    g_assert_cmpuint(steps, ==, 3 * 5 * RAS_QUEUE_SIZE);
    g_assert_cmpuint(f->q->counts.acknowledged, ==, 3 * RAS_QUEUE_SIZE);
}

/* What the vCPU tries again is not lost; what is told of once is. */
static void test_refused_when_full(Fixture *f, gconstpointer data)
{
    static const struct {
        RasOrigin origin;
        bool synchronous, counts;
    } cases[] = {
        { RAS_ORIGIN_POISON, true, false },
        { RAS_ORIGIN_ACCESS, true, false },
        { RAS_ORIGIN_KVM_SEA, true, true },
        { RAS_ORIGIN_SIGBUS, true, false },
        { RAS_ORIGIN_SIGBUS, false, true },
        { RAS_ORIGIN_KVM_NMI, true, true },
        { RAS_ORIGIN_INJECTED, true, true },
    };

    for (int i = 0; i < RAS_QUEUE_SIZE; i++) {
        g_assert_nonnull(take(f, i % NR_VCPUS));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RasError error = an_error(0);
        uint64_t before = f->q->counts.refused;

        error.origin = cases[i].origin;
        error.synchronous = cases[i].synchronous;
        g_assert_null(ras_queue_accept(f->q, &error));
        g_assert_cmpuint(f->q->counts.refused, ==, before + cases[i].counts);
    }
    g_assert_cmpuint(f->q->counts.accepted, ==, RAS_QUEUE_SIZE);
}

/* However much is injected, an error that really happened finds room. */
static void test_room_for_real_errors(Fixture *f, gconstpointer data)
{
    RasError injected = an_error(0);

    injected.origin = RAS_ORIGIN_INJECTED;
    for (int i = 0; i < RAS_QUEUE_INJECTED_MAX; i++) {
        g_assert_nonnull(ras_queue_accept(f->q, &injected));
    }
    g_assert_null(ras_queue_accept(f->q, &injected));
    g_assert_cmpuint(f->q->counts.refused, ==, 1);
    for (int i = 0; i < RAS_QUEUE_SIZE - RAS_QUEUE_INJECTED_MAX; i++) {
        g_assert_nonnull(take(f, i % NR_VCPUS));
    }
    g_assert_null(take(f, 0));
}

static void test_discard_of_one_vcpu(Fixture *f, gconstpointer data)
{
    RasEntry *a = take(f, 0), *b = take(f, 1), *c = take(f, 0);

    ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED);
    g_assert_cmpuint(ras_queue_discard(f->q, 0), ==, 2);
    g_assert_null(ras_queue_outstanding(f->q, RAS_CHANNEL_EXCEPTION));
    g_assert_cmpuint(c->state, ==, RAS_ERROR_STATE_DISCARDED);
    g_assert_true(ras_queue_first(f->q) == b);
    g_assert_null(ras_queue_following(f->q, b));
    g_assert_false(ras_queue_parks(f->q, 0));
    g_assert_true(ras_queue_parks(f->q, 1));
}

static void test_recursive(Fixture *f, gconstpointer data)
{
    RasEntry *a = take(f, 0), *b = take(f, 1);

    g_assert_false(a->recursive || b->recursive);
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED);
    g_assert_true(take(f, 2)->recursive);
}

/* --- channels that batch ------------------------------------------------- */

static RasError async_error(RasChannel channel)
{
    RasError error = an_error(-1);

    error.synchronous = false;
    error.channel = channel;
    return error;
}

static RasEntry *take_async(Fixture *f, RasChannel channel)
{
    RasError error = async_error(channel);

    return ras_queue_accept(f->q, &error);
}

static RasEntry *take_corrected(Fixture *f, RasChannel channel)
{
    RasError error = async_error(channel);

    error.severity = RAS_SEVERITY_CORRECTED;
    return ras_queue_accept(f->q, &error);
}

static void advance_all(Fixture *f, RasEntry **batch, unsigned int n,
                        RasErrorState state)
{
    for (unsigned int i = 0; i < n; i++) {
        g_assert_true(ras_queue_advance(f->q, batch[i], state));
    }
}

static void test_batches(Fixture *f, gconstpointer data)
{
    RasEntry *e[RAS_BATCH_MAX + 3], *batch[RAS_BATCH_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(e); i++) {
        e[i] = take_corrected(f, RAS_CHANNEL_INTERRUPT);
        g_assert_nonnull(take_async(f, RAS_CHANNEL_POLLED));
        g_assert_nonnull(take(f, 0));
    }
    g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT, batch),
                     ==, RAS_BATCH_MAX);
    for (int i = 0; i < RAS_BATCH_MAX; i++) {
        g_assert_true(batch[i] == e[i]);
    }
    advance_all(f, batch, RAS_BATCH_MAX, RAS_ERROR_STATE_RECORDED);
    /* the record is full */
    g_assert_false(ras_queue_advance(f->q, e[RAS_BATCH_MAX],
                                     RAS_ERROR_STATE_RECORDED));
    advance_all(f, batch, RAS_BATCH_MAX, RAS_ERROR_STATE_NOTIFIED);
    g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT, batch),
                     ==, 0);
    g_assert_null(ras_queue_next(f->q, RAS_CHANNEL_INTERRUPT));
    /* neither channel waits for another */
    g_assert_nonnull(ras_queue_next(f->q, RAS_CHANNEL_POLLED));
    g_assert_nonnull(ras_queue_next(f->q, RAS_CHANNEL_EXCEPTION));

    g_assert_cmpuint(ras_queue_outstanding_batch(f->q, RAS_CHANNEL_INTERRUPT,
                                                 batch), ==, RAS_BATCH_MAX);
    advance_all(f, batch, RAS_BATCH_MAX, RAS_ERROR_STATE_ACKNOWLEDGED);
    g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT, batch),
                     ==, 3);
    g_assert_true(batch[2] == e[RAS_BATCH_MAX + 2]);
}

/* Pages that the guest has to give up are fewer. */
static void test_batches_of_pages(Fixture *f, gconstpointer data)
{
    RasEntry *batch[RAS_BATCH_MAX];

    for (int i = 0; i < RAS_BATCH_MAX; i++) {
        take_async(f, RAS_CHANNEL_INTERRUPT);
    }
    g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT, batch),
                     ==, RAS_BATCH_PAGES);
}

/* A real error on one channel says nothing about an injected one elsewhere. */
static void test_no_overtaking_between_channels(Fixture *f, gconstpointer data)
{
    RasError polled = async_error(RAS_CHANNEL_POLLED);
    RasEntry *batch[RAS_BATCH_MAX], *p;

    take_async(f, RAS_CHANNEL_INTERRUPT);
    polled.origin = RAS_ORIGIN_INJECTED;
    p = ras_queue_accept(f->q, &polled);
    take_async(f, RAS_CHANNEL_INTERRUPT);
    g_assert_true(ras_queue_next(f->q, RAS_CHANNEL_POLLED) == p);
    g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_POLLED, batch), ==,
                     1);
}

/* Nothing joins a record that the guest was already told of. */
static void test_closed_batch(Fixture *f, gconstpointer data)
{
    RasEntry *a = take_async(f, RAS_CHANNEL_INTERRUPT);
    RasEntry *b = take_async(f, RAS_CHANNEL_INTERRUPT);

    g_assert_true(ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_advance(f->q, a, RAS_ERROR_STATE_NOTIFIED));
    g_assert_false(ras_queue_advance(f->q, b, RAS_ERROR_STATE_RECORDED));
    g_assert_false(ras_queue_advance(f->q, b, RAS_ERROR_STATE_NOTIFIED));
}

/* What goes into one record: single pages of one severity, in order. */
static void test_what_batches(Fixture *f, gconstpointer data)
{
    RasError many = async_error(RAS_CHANNEL_INTERRUPT), own = many,
             corrected = many, cache = many;
    uint8_t record[4];
    RasEntry *batch[RAS_BATCH_MAX];
    const RasError *const alone[] = { &many, &own, &cache };

    many.len = 2 * RAS_PAGE_SIZE;
    own.record = record;
    own.record_len = sizeof(record);
    cache.class = RAS_ERROR_CLASS_CACHE;
    corrected.severity = RAS_SEVERITY_CORRECTED;
    for (size_t i = 0; i < G_N_ELEMENTS(alone); i++) {
        RasEntry *first, *second;

        ras_queue_init(f->q, f->vcpu, NR_VCPUS);
        first = ras_queue_accept(f->q, alone[i]);
        second = take_async(f, RAS_CHANNEL_INTERRUPT);
        g_assert_nonnull(ras_queue_accept(f->q, alone[i]));
        g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT,
                                              batch), ==, 1);
        g_assert_true(batch[0] == first);
        ras_queue_advance(f->q, first, RAS_ERROR_STATE_DISCARDED);
        g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT,
                                              batch), ==, 1);
        g_assert_true(batch[0] == second);
    }
    ras_queue_init(f->q, f->vcpu, NR_VCPUS);
    take_async(f, RAS_CHANNEL_INTERRUPT);
    take_async(f, RAS_CHANNEL_INTERRUPT);
    ras_queue_accept(f->q, &corrected);
    take_async(f, RAS_CHANNEL_INTERRUPT);
    g_assert_cmpuint(ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT, batch),
                     ==, 2);
}

static void test_channel_refusals(Fixture *f, gconstpointer data)
{
    RasError error = async_error(RAS_CHANNEL_POLLED);

    error.vcpu = 0;
    g_assert_null(ras_queue_accept(f->q, &error));
    error.vcpu = -1;
    error.synchronous = true;
    g_assert_null(ras_queue_accept(f->q, &error));
    error.channel = RAS_CHANNEL_EXCEPTION;
    g_assert_null(ras_queue_accept(f->q, &error));
    g_assert_cmpuint(f->q->counts.refused, ==, 3);
}

/* --- errors that cannot be ------------------------------------------------ */

/* The check finds whatever a state does not agree with. */
static void test_check(Fixture *f, gconstpointer data)
{
    RasQueue *q = f->q;
    RasEntry *out = take(f, 0), *waits = take(f, 1), *batched;
    RasQueue copy;

    g_assert_true(ras_queue_advance(q, out, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_advance(q, out, RAS_ERROR_STATE_NOTIFIED));
    batched = take_async(f, RAS_CHANNEL_POLLED);
    g_assert_true(ras_queue_advance(q, batched, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_check(q));
    copy = *q;

#define IS_FOUND(change) do {                   \
        change;                                 \
        g_assert_false(ras_queue_check(q));     \
        *q = copy;                              \
        g_assert_true(ras_queue_check(q));      \
    } while (0)

    IS_FOUND(out->state = RAS_ERROR_STATE_QUEUED);
    IS_FOUND(out->state = RAS_ERROR_STATE_ACKNOWLEDGED);
    IS_FOUND(waits->state = RAS_ERROR_STATE_NOTIFIED);
    IS_FOUND(waits->state = RAS_ERROR_STATE_ACCEPTED);
    IS_FOUND(waits->recorded = true);
    IS_FOUND(waits->blocked_until_reset = true);
    IS_FOUND(waits->error.moved = true);
    IS_FOUND(waits->id = out->id);
    IS_FOUND(batched->recorded = false);
    IS_FOUND(batched->prev = -1);
    IS_FOUND(q->in_flight--);
    IS_FOUND(q->nr_blocked++);
    IS_FOUND(q->last--);
    IS_FOUND(q->last_id = 1);
    IS_FOUND(q->channel[RAS_CHANNEL_EXCEPTION].queued++);
    IS_FOUND(q->channel[RAS_CHANNEL_POLLED].nr_outstanding = 0);
    IS_FOUND(q->channel[RAS_CHANNEL_POLLED].outstanding[0] = 0);
    f->vcpu[1].parking++;
    g_assert_false(ras_queue_check(q));
    f->vcpu[1].parking--;
    g_assert_true(ras_queue_check(q));
#undef IS_FOUND
}

/* An error that needs several records: between two of them there is none. */
static void test_record_is_outstanding(Fixture *f, gconstpointer data)
{
    RasQueue *q = f->q;
    RasEntry *e = take(f, 0);

    g_assert_false(ras_queue_record_is_outstanding(q, RAS_CHANNEL_EXCEPTION));
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_record_is_outstanding(q, RAS_CHANNEL_EXCEPTION));
    g_assert_false(ras_queue_record_is_outstanding(q, RAS_CHANNEL_INTERRUPT));

    e = take_async(f, RAS_CHANNEL_INTERRUPT);
    g_assert_false(ras_queue_record_is_outstanding(q, RAS_CHANNEL_INTERRUPT));
    e->len_recorded = 2 * RAS_PAGE_SIZE;
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
    g_assert_true(ras_queue_record_is_outstanding(q, RAS_CHANNEL_INTERRUPT));
    e->len_acknowledged = e->len_recorded;
    e->len_recorded = 0;
    g_assert_false(ras_queue_record_is_outstanding(q, RAS_CHANNEL_INTERRUPT));
    e->len_recorded = RAS_PAGE_SIZE;
    g_assert_true(ras_queue_record_is_outstanding(q, RAS_CHANNEL_INTERRUPT));
    e->len_recorded = 0;
    g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_false(ras_queue_record_is_outstanding(q, RAS_CHANNEL_INTERRUPT));
}

static RasError injected_error(void)
{
    RasError error = an_error(1);

    error.first = error.addr;
    error.origin = RAS_ORIGIN_INJECTED;
    return error;
}

static RasError host_error(void)
{
    RasError error = async_error(RAS_CHANNEL_INTERRUPT);

    error.first = error.addr;
    error.origin = RAS_ORIGIN_SIGBUS;
    error.access = RAS_ACCESS_UNKNOWN;
    return error;
}

static RasError record_error(void)
{
    static uint8_t record[4];

    return (RasError) {
        .class = RAS_ERROR_CLASS_CACHE,
        .severity = RAS_SEVERITY_CORRECTED,
        .channel = RAS_CHANNEL_POLLED,
        .vcpu = -1,
        .has_addr = true,
        .addr = 0x12345,
        .record = record,
        .record_len = sizeof(record),
    };
}

static void test_error_check(Fixture *f, gconstpointer data)
{
    RasError nowhere = injected_error(), limited = injected_error();
    RasError e;

    /* what the sources report */
    e = injected_error();
    g_assert_null(ras_error_check(&e));
    e.immediate = true;
    g_assert_null(ras_error_check(&e));
    e = host_error();
    g_assert_null(ras_error_check(&e));
    e = record_error();
    g_assert_null(ras_error_check(&e));
    e = (RasError) {
        .class = RAS_ERROR_CLASS_UNKNOWN, .severity = RAS_SEVERITY_FATAL,
        .origin = RAS_ORIGIN_INJECTED, .channel = RAS_CHANNEL_SERROR,
        .vcpu = 3,
    };
    g_assert_null(ras_error_check(&e));
    nowhere.has_addr = false;
    nowhere.first = nowhere.len = 0;
    nowhere.origin = RAS_ORIGIN_KVM_SEA;
    g_assert_null(ras_error_check(&nowhere));
    limited.severity = RAS_SEVERITY_CORRECTED;
    limited.limited = true;
    limited.origin = RAS_ORIGIN_KVM_NMI;
    g_assert_null(ras_error_check(&limited));

#define BAD(make, change) do {                                              \
        e = make;                                                           \
        change;                                                             \
        g_test_message(#make ", " #change);                                 \
        g_assert_nonnull(ras_error_check(&e));                              \
    } while (0)

    BAD(injected_error(), e.class = RAS_ERROR_CLASS_UNKNOWN + 1);
    BAD(injected_error(), e.severity = RAS_SEVERITY_FATAL + 1);
    BAD(injected_error(), e.origin = RAS_ORIGIN_SIGBUS + 1);
    BAD(injected_error(), e.access = RAS_ACCESS_FETCH + 1);
    BAD(injected_error(), e.channel = RAS_CHANNELS);
    BAD(injected_error(), e.synchronous = false);
    BAD(injected_error(), e.vcpu = -1);
    BAD(injected_error(), e.limited = true);
    BAD(injected_error(), e.origin = RAS_ORIGIN_POISON;
                          e.severity = RAS_SEVERITY_CORRECTED);
    BAD(injected_error(), e.origin = RAS_ORIGIN_POISON; e.immediate = true);
    BAD(injected_error(), e.moved = true);
    BAD(host_error(), e.moved = true);
    BAD(injected_error(), e.record_len = 4);
    BAD(injected_error(), e.len = 0);
    BAD(injected_error(), e.len = 100);
    BAD(injected_error(), e.first += 100);
    BAD(injected_error(), e.addr--);
    BAD(injected_error(), e.addr += 4096);
    BAD(injected_error(), e.first = e.addr = -4096);
    BAD(injected_error(), e.has_addr = false);
    BAD(nowhere, e.first = 4096);
    BAD(host_error(), e.channel = RAS_CHANNEL_POLLED);
    BAD(host_error(), e.origin = RAS_ORIGIN_POISON);
    BAD(host_error(), e.class = RAS_ERROR_CLASS_CACHE);
    BAD(host_error(), e.vcpu = 0);
    BAD(host_error(), e.synchronous = true);
    BAD(host_error(), e.has_addr = false; e.first = e.len = 0);
    BAD(host_error(), e.has_vaddr = true);
    BAD(host_error(), e.access = RAS_ACCESS_LOAD);
    BAD(host_error(), e.immediate = true);
    BAD(host_error(), e.severity = RAS_SEVERITY_CORRECTED; e.limited = true);
    BAD(record_error(), e.record = NULL);
    BAD(record_error(), e.record_len = 0);
    BAD(record_error(), e.len = 4096);
    BAD(record_error(), e.origin = RAS_ORIGIN_SIGBUS);
    BAD(record_error(), e.channel = RAS_CHANNEL_SERROR; e.vcpu = 0);
    BAD(limited, e.severity = RAS_SEVERITY_RECOVERABLE);
#undef BAD
}

/* A batch is what one record can name: it is not loaded as anything else. */
static void test_restore_batches(Fixture *f, gconstpointer data)
{
    const RasCounts counts = { 0 };
    RasEntry page = {
        .error = async_error(RAS_CHANNEL_INTERRUPT),
        .state = RAS_ERROR_STATE_NOTIFIED, .recorded = true,
    };
    RasEntry many = page, corrected = page;

    many.error.len = 2 * RAS_PAGE_SIZE;
    corrected.error.severity = RAS_SEVERITY_CORRECTED;
    ras_queue_restore_begin(f->q, 1000, &counts);
    for (int i = 0; i < RAS_BATCH_PAGES; i++) {
        many.id = corrected.id = page.id = i + 1;
        g_assert_cmpint(ras_queue_restore(f->q, &many), ==, i == 0);
        if (i == 0) {
            ras_queue_restore_begin(f->q, 1000, &counts);
        } else {
            g_assert_false(ras_queue_restore(f->q, &corrected));
        }
        g_assert_true(ras_queue_restore(f->q, &page));
    }
    page.id++;
    g_assert_false(ras_queue_restore(f->q, &page));
}

/* --- restoring ------------------------------------------------------------ */

/* What a queue holds, in order, goes into another one. */
static void copy_queue(RasQueue *to, RasQueue *from)
{
    ras_queue_restore_begin(to, from->last_id, &from->counts);
    for (RasEntry *e = ras_queue_first(from); e;
         e = ras_queue_following(from, e)) {
        g_assert_true(ras_queue_restore(to, e));
    }
    g_assert_true(ras_queue_restore_end(to));
}

static void test_restore(Fixture *f, gconstpointer data)
{
    g_autofree RasQueue *q = g_new(RasQueue, 1);
    RasQueueVcpu vcpu[NR_VCPUS];
    RasEntry *a = take(f, 0), *b = take(f, 1), *batch[RAS_BATCH_MAX];
    RasEntry *ended = take(f, 2);
    unsigned int n;
    RasEvent r;

    for (int i = 0; i < 3; i++) {
        take_async(f, RAS_CHANNEL_INTERRUPT);
    }
    ras_queue_advance(f->q, ended, RAS_ERROR_STATE_DISCARDED);
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_RECORDED);
    ras_queue_advance(f->q, a, RAS_ERROR_STATE_NOTIFIED);
    n = ras_queue_next_batch(f->q, RAS_CHANNEL_INTERRUPT, batch);
    advance_all(f, batch, n, RAS_ERROR_STATE_RECORDED);
    advance_all(f, batch, n, RAS_ERROR_STATE_NOTIFIED);
    take_async(f, RAS_CHANNEL_INTERRUPT);

    ras_queue_init(q, vcpu, NR_VCPUS);
    copy_queue(q, f->q);
    g_assert_cmpuint(q->in_flight, ==, 6);
    g_assert_cmpuint(ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION)->id, ==,
                     a->id);
    g_assert_false(ras_queue_parks(q, 0));
    g_assert_true(ras_queue_parks(q, 1));
    g_assert_false(ras_queue_parks(q, 2));
    g_assert_cmpuint(ras_queue_outstanding_batch(q, RAS_CHANNEL_INTERRUPT,
                                                 batch), ==, 3);
    /* nothing is told twice, and life goes on */
    g_assert_false(ras_queue_next_event(q, &r));
    g_assert_true(ras_queue_advance(q, ras_queue_outstanding(q,
                                    RAS_CHANNEL_EXCEPTION),
                                    RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_cmpuint(ras_queue_next(q, RAS_CHANNEL_EXCEPTION)->id, ==, b->id);
    g_assert_true(ras_queue_next_event(q, &r));
    g_assert_cmpuint(r.state, ==, RAS_ERROR_STATE_ACKNOWLEDGED);
}

static void test_restore_refusals(Fixture *f, gconstpointer data)
{
    const RasCounts counts = {
        .accepted = 3, .recorded = 2, .notified = 2, .acknowledged = 1,
    };
    RasEntry good = {
        .error = an_error(1), .id = 5, .state = RAS_ERROR_STATE_QUEUED,
    };
    RasEntry bad[] = {
        good, good, good, good, good, good, good, good, good,
    };

    bad[0].id = 0;
    bad[1].id = 11;                             /* over the last */
    bad[2].id = 4;                              /* not in order */
    bad[3].state = RAS_ERROR_STATE_ACKNOWLEDGED;
    bad[4].state = RAS_ERROR_STATE_RECORDED;
    bad[5].recorded = true;                     /* and queued */
    bad[6].error.vcpu = NR_VCPUS;
    bad[7].state = RAS_ERROR_STATE_NOTIFIED;          /* the second */
    bad[7].recorded = true;
    bad[8].error.channel = RAS_CHANNELS;
    ras_queue_restore_begin(f->q, 10, &counts);
    good.id = 4;
    good.state = RAS_ERROR_STATE_NOTIFIED;
    good.recorded = true;
    g_assert_true(ras_queue_restore(f->q, &good));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(ras_queue_restore(f->q, &bad[i]));
    }
    g_assert_false(ras_queue_restore_end(f->q));
    good.id = 5;
    good.state = RAS_ERROR_STATE_QUEUED;
    good.recorded = false;
    g_assert_true(ras_queue_restore(f->q, &good));
    g_assert_true(ras_queue_restore_end(f->q));

    /* without a record there is nothing to wait for */
    ras_queue_restore_begin(f->q, 10, &counts);
    good.state = RAS_ERROR_STATE_NOTIFIED;
    g_assert_false(ras_queue_restore(f->q, &good));
}

/* Numbers that no queue has counted */
static void test_restore_counts(Fixture *f, gconstpointer data)
{
    const RasCounts good = {
        .accepted = 6, .recorded = 3, .notified = 4, .acknowledged = 1,
        .delivered = 1, .reclaimed = 1, .discarded = 2,
    };
    RasCounts bad[] = { good, good, good, good, good, good };
    RasEntry e = {
        .error = an_error(1), .id = 6, .state = RAS_ERROR_STATE_NOTIFIED,
        .recorded = true,
    };

    bad[0].accepted = 7;
    bad[1].recorded = 2;                        /* fewer than ended with one */
    bad[2].recorded = 7;                        /* more than there were */
    bad[3].notified = 3;
    bad[4].notified = 7;
    bad[5].recorded = 6;                        /* of them, one without */
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        ras_queue_restore_begin(f->q, 6, &bad[i]);
        g_assert_true(ras_queue_restore(f->q, &e));
        g_assert_false(ras_queue_restore_end(f->q));
    }
    ras_queue_restore_begin(f->q, 6, &good);
    g_assert_true(ras_queue_restore(f->q, &e));
    g_assert_true(ras_queue_restore_end(f->q));
}

/* --- random events against a model ---------------------------------------- */

static RasError an_serror(int vcpu)
{
    return (RasError) {
        .class = RAS_ERROR_CLASS_UNKNOWN,
        .severity = RAS_SEVERITY_FATAL,
        .origin = RAS_ORIGIN_INJECTED,
        .channel = RAS_CHANNEL_SERROR,
        .vcpu = vcpu,
    };
}

/* SErrors wait for nothing, and nothing waits for them. */
static void test_serrors(Fixture *f, gconstpointer data)
{
    RasEntry *serror[NR_VCPUS], *memory;
    RasQueue *q = f->q;

    for (int i = 0; i < NR_VCPUS; i++) {
        RasError error = an_serror(i);

        serror[i] = ras_queue_accept(q, &error);
        g_assert_nonnull(serror[i]);
        g_assert_false(ras_queue_parks(q, i));
        g_assert_false(ras_queue_advance(q, serror[i],
                                         RAS_ERROR_STATE_RECORDED));
        g_assert_true(ras_queue_advance(q, serror[i],
                                        RAS_ERROR_STATE_NOTIFIED));
    }
    g_assert_null(ras_queue_outstanding(q, RAS_CHANNEL_SERROR));
    memory = take(f, 0);
    g_assert_true(ras_queue_next(q, RAS_CHANNEL_EXCEPTION) == memory);
    g_assert_true(ras_queue_advance(q, memory, RAS_ERROR_STATE_RECORDED));
    g_assert_true(ras_queue_advance(q, memory, RAS_ERROR_STATE_NOTIFIED));
    g_assert_false(ras_queue_advance(q, serror[1],
                                     RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_true(ras_queue_advance(q, serror[1], RAS_ERROR_STATE_DELIVERED));
    g_assert_cmpuint(ras_queue_discard(q, 2), ==, 1);
    g_assert_true(ras_queue_advance(q, memory, RAS_ERROR_STATE_ACKNOWLEDGED));
    g_assert_cmpuint(q->in_flight, ==, NR_VCPUS - 2);
    g_assert_cmpuint(q->counts.delivered, ==, 1);
    g_assert_cmpuint(q->counts.discarded, ==, 1);
}

static void test_serror_refusals(Fixture *f, gconstpointer data)
{
    RasError error = an_serror(-1);
    RasEntry entry = {
        .error = an_serror(0), .id = 1, .state = RAS_ERROR_STATE_NOTIFIED,
    };
    RasCounts counts = { .accepted = 1, .notified = 1 };

    g_assert_null(ras_queue_accept(f->q, &error));
    error = an_serror(NR_VCPUS);
    g_assert_null(ras_queue_accept(f->q, &error));
    /* it does not stop the vCPU */
    error = an_serror(0);
    error.synchronous = true;
    g_assert_null(ras_queue_accept(f->q, &error));
    g_assert_cmpuint(f->q->counts.refused, ==, 3);

    ras_queue_restore_begin(f->q, 2, &counts);
    entry.recorded = true;
    g_assert_false(ras_queue_restore(f->q, &entry));
    entry.recorded = false;
    entry.state = RAS_ERROR_STATE_QUEUED;
    g_assert_false(ras_queue_restore(f->q, &entry));
    entry.state = RAS_ERROR_STATE_NOTIFIED;
    g_assert_true(ras_queue_restore(f->q, &entry));
    g_assert_true(ras_queue_restore_end(f->q));
    g_assert_null(ras_queue_outstanding(f->q, RAS_CHANNEL_SERROR));

    counts.notified = 0;
    ras_queue_restore_begin(f->q, 2, &counts);
    g_assert_true(ras_queue_restore(f->q, &entry));
    g_assert_false(ras_queue_restore_end(f->q));
}

typedef struct Model {
    GHashTable *state;              /* id -> last state reported */
    uint64_t ends[RAS_ERROR_STATE__MAX];
    uint64_t accepted, refused;
    bool put_off[NR_VCPUS];
} Model;

static void model_drain(Model *m, RasQueue *q)
{
    RasEvent r;

    while (ras_queue_next_event(q, &r)) {
        gpointer key = GUINT_TO_POINTER((guint)r.id);
        gpointer last = g_hash_table_lookup(m->state, key);

        /* a state is stored plus one, so that nothing reads as 0 */
        if (r.state == RAS_ERROR_STATE_ACCEPTED) {
            g_assert_null(last);
        } else {
            g_assert_nonnull(last);
            g_assert_cmpuint(GPOINTER_TO_UINT(last) - 1, <, r.state);
            g_assert_false(ras_state_is_end(GPOINTER_TO_UINT(last) - 1));
        }
        g_hash_table_insert(m->state, key, GUINT_TO_POINTER(r.state + 1));
        if (ras_state_is_end(r.state)) {
            m->ends[r.state]++;
        }
    }
}

static void model_check(const Model *m, RasQueue *q)
{
    unsigned int parked[NR_VCPUS] = { 0 }, in_flight = 0, outstanding = 0;
    const RasCounts *c = &q->counts;

    for (RasEntry *e = ras_queue_first(q); e; e = ras_queue_following(q, e)) {
        in_flight++;
        if (e->error.channel != RAS_CHANNEL_EXCEPTION) {
            continue;
        }
        if (e->state == RAS_ERROR_STATE_QUEUED ||
            e->state == RAS_ERROR_STATE_RECORDED) {
            parked[e->error.vcpu] += ras_error_parks(&e->error) &&
                !(m->put_off[e->error.vcpu] && !e->error.immediate &&
                  e->error.origin == RAS_ORIGIN_INJECTED);
        }
        if (e->state == RAS_ERROR_STATE_RECORDED ||
            e->state == RAS_ERROR_STATE_NOTIFIED) {
            outstanding++;
            g_assert_true(ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION) == e);
        }
    }
    g_assert_cmpuint(outstanding, <=, 1);
    g_assert_cmpuint(in_flight, ==, q->in_flight);
    g_assert_cmpuint(c->accepted, ==, m->accepted);
    g_assert_cmpuint(c->refused, ==, m->refused);
    g_assert_cmpuint(c->accepted, ==, q->in_flight + c->acknowledged +
                     c->delivered + c->reclaimed + c->discarded);
    for (int i = 0; i < NR_VCPUS; i++) {
        RasEntry *o = ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION);
        bool owner = o && o->state == RAS_ERROR_STATE_NOTIFIED &&
                     o->error.vcpu == i;

        g_assert_cmpint(ras_queue_parks(q, i), ==,
                        parked[i] && (!owner || q->nr_blocked));
    }
}

/* Moves all of one channel that batches a step on. */
static void random_batch(RasQueue *q, RasChannel channel)
{
    RasEntry *batch[RAS_BATCH_MAX];
    unsigned int n = ras_queue_outstanding_batch(q, channel, batch);
    RasErrorState state = RAS_ERROR_STATE_RECORDED;

    if (n) {
        state = batch[0]->state == RAS_ERROR_STATE_RECORDED ?
                RAS_ERROR_STATE_NOTIFIED : RAS_ERROR_STATE_ACKNOWLEDGED;
    } else {
        n = ras_queue_next_batch(q, channel, batch);
    }
    g_assert_cmpuint(n, <=, RAS_BATCH_MAX);
    for (unsigned int i = 0; i < n; i++) {
        /* one of them may be ahead by a random step of its own */
        if (batch[i]->state < state) {
            ras_queue_advance(q, batch[i], state);
        }
    }
}

static void random_event(Fixture *f, Model *m)
{
    RasQueue *q = f->q;
    RasEntry *e;

    switch (g_test_rand_int_range(0, 14)) {
    case 13:
    {
        int vcpu = g_test_rand_int_range(0, NR_VCPUS);

        m->put_off[vcpu] = g_test_rand_bit();
        ras_queue_put_off(q, vcpu, m->put_off[vcpu]);
        break;
    }
    case 12:
    {
        RasError error = an_serror(g_test_rand_int_range(-1, NR_VCPUS + 1));

        e = ras_queue_accept(q, &error);
        if (e) {
            m->accepted++;
            g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
        } else {
            m->refused++;
        }
        break;
    }
    case 10:
    {
        RasError error = async_error(
            g_test_rand_int_range(1, RAS_RECORD_CHANNELS));

        error.severity = g_test_rand_int_range(0, 3);
        error.len = RAS_PAGE_SIZE * g_test_rand_int_range(1, 3);
        if (ras_queue_accept(q, &error)) {
            m->accepted++;
        } else {
            m->refused++;
        }
        break;
    }
    case 11:
        random_batch(q, g_test_rand_int_range(1, RAS_RECORD_CHANNELS));
        break;
    case 0 ... 3:
    {
        RasError error = an_error(g_test_rand_int_range(-1, NR_VCPUS + 1));

        error.severity = g_test_rand_int_range(0, 3);
        error.synchronous = g_test_rand_int_range(0, 4);
        error.origin = g_test_rand_int_range(0, 2);
        error.immediate = g_test_rand_int_range(0, 4) == 0;
        if (ras_queue_accept(q, &error)) {
            m->accepted++;
        } else {
            /* full: the vCPU would try again */
            m->refused += error.vcpu < 0 || error.vcpu >= NR_VCPUS ||
                          error.origin == RAS_ORIGIN_INJECTED ||
                          !ras_error_parks(&error);
        }
        break;
    }
    case 4 ... 6:
        e = ras_queue_next(q, RAS_CHANNEL_EXCEPTION);
        if (e && g_test_rand_bit()) {
            g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_RECORDED));
        } else if (e) {
            g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
        }
        break;
    case 7 ... 8:
        e = ras_queue_outstanding(q, RAS_CHANNEL_EXCEPTION);
        if (e && e->state == RAS_ERROR_STATE_RECORDED) {
            g_assert_true(ras_queue_advance(q, e, RAS_ERROR_STATE_NOTIFIED));
        } else if (e) {
            RasErrorState end = !e->recorded ? RAS_ERROR_STATE_DELIVERED :
                           g_test_rand_bit() ? RAS_ERROR_STATE_ACKNOWLEDGED :
                           RAS_ERROR_STATE_RECLAIMED;

            g_assert_true(ras_queue_advance(q, e, end));
        }
        break;
    default:
        /* anything at all, allowed or not, on some entry */
        e = ras_queue_first(q);
        if (e && !ras_queue_advance(q, e, g_test_rand_int_range(0, 40))) {
            break;
        }
        if (g_test_rand_int_range(0, 50) == 0) {
            ras_queue_discard(q, g_test_rand_int_range(-1, NR_VCPUS));
        }
        break;
    }
}

static void test_random_events(Fixture *f, gconstpointer data)
{
    Model m = { .state = g_hash_table_new(NULL, NULL) };

    for (int i = 0; i < 20000; i++) {
        random_event(f, &m);
        if (g_test_rand_int_range(0, 8) == 0) {
            model_drain(&m, f->q);
        }
        model_check(&m, f->q);
    }
    ras_queue_discard(f->q, -1);
    model_drain(&m, f->q);
    model_check(&m, f->q);
    g_assert_cmpuint(f->q->in_flight, ==, 0);
    g_assert_cmpuint(m.ends[RAS_ERROR_STATE_ACKNOWLEDGED], ==,
                     f->q->counts.acknowledged);
    g_assert_cmpuint(m.ends[RAS_ERROR_STATE_DELIVERED], ==,
                     f->q->counts.delivered);
    g_assert_cmpuint(m.ends[RAS_ERROR_STATE_RECLAIMED], ==,
                     f->q->counts.reclaimed);
    g_assert_cmpuint(m.ends[RAS_ERROR_STATE_DISCARDED], ==,
                     f->q->counts.discarded);
    g_assert_cmpuint(f->q->counts.acknowledged, >, 100);
    g_hash_table_destroy(m.state);
}

static void add(const char *name, void (*fn)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/ras-queue/%s", name);

    g_test_add(path, Fixture, NULL, set_up, fn, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("recorded-life", test_recorded_life);
    add("check", test_check);
    add("record-is-out", test_record_is_outstanding);
    add("bare-life", test_bare_life);
    add("no-state-is-skipped", test_no_stage_is_skipped);
    add("one-outstanding", test_one_outstanding);
    add("owner-is-not-parked", test_owner_is_not_parked);
    add("corrected-does-not-park", test_corrected_does_not_park);
    add("consumed-before-injected", test_consumed_before_injected);
    add("put-off", test_put_off);
    add("moved", test_moved);
    add("held", test_held);
    add("refusals", test_refusals);
    add("full", test_full);
    add("refused-when-full", test_refused_when_full);
    add("room-for-real-errors", test_room_for_real_errors);
    add("discard-of-one-vcpu", test_discard_of_one_vcpu);
    add("recursive", test_recursive);
    add("batches", test_batches);
    add("batches-of-pages", test_batches_of_pages);
    add("no-overtaking-between-channels", test_no_overtaking_between_channels);
    add("closed-batch", test_closed_batch);
    add("what-batches", test_what_batches);
    add("channel-refusals", test_channel_refusals);
    add("error-check", test_error_check);
    add("restore-batches", test_restore_batches);
    add("restore", test_restore);
    add("restore-refusals", test_restore_refusals);
    add("restore-counts", test_restore_counts);
    add("serrors", test_serrors);
    add("serror-refusals", test_serror_refusals);
    add("random-events", test_random_events);
    return g_test_run();
}
