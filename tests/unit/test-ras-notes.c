/*
 * Guest RAS: more memory fails at once than can be noted
 *
 * The notes of hw/ras/host-memory.c, with what they use of QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"

/* --- what they use of QEMU ------------------------------------------------ */

typedef uint64_t ram_addr_t;
typedef struct QEMUBH QEMUBH;
typedef struct RasDevice RasDevice;
typedef struct RAMBlock {
    uint64_t offset;
} RAMBlock;
typedef struct RasState {
    RasDevice *device;
    QEMUBH *note_bh;
    bool host_memory_resetting;
} RasState;

#define qatomic_inc(p) __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST)
#define qatomic_dec(p) __atomic_fetch_sub(p, 1, __ATOMIC_SEQ_CST)
#define qatomic_xchg(p, value) __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)
#define qatomic_cmpxchg(p, old, new) __sync_val_compare_and_swap(p, old, new)
#define RCU_READ_LOCK_GUARD()
#define QEMU_ALIGN_DOWN(n, m) ((n) / (m) * (m))

#define PAGE ((size_t)qemu_real_host_page_size())
#define HOST UINT64_C(0x7f0000000000)

static RasState state;
static RAMBlock ram;
static bool kvm;
static int lost, told;
static unsigned int scheduled, added;
static uint64_t first_added, last_added;
static int ras_host_memory_unreadable;

static RasState *ras_state(void)
{
    return &state;
}

static size_t qemu_ram_pagesize(RAMBlock *rb)
{
    return PAGE;
}

static RAMBlock *qemu_ram_block_from_host(void *host, bool round,
                                          ram_addr_t *offset)
{
    *offset = (uintptr_t)host - HOST;
    return &ram;
}

static void qemu_bh_schedule(QEMUBH *bh)
{
    scheduled++;
}

static bool kvm_enabled(void)
{
    return kvm;
}

static void kvm_ras_lost(void)
{
    lost++;
}

static bool ras_host_memory_find(uint64_t start, uint64_t len, uint64_t *from,
                                 uint64_t *to)
{
    return false;
}

static bool ras_page_is_good(void *addr)
{
    return false;
}

typedef struct Search {
    RAMBlock *block;
} Search;

static void add(RasState *s, Search *search, RAMBlock *rb, uint64_t offset,
                uint64_t len, bool moved, bool is_told)
{
    first_added = MIN(first_added, offset);
    last_added = MAX(last_added, offset);
    added++;
}

static void ras_poison_failed_memory(RasState *s, bool more)
{
}

static void ras_host_memory_tell(RasDevice *d)
{
    told++;
}

/* called by threads and signal handlers, the other by the main loop */
static void ras_host_memory_note(const void *host, bool met);
static void take_notes(void *opaque);

#include "ras-notes.c.inc"

/* -------------------------------------------------------------------------- */

static void note(unsigned int page)
{
    ras_host_memory_note((void *)(uintptr_t)(HOST + page * (uint64_t)PAGE),
                         true);
}

static void take(unsigned int expected)
{
    first_added = UINT64_MAX;
    last_added = 0;
    added = told = lost = 0;
    take_notes(&state);
    g_assert_cmpuint(added, ==, expected);
    g_assert_cmpint(told, ==, expected ? 1 : 0);
}

/* A page is noted once, and what cannot be read is counted meanwhile. */
static void test_some(void)
{
    kvm = true;
    scheduled = 0;
    note(1);
    note(7);
    note(1);
    g_assert_cmpint(ras_host_memory_unreadable, ==, 2);
    g_assert_cmpuint(scheduled, ==, 2);
    take(2);
    g_assert_cmphex(first_added, ==, PAGE);
    g_assert_cmphex(last_added, ==, 7 * PAGE);
    g_assert_cmpint(ras_host_memory_unreadable, ==, 0);
    g_assert_cmpint(lost, ==, 0);
}

/* KVM is asked to look at all memory; until then, some of it is unreadable. */
static void test_too_many(void)
{
    kvm = true;
    for (unsigned int i = 0; i < NOTES; i++) {
        note(i);
    }
    g_assert_cmpint(ras_host_memory_unreadable, ==, NOTES);
    scheduled = 0;
    note(NOTES);
    g_assert_cmpuint(scheduled, ==, 1);
    note(NOTES + 1);
    g_assert_cmpint(ras_host_memory_unreadable, ==, NOTES + 1);
    take(NOTES);
    g_assert_cmphex(last_added, ==, (NOTES - 1) * (uint64_t)PAGE);
    g_assert_cmpint(lost, ==, 1);
    g_assert_cmpint(ras_host_memory_unreadable, ==, 1);
    /* the search has that; once is enough */
    ras_host_memory_unreadable = 0;
    take(0);
    g_assert_cmpint(lost, ==, 0);
}

/* Without KVM, who meets the page again notes it. */
static void test_too_many_tcg(void)
{
    kvm = false;
    for (unsigned int i = 0; i <= NOTES; i++) {
        note(i);
    }
    g_assert_cmpint(ras_host_memory_unreadable, ==, NOTES);
    take(NOTES);
    g_assert_cmpint(lost, ==, 0);
    g_assert_cmpint(ras_host_memory_unreadable, ==, 0);
    note(NOTES);
    take(1);
    g_assert_cmphex(first_added, ==, NOTES * (uint64_t)PAGE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ras/notes/some", test_some);
    g_test_add_func("/ras/notes/too-many", test_too_many);
    g_test_add_func("/ras/notes/too-many/tcg", test_too_many_tcg);
    return g_test_run();
}
