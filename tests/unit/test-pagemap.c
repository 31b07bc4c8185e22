/*
 * Looking for failed memory in a page table: how much one slice does
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "accel/kvm/pagemap.h"
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

/* linux/userfaultfd.h, under names of our own: older headers lack it */
typedef struct UffdPoison {
    uint64_t start, len;
    uint64_t mode;
    int64_t updated;
} UffdPoison;
#define POISON_IOCTL _IOWR(UFFDIO, 0x08, UffdPoison)
#define MODE_USER_ONLY 1

#define PRESENT (1ULL << 63)
#define SWAPPED (1ULL << 62)

#define PAGE    4096
#define PAGES   (1024 * 1024)           /* 4 GiB */
#define GIB     ((uint64_t)1 << 30)

/* Nothing is there, and nothing is accessed. */
#define HOST    ((uint8_t *)(64 * (uintptr_t)PAGE))

static unsigned int nr_found;
static unsigned int found[2 * PAGEMAP_SLICE_SWAPPED];

static void note(uint8_t *host)
{
    g_assert_cmpuint((host - HOST) % PAGE, ==, 0);
    g_assert_cmpuint(nr_found, <, G_N_ELEMENTS(found));
    found[nr_found++] = (host - HOST) / PAGE;
}

static void not_expected(uint8_t *host)
{
    g_assert_not_reached();
}

/* Returns the number of slices that it takes. */
static unsigned int look_at_all(Pagemap *p, uint8_t *host, uint64_t len,
                                void (*swapped)(uint8_t *host))
{
    unsigned int slices = 0;
    uint64_t done = 0;

    while (done < len) {
        unsigned int before = nr_found;
        uint64_t now;

        p->scanned = p->read = p->swapped = 0;
        now = pagemap_look(p, host + done, len - done, swapped);
        g_assert_cmpuint(now, >, 0);
        g_assert_cmpuint(now, <=, len - done);
        g_assert_cmpuint(now % p->page, ==, 0);
        g_assert_cmpuint(p->scanned, <=, PAGEMAP_SLICE_SCANNED);
        g_assert_cmpuint(p->read, <=, PAGEMAP_SLICE_READ);
        g_assert_cmpuint(nr_found - before, <=, PAGEMAP_SLICE_SWAPPED);
        done += now;
        slices++;
    }
    return slices;
}

/* A file takes the place of the page table, without PAGEMAP_SCAN. */
static Pagemap fake(void)
{
    g_autofree char *name = NULL;
    Pagemap p = { .page = PAGE };

    p.fd = g_file_open_tmp("pagemap-XXXXXX", &name, NULL);
    g_assert_cmpint(p.fd, >=, 0);
    unlink(name);
    g_assert_cmpint(ftruncate(p.fd, ((uintptr_t)HOST / PAGE + PAGES) * 8), ==,
                    0);
    return p;
}

static void set_entry(const Pagemap *p, unsigned int page, uint64_t entry)
{
    g_assert_cmpint(pwrite(p->fd, &entry, sizeof(entry),
                           ((uintptr_t)HOST / PAGE + page) * 8), ==, 8);
}

static void test_read(void)
{
    static const unsigned int swapped[] = {
        0, 1, 511, 512, PAGEMAP_SLICE_READ - 1, PAGEMAP_SLICE_READ, 700001,
        PAGES - 1,
    };
    Pagemap p = fake();
    unsigned int slices;

    for (size_t i = 0; i < G_N_ELEMENTS(swapped); i++) {
        set_entry(&p, swapped[i], SWAPPED | 12345);
    }
    set_entry(&p, 2, PRESENT);
    set_entry(&p, 3, PRESENT | SWAPPED);
    nr_found = 0;
    slices = look_at_all(&p, HOST, (uint64_t)PAGES * PAGE, note);
    g_assert_true(p.no_scan);
    g_assert_cmpuint(slices, ==, PAGES / PAGEMAP_SLICE_READ);
    g_assert_cmpuint(nr_found, ==, G_N_ELEMENTS(swapped));
    g_assert_cmpint(memcmp(found, swapped, sizeof(swapped)), ==, 0);
    close(p.fd);
}

/* A slice that has begun in another block ends as early. */
static void test_second_block(void)
{
    Pagemap p = fake();

    g_assert_cmpuint(pagemap_look(&p, HOST, 100 * PAGE, not_expected), ==,
                     100 * PAGE);
    g_assert_cmpuint(pagemap_look(&p, HOST, (uint64_t)PAGES * PAGE,
                                  not_expected), ==,
                     (PAGEMAP_SLICE_READ - 100) * PAGE);
    close(p.fd);
}

/* A guest that is swapped out: each page is found, in more slices. */
static void test_many_are_swapped(void)
{
    Pagemap p = fake();
    unsigned int n = 2 * PAGEMAP_SLICE_SWAPPED;

    for (unsigned int i = 0; i < n; i++) {
        set_entry(&p, 100 + i, SWAPPED);
    }
    nr_found = 0;
    look_at_all(&p, HOST, 1024 * PAGE, note);
    g_assert_cmpuint(nr_found, ==, n);
    for (unsigned int i = 0; i < n; i++) {
        g_assert_cmpuint(found[i], ==, 100 + i);
    }
    close(p.fd);
}

/* What the kernel does not say anything of is passed over. */
static void test_no_entries(void)
{
    Pagemap p = fake();

    g_assert_cmpint(ftruncate(p.fd, 0), ==, 0);
    /* at once: nobody waits for 64 TiB */
    g_assert_cmpuint(look_at_all(&p, HOST, (uint64_t)64 << 40, not_expected),
                     ==, 1);
    close(p.fd);
}

/* The page table of this process, in the way that this kernel has */
static void test_own_memory(void)
{
    const uint64_t len = 8 * GIB;
    Pagemap p = {
        .page = sysconf(_SC_PAGE_SIZE),
        .fd = open("/proc/self/pagemap", O_RDONLY),
    };
    uint8_t *host = mmap(NULL, len, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int64_t start;
    unsigned int slices;

    g_assert_true(host != MAP_FAILED);
    g_assert_cmpint(p.fd, >=, 0);
    for (uint64_t i = 0; i < len; i += GIB / 4) {
        memset(host + i, 1, GIB / 1024);
    }
    start = g_get_monotonic_time();
    slices = look_at_all(&p, host, len, not_expected);
    g_test_message("%s: %u slices, %" PRId64 " us", p.no_scan ? "read" :
                   "PAGEMAP_SCAN", slices, g_get_monotonic_time() - start);
    g_assert_cmpuint(slices, >=, len / p.page / MAX(PAGEMAP_SLICE_SCANNED,
                                                    PAGEMAP_SLICE_READ));
    p.no_scan = true;
    start = g_get_monotonic_time();
    slices = look_at_all(&p, host, len, not_expected);
    g_test_message("read: %u slices, %" PRId64 " us", slices,
                   g_get_monotonic_time() - start);
    g_assert_cmpuint(slices, >=, len / p.page / PAGEMAP_SLICE_READ);
    munmap(host, len);
    close(p.fd);
}

static uint8_t *memory;

static void note_failed(uint8_t *host)
{
    g_assert_cmpuint(nr_found, <, G_N_ELEMENTS(found));
    found[nr_found++] = (host - memory) / sysconf(_SC_PAGE_SIZE);
}

static bool poison(uint8_t *host, size_t len)
{
    int fd = syscall(SYS_userfaultfd, O_CLOEXEC | MODE_USER_ONLY);
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register reg = {
        .mode = UFFDIO_REGISTER_MODE_MISSING,
        .range = { .start = (uintptr_t)host, .len = len },
    };
    UffdPoison arg = { .start = (uintptr_t)host, .len = len };
    bool ok = fd >= 0 && !ioctl(fd, UFFDIO_API, &api) &&
              !ioctl(fd, UFFDIO_REGISTER, &reg) &&
              !ioctl(fd, POISON_IOCTL, &arg) &&
              !ioctl(fd, UFFDIO_UNREGISTER, &reg.range);

    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Pages that have failed count as swapped out, in both ways to look. */
static void test_failed(void)
{
    static const unsigned int failed[] = { 5, 6, 40 };
    Pagemap p = {
        .page = sysconf(_SC_PAGE_SIZE),
        .fd = open("/proc/self/pagemap", O_RDONLY),
    };
    const uint64_t len = 64 * p.page;

    memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(memory != MAP_FAILED);
    g_assert_cmpint(p.fd, >=, 0);
    if (poison(memory + 5 * p.page, 2 * p.page) &&
        poison(memory + 40 * p.page, p.page)) {
        for (int i = 0; i < 2; i++) {
            nr_found = 0;
            look_at_all(&p, memory, len, note_failed);
            g_assert_cmpuint(nr_found, ==, G_N_ELEMENTS(failed));
            g_assert_cmpint(memcmp(found, failed, sizeof(failed)), ==, 0);
            p.no_scan = true;
        }
    } else {
        g_test_skip("the kernel has no UFFDIO_POISON, or does not let us");
    }
    munmap(memory, len);
    close(p.fd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pagemap/read", test_read);
    g_test_add_func("/pagemap/second-block", test_second_block);
    g_test_add_func("/pagemap/many-are-swapped", test_many_are_swapped);
    g_test_add_func("/pagemap/no-entries", test_no_entries);
    g_test_add_func("/pagemap/own-memory", test_own_memory);
    g_test_add_func("/pagemap/failed", test_failed);

    return g_test_run();
}
