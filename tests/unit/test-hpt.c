/*
 * Guest RAS: hashed page tables of POWER
 *
 * The values were computed by hand from the ISA: segment, page, hash, entry.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/ppc/hpt.h"

#define MASK 0x7ff              /* 2048 groups: 256 KiB */

/* 256 MiB segment with VSID 0x123456, pages of 4 KiB */
static const PpcHptSegment small = {
    .vsid = 0x123456000ULL,
    .base_shift = 12,
    .size = { { 12, 0 }, { 16, 7 }, { 24, 0x38 } },
};

/* 1 TiB segment with VSID 0xabcdef, pages of 64 KiB */
static const PpcHptSegment large = {
    .vsid = 0x4000abcdef000110ULL,
    .base_shift = 16,
    .size = { { 16, 1 }, { 24, 8 } },
};

static void test_small_pages(void)
{
    /* page 0x2345 of the segment */
    const uint64_t ea = 0x7fff12345678ULL;
    PpcHptEntry entry[PPC_HPT_GROUP] = { { 0 } };
    PpcHptPlace place[2];
    uint64_t ra;

    ppc_hpt_places(&small, ea, MASK, place);
    /* 0x123456 ^ 0x2345 = 0x121713 */
    g_assert_cmphex(place[0].group, ==, 0x713);
    g_assert_cmphex(place[1].group, ==, 0x0ec);
    /* VSID, and the segment offset from bit 23 on: 0x2345678 >> 23 = 4 */
    g_assert_cmphex(place[0].pte0, ==, 0x123456201ULL);
    g_assert_cmphex(place[1].pte0, ==, 0x123456203ULL);

    g_assert_false(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
    entry[5] = (PpcHptEntry) { 0x123456201ULL, 0x3456000 | 0x196 };
    g_assert_true(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
    g_assert_cmphex(ra, ==, 0x3456678);
    /* bits above the page number are those of a key (Linux: pkeys) */
    entry[5].pte1 |= 0xf000000000000000ULL;
    g_assert_true(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
    g_assert_cmphex(ra, ==, 0x3456678);
    entry[5].pte1 = 0x0fffffffffff3000ULL;
    g_assert_true(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
    g_assert_cmphex(ra, ==, 0x0fffffffffff3678ULL);
    entry[5].pte1 = 0x3456000 | 0x196;
    /* it is not the secondary one of anything */
    g_assert_false(ppc_hpt_find(&small, ea, &place[1], entry, &ra));
    /* bits for software do not matter, all others do */
    entry[5].pte0 |= 0x78;
    g_assert_true(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
    for (int bit = 7; bit < 64; bit++) {
        entry[5].pte0 ^= 1ULL << bit;
        g_assert_false(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
        entry[5].pte0 ^= 1ULL << bit;
    }
    entry[5].pte0 &= ~1ULL;
    g_assert_false(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
}

/* A page of 64 KiB in a segment of 4 KiB pages. */
static void test_mixed_pages(void)
{
    const uint64_t ea = 0x7fff12345678ULL;
    PpcHptEntry entry[PPC_HPT_GROUP] = {
        [7] = { 0x123456201ULL | 4, 0x3450000 | 7 << 12 | 0x196 },
    };
    PpcHptPlace place[2];
    uint64_t ra;

    ppc_hpt_places(&small, ea, MASK, place);
    g_assert_true(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
    g_assert_cmphex(ra, ==, 0x3455678);
    /* no such size */
    entry[7].pte1 = 0x3450000 | 6 << 12;
    g_assert_false(ppc_hpt_find(&small, ea, &place[0], entry, &ra));
}

static void test_large_segment(void)
{
    /* page 0x123456 of the segment */
    const uint64_t ea = 0xc000001234567890ULL;
    PpcHptEntry entry[PPC_HPT_GROUP] = { { 0 } };
    PpcHptPlace place[2];
    uint64_t ra;

    ppc_hpt_places(&large, ea, MASK, place);
    /* 0xabcdef ^ 0xabcdef << 25 ^ 0x123456; the middle is beyond the mask */
    g_assert_cmphex(place[0].group, ==, (0xabcdef ^ 0x123456) & MASK);
    g_assert_cmphex(place[1].group, ==, ~(0xabcdef ^ 0x123456) & MASK);
    /* 0x1234560000 >> 23 = 0x2468 */
    g_assert_cmphex(place[0].pte0, ==,
                    0x4000abcdef000000ULL | 0x2468 << 7 | 1);

    /* 64 KiB, in the secondary group */
    entry[0] = (PpcHptEntry) { place[1].pte0 | 4, 0x45670000 | 1 << 12 };
    g_assert_true(ppc_hpt_find(&large, ea, &place[1], entry, &ra));
    g_assert_cmphex(ra, ==, 0x45677890);
    g_assert_false(ppc_hpt_find(&large, ea, &place[0], entry, &ra));
    /* 16 MiB */
    entry[0].pte1 = 0x45000000 | 8 << 12;
    g_assert_true(ppc_hpt_find(&large, ea, &place[1], entry, &ra));
    g_assert_cmphex(ra, ==, 0x45567890);
    /* a page of 4 KiB cannot be here */
    entry[0].pte0 &= ~4ULL;
    g_assert_false(ppc_hpt_find(&large, ea, &place[1], entry, &ra));
}

/* The middle of the hash matters with as many groups as that. */
static void test_large_table(void)
{
    PpcHptPlace place[2];

    ppc_hpt_places(&large, 0xc000001234567890ULL, 0xffffffffff, place);
    g_assert_cmphex(place[0].group, ==,
                    (0xabcdefULL ^ 0xabcdefULL << 25 ^ 0x123456) &
                    0xffffffffff);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hpt/small-pages", test_small_pages);
    g_test_add_func("/hpt/mixed-pages", test_mixed_pages);
    g_test_add_func("/hpt/large-segment", test_large_segment);
    g_test_add_func("/hpt/large-table", test_large_table);
    return g_test_run();
}
