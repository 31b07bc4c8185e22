/*
 * Guest RAS: delivery of hardware errors to the guest
 *
 * For who learns of errors (a source), and for machines that hand them to
 * their guest.
 *
 * A source describes what has happened in a RasError, and calls ras_report().
 * The core (hw/ras) queues the error and chooses the channel:
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
 * memory, waits or fails; what people get to see is made by the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_H
#define HW_RAS_H

#include "exec/hwaddr.h"
#include "exec/mmu-access-type.h"
#include "hw/qdev-core.h"
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
    RasState *state;            /* the core's own; from realize on */
};

/* --- for a source --------------------------------------------------------- */

/* ras_get: the RAS device of the machine, or NULL if it has none */
RasDevice *ras_get(void);

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
     * @strict: it is all that its specification wants; if not, it is enough
     *          that there is a record, and that all of it is here
     *
     * Sets @severity to that of the record.  Returns false, with the reason in
     * @errp, if not.
     */
    bool (*check_record)(RasDevice *d, const uint8_t *record, size_t len,
                         bool strict, RasSeverity *severity, Error **errp);

    /*
     * build_arm_processor: the record for error number @id
     * @record: record_size() bytes
     *
     * Returns its length, or 0 with @errp set.
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
     * @ready: it has set up what a record needs
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
     * no records made by others
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
     * For POWER.  On @cpu's thread, the registers synchronized: SRR0, SRR1,
     * DSISR and DAR are those of the interrupt, NIP and MSR those of the
     * interrupted program.
     */
    void (*machine_check)(RasDevice *d, CPUState *cpu,
                          const struct PpcMachineCheck *mc);

    /*
     * discarded: a reset discards @error, of number @id; optional
     * reset: forget what the guest has set up; optional, called last
     *
     * On the main thread.
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
     * put_off: had an error that can be delivered later better be, because of
     * what @cpu does now?  Asked again after RAS_PUT_OFF_NS of guest time, so
     * the machine sees to it that this has an end.  Optional.
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
     * acknowledged: has the guest acknowledged the outstanding record?
     * NULL if the machine calls ras_acknowledge() by itself.
     */
    bool (*acknowledged)(RasDevice *d);

    /*
     * second_error: @error arrived on the vCPU that owns the outstanding
     * record, so nobody is left to acknowledge that one.  Returns true to
     * reclaim it, false if the guest is lost, with @why set to the reason: a
     * static string.  Not called for corrected errors, which park no vCPU, nor
     * for injected ones, which can wait.
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
     */
    void (*record_batch)(RasDevice *d, RasChannel channel,
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
 * be acknowledged (its owner is gone or the guest set up a new handler); the
 * next error follows
 */
void ras_release(RasDevice *d);

#endif
