/*
 * QTest of guest RAS on the Arm machine "virt" with ras=on
 *
 * The test plays the firmware and the guest: it places the error status block
 * in RAM and hands QEMU its address through fw_cfg, as UEFI does, then reads
 * the records and acknowledges them, as Linux does.  The virtual clock stands
 * still unless the test moves it.  The offsets and values are those of ACPI
 * 6.5 (18.3.2.7, 18.3.2.8) and UEFI 2.10 (N.2.5), written as numbers on
 * purpose: a wrong constant in QEMU must not be wrong here too.
 *
 * RAS_STOCK_QEMU_AARCH64: the same release of QEMU without guest RAS; the
 * tests that compare with it are skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-cper.h"
#include "ras-qtest.h"
#include "standard-headers/linux/qemu_fw_cfg.h"

#define STOCK "RAS_STOCK_QEMU_AARCH64"

/* memory map of virt */
#define FLASH       0x04000000ULL       /* the half that is not secure */
#define FLASH_END   0x08000000ULL
#define UART        0x09000000ULL
#define FW_CFG_DMA  0x09020010ULL
#define RAM         0x40000000ULL
#define RAM_END     0x50000000ULL

/* for fw_cfg DMA */
#define DMA_ACCESS  (RAM + 0x10000)
#define DMA_BUFFER  (RAM + 0x20000)

/* etc/hardware_errors: address of the block, read-ack register, the block */
#define HEADER          (RAM + 64 * MiB)
#define OTHER_HEADER    (RAM + 80 * MiB)
#define READ_ACK        8
#define BLOCK           16
#define BLOCK_SIZE      1024
#define BLOB_SIZE       1040

/* a record: header of the block, then the entries */
#define ENTRIES         20
#define ENTRY_SIZE      152
#define FRU_TEXT        44
#define FRU_TEXT_SIZE   20
#define SECTION         72

#define PAGE(n) (RAM + 32 * MiB + (n) * RAS_PAGE)

/* --- the firmware -------------------------------------------------------- */

/* Let fw_cfg transfer; returns what it says: 0 or FW_CFG_DMA_CTL_ERROR. */
static uint32_t fw_cfg_dma(RasVm *vm, uint16_t key, uint32_t control,
                           uint64_t address, uint32_t len)
{
    struct fw_cfg_dma_access access = {
        .control = cpu_to_be32(key << 16 | FW_CFG_DMA_CTL_SELECT | control),
        .length = cpu_to_be32(len),
        .address = cpu_to_be64(address),
    };

    qtest_memwrite(vm->qts, DMA_ACCESS, &access, sizeof(access));
    qtest_writeq(vm->qts, FW_CFG_DMA, bswap64(DMA_ACCESS));
    qtest_memread(vm->qts, DMA_ACCESS, &access, sizeof(access));
    return be32_to_cpu(access.control);
}

static void fw_cfg_read(RasVm *vm, uint16_t key, void *data, uint32_t len)
{
    g_assert_cmpuint(fw_cfg_dma(vm, key, FW_CFG_DMA_CTL_READ, DMA_BUFFER, len),
                     ==, 0);
    qtest_memread(vm->qts, DMA_BUFFER, data, len);
}

/* Key of a file in fw_cfg, or 0 if there is none of that name; its size */
static uint16_t fw_cfg_find(RasVm *vm, const char *name, uint32_t *size)
{
    g_autofree struct fw_cfg_file *file = NULL;
    g_autofree uint8_t *dir = NULL;
    uint32_t count;

    fw_cfg_read(vm, FW_CFG_FILE_DIR, &count, sizeof(count));
    count = be32_to_cpu(count);
    dir = g_malloc(sizeof(count) + count * sizeof(*file));
    fw_cfg_read(vm, FW_CFG_FILE_DIR, dir,
                sizeof(count) + count * sizeof(*file));
    file = g_memdup2(dir + sizeof(count), count * sizeof(*file));
    for (uint32_t i = 0; i < count; i++) {
        if (g_str_equal(file[i].name, name)) {
            *size = be32_to_cpu(file[i].size);
            return be16_to_cpu(file[i].select);
        }
    }
    return 0;
}

/* Content of a file in fw_cfg, or NULL */
static uint8_t *fw_cfg_file(RasVm *vm, const char *name, uint32_t *size)
{
    uint16_t key = fw_cfg_find(vm, name, size);
    uint8_t *data;

    if (!key) {
        return NULL;
    }
    data = g_malloc(*size);
    fw_cfg_read(vm, key, data, *size);
    return data;
}

/* Tell QEMU where the header is. */
static void set_address(RasVm *vm, uint64_t address)
{
    uint32_t size;
    uint16_t key = fw_cfg_find(vm, "etc/hardware_errors_addr", &size);

    g_assert_cmpuint(key, !=, 0);
    g_assert_cmpuint(size, ==, 8);
    qtest_writeq(vm->qts, DMA_BUFFER, address);
    g_assert_cmpuint(fw_cfg_dma(vm, key, FW_CFG_DMA_CTL_WRITE, DMA_BUFFER, 8),
                     ==, 0);
}

/* Put etc/hardware_errors at an address, as the linker/loader says. */
static void place_blob(RasVm *vm, uint64_t header)
{
    g_autofree uint8_t *blob = NULL;
    uint32_t size;

    blob = fw_cfg_file(vm, "etc/hardware_errors", &size);
    g_assert_nonnull(blob);
    g_assert_cmpuint(size, ==, BLOB_SIZE);
    qtest_memwrite(vm->qts, header, blob, size);
    qtest_writeq(vm->qts, header, header + BLOCK);
}

static void run_firmware(RasVm *vm)
{
    place_blob(vm, HEADER);
    set_address(vm, HEADER);
    g_assert_true(ras_ready(vm));
}

static RasVm *start_ready(const char *options)
{
    RasVm *vm = ras_start(options);

    run_firmware(vm);
    return vm;
}

/* --- the guest ----------------------------------------------------------- */

static uint64_t read_ack(RasVm *vm)
{
    return qtest_readq(vm->qts, HEADER + READ_ACK);
}

static void read_block(RasVm *vm, uint8_t *block)
{
    qtest_memread(vm->qts, HEADER + BLOCK, block, BLOCK_SIZE);
}

static uint32_t block_status(RasVm *vm)
{
    return qtest_readl(vm->qts, HEADER + BLOCK);
}

static void step_ms(RasVm *vm, unsigned int ms)
{
    qtest_clock_step(vm->qts, ms * 1000000LL);
}

/* As Linux does: clear block_status, then write the acknowledgement. */
static void acknowledge(RasVm *vm)
{
    qtest_writel(vm->qts, HEADER + BLOCK, 0);
    qtest_writeq(vm->qts, HEADER + READ_ACK, read_ack(vm) | 1);
    step_ms(vm, 20);
}

/* An error that has come as far as it can without the guest */
static uint64_t consume_notified(RasVm *vm, uint64_t address, int vcpu)
{
    uint64_t id = ras_consume(vm, address, vcpu);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    return id;
}

static uint64_t consume_taken(RasVm *vm)
{
    uint64_t delivered = ras_count(vm, "delivered");
    uint64_t recorded = ras_count(vm, "recorded");
    uint64_t id = ras_consume(vm, PAGE(0), 0);

    ras_wait_count(vm, "delivered", delivered + 1);
    ras_assert_count(vm, "recorded", recorded);
    return id;
}

/* --- records ------------------------------------------------------------- */

static void check_entry(const uint8_t *entry, uint64_t address,
                        unsigned int severity)
{
    /* platform memory: a5bc1114-6f64-4ede-b863-3e83ed7c83b1 */
    static const uint8_t memory_section[] = {
        0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
        0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,
    };
    const uint8_t *section = entry + SECTION;
    uint64_t valid = ldq_le_p(section);

    g_assert_cmpmem(entry, 16, memory_section, sizeof(memory_section));
    g_assert_cmpuint(ldl_le_p(entry + 16), ==, severity);
    g_assert_cmphex(lduw_le_p(entry + 20), ==, 0x300);      /* revision */
    g_assert_cmphex(entry[22], ==, 2);              /* FRU text is valid */
    g_assert_cmpuint(ldl_le_p(entry + 24), ==, 80);         /* length */
    g_assert_cmpuint(entry[FRU_TEXT], !=, 0);

    /* physical address, its mask, type of the error are valid */
    g_assert_cmphex(valid & 0x4006, ==, 0x4006);
    /* nothing is claimed of nodes, cards, ranks and the like */
    g_assert_cmphex(valid & ~0x4007ULL, ==, 0);
    g_assert_cmphex(ldq_le_p(section + 16), ==, address);
    g_assert_cmphex(ldq_le_p(section + 24), ==, -RAS_PAGE);
    g_assert_cmpuint(section[72], ==, 3);           /* multi-bit ECC */
    for (int i = 32; i < 72; i++) {
        g_assert_cmphex(section[i], ==, 0);
    }
}

static void check_block(const uint8_t *block, uint64_t address,
                        unsigned int pages, unsigned int severity)
{
    /* uncorrectable, multiple of them, number of entries */
    uint32_t status = 1 | (pages > 1 ? 4 : 0) | pages << 4;

    g_assert_cmphex(ldl_le_p(block), ==, status);
    g_assert_cmpuint(ldl_le_p(block + 8), ==, 0);           /* no raw data */
    g_assert_cmpuint(ldl_le_p(block + 12), ==, pages * ENTRY_SIZE);
    g_assert_cmpuint(ldl_le_p(block + 16), ==, severity);
    for (unsigned int i = 0; i < pages; i++) {
        check_entry(block + ENTRIES + i * ENTRY_SIZE,
                    address + i * RAS_PAGE, severity);
    }
    /* and nothing behind the record */
    for (int i = ENTRIES + pages * ENTRY_SIZE; i < BLOCK_SIZE; i++) {
        g_assert_cmphex(block[i], ==, 0);
    }
}

/* One error: the bytes in guest memory, the read-ack register, the steps. */
static void test_record(void)
{
    RasVm *vm = start_ready("");
    uint8_t block[BLOCK_SIZE], guard[64], zero[64] = { 0 };
    QDict *step;
    uint64_t id;

    g_assert_cmphex(read_ack(vm), ==, 1);
    id = consume_notified(vm, PAGE(3), 0);
    read_block(vm, block);
    check_block(block, PAGE(3), 1, 0);
    g_assert_cmphex(read_ack(vm), ==, 0);
    g_assert_cmphex(qtest_readq(vm->qts, HEADER), ==, HEADER + BLOCK);
    qtest_memread(vm->qts, HEADER - sizeof(guard), guard, sizeof(guard));
    g_assert_cmpmem(guard, sizeof(guard), zero, sizeof(zero));
    qtest_memread(vm->qts, HEADER + BLOB_SIZE, guard, sizeof(guard));
    g_assert_cmpmem(guard, sizeof(guard), zero, sizeof(zero));

    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_step(vm, id, "recorded");
    step = ras_next_step(vm, id, "notified");
    ras_assert_like(qdict_get_str(step, "delivery"),
                    "synchronous external abort with*record*");
    qobject_unref(step);
    ras_expect_memory_failure(vm, "inject", false);
    ras_assert_count(vm, "recorded", 1);
    ras_assert_count(vm, "notified", 1);
    ras_assert_count(vm, "in-flight", 1);

    acknowledge(vm);
    ras_expect_step(vm, id, "acknowledged");
    ras_assert_count(vm, "acknowledged", 1);
    ras_assert_count(vm, "in-flight", 0);
    ras_pump(vm);
    g_assert_cmpuint(vm->events.length, ==, 0);
    ras_quit(vm);
}

/* The vCPU takes a synchronous exception: it is at VBAR + 0x200 afterwards. */
static void test_exception(void)
{
    RasVm *vm = start_ready("");
    g_autofree char *before = qtest_hmp(vm->qts, "info registers");
    g_autofree char *after = NULL;

    ras_assert_like(before, "* PC=0000000000000000 *");
    consume_notified(vm, PAGE(0), 0);
    after = qtest_hmp(vm->qts, "info registers");
    ras_assert_like(after, "* PC=0000000000000200 *");
    ras_quit(vm);
}

/* Severity "fatal" reaches the record. */
static void test_fatal(void)
{
    RasVm *vm = start_ready("");
    uint8_t block[BLOCK_SIZE];
    uint64_t id;

    id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                    " 'severity': 'fatal', 'address': %llu, 'vcpu': 0 }",
                    PAGE(1));
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    read_block(vm, block);
    check_block(block, PAGE(1), 1, 1);
    ras_quit(vm);
}

/* A record names each lost page; what does not fit into one is refused. */
static void test_pages(void)
{
    RasVm *vm = start_ready("");
    uint8_t block[BLOCK_SIZE];
    uint64_t id;

    ras_inject_refused(vm, "*7 pages*maximum is 6*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %llu, 'length': %llu, 'vcpu': 0 }",
                       PAGE(0), (unsigned long long)(7 * RAS_PAGE));
    for (unsigned int pages = 1; pages <= 6; pages += 5) {
        id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                        " 'severity': 'recoverable', 'address': %llu,"
                        " 'length': %llu, 'vcpu': 0 }", PAGE(100),
                        (unsigned long long)(pages * RAS_PAGE));
        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        read_block(vm, block);
        check_block(block, PAGE(100), pages, 0);
        acknowledge(vm);
    }
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* --- acknowledgement ----------------------------------------------------- */

/* Only bit 0 acknowledges, that is the write mask of the source. */
static void test_acknowledge(void)
{
    static const struct {
        uint64_t value;
        bool acknowledges;
    } cases[] = {
        { 0, false },
        { 2, false },
        { ~1ULL, false },
        { 1ULL << 32, false },
        { 1, true },
        { 3, true },
        { ~0ULL, true },
    };
    RasVm *vm = start_ready("");

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t id = consume_notified(vm, PAGE(i), 0);

        g_assert_cmphex(read_ack(vm) & 1, ==, 0);
        qtest_writeq(vm->qts, HEADER + READ_ACK, cases[i].value);
        step_ms(vm, 100);
        if (!cases[i].acknowledges) {
            ras_assert_state(vm, id, "notified");
            acknowledge(vm);
        }
        ras_assert_state(vm, id, "over");
        ras_assert_count(vm, "acknowledged", i + 1);
    }
    ras_assert_count(vm, "reclaimed", 0);
    ras_quit(vm);
}

/* However long the guest takes, its acknowledgement is seen soon. */
static void test_acknowledge_late(void)
{
    RasVm *vm = start_ready("-global virt-ras.reclaim-ms=3000");

    for (int i = 0; i < 3; i++) {
        uint64_t id = consume_notified(vm, PAGE(i), 0);

        step_ms(vm, 500 + i * 700);
        ras_assert_state(vm, id, "notified");
        qtest_writel(vm->qts, HEADER + BLOCK, 0);
        qtest_writeq(vm->qts, HEADER + READ_ACK, read_ack(vm) | 1);
        step_ms(vm, 10);
        ras_assert_state(vm, id, "over");
        ras_assert_count(vm, "acknowledged", i + 1);
    }
    ras_quit(vm);
}

/* The state of the source is visible: ready, and whose record is out. */
static void test_source(void)
{
    RasVm *vm = ras_start("");
    uint64_t id;

    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': false } ]");
    run_firmware(vm);
    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': true } ]");
    id = consume_notified(vm, PAGE(0), 0);
    g_assert_cmpuint(id, ==, 1);
    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': true, 'outstanding': 1 } "
                    "]");
    acknowledge(vm);
    ras_assert_part(vm, "sources", "[ { 'name': 'GHESv2 source 0, SEA', "
                    "'synchronous': true, 'ready': true } ]");
    ras_quit(vm);
}

/*
 * An error of another vCPU while a record is out: its vCPU is parked, the
 * record is left alone, and after the acknowledgement comes the next.  The
 * two are different though the error is the same: Linux drops equal ones.
 */
static void test_second_vcpu(void)
{
    RasVm *vm = start_ready("");
    uint8_t first[BLOCK_SIZE], now[BLOCK_SIZE], second[BLOCK_SIZE];
    uint64_t a = consume_notified(vm, PAGE(5), 0), b;

    read_block(vm, first);
    b = ras_consume(vm, PAGE(5), 1);
    step_ms(vm, 100);
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[ 1 ]");
    read_block(vm, now);
    g_assert_cmpmem(now, BLOCK_SIZE, first, BLOCK_SIZE);
    g_assert_cmphex(read_ack(vm) & 1, ==, 0);

    ras_drop_events(vm);
    acknowledge(vm);
    ras_expect_step(vm, a, "acknowledged");
    ras_expect_step(vm, b, "recorded");
    ras_expect_step(vm, b, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    ras_assert_part(vm, "parked", "[]");
    read_block(vm, second);
    check_block(second, PAGE(5), 1, 0);
    g_assert_cmpint(memcmp(first, second, BLOCK_SIZE), !=, 0);
    g_assert_cmpint(memcmp(first + ENTRIES + FRU_TEXT,
                           second + ENTRIES + FRU_TEXT, FRU_TEXT_SIZE), !=, 0);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/*
 * A second injected error on the vCPU that owns the record waits, and the
 * vCPU runs: nobody else could acknowledge the first.
 */
static void test_second_same_vcpu(void)
{
    RasVm *vm = start_ready("");
    uint64_t a = consume_notified(vm, PAGE(5), 0);
    uint64_t b = ras_consume(vm, PAGE(6), 0);
    uint8_t block[BLOCK_SIZE];

    step_ms(vm, 100);
    ras_assert_state(vm, a, "notified");
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[]");
    acknowledge(vm);
    ras_wait_until(vm, ras_state_is(vm, b, "notified"));
    read_block(vm, block);
    check_block(block, PAGE(6), 1, 0);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 2);
    ras_assert_count(vm, "reclaimed", 0);
    ras_quit(vm);
}

/* A burst on both vCPUs: one record at a time, in order, none is lost. */
static void test_burst(void)
{
    const unsigned int n = 64;
    RasVm *vm = start_ready("");
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                       g_free, NULL);
    uint8_t block[BLOCK_SIZE];

    for (unsigned int i = 1; i <= n; i++) {
        g_assert_cmpuint(ras_consume(vm, PAGE(i), i % 2), ==, i);
    }
    for (unsigned int i = 1; i <= n; i++) {
        ras_wait_until(vm, ras_state_is(vm, i, "notified"));
        read_block(vm, block);
        check_block(block, PAGE(i), 1, 0);
        g_hash_table_add(seen, g_strndup((char *)block + ENTRIES + FRU_TEXT,
                                         FRU_TEXT_SIZE));
        acknowledge(vm);
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, n);
    ras_assert_count(vm, "acknowledged", n);
    ras_assert_count(vm, "in-flight", 0);
    ras_quit(vm);
}

/*
 * A record that is never acknowledged is withdrawn after reclaim-ms of the
 * guest's time, not before, and the next error is delivered.
 */
static void check_reclaim(const char *options, unsigned int reclaim_ms)
{
    RasVm *vm = start_ready(options);
    uint64_t a = consume_notified(vm, PAGE(1), 0);
    uint64_t b = ras_consume(vm, PAGE(2), 1);
    uint8_t block[BLOCK_SIZE];

    ras_drop_events(vm);
    step_ms(vm, reclaim_ms - 1);
    ras_assert_state(vm, a, "notified");
    g_assert_cmphex(block_status(vm), !=, 0);
    step_ms(vm, 2);
    ras_expect_step(vm, a, "reclaimed");
    ras_expect_step(vm, b, "recorded");
    ras_expect_step(vm, b, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    read_block(vm, block);
    check_block(block, PAGE(2), 1, 0);
    g_assert_cmphex(read_ack(vm), ==, 0);

    /* nothing follows the second: the source is as the firmware left it */
    step_ms(vm, reclaim_ms + 1);
    ras_expect_step(vm, b, "reclaimed");
    g_assert_cmphex(block_status(vm), ==, 0);
    g_assert_cmphex(read_ack(vm), ==, 1);
    ras_assert_count(vm, "reclaimed", 2);
    ras_assert_count(vm, "in-flight", 0);

    /* a late acknowledgement is nobody's */
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 0);
    ras_quit(vm);
}

/* By default it is a second; property reclaim-ms changes that. */
static void test_reclaim(void)
{
    check_reclaim("", 1000);
    check_reclaim("-global virt-ras.reclaim-ms=50", 50);
}

/* A stopped guest cannot acknowledge: its time does not run out. */
static void test_reclaim_stopped(void)
{
    RasVm *vm = start_ready("-accel tcg -global virt-ras.reclaim-ms=200");
    uint64_t id, over = 0;

    /* on a busy host it may be over before the stop */
    for (int i = 0; i < 100; i++) {
        id = ras_consume(vm, PAGE(1), 0);
        ras_wait_count(vm, "notified", i + 1);
        ras_stop(vm);
        over = ras_count(vm, "reclaimed");
        if (over == i) {
            break;
        }
        ras_cont(vm);
    }
    g_usleep(300 * 1000);
    ras_assert_state(vm, id, "notified");
    ras_cont(vm);
    ras_wait_count(vm, "reclaimed", over + 1);
    ras_quit(vm);
}

static RasVm *start_with_record(unsigned int reclaim_ms)
{
    g_autofree char *options =
        g_strdup_printf("-accel tcg -global virt-ras.reclaim-ms=%u",
                        reclaim_ms);
    RasVm *vm = start_ready(options);

    consume_notified(vm, PAGE(1), 0);
    return vm;
}

/* Nor can one whose QEMU is frozen. */
static void test_reclaim_frozen(void)
{
    ras_check_frozen(start_with_record);
}

/* --- real accesses ------------------------------------------------------- */

static uint64_t mail(RasVm *vm, int offset)
{
    return qtest_readq(vm->qts, RAS_ARM_MAILBOX + offset);
}

/* A guest that accesses memory; its records are there until they are acked. */
static RasVm *start_guest(const char *options)
{
    g_autofree char *all = g_strdup_printf("-accel tcg -global virt-ras."
                                           "reclaim-ms=600000 %s", options);
    RasVm *vm = ras_start_binary(NULL, ",ras=on", all);

    run_firmware(vm);
    return vm;
}

static void access_memory(RasVm *vm, uint64_t address, int kind)
{
    qtest_writeq(vm->qts, RAS_ARM_MAILBOX + RAS_ARM_KIND, kind);
    qtest_writeq(vm->qts, RAS_ARM_MAILBOX + RAS_ARM_ADDRESS, address);
}

/* As acknowledge(), but here the clock runs by itself. */
static void acknowledge_live(RasVm *vm)
{
    uint64_t before = ras_count(vm, "acknowledged");

    qtest_writel(vm->qts, HEADER + BLOCK, 0);
    qtest_writeq(vm->qts, HEADER + READ_ACK, read_ack(vm) | 1);
    ras_wait_count(vm, "acknowledged", before + 1);
}

/*
 * Load, store and fetch: the syndrome says which, FAR has the exact address,
 * and so has the record.  What was lost is there again after ras-unpoison.
 */
static void test_access(const void *options)
{
    static const struct {
        const char *name;
        uint32_t esr;           /* EC, IL, WnR, FSC; FnV is 0 */
    } kinds[] = {
        { "load", 0x25 << 26 | 1 << 25 | 0x10 },
        { "store", 0x25U << 26 | 1 << 25 | 1 << 6 | 0x10 },
        { "fetch", 0x21U << 26 | 1 << 25 | 0x10 },
    };
    const uint32_t mask = 0x3f << 26 | 1 << 25 | 1 << 10 | 1 << 6 | 0x3f;
    RasVm *vm = start_guest(options);
    uint64_t address = PAGE(9) + 0x128;
    uint64_t content = 0x1122334455667788;
    uint8_t block[BLOCK_SIZE];

    qtest_writeq(vm->qts, address, content);
    ras_poison(vm, PAGE(9), RAS_PAGE);
    for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
        QDict *error;

        access_memory(vm, address, i);
        ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == i + 1);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR) & mask, ==, kinds[i].esr);
        g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, address);
        read_block(vm, block);
        check_block(block, address, 1, 0);

        error = ras_next_step(vm, i + 1, "accepted");
        g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "poison");
        g_assert_cmpstr(qdict_get_str(error, "access"), ==, kinds[i].name);
        g_assert_cmphex(ras_get_uint(error, "address"), ==, address);
        g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, address);
        qobject_unref(error);
        acknowledge_live(vm);
        ras_drop_events(vm);
    }
    g_assert_cmpuint(mail(vm, RAS_ARM_DONE), ==, 0);
    ras_assert_count(vm, "poison-other-accesses", 0);

    ras_unpoison(vm, PAGE(9), RAS_PAGE);
    access_memory(vm, address, 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 1);
    g_assert_cmphex(mail(vm, RAS_ARM_VALUE), ==, content);
    ras_assert_count(vm, "accepted", ARRAY_SIZE(kinds));
    ras_quit(vm);
}

/*
 * A store that crosses into a poisoned page: nothing of it was done, neither by
 * one access (STP) nor by several (ST1D), and the address is where poison is.
 */
static void test_crossing(void)
{
    static const uint32_t stores[] = {
        0xa90020e7,             /* stp x7, x8, [x7] */
        0xe5e0e0e0,             /* st1d {z0.d}, p0, [x7] */
    };
    RasVm *vm = start_guest("");
    uint64_t from = PAGE(9) - 8;

    qtest_memset(vm->qts, PAGE(8), 0x11, 2 * RAS_PAGE);
    ras_poison(vm, PAGE(9), RAS_PAGE);
    for (int i = 0; i < ARRAY_SIZE(stores); i++) {
        uint32_t code[] = {
            0xd2800007 | (from & 0xffff) << 5,      /* movz x7, from */
            0xf2a00007 | (from >> 16) << 5,         /* movk x7, from >> 16 */
            0xd2a00668,                             /* movz x8, 0x33 << 16 */
            0xd5181048,                             /* msr CPACR_EL1, x8 */
            0xd5033fdf,                             /* isb */
            0x25d8e3e0,                             /* ptrue p0.d */
            stores[i],
        };

        for (int n = 0; n < ARRAY_SIZE(code); n++) {
            qtest_writel(vm->qts, PAGE(20 + i) + 4 * n, code[n]);
        }
        access_memory(vm, PAGE(20 + i), 2);
        ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == i + 1);
        g_assert_cmphex(mail(vm, RAS_ARM_ESR) >> 26, ==, 0x25);
        g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, PAGE(9));
        g_assert_cmphex(qtest_readq(vm->qts, from), ==, 0x1111111111111111);
        acknowledge_live(vm);
    }
    ras_unpoison(vm, PAGE(9), RAS_PAGE);
    g_assert_cmphex(qtest_readq(vm->qts, PAGE(9)), ==, 0x1111111111111111);
    ras_quit(vm);
}

/* An injected error without a virtual address: FAR is said to be not valid. */
static void test_far_not_valid(void)
{
    RasVm *vm = start_guest("");

    ras_consume(vm, PAGE(0), 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
    g_assert_cmphex(mail(vm, RAS_ARM_ESR) & 1 << 10, ==, 1 << 10);
    ras_quit(vm);
}

/* Poison that nobody touches, pages beside it that are: nothing happens. */
static void test_untouched(void)
{
    RasVm *vm = start_guest("");

    ras_poison(vm, PAGE(9), RAS_PAGE);
    access_memory(vm, PAGE(9) - 8, 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 1);
    access_memory(vm, PAGE(10), 1);
    ras_wait_until(vm, mail(vm, RAS_ARM_DONE) == 2);
    ras_assert_count(vm, "accepted", 0);
    g_assert_cmpuint(mail(vm, RAS_ARM_ENTRIES), ==, 0);
    ras_quit(vm);
}

/*
 * The owner of a record consumes the next error: it went on without an
 * acknowledgement, so the record is withdrawn at once.  What was injected for
 * the same vCPU meanwhile comes after what it consumed.
 */
static void test_second_consumed(void)
{
    RasVm *vm = start_guest("");
    uint8_t block[BLOCK_SIZE];

    ras_poison(vm, PAGE(1), RAS_PAGE);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    access_memory(vm, PAGE(1), 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
    g_assert_cmpuint(ras_consume(vm, PAGE(5), 0), ==, 2);
    ras_assert_state(vm, 1, "notified");
    ras_assert_state(vm, 2, "queued");
    ras_drop_events(vm);

    access_memory(vm, PAGE(3), 0);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 2);
    ras_expect_step(vm, 3, "accepted");
    ras_expect_step(vm, 3, "queued");
    ras_expect_step(vm, 1, "reclaimed");
    ras_expect_step(vm, 3, "recorded");
    ras_expect_step(vm, 3, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    read_block(vm, block);
    check_block(block, PAGE(3), 1, 0);
    ras_assert_state(vm, 2, "queued");

    acknowledge_live(vm);
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 3);
    read_block(vm, block);
    check_block(block, PAGE(5), 1, 0);
    ras_quit(vm);
}

/* --- memory that is unplugged -------------------------------------------- */

#define DIMM \
    "-m 256,slots=1,maxmem=4G -object memory-backend-ram,id=m,size=256M " \
    "-device pc-dimm,id=dimm,memdev=m "

#define DIMM_ADDRESS    0x80000000ULL
#define PCDIMM_ACPI     0x09070000ULL

/* What the guest does with a module that it gives back: eject. */
static void unplug_dimm(RasVm *vm)
{
    qtest_qmp_device_del_send(vm->qts, "dimm");
    qtest_writel(vm->qts, PCDIMM_ACPI, 0);
    qtest_writeb(vm->qts, PCDIMM_ACPI + 0x14, 1 << 3);
}

/* Poison goes with its memory: the next module there is good. */
static void test_unplug_poison(void)
{
    RasVm *vm = ras_start("-accel tcg -S " DIMM);

    ras_poison(vm, DIMM_ADDRESS + RAS_PAGE, RAS_PAGE);
    ras_poison(vm, PAGE(0), RAS_PAGE);
    unplug_dimm(vm);
    ras_assert_part(vm, "poisoned", "[ { 'address': 1107296256, "
                    "'length': 4096, 'severity': 'recoverable' } ]");
    ras_inject_refused(vm, "*is not RAM*", "{ 'kind': 'memory',"
                       " 'mode': 'poison', 'severity': 'recoverable',"
                       " 'address': %llu }", DIMM_ADDRESS + RAS_PAGE);
    ras_quit(vm);
}

/*
 * Two modules beside each other, with one range of poison over both: it is one
 * module's end that goes with it.
 */
static void test_unplug_one_of_two(void)
{
    RasVm *vm = ras_start("-accel tcg -S -m 256,slots=2,maxmem=4G"
                          " -object memory-backend-ram,id=m,size=128M"
                          " -object memory-backend-ram,id=n,size=128M"
                          " -device pc-dimm,id=dimm,memdev=m"
                          " -device pc-dimm,id=other,memdev=n");
    uint64_t second = DIMM_ADDRESS + 128 * MiB;

    ras_poison(vm, second - RAS_PAGE, 2 * RAS_PAGE);
    ras_assert_part(vm, "poisoned", "[ { 'address': 2281697280, "
                    "'length': 8192, 'severity': 'recoverable' } ]");
    ras_unpoison(vm, second - RAS_PAGE, 2 * RAS_PAGE);
    ras_poison(vm, second, RAS_PAGE);
    ras_poison(vm, second - RAS_PAGE, RAS_PAGE);
    unplug_dimm(vm);
    ras_assert_part(vm, "poisoned", "[ { 'address': 2281701376, "
                    "'length': 4096, 'severity': 'recoverable' } ]");
    qtest_readb(vm->qts, second);
    ras_assert_count(vm, "poison-other-accesses", 1);
    ras_quit(vm);
}

/* The block goes away with a record in it: the error ends all the same. */
static void test_unplug_block(void)
{
    RasVm *vm = ras_start(DIMM);
    uint64_t id;

    qtest_writeq(vm->qts, DIMM_ADDRESS, DIMM_ADDRESS + BLOCK);
    qtest_writeq(vm->qts, DIMM_ADDRESS + READ_ACK, 1);
    set_address(vm, DIMM_ADDRESS);
    id = consume_notified(vm, PAGE(0), 0);
    unplug_dimm(vm);
    g_assert_false(ras_ready(vm));
    step_ms(vm, 2000);
    ras_assert_state(vm, id, "over");
    consume_taken(vm);
    ras_quit(vm);
}

/* --- a hostile guest ----------------------------------------------------- */

static void assert_filled(RasVm *vm, uint64_t address, size_t len,
                          uint8_t value)
{
    g_autofree uint8_t *bytes = g_malloc(len);

    qtest_memread(vm->qts, address, bytes, len);
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(bytes[i], ==, value);
    }
}

/* Write to flash, which takes commands for its two chips. */
static void program_flash(RasVm *vm, uint64_t address, uint32_t value)
{
    qtest_writel(vm->qts, address, 0x00400040);
    qtest_writel(vm->qts, address, value);
    qtest_writel(vm->qts, address, 0x00ff00ff);
    g_assert_cmphex(qtest_readl(vm->qts, address), ==, value);
}

/* Neither of these may be an address of 16 bytes that QEMU uses. */
static const uint64_t bad_addresses[] = {
    0, 1, FLASH, FLASH + RAS_PAGE, FLASH_END - 8, FLASH_END,
    UART, FW_CFG_DMA, RAM - 8, RAM - 1, RAM_END - 15, RAM_END - 8, RAM_END,
    0x7fffffffffffffff, 0x8000000000000000, -16ULL, -8ULL, -1ULL,
};

/* The address that firmware writes is not believed. */
static void test_hostile_address(void)
{
    RasVm *vm = start_ready("");

    /* what is there looks good, if it is not only the address that is bad */
    program_flash(vm, FLASH + RAS_PAGE, (uint32_t)(HEADER + BLOCK));
    qtest_writeq(vm->qts, RAM_END - 8, HEADER + BLOCK);
    for (int i = 0; i < ARRAY_SIZE(bad_addresses); i++) {
        set_address(vm, bad_addresses[i]);
        g_assert_false(ras_ready(vm));
        consume_taken(vm);
    }
    g_assert_cmphex(block_status(vm), ==, 0);
    g_assert_cmphex(read_ack(vm), ==, 1);
    assert_filled(vm, FLASH, RAS_PAGE, 0);

    /* and a good one is good again */
    set_address(vm, HEADER);
    consume_notified(vm, PAGE(0), 0);
    ras_quit(vm);
}

/* Nor is the address of the block, which is in guest memory. */
static void test_hostile_pointer(void)
{
    RasVm *vm = start_ready("");
    static const uint64_t more[] = {
        RAM_END - BLOCK_SIZE + 1, RAM_END - 16, RAM - BLOCK_SIZE,
        -(uint64_t)BLOCK_SIZE,
    };

    for (int i = 0; i < ARRAY_SIZE(bad_addresses) + ARRAY_SIZE(more); i++) {
        uint64_t pointer = i < ARRAY_SIZE(bad_addresses) ? bad_addresses[i] :
                           more[i - ARRAY_SIZE(bad_addresses)];

        qtest_writeq(vm->qts, HEADER, pointer);
        g_assert_false(ras_ready(vm));
        consume_taken(vm);
    }
    g_assert_cmphex(read_ack(vm), ==, 1);
    assert_filled(vm, FLASH, RAS_PAGE, 0);
    qtest_writeq(vm->qts, HEADER, HEADER + BLOCK);
    consume_notified(vm, PAGE(0), 0);
    ras_quit(vm);
}

/* What just fits at the end of RAM is good. */
static void test_end_of_ram(void)
{
    RasVm *vm = ras_start("");
    uint64_t block = RAM_END - 16 - BLOCK_SIZE;
    uint8_t bytes[BLOCK_SIZE];

    qtest_writeq(vm->qts, RAM_END - 16, block);
    qtest_writeq(vm->qts, RAM_END - 8, 1);
    set_address(vm, RAM_END - 16);
    consume_notified(vm, PAGE(0), 0);
    qtest_memread(vm->qts, block, bytes, sizeof(bytes));
    check_block(bytes, PAGE(0), 1, 0);
    qtest_writeq(vm->qts, RAM_END - 8, 1);
    step_ms(vm, 20);
    ras_assert_count(vm, "acknowledged", 1);

    qtest_writeq(vm->qts, HEADER, RAM_END - BLOCK_SIZE);
    set_address(vm, HEADER);
    consume_notified(vm, PAGE(1), 0);
    qtest_memread(vm->qts, RAM_END - BLOCK_SIZE, bytes, sizeof(bytes));
    g_assert_cmphex(ldl_le_p(bytes), ==, 0x11);
    ras_quit(vm);
}

/*
 * The guest moves things while a record is out.  QEMU writes nowhere but where
 * the record went, and the error still ends.
 */
static void test_hostile_move(void)
{
    RasVm *vm = start_ready("");

    /* the pointer, then no acknowledgement: nothing is withdrawn elsewhere */
    qtest_memset(vm->qts, OTHER_HEADER, 0xaa, 2 * BLOCK_SIZE);
    consume_notified(vm, PAGE(0), 0);
    qtest_writeq(vm->qts, HEADER, OTHER_HEADER + BLOCK);
    step_ms(vm, 2000);
    ras_assert_count(vm, "reclaimed", 1);
    assert_filled(vm, OTHER_HEADER, 2 * BLOCK_SIZE, 0xaa);

    /* the pointer, then an acknowledgement: it counts */
    place_blob(vm, HEADER);
    consume_notified(vm, PAGE(0), 0);
    qtest_writeq(vm->qts, HEADER, UART);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 1);

    /* the address, to a source that looks acknowledged, or like nothing */
    for (int i = 0; i < 2; i++) {
        place_blob(vm, HEADER);
        set_address(vm, HEADER);
        qtest_memset(vm->qts, OTHER_HEADER, 0xaa, 2 * BLOCK_SIZE);
        qtest_writeq(vm->qts, OTHER_HEADER, OTHER_HEADER + BLOCK);
        consume_notified(vm, PAGE(0), 0);
        set_address(vm, i ? RAM_END : OTHER_HEADER);
        step_ms(vm, 2000);
        ras_assert_count(vm, "in-flight", 0);
        assert_filled(vm, OTHER_HEADER + READ_ACK, 2 * BLOCK_SIZE - READ_ACK,
                      0xaa);
    }
    ras_quit(vm);
}

/* A block that lies over its own header: garbage, but no harm to QEMU. */
static void test_hostile_overlap(void)
{
    static const int offsets[] = { 0, 4, 8, -8, -BLOCK_SIZE + 9 };
    RasVm *vm = start_ready("");

    for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
        place_blob(vm, HEADER);
        qtest_writeq(vm->qts, HEADER, HEADER + offsets[i]);
        ras_consume(vm, PAGE(i), 0);
        ras_wait_count(vm, "notified", i + 1);
        step_ms(vm, 2000);
        ras_assert_count(vm, "in-flight", 0);
    }
    ras_quit(vm);
}

/* Poison on the way: the block, its header, before and after the record. */
static void test_poisoned_block(void)
{
    static const uint64_t offsets[] = { 0, RAS_PAGE };
    RasVm *vm = ras_start("-accel tcg -global virt-ras.reclaim-ms=500");

    for (int i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint64_t page = HEADER + offsets[i];
        uint64_t id;

        /* the block is in the page behind that of the header */
        place_blob(vm, HEADER);
        qtest_writeq(vm->qts, HEADER, HEADER + RAS_PAGE);
        set_address(vm, HEADER);
        ras_poison(vm, page, RAS_PAGE);
        g_assert_false(ras_ready(vm));
        consume_taken(vm);
        ras_unpoison(vm, page, RAS_PAGE);

        id = ras_consume(vm, PAGE(0), 0);
        ras_wait_until(vm, ras_count(vm, "recorded") == i + 1);
        ras_poison(vm, page, RAS_PAGE);
        ras_wait_until(vm, ras_state_is(vm, id, "over"));
        ras_unpoison(vm, page, RAS_PAGE);
    }
    ras_assert_count(vm, "in-flight", 0);
    ras_quit(vm);
}

/* --- resets, check-stop -------------------------------------------------- */

/*
 * After a reset the RAM belongs to somebody else until firmware has run
 * again: nothing is written to where the block was.
 */
static void test_reset_forgets(void)
{
    RasVm *vm = start_ready("");
    uint64_t id = consume_notified(vm, PAGE(0), 0);

    ras_drop_events(vm);
    ras_reset(vm);
    ras_expect_step(vm, id, "discarded");
    g_assert_false(ras_ready(vm));
    qtest_memset(vm->qts, HEADER, 0xaa, BLOB_SIZE);
    qtest_writeq(vm->qts, HEADER, HEADER + BLOCK);
    consume_taken(vm);
    step_ms(vm, 2000);
    assert_filled(vm, HEADER + READ_ACK, BLOB_SIZE - READ_ACK, 0xaa);
    ras_assert_count(vm, "reclaimed", 0);

    run_firmware(vm);
    consume_notified(vm, PAGE(0), 0);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/*
 * A fatal error that can no longer be told of when its turn comes stops the
 * guest, and not QEMU; a reset brings it back.
 */
static void test_checkstop(void)
{
    g_autofree char *log = ras_temp_file();
    g_autofree char *options = g_strdup_printf("-action panic=pause 2>%s",
                                               log);
    RasVm *vm = start_ready(options);
    g_autofree char *text = NULL;
    g_autofree char *lost = NULL;
    g_autofree char *shown = NULL;
    uint64_t id;

    ras_stop(vm);
    id = ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                    " 'severity': 'fatal', 'address': %llu, 'vcpu': 0 }",
                    PAGE(1));
    g_assert_null(ras_lost(vm));
    set_address(vm, RAM_END);
    ras_cont(vm);
    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_memory_failure(vm, "reset", false);
    qobject_unref(ras_next_event(vm, "GUEST_PANICKED"));
    ras_wait_until(vm, ras_run_state_is(vm, "guest-panicked"));
    ras_assert_state(vm, id, "queued");
    ras_assert_part(vm, "parked", "[ 0 ]");
    ras_inject_refused(vm, "*check-stop*reset*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %llu, 'vcpu': 1 }", PAGE(9));
    text = ras_read_file(log, NULL);
    ras_assert_like(text, "*ras: error 1: memory, fatal, injected*0x42001000"
                    "*vCPU 0*check-stop: *error status block*");
    lost = ras_lost(vm);
    ras_assert_like(lost, "1: *error status block*");
    shown = qtest_hmp(vm->qts, "info ras");
    ras_assert_like(shown, "*check-stop since error 1: *error status block*");

    ras_reset(vm);
    g_assert_null(ras_lost(vm));
    ras_expect_step(vm, id, "discarded");
    ras_cont(vm);
    run_firmware(vm);
    id = consume_notified(vm, PAGE(1), 0);
    acknowledge(vm);
    ras_assert_state(vm, id, "over");
    ras_quit(vm);
    g_unlink(log);
}

/* --- poison -------------------------------------------------------------- */

/* Ranges of different severity lie beside each other without joining. */
static void test_poison_severity(void)
{
    RasVm *vm = start_ready("-accel tcg -S");

    ras_poison(vm, PAGE(1), RAS_PAGE);
    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'poison',"
               " 'severity': 'fatal', 'address': %llu }", PAGE(2));
    ras_poison(vm, PAGE(3), RAS_PAGE);
    ras_assert_part(vm, "poisoned",
        "[ { 'address': 1107300352, 'length': 4096,"
        "    'severity': 'recoverable' },"
        "  { 'address': 1107304448, 'length': 4096, 'severity': 'fatal' },"
        "  { 'address': 1107308544, 'length': 4096,"
        "    'severity': 'recoverable' } ]");
    ras_quit(vm);
}

/* A device whose DMA hits poison reports the error in its own way. */
static void test_poison_dma(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint32_t signature = cpu_to_le32(0x55aa55aa);

    g_assert_cmphex(fw_cfg_dma(vm, FW_CFG_SIGNATURE, FW_CFG_DMA_CTL_READ,
                               PAGE(1), 4), ==, 0);
    g_assert_cmphex(qtest_readl(vm->qts, PAGE(1)), ==, 0x554d4551);
    qtest_memwrite(vm->qts, PAGE(1), &signature, sizeof(signature));
    ras_poison(vm, PAGE(1), RAS_PAGE);
    g_assert_cmphex(fw_cfg_dma(vm, FW_CFG_SIGNATURE, FW_CFG_DMA_CTL_READ,
                               PAGE(1), 4), ==, FW_CFG_DMA_CTL_ERROR);
    ras_assert_count(vm, "poison-other-accesses", 1);
    ras_unpoison(vm, PAGE(1), RAS_PAGE);
    g_assert_cmphex(qtest_readl(vm->qts, PAGE(1)), ==, 0x55aa55aa);
    ras_quit(vm);
}

/* --- without tables ------------------------------------------------------ */

/* ras=on without ACPI: no records, but errors, as the hint of QEMU says. */
static void test_acpi_off(void)
{
    RasVm *vm = ras_start_binary(NULL, ",ras=on,acpi=off", "");

    g_assert_false(ras_ready(vm));
    consume_taken(vm);
    ras_quit(vm);
}

/* --- SErrors -------------------------------------------------------------- */

#define SERROR_UEO 0x811        /* AET restartable, DFSC 0x11 */

#define SERROR_PENDING(vcpu, syndrome) \
    "[ { 'vcpu': " #vcpu ", 'syndrome': " #syndrome " } ]"

/*
 * By its fields or as a whole, it is pending; a reset discards it.  The CPU
 * model 'max' has the RAS extension under TCG only.
 */
static void test_serror(void)
{
    static const struct {
        const char *arguments;
        const char *severity;
        const char *pending;    /* 0x11, and AET from bit 10 on */
    } kinds[] = {
        { "'aet': 'uc'", "fatal", SERROR_PENDING(1, 17) },
        { "'aet': 'ueu'", "fatal", SERROR_PENDING(1, 1041) },
        { "'aet': 'ueo'", "recoverable", SERROR_PENDING(1, 2065) },
        { "'aet': 'uer', 'ea': true", "recoverable", SERROR_PENDING(1, 3601) },
        { "'aet': 'ce', 'dfsc': 17", "corrected", SERROR_PENDING(1, 6161) },
        { "'dfsc': 0", "fatal", SERROR_PENDING(1, 0) },
        { "'ids': true", "fatal", SERROR_PENDING(1, 16777216) },
        { "'syndrome': 33554431", "fatal", SERROR_PENDING(1, 33554431) },
        { "'syndrome': 2065", "recoverable", SERROR_PENDING(1, 2065) },
        /* IESB and EA, reserved bits, DFSC and AET that are reserved */
        { "'syndrome': 10769", "recoverable", SERROR_PENDING(1, 10769) },
        { "'syndrome': 2129", "fatal", SERROR_PENDING(1, 2129) },
        { "'syndrome': 18449", "fatal", SERROR_PENDING(1, 18449) },
        { "'syndrome': 2064", "fatal", SERROR_PENDING(1, 2064) },
        { "'syndrome': 4113", "fatal", SERROR_PENDING(1, 4113) },
        { "'syndrome': 7185", "fatal", SERROR_PENDING(1, 7185) },
    };
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t id;

    for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *text =
            g_strdup_printf("{ 'kind': 'serror', 'vcpu': 1, %s }",
                            kinds[i].arguments);
        QDict *args = qobject_to(QDict, qobject_from_json(text, &error_abort));
        QDict *result, *error;

        result = qtest_qmp_assert_success_ref(vm->qts,
                     "{ 'execute': 'ras-inject', 'arguments': %p }", args);
        id = ras_get_uint(result, "id");
        qobject_unref(result);
        error = ras_next_step(vm, id, "accepted");
        g_assert_cmpstr(qdict_get_str(error, "severity"), ==,
                        kinds[i].severity);
        g_assert_cmpint(qdict_get_int(error, "vcpu"), ==, 1);
        g_assert_false(qdict_get_bool(error, "synchronous"));
        qobject_unref(error);
        ras_expect_step(vm, id, "queued");
        error = ras_next_step(vm, id, "notified");
        g_assert_cmpstr(qdict_get_str(error, "delivery"), ==,
                        "SError with a syndrome");
        qobject_unref(error);
        ras_assert_state(vm, id, "notified");
        ras_assert_part(vm, "serrors", kinds[i].pending);
        ras_assert_part(vm, "parked", "[]");

        ras_reset(vm);
        ras_expect_step(vm, id, "discarded");
        ras_assert_part(vm, "serrors", "[]");
        ras_assert_count(vm, "discarded", i + 1);
    }
    id = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    ras_assert_part(vm, "serrors", "[ { 'vcpu': 0 } ]");
    ras_assert_state(vm, id, "notified");
    ras_assert_count(vm, "delivered", 0);
    ras_quit(vm);
}

/* What no record waits for keeps no record waiting, nor other vCPUs. */
static void test_serror_beside(void)
{
    RasVm *vm = start_ready("");
    uint64_t serror[2], memory;

    serror[0] = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    memory = consume_notified(vm, PAGE(0), 0);
    serror[1] = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 1 }");
    ras_assert_state(vm, serror[0], "notified");
    ras_assert_state(vm, serror[1], "notified");
    acknowledge(vm);
    step_ms(vm, 20);
    ras_wait_until(vm, ras_state_is(vm, memory, "over"));
    ras_assert_count(vm, "in-flight", 2);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

static void test_serror_refused(void)
{
    RasVm *vm = ras_start_binary(NULL, ",ras=on", "-accel tcg -S");

    ras_inject_refused(vm, "*0x2000000*outside*ISS*0x1ffffff*",
                       "{ 'kind': 'serror', 'vcpu': 0,"
                       " 'syndrome': %" PRIu64 " }", UINT64_C(0x2000000));
    ras_inject_refused(vm, "*0x8000000000000011*outside*ISS*",
                       "{ 'kind': 'serror', 'vcpu': 0,"
                       " 'syndrome': %" PRIu64 " }",
                       UINT64_C(0x8000000000000011));
    ras_inject_refused(vm, "*twice*either 'syndrome'*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'syndrome': 17,"
                       " 'aet': 'uc' }");
    ras_inject_refused(vm, "*twice*either 'syndrome'*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'syndrome': 17,"
                       " 'ea': false }");
    ras_inject_refused(vm, "*'ids'*leave out*'aet'*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'ids': true,"
                       " 'aet': 'uc' }");
    ras_inject_refused(vm, "*'aet' is missing*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'ea': true }");
    ras_inject_refused(vm, "*'aet' is only for 'dfsc' 0x11*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'dfsc': 0,"
                       " 'aet': 'uc' }");
    ras_inject_refused(vm, "*EA need DFSC 0x11*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'dfsc': 0,"
                       " 'ea': true }");
    ras_inject_refused(vm, "*DFSC is not 0x00*0x11*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'dfsc': 2 }");
    ras_inject_refused(vm, "*no vCPU 2*", "{ 'kind': 'serror', 'vcpu': 2 }");
    ras_inject_refused(vm, "*no vCPU -1*",
                       "{ 'kind': 'serror', 'vcpu': -1 }");
    ras_inject_refused(vm, "*vCPU 1 is offline*",
                       "{ 'kind': 'serror', 'vcpu': 1 }");

    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'uc' }");
    ras_inject_refused(vm, "vCPU 0 has an SError pending*reset*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'ce' }");
    ras_assert_part(vm, "serrors", SERROR_PENDING(0, 17));
    ras_quit(vm);
}

/* Errors of processors of another make */
static void test_machine_check_refused(void)
{
    RasVm *vm = ras_start("");

    ras_inject_refused(vm, "This machine has no POWER processors; use kind "
                       "'memory' or 'arm-processor'",
                       "{ 'kind': 'machine-check', 'vcpu': 0, 'class': 'slb',"
                       " 'sub-type': 'parity' }");
    ras_quit(vm);
}

/* A CPU model without the extension: no syndrome, but an SError. */
static void test_serror_no_extension(void)
{
    RasVm *vm = ras_start("-accel tcg -S -cpu cortex-a57");

    ras_inject_refused(vm, "*no RAS extension*leave it out*",
                       "{ 'kind': 'serror', 'vcpu': 0, 'aet': 'uc' }");
    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    ras_assert_part(vm, "serrors", "[ { 'vcpu': 0 } ]");
    ras_quit(vm);
}

/* --- saving -------------------------------------------------------------- */

/* Move a VM to a new one; the old one is gone. */
static RasVm *move(RasVm *vm)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start("-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    g_unlink(file);
    return vm;
}

/*
 * A record is out, and one waits: both arrive, the guest acknowledges the
 * first, and gets the second.
 */
static void test_move(void)
{
    RasVm *vm = start_ready("");
    uint64_t first = consume_notified(vm, PAGE(0), 0);
    uint64_t second = ras_consume(vm, PAGE(1), 0);

    vm = move(vm);
    ras_assert_state(vm, first, "notified");
    ras_assert_state(vm, second, "queued");
    ras_assert_count(vm, "accepted", 2);
    acknowledge(vm);
    step_ms(vm, 20);
    ras_wait_until(vm, ras_state_is(vm, second, "notified"));
    ras_assert_count(vm, "acknowledged", 1);
    acknowledge(vm);
    step_ms(vm, 20);
    ras_wait_until(vm, ras_state_is(vm, second, "over"));
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* Nobody acknowledges on arrival, either: it is reclaimed as always. */
static void test_move_and_reclaim(void)
{
    RasVm *vm = start_ready("");
    uint64_t id = consume_notified(vm, PAGE(0), 0);

    vm = move(vm);
    step_ms(vm, 900);
    ras_assert_state(vm, id, "notified");
    step_ms(vm, 200);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_assert_count(vm, "reclaimed", 1);
    ras_quit(vm);
}

/* The same for one of TCG that does not run; var: see ras_start_binary() */
static RasVm *move_stopped(RasVm *vm, const char *var)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start_binary(var, ",ras=on,secure=on",
                          "-accel tcg -S -incoming defer");
    ras_load(vm, file);
    g_unlink(file);
    return vm;
}

/* A pending SError is accepted here and ends there, under its number. */
static void test_move_serror(void)
{
    RasVm *vm = ras_start_stopped_tcg();
    uint64_t id = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 1,"
                             " 'syndrome': %d }", SERROR_UEO);

    for (int i = 0; i < 3; i++) {
        vm = move_stopped(vm, NULL);
        ras_assert_part(vm, "serrors", SERROR_PENDING(1, 2065));
        ras_assert_state(vm, id, "notified");
        ras_assert_count(vm, "accepted", 1);
        ras_inject_refused(vm, "vCPU 1 has an SError pending*",
                           "{ 'kind': 'serror', 'vcpu': 1 }");
    }
    ras_reset(vm);
    ras_expect_step(vm, id, "discarded");
    ras_assert_part(vm, "serrors", "[]");
    ras_assert_count(vm, "discarded", 1);
    ras_quit(vm);
}

/* With an error that has a record, they both move as they are. */
static void test_move_serror_beside(void)
{
    RasVm *vm = start_ready("");
    uint64_t serror, memory;

    serror = ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 0 }");
    memory = consume_notified(vm, PAGE(0), 0);
    vm = move(vm);
    ras_assert_state(vm, serror, "notified");
    ras_assert_state(vm, memory, "notified");
    ras_assert_part(vm, "serrors", "[ { 'vcpu': 0 } ]");
    ras_reset(vm);
    ras_assert_count(vm, "discarded", 2);
    ras_assert_part(vm, "serrors", "[]");
    ras_quit(vm);
}

/* --- equal to stock ------------------------------------------------------ */

/* The tables that the guest gets, and how firmware is to place them. */
static void test_stock_tables(const void *machine_options)
{
    static const char *const names[] = {
        "etc/acpi/tables", "etc/table-loader", "etc/acpi/rsdp",
        "etc/hardware_errors", "etc/hardware_errors_addr",
    };
    bool has_ras = strstr(machine_options, "ras=on");
    RasVm *ours, *stock;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    ours = ras_start_binary(NULL, machine_options, "");
    stock = ras_start_binary(STOCK, machine_options, "");
    for (int i = 0; i < ARRAY_SIZE(names); i++) {
        g_autofree uint8_t *our_file = NULL;
        g_autofree uint8_t *stock_file = NULL;
        uint32_t our_size = 0, stock_size = 0;

        our_file = fw_cfg_file(ours, names[i], &our_size);
        stock_file = fw_cfg_file(stock, names[i], &stock_size);
        g_assert_cmpint(!!our_file, ==, i < 3 || has_ras);
        g_assert_cmpmem(our_file, our_size, stock_file, stock_size);
    }
    ras_quit(ours);
    ras_quit(stock);
}

/*
 * A VM whose firmware has set up the block moves to stock and back: the
 * address goes with it, and errors are delivered on arrival.
 */
static void test_stock_moves_ready(void)
{
    static const char machine[] = ",ras=on,secure=on";
    g_autofree char *file = NULL;
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    file = ras_temp_file();
    vm = start_ready("");
    consume_notified(vm, PAGE(0), 0);
    acknowledge(vm);
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(STOCK, machine, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(NULL, machine, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    g_assert_true(ras_ready(vm));
    consume_notified(vm, PAGE(7), 1);
    g_assert_cmphex(block_status(vm), ==, 0x11);
    acknowledge(vm);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
    g_unlink(file);
}

/* Stock would take a pending SError, and nobody would learn how it ended. */
static void test_stock_refuses_serror(void)
{
    g_autofree char *file = NULL, *uri = NULL;
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    file = ras_temp_file();
    uri = g_strdup_printf("file:%s", file);
    vm = ras_start_stopped_tcg();
    ras_inject(vm, "{ 'kind': 'serror', 'vcpu': 1 }");
    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start_binary(STOCK, ",ras=on,secure=on",
                          "-accel tcg -S -incoming defer");
    qtest_set_expected_status(vm->qts, 1);
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s } }", uri);
    qtest_wait_qemu(vm->qts);
    ras_quit(vm);
    g_unlink(file);
}

/* Run "virt,ras=on" without firmware until its monitor has nothing to do. */
static char *run_without_firmware(const char *binary, int *status)
{
    g_autofree char *log = ras_temp_file();
    g_autofree char *command =
        g_strdup_printf("(ulimit -c 0; echo quit | %s -machine virt,ras=on "
                        "-cpu max -nodefaults -display none -accel qtest "
                        "-monitor stdio) >%s 2>&1", binary, log);
    char *text;

    *status = system(command);
    g_assert_true(WIFEXITED(*status));
    *status = WEXITSTATUS(*status);
    text = ras_read_file(log, NULL);
    g_unlink(log);
    return text;
}

/* Without firmware stock QEMU crashes; a user needs to know what to do. */
static void test_stock_no_firmware(void)
{
    const char *stock = ras_env_or_skip(STOCK);
    g_autofree char *our_text = NULL;
    g_autofree char *stock_text = NULL;
    int status;

    our_text = run_without_firmware(g_getenv("QTEST_QEMU_BINARY"), &status);
    g_assert_cmpint(status, ==, 1);
    ras_assert_like(our_text, "*ras=on*needs*firmware*-bios*");
    if (stock) {
        stock_text = run_without_firmware(stock, &status);
        g_assert_cmpint(status, ==, 128 + SIGABRT);
        ras_assert_like(stock_text, "*acpi_dev* failed*");
    }
}

/* --- records made by the caller ------------------------------------------ */

/* One block of 1024 bytes, and it is for aborts. */
static void test_inject_record(void)
{
    const RasArmRecord expected = {
        .severity = RAS_CPER_FATAL, .mpidr = 0x80000001, .midr = RAS_ARM_MIDR,
        .running = 1, .type = 0x02, .valid = 0x13, .pa = PAGE(2),
    };
    g_autofree char *arguments =
        g_strdup_printf("'vcpu': 1, 'synchronous': true, 'type': 'cache',"
                        " 'severity': 'fatal', 'physical-address': %" PRIu64,
                        (uint64_t)PAGE(2));
    RasVm *vm = start_ready("");
    uint64_t id = ras_inject_arm(vm, arguments);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    g_assert_cmphex(read_ack(vm), ==, 0);
    ras_cper_check_arm(vm, HEADER + BLOCK, id, &expected);
    acknowledge(vm);
    ras_assert_state(vm, id, "over");

    for (size_t len = BLOCK_SIZE - 1; len <= BLOCK_SIZE; len++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                          len);

        id = ras_inject_cper(vm, record, "'vcpu': 0");
        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        ras_cper_check(vm, HEADER + BLOCK, record);
        acknowledge(vm);
        ras_assert_state(vm, id, "over");
    }
    ras_assert_count(vm, "acknowledged", 3);
    ras_quit(vm);
}

/* Records that wait for one another, each for its own vCPU */
static void test_inject_record_burst(void)
{
    const unsigned int count = 100;
    RasVm *vm = start_ready("");

    for (unsigned int i = 0; i < count; i++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                          200 + i);

        g_assert_cmpuint(ras_inject_cper(vm, record, i % 2 ? "'vcpu': 1" :
                                                             "'vcpu': 0"), ==,
                         i + 1);
    }
    for (unsigned int i = 0; i < count; i++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                          200 + i);

        ras_wait_until(vm, ras_state_is(vm, i + 1, "notified"));
        ras_cper_check(vm, HEADER + BLOCK, record);
        acknowledge(vm);
    }
    ras_assert_count(vm, "acknowledged", count);
    ras_quit(vm);
}

static void test_inject_record_refused(void)
{
    static const char no_source[] =
        "The guest can only be told of errors that a vCPU takes, because this "
        "machine's tables have no asynchronous error source; start it with "
        "ras-ghes=on, or have a vCPU take the error*";
    static const char not_ready[] =
        "The guest cannot be told of a fatal error: its firmware has not set "
        "up the error status block; wait until it has booted, or use severity "
        "'recoverable'";
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      BLOCK_SIZE);
    g_autoptr(GByteArray) fatal = ras_cper_of_length(RAS_CPER_FATAL, 200);
    g_autoptr(GByteArray) corrected = ras_cper_of_length(RAS_CPER_CORRECTED,
                                                         200);
    g_autoptr(GByteArray) too_long = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                        BLOCK_SIZE + 1);
    g_autofree char *base64 = g_base64_encode(record->data, record->len);
    RasVm *vm = ras_start("");

    /* before the firmware has run, and after that */
    for (int ready = 0; ready < 2; ready++) {
        ras_arm_refused(vm, "'vcpu': 0, 'type': 'cache',"
                        " 'severity': 'recoverable'", no_source);
        ras_arm_refused(vm, "'vcpu': 0, 'type': 'cache', 'polled': true,"
                        " 'severity': 'corrected'", no_source);
        ras_cper_refused(vm, record, "", no_source);
        ras_cper_refused(vm, record, "'polled': true", no_source);
        ras_base64_refused(vm, base64, no_source);
        ras_base64_refused(vm, "*", "Base64 data contains invalid characters");
        ras_cper_refused(vm, corrected, "'vcpu': 0",
                         "A corrected error is no abort of a vCPU; *");
        ras_cper_refused(vm, too_long, "'vcpu': 0", "The record has 1025 "
                         "bytes, and the guest's error status block only 1024");
        if (!ready) {
            ras_cper_refused(vm, fatal, "'vcpu': 0", not_ready);
            ras_arm_refused(vm, "'vcpu': 0, 'type': 'bus',"
                            " 'synchronous': true, 'severity': 'fatal'",
                            not_ready);
            run_firmware(vm);
        }
    }
    g_assert_cmphex(block_status(vm), ==, 0);
    g_assert_cmphex(read_ack(vm), ==, 1);
    ras_quit(vm);
}

/* The queue has room for so many; a reset empties it. */
static void test_inject_record_queue_full(void)
{
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      BLOCK_SIZE);
    RasVm *vm = start_ready("-S");

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < RAS_INJECTED_MAX; i++) {
            ras_inject_cper(vm, record, "'vcpu': 0");
        }
        ras_cper_refused(vm, record, "'vcpu': 0", "*queue*full*1024*");
        ras_arm_refused(vm, "'vcpu': 0, 'type': 'bus', 'synchronous': true,"
                        " 'severity': 'recoverable'", "*queue*full*1024*");
        ras_reset(vm);
        ras_assert_count(vm, "discarded", (round + 1) * RAS_INJECTED_MAX);
    }
    ras_quit(vm);
}

/* Where no record can go yet there is the bare exception. */
static void test_inject_record_early(void)
{
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      200);
    RasVm *vm = ras_start("");

    ras_inject_cper(vm, record, "'vcpu': 0");
    ras_wait_count(vm, "delivered", 1);
    ras_inject_arm(vm, "'vcpu': 1, 'type': 'tlb', 'synchronous': true,"
                   " 'severity': 'recoverable'");
    ras_wait_count(vm, "delivered", 2);
    ras_assert_count(vm, "recorded", 0);
    ras_quit(vm);
}

/* FAR has the virtual address, if one is given, and only then. */
static void test_inject_record_far(void)
{
    RasVm *vm = start_guest("");

    ras_inject_arm(vm, "'vcpu': 0, 'type': 'cache', 'synchronous': true,"
                   " 'severity': 'recoverable', 'virtual-address': 4886718345");
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
    g_assert_cmphex(mail(vm, RAS_ARM_ESR) & (1 << 10 | 0x3f), ==, 0x10);
    g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, 4886718345);
    acknowledge_live(vm);
    ras_inject_arm(vm, "'vcpu': 0, 'type': 'cache', 'synchronous': true,"
                   " 'severity': 'recoverable'");
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 2);
    g_assert_cmphex(mail(vm, RAS_ARM_ESR) & (1 << 10 | 0x3f), ==, 0x410);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/virt/record/one", test_record);
    qtest_add_func("/ras/virt/record/exception", test_exception);
    qtest_add_func("/ras/virt/record/fatal", test_fatal);
    qtest_add_func("/ras/virt/record/pages", test_pages);
    qtest_add_func("/ras/virt/record/end-of-ram", test_end_of_ram);
    qtest_add_func("/ras/virt/acknowledge/word", test_acknowledge);
    qtest_add_func("/ras/virt/acknowledge/late", test_acknowledge_late);
    qtest_add_func("/ras/virt/acknowledge/source", test_source);
    qtest_add_func("/ras/virt/second/other-vcpu", test_second_vcpu);
    qtest_add_func("/ras/virt/second/same-vcpu", test_second_same_vcpu);
    qtest_add_func("/ras/virt/second/burst", test_burst);
    qtest_add_func("/ras/virt/reclaim/time", test_reclaim);
    qtest_add_func("/ras/virt/reclaim/stopped", test_reclaim_stopped);
    qtest_add_func("/ras/virt/reclaim/frozen", test_reclaim_frozen);
    qtest_add_data_func("/ras/virt/access/kinds", "", test_access);
    qtest_add_data_func("/ras/virt/access/kinds-icount", "-icount shift=3",
                        test_access);
    qtest_add_func("/ras/virt/access/far-not-valid", test_far_not_valid);
    qtest_add_func("/ras/virt/access/untouched", test_untouched);
    qtest_add_func("/ras/virt/second/consumed", test_second_consumed);
    qtest_add_func("/ras/virt/unplug/poison", test_unplug_poison);
    qtest_add_func("/ras/virt/unplug/one-of-two", test_unplug_one_of_two);
    qtest_add_func("/ras/virt/poison/crossing", test_crossing);
    qtest_add_func("/ras/virt/unplug/block", test_unplug_block);
    qtest_add_func("/ras/virt/hostile/address", test_hostile_address);
    qtest_add_func("/ras/virt/hostile/pointer", test_hostile_pointer);
    qtest_add_func("/ras/virt/hostile/move", test_hostile_move);
    qtest_add_func("/ras/virt/hostile/overlap", test_hostile_overlap);
    qtest_add_func("/ras/virt/hostile/poisoned-block", test_poisoned_block);
    qtest_add_func("/ras/virt/inject-record/arrives", test_inject_record);
    qtest_add_func("/ras/virt/inject-record/burst", test_inject_record_burst);
    qtest_add_func("/ras/virt/inject-record/refused",
                   test_inject_record_refused);
    qtest_add_func("/ras/virt/inject-record/queue-full",
                   test_inject_record_queue_full);
    qtest_add_func("/ras/virt/inject-record/early", test_inject_record_early);
    qtest_add_func("/ras/virt/inject-record/far", test_inject_record_far);
    qtest_add_func("/ras/virt/reset", test_reset_forgets);
    qtest_add_func("/ras/virt/check-stop", test_checkstop);
    qtest_add_func("/ras/virt/poison/severity", test_poison_severity);
    qtest_add_func("/ras/virt/poison/dma", test_poison_dma);
    qtest_add_func("/ras/virt/acpi-off", test_acpi_off);
    qtest_add_func("/ras/virt/serror/pending", test_serror);
    qtest_add_func("/ras/virt/serror/beside", test_serror_beside);
    qtest_add_func("/ras/virt/serror/refused", test_serror_refused);
    qtest_add_func("/ras/virt/machine-check-refused",
                   test_machine_check_refused);
    qtest_add_func("/ras/virt/serror/no-extension", test_serror_no_extension);
    qtest_add_func("/ras/virt/move/record-out", test_move);
    qtest_add_func("/ras/virt/move/serror", test_move_serror);
    qtest_add_func("/ras/virt/move/serror-beside", test_move_serror_beside);
    qtest_add_func("/ras/virt/move/reclaim", test_move_and_reclaim);
    qtest_add_data_func("/ras/virt/stock/tables", "", test_stock_tables);
    qtest_add_data_func("/ras/virt/stock/tables-ras-on", ",ras=on",
                        test_stock_tables);
    qtest_add_func("/ras/virt/stock/moves-ready", test_stock_moves_ready);
    qtest_add_func("/ras/virt/stock/refuses-serror",
                   test_stock_refuses_serror);
    qtest_add_func("/ras/virt/stock/no-firmware", test_stock_no_firmware);
    return g_test_run();
}
