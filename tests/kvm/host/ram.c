/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in the host of the KVM tests.  The RAM of the guest is a file there, in
 * tmpfs, and this does what hardware would do to it, or tells where it is:
 *
 *   ram poison FILE OFFSET...   the pages fail, as in a machine check
 *   ram where FILE OFFSET...    prints their physical addresses, one a line
 *   ram read FILE OFFSET...     prints the 8 bytes there, as a number, one a
 *                               line
 *   ram sum FILE [OFFSET...]    prints a checksum of all but these pages; fails
 *                               if one of the others has failed
 *
 * OFFSET is the number of bytes from the begin of the file to a page, and to
 * a multiple of 8 for "read".
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_FRAME ((1ULL << 55) - 1)

static size_t page_size;

/* The page at offset of file fd, in memory; pages of hugetlbfs are huge. */
static void *map_page(int fd, off_t offset)
{
    void *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_POPULATE, fd,
                      offset / page_size * page_size);

    if (page == MAP_FAILED) {
        err(1, "mmap at 0x%llx", (unsigned long long)offset);
    }
    return page;
}

/*
 * The kernel sends a SIGBUS that cannot be ignored to the process that asks
 * for this, so each page has a process of its own.
 */
static void poison(int fd, off_t offset)
{
    pid_t pid = fork();
    int status;

    if (pid < 0) {
        err(1, "fork");
    }
    if (pid == 0) {
        if (madvise(map_page(fd, offset), page_size, MADV_HWPOISON)) {
            err(1, "MADV_HWPOISON at 0x%llx", (unsigned long long)offset);
        }
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid) {
        err(1, "waitpid");
    }
    if (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) != SIGBUS) {
        errx(1, "page 0x%llx: wait status 0x%x", (unsigned long long)offset,
             status);
    }
}

static void where(int fd, off_t offset)
{
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    void *page = map_page(fd, offset);
    uint64_t entry;

    if (pagemap < 0 ||
        pread(pagemap, &entry, sizeof(entry),
              (uintptr_t)page / getpagesize() * sizeof(entry)) !=
        sizeof(entry)) {
        err(1, "pagemap");
    }
    if (!(entry & PAGEMAP_PRESENT)) {
        errx(1, "page 0x%llx is not in memory", (unsigned long long)offset);
    }
    printf("0x%llx\n",
           (unsigned long long)((entry & PAGEMAP_FRAME) * getpagesize() +
                                offset % page_size));
    close(pagemap);
}

static void read_number(int fd, off_t offset)
{
    uint64_t number;

    if (pread(fd, &number, sizeof(number), offset) != sizeof(number)) {
        err(1, "pread at 0x%llx", (unsigned long long)offset);
    }
    printf("0x%llx\n", (unsigned long long)number);
}

/* Zero for a page of zeros. */
static uint64_t sum_of_page(const uint64_t *words, off_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < page_size / sizeof(*words); i++) {
        sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ULL;
        sum ^= sum >> 29;
    }
    return sum * (2 * (offset / page_size) + 1);
}

static bool is_among(off_t offset, char **offsets)
{
    for (; *offsets; offsets++) {
        if (strtoull(*offsets, NULL, 0) / page_size == offset / page_size) {
            return true;
        }
    }
    return false;
}

static void sum_all(int fd, char **but)
{
    uint64_t *page = malloc(page_size), sum = 0;
    off_t size = lseek(fd, 0, SEEK_END), offset = 0;

    while (page && offset < size) {
        off_t data = lseek(fd, offset, SEEK_DATA);

        if (data < 0 && errno == ENXIO) {
            break;
        }
        /* hugetlbfs does not say where there are any. */
        if (data >= 0) {
            offset = data / page_size * page_size;
        }
        if (!is_among(offset, but)) {
            if (pread(fd, page, page_size, offset) != (ssize_t)page_size) {
                err(1, "pread at 0x%llx", (unsigned long long)offset);
            }
            sum += sum_of_page(page, offset);
        }
        offset += page_size;
    }
    printf("0x%llx\n", (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    void (*act)(int fd, off_t offset) = NULL;
    bool sum = argc > 2 && !strcmp(argv[1], "sum");
    struct statfs fs;
    int fd;

    if (argc > 3) {
        act = !strcmp(argv[1], "poison") ? poison :
              !strcmp(argv[1], "where") ? where :
              !strcmp(argv[1], "read") ? read_number : NULL;
    }
    if (!act && !sum) {
        errx(2, "usage: ram poison|where|read|sum FILE OFFSET...");
    }
    fd = open(argv[2], O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        err(1, "%s", argv[2]);
    }
    if (fstatfs(fd, &fs)) {
        err(1, "fstatfs");
    }
    page_size = fs.f_bsize;
    if (sum) {
        sum_all(fd, argv + 3);
        return 0;
    }
    for (int i = 3; i < argc; i++) {
        act(fd, strtoull(argv[i], NULL, 0));
    }
    return 0;
}
