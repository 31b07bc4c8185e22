/*
 * rasctl watch: one line a step, and alarms
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rasctl.h"

/* Addresses in the environment of a command; the rest is not named. */
#define MAX_ADDRESSES 256

typedef struct Watch {
    Link *link;
    Alarm *alarm;
    gboolean json;
    gboolean pause;
    char **command;
} Watch;

static char *address_list(GArray *addresses, const char *separator)
{
    GString *text = g_string_new(NULL);
    guint i;

    for (i = 0; i < MIN(addresses->len, MAX_ADDRESSES); i++) {
        g_string_append_printf(text, "%s0x%" G_GINT64_MODIFIER "x",
                               i ? separator : "",
                               g_array_index(addresses, guint64, i));
    }
    return g_string_free(text, FALSE);
}

static void print_line(gint64 time, const char *text)
{
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_local(
        time / G_USEC_PER_SEC);
    g_autofree char *stamp = moment ?
        g_date_time_format(moment, "%Y-%m-%d %H:%M:%S") : g_strdup("?");

    printf("%s.%06d %s\n", stamp, (int)(time % G_USEC_PER_SEC), text);
}

static void print_alarm(Watch *self, gint64 time, GArray *addresses)
{
    g_autofree char *list = address_list(addresses, ", ");
    g_autofree char *text = NULL;

    if (!self->json) {
        text = g_strdup_printf("alarm: %u page%s failed within %"
                               G_GUINT64_FORMAT " s: %s%s", addresses->len,
                               addresses->len == 1 ? "" : "s",
                               alarm_seconds(self->alarm), list,
                               addresses->len > MAX_ADDRESSES ? ", ..." : "");
        print_line(time, text);
    } else {
        printf("{\"alarm\": {\"pages\": %u, \"seconds\": %" G_GUINT64_FORMAT
               ", \"addresses\": [", addresses->len,
               alarm_seconds(self->alarm));
        for (guint i = 0; i < MIN(addresses->len, MAX_ADDRESSES); i++) {
            printf("%s%" G_GUINT64_FORMAT, i ? ", " : "",
                   g_array_index(addresses, guint64, i));
        }
        printf("]}}\n");
    }
    fflush(stdout);
}

/* Start the command and do not wait for it. */
static void run_command(Watch *self, GArray *addresses)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) environment = g_get_environ();
    g_autofree char *pages = g_strdup_printf("%u", addresses->len);
    g_autofree char *seconds = g_strdup_printf(
        "%" G_GUINT64_FORMAT, alarm_seconds(self->alarm));
    g_autofree char *list = address_list(addresses, " ");

    environment = g_environ_setenv(environment, "RASCTL_VM",
                                   self->link->name, TRUE);
    environment = g_environ_setenv(environment, "RASCTL_PAGES", pages, TRUE);
    environment = g_environ_setenv(environment, "RASCTL_SECONDS", seconds,
                                   TRUE);
    environment = g_environ_setenv(environment, "RASCTL_ADDRESSES", list,
                                   TRUE);
    if (!g_spawn_async(NULL, self->command, environment, G_SPAWN_SEARCH_PATH,
                       NULL, NULL, NULL, &error)) {
        fprintf(stderr, "rasctl: the command of the alarm: %s\n",
                error->message);
    }
}

static gboolean sound(Watch *self, gint64 time, GArray *addresses,
                      GError **errp)
{
    if (self->pause) {
        g_autoptr(JsonNode) node = link_run(self->link, QMP_STOP, NULL, errp);

        if (!node) {
            g_prefix_error(errp, "cannot pause the VM: ");
            return FALSE;
        }
    }
    print_alarm(self, time, addresses);
    if (self->command) {
        run_command(self, addresses);
    }
    return TRUE;
}

static void print_event(Watch *self, const Event *event)
{
    g_autofree char *text = event_text(event);

    if (text) {
        if (self->json) {
            puts(event->text);
        } else {
            print_line(event->time, text);
        }
        fflush(stdout);
    }
}

/* Look for trouble at the beginning, and say that watching has begun. */
static gboolean begin(Watch *self, GError **errp)
{
    g_autoptr(JsonObject) ras = link_query_ras(self->link, errp);
    g_autofree char *shown = printable(self->link->name);

    if (ras) {
        fprintf(stderr, "rasctl: watching %s\n", shown);
    }
    return ras != NULL;
}

int command_watch(int argc, char **argv, char **rest, GError **errp)
{
    gboolean once = FALSE;
    double seconds = 0;
    g_autofree char *text = NULL;
    Watch self = { NULL };
    const GOptionEntry entries[] = {
        { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json,
          "events as QEMU sends them, one a line", NULL },
        { "alarm", 'a', 0, G_OPTION_ARG_STRING, &text,
          "alarm when so many pages have failed", "'N pages in T'" },
        { "pause", 'p', 0, G_OPTION_ARG_NONE, &self.pause,
          "pause the VM at an alarm", NULL },
        { "once", '1', 0, G_OPTION_ARG_NONE, &once,
          "end after the first alarm", NULL },
        { "for", 'f', 0, G_OPTION_ARG_DOUBLE, &seconds,
          "end after this time", "SECONDS" },
        { NULL }
    };
    g_autoptr(Link) link = NULL;
    g_autoptr(Alarm) alarm = NULL;
    gint64 deadline;
    int status = RASCTL_OK;

    parse_options("[-- COMMAND...]", "Print a line for each step of each "
                  "error, until the VM ends. At an alarm, COMMAND is\n"
                  "run. The exit status is 1 if there was an alarm.",
                  entries, &argc, &argv);
    if (argc > 1) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "watch takes options only; a command for --alarm comes "
                    "after \"--\"");
        return 0;
    }
    if (!text && (self.pause || once || rest)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "--pause, --once and a command need --alarm");
        return 0;
    }
    if (rest && !*rest) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "there is no command after \"--\"");
        return 0;
    }
    if (seconds < 0 || seconds > G_MAXINT32) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "--for is a number of seconds");
        return 0;
    }
    if (text) {
        alarm = alarm_new(text, errp);
        if (!alarm) {
            return 0;
        }
    }
    link = connect_vm(TRUE, errp);
    if (!link) {
        return 0;
    }
    self.link = link;
    self.alarm = alarm;
    self.command = rest;
    if (!begin(&self, errp)) {
        return 0;
    }
    deadline = seconds ?
        g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC) :
        G_MAXINT64;
    for (;;) {
        g_autoptr(Event) event = link_next_event(link, deadline, errp);
        g_autoptr(GArray) addresses = NULL;

        if (!event) {
            break;
        }
        print_event(&self, event);
        addresses = alarm ? alarm_event(alarm, event) : NULL;
        if (addresses) {
            status = RASCTL_BAD;
            if (!sound(&self, event->time, addresses, errp) || once) {
                break;
            }
        }
    }
    return status;
}
