/*
 * CPER status blocks, data entries, memory error and ARM processor error
 * sections
 *
 * The bytes are written by hand from ACPI 6.5 18.3.2.7.1 and UEFI 2.10 N.2.5
 * and N.2.4.4; nothing here is computed by the code under test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/acpi/apei/cper.h"

#define MEMORY_ENTRY 152        /* 72 + 80 */
#define ARM_ENTRY    144        /* 72 + 40 + 32 */

/* What QEMU makes: two pages; every field has a value of its own */
static const uint8_t memory_block[] = {
    /* Generic Error Status Block */
    0x23, 0x00, 0x00, 0x00,                 /* uncorr. and corr., 2 entries */
    0x00, 0x00, 0x00, 0x00,                 /* raw data offset */
    0x00, 0x00, 0x00, 0x00,                 /* raw data length */
    0x30, 0x01, 0x00, 0x00,                 /* data length 304 */
    0x00, 0x00, 0x00, 0x00,                 /* severity recoverable */

    /* Generic Error Data Entry 0 */
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,     /* A5BC1114-6F64-4EDE */
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,     /* -B863-3E83ED7C83B1 */
    0x00, 0x00, 0x00, 0x00,                 /* severity recoverable */
    0x00, 0x03,                             /* revision 3.0 */
    0x02,                                   /* FRU text */
    0x01,                                   /* primary */
    0x50, 0x00, 0x00, 0x00,                 /* section length 80 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* no FRU id */
    'R', 'A', 'M', ' ', '#', '7', 0, 0, 0, 0,           /* FRU text */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,                             /* no timestamp */

    /* Memory error section 0 */
    0x07, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* bits 0 to 2, 14 */
    0x00, 0x04, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00,     /* DRAM, data */
    0x00, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34,     /* physical address */
    0x00, 0xf1, 0xff, 0xff, 0xfe, 0xff, 0xfd, 0xff,     /* its mask */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* no node, ... */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                 /* no requestor, ... */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                 /* ... target id */
    0x03,                                   /* type: multi-bit ECC */
    0x00,                                   /* no extended */
    0, 0, 0, 0, 0, 0,                       /* no rank, handles */

    /* Generic Error Data Entry 1 */
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,     /* A5BC1114-6F64-4EDE */
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,     /* -B863-3E83ED7C83B1 */
    0x02, 0x00, 0x00, 0x00,                 /* severity corrected */
    0x00, 0x03,                             /* revision 3.0 */
    0x02,                                   /* FRU text */
    0x00,                                   /* no flags */
    0x50, 0x00, 0x00, 0x00,                 /* section length 80 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* no FRU id */
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',             /* FRU text, 20 */
    'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p',             /*   characters and */
    'q', 'r', 's', 't',                                 /*   no NUL */
    0, 0, 0, 0, 0, 0, 0, 0,                             /* no timestamp */

    /* Memory error section 1 */
    0x07, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* bits 0 to 2, 14 */
    0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,     /* as it was given */
    0x00, 0x10, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,     /* physical address */
    0x00, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,     /* its mask */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x02,                                   /* type: single-bit ECC */
    0x00,
    0, 0, 0, 0, 0, 0,
};

static const CperEntry entry0 = {
    .severity = CPER_SEVERITY_RECOVERABLE,
    .flags = CPER_ENTRY_PRIMARY,
    /* behind the NUL: must not get out */
    .fru_text = { 'R', 'A', 'M', ' ', '#', '7', 0, 's', 'e', 'c', 'r', 'e',
                  't', '!', '!', '!', '!', '!', '!', '!' },
};

static const CperMemoryError memory0 = {
    .error_status = CPER_STATUS_TYPE_DRAM << CPER_STATUS_TYPE_SHIFT |
                    CPER_STATUS_DATA,
    .physical_address = 0x3456789abcdef000,
    .physical_address_mask = 0xfffdfffefffff100,
    .memory_error_type = CPER_MEMORY_MULTI_BIT_ECC,
};

static const CperEntry entry1 = {
    .severity = CPER_SEVERITY_CORRECTED,
    .fru_text = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
                  'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't' },
};

static const CperMemoryError memory1 = {
    .error_status = 0x2827262524232221,
    .physical_address = 0x100001000,
    .physical_address_mask = -(uint64_t)4096,
    .memory_error_type = CPER_MEMORY_SINGLE_BIT_ECC,
};

/* What QEMU makes: an ARM processor that is off, and an error */
static const uint8_t arm_made_block[] = {
    0x11, 0x00, 0x00, 0x00,                 /* uncorrectable, 1 entry */
    0x00, 0x00, 0x00, 0x00,                 /* raw data offset */
    0x00, 0x00, 0x00, 0x00,                 /* raw data length */
    0x90, 0x00, 0x00, 0x00,                 /* data length 144 */
    0x01, 0x00, 0x00, 0x00,                 /* severity fatal */
    0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,     /* E19E3D16-BC11-11E4 */
    0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0,     /* -9CAA-C2051D5D46B0 */
    0x01, 0x00, 0x00, 0x00,                 /* severity fatal */
    0x00, 0x03,                             /* revision 3.0 */
    0x02,                                   /* FRU text */
    0x01,                                   /* primary */
    0x48, 0x00, 0x00, 0x00,                 /* section length 72 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* no FRU id */
    'C', 'P', 'U', 0, 0, 0, 0, 0, 0, 0,                 /* FRU text */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,                             /* no timestamp */

    /* ARM processor error section */
    0x05, 0x00, 0x00, 0x00,                 /* MPIDR, running state */
    0x01, 0x00,                             /* ERR_INFO_NUM */
    0x00, 0x00,                             /* CONTEXT_INFO_NUM */
    0x48, 0x00, 0x00, 0x00,                 /* section length 72 */
    0x00, 0x00, 0x00, 0x00,                 /* no affinity level, reserved */
    0x01, 0x02, 0x03, 0x80, 0x04, 0x00, 0x00, 0x00,     /* MPIDR_EL1 */
    0x10, 0xd4, 0x0f, 0x41, 0x00, 0x00, 0x00, 0x00,     /* MIDR_EL1 */
    0x31, 0x32, 0x33, 0x34,                 /* running state, as given */
    0x21, 0x22, 0x23, 0x24,                 /* PSCI state */

    /* error information structure */
    0x00,                                   /* version */
    0x20,                                   /* length 32 */
    0x1f, 0x00,                             /* all fields valid */
    0x02,                                   /* cache error */
    0x38, 0x39,                             /* multiple error: their number */
    0x0d,                                   /* first, propagated, overflow */
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,     /* error information */
    0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,     /* virtual address */
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67,     /* physical address */
};

static const CperEntry arm_entry = {
    .severity = CPER_SEVERITY_FATAL,
    .flags = CPER_ENTRY_PRIMARY,
    .fru_text = "CPU",
};

static const CperArmProcessor arm_processor = {
    .mpidr_el1 = 0x480030201,
    .midr_el1 = 0x410fd410,
    .running_state = 0x34333231,
    .psci_state = 0x24232221,
    .error = {
        .validation_bits = CPER_ARM_INFO_VALID_MULTIPLE_ERROR |
                           CPER_ARM_INFO_VALID_FLAGS |
                           CPER_ARM_INFO_VALID_ERROR_INFORMATION |
                           CPER_ARM_INFO_VALID_VIRTUAL_ADDRESS |
                           CPER_ARM_INFO_VALID_PHYSICAL_ADDRESS,
        .type = CPER_ARM_TYPE_CACHE,
        .flags = CPER_ARM_INFO_FIRST_ERROR | CPER_ARM_INFO_PROPAGATED |
                 CPER_ARM_INFO_OVERFLOW,
        .multiple_error = 0x3938,
        .error_information = 0x4746454443424140,
        .virtual_fault_address = 0x5756555453525150,
        .physical_fault_address = 0x6766656463626160,
    },
};

/* A section with context information and vendor specific bytes */
static const uint8_t arm_contexts[] = {
    0x08, 0x00, 0x00, 0x00,                 /* vendor info */
    0x01, 0x00,                             /* ERR_INFO_NUM */
    0x02, 0x00,                             /* CONTEXT_INFO_NUM */
    0x5f, 0x00, 0x00, 0x00,                 /* section length 95 */
    0x00, 0x00, 0x00, 0x00,                 /* affinity level, reserved */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* MPIDR, MIDR */
    0x01, 0x00, 0x00, 0x00,                 /* running */
    0x00, 0x00, 0x00, 0x00,                 /* PSCI state */
    0x00, 0x20, 0x00, 0x00, 0x08,           /* bus error, nothing valid */
    0x00, 0x00, 0x00,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,
    /* context information structures, at 72 */
    0x00, 0x00, 0x08, 0x00,                 /* version, type */
    0x04, 0x00, 0x00, 0x00,                 /* register array size */
    0xd1, 0xd2, 0xd3, 0xd4,
    0x00, 0x00, 0x04, 0x00,                 /* version, type */
    0x00, 0x00, 0x00, 0x00,                 /* register array size */
    /* vendor specific bytes, at 92 */
    0xe1, 0xe2, 0xe3,
};

/*
 * A record made by others, with all that there can be in entry 0: FRU id and
 * timestamp, flags, and all of the section.  To be changed, in an allocation of
 * just its size.
 */
#define FULL_BLOCK sizeof(memory_block)
#define TIMESTAMP 84

static uint8_t *full_block_new(void)
{
    static const uint8_t timestamp[8] = {
        0x56, 0x34, 0x12, 0x01,             /* 12:34:56, precise */
        0x29, 0x02, 0x24, 0x20,             /* 2024-02-29 */
    };
    uint8_t *block = g_memdup2(memory_block, FULL_BLOCK);

    block[20 + 22] = 0x07;                  /* FRU id, FRU text, timestamp */
    block[20 + 23] = 0x91;                  /* primary, and two more */
    memset(block + 20 + 28, 0xa5, 16);
    memcpy(block + TIMESTAMP, timestamp, sizeof(timestamp));
    memset(block + 92, 0xa6, 80);
    return block;
}

static void change(uint8_t *at, unsigned size, uint32_t value)
{
    if (size == 1) {
        *at = value;
    } else if (size == 2) {
        stw_le_p(at, value);
    } else {
        stl_le_p(at, value);
    }
}

static void assert_taken(const uint8_t *block, size_t len)
{
    const char *why = NULL;

    if (!cper_block_check(block, len, &why)) {
        g_error("refused: %s", why);
    }
}

static void assert_refused(const uint8_t *block, size_t len,
                           const char *expected)
{
    const char *why = NULL;

    g_assert_false(cper_block_check(block, len, &why));
    g_assert_cmpstr(why, ==, expected);
    g_assert_false(cper_block_check(block, len, NULL));
}

/*
 * Writing
 */

/* Any alignment, any former contents, nothing written behind the end */
static void test_encode_memory(void)
{
    for (unsigned shift = 0; shift < 8; shift++) {
        g_autofree uint8_t *mem = g_malloc(shift + sizeof(memory_block) + 1);
        uint8_t *buf = mem + shift;
        CperBlock b;

        memset(mem, 0x5a, shift + sizeof(memory_block) + 1);
        cper_block_init(&b, buf, sizeof(memory_block) + 1);
        g_assert_true(cper_block_add_memory(&b, &entry0, &memory0));
        g_assert_true(cper_block_add_memory(&b, &entry1, &memory1));
        g_assert_cmpuint(cper_block_finish(&b), ==, sizeof(memory_block));
        g_assert_cmpmem(buf, sizeof(memory_block),
                        memory_block, sizeof(memory_block));
        g_assert_cmphex(buf[sizeof(memory_block)], ==, 0x5a);
        assert_taken(buf, sizeof(memory_block));
    }
}

static void test_encode_arm_processor(void)
{
    uint8_t buf[sizeof(arm_made_block) + 1];
    CperBlock b;

    memset(buf, 0x5a, sizeof(buf));
    cper_block_init(&b, buf, sizeof(buf));
    g_assert_true(cper_block_add_arm_processor(&b, &arm_entry, &arm_processor));
    g_assert_cmpuint(cper_block_finish(&b), ==, sizeof(arm_made_block));
    g_assert_cmpmem(buf, sizeof(arm_made_block),
                    arm_made_block, sizeof(arm_made_block));
    g_assert_cmphex(buf[sizeof(arm_made_block)], ==, 0x5a);
    assert_taken(buf, sizeof(arm_made_block));
}

static void test_status_and_severity(void)
{
    enum { REC, FATAL, CORR, INFO, END };
    static const struct {
        uint8_t severities[5];
        uint32_t status;
        uint32_t severity;
    } cases[] = {
        { { END }, 0x00, INFO },                    /* empty */
        { { REC, END }, 0x11, REC },
        { { FATAL, END }, 0x11, FATAL },
        { { CORR, END }, 0x12, CORR },
        { { INFO, END }, 0x12, INFO },
        { { REC, REC, END }, 0x25, REC },
        { { REC, FATAL, END }, 0x25, FATAL },
        { { FATAL, REC, END }, 0x25, FATAL },
        { { CORR, CORR, END }, 0x2a, CORR },
        { { CORR, INFO, END }, 0x2a, CORR },
        { { INFO, CORR, END }, 0x2a, CORR },
        { { CORR, REC, END }, 0x23, REC },
        { { REC, CORR, END }, 0x23, REC },
        { { INFO, FATAL, END }, 0x23, FATAL },
        { { REC, CORR, CORR, END }, 0x3b, REC },
        { { CORR, REC, INFO, FATAL, END }, 0x4f, FATAL },
    };
    unsigned i, j;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[1024];
        CperBlock b;

        memset(buf, 0x5a, sizeof(buf));
        cper_block_init(&b, buf, sizeof(buf));
        for (j = 0; cases[i].severities[j] != END; j++) {
            CperEntry e = { .severity = cases[i].severities[j] };

            g_assert_true(cper_block_add_memory(&b, &e, &memory0));
        }
        g_assert_cmpuint(cper_block_finish(&b), ==, 20 + j * MEMORY_ENTRY);
        g_assert_cmphex((uint32_t)ldl_le_p(buf), ==, cases[i].status);
        g_assert_cmpuint(ldq_le_p(buf + 4), ==, 0);         /* no raw data */
        g_assert_cmpuint(ldl_le_p(buf + 12), ==, j * MEMORY_ENTRY);
        g_assert_cmpuint(ldl_le_p(buf + 16), ==, cases[i].severity);
        g_assert_cmpuint(cper_block_length(buf, sizeof(buf)), ==,
                         20 + j * MEMORY_ENTRY);
        if (j) {
            assert_taken(buf, sizeof(buf));
        } else {
            assert_refused(buf, 20, "block_status is 0: the block is empty");
        }
    }
}

/* What does not fit changes nothing */
static void test_exact_fit_and_one_byte_short(void)
{
    for (unsigned arm = 0; arm < 2; arm++) {
        size_t len = 20 + (arm ? ARM_ENTRY : MEMORY_ENTRY);

        for (size_t size = 20; size <= len; size++) {
            g_autofree uint8_t *buf = g_malloc(size);
            CperBlock b;
            bool added;

            memset(buf, 0x5a, size);
            cper_block_init(&b, buf, size);
            added = arm ? cper_block_add_arm_processor(&b, &arm_entry,
                                                       &arm_processor) :
                          cper_block_add_memory(&b, &entry0, &memory0);
            g_assert_cmpint(added, ==, size == len);
            if (!added) {
                for (size_t i = 0; i < size; i++) {
                    g_assert_cmphex(buf[i], ==, 0x5a);
                }
                g_assert_cmpuint(cper_block_finish(&b), ==, 20);
                continue;
            }
            g_assert_false(cper_block_add_memory(&b, &entry0, &memory0));
            g_assert_cmpuint(cper_block_finish(&b), ==, len);
            assert_taken(buf, len);
        }
    }
}

static void test_max_memory_entries(void)
{
    static const struct {
        size_t size;
        unsigned entries;
    } cases[] = {
        { 0, 0 }, { 19, 0 }, { 20, 0 }, { 171, 0 }, { 172, 1 }, { 323, 1 },
        { 324, 2 }, { 1024, 6 }, { 4096, 26 }, { 65536, 431 },
        { 20 + 1023 * 152 - 1, 1022 }, { 20 + 1023 * 152, 1023 },
        { 20 + 1024 * 152, 1023 }, { SIZE_MAX, 1023 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_assert_cmpuint(cper_block_max_memory_entries(cases[i].size), ==,
                         cases[i].entries);
    }
}

static void test_entry_count_limit(void)
{
    size_t size = 20 + 1024 * MEMORY_ENTRY;
    g_autofree uint8_t *buf = g_malloc(size);
    CperEntry e = { .severity = CPER_SEVERITY_RECOVERABLE };
    CperBlock b;
    unsigned i;

    cper_block_init(&b, buf, size);
    for (i = 0; i < 1023; i++) {
        g_assert_true(cper_block_add_memory(&b, &e, &memory0));
    }
    g_assert_false(cper_block_add_memory(&b, &e, &memory0));
    g_assert_cmpuint(cper_block_finish(&b), ==, 20 + 1023 * MEMORY_ENTRY);
    g_assert_cmphex((uint32_t)ldl_le_p(buf), ==, 0x3ff5);
    assert_taken(buf, size);
}

/*
 * Checking what others have made
 */

static void test_taken(void)
{
    g_autofree uint8_t *full = full_block_new();
    g_autofree uint8_t *stock = full_block_new();

    assert_taken(full, FULL_BLOCK);
    assert_taken(memory_block, sizeof(memory_block));
    assert_taken(arm_made_block, sizeof(arm_made_block));
    /* stock has an entry, and counts none */
    stl_le_p(stock, 1);
    stl_le_p(stock + 12, MEMORY_ENTRY);
    assert_refused(stock, 20 + MEMORY_ENTRY,
                   "entry count in block_status is not the number of entries");
}

/* Revision 2.1 of ACPI 4.0: 64 bytes of header, and no timestamp behind it */
static void test_old_revision(void)
{
    static const uint8_t old[20 + 64] = {
        [0] = 0x11,                         /* uncorrectable, 1 entry */
        [12] = 64,                          /* data length */
        [20 + 20] = 0x01, [20 + 21] = 0x02, /* revision 2.1 */
        [20 + 22] = 0x07,                   /* claims a timestamp */
    };
    g_autofree uint8_t *block = g_memdup2(old, sizeof(old));

    assert_refused(block, sizeof(old), "revision of an entry is not 0x0300");
}

/* Each month has its last day, and no day behind it */
static void test_last_day_of_each_month(void)
{
    static const struct {
        uint8_t century, year;              /* BCD */
        uint8_t february;
    } years[] = {
        { 0x20, 0x00, 0x29 }, { 0x20, 0x23, 0x28 }, { 0x20, 0x24, 0x29 },
        { 0x19, 0x00, 0x28 }, { 0x00, 0x00, 0x29 }, { 0x99, 0x99, 0x28 },
        { 0x20, 0x10, 0x28 }, { 0x20, 0x12, 0x29 },
    };
    static const uint8_t months[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x10, 0x11, 0x12
    };
    static const uint8_t days[] = {
        0x31, 0, 0x31, 0x30, 0x31, 0x30, 0x31, 0x31, 0x30, 0x31, 0x30, 0x31
    };
    g_autofree uint8_t *block = full_block_new();
    uint8_t *time = block + 84;

    for (unsigned y = 0; y < ARRAY_SIZE(years); y++) {
        for (unsigned m = 0; m < ARRAY_SIZE(months); m++) {
            time[7] = years[y].century;
            time[6] = years[y].year;
            time[5] = months[m];
            time[4] = days[m] ? days[m] : years[y].february;
            assert_taken(block, FULL_BLOCK);
            time[4] = time[4] == 0x29 ? 0x30 : time[4] + 1;
            assert_refused(block, FULL_BLOCK,
                           "timestamp of an entry is not a BCD date");
        }
    }
}

/* An ARM section as others may make it, up to its end, and more errors */
static void test_arm_contexts_and_vendor_bytes(void)
{
    g_autofree uint8_t *block = g_malloc0(20 + 72 + 40 + 6 * 32);
    uint8_t *section = block + 20 + 72;

    memcpy(block, arm_made_block, 20 + 72);
    block[12] = 72 + 95;
    block[20 + 24] = 95;
    memcpy(section, arm_contexts, 95);
    assert_taken(block, 20 + 72 + 95);
    /* the second context, up to the end */
    section[88] = 3;
    assert_taken(block, 20 + 72 + 95);

    memset(section, 0, 40 + 6 * 32);
    stl_le_p(block + 12, 72 + 40 + 6 * 32);
    stl_le_p(block + 20 + 24, 40 + 6 * 32);
    stw_le_p(section + 4, 6);
    stl_le_p(section + 8, 40 + 6 * 32);
    for (unsigned i = 0; i < 6; i++) {
        section[40 + i * 32 + 1] = 32;
    }
    assert_taken(block, 20 + 72 + 40 + 6 * 32);
    section[40 + 5 * 32 + 1] = 33;
    assert_refused(block, 20 + 72 + 40 + 6 * 32,
                   "length of an ARM error information structure is not 32");
}

static void test_arm_each_refusal(void)
{
    static const char length_why[] =
        "section length of an ARM processor section is not the "
        "error_data_length of its entry";
    static const char context_why[] =
        "context information does not fit in its ARM processor section";
    static const char info_why[] =
        "error information does not fit in its ARM processor section";
    static const char info_length_why[] =
        "length of an ARM error information structure is not 32";
    static const struct {
        unsigned offset;
        unsigned size;
        uint32_t value;
        const char *why;
    } cases[] = {
        { 4, 2, 0, "ERR_INFO_NUM of an ARM processor section is 0" },
        { 4, 2, 2, info_why },
        { 4, 2, 0xffff, info_why },
        { 6, 2, 3, context_why },
        { 6, 2, 0xffff, context_why },
        { 8, 4, 94, length_why },
        { 8, 4, 96, length_why },
        { 8, 4, 0, length_why },
        { 8, 4, UINT32_MAX, length_why },
        { 41, 1, 0, info_length_why },
        { 41, 1, 31, info_length_why },
        { 41, 1, 33, info_length_why },
        /* of context 0: no room for context 1, behind the end, far behind */
        { 76, 4, 8, context_why },
        { 76, 4, 16, context_why },
        { 76, 4, UINT32_MAX, context_why },
        { 76, 4, UINT32_MAX - 7, context_why },
        { 88, 4, 4, context_why },
        { 88, 4, UINT32_MAX, context_why },
    };
    g_autofree uint8_t *block = g_malloc0(20 + 72 + 95);
    uint8_t *section = block + 20 + 72;
    unsigned i;
    size_t len;

    memcpy(block, arm_made_block, 20 + 72);
    block[12] = 72 + 95;
    block[20 + 24] = 95;
    memcpy(section, arm_contexts, 95);
    assert_taken(block, 20 + 72 + 95);

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        memcpy(section, arm_contexts, 95);
        change(section + cases[i].offset, cases[i].size, cases[i].value);
        g_test_message("case %u", i);
        assert_refused(block, 20 + 72 + 95, cases[i].why);
    }

    /* cut off anywhere, in an allocation of its own */
    memcpy(section, arm_contexts, 95);
    for (len = 0; len < 95; len++) {
        g_autofree uint8_t *cut = g_memdup2(block, 20 + 72 + len);

        cut[12] = 72 + len;
        cut[20 + 24] = len;
        if (len >= 40) {
            stl_le_p(cut + 92 + 8, len);
        }
        if (len >= 92) {
            assert_taken(cut, 20 + 72 + len);
        } else {
            assert_refused(cut, 20 + 72 + len,
                           len < 40 ? "ARM processor section is shorter than "
                                      "its 40-byte header" :
                           len < 72 ? info_why : context_why);
        }
    }
}

static void test_raw_data(void)
{
    g_autofree uint8_t *block = g_realloc(full_block_new(), FULL_BLOCK + 8);

    /* right behind the entries, up to the end */
    stl_le_p(block + 4, FULL_BLOCK);
    stl_le_p(block + 8, 8);
    assert_taken(block, FULL_BLOCK + 8);
    g_assert_cmpuint(cper_block_length(block, FULL_BLOCK + 8), ==,
                     FULL_BLOCK + 8);
    g_assert_cmpuint(cper_block_length(block, FULL_BLOCK + 7), ==, 0);

    /* with a gap */
    stl_le_p(block + 4, FULL_BLOCK + 7);
    stl_le_p(block + 8, 1);
    assert_taken(block, FULL_BLOCK + 8);
    g_assert_cmpuint(cper_block_length(block, FULL_BLOCK + 8), ==,
                     FULL_BLOCK + 8);

    /* an offset without a length means nothing */
    stl_le_p(block + 4, 1);
    stl_le_p(block + 8, 0);
    assert_taken(block, FULL_BLOCK);
    g_assert_cmpuint(cper_block_length(block, FULL_BLOCK + 8), ==,
                     FULL_BLOCK);

    stl_le_p(block + 4, FULL_BLOCK - 1);
    stl_le_p(block + 8, 1);
    assert_refused(block, FULL_BLOCK + 8,
                   "raw data overlaps the header or the entries");
    stl_le_p(block + 4, FULL_BLOCK);
    stl_le_p(block + 8, 9);
    assert_refused(block, FULL_BLOCK + 8,
                   "raw data runs past the end of the block");
    stl_le_p(block + 4, UINT32_MAX);
    stl_le_p(block + 8, UINT32_MAX);
    assert_refused(block, FULL_BLOCK + 8,
                   "raw data runs past the end of the block");
    g_assert_cmpuint(cper_block_length(block, FULL_BLOCK + 8), ==, 0);
}

/* ACPI allows zero entries, with raw data only */
static void test_raw_data_without_entries(void)
{
    uint8_t block[24] = {
        0x02, 0x00, 0x00, 0x00,             /* correctable, no entries */
        0x14, 0x00, 0x00, 0x00,             /* raw data offset 20 */
        0x04, 0x00, 0x00, 0x00,             /* raw data length 4 */
        0x00, 0x00, 0x00, 0x00,             /* data length */
        0x02, 0x00, 0x00, 0x00,             /* severity corrected */
        0xde, 0xad, 0xbe, 0xef,
    };

    assert_taken(block, sizeof(block));
    g_assert_cmpuint(cper_block_length(block, sizeof(block)), ==, 24);
}

/* What the first word and the severity of a block say of its entries */
static void test_status_against_entries(void)
{
    enum { REC, FATAL, CORR, INFO, NONE };
    static const char worst[] =
        "error_severity of the block is not that of its worst entry";
    static const char not_uncorrectable[] =
        "block_status does not say uncorrectable, but an entry is fatal or "
        "recoverable";
    static const char uncorrectable[] =
        "block_status says uncorrectable, but no entry is fatal or "
        "recoverable";
    static const char not_correctable[] =
        "block_status does not say correctable, but an entry is corrected";
    static const char correctable[] =
        "block_status says correctable, but no entry is corrected or "
        "informational";
    static const char multiple_uncorrectable[] =
        "block_status says multiple uncorrectable, but not uncorrectable";
    static const char multiple_correctable[] =
        "block_status says multiple correctable, but not correctable";
    static const struct {
        uint8_t status;             /* bits 3:0 */
        uint8_t severity;
        uint8_t entries[2];
        const char *why;
    } cases[] = {
        { 0x1, REC, { REC, NONE }, NULL },
        { 0x1, FATAL, { FATAL, NONE }, NULL },
        { 0x2, CORR, { CORR, NONE }, NULL },
        { 0x2, INFO, { INFO, NONE }, NULL },
        { 0x3, REC, { CORR, REC }, NULL },
        { 0x3, FATAL, { FATAL, INFO }, NULL },
        /* both entries may describe the same error, or one of several */
        { 0x1, REC, { REC, REC }, NULL },
        { 0x5, REC, { REC, NONE }, NULL },
        { 0xa, CORR, { CORR, NONE }, NULL },
        /* informational ones may be left out */
        { 0x1, REC, { REC, INFO }, NULL },
        /* without entries, nothing contradicts */
        { 0x1, REC, { NONE, NONE }, NULL },
        { 0x1, FATAL, { NONE, NONE }, NULL },
        { 0x2, CORR, { NONE, NONE }, NULL },
        { 0x2, INFO, { NONE, NONE }, NULL },
        { 0x5, REC, { NONE, NONE }, NULL },

        { 0x1, FATAL, { REC, REC }, worst },
        { 0x1, REC, { REC, FATAL }, worst },
        { 0x1, REC, { FATAL, REC }, worst },
        { 0x3, CORR, { REC, CORR }, worst },
        { 0x3, CORR, { CORR, REC }, worst },
        { 0x1, INFO, { REC, NONE }, worst },
        { 0x2, REC, { CORR, NONE }, worst },
        { 0x2, INFO, { CORR, INFO }, worst },
        { 0x2, CORR, { INFO, INFO }, worst },
        { 0x2, FATAL, { INFO, NONE }, worst },

        { 0x2, REC, { REC, CORR }, not_uncorrectable },
        { 0x2, FATAL, { FATAL, INFO }, not_uncorrectable },
        { 0x3, CORR, { CORR, CORR }, uncorrectable },
        { 0x1, INFO, { INFO, NONE }, uncorrectable },
        { 0x1, REC, { CORR, REC }, not_correctable },
        { 0x3, REC, { REC, REC }, correctable },
        { 0x3, FATAL, { FATAL, NONE }, correctable },
        { 0x6, CORR, { CORR, CORR }, multiple_uncorrectable },
        { 0x9, REC, { REC, REC }, multiple_correctable },
        { 0x9, REC, { NONE, NONE }, multiple_correctable },
        { 0x6, CORR, { NONE, NONE }, multiple_uncorrectable },
    };
    unsigned i, j;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[20 + 2 * 72] = { 0 };

        g_test_message("case %u", i);
        for (j = 0; j < 2 && cases[i].entries[j] != NONE; j++) {
            uint8_t *entry = buf + 20 + j * 72;

            /* a section of a vendor's, without contents */
            memset(entry, 0xee, 16);
            entry[16] = cases[i].entries[j];
            entry[21] = 0x03;
        }
        stl_le_p(buf, cases[i].status | j << 4);
        stl_le_p(buf + 12, j * 72);
        stl_le_p(buf + 16, cases[i].severity);
        if (cases[i].why) {
            assert_refused(buf, 20 + j * 72, cases[i].why);
        } else {
            assert_taken(buf, 20 + j * 72);
        }
    }
}

static void test_each_refusal(void)
{
    static const char count_why[] =
        "entry count in block_status is not the number of entries";
    static const char past_why[] = "data_length runs past the end of the block";
    static const char section_why[] = "section does not fit in data_length";
    static const char header_why[] = "entry header does not fit in data_length";
    static const char revision_why[] = "revision of an entry is not 0x0300";
    static const char memory_why[] =
        "memory error section is shorter than 80 bytes";
    static const char date_why[] = "timestamp of an entry is not a BCD date";
    static const struct {
        unsigned offset;
        unsigned size;
        uint32_t value;
        const char *why;
    } cases[] = {
        { 0, 4, 0, "block_status is 0: the block is empty" },
        { 0, 4, 0x4023, "block_status has reserved bits set" },
        { 0, 4, 0x80000023, "block_status has reserved bits set" },
        { 0, 4, 0x2c, "block_status is neither uncorrectable nor correctable" },
        { 0, 4, 0x13, count_why }, { 0, 4, 0x33, count_why },
        { 0, 4, 0x3ff3, count_why },
        { 16, 4, 4, "error_severity of the block is not one of 0 to 3" },
        { 16, 4, UINT32_MAX,
          "error_severity of the block is not one of 0 to 3" },
        /* data_length: one more than there is; most; cut at several places */
        { 12, 4, 305, past_why }, { 12, 4, UINT32_MAX, past_why },
        { 12, 4, 303, section_why }, { 12, 4, 152 + 72, section_why },
        { 12, 4, 152 + 71, header_why }, { 12, 4, 152 + 1, header_why },
        { 12, 4, 152, count_why }, { 12, 4, 71, header_why },
        { 12, 4, 64, header_why }, { 12, 4, 63, header_why },
        { 12, 4, 0, count_why },
        /* entry 0 */
        { 20 + 16, 4, 4, "error_severity of an entry is not one of 0 to 3" },
        { 20 + 20, 2, 0x0301, revision_why },
        { 20 + 20, 2, 0x0400, revision_why },
        { 20 + 20, 2, 0x0201, revision_why },
        { 20 + 22, 1, 0x0f,
          "validation_bits of an entry has reserved bits set" },
        { 20 + 22, 1, 0x80,
          "validation_bits of an entry has reserved bits set" },
        { 20 + 24, 4, 79, memory_why }, { 20 + 24, 4, 0, memory_why },
        { 20 + 24, 4, 233, section_why },
        { 20 + 24, 4, UINT32_MAX, section_why },
        /* one byte left over */
        { 20 + 24, 4, 231, header_why },
        /* timestamp of entry 0, byte by byte */
        { TIMESTAMP + 0, 1, 0x60, date_why },
        { TIMESTAMP + 0, 1, 0x0a, date_why },
        { TIMESTAMP + 0, 1, 0xa0, date_why },
        { TIMESTAMP + 1, 1, 0x60, date_why },
        { TIMESTAMP + 2, 1, 0x24, date_why },
        { TIMESTAMP + 3, 1, 0x02, date_why },
        { TIMESTAMP + 4, 1, 0x30, date_why },
        { TIMESTAMP + 4, 1, 0x00, date_why },
        { TIMESTAMP + 5, 1, 0x13, date_why },
        { TIMESTAMP + 5, 1, 0x00, date_why },
        { TIMESTAMP + 6, 1, 0x25, date_why },
        /* these would be leap years, if they were BCD */
        { TIMESTAMP + 6, 1, 0x1a, date_why },
        { TIMESTAMP + 6, 1, 0x1e, date_why },
        { TIMESTAMP + 6, 1, 0xa4, date_why },
        { TIMESTAMP + 7, 1, 0xff, date_why },
        /* entry 1 */
        { 172 + 16, 4, 5, "error_severity of an entry is not one of 0 to 3" },
        { 172 + 24, 4, 79, memory_why }, { 172 + 24, 4, 81, section_why },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree uint8_t *block = full_block_new();

        g_test_message("case %u", i);
        change(block + cases[i].offset, cases[i].size, cases[i].value);
        assert_refused(block, FULL_BLOCK, cases[i].why);
    }
}

/* A timestamp that is not declared, and another type of section, may be so */
static void test_not_refused(void)
{
    g_autofree uint8_t *block = full_block_new();

    memset(block + 172 + 64, 0xff, 8);
    assert_taken(block, FULL_BLOCK);

    block[20 + 22] = 0x03;
    assert_taken(block, FULL_BLOCK);

    /* 79 bytes of a vendor section, and entry 1 is one byte longer */
    block[20] ^= 1;
    block[20 + 24] = 79;
    memmove(block + 171, block + 172, 152);
    block[171 + 24] = 81;
    assert_taken(block, FULL_BLOCK);

    /* flags, FRU and contents of sections are the sender's business */
    block[20 + 23] = 0xff;
    memset(block + 20 + 28, 0xff, 36);
    memset(block + 20 + 72, 0xff, 79);
    assert_taken(block, FULL_BLOCK);
}

/* "00112233-4455-6677-8899-aabbccddeeff" as it is in memory */
static void guid_of_text(uint8_t guid[16], const char *text)
{
    static const uint8_t at[16] = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
    };

    for (int i = 0; i < 16; i++, text += 2) {
        unsigned byte;

        text += *text == '-';
        g_assert_cmpint(sscanf(text, "%2x", &byte), ==, 1);
        guid[at[i]] = byte;
    }
}

/* Is a block with this section taken?  In memory that ends with the block. */
static bool section_is_taken(const char *type, const void *data, size_t len,
                             const char **why)
{
    g_autofree uint8_t *block = g_malloc0(20 + 72 + len);

    stl_le_p(block, 0x12);                  /* correctable, 1 entry */
    stl_le_p(block + 12, 72 + len);
    stl_le_p(block + 16, 2);                /* corrected */
    guid_of_text(block + 20, type);
    stl_le_p(block + 20 + 16, 2);
    stw_le_p(block + 20 + 20, 0x300);
    stl_le_p(block + 20 + 24, len);
    memcpy(block + 20 + 72, data, len);
    return cper_block_check(block, 20 + 72 + len, why);
}

/* UEFI 2.10 N.2.2: each type needs what its structure has at least. */
static void test_section_lengths(void)
{
    static const struct {
        const char *type;
        unsigned least;
        const char *why;
    } cases[] = {
        { "9876ccad-47b4-4bdb-b65e-16f193c4f3db", 192,
          "generic processor error section is shorter than 192 bytes" },
        { "dc3ea0b0-a144-4797-b95b-53fa242b6e1d", 64,
          "IA32/X64 processor error section is shorter than 64 bytes" },
        { "61ec04fc-48e6-d813-25c9-8daa44750b12", 96,
          "memory error 2 section is shorter than 96 bytes" },
        { "d995e954-bbc1-430f-ad91-b44dcb3c6f35", 208,
          "PCIe error section is shorter than 208 bytes" },
        { "c5753963-3b84-4095-bf78-eddad3f9c9dd", 72,
          "PCI/PCI-X bus error section is shorter than 72 bytes" },
        { "eb5e4685-ca66-4769-b6a2-26068b001326", 40,
          "PCI/PCI-X component error section is shorter than 40 bytes" },
        { "81212a96-09ed-4996-9471-8d729c8e69ed", 16,
          "firmware error section is shorter than 16 bytes" },
        { "5b51fef7-c79d-4434-8f1b-aa62de3e2c64", 32,
          "generic DMAr error section is shorter than 32 bytes" },
        { "71761d37-32b2-45cd-a7d0-b0fedd93e8cf", 144,
          "VT-d DMAr error section is shorter than 144 bytes" },
        { "036f84e1-7f37-428c-a79e-575fdfaa84ec", 144,
          "IOMMU DMAr error section is shorter than 144 bytes" },
        { "91335ef6-ebfb-4478-a6a6-88b728cf75d7", 16,
          "CCIX PER log error section is shorter than 16 bytes" },
        { "80b9efb4-52b5-4de3-a777-68784b771048", 116,
          "CXL protocol error section is shorter than 116 bytes" },
        { "fbcd0a77-c260-417f-85a9-088b1621eba6", 144,
          "CXL general media event section is shorter than 144 bytes" },
        { "601dcbb3-9c06-4eab-b8af-4e9bfb5c9624", 144,
          "CXL DRAM event section is shorter than 144 bytes" },
        { "fe927475-dd59-4339-a586-79bab113bc74", 144,
          "CXL memory module event section is shorter than 144 bytes" },
        { "77cf9271-9c02-470b-9fe4-bc7b75f2da97", 32,
          "CXL physical switch event section is shorter than 32 bytes" },
        { "40d26425-3396-4c4d-a5da-3d47263af425", 32,
          "CXL virtual switch event section is shorter than 32 bytes" },
        { "8dc44363-0c96-4710-b7bf-04bb99534c3f", 32,
          "CXL MLD port event section is shorter than 32 bytes" },
        /* no type that is defined */
        { "8dc44363-0c96-4710-b7bf-04bb99534c3e", 0, NULL },
    };
    const uint8_t section[256] = { 0 };
    const char *why;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_test_message("%s", cases[i].type);
        for (unsigned len = 0; len <= sizeof(section); len++) {
            bool taken = section_is_taken(cases[i].type, section, len, &why);

            g_assert_cmpint(taken, ==, len >= cases[i].least);
            if (!taken) {
                g_assert_cmpstr(why, ==, cases[i].why);
            }
        }
    }
}

/* UEFI 2.2 has 73 bytes, and then nothing behind them can be valid. */
static void test_memory_section_lengths(void)
{
    static const char type[] = "a5bc1114-6f64-4ede-b863-3e83ed7c83b1";
    uint8_t section[96] = { 0 };
    const char *why;

    for (unsigned len = 0; len <= sizeof(section); len++) {
        bool taken = section_is_taken(type, section, len, &why);

        g_assert_cmpint(taken, ==, len == 73 || len >= 80);
        if (!taken) {
            g_assert_cmpstr(why, ==, "memory error section is shorter than "
                            "80 bytes");
        }
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        stq_le_p(section, 1ULL << bit);
        g_assert_cmpint(section_is_taken(type, section, 73, &why), ==,
                        bit <= 14);
        g_assert_true(section_is_taken(type, section, 80, &why));
    }
}

/* Since revision 2 there is a GUID at the end. */
static void test_firmware_section_revisions(void)
{
    static const char type[] = "81212a96-09ed-4996-9471-8d729c8e69ed";
    uint8_t section[40] = { 0 };
    const char *why;

    for (unsigned revision = 0; revision < 256; revision++) {
        section[1] = revision;
        for (unsigned len = 16; len <= sizeof(section); len++) {
            g_assert_cmpint(section_is_taken(type, section, len, &why), ==,
                            len >= (revision < 2 ? 16 : 32));
        }
    }
}

/* DVSEC and error log have the lengths that the section gives them. */
static void test_cxl_protocol_section_parts(void)
{
    static const char type[] = "80b9efb4-52b5-4de3-a777-68784b771048";
    static const struct {
        uint64_t valid;
        uint16_t dvsec, log;
        unsigned least;
    } cases[] = {
        { 0x3f, 0, 0, 116 },
        { 0x3f, 60, 0, 176 },
        { 0x3f, 0, 8, 124 },
        { 0x7f, 60, 88, 264 },
        { 0x40, 0, 88, 204 },
        { 0x40, 0, 87, UINT_MAX },      /* fewer registers than there are */
        { 0x3f, 0xffff, 0xffff, UINT_MAX },
    };
    uint8_t section[300] = { 0 };
    const char *why;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        stq_le_p(section, cases[i].valid);
        stw_le_p(section + 108, cases[i].dvsec);
        stw_le_p(section + 110, cases[i].log);
        for (unsigned len = 116; len <= sizeof(section); len++) {
            g_assert_cmpint(section_is_taken(type, section, len, &why), ==,
                            len >= cases[i].least);
        }
    }
}

/* All that it takes to hand a block over: it is there, and is seen. */
static void test_fits(void)
{
    static const struct {
        unsigned offset;
        uint32_t value;
        const char *why;
    } cases[] = {
        { 0, 0, "block_status is 0: the block is empty" },
        { 0, 0x80000000, NULL },
        { 12, 305, "data_length runs past the end of the block" },
        { 12, UINT32_MAX, "data_length runs past the end of the block" },
        { 12, 303, NULL },              /* cuts an entry off */
        { 12, 0, NULL },
        { 16, 99, NULL },
        { 8, 325, "raw data runs past the end of the block" },
        { 8, UINT32_MAX, "raw data runs past the end of the block" },
        { 8, 324, NULL },               /* from offset 0 on */
        { 20 + 24, UINT32_MAX, NULL },
    };
    const char *why;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree uint8_t *block = full_block_new();

        g_test_message("case %u", i);
        stl_le_p(block + cases[i].offset, cases[i].value);
        g_assert_cmpint(cper_block_fits(block, FULL_BLOCK, &why), ==,
                        !cases[i].why);
        if (cases[i].why) {
            g_assert_cmpstr(why, ==, cases[i].why);
        }
        g_assert_false(cper_block_check(block, FULL_BLOCK, NULL) &&
                       cases[i].why);
    }
    for (size_t len = 0; len <= FULL_BLOCK; len++) {
        g_autofree uint8_t *block = g_memdup2(memory_block, len);

        g_assert_cmpint(cper_block_fits(block, len, NULL), ==,
                        len == FULL_BLOCK);
    }
}

/* Each length in its own allocation, so that ASan sees any read behind it */
static void test_every_truncation(void)
{
    g_autofree uint8_t *full = full_block_new();
    size_t len;

    for (len = 0; len < FULL_BLOCK; len++) {
        g_autofree uint8_t *block = g_memdup2(full, len);

        assert_refused(block, len,
                       len < 20 ? "block is shorter than its 20-byte header"
                       : "data_length runs past the end of the block");
        g_assert_cmpuint(cper_block_length(block, len), ==, 0);
    }
    g_assert_cmpuint(cper_block_length(full, FULL_BLOCK), ==, FULL_BLOCK);
}

/* Of any bytes there is a verdict, and a reason if they are refused */
static void check_any(const uint8_t *block, size_t len)
{
    const char *why = NULL;
    bool taken = cper_block_check(block, len, &why);
    size_t length = cper_block_length(block, len);

    g_assert_cmpint(taken, ==, why == NULL);
    g_assert_cmpuint(length, <=, len);
    if (taken) {
        g_assert_cmpuint(length, >=, 20);
    }
}

static void change_every_byte(const uint8_t *good, size_t len)
{
    g_autofree uint8_t *block = g_memdup2(good, len);
    size_t i;
    unsigned value;

    for (i = 0; i < len; i++) {
        for (value = 0; value < 256; value++) {
            block[i] = value;
            check_any(block, len);
        }
        block[i] = good[i];
    }
    assert_taken(block, len);
}

static void test_every_byte_changed(void)
{
    g_autofree uint8_t *full = full_block_new();

    change_every_byte(full, FULL_BLOCK);
    change_every_byte(arm_made_block, sizeof(arm_made_block));
}

/* A few random bytes changed, and the end cut off */
static void test_random_changes(void)
{
    g_autofree uint8_t *full = full_block_new();
    unsigned round, i;

    for (round = 0; round < 20000; round++) {
        size_t len = g_test_rand_int_range(0, FULL_BLOCK + 1);
        g_autofree uint8_t *block = g_memdup2(full, len);
        unsigned changes = g_test_rand_int_range(0, 5);

        for (i = 0; len && i < changes; i++) {
            /* the first header and entry header most of the time */
            size_t at = g_test_rand_int_range(0, MIN(len, (size_t)
                                              (i & 1 ? 92 : len)));

            block[at] = g_test_rand_int();
        }
        if (len >= 20 && g_test_rand_bit()) {
            stl_le_p(block + 12, len - 20);
        }
        check_any(block, len);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/cper/encode/memory", test_encode_memory);
    g_test_add_func("/cper/encode/arm-processor", test_encode_arm_processor);
    g_test_add_func("/cper/encode/status-and-severity",
                    test_status_and_severity);
    g_test_add_func("/cper/encode/exact-fit-and-one-byte-short",
                    test_exact_fit_and_one_byte_short);
    g_test_add_func("/cper/encode/max-memory-entries",
                    test_max_memory_entries);
    g_test_add_func("/cper/encode/entry-count-limit", test_entry_count_limit);
    g_test_add_func("/cper/check/taken", test_taken);
    g_test_add_func("/cper/check/old-revision", test_old_revision);
    g_test_add_func("/cper/check/last-day-of-each-month",
                    test_last_day_of_each_month);
    g_test_add_func("/cper/check/arm-contexts-and-vendor-bytes",
                    test_arm_contexts_and_vendor_bytes);
    g_test_add_func("/cper/check/arm-each-refusal", test_arm_each_refusal);
    g_test_add_func("/cper/check/raw-data", test_raw_data);
    g_test_add_func("/cper/check/raw-data-without-entries",
                    test_raw_data_without_entries);
    g_test_add_func("/cper/check/status-against-entries",
                    test_status_against_entries);
    g_test_add_func("/cper/check/each-refusal", test_each_refusal);
    g_test_add_func("/cper/check/not-refused", test_not_refused);
    g_test_add_func("/cper/check/section-lengths", test_section_lengths);
    g_test_add_func("/cper/check/memory-section-lengths",
                    test_memory_section_lengths);
    g_test_add_func("/cper/check/firmware-section-revisions",
                    test_firmware_section_revisions);
    g_test_add_func("/cper/check/cxl-protocol-section-parts",
                    test_cxl_protocol_section_parts);
    g_test_add_func("/cper/check/fits", test_fits);
    g_test_add_func("/cper/check/every-truncation", test_every_truncation);
    g_test_add_func("/cper/hostile/every-byte-changed",
                    test_every_byte_changed);
    g_test_add_func("/cper/hostile/random-changes", test_random_changes);

    return g_test_run();
}
