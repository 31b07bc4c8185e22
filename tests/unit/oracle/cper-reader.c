/*
 * A reader of generic error status blocks, as a Linux guest reads them
 *
 * See cper-reader.h. Offsets are those of ACPI 6.5 tables 18.391 and 18.392
 * and of UEFI 2.10 appendix N; what Linux makes of them was looked up in
 * drivers/acpi/apei/ghes.c, drivers/firmware/efi/cper.c and lib/ratelimit.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cper-reader.h"

#define BLOCK_HEADER 20         /* Linux refuses sources with less */
#define BLOCK_LIMIT 65536       /* GHES_ESTATUS_MAX_SIZE */
#define ENTRY_HEADER_OLD 64
#define ENTRY_HEADER_V3 72
#define MEMORY_LENGTH 80
#define MEMORY_LENGTH_OLD 73
#define ARM_LENGTH 40
#define ARM_INFO_LENGTH 32
#define ARM_CONTEXT_LENGTH 8    /* and the registers */

#define CACHE_MS 10000
#define RATELIMIT_MS 5000
#define RATELIMIT_BURST 2

/* Section flags, UEFI 2.10 N.2.2 */
#define FLAG_THRESHOLD_EXCEEDED 0x08

/* Bits of error types of the ARM section, UEFI 2.9A reading */
#define ARM_TYPE_CACHE 0x02
#define ARM_TYPE_TLB 0x04
#define ARM_TYPE_BUS 0x08
#define ARM_TYPE_DEFINED 0x1e
#define ARM_INFO_HAS_INFO 0x04
#define ARM_INFO_HAS_PA 0x10

/* Valid bits of the memory section that code below asks for by name */
#define MEM_STATUS      (1ull << 0)
#define MEM_PA          (1ull << 1)
#define MEM_MASK        (1ull << 2)
#define MEM_BANK        (1ull << 6)
#define MEM_ROW         (1ull << 8)
#define MEM_TYPE        (1ull << 14)
#define MEM_RANK        (1ull << 15)
#define MEM_MODULE_HANDLE (1ull << 17)
#define MEM_ROW_EXT     (1ull << 18)
#define MEM_BANK_GROUP  (1ull << 19)
#define MEM_BANK_ADDRESS (1ull << 20)
#define MEM_CHIP_ID     (1ull << 21)
#define MEM_DEFINED     ((1ull << 22) - 1)

static uint64_t read_le(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;

    while (bytes--) {
        v = v << 8 | p[bytes];
    }
    return v;
}

/*
 * Little endian field at @offset of the record. What lies behind the record
 * reads as 0; in Linux it would be what an earlier record left there.
 */
static uint64_t field(const CperReading *r, size_t offset, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = 0; i < bytes; i++) {
        if (offset + i < r->record_length) {
            v |= (uint64_t)r->record[offset + i] << (8 * i);
        }
    }
    return v;
}

static bool G_GNUC_PRINTF(2, 3) refuse(GString *why, const char *fmt, ...)
{
    va_list ap;

    if (why) {
        if (why->len) {
            g_string_append(why, "; ");
        }
        va_start(ap, fmt);
        g_string_append_vprintf(why, fmt, ap);
        va_end(ap);
    }
    return false;
}

/* A GUID as text: three little endian numbers, then bytes */
static void format_guid(const uint8_t *p, char out[37])
{
    snprintf(out, 37,
             "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             (unsigned)read_le(p, 4), (unsigned)read_le(p + 4, 2),
             (unsigned)read_le(p + 6, 2), p[8], p[9], p[10], p[11], p[12],
             p[13], p[14], p[15]);
}

/* The section types Linux 6.12 knows on arm64, and what it prints for them */
static const struct SectionType {
    const char *guid;
    const char *name;
    CperReadSection section;
    uint32_t min_length;
} section_types[] = {
    { "a5bc1114-6f64-4ede-b863-3e83ed7c83b1", "memory error",
      CPER_READ_SECTION_MEMORY, MEMORY_LENGTH_OLD },
    { "e19e3d16-bc11-11e4-9caa-c2051d5d46b0", "ARM processor error",
      CPER_READ_SECTION_ARM, ARM_LENGTH },
    { "9876ccad-47b4-4bdb-b65e-16f193c4f3db", "general processor error",
      CPER_READ_SECTION_OTHER, 192 },
    { "d995e954-bbc1-430f-ad91-b44dcb3c6f35", "PCIe error",
      CPER_READ_SECTION_OTHER, 208 },
    { "81212a96-09ed-4996-9471-8d729c8e69ed",
      "Firmware Error Record Reference", CPER_READ_SECTION_OTHER, 16 },
    { "80b9efb4-52b5-4de3-a777-68784b771048", "CXL Protocol Error",
      CPER_READ_SECTION_OTHER, 0 },
};

static const struct SectionType *find_section_type(const uint8_t *guid)
{
    char text[37];

    format_guid(guid, text);
    for (size_t i = 0; i < G_N_ELEMENTS(section_types); i++) {
        if (!strcmp(text, section_types[i].guid)) {
            return &section_types[i];
        }
    }
    return NULL;
}

static void read_memory(const CperReading *r, size_t at, uint32_t length,
                        CperReadMemory *m)
{
    m->validation_bits = field(r, at, 8);
    m->error_status = field(r, at + 8, 8);
    m->physical_address = field(r, at + 16, 8);
    m->physical_address_mask = field(r, at + 24, 8);
    m->node = field(r, at + 32, 2);
    m->card = field(r, at + 34, 2);
    m->module = field(r, at + 36, 2);
    m->bank = field(r, at + 38, 2);
    m->device = field(r, at + 40, 2);
    m->row = field(r, at + 42, 2);
    m->column = field(r, at + 44, 2);
    m->bit_position = field(r, at + 46, 2);
    m->requestor_id = field(r, at + 48, 8);
    m->responder_id = field(r, at + 56, 8);
    m->target_id = field(r, at + 64, 8);
    m->error_type = field(r, at + 72, 1);
    if (length < MEMORY_LENGTH) {
        return;
    }
    m->extended = field(r, at + 73, 1);
    m->rank_number = field(r, at + 74, 2);
    m->card_handle = field(r, at + 76, 2);
    m->module_handle = field(r, at + 78, 2);
}

static void read_arm_info(const CperReading *r, size_t at, CperReadArmInfo *i)
{
    i->version = field(r, at, 1);
    i->length = field(r, at + 1, 1);
    i->validation_bits = field(r, at + 2, 2);
    i->type = field(r, at + 4, 1);
    i->multiple_error = field(r, at + 5, 2);
    i->flags = field(r, at + 7, 1);
    i->error_info = field(r, at + 8, 8);
    i->virtual_address = field(r, at + 16, 8);
    i->physical_address = field(r, at + 24, 8);
}

void cper_read_arm_error(uint64_t error_info, CperReadArmError *e)
{
    e->validation_bits = error_info & 0xffff;
    e->transaction_type = error_info >> 16 & 3;
    e->operation = error_info >> 18 & 15;
    e->level = error_info >> 22 & 7;
    e->context_corrupt = error_info >> 25 & 1;
    e->corrected = error_info >> 26 & 1;
    e->precise_pc = error_info >> 27 & 1;
    e->restartable_pc = error_info >> 28 & 1;
    e->participation_type = error_info >> 29 & 3;
    e->time_out = error_info >> 31 & 1;
    e->address_space = error_info >> 32 & 3;
    e->memory_attributes = error_info >> 34 & 0x1ff;
    e->access_mode = error_info >> 43 & 1;
}

static void read_arm(const CperReading *r, size_t at, uint32_t length,
                     CperReadArm *a)
{
    size_t start = at, end = at + length;

    a->validation_bits = field(r, at, 4);
    a->err_info_num = field(r, at + 4, 2);
    a->context_info_num = field(r, at + 6, 2);
    a->section_length = field(r, at + 8, 4);
    a->affinity_level = field(r, at + 12, 1);
    a->mpidr = field(r, at + 16, 8);
    a->midr = field(r, at + 24, 8);
    a->running_state = field(r, at + 32, 4);
    a->psci_state = field(r, at + 36, 4);

    at += ARM_LENGTH;
    while (a->n_infos < a->err_info_num && end - at >= ARM_INFO_LENGTH) {
        CperReadArmInfo info;

        read_arm_info(r, at, &info);
        if (info.length != ARM_INFO_LENGTH) {
            a->odd_info_length = true;
        }
        if (a->n_infos < CPER_READ_ARM_INFOS) {
            a->infos[a->n_infos] = info;
        }
        a->n_infos++;
        at += ARM_INFO_LENGTH;
    }

    a->contexts_at = at - start;
    while (a->n_contexts < a->context_info_num &&
           end - at >= ARM_CONTEXT_LENGTH) {
        uint64_t size = ARM_CONTEXT_LENGTH + field(r, at + 4, 4);

        if (size > end - at) {
            break;
        }
        a->n_contexts++;
        at += size;
    }
    a->vendor_at = at - start;
    a->contexts_length = a->vendor_at - a->contexts_at;
    a->vendor_length = end - at;
}

/* @e->offset and @e->header_length are set and the entry is in the record */
static void read_entry(const CperReading *r, CperReadEntry *e)
{
    const uint8_t *p = r->record + e->offset;
    size_t payload = e->offset + e->header_length;
    const struct SectionType *type;

    memcpy(e->section_type, p, sizeof(e->section_type));
    e->error_severity = read_le(p + 16, 4);
    e->revision = read_le(p + 20, 2);
    e->validation_bits = p[22];
    e->flags = p[23];
    e->error_data_length = read_le(p + 24, 4);
    memcpy(e->fru_id, p + 28, sizeof(e->fru_id));
    memcpy(e->fru_text, p + 44, 20);
    if (e->header_length == ENTRY_HEADER_V3) {
        memcpy(e->timestamp, p + 64, sizeof(e->timestamp));
    }

    type = find_section_type(e->section_type);
    if (!type) {
        e->section = CPER_READ_SECTION_UNKNOWN;
        return;
    }
    e->section = type->section;
    e->too_small = e->error_data_length < type->min_length;
    if (e->too_small) {
        return;
    }
    if (type->section == CPER_READ_SECTION_MEMORY) {
        read_memory(r, payload, e->error_data_length, &e->memory);
    } else if (type->section == CPER_READ_SECTION_ARM) {
        read_arm(r, payload, e->error_data_length, &e->arm);
    }
}

/* cper_estatus_check(): each entry fits, and the sum is data_length exactly */
static bool read_entries(CperReading *r, GString *why)
{
    g_autoptr(GArray) entries = g_array_new(false, true, sizeof(CperReadEntry));
    size_t at = BLOCK_HEADER;
    size_t left = r->data_length;

    while (left) {
        CperReadEntry e = { .offset = at };
        uint32_t version = left >= 22 ? field(r, at + 20, 2) >> 8 : 0;
        uint32_t payload, size;

        e.header_length = version >= 3 ? ENTRY_HEADER_V3 : ENTRY_HEADER_OLD;
        if (e.header_length > left) {
            return refuse(why, "Failed to read error status block! entry %u:"
                          " %zu bytes left for a header of %zu",
                          entries->len, left, e.header_length);
        }
        payload = field(r, at + 24, 4);
        size = payload + e.header_length;
        if (size < payload) {
            return refuse(why, "entry %u: data length %" PRIu32 " wraps, Linux"
                          " would not advance past it", entries->len, payload);
        }
        if (size > left) {
            return refuse(why, "Failed to read error status block! entry %u:"
                          " %zu bytes left for %" PRIu32, entries->len, left,
                          size);
        }
        read_entry(r, &e);
        g_array_append_val(entries, e);
        at += size;
        left -= size;
    }
    r->n_entries = entries->len;
    r->entries = (CperReadEntry *)g_array_free(g_steal_pointer(&entries),
                                               false);
    return true;
}

bool cper_read(const uint8_t *buf, size_t block_length, CperReading *out,
               GString *why)
{
    uint32_t length;

    memset(out, 0, sizeof(*out));
    if (block_length < BLOCK_HEADER) {
        return refuse(why, "Invalid error block length: %zu", block_length);
    }
    block_length = MIN(block_length, BLOCK_LIMIT);

    out->block_status = read_le(buf, 4);
    out->raw_data_offset = read_le(buf + 4, 4);
    out->raw_data_length = read_le(buf + 8, 4);
    out->data_length = read_le(buf + 12, 4);
    out->error_severity = read_le(buf + 16, 4);

    if (!out->block_status) {
        return refuse(why, "block status is 0: there is no record");
    }

    /* In 32 bits, as in Linux: both sums can wrap */
    length = out->raw_data_length ?
             out->raw_data_offset + out->raw_data_length :
             BLOCK_HEADER + out->data_length;
    if (length < BLOCK_HEADER) {
        return refuse(why, "Truncated error status block! length %" PRIu32,
                      length);
    }
    if (length > block_length) {
        return refuse(why, "Invalid error status block length! %" PRIu32
                      " of %zu", length, block_length);
    }
    if (out->data_length && out->data_length < ENTRY_HEADER_OLD) {
        return refuse(why, "Invalid CPER header! data length %" PRIu32,
                      out->data_length);
    }
    if (out->raw_data_length &&
        out->raw_data_offset < (uint64_t)BLOCK_HEADER + out->data_length) {
        return refuse(why, "Invalid CPER header! raw data at %" PRIu32
                      " within the entries", out->raw_data_offset);
    }
    /* Linux lacks this check: with a wrapped sum it reads past its copy */
    if ((uint64_t)BLOCK_HEADER + out->data_length > length) {
        return refuse(why, "raw data length wraps, the entries are not in the"
                      " %" PRIu32 " bytes that Linux copies", length);
    }

    out->record_length = length;
    out->record = g_malloc(length);
    memcpy(out->record, buf, length);
    return read_entries(out, why);
}

void cper_reading_clear(CperReading *r)
{
    g_clear_pointer(&r->entries, g_free);
    g_clear_pointer(&r->record, g_free);
    r->n_entries = 0;
    r->record_length = 0;
}

uint32_t cper_read_row(const CperReadMemory *m)
{
    uint32_t row = m->row;

    if (m->validation_bits & MEM_ROW_EXT) {
        row |= (m->extended & 3u) << 16;
    }
    return row;
}

/*
 * What the specifications demand beyond what Linux checks
 */

static bool all_zero(const uint8_t *p, size_t length)
{
    while (length--) {
        if (p[length]) {
            return false;
        }
    }
    return true;
}

/* Returns -1 if it is not two decimal digits */
static int bcd(uint8_t v)
{
    return (v & 15) > 9 || v >> 4 > 9 ? -1 : (v >> 4) * 10 + (v & 15);
}

static bool strict_timestamp(const CperReadEntry *e, size_t n, GString *why)
{
    static const struct {
        uint8_t offset, min, max;
    } part[] = {
        { 0, 0, 59 }, { 1, 0, 59 }, { 2, 0, 23 }, { 4, 1, 31 }, { 5, 1, 12 },
        { 6, 0, 99 }, { 7, 0, 99 },
    };
    static const uint8_t days[] = {
        31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
    };
    const uint8_t *t = e->timestamp;
    int month = bcd(t[5]);
    bool ok = true;

    if (!(e->validation_bits & 4)) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(part); i++) {
        int v = bcd(t[part[i].offset]);

        if (v < part[i].min || v > part[i].max) {
            ok = refuse(why, "entry %zu: timestamp byte %u is 0x%02x", n,
                        part[i].offset, t[part[i].offset]);
        }
    }
    if (ok && month >= 1 && month <= 12 && bcd(t[4]) > days[month - 1]) {
        ok = refuse(why, "entry %zu: no such day in month %d", n, month);
    }
    if (ok && bcd(t[4]) == 29 && bcd(t[5]) == 2) {
        int year = bcd(t[7]) * 100 + bcd(t[6]);

        if (year % 4 || (!(year % 100) && year % 400)) {
            ok = refuse(why, "entry %zu: %d is no leap year", n, year);
        }
    }
    if (t[3] & ~1) {
        ok = refuse(why, "entry %zu: timestamp flags 0x%02x", n, t[3]);
    }
    return ok;
}

static bool strict_memory(const CperReadEntry *e, size_t n, GString *why)
{
    const uint32_t status_types = 1u << 1 | 0x3f0u | 0x7ff0000u;
    const CperReadMemory *m = &e->memory;
    uint8_t type = m->error_status >> 8;
    bool ok = true;

    if (e->error_data_length != MEMORY_LENGTH) {
        return refuse(why, "entry %zu: memory section of %" PRIu32 " bytes", n,
                      e->error_data_length);
    }
    if (m->validation_bits & ~MEM_DEFINED) {
        ok = refuse(why, "entry %zu: memory validation bits 0x%" PRIx64, n,
                    m->validation_bits);
    }
    if ((m->validation_bits & MEM_TYPE) && m->error_type > 15) {
        ok = refuse(why, "entry %zu: memory error type %u", n, m->error_type);
    }
    if (m->validation_bits & MEM_STATUS) {
        if (m->error_status & ~0x7fff00ull) {
            ok = refuse(why, "entry %zu: error status 0x%" PRIx64, n,
                        m->error_status);
        }
        if (type > 26 || !(status_types >> type & 1)) {
            ok = refuse(why, "entry %zu: error status type %u", n, type);
        }
    }
    if ((m->validation_bits & (MEM_ROW_EXT | MEM_CHIP_ID)) &&
        (m->extended & 0x1c)) {
        ok = refuse(why, "entry %zu: extended byte 0x%02x", n, m->extended);
    }
    return ok;
}

/* Do the numbers and lengths in the section say the same? */
static bool strict_arm_frame(const CperReadEntry *e, size_t n, GString *why)
{
    const CperReadArm *a = &e->arm;

    if (e->too_small) {
        return refuse(why, "entry %zu: ARM section of %" PRIu32 " bytes", n,
                      e->error_data_length);
    }
    if (a->section_length != e->error_data_length) {
        return refuse(why, "entry %zu: ARM section length %" PRIu32, n,
                      a->section_length);
    }
    if (!a->err_info_num || a->n_infos != a->err_info_num) {
        return refuse(why, "entry %zu: room for %zu of %u error infos", n,
                      a->n_infos, a->err_info_num);
    }
    if (a->odd_info_length) {
        return refuse(why, "entry %zu: length of an error info", n);
    }
    if (a->n_contexts != a->context_info_num) {
        return refuse(why, "entry %zu: room for %zu of %u contexts", n,
                      a->n_contexts, a->context_info_num);
    }
    return true;
}

static bool strict_arm_info(const CperReadArmInfo *i, size_t n, GString *why)
{
    /* the last operation of cache, TLB and bus errors */
    unsigned last = i->type == ARM_TYPE_CACHE ? 10 :
                    i->type == ARM_TYPE_TLB ? 8 : 6;
    uint64_t defined = i->type == ARM_TYPE_BUS ? 0xfffffff0fff : 0x1fff007f;
    CperReadArmError error;
    bool ok = true;

    if (i->version || i->validation_bits >> 5 ||
        !(i->type & ARM_TYPE_DEFINED) || (i->type & ~ARM_TYPE_DEFINED) ||
        ((i->validation_bits & 2) && i->flags >> 4)) {
        ok = refuse(why, "entry %zu: version %u, validation bits 0x%x, type"
                    " 0x%x or flags 0x%x of an error info", n, i->version,
                    i->validation_bits, i->type, i->flags);
    }
    if (!(i->validation_bits & ARM_INFO_HAS_INFO) ||
        (i->type != ARM_TYPE_CACHE && i->type != ARM_TYPE_TLB &&
         i->type != ARM_TYPE_BUS)) {
        return ok;
    }
    cper_read_arm_error(i->error_info, &error);
    if ((i->error_info & ~defined) ||
        ((error.validation_bits & 1) && error.transaction_type > 2) ||
        ((error.validation_bits & 2) && error.operation > last)) {
        ok = refuse(why, "entry %zu: error information 0x%" PRIx64, n,
                    i->error_info);
    }
    return ok;
}

static bool strict_arm(const CperReadEntry *e, size_t n, GString *why)
{
    const CperReadArm *a = &e->arm;
    bool ok = true;

    if (a->validation_bits >> 4) {
        ok = refuse(why, "entry %zu: ARM validation bits 0x%" PRIx32, n,
                    a->validation_bits);
    }
    if ((a->validation_bits & 4) &&
        (a->running_state > 1 || (a->running_state && a->psci_state))) {
        ok = refuse(why, "entry %zu: running state 0x%" PRIx32 ", PSCI state"
                    " 0x%" PRIx32, n, a->running_state, a->psci_state);
    }
    for (size_t i = 0; i < MIN(a->n_infos, CPER_READ_ARM_INFOS); i++) {
        ok = strict_arm_info(&a->infos[i], n, why) && ok;
    }
    return ok;
}

static bool strict_entry(const CperReading *r, size_t n, bool contents,
                         GString *why)
{
    const CperReadEntry *e = &r->entries[n];
    bool ok = true;

    if (e->error_severity > CPER_READ_INFORMATIONAL) {
        ok = refuse(why, "entry %zu: severity %" PRIu32, n, e->error_severity);
    }
    if (e->revision != 0x0300) {
        ok = refuse(why, "entry %zu: revision 0x%04x", n, e->revision);
    }
    if (e->validation_bits & ~7) {
        ok = refuse(why, "entry %zu: validation bits 0x%02x", n,
                    e->validation_bits);
    }
    ok = strict_timestamp(e, n, why) && ok;
    if (e->section == CPER_READ_SECTION_ARM) {
        return strict_arm_frame(e, n, why) &&
               (!contents || strict_arm(e, n, why)) && ok;
    }
    if ((contents && e->too_small) ||
        (e->section == CPER_READ_SECTION_MEMORY &&
         e->error_data_length < MEMORY_LENGTH)) {
        ok = refuse(why, "entry %zu: section of %" PRIu32 " bytes", n,
                    e->error_data_length);
    } else if (contents && e->section == CPER_READ_SECTION_MEMORY) {
        ok = strict_memory(e, n, why) && ok;
    }
    return ok;
}

/* The higher the worse; the codes themselves are not in order */
static int severity_rank(uint32_t severity)
{
    switch (severity) {
    case CPER_READ_INFORMATIONAL:
        return 0;
    case CPER_READ_CORRECTED:
        return 1;
    case CPER_READ_RECOVERABLE:
        return 2;
    default:
        return 3;
    }
}

/* @count: several entries are several errors */
static bool consistent(const CperReading *r, bool count, GString *why)
{
    unsigned uncorrectable = 0, corrected = 0, informational = 0;
    uint32_t s = r->block_status & 15;
    int worst = 0;
    bool ok = true;

    if ((s & 5) == 4 || (s & 10) == 8) {
        ok = refuse(why, "block status 0x%" PRIx32 ": several but not one", s);
    }
    if (!r->n_entries) {
        return ok;
    }
    for (size_t i = 0; i < r->n_entries; i++) {
        int rank = severity_rank(r->entries[i].error_severity);

        worst = MAX(worst, rank);
        uncorrectable += rank >= 2;
        corrected += rank == 1;
        informational += rank == 0;
    }
    /* where informational entries go is not written down */
    if ((s & 1) != (uncorrectable > 0) || (corrected && !(s & 2)) ||
        ((s & 2) && !corrected && !informational)) {
        ok = refuse(why, "block status 0x%" PRIx32 " for %u uncorrectable and"
                    " %u corrected errors", s, uncorrectable, corrected);
    }
    if (count &&
        ((uncorrectable > 1 && !(s & 4)) || (corrected > 1 && !(s & 8)))) {
        ok = refuse(why, "block status 0x%" PRIx32 " hides that there are"
                    " several errors", s);
    }
    if (severity_rank(r->error_severity) != worst) {
        ok = refuse(why, "block severity %" PRIu32 " is not that of the worst"
                    " entry", r->error_severity);
    }
    return ok;
}

static bool strict(const CperReading *r, bool contents, GString *why)
{
    uint32_t s = r->block_status;
    bool ok = true;

    for (size_t i = 0; i < r->n_entries; i++) {
        ok = strict_entry(r, i, contents, why) && ok;
    }
    if (s >> 14) {
        ok = refuse(why, "reserved bits of block status 0x%08" PRIx32, s);
    }
    if (r->n_entries > 0x3ff || (s >> 4 & 0x3ff) != r->n_entries) {
        ok = refuse(why, "block status counts %" PRIu32 " of %zu entries",
                    s >> 4 & 0x3ff, r->n_entries);
    }
    if (!(s & 3)) {
        ok = refuse(why, "block status says no error");
    }
    if (r->error_severity > CPER_READ_INFORMATIONAL) {
        ok = refuse(why, "block severity %" PRIu32, r->error_severity);
    }
    return consistent(r, false, why) && ok;
}

bool cper_read_strict(const CperReading *r, GString *why)
{
    return strict(r, true, why);
}

bool cper_read_strict_frame(const CperReading *r, GString *why)
{
    return strict(r, false, why);
}

bool cper_read_consistent(const CperReading *r, GString *why)
{
    return consistent(r, true, why);
}

/*
 * What is not valid is 0
 */

static bool tidy_memory(const CperReading *r, const CperReadEntry *e,
                        size_t n, GString *why)
{
    /* one row a field: any of these valid bits allows it to be non-zero */
    static const struct {
        uint8_t offset, length;
        uint64_t valid;
    } fields[] = {
        { 8, 8, MEM_STATUS }, { 16, 8, MEM_PA }, { 24, 8, MEM_MASK },
        { 32, 2, 1 << 3 }, { 34, 2, 1 << 4 }, { 36, 2, 1 << 5 },
        { 38, 1, MEM_BANK | MEM_BANK_ADDRESS },
        { 39, 1, MEM_BANK | MEM_BANK_GROUP },
        { 40, 2, 1 << 7 }, { 42, 2, MEM_ROW }, { 44, 2, 1 << 9 },
        { 46, 2, 1 << 10 }, { 48, 8, 1 << 11 }, { 56, 8, 1 << 12 },
        { 64, 8, 1 << 13 }, { 72, 1, MEM_TYPE },
        { 73, 1, MEM_ROW_EXT | MEM_CHIP_ID },
        { 74, 2, MEM_RANK }, { 76, 2, 1 << 16 }, { 78, 2, MEM_MODULE_HANDLE },
    };
    const CperReadMemory *m = &e->memory;
    size_t at = e->offset + e->header_length;
    bool ok = true;

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].offset + fields[i].length <= e->error_data_length &&
            !(m->validation_bits & fields[i].valid) &&
            !all_zero(r->record + at + fields[i].offset, fields[i].length)) {
            ok = refuse(why, "entry %zu: memory section byte %u is set but"
                        " not valid", n, fields[i].offset);
        }
    }
    if ((m->extended & 0x1c) ||
        ((m->extended & 0x03) && !(m->validation_bits & MEM_ROW_EXT)) ||
        ((m->extended & 0xe0) && !(m->validation_bits & MEM_CHIP_ID))) {
        ok = refuse(why, "entry %zu: extended byte 0x%02x", n, m->extended);
    }
    return ok;
}

static bool tidy_arm(const CperReading *r, const CperReadEntry *e, size_t n,
                     GString *why)
{
    const CperReadArm *a = &e->arm;
    size_t at = e->offset + e->header_length;
    bool ok = true;

    if (!all_zero(r->record + at + 13, 3)) {
        ok = refuse(why, "entry %zu: reserved bytes of the ARM section", n);
    }
    if ((!(a->validation_bits & 1) && a->mpidr) ||
        (!(a->validation_bits & 2) && a->affinity_level) ||
        (!(a->validation_bits & 4) && (a->running_state || a->psci_state)) ||
        (!(a->validation_bits & 8) && a->vendor_length)) {
        ok = refuse(why, "entry %zu: ARM section, bits 0x%" PRIx32 ": more is"
                    " set", n, a->validation_bits);
    }
    for (size_t i = 0; i < MIN(a->n_infos, CPER_READ_ARM_INFOS); i++) {
        const CperReadArmInfo *info = &a->infos[i];

        if ((!(info->validation_bits & 1) && info->multiple_error) ||
            (!(info->validation_bits & 2) && info->flags) ||
            (!(info->validation_bits & 4) && info->error_info) ||
            (!(info->validation_bits & 8) && info->virtual_address) ||
            (!(info->validation_bits & 16) && info->physical_address)) {
            ok = refuse(why, "entry %zu: error info %zu, bits 0x%x: more is"
                        " set", n, i, info->validation_bits);
        }
    }
    return ok;
}

bool cper_read_tidy(const CperReading *r, GString *why)
{
    bool ok = true;

    if (!r->raw_data_length && r->raw_data_offset) {
        ok = refuse(why, "raw data offset without raw data");
    }
    for (size_t n = 0; n < r->n_entries; n++) {
        const CperReadEntry *e = &r->entries[n];
        const uint8_t *text = r->record + e->offset + 44;

        if (!(e->validation_bits & 1) && !all_zero(e->fru_id, 16)) {
            ok = refuse(why, "entry %zu: FRU id without its valid bit", n);
        }
        if (!(e->validation_bits & 2) && !all_zero(text, 20)) {
            ok = refuse(why, "entry %zu: FRU text without its valid bit", n);
        }
        for (size_t i = strnlen(e->fru_text, 20); i < 20; i++) {
            if (text[i]) {
                ok = refuse(why, "entry %zu: bytes behind the FRU text", n);
                break;
            }
        }
        if (!(e->validation_bits & 4) && !all_zero(e->timestamp, 8)) {
            ok = refuse(why, "entry %zu: timestamp without its valid bit", n);
        }
        if (e->section == CPER_READ_SECTION_MEMORY && !e->too_small) {
            ok = tidy_memory(r, e, n, why) && ok;
        } else if (e->section == CPER_READ_SECTION_ARM && !e->too_small) {
            ok = tidy_arm(r, e, n, why) && ok;
        }
    }
    return ok;
}

/*
 * The dump in the kernel log
 */

/* Linux keeps only 16 bits of a severity that it prints */
static const char *severity_text(uint32_t severity)
{
    static const char *const text[] = {
        "recoverable", "fatal", "corrected", "info",
    };

    severity &= 0xffff;
    return severity < G_N_ELEMENTS(text) ? text[severity] : "unknown";
}

static const char *memory_type_text(uint8_t type)
{
    static const char *const text[] = {
        "unknown", "no error", "single-bit ECC", "multi-bit ECC",
        "single-symbol chipkill ECC", "multi-symbol chipkill ECC",
        "master abort", "target abort", "parity error", "watchdog timeout",
        "invalid address", "mirror Broken", "memory sparing",
        "scrub corrected error", "scrub uncorrected error",
        "physical memory map-out event",
    };

    return type < G_N_ELEMENTS(text) ? text[type] : "unknown";
}

static const char *error_status_text(uint64_t status)
{
    static const char *const text[] = {
        [1] = "Error detected internal to the component",
        [4] = "Storage error in DRAM memory",
        [5] = "Storage error in TLB",
        [6] = "Storage error in cache",
        [7] = "Error in one or more functional units",
        [8] = "Component failed self test",
        [9] = "Overflow or undervalue of internal queue",
        [16] = "Error detected in the bus",
        [17] = "Virtual address not found on IO-TLB or IO-PDIR",
        [18] = "Improper access error",
        [19] = "Access to a memory address which is not mapped to any"
               " component",
        [20] = "Loss of Lockstep",
        [21] = "Response not associated with a request",
        [22] = "Bus parity error - must also set the A, C, or D Bits",
        [23] = "Detection of a protocol error",
        [24] = "Detection of a PATH_ERROR",
        [25] = "Bus operation timeout",
        [26] = "A read was issued to data that has been poisoned",
    };
    unsigned type = status >> 8 & 0xff;

    return type < G_N_ELEMENTS(text) && text[type] ? text[type] : "Reserved";
}

/* Each item ends in a space, so the line does, too */
static void print_location(const CperReadMemory *m, const char *pfx,
                           GString *out)
{
    const struct {
        uint64_t valid;
        const char *name;
        unsigned value;
    } number[] = {
        { 1 << 3, "node", m->node },
        { 1 << 4, "card", m->card },
        { 1 << 5, "module", m->module },
        { MEM_RANK, "rank", m->rank_number },
        { MEM_BANK, "bank", m->bank },
        { MEM_BANK_GROUP, "bank_group", m->bank >> 8 },
        { MEM_BANK_ADDRESS, "bank_address", m->bank & 0xff },
        { 1 << 7, "device", m->device },
        { MEM_ROW | MEM_ROW_EXT, "row", cper_read_row(m) },
        { 1 << 9, "column", m->column },
        { 1 << 10, "bit_position", m->bit_position },
    };
    const struct {
        uint64_t valid;
        const char *name;
        uint64_t value;
    } id[] = {
        { 1 << 11, "requestor_id", m->requestor_id },
        { 1 << 12, "responder_id", m->responder_id },
        { 1 << 13, "target_id", m->target_id },
    };
    size_t start = out->len;

    for (size_t i = 0; i < G_N_ELEMENTS(number); i++) {
        if (m->validation_bits & number[i].valid) {
            g_string_append_printf(out, "%s:%u ", number[i].name,
                                   number[i].value);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(id); i++) {
        if (m->validation_bits & id[i].valid) {
            g_string_append_printf(out, "%s:0x%016" PRIx64 " ", id[i].name,
                                   id[i].value);
        }
    }
    if (m->validation_bits & MEM_CHIP_ID) {
        g_string_append_printf(out, "chip_id:%u ", m->extended >> 5u);
    }
    if (out->len > start) {
        g_string_insert(out, start, pfx);
        g_string_append_c(out, '\n');
    }
}

static void print_memory(const CperReadEntry *e, const char *pfx, GString *out)
{
    const CperReadMemory *m = &e->memory;

    if (e->error_data_length == MEMORY_LENGTH_OLD &&
        m->validation_bits >= MEM_RANK) {
        g_string_append(out, "[Firmware Warn]: valid bits set for fields"
                        " beyond structure\n");
        return;
    }
    if (m->validation_bits & MEM_STATUS) {
        g_string_append_printf(out, "%s error_status: %s (0x%016" PRIx64 ")\n",
                               pfx, error_status_text(m->error_status),
                               m->error_status);
    }
    if (m->validation_bits & MEM_PA) {
        g_string_append_printf(out, "%sphysical_address: 0x%016" PRIx64 "\n",
                               pfx, m->physical_address);
    }
    if (m->validation_bits & MEM_MASK) {
        g_string_append_printf(out, "%sphysical_address_mask: 0x%016" PRIx64
                               "\n", pfx, m->physical_address_mask);
    }
    print_location(m, pfx, out);
    if (m->validation_bits & MEM_TYPE) {
        g_string_append_printf(out, "%serror_type: %u, %s\n", pfx,
                               m->error_type, memory_type_text(m->error_type));
    }
    if (m->validation_bits & MEM_MODULE_HANDLE) {
        /* for a guest without an SMBIOS type 17 record of that handle */
        g_string_append_printf(out, "%sDIMM location: not present. DMI handle:"
                               " 0x%.4x", pfx, m->module_handle);
        g_string_append(out, " " "\n");
    }
}

/* print_hex_dump(): rows of 16 bytes in groups of 4, offset and ASCII */
static void print_hex(const uint8_t *p, size_t length, const char *pfx,
                      GString *out)
{
    for (size_t row = 0; row < length; row += 16) {
        size_t n = MIN(length - row, 16);
        size_t column, start;

        g_string_append_printf(out, "%s%.8zx: ", pfx, row);
        start = out->len;
        if (n % 4) {
            for (size_t i = 0; i < n; i++) {
                g_string_append_printf(out, "%s%02x", i ? " " : "", p[row + i]);
            }
            column = 49;
        } else {
            for (size_t i = 0; i < n; i += 4) {
                g_string_append_printf(out, "%s%08x", i ? " " : "",
                                       (unsigned)read_le(p + row + i, 4));
            }
            column = 37;
        }
        while (out->len - start < column) {
            g_string_append_c(out, ' ');
        }
        for (size_t i = 0; i < n; i++) {
            uint8_t c = p[row + i];

            g_string_append_c(out, g_ascii_isprint(c) ? c : '.');
        }
        g_string_append_c(out, '\n');
    }
}

/* Linux takes the digits without looking whether they are decimal */
static unsigned digits(uint8_t v)
{
    return (v >> 4) * 10 + (v & 15);
}

static void print_timestamp(const CperReadEntry *e, const char *pfx,
                            GString *out)
{
    const uint8_t *t = e->timestamp;

    if (e->header_length != ENTRY_HEADER_V3 || !(e->validation_bits & 4)) {
        return;
    }
    g_string_append_printf(out, "%s%sprecise tstamp: %02u%02u-%02u-%02u"
                           " %02u:%02u:%02u\n", pfx, t[3] & 1 ? "" : "im",
                           digits(t[7]), digits(t[6]), digits(t[5]),
                           digits(t[4]), digits(t[2]), digits(t[1]),
                           digits(t[0]));
}

static void print_entry(const CperReading *r, size_t n, const char *block_pfx,
                        GString *out)
{
    g_autofree char *pfx = g_strdup_printf("%s ", block_pfx);
    g_autofree char *section_pfx = g_strdup_printf("%s  ", block_pfx);
    const CperReadEntry *e = &r->entries[n];
    const struct SectionType *type = find_section_type(e->section_type);
    char guid[37];

    print_timestamp(e, pfx, out);
    g_string_append_printf(out, "%sError %zu, type: %s\n", pfx, n,
                           severity_text(e->error_severity));
    if (e->validation_bits & 1) {
        format_guid(e->fru_id, guid);
        g_string_append_printf(out, "%sfru_id: %s\n", pfx, guid);
    }
    if (e->validation_bits & 2) {
        g_string_append_printf(out, "%sfru_text: %s\n", pfx, e->fru_text);
    }
    if (!type) {
        format_guid(e->section_type, guid);
        g_string_append_printf(out, "%ssection type: unknown, %s\n",
                               section_pfx, guid);
        g_string_append_printf(out, "%ssection length: 0x%" PRIx32 "\n",
                               section_pfx, e->error_data_length);
        print_hex(r->record + e->offset + e->header_length,
                  e->error_data_length, section_pfx, out);
        return;
    }
    g_string_append_printf(out, "%ssection_type: %s\n", section_pfx,
                           type->name);
    if (e->too_small) {
        g_string_append(out, "[Firmware Warn]: error section length is too"
                        " small\n");
    } else if (e->section == CPER_READ_SECTION_MEMORY) {
        print_memory(e, section_pfx, out);
    }
}

void cper_print(const CperReading *r, uint16_t source_id, unsigned seqno,
                GString *out)
{
    g_autofree char *pfx = g_strdup_printf("{%u}[Hardware Error]: ", seqno);

    g_string_append_printf(out, "%sHardware error from APEI Generic Hardware"
                           " Error Source: %u\n", pfx, source_id);
    if ((r->error_severity & 0xffff) == CPER_READ_CORRECTED) {
        g_string_append_printf(out, "%sIt has been corrected by h/w and"
                               " requires no further action\n", pfx);
    }
    g_string_append_printf(out, "%sevent severity: %s\n", pfx,
                           severity_text(r->error_severity));
    for (size_t i = 0; i < r->n_entries; i++) {
        print_entry(r, i, pfx, out);
    }
}

/*
 * What the guest does
 */

void cper_guest_init(CperGuest *guest)
{
    memset(guest, 0, sizeof(*guest));
    guest->page_shift = 12;
    guest->ram_last = UINT64_MAX;
}

void cper_guest_clear(CperGuest *guest)
{
    for (size_t i = 0; i < CPER_GUEST_CACHE; i++) {
        g_clear_pointer(&guest->cache[i].record, g_free);
    }
}

static bool guest_cached(CperGuest *guest, const CperReading *r,
                         uint64_t now_ms)
{
    for (size_t i = 0; i < CPER_GUEST_CACHE; i++) {
        CperGuestCached *c = &guest->cache[i];

        if (c->record && c->length == r->record_length &&
            !memcmp(c->record, r->record, c->length)) {
            c->count++;
            return now_ms - c->time_ms < CACHE_MS;
        }
    }
    return false;
}

/* The slot is a free or expired one, else the one that is hit least often */
static void guest_cache_add(CperGuest *guest, const CperReading *r,
                            uint64_t now_ms)
{
    CperGuestCached *victim = NULL;
    uint64_t max_period = 0;

    for (size_t i = 0; i < CPER_GUEST_CACHE; i++) {
        CperGuestCached *c = &guest->cache[i];
        uint64_t age = now_ms - c->time_ms;

        if (!c->record || age >= CACHE_MS) {
            victim = c;
            break;
        }
        if (age / (c->count + 1) > max_period) {
            max_period = age / (c->count + 1);
            victim = c;
        }
    }
    if (victim) {
        g_free(victim->record);
        victim->record = g_malloc(r->record_length);
        memcpy(victim->record, r->record, r->record_length);
        victim->length = r->record_length;
        victim->time_ms = now_ms;
        victim->count = 0;
    }
}

/* Not more than 2 messages every 5 seconds, corrected ones apart */
static bool guest_may_print(CperGuest *guest, uint32_t severity,
                            uint64_t now_ms)
{
    CperGuestLimit *limit = severity_rank(severity) <= 1 ?
                            &guest->corrected : &guest->uncorrected;

    if (!limit->running || now_ms - limit->begin_ms > RATELIMIT_MS) {
        limit->running = true;
        limit->begin_ms = now_ms;
        limit->printed = 0;
    }
    return limit->printed < RATELIMIT_BURST && ++limit->printed;
}

static void guest_print_once(CperGuest *guest, const CperReading *r,
                             uint64_t now_ms, CperGuestAction *action)
{
    if (!guest_cached(guest, r, now_ms) &&
        guest_may_print(guest, r->error_severity, now_ms)) {
        guest_cache_add(guest, r, now_ms);
        action->printed = true;
    }
}

/* Returns true if Linux counts it as queued: it does so even if it is lost */
static bool guest_memory_failure(const CperGuest *guest, size_t entry,
                                 uint64_t address, bool action_required,
                                 bool soft_offline, CperGuestAction *action)
{
    uint64_t pfn = address >> guest->page_shift;

    if (pfn < guest->ram_base >> guest->page_shift ||
        pfn > guest->ram_last >> guest->page_shift) {
        action->n_outside++;
        return false;
    }
    if (action->n_failures == CPER_GUEST_FIFO) {
        action->n_lost++;
        return true;
    }
    action->failures[action->n_failures++] = (CperGuestFailure) {
        .entry = entry,
        .physical_address = address,
        .pfn = pfn,
        .action_required = action_required,
        .soft_offline = soft_offline,
    };
    return true;
}

/* The two fields are read without a look at the length of the section */
static bool guest_memory_section(const CperGuest *guest, const CperReading *r,
                                 size_t n, bool sync, CperGuestAction *action)
{
    const CperReadEntry *e = &r->entries[n];
    size_t payload = e->offset + e->header_length;
    uint64_t valid = field(r, payload, 8);
    uint64_t address = field(r, payload + 16, 8);

    if (!(valid & MEM_PA)) {
        return false;
    }
    if (r->error_severity == CPER_READ_RECOVERABLE &&
        e->error_severity == CPER_READ_RECOVERABLE) {
        return guest_memory_failure(guest, n, address, sync, false, action);
    }
    if (e->error_severity == CPER_READ_CORRECTED &&
        (e->flags & FLAG_THRESHOLD_EXCEEDED)) {
        return guest_memory_failure(guest, n, address, false, true, action);
    }
    return false;
}

/* Walks by the length in each structure, and the last cache error decides */
static bool guest_arm_section(const CperGuest *guest, const CperReading *r,
                              size_t n, bool sync, CperGuestAction *action)
{
    const CperReadEntry *e = &r->entries[n];
    size_t at = e->offset + e->header_length;
    uint16_t infos = field(r, at + 4, 2);
    bool queued = false;

    if (r->error_severity != CPER_READ_RECOVERABLE ||
        e->error_severity != CPER_READ_RECOVERABLE) {
        return false;
    }
    at += ARM_LENGTH;
    for (unsigned i = 0; i < infos && at < r->record_length; i++) {
        CperReadArmInfo info;

        read_arm_info(r, at, &info);
        if ((info.type & ARM_TYPE_CACHE) &&
            (info.validation_bits & ARM_INFO_HAS_PA)) {
            queued = guest_memory_failure(guest, n, info.physical_address,
                                          sync, false, action);
        }
        at += info.length;
    }
    return queued;
}

void cper_guest_take(CperGuest *guest, const CperReading *r,
                     CperReadSource source, uint64_t now_ms,
                     CperGuestAction *action)
{
    bool sync = source == CPER_READ_SOURCE_SEA;
    bool queued = false;

    memset(action, 0, sizeof(*action));
    if (severity_rank(r->error_severity) == 3) {
        action->panic = true;
        action->printed = true;
        return;
    }
    if (sync && guest_cached(guest, r, now_ms)) {
        action->dropped = true;
        return;
    }
    if (!sync) {
        guest_print_once(guest, r, now_ms, action);
    }
    for (size_t i = 0; i < r->n_entries; i++) {
        switch (r->entries[i].section) {
        case CPER_READ_SECTION_MEMORY:
            queued = guest_memory_section(guest, r, i, sync, action);
            break;
        case CPER_READ_SECTION_ARM:
            queued = guest_arm_section(guest, r, i, sync, action);
            break;
        default:
            break;
        }
    }
    action->sigbus = sync && !queued;
    if (sync) {
        guest_print_once(guest, r, now_ms, action);
    }
}
