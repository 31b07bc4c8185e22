/*
 * rasctl: QMP and the guest agent by their sockets
 *
 * One object a line, in both directions. The other end may be anything, so
 * every wait has an end, and so has every line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>
#include <sys/un.h>
#include <gio/gunixsocketaddress.h>

#include "rasctl.h"

/* A full queue of errors has not a tenth of it. */
#define MAX_LINE (16 * 1024 * 1024)

/* What the agent sends before the answer to guest-sync-delimited. */
#define AGENT_DELIMITER 0xff

typedef struct Stream {
    GSocket *socket;
    GString *buffer;
    gsize searched;         /* so far there is no end of a line */
} Stream;

typedef struct SocketLink {
    Link link;
    Stream stream;
    char *agent_path;
    unsigned number;        /* of the last request */
    gboolean shutdown;      /* QEMU may well close the connection */
} SocketLink;

static gboolean stream_open(Stream *stream, const char *path,
                            const char *option, GError **errp)
{
    g_autoptr(GSocketAddress) address = NULL;
    g_autoptr(GError) why = NULL;
    const char *hint;

    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                    "%s is too long for the name of a socket; go to its "
                    "folder and give a relative one", path);
        return FALSE;
    }
    address = g_unix_socket_address_new(path);
    stream->socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, &why);
    if (stream->socket) {
        /* connect() would wait if the queue of the socket is full. */
        g_socket_set_blocking(stream->socket, FALSE);
        if (g_socket_connect(stream->socket, address, NULL, &why)) {
            stream->buffer = g_string_new(NULL);
            return TRUE;
        }
    }
    if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        hint = option;
    } else if (g_error_matches(why, G_IO_ERROR,
                               G_IO_ERROR_CONNECTION_REFUSED)) {
        hint = "nobody listens there: that QEMU has ended";
    } else if (g_error_matches(why, G_IO_ERROR,
                               G_IO_ERROR_PERMISSION_DENIED)) {
        hint = "be root, or the user that runs QEMU";
    } else if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ||
               g_error_matches(why, G_IO_ERROR, G_IO_ERROR_PENDING)) {
        hint = "others wait there already; see who uses it";
    } else {
        hint = "is it a socket of QEMU?";
    }
    g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                "cannot connect to %s: %s; %s", path, why->message, hint);
    g_clear_object(&stream->socket);
    return FALSE;
}

static void stream_close(Stream *stream)
{
    g_clear_object(&stream->socket);
    if (stream->buffer) {
        g_string_free(stream->buffer, TRUE);
    }
}

static gboolean failed(GError *why, GError **errp)
{
    if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        g_set_error_literal(errp, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                            "no answer in time; --timeout gives it more");
    } else {
        g_set_error(errp, RASCTL_ERROR, RASCTL_GONE,
                    "the connection broke: %s", why->message);
    }
    return FALSE;
}

/* Wait for @condition; G_IO_ERROR_TIMED_OUT at the deadline. */
static gboolean stream_wait(Stream *stream, GIOCondition condition,
                            gint64 deadline, GError **errp)
{
    g_autoptr(GError) why = NULL;
    gint64 left = deadline - g_get_monotonic_time();

    if (g_socket_condition_timed_wait(stream->socket, condition, MAX(left, 0),
                                      NULL, &why)) {
        return TRUE;
    }
    return failed(why, errp);
}

static gboolean stream_send(Stream *stream, const char *text, gsize length,
                            gint64 deadline, GError **errp)
{
    while (length) {
        g_autoptr(GError) why = NULL;
        gssize sent;

        if (!stream_wait(stream, G_IO_OUT, deadline, errp)) {
            return FALSE;
        }
        sent = g_socket_send(stream->socket, text, length, NULL, &why);
        if (sent < 0) {
            if (!g_error_matches(why, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
                return failed(why, errp);
            }
            sent = 0;
        }
        text += sent;
        length -= sent;
    }
    return TRUE;
}

/* The next line, without its end. */
static char *stream_line(Stream *stream, gint64 deadline, GError **errp)
{
    for (;;) {
        GString *buffer = stream->buffer;
        g_autoptr(GError) why = NULL;
        char piece[65536];
        gssize got;
        char *end = memchr(buffer->str + stream->searched, '\n',
                           buffer->len - stream->searched);

        if (end) {
            char *line = g_strndup(buffer->str, end - buffer->str);

            g_strchomp(line);
            g_string_erase(buffer, 0, end - buffer->str + 1);
            stream->searched = 0;
            return line;
        }
        stream->searched = buffer->len;
        if (buffer->len > MAX_LINE) {
            g_set_error(errp, RASCTL_ERROR, RASCTL_GONE,
                        "a line of more than %d MiB came; that is not QMP",
                        MAX_LINE >> 20);
            return NULL;
        }
        if (!stream_wait(stream, G_IO_IN, deadline, errp)) {
            return NULL;
        }
        got = g_socket_receive(stream->socket, piece, sizeof(piece), NULL,
                               &why);
        if (got > 0) {
            g_string_append_len(buffer, piece, got);
        } else if (got == 0) {
            g_set_error_literal(errp, G_IO_ERROR, G_IO_ERROR_CLOSED,
                                "QEMU has closed the connection");
            return NULL;
        } else if (!g_error_matches(why, G_IO_ERROR,
                                    G_IO_ERROR_WOULD_BLOCK)) {
            failed(why, errp);
            return NULL;
        }
    }
}

/* The errors of a stream that callers look at become ordinary ones. */
static void settle_error(GError **errp)
{
    if (errp && *errp && (*errp)->domain == G_IO_ERROR) {
        (*errp)->domain = RASCTL_ERROR;
        (*errp)->code = RASCTL_GONE;
    }
}

/* An event is added to the queue; NULL if it is one. */
static JsonObject *sort(Link *link, JsonObject *object, const char *line)
{
    const char *event = json_word(object, "event");
    JsonObject *stamp = json_object(object, "timestamp");

    if (!event) {
        return object;
    }
    link_add_event(link, event,
                   json_number(stamp, "seconds") * G_USEC_PER_SEC +
                   json_number(stamp, "microseconds"),
                   json_object(object, "data"), line);
    if (!strcmp(event, EVENT_SHUTDOWN)) {
        ((SocketLink *)link)->shutdown = TRUE;
    }
    json_object_unref(object);
    return NULL;
}

static JsonObject *socket_request(Link *link, const char *request,
                                  GError **errp)
{
    Stream *stream = &((SocketLink *)link)->stream;
    gint64 deadline = g_get_monotonic_time() + link->timeout;
    g_autofree char *id = g_strdup_printf("rasctl-%u",
                                          ++((SocketLink *)link)->number);
    /* The id becomes the first member. */
    g_autofree char *line = g_strdup_printf("{\"id\": \"%s\", %s\n", id,
                                            request + 1);

    if (!stream_send(stream, line, strlen(line), deadline, errp)) {
        settle_error(errp);
        return NULL;
    }
    for (;;) {
        g_autofree char *text = stream_line(stream, deadline, errp);
        g_autoptr(JsonObject) reply = NULL;

        if (!text) {
            settle_error(errp);
            return NULL;
        }
        reply = json_parse_object(text, errp);
        if (!reply) {
            return NULL;
        }
        reply = sort(link, g_steal_pointer(&reply), text);
        if (!reply) {
            if (g_get_monotonic_time() < deadline) {
                continue;
            }
            g_set_error_literal(errp, RASCTL_ERROR, RASCTL_GONE,
                                "no answer in time, only events");
            return NULL;
        }
        if (g_strcmp0(json_word(reply, "id"), id)) {
            g_set_error_literal(errp, RASCTL_ERROR, RASCTL_GONE,
                                "an answer came to what was not asked");
            return NULL;
        }
        return g_steal_pointer(&reply);
    }
}

static gboolean socket_wait(Link *link, gint64 deadline, GError **errp)
{
    Stream *stream = &((SocketLink *)link)->stream;
    g_autoptr(GError) why = NULL;
    g_autofree char *text = stream_line(stream, deadline, &why);
    g_autoptr(JsonObject) object = NULL;

    if (!text) {
        if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
            return TRUE;
        }
        if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CLOSED) &&
            ((SocketLink *)link)->shutdown) {
            link->vm_ended = TRUE;
            return TRUE;
        }
        settle_error(&why);
        g_propagate_error(errp, g_steal_pointer(&why));
        return FALSE;
    }
    object = json_parse_object(text, errp);
    if (!object) {
        return FALSE;
    }
    /* Nothing was asked, so an answer is of no interest. */
    object = sort(link, g_steal_pointer(&object), text);
    return TRUE;
}

static JsonObject *socket_agent(Link *link, const char *request,
                                GError **errp)
{
    SocketLink *self = (SocketLink *)link;

    return agent_request(self->agent_path, link->timeout, request, errp);
}

static void socket_close(Link *link)
{
    SocketLink *self = (SocketLink *)link;

    stream_close(&self->stream);
    g_free(self->agent_path);
    g_free(self);
}

static gboolean greeted(SocketLink *self, const char *path, GError **errp)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *line = NULL;
    g_autoptr(JsonObject) greeting = NULL;
    g_autofree char *shown = NULL;

    line = stream_line(&self->stream,
                       g_get_monotonic_time() + self->link.timeout, &why);
    if (!line && g_error_matches(why, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                    "%s is busy: QEMU talks to one client at a time, and "
                    "does not greet this one; end the other one (libvirt "
                    "is one: use -d), or give QEMU one more -qmp "
                    "unix:...,server=on,wait=off", path);
        return FALSE;
    }
    if (!line) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT, "%s: %s", path,
                    why->message);
        return FALSE;
    }
    greeting = json_parse_object(line, NULL);
    if (!json_object(greeting, "QMP")) {
        shown = printable(line);
        g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                    "%s is no QMP socket, it says \"%.60s\"; give one that "
                    "QEMU has from -qmp (-monitor is another protocol)",
                    path, shown);
        return FALSE;
    }
    return TRUE;
}

Link *socket_link_open(const LinkOptions *options, GError **errp)
{
    g_autoptr(Link) link = (Link *)g_new0(SocketLink, 1);
    SocketLink *self = (SocketLink *)link;
    g_autoptr(JsonNode) node = NULL;

    link->request = socket_request;
    link->wait = socket_wait;
    link->close = socket_close;
    link->name = g_strdup(options->socket);
    link->timeout = options->timeout;
    if (options->agent) {
        self->agent_path = g_strdup(options->agent);
        link->agent = socket_agent;
    }
    if (!stream_open(&self->stream, options->socket,
                     "start QEMU with -qmp unix:SOCKET,server=on,wait=off",
                     errp) ||
        !greeted(self, options->socket, errp)) {
        return NULL;
    }
    node = link_run(link, QMP_CAPABILITIES, NULL, errp);
    return node ? g_steal_pointer(&link) : NULL;
}

/*
 * A connection for each request: the agent has one client at a time, too, and
 * what an earlier one has left is skipped, up to the delimiter.
 */
JsonObject *agent_request(const char *path, gint64 timeout,
                          const char *request, GError **errp)
{
    Stream stream = { NULL };
    gint64 deadline = g_get_monotonic_time() + timeout;
    guint32 number = g_random_int_range(1, G_MAXINT32);
    g_autofree char *sync = g_strdup_printf(
        "%c{\"execute\": \"" AGENT_SYNC "\", \"arguments\": {\"id\": %u}}\n",
        AGENT_DELIMITER, number);
    g_autofree char *line = g_strconcat(request, "\n", NULL);
    g_autoptr(GError) why = NULL;
    JsonObject *reply = NULL;
    gboolean in_step = FALSE;

    if (!stream_open(&stream, path,
                     "give QEMU a virtserialport with name="
                     "org.qemu.guest_agent.0 and this socket", errp)) {
        return NULL;
    }
    if (!stream_send(&stream, sync, strlen(sync), deadline, &why)) {
        goto out;
    }
    for (;;) {
        g_autofree char *text = stream_line(&stream, deadline, &why);
        char *begin;
        g_autoptr(JsonObject) object = NULL;

        if (!text) {
            goto out;
        }
        begin = strrchr(text, AGENT_DELIMITER);
        object = json_parse_object(begin ? begin + 1 : text,
                                   in_step ? errp : NULL);
        if (in_step) {
            reply = g_steal_pointer(&object);
            goto out;
        }
        if (begin && json_number(object, "return") == number) {
            in_step = TRUE;
            if (!stream_send(&stream, line, strlen(line), deadline, &why)) {
                goto out;
            }
        }
    }
out:
    stream_close(&stream);
    if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) && !in_step) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                    "the guest agent at %s does not answer: is qemu-ga "
                    "running in the guest, and is nobody else connected?",
                    path);
    } else if (why) {
        settle_error(&why);
        g_propagate_error(errp, g_steal_pointer(&why));
    }
    return reply;
}
