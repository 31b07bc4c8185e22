/*
 * rasctl status: what query-ras shows, as text, JSON or metrics
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>

#include "rasctl.h"

#define METRIC "qemu_ras_"

/* Bad memory of one RAM block and node. */
typedef struct Sum {
    const char *block;
    int node;
    guint64 poisoned;       /* pages */
    guint64 host;           /* pages */
} Sum;

static guint64 pages(guint64 bytes)
{
    return bytes / RAS_PAGE + !!(bytes % RAS_PAGE);
}

static GArray *sum_up(GPtrArray *bad)
{
    GArray *sums = g_array_new(FALSE, TRUE, sizeof(Sum));
    guint i, j;

    for (i = 0; i < bad->len; i++) {
        const BadRange *range = bad->pdata[i];
        Sum *sum = NULL;

        for (j = 0; j < sums->len && !sum; j++) {
            Sum *old = &g_array_index(sums, Sum, j);

            if (old->node == range->node &&
                !g_strcmp0(old->block, range->block)) {
                sum = old;
            }
        }
        if (!sum) {
            Sum new = { .block = range->block, .node = range->node };

            g_array_append_val(sums, new);
            sum = &g_array_index(sums, Sum, sums->len - 1);
        }
        *(range->host ? &sum->host : &sum->poisoned) += pages(range->length);
    }
    return sums;
}

static gboolean is_bad(JsonObject *ras)
{
    static const char *const lists[] = {
        RAS_QUEUE, RAS_PARKED, RAS_SERRORS, RAS_POISONED, RAS_HOST_POISONED
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(JsonArray) list = json_list(ras, lists[i]);

        if (json_array_get_length(list)) {
            return TRUE;
        }
    }
    return json_object(ras, RAS_CHECK_STOP) != NULL;
}

static char *node_name(int node)
{
    return node < 0 ? g_strdup("-") : g_strdup_printf("%d", node);
}

static char *block_name(const char *block)
{
    return printable(block ?: "-");
}

/* Numbers of a list, separated by blanks. */
static char *numbers(JsonArray *list)
{
    GString *text = g_string_new(NULL);
    guint i;

    for (i = 0; i < json_array_get_length(list); i++) {
        g_autofree char *number = json_text(json_array_get_element(list, i));

        g_string_append_printf(text, "%s%s", i ? " " : "", number);
    }
    return g_string_free(text, FALSE);
}

static void print_sources(JsonObject *ras)
{
    g_autoptr(JsonArray) array = json_list(ras, RAS_SOURCES);
    g_autoptr(GList) sources = json_objects(array);
    GList *l;

    for (l = sources; l; l = l->next) {
        g_autofree char *name = printable(
            json_word(l->data, SOURCE_NAME) ?: "?");

        printf("source      %s: %s, %s", name,
               json_flag(l->data, SOURCE_SYNCHRONOUS) ?
               "synchronous" : "asynchronous",
               json_flag(l->data, SOURCE_READY) ? "ready" : "not ready");
        if (json_has_number(l->data, SOURCE_OUTSTANDING)) {
            printf(", error %" G_GUINT64_FORMAT " not acknowledged yet",
                   json_number(l->data, SOURCE_OUTSTANDING));
        }
        putchar('\n');
    }
}

static void print_counters(JsonObject *ras)
{
    JsonObject *values = json_object(ras, RAS_COUNTERS);
    const Counter *counter;
    int column = 0;

    for (counter = counters; counter->name; counter++) {
        if (!json_has_number(values, counter->name)) {
            continue;
        }
        printf("%s%s %" G_GUINT64_FORMAT,
               !column ? "errors      " :
               column % 6 ? ", " : ",\n            ",
               counter->name, json_number(values, counter->name));
        column++;
    }
    putchar('\n');
}

static void print_errors(JsonObject *ras)
{
    g_autoptr(JsonArray) queue = json_list(ras, RAS_QUEUE);
    g_autoptr(GList) errors = json_objects(queue);
    g_autoptr(JsonArray) parked = json_list(ras, RAS_PARKED);
    g_autofree char *vcpus = numbers(parked);
    g_autoptr(JsonArray) array = json_list(ras, RAS_SERRORS);
    g_autoptr(GList) serrors = json_objects(array);
    JsonObject *stop = json_object(ras, RAS_CHECK_STOP);
    GList *l;

    for (l = errors; l; l = l->next) {
        g_autofree char *text = error_text(l->data);

        printf("in flight   %s\n", text);
    }
    if (*vcpus) {
        printf("parked      vCPU %s\n", vcpus);
    }
    for (l = serrors; l; l = l->next) {
        printf("SError      pending on vCPU %" G_GUINT64_FORMAT,
               json_number(l->data, SERROR_VCPU));
        if (json_has_number(l->data, SERROR_SYNDROME)) {
            printf(", syndrome 0x%" G_GINT64_MODIFIER "x",
                   json_number(l->data, SERROR_SYNDROME));
        }
        putchar('\n');
    }
    if (stop) {
        g_autofree char *reason = printable(
            json_word(stop, CHECK_STOP_REASON) ?: "?");

        printf("check-stop  since error %" G_GUINT64_FORMAT ": %s\n",
               json_number(stop, CHECK_STOP_ID), reason);
    }
}

static void print_bad(GPtrArray *bad)
{
    g_autoptr(GArray) sums = sum_up(bad);
    guint i;

    if (!bad->len) {
        printf("bad pages   none\n");
        return;
    }
    printf("\n%-24s %-5s %12s %15s %12s\n", "RAM block", "node",
           "poisoned", "failed on host", "KiB");
    for (i = 0; i < sums->len; i++) {
        const Sum *sum = &g_array_index(sums, Sum, i);
        g_autofree char *node = node_name(sum->node);
        g_autofree char *block = block_name(sum->block);

        printf("%-24s %-5s %12" G_GUINT64_FORMAT " %15" G_GUINT64_FORMAT
               " %12" G_GUINT64_FORMAT "\n", block, node, sum->poisoned,
               sum->host, (sum->poisoned + sum->host) * (RAS_PAGE / 1024));
    }
    printf("\n%-37s %8s  %-24s %-5s %s\n", "guest physical addresses",
           "pages", "RAM block", "node", "what");
    for (i = 0; i < bad->len; i++) {
        const BadRange *range = bad->pdata[i];
        g_autofree char *node = node_name(range->node);
        g_autofree char *block = block_name(range->block);
        g_autofree char *severity = printable(range->severity ?: "");
        g_autofree char *addresses = g_strdup_printf(
            "0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x",
            range->address, range->address + range->length - 1);

        printf("%-37s %8" G_GUINT64_FORMAT "  %-24s %-5s %s%s%s\n",
               addresses, pages(range->length), block, node,
               range->host ? "failed on host" : "poisoned",
               *severity ? ", " : "", severity);
    }
}

static void print_text(JsonObject *ras, const char *state, GPtrArray *bad)
{
    g_autofree char *shown = printable(state);

    printf("VM          %s\n", shown);
    print_sources(ras);
    print_counters(ras);
    print_errors(ras);
    print_bad(bad);
}

static void print_json(JsonObject *ras, const char *name, const char *state,
                       GPtrArray *bad)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    JsonArray *ranges = json_array_new();
    g_autofree char *text = NULL;
    guint i;

    for (i = 0; i < bad->len; i++) {
        const BadRange *range = bad->pdata[i];
        JsonObject *entry = json_object_new();

        json_object_set_int_member(entry, "address", range->address);
        json_object_set_int_member(entry, "length", range->length);
        json_object_set_int_member(entry, "pages", pages(range->length));
        json_object_set_string_member(
            entry, "what", range->host ? "host" : "poisoned");
        if (range->severity) {
            json_object_set_string_member(entry, "severity",
                                          range->severity);
        }
        if (range->block) {
            json_object_set_string_member(entry, "block", range->block);
        }
        if (range->node >= 0) {
            json_object_set_int_member(entry, "node", range->node);
        }
        json_array_add_object_element(ranges, entry);
    }
    json_object_set_string_member(object, "vm", name);
    json_object_set_string_member(object, "state", state);
    json_object_set_boolean_member(object, "well", !is_bad(ras));
    json_object_set_array_member(object, "bad-memory", ranges);
    json_object_set_object_member(object, "ras", json_object_ref(ras));
    json_node_take_object(root, object);
    text = json_text(root);
    puts(text);
}

/* The value of a label, as Prometheus wants it. */
static char *label(const char *value)
{
    GString *text = g_string_new(NULL);
    const char *p;

    for (p = value; *p; p++) {
        if (*p == '\n') {
            g_string_append(text, "\\n");
            continue;
        }
        if (*p == '\\' || *p == '"') {
            g_string_append_c(text, '\\');
        }
        g_string_append_c(text, *p);
    }
    return g_string_free(text, FALSE);
}

static void head(const char *name, const char *type, const char *help)
{
    printf("# HELP " METRIC "%s %s\n# TYPE " METRIC "%s %s\n", name, help,
           name, type);
}

static void gauge(const char *name, const char *help, const char *vm,
                  guint64 value)
{
    head(name, "gauge", help);
    printf(METRIC "%s{vm=\"%s\"} %" G_GUINT64_FORMAT "\n", name, vm, value);
}

static void print_metrics(JsonObject *ras, const char *name, GPtrArray *bad)
{
    g_autofree char *vm = label(name);
    JsonObject *values = json_object(ras, RAS_COUNTERS);
    g_autoptr(JsonArray) parked = json_list(ras, RAS_PARKED);
    g_autoptr(JsonArray) serrors = json_list(ras, RAS_SERRORS);
    g_autoptr(JsonArray) array = json_list(ras, RAS_SOURCES);
    g_autoptr(GList) sources = json_objects(array);
    g_autoptr(GArray) sums = sum_up(bad);
    const Counter *counter;
    GList *l;
    guint i;

    for (counter = counters; counter->name; counter++) {
        if (json_has_number(values, counter->name)) {
            head(counter->metric, counter->gauge ? "gauge" : "counter",
                 counter->help);
            printf(METRIC "%s{vm=\"%s\"} %" G_GUINT64_FORMAT "\n",
                   counter->metric, vm, json_number(values, counter->name));
        }
    }
    gauge("parked_vcpus", "vCPUs that wait until their error is told.", vm,
          json_array_get_length(parked));
    gauge("pending_serrors", "SErrors that no vCPU has taken yet.", vm,
          json_array_get_length(serrors));
    gauge("check_stop", "1 if the guest cannot be told of an error.", vm,
          json_object(ras, RAS_CHECK_STOP) != NULL);
    head("source_ready", "gauge", "1 if the guest can be told that way.");
    for (l = sources; l; l = l->next) {
        g_autofree char *source = label(
            json_word(l->data, SOURCE_NAME) ?: "?");

        printf(METRIC "source_ready{vm=\"%s\",source=\"%s\"} %d\n", vm,
               source, json_flag(l->data, SOURCE_READY));
    }
    head("bad_pages", "gauge", "Pages of 4096 bytes that are bad.");
    for (i = 0; i < sums->len; i++) {
        const Sum *sum = &g_array_index(sums, Sum, i);
        g_autofree char *block = label(sum->block ?: "");
        g_autofree char *node = sum->node < 0 ? g_strdup("") :
            node_name(sum->node);

        printf(METRIC "bad_pages{vm=\"%s\",block=\"%s\",node=\"%s\","
               "cause=\"poisoned\"} %" G_GUINT64_FORMAT "\n"
               METRIC "bad_pages{vm=\"%s\",block=\"%s\",node=\"%s\","
               "cause=\"host\"} %" G_GUINT64_FORMAT "\n",
               vm, block, node, sum->poisoned, vm, block, node, sum->host);
    }
}

int command_status(int argc, char **argv, char **rest, GError **errp)
{
    gboolean json = FALSE, metrics = FALSE;
    const GOptionEntry entries[] = {
        { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "as one line of JSON",
          NULL },
        { "metrics", 'm', 0, G_OPTION_ARG_NONE, &metrics,
          "in the text format of Prometheus", NULL },
        { NULL }
    };
    g_autoptr(Link) link = NULL;
    g_autoptr(JsonObject) ras = NULL;
    g_autoptr(JsonObject) run = NULL;
    g_autoptr(JsonObject) named = NULL;
    g_autoptr(GPtrArray) bad = NULL;
    const char *name, *state;

    parse_options("", "Show error sources, counters and bad pages. The exit "
                  "status is 1 if there are bad\npages or errors that have "
                  "not ended, but with --metrics.",
                  entries, &argc, &argv);
    if (argc > 1 || (json && metrics)) {
        g_set_error_literal(errp, RASCTL_ERROR, RASCTL_USAGE, argc > 1 ?
                            "status takes options only" :
                            "either --json or --metrics");
        return 0;
    }
    link = connect_vm(FALSE, errp);
    if (!link) {
        return 0;
    }
    ras = link_query_ras(link, errp);
    run = ras ? link_query(link, QMP_QUERY_STATUS, NULL, errp) : NULL;
    named = run ? link_query(link, QMP_QUERY_NAME, NULL, errp) : NULL;
    if (!named) {
        return 0;
    }
    bad = bad_memory(link, ras);
    /* So that the metrics of several VMs can be told apart. */
    name = domain_name() ?: json_word(named, "name") ?: link->name;
    state = json_word(run, "status") ?: "?";
    if (metrics) {
        print_metrics(ras, name, bad);
        return RASCTL_OK;
    }
    if (json) {
        print_json(ras, name, state, bad);
    } else {
        print_text(ras, state, bad);
    }
    return is_bad(ras) ? RASCTL_BAD : RASCTL_OK;
}
