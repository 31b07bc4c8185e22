/*
 * Guest RAS: errors that no vCPU consumed
 *
 * They reach the guest on the channels other than the exception channel: many
 * of them in one record, and the next record when the guest has acknowledged
 * the one before.  No vCPU waits for them, so a guest that does
 * not acknowledge is reminded, and nothing is withdrawn before a reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/ras.h"
#include "system/runstate.h"
#include "internal.h"

/* Guest time after which an unacknowledged record is notified again. */
#define REMIND_MIN_MS 1000
#define REMIND_MAX_MS 64000

/*
 * Where the guest acknowledges by a write to RAM: guest time after which QEMU
 * looks, twice as long each time.
 */
#define POLL_MIN_MS 1
#define POLL_MAX_MS 128

/*
 * Linux acknowledges a record when its pages are in a queue of 16, not when
 * they are out of it, and drops what finds no room.  So after a record with
 * pages that the guest gives up, the next one waits: for so much guest time a
 * page, and in proportion to the time that the guest took to acknowledge,
 * which shows how fast it is.
 */
#define PACE_NS_PER_PAGE (4 * SCALE_MS)
#define PACE_TIMES_ACK   8
#define PACE_MAX_NS      (1000 * SCALE_MS)

static void remind(RasState *s)
{
    timer_mod(s->remind_timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
                               s->remind_delay_ms);
}

static void remind_timer_expired(void *opaque)
{
    RasState *s = opaque;
    bool waiting = false;

    for (int c = RAS_CHANNEL_INTERRUPT; c < RAS_RECORD_CHANNELS; c++) {
        if (ras_queue_record_is_outstanding(&s->queue, c)) {
            ras_class(s)->notify_batch(s->device, c);
            waiting = true;
        } else {
            /* perhaps the guest has set up by now what a record needs */
            ras_batch_deliver(s, c);
        }
    }
    if (waiting) {
        s->remind_delay_ms = MIN(s->remind_delay_ms * 2, REMIND_MAX_MS);
        remind(s);
    }
}

static void begin_poll(RasState *s, int64_t delay_ms)
{
    if (ras_class(s)->acknowledged) {
        s->batch_poll_delay_ms = delay_ms;
        timer_mod(s->batch_poll_timer,
                  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + delay_ms);
    }
}

static void poll_timer_expired(void *opaque)
{
    RasState *s = opaque;
    int64_t delay_ms = MIN(s->batch_poll_delay_ms * 2, POLL_MAX_MS);

    for (int c = RAS_CHANNEL_INTERRUPT; c < RAS_RECORD_CHANNELS; c++) {
        if (ras_queue_record_is_outstanding(&s->queue, c) &&
            ras_class(s)->acknowledged(s->device, c)) {
            ras_batch_acknowledged(s, c);
        }
    }
    for (int c = RAS_CHANNEL_INTERRUPT; c < RAS_RECORD_CHANNELS; c++) {
        if (ras_queue_record_is_outstanding(&s->queue, c) &&
            !timer_pending(s->batch_poll_timer)) {
            begin_poll(s, delay_ms);
        }
    }
}

static void write_and_notify(RasState *s, RasChannel channel,
                             RasEntry **batch, unsigned int n)
{
    RasRecordPart part[RAS_BATCH_MAX];
    RasDeviceClass *rc = ras_class(s);
    const char *delivery;

    for (unsigned int i = 0; i < n; i++) {
        part[i] = (RasRecordPart) {
            .error = &batch[i]->error,
            .id = batch[i]->id,
            .from = batch[i]->len_acknowledged,
        };
    }
    n = rc->record_batch(s->device, channel, part, n);
    if (!n) {
        s->remind_delay_ms = REMIND_MIN_MS;
        remind(s);
        return;
    }
    for (unsigned int i = 0; i < n; i++) {
        batch[i]->len_recorded = part[i].len;
        if (batch[i]->state == RAS_ERROR_STATE_QUEUED) {
            ras_advance(s, batch[i], RAS_ERROR_STATE_RECORDED);
        }
    }
    s->notified_ns[channel] = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    delivery = rc->notify_batch(s->device, channel);
    for (unsigned int i = 0; i < n; i++) {
        if (batch[i]->state == RAS_ERROR_STATE_RECORDED) {
            batch[i]->delivery = delivery;
            ras_advance(s, batch[i], RAS_ERROR_STATE_NOTIFIED);
        }
    }
    s->remind_delay_ms = REMIND_MIN_MS;
    remind(s);
    begin_poll(s, POLL_MIN_MS);
}

void ras_batch_deliver(RasState *s, RasChannel channel)
{
    RasEntry *batch[RAS_BATCH_MAX];
    unsigned int n;

    /* guest memory must not change while the guest is stopped */
    if (s->check_stopped || !runstate_is_running() ||
        timer_pending(s->pace_timer) ||
        ras_queue_record_is_outstanding(&s->queue, channel)) {
        return;
    }
    /* the rest of what one record could not hold, or something new */
    n = ras_queue_outstanding_batch(&s->queue, channel, batch);
    if (!n) {
        n = ras_queue_next_batch(&s->queue, channel, batch);
    }
    if (n) {
        write_and_notify(s, channel, batch, n);
    }
}

static void deliver_all(RasState *s)
{
    for (int c = RAS_CHANNEL_INTERRUPT; c < RAS_RECORD_CHANNELS; c++) {
        ras_batch_deliver(s, c);
    }
}

static void pace_timer_expired(void *opaque)
{
    deliver_all(opaque);
}

void ras_batch_acknowledged(RasState *s, RasChannel channel)
{
    RasEntry *batch[RAS_BATCH_MAX];
    unsigned int n = ras_queue_outstanding_batch(&s->queue, channel, batch);
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    unsigned int pages = 0;
    int64_t pace;

    if (!ras_queue_record_is_outstanding(&s->queue, channel)) {
        return;
    }
    for (unsigned int i = 0; i < n; i++) {
        RasEntry *e = batch[i];

        if (e->error.severity != RAS_SEVERITY_CORRECTED) {
            pages += e->len_recorded / RAS_PAGE_SIZE;
        }
        e->len_acknowledged += e->len_recorded;
        if (e->len_acknowledged >= e->error.len || !e->len_recorded) {
            ras_advance(s, e, RAS_ERROR_STATE_ACKNOWLEDGED);
        }
        e->len_recorded = 0;
    }
    if (!pages) {
        ras_batch_deliver(s, channel);
        return;
    }
    pace = (now - s->notified_ns[channel]) * PACE_TIMES_ACK;
    timer_mod(s->pace_timer, now + MAX(pages * PACE_NS_PER_PAGE,
                                       MIN(pace, PACE_MAX_NS)));
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    if (running) {
        deliver_all(opaque);
    }
}

int64_t ras_batch_pause(RasState *s)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    return timer_pending(s->pace_timer) ?
           MAX(timer_expire_time_ns(s->pace_timer) - now, 0) : 0;
}

void ras_batch_loaded(RasState *s, int64_t pause_ns)
{
    if (pause_ns > 0) {
        timer_mod(s->pace_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                                 MIN(pause_ns, PACE_MAX_NS));
    }
    for (int c = RAS_CHANNEL_INTERRUPT; c < RAS_RECORD_CHANNELS; c++) {
        if (ras_queue_record_is_outstanding(&s->queue, c)) {
            s->remind_delay_ms = REMIND_MIN_MS;
            remind(s);
            begin_poll(s, POLL_MIN_MS);
        }
    }
}

void ras_batch_reset(RasState *s)
{
    timer_del(s->remind_timer);
    timer_del(s->batch_poll_timer);
    timer_del(s->pace_timer);
}

void ras_batch_init(RasState *s)
{
    s->remind_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, remind_timer_expired,
                                   s);
    s->batch_poll_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, poll_timer_expired,
                                       s);
    s->pace_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pace_timer_expired, s);
    qemu_add_vm_change_state_handler(vm_state_changed, s);
}
