/*
 * rasctl: look after the guest RAS of a running VM
 *
 * main.c has the command line, a file each command. A command talks to a
 * Link: one VM, by the socket of its QMP monitor (socket.c) or by libvirt
 * (libvirt.c).
 *
 * Functions that can fail set a GError of domain RASCTL_ERROR, whose code is
 * the exit status that it leads to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RASCTL_H
#define RASCTL_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "names.h"

/* Exit statuses; the manual page promises them. */
enum {
    RASCTL_OK = 0,
    RASCTL_BAD = 1,         /* there are errors, or there was an alarm */
    RASCTL_USAGE = 2,
    RASCTL_CONNECT = 3,     /* the VM cannot be reached */
    RASCTL_REFUSED = 4,     /* QEMU, or the guest, says no */
    RASCTL_GONE = 5,        /* the connection broke, or makes no sense */
};

#define RASCTL_ERROR rasctl_error_quark()
GQuark rasctl_error_quark(void);

/* json.c */

/* Text that others sent, as one JSON object; NULL and @errp if it is none. */
JsonObject *json_parse_object(const char *text, GError **errp);
/* Compact text. Numbers are unsigned: no member that rasctl uses is less. */
char *json_text(JsonNode *node);
/* Members of an object; if it has no such member, 0, FALSE, NULL. */
gboolean json_has_number(JsonObject *object, const char *name);
guint64 json_number(JsonObject *object, const char *name);
gboolean json_flag(JsonObject *object, const char *name);
const char *json_word(JsonObject *object, const char *name);
JsonObject *json_object(JsonObject *object, const char *name);
/* Never NULL: a list of its own if there is none. Unref it. */
JsonArray *json_list(JsonObject *object, const char *name);
/* The objects in a list; others are left out. Free the list only. */
GList *json_objects(JsonArray *array);
/* A string for a terminal: nothing but printable characters. */
char *printable(const char *text);

/* link.c */

typedef struct Event {
    char *name;
    gint64 time;            /* us since 1970, by the clock of QEMU's host */
    JsonObject *data;       /* NULL if it has none */
    char *text;             /* the whole event, as JSON */
} Event;

void event_free(Event *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Event, event_free)

typedef struct Link Link;
struct Link {
    /* Carry out a request, which has no id, and return the whole reply. */
    JsonObject *(*request)(Link *link, const char *request, GError **errp);
    /* The same for the guest agent; NULL if there is none. */
    JsonObject *(*agent)(Link *link, const char *request, GError **errp);
    /*
     * Add the events that have arrived to @events, waiting for the first
     * until @deadline (monotonic time) if there is none. FALSE at an error.
     */
    gboolean (*wait)(Link *link, gint64 deadline, GError **errp);
    void (*close)(Link *link);

    GQueue events;
    gboolean vm_ended;      /* there will be no more events, and no answers */
    char *name;             /* for messages */
    gint64 timeout;         /* for an answer, in us */
};

/* What a link is opened with. */
typedef struct LinkOptions {
    char *socket;           /* QMP; or else: */
    char *domain;           /* libvirt */
    char *uri;              /* of libvirt; NULL for its default */
    char *agent;            /* socket of the guest agent, or NULL */
    gint64 timeout;         /* us */
    gboolean events;        /* wait() is going to be used */
} LinkOptions;

Link *link_open(const LinkOptions *options, GError **errp);
void link_free(Link *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Link, link_free)

/*
 * Run a QMP command; @arguments (consumed) may be NULL. Returns what it
 * returns, or NULL and @errp, with QEMU's text.
 */
JsonNode *link_run(Link *link, const char *command, JsonObject *arguments,
                   GError **errp);
/* The same; what the command returns must be an object. */
JsonObject *link_query(Link *link, const char *command,
                       JsonObject *arguments, GError **errp);
/* The same; what the command returns must be a list. */
JsonArray *link_query_list(Link *link, const char *command, GError **errp);
/* Run a command of the human monitor, on a vCPU or (-1) any; its output. */
char *link_hmp(Link *link, const char *line, int vcpu, GError **errp);
/* Run a command of the guest agent. */
JsonNode *link_agent(Link *link, const char *command, JsonObject *arguments,
                     GError **errp);
/*
 * The next event, or NULL: with @errp at an error, without at the deadline or
 * at the end of the VM.
 */
Event *link_next_event(Link *link, gint64 deadline, GError **errp);
/* To be called by wait() and request(). @data may be NULL. */
void link_add_event(Link *link, const char *name, gint64 time,
                    JsonObject *data, const char *text);
/* query-ras, and what its members have to be. */
JsonObject *link_query_ras(Link *link, GError **errp);

/* socket.c, libvirt.c */
Link *socket_link_open(const LinkOptions *options, GError **errp);
Link *libvirt_link_open(const LinkOptions *options, GError **errp);
/* Carry out a request to the agent at a socket. */
JsonObject *agent_request(const char *path, gint64 timeout,
                          const char *request, GError **errp);

/* memory.c */

typedef struct BadRange {
    guint64 address;
    guint64 length;
    gboolean host;          /* failed on the host, or else poisoned */
    const char *severity;   /* NULL if not known */
    char *block;            /* RAM block; NULL if not known */
    int node;               /* NUMA node; -1 if not known, or there is none */
} BadRange;

/* The bad memory that query-ras shows, cut where block or node changes. */
GPtrArray *bad_memory(Link *link, JsonObject *ras);

/* events.c */

/* An error of RAS_ERROR or query-ras, in one line. */
char *error_text(JsonObject *error);
/* An event in one line; NULL if it is none that has to do with errors. */
char *event_text(const Event *event);

/* alarm.c: N pages failed within T */

typedef struct Alarm Alarm;
/* "N pages in T", T as 30s, 5m, 2h or 1d. */
Alarm *alarm_new(const char *text, GError **errp);
void alarm_free(Alarm *alarm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Alarm, alarm_free)
/*
 * Take note of an event. If there is an alarm, the addresses of its pages
 * (guint64), and counting begins again; NULL otherwise.
 */
GArray *alarm_event(Alarm *alarm, const Event *event);
guint64 alarm_seconds(const Alarm *alarm);

/* main.c, for commands */

/* Read the command's options; those of the connection are added. */
void parse_options(const char *usage, const char *summary,
                   const GOptionEntry *entries, int *argc, char ***argv);
/* Connect as the command line says. */
Link *connect_vm(gboolean events, GError **errp);
/* A number, decimal or 0x..., with K, M, G, T (powers of 1024). */
gboolean parse_number(const char *text, const char *what, guint64 *number,
                      GError **errp);
/* How this VM was named on the command line, to be pasted. */
char *connection_words(void);
/* The domain, or NULL. */
const char *domain_name(void);

/* A command; argv[0] is its name, @rest what came after "--", or NULL. */
typedef int (*Command)(int argc, char **argv, char **rest, GError **errp);
int command_status(int argc, char **argv, char **rest, GError **errp);
int command_watch(int argc, char **argv, char **rest, GError **errp);
int command_inject(int argc, char **argv, char **rest, GError **errp);
int command_unpoison(int argc, char **argv, char **rest, GError **errp);
int command_where(int argc, char **argv, char **rest, GError **errp);

#endif
