/*
 * hw/acpi/apei/cper.c against the guest's view of what it writes and takes
 *
 * Random blocks go through the encoder; tests/unit/oracle/cper-reader.c, which
 * shares nothing with it, reads them back. Every field is compared with what
 * was asked for. Of blocks that others have made, and that are damaged, check
 * and reader have to think the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/acpi/apei/cper.h"
#include "oracle/cper-reader.h"

#define CASES 2500
#define MAX_ASKED 40
#define CANARY 0xa5

static const uint8_t type_memory[16] = {
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,
};
static const uint8_t type_arm[16] = {
    0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,
    0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0,
};

/* One call of cper_block_add_...() */
typedef struct Asked {
    CperEntry entry;
    bool is_arm;
    CperMemoryError memory;
    CperArmProcessor arm;
} Asked;

typedef struct Case {
    uint8_t *memory;            /* allocation, canary in front and behind */
    uint8_t *buf;
    size_t size;                /* of the block */
    size_t used;                /* what the model says is written */
    size_t n;
    Asked asked[MAX_ASKED];     /* those that must have been taken */
} Case;

static uint64_t rand64(void)
{
    return (uint64_t)(uint32_t)g_test_rand_int() << 32 |
           (uint32_t)g_test_rand_int();
}

/* 0 to n - 1 */
static unsigned rand_below(unsigned n)
{
    return (uint32_t)g_test_rand_int() % n;
}

static bool one_in(unsigned n)
{
    return !rand_below(n);
}

static void rand_bytes(void *p, size_t n)
{
    uint8_t *byte = p;

    while (n--) {
        *byte++ = g_test_rand_int();
    }
}

static void rand_entry(CperEntry *e)
{
    e->severity = rand_below(4);
    e->flags = g_test_rand_int();
    /* what is behind the text must not get into the block: always fill it in */
    rand_bytes(e->fru_text, sizeof(e->fru_text));
    if (one_in(2)) {
        e->fru_text[rand_below(CPER_FRU_TEXT_SIZE)] = 0;
    }
}

static void rand_memory(CperMemoryError *m)
{
    *m = (CperMemoryError) {
        .error_status = CPER_STATUS_TYPE_DRAM << CPER_STATUS_TYPE_SHIFT |
                        (uint64_t)rand_below(128) << 16,
        .physical_address = rand64(),
        .physical_address_mask = rand64(),
        .memory_error_type = rand_below(16),
    };
}

static void rand_arm(CperArmProcessor *a)
{
    uint16_t valid = rand_below(32);

    *a = (CperArmProcessor) {
        .mpidr_el1 = rand64(),
        .midr_el1 = rand64(),
        .running_state = rand_below(2),
        .error = {
            .validation_bits = valid,
            .type = 2 << rand_below(4),
            .multiple_error = valid & 1 ? g_test_rand_int() : 0,
            .flags = valid & 2 ? rand_below(16) : 0,
            .error_information = valid & 4 ? rand64() : 0,
            .virtual_fault_address = valid & 8 ? rand64() : 0,
            .physical_fault_address = valid & 16 ? rand64() : 0,
        },
    };
    a->psci_state = a->running_state ? 0 : g_test_rand_int();
}

/* Ask for one more section; the model knows what the encoder has to say */
static void ask(Case *c, CperBlock *b)
{
    Asked *a = &c->asked[c->n];
    size_t length;
    bool taken;

    rand_entry(&a->entry);
    a->is_arm = one_in(4);
    if (a->is_arm) {
        rand_arm(&a->arm);
        length = 72 + 72;
        taken = cper_block_add_arm_processor(b, &a->entry, &a->arm);
    } else {
        rand_memory(&a->memory);
        length = 72 + 80;
        taken = cper_block_add_memory(b, &a->entry, &a->memory);
    }
    g_assert_cmpint(taken, ==, c->size >= 20 && length <= c->size - c->used);
    if (taken) {
        c->used += length;
        c->n++;
    }
}

static void case_clear(Case *c)
{
    g_clear_pointer(&c->memory, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Case, case_clear)

/* Nothing but [0, length) of the block was written */
static void check_canaries(const Case *c, size_t length)
{
    for (const uint8_t *p = c->memory; p < c->buf; p++) {
        g_assert_cmphex(*p, ==, CANARY);
    }
    for (size_t i = length; i < c->size + 16; i++) {
        g_assert_cmphex(c->buf[i], ==, CANARY);
    }
}

static void rand_block(Case *c, size_t size, unsigned asks)
{
    size_t front = 1 + rand_below(16), length;
    CperBlock b;

    c->size = size;
    c->used = 20;
    c->n = 0;
    c->memory = g_malloc(front + size + 16);
    memset(c->memory, CANARY, front + size + 16);
    c->buf = c->memory + front;

    cper_block_init(&b, c->buf, size);
    check_canaries(c, 0);
    for (unsigned i = 0; i < asks && c->n < MAX_ASKED; i++) {
        ask(c, &b);
    }
    length = cper_block_finish(&b);
    g_assert_cmpuint(length, ==, size < 20 ? 0 : c->used);
    check_canaries(c, length);
}

static void compare_memory(const CperReadMemory *r, const CperMemoryError *m)
{
    g_assert_cmphex(r->validation_bits, ==, 0x4007);
    g_assert_cmphex(r->error_status, ==, m->error_status);
    g_assert_cmphex(r->physical_address, ==, m->physical_address);
    g_assert_cmphex(r->physical_address_mask, ==, m->physical_address_mask);
    g_assert_cmphex(r->error_type, ==, m->memory_error_type);
}

static void compare_arm(const CperReadArm *r, const CperArmProcessor *a)
{
    const CperReadArmInfo *info = &r->info;
    const CperArmErrorInfo *want = &a->error;

    g_assert_cmpuint(r->section_length, ==, 72);
    g_assert_cmphex(r->mpidr, ==, a->mpidr_el1);
    g_assert_cmphex(r->midr, ==, a->midr_el1);
    g_assert_cmphex(r->running_state, ==, a->running_state);
    g_assert_cmphex(r->psci_state, ==, a->psci_state);
    g_assert_cmphex(info->validation_bits, ==, want->validation_bits);
    g_assert_cmphex(info->type, ==, want->type);
    g_assert_cmphex(info->multiple_error, ==, want->multiple_error);
    g_assert_cmphex(info->flags, ==, want->flags);
    g_assert_cmphex(info->error_info, ==, want->error_information);
    g_assert_cmphex(info->virtual_address, ==, want->virtual_fault_address);
    g_assert_cmphex(info->physical_address, ==, want->physical_fault_address);
}

static void compare_entry(const CperReadEntry *e, const Asked *a)
{
    char text[21] = { 0 };

    g_assert_cmphex(e->error_severity, ==, a->entry.severity);
    g_assert_cmphex(e->flags, ==, a->entry.flags);
    memcpy(text, a->entry.fru_text, 20);
    g_assert_cmpstr(e->fru_text, ==, text);
    if (a->is_arm) {
        g_assert_cmpuint(e->section, ==, CPER_READ_SECTION_ARM);
        compare_arm(&e->arm, &a->arm);
    } else {
        g_assert_cmpuint(e->section, ==, CPER_READ_SECTION_MEMORY);
        compare_memory(&e->memory, &a->memory);
    }
}

/* fatal > recoverable > corrected > informational */
static const uint8_t severity_order[] = { 2, 3, 1, 0 };

static void compare_header(const Case *c, const CperReading *r)
{
    unsigned bad = 0, good = 0;
    uint32_t worst = 3;

    for (size_t i = 0; i < c->n; i++) {
        uint32_t severity = c->asked[i].entry.severity;

        if (severity <= 1) {
            bad++;
        } else {
            good++;
        }
        if (severity_order[severity] > severity_order[worst]) {
            worst = severity;
        }
    }
    g_assert_cmphex(r->block_status, ==,
                    (bad > 0) | (good > 0) << 1 | (bad > 1) << 2 |
                    (good > 1) << 3 | c->n << 4);
    g_assert_cmpuint(r->error_severity, ==, worst);
    g_assert_cmpuint(r->data_length, ==, c->used - 20);
    g_assert_cmpuint(r->record_length, ==, c->used);
    g_assert_cmpuint(r->n_entries, ==, c->n);
}

static void compare_all(const Case *c)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    const char *reason = NULL;

    /* behind the block is what was there before: readers must not care */
    if (!cper_read(c->buf, c->size, &r, why) || !cper_read_strict(&r, why)) {
        g_error("encoded block: %s", why->str);
    }
    compare_header(c, &r);
    for (size_t i = 0; i < c->n; i++) {
        compare_entry(&r.entries[i], &c->asked[i]);
    }

    if (!cper_block_check(c->buf, c->size, &reason)) {
        g_error("cper_block_check() refuses an encoded block: %s", reason);
    }
    g_assert_cmpuint(cper_block_length(c->buf, c->size), ==, c->used);
}

/* Any mix of sections in a block of any size */
static void test_encode(void)
{
    static const size_t sizes[] = { 20, 172, 1024, 4096 };

    for (unsigned i = 0; i < CASES; i++) {
        g_auto(Case) c = { 0 };

        rand_block(&c, one_in(2) ? sizes[rand_below(4)] : rand_below(5000),
                   rand_below(MAX_ASKED / 2));
        if (c.n) {
            compare_all(&c);
        }
    }
}

/*
 * A block without entries is an empty one, for the guest as well; without room
 * for a header, it is none, and takes no entry.
 */
static void test_empty(void)
{
    for (size_t size = 0; size < 64; size++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        g_auto(Case) c = { 0 };

        rand_block(&c, size, size < 20);
        if (size >= 20) {
            g_assert_false(cper_read(c.buf, size, &r, why));
            g_assert_nonnull(strstr(why->str, "no record"));
        }
    }
}

/*
 * Blocks that others have made
 */

static uint8_t bcd(unsigned v)
{
    return v / 10 << 4 | v % 10;
}

/* An ARM section with all parts that there can be; returns its length */
static size_t rand_foreign_arm(uint8_t *p)
{
    size_t infos = 1 + rand_below(3), contexts = rand_below(3);
    size_t length = 40 + infos * 32;

    for (size_t i = 0; i < infos; i++) {
        p[40 + i * 32 + 1] = 32;
    }
    for (size_t i = 0; i < contexts; i++) {
        size_t registers = rand_below(20);

        stl_le_p(p + length + 4, registers);
        length += 8 + registers;
    }
    length += rand_below(10);
    stw_le_p(p + 4, infos);
    stw_le_p(p + 6, contexts);
    stl_le_p(p + 8, length);
    return length;
}

/* One that keeps the rules; returns its length */
static size_t rand_foreign_block(uint8_t *buf, size_t size)
{
    size_t length = 20, n = 1 + rand_below(3);
    uint32_t worst = 3, status = n << 4;

    memset(buf, 0, size);
    for (size_t i = 0; i < n; i++) {
        uint8_t *entry = buf + length, *data = entry + 72;
        uint32_t severity = rand_below(4);
        size_t data_length;

        rand_bytes(entry, 72);
        stl_le_p(entry + 16, severity);
        stw_le_p(entry + 20, 0x300);
        entry[22] &= 7;
        entry[64] = bcd(rand_below(60));
        entry[65] = bcd(rand_below(60));
        entry[66] = bcd(rand_below(24));
        entry[67] = rand_below(2);
        entry[68] = bcd(1 + rand_below(28));
        entry[69] = bcd(1 + rand_below(12));
        entry[70] = bcd(rand_below(100));
        entry[71] = bcd(rand_below(100));
        switch (rand_below(3)) {
        case 0:
            memcpy(entry, type_memory, 16);
            data_length = 80 + rand_below(4);
            rand_bytes(data, data_length);
            break;
        case 1:
            memcpy(entry, type_arm, 16);
            rand_bytes(data, 40);
            data_length = rand_foreign_arm(data);
            break;
        default:
            data_length = rand_below(100);
            rand_bytes(data, data_length);
            break;
        }
        stl_le_p(entry + 24, data_length);
        status |= severity <= 1 ? 1 : 2;
        if (severity_order[severity] > severity_order[worst]) {
            worst = severity;
        }
        length += 72 + data_length;
    }
    stl_le_p(buf, status);
    stl_le_p(buf + 12, length - 20);
    stl_le_p(buf + 16, worst);
    if (one_in(4)) {
        size_t raw = 1 + rand_below(20);

        stl_le_p(buf + 4, length);
        stl_le_p(buf + 8, raw);
        length += raw;
    }
    g_assert_cmpuint(length, <=, size);
    return length;
}

/* Change a few bytes, by preference in block and entry headers */
static void damage(uint8_t *buf, size_t length)
{
    for (unsigned n = rand_below(4); n; n--) {
        size_t at = rand_below(length);

        switch (rand_below(6)) {
        case 0:
            at = rand_below(20);
            break;
        case 1:
            at = 20 + rand_below(72);
            break;
        case 2:
            /* numbers and lengths of an ARM section, if there is one */
            at = 92 + (one_in(2) ? 4 + rand_below(8) : 41);
            break;
        case 3:
            /* the timestamp */
            at = 84 + rand_below(8);
            break;
        default:
            break;
        }
        if (at < length) {
            buf[at] = one_in(2) ? buf[at] ^ 1 << rand_below(8) :
                      g_test_rand_int();
        }
    }
}

/*
 * cper_block_check() lets through to a guest what the guest takes and what
 * keeps the rules of the specification, and nothing else.
 */
static void test_foreign(void)
{
    unsigned checked = 0, readable = 0;

    for (unsigned i = 0; i < 8 * CASES; i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        uint8_t buf[1024];
        size_t length = rand_foreign_block(buf, sizeof(buf));
        const char *reason = NULL;
        bool read, check;

        damage(buf, length);
        read = cper_read(buf, sizeof(buf), &r, why);
        check = cper_block_check(buf, sizeof(buf), &reason);
        readable += read;
        checked += check;
        if (check) {
            if (!read || !cper_read_strict_frame(&r, why)) {
                g_error("check accepts: %s", why->str);
            }
            g_assert_cmpuint(cper_block_length(buf, sizeof(buf)), ==,
                             r.record_length);
        } else if (read && cper_read_strict_frame(&r, why)) {
            g_error("check refuses: %s", reason);
        }
    }
    g_test_message("%u readable, %u accepted", readable, checked);
    g_assert_cmpuint(checked, >, 2 * CASES);
    g_assert_cmpuint(readable, >, checked);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cper-vs-reader/encode", test_encode);
    g_test_add_func("/cper-vs-reader/empty", test_empty);
    g_test_add_func("/cper-vs-reader/foreign", test_foreign);
    return g_test_run();
}
