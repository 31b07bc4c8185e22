/*
 * rasctl: a VM of libvirt, by its name
 *
 * libvirt is loaded when it is needed, so that rasctl needs it neither to be
 * built nor to talk to a socket. Its interface is stable; what is used of it
 * is declared here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dlfcn.h>
#include <string.h>

#include "rasctl.h"

#define LIBVIRT "libvirt.so.0"
#define LIBVIRT_QEMU "libvirt-qemu.so.0"

/* VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_STOPPED */
#define EVENT_ID_LIFECYCLE 0
#define LIFECYCLE_STOPPED 5

typedef void (*MonitorCallback)(void *connection, void *domain,
                                const char *event, long long seconds,
                                unsigned micros, const char *details,
                                void *opaque);
typedef int (*LifecycleCallback)(void *connection, void *domain, int event,
                                 int detail, void *opaque);

static struct {
    void (*error_func)(void *data, void (*func)(void *, void *));
    const char *(*error_message)(void);
    void *(*open)(const char *uri);
    int (*close)(void *connection);
    int (*is_alive)(void *connection);
    void *(*lookup)(void *connection, const char *name);
    int (*is_active)(void *domain);
    int (*domain_free)(void *domain);
    int (*loop_register)(void);
    int (*loop_run)(void);
    int (*timeout_add)(int ms, void (*expired)(int, void *), void *opaque,
                       void (*free_func)(void *));
    int (*timeout_remove)(int timer);
    int (*events)(void *connection, void *domain, int id,
                  LifecycleCallback callback, void *opaque,
                  void (*free_func)(void *));
    int (*command)(void *domain, const char *command, char **result,
                   unsigned flags);
    char *(*agent)(void *domain, const char *command, int seconds,
                   unsigned flags);
    int (*qemu_events)(void *connection, void *domain, const char *event,
                       MonitorCallback callback, void *opaque,
                       void (*free_func)(void *), unsigned flags);
} vir;

typedef struct LibvirtLink {
    Link link;
    void *connection;
    void *domain;
} LibvirtLink;

static gboolean load(GError **errp)
{
    static const struct {
        const char *library;
        const char *symbol;
        void *function;
    } table[] = {
        { LIBVIRT, "virSetErrorFunc", &vir.error_func },
        { LIBVIRT, "virGetLastErrorMessage", &vir.error_message },
        { LIBVIRT, "virConnectOpen", &vir.open },
        { LIBVIRT, "virConnectClose", &vir.close },
        { LIBVIRT, "virConnectIsAlive", &vir.is_alive },
        { LIBVIRT, "virDomainLookupByName", &vir.lookup },
        { LIBVIRT, "virDomainIsActive", &vir.is_active },
        { LIBVIRT, "virDomainFree", &vir.domain_free },
        { LIBVIRT, "virEventRegisterDefaultImpl", &vir.loop_register },
        { LIBVIRT, "virEventRunDefaultImpl", &vir.loop_run },
        { LIBVIRT, "virEventAddTimeout", &vir.timeout_add },
        { LIBVIRT, "virEventRemoveTimeout", &vir.timeout_remove },
        { LIBVIRT, "virConnectDomainEventRegisterAny", &vir.events },
        { LIBVIRT_QEMU, "virDomainQemuMonitorCommand", &vir.command },
        { LIBVIRT_QEMU, "virDomainQemuAgentCommand", &vir.agent },
        { LIBVIRT_QEMU, "virConnectDomainQemuMonitorEventRegister",
          &vir.qemu_events },
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        void *library = dlopen(table[i].library, RTLD_NOW | RTLD_GLOBAL);
        void *symbol = library ? dlsym(library, table[i].symbol) : NULL;

        if (!symbol) {
            g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                        "cannot load libvirt's library (%s); install "
                        "Debian's package libvirt0, or use -q SOCKET",
                        dlerror());
            return FALSE;
        }
        memcpy(table[i].function, &symbol, sizeof(symbol));
    }
    return TRUE;
}

/* Errors are told by us. */
static void no_message(void *data, void *error)
{
}

static gboolean fail(int code, const char *what, GError **errp)
{
    g_autofree char *shown = printable(vir.error_message());

    g_set_error(errp, RASCTL_ERROR, code, "%s: %s", what, shown);
    return FALSE;
}

static JsonObject *libvirt_request(Link *link, const char *request,
                                   GError **errp)
{
    LibvirtLink *self = (LibvirtLink *)link;
    JsonObject *reply;
    char *text = NULL;

    if (vir.command(self->domain, request, &text, 0) < 0) {
        fail(RASCTL_GONE, link->name, errp);
        return NULL;
    }
    reply = json_parse_object(text, errp);
    free(text);
    return reply;
}

static JsonObject *libvirt_agent(Link *link, const char *request,
                                 GError **errp)
{
    LibvirtLink *self = (LibvirtLink *)link;
    int seconds = MAX(link->timeout / G_USEC_PER_SEC, 1);
    char *text = vir.agent(self->domain, request, seconds, 0);
    JsonObject *reply;

    if (!text) {
        fail(RASCTL_REFUSED, "the guest agent", errp);
        return NULL;
    }
    reply = json_parse_object(text, errp);
    free(text);
    return reply;
}

static void on_event(void *connection, void *domain, const char *event,
                     long long seconds, unsigned micros, const char *details,
                     void *opaque)
{
    g_autoptr(JsonObject) data = details ?
        json_parse_object(details, NULL) : NULL;
    g_autofree char *text = g_strdup_printf(
        "{\"timestamp\": {\"seconds\": %lld, \"microseconds\": %u}, "
        "\"event\": \"%s\"%s%s}", seconds, micros, event,
        data ? ", \"data\": " : "", data ? details : "");

    link_add_event(opaque, event, seconds * G_USEC_PER_SEC + micros, data,
                   text);
}

static int on_lifecycle(void *connection, void *domain, int event,
                        int detail, void *opaque)
{
    Link *link = opaque;

    link->vm_ended |= event == LIFECYCLE_STOPPED;
    return 0;
}

static void on_timeout(int timer, void *opaque)
{
    *(gboolean *)opaque = TRUE;
}

static gboolean libvirt_wait(Link *link, gint64 deadline, GError **errp)
{
    LibvirtLink *self = (LibvirtLink *)link;
    gint64 left = (deadline - g_get_monotonic_time()) / 1000;
    gboolean expired = FALSE;
    gboolean good = TRUE;
    /* In slices, to see whether libvirt is still there. */
    int timer = vir.timeout_add(CLAMP(left, 0, 1000), on_timeout, &expired,
                                NULL);

    while (good && !expired && !link->vm_ended &&
           g_queue_is_empty(&link->events)) {
        good = vir.loop_run() == 0;
    }
    vir.timeout_remove(timer);
    if (!good || vir.is_alive(self->connection) != 1) {
        g_set_error_literal(errp, RASCTL_ERROR, RASCTL_GONE,
                            "the connection to libvirt broke");
        return FALSE;
    }
    return TRUE;
}

static void libvirt_close(Link *link)
{
    LibvirtLink *self = (LibvirtLink *)link;

    if (self->domain) {
        vir.domain_free(self->domain);
    }
    if (self->connection) {
        vir.close(self->connection);
    }
    g_free(self);
}

Link *libvirt_link_open(const LinkOptions *options, GError **errp)
{
    g_autoptr(Link) link = (Link *)g_new0(LibvirtLink, 1);
    LibvirtLink *self = (LibvirtLink *)link;

    link->request = libvirt_request;
    link->agent = libvirt_agent;
    link->wait = libvirt_wait;
    link->close = libvirt_close;
    link->name = g_strdup(options->domain);
    link->timeout = options->timeout;
    if (!load(errp)) {
        return NULL;
    }
    vir.error_func(NULL, no_message);
    if (options->events && vir.loop_register() < 0) {
        fail(RASCTL_CONNECT, "libvirt", errp);
        return NULL;
    }
    self->connection = vir.open(options->uri);
    if (!self->connection) {
        fail(RASCTL_CONNECT, "cannot connect to libvirt", errp);
        return NULL;
    }
    self->domain = vir.lookup(self->connection, options->domain);
    if (!self->domain) {
        fail(RASCTL_CONNECT, "no such domain; \"virsh list --all\" shows "
             "those of this user, -c names another libvirt", errp);
        return NULL;
    }
    if (vir.is_active(self->domain) != 1) {
        g_set_error(errp, RASCTL_ERROR, RASCTL_CONNECT,
                    "domain %s does not run; \"virsh start %s\" starts it",
                    options->domain, options->domain);
        return NULL;
    }
    if (options->events &&
        (vir.qemu_events(self->connection, self->domain, NULL, on_event, link,
                         NULL, 0) < 0 ||
         vir.events(self->connection, self->domain, EVENT_ID_LIFECYCLE,
                    on_lifecycle, link, NULL) < 0)) {
        fail(RASCTL_CONNECT, "libvirt does not tell of events", errp);
        return NULL;
    }
    return g_steal_pointer(&link);
}
