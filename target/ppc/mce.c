/*
 * POWER machine checks: SRR1 and DSISR to and from error class
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "target/ppc/mce.h"

/* The CPU generations that have a cause, one bit each */
#define P7      (1u << PPC_MCE_POWER7)
#define P8      (1u << PPC_MCE_POWER8)
#define P9      (1u << PPC_MCE_POWER9)
#define P10     (1u << PPC_MCE_POWER10)
#define ALL     (P7 | P8 | P9 | P10)

typedef struct MceRow {
    uint32_t bits;              /* SRR1 code, or one bit of DSISR */
    uint8_t cpus;
    PpcMceInfo info;
} MceRow;

/* A row, without the prefixes of the enumerations */
#define INFO(cls, subtype, severity, sync, side, address, type, sub) \
    { PPC_MCE_CLASS_##cls, PPC_MCE_SUBTYPE_##subtype, \
      PPC_MCE_SEVERITY_##severity, PPC_MCE_ADDRESS_##address, \
      PPC_MCE_SIDE_##side, sync, type, sub }
#define ROW(bits, cpus, ...) { bits, cpus, INFO(__VA_ARGS__) }

/*
 * Causes in SRR1, in the order of the code.
 *
 * The rows of 0x08180000 and 0x081c0000 are not as in Linux 6.12, where the
 * members of the initialisers are shifted by one, but as they were meant:
 * skiboot core/mce.c and the older Linux tables agree with what is here.
 * RTAS type 8 is the nearest there is for real addresses, and 3 is "unknown".
 */
static const MceRow srr1_table[] = {
    ROW(0x00040000, ALL,           UE,   IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 0, 1),
    ROW(0x00080000, ALL,           SLB,  PARITY,
        SEVERE,  true,  FETCH,      SRR0, 1, 0),
    ROW(0x000c0000, ALL,           SLB,  MULTIHIT,
        WARNING, true,  FETCH,      SRR0, 1, 1),
    ROW(0x00100000, P7,            SLB,  PARITY_OR_MULTIHIT,
        WARNING, true,  FETCH,      SRR0, 1, 2),
    ROW(0x00100000, P8 | P9 | P10, ERAT, MULTIHIT,
        WARNING, true,  FETCH,      SRR0, 2, 2),
    ROW(0x00140000, ALL,           TLB,  MULTIHIT,
        WARNING, true,  FETCH,      SRR0, 4, 2),
    ROW(0x00180000, ALL,           UE,   TABLE_WALK_IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 0, 2),
    ROW(0x001c0000, P7 | P8,       UE,   IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 0, 1),
    ROW(0x001c0000, P9 | P10,      RA,   IFETCH_FOREIGN,
        SEVERE,  true,  FETCH,      SRR0, 8, 1),
    ROW(0x08000000, P8 | P9,       LINK, IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 3, 0),
    ROW(0x08040000, P8 | P9,       LINK, TABLE_WALK_IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 3, 0),
    ROW(0x08080000, P10,           USER, SCV,
        WARNING, true,  FETCH,      SRR0, 3, 0),
    ROW(0x080c0000, P9 | P10,      RA,   IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 8, 1),
    ROW(0x08100000, P9 | P10,      RA,   TABLE_WALK_IFETCH,
        SEVERE,  true,  FETCH,      SRR0, 8, 0),
    ROW(0x08140000, P9 | P10,      RA,   STORE,
        FATAL,   false, LOAD_STORE, NONE, 8, 1),
    ROW(0x08180000, P9,            LINK, STORE,
        FATAL,   false, LOAD_STORE, NONE, 3, 0),
    ROW(0x081c0000, P9 | P10,      RA,   TABLE_WALK_IFETCH_FOREIGN,
        SEVERE,  true,  FETCH,      SRR0, 8, 0),
};

/*
 * Causes in DSISR.  Several bits can be set: the first row
 * counts, so the order matters (SLB multi-hit before SLB parity).
 */
static const MceRow dsisr_table[] = {
    ROW(0x00008000, ALL,           UE,   LOAD_STORE,
        SEVERE,  true,  LOAD_STORE, NONE, 0, 3),
    ROW(0x00004000, ALL,           UE,   TABLE_WALK_LOAD_STORE,
        SEVERE,  true,  LOAD_STORE, DAR,  0, 4),
    ROW(0x00002000, P8 | P9,       LINK, LOAD,
        SEVERE,  true,  LOAD_STORE, DAR,  3, 0),
    ROW(0x00001000, P8 | P9,       LINK, TABLE_WALK_LOAD_STORE,
        SEVERE,  true,  LOAD_STORE, DAR,  3, 0),
    ROW(0x00000800, ALL,           ERAT, MULTIHIT,
        WARNING, true,  LOAD_STORE, DAR,  2, 2),
    ROW(0x00000400, ALL,           TLB,  MULTIHIT,
        WARNING, true,  LOAD_STORE, DAR,  4, 2),
    /* POWER8: the secondary ERAT */
    ROW(0x00000200, P8,            ERAT, MULTIHIT,
        WARNING, true,  LOAD_STORE, DAR,  2, 2),
    ROW(0x00000200, P9 | P10,      USER, TLBIE,
        WARNING, true,  LOAD_STORE, NONE, 3, 0),
    ROW(0x00000080, ALL,           SLB,  MULTIHIT,
        WARNING, true,  LOAD_STORE, DAR,  1, 1),
    ROW(0x00000100, ALL,           SLB,  PARITY,
        SEVERE,  true,  LOAD_STORE, DAR,  1, 0),
    ROW(0x00000040, P7,            SLB,  PARITY_OR_MULTIHIT,
        WARNING, true,  LOAD_STORE, DAR,  1, 2),
    ROW(0x00000040, P9 | P10,      RA,   LOAD,
        SEVERE,  true,  LOAD_STORE, DAR,  8, 1),
    ROW(0x00000020, P9 | P10,      RA,   TABLE_WALK_LOAD_STORE,
        SEVERE,  true,  LOAD_STORE, NONE, 8, 0),
    ROW(0x00000010, P9 | P10,      RA,   TABLE_WALK_LOAD_STORE_FOREIGN,
        SEVERE,  true,  LOAD_STORE, NONE, 8, 0),
    ROW(0x00000008, P9 | P10,      RA,   LOAD_STORE_FOREIGN,
        SEVERE,  true,  LOAD_STORE, NONE, 8, 1),
};

/* Codes that are in neither table; RTAS type 3 is "unknown" */
static const PpcMceInfo unknown_fetch =
    INFO(UNKNOWN, INDETERMINATE, SEVERE, true, FETCH, NONE, 3, 0);
static const PpcMceInfo unknown_load_store =
    INFO(UNKNOWN, INDETERMINATE, SEVERE, true, LOAD_STORE, NONE, 3, 0);
static const PpcMceInfo spurious =
    INFO(UNKNOWN, INDETERMINATE, NO_ERROR, true, LOAD_STORE, NONE, 3, 0);

#undef P7
#undef P8
#undef P9
#undef P10
#undef ALL
#undef INFO
#undef ROW

static const char *const cpu_names[PPC_MCE_CPU__MAX] = {
    [PPC_MCE_POWER7]  = "POWER7",
    [PPC_MCE_POWER8]  = "POWER8",
    [PPC_MCE_POWER9]  = "POWER9",
    [PPC_MCE_POWER10] = "POWER10",
};

const char *ppc_mce_cpu_name(PpcMceCpu cpu)
{
    return (unsigned)cpu < PPC_MCE_CPU__MAX ? cpu_names[cpu] : "unknown";
}

static bool row_has_cpu(const MceRow *row, PpcMceCpu cpu)
{
    return (unsigned)cpu < PPC_MCE_CPU__MAX && (row->cpus & (1u << cpu));
}

static bool row_has_cause(const MceRow *row, PpcMceCpu cpu, PpcMceClass cls,
                          PpcMceSubtype subtype)
{
    return row_has_cpu(row, cpu) && row->info.cls == cls &&
           row->info.subtype == subtype;
}

static const MceRow *find_srr1_row(PpcMceCpu cpu, uint64_t srr1)
{
    uint64_t code = srr1 & (cpu == PPC_MCE_POWER7
                            ? PPC_MCE_SRR1_CODE_MASK_POWER7
                            : PPC_MCE_SRR1_CODE_MASK);
    size_t i;

    for (i = 0; i < ARRAY_SIZE(srr1_table) && srr1_table[i].bits <= code; i++) {
        if (srr1_table[i].bits == code && row_has_cpu(&srr1_table[i], cpu)) {
            return &srr1_table[i];
        }
    }
    return NULL;
}

static const MceRow *find_dsisr_row(PpcMceCpu cpu, uint32_t dsisr)
{
    uint32_t causes = dsisr & PPC_MCE_DSISR_CAUSE_MASK;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(dsisr_table); i++) {
        if ((dsisr_table[i].bits & causes) &&
            row_has_cpu(&dsisr_table[i], cpu)) {
            return &dsisr_table[i];
        }
    }
    return NULL;
}

const PpcMceInfo *ppc_mce_decode(PpcMceCpu cpu, uint64_t srr1, uint32_t dsisr)
{
    bool load_store = srr1 & PPC_MCE_SRR1_LOAD_STORE;
    const MceRow *row;

    /*
     * Before anything else, as in Linux and skiboot: the host has ignored it
     * as well.  Only POWER9 up to DD2.1 does it; on later ones the value
     * does not occur, so the revision need not be known.
     */
    if (cpu == PPC_MCE_POWER9 && load_store &&
        dsisr == PPC_MCE_DSISR_SPURIOUS_PASTE) {
        return &spurious;
    }
    row = find_srr1_row(cpu, srr1);
    /* if a store has failed late, DSISR is stale */
    if (load_store && (!row || row->info.sync)) {
        row = find_dsisr_row(cpu, dsisr);
    }
    return row ? &row->info : load_store ? &unknown_load_store : &unknown_fetch;
}

bool ppc_mce_encode_side(PpcMceCpu cpu, PpcMceClass cls,
                         PpcMceSubtype subtype, PpcMceSide side,
                         uint64_t *srr1_bits, uint32_t *dsisr)
{
    size_t i;

    *srr1_bits = 0;
    *dsisr = 0;

    for (i = 0; side != PPC_MCE_SIDE_FETCH && i < ARRAY_SIZE(dsisr_table);
         i++) {
        if (row_has_cause(&dsisr_table[i], cpu, cls, subtype)) {
            *srr1_bits = PPC_MCE_SRR1_LOAD_STORE;
            *dsisr = dsisr_table[i].bits;
            return true;
        }
    }

    for (i = 0; i < ARRAY_SIZE(srr1_table); i++) {
        PpcMceSide row_side = srr1_table[i].info.side;

        if ((side == PPC_MCE_SIDE_ANY || side == row_side) &&
            row_has_cause(&srr1_table[i], cpu, cls, subtype)) {
            *srr1_bits = srr1_table[i].bits;
            if (row_side == PPC_MCE_SIDE_LOAD_STORE) {
                *srr1_bits |= PPC_MCE_SRR1_LOAD_STORE;
            }
            return true;
        }
    }

    return false;
}
