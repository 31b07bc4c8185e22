/*
 * Guest RAS: what the qtests share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-qtest.h"

bool ras_on_arm(void)
{
    return g_str_equal(qtest_get_arch(), "aarch64");
}

const char *ras_env_or_skip(const char *name)
{
    const char *value = g_getenv(name);

    if (!value || !*value) {
        g_autofree char *why = g_strdup_printf("%s is not set", name);

        g_test_skip(why);
        return NULL;
    }
    return value;
}

void ras_assert_like(const char *text, const char *pattern)
{
    if (!g_pattern_match_simple(pattern, text)) {
        /* fails, and shows both */
        g_assert_cmpstr(text, ==, pattern);
    }
}

char *ras_temp_file(void)
{
    g_autoptr(GError) err = NULL;
    char *name = NULL;
    int fd = g_file_open_tmp("ras-qtest-XXXXXX", &name, &err);

    g_assert_no_error(err);
    close(fd);
    return name;
}

const char *ras_stock_binary(void)
{
    return ras_on_arm() ? "RAS_STOCK_QEMU_AARCH64" : "RAS_STOCK_QEMU_PPC64";
}

char *ras_read_file(const char *name, size_t *len)
{
    g_autoptr(GError) err = NULL;
    char *content = NULL;

    g_file_get_contents(name, &content, len, &err);
    g_assert_no_error(err);
    return content;
}

char *ras_arm_firmware(void)
{
    static const uint32_t start[] = {
        0xd2a80061,             /* movz x1, mailbox >> 16, lsl #16 */
        0xf9400022,             /* poll: ldr x2, [x1, address] */
        0xb4ffffe2,             /* cbz x2, poll */
        0xf900003f,             /* str xzr, [x1, address] */
        0xf9400424,             /* ldr x4, [x1, kind] */
        0xb40000a4,             /* cbz x4, load */
        0x36000044,             /* tbz x4, #0, fetch */
        0x14000002,             /* b store */
        0xd61f0040,             /* fetch: br x2 */
        0xf9000044,             /* store: str x4, [x2] */
        0xf9400043,             /* load: ldr x3, [x2] */
        0xf9000c23,             /* str x3, [x1, value] */
        0xf9400825,             /* ldr x5, [x1, done] */
        0x910004a5,             /* add x5, x5, #1 */
        0xf9000825,             /* str x5, [x1, done] */
        0x17fffff2,             /* b poll */
    };
    static const uint32_t handler[] = {
        0xd2a80061,             /* movz x1, mailbox >> 16, lsl #16 */
        0xd5385206,             /* mrs x6, ESR_EL1 */
        0xf9001026,             /* str x6, [x1, esr] */
        0xd5386006,             /* mrs x6, FAR_EL1 */
        0xf9001426,             /* str x6, [x1, far] */
        0xf9401826,             /* ldr x6, [x1, entries] */
        0x910004c6,             /* add x6, x6, #1 */
        0xf9001826,             /* str x6, [x1, entries] */
        0xd518403f,             /* msr ELR_EL1, xzr */
        0xd69f03e0,             /* eret: to the start */
    };
    uint32_t code[1024];
    char *name = ras_temp_file();

    for (size_t i = 0; i < ARRAY_SIZE(code); i++) {
        code[i] = cpu_to_le32(0x14000000);      /* b . */
    }
    for (size_t i = 0; i < ARRAY_SIZE(start); i++) {
        code[i] = cpu_to_le32(start[i]);
    }
    /* VBAR + 0x200: synchronous, from where it is already */
    for (size_t i = 0; i < ARRAY_SIZE(handler); i++) {
        code[0x200 / 4 + i] = cpu_to_le32(handler[i]);
    }
    g_assert_true(g_file_set_contents(name, (char *)code, sizeof(code), NULL));
    return name;
}

static inline bool ras_event_arrived(QTestState *qts, const char *name,
                                     QDict *event, void *opaque)
{
    RasVm *vm = opaque;

    if (g_str_equal(name, "RESET")) {
        vm->resets++;
        return true;
    }
    vm->panics += g_str_equal(name, "GUEST_PANICKED");
    if (g_str_equal(name, "RAS_ERROR") ||
               g_str_equal(name, "MEMORY_FAILURE") ||
               g_str_equal(name, "GUEST_PANICKED")) {
        g_queue_push_tail(&vm->events, qobject_ref(event));
    }
    return true;
}

char *ras_command_line(const char *machine_options, unsigned int mib,
                       const char *firmware)
{
    const char *roms = g_getenv("RAS_FIRMWARE");
    GString *args = g_string_new(NULL);

    if (ras_on_arm()) {
        /* with one error source, which later machines have two of */
        g_string_printf(args, "-machine virt-10.0%s -cpu max", machine_options);
        if (firmware) {
            g_string_append_printf(args, " -bios %s", firmware);
        }
    } else {
        g_string_printf(args, "-machine pseries%s -cpu power10",
                        machine_options);
        if (roms && *roms) {
            g_string_append_printf(args, " -L %s", roms);
        }
    }
    g_string_append_printf(args, " -nodefaults -smp 2 -m %u", mib);
    return g_string_free(args, false);
}

RasVm *ras_start_binary(const char *var, const char *machine_options,
                        const char *options)
{
    const unsigned int mib = 256;
    RasVm *vm = g_new0(RasVm, 1);
    g_autofree char *firmware = ras_on_arm() ? ras_arm_firmware() : NULL;
    g_autofree char *machine = ras_command_line(machine_options, mib,
                                                firmware);
    g_autofree char *args = g_strdup_printf("%s %s", machine, options);

    g_queue_init(&vm->events);
    vm->ram = ras_on_arm() ? 1 * GiB : 0;
    vm->ram_size = mib * MiB;
    vm->qts = qtest_init_ext(var, args, NULL, true);
    qtest_qmp_set_event_callback(vm->qts, ras_event_arrived, vm);
    if (firmware) {
        g_unlink(firmware);
    }
    return vm;
}

RasVm *ras_start(const char *options)
{
    return ras_start_binary(NULL, ras_on_arm() ? ",ras=on,secure=on" : "",
                            options);
}

RasVm *ras_start_stopped_tcg(void)
{
    return ras_start("-accel tcg -S");
}

void ras_quit(RasVm *vm)
{
    QDict *event;

    qtest_quit(vm->qts);
    while ((event = g_queue_pop_head(&vm->events))) {
        qobject_unref(event);
    }
    g_free(vm);
}

void ras_pump(RasVm *vm)
{
    qobject_unref(qtest_qmp(vm->qts, "{ 'execute': 'query-ras' }"));
}

bool ras_run_state_is(RasVm *vm, const char *state)
{
    QDict *status = qtest_qmp_assert_success_ref(vm->qts,
                        "{ 'execute': 'query-status' }");
    bool is = g_str_equal(qdict_get_str(status, "status"), state);

    qobject_unref(status);
    return is;
}

void ras_stop(RasVm *vm)
{
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'stop' }");
}

void ras_cont(RasVm *vm)
{
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'cont' }");
}

void ras_reset(RasVm *vm)
{
    unsigned int before = vm->resets;

    qtest_system_reset_nowait(vm->qts);
    ras_wait_until(vm, vm->resets > before);
}

GRand *ras_fuzz_start(int64_t *end)
{
    const char *seconds = g_getenv("RAS_FUZZ_SECONDS");
    const char *seed = g_getenv("RAS_FUZZ_SEED");

    *end = g_get_monotonic_time() + (seconds ? atoll(seconds) : 0) *
           G_TIME_SPAN_SECOND;
    return g_rand_new_with_seed(seed ? atoll(seed) : 1);
}

/* --- query-ras ----------------------------------------------------------- */

uint64_t ras_get_uint(const QDict *dict, const char *key)
{
    QNum *num = qobject_to(QNum, qdict_get(dict, key));
    uint64_t value;

    g_assert_nonnull(num);
    g_assert_true(qnum_get_try_uint(num, &value));
    return value;
}

uint64_t ras_counter(const QDict *info, const char *name)
{
    return ras_get_uint(qdict_get_qdict(info, "counters"), name);
}

/* The counters always add up. */
static inline void ras_check_counters(const QDict *info)
{
    uint64_t recorded = ras_counter(info, "recorded");
    uint64_t notified = ras_counter(info, "notified");
    uint64_t acknowledged = ras_counter(info, "acknowledged");
    uint64_t delivered = ras_counter(info, "delivered");
    uint64_t reclaimed = ras_counter(info, "reclaimed");
    uint64_t in_flight = ras_counter(info, "in-flight");

    g_assert_cmpuint(ras_counter(info, "accepted"), ==,
                     in_flight + acknowledged + delivered + reclaimed +
                     ras_counter(info, "discarded"));
    /* who ends so was notified, and had a record, or had none */
    g_assert_cmpuint(notified, >=, acknowledged + delivered + reclaimed);
    g_assert_cmpuint(recorded, >=, acknowledged + reclaimed);
    g_assert_cmpuint(in_flight, ==, qlist_size(qdict_get_qlist(info,
                                                               "queue")));
}

/*
 * Oldest first, at most one record out for vCPUs, at most 16 errors in each of
 * the others, parked only who waits.  SErrors are out without a record.
 */
static inline void ras_check_queue(const QDict *info)
{
    uint64_t last = 0, parked_for = 0;
    unsigned int outstanding = 0, asynchronous = 0;
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "queue"), entry) {
        QDict *error = qobject_to(QDict, qlist_entry_obj(entry));
        const char *state = qdict_get_str(error, "state");

        g_assert_cmpuint(ras_get_uint(error, "id"), >, last);
        last = ras_get_uint(error, "id");
        if (!qdict_haskey(error, "vcpu")) {
            asynchronous += !g_str_equal(state, "queued");
        } else if (g_str_equal(state, "queued")) {
            parked_for |= 1ULL << ras_get_uint(error, "vcpu");
        } else {
            g_assert_true(g_str_equal(state, "recorded") ||
                          g_str_equal(state, "notified"));
            outstanding += qdict_get_bool(error, "synchronous");
        }
    }
    g_assert_cmpuint(outstanding, <=, 1);
    g_assert_cmpuint(asynchronous, <=, 2 * 16);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "parked"), entry) {
        QNum *vcpu = qobject_to(QNum, qlist_entry_obj(entry));

        g_assert_true(parked_for & 1ULL << qnum_get_int(vcpu));
    }
}

/* In the order of addresses, whole pages, joined if one severity. */
static inline void ras_check_poison(const QDict *info)
{
    uint64_t end = 0;
    const char *severity = "";
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "poisoned"), entry) {
        QDict *range = qobject_to(QDict, qlist_entry_obj(entry));
        uint64_t address = ras_get_uint(range, "address");
        uint64_t length = ras_get_uint(range, "length");

        g_assert_cmpuint(address % RAS_PAGE, ==, 0);
        g_assert_cmpuint(length % RAS_PAGE, ==, 0);
        g_assert_cmpuint(length, >, 0);
        g_assert_cmpuint(address, >=, end);
        if (address == end) {
            g_assert_cmpstr(qdict_get_str(range, "severity"), !=, severity);
        }
        end = address + length;
        severity = qdict_get_str(range, "severity");
    }
}

QDict *ras_query(RasVm *vm)
{
    QDict *info = qtest_qmp_assert_success_ref(vm->qts,
                                               "{ 'execute': 'query-ras' }");

    ras_check_counters(info);
    ras_check_queue(info);
    ras_check_poison(info);
    return info;
}

uint64_t ras_count(RasVm *vm, const char *name)
{
    QDict *info = ras_query(vm);
    uint64_t value = ras_counter(info, name);

    qobject_unref(info);
    return value;
}

void ras_assert_part(RasVm *vm, const char *part, const char *json)
{
    QDict *info = ras_query(vm);
    QObject *expected = qobject_from_json(json, &error_abort);
    QObject *actual = qdict_get(info, part);

    if (!qobject_is_equal(actual, expected)) {
        g_autoptr(GString) is = qobject_to_json(actual);

        /* fails, and shows both */
        g_assert_cmpstr(is->str, ==, json);
    }
    qobject_unref(expected);
    qobject_unref(info);
}

char *ras_lost(RasVm *vm)
{
    QDict *info = ras_query(vm);
    QDict *lost = qdict_get_qdict(info, "check-stop");
    char *text = lost ? g_strdup_printf("%" PRId64 ": %s",
                                        qdict_get_int(lost, "id"),
                                        qdict_get_str(lost, "reason")) : NULL;

    qobject_unref(info);
    return text;
}

char *ras_state(RasVm *vm, uint64_t id)
{
    QDict *info = ras_query(vm);
    char *state = NULL;
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "queue"), entry) {
        QDict *error = qobject_to(QDict, qlist_entry_obj(entry));

        if (ras_get_uint(error, "id") == id) {
            state = g_strdup(qdict_get_str(error, "state"));
        }
    }
    qobject_unref(info);
    return state ?: g_strdup("over");
}

bool ras_state_is(RasVm *vm, uint64_t id, const char *expected)
{
    g_autofree char *state = ras_state(vm, id);

    return g_str_equal(state, expected);
}

bool ras_ready(RasVm *vm)
{
    QDict *info = ras_query(vm);
    QObject *source = qlist_peek(qdict_get_qlist(info, "sources"));
    bool ready = qdict_get_bool(qobject_to(QDict, source), "ready");

    qobject_unref(info);
    return ready;
}

/* --- ras-inject, ras-unpoison -------------------------------------------- */

uint64_t ras_inject(RasVm *vm, const char *fmt, ...)
{
    uint64_t id = 0;
    QDict *args, *result;
    va_list ap;

    va_start(ap, fmt);
    args = qdict_from_vjsonf_nofail(fmt, ap);
    va_end(ap);
    result = qtest_qmp_assert_success_ref(vm->qts,
                 "{ 'execute': 'ras-inject', 'arguments': %p }", args);
    if (qdict_haskey(result, "id")) {
        id = ras_get_uint(result, "id");
        g_assert_cmpuint(id, >, 0);
    }
    qobject_unref(result);
    return id;
}

bool ras_try_inject(RasVm *vm, const char *fmt, ...)
{
    QDict *answer;
    va_list ap;
    bool accepted;

    va_start(ap, fmt);
    answer = qtest_qmp(vm->qts, "{ 'execute': 'ras-inject', 'arguments': %p }",
                       qdict_from_vjsonf_nofail(fmt, ap));
    va_end(ap);
    accepted = qdict_haskey(answer, "return");
    qobject_unref(answer);
    return accepted;
}

uint64_t ras_consume(RasVm *vm, uint64_t address, int vcpu)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                      " 'severity': 'recoverable', 'address': %" PRIu64
                      ", 'vcpu': %d, 'immediate': true }", address, vcpu);
}

void ras_poison(RasVm *vm, uint64_t address, uint64_t length)
{
    uint64_t id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'poison',"
                             " 'severity': 'recoverable', 'address': %" PRIu64
                             ", 'length': %" PRIu64 " }", address, length);

    /* poison as such is no error: there is one when it is touched */
    g_assert_cmpuint(id, ==, 0);
}

void ras_unpoison(RasVm *vm, uint64_t address, uint64_t length)
{
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'ras-unpoison',"
                             " 'arguments': { 'address': %" PRIu64
                             ", 'length': %" PRIu64 " } }", address, length);
}

/* query-ras without the counter "refused" */
static inline QDict *ras_query_but_refused(RasVm *vm)
{
    QDict *info = ras_query(vm);

    qdict_del(qdict_get_qdict(info, "counters"), "refused");
    return info;
}

void ras_assert_refused(RasVm *vm, const char *command, QDict *args,
                        const char *pattern, unsigned int refused)
{
    uint64_t refused_before = ras_count(vm, "refused");
    QDict *before = ras_query_but_refused(vm);
    unsigned int events = vm->events.length;
    QDict *response, *error, *after;

    response = qtest_qmp_assert_failure_ref(vm->qts,
                   "{ 'execute': %s, 'arguments': %p }", command, args);
    error = qdict_get_qdict(response, "error") ?: response;
    ras_assert_like(qdict_get_str(error, "desc"), pattern);
    qobject_unref(response);

    after = ras_query_but_refused(vm);
    g_assert_true(qobject_is_equal(QOBJECT(before), QOBJECT(after)));
    qobject_unref(before);
    qobject_unref(after);
    ras_assert_count(vm, "refused", refused_before + refused);
    ras_pump(vm);
    g_assert_cmpuint(vm->events.length, ==, events);
}

void ras_inject_refused(RasVm *vm, const char *pattern, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ras_assert_refused(vm, "ras-inject", qdict_from_vjsonf_nofail(fmt, ap),
                       pattern, 1);
    va_end(ap);
}

void ras_unpoison_refused(RasVm *vm, const char *pattern, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ras_assert_refused(vm, "ras-unpoison", qdict_from_vjsonf_nofail(fmt, ap),
                       pattern, 0);
    va_end(ap);
}

void ras_check_frozen(RasVm *(*start)(unsigned int reclaim_ms))
{
    for (unsigned int reclaim_ms = 1000;; reclaim_ms *= 2) {
        int64_t limit = reclaim_ms * INT64_C(1000), frozen = 0;
        int64_t begin = g_get_monotonic_time();
        RasVm *vm = start(reclaim_ms);
        bool out;

        /* the time may begin to count a little later than the error is out */
        for (int i = 0; i < 2; i++) {
            int64_t stop = g_get_monotonic_time();

            g_assert_cmpint(kill(qtest_pid(vm->qts), SIGSTOP), ==, 0);
            g_usleep(limit * 3 / 2);
            g_assert_cmpint(kill(qtest_pid(vm->qts), SIGCONT), ==, 0);
            frozen += g_get_monotonic_time() - stop;
            g_usleep(20 * 1000);
            /* with the second command, timers that are due have run */
            ras_pump(vm);
            ras_pump(vm);
        }
        out = ras_count(vm, "reclaimed") == 0;
        ras_quit(vm);
        if (g_get_monotonic_time() - begin - frozen < limit / 2) {
            g_assert_true(out);
            return;
        }
        /* this machine is too slow to tell: give it more time */
    }
}

/* --- events -------------------------------------------------------------- */

QDict *ras_next_event(RasVm *vm, const char *name)
{
    QDict *event;

    ras_wait_until(vm, vm->events.length);
    event = g_queue_pop_head(&vm->events);
    g_assert_cmpstr(qdict_get_str(event, "event"), ==, name);
    return event;
}

QDict *ras_next_step(RasVm *vm, uint64_t id, const char *state)
{
    QDict *event = ras_next_event(vm, "RAS_ERROR");
    QDict *error = qdict_get_qdict(qdict_get_qdict(event, "data"), "error");

    g_assert_cmpuint(ras_get_uint(error, "id"), ==, id);
    g_assert_cmpstr(qdict_get_str(error, "state"), ==, state);
    qobject_ref(error);
    qobject_unref(event);
    return error;
}

void ras_expect_step(RasVm *vm, uint64_t id, const char *state)
{
    qobject_unref(ras_next_step(vm, id, state));
}

void ras_expect_memory_failure(RasVm *vm, const char *action, bool recursive)
{
    QDict *event = ras_next_event(vm, "MEMORY_FAILURE");
    QDict *data = qdict_get_qdict(event, "data");
    QDict *flags = qdict_get_qdict(data, "flags");

    g_assert_cmpstr(qdict_get_str(data, "recipient"), ==, "guest");
    g_assert_cmpstr(qdict_get_str(data, "action"), ==, action);
    g_assert_true(qdict_get_bool(flags, "action-required"));
    g_assert_cmpint(qdict_get_bool(flags, "recursive"), ==, recursive);
    qobject_unref(event);
}

void ras_drop_events(RasVm *vm)
{
    QDict *event;

    ras_pump(vm);
    while ((event = g_queue_pop_head(&vm->events))) {
        qobject_unref(event);
    }
}

/* --- migration ----------------------------------------------------------- */

bool ras_migration_is(RasVm *vm, const char *status)
{
    QDict *info = qtest_qmp_assert_success_ref(vm->qts,
                      "{ 'execute': 'query-migrate' }");
    const char *is = qdict_get_try_str(info, "status");
    bool equal = is && g_str_equal(is, status);

    qobject_unref(info);
    return equal;
}

bool ras_migration_is_gone(RasVm *vm)
{
    QDict *response = qtest_qmp(vm->qts, "{ 'execute': 'query-yank' }");
    QListEntry *entry;
    bool gone = true;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
        QDict *instance = qobject_to(QDict, qlist_entry_obj(entry));

        gone &= !g_str_equal(qdict_get_str(instance, "type"), "migration");
    }
    qobject_unref(response);
    return gone;
}

void ras_save(RasVm *vm, const char *file, const char *status)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    ras_wait_until(vm, ras_migration_is(vm, "completed") ||
                   ras_migration_is(vm, "failed"));
    g_assert_true(ras_migration_is(vm, status));
    ras_wait_until(vm, ras_migration_is_gone(vm));
}

void ras_load(RasVm *vm, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s } }", uri);
    ras_wait_until(vm, ras_migration_is(vm, "completed") ||
                   ras_migration_is(vm, "failed"));
    g_assert_true(ras_migration_is(vm, "completed"));
}
