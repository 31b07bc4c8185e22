/*
 * rasctl: commands and events of one VM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>

#include "rasctl.h"

/* More than QEMU sends while it carries out a command. */
#define MAX_EVENTS 100000

void event_free(Event *event)
{
    g_free(event->name);
    g_free(event->text);
    g_clear_pointer(&event->data, json_object_unref);
    g_free(event);
}

void link_add_event(Link *link, const char *name, gint64 time,
                    JsonObject *data, const char *text)
{
    Event *event;

    if (link->events.length >= MAX_EVENTS) {
        return;
    }
    event = g_new0(Event, 1);
    event->name = g_strdup(name);
    event->time = time;
    event->data = data ? json_object_ref(data) : NULL;
    event->text = g_strdup(text);
    g_queue_push_tail(&link->events, event);
}

Event *link_next_event(Link *link, gint64 deadline, GError **errp)
{
    while (g_queue_is_empty(&link->events) && !link->vm_ended &&
           g_get_monotonic_time() < deadline) {
        if (!link->wait(link, deadline, errp)) {
            return NULL;
        }
    }
    return g_queue_pop_head(&link->events);
}

Link *link_open(const LinkOptions *options, GError **errp)
{
    return options->domain ? libvirt_link_open(options, errp) :
        socket_link_open(options, errp);
}

void link_free(Link *link)
{
    g_queue_clear_full(&link->events, (GDestroyNotify)event_free);
    g_free(link->name);
    link->close(link);
}

/* @arguments are consumed; they may be NULL. */
static char *request_text(const char *command, JsonObject *arguments)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *request = json_object_new();

    json_object_set_string_member(request, "execute", command);
    if (arguments) {
        json_object_set_object_member(request, "arguments", arguments);
    }
    json_node_take_object(root, request);
    return json_text(root);
}

/* What a reply returns, or its error. */
static JsonNode *result(JsonObject *reply, const char *who,
                        const char *command, GError **errp)
{
    JsonNode *node = json_object_get_member(reply, "return");
    JsonObject *error = json_object(reply, "error");
    const char *class = json_word(error, "class");
    const char *text = json_word(error, "desc");
    g_autofree char *shown = NULL;

    if (node) {
        return json_node_copy(node);
    }
    if (!text) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_GONE,
                    "%s answers %s with neither a result nor an error", who,
                    command);
    } else if (class && !strcmp(class, "CommandNotFound") &&
               strstr(command, "ras")) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_REFUSED,
                    "this QEMU has no guest RAS: it does not know %s; run "
                    "the VM with qemu-ras-system-aarch64 or "
                    "qemu-ras-system-ppc64", command);
    } else {
        shown = printable(text);
        g_set_error(errp, RASCTL_ERROR, RASCTL_REFUSED, "%s", shown);
    }
    return NULL;
}

JsonNode *link_run(Link *link, const char *command, JsonObject *arguments,
                   GError **errp)
{
    g_autofree char *request = request_text(command, arguments);
    g_autoptr(JsonObject) reply = link->request(link, request, errp);

    return reply ? result(reply, "QEMU", command, errp) : NULL;
}

JsonNode *link_agent(Link *link, const char *command, JsonObject *arguments,
                     GError **errp)
{
    g_autofree char *request = request_text(command, arguments);
    g_autoptr(JsonObject) reply = link->agent(link, request, errp);

    return reply ? result(reply, "the guest agent", command, errp) : NULL;
}

static gboolean odd(const char *command, GError **errp)
{
    g_set_error(errp, RASCTL_ERROR, RASCTL_GONE,
                "what QEMU returns for %s is not what this rasctl knows; is "
                "it of the same version as QEMU?", command);
    return FALSE;
}

JsonObject *link_query(Link *link, const char *command, JsonObject *arguments,
                       GError **errp)
{
    g_autoptr(JsonNode) node = link_run(link, command, arguments, errp);

    if (!node) {
        return NULL;
    }
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        odd(command, errp);
        return NULL;
    }
    return json_node_dup_object(node);
}

JsonArray *link_query_list(Link *link, const char *command, GError **errp)
{
    g_autoptr(JsonNode) node = link_run(link, command, NULL, errp);

    if (!node) {
        return NULL;
    }
    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        odd(command, errp);
        return NULL;
    }
    return json_node_dup_array(node);
}

JsonObject *link_query_ras(Link *link, GError **errp)
{
    static const char *const lists[] = {
        RAS_SOURCES, RAS_QUEUE, RAS_PARKED, RAS_SERRORS, RAS_POISONED,
        RAS_HOST_POISONED
    };
    g_autoptr(JsonObject) ras = link_query(link, QMP_QUERY_RAS, NULL, errp);
    gsize i;

    if (!ras) {
        return NULL;
    }
    for (i = 0; i < G_N_ELEMENTS(lists); i++) {
        JsonNode *list = json_object_get_member(ras, lists[i]);

        if (!list || !JSON_NODE_HOLDS_ARRAY(list)) {
            odd(QMP_QUERY_RAS, errp);
            return NULL;
        }
    }
    if (!json_object(ras, RAS_COUNTERS)) {
        odd(QMP_QUERY_RAS, errp);
        return NULL;
    }
    return g_steal_pointer(&ras);
}

char *link_hmp(Link *link, const char *line, int vcpu, GError **errp)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) node = NULL;

    json_object_set_string_member(arguments, HMP_COMMAND_LINE, line);
    if (vcpu >= 0) {
        json_object_set_int_member(arguments, HMP_CPU_INDEX, vcpu);
    }
    node = link_run(link, QMP_HMP, arguments, errp);
    if (!node) {
        return NULL;
    }
    if (!JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING) {
        odd(QMP_HMP, errp);
        return NULL;
    }
    return json_node_dup_string(node);
}
