/*
 * RTAS error log, version 6: the record of a machine check
 *
 * What ibm,nmi-register's machine check routine finds behind the saved r3:
 * LoPAR 2.9 section 10.3.2 (fixed part 10.3.2.1.9, extended log 10.3.2.2,
 * sections 10.3.2.3 to 10.3.2.12).
 * hw/ppc/spapr_mce.c builds logs with it, the unit tests and the fuzzer read
 * them.
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

/* Largest extended log (rtas-error-log-max), the fixed part not counted */
#define RTAS_ELOG_EXT_MAX               2048

#define RTAS_ELOG_VERSION_6             6

/* Fixed part bits 8:10 */
typedef enum RtasElogSeverity {
    RTAS_ELOG_SEVERITY_NO_ERROR         = 0,
    RTAS_ELOG_SEVERITY_EVENT            = 1,
    RTAS_ELOG_SEVERITY_WARNING          = 2,
    RTAS_ELOG_SEVERITY_ERROR_SYNC       = 3,
    RTAS_ELOG_SEVERITY_ERROR            = 4,
    RTAS_ELOG_SEVERITY_FATAL            = 5,
    RTAS_ELOG_SEVERITY_ALREADY_REPORTED = 6,
    RTAS_ELOG_SEVERITY_RESERVED         = 7,
} RtasElogSeverity;

/* Fixed part bits 11:12 */
typedef enum RtasElogDisposition {
    RTAS_ELOG_DISPOSITION_FULLY_RECOVERED  = 0,
    RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY = 1,
    RTAS_ELOG_DISPOSITION_NOT_RECOVERED    = 2,
    RTAS_ELOG_DISPOSITION_RESERVED         = 3,
} RtasElogDisposition;

/*
 * Fixed part bits 16:19 (initiator) and 20:23 (target).  LoPAR reserves 3
 * and 5; Linux still calls them ISA and power management.
 */
typedef enum RtasElogEntity {
    RTAS_ELOG_ENTITY_UNKNOWN            = 0,
    RTAS_ELOG_ENTITY_CPU                = 1,
    RTAS_ELOG_ENTITY_PCI                = 2,
    RTAS_ELOG_ENTITY_MEMORY             = 4,
    RTAS_ELOG_ENTITY_HOT_PLUG           = 6,
} RtasElogEntity;

/* Fixed part bits 24:31 */
typedef enum RtasElogType {
    RTAS_ELOG_TYPE_OTHER                = 0,
    RTAS_ELOG_TYPE_RETRY                = 1,
    RTAS_ELOG_TYPE_TCE_ERR              = 2,
    RTAS_ELOG_TYPE_INTERN_DEV_FAIL      = 3,
    RTAS_ELOG_TYPE_TIMEOUT              = 4,
    RTAS_ELOG_TYPE_DATA_PARITY          = 5,
    RTAS_ELOG_TYPE_ADDR_PARITY          = 6,
    RTAS_ELOG_TYPE_CACHE_PARITY         = 7,
    RTAS_ELOG_TYPE_ADDR_INVALID         = 8,
    RTAS_ELOG_TYPE_ECC_UNCORR           = 9,
    RTAS_ELOG_TYPE_ECC_CORR             = 10,
    RTAS_ELOG_TYPE_EPOW                 = 64,
    RTAS_ELOG_TYPE_PRRN                 = 160,
    RTAS_ELOG_TYPE_PLATFORM_ERROR       = 224,
    RTAS_ELOG_TYPE_IO_EVENT             = 225,
    RTAS_ELOG_TYPE_PLATFORM_INFO        = 226,
    RTAS_ELOG_TYPE_RESOURCE_DEALLOC     = 227,
    RTAS_ELOG_TYPE_DUMP_NOTIFICATION    = 228,
    RTAS_ELOG_TYPE_HOT_PLUG             = 229,
} RtasElogType;

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

/* Sub-type values, one list a type (MC section offset 0x11, without flags) */
enum {
    RTAS_MC_UE_INDETERMINATE            = 0,
    RTAS_MC_UE_IFETCH                   = 1,
    RTAS_MC_UE_TABLE_WALK_IFETCH        = 2,
    RTAS_MC_UE_LOAD_STORE               = 3,
    RTAS_MC_UE_TABLE_WALK_LOAD_STORE    = 4,
};

enum {
    RTAS_MC_SLB_PARITY                  = 0,
    RTAS_MC_SLB_MULTIHIT                = 1,
    RTAS_MC_SLB_PARITY_OR_MULTIHIT      = 2,
};

enum {
    RTAS_MC_ERAT_PARITY                 = 1,
    RTAS_MC_ERAT_MULTIHIT               = 2,
    RTAS_MC_ERAT_PARITY_OR_MULTIHIT     = 3,
};

enum {
    RTAS_MC_TLB_PARITY                  = 1,
    RTAS_MC_TLB_MULTIHIT                = 2,
    RTAS_MC_TLB_PARITY_OR_MULTIHIT      = 3,
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

/* Sub-type byte: flags and where the sub-type value sits, by type */
#define RTAS_MC_UE_TRANSIENT            0x80
#define RTAS_MC_UE_EA_PROVIDED          0x40
#define RTAS_MC_UE_LOGICAL_PROVIDED     0x20
#define RTAS_MC_UE_RESERVED             0x18
#define RTAS_MC_UE_SUBTYPE_MASK         0x07
#define RTAS_MC_EA_PROVIDED             0x80    /* SLB, ERAT, TLB and 8 */
#define RTAS_MC_ARRAY_RESERVED          0x7c    /* SLB, ERAT, TLB */
#define RTAS_MC_ARRAY_SUBTYPE_MASK      0x03    /* SLB, ERAT, TLB */
#define RTAS_MC_CTRL_MEM_SUBTYPE_MASK   0x70    /* type 8 */
#define RTAS_MC_CTRL_MEM_SUBTYPE_SHIFT  4
#define RTAS_MC_CTRL_MEM_RESERVED       0x0f

/* Extended log head, byte 0 and byte 2 */
#define RTAS_ELOG_EXT_VALID             0x80
#define RTAS_ELOG_EXT_UNRECOVERABLE     0x40
#define RTAS_ELOG_EXT_RECOVERABLE       0x20
#define RTAS_ELOG_EXT_BYPASSED          0x10
#define RTAS_ELOG_EXT_PREDICTIVE        0x08
#define RTAS_ELOG_EXT_NEW               0x04
#define RTAS_ELOG_EXT_BIG_ENDIAN        0x02
#define RTAS_ELOG_EXT_RESERVED          0x01
#define RTAS_ELOG_EXT_POWERPC           0x80
#define RTAS_ELOG_EXT_FORMAT_MASK       0x0f
#define RTAS_ELOG_EXT_FORMAT_PLATFORM   0x0e

/* Fixed part, byte 1 */
#define RTAS_ELOG_SEVERITY_MASK         0xe0
#define RTAS_ELOG_SEVERITY_SHIFT        5

/* Section ids: two ASCII characters */
#define RTAS_ELOG_SECTION_PH            0x5048
#define RTAS_ELOG_SECTION_UH            0x5548
#define RTAS_ELOG_SECTION_LR            0x4c52
#define RTAS_ELOG_SECTION_PS            0x5053
#define RTAS_ELOG_SECTION_MC            0x4d43

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

/* UTC, as in struct tm but with a full year and months from 1 */
typedef struct RtasElogTime {
    uint16_t year;                      /* 1 .. 9999 */
    uint8_t month;                      /* 1 .. 12 */
    uint8_t day;                        /* 1 .. 31 */
    uint8_t hour;                       /* 0 .. 23 */
    uint8_t minute;                     /* 0 .. 59 */
    uint8_t second;                     /* 0 .. 59 */
} RtasElogTime;

/*
 * A machine check as the guest is told of it.  Plain data, native byte order.
 *
 * The flags "recoverable", "unrecoverable" and "bypassed" of the extended log
 * and the severity of the UH section follow from @disposition; "predictive"
 * is never set, a machine check is not a prediction.  The failing subsystem
 * of the UH section follows from @mc_type.
 */
typedef struct RtasMachineCheckLog {
    /* WARNING .. ALREADY_REPORTED; ERROR_SYNC for what Linux shall survive */
    RtasElogSeverity severity;
    RtasElogDisposition disposition;    /* not FULLY_RECOVERED with FATAL */
    RtasElogEntity initiator;
    RtasElogEntity target;
    RtasMcType mc_type;
    uint8_t mc_subtype;                 /* value from the list of @mc_type */

    /*
     * UE only.  True: dcbz cannot clear the error, nothing of the logical
     * page can be accessed: that is a page the host has poisoned.  False: a
     * permanent UE, for which LoPAR leaves no room for a sub-type.
     */
    bool transient;

    bool ea_valid;                      /* @ea is known */
    bool ra_valid;                      /* @ra is known */
    uint64_t ea;                        /* effective address */
    uint64_t ra;                        /* guest logical ("real") address */

    uint32_t processor_id;
    uint32_t fru_id;
    uint32_t plid;                      /* platform log id, one an event */

    bool has_time;                      /* @time is known */
    RtasElogTime time;                  /* UTC */
} RtasMachineCheckLog;

/* Fixed part, native byte order */
typedef struct RtasElogHeader {
    uint8_t version;
    RtasElogSeverity severity;
    RtasElogDisposition disposition;
    bool extended;                      /* an extended log follows */
    RtasElogEntity initiator;           /* as found, also reserved values */
    RtasElogEntity target;
    RtasElogType type;
    uint32_t extended_length;           /* bytes after the fixed part */
} RtasElogHeader;

/* One section of the extended log, native byte order */
typedef struct RtasElogSection {
    uint16_t id;                        /* RTAS_ELOG_SECTION_* */
    uint16_t length;                    /* bytes, section head included */
    uint8_t version;
    uint8_t subtype;
    uint16_t creator_component;
    size_t offset;                      /* from the start of the log */
    const uint8_t *bytes;               /* the section, @length bytes */
} RtasElogSection;

/* Called for each section; false ends the walk */
typedef bool RtasElogSectionFn(const RtasElogSection *section, void *opaque);

/**
 * rtas_elog_mc_valid: whether a machine check can be put into a log
 * @log: the machine check
 * @why: if not NULL, set to a constant English sentence when refused
 *
 * Refused are values that a field of the log cannot say: a severity that is
 * no error, a reserved disposition, initiator or target, FATAL together with
 * FULLY_RECOVERED, an unknown type, a sub-type that the type does not have.
 *
 * Source: LoPAR 10.3.2.1.9, 10.3.2.12.
 */
bool rtas_elog_mc_valid(const RtasMachineCheckLog *log, const char **why);

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
 * What is put into a copy of the template.  Values are taken as they are: see
 * rtas_elog_mc_valid() for which are good.
 */

/* rtas_elog_put_severity: WARNING .. ALREADY_REPORTED */
static inline void rtas_elog_put_severity(RtasElogMcLogBytes *out,
                                          RtasElogSeverity severity)
{
    out->fixed.severity_disposition &= ~RTAS_ELOG_SEVERITY_MASK;
    out->fixed.severity_disposition |= severity << RTAS_ELOG_SEVERITY_SHIFT;
}

/* rtas_elog_put_disposition: in the fixed part, in the head and in UH */
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
 * @transient: as in RtasMachineCheckLog
 * @ea: effective address, or NULL if it is not known
 * @ra: guest logical ("real") address, or NULL
 *
 * What @out does not say in the end: see rtas_elog_build_mc().
 */
static inline void rtas_elog_put_ue(RtasElogMcLogBytes *out, uint8_t subtype,
                                    bool transient, const uint64_t *ea,
                                    const uint64_t *ra)
{
    uint8_t sub_error_type = transient ? RTAS_MC_UE_TRANSIENT | subtype : 0;

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
 * @ea: effective address, or NULL if it is not known
 */
void rtas_elog_put_processor_error(RtasElogMcLogBytes *out, RtasMcType type,
                                   uint8_t subtype, const uint64_t *ea);

/**
 * rtas_elog_build_mc: build the log of a machine check that nobody has checked
 * @buf: where to, any alignment
 * @size: bytes at @buf
 * @log: the machine check
 *
 * Writes fixed part and extended log with PH, UH, PS and MC section, type 224
 * (platform error), big-endian.  Where @log says more than the format can:
 *  - a UE with effective but without logical address gets neither: Linux
 *    would look the page up itself, and poison page 0 if it cannot;
 *  - a permanent UE has sub-type 0;
 *  - other types have no logical address, caches and unknown no address;
 *  - a time that is no valid date and time is left out (it reads as 0).
 *
 * Linux (up to 6.12) queues a page for memory_failure() only if both
 * addresses are given and the effective address is not 0.
 *
 * Returns: the bytes written, RTAS_ELOG_MC_LOG_SIZE.  0, with nothing written,
 * if @size is too small or rtas_elog_mc_valid() refuses @log.
 *
 * Source: LoPAR 10.3.2.
 */
size_t rtas_elog_build_mc(void *buf, size_t size,
                          const RtasMachineCheckLog *log);

/**
 * rtas_elog_decode_header: read the fixed part of any log
 * @buf: the log, any alignment
 * @len: bytes at @buf
 * @header: result
 *
 * The extended length is 0 when no extended log is flagged.
 *
 * Returns: false if @len is less than the fixed part, or less than 4 bytes of
 * it if there is no extended log.  No value is checked.
 *
 * Source: LoPAR 10.3.2.1.9.
 */
bool rtas_elog_decode_header(const void *buf, size_t len,
                             RtasElogHeader *header);

/**
 * rtas_elog_walk: visit the sections of a log in order
 * @buf: the log with its fixed part, any alignment
 * @len: bytes at @buf, may be more than the log has
 * @fn: called for each section, may be NULL to count and check only
 * @opaque: for @fn
 * @why: if not NULL, set to a constant English sentence on failure
 *
 * Checks what is needed to walk safely: the lengths, version 6, the platform
 * event format, "IBM\0".  Order and content of sections are not checked.
 *
 * Returns: the number of sections visited, the one at which @fn ended the
 * walk included; -1 if the log is malformed.  @fn may have been called for
 * the sections before the malformed one.
 *
 * Source: LoPAR 10.3.2.2.
 */
int rtas_elog_walk(const void *buf, size_t len, RtasElogSectionFn *fn,
                   void *opaque, const char **why);

/**
 * rtas_elog_check: strict check of a version 6 log
 * @buf: the log with its fixed part, any alignment
 * @len: bytes at @buf, may be more than the log has
 * @why: if not NULL, set to a constant English sentence when refused
 *
 * Everything that LoPAR requires of a version 6 log and its PH, UH, PS and MC
 * sections, order and reserved fields included; and that a UE with effective
 * address has a logical address (Linux needs it).  Sections of other kinds
 * are only checked for length.
 *
 * Returns: true if the log is as it should be.  What rtas_elog_build_mc()
 * writes always is.  The log of stock QEMU is not: it has neither PH nor UH.
 *
 * Source: LoPAR 10.3.2.
 */
bool rtas_elog_check(const void *buf, size_t len, const char **why);

/**
 * rtas_elog_decode_mc: read the machine check from a log
 * @buf: the log with its fixed part, any alignment
 * @len: bytes at @buf, may be more than the log has
 * @log: result, all members set; unchanged on failure
 * @why: if not NULL, set to a constant English sentence on failure
 *
 * As lenient as an operating system: needs what rtas_elog_walk() needs and an
 * MC section of full length; PH may be missing (no time, PLID 0).  Values are
 * returned as found, also reserved ones.  Addresses whose flag is not set
 * are returned as 0.  The first section of a kind counts.
 *
 * Returns: false if there is no machine check in it.
 *
 * Source: LoPAR 10.3.2.12.
 */
bool rtas_elog_decode_mc(const void *buf, size_t len,
                         RtasMachineCheckLog *log, const char **why);

/**
 * Names for messages and traces, as LoPAR and Linux spell them.  Never NULL:
 * "reserved" for values that have no meaning.
 */
const char *rtas_elog_severity_name(RtasElogSeverity severity);
const char *rtas_elog_disposition_name(RtasElogDisposition disposition);
const char *rtas_elog_entity_name(RtasElogEntity entity);
const char *rtas_elog_type_name(RtasElogType type);
const char *rtas_mc_type_name(RtasMcType type);
const char *rtas_mc_subtype_name(RtasMcType type, uint8_t subtype);

#endif /* HW_PPC_RTAS_ELOG_H */
