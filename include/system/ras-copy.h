/*
 * Guest RAS: access memory of the guest that may have failed on the host
 *
 * The kernel sends SIGBUS (BUS_MCEERR_AR) to who touches memory that has
 * failed.  Each instruction here that touches memory of the guest is in a table
 * with the place to go on at when it fails; the signal handler does that, by
 * ras_copy_recover().  Without an error that costs nothing.
 *
 * On any thread that does not block SIGBUS; no locks.  Hosts other than x86-64,
 * arm64 and ppc64 have no table: there, failed memory ends QEMU.  Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_RAS_COPY_H
#define SYSTEM_RAS_COPY_H

#include <signal.h>

/*
 * ras_copy_from_guest: copy @len bytes of memory of the guest from @host
 * ras_copy_to_guest: copy @len bytes to @host
 *
 * The two may overlap.  What is 1, 2, 4 or 8 bytes is one access.
 *
 * Returns the number of bytes that were copied.  If that is less than @len,
 * the next one could not be read or written.  What was not read is zero in
 * @dst.
 */
static inline size_t ras_copy_from_guest(void *dst, const void *host,
                                         size_t len);
static inline size_t ras_copy_to_guest(void *host, const void *src,
                                       size_t len);

/* ras_set_guest: the same with @len bytes of value @c */
size_t ras_set_guest(void *host, int c, size_t len);

/* ras_can_read: can these bytes be read? */
bool ras_can_read(const void *host, size_t len);

/* ras_can_read_all: the same of each of these @n parts */
static inline bool ras_can_read_all(const struct iovec *iov, size_t n)
{
    bool good = true;

    for (size_t i = 0; i < n; i++) {
        good &= ras_can_read(iov[i].iov_base, iov[i].iov_len);
    }
    return good;
}

typedef enum RasIsZero {
    RAS_IS_NOT_ZERO,
    RAS_IS_ZERO,
    RAS_IS_UNREADABLE,
} RasIsZero;

/* ras_is_zero: are these bytes zero?  @len: a multiple of 64 */
RasIsZero ras_is_zero(const void *host, size_t len);

#ifdef CONFIG_LINUX             /* elsewhere there may be no siginfo_t */
/*
 * ras_copy_recover: for the handler of SIGBUS
 * @context: third argument of the handler; changed
 * @at: set to the first byte that could not be accessed; to NULL if another
 *      signal will tell
 *
 * Returns true if the signal is about an access of these functions to memory
 * of the guest: then the thread goes on in the function, which returns early.
 */
bool ras_copy_recover(const siginfo_t *info, void *context, void **at);

/* ras_copy_context_pc: the instruction at which the signal came */
uintptr_t ras_copy_context_pc(const void *context);
#endif

/* Only for the inline functions: those of known size are short. */
size_t ras_copy_from_guest_1(void *dst, const void *host);
size_t ras_copy_from_guest_2(void *dst, const void *host);
size_t ras_copy_from_guest_4(void *dst, const void *host);
size_t ras_copy_from_guest_8(void *dst, const void *host);
size_t ras_copy_from_guest_any(void *dst, const void *host, size_t len);
size_t ras_copy_to_guest_1(void *host, const void *src);
size_t ras_copy_to_guest_2(void *host, const void *src);
size_t ras_copy_to_guest_4(void *host, const void *src);
size_t ras_copy_to_guest_8(void *host, const void *src);
size_t ras_copy_to_guest_any(void *host, const void *src, size_t len);

static inline size_t ras_copy_from_guest(void *dst, const void *host,
                                         size_t len)
{
    switch (__builtin_constant_p(len) ? len : 0) {
    case 1:
        return ras_copy_from_guest_1(dst, host);
    case 2:
        return ras_copy_from_guest_2(dst, host);
    case 4:
        return ras_copy_from_guest_4(dst, host);
    case 8:
        return ras_copy_from_guest_8(dst, host);
    default:
        return ras_copy_from_guest_any(dst, host, len);
    }
}

static inline size_t ras_copy_to_guest(void *host, const void *src,
                                       size_t len)
{
    switch (__builtin_constant_p(len) ? len : 0) {
    case 1:
        return ras_copy_to_guest_1(host, src);
    case 2:
        return ras_copy_to_guest_2(host, src);
    case 4:
        return ras_copy_to_guest_4(host, src);
    case 8:
        return ras_copy_to_guest_8(host, src);
    default:
        return ras_copy_to_guest_any(host, src, len);
    }
}

#endif
