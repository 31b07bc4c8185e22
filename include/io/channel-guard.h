/*
 * QEMU I/O channels: write memory that may fail
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QIO_CHANNEL_GUARD_H
#define QIO_CHANNEL_GUARD_H

#include "io/channel.h"

/* qio_channel_set_guard: what is written to @ioc may be memory of a guest */
void qio_channel_set_guard(QIOChannel *ioc);

/*
 * Memory of a guest may have failed; who writes it to such a channel may have
 * it copied before (to a kernel that may not survive to read it, or in user
 * space, by TLS), or after that has failed.  Called on any thread that does so.
 *
 * Returns true if @copy, which stays until the thread calls that again, is to
 * be written in the place of @iov.
 */
typedef enum QIOChannelGuardWhy {
    QIO_CHANNEL_GUARD_KERNEL,
    QIO_CHANNEL_GUARD_USER,
    QIO_CHANNEL_GUARD_FAILED,
} QIOChannelGuardWhy;

typedef bool QIOChannelGuard(const struct iovec *iov, size_t niov,
                             QIOChannelGuardWhy why, struct iovec *copy);
extern QIOChannelGuard *qio_channel_guard;

#endif
