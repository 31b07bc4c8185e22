/*
 * A libvirt for tests of rasctl: its VM is a QMP socket
 *
 * What rasctl uses of libvirt.so.0 and libvirt-qemu.so.0. The "URI" is the
 * name of the socket; there are the domains "vm", which runs, and "off".
 * Commands of the guest agent go to the socket as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <json-glib/json-glib.h>
#include "fake-libvirt.h"

static const char *message = "no error";
static int fd = -1;
static FILE *in;
static const char *domains[] = { "vm", "off" };
static GQueue events;
static MonitorCallback on_event;
static LifecycleCallback on_lifecycle;
static void *opaque_event;
static gint64 timer_end;
static void (*timer_expired)(int, void *);
static void *timer_opaque;

void virSetErrorFunc(void *data, void (*func)(void *, void *))
{
}

const char *virGetLastErrorMessage(void)
{
    return message;
}

/* A line, without its end; NULL at the end of the connection. */
static char *get_line(void)
{
    char *line = NULL;
    size_t size = 0;

    if (getline(&line, &size, in) > 0) {
        return line;
    }
    free(line);
    return NULL;
}

static gboolean is_event(const char *line)
{
    return strstr(line, "\"event\":") != NULL;
}

static char *converse(const char *request)
{
    char *line;

    if (strstr(request, "\"id\"")) {
        /* It has an id of its own. */
        return NULL;
    }
    dprintf(fd, "{\"id\": \"libvirt-1\", %s\n", request + 1);
    while ((line = get_line()) && is_event(line)) {
        g_queue_push_tail(&events, line);
    }
    return line;
}

void *virConnectOpen(const char *uri)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (!uri) {
        message = "no libvirtd here";
        return NULL;
    }
    g_strlcpy(address.sun_path, uri, sizeof(address.sun_path));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        message = "Failed to connect socket";
        close(fd);
        return NULL;
    }
    in = fdopen(fd, "r");
    /* So that poll() knows all that has come. */
    setvbuf(in, NULL, _IONBF, 0);
    free(get_line());
    free(converse("{\"execute\": \"qmp_capabilities\"}"));
    return &fd;
}

int virConnectClose(void *connection)
{
    g_queue_clear_full(&events, free);
    return fclose(in);
}

int virConnectIsAlive(void *connection)
{
    return 1;
}

void *virDomainLookupByName(void *connection, const char *name)
{
    for (int i = 0; i < 2; i++) {
        if (!strcmp(domains[i], name)) {
            return &domains[i];
        }
    }
    message = "Domain not found";
    return NULL;
}

int virDomainIsActive(void *domain)
{
    return domain == &domains[0];
}

int virDomainFree(void *domain)
{
    return 0;
}

int virEventRegisterDefaultImpl(void)
{
    return 0;
}

static void tell(char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *details = NULL;
    JsonObject *object, *stamp;

    g_assert(json_parser_load_from_data(parser, line, -1, NULL));
    object = json_node_get_object(json_parser_get_root(parser));
    stamp = json_object_get_object_member(object, "timestamp");
    if (json_object_has_member(object, "data")) {
        /* As it came: the last member of the event. */
        details = g_strdup(strstr(line, "\"data\": ") + 8);
        *strrchr(details, '}') = 0;
    }
    on_event(&fd, &domains[0], json_object_get_string_member(object, "event"),
             json_object_get_int_member(stamp, "seconds"),
             json_object_get_int_member(stamp, "microseconds"), details,
             opaque_event);
    free(line);
}

int virEventRunDefaultImpl(void)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    gint64 left = (timer_end - g_get_monotonic_time()) / 1000;

    if (!g_queue_is_empty(&events)) {
        tell(g_queue_pop_head(&events));
    } else if (poll(&wait, 1, MAX(left, 0)) > 0) {
        char *line = get_line();

        if (line) {
            tell(line);
        } else {
            on_lifecycle(&fd, &domains[0], 5, 0, opaque_event);
        }
    } else {
        timer_expired(1, timer_opaque);
    }
    return 0;
}

int virEventAddTimeout(int ms, void (*expired)(int, void *), void *opaque,
                       void (*free_func)(void *))
{
    timer_end = g_get_monotonic_time() + ms * 1000;
    timer_expired = expired;
    timer_opaque = opaque;
    return 1;
}

int virEventRemoveTimeout(int timer)
{
    return 0;
}

int virConnectDomainEventRegisterAny(void *connection, void *domain, int id,
                                     LifecycleCallback callback, void *opaque,
                                     void (*free_func)(void *))
{
    on_lifecycle = callback;
    return 0;
}

int virDomainQemuMonitorCommand(void *domain, const char *command,
                                char **result, unsigned flags)
{
    *result = converse(command);
    message = "internal error: Unable to append command 'id' string";
    return *result ? 0 : -1;
}

char *virDomainQemuAgentCommand(void *domain, const char *command,
                                int seconds, unsigned flags)
{
    message = "argument unsupported: QEMU guest agent is not configured";
    return getenv("FAKE_LIBVIRT_NO_AGENT") ? NULL : converse(command);
}

int virConnectDomainQemuMonitorEventRegister(void *connection, void *domain,
                                             const char *event,
                                             MonitorCallback callback,
                                             void *opaque,
                                             void (*free_func)(void *),
                                             unsigned flags)
{
    on_event = callback;
    opaque_event = opaque;
    return 0;
}
