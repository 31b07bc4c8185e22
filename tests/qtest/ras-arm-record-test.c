/*
 * QTest of guest RAS on "virt" with ras=on: records and their acknowledgement
 *
 * What is in a record, how it is acknowledged, who waits for that, and how it
 * is withdrawn if nobody does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"

/* One error: the bytes in guest memory, the read-ack register, the steps. */
static void test_record(void)
{
    RasVm *vm = start_ready("");
    uint8_t block[BLOCK_SIZE], guard[64], zero[64] = { 0 };
    QDict *step;
    uint64_t id;

    g_assert_cmphex(read_ack(vm), ==, 1);
    id = consume_notified(vm, PAGE(3), 0);
    read_block(vm, block);
    check_block(block, PAGE(3), 1, 0);
    g_assert_cmphex(read_ack(vm), ==, 0);
    g_assert_cmphex(qtest_readq(vm->qts, HEADER), ==, HEADER + BLOCK);
    qtest_memread(vm->qts, HEADER - sizeof(guard), guard, sizeof(guard));
    g_assert_cmpmem(guard, sizeof(guard), zero, sizeof(zero));
    qtest_memread(vm->qts, HEADER + BLOB_SIZE, guard, sizeof(guard));
    g_assert_cmpmem(guard, sizeof(guard), zero, sizeof(zero));

    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_step(vm, id, "recorded");
    step = ras_next_step(vm, id, "notified");
    ras_assert_like(qdict_get_str(step, "delivery"),
                    "synchronous external abort with*record*");
    qobject_unref(step);
    ras_expect_memory_failure(vm, "inject", false);
    ras_assert_count(vm, "recorded", 1);
    ras_assert_count(vm, "notified", 1);
    ras_assert_count(vm, "in-flight", 1);

    acknowledge(vm);
    ras_expect_step(vm, id, "acknowledged");
    ras_assert_count(vm, "acknowledged", 1);
    ras_assert_count(vm, "in-flight", 0);
    ras_pump(vm);
    g_assert_cmpuint(vm->events.length, ==, 0);
    ras_quit(vm);
}

/* The vCPU takes a synchronous exception: it is at VBAR + 0x200 afterwards. */
static void test_exception(void)
{
    RasVm *vm = start_ready("");
    g_autofree char *before = qtest_hmp(vm->qts, "info registers");
    g_autofree char *after = NULL;

    ras_assert_like(before, "* PC=0000000000000000 *");
    consume_notified(vm, PAGE(0), 0);
    after = qtest_hmp(vm->qts, "info registers");
    ras_assert_like(after, "* PC=0000000000000200 *");
    ras_quit(vm);
}

/* Severity "fatal" reaches the record. */
static void test_fatal(void)
{
    RasVm *vm = start_ready("");
    uint8_t block[BLOCK_SIZE];
    uint64_t id;

    id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                    " 'severity': 'fatal', 'address': %llu, 'vcpu': 0 }",
                    PAGE(1));
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    read_block(vm, block);
    check_block(block, PAGE(1), 1, 1);
    ras_quit(vm);
}

/* A record names each lost page; what does not fit into one is refused. */
static void test_pages(void)
{
    RasVm *vm = start_ready("");
    uint8_t block[BLOCK_SIZE];
    uint64_t id;

    ras_inject_refused(vm, "*7 pages*maximum is 6*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %llu, 'length': %llu, 'vcpu': 0 }",
                       PAGE(0), (unsigned long long)(7 * RAS_PAGE));
    for (unsigned int pages = 1; pages <= 6; pages += 5) {
        id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                        " 'severity': 'recoverable', 'address': %llu,"
                        " 'length': %llu, 'vcpu': 0 }", PAGE(100),
                        (unsigned long long)(pages * RAS_PAGE));
        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        read_block(vm, block);
        check_block(block, PAGE(100), pages, 0);
        acknowledge(vm);
    }
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* --- acknowledgement ----------------------------------------------------- */

/* Only bit 0 acknowledges, that is the write mask of the source. */
static void test_acknowledge(void)
{
    static const struct {
        uint64_t value;
        bool acknowledges;
    } cases[] = {
        { 0, false },
        { 2, false },
        { ~1ULL, false },
        { 1ULL << 32, false },
        { 1, true },
        { 3, true },
        { ~0ULL, true },
    };
    RasVm *vm = start_ready("");

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t id = consume_notified(vm, PAGE(i), 0);

        g_assert_cmphex(read_ack(vm) & 1, ==, 0);
        qtest_writeq(vm->qts, HEADER + READ_ACK, cases[i].value);
        step_ms(vm, 100);
        if (!cases[i].acknowledges) {
            ras_assert_state(vm, id, "notified");
            acknowledge(vm);
        }
        ras_assert_state(vm, id, "over");
        ras_assert_count(vm, "acknowledged", i + 1);
    }
    ras_assert_count(vm, "reclaimed", 0);
    ras_quit(vm);
}

/* However long the guest takes, its acknowledgement is seen soon. */
static void test_acknowledge_late(void)
{
    RasVm *vm = start_ready("-global virt-ras.reclaim-ms=3000");

    for (int i = 0; i < 3; i++) {
        uint64_t id = consume_notified(vm, PAGE(i), 0);

        step_ms(vm, 500 + i * 700);
        ras_assert_state(vm, id, "notified");
        qtest_writel(vm->qts, HEADER + BLOCK, 0);
        qtest_writeq(vm->qts, HEADER + READ_ACK, read_ack(vm) | 1);
        step_ms(vm, 10);
        ras_assert_state(vm, id, "over");
        ras_assert_count(vm, "acknowledged", i + 1);
    }
    ras_quit(vm);
}

/* The state of the source is visible: ready, and whose record is out. */
static void test_source(void)
{
    RasVm *vm = ras_start("");
    uint64_t id;

    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': false } ]");
    run_firmware(vm);
    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': true } ]");
    id = consume_notified(vm, PAGE(0), 0);
    g_assert_cmpuint(id, ==, 1);
    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': true, 'outstanding': 1 } "
                    "]");
    acknowledge(vm);
    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': true } ]");
    ras_quit(vm);
}

/*
 * An error of another vCPU while a record is out: its vCPU is parked, the
 * record is left alone, and after the acknowledgement comes the next.  The
 * two are different though the error is the same: Linux drops equal ones.
 */
static void test_second_vcpu(void)
{
    RasVm *vm = start_ready("");
    uint8_t first[BLOCK_SIZE], now[BLOCK_SIZE], second[BLOCK_SIZE];
    uint64_t a = consume_notified(vm, PAGE(5), 0), b;

    read_block(vm, first);
    b = ras_consume(vm, PAGE(5), 1);
    step_ms(vm, 100);
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[ 1 ]");
    read_block(vm, now);
    g_assert_cmpmem(now, BLOCK_SIZE, first, BLOCK_SIZE);
    g_assert_cmphex(read_ack(vm) & 1, ==, 0);

    ras_drop_events(vm);
    acknowledge(vm);
    ras_expect_step(vm, a, "acknowledged");
    ras_expect_step(vm, b, "recorded");
    ras_expect_step(vm, b, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    ras_assert_part(vm, "parked", "[]");
    read_block(vm, second);
    check_block(second, PAGE(5), 1, 0);
    g_assert_cmpint(memcmp(first, second, BLOCK_SIZE), !=, 0);
    g_assert_cmpint(memcmp(first + ENTRIES + FRU_TEXT,
                           second + ENTRIES + FRU_TEXT, FRU_TEXT_SIZE), !=, 0);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/*
 * A second injected error on the vCPU that owns the record waits, and the
 * vCPU runs: nobody else could acknowledge the first.
 */
static void test_second_same_vcpu(void)
{
    RasVm *vm = start_ready("");
    uint64_t a = consume_notified(vm, PAGE(5), 0);
    uint64_t b = ras_consume(vm, PAGE(6), 0);
    uint8_t block[BLOCK_SIZE];

    step_ms(vm, 100);
    ras_assert_state(vm, a, "notified");
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[]");
    acknowledge(vm);
    ras_wait_until(vm, ras_state_is(vm, b, "notified"));
    read_block(vm, block);
    check_block(block, PAGE(6), 1, 0);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 2);
    ras_assert_count(vm, "reclaimed", 0);
    ras_quit(vm);
}

/* A burst on both vCPUs: one record at a time, in order, none is lost. */
static void test_burst(void)
{
    const unsigned int n = 64;
    RasVm *vm = start_ready("");
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                       g_free, NULL);
    uint8_t block[BLOCK_SIZE];

    for (unsigned int i = 1; i <= n; i++) {
        g_assert_cmpuint(ras_consume(vm, PAGE(i), i % 2), ==, i);
    }
    for (unsigned int i = 1; i <= n; i++) {
        ras_wait_until(vm, ras_state_is(vm, i, "notified"));
        read_block(vm, block);
        check_block(block, PAGE(i), 1, 0);
        g_hash_table_add(seen, g_strndup((char *)block + ENTRIES + FRU_TEXT,
                                         FRU_TEXT_SIZE));
        acknowledge(vm);
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, n);
    ras_assert_count(vm, "acknowledged", n);
    ras_assert_count(vm, "in-flight", 0);
    ras_quit(vm);
}

/*
 * A record that is never acknowledged is withdrawn after reclaim-ms of the
 * guest's time, not before, and the next error is delivered.
 */
static void check_reclaim(const char *options, unsigned int reclaim_ms)
{
    RasVm *vm = start_ready(options);
    uint64_t a = consume_notified(vm, PAGE(1), 0);
    uint64_t b = ras_consume(vm, PAGE(2), 1);
    uint8_t block[BLOCK_SIZE];

    ras_drop_events(vm);
    step_ms(vm, reclaim_ms - 1);
    ras_assert_state(vm, a, "notified");
    g_assert_cmphex(block_status(vm), !=, 0);
    step_ms(vm, 2);
    ras_expect_step(vm, a, "reclaimed");
    ras_expect_step(vm, b, "recorded");
    ras_expect_step(vm, b, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    read_block(vm, block);
    check_block(block, PAGE(2), 1, 0);
    g_assert_cmphex(read_ack(vm), ==, 0);

    /* nothing follows the second: the source is as the firmware left it */
    step_ms(vm, reclaim_ms + 1);
    ras_expect_step(vm, b, "reclaimed");
    g_assert_cmphex(block_status(vm), ==, 0);
    g_assert_cmphex(read_ack(vm), ==, 1);
    ras_assert_count(vm, "reclaimed", 2);
    ras_assert_count(vm, "in-flight", 0);

    /* a late acknowledgement is nobody's */
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 0);
    ras_quit(vm);
}

/* By default it is a second; property reclaim-ms changes that. */
static void test_reclaim(void)
{
    check_reclaim("", 1000);
    check_reclaim("-global virt-ras.reclaim-ms=50", 50);
}

/* A stopped guest cannot acknowledge: its time does not run out. */
static void test_reclaim_stopped(void)
{
    RasVm *vm = start_ready("-accel tcg -global virt-ras.reclaim-ms=200");
    uint64_t id, over = 0;

    /* on a busy host it may be over before the stop */
    for (int i = 0; i < 100; i++) {
        id = ras_consume(vm, PAGE(1), 0);
        ras_wait_count(vm, "notified", i + 1);
        ras_stop(vm);
        over = ras_count(vm, "reclaimed");
        if (over == i) {
            break;
        }
        ras_cont(vm);
    }
    g_usleep(300 * 1000);
    ras_assert_state(vm, id, "notified");
    ras_cont(vm);
    ras_wait_count(vm, "reclaimed", over + 1);
    ras_quit(vm);
}

static RasVm *start_with_record(unsigned int reclaim_ms)
{
    g_autofree char *options =
        g_strdup_printf("-accel tcg -global virt-ras.reclaim-ms=%u",
                        reclaim_ms);
    RasVm *vm = start_ready(options);

    consume_notified(vm, PAGE(1), 0);
    return vm;
}

/* Nor can one whose QEMU is frozen. */
static void test_reclaim_frozen(void)
{
    ras_check_frozen(start_with_record);
}

/* ras=on without ACPI: no records, but errors, as the hint of QEMU says. */
static void test_acpi_off(void)
{
    RasVm *vm = ras_start_binary(NULL, ",ras=on,acpi=off", "");

    g_assert_false(ras_ready(vm));
    consume_taken(vm);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/virt/record/one", test_record);
    qtest_add_func("/ras/virt/record/exception", test_exception);
    qtest_add_func("/ras/virt/record/fatal", test_fatal);
    qtest_add_func("/ras/virt/record/pages", test_pages);
    qtest_add_func("/ras/virt/acknowledge/word", test_acknowledge);
    qtest_add_func("/ras/virt/acknowledge/late", test_acknowledge_late);
    qtest_add_func("/ras/virt/acknowledge/source", test_source);
    qtest_add_func("/ras/virt/second/other-vcpu", test_second_vcpu);
    qtest_add_func("/ras/virt/second/same-vcpu", test_second_same_vcpu);
    qtest_add_func("/ras/virt/second/burst", test_burst);
    qtest_add_func("/ras/virt/reclaim/time", test_reclaim);
    qtest_add_func("/ras/virt/reclaim/stopped", test_reclaim_stopped);
    qtest_add_func("/ras/virt/reclaim/frozen", test_reclaim_frozen);
    qtest_add_func("/ras/virt/acpi-off", test_acpi_off);
    return g_test_run();
}
