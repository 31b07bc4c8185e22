/*
 * CPER status blocks, data entries, memory error and ARM processor error
 * sections
 *
 * The expected bytes are written by hand from ACPI 6.5 18.3.2.7.1 and UEFI
 * 2.10 N.2.5 and N.2.4.4; nothing here is computed by the code under test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/acpi/apei/cper.h"

#define MEMORY_ENTRY 152        /* 72 + 80 */
#define MAX_SECTIONS 8

#define TIME(y, mo, d, h, mi, s) {                                      \
        .year = (y), .month = (mo), .day = (d),                         \
        .hours = (h), .minutes = (mi), .seconds = (s), .precise = false \
    }

/* Two entries; every field has a value of its own */
static const uint8_t full_block[] = {
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
    0x07,                                   /* FRU id, FRU text, timestamp */
    0x91,                                   /* primary, not accessible, ovfl. */
    0x50, 0x00, 0x00, 0x00,                 /* section length 80 */
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,     /* FRU id */
    0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
    'D', 'I', 'M', 'M', ' ', '7', 0x00, 0x00,           /* FRU text */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    0x56, 0x34, 0x12, 0x01,                 /* 12:34:56, precise */
    0x29, 0x02, 0x24, 0x20,                 /* 2024-02-29 */

    /* Memory error section 0 */
    0xff, 0xff, 0x3f, 0x00, 0x00, 0x00, 0x00, 0x00,     /* bits 0 to 21 */
    0x00, 0x04, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00,     /* DRAM, data, ovfl. */
    0x00, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34,     /* physical address */
    0x00, 0xf1, 0xff, 0xff, 0xfe, 0xff, 0xfd, 0xff,     /* its mask */
    0x01, 0x11,                             /* node */
    0x02, 0x12,                             /* card */
    0x03, 0x13,                             /* module */
    0x04, 0x14,                             /* bank */
    0x05, 0x15,                             /* device */
    0x06, 0x16,                             /* row */
    0x07, 0x17,                             /* column */
    0x08, 0x18,                             /* bit position */
    0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,     /* requestor id */
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,     /* responder id */
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,     /* target id */
    0x0e,                                   /* type: scrub uncorrected */
    0xa2,                                   /* chip id 5, row bit 17 */
    0x09, 0x19,                             /* rank number */
    0x0a, 0x1a,                             /* card handle */
    0x0b, 0x1b,                             /* module handle */

    /* Generic Error Data Entry 1 */
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,     /* A5BC1114-6F64-4EDE */
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,     /* -B863-3E83ED7C83B1 */
    0x02, 0x00, 0x00, 0x00,                 /* severity corrected */
    0x00, 0x03,                             /* revision 3.0 */
    0x02,                                   /* FRU text */
    0x08,                                   /* threshold exceeded */
    0x50, 0x00, 0x00, 0x00,                 /* section length 80 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no FRU id */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',             /* FRU text, 20 */
    'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p',             /*   characters and */
    'q', 'r', 's', 't',                                 /*   no NUL */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no timestamp */

    /* Memory error section 1 */
    0x02, 0x40, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,     /* bits 1, 14, 19 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no error status */
    0x00, 0x10, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,     /* physical address */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no mask */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no node, card, module */
    0x00, 0xc7,                             /* bank: group only */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* no device to bit pos. */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no requestor id */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no responder id */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no target id */
    0x02,                                   /* type: single-bit ECC */
    0x00,                                   /* no extended */
    0x00, 0x00,                             /* no rank number */
    0x00, 0x00,                             /* no card handle */
    0x00, 0x00,                             /* no module handle */
};

/* What stock QEMU 10.0 writes for a poisoned page at 0x4_8765_4000 */
static const uint8_t stock_block[] = {
    0x01, 0x00, 0x00, 0x00,                 /* uncorrectable, entry count 0 */
    0x00, 0x00, 0x00, 0x00,                 /* raw data offset */
    0x00, 0x00, 0x00, 0x00,                 /* raw data length */
    0x98, 0x00, 0x00, 0x00,                 /* data length 152 */
    0x00, 0x00, 0x00, 0x00,                 /* severity recoverable */
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,     /* A5BC1114-6F64-4EDE */
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,     /* -B863-3E83ED7C83B1 */
    0x00, 0x00, 0x00, 0x00,                 /* severity recoverable */
    0x00, 0x03,                             /* revision 3.0 */
    0x00,                                   /* no FRU, no timestamp */
    0x00,                                   /* no flags */
    0x50, 0x00, 0x00, 0x00,                 /* section length 80 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* FRU id */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                       /* FRU text */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,                             /* timestamp */
    0x02, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* bits 1, 14 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* error status */
    0x00, 0x40, 0x65, 0x87, 0x04, 0x00, 0x00, 0x00,     /* physical address */
    0, 0, 0, 0, 0, 0, 0, 0,                             /* its mask */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* node to bit pos. */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                 /* requestor, ... */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                 /* ... target id */
    0x00,                                   /* type: unknown */
    0x00,                                   /* extended */
    0, 0, 0, 0, 0, 0,                       /* rank, handles */
};

/* An ARM processor error: a processor that is off, and two errors */
static const uint8_t arm_block[] = {
    0x11, 0x00, 0x00, 0x00,                 /* uncorrectable, 1 entry */
    0x00, 0x00, 0x00, 0x00,                 /* raw data offset */
    0x00, 0x00, 0x00, 0x00,                 /* raw data length */
    0xb0, 0x00, 0x00, 0x00,                 /* data length 176 */
    0x00, 0x00, 0x00, 0x00,                 /* severity recoverable */
    0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,     /* E19E3D16-BC11-11E4 */
    0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0,     /* -9CAA-C2051D5D46B0 */
    0x00, 0x00, 0x00, 0x00,                 /* severity recoverable */
    0x00, 0x03,                             /* revision 3.0 */
    0x00,                                   /* no FRU, no timestamp */
    0x01,                                   /* primary */
    0x68, 0x00, 0x00, 0x00,                 /* section length 104 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* FRU id */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                       /* FRU text */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,                             /* timestamp */

    /* ARM processor error section, at 92 */
    0x07, 0x00, 0x00, 0x00,                 /* MPIDR, affinity, running */
    0x02, 0x00,                             /* ERR_INFO_NUM */
    0x00, 0x00,                             /* CONTEXT_INFO_NUM */
    0x68, 0x00, 0x00, 0x00,                 /* section length 104 */
    0x03,                                   /* error affinity level */
    0x00, 0x00, 0x00,                       /* reserved */
    0x01, 0x02, 0x03, 0x80, 0x04, 0x00, 0x00, 0x00,     /* MPIDR_EL1 */
    0x10, 0xd4, 0x0f, 0x41, 0x00, 0x00, 0x00, 0x00,     /* MIDR_EL1 */
    0x00, 0x00, 0x00, 0x00,                 /* not running */
    0x21, 0x22, 0x23, 0x24,                 /* PSCI state */

    /* error information structure 0, at 132 */
    0x00,                                   /* version */
    0x20,                                   /* length 32 */
    0x1f, 0x00,                             /* all fields valid */
    0x02,                                   /* cache error */
    0x31, 0x32,                             /* multiple error: their number */
    0x0d,                                   /* first, propagated, overflow */
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,     /* error information */
    0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,     /* virtual address */
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67,     /* physical address */

    /* error information structure 1, at 164 */
    0x00,                                   /* version */
    0x20,                                   /* length 32 */
    0x08, 0x00,                             /* virtual address valid */
    0x10,                                   /* micro-architectural error */
    0x00, 0x00,                             /* no multiple error */
    0x00,                                   /* no flags */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no information */
    0x00, 0x70, 0x00, 0x80, 0xff, 0xff, 0x00, 0x00,     /* virtual address */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,     /* no physical one */
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

static const CperArmProcessor arm_processor = {
    .validation_bits = 0xffffffff,          /* more than there can be */
    .err_info_num = 2,
    .error_affinity_level = 3,
    .mpidr_el1 = 0x480030201,
    .midr_el1 = 0x410fd410,
    .running_state = 0xfffffffe,            /* reserved bits only */
    .psci_state = 0x24232221,
    .err_info = {
        {
            .validation_bits = 0xffff,
            .type = CPER_ARM_TYPE_CACHE,
            .flags = CPER_ARM_INFO_FIRST_ERROR | CPER_ARM_INFO_PROPAGATED |
                     CPER_ARM_INFO_OVERFLOW,
            .multiple_error = 0x3231,
            .error_information = 0x4746454443424140,
            .virtual_fault_address = 0x5756555453525150,
            .physical_fault_address = 0x6766656463626160,
        }, {
            .validation_bits = CPER_ARM_INFO_VALID_VIRTUAL_ADDRESS,
            .type = CPER_ARM_TYPE_MICRO_ARCHITECTURAL,
            /* not declared: must not get out */
            .flags = 0xee,
            .multiple_error = 0xeeee,
            .error_information = UINT64_MAX,
            .virtual_fault_address = 0xffff80007000,
            .physical_fault_address = UINT64_MAX,
        },
    },
    /* not written: must not get out, nor confuse */
    .context_info_num = 0xeeee,
    .context_info_offset = 0xeeeeeeee,
    .context_info_size = 0xeeeeeeee,
    .vendor_info_offset = 0xeeeeeeee,
    .vendor_info_size = 0xeeeeeeee,
};

/* A copy to change, in an allocation of just its size */
static uint8_t *full_block_new(void)
{
    return g_memdup2(full_block, sizeof(full_block));
}

static const CperEntry full_entry0 = {
    .severity = CPER_SEVERITY_RECOVERABLE,
    .flags = CPER_ENTRY_PRIMARY | CPER_ENTRY_RESOURCE_NOT_ACCESSIBLE |
             CPER_ENTRY_OVERFLOW,
    .has_fru_id = true,
    .has_fru_text = true,
    .has_timestamp = true,
    .fru_id = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf },
    /* behind the NUL: must not get out */
    .fru_text = { 'D', 'I', 'M', 'M', ' ', '7', 0, 's', 'e', 'c', 'r', 'e',
                  't', '!', '!', '!', '!', '!', '!', '!' },
    .timestamp = { .year = 2024, .month = 2, .day = 29, .hours = 12,
                   .minutes = 34, .seconds = 56, .precise = true },
};

static const CperMemoryError full_memory0 = {
    .validation_bits = 0x3fffff,
    .error_status = CPER_STATUS_TYPE_DRAM << CPER_STATUS_TYPE_SHIFT |
                    CPER_STATUS_DATA | CPER_STATUS_OVERFLOW,
    .physical_address = 0x3456789abcdef000,
    .physical_address_mask = 0xfffdfffefffff100,
    .node = 0x1101,
    .card = 0x1202,
    .module = 0x1303,
    .bank = 0x1404,
    .device = 0x1505,
    .row = 0x1606,
    .column = 0x1707,
    .bit_position = 0x1808,
    .requestor_id = 0x2726252423222120,
    .responder_id = 0x3736353433323130,
    .target_id = 0x4746454443424140,
    .memory_error_type = CPER_MEMORY_SCRUB_UNCORRECTED,
    .extended = 5 << CPER_MEMORY_CHIP_ID_SHIFT | 2,
    .rank_number = 0x1909,
    .card_handle = 0x1a0a,
    .module_handle = 0x1b0b,
};

static const CperEntry full_entry1 = {
    .severity = CPER_SEVERITY_CORRECTED,
    .flags = CPER_ENTRY_THRESHOLD_EXCEEDED,
    .has_fru_text = true,
    /* not declared: must not get out */
    .fru_id = { 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
                0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee },
    .fru_text = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
                  'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't' },
    .timestamp = { .year = 7777, .month = 77, .day = 77, .hours = 77,
                   .minutes = 77, .seconds = 77, .precise = true },
};

/* Only bits 1, 14, 19 are valid and defined; all the rest must not get out */
static const CperMemoryError full_memory1 = {
    .validation_bits = 0xffffffffffc00000 |
                       CPER_MEMORY_VALID_PHYSICAL_ADDRESS |
                       CPER_MEMORY_VALID_MEMORY_ERROR_TYPE |
                       CPER_MEMORY_VALID_BANK_GROUP,
    .error_status = UINT64_MAX,
    .physical_address = 0x100001000,
    .physical_address_mask = UINT64_MAX,
    .node = 0xeeee,
    .card = 0xeeee,
    .module = 0xeeee,
    .bank = 0xc7ee,
    .device = 0xeeee,
    .row = 0xeeee,
    .column = 0xeeee,
    .bit_position = 0xeeee,
    .requestor_id = UINT64_MAX,
    .responder_id = UINT64_MAX,
    .target_id = UINT64_MAX,
    .memory_error_type = CPER_MEMORY_SINGLE_BIT_ECC,
    .extended = 0xff,
    .rank_number = 0xeeee,
    .card_handle = 0xeeee,
    .module_handle = 0xeeee,
};

typedef struct Found {
    unsigned count;
    unsigned stop_after;            /* 0: never */
    CperSection section[MAX_SECTIONS];
} Found;

static bool collect(const CperSection *section, void *opaque)
{
    Found *found = opaque;

    g_assert_cmpuint(section->index, ==, found->count);
    if (found->count < MAX_SECTIONS) {
        found->section[found->count] = *section;
    }
    found->count++;
    return found->count != found->stop_after;
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

static void assert_same_memory(const CperMemoryError *a,
                               const CperMemoryError *b)
{
    g_assert_cmphex(a->validation_bits, ==, b->validation_bits);
    g_assert_cmphex(a->error_status, ==, b->error_status);
    g_assert_cmphex(a->physical_address, ==, b->physical_address);
    g_assert_cmphex(a->physical_address_mask, ==, b->physical_address_mask);
    g_assert_cmphex(a->node, ==, b->node);
    g_assert_cmphex(a->card, ==, b->card);
    g_assert_cmphex(a->module, ==, b->module);
    g_assert_cmphex(a->bank, ==, b->bank);
    g_assert_cmphex(a->device, ==, b->device);
    g_assert_cmphex(a->row, ==, b->row);
    g_assert_cmphex(a->column, ==, b->column);
    g_assert_cmphex(a->bit_position, ==, b->bit_position);
    g_assert_cmphex(a->requestor_id, ==, b->requestor_id);
    g_assert_cmphex(a->responder_id, ==, b->responder_id);
    g_assert_cmphex(a->target_id, ==, b->target_id);
    g_assert_cmphex(a->memory_error_type, ==, b->memory_error_type);
    g_assert_cmphex(a->extended, ==, b->extended);
    g_assert_cmphex(a->rank_number, ==, b->rank_number);
    g_assert_cmphex(a->card_handle, ==, b->card_handle);
    g_assert_cmphex(a->module_handle, ==, b->module_handle);
}

/* All but the place of context information and vendor specific bytes */
static void assert_same_arm(const CperArmProcessor *a,
                            const CperArmProcessor *b)
{
    unsigned i;

    g_assert_cmphex(a->validation_bits, ==, b->validation_bits);
    g_assert_cmpuint(a->err_info_num, ==, b->err_info_num);
    g_assert_cmpuint(a->error_affinity_level, ==, b->error_affinity_level);
    g_assert_cmphex(a->mpidr_el1, ==, b->mpidr_el1);
    g_assert_cmphex(a->midr_el1, ==, b->midr_el1);
    g_assert_cmphex(a->running_state, ==, b->running_state);
    g_assert_cmphex(a->psci_state, ==, b->psci_state);
    for (i = 0; i < CPER_ARM_ERR_INFO_MAX; i++) {
        const CperArmErrorInfo *x = &a->err_info[i], *y = &b->err_info[i];

        g_assert_cmphex(x->validation_bits, ==, y->validation_bits);
        g_assert_cmphex(x->type, ==, y->type);
        g_assert_cmphex(x->flags, ==, y->flags);
        g_assert_cmphex(x->multiple_error, ==, y->multiple_error);
        g_assert_cmphex(x->error_information, ==, y->error_information);
        g_assert_cmphex(x->virtual_fault_address, ==,
                        y->virtual_fault_address);
        g_assert_cmphex(x->physical_fault_address, ==,
                        y->physical_fault_address);
    }
}

static void assert_same_entry(const CperEntry *a, const CperEntry *b)
{
    g_assert_cmpuint(a->severity, ==, b->severity);
    g_assert_cmphex(a->flags, ==, b->flags);
    g_assert_cmpint(a->has_fru_id, ==, b->has_fru_id);
    g_assert_cmpint(a->has_fru_text, ==, b->has_fru_text);
    g_assert_cmpint(a->has_timestamp, ==, b->has_timestamp);
    if (a->has_fru_id) {
        g_assert_cmpmem(a->fru_id, CPER_FRU_ID_SIZE,
                        b->fru_id, CPER_FRU_ID_SIZE);
    }
    if (a->has_fru_text) {
        g_assert_cmpint(strncmp(a->fru_text, b->fru_text, CPER_FRU_TEXT_SIZE),
                        ==, 0);
    }
    if (a->has_timestamp) {
        g_assert_cmpuint(a->timestamp.year, ==, b->timestamp.year);
        g_assert_cmpuint(a->timestamp.month, ==, b->timestamp.month);
        g_assert_cmpuint(a->timestamp.day, ==, b->timestamp.day);
        g_assert_cmpuint(a->timestamp.hours, ==, b->timestamp.hours);
        g_assert_cmpuint(a->timestamp.minutes, ==, b->timestamp.minutes);
        g_assert_cmpuint(a->timestamp.seconds, ==, b->timestamp.seconds);
        g_assert_cmpint(a->timestamp.precise, ==, b->timestamp.precise);
    }
}

/*
 * Writing
 */

static void add_full_entries(CperBlock *b)
{
    g_assert_true(cper_block_add_memory(b, &full_entry0, &full_memory0));
    g_assert_true(cper_block_add_memory(b, &full_entry1, &full_memory1));
}

/* Any alignment, any former contents, nothing written behind the end */
static void test_encode_every_field(void)
{
    unsigned shift;

    for (shift = 0; shift < 8; shift++) {
        g_autofree uint8_t *mem = g_malloc(shift + sizeof(full_block) + 1);
        uint8_t *buf = mem + shift;
        CperBlock b;

        memset(mem, 0x5a, shift + sizeof(full_block) + 1);
        cper_block_init(&b, buf, sizeof(full_block) + 1);
        add_full_entries(&b);
        g_assert_cmpuint(cper_block_finish(&b), ==, sizeof(full_block));
        g_assert_cmpmem(buf, sizeof(full_block),
                        full_block, sizeof(full_block));
        g_assert_cmphex(buf[sizeof(full_block)], ==, 0x5a);
        assert_taken(buf, sizeof(full_block));
    }
}

static void test_section_of_any_type(void)
{
    static const uint8_t section[] = { 0x11, 0x22, 0x33 };
    static const uint8_t expected[] = {
        0x11, 0x00, 0x00, 0x00,             /* uncorrectable, 1 entry */
        0x00, 0x00, 0x00, 0x00,             /* raw data offset */
        0x00, 0x00, 0x00, 0x00,             /* raw data length */
        0x4b, 0x00, 0x00, 0x00,             /* data length 75 */
        0x01, 0x00, 0x00, 0x00,             /* severity fatal */
        0xad, 0xcc, 0x76, 0x98, 0xb4, 0x47, 0xdb, 0x4b, /* 9876CCAD-47B4-4BDB */
        0xb6, 0x5e, 0x16, 0xf1, 0x93, 0xc4, 0xf3, 0xdb, /* -B65E-16F193C4F3DB */
        0x01, 0x00, 0x00, 0x00,             /* severity fatal */
        0x00, 0x03,                         /* revision 3.0 */
        0x00, 0x00,                         /* validation bits, flags */
        0x03, 0x00, 0x00, 0x00,             /* section length 3 */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* FRU id */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                   /* FRU text */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0,                         /* timestamp */
        0x11, 0x22, 0x33,
    };
    CperEntry e = { .severity = CPER_SEVERITY_FATAL };
    uint8_t buf[sizeof(expected)];
    CperBlock b;

    cper_block_init(&b, buf, sizeof(buf));
    g_assert_true(cper_block_add_section(&b, &e,
                                         cper_section_generic_processor,
                                         section, sizeof(section)));
    g_assert_cmpuint(cper_block_finish(&b), ==, sizeof(expected));
    g_assert_cmpmem(buf, sizeof(buf), expected, sizeof(expected));
    assert_taken(buf, sizeof(buf));
}

static void test_encode_arm_processor(void)
{
    CperEntry e = { .flags = CPER_ENTRY_PRIMARY };
    CperArmProcessor a = arm_processor;
    uint8_t buf[sizeof(arm_block) + 1];
    CperBlock b;

    memset(buf, 0x5a, sizeof(buf));
    cper_block_init(&b, buf, sizeof(buf));
    g_assert_true(cper_block_add_arm_processor(&b, &e, &a));
    g_assert_cmpuint(cper_block_finish(&b), ==, sizeof(arm_block));
    g_assert_cmpmem(buf, sizeof(arm_block), arm_block, sizeof(arm_block));
    g_assert_cmphex(buf[sizeof(arm_block)], ==, 0x5a);
    assert_taken(buf, sizeof(arm_block));

    /* one that runs has no PSCI state */
    a.running_state = 0xffffffff;
    cper_block_init(&b, buf, sizeof(buf));
    g_assert_true(cper_block_add_arm_processor(&b, &e, &a));
    g_assert_cmphex((uint32_t)ldl_le_p(buf + 92 + 32), ==, 1);
    g_assert_cmphex((uint32_t)ldl_le_p(buf + 92 + 36), ==, 0);
}

/* Each validation bit lets out its own field and no other */
static void test_arm_validation_bits(void)
{
    /* offset in the section and size of the fields of each bit */
    static const struct {
        uint8_t offset, size;
    } section_bits[] = { { 16, 8 }, { 12, 1 }, { 36, 4 }, { 0, 0 } },
      info_bits[] = { { 5, 2 }, { 7, 1 }, { 8, 8 }, { 16, 8 }, { 24, 8 } };
    CperEntry e = { .severity = CPER_SEVERITY_RECOVERABLE };
    uint8_t buf[sizeof(arm_block)];
    unsigned i;
    CperBlock b;

    for (i = 0; i < ARRAY_SIZE(section_bits); i++) {
        CperArmProcessor a = arm_processor;
        uint8_t expected[40] = {
            [4] = 2, [8] = 104,
            [24] = 0x10, [25] = 0xd4, [26] = 0x0f, [27] = 0x41,
        };

        a.validation_bits = 1U << i;
        /* vendor specific bytes are not written */
        expected[0] = i < 3 ? 1U << i : 0;
        memcpy(expected + section_bits[i].offset,
               arm_block + 92 + section_bits[i].offset, section_bits[i].size);
        cper_block_init(&b, buf, sizeof(buf));
        g_assert_true(cper_block_add_arm_processor(&b, &e, &a));
        g_assert_cmpmem(buf + 92, 40, expected, 40);
    }

    for (i = 0; i < ARRAY_SIZE(info_bits); i++) {
        CperArmProcessor a = arm_processor;
        uint8_t expected[32] = { [1] = 32, [2] = 1U << i, [4] = 0x02 };

        a.err_info[0].validation_bits = 1U << i;
        memcpy(expected + info_bits[i].offset,
               arm_block + 132 + info_bits[i].offset, info_bits[i].size);
        cper_block_init(&b, buf, sizeof(buf));
        g_assert_true(cper_block_add_arm_processor(&b, &e, &a));
        g_assert_cmpmem(buf + 132, 32, expected, 32);
    }
}

/* From one error to four; what does not fit changes nothing */
static void test_arm_number_of_errors(void)
{
    CperEntry e = { .severity = CPER_SEVERITY_RECOVERABLE };
    unsigned n;

    for (n = 0; n <= 6; n++) {
        size_t len = 20 + 72 + 40 + n * 32;
        g_autofree uint8_t *buf = g_malloc(len);
        g_autofree uint8_t *former = NULL;
        CperArmProcessor a = arm_processor;
        CperBlock b, before;

        memset(buf, 0x5a, len);
        former = g_memdup2(buf, len);
        a.err_info_num = n;
        if (n >= 1 && n <= 4) {
            /* one byte short, then all of it */
            cper_block_init(&b, buf, len - 1);
            g_assert_false(cper_block_add_arm_processor(&b, &e, &a));
            cper_block_init(&b, buf, len);
            g_assert_true(cper_block_add_arm_processor(&b, &e, &a));
            g_assert_cmpuint(cper_block_finish(&b), ==, len);
            g_assert_cmpuint(ldl_le_p(buf + 92 + 8), ==, 40 + n * 32);
            assert_taken(buf, len);
        } else {
            cper_block_init(&b, buf, len);
            before = b;
            g_assert_false(cper_block_add_arm_processor(&b, &e, &a));
            g_assert_cmpmem(&b, sizeof(b), &before, sizeof(before));
            g_assert_cmpmem(buf, len, former, len);
        }
    }
}

/* Tables N.18 to N.20; no two fields of an error have the same value */
static void test_arm_error(void)
{
    static const CperArmError error = {
        .validation_bits = 0xffff,
        .transaction_type = CPER_ARM_TRANSACTION_DATA,
        .operation = CPER_ARM_OPERATION_SNOOPING,
        .level = 5,
        .corrected = 1,
        .restartable_pc = 1,
        .participation_type = CPER_ARM_PARTICIPATION_OBSERVED,
        .time_out = 1,
        .address_space = CPER_ARM_ADDRESS_SPACE_DEVICE,
        .memory_attributes = 0x145,
        .access_mode = 1,
    };
    /*
     * valid      0x7f or 0xfff
     * 17:16      01 data
     * 21:18      1000 snooping (cache), external management (TLB)
     * 24:22      101 level
     * 28:25      1010 restartable PC, corrected
     * 30:29      10 observed
     * 31         1 timed out
     * 33:32      11 device memory
     * 42:34      1 0100 0101 attributes
     * 43         1 normal
     */
    static const struct {
        uint8_t type;
        uint64_t information;
    } cases[] = {
        { CPER_ARM_TYPE_CACHE, 0x1561007f },
        { CPER_ARM_TYPE_TLB, 0x1561007f },
        { CPER_ARM_TYPE_BUS, 0xd17d5610fff },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        bool bus = cases[i].type == CPER_ARM_TYPE_BUS;
        uint64_t information = 0;
        CperArmError back;

        g_assert_true(cper_arm_error_encode(cases[i].type, &error,
                                            &information));
        g_assert_cmphex(information, ==, cases[i].information);

        /* of a cache or TLB error, the upper bits say nothing */
        information = 0xd17d561ffff;
        g_assert_true(cper_arm_error_decode(cases[i].type, information,
                                            &back));
        g_assert_cmphex(back.validation_bits, ==, 0xffff);
        g_assert_cmpuint(back.transaction_type, ==, 1);
        g_assert_cmpuint(back.operation, ==, 8);
        g_assert_cmpuint(back.level, ==, 5);
        g_assert_cmpuint(back.processor_context_corrupt, ==, 0);
        g_assert_cmpuint(back.corrected, ==, 1);
        g_assert_cmpuint(back.precise_pc, ==, 0);
        g_assert_cmpuint(back.restartable_pc, ==, 1);
        g_assert_cmpuint(back.participation_type, ==, bus ? 2 : 0);
        g_assert_cmpuint(back.time_out, ==, bus);
        g_assert_cmpuint(back.address_space, ==, bus ? 3 : 0);
        g_assert_cmphex(back.memory_attributes, ==, bus ? 0x145 : 0);
        g_assert_cmpuint(back.access_mode, ==, bus);
    }
}

/* Each field alone: its validation bit, its largest value, and one more */
static void test_arm_error_fields(void)
{
    static const struct {
        size_t offset;
        uint16_t max;
        uint64_t information;
    } fields[] = {
        { offsetof(CperArmError, transaction_type), 3, 0x30001 },
        { offsetof(CperArmError, operation), 15, 0x3c0002 },
        { offsetof(CperArmError, level), 7, 0x1c00004 },
        { offsetof(CperArmError, processor_context_corrupt), 1, 0x2000008 },
        { offsetof(CperArmError, corrected), 1, 0x4000010 },
        { offsetof(CperArmError, precise_pc), 1, 0x8000020 },
        { offsetof(CperArmError, restartable_pc), 1, 0x10000040 },
        { offsetof(CperArmError, participation_type), 3, 0x60000080 },
        { offsetof(CperArmError, time_out), 1, 0x80000100 },
        { offsetof(CperArmError, address_space), 3, 0x300000200 },
        { offsetof(CperArmError, memory_attributes), 511, 0x7fc00000400 },
        { offsetof(CperArmError, access_mode), 1, 0x80000000800 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        uint64_t information = 0x5a;
        CperArmError error;
        uint16_t *field = (uint16_t *)((uint8_t *)&error + fields[i].offset);

        /* the others are not valid and must not get out */
        memset(&error, 0xff, sizeof(error));
        error.validation_bits = 1U << i;
        *field = fields[i].max;
        g_assert_true(cper_arm_error_encode(CPER_ARM_TYPE_BUS, &error,
                                            &information));
        g_assert_cmphex(information, ==, fields[i].information);
        memset(&error, 0xff, sizeof(error));
        g_assert_true(cper_arm_error_decode(CPER_ARM_TYPE_BUS, information,
                                            &error));
        g_assert_cmphex(*field, ==, fields[i].max);
        *field = 0;
        error.validation_bits ^= 1U << i;
        g_assert_cmpmem(&error, sizeof(error), &(CperArmError) { 0 },
                        sizeof(error));

        information = 0x5a;
        error.validation_bits = 1U << i;
        *field = fields[i].max + 1;
        g_assert_false(cper_arm_error_encode(CPER_ARM_TYPE_BUS, &error,
                                             &information));
        g_assert_cmphex(information, ==, 0x5a);

        /* a cache error has no bus fields, whatever is in them */
        g_assert_cmpint(cper_arm_error_encode(CPER_ARM_TYPE_CACHE, &error,
                                              &information), ==, i >= 7);
        g_assert_cmphex(information, ==, i >= 7 ? 0 : 0x5a);
    }
}

/* Only a cache, TLB or bus error has such information */
static void test_arm_error_of_other_types(void)
{
    unsigned type;

    for (type = 0; type <= UINT8_MAX; type++) {
        bool has = type == 2 || type == 4 || type == 8;
        CperArmError error = { .level = 9 };
        uint64_t information = 0x5a;

        g_assert_cmpint(cper_arm_error_encode(type, &error, &information), ==,
                        has);
        g_assert_cmphex(information, ==, has ? 0 : 0x5a);
        g_assert_cmpint(cper_arm_error_decode(type, 0, &error), ==, has);
        g_assert_cmpuint(error.level, ==, has ? 0 : 9);
    }
}

static void test_guids(void)
{
    static const struct {
        const uint8_t *guid;
        uint8_t expected[CPER_GUID_SIZE];
    } guids[] = {
        /* A5BC1114-6F64-4EDE-B863-3E83ED7C83B1 */
        { cper_section_memory,
          { 0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
            0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1 } },
        /* 61EC04FC-48E6-D813-25C9-8DAA44750B12 */
        { cper_section_memory2,
          { 0xfc, 0x04, 0xec, 0x61, 0xe6, 0x48, 0x13, 0xd8,
            0x25, 0xc9, 0x8d, 0xaa, 0x44, 0x75, 0x0b, 0x12 } },
        /* E19E3D16-BC11-11E4-9CAA-C2051D5D46B0 */
        { cper_section_arm_processor,
          { 0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,
            0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0 } },
        /* 9876CCAD-47B4-4BDB-B65E-16F193C4F3DB */
        { cper_section_generic_processor,
          { 0xad, 0xcc, 0x76, 0x98, 0xb4, 0x47, 0xdb, 0x4b,
            0xb6, 0x5e, 0x16, 0xf1, 0x93, 0xc4, 0xf3, 0xdb } },
        /* D995E954-BBC1-430F-AD91-B44DCB3C6F35 */
        { cper_section_pcie,
          { 0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43,
            0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35 } },
        /* 81212A96-09ED-4996-9471-8D729C8E69ED */
        { cper_section_firmware_error,
          { 0x96, 0x2a, 0x21, 0x81, 0xed, 0x09, 0x96, 0x49,
            0x94, 0x71, 0x8d, 0x72, 0x9c, 0x8e, 0x69, 0xed } },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(guids); i++) {
        g_assert_cmpmem(guids[i].guid, CPER_GUID_SIZE,
                        guids[i].expected, CPER_GUID_SIZE);
    }
}

/* Each validation bit lets out its own bits and no others */
static void test_each_validation_bit(void)
{
    static const struct {
        const char *name;
        unsigned offset;
        unsigned size;
        uint8_t bytes[8];
        uint64_t value;
    } bits[CPER_MEMORY_FIELDS] = {
        { "error_status", 8, 8,
          { 0x00, 0x04, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00 }, 0x440400 },
        { "physical_address", 16, 8,
          { 0x00, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34 },
          0x3456789abcdef000 },
        { "physical_address_mask", 24, 8,
          { 0x00, 0xf1, 0xff, 0xff, 0xfe, 0xff, 0xfd, 0xff },
          0xfffdfffefffff100 },
        { "node", 32, 2, { 0x01, 0x11 }, 0x1101 },
        { "card", 34, 2, { 0x02, 0x12 }, 0x1202 },
        { "module", 36, 2, { 0x03, 0x13 }, 0x1303 },
        { "bank", 38, 2, { 0x04, 0x14 }, 0x1404 },
        { "device", 40, 2, { 0x05, 0x15 }, 0x1505 },
        { "row", 42, 2, { 0x06, 0x16 }, 0x1606 },
        { "column", 44, 2, { 0x07, 0x17 }, 0x1707 },
        { "bit_position", 46, 2, { 0x08, 0x18 }, 0x1808 },
        { "requestor_id", 48, 8,
          { 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27 },
          0x2726252423222120 },
        { "responder_id", 56, 8,
          { 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37 },
          0x3736353433323130 },
        { "target_id", 64, 8,
          { 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47 },
          0x4746454443424140 },
        { "memory_error_type", 72, 1, { 0x0e }, 14 },
        { "rank_number", 74, 2, { 0x09, 0x19 }, 0x1909 },
        { "card_handle", 76, 2, { 0x0a, 0x1a }, 0x1a0a },
        { "module_handle", 78, 2, { 0x0b, 0x1b }, 0x1b0b },
        { "extended_row", 73, 1, { 0x02 }, 2 },
        { "bank_group", 38, 2, { 0x00, 0x14 }, 0x14 },
        { "bank_address", 38, 2, { 0x04, 0x00 }, 0x04 },
        { "chip_id", 73, 1, { 0xa0 }, 5 },
    };
    CperEntry e = { .severity = CPER_SEVERITY_RECOVERABLE };
    unsigned i;

    for (i = 0; i < CPER_MEMORY_FIELDS; i++) {
        CperMemoryError m = full_memory0;
        uint8_t buf[20 + MEMORY_ENTRY];
        uint8_t expected[80] = { 0 };
        CperBlock b;

        m.validation_bits = 1ULL << i;
        expected[i / 8] = 1 << i % 8;
        memcpy(expected + bits[i].offset, bits[i].bytes, bits[i].size);

        cper_block_init(&b, buf, sizeof(buf));
        g_assert_true(cper_block_add_memory(&b, &e, &m));
        g_assert_cmpmem(buf + 20 + 72, 80, expected, 80);

        g_assert_cmpstr(cper_memory_fields[i].name, ==, bits[i].name);
        g_assert_cmphex(cper_memory_field_get(&m, &cper_memory_fields[i]), ==,
                        bits[i].value);
    }
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

        cper_block_init(&b, buf, sizeof(buf));
        for (j = 0; cases[i].severities[j] != END; j++) {
            CperEntry e = { .severity = cases[i].severities[j] };

            g_assert_true(cper_block_add_memory(&b, &e, &full_memory0));
        }
        g_assert_cmphex(cper_block_status(&b), ==, cases[i].status);
        g_assert_cmpuint(cper_block_finish(&b), ==, 20 + j * MEMORY_ENTRY);
        g_assert_cmphex((uint32_t)ldl_le_p(buf), ==, cases[i].status);
        g_assert_cmpuint(ldl_le_p(buf + 12), ==, j * MEMORY_ENTRY);
        g_assert_cmpuint(ldl_le_p(buf + 16), ==, cases[i].severity);
        if (j) {
            assert_taken(buf, 20 + j * MEMORY_ENTRY);
        } else {
            assert_refused(buf, 20, "block_status is 0: the block is empty");
        }
    }
}

static void test_body_first_status_last(void)
{
    uint8_t buf[sizeof(full_block)];
    uint8_t status[CPER_BLOCK_STATUS_SIZE];
    CperBlock b;

    memset(buf, 0x5a, sizeof(buf));
    cper_block_init(&b, buf, sizeof(buf));
    add_full_entries(&b);
    g_assert_cmpuint(cper_block_finish_body(&b), ==, sizeof(full_block));
    g_assert_cmphex((uint32_t)ldl_le_p(buf), ==, 0x5a5a5a5a);
    g_assert_cmpmem(buf + CPER_BLOCK_BODY_OFFSET,
                    sizeof(buf) - CPER_BLOCK_BODY_OFFSET,
                    full_block + CPER_BLOCK_BODY_OFFSET,
                    sizeof(buf) - CPER_BLOCK_BODY_OFFSET);

    stl_le_p(status, cper_block_status(&b));
    g_assert_cmpmem(status, sizeof(status),
                    full_block + CPER_BLOCK_STATUS_OFFSET, sizeof(status));
}

static void test_exact_fit_and_one_byte_short(void)
{
    g_autofree uint8_t *buf = NULL;
    CperBlock b;

    buf = g_malloc(20 + MEMORY_ENTRY);
    cper_block_init(&b, buf, 20 + MEMORY_ENTRY);
    g_assert_true(cper_block_add_memory(&b, &full_entry0, &full_memory0));
    g_assert_false(cper_block_add_memory(&b, &full_entry0, &full_memory0));
    g_assert_cmpuint(cper_block_finish(&b), ==, 20 + MEMORY_ENTRY);
    assert_taken(buf, 20 + MEMORY_ENTRY);

    g_free(buf);
    buf = g_malloc(20 + MEMORY_ENTRY - 1);
    cper_block_init(&b, buf, 20 + MEMORY_ENTRY - 1);
    g_assert_false(cper_block_add_memory(&b, &full_entry0, &full_memory0));
    g_assert_cmpuint(cper_block_finish(&b), ==, 20);

    /* no room for an entry header, then just room for it */
    g_free(buf);
    buf = g_malloc(20 + 71);
    cper_block_init(&b, buf, 20 + 71);
    g_assert_false(cper_block_add_section(&b, &full_entry0, cper_section_pcie,
                                          NULL, 0));
    g_free(buf);
    buf = g_malloc(20 + 72);
    cper_block_init(&b, buf, 20 + 72);
    g_assert_false(cper_block_add_section(&b, &full_entry0, cper_section_pcie,
                                          "", SIZE_MAX));
    g_assert_true(cper_block_add_section(&b, &full_entry0, cper_section_pcie,
                                         NULL, 0));
    g_assert_cmpuint(cper_block_finish(&b), ==, 20 + 72);
    assert_taken(buf, 20 + 72);
}

static void test_no_room_for_a_header(void)
{
    size_t size;

    for (size = 0; size < 20; size++) {
        g_autofree uint8_t *buf = g_malloc0(size);
        CperBlock b;

        cper_block_init(&b, buf, size);
        g_assert_false(cper_block_add_memory(&b, &full_entry0, &full_memory0));
        g_assert_cmpuint(cper_block_finish_body(&b), ==, 0);
        g_assert_cmpuint(cper_block_finish(&b), ==, 0);
    }
}

/* An empty block: nobody is told of an error */
static void test_no_entries(void)
{
    static const uint8_t expected[20] = {
        0x00, 0x00, 0x00, 0x00,             /* empty */
        0x00, 0x00, 0x00, 0x00,             /* raw data offset */
        0x00, 0x00, 0x00, 0x00,             /* raw data length */
        0x00, 0x00, 0x00, 0x00,             /* data length */
        0x03, 0x00, 0x00, 0x00,             /* severity informational */
    };
    Found found = { 0 };
    uint8_t buf[20];
    CperBlock b;

    memset(buf, 0x5a, sizeof(buf));
    cper_block_init(&b, buf, sizeof(buf));
    g_assert_cmpuint(cper_block_finish_body(&b), ==, 20);
    g_assert_cmpuint(cper_block_finish(&b), ==, 20);
    g_assert_cmpmem(buf, sizeof(buf), expected, sizeof(expected));
    g_assert_cmpuint(cper_block_length(buf, sizeof(buf)), ==, 20);
    g_assert_true(cper_block_foreach(buf, sizeof(buf), collect, &found, NULL));
    g_assert_cmpuint(found.count, ==, 0);
    assert_refused(buf, sizeof(buf), "block_status is 0: the block is empty");
}

static void test_six_memory_entries_in_1024(void)
{
    uint8_t buf[1024];
    CperBlock b;
    unsigned i;

    cper_block_init(&b, buf, sizeof(buf));
    for (i = 0; i < 6; i++) {
        g_assert_true(cper_block_add_memory(&b, &full_entry0, &full_memory0));
    }
    g_assert_false(cper_block_add_memory(&b, &full_entry0, &full_memory0));
    g_assert_cmpuint(cper_block_finish(&b), ==, 932);
    g_assert_cmphex((uint32_t)ldl_le_p(buf), ==, 0x65);
    assert_taken(buf, sizeof(buf));
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
        g_assert_true(cper_block_add_memory(&b, &e, &full_memory0));
    }
    g_assert_false(cper_block_add_memory(&b, &e, &full_memory0));
    g_assert_cmpuint(cper_block_finish(&b), ==, 20 + 1023 * MEMORY_ENTRY);
    g_assert_cmphex((uint32_t)ldl_le_p(buf), ==, 0x3ff5);
    assert_taken(buf, size);
}

static void test_bad_entry_changes_nothing(void)
{
    static const struct {
        CperEntry e;
        const char *why;
    } cases[] = {
        { { .severity = 4 }, "severity is not one of 0 to 3" },
        { { .severity = UINT32_MAX }, "severity is not one of 0 to 3" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 0, 1, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 13, 1, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 1, 0, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 2, 30, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2023, 2, 29, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(1900, 2, 29, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(10000, 1, 1, 0, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 1, 1, 24, 0, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 1, 1, 0, 60, 0) },
          "timestamp is not in the calendar" },
        { { .has_timestamp = true, .timestamp = TIME(2024, 1, 1, 0, 0, 60) },
          "timestamp is not in the calendar" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[1024], former[1024];
        const char *why = NULL;
        CperBlock b, before;

        memset(buf, 0x5a, sizeof(buf));
        memset(former, 0x5a, sizeof(former));
        cper_block_init(&b, buf, sizeof(buf));
        before = b;
        g_assert_false(cper_block_add_memory(&b, &cases[i].e, &full_memory0));
        g_assert_cmpmem(buf, sizeof(buf), former, sizeof(former));
        g_assert_cmpmem(&b, sizeof(b), &before, sizeof(before));

        g_assert_false(cper_entry_check(&cases[i].e, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
    }
    g_assert_true(cper_entry_check(&full_entry0, NULL));
    /* a time that is not declared is not looked at */
    g_assert_true(cper_entry_check(&full_entry1, NULL));
}

static void test_last_day_of_each_month(void)
{
    static const uint8_t days[] = {
        31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(days); i++) {
        CperEntry e = {
            .has_timestamp = true,
            .timestamp = TIME(2000, i + 1, days[i], 23, 59, 59),
        };

        g_assert_true(cper_entry_check(&e, NULL));
        e.timestamp.day++;
        g_assert_false(cper_entry_check(&e, NULL));
    }
}

/*
 * Reading
 */

static void test_decode_every_field(void)
{
    g_autofree uint8_t *block = full_block_new();
    const char *why = "not set";
    Found found = { 0 };
    CperMemoryError m, expected;
    unsigned shift;

    g_assert_true(cper_block_foreach(block, sizeof(full_block), collect,
                                     &found, &why));
    g_assert_null(why);
    g_assert_cmpuint(found.count, ==, 2);

    g_assert_cmpuint(found.section[0].offset, ==, 20);
    g_assert_true(found.section[0].type == block + 20);
    g_assert_true(found.section[0].data == block + 20 + 72);
    g_assert_cmpuint(found.section[0].data_length, ==, 80);
    g_assert_cmphex(found.section[0].revision, ==, 0x0300);
    g_assert_cmphex(found.section[0].validation_bits, ==, 7);
    assert_same_entry(&found.section[0].entry, &full_entry0);

    g_assert_cmpuint(found.section[1].offset, ==, 172);
    g_assert_true(found.section[1].type == block + 172);
    g_assert_true(found.section[1].data == block + 172 + 72);
    g_assert_cmpuint(found.section[1].data_length, ==, 80);
    g_assert_cmphex(found.section[1].validation_bits, ==, 2);
    assert_same_entry(&found.section[1].entry, &full_entry1);

    for (shift = 0; shift < 8; shift++) {
        g_autofree uint8_t *mem = g_malloc(shift + 80);

        memcpy(mem + shift, found.section[0].data, 80);
        g_assert_true(cper_memory_decode(mem + shift, 80, &m));
        assert_same_memory(&m, &full_memory0);
    }

    expected = (CperMemoryError) {
        .validation_bits = 0x84002,
        .physical_address = 0x100001000,
        .bank = 0xc700,
        .memory_error_type = CPER_MEMORY_SINGLE_BIT_ECC,
    };
    g_assert_true(cper_memory_decode(found.section[1].data, 80, &m));
    assert_same_memory(&m, &expected);
}

static void test_walk_stops_when_asked(void)
{
    g_autofree uint8_t *block = full_block_new();
    const char *why = "not set";
    Found found = { .stop_after = 1 };

    g_assert_false(cper_block_foreach(block, sizeof(full_block), collect,
                                      &found, &why));
    g_assert_null(why);
    g_assert_cmpuint(found.count, ==, 1);

    found = (Found) { .stop_after = 2 };
    g_assert_false(cper_block_foreach(block, sizeof(full_block), collect,
                                      &found, NULL));
    g_assert_cmpuint(found.count, ==, 2);
}

static void test_stock_qemu_block(void)
{
    Found found = { 0 };
    CperMemoryError m;

    g_assert_cmpuint(sizeof(stock_block), ==, 172);
    g_assert_true(cper_block_foreach(stock_block, sizeof(stock_block), collect,
                                     &found, NULL));
    g_assert_cmpuint(found.count, ==, 1);
    g_assert_true(cper_memory_decode(found.section[0].data,
                                     found.section[0].data_length, &m));
    g_assert_cmphex(m.validation_bits, ==, 0x4002);
    g_assert_cmphex(m.physical_address, ==, 0x487654000);
    assert_refused(stock_block, sizeof(stock_block),
                   "entry count in block_status is not the number of entries");
}

/* Revision 2.1 of ACPI 4.0: 64 bytes of header, no timestamp */
static void test_walk_old_revision(void)
{
    uint8_t block[20 + 64 + 73 + 72 + 1] = {
        [0] = 0x21,                         /* uncorrectable, 2 entries */
        [12] = 64 + 73 + 72 + 1,            /* data length */
        [20 + 20] = 0x01, [20 + 21] = 0x02, /* revision 2.1 */
        [20 + 22] = 0x07,                   /* claims a timestamp */
        [20 + 24] = 73,                     /* section length */
        [84 + 4] = 0x01, [84 + 5] = 0x01,   /* 1 January, were it one */
        [157 + 20] = 0x01, [157 + 21] = 0x04,   /* revision 4.1 */
        [157 + 24] = 1,
        [157 + 72] = 0xcc,
    };
    Found found = { 0 };

    g_assert_true(cper_block_foreach(block, sizeof(block), collect, &found,
                                     NULL));
    g_assert_cmpuint(found.count, ==, 2);
    g_assert_cmphex(found.section[0].revision, ==, 0x0201);
    g_assert_cmphex(found.section[0].validation_bits, ==, 7);
    g_assert_false(found.section[0].entry.has_timestamp);
    g_assert_true(found.section[0].data == block + 20 + 64);
    g_assert_cmpuint(found.section[0].data_length, ==, 73);
    g_assert_cmpuint(found.section[1].offset, ==, 157);
    g_assert_cmphex(found.section[1].revision, ==, 0x0401);
    g_assert_cmphex(found.section[1].data[0], ==, 0xcc);
    assert_refused(block, sizeof(block), "revision of an entry is not 0x0300");
}

static void test_memory_section_of_73_bytes(void)
{
    g_autofree uint8_t *section = g_memdup2(full_block + 92, 80);
    g_autofree uint8_t *old = g_memdup2(section, 73);
    g_autofree uint8_t *cut = g_memdup2(section, 79);
    g_autofree uint8_t *bad = g_memdup2(section, 72);
    CperMemoryError m, expected = full_memory0;

    expected.validation_bits = 0x7fff;
    expected.extended = 0;
    expected.rank_number = 0;
    expected.card_handle = 0;
    expected.module_handle = 0;
    g_assert_true(cper_memory_decode(old, 73, &m));
    assert_same_memory(&m, &expected);
    g_assert_true(cper_memory_decode(cut, 79, &m));
    assert_same_memory(&m, &expected);

    m = full_memory1;
    g_assert_false(cper_memory_decode(bad, 72, &m));
    g_assert_false(cper_memory_decode(NULL, 0, &m));
    assert_same_memory(&m, &full_memory1);
}

static void test_decode_arm_processor(void)
{
    CperArmProcessor a, expected = arm_processor;
    const char *why = "unchanged";
    unsigned shift;

    expected.validation_bits = 7;
    expected.running_state = 0;
    expected.err_info[0].validation_bits = 0x1f;
    expected.err_info[1] = (CperArmErrorInfo) {
        .validation_bits = 8,
        .type = 0x10,
        .virtual_fault_address = 0xffff80007000,
    };
    for (shift = 0; shift < 8; shift++) {
        g_autofree uint8_t *mem = g_malloc(shift + 104);

        memcpy(mem + shift, arm_block + 92, 104);
        memset(&a, 0xff, sizeof(a));
        g_assert_true(cper_arm_processor_decode(mem + shift, 104, &a, &why));
        assert_same_arm(&a, &expected);
        g_assert_cmpuint(a.context_info_num, ==, 0);
        g_assert_cmpuint(a.context_info_offset, ==, 104);
        g_assert_cmpuint(a.context_info_size, ==, 0);
        g_assert_cmpuint(a.vendor_info_offset, ==, 104);
        g_assert_cmpuint(a.vendor_info_size, ==, 0);
    }
    g_assert_cmpstr(why, ==, "unchanged");
}

static void test_arm_contexts_and_vendor_bytes(void)
{
    g_autofree uint8_t *section = g_memdup2(arm_contexts,
                                            sizeof(arm_contexts));
    CperArmProcessor a;

    g_assert_cmpuint(sizeof(arm_contexts), ==, 95);
    g_assert_true(cper_arm_processor_decode(section, 95, &a, NULL));
    g_assert_cmphex(a.validation_bits, ==, 8);
    g_assert_cmpuint(a.err_info_num, ==, 1);
    g_assert_cmphex(a.err_info[0].type, ==, CPER_ARM_TYPE_BUS);
    g_assert_cmphex(a.running_state, ==, CPER_ARM_RUNNING);
    g_assert_cmpuint(a.context_info_num, ==, 2);
    g_assert_cmpuint(a.context_info_offset, ==, 72);
    g_assert_cmpuint(a.context_info_size, ==, 20);
    g_assert_cmpuint(a.vendor_info_offset, ==, 92);
    g_assert_cmpuint(a.vendor_info_size, ==, 3);

    /* the second context, up to the end */
    section[88] = 3;
    g_assert_true(cper_arm_processor_decode(section, 95, &a, NULL));
    g_assert_cmpuint(a.context_info_size, ==, 23);
    g_assert_cmpuint(a.vendor_info_offset, ==, 95);
    g_assert_cmpuint(a.vendor_info_size, ==, 0);
}

/* More errors than there is room for: the first ones, and all are checked */
static void test_arm_many_errors(void)
{
    const char *why = NULL;
    uint8_t section[40 + 6 * 32] = { 0 };
    CperArmProcessor a;
    unsigned i;

    stw_le_p(section + 4, 6);
    stl_le_p(section + 8, sizeof(section));
    for (i = 0; i < 6; i++) {
        section[40 + i * 32 + 1] = 32;
        section[40 + i * 32 + 8] = 0x80 + i;
    }
    g_assert_true(cper_arm_processor_decode(section, sizeof(section), &a,
                                            NULL));
    g_assert_cmpuint(a.err_info_num, ==, 6);
    for (i = 0; i < CPER_ARM_ERR_INFO_MAX; i++) {
        g_assert_cmphex(a.err_info[i].error_information, ==, 0x80 + i);
    }
    g_assert_cmpuint(a.vendor_info_offset, ==, sizeof(section));

    section[40 + 5 * 32 + 1] = 33;
    g_assert_false(cper_arm_processor_decode(section, sizeof(section), &a,
                                             &why));
    g_assert_cmpstr(why, ==,
                    "length of an ARM error information structure is not 32");
}

/* The decoder and cper_block_check() refuse the same, for the same reason */
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
    CperArmProcessor a, former;
    unsigned i;
    size_t len;

    memcpy(block, arm_block, 20 + 72);
    block[12] = 72 + 95;
    block[20 + 24] = 95;
    memcpy(section, arm_contexts, 95);
    assert_taken(block, 20 + 72 + 95);

    memset(&a, 0x5a, sizeof(a));
    former = a;
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *why = NULL;

        memcpy(section, arm_contexts, 95);
        switch (cases[i].size) {
        case 1:
            section[cases[i].offset] = cases[i].value;
            break;
        case 2:
            stw_le_p(section + cases[i].offset, cases[i].value);
            break;
        default:
            stl_le_p(section + cases[i].offset, cases[i].value);
            break;
        }
        g_test_message("case %u", i);
        g_assert_false(cper_arm_processor_decode(section, 95, &a, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
        assert_refused(block, 20 + 72 + 95, cases[i].why);
    }

    /* cut off anywhere, in an allocation of its own */
    for (len = 0; len < 95; len++) {
        g_autofree uint8_t *cut = g_memdup2(arm_contexts, len);
        const char *why = NULL;

        if (len >= 40) {
            stl_le_p(cut + 8, len);
        }
        g_assert_cmpint(cper_arm_processor_decode(cut, len, &a, &why), ==,
                        len >= 92);
        if (len >= 92) {
            g_assert_cmpuint(a.vendor_info_size, ==, len - 92);
            a = former;
        } else {
            g_assert_cmpstr(why, ==,
                            len < 40 ? "ARM processor section is shorter than "
                                       "its 40-byte header" :
                            len < 72 ? info_why : context_why);
        }
    }
    g_assert_cmpmem(&a, sizeof(a), &former, sizeof(former));
}

static void test_raw_data(void)
{
    g_autofree uint8_t *block = g_malloc0(sizeof(full_block) + 8);

    memcpy(block, full_block, sizeof(full_block));

    /* right behind the entries, up to the end */
    stl_le_p(block + 4, sizeof(full_block));
    stl_le_p(block + 8, 8);
    assert_taken(block, sizeof(full_block) + 8);
    g_assert_cmpuint(cper_block_length(block, sizeof(full_block) + 8), ==,
                     sizeof(full_block) + 8);
    g_assert_cmpuint(cper_block_length(block, sizeof(full_block) + 7), ==, 0);

    /* with a gap */
    stl_le_p(block + 4, sizeof(full_block) + 7);
    stl_le_p(block + 8, 1);
    assert_taken(block, sizeof(full_block) + 8);
    g_assert_cmpuint(cper_block_length(block, sizeof(full_block) + 8), ==,
                     sizeof(full_block) + 8);

    /* an offset without a length means nothing */
    stl_le_p(block + 4, 1);
    stl_le_p(block + 8, 0);
    assert_taken(block, sizeof(full_block));
    g_assert_cmpuint(cper_block_length(block, sizeof(full_block) + 8), ==,
                     sizeof(full_block));

    stl_le_p(block + 4, sizeof(full_block) - 1);
    stl_le_p(block + 8, 1);
    assert_refused(block, sizeof(full_block) + 8,
                   "raw data overlaps the header or the entries");
    stl_le_p(block + 4, sizeof(full_block));
    stl_le_p(block + 8, 9);
    assert_refused(block, sizeof(full_block) + 8,
                   "raw data runs past the end of the block");
    stl_le_p(block + 4, UINT32_MAX);
    stl_le_p(block + 8, UINT32_MAX);
    assert_refused(block, sizeof(full_block) + 8,
                   "raw data runs past the end of the block");
    g_assert_cmpuint(cper_block_length(block, sizeof(full_block) + 8), ==, 0);
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
        uint8_t buf[20 + 2 * 72];
        size_t length;
        CperBlock b;

        g_test_message("case %u", i);
        cper_block_init(&b, buf, sizeof(buf));
        for (j = 0; j < 2 && cases[i].entries[j] != NONE; j++) {
            CperEntry e = { .severity = cases[i].entries[j] };

            g_assert_true(cper_block_add_section(&b, &e, cper_section_pcie,
                                                 NULL, 0));
        }
        length = cper_block_finish(&b);
        stl_le_p(buf, cases[i].status | j << 4);
        stl_le_p(buf + 16, cases[i].severity);
        if (cases[i].why) {
            assert_refused(buf, length, cases[i].why);
        } else {
            assert_taken(buf, length);
        }
    }
}

/* A block longer than what it uses is fine: the caller knows its own size */
static void test_block_in_a_larger_buffer(void)
{
    uint8_t buf[1024] = { 0 };

    memcpy(buf, full_block, sizeof(full_block));
    assert_taken(buf, sizeof(buf));
    g_assert_cmpuint(cper_block_length(buf, sizeof(buf)), ==,
                     sizeof(full_block));
}

static void test_each_refusal(void)
{
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
        { 0, 4, 0x13, "entry count in block_status is not the number of "
                      "entries" },
        { 0, 4, 0x33, "entry count in block_status is not the number of "
                      "entries" },
        { 0, 4, 0x3ff3, "entry count in block_status is not the number of "
                        "entries" },
        { 16, 4, 4, "error_severity of the block is not one of 0 to 3" },
        { 16, 4, UINT32_MAX,
          "error_severity of the block is not one of 0 to 3" },
        /* data_length: one more than there is; most; cut at several places */
        { 12, 4, 305, "data_length runs past the end of the block" },
        { 12, 4, UINT32_MAX, "data_length runs past the end of the block" },
        { 12, 4, 303, "section does not fit in data_length" },
        { 12, 4, 152 + 72, "section does not fit in data_length" },
        { 12, 4, 152 + 71, "entry header does not fit in data_length" },
        { 12, 4, 152 + 1, "entry header does not fit in data_length" },
        { 12, 4, 152, "entry count in block_status is not the number of "
                      "entries" },
        { 12, 4, 71, "entry header does not fit in data_length" },
        { 12, 4, 64, "entry header does not fit in data_length" },
        { 12, 4, 63, "entry header does not fit in data_length" },
        { 12, 4, 0, "entry count in block_status is not the number of "
                    "entries" },
        /* entry 0 */
        { 20 + 16, 4, 4, "error_severity of an entry is not one of 0 to 3" },
        { 20 + 20, 2, 0x0301, "revision of an entry is not 0x0300" },
        { 20 + 20, 2, 0x0400, "revision of an entry is not 0x0300" },
        { 20 + 20, 2, 0x0201, "revision of an entry is not 0x0300" },
        { 20 + 22, 1, 0x0f,
          "validation_bits of an entry has reserved bits set" },
        { 20 + 22, 1, 0x80,
          "validation_bits of an entry has reserved bits set" },
        { 20 + 24, 4, 79, "memory error section is shorter than 80 bytes" },
        { 20 + 24, 4, 0, "memory error section is shorter than 80 bytes" },
        { 20 + 24, 4, 233, "section does not fit in data_length" },
        { 20 + 24, 4, UINT32_MAX, "section does not fit in data_length" },
        /* one byte left over */
        { 20 + 24, 4, 231, "entry header does not fit in data_length" },
        /* timestamp of entry 0, byte by byte */
        { 84 + 0, 1, 0x60, "timestamp of an entry is not a BCD date" },
        { 84 + 0, 1, 0x0a, "timestamp of an entry is not a BCD date" },
        { 84 + 0, 1, 0xa0, "timestamp of an entry is not a BCD date" },
        { 84 + 1, 1, 0x60, "timestamp of an entry is not a BCD date" },
        { 84 + 2, 1, 0x24, "timestamp of an entry is not a BCD date" },
        { 84 + 3, 1, 0x02, "timestamp of an entry is not a BCD date" },
        { 84 + 4, 1, 0x30, "timestamp of an entry is not a BCD date" },
        { 84 + 4, 1, 0x00, "timestamp of an entry is not a BCD date" },
        { 84 + 5, 1, 0x13, "timestamp of an entry is not a BCD date" },
        { 84 + 5, 1, 0x00, "timestamp of an entry is not a BCD date" },
        { 84 + 6, 1, 0x25, "timestamp of an entry is not a BCD date" },
        /* these would be leap years, if they were BCD */
        { 84 + 6, 1, 0x1a, "timestamp of an entry is not a BCD date" },
        { 84 + 6, 1, 0x1e, "timestamp of an entry is not a BCD date" },
        { 84 + 6, 1, 0xa4, "timestamp of an entry is not a BCD date" },
        { 84 + 7, 1, 0xff, "timestamp of an entry is not a BCD date" },
        /* entry 1 */
        { 172 + 16, 4, 5, "error_severity of an entry is not one of 0 to 3" },
        { 172 + 24, 4, 79, "memory error section is shorter than 80 bytes" },
        { 172 + 24, 4, 81, "section does not fit in data_length" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree uint8_t *block = full_block_new();

        g_test_message("case %u", i);
        switch (cases[i].size) {
        case 1:
            block[cases[i].offset] = cases[i].value;
            break;
        case 2:
            stw_le_p(block + cases[i].offset, cases[i].value);
            break;
        default:
            stl_le_p(block + cases[i].offset, cases[i].value);
            break;
        }
        assert_refused(block, sizeof(full_block), cases[i].why);
    }
}

/* A timestamp that is not declared, and another type of section, may be so */
static void test_not_refused(void)
{
    g_autofree uint8_t *block = full_block_new();
    Found found = { 0 };

    memset(block + 172 + 64, 0xff, 8);
    assert_taken(block, sizeof(full_block));

    block[20 + 22] = 0x03;
    assert_taken(block, sizeof(full_block));
    g_assert_true(cper_block_foreach(block, sizeof(full_block), collect,
                                     &found, NULL));
    g_assert_false(found.section[0].entry.has_timestamp);
    g_assert_false(found.section[1].entry.has_timestamp);

    /* 79 bytes of a vendor section, and entry 1 is one byte longer */
    block[20] ^= 1;
    block[20 + 24] = 79;
    memmove(block + 171, block + 172, 152);
    block[171 + 24] = 81;
    assert_taken(block, sizeof(full_block));

    /* flags, FRU and contents of sections are the sender's business */
    block[20 + 23] = 0xff;
    memset(block + 20 + 28, 0xff, 36);
    memset(block + 20 + 72, 0xff, 79);
    assert_taken(block, sizeof(full_block));
}

/* Each length in its own allocation, so that ASan sees any read behind it */
static void test_every_truncation(void)
{
    size_t len;

    for (len = 0; len < sizeof(full_block); len++) {
        g_autofree uint8_t *block = g_memdup2(full_block, len);
        Found found = { 0 };

        assert_refused(block, len,
                       len < 20 ? "block is shorter than its 20-byte header"
                       : "data_length runs past the end of the block");
        g_assert_false(cper_block_foreach(block, len, collect, &found, NULL));
        g_assert_cmpuint(found.count, ==, 0);
        g_assert_cmpuint(cper_block_length(block, len), ==, 0);
    }
    g_assert_cmpuint(cper_block_length(full_block, sizeof(full_block)), ==,
                     sizeof(full_block));
}

typedef struct Bounds {
    const uint8_t *block;
    size_t len;
    unsigned entries;
} Bounds;

/* Whatever was found lies inside the block; read all of it */
static bool read_inside(const CperSection *section, void *opaque)
{
    Bounds *bounds = opaque;
    const uint8_t *end = bounds->block + bounds->len;
    CperArmProcessor a;
    CperMemoryError m;
    unsigned sum = 0;
    uint32_t i;

    g_assert_true(section->type == bounds->block + section->offset);
    g_assert_true(section->data >= section->type + 64);
    g_assert_true(section->data <= end);
    g_assert_cmpuint(section->data_length, <=, end - section->data);
    for (i = 0; i < section->data_length; i++) {
        sum += section->data[i];
    }
    g_assert_cmpuint(sum, <=, 255 * section->data_length);

    g_assert_cmpint(cper_memory_decode(section->data, section->data_length,
                                       &m), ==, section->data_length >= 73);
    if (cper_arm_processor_decode(section->data, section->data_length, &a,
                                  NULL)) {
        g_assert_cmpuint(a.err_info_num, >, 0);
        g_assert_cmpuint(a.context_info_offset, ==, 40 + 32 * a.err_info_num);
        g_assert_cmpuint(a.context_info_size, >=, 8 * a.context_info_num);
        g_assert_cmpuint(a.vendor_info_offset, ==,
                         a.context_info_offset + a.context_info_size);
        g_assert_cmpuint(a.vendor_info_size, ==,
                         section->data_length - a.vendor_info_offset);
    }
    g_assert_true(!section->entry.has_timestamp ||
                  cper_entry_check(&(CperEntry) {
                      .has_timestamp = true,
                      .timestamp = section->entry.timestamp
                  }, NULL));
    bounds->entries++;
    return true;
}

static void read_all(const uint8_t *block, size_t len)
{
    Bounds bounds = { .block = block, .len = len };
    const char *walk_why = "not set", *check_why = NULL;
    bool walked, taken;

    walked = cper_block_foreach(block, len, read_inside, &bounds, &walk_why);
    g_assert_cmpint(walked, ==, walk_why == NULL);
    taken = cper_block_check(block, len, &check_why);
    g_assert_cmpint(taken, ==, check_why == NULL);
    if (taken) {
        g_assert_true(walked);
        g_assert_cmpuint(cper_block_length(block, len), >=, 20);
        g_assert_cmpuint(((uint32_t)ldl_le_p(block) >> 4) & 0x3ff, ==,
                         bounds.entries);
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
            read_all(block, len);
        }
        block[i] = good[i];
    }
    assert_taken(block, len);
}

static void test_every_byte_changed(void)
{
    change_every_byte(full_block, sizeof(full_block));
    change_every_byte(arm_block, sizeof(arm_block));
}

/* A few random bytes changed, and the end cut off */
static void test_random_changes(void)
{
    unsigned round, i;

    for (round = 0; round < 20000; round++) {
        size_t len = g_test_rand_int_range(0, sizeof(full_block) + 1);
        g_autofree uint8_t *block = g_memdup2(full_block, len);
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
        read_all(block, len);
    }
}

static uint64_t rand64(void)
{
    return (uint64_t)(uint32_t)g_test_rand_int() << 32 |
           (uint32_t)g_test_rand_int();
}

static void rand_entry(CperEntry *e)
{
    unsigned i;

    *e = (CperEntry) {
        .severity = g_test_rand_int_range(0, 4),
        .flags = g_test_rand_int(),
        .has_fru_id = g_test_rand_bit(),
        .has_fru_text = g_test_rand_bit(),
        .has_timestamp = g_test_rand_bit(),
        .timestamp = {
            .year = g_test_rand_int_range(0, 10000),
            .month = g_test_rand_int_range(1, 13),
            .day = g_test_rand_int_range(1, 29),
            .hours = g_test_rand_int_range(0, 24),
            .minutes = g_test_rand_int_range(0, 60),
            .seconds = g_test_rand_int_range(0, 60),
            .precise = g_test_rand_bit(),
        },
    };
    for (i = 0; i < CPER_FRU_ID_SIZE; i++) {
        e->fru_id[i] = g_test_rand_int();
    }
    for (i = 0; i < CPER_FRU_TEXT_SIZE; i++) {
        e->fru_text[i] = g_test_rand_int_range(0, 64) ?
                         g_test_rand_int_range(' ', 127) : 0;
    }
}

static void rand_memory(CperMemoryError *m)
{
    *m = (CperMemoryError) {
        .validation_bits = rand64(),
        .error_status = rand64(),
        .physical_address = rand64(),
        .physical_address_mask = rand64(),
        .node = g_test_rand_int(),
        .card = g_test_rand_int(),
        .module = g_test_rand_int(),
        .bank = g_test_rand_int(),
        .device = g_test_rand_int(),
        .row = g_test_rand_int(),
        .column = g_test_rand_int(),
        .bit_position = g_test_rand_int(),
        .requestor_id = rand64(),
        .responder_id = rand64(),
        .target_id = rand64(),
        .memory_error_type = g_test_rand_int(),
        .extended = g_test_rand_int(),
        .rank_number = g_test_rand_int(),
        .card_handle = g_test_rand_int(),
        .module_handle = g_test_rand_int(),
    };
}

/* What is left of an error by UEFI 2.10 N.2.5 after a trip to the wire */
static CperMemoryError only_valid(const CperMemoryError *m)
{
    uint64_t v = m->validation_bits;

    return (CperMemoryError) {
        .validation_bits = v & 0x3fffff,
        .error_status = v & 0x1 ? m->error_status : 0,
        .physical_address = v & 0x2 ? m->physical_address : 0,
        .physical_address_mask = v & 0x4 ? m->physical_address_mask : 0,
        .node = v & 0x8 ? m->node : 0,
        .card = v & 0x10 ? m->card : 0,
        .module = v & 0x20 ? m->module : 0,
        .bank = m->bank & (v & 0x40 ? 0xffff :
                           (v & 0x80000 ? 0xff00 : 0) |
                           (v & 0x100000 ? 0x00ff : 0)),
        .device = v & 0x80 ? m->device : 0,
        .row = v & 0x100 ? m->row : 0,
        .column = v & 0x200 ? m->column : 0,
        .bit_position = v & 0x400 ? m->bit_position : 0,
        .requestor_id = v & 0x800 ? m->requestor_id : 0,
        .responder_id = v & 0x1000 ? m->responder_id : 0,
        .target_id = v & 0x2000 ? m->target_id : 0,
        .memory_error_type = v & 0x4000 ? m->memory_error_type : 0,
        .rank_number = v & 0x8000 ? m->rank_number : 0,
        .card_handle = v & 0x10000 ? m->card_handle : 0,
        .module_handle = v & 0x20000 ? m->module_handle : 0,
        .extended = m->extended & ((v & 0x40000 ? 0x03 : 0) |
                                   (v & 0x200000 ? 0xe0 : 0)),
    };
}

static void test_round_trip(void)
{
    unsigned round, i;

    for (round = 0; round < 5000; round++) {
        CperEntry e[6];
        CperMemoryError m[6];
        unsigned count = g_test_rand_int_range(1, 7);
        unsigned shift = g_test_rand_int_range(0, 8);
        size_t len = 20 + count * MEMORY_ENTRY;
        g_autofree uint8_t *mem = g_malloc(shift + len);
        Found found = { 0 };
        CperBlock b;

        cper_block_init(&b, mem + shift, len);
        for (i = 0; i < count; i++) {
            rand_entry(&e[i]);
            rand_memory(&m[i]);
            g_assert_true(cper_block_add_memory(&b, &e[i], &m[i]));
        }
        g_assert_cmpuint(cper_block_finish(&b), ==, len);
        assert_taken(mem + shift, len);
        g_assert_cmpuint(cper_block_length(mem + shift, len), ==, len);

        g_assert_true(cper_block_foreach(mem + shift, len, collect, &found,
                                         NULL));
        g_assert_cmpuint(found.count, ==, count);
        for (i = 0; i < count; i++) {
            CperMemoryError back, expected = only_valid(&m[i]);

            assert_same_entry(&found.section[i].entry, &e[i]);
            g_assert_true(cper_memory_decode(found.section[i].data,
                                             found.section[i].data_length,
                                             &back));
            assert_same_memory(&back, &expected);
        }
    }
}

static void rand_arm_processor(CperArmProcessor *a)
{
    unsigned i;

    memset(a, 0, sizeof(*a));
    a->validation_bits = g_test_rand_int();
    a->err_info_num = g_test_rand_int_range(1, CPER_ARM_ERR_INFO_MAX + 1);
    a->error_affinity_level = g_test_rand_int();
    a->mpidr_el1 = rand64();
    a->midr_el1 = rand64();
    a->running_state = g_test_rand_int();
    a->psci_state = g_test_rand_int();
    for (i = 0; i < a->err_info_num; i++) {
        a->err_info[i] = (CperArmErrorInfo) {
            .validation_bits = g_test_rand_int(),
            .type = g_test_rand_int(),
            .flags = g_test_rand_int(),
            .multiple_error = g_test_rand_int(),
            .error_information = rand64(),
            .virtual_fault_address = rand64(),
            .physical_fault_address = rand64(),
        };
    }
}

/* What is left of it by UEFI 2.10 N.2.4.4 after a trip to the wire */
static CperArmProcessor only_valid_arm(const CperArmProcessor *a)
{
    uint32_t v = a->validation_bits;
    CperArmProcessor left = {
        .validation_bits = v & 7,
        .err_info_num = a->err_info_num,
        .error_affinity_level = v & 2 ? a->error_affinity_level : 0,
        .mpidr_el1 = v & 1 ? a->mpidr_el1 : 0,
        .midr_el1 = a->midr_el1,
        .running_state = v & 4 ? a->running_state & 1 : 0,
        .psci_state = v & 4 && !(a->running_state & 1) ? a->psci_state : 0,
    };
    unsigned i;

    for (i = 0; i < a->err_info_num; i++) {
        const CperArmErrorInfo *info = &a->err_info[i];

        v = info->validation_bits;
        left.err_info[i] = (CperArmErrorInfo) {
            .validation_bits = v & 0x1f,
            .type = info->type,
            .multiple_error = v & 1 ? info->multiple_error : 0,
            .flags = v & 2 ? info->flags : 0,
            .error_information = v & 4 ? info->error_information : 0,
            .virtual_fault_address = v & 8 ? info->virtual_fault_address : 0,
            .physical_fault_address =
                v & 0x10 ? info->physical_fault_address : 0,
        };
    }
    return left;
}

static void test_arm_round_trip(void)
{
    unsigned round;

    for (round = 0; round < 5000; round++) {
        CperArmProcessor a, back, expected;
        Found found = { 0 };
        uint8_t buf[400];
        size_t length;
        CperEntry e;
        CperBlock b;

        rand_entry(&e);
        rand_arm_processor(&a);
        expected = only_valid_arm(&a);
        memset(buf, 0x5a, sizeof(buf));
        cper_block_init(&b, buf, sizeof(buf));
        g_assert_true(cper_block_add_arm_processor(&b, &e, &a));
        length = cper_block_finish(&b);
        assert_taken(buf, length);
        g_assert_true(cper_block_foreach(buf, length, collect, &found, NULL));
        g_assert_cmpuint(found.count, ==, 1);
        assert_same_entry(&found.section[0].entry, &e);
        g_assert_true(cper_arm_processor_decode(found.section[0].data,
                                                found.section[0].data_length,
                                                &back, NULL));
        assert_same_arm(&back, &expected);
    }
}

/*
 * Time and names
 */

static void test_timestamp_from_unix(void)
{
    static const struct {
        int64_t seconds;
        CperTimestamp t;
    } cases[] = {
        { 0, TIME(1970, 1, 1, 0, 0, 0) },
        { -1, TIME(1969, 12, 31, 23, 59, 59) },
        { 1709210096, TIME(2024, 2, 29, 12, 34, 56) },
        { 1709208000, TIME(2024, 2, 29, 12, 0, 0) },
        { 1709207999, TIME(2024, 2, 29, 11, 59, 59) },
        { 951782400, TIME(2000, 2, 29, 0, 0, 0) },
        { 4107542399, TIME(2100, 2, 28, 23, 59, 59) },
        { 4107542400, TIME(2100, 3, 1, 0, 0, 0) },
        { INT64_C(253402300799), TIME(9999, 12, 31, 23, 59, 59) },
        { INT64_C(-62167219200), TIME(0, 1, 1, 0, 0, 0) },
        { INT64_C(-62135596800), TIME(1, 1, 1, 0, 0, 0) },
    };
    static const int64_t refused[] = {
        INT64_C(253402300800), INT64_C(-62167219201), INT64_MAX, INT64_MIN,
    };
    CperTimestamp t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        memset(&t, 0xff, sizeof(t));
        g_assert_true(cper_timestamp_from_unix(&t, cases[i].seconds));
        g_assert_cmpuint(t.year, ==, cases[i].t.year);
        g_assert_cmpuint(t.month, ==, cases[i].t.month);
        g_assert_cmpuint(t.day, ==, cases[i].t.day);
        g_assert_cmpuint(t.hours, ==, cases[i].t.hours);
        g_assert_cmpuint(t.minutes, ==, cases[i].t.minutes);
        g_assert_cmpuint(t.seconds, ==, cases[i].t.seconds);
        g_assert_false(t.precise);
    }
    t.year = 4321;
    for (i = 0; i < ARRAY_SIZE(refused); i++) {
        g_assert_false(cper_timestamp_from_unix(&t, refused[i]));
        g_assert_cmpuint(t.year, ==, 4321);
    }
}

/* Every day of more than one 400-year cycle, against GLib's calendar */
static void test_timestamp_of_every_day(void)
{
    GDate date;
    int64_t day;

    g_date_clear(&date, 1);
    g_date_set_dmy(&date, 1, 1, 1);
    for (day = -719162; day < -719162 + 366 * 2100; day++) {
        CperEntry e = { .has_timestamp = true };

        g_assert_true(cper_timestamp_from_unix(&e.timestamp,
                                               day * 86400 + 86399));
        g_assert_cmpuint(e.timestamp.year, ==, g_date_get_year(&date));
        g_assert_cmpuint(e.timestamp.month, ==, g_date_get_month(&date));
        g_assert_cmpuint(e.timestamp.day, ==, g_date_get_day(&date));
        g_assert_cmpuint(e.timestamp.seconds, ==, 59);
        g_assert_true(cper_entry_check(&e, NULL));
        g_date_add_days(&date, 1);
    }
}

static void test_names(void)
{
    unsigned i, known;

    g_assert_cmpstr(cper_severity_name(0), ==, "recoverable");
    g_assert_cmpstr(cper_severity_name(1), ==, "fatal");
    g_assert_cmpstr(cper_severity_name(2), ==, "corrected");
    g_assert_cmpstr(cper_severity_name(3), ==, "informational");
    g_assert_null(cper_severity_name(4));
    g_assert_null(cper_severity_name(UINT32_MAX));

    g_assert_cmpstr(cper_memory_error_type_name(3), ==, "multi-bit ECC");
    for (i = 0; i <= 15; i++) {
        g_assert_nonnull(cper_memory_error_type_name(i));
    }
    for (i = 16; i <= UINT8_MAX; i++) {
        g_assert_null(cper_memory_error_type_name(i));
    }

    g_assert_cmpstr(cper_error_status_type_name(4), ==, "DRAM");
    g_assert_cmpstr(cper_error_status_type_name(26), ==, "poisoned read");
    for (i = 0, known = 0; i <= UINT8_MAX; i++) {
        known += cper_error_status_type_name(i) != NULL;
    }
    g_assert_cmpuint(known, ==, 18);
}

static void test_arm_names(void)
{
    static const struct {
        uint8_t type;
        const char *name;
        unsigned operations;
        const char *last;
    } types[] = {
        { 0x02, "cache", 11, "management" },
        { 0x04, "TLB", 9, "external management" },
        { 0x08, "bus", 7, "prefetch" },
    };
    unsigned i, op, known = 0;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        g_assert_cmpstr(cper_arm_type_name(types[i].type), ==, types[i].name);
        for (op = 0; op < 20; op++) {
            const char *name = cper_arm_operation_name(types[i].type, op);

            g_assert_cmpint(name != NULL, ==, op < types[i].operations);
            if (op == types[i].operations - 1) {
                g_assert_cmpstr(name, ==, types[i].last);
            }
        }
    }
    g_assert_cmpstr(cper_arm_operation_name(0x02, 7), ==, "eviction");
    g_assert_cmpstr(cper_arm_operation_name(0x04, 7), ==, "local management");
    g_assert_cmpstr(cper_arm_type_name(0x10), ==, "micro-architectural");
    for (i = 0; i <= UINT8_MAX; i++) {
        known += cper_arm_type_name(i) != NULL;
    }
    g_assert_cmpuint(known, ==, 4);

    g_assert_cmpstr(cper_arm_transaction_type_name(0), ==, "instruction");
    g_assert_cmpstr(cper_arm_transaction_type_name(2), ==, "generic");
    g_assert_null(cper_arm_transaction_type_name(3));
    g_assert_cmpstr(cper_arm_participation_type_name(0), ==, "originated");
    g_assert_cmpstr(cper_arm_participation_type_name(3), ==, "generic");
    g_assert_null(cper_arm_participation_type_name(4));
    g_assert_cmpstr(cper_arm_address_space_name(1), ==, "internal memory");
    g_assert_cmpstr(cper_arm_address_space_name(3), ==, "device memory");
    g_assert_null(cper_arm_address_space_name(4));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/cper/encode/every-field", test_encode_every_field);
    g_test_add_func("/cper/encode/section-of-any-type",
                    test_section_of_any_type);
    g_test_add_func("/cper/encode/guids", test_guids);
    g_test_add_func("/cper/arm/encode", test_encode_arm_processor);
    g_test_add_func("/cper/arm/validation-bits", test_arm_validation_bits);
    g_test_add_func("/cper/arm/number-of-errors", test_arm_number_of_errors);
    g_test_add_func("/cper/arm/decode", test_decode_arm_processor);
    g_test_add_func("/cper/arm/contexts-and-vendor-bytes",
                    test_arm_contexts_and_vendor_bytes);
    g_test_add_func("/cper/arm/many-errors", test_arm_many_errors);
    g_test_add_func("/cper/arm/each-refusal", test_arm_each_refusal);
    g_test_add_func("/cper/arm/round-trip", test_arm_round_trip);
    g_test_add_func("/cper/arm/error", test_arm_error);
    g_test_add_func("/cper/arm/error/fields", test_arm_error_fields);
    g_test_add_func("/cper/arm/error/other-types",
                    test_arm_error_of_other_types);
    g_test_add_func("/cper/arm/names", test_arm_names);
    g_test_add_func("/cper/encode/each-validation-bit",
                    test_each_validation_bit);
    g_test_add_func("/cper/encode/status-and-severity",
                    test_status_and_severity);
    g_test_add_func("/cper/encode/body-first-status-last",
                    test_body_first_status_last);
    g_test_add_func("/cper/encode/exact-fit-and-one-byte-short",
                    test_exact_fit_and_one_byte_short);
    g_test_add_func("/cper/encode/no-room-for-a-header",
                    test_no_room_for_a_header);
    g_test_add_func("/cper/encode/no-entries", test_no_entries);
    g_test_add_func("/cper/encode/six-memory-entries-in-1024",
                    test_six_memory_entries_in_1024);
    g_test_add_func("/cper/encode/max-memory-entries",
                    test_max_memory_entries);
    g_test_add_func("/cper/encode/entry-count-limit", test_entry_count_limit);
    g_test_add_func("/cper/encode/bad-entry-changes-nothing",
                    test_bad_entry_changes_nothing);
    g_test_add_func("/cper/encode/last-day-of-each-month",
                    test_last_day_of_each_month);
    g_test_add_func("/cper/decode/every-field", test_decode_every_field);
    g_test_add_func("/cper/decode/walk-stops-when-asked",
                    test_walk_stops_when_asked);
    g_test_add_func("/cper/decode/stock-qemu-block", test_stock_qemu_block);
    g_test_add_func("/cper/decode/old-revision", test_walk_old_revision);
    g_test_add_func("/cper/decode/memory-section-of-73-bytes",
                    test_memory_section_of_73_bytes);
    g_test_add_func("/cper/check/raw-data", test_raw_data);
    g_test_add_func("/cper/check/raw-data-without-entries",
                    test_raw_data_without_entries);
    g_test_add_func("/cper/check/status-against-entries",
                    test_status_against_entries);
    g_test_add_func("/cper/check/block-in-a-larger-buffer",
                    test_block_in_a_larger_buffer);
    g_test_add_func("/cper/check/each-refusal", test_each_refusal);
    g_test_add_func("/cper/check/not-refused", test_not_refused);
    g_test_add_func("/cper/check/every-truncation", test_every_truncation);
    g_test_add_func("/cper/hostile/every-byte-changed",
                    test_every_byte_changed);
    g_test_add_func("/cper/hostile/random-changes", test_random_changes);
    g_test_add_func("/cper/round-trip", test_round_trip);
    g_test_add_func("/cper/timestamp/from-unix", test_timestamp_from_unix);
    g_test_add_func("/cper/timestamp/every-day", test_timestamp_of_every_day);
    g_test_add_func("/cper/names", test_names);

    return g_test_run();
}
