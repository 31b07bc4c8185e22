/*
 * rasctl: JSON, of which nothing is taken for granted
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>

#include "rasctl.h"

/* json-glib parses by recursion. */
#define MAX_DEPTH 64

/* Add the number that @text begins with; where it ends. */
static const char *add_number(GString *out, const char *text)
{
    gsize length = strspn(text, "0123456789+-.eE");
    char *end;
    guint64 number;

    errno = 0;
    number = g_ascii_strtoull(text, &end, 10);
    if (g_ascii_isdigit(*text) && end == text + length && !errno &&
        number > G_MAXINT64) {
        g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)number);
    } else {
        g_string_append_len(out, text, length);
    }
    return text + length;
}

/*
 * What json-glib can be given: it takes numbers above G_MAXINT64 for that (as
 * of 1.10), so they become negative. NULL if it is too deep.
 */
static char *prepare(const char *text)
{
    g_autoptr(GString) out = g_string_sized_new(strlen(text) + 1);
    gboolean quoted = FALSE;
    int depth = 0;

    while (*text) {
        if (!quoted && (g_ascii_isdigit(*text) || *text == '-')) {
            text = add_number(out, text);
            continue;
        }
        if (*text == '"') {
            quoted = !quoted;
        } else if (quoted && *text == '\\' && text[1]) {
            g_string_append_c(out, *text++);
        } else if (!quoted && (*text == '[' || *text == '{')) {
            if (++depth > MAX_DEPTH) {
                return NULL;
            }
        } else if (!quoted && (*text == ']' || *text == '}')) {
            depth--;
        }
        g_string_append_c(out, *text++);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

JsonObject *json_parse_object(const char *text, GError **errp)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *prepared = g_utf8_validate(text, -1, NULL) ?
        prepare(text) : NULL;
    g_autofree char *shown = NULL;
    JsonNode *root;

    if (prepared && json_parser_load_from_data(parser, prepared, -1, NULL)) {
        root = json_parser_get_root(parser);
        if (root && JSON_NODE_HOLDS_OBJECT(root)) {
            return json_node_dup_object(root);
        }
    }
    shown = printable(text);
    g_set_error(errp, RASCTL_ERROR, RASCTL_GONE,
                "what came is no JSON object: %.60s", shown);
    return NULL;
}

static void add_text(GString *out, JsonNode *node)
{
    g_autofree char *text = NULL;

    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT: {
        JsonObject *object = json_node_get_object(node);
        JsonObjectIter iter;
        const char *separator = "";
        const char *name;
        JsonNode *member;

        g_string_append_c(out, '{');
        json_object_iter_init_ordered(&iter, object);
        while (json_object_iter_next_ordered(&iter, &name, &member)) {
            g_autoptr(JsonNode) key = json_node_alloc();
            g_autofree char *quoted = NULL;

            json_node_init_string(key, name);
            quoted = json_to_string(key, FALSE);
            g_string_append_printf(out, "%s%s: ", separator, quoted);
            add_text(out, member);
            separator = ", ";
        }
        g_string_append_c(out, '}');
        break;
    }
    case JSON_NODE_ARRAY: {
        JsonArray *array = json_node_get_array(node);
        guint i;

        g_string_append_c(out, '[');
        for (i = 0; i < json_array_get_length(array); i++) {
            g_string_append(out, i ? ", " : "");
            add_text(out, json_array_get_element(array, i));
        }
        g_string_append_c(out, ']');
        break;
    }
    case JSON_NODE_VALUE:
        if (json_node_get_value_type(node) == G_TYPE_INT64) {
            g_string_append_printf(out, "%" G_GUINT64_FORMAT,
                                   (guint64)json_node_get_int(node));
            break;
        }
        /* fall through */
    default:
        text = json_to_string(node, FALSE);
        g_string_append(out, text);
    }
}

char *json_text(JsonNode *node)
{
    GString *out = g_string_new(NULL);

    add_text(out, node);
    return g_string_free(out, FALSE);
}

/* The member, if it is a value of that type. */
static JsonNode *value(JsonObject *object, const char *name, GType type)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == type ? node : NULL;
}

gboolean json_has_number(JsonObject *object, const char *name)
{
    return value(object, name, G_TYPE_INT64) != NULL;
}

guint64 json_number(JsonObject *object, const char *name)
{
    JsonNode *node = value(object, name, G_TYPE_INT64);

    return node ? (guint64)json_node_get_int(node) : 0;
}

gboolean json_flag(JsonObject *object, const char *name)
{
    JsonNode *node = value(object, name, G_TYPE_BOOLEAN);

    return node && json_node_get_boolean(node);
}

const char *json_word(JsonObject *object, const char *name)
{
    JsonNode *node = value(object, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : NULL;
}

JsonObject *json_object(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ?
        json_node_get_object(node) : NULL;
}

JsonArray *json_list(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_ARRAY(node) ?
        json_node_dup_array(node) : json_array_new();
}

GList *json_objects(JsonArray *array)
{
    GList *objects = NULL;
    guint i;

    for (i = json_array_get_length(array); i-- > 0;) {
        JsonNode *node = json_array_get_element(array, i);

        if (JSON_NODE_HOLDS_OBJECT(node)) {
            objects = g_list_prepend(objects, json_node_get_object(node));
        }
    }
    return objects;
}

char *printable(const char *text)
{
    char *copy = g_utf8_make_valid(text, -1);
    char *p;

    for (p = copy; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            *p = '?';
        }
    }
    return copy;
}
