/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that owns memory, says where it is, and touches it when told to:
 * the one that an injected memory error has to hit, or has to leave alone.
 *
 * Reports (one line each, on file descriptor 1):
 *   ready va=<hex> pa=<hex>[,<hex>...] load=<hex> store=<hex> spin=<hex>
 *         [zero=<hex> atomic=<hex> vector=<hex> pair=<hex>]
 *         load, store, zero, ...: addresses of the instructions that touch
 *         spin: address of the load of the loop that spins
 *   done <command> value=<hex>            the access went through
 *   sigbus code= addr= lsb= pc= ns=       from the SIGBUS handler, which then
 *                                         waits for any command, and exits
 *         ns: since the touch
 *   swept hits=<pages that gave SIGBUS> wrong=<n with another address>
 *         bad=<n whose content is wrong> lost=[<number>[,<number>...]]
 *         lost: which gave SIGBUS, from 0
 *   checked bad=<pages whose content is wrong>
 *   counted count=<n> bad=<n>             a control process
 *   returned <command> value=<n> errno=<n>
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "agent.h"

#define REPORT_MAX 4096

/*
 * The instructions that touch are written in assembly so that their addresses
 * are known exactly, and nothing else in the program touches the pages once
 * the victim is ready.  code_page[] is a function that returns 42.
 */
uint64_t touch_load(const void *address);
void touch_store(void *address, uint64_t value);
/* A load and a jump back to it: user mode, until a signal comes. */
void spin(const void *address) __attribute__((noreturn));
/*
 * What an emulator has helpers for: zero a block, add in memory, store a
 * vector, load 16 bytes.
 */
void touch_zero(void *address);
void touch_atomic(void *address);
void touch_vector(void *address);
void touch_pair(void *address);
/* Which of its instructions touches */
extern const uint32_t vector_store[];

#if defined(__aarch64__)
asm(".text\n"
    ".global touch_load\n .type touch_load, %function\n"
    "touch_load: ldr x0, [x0]\n ret\n"
    ".global touch_store\n .type touch_store, %function\n"
    "touch_store: str x1, [x0]\n ret\n"
    ".global spin\n .type spin, %function\n"
    "spin: ldr x1, [x0]\n b spin\n"
    ".arch_extension lse\n .arch_extension sve\n"
    ".global touch_zero\n .type touch_zero, %function\n"
    "touch_zero: dc zva, x0\n ret\n"
    ".global touch_atomic\n .type touch_atomic, %function\n"
    "touch_atomic: ldadd x1, x1, [x0]\n ret\n"
    ".global touch_vector\n .type touch_vector, %function\n"
    "touch_vector: ptrue p0.b\n"
    ".global vector_store\n"
    "vector_store: st1b {z0.b}, p0, [x0]\n ret\n"
    ".global touch_pair\n .type touch_pair, %function\n"
    "touch_pair: ldxp x1, x2, [x0]\n ret\n");
#define HELPERS
static const uint32_t code_page[] = {
    0x52800540, /* mov w0, #42 */
    0xd65f03c0, /* ret */
};
#define UCONTEXT_PC(uc) ((uc)->uc_mcontext.pc)
#elif defined(__powerpc64__)
asm(".text\n"
    ".global touch_load\n .type touch_load, @function\n"
    "touch_load: ld 3, 0(3)\n blr\n"
    ".global touch_store\n .type touch_store, @function\n"
    "touch_store: std 4, 0(3)\n blr\n"
    ".global spin\n .type spin, @function\n"
    "spin: ld 4, 0(3)\n b spin\n"
    ".machine push\n .machine power9\n"
    ".global touch_zero\n .type touch_zero, @function\n"
    "touch_zero: dcbz 0, 3\n blr\n"
    ".global touch_atomic\n .type touch_atomic, @function\n"
    "touch_atomic: stdat 4, 3, 0\n blr\n"
    ".global touch_vector\n .type touch_vector, @function\n"
    /* 16 bytes: that is in the highest byte */
    "touch_vector: li 4, 16\n sldi 4, 4, 56\n"
    ".global vector_store\n"
    "vector_store: stxvl 32, 3, 4\n blr\n"
    ".global touch_pair\n .type touch_pair, @function\n"
    "touch_pair: lq 6, 0(3)\n blr\n"
    ".machine pop\n");
#define HELPERS
static const uint32_t code_page[] = {
    0x3860002a, /* li r3, 42 */
    0x4e800020, /* blr */
};
#define UCONTEXT_PC(uc) ((uc)->uc_mcontext.gp_regs[32])
#elif defined(__arm__)
asm(".text\n .arm\n"
    ".global touch_load\n .type touch_load, %function\n"
    "touch_load: ldrd r0, r1, [r0]\n bx lr\n"
    ".global touch_store\n .type touch_store, %function\n"
    "touch_store: strd r2, r3, [r0]\n bx lr\n"
    ".global spin\n .type spin, %function\n"
    "spin: ldr r1, [r0]\n b spin\n");
static const uint32_t code_page[] = {
    0xe3a0002a, /* mov r0, #42 */
    0xe12fff1e, /* bx lr */
};
#define UCONTEXT_PC(uc) ((uc)->uc_mcontext.arm_pc)
#else
#error "no code for this architecture"
#endif

static const struct helper {
    const char *word;
    void (*touch)(void *address);
    const void *pc;
} helpers[] = {
#ifdef HELPERS
    { "zero", touch_zero, touch_zero },
    { "atomic", touch_atomic, touch_atomic },
    { "vector", touch_vector, vector_store },
    { "pair", touch_pair, touch_pair },
#endif
    { 0 }
};

static struct victim_options self;
static uint8_t *memory;
static uint64_t touched_ns;

static void report(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void report(const char *format, ...)
{
    char line[REPORT_MAX];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(line, sizeof(line) - 1, format, ap);
    va_end(ap);
    if (n > (int)sizeof(line) - 2) {
        n = sizeof(line) - 2;
    }
    line[n++] = '\n';
    /* At most PIPE_BUF bytes: one write is one line. */
    if (write(STDOUT_FILENO, line, n) != n) {
        _exit(1);
    }
}

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    report("failed %s: %s", what, strerror(errno));
    _exit(1);
}

size_t page_size(void)
{
    static size_t size;

    if (!size) {
        size = sysconf(_SC_PAGESIZE);
    }
    return size;
}

uint64_t physical_address(const void *va)
{
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    if (pread(fd, &entry, sizeof(entry),
              (uintptr_t)va / page_size() * sizeof(entry)) != sizeof(entry)) {
        entry = 0;
    }
    close(fd);
    if (!(entry >> 63)) {
        return 0;
    }
    return (entry & ((1ULL << 55) - 1)) * page_size();
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static uint64_t pattern(uint64_t seed, size_t word)
{
    /* Any mixing function does; no two words of the test are alike. */
    uint64_t x = (seed << 20) + word + 1;

    x *= 0x9e3779b97f4a7c15ULL;
    return x ^ (x >> 29);
}

void pattern_fill(void *page, uint64_t seed)
{
    uint64_t *words = page;

    for (size_t i = 0; i < page_size() / sizeof(*words); i++) {
        words[i] = pattern(seed, i);
    }
}

static bool pattern_check(const void *page, uint64_t seed)
{
    const volatile uint64_t *words = page;

    for (size_t i = 0; i < page_size() / sizeof(*words); i++) {
        if (words[i] != pattern(seed, i)) {
            return false;
        }
    }
    return true;
}

static uint64_t page_seed(size_t page)
{
    return (uint64_t)self.id * VICTIM_MAX_PAGES + page;
}

static size_t count_bad_pages(void)
{
    size_t bad = 0;

    for (size_t i = 0; i < self.pages; i++) {
        bad += !pattern_check(memory + i * page_size(), page_seed(i));
    }
    return bad;
}

static struct {
    volatile bool going_on;
    volatile size_t page, hits, wrong;
    sigjmp_buf next;
} sweeping;

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;
    uint64_t ns = now_ns() - touched_ns;
    char byte;

    (void)signal;
    if (sweeping.going_on) {
        sweeping.hits++;
        /* Linux on POWER has the address of the instruction there */
        sweeping.wrong += info->si_code != BUS_MCEERR_AR ||
                          (info->si_addr != memory +
                                            sweeping.page * page_size() &&
                           (uintptr_t)info->si_addr != UCONTEXT_PC(uc));
        siglongjmp(sweeping.next, 1);
    }
    report("sigbus code=%d addr=0x%llx lsb=%d pc=0x%llx ns=%llu",
           info->si_code, (unsigned long long)(uintptr_t)info->si_addr,
           info->si_addr_lsb, (unsigned long long)UCONTEXT_PC(uc),
           (unsigned long long)ns);
    /*
     * Keep the page until the host says so.  The kernel may take it out of
     * use later than it sends the signal, or (POWER, errors on two CPUs at
     * once) not at all; a page that is free by then is handed to the next one
     * who wants memory.
     */
    if (read(STDIN_FILENO, &byte, 1) >= 0) {
        _exit(VICTIM_EXIT_SIGBUS);
    }
    _exit(1);
}

static void file_name(char *name, size_t size)
{
    snprintf(name, size, "/tmp/victim-%u", self.id);
}

static void fill_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    void *page = malloc(page_size());

    for (size_t i = 0; fd >= 0 && page && i < self.pages; i++) {
        pattern_fill(page, page_seed(i));
        if (write(fd, page, page_size()) != (ssize_t)page_size()) {
            die(name);
        }
    }
    free(page);
    close(fd);
}

/* The guest's kernel has a huge page for it, or the victim cannot be used. */
static void get_huge_page(void)
{
    uint8_t *area = mmap(NULL, 2 * VICTIM_HUGE_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t size = VICTIM_HUGE_SIZE;

    if (area == MAP_FAILED) {
        die("mmap");
    }
    memory = (uint8_t *)(((uintptr_t)area + size - 1) & -size);
    if (madvise(memory, size, MADV_HUGEPAGE)) {
        die("MADV_HUGEPAGE");
    }
    memory[0] = 1;
    for (size_t i = 0; i < self.pages; i++) {
        if (physical_address(memory + i * page_size()) !=
            physical_address(memory) + i * page_size()) {
            errno = ENOMEM;
            die("huge page");
        }
    }
}

static void get_memory(void)
{
    size_t size = self.pages * page_size();
    int protection = PROT_READ | PROT_WRITE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    off_t offset = 0;
    int fd = -1;
    char name[64];

    if (self.memory_at) {
        memory = self.memory_at;
    } else {
        switch (self.memory) {
        case VICTIM_ANON:
        case VICTIM_HUGE:
            break;
        case VICTIM_CODE:
            protection |= PROT_EXEC;
            break;
        case VICTIM_FILE:
            /* Not open for writing, or execve() would refuse it. */
            file_name(name, sizeof(name));
            fill_file(name);
            fd = open(name, O_RDONLY | O_CLOEXEC);
            protection = PROT_READ;
            flags = MAP_SHARED;
            break;
        case VICTIM_DEVICE:
            fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
            if (fd < 0) {
                die("/dev/mem");
            }
            flags = MAP_SHARED;
            offset = self.device;
            break;
        }
        if (self.memory == VICTIM_HUGE) {
            get_huge_page();
        } else {
            memory = mmap(NULL, size, protection, flags, fd, offset);
        }
        if (memory == MAP_FAILED) {
            die("mmap");
        }
        if (fd >= 0) {
            close(fd);
        }
        if (self.memory == VICTIM_DEVICE) {
            return;
        }
    }

    for (size_t i = 0; self.memory != VICTIM_FILE && i < self.pages; i++) {
        pattern_fill(memory + i * page_size(), page_seed(i));
    }
    if (mlock(memory, size)) {
        die("mlock");
    }
    if (self.memory == VICTIM_CODE) {
        for (size_t i = 0; i < self.pages; i++) {
            memcpy(memory + i * page_size(), code_page, sizeof(code_page));
        }
        __builtin___clear_cache((char *)memory, (char *)memory + size);
    }
}

static void report_ready(void)
{
    char addresses[VICTIM_MAX_PAGES * 24], more[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < (self.memory == VICTIM_HUGE ? 1 : self.pages); i++) {
        uint64_t pa = self.device;

        if (self.memory != VICTIM_DEVICE) {
            pa = physical_address(memory + i * page_size());
            if (!pa) {
                errno = EFAULT;
                die("pagemap");
            }
        }
        n += snprintf(addresses + n, sizeof(addresses) - n, "%s0x%llx",
                      i ? "," : "", (unsigned long long)pa);
    }
    n = 0;
    for (const struct helper *h = helpers; h->word; h++) {
        n += snprintf(more + n, sizeof(more) - n, " %s=0x%llx", h->word,
                      (unsigned long long)(uintptr_t)h->pc);
    }
    report("ready va=0x%llx pa=%s load=0x%llx store=0x%llx spin=0x%llx%s",
           (unsigned long long)(uintptr_t)memory, addresses,
           (unsigned long long)(uintptr_t)touch_load,
           (unsigned long long)(uintptr_t)touch_store,
           (unsigned long long)(uintptr_t)spin, more);
}

/* Waits until as many processes as the host named have come here. */
static void meet(void)
{
    __atomic_add_fetch(&meeting->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&meeting->arrived, __ATOMIC_SEQ_CST) <
           __atomic_load_n(&meeting->expected, __ATOMIC_SEQ_CST)) {
        sched_yield();
    }
}

/*
 * Has the kernel, in kernel mode, copy from the page while it holds no lock
 * that anybody else needs: open(2) takes the name by a user copy, execve(2) of
 * a file reads the head of its first page through the kernel's own mapping.
 */
static void let_kernel_open(const uint8_t *address)
{
    int fd;

    errno = 0;
    fd = open((const char *)address, O_RDONLY | O_CLOEXEC);
    report("returned open value=%d errno=%d", fd, errno);
}

static void let_kernel_exec(void)
{
    char name[64];

    file_name(name, sizeof(name));
    errno = 0;
    execl(name, name, (char *)NULL);
    report("returned exec value=-1 errno=%d", errno);
}

/* Loads from each page once, whatever happens, and checks the others. */
static void sweep(void)
{
    static char lost[REPORT_MAX / 2];
    volatile size_t n = 0, bad = 0;

    sweeping.going_on = true;
    sweeping.hits = sweeping.wrong = 0;
    lost[0] = '\0';
    for (sweeping.page = 0; sweeping.page < self.pages; sweeping.page++) {
        const uint8_t *page = memory + sweeping.page * page_size();

        if (!sigsetjmp(sweeping.next, 1)) {
            touch_load(page);
            bad += !pattern_check(page, page_seed(sweeping.page));
        } else {
            n += snprintf(lost + n, sizeof(lost) - n, "%s%zu", n ? "," : "",
                          sweeping.page);
        }
    }
    sweeping.going_on = false;
    report("swept hits=%zu wrong=%zu bad=%zu lost=%s", sweeping.hits,
           sweeping.wrong, bad, lost);
}

/* command: <word> [page [offset]] [meet] */
static void obey(char *command)
{
    char *word = strtok(command, " ");
    unsigned long page = 0, offset = 0;
    uint8_t *address;
    char *argument;
    int numbers = 0;
    uint64_t value;

    if (!word) {
        return;
    }
    while ((argument = strtok(NULL, " "))) {
        if (!strcmp(argument, "meet")) {
            meet();
        } else if (numbers++ == 0) {
            page = strtoul(argument, NULL, 0);
        } else {
            offset = strtoul(argument, NULL, 0);
        }
    }
    if (page >= self.pages || offset > page_size() - 8) {
        errno = EINVAL;
        die(word);
    }
    address = memory + page * page_size() + offset;
    touched_ns = now_ns();

    if (!strcmp(word, "load")) {
        value = touch_load(address);
        report("done load value=0x%llx good=%d", (unsigned long long)value,
               value == pattern(page_seed(page), offset / 8));
    } else if (!strcmp(word, "store")) {
        touch_store(address, pattern(page_seed(page), offset / 8));
        report("done store value=0 good=1");
    } else if (!strcmp(word, "fetch")) {
        value = ((unsigned (*)(void))(uintptr_t)address)();
        report("done fetch value=0x%llx good=%d", (unsigned long long)value,
               value == 42);
    } else if (!strcmp(word, "open")) {
        let_kernel_open(address);
    } else if (!strcmp(word, "exec")) {
        let_kernel_exec();
    } else if (!strcmp(word, "sweep")) {
        sweep();
    } else if (!strcmp(word, "check")) {
        report("checked bad=%zu", count_bad_pages());
    } else if (!strcmp(word, "where")) {
        report_ready();
    } else if (!strcmp(word, "spin")) {
        report("spinning");
        spin(address);
    } else if (!strcmp(word, "exit")) {
        _exit(0);
    } else {
        for (const struct helper *h = helpers; h->word; h++) {
            if (!strcmp(word, h->word)) {
                h->touch(address);
                report("done %s value=0 good=1", word);
                return;
            }
        }
        errno = EINVAL;
        die(word);
    }
}

/* Counts rounds over its own memory until it is killed. */
static void control(void) __attribute__((noreturn));

static void control(void)
{
    unsigned long long count = 0, bad = 0;

    for (;;) {
        struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
        char line[64];

        /* Seldom, as each time costs a lot where the guest is a nested one. */
        if (poll(&input, 1, 10) > 0) {
            if (read(STDIN_FILENO, line, sizeof(line)) <= 0) {
                _exit(0);
            }
            report("counted count=%llu bad=%llu", count, bad);
        }
        bad += count_bad_pages();
        count++;
    }
}

void victim_main(const struct victim_options *options)
{
    char name[16];
    char line[256];
    FILE *input;

    self = *options;
    snprintf(name, sizeof(name), "%s-%u", self.control ? "control" : "victim",
             self.id);
    prctl(PR_SET_NAME, name);
    if (self.cpu >= 0) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(self.cpu, &set);
        if (sched_setaffinity(0, sizeof(set), &set)) {
            die("sched_setaffinity");
        }
    }
    if (self.handler) {
        struct sigaction action = {
            .sa_sigaction = on_sigbus,
            .sa_flags = SA_SIGINFO,
        };

        if (sigaction(SIGBUS, &action, NULL)) {
            die("sigaction");
        }
    }
    get_memory();
    report_ready();
    if (self.control) {
        control();
    }
    input = fdopen(STDIN_FILENO, "r");
    while (input && fgets(line, sizeof(line), input)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    _exit(0);
}
