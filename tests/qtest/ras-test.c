/*
 * QTest of guest RAS: what is the same on all machines that have it
 *
 * Runs with qemu-system-aarch64 (machine virt) and qemu-system-ppc64 (machine
 * pseries).  What a machine does with an error is in ras-arm-*.c and
 * ras-ppc-*.c.  The vCPUs of these tests run no guest code: under the qtest
 * accelerator their threads only serve QEMU's own work, delivery of errors
 * included, and with -S not even that.
 *
 * RAS_STOCK_QEMU_AARCH64, RAS_STOCK_QEMU_PPC64: the same release of QEMU
 * without guest RAS; the tests that compare with it are skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-qtest.h"

#define CONSUME "'kind': 'memory', 'mode': 'consume', "
#define POISON  "'kind': 'memory', 'mode': 'poison', "

#define RECOVERABLE "'severity': 'recoverable', "

static uint64_t ram_end(const RasVm *vm)
{
    return vm->ram + vm->ram_size;
}

/* --- refusals ------------------------------------------------------------ */

/* Arguments of ras-inject: a recoverable error, consumed by vCPU 0 or poison */
static QDict *memory_error(bool consume, uint64_t address)
{
    QDict *args = qdict_from_jsonf_nofail("{ 'kind': 'memory', " RECOVERABLE
                                          "'mode': %s, 'address': %" PRIu64
                                          " }", consume ? "consume" : "poison",
                                          address);

    if (consume) {
        qdict_put_int(args, "vcpu", 0);
    }
    return args;
}

/* Only whole pages of RAM can fail; the text names the page that was meant. */
static void test_refuse_address(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t page = vm->ram + 5 * RAS_PAGE;
    g_autofree char *misaligned =
        g_strdup_printf("*0x%" PRIx64 "*not a multiple of*4096*0x%" PRIx64,
                        page + 8, page);
    g_autofree char *end = g_strdup_printf("*0x%" PRIx64 " is not RAM*",
                                           ram_end(vm));
    const struct {
        uint64_t address;
        const char *text;
    } cases[] = {
        /* flash of virt, nothing on pseries; a device */
        { ras_on_arm() ? 0x04000000 : 0x40000000, "*0x?000000* is not RAM*" },
        { ras_on_arm() ? 0x09000000 : 0x200080000000, "*000000 is not RAM*" },
        { ram_end(vm), end },
        { page + 8, misaligned },
        { 0x1234567890000000, "*0x1234567890000000 is not RAM*" },
        { -RAS_PAGE, "*" },
    };

    for (int consume = 0; consume < 2; consume++) {
        for (int i = 0; i < ARRAY_SIZE(cases); i++) {
            ras_assert_refused(vm, "ras-inject",
                               memory_error(consume, cases[i].address),
                               cases[i].text, 1);
        }
    }
    ras_quit(vm);
}

/* A length is whole pages, not none, all of them RAM, without wrapping. */
static void test_refuse_length(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    g_autofree char *end = g_strdup_printf("*0x%" PRIx64 " is not RAM*",
                                           ram_end(vm));
    const struct {
        uint64_t address, length;
        const char *text;
    } cases[] = {
        { vm->ram, 0, "*'length' 0 *multiple of*4096*" },
        { vm->ram, 1, "*'length' 1 *multiple of*4096*" },
        { vm->ram, RAS_PAGE + 8, "*'length' 4104 *multiple of*4096*" },
        { ram_end(vm) - RAS_PAGE, 2 * RAS_PAGE, end },
        { vm->ram, vm->ram_size + RAS_PAGE, end },
        { vm->ram + RAS_PAGE, -RAS_PAGE, "*past the end of*" },
        { ram_end(vm) - RAS_PAGE, -RAS_PAGE, "*past the end of*" },
    };

    for (int consume = 0; consume < 2; consume++) {
        for (int i = 0; i < ARRAY_SIZE(cases); i++) {
            QDict *args = memory_error(consume, cases[i].address);

            qdict_put(args, "length", qnum_from_uint(cases[i].length));
            ras_assert_refused(vm, "ras-inject", args, cases[i].text, 1);
        }
    }
    ras_quit(vm);
}

/* Plugged memory is RAM like any other, and the hole before it is not. */
static void test_refuse_hole(void)
{
    RasVm *vm = ras_start("-accel tcg -S -m 256,slots=1,maxmem=4G "
                          "-object memory-backend-ram,id=m,size=256M "
                          "-device pc-dimm,id=dimm,memdev=m");
    QDict *response = qtest_qmp(vm->qts, "{ 'execute': "
                                "'query-memory-devices' }");
    QObject *device = qlist_peek(qdict_get_qlist(response, "return"));
    uint64_t dimm = ras_get_uint(qdict_get_qdict(qobject_to(QDict, device),
                                                 "data"), "addr");

    qobject_unref(response);
    g_assert_cmphex(dimm, >, ram_end(vm));
    ras_inject_refused(vm, "*is not RAM*", "{ " POISON RECOVERABLE
                       "'address': %" PRIu64 ", 'length': %" PRIu64 " }",
                       dimm - RAS_PAGE, 2 * RAS_PAGE);
    ras_inject_refused(vm, "*is not RAM*", "{ " POISON RECOVERABLE
                       "'address': %" PRIu64 ", 'length': %" PRIu64 " }",
                       ram_end(vm) - RAS_PAGE, dimm - ram_end(vm) + RAS_PAGE);
    ras_poison(vm, dimm, RAS_PAGE);
    qtest_readb(vm->qts, dimm);
    ras_assert_count(vm, "poison-other-accesses", 1);
    ras_quit(vm);
}

/* Errors are consumed by a vCPU that is there. */
static void test_refuse_vcpu(void)
{
    RasVm *vm = ras_start("");
    const struct {
        int64_t vcpu;
        const char *text;
    } cases[] = {
        { 2, "*no vCPU 2*" },
        { -1, "*no vCPU -1*" },
        { INT64_MIN, "*no vCPU -9223372036854775808*" },
        /* would be vCPU 0 if only 32 bits of it were looked at */
        { 1LL << 32, "*no vCPU 4294967296*" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        ras_inject_refused(vm, cases[i].text, "{ " CONSUME RECOVERABLE
                           "'address': %" PRIu64 ", 'vcpu': %" PRId64 " }",
                           vm->ram, cases[i].vcpu);
    }
    ras_quit(vm);
}

/* A vCPU that runs nothing consumes nothing: it would be told at its start. */
static void test_refuse_offline_vcpu(void)
{
    RasVm *vm = ras_start_binary(NULL, ras_on_arm() ? ",ras=on" : "", "");

    ras_inject_refused(vm, "*vCPU 1 is offline*", "{ " CONSUME RECOVERABLE
                       "'address': %" PRIu64 ", 'vcpu': 1 }", vm->ram);
    ras_quit(vm);
}

/* What belongs to one mode is not ignored in the others. */
static void test_refuse_combinations(void)
{
    RasVm *vm = ras_start_stopped_tcg();

    ras_inject_refused(vm, "*'consume' needs*'vcpu'*",
                       "{ " CONSUME RECOVERABLE "'address': %" PRIu64 " }",
                       vm->ram);
    ras_inject_refused(vm, "*'vcpu' is only for mode 'consume'*",
                       "{ " POISON RECOVERABLE "'address': %" PRIu64
                       ", 'vcpu': 0 }", vm->ram);
    ras_inject_refused(vm, "*'virtual-address' is only for mode 'consume'*",
                       "{ " POISON RECOVERABLE "'address': %" PRIu64
                       ", 'virtual-address': 0 }", vm->ram);
    ras_inject_refused(vm, "*'immediate' is only for mode 'consume'*",
                       "{ " POISON RECOVERABLE "'address': %" PRIu64
                       ", 'immediate': true }", vm->ram);
    ras_inject_refused(vm, "*'vcpu' is only for mode 'consume'*",
                       "{ 'kind': 'memory', 'mode': 'report', " RECOVERABLE
                       "'address': %" PRIu64 ", 'vcpu': 0 }", vm->ram);
    ras_inject_refused(vm, "*'virtual-address' is only for mode 'consume'*",
                       "{ 'kind': 'memory', 'mode': 'report', " RECOVERABLE
                       "'address': %" PRIu64 ", 'virtual-address': 0 }",
                       vm->ram);
    ras_inject_refused(vm, "*oison cannot*'corrected'*'recoverable'*",
                       "{ " POISON "'severity': 'corrected', 'address': %"
                       PRIu64 " }", vm->ram);
    ras_quit(vm);
}

/* Nothing is accepted that the guest could not be told of. */
static void test_refuse_undeliverable(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    const char *not_ready = ras_on_arm() ? "*firmware has not set up*" :
                            "*not registered*ibm,nmi-register*";

    g_assert_false(ras_ready(vm));
    ras_inject_refused(vm, "*asynchronous error source*'poison' or 'consume'*",
                       "{ 'kind': 'memory', 'mode': 'report', " RECOVERABLE
                       "'address': %" PRIu64 " }", vm->ram);
    ras_inject_refused(vm, not_ready, "{ " CONSUME "'severity': 'fatal', "
                       "'address': %" PRIu64 ", 'vcpu': 0 }", vm->ram);
    ras_inject_refused(vm, not_ready, "{ " POISON "'severity': 'fatal', "
                       "'address': %" PRIu64 " }", vm->ram);
    ras_inject_refused(vm, ras_on_arm() ? "*corrected*'recoverable'*" :
                       not_ready, "{ " CONSUME "'severity': 'corrected', "
                       "'address': %" PRIu64 ", 'vcpu': 0 }", vm->ram);
    ras_quit(vm);
}

static void assert_fails(QTestState *qts, const char *command,
                         const char *args, const char *pattern)
{
    QDict *response = qtest_qmp_assert_failure_ref(qts,
                          "{ 'execute': %s, 'arguments': %p }", command,
                          qobject_from_json(args, &error_abort));

    ras_assert_like(qdict_get_str(response, "desc"), pattern);
    qobject_unref(response);
}

static void check_no_ras(const char *options, const char *pattern)
{
    QTestState *qts = qtest_init(options);
    g_autofree char *info = NULL;

    assert_fails(qts, "ras-inject", "{ " CONSUME RECOVERABLE
                 "'address': 0, 'vcpu': 0 }", pattern);
    assert_fails(qts, "ras-inject", "{ " POISON RECOVERABLE
                 "'address': 0 }", pattern);
    assert_fails(qts, "ras-inject", "{ 'kind': 'arm-processor', 'vcpu': 0, "
                 "'type': 'cache', 'severity': 'fatal' }", pattern);
    assert_fails(qts, "ras-inject", "{ 'kind': 'cper', 'data': '' }", pattern);
    assert_fails(qts, "inject-ghes-v2-error", "{ 'cper': '*' }", pattern);
    assert_fails(qts, "ras-unpoison", "{ 'address': 0 }", pattern);
    assert_fails(qts, "query-ras", "{}", pattern);
    info = qtest_hmp(qts, "info ras");
    ras_assert_like(info, pattern);
    qtest_quit(qts);
}

/* A machine without guest RAS says so, and says which ones have it. */
static void test_refuse_no_ras(void)
{
    check_no_ras("-machine none -nodefaults",
                 "*'none' has no guest RAS*ras=on*pseries*");
    if (ras_on_arm()) {
        check_no_ras("-machine virt -nodefaults",
                     "*'virt*' has no guest RAS*ras=on*");
        check_no_ras("-machine virt,ras=off -nodefaults",
                     "*'virt*' has no guest RAS*ras=on*");
    } else {
        check_no_ras("-machine pseries,ras=off -nodefaults",
                     "*'pseries*' has no guest RAS*'pseries'*ras=off*");
    }
}

/* Nothing is dropped when the queue is full: the next one is refused. */
static void test_refuse_queue_full(void)
{
    RasVm *vm = ras_start("-S");

    for (int i = 0; i < RAS_INJECTED_MAX; i++) {
        ras_consume(vm, vm->ram + i * RAS_PAGE, i % (ras_on_arm() ? 2 : 1));
    }
    ras_assert_count(vm, "in-flight", RAS_INJECTED_MAX);
    ras_pump(vm);
    ras_inject_refused(vm, "*queue*full*1024*", "{ " CONSUME RECOVERABLE
                       "'address': %" PRIu64 ", 'vcpu': 0 }", vm->ram);

    /* all of them are still there: each is discarded once */
    ras_drop_events(vm);
    ras_reset(vm);
    for (int i = 1; i <= RAS_INJECTED_MAX; i++) {
        ras_expect_step(vm, i, "discarded");
    }
    ras_assert_count(vm, "discarded", RAS_INJECTED_MAX);

    /* and there is room again */
    g_assert_cmpuint(ras_consume(vm, vm->ram, 0), ==, RAS_INJECTED_MAX + 1);
    ras_cont(vm);
    ras_wait_count(vm, "delivered", 1);
    ras_quit(vm);
}

/* --- errors -------------------------------------------------------------- */

static void check_error(QDict *error, const RasVm *vm, const char *delivery)
{
    g_assert_cmpstr(qdict_get_str(error, "class"), ==, "memory");
    g_assert_cmpstr(qdict_get_str(error, "severity"), ==, "recoverable");
    g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "injected");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "load");
    g_assert_true(qdict_get_bool(error, "synchronous"));
    g_assert_cmpuint(ras_get_uint(error, "vcpu"), ==, 0);
    g_assert_cmphex(ras_get_uint(error, "address"), ==,
                    vm->ram + 7 * RAS_PAGE);
    g_assert_cmpuint(ras_get_uint(error, "length"), ==, RAS_PAGE);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==,
                    0xffff800012347008);
    if (delivery) {
        ras_assert_like(qdict_get_str(error, "delivery"), delivery);
    } else {
        g_assert_false(qdict_haskey(error, "delivery"));
    }
    qobject_unref(error);
}

/*
 * An error before the guest has set up anything ends as the bare exception;
 * each step is told, in order and with what is known of the error.
 */
static void test_events(void)
{
    const char *how = ras_on_arm() ? "synchronous external abort*without*" :
                      "machine check*0x200*without*";
    RasVm *vm = ras_start("");
    uint64_t id = ras_inject(vm, "{ " CONSUME RECOVERABLE "'address': %"
                             PRIu64 ", 'vcpu': 0, 'virtual-address': %" PRIu64
                             " }", vm->ram + 7 * RAS_PAGE,
                             UINT64_C(0xffff800012347008));

    check_error(ras_next_step(vm, id, "accepted"), vm, NULL);
    check_error(ras_next_step(vm, id, "queued"), vm, NULL);
    check_error(ras_next_step(vm, id, "notified"), vm, how);
    ras_expect_memory_failure(vm, "inject", false);
    check_error(ras_next_step(vm, id, "delivered"), vm, how);

    ras_assert_count(vm, "accepted", 1);
    ras_assert_count(vm, "recorded", 0);
    ras_assert_count(vm, "notified", 1);
    ras_assert_count(vm, "delivered", 1);
    ras_assert_part(vm, "queue", "[]");
    ras_pump(vm);
    g_assert_cmpuint(vm->events.length, ==, 0);
    ras_quit(vm);
}

/* A virtual address that was not given is not made up. */
static void test_unknown_virtual_address(void)
{
    RasVm *vm = ras_start("");
    QDict *error;

    error = ras_next_step(vm, ras_consume(vm, vm->ram, 0), "accepted");
    g_assert_false(qdict_haskey(error, "virtual-address"));
    qobject_unref(error);
    ras_quit(vm);
}

/* A stopped VM takes errors, delivers none, parks; it delivers when it runs. */
static void test_stop_cont(void)
{
    RasVm *vm = ras_start("");
    g_autofree char *queue = g_strdup_printf("[ { 'id': 1, "
        "'state': 'queued', 'class': 'memory', 'severity': 'recoverable', "
        "'origin': 'injected', 'synchronous': true, 'access': 'load', "
        "'vcpu': 0, 'address': %" PRIu64 ", 'length': 4096 } ]",
        vm->ram + RAS_PAGE);
    uint64_t id;

    ras_stop(vm);
    id = ras_consume(vm, vm->ram + RAS_PAGE, 0);
    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    g_usleep(20 * 1000);
    ras_assert_part(vm, "queue", queue);
    ras_assert_part(vm, "parked", "[ 0 ]");
    g_assert_cmpuint(vm->events.length, ==, 0);

    ras_cont(vm);
    ras_wait_count(vm, "delivered", 1);
    ras_assert_part(vm, "parked", "[]");
    ras_quit(vm);
}

/* Errors of one vCPU are delivered in the order in which they happened. */
static void test_order(void)
{
    RasVm *vm = ras_start("-S");

    for (int i = 0; i < 8; i++) {
        ras_consume(vm, vm->ram + (8 - i) * RAS_PAGE, 0);
    }
    ras_drop_events(vm);
    ras_cont(vm);
    for (int i = 1; i <= 8; i++) {
        QDict *error = ras_next_step(vm, i, "notified");

        g_assert_cmphex(ras_get_uint(error, "address"), ==,
                        vm->ram + (9 - i) * RAS_PAGE);
        qobject_unref(error);
        ras_expect_memory_failure(vm, "inject", false);
        ras_expect_step(vm, i, "delivered");
    }
    ras_quit(vm);
}

/* A reset ends all errors, each with an event; the counters go on. */
static void test_reset(void)
{
    RasVm *vm = ras_start("-S");
    uint64_t first = ras_consume(vm, vm->ram, 0);
    uint64_t second = ras_consume(vm, vm->ram, 0);

    g_assert_cmpuint(second, ==, first + 1);
    ras_drop_events(vm);
    ras_reset(vm);
    ras_expect_step(vm, first, "discarded");
    ras_expect_step(vm, second, "discarded");
    ras_assert_count(vm, "accepted", 2);
    ras_assert_count(vm, "discarded", 2);
    ras_assert_part(vm, "queue", "[]");
    ras_assert_part(vm, "parked", "[]");

    /* nothing of it comes back, and the next error is a new one */
    ras_cont(vm);
    g_assert_cmpuint(ras_consume(vm, vm->ram, 0), ==, second + 1);
    ras_wait_count(vm, "delivered", 1);
    ras_assert_count(vm, "notified", 1);
    ras_reset(vm);
    ras_assert_count(vm, "delivered", 1);
    ras_assert_count(vm, "discarded", 2);
    ras_quit(vm);
}

/* QEMU's log says which guest page, which vCPU and how; it has a limit. */
static void test_log(void)
{
    g_autofree char *file = ras_temp_file();
    g_autofree char *options = g_strdup_printf("-S 2>%s", file);
    g_autofree char *line = NULL;
    g_autofree char *log = NULL;
    g_auto(GStrv) lines = NULL;
    RasVm *vm = ras_start(options);
    unsigned int shown = 0, limit;
    int64_t start;

    for (int i = 0; i < 100; i++) {
        ras_consume(vm, vm->ram + i * RAS_PAGE, 0);
    }
    start = g_get_monotonic_time();
    ras_cont(vm);
    ras_wait_count(vm, "delivered", 100);
    /* the line is written when the event is sent */
    ras_wait_until(vm, vm->events.length == 100 * 5);
    /* 20 in five seconds */
    limit = 20 * (1 + (g_get_monotonic_time() - start) /
                      (5 * G_TIME_SPAN_SECOND));
    log = ras_read_file(file, NULL);
    lines = g_strsplit(log, "\n", -1);
    for (int i = 0; lines[i]; i++) {
        shown += !!strstr(lines[i], "ras: error ");
    }
    g_assert_cmpuint(shown, >, 0);
    g_assert_cmpuint(shown, <=, limit);

    line = g_strdup_printf("*memory*recoverable*0x%" PRIx64 "*vCPU 0*%s*",
                           vm->ram, ras_on_arm() ?
                           "synchronous external abort" : "machine check");
    ras_assert_like(log, line);
    ras_quit(vm);
    g_unlink(file);
}

/* So do the events, by whole errors; what was not sent is counted. */
static void test_event_budget(void)
{
    const unsigned int steps = 3;       /* accepted, queued, discarded */
    const unsigned int rounds = 3;
    RasVm *vm = ras_start("-S");
    int64_t start = g_get_monotonic_time();
    unsigned int told = 0;
    uint64_t dropped;

    for (unsigned int i = 0; i < rounds; i++) {
        for (int n = 0; n < RAS_INJECTED_MAX; n++) {
            ras_consume(vm, vm->ram, 0);
        }
        ras_reset(vm);
    }
    ras_pump(vm);
    dropped = ras_count(vm, "events-dropped");
    g_assert_cmpuint(vm->events.length + dropped, ==,
                     rounds * RAS_INJECTED_MAX * steps);
    g_assert_cmpuint(vm->events.length % steps, ==, 0);
    for (GList *event = vm->events.head; event; event = event->next) {
        QDict *data = qdict_get_qdict(event->data, "data");
        QDict *error = qdict_get_qdict(data, "error");

        told += g_str_equal(qdict_get_str(error, "state"), "discarded");
    }
    g_assert_cmpuint(told, ==, vm->events.length / steps);
    if (g_get_monotonic_time() - start < 10 * G_TIME_SPAN_SECOND) {
        g_assert_cmpuint(dropped, >, 0);
    }
    ras_assert_count(vm, "discarded", rounds * RAS_INJECTED_MAX);
    ras_quit(vm);
}

/* --- poison -------------------------------------------------------------- */

static void assert_poisoned(RasVm *vm, const char *pages_and_severities)
{
    /* "3+2 recoverable" is two pages from page 3 of RAM on */
    g_auto(GStrv) ranges = g_strsplit(pages_and_severities, ",", -1);
    g_autoptr(GString) json = g_string_new("[");

    for (int i = 0; ranges[i] && *ranges[i]; i++) {
        unsigned int first, count;
        char severity[16];

        g_assert_cmpint(sscanf(ranges[i], "%u+%u %15s", &first, &count,
                               severity), ==, 3);
        g_string_append_printf(json, "%s{ 'address': %" PRIu64
                               ", 'length': %" PRIu64 ", 'severity': '%s' }",
                               i ? ", " : "", vm->ram + first * RAS_PAGE,
                               count * RAS_PAGE, severity);
    }
    g_string_append_c(json, ']');
    ras_assert_part(vm, "poisoned", json->str);
}

/* Poison is listed in ranges: adjacent pages are one, whatever the order. */
static void test_poison_join(void)
{
    RasVm *vm = ras_start_stopped_tcg();

    assert_poisoned(vm, "");
    ras_poison(vm, vm->ram + 10 * RAS_PAGE, RAS_PAGE);
    ras_poison(vm, vm->ram + 12 * RAS_PAGE, RAS_PAGE);
    ras_poison(vm, vm->ram + 20 * RAS_PAGE, 4 * RAS_PAGE);
    ras_poison(vm, vm->ram + 2 * RAS_PAGE, RAS_PAGE);
    assert_poisoned(vm, "2+1 recoverable,10+1 recoverable,12+1 recoverable,"
                    "20+4 recoverable");
    ras_poison(vm, vm->ram + 13 * RAS_PAGE, RAS_PAGE);      /* behind */
    ras_poison(vm, vm->ram + 9 * RAS_PAGE, RAS_PAGE);       /* before */
    assert_poisoned(vm, "2+1 recoverable,9+2 recoverable,12+2 recoverable,"
                    "20+4 recoverable");
    ras_poison(vm, vm->ram + 11 * RAS_PAGE, RAS_PAGE);      /* between */
    assert_poisoned(vm, "2+1 recoverable,9+5 recoverable,20+4 recoverable");
    /* the whole of a range fails, not only where it began */
    ras_assert_count(vm, "poison-other-accesses", 0);
    for (int i = 9; i < 14; i++) {
        qtest_readb(vm->qts, vm->ram + i * RAS_PAGE + 17);
    }
    ras_assert_count(vm, "poison-other-accesses", 5);
    /* poison is no error as long as nobody touches it */
    ras_assert_count(vm, "accepted", 0);
    g_assert_cmpuint(vm->events.length, ==, 0);
    ras_quit(vm);
}

/* The same page fails once: what is poisoned already is refused as a whole. */
static void test_poison_twice(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    static const struct {
        unsigned int first, count;
    } overlaps[] = {
        { 8, 4 }, { 8, 1 }, { 11, 1 }, { 9, 2 },            /* inside */
        { 7, 2 }, { 11, 2 }, { 0, 32 },                     /* partially */
    };

    ras_poison(vm, vm->ram + 8 * RAS_PAGE, 4 * RAS_PAGE);
    for (int i = 0; i < ARRAY_SIZE(overlaps); i++) {
        uint64_t address = vm->ram + overlaps[i].first * RAS_PAGE;
        uint64_t length = overlaps[i].count * RAS_PAGE;

        ras_inject_refused(vm, "*already poisoned*", "{ " POISON RECOVERABLE
                           "'address': %" PRIu64 ", 'length': %" PRIu64 " }",
                           address, length);
        ras_inject_refused(vm, "*already poisoned*", "{ " CONSUME RECOVERABLE
                           "'address': %" PRIu64 ", 'length': %" PRIu64
                           ", 'vcpu': 0 }", address, length);
    }
    assert_poisoned(vm, "8+4 recoverable");
    ras_quit(vm);
}

/* 256 ranges that cannot join; the limit is told, and does no harm. */
static void test_poison_limit(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    QDict *info;

    /* one of them is three pages long, for the split */
    ras_poison(vm, vm->ram, 3 * RAS_PAGE);
    for (int i = 1; i < RAS_POISONED_RANGES; i++) {
        ras_poison(vm, vm->ram + (2 + 2 * i) * RAS_PAGE, RAS_PAGE);
    }
    info = ras_query(vm);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "poisoned")), ==,
                     RAS_POISONED_RANGES);
    qobject_unref(info);

    ras_inject_refused(vm, "*256*maximum*ras-unpoison*",
                       "{ " POISON RECOVERABLE "'address': %" PRIu64 " }",
                       vm->ram + 1024 * RAS_PAGE);
    ras_unpoison_refused(vm, "*256*maximum*ends*", "{ 'address': %" PRIu64
                         " }", vm->ram + RAS_PAGE);

    /* what needs no new range still goes: joining, and cutting an end off */
    ras_poison(vm, vm->ram + 3 * RAS_PAGE, RAS_PAGE);
    ras_unpoison(vm, vm->ram, RAS_PAGE);
    ras_poison(vm, vm->ram + 1024 * RAS_PAGE, RAS_PAGE);
    ras_reset(vm);
    ras_assert_part(vm, "poisoned", "[]");
    ras_quit(vm);
}

/* ras-unpoison takes any whole pages out of a range, and nothing else. */
static void test_unpoison(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t base = vm->ram + 100 * RAS_PAGE;

    ras_poison(vm, base, 10 * RAS_PAGE);
    ras_unpoison_refused(vm, "*not poisoned*info ras*", "{ 'address': %"
                         PRIu64 " }", base - RAS_PAGE);
    ras_unpoison_refused(vm, "*not poisoned*", "{ 'address': %" PRIu64 " }",
                         base + 10 * RAS_PAGE);
    ras_unpoison_refused(vm, "*not poisoned*", "{ 'address': %" PRIu64
                         ", 'length': %" PRIu64 " }", base + 9 * RAS_PAGE,
                         2 * RAS_PAGE);
    ras_unpoison_refused(vm, "*not poisoned*", "{ 'address': %" PRIu64
                         ", 'length': %" PRIu64 " }", base - RAS_PAGE,
                         2 * RAS_PAGE);
    ras_unpoison_refused(vm, "*not a multiple*4096*", "{ 'address': %" PRIu64
                         " }", base + 1);
    ras_unpoison_refused(vm, "*'length' 0 *", "{ 'address': %" PRIu64
                         ", 'length': 0 }", base);
    ras_unpoison_refused(vm, "*'length' 4097 *", "{ 'address': %" PRIu64
                         ", 'length': 4097 }", base);
    ras_unpoison_refused(vm, "*past the end*", "{ 'address': %" PRIu64
                         ", 'length': %" PRIu64 " }", base, -RAS_PAGE);
    assert_poisoned(vm, "100+10 recoverable");

    ras_unpoison(vm, base, RAS_PAGE);                       /* its begin */
    assert_poisoned(vm, "101+9 recoverable");
    ras_unpoison(vm, base + 8 * RAS_PAGE, 2 * RAS_PAGE);    /* its end */
    assert_poisoned(vm, "101+7 recoverable");
    ras_unpoison(vm, base + 3 * RAS_PAGE, 2 * RAS_PAGE);    /* its middle */
    assert_poisoned(vm, "101+2 recoverable,105+3 recoverable");
    /* length is a page if it is not given */
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'ras-unpoison',"
                             " 'arguments': { 'address': %" PRIu64 " } }",
                             base + RAS_PAGE);
    assert_poisoned(vm, "102+1 recoverable,105+3 recoverable");
    ras_unpoison(vm, base + 5 * RAS_PAGE, 3 * RAS_PAGE);    /* all of it */
    ras_unpoison(vm, base + 2 * RAS_PAGE, RAS_PAGE);
    assert_poisoned(vm, "");
    ras_quit(vm);
}

/* One unpoison over ranges of several commands: "every page must be". */
static void test_unpoison_whole(void)
{
    RasVm *vm = ras_start_stopped_tcg();

    ras_poison(vm, vm->ram, RAS_PAGE);
    ras_poison(vm, vm->ram + RAS_PAGE, 2 * RAS_PAGE);
    ras_poison(vm, vm->ram + 3 * RAS_PAGE, RAS_PAGE);
    ras_unpoison(vm, vm->ram, 4 * RAS_PAGE);
    assert_poisoned(vm, "");
    ras_quit(vm);
}

static void fill(RasVm *vm, uint64_t address, uint8_t seed, uint8_t *page)
{
    for (int i = 0; i < RAS_PAGE; i++) {
        page[i] = seed + i * 7;
    }
    qtest_memwrite(vm->qts, address, page, RAS_PAGE);
}

static void assert_content(RasVm *vm, uint64_t address, const uint8_t *page)
{
    uint8_t is[RAS_PAGE];

    qtest_memread(vm->qts, address, is, sizeof(is));
    g_assert_cmpmem(is, sizeof(is), page, RAS_PAGE);
}

/*
 * Poison hides the content, whoever looks and however; nobody changes it, and
 * it is back afterwards.  The pages beside it never notice.
 */
static void test_poison_content(void)
{
    uint8_t before[RAS_PAGE], page[RAS_PAGE], after[RAS_PAGE];
    uint8_t seen[RAS_PAGE], junk[RAS_PAGE];
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t address = vm->ram + 50 * RAS_PAGE;
    uint64_t accesses;

    fill(vm, address - RAS_PAGE, 1, before);
    fill(vm, address, 2, page);
    fill(vm, address + RAS_PAGE, 3, after);
    ras_poison(vm, address, RAS_PAGE);
    ras_assert_count(vm, "poison-other-accesses", 0);

    /* DMA reads get nothing of it, and are counted */
    memset(seen, 0, sizeof(seen));
    qtest_memread(vm->qts, address, seen, sizeof(seen));
    g_assert_cmpint(memcmp(seen, page, sizeof(seen)), !=, 0);
    accesses = ras_count(vm, "poison-other-accesses");
    g_assert_cmpuint(accesses, >, 0);
    g_assert_cmphex(qtest_readq(vm->qts, address + 8), !=,
                    ldq_he_p(page + 8));
    ras_assert_count(vm, "poison-other-accesses", accesses + 1);

    /* DMA writes of all sizes have no effect, and are counted */
    memset(junk, 0xee, sizeof(junk));
    accesses = ras_count(vm, "poison-other-accesses");
    qtest_writeb(vm->qts, address, 0xee);
    qtest_writew(vm->qts, address + 3, 0xeeee);
    qtest_writel(vm->qts, address + 9, 0xeeeeeeee);
    qtest_writeq(vm->qts, address + RAS_PAGE - 8, -1);
    g_assert_cmpuint(ras_count(vm, "poison-other-accesses"), >=,
                     accesses + 4);
    qtest_memwrite(vm->qts, address, junk, sizeof(junk));
    assert_content(vm, address - RAS_PAGE, before);
    assert_content(vm, address + RAS_PAGE, after);

    /* what reaches over the edge still gets what is not poisoned */
    qtest_memread(vm->qts, address - 8, seen, 16);
    g_assert_cmpmem(seen, 8, before + RAS_PAGE - 8, 8);

    /* none of that was an error of a vCPU */
    ras_assert_count(vm, "accepted", 0);
    ras_unpoison(vm, address, RAS_PAGE);
    assert_content(vm, address, page);
    accesses = ras_count(vm, "poison-other-accesses");
    qtest_writeb(vm->qts, address, 0x55);
    g_assert_cmphex(qtest_readb(vm->qts, address), ==, 0x55);
    ras_assert_count(vm, "poison-other-accesses", accesses);
    ras_quit(vm);
}

/* Poison may begin in the memory of one NUMA node and end in the next. */
static void test_poison_nodes(void)
{
    RasVm *vm = ras_start("-accel tcg -S -m 512 "
                          "-object memory-backend-ram,id=m0,size=256M "
                          "-object memory-backend-ram,id=m1,size=256M "
                          "-numa node,memdev=m0 -numa node,memdev=m1");
    uint64_t border = vm->ram + 256 * MiB;
    uint8_t before[RAS_PAGE], after[RAS_PAGE];

    fill(vm, border - RAS_PAGE, 1, before);
    fill(vm, border, 2, after);
    ras_poison(vm, border - RAS_PAGE, 2 * RAS_PAGE);
    assert_poisoned(vm, "65535+2 recoverable");
    qtest_writeb(vm->qts, border - 1, 0xee);
    qtest_writeb(vm->qts, border, 0xee);
    ras_assert_count(vm, "poison-other-accesses", 2);
    ras_unpoison(vm, border - RAS_PAGE, 2 * RAS_PAGE);
    assert_content(vm, border - RAS_PAGE, before);
    assert_content(vm, border, after);
    ras_quit(vm);
}

/* A reset, like new memory modules, ends poison. */
static void test_poison_reset(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t address = vm->ram + vm->ram_size - 4 * RAS_PAGE;
    uint8_t page[RAS_PAGE];

    fill(vm, address, 9, page);
    ras_poison(vm, address, 2 * RAS_PAGE);
    ras_reset(vm);
    ras_assert_part(vm, "poisoned", "[]");
    assert_content(vm, address, page);
    ras_poison(vm, address, RAS_PAGE);
    ras_unpoison(vm, address, RAS_PAGE);
    ras_quit(vm);
}

/* Without TCG there is nothing that could notice the access. */
static void test_poison_needs_tcg(void)
{
    RasVm *vm = ras_start("");

    ras_inject_refused(vm, "*'poison' needs TCG*'consume'*", "{ " POISON
                       RECOVERABLE "'address': %" PRIu64 " }", vm->ram);
    ras_quit(vm);
}

/* --- monitor ------------------------------------------------------------- */

/* Who wants only what is settled does not get the rest by accident. */
static void test_unstable(void)
{
    QTestState *qts = qtest_init("-machine none -nodefaults "
                                 "-compat unstable-input=reject");

    assert_fails(qts, "ras-inject", "{ " POISON RECOVERABLE "'address': 0 }",
                 "*disabled by policy*");
    assert_fails(qts, "ras-unpoison", "{ 'address': 0 }",
                 "*disabled by policy*");
    assert_fails(qts, "query-ras", "{}", "*disabled by policy*");
    qtest_quit(qts);
}

static void assert_hmp(RasVm *vm, const char *command, const char *pattern)
{
    g_autofree char *output = qtest_hmp(vm->qts, "%s", command);

    ras_assert_like(output, pattern);
}

/* Format a command with an address, and look at what it prints. */
static void G_GNUC_PRINTF(3, 4)
assert_hmpf(RasVm *vm, const char *pattern, const char *fmt, ...)
{
    g_autofree char *command = NULL;
    va_list ap;

    va_start(ap, fmt);
    command = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    assert_hmp(vm, command, pattern);
}

/* The HMP commands do what their QMP namesakes do, and fail as they do. */
static void test_hmp(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t page = vm->ram + 16 * RAS_PAGE;
    g_autofree char *poisoned =
        g_strdup_printf("*poisoned: 0x%" PRIx64 "..0x%" PRIx64
                        ", recoverable*bad pages of 4096 bytes: 1, 4 KiB*",
                        page, page + RAS_PAGE - 1);
    g_autofree char *queued =
        g_strdup_printf("*error 1: queued*memory*recoverable*injected*0x%"
                        PRIx64 "*vCPU 0*parked: vCPU 0*accepted 1 *",
                        page + RAS_PAGE);

    assert_hmp(vm, "info ras", "source: *not set up by the guest*accepted 0 "
               "= in flight 0 + acknowledged 0 + delivered 0 + reclaimed 0 + "
               "discarded 0*refused 0*poison 0*");
    assert_hmpf(vm, "", "ras_inject memory 0x%" PRIx64 " poison", page);
    assert_hmp(vm, "info ras", poisoned);
    assert_hmpf(vm, "error 1\r\n",
                "ras_inject memory 0x%" PRIx64 " consume recoverable 0",
                page + RAS_PAGE);
    assert_hmp(vm, "info ras", queued);
    assert_hmpf(vm, "", "ras_unpoison 0x%" PRIx64, page);
    ras_assert_part(vm, "poisoned", "[]");

    assert_hmpf(vm, "Error: *not poisoned*", "ras_unpoison 0x%" PRIx64, page);
    assert_hmpf(vm, "Error: *not a multiple*",
                "ras_inject memory 0x%" PRIx64 " poison", page + 1);
    assert_hmpf(vm, "Error: *'consume' needs*",
                "ras_inject memory 0x%" PRIx64 " consume", page);
    assert_hmpf(vm, "Error: *no vCPU 7*",
                "ras_inject memory 0x%" PRIx64 " consume recoverable 7",
                page);
    assert_hmpf(vm, "Error: *no vCPU -1*",
                "ras_inject memory 0x%" PRIx64 " consume recoverable -1",
                page);
    assert_hmpf(vm, "Error: *'vcpu' is only*",
                "ras_inject memory 0x%" PRIx64 " poison fatal 0", page);
    assert_hmpf(vm, "Error: *'severity' cannot be 'harmless'; it is one of "
                "corrected, recoverable, fatal\r\n",
                "ras_inject memory 0x%" PRIx64 " poison harmless", page);
    assert_hmpf(vm, "Error: *'mode' cannot be 'eat'; it is one of poison, "
                "consume, report\r\n", "ras_inject memory 0x%" PRIx64 " eat",
                page);
    assert_hmpf(vm, "Error: *'kind' cannot be 'serror'; it is 'memory', and "
                "QMP command 'ras-inject' has more\r\n",
                "ras_inject serror 0x%" PRIx64 " poison", page);
    /* what is missing is named, also if everything is */
    assert_hmp(vm, "ras_inject", "Error: Parameter 'kind' is missing; "
               "usage: ras_inject memory ADDRESS poison|consume|report "
               "[SEVERITY [VCPU]]\r\n");
    assert_hmp(vm, "ras_inject serror", "Error: *'kind' cannot be 'serror'*");
    assert_hmp(vm, "ras_inject memory",
               "Error: Parameter 'address' is missing; usage: *");
    assert_hmpf(vm, "Error: Parameter 'mode' is missing; usage: *",
                "ras_inject memory 0x%" PRIx64, page);
    assert_hmp(vm, "ras_unpoison", "Error: Parameter 'address' is missing; "
               "usage: ras_unpoison ADDRESS\r\n");
    ras_assert_count(vm, "accepted", 1);
    ras_quit(vm);
}

/* --- saving -------------------------------------------------------------- */

/*
 * Poison, and errors that wait, are where the VM is.
 */
static void test_move(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = ras_start("-accel tcg -S");
    uint64_t page = vm->ram + 64 * RAS_PAGE, first, second;
    g_autofree char *poisoned = g_strdup_printf(
        "[ { 'address': %" PRIu64 ", 'length': 8192,"
        "    'severity': 'recoverable' } ]", page);

    ras_poison(vm, page, 2 * RAS_PAGE);
    first = ras_consume(vm, vm->ram, 0);
    second = ras_consume(vm, vm->ram + RAS_PAGE, 0);
    ras_inject_refused(vm, "*already poisoned*",
                       "{ 'kind': 'memory', 'mode': 'consume', 'vcpu': 0,"
                       " 'severity': 'recoverable', 'address': %" PRIu64 " }",
                       page);
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start("-accel tcg -S -incoming defer");
    ras_inject_refused(vm, "The VM is yet to arrive*",
                       "{ 'kind': 'memory', 'mode': 'poison',"
                       " 'severity': 'recoverable', 'address': %" PRIu64 " }",
                       page);
    ras_load(vm, file);
    ras_assert_part(vm, "poisoned", poisoned);
    ras_assert_part(vm, "parked", "[ 0 ]");
    ras_assert_state(vm, first, "queued");
    ras_assert_state(vm, second, "queued");
    ras_assert_count(vm, "accepted", 2);
    ras_assert_count(vm, "refused", 1);
    /* numbers go on, and a reset ends it all */
    g_assert_cmpuint(ras_consume(vm, vm->ram, 0), ==, second + 1);
    ras_reset(vm);
    ras_assert_count(vm, "discarded", 3);
    ras_assert_part(vm, "poisoned", "[]");
    ras_quit(vm);
    g_unlink(file);
}

/* --- equal to stock ------------------------------------------------------ */

/*
 * The guest and the stream may hold random numbers and the time of the day:
 * take the same ones for both.
 */
#define REPEATABLE "-S -seed 1 -rtc base=2020-01-01,clock=vm " \
                   "-uuid 01234567-89ab-cdef-0123-456789abcdef"

/* Device tree that the machine makes; its length in len. */
static char *device_tree(const char *binary, const char *machine_options,
                         size_t *len)
{
    RasVm *vm = ras_start_binary(binary, machine_options, REPEATABLE);
    g_autofree char *file = ras_temp_file();
    char *tree;

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'dumpdtb',"
                             " 'arguments': { 'filename': %s } }", file);
    tree = ras_read_file(file, len);
    ras_quit(vm);
    g_unlink(file);
    return tree;
}

/* The bytes around data[at], for whoever has to find out what they are */
static char *tell_bytes(const uint8_t *data, size_t len, size_t at)
{
    GString *text = g_string_new(NULL);

    for (size_t i = at - MIN(at, 64); i < MIN(len, at + 32); i++) {
        g_string_append_printf(text, g_ascii_isgraph(data[i]) ? "%c" : "<%02x>",
                               data[i]);
    }
    return g_string_free(text, false);
}

static void assert_same(const char *what, const void *ours, size_t ours_len,
                        const void *stock, size_t stock_len)
{
    const uint8_t *a = ours, *b = stock;
    size_t i = 0;

    while (i < ours_len && i < stock_len && a[i] == b[i]) {
        i++;
    }
    if (i < ours_len || i < stock_len) {
        g_autofree char *tell = tell_bytes(a, ours_len, i);
        g_autofree char *want = tell_bytes(b, stock_len, i);

        g_test_message("ours:  %s", tell);
        g_test_message("stock: %s", want);
        g_error("%s: differs from stock from byte %zu on; %zu bytes, stock "
                "has %zu", what, i, ours_len, stock_len);
    }
}

/* DESIGN, invariant 4: the guest sees the device tree of the stock release. */
static void test_stock_device_tree(const void *machine_options)
{
    g_autofree char *ours = NULL;
    g_autofree char *stock = NULL;
    size_t ours_len, stock_len;

    if (!ras_env_or_skip(ras_stock_binary())) {
        return;
    }
    ours = device_tree(NULL, machine_options, &ours_len);
    stock = device_tree(ras_stock_binary(), machine_options, &stock_len);
    g_assert_cmpuint(ours_len, >, 1000);
    assert_same("device tree", ours, ours_len, stock, stock_len);
}

/*
 * A migration stream in a form that depends on nothing but the state.
 *
 * RAM and the hash page table of pseries come first, in slices of the host's
 * time: how many there are varies.  What is between the slices is dropped and
 * their contents are joined.  Everything else is kept as it is.
 */
typedef struct Stream {
    const uint8_t *data;
    size_t len, pos;
    uint32_t htab;          /* section number of spapr/htab; RAM is another */
    GByteArray *out;
} Stream;

#define SECTION_START   1
#define SECTION_PART    2
#define SECTION_END     3
#define SECTION_FULL    4
#define SECTION_FOOTER  0x7e

#define RAM_ZERO        0x02
#define RAM_MEM_SIZE    0x04
#define RAM_PAGE        0x08
#define RAM_EOS         0x10
#define RAM_CONTINUE    0x20

static const uint8_t *stream_get(Stream *s, size_t n)
{
    g_assert_cmpuint(n, <=, s->len - s->pos);
    s->pos += n;
    return s->data + s->pos - n;
}

static void stream_keep(Stream *s, size_t from)
{
    g_byte_array_append(s->out, s->data + from, s->pos - from);
}

/* Length, then characters. */
static bool stream_string_is(Stream *s, const char *text)
{
    size_t len = *stream_get(s, 1);

    return !memcmp(stream_get(s, len), text, MIN(len, strlen(text) + 1)) &&
           len == strlen(text);
}

static void stream_ram(Stream *s)
{
    for (;;) {
        size_t from = s->pos;
        uint64_t word = ldq_be_p(stream_get(s, 8));
        uint64_t bytes = word & -RAS_PAGE;

        if (word & RAM_EOS) {
            return;
        }
        if (word & RAM_MEM_SIZE) {
            while (bytes) {
                stream_get(s, *stream_get(s, 1));
                bytes -= ldq_be_p(stream_get(s, 8));
            }
        } else {
            g_assert_true(word & (RAM_ZERO | RAM_PAGE));
            if (!(word & RAM_CONTINUE)) {
                stream_get(s, *stream_get(s, 1));
            }
            stream_get(s, word & RAM_ZERO ? 1 : RAS_PAGE);
        }
        stream_keep(s, from);
    }
}

/* 0 and runs of entries, ended by an empty run; or, first, the size */
static void stream_htab(Stream *s)
{
    size_t from = s->pos;

    if (ldl_be_p(stream_get(s, 4))) {
        stream_keep(s, from);
        return;
    }
    for (;;) {
        const uint8_t *run = stream_get(s, 8);
        uint16_t valid = lduw_be_p(run + 4);

        if (!valid && !lduw_be_p(run + 6)) {
            return;
        }
        stream_get(s, valid * 16);
        stream_keep(s, s->pos - 8 - valid * 16);
    }
}

/* Is it a section that comes in slices?  If not, it is not touched. */
static bool stream_slice(Stream *s)
{
    size_t from = s->pos;
    uint8_t type = *stream_get(s, 1);
    uint32_t section;

    if (type < SECTION_START || type > SECTION_END) {
        s->pos = from;
        return false;
    }
    section = ldl_be_p(stream_get(s, 4));
    if (type == SECTION_START) {
        if (stream_string_is(s, "spapr/htab")) {
            s->htab = section;
        }
        stream_get(s, 8);
        stream_keep(s, from);
        memset(s->out->data + s->out->len - (s->pos - from) + 1, 0, 4);
    }
    if (section == s->htab) {
        stream_htab(s);
    } else {
        stream_ram(s);
    }
    g_assert_cmpint(*stream_get(s, 1), ==, SECTION_FOOTER);
    g_assert_cmpuint(ldl_be_p(stream_get(s, 4)), ==, section);
    return true;
}

static const uint8_t *find_bytes(const uint8_t *data, size_t len,
                                 const char *bytes, size_t n)
{
    const uint8_t *found = memmem(data, len, bytes, n);

    g_assert_nonnull(found);
    return found;
}

/*
 * The first two fields of section "spapr", version 3, are the timebase and the
 * time of the day at which the VM was saved.
 */
static void mask_timebase(GByteArray *stream)
{
    static const char head[] = "\x05spapr\0\0\0\0\0\0\0\3";
    size_t len = sizeof(head) - 1;
    const uint8_t *at = find_bytes(stream->data, stream->len, head, len);

    memset(stream->data + (at - stream->data) + len, 0, 16);
}

/*
 * Sections are numbered in the order in which they are registered, and those of
 * guest RAS are among them.  The number of a section is before its name, and
 * in the footer that ends it.
 */
static void mask_numbers(GByteArray *stream)
{
    static const char text[] = "{\"configuration\": ";
    const uint8_t *description = find_bytes(stream->data, stream->len, text,
                                            sizeof(text) - 1);
    g_autofree char *json = g_strndup((const char *)description,
                                      ldl_be_p(description - 4));
    QDict *all = qobject_to(QDict, qobject_from_json(json, &error_abort));
    size_t end = description - stream->data, at = 0;
    const QListEntry *item;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(all, "devices"), item) {
        const QDict *device = qobject_to(QDict, qlist_entry_obj(item));
        const char *name = qdict_get_str(device, "name");
        uint8_t head[256 + 5] = { strlen(name) };
        size_t len = 1 + head[0] + 4;

        memcpy(head + 1, name, head[0]);
        stl_be_p(head + 1 + head[0], qdict_get_int(device, "instance_id"));
        do {
            at = find_bytes(stream->data + at + 1, end - at - 1,
                            (const char *)head, len) - stream->data;
        } while (stream->data[at - 5] != SECTION_FULL);
        memset(stream->data + at - 4, 0, 4);
        if (stream->data[at - 10] == SECTION_FOOTER) {
            memset(stream->data + at - 9, 0, 4);
        }
    }
    /* and the end of sections, and what comes before the description */
    g_assert_cmpint(stream->data[end - 11], ==, SECTION_FOOTER);
    memset(stream->data + end - 10, 0, 4);
    qobject_unref(all);
}

static GByteArray *normal_stream(const char *data, size_t len)
{
    static const char head[] = "\x01\0\0\0\1\3ram";
    Stream s = {
        .data = (const uint8_t *)data,
        .len = len,
        .out = g_byte_array_new(),
    };

    s.pos = find_bytes(s.data, len, head, sizeof(head) - 1) - s.data;
    stream_keep(&s, 0);
    while (stream_slice(&s)) {
        /* all slices */
    }
    g_byte_array_append(s.out, s.data + s.pos, len - s.pos);
    mask_numbers(s.out);
    if (!ras_on_arm()) {
        mask_timebase(s.out);
    }
    return s.out;
}

static GByteArray *save_new(const char *binary, const char *machine_options)
{
    RasVm *vm = ras_start_binary(binary, machine_options,
                                 REPEATABLE " -accel tcg");
    g_autofree char *file = ras_temp_file();
    g_autofree char *data = NULL;
    size_t len;

    ras_save(vm, file, "completed");
    ras_quit(vm);
    data = ras_read_file(file, &len);
    g_unlink(file);
    return normal_stream(data, len);
}

/*
 * DESIGN, invariant 4: the same bytes move, the description included, but for
 * the numbers of sections.
 */
static void test_stock_stream(const void *machine_options)
{
    g_autoptr(GByteArray) ours = NULL;
    g_autoptr(GByteArray) stock = NULL;

    if (!ras_env_or_skip(ras_stock_binary())) {
        return;
    }
    ours = save_new(NULL, machine_options);
    stock = save_new(ras_stock_binary(), machine_options);
    g_assert_cmpuint(ours->len, >, 10000);
    assert_same("migration stream", ours->data, ours->len, stock->data,
                stock->len);
}

static void check_move(const char *from, const char *to,
                       const char *machine_options)
{
    g_autofree char *file = ras_temp_file();
    uint64_t mark = 0x0123456789abcdef;
    RasVm *vm;

    vm = ras_start_binary(from, machine_options, "-S -accel tcg");
    qtest_writeq(vm->qts, vm->ram + 8 * MiB, mark);
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(to, machine_options,
                          "-S -accel tcg -incoming defer");
    ras_load(vm, file);
    g_assert_cmphex(qtest_readq(vm->qts, vm->ram + 8 * MiB), ==, mark);
    ras_cont(vm);
    g_assert_true(ras_run_state_is(vm, "running"));
    ras_quit(vm);
    g_unlink(file);
}

/* DESIGN, invariant 4: a VM moves to stock and back. */
static void test_stock_moves(const void *machine_options)
{
    if (!ras_env_or_skip(ras_stock_binary())) {
        return;
    }
    check_move(NULL, ras_stock_binary(), machine_options);
    check_move(ras_stock_binary(), NULL, machine_options);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/refuse/address", test_refuse_address);
    qtest_add_func("/ras/refuse/length", test_refuse_length);
    qtest_add_func("/ras/refuse/hole", test_refuse_hole);
    qtest_add_func("/ras/refuse/vcpu", test_refuse_vcpu);
    qtest_add_func("/ras/refuse/offline-vcpu", test_refuse_offline_vcpu);
    qtest_add_func("/ras/refuse/combinations", test_refuse_combinations);
    qtest_add_func("/ras/refuse/undeliverable", test_refuse_undeliverable);
    qtest_add_func("/ras/refuse/no-ras", test_refuse_no_ras);
    qtest_add_func("/ras/refuse/queue-full", test_refuse_queue_full);
    qtest_add_func("/ras/events", test_events);
    qtest_add_func("/ras/unknown-virtual-address",
                   test_unknown_virtual_address);
    qtest_add_func("/ras/stop-cont", test_stop_cont);
    qtest_add_func("/ras/order", test_order);
    qtest_add_func("/ras/reset", test_reset);
    qtest_add_func("/ras/log", test_log);
    qtest_add_func("/ras/event-budget", test_event_budget);
    qtest_add_func("/ras/poison/join", test_poison_join);
    qtest_add_func("/ras/poison/twice", test_poison_twice);
    qtest_add_func("/ras/poison/limit", test_poison_limit);
    qtest_add_func("/ras/poison/content", test_poison_content);
    qtest_add_func("/ras/poison/nodes", test_poison_nodes);
    qtest_add_func("/ras/poison/reset", test_poison_reset);
    qtest_add_func("/ras/poison/needs-tcg", test_poison_needs_tcg);
    qtest_add_func("/ras/unpoison/part", test_unpoison);
    qtest_add_func("/ras/unpoison/whole", test_unpoison_whole);
    qtest_add_func("/ras/hmp", test_hmp);
    qtest_add_func("/ras/unstable", test_unstable);
    qtest_add_func("/ras/save-refused", test_move);
    qtest_add_data_func("/ras/stock/device-tree", "",
                        test_stock_device_tree);
    qtest_add_data_func("/ras/stock/moves", "", test_stock_moves);
    if (ras_on_arm()) {
        qtest_add_data_func("/ras/stock/device-tree-ras-on", ",ras=on",
                            test_stock_device_tree);
        qtest_add_data_func("/ras/stock/moves-ras-on", ",ras=on",
                            test_stock_moves);
        qtest_add_data_func("/ras/stock/stream-ras-on", ",ras=on",
                            test_stock_stream);
    }
    qtest_add_data_func("/ras/stock/stream", "", test_stock_stream);
    return g_test_run();
}
