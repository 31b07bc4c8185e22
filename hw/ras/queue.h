/*
 * Guest RAS: errors, their life cycle and the queue that holds them
 *
 * Pure: no locks, no allocation, no I/O, nothing of QEMU but osdep.h and the
 * enumerations of qapi/ras.json.  The queue is driven by the other files of
 * hw/ras, with the BQL held.
 *
 * The life of an error, and who makes it take a step, is at the top of queue.c.
 *
 * Errors reach the guest on channels.  What a channel has recorded or notified
 * is outstanding: one error of the exception channel, a batch of the others;
 * the next follows when all of it has ended.  SErrors are notified at once, and
 * none waits for another: a vCPU has one at most, which the caller sees to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_QUEUE_H
#define HW_RAS_QUEUE_H

#include "hw/ras-error.h"

/*
 * Half of it is for errors that vCPUs have consumed: a vCPU has one of these at
 * a time, so they always find room on machines of up to 1024 vCPUs.
 */
#define RAS_QUEUE_SIZE 2048
#define RAS_QUEUE_INJECTED_MAX 1024

typedef struct RasEntry {
    RasError error;
    uint64_t id;                /* from 1, never used twice */
    RasErrorState state;
    bool recorded;              /* went through RAS_ERROR_STATE_RECORDED */
    bool blocked_until_reset;   /* check-stop: cannot be delivered before */
    bool recursive;             /* accepted while another was outstanding */
    bool events_suppressed;     /* there were too many */
    const char *delivery;       /* how the guest is notified; static string */
    uint64_t len_recorded;      /* bytes of error.len in the current record */
    uint64_t len_acknowledged;  /* bytes in those that were acknowledged */
    int16_t prev, next;         /* neighbours in the list that it is in */
} RasEntry;

typedef struct RasCounts {
    uint64_t accepted;
    uint64_t refused;
    uint64_t recorded;
    uint64_t notified;
    uint64_t acknowledged;
    uint64_t delivered;
    uint64_t reclaimed;
    uint64_t discarded;
} RasCounts;

/* One step of one error, for events and the log for operators. */
typedef struct RasStep {
    int16_t entry;
    uint8_t state;
} RasStep;

/* A step together with what the error was at the time. */
typedef struct RasEvent {
    RasError error;
    uint64_t id;
    RasErrorState state;
    bool recursive;
    bool events_suppressed;
    const char *delivery;
} RasEvent;

/* An error makes five steps at most: see the picture in queue.c. */
#define RAS_STEPS_MAX (RAS_QUEUE_SIZE * 5)

/* What the queue knows of one vCPU. */
typedef struct RasQueueVcpu {
    uint16_t parking;           /* queued errors that park it */
    uint16_t deferrable;        /* those of them that can wait */
    bool put_off;               /* and these do; see ras_queue_put_off() */
} RasQueueVcpu;

typedef struct RasQueue {
    RasEntry entry[RAS_QUEUE_SIZE];
    int16_t free;               /* list of unused entries, linked by next */
    int16_t first, last;        /* entries in use, oldest first */
    struct {
        int16_t outstanding[RAS_BATCH_MAX];
        uint16_t nr_outstanding;    /* recorded or notified */
        uint16_t queued;
    } channel[RAS_CHANNELS];
    uint16_t in_flight;         /* accepted and not at an end */
    uint16_t nr_blocked;        /* of them: until a reset */
    uint64_t last_id;
    RasCounts counts;
    RasQueueVcpu *vcpu;
    unsigned int nr_vcpus;
    RasStep step[RAS_STEPS_MAX];
    unsigned int step_head, step_count;
} RasQueue;

/*
 * ras_error_check: can there be an error like @error?
 *
 * Whether the machine has its channel and its vCPU is asked elsewhere.
 * Returns NULL, or what is wrong with it: a static string.
 */
const char *ras_error_check(const RasError *error);

/*
 * ras_queue_init: make @q empty
 * @vcpu: array of @nr_vcpus elements that the caller owns and that lives as
 *        long as @q
 */
void ras_queue_init(RasQueue *q, RasQueueVcpu *vcpu, unsigned int nr_vcpus);

/*
 * ras_queue_accept: take an error into the queue
 *
 * On success the error is queued, and if it parks its vCPU, the vCPU counts as
 * parked from now on.  Returns NULL, and counts the error as refused, if the
 * queue is full (for an error that was injected or that no vCPU waits for, if
 * RAS_QUEUE_INJECTED_MAX errors are in flight), or if the vCPU does not exist
 * or is none of its channel.  An access that a vCPU makes again, for which
 * there was no room, does not count.
 */
RasEntry *ras_queue_accept(RasQueue *q, const RasError *error);

/* ras_queue_refuse: count an error that was refused before it got here */
void ras_queue_refuse(RasQueue *q);

/*
 * ras_queue_next: the error of @channel that is to be delivered now, or NULL
 *
 * That is the oldest queued error that is neither blocked nor put off, if none
 * is outstanding; but if it was injected, an error that its vCPU has consumed
 * goes first.
 */
RasEntry *ras_queue_next(RasQueue *q, RasChannel channel);

/*
 * ras_queue_next_batch: the errors that go into the next record of @channel
 *
 * The next error, and those behind it that are like it, if each is a single
 * page of memory.  Returns their number, ras_batch_limit() at most; 0 if
 * there is nothing to deliver now.
 */
unsigned int ras_queue_next_batch(RasQueue *q, RasChannel channel,
                                  RasEntry *batch[RAS_BATCH_MAX]);

/* ras_queue_outstanding: the oldest error whose end @channel awaits, or NULL */
RasEntry *ras_queue_outstanding(RasQueue *q, RasChannel channel);

/* ras_queue_outstanding_batch: all of them; returns their number */
unsigned int ras_queue_outstanding_batch(RasQueue *q, RasChannel channel,
                                         RasEntry *batch[RAS_BATCH_MAX]);

/*
 * ras_queue_advance: move @e to @state; the only place that changes a state
 *
 * Returns false, and changes nothing, if the life cycle has no such step.
 */
bool ras_queue_advance(RasQueue *q, RasEntry *e, RasErrorState state);

/*
 * ras_queue_discard: discard all errors of @vcpu, or all errors if it is -1
 *
 * Returns their number.
 */
unsigned int ras_queue_discard(RasQueue *q, int vcpu);

/*
 * ras_queue_block: @e will not be delivered before everything is discarded
 *
 * It keeps its vCPU parked and no longer stands in the way of others.
 */
void ras_queue_block(RasQueue *q, RasEntry *e);

/*
 * ras_queue_move: the vCPU of @e, which is queued, was moved away from the
 * instruction that has consumed it
 */
void ras_queue_move(RasQueue *q, RasEntry *e);

/*
 * ras_queue_put_off: errors of @vcpu that can wait do so, or no longer
 *
 * Meanwhile they do not park it, and do not stand in the way of others.
 */
void ras_queue_put_off(RasQueue *q, int vcpu, bool put_off);

/*
 * Restoring a queue from what was in another one: begin, then each error that
 * was in flight, oldest first, then end.
 *
 * ras_queue_restore_begin: @q becomes empty, but for events not taken yet
 * @last_id, @counts: of the other queue
 */
void ras_queue_restore_begin(RasQueue *q, uint64_t last_id,
                             const RasCounts *counts);

/*
 * ras_queue_restore: append an error as it was, queued or notified
 * @e: error, id, state, recorded, blocked_until_reset, recursive, delivery,
 *     len_acknowledged, len_recorded
 *
 * Returns false, and changes nothing, if no queue could hold it.
 */
bool ras_queue_restore(RasQueue *q, const RasEntry *e);

/* ras_queue_restore_end: do the counters add up? */
bool ras_queue_restore_end(const RasQueue *q);

/*
 * ras_queue_record_is_outstanding: is there a record of @channel that the guest
 * has not acknowledged?
 *
 * Not if an outstanding error waits for a record of what is left of it.
 */
bool ras_queue_record_is_outstanding(const RasQueue *q, RasChannel channel);

/*
 * ras_queue_check: do states, and all that is derived from them, agree?
 *
 * But for counters, which are elsewhere's while a queue is restored.
 */
bool ras_queue_check(const RasQueue *q);

/*
 * ras_queue_parks: true if @vcpu must run no guest instruction
 *
 * The vCPU that owns the outstanding record has to run, or it could never
 * acknowledge it: what waits for this vCPU waits without parking it.
 */
bool ras_queue_parks(const RasQueue *q, int vcpu);

/*
 * ras_queue_next_event: take the oldest step that has had no event yet
 *
 * An entry is free for the next error when the step that ended its life was
 * taken.  Returns false if there is none.
 */
bool ras_queue_next_event(RasQueue *q, RasEvent *event);

/* ras_queue_first, ras_queue_following: walk errors in flight, oldest first */
RasEntry *ras_queue_first(RasQueue *q);
RasEntry *ras_queue_following(RasQueue *q, const RasEntry *e);

/* ras_state_is_end: true for the states that no step leads out of */
static inline bool ras_state_is_end(RasErrorState state)
{
    return state >= RAS_ERROR_STATE_ACKNOWLEDGED;
}

#endif
