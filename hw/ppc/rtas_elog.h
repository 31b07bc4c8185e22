/*
 * RTAS error log, version 6: the record of a machine check
 *
 * What ibm,nmi-register's machine check routine finds behind the saved r3:
 * LoPAR 2.9 section 10.3.2 (fixed part 10.3.2.1.9, extended log 10.3.2.2,
 * sections 10.3.2.3 to 10.3.2.12).
 * hw/ppc/spapr_mce.c builds logs with it.
 *
 * Everything in the log is big-endian, also for a little-endian guest.
 * Nothing here needs alignment, allocates, or keeps state: all functions can
 * be called from any thread, without the BQL.
 *
 * Layout of the log of a machine check, RtasElogMcLogBytes:
 *
 *     0  fixed part          8   summary word, length of what follows it
 *     8  extended log head  16   flags, format, "IBM\0"
 *    24  PH  private header 48   time, creator, number of sections, PLID
 *    72  UH  user header    24   failing subsystem, severity
 *    96  PS  primary SRC    80   reference code
 *   176  MC  machine check  40   what failed, where
 *   216
 *
 * Copyright (c) the qemu-ras authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PPC_RTAS_ELOG_H
#define HW_PPC_RTAS_ELOG_H

#include "qemu/bswap.h"

/* Sizes in bytes */
#define RTAS_ELOG_FIXED_SIZE            8
#define RTAS_ELOG_EXT_HEAD_SIZE         16
#define RTAS_ELOG_SECTION_HEAD_SIZE     8
#define RTAS_ELOG_PH_SIZE               48
#define RTAS_ELOG_UH_SIZE               24
#define RTAS_ELOG_PS_SIZE               80
#define RTAS_ELOG_MC_SIZE               40

/* A complete machine check log: fixed part, head, PH, UH, PS and MC */
#define RTAS_ELOG_MC_LOG_SIZE           216

#define RTAS_ELOG_VERSION_6             6

/* Fixed part bits 8:10: those of machine checks */
typedef enum RtasElogSeverity {
    RTAS_ELOG_SEVERITY_ERROR_SYNC       = 3,
    RTAS_ELOG_SEVERITY_FATAL            = 5,
    RTAS_ELOG_SEVERITY_ALREADY_REPORTED = 6,
} RtasElogSeverity;

/* Fixed part bits 11:12 */
typedef enum RtasElogDisposition {
    RTAS_ELOG_DISPOSITION_FULLY_RECOVERED  = 0,
    RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY = 1,
    RTAS_ELOG_DISPOSITION_NOT_RECOVERED    = 2,
} RtasElogDisposition;

/* Fixed part bits 16:19 (initiator), 20:23 (target): those of machine checks */
typedef enum RtasElogEntity {
    RTAS_ELOG_ENTITY_CPU                = 1,
    RTAS_ELOG_ENTITY_MEMORY             = 4,
} RtasElogEntity;

/* Fixed part bits 24:31: a machine check is a platform error */
#define RTAS_ELOG_TYPE_PLATFORM_ERROR   224

/* MC section offset 0x10.  LoPAR 2.9 has neither 3 nor 8; Linux knows both. */
typedef enum RtasMcType {
    RTAS_MC_TYPE_UE                     = 0,
    RTAS_MC_TYPE_SLB                    = 1,
    RTAS_MC_TYPE_ERAT                   = 2,
    RTAS_MC_TYPE_UNKNOWN                = 3,
    RTAS_MC_TYPE_TLB                    = 4,
    RTAS_MC_TYPE_D_CACHE                = 5,
    RTAS_MC_TYPE_I_CACHE                = 7,
    RTAS_MC_TYPE_CTRL_MEM_ACCESS        = 8,
} RtasMcType;

/*
 * Sub-type values, a list for each type (MC section offset 0x11, without
 * flags): those of errors without a row in the tables of target/ppc/mce.c,
 * which have the others
 */
enum {
    RTAS_MC_UE_IFETCH                   = 1,
    RTAS_MC_UE_LOAD_STORE               = 3,
};

enum {
    RTAS_MC_ERAT_PARITY                 = 1,
    RTAS_MC_ERAT_MULTIHIT               = 2,
};

enum {
    RTAS_MC_TLB_PARITY                  = 1,
};

/* D-cache and I-cache: LoPAR defines no information, the byte is 0 */
enum {
    RTAS_MC_CACHE_UNSPECIFIED           = 0,
};

/* nothing to say of what is not known */
enum {
    RTAS_MC_UNKNOWN_UNSPECIFIED         = 0,
};

enum {
    RTAS_MC_CTRL_MEM_TABLE_WALK         = 0,
    RTAS_MC_CTRL_MEM_OPERAND_ACCESS     = 1,
};

/* Sub-type byte: flags, and where the sub-type value is if not in bit 0 */
#define RTAS_MC_UE_TRANSIENT            0x80
#define RTAS_MC_UE_EA_PROVIDED          0x40
#define RTAS_MC_UE_LOGICAL_PROVIDED     0x20
#define RTAS_MC_EA_PROVIDED             0x80    /* SLB, ERAT, TLB and 8 */
#define RTAS_MC_CTRL_MEM_SUBTYPE_SHIFT  4       /* type 8 */

/* Extended log head, byte 0 and byte 2 */
#define RTAS_ELOG_EXT_VALID             0x80
#define RTAS_ELOG_EXT_UNRECOVERABLE     0x40
#define RTAS_ELOG_EXT_RECOVERABLE       0x20
#define RTAS_ELOG_EXT_BYPASSED          0x10
#define RTAS_ELOG_EXT_NEW               0x04
#define RTAS_ELOG_EXT_BIG_ENDIAN        0x02
#define RTAS_ELOG_EXT_POWERPC           0x80
#define RTAS_ELOG_EXT_FORMAT_PLATFORM   0x0e

/* Fixed part, byte 1 */
#define RTAS_ELOG_SEVERITY_MASK         0xe0
#define RTAS_ELOG_SEVERITY_SHIFT        5

/*
 * The log in memory.  All members are bytes: no padding, no alignment, no
 * byte order of the host.  Use ldX_be_p() and stX_be_p().
 */
typedef struct RtasElogFixedBytes {
    uint8_t version;                    /* 6 */
    uint8_t severity_disposition;       /* 8:10, 11:12, 13 extended, 14:15 0 */
    uint8_t initiator_target;           /* 16:19, 20:23 */
    uint8_t type;
    uint8_t extended_length[4];         /* bytes after this field */
} RtasElogFixedBytes;

typedef struct RtasElogExtHeadBytes {
    uint8_t flags;                      /* RTAS_ELOG_EXT_* */
    uint8_t reserved1;
    uint8_t format;
    uint8_t reserved2[9];
    uint8_t company[4];                 /* "IBM\0" */
} RtasElogExtHeadBytes;

typedef struct RtasElogSectionHeadBytes {
    uint8_t id[2];
    uint8_t length[2];                  /* of the section with this head */
    uint8_t version;
    uint8_t subtype;
    uint8_t creator_component[2];
} RtasElogSectionHeadBytes;

typedef struct RtasElogPhBytes {
    RtasElogSectionHeadBytes head;
    uint8_t date[4];                    /* BCD YYYYMMDD, 0: not given */
    uint8_t time[4];                    /* BCD HHMMSS00 */
    uint8_t platform1[8];
    uint8_t creator_id;                 /* 'E', 'H', 'L' or 'W' */
    uint8_t reserved1[2];
    uint8_t section_count;              /* this section included */
    uint8_t reserved2[4];
    uint8_t platform2[8];
    uint8_t plid[4];
    uint8_t log_entry_id[4];            /* LoPAR: platform; name: librtas */
} RtasElogPhBytes;

typedef struct RtasElogUhBytes {
    RtasElogSectionHeadBytes head;
    uint8_t subsystem_id;
    uint8_t platform1;
    uint8_t event_severity;
    uint8_t event_subtype;
    uint8_t platform2[4];
    uint8_t reserved1[2];
    uint8_t action_flags[2];
    uint8_t reserved2[4];
} RtasElogUhBytes;

typedef struct RtasElogPsBytes {
    RtasElogSectionHeadBytes head;
    uint8_t src_version;
    uint8_t src_flags;                  /* 0x01: sub-sections follow */
    uint8_t platform[6];
    uint8_t extended_reference_code[8][4];      /* words 2 to 9 */
    uint8_t primary_reference_code[32];         /* ASCII */
} RtasElogPsBytes;

typedef struct RtasElogMcBytes {
    RtasElogSectionHeadBytes head;
    uint8_t fru_id[4];
    uint8_t processor_id[4];
    uint8_t error_type;                 /* RtasMcType */
    uint8_t sub_error_type;
    uint8_t reserved[6];
    uint8_t effective_address[8];
    uint8_t logical_address[8];
} RtasElogMcBytes;

/* The whole log of a machine check */
typedef struct RtasElogMcLogBytes {
    RtasElogFixedBytes fixed;
    RtasElogExtHeadBytes ext;
    RtasElogPhBytes ph;
    RtasElogUhBytes uh;
    RtasElogPsBytes ps;
    RtasElogMcBytes mc;
} RtasElogMcLogBytes;

/**
 * rtas_elog_mc_template: a complete log, to be copied, and then changed by
 * rtas_elog_put_*()
 *
 * It says: UE, not recovered, ERROR_SYNC, seen by a CPU in memory.  It does
 * not say in what kind of access, where, when and on which processor.
 *
 * Source: LoPAR 10.3.2.
 */
extern const RtasElogMcLogBytes rtas_elog_mc_template;

/*
 * What is put into a copy of the template.  Values are taken as they are, and
 * the caller gives only those that the format has.
 */

/* rtas_elog_put_severity: WARNING .. ALREADY_REPORTED */
static inline void rtas_elog_put_severity(RtasElogMcLogBytes *out,
                                          RtasElogSeverity severity)
{
    out->fixed.severity_disposition &= ~RTAS_ELOG_SEVERITY_MASK;
    out->fixed.severity_disposition |= severity << RTAS_ELOG_SEVERITY_SHIFT;
}

/*
 * rtas_elog_put_disposition: in the fixed part, in the head and in UH; not the
 * reserved one
 */
void rtas_elog_put_disposition(RtasElogMcLogBytes *out,
                               RtasElogDisposition disposition);

/* rtas_elog_put_ids: platform log id, one an event; and the processor's */
static inline void rtas_elog_put_ids(RtasElogMcLogBytes *out, uint32_t plid,
                                     uint32_t processor_id)
{
    stl_be_p(out->ph.plid, plid);
    /* the only entry of its event, so one number does for both */
    stl_be_p(out->ph.log_entry_id, plid);
    stl_be_p(out->mc.processor_id, processor_id);
}

/**
 * rtas_elog_put_ue: what access to memory failed, and where
 * @out: a copy of the template
 * @subtype: RTAS_MC_UE_*
 * @ea: effective address, or NULL if it is not known
 * @ra: guest logical ("real") address, or NULL
 *
 * The UE is transient: dcbz cannot clear the error, and nothing of the logical
 * page can be accessed.  For a permanent one LoPAR leaves no room for a
 * sub-type.
 *
 * An effective address without a logical one is left out: Linux would look the
 * page up itself, and poison page 0 if it cannot.  Linux (up to 6.12) queues a
 * page for memory_failure() only if both addresses are given and the effective
 * address is not 0.
 */
static inline void rtas_elog_put_ue(RtasElogMcLogBytes *out, uint8_t subtype,
                                    const uint64_t *ea, const uint64_t *ra)
{
    uint8_t sub_error_type = RTAS_MC_UE_TRANSIENT | subtype;

    if (ra) {
        sub_error_type |= RTAS_MC_UE_LOGICAL_PROVIDED;
        stq_be_p(out->mc.logical_address, *ra);
        if (ea) {
            sub_error_type |= RTAS_MC_UE_EA_PROVIDED;
            stq_be_p(out->mc.effective_address, *ea);
        }
    }
    out->mc.sub_error_type = sub_error_type;
    out->ps.extended_reference_code[0][3] = sub_error_type;
    out->ps.primary_reference_code[7] = '0' + subtype;
}

/**
 * rtas_elog_put_processor_error: an error in a processor, not in memory
 * @out: a copy of the template
 * @type: any but UE
 * @subtype: from the list of @type
 * @ea: effective address, or NULL if it is not known; of caches and of unknown
 *      errors the log has none
 */
void rtas_elog_put_processor_error(RtasElogMcLogBytes *out, RtasMcType type,
                                   uint8_t subtype, const uint64_t *ea);

#endif /* HW_PPC_RTAS_ELOG_H */
