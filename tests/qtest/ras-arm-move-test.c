/*
 * QTest of guest RAS on "virt" with ras=on: VMs that move, and tables
 *
 * RAS_STOCK_QEMU_AARCH64: the same release of QEMU without guest RAS; the tests
 * that compare with it are skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"

/* Move a VM to a new one; the old one is gone. */
static RasVm *move(RasVm *vm)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start("-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    g_unlink(file);
    return vm;
}

/*
 * A record is out, and one waits: both arrive, the guest acknowledges the
 * first, and gets the second.
 */
static void test_move(void)
{
    RasVm *vm = start_ready("");
    uint64_t first = consume_notified(vm, PAGE(0), 0);
    uint64_t second = ras_consume(vm, PAGE(1), 0);

    vm = move(vm);
    ras_assert_state(vm, first, "notified");
    ras_assert_state(vm, second, "queued");
    ras_assert_count(vm, "accepted", 2);
    acknowledge(vm);
    step_ms(vm, 20);
    ras_wait_until(vm, ras_state_is(vm, second, "notified"));
    ras_assert_count(vm, "acknowledged", 1);
    acknowledge(vm);
    step_ms(vm, 20);
    ras_wait_until(vm, ras_state_is(vm, second, "over"));
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* Nobody acknowledges on arrival, either: it is reclaimed as always. */
static void test_move_and_reclaim(void)
{
    RasVm *vm = start_ready("");
    uint64_t id = consume_notified(vm, PAGE(0), 0);

    vm = move(vm);
    step_ms(vm, 900);
    ras_assert_state(vm, id, "notified");
    step_ms(vm, 200);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_assert_count(vm, "reclaimed", 1);
    ras_quit(vm);
}

/* With an error that has a record, they both move as they are. */
static void test_move_serror_beside(void)
{
    RasVm *vm = start_ready("");
    uint64_t serror, memory;

    serror = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    memory = consume_notified(vm, PAGE(0), 0);
    vm = move(vm);
    ras_assert_state(vm, serror, "notified");
    ras_assert_state(vm, memory, "notified");
    ras_assert_part(vm, "serrors", "[ { 'vcpu': 0 } ]");
    ras_reset(vm);
    ras_assert_count(vm, "discarded", 2);
    ras_assert_part(vm, "serrors", "[]");
    ras_quit(vm);
}

/* --- equal to stock ------------------------------------------------------ */

/* The tables that the guest gets, and how firmware is to place them. */
static void test_stock_tables(const void *machine_options)
{
    static const char *const names[] = {
        "etc/acpi/tables", "etc/table-loader", "etc/acpi/rsdp",
        "etc/hardware_errors", "etc/hardware_errors_addr",
    };
    bool has_ras = strstr(machine_options, "ras=on");
    RasVm *ours, *stock;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    ours = ras_start_binary(NULL, machine_options, "");
    stock = ras_start_binary(STOCK, machine_options, "");
    for (int i = 0; i < ARRAY_SIZE(names); i++) {
        GByteArray *our_file = fw_cfg_file(ours, names[i]);
        GByteArray *stock_file = fw_cfg_file(stock, names[i]);

        g_assert_cmpint(!!our_file, ==, i < 3 || has_ras);
        g_assert_cmpint(!!stock_file, ==, !!our_file);
        if (our_file) {
            g_assert_cmpmem(our_file->data, our_file->len, stock_file->data,
                            stock_file->len);
            g_byte_array_unref(our_file);
            g_byte_array_unref(stock_file);
        }
    }
    ras_quit(ours);
    ras_quit(stock);
}

/*
 * A VM whose firmware has set up the block moves to stock and back: the
 * address goes with it, and errors are delivered on arrival.
 */
static void test_stock_moves_ready(void)
{
    static const char machine[] = ",ras=on,secure=on";
    g_autofree char *file = NULL;
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    file = ras_temp_file();
    vm = start_ready("");
    consume_notified(vm, PAGE(0), 0);
    acknowledge(vm);
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(STOCK, machine, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(NULL, machine, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    g_assert_true(ras_ready(vm));
    consume_notified(vm, PAGE(7), 1);
    g_assert_cmphex(block_status(vm), ==, 0x11);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
    g_unlink(file);
}

/* Run "virt,ras=on" without firmware until its monitor has nothing to do. */
static char *run_without_firmware(const char *binary, int *status)
{
    g_autofree char *log = ras_temp_file();
    g_autofree char *command =
        g_strdup_printf("(ulimit -c 0; echo quit | %s -machine virt,ras=on "
                        "-cpu max -nodefaults -display none -accel qtest "
                        "-monitor stdio) >%s 2>&1", binary, log);
    char *text;

    *status = system(command);
    g_assert_true(WIFEXITED(*status));
    *status = WEXITSTATUS(*status);
    text = ras_read_file(log, NULL);
    g_unlink(log);
    return text;
}

/* Without firmware stock QEMU crashes; a user needs to know what to do. */
static void test_stock_no_firmware(void)
{
    const char *stock = ras_env_or_skip(STOCK);
    g_autofree char *our_text = NULL;
    g_autofree char *stock_text = NULL;
    int status;

    our_text = run_without_firmware(g_getenv("QTEST_QEMU_BINARY"), &status);
    g_assert_cmpint(status, ==, 1);
    ras_assert_like(our_text, "*ras=on*needs*firmware*-bios*");
    if (stock) {
        stock_text = run_without_firmware(stock, &status);
        /* an assertion, or since QEMU 10.2 an address that is not there */
        if (status == 128 + SIGABRT) {
            ras_assert_like(stock_text, "*acpi_dev* failed*");
        } else {
            g_assert_cmpint(status, ==, 128 + SIGSEGV);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/virt/move/record-out", test_move);
    qtest_add_func("/ras/virt/move/serror-beside", test_move_serror_beside);
    qtest_add_func("/ras/virt/move/reclaim", test_move_and_reclaim);
    qtest_add_data_func("/ras/virt/stock/tables", "", test_stock_tables);
    qtest_add_data_func("/ras/virt/stock/tables-ras-on", ",ras=on",
                        test_stock_tables);
    qtest_add_func("/ras/virt/stock/moves-ready", test_stock_moves_ready);
    qtest_add_func("/ras/virt/stock/no-firmware", test_stock_no_firmware);
    return g_test_run();
}
