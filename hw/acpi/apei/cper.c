/*
 * CPER: Generic Error Status Block, Generic Error Data Entry, platform memory
 * error section and ARM processor error section; encode, validate, decode.
 *
 * ACPI 6.5, 18.3.2.7.1 and UEFI 2.10, appendix N.2.  Pure; see cper.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cper.h"

/* ACPI 6.5 table 18.11 */
#define BLOCK(field) offsetof(CperStatusBlockLe, field)
QEMU_BUILD_BUG_ON(BLOCK(block_status) != CPER_BLOCK_STATUS_OFFSET);
QEMU_BUILD_BUG_ON(BLOCK(raw_data_offset) != CPER_BLOCK_BODY_OFFSET);
QEMU_BUILD_BUG_ON(BLOCK(raw_data_length) != 8);
QEMU_BUILD_BUG_ON(BLOCK(data_length) != 12);
QEMU_BUILD_BUG_ON(BLOCK(error_severity) != 16);
QEMU_BUILD_BUG_ON(sizeof(CperStatusBlockLe) != CPER_BLOCK_HEADER_SIZE);

/* ACPI 6.5 table 18.12 */
#define ENTRY(field) offsetof(CperDataEntryLe, field)
QEMU_BUILD_BUG_ON(ENTRY(section_type) != 0);
QEMU_BUILD_BUG_ON(ENTRY(error_severity) != 16);
QEMU_BUILD_BUG_ON(ENTRY(revision) != 20);
QEMU_BUILD_BUG_ON(ENTRY(validation_bits) != 22);
QEMU_BUILD_BUG_ON(ENTRY(flags) != 23);
QEMU_BUILD_BUG_ON(ENTRY(error_data_length) != 24);
QEMU_BUILD_BUG_ON(ENTRY(fru_id) != 28);
QEMU_BUILD_BUG_ON(ENTRY(fru_text) != 44);
QEMU_BUILD_BUG_ON(ENTRY(timestamp) != CPER_ENTRY_HEADER_SIZE_OLD);
QEMU_BUILD_BUG_ON(sizeof(CperDataEntryLe) != CPER_ENTRY_HEADER_SIZE);

/* UEFI 2.10 N.2.5 */
#define MEMORY(field) offsetof(CperMemoryErrorLe, field)
QEMU_BUILD_BUG_ON(MEMORY(validation_bits) != 0);
QEMU_BUILD_BUG_ON(MEMORY(error_status) != 8);
QEMU_BUILD_BUG_ON(MEMORY(physical_address) != 16);
QEMU_BUILD_BUG_ON(MEMORY(physical_address_mask) != 24);
QEMU_BUILD_BUG_ON(MEMORY(node) != 32);
QEMU_BUILD_BUG_ON(MEMORY(card) != 34);
QEMU_BUILD_BUG_ON(MEMORY(module) != 36);
QEMU_BUILD_BUG_ON(MEMORY(bank) != 38);
QEMU_BUILD_BUG_ON(MEMORY(device) != 40);
QEMU_BUILD_BUG_ON(MEMORY(row) != 42);
QEMU_BUILD_BUG_ON(MEMORY(column) != 44);
QEMU_BUILD_BUG_ON(MEMORY(bit_position) != 46);
QEMU_BUILD_BUG_ON(MEMORY(requestor_id) != 48);
QEMU_BUILD_BUG_ON(MEMORY(responder_id) != 56);
QEMU_BUILD_BUG_ON(MEMORY(target_id) != 64);
QEMU_BUILD_BUG_ON(MEMORY(memory_error_type) != CPER_MEMORY_SIZE_OLD - 1);
QEMU_BUILD_BUG_ON(MEMORY(extended) != 73);
QEMU_BUILD_BUG_ON(MEMORY(rank_number) != 74);
QEMU_BUILD_BUG_ON(MEMORY(card_handle) != 76);
QEMU_BUILD_BUG_ON(MEMORY(module_handle) != 78);
QEMU_BUILD_BUG_ON(sizeof(CperMemoryErrorLe) != CPER_MEMORY_SIZE);

/* UEFI 2.10 N.2.4.4 */
#define ARM(field) offsetof(CperArmProcessorLe, field)
QEMU_BUILD_BUG_ON(ARM(validation_bits) != 0);
QEMU_BUILD_BUG_ON(ARM(err_info_num) != 4);
QEMU_BUILD_BUG_ON(ARM(context_info_num) != 6);
QEMU_BUILD_BUG_ON(ARM(section_length) != 8);
QEMU_BUILD_BUG_ON(ARM(error_affinity_level) != 12);
QEMU_BUILD_BUG_ON(ARM(mpidr_el1) != 16);
QEMU_BUILD_BUG_ON(ARM(midr_el1) != 24);
QEMU_BUILD_BUG_ON(ARM(running_state) != 32);
QEMU_BUILD_BUG_ON(ARM(psci_state) != 36);
QEMU_BUILD_BUG_ON(sizeof(CperArmProcessorLe) != CPER_ARM_PROCESSOR_SIZE);

/* UEFI 2.10 N.2.4.4.1 */
#define INFO(field) offsetof(CperArmErrorInfoLe, field)
QEMU_BUILD_BUG_ON(INFO(version) != 0);
QEMU_BUILD_BUG_ON(INFO(length) != 1);
QEMU_BUILD_BUG_ON(INFO(validation_bits) != 2);
QEMU_BUILD_BUG_ON(INFO(type) != 4);
QEMU_BUILD_BUG_ON(INFO(multiple_error) != 5);
QEMU_BUILD_BUG_ON(INFO(flags) != 7);
QEMU_BUILD_BUG_ON(INFO(error_information) != 8);
QEMU_BUILD_BUG_ON(INFO(virtual_fault_address) != 16);
QEMU_BUILD_BUG_ON(INFO(physical_fault_address) != 24);
QEMU_BUILD_BUG_ON(sizeof(CperArmErrorInfoLe) != CPER_ARM_ERROR_INFO_SIZE);

/* UEFI 2.10 N.2.4.4.2 */
#define CONTEXT(field) offsetof(CperArmContextInfoLe, field)
QEMU_BUILD_BUG_ON(CONTEXT(register_array_size) != 4);
QEMU_BUILD_BUG_ON(sizeof(CperArmContextInfoLe) != CPER_ARM_CONTEXT_INFO_SIZE);

/* A5BC1114-6F64-4EDE-B863-3E83ED7C83B1 */
const uint8_t cper_section_memory[CPER_GUID_SIZE] =
    CPER_GUID(0xa5bc1114, 0x6f64, 0x4ede,
              0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1);

/* 61EC04FC-48E6-D813-25C9-8DAA44750B12 */
const uint8_t cper_section_memory2[CPER_GUID_SIZE] =
    CPER_GUID(0x61ec04fc, 0x48e6, 0xd813,
              0x25, 0xc9, 0x8d, 0xaa, 0x44, 0x75, 0x0b, 0x12);

/* E19E3D16-BC11-11E4-9CAA-C2051D5D46B0 */
const uint8_t cper_section_arm_processor[CPER_GUID_SIZE] =
    CPER_GUID(0xe19e3d16, 0xbc11, 0x11e4,
              0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0);

/* 9876CCAD-47B4-4BDB-B65E-16F193C4F3DB */
const uint8_t cper_section_generic_processor[CPER_GUID_SIZE] =
    CPER_GUID(0x9876ccad, 0x47b4, 0x4bdb,
              0xb6, 0x5e, 0x16, 0xf1, 0x93, 0xc4, 0xf3, 0xdb);

/* D995E954-BBC1-430F-AD91-B44DCB3C6F35 */
const uint8_t cper_section_pcie[CPER_GUID_SIZE] =
    CPER_GUID(0xd995e954, 0xbbc1, 0x430f,
              0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35);

/* 81212A96-09ED-4996-9471-8D729C8E69ED */
const uint8_t cper_section_firmware_error[CPER_GUID_SIZE] =
    CPER_GUID(0x81212a96, 0x09ed, 0x4996,
              0x94, 0x71, 0x8d, 0x72, 0x9c, 0x8e, 0x69, 0xed);

/* UEFI 2.10 N.2.5: one row a validation bit, and row N is bit N */
#define ROW(field_, name_, mask_, shift_) {                 \
        .name = name_, .mask = mask_, .shift = shift_,      \
        .size = sizeof(((CperMemoryErrorLe *)0)->field_),   \
        .offset = MEMORY(field_),                           \
        .host_offset = offsetof(CperMemoryError, field_),   \
    }

const CperMemoryField cper_memory_fields[CPER_MEMORY_FIELDS] = {
    [0]  = ROW(error_status, "error_status", UINT64_MAX, 0),
    [1]  = ROW(physical_address, "physical_address", UINT64_MAX, 0),
    [2]  = ROW(physical_address_mask, "physical_address_mask", UINT64_MAX, 0),
    [3]  = ROW(node, "node", UINT16_MAX, 0),
    [4]  = ROW(card, "card", UINT16_MAX, 0),
    [5]  = ROW(module, "module", UINT16_MAX, 0),
    [6]  = ROW(bank, "bank", UINT16_MAX, 0),
    [7]  = ROW(device, "device", UINT16_MAX, 0),
    [8]  = ROW(row, "row", UINT16_MAX, 0),
    [9]  = ROW(column, "column", UINT16_MAX, 0),
    [10] = ROW(bit_position, "bit_position", UINT16_MAX, 0),
    [11] = ROW(requestor_id, "requestor_id", UINT64_MAX, 0),
    [12] = ROW(responder_id, "responder_id", UINT64_MAX, 0),
    [13] = ROW(target_id, "target_id", UINT64_MAX, 0),
    [14] = ROW(memory_error_type, "memory_error_type", UINT8_MAX, 0),
    [15] = ROW(rank_number, "rank_number", UINT16_MAX, 0),
    [16] = ROW(card_handle, "card_handle", UINT16_MAX, 0),
    [17] = ROW(module_handle, "module_handle", UINT16_MAX, 0),
    [18] = ROW(extended, "extended_row", CPER_MEMORY_EXTENDED_ROW_MASK, 0),
    [19] = ROW(bank, "bank_group", CPER_MEMORY_BANK_GROUP_MASK, 8),
    [20] = ROW(bank, "bank_address", CPER_MEMORY_BANK_ADDRESS_MASK, 0),
    [21] = ROW(extended, "chip_id", CPER_MEMORY_CHIP_ID_MASK,
               CPER_MEMORY_CHIP_ID_SHIFT),
};

QEMU_BUILD_BUG_ON(CPER_MEMORY_VALID_ALL != (1ULL << CPER_MEMORY_FIELDS) - 1);

/*
 * UEFI 2.10 tables N.18 to N.20: one row a validation bit, and row N is bit N.
 * Cache and TLB errors have the first ARM_ERROR_FIELDS of them.
 */
#define ARM_ERROR_FIELDS     7
#define ARM_BUS_ERROR_FIELDS 12
#define ERROR(field_, shift_, bits_) {                      \
        .host_offset = offsetof(CperArmError, field_),      \
        .shift = shift_, .bits = bits_,                     \
    }

static const struct {
    uint8_t host_offset;
    uint8_t shift;
    uint8_t bits;
} arm_error_fields[ARM_BUS_ERROR_FIELDS] = {
    [0]  = ERROR(transaction_type, 16, 2),
    [1]  = ERROR(operation, 18, 4),
    [2]  = ERROR(level, 22, 3),
    [3]  = ERROR(processor_context_corrupt, 25, 1),
    [4]  = ERROR(corrected, 26, 1),
    [5]  = ERROR(precise_pc, 27, 1),
    [6]  = ERROR(restartable_pc, 28, 1),
    [7]  = ERROR(participation_type, 29, 2),
    [8]  = ERROR(time_out, 31, 1),
    [9]  = ERROR(address_space, 32, 2),
    [10] = ERROR(memory_attributes, 34, 9),
    [11] = ERROR(access_mode, 43, 1),
};

static const char *const severity_names[] = {
    [CPER_SEVERITY_RECOVERABLE]   = "recoverable",
    [CPER_SEVERITY_FATAL]         = "fatal",
    [CPER_SEVERITY_CORRECTED]     = "corrected",
    [CPER_SEVERITY_INFORMATIONAL] = "informational",
};

/* What "worst" means for the severity of a block */
static const uint8_t severity_rank[] = {
    [CPER_SEVERITY_INFORMATIONAL] = 0,
    [CPER_SEVERITY_CORRECTED]     = 1,
    [CPER_SEVERITY_RECOVERABLE]   = 2,
    [CPER_SEVERITY_FATAL]         = 3,
};

static uint32_t worse_severity(uint32_t a, uint32_t b)
{
    return severity_rank[a] > severity_rank[b] ? a : b;
}

static bool is_uncorrectable(uint32_t severity)
{
    return severity == CPER_SEVERITY_FATAL ||
           severity == CPER_SEVERITY_RECOVERABLE;
}

static const char *const memory_error_type_names[] = {
    [CPER_MEMORY_UNKNOWN]                = "unknown",
    [CPER_MEMORY_NO_ERROR]               = "no error",
    [CPER_MEMORY_SINGLE_BIT_ECC]         = "single-bit ECC",
    [CPER_MEMORY_MULTI_BIT_ECC]          = "multi-bit ECC",
    [CPER_MEMORY_SINGLE_SYMBOL_CHIPKILL] = "single-symbol chipkill ECC",
    [CPER_MEMORY_MULTI_SYMBOL_CHIPKILL]  = "multi-symbol chipkill ECC",
    [CPER_MEMORY_MASTER_ABORT]           = "master abort",
    [CPER_MEMORY_TARGET_ABORT]           = "target abort",
    [CPER_MEMORY_PARITY]                 = "parity",
    [CPER_MEMORY_WATCHDOG_TIMEOUT]       = "watchdog timeout",
    [CPER_MEMORY_INVALID_ADDRESS]        = "invalid address",
    [CPER_MEMORY_MIRROR_BROKEN]          = "mirror broken",
    [CPER_MEMORY_SPARING]                = "memory sparing",
    [CPER_MEMORY_SCRUB_CORRECTED]        = "scrub corrected",
    [CPER_MEMORY_SCRUB_UNCORRECTED]      = "scrub uncorrected",
    [CPER_MEMORY_PHYSICAL_MAP_OUT]       = "physical memory map-out",
};

QEMU_BUILD_BUG_ON(ARRAY_SIZE(memory_error_type_names) !=
                  CPER_MEMORY_ERROR_TYPE__MAX);

static const char *const error_status_type_names[] = {
    [CPER_STATUS_TYPE_INTERNAL]      = "internal",
    [CPER_STATUS_TYPE_DRAM]          = "DRAM",
    [CPER_STATUS_TYPE_TLB]           = "TLB",
    [CPER_STATUS_TYPE_CACHE]         = "cache",
    [CPER_STATUS_TYPE_FUNCTION]      = "functional unit",
    [CPER_STATUS_TYPE_SELF_TEST]     = "self test",
    [CPER_STATUS_TYPE_FLOW]          = "queue overflow",
    [CPER_STATUS_TYPE_BUS]           = "bus",
    [CPER_STATUS_TYPE_MAP]           = "IO-TLB",
    [CPER_STATUS_TYPE_IMPROPER]      = "improper access",
    [CPER_STATUS_TYPE_UNIMPLEMENTED] = "unmapped address",
    [CPER_STATUS_TYPE_LOCKSTEP]      = "loss of lockstep",
    [CPER_STATUS_TYPE_RESPONSE]      = "response without request",
    [CPER_STATUS_TYPE_PARITY]        = "bus parity",
    [CPER_STATUS_TYPE_PROTOCOL]      = "protocol",
    [CPER_STATUS_TYPE_PATH]          = "path",
    [CPER_STATUS_TYPE_TIMEOUT]       = "bus timeout",
    [CPER_STATUS_TYPE_POISONED]      = "poisoned read",
};

QEMU_BUILD_BUG_ON(ARRAY_SIZE(error_status_type_names) != CPER_STATUS_TYPE__MAX);

static const char *const arm_transaction_type_names[] = {
    [CPER_ARM_TRANSACTION_INSTRUCTION] = "instruction",
    [CPER_ARM_TRANSACTION_DATA]        = "data",
    [CPER_ARM_TRANSACTION_GENERIC]     = "generic",
};

/* These exist in all types of error; a type's own ones come after them */
static const char *const arm_operation_names[] = {
    [CPER_ARM_OPERATION_GENERIC]           = "generic",
    [CPER_ARM_OPERATION_GENERIC_READ]      = "generic read",
    [CPER_ARM_OPERATION_GENERIC_WRITE]     = "generic write",
    [CPER_ARM_OPERATION_DATA_READ]         = "data read",
    [CPER_ARM_OPERATION_DATA_WRITE]        = "data write",
    [CPER_ARM_OPERATION_INSTRUCTION_FETCH] = "instruction fetch",
    [CPER_ARM_OPERATION_PREFETCH]          = "prefetch",
};

static const char *const arm_cache_operation_names[] = {
    [CPER_ARM_OPERATION_EVICTION]   = "eviction",
    [CPER_ARM_OPERATION_SNOOPING]   = "snooping",
    [CPER_ARM_OPERATION_SNOOPED]    = "snooped",
    [CPER_ARM_OPERATION_MANAGEMENT] = "management",
};

static const char *const arm_tlb_operation_names[] = {
    [CPER_ARM_OPERATION_LOCAL_MANAGEMENT]    = "local management",
    [CPER_ARM_OPERATION_EXTERNAL_MANAGEMENT] = "external management",
};

static const char *const arm_participation_type_names[] = {
    [CPER_ARM_PARTICIPATION_ORIGINATED] = "originated",
    [CPER_ARM_PARTICIPATION_RESPONDED]  = "responded",
    [CPER_ARM_PARTICIPATION_OBSERVED]   = "observed",
    [CPER_ARM_PARTICIPATION_GENERIC]    = "generic",
};

static const char *const arm_address_space_names[] = {
    [CPER_ARM_ADDRESS_SPACE_EXTERNAL] = "external memory",
    [CPER_ARM_ADDRESS_SPACE_INTERNAL] = "internal memory",
    [CPER_ARM_ADDRESS_SPACE_UNKNOWN]  = "unknown",
    [CPER_ARM_ADDRESS_SPACE_DEVICE]   = "device memory",
};

const char *cper_severity_name(uint32_t severity)
{
    return severity < ARRAY_SIZE(severity_names) ?
           severity_names[severity] : NULL;
}

const char *cper_memory_error_type_name(uint8_t type)
{
    return type < ARRAY_SIZE(memory_error_type_names) ?
           memory_error_type_names[type] : NULL;
}

const char *cper_error_status_type_name(uint8_t type)
{
    return type < ARRAY_SIZE(error_status_type_names) ?
           error_status_type_names[type] : NULL;
}

const char *cper_arm_type_name(uint8_t type)
{
    switch (type) {
    case CPER_ARM_TYPE_CACHE:
        return "cache";
    case CPER_ARM_TYPE_TLB:
        return "TLB";
    case CPER_ARM_TYPE_BUS:
        return "bus";
    case CPER_ARM_TYPE_MICRO_ARCHITECTURAL:
        return "micro-architectural";
    default:
        return NULL;
    }
}

const char *cper_arm_transaction_type_name(uint16_t transaction_type)
{
    return transaction_type < ARRAY_SIZE(arm_transaction_type_names) ?
           arm_transaction_type_names[transaction_type] : NULL;
}

const char *cper_arm_operation_name(uint8_t type, uint16_t operation)
{
    if (operation < ARRAY_SIZE(arm_operation_names)) {
        return arm_operation_names[operation];
    }
    if (type == CPER_ARM_TYPE_CACHE &&
        operation < ARRAY_SIZE(arm_cache_operation_names)) {
        return arm_cache_operation_names[operation];
    }
    if (type == CPER_ARM_TYPE_TLB &&
        operation < ARRAY_SIZE(arm_tlb_operation_names)) {
        return arm_tlb_operation_names[operation];
    }
    return NULL;
}

const char *cper_arm_participation_type_name(uint16_t participation_type)
{
    return participation_type < ARRAY_SIZE(arm_participation_type_names) ?
           arm_participation_type_names[participation_type] : NULL;
}

const char *cper_arm_address_space_name(uint16_t address_space)
{
    return address_space < ARRAY_SIZE(arm_address_space_names) ?
           arm_address_space_names[address_space] : NULL;
}

static bool refuse(const char **why, const char *reason)
{
    if (why) {
        *why = reason;
    }
    return false;
}

/*
 * Time
 */

static bool is_leap_year(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* From 0000-01-01, which begins a leap year */
static int64_t days_before_year(int64_t year)
{
    return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

bool cper_timestamp_from_unix(CperTimestamp *t, int64_t seconds)
{
    const int64_t day_seconds = 24 * 60 * 60;
    const int64_t first = -days_before_year(1970) * day_seconds;
    const int64_t end = first + days_before_year(10000) * day_seconds;
    int64_t day, year;
    unsigned month = 1;

    if (seconds < first || seconds >= end) {
        return false;
    }
    day = (seconds - first) / day_seconds;
    seconds = (seconds - first) % day_seconds;

    /* by the mean length of a year, which is right or off by one */
    year = day * 400 / days_before_year(400);
    if (days_before_year(year) > day) {
        year--;
    } else if (days_before_year(year + 1) <= day) {
        year++;
    }
    day -= days_before_year(year);
    while (day >= days_in_month(year, month)) {
        day -= days_in_month(year, month);
        month++;
    }

    *t = (CperTimestamp) {
        .year = year,
        .month = month,
        .day = day + 1,
        .hours = seconds / 3600,
        .minutes = seconds / 60 % 60,
        .seconds = seconds % 60,
    };
    return true;
}

static bool timestamp_exists(const CperTimestamp *t)
{
    return t->year <= 9999 && t->month >= 1 && t->month <= 12 &&
           t->day >= 1 && t->day <= days_in_month(t->year, t->month) &&
           t->hours <= 23 && t->minutes <= 59 && t->seconds <= 59;
}

static uint8_t to_bcd(unsigned value)
{
    return value / 10 << 4 | value % 10;
}

/* -1 if it is not BCD */
static int from_bcd(uint8_t bcd)
{
    int tens = bcd >> 4;
    int ones = bcd & 0x0f;

    return tens > 9 || ones > 9 ? -1 : tens * 10 + ones;
}

/* UEFI 2.10 N.2.1, the timestamp of the record header, has the same bytes */
static void timestamp_encode(uint8_t *p, const CperTimestamp *t)
{
    p[0] = to_bcd(t->seconds);
    p[1] = to_bcd(t->minutes);
    p[2] = to_bcd(t->hours);
    p[3] = t->precise;
    p[4] = to_bcd(t->day);
    p[5] = to_bcd(t->month);
    p[6] = to_bcd(t->year % 100);
    p[7] = to_bcd(t->year / 100);
}

static bool timestamp_decode(const uint8_t *p, CperTimestamp *t)
{
    int value[CPER_TIMESTAMP_SIZE];
    CperTimestamp found;
    int i;

    for (i = 0; i < CPER_TIMESTAMP_SIZE; i++) {
        value[i] = from_bcd(p[i]);
        if (value[i] < 0) {
            return false;
        }
    }
    if (p[3] & ~1) {
        return false;
    }
    found = (CperTimestamp) {
        .year = value[7] * 100 + value[6],
        .month = value[5],
        .day = value[4],
        .hours = value[2],
        .minutes = value[1],
        .seconds = value[0],
        .precise = p[3],
    };
    if (!timestamp_exists(&found)) {
        return false;
    }
    *t = found;
    return true;
}

/*
 * Data entry
 */

bool cper_entry_check(const CperEntry *e, const char **why)
{
    if (!cper_severity_name(e->severity)) {
        return refuse(why, "severity is not one of 0 to 3");
    }
    if (e->has_timestamp && !timestamp_exists(&e->timestamp)) {
        return refuse(why, "timestamp is not in the calendar");
    }
    return true;
}

static void entry_encode(uint8_t *p, const CperEntry *e, const uint8_t *type,
                         uint32_t data_length)
{
    uint8_t valid = 0;

    memcpy(p + ENTRY(section_type), type, CPER_GUID_SIZE);
    stl_le_p(p + ENTRY(error_severity), e->severity);
    stw_le_p(p + ENTRY(revision), CPER_ENTRY_REVISION);
    p[ENTRY(flags)] = e->flags;
    stl_le_p(p + ENTRY(error_data_length), data_length);

    memset(p + ENTRY(fru_id), 0, CPER_ENTRY_HEADER_SIZE - ENTRY(fru_id));
    if (e->has_fru_id) {
        valid |= CPER_ENTRY_VALID_FRU_ID;
        memcpy(p + ENTRY(fru_id), e->fru_id, CPER_FRU_ID_SIZE);
    }
    if (e->has_fru_text) {
        valid |= CPER_ENTRY_VALID_FRU_TEXT;
        /* nothing from behind the end of the text may get out */
        memcpy(p + ENTRY(fru_text), e->fru_text,
               strnlen(e->fru_text, CPER_FRU_TEXT_SIZE));
    }
    if (e->has_timestamp) {
        valid |= CPER_ENTRY_VALID_TIMESTAMP;
        timestamp_encode(p + ENTRY(timestamp), &e->timestamp);
    }
    p[ENTRY(validation_bits)] = valid;
}

/* The header of an old entry ends before the timestamp */
static void entry_decode(const uint8_t *p, CperSection *s, size_t header)
{
    s->type = p + ENTRY(section_type);
    s->revision = lduw_le_p(p + ENTRY(revision));
    s->validation_bits = p[ENTRY(validation_bits)];
    s->data = p + header;
    s->data_length = ldl_le_p(p + ENTRY(error_data_length));

    s->entry = (CperEntry) {
        .severity = ldl_le_p(p + ENTRY(error_severity)),
        .flags = p[ENTRY(flags)],
        .has_fru_id = s->validation_bits & CPER_ENTRY_VALID_FRU_ID,
        .has_fru_text = s->validation_bits & CPER_ENTRY_VALID_FRU_TEXT,
    };
    memcpy(s->entry.fru_id, p + ENTRY(fru_id), CPER_FRU_ID_SIZE);
    memcpy(s->entry.fru_text, p + ENTRY(fru_text), CPER_FRU_TEXT_SIZE);
    if (s->validation_bits & CPER_ENTRY_VALID_TIMESTAMP &&
        header == CPER_ENTRY_HEADER_SIZE) {
        s->entry.has_timestamp = timestamp_decode(p + ENTRY(timestamp),
                                                  &s->entry.timestamp);
    }
}

/*
 * Memory error section
 */

static uint64_t host_get(const CperMemoryError *m, const CperMemoryField *f)
{
    const uint8_t *p = (const uint8_t *)m + f->host_offset;

    switch (f->size) {
    case 1:
        return *p;
    case 2:
        return *(const uint16_t *)p;
    default:
        return *(const uint64_t *)p;
    }
}

uint64_t cper_memory_field_get(const CperMemoryError *m,
                               const CperMemoryField *f)
{
    return (host_get(m, f) & f->mask) >> f->shift;
}

static void memory_encode(uint8_t *p, const CperMemoryError *m)
{
    uint64_t left = m->validation_bits & CPER_MEMORY_VALID_ALL;

    memset(p, 0, CPER_MEMORY_SIZE);
    stq_le_p(p + MEMORY(validation_bits), left);

    /* "or", as the parts of bank and of extended have their own bits */
    for (; left; left &= left - 1) {
        const CperMemoryField *f = &cper_memory_fields[__builtin_ctzll(left)];
        uint64_t value = host_get(m, f) & f->mask;
        uint8_t *field = p + f->offset;

        switch (f->size) {
        case 1:
            *field |= value;
            break;
        case 2:
            stw_le_p(field, lduw_le_p(field) | value);
            break;
        default:
            stq_le_p(field, value);
            break;
        }
    }
}

bool cper_memory_decode(const void *data, size_t len, CperMemoryError *m)
{
    const uint8_t *p = data;

    if (len < CPER_MEMORY_SIZE_OLD) {
        return false;
    }
    *m = (CperMemoryError) {
        .validation_bits = ldq_le_p(p + MEMORY(validation_bits)),
        .error_status = ldq_le_p(p + MEMORY(error_status)),
        .physical_address = ldq_le_p(p + MEMORY(physical_address)),
        .physical_address_mask = ldq_le_p(p + MEMORY(physical_address_mask)),
        .node = lduw_le_p(p + MEMORY(node)),
        .card = lduw_le_p(p + MEMORY(card)),
        .module = lduw_le_p(p + MEMORY(module)),
        .bank = lduw_le_p(p + MEMORY(bank)),
        .device = lduw_le_p(p + MEMORY(device)),
        .row = lduw_le_p(p + MEMORY(row)),
        .column = lduw_le_p(p + MEMORY(column)),
        .bit_position = lduw_le_p(p + MEMORY(bit_position)),
        .requestor_id = ldq_le_p(p + MEMORY(requestor_id)),
        .responder_id = ldq_le_p(p + MEMORY(responder_id)),
        .target_id = ldq_le_p(p + MEMORY(target_id)),
        .memory_error_type = p[MEMORY(memory_error_type)],
    };
    if (len < CPER_MEMORY_SIZE) {
        m->validation_bits &= CPER_MEMORY_VALID_OLD;
    } else {
        m->extended = p[MEMORY(extended)];
        m->rank_number = lduw_le_p(p + MEMORY(rank_number));
        m->card_handle = lduw_le_p(p + MEMORY(card_handle));
        m->module_handle = lduw_le_p(p + MEMORY(module_handle));
    }
    return true;
}

/*
 * ARM processor error section
 */

static unsigned arm_error_field_count(uint8_t type)
{
    switch (type) {
    case CPER_ARM_TYPE_CACHE:
    case CPER_ARM_TYPE_TLB:
        return ARM_ERROR_FIELDS;
    case CPER_ARM_TYPE_BUS:
        return ARM_BUS_ERROR_FIELDS;
    default:
        return 0;
    }
}

bool cper_arm_error_encode(uint8_t type, const CperArmError *error,
                           uint64_t *error_information)
{
    unsigned count = arm_error_field_count(type);
    uint64_t valid = error->validation_bits & ((1U << count) - 1);
    uint64_t left, result = valid;

    if (!count) {
        return false;
    }
    for (left = valid; left; left &= left - 1) {
        unsigned i = __builtin_ctzll(left);
        uint64_t value = *(const uint16_t *)((const uint8_t *)error +
                                             arm_error_fields[i].host_offset);

        if (value >> arm_error_fields[i].bits) {
            return false;
        }
        result |= value << arm_error_fields[i].shift;
    }
    *error_information = result;
    return true;
}

bool cper_arm_error_decode(uint8_t type, uint64_t error_information,
                           CperArmError *error)
{
    unsigned i, count = arm_error_field_count(type);

    if (!count) {
        return false;
    }
    *error = (CperArmError) { .validation_bits = error_information };
    for (i = 0; i < count; i++) {
        *(uint16_t *)((uint8_t *)error + arm_error_fields[i].host_offset) =
            error_information >> arm_error_fields[i].shift &
            ((1U << arm_error_fields[i].bits) - 1);
    }
    return true;
}

static void arm_error_info_encode(uint8_t *p, const CperArmErrorInfo *info)
{
    uint16_t valid = info->validation_bits & CPER_ARM_INFO_VALID_ALL;

    memset(p, 0, CPER_ARM_ERROR_INFO_SIZE);
    p[INFO(length)] = CPER_ARM_ERROR_INFO_SIZE;
    stw_le_p(p + INFO(validation_bits), valid);
    p[INFO(type)] = info->type;
    if (valid & CPER_ARM_INFO_VALID_MULTIPLE_ERROR) {
        stw_le_p(p + INFO(multiple_error), info->multiple_error);
    }
    if (valid & CPER_ARM_INFO_VALID_FLAGS) {
        p[INFO(flags)] = info->flags;
    }
    if (valid & CPER_ARM_INFO_VALID_ERROR_INFORMATION) {
        stq_le_p(p + INFO(error_information), info->error_information);
    }
    if (valid & CPER_ARM_INFO_VALID_VIRTUAL_ADDRESS) {
        stq_le_p(p + INFO(virtual_fault_address), info->virtual_fault_address);
    }
    if (valid & CPER_ARM_INFO_VALID_PHYSICAL_ADDRESS) {
        stq_le_p(p + INFO(physical_fault_address),
                 info->physical_fault_address);
    }
}

static void arm_processor_encode(uint8_t *p, const CperArmProcessor *a,
                                 uint32_t length)
{
    uint32_t valid = a->validation_bits & (CPER_ARM_VALID_MPIDR |
                                           CPER_ARM_VALID_AFFINITY_LEVEL |
                                           CPER_ARM_VALID_RUNNING_STATE);
    unsigned i;

    memset(p, 0, CPER_ARM_PROCESSOR_SIZE);
    stl_le_p(p + ARM(validation_bits), valid);
    stw_le_p(p + ARM(err_info_num), a->err_info_num);
    stl_le_p(p + ARM(section_length), length);
    stq_le_p(p + ARM(midr_el1), a->midr_el1);
    if (valid & CPER_ARM_VALID_MPIDR) {
        stq_le_p(p + ARM(mpidr_el1), a->mpidr_el1);
    }
    if (valid & CPER_ARM_VALID_AFFINITY_LEVEL) {
        p[ARM(error_affinity_level)] = a->error_affinity_level;
    }
    if (valid & CPER_ARM_VALID_RUNNING_STATE) {
        if (a->running_state & CPER_ARM_RUNNING) {
            stl_le_p(p + ARM(running_state), CPER_ARM_RUNNING);
        } else {
            stl_le_p(p + ARM(psci_state), a->psci_state);
        }
    }

    p += CPER_ARM_PROCESSOR_SIZE;
    for (i = 0; i < a->err_info_num; i++, p += CPER_ARM_ERROR_INFO_SIZE) {
        arm_error_info_encode(p, &a->err_info[i]);
    }
}

/* Returns the size of all context information structures, -1: they don't fit */
static int64_t arm_context_info_size(const uint8_t *p, size_t len, unsigned num)
{
    size_t offset = 0;

    while (num--) {
        uint32_t size;

        if (len - offset < CPER_ARM_CONTEXT_INFO_SIZE) {
            return -1;
        }
        size = ldl_le_p(p + offset + CONTEXT(register_array_size));
        offset += CPER_ARM_CONTEXT_INFO_SIZE;
        if (size > len - offset) {
            return -1;
        }
        offset += size;
    }
    return offset;
}

bool cper_arm_processor_decode(const void *data, size_t len,
                               CperArmProcessor *a, const char **why)
{
    const uint8_t *p = data;
    uint32_t section_length;
    uint16_t err_info_num, context_info_num;
    int64_t context_info_size;
    size_t offset;
    unsigned i;

    if (len < CPER_ARM_PROCESSOR_SIZE) {
        return refuse(why, "ARM processor section is shorter than its 40-byte "
                      "header");
    }
    section_length = ldl_le_p(p + ARM(section_length));
    if (section_length != len) {
        return refuse(why, "section length of an ARM processor section is not "
                      "the error_data_length of its entry");
    }
    err_info_num = lduw_le_p(p + ARM(err_info_num));
    if (!err_info_num) {
        return refuse(why, "ERR_INFO_NUM of an ARM processor section is 0");
    }
    if ((len - CPER_ARM_PROCESSOR_SIZE) / CPER_ARM_ERROR_INFO_SIZE <
        err_info_num) {
        return refuse(why, "error information does not fit in its ARM "
                      "processor section");
    }
    for (i = 0; i < err_info_num; i++) {
        offset = CPER_ARM_PROCESSOR_SIZE + i * CPER_ARM_ERROR_INFO_SIZE;
        if (p[offset + INFO(length)] != CPER_ARM_ERROR_INFO_SIZE) {
            return refuse(why, "length of an ARM error information structure "
                          "is not 32");
        }
    }
    context_info_num = lduw_le_p(p + ARM(context_info_num));
    offset = CPER_ARM_PROCESSOR_SIZE + err_info_num * CPER_ARM_ERROR_INFO_SIZE;
    context_info_size = arm_context_info_size(p + offset, len - offset,
                                              context_info_num);
    if (context_info_size < 0) {
        return refuse(why, "context information does not fit in its ARM "
                      "processor section");
    }

    *a = (CperArmProcessor) {
        .validation_bits = ldl_le_p(p + ARM(validation_bits)),
        .err_info_num = err_info_num,
        .error_affinity_level = p[ARM(error_affinity_level)],
        .mpidr_el1 = ldq_le_p(p + ARM(mpidr_el1)),
        .midr_el1 = ldq_le_p(p + ARM(midr_el1)),
        .running_state = ldl_le_p(p + ARM(running_state)),
        .psci_state = ldl_le_p(p + ARM(psci_state)),
        .context_info_num = context_info_num,
        .context_info_offset = offset,
        .context_info_size = context_info_size,
        .vendor_info_offset = offset + context_info_size,
        .vendor_info_size = len - offset - context_info_size,
    };
    p += CPER_ARM_PROCESSOR_SIZE;
    for (i = 0; i < MIN(err_info_num, CPER_ARM_ERR_INFO_MAX); i++) {
        a->err_info[i] = (CperArmErrorInfo) {
            .validation_bits = lduw_le_p(p + INFO(validation_bits)),
            .type = p[INFO(type)],
            .flags = p[INFO(flags)],
            .multiple_error = lduw_le_p(p + INFO(multiple_error)),
            .error_information = ldq_le_p(p + INFO(error_information)),
            .virtual_fault_address = ldq_le_p(p + INFO(virtual_fault_address)),
            .physical_fault_address =
                ldq_le_p(p + INFO(physical_fault_address)),
        };
        p += CPER_ARM_ERROR_INFO_SIZE;
    }
    return true;
}

/*
 * Writing a status block
 */

unsigned cper_block_max_memory_entries(size_t block_size)
{
    const size_t entry_size = CPER_ENTRY_HEADER_SIZE + CPER_MEMORY_SIZE;

    if (block_size < CPER_BLOCK_HEADER_SIZE) {
        return 0;
    }
    return MIN((block_size - CPER_BLOCK_HEADER_SIZE) / entry_size,
               CPER_BLOCK_ENTRY_COUNT_MAX);
}

void cper_block_init(CperBlock *b, void *buf, size_t size)
{
    *b = (CperBlock) {
        .buf = buf,
        .size = MIN(size, UINT32_MAX),  /* lengths in the block are 32 bits */
        .used = CPER_BLOCK_HEADER_SIZE,
        .severity = CPER_SEVERITY_INFORMATIONAL,
    };
}

/* Writes the header of the next entry; returns its payload, NULL if refused */
static uint8_t *block_add(CperBlock *b, const CperEntry *e, const uint8_t *type,
                          size_t data_length)
{
    uint8_t *p;

    if (b->size < b->used + CPER_ENTRY_HEADER_SIZE ||
        data_length > b->size - b->used - CPER_ENTRY_HEADER_SIZE ||
        b->entries == CPER_BLOCK_ENTRY_COUNT_MAX ||
        !cper_entry_check(e, NULL)) {
        return NULL;
    }

    p = b->buf + b->used;
    entry_encode(p, e, type, data_length);
    b->used += CPER_ENTRY_HEADER_SIZE + data_length;
    b->entries++;
    if (is_uncorrectable(e->severity)) {
        b->uncorrectable++;
    } else {
        b->correctable++;
    }
    b->severity = worse_severity(b->severity, e->severity);
    return p + CPER_ENTRY_HEADER_SIZE;
}

bool cper_block_add_section(CperBlock *b, const CperEntry *e,
                            const uint8_t *type,
                            const void *data, size_t data_length)
{
    uint8_t *p = block_add(b, e, type, data_length);

    if (p && data_length) {
        memcpy(p, data, data_length);
    }
    return p != NULL;
}

bool cper_block_add_memory(CperBlock *b, const CperEntry *e,
                           const CperMemoryError *m)
{
    uint8_t *p = block_add(b, e, cper_section_memory, CPER_MEMORY_SIZE);

    if (p) {
        memory_encode(p, m);
    }
    return p != NULL;
}

bool cper_block_add_arm_processor(CperBlock *b, const CperEntry *e,
                                  const CperArmProcessor *a)
{
    size_t length = CPER_ARM_PROCESSOR_SIZE +
                    a->err_info_num * CPER_ARM_ERROR_INFO_SIZE;
    uint8_t *p;

    if (!a->err_info_num || a->err_info_num > CPER_ARM_ERR_INFO_MAX) {
        return false;
    }
    p = block_add(b, e, cper_section_arm_processor, length);
    if (p) {
        arm_processor_encode(p, a, length);
    }
    return p != NULL;
}

uint32_t cper_block_status(const CperBlock *b)
{
    uint32_t status = b->entries << CPER_BLOCK_ENTRY_COUNT_SHIFT;

    if (b->uncorrectable) {
        status |= CPER_BLOCK_UNCORRECTABLE;
    }
    if (b->uncorrectable > 1) {
        status |= CPER_BLOCK_MULTIPLE_UNCORRECTABLE;
    }
    if (b->correctable) {
        status |= CPER_BLOCK_CORRECTABLE;
    }
    if (b->correctable > 1) {
        status |= CPER_BLOCK_MULTIPLE_CORRECTABLE;
    }
    return status;
}

size_t cper_block_finish_body(CperBlock *b)
{
    if (b->size < CPER_BLOCK_HEADER_SIZE) {
        return 0;
    }
    stl_le_p(b->buf + BLOCK(raw_data_offset), 0);
    stl_le_p(b->buf + BLOCK(raw_data_length), 0);
    stl_le_p(b->buf + BLOCK(data_length), b->used - CPER_BLOCK_HEADER_SIZE);
    stl_le_p(b->buf + BLOCK(error_severity), b->severity);
    return b->used;
}

size_t cper_block_finish(CperBlock *b)
{
    size_t length = cper_block_finish_body(b);

    if (length) {
        stl_le_p(b->buf + BLOCK(block_status), cper_block_status(b));
    }
    return length;
}

/*
 * Reading a status block
 */

bool cper_block_foreach(const void *buf, size_t len, CperSectionFn *fn,
                        void *opaque, const char **why)
{
    const uint8_t *p = buf;
    uint32_t data_length;
    size_t offset, end;
    CperSection s;

    if (len < CPER_BLOCK_HEADER_SIZE) {
        return refuse(why, "block is shorter than its 20-byte header");
    }
    data_length = ldl_le_p(p + BLOCK(data_length));
    if (data_length > len - CPER_BLOCK_HEADER_SIZE) {
        return refuse(why, "data_length runs past the end of the block");
    }

    s.index = 0;
    end = CPER_BLOCK_HEADER_SIZE + (size_t)data_length;
    for (offset = CPER_BLOCK_HEADER_SIZE; offset < end; s.index++) {
        size_t left = end - offset;
        size_t header = CPER_ENTRY_HEADER_SIZE_OLD;

        if (left >= header && p[offset + ENTRY(revision) + 1] >= 3) {
            header = CPER_ENTRY_HEADER_SIZE;
        }
        if (left < header) {
            return refuse(why, "entry header does not fit in data_length");
        }
        s.offset = offset;
        entry_decode(p + offset, &s, header);
        if (s.data_length > left - header) {
            return refuse(why, "section does not fit in data_length");
        }
        if (!fn(&s, opaque)) {
            return refuse(why, NULL);
        }
        offset += header + s.data_length;
    }
    if (why) {
        *why = NULL;
    }
    return true;
}

size_t cper_block_length(const void *buf, size_t len)
{
    const uint8_t *p = buf;
    uint32_t data_length, raw_offset, raw_length;
    uint64_t length;

    if (len < CPER_BLOCK_HEADER_SIZE) {
        return 0;
    }
    data_length = ldl_le_p(p + BLOCK(data_length));
    raw_offset = ldl_le_p(p + BLOCK(raw_data_offset));
    raw_length = ldl_le_p(p + BLOCK(raw_data_length));

    length = CPER_BLOCK_HEADER_SIZE + (uint64_t)data_length;
    if (raw_length) {
        length = MAX(length, (uint64_t)raw_offset + raw_length);
    }
    return length <= len ? length : 0;
}

typedef struct BlockCheck {
    unsigned entries;
    bool uncorrectable;             /* there is such an entry */
    bool corrected;
    bool informational;
    uint32_t severity;              /* the worst entry so far */
    const char *why;
} BlockCheck;

static bool block_check_section(const CperSection *s, void *opaque)
{
    BlockCheck *check = opaque;

    check->entries++;
    if (s->revision != CPER_ENTRY_REVISION) {
        return refuse(&check->why, "revision of an entry is not 0x0300");
    }
    if (!cper_severity_name(s->entry.severity)) {
        return refuse(&check->why,
                      "error_severity of an entry is not one of 0 to 3");
    }
    check->uncorrectable |= is_uncorrectable(s->entry.severity);
    check->corrected |= s->entry.severity == CPER_SEVERITY_CORRECTED;
    check->informational |= s->entry.severity == CPER_SEVERITY_INFORMATIONAL;
    check->severity = worse_severity(check->severity, s->entry.severity);
    if (s->validation_bits & ~CPER_ENTRY_VALID_ALL) {
        return refuse(&check->why,
                      "validation_bits of an entry has reserved bits set");
    }
    if (s->validation_bits & CPER_ENTRY_VALID_TIMESTAMP &&
        !s->entry.has_timestamp) {
        return refuse(&check->why, "timestamp of an entry is not a BCD date");
    }
    if (!memcmp(s->type, cper_section_memory, CPER_GUID_SIZE) &&
        s->data_length < CPER_MEMORY_SIZE) {
        return refuse(&check->why,
                      "memory error section is shorter than 80 bytes");
    }
    if (!memcmp(s->type, cper_section_arm_processor, CPER_GUID_SIZE)) {
        CperArmProcessor a;

        /* Linux steps through the errors by lengths that it does not check */
        return cper_arm_processor_decode(s->data, s->data_length, &a,
                                         &check->why);
    }
    return true;
}

/*
 * Does block_status say of the errors what the entries say?  Informational
 * entries count as correctable, or not: ACPI does not say.
 */
static bool block_check_status(uint32_t status, const BlockCheck *check,
                               const char **why)
{
    bool uncorrectable = status & CPER_BLOCK_UNCORRECTABLE;
    bool correctable = status & CPER_BLOCK_CORRECTABLE;

    if (status & CPER_BLOCK_MULTIPLE_UNCORRECTABLE && !uncorrectable) {
        return refuse(why, "block_status says multiple uncorrectable, but not "
                      "uncorrectable");
    }
    if (status & CPER_BLOCK_MULTIPLE_CORRECTABLE && !correctable) {
        return refuse(why, "block_status says multiple correctable, but not "
                      "correctable");
    }
    if (!check->entries) {
        return true;
    }
    if (check->uncorrectable && !uncorrectable) {
        return refuse(why, "block_status does not say uncorrectable, but an "
                      "entry is fatal or recoverable");
    }
    if (!check->uncorrectable && uncorrectable) {
        return refuse(why, "block_status says uncorrectable, but no entry is "
                      "fatal or recoverable");
    }
    if (check->corrected && !correctable) {
        return refuse(why, "block_status does not say correctable, but an "
                      "entry is corrected");
    }
    if (!check->corrected && !check->informational && correctable) {
        return refuse(why, "block_status says correctable, but no entry is "
                      "corrected or informational");
    }
    return true;
}

bool cper_block_check(const void *buf, size_t len, const char **why)
{
    const uint8_t *p = buf;
    BlockCheck check = { .severity = CPER_SEVERITY_INFORMATIONAL };
    const char *damage;
    uint32_t status, severity, data_length, raw_offset, raw_length;

    if (!cper_block_foreach(buf, len, block_check_section, &check, &damage)) {
        return refuse(why, damage ? damage : check.why);
    }

    status = ldl_le_p(p + BLOCK(block_status));
    if (!status) {
        return refuse(why, "block_status is 0: the block is empty");
    }
    if (status & CPER_BLOCK_STATUS_RESERVED) {
        return refuse(why, "block_status has reserved bits set");
    }
    if (!(status & (CPER_BLOCK_UNCORRECTABLE | CPER_BLOCK_CORRECTABLE))) {
        return refuse(why, "block_status is neither uncorrectable nor "
                      "correctable");
    }
    if ((status & CPER_BLOCK_ENTRY_COUNT_MASK) >> CPER_BLOCK_ENTRY_COUNT_SHIFT
        != check.entries) {
        return refuse(why, "entry count in block_status is not the number of "
                      "entries");
    }
    severity = ldl_le_p(p + BLOCK(error_severity));
    if (!cper_severity_name(severity)) {
        return refuse(why, "error_severity of the block is not one of 0 to 3");
    }
    if (check.entries && severity != check.severity) {
        return refuse(why, "error_severity of the block is not that of its "
                      "worst entry");
    }
    if (!block_check_status(status, &check, why)) {
        return false;
    }

    data_length = ldl_le_p(p + BLOCK(data_length));
    raw_offset = ldl_le_p(p + BLOCK(raw_data_offset));
    raw_length = ldl_le_p(p + BLOCK(raw_data_length));
    if (raw_length) {
        if (raw_offset < CPER_BLOCK_HEADER_SIZE + (uint64_t)data_length) {
            return refuse(why, "raw data overlaps the header or the entries");
        }
        if ((uint64_t)raw_offset + raw_length > len) {
            return refuse(why, "raw data runs past the end of the block");
        }
    }
    return true;
}
