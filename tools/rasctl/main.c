/*
 * rasctl: command line
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rasctl.h"

static LinkOptions connection;
static double seconds = 10;

static const GOptionEntry connection_entries[] = {
    { "qmp", 'q', 0, G_OPTION_ARG_FILENAME, &connection.socket,
      "socket of the VM's QMP monitor", "SOCKET" },
    { "domain", 'd', 0, G_OPTION_ARG_STRING, &connection.domain,
      "name of the VM in libvirt", "DOMAIN" },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &connection.uri,
      "which libvirt, as virsh -c", "URI" },
    { "agent", 'g', 0, G_OPTION_ARG_FILENAME, &connection.agent,
      "socket of the guest agent, with -q", "SOCKET" },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &seconds,
      "how long to wait for an answer (10)", "SECONDS" },
    { NULL }
};

static const struct {
    const char *name;
    Command run;
    const char *help;
} commands[] = {
    { "status", command_status, "sources, counters, bad pages" },
    { "watch", command_watch, "a line for each step of each error; alarms" },
    { "inject", command_inject, "inject an error" },
    { "unpoison", command_unpoison, "make poisoned pages good again" },
    { "where", command_where,
      "guest physical address of a page of a process" },
};

GQuark rasctl_error_quark(void)
{
    return g_quark_from_static_string("rasctl-error");
}

static G_GNUC_NORETURN void usage(const char *text)
{
    fprintf(stderr, "rasctl: %s\n", text);
    exit(RASCTL_USAGE);
}

static void parse(GOptionContext *context, int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;

    if (!g_option_context_parse(context, argc, argv, &error)) {
        usage(error->message);
    }
}

void parse_options(const char *parameters, const char *summary,
                   const GOptionEntry *entries, int *argc, char ***argv)
{
    g_autofree char *name = g_strdup_printf("rasctl %s", (*argv)[0]);
    g_autoptr(GOptionContext) context = g_option_context_new(parameters);
    GOptionGroup *group = g_option_group_new(
        "connection", "Connection:", "Show how to name the VM", NULL, NULL);

    /* For "Usage:" of --help. */
    g_set_prgname(name);
    g_option_context_set_summary(context, summary);
    if (entries) {
        g_option_context_add_main_entries(context, entries, NULL);
    }
    g_option_group_add_entries(group, connection_entries);
    g_option_context_add_group(context, group);
    parse(context, argc, argv);
}

gboolean parse_number(const char *text, const char *what, guint64 *number,
                      GError **errp)
{
    static const char units[] = "KMGT";
    gboolean hex = g_str_has_prefix(text, "0x");
    const char *unit = NULL;
    char *end;

    errno = 0;
    *number = g_ascii_strtoull(hex ? text + 2 : text, &end, hex ? 16 : 10);
    if (*end) {
        unit = strchr(units, *end);
        end += !!unit;
    }
    if (errno || *end || !g_ascii_isxdigit(text[hex ? 2 : 0]) ||
        (unit && *number > G_MAXUINT64 >> (10 * (unit - units + 1)))) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "%s: '%s' is no number; a right one is 4096, 0x1000 or "
                    "4K", what, text);
        return FALSE;
    }
    if (unit) {
        *number <<= 10 * (unit - units + 1);
    }
    return TRUE;
}

Link *connect_vm(gboolean events, GError **errp)
{
    if (!connection.socket == !connection.domain) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "which VM? Give either -q SOCKET (of QMP) or -d DOMAIN "
                    "(of libvirt)");
        return NULL;
    }
    if (connection.domain && connection.agent) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "with -d, libvirt talks to the guest agent; leave out "
                    "-g");
        return NULL;
    }
    if (!(seconds > 0 && seconds <= 86400)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "--timeout is a number of seconds, up to 86400");
        return NULL;
    }
    connection.timeout = seconds * G_USEC_PER_SEC;
    connection.events = events;
    return link_open(&connection, errp);
}

char *connection_words(void)
{
    const char *name = connection.socket ?: connection.domain;
    g_autofree char *quoted = g_shell_quote(name ?: "");
    gboolean plain = name && *name && !name[strspn(name,
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "/._-+:@%")];

    return g_strdup_printf("%s %s", connection.socket ? "-q" : "-d",
                           plain ? name : quoted);
}

const char *domain_name(void)
{
    return connection.domain;
}

static char *command_list(void)
{
    GString *text = g_string_new("Commands:\n");
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_string_append_printf(text, "  %-10s %s\n", commands[i].name,
                               commands[i].help);
    }
    g_string_append(text,
                    "\n\"rasctl COMMAND --help\" shows the options of one.\n\n"
                    "Exit status: 0 well; 1 there are errors, or there was "
                    "an alarm; 2 wrong usage;\n3 no connection; 4 refused by "
                    "QEMU or the guest; 5 the connection broke.");
    return g_string_free(text, FALSE);
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = NULL;
    g_autofree char *list = command_list();
    g_autofree char **owned = NULL;
    g_autoptr(GError) error = NULL;
    char **rest = NULL;
    gsize i;
    int status;

    setlocale(LC_ALL, "");
    /* What comes after "--" is a command of its own. */
    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            rest = argv + i + 1;
            argv[i] = NULL;
            argc = i;
        }
    }
    owned = g_memdup2(argv, (argc + 1) * sizeof(*argv));
    argv = owned;
    context = g_option_context_new("COMMAND ...");
    g_option_context_set_summary(context,
                                 "Look after the guest RAS of a VM.");
    g_option_context_set_description(context, list);
    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_add_main_entries(context, connection_entries, NULL);
    parse(context, &argc, &argv);
    if (argc < 2) {
        usage("which command? \"rasctl --help\" lists them");
    }
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (!strcmp(argv[1], commands[i].name)) {
            break;
        }
    }
    if (i == G_N_ELEMENTS(commands)) {
        g_autofree char *text = g_strdup_printf(
            "there is no command '%s'; \"rasctl --help\" lists them",
            argv[1]);

        usage(text);
    }
    if (rest && commands[i].run != command_watch) {
        usage("\"--\" is only for the command of \"watch --alarm\"");
    }
    status = commands[i].run(argc - 1, argv + 1, rest, &error);
    if (error) {
        fprintf(stderr, "rasctl: %s\n", error->message);
        return error->domain == RASCTL_ERROR ? error->code : RASCTL_GONE;
    }
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "rasctl: cannot write: %s\n", strerror(errno));
        return RASCTL_GONE;
    }
    return status;
}
