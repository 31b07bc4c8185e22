/*
 * Guest RAS: tests of the ring between a signal handler and its thread
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras-ring.h"
#include <sys/time.h>

static RasHostError error_at(uintptr_t addr, bool required)
{
    return (RasHostError) {
        .addr = (void *)addr,
        .lsb = 12,
        .required = required,
    };
}

static void test_order(void)
{
    RasRing ring = { 0 };
    RasHostError e = { 0 };

    g_assert_false(ras_ring_get(&ring, &e));
    /* often enough to go round several times */
    for (uintptr_t i = 0; i < 5 * RAS_RING_SIZE; i += 2) {
        g_assert_true(ras_ring_put(&ring, error_at(i, false)));
        g_assert_true(ras_ring_put(&ring, error_at(i + 1, true)));
        g_assert_true(ras_ring_has_required(&ring));
        g_assert_true(ras_ring_get(&ring, &e));
        g_assert_true(e.addr == (void *)i && !e.required && e.lsb == 12);
        g_assert_true(ras_ring_has_required(&ring));
        g_assert_true(ras_ring_get(&ring, &e));
        g_assert_true(e.addr == (void *)(i + 1) && e.required);
        g_assert_false(ras_ring_has_required(&ring));
        g_assert_false(ras_ring_get(&ring, &e));
    }
    g_assert_cmpint(ring.lost, ==, 0);
}

static void test_full(void)
{
    RasRing ring = { 0 };
    RasHostError e = { 0 };
    uintptr_t put = 0;

    while (ras_ring_put(&ring, error_at(put, false))) {
        put++;
    }
    g_assert_cmpuint(put, ==, RAS_RING_SIZE - 1);
    g_assert_false(ras_ring_put(&ring, error_at(put, false)));
    g_assert_cmpint(ring.lost, ==, 2);
    /* what was in it is still there */
    for (uintptr_t i = 0; i < put; i++) {
        g_assert_true(ras_ring_get(&ring, &e));
        g_assert_true(e.addr == (void *)i);
    }
    g_assert_false(ras_ring_get(&ring, &e));
}

static RasRing shared;
static volatile sig_atomic_t sent;

static void handler(int sig)
{
    if (ras_ring_put(&shared, error_at(sent, false))) {
        sent = sent + 1;
    }
}

/* The handler interrupts the reader wherever it is; nothing is torn. */
static void test_signals(void)
{
    struct sigaction action = { .sa_handler = handler };
    struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0 } };
    gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC / 2;
    uintptr_t got = 0;
    RasHostError e = { 0 };

    g_assert_cmpint(sigaction(SIGALRM, &action, NULL), ==, 0);
    g_assert_cmpint(setitimer(ITIMER_REAL, &often, NULL), ==, 0);
    while (g_get_monotonic_time() < end || got <= 10) {
        while (ras_ring_get(&shared, &e)) {
            g_assert_true(e.addr == (void *)got && e.lsb == 12);
            got++;
        }
    }
    g_assert_cmpint(setitimer(ITIMER_REAL, &never, NULL), ==, 0);
    while (ras_ring_get(&shared, &e)) {
        g_assert_true(e.addr == (void *)got);
        got++;
    }
    g_assert_cmpuint(got, ==, sent);
    g_assert_cmpuint(got, >, 10);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ras-ring/order", test_order);
    g_test_add_func("/ras-ring/full", test_full);
    g_test_add_func("/ras-ring/signals", test_signals);
    return g_test_run();
}
