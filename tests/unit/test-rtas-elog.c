/*
 * Tests of hw/ppc/rtas_elog.c: RTAS error logs of machine checks
 *
 * The logs here are typed in by hand from LoPAR 2.9 section 10.3.2, not
 * taken from the encoder.  All that can be put into a log is read back by
 * tests/unit/oracle/rtas-reader.c, which shares nothing with it.
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/ppc/rtas_elog.h"
#include "oracle/rtas-reader.h"

#define LOG_SIZE 216

/* Where things are in a log of four sections */
#define UH 72
#define PS 96
#define MC 176

/*
 * A page that the host has poisoned, touched by a load: UE, transient, both
 * addresses.
 */
static const uint8_t ue_log[LOG_SIZE] = {
    /* fixed part */
    0x06,                               /* version */
    0x74,                               /* ERROR_SYNC, NOT_RECOVERED, ext. */
    0x14,                               /* initiator CPU, target memory */
    0xe0,                               /* platform error */
    0x00, 0x00, 0x00, 0xd0,             /* 208 bytes follow */
    /* extended log head */
    0xc6,                               /* valid, unrecoverable, new, BE */
    0x00,
    0x8e,                               /* PowerPC, platform event log */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x49, 0x42, 0x4d, 0x00,             /* IBM */
    /* PH */
    0x50, 0x48,
    0x00, 0x30,                         /* length 48 */
    0x01, 0x00,                         /* version, sub-type */
    0x00, 0x00,                         /* creator component */
    0x00, 0x00, 0x00, 0x00,             /* no date */
    0x00, 0x00, 0x00, 0x00,             /* no time */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x48,                               /* creator: hypervisor */
    0x00, 0x00,
    0x04,                               /* sections */
    0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x5a, 0x6b, 0x7c, 0x8d,             /* PLID */
    0x5a, 0x6b, 0x7c, 0x8d,             /* entry id, the same */
    /* UH */
    0x55, 0x48,
    0x00, 0x18,                         /* length 24 */
    0x01, 0x00,
    0x00, 0x00,
    0x20,                               /* memory subsystem */
    0x00,
    0x40,                               /* unrecoverable error */
    0x00,                               /* no event */
    0x00, 0x00, 0x00, 0x00,
    0x00, 0x00,
    0x00, 0x00,                         /* no action flags */
    0x00, 0x00, 0x00, 0x00,
    /* PS */
    0x50, 0x53,
    0x00, 0x50,                         /* length 80 */
    0x01, 0x01,                         /* primary */
    0x00, 0x00,
    0x02,                               /* SRC version */
    0x00,                               /* no sub-sections */
    0x00, 0x09, 0x00, 0x00, 0x00, 0x48, /* 9 words, 72 bytes */
    0x00, 0x00, 0x00, 0xe3,             /* word 2: type, sub-type byte */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    'Q', 'E', 'M', 'U', 'M', 'C', '0', '3',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    /* MC */
    0x4d, 0x43,
    0x00, 0x28,                         /* length 40 */
    0x01, 0x00,
    0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,             /* FRU id */
    0x0b, 0x1c, 0x2d, 0x3e,             /* processor id */
    0x00,                               /* UE */
    0xe3,                               /* transient, EA, RA, load/store */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xc0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,     /* EA */
    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,     /* RA */
};

/* Bytes that other logs have in other values than ue_log */
typedef struct Change {
    size_t offset, len;
    const char *bytes;
} Change;

#define CHANGE(offset, bytes) { offset, sizeof(bytes) - 1, bytes }

/* An ERAT error that has been repaired */
static const Change erat_changes[] = {
    CHANGE(1, "\x64\x11"),              /* FULLY_RECOVERED; target CPU, too */
    CHANGE(8, "\xa6"),                  /* recoverable */
    CHANGE(64, "\0\0\x12\x34\0\0\x12\x34"),             /* PLID, entry id */
    CHANGE(UH + 8, "\x10"),             /* processor subsystem */
    CHANGE(UH + 10, "\x10"),            /* recovered error */
    CHANGE(PS + 18, "\x02\x82"),        /* word 2 */
    CHANGE(PS + 54, "22"),              /* reference code */
    CHANGE(MC + 12, "\0\0\0\x07"),      /* processor id */
    CHANGE(MC + 16, "\x02\x82"),        /* ERAT; EA, multi-hit */
    CHANGE(MC + 24, "\0\0\x7f\xff\x12\x34\x56\x78"),    /* EA */
    CHANGE(MC + 32, "\0\0\0\0\0\0\0\0"),
};

/* An access to control memory, fatal, with something taken out of use */
static const Change ctrl_changes[] = {
    CHANGE(1, "\xac\x11"),              /* FATAL, LIMITED_RECOVERY; CPU */
    CHANGE(8, "\x96"),                  /* bypassed */
    CHANGE(64, "\xff\xff\xff\xfe\xff\xff\xff\xfe"),
    CHANGE(UH + 8, "\x10"),             /* processor subsystem */
    CHANGE(UH + 10, "\x41"),            /* bypassed */
    CHANGE(PS + 18, "\x08\x90"),        /* word 2 */
    CHANGE(PS + 54, "81"),              /* reference code */
    CHANGE(MC + 12, "\0\0\x03\xff"),    /* processor id */
    CHANGE(MC + 16, "\x08\x90"),        /* control memory; EA, operand */
    CHANGE(MC + 24, "\xff\xff\xff\xff\xff\xff\xff\xf8"), /* EA */
    CHANGE(MC + 32, "\0\0\0\0\0\0\0\0"),
};

static const uint64_t some_ea = 0xc011223344556677;
static const uint64_t some_ra = 0x08090a0b0c0d0e0f;

static RtasElogMcLogBytes new_log(void)
{
    RtasElogMcLogBytes log;

    G_STATIC_ASSERT(sizeof(log) == LOG_SIZE);
    memset(&log, 0xaa, sizeof(log));
    log = rtas_elog_mc_template;
    return log;
}

/* As the guest reads it; whatever is put into a log, it keeps the rules */
static RtasReading read_log(const RtasElogMcLogBytes *log)
{
    g_autoptr(GString) why = g_string_new(NULL);
    RtasReading r;

    if (!rtas_read((const uint8_t *)log, sizeof(*log), &r, why) ||
        !rtas_read_strict(&r, why)) {
        g_error("%s", why->str);
    }
    return r;
}

static void assert_changed(const RtasElogMcLogBytes *log,
                           const Change *changes, size_t n)
{
    uint8_t expected[LOG_SIZE];

    memcpy(expected, ue_log, LOG_SIZE);
    for (size_t i = 0; i < n; i++) {
        memcpy(expected + changes[i].offset, changes[i].bytes, changes[i].len);
    }
    g_assert_cmpmem(log, sizeof(*log), expected, LOG_SIZE);
}

static void test_ue_vector(void)
{
    RtasElogMcLogBytes log = new_log();

    rtas_elog_put_ids(&log, 0x5a6b7c8d, 0x0b1c2d3e);
    rtas_elog_put_ue(&log, RTAS_MC_UE_LOAD_STORE, &some_ea, &some_ra);
    g_assert_cmpmem(&log, sizeof(log), ue_log, LOG_SIZE);
}

static void test_erat_vector(void)
{
    RtasElogMcLogBytes log = new_log();
    uint64_t ea = 0x00007fff12345678;

    rtas_elog_put_ids(&log, 0x1234, 7);
    rtas_elog_put_disposition(&log, RTAS_ELOG_DISPOSITION_FULLY_RECOVERED);
    rtas_elog_put_processor_error(&log, RTAS_MC_TYPE_ERAT,
                                  RTAS_MC_ERAT_MULTIHIT, &ea);
    assert_changed(&log, erat_changes, G_N_ELEMENTS(erat_changes));
}

static void test_ctrl_vector(void)
{
    RtasElogMcLogBytes log = new_log();
    uint64_t ea = 0xfffffffffffffff8;

    rtas_elog_put_ids(&log, 0xfffffffe, 0x3ff);
    rtas_elog_put_severity(&log, RTAS_ELOG_SEVERITY_FATAL);
    rtas_elog_put_disposition(&log, RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY);
    rtas_elog_put_processor_error(&log, RTAS_MC_TYPE_CTRL_MEM_ACCESS,
                                  RTAS_MC_CTRL_MEM_OPERAND_ACCESS, &ea);
    assert_changed(&log, ctrl_changes, G_N_ELEMENTS(ctrl_changes));
}

/* A UE of which nothing else is known */
static void test_template_as_it_is(void)
{
    RtasElogMcLogBytes log = new_log();
    RtasReading r;

    g_assert_true(rtas_read((const uint8_t *)&log, sizeof(log), &r, NULL));
    g_assert_cmpint(r.severity, ==, RTAS_ELOG_SEVERITY_ERROR_SYNC);
    g_assert_cmpint(r.disposition, ==, RTAS_ELOG_DISPOSITION_NOT_RECOVERED);
    g_assert_cmpint(r.initiator, ==, RTAS_ELOG_ENTITY_CPU);
    g_assert_cmpint(r.target, ==, RTAS_ELOG_ENTITY_MEMORY);
    g_assert_cmpint(r.mc.error_type, ==, RTAS_MC_TYPE_UE);
    g_assert_cmphex(r.mc.sub_error_type, ==, 0);
}

/* Each can be changed, and changed again, without a trace of what it was. */
static void test_put_again(void)
{
    RtasElogMcLogBytes log = rtas_elog_mc_template;

    rtas_elog_put_severity(&log, RTAS_ELOG_SEVERITY_FATAL);
    rtas_elog_put_disposition(&log, RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY);
    rtas_elog_put_severity(&log, RTAS_ELOG_SEVERITY_ERROR_SYNC);
    rtas_elog_put_disposition(&log, RTAS_ELOG_DISPOSITION_NOT_RECOVERED);
    g_assert_cmpmem(&log, sizeof(log), &rtas_elog_mc_template, LOG_SIZE);
    rtas_elog_put_severity(&log, RTAS_ELOG_SEVERITY_ALREADY_REPORTED);
    g_assert_cmphex(log.fixed.severity_disposition, ==, 0xd4);
}

/* Linux would walk its page table, and poison page 0 if that fails */
static void test_ue_addresses(void)
{
    static const uint8_t zero[8];
    static const struct {
        bool ea, ra;
        uint8_t byte;
        bool ea_put, ra_put;
    } rows[] = {
        { true, true, 0xe3, true, true },
        { false, true, 0xa3, false, true },
        { true, false, 0x83, false, false },
        { false, false, 0x83, false, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RtasElogMcLogBytes log = new_log();
        const uint8_t *bytes = (const uint8_t *)&log;

        rtas_elog_put_ue(&log, RTAS_MC_UE_LOAD_STORE,
                         rows[i].ea ? &some_ea : NULL,
                         rows[i].ra ? &some_ra : NULL);
        g_assert_cmphex(bytes[MC + 0x11], ==, rows[i].byte);
        g_assert_cmpmem(bytes + MC + 0x18, 8,
                        rows[i].ea_put ? ue_log + MC + 0x18 : zero, 8);
        g_assert_cmpmem(bytes + MC + 0x20, 8,
                        rows[i].ra_put ? ue_log + MC + 0x20 : zero, 8);
    }
}

static void put(RtasElogMcLogBytes *log, uint8_t type, uint8_t subtype,
                const uint64_t *ea, const uint64_t *ra)
{
    if (type == RTAS_MC_TYPE_UE) {
        rtas_elog_put_ue(log, subtype, ea, ra);
    } else {
        rtas_elog_put_processor_error(log, type, subtype, ea);
    }
}

/* Sub-type byte of every type with every sub-type, all addresses known */
static void test_subtype_bytes(void)
{
    static const struct {
        uint8_t type;
        uint8_t subtype;
        uint8_t byte;
        uint8_t subsystem;
        const char *code;
    } rows[] = {
        { 0, 0, 0xe0, 0x20, "QEMUMC00" },
        { 0, 1, 0xe1, 0x20, "QEMUMC01" },
        { 0, 2, 0xe2, 0x20, "QEMUMC02" },
        { 0, 3, 0xe3, 0x20, "QEMUMC03" },
        { 0, 4, 0xe4, 0x20, "QEMUMC04" },
        { 1, 0, 0x80, 0x10, "QEMUMC10" },
        { 1, 1, 0x81, 0x10, "QEMUMC11" },
        { 1, 2, 0x82, 0x10, "QEMUMC12" },
        { 2, 1, 0x81, 0x10, "QEMUMC21" },
        { 2, 2, 0x82, 0x10, "QEMUMC22" },
        { 2, 3, 0x83, 0x10, "QEMUMC23" },
        { 3, 0, 0x00, 0x10, "QEMUMC30" },
        { 4, 1, 0x81, 0x10, "QEMUMC41" },
        { 4, 2, 0x82, 0x10, "QEMUMC42" },
        { 4, 3, 0x83, 0x10, "QEMUMC43" },
        { 5, 0, 0x00, 0x10, "QEMUMC50" },
        { 7, 0, 0x00, 0x10, "QEMUMC70" },
        { 8, 0, 0x80, 0x10, "QEMUMC80" },
        { 8, 1, 0x90, 0x10, "QEMUMC81" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RtasElogMcLogBytes log = new_log();
        const uint8_t *bytes = (const uint8_t *)&log;
        bool is_ue = rows[i].type == RTAS_MC_TYPE_UE;
        uint8_t flags = is_ue ? 0x60 : 0x80;

        put(&log, rows[i].type, rows[i].subtype, &some_ea, &some_ra);
        g_assert_cmphex(bytes[MC + 0x10], ==, rows[i].type);
        g_assert_cmphex(bytes[MC + 0x11], ==, rows[i].byte);
        g_assert_cmphex(bytes[UH + 0x08], ==, rows[i].subsystem);
        g_assert_cmpmem(bytes + PS + 0x30, 8, rows[i].code, 8);
        /* logical address: UE only; caches and unknown: all zero */
        g_assert_cmphex(bytes[MC + 0x18], ==,
                        rows[i].byte & 0xc0 ? 0xc0 : 0x00);
        g_assert_cmphex(bytes[MC + 0x20], ==, is_ue ? 0x08 : 0x00);

        log = new_log();
        put(&log, rows[i].type, rows[i].subtype, NULL, NULL);
        g_assert_cmphex(bytes[MC + 0x11], ==, rows[i].byte & ~flags);
        g_assert_cmphex(bytes[MC + 0x18], ==, 0);
        g_assert_cmphex(bytes[MC + 0x20], ==, 0);
    }
}

static void test_severity_and_disposition(void)
{
    static const struct {
        RtasElogSeverity severity;
        RtasElogDisposition disposition;
        uint8_t fixed_byte1;
        uint8_t ext_flags;
        uint8_t event_severity;
    } rows[] = {
        { 2, 0, 0x44, 0xa6, 0x10 },
        { 3, 0, 0x64, 0xa6, 0x10 },
        { 3, 1, 0x6c, 0x96, 0x41 },
        { 3, 2, 0x74, 0xc6, 0x40 },
        { 4, 2, 0x94, 0xc6, 0x40 },
        { 5, 2, 0xb4, 0xc6, 0x40 },
        { 6, 2, 0xd4, 0xc6, 0x40 },
        { 6, 0, 0xc4, 0xa6, 0x10 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RtasElogMcLogBytes log = new_log();
        const uint8_t *bytes = (const uint8_t *)&log;

        rtas_elog_put_severity(&log, rows[i].severity);
        rtas_elog_put_disposition(&log, rows[i].disposition);
        g_assert_cmphex(bytes[1], ==, rows[i].fixed_byte1);
        g_assert_cmphex(bytes[8], ==, rows[i].ext_flags);
        g_assert_cmphex(bytes[UH + 0x0a], ==, rows[i].event_severity);
    }
}

/*
 * Against the oracle
 */

/* Sub-type values, first and last */
static const struct McType {
    uint8_t type, first, last;
} mc_types[] = {
    { 0, 0, 4 }, { 1, 0, 2 }, { 2, 1, 3 }, { 3, 0, 0 }, { 4, 1, 3 },
    { 5, 0, 0 }, { 7, 0, 0 }, { 8, 0, 1 },
};

static uint64_t rand64(void)
{
    return (uint64_t)(uint32_t)g_test_rand_int() << 32 |
           (uint32_t)g_test_rand_int();
}

/* Every field is what was asked for */
static void test_against_oracle(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        const struct McType *t =
            &mc_types[g_test_rand_int_range(0, G_N_ELEMENTS(mc_types))];
        uint8_t subtype = g_test_rand_int_range(t->first, t->last + 1);
        uint64_t ea = g_test_rand_bit() ? rand64() : 0;
        uint64_t ra = rand64();
        bool has_ea = g_test_rand_bit(), has_ra = g_test_rand_bit();
        int severity, disposition;
        uint32_t plid = g_test_rand_int(), processor = g_test_rand_int();
        RtasElogMcLogBytes log = new_log();
        RtasReading r;

        do {
            severity = g_test_rand_int_range(2, 7);
            disposition = g_test_rand_int_range(0, 3);
        } while (severity == 5 && !disposition);
        rtas_elog_put_ids(&log, plid, processor);
        rtas_elog_put_severity(&log, severity);
        rtas_elog_put_disposition(&log, disposition);
        put(&log, t->type, subtype, has_ea ? &ea : NULL, has_ra ? &ra : NULL);

        r = read_log(&log);
        g_assert_cmphex(r.plid, ==, plid);
        g_assert_cmphex(r.mc.processor_id, ==, processor);
        g_assert_cmphex(r.mc.fru_id, ==, 0);
        g_assert_cmpint(r.severity, ==, severity);
        g_assert_cmpint(r.disposition, ==, disposition);
        g_assert_cmpint(r.initiator, ==, RTAS_ELOG_ENTITY_CPU);
        g_assert_cmpint(r.target, ==, t->type ? RTAS_ELOG_ENTITY_CPU :
                                                RTAS_ELOG_ENTITY_MEMORY);
        g_assert_cmpint(r.mc.error_type, ==, t->type);
        g_assert_cmpint(r.mc.subtype, ==, subtype);
        g_assert_cmpint(r.mc.transient, ==, t->type == RTAS_MC_TYPE_UE);

        has_ra = has_ra && t->type == RTAS_MC_TYPE_UE;
        has_ea = has_ea && (t->type == RTAS_MC_TYPE_UE ? has_ra :
                            t->type != RTAS_MC_TYPE_UNKNOWN &&
                            t->type != RTAS_MC_TYPE_D_CACHE &&
                            t->type != RTAS_MC_TYPE_I_CACHE);
        g_assert_cmpint(r.mc.ea_valid, ==, has_ea);
        g_assert_cmpint(r.mc.ra_valid, ==, has_ra);
        g_assert_cmphex(r.mc.effective_address, ==, has_ea ? ea : 0);
        g_assert_cmphex(r.mc.logical_address, ==, has_ra ? ra : 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/rtas-elog/vector/ue", test_ue_vector);
    g_test_add_func("/rtas-elog/vector/erat", test_erat_vector);
    g_test_add_func("/rtas-elog/vector/control-memory", test_ctrl_vector);
    g_test_add_func("/rtas-elog/template/as-it-is", test_template_as_it_is);
    g_test_add_func("/rtas-elog/template/put-again", test_put_again);
    g_test_add_func("/rtas-elog/ue-addresses", test_ue_addresses);
    g_test_add_func("/rtas-elog/subtype-bytes", test_subtype_bytes);
    g_test_add_func("/rtas-elog/severity-and-disposition",
                    test_severity_and_disposition);
    g_test_add_func("/rtas-elog/against-oracle", test_against_oracle);

    return g_test_run();
}
