/*
 * A reader of generic error status blocks, as a Linux guest reads them
 *
 * See cper-reader.h. Offsets are those of ACPI 6.5 tables 18.391 and 18.392
 * and of UEFI 2.10 appendix N; what Linux makes of them was looked up in
 * drivers/acpi/apei/ghes.c and drivers/firmware/efi/cper.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "cper-reader.h"
#include "refuse.h"

#define BLOCK_HEADER 20         /* Linux refuses sources with less */
#define BLOCK_LIMIT 65536       /* GHES_ESTATUS_MAX_SIZE */
#define ENTRY_HEADER_OLD 64
#define ENTRY_HEADER_V3 72
#define MEMORY_LENGTH 80
#define MEMORY_LENGTH_OLD 73
#define ARM_LENGTH 40
#define ARM_INFO_LENGTH 32
#define ARM_CONTEXT_LENGTH 8    /* and the registers */

/* Bits of error types of the ARM section, UEFI 2.9A reading */
#define ARM_TYPE_DEFINED 0x1e

/* Valid bits of the memory section */
#define MEM_STATUS      (1ull << 0)
#define MEM_PA          (1ull << 1)
#define MEM_MASK        (1ull << 2)
#define MEM_TYPE        (1ull << 14)

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

/* Section types, as the bytes are in memory */
static const uint8_t type_memory[16] = {    /* a5bc1114-6f64-4ede-... */
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,
};
static const uint8_t type_arm[16] = {       /* e19e3d16-bc11-11e4-... */
    0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,
    0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0,
};

static void read_memory(const CperReading *r, size_t at, uint32_t length,
                        CperReadMemory *m)
{
    const uint8_t *p = r->record + at;

    m->validation_bits = field(r, at, 8);
    m->error_status = field(r, at + 8, 8);
    m->physical_address = field(r, at + 16, 8);
    m->physical_address_mask = field(r, at + 24, 8);
    m->error_type = field(r, at + 72, 1);
    m->others_zero = all_zero(p + 32, 40) && all_zero(p + 73, length - 73);
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

static void read_arm(const CperReading *r, size_t at, uint32_t length,
                     CperReadArm *a)
{
    size_t end = at + length;

    a->validation_bits = field(r, at, 4);
    a->err_info_num = field(r, at + 4, 2);
    a->context_info_num = field(r, at + 6, 2);
    a->section_length = field(r, at + 8, 4);
    a->others_zero = !field(r, at + 12, 4);
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
        if (!a->n_infos++) {
            a->info = info;
        }
        at += ARM_INFO_LENGTH;
    }

    while (a->n_contexts < a->context_info_num &&
           end - at >= ARM_CONTEXT_LENGTH) {
        uint64_t size = ARM_CONTEXT_LENGTH + field(r, at + 4, 4);

        if (size > end - at) {
            break;
        }
        a->n_contexts++;
        at += size;
    }
    a->vendor_length = end - at;
}

/* @e->offset and @e->header_length are set and the entry is in the record */
static void read_entry(const CperReading *r, CperReadEntry *e)
{
    const uint8_t *p = r->record + e->offset;
    size_t payload = e->offset + e->header_length;

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

    if (!memcmp(e->section_type, type_memory, 16)) {
        e->section = CPER_READ_SECTION_MEMORY;
        e->too_small = e->error_data_length < MEMORY_LENGTH_OLD;
        if (!e->too_small) {
            read_memory(r, payload, e->error_data_length, &e->memory);
        }
    } else if (!memcmp(e->section_type, type_arm, 16)) {
        e->section = CPER_READ_SECTION_ARM;
        e->too_small = e->error_data_length < ARM_LENGTH;
        if (!e->too_small) {
            read_arm(r, payload, e->error_data_length, &e->arm);
        }
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

/*
 * What the specifications demand beyond what Linux checks
 */

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

/* A storage error in DRAM, of which nothing but the address is known */
static bool strict_memory(const CperReadEntry *e, size_t n, GString *why)
{
    const CperReadMemory *m = &e->memory;

    if (e->error_data_length != MEMORY_LENGTH || !m->others_zero ||
        m->validation_bits != (MEM_STATUS | MEM_PA | MEM_MASK | MEM_TYPE) ||
        m->error_type > 15 || (m->error_status & ~0x7f0000ull) != 0x400) {
        return refuse(why, "entry %zu: memory section of %" PRIu32 " bytes,"
                      " validation bits 0x%" PRIx64 ", type %u, error status"
                      " 0x%" PRIx64, n, e->error_data_length,
                      m->validation_bits, m->error_type, m->error_status);
    }
    return true;
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

static bool strict_arm(const CperReadEntry *e, size_t n, GString *why)
{
    const CperReadArm *a = &e->arm;
    const CperReadArmInfo *i = &a->info;
    bool ok = true;

    /* MPIDR and running state; with PSCI state if it is not running */
    if (a->validation_bits != 5 || !a->others_zero || a->running_state > 1 ||
        (a->running_state && a->psci_state)) {
        ok = refuse(why, "entry %zu: ARM validation bits 0x%" PRIx32 ", running"
                    " state 0x%" PRIx32 ", PSCI state 0x%" PRIx32, n,
                    a->validation_bits, a->running_state, a->psci_state);
    }
    if (a->n_infos != 1 || a->n_contexts || a->vendor_length || i->version ||
        i->validation_bits >> 5 || !(i->type & ARM_TYPE_DEFINED) ||
        (i->type & ~ARM_TYPE_DEFINED) || i->flags >> 4) {
        ok = refuse(why, "entry %zu: version %u, validation bits 0x%x, type"
                    " 0x%x or flags 0x%x of an error info", n, i->version,
                    i->validation_bits, i->type, i->flags);
    }
    if ((!(i->validation_bits & 1) && i->multiple_error) ||
        (!(i->validation_bits & 2) && i->flags) ||
        (!(i->validation_bits & 4) && i->error_info) ||
        (!(i->validation_bits & 8) && i->virtual_address) ||
        (!(i->validation_bits & 16) && i->physical_address)) {
        ok = refuse(why, "entry %zu: error info, bits 0x%x: more is set", n,
                    i->validation_bits);
    }
    return ok;
}

/* FRU text and nothing else, with nothing behind it */
static bool strict_made_entry(const CperReadEntry *e, size_t n, GString *why)
{
    size_t length = strlen(e->fru_text);

    if (e->validation_bits != 2 || !all_zero(e->fru_id, 16) ||
        !all_zero(e->timestamp, 8) ||
        !all_zero((const uint8_t *)e->fru_text + length, 20 - length)) {
        return refuse(why, "entry %zu: validation bits 0x%02x, or more is set",
                      n, e->validation_bits);
    }
    return e->section == CPER_READ_SECTION_ARM ? strict_arm(e, n, why) :
           strict_memory(e, n, why);
}

/* Bytes that a reader of the section takes for granted, UEFI 2.10 N.2 */
static bool strict_length(const CperReading *r, const CperReadEntry *e)
{
    static const struct {
        const char *type;           /* 8 bytes of the GUID as in memory, hex */
        uint32_t least;
    } types[] = {
        { "adcc7698b447db4b", 192 }, { "b0a03edc44a19747", 64 },
        { "1411bca5646fde4e", 80 }, { "fc04ec61e64813d8", 96 },
        { "54e995d9c1bb0f43", 208 }, { "633975c5843b9540", 72 },
        { "85465eeb66ca6947", 40 }, { "962a2181ed099649", 16 },
        { "f7fe515b9dc73444", 32 }, { "371d7671b232cd45", 144 },
        { "e1846f03377f8c42", 144 }, { "f65e3391fbeb7844", 16 },
        { "b4efb980b552e34d", 116 }, { "770acdfb60c27f41", 144 },
        { "b3cb1d60069cab4e", 144 }, { "757492fe59dd3943", 144 },
        { "7192cf77029c0b47", 32 }, { "2564d24096334d4c", 32 },
        { "6343c48d960c1047", 32 },
    };
    size_t at = e->offset + e->header_length;
    uint32_t length = e->error_data_length;
    char type[17];

    for (size_t i = 0; i < 8; i++) {
        snprintf(type + 2 * i, 3, "%02x", e->section_type[i]);
    }
    if (e->section == CPER_READ_SECTION_MEMORY &&
        length == MEMORY_LENGTH_OLD) {
        return !(field(r, at, 8) >> 15);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(type, types[i].type)) {
            continue;
        }
        if (length < types[i].least) {
            return false;
        }
        /* firmware error since revision 2; CXL protocol error */
        if (types[i].least == 16 && type[0] == '9') {
            return field(r, at + 1, 1) < 2 || length >= 32;
        }
        if (types[i].least == 116) {
            uint32_t log = field(r, at + 110, 2);

            return length >= 116 + field(r, at + 108, 2) + log &&
                   (!(field(r, at, 8) & 0x40) || log >= 88);
        }
    }
    return true;
}

static bool strict_entry(const CperReading *r, const CperReadEntry *e,
                         size_t n, GString *why)
{
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
        return strict_arm_frame(e, n, why) && ok;
    }
    if (!strict_length(r, e)) {
        ok = refuse(why, "entry %zu: section of %" PRIu32 " bytes", n,
                    e->error_data_length);
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

bool cper_read_strict_frame(const CperReading *r, GString *why)
{
    uint32_t s = r->block_status;
    bool ok = true;

    for (size_t i = 0; i < r->n_entries; i++) {
        ok = strict_entry(r, &r->entries[i], i, why) && ok;
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
    /* the sum wraps in Linux, which then copies less */
    if (r->raw_data_length &&
        (uint64_t)r->raw_data_offset + r->raw_data_length > r->record_length) {
        ok = refuse(why, "raw data behind the end of the record");
    }
    return consistent(r, false, why) && ok;
}

bool cper_read_strict(const CperReading *r, GString *why)
{
    bool ok = cper_read_strict_frame(r, why) && consistent(r, true, why);

    if (r->raw_data_length || r->raw_data_offset) {
        ok = refuse(why, "raw data");
    }
    for (size_t i = 0; i < r->n_entries; i++) {
        ok = strict_made_entry(&r->entries[i], i, why) && ok;
    }
    return ok;
}
