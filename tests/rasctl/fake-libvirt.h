/*
 * Functions of libvirt, as rasctl calls them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef FAKE_LIBVIRT_H
#define FAKE_LIBVIRT_H

typedef void (*MonitorCallback)(void *connection, void *domain,
                                const char *event, long long seconds,
                                unsigned micros, const char *details,
                                void *opaque);
typedef int (*LifecycleCallback)(void *connection, void *domain, int event,
                                 int detail, void *opaque);

void virSetErrorFunc(void *data, void (*func)(void *, void *));
const char *virGetLastErrorMessage(void);
void *virConnectOpen(const char *uri);
int virConnectClose(void *connection);
int virConnectIsAlive(void *connection);
void *virDomainLookupByName(void *connection, const char *name);
int virDomainIsActive(void *domain);
int virDomainFree(void *domain);
int virEventRegisterDefaultImpl(void);
int virEventRunDefaultImpl(void);
int virEventAddTimeout(int ms, void (*expired)(int, void *), void *opaque,
                       void (*free_func)(void *));
int virEventRemoveTimeout(int timer);
int virConnectDomainEventRegisterAny(void *connection, void *domain, int id,
                                     LifecycleCallback callback, void *opaque,
                                     void (*free_func)(void *));
int virDomainQemuMonitorCommand(void *domain, const char *command,
                                char **result, unsigned flags);
char *virDomainQemuAgentCommand(void *domain, const char *command,
                                int seconds, unsigned flags);
int virConnectDomainQemuMonitorEventRegister(void *connection, void *domain,
                                             const char *event,
                                             MonitorCallback callback,
                                             void *opaque,
                                             void (*free_func)(void *),
                                             unsigned flags);

#endif
