/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into the inner QEMU: a signal that comes late
 *
 * The kernel of a host takes failed memory away, and sends SIGBUS a little
 * later.  If QEMU has found and replaced the memory meanwhile, the signal names
 * what is good.  Here: when there is a file /tmp/late-signal and QEMU discards
 * a part of the file that is the guest's RAM, on its main thread, the signal
 * follows, and the file goes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where this offset of the file is mapped; NULL if it is not. */
static void *address_of(const char *file, uint64_t offset)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], name[256];
    uint64_t first, last, begin;
    void *found = NULL;

    while (maps && !found && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &first, &last, &begin,
                   name) == 4 && strcmp(name, file) == 0 && offset >= begin &&
            offset - begin < last - first) {
            found = (void *)(first + (offset - begin));
        }
    }
    if (maps) {
        fclose(maps);
    }
    return found;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    int ret = syscall(SYS_fallocate, fd, mode, offset, length);
    siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };

    if (ret == 0 && (mode & FALLOC_FL_PUNCH_HOLE) && gettid() == getpid() &&
        unlink("/tmp/late-signal") == 0) {
        info.si_addr = address_of("/ram/guest", offset);
        info.si_addr_lsb = 12;
        syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info);
    }
    return ret;
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return fallocate64(fd, mode, offset, length);
}
