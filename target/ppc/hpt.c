/*
 * POWER: looking up an address in a hashed page table
 *
 * See hpt.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/ppc/hpt.h"

/* Second doubleword of an SLB entry */
#define SEGMENT_B       0xc000000000000000ULL
#define SEGMENT_VSID    0x3ffffffffffff000ULL
#define VSID_SHIFT_256M 12
#define VSID_SHIFT_1T   24

/* First doubleword of a page table entry; B and VSID are where they were */
#define PTE0_AVPN       0x3fffffffffffff80ULL
#define PTE0_L          0x4ULL
#define PTE0_H          0x2ULL
#define PTE0_V          0x1ULL
#define PTE0_KEY        (SEGMENT_B | PTE0_AVPN | PTE0_H | PTE0_V)

/* Second doubleword */
#define PTE1_RPN        0x0ffffffffffff000ULL
#define RPN_SHIFT       12

#define SHIFT_256M      28
#define SHIFT_1T        40
#define SHIFT_4K        12

static uint64_t low_bits(unsigned int n)
{
    return (1ULL << n) - 1;
}

void ppc_hpt_places(const PpcHptSegment *segment, uint64_t ea, uint64_t mask,
                    PpcHptPlace place[2])
{
    bool is_1t = segment->vsid & SEGMENT_B;
    uint64_t vsid = (segment->vsid & SEGMENT_VSID) >>
                    (is_1t ? VSID_SHIFT_1T : VSID_SHIFT_256M);
    uint64_t offset = ea & low_bits(is_1t ? SHIFT_1T : SHIFT_256M) &
                      ~low_bits(segment->base_shift);
    uint64_t hash = vsid ^ offset >> segment->base_shift;
    uint64_t pte0 = (segment->vsid & (SEGMENT_B | SEGMENT_VSID)) |
                    (offset >> 16 & PTE0_AVPN) | PTE0_V;

    if (is_1t) {
        hash ^= vsid << 25;
    }
    place[0] = (PpcHptPlace) { hash & mask, pte0 };
    place[1] = (PpcHptPlace) { ~hash & mask, pte0 | PTE0_H };
}

/* Size of the page of @entry as a power of two; 0: not of this segment. */
static unsigned int page_shift(const PpcHptSegment *segment,
                               const PpcHptEntry *entry)
{
    if (!(entry->pte0 & PTE0_L)) {
        return segment->base_shift == SHIFT_4K ? SHIFT_4K : 0;
    }
    for (int i = 0; i < PPC_HPT_SIZES && segment->size[i].shift; i++) {
        unsigned int shift = segment->size[i].shift;

        if (shift != SHIFT_4K &&
            (entry->pte1 & PTE1_RPN & low_bits(shift)) ==
            (uint64_t)segment->size[i].encoding << RPN_SHIFT) {
            return shift;
        }
    }
    return 0;
}

bool ppc_hpt_find(const PpcHptSegment *segment, uint64_t ea,
                  const PpcHptPlace *place,
                  const PpcHptEntry entry[PPC_HPT_GROUP], uint64_t *ra)
{
    for (int i = 0; i < PPC_HPT_GROUP; i++) {
        unsigned int shift;

        if ((entry[i].pte0 ^ place->pte0) & PTE0_KEY) {
            continue;
        }
        shift = page_shift(segment, &entry[i]);
        if (shift) {
            *ra = (entry[i].pte1 & PTE1_RPN & ~low_bits(shift)) |
                  (ea & low_bits(shift));
            return true;
        }
    }
    return false;
}
