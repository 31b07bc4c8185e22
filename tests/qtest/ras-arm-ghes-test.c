/*
 * QTest of the device "ras-ghes" on the Arm machine "virt"
 *
 * Registers, RAM and ACPI tables as the guest sees them.  Offsets and values
 * are written as numbers on purpose, by hand from ACPI 6.5 (18.3.1, 18.3.2.8,
 * 18.3.2.9) and from the layout that include/hw/acpi/ras_ghes.h promises: a
 * wrong constant in QEMU must not be wrong here too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-qtest.h"
#include "standard-headers/linux/qemu_fw_cfg.h"

#define MACHINE ",ras=on,ras-ghes=on"

/* memory map of virt */
#define GICD        0x08000000ULL
#define FW_CFG_DMA  0x09020010ULL
#define BASE        0x0b000000ULL
#define BASE_END    0x0b010000ULL
#define RAM         0x40000000ULL

/* shared peripheral interrupt 15, and where the GIC's distributor has it */
#define GSIV         47
#define GICD_ISPENDR (GICD + 0x204)
#define GICD_ICPENDR (GICD + 0x284)
#define GICD_TARGET  (GICD + 0x800 + GSIV)
#define GICD_ICFGR   (GICD + 0xc08)
#define GICD_PENDING (1U << 15)
#define GICD_EDGE    (1U << 31)

/* for fw_cfg DMA */
#define DMA_ACCESS  (RAM + 0x10000)
#define DMA_BUFFER  (RAM + 0x20000)

/* sources */
#define SEA         0
#define GED         1
#define POLLED      2
#define SOURCES     3

/* the window */
#define STATUS_ADDRESS(source) (BASE + 0x10 * (source))
#define READ_ACK(source)       (BASE + 0x10 * (source) + 8)
#define REGISTERS_END          0x30
#define BLOCK(source)          (BASE + 0x1000 + 0x1000 * (source))
#define BLOCK_LENGTH           0x1000
#define BERT                   (BASE + 0x4000)
#define BERT_LENGTH            0x2000

#define PAGE(n) (RAM + 32 * MiB + (n) * RAS_PAGE)

/* --- helpers ------------------------------------------------------------- */

static RasVm *start(void)
{
    return ras_start_binary(NULL, MACHINE, "");
}

static uint64_t read_sized(RasVm *vm, uint64_t addr, unsigned int size)
{
    switch (size) {
    case 1:
        return qtest_readb(vm->qts, addr);
    case 2:
        return qtest_readw(vm->qts, addr);
    case 4:
        return qtest_readl(vm->qts, addr);
    default:
        return qtest_readq(vm->qts, addr);
    }
}

static void write_sized(RasVm *vm, uint64_t addr, unsigned int size,
                        uint64_t value)
{
    switch (size) {
    case 1:
        qtest_writeb(vm->qts, addr, value);
        break;
    case 2:
        qtest_writew(vm->qts, addr, value);
        break;
    case 4:
        qtest_writel(vm->qts, addr, value);
        break;
    default:
        qtest_writeq(vm->qts, addr, value);
    }
}

/* More guest time than there is between two asynchronous records */
#define PACE_NS 20000000

/* All blocks are free, or that of one source is not. */
#define NONE -1
static void check_registers(RasVm *vm, int out)
{
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(qtest_readq(vm->qts, STATUS_ADDRESS(i)), ==, BLOCK(i));
        g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(i)), ==, i != out);
    }
}

static uint32_t block_status(RasVm *vm, int source)
{
    return qtest_readl(vm->qts, BLOCK(source));
}

/* An error that an instruction has consumed: goes to the source for SEA. */
static uint64_t consume_notified(RasVm *vm, uint64_t address)
{
    uint64_t id = ras_consume(vm, address, 0);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    return id;
}

/* An error that no instruction has consumed */
static uint64_t report(RasVm *vm, uint64_t address, bool polled)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                      " 'severity': 'recoverable', 'address': %" PRIu64
                      ", 'polled': %i }", address, polled);
}

/* At addr is a block with one entry: a memory error at this address. */
static void check_block_at(RasVm *vm, uint64_t addr, uint64_t address)
{
    uint8_t block[20 + 72 + 80];

    qtest_memread(vm->qts, addr, block, sizeof(block));
    g_assert_cmphex(ldl_le_p(block), ==, 0x11);
    g_assert_cmpuint(ldl_le_p(block + 4), ==, 0);           /* raw data */
    g_assert_cmpuint(ldl_le_p(block + 8), ==, 0);
    g_assert_cmpuint(ldl_le_p(block + 12), ==, 152);        /* data length */
    g_assert_cmpuint(ldl_le_p(block + 16), ==, 0);          /* recoverable */
    g_assert_cmpuint(ldl_le_p(block + 20 + 24), ==, 80);    /* of the section */
    g_assert_cmphex(ldq_le_p(block + 20 + 72 + 16), ==, address);
}

static void check_block(RasVm *vm, uint64_t address)
{
    check_block_at(vm, BLOCK(SEA), address);
}

/* All of the RAM in the window, set to a byte */
static void scribble(RasVm *vm, uint8_t byte)
{
    qtest_memset(vm->qts, BLOCK(0), byte, BASE_END - BLOCK(0));
}

/* --- registers ----------------------------------------------------------- */

static void test_values(void)
{
    RasVm *vm = start();

    check_registers(vm, NONE);
    for (int i = 0; i < SOURCES; i++) {
        uint64_t addr = STATUS_ADDRESS(i);

        /* little endian: the lower half comes first */
        g_assert_cmphex(qtest_readl(vm->qts, addr), ==, BLOCK(i));
        g_assert_cmphex(qtest_readl(vm->qts, addr + 4), ==, 0);
        g_assert_cmphex(qtest_readl(vm->qts, addr + 8), ==, 1);
        g_assert_cmphex(qtest_readl(vm->qts, addr + 12), ==, 0);
        g_assert_cmphex(block_status(vm, i), ==, 0);
    }
    /* nobody has had an error before this boot */
    g_assert_cmphex(qtest_readl(vm->qts, BERT), ==, 0);
    ras_quit(vm);
}

/* Is this an access that registers take? */
static bool is_good(unsigned int offset, unsigned int size)
{
    return size >= 4 && offset % size == 0 && offset + size <= REGISTERS_END;
}

/*
 * Of any size at any offset: what is no register access reads as zero and
 * changes nothing, and QEMU lives.
 */
static void test_bad_access(void)
{
    static const unsigned int far[] = {
        0x30, 0x31, 0x38, 0x3f, 0x40, 0x100, 0x800, 0xff0, 0xff8,
    };
    RasVm *vm = start();

    for (unsigned int size = 1; size <= 8; size *= 2) {
        for (unsigned int offset = 0; offset < REGISTERS_END; offset++) {
            if (is_good(offset, size)) {
                continue;
            }
            g_assert_cmphex(read_sized(vm, BASE + offset, size), ==, 0);
            write_sized(vm, BASE + offset, size, ~0ULL);
            write_sized(vm, BASE + offset, size, 0);
            check_registers(vm, NONE);
        }
        for (int i = 0; i < ARRAY_SIZE(far); i++) {
            write_sized(vm, BASE + far[i], size, ~0ULL);
            g_assert_cmphex(read_sized(vm, BASE + far[i], size), ==, 0);
        }
    }
    check_registers(vm, NONE);
    ras_quit(vm);
}

static void test_read_only(void)
{
    RasVm *vm = start();

    for (int i = 0; i < SOURCES; i++) {
        qtest_writeq(vm->qts, STATUS_ADDRESS(i), RAM);
        qtest_writeq(vm->qts, STATUS_ADDRESS(i), 0);
        qtest_writel(vm->qts, STATUS_ADDRESS(i), 1);
        qtest_writel(vm->qts, STATUS_ADDRESS(i) + 4, 1);
        check_registers(vm, NONE);
    }
    ras_quit(vm);
}

/* There is nothing to acknowledge: whatever is written, blocks stay free. */
static void test_ack_without_record(void)
{
    static const uint64_t values[] = { 0, 1, 2, 3, ~1ULL, ~0ULL };
    RasVm *vm = start();

    for (int source = 0; source < SOURCES; source++) {
        for (int i = 0; i < ARRAY_SIZE(values); i++) {
            qtest_writeq(vm->qts, READ_ACK(source), values[i]);
            check_registers(vm, NONE);
            qtest_writel(vm->qts, READ_ACK(source), values[i]);
            check_registers(vm, NONE);
            qtest_writel(vm->qts, READ_ACK(source) + 4, values[i]);
            check_registers(vm, NONE);
        }
    }
    ras_assert_count(vm, "acknowledged", 0);
    ras_pump(vm);
    g_assert_cmpuint(vm->events.length, ==, 0);
    /* and the first record finds its block free */
    consume_notified(vm, PAGE(0));
    check_registers(vm, SEA);
    ras_quit(vm);
}

/* --- records ------------------------------------------------------------- */

/* It can be delivered at once, no firmware has to run before. */
static void test_record(void)
{
    RasVm *vm = start();
    uint64_t id;

    g_assert_true(ras_ready(vm));
    id = consume_notified(vm, PAGE(3));
    check_registers(vm, SEA);
    check_block(vm, PAGE(3));
    g_assert_cmphex(block_status(vm, GED), ==, 0);
    g_assert_cmphex(block_status(vm, POLLED), ==, 0);

    /* as Linux does: empty the block, read, modify, write the register */
    qtest_writel(vm->qts, BLOCK(SEA), 0);
    qtest_writeq(vm->qts, READ_ACK(SEA),
                 (qtest_readq(vm->qts, READ_ACK(SEA)) & ~1ULL) | 1);
    check_registers(vm, NONE);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* Bit 0 of the source's own register, by an aligned access of 4 or 8 bytes */
static void test_acknowledge(void)
{
    static const struct {
        unsigned int offset, size;
        uint64_t value;
        bool acknowledges;
    } cases[] = {
        { 0x08, 8, 0, false },
        { 0x08, 8, 2, false },
        { 0x08, 8, ~1ULL, false },
        { 0x08, 8, 1ULL << 32, false },
        { 0x08, 4, 0, false },
        { 0x08, 4, ~1ULL, false },
        { 0x0c, 4, ~0ULL, false },      /* the upper half */
        { 0x08, 1, 1, false },
        { 0x08, 2, 1, false },
        { 0x07, 8, ~0ULL, false },
        { 0x06, 4, ~0ULL, false },
        { 0x09, 4, ~0ULL, false },
        { 0x00, 8, ~0ULL, false },      /* error status address */
        { 0x18, 8, 1, false },          /* other sources */
        { 0x28, 8, 1, false },
        { 0x38, 8, 1, false },          /* no source */
        { 0x08, 8, 1, true },
        { 0x08, 8, 3, true },
        { 0x08, 8, ~0ULL, true },
        { 0x08, 4, 1, true },
        { 0x08, 4, ~0ULL, true },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t id = consume_notified(vm, PAGE(i));

        check_registers(vm, SEA);
        write_sized(vm, BASE + cases[i].offset, cases[i].size,
                    cases[i].value);
        if (!cases[i].acknowledges) {
            check_registers(vm, SEA);
            check_block(vm, PAGE(i));
            ras_assert_state(vm, id, "notified");
            ras_assert_count(vm, "acknowledged", i);
            qtest_writeq(vm->qts, READ_ACK(SEA), 1);
        }
        check_registers(vm, NONE);
        ras_wait_until(vm, ras_state_is(vm, id, "over"));
        ras_assert_count(vm, "acknowledged", i + 1);
    }
    ras_quit(vm);
}

/* What a guest writes into the RAM is its own affair. */
static void test_scribble(void)
{
    RasVm *vm = start();
    uint8_t is[16], want[16];
    uint64_t id;

    /* the RAM takes it, up to the end of the window and no further */
    scribble(vm, 0xa5);
    memset(want, 0xa5, sizeof(want));
    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        qtest_memread(vm->qts, addr, is, sizeof(is));
        g_assert_cmpmem(is, sizeof(is), want, sizeof(want));
        qtest_memread(vm->qts, addr + RAS_PAGE - sizeof(is), is, sizeof(is));
        g_assert_cmpmem(is, sizeof(is), want, sizeof(want));
    }
    qtest_writeq(vm->qts, BASE_END, ~0ULL);
    g_assert_cmphex(qtest_readq(vm->qts, BASE_END), ==, 0);
    check_registers(vm, NONE);

    /* a record goes into its own block, and nowhere else */
    id = consume_notified(vm, PAGE(1));
    check_registers(vm, SEA);
    check_block(vm, PAGE(1));
    g_assert_cmphex(block_status(vm, GED), ==, 0xa5a5a5a5);
    g_assert_cmphex(block_status(vm, POLLED), ==, 0xa5a5a5a5);
    g_assert_cmphex(qtest_readl(vm->qts, BERT), ==, 0xa5a5a5a5);

    /* over a record that is out: it is out still */
    scribble(vm, 0x00);
    check_registers(vm, SEA);
    ras_assert_state(vm, id, "notified");
    scribble(vm, 0xff);
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    check_registers(vm, NONE);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));

    /* acknowledged, but not emptied: the next record is whole all the same */
    consume_notified(vm, PAGE(2));
    check_registers(vm, SEA);
    check_block(vm, PAGE(2));
    ras_quit(vm);
}

/* The interrupt of the second GED has arrived since the last call. */
static bool interrupted(RasVm *vm)
{
    bool pending = qtest_readl(vm->qts, GICD_ISPENDR) & GICD_PENDING;

    qtest_writel(vm->qts, GICD_ICPENDR, GICD_PENDING);
    return pending;
}

/*
 * An error that nobody has consumed goes to the source that the guest is
 * interrupted for, or to that which it polls: only that block is used.
 */
static void test_asynchronous(const void *data)
{
    const int source = GPOINTER_TO_INT(data);
    RasVm *vm = start();

    qtest_writel(vm->qts, GICD_ICFGR, GICD_EDGE);
    qtest_writeb(vm->qts, GICD_TARGET, 1);
    g_assert_false(interrupted(vm));
    for (int i = 0; i < 3; i++) {
        uint64_t id = report(vm, PAGE(i), source == POLLED);

        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        check_registers(vm, source);
        check_block_at(vm, BLOCK(source), PAGE(i));
        g_assert_cmpint(interrupted(vm), ==, source == GED);
        /* a pulse, and not a level */
        g_assert_false(interrupted(vm));
        for (int other = 0; other < SOURCES; other++) {
            g_assert_cmphex(block_status(vm, other), ==,
                            other == source ? 0x11 : 0);
        }

        /* acknowledgement of another source */
        qtest_writeq(vm->qts, READ_ACK(SEA), 1);
        qtest_writeq(vm->qts, READ_ACK(GED + POLLED - source), 1);
        check_registers(vm, source);
        ras_assert_state(vm, id, "notified");
        qtest_writeq(vm->qts, READ_ACK(source), 1);
        check_registers(vm, NONE);
        ras_wait_until(vm, ras_state_is(vm, id, "over"));
        /* the next one waits until Linux has gone through the pages */
        qtest_clock_step(vm->qts, PACE_NS);
    }
    ras_quit(vm);
}

/*
 * What a reset cuts off can be read after it: as many blocks as Linux shows,
 * one behind the other.
 */
static void test_boot_errors(void)
{
    const uint64_t block_length = 20 + 72 + 80;
    RasVm *vm = start();

    for (int i = 0; i < 7; i++) {
        report(vm, PAGE(i), false);
    }
    /* a second reset without an error leaves them */
    for (int reset = 0; reset < 2; reset++) {
        ras_reset(vm);
        check_registers(vm, NONE);
        for (int i = 0; i < 5; i++) {
            check_block_at(vm, BERT + i * block_length, PAGE(i));
        }
        g_assert_cmphex(qtest_readl(vm->qts, BERT + 5 * block_length), ==, 0);
    }

    /* new ones take their place, and nothing of the old is left */
    report(vm, PAGE(9), true);
    ras_reset(vm);
    check_block_at(vm, BERT, PAGE(9));
    for (uint64_t offset = block_length; offset < BERT_LENGTH; offset += 4) {
        g_assert_cmphex(qtest_readl(vm->qts, BERT + offset), ==, 0);
    }
    ras_quit(vm);
}

static void test_reset(void)
{
    RasVm *vm = start();

    consume_notified(vm, PAGE(0));
    qtest_writel(vm->qts, BLOCK(GED), 0x11);
    qtest_writel(vm->qts, BLOCK(POLLED), 0x12);
    check_registers(vm, SEA);
    ras_reset(vm);
    /* a guest looks at all blocks when it boots */
    check_registers(vm, NONE);
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(block_status(vm, i), ==, 0);
    }
    /* the next record */
    consume_notified(vm, PAGE(1));
    check_registers(vm, SEA);
    check_block(vm, PAGE(1));
    ras_quit(vm);
}

/* The RAM moves with the VM, and the device works on arrival. */
static void test_migration(void)
{
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();
    uint64_t id;

    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        qtest_writeq(vm->qts, addr + 0x10, ~addr);
    }
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = ras_start_binary(NULL, MACHINE, "-incoming defer");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    for (uint64_t addr = BLOCK(0); addr < BASE_END; addr += RAS_PAGE) {
        g_assert_cmphex(qtest_readq(vm->qts, addr + 0x10), ==, ~addr);
    }
    check_registers(vm, NONE);
    id = consume_notified(vm, PAGE(0));
    check_registers(vm, SEA);
    check_block(vm, PAGE(0));
    qtest_writeq(vm->qts, READ_ACK(SEA), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    ras_quit(vm);
    g_unlink(file);
}

/* --- ACPI tables --------------------------------------------------------- */

/* Let fw_cfg put what is in entry key into data. */
static void fw_cfg_read(RasVm *vm, uint16_t key, void *data, uint32_t len)
{
    struct fw_cfg_dma_access access = {
        .control = cpu_to_be32((uint32_t)key << 16 | FW_CFG_DMA_CTL_SELECT |
                               FW_CFG_DMA_CTL_READ),
        .length = cpu_to_be32(len),
        .address = cpu_to_be64(DMA_BUFFER),
    };

    qtest_memwrite(vm->qts, DMA_ACCESS, &access, sizeof(access));
    qtest_writeq(vm->qts, FW_CFG_DMA, bswap64(DMA_ACCESS));
    g_assert_cmphex(qtest_readl(vm->qts, DMA_ACCESS), ==, 0);
    qtest_memread(vm->qts, DMA_BUFFER, data, len);
}

/* Content of a file in fw_cfg */
static GByteArray *fw_cfg_file(RasVm *vm, const char *name)
{
    g_autofree struct fw_cfg_file *files = NULL;
    g_autofree uint8_t *dir = NULL;
    GByteArray *content = g_byte_array_new();
    uint32_t count, size;

    fw_cfg_read(vm, FW_CFG_FILE_DIR, &count, sizeof(count));
    count = be32_to_cpu(count);
    size = sizeof(count) + count * sizeof(*files);
    dir = g_malloc(size);
    fw_cfg_read(vm, FW_CFG_FILE_DIR, dir, size);
    files = g_memdup2(dir + sizeof(count), count * sizeof(*files));
    for (uint32_t i = 0; i < count; i++) {
        if (g_str_equal(files[i].name, name)) {
            g_byte_array_set_size(content, be32_to_cpu(files[i].size));
            fw_cfg_read(vm, be16_to_cpu(files[i].select), content->data,
                        content->len);
        }
    }
    g_assert_cmpuint(content->len, >, 0);
    return content;
}

/* Offset in the blob of the one table with this signature, or -1 */
static int find_table(const GByteArray *tables, const char *signature)
{
    int found = -1;
    uint32_t offset, length;

    for (offset = 0; offset + 36 <= tables->len; offset += length) {
        length = ldl_le_p(tables->data + offset + 4);
        if (length < 36) {
            break;              /* the rest of the blob is not used */
        }
        g_assert_cmpuint(length, <=, tables->len - offset);
        if (!memcmp(tables->data + offset, signature, 4)) {
            g_assert_cmpint(found, ==, -1);
            found = offset;
        }
    }
    return found;
}

/*
 * The table, if the XSDT has an entry for it.  Until firmware has placed the
 * tables, their addresses are offsets in the blob.
 */
static const uint8_t *listed_table(const GByteArray *tables,
                                   const char *signature)
{
    int table = find_table(tables, signature);
    int xsdt = find_table(tables, "XSDT");
    const uint8_t *p;

    g_assert_cmpint(xsdt, >=, 0);
    g_assert_cmpint(table, >=, 0);
    p = tables->data + xsdt;
    for (int i = 36; i < ldl_le_p(p + 4); i += 8) {
        if (ldq_le_p(p + i) == table) {
            return tables->data + table;
        }
    }
    g_error("%s is not in XSDT", signature);
}

/* ACPI 6.5 5.2.3.2: a register of 64 bits in memory */
static void check_gas(const uint8_t *gas, uint64_t address)
{
    g_assert_cmpuint(gas[0], ==, 0);        /* system memory */
    g_assert_cmpuint(gas[1], ==, 64);       /* bits */
    g_assert_cmpuint(gas[2], ==, 0);        /* bit offset */
    g_assert_cmpuint(gas[3], ==, 4);        /* access by 64 bits */
    g_assert_cmphex(ldq_le_p(gas + 4), ==, address);
}

static void test_hest(void)
{
    static const struct {
        uint8_t type;
        uint32_t poll_interval;
    } notification[SOURCES] = {
        [SEA] = { 8, 0 },
        [GED] = { 7, 0 },
        [POLLED] = { 0, 1000 },
    };
    RasVm *vm = start();
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    const uint8_t *hest = listed_table(tables, "HEST");

    g_assert_cmpuint(ldl_le_p(hest + 4), ==, 40 + SOURCES * 92);
    g_assert_cmpuint(hest[8], ==, 2);                       /* revision */
    g_assert_cmpuint(ldl_le_p(hest + 36), ==, SOURCES);
    for (int i = 0; i < SOURCES; i++) {
        const uint8_t *p = hest + 40 + i * 92;

        g_assert_cmpuint(lduw_le_p(p), ==, 10);             /* GHESv2 */
        g_assert_cmpuint(lduw_le_p(p + 2), ==, i);          /* source id */
        g_assert_cmphex(lduw_le_p(p + 4), ==, 0xffff);      /* related */
        g_assert_cmpuint(p[6], ==, 0);                      /* flags */
        g_assert_cmpuint(p[7], ==, 1);                      /* enabled */
        g_assert_cmpuint(ldl_le_p(p + 8), ==, 1);           /* records */
        /* no fewer sections than fit: the smallest is 72 bytes */
        g_assert_cmpuint(ldl_le_p(p + 12), ==, (4096 - 20) / 72);
        g_assert_cmpuint(ldl_le_p(p + 16), ==, 4096);       /* raw data */
        check_gas(p + 20, STATUS_ADDRESS(i));
        g_assert_cmpuint(p[32], ==, notification[i].type);
        g_assert_cmpuint(p[33], ==, 28);                    /* length */
        g_assert_cmphex(lduw_le_p(p + 34), ==, 0);          /* write enable */
        g_assert_cmpuint(ldl_le_p(p + 36), ==, notification[i].poll_interval);
        for (int offset = 40; offset < 60; offset += 4) {
            g_assert_cmpuint(ldl_le_p(p + offset), ==, 0);
        }
        g_assert_cmpuint(ldl_le_p(p + 60), ==, BLOCK_LENGTH);
        check_gas(p + 64, READ_ACK(i));
        g_assert_cmphex(ldq_le_p(p + 76), ==, ~1ULL);       /* preserve */
        g_assert_cmphex(ldq_le_p(p + 84), ==, 1);           /* write */
    }
    ras_quit(vm);
}

static void test_bert(void)
{
    RasVm *vm = start();
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    const uint8_t *bert = listed_table(tables, "BERT");

    g_assert_cmpuint(ldl_le_p(bert + 4), ==, 48);
    g_assert_cmpuint(bert[8], ==, 1);                       /* revision */
    g_assert_cmpuint(ldl_le_p(bert + 36), ==, BERT_LENGTH);
    g_assert_cmphex(ldq_le_p(bert + 40), ==, BERT);
    ras_quit(vm);
}

/* How often do the bytes occur in a table? */
static unsigned int count(const uint8_t *table, const void *bytes, size_t len)
{
    const uint8_t *p = table, *end = table + ldl_le_p(table + 4);
    unsigned int n = 0;

    while ((p = memmem(p, end - p, bytes, len))) {
        n++;
        p++;
    }
    return n;
}

/* AML of what only the full layout has */
static const struct {
    const char *what;
    uint8_t bytes[16];
    unsigned int len;
} aml[] = {
    { "HED", "HED_\x08_HID\x0c\x41\xd0\x0c\x33", 14 },
    { "GED2", "GED2\x08_HID\x0d" "ACPI00", 16 },
    { "its interrupt", { 0x89, 6, 0, 3, 1, GSIV, 0, 0, 0 }, 9 },
    { "its event", "_EVT\x09\x86\\._SB_HED_", 15 },
    { "GHES", "GHES\x08_HID\x0c\x41\xd0\x0c\x02", 14 },
    { "its window", { 0x86, 9, 0, 1, 0, 0, 0, 0x0b, 0, 0, 1, 0 }, 12 },
    { "UUID of the platform", {
        0x6e, 0xb0, 0x11, 0x08, 0x27, 0x4a, 0xf9, 0x44,
        0x8d, 0x60, 0x3c, 0xbb, 0xc2, 0x2e, 0x7b, 0x48 }, 16 },
    { "UUID of WHEA", {
        0x0c, 0x5e, 0x85, 0xed, 0x90, 0x6c, 0xbf, 0x47,
        0xa6, 0x2a, 0x26, 0xde, 0x0f, 0xc5, 0xad, 0x5c }, 16 },
};

static void test_dsdt(void)
{
    RasVm *vm = start(), *other = ras_start_binary(NULL, ",ras=on", "");
    g_autoptr(GByteArray) tables = fw_cfg_file(vm, "etc/acpi/tables");
    g_autoptr(GByteArray) stock = fw_cfg_file(other, "etc/acpi/tables");
    const uint8_t *dsdt = tables->data + find_table(tables, "DSDT");
    const uint8_t *stock_dsdt = stock->data + find_table(stock, "DSDT");

    for (int i = 0; i < ARRAY_SIZE(aml); i++) {
        g_test_message("%s", aml[i].what);
        g_assert_cmpuint(count(dsdt, aml[i].bytes, aml[i].len), ==, 1);
        g_assert_cmpuint(count(stock_dsdt, aml[i].bytes, aml[i].len), ==, 0);
    }
    /* one more of each: that of PCI0, and the other GED */
    g_assert_cmpuint(count(dsdt, "_OSC", 4), ==,
                     count(stock_dsdt, "_OSC", 4) + 1);
    g_assert_cmpuint(count(dsdt, "ACPI0013", 8), ==,
                     count(stock_dsdt, "ACPI0013", 8) + 1);
    g_assert_cmpint(find_table(stock, "BERT"), ==, -1);
    ras_quit(vm);
    ras_quit(other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/ghes/registers/values", test_values);
    qtest_add_func("/ras/ghes/registers/bad-access", test_bad_access);
    qtest_add_func("/ras/ghes/registers/read-only", test_read_only);
    qtest_add_func("/ras/ghes/registers/ack-without-record",
                   test_ack_without_record);
    qtest_add_func("/ras/ghes/record/one", test_record);
    qtest_add_func("/ras/ghes/record/acknowledge", test_acknowledge);
    qtest_add_func("/ras/ghes/record/scribble", test_scribble);
    qtest_add_data_func("/ras/ghes/record/interrupt", GINT_TO_POINTER(GED),
                        test_asynchronous);
    qtest_add_data_func("/ras/ghes/record/polled", GINT_TO_POINTER(POLLED),
                        test_asynchronous);
    qtest_add_func("/ras/ghes/boot-errors", test_boot_errors);
    qtest_add_func("/ras/ghes/reset", test_reset);
    qtest_add_func("/ras/ghes/migration", test_migration);
    qtest_add_func("/ras/ghes/tables/hest", test_hest);
    qtest_add_func("/ras/ghes/tables/bert", test_bert);
    qtest_add_func("/ras/ghes/tables/dsdt", test_dsdt);
    return g_test_run();
}
