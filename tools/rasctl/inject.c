/*
 * rasctl inject and unpoison: one line for each command of QMP
 *
 * Which values are right is left to QEMU, which says what would be.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>

#include "rasctl.h"

/* QEMU takes none that is as large. */
#define MAX_RECORD (1024 * 1024)

static const Kind *find_kind(const char *name, GError **errp)
{
    g_autoptr(GString) list = g_string_new(NULL);
    const Kind *kind;

    for (kind = kinds; kind->name; kind++) {
        if (name && !strcmp(kind->name, name)) {
            return kind;
        }
        g_string_append_printf(list, "%s%s", list->len ? ", " : "",
                               kind->name);
    }
    g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                "inject what? The kinds are %s", list->str);
    return NULL;
}

static const Member *find_member(const Kind *kind, const char *name,
                                 gsize length)
{
    const Member *member;

    for (member = kind->members; member->name; member++) {
        if (strlen(member->name) == length &&
            !strncmp(member->name, name, length)) {
            return member;
        }
    }
    return NULL;
}

static gboolean set_member(JsonObject *arguments, const Member *member,
                           const char *text, GError **errp)
{
    g_autofree char *what = g_strdup_printf("--%s", member->name);
    guint64 number;

    switch (member->type) {
    case MEMBER_NUMBER:
        if (!parse_number(text, what, &number, errp)) {
            return FALSE;
        }
        json_object_set_int_member(arguments, member->name, number);
        break;
    case MEMBER_WORDS: {
        g_auto(GStrv) words = g_strsplit(text, ",", -1);
        JsonArray *array = json_array_new();
        char **p;

        for (p = words; *p; p++) {
            json_array_add_string_element(array, *p);
        }
        json_object_set_array_member(arguments, member->name, array);
        break;
    }
    default:
        json_object_set_string_member(arguments, member->name, text);
    }
    return TRUE;
}

/* The options of a kind; values of @texts and @flags are by member. */
static GOptionEntry *member_options(const Kind *kind, char **texts,
                                    gboolean *flags, GPtrArray *owned)
{
    guint n = 0, i;
    GOptionEntry *entries;

    while (kind->members[n].name) {
        n++;
    }
    entries = g_new0(GOptionEntry, n + 1);
    for (i = 0; i < n; i++) {
        const Member *member = &kind->members[i];
        gboolean flag = member->type == MEMBER_FLAG;
        char *help = g_strdup_printf("%s%s%s", member->help,
                                     member->words ? ": " : "",
                                     member->words ?: "");

        g_ptr_array_add(owned, help);
        entries[i].long_name = member->name;
        entries[i].arg = flag ? G_OPTION_ARG_NONE : G_OPTION_ARG_STRING;
        entries[i].arg_data = flag ? (gpointer)&flags[i] :
            (gpointer)&texts[i];
        entries[i].description = help;
        entries[i].arg_description = flag ? NULL :
            member->type == MEMBER_NUMBER ? "N" : "WORD";
    }
    return entries;
}

static gboolean set_defaults(const Kind *kind, JsonObject *arguments,
                             GError **errp)
{
    g_auto(GStrv) list = g_strsplit(kind->defaults ?: "", " ", -1);
    char **p;

    for (p = list; *p && **p; p++) {
        char *value = strchr(*p, '=');
        const Member *member = find_member(kind, *p, value - *p);

        if (!json_object_has_member(arguments, member->name) &&
            !set_member(arguments, member, value + 1, errp)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* A record from a file, or (-) standard input, in base64. */
static char *read_record(const char *path, GError **errp)
{
    gboolean standard = !strcmp(path, "-");
    FILE *file = standard ? stdin : fopen(path, "rb");
    g_autofree guchar *data = g_malloc(MAX_RECORD + 1);
    gsize length;

    if (!file) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE, "cannot read %s: %s",
                    path, g_strerror(errno));
        return NULL;
    }
    length = fread(data, 1, MAX_RECORD + 1, file);
    if (ferror(file) || length > MAX_RECORD || !length) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE, "%s %s", path,
                    ferror(file) ? "cannot be read" : length ?
                    "is too long for a record" : "is empty");
        length = 0;
    }
    if (!standard) {
        fclose(file);
    }
    return length ? g_base64_encode(data, length) : NULL;
}

/* What comes without the name of a member: an address, or a file. */
static gboolean set_positional(const Kind *kind, JsonObject *arguments,
                               const char *text, GError **errp)
{
    const char *name = kind->positional;
    const Member *member = name ? find_member(kind, name, strlen(name)) :
        NULL;
    g_autofree char *data = NULL;

    if (member && !json_object_has_member(arguments, name)) {
        return set_member(arguments, member, text, errp);
    }
    if (!strcmp(kind->name, "cper") &&
        !json_object_has_member(arguments, CPER_DATA)) {
        data = read_record(text, errp);
        if (data) {
            json_object_set_string_member(arguments, CPER_DATA, data);
        }
        return data != NULL;
    }
    g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                "'%s' is one too many; \"rasctl inject %s --help\" shows "
                "what there is", text, kind->name);
    return FALSE;
}

static JsonObject *read_kind(const Kind *kind, int argc, char **argv,
                             GError **errp)
{
    g_autoptr(JsonObject) arguments = json_object_new();
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    char *texts[16] = { NULL };
    gboolean flags[16] = { FALSE };
    g_autofree GOptionEntry *entries = member_options(kind, texts, flags,
                                                      owned);
    gboolean good = TRUE;
    guint i;

    parse_options(kind->positional ? "ADDRESS" :
                  strcmp(kind->name, "cper") ? "" : "FILE", kind->help,
                  entries, &argc, &argv);
    json_object_set_string_member(arguments, INJECT_KIND, kind->name);
    for (i = 0; kind->members[i].name; i++) {
        if (texts[i]) {
            good = good && set_member(arguments, &kind->members[i], texts[i],
                                      errp);
            g_free(texts[i]);
        } else if (flags[i]) {
            json_object_set_boolean_member(arguments, kind->members[i].name,
                                           TRUE);
        }
    }
    for (i = 1; good && i < argc; i++) {
        good = set_positional(kind, arguments, argv[i], errp);
    }
    return good && set_defaults(kind, arguments, errp) ?
        g_steal_pointer(&arguments) : NULL;
}

int command_inject(int argc, char **argv, char **rest, GError **errp)
{
    const Kind *kind;
    g_autoptr(JsonObject) arguments = NULL;
    g_autoptr(JsonObject) returned = NULL;
    g_autoptr(Link) link = NULL;
    g_autofree char *name = NULL;

    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        printf("Usage:\n  rasctl inject KIND [OPTION...]\n\nKinds:\n");
        for (kind = kinds; kind->name; kind++) {
            printf("  %-14s %s\n", kind->name, kind->help);
        }
        printf("\n\"rasctl inject KIND --help\" shows the options of one.\n");
        return RASCTL_OK;
    }
    kind = find_kind(argc > 1 ? argv[1] : NULL, errp);
    if (!kind) {
        return 0;
    }
    name = g_strdup_printf("inject %s", kind->name);
    argv[1] = name;
    arguments = read_kind(kind, argc - 1, argv + 1, errp);
    link = arguments ? connect_vm(FALSE, errp) : NULL;
    if (!link) {
        return 0;
    }
    returned = link_query(link, QMP_RAS_INJECT, g_steal_pointer(&arguments),
                          errp);
    if (returned && json_has_number(returned, INJECT_ID)) {
        printf("error %" G_GUINT64_FORMAT "\n",
               json_number(returned, INJECT_ID));
    }
    return RASCTL_OK;
}

static gboolean unpoison(Link *link, guint64 address, guint64 length,
                         GError **errp)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) node = NULL;

    json_object_set_int_member(arguments, RANGE_ADDRESS, address);
    json_object_set_int_member(arguments, RANGE_LENGTH, length);
    node = link_run(link, QMP_RAS_UNPOISON, arguments, errp);
    return node != NULL;
}

static gboolean unpoison_all(Link *link, GError **errp)
{
    g_autoptr(JsonObject) ras = link_query_ras(link, errp);
    g_autoptr(JsonArray) array = json_list(ras, RAS_POISONED);
    g_autoptr(GList) ranges = json_objects(array);
    GList *l;

    for (l = ranges; l; l = l->next) {
        if (!unpoison(link, json_number(l->data, RANGE_ADDRESS),
                      json_number(l->data, RANGE_LENGTH), errp)) {
            return FALSE;
        }
    }
    return ras != NULL;
}

int command_unpoison(int argc, char **argv, char **rest, GError **errp)
{
    gboolean all = FALSE;
    char *size = NULL;
    const GOptionEntry entries[] = {
        { "length", 'l', 0, G_OPTION_ARG_STRING, &size,
          "bytes, a multiple of 4096 (4096)", "N" },
        { "all", 'a', 0, G_OPTION_ARG_NONE, &all, "all poisoned pages",
          NULL },
        { NULL }
    };
    guint64 address = 0, length = RAS_PAGE;
    g_autofree char *owned = NULL;
    g_autoptr(Link) link = NULL;

    parse_options("ADDRESS", "Make poisoned pages good again, with the "
                  "content that they had.", entries, &argc, &argv);
    owned = size;
    if (argc != (all ? 1 : 2) || (all && size)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "unpoison takes either an address, with or without "
                    "--length, or --all");
        return 0;
    }
    if ((!all && !parse_number(argv[1], "the address", &address, errp)) ||
        (size && !parse_number(size, "--length", &length, errp))) {
        return 0;
    }
    link = connect_vm(FALSE, errp);
    if (link) {
        if (all) {
            unpoison_all(link, errp);
        } else {
            unpoison(link, address, length, errp);
        }
    }
    return RASCTL_OK;
}
