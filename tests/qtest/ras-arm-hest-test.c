/*
 * QTest of guest RAS on "virt" with ras=on: error sources that HEST describes
 *
 * Machine types of QEMU 10.2 and later have two sources in their own tables:
 * external aborts, and an interrupt.  The test is the firmware, which carries
 * out etc/table-loader, and the guest.  Offsets and values are those of ACPI
 * 6.5 (18.3.2, table 18.11).  Older bases have no such machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"
#include "ras-cper.h"

/* etc/table-loader: an entry, and its commands */
#define LOADER_ENTRY    128
#define LOADER_NAME     56
#define ALLOCATE        1
#define ADD_POINTER     2
#define WRITE_POINTER   4

/* where the firmware puts files, from here on */
#define HEAP            (RAM + 96 * MiB)

/* HEST */
#define SOURCE_COUNT    36
#define SOURCES         40
#define SOURCE_SIZE     92
#define ADDRESS         24
#define ACK             68

/* generic event device */
#define GED             0x09080000ULL
#define GED_ERROR       0x20

typedef struct File {
    const char *name;
    uint64_t address;
    uint32_t size;
} File;

typedef struct Firmware {
    GArray *files;
    uint64_t heap;
    uint64_t hest;
} Firmware;

static RasVm *start(void)
{
    return ras_start_binary(NULL, ",ras=on", "-machine type=virt");
}

static const File *find_file(const Firmware *fw, const char *name)
{
    for (unsigned int i = 0; i < fw->files->len; i++) {
        const File *file = &g_array_index(fw->files, File, i);

        if (g_str_equal(file->name, name)) {
            return file;
        }
    }
    g_error("%s was not allocated", name);
}

static void allocate(RasVm *vm, Firmware *fw, const char *name, uint32_t align)
{
    File file = { .name = name };
    uint16_t key = fw_cfg_find(vm, name, &file.size);

    g_assert_cmpuint(key, !=, 0);
    file.address = ROUND_UP(fw->heap, MAX(align, 8));
    fw->heap = file.address + file.size;
    g_assert_cmpuint(fw_cfg_dma(vm, key, FW_CFG_DMA_CTL_READ, file.address,
                                file.size), ==, 0);
    g_array_append_val(fw->files, file);
}

static void add_pointer(RasVm *vm, Firmware *fw, const uint8_t *entry)
{
    const File *to = find_file(fw, (char *)entry + 4);
    const File *from = find_file(fw, (char *)entry + 4 + LOADER_NAME);
    uint64_t at = to->address + ldl_le_p(entry + 116);
    uint8_t value[8] = { 0 };
    uint8_t size = entry[120];

    g_assert_cmpuint(size, <=, sizeof(value));
    qtest_memread(vm->qts, at, value, size);
    stq_le_p(value, ldq_le_p(value) + from->address);
    qtest_memwrite(vm->qts, at, value, size);
}

static void write_pointer(RasVm *vm, Firmware *fw, const uint8_t *entry)
{
    const char *name = (char *)entry + 4;
    const File *from = find_file(fw, name + LOADER_NAME);
    uint64_t value = from->address + ldl_le_p(entry + 120);
    uint32_t size;
    uint16_t key = fw_cfg_find(vm, name, &size);

    g_assert_cmpuint(key, !=, 0);
    g_assert_cmpuint(ldl_le_p(entry + 116), ==, 0);
    g_assert_cmpuint(entry[124], ==, 8);
    qtest_writeq(vm->qts, DMA_BUFFER, value);
    g_assert_cmpuint(fw_cfg_dma(vm, key, FW_CFG_DMA_CTL_WRITE, DMA_BUFFER, 8),
                     ==, 0);
    if (g_str_equal(name, "etc/acpi_table_hest_addr")) {
        fw->hest = value;
    }
}

/* Returns the address of HEST.  Nobody looks at checksums here. */
static uint64_t load_tables(RasVm *vm)
{
    g_autoptr(GByteArray) script = fw_cfg_file(vm, "etc/table-loader");
    Firmware fw = {
        .files = g_array_new(false, false, sizeof(File)),
        .heap = HEAP,
    };

    g_assert_nonnull(script);
    for (unsigned int i = 0; i + LOADER_ENTRY <= script->len;
         i += LOADER_ENTRY) {
        const uint8_t *entry = script->data + i;

        switch (ldl_le_p(entry)) {
        case ALLOCATE:
            allocate(vm, &fw, (char *)entry + 4, ldl_le_p(entry + 60));
            break;
        case ADD_POINTER:
            add_pointer(vm, &fw, entry);
            break;
        case WRITE_POINTER:
            write_pointer(vm, &fw, entry);
            break;
        }
    }
    g_array_free(fw.files, true);
    g_assert_cmpuint(fw.hest, !=, 0);
    return fw.hest;
}

static RasVm *start_with_tables(uint64_t *hest)
{
    RasVm *vm = start();

    *hest = load_tables(vm);
    g_assert_true(ras_ready(vm));
    return vm;
}

static uint64_t source_at(RasVm *vm, uint64_t hest, unsigned int i)
{
    uint64_t at = hest + SOURCES + i * SOURCE_SIZE;

    g_assert_cmpuint(qtest_readl(vm->qts, hest + SOURCE_COUNT), ==, 2);
    g_assert_cmpuint(qtest_readw(vm->qts, at), ==, 10);
    g_assert_cmpuint(qtest_readw(vm->qts, at + 2), ==, i);
    return at;
}

static uint64_t read_ack_of(RasVm *vm, uint64_t hest, unsigned int i)
{
    return qtest_readq(vm->qts, source_at(vm, hest, i) + ACK);
}

static uint64_t block_of(RasVm *vm, uint64_t hest, unsigned int i)
{
    uint64_t at = qtest_readq(vm->qts, source_at(vm, hest, i) + ADDRESS);

    return qtest_readq(vm->qts, at);
}

/* As Linux does: clear block_status, then write the acknowledgement. */
static void acknowledge_source(RasVm *vm, uint64_t hest, unsigned int i,
                               unsigned int ms)
{
    qtest_writel(vm->qts, block_of(vm, hest, i), 0);
    qtest_writeq(vm->qts, read_ack_of(vm, hest, i), 1);
    step_ms(vm, ms);
}

static void check_source(RasVm *vm, uint64_t hest, unsigned int i,
                         uint64_t address, unsigned int pages,
                         unsigned int severity)
{
    uint8_t block[BLOCK_SIZE];

    qtest_memread(vm->qts, block_of(vm, hest, i), block, sizeof(block));
    check_block(block, address, pages, severity);
    g_assert_cmphex(qtest_readq(vm->qts, read_ack_of(vm, hest, i)), ==, 0);
}

static uint64_t report(RasVm *vm, unsigned int page, const char *severity)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                      " 'severity': %s, 'address': %llu }",
                      severity, PAGE(page));
}

/* --- tests --------------------------------------------------------------- */

/* What "ras=on" gives the default machine of this release */
static void test_sources(void)
{
    RasVm *vm = start();
    uint32_t size;
    bool has_hest = fw_cfg_find(vm, "etc/acpi_table_hest_addr", &size);
    QDict *info = ras_query(vm);
    QList *sources = qdict_get_qlist(info, "sources");

    g_assert_cmpint(has_hest, ==, qtest_has_machine("virt-10.2"));
    g_assert_cmpuint(qlist_size(sources), ==, has_hest ? 2 : 1);
    qobject_unref(info);
    ras_quit(vm);
}

static void test_older_machine(void)
{
    RasVm *vm = ras_start_binary(NULL, ",ras=on", "-machine type=virt-10.0");
    QDict *info = ras_query(vm);

    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "sources")), ==, 1);
    qobject_unref(info);
    ras_inject_refused(vm, "*no asynchronous error source*ras-ghes=on*",
                       "{ 'kind': 'memory', 'mode': 'report',"
                       " 'severity': 'recoverable', 'address': %llu }",
                       PAGE(0));
    ras_quit(vm);
}

/* Nobody has touched the memory: a record, and the interrupt of the GED. */
static void test_interrupt(void)
{
    uint64_t hest, id;
    RasVm *vm = start_with_tables(&hest);

    g_assert_cmphex(qtest_readl(vm->qts, GED) & GED_ERROR, ==, 0);
    id = report(vm, 1, "recoverable");
    ras_assert_state(vm, id, "notified");
    check_source(vm, hest, 1, PAGE(1), 1, 0);
    g_assert_cmphex(qtest_readl(vm->qts, GED) & GED_ERROR, ==, GED_ERROR);
    step_ms(vm, 200);
    ras_assert_state(vm, id, "notified");

    acknowledge_source(vm, hest, 1, 200);
    ras_assert_state(vm, id, "over");
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

static void test_corrected(void)
{
    uint64_t hest, id;
    RasVm *vm = start_with_tables(&hest);

    id = report(vm, 2, "corrected");
    check_source(vm, hest, 1, PAGE(2), 1, 2);
    acknowledge_source(vm, hest, 1, 10);
    ras_assert_state(vm, id, "over");
    ras_quit(vm);
}

/* More than a record has room for: the rest follows the acknowledgement. */
static void test_batches(void)
{
    enum { ERRORS = 20 };
    uint64_t hest;
    RasVm *vm = start_with_tables(&hest);
    unsigned int rounds = 0;

    for (unsigned int i = 0; i < ERRORS; i++) {
        report(vm, i, "recoverable");
    }
    while (ras_count(vm, "in-flight")) {
        g_assert_cmpuint(rounds++, <, ERRORS);
        acknowledge_source(vm, hest, 1, 1500);
    }
    ras_assert_count(vm, "acknowledged", ERRORS);
    /* the first one alone, then as many as fit into 1024 bytes */
    g_assert_cmpuint(rounds, ==, 1 + DIV_ROUND_UP(ERRORS - 1, 6));
    ras_quit(vm);
}

/* The guest is reminded if it does not look. */
static void test_reminder(void)
{
    uint64_t hest;
    RasVm *vm = start_with_tables(&hest);

    report(vm, 0, "recoverable");
    g_assert_cmphex(qtest_readl(vm->qts, GED) & GED_ERROR, ==, GED_ERROR);
    g_assert_cmphex(qtest_readl(vm->qts, GED) & GED_ERROR, ==, 0);
    step_ms(vm, 1100);
    g_assert_cmphex(qtest_readl(vm->qts, GED) & GED_ERROR, ==, GED_ERROR);
    ras_quit(vm);
}

/* An error that comes before the firmware waits for it, and is not lost. */
static void test_before_firmware(void)
{
    RasVm *vm = start();
    uint64_t id = report(vm, 3, "recoverable");
    uint64_t hest;

    ras_assert_state(vm, id, "queued");
    step_ms(vm, 5000);
    ras_assert_state(vm, id, "queued");
    hest = load_tables(vm);
    step_ms(vm, 1100);
    ras_assert_state(vm, id, "notified");
    check_source(vm, hest, 1, PAGE(3), 1, 0);
    ras_quit(vm);
}

/* Each source has its own record and acknowledgement. */
static void test_both(void)
{
    uint64_t hest, async, sync;
    RasVm *vm = start_with_tables(&hest);

    async = report(vm, 4, "recoverable");
    sync = consume_notified(vm, PAGE(5), 0);
    check_source(vm, hest, 1, PAGE(4), 1, 0);
    check_source(vm, hest, 0, PAGE(5), 1, 0);
    acknowledge_source(vm, hest, 0, 200);
    ras_assert_state(vm, sync, "over");
    ras_assert_state(vm, async, "notified");
    acknowledge_source(vm, hest, 1, 200);
    ras_assert_state(vm, async, "over");
    ras_quit(vm);
}

/* By the command that is QEMU's own; before the firmware, it waits. */
static void test_stock_command(void)
{
    static const char bad[] = "{ 'execute': 'inject-ghes-v2-error',"
                              " 'arguments': { 'cper': '*' } }";
    g_autoptr(GByteArray) record = ras_cper_of_length(2, 200);
    RasVm *vm = start();
    uint64_t hest;
    QDict *answer;

    answer = qtest_qmp(vm->qts, bad);
    g_assert_nonnull(qdict_get(answer, "error"));
    qobject_unref(answer);

    ras_inject_ghes_v2(vm, record);
    ras_assert_count(vm, "accepted", 1);
    ras_assert_count(vm, "recorded", 0);
    hest = load_tables(vm);
    step_ms(vm, 1100);
    ras_assert_count(vm, "recorded", 1);
    ras_cper_check(vm, block_of(vm, hest, 1), record);
    ras_quit(vm);
}

/* HEST is the guest's: whatever it has there, QEMU lives, and goes on. */
static void test_hostile(void)
{
    static const struct {
        unsigned int offset;
        unsigned int size;
        uint64_t value;
    } change[] = {
        { SOURCE_COUNT, 4, 0 },
        { SOURCES, 2, 9 },
        { SOURCES + 2, 2, 7 },
        { SOURCES + ADDRESS, 8, 0 },
        { SOURCES + ADDRESS, 8, RAM + 1 },
        { SOURCES + ADDRESS, 8, UART },
        { SOURCES + ADDRESS, 8, UINT64_MAX - 7 },
        { SOURCES + ACK, 8, 0 },
        { SOURCES + ACK, 8, RAM + 4 },
        { SOURCES + ACK, 8, RAM_END },
    };
    uint64_t hest;
    RasVm *vm = start_with_tables(&hest);

    for (unsigned int i = 0; i < ARRAY_SIZE(change); i++) {
        uint8_t old[8], new[8];

        stq_le_p(new, change[i].value);
        qtest_memread(vm->qts, hest + change[i].offset, old, sizeof(old));
        qtest_memwrite(vm->qts, hest + change[i].offset, new, change[i].size);
        g_assert_false(ras_ready(vm));
        qtest_memwrite(vm->qts, hest + change[i].offset, old, sizeof(old));
        g_assert_true(ras_ready(vm));
    }
    /* more sources than there are: those that are there are found */
    qtest_writel(vm->qts, hest + SOURCE_COUNT, UINT32_MAX);
    g_assert_true(ras_ready(vm));
    ras_quit(vm);
}

/* A reset forgets where the tables are. */
static void test_reset(void)
{
    uint64_t hest;
    RasVm *vm = start_with_tables(&hest);

    report(vm, 0, "recoverable");
    ras_reset(vm);
    g_assert_false(ras_ready(vm));
    ras_assert_count(vm, "discarded", 1);
    hest = load_tables(vm);
    report(vm, 1, "recoverable");
    check_source(vm, hest, 1, PAGE(1), 1, 0);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/hest/sources", test_sources);
    qtest_add_func("/ras/hest/older-machine", test_older_machine);
    if (qtest_has_machine("virt-10.2")) {
        qtest_add_func("/ras/hest/interrupt", test_interrupt);
        qtest_add_func("/ras/hest/corrected", test_corrected);
        qtest_add_func("/ras/hest/batches", test_batches);
        qtest_add_func("/ras/hest/reminder", test_reminder);
        qtest_add_func("/ras/hest/before-firmware", test_before_firmware);
        qtest_add_func("/ras/hest/both-sources", test_both);
        qtest_add_func("/ras/hest/inject-ghes-v2-error", test_stock_command);
        qtest_add_func("/ras/hest/hostile", test_hostile);
        qtest_add_func("/ras/hest/reset", test_reset);
    }
    return g_test_run();
}
