/*
 * rasctl: names of QMP
 *
 * Those of qapi/ras.json, which may still change, are all here and in names.c.
 * Of other schemas, commands and events are here; members are where they are
 * used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RASCTL_NAMES_H
#define RASCTL_NAMES_H

#include <glib.h>

/* qapi/ras.json: commands */
#define QMP_QUERY_RAS           "query-ras"
#define QMP_RAS_INJECT          "ras-inject"
#define QMP_RAS_UNPOISON        "ras-unpoison"

/* qapi/ras.json: events */
#define EVENT_RAS_ERROR         "RAS_ERROR"
#define EVENT_RAS_POISON_ACCESS "RAS_POISON_ACCESS"
/* All events whose names begin like this are of guest RAS. */
#define EVENT_RAS_PREFIX        "RAS_"

/* qapi/ras.json: members of what query-ras returns */
#define RAS_SOURCES             "sources"
#define RAS_QUEUE               "queue"
#define RAS_PARKED              "parked"
#define RAS_CHECK_STOP          "check-stop"
#define RAS_SERRORS             "serrors"
#define RAS_POISONED            "poisoned"
#define RAS_HOST_POISONED       "host-poisoned"
#define RAS_COUNTERS            "counters"

#define SOURCE_NAME             "name"
#define SOURCE_SYNCHRONOUS      "synchronous"
#define SOURCE_READY            "ready"
#define SOURCE_OUTSTANDING      "outstanding"

#define CHECK_STOP_ID           "id"
#define CHECK_STOP_REASON       "reason"

#define SERROR_VCPU             "vcpu"
#define SERROR_SYNDROME         "syndrome"

/* qapi/ras.json: members of an error, a range, an injection */
#define ERROR_OBJECT            "error"
#define ERROR_ID                "id"
#define ERROR_STATE             "state"
#define ERROR_CLASS             "class"
#define ERROR_SEVERITY          "severity"
#define ERROR_ORIGIN            "origin"
#define ERROR_ACCESS            "access"
#define ERROR_VCPU              "vcpu"
#define ERROR_ADDRESS           "address"
#define ERROR_LENGTH            "length"
#define ERROR_VIRTUAL_ADDRESS   "virtual-address"
#define ERROR_DELIVERY          "delivery"

#define RANGE_ADDRESS           "address"
#define RANGE_LENGTH            "length"
#define RANGE_SEVERITY          "severity"

#define POISON_ACCESS_ADDRESS   "address"
#define POISON_ACCESS_WRITE     "write"
#define POISON_ACCESS_COUNT     "count"

#define INJECT_KIND             "kind"
#define INJECT_ID               "id"
#define CPER_DATA               "data"

/* qapi/ras.json: values */
#define STATE_ACCEPTED          "accepted"
#define CLASS_MEMORY            "memory"
#define SEVERITY_CORRECTED      "corrected"
#define ACCESS_UNKNOWN          "unknown"

/* Other schemas of QEMU */
#define QMP_CAPABILITIES        "qmp_capabilities"
#define QMP_HMP                 "human-monitor-command"
#define HMP_COMMAND_LINE        "command-line"
#define HMP_CPU_INDEX           "cpu-index"
#define QMP_QUERY_STATUS        "query-status"
#define QMP_QUERY_NAME          "query-name"
#define QMP_QUERY_MEMDEV        "query-memdev"
#define QMP_QUERY_MEMORY        "query-memory-devices"
#define QMP_STOP                "stop"
#define QMP_CONT                "cont"

#define EVENT_MEMORY_FAILURE    "MEMORY_FAILURE"
#define EVENT_GUEST_PANICKED    "GUEST_PANICKED"
#define EVENT_RESET             "RESET"
#define EVENT_STOP              "STOP"
#define EVENT_RESUME            "RESUME"
#define EVENT_SHUTDOWN          "SHUTDOWN"

/* The guest agent */
#define AGENT_SYNC              "guest-sync-delimited"
#define AGENT_OPEN              "guest-file-open"
#define AGENT_SEEK              "guest-file-seek"
#define AGENT_READ              "guest-file-read"
#define AGENT_CLOSE             "guest-file-close"

/* Errors are counted in pages of this size, whatever the guest uses. */
#define RAS_PAGE                G_GUINT64_CONSTANT(4096)

typedef enum {
    MEMBER_NUMBER,      /* decimal or 0x..., with K, M, G, T */
    MEMBER_FLAG,
    MEMBER_WORD,        /* one of @words, which QEMU checks */
    MEMBER_WORDS,       /* some of @words, separated by commas */
    MEMBER_TEXT,
} MemberType;

/* A member of an injection; on the command line it is --name. */
typedef struct Member {
    const char *name;
    MemberType type;
    const char *words;
    const char *help;
} Member;

/* A kind of injection. */
typedef struct Kind {
    const char *name;
    /* The member that is given without its name, or NULL. */
    const char *positional;
    const char *help;
    /* Members that have a value if none is given, as name=value. */
    const char *defaults;
    const Member *members;
} Kind;

/* All kinds; ends with one without name. */
extern const Kind kinds[];

/* A counter of query-ras, and its name as a metric. */
typedef struct Counter {
    const char *name;
    const char *metric;
    const char *help;
    gboolean gauge;
} Counter;

/* All counters; ends with one without name. */
extern const Counter counters[];

#endif
