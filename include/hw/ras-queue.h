/*
 * Guest RAS: errors, their life cycle and the queue that holds them
 *
 * Pure: no locks, no allocation, no I/O, nothing of QEMU but osdep.h and the
 * enumerations of qapi/ras.json.  The queue is driven by the other files of
 * hw/ras, with the BQL held.
 *
 * Life of an error, one direction only:
 *
 *    accepted -> queued -> recorded -> notified -> acknowledged
 *                   |                     |------> reclaimed
 *                   +-------> notified -> delivered (nothing to record into)
 *
 * and from every state but the ends: -> discarded.
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

#include "qapi/qapi-types-ras.h"

/* How the guest is told; each has its own record and acknowledgement. */
typedef enum RasChannel {
    RAS_CHANNEL_EXCEPTION,      /* the vCPU of the error takes an exception */
    RAS_CHANNEL_INTERRUPT,      /* no vCPU: an interrupt, when there is time */
    RAS_CHANNEL_POLLED,         /* no vCPU: the guest looks now and then */
    RAS_RECORD_CHANNELS,        /* those above have records */
    /* the vCPU of the error has an SError, which it takes when it can */
    RAS_CHANNEL_SERROR = RAS_RECORD_CHANNELS,
    RAS_CHANNELS,
} RasChannel;

/* One access that an instruction makes: virtual and guest physical address. */
typedef struct RasStorageAccess {
    RasAccess kind;
    bool has_addr;      /* it is mapped, as far as can be found out */
    uint64_t vaddr;
    uint64_t addr;
} RasStorageAccess;

/* An instruction is fetched, and has data in two pages at most. */
#define RAS_ACCESSES_MAX 3

/* Architected syndrome as it came from the CPU or from KVM. */
typedef struct RasSyndrome {
    bool valid;
    uint64_t srr1;      /* POWER: SRR1 with its cause bits; Arm: ESR_ELx */
    uint64_t dar;       /* POWER: DAR; Arm: FAR_ELx */
    uint32_t dsisr;     /* POWER only */
} RasSyndrome;

/*
 * One hardware error.  Host byte order.  No host address is ever in it, but
 * for the pointer to a record that somebody else has made.
 */
typedef struct RasError {
    RasErrorClass class;
    RasSeverity severity;
    RasOrigin origin;
    RasAccess access;
    RasChannel channel;
    bool synchronous;   /* the vCPU must not run on before it took this */
    bool limited;       /* corrected, but something is out of use now */
    bool immediate;     /* injected, and to be taken wherever the vCPU is */
    bool moved;         /* its vCPU is no longer where it has consumed it */
    bool has_addr;
    bool has_vaddr;
    int32_t vcpu;       /* CPUState::cpu_index; -1 on the other channels */
    uint64_t addr;      /* guest physical address, bytes */
    uint64_t first;     /* what was lost begins here, at a page, */
    uint64_t len;       /* and has so many bytes: whole pages, addr in them */
    uint64_t vaddr;     /* guest virtual (effective) address */
    RasSyndrome syndrome;
    /* the record is given: bytes for the guest, freed when the error ended */
    uint8_t *record;
    uint32_t record_len;
} RasError;

/* Unit of poison and of injected addresses, bytes: the smallest guest page. */
#define RAS_PAGE_SIZE 4096

/*
 * Half of it is for errors that vCPUs have consumed: a vCPU has one of these at
 * a time, so they always find room on machines of up to 1024 vCPUs.
 */
#define RAS_QUEUE_SIZE 2048
#define RAS_QUEUE_INJECTED_MAX 1024

/*
 * Errors in one record of a channel that batches: as many as a block of 16384
 * bytes takes.  But Linux puts the pages that it has to give up into a queue of
 * 16 for each CPU, and drops what finds no room; so half of that.
 */
#define RAS_BATCH_MAX   107
#define RAS_BATCH_PAGES 8

/* ras_batch_limit: how many pages of errors like @error one record may name */
#define ras_batch_limit(error) \
    ((error)->severity == RAS_SEVERITY_CORRECTED ? RAS_BATCH_MAX : \
                                                   RAS_BATCH_PAGES)

typedef struct RasEntry {
    RasError error;
    uint64_t id;                /* from 1, never used twice */
    RasErrorState state;
    bool recorded;              /* went through RAS_ERROR_STATE_RECORDED */
    bool held;                  /* cannot be delivered before a reset */
    bool recursive;             /* accepted while another was outstanding */
    bool quiet;                 /* too many: its steps are not told of */
    const char *delivery;       /* how the guest is told; static string */
    uint64_t telling;           /* bytes of error.len in the current record */
    uint64_t told;              /* bytes in those that were acknowledged */
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

/* One step of one error, for those who watch. */
typedef struct RasStep {
    int16_t entry;
    uint8_t state;
} RasStep;

/* A step together with what the error was at the time. */
typedef struct RasReport {
    RasError error;
    uint64_t id;
    RasErrorState state;
    bool recursive;
    bool quiet;
    const char *delivery;
} RasReport;

/* An error makes five steps at most: see the picture above. */
#define RAS_STEPS_MAX (RAS_QUEUE_SIZE * 5)

/* What the queue knows of one vCPU. */
typedef struct RasQueueVcpu {
    uint16_t parking;           /* queued errors that park it */
    uint16_t patient;           /* those of them that can wait */
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
    uint16_t held;
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
 * That is the oldest queued error that is neither held nor put off, if none is
 * outstanding; but if it was injected, an error that its vCPU has consumed goes
 * first.
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
 * ras_queue_hold: @e will not be delivered before everything is discarded
 *
 * It keeps its vCPU parked and no longer stands in the way of others.
 */
void ras_queue_hold(RasQueue *q, RasEntry *e);

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
 * Restoring a queue from what another one held: begin, then each error that
 * was in flight, oldest first, then end.
 *
 * ras_queue_restore_begin: @q becomes empty, but for steps not reported yet
 * @last_id, @counts: of the other queue
 */
void ras_queue_restore_begin(RasQueue *q, uint64_t last_id,
                             const RasCounts *counts);

/*
 * ras_queue_restore: append an error as it was, queued or notified
 * @e: error, id, state, recorded, held, recursive, delivery, told, telling
 *
 * Returns false, and changes nothing, if no queue could hold it.
 */
bool ras_queue_restore(RasQueue *q, const RasEntry *e);

/* ras_queue_restore_end: do the counters add up? */
bool ras_queue_restore_end(const RasQueue *q);

/*
 * ras_queue_parks: true if @vcpu must run no guest instruction
 *
 * The vCPU that owns the outstanding record has to run, or it could never
 * acknowledge it: what waits for this vCPU waits without parking it.
 */
bool ras_queue_parks(const RasQueue *q, int vcpu);

/*
 * ras_queue_report: take the oldest step that was not reported yet
 *
 * An entry is free for the next error when the step that ended its life was
 * taken.  Returns false if there is none.
 */
bool ras_queue_report(RasQueue *q, RasReport *report);

/* ras_queue_first, ras_queue_following: walk errors in flight, oldest first */
RasEntry *ras_queue_first(RasQueue *q);
RasEntry *ras_queue_following(RasQueue *q, const RasEntry *e);

/* ras_error_parks: true if a vCPU must wait for the delivery of @error */
static inline bool ras_error_parks(const RasError *error)
{
    return error->synchronous && error->severity != RAS_SEVERITY_CORRECTED;
}

/*
 * ras_error_has_place: true if @error belongs to the instruction that its vCPU
 * is at, which has consumed it
 */
static inline bool ras_error_has_place(const RasError *error)
{
    return error->origin != RAS_ORIGIN_INJECTED && ras_error_parks(error) &&
           !error->moved;
}

/* ras_error_can_wait: true if @error need not be delivered where its vCPU is */
static inline bool ras_error_can_wait(const RasError *error)
{
    return !error->immediate && !ras_error_has_place(error);
}

/*
 * ras_error_comes_again: true if a vCPU whose access is not reported makes it
 * again, until it is.  What the hardware of the host has seen need not be seen
 * again.
 */
static inline bool ras_error_comes_again(const RasError *error)
{
    return ras_error_parks(error) && (error->origin == RAS_ORIGIN_POISON ||
                                      error->origin == RAS_ORIGIN_ACCESS ||
                                      error->origin == RAS_ORIGIN_SIGBUS);
}

/* ras_state_is_end: true for the states that no step leads out of */
static inline bool ras_state_is_end(RasErrorState state)
{
    return state >= RAS_ERROR_STATE_ACKNOWLEDGED;
}

#endif
