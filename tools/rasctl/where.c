/*
 * rasctl where: the guest physical address behind a virtual one
 *
 * Of a process, the guest's kernel says it in /proc/PID/pagemap, which the
 * guest agent reads. Of what a vCPU has mapped now, QEMU says it (gva2gpa).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>

#include "rasctl.h"

#define AT_PAGESZ 6

/* Linux, Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (G_GUINT64_CONSTANT(1) << 63)
#define PAGEMAP_SWAPPED (G_GUINT64_CONSTANT(1) << 62)
#define PAGEMAP_PFN     ((G_GUINT64_CONSTANT(1) << 55) - 1)

/* Up to @size bytes at @offset of a file of the guest; how many, or -1. */
static gssize read_open_file(Link *link, gint64 handle, guint64 offset,
                             guchar *buffer, gsize size, GError **errp)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) sought = NULL;
    g_autoptr(JsonNode) got = NULL;
    const char *text;
    g_autofree guchar *data = NULL;
    gsize length;

    json_object_set_int_member(arguments, "handle", handle);
    json_object_set_int_member(arguments, "offset", offset);
    json_object_set_string_member(arguments, "whence", "set");
    sought = link_agent(link, AGENT_SEEK, arguments, errp);
    if (!sought) {
        return -1;
    }
    arguments = json_object_new();
    json_object_set_int_member(arguments, "handle", handle);
    json_object_set_int_member(arguments, "count", size);
    got = link_agent(link, AGENT_READ, arguments, errp);
    if (!got) {
        return -1;
    }
    text = JSON_NODE_HOLDS_OBJECT(got) ?
        json_word(json_node_get_object(got), "buf-b64") : NULL;
    data = text ? g_base64_decode(text, &length) : NULL;
    if (!data || length > size) {
        g_set_error_literal(errp, RASCTL_ERROR, RASCTL_GONE,
                            "what the guest agent has read makes no sense");
        return -1;
    }
    memcpy(buffer, data, length);
    return length;
}

static gssize read_file(Link *link, const char *path, guint64 offset,
                        guchar *buffer, gsize size, GError **errp)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) handle = NULL;
    g_autoptr(JsonNode) closed = NULL;
    gssize got;

    json_object_set_string_member(arguments, "path", path);
    json_object_set_string_member(arguments, "mode", "r");
    handle = link_agent(link, AGENT_OPEN, arguments, errp);
    if (!handle) {
        g_prefix_error(errp, "%s in the guest: ", path);
        return -1;
    }
    if (!JSON_NODE_HOLDS_VALUE(handle)) {
        g_set_error_literal(errp, RASCTL_ERROR, RASCTL_GONE,
                            "the guest agent returns no handle");
        return -1;
    }
    got = read_open_file(link, json_node_get_int(handle), offset, buffer,
                         size, errp);
    arguments = json_object_new();
    json_object_set_int_member(arguments, "handle",
                               json_node_get_int(handle));
    closed = link_agent(link, AGENT_CLOSE, arguments, NULL);
    return got;
}

static guint64 word(const guchar *bytes, gsize size, gboolean big)
{
    guint64 number = 0;
    gsize i;

    for (i = 0; i < size; i++) {
        number |= (guint64)bytes[big ? size - 1 - i : i] << (8 * i);
    }
    return number;
}

/* Page size of the guest's kernel, and byte order, by an auxiliary vector. */
static guint64 page_size(const guchar *auxv, gsize length, gboolean *big)
{
    gsize size, i;

    for (size = 8; size >= 4; size -= 4) {
        for (*big = FALSE; *big <= TRUE; ++*big) {
            for (i = 0; i + 2 * size <= length; i += 2 * size) {
                guint64 page = word(auxv + i + size, size, *big);

                if (word(auxv + i, size, *big) == AT_PAGESZ &&
                    page >= 4096 && page <= 1 << 20 &&
                    !(page & (page - 1))) {
                    return page;
                }
            }
        }
    }
    return 0;
}

static gboolean in_process(Link *link, guint64 pid, guint64 address,
                           guint64 *physical, GError **errp)
{
    g_autofree char *map = g_strdup_printf(
        "/proc/%" G_GUINT64_FORMAT "/pagemap", pid);
    guchar auxv[1024], bytes[8];
    gboolean big;
    guint64 page, entry;
    gssize got = read_file(link, "/proc/self/auxv", 0, auxv, sizeof(auxv),
                           errp);

    if (got < 0) {
        return FALSE;
    }
    page = page_size(auxv, got, &big);
    if (!page) {
        g_set_error_literal(errp, RASCTL_ERROR, RASCTL_REFUSED,
                            "the guest does not say how large its pages are; "
                            "is it Linux?");
        return FALSE;
    }
    got = read_file(link, map, address / page * 8, bytes, sizeof(bytes),
                    errp);
    if (got < 0) {
        return FALSE;
    }
    entry = got == sizeof(bytes) ? word(bytes, sizeof(bytes), big) : 0;
    if (!(entry & PAGEMAP_PRESENT)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_REFUSED,
                    "process %" G_GUINT64_FORMAT " has no memory at 0x%"
                    G_GINT64_MODIFIER "x: %s", pid, address,
                    entry & PAGEMAP_SWAPPED ? "the page is swapped out, or "
                    "the guest has taken it out of use" :
                    "it has never touched the page, or has none there");
        return FALSE;
    }
    if (!(entry & PAGEMAP_PFN)) {
        g_set_error_literal(errp, RASCTL_ERROR, RASCTL_REFUSED,
                            "the guest's kernel does not tell its agent "
                            "where pages are; the agent has to run as root, "
                            "with CAP_SYS_ADMIN");
        return FALSE;
    }
    *physical = (entry & PAGEMAP_PFN) * page + address % page;
    return TRUE;
}

static gboolean translate(Link *link, int vcpu, guint64 address,
                          guint64 *physical, GError **errp)
{
    g_autofree char *line = g_strdup_printf(
        "gva2gpa 0x%" G_GINT64_MODIFIER "x", address);
    g_autofree char *text = link_hmp(link, line, vcpu, errp);
    g_autofree char *shown = NULL;

    if (!text) {
        return FALSE;
    }
    if (sscanf(text, "gpa: %" G_GINT64_MODIFIER "x", physical) == 1) {
        return TRUE;
    }
    shown = printable(g_strchomp(text));
    g_set_error(errp, RASCTL_ERROR, RASCTL_REFUSED,
                "vCPU %d has no memory at 0x%" G_GINT64_MODIFIER "x now "
                "(%s); is another process running on it?", vcpu, address,
                shown);
    return FALSE;
}

/* With the VM stopped, so that the same process runs all the time. */
static gboolean on_vcpu(Link *link, int vcpu, guint64 address,
                        guint64 *physical, GError **errp)
{
    g_autoptr(JsonObject) state = link_query(link, QMP_QUERY_STATUS, NULL,
                                             errp);
    g_autoptr(JsonNode) stopped = NULL;
    g_autoptr(JsonNode) resumed = NULL;
    gboolean running = json_flag(state, "running");
    gboolean good;

    if (!state) {
        return FALSE;
    }
    if (running) {
        stopped = link_run(link, QMP_STOP, NULL, errp);
        if (!stopped) {
            return FALSE;
        }
    }
    good = translate(link, vcpu, address, physical, errp);
    if (running) {
        resumed = link_run(link, QMP_CONT, NULL, good ? errp : NULL);
        good = good && resumed;
    }
    return good;
}

int command_where(int argc, char **argv, char **rest, GError **errp)
{
    int vcpu = -1;
    gboolean page = FALSE, json = FALSE, good;
    const GOptionEntry entries[] = {
        { "vcpu", 'v', 0, G_OPTION_ARG_INT, &vcpu,
          "of what this vCPU has mapped now, instead of PID", "N" },
        { "page", 'p', 0, G_OPTION_ARG_NONE, &page,
          "where its page of 4096 bytes begins", NULL },
        { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "as one line of JSON",
          NULL },
        { NULL }
    };
    guint64 pid = 0, address, physical;
    g_autoptr(Link) link = NULL;

    parse_options("[PID] ADDRESS", "Print the guest physical address of a "
                  "virtual one, as the guest agent sees it in\nprocess PID, "
                  "or as a vCPU has it.", entries, &argc, &argv);
    if (argc != (vcpu >= 0 ? 2 : 3)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "where takes a process of the guest and a virtual "
                    "address, or --vcpu N and an address");
        return 0;
    }
    if ((vcpu < 0 && !parse_number(argv[1], "the process", &pid, errp)) ||
        !parse_number(argv[argc - 1], "the address", &address, errp)) {
        return 0;
    }
    link = connect_vm(FALSE, errp);
    if (!link) {
        return 0;
    }
    if (vcpu < 0 && !link->agent) {
        g_autofree char *words = connection_words();

        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "processes are seen by the guest agent only: give its "
                    "socket with -g (or -d DOMAIN). Without one, while the "
                    "process computes on vCPU N: rasctl %s where --vcpu N "
                    "0x%" G_GINT64_MODIFIER "x, which is \"stop\", \"gva2gpa "
                    "ADDRESS\" and \"cont\" in the monitor",
                    words, address);
        return 0;
    }
    good = vcpu < 0 ? in_process(link, pid, address, &physical, errp) :
        on_vcpu(link, vcpu, address, &physical, errp);
    if (good) {
        physical -= page ? physical % RAS_PAGE : 0;
        printf(json ? "{\"address\": %" G_GUINT64_FORMAT "}\n" :
               "0x%" G_GINT64_MODIFIER "x\n", physical);
    }
    return RASCTL_OK;
}
