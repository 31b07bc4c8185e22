/*
 * Guest RAS under KVM: a failed KVM_RUN has all memory of the guest looked at
 *
 * accel/kvm/hwpoison-scan.c, with two vCPUs that run when a test says so.  Host
 * addresses are numbers: nothing is behind them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "accel/kvm/hwpoison-scan.h"
#include "accel/kvm/pagemap.h"
#include "hw/ras-error.h"
#include "hw/ras-host-memory.h"
#include "system/kvm-ras.h"
#include "system/ras.h"

#define PAGE 4096
/* more than a slice of a pass, without PAGEMAP_SCAN */
#define BLOCK_PAGES (3 * PAGEMAP_SLICE_READ)
#define BLOCK_SIZE ((uint64_t)BLOCK_PAGES * PAGE)
#define FIRST_BLOCK ((uintptr_t)1 << 30)
#define SWAPPED (1ULL << 62)
#define VCPUS 2

/* --- what the two use of QEMU --------------------------------------------- */

typedef uint64_t hwaddr;
typedef uint64_t ram_addr_t;
#define RAM_ADDR_FMT "%" PRIx64

struct RAMBlock {
    const char *name;
    uintptr_t host;
};

typedef struct MemoryRegion {
    RAMBlock *ram_block;
} MemoryRegion;

typedef struct RasDevice {
    int unused;
} RasDevice;

typedef struct QEMUTimer {
    void (*expired)(void *opaque);
    int64_t at;
    bool pending;
} QEMUTimer;

/* Guest physical memory is one block after the other. */
static RAMBlock blocks[2];
static unsigned int nr_blocks;
static struct {
    uint32_t version;
} ram_list;
static int kvm_state, address_space_memory;
static MemoryRegion regions[2];
static RasDevice device;
static QEMUTimer timer;
static int64_t now;
static CPUState vcpu[VCPUS] = { { 0 }, { 1 } };

__thread bool kvm_ras_after_run_pending;
int ras_host_memory_unreadable;

#define EHWPOISON_PAGES 2
static uintptr_t bad_page[EHWPOISON_PAGES];   /* pages */
static unsigned int nr_failed;
static int pagemap = -1;                    /* in place of /proc/self/pagemap */

/* what was reported: of which vCPU (-1: none), and where */
static int reported_vcpu;
static hwaddr reported_addr;
static unsigned int nr_reported;
static unsigned int nr_used;                /* without an address */
/* what failed memory the guest was told of */
static hwaddr known[EHWPOISON_PAGES];
static unsigned int nr_known;
static unsigned int sleeps;

#define QEMU_CLOCK_REALTIME 0
#define MEMTXATTRS_UNSPECIFIED 0
#define RCU_READ_LOCK_GUARD() do { } while (0)
#define QEMU_ALIGN_PTR_DOWN(p, n) \
    ((void *)((uintptr_t)(p) & -(uintptr_t)(n)))
#define qatomic_inc(p) ((void)++*(p))
#define qatomic_sub(p, n) ((void)(*(p) -= (n)))
#define g_usleep(us) ((void)sleeps++)
#define mincore fake_mincore
#define madvise fake_madvise
#undef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22

static void bql_lock(void)
{
}

static void bql_unlock(void)
{
}

static RasDevice *ras_get(void)
{
    return &device;
}

static void G_GNUC_PRINTF(2, 3) ras_log(RasDevice *d, const char *format, ...)
{
    g_assert_not_reached();
}

static void G_GNUC_PRINTF(2, 3) warn_reportf_err(Error *err,
                                                 const char *format, ...)
{
    g_assert_not_reached();
}

static int qemu_open(const char *name, int flags, Error **errp)
{
    g_assert_cmpstr(name, ==, "/proc/self/pagemap");
    return pagemap;
}

#undef qemu_real_host_page_size
static size_t qemu_real_host_page_size(void)
{
    return PAGE;
}

static int64_t qemu_clock_get_us(int clock)
{
    return now;
}

static QEMUTimer *timer_new_us(int clock, void (*expired)(void *opaque),
                               void *opaque)
{
    timer = (QEMUTimer) { .expired = expired };
    return &timer;
}

static void timer_mod(QEMUTimer *t, int64_t at)
{
    t->at = at;
    t->pending = true;
}

static void timer_del(QEMUTimer *t)
{
    t->pending = false;
}

static bool timer_pending(QEMUTimer *t)
{
    return t->pending;
}

static RAMBlock *find_block(uintptr_t host)
{
    for (unsigned int i = 0; i < nr_blocks; i++) {
        if (host - blocks[i].host < BLOCK_SIZE) {
            return &blocks[i];
        }
    }
    return NULL;
}

static RAMBlock *qemu_ram_block_from_host(void *host, bool round,
                                          ram_addr_t *offset)
{
    RAMBlock *block = find_block((uintptr_t)host);

    *offset = block ? (uintptr_t)host - block->host : 0;
    return block;
}

static bool kvm_physical_memory_addr_from_host(int s, void *host, hwaddr *addr)
{
    RAMBlock *block = find_block((uintptr_t)host);

    *addr = block ? (uintptr_t)host - block->host +
                    (block - blocks) * BLOCK_SIZE : 0;
    return block;
}

static ram_addr_t qemu_ram_addr_from_host(void *host)
{
    return (uintptr_t)host - FIRST_BLOCK;
}

static size_t qemu_ram_pagesize(RAMBlock *block)
{
    return PAGE;
}

static const char *qemu_ram_get_idstr(RAMBlock *block)
{
    return block->name;
}

static uint64_t qemu_ram_get_max_length(RAMBlock *block)
{
    return BLOCK_SIZE;
}

static void *qemu_ram_get_host_addr(RAMBlock *block)
{
    return (void *)block->host;
}

static int qemu_ram_foreach_block(int (*func)(RAMBlock *block, void *opaque),
                                  void *opaque)
{
    int ret = 0;

    for (unsigned int i = 0; i < nr_blocks && !ret; i++) {
        ret = func(&blocks[i], opaque);
    }
    return ret;
}

static MemoryRegion *address_space_translate(int *as, hwaddr addr,
                                             hwaddr *offset, hwaddr *len,
                                             bool is_write, int attrs)
{
    MemoryRegion *mr = &regions[addr / BLOCK_SIZE];

    mr->ram_block = &blocks[addr / BLOCK_SIZE];
    *offset = addr % BLOCK_SIZE;
    return mr;
}

static bool memory_region_is_ram(MemoryRegion *mr)
{
    return mr->ram_block < blocks + nr_blocks;
}

static void *memory_region_get_ram_ptr(MemoryRegion *mr)
{
    return (void *)mr->ram_block->host;
}

static bool page_failed(void *host)
{
    /* what is gone is not looked at */
    g_assert_nonnull(find_block((uintptr_t)host));
    for (unsigned int i = 0; i < nr_failed; i++) {
        if (bad_page[i] == (uintptr_t)host) {
            return true;
        }
    }
    return false;
}

static int fake_mincore(void *host, size_t len, unsigned char *vec)
{
    *vec = page_failed(host);
    return 0;
}

static int fake_madvise(void *host, size_t len, int advice)
{
    g_assert_cmpint(advice, ==, MADV_POPULATE_READ);
    errno = EHWPOISON;
    return page_failed(host) ? -1 : 0;
}

static void ras_host_memory_failed(CPUState *cpu, const RasHostMemory *m,
                                   const RasStorageAccess *access)
{
    g_assert_cmpuint(m->len, ==, PAGE);
    reported_vcpu = cpu ? cpu->cpu_index : -1;
    reported_addr = m->addr;
    nr_reported++;
    for (unsigned int i = 0; i < nr_known; i++) {
        if (known[i] == m->first) {
            return;
        }
    }
    g_assert_cmpuint(nr_known, <, EHWPOISON_PAGES);
    known[nr_known++] = m->first;
    ras_host_memory_unreadable++;
}

static bool ras_host_memory_used(CPUState *cpu)
{
    nr_used += nr_known > 0;
    return nr_known > 0;
}

static bool ras_host_memory_overlaps(RasDevice *d, hwaddr addr, uint64_t len)
{
    for (unsigned int i = 0; i < nr_known; i++) {
        if (addr - known[i] < PAGE) {
            return true;
        }
    }
    return false;
}

/* The instruction of each vCPU accesses one address. */
static hwaddr accessed[VCPUS];

static unsigned int find_accesses(RasDevice *d, CPUState *cpu,
                                  RasStorageAccess access[RAS_ACCESSES_MAX])
{
    access[0] = (RasStorageAccess) {
        .has_addr = true,
        .addr = accessed[cpu->cpu_index],
    };
    return 1;
}

typedef struct RasDeviceClass {
    unsigned int (*accesses)(RasDevice *d, CPUState *cpu,
                             RasStorageAccess access[RAS_ACCESSES_MAX]);
} RasDeviceClass;

static RasDeviceClass class = { find_accesses };
#define RAS_GET_CLASS(d) (&class)

static void cpu_synchronize_state(CPUState *cpu)
{
}

static void ras_poison_probe(bool begin)
{
}

#include "hwpoison-scan.c.inc"

/* --- two vCPUs, and the main loop ----------------------------------------- */

/* What belongs to the thread of a vCPU */
static struct {
    typeof(search) search;
    bool pending;
} own[VCPUS];
static unsigned int running;

static void on_thread_of(unsigned int n)
{
    own[running].search = search;
    own[running].pending = kvm_ras_after_run_pending;
    running = n;
    search = own[n].search;
    kvm_ras_after_run_pending = own[n].pending;
}

/* As kvm_ras_after_run() and kvm_ras_after_run_slow() */
static void after_run(unsigned int n, int ret)
{
    on_thread_of(n);
    if (kvm_ras_after_run_pending) {
        kvm_ras_after_run_pending = hwpoison_search_goes_on(ret);
    }
}

/*
 * KVM_RUN of vCPU @n returns -EFAULT at an instruction that accesses @addr.
 * Returns false if QEMU stops the VM because of that.
 */
static bool run_fails(unsigned int n, hwaddr addr)
{
    accessed[n] = addr;
    after_run(n, -EFAULT);
    return kvm_ras_run_failed(&vcpu[n], -EFAULT);
}

static bool run_waits(unsigned int n, hwaddr addr)
{
    unsigned int before = sleeps;

    return run_fails(n, addr) && sleeps == before + 1;
}

/* Have the timer of the scan expire once; returns false if there is none. */
static bool slice(void)
{
    if (!timer.pending) {
        return false;
    }
    now = MAX(now, timer.at);
    timer.pending = false;
    timer.expired(NULL);
    return true;
}

/* To the end of all passes that were asked for; returns the number of slices */
static unsigned int scan_to_the_end(void)
{
    unsigned int n = 0;

    while (slice()) {
        g_assert_cmpuint(++n, <, 1000);
    }
    return n;
}

static void set_entry(uintptr_t host, uint64_t entry)
{
    g_assert_cmpint(pwrite(pagemap, &entry, sizeof(entry), host / PAGE * 8),
                    ==, sizeof(entry));
}

static uintptr_t host_of(hwaddr addr)
{
    return blocks[addr / BLOCK_SIZE].host + addr % BLOCK_SIZE;
}

static void fail_page(hwaddr addr)
{
    g_assert_cmpuint(nr_failed, <, EHWPOISON_PAGES);
    bad_page[nr_failed++] = host_of(addr);
    set_entry(host_of(addr), SWAPPED);
}

static void begin(void)
{
    FILE *file = tmpfile();

    g_assert_nonnull(file);
    pagemap = dup(fileno(file));
    fclose(file);
    blocks[0] = (RAMBlock) { "ram", FIRST_BLOCK };
    blocks[1] = (RAMBlock) { "dimm", FIRST_BLOCK + BLOCK_SIZE };
    nr_blocks = 2;
    g_assert_cmpint(ftruncate(pagemap, (FIRST_BLOCK + 2 * BLOCK_SIZE) /
                              PAGE * 8), ==, 0);
    nr_failed = nr_known = nr_reported = nr_used = 0;
    ras_host_memory_unreadable = 0;
    memset(own, 0, sizeof(own));
    memset(&search, 0, sizeof(search));
    kvm_ras_after_run_pending = false;
    scan = (Scan) { .pagemap.fd = -1 };
    hwpoison_scan_init();
}

static void end(void)
{
    g_assert_cmpint(ras_host_memory_unreadable, ==, nr_known);
    close(pagemap);
}

/* --- tests ---------------------------------------------------------------- */

#define GOOD 0x1000
#define OTHER (BLOCK_SIZE + 0x1000)
/* a page table of the guest, for instance: no instruction names it */
#define TABLE (BLOCK_SIZE + 0x5000)

/* What the instruction accesses has failed: there is nothing to look for. */
static void test_access(void)
{
    begin();
    fail_page(GOOD);
    g_assert_true(run_fails(1, GOOD + 0x128));
    g_assert_cmpint(reported_vcpu, ==, 1);
    g_assert_cmphex(reported_addr, ==, GOOD + 0x128);
    /* once more: the page is known, and not there any longer */
    nr_failed = 0;
    g_assert_true(run_fails(0, GOOD));
    g_assert_cmpint(reported_vcpu, ==, 0);
    g_assert_false(timer.pending);
    end();
}

/* Something else has: it is found, and the vCPU is to blame for its use. */
static void test_found(void)
{
    begin();
    fail_page(TABLE);
    g_assert_true(run_fails(0, GOOD));
    g_assert_true(run_waits(0, GOOD));
    g_assert_cmpuint(scan_to_the_end(), >, 2 * BLOCK_PAGES /
                     PAGEMAP_SLICE_READ - 1);
    g_assert_cmpuint(nr_reported, ==, 1);
    g_assert_cmpint(reported_vcpu, ==, -1);
    g_assert_cmphex(reported_addr, ==, TABLE);
    g_assert_cmpuint(nr_used, ==, 0);
    g_assert_true(run_fails(0, GOOD));
    g_assert_cmpuint(nr_used, ==, 1);
    end();
}

/* Nothing has: QEMU stops the VM, as stock does.  The next one looks again. */
static void test_not_found(void)
{
    begin();
    for (int i = 0; i < 2; i++) {
        g_assert_true(run_fails(0, GOOD));
        scan_to_the_end();
        g_assert_false(run_fails(0, GOOD));
    }
    /* of another failure it is not the reason */
    g_assert_false(kvm_ras_run_failed(&vcpu[0], -EINVAL));
    g_assert_false(timer.pending);
    end();
}

/* Two instructions that fail in turn do not keep each other waiting. */
static void test_in_turn(void)
{
    begin();
    g_assert_true(run_fails(0, GOOD));
    while (scan.ended < 1) {
        g_assert_true(run_waits(0, OTHER));
        g_assert_true(run_waits(0, GOOD));
        g_assert_true(slice());
    }
    g_assert_false(run_fails(0, OTHER));
    g_assert_false(timer.pending);
    end();
}

/* An interrupted KVM_RUN tells nothing; one that executes the guest ends it. */
static void test_other_results(void)
{
    begin();
    g_assert_true(run_fails(0, GOOD));
    after_run(0, -EINTR);
    g_assert_true(run_waits(0, GOOD));
    after_run(0, 0);
    scan_to_the_end();
    /* not the result of the old one */
    g_assert_true(run_fails(0, GOOD));
    g_assert_true(timer.pending);
    scan_to_the_end();
    g_assert_false(run_fails(0, GOOD));
    end();
}

/* A reported access ends the search of what has failed before it. */
static void test_then_access(void)
{
    begin();
    g_assert_true(run_fails(0, GOOD));
    scan_to_the_end();
    fail_page(OTHER);
    g_assert_true(run_fails(0, OTHER));
    g_assert_cmpuint(nr_reported, ==, 1);
    g_assert_cmpuint(nr_used, ==, 0);
    g_assert_true(run_fails(0, GOOD));
    g_assert_cmpuint(nr_used, ==, 0);
    scan_to_the_end();
    end();
}

static void *address_of_search(void *opaque)
{
    return &search;
}

/*
 * Another vCPU fails in the middle of a pass, which has looked at what fails
 * now: its answer is the next pass, which the first one does not wait for.
 */
static void test_another_vcpu(void)
{
    GThread *other = g_thread_new("vcpu", address_of_search, NULL);

    g_assert_true(g_thread_join(other) != &search);
    begin();
    g_assert_true(run_fails(0, GOOD));
    g_assert_true(slice());
    g_assert_true(slice());
    fail_page(2 * PAGE);
    g_assert_true(run_fails(1, OTHER));
    while (scan.ended < 1) {
        g_assert_true(run_waits(0, GOOD));
        g_assert_true(run_waits(1, OTHER));
        g_assert_true(slice());
    }
    g_assert_cmpuint(nr_reported, ==, 0);
    g_assert_cmpint(ras_host_memory_unreadable, >, 0);
    g_assert_false(run_fails(0, GOOD));
    while (scan.ended < 2) {
        g_assert_true(run_waits(1, OTHER));
        g_assert_true(slice());
    }
    g_assert_cmpuint(nr_reported, ==, 1);
    g_assert_cmphex(reported_addr, ==, 2 * PAGE);
    g_assert_true(run_fails(1, OTHER));
    g_assert_cmpuint(nr_used, ==, 1);
    g_assert_false(timer.pending);
    end();
}

/* A reset looks at all memory at once; what was begun before is forgotten. */
static void test_reset(void)
{
    begin();
    fail_page(TABLE);
    g_assert_true(run_fails(0, GOOD));
    g_assert_true(slice());
    g_assert_true(run_fails(1, GOOD));
    kvm_ras_find_failed();
    g_assert_cmphex(reported_addr, ==, TABLE);
    g_assert_false(timer.pending);
    g_assert_cmpint(ras_host_memory_unreadable, ==, 1);
    /* the memory is replaced */
    nr_failed = nr_known = ras_host_memory_unreadable = 0;
    set_entry(host_of(TABLE), 0);
    for (unsigned int n = 0; n < VCPUS; n++) {
        g_assert_true(run_fails(n, GOOD));
        g_assert_true(timer.pending);
    }
    scan_to_the_end();
    g_assert_false(run_fails(0, GOOD));
    g_assert_false(run_fails(1, GOOD));
    end();
}

/* A RAM block comes or goes: the pass begins anew, and does not look there. */
static void test_block_vanishes(void)
{
    begin();
    fail_page(TABLE);
    nr_blocks = 1;
    g_assert_true(run_fails(0, GOOD));
    g_assert_true(slice());
    nr_blocks = 2;
    ram_list.version++;
    g_assert_true(slice());
    /* to the end of the first block, and then the other one goes */
    for (int i = 0; i < BLOCK_PAGES / PAGEMAP_SLICE_READ - 1; i++) {
        g_assert_true(slice());
    }
    nr_blocks = 1;
    ram_list.version++;
    /* what has failed meanwhile where the pass has been already */
    fail_page(3 * PAGE);
    scan_to_the_end();
    g_assert_cmpuint(nr_reported, ==, 1);
    g_assert_cmphex(reported_addr, ==, 3 * PAGE);
    g_assert_true(run_fails(0, GOOD));
    g_assert_cmpuint(nr_used, ==, 1);
    end();
}

/* What saves the VM must not read memory before the search has its result. */
static void test_migration(void)
{
    begin();
    g_assert_false(ras_host_memory_is_unreadable());
    g_assert_true(run_fails(0, GOOD));
    do {
        g_assert_true(ras_host_memory_is_unreadable());
    } while (slice() && scan.ended < 1);
    g_assert_false(ras_host_memory_is_unreadable());
    /* also when the vCPU does not ask for it */
    g_assert_true(run_fails(1, GOOD));
    after_run(1, 0);
    g_assert_true(ras_host_memory_is_unreadable());
    fail_page(TABLE);
    scan_to_the_end();
    g_assert_true(ras_host_memory_is_unreadable());
    end();
}

/* A lost signal counts until a pass has ended that began after it. */
static void test_lost_signal(void)
{
    begin();
    qatomic_inc(&ras_host_memory_unreadable);
    hwpoison_scan_lost();
    g_assert_true(slice());
    qatomic_inc(&ras_host_memory_unreadable);
    hwpoison_scan_lost();
    while (scan.ended < 1) {
        g_assert_true(slice());
    }
    g_assert_cmpint(ras_host_memory_unreadable, >, 0);
    scan_to_the_end();
    g_assert_cmpuint(scan.ended, ==, 2);
    end();
}

/* A vCPU that waits is worth shorter pauses, to the end of what it waits for */
static void test_pauses(void)
{
    int64_t before;

    begin();
    hwpoison_scan_soon();
    before = now;
    g_assert_true(slice());
    g_assert_cmpint(now - before, ==, SCAN_DELAY_US);
    before = now;
    g_assert_true(slice());
    g_assert_cmpint(now - before, ==, SCAN_PAUSE_US);
    g_assert_true(run_fails(0, GOOD));
    before = now;
    scan_to_the_end();
    g_assert_cmpuint(scan.ended, ==, 2);
    g_assert_cmpint(now - before, <, 2 * SCAN_PAUSE_US);
    after_run(0, 0);
    hwpoison_scan_soon();
    before = now;
    g_assert_true(slice());
    g_assert_true(slice());
    g_assert_cmpint(now - before, ==, SCAN_DELAY_US + SCAN_PAUSE_US);
    scan_to_the_end();
    /* nor does it wait for one that is to begin later */
    hwpoison_scan_soon();
    g_assert_true(run_fails(0, GOOD));
    before = now;
    g_assert_true(slice());
    g_assert_cmpint(now - before, ==, 0);
    scan_to_the_end();
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/hwpoison-scan/access", test_access);
    g_test_add_func("/hwpoison-scan/found", test_found);
    g_test_add_func("/hwpoison-scan/not-found", test_not_found);
    g_test_add_func("/hwpoison-scan/in-turn", test_in_turn);
    g_test_add_func("/hwpoison-scan/other-results", test_other_results);
    g_test_add_func("/hwpoison-scan/then-access", test_then_access);
    g_test_add_func("/hwpoison-scan/another-vcpu", test_another_vcpu);
    g_test_add_func("/hwpoison-scan/reset", test_reset);
    g_test_add_func("/hwpoison-scan/block-vanishes", test_block_vanishes);
    g_test_add_func("/hwpoison-scan/migration", test_migration);
    g_test_add_func("/hwpoison-scan/lost-signal", test_lost_signal);
    g_test_add_func("/hwpoison-scan/pauses", test_pauses);

    return g_test_run();
}
