/*
 * hw/ppc/rtas_elog.c against the guest's view of what it writes
 *
 * Random machine checks go through the encoder; tests/unit/oracle/rtas-reader.c,
 * which shares nothing with it, reads the logs back. Every field is compared
 * with what was asked for, and what the guest would do with what the machine
 * check calls for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/ppc/rtas_elog.h"
#include "oracle/rtas-reader.h"

#define CASES 4000
#define CANARY 0x5a
#define LOG_SIZE 216

static uint64_t rand64(void)
{
    return (uint64_t)(uint32_t)g_test_rand_int() << 32 |
           (uint32_t)g_test_rand_int();
}

/* 0 to n - 1 */
static unsigned rand_below(unsigned n)
{
    return (uint32_t)g_test_rand_int() % n;
}

static bool one_in(unsigned n)
{
    return !rand_below(n);
}

/* Sub-type values, first and last */
static const struct McType {
    uint8_t type, first, last;
} mc_types[] = {
    { 0, 0, 4 }, { 1, 0, 2 }, { 2, 1, 3 }, { 3, 0, 0 }, { 4, 1, 3 },
    { 5, 0, 0 }, { 7, 0, 0 }, { 8, 0, 1 },
};

static const struct McType *find_mc_type(unsigned type)
{
    for (size_t i = 0; i < ARRAY_SIZE(mc_types); i++) {
        if (mc_types[i].type == type) {
            return &mc_types[i];
        }
    }
    return NULL;
}

static bool entity_ok(unsigned entity)
{
    return entity <= 6 && entity != 3 && entity != 5;
}

/* The model of rtas_elog_mc_valid() */
static bool expect_valid(const RtasMachineCheckLog *log)
{
    const struct McType *t = find_mc_type(log->mc_type);

    return log->severity >= 2 && log->severity <= 6 &&
           log->disposition <= 2 &&
           !(log->severity == 5 && log->disposition == 0) &&
           entity_ok(log->initiator) && entity_ok(log->target) &&
           t && log->mc_subtype >= t->first && log->mc_subtype <= t->last;
}

/* LoPAR: days are 01 to 31; it does not look at the month */
static bool time_ok(const RtasElogTime *t)
{
    return t->year >= 1 && t->year <= 9999 && t->month >= 1 &&
           t->month <= 12 && t->day >= 1 &&
           t->day <= 31 && t->hour <= 23 &&
           t->minute <= 59 && t->second <= 59;
}

static void rand_time(RtasElogTime *t)
{
    t->year = 1 + rand_below(9999);
    t->month = 1 + rand_below(12);
    t->day = 1 + rand_below(31);
    t->hour = rand_below(24);
    t->minute = rand_below(60);
    t->second = rand_below(60);
    switch (rand_below(40)) {
    case 0:
        t->year = one_in(2) ? 0 : 10000 + rand_below(50000);
        break;
    case 1:
        t->month = one_in(2) ? 0 : 13 + rand_below(200);
        break;
    case 2:
        t->day = one_in(2) ? 0 : 32 + rand_below(200);
        break;
    case 3:
        t->hour = 24 + rand_below(200);
        break;
    case 4:
        t->minute = 60 + rand_below(100);
        break;
    case 5:
        t->second = 60 + rand_below(100);
        break;
    default:
        break;
    }
}

/* Mostly a valid one; @valid: only valid ones */
static void rand_log(RtasMachineCheckLog *log, bool valid)
{
    static const uint8_t entities[] = { 0, 1, 2, 4, 6 };

    do {
        const struct McType *t = &mc_types[rand_below(ARRAY_SIZE(mc_types))];

        memset(log, 0, sizeof(*log));
        log->severity = 2 + rand_below(5);
        log->disposition = rand_below(3);
        log->initiator = entities[rand_below(5)];
        log->target = entities[rand_below(5)];
        log->mc_type = t->type;
        log->mc_subtype = t->first + rand_below(t->last - t->first + 1);
        log->transient = one_in(2);
        log->ea_valid = one_in(2);
        log->ra_valid = one_in(2);
        /* never 0 where it must not show */
        log->ea = one_in(20) ? 0 : rand64();
        log->ra = one_in(20) ? 0 : rand64();
        log->processor_id = g_test_rand_int();
        log->fru_id = g_test_rand_int();
        log->plid = g_test_rand_int();
        log->has_time = one_in(2);
        rand_time(&log->time);

        if (!valid) {
            switch (rand_below(40)) {
            case 0:
                log->severity = one_in(2) ? rand_below(2) : 7 + rand_below(3);
                break;
            case 1:
                log->disposition = 3 + rand_below(2);
                break;
            case 2:
                log->initiator = rand_below(20);
                break;
            case 3:
                log->target = rand_below(20);
                break;
            case 4:
                log->mc_type = rand_below(300);
                break;
            case 5:
                log->mc_subtype = rand_below(256);
                break;
            default:
                break;
            }
        }
    } while (valid && !expect_valid(log));
}

static uint32_t bcd(unsigned v, unsigned n_digits)
{
    uint32_t r = 0;

    for (unsigned i = 0; i < n_digits; i++) {
        r |= v % 10 << 4 * i;
        v /= 10;
    }
    return r;
}

static void compare_ph(const RtasReading *r, const RtasMachineCheckLog *log)
{
    const RtasElogTime *t = &log->time;
    uint32_t date = 0, time = 0;

    if (log->has_time && time_ok(t)) {
        date = bcd(t->year, 4) << 16 | bcd(t->month, 2) << 8 | bcd(t->day, 2);
        time = bcd(t->hour, 2) << 24 | bcd(t->minute, 2) << 16 |
               bcd(t->second, 2) << 8;
    }
    g_assert_true(r->has_ph);
    g_assert_cmphex(r->ph.date, ==, date);
    g_assert_cmphex(r->ph.time, ==, time);
    g_assert_cmphex(r->ph.plid, ==, log->plid);
    g_assert_cmpuint(r->ph.section_count, ==, 4);
}

/* Severity of the event and subsystem follow from the machine check */
static void compare_uh(const RtasReading *r, const RtasMachineCheckLog *log)
{
    uint8_t group = r->uh.subsystem_id >> 4;

    g_assert_true(r->has_uh);
    switch (log->disposition) {
    case RTAS_ELOG_DISPOSITION_FULLY_RECOVERED:
        g_assert_cmphex(r->uh.event_severity, ==, 0x10);
        g_assert_cmphex(r->ext_flags & 0x70, ==, 0x20);
        break;
    case RTAS_ELOG_DISPOSITION_NOT_RECOVERED:
        g_assert_cmphex(r->uh.event_severity, ==, 0x40);
        g_assert_cmphex(r->ext_flags & 0x70, ==, 0x40);
        break;
    default:
        /* bypassed, with degraded performance */
        g_assert_cmphex(r->uh.event_severity & 0xf0, ==, 0x40);
        g_assert_cmphex(r->ext_flags & 0x10, ==, 0x10);
        break;
    }
    g_assert_cmphex(r->ext_flags & 0x8f, ==, 0x86);
    g_assert_cmphex(r->uh.event_subtype, ==, 0);
    if (log->mc_type == RTAS_MC_TYPE_UE) {
        g_assert_cmphex(group, ==, 2);
    } else if (log->mc_type != RTAS_MC_TYPE_CTRL_MEM_ACCESS) {
        g_assert_cmphex(group, ==, 1);
    }
}

/* What is left of the addresses: see rtas_elog_build_mc() */
static void wanted_addresses(const RtasMachineCheckLog *log, bool *ea, bool *ra)
{
    switch (log->mc_type) {
    case RTAS_MC_TYPE_UE:
        *ra = log->ra_valid;
        *ea = log->ea_valid && log->ra_valid;
        break;
    case RTAS_MC_TYPE_UNKNOWN:
    case RTAS_MC_TYPE_D_CACHE:
    case RTAS_MC_TYPE_I_CACHE:
        *ra = *ea = false;
        break;
    default:
        *ra = false;
        *ea = log->ea_valid;
        break;
    }
}

static void compare_mc(const RtasReading *r, const RtasMachineCheckLog *log)
{
    uint8_t byte = 0;
    bool ea, ra;

    wanted_addresses(log, &ea, &ra);
    switch (log->mc_type) {
    case RTAS_MC_TYPE_UE:
        byte = log->transient << 7 | ea << 6 | ra << 5 |
               (log->transient ? log->mc_subtype : 0);
        break;
    case RTAS_MC_TYPE_CTRL_MEM_ACCESS:
        byte = ea << 7 | log->mc_subtype << 4;
        break;
    default:
        byte = ea << 7 | log->mc_subtype;
        break;
    }
    g_assert_true(r->has_mc);
    g_assert_cmphex(r->mc.fru_id, ==, log->fru_id);
    g_assert_cmphex(r->mc.processor_id, ==, log->processor_id);
    g_assert_cmpuint(r->mc.error_type, ==, log->mc_type);
    g_assert_cmphex(r->mc.sub_error_type, ==, byte);
    g_assert_cmphex(r->mc.effective_address, ==, ea ? log->ea : 0);
    g_assert_cmphex(r->mc.logical_address, ==, ra ? log->ra : 0);
}

static void rand_guest(RtasGuest *guest)
{
    rtas_guest_init(guest);
    guest->user_mode = one_in(2);
    guest->nip = rand64();
    guest->page_shift = one_in(2) ? 12 : 16;
    guest->walk_ok = one_in(2);
    guest->walk_address = rand64() & ~0xfffull;
}

static void compare_action(const RtasReading *r,
                           const RtasMachineCheckLog *log)
{
    static const char *const types[] = {
        [0] = "UE", [1] = "SLB", [2] = "ERAT", [3] = "Unknown", [4] = "TLB",
        [5] = "D-Cache", [7] = "I-Cache", [8] = "Real address",
    };
    static const char *const severities[] = {
        [2] = "Warning", [3] = "Severe", [4] = "Severe", [5] = "Fatal",
        [6] = "Fatal",
    };
    RtasGuestAction got;
    RtasGuest guest;
    bool ea, ra, dead, page;

    wanted_addresses(log, &ea, &ra);
    ea = ea && log->ea;
    page = log->mc_type == RTAS_MC_TYPE_UE && ea;
    dead = log->disposition == RTAS_ELOG_DISPOSITION_NOT_RECOVERED &&
           log->mc_type != RTAS_MC_TYPE_SLB &&
           log->mc_type != RTAS_MC_TYPE_ERAT;

    rand_guest(&guest);
    rtas_guest_take(&guest, r, &got);
    g_assert_cmpstr(got.type, ==, types[log->mc_type]);
    g_assert_cmpstr(got.severity, ==, severities[log->severity]);
    g_assert_cmpint(got.synchronous, ==, log->severity <= 3);
    g_assert_cmpint(got.has_address, ==, ea);
    g_assert_cmphex(got.address, ==, ea ? log->ea : 0);
    g_assert_cmpint(got.memory_failure, ==, page);
    g_assert_false(got.pfn_is_a_guess);
    if (page) {
        g_assert_cmphex(got.pfn, ==, log->ra >> guest.page_shift);
    }
    g_assert_cmpint(got.recovered, ==, !dead);
    g_assert_cmpint(got.degraded, ==, log->disposition == 1);
    g_assert_cmpint(got.sigbus, ==,
                    dead && guest.user_mode && log->severity <= 3);
    g_assert_cmpint(got.die, ==, dead && !got.sigbus);
}

/* The words of the sub-type, by type and by value */
static void compare_subtype(const RtasReading *r,
                            const RtasMachineCheckLog *log)
{
    static const char *const words[9][5] = {
        [0] = { "Indeterminate", "Instruction fetch",
                "Page table walk ifetch", "Load/Store",
                "Page table walk Load/Store" },
        [1] = { "Parity", "Multihit", "Indeterminate" },
        [2] = { NULL, "Parity", "Multihit", "Indeterminate" },
        [3] = { "" },
        [4] = { NULL, "Parity", "Multihit", "Indeterminate" },
        [5] = { "Unknown" },
        [7] = { "Unknown" },
        [8] = { "Page table walk Load/Store (foreign)",
                "Load/Store (foreign)" },
    };
    bool permanent = log->mc_type == RTAS_MC_TYPE_UE && !log->transient;
    RtasGuestAction got;
    RtasGuest guest;

    rtas_guest_init(&guest);
    rtas_guest_take(&guest, r, &got);
    g_assert_cmpstr(got.subtype, ==,
                    words[log->mc_type][permanent ? 0 : log->mc_subtype]);
}

static void compare_log(const RtasReading *r, const RtasMachineCheckLog *log)
{
    g_assert_cmpuint(r->version, ==, 6);
    g_assert_cmpuint(r->severity, ==, log->severity);
    g_assert_cmpuint(r->disposition, ==, log->disposition);
    g_assert_true(r->extended);
    g_assert_cmpuint(r->initiator, ==, log->initiator);
    g_assert_cmpuint(r->target, ==, log->target);
    g_assert_cmpuint(r->type, ==, 224);
    g_assert_cmpuint(r->extended_length, ==, 208);
    g_assert_cmpuint(r->n_sections, ==, 4);
    g_assert_true(r->has_ps);
    compare_ph(r, log);
    compare_uh(r, log);
    compare_mc(r, log);
    compare_action(r, log);
    compare_subtype(r, log);
}

/* rtas_elog.c reads what it wrote as the reader does */
static void compare_decoded(const uint8_t *buf, size_t len,
                            const RtasMachineCheckLog *log)
{
    RtasMachineCheckLog got;
    const char *why = NULL;
    bool ea, ra;

    if (!rtas_elog_check(buf, len, &why)) {
        g_error("rtas_elog_check() refuses a log that was built: %s", why);
    }
    g_assert_cmpint(rtas_elog_walk(buf, len, NULL, NULL, &why), ==, 4);
    g_assert_true(rtas_elog_decode_mc(buf, len, &got, &why));
    wanted_addresses(log, &ea, &ra);
    g_assert_cmpuint(got.severity, ==, log->severity);
    g_assert_cmpuint(got.disposition, ==, log->disposition);
    g_assert_cmpuint(got.initiator, ==, log->initiator);
    g_assert_cmpuint(got.target, ==, log->target);
    g_assert_cmpuint(got.mc_type, ==, log->mc_type);
    g_assert_cmpint(got.ea_valid, ==, ea);
    g_assert_cmpint(got.ra_valid, ==, ra);
    g_assert_cmphex(got.ea, ==, ea ? log->ea : 0);
    g_assert_cmphex(got.ra, ==, ra ? log->ra : 0);
    g_assert_cmphex(got.processor_id, ==, log->processor_id);
    g_assert_cmphex(got.fru_id, ==, log->fru_id);
    g_assert_cmphex(got.plid, ==, log->plid);
    g_assert_cmpint(got.has_time, ==, log->has_time && time_ok(&log->time));
    if (got.has_time) {
        g_assert_cmpuint(got.time.year, ==, log->time.year);
        g_assert_cmpuint(got.time.month, ==, log->time.month);
        g_assert_cmpuint(got.time.day, ==, log->time.day);
        g_assert_cmpuint(got.time.hour, ==, log->time.hour);
        g_assert_cmpuint(got.time.minute, ==, log->time.minute);
        g_assert_cmpuint(got.time.second, ==, log->time.second);
    }
    if (log->mc_type == RTAS_MC_TYPE_UE) {
        g_assert_cmpint(got.transient, ==, log->transient);
        g_assert_cmpuint(got.mc_subtype, ==,
                         log->transient ? log->mc_subtype : 0);
    } else {
        g_assert_cmpuint(got.mc_subtype, ==, log->mc_subtype);
    }
}

static void test_build(void)
{
    unsigned built = 0;

    for (unsigned i = 0; i < CASES; i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        uint8_t memory[8 + LOG_SIZE + 64];
        uint8_t *buf = memory + 1 + rand_below(8);
        size_t size = LOG_SIZE + rand_below(40);
        RtasMachineCheckLog log;
        RtasReading r;
        size_t length;
        bool valid;

        rand_log(&log, false);
        valid = expect_valid(&log);
        memset(memory, CANARY, sizeof(memory));
        g_assert_cmpint(rtas_elog_mc_valid(&log, NULL), ==, valid);
        length = rtas_elog_build_mc(buf, size, &log);
        g_assert_cmpuint(length, ==, valid ? LOG_SIZE : 0);
        for (uint8_t *p = memory; p < memory + sizeof(memory); p++) {
            if (p < buf || p >= buf + length) {
                g_assert_cmphex(*p, ==, CANARY);
            }
        }
        if (!valid) {
            continue;
        }
        built++;
        if (!rtas_read(buf, size, &r, why) || !rtas_read_strict(&r, why) ||
            !rtas_read_librtas(&r, why)) {
            g_error("a log that was built: %s", why->str);
        }
        compare_log(&r, &log);
        compare_decoded(buf, size, &log);
    }
    g_test_message("%u logs", built);
    g_assert_cmpuint(built, >=, 2000);
}

/* Too small a buffer: nothing is written */
static void test_small(void)
{
    for (size_t size = 0; size < LOG_SIZE; size++) {
        g_autofree uint8_t *buf = g_malloc(size);
        RtasMachineCheckLog log;

        if (size) {
            memset(buf, CANARY, size);
        }
        rand_log(&log, true);
        g_assert_cmpuint(rtas_elog_build_mc(buf, size, &log), ==, 0);
        for (size_t i = 0; i < size; i++) {
            g_assert_cmphex(buf[i], ==, CANARY);
        }
    }
}

/* The same machine check gives the same bytes: nothing is left uninitialized */
static void test_deterministic(void)
{
    for (unsigned i = 0; i < 200; i++) {
        uint8_t a[LOG_SIZE], b[LOG_SIZE];
        RtasMachineCheckLog log;

        rand_log(&log, true);
        memset(a, 0x00, sizeof(a));
        memset(b, 0xff, sizeof(b));
        g_assert_cmpuint(rtas_elog_build_mc(a, sizeof(a), &log), ==, LOG_SIZE);
        g_assert_cmpuint(rtas_elog_build_mc(b, sizeof(b), &log), ==, LOG_SIZE);
        g_assert_cmpmem(a, sizeof(a), b, sizeof(b));
    }
}

/* Cut off anywhere: refused, and nothing is read behind the end */
static void test_truncated(void)
{
    uint8_t whole[LOG_SIZE];
    RtasMachineCheckLog log;

    rand_log(&log, true);
    rtas_elog_build_mc(whole, sizeof(whole), &log);
    for (size_t len = 0; len < LOG_SIZE; len++) {
        g_autofree uint8_t *buf = g_malloc(len);
        RtasElogHeader header;
        RtasMachineCheckLog got;

        if (len) {
            memcpy(buf, whole, len);
        }
        g_assert_false(rtas_elog_check(buf, len, NULL));
        g_assert_cmpint(rtas_elog_walk(buf, len, NULL, NULL, NULL), ==, -1);
        g_assert_false(rtas_elog_decode_mc(buf, len, &got, NULL));
        g_assert_cmpint(rtas_elog_decode_header(buf, len, &header), ==,
                        len >= 8);
    }
}

/* The fixed part, whatever is in it */
static void test_header(void)
{
    for (unsigned i = 0; i < CASES; i++) {
        uint8_t buf[LOG_SIZE];
        RtasMachineCheckLog log;
        RtasElogHeader header;
        RtasReading r;

        rand_log(&log, true);
        rtas_elog_build_mc(buf, sizeof(buf), &log);
        buf[rand_below(8)] = g_test_rand_int();
        rtas_read(buf, sizeof(buf), &r, NULL);
        g_assert_true(rtas_elog_decode_header(buf, sizeof(buf), &header));
        g_assert_cmpuint(header.version, ==, r.version);
        g_assert_cmpuint(header.severity, ==, r.severity);
        g_assert_cmpuint(header.disposition, ==, r.disposition);
        g_assert_cmpint(header.extended, ==, r.extended);
        g_assert_cmpuint(header.initiator, ==, r.initiator);
        g_assert_cmpuint(header.target, ==, r.target);
        g_assert_cmpuint(header.type, ==, r.type);
        g_assert_cmpuint(header.extended_length, ==,
                         r.extended ? r.extended_length : 0);
    }
}

/* A value has a name if LoPAR gives it a meaning */
static void test_names(void)
{
    for (unsigned v = 0; v < 300; v++) {
        const struct McType *t = find_mc_type(v);
        bool type = v <= 10 || v == 64 || v == 160 || (v >= 224 && v <= 229);

        g_assert_cmpint(!strcmp(rtas_elog_severity_name(v), "reserved"), ==,
                        v > 6);
        g_assert_cmpint(!strcmp(rtas_elog_disposition_name(v), "reserved"), ==,
                        v > 2);
        g_assert_cmpint(!strcmp(rtas_elog_entity_name(v), "reserved"), ==,
                        !entity_ok(v));
        g_assert_cmpint(!strcmp(rtas_mc_type_name(v), "reserved"), ==, !t);
        for (unsigned subtype = 0; subtype < 256; subtype++) {
            g_assert_cmpint(!strcmp(rtas_mc_subtype_name(v, subtype),
                                    "reserved"), ==,
                            !t || subtype < t->first || subtype > t->last);
        }
        /* what 230 to 255 mean is up to the vendor */
        if (v < 230 || v > 255) {
            g_assert_cmpint(!strcmp(rtas_elog_type_name(v), "reserved"), ==,
                            !type);
        }
    }
}

static void damage(uint8_t *buf)
{
    /* heads, lengths, counts, flags: where a change makes a difference */
    static const uint8_t spots[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 10, 23, 24, 25, 26, 27, 48, 51, 72, 73, 74, 75,
        80, 82, 96, 97, 98, 99, 105, 176, 177, 178, 179, 192, 193,
    };

    for (unsigned n = 1 + rand_below(3); n; n--) {
        size_t at = one_in(2) ? rand_below(LOG_SIZE) :
                    spots[rand_below(ARRAY_SIZE(spots))];

        buf[at] = one_in(2) ? buf[at] ^ 1 << rand_below(8) :
                  g_test_rand_int();
    }
}

static bool compare_section(const RtasElogSection *section, void *opaque)
{
    const RtasReading *r = opaque;
    const RtasReadSection *s = NULL;

    for (size_t i = 0; i < r->n_sections; i++) {
        if (r->sections[i].offset == section->offset) {
            s = &r->sections[i];
        }
    }
    g_assert_nonnull(s);
    g_assert_cmphex(section->id, ==, s->id);
    g_assert_cmpuint(section->length, ==, s->length);
    g_assert_cmpuint(section->version, ==, s->version);
    g_assert_cmpuint(section->subtype, ==, s->subtype);
    g_assert_cmphex(section->creator_component, ==, s->creator_component);
    return true;
}

/* What rtas_elog_check() refuses although LoPAR does not rule it out */
static bool refused_for_more(const RtasReading *r)
{
    /* Linux needs the logical address with the effective one */
    if (r->has_mc && r->mc.error_type == RTAS_MC_TYPE_UE &&
        (r->mc.sub_error_type & 0x60) == 0x40) {
        return true;
    }
    /* LoPAR: "vendor-specific events, non-architected" */
    if (r->type >= 230) {
        return true;
    }
    /* "only report to HMC" without "report": LoPAR calls it meaningless */
    return (r->uh.action_flags & 0x3000) == 0x1000;
}

/*
 * Damaged logs: rtas_elog_check() lets through what Linux can walk, what keeps
 * the rules of LoPAR and what librtas can parse, and nothing else; the walker
 * finds the sections that Linux finds.
 */
static void test_damaged(void)
{
    unsigned readable = 0, checked = 0;

    for (unsigned i = 0; i < 2 * CASES; i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        uint8_t buf[LOG_SIZE + 40] = { 0 };
        const char *reason = "";
        RtasMachineCheckLog log;
        RtasReading r;
        bool read, strict, check;
        int walked;

        rand_log(&log, true);
        rtas_elog_build_mc(buf, sizeof(buf), &log);
        damage(buf);

        read = rtas_read(buf, sizeof(buf), &r, why);
        strict = read && rtas_read_strict(&r, why) &&
                 rtas_read_librtas(&r, why);
        check = rtas_elog_check(buf, sizeof(buf), &reason);
        walked = rtas_elog_walk(buf, sizeof(buf),
                                read ? compare_section : NULL, &r, NULL);
        readable += read;
        checked += check;

        if (read && r.extended && r.version == 6) {
            g_assert_cmpint(walked, ==, r.n_sections);
        }
        if (check && !strict) {
            g_error("rtas_elog_check() accepts: %s", why->str);
        }
        if (!check && strict && r.extended && !refused_for_more(&r)) {
            g_error("rtas_elog_check() refuses: %s", reason);
        }
    }
    g_test_message("%u readable, %u accepted", readable, checked);
    g_assert_cmpuint(checked, >, CASES / 8);
    g_assert_cmpuint(readable, >, checked);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtas-vs-reader/build", test_build);
    g_test_add_func("/rtas-vs-reader/small", test_small);
    g_test_add_func("/rtas-vs-reader/deterministic", test_deterministic);
    g_test_add_func("/rtas-vs-reader/truncated", test_truncated);
    g_test_add_func("/rtas-vs-reader/header", test_header);
    g_test_add_func("/rtas-vs-reader/names", test_names);
    g_test_add_func("/rtas-vs-reader/damaged", test_damaged);
    return g_test_run();
}
