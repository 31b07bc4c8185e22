/*
 * Guest RAS of the Arm virt machine: the full layout (ras-ghes=on)
 *
 * Error sources at constant addresses, in a device of their own: synchronous
 * aborts as in virt_ras.c, and errors that no vCPU has consumed by interrupt
 * or by polling.  The guest's acknowledgement is a write to a register.  What
 * a reset cuts off is told by the boot error record table.
 *
 * ACPI 6.5 18.3.1 (BERT), 18.3.2 (HEST).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "hw/acpi/ras_ghes.h"
#include "hw/arm/virt_ras.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "target/arm/ras.h"
#include "virt_ras_internal.h"

/* In a gap of the machine's memory map and of its SPIs. */
#define WINDOW_BASE 0x0b000000
#define WINDOW_SPI  15

/* GIC: the INTID of SPI 0, which ACPI calls GSIV */
#define FIRST_SPI 32

/* The sources of the device are the channels of the core. */
QEMU_BUILD_BUG_ON((int)RAS_GHES_SEA != RAS_CHANNEL_EXCEPTION);
QEMU_BUILD_BUG_ON((int)RAS_GHES_GED != RAS_CHANNEL_INTERRUPT);
QEMU_BUILD_BUG_ON((int)RAS_GHES_POLLED != RAS_CHANNEL_POLLED);
QEMU_BUILD_BUG_ON((int)RAS_GHES_SOURCES != RAS_RECORD_CHANNELS);

OBJECT_DECLARE_SIMPLE_TYPE(VirtRasGhesState, VIRT_RAS_GHES)

struct VirtRasGhesState {
    VirtRasState parent_obj;

    RasGhesState *ghes;
    bool bert_is_new;           /* holds something of the reset in progress */
    bool was_fatal;
    RasEntry fatal;             /* the last fatal one the guest was told of */
    uint8_t fatal_record[RAS_GHES_BERT_BLOCK_LENGTH - 1];
};

static const char *channel_name(RasState *s, RasChannel channel)
{
    static const char *const name[] = {
        [RAS_CHANNEL_EXCEPTION] = "GHESv2 source 0, SEA",
        [RAS_CHANNEL_INTERRUPT] = "GHESv2 source 1, GED",
        [RAS_CHANNEL_POLLED] = "GHESv2 source 2, polled",
    };

    return name[channel];
}

static unsigned int record_pages(RasState *s)
{
    return RAS_BATCH_PAGES;
}

static size_t record_size(RasState *s)
{
    return RAS_GHES_BLOCK_LENGTH;
}

static bool ready(RasState *s)
{
    return true;
}

/* A fatal error may end the guest before it has told anybody. */
static void remember_fatal(VirtRasGhesState *vrs, const RasEntry *e)
{
    if (e->error.severity != RAS_SEVERITY_FATAL ||
        e->error.record_len > sizeof(vrs->fatal_record)) {
        return;
    }
    vrs->was_fatal = true;
    vrs->fatal = *e;
    if (e->error.record) {
        /* the other one ends with the error */
        memcpy(vrs->fatal_record, e->error.record, e->error.record_len);
        vrs->fatal.error.record = vrs->fatal_record;
    }
}

static void write_record(RasState *s, RasChannel channel,
                         RasEntry *const *batch, unsigned int n)
{
    VirtRasGhesState *vrs = VIRT_RAS_GHES(s);
    uint8_t block[RAS_GHES_BLOCK_LENGTH];

    remember_fatal(vrs, batch[0]);
    ras_ghes_write(vrs->ghes, (RasGhesSource)channel, block,
                   virt_ras_build_block(block, sizeof(block), batch, n));
}

static RasRecordResult record(RasState *s, RasEntry *e, CPUState *cpu,
                              const char **why)
{
    if (arm_ras_handler_failed(cpu, &e->error)) {
        *why = "the handler of external aborts cannot be fetched";
        return RAS_RECORD_CHECKSTOP;
    }
    if (!e->error.has_addr && !e->error.record) {
        return RAS_RECORD_NONE;
    }
    write_record(s, RAS_CHANNEL_EXCEPTION, &e, 1);
    return RAS_RECORD_WRITTEN;
}

static const char *notify_batch(RasState *s, RasChannel channel)
{
    ras_ghes_notify(VIRT_RAS_GHES(s)->ghes, (RasGhesSource)channel);
    return channel == RAS_CHANNEL_INTERRUPT ?
           "interrupt with a CPER record" : "CPER record that the guest polls";
}

static void acknowledge(void *opaque, RasGhesSource source)
{
    ras_acknowledge(RAS(opaque), (RasChannel)source);
}

static void reclaim(RasState *s)
{
    ras_ghes_withdraw(VIRT_RAS_GHES(s)->ghes, RAS_GHES_SEA);
}

/* --- reset ---------------------------------------------------------------- */

static void add_to_bert(VirtRasGhesState *vrs, const RasEntry *e)
{
    uint8_t block[RAS_GHES_BERT_BLOCK_LENGTH - 1];
    RasEntry copy = *e, *batch = &copy;

    if (e->error.record_len > sizeof(block)) {
        return;
    }
    if (!vrs->bert_is_new) {
        vrs->bert_is_new = true;
        ras_ghes_bert_clear(vrs->ghes);
    }
    copy.told = 0;
    ras_ghes_bert_add(vrs->ghes, block,
                      virt_ras_build_block(block, sizeof(block), &batch, 1));
}

static void cut_off(RasState *s, const RasEntry *e)
{
    VirtRasGhesState *vrs = VIRT_RAS_GHES(s);

    if (vrs->was_fatal && vrs->fatal.id == e->id) {
        vrs->was_fatal = false;
    }
    if (e->error.has_addr || e->error.record) {
        add_to_bert(vrs, e);
    }
}

static void reset(RasState *s)
{
    VirtRasGhesState *vrs = VIRT_RAS_GHES(s);

    if (vrs->was_fatal) {
        vrs->was_fatal = false;
        add_to_bert(vrs, &vrs->fatal);
    }
    vrs->bert_is_new = false;
}

static void virt_ras_ghes_class_init(ObjectClass *oc, void *data)
{
    RasDeviceClass *rc = RAS_CLASS(oc);

    rc->channel_name = channel_name;
    rc->record_pages = record_pages;
    rc->record_size = record_size;
    rc->ready = ready;
    rc->record = record;
    rc->record_batch = write_record;
    rc->notify_batch = notify_batch;
    rc->acknowledged = NULL;
    rc->reclaim = reclaim;
    rc->cut_off = cut_off;
    rc->reset = reset;
}

/* --- the machine ---------------------------------------------------------- */

static RasGhesState *create_ghes(VirtMachineState *vms)
{
    MemoryRegion *sysmem = get_system_memory();
    DeviceState *dev = qdev_new(TYPE_RAS_GHES);
    MemoryRegionSection there;

    there = memory_region_find(sysmem, WINDOW_BASE, RAS_GHES_WINDOW_SIZE);
    if (there.mr) {
        error_report("'ras-ghes=on' needs the addresses 0x%x to 0x%x, where "
                     "there is '%s' already; remove that", WINDOW_BASE,
                     WINDOW_BASE + RAS_GHES_WINDOW_SIZE - 1,
                     memory_region_name(there.mr));
        exit(1);
    }
    object_property_add_child(OBJECT(vms), "guest-ras-ghes", OBJECT(dev));
    qdev_prop_set_uint64(dev, "base", WINDOW_BASE);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
    sysbus_mmio_map(SYS_BUS_DEVICE(dev), 0, WINDOW_BASE);
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0,
                       qdev_get_gpio_in(vms->gic, WINDOW_SPI));
    return RAS_GHES(dev);
}

RasState *virt_ras_ghes_create(VirtMachineState *vms)
{
    RasGhesState *ghes = create_ghes(vms);
    RasState *s = ras_create(TYPE_VIRT_RAS_GHES);

    VIRT_RAS_GHES(s)->ghes = ghes;
    ras_ghes_set_ack(ghes, acknowledge, s);
    return s;
}

static RasGhesState *ghes_of_machine(void)
{
    return VIRT_RAS_GHES(ras_get())->ghes;
}

void virt_ras_build_dsdt(VirtMachineState *vms, Aml *scope)
{
    if (vms->ras_ghes) {
        ras_ghes_build_dsdt(ghes_of_machine(), scope,
                            FIRST_SPI + WINDOW_SPI);
    }
}

bool virt_ras_build_tables(VirtMachineState *vms, GArray *offsets,
                           AcpiBuildTables *tables)
{
    GArray *blob = tables->table_data;

    if (!vms->ras_ghes) {
        return false;
    }
    acpi_add_table(offsets, blob);
    ras_ghes_build_hest(ghes_of_machine(), blob, tables->linker, vms->oem_id,
                        vms->oem_table_id);
    acpi_add_table(offsets, blob);
    ras_ghes_build_bert(ghes_of_machine(), blob, tables->linker, vms->oem_id,
                        vms->oem_table_id);
    return true;
}

static const TypeInfo virt_ras_ghes_types[] = {
    {
        .name = TYPE_VIRT_RAS_GHES,
        .parent = TYPE_VIRT_RAS,
        .instance_size = sizeof(VirtRasGhesState),
        .class_init = virt_ras_ghes_class_init,
    },
};

DEFINE_TYPES(virt_ras_ghes_types)
