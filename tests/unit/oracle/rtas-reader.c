/*
 * A reader of RTAS error logs, as a Linux guest and its userland read them
 *
 * See rtas-reader.h. Offsets are those of LoPAR 2.9 section 10.3.2; what Linux
 * makes of them was looked up in arch/powerpc/platforms/pseries/ras.c,
 * arch/powerpc/kernel/rtas.c and arch/powerpc/kernel/mce.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "refuse.h"
#include "rtas-reader.h"

#define FIXED 8
#define EXT_HEAD 16
#define EXT_MIN 20              /* sizeof(struct rtas_ext_event_log_v6) */
#define SECTION_HEAD 8
#define PH_LENGTH 48
#define UH_LENGTH 24
#define PS_LENGTH 80
#define MC_LENGTH 40

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

static const struct McRule *find_rule(uint8_t type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(mc_rules); i++) {
        if (mc_rules[i].type == type) {
            return &mc_rules[i];
        }
    }
    return NULL;
}

static uint64_t read_be(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;

    while (bytes--) {
        v = v << 8 | *p++;
    }
    return v;
}

static void read_mc(const uint8_t *p, RtasReadMc *mc)
{
    const struct McRule *rule = find_rule(p[0x10]);

    mc->fru_id = read_be(p + 0x08, 4);
    mc->processor_id = read_be(p + 0x0c, 4);
    mc->error_type = p[0x10];
    mc->sub_error_type = p[0x11];
    mc->effective_address = read_be(p + 0x18, 8);
    mc->logical_address = read_be(p + 0x20, 8);
    if (rule) {
        mc->subtype = (p[0x11] & rule->mask) >> rule->shift;
        mc->transient = mc->error_type == MC_UE && (p[0x11] & 0x80);
        mc->ea_valid = p[0x11] & rule->ea;
        mc->ra_valid = p[0x11] & rule->ra;
    }
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
    /* with length 0 Linux would be in an endless loop */
    if (s.length < SECTION_HEAD || s.length > left) {
        return refuse(why, "section at 0x%zx has length %u of %zu", offset,
                      s.length, left);
    }
    if (s.id == RTAS_READ_ID('P', 'H') && s.length == PH_LENGTH) {
        r->plid = read_be(p + 0x28, 4);
    } else if (s.id == RTAS_READ_ID('U', 'H') && s.length == UH_LENGTH) {
        r->subsystem_id = p[0x08];
        r->event_severity = p[0x0a];
    } else if (s.id == RTAS_READ_ID('M', 'C') && s.length == MC_LENGTH) {
        read_mc(p, &r->mc);
    }
    if (r->n_sections == RTAS_READ_SECTIONS) {
        return refuse(why, "more than %u sections", RTAS_READ_SECTIONS);
    }
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
    out->initiator = buf[2] >> 4;
    out->target = buf[2] & 15;
    out->type = buf[3];
    out->extended_length = read_be(buf + 4, 4);

    if (!(buf[1] & 4)) {
        return refuse(why, "no extended log");
    }
    if (out->extended_length > MIN(len, RTAS_READ_MAX) - FIXED ||
        out->extended_length < EXT_MIN) {
        return refuse(why, "extended length %" PRIu32 ", %zu bytes there",
                      out->extended_length, len - FIXED);
    }
    out->length = FIXED + out->extended_length;
    memcpy(out->bytes, buf, out->length);

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

static bool strict_ph(const RtasReading *r, const uint8_t *p, GString *why)
{
    bool ok = true;

    /* of a machine check alone, time may be left out; other bytes are free */
    if (!all_zero(p + 0x08, 0x10)) {
        ok = refuse(why, "PH: there is a time");
    }
    if (p[0x18] != 'H') {
        ok = refuse(why, "PH: creator 0x%02x", p[0x18]);
    }
    if (p[0x1b] != r->n_sections) {
        ok = refuse(why, "PH: counts %u of %zu sections", p[0x1b],
                    r->n_sections);
    }
    if (!all_zero(p + 0x19, 2) || !all_zero(p + 0x1c, 12)) {
        ok = refuse(why, "PH: reserved bytes");
    }
    if (read_be(p + 0x2c, 4) != r->plid) {
        ok = refuse(why, "PH: of several entries of an event");
    }
    return ok;
}

static bool strict_uh(const RtasReading *r, const uint8_t *p, GString *why)
{
    /* by disposition: fully recovered, bypassed with less speed, not */
    static const uint8_t severities[] = { 0x10, 0x41, 0x40 };
    uint8_t subsystem = r->mc.error_type == MC_UE ? 0x20 : 0x10;
    bool ok = true;

    /* memory, or processor with its caches */
    if (r->subsystem_id != subsystem) {
        ok = refuse(why, "UH: subsystem 0x%02x", r->subsystem_id);
    }
    if (r->disposition <= NOT_RECOVERED &&
        r->event_severity != severities[r->disposition]) {
        ok = refuse(why, "UH: severity 0x%02x", r->event_severity);
    }
    /* no event, and nobody is to be called: rtas_errd would */
    if (p[0x09] || !all_zero(p + 0x0b, 13)) {
        ok = refuse(why, "UH: event, action or reserved bytes");
    }
    return ok;
}

static bool strict_ps(const RtasReading *r, const uint8_t *p, GString *why)
{
    const RtasReadMc *mc = &r->mc;
    char code[40];
    bool ok = true;

    /* no sub-sections, or its length would be another one */
    if (p[0x09]) {
        ok = refuse(why, "PS: flags 0x%02x", p[0x09]);
    }
    /* 9 words, of which the first is ours to use: type, sub-type byte */
    if (read_be(p + 0x10, 4) != (mc->error_type << 8 | mc->sub_error_type) ||
        !all_zero(p + 0x14, 28)) {
        ok = refuse(why, "PS: words");
    }
    snprintf(code, sizeof(code), "QEMUMC%u%u%24s", mc->error_type, mc->subtype,
             "");
    if (memcmp(p + 0x30, code, 32)) {
        ok = refuse(why, "PS: reference code %.32s", (const char *)p + 0x30);
    }
    return ok;
}

static bool strict_mc(const RtasReading *r, const uint8_t *p, GString *why)
{
    const RtasReadMc *mc = &r->mc;
    const struct McRule *rule = find_rule(mc->error_type);
    bool ok = true;

    if (!rule) {
        return refuse(why, "MC: error type %u", mc->error_type);
    }
    if (mc->sub_error_type & rule->reserved || mc->subtype < rule->min ||
        mc->subtype > rule->max) {
        ok = refuse(why, "MC: sub-type byte 0x%02x of type %u",
                    mc->sub_error_type, mc->error_type);
    }
    if (mc->error_type == MC_UE && !mc->transient && mc->subtype) {
        ok = refuse(why, "MC: sub-type %u of a permanent UE", mc->subtype);
    }
    if (!mc->ea_valid && mc->effective_address) {
        ok = refuse(why, "MC: effective address is set but not valid");
    }
    if (!mc->ra_valid && mc->logical_address) {
        ok = refuse(why, "MC: logical address is set but not valid");
    }
    if (!all_zero(p + 0x12, 6)) {
        ok = refuse(why, "MC: reserved bytes");
    }
    return ok;
}

static bool strict_fixed(const RtasReading *r, GString *why)
{
    /* 3 and 5 are reserved, whatever Linux calls them */
    static const uint8_t entities[] = { 0, 1, 2, 4, 6 };
    bool ok = true;

    if (r->version != 6 || r->type != TYPE_PLATFORM_ERROR) {
        ok = refuse(why, "version %u, type %u", r->version, r->type);
    }
    if (r->severity == SEVERITY_RESERVED || r->severity < SEVERITY_WARNING ||
        r->disposition == DISPOSITION_RESERVED || r->bytes[1] & 3) {
        ok = refuse(why, "byte 1 of a platform error: 0x%02x", r->bytes[1]);
    }
    if (r->severity == SEVERITY_FATAL && r->disposition == FULLY_RECOVERED) {
        ok = refuse(why, "fatal and fully recovered");
    }
    if (!memchr(entities, r->initiator, sizeof(entities)) ||
        !memchr(entities, r->target, sizeof(entities))) {
        ok = refuse(why, "initiator %u, target %u", r->initiator, r->target);
    }
    return ok;
}

static bool strict_ext_head(const RtasReading *r, GString *why)
{
    /* by disposition: recoverable, bypassed, unrecoverable */
    static const uint8_t flags[] = { 0x20, 0x10, 0x40, 0 };
    const uint8_t *ext = r->bytes + FIXED;
    bool ok = true;

    /* valid, new, big-endian */
    if (r->ext_flags != (0x86 | flags[r->disposition])) {
        ok = refuse(why, "extended log flags 0x%02x", r->ext_flags);
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
    /* the order that LoPAR asks for, and their lengths */
    static const struct {
        uint16_t id, length;
        bool (*check)(const RtasReading *r, const uint8_t *p, GString *why);
    } sections[] = {
        { RTAS_READ_ID('P', 'H'), PH_LENGTH, strict_ph },
        { RTAS_READ_ID('U', 'H'), UH_LENGTH, strict_uh },
        { RTAS_READ_ID('P', 'S'), PS_LENGTH, strict_ps },
        { RTAS_READ_ID('M', 'C'), MC_LENGTH, strict_mc },
    };
    bool ok = strict_fixed(r, why);

    ok = strict_ext_head(r, why) && ok;
    if (r->n_sections != G_N_ELEMENTS(sections)) {
        return refuse(why, "%zu sections", r->n_sections);
    }
    for (size_t i = 0; i < r->n_sections; i++) {
        const RtasReadSection *s = &r->sections[i];

        if (s->id != sections[i].id || s->length != sections[i].length) {
            ok = refuse(why, "section %zu has id 0x%04x and length %u", i,
                        s->id, s->length);
        } else {
            ok = sections[i].check(r, r->bytes + s->offset, why) && ok;
        }
    }
    return ok;
}
