/*
 * A reader of RTAS error logs, as a Linux guest and its userland read them
 *
 * The second opinion for tests of hw/ppc/rtas_elog.c: it is written from LoPAR
 * 2.9 section 10.3.2, from the behaviour of Linux 6.12 (arch/powerpc/platforms
 * /pseries/ras.c, kernel/rtas.c, kernel/mce.c) and of librtas, shares no code
 * with the encoder, and reads every field byte by byte.
 *
 * Four questions, four calls: can Linux walk these bytes (rtas_read), does
 * LoPAR allow them (rtas_read_strict), would librtas find its way through them
 * (rtas_read_librtas), and what would the guest do (rtas_guest_take).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_RTAS_READER_H
#define TESTS_UNIT_RTAS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

/* RTAS_ERROR_LOG_MAX: Linux copies no more, the fixed part included */
#define RTAS_READ_MAX 2048

/* More sections, of 8 bytes at least, are not in a log */
#define RTAS_READ_SECTIONS 256

/* Two ASCII characters, in the order in which they are in memory */
#define RTAS_READ_ID(a, b) ((a) << 8 | (b))

/* Head of a section, LoPAR table 10.17 */
typedef struct RtasReadSection {
    size_t offset;              /* from the start of the fixed part */
    uint16_t id;
    uint16_t length;            /* head included */
    uint8_t version;
    uint8_t subtype;
    uint16_t creator_component;
} RtasReadSection;

/* Private header */
typedef struct RtasReadPh {
    uint32_t date;              /* BCD YYYYMMDD */
    uint32_t time;              /* BCD HHMMSS00 */
    char creator_id;
    uint8_t section_count;
    uint32_t plid;
    uint32_t log_entry_id;
} RtasReadPh;

/* User header */
typedef struct RtasReadUh {
    uint8_t subsystem_id;
    uint8_t event_data;
    uint8_t event_severity;
    uint8_t event_subtype;
    uint16_t action_flags;
} RtasReadUh;

/* Primary SRC */
typedef struct RtasReadPs {
    uint8_t src_version;
    uint8_t flags;
    uint32_t word[10];          /* [2] to [9]: extended reference code */
    char primary_reference_code[33];    /* NUL added */
} RtasReadPs;

/* Machine check */
typedef struct RtasReadMc {
    uint32_t fru_id;
    uint32_t processor_id;
    uint8_t error_type;
    uint8_t sub_error_type;
    uint64_t effective_address;
    uint64_t logical_address;
} RtasReadMc;

typedef struct RtasReading {
    /* fixed part */
    uint8_t version;
    uint8_t severity;
    uint8_t disposition;
    bool extended;
    uint8_t reserved;           /* bits 14:15 */
    uint8_t initiator;
    uint8_t target;
    uint8_t type;
    uint32_t extended_length;   /* as found, whether or not it is flagged */

    /* head of the extended log */
    uint8_t ext_flags;          /* byte 0 */
    uint8_t ext_format;         /* byte 2 */

    size_t n_sections;
    RtasReadSection sections[RTAS_READ_SECTIONS];

    bool has_ph, has_uh, has_ps, has_mc;    /* complete; the first of a kind */
    RtasReadPh ph;
    RtasReadUh uh;
    RtasReadPs ps;
    RtasReadMc mc;

    size_t length;              /* fixed part and extended log */
    uint8_t bytes[RTAS_READ_MAX];
} RtasReading;

/* Where the machine check hit, and what the guest is like */
typedef struct RtasGuest {
    bool user_mode;
    bool ri;                    /* MSR[RI] was set */
    bool fixup;                 /* NIP is in the kernel's exception table */
    uint64_t nip;
    unsigned page_shift;
    bool walk_ok;               /* the guest's own page table translates EA */
    uint64_t walk_address;      /* to this, page aligned */
} RtasGuest;

/* What Linux makes of it */
typedef struct RtasGuestAction {
    /* the "MCE:" lines */
    const char *severity;       /* "Harmless", "Warning", "Severe", "Fatal" */
    const char *type;           /* "UE", "SLB" ... "Unknown" */
    const char *subtype;        /* "Load/Store" ...; "" if type is Unknown */
    const char *initiator;
    bool has_address;           /* an effective address that is not 0 */
    uint64_t address;
    uint64_t physical_address;  /* what "paddr:" shows, 0: nothing */
    bool synchronous;
    bool recovered;             /* after what the guest did itself */
    bool degraded;              /* "limited recovery, system may be degraded" */
    bool ignored;               /* fixup: no lines, no memory_failure() */

    /* what follows */
    bool memory_failure;
    uint64_t pfn;
    bool pfn_is_a_guess;        /* no logical address: own walk, or page 0 */
    bool sigbus;                /* BUS_MCEERR_AR, si_addr is the NIP */
    bool die;                   /* Oops or panic */
} RtasGuestAction;

/*
 * Read the log at @buf: the fixed part and what follows it, @len readable
 * bytes. Returns false and appends the reason to @why if there is nothing a
 * machine check handler could use, or if Linux would loop for ever or leave
 * its copy of the log. A log without extended part or without MC section is
 * none of that; look at has_mc.
 */
bool rtas_read(const uint8_t *buf, size_t len, RtasReading *out, GString *why);

/*
 * The rules of LoPAR, for a reading that rtas_read() accepted. Every broken
 * rule is appended to @why. Of the sections that a type of event requires, only
 * PS for platform errors (224) is asked for.
 */
bool rtas_read_strict(const RtasReading *r, GString *why);

/*
 * Would librtas, which takes the first two sections for PH and UH whatever
 * they are and knows the size of PS by heart, arrive at the end of the log
 * with the same sections as those that are there?
 */
bool rtas_read_librtas(const RtasReading *r, GString *why);

/* A guest in user mode, 4 KiB pages, with nothing special */
void rtas_guest_init(RtasGuest *guest);
void rtas_guest_take(const RtasGuest *guest, const RtasReading *r,
                     RtasGuestAction *action);

/*
 * The lines that Linux prints in user mode on CPU @cpu, without log level and
 * without the task: "PID: %d Comm: %s" is left out. Nothing if ignored.
 */
void rtas_guest_print(const RtasGuest *guest, const RtasGuestAction *action,
                      unsigned cpu, GString *out);

#endif /* TESTS_UNIT_RTAS_READER_H */
