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
#define FIXED_INITIATOR_SHIFT       4

/* Extended log head: what is set in byte 0 of all logs */
#define EXT_FLAGS                   (RTAS_ELOG_EXT_VALID | RTAS_ELOG_EXT_NEW | \
                                     RTAS_ELOG_EXT_BIG_ENDIAN)

/* PH */
#define PH_CREATOR_HYPERVISOR       'H'

/* UH */
#define UH_SUBSYSTEM_PROCESSOR      0x10    /* internal caches included */
#define UH_SUBSYSTEM_MEMORY         0x20
#define UH_SEVERITY_RECOVERED       0x10
#define UH_SEVERITY_UNRECOVERABLE   0x40
#define UH_SEVERITY_BYPASSED        0x41    /* with degraded performance */

/* The sub-type byte of processor errors; the others have no address */
static const struct {
    uint8_t ea_flag;
    uint8_t subtype_shift;
} mc_types[] = {
    [RTAS_MC_TYPE_SLB]  = { RTAS_MC_EA_PROVIDED, 0 },
    [RTAS_MC_TYPE_ERAT] = { RTAS_MC_EA_PROVIDED, 0 },
    [RTAS_MC_TYPE_TLB]  = { RTAS_MC_EA_PROVIDED, 0 },
    [RTAS_MC_TYPE_CTRL_MEM_ACCESS] = {
        RTAS_MC_EA_PROVIDED, RTAS_MC_CTRL_MEM_SUBTYPE_SHIFT,
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

void rtas_elog_put_processor_error(RtasElogMcLogBytes *out, RtasMcType type,
                                   uint8_t subtype, const uint64_t *ea)
{
    uint8_t ea_flag = mc_types[type].ea_flag;
    uint8_t sub_error_type = subtype << mc_types[type].subtype_shift;

    if (ea && ea_flag) {
        sub_error_type |= ea_flag;
        stq_be_p(out->mc.effective_address, *ea);
    }
    out->fixed.initiator_target = RTAS_ELOG_ENTITY_CPU <<
                                  FIXED_INITIATOR_SHIFT | RTAS_ELOG_ENTITY_CPU;
    out->uh.subsystem_id = UH_SUBSYSTEM_PROCESSOR;
    out->mc.error_type = type;
    out->mc.sub_error_type = sub_error_type;
    out->ps.extended_reference_code[0][2] = type;
    out->ps.extended_reference_code[0][3] = sub_error_type;
    out->ps.primary_reference_code[6] = '0' + type;
    out->ps.primary_reference_code[7] = '0' + subtype;
}
