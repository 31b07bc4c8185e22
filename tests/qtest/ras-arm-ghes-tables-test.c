/*
 * QTest of the device "ras-ghes" on the Arm machine "virt": ACPI tables
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-fw-cfg.h"
#include "ras-arm-ghes.h"

/* Offset in the blob of the one table with this signature, or -1 */
static int find_table(const GByteArray *tables, const char *signature)
{
    int found = -1;
    uint32_t offset, length;

    for (offset = 0; offset + 36 <= tables->len; offset += length) {
        length = ldl_le_p(tables->data + offset + 4);
        if (length < 36) {
            break;              /* the rest of the blob is not used */
        }
        g_assert_cmpuint(length, <=, tables->len - offset);
        if (!memcmp(tables->data + offset, signature, 4)) {
            g_assert_cmpint(found, ==, -1);
            found = offset;
        }
    }
    return found;
}

/*
 * The table, if the XSDT has an entry for it.  Until firmware has placed the
 * tables, their addresses are offsets in the blob.
 */
static const uint8_t *listed_table(const GByteArray *tables,
                                   const char *signature)
{
    int table = find_table(tables, signature);
    int xsdt = find_table(tables, "XSDT");
    const uint8_t *p;

    g_assert_cmpint(xsdt, >=, 0);
    g_assert_cmpint(table, >=, 0);
    p = tables->data + xsdt;
    for (int i = 36; i < ldl_le_p(p + 4); i += 8) {
        if (ldq_le_p(p + i) == table) {
            return tables->data + table;
        }
    }
    g_error("%s is not in XSDT", signature);
}

/* ACPI 6.5 5.2.3.2: a register of 64 bits in memory */
static void check_gas(const uint8_t *gas, uint64_t address)
{
    g_assert_cmpuint(gas[0], ==, 0);        /* system memory */
    g_assert_cmpuint(gas[1], ==, 64);       /* bits */
    g_assert_cmpuint(gas[2], ==, 0);        /* bit offset */
    g_assert_cmpuint(gas[3], ==, 4);        /* access by 64 bits */
    g_assert_cmphex(ldq_le_p(gas + 4), ==, address);
}

static void test_hest(void)
{
    static const struct {
        uint8_t type;
        uint32_t poll_interval;
    } notification[SOURCES] = {
        [SEA] = { 8, 0 },
        [GED] = { 7, 0 },
        [POLLED] = { 0, 1000 },
    };
    RasVm *vm = start();
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    const uint8_t *hest = listed_table(tables, "HEST");

    g_assert_cmpuint(ldl_le_p(hest + 4), ==, 40 + SOURCES * 92);
    g_assert_cmpuint(hest[8], ==, 2);                       /* revision */
    g_assert_cmpuint(ldl_le_p(hest + 36), ==, SOURCES);
    for (int i = 0; i < SOURCES; i++) {
        const uint8_t *p = hest + 40 + i * 92;

        g_assert_cmpuint(lduw_le_p(p), ==, 10);             /* GHESv2 */
        g_assert_cmpuint(lduw_le_p(p + 2), ==, i);          /* source id */
        g_assert_cmphex(lduw_le_p(p + 4), ==, 0xffff);      /* related */
        g_assert_cmpuint(p[6], ==, 0);                      /* flags */
        g_assert_cmpuint(p[7], ==, 1);                      /* enabled */
        g_assert_cmpuint(ldl_le_p(p + 8), ==, 1);           /* records */
        /* no fewer sections than fit: the smallest is 72 bytes */
        g_assert_cmpuint(ldl_le_p(p + 12), ==, (16384 - 20) / 72);
        g_assert_cmpuint(ldl_le_p(p + 16), ==, 16384);      /* raw data */
        check_gas(p + 20, STATUS_ADDRESS(i));
        g_assert_cmpuint(p[32], ==, notification[i].type);
        g_assert_cmpuint(p[33], ==, 28);                    /* length */
        g_assert_cmphex(lduw_le_p(p + 34), ==, 0);          /* write enable */
        g_assert_cmpuint(ldl_le_p(p + 36), ==, notification[i].poll_interval);
        for (int offset = 40; offset < 60; offset += 4) {
            g_assert_cmpuint(ldl_le_p(p + offset), ==, 0);
        }
        g_assert_cmpuint(ldl_le_p(p + 60), ==, BLOCK_LENGTH);
        check_gas(p + 64, READ_ACK(i));
        g_assert_cmphex(ldq_le_p(p + 76), ==, ~1ULL);       /* preserve */
        g_assert_cmphex(ldq_le_p(p + 84), ==, 1);           /* write */
    }
    ras_quit(vm);
}

static void test_bert(void)
{
    RasVm *vm = start();
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    const uint8_t *bert = listed_table(tables, "BERT");

    g_assert_cmpuint(ldl_le_p(bert + 4), ==, 48);
    g_assert_cmpuint(bert[8], ==, 1);                       /* revision */
    g_assert_cmpuint(ldl_le_p(bert + 36), ==, BERT_LENGTH);
    g_assert_cmphex(ldq_le_p(bert + 40), ==, BERT);
    ras_quit(vm);
}

/* How often do the bytes occur in a table? */
static unsigned int count(const uint8_t *table, const void *bytes, size_t len)
{
    const uint8_t *p = table, *end = table + ldl_le_p(table + 4);
    unsigned int n = 0;

    while ((p = memmem(p, end - p, bytes, len))) {
        n++;
        p++;
    }
    return n;
}

/* AML of what only ras-ghes=on has */
static const struct {
    const char *what;
    uint8_t bytes[16];
    unsigned int len;
} aml[] = {
    { "HED", "HED_\x08_HID\x0c\x41\xd0\x0c\x33", 14 },
    { "GED2", "GED2\x08_HID\x0d" "ACPI00", 16 },
    { "its interrupt", { 0x89, 6, 0, 3, 1, GSIV, 0, 0, 0 }, 9 },
    { "its event", "_EVT\x09\x86\\._SB_HED_", 15 },
    { "GHES", "GHES\x08_HID\x0c\x41\xd0\x0c\x02", 14 },
    { "its window", { 0x86, 9, 0, 1, 0, 0, 0, 0x0b, 0, 0, 2, 0 }, 12 },
    { "UUID of the platform", {
        0x6e, 0xb0, 0x11, 0x08, 0x27, 0x4a, 0xf9, 0x44,
        0x8d, 0x60, 0x3c, 0xbb, 0xc2, 0x2e, 0x7b, 0x48 }, 16 },
    { "UUID of WHEA", {
        0x0c, 0x5e, 0x85, 0xed, 0x90, 0x6c, 0xbf, 0x47,
        0xa6, 0x2a, 0x26, 0xde, 0x0f, 0xc5, 0xad, 0x5c }, 16 },
};

static void test_dsdt(void)
{
    RasVm *vm = start(), *other = ras_start_binary(NULL, ",ras=on", "");
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    g_autoptr(GByteArray) stock = fw_cfg_file(other, "etc/acpi/tables");
    const uint8_t *dsdt = tables->data + find_table(tables, "DSDT");
    const uint8_t *stock_dsdt = stock->data + find_table(stock, "DSDT");

    for (int i = 0; i < ARRAY_SIZE(aml); i++) {
        g_test_message("%s", aml[i].what);
        g_assert_cmpuint(count(dsdt, aml[i].bytes, aml[i].len), ==, 1);
        g_assert_cmpuint(count(stock_dsdt, aml[i].bytes, aml[i].len), ==, 0);
    }
    /* one more of each: that of PCI0, and the other GED */
    g_assert_cmpuint(count(dsdt, "_OSC", 4), ==,
                     count(stock_dsdt, "_OSC", 4) + 1);
    g_assert_cmpuint(count(dsdt, "ACPI0013", 8), ==,
                     count(stock_dsdt, "ACPI0013", 8) + 1);
    g_assert_cmpint(find_table(stock, "BERT"), ==, -1);
    ras_quit(vm);
    ras_quit(other);
}

/* What has been built for the options must not be taken for something else. */
static void test_properties_are_fixed(void)
{
    static const struct {
        const char *path, *property, *message;
    } cases[] = {
        { "/machine", "ras-ghes", "Property 'ras-ghes' can be set only before "
                                  "the machine has been created" },
        { "/machine/guest-ras", "reclaim-ms", "Attempt to set property*" },
        { "/machine/guest-ras-ghes", "base", "Attempt to set property*" },
    };
    static const char *const machines[] = { MACHINE, ",ras=on", "" };

    for (int m = 0; m < ARRAY_SIZE(machines); m++) {
        RasVm *vm = ras_start_binary(NULL, machines[m], "");

        for (int i = 0; i < ARRAY_SIZE(cases) - m; i++) {
            QDict *value = i ? qdict_from_jsonf_nofail("{ 'value': 65536 }") :
                           qdict_from_jsonf_nofail("{ 'value': %i }", m != 0);
            QDict *response, *error;

            qdict_put_str(value, "path", cases[i].path);
            qdict_put_str(value, "property", cases[i].property);
            response = qtest_qmp_assert_failure_ref(vm->qts,
                "{ 'execute': 'qom-set', 'arguments': %p }", value);
            error = qdict_get_qdict(response, "error") ?: response;
            ras_assert_like(qdict_get_str(error, "desc"), cases[i].message);
            qobject_unref(response);
        }
        /* the tables are built anew */
        ras_reset(vm);
        g_byte_array_unref(fw_cfg_file(vm, "etc/acpi/tables"));
        ras_quit(vm);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/ghes/tables/hest", test_hest);
    qtest_add_func("/ras/ghes/tables/bert", test_bert);
    qtest_add_func("/ras/ghes/tables/dsdt", test_dsdt);
    qtest_add_func("/ras/ghes/properties-are-fixed",
                   test_properties_are_fixed);
    return g_test_run();
}
