/*
 * Tests of the readers of status blocks and RTAS error logs
 *
 * The readers judge the encoders, so they are tested without them: against
 * bytes written down by hand from the specifications, one good vector a format
 * with a different value in every field, and copies of it that break one rule.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include "cper-reader.h"
#include "rtas-reader.h"

/* Hex digits to bytes; blanks are skipped */
static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
    size_t n = 0;

    for (; *hex; hex++) {
        if (g_ascii_isspace(*hex)) {
            continue;
        }
        g_assert(g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]));
        g_assert_cmpuint(n, <, size);
        out[n++] = g_ascii_xdigit_value(hex[0]) << 4 |
                   g_ascii_xdigit_value(hex[1]);
        hex++;
    }
    return n;
}

/* A vector with one change; @why is a part of the refusal, NULL: accepted */
typedef struct Broken {
    const char *name;
    size_t offset;
    const char *hex;
    const char *why;
} Broken;

static void check_why(const char *name, bool ok, const GString *why,
                      const char *expected)
{
    if (ok != !expected || (expected && !strstr(why->str, expected))) {
        g_test_message("%s: %s: %s", name, ok ? "accepted" : "refused",
                       why->str);
        g_test_fail();
    }
}

/*
 * CPER
 */

#define GUID_MEMORY "1411bca5 646fde4e b8633e83 ed7c83b1"
#define GUID_ARM "163d9ee1 11bce411 9caac205 1d5d46b0"
#define GUID_PCIE "54e995d9 c1bb0f43 ad91b44d cb3c6f35"
#define GUID_MEMORY2 "ec04fc61 e648 13d8 25c9 8daa44750b12"
#define ZERO16 "00000000 00000000 00000000 00000000"

/* One recoverable memory error; offsets of the block, entry at 20 */
static const char cper_block_header[] =
    "11000000 00000000 00000000 98000000 00000000";

static const char cper_memory_entry[] =
    GUID_MEMORY                         /* 20 section type */
    "00000000 0003 07 01 50000000"      /* 36 severity, revision, bits, flags */
    "00010203 04050607 08090a0b 0c0d0e0f"       /* 48 FRU id */
    "44494d4d 5f413100 00000000 00000000 00000000" /* 64 "DIMM_A1" */
    "56341201 29022420"                 /* 84 2024-02-29 12:34:56, precise */
    "ffff3f00 00000000"                 /* 92 validation bits */
    "00040100 00000000"                 /* 100 error status */
    "00d0bc9a 78563412"                 /* 108 physical address */
    "00f0ffff ffffffff"                 /* 116 mask */
    "0201 0403 0605 0807"               /* 124 node, card, module, bank */
    "0a09 0c0b 0e0d 100f"               /* 132 device, row, column, bit */
    "18171615 14131211"                 /* 140 requestor id */
    "28272625 24232221"                 /* 148 responder id */
    "38373635 34333231"                 /* 156 target id */
    "03 a2 4241 4443 4645";             /* 164 type, extended, rank, handles */

#define CPER_ONE 172

/* An entry without payload and without anything optional, 72 bytes */
#define EMPTY_ENTRY(guid, severity) \
    guid severity "0003 00 00 00000000" ZERO16 ZERO16 "00000000 00000000" \
    "00000000"

static size_t cper_vector(uint8_t *buf, size_t size)
{
    size_t n = from_hex(cper_block_header, buf, size);

    n += from_hex(cper_memory_entry, buf + n, size - n);
    g_assert_cmpuint(n, ==, CPER_ONE);
    return n;
}

/* A block with @n copies of the entry; @status and severities are for all */
static size_t cper_many(uint8_t *buf, size_t size, unsigned n, uint8_t status,
                        uint8_t severity)
{
    size_t at = from_hex(cper_block_header, buf, size);
    uint32_t data = n * 152;

    for (unsigned i = 0; i < n; i++) {
        from_hex(cper_memory_entry, buf + at, size - at);
        buf[at + 16] = severity;
        buf[at + 88 + 1] = i << 4;      /* physical address bits 15:12 */
        buf[at + 88 + 2] = i >> 4;
        at += 152;
    }
    buf[0] = status | n << 4;
    buf[1] = n >> 4;
    buf[12] = data;
    buf[13] = data >> 8;
    buf[16] = severity;
    return at;
}

static void read_good(const uint8_t *buf, size_t size, CperReading *r)
{
    g_autoptr(GString) why = g_string_new(NULL);

    if (!cper_read(buf, size, r, why)) {
        g_error("%s", why->str);
    }
}

static void test_cper_fields(void)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    uint8_t buf[1024] = { 0 };
    const CperReadMemory *m;
    const CperReadEntry *e;

    cper_vector(buf, sizeof(buf));
    read_good(buf, sizeof(buf), &r);
    g_assert_true(cper_read_strict(&r, why));
    g_assert_cmpstr(why->str, ==, "");

    g_assert_cmphex(r.block_status, ==, 0x11);
    g_assert_cmpuint(r.raw_data_offset, ==, 0);
    g_assert_cmpuint(r.raw_data_length, ==, 0);
    g_assert_cmpuint(r.data_length, ==, 152);
    g_assert_cmpuint(r.error_severity, ==, CPER_READ_RECOVERABLE);
    g_assert_cmpuint(r.record_length, ==, CPER_ONE);
    g_assert_cmpuint(r.n_entries, ==, 1);

    e = &r.entries[0];
    g_assert_cmpuint(e->offset, ==, 20);
    g_assert_cmpuint(e->header_length, ==, 72);
    g_assert_cmpuint(e->section, ==, CPER_READ_SECTION_MEMORY);
    g_assert_false(e->too_small);
    g_assert_cmpuint(e->error_severity, ==, CPER_READ_RECOVERABLE);
    g_assert_cmphex(e->revision, ==, 0x0300);
    g_assert_cmphex(e->validation_bits, ==, 7);
    g_assert_cmphex(e->flags, ==, 1);
    g_assert_cmpuint(e->error_data_length, ==, 80);
    g_assert_cmpmem(e->fru_id, 16, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17",
                    16);
    g_assert_cmpstr(e->fru_text, ==, "DIMM_A1");
    g_assert_cmpmem(e->timestamp, 8, "\x56\x34\x12\x01\x29\x02\x24\x20", 8);

    m = &e->memory;
    g_assert_cmphex(m->validation_bits, ==, 0x3fffff);
    g_assert_cmphex(m->error_status, ==, 0x10400);
    g_assert_cmphex(m->physical_address, ==, 0x123456789abcd000ull);
    g_assert_cmphex(m->physical_address_mask, ==, 0xfffffffffffff000ull);
    g_assert_cmphex(m->node, ==, 0x0102);
    g_assert_cmphex(m->card, ==, 0x0304);
    g_assert_cmphex(m->module, ==, 0x0506);
    g_assert_cmphex(m->bank, ==, 0x0708);
    g_assert_cmphex(m->device, ==, 0x090a);
    g_assert_cmphex(m->row, ==, 0x0b0c);
    g_assert_cmphex(m->column, ==, 0x0d0e);
    g_assert_cmphex(m->bit_position, ==, 0x0f10);
    g_assert_cmphex(m->requestor_id, ==, 0x1112131415161718ull);
    g_assert_cmphex(m->responder_id, ==, 0x2122232425262728ull);
    g_assert_cmphex(m->target_id, ==, 0x3132333435363738ull);
    g_assert_cmphex(m->error_type, ==, 3);
    g_assert_cmphex(m->extended, ==, 0xa2);
    g_assert_cmphex(m->rank_number, ==, 0x4142);
    g_assert_cmphex(m->card_handle, ==, 0x4344);
    g_assert_cmphex(m->module_handle, ==, 0x4546);
    g_assert_cmphex(cper_read_row(m), ==, 0x20b0c);
}

static void test_cper_print(void)
{
    static const char expected[] =
        "{7}[Hardware Error]: Hardware error from APEI Generic Hardware Error"
        " Source: 1\n"
        "{7}[Hardware Error]: event severity: recoverable\n"
        "{7}[Hardware Error]:  precise tstamp: 2024-02-29 12:34:56\n"
        "{7}[Hardware Error]:  Error 0, type: recoverable\n"
        "{7}[Hardware Error]:  fru_id: 03020100-0504-0706-0809-0a0b0c0d0e0f\n"
        "{7}[Hardware Error]:  fru_text: DIMM_A1\n"
        "{7}[Hardware Error]:   section_type: memory error\n"
        "{7}[Hardware Error]:    error_status: Storage error in DRAM memory"
        " (0x0000000000010400)\n"
        "{7}[Hardware Error]:   physical_address: 0x123456789abcd000\n"
        "{7}[Hardware Error]:   physical_address_mask: 0xfffffffffffff000\n"
        "{7}[Hardware Error]:   node:258 card:772 module:1286 rank:16706"
        " bank:1800 bank_group:7 bank_address:8 device:2314 row:133900"
        " column:3342 bit_position:3856 requestor_id:0x1112131415161718"
        " responder_id:0x2122232425262728 target_id:0x3132333435363738"
        " chip_id:5 " "\n"
        "{7}[Hardware Error]:   error_type: 3, multi-bit ECC\n"
        "{7}[Hardware Error]:   DIMM location: not present. DMI handle:"
        " 0x4546 " "\n";
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    uint8_t buf[CPER_ONE];

    cper_vector(buf, sizeof(buf));
    read_good(buf, sizeof(buf), &r);
    cper_print(&r, 1, 7, out);
    g_assert_cmpstr(out->str, ==, expected);
}

static void test_cper_print_corrected(void)
{
    static const char expected[] =
        "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error"
        " Source: 0\n"
        "{1}[Hardware Error]: It has been corrected by h/w and requires no"
        " further action\n"
        "{1}[Hardware Error]: event severity: corrected\n"
        "{1}[Hardware Error]:  Error 0, type: corrected\n"
        "{1}[Hardware Error]:   section_type: memory error\n";
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    uint8_t buf[CPER_ONE];

    cper_many(buf, sizeof(buf), 1, 2, CPER_READ_CORRECTED);
    buf[20 + 22] = 0;
    memset(buf + 92, 0, 8);
    read_good(buf, sizeof(buf), &r);
    cper_print(&r, 0, 1, out);
    g_assert_cmpstr(out->str, ==, expected);
}

/* Memory Error 2 is not known to Linux */
static void test_cper_print_unknown(void)
{
    static const char expected[] =
        "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error"
        " Source: 2\n"
        "{1}[Hardware Error]: event severity: info\n"
        "{1}[Hardware Error]:  Error 0, type: info\n"
        "{1}[Hardware Error]:   section type: unknown,"
        " 61fc04ec-48e6-d813-25c9-8daa44750b12\n"
        "{1}[Hardware Error]:   section length: 0x16\n"
        "{1}[Hardware Error]:   00000000: 34333231 38373635 42413039 46454443"
        "  1234567890ABCDEF\n"
        "{1}[Hardware Error]:   00000010: 00 7f 61 62 63 fe               "
        "                 ..abc.\n";
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    uint8_t buf[256];
    size_t n;

    n = from_hex("12000000 00000000 00000000 5e000000 03000000"
                 EMPTY_ENTRY(GUID_MEMORY2, "03000000")
                 "31323334 35363738 39304142 43444546 007f6162 63fe",
                 buf, sizeof(buf));
    buf[20 + 24] = 22;
    read_good(buf, n, &r);
    g_assert_cmpuint(r.entries[0].section, ==, CPER_READ_SECTION_UNKNOWN);
    cper_print(&r, 2, 1, out);
    g_assert_cmpstr(out->str, ==, expected);
}

/* Sections that are too small, and the 73-byte form with its trap */
static void test_cper_print_small(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    g_auto(CperReading) old = { 0 };
    uint8_t buf[512];
    size_t n;

    n = from_hex("31000000 00000000 00000000 d8000000 00000000"
                 EMPTY_ENTRY(GUID_MEMORY, "00000000")
                 EMPTY_ENTRY(GUID_PCIE, "00000000")
                 EMPTY_ENTRY(GUID_ARM, "00000000"), buf, sizeof(buf));
    g_assert_cmpuint(n, ==, 20 + 3 * 72);
    read_good(buf, n, &r);
    cper_print(&r, 0, 1, out);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(r.entries[i].too_small);
    }
    g_assert_nonnull(strstr(out->str,
                            "section_type: memory error\n"
                            "[Firmware Warn]: error section length is too"
                            " small\n"
                            "{1}[Hardware Error]:  Error 1, type: recoverable\n"
                            "{1}[Hardware Error]:   section_type: PCIe error\n"
                            "[Firmware Warn]: error section length is too"
                            " small\n"));
    g_assert_nonnull(strstr(out->str, "section_type: ARM processor error\n"));

    cper_vector(buf, sizeof(buf));
    buf[12] = 145;
    buf[20 + 24] = 73;
    read_good(buf, CPER_ONE, &old);
    g_string_truncate(out, 0);
    cper_print(&old, 0, 1, out);
    g_assert_true(g_str_has_suffix(out->str, "section_type: memory error\n"
                                   "[Firmware Warn]: valid bits set for fields"
                                   " beyond structure\n"));
}

/* One valid bit at a time: which words the dump has, which bytes may be set */
static void test_cper_valid_bits(void)
{
    static const struct {
        uint8_t bit;
        const char *text;
        uint8_t offset, length;     /* in the section */
    } cases[] = {
        { 0, "  error_status: Storage error in DRAM memory", 8, 8 },
        { 1, " physical_address: 0x123456789abcd000\n", 16, 8 },
        { 2, " physical_address_mask: 0xfffffffffffff000\n", 24, 8 },
        { 3, " node:258 ", 32, 2 },
        { 4, " card:772 ", 34, 2 },
        { 5, " module:1286 ", 36, 2 },
        { 6, " bank:1800 ", 38, 2 },
        { 7, " device:2314 ", 40, 2 },
        { 8, " row:2828 ", 42, 2 },
        { 9, " column:3342 ", 44, 2 },
        { 10, " bit_position:3856 ", 46, 2 },
        { 11, " requestor_id:0x1112131415161718 ", 48, 8 },
        { 12, " responder_id:0x2122232425262728 ", 56, 8 },
        { 13, " target_id:0x3132333435363738 ", 64, 8 },
        { 14, " error_type: 3, multi-bit ECC\n", 72, 1 },
        { 15, " rank:16706 ", 74, 2 },
        { 16, NULL, 76, 2 },
        { 17, " DIMM location: not present. DMI handle: 0x4546 ", 78, 2 },
        { 18, " row:131072 ", 73, 1 },
        { 19, " bank_group:7 ", 39, 1 },
        { 20, " bank_address:8 ", 38, 1 },
        { 21, " chip_id:5 ", 73, 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        g_auto(CperReading) bad = { 0 };
        uint8_t buf[CPER_ONE], good[80] = { 0 };
        uint32_t valid = 1u << cases[i].bit;
        char *section;

        cper_vector(buf, sizeof(buf));
        memcpy(good, &buf[92], 80);
        memset(buf + 92, 0, 80);
        buf[92] = valid;
        buf[93] = valid >> 8;
        buf[94] = valid >> 16;
        memcpy(buf + 92 + cases[i].offset, good + cases[i].offset,
               cases[i].length);
        if (cases[i].bit == 18) {
            buf[92 + 73] &= 0x03;
        } else if (cases[i].bit == 21) {
            buf[92 + 73] &= 0xe0;
        }
        read_good(buf, sizeof(buf), &r);
        check_why("one field", cper_read_tidy(&r, why), why, NULL);
        check_why("one field", cper_read_strict(&r, why), why, NULL);
        cper_print(&r, 0, 1, out);
        section = strstr(out->str, "memory error\n") + 13;
        if (cases[i].text) {
            g_assert_nonnull(strstr(section, cases[i].text));
            g_assert_true(strchr(section, '\n') == section +
                          strlen(section) - 1);
        } else {
            g_assert_cmpstr(section, ==, "");
        }

        memset(buf + 92, 0, 3);
        read_good(buf, sizeof(buf), &bad);
        g_assert_false(cper_read_tidy(&bad, NULL));
    }
}

/* The same for what an entry has besides its section */
static void test_cper_entry_bits(void)
{
    static const struct {
        uint8_t bits;
        const char *text;
    } cases[] = {
        { 0, "info\n{1}[Hardware Error]:  Error 0, type: recoverable\n"
             "{1}[Hardware Error]:   section_type" },
        { 1, "recoverable\n{1}[Hardware Error]:  fru_id: 03020100-0504-0706"
             "-0809-0a0b0c0d0e0f\n{1}[Hardware Error]:   section_type" },
        { 2, "recoverable\n{1}[Hardware Error]:  fru_text: DIMM_A1\n"
             "{1}[Hardware Error]:   section_type" },
        { 4, "info\n{1}[Hardware Error]:  imprecise tstamp: 2024-02-29"
             " 12:34:56\n{1}[Hardware Error]:  Error 0, type: recoverable\n"
             "{1}[Hardware Error]:   section_type" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[CPER_ONE];

        cper_vector(buf, sizeof(buf));
        buf[16] = CPER_READ_INFORMATIONAL;
        buf[42] = cases[i].bits;
        buf[87] = 0;
        read_good(buf, sizeof(buf), &r);
        cper_print(&r, 0, 1, out);
        g_assert_nonnull(strstr(out->str, cases[i].text));
    }
}

/* Where "error section length is too small" begins */
static void test_cper_section_sizes(void)
{
    static const struct {
        const char *guid;
        uint32_t min;
    } cases[] = {
        { GUID_MEMORY, 73 }, { GUID_ARM, 40 }, { GUID_PCIE, 208 },
        { "adcc7698 b447 db4b b65e 16f193c4f3db", 192 },
        { "962a2181 ed09 9649 9471 8d729c8e69ed", 16 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (unsigned less = 0; less < 2; less++) {
            g_auto(CperReading) r = { 0 };
            uint32_t length = cases[i].min - less;
            uint8_t buf[512] = { 0 };

            from_hex("11000000 00000000 00000000 00000000 00000000"
                     EMPTY_ENTRY(GUID_MEMORY2, "00000000"), buf, 512);
            from_hex(cases[i].guid, buf + 20, 16);
            buf[44] = length;
            buf[12] = length + 72;
            buf[13] = (length + 72) >> 8;
            read_good(buf, sizeof(buf), &r);
            g_assert_cmpuint(r.n_entries, ==, 1);
            g_assert_cmpint(r.entries[0].too_small, ==, less);
        }
    }
}

/* Every day of the calendar, and no other */
static void test_cper_calendar(void)
{
    for (unsigned year = 1999; year <= 2100; year++) {
        for (unsigned month = 0; month <= 13; month++) {
            for (unsigned day = 27; day <= 32; day++) {
                g_auto(CperReading) r = { 0 };
                uint8_t buf[CPER_ONE];

                cper_vector(buf, sizeof(buf));
                buf[88] = day / 10 << 4 | day % 10;
                buf[89] = month / 10 << 4 | month % 10;
                buf[90] = year / 10 % 10 << 4 | year % 10;
                buf[91] = year / 1000 << 4 | year / 100 % 10;
                read_good(buf, sizeof(buf), &r);
                g_assert_cmpint(cper_read_strict(&r, NULL), ==,
                                g_date_valid_dmy(day, month, year));
            }
        }
    }
}

/* What Linux refuses, and what only looks odd */
static void test_cper_malformed(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "11", NULL },
        { "empty", 0, "00000000", "there is no record" },
        { "status with the count only", 0, "10", NULL },
        { "data length 0", 12, "00000000", NULL },
        { "data length below 64", 12, "3f000000", "Invalid CPER header" },
        { "one byte of data short", 12, "97000000", "152" },
        { "one byte of data more", 12, "99000000", "1 bytes left for a" },
        { "63 bytes of data more", 12, "d7000000", "63 bytes left for a" },
        { "data length beyond the block", 12, "edff0000",
          "Invalid error status block length" },
        { "data length that wraps", 12, "f0ffffff", "Truncated" },
        { "raw data that wraps to nothing", 4, "f0ffffff 11000000",
          "Truncated" },
        { "raw data that wraps", 4, "f0ffffff 30000000", "raw data length" },
        { "raw data within the entries", 4, "14000000 98000000",
          "within the entries" },
        { "raw data behind the entries", 4, "ac000000 10000000", NULL },
        { "raw data to the end of the block", 4, "ac000000 54030000", NULL },
        { "raw data beyond the block", 4, "ac000000 55030000",
          "Invalid error status block length" },
        { "raw data offset without length", 4, "01000000", NULL },
        { "payload one byte longer", 44, "51000000", "152 bytes left for 153" },
        { "payload one byte shorter", 44, "4f000000", "1 bytes left for a" },
        { "payload that leaves nothing", 44, "b8ffffff", "wraps" },
        { "payload that goes back", 44, "c0ffffff", "wraps" },
        { "old header, so 8 bytes are left", 40, "0002", "8 bytes left for a" },
        { "unknown severity of the entry", 36, "04000000", NULL },
        { "unknown severity of the block", 16, "04000000", NULL },
        { "reserved status bits", 2, "ffff", NULL },
        { "unknown section", 20, "ff", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[1024] = { 0 };

        cper_vector(buf, sizeof(buf));
        from_hex(broken[i].hex, buf + broken[i].offset, 16);
        check_why(broken[i].name, cper_read(buf, sizeof(buf), &r, why), why,
                  broken[i].why);
    }
}

static void test_cper_block_length(void)
{
    static const struct {
        size_t length;
        const char *why;
    } limits[] = {
        { 0, "Invalid error block length" },
        { 19, "Invalid error block length" },
        { 20, "Invalid error status block length" },
        { CPER_ONE - 1, "Invalid error status block length" },
        { CPER_ONE, NULL },
    };
    g_autofree uint8_t *big = g_malloc0(65536 + 152);
    uint32_t length = 65536 - 172;

    /* copies on the heap, so that a byte too much is seen */
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_autofree uint8_t *copy = g_malloc(limits[i].length);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[CPER_ONE];

        cper_vector(buf, sizeof(buf));
        if (limits[i].length) {
            memcpy(copy, buf, limits[i].length);
        }
        check_why("block length", cper_read(copy, limits[i].length, &r, why),
                  why, limits[i].why);
    }

    /* 65536 bytes of record are the most, whatever the source has */
    for (unsigned more = 0; more < 2; more++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };

        cper_vector(big, CPER_ONE);
        big[4] = CPER_ONE;
        big[8] = length + more;
        big[9] = (length + more) >> 8;
        check_why("64 KiB", cper_read(big, 65536 + 152, &r, why), why,
                  more ? "Invalid error status block length" : NULL);
    }
}

/* Entries of both header forms in one block, and many of them */
static void test_cper_entries(void)
{
    g_auto(CperReading) r = { 0 };
    g_auto(CperReading) many = { 0 };
    g_autofree uint8_t *big = g_malloc0(65536);
    uint8_t buf[512];
    size_t n;

    n = from_hex("21000000 00000000 00000000 d8000000 01000000", buf,
                 sizeof(buf));
    n += from_hex(GUID_PCIE "01000000 0102 00 04 00000000" ZERO16 ZERO16
                  "00000000", buf + n, sizeof(buf) - n);
    n += from_hex(cper_memory_entry, buf + n, sizeof(buf) - n);
    read_good(buf, n, &r);
    g_assert_cmpuint(r.n_entries, ==, 2);
    g_assert_cmpuint(r.entries[0].header_length, ==, 64);
    g_assert_cmpuint(r.entries[0].section, ==, CPER_READ_SECTION_OTHER);
    g_assert_cmphex(r.entries[0].flags, ==, 4);
    g_assert_cmpuint(r.entries[1].offset, ==, 84);
    g_assert_cmphex(r.entries[1].memory.module_handle, ==, 0x4546);

    n = cper_many(big, 65536, 431, 5, CPER_READ_RECOVERABLE);
    g_assert_cmpuint(n, ==, 20 + 431 * 152);
    read_good(big, 65536, &many);
    g_assert_cmpuint(many.n_entries, ==, 431);
    g_assert_cmphex(many.entries[430].memory.physical_address, ==,
                    0x1234567800000000ull | 0x9a000000 | 0x1ae000);
    g_assert_true(cper_read_strict(&many, NULL));
}

static void test_cper_strict(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "11", NULL },
        { "reserved status bit", 1, "40", "reserved bits" },
        { "entry count", 0, "21", "counts 2 of 1" },
        { "no error bit", 0, "10", "no error" },
        { "several", 0, "15", NULL },
        { "block severity unknown", 16, "04", "block severity 4" },
        { "entry severity unknown", 36, "04", "severity 4" },
        { "revision", 40, "0103", "revision 0x0301" },
        { "entry bits", 42, "0f", "validation bits" },
        { "FRU text of 20 characters", 64,
          "41424344 45464748 494a4b4c 4d4e4f50 51525354", NULL },
        { "severity informational", 36, "03", "worst entry" },
        { "block severity informational", 16, "03", "worst entry" },
        { "correctable", 0, "12", "for 1 uncorrectable" },
        { "several corrected, not one", 0, "19", "several but not one" },
        { "memory section of 81 bytes", 44, "51", "81 bytes" },
        { "second 59", 84, "59", NULL },
        { "second 60", 84, "60", "timestamp byte 0" },
        { "minute 59", 85, "59", NULL },
        { "minute 60", 85, "60", "timestamp byte 1" },
        { "midnight", 84, "000000", NULL },
        { "hour 23", 86, "23", NULL },
        { "year 9999", 90, "9999", "leap" },
        { "year 9996", 90, "9699", NULL },
        { "hexadecimal year", 90, "9a", "timestamp byte 6" },
        { "hexadecimal century", 91, "a0", "timestamp byte 7" },
        { "hour 24", 86, "24", "timestamp byte 2" },
        { "hour 0x1a", 86, "1a", "timestamp byte 2" },
        { "day 30 in February", 88, "30", "no such day" },
        { "29 February 2023", 90, "23", "leap" },
        { "29 February 1900", 90, "0019", "leap" },
        { "29 February 2000", 90, "00", NULL },
        { "month 0", 89, "00", "timestamp byte 5" },
        { "timestamp flags", 87, "03", "timestamp flags" },
        { "memory bits", 94, "7f", "memory validation bits" },
        { "extended, reserved bits", 165, "b2", "extended byte" },
        { "error type 15", 164, "0f", NULL },
        { "error type 16", 164, "10", "memory error type" },
        { "error status type 2", 101, "02", "error status type 2" },
        { "error status, reserved bits", 100, "01", "error status 0x" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[1024] = { 0 };

        cper_vector(buf, sizeof(buf));
        from_hex(broken[i].hex, buf + broken[i].offset, 20);
        buf[12] = buf[44] + 72;
        read_good(buf, sizeof(buf), &r);
        check_why(broken[i].name, cper_read_strict(&r, why), why,
                  broken[i].why);
    }
}

/* The error status types of UEFI N.2.13, and none of the others */
static void test_cper_status_types(void)
{
    static const char known[] = ".#..######......###########";

    for (unsigned type = 0; type < 256; type++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[CPER_ONE];
        bool expected = type < sizeof(known) - 1 && known[type] == '#';

        cper_vector(buf, sizeof(buf));
        buf[101] = type;
        read_good(buf, sizeof(buf), &r);
        g_assert_cmpint(cper_read_strict(&r, NULL), ==, expected);
        cper_print(&r, 0, 1, out);
        g_assert_cmpint(!strstr(out->str, "error_status: Reserved ("), ==,
                        expected);
    }
}

/* Status bits and severity of a block against those of its entries */
static void test_cper_consistent(void)
{
    static const struct {
        uint8_t status, severity;
        uint8_t entries[3];
        const char *why;
    } cases[] = {
        { 0x5, 0, { 0, 0, 0 }, NULL },
        { 0x5, 1, { 0, 1, 0 }, NULL },
        { 0x7, 0, { 0, 2, 0 }, NULL },
        { 0xb, 0, { 2, 2, 0 }, NULL },
        { 0xa, 2, { 2, 2, 2 }, NULL },
        { 0x2, 2, { 2, 3, 3 }, NULL },
        { 0xa, 3, { 3, 3, 3 }, NULL },
        { 0x2, 3, { 3, 3, 3 }, NULL },
        { 0xf, 0, { 0, 0, 3 }, NULL },
        { 0x1, 0, { 0, 3, 3 }, NULL },
        { 0x4, 0, { 0, 0, 0 }, "several but not one" },
        { 0x9, 0, { 0, 2, 2 }, "several but not one" },
        { 0x1, 0, { 0, 0, 3 }, "hides" },
        { 0x3, 0, { 2, 2, 0 }, "hides" },
        { 0xa, 0, { 0, 2, 2 }, "for 1 uncorrectable" },
        { 0xb, 2, { 2, 2, 2 }, "for 0 uncorrectable" },
        { 0x5, 0, { 0, 0, 2 }, "1 corrected" },
        { 0x7, 0, { 0, 0, 0 }, "0 corrected" },
        { 0x5, 0, { 0, 1, 0 }, "worst" },
        { 0x5, 1, { 0, 0, 0 }, "worst" },
        { 0xa, 3, { 2, 2, 2 }, "worst" },
        { 0x7, 2, { 0, 2, 0 }, "worst" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[1024] = { 0 };

        cper_many(buf, sizeof(buf), 3, cases[i].status, cases[i].severity);
        for (unsigned n = 0; n < 3; n++) {
            buf[20 + n * 152 + 16] = cases[i].entries[n];
        }
        read_good(buf, sizeof(buf), &r);
        check_why("consistent", cper_read_consistent(&r, why), why,
                  cases[i].why);
    }
}

/* Bytes that are not declared valid: Linux and ACPI do not mind them */
static void test_cper_tidy(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "11", NULL },
        { "FRU id not valid", 42, "06", "FRU id" },
        { "FRU text not valid", 42, "05", "FRU text" },
        { "timestamp not valid", 42, "03", "timestamp" },
        { "bytes behind the FRU text", 83, "20", "behind the FRU text" },
        { "address not valid", 92, "fd", "byte 16 is set" },
        { "bank half not valid", 92, "bfff37", "byte 39 is set" },
        { "chip id not valid", 94, "1f", "extended byte" },
        { "row extension not valid", 94, "3b", "extended byte" },
        { "type and status not valid", 92, "febf", "set but" },
        { "raw data offset without length", 4, "14000000", "raw data offset" },
        { "FRU text of 20 characters", 64,
          "41424344 45464748 494a4b4c 4d4e4f50 51525354", NULL },
        { "nothing set", 92, "0000000000000000", "byte 8 is set" },
        { "undefined bits only", 92, "000040", "byte 8 is set" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[1024] = { 0 };

        cper_vector(buf, sizeof(buf));
        from_hex(broken[i].hex, buf + broken[i].offset, 20);
        read_good(buf, sizeof(buf), &r);
        check_why(broken[i].name, cper_read_tidy(&r, why), why,
                  broken[i].why);
        if (!strstr(broken[i].name, "undefined")) {
            g_string_truncate(why, 0);
            check_why(broken[i].name, cper_read_strict(&r, why), why, NULL);
        }
    }
}

static void take(const uint8_t *buf, size_t size, CperReadSource source,
                 CperGuestAction *action)
{
    g_auto(CperReading) r = { 0 };
    g_auto(CperGuest) guest;

    cper_guest_init(&guest);
    read_good(buf, size, &r);
    cper_guest_take(&guest, &r, source, 1, action);
}

/* The table of ghes_handle_memory_failure() and what follows from it */
static void test_cper_actions(void)
{
    static const struct {
        uint8_t block, entry, flags, valid;
        bool panic, failure, soft, sigbus_if_sea;
    } cases[] = {
        { 0, 0, 0x00, 0x02, false, true, false, false },
        { 0, 0, 0x08, 0x02, false, true, false, false },
        { 0, 0, 0x00, 0x00, false, false, false, true },
        { 0, 1, 0x00, 0x02, false, false, false, true },
        { 0, 2, 0x00, 0x02, false, false, false, true },
        { 0, 2, 0x08, 0x02, false, true, true, false },
        { 0, 2, 0x08, 0x00, false, false, false, true },
        { 0, 3, 0x00, 0x02, false, false, false, true },
        { 0, 4, 0x00, 0x02, false, false, false, true },
        { 1, 0, 0x00, 0x02, true, false, false, false },
        { 4, 2, 0x08, 0x02, true, false, false, false },
        { 2, 0, 0x00, 0x02, false, false, false, true },
        { 2, 2, 0x00, 0x02, false, false, false, true },
        { 2, 2, 0x08, 0x02, false, true, true, false },
        { 3, 2, 0x08, 0x02, false, true, true, false },
        { 3, 3, 0x08, 0x02, false, false, false, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int sea = 0; sea < 2; sea++) {
            CperGuestAction action;
            uint8_t buf[CPER_ONE];

            cper_vector(buf, sizeof(buf));
            buf[16] = cases[i].block;
            buf[36] = cases[i].entry;
            buf[43] = cases[i].flags;
            buf[92] = cases[i].valid;
            take(buf, sizeof(buf), sea ? CPER_READ_SOURCE_SEA :
                 CPER_READ_SOURCE_ASYNC, &action);
            g_assert_cmpint(action.panic, ==, cases[i].panic);
            g_assert_cmpuint(action.n_failures, ==, cases[i].failure);
            g_assert_cmpint(action.sigbus, ==, sea && cases[i].sigbus_if_sea);
            g_assert_true(action.printed);
            g_assert_false(action.dropped);
            if (!cases[i].failure) {
                continue;
            }
            g_assert_cmphex(action.failures[0].physical_address, ==,
                            0x123456789abcd000ull);
            g_assert_cmphex(action.failures[0].pfn, ==, 0x123456789abcdull);
            g_assert_cmpint(action.failures[0].soft_offline, ==,
                            cases[i].soft);
            g_assert_cmpint(action.failures[0].action_required, ==,
                            sea && !cases[i].soft);
        }
    }
}

/* A block without entries is accepted; from a SEA source it kills */
static void test_cper_no_entries(void)
{
    uint8_t buf[20];
    CperGuestAction action;

    from_hex("01000000 00000000 00000000 00000000 00000000", buf, 20);
    take(buf, 20, CPER_READ_SOURCE_ASYNC, &action);
    g_assert_cmpuint(action.n_failures, ==, 0);
    g_assert_false(action.sigbus);
    take(buf, 20, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.sigbus);
}

/* The last memory or ARM section decides whether there is a forced SIGBUS */
static void test_cper_last_decides(void)
{
    CperGuestAction action;
    uint8_t buf[512];
    size_t n;

    n = cper_many(buf, sizeof(buf), 2, 5, CPER_READ_RECOVERABLE);
    buf[20 + 72] = 0xfd;        /* the first one has no address */
    take(buf, n, CPER_READ_SOURCE_SEA, &action);
    g_assert_cmpuint(action.n_failures, ==, 1);
    g_assert_cmpuint(action.failures[0].entry, ==, 1);
    g_assert_false(action.sigbus);

    n = cper_many(buf, sizeof(buf), 2, 5, CPER_READ_RECOVERABLE);
    buf[20 + 152 + 72] = 0xfd;  /* the last one has no address */
    take(buf, n, CPER_READ_SOURCE_SEA, &action);
    g_assert_cmpuint(action.n_failures, ==, 1);
    g_assert_cmpuint(action.failures[0].entry, ==, 0);
    g_assert_true(action.sigbus);
}

/* 16 pages of a block are handled, the rest is lost */
static void test_cper_fifo(void)
{
    CperGuestAction action;
    uint8_t buf[4096];
    size_t n = cper_many(buf, sizeof(buf), 20, 5, CPER_READ_RECOVERABLE);

    take(buf, n, CPER_READ_SOURCE_ASYNC, &action);
    g_assert_cmpuint(action.n_failures, ==, 16);
    g_assert_cmpuint(action.n_lost, ==, 4);
    for (unsigned i = 0; i < 16; i++) {
        g_assert_cmphex(action.failures[i].pfn, ==, 0x123456789a000ull + i);
        g_assert_false(action.failures[i].action_required);
    }
}

static void test_cper_ram(void)
{
    g_auto(CperReading) r = { 0 };
    g_auto(CperGuest) guest;
    CperGuestAction action;
    uint8_t buf[CPER_ONE];

    cper_vector(buf, sizeof(buf));
    from_hex("ffff0040 00000000", buf + 108, 8);
    read_good(buf, sizeof(buf), &r);

    cper_guest_init(&guest);
    guest.page_shift = 16;
    guest.ram_base = 0x40000000;
    guest.ram_last = 0x7fffffff;
    cper_guest_take(&guest, &r, CPER_READ_SOURCE_SEA, 1, &action);
    g_assert_cmpuint(action.n_failures, ==, 1);
    g_assert_cmphex(action.failures[0].pfn, ==, 0x4000);
    cper_guest_clear(&guest);

    cper_guest_init(&guest);
    guest.ram_base = 0x40000000;
    guest.ram_last = 0x4000ffff;
    cper_guest_take(&guest, &r, CPER_READ_SOURCE_SEA, 1, &action);
    g_assert_cmpuint(action.n_failures, ==, 1);
    guest.ram_last = 0x4000efff;
    cper_guest_take(&guest, &r, CPER_READ_SOURCE_ASYNC, 1, &action);
    g_assert_cmpuint(action.n_outside, ==, 1);
    cper_guest_clear(&guest);

    cper_guest_init(&guest);
    guest.ram_base = 0x80000000;
    cper_guest_take(&guest, &r, CPER_READ_SOURCE_SEA, 1, &action);
    g_assert_cmpuint(action.n_failures, ==, 0);
    g_assert_cmpuint(action.n_outside, ==, 1);
    g_assert_true(action.sigbus);
}

/* The section is shorter than the fields that Linux looks at */
static void test_cper_short_memory(void)
{
    CperGuestAction action;
    uint8_t buf[512];
    size_t n;

    n = from_hex("21000000 00000000 00000000 a8000000 00000000"
                 EMPTY_ENTRY(GUID_MEMORY, "00000000")
                 "02000000 00000000 00000000 00000000 00307856 34120000"
                 EMPTY_ENTRY(GUID_MEMORY, "00000000"), buf, sizeof(buf));
    buf[44] = 24;
    take(buf, n, CPER_READ_SOURCE_SEA, &action);
    g_assert_cmpuint(action.n_failures, ==, 1);
    g_assert_cmphex(action.failures[0].physical_address, ==, 0x123456783000);
    g_assert_true(action.sigbus);
}

/* A bus error, two contexts and vendor bytes; offsets of the block */
static size_t cper_arm_vector(uint8_t *buf, size_t size)
{
    return from_hex("11000000 00000000 00000000 f7000000 00000000"
                    GUID_ARM "00000000 0003 00 00 af000000" ZERO16 ZERO16
                    "00000000 00000000 00000000"
                    /* 92: bits, 2 infos, 2 contexts, 175 bytes, affinity 2 */
                    "0f000000 0200 0200 af000000 02 000000"
                    "01000080 00000000 f0160f41 00000000"
                    "00000000 03000000"         /* 124: not running, PSCI 3 */
                    /* 132: bus error, everything valid */
                    "00 20 1f00 08 0500 0c" "ff0f59c1 97060000"
                    "8877665544332211" "0010020340000000"
                    /* 164: micro-architectural error, nothing valid */
                    "00 20 0000 10 0000 00" "0000000000000000"
                    "0000000000000000" "0000000000000000"
                    /* 196: 16 bytes of registers; 220: none */
                    "0000 0500 10000000" ZERO16
                    "0000 0400 00000000"
                    /* 228 */
                    "5ec3e7 00000000 00000000 00000000 00000000 00000000 00000000"
                    "00000000 00000000 00000000", buf, size);
}

static void test_cper_arm_contexts(void)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    CperReadArmError error;
    const CperReadArm *arm;
    uint8_t buf[512];
    size_t n = cper_arm_vector(buf, sizeof(buf));

    g_assert_cmpuint(n, ==, 267);
    read_good(buf, n, &r);
    check_why("vector", cper_read_strict(&r, why), why, NULL);
    check_why("vector", cper_read_tidy(&r, why), why, NULL);
    arm = &r.entries[0].arm;
    g_assert_cmpuint(arm->n_infos, ==, 2);
    g_assert_cmpuint(arm->n_contexts, ==, 2);
    g_assert_cmpuint(arm->contexts_at, ==, 104);
    g_assert_cmpuint(arm->contexts_length, ==, 32);
    g_assert_cmpuint(arm->vendor_at, ==, 136);
    g_assert_cmpuint(arm->vendor_length, ==, 39);
    g_assert_cmpuint(arm->psci_state, ==, 3);

    cper_read_arm_error(arm->infos[0].error_info, &error);
    g_assert_cmphex(arm->infos[0].error_info, ==, 0x697c1590fff);
    g_assert_cmphex(error.validation_bits, ==, 0xfff);
    g_assert_cmpuint(error.transaction_type, ==, 1);
    g_assert_cmpuint(error.operation, ==, 6);
    g_assert_cmpuint(error.level, ==, 5);
    g_assert_false(error.context_corrupt);
    g_assert_false(error.corrected);
    g_assert_false(error.precise_pc);
    g_assert_false(error.restartable_pc);
    g_assert_cmpuint(error.participation_type, ==, 2);
    g_assert_true(error.time_out);
    g_assert_cmpuint(error.address_space, ==, 3);
    g_assert_cmphex(error.memory_attributes, ==, 0x1a5);
    g_assert_false(error.access_mode);

    for (unsigned bit = 25; bit <= 43; bit++) {
        cper_read_arm_error(1ull << bit, &error);
        g_assert_cmpint(error.context_corrupt, ==, bit == 25);
        g_assert_cmpint(error.corrected, ==, bit == 26);
        g_assert_cmpint(error.precise_pc, ==, bit == 27);
        g_assert_cmpint(error.restartable_pc, ==, bit == 28);
        g_assert_cmpint(error.time_out, ==, bit == 31);
        g_assert_cmpint(error.access_mode, ==, bit == 43);
    }
}

static void test_cper_arm_strict(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "11", NULL },
        { "section bits", 92, "1f", "ARM validation bits" },
        { "no info", 96, "0000", "0 error infos" },
        { "too many infos", 96, "0500", "room for 4 of 5 error infos" },
        { "too many contexts", 98, "0700", "room for 6 of 7 contexts" },
        { "no context", 98, "0000", NULL },
        { "section length", 100, "b0", "ARM section length 176" },
        { "running and off", 124, "01", "PSCI state 0x3" },
        { "running", 124, "01000000 00000000", NULL },
        { "running state", 124, "02", "running state 0x2" },
        { "info version", 132, "01", "version 1" },
        { "length of info 0", 133, "1f", "length of an error info" },
        { "length of info 1", 165, "00", "length of an error info" },
        { "info bits", 134, "3f", "validation bits 0x3f" },
        { "no type", 136, "00", "type 0x0" },
        { "type bit 0", 136, "09", "type 0x9" },
        { "two types", 136, "18", NULL },
        { "vendor type", 136, "10", NULL },
        { "cache type", 136, "02", "error information" },
        { "info flags", 139, "10", "flags 0x10" },
        { "transaction type", 142, "5b", "error information" },
        { "operation", 142, "5d", "error information" },
        { "bus bits", 141, "1f", "error information" },
        { "reserved bit", 145, "16", "error information" },
        { "context in the vendor bytes", 200, "20", NULL },
        { "context up to the end", 200, "3f", "room for 1 of 2 contexts" },
        { "context behind the end", 200, "40", "room for 0 of 2 contexts" },
        { "context of 4 GiB", 200, "ffffffff", "room for 0 of 2 contexts" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[512];
        size_t n = cper_arm_vector(buf, sizeof(buf));

        from_hex(broken[i].hex, buf + broken[i].offset, 20);
        read_good(buf, n, &r);
        check_why(broken[i].name, cper_read_strict(&r, why), why,
                  broken[i].why);
    }
}

/* The operations, with the types of error that have them */
static void test_cper_arm_operations(void)
{
    static const struct {
        uint8_t type;
        unsigned last;
    } types[] = { { 2, 10 }, { 4, 8 }, { 8, 6 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(types) * 16; i++) {
        unsigned operation = i % 16;
        g_auto(CperReading) r = { 0 };
        uint8_t buf[512];
        size_t n = cper_arm_vector(buf, sizeof(buf));

        memset(buf + 140, 0, 8);
        buf[136] = types[i / 16].type;
        buf[140] = 2;
        buf[142] = operation << 2;
        read_good(buf, n, &r);
        g_assert_cmpint(cper_read_strict(&r, NULL), ==,
                        operation <= types[i / 16].last);
    }
}

static void test_cper_arm_tidy(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "11", NULL },
        { "MPIDR not valid", 92, "0e", "bits 0xe" },
        { "affinity not valid", 92, "0d", "bits 0xd" },
        { "running state not valid", 92, "0b", "bits 0xb" },
        { "vendor bytes not valid", 92, "07", "bits 0x7" },
        { "reserved", 105, "01", "reserved bytes" },
        { "reserved", 107, "01", "reserved bytes" },
        { "number not valid", 134, "1e", "info 0, bits 0x1e" },
        { "flags not valid", 134, "1d", "info 0, bits 0x1d" },
        { "information not valid", 134, "1b", "info 0, bits 0x1b" },
        { "virtual address not valid", 134, "17", "info 0, bits 0x17" },
        { "physical address not valid", 134, "0f", "info 0, bits 0xf" },
        { "second info", 169, "01", "info 1, bits 0x0" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[512];
        size_t n = cper_arm_vector(buf, sizeof(buf));

        from_hex(broken[i].hex, buf + broken[i].offset, 20);
        read_good(buf, n, &r);
        check_why(broken[i].name, cper_read_tidy(&r, why), why,
                  broken[i].why);
    }
}

static void test_cper_arm(void)
{
    g_auto(CperReading) r = { 0 };
    CperGuestAction action;
    const CperReadArm *arm;
    uint8_t buf[512];
    size_t n;

    n = from_hex("11000000 00000000 00000000 b0000000 00000000"
                 EMPTY_ENTRY(GUID_ARM, "00000000")
                 /* 92: bits, 2 infos, no context, 104 bytes, affinity 3 */
                 "0f000000 0200 0000 68000000 03 000000"
                 "01000080 00000000 f0160f41 00000000 01000000 00000000"
                 /* 132: cache error with physical address */
                 "00 20 1000 02 0000 00" "1122334455667788"
                 "0000000000000000" "0010020340000000"
                 /* 164: TLB error */
                 "00 20 0800 04 0100 08" "0000000000000000"
                 "8877665544332211" "0000000000000000", buf, sizeof(buf));
    g_assert_cmpuint(n, ==, 20 + 72 + 40 + 64);
    buf[44] = 104;
    read_good(buf, n, &r);
    arm = &r.entries[0].arm;
    g_assert_cmpuint(r.entries[0].section, ==, CPER_READ_SECTION_ARM);
    g_assert_cmphex(arm->validation_bits, ==, 15);
    g_assert_cmpuint(arm->err_info_num, ==, 2);
    g_assert_cmpuint(arm->context_info_num, ==, 0);
    g_assert_cmpuint(arm->section_length, ==, 104);
    g_assert_cmpuint(arm->affinity_level, ==, 3);
    g_assert_cmphex(arm->mpidr, ==, 0x80000001);
    g_assert_cmphex(arm->midr, ==, 0x410f16f0);
    g_assert_cmpuint(arm->running_state, ==, 1);
    g_assert_cmpuint(arm->n_infos, ==, 2);
    g_assert_cmphex(arm->infos[0].type, ==, 2);
    g_assert_cmphex(arm->infos[0].error_info, ==, 0x8877665544332211ull);
    g_assert_cmphex(arm->infos[0].physical_address, ==, 0x4003021000);
    g_assert_cmphex(arm->infos[1].multiple_error, ==, 1);
    g_assert_cmphex(arm->infos[1].flags, ==, 8);
    g_assert_cmphex(arm->infos[1].virtual_address, ==, 0x1122334455667788ull);

    take(buf, n, CPER_READ_SOURCE_SEA, &action);
    g_assert_cmpuint(action.n_failures, ==, 1);
    g_assert_cmphex(action.failures[0].pfn, ==, 0x4003021);
    g_assert_true(action.failures[0].action_required);
    g_assert_false(action.sigbus);

    buf[132 + 4] = 4;           /* no cache error: nothing is done */
    take(buf, n, CPER_READ_SOURCE_SEA, &action);
    g_assert_cmpuint(action.n_failures, ==, 0);
    g_assert_true(action.sigbus);

    buf[132 + 1] = 0;           /* length 0 must not hang the reader */
    buf[96] = 0xff;
    buf[97] = 0xff;
    take(buf, n, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.sigbus);
}

static void take_at(CperGuest *guest, const CperReading *r, uint64_t ms,
                    CperReadSource source, CperGuestAction *action)
{
    cper_guest_take(guest, r, source, ms, action);
}

/*
 * A second identical block within 10 s: dropped from SEA, handled but not
 * printed otherwise; the first one counts only if it was printed
 */
static void test_cper_duplicates(void)
{
    g_auto(CperReading) a = { 0 };
    g_auto(CperReading) b = { 0 };
    g_auto(CperReading) c = { 0 };
    g_auto(CperGuest) guest;
    CperGuestAction action;
    uint8_t buf[CPER_ONE];

    cper_vector(buf, sizeof(buf));
    read_good(buf, sizeof(buf), &a);
    buf[84] = 0x57;
    read_good(buf, sizeof(buf), &b);
    buf[84] = 0x58;
    read_good(buf, sizeof(buf), &c);

    cper_guest_init(&guest);
    take_at(&guest, &a, 1000, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.printed && action.n_failures == 1);
    take_at(&guest, &a, 1001, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.dropped);
    g_assert_cmpuint(action.n_failures, ==, 0);
    g_assert_false(action.sigbus || action.printed);
    take_at(&guest, &a, 1002, CPER_READ_SOURCE_ASYNC, &action);
    g_assert_false(action.dropped || action.printed);
    g_assert_cmpuint(action.n_failures, ==, 1);

    /* one second later in the timestamp is another record */
    take_at(&guest, &b, 1003, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.printed && action.n_failures == 1);

    /* the third in 5 s is not printed, so its duplicate is not dropped */
    take_at(&guest, &c, 1004, CPER_READ_SOURCE_SEA, &action);
    g_assert_false(action.printed || action.dropped);
    take_at(&guest, &c, 1005, CPER_READ_SOURCE_SEA, &action);
    g_assert_false(action.printed || action.dropped);
    g_assert_cmpuint(action.n_failures, ==, 1);
    take_at(&guest, &c, 6001, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.printed);
    take_at(&guest, &c, 6002, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.dropped);

    /* 10 s after it was printed it is new again */
    take_at(&guest, &a, 10999, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.dropped);
    take_at(&guest, &a, 11000, CPER_READ_SOURCE_SEA, &action);
    g_assert_true(action.n_failures == 1 && !action.dropped);
}

/* Corrected and worse records are rate limited apart; four are remembered */
static void test_cper_cache(void)
{
    g_auto(CperGuest) guest;
    CperGuestAction action;
    unsigned printed = 0, dropped = 0;

    cper_guest_init(&guest);
    for (unsigned i = 0; i < 20; i++) {
        g_auto(CperReading) r = { 0 };
        uint8_t buf[CPER_ONE];

        cper_vector(buf, sizeof(buf));
        buf[16] = i % 2 ? CPER_READ_CORRECTED : CPER_READ_RECOVERABLE;
        buf[48] = i;
        read_good(buf, sizeof(buf), &r);
        take_at(&guest, &r, 100 + i, CPER_READ_SOURCE_SEA, &action);
        printed += action.printed;
        take_at(&guest, &r, 100 + i, CPER_READ_SOURCE_SEA, &action);
        dropped += action.dropped;
    }
    g_assert_cmpuint(printed, ==, 4);
    g_assert_cmpuint(dropped, ==, 4);
}

/*
 * RTAS
 */

/* A complete log: ERROR_SYNC, not recovered, UE load/store, both addresses */
static const char rtas_vector[] =
    "06 74 14 e0 000000d0"                      /* 0 fixed part */
    "c6 00 8e 00 00000000 00000000 49424d00"    /* 8 head of extended log */
    "5048 0030 01 02 0304"                      /* 24 PH */
    "20240229 12345600 0000000000000000 48 0000 04"
    "00000000 0000000000000000 50010203 50040506"
    "5548 0018 05 06 0708"                      /* 72 UH */
    "20 09 40 00 00000000 0000 a000 00000000"
    "5053 0050 0b 0c 0d0e"                      /* 96 PS */
    "02 00 000000000000"
    "02020202 03030303 04040404 05050505 06060606 07070707 08080808 09090909"
    "42373030 31313131 20202020 20202020 20202020 20202020 20202020 20202020"
    "4d43 0028 0f 10 1112"                      /* 176 MC */
    "21222324 31323334 00 e3 000000000000"
    "00007fff12345678 0000000123450000";

#define RTAS_FULL 216

/* What stock QEMU writes: an extended log with nothing but an MC section */
static const char rtas_stock[] =
    "06 74 10 00 00000038"
    "86 00 8e 00 00000000 00000000 49424d00"
    "4d43 0028 01 00 0000"
    "00000000 00000000 00 c3 000000000000"
    "00007fff12345678 0000000000000000";

static void read_log(const uint8_t *buf, size_t len, RtasReading *r)
{
    g_autoptr(GString) why = g_string_new(NULL);

    if (!rtas_read(buf, len, r, why)) {
        g_error("%s", why->str);
    }
}

static void test_rtas_fields(void)
{
    g_autoptr(GString) why = g_string_new(NULL);
    uint8_t buf[RTAS_FULL];
    RtasReading r;

    g_assert_cmpuint(from_hex(rtas_vector, buf, sizeof(buf)), ==, RTAS_FULL);
    read_log(buf, sizeof(buf), &r);
    rtas_read_strict(&r, why);
    g_assert_cmpstr(why->str, ==, "");
    rtas_read_librtas(&r, why);
    g_assert_cmpstr(why->str, ==, "");

    g_assert_cmpuint(r.version, ==, 6);
    g_assert_cmpuint(r.severity, ==, 3);
    g_assert_cmpuint(r.disposition, ==, 2);
    g_assert_true(r.extended);
    g_assert_cmpuint(r.initiator, ==, 1);
    g_assert_cmpuint(r.target, ==, 4);
    g_assert_cmpuint(r.type, ==, 224);
    g_assert_cmpuint(r.extended_length, ==, 208);
    g_assert_cmphex(r.ext_flags, ==, 0xc6);
    g_assert_cmphex(r.ext_format, ==, 0x8e);
    g_assert_cmpuint(r.length, ==, RTAS_FULL);

    g_assert_cmpuint(r.n_sections, ==, 4);
    g_assert_cmphex(r.sections[0].id, ==, 0x5048);
    g_assert_cmpuint(r.sections[0].version, ==, 1);
    g_assert_cmpuint(r.sections[0].subtype, ==, 2);
    g_assert_cmphex(r.sections[0].creator_component, ==, 0x0304);
    g_assert_cmphex(r.sections[1].id, ==, 0x5548);
    g_assert_cmpuint(r.sections[1].offset, ==, 72);
    g_assert_cmphex(r.sections[2].id, ==, 0x5053);
    g_assert_cmpuint(r.sections[2].length, ==, 80);
    g_assert_cmphex(r.sections[3].id, ==, 0x4d43);
    g_assert_cmpuint(r.sections[3].offset, ==, 176);

    g_assert_true(r.has_ph && r.has_uh && r.has_ps && r.has_mc);
    g_assert_cmphex(r.ph.date, ==, 0x20240229);
    g_assert_cmphex(r.ph.time, ==, 0x12345600);
    g_assert_cmpint(r.ph.creator_id, ==, 'H');
    g_assert_cmpuint(r.ph.section_count, ==, 4);
    g_assert_cmphex(r.ph.plid, ==, 0x50010203);
    g_assert_cmphex(r.ph.log_entry_id, ==, 0x50040506);

    g_assert_cmphex(r.uh.subsystem_id, ==, 0x20);
    g_assert_cmphex(r.uh.event_data, ==, 9);
    g_assert_cmphex(r.uh.event_severity, ==, 0x40);
    g_assert_cmphex(r.uh.event_subtype, ==, 0);
    g_assert_cmphex(r.uh.action_flags, ==, 0xa000);

    g_assert_cmpuint(r.ps.src_version, ==, 2);
    g_assert_cmphex(r.ps.flags, ==, 0);
    for (unsigned i = 2; i < 10; i++) {
        g_assert_cmphex(r.ps.word[i], ==, i * 0x01010101u);
    }
    g_assert_cmpstr(r.ps.primary_reference_code, ==,
                    "B7001111                        ");

    g_assert_cmphex(r.mc.fru_id, ==, 0x21222324);
    g_assert_cmphex(r.mc.processor_id, ==, 0x31323334);
    g_assert_cmpuint(r.mc.error_type, ==, 0);
    g_assert_cmphex(r.mc.sub_error_type, ==, 0xe3);
    g_assert_cmphex(r.mc.effective_address, ==, 0x7fff12345678);
    g_assert_cmphex(r.mc.logical_address, ==, 0x123450000);
}

static void test_rtas_stock(void)
{
    g_autoptr(GString) why = g_string_new(NULL);
    RtasGuestAction action;
    RtasGuest guest;
    uint8_t buf[64];
    RtasReading r;

    g_assert_cmpuint(from_hex(rtas_stock, buf, sizeof(buf)), ==, 64);
    read_log(buf, sizeof(buf), &r);
    g_assert_true(r.has_mc);
    g_assert_false(r.has_ph || r.has_uh || r.has_ps);

    g_assert_false(rtas_read_strict(&r, why));
    g_assert_nonnull(strstr(why->str, "not PH and UH"));
    g_assert_nonnull(strstr(why->str, "log of type 0"));
    g_string_truncate(why, 0);
    g_assert_false(rtas_read_librtas(&r, why));

    /* no logical address: the guest looks it up, or poisons page 0 */
    rtas_guest_init(&guest);
    rtas_guest_take(&guest, &r, &action);
    g_assert_true(action.memory_failure && action.pfn_is_a_guess);
    g_assert_cmphex(action.pfn, ==, 0);
    guest.walk_ok = true;
    guest.walk_address = 0x5432000;
    rtas_guest_take(&guest, &r, &action);
    g_assert_true(action.pfn_is_a_guess);
    g_assert_cmphex(action.pfn, ==, 0x5432);
    g_assert_true(action.sigbus);
}

/* What Linux cannot use, or cannot survive */
static void test_rtas_malformed(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "06", NULL },
        { "version is not looked at", 0, "01", NULL },
        { "no extended part", 1, "70", NULL },
        { "extended length 0", 4, "00000000", "extended length 0" },
        { "extended length 19", 4, "00000013", "extended length 19" },
        { "extended length 20: half a section", 4, "00000014",
          "no section head" },
        { "extended length one more than there is", 4, "000000d1",
          "only 208 bytes" },
        { "extended length beyond the copy", 4, "ffffffff", "only 208" },
        { "extended length that cuts MC", 4, "000000cf", "39 bytes of log" },
        { "format 15", 10, "8f", "log format 15" },
        { "format high bits are not looked at", 10, "0e", NULL },
        { "company", 20, "49424e00", "company" },
        { "company without NUL", 23, "4d", "company" },
        { "PH of length 0", 26, "0000", "endless loop" },
        { "MC of length 0 is found before", 178, "0000", "endless loop" },
        { "section of 7 bytes", 98, "0007", "length 7" },
        { "section beyond the log", 98, "0fff", "length 4095" },
        { "MC shorter than its fields, then nothing", 178, "0020",
          "section at 0xd0" },
        { "unknown sections", 96, "5858", NULL },
        { "no PH", 24, "5858", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_autofree uint8_t *buf = g_malloc(RTAS_FULL);
        RtasReading r;

        from_hex(rtas_vector, buf, RTAS_FULL);
        from_hex(broken[i].hex, buf + broken[i].offset, 4);
        check_why(broken[i].name, rtas_read(buf, RTAS_FULL, &r, why), why,
                  broken[i].why);
    }
}

/* Every shorter buffer is refused, and nothing is read behind it */
static void test_rtas_truncated(void)
{
    uint8_t log[RTAS_FULL];

    from_hex(rtas_vector, log, sizeof(log));
    for (size_t len = 0; len < sizeof(log); len++) {
        g_autofree uint8_t *buf = g_malloc(len);
        RtasReading r;

        if (len) {
            memcpy(buf, log, len);
        }
        g_assert_false(rtas_read(buf, len, &r, NULL));
    }
}

static void test_rtas_long(void)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_autofree uint8_t *buf = g_malloc0(4096);
    RtasReading r;

    /* 2040 bytes, the rest one section */
    from_hex(rtas_vector, buf, RTAS_FULL);
    from_hex("000007f8", buf + 4, 4);
    from_hex("5544 0728", buf + RTAS_FULL, 4);
    buf[24 + 0x1b] = 5;
    read_log(buf, 4096, &r);
    g_assert_cmpuint(r.length, ==, 2048);
    g_assert_true(rtas_read_strict(&r, NULL));
    g_assert_true(rtas_read_librtas(&r, NULL));

    from_hex("000007f9", buf + 4, 4);
    g_assert_false(rtas_read(buf, 4096, &r, why));
    g_assert_nonnull(strstr(why->str, "copies only 2040"));

    /* as many sections as fit */
    from_hex("000007f8", buf + 4, 4);
    for (size_t at = 24; at < 2048; at += 8) {
        from_hex("5544 0008 00000000", buf + at, 8);
    }
    read_log(buf, 4096, &r);
    g_assert_cmpuint(r.n_sections, ==, 253);
    g_assert_false(r.has_mc);
}

static void test_rtas_strict(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "06", NULL },
        { "version", 0, "05", "version 5" },
        { "reserved severity", 1, "f4", "byte 1" },
        { "reserved disposition", 1, "7c", "byte 1" },
        { "reserved bits", 1, "75", "byte 1" },
        { "fatal and recovered", 1, "a4", "fatal and fully" },
        { "fatal", 1, "b4", NULL },
        { "initiator ISA", 2, "34", "initiator 3" },
        { "target power management", 2, "15", "target 5" },
        { "type", 3, "00", "log of type 0" },
        { "reserved type", 3, "0b", "type 11 is reserved" },
        { "severity of an event", 1, "34", "severity 1 of a platform" },
        { "log not valid", 8, "46", "flags 0x46" },
        { "log not new", 8, "c2", "flags 0xc2" },
        { "little-endian", 8, "c4", "big-endian" },
        { "unrecoverable and recoverable", 8, "e6", "recoverable and not" },
        { "bypassed and recoverable", 8, "b6", "recoverable and not" },
        { "bypassed and unrecoverable", 8, "d6", NULL },
        { "neither of them", 8, "86", NULL },
        { "reserved flag", 8, "c7", "flags 0xc7" },
        { "not PowerPC format", 10, "0e", "format 0x0e" },
        { "reserved bytes of the head", 19, "01", "reserved bytes of the" },
        { "PH is not first", 24, "5058", "not PH and UH" },
        { "UH is not second", 72, "5058", "not PH and UH" },
        { "no PS", 96, "5058", "without PS" },
        { "two MCs", 96, "4d43", "second section" },
        { "section count", 51, "03", "counts 3 of 4" },
        { "creator", 48, "58", "creator 0x58" },
        { "reserved bytes of PH", 49, "01", "PH: reserved" },
        { "no time", 32, "0000000000000000", NULL },
        { "month 13", 34, "13", "date 20241329" },
        { "day 32", 35, "32", "date" },
        { "day 31 in any month", 35, "31", NULL },
        { "hexadecimal day", 35, "1a", "date" },
        { "no date but a time", 32, "00000000", "date 00000000" },
        { "no date, no machine check", 32, "0000000000000000",
          "date 00000000" },
        { "hour 24", 36, "24", "time" },
        { "hundredths", 39, "99", NULL },
        { "hexadecimal hundredths", 39, "0a", "time" },
        { "subsystem", 80, "00", "subsystem 0x00" },
        { "severity of UH", 82, "30", "severity 0x30" },
        { "severity of UH, spare capacity utilized", 82, "14", NULL },
        { "no severity of UH", 82, "00", "severity 0 of a" },
        { "subtype", 83, "02", "subtype 0x02" },
        { "subtype dump notification", 83, "08", NULL },
        { "action flags, reserved", 90, "8001", "action flags" },
        { "action flags, platform specific", 90, "82c0", NULL },
        { "action flags, hidden but serviced", 90, "c000", "action flags" },
        { "action flags, call home for nothing", 90, "0800", "action flags" },
        { "reserved bytes of UH", 88, "01", "UH: reserved" },
        { "subsections that are not there", 105, "01", "flags 0x01" },
        { "no reference code", 144, "00", "character 0" },
        { "reference code with a blank in front", 144, "20", "character 0" },
        { "reference code with NUL", 150, "00", "behind the reference" },
        { "reference code with NULs behind", 168, "0000000000000000", NULL },
        { "reference code in another alphabet", 144, "e4", "character 0" },
        { "type of MC", 192, "06", "error type 6" },
        { "reserved bits of UE", 193, "eb", "byte 0xeb" },
        { "sub-type of UE", 193, "e5", "byte 0xe5" },
        { "sub-type of a permanent UE", 193, "63", "permanent" },
        { "permanent UE", 193, "60", NULL },
        { "EA without flag", 193, "a3", "effective address" },
        { "RA without flag", 193, "c3", "logical address" },
        { "RA of an SLB error", 192, "0181", "logical address" },
        { "ERAT sub-type 0", 192, "0280", "byte 0x80" },
        { "cache with sub-type", 192, "0501", "byte 0x01" },
        { "control memory, reserved", 192, "0881", "byte 0x81" },
        { "reserved bytes of MC", 199, "01", "MC: reserved" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        uint8_t buf[RTAS_FULL];
        RtasReading r;

        from_hex(rtas_vector, buf, sizeof(buf));
        from_hex(broken[i].hex, buf + broken[i].offset, 8);
        if (strstr(broken[i].name, "no machine check")) {
            buf[177] = 'X';
        }
        read_log(buf, sizeof(buf), &r);
        check_why(broken[i].name, rtas_read_strict(&r, why), why,
                  broken[i].why);
    }
}

/* Byte at @offset of the vector takes every value; which ones are allowed */
static void check_every_byte(size_t offset, const char *allowed,
                             uint8_t type_of_log)
{
    /* ranges such as "00 10-1f", in hexadecimal */
    for (unsigned v = 0; v < 256; v++) {
        g_auto(GStrv) ranges = g_strsplit(allowed, " ", 0);
        g_autoptr(GString) why = g_string_new(NULL);
        uint8_t buf[RTAS_FULL];
        bool expected = false;
        RtasReading r;

        for (char **range = ranges; *range; range++) {
            unsigned first = g_ascii_strtoull(*range, NULL, 16);
            unsigned last = first;

            if (strchr(*range, '-')) {
                last = g_ascii_strtoull(strchr(*range, '-') + 1, NULL, 16);
            }
            expected = expected || (v >= first && v <= last);
        }
        from_hex(rtas_vector, buf, sizeof(buf));
        buf[3] = type_of_log;
        if (type_of_log != 224) {
            buf[177] = 'X';         /* MC is for platform errors only */
        }
        buf[offset] = v;
        if (!rtas_read(buf, sizeof(buf), &r, why)) {
            g_assert_false(expected);
            continue;
        }
        if (rtas_read_strict(&r, why) != expected) {
            g_test_message("byte %zu is 0x%02x: %s", offset, v, why->str);
            g_test_fail();
        }
    }
}

static void test_rtas_every_byte(void)
{
    check_every_byte(1, "44 4c 54 64 6c 74 84 8c 94 ac b4 c4 cc d4"
                     " 40 48 50 60 68 70 80 88 90 a8 b0 c0 c8 d0", 224);
    check_every_byte(2, "00 01 02 04 06 10 11 12 14 16 20 21 22 24 26"
                     " 40 41 42 44 46 60 61 62 64 66", 224);
    check_every_byte(3, "00-0a 40 a0 e0-ff", 226);
    check_every_byte(8, "86 8e 96 9e a6 ae c6 ce d6 de", 224);
    check_every_byte(10, "8e", 224);
    check_every_byte(48, "45 48 4c 57", 224);
    check_every_byte(51, "04", 224);
    check_every_byte(80, "10-af", 224);
    check_every_byte(82, "10 14 15 20-24 40 41 44 45 48 60 61", 224);
    check_every_byte(82, "00 10 14 15 20-24 40 41 44 45 48 60 61", 226);
    check_every_byte(83, "00 01 08 10 20-22 30 40 60 70 80 d0 e0", 224);
    check_every_byte(90, "00 02 20 22 24 26 30 32 34 36 04 06 10 12 14 16"
                     " 40 42 44 46 50 52 54 56 60 62 64 66 70 72 74 76"
                     " 80 82 84 86 88 8a 8c 8e 90 92 94 96 98 9a 9c 9e"
                     " a0 a2 a4 a6 a8 aa ac ae b0 b2 b4 b6 b8 ba bc be",
                     224);
    check_every_byte(91, "00 40 80 c0", 224);
    check_every_byte(144, "21-7e", 224);
    check_every_byte(145, "20-7e", 224);
    check_every_byte(175, "00 20-7e", 224);
    check_every_byte(193, "60 e0-e4", 224);

    /* date and time, BCD */
    check_every_byte(34, "01-09 10-12", 224);
    check_every_byte(35, "01-09 10-19 20-29 30 31", 224);
    check_every_byte(36, "00-09 10-19 20-23", 224);
    check_every_byte(37, "00-09 10-19 20-29 30-39 40-49 50-59", 224);
    check_every_byte(38, "00-09 10-19 20-29 30-39 40-49 50-59", 224);
    check_every_byte(39, "00-09 10-19 20-29 30-39 40-49 50-59 60-69 70-79"
                     " 80-89 90-99", 224);
    check_every_byte(33, "00-09 10-19 20-29 30-39 40-49 50-59 60-69 70-79"
                     " 80-89 90-99", 224);
    /* reserved */
    for (unsigned i = 11; i < 20; i++) {
        check_every_byte(i, "00", 224);
    }
    for (unsigned i = 194; i < 200; i++) {
        check_every_byte(i, "00", 224);
    }
    for (unsigned i = 52; i < 56; i++) {
        check_every_byte(i, "00", 224);
    }
    for (unsigned i = 92; i < 96; i++) {
        check_every_byte(i, "00", 224);
    }
}

/* Every sub-type byte of every type, without addresses */
static void test_rtas_every_subtype(void)
{
    static const struct {
        uint8_t type;
        const char *allowed;
    } types[] = {
        { 0, "00 20 40 60 80-84 a0-a4 c0-c4 e0-e4" },
        { 1, "00-02 80-82" },
        { 2, "01-03 81-83" },
        { 3, "00" },
        { 4, "01-03 81-83" },
        { 5, "00" },
        { 6, "" },
        { 7, "00" },
        { 8, "00 10 80 90" },
        { 9, "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        for (unsigned v = 0; v < 256; v++) {
            g_autofree char *hex = g_strdup_printf("%02x", v);
            g_auto(GStrv) ranges = g_strsplit(types[i].allowed, " ", 0);
            uint8_t buf[RTAS_FULL];
            bool expected = false;
            RtasReading r;

            for (char **range = ranges; *range; range++) {
                expected = expected || !strcmp(*range, hex) ||
                           (strlen(*range) == 5 &&
                            strncmp(hex, *range, 2) >= 0 &&
                            strcmp(hex, *range + 3) <= 0);
            }
            from_hex(rtas_vector, buf, sizeof(buf));
            memset(buf + 200, 0, 16);
            buf[192] = types[i].type;
            buf[193] = v;
            read_log(buf, sizeof(buf), &r);
            g_assert_cmpint(rtas_read_strict(&r, NULL), ==, expected);
        }
    }
}

/* PS follows UH, or LR; one more section of another kind may be behind */
static void test_rtas_order(void)
{
    static const struct {
        const char *third, *fourth;
        bool ok;
    } orders[] = {
        { "5053", "5544", true },
        { "4c52", "5053", true },
        { "5544", "5053", false },
        { "4d54", "5053", false },
        { "5053", "4c52", false },
        { "4c52", "5544", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
        static const char ps[] =
            "5053 0050 00 00 0000 02 00 000000000000" ZERO16 ZERO16
            "42373030 31313131 20202020 20202020 20202020 20202020 20202020"
            "20202020";
        static const char other[] =
            "0000 0050 00 00 0000" "0000000000000000" ZERO16 ZERO16 ZERO16
            ZERO16;
        uint8_t buf[RTAS_FULL + 80];
        RtasReading r;

        from_hex(rtas_vector, buf, RTAS_FULL);
        memmove(buf + 256, buf + 176, 40);
        from_hex(strcmp(orders[i].third, "5053") ? other : ps, buf + 96, 80);
        from_hex(strcmp(orders[i].fourth, "5053") ? other : ps, buf + 176, 80);
        from_hex(orders[i].third, buf + 96, 2);
        from_hex(orders[i].fourth, buf + 176, 2);
        from_hex("00000120", buf + 4, 4);
        buf[51] = 5;
        read_log(buf, sizeof(buf), &r);
        g_assert_cmpint(rtas_read_strict(&r, NULL), ==, orders[i].ok);
        g_assert_true(rtas_read_librtas(&r, NULL));
    }
}

/* librtas knows the size of PS by heart and does not look for PH and UH */
static void test_rtas_librtas(void)
{
    static const Broken broken[] = {
        { "as it is", 0, "06", NULL },
        { "other version: not parsed as version 6", 0, "05", NULL },
        { "not extended", 1, "70", NULL },
        { "PH elsewhere", 24, "5548", "PH and UH" },
        { "UH elsewhere", 72, "5053", "PH and UH" },
        { "a second PH for UH", 72, "5048", "PH and UH" },
        { "PS with another length", 98, "0078", "where there is none" },
        { "PS swallows MC", 98, "0058", "where there is none" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        uint8_t buf[RTAS_FULL] = { 0 };
        RtasReading r;

        from_hex(rtas_vector, buf, sizeof(buf));
        from_hex(broken[i].hex, buf + broken[i].offset, 8);
        if (strstr(broken[i].name, "swallows")) {
            from_hex("5544 0020", buf + 96 + 0x58, 4);
        }
        read_log(buf, sizeof(buf), &r);
        check_why(broken[i].name, rtas_read_librtas(&r, why), why,
                  broken[i].why);
    }
}

/* Type, sub-type byte and EA flag: what the "machine check" line says */
static void test_rtas_words(void)
{
    static const struct {
        const char *hex;
        const char *type, *subtype;
        bool address;
    } cases[] = {
        { "00e0", "UE", "Indeterminate", true },
        { "00e1", "UE", "Instruction fetch", true },
        { "00e2", "UE", "Page table walk ifetch", true },
        { "00e3", "UE", "Load/Store", true },
        { "00e4", "UE", "Page table walk Load/Store", true },
        { "00e5", "UE", "Indeterminate", true },
        { "00a3", "UE", "Load/Store", false },
        { "0180", "SLB", "Parity", true },
        { "0181", "SLB", "Multihit", true },
        { "0182", "SLB", "Indeterminate", true },
        { "0141", "SLB", "Multihit", false },
        { "0280", "ERAT", "Indeterminate", true },
        { "0281", "ERAT", "Parity", true },
        { "0282", "ERAT", "Multihit", true },
        { "0283", "ERAT", "Indeterminate", true },
        { "0481", "TLB", "Parity", true },
        { "0482", "TLB", "Multihit", true },
        { "0402", "TLB", "Multihit", false },
        { "0583", "D-Cache", "Unknown", false },
        { "0783", "I-Cache", "Unknown", false },
        { "0880", "Real address", "Page table walk Load/Store (foreign)",
          true },
        { "0890", "Real address", "Load/Store (foreign)", true },
        { "08a0", "Real address", "Indeterminate", true },
        { "0383", "Unknown", "", false },
        { "0983", "Unknown", "", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RtasGuestAction action;
        uint8_t buf[RTAS_FULL];
        RtasGuest guest;
        RtasReading r;

        from_hex(rtas_vector, buf, sizeof(buf));
        from_hex(cases[i].hex, buf + 192, 2);
        read_log(buf, sizeof(buf), &r);
        rtas_guest_init(&guest);
        rtas_guest_take(&guest, &r, &action);
        g_assert_cmpstr(action.type, ==, cases[i].type);
        g_assert_cmpstr(action.subtype, ==, cases[i].subtype);
        g_assert_cmpint(action.has_address, ==, cases[i].address);
        g_assert_cmphex(action.address, ==,
                        action.has_address ? 0x7fff12345678 : 0);
        g_assert_cmpint(action.memory_failure, ==,
                        cases[i].address && !strcmp(cases[i].type, "UE"));
    }
}

static void test_rtas_severities(void)
{
    static const struct {
        const char *word;
        bool synchronous;
    } cases[] = {
        { "Harmless", true }, { "Warning", true }, { "Warning", true },
        { "Severe", true }, { "Severe", false }, { "Fatal", false },
        { "Fatal", false }, { "Fatal", false },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        RtasGuestAction action;
        uint8_t buf[RTAS_FULL];
        RtasGuest guest;
        RtasReading r;

        from_hex(rtas_vector, buf, sizeof(buf));
        buf[1] = i << 5 | 0x14;
        read_log(buf, sizeof(buf), &r);
        rtas_guest_init(&guest);
        rtas_guest_take(&guest, &r, &action);
        g_assert_cmpstr(action.severity, ==, cases[i].word);
        g_assert_cmpint(action.synchronous, ==, cases[i].synchronous);
        g_assert_cmpint(action.sigbus, ==, cases[i].synchronous);
        g_assert_cmpint(action.die, ==, !cases[i].synchronous);

        guest.user_mode = false;
        rtas_guest_take(&guest, &r, &action);
        g_assert_true(action.die && !action.sigbus);
    }
}

/* Who recovers what: disposition (rows) and type (columns) */
static void test_rtas_recovery(void)
{
    static const uint8_t types[] = { 0, 1, 2, 4, 5, 7, 8 };
    static const char *const recovered[] = {
        "1111111", "1111111", "0110000", "0000000",
    };

    for (unsigned d = 0; d < 4; d++) {
        for (unsigned t = 0; t < G_N_ELEMENTS(types); t++) {
            RtasGuestAction action;
            uint8_t buf[RTAS_FULL];
            RtasGuest guest;
            RtasReading r;

            from_hex(rtas_vector, buf, sizeof(buf));
            buf[1] = 0x64 | d << 3;
            buf[192] = types[t];
            read_log(buf, sizeof(buf), &r);
            rtas_guest_init(&guest);
            rtas_guest_take(&guest, &r, &action);
            g_assert_cmpint(action.recovered, ==, recovered[d][t] == '1');
            g_assert_cmpint(action.degraded, ==, d == 1);
            g_assert_cmpint(action.sigbus, ==, !action.recovered);

            guest.ri = false;
            rtas_guest_take(&guest, &r, &action);
            g_assert_true(action.die && !action.recovered);
        }
    }
}

/* The kernel hits the page in copy_from_user(): no line, no memory_failure() */
static void test_rtas_fixup(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    RtasGuestAction action;
    uint8_t buf[RTAS_FULL];
    RtasGuest guest;
    RtasReading r;

    from_hex(rtas_vector, buf, sizeof(buf));
    read_log(buf, sizeof(buf), &r);
    rtas_guest_init(&guest);
    guest.user_mode = false;
    guest.fixup = true;
    rtas_guest_take(&guest, &r, &action);
    g_assert_true(action.recovered && action.ignored);
    g_assert_false(action.memory_failure || action.die);
    rtas_guest_print(&guest, &action, 0, out);
    g_assert_cmpstr(out->str, ==, "");
}

/* Without MC section everything is unknown, and asynchronous */
static void test_rtas_no_mc(void)
{
    RtasGuestAction action;
    uint8_t buf[RTAS_FULL];
    RtasGuest guest;
    RtasReading r;

    for (unsigned extended = 0; extended < 2; extended++) {
        from_hex(rtas_vector, buf, sizeof(buf));
        buf[1] = extended ? 0x74 : 0x70;
        buf[177] = 'X';
        read_log(buf, sizeof(buf), &r);
        g_assert_false(r.has_mc);
        rtas_guest_init(&guest);
        rtas_guest_take(&guest, &r, &action);
        g_assert_cmpstr(action.severity, ==, "Harmless");
        g_assert_cmpstr(action.type, ==, "Unknown");
        g_assert_cmpstr(action.initiator, ==, "Unknown");
        g_assert_false(action.synchronous || action.memory_failure);
        g_assert_true(action.die);
    }
}

static void test_rtas_print(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    RtasGuestAction action;
    uint8_t buf[RTAS_FULL];
    RtasGuest guest;
    RtasReading r;

    from_hex(rtas_vector, buf, sizeof(buf));
    read_log(buf, sizeof(buf), &r);
    rtas_guest_init(&guest);
    guest.nip = 0x10000abc;
    guest.page_shift = 16;
    rtas_guest_take(&guest, &r, &action);
    g_assert_true(action.memory_failure && !action.pfn_is_a_guess);
    g_assert_cmphex(action.pfn, ==, 0x12345);
    rtas_guest_print(&guest, &action, 3, out);
    g_assert_cmpstr(out->str, ==,
                    "MCE: CPU3: machine check (Severe)  UE Load/Store"
                    " DAR: 00007fff12345678 paddr: 0000000123450000"
                    " [Not recovered]\n"
                    "MCE: CPU3: NIP: [0000000010000abc]\n"
                    "MCE: CPU3: Initiator CPU\n"
                    "MCE: CPU3: Unknown\n");

    /* an instruction fetch: the address is the NIP */
    guest.nip = 0x7fff12345678;
    buf[2] = 0x44;
    buf[193] = 0xe1;
    read_log(buf, sizeof(buf), &r);
    rtas_guest_take(&guest, &r, &action);
    g_string_truncate(out, 0);
    rtas_guest_print(&guest, &action, 3, out);
    g_assert_cmpstr(out->str, ==,
                    "MCE: CPU3: machine check (Severe)  UE Instruction fetch"
                    " [Not recovered]\n"
                    "MCE: CPU3: NIP: [00007fff12345678]"
                    " paddr: 0000000123450000\n"
                    "MCE: CPU3: Initiator Memory\n"
                    "MCE: CPU3: Unknown\n");
}

/* An effective address of 0 counts as none */
static void test_rtas_address_zero(void)
{
    RtasGuestAction action;
    uint8_t buf[RTAS_FULL];
    RtasGuest guest;
    RtasReading r;

    from_hex(rtas_vector, buf, sizeof(buf));
    memset(buf + 200, 0, 8);
    read_log(buf, sizeof(buf), &r);
    rtas_guest_init(&guest);
    rtas_guest_take(&guest, &r, &action);
    g_assert_false(action.has_address || action.memory_failure);
    g_assert_cmphex(action.physical_address, ==, 0);
}

/* Whatever the bytes are, the readers stay within them and come back */
static void test_noise(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = g_test_rand_int_range(0, 400);
        g_autofree uint8_t *buf = g_malloc(len);
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(CperReading) cper = { 0 };
        g_auto(CperGuest) guest;
        RtasGuestAction mce;
        RtasGuest ppc;
        CperGuestAction action;
        RtasReading rtas;
        uint8_t good[300];

        /* a good one with a few bytes changed */
        memset(good, 0, sizeof(good));
        switch (i % 3) {
        case 0:
            cper_vector(good, sizeof(good));
            break;
        case 1:
            cper_arm_vector(good, sizeof(good));
            break;
        default:
            from_hex(rtas_vector, good, sizeof(good));
            break;
        }
        for (size_t at = 0; at < len; at++) {
            buf[at] = at < sizeof(good) ? good[at] : 0;
        }
        for (unsigned n = len ? g_test_rand_int_range(0, 4) : 0; n; n--) {
            buf[g_test_rand_int_range(0, len)] = g_test_rand_int();
        }
        cper_guest_init(&guest);
        if (cper_read(buf, len, &cper, out)) {
            cper_read_strict(&cper, out);
            cper_read_tidy(&cper, out);
            cper_print(&cper, 1, 1, out);
            cper_guest_take(&guest, &cper, i & 2 ? CPER_READ_SOURCE_SEA :
                            CPER_READ_SOURCE_ASYNC, i, &action);
        }
        if (rtas_read(buf, len, &rtas, out)) {
            rtas_read_strict(&rtas, out);
            rtas_read_librtas(&rtas, out);
            rtas_guest_init(&ppc);
            rtas_guest_take(&ppc, &rtas, &mce);
            rtas_guest_print(&ppc, &mce, 0, out);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/readers/cper/fields", test_cper_fields);
    g_test_add_func("/readers/cper/print", test_cper_print);
    g_test_add_func("/readers/cper/print/corrected",
                    test_cper_print_corrected);
    g_test_add_func("/readers/cper/print/unknown", test_cper_print_unknown);
    g_test_add_func("/readers/cper/print/small", test_cper_print_small);
    g_test_add_func("/readers/cper/valid-bits", test_cper_valid_bits);
    g_test_add_func("/readers/cper/entry-bits", test_cper_entry_bits);
    g_test_add_func("/readers/cper/section-sizes", test_cper_section_sizes);
    g_test_add_func("/readers/cper/calendar", test_cper_calendar);
    g_test_add_func("/readers/cper/status-types", test_cper_status_types);
    g_test_add_func("/readers/cper/malformed", test_cper_malformed);
    g_test_add_func("/readers/cper/block-length", test_cper_block_length);
    g_test_add_func("/readers/cper/entries", test_cper_entries);
    g_test_add_func("/readers/cper/strict", test_cper_strict);
    g_test_add_func("/readers/cper/consistent", test_cper_consistent);
    g_test_add_func("/readers/cper/tidy", test_cper_tidy);
    g_test_add_func("/readers/cper/actions", test_cper_actions);
    g_test_add_func("/readers/cper/no-entries", test_cper_no_entries);
    g_test_add_func("/readers/cper/last-decides", test_cper_last_decides);
    g_test_add_func("/readers/cper/fifo", test_cper_fifo);
    g_test_add_func("/readers/cper/ram", test_cper_ram);
    g_test_add_func("/readers/cper/short-memory", test_cper_short_memory);
    g_test_add_func("/readers/cper/arm", test_cper_arm);
    g_test_add_func("/readers/cper/arm/contexts", test_cper_arm_contexts);
    g_test_add_func("/readers/cper/arm/strict", test_cper_arm_strict);
    g_test_add_func("/readers/cper/arm/operations", test_cper_arm_operations);
    g_test_add_func("/readers/cper/arm/tidy", test_cper_arm_tidy);
    g_test_add_func("/readers/cper/duplicates", test_cper_duplicates);
    g_test_add_func("/readers/cper/cache", test_cper_cache);
    g_test_add_func("/readers/rtas/fields", test_rtas_fields);
    g_test_add_func("/readers/rtas/stock", test_rtas_stock);
    g_test_add_func("/readers/rtas/malformed", test_rtas_malformed);
    g_test_add_func("/readers/rtas/truncated", test_rtas_truncated);
    g_test_add_func("/readers/rtas/long", test_rtas_long);
    g_test_add_func("/readers/rtas/strict", test_rtas_strict);
    g_test_add_func("/readers/rtas/every-byte", test_rtas_every_byte);
    g_test_add_func("/readers/rtas/every-subtype", test_rtas_every_subtype);
    g_test_add_func("/readers/rtas/order", test_rtas_order);
    g_test_add_func("/readers/rtas/librtas", test_rtas_librtas);
    g_test_add_func("/readers/rtas/words", test_rtas_words);
    g_test_add_func("/readers/rtas/severities", test_rtas_severities);
    g_test_add_func("/readers/rtas/recovery", test_rtas_recovery);
    g_test_add_func("/readers/rtas/fixup", test_rtas_fixup);
    g_test_add_func("/readers/rtas/no-mc", test_rtas_no_mc);
    g_test_add_func("/readers/rtas/print", test_rtas_print);
    g_test_add_func("/readers/rtas/address-zero", test_rtas_address_zero);
    g_test_add_func("/readers/noise", test_noise);
    return g_test_run();
}
