/*
 * Guest RAS: work for the main loop, now or a little later
 *
 * A vCPU on its way to the guest's handler must not wake the main thread: that
 * would take the BQL, and perhaps the CPU, and keep both for all that it has to
 * do.  So the kernel wakes it, later, and once for all that there is to do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "internal.h"
#ifdef CONFIG_TIMERFD
#include <sys/timerfd.h>
#endif

#define LATER_NS (10 * SCALE_MS)

static void awake(void *opaque)
{
    RasWakeup *w = opaque;

    notifier_list_notify(&w->work, NULL);
}

void ras_wakeup_now(RasWakeup *w)
{
    qemu_bh_schedule(w->bh);
}

void ras_wakeup_later(RasWakeup *w)
{
#ifdef CONFIG_TIMERFD
    struct itimerspec delay = { .it_value.tv_nsec = LATER_NS };

    if (w->is_due || timerfd_settime(w->fd, 0, &delay, NULL) == 0) {
        w->is_due = true;
        return;
    }
#endif
    ras_wakeup_now(w);
}

#ifdef CONFIG_TIMERFD
static void fd_readable(void *opaque)
{
    RasWakeup *w = opaque;
    uint64_t expirations;

    if (read(w->fd, &expirations, sizeof(expirations)) ==
        sizeof(expirations)) {
        w->is_due = false;
        awake(w);
    }
}
#endif

void ras_wakeup_add(RasWakeup *w, Notifier *work)
{
    notifier_list_add(&w->work, work);
}

void ras_wakeup_init(RasWakeup *w)
{
    notifier_list_init(&w->work);
    w->bh = qemu_bh_new(awake, w);
#ifdef CONFIG_TIMERFD
    /* if there is none, ras_wakeup_later() does without */
    w->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->fd >= 0) {
        qemu_set_fd_handler(w->fd, fd_readable, NULL, w);
    }
#endif
}
