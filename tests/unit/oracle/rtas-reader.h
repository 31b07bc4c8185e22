/*
 * A reader of RTAS error logs, as a Linux guest and its userland read them
 *
 * The second opinion for tests of hw/ppc/rtas_elog.c: it is written from LoPAR
 * 2.9 section 10.3.2, from the behaviour of Linux 6.12 (arch/powerpc/platforms
 * /pseries/ras.c, kernel/rtas.c, kernel/mce.c) and of librtas, shares no code
 * with the encoder, and reads every field byte by byte.  It knows what the log
 * of a machine check can have, and nothing more.
 *
 * Two questions, two calls: can Linux walk these bytes (rtas_read), and does
 * LoPAR allow them (rtas_read_strict)?  What is allowed, librtas reads, too: it
 * knows these four sections in this order, and the size of PS by heart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_RTAS_READER_H
#define TESTS_UNIT_RTAS_READER_H

/* RTAS_ERROR_LOG_MAX: Linux copies no more, the fixed part included */
#define RTAS_READ_MAX 2048

#define RTAS_READ_SECTIONS 8

/* Two ASCII characters, in the order in which they are in memory */
#define RTAS_READ_ID(a, b) ((a) << 8 | (b))

/* Head of a section, LoPAR table 10.17 */
typedef struct RtasReadSection {
    size_t offset;              /* from the start of the fixed part */
    uint16_t id;
    uint16_t length;            /* head included */
} RtasReadSection;

/* Machine check */
typedef struct RtasReadMc {
    uint32_t fru_id;
    uint32_t processor_id;
    uint8_t error_type;
    uint8_t sub_error_type;     /* the byte, and what is in it: */
    uint8_t subtype;
    bool transient;             /* of a UE */
    bool ea_valid, ra_valid;
    uint64_t effective_address;
    uint64_t logical_address;
} RtasReadMc;

typedef struct RtasReading {
    /* fixed part */
    uint8_t version;
    uint8_t severity;
    uint8_t disposition;
    uint8_t initiator;
    uint8_t target;
    uint8_t type;
    uint32_t extended_length;

    /* head of the extended log */
    uint8_t ext_flags;          /* byte 0 */
    uint8_t ext_format;         /* byte 2 */

    size_t n_sections;
    RtasReadSection sections[RTAS_READ_SECTIONS];

    /* private header, user header, machine check */
    uint32_t plid;
    uint8_t subsystem_id;
    uint8_t event_severity;
    RtasReadMc mc;

    size_t length;              /* fixed part and extended log */
    uint8_t bytes[RTAS_READ_MAX];
} RtasReading;

/*
 * Read the log at @buf: the fixed part and what follows it, @len readable
 * bytes. Returns false and appends the reason to @why if there is nothing a
 * machine check handler could use, or if Linux would loop for ever or leave
 * its copy of the log.
 */
bool rtas_read(const uint8_t *buf, size_t len, RtasReading *out, GString *why);

/*
 * The rules of LoPAR, and no byte set that nothing is known for: for a reading
 * that rtas_read() accepted. Every broken rule is appended to @why.
 */
bool rtas_read_strict(const RtasReading *r, GString *why);

#endif /* TESTS_UNIT_RTAS_READER_H */
