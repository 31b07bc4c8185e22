/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into the inner QEMU: a kernel that cannot mark memory as failed
 *
 * That is, one before Linux 6.6, which has no UFFDIO_POISON.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/userfaultfd.h may be older than these. */
#define POISON _IOWR(UFFDIO, 0x08, char[32])
#define FEATURE_POISON (1ULL << 14)

int ioctl(int fd, unsigned long request, ...)
{
    struct uffdio_api *api;
    va_list ap;
    void *argument;
    int ret;

    va_start(ap, request);
    argument = va_arg(ap, void *);
    va_end(ap);
    api = argument;
    if (request == POISON ||
        (request == UFFDIO_API && (api->features & FEATURE_POISON))) {
        errno = EINVAL;
        return -1;
    }
    ret = syscall(SYS_ioctl, fd, request, argument);
    if (request == UFFDIO_API) {
        api->features &= ~FEATURE_POISON;
    }
    return ret;
}
