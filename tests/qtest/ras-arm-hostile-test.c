/*
 * QTest of guest RAS on "virt" with ras=on: a hostile guest, and resets
 *
 * The address of the block, the block and its header are the guest's word.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"

static void assert_filled(RasVm *vm, uint64_t address, size_t len,
                          uint8_t value)
{
    g_autofree uint8_t *bytes = g_malloc(len);

    qtest_memread(vm->qts, address, bytes, len);
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(bytes[i], ==, value);
    }
}

/* Write to flash, which takes commands for its two chips. */
static void program_flash(RasVm *vm, uint64_t address, uint32_t value)
{
    qtest_writel(vm->qts, address, 0x00400040);
    qtest_writel(vm->qts, address, value);
    qtest_writel(vm->qts, address, 0x00ff00ff);
    g_assert_cmphex(qtest_readl(vm->qts, address), ==, value);
}

/* Neither of these may be an address of 16 bytes that QEMU uses. */
static const uint64_t bad_addresses[] = {
    0, 1, FLASH, FLASH + RAS_PAGE, FLASH_END - 8, FLASH_END,
    UART, FW_CFG_DMA, RAM - 8, RAM - 1, RAM_END - 15, RAM_END - 8, RAM_END,
    0x7fffffffffffffff, 0x8000000000000000, -16ULL, -8ULL, -1ULL,
};

/* The address that firmware writes is not believed. */
static void test_hostile_address(void)
{
    RasVm *vm = start_ready("");

    /* what is there looks good, if it is not only the address that is bad */
    program_flash(vm, FLASH + RAS_PAGE, (uint32_t)(HEADER + BLOCK));
    qtest_writeq(vm->qts, RAM_END - 8, HEADER + BLOCK);
    for (int i = 0; i < ARRAY_SIZE(bad_addresses); i++) {
        set_address(vm, bad_addresses[i]);
        g_assert_false(ras_ready(vm));
        consume_taken(vm);
    }
    /* all is well there, but for the alignment */
    place_blob(vm, OTHER_HEADER + 4);
    set_address(vm, OTHER_HEADER + 4);
    g_assert_false(ras_ready(vm));
    g_assert_cmphex(block_status(vm), ==, 0);
    g_assert_cmphex(read_ack(vm), ==, 1);
    assert_filled(vm, FLASH, RAS_PAGE, 0);

    /* and a good one is good again */
    set_address(vm, HEADER);
    consume_notified(vm, PAGE(0), 0);
    ras_quit(vm);
}

/* Nor is the address of the block, which is in guest memory. */
static void test_hostile_pointer(void)
{
    RasVm *vm = start_ready("");
    static const uint64_t more[] = {
        RAM_END - BLOCK_SIZE + 1, RAM_END - 16, RAM - BLOCK_SIZE,
        -(uint64_t)BLOCK_SIZE,
    };

    for (int i = 0; i < ARRAY_SIZE(bad_addresses) + ARRAY_SIZE(more); i++) {
        uint64_t pointer = i < ARRAY_SIZE(bad_addresses) ? bad_addresses[i] :
                           more[i - ARRAY_SIZE(bad_addresses)];

        qtest_writeq(vm->qts, HEADER, pointer);
        g_assert_false(ras_ready(vm));
        consume_taken(vm);
    }
    g_assert_cmphex(read_ack(vm), ==, 1);
    assert_filled(vm, FLASH, RAS_PAGE, 0);
    qtest_writeq(vm->qts, HEADER, HEADER + BLOCK);
    consume_notified(vm, PAGE(0), 0);
    ras_quit(vm);
}

/* What just fits at the end of RAM is good. */
static void test_end_of_ram(void)
{
    RasVm *vm = ras_start("");
    uint64_t block = RAM_END - 16 - BLOCK_SIZE;
    uint8_t bytes[BLOCK_SIZE];

    qtest_writeq(vm->qts, RAM_END - 16, block);
    qtest_writeq(vm->qts, RAM_END - 8, 1);
    set_address(vm, RAM_END - 16);
    consume_notified(vm, PAGE(0), 0);
    qtest_memread(vm->qts, block, bytes, sizeof(bytes));
    check_block(bytes, PAGE(0), 1, 0);
    qtest_writeq(vm->qts, RAM_END - 8, 1);
    step_ms(vm, 20);
    ras_assert_count(vm, "acknowledged", 1);

    qtest_writeq(vm->qts, HEADER, RAM_END - BLOCK_SIZE);
    set_address(vm, HEADER);
    consume_notified(vm, PAGE(1), 0);
    qtest_memread(vm->qts, RAM_END - BLOCK_SIZE, bytes, sizeof(bytes));
    g_assert_cmphex(ldl_le_p(bytes), ==, 0x11);
    ras_quit(vm);
}

/*
 * The guest moves things while a record is out.  QEMU writes nowhere but where
 * the record went, and the error still ends.
 */
static void test_hostile_move(void)
{
    RasVm *vm = start_ready("");

    /* the pointer, then no acknowledgement: nothing is withdrawn elsewhere */
    qtest_memset(vm->qts, OTHER_HEADER, 0xaa, 2 * BLOCK_SIZE);
    consume_notified(vm, PAGE(0), 0);
    qtest_writeq(vm->qts, HEADER, OTHER_HEADER + BLOCK);
    step_ms(vm, 2000);
    ras_assert_count(vm, "reclaimed", 1);
    assert_filled(vm, OTHER_HEADER, 2 * BLOCK_SIZE, 0xaa);

    /* the pointer, then an acknowledgement: it counts */
    place_blob(vm, HEADER);
    consume_notified(vm, PAGE(0), 0);
    qtest_writeq(vm->qts, HEADER, UART);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 1);

    /* the address, to a source that looks acknowledged, or like nothing */
    for (int i = 0; i < 2; i++) {
        place_blob(vm, HEADER);
        set_address(vm, HEADER);
        qtest_memset(vm->qts, OTHER_HEADER, 0xaa, 2 * BLOCK_SIZE);
        qtest_writeq(vm->qts, OTHER_HEADER, OTHER_HEADER + BLOCK);
        consume_notified(vm, PAGE(0), 0);
        set_address(vm, i ? RAM_END : OTHER_HEADER);
        step_ms(vm, 2000);
        ras_assert_count(vm, "in-flight", 0);
        assert_filled(vm, OTHER_HEADER + READ_ACK, 2 * BLOCK_SIZE - READ_ACK,
                      0xaa);
    }
    ras_quit(vm);
}

/* A block that lies over its own header: garbage, but no harm to QEMU. */
static void test_hostile_overlap(void)
{
    static const int offsets[] = { 0, 4, 8, -8, -BLOCK_SIZE + 9 };
    RasVm *vm = start_ready("");

    for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
        place_blob(vm, HEADER);
        qtest_writeq(vm->qts, HEADER, HEADER + offsets[i]);
        ras_consume(vm, PAGE(i), 0);
        ras_wait_count(vm, "notified", i + 1);
        step_ms(vm, 2000);
        ras_assert_count(vm, "in-flight", 0);
    }
    ras_quit(vm);
}

/* Poison on the way: the block, its header, before and after the record. */
static void test_poisoned_block(void)
{
    static const uint64_t offsets[] = { 0, RAS_PAGE };
    RasVm *vm = ras_start("-accel tcg -global virt-ras.reclaim-ms=500");

    for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint64_t page = HEADER + offsets[i];
        uint64_t id;

        /* the block is in the page behind that of the header */
        place_blob(vm, HEADER);
        qtest_writeq(vm->qts, HEADER, HEADER + RAS_PAGE);
        set_address(vm, HEADER);
        ras_poison(vm, page, RAS_PAGE);
        g_assert_false(ras_ready(vm));
        consume_taken(vm);
        ras_unpoison(vm, page, RAS_PAGE);

        id = ras_consume(vm, PAGE(0), 0);
        ras_wait_until(vm, ras_count(vm, "recorded") == i + 1);
        ras_poison(vm, page, RAS_PAGE);
        ras_wait_until(vm, ras_state_is(vm, id, "over"));
        ras_unpoison(vm, page, RAS_PAGE);
    }
    ras_assert_count(vm, "in-flight", 0);
    ras_quit(vm);
}

/* --- resets, check-stop -------------------------------------------------- */

/*
 * After a reset the RAM belongs to somebody else until firmware has run
 * again: nothing is written to where the block was.
 */
static void test_reset_forgets(void)
{
    RasVm *vm = start_ready("");
    uint64_t id = consume_notified(vm, PAGE(0), 0);

    ras_drop_events(vm);
    ras_reset(vm);
    ras_expect_step(vm, id, "discarded");
    g_assert_false(ras_ready(vm));
    qtest_memset(vm->qts, HEADER, 0xaa, BLOB_SIZE);
    qtest_writeq(vm->qts, HEADER, HEADER + BLOCK);
    consume_taken(vm);
    step_ms(vm, 2000);
    assert_filled(vm, HEADER + READ_ACK, BLOB_SIZE - READ_ACK, 0xaa);
    ras_assert_count(vm, "reclaimed", 0);

    run_firmware(vm);
    consume_notified(vm, PAGE(0), 0);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/*
 * A fatal error that can no longer be told of when its turn comes stops the
 * guest, and not QEMU; a reset brings it back.
 */
static void test_checkstop(void)
{
    g_autofree char *log = ras_temp_file();
    g_autofree char *options = g_strdup_printf("-action panic=pause 2>%s",
                                               log);
    RasVm *vm = start_ready(options);
    g_autofree char *text = NULL;
    g_autofree char *lost = NULL;
    g_autofree char *shown = NULL;
    uint64_t id;

    ras_stop(vm);
    id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                    " 'severity': 'fatal', 'address': %llu, 'vcpu': 0 }",
                    PAGE(1));
    g_assert_null(ras_lost(vm));
    set_address(vm, RAM_END);
    ras_cont(vm);
    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_memory_failure(vm, "reset", false);
    qobject_unref(ras_next_event(vm, "GUEST_PANICKED"));
    ras_wait_until(vm, ras_run_state_is(vm, "guest-panicked"));
    ras_assert_state(vm, id, "queued");
    ras_assert_part(vm, "parked", "[ 0 ]");
    ras_inject_refused(vm, "*check-stop*reset*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %llu, 'vcpu': 1 }", PAGE(9));
    text = ras_read_file(log, NULL);
    ras_assert_like(text, "*ras: error 1: memory, fatal, injected*0x42001000"
                    "*vCPU 0*check-stop: *error status block*");
    lost = ras_lost(vm);
    ras_assert_like(lost, "1: *error status block*");
    shown = qtest_hmp(vm->qts, "info ras");
    ras_assert_like(shown, "*check-stop since error 1: *error status block*");

    ras_reset(vm);
    g_assert_null(ras_lost(vm));
    ras_expect_step(vm, id, "discarded");
    ras_cont(vm);
    run_firmware(vm);
    id = consume_notified(vm, PAGE(1), 0);
    acknowledge(vm);
    ras_assert_state(vm, id, "over");
    ras_quit(vm);
    g_unlink(log);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/virt/record/end-of-ram", test_end_of_ram);
    qtest_add_func("/ras/virt/hostile/address", test_hostile_address);
    qtest_add_func("/ras/virt/hostile/pointer", test_hostile_pointer);
    qtest_add_func("/ras/virt/hostile/move", test_hostile_move);
    qtest_add_func("/ras/virt/hostile/overlap", test_hostile_overlap);
    qtest_add_func("/ras/virt/hostile/poisoned-block", test_poisoned_block);
    qtest_add_func("/ras/virt/reset", test_reset_forgets);
    qtest_add_func("/ras/virt/check-stop", test_checkstop);
    return g_test_run();
}
