/*
 * QTest of guest RAS on "pseries": guests that move
 *
 * RAS_STOCK_QEMU_PPC64: the same release of QEMU without guest RAS; the tests
 * that compare with it are skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/* The guest is registered, and gets its error. */
static void check_moved(RasVm *vm)
{
    uint64_t entries = mail(vm, MAIL_ENTRIES);

    g_assert_true(ras_ready(vm));
    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, entries + 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
}

/* A guest that has registered can be moved. */
static void test_move(void)
{
    RasVm *vm = start_registered("");

    check_moved(vm);
    vm = move(vm, NULL);
    check_moved(vm);
    ras_quit(vm);
}

/* The handler runs when it is moved, and finishes on arrival. */
static void test_move_log_out(void)
{
    RasVm *vm = start_registered("");
    uint64_t id = ras_consume(vm, PAGE(0), 0);
    uint64_t entries;

    wait_entries(vm, 1);
    vm = move(vm, NULL);
    ras_assert_state(vm, id, "notified");
    entries = mail(vm, MAIL_ENTRIES);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, entries + 1);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* It can move to stock, and back. */
static void test_stock_moves(void)
{
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    vm = start_registered("");
    check_moved(vm);
    vm = move(vm, STOCK);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    vm = move(vm, NULL);
    check_moved(vm);
    ras_quit(vm);
}

/* It can have begun on stock. */
static void test_stock_begins(void)
{
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    vm = ras_start_binary(STOCK, "", "-accel tcg -S");
    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    vm = move(vm, NULL);
    check_moved(vm);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/move/log-out", test_move_log_out);
    qtest_add_func("/ras/pseries/moves", test_move);
    qtest_add_func("/ras/pseries/stock/moves", test_stock_moves);
    qtest_add_func("/ras/pseries/stock/begins", test_stock_begins);
    return g_test_run();
}
