/*
 * rasctl: where bad memory is, by RAM block and NUMA node
 *
 * QEMU has the parts: "info mtree" says which RAM block is at an address,
 * query-memory-devices which node memory modules belong to, and "info numa"
 * how much of the memory that the machine began with each node has; that is
 * given to the nodes in order. What cannot be read is not known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>

#include "rasctl.h"

/* Guest physical addresses of which one thing is true. */
typedef struct Part {
    guint64 first;
    guint64 last;
    char *block;
    int node;
} Part;

static void part_free(gpointer data)
{
    Part *part = data;

    g_free(part->block);
    g_free(part);
}

static void add_part(GPtrArray *parts, guint64 first, guint64 last,
                     const char *block, int node)
{
    Part *part = g_new0(Part, 1);

    part->first = first;
    part->last = last;
    part->block = g_strdup(block);
    part->node = node;
    g_ptr_array_add(parts, part);
}

/* The part with @address, or NULL; and the last address of which it is so. */
static const Part *find_part(GPtrArray *parts, guint64 address,
                             guint64 *last)
{
    guint i;

    *last = G_MAXUINT64;
    for (i = 0; i < parts->len; i++) {
        const Part *part = parts->pdata[i];

        if (address >= part->first && address <= part->last) {
            *last = part->last;
            return part;
        }
        if (part->first > address) {
            *last = MIN(*last, part->first - 1);
        }
    }
    return NULL;
}

/* RAM of the address space "memory". */
static GPtrArray *ram_blocks(Link *link)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
    g_autofree char *text = link_hmp(link, "info mtree -f", -1, NULL);
    g_autoptr(GRegex) line = g_regex_new(
        "^\\s+([0-9a-f]{16})-([0-9a-f]{16}) \\(prio -?\\d+, ram\\): "
        "(\\S+)", 0, 0, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    gboolean wanted = FALSE;
    char **p;

    for (p = lines; *p; p++) {
        g_autoptr(GMatchInfo) match = NULL;

        if (g_str_has_prefix(*p, "FlatView")) {
            if (wanted) {
                break;
            }
        } else if (g_str_has_prefix(*p, " AS \"memory\",")) {
            wanted = TRUE;
        } else if (wanted && g_regex_match(line, *p, 0, &match)) {
            g_autofree char *first = g_match_info_fetch(match, 1);
            g_autofree char *last = g_match_info_fetch(match, 2);
            g_autofree char *name = g_match_info_fetch(match, 3);

            add_part(parts, g_ascii_strtoull(first, NULL, 16),
                     g_ascii_strtoull(last, NULL, 16), name, -1);
        }
    }
    return parts;
}

/* Memory modules; a device of another kind has no node. */
static GPtrArray *memory_devices(Link *link)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
    g_autoptr(JsonArray) array = link_query_list(link, QMP_QUERY_MEMORY, NULL);
    g_autoptr(GList) devices = array ? json_objects(array) : NULL;
    GList *l;

    for (l = devices; l; l = l->next) {
        JsonObject *data = json_object(l->data, "data");
        guint64 size = json_number(data, "size");
        guint64 address = json_number(
            data, json_has_number(data, "addr") ? "addr" : "memaddr");

        if (size && address + size - 1 >= address) {
            add_part(parts, address, address + size - 1, NULL,
                     json_has_number(data, "node") ?
                     (int)json_number(data, "node") : -1);
        }
    }
    return parts;
}

/* Is it the memory of a backend (-m, -object memory-backend-...)? */
static gboolean is_backend(JsonArray *backends, const char *block)
{
    g_autoptr(GList) objects = json_objects(backends);
    const char *base = strrchr(block, '/');
    GList *l;

    for (l = objects; l; l = l->next) {
        if (!g_strcmp0(json_word(l->data, "id"), base ? base + 1 : block)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* "info numa": bytes of a node that the machine began with. */
static GArray *node_sizes(Link *link)
{
    GArray *sizes = g_array_new(FALSE, TRUE, sizeof(guint64));
    g_autofree char *text = link_hmp(link, "info numa", -1, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    char **p;

    for (p = lines; *p; p++) {
        unsigned node;
        guint64 mib;

        if (sscanf(*p, "node %u size: %" G_GUINT64_FORMAT " MB", &node,
                   &mib) == 2 && node == sizes->len) {
            mib <<= 20;
            g_array_append_val(sizes, mib);
        } else if (sscanf(*p, "node %u plugged: %" G_GUINT64_FORMAT " MB",
                          &node, &mib) == 2 && node + 1 == sizes->len) {
            g_array_index(sizes, guint64, node) -= mib << 20;
        }
    }
    return sizes;
}

static int by_address(gconstpointer a, gconstpointer b)
{
    const Part *x = *(const Part *const *)a;
    const Part *y = *(const Part *const *)b;

    return x->first < y->first ? -1 : x->first > y->first;
}

/*
 * Nodes of the memory that the machine began with: none if their sizes are
 * not, together, those of its blocks.
 */
static GPtrArray *initial_nodes(Link *link, GPtrArray *blocks,
                                GPtrArray *devices)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
    g_autoptr(JsonArray) backends = link_query_list(link, QMP_QUERY_MEMDEV,
                                                    NULL);
    g_autoptr(GArray) sizes = node_sizes(link);
    guint64 have = 0, sum = 0, last;
    guint i, node = 0;

    for (i = 0; i < sizes->len; i++) {
        sum += g_array_index(sizes, guint64, i);
    }
    g_ptr_array_sort(blocks, by_address);
    for (i = 0; backends && i < blocks->len; i++) {
        const Part *block = blocks->pdata[i];
        guint64 first = block->first;

        if (find_part(devices, first, &last) ||
            !is_backend(backends, block->block)) {
            continue;
        }
        have += block->last - first + 1;
        while (node < sizes->len && first <= block->last) {
            guint64 *left = &g_array_index(sizes, guint64, node);
            guint64 size = MIN(*left, block->last - first + 1);

            if (size) {
                add_part(parts, first, first + size - 1, NULL, node);
            }
            first += size;
            *left -= size;
            node += !*left;
        }
    }
    if (have != sum) {
        g_ptr_array_set_size(parts, 0);
    }
    return parts;
}

static void bad_range_free(gpointer data)
{
    BadRange *range = data;

    g_free(range->block);
    g_free(range);
}

GPtrArray *bad_memory(Link *link, JsonObject *ras)
{
    static const char *const lists[] = { RAS_POISONED, RAS_HOST_POISONED };
    GPtrArray *bad = g_ptr_array_new_with_free_func(bad_range_free);
    g_autoptr(GPtrArray) blocks = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GPtrArray) nodes = NULL;
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(JsonArray) array = json_list(ras, lists[i]);
        g_autoptr(GList) ranges = json_objects(array);
        GList *l;

        for (l = ranges; l; l = l->next) {
            guint64 first = json_number(l->data, RANGE_ADDRESS);
            guint64 length = json_number(l->data, RANGE_LENGTH);
            guint64 last = first + length - 1;

            if (!length || last < first) {
                continue;
            }
            if (!blocks) {
                blocks = ram_blocks(link);
                devices = memory_devices(link);
                nodes = initial_nodes(link, blocks, devices);
            }
            for (;;) {
                guint64 end, until;
                const Part *part = find_part(blocks, first, &until);
                BadRange *range = g_new0(BadRange, 1);

                end = MIN(last, until);
                range->node = -1;
                range->block = part ? g_strdup(part->block) : NULL;
                part = find_part(devices, first, &until);
                end = MIN(end, until);
                if (!part) {
                    part = find_part(nodes, first, &until);
                    end = MIN(end, until);
                }
                if (part) {
                    range->node = part->node;
                }
                range->address = first;
                range->length = end - first + 1;
                range->host = i == 1;
                range->severity = json_word(l->data, RANGE_SEVERITY);
                g_ptr_array_add(bad, range);
                if (end == last) {
                    break;
                }
                first = end + 1;
            }
        }
    }
    return bad;
}
