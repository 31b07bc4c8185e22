/*
 * RTAS error log, version 6: the record of a machine check
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/ppc/rtas_elog.h"

/* LoPAR 10.3.2.1.9 */
QEMU_BUILD_BUG_ON(offsetof(RtasElogFixedBytes, version) != 0);
QEMU_BUILD_BUG_ON(offsetof(RtasElogFixedBytes, severity_disposition) != 1);
QEMU_BUILD_BUG_ON(offsetof(RtasElogFixedBytes, initiator_target) != 2);
QEMU_BUILD_BUG_ON(offsetof(RtasElogFixedBytes, type) != 3);
QEMU_BUILD_BUG_ON(offsetof(RtasElogFixedBytes, extended_length) != 4);
QEMU_BUILD_BUG_ON(sizeof(RtasElogFixedBytes) != RTAS_ELOG_FIXED_SIZE);

/* LoPAR 10.3.2.2 */
QEMU_BUILD_BUG_ON(offsetof(RtasElogExtHeadBytes, flags) != 0);
QEMU_BUILD_BUG_ON(offsetof(RtasElogExtHeadBytes, format) != 2);
QEMU_BUILD_BUG_ON(offsetof(RtasElogExtHeadBytes, company) != 12);
QEMU_BUILD_BUG_ON(sizeof(RtasElogExtHeadBytes) != RTAS_ELOG_EXT_HEAD_SIZE);

QEMU_BUILD_BUG_ON(offsetof(RtasElogSectionHeadBytes, id) != 0x00);
QEMU_BUILD_BUG_ON(offsetof(RtasElogSectionHeadBytes, length) != 0x02);
QEMU_BUILD_BUG_ON(offsetof(RtasElogSectionHeadBytes, version) != 0x04);
QEMU_BUILD_BUG_ON(offsetof(RtasElogSectionHeadBytes, subtype) != 0x05);
QEMU_BUILD_BUG_ON(offsetof(RtasElogSectionHeadBytes,
                           creator_component) != 0x06);
QEMU_BUILD_BUG_ON(sizeof(RtasElogSectionHeadBytes) !=
                  RTAS_ELOG_SECTION_HEAD_SIZE);

/* LoPAR 10.3.2.3 */
QEMU_BUILD_BUG_ON(offsetof(RtasElogPhBytes, date) != 0x08);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPhBytes, time) != 0x0c);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPhBytes, creator_id) != 0x18);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPhBytes, section_count) != 0x1b);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPhBytes, plid) != 0x28);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPhBytes, log_entry_id) != 0x2c);
QEMU_BUILD_BUG_ON(sizeof(RtasElogPhBytes) != RTAS_ELOG_PH_SIZE);

/* LoPAR 10.3.2.4 */
QEMU_BUILD_BUG_ON(offsetof(RtasElogUhBytes, subsystem_id) != 0x08);
QEMU_BUILD_BUG_ON(offsetof(RtasElogUhBytes, event_severity) != 0x0a);
QEMU_BUILD_BUG_ON(offsetof(RtasElogUhBytes, event_subtype) != 0x0b);
QEMU_BUILD_BUG_ON(offsetof(RtasElogUhBytes, action_flags) != 0x12);
QEMU_BUILD_BUG_ON(sizeof(RtasElogUhBytes) != RTAS_ELOG_UH_SIZE);

/* LoPAR 10.3.2.6 */
QEMU_BUILD_BUG_ON(offsetof(RtasElogPsBytes, src_version) != 0x08);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPsBytes, src_flags) != 0x09);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPsBytes, extended_reference_code) != 0x10);
QEMU_BUILD_BUG_ON(offsetof(RtasElogPsBytes, primary_reference_code) != 0x30);
QEMU_BUILD_BUG_ON(sizeof(RtasElogPsBytes) != RTAS_ELOG_PS_SIZE);

/*
 * LoPAR 10.3.2.12.  Its table gives a length of 32, but fields up to 40; the
 * overview of all sections and Linux say 40.
 */
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcBytes, fru_id) != 0x08);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcBytes, processor_id) != 0x0c);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcBytes, error_type) != 0x10);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcBytes, sub_error_type) != 0x11);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcBytes, effective_address) != 0x18);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcBytes, logical_address) != 0x20);
QEMU_BUILD_BUG_ON(sizeof(RtasElogMcBytes) != RTAS_ELOG_MC_SIZE);

QEMU_BUILD_BUG_ON(offsetof(RtasElogMcLogBytes, ext) != 8);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcLogBytes, ph) != 24);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcLogBytes, uh) != 72);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcLogBytes, ps) != 96);
QEMU_BUILD_BUG_ON(offsetof(RtasElogMcLogBytes, mc) != 176);
QEMU_BUILD_BUG_ON(sizeof(RtasElogMcLogBytes) != RTAS_ELOG_MC_LOG_SIZE);

/* Fixed part, within its bytes */
#define FIXED_DISPOSITION_SHIFT     3
#define FIXED_DISPOSITION_MASK      0x03
#define FIXED_EXTENDED              0x04
#define FIXED_RESERVED              0x03
#define FIXED_INITIATOR_SHIFT       4
#define FIXED_TARGET_MASK           0x0f

/* Extended log head: what is set in byte 0 of all logs, and byte 2 */
#define EXT_FLAGS                   (RTAS_ELOG_EXT_VALID | RTAS_ELOG_EXT_NEW | \
                                     RTAS_ELOG_EXT_BIG_ENDIAN)
#define EXT_FORMAT_RESERVED         0x70

/* PH */
#define PH_CREATOR_HYPERVISOR       'H'

/* UH */
#define UH_SUBSYSTEM_PROCESSOR      0x10    /* internal caches included */
#define UH_SUBSYSTEM_MEMORY         0x20
#define UH_SUBSYSTEM_FIRST          0x10
#define UH_SUBSYSTEM_LAST           0xaf
#define UH_SEVERITY_RECOVERED       0x10
#define UH_SEVERITY_UNRECOVERABLE   0x40
#define UH_SEVERITY_BYPASSED        0x41    /* with degraded performance */
#define UH_ACTION_SERVICE           0x8000
#define UH_ACTION_HIDDEN            0x4000
#define UH_ACTION_REPORT            0x2000
#define UH_ACTION_HMC_ONLY          0x1000
#define UH_ACTION_CALL_HOME         0x0800
#define UH_ACTION_RESERVED          0x013f

/* PS */
#define PS_FLAG_SUBSECTIONS         0x01
#define PS_SUBSECTION_CALL_OUT      0xc0
#define PS_SUBSECTION_HEAD_SIZE     4

static const char *const severity_names[] = {
    "NO_ERROR", "EVENT", "WARNING", "ERROR_SYNC", "ERROR", "FATAL",
    "ALREADY_REPORTED",
};

static const char *const disposition_names[] = {
    "FULLY_RECOVERED", "LIMITED_RECOVERY", "NOT_RECOVERED",
};

/* LoPAR 10.3.2.1.9; gaps are reserved */
static const char *const entity_names[] = {
    [RTAS_ELOG_ENTITY_UNKNOWN]  = "unknown",
    [RTAS_ELOG_ENTITY_CPU]      = "CPU",
    [RTAS_ELOG_ENTITY_PCI]      = "PCI",
    [RTAS_ELOG_ENTITY_MEMORY]   = "memory",
    [RTAS_ELOG_ENTITY_HOT_PLUG] = "hot plug",
};

static const struct {
    RtasElogType type;
    const char *name;
} type_table[] = {
    { RTAS_ELOG_TYPE_OTHER,             "other" },
    { RTAS_ELOG_TYPE_RETRY,             "retry" },
    { RTAS_ELOG_TYPE_TCE_ERR,           "TCE error" },
    { RTAS_ELOG_TYPE_INTERN_DEV_FAIL,   "internal device failure" },
    { RTAS_ELOG_TYPE_TIMEOUT,           "timeout" },
    { RTAS_ELOG_TYPE_DATA_PARITY,       "data parity" },
    { RTAS_ELOG_TYPE_ADDR_PARITY,       "address parity" },
    { RTAS_ELOG_TYPE_CACHE_PARITY,      "cache parity" },
    { RTAS_ELOG_TYPE_ADDR_INVALID,      "address invalid" },
    { RTAS_ELOG_TYPE_ECC_UNCORR,        "ECC uncorrectable" },
    { RTAS_ELOG_TYPE_ECC_CORR,          "ECC corrected" },
    { RTAS_ELOG_TYPE_EPOW,              "EPOW" },
    { RTAS_ELOG_TYPE_PRRN,              "PRRN" },
    { RTAS_ELOG_TYPE_PLATFORM_ERROR,    "platform error" },
    { RTAS_ELOG_TYPE_IO_EVENT,          "I/O event" },
    { RTAS_ELOG_TYPE_PLATFORM_INFO,     "platform information" },
    { RTAS_ELOG_TYPE_RESOURCE_DEALLOC,  "resource deallocation" },
    { RTAS_ELOG_TYPE_DUMP_NOTIFICATION, "dump notification" },
    { RTAS_ELOG_TYPE_HOT_PLUG,          "hot plug" },
};

/*
 * The types of the MC section and what their sub-type byte holds: LoPAR
 * 10.3.2.12; types 3 and 8 after Linux.  All bits that are in none
 * of the masks are reserved.
 */
typedef struct McTypeRow {
    uint8_t subtype_mask;
    uint8_t subtype_shift;
    uint8_t subtype_min;
    uint8_t subtype_max;
    uint8_t ea_flag;
    uint8_t ra_flag;
    uint8_t transient_flag;
    uint8_t subsystem;              /* UH section; 0: reserved type */
    const char *name;
    const char *subtype_names[5];
} McTypeRow;

static const McTypeRow mc_type_table[] = {
    [RTAS_MC_TYPE_UE] = {
        .subtype_mask = RTAS_MC_UE_SUBTYPE_MASK,
        .subtype_min = RTAS_MC_UE_INDETERMINATE,
        .subtype_max = RTAS_MC_UE_TABLE_WALK_LOAD_STORE,
        .ea_flag = RTAS_MC_UE_EA_PROVIDED,
        .ra_flag = RTAS_MC_UE_LOGICAL_PROVIDED,
        .transient_flag = RTAS_MC_UE_TRANSIENT,
        .subsystem = UH_SUBSYSTEM_MEMORY,
        .name = "UE",
        .subtype_names = {
            "indeterminate",
            "instruction fetch",
            "page table walk for instruction fetch",
            "load/store",
            "page table walk for load/store",
        },
    },
    [RTAS_MC_TYPE_SLB] = {
        .subtype_mask = RTAS_MC_ARRAY_SUBTYPE_MASK,
        .subtype_min = RTAS_MC_SLB_PARITY,
        .subtype_max = RTAS_MC_SLB_PARITY_OR_MULTIHIT,
        .ea_flag = RTAS_MC_EA_PROVIDED,
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "SLB",
        .subtype_names = { "parity", "multi-hit", "parity or multi-hit" },
    },
    [RTAS_MC_TYPE_ERAT] = {
        .subtype_mask = RTAS_MC_ARRAY_SUBTYPE_MASK,
        .subtype_min = RTAS_MC_ERAT_PARITY,
        .subtype_max = RTAS_MC_ERAT_PARITY_OR_MULTIHIT,
        .ea_flag = RTAS_MC_EA_PROVIDED,
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "ERAT",
        .subtype_names = {
            NULL, "parity", "multi-hit", "parity or multi-hit",
        },
    },
    [RTAS_MC_TYPE_TLB] = {
        .subtype_mask = RTAS_MC_ARRAY_SUBTYPE_MASK,
        .subtype_min = RTAS_MC_TLB_PARITY,
        .subtype_max = RTAS_MC_TLB_PARITY_OR_MULTIHIT,
        .ea_flag = RTAS_MC_EA_PROVIDED,
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "TLB",
        .subtype_names = {
            NULL, "parity", "multi-hit", "parity or multi-hit",
        },
    },
    [RTAS_MC_TYPE_UNKNOWN] = {
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "unknown",
        .subtype_names = { "unspecified" },
    },
    [RTAS_MC_TYPE_D_CACHE] = {
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "D-cache",
        .subtype_names = { "unspecified" },
    },
    [RTAS_MC_TYPE_I_CACHE] = {
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "I-cache",
        .subtype_names = { "unspecified" },
    },
    [RTAS_MC_TYPE_CTRL_MEM_ACCESS] = {
        .subtype_mask = RTAS_MC_CTRL_MEM_SUBTYPE_MASK,
        .subtype_shift = RTAS_MC_CTRL_MEM_SUBTYPE_SHIFT,
        .subtype_min = RTAS_MC_CTRL_MEM_TABLE_WALK,
        .subtype_max = RTAS_MC_CTRL_MEM_OPERAND_ACCESS,
        .ea_flag = RTAS_MC_EA_PROVIDED,
        .subsystem = UH_SUBSYSTEM_PROCESSOR,
        .name = "control memory access",
        .subtype_names = { "page table walk", "operand access" },
    },
};

/*
 * What a disposition says in the extended log head and in the UH section.
 * A recovery that is limited took something out of use (LoPAR 10.3.2.1.3).
 */
static const struct {
    uint8_t ext_flags;
    uint8_t event_severity;
} disposition_table[] = {
    [RTAS_ELOG_DISPOSITION_FULLY_RECOVERED] = {
        RTAS_ELOG_EXT_RECOVERABLE, UH_SEVERITY_RECOVERED,
    },
    [RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY] = {
        RTAS_ELOG_EXT_BYPASSED, UH_SEVERITY_BYPASSED,
    },
    [RTAS_ELOG_DISPOSITION_NOT_RECOVERED] = {
        RTAS_ELOG_EXT_UNRECOVERABLE, UH_SEVERITY_UNRECOVERABLE,
    },
};

/* NULL if the type is reserved */
static const char *find_type_name(RtasElogType type)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(type_table); i++) {
        if (type_table[i].type == type) {
            return type_table[i].name;
        }
    }
    return NULL;
}

/* NULL if the type is reserved */
static const McTypeRow *find_mc_type(RtasMcType type)
{
    return (unsigned)type < ARRAY_SIZE(mc_type_table) &&
           mc_type_table[type].subsystem ? &mc_type_table[type] : NULL;
}

static bool mc_subtype_valid(const McTypeRow *row, unsigned subtype)
{
    return subtype >= row->subtype_min && subtype <= row->subtype_max;
}

static bool entity_valid(RtasElogEntity entity)
{
    return (unsigned)entity < ARRAY_SIZE(entity_names) && entity_names[entity];
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return true;
}

static bool in_list(uint8_t value, const uint8_t *list, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (list[i] == value) {
            return true;
        }
    }
    return false;
}

/* Stores the reason, if it is wanted; true if there is none */
static bool accepted(const char *reason, const char **why)
{
    if (reason && why) {
        *why = reason;
    }
    return !reason;
}

/*
 * Names
 */

const char *rtas_elog_severity_name(RtasElogSeverity severity)
{
    return (unsigned)severity < ARRAY_SIZE(severity_names)
           ? severity_names[severity] : "reserved";
}

const char *rtas_elog_disposition_name(RtasElogDisposition disposition)
{
    return (unsigned)disposition < ARRAY_SIZE(disposition_names)
           ? disposition_names[disposition] : "reserved";
}

const char *rtas_elog_entity_name(RtasElogEntity entity)
{
    return entity_valid(entity) ? entity_names[entity] : "reserved";
}

const char *rtas_elog_type_name(RtasElogType type)
{
    const char *name = find_type_name(type);

    return name ? name : "reserved";
}

const char *rtas_mc_type_name(RtasMcType type)
{
    const McTypeRow *row = find_mc_type(type);

    return row ? row->name : "reserved";
}

const char *rtas_mc_subtype_name(RtasMcType type, uint8_t subtype)
{
    const McTypeRow *row = find_mc_type(type);

    return row && mc_subtype_valid(row, subtype) ? row->subtype_names[subtype]
                                                 : "reserved";
}

/*
 * Encoder
 */

static const char *mc_log_reason(const RtasMachineCheckLog *log)
{
    const McTypeRow *row = find_mc_type(log->mc_type);

    if (log->severity < RTAS_ELOG_SEVERITY_WARNING ||
        log->severity > RTAS_ELOG_SEVERITY_ALREADY_REPORTED) {
        return "severity is not WARNING, ERROR_SYNC, ERROR, FATAL or "
               "ALREADY_REPORTED";
    }
    if ((unsigned)log->disposition >= ARRAY_SIZE(disposition_table)) {
        return "disposition is reserved";
    }
    if (log->severity == RTAS_ELOG_SEVERITY_FATAL &&
        log->disposition == RTAS_ELOG_DISPOSITION_FULLY_RECOVERED) {
        return "a FATAL error cannot be FULLY_RECOVERED";
    }
    if (!entity_valid(log->initiator)) {
        return "initiator is reserved";
    }
    if (!entity_valid(log->target)) {
        return "target is reserved";
    }
    if (!row) {
        return "machine check type is reserved";
    }
    if (!mc_subtype_valid(row, log->mc_subtype)) {
        return "the machine check type has no such sub-type";
    }
    return NULL;
}

bool rtas_elog_mc_valid(const RtasMachineCheckLog *log, const char **why)
{
    return accepted(mc_log_reason(log), why);
}

static uint8_t to_bcd(unsigned value)
{
    return value / 10 % 10 << 4 | value % 10;
}

static bool time_valid(const RtasElogTime *time)
{
    return time->year >= 1 && time->year <= 9999 &&
           time->month >= 1 && time->month <= 12 &&
           time->day >= 1 && time->day <= 31 &&
           time->hour <= 23 && time->minute <= 59 && time->second <= 59;
}

#define SECTION_HEAD(first, second, size, sub) { \
        .id = { first, second }, .length = { 0, size }, .version = 1, \
        .subtype = sub, \
    }

/*
 * UH has no action flags: what has to be repaired is the host, of which its
 * own administrator has logs.  rtas_errd would make a service call of them.
 *
 * LoPAR leaves versions in PS and the 6 bytes at 0x0a to the platform.
 * Assumed, as in the open BMC firmware of POWER systems: section sub-type 1 is
 * a primary SRC, SRC version 2, number of reference code words at 0x0b, size
 * of all that follows the section head at 0x0e.
 *
 * The reference code is a name of our own, so that nobody looks it up in the
 * lists of IBM's codes: "QEMUMC", type and sub-type value.
 */
const RtasElogMcLogBytes rtas_elog_mc_template = {
    .fixed = {
        .version = RTAS_ELOG_VERSION_6,
        .severity_disposition =
            RTAS_ELOG_SEVERITY_ERROR_SYNC << RTAS_ELOG_SEVERITY_SHIFT |
            RTAS_ELOG_DISPOSITION_NOT_RECOVERED << FIXED_DISPOSITION_SHIFT |
            FIXED_EXTENDED,
        .initiator_target = RTAS_ELOG_ENTITY_CPU << FIXED_INITIATOR_SHIFT |
                            RTAS_ELOG_ENTITY_MEMORY,
        .type = RTAS_ELOG_TYPE_PLATFORM_ERROR,
        .extended_length = {
            0, 0, 0, RTAS_ELOG_MC_LOG_SIZE - RTAS_ELOG_FIXED_SIZE,
        },
    },
    .ext = {
        .flags = EXT_FLAGS | RTAS_ELOG_EXT_UNRECOVERABLE,
        .format = RTAS_ELOG_EXT_POWERPC | RTAS_ELOG_EXT_FORMAT_PLATFORM,
        .company = "IBM",
    },
    .ph = {
        .head = SECTION_HEAD('P', 'H', RTAS_ELOG_PH_SIZE, 0),
        .creator_id = PH_CREATOR_HYPERVISOR,
        .section_count = 4,
    },
    .uh = {
        .head = SECTION_HEAD('U', 'H', RTAS_ELOG_UH_SIZE, 0),
        .subsystem_id = UH_SUBSYSTEM_MEMORY,
        .event_severity = UH_SEVERITY_UNRECOVERABLE,
    },
    .ps = {
        .head = SECTION_HEAD('P', 'S', RTAS_ELOG_PS_SIZE, 1),
        .src_version = 2,
        .platform = {
            0, 9, 0, 0, 0, RTAS_ELOG_PS_SIZE - RTAS_ELOG_SECTION_HEAD_SIZE,
        },
        .primary_reference_code = "QEMUMC00                        ",
    },
    .mc = {
        .head = SECTION_HEAD('M', 'C', RTAS_ELOG_MC_SIZE, 0),
        .error_type = RTAS_MC_TYPE_UE,
    },
};

void rtas_elog_put_disposition(RtasElogMcLogBytes *out,
                               RtasElogDisposition disposition)
{
    out->fixed.severity_disposition &=
        ~(FIXED_DISPOSITION_MASK << FIXED_DISPOSITION_SHIFT);
    out->fixed.severity_disposition |= disposition << FIXED_DISPOSITION_SHIFT;
    out->ext.flags = EXT_FLAGS | disposition_table[disposition].ext_flags;
    out->uh.event_severity = disposition_table[disposition].event_severity;
}

static void put_entities(RtasElogFixedBytes *fixed, RtasElogEntity initiator,
                         RtasElogEntity target)
{
    fixed->initiator_target = initiator << FIXED_INITIATOR_SHIFT | target;
}

void rtas_elog_put_processor_error(RtasElogMcLogBytes *out, RtasMcType type,
                                   uint8_t subtype, const uint64_t *ea)
{
    const McTypeRow *row = &mc_type_table[type];
    uint8_t sub_error_type = subtype << row->subtype_shift;

    if (ea && row->ea_flag) {
        sub_error_type |= row->ea_flag;
        stq_be_p(out->mc.effective_address, *ea);
    }
    put_entities(&out->fixed, RTAS_ELOG_ENTITY_CPU, RTAS_ELOG_ENTITY_CPU);
    out->uh.subsystem_id = row->subsystem;
    out->mc.error_type = type;
    out->mc.sub_error_type = sub_error_type;
    out->ps.extended_reference_code[0][2] = type;
    out->ps.extended_reference_code[0][3] = sub_error_type;
    out->ps.primary_reference_code[6] = '0' + type;
    out->ps.primary_reference_code[7] = '0' + subtype;
}

static void put_time(RtasElogPhBytes *ph, const RtasElogTime *time)
{
    ph->date[0] = to_bcd(time->year / 100);
    ph->date[1] = to_bcd(time->year % 100);
    ph->date[2] = to_bcd(time->month);
    ph->date[3] = to_bcd(time->day);
    ph->time[0] = to_bcd(time->hour);
    ph->time[1] = to_bcd(time->minute);
    ph->time[2] = to_bcd(time->second);
}

size_t rtas_elog_build_mc(void *buf, size_t size,
                          const RtasMachineCheckLog *log)
{
    const uint64_t *ea = log->ea_valid ? &log->ea : NULL;
    const uint64_t *ra = log->ra_valid ? &log->ra : NULL;
    RtasElogMcLogBytes *out = buf;

    if (size < sizeof(*out) || !rtas_elog_mc_valid(log, NULL)) {
        return 0;
    }
    *out = rtas_elog_mc_template;
    rtas_elog_put_ids(out, log->plid, log->processor_id);
    rtas_elog_put_severity(out, log->severity);
    rtas_elog_put_disposition(out, log->disposition);
    if (log->mc_type == RTAS_MC_TYPE_UE) {
        rtas_elog_put_ue(out, log->mc_subtype, log->transient, ea, ra);
    } else {
        rtas_elog_put_processor_error(out, log->mc_type, log->mc_subtype, ea);
    }
    put_entities(&out->fixed, log->initiator, log->target);
    stl_be_p(out->mc.fru_id, log->fru_id);
    if (log->has_time && time_valid(&log->time)) {
        put_time(&out->ph, &log->time);
    }
    return sizeof(*out);
}

/*
 * Decoder
 */

bool rtas_elog_decode_header(const void *buf, size_t len,
                             RtasElogHeader *header)
{
    const RtasElogFixedBytes *fixed = buf;
    bool extended;

    if (len < offsetof(RtasElogFixedBytes, extended_length)) {
        return false;
    }
    extended = fixed->severity_disposition & FIXED_EXTENDED;
    if (extended && len < sizeof(*fixed)) {
        return false;
    }

    *header = (RtasElogHeader) {
        .version = fixed->version,
        .severity = fixed->severity_disposition >> RTAS_ELOG_SEVERITY_SHIFT,
        .disposition = fixed->severity_disposition >> FIXED_DISPOSITION_SHIFT &
                       FIXED_DISPOSITION_MASK,
        .extended = extended,
        .initiator = fixed->initiator_target >> FIXED_INITIATOR_SHIFT,
        .target = fixed->initiator_target & FIXED_TARGET_MASK,
        .type = fixed->type,
        .extended_length = extended ? ldl_be_p(fixed->extended_length) : 0,
    };
    return true;
}

/* Whether the sections of a log can be found at all */
static const char *frame_reason(const void *buf, size_t len,
                                RtasElogHeader *header)
{
    const RtasElogExtHeadBytes *ext;

    if (!rtas_elog_decode_header(buf, len, header)) {
        return "the buffer is shorter than the fixed part";
    }
    if (header->version != RTAS_ELOG_VERSION_6) {
        return "version is not 6";
    }
    if (!header->extended) {
        return "there is no extended log";
    }
    if (header->extended_length > RTAS_ELOG_EXT_MAX) {
        return "the extended log is longer than rtas-error-log-max";
    }
    if (header->extended_length > len - RTAS_ELOG_FIXED_SIZE) {
        return "the extended log is longer than the buffer";
    }
    if (header->extended_length < sizeof(*ext)) {
        return "the extended log is shorter than its head";
    }

    ext = (const void *)((const uint8_t *)buf + RTAS_ELOG_FIXED_SIZE);
    if ((ext->format & RTAS_ELOG_EXT_FORMAT_MASK) !=
        RTAS_ELOG_EXT_FORMAT_PLATFORM) {
        return "the log format is not that of a platform event log";
    }
    if (memcmp(ext->company, "IBM", sizeof(ext->company))) {
        return "the company identifier is not IBM";
    }
    return NULL;
}

int rtas_elog_walk(const void *buf, size_t len, RtasElogSectionFn *fn,
                   void *opaque, const char **why)
{
    size_t offset = RTAS_ELOG_FIXED_SIZE + RTAS_ELOG_EXT_HEAD_SIZE;
    RtasElogHeader header;
    size_t end;
    int count = 0;

    if (!accepted(frame_reason(buf, len, &header), why)) {
        return -1;
    }

    end = RTAS_ELOG_FIXED_SIZE + header.extended_length;
    while (offset < end) {
        const uint8_t *bytes = (const uint8_t *)buf + offset;
        const RtasElogSectionHeadBytes *head = (const void *)bytes;
        RtasElogSection section;

        if (end - offset < sizeof(*head)) {
            accepted("a section head runs past the end of the log", why);
            return -1;
        }
        section = (RtasElogSection) {
            .id = lduw_be_p(head->id),
            .length = lduw_be_p(head->length),
            .version = head->version,
            .subtype = head->subtype,
            .creator_component = lduw_be_p(head->creator_component),
            .offset = offset,
            .bytes = bytes,
        };
        if (section.length < sizeof(*head)) {
            accepted("a section is shorter than its head", why);
            return -1;
        }
        if (section.length > end - offset) {
            accepted("a section runs past the end of the log", why);
            return -1;
        }

        count++;
        if (fn && !fn(&section, opaque)) {
            break;
        }
        offset += section.length;
    }
    return count;
}

typedef struct FindSections {
    const RtasElogPhBytes *ph;
    const RtasElogMcBytes *mc;
} FindSections;

static bool find_sections(const RtasElogSection *section, void *opaque)
{
    FindSections *found = opaque;

    if (!found->ph && section->id == RTAS_ELOG_SECTION_PH &&
        section->length >= sizeof(*found->ph)) {
        found->ph = (const void *)section->bytes;
    } else if (!found->mc && section->id == RTAS_ELOG_SECTION_MC &&
               section->length >= sizeof(*found->mc)) {
        found->mc = (const void *)section->bytes;
    }
    return true;
}

/* The value of two BCD digits; 0xff if they are none */
static uint8_t from_bcd(uint8_t bcd)
{
    if (bcd >> 4 > 9 || (bcd & 0xf) > 9) {
        return 0xff;
    }
    return (bcd >> 4) * 10 + (bcd & 0xf);
}

/* False if there is no valid time in @ph; @time is 0 then */
static bool get_time(const RtasElogPhBytes *ph, RtasElogTime *time)
{
    uint8_t century = from_bcd(ph->date[0]);
    uint8_t year = from_bcd(ph->date[1]);

    *time = (RtasElogTime) {
        .year = century * 100 + year,
        .month = from_bcd(ph->date[2]),
        .day = from_bcd(ph->date[3]),
        .hour = from_bcd(ph->time[0]),
        .minute = from_bcd(ph->time[1]),
        .second = from_bcd(ph->time[2]),
    };
    if (century <= 99 && year <= 99 && time_valid(time)) {
        return true;
    }
    *time = (RtasElogTime) { 0 };
    return false;
}

static void get_mc(const RtasElogMcBytes *mc, RtasMachineCheckLog *log)
{
    const McTypeRow *row = find_mc_type(mc->error_type);
    uint8_t byte = mc->sub_error_type;

    log->fru_id = ldl_be_p(mc->fru_id);
    log->processor_id = ldl_be_p(mc->processor_id);
    log->mc_type = mc->error_type;
    if (!row) {
        /* what the byte means is not known */
        log->mc_subtype = byte;
        return;
    }
    log->mc_subtype = (byte & row->subtype_mask) >> row->subtype_shift;
    log->transient = byte & row->transient_flag;
    log->ea_valid = byte & row->ea_flag;
    log->ra_valid = byte & row->ra_flag;
    log->ea = log->ea_valid ? ldq_be_p(mc->effective_address) : 0;
    log->ra = log->ra_valid ? ldq_be_p(mc->logical_address) : 0;
}

bool rtas_elog_decode_mc(const void *buf, size_t len,
                         RtasMachineCheckLog *log, const char **why)
{
    FindSections found = { NULL, NULL };
    RtasElogHeader header;

    if (rtas_elog_walk(buf, len, find_sections, &found, why) < 0 ||
        !rtas_elog_decode_header(buf, len, &header)) {
        return false;
    }
    if (!found.mc) {
        return accepted("there is no MC section", why);
    }

    *log = (RtasMachineCheckLog) {
        .severity = header.severity,
        .disposition = header.disposition,
        .initiator = header.initiator,
        .target = header.target,
    };
    if (found.ph) {
        log->plid = ldl_be_p(found.ph->plid);
        log->has_time = get_time(found.ph, &log->time);
    }
    get_mc(found.mc, log);
    return true;
}

/*
 * Strict check
 */

typedef struct CheckState {
    RtasElogType type;
    unsigned index;                 /* of the section */
    uint16_t previous_id;
    uint8_t section_count;          /* as PH has it */
    bool ph_has_time;
    bool has_ps;
    bool has_mc;
    const char *reason;
} CheckState;

static const char *check_fixed(const RtasElogFixedBytes *fixed,
                               const RtasElogHeader *header)
{
    if (fixed->severity_disposition & FIXED_RESERVED) {
        return "reserved bits of the fixed part are set";
    }
    if (header->severity == RTAS_ELOG_SEVERITY_RESERVED) {
        return "severity is reserved";
    }
    if (header->disposition == RTAS_ELOG_DISPOSITION_RESERVED) {
        return "disposition is reserved";
    }
    if (header->severity == RTAS_ELOG_SEVERITY_FATAL &&
        header->disposition == RTAS_ELOG_DISPOSITION_FULLY_RECOVERED) {
        return "a FATAL error cannot be FULLY_RECOVERED";
    }
    if (!entity_valid(header->initiator)) {
        return "initiator is reserved";
    }
    if (!entity_valid(header->target)) {
        return "target is reserved";
    }
    if (!find_type_name(header->type)) {
        return "type is reserved";
    }
    if (header->type == RTAS_ELOG_TYPE_PLATFORM_ERROR &&
        header->severity < RTAS_ELOG_SEVERITY_WARNING) {
        return "the severity of a platform error is that of an event";
    }
    return NULL;
}

static const char *check_ext_head(const RtasElogExtHeadBytes *ext)
{
    if (!(ext->flags & RTAS_ELOG_EXT_VALID)) {
        return "the extended log is not flagged as valid";
    }
    if (!(ext->flags & RTAS_ELOG_EXT_NEW)) {
        return "the extended log is not flagged as new";
    }
    if (!(ext->flags & RTAS_ELOG_EXT_BIG_ENDIAN)) {
        return "the extended log is not flagged as big-endian";
    }
    if ((ext->flags & RTAS_ELOG_EXT_RECOVERABLE) &&
        (ext->flags & (RTAS_ELOG_EXT_UNRECOVERABLE |
                       RTAS_ELOG_EXT_BYPASSED))) {
        return "the extended log is flagged both recoverable and "
               "unrecoverable";
    }
    if (!(ext->format & RTAS_ELOG_EXT_POWERPC)) {
        return "the extended log is not flagged as in PowerPC format";
    }
    if ((ext->flags & RTAS_ELOG_EXT_RESERVED) || ext->reserved1 ||
        (ext->format & EXT_FORMAT_RESERVED) ||
        !all_zero(ext->reserved2, sizeof(ext->reserved2))) {
        return "reserved bits of the extended log head are set";
    }
    return NULL;
}

static const char *check_ph(const RtasElogSection *section, CheckState *state)
{
    static const uint8_t creators[] = { 'E', 'H', 'L', 'W' };
    const RtasElogPhBytes *ph = (const void *)section->bytes;
    RtasElogTime time;

    if (section->length != sizeof(*ph)) {
        return "the length of the PH section is not 48";
    }
    if (!all_zero(ph->date, sizeof(ph->date)) ||
        !all_zero(ph->time, sizeof(ph->time))) {
        if (!get_time(ph, &time) || from_bcd(ph->time[3]) > 99) {
            return "the PH section has no valid date and time";
        }
        state->ph_has_time = true;
    }
    if (!in_list(ph->creator_id, creators, sizeof(creators))) {
        return "the creator in the PH section is unknown";
    }
    if (!all_zero(ph->reserved1, sizeof(ph->reserved1)) ||
        !all_zero(ph->reserved2, sizeof(ph->reserved2))) {
        return "reserved bytes of the PH section are set";
    }
    state->section_count = ph->section_count;
    return NULL;
}

static const char *check_uh(const RtasElogSection *section, CheckState *state)
{
    static const uint8_t severities[] = {
        0x00, 0x10, 0x14, 0x15, 0x20, 0x21, 0x22, 0x23, 0x24,
        0x40, 0x41, 0x44, 0x45, 0x48, 0x60, 0x61,
    };
    static const uint8_t subtypes[] = {
        0x00, 0x01, 0x08, 0x10, 0x20, 0x21, 0x22, 0x30, 0x40, 0x60, 0x70,
        0x80, 0xd0, 0xe0,
    };
    const RtasElogUhBytes *uh = (const void *)section->bytes;
    uint16_t action;

    if (section->length != sizeof(*uh)) {
        return "the length of the UH section is not 24";
    }
    if (uh->subsystem_id < UH_SUBSYSTEM_FIRST ||
        uh->subsystem_id > UH_SUBSYSTEM_LAST) {
        return "the subsystem in the UH section is reserved";
    }
    if (!in_list(uh->event_severity, severities, sizeof(severities))) {
        return "the severity in the UH section is reserved";
    }
    if (!in_list(uh->event_subtype, subtypes, sizeof(subtypes))) {
        return "the event sub-type in the UH section is reserved";
    }
    if (state->type == RTAS_ELOG_TYPE_PLATFORM_ERROR && !uh->event_severity) {
        return "the UH section of a platform error has no error severity";
    }
    if (!all_zero(uh->reserved1, sizeof(uh->reserved1)) ||
        !all_zero(uh->reserved2, sizeof(uh->reserved2))) {
        return "reserved bytes of the UH section are set";
    }

    action = lduw_be_p(uh->action_flags);
    if (action & UH_ACTION_RESERVED) {
        return "reserved action flags are set";
    }
    if ((action & UH_ACTION_SERVICE) && (action & UH_ACTION_HIDDEN)) {
        return "action flags ask for service of a hidden error";
    }
    if ((action & UH_ACTION_CALL_HOME) && !(action & UH_ACTION_SERVICE)) {
        return "action flags call home for no service";
    }
    if ((action & UH_ACTION_HMC_ONLY) && !(action & UH_ACTION_REPORT)) {
        return "action flags restrict a report that is not asked for";
    }
    return NULL;
}

/* 32 characters; fewer are filled up with blanks or NULs */
static bool reference_code_valid(const uint8_t *code, size_t size)
{
    size_t n = 0;

    while (n < size && code[n] >= 0x20 && code[n] <= 0x7e) {
        n++;
    }
    return n > 0 && code[0] != ' ' && all_zero(code + n, size - n);
}

static const char *check_ps(const RtasElogSection *section, CheckState *state)
{
    const RtasElogPsBytes *ps = (const void *)section->bytes;
    const uint8_t *sub = section->bytes + sizeof(*ps);
    size_t sub_length;

    state->has_ps = true;
    if (section->length < sizeof(*ps)) {
        return "the PS section is shorter than 80";
    }
    sub_length = section->length - sizeof(*ps);
    if (!(ps->src_flags & PS_FLAG_SUBSECTIONS)) {
        if (sub_length) {
            return "the PS section has sub-sections that are not flagged";
        }
    } else if (state->type != RTAS_ELOG_TYPE_PLATFORM_ERROR) {
        return "the PS section calls out FRUs without a platform error";
    } else if (sub_length < PS_SUBSECTION_HEAD_SIZE ||
               sub[0] != PS_SUBSECTION_CALL_OUT ||
               lduw_be_p(sub + 2) * 4u != sub_length) {
        return "the FRU call-out of the PS section is malformed";
    }
    if (!reference_code_valid(ps->primary_reference_code,
                              sizeof(ps->primary_reference_code))) {
        return "the PS section has no primary reference code";
    }
    return NULL;
}

static const char *check_mc(const RtasElogSection *section, CheckState *state)
{
    const RtasElogMcBytes *mc = (const void *)section->bytes;
    RtasMachineCheckLog log = { 0 };
    const McTypeRow *row;

    if (state->has_mc) {
        return "there is more than one MC section";
    }
    state->has_mc = true;
    if (state->type != RTAS_ELOG_TYPE_PLATFORM_ERROR) {
        return "there is an MC section without a platform error";
    }
    if (section->length != sizeof(*mc)) {
        return "the length of the MC section is not 40";
    }
    if (!all_zero(mc->reserved, sizeof(mc->reserved))) {
        return "reserved bytes of the MC section are set";
    }
    row = find_mc_type(mc->error_type);
    if (!row) {
        return "machine check type is reserved";
    }
    if (mc->sub_error_type & ~(row->subtype_mask | row->ea_flag |
                               row->ra_flag | row->transient_flag)) {
        return "reserved bits of the machine check sub-type are set";
    }

    get_mc(mc, &log);
    if (!mc_subtype_valid(row, log.mc_subtype)) {
        return "the machine check type has no such sub-type";
    }
    if (row->transient_flag && !log.transient && log.mc_subtype) {
        return "a permanent UE has a sub-type";
    }
    if (row->ra_flag && log.ea_valid && !log.ra_valid) {
        return "a UE has an effective but no logical address";
    }
    if (!log.ea_valid &&
        !all_zero(mc->effective_address, sizeof(mc->effective_address))) {
        return "there is an effective address that is not flagged";
    }
    if (!log.ra_valid &&
        !all_zero(mc->logical_address, sizeof(mc->logical_address))) {
        return "there is a logical address that is not flagged";
    }
    return NULL;
}

/* PH, UH, then LR if any, then PS if any, then the others: LoPAR 10.3.2.2 */
static const char *check_order(const RtasElogSection *section,
                               const CheckState *state)
{
    if ((state->index == 0) != (section->id == RTAS_ELOG_SECTION_PH)) {
        return "the PH section is not the first";
    }
    if ((state->index == 1) != (section->id == RTAS_ELOG_SECTION_UH)) {
        return "the UH section is not the second";
    }
    if (section->id == RTAS_ELOG_SECTION_LR &&
        state->previous_id != RTAS_ELOG_SECTION_UH) {
        return "the LR section does not follow the UH section";
    }
    if (section->id == RTAS_ELOG_SECTION_PS &&
        state->previous_id != RTAS_ELOG_SECTION_UH &&
        state->previous_id != RTAS_ELOG_SECTION_LR) {
        return "the PS section does not follow the UH section";
    }
    return NULL;
}

static bool check_section(const RtasElogSection *section, void *opaque)
{
    CheckState *state = opaque;

    state->reason = check_order(section, state);
    if (!state->reason) {
        switch (section->id) {
        case RTAS_ELOG_SECTION_PH:
            state->reason = check_ph(section, state);
            break;
        case RTAS_ELOG_SECTION_UH:
            state->reason = check_uh(section, state);
            break;
        case RTAS_ELOG_SECTION_PS:
            state->reason = check_ps(section, state);
            break;
        case RTAS_ELOG_SECTION_MC:
            state->reason = check_mc(section, state);
            break;
        default:
            break;
        }
    }
    state->index++;
    state->previous_id = section->id;
    return !state->reason;
}

/* What can only be said when all @count sections have been seen */
static const char *check_whole(const CheckState *state, unsigned count)
{
    if (count < 2) {
        return "the PH or the UH section is missing";
    }
    if (state->section_count != count) {
        return "the section count in the PH section is wrong";
    }
    if (state->type == RTAS_ELOG_TYPE_PLATFORM_ERROR && !state->has_ps) {
        return "a platform error has no PS section";
    }
    if (!state->ph_has_time && !state->has_mc) {
        return "the PH section has no date and time";
    }
    return NULL;
}

bool rtas_elog_check(const void *buf, size_t len, const char **why)
{
    CheckState state = { 0 };
    RtasElogHeader header;
    const char *reason;
    int count;

    reason = frame_reason(buf, len, &header);
    if (!reason) {
        reason = check_fixed(buf, &header);
    }
    if (!reason) {
        reason = check_ext_head((const void *)((const uint8_t *)buf +
                                               RTAS_ELOG_FIXED_SIZE));
    }
    if (reason) {
        return accepted(reason, why);
    }

    state.type = header.type;
    count = rtas_elog_walk(buf, len, check_section, &state, why);
    if (count < 0) {
        return false;
    }
    return accepted(state.reason ? state.reason : check_whole(&state, count),
                  why);
}
