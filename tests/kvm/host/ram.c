/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in the host of the KVM tests.  The RAM of the guest is a file there, in
 * tmpfs, and this does what hardware would do to it, or tells where it is:
 *
 *   ram poison FILE OFFSET...   the pages fail, as in a machine check
 *   ram where FILE OFFSET...    prints their physical addresses, one a line
 *   ram read FILE OFFSET...     prints the 8 bytes there, as a number, one a
 *                               line
 *   ram load FILE OFFSET...     the same, by a process that maps the file; or
 *                               prints SIGBUS, if that kills it
 *   ram compare FILE OTHER [OFFSET...]
 *                               prints where all but these pages differ first,
 *                               and the 8 bytes there, a page a line; fails if
 *                               one of the others has failed
 *
 * OFFSET is the number of bytes from the begin of the file to a page, and to
 * a multiple of 8 for "read" and "load".
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/* Let a process of its own do that; true if SIGBUS has killed it. */
static bool is_killed(void (*act)(int fd, off_t offset), int fd, off_t offset)
{
    pid_t pid = fork();
    int status;

    if (pid < 0) {
        err(1, "fork");
    }
    if (pid == 0) {
        act(fd, offset);
        fflush(stdout);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid) {
        err(1, "waitpid");
    }
    if (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) != SIGBUS) {
        errx(1, "page 0x%llx: wait status 0x%x", (unsigned long long)offset,
             status);
    }
    return WIFSIGNALED(status);
}

static void poison_page(int fd, off_t offset)
{
    /* The kernel is busy if a device has the page, too, which then keeps it. */
    if (madvise(map_page(fd, offset), page_size, MADV_HWPOISON) &&
        errno != EBUSY) {
        err(1, "MADV_HWPOISON at 0x%llx", (unsigned long long)offset);
    }
}

/*
 * The kernel sends a SIGBUS that cannot be ignored to the process that asks
 * for this.
 */
static void poison(int fd, off_t offset)
{
    is_killed(poison_page, fd, offset);
}

static void load_number(int fd, off_t offset)
{
    /* volatile: it is read from memory, once */
    volatile uint64_t *page = map_page(fd, offset);

    printf("0x%llx\n",
           (unsigned long long)page[offset % page_size / sizeof(*page)]);
}

static void load(int fd, off_t offset)
{
    if (is_killed(load_number, fd, offset)) {
        puts("SIGBUS");
        fflush(stdout);
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

static bool is_among(off_t offset, char **offsets)
{
    for (; *offsets; offsets++) {
        if (strtoull(*offsets, NULL, 0) / page_size == offset / page_size) {
            return true;
        }
    }
    return false;
}

static void read_page(int fd, void *page, off_t offset)
{
    if (pread(fd, page, page_size, offset) != (ssize_t)page_size) {
        err(1, "pread at 0x%llx", (unsigned long long)offset);
    }
}

/* The first page from @offset on that is not a hole of the file. */
static off_t next_data(int fd, off_t offset, off_t size)
{
    off_t data = lseek(fd, offset, SEEK_DATA);

    if (data < 0) {
        /* hugetlbfs does not say where there are any */
        return errno == ENXIO ? size : offset;
    }
    return data / page_size * page_size;
}

static void compare(int fd, int other, char **but)
{
    uint64_t *page = malloc(page_size), *same = malloc(page_size);
    off_t size = lseek(fd, 0, SEEK_END);

    if (!page || !same || lseek(other, 0, SEEK_END) != size) {
        errx(1, "sizes differ, or there is no memory");
    }
    for (off_t offset = 0; offset < size; offset += page_size) {
        off_t first = next_data(fd, offset, size);
        off_t second = next_data(other, offset, size);
        size_t i = 0;

        offset = first < second ? first : second;
        if (offset == size || is_among(offset, but)) {
            continue;
        }
        read_page(fd, page, offset);
        read_page(other, same, offset);
        if (!memcmp(page, same, page_size)) {
            continue;
        }
        while (page[i] == same[i]) {
            i++;
        }
        printf("0x%llx:0x%llx:0x%llx\n",
               (unsigned long long)(offset + i * sizeof(*page)),
               (unsigned long long)page[i], (unsigned long long)same[i]);
    }
}

static int open_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        err(1, "%s", name);
    }
    return fd;
}

int main(int argc, char **argv)
{
    void (*act)(int fd, off_t offset) = NULL;
    bool compared = argc > 3 && !strcmp(argv[1], "compare");
    struct statfs fs;
    int fd;

    if (argc > 3) {
        act = !strcmp(argv[1], "poison") ? poison :
              !strcmp(argv[1], "where") ? where :
              !strcmp(argv[1], "read") ? read_number :
              !strcmp(argv[1], "load") ? load : NULL;
    }
    if (!act && !compared) {
        errx(2, "usage: ram poison|where|read|load FILE OFFSET..., or "
             "compare");
    }
    fd = open_file(argv[2]);
    if (fstatfs(fd, &fs)) {
        err(1, "fstatfs");
    }
    page_size = fs.f_bsize;
    if (compared) {
        compare(fd, open_file(argv[3]), argv + 4);
        return 0;
    }
    for (int i = 3; i < argc; i++) {
        act(fd, strtoull(argv[i], NULL, 0));
    }
    return 0;
}
