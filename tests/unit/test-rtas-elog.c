/*
 * Tests of hw/ppc/rtas_elog.c: RTAS error logs of machine checks
 *
 * The logs here are typed in by hand from LoPAR 2.9 section 10.3.2, not
 * taken from the encoder.
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/ppc/rtas_elog.h"

#define LOG_SIZE 216

/* Where things are in a log of four sections */
#define PH 24
#define UH 72
#define PS 96
#define MC 176

/*
 * A page that the host has poisoned, touched by a load: UE, transient, both
 * addresses.  Every field has a value of its own.
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
    0x19, 0x87, 0x12, 0x30,             /* 1987-12-30 */
    0x21, 0x43, 0x56, 0x00,             /* 21:43:56 */
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
    0xa1, 0xb2, 0xc3, 0xd4,             /* FRU id */
    0x0b, 0x1c, 0x2d, 0x3e,             /* processor id */
    0x00,                               /* UE */
    0xe3,                               /* transient, EA, RA, load/store */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xc0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,     /* EA */
    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,     /* RA */
};

static const RtasMachineCheckLog ue = {
    .severity = RTAS_ELOG_SEVERITY_ERROR_SYNC,
    .disposition = RTAS_ELOG_DISPOSITION_NOT_RECOVERED,
    .initiator = RTAS_ELOG_ENTITY_CPU,
    .target = RTAS_ELOG_ENTITY_MEMORY,
    .mc_type = RTAS_MC_TYPE_UE,
    .mc_subtype = RTAS_MC_UE_LOAD_STORE,
    .transient = true,
    .ea_valid = true,
    .ra_valid = true,
    .ea = 0xc011223344556677,
    .ra = 0x08090a0b0c0d0e0f,
    .processor_id = 0x0b1c2d3e,
    .fru_id = 0xa1b2c3d4,
    .plid = 0x5a6b7c8d,
    .has_time = true,
    .time = { 1987, 12, 30, 21, 43, 56 },
};

/* An ERAT error that has been repaired; no time */
static const uint8_t erat_log[LOG_SIZE] = {
    /* fixed part */
    0x06,
    0x44,                               /* WARNING, FULLY_RECOVERED, ext. */
    0x61,                               /* initiator hot plug, target CPU */
    0xe0,
    0x00, 0x00, 0x00, 0xd0,
    /* extended log head */
    0xa6,                               /* valid, recoverable, new, BE */
    0x00,
    0x8e,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x49, 0x42, 0x4d, 0x00,
    /* PH */
    0x50, 0x48, 0x00, 0x30, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,             /* no date */
    0x00, 0x00, 0x00, 0x00,             /* no time */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x48, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x12, 0x34,             /* PLID */
    0x00, 0x00, 0x12, 0x34,
    /* UH */
    0x55, 0x48, 0x00, 0x18, 0x01, 0x00, 0x00, 0x00,
    0x10,                               /* processor subsystem */
    0x00,
    0x10,                               /* recovered error */
    0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    /* PS */
    0x50, 0x53, 0x00, 0x50, 0x01, 0x01, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x48,
    0x00, 0x00, 0x02, 0x82,             /* word 2 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    'Q', 'E', 'M', 'U', 'M', 'C', '2', '2',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    /* MC */
    0x4d, 0x43, 0x00, 0x28, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,             /* FRU id */
    0x00, 0x00, 0x00, 0x07,             /* processor id */
    0x02,                               /* ERAT */
    0x82,                               /* EA, multi-hit */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x7f, 0xff, 0x12, 0x34, 0x56, 0x78,     /* EA */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const RtasMachineCheckLog erat = {
    .severity = RTAS_ELOG_SEVERITY_WARNING,
    .disposition = RTAS_ELOG_DISPOSITION_FULLY_RECOVERED,
    .initiator = RTAS_ELOG_ENTITY_HOT_PLUG,
    .target = RTAS_ELOG_ENTITY_CPU,
    .mc_type = RTAS_MC_TYPE_ERAT,
    .mc_subtype = RTAS_MC_ERAT_MULTIHIT,
    .ea_valid = true,
    .ea = 0x00007fff12345678,
    .processor_id = 7,
    .plid = 0x1234,
};

/* An access to control memory, fatal, with something taken out of use */
static const uint8_t ctrl_log[LOG_SIZE] = {
    /* fixed part */
    0x06,
    0xac,                               /* FATAL, LIMITED_RECOVERY, ext. */
    0x42,                               /* initiator memory, target PCI */
    0xe0,
    0x00, 0x00, 0x00, 0xd0,
    /* extended log head */
    0x96,                               /* valid, bypassed, new, BE */
    0x00,
    0x8e,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x49, 0x42, 0x4d, 0x00,
    /* PH */
    0x50, 0x48, 0x00, 0x30, 0x01, 0x00, 0x00, 0x00,
    0x99, 0x99, 0x01, 0x02,             /* 9999-01-02 */
    0x03, 0x04, 0x05, 0x00,             /* 03:04:05 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x48, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xff, 0xff, 0xff, 0xfe,             /* PLID */
    0xff, 0xff, 0xff, 0xfe,
    /* UH */
    0x55, 0x48, 0x00, 0x18, 0x01, 0x00, 0x00, 0x00,
    0x10,                               /* processor subsystem */
    0x00,
    0x41,                               /* bypassed */
    0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    /* PS */
    0x50, 0x53, 0x00, 0x50, 0x01, 0x01, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x48,
    0x00, 0x00, 0x08, 0x90,             /* word 2 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    'Q', 'E', 'M', 'U', 'M', 'C', '8', '1',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    /* MC */
    0x4d, 0x43, 0x00, 0x28, 0x01, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00,             /* FRU id */
    0x00, 0x00, 0x03, 0xff,             /* processor id */
    0x08,                               /* control memory access */
    0x90,                               /* EA, operand access */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf8,     /* EA */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const RtasMachineCheckLog ctrl = {
    .severity = RTAS_ELOG_SEVERITY_FATAL,
    .disposition = RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY,
    .initiator = RTAS_ELOG_ENTITY_MEMORY,
    .target = RTAS_ELOG_ENTITY_PCI,
    .mc_type = RTAS_MC_TYPE_CTRL_MEM_ACCESS,
    .mc_subtype = RTAS_MC_CTRL_MEM_OPERAND_ACCESS,
    .ea_valid = true,
    .ea = 0xfffffffffffffff8,
    .processor_id = 0x3ff,
    .fru_id = 0x01000000,
    .plid = 0xfffffffe,
    .has_time = true,
    .time = { 9999, 1, 2, 3, 4, 5 },
};

/* What QEMU 10.0 writes: no PH, UH, PS; permanent UE with a sub-type */
static const uint8_t stock_log[64] = {
    0x06,
    0x74,                               /* ERROR_SYNC, NOT_RECOVERED, ext. */
    0x10,                               /* initiator CPU */
    0x00,                               /* type other */
    0x00, 0x00, 0x00, 0x38,             /* 56 bytes follow */
    0x86, 0x00, 0x8e,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x49, 0x42, 0x4d, 0x00,
    0x4d, 0x43, 0x00, 0x28, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    0x00,                               /* UE */
    0x44,                               /* EA, page table walk load/store */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x10, 0x00, 0x20, 0x00, 0x30, 0x00,     /* EA */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* An RTAS log that is no machine check: EPOW, sections PH, UH and EP */
static const uint8_t epow_log[] = {
    0x06,
    0x24,                               /* EVENT, FULLY_RECOVERED, ext. */
    0x00,
    0x40,                               /* EPOW */
    0x00, 0x00, 0x00, 0x6c,             /* 108 bytes follow */
    0x86, 0x00, 0x8e,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x49, 0x42, 0x4d, 0x00,
    0x50, 0x48, 0x00, 0x30, 0x01, 0x00, 0x00, 0x00,
    0x20, 0x24, 0x06, 0x15, 0x08, 0x09, 0x10, 0x99,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x48, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x55, 0x48, 0x00, 0x18, 0x01, 0x00, 0x00, 0x00,
    0xa0, 0x00, 0x00, 0xd0, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x45, 0x50, 0x00, 0x14, 0x02, 0x07, 0x1a, 0x2b,
    0x03, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
};

static const struct {
    const uint8_t *bytes;
    const RtasMachineCheckLog *log;
} vectors[] = {
    { ue_log, &ue },
    { erat_log, &erat },
    { ctrl_log, &ctrl },
};

static void assert_log_equal(const RtasMachineCheckLog *a,
                             const RtasMachineCheckLog *b)
{
    g_assert_cmpint(a->severity, ==, b->severity);
    g_assert_cmpint(a->disposition, ==, b->disposition);
    g_assert_cmpint(a->initiator, ==, b->initiator);
    g_assert_cmpint(a->target, ==, b->target);
    g_assert_cmpint(a->mc_type, ==, b->mc_type);
    g_assert_cmpint(a->mc_subtype, ==, b->mc_subtype);
    g_assert_cmpint(a->transient, ==, b->transient);
    g_assert_cmpint(a->ea_valid, ==, b->ea_valid);
    g_assert_cmpint(a->ra_valid, ==, b->ra_valid);
    g_assert_cmphex(a->ea, ==, b->ea);
    g_assert_cmphex(a->ra, ==, b->ra);
    g_assert_cmphex(a->processor_id, ==, b->processor_id);
    g_assert_cmphex(a->fru_id, ==, b->fru_id);
    g_assert_cmphex(a->plid, ==, b->plid);
    g_assert_cmpint(a->has_time, ==, b->has_time);
    g_assert_cmpint(a->time.year, ==, b->time.year);
    g_assert_cmpint(a->time.month, ==, b->time.month);
    g_assert_cmpint(a->time.day, ==, b->time.day);
    g_assert_cmpint(a->time.hour, ==, b->time.hour);
    g_assert_cmpint(a->time.minute, ==, b->time.minute);
    g_assert_cmpint(a->time.second, ==, b->time.second);
}

static void assert_accepted(const uint8_t *bytes, size_t size)
{
    const char *why = NULL;

    if (!rtas_elog_check(bytes, size, &why)) {
        g_error("refused: %s", why);
    }
    g_assert_null(why);
}

static void assert_refused(const uint8_t *bytes, size_t size,
                           const char *reason)
{
    const char *why = NULL;

    g_assert_false(rtas_elog_check(bytes, size, &why));
    g_assert_cmpstr(why, ==, reason);
    g_assert_false(rtas_elog_check(bytes, size, NULL));
}

/* Builds @log, has it checked, and gives the sub-type byte */
static uint8_t build(uint8_t *bytes, const RtasMachineCheckLog *log)
{
    g_assert_cmpuint(rtas_elog_build_mc(bytes, LOG_SIZE, log), ==, LOG_SIZE);
    assert_accepted(bytes, LOG_SIZE);
    return bytes[MC + 0x11];
}

/*
 * Encoder
 */

static void test_build_vectors(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(vectors); i++) {
        uint8_t bytes[LOG_SIZE];

        memset(bytes, 0xaa, sizeof(bytes));
        g_assert_cmpuint(rtas_elog_build_mc(bytes, sizeof(bytes),
                                            vectors[i].log), ==, LOG_SIZE);
        g_assert_cmpmem(bytes, sizeof(bytes), vectors[i].bytes, LOG_SIZE);
    }
}

/* As it is: a UE of which nothing else is known */
static void test_template_is_complete(void)
{
    RtasMachineCheckLog log;

    assert_accepted((const uint8_t *)&rtas_elog_mc_template, LOG_SIZE);
    g_assert_true(rtas_elog_decode_mc(&rtas_elog_mc_template, LOG_SIZE, &log,
                                      NULL));
    assert_log_equal(&log, &(RtasMachineCheckLog) {
        .severity = RTAS_ELOG_SEVERITY_ERROR_SYNC,
        .disposition = RTAS_ELOG_DISPOSITION_NOT_RECOVERED,
        .initiator = RTAS_ELOG_ENTITY_CPU,
        .target = RTAS_ELOG_ENTITY_MEMORY,
        .mc_type = RTAS_MC_TYPE_UE,
    });
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

static void test_build_exact_fit_and_one_byte_short(void)
{
    uint8_t *bytes = g_malloc(LOG_SIZE);
    size_t size;

    g_assert_cmpuint(RTAS_ELOG_MC_LOG_SIZE, ==, LOG_SIZE);
    g_assert_cmpuint(rtas_elog_build_mc(bytes, LOG_SIZE, &ue), ==, LOG_SIZE);
    g_free(bytes);

    /* nothing is written, not even into what there is */
    for (size = 0; size < LOG_SIZE; size++) {
        size_t i;

        bytes = g_malloc(size + 1);
        memset(bytes, 0x5c, size + 1);
        g_assert_cmpuint(rtas_elog_build_mc(bytes, size, &ue), ==, 0);
        for (i = 0; i <= size; i++) {
            g_assert_cmphex(bytes[i], ==, 0x5c);
        }
        g_free(bytes);
    }
}

static void test_build_larger_buffer_is_left_alone(void)
{
    uint8_t bytes[LOG_SIZE + 3];

    memset(bytes, 0x77, sizeof(bytes));
    g_assert_cmpuint(rtas_elog_build_mc(bytes, sizeof(bytes), &ue), ==,
                     LOG_SIZE);
    g_assert_cmpmem(bytes, LOG_SIZE, ue_log, LOG_SIZE);
    g_assert_cmphex(bytes[LOG_SIZE], ==, 0x77);
    g_assert_cmphex(bytes[LOG_SIZE + 2], ==, 0x77);
}

static void test_unaligned(void)
{
    uint8_t room[LOG_SIZE + 16];
    size_t shift;

    for (shift = 0; shift < 16; shift++) {
        uint8_t *bytes = room + shift;
        RtasMachineCheckLog log;

        g_assert_cmpuint(rtas_elog_build_mc(bytes, LOG_SIZE, &ue), ==,
                         LOG_SIZE);
        g_assert_cmpmem(bytes, LOG_SIZE, ue_log, LOG_SIZE);
        assert_accepted(bytes, LOG_SIZE);
        g_assert_true(rtas_elog_decode_mc(bytes, LOG_SIZE, &log, NULL));
        assert_log_equal(&log, &ue);
    }
}

static void test_build_ue_address_flags(void)
{
    uint8_t bytes[LOG_SIZE];
    RtasMachineCheckLog log = ue;

    g_assert_cmphex(build(bytes, &log), ==, 0xe3);

    log.ea_valid = false;
    g_assert_cmphex(build(bytes, &log), ==, 0xa3);
    g_assert_cmpmem(bytes + MC + 0x18, 8, "\0\0\0\0\0\0\0\0", 8);
    g_assert_cmpmem(bytes + MC + 0x20, 8, ue_log + MC + 0x20, 8);

    log.ra_valid = false;
    g_assert_cmphex(build(bytes, &log), ==, 0x83);
    g_assert_cmpmem(bytes + MC + 0x18, 16,
                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

/* Linux would walk its page table, and poison page 0 if that fails */
static void test_build_ue_without_ra_gives_no_ea(void)
{
    uint8_t bytes[LOG_SIZE];
    RtasMachineCheckLog log = ue;

    log.ra_valid = false;
    g_assert_cmphex(build(bytes, &log), ==, 0x83);
    g_assert_cmpmem(bytes + MC + 0x18, 16,
                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void test_build_permanent_ue_has_no_subtype(void)
{
    uint8_t bytes[LOG_SIZE];
    RtasMachineCheckLog log = ue;

    log.transient = false;
    g_assert_cmphex(build(bytes, &log), ==, 0x60);
}

/* Sub-type byte of every type with every sub-type, all addresses known */
static void test_build_subtype_bytes(void)
{
    static const struct {
        uint8_t type;
        uint8_t subtype;
        uint8_t byte;
        uint8_t subsystem;
        const char *code;
    } cases[] = {
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
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        RtasMachineCheckLog log = ue;
        uint8_t bytes[LOG_SIZE];
        bool is_ue = cases[i].type == RTAS_MC_TYPE_UE;
        bool has_ea = cases[i].byte & 0xc0;
        uint8_t flags = is_ue ? 0x60 : 0x80;

        log.mc_type = cases[i].type;
        log.mc_subtype = cases[i].subtype;
        g_assert_cmphex(build(bytes, &log), ==, cases[i].byte);
        g_assert_cmphex(bytes[MC + 0x10], ==, cases[i].type);
        g_assert_cmphex(bytes[UH + 0x08], ==, cases[i].subsystem);
        g_assert_cmpmem(bytes + PS + 0x30, 8, cases[i].code, 8);
        /* logical address: UE only; caches and unknown: all zero */
        g_assert_cmphex(bytes[MC + 0x18], ==, has_ea ? 0xc0 : 0x00);
        g_assert_cmphex(bytes[MC + 0x20], ==, is_ue ? 0x08 : 0x00);

        log.ea_valid = false;
        log.ra_valid = false;
        g_assert_cmphex(build(bytes, &log), ==, cases[i].byte & ~flags);
        g_assert_cmpmem(bytes + MC + 0x18, 16,
                        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    }
}

static void test_build_severity_and_disposition(void)
{
    static const struct {
        RtasElogSeverity severity;
        RtasElogDisposition disposition;
        uint8_t fixed_byte1;
        uint8_t ext_flags;
        uint8_t event_severity;
    } cases[] = {
        { 2, 0, 0x44, 0xa6, 0x10 },
        { 3, 0, 0x64, 0xa6, 0x10 },
        { 3, 1, 0x6c, 0x96, 0x41 },
        { 3, 2, 0x74, 0xc6, 0x40 },
        { 4, 2, 0x94, 0xc6, 0x40 },
        { 5, 2, 0xb4, 0xc6, 0x40 },
        { 6, 2, 0xd4, 0xc6, 0x40 },
        { 6, 0, 0xc4, 0xa6, 0x10 },
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        RtasMachineCheckLog log = ue;
        uint8_t bytes[LOG_SIZE];

        log.severity = cases[i].severity;
        log.disposition = cases[i].disposition;
        build(bytes, &log);
        g_assert_cmphex(bytes[1], ==, cases[i].fixed_byte1);
        g_assert_cmphex(bytes[8], ==, cases[i].ext_flags);
        g_assert_cmphex(bytes[UH + 0x0a], ==, cases[i].event_severity);
    }
}

static void test_build_refuses(void)
{
    static const struct {
        size_t offset;          /* of a member of the enumeration's size */
        int value;
        const char *reason;
    } cases[] = {
#define MEMBER(name) offsetof(RtasMachineCheckLog, name)
        { MEMBER(severity), 0, "severity is not WARNING, ERROR_SYNC, ERROR, "
                               "FATAL or ALREADY_REPORTED" },
        { MEMBER(severity), 1, "severity is not WARNING, ERROR_SYNC, ERROR, "
                               "FATAL or ALREADY_REPORTED" },
        { MEMBER(severity), 7, "severity is not WARNING, ERROR_SYNC, ERROR, "
                               "FATAL or ALREADY_REPORTED" },
        { MEMBER(disposition), 3, "disposition is reserved" },
        { MEMBER(disposition), -1, "disposition is reserved" },
        { MEMBER(initiator), 3, "initiator is reserved" },
        { MEMBER(initiator), 5, "initiator is reserved" },
        { MEMBER(initiator), 7, "initiator is reserved" },
        { MEMBER(initiator), 16, "initiator is reserved" },
        { MEMBER(target), 3, "target is reserved" },
        { MEMBER(target), -1, "target is reserved" },
        { MEMBER(mc_type), 6, "machine check type is reserved" },
        { MEMBER(mc_type), 9, "machine check type is reserved" },
        { MEMBER(mc_type), 256, "machine check type is reserved" },
#undef MEMBER
    };
    static const uint8_t bad_subtypes[][2] = {
        { 0, 5 }, { 0, 7 }, { 0, 8 }, { 1, 3 }, { 2, 0 }, { 2, 4 }, { 4, 0 },
        { 3, 1 }, { 4, 4 }, { 5, 1 }, { 7, 1 }, { 8, 2 }, { 8, 16 },
    };
    uint8_t bytes[LOG_SIZE];
    RtasMachineCheckLog log;
    const char *why;
    size_t i;

    G_STATIC_ASSERT(sizeof(log.severity) == sizeof(int));

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        log = ue;
        memcpy((uint8_t *)&log + cases[i].offset, &cases[i].value,
               sizeof(cases[i].value));
        why = NULL;
        g_assert_false(rtas_elog_mc_valid(&log, &why));
        g_assert_cmpstr(why, ==, cases[i].reason);
        g_assert_false(rtas_elog_mc_valid(&log, NULL));
        g_assert_cmpuint(rtas_elog_build_mc(bytes, sizeof(bytes), &log), ==,
                         0);
    }

    for (i = 0; i < G_N_ELEMENTS(bad_subtypes); i++) {
        log = ue;
        log.mc_type = bad_subtypes[i][0];
        log.mc_subtype = bad_subtypes[i][1];
        why = NULL;
        g_assert_false(rtas_elog_mc_valid(&log, &why));
        g_assert_cmpstr(why, ==,
                        "the machine check type has no such sub-type");
        g_assert_cmpuint(rtas_elog_build_mc(bytes, sizeof(bytes), &log), ==,
                         0);
    }

    log = ue;
    log.severity = RTAS_ELOG_SEVERITY_FATAL;
    log.disposition = RTAS_ELOG_DISPOSITION_FULLY_RECOVERED;
    why = NULL;
    g_assert_false(rtas_elog_mc_valid(&log, &why));
    g_assert_cmpstr(why, ==, "a FATAL error cannot be FULLY_RECOVERED");
    g_assert_cmpuint(rtas_elog_build_mc(bytes, sizeof(bytes), &log), ==, 0);

    why = NULL;
    g_assert_true(rtas_elog_mc_valid(&ue, &why));
    g_assert_null(why);
}

/* A leap second must not cost the record of an error */
static void test_build_time_that_is_none_is_left_out(void)
{
    static const RtasElogTime times[] = {
        { 0, 12, 30, 21, 43, 56 },
        { 10000, 12, 30, 21, 43, 56 },
        { 1987, 0, 30, 21, 43, 56 },
        { 1987, 13, 30, 21, 43, 56 },
        { 1987, 12, 0, 21, 43, 56 },
        { 1987, 12, 32, 21, 43, 56 },
        { 1987, 12, 30, 24, 43, 56 },
        { 1987, 12, 30, 21, 60, 56 },
        { 1987, 12, 30, 21, 43, 60 },
    };
    uint8_t bytes[LOG_SIZE];
    RtasMachineCheckLog log = ue;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(times); i++) {
        log.time = times[i];
        build(bytes, &log);
        g_assert_cmpmem(bytes + PH + 0x08, 8, "\0\0\0\0\0\0\0\0", 8);
    }

    log.time = (RtasElogTime) { 1, 1, 1, 0, 0, 0 };
    build(bytes, &log);
    g_assert_cmpmem(bytes + PH + 0x08, 8, "\x00\x01\x01\x01\0\0\0\0", 8);
    log.time = (RtasElogTime) { 2038, 12, 31, 23, 59, 59 };
    build(bytes, &log);
    g_assert_cmpmem(bytes + PH + 0x08, 8,
                    "\x20\x38\x12\x31\x23\x59\x59\x00", 8);
    log.has_time = false;
    build(bytes, &log);
    g_assert_cmpmem(bytes + PH + 0x08, 8, "\0\0\0\0\0\0\0\0", 8);
}

/*
 * Decoder
 */

static void test_decode_vectors(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(vectors); i++) {
        RtasMachineCheckLog log;
        const char *why = NULL;

        memset(&log, 0xff, sizeof(log));
        g_assert_true(rtas_elog_decode_mc(vectors[i].bytes, LOG_SIZE, &log,
                                          &why));
        g_assert_null(why);
        assert_log_equal(&log, vectors[i].log);
        assert_accepted(vectors[i].bytes, LOG_SIZE);
    }
}

static void test_decode_log_of_stock_qemu(void)
{
    RtasMachineCheckLog log;

    g_assert_true(rtas_elog_decode_mc(stock_log, sizeof(stock_log), &log,
                                      NULL));
    g_assert_cmpint(log.severity, ==, RTAS_ELOG_SEVERITY_ERROR_SYNC);
    g_assert_cmpint(log.disposition, ==, RTAS_ELOG_DISPOSITION_NOT_RECOVERED);
    g_assert_cmpint(log.initiator, ==, RTAS_ELOG_ENTITY_CPU);
    g_assert_cmpint(log.mc_type, ==, RTAS_MC_TYPE_UE);
    g_assert_cmpint(log.mc_subtype, ==, RTAS_MC_UE_TABLE_WALK_LOAD_STORE);
    g_assert_false(log.transient);
    g_assert_true(log.ea_valid);
    g_assert_false(log.ra_valid);
    g_assert_cmphex(log.ea, ==, 0x0000100020003000);
    g_assert_cmphex(log.ra, ==, 0);
    g_assert_cmphex(log.plid, ==, 0);
    g_assert_false(log.has_time);

    assert_refused(stock_log, sizeof(stock_log),
                   "the PH section is not the first");
}

static void test_decode_without_machine_check(void)
{
    RtasMachineCheckLog log = ctrl;
    uint8_t bytes[LOG_SIZE];
    const char *why = NULL;

    assert_accepted(epow_log, sizeof(epow_log));
    g_assert_false(rtas_elog_decode_mc(epow_log, sizeof(epow_log), &log,
                                       &why));
    g_assert_cmpstr(why, ==, "there is no MC section");
    assert_log_equal(&log, &ctrl);

    why = NULL;
    g_assert_false(rtas_elog_decode_mc(ue_log, LOG_SIZE - 1, &log, &why));
    g_assert_cmpstr(why, ==, "the extended log is longer than the buffer");
    assert_log_equal(&log, &ctrl);

    /* no section at all */
    memcpy(bytes, ue_log, LOG_SIZE);
    bytes[7] = 16;
    why = NULL;
    g_assert_cmpint(rtas_elog_walk(bytes, LOG_SIZE, NULL, NULL, &why), ==, 0);
    g_assert_null(why);
    g_assert_false(rtas_elog_decode_mc(bytes, LOG_SIZE, &log, &why));
    g_assert_cmpstr(why, ==, "there is no MC section");

    /* an MC section that is cut off does not count */
    memcpy(bytes, ue_log, LOG_SIZE);
    bytes[7] = 0xcf;
    bytes[MC + 3] = 0x27;
    why = NULL;
    g_assert_false(rtas_elog_decode_mc(bytes, LOG_SIZE, &log, &why));
    g_assert_cmpstr(why, ==, "there is no MC section");
}

static void test_decode_returns_reserved_values_as_found(void)
{
    uint8_t bytes[LOG_SIZE];
    RtasMachineCheckLog log;

    memcpy(bytes, ue_log, LOG_SIZE);
    bytes[1] = 0xfc;                    /* severity 7, disposition 3 */
    bytes[2] = 0x3f;                    /* initiator 3, target 15 */
    bytes[PH + 0x0a] = 0x1a;            /* month is not BCD */
    bytes[MC + 0x10] = 0x06;            /* type 6 */
    g_assert_true(rtas_elog_decode_mc(bytes, LOG_SIZE, &log, NULL));
    g_assert_cmpint(log.severity, ==, 7);
    g_assert_cmpint(log.disposition, ==, 3);
    g_assert_cmpint(log.initiator, ==, 3);
    g_assert_cmpint(log.target, ==, 15);
    g_assert_cmpint(log.mc_type, ==, 6);
    g_assert_cmpint(log.mc_subtype, ==, 0xe3);
    g_assert_false(log.ea_valid);
    g_assert_false(log.ra_valid);
    g_assert_cmphex(log.ea, ==, 0);
    g_assert_false(log.has_time);
    g_assert_cmpint(log.time.year, ==, 0);
    g_assert_cmpint(log.time.day, ==, 0);

    /* a sub-type the type does not have */
    memcpy(bytes, ue_log, LOG_SIZE);
    bytes[MC + 0x11] = 0x07;
    g_assert_true(rtas_elog_decode_mc(bytes, LOG_SIZE, &log, NULL));
    g_assert_cmpint(log.mc_subtype, ==, 7);
    g_assert_false(log.transient);
}

static void test_decode_takes_first_section_of_a_kind(void)
{
    uint8_t bytes[LOG_SIZE + 40 + 48];
    RtasMachineCheckLog log;

    memcpy(bytes, ue_log, LOG_SIZE);
    memcpy(bytes + LOG_SIZE, erat_log + MC, 40);
    memcpy(bytes + LOG_SIZE + 40, erat_log + PH, 48);
    bytes[6] = 0x01;                    /* 208 + 88 = 0x128 */
    bytes[7] = 0x28;
    g_assert_true(rtas_elog_decode_mc(bytes, sizeof(bytes), &log, NULL));
    assert_log_equal(&log, &ue);
}

static void test_decode_header(void)
{
    uint8_t bytes[8];
    RtasElogHeader header;
    size_t len;

    for (len = 0; len < 8; len++) {
        g_assert_false(rtas_elog_decode_header(ctrl_log, len, &header));
    }
    g_assert_true(rtas_elog_decode_header(ctrl_log, 8, &header));
    g_assert_cmpint(header.version, ==, 6);
    g_assert_cmpint(header.severity, ==, RTAS_ELOG_SEVERITY_FATAL);
    g_assert_cmpint(header.disposition, ==,
                    RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY);
    g_assert_true(header.extended);
    g_assert_cmpint(header.initiator, ==, RTAS_ELOG_ENTITY_MEMORY);
    g_assert_cmpint(header.target, ==, RTAS_ELOG_ENTITY_PCI);
    g_assert_cmpint(header.type, ==, RTAS_ELOG_TYPE_PLATFORM_ERROR);
    g_assert_cmpuint(header.extended_length, ==, 208);

    /* no extended log: four bytes are all there is */
    memcpy(bytes, ctrl_log, 8);
    bytes[1] &= ~0x04;
    g_assert_false(rtas_elog_decode_header(bytes, 3, &header));
    g_assert_true(rtas_elog_decode_header(bytes, 4, &header));
    g_assert_false(header.extended);
    g_assert_cmpuint(header.extended_length, ==, 0);
    g_assert_true(rtas_elog_decode_header(bytes, 8, &header));
    g_assert_cmpuint(header.extended_length, ==, 0);

    memcpy(bytes, "\x06\x04\x00\x00\xfe\xdc\xba\x98", 8);
    g_assert_true(rtas_elog_decode_header(bytes, 8, &header));
    g_assert_cmphex(header.extended_length, ==, 0xfedcba98);
}

/*
 * Walker
 */

typedef struct Visit {
    int stop_at;                /* 0: do not */
    int count;
    RtasElogSection sections[8];
} Visit;

static bool visit(const RtasElogSection *section, void *opaque)
{
    Visit *v = opaque;

    g_assert_cmpint(v->count, <, (int)G_N_ELEMENTS(v->sections));
    v->sections[v->count++] = *section;
    return v->count != v->stop_at;
}

static void test_walk(void)
{
    Visit v = { 0 };

    g_assert_cmpint(rtas_elog_walk(ue_log, LOG_SIZE, visit, &v, NULL), ==, 4);
    g_assert_cmpint(v.count, ==, 4);
    g_assert_cmphex(v.sections[0].id, ==, RTAS_ELOG_SECTION_PH);
    g_assert_cmpuint(v.sections[0].offset, ==, PH);
    g_assert_cmphex(v.sections[1].id, ==, RTAS_ELOG_SECTION_UH);
    g_assert_cmpuint(v.sections[1].offset, ==, UH);
    g_assert_cmphex(v.sections[2].id, ==, RTAS_ELOG_SECTION_PS);
    g_assert_cmpuint(v.sections[2].offset, ==, PS);
    g_assert_cmpuint(v.sections[2].subtype, ==, 1);
    g_assert_cmphex(v.sections[3].id, ==, RTAS_ELOG_SECTION_MC);
    g_assert_cmpuint(v.sections[3].offset, ==, MC);
    g_assert_cmpuint(v.sections[3].length, ==, 40);
    g_assert_true(v.sections[3].bytes == ue_log + MC);

    v = (Visit) { 0 };
    g_assert_cmpint(rtas_elog_walk(epow_log, sizeof(epow_log), visit, &v,
                                   NULL), ==, 3);
    g_assert_cmphex(v.sections[2].id, ==, 0x4550);
    g_assert_cmpuint(v.sections[2].length, ==, 20);
    g_assert_cmpuint(v.sections[2].version, ==, 2);
    g_assert_cmpuint(v.sections[2].subtype, ==, 7);
    g_assert_cmphex(v.sections[2].creator_component, ==, 0x1a2b);

    /* without callback; ended by the callback; more buffer than log */
    g_assert_cmpint(rtas_elog_walk(ue_log, LOG_SIZE, NULL, NULL, NULL), ==, 4);
    v = (Visit) { .stop_at = 2 };
    g_assert_cmpint(rtas_elog_walk(ue_log, LOG_SIZE, visit, &v, NULL), ==, 2);
    g_assert_cmpint(v.count, ==, 2);
}

static void test_walk_longer_buffer(void)
{
    uint8_t bytes[LOG_SIZE + 100];
    RtasMachineCheckLog log;

    memset(bytes, 0xee, sizeof(bytes));
    memcpy(bytes, ue_log, LOG_SIZE);
    g_assert_cmpint(rtas_elog_walk(bytes, sizeof(bytes), NULL, NULL, NULL),
                    ==, 4);
    assert_accepted(bytes, sizeof(bytes));
    g_assert_true(rtas_elog_decode_mc(bytes, sizeof(bytes), &log, NULL));
    assert_log_equal(&log, &ue);
}

static void test_walk_largest_log(void)
{
    size_t size = 8 + 2048;
    uint8_t *bytes = g_malloc0(size);
    const char *why = NULL;
    size_t offset;

    memcpy(bytes, ue_log, 24);
    bytes[6] = 0x08;                    /* 2048 */
    bytes[7] = 0x00;
    for (offset = 24; offset < size; offset += 8) {
        memcpy(bytes + offset, "UD\0\x08", 4);
    }
    g_assert_cmpint(rtas_elog_walk(bytes, size, NULL, NULL, &why), ==, 254);

    bytes[7] = 0x01;
    g_assert_cmpint(rtas_elog_walk(bytes, size + 1, NULL, NULL, &why), ==, -1);
    g_assert_cmpstr(why, ==,
                    "the extended log is longer than rtas-error-log-max");
    g_free(bytes);
}

/* Linux loops for ever on a section of length 0 */
static void test_walk_refuses_malformed(void)
{
    static const struct {
        size_t offset;
        uint8_t value;
        int visited;
        const char *reason;
    } cases[] = {
        { PH + 3, 0, 0, "a section is shorter than its head" },
        { UH + 3, 7, 1, "a section is shorter than its head" },
        { MC + 3, 0, 3, "a section is shorter than its head" },
        { MC + 3, 41, 3, "a section runs past the end of the log" },
        { MC + 2, 0x80, 3, "a section runs past the end of the log" },
        { MC + 3, 33, 4, "a section head runs past the end of the log" },
        { 7, 0xd1, 4, "the extended log is longer than the buffer" },
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t bytes[LOG_SIZE];
        const char *why = NULL;
        Visit v = { 0 };

        memcpy(bytes, ue_log, LOG_SIZE);
        bytes[cases[i].offset] = cases[i].value;
        g_assert_cmpint(rtas_elog_walk(bytes, LOG_SIZE, visit, &v, &why), ==,
                        -1);
        g_assert_cmpstr(why, ==, cases[i].reason);
        g_assert_cmpint(v.count, ==, i == 6 ? 0 : cases[i].visited);
        g_assert_cmpint(rtas_elog_walk(bytes, LOG_SIZE, NULL, NULL, NULL), ==,
                        -1);
    }
}

/*
 * Strict check: a good log, one change, the reason
 */

typedef struct Change {
    const uint8_t *bytes;       /* a log of LOG_SIZE */
    size_t offset;
    uint8_t value;
    const char *reason;
} Change;

static const Change changes[] = {
    /* frame */
    { ue_log, 0, 0x05, "version is not 6" },
    { ue_log, 0, 0x07, "version is not 6" },
    { ue_log, 1, 0x70, "there is no extended log" },
    { ue_log, 7, 0x0f, "the extended log is shorter than its head" },
    { ue_log, 7, 0xd1, "the extended log is longer than the buffer" },
    { ue_log, 6, 0x09, "the extended log is longer than rtas-error-log-max" },
    { ue_log, 4, 0xff, "the extended log is longer than rtas-error-log-max" },
    { ue_log, 10, 0x8f,
      "the log format is not that of a platform event log" },
    { ue_log, 20, 'J', "the company identifier is not IBM" },
    { ue_log, 23, ' ', "the company identifier is not IBM" },
    /* fixed part */
    { ue_log, 1, 0x75, "reserved bits of the fixed part are set" },
    { ue_log, 1, 0x76, "reserved bits of the fixed part are set" },
    { ue_log, 1, 0xf4, "severity is reserved" },
    { ue_log, 1, 0x7c, "disposition is reserved" },
    { ue_log, 1, 0xa4, "a FATAL error cannot be FULLY_RECOVERED" },
    { ue_log, 1, 0x14, "the severity of a platform error is that of an event" },
    { ue_log, 1, 0x34, "the severity of a platform error is that of an event" },
    { ue_log, 2, 0x34, "initiator is reserved" },
    { ue_log, 2, 0x74, "initiator is reserved" },
    { ue_log, 2, 0xf4, "initiator is reserved" },
    { ue_log, 2, 0x15, "target is reserved" },
    { ue_log, 2, 0x18, "target is reserved" },
    { ue_log, 3, 0x0b, "type is reserved" },
    { ue_log, 3, 0xe6, "type is reserved" },
    { ue_log, 3, 0x00, "there is an MC section without a platform error" },
    { ue_log, 3, 0xe3, "there is an MC section without a platform error" },
    /* extended log head */
    { ue_log, 8, 0x46, "the extended log is not flagged as valid" },
    { ue_log, 8, 0xc2, "the extended log is not flagged as new" },
    { ue_log, 8, 0xc4, "the extended log is not flagged as big-endian" },
    { ue_log, 8, 0xe6, "the extended log is flagged both recoverable and "
                       "unrecoverable" },
    { ue_log, 8, 0xb6, "the extended log is flagged both recoverable and "
                       "unrecoverable" },
    { ue_log, 8, 0xc7, "reserved bits of the extended log head are set" },
    { ue_log, 9, 0x01, "reserved bits of the extended log head are set" },
    { ue_log, 10, 0x9e, "reserved bits of the extended log head are set" },
    { ue_log, 10, 0xae, "reserved bits of the extended log head are set" },
    { ue_log, 10, 0xce, "reserved bits of the extended log head are set" },
    { ue_log, 10, 0x0e,
      "the extended log is not flagged as in PowerPC format" },
    { ue_log, 11, 0x01, "reserved bits of the extended log head are set" },
    { ue_log, 19, 0x80, "reserved bits of the extended log head are set" },
    /* order */
    { ue_log, PH + 1, 'I', "the PH section is not the first" },
    { ue_log, UH + 1, 'I', "the UH section is not the second" },
    { ue_log, UH + 0, 'P', "the PH section is not the first" },
    { ue_log, MC + 1, 'D', NULL },      /* some other section: allowed */
    { ue_log, PS + 1, 'X', "a platform error has no PS section" },
    { ue_log, PH + 0x1b, 3, "the section count in the PH section is wrong" },
    { ue_log, PH + 0x1b, 5, "the section count in the PH section is wrong" },
    /* PH */
    { ue_log, PH + 0x08, 0x1a, "the PH section has no valid date and time" },
    { ue_log, PH + 0x08, 0xa1, "the PH section has no valid date and time" },
    { ue_log, PH + 0x09, 0x8f, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0a, 0x13, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0a, 0x00, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0b, 0x32, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0b, 0x00, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0c, 0x24, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0d, 0x60, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0e, 0x60, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0f, 0x9a, "the PH section has no valid date and time" },
    { ue_log, PH + 0x0f, 0x99, NULL },
    { erat_log, PH + 0x0c, 0x01, "the PH section has no valid date and time" },
    { erat_log, PH + 0x0b, 0x01, "the PH section has no valid date and time" },
    { ue_log, PH + 0x10, 0x01, NULL },  /* platform specific */
    { ue_log, PH + 0x18, 'E', NULL },
    { ue_log, PH + 0x18, 'L', NULL },
    { ue_log, PH + 0x18, 'W', NULL },
    { ue_log, PH + 0x18, 'X', "the creator in the PH section is unknown" },
    { ue_log, PH + 0x18, 0, "the creator in the PH section is unknown" },
    { ue_log, PH + 0x19, 1, "reserved bytes of the PH section are set" },
    { ue_log, PH + 0x1a, 1, "reserved bytes of the PH section are set" },
    { ue_log, PH + 0x1c, 1, "reserved bytes of the PH section are set" },
    { ue_log, PH + 0x1f, 1, "reserved bytes of the PH section are set" },
    /* UH */
    { ue_log, UH + 0x08, 0x0f, "the subsystem in the UH section is reserved" },
    { ue_log, UH + 0x08, 0xb0, "the subsystem in the UH section is reserved" },
    { ue_log, UH + 0x08, 0xaf, NULL },
    { ue_log, UH + 0x0a, 0x11, "the severity in the UH section is reserved" },
    { ue_log, UH + 0x0a, 0xff, "the severity in the UH section is reserved" },
    { ue_log, UH + 0x0a, 0x00,
      "the UH section of a platform error has no error severity" },
    { ue_log, UH + 0x0b, 0x02,
      "the event sub-type in the UH section is reserved" },
    { ue_log, UH + 0x0b, 0x10, NULL },
    { ue_log, UH + 0x10, 0x01, "reserved bytes of the UH section are set" },
    { ue_log, UH + 0x17, 0x01, "reserved bytes of the UH section are set" },
    { ue_log, UH + 0x12, 0x01, "reserved action flags are set" },
    { ue_log, UH + 0x13, 0x20, "reserved action flags are set" },
    { ue_log, UH + 0x12, 0xc0,
      "action flags ask for service of a hidden error" },
    { ue_log, UH + 0x12, 0x08, "action flags call home for no service" },
    { ue_log, UH + 0x12, 0x10,
      "action flags restrict a report that is not asked for" },
    { ue_log, UH + 0x12, 0xac, NULL },
    { ue_log, UH + 0x12, 0x34, NULL },
    { ue_log, UH + 0x13, 0xc0, NULL },  /* platform specific */
    /* PS */
    { ue_log, PS + 0x09, 0x01,
      "the FRU call-out of the PS section is malformed" },
    { ue_log, PS + 0x09, 0xfe, NULL },  /* platform specific */
    { ue_log, PS + 0x30, ' ', "the PS section has no primary reference code" },
    { ue_log, PS + 0x30, 0, "the PS section has no primary reference code" },
    { ue_log, PS + 0x34, 0x1f, "the PS section has no primary reference code" },
    { ue_log, PS + 0x34, 0x7f, "the PS section has no primary reference code" },
    { ue_log, PS + 0x4e, 0x00, "the PS section has no primary reference code" },
    { ue_log, PS + 0x4f, 0x00, NULL },
    { ue_log, PS + 0x4f, '~', NULL },
    /* MC */
    { ue_log, MC + 0x10, 0x06, "machine check type is reserved" },
    { ue_log, MC + 0x10, 0x09, "machine check type is reserved" },
    { ue_log, MC + 0x11, 0xf3,
      "reserved bits of the machine check sub-type are set" },
    { ue_log, MC + 0x11, 0xeb,
      "reserved bits of the machine check sub-type are set" },
    { ue_log, MC + 0x11, 0xe5, "the machine check type has no such sub-type" },
    { ue_log, MC + 0x11, 0xe7, "the machine check type has no such sub-type" },
    { ue_log, MC + 0x11, 0x63, "a permanent UE has a sub-type" },
    { ue_log, MC + 0x11, 0x60, NULL },
    { ue_log, MC + 0x11, 0xc3,
      "a UE has an effective but no logical address" },
    { ue_log, MC + 0x11, 0xa3,
      "there is an effective address that is not flagged" },
    { ue_log, MC + 0x11, 0x83,
      "there is an effective address that is not flagged" },
    { ue_log, MC + 0x12, 0x01, "reserved bytes of the MC section are set" },
    { ue_log, MC + 0x17, 0x01, "reserved bytes of the MC section are set" },
    { erat_log, MC + 0x11, 0x80,
      "the machine check type has no such sub-type" },
    { erat_log, MC + 0x11, 0x83, NULL },
    { erat_log, MC + 0x11, 0x02,
      "there is an effective address that is not flagged" },
    { erat_log, MC + 0x11, 0xc2,
      "reserved bits of the machine check sub-type are set" },
    { erat_log, MC + 0x11, 0x86,
      "reserved bits of the machine check sub-type are set" },
    { erat_log, MC + 0x20, 0x01,
      "there is a logical address that is not flagged" },
    { erat_log, MC + 0x27, 0x01,
      "there is a logical address that is not flagged" },
    { erat_log, MC + 0x10, 0x01, NULL },        /* SLB, parity or multi-hit */
    { erat_log, MC + 0x10, 0x04, NULL },        /* TLB multi-hit */
    { erat_log, MC + 0x10, 0x05,
      "reserved bits of the machine check sub-type are set" },
    { erat_log, MC + 0x10, 0x07,
      "reserved bits of the machine check sub-type are set" },
    { erat_log, MC + 0x10, 0x08,
      "reserved bits of the machine check sub-type are set" },
    { ctrl_log, MC + 0x11, 0x80, NULL },
    { ctrl_log, MC + 0x11, 0xa0,
      "the machine check type has no such sub-type" },
    { ctrl_log, MC + 0x11, 0x91,
      "reserved bits of the machine check sub-type are set" },
    { ctrl_log, MC + 0x11, 0x10,
      "there is an effective address that is not flagged" },
};

static void test_check_changed_byte(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(changes); i++) {
        const Change *c = &changes[i];
        uint8_t bytes[LOG_SIZE];

        memcpy(bytes, c->bytes, LOG_SIZE);
        g_assert_cmphex(bytes[c->offset], !=, c->value);
        bytes[c->offset] = c->value;
        if (c->reason) {
            assert_refused(bytes, LOG_SIZE, c->reason);
        } else {
            assert_accepted(bytes, LOG_SIZE);
        }
    }
}

static void test_check_cut_off(void)
{
    size_t size;

    for (size = 0; size < LOG_SIZE; size++) {
        g_autofree uint8_t *bytes = g_malloc(size ? size : 1);

        memcpy(bytes, ue_log, size);
        assert_refused(bytes, size, size < 8
                       ? "the buffer is shorter than the fixed part"
                       : "the extended log is longer than the buffer");
    }
}

/* A log under construction: sections are appended, lengths and count follow */
typedef struct Draft {
    uint8_t bytes[1024];
    size_t size;
} Draft;

static void draft_start(Draft *d, const uint8_t *log)
{
    memset(d, 0, sizeof(*d));
    memcpy(d->bytes, log, 24);
    d->size = 24;
}

static void draft_add(Draft *d, const uint8_t *bytes, size_t size)
{
    memcpy(d->bytes + d->size, bytes, size);
    d->size += size;
    d->bytes[6] = (d->size - 8) >> 8;
    d->bytes[7] = (d->size - 8) & 0xff;
    d->bytes[PH + 0x1b]++;
}

/* PH with a section count of 0, so that it is counted up from there */
static void draft_add_ph(Draft *d, const uint8_t *log)
{
    draft_add(d, log + PH, 48);
    d->bytes[PH + 0x1b] = 1;
}

static void test_check_sections(void)
{
    static const uint8_t lr[20] = { 'L', 'R', 0, 20, 1 };
    static const uint8_t ud[8] = { 'U', 'D', 0, 8, 1 };
    uint8_t section[128];
    Draft d;

    /* no section at all; PH alone */
    draft_start(&d, ue_log);
    d.bytes[7] = 16;
    d.bytes[6] = 0;
    assert_refused(d.bytes, d.size, "the PH or the UH section is missing");
    draft_add_ph(&d, ue_log);
    assert_refused(d.bytes, d.size, "the PH or the UH section is missing");

    /* what is there must be in order, LR before PS, the rest behind */
    draft_add(&d, ue_log + UH, 24);
    assert_refused(d.bytes, d.size, "a platform error has no PS section");
    draft_add(&d, lr, sizeof(lr));
    draft_add(&d, ue_log + PS, 80);
    assert_accepted(d.bytes, d.size);
    draft_add(&d, ud, sizeof(ud));
    draft_add(&d, ue_log + MC, 40);
    assert_accepted(d.bytes, d.size);
    draft_add(&d, ue_log + MC, 40);
    assert_refused(d.bytes, d.size, "there is more than one MC section");

    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ue_log + MC, 40);
    draft_add(&d, ue_log + PS, 80);
    assert_refused(d.bytes, d.size,
                   "the PS section does not follow the UH section");

    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ue_log + PS, 80);
    draft_add(&d, ue_log + PS, 80);
    assert_refused(d.bytes, d.size,
                   "the PS section does not follow the UH section");

    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ue_log + PS, 80);
    draft_add(&d, lr, sizeof(lr));
    assert_refused(d.bytes, d.size,
                   "the LR section does not follow the UH section");

    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ue_log + UH, 24);
    assert_refused(d.bytes, d.size, "the UH section is not the second");

    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ue_log + PH, 48);
    assert_refused(d.bytes, d.size, "the PH section is not the first");

    /* lengths */
    memset(section, 0, sizeof(section));
    memcpy(section, ue_log + PH, 48);
    section[3] = 49;
    draft_start(&d, ue_log);
    draft_add(&d, section, 49);
    assert_refused(d.bytes, d.size, "the length of the PH section is not 48");

    memcpy(section, ue_log + UH, 24);
    section[3] = 25;
    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, section, 25);
    assert_refused(d.bytes, d.size, "the length of the UH section is not 24");

    memcpy(section, ue_log + MC, 40);
    section[3] = 32;            /* as LoPAR's table has it */
    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ue_log + PS, 80);
    draft_add(&d, section, 32);
    assert_refused(d.bytes, d.size, "the length of the MC section is not 40");
}

static void test_check_fru_call_out(void)
{
    static const uint8_t call_out[16] = {
        0xc0,                           /* FRU call-out */
        0x00,
        0x00, 0x04,                     /* 4 words */
        0x0c, 0x20, 'H', 0x08,          /* 12 bytes, no FRU identity, high */
        'U', '7', '8', 'A', 'B', '.', '0', '1',
    };
    uint8_t ps[96];
    Draft d;
    size_t i;
    static const struct {
        size_t offset;
        uint8_t value;
        const char *reason;
    } cases[] = {
        { 0x09, 0x00,
          "the PS section has sub-sections that are not flagged" },
        { 0x50, 0xc1, "the FRU call-out of the PS section is malformed" },
        { 0x53, 0x03, "the FRU call-out of the PS section is malformed" },
        { 0x53, 0x05, "the FRU call-out of the PS section is malformed" },
        { 0x52, 0x40, "the FRU call-out of the PS section is malformed" },
    };

    for (i = 0; i <= G_N_ELEMENTS(cases); i++) {
        memcpy(ps, ue_log + PS, 80);
        memcpy(ps + 80, call_out, 16);
        ps[0x03] = sizeof(ps);
        ps[0x09] = 0x01;
        if (i < G_N_ELEMENTS(cases)) {
            ps[cases[i].offset] = cases[i].value;
        }
        draft_start(&d, ue_log);
        draft_add_ph(&d, ue_log);
        draft_add(&d, ue_log + UH, 24);
        draft_add(&d, ps, sizeof(ps));
        if (i < G_N_ELEMENTS(cases)) {
            assert_refused(d.bytes, d.size, cases[i].reason);
        } else {
            assert_accepted(d.bytes, d.size);
            d.bytes[3] = 0x09;          /* ECC uncorrectable */
            assert_refused(d.bytes, d.size, "the PS section calls out FRUs "
                                            "without a platform error");
        }
    }

    /* a sub-section that consists of its head */
    ps[0x03] = 84;
    ps[0x53] = 1;
    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ps, 84);
    assert_accepted(d.bytes, d.size);

    /* flagged, but no room for the head of the sub-section */
    ps[0x03] = 83;
    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ps, 83);
    assert_refused(d.bytes, d.size,
                   "the FRU call-out of the PS section is malformed");

    /* shorter than it must be */
    ps[0x03] = 79;
    draft_start(&d, ue_log);
    draft_add_ph(&d, ue_log);
    draft_add(&d, ue_log + UH, 24);
    draft_add(&d, ps, 79);
    assert_refused(d.bytes, d.size, "the PS section is shorter than 80");
}

/* Fields with a list of values: each of the 256 is in it or is refused */
static void test_check_all_values(void)
{
    static const struct {
        size_t offset;
        uint8_t values[20];             /* 0 ends the list */
        const char *reason;
    } cases[] = {
        /* the types that can go with an MC section: one */
        { 3, { 0xe0 }, NULL },
        { PH + 0x18, { 'E', 'H', 'L', 'W' },
          "the creator in the PH section is unknown" },
        { UH + 0x0a, { 0x10, 0x14, 0x15, 0x20, 0x21, 0x22, 0x23, 0x24, 0x40,
                       0x41, 0x44, 0x45, 0x48, 0x60, 0x61 },
          NULL },
        { UH + 0x0b, { 0x01, 0x08, 0x10, 0x20, 0x21, 0x22, 0x30, 0x40, 0x60,
                       0x70, 0x80, 0xd0, 0xe0 },
          "the event sub-type in the UH section is reserved" },
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        int value;

        for (value = 1; value < 256; value++) {
            uint8_t bytes[LOG_SIZE];
            bool listed = memchr(cases[i].values, value,
                                 sizeof(cases[i].values));

            memcpy(bytes, ue_log, LOG_SIZE);
            bytes[cases[i].offset] = value;
            if (listed) {
                assert_accepted(bytes, LOG_SIZE);
            } else if (cases[i].reason) {
                assert_refused(bytes, LOG_SIZE, cases[i].reason);
            } else {
                g_assert_false(rtas_elog_check(bytes, LOG_SIZE, NULL));
            }
        }
    }
}

/* Types of logs other than machine checks, all 256 */
static void test_check_all_types(void)
{
    static const uint8_t types[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 64, 160, 225, 226, 227, 228, 229,
    };
    int type;

    for (type = 0; type < 256; type++) {
        uint8_t bytes[sizeof(epow_log)];

        memcpy(bytes, epow_log, sizeof(bytes));
        bytes[3] = type;
        if (type == 224) {
            assert_refused(bytes, sizeof(bytes), "the severity of a platform "
                                                 "error is that of an event");
            g_assert_cmpstr(rtas_elog_type_name(type), ==, "platform error");
        } else if (memchr(types, type, sizeof(types))) {
            assert_accepted(bytes, sizeof(bytes));
            g_assert_cmpstr(rtas_elog_type_name(type), !=, "reserved");
        } else {
            assert_refused(bytes, sizeof(bytes), "type is reserved");
            g_assert_cmpstr(rtas_elog_type_name(type), ==, "reserved");
        }
    }
}

/* All action flags, all combinations */
static void test_check_action_flags(void)
{
    unsigned flags;

    for (flags = 0; flags <= 0xffff; flags++) {
        bool service = flags & 0x8000, hidden = flags & 0x4000;
        bool external = flags & 0x2000, hmc_only = flags & 0x1000;
        bool call_home = flags & 0x0800;
        bool good = !(flags & 0x0100) && !(flags & 0x003f) &&
                    !(service && hidden) && (service || !call_home) &&
                    (external || !hmc_only);
        uint8_t bytes[LOG_SIZE];

        memcpy(bytes, ue_log, LOG_SIZE);
        bytes[UH + 0x12] = flags >> 8;
        bytes[UH + 0x13] = flags & 0xff;
        g_assert_cmpint(rtas_elog_check(bytes, LOG_SIZE, NULL), ==, good);
    }
}

/* Each byte of date and time with each value, against a list of its own */
static void test_check_date_and_time(void)
{
    static const struct {
        size_t offset;
        int first, last;                /* as numbers are written: BCD */
    } fields[] = {
        { 0x08, 0x00, 0x99 },           /* century; with year 87 */
        { 0x09, 0x00, 0x99 },           /* year; with century 19 */
        { 0x0a, 0x01, 0x12 },
        { 0x0b, 0x01, 0x31 },
        { 0x0c, 0x00, 0x23 },
        { 0x0d, 0x00, 0x59 },
        { 0x0e, 0x00, 0x59 },
        { 0x0f, 0x00, 0x99 },           /* hundredths */
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(fields); i++) {
        int value;

        for (value = 0; value < 256; value++) {
            bool is_bcd = (value & 0x0f) <= 9 && (value & 0xf0) <= 0x90;
            bool good = is_bcd && value >= fields[i].first &&
                        value <= fields[i].last;
            RtasMachineCheckLog log;
            uint8_t bytes[LOG_SIZE];

            memcpy(bytes, ue_log, LOG_SIZE);
            bytes[PH + fields[i].offset] = value;
            g_assert_true(rtas_elog_decode_mc(bytes, LOG_SIZE, &log, NULL));
            if (good) {
                assert_accepted(bytes, LOG_SIZE);
                g_assert_true(log.has_time);
            } else {
                assert_refused(bytes, LOG_SIZE,
                               "the PH section has no valid date and time");
                /* the reader does not look at hundredths */
                g_assert_cmpint(log.has_time, ==, fields[i].offset == 0x0f);
            }
        }
    }
}

/* Only a log with a machine check may go without time */
static void test_check_time_is_required_elsewhere(void)
{
    uint8_t bytes[sizeof(epow_log)];

    memcpy(bytes, epow_log, sizeof(bytes));
    memset(bytes + PH + 0x08, 0, 8);
    assert_refused(bytes, sizeof(bytes), "the PH section has no date and time");
    assert_accepted(erat_log, LOG_SIZE);
}

/*
 * Properties
 */

static void random_log(RtasMachineCheckLog *log)
{
    static const uint8_t types[][3] = {
        /* type, sub-types */
        { 0, 0, 4 }, { 1, 0, 2 }, { 2, 1, 3 }, { 3, 0, 0 }, { 4, 1, 3 },
        { 5, 0, 0 }, { 7, 0, 0 }, { 8, 0, 1 },
    };
    static const uint8_t entities[] = { 0, 1, 2, 4, 6 };
    const uint8_t *type = types[g_test_rand_int_range(0, 8)];

    memset(log, 0, sizeof(*log));
    log->disposition = g_test_rand_int_range(0, 3);
    do {
        log->severity = g_test_rand_int_range(2, 7);
    } while (log->severity == RTAS_ELOG_SEVERITY_FATAL &&
             log->disposition == RTAS_ELOG_DISPOSITION_FULLY_RECOVERED);
    log->initiator = entities[g_test_rand_int_range(0, 5)];
    log->target = entities[g_test_rand_int_range(0, 5)];
    log->mc_type = type[0];
    log->mc_subtype = g_test_rand_int_range(type[1], type[2] + 1);
    log->processor_id = g_test_rand_int();
    log->fru_id = g_test_rand_int();
    log->plid = g_test_rand_int();
    if (log->mc_type == RTAS_MC_TYPE_UE) {
        log->transient = log->mc_subtype || g_test_rand_bit();
        log->ra_valid = g_test_rand_bit();
    }
    log->ea_valid = log->mc_type != RTAS_MC_TYPE_UNKNOWN &&
                    log->mc_type != RTAS_MC_TYPE_D_CACHE &&
                    log->mc_type != RTAS_MC_TYPE_I_CACHE &&
                    (log->mc_type != RTAS_MC_TYPE_UE || log->ra_valid) &&
                    g_test_rand_bit();
    if (log->ea_valid) {
        log->ea = (uint64_t)g_test_rand_int() << 32 |
                  (uint32_t)g_test_rand_int();
    }
    if (log->ra_valid) {
        log->ra = (uint64_t)g_test_rand_int() << 32 |
                  (uint32_t)g_test_rand_int();
    }
    log->has_time = g_test_rand_bit();
    if (log->has_time) {
        log->time = (RtasElogTime) {
            .year = g_test_rand_int_range(1, 10000),
            .month = g_test_rand_int_range(1, 13),
            .day = g_test_rand_int_range(1, 32),
            .hour = g_test_rand_int_range(0, 24),
            .minute = g_test_rand_int_range(0, 60),
            .second = g_test_rand_int_range(0, 60),
        };
    }
}

static void test_random_round_trip(void)
{
    int i;

    for (i = 0; i < 20000; i++) {
        RtasMachineCheckLog in, out;
        uint8_t bytes[LOG_SIZE];

        random_log(&in);
        g_assert_true(rtas_elog_mc_valid(&in, NULL));
        build(bytes, &in);
        g_assert_true(rtas_elog_decode_mc(bytes, sizeof(bytes), &out, NULL));
        assert_log_equal(&in, &out);
    }
}

/* Bytes of a log that may have any value: identities, addresses, platform */
static bool is_free(size_t offset)
{
    static const struct {
        size_t first, last;
    } ranges[] = {
        { PH + 0x04, PH + 0x07 },       /* section version to component */
        { PH + 0x10, PH + 0x17 },       /* platform */
        { PH + 0x20, PH + 0x2f },       /* platform, PLID, platform */
        { UH + 0x04, UH + 0x07 },
        { UH + 0x09, UH + 0x09 },       /* platform */
        { UH + 0x0c, UH + 0x0f },       /* platform */
        { PS + 0x04, PS + 0x08 },       /* SRC version, too */
        { PS + 0x0a, PS + 0x2f },       /* platform, words 2 to 9 */
        { MC + 0x00, MC + 0x01 },       /* id: becomes an unknown section */
        { MC + 0x04, MC + 0x0f },       /* FRU id, processor id, too */
        { MC + 0x18, MC + 0x27 },       /* addresses */
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(ranges); i++) {
        if (offset >= ranges[i].first && offset <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/*
 * Every byte with every value: no read outside the log (ASan), a verdict with
 * a reason, what passes the strict check passes the lenient reader, and no
 * byte escapes the check that should not.
 */
static void test_mutate_every_byte(void)
{
    size_t v, offset;
    int value;

    for (v = 0; v < G_N_ELEMENTS(vectors); v++) {
        for (offset = 0; offset < LOG_SIZE; offset++) {
            unsigned refused = 0;

            for (value = 0; value < 256; value++) {
                g_autofree uint8_t *bytes = g_malloc(LOG_SIZE);
                RtasMachineCheckLog log;
                const char *why = NULL;
                bool decoded;
                int count;

                memcpy(bytes, vectors[v].bytes, LOG_SIZE);
                bytes[offset] = value;
                if (!rtas_elog_check(bytes, LOG_SIZE, &why)) {
                    g_assert_nonnull(why);
                    refused++;
                } else {
                    g_assert_null(why);
                }
                count = rtas_elog_walk(bytes, LOG_SIZE, NULL, NULL, NULL);
                decoded = rtas_elog_decode_mc(bytes, LOG_SIZE, &log, NULL);
                if (!why) {
                    g_assert_cmpint(count, ==, 4);
                    /* the MC section may have become another one */
                    g_assert_true(decoded || offset == MC ||
                                  offset == MC + 1);
                }
            }
            if (vectors[v].bytes == ue_log) {
                g_assert_cmpint(refused == 0, ==, is_free(offset));
            }
        }
    }
}

static void test_mutate_randomly(void)
{
    int i;

    for (i = 0; i < 50000; i++) {
        size_t size = g_test_rand_int_range(0, LOG_SIZE + 1);
        g_autofree uint8_t *bytes = g_malloc(size ? size : 1);
        int flips = g_test_rand_int_range(1, 8);
        RtasMachineCheckLog log;
        const char *why = NULL;

        memcpy(bytes, ue_log, size);
        if (size >= 8) {
            bytes[7] = size - 8;
        }
        while (size && flips--) {
            bytes[g_test_rand_int_range(0, size)] ^=
                1 << g_test_rand_int_range(0, 8);
        }
        g_assert_true(rtas_elog_check(bytes, size, &why) == !why);
        rtas_elog_decode_mc(bytes, size, &log, NULL);
    }
}

/*
 * Names
 */

static void test_names(void)
{
    int i;

    g_assert_cmpstr(rtas_elog_severity_name(0), ==, "NO_ERROR");
    g_assert_cmpstr(rtas_elog_severity_name(3), ==, "ERROR_SYNC");
    g_assert_cmpstr(rtas_elog_severity_name(6), ==, "ALREADY_REPORTED");
    g_assert_cmpstr(rtas_elog_severity_name(7), ==, "reserved");
    g_assert_cmpstr(rtas_elog_disposition_name(0), ==, "FULLY_RECOVERED");
    g_assert_cmpstr(rtas_elog_disposition_name(2), ==, "NOT_RECOVERED");
    g_assert_cmpstr(rtas_elog_disposition_name(3), ==, "reserved");
    g_assert_cmpstr(rtas_elog_entity_name(1), ==, "CPU");
    g_assert_cmpstr(rtas_elog_entity_name(3), ==, "reserved");
    g_assert_cmpstr(rtas_elog_entity_name(6), ==, "hot plug");
    g_assert_cmpstr(rtas_elog_entity_name(7), ==, "reserved");
    g_assert_cmpstr(rtas_elog_type_name(0), ==, "other");
    g_assert_cmpstr(rtas_elog_type_name(224), ==, "platform error");
    g_assert_cmpstr(rtas_elog_type_name(11), ==, "reserved");
    g_assert_cmpstr(rtas_mc_type_name(0), ==, "UE");
    g_assert_cmpstr(rtas_mc_type_name(5), ==, "D-cache");
    g_assert_cmpstr(rtas_mc_type_name(3), ==, "unknown");
    g_assert_cmpstr(rtas_mc_type_name(6), ==, "reserved");
    g_assert_cmpstr(rtas_mc_subtype_name(0, 4), ==,
                    "page table walk for load/store");
    g_assert_cmpstr(rtas_mc_subtype_name(0, 5), ==, "reserved");
    g_assert_cmpstr(rtas_mc_subtype_name(1, 0), ==, "parity");
    g_assert_cmpstr(rtas_mc_subtype_name(2, 0), ==, "reserved");
    g_assert_cmpstr(rtas_mc_subtype_name(4, 3), ==, "parity or multi-hit");
    g_assert_cmpstr(rtas_mc_subtype_name(7, 0), ==, "unspecified");
    g_assert_cmpstr(rtas_mc_subtype_name(8, 1), ==, "operand access");
    g_assert_cmpstr(rtas_mc_subtype_name(9, 0), ==, "reserved");

    for (i = -1; i <= 256; i++) {
        int subtype;

        g_assert_nonnull(rtas_elog_severity_name(i));
        g_assert_nonnull(rtas_elog_disposition_name(i));
        g_assert_nonnull(rtas_elog_entity_name(i));
        g_assert_nonnull(rtas_elog_type_name(i));
        g_assert_nonnull(rtas_mc_type_name(i));
        for (subtype = 0; subtype < 256; subtype++) {
            g_assert_nonnull(rtas_mc_subtype_name(i, subtype));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/rtas-elog/template/is-complete",
                    test_template_is_complete);
    g_test_add_func("/rtas-elog/template/put-again", test_put_again);
    g_test_add_func("/rtas-elog/build/vectors", test_build_vectors);
    g_test_add_func("/rtas-elog/build/exact-fit-and-one-byte-short",
                    test_build_exact_fit_and_one_byte_short);
    g_test_add_func("/rtas-elog/build/larger-buffer-is-left-alone",
                    test_build_larger_buffer_is_left_alone);
    g_test_add_func("/rtas-elog/build/ue-address-flags",
                    test_build_ue_address_flags);
    g_test_add_func("/rtas-elog/build/ue-without-ra-gives-no-ea",
                    test_build_ue_without_ra_gives_no_ea);
    g_test_add_func("/rtas-elog/build/permanent-ue-has-no-subtype",
                    test_build_permanent_ue_has_no_subtype);
    g_test_add_func("/rtas-elog/build/subtype-bytes",
                    test_build_subtype_bytes);
    g_test_add_func("/rtas-elog/build/severity-and-disposition",
                    test_build_severity_and_disposition);
    g_test_add_func("/rtas-elog/build/refuses", test_build_refuses);
    g_test_add_func("/rtas-elog/build/time-that-is-none-is-left-out",
                    test_build_time_that_is_none_is_left_out);

    g_test_add_func("/rtas-elog/decode/vectors", test_decode_vectors);
    g_test_add_func("/rtas-elog/decode/log-of-stock-qemu",
                    test_decode_log_of_stock_qemu);
    g_test_add_func("/rtas-elog/decode/without-machine-check",
                    test_decode_without_machine_check);
    g_test_add_func("/rtas-elog/decode/returns-reserved-values-as-found",
                    test_decode_returns_reserved_values_as_found);
    g_test_add_func("/rtas-elog/decode/takes-first-section-of-a-kind",
                    test_decode_takes_first_section_of_a_kind);
    g_test_add_func("/rtas-elog/decode/header", test_decode_header);

    g_test_add_func("/rtas-elog/walk/sections", test_walk);
    g_test_add_func("/rtas-elog/walk/longer-buffer", test_walk_longer_buffer);
    g_test_add_func("/rtas-elog/walk/largest-log", test_walk_largest_log);
    g_test_add_func("/rtas-elog/walk/refuses-malformed",
                    test_walk_refuses_malformed);

    g_test_add_func("/rtas-elog/check/changed-byte", test_check_changed_byte);
    g_test_add_func("/rtas-elog/check/cut-off", test_check_cut_off);
    g_test_add_func("/rtas-elog/check/sections", test_check_sections);
    g_test_add_func("/rtas-elog/check/fru-call-out", test_check_fru_call_out);
    g_test_add_func("/rtas-elog/check/all-values", test_check_all_values);
    g_test_add_func("/rtas-elog/check/all-types", test_check_all_types);
    g_test_add_func("/rtas-elog/check/action-flags", test_check_action_flags);
    g_test_add_func("/rtas-elog/check/date-and-time",
                    test_check_date_and_time);
    g_test_add_func("/rtas-elog/check/time-is-required-elsewhere",
                    test_check_time_is_required_elsewhere);

    g_test_add_func("/rtas-elog/unaligned", test_unaligned);
    g_test_add_func("/rtas-elog/random-round-trip", test_random_round_trip);
    g_test_add_func("/rtas-elog/mutate/every-byte", test_mutate_every_byte);
    g_test_add_func("/rtas-elog/mutate/randomly", test_mutate_randomly);
    g_test_add_func("/rtas-elog/names", test_names);

    return g_test_run();
}
