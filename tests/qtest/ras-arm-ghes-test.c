/*
 * QTest of the device "ras-ghes" on the Arm machine "virt"
 *
 * Registers, RAM and ACPI tables as the guest sees them.  Offsets and values
 * are written as numbers on purpose, by hand from ACPI 6.5 (18.3.1, 18.3.2.8,
 * 18.3.2.9) and from the layout that include/hw/acpi/ras_ghes.h promises: a
 * wrong constant in QEMU must not be wrong here too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "ras-cper.h"
#include "ras-qtest.h"
#include "standard-headers/linux/qemu_fw_cfg.h"

#define MACHINE ",ras=on,ras-ghes=on"

/* memory map of virt */
#define GICD        0x08000000ULL
#define FW_CFG_DMA  0x09020010ULL
#define BASE        0x0b000000ULL
#define BASE_END    0x0b020000ULL
#define RAM         0x40000000ULL

/* shared peripheral interrupt 15, and where the GIC's distributor has it */
#define GSIV         47
#define GICD_ISPENDR (GICD + 0x204)
#define GICD_ICPENDR (GICD + 0x284)
#define GICD_TARGET  (GICD + 0x800 + GSIV)
#define GICD_ICFGR   (GICD + 0xc08)
#define GICD_PENDING (1U << 15)
#define GICD_EDGE    (1U << 31)

/* for fw_cfg DMA */
#define DMA_ACCESS  (RAM + 0x10000)
#define DMA_BUFFER  (RAM + 0x20000)

/* sources */
#define SEA         0
#define GED         1
#define POLLED      2
#define SOURCES     3

/* the window */
#define STATUS_ADDRESS(source) (BASE + 0x10 * (source))
#define READ_ACK(source)       (BASE + 0x10 * (source) + 8)
#define REGISTERS_END          0x30
#define BLOCK(source)          (BASE + 0x10000 + 0x4000 * (source))
#define BLOCK_LENGTH           0x4000
#define BERT                   (BASE + 0x1c000)
#define BERT_LENGTH            0x2000

#define PAGE(n) (RAM + 32 * MiB + (n) * RAS_PAGE)

/* --- helpers ------------------------------------------------------------- */

static RasVm *start(void)
{
    return ras_start_binary(NULL, MACHINE, "");
}

static uint64_t read_sized(RasVm *vm, uint64_t addr, unsigned int size)
{
    switch (size) {
    case 1:
        return qtest_readb(vm->qts, addr);
    case 2:
        return qtest_readw(vm->qts, addr);
    case 4:
        return qtest_readl(vm->qts, addr);
    default:
        return qtest_readq(vm->qts, addr);
    }
}

static void write_sized(RasVm *vm, uint64_t addr, unsigned int size,
                        uint64_t value)
{
    switch (size) {
    case 1:
        qtest_writeb(vm->qts, addr, value);
        break;
    case 2:
        qtest_writew(vm->qts, addr, value);
        break;
    case 4:
        qtest_writel(vm->qts, addr, value);
        break;
    default:
        qtest_writeq(vm->qts, addr, value);
    }
}

/* More guest time than there is between two asynchronous records */
#define PACE_NS 1000000000

/* All blocks are free, or that of one source is not. */
#define NONE -1
static void check_registers(RasVm *vm, int out)
{
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(qtest_readq(vm->qts, STATUS_ADDRESS(i)), ==, BLOCK(i));
        g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(i)), ==, i != out);
    }
}

static uint32_t block_status(RasVm *vm, int source)
{
    return qtest_readl(vm->qts, BLOCK(source));
}

/* An error that an instruction has consumed: goes to the source for SEA. */
static uint64_t consume_notified(RasVm *vm, uint64_t address)
{
    uint64_t id = ras_consume(vm, address, 0);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    return id;
}

/* An error that no instruction has consumed */
static uint64_t report(RasVm *vm, uint64_t address, bool polled)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                      " 'severity': 'recoverable', 'address': %" PRIu64
                      ", 'polled': %i }", address, polled);
}

/* At addr is a block with one entry: a memory error at this address. */
static void check_block_at(RasVm *vm, uint64_t addr, uint64_t address)
{
    uint8_t block[20 + 72 + 80];

    qtest_memread(vm->qts, addr, block, sizeof(block));
    g_assert_cmphex(ldl_le_p(block), ==, 0x11);
    g_assert_cmpuint(ldl_le_p(block + 4), ==, 0);           /* raw data */
    g_assert_cmpuint(ldl_le_p(block + 8), ==, 0);
    g_assert_cmpuint(ldl_le_p(block + 12), ==, 152);        /* data length */
    g_assert_cmpuint(ldl_le_p(block + 16), ==, 0);          /* recoverable */
    g_assert_cmpuint(ldl_le_p(block + 20 + 24), ==, 80);    /* of the section */
    g_assert_cmphex(ldq_le_p(block + 20 + 72 + 16), ==, address);
}

static void check_block(RasVm *vm, uint64_t address)
{
    check_block_at(vm, BLOCK(SEA), address);
}

/* All of the RAM in the window, set to a byte */
static void scribble(RasVm *vm, uint8_t byte)
{
    qtest_memset(vm->qts, BLOCK(0), byte, BASE_END - BLOCK(0));
}

/* --- registers ----------------------------------------------------------- */

static void test_values(void)
{
    RasVm *vm = start();

    check_registers(vm, NONE);
    for (int i = 0; i < SOURCES; i++) {
        uint64_t addr = STATUS_ADDRESS(i);

        /* little endian: the lower half comes first */
        g_assert_cmphex(qtest_readl(vm->qts, addr), ==, BLOCK(i));
        g_assert_cmphex(qtest_readl(vm->qts, addr + 4), ==, 0);
        g_assert_cmphex(qtest_readl(vm->qts, addr + 8), ==, 1);
        g_assert_cmphex(qtest_readl(vm->qts, addr + 12), ==, 0);
        g_assert_cmphex(block_status(vm, i), ==, 0);
    }
    /* nobody has had an error before this boot */
    g_assert_cmphex(qtest_readl(vm->qts, BERT), ==, 0);
    ras_quit(vm);
}

/*
 * Somewhere else, by "-global": what the guest is told moves along.  Behind the
 * last virtio-mmio, before the platform bus, behind RAM (256 MiB), and last.
 */
static void test_other_base(void)
{
    static const uint64_t bases[] = {
        0x0a010000, 0x0b100000, 0x0bfe0000, 0x50000000, 0xfffe0000,
    };

    for (int b = 0; b < ARRAY_SIZE(bases); b++) {
        g_autofree char *option =
            g_strdup_printf("-global ras-ghes.base=0x%" PRIx64, bases[b]);
        RasVm *vm = ras_start_binary(NULL, MACHINE, option);

        for (int i = 0; i < SOURCES; i++) {
            g_assert_cmphex(qtest_readq(vm->qts, bases[b] + STATUS_ADDRESS(i) -
                                        BASE), ==, bases[b] + BLOCK(i) - BASE);
        }
        g_assert_cmphex(qtest_readq(vm->qts, BASE), ==, 0);
        ras_quit(vm);
    }
}

/* A host maps whole pages of its own, up to 64 KiB, as RAM: nothing else. */
static void test_host_pages(void)
{
    RasVm *vm = start();
    g_autofree char *map = qtest_hmp(vm->qts, "info mtree -f");

    g_assert_nonnull(strstr(map, "000000000b000000-000000000b00ffff "
                                 "(prio 0, i/o): ras-ghes.registers"));
    g_assert_nonnull(strstr(map, "000000000b010000-000000000b01ffff "
                                 "(prio 0, ram): ras-ghes.ram"));
    ras_quit(vm);
}

/* What one record can name, and not more. */
static void test_pages(void)
{
    static const char error[] =
        "{ 'kind': 'memory', 'mode': 'consume', 'severity': 'recoverable',"
        " 'address': %llu, 'length': %llu, 'vcpu': 0 }";
    RasVm *vm = start();

    ras_inject_refused(vm, "*9 pages*maximum is 8*", error, PAGE(0),
                       (unsigned long long)(9 * RAS_PAGE));
    ras_inject(vm, error, PAGE(0), (unsigned long long)(8 * RAS_PAGE));
    ras_quit(vm);
}

/* Is this an access that registers take? */
static bool is_good(unsigned int offset, unsigned int size)
{
    return size >= 4 && offset % size == 0 && offset + size <= REGISTERS_END;
}

/*
 * Of any size at any offset: what is no register access reads as zero and
 * changes nothing, and QEMU lives.
 */
static void test_bad_access(void)
{
    static const unsigned int far[] = {
        0x30, 0x31, 0x38, 0x3f, 0x40, 0x100, 0x800, 0xff0, 0xff8,
        0x1000, 0x1008, 0xfff0, 0xfff8,
    };
    RasVm *vm = start();

    for (unsigned int size = 1; size <= 8; size *= 2) {
        for (unsigned int offset = 0; offset < REGISTERS_END; offset++) {
            if (is_good(offset, size)) {
                continue;
            }
            g_assert_cmphex(read_sized(vm, BASE + offset, size), ==, 0);
            write_sized(vm, BASE + offset, size, ~0ULL);
            write_sized(vm, BASE + offset, size, 0);
            check_registers(vm, NONE);
        }
        for (int i = 0; i < ARRAY_SIZE(far); i++) {
            write_sized(vm, BASE + far[i], size, ~0ULL);
            g_assert_cmphex(read_sized(vm, BASE + far[i], size), ==, 0);
        }
    }
    check_registers(vm, NONE);
    ras_quit(vm);
}

static void test_read_only(void)
{
    RasVm *vm = start();

    for (int i = 0; i < SOURCES; i++) {
        qtest_writeq(vm->qts, STATUS_ADDRESS(i), RAM);
        qtest_writeq(vm->qts, STATUS_ADDRESS(i), 0);
        qtest_writel(vm->qts, STATUS_ADDRESS(i), 1);
        qtest_writel(vm->qts, STATUS_ADDRESS(i) + 4, 1);
        check_registers(vm, NONE);
    }
    ras_quit(vm);
}

/* There is nothing to acknowledge: whatever is written, blocks stay free. */
static void test_ack_without_record(void)
{
    static const uint64_t values[] = { 0, 1, 2, 3, ~1ULL, ~0ULL };
    RasVm *vm = start();

    for (int source = 0; source < SOURCES; source++) {
        for (int i = 0; i < ARRAY_SIZE(values); i++) {
            qtest_writeq(vm->qts, READ_ACK(source), values[i]);
            check_registers(vm, NONE);
            qtest_writel(vm->qts, READ_ACK(source), values[i]);
            check_registers(vm, NONE);
            qtest_writel(vm->qts, READ_ACK(source) + 4, values[i]);
            check_registers(vm, NONE);
        }
    }
    ras_assert_count(vm, "acknowledged", 0);
    ras_pump(vm);
    g_assert_cmpuint(vm->events.length, ==, 0);
    /* and the first record finds its block free */
    consume_notified(vm, PAGE(0));
    check_registers(vm, SEA);
    ras_quit(vm);
}

/* --- records ------------------------------------------------------------- */

/* It can be delivered at once, no firmware has to run before. */
static void test_record(void)
{
    RasVm *vm = start();
    uint64_t id;

    g_assert_true(ras_ready(vm));
    id = consume_notified(vm, PAGE(3));
    check_registers(vm, SEA);
    check_block(vm, PAGE(3));
    g_assert_cmphex(block_status(vm, GED), ==, 0);
    g_assert_cmphex(block_status(vm, POLLED), ==, 0);

    /* as Linux does: empty the block, read, modify, write the register */
    qtest_writel(vm->qts, BLOCK(SEA), 0);
    qtest_writeq(vm->qts, READ_ACK(SEA),
                 (qtest_readq(vm->qts, READ_ACK(SEA)) & ~1ULL) | 1);
    check_registers(vm, NONE);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* Bit 0 of the source's own register, by an aligned access of 4 or 8 bytes */
static void test_acknowledge(void)
{
    static const struct {
        unsigned int offset, size;
        uint64_t value;
        bool acknowledges;
    } cases[] = {
        { 0x08, 8, 0, false },
        { 0x08, 8, 2, false },
        { 0x08, 8, ~1ULL, false },
        { 0x08, 8, 1ULL << 32, false },
        { 0x08, 4, 0, false },
        { 0x08, 4, ~1ULL, false },
        { 0x0c, 4, ~0ULL, false },      /* the upper half */
        { 0x08, 1, 1, false },
        { 0x08, 2, 1, false },
        { 0x07, 8, ~0ULL, false },
        { 0x06, 4, ~0ULL, false },
        { 0x09, 4, ~0ULL, false },
        { 0x00, 8, ~0ULL, false },      /* error status address */
        { 0x18, 8, 1, false },          /* other sources */
        { 0x28, 8, 1, false },
        { 0x38, 8, 1, false },          /* no source */
        { 0x08, 8, 1, true },
        { 0x08, 8, 3, true },
        { 0x08, 8, ~0ULL, true },
        { 0x08, 4, 1, true },
        { 0x08, 4, ~0ULL, true },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t id = consume_notified(vm, PAGE(i));

        check_registers(vm, SEA);
        write_sized(vm, BASE + cases[i].offset, cases[i].size,
                    cases[i].value);
        if (!cases[i].acknowledges) {
            check_registers(vm, SEA);
            check_block(vm, PAGE(i));
            ras_assert_state(vm, id, "notified");
            ras_assert_count(vm, "acknowledged", i);
            qtest_writeq(vm->qts, READ_ACK(SEA), 1);
        }
        check_registers(vm, NONE);
        ras_wait_until(vm, ras_state_is(vm, id, "over"));
        ras_assert_count(vm, "acknowledged", i + 1);
    }
    ras_quit(vm);
}

/* What a guest writes into the RAM is its own affair. */
static void test_scribble(void)
{
    RasVm *vm = start();
    uint8_t is[16], want[16];
    uint64_t id;

    /* the RAM takes it, up to the end of the window and no further */
    scribble(vm, 0xa5);
    memset(want, 0xa5, sizeof(want));
    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        qtest_memread(vm->qts, addr, is, sizeof(is));
        g_assert_cmpmem(is, sizeof(is), want, sizeof(want));
        qtest_memread(vm->qts, addr + RAS_PAGE - sizeof(is), is, sizeof(is));
        g_assert_cmpmem(is, sizeof(is), want, sizeof(want));
    }
    qtest_writeq(vm->qts, BASE_END, ~0ULL);
    g_assert_cmphex(qtest_readq(vm->qts, BASE_END), ==, 0);
    check_registers(vm, NONE);

    /* a record goes into its own block, and nowhere else */
    id = consume_notified(vm, PAGE(1));
    check_registers(vm, SEA);
    check_block(vm, PAGE(1));
    g_assert_cmphex(block_status(vm, GED), ==, 0xa5a5a5a5);
    g_assert_cmphex(block_status(vm, POLLED), ==, 0xa5a5a5a5);
    g_assert_cmphex(qtest_readl(vm->qts, BERT), ==, 0xa5a5a5a5);

    /* over a record that is out: it is out still */
    scribble(vm, 0x00);
    check_registers(vm, SEA);
    ras_assert_state(vm, id, "notified");
    scribble(vm, 0xff);
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    check_registers(vm, NONE);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));

    /* acknowledged, but not emptied: the next record is whole all the same */
    consume_notified(vm, PAGE(2));
    check_registers(vm, SEA);
    check_block(vm, PAGE(2));
    ras_quit(vm);
}

/* The interrupt of the second GED has arrived since the last call. */
static bool interrupted(RasVm *vm)
{
    bool pending = qtest_readl(vm->qts, GICD_ISPENDR) & GICD_PENDING;

    qtest_writel(vm->qts, GICD_ICPENDR, GICD_PENDING);
    return pending;
}

/*
 * An error that nobody has consumed goes to the source that the guest is
 * interrupted for, or to that which it polls: only that block is used.
 */
static void test_asynchronous(const void *data)
{
    const int source = GPOINTER_TO_INT(data);
    RasVm *vm = start();

    qtest_writel(vm->qts, GICD_ICFGR, GICD_EDGE);
    qtest_writeb(vm->qts, GICD_TARGET, 1);
    g_assert_false(interrupted(vm));
    for (int i = 0; i < 3; i++) {
        uint64_t id = report(vm, PAGE(i), source == POLLED);

        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        check_registers(vm, source);
        check_block_at(vm, BLOCK(source), PAGE(i));
        g_assert_cmpint(interrupted(vm), ==, source == GED);
        /* a pulse, and not a level */
        g_assert_false(interrupted(vm));
        for (int other = 0; other < SOURCES; other++) {
            g_assert_cmphex(block_status(vm, other), ==,
                            other == source ? 0x11 : 0);
        }

        /* acknowledgement of another source */
        qtest_writeq(vm->qts, READ_ACK(SEA), 1);
        qtest_writeq(vm->qts, READ_ACK(GED + POLLED - source), 1);
        check_registers(vm, source);
        ras_assert_state(vm, id, "notified");
        qtest_writeq(vm->qts, READ_ACK(source), 1);
        check_registers(vm, NONE);
        ras_wait_until(vm, ras_state_is(vm, id, "over"));
        /* the next one waits until Linux has gone through the pages */
        qtest_clock_step(vm->qts, PACE_NS);
    }
    ras_quit(vm);
}

/* A guest that does not acknowledge is interrupted again, ever more rarely. */
static void test_reminders(void)
{
    static const unsigned int seconds[] = { 1, 2, 4, 8, 16, 32, 64, 64 };
    RasVm *vm = start();
    uint64_t id;

    qtest_writel(vm->qts, GICD_ICFGR, GICD_EDGE);
    qtest_writeb(vm->qts, GICD_TARGET, 1);
    id = report(vm, PAGE(0), false);
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    g_assert_true(interrupted(vm));
    for (int i = 0; i < ARRAY_SIZE(seconds); i++) {
        qtest_clock_step(vm->qts, seconds[i] * 1000000000LL - 1000000);
        g_assert_false(interrupted(vm));
        qtest_clock_step(vm->qts, 1000000);
        g_assert_true(interrupted(vm));
    }
    ras_assert_state(vm, id, "notified");
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    qtest_clock_step(vm->qts, 200 * 1000000000LL);
    g_assert_false(interrupted(vm));

    /* for the next record it begins anew */
    id = report(vm, PAGE(1), false);
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    g_assert_true(interrupted(vm));
    qtest_clock_step(vm->qts, 1000000000LL);
    g_assert_true(interrupted(vm));
    ras_quit(vm);
}

/*
 * What a reset cuts off can be read after it: as many blocks as Linux shows,
 * one behind the other.
 */
static void test_boot_errors(void)
{
    const uint64_t block_length = 20 + 72 + 80;
    RasVm *vm = start();

    for (int i = 0; i < 7; i++) {
        report(vm, PAGE(i), false);
    }
    /* a second reset without an error leaves them */
    for (int reset = 0; reset < 2; reset++) {
        ras_reset(vm);
        check_registers(vm, NONE);
        for (int i = 0; i < 5; i++) {
            check_block_at(vm, BERT + i * block_length, PAGE(i));
        }
        g_assert_cmphex(qtest_readl(vm->qts, BERT + 5 * block_length), ==, 0);
    }

    /* new ones take their place, and nothing of the old is left */
    report(vm, PAGE(9), true);
    ras_reset(vm);
    check_block_at(vm, BERT, PAGE(9));
    for (uint64_t offset = block_length; offset < BERT_LENGTH; offset += 4) {
        g_assert_cmphex(qtest_readl(vm->qts, BERT + offset), ==, 0);
    }
    ras_quit(vm);
}

static void test_reset(void)
{
    RasVm *vm = start();

    consume_notified(vm, PAGE(0));
    qtest_writel(vm->qts, BLOCK(GED), 0x11);
    qtest_writel(vm->qts, BLOCK(POLLED), 0x12);
    check_registers(vm, SEA);
    ras_reset(vm);
    /* a guest looks at all blocks when it boots */
    check_registers(vm, NONE);
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(block_status(vm, i), ==, 0);
    }
    /* the next record */
    consume_notified(vm, PAGE(1));
    check_registers(vm, SEA);
    check_block(vm, PAGE(1));
    ras_quit(vm);
}

/* The RAM moves with the VM, and the device works on arrival. */
static void test_migration(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id;

    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        qtest_writeq(vm->qts, addr + 0x10, ~addr);
    }
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(NULL, MACHINE, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        g_assert_cmphex(qtest_readq(vm->qts, addr + 0x10), ==, ~addr);
    }
    check_registers(vm, NONE);
    id = consume_notified(vm, PAGE(0));
    check_registers(vm, SEA);
    check_block(vm, PAGE(0));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_quit(vm);
    g_unlink(file);
}

static RasVm *load(const char *file, const char *machine)
{
    RasVm *vm = ras_start_binary(NULL, machine, "-incoming defer");

    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    return vm;
}

/*
 * Moved with a record of each source out, and errors behind them: all end
 * acknowledged on arrival, each page told once.
 */
static void test_migration_with_records_out(void)
{
    const unsigned int pages = 20;      /* eight in a record */
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t sea = consume_notified(vm, PAGE(0)), waits, many, polled;

    waits = ras_consume(vm, PAGE(1), 0);
    many = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity': "
                      "'recoverable', 'address': %" PRIu64 ", 'length': %"
                      PRIu64 " }", (uint64_t)PAGE(100),
                      pages * (uint64_t)RAS_PAGE);
    polled = report(vm, PAGE(2), true);
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    for (int source = 0; source < SOURCES; source++) {
        g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(source)), ==, 0);
        g_assert_cmphex(block_status(vm, source), !=, 0);
    }
    ras_assert_state(vm, sea, "notified");
    ras_assert_state(vm, waits, "queued");
    ras_assert_state(vm, many, "notified");
    qtest_writeq(vm->qts, READ_ACK(POLLED), 1);
    ras_wait_until(vm, ras_state_is(vm, polled, "over"));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, waits, "notified"));
    check_block(vm, PAGE(1));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, waits, "over"));
    /* the first 8 were told before, the others follow */
    for (unsigned int told = 8; told < pages; told += 8) {
        qtest_writeq(vm->qts, READ_ACK(GED), 1);
        qtest_clock_step(vm->qts, PACE_NS);
        ras_assert_state(vm, many, "notified");
        g_assert_cmphex(qtest_readl(vm->qts, BLOCK(GED) + 12), ==,
                        MIN(8, pages - told) * 152);
        g_assert_cmphex(qtest_readq(vm->qts, BLOCK(GED) + 20 + 72 + 16), ==,
                        PAGE(100 + told));
    }
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, many, "over"));
    ras_assert_count(vm, "acknowledged", 4);
    ras_quit(vm);
    g_unlink(file);
}

/* Moved between two records of one error: the rest is told on arrival. */
static void test_migration_between_records(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                             " 'severity': 'recoverable', 'address': %" PRIu64
                             ", 'length': %" PRIu64 " }", (uint64_t)PAGE(100),
                             12 * (uint64_t)RAS_PAGE);

    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_assert_state(vm, id, "notified");
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    /* the pause between them has moved, too */
    g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(GED)), ==, 1);
    qtest_clock_step(vm->qts, PACE_NS);
    g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(GED)), ==, 0);
    g_assert_cmphex(qtest_readl(vm->qts, BLOCK(GED) + 12), ==, 4 * 152);
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
    g_unlink(file);
}

/*
 * A guest that has panicked because of a fatal error is moved, and learns of
 * it when it boots there.
 */
static void test_migration_of_a_fatal_error(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                             " 'severity': 'fatal', 'address': %" PRIu64 " }",
                             (uint64_t)PAGE(3));

    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    g_assert_cmphex(qtest_readl(vm->qts, BERT), ==, 0);
    ras_reset(vm);
    g_assert_cmphex(qtest_readl(vm->qts, BERT), !=, 0);
    g_assert_cmphex(qtest_readq(vm->qts, BERT + 20 + 72 + 16), ==, PAGE(3));
    g_assert_cmphex(qtest_readl(vm->qts, BERT + 20 + 72 + 80), ==, 0);
    /* told once */
    report(vm, PAGE(9), true);
    ras_reset(vm);
    check_block_at(vm, BERT, PAGE(9));
    ras_quit(vm);
    g_unlink(file);
}

/* A fatal error that a reset cuts off is told once by the next boot. */
static void test_fatal_error_cut_off(void)
{
    for (int source = SEA; source < SOURCES; source++) {
        RasVm *vm = start();

        ras_inject(vm, source == SEA ?
                   "{ 'kind': 'memory', 'mode': 'consume', 'vcpu': 0,"
                   " 'severity': 'fatal', 'address': %" PRIu64 " }" :
                   source == GED ?
                   "{ 'kind': 'memory', 'mode': 'report',"
                   " 'severity': 'fatal', 'address': %" PRIu64 " }" :
                   "{ 'kind': 'memory', 'mode': 'report', 'polled': true,"
                   " 'severity': 'fatal', 'address': %" PRIu64 " }",
                   (uint64_t)PAGE(3));
        ras_wait_until(vm, ras_state_is(vm, 1, "notified"));
        ras_reset(vm);
        g_assert_cmphex(qtest_readl(vm->qts, BERT), !=, 0);
        g_assert_cmphex(qtest_readq(vm->qts, BERT + 20 + 72 + 16), ==,
                        PAGE(3));
        g_assert_cmphex(qtest_readl(vm->qts, BERT + 20 + 72 + 80), ==, 0);
        ras_quit(vm);
    }
}

/* --- while a migration runs ----------------------------------------------- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(g_strlcpy(address.sun_path, path,
                               sizeof(address.sun_path)), <,
                     sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==,
                    0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

/* Read the next bytes; false: there are no more. */
static bool read_more(int fd, GByteArray *stream)
{
    uint8_t buf[4096];
    ssize_t got = read(fd, buf, sizeof(buf));

    g_assert_cmpint(got, >=, 0);
    g_byte_array_append(stream, buf, got);
    return got;
}

static bool has_bytes(const GByteArray *stream, const void *bytes, size_t len)
{
    /* not what was looked at before: the bytes may end in the last read */
    size_t last = MIN(stream->len, 4096 + len);

    return memmem(stream->data + stream->len - last, last, bytes, len);
}

static void fill(RasVm *vm, uint64_t addr, size_t len, uint32_t seed)
{
    g_autofree uint8_t *data = g_malloc(len);
    GRand *rand = g_rand_new_with_seed(seed);

    for (size_t i = 0; i < len; i++) {
        data[i] = g_rand_int(rand);
    }
    qtest_memwrite(vm->qts, addr, data, len);
    g_rand_free(rand);
}

/* Does QEMU know how fast it sends?  Then it knows when it must not end. */
static bool has_speed(RasVm *vm)
{
    QDict *info = qtest_qmp_assert_success_ref(vm->qts,
                      "{ 'execute': 'query-migrate' }");
    QDict *ram = qdict_get_qdict(info, "ram");
    bool has = ram && qnum_get_double(qobject_to(QNum,
                                                 qdict_get(ram, "mbps"))) > 0;

    qobject_unref(info);
    return has;
}

/*
 * A record that is written while the VM is being moved, when its page was sent
 * before, arrives.  QEMU sends no faster than this test reads, and has 1 MiB to
 * send behind that page, which is more than a socket holds; it stops the VM
 * when less than 4 KiB are left.
 */
static void test_record_while_moving(void)
{
    static const char mark[] = "the page of the block";
    g_autofree char *file = ras_temp_file();
    g_autofree char *path = g_strconcat(file, ".sock", NULL);
    g_autofree char *uri = g_strconcat("unix:", path, NULL);
    g_autoptr(GByteArray) stream = g_byte_array_new();
    RasVm *vm = start();
    int listener = listen_at(path), fd;
    uint64_t id;

    fill(vm, RAM, 2 * MiB, 1);
    qtest_memwrite(vm->qts, BLOCK(GED) + 0x800, mark, sizeof(mark));
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate-set-parameters',"
                             " 'arguments': { 'downtime-limit': 1,"
                             " 'avail-switchover-bandwidth': 4096000 } }");
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    while (stream->len < 3 * MiB / 2 || !has_speed(vm)) {
        g_assert_cmpuint(stream->len, <, 2 * MiB);
        g_assert_true(read_more(fd, stream));
        g_usleep(1000);
    }
    /* sent already, and to be sent once more, after all the rest */
    fill(vm, RAM, 1 * MiB, 2);
    while (!has_bytes(stream, mark, sizeof(mark))) {
        g_assert_true(read_more(fd, stream));
    }
    g_assert_true(ras_migration_is(vm, "active"));
    id = report(vm, PAGE(0), false);
    ras_assert_state(vm, id, "notified");
    check_block_at(vm, BLOCK(GED), PAGE(0));
    while (read_more(fd, stream)) {
        /* to the end */
    }
    ras_wait_until(vm, ras_migration_is(vm, "completed"));
    ras_quit(vm);
    close(fd);
    close(listener);
    g_unlink(path);

    g_assert_true(g_file_set_contents(file, (char *)stream->data, stream->len,
                                      NULL));
    vm = load(file, MACHINE);
    ras_assert_state(vm, id, "notified");
    check_registers(vm, GED);
    check_block_at(vm, BLOCK(GED), PAGE(0));
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_quit(vm);
    g_unlink(file);
}

/* --- records made by the caller ------------------------------------------ */

/* Two vCPUs that run. */
static RasVm *start_online(void)
{
    return ras_start_binary(NULL, MACHINE ",secure=on", "");
}

/* Acknowledge what is out, so that the next record can follow. */
static void finish(RasVm *vm, int source, uint64_t id)
{
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    qtest_writeq(vm->qts, READ_ACK(source), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    qtest_clock_step(vm->qts, PACE_NS);
}

/* An error of vCPU 0 whose section is as expected */
static void check_arm(RasVm *vm, const char *arguments,
                      const RasArmRecord *expected)
{
    uint64_t id = ras_inject_arm(vm, arguments);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, GED);
    ras_cper_check_arm(vm, BLOCK(GED), id, expected);
    finish(vm, GED, id);
}

/* Each part of a processor with each severity: the section, and the event. */
static void test_arm_types(void)
{
    static const struct {
        const char *name, *class;
        uint8_t type;
    } types[] = {
        { "cache", "cache", 0x02 },
        { "tlb", "tlb", 0x04 },
        { "bus", "bus", 0x08 },
        { "micro-architectural", "unknown", 0x10 },
    };
    static const char *const severities[] = {
        [RAS_CPER_RECOVERABLE] = "recoverable",
        [RAS_CPER_FATAL] = "fatal",
        [RAS_CPER_CORRECTED] = "corrected",
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(types); i++) {
        for (int severity = 0; severity < ARRAY_SIZE(severities); severity++) {
            g_autofree char *arguments =
                g_strdup_printf("'vcpu': 0, 'type': '%s', 'severity': '%s'",
                                types[i].name, severities[severity]);
            const RasArmRecord expected = {
                .severity = severity, .mpidr = RAS_ARM_MPIDR,
                .midr = RAS_ARM_MIDR, .running = 1, .type = types[i].type,
                .valid = RAS_ARM_VALID,
            };
            uint64_t id = 3 * i + severity + 1;
            QDict *error;

            check_arm(vm, arguments, &expected);
            error = ras_next_step(vm, id, "accepted");
            g_assert_cmpstr(qdict_get_str(error, "class"), ==, types[i].class);
            g_assert_cmpstr(qdict_get_str(error, "severity"), ==,
                            severities[severity]);
            g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "injected");
            g_assert_false(qdict_get_bool(error, "synchronous"));
            g_assert_false(qdict_haskey(error, "vcpu"));
            g_assert_false(qdict_haskey(error, "address"));
            qobject_unref(error);
            /* no MEMORY_FAILURE among them */
            ras_expect_step(vm, id, "queued");
            ras_expect_step(vm, id, "recorded");
            ras_expect_step(vm, id, "notified");
            ras_expect_step(vm, id, "acknowledged");
        }
    }
    ras_quit(vm);
}

/* Each optional argument alone, with its extremes, and all together */
static void test_arm_arguments(void)
{
    static const struct {
        const char *arguments;
        uint16_t valid, count;
        uint8_t flags;
        uint64_t information, va, pa;
    } cases[] = {
        { "'count': 1", 0x03 },
        { "'count': 2", 0x03, .count = 2 },
        { "'count': 65535", 0x03, .count = 65535 },
        { "'flags': []", 0x03 },
        { "'flags': [ 'first' ]", 0x03, .flags = 1 },
        { "'flags': [ 'last' ]", 0x03, .flags = 2 },
        { "'flags': [ 'propagated' ]", 0x03, .flags = 4 },
        { "'flags': [ 'overflow' ]", 0x03, .flags = 8 },
        { "'flags': [ 'overflow', 'last', 'first' ]", 0x03, .flags = 11 },
        { "'error-information': 0", 0x07 },
        { "'error-information': 18446744073709551615", 0x07,
          .information = UINT64_MAX },
        { "'virtual-address': 0", 0x0b },
        { "'virtual-address': 18446638520593289216", 0x0b,
          .va = 0xffffa00000001000 },
        { "'physical-address': 0", 0x13 },
        { "'physical-address': 18446744073709551615", 0x13,
          .pa = UINT64_MAX },
        { "'synchronous': false, 'polled': false", 0x03 },
        { "'count': 259, 'flags': [ 'first', 'propagated' ],"
          " 'error-information': 81985529216486895,"
          " 'virtual-address': 1311768467463790320,"
          " 'physical-address': 1116691513", 0x1f, 259, 5,
          0x0123456789abcdef, 0x123456789abcdef0, 0x428f5c39 },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *arguments =
            g_strdup_printf("'vcpu': 0, 'type': 'cache',"
                            " 'severity': 'recoverable', %s",
                            cases[i].arguments);
        const RasArmRecord expected = {
            .mpidr = RAS_ARM_MPIDR, .midr = RAS_ARM_MIDR, .running = 1,
            .type = 0x02, .valid = cases[i].valid, .count = cases[i].count,
            .flags = cases[i].flags, .information = cases[i].information,
            .va = cases[i].va, .pa = cases[i].pa,
        };

        g_test_message("%s", cases[i].arguments);
        check_arm(vm, arguments, &expected);
    }
    ras_quit(vm);
}

/* The section names the vCPU as the vCPU itself does, and says if it runs. */
static void test_arm_vcpus(void)
{
    RasArmRecord expected = {
        .severity = RAS_CPER_CORRECTED, .mpidr = RAS_ARM_MPIDR,
        .midr = RAS_ARM_MIDR, .running = 1, .type = 0x04,
        .valid = RAS_ARM_VALID,
    };
    RasVm *vm = start();

    /* switched off, which PSCI calls OFF, 1 */
    expected.mpidr = 0x80000001;
    expected.running = 0;
    expected.psci = 1;
    check_arm(vm, "'vcpu': 1, 'type': 'tlb', 'severity': 'corrected'",
              &expected);
    ras_quit(vm);

    /* another model, and two clusters of 16, because of GICv3 */
    vm = ras_start_binary(NULL, MACHINE ",secure=on,gic-version=3",
                          "-cpu neoverse-n1 -smp 18");
    expected.midr = 0x414fd0c1;
    expected.running = 1;
    expected.psci = 0;
    check_arm(vm, "'vcpu': 1, 'type': 'tlb', 'severity': 'corrected'",
              &expected);
    expected.mpidr = 0x80000101;
    check_arm(vm, "'vcpu': 17, 'type': 'tlb', 'severity': 'corrected'",
              &expected);
    ras_quit(vm);
}

static void test_arm_polled(void)
{
    const RasArmRecord expected = {
        .mpidr = RAS_ARM_MPIDR, .midr = RAS_ARM_MIDR, .running = 1,
        .type = 0x08, .valid = RAS_ARM_VALID,
    };
    RasVm *vm = start();
    uint64_t id;

    id = ras_inject_arm(vm, "'vcpu': 0, 'type': 'bus', 'polled': true,"
                        " 'severity': 'recoverable'");
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, POLLED);
    ras_cper_check_arm(vm, BLOCK(POLLED), id, &expected);
    g_assert_cmphex(block_status(vm, GED), ==, 0);
    finish(vm, POLLED, id);
    ras_quit(vm);
}

/* PC of a vCPU: an exception from where firmware is goes to VBAR + 0x200. */
static void assert_pc(RasVm *vm, int vcpu, const char *pc)
{
    QDict *response = qtest_qmp(vm->qts, "{"
                          " 'execute': 'human-monitor-command', 'arguments': {"
                          " 'command-line': 'info registers',"
                          " 'cpu-index': %d } }", vcpu);
    g_autofree char *pattern = g_strdup_printf("* PC=%s *", pc);

    ras_assert_like(qdict_get_str(response, "return"), pattern);
    qobject_unref(response);
}

static void test_arm_synchronous(void)
{
    const RasArmRecord expected = {
        .mpidr = 0x80000001, .midr = RAS_ARM_MIDR, .running = 1,
        .type = 0x02, .valid = 0x1b, .va = 0xffff00001234, .pa = PAGE(5),
    };
    g_autofree char *arguments =
        g_strdup_printf("'vcpu': 1, 'type': 'cache', 'synchronous': true,"
                        " 'severity': 'recoverable',"
                        " 'virtual-address': 281470681748020,"
                        " 'physical-address': %" PRIu64, (uint64_t)PAGE(5));
    RasVm *vm = start_online();
    uint64_t id;
    QDict *error;

    id = ras_inject_arm(vm, arguments);
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, SEA);
    ras_cper_check_arm(vm, BLOCK(SEA), id, &expected);
    assert_pc(vm, 0, "0000000000000000");
    assert_pc(vm, 1, "0000000000000200");

    error = ras_next_step(vm, id, "accepted");
    g_assert_cmpstr(qdict_get_str(error, "class"), ==, "cache");
    g_assert_true(qdict_get_bool(error, "synchronous"));
    g_assert_cmpuint(ras_get_uint(error, "vcpu"), ==, 1);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, expected.va);
    qobject_unref(error);
    finish(vm, SEA, id);
    ras_quit(vm);
}

/* A record with one section of each sort, and what is not looked at, filled */
static GByteArray *mixed_record(void)
{
    GByteArray *record = ras_cper_new();
    uint8_t memory[80], arm[40 + 2 * 32] = { 0 }, vendor[3] = { 1, 2, 3 };
    uint8_t raw[64];
    unsigned int at;

    for (int i = 0; i < sizeof(memory); i++) {
        memory[i] = 0x80 + i;
    }
    at = ras_cper_add(record, ras_cper_memory, RAS_CPER_RECOVERABLE, memory,
                      sizeof(memory));
    memset(record->data + at - 44, 0x5a, 36);   /* FRU id and text */
    record->data[at - 50] = 3;                  /* are valid */
    record->data[at - 49] = 0x9;                /* flags */

    stl_le_p(arm, ~0U);                         /* validation bits */
    stw_le_p(arm + 4, 2);
    stl_le_p(arm + 8, sizeof(arm));
    memset(arm + 12, 0xc3, 28);
    for (int i = 0; i < 2; i++) {
        memset(arm + 40 + 32 * i, 0x96 + i, 32);
        arm[40 + 32 * i + 1] = 32;              /* length */
    }
    ras_cper_add(record, ras_cper_arm, RAS_CPER_CORRECTED, arm, sizeof(arm));
    ras_cper_add(record, ras_cper_vendor, RAS_CPER_INFORMATIONAL, vendor,
                 sizeof(vendor));

    /* raw data, behind a gap */
    memset(raw, 0xe7, sizeof(raw));
    stl_le_p(record->data + 4, record->len + 32);
    stl_le_p(record->data + 8, 32);
    g_byte_array_append(record, raw, sizeof(raw));
    return record;
}

/* It arrives as it is, whatever its length, on each of the ways. */
static void test_cper(void)
{
    static const struct {
        int source;
        const char *more;
    } ways[] = {
        { GED, "" },
        { GED, "'polled': false" },
        { POLLED, "'polled': true" },
        { SEA, "'vcpu': 1" },
    };
    GByteArray *records[] = {
        mixed_record(),
        ras_cper_of_length(RAS_CPER_RECOVERABLE, 92),
        ras_cper_of_length(RAS_CPER_FATAL, 1025),
        ras_cper_of_length(RAS_CPER_RECOVERABLE, BLOCK_LENGTH - 1),
        ras_cper_of_length(RAS_CPER_RECOVERABLE, BLOCK_LENGTH),
    };
    static const char *const severity[] = {
        "recoverable", "recoverable", "fatal", "recoverable", "recoverable",
    };

    for (int w = 0; w < ARRAY_SIZE(ways); w++) {
        RasVm *vm = start_online();

        for (int r = 0; r < ARRAY_SIZE(records); r++) {
            uint64_t id = ras_inject_cper(vm, records[r], ways[w].more);
            QDict *error = ras_next_step(vm, id, "accepted");

            g_assert_cmpstr(qdict_get_str(error, "class"), ==, "unknown");
            g_assert_cmpstr(qdict_get_str(error, "severity"), ==, severity[r]);
            g_assert_cmpint(qdict_haskey(error, "vcpu"), ==,
                            ways[w].source == SEA);
            qobject_unref(error);
            ras_wait_until(vm, ras_state_is(vm, id, "notified"));
            check_registers(vm, ways[w].source);
            ras_cper_check(vm, BLOCK(ways[w].source), records[r]);
            for (int other = 0; other < SOURCES; other++) {
                if (other != ways[w].source) {
                    g_assert_cmphex(block_status(vm, other), ==, 0);
                }
            }
            finish(vm, ways[w].source, id);
            ras_drop_events(vm);
        }
        assert_pc(vm, 1, ways[w].source == SEA ? "0000000000000200" :
                                                 "0000000000000000");
        ras_quit(vm);
    }
    for (int r = 0; r < ARRAY_SIZE(records); r++) {
        g_byte_array_unref(records[r]);
    }
}

/* Corrected and informational records, which no vCPU can take */
static void test_cper_corrected(void)
{
    RasVm *vm = start_online();

    for (int severity = RAS_CPER_CORRECTED; severity <= RAS_CPER_INFORMATIONAL;
         severity++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(severity, 200);
        QDict *error;
        uint64_t id;

        ras_cper_refused(vm, record, "'vcpu': 0",
                         "A corrected error is no abort of a vCPU; *");
        id = ras_inject_cper(vm, record, "");
        error = ras_next_step(vm, id, "accepted");
        g_assert_cmpstr(qdict_get_str(error, "severity"), ==, "corrected");
        qobject_unref(error);
        finish(vm, GED, id);
        ras_cper_check(vm, BLOCK(GED), record);
        ras_drop_events(vm);
    }
    ras_quit(vm);
}

/* What is not told yet at a reset is in the boot error records after it. */
static void test_cper_reset(void)
{
    g_autoptr(GByteArray) record = mixed_record();
    const RasArmRecord expected = {
        .mpidr = RAS_ARM_MPIDR, .midr = RAS_ARM_MIDR, .running = 1,
        .type = 0x04, .valid = RAS_ARM_VALID,
    };
    RasVm *vm = start();
    uint64_t id;

    ras_inject_cper(vm, record, "");
    id = ras_inject_arm(vm, "'vcpu': 0, 'type': 'tlb',"
                        " 'severity': 'recoverable', 'polled': true");
    ras_reset(vm);
    ras_cper_check(vm, BERT, record);
    ras_cper_check_arm(vm, BERT + record->len, id, &expected);
    g_assert_cmphex(qtest_readl(vm->qts, BERT + record->len +
                                RAS_CPER_ARM_BLOCK), ==, 0);
    ras_assert_count(vm, "discarded", 2);
    ras_quit(vm);
}

static void test_inject_ghes_v2(void)
{
    g_autoptr(GByteArray) record = mixed_record();
    RasVm *vm = start();

    for (uint64_t id = 1; id <= 2; id++) {
        ras_inject_ghes_v2(vm, record);
        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        check_registers(vm, GED);
        ras_cper_check(vm, BLOCK(GED), record);
        finish(vm, GED, id);
    }
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/*
 * The record that scripts/ghes_inject.py of QEMU 10.2 sends for "arm", with its
 * options: one entry, which is not counted, and a section with errors of these
 * types.
 */
static GByteArray *script_record(uint32_t block_status, uint32_t severity,
                                 const uint8_t *types, unsigned int nr_types,
                                 const GByteArray *behind)
{
    GByteArray *record = g_byte_array_new();
    size_t section = 40 + 32 * nr_types + (behind ? behind->len : 0);
    uint8_t *p;

    g_byte_array_set_size(record, 20 + 72 + section);
    p = memset(record->data, 0, record->len);
    stl_le_p(p, block_status);
    stl_le_p(p + 12, 72 + section);
    stl_le_p(p + 16, severity);
    p += 20;
    memcpy(p, ras_cper_arm, 16);
    stl_le_p(p + 16, severity);
    stw_le_p(p + 20, 0x300);
    stl_le_p(p + 24, section);
    p += 72;
    stl_le_p(p, behind ? 7 : 4);                /* validation bits */
    stw_le_p(p + 4, nr_types);
    stw_le_p(p + 6, !!behind);                  /* context information */
    stl_le_p(p + 8, section);
    stq_le_p(p + 24, RAS_ARM_MIDR);
    stl_le_p(p + 32, !!behind);                 /* running state */
    p += 40;
    for (unsigned int i = 0; i < nr_types; i++, p += 32) {
        p[1] = 32;
        stw_le_p(p + 2, 4);                     /* error information */
        p[4] = types[i];
        stw_le_p(p + 5, 1);                     /* several errors */
        p[7] = 3;                               /* first, last */
        stq_le_p(p + 8, i ? 0x54007f : 0x91000f);
        stq_le_p(p + 16, 0xdeadbeef);
        stq_le_p(p + 24, 0xabba0bad);
    }
    if (behind) {
        memcpy(p, behind->data, behind->len);
    }
    return record;
}

/* It arrives as it is, and kind cper, which is stricter, refuses it. */
static void check_script_record(RasVm *vm, uint64_t id,
                                const GByteArray *record)
{
    ras_cper_refused(vm, record, "", "This is no Generic Error Status Block*");
    ras_inject_ghes_v2(vm, record);
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, GED);
    ras_cper_check(vm, BLOCK(GED), record);
    finish(vm, GED, id);
    ras_drop_events(vm);
}

/*
 * Under QEMU 10.2's name, what its script sends is taken: both examples of the
 * script's manual, any severity with any block status, and raw data that the
 * entries run into.
 */
static void test_inject_ghes_v2_script(void)
{
    static const uint8_t cache = 0x02;
    static const uint8_t types[] = { 0x02, 0x04, 0x08, 0x10, 0x14 };
    /* context information: EL1 registers, six of seven given; vendor's bytes */
    uint8_t behind[8 + 7 * 8 + 5] = { 0, 0, 5, 0, 7 * 8 };
    g_autoptr(GByteArray) more = g_byte_array_new();
    g_autoptr(GByteArray) raw = NULL;
    GByteArray *record;
    RasVm *vm = start();
    uint64_t id = 0;

    for (int i = 0; i < 6; i++) {
        behind[8 + 8 * i] = i;
    }
    memcpy(behind + sizeof(behind) - 5, "\x13\x7b\x04\x05\x01", 5);
    g_byte_array_append(more, behind, sizeof(behind));

    for (uint32_t status = 1; status <= 2; status++) {
        for (uint32_t severity = 0; severity <= 3; severity++) {
            record = script_record(status, severity, &cache, 1, NULL);
            check_script_record(vm, ++id, record);
            g_byte_array_unref(record);
        }
    }
    record = script_record(1, RAS_CPER_RECOVERABLE, types, ARRAY_SIZE(types),
                           more);
    check_script_record(vm, ++id, record);
    g_byte_array_unref(record);

    raw = script_record(1, RAS_CPER_RECOVERABLE, &cache, 1, NULL);
    g_byte_array_append(raw, behind, 3);
    stl_le_p(raw->data + 8, 3);
    stl_le_p(raw->data + 12, ldl_le_p(raw->data + 12) + 3);
    check_script_record(vm, ++id, raw);
    ras_assert_count(vm, "acknowledged", id);
    ras_quit(vm);
}

/*
 * Such a record moves with the VM, and a reset does not lose it; but if nobody
 * could walk over it, it would hide those behind it.
 */
static void test_inject_ghes_v2_moves(void)
{
    static const uint8_t cache = 0x02;
    GByteArray *record = script_record(1, RAS_CPER_FATAL, &cache, 1, NULL);
    g_autoptr(GByteArray) broken = script_record(2, RAS_CPER_FATAL, &cache, 1,
                                                 NULL);
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();

    broken->data[20 + 24]--;                    /* length of the section */
    ras_inject_ghes_v2(vm, broken);
    finish(vm, GED, 1);
    ras_inject_ghes_v2(vm, record);
    finish(vm, GED, 2);
    ras_inject_ghes_v2(vm, broken);
    ras_wait_until(vm, ras_state_is(vm, 3, "notified"));
    ras_inject_ghes_v2(vm, record);
    ras_assert_state(vm, 4, "queued");
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    ras_assert_state(vm, 3, "notified");
    ras_assert_state(vm, 4, "queued");
    ras_cper_check(vm, BLOCK(GED), broken);
    ras_reset(vm);
    /* what was cut off, then what was told before */
    ras_cper_check(vm, BERT, record);
    ras_cper_check(vm, BERT + record->len, record);
    g_assert_cmphex(qtest_readl(vm->qts, BERT + 2 * record->len), ==, 0);
    ras_quit(vm);
    g_byte_array_unref(record);
    g_unlink(file);
}

/* Sections of types that UEFI defines: the least length that each has */
static void test_section_lengths(void)
{
    static const struct {
        const char *what;
        uint8_t type[16];
        unsigned int least;
        const char *why;
    } cases[] = {
        { "firmware error record", {
            0x96, 0x2a, 0x21, 0x81, 0xed, 0x09, 0x96, 0x49,
            0x94, 0x71, 0x8d, 0x72, 0x9c, 0x8e, 0x69, 0xed }, 16,
          "firmware error section is shorter than 16 bytes" },
        { "PCIe", {
            0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43,
            0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35 }, 208,
          "PCIe error section is shorter than 208 bytes" },
        { "CXL, general media", {
            0x77, 0x0a, 0xcd, 0xfb, 0x60, 0xc2, 0x7f, 0x41,
            0x85, 0xa9, 0x08, 0x8b, 0x16, 0x21, 0xeb, 0xa6 }, 144,
          "CXL general media event section is shorter than 144 bytes" },
        { "memory, UEFI 2.2", {
            0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
            0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1 }, 73,
          "memory error section is shorter than 80 bytes" },
    };
    const uint8_t section[208] = { 0 };
    RasVm *vm = start();
    uint64_t id;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *message = g_strconcat("*: ", cases[i].why, NULL);

        g_test_message("%s", cases[i].what);
        for (unsigned int len = 0; len <= cases[i].least; len++) {
            g_autoptr(GByteArray) record = ras_cper_new();

            ras_cper_add(record, cases[i].type, RAS_CPER_RECOVERABLE, section,
                         len);
            if (len < cases[i].least) {
                ras_cper_refused(vm, record, "", message);
                continue;
            }
            id = ras_inject_cper(vm, record, "");
            finish(vm, GED, id);
            ras_drop_events(vm);
        }
    }
    ras_quit(vm);
}

/* --- refusals ------------------------------------------------------------ */

#define ARM "'type': 'cache', 'severity': 'recoverable'"

static void test_arm_refused(void)
{
    static const struct {
        const char *arguments, *message;
    } cases[] = {
        { "'vcpu': 2, " ARM,
          "There is no vCPU 2; 'info cpus' shows which there are" },
        { "'vcpu': -1, " ARM,
          "There is no vCPU -1; 'info cpus' shows which there are" },
        { "'vcpu': -4294967296, " ARM,
          "There is no vCPU -4294967296; 'info cpus' shows which there are" },
        { "'vcpu': 4294967296, " ARM,
          "There is no vCPU 4294967296; 'info cpus' shows which there are" },
        { "'vcpu': 2, 'synchronous': true, " ARM,
          "There is no vCPU 2; 'info cpus' shows which there are" },
        { "'vcpu': 1, 'synchronous': true, " ARM,
          "vCPU 1 is offline, so it cannot consume anything; choose one that "
          "the guest has started" },
        { "'vcpu': 0, 'synchronous': true, 'polled': true, " ARM,
          "An error that a vCPU takes cannot be polled; leave out 'polled'" },
        { "'vcpu': 0, 'synchronous': true, 'type': 'tlb',"
          " 'severity': 'corrected'",
          "A corrected error is no abort of a vCPU; *" },
        { "'vcpu': 0, 'count': 0, " ARM,
          "Parameter 'count' is the number of errors: 1 or more" },
        { "'vcpu': 0, 'count': 0, 'synchronous': true, " ARM,
          "Parameter 'count' is the number of errors: 1 or more" },
    };
    /* by the monitor, before they get anywhere */
    static const struct {
        const char *arguments, *message;
    } malformed[] = {
        { "", "*'vcpu' is missing" },
        { "'vcpu': 0, 'severity': 'fatal'", "*'type' is missing" },
        { "'vcpu': 0, 'type': 'cache'", "*'severity' is missing" },
        { "'vcpu': 0, 'type': 'memory', 'severity': 'fatal'", "*'memory'*" },
        { "'vcpu': 0, 'count': 65536, " ARM, "*'count' expects uint16*" },
        { "'vcpu': 0, 'count': -1, " ARM, "*'count' expects uint16*" },
        { "'vcpu': 0, 'flags': [ 'none' ], " ARM, "*'none'*" },
        { "'vcpu': 0, 'address': 0, " ARM, "*'address' is unexpected" },
        { "'vcpu': 0, 'mode': 'report', " ARM, "*'mode' is unexpected" },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_test_message("%s", cases[i].arguments);
        ras_arm_refused(vm, cases[i].arguments, cases[i].message);
        check_registers(vm, NONE);
    }
    for (int i = 0; i < ARRAY_SIZE(malformed); i++) {
        g_test_message("%s", malformed[i].arguments);
        ras_assert_refused(vm, "ras-inject",
                           ras_arm_arguments(malformed[i].arguments),
                           malformed[i].message, 0);
    }
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(block_status(vm, i), ==, 0);
    }
    /* the next one is the first */
    g_assert_cmpuint(ras_inject_arm(vm, "'vcpu': 0, " ARM), ==, 1);
    ras_quit(vm);
}

/* Memory of a device is not the guest's to give up. */
static void test_device_memory_refused(void)
{
    static const char *const modes[] = { "poison", "report", "consume" };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(modes); i++) {
        QDict *args = qdict_from_jsonf_nofail(
            "{ 'kind': 'memory', 'severity': 'recoverable', 'mode': %s }",
            modes[i]);

        qdict_put_int(args, "address", BLOCK(0));
        if (g_str_equal(modes[i], "consume")) {
            qdict_put_int(args, "vcpu", 0);
        }
        ras_assert_refused(vm, "ras-inject", args,
                           "*0xb010000 is not RAM of the guest*", 1);
    }
    ras_quit(vm);
}

/* How the record gets to the guest makes no sense. */
static void test_cper_way_refused(void)
{
    static const struct {
        const char *more, *message;
    } cases[] = {
        { "'vcpu': 2",
          "There is no vCPU 2; 'info cpus' shows which there are" },
        { "'vcpu': -1",
          "There is no vCPU -1; 'info cpus' shows which there are" },
        { "'vcpu': -4294967296",
          "There is no vCPU -4294967296; 'info cpus' shows which there are" },
        { "'vcpu': 1",
          "vCPU 1 is offline, so it cannot consume anything; choose one that "
          "the guest has started" },
        { "'vcpu': 0, 'polled': true",
          "An error that a vCPU takes cannot be polled; leave out 'polled'" },
    };
    g_autoptr(GByteArray) record = mixed_record();
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        ras_cper_refused(vm, record, cases[i].more, cases[i].message);
    }
    check_registers(vm, NONE);
    ras_quit(vm);
}

#define NO_BLOCK "This is no Generic Error Status Block that a guest can read: "

/* QEMU 10.2 ends when it is given base64 that is none. */
static void test_base64_refused(void)
{
    static const char invalid[] = "Base64 data contains invalid characters";
    static const char too_short[] =
        NO_BLOCK "block is shorter than its 20-byte header";
    RasVm *vm = start();

    ras_base64_refused(vm, "*", invalid);
    ras_base64_refused(vm, "EQAAAAAAAAA AAAAA", invalid);
    ras_base64_refused(vm, "gr\xc3\xbc\xc3\x9f" "e", invalid);
    ras_base64_refused(vm, "", too_short);
    ras_base64_refused(vm, "\n", too_short);
    ras_base64_refused(vm, "====", too_short);
    ras_base64_refused(vm, "EQ", too_short);
    ras_base64_refused(vm, "EQAAAAAAAAAAAAAAAAAAAAAAAA==", too_short);
    check_registers(vm, NONE);
    ras_quit(vm);
}

/* One field of a good record spoilt */
static void test_block_refused(void)
{
    static const struct {
        unsigned int offset, size;
        uint32_t value;
        const char *why;
        bool by_both;           /* by the name of QEMU 10.2, too */
    } cases[] = {
        { 0, 4, 0, "block_status is 0: the block is empty", true },
        { 0, 4, 0x43, "entry count in block_status is not the number of "
                      "entries" },
        { 0, 4, 0x23, "entry count in block_status is not the number of "
                      "entries" },
        { 0, 4, 0x32, "block_status does not say uncorrectable, but an entry "
                      "is fatal or recoverable" },
        { 0, 4, 0x31, "block_status does not say correctable, but an entry "
                      "is corrected" },
        { 0, 4, 0x80000033, "block_status has reserved bits set" },
        { 4, 4, 0, "raw data overlaps the header or the entries" },
        { 8, 4, 33, "raw data runs past the end of the block", true },
        { 8, 4, 0xffffffff, "raw data runs past the end of the block", true },
        { 12, 4, 0xffffffff, "data_length runs past the end of the block",
          true },
        { 12, 4, 80, "section does not fit in data_length" },
        { 12, 4, 152 + 20, "entry header does not fit in data_length" },
        { 16, 4, 1, "error_severity of the block is not that of its worst "
                    "entry" },
        { 16, 4, 4, "error_severity of the block is not one of 0 to 3" },
        { 20 + 16, 4, 4, "error_severity of an entry is not one of 0 to 3" },
        { 20 + 20, 2, 0x301, "revision of an entry is not 0x0300" },
        { 20 + 22, 1, 0xff, "validation_bits of an entry has reserved bits "
                            "set" },
        { 20 + 22, 1, 4, "timestamp of an entry is not a BCD date" },
        { 20 + 24, 4, 0xffffffff, "section does not fit in data_length" },
        { 172 + 72 + 4, 2, 0, "ERR_INFO_NUM of an ARM processor section is "
                              "0" },
        { 172 + 72 + 4, 2, 3, "error information does not fit in its ARM "
                              "processor section" },
        { 172 + 72 + 6, 2, 1, "context information does not fit in its ARM "
                              "processor section" },
        { 172 + 72 + 8, 4, 40, "section length of an ARM processor section is "
                               "not the error_data_length of its entry" },
        /* one that Linux would step over for ever */
        { 172 + 72 + 41, 1, 0, "length of an ARM error information structure "
                               "is not 32" },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(GByteArray) record = mixed_record();
        g_autofree char *message = g_strconcat(NO_BLOCK, cases[i].why, NULL);
        g_autofree char *base64 = NULL;
        uint8_t *p = record->data + cases[i].offset;

        g_test_message("%s", cases[i].why);
        switch (cases[i].size) {
        case 1:
            *p = cases[i].value;
            break;
        case 2:
            stw_le_p(p, cases[i].value);
            break;
        default:
            stl_le_p(p, cases[i].value);
        }
        if (cases[i].by_both) {
            base64 = g_base64_encode(record->data, record->len);
            ras_base64_refused(vm, base64, message);
        } else {
            ras_cper_refused(vm, record, "", message);
        }
    }
    check_registers(vm, NONE);
    ras_quit(vm);
}

static void test_long_refused(void)
{
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      BLOCK_LENGTH + 1);
    g_autofree char *base64 = g_base64_encode(record->data, record->len);
    RasVm *vm = start();

    ras_base64_refused(vm, base64,
                       "The record has 16385 bytes, and the guest's "
                       "error status block only 16384");
    ras_cper_refused(vm, record, "'vcpu': 0", "The record has 16385 bytes*");
    ras_quit(vm);
}

/* --- ACPI tables --------------------------------------------------------- */

/* Let fw_cfg put what is in entry key into data. */
static void fw_cfg_read(RasVm *vm, uint16_t key, void *data, uint32_t len)
{
    struct fw_cfg_dma_access access = {
        .control = cpu_to_be32((uint32_t)key << 16 | FW_CFG_DMA_CTL_SELECT |
                               FW_CFG_DMA_CTL_READ),
        .length = cpu_to_be32(len),
        .address = cpu_to_be64(DMA_BUFFER),
    };

    qtest_memwrite(vm->qts, DMA_ACCESS, &access, sizeof(access));
    qtest_writeq(vm->qts, FW_CFG_DMA, bswap64(DMA_ACCESS));
    g_assert_cmphex(qtest_readl(vm->qts, DMA_ACCESS), ==, 0);
    qtest_memread(vm->qts, DMA_BUFFER, data, len);
}

/* Content of a file in fw_cfg */
static GByteArray *fw_cfg_file(RasVm *vm, const char *name)
{
    g_autofree struct fw_cfg_file *files = NULL;
    g_autofree uint8_t *dir = NULL;
    GByteArray *content = g_byte_array_new();
    uint32_t count, size;

    fw_cfg_read(vm, FW_CFG_FILE_DIR, &count, sizeof(count));
    count = be32_to_cpu(count);
    size = sizeof(count) + count * sizeof(*files);
    dir = g_malloc(size);
    fw_cfg_read(vm, FW_CFG_FILE_DIR, dir, size);
    files = g_memdup2(dir + sizeof(count), count * sizeof(*files));
    for (uint32_t i = 0; i < count; i++) {
        if (g_str_equal(files[i].name, name)) {
            g_byte_array_set_size(content, be32_to_cpu(files[i].size));
            fw_cfg_read(vm, be16_to_cpu(files[i].select), content->data,
                        content->len);
        }
    }
    g_assert_cmpuint(content->len, >, 0);
    return content;
}

/* Offset in the blob of the one table with this signature, or -1 */
static int find_table(const GByteArray *tables, const char *signature)
{
    int found = -1;
    uint32_t offset, length;

    for (offset = 0; offset + 36 <= tables->len; offset += length) {
        length = ldl_le_p(tables->data + offset + 4);
        if (length < 36) {
            break;              /* the rest of the blob is not used */
        }
        g_assert_cmpuint(length, <=, tables->len - offset);
        if (!memcmp(tables->data + offset, signature, 4)) {
            g_assert_cmpint(found, ==, -1);
            found = offset;
        }
    }
    return found;
}

/*
 * The table, if the XSDT has an entry for it.  Until firmware has placed the
 * tables, their addresses are offsets in the blob.
 */
static const uint8_t *listed_table(const GByteArray *tables,
                                   const char *signature)
{
    int table = find_table(tables, signature);
    int xsdt = find_table(tables, "XSDT");
    const uint8_t *p;

    g_assert_cmpint(xsdt, >=, 0);
    g_assert_cmpint(table, >=, 0);
    p = tables->data + xsdt;
    for (int i = 36; i < ldl_le_p(p + 4); i += 8) {
        if (ldq_le_p(p + i) == table) {
            return tables->data + table;
        }
    }
    g_error("%s is not in XSDT", signature);
}

/* ACPI 6.5 5.2.3.2: a register of 64 bits in memory */
static void check_gas(const uint8_t *gas, uint64_t address)
{
    g_assert_cmpuint(gas[0], ==, 0);        /* system memory */
    g_assert_cmpuint(gas[1], ==, 64);       /* bits */
    g_assert_cmpuint(gas[2], ==, 0);        /* bit offset */
    g_assert_cmpuint(gas[3], ==, 4);        /* access by 64 bits */
    g_assert_cmphex(ldq_le_p(gas + 4), ==, address);
}

static void test_hest(void)
{
    static const struct {
        uint8_t type;
        uint32_t poll_interval;
    } notification[SOURCES] = {
        [SEA] = { 8, 0 },
        [GED] = { 7, 0 },
        [POLLED] = { 0, 1000 },
    };
    RasVm *vm = start();
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    const uint8_t *hest = listed_table(tables, "HEST");

    g_assert_cmpuint(ldl_le_p(hest + 4), ==, 40 + SOURCES * 92);
    g_assert_cmpuint(hest[8], ==, 2);                       /* revision */
    g_assert_cmpuint(ldl_le_p(hest + 36), ==, SOURCES);
    for (int i = 0; i < SOURCES; i++) {
        const uint8_t *p = hest + 40 + i * 92;

        g_assert_cmpuint(lduw_le_p(p), ==, 10);             /* GHESv2 */
        g_assert_cmpuint(lduw_le_p(p + 2), ==, i);          /* source id */
        g_assert_cmphex(lduw_le_p(p + 4), ==, 0xffff);      /* related */
        g_assert_cmpuint(p[6], ==, 0);                      /* flags */
        g_assert_cmpuint(p[7], ==, 1);                      /* enabled */
        g_assert_cmpuint(ldl_le_p(p + 8), ==, 1);           /* records */
        /* no fewer sections than fit: the smallest is 72 bytes */
        g_assert_cmpuint(ldl_le_p(p + 12), ==, (16384 - 20) / 72);
        g_assert_cmpuint(ldl_le_p(p + 16), ==, 16384);      /* raw data */
        check_gas(p + 20, STATUS_ADDRESS(i));
        g_assert_cmpuint(p[32], ==, notification[i].type);
        g_assert_cmpuint(p[33], ==, 28);                    /* length */
        g_assert_cmphex(lduw_le_p(p + 34), ==, 0);          /* write enable */
        g_assert_cmpuint(ldl_le_p(p + 36), ==, notification[i].poll_interval);
        for (int offset = 40; offset < 60; offset += 4) {
            g_assert_cmpuint(ldl_le_p(p + offset), ==, 0);
        }
        g_assert_cmpuint(ldl_le_p(p + 60), ==, BLOCK_LENGTH);
        check_gas(p + 64, READ_ACK(i));
        g_assert_cmphex(ldq_le_p(p + 76), ==, ~1ULL);       /* preserve */
        g_assert_cmphex(ldq_le_p(p + 84), ==, 1);           /* write */
    }
    ras_quit(vm);
}

static void test_bert(void)
{
    RasVm *vm = start();
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    const uint8_t *bert = listed_table(tables, "BERT");

    g_assert_cmpuint(ldl_le_p(bert + 4), ==, 48);
    g_assert_cmpuint(bert[8], ==, 1);                       /* revision */
    g_assert_cmpuint(ldl_le_p(bert + 36), ==, BERT_LENGTH);
    g_assert_cmphex(ldq_le_p(bert + 40), ==, BERT);
    ras_quit(vm);
}

/* How often do the bytes occur in a table? */
static unsigned int count(const uint8_t *table, const void *bytes, size_t len)
{
    const uint8_t *p = table, *end = table + ldl_le_p(table + 4);
    unsigned int n = 0;

    while ((p = memmem(p, end - p, bytes, len))) {
        n++;
        p++;
    }
    return n;
}

/* AML of what only the full layout has */
static const struct {
    const char *what;
    uint8_t bytes[16];
    unsigned int len;
} aml[] = {
    { "HED", "HED_\x08_HID\x0c\x41\xd0\x0c\x33", 14 },
    { "GED2", "GED2\x08_HID\x0d" "ACPI00", 16 },
    { "its interrupt", { 0x89, 6, 0, 3, 1, GSIV, 0, 0, 0 }, 9 },
    { "its event", "_EVT\x09\x86\\._SB_HED_", 15 },
    { "GHES", "GHES\x08_HID\x0c\x41\xd0\x0c\x02", 14 },
    { "its window", { 0x86, 9, 0, 1, 0, 0, 0, 0x0b, 0, 0, 2, 0 }, 12 },
    { "UUID of the platform", {
        0x6e, 0xb0, 0x11, 0x08, 0x27, 0x4a, 0xf9, 0x44,
        0x8d, 0x60, 0x3c, 0xbb, 0xc2, 0x2e, 0x7b, 0x48 }, 16 },
    { "UUID of WHEA", {
        0x0c, 0x5e, 0x85, 0xed, 0x90, 0x6c, 0xbf, 0x47,
        0xa6, 0x2a, 0x26, 0xde, 0x0f, 0xc5, 0xad, 0x5c }, 16 },
};

static void test_dsdt(void)
{
    RasVm *vm = start(), *other = ras_start_binary(NULL, ",ras=on", "");
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    g_autoptr(GByteArray) stock = fw_cfg_file(other, "etc/acpi/tables");
    const uint8_t *dsdt = tables->data + find_table(tables, "DSDT");
    const uint8_t *stock_dsdt = stock->data + find_table(stock, "DSDT");

    for (int i = 0; i < ARRAY_SIZE(aml); i++) {
        g_test_message("%s", aml[i].what);
        g_assert_cmpuint(count(dsdt, aml[i].bytes, aml[i].len), ==, 1);
        g_assert_cmpuint(count(stock_dsdt, aml[i].bytes, aml[i].len), ==, 0);
    }
    /* one more of each: that of PCI0, and the other GED */
    g_assert_cmpuint(count(dsdt, "_OSC", 4), ==,
                     count(stock_dsdt, "_OSC", 4) + 1);
    g_assert_cmpuint(count(dsdt, "ACPI0013", 8), ==,
                     count(stock_dsdt, "ACPI0013", 8) + 1);
    g_assert_cmpint(find_table(stock, "BERT"), ==, -1);
    ras_quit(vm);
    ras_quit(other);
}

/* What has been built for the options must not be taken for something else. */
static void test_properties_are_fixed(void)
{
    static const struct {
        const char *path, *property, *message;
    } cases[] = {
        { "/machine", "ras-ghes", "Property 'ras-ghes' can be set only before "
                                  "the machine has been created" },
        { "/machine/guest-ras", "reclaim-ms", "Attempt to set property*" },
        { "/machine/guest-ras-ghes", "base", "Attempt to set property*" },
    };
    static const char *const machines[] = { MACHINE, ",ras=on", "" };

    for (int m = 0; m < ARRAY_SIZE(machines); m++) {
        RasVm *vm = ras_start_binary(NULL, machines[m], "");

        for (int i = 0; i < ARRAY_SIZE(cases) - m; i++) {
            QDict *value = i ? qdict_from_jsonf_nofail("{ 'value': 65536 }") :
                           qdict_from_jsonf_nofail("{ 'value': %i }", m != 0);
            QDict *response, *error;

            qdict_put_str(value, "path", cases[i].path);
            qdict_put_str(value, "property", cases[i].property);
            response = qtest_qmp_assert_failure_ref(vm->qts,
                "{ 'execute': 'qom-set', 'arguments': %p }", value);
            error = qdict_get_qdict(response, "error") ?: response;
            ras_assert_like(qdict_get_str(error, "desc"), cases[i].message);
            qobject_unref(response);
        }
        /* the tables are built anew */
        ras_reset(vm);
        g_byte_array_unref(fw_cfg_file(vm, "etc/acpi/tables"));
        ras_quit(vm);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/ghes/registers/values", test_values);
    qtest_add_func("/ras/ghes/registers/other-base", test_other_base);
    qtest_add_func("/ras/ghes/registers/host-pages", test_host_pages);
    qtest_add_func("/ras/ghes/registers/bad-access", test_bad_access);
    qtest_add_func("/ras/ghes/registers/read-only", test_read_only);
    qtest_add_func("/ras/ghes/registers/ack-without-record",
                   test_ack_without_record);
    qtest_add_func("/ras/ghes/record/one", test_record);
    qtest_add_func("/ras/ghes/record/pages", test_pages);
    qtest_add_func("/ras/ghes/record/acknowledge", test_acknowledge);
    qtest_add_func("/ras/ghes/record/scribble", test_scribble);
    qtest_add_data_func("/ras/ghes/record/interrupt", GINT_TO_POINTER(GED),
                        test_asynchronous);
    qtest_add_data_func("/ras/ghes/record/polled", GINT_TO_POINTER(POLLED),
                        test_asynchronous);
    qtest_add_func("/ras/ghes/record/reminders", test_reminders);
    qtest_add_func("/ras/ghes/arm-processor/types", test_arm_types);
    qtest_add_func("/ras/ghes/arm-processor/arguments", test_arm_arguments);
    qtest_add_func("/ras/ghes/arm-processor/vcpus", test_arm_vcpus);
    qtest_add_func("/ras/ghes/arm-processor/polled", test_arm_polled);
    qtest_add_func("/ras/ghes/arm-processor/synchronous",
                   test_arm_synchronous);
    qtest_add_func("/ras/ghes/arm-processor/refused", test_arm_refused);
    qtest_add_func("/ras/ghes/device-memory-refused",
                   test_device_memory_refused);
    qtest_add_func("/ras/ghes/cper/arrives", test_cper);
    qtest_add_func("/ras/ghes/cper/corrected", test_cper_corrected);
    qtest_add_func("/ras/ghes/cper/reset", test_cper_reset);
    qtest_add_func("/ras/ghes/cper/inject-ghes-v2-error/good",
                   test_inject_ghes_v2);
    qtest_add_func("/ras/ghes/cper/inject-ghes-v2-error/script",
                   test_inject_ghes_v2_script);
    qtest_add_func("/ras/ghes/cper/inject-ghes-v2-error/moves",
                   test_inject_ghes_v2_moves);
    qtest_add_func("/ras/ghes/cper/section-lengths", test_section_lengths);
    qtest_add_func("/ras/ghes/cper/way-refused", test_cper_way_refused);
    qtest_add_func("/ras/ghes/cper/base64-refused", test_base64_refused);
    qtest_add_func("/ras/ghes/cper/block-refused", test_block_refused);
    qtest_add_func("/ras/ghes/cper/long-refused", test_long_refused);
    qtest_add_func("/ras/ghes/boot-errors", test_boot_errors);
    qtest_add_func("/ras/ghes/reset", test_reset);
    qtest_add_func("/ras/ghes/migration", test_migration);
    qtest_add_func("/ras/ghes/migration-with-records-out",
                   test_migration_with_records_out);
    qtest_add_func("/ras/ghes/migration-between-records",
                   test_migration_between_records);
    qtest_add_func("/ras/ghes/migration-of-a-fatal-error",
                   test_migration_of_a_fatal_error);
    qtest_add_func("/ras/ghes/fatal-error-cut-off", test_fatal_error_cut_off);
    qtest_add_func("/ras/ghes/record-while-moving", test_record_while_moving);
    qtest_add_func("/ras/ghes/properties-are-fixed",
                   test_properties_are_fixed);
    qtest_add_func("/ras/ghes/tables/hest", test_hest);
    qtest_add_func("/ras/ghes/tables/bert", test_bert);
    qtest_add_func("/ras/ghes/tables/dsdt", test_dsdt);
    return g_test_run();
}
