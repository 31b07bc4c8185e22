/*
 * Guest RAS: tests of what is left of failed memory that is given back
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras-host-memory.h"

#define KB(n) ((n) * UINT64_C(1024))
#define GUEST KB(1 << 20)
#define RAM   KB(64)

/* 64 KiB, of which the host has named an address in the third page */
static const RasHostMemory granule = {
    .addr = GUEST + KB(8) + 0x123,
    .first = GUEST,
    .len = KB(64),
    .ram_addr = RAM,
    .ram_page = KB(4),
};

static void test_cut(void)
{
    /* all in KiB: what is given back, and what is left */
    static const struct {
        uint64_t start, end;
        unsigned int n;
        uint64_t first[2], len[2];
    } cases[] = {
        { 0, 64, 1, { 0 }, { 64 } },
        { 128, 256, 1, { 0 }, { 64 } },
        { 64, 128, 0 },
        { 0, 256, 0 },
        { 64, 68, 1, { 4 }, { 60 } },
        { 0, 68, 1, { 4 }, { 60 } },
        { 124, 128, 1, { 0 }, { 60 } },
        { 124, 256, 1, { 0 }, { 60 } },
        { 72, 76, 2, { 0, 12 }, { 8, 52 } },
        { 76, 80, 2, { 0, 16 }, { 12, 48 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RasHostMemory rest[2];
        unsigned int n = ras_host_memory_cut(&granule, KB(cases[i].start),
                                             KB(cases[i].end), rest);

        g_assert_cmpuint(n, ==, cases[i].n);
        for (unsigned int p = 0; p < n; p++) {
            uint64_t first = KB(cases[i].first[p]), len = KB(cases[i].len[p]);

            g_assert_cmphex(rest[p].first, ==, GUEST + first);
            g_assert_cmphex(rest[p].ram_addr, ==, RAM + first);
            g_assert_cmphex(rest[p].len, ==, len);
            g_assert_cmphex(rest[p].ram_page, ==, KB(4));
            g_assert_cmphex(rest[p].addr, ==,
                            granule.addr - rest[p].first < len ?
                            granule.addr : rest[p].first);
        }
    }
}

/* One page after the other, in any order: nothing is left. */
static void test_piece_by_piece(void)
{
    RasHostMemory left[16] = { granule };
    unsigned int n = 1;

    for (uint64_t page = 0; page < 16; page++) {
        uint64_t start = RAM + KB(4) * (page * 7 % 16);
        unsigned int kept = 0;
        RasHostMemory next[17];
        uint64_t bytes = 0;

        for (unsigned int i = 0; i < n; i++) {
            kept += ras_host_memory_cut(&left[i], start, start + KB(4),
                                        &next[kept]);
        }
        g_assert_cmpuint(kept, <, 16);
        memcpy(left, next, kept * sizeof(left[0]));
        n = kept;
        for (unsigned int i = 0; i < n; i++) {
            bytes += left[i].len;
        }
        g_assert_cmpuint(bytes, ==, KB(64) - KB(4) * (page + 1));
    }
    g_assert_cmpuint(n, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ras/host-memory/cut", test_cut);
    g_test_add_func("/ras/host-memory/piece-by-piece", test_piece_by_piece);
    return g_test_run();
}
