/*
 * A reader of RTAS error logs, as a Linux guest and its userland read them
 *
 * See rtas-reader.h. Offsets are those of LoPAR 2.9 section 10.3.2; what Linux
 * makes of them was looked up in arch/powerpc/platforms/pseries/ras.c,
 * arch/powerpc/kernel/rtas.c and arch/powerpc/kernel/mce.c, what librtas does
 * in librtasevent_src/get_rtas_event.c and rtas_v6_misc.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "rtas-reader.h"

#define FIXED 8
#define EXT_HEAD 16
#define EXT_MIN 20              /* sizeof(struct rtas_ext_event_log_v6) */
#define SECTION_HEAD 8
#define PH_LENGTH 48
#define UH_LENGTH 24
#define PS_LENGTH 80
#define MC_LENGTH 40
#define MC_USED 40              /* bytes Linux reads, whatever the length */

#define TYPE_PLATFORM_ERROR 224

enum {
    SEVERITY_WARNING = 2, SEVERITY_ERROR_SYNC = 3, SEVERITY_FATAL = 5,
    SEVERITY_RESERVED = 7,
};

enum {
    FULLY_RECOVERED, LIMITED_RECOVERY, NOT_RECOVERED, DISPOSITION_RESERVED,
};

enum {
    MC_UE = 0, MC_SLB = 1, MC_ERAT = 2, MC_UNKNOWN = 3, MC_TLB = 4,
    MC_D_CACHE = 5, MC_I_CACHE = 7, MC_CTRL_MEM = 8,
};

static uint64_t read_be(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;

    while (bytes--) {
        v = v << 8 | *p++;
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

static bool all_zero(const uint8_t *p, size_t length)
{
    while (length--) {
        if (p[length]) {
            return false;
        }
    }
    return true;
}

static void read_ph(const uint8_t *p, RtasReadPh *ph)
{
    ph->date = read_be(p + 0x08, 4);
    ph->time = read_be(p + 0x0c, 4);
    ph->creator_id = p[0x18];
    ph->section_count = p[0x1b];
    ph->plid = read_be(p + 0x28, 4);
    ph->log_entry_id = read_be(p + 0x2c, 4);
}

static void read_uh(const uint8_t *p, RtasReadUh *uh)
{
    uh->subsystem_id = p[0x08];
    uh->event_data = p[0x09];
    uh->event_severity = p[0x0a];
    uh->event_subtype = p[0x0b];
    uh->action_flags = read_be(p + 0x12, 2);
}

static void read_ps(const uint8_t *p, RtasReadPs *ps)
{
    ps->src_version = p[0x08];
    ps->flags = p[0x09];
    for (unsigned i = 2; i < 10; i++) {
        ps->word[i] = read_be(p + 0x10 + 4 * (i - 2), 4);
    }
    memcpy(ps->primary_reference_code, p + 0x30, 32);
    ps->primary_reference_code[32] = 0;
}

static void read_mc(const uint8_t *p, RtasReadMc *mc)
{
    mc->fru_id = read_be(p + 0x08, 4);
    mc->processor_id = read_be(p + 0x0c, 4);
    mc->error_type = p[0x10];
    mc->sub_error_type = p[0x11];
    mc->effective_address = read_be(p + 0x18, 8);
    mc->logical_address = read_be(p + 0x20, 8);
}

/* Section at @offset of the copy, of which @left bytes are in the log */
static bool read_section(RtasReading *r, size_t offset, size_t left,
                         GString *why)
{
    const uint8_t *p = r->bytes + offset;
    RtasReadSection s = { .offset = offset };

    if (left < SECTION_HEAD) {
        return refuse(why, "%zu bytes at 0x%zx are no section head", left,
                      offset);
    }
    s.id = read_be(p, 2);
    s.length = read_be(p + 2, 2);
    s.version = p[4];
    s.subtype = p[5];
    s.creator_component = read_be(p + 6, 2);

    if (s.id == RTAS_READ_ID('M', 'C') && !r->has_mc) {
        if (left < MC_USED) {
            return refuse(why, "MC section at 0x%zx: only %zu bytes of log"
                          " left", offset, left);
        }
        r->has_mc = true;
        read_mc(p, &r->mc);
    }
    if (!s.length) {
        return refuse(why, "section at 0x%zx has length 0: endless loop in"
                      " Linux", offset);
    }
    if (s.length < SECTION_HEAD || s.length > left) {
        return refuse(why, "section at 0x%zx has length %u of %zu", offset,
                      s.length, left);
    }
    if (s.id == RTAS_READ_ID('P', 'H') && !r->has_ph &&
        s.length >= PH_LENGTH) {
        r->has_ph = true;
        read_ph(p, &r->ph);
    } else if (s.id == RTAS_READ_ID('U', 'H') && !r->has_uh &&
               s.length >= UH_LENGTH) {
        r->has_uh = true;
        read_uh(p, &r->uh);
    } else if (s.id == RTAS_READ_ID('P', 'S') && !r->has_ps &&
               s.length >= PS_LENGTH) {
        r->has_ps = true;
        read_ps(p, &r->ps);
    }
    g_assert(r->n_sections < RTAS_READ_SECTIONS);
    r->sections[r->n_sections++] = s;
    return true;
}

bool rtas_read(const uint8_t *buf, size_t len, RtasReading *out, GString *why)
{
    size_t offset;

    memset(out, 0, sizeof(*out));
    if (len < FIXED) {
        return refuse(why, "%zu bytes are no RTAS error log", len);
    }
    out->version = buf[0];
    out->severity = buf[1] >> 5;
    out->disposition = buf[1] >> 3 & 3;
    out->extended = buf[1] & 4;
    out->reserved = buf[1] & 3;
    out->initiator = buf[2] >> 4;
    out->target = buf[2] & 15;
    out->type = buf[3];
    out->extended_length = read_be(buf + 4, 4);

    if (!out->extended) {
        out->length = FIXED;
        memcpy(out->bytes, buf, FIXED);
        return true;
    }
    if (out->extended_length > len - FIXED) {
        return refuse(why, "extended length %" PRIu32 ", only %zu bytes there",
                      out->extended_length, len - FIXED);
    }
    if (out->extended_length > RTAS_READ_MAX - FIXED) {
        return refuse(why, "extended length %" PRIu32 ": Linux walks it all"
                      " but copies only %u", out->extended_length,
                      RTAS_READ_MAX - FIXED);
    }
    out->length = FIXED + out->extended_length;
    memcpy(out->bytes, buf, out->length);

    if (out->extended_length < EXT_MIN) {
        return refuse(why, "extended length %" PRIu32, out->extended_length);
    }
    out->ext_flags = buf[FIXED];
    out->ext_format = buf[FIXED + 2];
    if ((out->ext_format & 15) != 14) {
        return refuse(why, "log format %u", out->ext_format & 15);
    }
    if (memcmp(buf + FIXED + 12, "IBM", 4)) {
        return refuse(why, "company is not IBM");
    }
    for (offset = FIXED + EXT_HEAD; offset < out->length;) {
        if (!read_section(out, offset, out->length - offset, why)) {
            return false;
        }
        offset += read_be(out->bytes + offset + 2, 2);
    }
    return true;
}

/*
 * LoPAR
 */

/* @digits BCD digits of @v, from bit @shift on, between @min and @max */
static bool bcd_in(uint32_t v, unsigned shift, unsigned n_digits,
                   unsigned min, unsigned max, unsigned *value)
{
    *value = 0;
    for (unsigned i = n_digits; i--;) {
        unsigned digit = v >> (shift + 4 * i) & 15;

        if (digit > 9) {
            return false;
        }
        *value = *value * 10 + digit;
    }
    return *value >= min && *value <= max;
}

/* As LoPAR has it: days are 01 to 31 in any month, hundredths 00 to 99 */
static bool strict_time(const RtasReading *r, GString *why)
{
    const RtasReadPh *ph = &r->ph;
    unsigned v;

    if (!ph->date && !ph->time && r->has_mc) {
        return true;
    }
    if (!bcd_in(ph->date, 16, 4, 1, 9999, &v) ||
        !bcd_in(ph->date, 8, 2, 1, 12, &v) ||
        !bcd_in(ph->date, 0, 2, 1, 31, &v)) {
        return refuse(why, "PH: date %08" PRIx32, ph->date);
    }
    if (!bcd_in(ph->time, 24, 2, 0, 23, &v) ||
        !bcd_in(ph->time, 16, 2, 0, 59, &v) ||
        !bcd_in(ph->time, 8, 2, 0, 59, &v) ||
        !bcd_in(ph->time, 0, 2, 0, 99, &v)) {
        return refuse(why, "PH: time %08" PRIx32, ph->time);
    }
    return true;
}

static bool strict_ph(const RtasReading *r, const RtasReadSection *s,
                      GString *why)
{
    const uint8_t *p = r->bytes + s->offset;
    bool ok = true;

    if (s->length != PH_LENGTH) {
        return refuse(why, "PH: length %u", s->length);
    }
    if (r->ph.section_count != r->n_sections) {
        ok = refuse(why, "PH: counts %u of %zu sections", r->ph.section_count,
                    r->n_sections);
    }
    if (!r->ph.creator_id || !strchr("EHWL", r->ph.creator_id)) {
        ok = refuse(why, "PH: creator 0x%02x", (uint8_t)r->ph.creator_id);
    }
    if (!all_zero(p + 0x19, 2) || !all_zero(p + 0x1c, 4)) {
        ok = refuse(why, "PH: reserved bytes");
    }
    return strict_time(r, why) && ok;
}

static bool strict_uh(const RtasReading *r, const RtasReadSection *s,
                      GString *why)
{
    static const uint8_t severities[] = {
        0x00, 0x10, 0x14, 0x15, 0x20, 0x21, 0x22, 0x23, 0x24, 0x40, 0x41, 0x44,
        0x45, 0x48, 0x60, 0x61,
    };
    static const uint8_t subtypes[] = {
        0x00, 0x01, 0x08, 0x10, 0x20, 0x21, 0x22, 0x30, 0x40, 0x60, 0x70, 0x80,
        0xd0, 0xe0,
    };
    uint16_t flags = r->uh.action_flags;
    const uint8_t *p = r->bytes + s->offset;
    bool ok = true;

    if (s->length != UH_LENGTH) {
        return refuse(why, "UH: length %u", s->length);
    }
    if (r->uh.subsystem_id < 0x10 || r->uh.subsystem_id > 0xaf) {
        ok = refuse(why, "UH: subsystem 0x%02x", r->uh.subsystem_id);
    }
    if (!memchr(severities, r->uh.event_severity, sizeof(severities))) {
        ok = refuse(why, "UH: severity 0x%02x", r->uh.event_severity);
    }
    if (r->type == TYPE_PLATFORM_ERROR && !r->uh.event_severity) {
        ok = refuse(why, "UH: severity 0 of a platform error");
    }
    if (!memchr(subtypes, r->uh.event_subtype, sizeof(subtypes))) {
        ok = refuse(why, "UH: subtype 0x%02x", r->uh.event_subtype);
    }
    /* reserved; hidden, but service required; call home without service */
    if (flags & 0x013f || (flags & 0xc000) == 0xc000 ||
        (flags & 0x8800) == 0x0800) {
        ok = refuse(why, "UH: action flags 0x%04x", flags);
    }
    if (!all_zero(p + 0x10, 2) || !all_zero(p + 0x14, 4)) {
        ok = refuse(why, "UH: reserved bytes");
    }
    return ok;
}

static bool strict_ps(const RtasReading *r, const RtasReadSection *s,
                      GString *why)
{
    bool ok = true;

    if (s->length < PS_LENGTH) {
        return refuse(why, "PS: length %u", s->length);
    }
    if ((s->length > PS_LENGTH) != (r->ps.flags & 1)) {
        ok = refuse(why, "PS: length %u with flags 0x%02x", s->length,
                    r->ps.flags);
    }
    for (size_t i = 0; i < 32; i++) {
        char c = r->ps.primary_reference_code[i];

        /* characters, the first one no blank, and NULs if it is shorter */
        if (i ? c && !g_ascii_isprint(c) : !g_ascii_isgraph(c)) {
            ok = refuse(why, "PS: character %zu of the reference code is"
                        " 0x%02x", i, (uint8_t)c);
            break;
        }
        if (!c && !all_zero(r->bytes + s->offset + 0x30 + i, 32 - i)) {
            ok = refuse(why, "PS: bytes behind the reference code");
            break;
        }
    }
    return ok;
}

/* The sub-type byte: what is reserved, which values there are, address flags */
static const struct McRule {
    uint8_t type;
    uint8_t reserved;
    uint8_t mask, shift;
    uint8_t min, max;
    uint8_t ea, ra;
} mc_rules[] = {
    { MC_UE, 0x18, 0x07, 0, 0, 4, 0x40, 0x20 },
    { MC_SLB, 0x7c, 0x03, 0, 0, 2, 0x80, 0 },
    { MC_ERAT, 0x7c, 0x03, 0, 1, 3, 0x80, 0 },
    { MC_TLB, 0x7c, 0x03, 0, 1, 3, 0x80, 0 },
    { MC_UNKNOWN, 0xff, 0, 0, 0, 0, 0, 0 },
    { MC_D_CACHE, 0xff, 0, 0, 0, 0, 0, 0 },
    { MC_I_CACHE, 0xff, 0, 0, 0, 0, 0, 0 },
    { MC_CTRL_MEM, 0x0f, 0x70, 4, 0, 1, 0x80, 0 },
};

static bool strict_mc(const RtasReading *r, const RtasReadSection *s,
                      GString *why)
{
    const RtasReadMc *mc = &r->mc;
    const struct McRule *rule = NULL;
    uint8_t byte = mc->sub_error_type;
    uint8_t subtype;
    bool ok = true;

    if (s->length != MC_LENGTH) {
        return refuse(why, "MC: length %u", s->length);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(mc_rules); i++) {
        if (mc_rules[i].type == mc->error_type) {
            rule = &mc_rules[i];
        }
    }
    if (!rule) {
        return refuse(why, "MC: error type %u", mc->error_type);
    }
    subtype = (byte & rule->mask) >> rule->shift;
    if (byte & rule->reserved || subtype < rule->min || subtype > rule->max) {
        ok = refuse(why, "MC: sub-type byte 0x%02x of type %u", byte,
                    mc->error_type);
    }
    if (mc->error_type == MC_UE && !(byte & 0x80) && subtype) {
        ok = refuse(why, "MC: sub-type %u of a permanent UE", subtype);
    }
    if (!(byte & rule->ea) && mc->effective_address) {
        ok = refuse(why, "MC: effective address is set but not valid");
    }
    if (!(byte & rule->ra) && mc->logical_address) {
        ok = refuse(why, "MC: logical address is set but not valid");
    }
    if (!all_zero(r->bytes + s->offset + 0x12, 6)) {
        ok = refuse(why, "MC: reserved bytes");
    }
    if (r->type != TYPE_PLATFORM_ERROR) {
        ok = refuse(why, "MC section in a log of type %u", r->type);
    }
    return ok;
}

static bool strict_fixed(const RtasReading *r, GString *why)
{
    /* 3 and 5 are reserved, whatever Linux calls them */
    static const uint8_t entities[] = { 0, 1, 2, 4, 6 };
    bool ok = true;

    if (r->version != 6) {
        ok = refuse(why, "version %u", r->version);
    }
    if (r->severity == SEVERITY_RESERVED ||
        r->disposition == DISPOSITION_RESERVED || r->reserved) {
        ok = refuse(why, "reserved value in byte 1: 0x%02x", r->bytes[1]);
    }
    if (r->severity == SEVERITY_FATAL && r->disposition == FULLY_RECOVERED) {
        ok = refuse(why, "fatal and fully recovered");
    }
    if (r->type == TYPE_PLATFORM_ERROR && r->severity < SEVERITY_WARNING) {
        ok = refuse(why, "severity %u of a platform error", r->severity);
    }
    if ((r->type > 10 && r->type < 64) ||
        (r->type > 64 && r->type < 224 && r->type != 160)) {
        ok = refuse(why, "type %u is reserved", r->type);
    }
    if (!memchr(entities, r->initiator, sizeof(entities)) ||
        !memchr(entities, r->target, sizeof(entities))) {
        ok = refuse(why, "initiator %u, target %u", r->initiator, r->target);
    }
    return ok;
}

static bool strict_ext_head(const RtasReading *r, GString *why)
{
    const uint8_t *ext = r->bytes + FIXED;
    uint8_t flags = r->ext_flags;
    bool ok = true;

    if ((flags & 0x84) != 0x84 || flags & 1) {
        ok = refuse(why, "extended log flags 0x%02x: not valid and new",
                    flags);
    }
    if (!(flags & 2)) {
        ok = refuse(why, "extended log is not flagged big-endian");
    }
    if (flags & 0x20 && flags & 0x50) {
        ok = refuse(why, "extended log flags 0x%02x: recoverable and not",
                    flags);
    }
    if (r->ext_format != 0x8e) {
        ok = refuse(why, "extended log format 0x%02x", r->ext_format);
    }
    if (ext[1] || !all_zero(ext + 3, 9)) {
        ok = refuse(why, "reserved bytes of the extended log");
    }
    return ok;
}

bool rtas_read_strict(const RtasReading *r, GString *why)
{
    static const struct {
        uint16_t id;
        bool (*check)(const RtasReading *r, const RtasReadSection *s,
                      GString *why);
    } kinds[] = {
        { RTAS_READ_ID('P', 'H'), strict_ph },
        { RTAS_READ_ID('U', 'H'), strict_uh },
        { RTAS_READ_ID('P', 'S'), strict_ps },
        { RTAS_READ_ID('M', 'C'), strict_mc },
    };
    unsigned seen[G_N_ELEMENTS(kinds)] = { 0 };
    bool ok = strict_fixed(r, why);

    if (!r->extended) {
        return ok;
    }
    ok = strict_ext_head(r, why) && ok;

    for (size_t i = 0; i < r->n_sections; i++) {
        const RtasReadSection *s = &r->sections[i];

        if (s->id == RTAS_READ_ID('L', 'R') && i != 2) {
            ok = refuse(why, "LR does not follow UH");
        }
        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
            if (s->id != kinds[k].id) {
                continue;
            }
            if (seen[k]++) {
                ok = refuse(why, "a second section 0x%04x", s->id);
                continue;
            }
            ok = kinds[k].check(r, s, why) && ok;
        }
    }
    if (r->n_sections < 2 ||
        r->sections[0].id != RTAS_READ_ID('P', 'H') ||
        r->sections[1].id != RTAS_READ_ID('U', 'H')) {
        ok = refuse(why, "the first sections are not PH and UH");
    }
    if (r->type == TYPE_PLATFORM_ERROR && !seen[2]) {
        ok = refuse(why, "platform error without PS section");
    }
    /* the order is PH, UH, [LR], [PS], others */
    if (seen[2] && r->n_sections >= 3 &&
        r->sections[2].id != RTAS_READ_ID('P', 'S') &&
        !(r->sections[2].id == RTAS_READ_ID('L', 'R') && r->n_sections >= 4 &&
          r->sections[3].id == RTAS_READ_ID('P', 'S'))) {
        ok = refuse(why, "PS does not follow UH and LR");
    }
    return ok;
}

/*
 * librtas
 */

bool rtas_read_librtas(const RtasReading *r, GString *why)
{
    size_t offset = FIXED + EXT_HEAD + PH_LENGTH + UH_LENGTH;
    size_t n = 2;

    if (!r->extended || r->version != 6) {
        return true;
    }
    if (offset > r->length) {
        return refuse(why, "librtas: PH and UH end at 0x%zx, the log at 0x%zx",
                      offset, r->length);
    }
    if (r->n_sections < 2 || !r->has_ph || !r->has_uh ||
        r->sections[0].id != RTAS_READ_ID('P', 'H') ||
        r->sections[1].id != RTAS_READ_ID('U', 'H')) {
        return refuse(why, "librtas: takes other sections for PH and UH");
    }
    while (offset < r->length) {
        size_t left = r->length - offset;
        const uint8_t *p = r->bytes + offset;
        size_t step;

        if (n >= r->n_sections || r->sections[n].offset != offset) {
            return refuse(why, "librtas: sees a section at 0x%zx where there"
                          " is none", offset);
        }
        if (r->sections[n].id == RTAS_READ_ID('P', 'S')) {
            /* fixed size; sub-sections are consumed by their own lengths */
            step = PS_LENGTH;
            if (left >= PS_LENGTH && p[9] & 1) {
                step = r->sections[n].length;
            }
        } else {
            step = MAX(r->sections[n].length, SECTION_HEAD);
        }
        if (step > left) {
            return refuse(why, "librtas: reads %zu bytes beyond the log",
                          step - left);
        }
        offset += step;
        n++;
    }
    return true;
}

/*
 * Linux
 */

void rtas_guest_init(RtasGuest *guest)
{
    memset(guest, 0, sizeof(*guest));
    guest->user_mode = true;
    guest->ri = true;
    guest->page_shift = 12;
}

static const char *severity_word(uint8_t severity)
{
    static const char *const word[] = {
        "Harmless", "Warning", "Warning", "Severe", "Severe",
    };

    return severity < G_N_ELEMENTS(word) ? word[severity] : "Fatal";
}

static const char *initiator_word(uint8_t initiator)
{
    static const char *const word[] = {
        "Unknown", "CPU", "PCI", "ISA", "Memory", "Power Management",
    };

    return initiator < G_N_ELEMENTS(word) ? word[initiator] : "Unknown";
}

/* Values that Linux does not know are Indeterminate */
static const char *subtype_word(const RtasReadMc *mc)
{
    static const char *const ue[8] = {
        "Indeterminate", "Instruction fetch", "Page table walk ifetch",
        "Load/Store", "Page table walk Load/Store",
    };
    static const char *const slb[4] = { "Parity", "Multihit" };
    static const char *const array[4] = { NULL, "Parity", "Multihit" };
    static const char *const ctrl_mem[8] = {
        "Page table walk Load/Store (foreign)", "Load/Store (foreign)",
    };
    const char *word;

    switch (mc->error_type) {
    case MC_UE:
        word = ue[mc->sub_error_type & 7];
        break;
    case MC_SLB:
        word = slb[mc->sub_error_type & 3];
        break;
    case MC_ERAT:
    case MC_TLB:
        word = array[mc->sub_error_type & 3];
        break;
    case MC_CTRL_MEM:
        word = ctrl_mem[mc->sub_error_type >> 4 & 7];
        break;
    case MC_D_CACHE:
    case MC_I_CACHE:
        return "Unknown";
    default:
        return "";
    }
    return word ? word : "Indeterminate";
}

static const char *type_word(uint8_t type)
{
    switch (type) {
    case MC_UE:
        return "UE";
    case MC_SLB:
        return "SLB";
    case MC_ERAT:
        return "ERAT";
    case MC_TLB:
        return "TLB";
    case MC_D_CACHE:
        return "D-Cache";
    case MC_I_CACHE:
        return "I-Cache";
    case MC_CTRL_MEM:
        return "Real address";
    default:
        return "Unknown";
    }
}

/* What the guest repairs itself, in real mode */
static bool guest_recovers(const RtasReading *r, RtasGuestAction *action)
{
    switch (r->disposition) {
    case FULLY_RECOVERED:
        return true;
    case LIMITED_RECOVERY:
        action->degraded = true;
        return true;
    case NOT_RECOVERED:
        return r->mc.error_type == MC_SLB || r->mc.error_type == MC_ERAT;
    default:
        return false;
    }
}

/* Addresses, and the page that memory_failure() gets */
static void guest_addresses(const RtasGuest *guest, const RtasReading *r,
                            RtasGuestAction *action)
{
    const RtasReadMc *mc = &r->mc;
    uint64_t ea = 0, ra = 0;
    bool guess = false;

    switch (mc->error_type) {
    case MC_UE:
        if (mc->sub_error_type & 0x40) {
            ea = mc->effective_address;
        }
        if (mc->sub_error_type & 0x20) {
            ra = mc->logical_address;
        } else {
            guess = true;
            if (mc->sub_error_type & 0x40 && guest->walk_ok) {
                ra = guest->walk_address;
            }
        }
        break;
    case MC_SLB:
    case MC_ERAT:
    case MC_TLB:
    case MC_CTRL_MEM:
        if (mc->sub_error_type & 0x80) {
            ea = mc->effective_address;
        }
        break;
    default:
        break;
    }
    if (!ea) {
        return;
    }
    action->has_address = true;
    action->address = ea;
    if (mc->error_type == MC_UE) {
        action->physical_address = ra;
        action->pfn = ra >> guest->page_shift;
        action->pfn_is_a_guess = guess;
        action->memory_failure = !action->ignored;
    }
}

void rtas_guest_take(const RtasGuest *guest, const RtasReading *r,
                     RtasGuestAction *action)
{
    bool handled;

    memset(action, 0, sizeof(*action));
    if (r->has_mc) {
        handled = guest_recovers(r, action);
        action->severity = severity_word(r->severity);
        action->initiator = initiator_word(r->initiator);
        action->type = type_word(r->mc.error_type);
        action->subtype = subtype_word(&r->mc);
        action->synchronous = r->severity <= SEVERITY_ERROR_SYNC;
        if (r->mc.error_type == MC_UE && guest->fixup && !guest->user_mode) {
            action->ignored = true;
            handled = true;
        }
        guest_addresses(guest, r, action);
    } else {
        handled = r->disposition == FULLY_RECOVERED;
        action->severity = severity_word(0);
        action->initiator = initiator_word(0);
        action->type = "Unknown";
        action->subtype = "";
    }
    action->recovered = handled && guest->ri;
    if (!action->recovered) {
        action->sigbus = action->synchronous && guest->user_mode && guest->ri;
        action->die = !action->sigbus;
    }
}

void rtas_guest_print(const RtasGuest *guest, const RtasGuestAction *action,
                      unsigned cpu, GString *out)
{
    g_autofree char *pfx = g_strdup_printf("MCE: CPU%u: ", cpu);
    bool own_address = action->has_address && action->address != guest->nip;

    if (action->ignored) {
        return;
    }
    g_string_append_printf(out, "%smachine check (%s)  %s %s ", pfx,
                           action->severity, action->type, action->subtype);
    if (own_address) {
        g_string_append_printf(out, "DAR: %016" PRIx64 " ", action->address);
        if (action->physical_address) {
            g_string_append_printf(out, "paddr: %016" PRIx64 " ",
                                   action->physical_address);
        }
    }
    g_string_append_printf(out, "[%s]\n", action->recovered ?
                           "Recovered" : "Not recovered");
    g_string_append_printf(out, "%sNIP: [%016" PRIx64 "]", pfx, guest->nip);
    if (!own_address && action->physical_address) {
        g_string_append_printf(out, " paddr: %016" PRIx64,
                               action->physical_address);
    }
    g_string_append_printf(out, "\n%sInitiator %s\n%sUnknown\n", pfx,
                           action->initiator, pfx);
}
