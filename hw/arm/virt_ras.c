/*
 * Guest RAS of the Arm virt machine
 *
 * Delivers errors in the layout that QEMU 10.0 gives its guests with ras=on:
 * one GHESv2 source with SEA notification.  A CPER memory error goes into the
 * status block, then the vCPU takes a synchronous external abort.  The guest
 * acknowledges by a write to RAM, so the core polls for it.
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
#include "target/arm/ras.h"

#define TYPE_VIRT_RAS "virt-ras"
OBJECT_DECLARE_SIMPLE_TYPE(VirtRasState, VIRT_RAS)

struct VirtRasState {
    RasState parent_obj;

    GhesSource source;          /* where the outstanding record is */
};

/* Known only once the firmware has run; NULL on a machine without ACPI. */
static AcpiGhesState *virt_ghes(void)
{
    VirtMachineState *vms = VIRT_MACHINE(qdev_get_machine());

    return vms->acpi_dev ? &ACPI_GED(vms->acpi_dev)->ghes_state : NULL;
}

static bool virt_ras_ready(RasState *s)
{
    GhesSource source;

    return ghes_find(virt_ghes(), &source);
}

static bool virt_ras_check(RasState *s, const RasError *error, Error **errp)
{
    uint64_t pages = error->len / error->granule;
    unsigned int max =
        cper_block_max_memory_entries(GHES_ERROR_STATUS_BLOCK_LENGTH);

    if (!error->synchronous) {
        error_setg(errp, "Mode 'report' needs an asynchronous error source, "
                   "which this machine's tables do not have; use mode "
                   "'poison' or 'consume'");
        return false;
    }
    if (error->severity == RAS_SEVERITY_CORRECTED) {
        error_setg(errp, "A corrected error is reported asynchronously, for "
                   "which this machine's tables have no source; use severity "
                   "'recoverable' or 'fatal'");
        return false;
    }
    if (error->severity == RAS_SEVERITY_FATAL && !virt_ras_ready(s)) {
        error_setg(errp, "The guest cannot be told of a fatal error: its "
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

static bool virt_ras_vcpu_online(RasState *s, CPUState *cpu)
{
    return ARM_CPU(cpu)->power_state == PSCI_ON;
}

/*
 * A Linux guest drops a record that is equal, byte for byte, to one of the
 * last ten seconds: the number of the error makes each one different.
 */
static void fill_entry(CperEntry *entry, const RasEntry *e)
{
    *entry = (CperEntry) {
        .severity = e->error.severity == RAS_SEVERITY_FATAL ?
                    CPER_SEVERITY_FATAL : CPER_SEVERITY_RECOVERABLE,
        .flags = CPER_ENTRY_PRIMARY,
        .has_fru_text = true,
    };
    snprintf(entry->fru_text, sizeof(entry->fru_text), "RAM #%" PRIu64, e->id);
}

static size_t build_block(uint8_t *buf, size_t size, const RasEntry *e)
{
    const RasError *error = &e->error;
    CperMemoryError memory = {
        .validation_bits = CPER_MEMORY_VALID_ERROR_STATUS |
                           CPER_MEMORY_VALID_PHYSICAL_ADDRESS |
                           CPER_MEMORY_VALID_PHYSICAL_ADDRESS_MASK |
                           CPER_MEMORY_VALID_MEMORY_ERROR_TYPE,
        .error_status = CPER_STATUS_TYPE_DRAM << CPER_STATUS_TYPE_SHIFT |
                        CPER_STATUS_DATA,
        .physical_address_mask = -error->granule,
        .memory_error_type = CPER_MEMORY_MULTI_BIT_ECC,
    };
    CperEntry entry;
    CperBlock block;

    fill_entry(&entry, e);
    cper_block_init(&block, buf, size);
    memory.physical_address = error->addr;
    for (uint64_t done = 0; done < error->len; done += error->granule) {
        if (!cper_block_add_memory(&block, &entry, &memory)) {
            break;
        }
        entry.flags = 0;
        memory.physical_address = (error->addr & -error->granule) + done +
                                  error->granule;
    }
    return cper_block_finish(&block);
}

static RasRecordResult virt_ras_record(RasState *s, const RasEntry *e,
                                       CPUState *cpu, const char **why)
{
    VirtRasState *vrs = VIRT_RAS(s);
    uint8_t block[GHES_ERROR_STATUS_BLOCK_LENGTH];

    if (arm_ras_handler_failed(cpu, &e->error)) {
        *why = "the handler of external aborts cannot be fetched";
        return RAS_RECORD_CHECKSTOP;
    }
    if (!ghes_find(virt_ghes(), &vrs->source)) {
        *why = "fatal, and there is no error status block to say so";
        return e->error.severity == RAS_SEVERITY_FATAL ?
               RAS_RECORD_CHECKSTOP : RAS_RECORD_NONE;
    }
    ghes_write(&vrs->source, block, build_block(block, sizeof(block), e));
    return RAS_RECORD_WRITTEN;
}

static const char *virt_ras_notify(RasState *s, const RasEntry *e,
                                   CPUState *cpu, bool recorded)
{
    arm_ras_take_sea(cpu, &e->error);
    return recorded ?
           "synchronous external abort with a CPER record" :
           "synchronous external abort without a record, because the guest's "
           "firmware has not set up the error status block";
}

static bool virt_ras_acknowledged(RasState *s)
{
    return ghes_read_ack(&VIRT_RAS(s)->source);
}

/*
 * A guest that takes an abort in its kernel may never look at the record
 * (Linux does not).  The next abort of the same vCPU shows that it went on.
 */
static bool virt_ras_second_error(RasState *s, const RasEntry *e,
                                  const char **why)
{
    return true;
}

static void virt_ras_reclaim(RasState *s)
{
    GhesSource source;

    /* only if it is still where the record went */
    if (ghes_find(virt_ghes(), &source) &&
        source.error_status_block == VIRT_RAS(s)->source.error_status_block) {
        ghes_withdraw(&source);
    }
}

/* The firmware will place the block again; until then its RAM is anybody's. */
static void virt_ras_reset(RasState *s)
{
    AcpiGhesState *ags = virt_ghes();

    if (ags) {
        ags->hw_error_le = 0;
    }
}

static void virt_ras_class_init(ObjectClass *oc, void *data)
{
    RasDeviceClass *rc = RAS_CLASS(oc);

    rc->source_name = "GHESv2 source 0, SEA";
    rc->check = virt_ras_check;
    rc->ready = virt_ras_ready;
    rc->vcpu_online = virt_ras_vcpu_online;
    rc->record = virt_ras_record;
    rc->notify = virt_ras_notify;
    rc->acknowledged = virt_ras_acknowledged;
    rc->second_error = virt_ras_second_error;
    rc->reclaim = virt_ras_reclaim;
    rc->reset = virt_ras_reset;
}

/* Without firmware nobody puts the tables where the guest finds them. */
void virt_ras_create(VirtMachineState *vms)
{
    if (!vms->ras) {
        return;
    }
    if (virt_is_acpi_enabled(vms) && !vms->acpi_dev) {
        error_report("'ras=on' needs ACPI tables: UEFI firmware, a 64-bit "
                     "CPU and machine version 4.2 or later");
        error_printf("Add '-bios' with an AArch64 UEFI image, or use "
                     "'acpi=off' to go without error records.\n");
        exit(1);
    }
    ras_create(TYPE_VIRT_RAS);
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
