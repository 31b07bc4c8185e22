/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads of multifd that take their time, to be loaded before libc
 * (LD_PRELOAD)
 *
 * They wait before they begin with what they were woken up for, as on a busy
 * host; and whoever waits for the end of another thread does so for longer.
 * QEMU has to be told to name its threads (-name debug-threads=on).
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* microseconds */
#define SENDER 300000
#define JOIN   (4 * SENDER)

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    /* by its version, as dlsym() may find an older one */
    int (*wait)(pthread_cond_t *, pthread_mutex_t *) =
        dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
    char name[16] = "";
    int ret = wait(cond, mutex);

    pthread_getname_np(pthread_self(), name, sizeof(name));
    if (strstr(name, "/send_")) {
        usleep(SENDER);
    }
    return ret;
}

int pthread_join(pthread_t thread, void **value)
{
    int (*join)(pthread_t, void **) = dlsym(RTLD_NEXT, "pthread_join");

    usleep(JOIN);
    return join(thread, value);
}
