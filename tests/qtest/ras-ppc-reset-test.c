/*
 * QTest of guest RAS on "pseries": system resets
 *
 * Their registers and save area, and resets of vCPUs that wait with an error.
 *
 * RAS_STOCK_QEMU_PPC64: the same release of QEMU without guest RAS; the test
 * that compares with it is skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

static void signal_reset(RasVm *vm, int64_t target)
{
    qtest_memset(vm->qts, RTAS_BASE, 0x99, 2 * RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, RESET_HANDLER, HANDLER), ==, SUCCESS);
    start_hypercall(vm, H_SIGNAL_SYS_RESET, target);
    wait_entries(vm, 1);
}

/* -1: all vCPUs.  (The first one alone is 0, which is no command here.) */
#define ALL_VCPUS (-1)

/*
 * A vCPU that resets itself by H_SIGNAL_SYS_RESET: the handler gets the
 * registers of after the hypercall, and r3 points to the saved one.
 */
static void test_sys_reset(void)
{
    RasVm *vm = start_registered("-smp 1");

    signal_reset(vm, ALL_VCPUS);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA_END);
    /* the status of the hypercall: success */
    g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + SAVE_AREA_END), ==, 0);
    ras_quit(vm);
}

/* The other vCPU, which makes no hypercall, has its own place. */
static void test_sys_reset_other(void)
{
    static const int64_t targets[] = { 1, -2 };

    for (int i = 0; i < ARRAY_SIZE(targets); i++) {
        RasVm *vm = start_registered("");
        uint64_t area = RTAS_BASE + SAVE_AREA_END + 16;

        start_second_vcpu(vm);
        signal_reset(vm, targets[i]);
        g_assert_cmphex(mail(vm, MAIL_R3), ==, area);
        g_assert_cmphex(qtest_readq(vm->qts, area), ==, SECOND_R3);
        g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOOP);
        ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1);
        g_assert_cmphex(mail(vm, MAIL_RESULT), ==, 0);
        ras_quit(vm);
    }
}

/* In stock, the status ends up as the pointer. */
static void test_stock_sys_reset(void)
{
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    vm = ras_start_binary(STOCK, "", "-accel tcg -S -smp 1");
    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    signal_reset(vm, ALL_VCPUS);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, 0);
    g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + SAVE_AREA_END), ==,
                    H_SIGNAL_SYS_RESET);
    ras_quit(vm);
}

/* --- vCPUs that are moved ------------------------------------------------ */

/* What the second vCPU does: load from the address that is in r3. */
#define LOADER          0x6800
#define LOADER_LOAD     (LOADER + 24)
#define STOP_SELF_ARGS  0xb000

static void write_loader(QTestState *qts)
{
    Code code = { qts, LOADER };

    emit_li(&code, 13, MAILBOX_OF(1));
    emit_li(&code, 4, MSR_RI);
    emit(&code, 0x7c810164);                                /* mtmsrd r4,1 */
    g_assert_cmphex(code.at, <=, LOADER_LOAD);
    while (code.at < LOADER_LOAD) {
        emit(&code, 0x60000000);                            /* nop */
    }
    emit(&code, 0xe8a30000);                                /* ld r5,0(r3) */
    emit_branch(&code, code.at);
}

/*
 * A system reset routine that notes where it comes from, and goes back.  r13 of
 * the first vCPU is 0: what it notes is in nobody's way.
 */
static void write_reset_routine(QTestState *qts)
{
    Code code = { qts, RESET_HANDLER };

    emit_mfspr(&code, 10, 26);
    emit(&code, 0xf94d0000 | MAIL_SRR0);            /* std r10,SRR0(r13) */
    emit(&code, 0xe8630000);                        /* ld r3,0(r3) */
    emit(&code, 0x4c000024);                        /* rfid */
}

/*
 * A system reset of a vCPU that is parked with what it has run into goes first,
 * although the error has to wait: its routine is entered from the instruction,
 * which then runs into the error again.
 */
static void test_reset_while_parked(const void *options)
{
    g_autofree char *all = g_strdup_printf(PATIENT "-S %s",
                                           (const char *)options);
    RasVm *vm = ras_start(all);
    uint32_t args[] = { 1, LOADER, PAGE(3) };
    uint64_t a;
    QDict *step;

    write_loader(vm->qts);
    run_guest(vm);
    write_reset_routine(vm->qts);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, RESET_HANDLER, HANDLER), ==, SUCCESS);
    a = ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
    ras_wait_count(vm, "accepted", 2);
    ras_drop_events(vm);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'inject-nmi' }");
    step = ras_next_step(vm, 2, "discarded");
    ras_assert_like(qdict_get_str(step, "delivery"), "not notified, *again");
    qobject_unref(step);
    ras_wait_count(vm, "accepted", 3);
    ras_assert_part(vm, "parked", "[ 1 ]");
    g_assert_cmphex(qtest_readq(vm->qts, MAILBOX_OF(1) + MAIL_SRR0), ==,
                    LOADER_LOAD);
    ras_assert_state(vm, a, "notified");

    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, 2);
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOADER_LOAD);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & MSR_RI, ==, MSR_RI);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, PAGE(3));
    ras_assert_state(vm, 3, "notified");
    ras_quit(vm);
}

static RasVm *move_stopped(RasVm *vm)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start(PATIENT "-incoming defer");
    ras_load(vm, file);
    g_unlink(file);
    return vm;
}

/*
 * The same after a move: the error that is parked belongs to the place at which
 * its vCPU is then.
 */
static void test_reset_after_move(void)
{
    RasVm *vm = ras_start(PATIENT "-S");
    uint32_t args[] = { 1, LOADER, PAGE(3) };

    write_loader(vm->qts);
    run_guest(vm);
    write_reset_routine(vm->qts);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, RESET_HANDLER, HANDLER), ==, SUCCESS);
    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
    ras_wait_count(vm, "accepted", 2);
    ras_stop(vm);
    vm = move_stopped(vm);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'inject-nmi' }");
    ras_cont(vm);
    ras_wait_count(vm, "accepted", 3);
    ras_assert_count(vm, "discarded", 1);
    g_assert_cmphex(qtest_readq(vm->qts, MAILBOX_OF(1) + MAIL_SRR0), ==,
                    LOADER_LOAD);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, 2);
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOADER_LOAD);
    ras_quit(vm);
}

static bool is_stopped(RasVm *vm, uint32_t vcpu)
{
    g_assert_cmpint(rtas(vm, "query-cpu-stopped-state", 1, &vcpu, 2), ==,
                    SUCCESS);
    return qtest_readl(vm->qts, RETS + 4) == 0;
}

/*
 * stop-self, and then H_PROD of another vCPU, by which it runs again: it takes
 * what it runs into, although it counts as stopped.
 */
static void test_stopped_and_prodded(void)
{
    RasVm *vm = ras_start(PATIENT "-S");
    Code second = { vm->qts, LOADER };
    uint32_t args[] = { 1, LOADER, 0 };

    run_guest(vm);
    /* token, no arguments, no results */
    qtest_writel(vm->qts, STOP_SELF_ARGS, 0x2007);
    qtest_writeq(vm->qts, STOP_SELF_ARGS + 4, 0);
    emit_li(&second, 13, MAILBOX_OF(1));
    emit_li(&second, 9, MAILBOX_OF(1));
    emit_count(&second, MAIL_DONE);
    emit_li(&second, 3, H_RTAS);
    emit_li(&second, 4, STOP_SELF_ARGS);
    emit(&second, 0x44000022);                              /* sc 1 */
    emit_li(&second, 3, PAGE(3));
    emit(&second, 0xe8a30000);                              /* ld r5,0(r3) */
    emit_branch(&second, second.at);
    register_handler(vm);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
    ras_wait_until(vm, qtest_readq(vm->qts, MAILBOX_OF(1) + MAIL_DONE));
    ras_wait_until(vm, is_stopped(vm, 1));
    start_hypercall(vm, H_PROD, 1);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, PAGE(3));
    ras_assert_count(vm, "accepted", 1);
    ras_assert_count(vm, "notified", 1);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/system-reset/self", test_sys_reset);
    qtest_add_func("/ras/pseries/system-reset/other", test_sys_reset_other);
    qtest_add_func("/ras/pseries/stock/system-reset", test_stock_sys_reset);
    qtest_add_data_func("/ras/pseries/moved/system-reset", "",
                        test_reset_while_parked);
    qtest_add_data_func("/ras/pseries/moved/system-reset-icount",
                        "-icount shift=3", test_reset_while_parked);
    qtest_add_func("/ras/pseries/moved/system-reset-after-move",
                   test_reset_after_move);
    qtest_add_func("/ras/pseries/stopped-and-prodded",
                   test_stopped_and_prodded);
    return g_test_run();
}
