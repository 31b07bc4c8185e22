/*
 * QTest of guest RAS on "pseries": guests that cannot go on
 *
 * The save area or the handler is gone, or a second machine check comes before
 * the first is over.  The guest stops, QEMU lives, and a reset brings it back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/* The guest has stopped; a reset brings it back, and forgets everything. */
static void expect_checkstop(RasVm *vm, bool recursive, const char *reason)
{
    uint64_t discarded = ras_count(vm, "in-flight");
    uint64_t delivered = ras_count(vm, "delivered");
    g_autofree char *lost = NULL;

    ras_expect_memory_failure(vm, "reset", recursive);
    qobject_unref(ras_next_event(vm, "GUEST_PANICKED"));
    ras_wait_until(vm, ras_run_state_is(vm, "guest-panicked"));
    ras_assert_part(vm, "parked", "[ 0 ]");
    lost = ras_lost(vm);
    ras_assert_like(lost, reason);
    ras_inject_refused(vm, "*check-stop*reset*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 0 }",
                       (uint64_t)PAGE(9));

    ras_reset(vm);
    g_assert_null(ras_lost(vm));
    ras_assert_count(vm, "discarded", discarded);
    ras_assert_count(vm, "in-flight", 0);
    ras_assert_part(vm, "poisoned", "[]");
    ras_drop_events(vm);
    run_guest(vm);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_assert_count(vm, "delivered", delivered + 1);
}

static void check_no_save_area(RasVm *vm)
{
    uint64_t id = consume_at(vm, PAGE(0), 0);

    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_wait_until(vm, vm->panics);
    ras_assert_state(vm, id, "queued");
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, 0);
    expect_checkstop(vm, false, "1: *RTAS area*usable*");
}

/*
 * The guest has taken the save area away after it registered: it stops, QEMU
 * lives, and a reset brings the guest back.
 */
static void test_checkstop_area_gone(void)
{
    static const uint32_t bases[] = { 0, RMA_END, 0xfffffffc };

    for (int i = 0; i < ARRAY_SIZE(bases); i++) {
        RasVm *vm = start_registered("-action panic=pause");

        change_rtas_base(vm, bases[i]);
        check_no_save_area(vm);
        ras_quit(vm);
    }
}

/* Its page is poisoned: the same; and nobody registers on such a page. */
static void test_checkstop_area_poisoned(void)
{
    RasVm *vm = start_registered("-action panic=pause");

    ras_poison(vm, RTAS_BASE, RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    check_no_save_area(vm);
    ras_quit(vm);
}

static void expect_fetch(RasVm *vm, uint64_t id, uint64_t address)
{
    QDict *error = ras_next_step(vm, id, "accepted");

    g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "poison");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "fetch");
    g_assert_cmphex(ras_get_uint(error, "address"), ==, address);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, address);
    qobject_unref(error);
    ras_expect_step(vm, id, "queued");
}

/* The registered routine is poisoned: one try, then the guest stops. */
static void test_checkstop_handler_poisoned(void)
{
    RasVm *vm = start_registered("-action panic=pause");
    uint64_t id;

    ras_poison(vm, HANDLER, RAS_PAGE);
    id = consume_at(vm, PAGE(0), 0);
    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_step(vm, id, "recorded");
    ras_expect_step(vm, id, "notified");
    ras_expect_memory_failure(vm, "inject", false);
    expect_fetch(vm, id + 1, HANDLER);
    expect_checkstop(vm, true, "2: second machine check *");
    ras_quit(vm);
}

/*
 * So is 0x200, and what the guest runs: the fetch brings it to 0x200, which
 * it cannot fetch either.
 */
static void test_checkstop_vector_poisoned(void)
{
    RasVm *vm = start_guest("-action panic=pause");
    QDict *error;

    ras_poison(vm, 0, RAS_PAGE);
    error = ras_next_step(vm, 1, "accepted");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "fetch");
    g_assert_cmphex(ras_get_uint(error, "address"), >=, CLIENT);
    g_assert_cmphex(ras_get_uint(error, "address"), <, VECTOR);
    qobject_unref(error);
    ras_expect_step(vm, 1, "queued");
    ras_expect_step(vm, 1, "notified");
    ras_expect_memory_failure(vm, "inject", false);
    ras_expect_step(vm, 1, "delivered");
    expect_fetch(vm, 2, VECTOR);
    expect_checkstop(vm, false, "2: *handler cannot be fetched*");
    ras_quit(vm);
}

/*
 * A second machine check on the owner of the save area, before its interlock,
 * is beyond recovery.
 */
static void test_checkstop_second(void)
{
    RasVm *vm = start_registered("-action panic=pause");

    ras_poison(vm, PAGE(3), RAS_PAGE);
    ras_poison(vm, PAGE(5), RAS_PAGE);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(3));
    wait_entries(vm, 1);
    ras_drop_events(vm);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(5));
    ras_expect_step(vm, 2, "accepted");
    ras_expect_step(vm, 2, "queued");
    ras_wait_until(vm, vm->panics);
    ras_assert_state(vm, 1, "notified");
    ras_assert_state(vm, 2, "queued");
    expect_checkstop(vm, true, "2: second machine check *");
    ras_quit(vm);
}

/* A check-stop ends with its vCPU, and leaves nothing that has to move. */
static void test_checkstop_unplugged(void)
{
    RasVm *vm = start_registered("-action panic=pause -smp 1,maxcpus=2 -device "
                                 "power10_v2.0-spapr-cpu-core,core-id=1,"
                                 "id=c1");
    g_autofree char *why = NULL;

    start_second_vcpu(vm);
    ras_poison(vm, RTAS_BASE, RAS_PAGE);
    ras_consume(vm, PAGE(1), 1);
    ras_wait_until(vm, vm->panics);
    why = ras_lost(vm);
    ras_assert_like(why, "1: the RTAS area *");
    ras_inject_refused(vm, "*check-stopped since error 1*",
                       "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 0 }",
                       (uint64_t)PAGE(2));
    ras_unpoison(vm, RTAS_BASE, RAS_PAGE);
    ras_cont(vm);
    qtest_qmp_device_del_send(vm->qts, "c1");
    release_core(vm, 1);
    ras_wait_count(vm, "discarded", 1);
    g_assert_null(ras_lost(vm));
    g_assert_false(has_ras_state(vm));

    ras_consume(vm, PAGE(2), 0);
    wait_entries(vm, 1);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/check-stop/second", test_checkstop_second);
    qtest_add_func("/ras/pseries/check-stop/area-gone",
                   test_checkstop_area_gone);
    qtest_add_func("/ras/pseries/check-stop/area-poisoned",
                   test_checkstop_area_poisoned);
    qtest_add_func("/ras/pseries/check-stop/handler-poisoned",
                   test_checkstop_handler_poisoned);
    qtest_add_func("/ras/pseries/check-stop/vector-poisoned",
                   test_checkstop_vector_poisoned);
    qtest_add_func("/ras/pseries/check-stop/unplugged",
                   test_checkstop_unplugged);
    return g_test_run();
}
