/*
 * QTest of guest RAS on "pseries": ibm,nmi-register and ibm,nmi-interlock
 *
 * What the guest may register, who owns the log, who waits for it, and what
 * ends that: interlock, time, stop-self, unplug and reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/* Without linux,rtas-base there is no place for a record. */
static void test_register_no_rtas_base(void)
{
    RasVm *vm = ras_start("");

    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    g_assert_false(ras_ready(vm));
    ras_quit(vm);
}

/* With cap-fwnmi=off there are no such calls, and errors go to 0x200. */
static void test_register_cap_off(void)
{
    RasVm *vm = ras_start_binary(NULL, ",cap-fwnmi=off", "-accel tcg -S");

    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    g_assert_cmpint(nmi_interlock(vm), ==, PARAM_ERROR);
    g_assert_false(ras_ready(vm));
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_assert_count(vm, "delivered", 1);
    ras_inject_refused(vm, "No register can say*; start it with cap-fwnmi=on",
                       "{ 'kind': 'machine-check', 'vcpu': 0,"
                       " 'class': 'd-cache' }");
    ras_quit(vm);
}

/* Wrong numbers of arguments or results are an error, and only that. */
static void test_register_counts(void)
{
    static const uint32_t args[] = { LOOP, HANDLER, 0 };
    static const struct {
        uint32_t nargs, nret;
    } cases[] = { { 0, 1 }, { 1, 1 }, { 3, 1 }, { 2, 2 }, { 2, 8 } };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_assert_cmpint(rtas(vm, "ibm,nmi-register", cases[i].nargs, args,
                             cases[i].nret), ==, PARAM_ERROR);
        g_assert_false(ras_ready(vm));
    }
    ras_quit(vm);
}

/* A caller without room for a status has no byte written behind its block. */
static void test_register_no_result(void)
{
    static const uint32_t args[] = { LOOP, HANDLER };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmphex(rtas(vm, "ibm,nmi-register", 2, args, 0), ==, NO_STATUS);
    g_assert_false(ras_ready(vm));
    ras_quit(vm);
}

/*
 * The routines are instructions in the first 32 MiB.  (The RMA is not smaller
 * on any machine that QEMU makes, so its end cannot be tried.)
 */
static void test_register_addresses(void)
{
    static const uint32_t bad[] = {
        32 * MiB, 32 * MiB + 4, HANDLER + 1, HANDLER + 2, HANDLER + 3,
        0x80000000, 0xfffffffc, 0xffffffff,
    };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(nmi_register(vm, LOOP, bad[i]), ==, PARAM_ERROR);
        g_assert_cmpint(nmi_register(vm, bad[i], HANDLER), ==, PARAM_ERROR);
        g_assert_false(ras_ready(vm));
    }
    g_assert_cmpint(nmi_register(vm, 32 * MiB - 4, 32 * MiB - 4), ==, SUCCESS);
    g_assert_true(ras_ready(vm));

    /* what fails leaves the registration as it was */
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(nmi_register(vm, LOOP, bad[i]), ==, PARAM_ERROR);
        g_assert_true(ras_ready(vm));
    }
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA);
    ras_quit(vm);
}

/*
 * The RTAS area, too, is the guest's word: whole pages of RAM in the RMA, or
 * no record.
 */
static void test_register_rtas_base(void)
{
    static const uint32_t bad[] = {
        0, RTAS_BASE + 2, RTAS_BASE + 4, RTAS_BASE + 2048, RMA_END - 4,
        RMA_END, RMA_END + 64 * KiB, 0x7ffffffc, 0x80000000, 0xfffff000,
        0xfffffffc,
    };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        change_rtas_base(vm, bad[i]);
        g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
        g_assert_false(ras_ready(vm));
    }
    /* what just fits does */
    change_rtas_base(vm, RMA_END - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RMA_END - RAS_PAGE + SAVE_AREA);
    ras_quit(vm);
}

/*
 * The area has 16 bytes for each CPU that there may be: with 128 of them it
 * has a second page, which must be there, too, and not in other 256 MiB.
 */
static void test_register_area_size(void)
{
    RasVm *vm = start_guest("-m 512 -smp 2,maxcpus=128");

    set_rtas_base(vm, 256 * MiB - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    change_rtas_base(vm, 512 * MiB - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    change_rtas_base(vm, 512 * MiB - 2 * RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    change_rtas_base(vm, 256 * MiB - 2 * RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    ras_quit(vm);
}

/* RAM outside the real mode area cannot be reached by the handler. */
static void test_register_outside_rma(void)
{
    RasVm *vm = start_guest("-m 512 "
                            "-object memory-backend-ram,id=m0,size=256M "
                            "-object memory-backend-ram,id=m1,size=256M "
                            "-numa node,memdev=m0 -numa node,memdev=m1");

    set_rtas_base(vm, RMA_END);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    change_rtas_base(vm, RMA_END - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    ras_quit(vm);
}

/*
 * Registering again is legal (kexec): from then on the new routine is
 * entered, and what the old one owned is nobody's.
 */
static void test_register_again(void)
{
    RasVm *vm = start_registered("");
    uint64_t first, second;

    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    first = consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    second = consume_at(vm, PAGE(1), 0);
    ras_assert_state(vm, second, "queued");
    ras_drop_events(vm);

    /* a routine that does nothing */
    g_assert_cmpint(nmi_register(vm, LOOP, LOOP), ==, SUCCESS);
    ras_expect_step(vm, first, "reclaimed");
    ras_expect_step(vm, second, "recorded");
    ras_expect_step(vm, second, "notified");
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, 1);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "reclaimed", 1);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* A reset ends the registration and frees the save area. */
static void test_reset(void)
{
    RasVm *vm = start_registered("");
    uint64_t id = consume_at(vm, PAGE(0), 0);

    wait_entries(vm, 1);
    ras_stop(vm);
    ras_drop_events(vm);
    ras_reset(vm);
    ras_expect_step(vm, id, "discarded");
    g_assert_false(ras_ready(vm));
    g_assert_cmpint(nmi_interlock(vm), ==, PARAM_ERROR);

    run_guest(vm);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_assert_count(vm, "delivered", 1);
    register_handler(vm);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 2);
    ras_assert_count(vm, "recorded", 2);
    ras_quit(vm);
}

/* --- unplug -------------------------------------------------------------- */

/* Errors of a vCPU end with it, and do not block those of the others. */
static void test_unplug(void)
{
    RasVm *vm = ras_start("-S -smp 1,maxcpus=2 -device "
                          "power10_v2.0-spapr-cpu-core,core-id=1,id=c1");
    uint64_t gone, stays;

    start_second_vcpu(vm);
    gone = ras_consume(vm, PAGE(1), 1);
    stays = ras_consume(vm, PAGE(2), 0);
    ras_assert_part(vm, "parked", "[ 0, 1 ]");
    ras_drop_events(vm);
    qtest_qmp_device_del_send(vm->qts, "c1");
    release_core(vm, 1);
    ras_expect_step(vm, gone, "discarded");
    ras_assert_count(vm, "discarded", 1);
    ras_assert_part(vm, "parked", "[ 0 ]");
    ras_inject_refused(vm, "*no vCPU 1*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 1 }",
                       (uint64_t)PAGE(0));
    ras_cont(vm);
    ras_expect_step(vm, stays, "notified");
    ras_assert_count(vm, "delivered", 1);
    ras_quit(vm);
}

/* The save area of an owner that is unplugged is for others. */
static void test_unplug_owner(void)
{
    RasVm *vm = start_registered("-smp 1,maxcpus=2 -device "
                                 "power10_v2.0-spapr-cpu-core,core-id=1,"
                                 "id=c1");
    uint64_t gone, stays;

    start_second_vcpu(vm);
    gone = ras_consume(vm, PAGE(1), 1);
    wait_entries(vm, 1);
    stays = ras_consume(vm, PAGE(2), 0);
    ras_assert_state(vm, stays, "queued");
    ras_drop_events(vm);
    qtest_qmp_device_del_send(vm->qts, "c1");
    release_core(vm, 1);
    ras_expect_step(vm, gone, "discarded");
    ras_expect_step(vm, stays, "recorded");
    wait_entries(vm, 2);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* --- ibm,nmi-interlock --------------------------------------------------- */

/* Out of turn it does no harm, and says what LoPAR and Linux expect. */
static void test_interlock(void)
{
    static const uint32_t args[] = { 0 };
    RasVm *vm = start_guest("");
    uint64_t id;

    g_assert_cmpint(nmi_interlock(vm), ==, PARAM_ERROR);
    register_handler(vm);
    /* after a system reset there is nothing to release: success */
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);

    id = consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    g_assert_cmpint(rtas(vm, "ibm,nmi-interlock", 1, args, 1), ==,
                    PARAM_ERROR);
    g_assert_cmpint(rtas(vm, "ibm,nmi-interlock", 0, NULL, 2), ==,
                    PARAM_ERROR);
    g_assert_cmphex(rtas(vm, "ibm,nmi-interlock", 0, NULL, 0), ==, NO_STATUS);
    ras_assert_state(vm, id, "notified");
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/*
 * A second vCPU waits, parked, for the save area; the interlock of the owner
 * hands it over, that of another vCPU does not.
 */
static void test_second_vcpu(const void *options)
{
    RasVm *vm = start_registered(options);
    RtasReading before, after;
    uint64_t a, b;

    start_second_vcpu(vm);
    a = ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    before = read_log(vm);
    b = ras_consume(vm, PAGE(2), 1);
    g_usleep(20 * 1000);
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[ 1 ]");
    /* a parked vCPU does not keep the VM from being stopped */
    ras_stop(vm);
    ras_assert_part(vm, "parked", "[ 1 ]");
    ras_cont(vm);
    after = read_log(vm);
    g_assert_cmpmem(before.bytes, LOG_SIZE, after.bytes, LOG_SIZE);
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, 1);

    ras_drop_events(vm);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_expect_step(vm, a, "acknowledged");
    wait_entries(vm, 2);
    ras_expect_step(vm, b, "recorded");
    ras_expect_step(vm, b, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    ras_assert_part(vm, "parked", "[]");
    check_log(vm, 0, PAGE(2));
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOOP);

    /* these calls come from the first vCPU, which does not own it */
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_state(vm, b, "notified");
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    ras_assert_count(vm, "reclaimed", 1);
    ras_quit(vm);
}

/*
 * A second injected error on the owner waits while the owner runs: it has
 * not consumed anything that it must not run past.
 */
static void test_second_same_vcpu(void)
{
    RasVm *vm = start_registered("");
    uint64_t a = ras_consume(vm, PAGE(1), 0), b;

    wait_entries(vm, 1);
    b = ras_consume(vm, PAGE(2), 0);
    g_usleep(20 * 1000);
    ras_assert_state(vm, a, "notified");
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[]");
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, 2);
    check_log(vm, 0, PAGE(2));
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* A burst: one at a time, in order, none is lost. */
static void test_burst(void)
{
    const unsigned int n = 32;
    RasVm *vm = start_registered("");

    for (unsigned int i = 1; i <= n; i++) {
        g_assert_cmpuint(ras_consume(vm, PAGE(i), 0), ==, i);
    }
    for (unsigned int i = 1; i <= n; i++) {
        wait_entries(vm, i);
        check_log(vm, 0, PAGE(i));
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    ras_assert_count(vm, "acknowledged", n);
    ras_assert_count(vm, "in-flight", 0);
    ras_quit(vm);
}

/*
 * A log that nobody interlocks is reclaimed after reclaim-ms; the next error
 * gets the area, and a late interlock is nobody's.
 */
static void test_reclaim(void)
{
    RasVm *vm = start_registered("-global spapr-ras.reclaim-ms=50");
    uint64_t a = ras_consume(vm, PAGE(1), 0), b;

    wait_entries(vm, 1);
    b = ras_consume(vm, PAGE(2), 0);
    wait_entries(vm, 2);
    ras_assert_state(vm, a, "over");
    ras_wait_until(vm, ras_state_is(vm, b, "over"));
    ras_assert_count(vm, "reclaimed", 2);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 0);
    ras_quit(vm);
}

static RasVm *start_with_log(unsigned int reclaim_ms)
{
    g_autofree char *options =
        g_strdup_printf("-global spapr-ras.reclaim-ms=%u", reclaim_ms);
    RasVm *vm = start_registered(options);

    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    return vm;
}

/* While QEMU is frozen, the guest's time does not run out. */
static void test_reclaim_frozen(void)
{
    ras_check_frozen(start_with_log);
}

/*
 * Nor does the time that it has to leave its handler.  The first vCPU runs in
 * real mode, which counts as a handler.
 */
static void test_handler_frozen(void)
{
    const int64_t limit = G_TIME_SPAN_SECOND;

    for (;;) {
        RasVm *vm = start_registered("");
        int64_t begin = g_get_monotonic_time(), frozen;
        bool waits;

        ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume', 'severity':"
                   " 'recoverable', 'address': %" PRIu64 ", 'vcpu': 0 }",
                   (uint64_t)PAGE(1));
        /* the vCPU has seen the error when it has made a hypercall */
        start_hypercall(vm, H_UNKNOWN, 1);
        ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1);
        frozen = g_get_monotonic_time();
        g_assert_cmpint(kill(qtest_pid(vm->qts), SIGSTOP), ==, 0);
        g_usleep(limit * 3 / 2);
        g_assert_cmpint(kill(qtest_pid(vm->qts), SIGCONT), ==, 0);
        frozen = g_get_monotonic_time() - frozen;
        g_usleep(20 * 1000);
        /* with the second command, timers that are due have run */
        ras_pump(vm);
        ras_pump(vm);
        start_hypercall(vm, H_UNKNOWN, 1);
        ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1 ||
                           ras_count(vm, "notified"));
        waits = ras_count(vm, "notified") == 0;
        if (g_get_monotonic_time() - begin - frozen < limit / 2) {
            g_assert_true(waits);
            /* but it does not wait for ever */
            wait_entries(vm, 1);
            ras_quit(vm);
            return;
        }
        /* this machine was too slow to tell */
        ras_quit(vm);
    }
}

/* Errors that wait for a vCPU which the guest stops are discarded. */
static void test_stop_self(void)
{
    RasVm *vm = start_registered("");
    uint64_t a = ras_consume(vm, PAGE(1), 0), b;

    wait_entries(vm, 1);
    b = ras_consume(vm, PAGE(2), 0);
    g_assert_cmpint(rtas(vm, "stop-self", 0, NULL, 1), ==, NO_STATUS);
    ras_drop_events(vm);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_expect_step(vm, a, "acknowledged");
    ras_expect_step(vm, b, "discarded");
    ras_assert_part(vm, "parked", "[]");
    ras_inject_refused(vm, "*vCPU 0 is offline*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 0 }",
                       (uint64_t)PAGE(0));
    ras_quit(vm);
}

/* What RTAS says to right and to wrong calls */
typedef struct Statuses {
    int32_t status[8];
} Statuses;

static Statuses call_rtas(const char *var, const char *machine_options)
{
    const uint32_t args[] = { LOOP, HANDLER };
    RasVm *vm = ras_start_binary(var, machine_options, "-accel tcg -S");
    Statuses s = { { 0 } };
    int n = 0;

    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    s.status[n++] = nmi_interlock(vm);
    s.status[n++] = nmi_register(vm, LOOP, 32 * MiB);
    s.status[n++] = nmi_register(vm, LOOP, HANDLER + 1);
    s.status[n++] = rtas(vm, "ibm,nmi-register", 1, args, 1);
    s.status[n++] = nmi_register(vm, LOOP, HANDLER);
    s.status[n++] = nmi_interlock(vm);
    s.status[n++] = rtas(vm, "ibm,nmi-interlock", 1, args, 1);
    g_assert_cmpint(n, <, ARRAY_SIZE(s.status));
    ras_quit(vm);
    return s;
}

/* With ras=off the RTAS calls are those of stock; with ras=on they are not. */
static void test_off(void)
{
    Statuses on, off, stock;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    stock = call_rtas(STOCK, "");
    off = call_rtas(NULL, ",ras=off");
    on = call_rtas(NULL, ",ras=on");
    g_assert_cmpmem(&off, sizeof(off), &stock, sizeof(stock));
    g_assert_cmpint(stock.status[2], ==, SUCCESS);
    g_assert_cmpint(on.status[2], ==, PARAM_ERROR);
    g_assert_cmpint(on.status[4], ==, SUCCESS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/register/no-rtas-base",
                   test_register_no_rtas_base);
    qtest_add_func("/ras/pseries/register/cap-off", test_register_cap_off);
    qtest_add_func("/ras/pseries/register/counts", test_register_counts);
    qtest_add_func("/ras/pseries/register/no-result",
                   test_register_no_result);
    qtest_add_func("/ras/pseries/register/addresses",
                   test_register_addresses);
    qtest_add_func("/ras/pseries/register/rtas-base",
                   test_register_rtas_base);
    qtest_add_func("/ras/pseries/register/area-size",
                   test_register_area_size);
    qtest_add_func("/ras/pseries/register/outside-rma",
                   test_register_outside_rma);
    qtest_add_func("/ras/pseries/register/again", test_register_again);
    qtest_add_func("/ras/pseries/reset", test_reset);
    qtest_add_func("/ras/pseries/interlock", test_interlock);
    qtest_add_func("/ras/pseries/reclaim/time", test_reclaim);
    qtest_add_func("/ras/pseries/reclaim/frozen", test_reclaim_frozen);
    qtest_add_func("/ras/pseries/handler-frozen", test_handler_frozen);
    qtest_add_func("/ras/pseries/stop-self", test_stop_self);
    qtest_add_func("/ras/pseries/unplug", test_unplug);
    qtest_add_func("/ras/pseries/unplug-owner", test_unplug_owner);
    qtest_add_data_func("/ras/pseries/second/other-vcpu", "",
                        test_second_vcpu);
    /* all vCPUs in one thread */
    qtest_add_data_func("/ras/pseries/second/other-vcpu-icount",
                        "-icount shift=3", test_second_vcpu);
    qtest_add_func("/ras/pseries/second/same-vcpu", test_second_same_vcpu);
    qtest_add_func("/ras/pseries/second/burst", test_burst);
    qtest_add_func("/ras/pseries/off", test_off);
    return g_test_run();
}
