/*
 * QTest of the device "ras-ghes" on the Arm machine "virt"
 *
 * Registers, records and their acknowledgement.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-ghes.h"

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
    qtest_add_func("/ras/ghes/boot-errors", test_boot_errors);
    qtest_add_func("/ras/ghes/reset", test_reset);
    return g_test_run();
}
