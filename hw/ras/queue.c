/*
 * Guest RAS: errors, their life cycle and the queue that holds them
 *
 * Pure, see queue.h.  Called with the BQL held.
 *
 * The life of an error:
 *
 *     accepted --> queued --> recorded --> notified --> acknowledged
 *                     |                    ^  |  |
 *                     |                    |  |  +----> reclaimed
 *                     +--------------------+  |
 *                                             +-------> delivered
 *
 *     and from each of the four on the left -------> discarded
 *
 * Who makes it take a step, and on which thread ("vCPU": the thread of the vCPU
 * that has consumed it, or is given it).  ras_queue_advance() is called for all
 * of them, and refuses what is not in this table; but ras_queue_restore() puts
 * a loaded error where it was.
 *
 * step                       by                        in          thread
 * -------------------------  ------------------------  ----------  -----------
 * none -> accepted -> queued ras_report()              core.c      any
 *
 * exception channel
 *   queued -> recorded       ras_vcpu_deliver()        exception.c vCPU
 *   recorded -> notified     ras_vcpu_deliver()        exception.c vCPU
 *                              then the guest's time to acknowledge runs
 *   notified -> acknowledged ras_acknowledge()         core.c      vCPU
 *                            poll_acknowledged(), by   exception.c
 *                              ack_timer_expired()                 main
 *                              resolve_second_error()              vCPU
 *   notified -> reclaimed    ack_timer_expired()       exception.c main
 *                            resolve_second_error()    exception.c vCPU
 *                            ras_release()             exception.c vCPU
 *   queued -> notified       ras_vcpu_deliver()        exception.c vCPU
 *     -> delivered             without a record; then the vCPU has to run
 *   queued -> discarded      ras_vcpu_deliver(): the   exception.c vCPU
 *                              vCPU was switched off
 *                            ras_vcpu_check_pc():      exception.c vCPU, main
 *                              the vCPU was moved to
 *                              another instruction
 *
 * interrupt, polled
 *   queued -> recorded       write_and_notify(), by    batch.c     any
 *     -> notified              ras_batch_deliver();
 *                              then reminders are due
 *   notified -> acknowledged ras_acknowledge()         core.c      any
 *                              then a pause is due before the next record
 *   queued -> discarded      withdraw(), by            host-       any
 *                              ras_memory_discarded(): memory.c
 *                              the guest has given the
 *                              memory back
 *
 * SError
 *   queued -> notified       ras_serror_deliver()      serror.c    vCPU
 *   notified -> delivered    ras_serror_taken()        serror.c    vCPU
 *                            ras_serror_settle()       serror.c    any
 *   notified -> discarded    ras_serror_settle(): the  serror.c    any
 *                              vCPU was reset
 *
 * all
 *   any -> discarded         ras_reset_hold()          device.c    main
 *                            ras_exception_vcpu_       exception.c main
 *                              gone(): unplugged, see
 *                              device_unrealized()
 *                            begin_load(): another     migration.c main
 *                              queue is loaded
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras/queue.h"

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

/*
 * Address and length: whole pages with the address in them; or an address
 * without length, or neither.
 */
static bool addr_is_valid(const RasError *error)
{
    if (!error->len) {
        /* a record may name any address */
        return !error->first && (!error->has_addr || error->record);
    }
    return error->has_addr && !error->record &&
           error->first % RAS_PAGE_SIZE == 0 &&
           error->len % RAS_PAGE_SIZE == 0 &&
           error->len <= UINT64_MAX - error->first &&
           error->addr >= error->first &&
           error->addr - error->first < error->len;
}

const char *ras_error_check(const RasError *error)
{
    bool exception = error->channel == RAS_CHANNEL_EXCEPTION;
    bool serror = error->channel == RAS_CHANNEL_SERROR;
    bool injected = error->origin == RAS_ORIGIN_INJECTED;

    if (error->class >= RAS_ERROR_CLASS__MAX ||
        error->severity >= RAS_SEVERITY__MAX ||
        error->origin >= RAS_ORIGIN__MAX ||
        error->access >= RAS_ACCESS__MAX) {
        return "class, severity, origin or access";
    }
    if (error->channel >= RAS_CHANNELS || error->synchronous != exception ||
        !(exception || injected ||
          (error->channel == RAS_CHANNEL_INTERRUPT &&
           error->origin == RAS_ORIGIN_SIGBUS))) {
        return "source for its origin";
    }
    if (exception || serror ? error->vcpu < 0 : error->vcpu != -1) {
        return "vCPU for its source";
    }
    if (error->severity == RAS_SEVERITY_CORRECTED ?
        error->origin == RAS_ORIGIN_POISON || (error->limited && !exception) :
        error->limited) {
        return "severity for its origin";
    }
    if ((error->immediate && !(exception && injected)) ||
        (error->moved && (injected || !ras_error_parks(error))) ||
        (!exception && (error->access != RAS_ACCESS_UNKNOWN ||
                        error->has_vaddr))) {
        return "access for its source";
    }
    if (!error->record != !error->record_len ||
        (error->record && (!injected || serror))) {
        return "record";
    }
    if (!addr_is_valid(error) || (serror && error->has_addr)) {
        return "address or length";
    }
    if (!exception && !serror && !error->record &&
        (error->class != RAS_ERROR_CLASS_MEMORY || !error->len)) {
        return "class for its source, or no memory";
    }
    return NULL;
}

void ras_queue_init(RasQueue *q, RasQueueVcpu *vcpu, unsigned int nr_vcpus)
{
    memset(q, 0, sizeof(*q));
    memset(vcpu, 0, nr_vcpus * sizeof(*vcpu));
    q->vcpu = vcpu;
    q->nr_vcpus = nr_vcpus;
    q->first = q->last = NONE;
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
    q->step[at].state = e->state;
    q->step_count++;
}

/*
 * Is nothing outstanding in the way of a record with @e?  The entries of a
 * batch are recorded one after the other, then notified.
 */
static bool channel_open(const RasQueue *q, const RasEntry *e)
{
    RasChannel c = e->error.channel;
    unsigned int n = q->channel[c].nr_outstanding;

    /* of SErrors, none is ever outstanding */
    return !n || (c != RAS_CHANNEL_EXCEPTION && n < RAS_BATCH_MAX &&
                  q->entry[q->channel[c].outstanding[0]].state ==
                  RAS_ERROR_STATE_RECORDED);
}

static void outstanding_add(RasQueue *q, const RasEntry *e)
{
    RasChannel c = e->error.channel;

    if (c == RAS_CHANNEL_SERROR) {
        return;
    }
    q->channel[c].outstanding[q->channel[c].nr_outstanding++] =
        entry_index(q, e);
}

static void outstanding_remove(RasQueue *q, const RasEntry *e)
{
    int16_t *list = q->channel[e->error.channel].outstanding;
    uint16_t *n = &q->channel[e->error.channel].nr_outstanding;

    for (unsigned int i = 0; i < *n; i++) {
        if (list[i] == entry_index(q, e)) {
            (*n)--;
            memmove(&list[i], &list[i + 1], (*n - i) * sizeof(*list));
            return;
        }
    }
}

/* Is there such a step in the picture? */
static bool step_exists(const RasEntry *e, RasErrorState to)
{
    switch (to) {
    case RAS_ERROR_STATE_QUEUED:
        return e->state == RAS_ERROR_STATE_ACCEPTED;
    case RAS_ERROR_STATE_RECORDED:
        return e->state == RAS_ERROR_STATE_QUEUED &&
               e->error.channel < RAS_RECORD_CHANNELS;
    case RAS_ERROR_STATE_NOTIFIED:
        return e->state == RAS_ERROR_STATE_RECORDED ||
               e->state == RAS_ERROR_STATE_QUEUED;
    case RAS_ERROR_STATE_ACKNOWLEDGED:
    case RAS_ERROR_STATE_RECLAIMED:
        return e->state == RAS_ERROR_STATE_NOTIFIED && e->recorded;
    case RAS_ERROR_STATE_DELIVERED:
        return e->state == RAS_ERROR_STATE_NOTIFIED && !e->recorded;
    case RAS_ERROR_STATE_DISCARDED:
        return !ras_state_is_end(e->state);
    default:
        return false;
    }
}

/* What leaves the queue for the guest needs a channel that is open. */
static bool step_allowed(const RasQueue *q, const RasEntry *e, RasErrorState to)
{
    return step_exists(e, to) &&
           (e->state != RAS_ERROR_STATE_QUEUED ||
            to == RAS_ERROR_STATE_DISCARDED || channel_open(q, e));
}

static void count_state(RasCounts *c, RasErrorState state)
{
    switch (state) {
    case RAS_ERROR_STATE_RECORDED:
        c->recorded++;
        break;
    case RAS_ERROR_STATE_NOTIFIED:
        c->notified++;
        break;
    case RAS_ERROR_STATE_ACKNOWLEDGED:
        c->acknowledged++;
        break;
    case RAS_ERROR_STATE_DELIVERED:
        c->delivered++;
        break;
    case RAS_ERROR_STATE_RECLAIMED:
        c->reclaimed++;
        break;
    case RAS_ERROR_STATE_DISCARDED:
        c->discarded++;
        break;
    default:
        break;
    }
}

/* Is @e as its state says it is? */
static bool entry_is_consistent(const RasQueue *q, const RasEntry *e)
{
    const RasError *error = &e->error;

    switch (e->state) {
    case RAS_ERROR_STATE_QUEUED:
        return !e->recorded && (!ras_error_parks(error) ||
                                q->vcpu[error->vcpu].parking);
    case RAS_ERROR_STATE_RECORDED:
        return e->recorded && !e->blocked_until_reset;
    case RAS_ERROR_STATE_NOTIFIED:
        return !e->blocked_until_reset;
    default:
        return false;
    }
}

bool ras_queue_check(const RasQueue *q)
{
    unsigned int queued[RAS_CHANNELS] = { 0 };
    unsigned int outstanding[RAS_CHANNELS] = { 0 };
    unsigned int in_flight = 0, blocked = 0, parking = 0, deferrable = 0;
    int16_t prev = NONE;
    uint64_t id = 0;

    for (int16_t i = q->first; i != NONE; prev = i, i = q->entry[i].next) {
        const RasEntry *e = &q->entry[i];
        RasChannel c = e->error.channel;

        if (e->prev != prev) {
            return false;
        }
        if (ras_state_is_end(e->state)) {
            /* there until its last event was taken */
            continue;
        }
        if (e->id <= id || !entry_is_consistent(q, e)) {
            return false;
        }
        id = e->id;
        in_flight++;
        blocked += e->blocked_until_reset;
        if (e->state != RAS_ERROR_STATE_NOTIFIED) {
            queued[c]++;
            parking += ras_error_parks(&e->error);
            deferrable += ras_error_parks(&e->error) &&
                          ras_error_can_wait(&e->error);
        }
        if (e->state != RAS_ERROR_STATE_QUEUED && c < RAS_RECORD_CHANNELS &&
            (outstanding[c] >= q->channel[c].nr_outstanding ||
             q->channel[c].outstanding[outstanding[c]++] != i)) {
            return false;
        }
    }
    for (unsigned int i = 0; i < q->nr_vcpus; i++) {
        parking -= q->vcpu[i].parking;
        deferrable -= q->vcpu[i].deferrable;
    }
    for (int c = 0; c < RAS_CHANNELS; c++) {
        if (queued[c] != q->channel[c].queued ||
            outstanding[c] != q->channel[c].nr_outstanding) {
            return false;
        }
    }
    return prev == q->last && id <= q->last_id && in_flight == q->in_flight &&
           blocked == q->nr_blocked && !parking && !deferrable &&
           outstanding[RAS_CHANNEL_EXCEPTION] <= 1 &&
           q->step_count <= RAS_STEPS_MAX;
}

/* After each change, in unit tests and in QEMU with --enable-debug. */
static void debug_check(const RasQueue *q)
{
#if defined(RAS_QUEUE_DEBUG) || defined(CONFIG_DEBUG_MUTEX)
    assert(ras_queue_check(q));
#endif
}

/* @n more errors like @error are queued, or fewer. */
static void count_queued(RasQueue *q, const RasError *error, int n)
{
    q->channel[error->channel].queued += n;
    if (ras_error_parks(error)) {
        q->vcpu[error->vcpu].parking += n;
        q->vcpu[error->vcpu].deferrable += ras_error_can_wait(error) ? n : 0;
    }
}

/* The only place that changes a state, and all that is derived from states. */
static void set_state(RasQueue *q, RasEntry *e, RasErrorState state)
{
    assert(step_exists(e, state));

    if (state == RAS_ERROR_STATE_QUEUED) {
        count_queued(q, &e->error, 1);
    } else if (state == RAS_ERROR_STATE_RECORDED) {
        /* still queued for its vCPU, which goes on with the notification */
        outstanding_add(q, e);
        e->recorded = true;
    } else if (e->state == RAS_ERROR_STATE_QUEUED ||
               e->state == RAS_ERROR_STATE_RECORDED) {
        count_queued(q, &e->error, -1);
        if (state == RAS_ERROR_STATE_NOTIFIED && !e->recorded) {
            outstanding_add(q, e);
        }
    }
    if (ras_state_is_end(state)) {
        outstanding_remove(q, e);
        q->in_flight--;
        q->nr_blocked -= e->blocked_until_reset;
        e->blocked_until_reset = false;
    }

    e->state = state;
}

bool ras_queue_advance(RasQueue *q, RasEntry *e, RasErrorState state)
{
    if (!step_allowed(q, e, state)) {
        return false;
    }
    set_state(q, e, state);
    count_state(&q->counts, state);
    step_append(q, e);
    debug_check(q);
    return true;
}

static bool vcpu_fits_channel(const RasQueue *q, const RasError *error)
{
    if (error->channel != RAS_CHANNEL_EXCEPTION && ras_error_parks(error)) {
        return false;
    }
    if (error->channel != RAS_CHANNEL_EXCEPTION &&
        error->channel != RAS_CHANNEL_SERROR) {
        return error->vcpu == -1;
    }
    return error->vcpu >= 0 && error->vcpu < (int64_t)q->nr_vcpus;
}

RasEntry *ras_queue_accept(RasQueue *q, const RasError *error)
{
    RasEntry *e = entry_at(q, q->free);

    if (!vcpu_fits_channel(q, error) ||
        ((error->origin == RAS_ORIGIN_INJECTED ||
          error->channel != RAS_CHANNEL_EXCEPTION) &&
         q->in_flight >= RAS_QUEUE_INJECTED_MAX)) {
        ras_queue_refuse(q);
        return NULL;
    }
    if (!e) {
        if (!ras_error_comes_again(error)) {
            ras_queue_refuse(q);
        }
        return NULL;
    }
    q->free = e->next;

    *e = (RasEntry) {
        .error = *error,
        .id = ++q->last_id,
        .state = RAS_ERROR_STATE_ACCEPTED,
        .recursive = q->channel[error->channel].nr_outstanding != 0,
    };
    list_append(q, e);
    q->in_flight++;
    q->counts.accepted++;
    step_append(q, e);
    ras_queue_advance(q, e, RAS_ERROR_STATE_QUEUED);
    return e;
}

void ras_queue_refuse(RasQueue *q)
{
    q->counts.refused++;
}

RasEntry *ras_queue_outstanding(RasQueue *q, RasChannel channel)
{
    return q->channel[channel].nr_outstanding ?
           &q->entry[q->channel[channel].outstanding[0]] : NULL;
}

unsigned int ras_queue_outstanding_batch(RasQueue *q, RasChannel channel,
                                         RasEntry *batch[RAS_BATCH_MAX])
{
    unsigned int n = q->channel[channel].nr_outstanding;

    for (unsigned int i = 0; i < n; i++) {
        batch[i] = &q->entry[q->channel[channel].outstanding[i]];
    }
    return n;
}

/*
 * An error that an instruction consumed has to be delivered at that
 * instruction: it goes before what was injected for the same vCPU.
 */
static RasEntry *consumed_before(RasQueue *q, RasEntry *e)
{
    RasEntry *l;

    if (e->error.origin != RAS_ORIGIN_INJECTED ||
        e->error.channel != RAS_CHANNEL_EXCEPTION) {
        return e;
    }
    for (l = entry_at(q, e->next); l; l = entry_at(q, l->next)) {
        if (l->state == RAS_ERROR_STATE_QUEUED && !l->blocked_until_reset &&
            l->error.vcpu == e->error.vcpu &&
            l->error.origin != RAS_ORIGIN_INJECTED) {
            return l;
        }
    }
    return e;
}

static bool is_put_off(const RasQueue *q, const RasError *error)
{
    return error->channel == RAS_CHANNEL_EXCEPTION &&
           q->vcpu[error->vcpu].put_off && ras_error_can_wait(error);
}

/* The first error from @i on that waits for its turn on @channel. */
static RasEntry *next_queued(RasQueue *q, RasChannel channel, int16_t i)
{
    RasEntry *e;

    for (e = entry_at(q, i); e; e = entry_at(q, e->next)) {
        if (e->state == RAS_ERROR_STATE_QUEUED && !e->blocked_until_reset &&
            e->error.channel == channel && !is_put_off(q, &e->error)) {
            return e;
        }
    }
    return NULL;
}

RasEntry *ras_queue_next(RasQueue *q, RasChannel channel)
{
    RasEntry *e;

    if (q->channel[channel].nr_outstanding || !q->channel[channel].queued) {
        return NULL;
    }
    e = next_queued(q, channel, q->first);
    return e ? consumed_before(q, e) : NULL;
}

/* One unit of memory, and no record of its own: many fit into one record. */
static bool batches(const RasError *error)
{
    return error->channel != RAS_CHANNEL_EXCEPTION && !error->record &&
           error->class == RAS_ERROR_CLASS_MEMORY &&
           error->len <= RAS_PAGE_SIZE;
}

unsigned int ras_queue_next_batch(RasQueue *q, RasChannel channel,
                                  RasEntry *batch[RAS_BATCH_MAX])
{
    RasEntry *e = ras_queue_next(q, channel);
    unsigned int n = 0;

    if (e && !batches(&e->error)) {
        batch[n++] = e;
        return n;
    }
    while (e && n < ras_batch_limit(&e->error) && batches(&e->error) &&
           (n == 0 || e->error.severity == batch[0]->error.severity)) {
        batch[n++] = e;
        e = next_queued(q, channel, e->next);
    }
    return n;
}

unsigned int ras_queue_discard(RasQueue *q, int vcpu)
{
    unsigned int n = 0;

    for (RasEntry *e = entry_at(q, q->first); e; e = entry_at(q, e->next)) {
        if ((vcpu < 0 || e->error.vcpu == vcpu) &&
            ras_queue_advance(q, e, RAS_ERROR_STATE_DISCARDED)) {
            n++;
        }
    }
    return n;
}

void ras_queue_block(RasQueue *q, RasEntry *e)
{
    if (!e->blocked_until_reset && e->state == RAS_ERROR_STATE_QUEUED) {
        e->blocked_until_reset = true;
        q->nr_blocked++;
        debug_check(q);
    }
}

void ras_queue_move(RasQueue *q, RasEntry *e)
{
    /* it can wait now */
    count_queued(q, &e->error, -1);
    e->error.moved = true;
    count_queued(q, &e->error, 1);
    debug_check(q);
}

void ras_queue_put_off(RasQueue *q, int vcpu, bool put_off)
{
    q->vcpu[vcpu].put_off = put_off;
}

void ras_queue_restore_begin(RasQueue *q, uint64_t last_id,
                             const RasCounts *counts)
{
    ras_queue_discard(q, -1);
    for (unsigned int i = 0; i < q->nr_vcpus; i++) {
        ras_queue_put_off(q, i, false);
    }
    q->last_id = MAX(q->last_id, last_id);
    q->counts = *counts;
}

/* Alone, or like the others in a batch that has room. */
static bool joins_outstanding(const RasQueue *q, const RasEntry *e)
{
    RasChannel c = e->error.channel;
    unsigned int n = q->channel[c].nr_outstanding;
    const RasError *first;

    if (!n) {
        return true;
    }
    first = &q->entry[q->channel[c].outstanding[0]].error;
    return c != RAS_CHANNEL_EXCEPTION && n < ras_batch_limit(first) &&
           batches(first) && batches(&e->error) &&
           first->severity == e->error.severity;
}

bool ras_queue_restore(RasQueue *q, const RasEntry *from)
{
    RasEntry *last = entry_at(q, q->last), *e = entry_at(q, q->free);
    bool queued = from->state == RAS_ERROR_STATE_QUEUED;

    if (!e || !from->id || from->id > q->last_id ||
        (last && !ras_state_is_end(last->state) && from->id <= last->id) ||
        from->error.channel >= RAS_CHANNELS ||
        !vcpu_fits_channel(q, &from->error) ||
        (!queued && from->state != RAS_ERROR_STATE_NOTIFIED) ||
        (from->error.channel == RAS_CHANNEL_SERROR ?
         queued || from->recorded : queued == from->recorded) ||
        (from->blocked_until_reset && !queued) ||
        (!queued && !joins_outstanding(q, from))) {
        return false;
    }
    q->free = e->next;
    *e = *from;
    e->state = RAS_ERROR_STATE_ACCEPTED;
    list_append(q, e);
    q->in_flight++;
    q->nr_blocked += e->blocked_until_reset;
    /* what was counted, and has had events, elsewhere */
    set_state(q, e, RAS_ERROR_STATE_QUEUED);
    if (!queued) {
        if (from->recorded) {
            set_state(q, e, RAS_ERROR_STATE_RECORDED);
        }
        set_state(q, e, RAS_ERROR_STATE_NOTIFIED);
    }
    debug_check(q);
    return true;
}

bool ras_queue_restore_end(const RasQueue *q)
{
    const RasCounts *c = &q->counts;
    uint64_t with_record = c->acknowledged + c->reclaimed;
    uint64_t notified = c->delivered + c->acknowledged + c->reclaimed +
                        q->in_flight;

    for (int i = 0; i < RAS_CHANNELS; i++) {
        with_record += q->channel[i].nr_outstanding;
        notified -= q->channel[i].queued;
    }
    /* those that were discarded had come to any step */
    return c->accepted == q->in_flight + c->acknowledged + c->delivered +
                          c->reclaimed + c->discarded &&
           c->recorded >= with_record &&
           c->recorded <= with_record + c->discarded &&
           c->notified >= notified && c->notified <= notified + c->discarded;
}

bool ras_queue_record_is_outstanding(const RasQueue *q, RasChannel channel)
{
    const RasEntry *e;

    if (!q->channel[channel].nr_outstanding) {
        return false;
    }
    e = &q->entry[q->channel[channel].outstanding[0]];
    /* or the guest has acknowledged a part of it, and waits for the rest */
    return e->len_recorded || !e->len_acknowledged;
}

bool ras_queue_parks(const RasQueue *q, int vcpu)
{
    const RasQueueVcpu *v;
    const RasEntry *owner;

    if (vcpu < 0 || vcpu >= (int64_t)q->nr_vcpus) {
        return false;
    }
    v = &q->vcpu[vcpu];
    if (v->parking == (v->put_off ? v->deferrable : 0)) {
        return false;
    }
    if (q->nr_blocked || !q->channel[RAS_CHANNEL_EXCEPTION].nr_outstanding) {
        return true;
    }
    owner = &q->entry[q->channel[RAS_CHANNEL_EXCEPTION].outstanding[0]];
    return owner->error.vcpu != vcpu ||
           owner->state != RAS_ERROR_STATE_NOTIFIED;
}

bool ras_queue_next_event(RasQueue *q, RasEvent *event)
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
    *event = (RasEvent) {
        .error = e->error,
        .id = e->id,
        .state = step.state,
        .recursive = e->recursive,
        .events_suppressed = e->events_suppressed,
        .delivery = step.state >= RAS_ERROR_STATE_NOTIFIED ? e->delivery : NULL,
    };
    if (ras_state_is_end(step.state)) {
        list_remove(q, e);
        e->next = q->free;
        q->free = entry_index(q, e);
    }
    return true;
}

/* Errors at their end stay in the list until their last event was taken. */
static RasEntry *skip_ended(RasQueue *q, RasEntry *e)
{
    while (e && ras_state_is_end(e->state)) {
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
