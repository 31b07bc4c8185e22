/*
 * QTest of guest RAS on the Arm machine "virt": a guest that does anything
 *
 * Random accesses to the device "ras-ghes", mixed with errors, acknowledgements
 * and resets; from time to time all promises about query-ras are checked, and
 * that the registers say the same.  At the end no error that was accepted is
 * lost, and one more is delivered as always.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-ghes.h"

#define OPERATIONS 4000

static uint64_t random_u64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* Registers, blocks, their edges, and anywhere in the window. */
static uint64_t random_address(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        return BASE + g_rand_int_range(rand, 0, 0x40);
    case 1:
        return BASE + 0x4000 * g_rand_int_range(rand, 0, 8) +
               g_rand_int_range(rand, 0, 24);
    case 2:
        return BASE + 0x1000 * g_rand_int_range(rand, 1, 32) -
               g_rand_int_range(rand, 1, 9);
    default:
        return BASE + g_rand_int_range(rand, 0, 0x1fff8);
    }
}

static uint64_t random_value(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return UINT64_MAX;
    default:
        return random_u64(rand);
    }
}

static void write_anything(RasVm *vm, GRand *rand)
{
    uint64_t addr = random_address(rand), value = random_value(rand);
    int size = g_rand_int_range(rand, 0, 5);

    if (size < 4) {
        write_sized(vm, addr, 1 << size, value);
    } else {
        qtest_memset(vm->qts, addr, value, g_rand_int_range(rand, 1, 64));
    }
}

static void read_anything(RasVm *vm, GRand *rand)
{
    uint64_t addr = random_address(rand);

    read_sized(vm, addr, 1 << g_rand_int_range(rand, 0, 4));
}

static bool inject_anything(RasVm *vm, GRand *rand)
{
    static const char *const severity[] = {
        "corrected", "recoverable", "fatal"
    };
    uint64_t page = PAGE(g_rand_int_range(rand, 0, 256));

    if (g_rand_boolean(rand)) {
        return ras_try_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                              " 'address': %" PRIu64 ", 'length': %" PRIu64 ","
                              " 'severity': %s, 'polled': %i }", page,
                              RAS_PAGE * g_rand_int_range(rand, 1, 40),
                              severity[g_rand_int_range(rand, 0, 3)],
                              g_rand_boolean(rand));
    }
    return ras_try_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                          " 'address': %" PRIu64 ", 'severity': %s,"
                          " 'vcpu': 0 }", page,
                          severity[g_rand_int_range(rand, 0, 3)]);
}

/* What has become of the errors of ras-inject */
typedef struct Injected {
    uint64_t accepted, refused;
} Injected;

static void do_anything(RasVm *vm, GRand *rand, Injected *injected)
{
    switch (g_rand_int_range(rand, 0, 40)) {
    case 0 ... 13:
        write_anything(vm, rand);
        break;
    case 14 ... 20:
        read_anything(vm, rand);
        break;
    case 21 ... 28:
        if (inject_anything(vm, rand)) {
            injected->accepted++;
        } else {
            injected->refused++;
        }
        break;
    case 29 ... 35:
        /* as a good guest does */
        qtest_writeq(vm->qts, READ_ACK(g_rand_int_range(rand, 0, SOURCES)), 1);
        break;
    case 36 ... 38:
        /* seldom enough for a record to be withdrawn */
        qtest_clock_step(vm->qts, g_rand_int_range(rand, 1, 100000000) *
                         (g_rand_int_range(rand, 0, 8) ? 1LL : 20LL));
        break;
    default:
        if (g_rand_int_range(rand, 0, 20) == 0) {
            ras_reset(vm);
        }
        break;
    }
}

/*
 * The addresses are as ever, and a block is free if no record is out; that for
 * aborts is not, if one is.  An error that takes several records of the others
 * is out between them, too.
 */
static void check_same(RasVm *vm)
{
    const QListEntry *entry;
    QDict *info;
    int i = 0;

    ras_stop(vm);
    info = ras_query(vm);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "sources"), entry) {
        QDict *source = qobject_to(QDict, qlist_entry_obj(entry));
        uint64_t free;

        g_assert_cmphex(qtest_readq(vm->qts, STATUS_ADDRESS(i)), ==, BLOCK(i));
        free = qtest_readq(vm->qts, READ_ACK(i));
        if (i == SEA || !qdict_haskey(source, "outstanding")) {
            g_assert_cmphex(free, ==, !qdict_haskey(source, "outstanding"));
        }
        i++;
    }
    g_assert_cmpint(i, ==, SOURCES);
    qobject_unref(info);
    ras_cont(vm);
}

/* Whatever was before: the guest is told of an error, and acknowledges. */
static void check_works(RasVm *vm)
{
    uint64_t id;

    ras_reset(vm);
    id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity': "
                    "'recoverable', 'address': %llu }", PAGE(300));
    ras_assert_state(vm, id, "notified");
    qtest_writeq(vm->qts, READ_ACK(GED), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
}

static void test_anything(void)
{
    Injected injected = { 0 };
    int64_t end;
    GRand *rand = ras_fuzz_start(&end);
    RasVm *vm = start();

    for (int i = 0; i < OPERATIONS || g_get_monotonic_time() < end; i++) {
        do_anything(vm, rand, &injected);
        if (i % 100 == 0) {
            check_same(vm);
            ras_drop_events(vm);
        }
    }
    ras_assert_count(vm, "accepted", injected.accepted);
    ras_assert_count(vm, "refused", injected.refused);
    g_assert_cmpuint(injected.refused, >, 0);
    /* both ways out have been gone */
    g_assert_cmpuint(ras_count(vm, "acknowledged"), >, 0);
    g_assert_cmpuint(ras_count(vm, "reclaimed"), >, 0);
    ras_reset(vm);
    ras_assert_count(vm, "in-flight", 0);
    check_works(vm);
    ras_quit(vm);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/ras/fuzz/anything", test_anything);
    return g_test_run();
}
