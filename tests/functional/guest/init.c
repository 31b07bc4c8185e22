/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1 of the guest in the functional tests: sets the guest up, starts
 * victims and carries lines between them and the test harness.  The protocol
 * is described in agent.h.
 *
 * Commands:
 *   ping
 *   spawn [memory=anon|code|huge|file|device] [pages=N] [cpu=N] [handler=0|1]
 *         [control=0|1] [aarch32=0|1] [address=A]  -> id= pid=
 *   burst count=N [cpu=...] [handler=...]     -> first= count=
 *         N victims, each with one page; the pages are physically adjacent
 *         and belong to the victims in the order of their ids
 *   tell <id>[,<id>...] <words>               words go to these victims; a
 *         meeting of that many processes is prepared
 *   kill <id>
 *   run <shell command>                       -> status= output=<escaped>
 *   kmsg <text>                               text goes into the kernel's log
 *   symbol <name>                             -> address=
 *         of the kernel
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"

#define PORT_NAME "ras.agent"
#define LINE_MAX_BYTES 8192
#define MAX_VICTIMS 256
#define POOL_PAGES 4096

struct meeting *meeting;

/* Output of a file descriptor, cut into lines. */
struct line_buffer {
    char bytes[LINE_MAX_BYTES];
    size_t used;
};

static struct victim {
    unsigned id; /* 0: the slot is free */
    pid_t pid;
    int input;  /* commands to it */
    int output; /* reports from it */
    struct line_buffer lines;
} victims[MAX_VICTIMS];

static unsigned next_id = 1;
static int port = -1;
static struct line_buffer port_lines;

static void send_line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void send_line(const char *format, ...)
{
    static char line[LINE_MAX_BYTES * 4];
    size_t length, done = 0;
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line) - 1, format, ap);
    va_end(ap);
    length = strlen(line);
    line[length++] = '\n';
    while (done < length) {
        ssize_t n = write(port, line + done, length - done);

        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return;
        }
        done += n > 0 ? n : 0;
    }
}

static void write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        /* Not every kernel has every knob; the tests notice if it matters. */
        if (write(fd, text, strlen(text)) < 0) {
            errno = 0;
        }
        close(fd);
    }
}

static void set_up(void)
{
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mkdir("/dev", 0755);
    mkdir("/tmp", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    mount("tmpfs", "/tmp", "tmpfs", 0, NULL);

    /* All kernel messages reach the console, none is suppressed. */
    write_file("/proc/sys/kernel/printk", "8 4 1 7");
    write_file("/proc/sys/kernel/printk_ratelimit", "0");
    write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
    write_file("/proc/sys/debug/exception-trace", "1");
    /* Pages stay where they are. */
    write_file("/proc/sys/vm/compaction_proactiveness", "0");
    write_file("/proc/sys/vm/compact_unevictable_allowed", "0");

    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    setenv("HOME", "/", 1);
    if (fork() == 0) {
        execl("/bin/busybox", "busybox", "--install", "-s", "/bin",
              (char *)NULL);
        _exit(127);
    }
    wait(NULL);
}

/*
 * PID 1 stays on CPU 0, so that it answers while a test holds CPU 1; its
 * children go where they want.
 */
static void bind_to(unsigned first, unsigned count)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (unsigned i = 0; i < count; i++) {
        CPU_SET(first + i, &set);
    }
    sched_setaffinity(0, sizeof(set), &set);
}

/* Opens the port that the harness named PORT_NAME, or returns -1. */
static int open_port(void)
{
    const char *class_dir = "/sys/class/virtio-ports";
    DIR *dir = opendir(class_dir);
    struct dirent *entry;
    int fd = -1;

    while (dir && fd < 0 && (entry = readdir(dir))) {
        char path[600];
        char name[64] = "";
        FILE *file;

        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s/name", class_dir, entry->d_name);
        file = fopen(path, "re");
        if (file) {
            if (fgets(name, sizeof(name), file)) {
                name[strcspn(name, "\n")] = '\0';
            }
            fclose(file);
        }
        if (!strcmp(name, PORT_NAME)) {
            snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
            fd = open(path, O_RDWR | O_CLOEXEC);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return fd;
}

/* Value of key=value in arguments, copied to value; false if absent. */
static bool get_option(const char *arguments, const char *key, char *value,
                       size_t size)
{
    size_t length = strlen(key);

    for (const char *p = arguments; p && *p;) {
        if (!strncmp(p, key, length) && p[length] == '=') {
            snprintf(value, size, "%.*s", (int)strcspn(p + length + 1, " "),
                     p + length + 1);
            return true;
        }
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    return false;
}

static unsigned long long get_number(const char *arguments, const char *key,
                                     unsigned long long otherwise)
{
    char value[32];

    if (!get_option(arguments, key, value, sizeof(value))) {
        return otherwise;
    }
    return strtoull(value, NULL, 0);
}

static struct victim *find_victim(unsigned id)
{
    for (size_t i = 0; i < MAX_VICTIMS; i++) {
        if (victims[i].id == id) {
            return &victims[i];
        }
    }
    return NULL;
}

/* Closes in a forked child everything that belongs to PID 1. */
static void leave_parent(void)
{
    sigset_t none;

    for (size_t i = 0; i < MAX_VICTIMS; i++) {
        if (victims[i].id) {
            close(victims[i].input);
            close(victims[i].output);
        }
    }
    close(port);
    bind_to(0, CPU_SETSIZE);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void exec_aarch32(const struct victim_options *options)
{
    char number[5][16];

    snprintf(number[0], sizeof(number[0]), "%u", options->id);
    snprintf(number[1], sizeof(number[1]), "%d", options->memory);
    snprintf(number[2], sizeof(number[2]), "%zu", options->pages);
    snprintf(number[3], sizeof(number[3]), "%d", options->cpu);
    snprintf(number[4], sizeof(number[4]), "%d", options->handler);
    execl(VICTIM_AARCH32, VICTIM_AARCH32, number[0], number[1], number[2],
          number[3], number[4], (char *)NULL);
    _exit(127);
}

static struct victim *start_victim(struct victim_options *options)
{
    struct victim *v = find_victim(0);
    int in[2], out[2];
    pid_t pid;

    if (!v || pipe2(in, O_CLOEXEC)) {
        return NULL;
    }
    if (pipe2(out, O_CLOEXEC)) {
        close(in[0]);
        close(in[1]);
        return NULL;
    }
    options->id = next_id++;
    if (options->memory_at) {
        madvise(options->memory_at, page_size(), MADV_DOFORK);
    }
    pid = fork();
    if (pid == 0) {
        leave_parent();
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        if (options->memory_at) {
            char line;

            /* The page is to be ours alone before we write to it. */
            if (read(STDIN_FILENO, &line, 1) != 1) {
                _exit(1);
            }
        }
        if (options->aarch32) {
            exec_aarch32(options);
        }
        victim_main(options);
    }
    close(in[0]);
    close(out[1]);
    if (options->memory_at) {
        munmap(options->memory_at, page_size());
        if (write(in[1], "\n", 1) != 1) {
            kill(pid, SIGKILL);
        }
    }
    v->id = options->id;
    v->pid = pid;
    v->input = in[1];
    v->output = out[0];
    v->lines.used = 0;
    return v;
}

static void get_victim_options(const char *arguments,
                               struct victim_options *options)
{
    char memory[16] = "anon";

    get_option(arguments, "memory", memory, sizeof(memory));
    *options = (struct victim_options) {
        .memory = !strcmp(memory, "code") ? VICTIM_CODE :
                  !strcmp(memory, "huge") ? VICTIM_HUGE :
                  !strcmp(memory, "file") ? VICTIM_FILE :
                  !strcmp(memory, "device") ? VICTIM_DEVICE : VICTIM_ANON,
        .pages = get_number(arguments, "pages", 1),
        .cpu = (int)get_number(arguments, "cpu", -1),
        .handler = get_number(arguments, "handler", 1),
        .control = get_number(arguments, "control", 0),
        .aarch32 = get_number(arguments, "aarch32", 0),
        .device = get_number(arguments, "address", 0),
    };
}

static void do_spawn(const char *seq, const char *arguments)
{
    struct victim_options options;
    struct victim *v;

    get_victim_options(arguments, &options);
    if (options.pages < 1 || options.pages > VICTIM_MAX_PAGES) {
        send_line("%s error pages must be 1 to %d", seq, VICTIM_MAX_PAGES);
        return;
    }
    if (options.memory == VICTIM_HUGE) {
        options.pages = VICTIM_HUGE_SIZE / page_size();
    }
    v = start_victim(&options);
    if (!v) {
        send_line("%s error cannot start a victim: %s", seq, strerror(errno));
        return;
    }
    send_line("%s ok id=%u pid=%d", seq, v->id, (int)v->pid);
}

struct pool_page {
    uint64_t pa;
    uint8_t *va;
};

static int compare_pool_pages(const void *a, const void *b)
{
    uint64_t x = ((const struct pool_page *)a)->pa;
    uint64_t y = ((const struct pool_page *)b)->pa;

    return x < y ? -1 : x > y;
}

/*
 * Index of the first of count pages in pool that are physically adjacent, or
 * -1.
 */
static long find_run(const struct pool_page *pool, size_t count)
{
    size_t length = 1;

    for (size_t i = 1; i < POOL_PAGES; i++) {
        length = pool[i].pa == pool[i - 1].pa + page_size() ? length + 1 : 1;
        if (length == count) {
            return i - count + 1;
        }
    }
    return -1;
}

static void do_burst(const char *seq, const char *arguments)
{
    static struct pool_page pool[POOL_PAGES];
    size_t count = get_number(arguments, "count", 32);
    size_t size = POOL_PAGES * page_size();
    unsigned first = 0;
    long run;
    uint8_t *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED) {
        send_line("%s error mmap: %s", seq, strerror(errno));
        return;
    }
    madvise(area, size, MADV_NOHUGEPAGE);
    madvise(area, size, MADV_DONTFORK);
    for (size_t i = 0; i < POOL_PAGES; i++) {
        pool[i].va = area + i * page_size();
        *(volatile uint8_t *)pool[i].va = 1;
        pool[i].pa = physical_address(pool[i].va);
    }
    qsort(pool, POOL_PAGES, sizeof(*pool), compare_pool_pages);
    run = find_run(pool, count);
    if (run < 0) {
        munmap(area, size);
        send_line("%s error no %zu adjacent pages", seq, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct victim_options options;
        struct victim *v;

        get_victim_options(arguments, &options);
        options.memory_at = pool[run + i].va;
        v = start_victim(&options);
        if (!v) {
            send_line("%s error cannot start a victim: %s", seq,
                      strerror(errno));
            munmap(area, size);
            return;
        }
        first = first ? first : v->id;
    }
    munmap(area, size);
    send_line("%s ok first=%u count=%zu", seq, first, count);
}

static void do_tell(const char *seq, char *arguments)
{
    char *words = strchr(arguments, ' ');
    unsigned ids[MAX_VICTIMS];
    char text[256];
    size_t count = 0;

    if (!words) {
        send_line("%s error tell what?", seq);
        return;
    }
    *words++ = '\0';
    snprintf(text, sizeof(text), "%s\n", words);
    for (char *p = strtok(arguments, ","); p && count < MAX_VICTIMS;
         p = strtok(NULL, ",")) {
        ids[count] = strtoul(p, NULL, 0);
        if (!ids[count] || !find_victim(ids[count])) {
            send_line("%s error no victim %s", seq, p);
            return;
        }
        count++;
    }
    __atomic_store_n(&meeting->expected, count, __ATOMIC_SEQ_CST);
    __atomic_store_n(&meeting->arrived, 0, __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < count; i++) {
        if (write(find_victim(ids[i])->input, text, strlen(text)) < 0) {
            send_line("%s error victim %u does not listen", seq, ids[i]);
            return;
        }
    }
    send_line("%s ok", seq);
}

static void do_kill(const char *seq, const char *arguments)
{
    unsigned id = strtoul(arguments, NULL, 0);
    struct victim *v = id ? find_victim(id) : NULL;

    if (!v) {
        send_line("%s error no victim %s", seq, arguments);
        return;
    }
    kill(v->pid, SIGKILL);
    send_line("%s ok", seq);
}

/* Runs a shell command; its output is escaped as in URLs. */
static void do_run(const char *seq, const char *command)
{
    static char escaped[LINE_MAX_BYTES * 3];
    static char bytes[LINE_MAX_BYTES];
    size_t used = 0;
    int status = 0;
    int out[2];
    pid_t pid;

    if (pipe2(out, O_CLOEXEC)) {
        send_line("%s error pipe: %s", seq, strerror(errno));
        return;
    }
    pid = fork();
    if (pid == 0) {
        leave_parent();
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        execl("/bin/busybox", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    for (;;) {
        char rest[512];
        bool full = used == sizeof(bytes);
        ssize_t n = read(out[0], full ? rest : bytes + used,
                         full ? sizeof(rest) : sizeof(bytes) - used);

        if (n <= 0) {
            break;
        }
        used += full ? 0 : n;
    }
    close(out[0]);
    waitpid(pid, &status, 0);
    escaped[0] = '\0';
    for (size_t i = 0, n = 0; i < used; i++) {
        unsigned char c = bytes[i];

        n += snprintf(escaped + n, sizeof(escaped) - n,
                      c > ' ' && c < 0x7f && c != '%' ? "%c" : "%%%02x", c);
    }
    send_line("%s ok status=%d output=%s", seq,
              WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
              escaped);
}

static void do_kmsg(const char *seq, const char *text)
{
    int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    char record[256];

    /* One write is one record; without the end of line it is not printed. */
    snprintf(record, sizeof(record), "%s\n", text);
    if (fd < 0 || write(fd, record, strlen(record)) < 0) {
        send_line("%s error /dev/kmsg: %s", seq, strerror(errno));
    } else {
        send_line("%s ok", seq);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void do_symbol(const char *seq, const char *name)
{
    FILE *file = fopen("/proc/kallsyms", "re");
    char line[256];

    while (file && fgets(line, sizeof(line), file)) {
        char *symbol = line + strcspn(line, " ");

        /* <address> <type> <name>[ <module>] */
        if (strlen(symbol) <= 3) {
            continue;
        }
        symbol += 3;
        symbol[strcspn(symbol, "\t\n")] = '\0';
        if (!strcmp(symbol, name)) {
            send_line("%s ok address=0x%llx", seq, strtoull(line, NULL, 16));
            fclose(file);
            return;
        }
    }
    if (file) {
        fclose(file);
    }
    send_line("%s error the kernel has no symbol %s", seq, name);
}

static void obey(char *line)
{
    char *seq = line;
    char *command = strchr(seq, ' ');
    char *arguments;

    if (!command) {
        return;
    }
    *command++ = '\0';
    arguments = command + strcspn(command, " ");
    if (*arguments) {
        *arguments++ = '\0';
    }
    if (!strcmp(command, "ping")) {
        send_line("%s ok", seq);
    } else if (!strcmp(command, "spawn")) {
        do_spawn(seq, arguments);
    } else if (!strcmp(command, "burst")) {
        do_burst(seq, arguments);
    } else if (!strcmp(command, "tell")) {
        do_tell(seq, arguments);
    } else if (!strcmp(command, "kill")) {
        do_kill(seq, arguments);
    } else if (!strcmp(command, "run")) {
        do_run(seq, arguments);
    } else if (!strcmp(command, "symbol")) {
        do_symbol(seq, arguments);
    } else if (!strcmp(command, "kmsg")) {
        do_kmsg(seq, arguments);
    } else {
        send_line("%s error unknown command %s", seq, command);
    }
}

/* Reads what is there; false at the end of the file. */
static bool read_lines(int fd, struct line_buffer *lines,
                       void (*consume)(char *line, void *opaque),
                       void *opaque)
{
    ssize_t n = read(fd, lines->bytes + lines->used,
                     sizeof(lines->bytes) - lines->used - 1);
    char *end;

    if (n <= 0) {
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    }
    lines->used += n;
    while ((end = memchr(lines->bytes, '\n', lines->used))) {
        size_t length = end - lines->bytes + 1;

        *end = '\0';
        consume(lines->bytes, opaque);
        memmove(lines->bytes, lines->bytes + length, lines->used - length);
        lines->used -= length;
    }
    if (lines->used == sizeof(lines->bytes) - 1) {
        lines->used = 0; /* nobody sends lines that long */
    }
    return true;
}

static void port_line(char *line, void *opaque)
{
    (void)opaque;
    obey(line);
}

static void victim_line(char *line, void *opaque)
{
    const struct victim *v = opaque;

    send_line("* victim %u %s", v->id, line);
}

static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < MAX_VICTIMS; i++) {
            struct victim *v = &victims[i];

            if (!v->id || v->pid != pid) {
                continue;
            }
            /* Its last words come before its end. */
            while (read_lines(v->output, &v->lines, victim_line, v)) {
                continue;
            }
            send_line("* exit %u pid=%d status=%d signal=%d", v->id, (int)pid,
                      WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
            close(v->input);
            close(v->output);
            v->id = 0;
        }
    }
}

static void serve(int child_signals)
{
    for (;;) {
        struct pollfd fds[2 + MAX_VICTIMS];
        struct victim *owner[2 + MAX_VICTIMS];
        nfds_t n = 0;

        fds[n++] = (struct pollfd) { .fd = port, .events = POLLIN };
        fds[n++] = (struct pollfd) { .fd = child_signals, .events = POLLIN };
        for (size_t i = 0; i < MAX_VICTIMS; i++) {
            if (victims[i].id) {
                owner[n] = &victims[i];
                fds[n++] = (struct pollfd) {
                    .fd = victims[i].output, .events = POLLIN,
                };
            }
        }
        if (poll(fds, n, -1) < 0) {
            continue;
        }
        for (nfds_t i = 2; i < n; i++) {
            if (fds[i].revents & POLLIN) {
                read_lines(fds[i].fd, &owner[i]->lines, victim_line,
                           owner[i]);
            }
        }
        if (fds[1].revents & POLLIN) {
            struct signalfd_siginfo info;

            if (read(child_signals, &info, sizeof(info)) > 0) {
                reap();
            }
        }
        if (fds[0].revents & POLLIN) {
            read_lines(port, &port_lines, port_line, NULL);
        } else if (fds[0].revents & (POLLHUP | POLLERR)) {
            usleep(10000); /* nobody is connected on the host */
        }
    }
}

int main(void)
{
    struct utsname system;
    sigset_t child;
    int child_signals;

    set_up();
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    child_signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    meeting = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bind_to(0, 1);
    while ((port = open_port()) < 0) {
        usleep(10000); /* the driver may still be at work */
    }
    uname(&system);
    send_line("* hello release=%s cpus=%ld page_size=%zu", system.release,
              sysconf(_SC_NPROCESSORS_ONLN), page_size());
    serve(child_signals);
}
