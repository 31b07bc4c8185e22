/*
 * CPER: Generic Error Status Block, Generic Error Data Entry, platform memory
 * error section and ARM processor error section; encode and check.
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
QEMU_BUILD_BUG_ON(MEMORY(memory_error_type) != CPER_MEMORY_SIZE_OLD - 1);
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

/* UEFI 2.10 N.2.1, the timestamp of the record header, has the same bytes */
static bool timestamp_exists(const uint8_t *p)
{
    static const uint8_t days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    unsigned value[CPER_TIMESTAMP_SIZE], year, month, day;
    bool leap;

    for (int i = 0; i < CPER_TIMESTAMP_SIZE; i++) {
        /* BCD */
        if (p[i] >> 4 > 9 || (p[i] & 0xf) > 9) {
            return false;
        }
        value[i] = (p[i] >> 4) * 10 + (p[i] & 0xf);
    }
    year = value[7] * 100 + value[6];
    month = value[5];
    day = value[4];
    leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    /* p[3] says whether it is precise */
    return value[0] <= 59 && value[1] <= 59 && value[2] <= 23 && p[3] <= 1 &&
           month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap);
}

/*
 * Data entry
 */

static void entry_encode(uint8_t *p, const CperEntry *e, const uint8_t *type,
                         uint32_t data_length)
{
    memset(p, 0, CPER_ENTRY_HEADER_SIZE);
    memcpy(p + ENTRY(section_type), type, CPER_GUID_SIZE);
    stl_le_p(p + ENTRY(error_severity), e->severity);
    stw_le_p(p + ENTRY(revision), CPER_ENTRY_REVISION);
    p[ENTRY(validation_bits)] = CPER_ENTRY_VALID_FRU_TEXT;
    p[ENTRY(flags)] = e->flags;
    stl_le_p(p + ENTRY(error_data_length), data_length);
    /* nothing from behind the end of the text may get out */
    memcpy(p + ENTRY(fru_text), e->fru_text,
           strnlen(e->fru_text, CPER_FRU_TEXT_SIZE));
}

/*
 * Memory error section
 */

static void memory_encode(uint8_t *p, const CperMemoryError *m)
{
    memset(p, 0, CPER_MEMORY_SIZE);
    stq_le_p(p + MEMORY(validation_bits),
             CPER_MEMORY_VALID_ERROR_STATUS |
             CPER_MEMORY_VALID_PHYSICAL_ADDRESS |
             CPER_MEMORY_VALID_PHYSICAL_ADDRESS_MASK |
             CPER_MEMORY_VALID_MEMORY_ERROR_TYPE);
    stq_le_p(p + MEMORY(error_status), m->error_status);
    stq_le_p(p + MEMORY(physical_address), m->physical_address);
    stq_le_p(p + MEMORY(physical_address_mask), m->physical_address_mask);
    p[MEMORY(memory_error_type)] = m->memory_error_type;
}

/*
 * ARM processor error section
 */

#define ARM_PROCESSOR_ONE_ERROR (CPER_ARM_PROCESSOR_SIZE + \
                                 CPER_ARM_ERROR_INFO_SIZE)

static void arm_processor_encode(uint8_t *p, const CperArmProcessor *a)
{
    const CperArmErrorInfo *e = &a->error;

    memset(p, 0, ARM_PROCESSOR_ONE_ERROR);
    stl_le_p(p + ARM(validation_bits),
             CPER_ARM_VALID_MPIDR | CPER_ARM_VALID_RUNNING_STATE);
    stw_le_p(p + ARM(err_info_num), 1);
    stl_le_p(p + ARM(section_length), ARM_PROCESSOR_ONE_ERROR);
    stq_le_p(p + ARM(mpidr_el1), a->mpidr_el1);
    stq_le_p(p + ARM(midr_el1), a->midr_el1);
    stl_le_p(p + ARM(running_state), a->running_state);
    stl_le_p(p + ARM(psci_state), a->psci_state);

    p += CPER_ARM_PROCESSOR_SIZE;
    p[INFO(length)] = CPER_ARM_ERROR_INFO_SIZE;
    stw_le_p(p + INFO(validation_bits), e->validation_bits);
    p[INFO(type)] = e->type;
    stw_le_p(p + INFO(multiple_error), e->multiple_error);
    p[INFO(flags)] = e->flags;
    stq_le_p(p + INFO(error_information), e->error_information);
    stq_le_p(p + INFO(virtual_fault_address), e->virtual_fault_address);
    stq_le_p(p + INFO(physical_fault_address), e->physical_fault_address);
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
        b->entries == CPER_BLOCK_ENTRY_COUNT_MAX) {
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
    uint8_t *p = block_add(b, e, cper_section_arm_processor,
                           ARM_PROCESSOR_ONE_ERROR);

    if (p) {
        arm_processor_encode(p, a);
    }
    return p != NULL;
}

static uint32_t block_status(const CperBlock *b)
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

size_t cper_block_finish(CperBlock *b)
{
    if (b->size < CPER_BLOCK_HEADER_SIZE) {
        return 0;
    }
    stl_le_p(b->buf + BLOCK(block_status), block_status(b));
    stl_le_p(b->buf + BLOCK(raw_data_offset), 0);
    stl_le_p(b->buf + BLOCK(raw_data_length), 0);
    stl_le_p(b->buf + BLOCK(data_length), b->used - CPER_BLOCK_HEADER_SIZE);
    stl_le_p(b->buf + BLOCK(error_severity), b->severity);
    return b->used;
}

/*
 * Reading a status block
 */

#define TOO_SHORT         "block is shorter than its 20-byte header"
#define EMPTY             "block_status is 0: the block is empty"
#define DATA_TOO_LONG     "data_length runs past the end of the block"
#define RAW_DATA_TOO_LONG "raw data runs past the end of the block"

/* One data entry, as found; the payload has any alignment */
typedef struct CperSection {
    const uint8_t *type;            /* CPER_GUID_SIZE bytes, memory order */
    uint32_t severity;              /* maybe an unknown one */
    uint16_t revision;
    uint8_t validation_bits;
    bool has_timestamp;             /* one that exists */
    const uint8_t *data;
    uint32_t data_length;           /* bytes */
} CperSection;

/* Returns: whether to go on with the next entry */
typedef bool CperSectionFn(const CperSection *section, void *opaque);

/* The header of an old entry ends before the timestamp */
static void entry_decode(const uint8_t *p, CperSection *s, size_t header)
{
    *s = (CperSection) {
        .type = p + ENTRY(section_type),
        .severity = ldl_le_p(p + ENTRY(error_severity)),
        .revision = lduw_le_p(p + ENTRY(revision)),
        .validation_bits = p[ENTRY(validation_bits)],
        .data = p + header,
        .data_length = ldl_le_p(p + ENTRY(error_data_length)),
    };
    s->has_timestamp = s->validation_bits & CPER_ENTRY_VALID_TIMESTAMP &&
                       header == CPER_ENTRY_HEADER_SIZE &&
                       timestamp_exists(p + ENTRY(timestamp));
}

/*
 * Walks the entries, and checks only what is needed to stay inside.  False if
 * the block is damaged, or, with *@why NULL, if @fn asked to stop.
 */
static bool block_foreach(const void *buf, size_t len, CperSectionFn *fn,
                          void *opaque, const char **why)
{
    const uint8_t *p = buf;
    uint32_t data_length;
    size_t offset, end;
    CperSection s;

    if (len < CPER_BLOCK_HEADER_SIZE) {
        return refuse(why, TOO_SHORT);
    }
    data_length = ldl_le_p(p + BLOCK(data_length));
    if (data_length > len - CPER_BLOCK_HEADER_SIZE) {
        return refuse(why, DATA_TOO_LONG);
    }

    end = CPER_BLOCK_HEADER_SIZE + (size_t)data_length;
    for (offset = CPER_BLOCK_HEADER_SIZE; offset < end;) {
        size_t left = end - offset;
        size_t header = CPER_ENTRY_HEADER_SIZE_OLD;

        if (left >= header && p[offset + ENTRY(revision) + 1] >= 3) {
            header = CPER_ENTRY_HEADER_SIZE;
        }
        if (left < header) {
            return refuse(why, "entry header does not fit in data_length");
        }
        entry_decode(p + offset, &s, header);
        if (s.data_length > left - header) {
            return refuse(why, "section does not fit in data_length");
        }
        if (!fn(&s, opaque)) {
            return refuse(why, NULL);
        }
        offset += header + s.data_length;
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

static bool walk_on(const CperSection *section, void *opaque)
{
    return true;
}

size_t cper_block_walk(const void *buf, size_t len)
{
    const char *why;

    return block_foreach(buf, len, walk_on, NULL, &why) ?
           cper_block_length(buf, len) : 0;
}

bool cper_block_fits(const void *buf, size_t len, const char **why)
{
    const uint8_t *p = buf;

    if (len < CPER_BLOCK_HEADER_SIZE) {
        return refuse(why, TOO_SHORT);
    }
    if (!ldl_le_p(p + BLOCK(block_status))) {
        return refuse(why, EMPTY);
    }
    if (ldl_le_p(p + BLOCK(data_length)) > len - CPER_BLOCK_HEADER_SIZE) {
        return refuse(why, DATA_TOO_LONG);
    }
    if (!cper_block_length(buf, len)) {
        return refuse(why, RAW_DATA_TOO_LONG);
    }
    return true;
}

static bool arm_context_info_fits(const uint8_t *p, size_t len, unsigned num)
{
    size_t offset = 0;

    while (num--) {
        uint32_t size;

        if (len - offset < CPER_ARM_CONTEXT_INFO_SIZE) {
            return false;
        }
        size = ldl_le_p(p + offset + CONTEXT(register_array_size));
        offset += CPER_ARM_CONTEXT_INFO_SIZE;
        if (size > len - offset) {
            return false;
        }
        offset += size;
    }
    return true;
}

/* Linux steps through the errors by lengths that it does not check */
static bool arm_processor_check(const CperSection *s, const char **why)
{
    const uint8_t *p = s->data;
    size_t len = s->data_length;
    uint32_t section_length;
    uint16_t err_info_num, context_info_num;
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
    if (!arm_context_info_fits(p + offset, len - offset, context_info_num)) {
        return refuse(why, "context information does not fit in its ARM "
                      "processor section");
    }
    return true;
}

/*
 * Sections
 */

/* The old form has no more than 73 bytes, and no fields behind them. */
static bool memory_check(const CperSection *s, const char **why)
{
    if (s->data_length == CPER_MEMORY_SIZE_OLD) {
        return !(ldq_le_p(s->data + MEMORY(validation_bits)) &
                 ~CPER_MEMORY_VALID_OLD) ||
               refuse(why, "memory error section of 73 bytes has validation "
                      "bits of fields that are behind them");
    }
    return s->data_length >= CPER_MEMORY_SIZE ||
           refuse(why, "memory error section is shorter than 80 bytes");
}

/* UEFI 2.10 N.2.10: the GUID at the end came with revision 2. */
static bool firmware_error_check(const CperSection *s, const char **why)
{
    return s->data[1] < 2 || s->data_length >= 32 ||
           refuse(why, "firmware error section of revision 2 is shorter than "
                  "32 bytes");
}

/*
 * UEFI 2.10 N.2.13: behind the fixed part, the DVSEC and the error log of the
 * lengths that it says.  Linux reads the log as the registers of CXL 3.0
 * 8.2.4.16, 88 bytes, if it is valid.
 */
static bool cxl_protocol_check(const CperSection *s, const char **why)
{
    unsigned dvsec_length = lduw_le_p(s->data + 108);
    unsigned log_length = lduw_le_p(s->data + 110);

    if (s->data_length - 116 < dvsec_length + log_length) {
        return refuse(why, "DVSEC and error log do not fit in their CXL "
                      "protocol error section");
    }
    return !(ldq_le_p(s->data) & 1 << 6) || log_length >= 88 ||
           refuse(why, "error log of a CXL protocol error section is shorter "
                  "than 88 bytes");
}

/*
 * What a reader may take for granted: UEFI 2.10 N.2.2 has the types, and the
 * section in the comment their layout.  Those of Itanium are in another
 * specification.
 */
#define LEAST(least_, what_) \
    .least = least_, .why = what_ " section is shorter than " #least_ " bytes"

#define GUID(...) (const uint8_t[CPER_GUID_SIZE])CPER_GUID(__VA_ARGS__)

static const struct {
    const uint8_t *type;
    uint16_t least;                 /* bytes that there have to be */
    const char *why;                /* what is wrong with fewer */
    /* what else there is to check, of at least so many bytes */
    bool (*check)(const CperSection *s, const char **why);
} sections[] = {
    /* N.2.4.1 */
    { cper_section_generic_processor, LEAST(192, "generic processor error") },
    /* N.2.4.2: the fixed part */
    { GUID(0xdc3ea0b0, 0xa144, 0x4797,
           0xb9, 0x5b, 0x53, 0xfa, 0x24, 0x2b, 0x6e, 0x1d),
      LEAST(64, "IA32/X64 processor error") },
    /* N.2.4.4 */
    { cper_section_arm_processor, .check = arm_processor_check },
    /* N.2.5 */
    { cper_section_memory, .check = memory_check },
    /* N.2.6 */
    { cper_section_memory2, LEAST(96, "memory error 2") },
    /* N.2.7 */
    { cper_section_pcie, LEAST(208, "PCIe error") },
    /* N.2.8 */
    { GUID(0xc5753963, 0x3b84, 0x4095,
           0xbf, 0x78, 0xed, 0xda, 0xd3, 0xf9, 0xc9, 0xdd),
      LEAST(72, "PCI/PCI-X bus error") },
    /* N.2.9: up to the pairs of registers */
    { GUID(0xeb5e4685, 0xca66, 0x4769,
           0xb6, 0xa2, 0x26, 0x06, 0x8b, 0x00, 0x13, 0x26),
      LEAST(40, "PCI/PCI-X component error") },
    /* N.2.10: revisions 0 and 1 */
    { cper_section_firmware_error, LEAST(16, "firmware error"),
      firmware_error_check },
    /* N.2.11.1 */
    { GUID(0x5b51fef7, 0xc79d, 0x4434,
           0x8f, 0x1b, 0xaa, 0x62, 0xde, 0x3e, 0x2c, 0x64),
      LEAST(32, "generic DMAr error") },
    /* N.2.11.2 */
    { GUID(0x71761d37, 0x32b2, 0x45cd,
           0xa7, 0xd0, 0xb0, 0xfe, 0xdd, 0x93, 0xe8, 0xcf),
      LEAST(144, "VT-d DMAr error") },
    /* N.2.11.3 */
    { GUID(0x036f84e1, 0x7f37, 0x428c,
           0xa7, 0x9e, 0x57, 0x5f, 0xdf, 0xaa, 0x84, 0xec),
      LEAST(144, "IOMMU DMAr error") },
    /* N.2.12: up to the log */
    { GUID(0x91335ef6, 0xebfb, 0x4478,
           0xa6, 0xa6, 0x88, 0xb7, 0x28, 0xcf, 0x75, 0xd7),
      LEAST(16, "CCIX PER log error") },
    /* N.2.13: the fixed part */
    { GUID(0x80b9efb4, 0x52b5, 0x4de3,
           0xa7, 0x77, 0x68, 0x78, 0x4b, 0x77, 0x10, 0x48),
      LEAST(116, "CXL protocol error"), cxl_protocol_check },
    /*
     * N.2.14: 32 bytes, then an event record of CXL 3.0 8.2.9.2.1 without its
     * GUID, 112 bytes.  General media, DRAM, memory module: Linux copies all.
     */
    { GUID(0xfbcd0a77, 0xc260, 0x417f,
           0x85, 0xa9, 0x08, 0x8b, 0x16, 0x21, 0xeb, 0xa6),
      LEAST(144, "CXL general media event") },
    { GUID(0x601dcbb3, 0x9c06, 0x4eab,
           0xb8, 0xaf, 0x4e, 0x9b, 0xfb, 0x5c, 0x96, 0x24),
      LEAST(144, "CXL DRAM event") },
    { GUID(0xfe927475, 0xdd59, 0x4339,
           0xa5, 0x86, 0x79, 0xba, 0xb1, 0x13, 0xbc, 0x74),
      LEAST(144, "CXL memory module event") },
    /* the 32 bytes: switches, physical and virtual, and ports of devices */
    { GUID(0x77cf9271, 0x9c02, 0x470b,
           0x9f, 0xe4, 0xbc, 0x7b, 0x75, 0xf2, 0xda, 0x97),
      LEAST(32, "CXL physical switch event") },
    { GUID(0x40d26425, 0x3396, 0x4c4d,
           0xa5, 0xda, 0x3d, 0x47, 0x26, 0x3a, 0xf4, 0x25),
      LEAST(32, "CXL virtual switch event") },
    { GUID(0x8dc44363, 0x0c96, 0x4710,
           0xb7, 0xbf, 0x04, 0xbb, 0x99, 0x53, 0x4c, 0x3f),
      LEAST(32, "CXL MLD port event") },
};

/* Of a type that is not defined, any length will do. */
static bool section_check(const CperSection *s, const char **why)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sections); i++) {
        if (memcmp(s->type, sections[i].type, CPER_GUID_SIZE)) {
            continue;
        }
        if (s->data_length < sections[i].least) {
            return refuse(why, sections[i].why);
        }
        return !sections[i].check || sections[i].check(s, why);
    }
    return true;
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
    if (s->severity > CPER_SEVERITY_INFORMATIONAL) {
        return refuse(&check->why,
                      "error_severity of an entry is not one of 0 to 3");
    }
    check->uncorrectable |= is_uncorrectable(s->severity);
    check->corrected |= s->severity == CPER_SEVERITY_CORRECTED;
    check->informational |= s->severity == CPER_SEVERITY_INFORMATIONAL;
    check->severity = worse_severity(check->severity, s->severity);
    if (s->validation_bits & ~CPER_ENTRY_VALID_ALL) {
        return refuse(&check->why,
                      "validation_bits of an entry has reserved bits set");
    }
    if (s->validation_bits & CPER_ENTRY_VALID_TIMESTAMP &&
        !s->has_timestamp) {
        return refuse(&check->why, "timestamp of an entry is not a BCD date");
    }
    return section_check(s, &check->why);
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

    if (!block_foreach(buf, len, block_check_section, &check, &damage)) {
        return refuse(why, damage ? damage : check.why);
    }

    status = ldl_le_p(p + BLOCK(block_status));
    if (!status) {
        return refuse(why, EMPTY);
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
    if (severity > CPER_SEVERITY_INFORMATIONAL) {
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
            return refuse(why, RAW_DATA_TOO_LONG);
        }
    }
    return true;
}
