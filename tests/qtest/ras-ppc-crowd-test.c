/*
 * QTest of guest RAS on "pseries": machine checks on many vCPUs
 *
 * 16 vCPUs take machine checks, call the interlock, come and go in random
 * order, against a model.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/*
 * A guest with many vCPUs.  Each has a mailbox of its own, and sleeps most of
 * the time: a busy one would keep the others from running.  Its decrementer
 * wakes it each millisecond, to see if there is a hypercall to make.
 */
#define SPR_DEC     22
#define SPR_SPRG0   272             /* address of the mailbox */
#define TIME_BASE_MHZ 512

static void emit_stamp(Code *code, int offset)
{
    emit(code, 0x7cac42e6);                                 /* mftb r5 */
    emit_std(code, 5, offset);
}

static void write_crowd(QTestState *qts)
{
    Code start = { qts, CROWD }, handler = { qts, CROWD_HANDLER };
    Code decrementer = { qts, DECREMENTER };
    uint64_t idle, poll;

    emit_mtspr(&start, 3, SPR_SPRG0);
    emit_mfspr(&start, 9, SPR_SPRG0);
    emit_count(&start, MAIL_DONE);
    idle = start.at;
    emit_li(&start, 3, H_CEDE);
    emit(&start, 0x44000022);                               /* sc 1 */
    poll = start.at;
    emit_mfspr(&start, 9, SPR_SPRG0);
    emit_poll(&start, MAIL_COMMAND, idle);
    emit_clear(&start, MAIL_COMMAND);
    emit_ld(&start, 3, MAIL_HCALL);
    emit(&start, 0x44000022);                               /* sc 1 */
    emit_branch(&start, poll);

    emit_mfspr(&handler, 9, SPR_SPRG0);
    emit_stamp(&handler, MAIL_ENTERED);
    emit(&handler, 0x80a30048);                             /* lwz r5,72(r3) */
    emit_std(&handler, 5, MAIL_EVENT);
    emit_count(&handler, MAIL_ENTRIES);
    emit_poll(&handler, MAIL_AUTO, poll);
    emit_li(&handler, 3, H_RTAS);
    emit_stamp(&handler, MAIL_LEFT);
    emit(&handler, 0x44000022);                             /* sc 1 */
    emit_branch(&handler, poll);

    /* nothing but sleep has interrupts enabled, and it needs no register */
    emit_li(&decrementer, 8, 1000 * TIME_BASE_MHZ);
    emit_mtspr(&decrementer, 8, SPR_DEC);
    emit(&decrementer, 0x4c000024);                         /* rfid */
}

static uint64_t mail_of(RasVm *vm, int vcpu, int offset)
{
    return qtest_readq(vm->qts, MAILBOX_OF(vcpu) + offset);
}

/* A vCPU that is offline begins, with an empty mailbox. */
static void join_crowd(RasVm *vm, int vcpu)
{
    uint32_t args[] = { vcpu, CROWD, MAILBOX_OF(vcpu) };

    qtest_memset(vm->qts, MAILBOX_OF(vcpu), 0, MAIL_SIZE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
}

/* It can take machine checks from now on. */
static void wait_joined(RasVm *vm, int vcpu)
{
    ras_wait_until(vm, mail_of(vm, vcpu, MAIL_DONE));
}

/* All vCPUs up to n join; the first one has run the client until then. */
static void gather_crowd(RasVm *vm, const bool *absent, int n)
{
    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, CROWD_HANDLER), ==, SUCCESS);
    ras_stop(vm);
    write_crowd(vm->qts);
    g_assert_cmpint(rtas(vm, "stop-self", 0, NULL, 1), ==, NO_STATUS);
    for (int i = 0; i < n; i++) {
        if (!absent || !absent[i]) {
            join_crowd(vm, i);
        }
    }
    ras_cont(vm);
    for (int i = 0; i < n; i++) {
        if (!absent || !absent[i]) {
            wait_joined(vm, i);
        }
    }
}

static uint64_t write_interlock_block(RasVm *vm, int vcpu)
{
    uint64_t block = MAILBOX_OF(vcpu) + MAIL_BLOCK;

    qtest_writel(vm->qts, block, NMI_INTERLOCK_TOKEN);
    qtest_writel(vm->qts, block + 4, 0);
    qtest_writel(vm->qts, block + 8, 1);
    qtest_writel(vm->qts, block + 12, NO_STATUS);
    return block;
}

/*
 * One that runs calls ibm,nmi-interlock.  Its status is there before anything
 * else can happen to the vCPU.
 */
static void interlock_by(RasVm *vm, int vcpu)
{
    uint64_t block = write_interlock_block(vm, vcpu);

    qtest_writeq(vm->qts, MAILBOX_OF(vcpu) + MAIL_HCALL, H_RTAS);
    qtest_writeq(vm->qts, MAILBOX_OF(vcpu) + MAIL_COMMAND, block);
    ras_wait_until(vm, qtest_readl(vm->qts, block + 12) != NO_STATUS);
    g_assert_cmpint(qtest_readl(vm->qts, block + 12), ==, SUCCESS);
}

/* What must be, and how it came to that */
typedef struct Crowd {
    RasVm *vm;
    GRand *rand;
    GQueue errors;              /* CrowdError *, oldest first */
    bool absent[CROWD_MAX];
    uint64_t entries[CROWD_MAX];
    uint64_t acknowledged, reclaimed, discarded;
} Crowd;

typedef struct CrowdError {
    uint64_t id;
    int vcpu;
    bool delivered;
} CrowdError;

/* enough for each vCPU to wait twice */
#define CROWD_SIZE   16
#define CROWD_ERRORS 32

static int crowd_owner(Crowd *c)
{
    CrowdError *e = g_queue_peek_head(&c->errors);

    return e ? e->vcpu : -1;
}

static bool crowd_waits(Crowd *c, int vcpu)
{
    for (GList *l = c->errors.head; l; l = l->next) {
        CrowdError *e = l->data;

        if (e->vcpu == vcpu) {
            return vcpu != crowd_owner(c);
        }
    }
    return false;
}

static int crowd_any(Crowd *c)
{
    int vcpu;

    do {
        vcpu = g_rand_int_range(c->rand, 0, CROWD_SIZE);
    } while (c->absent[vcpu]);
    return vcpu;
}

/* The queue is what the model has, in its order; the first one is out. */
static void check_crowd_queue(Crowd *c, const QDict *info)
{
    const QListEntry *entry;
    GList *l = c->errors.head;
    uint32_t parked = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "queue"), entry) {
        QDict *error = qobject_to(QDict, qlist_entry_obj(entry));
        CrowdError *e;

        g_assert_nonnull(l);
        e = l->data;
        g_assert_cmpuint(ras_get_uint(error, "id"), ==, e->id);
        g_assert_cmpuint(ras_get_uint(error, "vcpu"), ==, e->vcpu);
        g_assert_cmpstr(qdict_get_str(error, "state"), ==,
                        l->prev ? "queued" : "notified");
        l = l->next;
    }
    g_assert_null(l);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "parked"), entry) {
        QNum *vcpu = qobject_to(QNum, qlist_entry_obj(entry));

        parked |= 1 << qnum_get_int(vcpu);
    }
    for (int i = 0; i < CROWD_SIZE; i++) {
        g_assert_cmpint(!!(parked & 1 << i), ==, crowd_waits(c, i));
    }
}

/*
 * The oldest error is its vCPU's turn: that one has entered its handler, with
 * this error's log, and nobody else has.
 */
static void check_crowd(Crowd *c)
{
    CrowdError *e = g_queue_peek_head(&c->errors);
    QDict *info;

    if (e && !e->delivered) {
        e->delivered = true;
        c->entries[e->vcpu]++;
        ras_wait_until(c->vm, mail_of(c->vm, e->vcpu, MAIL_ENTRIES) ==
                              c->entries[e->vcpu]);
        g_assert_cmpuint(mail_of(c->vm, e->vcpu, MAIL_EVENT), ==, e->id);
    }
    for (int i = 0; i < CROWD_SIZE; i++) {
        if (!c->absent[i]) {
            g_assert_cmpuint(mail_of(c->vm, i, MAIL_ENTRIES), ==,
                             c->entries[i]);
        }
    }
    info = ras_query(c->vm);
    check_crowd_queue(c, info);
    g_assert_cmpuint(ras_counter(info, "acknowledged"), ==, c->acknowledged);
    g_assert_cmpuint(ras_counter(info, "reclaimed"), ==, c->reclaimed);
    g_assert_cmpuint(ras_counter(info, "discarded"), ==, c->discarded);
    qobject_unref(info);
}

static void crowd_inject(Crowd *c)
{
    for (int n = g_rand_int_range(c->rand, 1, 6);
         n && c->errors.length < CROWD_ERRORS; n--) {
        CrowdError *e = g_new0(CrowdError, 1);

        e->vcpu = crowd_any(c);
        if (g_rand_boolean(c->rand)) {
            e->id = ras_consume(c->vm, PAGE(n), e->vcpu);
        } else {
            e->id = ras_inject(c->vm, "{ 'kind': 'machine-check',"
                               " 'vcpu': %d, 'class': 'slb',"
                               " 'sub-type': 'parity', 'immediate': true }",
                               e->vcpu);
        }
        g_queue_push_tail(&c->errors, e);
    }
}

/* The first error is over. */
static void crowd_end(Crowd *c, uint64_t *counter)
{
    g_free(g_queue_pop_head(&c->errors));
    ++*counter;
}

/* By the owner: the next one; by all others: nothing. */
static void crowd_interlock(Crowd *c, int vcpu)
{
    if (crowd_waits(c, vcpu)) {
        return;
    }
    interlock_by(c->vm, vcpu);
    if (vcpu == crowd_owner(c)) {
        crowd_end(c, &c->acknowledged);
    }
}

/* As the first vCPU, from outside: it can even be parked. */
static void crowd_interlock_outside(Crowd *c)
{
    g_assert_cmpint(nmi_interlock(c->vm), ==, SUCCESS);
    if (crowd_owner(c) == 0) {
        crowd_end(c, &c->acknowledged);
    }
}

static void crowd_register(Crowd *c)
{
    g_assert_cmpint(nmi_register(c->vm, LOOP, CROWD_HANDLER), ==, SUCCESS);
    if (!g_queue_is_empty(&c->errors)) {
        crowd_end(c, &c->reclaimed);
    }
}

static void crowd_reset(Crowd *c)
{
    ras_stop(c->vm);
    ras_reset(c->vm);
    while (!g_queue_is_empty(&c->errors)) {
        crowd_end(c, &c->discarded);
    }
    g_assert_cmpint(nmi_interlock(c->vm), ==, PARAM_ERROR);
    memset(c->entries, 0, sizeof(c->entries));
    gather_crowd(c->vm, c->absent, CROWD_SIZE);
}

static unsigned int count_vcpus(RasVm *vm)
{
    QDict *answer = qtest_qmp(vm->qts, "{ 'execute': 'query-cpus-fast' }");
    unsigned int n = qlist_size(qdict_get_qlist(answer, "return"));

    qobject_unref(answer);
    return n;
}

/* Owner, waiting, or neither */
static void crowd_unplug(Crowd *c, int vcpu)
{
    g_autofree char *id = g_strdup_printf("c%d", vcpu);
    unsigned int before = count_vcpus(c->vm);

    qtest_qmp_device_del_send(c->vm->qts, id);
    release_core(c->vm, vcpu);
    ras_wait_until(c->vm, count_vcpus(c->vm) == before - 1);
    c->absent[vcpu] = true;
    for (GList *l = c->errors.head, *next; l; l = next) {
        CrowdError *e = l->data;

        next = l->next;
        if (e->vcpu == vcpu) {
            g_free(e);
            g_queue_delete_link(&c->errors, l);
            c->discarded++;
        }
    }
}

static void crowd_plug(Crowd *c, int vcpu)
{
    uint32_t usable[] = { 9003, 0x10000000 | vcpu, 1 };
    g_autofree char *id = g_strdup_printf("c%d", vcpu);

    qtest_qmp_device_add(c->vm->qts, "power10_v2.0-spapr-cpu-core", id,
                         "{ 'core-id': %d }", vcpu);
    g_assert_cmpint(rtas(c->vm, "set-indicator", 3, usable, 1), ==, SUCCESS);
    join_crowd(c->vm, vcpu);
    wait_joined(c->vm, vcpu);
    c->absent[vcpu] = false;
    c->entries[vcpu] = 0;
}

/* The first one stays: RTAS is called as this one. */
static void crowd_plug_or_unplug(Crowd *c)
{
    int vcpu = g_rand_int_range(c->rand, 1, CROWD_SIZE);

    if (c->absent[vcpu]) {
        crowd_plug(c, vcpu);
    } else {
        crowd_unplug(c, vcpu);
    }
}

static void crowd_step(Crowd *c)
{
    int what = g_rand_int_range(c->rand, 0, 100);
    int owner = crowd_owner(c), vcpu = crowd_any(c);

    if (what < 30) {
        crowd_inject(c);
    } else if (what < 70 && owner >= 0) {
        crowd_interlock(c, owner);
    } else if (what < 84) {
        crowd_interlock(c, vcpu);
        check_crowd(c);
        crowd_interlock(c, vcpu);
    } else if (what < 88) {
        crowd_interlock_outside(c);
    } else if (what < 92) {
        crowd_register(c);
    } else if (what < 99) {
        crowd_plug_or_unplug(c);
    } else {
        crowd_reset(c);
    }
}

/*
 * With room for more: QEMU wants a place for each thread that TCG ever had,
 * also if a vCPU that is plugged takes the number of one that has gone.
 */
static RasVm *start_crowd(int n)
{
    g_autoptr(GString) options = g_string_new(NULL);

    g_string_printf(options, PATIENT "-S -smp 1,maxcpus=%d", n + 47);
    for (int i = 1; i < n; i++) {
        g_string_append_printf(options, " -device power10_v2.0-spapr-cpu-core,"
                               "core-id=%d,id=c%d", i, i);
    }
    return ras_start(options->str);
}

/*
 * Machine checks on many vCPUs: however the guest and the monitor behave, they
 * are served one after another, oldest first, each on its own vCPU.
 */
static void test_crowd(void)
{
    static const uint32_t seeds[] = { 1, 2 };

    for (int i = 0; i < ARRAY_SIZE(seeds); i++) {
        Crowd c = {
            .vm = start_crowd(CROWD_SIZE),
            .rand = g_rand_new_with_seed(seeds[i]),
        };

        g_queue_init(&c.errors);
        gather_crowd(c.vm, NULL, CROWD_SIZE);
        for (int step = 0; step < 200; step++) {
            crowd_step(&c);
            check_crowd(&c);
        }
        while (!g_queue_is_empty(&c.errors)) {
            crowd_interlock(&c, crowd_owner(&c));
            check_crowd(&c);
        }
        g_assert_cmpuint(c.acknowledged, >, 50);
        g_assert_cmpuint(c.reclaimed, >, 0);
        g_assert_cmpuint(c.discarded, >, 0);
        ras_quit(c.vm);
        g_rand_free(c.rand);
    }
}

/*
 * 16 vCPUs that wait for the owner, which does nothing, keep nobody waiting:
 * stop is answered at once, reset and quit come to their end.
 */
static void test_crowd_stops(void)
{
    RasVm *vm = start_crowd(CROWD_MAX);
    gint64 best = G_MAXINT64;

    for (int round = 0; round < 2; round++) {
        gather_crowd(vm, NULL, CROWD_MAX);
        for (int i = 0; i < CROWD_MAX; i++) {
            ras_consume(vm, PAGE(i), i);
        }
        ras_wait_until(vm, mail_of(vm, 0, MAIL_ENTRIES) == 1);
        for (int i = 0; i < 10; i++) {
            gint64 begun = g_get_monotonic_time();

            ras_stop(vm);
            best = MIN(best, g_get_monotonic_time() - begun);
            ras_cont(vm);
        }
        /* the best one: this host may be busy */
        g_assert_cmpint(best, <, 100 * G_TIME_SPAN_MILLISECOND);
        ras_assert_count(vm, "in-flight", CROWD_MAX);
        if (round == 0) {
            ras_reset(vm);
            ras_assert_count(vm, "discarded", CROWD_MAX);
            ras_stop(vm);
            ras_reset(vm);
        }
    }
    ras_quit(vm);
}

static int compare_times(const void *a, const void *b)
{
    return *(const uint64_t *)a < *(const uint64_t *)b ? -1 : 1;
}

/*
 * All vCPUs have a machine check and call ibm,nmi-interlock at once, as Linux
 * does.  From that call to the entry of the next one's handler, by the time
 * base: a limit for make bench to check, as it depends on the host.
 */
static void test_hand_over(void)
{
    uint64_t took[20][CROWD_MAX - 1];
    uint64_t *all = &took[0][0];
    RasVm *vm = start_crowd(CROWD_MAX);

    gather_crowd(vm, NULL, CROWD_MAX);
    for (int round = 0; round < ARRAY_SIZE(took); round++) {
        ras_stop(vm);
        for (int i = 0; i < CROWD_MAX; i++) {
            qtest_writeq(vm->qts, MAILBOX_OF(i) + MAIL_AUTO,
                         write_interlock_block(vm, i));
            ras_consume(vm, PAGE(i), i);
        }
        ras_cont(vm);
        ras_wait_count(vm, "acknowledged", (round + 1) * CROWD_MAX);
        for (int i = 0; i < CROWD_MAX; i++) {
            g_assert_cmpuint(mail_of(vm, i, MAIL_ENTRIES), ==, round + 1);
            if (i) {
                uint64_t left = mail_of(vm, i - 1, MAIL_LEFT);
                uint64_t entered = mail_of(vm, i, MAIL_ENTERED);

                g_assert_cmpuint(entered, >, left);
                took[round][i - 1] = entered - left;
            }
        }
    }
    qsort(all, sizeof(took) / sizeof(*all), sizeof(*all), compare_times);
    g_test_message("hand-over: %" PRIu64 " us, at most %" PRIu64 " us",
                   all[sizeof(took) / sizeof(*all) / 2] / TIME_BASE_MHZ,
                   all[sizeof(took) / sizeof(*all) - 1] / TIME_BASE_MHZ);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/crowd/any-order", test_crowd);
    qtest_add_func("/ras/pseries/crowd/stops", test_crowd_stops);
    qtest_add_func("/ras/pseries/crowd/hand-over", test_hand_over);
    return g_test_run();
}
