/*
 * Guest RAS: have memory of a running QEMU fail, as it does on a real host
 *
 * With UFFDIO_POISON a process can mark pages of its own so that each access
 * gets SIGBUS, and each system call EFAULT.  QEMU has to do that itself, so its
 * main thread is stopped, made to do the system calls, and goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "ras-fail.h"
#include <linux/auxvec.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#ifdef __x86_64__

/* linux/userfaultfd.h, under names of our own: older headers lack it */
typedef struct UffdPoison {
    uint64_t start, len;
    uint64_t mode;
    int64_t updated;
} UffdPoison;
#define POISON_IOCTL _IOWR(UFFDIO, 0x08, UffdPoison)
#define MODE_USER_ONLY 1

/* Below the stack, beyond what a function without a frame may use */
#define SCRATCH_OFFSET 4096

bool ras_can_fail(void)
{
    size_t page = qemu_real_host_page_size();
    int fd = syscall(SYS_userfaultfd, O_CLOEXEC | MODE_USER_ONLY);
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
    UffdPoison poison = { .len = page };
    void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool can;

    reg.range.start = poison.start = (uintptr_t)p;
    reg.range.len = page;
    can = fd >= 0 && !ioctl(fd, UFFDIO_API, &api) &&
          !ioctl(fd, UFFDIO_REGISTER, &reg) && !ioctl(fd, POISON_IOCTL,
                                                      &poison);
    if (fd >= 0) {
        close(fd);
    }
    munmap(p, page);
    if (!can) {
        g_test_skip("this kernel has no UFFDIO_POISON for everybody");
    }
    return can;
}

typedef struct Tracee {
    pid_t pid;
    struct user_regs_struct regs;
    uint64_t scratch, entry;
} Tracee;

static void wait_for_stop(Tracee *t)
{
    int status;

    g_assert_cmpint(waitpid(t->pid, &status, __WALL), ==, t->pid);
    g_assert_true(WIFSTOPPED(status));
}

static void copy_to(Tracee *t, const void *from, size_t len)
{
    struct iovec local = { .iov_base = (void *)from, .iov_len = len };
    struct iovec remote = { .iov_base = (void *)t->scratch, .iov_len = len };

    g_assert_cmpint(process_vm_writev(t->pid, &local, 1, &remote, 1, 0), ==,
                    len);
}

/* Where QEMU began: no thread will ever run this code again */
static uint64_t find_entry(pid_t pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/auxv", (int)pid);
    g_autofree char *data = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(file, &data, &len, NULL));
    for (gsize i = 0; i + 16 <= len; i += 16) {
        if (ldq_le_p(data + i) == AT_ENTRY) {
            return ldq_le_p(data + i + 8);
        }
    }
    g_assert_not_reached();
}

/* "syscall", and a trap behind it */
static int64_t do_syscall(Tracee *t, long number, uint64_t a, uint64_t b,
                          uint64_t c)
{
    struct user_regs_struct regs = t->regs;
    long code, mine = 0xcc050f;
    int status;

    errno = 0;
    code = ptrace(PTRACE_PEEKTEXT, t->pid, t->entry, NULL);
    g_assert_cmpint(errno, ==, 0);
    mine |= code & ~0xffffffL;
    g_assert_cmpint(ptrace(PTRACE_POKETEXT, t->pid, t->entry, mine), ==, 0);
    regs.rip = t->entry;
    /* it is not to be made again, whatever it was in */
    regs.orig_rax = -1;
    regs.rax = number;
    regs.rdi = a;
    regs.rsi = b;
    regs.rdx = c;
    for (;;) {
        g_assert_cmpint(ptrace(PTRACE_SETREGS, t->pid, NULL, &regs), ==, 0);
        g_assert_cmpint(ptrace(PTRACE_CONT, t->pid, NULL, NULL), ==, 0);
        g_assert_cmpint(waitpid(t->pid, &status, __WALL), ==, t->pid);
        g_assert_true(WIFSTOPPED(status));
        if (WSTOPSIG(status) == SIGTRAP && status >> 16 == 0) {
            break;
        }
    }
    g_assert_cmpint(ptrace(PTRACE_GETREGS, t->pid, NULL, &regs), ==, 0);
    g_assert_cmpint(ptrace(PTRACE_POKETEXT, t->pid, t->entry, code), ==, 0);
    return regs.rax;
}

static void do_ioctl(Tracee *t, int fd, unsigned long request, void *arg,
                     size_t len)
{
    copy_to(t, arg, len);
    g_assert_cmpint(do_syscall(t, SYS_ioctl, fd, request, t->scratch), ==, 0);
}

static uint64_t host_address(RasVm *vm, uint64_t address)
{
    g_autofree char *text = qtest_hmp(vm->qts, "gpa2hva 0x%" PRIx64, address);
    const char *is = strstr(text, " is 0x");
    const char *end;
    uint64_t host;

    g_assert_nonnull(is);
    g_assert_cmpint(qemu_strtou64(is + 4, &end, 16, &host), ==, 0);
    return host;
}

void ras_fail_range(RasVm *vm, uint64_t address, uint64_t len)
{
    uint64_t host = host_address(vm, address);
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register reg = {
        .range = { .start = host, .len = len },
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    UffdPoison poison = { .start = host, .len = len };
    Tracee t = { .pid = qtest_pid(vm->qts) };
    int fd;

    g_assert_cmpint(ptrace(PTRACE_SEIZE, t.pid, NULL, NULL), ==, 0);
    g_assert_cmpint(ptrace(PTRACE_INTERRUPT, t.pid, NULL, NULL), ==, 0);
    wait_for_stop(&t);
    g_assert_cmpint(ptrace(PTRACE_GETREGS, t.pid, NULL, &t.regs), ==, 0);
    t.scratch = (t.regs.rsp - SCRATCH_OFFSET) & -64;
    t.entry = find_entry(t.pid);

    fd = do_syscall(&t, SYS_userfaultfd, O_CLOEXEC | MODE_USER_ONLY, 0, 0);
    g_assert_cmpint(fd, >=, 0);
    do_ioctl(&t, fd, UFFDIO_API, &api, sizeof(api));
    do_ioctl(&t, fd, UFFDIO_REGISTER, &reg, sizeof(reg));
    g_assert_cmpint(do_syscall(&t, SYS_madvise, host, len, MADV_DONTNEED), ==,
                    0);
    do_ioctl(&t, fd, POISON_IOCTL, &poison, sizeof(poison));
    do_ioctl(&t, fd, UFFDIO_UNREGISTER, &reg.range, sizeof(reg.range));
    g_assert_cmpint(do_syscall(&t, SYS_close, fd, 0, 0), ==, 0);

    g_assert_cmpint(ptrace(PTRACE_SETREGS, t.pid, NULL, &t.regs), ==, 0);
    g_assert_cmpint(ptrace(PTRACE_DETACH, t.pid, NULL, NULL), ==, 0);
}

void ras_fail(RasVm *vm, uint64_t address)
{
    uint64_t page = qemu_real_host_page_size();

    ras_fail_range(vm, address & -page, page);
}

#else

bool ras_can_fail(void)
{
    g_test_skip("this test can have memory fail on x86-64 only");
    return false;
}

void ras_fail(RasVm *vm, uint64_t address)
{
    g_assert_not_reached();
}

void ras_fail_range(RasVm *vm, uint64_t address, uint64_t len)
{
    g_assert_not_reached();
}

#endif
