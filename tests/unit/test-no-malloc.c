/*
 * From the arrival of an error to its record, nothing is allocated
 *
 * An error of the hardware may come when the host is out of memory: so every
 * allocation fails here, and is counted, while an error goes through the queue
 * and is made into a record.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/apei/cper.h"
#include "hw/ppc/spapr_mce.h"
#include "hw/ras/queue.h"
#include "oracle/rtas-reader.h"
#include <dlfcn.h>

/* They run before a sanitizer is ready to look after them. */
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))

static bool forbidden;
static unsigned int refused;

static UNCHECKED void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static UNCHECKED bool refuse(void)
{
    if (forbidden) {
        refused++;
        errno = ENOMEM;
    }
    return forbidden;
}

/*
 * These take the place of the C library's, or of the sanitizer's, for the
 * whole program.  free() is left alone: what it gets comes from there.
 */
UNCHECKED void *malloc(size_t size)
{
    static void *(*real)(size_t);

    if (!real) {
        real = next("malloc");
    }
    return refuse() ? NULL : real(size);
}

UNCHECKED void *calloc(size_t n, size_t size)
{
    static void *(*real)(size_t, size_t);

    if (!real) {
        real = next("calloc");
    }
    return refuse() ? NULL : real(n, size);
}

UNCHECKED void *realloc(void *p, size_t size)
{
    static void *(*real)(void *, size_t);

    if (!real) {
        real = next("realloc");
    }
    return refuse() ? NULL : real(p, size);
}

UNCHECKED int posix_memalign(void **p, size_t alignment, size_t size)
{
    static int (*real)(void **, size_t, size_t);

    if (!real) {
        real = next("posix_memalign");
    }
    return refuse() ? ENOMEM : real(p, alignment, size);
}

static void forbid(void)
{
    refused = 0;
    forbidden = true;
}

/* Returns how many allocations were tried since forbid(). */
static unsigned int allow(void)
{
    forbidden = false;
    return refused;
}

/* Without this, the other tests could not fail. */
static void test_allocations_are_noticed(void)
{
    /* volatile: or the compiler, which knows malloc, leaves the call out */
    void *(*volatile allocate[])(gsize) = {
        malloc, g_try_malloc, g_try_malloc0
    };

    for (int i = 0; i < ARRAY_SIZE(allocate); i++) {
        void *p;
        unsigned int tried;

        forbid();
        p = allocate[i](100);
        tried = allow();
        g_assert_null(p);
        g_assert_cmpuint(tried, ==, 1);
    }
}

static void test_memory_block(void)
{
    static uint8_t buf[4096];
    CperEntry entry = {
        .severity = CPER_SEVERITY_RECOVERABLE,
        .flags = CPER_ENTRY_PRIMARY,
    };
    CperMemoryError memory = { 0 };
    CperBlock block;
    unsigned int added = 0, tried;
    size_t length;

    forbid();
    snprintf(entry.fru_text, sizeof(entry.fru_text), "RAM #%d",
             INT_MAX);
    cper_block_init(&block, buf, sizeof(buf));
    while (cper_block_add_memory(&block, &entry, &memory)) {
        memory.physical_address += RAS_PAGE_SIZE;
        added++;
    }
    length = cper_block_finish(&block);
    tried = allow();

    g_assert_cmpuint(tried, ==, 0);
    g_assert_cmpuint(added, ==, cper_block_max_memory_entries(sizeof(buf)));
    g_assert_true(cper_block_check(buf, length, NULL));
}

static void test_arm_processor_block(void)
{
    static uint8_t buf[1024];
    CperEntry entry = { .severity = CPER_SEVERITY_CORRECTED };
    CperArmProcessor processor = {
        .running_state = CPER_ARM_RUNNING,
        .error = { .type = CPER_ARM_TYPE_CACHE },
    };
    CperBlock block;
    unsigned int tried;
    bool added;
    size_t length;

    forbid();
    cper_block_init(&block, buf, sizeof(buf));
    added = cper_block_add_arm_processor(&block, &entry, &processor);
    length = cper_block_finish(&block);
    tried = allow();

    g_assert_cmpuint(tried, ==, 0);
    g_assert_true(added);
    g_assert_true(cper_block_check(buf, length, NULL));
}

static void test_rtas_log(void)
{
    static RtasElogMcLogBytes log;
    /* a load from memory that failed */
    static const SpaprMceRegs regs = { .srr1 = 0x200000, .dsisr = 0x8000 };
    g_autoptr(GString) why = g_string_new(NULL);
    unsigned int tried;
    RasError error;
    RtasReading r;
    bool is_error;

    forbid();
    is_error = spapr_mce_to_error(PPC_MCE_POWER10, &regs,
                                  SPAPR_MCE_NOT_RECOVERED, &error);
    spapr_mce_build_log(PPC_MCE_POWER10, &error, 1, 0, &log);
    tried = allow();

    g_assert_true(is_error);
    g_assert_cmpuint(tried, ==, 0);
    g_assert_true(rtas_read((uint8_t *)&log, sizeof(log), &r, why));
    g_assert_true(rtas_read_strict(&r, why));
}

/* A full queue, emptied record after record. */
static void test_queue(void)
{
    static RasQueue q;
    static RasQueueVcpu vcpu[1];
    static const RasError error = {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_SIGBUS,
        .channel = RAS_CHANNEL_INTERRUPT,
        .vcpu = -1,
        .len = RAS_PAGE_SIZE,
    };
    RasEntry *batch[RAS_BATCH_MAX];
    RasEvent report;
    unsigned int accepted = 0, reported = 0, n, tried;

    ras_queue_init(&q, vcpu, ARRAY_SIZE(vcpu));
    forbid();
    while (ras_queue_accept(&q, &error)) {
        accepted++;
    }
    while ((n = ras_queue_next_batch(&q, RAS_CHANNEL_INTERRUPT, batch))) {
        for (int state = RAS_ERROR_STATE_RECORDED;
             state <= RAS_ERROR_STATE_ACKNOWLEDGED; state++) {
            for (unsigned int i = 0; i < n; i++) {
                ras_queue_advance(&q, batch[i], state);
            }
        }
    }
    while (ras_queue_next_event(&q, &report)) {
        reported += report.state == RAS_ERROR_STATE_ACKNOWLEDGED;
    }
    tried = allow();

    g_assert_cmpuint(tried, ==, 0);
    g_assert_cmpuint(accepted, ==, RAS_QUEUE_INJECTED_MAX);
    g_assert_cmpuint(reported, ==, RAS_QUEUE_INJECTED_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/no-malloc/allocations-are-noticed",
                    test_allocations_are_noticed);
    g_test_add_func("/no-malloc/memory-block", test_memory_block);
    g_test_add_func("/no-malloc/arm-processor-block",
                    test_arm_processor_block);
    g_test_add_func("/no-malloc/rtas-log", test_rtas_log);
    g_test_add_func("/no-malloc/queue", test_queue);
    return g_test_run();
}
