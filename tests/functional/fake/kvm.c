/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM that executes nothing, to be loaded before libc (LD_PRELOAD)
 *
 * It answers all ioctls of KVM for one vCPU of an x86_64 VM, on any machine.
 * Each KVM_RUN "executes" the next step of a plan, and what it owes the vCPU
 * then (Linux, Documentation/virt/kvm/api.rst, section 5, note on
 * KVM_EXIT_MMIO) it writes to RAX and RIP at the next KVM_RUN.
 *
 * FAKE_KVM_PLAN  steps, separated by blanks; the last one is repeated:
 *     load       KVM_EXIT_MMIO: 4 bytes are loaded to RAX
 *     load-pair  the same twice: the KVM_RUN that finishes the first load
 *                exits for the second, which goes to the upper half of RAX
 *     hypercall  KVM_EXIT_HYPERCALL with a number that there is not
 *     wait       KVM_RUN waits for a signal
 *     bad-load, bad-load-pair
 *                an action optional SIGBUS before that, so that QEMU changes
 *                registers, and fails to push them: KVM_SET_REGS gives EIO
 * FAKE_KVM_LOG   a line for what happens, in order; OWED is 1 if the result of
 *                an operation was still to be written:
 *     exit STEP
 *     run IMMEDIATE_EXIT OWED
 *     finish RIP RAX         an operation has been finished
 *     enter RIP RAX          the guest would execute now
 *     put RIP RAX OWED       KVM_SET_REGS
 *     get OWED               KVM_GET_REGS
 *     fail OWED              KVM_SET_REGS with EIO
 */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RUN_SIZE   0x3000
#define HYPERCALL_RESULT 0xbadca11

/* The "device" is memory, at these guest physical addresses. */
#define FAILED_PAGE 0x1000
#define DEVICE      0x2000
#define FIRST_WORD  0x11111111
#define SECOND_WORD 0x22222222

static struct kvm_run *run;
static struct kvm_regs regs;
static uint8_t *ram;
static const char *step;        /* in the plan */
/* What has begun and is not finished. */
static enum { NOTHING, LOAD, FIRST_LOAD, SECOND_LOAD, CALL } owed;
static bool put_fails;

static void say(const char *format, ...)
{
    static FILE *out;
    va_list args;

    if (!out) {
        out = fopen(getenv("FAKE_KVM_LOG"), "we");
        setvbuf(out, NULL, _IOLBF, 0);
    }
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
}

static bool step_is(const char *name)
{
    size_t len = strlen(name);

    return strncmp(step, name, len) == 0 &&
           (step[len] == ' ' || step[len] == '\0');
}

static void next_step(void)
{
    const char *blank;

    if (!step) {
        step = getenv("FAKE_KVM_PLAN");
    } else {
        blank = strchr(step, ' ');
        step = blank ? blank + 1 : step;
    }
}

static void send_sigbus(void)
{
    siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };

    info.si_addr = ram + FAILED_PAGE;
    info.si_addr_lsb = 12;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info);
}

static int exit_load(int what)
{
    uint32_t word = what == SECOND_LOAD ? SECOND_WORD : FIRST_WORD;

    memcpy(ram + DEVICE, &word, sizeof(word));
    memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = DEVICE;
    run->mmio.len = sizeof(word);
    run->mmio.is_write = 0;
    owed = what;
    return 0;
}

static int execute(void)
{
    next_step();
    say("enter %llx %llx\n", regs.rip, regs.rax);
    if (step_is("bad-load") || step_is("bad-load-pair")) {
        send_sigbus();
        put_fails = true;
        step += strlen("bad-");
    }
    say("exit %.*s\n", (int)strcspn(step, " "), step);
    /* the log is not to grow without bounds */
    usleep(2000);
    if (step_is("load")) {
        return exit_load(LOAD);
    } else if (step_is("load-pair")) {
        return exit_load(FIRST_LOAD);
    } else if (step_is("hypercall")) {
        run->exit_reason = KVM_EXIT_HYPERCALL;
        run->hypercall.nr = 0;
        owed = CALL;
        return 0;
    }
    while (!run->immediate_exit) {
        poll(NULL, 0, 10);
    }
    run->exit_reason = KVM_EXIT_INTR;
    return -EINTR;
}

/* Returns true if there is one more part of it. */
static bool finish(void)
{
    uint32_t word;

    memcpy(&word, run->mmio.data, sizeof(word));
    switch (owed) {
    case NOTHING:
        return false;
    case FIRST_LOAD:
        regs.rax = word;
        exit_load(SECOND_LOAD);
        return true;
    case SECOND_LOAD:
        regs.rax |= (uint64_t)word << 32;
        break;
    case LOAD:
        regs.rax = word;
        break;
    case CALL:
        regs.rax = HYPERCALL_RESULT;
        break;
    }
    regs.rip += 3;
    owed = NOTHING;
    say("finish %llx %llx\n", regs.rip, regs.rax);
    return false;
}

static int do_run(void)
{
    say("run %d %d\n", run->immediate_exit, owed != NOTHING);
    if (finish()) {
        return 0;
    }
    return run->immediate_exit ? -EINTR : execute();
}

static int check_extension(long cap)
{
    switch (cap) {
    case KVM_CAP_NR_MEMSLOTS:
    case KVM_CAP_MCE:           /* banks */
        return 32;
    case KVM_CAP_NR_VCPUS:
    case KVM_CAP_MAX_VCPUS:
    case KVM_CAP_IMMEDIATE_EXIT:
    case KVM_CAP_IRQCHIP:
    case KVM_CAP_IRQFD:
    case KVM_CAP_USER_MEMORY:
    case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
    case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
    case KVM_CAP_INTERNAL_ERROR_DATA:
    case KVM_CAP_IOEVENTFD:
    case KVM_CAP_IOEVENTFD_ANY_LENGTH:
    case KVM_CAP_SET_TSS_ADDR:
    case KVM_CAP_EXT_CPUID:
    case KVM_CAP_MP_STATE:
    case KVM_CAP_SIGNAL_MSI:
    case KVM_CAP_IRQ_ROUTING:
    case KVM_CAP_DEBUGREGS:
    case KVM_CAP_XSAVE:
    case KVM_CAP_VCPU_EVENTS:
    case KVM_CAP_X86_ROBUST_SINGLESTEP:
    case KVM_CAP_ADJUST_CLOCK:
    case KVM_CAP_SET_IDENTITY_MAP_ADDR:
    case KVM_CAP_SYNC_MMU:
        return 1;
    default:
        return 0;
    }
}

static int create_vcpu(void)
{
    int fd = memfd_create("fake-vcpu", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, RUN_SIZE)) {
        return -errno;
    }
    run = mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return fd;
}

static void set_memory(const struct kvm_userspace_memory_region *region)
{
    if (region->guest_phys_addr == 0 && region->memory_size) {
        ram = (uint8_t *)(uintptr_t)region->userspace_addr;
    }
}

static void supported_cpuid(struct kvm_cpuid2 *cpuid)
{
    static const struct kvm_cpuid_entry2 all = {
        .function = 1, .edx = ~0u,
    };

    cpuid->nent = 1;
    cpuid->entries[0] = all;
}

static int answer(unsigned long request, void *arg)
{
    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        return check_extension((long)arg);
    case KVM_CREATE_VM:
        return memfd_create("fake-vm", MFD_CLOEXEC);
    case KVM_CREATE_VCPU:
        return create_vcpu();
    case KVM_GET_VCPU_MMAP_SIZE:
        return RUN_SIZE;
    case KVM_SET_USER_MEMORY_REGION:
        set_memory(arg);
        return 0;
    case KVM_GET_SUPPORTED_CPUID:
        supported_cpuid(arg);
        return 0;
    case KVM_X86_GET_MCE_CAP_SUPPORTED:
        *(uint64_t *)arg = ~0ULL;
        return 0;
    case KVM_GET_MSRS:
    case KVM_SET_MSRS:
        return ((struct kvm_msrs *)arg)->nmsrs;
    case KVM_GET_REGS:
        say("get %d\n", owed != NOTHING);
        *(struct kvm_regs *)arg = regs;
        return 0;
    case KVM_SET_REGS:
        if (put_fails) {
            say("fail %d\n", owed != NOTHING);
            put_fails = false;
            return -EIO;
        }
        regs = *(struct kvm_regs *)arg;
        say("put %llx %llx %d\n", regs.rip, regs.rax, owed != NOTHING);
        return 0;
    case KVM_RUN:
        return do_run();
    case KVM_GET_STATS_FD:
        return -ENOTTY;
    default:
        return 0;
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *arg;
    int ret;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    if (_IOC_TYPE(request) != KVMIO) {
        return syscall(SYS_ioctl, fd, request, arg);
    }
    ret = answer(request, arg);
    if (ret < 0) {
        errno = -ret;
        return -1;
    }
    return ret;
}
