/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest side of the functional tests: one static program that is PID 1 of
 * the guest (init.c) and, forked from it, every victim (victim.c).  A victim
 * in AArch32 state is a program of its own (aarch32/main.c).
 *
 * init.c speaks a line protocol with the test harness over a virtio-serial
 * port, which works while the kernel prints on the console:
 *
 *   host:   <seq> <command> [key=value | word] ...
 *   guest:  <seq> ok [key=value] ...      or   <seq> error <text>
 *   guest:  * hello key=value ...              once after each boot
 *   guest:  * victim <id> <what> key=value ...
 *   guest:  * exit <id> pid=<pid> status=<n> signal=<n>
 *
 * Commands: ping, spawn, burst, tell, kill, run, kmsg, symbol; see init.c.
 */
#ifndef RAS_TEST_AGENT_H
#define RAS_TEST_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VICTIM_MAX_PAGES 64
/* Of VICTIM_HUGE, which says where the first page is. */
#define VICTIM_HUGE_SIZE (2 << 20)

/* Exit status of a victim whose SIGBUS handler ran. */
#define VICTIM_EXIT_SIGBUS 43

/* What kind of memory a victim owns. */
enum victim_memory {
    VICTIM_ANON,   /* private anonymous pages */
    VICTIM_CODE,   /* the same, executable, with a small function in them */
    VICTIM_HUGE,   /* private anonymous pages, physically adjacent: 2 MiB */
    VICTIM_FILE,   /* pages of a file in tmpfs, mapped shared */
    VICTIM_DEVICE, /* /dev/mem at a given physical address, not touched */
};

struct victim_options {
    unsigned id;
    enum victim_memory memory;
    size_t pages;
    int cpu;                /* CPU that it is bound to; -1: any */
    bool handler;           /* installs a SIGBUS handler */
    bool control;           /* counts and checks its memory for ever */
    bool aarch32;           /* arm64: in AArch32 state; meets nobody */
    uint64_t device;        /* for VICTIM_DEVICE */
    void *memory_at;        /* one page that exists already, or NULL */
};

/*
 * Where processes meet before they touch their pages, so that they do it at
 * the same time.  Shared by all processes.
 */
struct meeting {
    unsigned expected;
    unsigned arrived;
};

extern struct meeting *meeting;

/*
 * The program of a victim in AArch32 state.  Arguments: id, memory, pages, cpu
 * and handler of its options, as numbers.
 */
#define VICTIM_AARCH32 "/bin/victim-aarch32"

/*
 * The life of a victim.  Commands arrive on file descriptor 0, reports leave
 * on 1.  Never returns.
 */
void victim_main(const struct victim_options *options)
    __attribute__((noreturn));

/* Fills one page with a pattern that depends on seed. */
void pattern_fill(void *page, uint64_t seed);

/*
 * Guest physical address of the page that is mapped at va, which must be
 * present.  0: not known.
 */
uint64_t physical_address(const void *va);

size_t page_size(void);

#endif
