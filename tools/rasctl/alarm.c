/*
 * rasctl: has so much memory failed in so short a time?
 *
 * What counts is pages, not errors: a page that is hit again and again is one.
 * A failure of many pages at once, such as a huge page of the host, is that
 * many.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>

#include "rasctl.h"

#define MAX_PAGES 1000000

typedef struct Page {
    guint64 address;
    gint64 time;            /* when it last failed */
} Page;

struct Alarm {
    guint64 pages;
    guint64 seconds;
    GQueue failed;          /* of Page, oldest first */
    GHashTable *links;      /* of &Page.address, in the queue */
};

Alarm *alarm_new(const char *text, GError **errp)
{
    g_autoptr(GRegex) form = g_regex_new(
        "^\\s*(\\d{1,7})\\s*(?:pages?)?\\s+in\\s+(\\d{1,7})\\s*"
        "(?:([smhd])\\w*)?\\s*$", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *pages = NULL;
    g_autofree char *time = NULL;
    g_autofree char *unit = NULL;
    Alarm *alarm;
    guint64 n = 0, t = 0;

    if (g_regex_match(form, text, 0, &match)) {
        pages = g_match_info_fetch(match, 1);
        time = g_match_info_fetch(match, 2);
        unit = g_match_info_fetch(match, 3);
        n = g_ascii_strtoull(pages, NULL, 10);
        t = g_ascii_strtoull(time, NULL, 10);
        /* NULL if there is none */
        t *= !unit ? 1 : *unit == 'm' ? 60 : *unit == 'h' ? 3600 :
            *unit == 'd' ? 86400 : 1;
    }
    if (!n || !t || n > MAX_PAGES) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_USAGE,
                    "--alarm '%s' is not like '10 pages in 1h': 1 to %d "
                    "pages, and a time in s, m, h or d", text, MAX_PAGES);
        return NULL;
    }
    alarm = g_new0(Alarm, 1);
    alarm->pages = n;
    alarm->seconds = t;
    alarm->links = g_hash_table_new(g_int64_hash, g_int64_equal);
    return alarm;
}

void alarm_free(Alarm *alarm)
{
    g_queue_clear_full(&alarm->failed, g_free);
    g_hash_table_unref(alarm->links);
    g_free(alarm);
}

guint64 alarm_seconds(const Alarm *alarm)
{
    return alarm->seconds;
}

static void forget_oldest(Alarm *alarm)
{
    Page *page = g_queue_pop_head(&alarm->failed);

    g_hash_table_remove(alarm->links, &page->address);
    g_free(page);
}

static void note(Alarm *alarm, guint64 address, gint64 time)
{
    GList *link = g_hash_table_lookup(alarm->links, &address);
    Page *page;

    if (link) {
        page = link->data;
        g_queue_unlink(&alarm->failed, link);
        g_queue_push_tail_link(&alarm->failed, link);
    } else {
        page = g_new(Page, 1);
        page->address = address;
        g_queue_push_tail(&alarm->failed, page);
        g_hash_table_insert(alarm->links, &page->address,
                            alarm->failed.tail);
    }
    page->time = time;
}

GArray *alarm_event(Alarm *alarm, const Event *event)
{
    JsonObject *error = json_object(event->data, ERROR_OBJECT);
    gint64 limit = event->time - alarm->seconds * G_USEC_PER_SEC;
    guint64 address, count;
    GArray *addresses;
    GList *l;

    if (strcmp(event->name, EVENT_RAS_ERROR) ||
        g_strcmp0(json_word(error, ERROR_STATE), STATE_ACCEPTED) ||
        g_strcmp0(json_word(error, ERROR_CLASS), CLASS_MEMORY) ||
        !g_strcmp0(json_word(error, ERROR_SEVERITY), SEVERITY_CORRECTED) ||
        !json_has_number(error, ERROR_ADDRESS)) {
        return NULL;
    }
    while (alarm->failed.length &&
           ((Page *)alarm->failed.head->data)->time < limit) {
        forget_oldest(alarm);
    }
    /* The address may be in the middle of a page. */
    address = json_number(error, ERROR_ADDRESS) & ~(RAS_PAGE - 1);
    count = MAX(json_number(error, ERROR_LENGTH) / RAS_PAGE, 1);
    while (count-- && alarm->failed.length < alarm->pages) {
        note(alarm, address, event->time);
        address += RAS_PAGE;
    }
    if (alarm->failed.length < alarm->pages) {
        return NULL;
    }
    addresses = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (l = alarm->failed.head; l; l = l->next) {
        g_array_append_val(addresses, ((Page *)l->data)->address);
    }
    while (alarm->failed.length) {
        forget_oldest(alarm);
    }
    return addresses;
}
