/*
 * QTest of guest RAS on "virt" with ras=on: SErrors
 *
 * Pending ones, what is refused, and how they move.
 *
 * RAS_STOCK_QEMU_AARCH64: the same release of QEMU without guest RAS; the tests
 * that compare with it are skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"

#define SERROR_UEO 0x811        /* AET restartable, DFSC 0x11 */

#define SERROR_PENDING(vcpu, syndrome) \
    "[ { 'vcpu': " #vcpu ", 'syndrome': " #syndrome " } ]"

/*
 * By its fields or as a whole, it is pending; a reset discards it.  The CPU
 * model 'max' has the RAS extension under TCG only.
 */
static void test_serror(void)
{
    static const struct {
        const char *arguments;
        const char *severity;
        const char *pending;    /* 0x11, and AET from bit 10 on */
    } kinds[] = {
        { "'aet': 'uc'", "fatal", SERROR_PENDING(1, 17) },
        { "'aet': 'ueu'", "fatal", SERROR_PENDING(1, 1041) },
        { "'aet': 'ueo'", "recoverable", SERROR_PENDING(1, 2065) },
        { "'aet': 'uer', 'ea': true", "recoverable", SERROR_PENDING(1, 3601) },
        { "'aet': 'ce', 'dfsc': 17", "corrected", SERROR_PENDING(1, 6161) },
        { "'dfsc': 0", "fatal", SERROR_PENDING(1, 0) },
        { "'ids': true", "fatal", SERROR_PENDING(1, 16777216) },
        { "'syndrome': 33554431", "fatal", SERROR_PENDING(1, 33554431) },
        { "'syndrome': 2065", "recoverable", SERROR_PENDING(1, 2065) },
        /* IESB and EA, reserved bits, DFSC and AET that are reserved */
        { "'syndrome': 10769", "recoverable", SERROR_PENDING(1, 10769) },
        { "'syndrome': 2129", "fatal", SERROR_PENDING(1, 2129) },
        { "'syndrome': 18449", "fatal", SERROR_PENDING(1, 18449) },
        { "'syndrome': 2064", "fatal", SERROR_PENDING(1, 2064) },
        { "'syndrome': 4113", "fatal", SERROR_PENDING(1, 4113) },
        { "'syndrome': 7185", "fatal", SERROR_PENDING(1, 7185) },
    };
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t id;

    for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *text =
            g_strdup_printf("{ 'kind': 'serror', 'vcpu': 1, %s }",
                            kinds[i].arguments);
        QDict *args = qobject_to(QDict, qobject_from_json(text, &error_abort));
        QDict *result, *error;

        result = qtest_qmp_assert_success_ref(vm->qts,
                     "{ 'execute': 'ras-inject', 'arguments': %p }", args);
        id = ras_get_uint(result, "id");
        qobject_unref(result);
        error = ras_next_step(vm, id, "accepted");
        g_assert_cmpstr(qdict_get_str(error, "severity"), ==,
                        kinds[i].severity);
        g_assert_cmpint(qdict_get_int(error, "vcpu"), ==, 1);
        g_assert_false(qdict_get_bool(error, "synchronous"));
        qobject_unref(error);
        ras_expect_step(vm, id, "queued");
        error = ras_next_step(vm, id, "notified");
        g_assert_cmpstr(qdict_get_str(error, "delivery"), ==,
                        "SError with a syndrome");
        qobject_unref(error);
        ras_assert_state(vm, id, "notified");
        ras_assert_part(vm, "serrors", kinds[i].pending);
        ras_assert_part(vm, "parked", "[]");

        ras_reset(vm);
        ras_expect_step(vm, id, "discarded");
        ras_assert_part(vm, "serrors", "[]");
        ras_assert_count(vm, "discarded", i + 1);
    }
    id = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    ras_assert_part(vm, "serrors", "[ { 'vcpu': 0 } ]");
    ras_assert_state(vm, id, "notified");
    ras_assert_count(vm, "delivered", 0);
    ras_quit(vm);
}

/* What no record waits for keeps no record waiting, nor other vCPUs. */
static void test_serror_beside(void)
{
    RasVm *vm = start_ready("");
    uint64_t serror[2], memory;

    serror[0] = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    memory = consume_notified(vm, PAGE(0), 0);
    serror[1] = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 1 }");
    ras_assert_state(vm, serror[0], "notified");
    ras_assert_state(vm, serror[1], "notified");
    acknowledge(vm);
    step_ms(vm, 20);
    ras_wait_until(vm, ras_state_is(vm, memory, "over"));
    ras_assert_count(vm, "in-flight", 2);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

static void test_serror_refused(void)
{
    RasVm *vm = ras_start_binary(NULL, ",ras=on", "-accel tcg -S");

    ras_inject_refused(vm, "*0x2000000*outside*ISS*0x1ffffff*",
                       "{ 'kind': 'serror', 'vcpu': 0,"
                       " 'syndrome': %" PRIu64 " }", UINT64_C(0x2000000));
    ras_inject_refused(vm, "*0x8000000000000011*outside*ISS*",
                       "{ 'kind': 'serror', 'vcpu': 0,"
                       " 'syndrome': %" PRIu64 " }",
                       UINT64_C(0x8000000000000011));
    ras_inject_refused(vm, "*twice*either 'syndrome'*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'syndrome': 17,"
                       " 'aet': 'uc' }");
    ras_inject_refused(vm, "*twice*either 'syndrome'*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'syndrome': 17,"
                       " 'ea': false }");
    ras_inject_refused(vm, "*'ids'*leave out*'aet'*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'ids': true,"
                       " 'aet': 'uc' }");
    ras_inject_refused(vm, "*'aet' is missing*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'ea': true }");
    ras_inject_refused(vm, "*'aet' is only for 'dfsc' 0x11*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'dfsc': 0,"
                       " 'aet': 'uc' }");
    ras_inject_refused(vm, "*EA need DFSC 0x11*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'dfsc': 0,"
                       " 'ea': true }");
    ras_inject_refused(vm, "*DFSC is not 0x00*0x11*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'dfsc': 2 }");
    ras_inject_refused(vm, "*no vCPU 2*", "{ 'kind': 'serror', 'vcpu': 2 }");
    ras_inject_refused(vm, "*no vCPU -1*",
                       "{ 'kind': 'serror', 'vcpu': -1 }");
    ras_inject_refused(vm, "*vCPU 1 is offline*",
                       "{ 'kind': 'serror', 'vcpu': 1 }");

    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'uc' }");
    ras_inject_refused(vm, "vCPU 0 has an SError pending*reset*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'ce' }");
    ras_assert_part(vm, "serrors", SERROR_PENDING(0, 17));
    ras_quit(vm);
}

/* Errors of processors of another make */
static void test_machine_check_refused(void)
{
    RasVm *vm = ras_start("");

    ras_inject_refused(vm, "This machine has no POWER processors; use kind "
                       "'memory' or 'arm-processor'",
                       "{ 'kind': 'machine-check', 'vcpu': 0, 'class': 'slb',"
                       " 'sub-type': 'parity' }");
    ras_quit(vm);
}

/* A CPU model without the extension: no syndrome, but an SError. */
static void test_serror_no_extension(void)
{
    RasVm *vm = ras_start("-accel tcg -S -cpu cortex-a57");

    ras_inject_refused(vm, "*no RAS extension*leave it out*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'uc' }");
    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    ras_assert_part(vm, "serrors", "[ { 'vcpu': 0 } ]");
    ras_quit(vm);
}

/* The same for one of TCG that does not run; var: see ras_start_binary() */
static RasVm *move_stopped(RasVm *vm, const char *var)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start_binary(var, ",ras=on,secure=on",
                          "-accel tcg -S -incoming defer");
    ras_load(vm, file);
    g_unlink(file);
    return vm;
}

/* A pending SError is accepted here and ends there, under its number. */
static void test_move_serror(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t id = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 1,"
                             " 'syndrome': %d }", SERROR_UEO);

    for (int i = 0; i < 3; i++) {
        vm = move_stopped(vm, NULL);
        ras_assert_part(vm, "serrors", SERROR_PENDING(1, 2065));
        ras_assert_state(vm, id, "notified");
        ras_assert_count(vm, "accepted", 1);
        ras_inject_refused(vm, "vCPU 1 has an SError pending*",
                           "{ 'kind': 'serror', 'vcpu': 1 }");
    }
    ras_reset(vm);
    ras_expect_step(vm, id, "discarded");
    ras_assert_part(vm, "serrors", "[]");
    ras_assert_count(vm, "discarded", 1);
    ras_quit(vm);
}

/* Stock would take a pending SError, and nobody would learn how it ended. */
static void test_stock_refuses_serror(void)
{
    g_autofree char *file = NULL, *uri = NULL;
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    file = ras_temp_file();
    uri = g_strdup_printf("file:%s", file);
    vm = ras_start_stopped_tcg();
    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 1 }");
    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start_binary(STOCK, ",ras=on,secure=on",
                          "-accel tcg -S -incoming defer");
    qtest_set_expected_status(vm->qts, 1);
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s } }", uri);
    qtest_wait_qemu(vm->qts);
    ras_quit(vm);
    g_unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/virt/serror/pending", test_serror);
    qtest_add_func("/ras/virt/serror/beside", test_serror_beside);
    qtest_add_func("/ras/virt/serror/refused", test_serror_refused);
    qtest_add_func("/ras/virt/serror/no-extension", test_serror_no_extension);
    qtest_add_func("/ras/virt/machine-check-refused",
                   test_machine_check_refused);
    qtest_add_func("/ras/virt/move/serror", test_move_serror);
    qtest_add_func("/ras/virt/stock/refuses-serror",
                   test_stock_refuses_serror);
    return g_test_run();
}
