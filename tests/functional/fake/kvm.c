/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM that executes nothing, to be loaded before libc (LD_PRELOAD)
 *
 * It answers all ioctls of KVM for one or two vCPUs of an x86_64 VM, on any
 * machine.  Each KVM_RUN "executes" the next step of the vCPU's plan, and what
 * it owes the vCPU then (Linux, Documentation/virt/kvm/api.rst, section 5, note
 * on KVM_EXIT_MMIO) it writes to RAX and RIP at the next KVM_RUN.
 *
 * FAKE_KVM_PLAN  steps, separated by blanks; the last one is repeated.  What
 *                follows a semicolon is the plan of the second vCPU.
 *     load       KVM_EXIT_MMIO: 4 bytes are loaded to RAX
 *     load-pair  the same twice: the KVM_RUN that finishes the first load
 *                exits for the second, which goes to the upper half of RAX
 *     hypercall  KVM_EXIT_HYPERCALL with a number that there is not
 *     out:PORT:SIZE:VALUE
 *                KVM_EXIT_IO: a write to this port, size in bytes; hexadecimal
 *     wait       waits until the vCPU is to leave KVM_RUN
 *     meet       waits until the other vCPU waits in "during"; then the next
 *                step
 *     during:PORT
 *                waits until the other vCPU has written to this port and this
 *                one is to leave KVM_RUN; then the next step all the same
 *     bad-load, bad-load-pair
 *                an action optional SIGBUS before that, so that QEMU changes
 *                registers, and fails to push them: KVM_SET_REGS gives EIO
 * FAKE_KVM_KICK  if there is such a variable, a vCPU is kicked when it has let
 *                go of its struct kvm_run; if not, it is not
 * FAKE_KVM_LOG   a line for what happens, in order, that begins with the number
 *                of the vCPU; OWED is 1 if the result of an operation was still
 *                to be written:
 *     new                    KVM_CREATE_VCPU
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
#include <fcntl.h>
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
#define DATA_OFFSET 0x1000
#define HYPERCALL_RESULT 0xbadca11

/* The "device" is memory, at these guest physical addresses. */
#define FAILED_PAGE 0x1000
#define DEVICE      0x2000
#define FIRST_WORD  0x11111111
#define SECOND_WORD 0x22222222

#define VCPUS 2

typedef struct Vcpu {
    int fd;                     /* 0: there is none */
    struct kvm_run *run;
    struct kvm_regs regs;
    const char *plan;           /* from the step that is executed */
    /* What has begun and is not finished. */
    enum { NOTHING, LOAD, FIRST_LOAD, SECOND_LOAD, CALL, OUT } owed;
    bool begun;                 /* has executed a step */
    bool stays;                 /* and executes it again */
    bool put_fails;
    /* seen by the other vCPU */
    bool waits;
    unsigned int last_port;
} Vcpu;

static Vcpu vcpus[VCPUS];
static uint8_t *ram;

static void say(const Vcpu *vcpu, const char *format, ...)
{
    static int out = -1;
    char line[80];
    va_list args;
    int len;

    if (out < 0) {
        out = open(getenv("FAKE_KVM_LOG"),
                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    }
    len = sprintf(line, "%d ", (int)(vcpu - vcpus));
    va_start(args, format);
    len += vsnprintf(line + len, sizeof(line) - len, format, args);
    va_end(args);
    /* one line at once, as there are two threads */
    if (write(out, line, len) != len) {
        abort();
    }
}

static bool step_is(const Vcpu *vcpu, const char *name)
{
    size_t len = strlen(name);

    return strncmp(vcpu->plan, name, len) == 0 &&
           strchr(" :", vcpu->plan[len]);
}

static void next_step(Vcpu *vcpu)
{
    const char *blank = strchr(vcpu->plan, ' ');

    if (vcpu->begun && !vcpu->stays && blank) {
        vcpu->plan = blank + 1;
    }
    vcpu->begun = true;
    vcpu->stays = false;
}

static void send_sigbus(void)
{
    siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };

    info.si_addr = ram + FAILED_PAGE;
    info.si_addr_lsb = 12;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info);
}

static int exit_load(Vcpu *vcpu, int what)
{
    uint32_t word = what == SECOND_LOAD ? SECOND_WORD : FIRST_WORD;
    struct kvm_run *run = vcpu->run;

    memcpy(ram + DEVICE, &word, sizeof(word));
    memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = DEVICE;
    run->mmio.len = sizeof(word);
    run->mmio.is_write = 0;
    vcpu->owed = what;
    return 0;
}

static int exit_out(Vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    unsigned int port = 0, size = 0, value = 0;

    sscanf(vcpu->plan, "out:%x:%x:%x", &port, &size, &value);
    run->exit_reason = KVM_EXIT_IO;
    run->io.direction = KVM_EXIT_IO_OUT;
    run->io.size = size;
    run->io.port = port;
    run->io.count = 1;
    run->io.data_offset = DATA_OFFSET;
    memcpy((uint8_t *)run + DATA_OFFSET, &value, sizeof(value));
    vcpu->owed = OUT;
    __atomic_store_n(&vcpu->last_port, port, __ATOMIC_RELEASE);
    return 0;
}

/* Is what the step waits for there? */
static bool waited(const Vcpu *vcpu)
{
    const Vcpu *other = &vcpus[vcpu == vcpus];
    unsigned int port;

    if (step_is(vcpu, "meet")) {
        return __atomic_load_n(&other->waits, __ATOMIC_ACQUIRE);
    } else if (sscanf(vcpu->plan, "during:%x", &port) == 1) {
        return vcpu->run->immediate_exit &&
               __atomic_load_n(&other->last_port, __ATOMIC_ACQUIRE) == port;
    }
    return false;
}

/* Returns false if the vCPU is to leave KVM_RUN. */
static bool wait_step(Vcpu *vcpu)
{
    __atomic_store_n(&vcpu->waits, step_is(vcpu, "during"), __ATOMIC_RELEASE);
    while (!waited(vcpu)) {
        if (vcpu->run->immediate_exit) {
            vcpu->stays = true;
            vcpu->run->exit_reason = KVM_EXIT_INTR;
            return false;
        }
        poll(NULL, 0, 1);
    }
    next_step(vcpu);
    return true;
}

static int execute(Vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;

    next_step(vcpu);
    say(vcpu, "enter %llx %llx\n", vcpu->regs.rip, vcpu->regs.rax);
    if ((step_is(vcpu, "wait") || step_is(vcpu, "meet") ||
         step_is(vcpu, "during")) && !wait_step(vcpu)) {
        return -EINTR;
    }
    if (step_is(vcpu, "bad-load") || step_is(vcpu, "bad-load-pair")) {
        send_sigbus();
        vcpu->put_fails = true;
        vcpu->plan += strlen("bad-");
    }
    say(vcpu, "exit %.*s\n", (int)strcspn(vcpu->plan, " "), vcpu->plan);
    /* the log is not to grow without bounds */
    usleep(2000);
    if (step_is(vcpu, "load")) {
        return exit_load(vcpu, LOAD);
    } else if (step_is(vcpu, "load-pair")) {
        return exit_load(vcpu, FIRST_LOAD);
    } else if (step_is(vcpu, "out")) {
        return exit_out(vcpu);
    } else {
        /* "hypercall" */
        run->exit_reason = KVM_EXIT_HYPERCALL;
        run->hypercall.nr = 0;
        vcpu->owed = CALL;
        return 0;
    }
}

/* Returns true if there is one more part of it. */
static bool finish(Vcpu *vcpu)
{
    uint32_t word;

    memcpy(&word, vcpu->run->mmio.data, sizeof(word));
    switch (vcpu->owed) {
    case NOTHING:
        return false;
    case FIRST_LOAD:
        vcpu->regs.rax = word;
        exit_load(vcpu, SECOND_LOAD);
        return true;
    case SECOND_LOAD:
        vcpu->regs.rax |= (uint64_t)word << 32;
        break;
    case LOAD:
        vcpu->regs.rax = word;
        break;
    case CALL:
        vcpu->regs.rax = HYPERCALL_RESULT;
        break;
    case OUT:
        break;
    }
    vcpu->regs.rip += 3;
    vcpu->owed = NOTHING;
    say(vcpu, "finish %llx %llx\n", vcpu->regs.rip, vcpu->regs.rax);
    return false;
}

static int do_run(Vcpu *vcpu)
{
    say(vcpu, "run %d %d\n", vcpu->run->immediate_exit,
        vcpu->owed != NOTHING);
    if (finish(vcpu)) {
        return 0;
    }
    return vcpu->run->immediate_exit ? -EINTR : execute(vcpu);
}

static int check_extension(long cap)
{
    switch (cap) {
    case KVM_CAP_NR_MEMSLOTS:
    case KVM_CAP_MCE:           /* banks */
        return 32;
    case KVM_CAP_NR_VCPUS:
    case KVM_CAP_MAX_VCPUS:
        return VCPUS;
    case KVM_CAP_IRQ_ROUTING:   /* interrupts */
        return 1024;
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

/* The plan of one vCPU, without that of the next. */
static const char *plan_of(unsigned int number)
{
    const char *plan = getenv("FAKE_KVM_PLAN");

    for (; number; number--) {
        plan = strchr(plan, ';') + 1;
    }
    return strndup(plan, strcspn(plan, ";"));
}

static int create_vcpu(unsigned long number)
{
    int fd = memfd_create("fake-vcpu", MFD_CLOEXEC);

    if (number >= VCPUS || fd < 0 || ftruncate(fd, RUN_SIZE)) {
        return -EINVAL;
    }
    vcpus[number] = (Vcpu) {
        .fd = fd,
        .run = mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
        .plan = plan_of(number),
    };
    say(&vcpus[number], "new\n");
    return fd;
}

static Vcpu *find_vcpu(int fd)
{
    return &vcpus[fd != vcpus[0].fd];
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

/*
 * A vCPU that goes may be kicked when it has let go of its struct kvm_run, by a
 * stop of the VM for instance.  QEMU's signal for that is SIGUSR1.
 */
int munmap(void *address, size_t size)
{
    int ret = syscall(SYS_munmap, address, size);
    sigset_t kick;

    if (size == RUN_SIZE && getenv("FAKE_KVM_KICK")) {
        raise(SIGUSR1);
    } else if (size == RUN_SIZE) {
        sigemptyset(&kick);
        sigaddset(&kick, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &kick, NULL);
    }
    return ret;
}

static int answer(int fd, unsigned long request, void *arg)
{
    Vcpu *vcpu = find_vcpu(fd);

    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        return check_extension((long)arg);
    case KVM_CREATE_VM:
        return memfd_create("fake-vm", MFD_CLOEXEC);
    case KVM_CREATE_VCPU:
        return create_vcpu((unsigned long)arg);
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
        say(vcpu, "get %d\n", vcpu->owed != NOTHING);
        *(struct kvm_regs *)arg = vcpu->regs;
        return 0;
    case KVM_SET_REGS:
        if (vcpu->put_fails) {
            say(vcpu, "fail %d\n", vcpu->owed != NOTHING);
            vcpu->put_fails = false;
            return -EIO;
        }
        vcpu->regs = *(struct kvm_regs *)arg;
        say(vcpu, "put %llx %llx %d\n", vcpu->regs.rip, vcpu->regs.rax,
            vcpu->owed != NOTHING);
        return 0;
    case KVM_RUN:
        return do_run(vcpu);
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
    ret = answer(fd, request, arg);
    if (ret < 0) {
        errno = -ret;
        return -1;
    }
    return ret;
}
