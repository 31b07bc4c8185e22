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

/* Is one of these pages in the @len bytes from @offset on? */
static bool has_any(off_t offset, off_t len, char **offsets)
{
    for (; *offsets; offsets++) {
        off_t page = strtoull(*offsets, NULL, 0) / page_size * page_size;

        if (page >= offset && page < offset + len) {
            return true;
        }
    }
    return false;
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

static void compare_page(int fd, int other, off_t offset, uint64_t *page,
                         uint64_t *same)
{
    size_t i = 0;

    if (pread(fd, page, page_size, offset) != (ssize_t)page_size ||
        pread(other, same, page_size, offset) != (ssize_t)page_size) {
        err(1, "pread at 0x%llx", (unsigned long long)offset);
    }
    if (!memcmp(page, same, page_size)) {
        return;
    }
    while (page[i] == same[i]) {
        i++;
    }
    printf("0x%llx:0x%llx:0x%llx\n",
           (unsigned long long)(offset + i * sizeof(*page)),
           (unsigned long long)page[i], (unsigned long long)same[i]);
}

static void compare(int fd, int other, char **but)
{
    /* Many pages at once are much faster. */
    off_t at_once = page_size < 1 << 20 ? 1 << 20 : page_size, len;
    uint64_t *one = malloc(at_once), *two = malloc(at_once);
    off_t size = lseek(fd, 0, SEEK_END);

    if (!one || !two || lseek(other, 0, SEEK_END) != size) {
        errx(1, "sizes differ, or there is no memory");
    }
    for (off_t offset = 0; offset < size; offset += len) {
        off_t first = next_data(fd, offset, size);
        off_t second = next_data(other, offset, size);

        offset = first < second ? first : second;
        len = size - offset < at_once ? size - offset : at_once;
        if (!has_any(offset, len, but) &&
            pread(fd, one, len, offset) == len &&
            pread(other, two, len, offset) == len &&
            !memcmp(one, two, len)) {
            continue;
        }
        for (off_t at = offset; at < offset + len; at += page_size) {
            if (!has_any(at, page_size, but)) {
                compare_page(fd, other, at, one, two);
            }
        }
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
