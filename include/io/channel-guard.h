/*
 * QEMU I/O channels: write memory that may fail
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QIO_CHANNEL_GUARD_H
#define QIO_CHANNEL_GUARD_H

/*
 * Memory of a guest may have failed; who writes it to a channel may have it
 * copied before (to a kernel that may not survive to read it, or in user space,
 * by TLS), or after that has failed.  Called on any thread.
 *
 * Returns what is to be written in the place of @iov, to be freed by the
 * caller, or NULL.
 */
typedef enum QIOChannelGuardWhy {
    QIO_CHANNEL_GUARD_KERNEL,
    QIO_CHANNEL_GUARD_USER,
    QIO_CHANNEL_GUARD_FAILED,
} QIOChannelGuardWhy;

typedef struct iovec *QIOChannelGuard(const struct iovec *iov, size_t niov,
                                      QIOChannelGuardWhy why);
extern QIOChannelGuard *qio_channel_guard;

#endif
