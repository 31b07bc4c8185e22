/*
 * Guest RAS: what the files of the core share among themselves
 *
 * Each file uses those before it only ("make lint" sees to that):
 *
 *   copy.c             accesses to memory that may have failed
 *   queue.c            errors, their states, what waits and what is outstanding
 *   wakeup.c           work for the main loop
 *   state.c            the device's state, and how an error in it moves on
 *   guest-memory.c     is there memory of the guest, and is it good?
 *   events.c           events and log for operators
 *   exception.c        one vCPU, one record: parking, delivery, acknowledgement
 *   batch.c            errors that no vCPU has consumed
 *   serror.c           SErrors
 *   core.c             ras_report(): accept an error, choose its channel
 *   poison.c           poisoned memory under TCG
 *   host-memory.c      memory of the host that has failed
 *   sigbus.c           QEMU has touched memory that has failed
 *   migration.c        errors and poison in the migration stream
 *   device.c           realize, reset, unplug, run state
 *   qmp-cmds.c         commands
 *   hmp-cmds.c         the same for the monitor
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_INTERNAL_H
#define HW_RAS_INTERNAL_H

#include "exec/vaddr.h"
#include "system/memory.h"
#include "hw/ras.h"
#include "hw/ras/queue.h"
#include "qemu/notify.h"

/* --- the state ------------------------------------------------------------ */

#define RAS_POISON_RANGES 256

/* Part of one RAM block, in one piece in the memory map. */
typedef struct RasPoisonSlot {
    bool used;
    uint64_t addr, len;         /* bytes, multiples of RAS_PAGE_SIZE */
    RasSeverity severity;
    RAMBlock *block;
    ram_addr_t ram_addr;        /* of addr */
} RasPoisonSlot;

typedef struct RasPoison {
    RasPoisonSlot range[RAS_POISON_RANGES];
    size_t accesses;            /* all failed accesses; atomic */
    uint64_t consumed;          /* those made by an instruction */
    QEMUBH *event_bh;           /* sends the event of the others */
    QEMUTimer *event_timer;     /* pending: too early for one more */
} RasPoison;

/* So many passed, and so many did not, in a window of time. */
typedef struct RasRate {
    int64_t window_start_ms;
    unsigned int passed;
    unsigned int suppressed;
} RasRate;

/* Work for the main loop, see ras_wakeup_now(). */
typedef struct RasWakeup {
    NotifierList work;
    QEMUBH *bh;
    int fd;                     /* timerfd: bh, but later */
    bool is_due;                /* fd is running */
} RasWakeup;

typedef struct RasVcpu {
    bool consumed;              /* an instruction of it has an error: */
    bool pc_known;
    vaddr pc;                   /* its address */
} RasVcpu;

/* What a RasDevice has, and only the core knows.  Under the BQL. */
struct RasState {
    RasDevice *device;

    RasQueue queue;
    RasVcpu *vcpu;
    RasPoison poison;
    bool check_stopped;         /* until a reset */
    bool panic_is_due;          /* GUEST_PANICKED is still to be sent */
    RasEvent check_stop;        /* the error that did it; delivery: why */

    QEMUTimer *ack_timer;
    int64_t ack_delay_ns;       /* from one look to the next */
    int64_t ack_since_ns;       /* the last one */
    int64_t ack_left_ns;        /* guest time until the record is withdrawn */
    QEMUTimer *remind_timer;
    int64_t remind_delay_ms;
    QEMUTimer *batch_poll_timer;
    int64_t batch_poll_delay_ms;
    QEMUTimer *pace_timer;
    int64_t notified_ns[RAS_RECORD_CHANNELS];
    RasWakeup wakeup;
    Notifier send_events;
    Notifier start_ack_timer;
    DeviceListener listener;    /* for unplugged vCPUs */
    QEMUTimer *unrecorded_timer;    /* pending: too early for the next error */
    RasRate log_rate;
    /* took an exception without a record: has to run before the next one; -1 */
    int unrecorded_vcpu;
    bool unrecorded_vcpu_ran;       /* and was run since */
    QEMUTimer *put_off_timer;   /* to ask for what was put off */
    RasRate event_rate;
    uint64_t events_dropped;
    bool loaded;                /* and did not run since */

    RasHostMemory host_memory[RAS_HOST_MEMORY_MAX];
    unsigned int nr_host_memory;
    bool host_memory_full;      /* there is more than fits */
    bool host_memory_resetting; /* what is found now is no error */
    QEMUBH *note_bh;            /* what ras_host_memory_note() has noted */
    Error *host_blocker;        /* of migration */
    unsigned int nr_host_blocked;   /* ranges that it speaks of */
    QEMUBH *block_bh;           /* blocks it, or no longer */
    QEMUTimer *block_timer;     /* until it can be blocked */
    bool block_waits;           /* for a migration to end; that was said */
};

/* --- functions; called with the BQL held, but for what says otherwise ----- */

/*
 * ras_wakeup_now: have the main loop do all that was added to @w, if it is to
 *                 be done, as soon as possible
 * ras_wakeup_later: in a little while, without waking the main thread before
 *
 * Both may be called on any thread.
 */
void ras_wakeup_init(RasWakeup *w);
void ras_wakeup_add(RasWakeup *w, Notifier *work);
void ras_wakeup_now(RasWakeup *w);
void ras_wakeup_later(RasWakeup *w);

/* ras_state: the state of ras_get(), or NULL if it has none */
RasState *ras_state(void);

/* ras_set: @s is what ras_state() returns from now on */
void ras_set(RasState *s);

static inline RasDeviceClass *ras_class(RasState *s)
{
    return RAS_GET_CLASS(s->device);
}

/* ras_inject_methods: those of the machine; empty if it has none */
const RasInjectMethods *ras_inject_methods(RasState *s);

/* ras_step: move @e to @state, which its life cycle must allow */
void ras_step(RasState *s, RasEntry *e, RasErrorState state);

/*
 * ras_advance: the same, and have the main loop send its events soon
 *
 * If @e was queued on the exception channel, ras_exception_update() follows.
 */
void ras_advance(RasState *s, RasEntry *e, RasErrorState state);

/*
 * Memory of the guest (hw/ras/guest-memory.c)
 *
 * ras_check_pages: is @addr, @len a range of whole pages?
 * If not, return false and say in @errp what it is.
 */
bool ras_check_pages(uint64_t addr, uint64_t len, Error **errp);

/* ras_check_ram: and all of it good RAM? */
bool ras_check_ram(RasState *s, uint64_t addr, uint64_t len, Error **errp);

/*
 * ras_find_ram: the part of [@addr, @addr + @len) at @addr that lies in one
 * region of RAM; returns false if there is none
 */
bool ras_find_ram(uint64_t addr, uint64_t len, MemoryRegionSection *section);

/* ras_page_is_good: can the page at host address @addr be read? */
bool ras_page_is_good(void *addr);

/*
 * ras_pages_have_failed: have any of the pages at host address @addr?  Not
 * known (false) before Linux 5.14.
 */
bool ras_pages_have_failed(void *addr, size_t len);

/*
 * ras_failed_publish: what ras_host_memory_find() finds is what is in @s now
 * ras_failed_add: and this
 */
void ras_failed_publish(RasState *s);
void ras_failed_add(const RasHostMemory *m);

/* ras_poison_find: the poisoned range that holds @addr, or NULL */
RasPoisonSlot *ras_poison_find(RasState *s, uint64_t addr);

/* Events and QEMU's log (hw/ras/events.c) */
void ras_events_init(RasState *s);

/* ras_events_allowed: may one more error have events? */
bool ras_events_allowed(RasState *s);

/*
 * ras_events_send: send now the events of all steps that have had none yet
 *
 * Not on the thread of a vCPU, as this may take long.
 */
void ras_events_send(RasState *s);

/* ras_events_send_all: the same, and say if the machine has stopped */
void ras_events_send_all(RasState *s);

/* ras_fill_error_info: an error as QMP shows it; @delivery is not copied */
void ras_fill_error_info(RasErrorInfo *info, const RasError *error,
                         uint64_t id, RasErrorState state,
                         const char *delivery);

/*
 * ras_send_poison_access: send the QMP event of accesses to poison
 * @addr: guest physical address of the last one, NULL if it has none any more
 * @count: number of accesses
 */
void ras_send_poison_access(const uint64_t *addr, bool is_write,
                            uint64_t count);

/*
 * Errors that come as an exception (hw/ras/exception.c)
 *
 * ras_exception_deliver: @e was queued; have its vCPU take it.  On any thread.
 */
void ras_exception_init(RasState *s, unsigned int nr_vcpus);
void ras_exception_deliver(RasState *s, RasEntry *e);

/*
 * ras_exception_acknowledged: the guest is done with the outstanding record
 *
 * On any thread.
 */
void ras_exception_acknowledged(RasState *s);

/*
 * Those that follow are called on the main thread.
 *
 * ras_exception_update: others have changed the queue; go on
 */
void ras_exception_update(RasState *s);

/* ras_exception_vcpu_gone: the vCPU of @e was unplugged; discard @e */
void ras_exception_vcpu_gone(RasState *s, RasEntry *e);

/* ras_exception_reset: all errors were discarded */
void ras_exception_reset(RasState *s);

/*
 * ras_exception_loaded: all errors were replaced
 * ras_exception_resume: and the VM runs now for the first time
 */
void ras_exception_loaded(RasState *s);
void ras_exception_resume(RasState *s);

/*
 * Errors that no vCPU consumed (hw/ras/batch.c).  @channel is none but
 * the asynchronous ones.  The first three are called on the main thread, the
 * others on any.
 */
void ras_batch_init(RasState *s);
void ras_batch_reset(RasState *s);
void ras_batch_loaded(RasState *s, int64_t pause_ns);

/* ras_batch_pause: guest time until the next record may be written */
int64_t ras_batch_pause(RasState *s);

/* ras_batch_deliver: write what waits into a record, if there can be one now */
void ras_batch_deliver(RasState *s, RasChannel channel);

/* ras_batch_acknowledged: the guest is done with the outstanding record */
void ras_batch_acknowledged(RasState *s, RasChannel channel);

/*
 * SErrors that vCPUs have been given (hw/ras/serror.c).
 *
 * ras_serror_deliver: give @e to its vCPU, on whose thread this is called
 */
void ras_serror_deliver(RasState *s, RasEntry *e);

/*
 * ras_serror_settle: find out whether that of @cpu is still pending
 *
 * TCG says when a vCPU takes one, KVM has to be asked.  On any thread; if it is
 * not that of @cpu, others may have the BQL meanwhile.
 */
void ras_serror_settle(RasState *s, CPUState *cpu);

/* ras_serrors_settle: the same for all vCPUs */
void ras_serrors_settle(RasState *s);

/* ras_serror_in_flight: has @vcpu one whose life is not over? */
bool ras_serror_in_flight(RasState *s, int vcpu);

/*
 * What can be reported (hw/ras/core.c)
 *
 * ras_check_error: is @error one that this machine can have?
 *
 * What can change is not asked: whether the guest has set up what a record
 * needs, or whether a vCPU is online.  Asked of every error that is reported,
 * or loaded; if not, returns false and says in @errp what is wrong.
 */
bool ras_check_error(RasState *s, const RasError *error, Error **errp);

/*
 * ras_check_poison: can memory at @addr be poison of that severity?
 * @ready: the guest has set up what a record needs
 *
 * If not, returns false and says in @errp why.  Whether there is memory is for
 * ras_poison_add() to say.
 */
bool ras_check_poison(RasState *s, uint64_t addr, RasSeverity severity,
                      bool ready, Error **errp);

/*
 * Poison (hw/ras/poison.c): pages that fail every access, TCG only
 *
 * ras_poison_add: poison guest pages; nothing changes if it fails
 * @addr, @len: multiples of RAS_PAGE_SIZE, all of it RAM
 */
bool ras_poison_add(RasState *s, uint64_t addr, uint64_t len,
                    RasSeverity severity, Error **errp);

/* ras_poison_remove: make poisoned pages good again, with their content */
bool ras_poison_remove(RasState *s, uint64_t addr, uint64_t len,
                       Error **errp);

/* ras_poison_clear: make all pages good again */
void ras_poison_clear(RasState *s);

/*
 * ras_poison_forget_absent: forget poison whose memory was unplugged
 */
void ras_poison_forget_absent(RasState *s);

/* ras_poison_init: allocate what poison.c needs */
void ras_poison_init(RasState *s);

/* ras_poison_discarded: part of @rb is new memory: its poison ends */
void ras_poison_discarded(RAMBlock *rb, uint64_t offset, uint64_t len);

/* ras_poison_count: number of poisoned ranges */
unsigned int ras_poison_count(RasState *s);

/*
 * ras_poison_failed_memory: memory of the host that has failed has changed;
 * without KVM, each access to it fails as one to poison does
 * @more: there is more of it
 */
void ras_poison_failed_memory(RasState *s, bool more);

/*
 * Memory of the host that has failed (hw/ras/host-memory.c)
 *
 * ras_host_memory_forget_absent: forget memory that was unplugged
 */
void ras_host_memory_forget_absent(RasState *s);

void ras_host_memory_init(RasState *s);

/* ras_host_memory_reset: put good memory where memory of the host failed */
void ras_host_memory_reset(RasState *s);

/* ras_sigbus_init: have SIGBUS on this thread, the main one, come at once */
void ras_sigbus_init(void);

/* ras_host_memory_locate: find out where the guest sees what has moved */
void ras_host_memory_locate(RasState *s);

/* ras_migration_init: have errors and poison of @s move with the VM */
void ras_migration_init(RasState *s);

#endif
