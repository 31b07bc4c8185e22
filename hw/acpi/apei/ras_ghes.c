/*
 * GHES at constant addresses: the error sources of ras-ghes=on
 *
 * The device "ras-ghes" and the ACPI tables that describe it; see
 * hw/acpi/ras_ghes.h.  Used by hw/arm/virt_ras_ghes.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/units.h"
#include "system/memory.h"
#include "hw/acpi/apei/cper.h"
#include "hw/acpi/ghes.h"
#include "hw/acpi/ras_ghes.h"
#include "hw/ras-compat.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/sysbus.h"
#include "migration/vmstate.h"

/* The window */
#define REGISTERS_SIZE  RAS_GHES_WINDOW_ALIGN
#define RAM_OFFSET      REGISTERS_SIZE
#define RAM_SIZE        (RAS_GHES_WINDOW_SIZE - RAM_OFFSET)

/* Registers of a source, 64 bits each */
#define REGISTERS_STRIDE     0x10
#define ERROR_STATUS_ADDRESS 0x00
#define READ_ACK             0x08

#define READ_ACK_WRITE 1ULL

/* In RAM */
#define BLOCK_OFFSET(source) ((source) * RAS_GHES_BLOCK_LENGTH)
#define BERT_OFFSET          BLOCK_OFFSET(RAS_GHES_SOURCES)

QEMU_BUILD_BUG_ON(RAS_GHES_SOURCES * REGISTERS_STRIDE > REGISTERS_SIZE);
QEMU_BUILD_BUG_ON(BERT_OFFSET + RAS_GHES_BERT_LENGTH > RAM_SIZE);
/* behind the last block is always an empty one, where a reader stops */
QEMU_BUILD_BUG_ON(RAS_GHES_BERT_BLOCKS * RAS_GHES_BERT_BLOCK_LENGTH +
                  CPER_BLOCK_HEADER_SIZE > RAS_GHES_BERT_LENGTH);

/* ACPI 6.5 5.6.6: a hardware error device was notified of an error */
#define HED_NOTIFY_ERROR 0x80

/* HEST, ACPI 6.5 18.3.2 */
#define HEST_TYPE_GHESV2         10
#define HEST_NO_RELATED_SOURCE   0xffff
#define HEST_NOTIFICATION_LENGTH 28

/* _OSC, ACPI 6.5 6.2.11: bits of the first DWORD */
#define OSC_QUERY            (1 << 0)
#define OSC_UNKNOWN_UUID     (1 << 2)
#define OSC_UNKNOWN_REVISION (1 << 3)
#define OSC_REVISION         1

/* _OSC: capabilities of the platform, and Windows' "WHEA" */
#define OSC_UUID_PLATFORM "0811B06E-4A27-44F9-8D60-3CBBC22E7B48"
#define OSC_UUID_WHEA     "ED855E0C-6C90-47BF-A62A-26DE0FC5AD5C"

struct RasGhesState {
    SysBusDevice parent_obj;

    uint64_t base;              /* property: guest physical address */

    MemoryRegion window;
    MemoryRegion registers;
    MemoryRegion ram;
    qemu_irq irq;

    bool read_ack[RAS_GHES_SOURCES];
    uint32_t bert_blocks;       /* number of blocks in the boot error region */
    uint32_t bert_length;       /* their bytes */

    RasGhesAckFn *ack;
    void *ack_opaque;
};

/* --- registers ----------------------------------------------------------- */

static uint64_t register_address(RasGhesState *s, RasGhesSource source,
                                 unsigned int reg)
{
    return s->base + source * REGISTERS_STRIDE + reg;
}

static uint64_t block_address(RasGhesState *s, RasGhesSource source)
{
    return s->base + RAM_OFFSET + BLOCK_OFFSET(source);
}

/* Does this access hit a register? */
static bool register_decode(hwaddr addr, unsigned int size,
                            RasGhesSource *source, unsigned int *reg)
{
    *source = addr / REGISTERS_STRIDE;
    *reg = addr % REGISTERS_STRIDE & ~7;
    return *source < RAS_GHES_SOURCES && (size == 4 || size == 8) &&
           addr % size == 0;
}

static uint64_t register_read(void *opaque, hwaddr addr, unsigned int size)
{
    RasGhesState *s = opaque;
    RasGhesSource source;
    unsigned int reg;
    uint64_t value;

    if (!register_decode(addr, size, &source, &reg)) {
        qemu_log_mask(LOG_GUEST_ERROR, "ras-ghes: read of %u bytes at offset "
                      "0x%" HWADDR_PRIx " hits no register\n", size, addr);
        return 0;
    }
    value = reg == READ_ACK ? s->read_ack[source] : block_address(s, source);
    return extract64(value, addr % 8 * 8, size * 8);
}

static void register_write(void *opaque, hwaddr addr, uint64_t value,
                           unsigned int size)
{
    RasGhesState *s = opaque;
    RasGhesSource source;
    unsigned int reg;

    if (!register_decode(addr, size, &source, &reg)) {
        qemu_log_mask(LOG_GUEST_ERROR, "ras-ghes: write of %u bytes at offset "
                      "0x%" HWADDR_PRIx " hits no register\n", size, addr);
        return;
    }
    if (reg != READ_ACK) {
        qemu_log_mask(LOG_GUEST_ERROR, "ras-ghes: write to error status "
                      "address of source %u, which is read only\n", source);
        return;
    }
    /* the upper half of the register has no bit that counts */
    if (addr % 8 || !(value & READ_ACK_WRITE) || s->read_ack[source]) {
        return;
    }
    s->read_ack[source] = true;
    if (s->ack) {
        s->ack(s->ack_opaque, source);
    }
}

/* All accesses come here as the guest made them; see register_decode(). */
static const MemoryRegionOps register_ops = {
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .endianness = DEVICE_LITTLE_ENDIAN,
    .read = register_read,
    .write = register_write,
};

/* --- RAM ----------------------------------------------------------------- */

/*
 * To an operating system this RAM is a device, so it is mapped without
 * caching.  Under KVM its accesses then go past the host's caches, which QEMU
 * writes through, unless the CPU has FEAT_S2FWB: clean and invalidate to the
 * point of coherency what was written.  Elsewhere they see the same memory.
 */
static void sync_caches(const void *data, size_t len)
{
#if defined(HOST_AARCH64) && defined(CONFIG_LINUX)
    uintptr_t end = (uintptr_t)data + len;
    uintptr_t line, p;
    uint64_t ctr;

    asm("mrs %0, ctr_el0" : "=r" (ctr));
    line = 4 << extract64(ctr, 16, 4);                  /* DminLine */
    for (p = (uintptr_t)data & -line; p < end; p += line) {
        asm volatile("dc civac, %0" : : "r" (p) : "memory");
    }
    asm volatile("dsb sy" : : : "memory");
#endif
}

/* To be called after each write. */
static void ram_written(RasGhesState *s, hwaddr offset, size_t len)
{
    const uint8_t *ram = memory_region_get_ram_ptr(&s->ram);

    memory_region_set_dirty(&s->ram, offset, len);
    sync_caches(ram + offset, len);
    /* the guest sees what comes next, or an interrupt, after this */
    smp_wmb();
}

static void write_block_status(RasGhesState *s, hwaddr offset,
                               uint32_t block_status)
{
    uint8_t *ram = memory_region_get_ram_ptr(&s->ram);

    /* a store of four bytes, not four stores, if the block is aligned */
    stl_le_p(ram + offset + CPER_BLOCK_STATUS_OFFSET, block_status);
    ram_written(s, offset + CPER_BLOCK_STATUS_OFFSET, CPER_BLOCK_STATUS_SIZE);
}

/* The block at @offset is empty.  Write a new one, its status word last. */
static void write_block(RasGhesState *s, hwaddr offset, const uint8_t *block,
                        size_t len)
{
    uint8_t *ram = memory_region_get_ram_ptr(&s->ram);

    memcpy(ram + offset + CPER_BLOCK_BODY_OFFSET,
           block + CPER_BLOCK_BODY_OFFSET, len - CPER_BLOCK_BODY_OFFSET);
    ram_written(s, offset + CPER_BLOCK_BODY_OFFSET,
                len - CPER_BLOCK_BODY_OFFSET);
    write_block_status(s, offset, ldl_le_p(block + CPER_BLOCK_STATUS_OFFSET));
}

/* --- sources ------------------------------------------------------------- */

void ras_ghes_set_ack(RasGhesState *s, RasGhesAckFn *fn, void *opaque)
{
    s->ack = fn;
    s->ack_opaque = opaque;
}

void ras_ghes_write(RasGhesState *s, RasGhesSource source,
                    const void *block, size_t len)
{
    g_assert(len >= CPER_BLOCK_BODY_OFFSET && len <= RAS_GHES_BLOCK_LENGTH);
    /* a guest can acknowledge without emptying the block */
    write_block_status(s, BLOCK_OFFSET(source), 0);
    s->read_ack[source] = false;
    write_block(s, BLOCK_OFFSET(source), block, len);
}

void ras_ghes_withdraw(RasGhesState *s, RasGhesSource source)
{
    write_block_status(s, BLOCK_OFFSET(source), 0);
    s->read_ack[source] = true;
}

void ras_ghes_notify(RasGhesState *s, RasGhesSource source)
{
    if (source == RAS_GHES_GED) {
        qemu_irq_pulse(s->irq);
    }
}

/* --- boot error region --------------------------------------------------- */

bool ras_ghes_bert_add(RasGhesState *s, const void *block, size_t len)
{
    if (s->bert_blocks == RAS_GHES_BERT_BLOCKS ||
        len >= RAS_GHES_BERT_BLOCK_LENGTH ||
        len < CPER_BLOCK_HEADER_SIZE || cper_block_length(block, len) != len) {
        return false;
    }
    write_block(s, BERT_OFFSET + s->bert_length, block, len);
    s->bert_length += len;
    s->bert_blocks++;
    return true;
}

void ras_ghes_bert_clear(RasGhesState *s)
{
    uint8_t *ram = memory_region_get_ram_ptr(&s->ram);

    memset(ram + BERT_OFFSET, 0, RAS_GHES_BERT_LENGTH);
    ram_written(s, BERT_OFFSET, RAS_GHES_BERT_LENGTH);
    s->bert_length = 0;
    s->bert_blocks = 0;
}

/* --- ACPI ---------------------------------------------------------------- */

static Aml *build_hed(void)
{
    Aml *dev = aml_device("HED");

    aml_append(dev, aml_name_decl("_HID", aml_eisaid("PNP0C33")));
    aml_append(dev, aml_name_decl("_UID", aml_int(0)));
    return dev;
}

/* Only for errors, so the device that the machine has anyway stays as it is. */
static Aml *build_ged(uint32_t gsi)
{
    Aml *dev = aml_device("GED2");
    Aml *crs = aml_resource_template();
    Aml *evt = aml_method("_EVT", 1, AML_SERIALIZED);

    aml_append(crs, aml_interrupt(AML_CONSUMER, AML_EDGE, AML_ACTIVE_HIGH,
                                  AML_EXCLUSIVE, &gsi, 1));
    aml_append(evt, aml_notify(aml_name("\\_SB.HED"),
                               aml_int(HED_NOTIFY_ERROR)));
    aml_append(dev, aml_name_decl("_HID", aml_string("ACPI0013")));
    aml_append(dev, aml_name_decl("_UID", aml_string("GED2")));
    aml_append(dev, aml_name_decl("_CRS", crs));
    aml_append(dev, evt);
    return dev;
}

static Aml *build_window(uint32_t base)
{
    Aml *dev = aml_device("GHES");
    Aml *crs = aml_resource_template();

    aml_append(crs, aml_memory32_fixed(base, RAS_GHES_WINDOW_SIZE,
                                       AML_READ_WRITE));
    aml_append(dev, aml_name_decl("_HID", aml_eisaid("PNP0C02")));
    aml_append(dev, aml_name_decl("_UID", aml_string("GHES")));
    aml_append(dev, aml_name_decl("_CRS", crs));
    return dev;
}

/*
 * Grants whatever the guest offers, by giving it back.  Without _OSC it may use
 * all of it, and only APEI is the reason why there is one.
 *
 *     If (SizeOf (Arg3) < 4) { Return (Arg3) }     there is no status
 *     CreateDWordField (Arg3, 0, STAT)
 *     STAT &= OSC_QUERY
 *     If (Arg0 is none of the UUIDs) { STAT |= OSC_UNKNOWN_UUID }
 *     ElseIf (Arg1 is not the revision) { STAT |= OSC_UNKNOWN_REVISION }
 *     Return (Arg3)
 *
 * Serialized, because STAT is a name: two calls at once would clash.
 */
static Aml *build_osc(void)
{
    Aml *method = aml_method("_OSC", 4, AML_SERIALIZED);
    Aml *status = aml_name("STAT");
    Aml *uuid = aml_arg(0), *revision = aml_arg(1), *buffer = aml_arg(3);
    Aml *check, *otherwise;

    check = aml_if(aml_lless(aml_sizeof(buffer), aml_int(4)));
    aml_append(check, aml_return(buffer));
    aml_append(method, check);

    aml_append(method, aml_create_dword_field(buffer, aml_int(0), "STAT"));
    aml_append(method, aml_and(status, aml_int(OSC_QUERY), status));

    check = aml_if(aml_lnot(aml_lor(
                aml_equal(uuid, aml_touuid(OSC_UUID_PLATFORM)),
                aml_equal(uuid, aml_touuid(OSC_UUID_WHEA)))));
    aml_append(check, aml_or(status, aml_int(OSC_UNKNOWN_UUID), status));
    aml_append(method, check);

    otherwise = aml_else();
    check = aml_if(aml_lnot(aml_equal(revision, aml_int(OSC_REVISION))));
    aml_append(check, aml_or(status, aml_int(OSC_UNKNOWN_REVISION), status));
    aml_append(otherwise, check);
    aml_append(method, otherwise);

    aml_append(method, aml_return(buffer));
    return method;
}

void ras_ghes_build_dsdt(RasGhesState *s, Aml *scope, int gsi)
{
    aml_append(scope, build_hed());
    aml_append(scope, build_ged(gsi));
    aml_append(scope, build_window(s->base));
    aml_append(scope, build_osc());
}

/* ACPI 6.5 18.3.2.9: type, length, and 7 fields of which one is used */
static void append_notification(GArray *table, enum AcpiGhesNotifyType type,
                                uint32_t poll_interval_ms)
{
    build_append_int_noprefix(table, type, 1);
    build_append_int_noprefix(table, HEST_NOTIFICATION_LENGTH, 1);
    build_append_int_noprefix(table, 0, 2);     /* what may be configured */
    build_append_int_noprefix(table, poll_interval_ms, 4);
    build_append_int_noprefix(table, 0, 4);     /* vector */
    build_append_int_noprefix(table, 0, 8);     /* when to switch to polling */
    build_append_int_noprefix(table, 0, 8);     /* error threshold */
}

/* A register: 64 bits, in accesses of 64 bits */
static void append_register(GArray *table, RasGhesState *s,
                            RasGhesSource source, unsigned int reg)
{
    build_append_gas(table, AML_AS_SYSTEM_MEMORY, 64, 0, 4,
                     register_address(s, source, reg));
}

/* ACPI 6.5 18.3.2.8 */
static void append_source(GArray *table, RasGhesState *s, RasGhesSource source)
{
    static const struct {
        enum AcpiGhesNotifyType type;
        uint32_t poll_interval_ms;
    } notification[RAS_GHES_SOURCES] = {
        [RAS_GHES_SEA] = { ACPI_GHES_NOTIFY_SEA },
        /* ACPI 6.5 18.3.2.7.2: the type that goes with a HED */
        [RAS_GHES_GED] = { ACPI_GHES_NOTIFY_GPIO },
        [RAS_GHES_POLLED] = { ACPI_GHES_NOTIFY_POLLED, 1000 },
    };

    build_append_int_noprefix(table, HEST_TYPE_GHESV2, 2);
    build_append_int_noprefix(table, source, 2);
    build_append_int_noprefix(table, HEST_NO_RELATED_SOURCE, 2);
    build_append_int_noprefix(table, 0, 1);     /* flags */
    build_append_int_noprefix(table, 1, 1);     /* enabled */
    build_append_int_noprefix(table, 1, 4);     /* records to preallocate */
    /* sections in a record: so many entries without data fill a block */
    build_append_int_noprefix(table,
                              (RAS_GHES_BLOCK_LENGTH - CPER_BLOCK_HEADER_SIZE) /
                              CPER_ENTRY_HEADER_SIZE, 4);
    build_append_int_noprefix(table, RAS_GHES_BLOCK_LENGTH, 4); /* raw data */
    append_register(table, s, source, ERROR_STATUS_ADDRESS);
    append_notification(table, notification[source].type,
                        notification[source].poll_interval_ms);
    build_append_int_noprefix(table, RAS_GHES_BLOCK_LENGTH, 4); /* block */
    append_register(table, s, source, READ_ACK);
    build_append_int_noprefix(table, ~READ_ACK_WRITE, 8);       /* preserve */
    build_append_int_noprefix(table, READ_ACK_WRITE, 8);        /* write */
}

void ras_ghes_build_hest(RasGhesState *s, GArray *table_data,
                         BIOSLinker *linker, const char *oem_id,
                         const char *oem_table_id)
{
    /* revision 2 since ACPI 6.5 */
    AcpiTable table = { .sig = "HEST", .rev = 2, .oem_id = oem_id,
                        .oem_table_id = oem_table_id };

    acpi_table_begin(&table, table_data);
    build_append_int_noprefix(table_data, RAS_GHES_SOURCES, 4);
    for (RasGhesSource i = 0; i < RAS_GHES_SOURCES; i++) {
        append_source(table_data, s, i);
    }
    acpi_table_end(linker, &table);
}

void ras_ghes_build_bert(RasGhesState *s, GArray *table_data,
                         BIOSLinker *linker, const char *oem_id,
                         const char *oem_table_id)
{
    AcpiTable table = { .sig = "BERT", .rev = 1, .oem_id = oem_id,
                        .oem_table_id = oem_table_id };

    acpi_table_begin(&table, table_data);
    build_append_int_noprefix(table_data, RAS_GHES_BERT_LENGTH, 4);
    build_append_int_noprefix(table_data, s->base + RAM_OFFSET + BERT_OFFSET,
                              8);
    acpi_table_end(linker, &table);
}

/* --- device -------------------------------------------------------------- */

static void ras_ghes_reset_hold(Object *obj, ResetType type)
{
    RasGhesState *s = RAS_GHES(obj);

    for (RasGhesSource source = 0; source < RAS_GHES_SOURCES; source++) {
        ras_ghes_withdraw(s, source);
    }
}

/* Refuse what ras_ghes_bert_add() cannot have left behind. */
static int ras_ghes_post_load(void *opaque, int version_id)
{
    RasGhesState *s = opaque;

    if (s->bert_blocks > RAS_GHES_BERT_BLOCKS ||
        s->bert_length < s->bert_blocks * CPER_BLOCK_HEADER_SIZE ||
        s->bert_length > s->bert_blocks * (RAS_GHES_BERT_BLOCK_LENGTH - 1)) {
        error_report("ras-ghes: %" PRIu32 " blocks of %" PRIu32 " bytes cannot "
                     "be in the boot error region", s->bert_blocks,
                     s->bert_length);
        return -EINVAL;
    }
    return 0;
}

static const VMStateDescription vmstate_ras_ghes = {
    .name = TYPE_RAS_GHES,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = ras_ghes_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL_ARRAY(read_ack, RasGhesState, RAS_GHES_SOURCES),
        VMSTATE_UINT32(bert_blocks, RasGhesState),
        VMSTATE_UINT32(bert_length, RasGhesState),
        VMSTATE_END_OF_LIST()
    },
};

static void ras_ghes_realize(DeviceState *dev, Error **errp)
{
    RasGhesState *s = RAS_GHES(dev);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);

    /* _CRS has 32 bits for it */
    if (s->base % RAS_GHES_WINDOW_ALIGN ||
        s->base > 4 * GiB - RAS_GHES_WINDOW_SIZE) {
        error_setg(errp, "Property 'base' 0x%" PRIx64 " is not a multiple of "
                   "0x%x below 4 GiB, where 0x%x bytes fit", s->base,
                   RAS_GHES_WINDOW_ALIGN, RAS_GHES_WINDOW_SIZE);
        return;
    }
    if (!memory_region_init_ram(&s->ram, OBJECT(s), "ras-ghes.ram", RAM_SIZE,
                                errp)) {
        return;
    }
    memory_region_init_io(&s->registers, OBJECT(s), &register_ops, s,
                          "ras-ghes.registers", REGISTERS_SIZE);
    memory_region_init(&s->window, OBJECT(s), TYPE_RAS_GHES,
                       RAS_GHES_WINDOW_SIZE);
    memory_region_add_subregion(&s->window, 0, &s->registers);
    memory_region_add_subregion(&s->window, RAM_OFFSET, &s->ram);
    sysbus_init_mmio(sbd, &s->window);
    sysbus_init_irq(sbd, &s->irq);
}

static const Property ras_ghes_properties[] = {
    DEFINE_PROP_UINT64("base", RasGhesState, base, RAS_GHES_NO_BASE),
};

static void ras_ghes_class_init(ObjectClass *oc, RAS_CLASS_DATA *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "ACPI error sources of guest RAS";
    dc->realize = ras_ghes_realize;
    dc->vmsd = &vmstate_ras_ghes;
    /* needs an address, an interrupt and ACPI tables of the board */
    dc->user_creatable = false;
    device_class_set_props(dc, ras_ghes_properties);
    rc->phases.hold = ras_ghes_reset_hold;
}

static const TypeInfo ras_ghes_types[] = {
    {
        .name = TYPE_RAS_GHES,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(RasGhesState),
        .class_init = ras_ghes_class_init,
    },
};

DEFINE_TYPES(ras_ghes_types)
