/*
 * Guest RAS: which failed memory a reset replaces
 *
 * ras_host_memory_reset() of hw/ras/host-memory.c, with what it uses of QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"

/* --- what it uses of QEMU ------------------------------------------------- */

typedef struct RasHostMemory {
    int unused;
} RasHostMemory;
typedef struct RasState {
    RasHostMemory host_memory[4];
    unsigned int nr_host_memory;
    bool host_memory_full;
    bool host_memory_resetting;
} RasState;

#define qatomic_set(p, value) (*(p) = (value))

static RasState state;
static bool assigned;
static unsigned int signals, notes, unknown, replaced, warned;
static unsigned int ras_copy_failures;

static void found(unsigned int *count)
{
    g_assert_true(state.host_memory_resetting);
    state.nr_host_memory += *count;
    *count = 0;
}

static void kvm_ras_take_signals(void)
{
    found(&signals);
}

static void take_notes(void *opaque)
{
    found(&notes);
}

static void kvm_ras_find_failed(void)
{
    found(&unknown);
}

static bool ras_host_memory_is_unreadable(void)
{
    return signals || notes || unknown || state.nr_host_memory;
}

static bool ram_block_discard_is_disabled(void)
{
    return assigned;
}

static void set_nr_host_memory(RasState *s, unsigned int nr,
                               const RasHostMemory *new)
{
    s->nr_host_memory = nr;
}

static void replace(const RasHostMemory *m)
{
    replaced++;
}

static void warn_report(const char *format, ...)
{
    warned++;
}

static void ras_host_memory_reset(RasState *s);

#include "ras-reset.c.inc"

/* -------------------------------------------------------------------------- */

/* What QEMU has of each kind when the reset begins */
typedef struct Case {
    const char *name;
    unsigned int known, signals, notes, unknown;
} Case;

static const Case cases[] = {
    { "known", .known = 1 },
    { "signal", .signals = 1 },
    { "note", .notes = 1 },
    { "unknown", .unknown = 1 },
    { "all", .known = 1, .signals = 1, .notes = 1 },
};

static void reset(const Case *c)
{
    state.nr_host_memory = c->known;
    signals = c->signals;
    notes = c->notes;
    unknown = c->unknown;
    replaced = warned = 0;
    ras_host_memory_reset(&state);
    g_assert_false(state.host_memory_resetting);
}

/* All of it, however QEMU got to know. */
static void test_replaced(gconstpointer data)
{
    const Case *c = data;

    assigned = false;
    reset(c);
    g_assert_cmpuint(replaced, ==,
                     c->known + c->signals + c->notes + c->unknown);
    g_assert_cmpuint(state.nr_host_memory, ==, 0);
    g_assert_cmpuint(warned, ==, 0);
}

/* A device that is assigned would go on to use it: none of it. */
static void test_assigned(gconstpointer data)
{
    const Case *c = data;

    assigned = true;
    reset(c);
    g_assert_cmpuint(replaced, ==, 0);
    g_assert_cmpuint(state.nr_host_memory, ==, c->known);
    g_assert_cmpuint(signals + notes + unknown, ==,
                     c->signals + c->notes + c->unknown);
    g_assert_cmpuint(warned, ==, 1);
}

static void test_none(void)
{
    const Case none = { .name = "none" };

    assigned = true;
    reset(&none);
    g_assert_cmpuint(warned, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ras/reset/assigned/none", test_none);
    for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/ras/reset/replaced/",
                                            cases[i].name, NULL);
        g_autofree char *other = g_strconcat("/ras/reset/assigned/",
                                             cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_replaced);
        g_test_add_data_func(other, &cases[i], test_assigned);
    }
    return g_test_run();
}
