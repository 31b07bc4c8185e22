/*
 * QTest of guest RAS on the Arm machine "virt": a guest that does anything
 *
 * Random accesses to the device "ras-ghes", mixed with errors, acknowledgements
 * and resets; from time to time all promises about query-ras are checked, and
 * at the end an error is delivered as always.  A fixed seed and a second or
 * two, unless the environment has RAS_FUZZ_SEED and RAS_FUZZ_SECONDS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-qtest.h"

#define BASE    0x0b000000ULL
#define RAM     0x40000000ULL
#define PAGE(n) ((uint64_t)(RAM + 32 * MiB + (n) * RAS_PAGE))

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

    switch (g_rand_int_range(rand, 0, 5)) {
    case 0:
        qtest_writeb(vm->qts, addr, value);
        break;
    case 1:
        qtest_writew(vm->qts, addr, value);
        break;
    case 2:
        qtest_writel(vm->qts, addr, value);
        break;
    case 3:
        qtest_writeq(vm->qts, addr, value);
        break;
    default:
        qtest_memset(vm->qts, addr, value, g_rand_int_range(rand, 1, 64));
        break;
    }
}

static void read_anything(RasVm *vm, GRand *rand)
{
    uint64_t addr = random_address(rand);

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        qtest_readb(vm->qts, addr);
        break;
    case 1:
        qtest_readw(vm->qts, addr);
        break;
    case 2:
        qtest_readl(vm->qts, addr);
        break;
    default:
        qtest_readq(vm->qts, addr);
        break;
    }
}

static void inject_anything(RasVm *vm, GRand *rand)
{
    static const char *const severity[] = {
        "corrected", "recoverable", "fatal"
    };
    uint64_t page = PAGE(g_rand_int_range(rand, 0, 256));
    QDict *answer;

    /* refused or not: either is fine */
    if (g_rand_boolean(rand)) {
        answer = qtest_qmp(vm->qts, "{ 'execute': 'ras-inject', 'arguments': "
                           "{ 'kind': 'memory', 'mode': 'report', 'address': "
                           "%" PRIu64 ", 'length': %" PRIu64 ", 'severity': "
                           "%s, 'polled': %i } }", page,
                           RAS_PAGE * (uint64_t)g_rand_int_range(rand, 1, 40),
                           severity[g_rand_int_range(rand, 0, 3)],
                           g_rand_boolean(rand));
    } else {
        answer = qtest_qmp(vm->qts, "{ 'execute': 'ras-inject', 'arguments': "
                           "{ 'kind': 'memory', 'mode': 'consume', 'address': "
                           "%" PRIu64 ", 'severity': %s, 'vcpu': 0 } }", page,
                           severity[g_rand_int_range(rand, 0, 3)]);
    }
    qobject_unref(answer);
}

static void do_anything(RasVm *vm, GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 40)) {
    case 0 ... 13:
        write_anything(vm, rand);
        break;
    case 14 ... 20:
        read_anything(vm, rand);
        break;
    case 21 ... 28:
        inject_anything(vm, rand);
        break;
    case 29 ... 35:
        /* as a good guest does */
        qtest_writeq(vm->qts, BASE + 0x10 * g_rand_int_range(rand, 0, 3) + 8,
                     1);
        break;
    case 36 ... 38:
        qtest_clock_step(vm->qts, g_rand_int_range(rand, 1, 100000000));
        break;
    default:
        if (g_rand_int_range(rand, 0, 20) == 0) {
            ras_reset(vm);
        }
        break;
    }
}

/* Whatever was before: the guest is told of an error, and acknowledges. */
static void check_works(RasVm *vm)
{
    uint64_t id;

    ras_reset(vm);
    id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report', 'severity': "
                    "'recoverable', 'address': %" PRIu64 " }", PAGE(300));
    ras_assert_state(vm, id, "notified");
    qtest_writeq(vm->qts, BASE + 0x18, 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
}

static void test_anything(void)
{
    const char *seconds = g_getenv("RAS_FUZZ_SECONDS");
    const char *seed = g_getenv("RAS_FUZZ_SEED");
    gint64 end = g_get_monotonic_time() +
                 (seconds ? g_ascii_strtoll(seconds, NULL, 10) : 0) *
                 G_USEC_PER_SEC;
    GRand *rand = g_rand_new_with_seed(seed ? g_ascii_strtoll(seed, NULL, 10)
                                            : 1);
    RasVm *vm = ras_start_binary(NULL, ",ras=on,ras-ghes=on", "");
    uint64_t accepted;

    for (int i = 0; i < OPERATIONS || g_get_monotonic_time() < end; i++) {
        do_anything(vm, rand);
        if (i % 100 == 0) {
            qobject_unref(ras_query(vm));
            ras_drop_events(vm);
        }
    }
    accepted = ras_count(vm, "accepted");
    g_assert_cmpuint(accepted, >, 20);
    g_assert_cmpuint(ras_count(vm, "acknowledged"), >, 5);
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
