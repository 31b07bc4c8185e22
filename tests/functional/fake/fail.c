/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that fails, to be loaded before libc (LD_PRELOAD)
 *
 * As memory of a host that has failed, for those who have no such host: pages
 * are marked with UFFDIO_POISON (Linux 6.6), which a process can do to itself
 * only.  A thread takes commands from the socket FAIL_SOCKET, and answers each
 * of them with a line, "ok" or what is wrong:
 *
 *     fail SIZE OFFSET LENGTH
 *                  bytes; in the first mapping that has SIZE, or had it when it
 *                  was asked for first
 *     once SIZE OFFSET LENGTH
 *                  the same, but only the first access fails; it is zero then
 *     after SYMBOL SIZE OFFSET LENGTH
 *                  the same, at the next call of SYMBOL that is about these
 *                  pages: writev or sendmsg
 *     told WHEN SIZE OFFSET LENGTH
 *                  the same, and the process gets to know by a SIGBUS that
 *                  nobody has caused; when it gives back memory ("discard"), or
 *                  when a migration has stopped the VM for "postcopy"
 *
 * With FAIL_PAGE=BYTES, files of the process seem to be in hugetlbfs, with
 * pages of this size: a VM whose RAM is such a file has it in larger pages than
 * the host has.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>

/* Headers may be older than the kernel. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFDIO_POISON
#define UFFD_FEATURE_POISON (1 << 14)
struct uffdio_poison {
    struct uffdio_range range;
    __u64 mode;
    __s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

#define MAPPINGS 16

static struct {
    unsigned long size;
    char *start;
} mapping[MAPPINGS];

static char *find(unsigned long size)
{
    unsigned long from, to;
    char line[512];
    FILE *maps;
    int i = 0;

    while (i < MAPPINGS && mapping[i].size) {
        if (mapping[i].size == size) {
            return mapping[i].start;
        }
        i++;
    }
    maps = fopen("/proc/self/maps", "r");
    while (maps && i < MAPPINGS && !mapping[i].size &&
           fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx rw", &from, &to) == 2 && to - from == size) {
            mapping[i].start = (char *)from;
            mapping[i].size = size;
        }
    }
    if (maps) {
        fclose(maps);
    }
    return i < MAPPINGS ? mapping[i].start : NULL;
}

static const char *fail(unsigned long size, unsigned long offset,
                        unsigned long len)
{
    struct uffdio_api api = { .api = UFFD_API,
                              .features = UFFD_FEATURE_POISON };
    struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
    struct uffdio_poison poison = { .mode = 0 };
    char *start = find(size);
    const char *what = "ok";
    int fd;

    if (!start) {
        return "no such mapping";
    }
    fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (fd < 0 || ioctl(fd, UFFDIO_API, &api)) {
        return "no UFFDIO_POISON";
    }
    reg.range.start = poison.range.start = (uintptr_t)start + offset;
    reg.range.len = poison.range.len = len;
    if (ioctl(fd, UFFDIO_REGISTER, &reg)) {
        /* who watches this memory already has a userfaultfd that can */
        what = "UFFDIO_REGISTER";
        if (errno == EBUSY && !madvise(start + offset, len, MADV_DONTNEED)) {
            for (int i = 3; i < 256; i++) {
                if (i != fd && !ioctl(i, UFFDIO_POISON, &poison)) {
                    what = "ok";
                }
            }
        }
    } else {
        if (madvise(start + offset, len, MADV_DONTNEED) ||
            ioctl(fd, UFFDIO_POISON, &poison)) {
            what = "UFFDIO_POISON";
        }
        ioctl(fd, UFFDIO_UNREGISTER, &reg.range);
    }
    close(fd);
    return what;
}

/* What fails once */
static char *_Atomic once_start;
static unsigned long once_len;
static void (*handler)(int, siginfo_t *, void *);

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
    char *start = atomic_load(&once_start), *at = info->si_addr;

    /* it looks whether the page has failed */
    handler(sig, info, context);
    if (start && at >= start && at < start + once_len) {
        madvise(start, once_len, MADV_DONTNEED);
        atomic_store(&once_start, NULL);
    }
}

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
    static int (*real)(int, const struct sigaction *, struct sigaction *);
    struct sigaction ours;

    if (!real) {
        real = dlsym(RTLD_NEXT, "sigaction");
    }
    if (sig != SIGBUS || !act || !(act->sa_flags & SA_SIGINFO)) {
        return real(sig, act, old);
    }
    handler = act->sa_sigaction;
    ours = *act;
    ours.sa_sigaction = on_sigbus;
    return real(sig, &ours, old);
}

/* What is to fail at the next call of a function */
typedef struct Later {
    char symbol[16];
    unsigned long size, offset, len;
    atomic_int armed;
} Later;

static Later later, told;

static const char *arm(Later *what, const char *line)
{
    if (sscanf(line, "%*s %15s %lu %lu %lu", what->symbol, &what->size,
               &what->offset, &what->len) != 4) {
        return "bad command";
    }
    if (!find(what->size)) {
        return "no such mapping";
    }
    atomic_store(&what->armed, 1);
    return "ok";
}

static void tell(const char *when)
{
    siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };

    if (!atomic_load(&told.armed) || strcmp(when, told.symbol) ||
        !atomic_exchange(&told.armed, 0)) {
        return;
    }
    fail(told.size, told.offset, told.len);
    for (unsigned long at = 0; at < told.len; at += 4096) {
        info.si_addr = find(told.size) + told.offset + at;
        info.si_addr_lsb = 12;
        handler(SIGBUS, &info, NULL);
    }
}

int madvise(void *start, size_t len, int advice)
{
    static int (*real)(void *, size_t, int);
    int ret;

    if (!real) {
        real = dlsym(RTLD_NEXT, "madvise");
    }
    ret = real(start, len, advice);
    if (advice == MADV_DONTNEED) {
        tell("discard");
    }
    return ret;
}

int fstatfs(int fd, struct statfs *buf)
{
    static int (*real)(int, struct statfs *);
    const char *page = getenv("FAIL_PAGE");
    unsigned long bytes;
    int ret;

    if (!real) {
        real = dlsym(RTLD_NEXT, "fstatfs");
    }
    ret = real(fd, buf);
    if (page && sscanf(page, "%lu", &bytes) == 1) {
        buf->f_type = HUGETLBFS_MAGIC;
        buf->f_bsize = bytes;
    }
    return ret;
}

int fstatfs64(int fd, struct statfs64 *buf)
{
    return fstatfs(fd, (struct statfs *)buf);
}

/* Migration: the second ping comes when the VM stands still for postcopy */
static const char second_ping[] = "\x08\0\x02\0\x04\0\0\0\x02";

static void before(const char *symbol, const struct iovec *iov, size_t n)
{
    char *first, *p;

    if (!atomic_load(&later.armed) || strcmp(symbol, later.symbol)) {
        return;
    }
    /* not any call: the one that is about these pages */
    first = find(later.size) + later.offset;
    for (size_t i = 0; i < n; i++) {
        p = iov[i].iov_base;
        if (p < first + later.len && first < p + iov[i].iov_len &&
            atomic_exchange(&later.armed, 0)) {
            fail(later.size, later.offset, later.len);
        }
    }
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
    static ssize_t (*real)(int, const struct iovec *, int);

    if (!real) {
        real = dlsym(RTLD_NEXT, "writev");
    }
    before("writev", iov, n);
    return real(fd, iov, n);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    static ssize_t (*real)(int, const struct msghdr *, int);

    if (!real) {
        real = dlsym(RTLD_NEXT, "sendmsg");
    }
    before("sendmsg", msg->msg_iov, msg->msg_iovlen);
    for (size_t i = 0; atomic_load(&told.armed) && i < msg->msg_iovlen; i++) {
        if (memmem(msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len,
                   second_ping, sizeof(second_ping) - 1)) {
            tell("postcopy");
        }
    }
    return real(fd, msg, flags);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    static ssize_t (*real)(int, const struct iovec *, int, off_t);

    if (!real) {
        real = dlsym(RTLD_NEXT, "pwritev");
    }
    before("pwritev", iov, n);
    return real(fd, iov, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t offset)
{
    return pwritev(fd, iov, n, offset);
}

static const char *command(const char *line)
{
    unsigned long size, offset, len;

    if (sscanf(line, "fail %lu %lu %lu", &size, &offset, &len) == 3) {
        return fail(size, offset, len);
    }
    if (sscanf(line, "once %lu %lu %lu", &size, &offset, &len) == 3) {
        once_len = len;
        atomic_store(&once_start, find(size) + offset);
        return fail(size, offset, len);
    }
    if (!strncmp(line, "after ", 6)) {
        return arm(&later, line);
    }
    if (!strncmp(line, "told ", 5)) {
        return arm(&told, line);
    }
    if (!strncmp(line, "armed", 5)) {
        return atomic_load(&later.armed) || atomic_load(&told.armed) ? "yes" :
                                                                       "no";
    }
    return "bad command";
}

static void *serve(void *opaque)
{
    int listener = (intptr_t)opaque, fd = accept(listener, NULL, NULL);
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    char line[256];

    while (in && out && fgets(line, sizeof(line), in)) {
        fprintf(out, "%s\n", command(line));
        fflush(out);
    }
    return NULL;
}

static __attribute__((constructor)) void start(void)
{
    const char *path = getenv("FAIL_SOCKET");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sigset_t all, old;
    pthread_t thread;

    if (!path || strlen(path) >= sizeof(addr.sun_path)) {
        return;
    }
    strcpy(addr.sun_path, path);
    unlink(path);
    if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
        listen(listener, 1)) {
        perror("FAIL_SOCKET");
        exit(1);
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}
