/*
 * QTest of guest RAS on "pseries": how errors reach the guest
 *
 * The registered handler with its log, or the vector at 0x200, and the
 * registers there; what a guest consumes by itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/*
 * A registered handler gets its r3 saved, r3 pointing to it, the log behind
 * it, the registers of a machine check, and MSR as LoPAR wants it.
 */
static void test_handler(void)
{
    const uint64_t ea = 0xc0000000deadb008;
    RasVm *vm = start_guest("");
    QDict *step;
    uint64_t id;

    set_rtas_base(vm, RTAS_BASE);
    qtest_memset(vm->qts, RTAS_BASE, 0x99, RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    id = consume_at(vm, PAGE(1), ea);
    wait_entries(vm, 1);

    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA);
    g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + SAVE_AREA), ==, IDLE_R3);
    check_log(vm, ea, PAGE(1));
    for (int i = 0; i < SAVE_AREA; i++) {
        g_assert_cmphex(qtest_readb(vm->qts, RTAS_BASE + i), ==, 0x99);
    }
    g_assert_cmphex(qtest_readb(vm->qts, RTAS_BASE + SAVE_AREA_END), ==, 0x99);

    g_assert_cmphex(mail(vm, MAIL_MSR) & MSR_ME, ==, MSR_ME);
    g_assert_cmphex(mail(vm, MAIL_MSR) & MSR_RI, ==, 0);
    /* it was in the client's loop */
    g_assert_cmphex(mail(vm, MAIL_SRR0), >=, CLIENT);
    g_assert_cmphex(mail(vm, MAIL_SRR0), <, VECTOR);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & SRR1_LOAD_STORE, ==,
                    SRR1_LOAD_STORE);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x8000);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, ea);

    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_step(vm, id, "recorded");
    step = ras_next_step(vm, id, "notified");
    ras_assert_like(qdict_get_str(step, "delivery"),
                    "machine check at the registered handler*");
    qobject_unref(step);
    ras_expect_memory_failure(vm, "inject", false);
    ras_assert_state(vm, id, "notified");
    ras_assert_part(vm, "sources", "[ { 'name': 'RTAS error log, FWNMI', "
                    "'synchronous': true, 'ready': true, 'outstanding': 1 } "
                    "]");

    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_expect_step(vm, id, "acknowledged");
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/*
 * Bits 29 and 30 of the MSR: an active transaction is suspended for the
 * handler, one that was suspended stays so, and SRR1 has what was.
 */
static void test_transaction(void)
{
    const uint64_t active = 1ULL << 34, suspended = 1ULL << 33;
    const uint64_t states[] = { active, suspended };

    for (int i = 0; i < ARRAY_SIZE(states); i++) {
        RasVm *vm = start_registered("-cpu power8_v2.0");
        Code code = { vm->qts, TRANSACTION };
        Code inside = { vm->qts, TRANSACTION + 0x80 };
        uint32_t args[] = { 1, TRANSACTION, SECOND_R3 };

        emit_li(&code, 5, states[i] >> 32);
        emit(&code, 0x78a507c6);                            /* sldi r5,r5,32 */
        emit(&code, 0x7c8000a6);                            /* mfmsr r4 */
        emit(&code, 0x7c842b78);                            /* or r4,r4,r5 */
        emit_mtspr(&code, 4, 27);
        emit_li(&code, 4, inside.at);
        emit_mtspr(&code, 4, 26);
        emit(&code, 0x4c000024);                            /* rfid */
        emit_li(&inside, 9, MAILBOX);
        emit_count(&inside, MAIL_DONE);
        emit_branch(&inside, LOOP);

        g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
        ras_wait_until(vm, mail(vm, MAIL_DONE));
        ras_consume(vm, PAGE(0), 1);
        wait_entries(vm, 1);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & (active | suspended), ==,
                        states[i]);
        g_assert_cmphex(mail(vm, MAIL_MSR) & (active | suspended), ==,
                        suspended);
        ras_quit(vm);
    }
}

/* Without a handler: 0x200, with the cause in SRR1 and DSISR; r3 stays. */
static void test_vector(void)
{
    const uint64_t ea = 0xc000000012345678;
    RasVm *vm = start_guest("");

    g_assert_false(ras_ready(vm));
    /* the client has been round once */
    set_rtas_base(vm, RTAS_BASE);
    qtest_memset(vm->qts, RTAS_BASE, 0x99, RAS_PAGE);
    consume_at(vm, PAGE(1), ea);
    wait_entries(vm, 1);
    ras_wait_count(vm, "delivered", 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, IDLE_R3);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & SRR1_LOAD_STORE, ==,
                    SRR1_LOAD_STORE);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x8000);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, ea);
    for (int i = 0; i < RAS_PAGE; i += 8) {
        g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + i), ==,
                        0x9999999999999999);
    }
    ras_quit(vm);
}

/*
 * A guest that loads from poison: the log has the exact address, DAR too; the
 * next load works when the page is good again.
 */
static void test_load(const void *options)
{
    RasVm *vm = start_registered(options);
    uint64_t address = PAGE(3) + 0x248;
    uint64_t content = 0x1122334455667788;
    QDict *error;

    qtest_writeq(vm->qts, address, content);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, address);
    wait_entries(vm, 1);
    check_log(vm, address, address);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, address);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x8000);
    error = ras_next_step(vm, 1, "accepted");
    g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "poison");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "load");
    g_assert_cmphex(ras_get_uint(error, "address"), ==, address);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, address);
    qobject_unref(error);
    ras_assert_count(vm, "poison-other-accesses", 0);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);

    ras_unpoison(vm, PAGE(3), RAS_PAGE);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, address);
    ras_wait_until(vm, mail(vm, MAIL_DONE));
    g_assert_cmpuint(mail(vm, MAIL_DONE), ==, 1);
    g_assert_cmphex(mail(vm, MAIL_VALUE), ==, content);
    ras_assert_count(vm, "accepted", 1);
    ras_quit(vm);
}

/*
 * The lines of errors are in QEMU's log, and in no command of the monitor that
 * happens to be carried out when they are due: here, just after the guest has
 * entered its handler.
 */
static void test_log_of_monitor(void)
{
    /* fewer than the log takes in its window */
    enum { ERRORS = 18 };
    g_autofree char *file = ras_temp_file();
    g_autofree char *options = g_strdup_printf("2>%s", file);
    g_autofree char *log = NULL;
    RasVm *vm = start_registered(options);

    ras_poison(vm, PAGE(3), RAS_PAGE);
    for (unsigned int id = 1; id <= ERRORS; id++) {
        g_autofree char *said = NULL;

        qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(3));
        while (mail(vm, MAIL_ENTRIES) != id) {
            /* as soon as can be */
        }
        said = qtest_hmp(vm->qts, "info ras");
        g_assert_null(strstr(said, "ras: error"));
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    log = ras_read_file(file, NULL);
    for (unsigned int id = 1; id <= ERRORS; id++) {
        g_autofree char *line = g_strdup_printf("*qemu-*: warning: ras: error "
                                                "%u: memory*", id);

        ras_assert_like(log, line);
    }
    ras_quit(vm);
    g_unlink(file);
}

/* Second byte of the log of an error, the n-th that the guest takes. */
static uint8_t head_of(RasVm *vm, const char *severity, uint64_t n)
{
    RtasReading log;

    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume', 'severity': %s,"
               " 'address': %" PRIu64 ", 'vcpu': 0, 'immediate': true }",
               severity, (uint64_t)PAGE(n));
    wait_entries(vm, n);
    log = read_log(vm);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    return log.bytes[1];
}

/* Severity as it was given; a corrected error is recovered. */
static void test_severity(void)
{
    static const struct {
        const char *name;
        uint8_t head;           /* second byte of the log */
    } cases[] = {
        { "recoverable", 3 << 5 | 2 << 3 | 1 << 2 },
        { "corrected", 3 << 5 | 0 << 3 | 1 << 2 },
        { "fatal", 5 << 5 | 2 << 3 | 1 << 2 },
    };
    RasVm *vm = start_registered("");
    uint32_t last_plid = 0;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        RtasReading log;

        ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume', 'severity': %s,"
                   " 'address': %" PRIu64 ", 'vcpu': 0, 'immediate': true }",
                   cases[i].name, (uint64_t)PAGE(i));
        wait_entries(vm, i + 1);
        log = read_log(vm);
        g_assert_cmphex(log.bytes[1], ==, cases[i].head);
        /* the number of the event is no other event's */
        g_assert_cmpuint(log.plid, !=, last_plid);
        last_plid = log.plid;
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    ras_assert_count(vm, "acknowledged", ARRAY_SIZE(cases));
    ras_quit(vm);
}

/* LoPAR 7.3.14: after a fatal error, everything is "already reported". */
static void test_after_fatal(void)
{
    const uint8_t fatal = 5 << 5, reported = 6 << 5, sync = 3 << 5;
    const uint8_t lost = 2 << 3 | 1 << 2, recovered = 1 << 2;
    RasVm *vm = start_registered("");

    g_assert_cmphex(head_of(vm, "fatal", 1), ==, fatal | lost);
    g_assert_cmphex(head_of(vm, "fatal", 2), ==, reported | lost);
    g_assert_cmphex(head_of(vm, "recoverable", 3), ==, reported | lost);
    g_assert_cmphex(head_of(vm, "corrected", 4), ==, reported | recovered);
    ras_assert_count(vm, "in-flight", 0);
    /* a QEMU without guest RAS could not take that along */
    g_assert_false(has_ras_state(vm));
    ras_poison(vm, PAGE(9), RAS_PAGE);
    g_assert_true(has_ras_state(vm));
    vm = move(vm, NULL);
    g_assert_cmphex(head_of(vm, "recoverable", mail(vm, MAIL_ENTRIES) + 1),
                    ==, reported | lost);

    /* nothing was reported to a new kernel, nor is after a reset */
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    g_assert_cmphex(head_of(vm, "recoverable", mail(vm, MAIL_ENTRIES) + 1),
                    ==, sync | lost);
    g_assert_cmphex(head_of(vm, "fatal", mail(vm, MAIL_ENTRIES) + 1), ==,
                    fatal | lost);
    ras_stop(vm);
    ras_reset(vm);
    run_guest(vm);
    register_handler(vm);
    g_assert_cmphex(head_of(vm, "recoverable", 1), ==, sync | lost);
    ras_quit(vm);
}

/* A machine check is about one address: more pages are refused. */
static void test_pages(void)
{
    RasVm *vm = start_registered("");

    ras_inject_refused(vm, "*one page*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'length': 8192, 'vcpu': 0 }",
                       (uint64_t)PAGE(0));
    ras_quit(vm);
}

/* Processors of another make, and records that its guests do not know */
static void test_records_refused(void)
{
    static const char no_cper[] =
        "This machine does not notify its guest by CPER records; use kind "
        "'memory'";
    RasVm *vm = start_registered("");

    ras_inject_refused(vm, "This machine has no Arm processors; use kind "
                       "'memory'", "{ 'kind': 'arm-processor', 'vcpu': 0,"
                       " 'type': 'cache', 'severity': 'recoverable' }");
    ras_inject_refused(vm, "This machine has no Arm processors, and so no "
                       "SErrors; use kind 'memory'",
                       "{ 'kind': 'serror', 'vcpu': 0 }");
    ras_inject_refused(vm, no_cper, "{ 'kind': 'cper', 'data': '' }");
    ras_inject_refused(vm, no_cper, "{ 'kind': 'cper', 'data': 'EQAA',"
                       " 'vcpu': 0 }");
    ras_assert_refused(vm, "inject-ghes-v2-error",
                       qdict_from_jsonf_nofail("{ 'cper': '*' }"), no_cper, 1);
    ras_quit(vm);
}

/* --- poison -------------------------------------------------------------- */

/* Ranges of different severity lie beside each other without joining. */
static void test_poison_severity(void)
{
    RasVm *vm = start_registered("");

    ras_poison(vm, PAGE(1), RAS_PAGE);
    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'poison',"
               " 'severity': 'fatal', 'address': %" PRIu64 " }",
               (uint64_t)PAGE(2));
    ras_poison(vm, PAGE(3), RAS_PAGE);
    ras_assert_part(vm, "poisoned",
        "[ { 'address': 67112960, 'length': 4096,"
        "    'severity': 'recoverable' },"
        "  { 'address': 67117056, 'length': 4096, 'severity': 'fatal' },"
        "  { 'address': 67121152, 'length': 4096,"
        "    'severity': 'recoverable' } ]");
    ras_quit(vm);
}

/*
 * A prefixed instruction that hits poison: SRR1 says so, at the handler and at
 * 0x200 alike.
 */
static void test_prefixed(void)
{
    for (int registered = 0; registered < 2; registered++) {
        RasVm *vm = start_guest("-cpu power10_v2.0");
        Code code = { vm->qts, LOOP };
        uint64_t load;

        emit_li(&code, 4, PAGE(1));
        load = code.at;
        emit(&code, 0x04000000);                            /* pld r5,0(r4) */
        emit(&code, 0xe4a40000);
        emit_branch(&code, load);
        if (registered) {
            register_handler(vm);
        }
        ras_poison(vm, PAGE(1), RAS_PAGE);
        start_second_vcpu(vm);
        wait_entries(vm, 1);
        g_assert_cmphex(mail(vm, MAIL_SRR0), ==, load);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & 0x20000000, ==, 0x20000000);
        ras_quit(vm);

        /* one that is not prefixed */
        vm = start_guest("-cpu power10_v2.0");
        if (registered) {
            register_handler(vm);
        }
        ras_poison(vm, PAGE(1), RAS_PAGE);
        qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(1));
        wait_entries(vm, 1);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & 0x20000000, ==, 0);
        ras_quit(vm);
    }
}

/* A store that crosses into a poisoned page: nothing of it was done. */
static void test_crossing(void)
{
    RasVm *vm = start_guest("");
    Code code = { vm->qts, LOOP };
    uint64_t store;

    emit_li(&code, 4, PAGE(1) + 4);
    emit_li(&code, 5, 0x22222222);
    store = code.at;
    emit(&code, 0xf8a4fff9);                                /* stdu r5,-8(r4) */
    emit_branch(&code, LOOP);
    register_handler(vm);
    qtest_memset(vm->qts, PAGE(0), 0x11, 2 * RAS_PAGE);
    ras_poison(vm, PAGE(1), RAS_PAGE);
    start_second_vcpu(vm);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, store);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, PAGE(1));
    g_assert_cmphex(qtest_readl(vm->qts, PAGE(1) - 4), ==, 0x11111111);
    ras_quit(vm);
}

static uint64_t nip_of(RasVm *vm, unsigned int vcpu)
{
    g_autofree char *registers = qtest_hmp(vm->qts, "info registers -a");
    g_autofree char *head = g_strdup_printf("CPU#%u", vcpu);
    const char *at = strstr(registers, head);

    g_assert_nonnull(at);
    at = strstr(at, "NIP ");
    g_assert_nonnull(at);
    return g_ascii_strtoull(at + 4, NULL, 16);
}

/*
 * An interrupt at 0x200 that was told of was taken: nothing that comes before
 * the vCPU runs, a system reset for instance, can replace it.  One thread runs
 * all vCPUs here, so that another one may run first.
 */
static void test_vector_stopped(void)
{
    RasVm *vm = ras_start("-accel tcg,thread=single -S");
    int between = 0;

    run_guest(vm);
    start_second_vcpu(vm);
    for (int i = 1; i <= 100 || (i <= 2000 && !between); i++) {
        ras_consume(vm, PAGE(1), 1);
        g_usleep(g_test_rand_int_range(0, 500));
        ras_stop(vm);
        if (ras_count(vm, "delivered") == i && mail(vm, MAIL_ENTRIES) < i) {
            g_assert_cmphex(nip_of(vm, 1), >=, VECTOR);
            g_assert_cmphex(nip_of(vm, 1), <, VECTOR + 0x100);
            between++;
        }
        ras_cont(vm);
        ras_wait_until(vm, mail(vm, MAIL_ENTRIES) == i);
        ras_drop_events(vm);
    }
    g_test_message("%d times told of, and not taken yet", between);
    g_assert_cmpint(between, >, 0);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/delivery/handler", test_handler);
    qtest_add_func("/ras/pseries/delivery/transaction", test_transaction);
    qtest_add_func("/ras/pseries/delivery/vector", test_vector);
    qtest_add_data_func("/ras/pseries/delivery/load", "", test_load);
    qtest_add_data_func("/ras/pseries/delivery/load-icount",
                        "-icount shift=3", test_load);
    qtest_add_func("/ras/pseries/delivery/log", test_log_of_monitor);
    qtest_add_func("/ras/pseries/delivery/severity", test_severity);
    qtest_add_func("/ras/pseries/delivery/after-fatal", test_after_fatal);
    qtest_add_func("/ras/pseries/delivery/pages", test_pages);
    qtest_add_func("/ras/pseries/delivery/vector-stopped",
                   test_vector_stopped);
    qtest_add_func("/ras/pseries/delivery/prefixed", test_prefixed);
    qtest_add_func("/ras/pseries/records-refused", test_records_refused);
    qtest_add_func("/ras/pseries/poison/severity", test_poison_severity);
    qtest_add_func("/ras/pseries/poison/crossing", test_crossing);
    return g_test_run();
}
