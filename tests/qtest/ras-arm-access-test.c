/*
 * QTest of guest RAS on "virt" with ras=on: a guest that accesses poison
 *
 * By load, store and fetch, or by DMA; and poison in memory that is unplugged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"
#include "ras-fail.h"

/*
 * Load, store and fetch: the syndrome says which, FAR has the exact address,
 * and so has the record.  What was lost is there again after ras-unpoison.
 */
static void test_access(const void *options)
{
    static const struct {
        const char *name;
        uint32_t esr;           /* EC, IL, WnR, FSC; FnV is 0 */
    } kinds[] = {
        { "load", 0x25 << 26 | 1 << 25 | 0x10 },
        { "store", 0x25U << 26 | 1 << 25 | 1 << 6 | 0x10 },
        { "fetch", 0x21U << 26 | 1 << 25 | 0x10 },
    };
    const uint32_t mask = 0x3f << 26 | 1 << 25 | 1 << 10 | 1 << 6 | 0x3f;
    RasVm *vm = start_guest(options);
    uint64_t address = PAGE(9) + 0x128;
    uint64_t content = 0x1122334455667788;
    uint8_t block[BLOCK_SIZE];

    qtest_writeq(vm->qts, address, content);
    ras_poison(vm, PAGE(9), RAS_PAGE);
    for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
        QDict *error;

        access_memory(vm, address, i);
        ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == i + 1);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR) & mask, ==, kinds[i].esr);
        g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, address);
        read_block(vm, block);
        check_block(block, address, 1, 0);

        error = ras_next_step(vm, i + 1, "accepted");
        g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "poison");
        g_assert_cmpstr(qdict_get_str(error, "access"), ==, kinds[i].name);
        g_assert_cmphex(ras_get_uint(error, "address"), ==, address);
        g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, address);
        qobject_unref(error);
        acknowledge_live(vm);
        ras_drop_events(vm);
    }
    g_assert_cmpuint(mail(vm, RAS_ARM_DONE), ==, 0);
    ras_assert_count(vm, "poison-other-accesses", 0);

    ras_unpoison(vm, PAGE(9), RAS_PAGE);
    access_memory(vm, address, 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 1);
    g_assert_cmphex(mail(vm, RAS_ARM_VALUE), ==, content);
    ras_assert_count(vm, "accepted", ARRAY_SIZE(kinds));
    ras_quit(vm);
}

/*
 * Memory that has failed on the host, and of which nobody knows: it is
 * generated code that meets it first, and the guest gets what it gets for
 * poison.
 */
static void test_failed_on_host(void)
{
    if (!ras_can_fail()) {
        return;
    }
    for (int kind = 0; kind < 2; kind++) {
        RasVm *vm = start_guest("");
        uint64_t address = PAGE(9) + 0x128;
        uint8_t block[BLOCK_SIZE];

        /* TCG has its host address */
        access_memory(vm, address, kind);
        ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 1);
        ras_fail(vm, PAGE(9));
        access_memory(vm, address, kind);
        ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR) >> 26, ==, 0x25);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR) >> 6 & 1, ==, kind);
        g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, address);
        read_block(vm, block);
        check_block(block, address, 1, 0);
        acknowledge_live(vm);
        g_assert_cmpuint(mail(vm, RAS_ARM_DONE), ==, 1);

        /* the rest of memory is as good as before */
        access_memory(vm, PAGE(10), kind);
        ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 2);
        ras_quit(vm);
    }
}

/*
 * A store that crosses into a poisoned page: nothing of it was done, neither by
 * one access (STP) nor by several (ST1D), and the address is where poison is.
 */
static void test_crossing(void)
{
    static const uint32_t stores[] = {
        0xa90020e7,             /* stp x7, x8, [x7] */
        0xe5e0e0e0,             /* st1d {z0.d}, p0, [x7] */
    };
    RasVm *vm = start_guest("");
    uint64_t from = PAGE(9) - 8;

    qtest_memset(vm->qts, PAGE(8), 0x11, 2 * RAS_PAGE);
    ras_poison(vm, PAGE(9), RAS_PAGE);
    for (int i = 0; i < ARRAY_SIZE(stores); i++) {
        uint32_t code[] = {
            0xd2800007 | (from & 0xffff) << 5,      /* movz x7, from */
            0xf2a00007 | (from >> 16) << 5,         /* movk x7, from >> 16 */
            0xd2a00668,                             /* movz x8, 0x33 << 16 */
            0xd5181048,                             /* msr CPACR_EL1, x8 */
            0xd5033fdf,                             /* isb */
            0x25d8e3e0,                             /* ptrue p0.d */
            stores[i],
        };

        for (int n = 0; n < ARRAY_SIZE(code); n++) {
            qtest_writel(vm->qts, PAGE(20 + i) + 4 * n, code[n]);
        }
        access_memory(vm, PAGE(20 + i), 2);
        ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == i + 1);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR) >> 26, ==, 0x25);
        g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, PAGE(9));
        g_assert_cmphex(qtest_readq(vm->qts, from), ==, 0x1111111111111111);
        acknowledge_live(vm);
    }
    ras_unpoison(vm, PAGE(9), RAS_PAGE);
    g_assert_cmphex(qtest_readq(vm->qts, PAGE(9)), ==, 0x1111111111111111);
    ras_quit(vm);
}

/* An injected error without a virtual address: FAR is said to be not valid. */
static void test_far_not_valid(void)
{
    RasVm *vm = start_guest("");

    ras_consume(vm, PAGE(0), 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
    g_assert_cmphex(mail(vm, RAS_ARM_ESR) & 1 << 10, ==, 1 << 10);
    ras_quit(vm);
}

/* Poison that nobody touches, pages beside it that are: nothing happens. */
static void test_untouched(void)
{
    RasVm *vm = start_guest("");

    ras_poison(vm, PAGE(9), RAS_PAGE);
    access_memory(vm, PAGE(9) - 8, 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 1);
    access_memory(vm, PAGE(10), 1);
    ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 2);
    ras_assert_count(vm, "accepted", 0);
    g_assert_cmpuint(mail(vm, RAS_ARM_ENTRIES), ==, 0);
    ras_quit(vm);
}

/*
 * The owner of a record consumes the next error: it went on without an
 * acknowledgement, so the record is withdrawn at once.  What was injected for
 * the same vCPU meanwhile comes after what it consumed.
 */
static void test_second_consumed(void)
{
    RasVm *vm = start_guest("");
    uint8_t block[BLOCK_SIZE];

    ras_poison(vm, PAGE(1), RAS_PAGE);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    access_memory(vm, PAGE(1), 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
    g_assert_cmpuint(ras_consume(vm, PAGE(5), 0), ==, 2);
    ras_assert_state(vm, 1, "notified");
    ras_assert_state(vm, 2, "queued");
    ras_drop_events(vm);

    access_memory(vm, PAGE(3), 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 2);
    ras_expect_step(vm, 3, "accepted");
    ras_expect_step(vm, 3, "queued");
    ras_expect_step(vm, 1, "reclaimed");
    ras_expect_step(vm, 3, "recorded");
    ras_expect_step(vm, 3, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    read_block(vm, block);
    check_block(block, PAGE(3), 1, 0);
    ras_assert_state(vm, 2, "queued");

    acknowledge_live(vm);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 3);
    read_block(vm, block);
    check_block(block, PAGE(5), 1, 0);
    ras_quit(vm);
}

/* --- memory that is unplugged -------------------------------------------- */

#define DIMM \
    "-m 256,slots=1,maxmem=4G -object memory-backend-ram,id=m,size=256M " \
    "-device pc-dimm,id=dimm,memdev=m "

#define DIMM_ADDRESS    0x80000000ULL
#define PCDIMM_ACPI     0x09070000ULL

/* What the guest does with a module that it gives back: eject. */
static void unplug_dimm(RasVm *vm)
{
    qtest_qmp_device_del_send(vm->qts, "dimm");
    qtest_writel(vm->qts, PCDIMM_ACPI, 0);
    qtest_writeb(vm->qts, PCDIMM_ACPI + 0x14, 1 << 3);
}

/* Poison goes with its memory: the next module there is good. */
static void test_unplug_poison(void)
{
    RasVm *vm = ras_start("-accel tcg -S " DIMM);

    ras_poison(vm, DIMM_ADDRESS + RAS_PAGE, RAS_PAGE);
    ras_poison(vm, PAGE(0), RAS_PAGE);
    unplug_dimm(vm);
    ras_assert_part(vm, "poisoned", "[ { 'address': 1107296256, "
                    "'length': 4096, 'severity': 'recoverable' } ]");
    ras_inject_refused(vm, "*is not RAM*", "{ 'kind': 'memory',"
                       " 'mode': 'poison', 'severity': 'recoverable',"
                       " 'address': %llu }", DIMM_ADDRESS + RAS_PAGE);
    ras_quit(vm);
}

/*
 * Two modules beside each other, with one range of poison over both: it is one
 * module's end that goes with it.
 */
static void test_unplug_one_of_two(void)
{
    RasVm *vm = ras_start("-accel tcg -S -m 256,slots=2,maxmem=4G"
                          " -object memory-backend-ram,id=m,size=128M"
                          " -object memory-backend-ram,id=n,size=128M"
                          " -device pc-dimm,id=dimm,memdev=m"
                          " -device pc-dimm,id=other,memdev=n");
    uint64_t second = DIMM_ADDRESS + 128 * MiB;

    ras_poison(vm, second - RAS_PAGE, 2 * RAS_PAGE);
    ras_assert_part(vm, "poisoned", "[ { 'address': 2281697280, "
                    "'length': 8192, 'severity': 'recoverable' } ]");
    ras_unpoison(vm, second - RAS_PAGE, 2 * RAS_PAGE);
    ras_poison(vm, second, RAS_PAGE);
    ras_poison(vm, second - RAS_PAGE, RAS_PAGE);
    unplug_dimm(vm);
    ras_assert_part(vm, "poisoned", "[ { 'address': 2281701376, "
                    "'length': 4096, 'severity': 'recoverable' } ]");
    qtest_readb(vm->qts, second);
    ras_assert_count(vm, "poison-other-accesses", 1);
    ras_quit(vm);
}

/* The block goes away with a record in it: the error ends all the same. */
static void test_unplug_block(void)
{
    RasVm *vm = ras_start(DIMM);
    uint64_t id;

    qtest_writeq(vm->qts, DIMM_ADDRESS, DIMM_ADDRESS + BLOCK);
    qtest_writeq(vm->qts, DIMM_ADDRESS + READ_ACK, 1);
    set_address(vm, DIMM_ADDRESS);
    id = consume_notified(vm, PAGE(0), 0);
    unplug_dimm(vm);
    g_assert_false(ras_ready(vm));
    step_ms(vm, 2000);
    ras_assert_state(vm, id, "over");
    consume_taken(vm);
    ras_quit(vm);
}

/* --- poison -------------------------------------------------------------- */

/* Ranges of different severity lie beside each other without joining. */
static void test_poison_severity(void)
{
    RasVm *vm = start_ready("-accel tcg -S");

    ras_poison(vm, PAGE(1), RAS_PAGE);
    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'poison',"
               " 'severity': 'fatal', 'address': %llu }", PAGE(2));
    ras_poison(vm, PAGE(3), RAS_PAGE);
    ras_assert_part(vm, "poisoned",
        "[ { 'address': 1107300352, 'length': 4096,"
        "    'severity': 'recoverable' },"
        "  { 'address': 1107304448, 'length': 4096, 'severity': 'fatal' },"
        "  { 'address': 1107308544, 'length': 4096,"
        "    'severity': 'recoverable' } ]");
    ras_quit(vm);
}

/* A device whose DMA hits poison reports the error in its own way. */
static void test_poison_dma(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint32_t signature = cpu_to_le32(0x55aa55aa);

    g_assert_cmphex(fw_cfg_dma(vm, FW_CFG_SIGNATURE, FW_CFG_DMA_CTL_READ,
                               PAGE(1), 4), ==, 0);
    g_assert_cmphex(qtest_readl(vm->qts, PAGE(1)), ==, 0x554d4551);
    qtest_memwrite(vm->qts, PAGE(1), &signature, sizeof(signature));
    ras_poison(vm, PAGE(1), RAS_PAGE);
    g_assert_cmphex(fw_cfg_dma(vm, FW_CFG_SIGNATURE, FW_CFG_DMA_CTL_READ,
                               PAGE(1), 4), ==, FW_CFG_DMA_CTL_ERROR);
    ras_assert_count(vm, "poison-other-accesses", 1);
    ras_unpoison(vm, PAGE(1), RAS_PAGE);
    g_assert_cmphex(qtest_readl(vm->qts, PAGE(1)), ==, 0x55aa55aa);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_data_func("/ras/virt/access/kinds", "", test_access);
    qtest_add_data_func("/ras/virt/access/kinds-icount", "-icount shift=3",
                        test_access);
    qtest_add_func("/ras/virt/access/far-not-valid", test_far_not_valid);
    qtest_add_func("/ras/virt/access/untouched", test_untouched);
    qtest_add_func("/ras/virt/second/consumed", test_second_consumed);
    qtest_add_func("/ras/virt/unplug/poison", test_unplug_poison);
    qtest_add_func("/ras/virt/unplug/one-of-two", test_unplug_one_of_two);
    qtest_add_func("/ras/virt/unplug/block", test_unplug_block);
    qtest_add_func("/ras/virt/poison/crossing", test_crossing);
    qtest_add_func("/ras/virt/poison/failed-on-host", test_failed_on_host);
    qtest_add_func("/ras/virt/poison/severity", test_poison_severity);
    qtest_add_func("/ras/virt/poison/dma", test_poison_dma);
    return g_test_run();
}
