/*
 * QTest of guest RAS on "pseries": a guest that does anything
 *
 * RTAS calls with any arguments, from inside and outside, while machine checks
 * come.  A fixed seed and some seconds, unless the environment has
 * RAS_FUZZ_SEED and RAS_FUZZ_SECONDS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

static const uint32_t corners[] = {
    0, 1, 2, 3, 4, 8, CLIENT, VECTOR, LOOP, HANDLER, MAILBOX, 32 * MiB - 4,
    32 * MiB, RTAS_BASE, RTAS_BASE + SAVE_AREA, RMA_END - RAS_PAGE, RMA_END - 4,
    RMA_END, 0x7ffffffc, 0x80000000, 0xfffff000, 0xfffffffc, 0xffffffff,
};

static uint32_t random_word(GRand *rand)
{
    return g_rand_int_range(rand, 0, 4) ?
           corners[g_rand_int_range(rand, 0, ARRAY_SIZE(corners))] :
           g_rand_int(rand);
}

/* Where a call has its arguments and results: mostly where nobody runs */
static uint64_t random_place(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        return random_word(rand);
    case 1:
        return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
    default:
        return PAGE(512) + g_rand_int_range(rand, 0, RAS_PAGE);
    }
}

static uint32_t random_count(GRand *rand, uint32_t right)
{
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        return g_rand_int(rand);
    case 1 ... 2:
        return g_rand_int_range(rand, 0, 9);
    default:
        return right;
    }
}

typedef struct AnyCall {
    const char *name;
    uint32_t token, nargs;
} AnyCall;

/* Not ibm,os-term, which prints whatever it is pointed at. */
static const AnyCall any_calls[] = {
    { "ibm,nmi-register", 0x202b, 2 },
    { "ibm,nmi-interlock", NMI_INTERLOCK_TOKEN, 0 },
    { "check-exception", 0x200e, 6 },
    { "event-scan", 0x200f, 4 },
};

static const AnyCall *random_call(GRand *rand)
{
    /* the first two are what this is about */
    return &any_calls[g_rand_boolean(rand) ? g_rand_int_range(rand, 0, 2) :
                      g_rand_int_range(rand, 0, ARRAY_SIZE(any_calls))];
}

/* As the first vCPU, from outside; the arguments begin at @args. */
static void call_anything(RasVm *vm, GRand *rand)
{
    const AnyCall *call = random_call(rand);
    uint32_t nargs = random_count(rand, call->nargs);
    uint32_t nret = random_count(rand, 1);
    uint64_t args = random_place(rand), rets = random_place(rand);

    for (uint32_t i = 0; i < MIN(nargs, 8); i++) {
        qtest_writel(vm->qts, PAGE(512) + args % RAS_PAGE + 4 * i,
                     random_word(rand));
    }
    qtest_rtas_call(vm->qts, call->name, nargs, args, nret, rets);
}

/*
 * Of ibm,nmi-register and ibm,nmi-interlock: whatever they are given, they
 * write their status and nothing else.  The guest stands still meanwhile.
 */
static void call_and_look(RasVm *vm, GRand *rand)
{
    const AnyCall *call = &any_calls[g_rand_int_range(rand, 0, 2)];
    uint32_t nargs = random_count(rand, call->nargs);
    uint32_t nret = g_rand_int_range(rand, 0, 9);
    uint64_t rets = PAGE(513) + g_rand_int_range(rand, 4, 1000) * 4;

    ras_stop(vm);
    qtest_memset(vm->qts, PAGE(513), NO_STATUS & 0xff, 2 * RAS_PAGE);
    qtest_rtas_call(vm->qts, call->name, nargs, random_place(rand), nret, rets);
    if (nret) {
        int32_t status = qtest_readl(vm->qts, rets);

        g_assert_true(status == SUCCESS || status == PARAM_ERROR);
        qtest_writel(vm->qts, rets, NO_STATUS);
    }
    for (int i = -4; i < 16; i++) {
        g_assert_cmphex(qtest_readl(vm->qts, rets + 4 * i), ==, NO_STATUS);
    }
    ras_cont(vm);
}

/* The guest's own way: the hypercall, with the token in the block. */
static void call_anything_from_guest(RasVm *vm, GRand *rand)
{
    const AnyCall *call = random_call(rand);
    uint64_t block = PAGE(512) + g_rand_int_range(rand, 0, 1000) * 4;

    qtest_writel(vm->qts, block, g_rand_int_range(rand, 0, 8) ? call->token :
                                 0x2100 + g_rand_int_range(rand, 0, 0x10000));
    qtest_writel(vm->qts, block + 4, random_count(rand, call->nargs));
    qtest_writel(vm->qts, block + 8, random_count(rand, 1));
    for (int i = 0; i < 8; i++) {
        qtest_writel(vm->qts, block + 12 + 4 * i, random_word(rand));
    }
    start_hypercall(vm, H_RTAS, g_rand_int_range(rand, 0, 8) ? block :
                                random_place(rand) | 1);
}

/* Another linux,rtas-base: its four bytes are at @property. */
static void change_tree(RasVm *vm, GRand *rand, uint64_t property)
{
    qtest_writel(vm->qts, property, g_rand_boolean(rand) ? RTAS_BASE :
                                    random_word(rand));
    start_hypercall(vm, H_UPDATE_DT, DEVICE_TREE);
}

static bool consume_anything(RasVm *vm, GRand *rand)
{
    static const char *const severity[] = {
        "corrected", "recoverable", "fatal"
    };

    return ras_try_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
        " 'address': %" PRIu64 ", 'severity': %s, 'vcpu': %d,"
        " 'immediate': true }", PAGE(g_rand_int_range(rand, 0, 8)),
        severity[g_rand_int_range(rand, 0, ARRAY_SIZE(severity))],
        g_rand_int_range(rand, 0, 2));
}

/*
 * Boot again: the guest may have written over itself.  Returns where the value
 * of linux,rtas-base is.
 */
static uint64_t restart_anything(RasVm *vm, bool registers)
{
    g_autofree uint8_t *tree = NULL;
    size_t len;

    ras_stop(vm);
    ras_reset(vm);
    run_guest(vm);
    if (registers) {
        register_handler(vm);
    } else {
        set_rtas_base(vm, RTAS_BASE);
    }
    start_second_vcpu(vm);
    len = qtest_readl(vm->qts, DEVICE_TREE + 4);
    tree = g_malloc(len);
    qtest_memread(vm->qts, DEVICE_TREE, tree, len);
    return DEVICE_TREE + find_rtas_node(tree, len) + 12;
}

/*
 * RTAS calls with any arguments, from inside and outside, while machine checks
 * come: QEMU lives, its promises hold, no error that was accepted is lost, and
 * after a reset all is as always.
 */
static void test_anything(void)
{
    static const char *const ends[] = {
        "acknowledged", "reclaimed", "discarded", "delivered",
    };
    int64_t end;
    GRand *rand = ras_fuzz_start(&end);
    RasVm *vm = ras_start("-accel tcg -global spapr-ras.reclaim-ms=20 -S"
                          " -action panic=none");
    uint64_t property = restart_anything(vm, true), acknowledged;
    uint64_t accepted = 0, refused = 0;

    for (int i = 0; i < 4000 || g_get_monotonic_time() < end; i++) {
        int32_t status;

        switch (g_rand_int_range(rand, 0, 1000)) {
        case 0 ... 349:
            call_anything(vm, rand);
            break;
        case 350 ... 399:
            call_and_look(vm, rand);
            break;
        case 400 ... 699:
            call_anything_from_guest(vm, rand);
            break;
        case 700 ... 849:
            if (consume_anything(vm, rand)) {
                accepted++;
            } else {
                refused++;
            }
            break;
        case 850 ... 899:
            change_tree(vm, rand, property);
            break;
        case 900 ... 989:
            /* as a good guest does */
            status = nmi_interlock(vm);
            g_assert_true(status == SUCCESS || status == PARAM_ERROR);
            break;
        default:
            property = restart_anything(vm, g_rand_int_range(rand, 0, 4));
            break;
        }
        if (i % 50 == 0) {
            qobject_unref(ras_query(vm));
            ras_drop_events(vm);
        }
    }
    restart_anything(vm, true);
    ras_assert_count(vm, "in-flight", 0);
    /* a guest that has written over itself runs into more */
    g_assert_cmpuint(ras_count(vm, "accepted"), >=, accepted);
    g_assert_cmpuint(ras_count(vm, "refused"), >=, refused);
    g_assert_cmpuint(refused, >, 0);
    /* all ways have been gone */
    for (int i = 0; i < ARRAY_SIZE(ends); i++) {
        g_test_message("%s: %" PRIu64, ends[i], ras_count(vm, ends[i]));
        g_assert_cmpuint(ras_count(vm, ends[i]), >, 0);
    }

    acknowledged = ras_count(vm, "acknowledged");
    /* on a busy machine the log may be withdrawn before */
    for (int i = 1; i <= 20 && ras_count(vm, "acknowledged") == acknowledged;
         i++) {
        ras_consume(vm, PAGE(0), 0);
        wait_entries(vm, i);
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    ras_assert_count(vm, "acknowledged", acknowledged + 1);
    ras_quit(vm);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/anything", test_anything);
    return g_test_run();
}
