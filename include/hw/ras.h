/*
 * Guest RAS: delivery of hardware errors to the guest
 *
 * Sources call ras_report().  The core (hw/ras) queues the error and
 * parks the vCPU that consumed it; the vCPU's own thread then delivers it
 * through the methods of the machine's subclass of TYPE_RAS: record() puts
 * the bytes into guest memory, notify() raises the exception.  The machine,
 * or the core polling it, says when the guest has acknowledged the record,
 * and the next error follows.  What no vCPU consumed goes by record_batch()
 * and notify_batch() in the same way, from wherever it was reported.  An SError
 * is given to its vCPU at once, by raise_serror().
 *
 * Threads: everything here is called with the BQL held, except the function
 * that says otherwise.  Nothing allocates memory or waits between
 * ras_report() and notify().  Events and the line in QEMU's log are made
 * afterwards, by the main loop, or at the latest when the VM stops.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_H
#define HW_RAS_H

#include "exec/hwaddr.h"
#include "exec/memory.h"
#include "exec/mmu-access-type.h"
#include "hw/qdev-core.h"
#include "hw/ras-host-memory.h"
#include "hw/ras-queue.h"
#include "qemu/stats64.h"
#include "qapi/qapi-types-ras.h"
#include "qom/object.h"

#define TYPE_RAS "ras"
OBJECT_DECLARE_TYPE(RasState, RasDeviceClass, RAS)

/* What record() did. */
typedef enum RasRecordResult {
    /* a record is in guest memory; notify, then wait for acknowledgement */
    RAS_RECORD_WRITTEN,
    /* the guest has not set up what a record needs; notify without one */
    RAS_RECORD_NONE,
    /* the guest cannot be told and must not run on: its vCPU stays parked */
    RAS_RECORD_CHECKSTOP,
} RasRecordResult;

/*
 * What a machine implements.
 */
struct RasDeviceClass {
    DeviceClass parent_class;

    /*
     * channel_name: the error source behind @channel, in the words of its
     * specification; NULL if this machine has no such channel
     */
    const char *(*channel_name)(RasState *s, RasChannel channel);

    /*
     * check: can the guest be told of @error at all?
     * @ready: it has set up what a record needs
     *
     * If not, return false and say in @errp why and what could be done.
     */
    bool (*check)(RasState *s, const RasError *error, bool ready,
                  Error **errp);

    /* ready: has the guest set up what a record needs? */
    bool (*ready)(RasState *s);

    /* vcpu_online: does @cpu execute instructions, or wait for interrupts? */
    bool (*vcpu_online)(RasState *s, CPUState *cpu);

    /*
     * in_handler: is @cpu where an exception may break what it does, in the
     * handler of the one before for instance?  Errors that can wait do so then.
     * Same context as record; optional.
     */
    bool (*in_handler)(RasState *s, CPUState *cpu);

    /*
     * record: write the record of @e into guest memory
     *
     * Called on @cpu's thread, which is between two instructions, its
     * registers synchronized.  With RAS_RECORD_CHECKSTOP, @why is set to the
     * reason: a static string.
     */
    RasRecordResult (*record)(RasState *s, RasEntry *e, CPUState *cpu,
                              const char **why);

    /*
     * notify: raise the exception for @e in @cpu; same context as record
     * @recorded: false if record() returned RAS_RECORD_NONE
     *
     * Returns how the guest is told, in words: a static string.
     */
    const char *(*notify)(RasState *s, const RasEntry *e, CPUState *cpu,
                          bool recorded);

    /*
     * acknowledged: has the guest acknowledged the outstanding record?
     * NULL if the machine calls ras_acknowledge() by itself.
     */
    bool (*acknowledged)(RasState *s);

    /*
     * second_error: @e arrived on the vCPU that owns the outstanding record,
     * so nobody is left to acknowledge that one.  Returns true to reclaim
     * it, false if the guest is lost, with @why set to the reason: a static
     * string.  Not called for corrected errors, which park no vCPU, nor for
     * injected ones, which can wait.
     */
    bool (*second_error)(RasState *s, const RasEntry *e, const char **why);

    /*
     * reclaim: withdraw the outstanding record of the exception channel from
     * guest memory; optional
     */
    void (*reclaim)(RasState *s);

    /*
     * record_batch: write one record of the @n errors into guest memory
     *
     * For channels other than the exception channel.  Sets RasEntry::telling
     * of each to the number of bytes of its error, from RasEntry::told on,
     * that the record covers.  Only an error that is alone in its batch may
     * be covered in part; the rest follows after the acknowledgement.
     */
    void (*record_batch)(RasState *s, RasChannel channel,
                         RasEntry *const *batch, unsigned int n);

    /*
     * notify_batch: make the guest look at the record of @channel; may be
     * called again for the same record
     *
     * Returns how the guest is told, in words: a static string.
     */
    const char *(*notify_batch)(RasState *s, RasChannel channel);

    /*
     * cut_off: a reset discards @e; optional.  Called before reset().
     */
    void (*cut_off)(RasState *s, const RasEntry *e);

    /* reset: forget what the guest has set up; optional */
    void (*reset)(RasState *s);

    /*
     * record_size: bytes that a record can have; NULL if this machine takes
     * no records made by others
     */
    size_t (*record_size)(RasState *s);

    /*
     * check_record: may this record be given to the guest?
     * @strict: it is all that its specification wants; if not, it is enough
     *          that there is a record, and that all of it is here
     *
     * Sets @severity to that of the record.  Returns false, with the reason in
     * @errp, if not.
     */
    bool (*check_record)(RasState *s, const uint8_t *record, size_t len,
                         bool strict, RasSeverity *severity, Error **errp);

    /*
     * build_arm_processor: the record for error number @id
     * @record: record_size() bytes
     *
     * Returns its length, or 0 with @errp set.  NULL if this machine has no
     * Arm processors, or no record for them.
     */
    size_t (*build_arm_processor)(RasState *s, uint64_t id,
                                  const RasInjectArmProcessor *arg,
                                  uint8_t *record, Error **errp);

    /*
     * fill_machine_check: the error that @arg describes, as @cpu would have it
     * @error: written whole, but for vcpu and origin
     *
     * Returns false, with the reason in @errp, if @cpu has no such error.
     * NULL if this machine has no machine checks.
     */
    bool (*fill_machine_check)(RasState *s, CPUState *cpu,
                               const RasInjectMachineCheck *arg,
                               RasError *error, Error **errp);

    /*
     * build_serror: the SError that @arg describes, into @error: its severity
     * and its syndrome
     *
     * Called on @cpu's thread, its registers synchronized.  Returns false,
     * with the reason in @errp, if @cpu cannot take it now.  The three methods
     * of SErrors are NULL if this machine has none.
     */
    bool (*build_serror)(RasState *s, CPUState *cpu,
                         const RasInjectSerror *arg, RasError *error,
                         Error **errp);

    /*
     * raise_serror: give @cpu the SError @e; same context as build_serror
     *
     * Returns how the guest is told, in words: a static string.
     */
    const char *(*raise_serror)(RasState *s, const RasEntry *e, CPUState *cpu);

    /*
     * serror_pending: has @cpu an SError that it has not taken yet?
     * @info: its syndrome, if it has one; may be NULL
     *
     * The registers of @cpu are synchronized.
     */
    bool (*serror_pending)(RasState *s, CPUState *cpu, RasSerrorInfo *info);

    /* record_pages: pages of memory that a record can name; a power of two */
    unsigned int (*record_pages)(RasState *s);

    /*
     * accesses: what the instruction that @cpu is at accesses, as far as that
     * can be found out; on @cpu's thread; optional
     *
     * Returns the number of @access that are set.
     */
    unsigned int (*accesses)(RasState *s, CPUState *cpu,
                             RasStorageAccess access[RAS_ACCESSES_MAX]);
};

/*
 * ras_create: create, as /machine/guest-ras, the RAS device of the machine
 * @type: subclass of TYPE_RAS
 */
RasState *ras_create(const char *type);

/* ras_get: the RAS device of the machine, or NULL if it has none */
RasState *ras_get(void);

/*
 * ras_report: a hardware error happened
 *
 * @error: copied.  If ras_error_parks() it, its vCPU runs no further guest
 *         instruction before the error was delivered (or, for an injected
 *         error, before the one that it is busy with is acknowledged); a
 *         caller on that vCPU's thread leaves the accelerator's run loop next.
 *
 * Returns the number of the error, or 0 with @errp set if it was refused.
 */
uint64_t ras_report(const RasError *error, Error **errp);

/* ras_has_channel: can this machine tell its guest of anything on @channel? */
bool ras_has_channel(RasState *s, RasChannel channel);

/*
 * ras_acknowledge: the guest is done with the outstanding record of @channel
 *
 * Does nothing if there is none.
 */
void ras_acknowledge(RasState *s, RasChannel channel);

/*
 * ras_serror_taken: @cpu has taken its SError, or deferred it
 *
 * What is not an SError of guest RAS is left alone.
 */
void ras_serror_taken(CPUState *cpu);

/*
 * ras_owner: index of the vCPU that was notified of the outstanding record
 * of the exception channel, or -1 if no record is outstanding
 */
int ras_owner(RasState *s);

/*
 * ras_release: the outstanding record of the exception channel can no longer
 * be acknowledged (its owner is gone or the guest set up a new handler); the
 * next error follows
 */
void ras_release(RasState *s);

/*
 * ras_log: a warning in QEMU's log, if there is room for one more line
 *
 * Never in the output of the monitor command that happens to be carried out.
 */
void G_GNUC_PRINTF(2, 3) ras_log(RasState *s, const char *fmt, ...);

/* ras_access_kind: the kind of an access of TCG */
RasAccess ras_access_kind(MMUAccessType access_type);

/*
 * Hooks in the vCPU threads' loop
 */

/* number of errors that wait for a vCPU; only for the inline functions */
extern unsigned int ras_errors_waiting;

bool ras_vcpu_is_parked(CPUState *cpu);
bool ras_vcpu_is_idle(CPUState *cpu, bool *idle);

/* ras_vcpu_note_place, ras_vcpu_check_place: see ras_vcpu_left() */
void ras_vcpu_note_place(CPUState *cpu);
void ras_vcpu_check_place(CPUState *cpu);

/*
 * ras_vcpu_deliver: deliver the error that @cpu may take, if there is one
 *
 * On @cpu's thread, with the BQL held, between two instructions.  Returns
 * whether @cpu has taken one; only then are its registers changed.
 */
bool ras_vcpu_deliver(CPUState *cpu);

/* ras_vcpu_parked: must @cpu not run guest instructions? */
static inline bool ras_vcpu_parked(CPUState *cpu)
{
    return unlikely(ras_errors_waiting) && ras_vcpu_is_parked(cpu);
}

/*
 * ras_vcpu_idle: has RAS an opinion on whether @cpu's thread has nothing to
 * do?  Returns true and sets @idle if so.
 */
static inline bool ras_vcpu_idle(CPUState *cpu, bool *idle)
{
    return unlikely(ras_errors_waiting) && ras_vcpu_is_idle(cpu, idle);
}

/*
 * ras_vcpu_left: @cpu's thread has left guest code, and is about to do what
 * others want it to do, which may move @cpu to another place: a system reset
 * for instance.  An error that @cpu has consumed belongs to the instruction at
 * which it is now.
 */
static inline void ras_vcpu_left(CPUState *cpu)
{
    if (unlikely(ras_errors_waiting)) {
        ras_vcpu_note_place(cpu);
    }
}

/*
 * ras_vcpu_service: deliver, on @cpu's thread, the error that it may take;
 * withdraw the one that it has consumed if it is at another place now
 */
static inline void ras_vcpu_service(CPUState *cpu)
{
    if (unlikely(ras_errors_waiting)) {
        ras_vcpu_check_place(cpu);
        ras_vcpu_deliver(cpu);
    }
}

/*
 * ras_vcpu_moved: what follows ras_vcpu_left() in a VM that is stopped
 *
 * Withdraws the error that @cpu has consumed if it is at another place now.
 */
static inline void ras_vcpu_moved(CPUState *cpu)
{
    if (unlikely(ras_errors_waiting)) {
        ras_vcpu_check_place(cpu);
    }
}

/*
 * Poison (hw/ras/poison.c): pages that fail every access, TCG only
 *
 * include/system/ras-poison.h is for those who access memory.
 */

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
    Stat64 accesses;            /* all failed accesses */
    uint64_t consumed;          /* those made by an instruction */
    QEMUBH *report_bh;          /* tells of the others */
    QEMUTimer *report_timer;    /* pending: too early to tell of more */
} RasPoison;

/*
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

/* ras_poison_find: the poisoned range that holds @addr, or NULL */
RasPoisonSlot *ras_poison_find(RasState *s, uint64_t addr);

/*
 * ras_poison_consumed: an instruction of @cpu is not to access @addr, or has
 * failed to
 *
 * Called by TCG with or without the BQL held.  Returns true if the page is
 * poisoned: then the error is reported, @cpu is parked, and the caller leaves
 * the CPU loop with the state of before the instruction.  Also returns true
 * if it is good memory: then it was poisoned before, and the instruction is
 * tried again.
 */
bool ras_poison_consumed(CPUState *cpu, hwaddr addr, vaddr vaddr,
                         MMUAccessType access_type);

/*
 * ras_ram_is_good: is all of [@addr, @addr + @len) RAM that can be read and
 * written and is not poisoned?  For addresses that the guest supplied.
 */
bool ras_ram_is_good(hwaddr addr, hwaddr len);

/*
 * ras_is_memory: is all of [@addr, @addr + @len) memory that the guest sees:
 * RAM, ROM, or a device's; good or not?
 */
bool ras_is_memory(uint64_t addr, uint64_t len);

/*
 * Memory of the host that failed under the guest (hw/ras/host-memory.c)
 */

#define RAS_HOST_MEMORY_MAX 1024

/*
 * ras_host_memory_failed: memory of the guest has failed on the host
 * @cpu: the vCPU that has run into it, on whose thread this is called; NULL
 *       if nobody has used it yet
 *
 * The machine has a RAS device.
 */
void ras_host_memory_failed(CPUState *cpu, const RasHostMemory *m);

/*
 * ras_host_memory_used: @cpu, on whose thread this is called, has run into
 * memory that has failed, but nobody can say where
 *
 * Returns false, and does nothing, if no memory is known to have failed.
 */
bool ras_host_memory_used(CPUState *cpu);

/*
 * ras_memory_discarded: the host has taken back this part of a RAM block; what
 * the guest finds there next is other memory
 *
 * On any thread.  Does nothing without the BQL.
 */
void ras_memory_discarded(RAMBlock *rb, uint64_t start, size_t length);

/*
 * Places of guest memory that are known to have failed, and signals about it
 * that nobody has looked at yet.  Changed by signal handlers, too.
 */
extern int ras_host_memory_unreadable;

/*
 * ras_host_memory_is_unreadable: may memory of the guest not be read?
 *
 * Asked on any thread of those that save the VM, before each page, as a thread
 * with SIGBUS blocked that reads what has failed ends QEMU.
 */
static inline bool ras_host_memory_is_unreadable(void)
{
    return unlikely(qatomic_read(&ras_host_memory_unreadable));
}

/* ras_host_memory_why_unreadable: set @errp to what to say of that */
void ras_host_memory_why_unreadable(Error **errp);

/* ras_host_memory_overlaps: has memory in [@addr, @addr + @len) failed? */
bool ras_host_memory_overlaps(RasState *s, uint64_t addr, uint64_t len);

/* So many passed, and so many did not, in a window of time. */
typedef struct RasRate {
    int64_t window_start_ms;
    unsigned int passed;
    unsigned int held_back;
} RasRate;

/* Work for the main loop, see ras_wakeup_init(). */
typedef struct RasWakeup {
    void (*work)(void *opaque);
    void *opaque;
    QEMUBH *bh;
    int fd;                     /* timerfd: bh, but later */
    bool is_due;                /* fd is running */
} RasWakeup;

typedef struct RasVcpu {
    bool seen_in_handler;       /* and its errors wait for the end of that: */
    int64_t seen_ns;            /* when it was seen there last */
    int64_t leave_left_ns;      /* guest time until they wait no longer */
    bool stays_in_handler;      /* it was waited for in vain */
    bool consumed;              /* it has had an error with a place: */
    bool place_known;
    vaddr place;                /* address of the instruction */
} RasVcpu;

struct RasState {
    DeviceState parent_obj;

    uint32_t reclaim_ms;        /* property reclaim-ms */

    RasQueue queue;
    RasVcpu *vcpu;
    RasPoison poison;
    bool lost;                  /* check-stopped: an error is held */
    bool tell_panic;            /* GUEST_PANICKED is still to be sent */
    RasReport lost_report;      /* the error that did it; delivery: why */
    bool fatal_told;            /* pseries: there was a log of a fatal error */

    QEMUTimer *ack_timer;
    int64_t ack_delay_ns;       /* from one look to the next */
    int64_t ack_since_ns;       /* the last one */
    int64_t ack_left_ns;        /* guest time until the record is withdrawn */
    QEMUTimer *remind_timer;
    int64_t remind_delay_ms;
    QEMUTimer *pace_timer;
    /* waits for its acknowledgement */
    bool record_out[RAS_RECORD_CHANNELS];
    int64_t notified_ns[RAS_RECORD_CHANNELS];
    RasWakeup ack_start;        /* starts ack_timer */
    RasWakeup events;           /* sends events */
    DeviceListener listener;    /* for unplugged vCPUs */
    QEMUTimer *bare_timer;      /* pending: too early for the next error */
    RasRate log_rate;
    int bare_vcpu;              /* has to run before its next error, or -1 */
    bool bare_vcpu_ran;         /* and was run since */
    QEMUTimer *handler_timer;   /* to look at handlers that are waited for */
    RasRate told_rate;
    uint64_t events_dropped;
    bool loaded;                /* and did not run since */

    RasHostMemory host_memory[RAS_HOST_MEMORY_MAX];
    unsigned int nr_host_memory;
    bool host_memory_full;      /* there is more than fits */
    bool host_memory_resetting; /* nobody is told of what is found now */
    Error *host_blocker;        /* of migration */
    unsigned int nr_host_blocked;   /* places that it speaks of */
    QEMUBH *block_bh;           /* blocks it, or no longer */
    QEMUTimer *block_timer;     /* until it can be blocked */
    bool block_waits;           /* for a migration to end; that was said */
};

#endif
