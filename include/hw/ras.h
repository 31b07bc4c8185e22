/*
 * Guest RAS: delivery of hardware errors to the guest
 *
 * For those that learn of errors (reporters), and for machines that hand them
 * to their guest.
 *
 * A reporter describes what has happened in a RasError, the channel included,
 * and calls ras_report().  The core (hw/ras) queues the error and delivers it:
 *
 *   exception    A vCPU has consumed it.  The vCPU runs no further guest
 *                instruction, and its own thread delivers the error between
 *                two instructions: record() puts the bytes into guest memory,
 *                notify() raises the exception.  When the guest has
 *                acknowledged the record, or will not, the next error follows.
 *   interrupt,   No vCPU has.  record_batch() writes one record of several
 *   polled       errors, notify_batch() makes the guest look at it.
 *   SError       An Arm vCPU gets it at once, without a record.
 *
 * A machine implements a subclass of TYPE_RAS and creates it with ras_create().
 *
 * Threads and locks: everything here is called, and calls, with the BQL held,
 * but for what says otherwise.  From ras_report() to notify() nothing allocates
 * memory, waits or fails; events and log lines are made by the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_H
#define HW_RAS_H

#include "exec/hwaddr.h"
#include "exec/mmu-access-type.h"
#include "hw/core/qdev.h"
#include "hw/ras-compat.h"
#include "hw/ras-error.h"
#include "hw/ras-host-memory.h"
#include "qapi/qapi-types-ras.h"
#include "qemu/timer.h"
#include "qom/object.h"

#define TYPE_RAS "ras"
OBJECT_DECLARE_TYPE(RasDevice, RasDeviceClass, RAS)

typedef struct RasState RasState;
struct PpcMachineCheck;

struct RasDevice {
    DeviceState parent_obj;

    uint32_t reclaim_ms;        /* property reclaim-ms */
    bool move_failed_memory;    /* property move-failed-memory */
    RasState *state;            /* the core's own; from realize on */
};

/* --- for a reporter ------------------------------------------------------- */

/* ras_get: the RAS device of the machine, or NULL if it has none */
RasDevice *ras_get(void);

/*
 * ras_report: a hardware error happened
 *
 * @error: copied.  If ras_error_parks(@error) is true, its vCPU runs no further
 *         guest instruction before the error was delivered (or, for an injected
 *         error, before the one that it is busy with is acknowledged); a caller
 *         on that vCPU's thread leaves the accelerator's run loop next.
 *         Which of its members go together is in ras-error.h.
 *
 * On any thread, BQL held; for RAS_CHANNEL_SERROR on that of the vCPU, its
 * registers synchronized.
 *
 * Returns the number of the error, or 0 with @errp set if it was refused.
 * The bytes of @error->record, which g_free() must be able to free, belong to
 * the core from then on; if the error was refused, they are the caller's still.
 *
 * Refused means: nothing is queued and no vCPU is parked.  The guest learns of
 * the error only if the access is made again.  So what ras_error_comes_again()
 * needs no more than that the instruction is not completed: the vCPU executes
 * it again.  Of all else, the caller says that it was refused, by ras_log() or
 * as the error of a command.
 *
 * For a new origin: add it at the end of RasOrigin (the migration stream has
 * its number), allow it in ras_error_check() on the channels that it uses, and
 * decide about ras_error_comes_again().
 */
uint64_t ras_report(const RasError *error, Error **errp);

/*
 * ras_serror_taken: @cpu has taken its SError, or deferred it
 *
 * On @cpu's thread.  What is not an SError of guest RAS is left alone.
 */
void ras_serror_taken(CPUState *cpu);

/*
 * ras_host_memory_failed: memory of the guest has failed on the host
 * @cpu: the vCPU that has run into it, on whose thread this is called; NULL
 *       if nobody has used it yet
 * @access: by which access; NULL if that is to be found out
 *
 * The machine has a RAS device.
 */
void ras_host_memory_failed(CPUState *cpu, const RasHostMemory *m,
                            const RasStorageAccess *access);

/*
 * ras_host_memory_used: @cpu, on whose thread this is called, has run into
 * memory that has failed, but nobody can say where
 *
 * Returns false, and does nothing, if no memory is known to have failed.
 */
bool ras_host_memory_used(CPUState *cpu);

/* ras_host_memory_overlaps: has memory in [@addr, @addr + @len) failed? */
bool ras_host_memory_overlaps(RasDevice *d, uint64_t addr, uint64_t len);

/*
 * For who moves failed memory with the VM (migration/ras-holes.c)
 *
 * ras_host_memory_find: look for some in [@start, @start + @len), as
 * ram_addr_t: the first byte, in @from, and the first good one behind it, in
 * @to.  On any thread, without a lock.
 */
bool ras_host_memory_find(uint64_t start, uint64_t len, uint64_t *from,
                          uint64_t *to);

/*
 * ras_host_memory_told: does the guest know of what has failed at @start?  The
 * same is true until @end, which is made less.  With the BQL held.
 */
bool ras_host_memory_told(RasDevice *d, uint64_t start, uint64_t *end);

#define RAS_HOST_MEMORY_MAX 1024

/* [@offset, @offset + @len) of @rb has failed on another host. */
typedef struct RasMovedMemory {
    RAMBlock *rb;
    uint64_t offset, len;
    bool told;                  /* the guest knows */
} RasMovedMemory;

/*
 * ras_host_memory_add_moved: @n of them fail here as well, in whole pages of
 *                            this host
 *
 * Returns false if there is no room for all of them.
 */
bool ras_host_memory_add_moved(RasDevice *d, const RasMovedMemory *moved,
                               unsigned int n);

/* ras_host_memory_tell: tell the guest, which runs, what it does not know */
void ras_host_memory_tell(RasDevice *d);

/*
 * Set by who wants to know
 *
 * ras_host_memory_renew: that failed memory is about to be replaced by good
 * memory, by a reset, or because the guest has given it back
 * ras_host_memory_replaced: that a reset has put good memory there
 * ras_host_memory_discarded: that the guest has given memory back
 */
extern void (*ras_host_memory_renew)(RAMBlock *rb, uint64_t offset,
                                     uint64_t len);
extern void (*ras_host_memory_replaced)(RAMBlock *rb, uint64_t offset,
                                        uint64_t len);
extern void (*ras_host_memory_discarded)(RAMBlock *rb, uint64_t offset,
                                         uint64_t len);

/*
 * What has failed on another host is not mapped here, so that a look at it
 * fails with EFAULT, and not with EHWPOISON.  Set once, before the VM runs.
 */
extern bool ras_host_memory_unmapped;

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
 * ras_log: a warning in QEMU's log, if there is room for one more line
 *
 * Never in the output of the monitor command that happens to be carried out.
 */
void G_GNUC_PRINTF(2, 3) ras_log(RasDevice *d, const char *fmt, ...);

/* ras_access_kind: the kind of an access of TCG */
RasAccess ras_access_kind(MMUAccessType access_type);

/* --- for a machine -------------------------------------------------------- */

/* What record() did. */
typedef enum RasRecordResult {
    /* a record is in guest memory; notify, then wait for acknowledgement */
    RAS_RECORD_WRITTEN,
    /* the guest has not set up what a record needs; notify without one */
    RAS_RECORD_NONE,
    /* the guest cannot have one, and must not run on: its vCPU stays parked */
    RAS_RECORD_CHECKSTOP,
} RasRecordResult;

/*
 * Methods for errors that ras-inject makes: optional, and so is each of them.
 */
typedef struct RasInjectMethods {
    /*
     * check_record: may this record, made by others, be given to the guest?
     * @strict: check full conformance; otherwise only that the record is
     *          non-empty and complete
     *
     * Sets @severity to that of the record.  Returns false, with the reason in
     * @errp, if not.  A machine has this and RasDeviceClass::record_size, or
     * neither.
     */
    bool (*check_record)(RasDevice *d, const uint8_t *record, size_t len,
                         bool strict, RasSeverity *severity, Error **errp);

    /*
     * build_arm_processor: the record for error number @id
     * @record: record_size() bytes
     *
     * Returns its length, or 0 with @errp set.  Needs record_size(), and
     * check_record(), which the record goes through.
     */
    size_t (*build_arm_processor)(RasDevice *d, uint64_t id,
                                  const RasInjectArmProcessor *arg,
                                  uint8_t *record, Error **errp);

    /*
     * fill_machine_check: the error that @arg describes, as @cpu would have it
     * @error: written whole, but for vcpu and origin
     *
     * Returns false, with the reason in @errp, if @cpu has no such error.
     */
    bool (*fill_machine_check)(RasDevice *d, CPUState *cpu,
                               const RasInjectMachineCheck *arg,
                               RasError *error, Error **errp);

    /*
     * build_serror: the SError that @arg describes, into @error: its severity
     * and its syndrome
     *
     * On @cpu's thread, its registers synchronized.  Returns false, with the
     * reason in @errp, if @cpu cannot take it now.  A machine with this method
     * has the two that follow.
     */
    bool (*build_serror)(RasDevice *d, CPUState *cpu,
                         const RasInjectSerror *arg, RasError *error,
                         Error **errp);

    /*
     * raise_serror: give @cpu the SError @error; same context as build_serror
     *
     * Returns how the guest is notified, in words: a static string.
     */
    const char *(*raise_serror)(RasDevice *d, const RasError *error,
                                CPUState *cpu);

    /*
     * serror_pending: has @cpu an SError that it has not taken yet?
     * @info: its syndrome, if it has one; may be NULL
     *
     * The registers of @cpu are synchronized.
     */
    bool (*serror_pending)(RasDevice *d, CPUState *cpu, RasSerrorInfo *info);
} RasInjectMethods;

#define RAS_PUT_OFF_NS (2 * SCALE_MS)

/*
 * What a machine does to have guest RAS:
 *
 * - "select RAS" in the Kconfig of the machine;
 * - a subclass of TYPE_RAS, with these methods.  Mandatory: channel_name,
 *   check, ready, vcpu_online, record_pages, record, notify, second_error.
 *   With an interrupt or polled channel: record_batch and notify_batch, too.
 *   All others may be NULL;
 * - ras_create() in the init function of the machine;
 * - if the subclass has something to migrate: DeviceClass::vmsd, with a
 *   .needed that asks ras_has_errors(), so that the stream of a VM without
 *   errors stays as it is.
 */
struct RasDeviceClass {
    DeviceClass parent_class;

    /* The machine */

    /*
     * channel_name: the error source behind @channel, in the words of its
     * specification; NULL if this machine has no such channel
     */
    const char *(*channel_name)(RasDevice *d, RasChannel channel);

    /*
     * check: can this machine notify its guest of @error at all?
     * @ready: whether to assume that the guest has set up what a record needs.
     *         true for what is reported or loaded, as the guest may do so
     *         before the delivery; what ready() says for what is injected
     *
     * If not, return false and say in @errp why and what could be done.
     */
    bool (*check)(RasDevice *d, const RasError *error, bool ready,
                  Error **errp);

    /* ready: has the guest set up what a record needs? */
    bool (*ready)(RasDevice *d);

    /* vcpu_online: does @cpu execute instructions, or wait for interrupts? */
    bool (*vcpu_online)(RasDevice *d, CPUState *cpu);

    /* record_pages: pages of memory that a record can name; a power of two */
    unsigned int (*record_pages)(RasDevice *d);

    /*
     * record_size: bytes that a record can have; NULL if this machine takes
     * no records made by others.  Otherwise there is check_record(), too.
     */
    size_t (*record_size)(RasDevice *d);

    /*
     * accesses: what the instruction that @cpu is at accesses, as far as that
     * can be found out; on @cpu's thread; optional
     *
     * Returns the number of @access that are set.
     */
    unsigned int (*accesses)(RasDevice *d, CPUState *cpu,
                             RasStorageAccess access[RAS_ACCESSES_MAX]);

    /*
     * machine_check: KVM has handed over a machine check of @cpu: report it
     *
     * For POWER machines under KVM; NULL for all others.  On @cpu's thread, the
     * registers synchronized: SRR0, SRR1, DSISR and DAR are those of the
     * interrupt, NIP and MSR those of the interrupted program.
     */
    void (*machine_check)(RasDevice *d, CPUState *cpu,
                          const struct PpcMachineCheck *mc);

    /*
     * discarded: a reset discards @error, of number @id; optional
     * reset: forget what the guest has set up; optional, called last
     *
     * On the main thread, in the hold phase of a reset: other devices may have
     * been through theirs or not, and images are not in RAM yet.
     */
    void (*discarded)(RasDevice *d, const RasError *error, uint64_t id);
    void (*reset)(RasDevice *d);

    /*
     * The exception channel
     *
     * On the thread of @cpu, which is between two instructions, its registers
     * synchronized; but for those without a @cpu, which are called anywhere.
     */

    /*
     * put_off: should a deferrable error wait, given what @cpu is doing?  For
     * instance because @cpu is in a handler whose SRR0 and SRR1 a machine check
     * would overwrite.  Asked again after RAS_PUT_OFF_NS of guest time, so the
     * machine sees to it that this has an end.  Optional.
     */
    bool (*put_off)(RasDevice *d, CPUState *cpu);

    /*
     * record: write the record of @part, a whole error, into guest memory
     *
     * With RAS_RECORD_CHECKSTOP, @why is set to the reason: a static string.
     */
    RasRecordResult (*record)(RasDevice *d, RasRecordPart *part, CPUState *cpu,
                              const char **why);

    /*
     * notify: raise the exception for @error in @cpu
     * @recorded: false if record() returned RAS_RECORD_NONE
     *
     * Returns how the guest is notified, in words: a static string.
     */
    const char *(*notify)(RasDevice *d, const RasError *error, CPUState *cpu,
                          bool recorded);

    /*
     * acknowledged: has the guest acknowledged the outstanding record of
     * @channel?  For all channels with records, on any thread.
     * NULL if the machine calls ras_acknowledge() by itself.
     */
    bool (*acknowledged)(RasDevice *d, RasChannel channel);

    /*
     * second_error: @error arrived on the vCPU that owns the outstanding
     * record, so nobody is left to acknowledge that one.  Returns true to
     * reclaim it; false for a check-stop, with @why set to the reason: a static
     * string.  Not called for corrected errors, which park no vCPU, nor for
     * injected ones, which can wait.
     */
    bool (*second_error)(RasDevice *d, const RasError *error,
                         const char **why);

    /* reclaim: withdraw the outstanding record from guest memory; optional */
    void (*reclaim)(RasDevice *d);

    /*
     * The other channels with records; NULL if the machine has none of them.
     * On any thread.
     */

    /*
     * record_batch: write one record of the @n errors into guest memory
     *
     * Sets RasRecordPart::len of each.  Only an error that is alone in its
     * batch may be covered in part; the rest follows after the acknowledgement.
     *
     * Returns the number of errors, the first ones of @batch, that the record
     * is of: those that there was room for; 0 if the guest has not set up what
     * it needs, and nothing was written.
     */
    unsigned int (*record_batch)(RasDevice *d, RasChannel channel,
                                 RasRecordPart *batch, unsigned int n);

    /*
     * notify_batch: make the guest look at the record of @channel; may be
     * called again for the same record
     *
     * Returns how the guest is notified, in words: a static string.
     */
    const char *(*notify_batch)(RasDevice *d, RasChannel channel);

    /* Injection; NULL if there are no such methods */
    const RasInjectMethods *inject;
};

/*
 * ras_create: create, as /machine/guest-ras, the RAS device of the machine
 * @type: subclass of TYPE_RAS
 *
 * In the init function of the machine, once: its reset has to come before that
 * of ROMs and other images, which are registered after that function.  Why is
 * at ras_reset_hold() in hw/ras/device.c.
 */
RasDevice *ras_create(const char *type);

/* ras_has_errors: are there errors, or poison, that would move with the VM? */
bool ras_has_errors(RasDevice *d);

/* ras_has_channel: has this machine such an error source? */
bool ras_has_channel(RasDevice *d, RasChannel channel);

/*
 * ras_acknowledge: the guest is done with the outstanding record of @channel
 *
 * Does nothing if there is none.
 */
void ras_acknowledge(RasDevice *d, RasChannel channel);

/*
 * ras_release: the outstanding record of the exception channel can no longer
 * be acknowledged, because the guest has registered a new handler, which knows
 * nothing of it (ibm,nmi-register); the record is reclaimed without reclaim(),
 * and the next error follows
 */
void ras_release(RasDevice *d);

#endif
