/*
 * POWER: looking up an address in a hashed page table
 *
 * As a guest's kernel or its hypervisor would, without changing anything: no
 * protection, no reference and change bits.  For page tables that are KVM's.
 *
 * Power ISA 2.07B, Book III-S, 5.7.7: format of page table entries, which the
 * hypervisor calls of PAPR have kept.
 *
 * Pure: no state, no allocation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PPC_HPT_H
#define PPC_HPT_H

#define PPC_HPT_GROUP   8       /* entries in a group (PTEG) */
#define PPC_HPT_SIZES   8

/* A segment, as its SLB entry describes it. */
typedef struct PpcHptSegment {
    uint64_t vsid;              /* second doubleword, the RS of slbmte */
    unsigned int base_shift;    /* base page size, as a power of two */
    struct {
        unsigned int shift;     /* actual page size; 0 ends the list */
        uint32_t encoding;      /* in the low bits of the page number */
    } size[PPC_HPT_SIZES];
} PpcHptSegment;

/* Where an address is looked up, and what its entry begins with. */
typedef struct PpcHptPlace {
    uint64_t group;
    uint64_t pte0;
} PpcHptPlace;

typedef struct PpcHptEntry {
    uint64_t pte0, pte1;        /* host byte order */
} PpcHptEntry;

/*
 * ppc_hpt_places: the primary and the secondary group for @ea
 * @mask: number of groups minus one; there is a power of two of them
 */
void ppc_hpt_places(const PpcHptSegment *segment, uint64_t ea, uint64_t mask,
                    PpcHptPlace place[2]);

/*
 * ppc_hpt_find: translate @ea by the entries of the group at @place
 *
 * Returns false if none of them is for @ea.
 */
bool ppc_hpt_find(const PpcHptSegment *segment, uint64_t ea,
                  const PpcHptPlace *place,
                  const PpcHptEntry entry[PPC_HPT_GROUP], uint64_t *ra);

#endif
