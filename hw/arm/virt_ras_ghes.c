/*
 * Guest RAS of the Arm virt machine: error sources of ras-ghes=on
 *
 * Error sources at constant addresses, in a device of their own: synchronous
 * aborts as in virt_ras.c, and errors that no vCPU has consumed by interrupt
 * or by polling.  The guest's acknowledgement is a write to a register.  What
 * a reset discards is in the boot error record table of the next boot.
 *
 * ACPI 6.5 18.3.1 (BERT), 18.3.2 (HEST).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "hw/acpi/apei/cper.h"
#include "hw/acpi/ras_ghes.h"
#include "hw/arm/virt_ras.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/sysbus.h"
#include "migration/vmstate.h"
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
    /* the last fatal error that the guest was notified of; length 0: none */
    uint64_t fatal_id;
    uint32_t fatal_length;
    uint8_t fatal_block[RAS_GHES_BERT_BLOCK_LENGTH - 1];
};

static const char *channel_name(RasDevice *d, RasChannel channel)
{
    static const char *const name[] = {
        [RAS_CHANNEL_EXCEPTION] = "GHESv2 source 0, SEA",
        [RAS_CHANNEL_INTERRUPT] = "GHESv2 source 1, GED",
        [RAS_CHANNEL_POLLED] = "GHESv2 source 2, polled",
    };

    return name[channel];
}

static unsigned int record_pages(RasDevice *d)
{
    return RAS_BATCH_PAGES;
}

static size_t record_size(RasDevice *d)
{
    return RAS_GHES_BLOCK_LENGTH;
}

static bool ready(RasDevice *d)
{
    return true;
}

/* The whole error as one block for the boot error region; 0: no room. */
static size_t build_boot_block(uint8_t *buf, size_t size,
                               const RasError *error, uint64_t id)
{
    RasRecordPart whole = { .error = error, .id = id };

    return error->record_len > size ? 0 :
           cper_block_walk(buf, virt_ras_build_block(buf, size, &whole, 1));
}

/* A fatal error may end the guest before it has logged it. */
static void remember_fatal(VirtRasGhesState *vrs, const RasError *error,
                           uint64_t id)
{
    uint8_t block[sizeof(vrs->fatal_block)];
    size_t len;

    if (error->severity != RAS_SEVERITY_FATAL) {
        return;
    }
    len = build_boot_block(block, sizeof(block), error, id);
    if (len) {
        memcpy(vrs->fatal_block, block, len);
        vrs->fatal_length = len;
        vrs->fatal_id = id;
    }
}

static unsigned int write_record(RasDevice *d, RasChannel channel,
                                 RasRecordPart *batch, unsigned int n)
{
    VirtRasGhesState *vrs = VIRT_RAS_GHES(d);
    uint8_t block[RAS_GHES_BLOCK_LENGTH];

    remember_fatal(vrs, batch[0].error, batch[0].id);
    ras_ghes_write(vrs->ghes, (RasGhesSource)channel, block,
                   virt_ras_build_block(block, sizeof(block), batch, n));
    return n;
}

static RasRecordResult record(RasDevice *d, RasRecordPart *part, CPUState *cpu,
                              const char **why)
{
    const RasError *error = part->error;

    if (arm_ras_handler_failed(cpu, error)) {
        *why = "the handler of external aborts cannot be fetched";
        return RAS_RECORD_CHECKSTOP;
    }
    if (!error->has_addr && !error->record) {
        return RAS_RECORD_NONE;
    }
    write_record(d, RAS_CHANNEL_EXCEPTION, part, 1);
    return RAS_RECORD_WRITTEN;
}

static const char *notify_batch(RasDevice *d, RasChannel channel)
{
    ras_ghes_notify(VIRT_RAS_GHES(d)->ghes, (RasGhesSource)channel);
    return channel == RAS_CHANNEL_INTERRUPT ?
           "interrupt with a CPER record" : "CPER record that the guest polls";
}

static void acknowledge(void *opaque, RasGhesSource source)
{
    ras_acknowledge(RAS(opaque), (RasChannel)source);
}

static void reclaim(RasDevice *d)
{
    ras_ghes_withdraw(VIRT_RAS_GHES(d)->ghes, RAS_GHES_SEA);
}

/* --- reset ---------------------------------------------------------------- */

static void add_to_bert(VirtRasGhesState *vrs, const void *block, size_t len)
{
    if (!vrs->bert_is_new) {
        vrs->bert_is_new = true;
        ras_ghes_bert_clear(vrs->ghes);
    }
    ras_ghes_bert_add(vrs->ghes, block, len);
}

static void discarded(RasDevice *d, const RasError *error, uint64_t id)
{
    VirtRasGhesState *vrs = VIRT_RAS_GHES(d);
    uint8_t block[RAS_GHES_BERT_BLOCK_LENGTH - 1];
    size_t len = 0;

    if (vrs->fatal_id == id) {
        vrs->fatal_length = 0;
    }
    if (error->has_addr || error->record) {
        len = build_boot_block(block, sizeof(block), error, id);
    }
    if (len) {
        add_to_bert(vrs, block, len);
    }
}

static void reset(RasDevice *d)
{
    VirtRasGhesState *vrs = VIRT_RAS_GHES(d);

    if (vrs->fatal_length) {
        add_to_bert(vrs, vrs->fatal_block, vrs->fatal_length);
        vrs->fatal_length = 0;
    }
    vrs->bert_is_new = false;
}

/* --- migration ------------------------------------------------------------ */

static bool fatal_needed(void *opaque)
{
    return VIRT_RAS_GHES(opaque)->fatal_length;
}

static int fatal_post_load(void *opaque, int version_id)
{
    VirtRasGhesState *vrs = opaque;
    uint32_t len = vrs->fatal_length;

    if (len > sizeof(vrs->fatal_block) ||
        !len || cper_block_walk(vrs->fatal_block, len) != len) {
        vrs->fatal_length = 0;
        error_report("ras: cannot load the fatal error %" PRIu64 ": its record "
                     "of %" PRIu32 " bytes is none", vrs->fatal_id, len);
        return -EINVAL;
    }
    return 0;
}

/*
 * A section of its own, which stock does not have: but neither has stock
 * ras-ghes=on.
 */
static const VMStateDescription vmstate_fatal = {
    .name = "virt-ras-ghes/fatal",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fatal_needed,
    .post_load = fatal_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(fatal_id, VirtRasGhesState),
        VMSTATE_UINT32(fatal_length, VirtRasGhesState),
        VMSTATE_UINT8_ARRAY(fatal_block, VirtRasGhesState,
                            RAS_GHES_BERT_BLOCK_LENGTH - 1),
        VMSTATE_END_OF_LIST()
    },
};

static void virt_ras_ghes_class_init(ObjectClass *oc, RAS_CLASS_DATA *data)
{
    RasDeviceClass *rc = RAS_CLASS(oc);

    DEVICE_CLASS(oc)->vmsd = &vmstate_fatal;
    rc->channel_name = channel_name;
    rc->record_pages = record_pages;
    rc->record_size = record_size;
    rc->ready = ready;
    rc->record = record;
    rc->record_batch = write_record;
    rc->notify_batch = notify_batch;
    rc->acknowledged = NULL;
    rc->reclaim = reclaim;
    rc->discarded = discarded;
    rc->reset = reset;
}

/* --- the machine ---------------------------------------------------------- */

/*
 * What may be at the addresses of the window, sooner or later: all of the
 * machine's map, whether this VM has the device or not.  What is missing here
 * is within something else, or above 4 GiB.
 */
static const char *const map_name[VIRT_LOWMEMMAP_LAST] = {
    [VIRT_FLASH] = "flash",
    [VIRT_GIC_DIST] = "GIC distributor",
    [VIRT_GIC_CPU] = "GIC CPU interface",
    [VIRT_GIC_V2M] = "GICv2m",
    [VIRT_GIC_HYP] = "GIC virtual interface control",
    [VIRT_GIC_VCPU] = "GIC virtual CPU interface",
    [VIRT_GIC_ITS] = "GIC ITS",
    [VIRT_GIC_REDIST] = "GIC redistributors",
    [VIRT_UART0] = "UART 0",
    [VIRT_RTC] = "RTC",
    [VIRT_FW_CFG] = "fw_cfg",
    [VIRT_GPIO] = "GPIO",
    [VIRT_UART1] = "UART 1",
    [VIRT_SMMU] = "SMMU",
    [VIRT_PCDIMM_ACPI] = "memory hotplug",
    [VIRT_ACPI_GED] = "generic event device",
    [VIRT_NVDIMM_ACPI] = "NVDIMM",
    [VIRT_PVTIME] = "stolen time",
    [VIRT_SECURE_GPIO] = "secure GPIO",
    [VIRT_MMIO] = "virtio-mmio",
    [VIRT_PLATFORM_BUS] = "platform bus",
    [VIRT_SECURE_MEM] = "secure RAM",
    [VIRT_PCIE_MMIO] = "PCIe MMIO",
    [VIRT_PCIE_PIO] = "PCIe I/O ports",
    [VIRT_PCIE_ECAM] = "PCIe ECAM",
    [VIRT_MEM] = "RAM",
};

static bool in_window(uint64_t base, uint64_t addr, uint64_t size)
{
    return addr < base + RAS_GHES_WINDOW_SIZE && base < addr + size;
}

/* Returns the name of what the window would hide, or NULL. */
static const char *find_clash(VirtMachineState *vms, uint64_t base)
{
    MachineState *ms = MACHINE(vms);

    for (int i = 0; i < VIRT_LOWMEMMAP_LAST; i++) {
        uint64_t size = i == VIRT_MEM ? ms->ram_size :
                        i == VIRT_MMIO ?
                        vms->memmap[i].size * NUM_VIRTIO_TRANSPORTS :
                        vms->memmap[i].size;

        if (map_name[i] && in_window(base, vms->memmap[i].base, size)) {
            return map_name[i];
        }
    }
    if (ms->device_memory &&
        in_window(base, ms->device_memory->base,
                  memory_region_size(&ms->device_memory->mr))) {
        return "memory of devices";
    }
    return NULL;
}

static RasGhesState *create_ghes(VirtMachineState *vms)
{
    DeviceState *dev = qdev_new(TYPE_RAS_GHES);
    uint64_t base = object_property_get_uint(OBJECT(dev), "base", &error_abort);
    const char *clash;

    if (base == RAS_GHES_NO_BASE) {
        base = WINDOW_BASE;
        qdev_prop_set_uint64(dev, "base", base);
    }
    object_property_add_child(OBJECT(vms), "guest-ras-ghes", OBJECT(dev));
    sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
    clash = find_clash(vms, base);
    if (clash) {
        error_report("'ras-ghes=on' needs the addresses 0x%" PRIx64 " to 0x%"
                     PRIx64 ", where there is '%s'; '-global "
                     TYPE_RAS_GHES ".base=ADDRESS' uses others", base,
                     base + RAS_GHES_WINDOW_SIZE - 1, clash);
        exit(1);
    }
    sysbus_mmio_map(SYS_BUS_DEVICE(dev), 0, base);
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0,
                       qdev_get_gpio_in(vms->gic, WINDOW_SPI));
    return RAS_GHES(dev);
}

RasDevice *virt_ras_ghes_create(VirtMachineState *vms)
{
    RasGhesState *ghes = create_ghes(vms);
    RasDevice *d = ras_create(TYPE_VIRT_RAS_GHES);

    VIRT_RAS_GHES(d)->ghes = ghes;
    ras_ghes_set_ack(ghes, acknowledge, d);
    return d;
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
