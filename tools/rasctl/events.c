/*
 * rasctl: events in words
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>

#include "rasctl.h"

/* A word that others sent, to be read. */
static void add(GString *text, const char *before, const char *word)
{
    if (word) {
        g_autofree char *shown = printable(word);

        g_string_append_printf(text, "%s%s", before, shown);
    }
}

static void add_hex(GString *text, const char *before, JsonObject *object,
                    const char *name)
{
    if (json_has_number(object, name)) {
        g_string_append_printf(text, "%s0x%" G_GINT64_MODIFIER "x", before,
                               json_number(object, name));
    }
}

char *error_text(JsonObject *error)
{
    GString *text = g_string_new(NULL);
    const char *access = json_word(error, ERROR_ACCESS);

    g_string_append_printf(text, "error %" G_GUINT64_FORMAT,
                           json_number(error, ERROR_ID));
    add(text, " ", json_word(error, ERROR_STATE) ?: "?");
    add(text, ": ", json_word(error, ERROR_CLASS));
    add(text, ", ", json_word(error, ERROR_SEVERITY));
    add(text, ", ", json_word(error, ERROR_ORIGIN));
    if (access && strcmp(access, ACCESS_UNKNOWN)) {
        add(text, ", ", access);
    }
    if (json_has_number(error, ERROR_VCPU)) {
        g_string_append_printf(text, ", vCPU %" G_GUINT64_FORMAT,
                               json_number(error, ERROR_VCPU));
    }
    add_hex(text, ", address ", error, ERROR_ADDRESS);
    if (json_has_number(error, ERROR_LENGTH)) {
        g_string_append_printf(text, " (%" G_GUINT64_FORMAT " bytes)",
                               json_number(error, ERROR_LENGTH));
    }
    add_hex(text, ", virtual ", error, ERROR_VIRTUAL_ADDRESS);
    add(text, "; ", json_word(error, ERROR_DELIVERY));
    return g_string_free(text, FALSE);
}

static char *memory_failure(JsonObject *data)
{
    JsonObject *flags = json_object(data, "flags");
    GString *text = g_string_new("memory failure");

    add(text, ": ", json_word(data, "recipient"));
    add(text, ", ", json_word(data, "action"));
    g_string_append_printf(text, ", action %s%s",
                           json_flag(flags, "action-required") ?
                           "required" : "optional",
                           json_flag(flags, "recursive") ?
                           ", recursive" : "");
    return g_string_free(text, FALSE);
}

static char *poison_access(JsonObject *data)
{
    GString *text = g_string_new("poison");

    add_hex(text, " at ", data, POISON_ACCESS_ADDRESS);
    g_string_append_printf(
        text, ": %s, and not by an instruction (accesses: %" G_GUINT64_FORMAT
        ")", json_flag(data, POISON_ACCESS_WRITE) ? "written" : "read",
        json_number(data, POISON_ACCESS_COUNT));
    return g_string_free(text, FALSE);
}

static char *words(JsonObject *data, const char *text, const char *member)
{
    const char *word = member ? json_word(data, member) : NULL;
    g_autofree char *shown = word ? printable(word) : NULL;

    return shown ? g_strdup_printf("%s: %s", text, shown) : g_strdup(text);
}

/* An event of guest RAS that is newer than this program. */
static char *raw(const Event *event)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;
    g_autofree char *name = printable(event->name);

    if (!event->data) {
        return g_steal_pointer(&name);
    }
    json_node_set_object(node, event->data);
    text = json_text(node);
    return g_strdup_printf("%s: %s", name, text);
}

char *event_text(const Event *event)
{
    JsonObject *data = event->data;

    if (!strcmp(event->name, EVENT_RAS_ERROR) &&
        json_object(data, ERROR_OBJECT)) {
        return error_text(json_object(data, ERROR_OBJECT));
    }
    if (!strcmp(event->name, EVENT_RAS_POISON_ACCESS)) {
        return poison_access(data);
    }
    if (g_str_has_prefix(event->name, EVENT_RAS_PREFIX)) {
        return raw(event);
    }
    if (!strcmp(event->name, EVENT_MEMORY_FAILURE)) {
        return memory_failure(data);
    }
    if (!strcmp(event->name, EVENT_GUEST_PANICKED)) {
        return words(data, "guest panicked", "action");
    }
    if (!strcmp(event->name, EVENT_RESET)) {
        return words(data, "VM reset", "reason");
    }
    if (!strcmp(event->name, EVENT_STOP)) {
        return words(data, "VM stopped", NULL);
    }
    if (!strcmp(event->name, EVENT_RESUME)) {
        return words(data, "VM runs", NULL);
    }
    if (!strcmp(event->name, EVENT_SHUTDOWN)) {
        return words(data, "VM shuts down", "reason");
    }
    return NULL;
}
