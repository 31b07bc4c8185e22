/*
 * Guest RAS: tests of copies of memory that may have failed
 *
 * Pages fail by UFFDIO_POISON where the kernel has it.  Everywhere, an access
 * beyond the end of a file raises SIGBUS as well, and the handler here makes of
 * it what the kernel sends for failed memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/ras-copy.h"
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/userfaultfd.h>

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5
#endif

/* linux/userfaultfd.h, under names of our own: older headers lack it */
typedef struct UffdPoison {
    uint64_t start, len;
    uint64_t mode;
    int64_t updated;
} UffdPoison;
#define POISON_IOCTL _IOWR(UFFDIO, 0x08, UffdPoison)
#define MODE_USER_ONLY 1

/* Three pages; the one in the middle fails. */
static size_t page;
static uint8_t *ram;

static struct {
    int signals, refused;
    int add_code;               /* in the place of BUS_ADRERR */
    int lsb;
    void *addr;                 /* if not that of the access */
    bool name_instruction;      /* as POWER does */
    uint8_t *failed;            /* what ras_copy_recover() has said */
    bool stop_if_refused;
} handling;

static void handler(int sig, siginfo_t *info, void *context)
{
    siginfo_t mine = *info;
    void *failed = NULL;

    handling.signals++;
    if (mine.si_code == BUS_ADRERR && handling.add_code) {
        mine.si_code = handling.add_code;
        mine.si_addr_lsb = handling.lsb;
    }
    if (handling.addr) {
        mine.si_addr = handling.addr;
    }
    if (handling.name_instruction) {
        mine.si_addr = (void *)ras_copy_context_pc(context);
        mine.si_addr_lsb = 0;
    }
    if (ras_copy_recover(&mine, context, &failed)) {
        handling.failed = failed;
        return;
    }
    handling.refused++;
    if (handling.stop_if_refused) {
        static const char text[] = "refused\n";

        _exit(write(STDERR_FILENO, text, strlen(text)) < 0 ? 2 : 1);
    }
    /* heal, so that the test goes on */
    mprotect(ram, 3 * page, PROT_READ | PROT_WRITE);
    if (mmap(ram + page, page, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        _exit(3);
    }
}

/* By a file that ends before it; pages of it are numbered from @ram. */
static void map_file(void)
{
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("ras-copy-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    unlink(name);
    g_assert_cmpint(ftruncate(fd, page), ==, 0);
    ram = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(ram != MAP_FAILED);
    g_assert_true(mmap(ram + page, page, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED, fd, page) == ram + page);
    g_assert_true(mmap(ram + 2 * page, page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                  ram + 2 * page);
    close(fd);
    memset(&handling, 0, sizeof(handling));
    handling.add_code = BUS_MCEERR_AR;
    handling.lsb = __builtin_ctzl(page);
    handling.stop_if_refused = true;
}

/* By the kernel itself; returns false if it has no way. */
static bool map_poison(void)
{
    int fd = syscall(SYS_userfaultfd, O_CLOEXEC | MODE_USER_ONLY);
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
    UffdPoison poison = { 0 };
    bool ok;

    memset(&handling, 0, sizeof(handling));
    /* what a kernel without CONFIG_MEMORY_FAILURE makes of it */
    handling.add_code = BUS_MCEERR_AR;
    handling.lsb = __builtin_ctzl(page);
    handling.stop_if_refused = true;
    ram = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(ram != MAP_FAILED);
    if (fd < 0) {
        return false;
    }
    poison.start = reg.range.start = (uintptr_t)ram + page;
    poison.len = reg.range.len = page;
    ok = !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg) &&
         !ioctl(fd, POISON_IOCTL, &poison) &&
         !ioctl(fd, UFFDIO_UNREGISTER, &reg.range);
    close(fd);
    return ok;
}

static void unmap(void)
{
    munmap(ram, 3 * page);
}

static const size_t lengths[] = {
    0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127,
    128, 129, 191, 192, 255, 256, 511, 512, 1000, 1023, 1024, 1025, 2000, 4000,
    4095, 4096, 8191, 8192, 8193,
};

static uint8_t pattern(size_t i)
{
    return i * 7 + i / 256 + 1;
}

/* Good memory: what memcpy() does, and not a byte more. */
static void test_good(void)
{
    static uint8_t src[8193 + 64], dst[8193 + 64];

    for (size_t i = 0; i < sizeof(src); i++) {
        src[i] = pattern(i);
    }
    for (size_t n = 0; n < G_N_ELEMENTS(lengths); n++) {
        for (size_t at = 0; at < 16; at++) {
            size_t len = lengths[n];

            for (int side = 0; side < 2; side++) {
                memset(dst, 0xee, sizeof(dst));
                g_assert_cmpuint(side ?
                                 ras_copy_to_guest(dst + at, src + 15 - at,
                                                   len) :
                                 ras_copy_from_guest(dst + at, src + 15 - at,
                                                     len), ==, len);
                g_assert_cmpint(memcmp(dst + at, src + 15 - at, len), ==, 0);
                for (size_t i = 0; i < sizeof(dst); i++) {
                    g_assert_true((i >= at && i < at + len) ||
                                  dst[i] == 0xee);
                }
            }
            g_assert_cmpuint(ras_set_guest(dst + at, 0x55, len), ==, len);
            for (size_t i = 0; i < sizeof(dst); i++) {
                g_assert_cmphex(dst[i], ==,
                                i >= at && i < at + len ? 0x55 : 0xee);
            }
            g_assert_true(ras_can_read(src + at, len));
        }
    }
}

static void test_overlap(void)
{
    static uint8_t buf[3000], want[3000];

    for (size_t n = 0; n < G_N_ELEMENTS(lengths); n++) {
        for (int shift = -70; shift <= 70; shift++) {
            size_t len = MIN(lengths[n], 2800);

            for (int side = 0; side < 2; side++) {
                for (size_t i = 0; i < sizeof(buf); i++) {
                    want[i] = buf[i] = pattern(i);
                }
                memmove(want + 100 + shift, want + 100, len);
                g_assert_cmpuint(side ?
                                 ras_copy_to_guest(buf + 100 + shift,
                                                   buf + 100, len) :
                                 ras_copy_from_guest(buf + 100 + shift,
                                                     buf + 100, len), ==, len);
                g_assert_cmpint(memcmp(want, buf, sizeof(buf)), ==, 0);
            }
        }
    }
}

static void test_zero(void)
{
    static uint8_t buf[4096 + 8];

    for (size_t at = 0; at < 8; at++) {
        for (size_t len = 0; len <= 4096; len += 64) {
            g_assert_cmpint(ras_is_zero(buf + at, len), ==, RAS_IS_ZERO);
        }
    }
    for (size_t i = 0; i < 4096; i++) {
        for (int bit = 0; bit < 8; bit += 7) {
            buf[i] = 1 << bit;
            g_assert_cmpint(ras_is_zero(buf, 4096), ==, RAS_IS_NOT_ZERO);
            buf[i] = 0;
        }
    }
    buf[4096] = 1;
    g_assert_cmpint(ras_is_zero(buf, 4096), ==, RAS_IS_ZERO);
    buf[4096] = 0;
}

/*
 * Copies that end in the failed page, that begin there, and that go over it;
 * by all places of the first failed byte in a block.
 */
static void check_failing(void)
{
    g_autofree uint8_t *mine = g_malloc(3 * page);

    for (size_t i = 0; i < page; i++) {
        ram[i] = pattern(i);
    }
    memset(ram + 2 * page, 0x77, page);
    for (size_t n = 0; n < G_N_ELEMENTS(lengths); n++) {
        for (size_t before = 0; before <= 70; before++) {
            size_t len = MIN(lengths[n], page + 70), good = MIN(before, len);
            uint8_t *at = ram + page - before;

            memset(mine, 0x99, 3 * page);
            handling.signals = 0;
            g_assert_cmpuint(ras_copy_from_guest(mine, at, len), ==, good);
            g_assert_cmpint(memcmp(mine, at, good), ==, 0);
            for (size_t i = good; i < len; i++) {
                g_assert_cmphex(mine[i], ==, 0);
            }
            g_assert_cmphex(mine[len], ==, 0x99);
            g_assert_cmpint(handling.signals, ==, len > before);
            g_assert_true(len <= before || handling.failed == ram + page);
            g_assert_cmpint(ras_can_read(at, len), ==, len <= before);

            memset(mine, 0x33, 3 * page);
            g_assert_cmpuint(ras_copy_to_guest(at, mine, len), ==, good);
            g_assert_cmpint(memcmp(mine, at, good), ==, 0);
            g_assert_cmpuint(ras_set_guest(at, 0x44, len), ==, good);
            for (size_t i = 0; i < good; i++) {
                g_assert_cmphex(at[i], ==, 0x44);
            }
            for (size_t i = page - before; i < page; i++) {
                ram[i] = pattern(i);
            }
        }
    }
    /* in the middle of the failed page, and over all of it */
    g_assert_cmpuint(ras_copy_from_guest(mine, ram + page + 40, 8), ==, 0);
    g_assert_cmpuint(ras_copy_from_guest(mine, ram, 3 * page), ==, page);
    g_assert_cmpint(memcmp(mine, ram, page), ==, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram, mine, 3 * page), ==, page);
    /* behind it, all is well */
    g_assert_cmpuint(ras_copy_from_guest(mine, ram + 2 * page, page), ==,
                     page);
    g_assert_cmphex(mine[0], ==, 0x77);
    /* to itself, in either direction */
    g_assert_cmpuint(ras_copy_to_guest(ram + page - 8, ram, 512), ==, 8);
    g_assert_cmpuint(ras_copy_from_guest(ram, ram + page - 8, 512), ==, 8);

    memset(ram, 0, page);
    g_assert_cmpint(ras_is_zero(ram, page), ==, RAS_IS_ZERO);
    g_assert_cmpint(ras_is_zero(ram + page, page), ==, RAS_IS_UNREADABLE);
    g_assert_cmpint(ras_is_zero(ram + page - 64, 128), ==, RAS_IS_UNREADABLE);
}

static bool have_recovery(void)
{
#if defined(__x86_64__) || defined(__aarch64__) || defined(__powerpc64__)
    return true;
#else
    g_test_skip("no recovery on this host");
    return false;
#endif
}

static void test_file(void)
{
    if (have_recovery()) {
        map_file();
        check_failing();
        unmap();
    }
}

static void test_poison(void)
{
    if (!have_recovery()) {
        return;
    }
    if (map_poison()) {
        check_failing();
    } else {
        g_test_skip("the kernel has no UFFDIO_POISON, or does not let us");
    }
    unmap();
}

static gpointer copy_in_thread(gpointer opaque)
{
    uint8_t mine[4096];
    int *round = opaque;

    for (int i = 0; i < 1000; i++) {
        size_t before = (i + *round) % 64;

        g_assert_cmpuint(ras_copy_from_guest(mine, ram + page - before, 2048),
                         ==, before);
    }
    return NULL;
}

/* What the handler has found is of its own thread. */
static void test_threads(void)
{
    GThread *thread[4];
    int round[4];

    if (!have_recovery()) {
        return;
    }
    map_file();
    for (int i = 0; i < 4; i++) {
        round[i] = i * 13;
        thread[i] = g_thread_new("copy", copy_in_thread, &round[i]);
    }
    for (int i = 0; i < 4; i++) {
        g_thread_join(thread[i]);
    }
    g_assert_cmpint(handling.refused, ==, 0);
    unmap();
}

/* The failed granule is large, and its beginning is what the host names. */
static void test_huge(void)
{
    uint8_t mine[64];

    if (!have_recovery()) {
        return;
    }
    map_file();
    handling.lsb = 21;
    handling.addr = (void *)((uintptr_t)(ram + page) & -(uintptr_t)(1 << 21));
    g_assert_cmpuint(ras_copy_from_guest(mine, ram + page + 128, 64), ==, 0);
    g_assert_true(handling.failed == ram + page + 128);
    unmap();
}

static void check_sizes(const uint8_t *at, size_t want1)
{
    uint64_t val;

    g_assert_cmpuint(ras_copy_from_guest(&val, at, 1), ==, want1);
    g_assert_cmpuint(ras_copy_from_guest(&val, at, 2), ==, 2 * want1);
    g_assert_cmpuint(ras_copy_from_guest(&val, at, 4), ==, 4 * want1);
    g_assert_cmpuint(ras_copy_from_guest(&val, at, 8), ==, 8 * want1);
}

/* Sizes that the compiler knows: each access at once, all of it or nothing. */
static void test_sizes(void)
{
    uint64_t val = 0x0102030405060708, got = 0;

    if (!have_recovery()) {
        return;
    }
    map_file();
    check_sizes(ram, 1);
    check_sizes(ram + page, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram, &val, 8), ==, 8);
    g_assert_cmpint(memcmp(ram, &val, 8), ==, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram + 8, &val, 4), ==, 4);
    g_assert_cmpuint(ras_copy_to_guest(ram + 12, &val, 2), ==, 2);
    g_assert_cmpuint(ras_copy_to_guest(ram + 14, &val, 1), ==, 1);
    g_assert_cmpuint(ras_copy_from_guest(&got, ram + 8, 4), ==, 4);
    g_assert_cmpint(memcmp(&got, &val, 4), ==, 0);
    g_assert_cmpint(memcmp(ram + 12, &val, 2), ==, 0);
    g_assert_cmpint(memcmp(ram + 14, &val, 1), ==, 0);
    g_assert_cmphex(ram[15], ==, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram + page, &val, 8), ==, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram + page, &val, 4), ==, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram + page, &val, 2), ==, 0);
    g_assert_cmpuint(ras_copy_to_guest(ram + page, &val, 1), ==, 0);
    unmap();
}

/* Only POWER does that; elsewhere it is an error of the instructions. */
static void test_instruction(void)
{
    uint8_t mine[64];

    if (!have_recovery()) {
        return;
    }
    map_file();
    handling.name_instruction = true;
#ifdef __powerpc64__
    g_assert_cmpuint(ras_copy_from_guest(mine, ram + page + 128, 64), ==, 0);
    g_assert_true(handling.failed == ram + page + 128);
    /* over the edge: it is the second page */
    g_assert_cmpuint(ras_copy_from_guest(mine, ram + page - 8, 64), ==, 8);
    g_assert_true(handling.failed == ram + page);
    handling.failed = NULL;
    g_assert_cmpuint(ras_copy_to_guest(ram + page - 1, mine, 8), ==, 1);
    g_assert_true(handling.failed == ram + page);
    handling.failed = NULL;
    g_assert_false(ras_can_read(ram + page - 8, 64));
    g_assert_true(handling.failed == ram + page);
    handling.failed = NULL;
    memset(ram + page - 8, 0, 8);
    g_assert_true(ras_is_zero(ram + page - 8, 64) == RAS_IS_UNREADABLE);
    g_assert_true(handling.failed == ram + page);
#else
    handling.stop_if_refused = false;
    g_assert_cmpuint(ras_copy_from_guest(mine, ram + page + 128, 64), ==, 64);
    g_assert_cmpint(handling.refused, ==, 1);
#endif
    unmap();
}

/* Not for recovery: each once, and the access is made again, and succeeds. */
static void check_refused(bool own_memory)
{
    uint8_t mine[64] = { 0 };

    handling.stop_if_refused = false;
    if (own_memory) {
        /* the other side of the copy has failed */
        g_assert_cmpuint(ras_copy_to_guest(mine, ram + page, 64), ==, 64);
    } else {
        g_assert_cmpuint(ras_copy_from_guest(mine, ram + page, 64), ==, 64);
    }
    g_assert_cmpint(handling.signals, ==, 1);
    g_assert_cmpint(handling.refused, ==, 1);
    unmap();
}

static void test_refused(void)
{
    if (!have_recovery()) {
        return;
    }
    map_file();
    check_refused(true);

    map_file();
    handling.add_code = BUS_MCEERR_AO;
    check_refused(false);

    /* BUS_ADRERR is no hardware error */
    map_file();
    handling.add_code = 0;
    check_refused(false);

    /* elsewhere */
    map_file();
    handling.addr = ram + 2 * page;
    check_refused(false);

    /* and what is none of these functions */
    map_file();
    handling.stop_if_refused = false;
    /* volatile: it has to be read */
    g_assert_cmphex(*(volatile uint8_t *)(ram + page), ==, 0);
    g_assert_cmpint(handling.refused, ==, 1);
    unmap();
}

int main(int argc, char **argv)
{
    struct sigaction action = {
        .sa_sigaction = handler,
        .sa_flags = SA_SIGINFO,
    };

    g_test_init(&argc, &argv, NULL);
    page = getauxval(AT_PAGESZ);
    g_assert_cmpint(sigaction(SIGBUS, &action, NULL), ==, 0);
    g_test_add_func("/ras-copy/good-memory", test_good);
    g_test_add_func("/ras-copy/overlap", test_overlap);
    g_test_add_func("/ras-copy/zero", test_zero);
    g_test_add_func("/ras-copy/past-a-file", test_file);
    g_test_add_func("/ras-copy/poison", test_poison);
    g_test_add_func("/ras-copy/threads", test_threads);
    g_test_add_func("/ras-copy/huge-granule", test_huge);
    g_test_add_func("/ras-copy/sizes", test_sizes);
    g_test_add_func("/ras-copy/instruction", test_instruction);
    g_test_add_func("/ras-copy/refused", test_refused);
    return g_test_run();
}
