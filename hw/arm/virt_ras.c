/*
 * Guest RAS of the Arm virt machine
 *
 * Delivers errors in the layouts that QEMU gives its guests with ras=on: one
 * GHESv2 source with SEA notification and, since machine types of QEMU 10.2,
 * one with an interrupt (GED).  A CPER record goes into the status block, then
 * the vCPU takes a synchronous external abort, or the guest an interrupt.  The
 * guest acknowledges by a write to RAM, so the core polls for it.
 *
 * With ras-ghes=on, virt_ras_ghes.c does it in another way.
 *
 * ACPI 6.5 18.3.2.8, 18.3.2.9; UEFI 2.10 N.2.5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "cpu.h"
#include "hw/acpi/apei/cper.h"
#include "hw/acpi/apei/ghes.h"
#include "hw/acpi/generic_event_device.h"
#include "hw/arm/virt_ras.h"
#include "hw/ras.h"
#include "hw/ras-compat.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "target/arm/ras.h"
#include "virt_ras_internal.h"

/* Known only once the firmware has run; NULL on a machine without ACPI. */
static AcpiGhesState *virt_ghes(void)
{
    VirtMachineState *vms = VIRT_MACHINE(qdev_get_machine());

    return vms->acpi_dev ? &ACPI_GED(vms->acpi_dev)->ghes_state : NULL;
}

/* The sources have the numbers of the channels of the core. */
QEMU_BUILD_BUG_ON((int)GHES_SOURCE_SEA != RAS_CHANNEL_EXCEPTION);
QEMU_BUILD_BUG_ON((int)GHES_SOURCE_GED != RAS_CHANNEL_INTERRUPT);

static bool find_source(RasChannel channel, GhesSource *source)
{
    return ghes_find(virt_ghes(), (GhesSourceId)channel, source);
}

static bool virt_ras_ready(RasDevice *d)
{
    GhesSource source;

    return find_source(RAS_CHANNEL_EXCEPTION, &source);
}

static const char *virt_ras_channel_name(RasDevice *d, RasChannel channel)
{
    switch (channel) {
    case RAS_CHANNEL_EXCEPTION:
        return "GHESv2 source 0, SEA";
    case RAS_CHANNEL_INTERRUPT:
        return ghes_has_ged(virt_ghes()) ? "GHESv2 source 1, GED" : NULL;
    default:
        return NULL;
    }
}

static unsigned int virt_ras_record_pages(RasDevice *d)
{
    return pow2floor(cper_block_max_memory_entries(
                     GHES_ERROR_STATUS_BLOCK_LENGTH));
}

static size_t virt_ras_record_size(RasDevice *d)
{
    return GHES_ERROR_STATUS_BLOCK_LENGTH;
}

/* For an error that no vCPU has consumed. */
static bool check_async(RasDevice *d, const RasError *error, Error **errp)
{
    if (!ras_has_channel(d, error->channel)) {
        error_setg(errp, error->channel == RAS_CHANNEL_POLLED &&
                   ras_has_channel(d, RAS_CHANNEL_INTERRUPT) ?
                   "This machine's tables have no error source that the guest "
                   "polls; start it with ras-ghes=on, or leave 'polled' out" :
                   "The guest can only be notified of errors that a vCPU "
                   "takes, because this machine's tables have no asynchronous "
                   "error source; start it with ras-ghes=on, or have a vCPU "
                   "take the error (for memory: mode 'poison' or 'consume')");
        return false;
    }
    return true;
}

static bool virt_ras_check(RasDevice *d, const RasError *error, bool ready,
                           Error **errp)
{
    uint64_t pages = error->len / RAS_PAGE_SIZE;
    unsigned int max = MIN(ras_batch_limit(error),
        cper_block_max_memory_entries(RAS_GET_CLASS(d)->record_size(d)));

    if (error->channel != RAS_CHANNEL_EXCEPTION) {
        return check_async(d, error, errp);
    }
    if (error->severity == RAS_SEVERITY_CORRECTED) {
        error_setg(errp, "A corrected error is no abort of a vCPU; have it "
                   "reported without one (for memory: mode 'report'), or use "
                   "severity 'recoverable' or 'fatal'");
        return false;
    }
    if (error->severity == RAS_SEVERITY_FATAL && !ready) {
        error_setg(errp, "The guest cannot be notified of a fatal error: its "
                   "firmware has not set up the error status block; wait "
                   "until it has booted, or use severity 'recoverable'");
        return false;
    }
    if (pages > max) {
        error_setg(errp, "%" PRIu64 " pages do not fit into one record; "
                   "its maximum is %u", pages, max);
        return false;
    }
    return true;
}

/*
 * If what has failed is where the vCPU's next instruction is, take it for the
 * fetch of that.  If the guest's page tables are what has failed, the access
 * stays unknown.
 */
static unsigned int virt_ras_accesses(RasDevice *d, CPUState *cpu,
                                      RasStorageAccess access[RAS_ACCESSES_MAX])
{
    cpu_synchronize_state(cpu);
    return arm_ras_accesses(cpu, access);
}

static bool virt_ras_vcpu_online(RasDevice *d, CPUState *cpu)
{
    return ARM_CPU(cpu)->power_state == PSCI_ON;
}

static RasRecordResult virt_ras_record(RasDevice *d, RasRecordPart *part,
                                       CPUState *cpu, const char **why)
{
    const RasError *error = part->error;
    VirtRasState *vrs = VIRT_RAS(d);
    uint8_t block[GHES_ERROR_STATUS_BLOCK_LENGTH];

    if (arm_ras_handler_failed(cpu, error)) {
        *why = "the handler of external aborts cannot be fetched";
        return RAS_RECORD_CHECKSTOP;
    }
    if (!error->has_addr && !error->record) {
        /* from a record that names no memory, Linux 6.1 just goes on */
        return RAS_RECORD_NONE;
    }
    if (!find_source(RAS_CHANNEL_EXCEPTION,
                     &vrs->source[RAS_CHANNEL_EXCEPTION])) {
        *why = "fatal, and there is no error status block to say so";
        return error->severity == RAS_SEVERITY_FATAL ?
               RAS_RECORD_CHECKSTOP : RAS_RECORD_NONE;
    }
    ghes_write(&vrs->source[RAS_CHANNEL_EXCEPTION], block,
               virt_ras_build_block(block, sizeof(block), part, 1));
    return RAS_RECORD_WRITTEN;
}

static unsigned int virt_ras_record_batch(RasDevice *d, RasChannel channel,
                                          RasRecordPart *batch, unsigned int n)
{
    GhesSource *source = &VIRT_RAS(d)->source[channel];
    uint8_t block[GHES_ERROR_STATUS_BLOCK_LENGTH];

    if (!find_source(channel, source)) {
        return 0;
    }
    n = MIN(n, cper_block_max_memory_entries(sizeof(block)));
    ghes_write(source, block,
               virt_ras_build_block(block, sizeof(block), batch, n));
    return n;
}

static const char *virt_ras_notify_batch(RasDevice *d, RasChannel channel)
{
    VirtMachineState *vms = VIRT_MACHINE(qdev_get_machine());

    acpi_send_event(vms->acpi_dev, ACPI_GENERIC_ERROR);
    return "interrupt with a CPER record";
}

static const char *virt_ras_notify(RasDevice *d, const RasError *error,
                                   CPUState *cpu, bool recorded)
{
    arm_ras_take_sea(cpu, error);
    return recorded ?
           "synchronous external abort with a CPER record" :
           !error->has_addr && !error->record ?
           "synchronous external abort without a record, because the address "
           "is not known" :
           "synchronous external abort without a record, because the guest's "
           "firmware has not set up the error status block";
}

static bool virt_ras_acknowledged(RasDevice *d, RasChannel channel)
{
    GhesSource *source = &VIRT_RAS(d)->source[channel];

    /* not known if the VM was moved here with an outstanding record */
    if (!source->error_status_block && !find_source(channel, source)) {
        return false;
    }
    return ghes_read_ack(source);
}

/*
 * A guest that takes an abort in its kernel may never look at the record
 * (Linux does not).  The next abort of the same vCPU shows that it went on.
 */
static bool virt_ras_second_error(RasDevice *d, const RasError *error,
                                  const char **why)
{
    return true;
}

static void virt_ras_reclaim(RasDevice *d)
{
    VirtRasState *vrs = VIRT_RAS(d);
    GhesSource source;

    /* only if it is still where the record went */
    if (find_source(RAS_CHANNEL_EXCEPTION, &source) &&
        source.error_status_block ==
        vrs->source[RAS_CHANNEL_EXCEPTION].error_status_block) {
        ghes_withdraw(&source);
    }
}

/* The firmware will place the block again; until then its RAM is anybody's. */
static void virt_ras_reset(RasDevice *d)
{
    AcpiGhesState *ags = virt_ghes();

    if (ags) {
        ghes_forget(ags);
    }
    memset(VIRT_RAS(d)->source, 0, sizeof(VIRT_RAS(d)->source));
}

static const RasInjectMethods virt_ras_inject = {
    .check_record = virt_ras_check_record,
    .build_arm_processor = virt_ras_build_arm_processor,
    .build_serror = virt_ras_build_serror,
    .raise_serror = virt_ras_raise_serror,
    .serror_pending = virt_ras_serror_pending,
};

static void virt_ras_class_init(ObjectClass *oc, RAS_CLASS_DATA *data)
{
    RasDeviceClass *rc = RAS_CLASS(oc);

    rc->channel_name = virt_ras_channel_name;
    rc->record_pages = virt_ras_record_pages;
    rc->record_size = virt_ras_record_size;
    rc->accesses = virt_ras_accesses;
    rc->check = virt_ras_check;
    rc->ready = virt_ras_ready;
    rc->vcpu_online = virt_ras_vcpu_online;
    rc->record = virt_ras_record;
    rc->notify = virt_ras_notify;
    rc->record_batch = virt_ras_record_batch;
    rc->notify_batch = virt_ras_notify_batch;
    rc->acknowledged = virt_ras_acknowledged;
    rc->second_error = virt_ras_second_error;
    rc->reclaim = virt_ras_reclaim;
    rc->reset = virt_ras_reset;
    rc->inject = &virt_ras_inject;
}

/*
 * Without firmware nobody puts the tables where the guest finds them.  Say what
 * of all that they need is missing.
 */
static void exit_without_acpi(VirtMachineState *vms, bool aarch64,
                              bool firmware_loaded)
{
    g_autofree char *cpu = cpu_model_from_type(MACHINE(vms)->cpu_type);

    error_report("'ras=on' needs ACPI tables: UEFI firmware, a 64-bit CPU and "
                 "machine version 4.2 or later");
    if (ras_virt_has_no_ged(vms)) {
        error_printf("This machine's version is '%s'.\n",
                     MACHINE_GET_CLASS(vms)->name);
    }
    if (!aarch64) {
        error_printf("The CPU is a 32-bit one, '%s'; use a 64-bit one, '-cpu "
                     "max' for example.\n", cpu);
    }
    if (!firmware_loaded) {
        error_printf("There is no firmware; add '-bios' with an AArch64 UEFI "
                     "image.\n");
    }
    error_printf("Or use 'acpi=off' to go without error records.\n");
    exit(1);
}

void virt_ras_create(VirtMachineState *vms, bool aarch64, bool firmware_loaded)
{
    if (vms->ras_ghes && (!vms->ras || !virt_is_acpi_enabled(vms))) {
        error_report("'ras-ghes=on' needs '%s'", vms->ras ? "acpi=on" :
                                                            "ras=on");
        exit(1);
    }
    if (!vms->ras) {
        return;
    }
    if (virt_is_acpi_enabled(vms) && !vms->acpi_dev) {
        exit_without_acpi(vms, aarch64, firmware_loaded);
    }
    if (vms->ras_ghes) {
        virt_ras_ghes_create(vms);
    } else {
        ras_create(TYPE_VIRT_RAS);
    }
    if (kvm_enabled()) {
        arm_ras_kvm_init();
    }
}

static bool get_ras_ghes(Object *obj, Error **errp)
{
    return VIRT_MACHINE(obj)->ras_ghes;
}

static void set_ras_ghes(Object *obj, bool value, Error **errp)
{
    if (phase_check(PHASE_MACHINE_INITIALIZED)) {
        error_setg(errp, "Property 'ras-ghes' can be set only before the "
                   "machine has been created");
        return;
    }
    VIRT_MACHINE(obj)->ras_ghes = value;
}

void virt_ras_machine_class_init(ObjectClass *oc)
{
    object_class_property_add_bool(oc, "ras-ghes", get_ras_ghes, set_ras_ghes);
    object_class_property_set_description(oc, "ras-ghes",
                                          "With ras=on, report hardware "
                                          "errors by a device with "
                                          "asynchronous error sources and "
                                          "boot error records (default: off)");
}

static const TypeInfo virt_ras_types[] = {
    {
        .name = TYPE_VIRT_RAS,
        .parent = TYPE_RAS,
        .instance_size = sizeof(VirtRasState),
        .class_init = virt_ras_class_init,
    },
};

DEFINE_TYPES(virt_ras_types)
