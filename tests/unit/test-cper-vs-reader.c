/*
 * hw/acpi/apei/cper.c against the guest's view of what it writes
 *
 * Random blocks go through the encoder; tests/unit/cper-reader.c, which shares
 * nothing with it, reads them back. Every field is compared with what was
 * asked for, and what the guest would do with the record is compared with what
 * the errors in it call for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/acpi/apei/cper.h"
#include "oracle/cper-reader.h"

#define CASES 2500
#define MAX_ASKED 40
#define CANARY 0xa5

/* One call of cper_block_add_...() */
typedef struct Asked {
    CperEntry entry;
    bool is_memory;
    CperMemoryError memory;
    bool is_arm;
    CperArmProcessor arm;
    uint8_t type[CPER_GUID_SIZE];
    uint8_t data[300];
    size_t length;
    bool legal;                 /* no reserved value that the caller chose */
} Asked;

typedef struct Case {
    uint8_t *memory;            /* allocation, canary in front and behind */
    uint8_t *buf;
    size_t size;                /* of the block */
    size_t used;                /* what the model says is written */
    size_t n;
    Asked asked[MAX_ASKED];     /* those that must have been taken */
    bool legal;
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

static unsigned days_in(unsigned month, unsigned year)
{
    if (month == 2) {
        return 28 + (year % 4 == 0 && (year % 100 || year % 400 == 0));
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Mostly a time that exists */
static bool rand_timestamp(CperTimestamp *t)
{
    t->year = rand_below(10000);
    t->month = 1 + rand_below(12);
    t->day = 1 + rand_below(days_in(t->month, t->year));
    t->hours = rand_below(24);
    t->minutes = rand_below(60);
    t->seconds = rand_below(60);
    t->precise = one_in(2);
    switch (rand_below(80)) {
    case 0:
        t->day = days_in(t->month, t->year) + 1;
        return false;
    case 1:
        t->month = one_in(2) ? 0 : 13;
        return false;
    case 2:
        t->hours = 24;
        return false;
    case 3:
        t->minutes = 60;
        return false;
    case 4:
        t->seconds = 60 + rand_below(196);
        return false;
    case 5:
        t->year = 10000 + rand_below(1000);
        return false;
    case 6:
        t->day = 0;
        return false;
    default:
        return true;
    }
}

/* Returns whether the encoder should take it */
static bool rand_entry(CperEntry *e)
{
    bool ok = true;

    memset(e, 0, sizeof(*e));
    e->severity = rand_below(4);
    if (one_in(100)) {
        e->severity = 4 + rand_below(0x10000);
        ok = false;
    }
    e->flags = g_test_rand_int();
    e->has_fru_id = one_in(2);
    e->has_fru_text = one_in(2);
    e->has_timestamp = one_in(2);
    /* what is not declared must not get into the block: always fill it in */
    rand_bytes(e->fru_id, sizeof(e->fru_id));
    rand_bytes(e->fru_text, sizeof(e->fru_text));
    if (one_in(2)) {
        e->fru_text[rand_below(CPER_FRU_TEXT_SIZE)] = 0;
    }
    return (rand_timestamp(&e->timestamp) || !e->has_timestamp) && ok;
}

static void rand_memory(Asked *a)
{
    static const uint8_t status_types[] = {
        1, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    };
    CperMemoryError *m = &a->memory;

    a->is_memory = true;
    a->length = 80;
    rand_bytes(m, sizeof(*m));
    switch (rand_below(4)) {
    case 0:
        m->validation_bits = CPER_MEMORY_VALID_PHYSICAL_ADDRESS;
        break;
    case 1:
        m->validation_bits &= CPER_MEMORY_VALID_ALL;
        break;
    default:
        break;
    }
    m->error_status = (uint64_t)status_types[rand_below(18)] << 8 |
                      (uint64_t)rand_below(128) << 16;
    m->memory_error_type = rand_below(16);
    if (one_in(20)) {
        m->memory_error_type = 16 + rand_below(240);
        a->legal = !(m->validation_bits & CPER_MEMORY_VALID_MEMORY_ERROR_TYPE);
    }
    if (one_in(20)) {
        m->error_status = 1ull << 40;
        a->legal = a->legal &&
                   !(m->validation_bits & CPER_MEMORY_VALID_ERROR_STATUS);
    }
}

/* What the specification allows to be said of an error of that type */
static uint64_t rand_arm_error(uint8_t type)
{
    unsigned operations = type == CPER_ARM_TYPE_CACHE ? 11 :
                          type == CPER_ARM_TYPE_TLB ? 9 : 7;
    CperArmError e;
    CperReadArmError read;
    uint64_t information;

    e = (CperArmError) {
        .validation_bits = g_test_rand_int(),
        .transaction_type = rand_below(3),
        .operation = rand_below(operations),
        .level = rand_below(8),
        .processor_context_corrupt = one_in(2),
        .corrected = one_in(2),
        .precise_pc = one_in(2),
        .restartable_pc = one_in(2),
        .participation_type = rand_below(4),
        .time_out = one_in(2),
        .address_space = rand_below(4),
        .memory_attributes = rand_below(512),
        .access_mode = one_in(2),
    };
    if (!cper_arm_error_encode(type, &e, &information)) {
        return rand64();
    }
    e.validation_bits &= type == CPER_ARM_TYPE_BUS ? 0xfff : 0x7f;
    cper_read_arm_error(information, &read);
    g_assert_cmphex(read.validation_bits, ==, e.validation_bits);
#define SAME(field, bit, of_reader)                                     \
    g_assert_cmpuint(read.of_reader, ==,                                \
                     e.validation_bits & 1 << (bit) ? e.field : 0)
    SAME(transaction_type, 0, transaction_type);
    SAME(operation, 1, operation);
    SAME(level, 2, level);
    SAME(processor_context_corrupt, 3, context_corrupt);
    SAME(corrected, 4, corrected);
    SAME(precise_pc, 5, precise_pc);
    SAME(restartable_pc, 6, restartable_pc);
    SAME(participation_type, 7, participation_type);
    SAME(time_out, 8, time_out);
    SAME(address_space, 9, address_space);
    SAME(memory_attributes, 10, memory_attributes);
    SAME(access_mode, 11, access_mode);
#undef SAME
    return information;
}

static void rand_arm(Asked *a)
{
    CperArmProcessor *arm = &a->arm;
    unsigned i;

    a->is_arm = true;
    memcpy(a->type, cper_section_arm_processor, CPER_GUID_SIZE);
    rand_bytes(arm, sizeof(*arm));
    arm->err_info_num = 1 + rand_below(CPER_ARM_ERR_INFO_MAX);
    a->length = 40 + arm->err_info_num * 32;
    for (i = 0; i < arm->err_info_num; i++) {
        CperArmErrorInfo *info = &arm->err_info[i];

        info->type = 2 << rand_below(4);
        info->flags = rand_below(16);
        info->error_information = rand_arm_error(info->type);
        switch (rand_below(60)) {
        case 0:
            info->type = one_in(2) ? 0 : 0x20;
            a->legal = false;
            break;
        case 1:
            info->flags = 0x10;
            a->legal = a->legal && !(info->validation_bits & 2);
            break;
        case 2:
            info->type = CPER_ARM_TYPE_CACHE;
            info->error_information = 1ull << 30;
            a->legal = a->legal && !(info->validation_bits & 4);
            break;
        default:
            break;
        }
    }
}

/* An ARM section from elsewhere, with all parts that there can be */
static void arm_with_contexts(Asked *a)
{
    size_t registers = rand_below(40), vendor = rand_below(20);
    uint8_t *p = a->data;

    memcpy(a->type, cper_section_arm_processor, CPER_GUID_SIZE);
    a->length = 40 + 32 + 8 + registers + vendor;
    rand_bytes(p, a->length);
    memset(p, 0, 13 + 3);
    p[0] = 8;                           /* vendor info */
    p[4] = 1;
    p[6] = 1;
    p[8] = a->length;
    memset(p + 16, 0, 8);               /* no MPIDR */
    memset(p + 32, 0, 8);               /* no running state */
    memset(p + 40, 0, 8);
    p[41] = 32;
    p[42] = 0x1c;                       /* information and addresses */
    p[44] = CPER_ARM_TYPE_MICRO_ARCHITECTURAL;
    p[76] = registers;
    memset(p + 77, 0, 3);
}

static void rand_section(Asked *a)
{
    rand_bytes(a->type, sizeof(a->type));
    a->length = one_in(4) ? 0 : rand_below(sizeof(a->data));
    switch (rand_below(5)) {
    case 0:
        memcpy(a->type, cper_section_memory2, CPER_GUID_SIZE);
        a->length = 96;
        break;
    case 2:
        arm_with_contexts(a);
        return;
    case 1:
        memcpy(a->type, cper_section_pcie, CPER_GUID_SIZE);
        a->length = 208;
        break;
    default:
        break;
    }
    rand_bytes(a->data, a->length);
}

/* Ask for one more section; the model knows what the encoder has to say */
static void ask(Case *c, CperBlock *b, bool only_memory)
{
    Asked *a = &c->asked[c->n];
    bool taken, expected;

    memset(a, 0, sizeof(*a));
    a->legal = true;
    expected = rand_entry(&a->entry);
    if (only_memory || !one_in(4)) {
        rand_memory(a);
    } else if (one_in(2)) {
        rand_arm(a);
    } else {
        rand_section(a);
    }
    expected = expected && c->size >= 20 &&
               a->length + 72 <= c->size - c->used;

    if (a->is_memory) {
        taken = cper_block_add_memory(b, &a->entry, &a->memory);
    } else if (a->is_arm) {
        taken = cper_block_add_arm_processor(b, &a->entry, &a->arm);
    } else {
        taken = cper_block_add_section(b, &a->entry, a->type, a->data,
                                       a->length);
    }
    g_assert_cmpint(taken, ==, expected);
    if (taken) {
        c->used += 72 + a->length;
        c->legal = c->legal && a->legal;
        c->n++;
    }
}

static void case_init(Case *c, size_t size)
{
    size_t front = 1 + rand_below(16);

    c->size = size;
    c->used = 20;
    c->n = 0;
    c->legal = true;
    c->memory = g_malloc(front + size + 16);
    memset(c->memory, CANARY, front + size + 16);
    c->buf = c->memory + front;
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

static size_t rand_block(Case *c, size_t size, unsigned asks, bool only_memory)
{
    CperBlock b;
    size_t length;

    case_init(c, size);
    cper_block_init(&b, c->buf, size);
    check_canaries(c, 0);
    for (unsigned i = 0; i < asks && c->n < MAX_ASKED; i++) {
        ask(c, &b, only_memory);
    }
    length = cper_block_finish(&b);
    g_assert_cmpuint(length, ==, size < 20 ? 0 : c->used);
    check_canaries(c, length);
    return length;
}

static void compare_timestamp(const CperReadEntry *e, const CperEntry *want)
{
    const CperTimestamp *t = &want->timestamp;
    const uint8_t parts[] = {
        t->seconds, t->minutes, t->hours, 0xff, t->day, t->month,
        t->year % 100, t->year / 100,
    };

    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = i == 3 ? t->precise : parts[i] / 10 << 4 | parts[i] % 10;

        g_assert_cmphex(e->timestamp[i], ==, want->has_timestamp ? byte : 0);
    }
}

static void compare_entry(const CperReading *r, size_t n, const Asked *a)
{
    static const uint8_t zero[16];
    const CperReadEntry *e = &r->entries[n];
    const CperEntry *want = &a->entry;
    char text[21] = { 0 };

    g_assert_cmphex(e->error_severity, ==, want->severity);
    g_assert_cmphex(e->revision, ==, 0x0300);
    g_assert_cmpuint(e->header_length, ==, 72);
    g_assert_cmphex(e->validation_bits, ==,
                    want->has_fru_id | want->has_fru_text << 1 |
                    want->has_timestamp << 2);
    g_assert_cmphex(e->flags, ==, want->flags);
    g_assert_cmpuint(e->error_data_length, ==, a->length);
    g_assert_cmpmem(e->fru_id, 16, want->has_fru_id ? want->fru_id : zero, 16);
    if (want->has_fru_text) {
        memcpy(text, want->fru_text, 20);
    }
    g_assert_cmpstr(e->fru_text, ==, text);
    compare_timestamp(e, want);
    g_assert_cmpmem(e->section_type, 16,
                    a->is_memory ? cper_section_memory : a->type, 16);
    if (a->is_arm) {
        g_assert_cmpuint(e->arm.section_length, ==, a->length);
    } else if (!a->is_memory) {
        g_assert_cmpmem(r->record + e->offset + 72, a->length, a->data,
                        a->length);
    }
}

/* A value, or 0 if none of its valid bits is set */
static uint64_t if_valid(const CperMemoryError *m, uint64_t bits, uint64_t v)
{
    return m->validation_bits & bits ? v : 0;
}

static void compare_memory(const CperReadMemory *r, const CperMemoryError *m)
{
    uint16_t bank = 0;
    uint8_t extended = 0;

    if (m->validation_bits & (1 << 6 | 1 << 20)) {
        bank |= m->bank & 0x00ff;
    }
    if (m->validation_bits & (1 << 6 | 1 << 19)) {
        bank |= m->bank & 0xff00;
    }
    if (m->validation_bits & 1 << 18) {
        extended |= m->extended & 0x03;
    }
    if (m->validation_bits & 1 << 21) {
        extended |= m->extended & 0xe0;
    }
    g_assert_cmphex(r->validation_bits, ==, m->validation_bits & 0x3fffff);
    g_assert_cmphex(r->error_status, ==, if_valid(m, 1 << 0, m->error_status));
    g_assert_cmphex(r->physical_address, ==,
                    if_valid(m, 1 << 1, m->physical_address));
    g_assert_cmphex(r->physical_address_mask, ==,
                    if_valid(m, 1 << 2, m->physical_address_mask));
    g_assert_cmphex(r->node, ==, if_valid(m, 1 << 3, m->node));
    g_assert_cmphex(r->card, ==, if_valid(m, 1 << 4, m->card));
    g_assert_cmphex(r->module, ==, if_valid(m, 1 << 5, m->module));
    g_assert_cmphex(r->bank, ==, bank);
    g_assert_cmphex(r->device, ==, if_valid(m, 1 << 7, m->device));
    g_assert_cmphex(r->row, ==, if_valid(m, 1 << 8, m->row));
    g_assert_cmphex(r->column, ==, if_valid(m, 1 << 9, m->column));
    g_assert_cmphex(r->bit_position, ==,
                    if_valid(m, 1 << 10, m->bit_position));
    g_assert_cmphex(r->requestor_id, ==,
                    if_valid(m, 1 << 11, m->requestor_id));
    g_assert_cmphex(r->responder_id, ==,
                    if_valid(m, 1 << 12, m->responder_id));
    g_assert_cmphex(r->target_id, ==, if_valid(m, 1 << 13, m->target_id));
    g_assert_cmphex(r->error_type, ==,
                    if_valid(m, 1 << 14, m->memory_error_type));
    g_assert_cmphex(r->rank_number, ==, if_valid(m, 1 << 15, m->rank_number));
    g_assert_cmphex(r->card_handle, ==, if_valid(m, 1 << 16, m->card_handle));
    g_assert_cmphex(r->module_handle, ==,
                    if_valid(m, 1 << 17, m->module_handle));
    g_assert_cmphex(r->extended, ==, extended);
}

static void compare_arm(const CperReadArm *r, const CperArmProcessor *a)
{
    uint32_t v = a->validation_bits;
    bool running = a->running_state & 1;

    g_assert_cmphex(r->validation_bits, ==, v & 7);
    g_assert_cmpuint(r->err_info_num, ==, a->err_info_num);
    g_assert_cmpuint(r->context_info_num, ==, 0);
    g_assert_cmphex(r->affinity_level, ==,
                    v & 2 ? a->error_affinity_level : 0);
    g_assert_cmphex(r->mpidr, ==, v & 1 ? a->mpidr_el1 : 0);
    g_assert_cmphex(r->midr, ==, a->midr_el1);
    g_assert_cmphex(r->running_state, ==, v & 4 ? running : 0);
    g_assert_cmphex(r->psci_state, ==, v & 4 && !running ? a->psci_state : 0);
    g_assert_cmpuint(r->vendor_length, ==, 0);
    for (unsigned i = 0; i < a->err_info_num; i++) {
        const CperReadArmInfo *info = &r->infos[i];
        const CperArmErrorInfo *want = &a->err_info[i];

        v = want->validation_bits;
        g_assert_cmpuint(info->version, ==, 0);
        g_assert_cmpuint(info->length, ==, 32);
        g_assert_cmphex(info->validation_bits, ==, v & 0x1f);
        g_assert_cmphex(info->type, ==, want->type);
        g_assert_cmphex(info->multiple_error, ==,
                        v & 1 ? want->multiple_error : 0);
        g_assert_cmphex(info->flags, ==, v & 2 ? want->flags : 0);
        g_assert_cmphex(info->error_info, ==,
                        v & 4 ? want->error_information : 0);
        g_assert_cmphex(info->virtual_address, ==,
                        v & 8 ? want->virtual_fault_address : 0);
        g_assert_cmphex(info->physical_address, ==,
                        v & 16 ? want->physical_fault_address : 0);
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
    g_assert_cmphex(r->raw_data_offset, ==, 0);
    g_assert_cmphex(r->raw_data_length, ==, 0);
    g_assert_cmpuint(r->data_length, ==, c->used - 20);
    g_assert_cmpuint(r->record_length, ==, c->used);
    g_assert_cmpuint(r->n_entries, ==, c->n);
}

/* The guest lost the page of failure @n, or it was one too many */
static void compare_failure(const CperGuestAction *got, size_t n, size_t entry,
                            uint64_t address, bool action_required, bool soft)
{
    const CperGuestFailure *f = &got->failures[n];

    if (n < CPER_GUEST_FIFO) {
        g_assert_cmpuint(f->entry, ==, entry);
        g_assert_cmphex(f->pfn, ==, address >> 12);
        g_assert_cmpint(f->soft_offline, ==, soft);
        g_assert_cmpint(f->action_required, ==, action_required);
    }
}

/* What the errors of the case call for; page size 4 KiB, fresh guest */
static void compare_action(const Case *c, const CperReading *r, bool sea)
{
    g_auto(CperGuest) guest;
    CperGuestAction got;
    size_t pages = 0;
    bool actionable = false, fatal = false;

    cper_guest_init(&guest);
    cper_guest_take(&guest, r, sea ? CPER_READ_SOURCE_SEA :
                    CPER_READ_SOURCE_ASYNC, 1, &got);
    for (size_t i = 0; i < c->n; i++) {
        fatal = fatal || c->asked[i].entry.severity == CPER_SEVERITY_FATAL;
    }
    g_assert_cmpint(got.panic, ==, fatal);
    g_assert_true(got.printed);
    g_assert_false(got.dropped);
    if (fatal) {
        g_assert_cmpuint(got.n_failures, ==, 0);
        return;
    }
    for (size_t i = 0; i < c->n; i++) {
        const Asked *a = &c->asked[i];
        uint32_t severity = a->entry.severity;
        bool soft = severity == CPER_SEVERITY_CORRECTED;

        if (a->is_memory) {
            actionable = (a->memory.validation_bits & 2) &&
                         (severity == CPER_SEVERITY_RECOVERABLE ||
                          (soft && (a->entry.flags &
                                    CPER_ENTRY_THRESHOLD_EXCEEDED)));
            if (actionable) {
                compare_failure(&got, pages++, i, a->memory.physical_address,
                                sea && !soft, soft);
            }
        } else if (!memcmp(a->type, cper_section_arm_processor, 16)) {
            actionable = false;
            for (unsigned n = 0; n < a->arm.err_info_num; n++) {
                const CperArmErrorInfo *info = &a->arm.err_info[n];

                if (severity == CPER_SEVERITY_RECOVERABLE &&
                    info->type == CPER_ARM_TYPE_CACHE &&
                    (info->validation_bits & 16)) {
                    compare_failure(&got, pages++, i,
                                    info->physical_fault_address, sea, false);
                    actionable = true;
                }
            }
        }
    }
    g_assert_cmpuint(got.n_failures + got.n_lost, ==, pages);
    g_assert_cmpint(got.sigbus, ==, sea && !actionable);
}

/* A damaged section is not decoded; test_damaged looks at that */
static void compare_arm_decoded(const CperSection *s, const CperReadArm *r)
{
    CperArmProcessor a;

    if (!cper_arm_processor_decode(s->data, s->data_length, &a, NULL)) {
        return;
    }
    g_assert_cmphex(a.validation_bits, ==, r->validation_bits);
    g_assert_cmpuint(a.err_info_num, ==, r->n_infos);
    g_assert_cmpuint(a.error_affinity_level, ==, r->affinity_level);
    g_assert_cmphex(a.mpidr_el1, ==, r->mpidr);
    g_assert_cmphex(a.midr_el1, ==, r->midr);
    g_assert_cmphex(a.running_state, ==, r->running_state);
    g_assert_cmphex(a.psci_state, ==, r->psci_state);
    g_assert_cmpuint(a.context_info_num, ==, r->n_contexts);
    g_assert_cmpuint(a.context_info_offset, ==, r->contexts_at);
    g_assert_cmpuint(a.context_info_size, ==, r->contexts_length);
    g_assert_cmpuint(a.vendor_info_offset, ==, r->vendor_at);
    g_assert_cmpuint(a.vendor_info_size, ==, r->vendor_length);
    for (unsigned i = 0; i < MIN(a.err_info_num, CPER_ARM_ERR_INFO_MAX); i++) {
        const CperArmErrorInfo *info = &a.err_info[i];
        CperReadArmError want;
        CperArmError error;

        g_assert_cmphex(info->validation_bits, ==, r->infos[i].validation_bits);
        g_assert_cmphex(info->type, ==, r->infos[i].type);
        g_assert_cmphex(info->flags, ==, r->infos[i].flags);
        g_assert_cmphex(info->multiple_error, ==, r->infos[i].multiple_error);
        g_assert_cmphex(info->error_information, ==, r->infos[i].error_info);
        g_assert_cmphex(info->virtual_fault_address, ==,
                        r->infos[i].virtual_address);
        g_assert_cmphex(info->physical_fault_address, ==,
                        r->infos[i].physical_address);

        cper_read_arm_error(info->error_information, &want);
        if (!cper_arm_error_decode(info->type, info->error_information,
                                   &error)) {
            continue;
        }
        g_assert_cmphex(error.validation_bits, ==, want.validation_bits);
        g_assert_cmpuint(error.operation, ==, want.operation);
        g_assert_cmpuint(error.level, ==, want.level);
        g_assert_cmpuint(error.corrected, ==, want.corrected);
        if (info->type == CPER_ARM_TYPE_BUS) {
            g_assert_cmpuint(error.address_space, ==, want.address_space);
            g_assert_cmphex(error.memory_attributes, ==,
                            want.memory_attributes);
        }
    }
}

/* cper.c reads what it wrote as the reader does */
static bool compare_section(const CperSection *s, void *opaque)
{
    const CperReading *r = opaque;
    const CperReadEntry *e;

    g_assert_cmpuint(s->index, <, r->n_entries);
    e = &r->entries[s->index];
    g_assert_cmpuint(s->offset, ==, e->offset);
    g_assert_cmpmem(s->type, 16, e->section_type, 16);
    g_assert_cmphex(s->revision, ==, e->revision);
    g_assert_cmphex(s->validation_bits, ==, e->validation_bits);
    g_assert_cmphex(s->entry.severity, ==, e->error_severity);
    g_assert_cmphex(s->entry.flags, ==, e->flags);
    g_assert_cmphex(s->entry.has_fru_id, ==, e->validation_bits & 1);
    g_assert_cmphex(s->entry.has_fru_text, ==, e->validation_bits >> 1 & 1);
    if (s->entry.has_fru_id) {
        g_assert_cmpmem(s->entry.fru_id, 16, e->fru_id, 16);
    }
    if (s->entry.has_fru_text) {
        g_assert_cmpint(strncmp(s->entry.fru_text, e->fru_text, 20), ==, 0);
    }
    g_assert_cmpuint(s->data_length, ==, e->error_data_length);
    g_assert_cmpmem(s->data, s->data_length,
                    r->record + e->offset + e->header_length,
                    e->error_data_length);
    if (e->section == CPER_READ_SECTION_MEMORY && !e->too_small &&
        (e->error_data_length >= 80 || e->error_data_length == 73)) {
        CperMemoryError m;

        g_assert_true(cper_memory_decode(s->data, s->data_length, &m));
        g_assert_cmphex(m.physical_address, ==, e->memory.physical_address);
        g_assert_cmphex(m.target_id, ==, e->memory.target_id);
        g_assert_cmphex(m.memory_error_type, ==, e->memory.error_type);
        g_assert_cmphex(m.module_handle, ==, e->memory.module_handle);
        g_assert_cmphex(m.rank_number, ==, e->memory.rank_number);
    }
    if (e->section == CPER_READ_SECTION_ARM) {
        compare_arm_decoded(s, &e->arm);
    }
    return true;
}

static void compare_all(const Case *c, size_t length)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    const char *reason = NULL;

    /* behind the block is what was there before: readers must not care */
    if (!cper_read(c->buf, c->size, &r, why)) {
        g_error("encoded block is refused: %s", why->str);
    }
    g_assert_cmpuint(length, ==, r.record_length);
    compare_header(c, &r);
    for (size_t i = 0; i < c->n; i++) {
        compare_entry(&r, i, &c->asked[i]);
        if (c->asked[i].is_memory) {
            g_assert_cmpuint(r.entries[i].section, ==,
                             CPER_READ_SECTION_MEMORY);
            compare_memory(&r.entries[i].memory, &c->asked[i].memory);
        } else if (c->asked[i].is_arm) {
            g_assert_cmpuint(r.entries[i].section, ==, CPER_READ_SECTION_ARM);
            compare_arm(&r.entries[i].arm, &c->asked[i].arm);
        }
    }
    if (cper_read_strict(&r, why) != c->legal) {
        g_error("encoded block, %s: %s", c->legal ? "legal" : "not legal",
                why->str);
    }
    if (!cper_read_consistent(&r, why) || !cper_read_tidy(&r, why)) {
        g_error("encoded block: %s", why->str);
    }
    compare_action(c, &r, true);
    compare_action(c, &r, false);

    if (!cper_block_check(c->buf, c->size, &reason)) {
        g_error("cper_block_check() refuses an encoded block: %s", reason);
    }
    g_assert_cmpuint(cper_block_length(c->buf, c->size), ==, length);
    g_assert_true(cper_block_foreach(c->buf, c->size, compare_section, &r,
                                     &reason));
}

static size_t rand_size(void)
{
    static const size_t sizes[] = { 20, 172, 1024, 4096 };

    return one_in(2) ? sizes[rand_below(4)] : rand_below(5000);
}

/* Any mix of sections in a block of any size */
static void test_encode(void)
{
    for (unsigned i = 0; i < CASES; i++) {
        g_auto(Case) c = { 0 };
        size_t length = rand_block(&c, rand_size(), rand_below(MAX_ASKED / 2),
                                   false);

        if (c.n) {
            compare_all(&c, length);
        }
    }
}

/* A block without entries is an empty one, for the guest as well */
static void test_empty(void)
{
    for (size_t size = 0; size < 64; size++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        g_auto(Case) c = { 0 };
        size_t length = rand_block(&c, size, 0, true);

        g_assert_cmpuint(length, ==, size < 20 ? 0 : 20);
        if (length) {
            g_assert_false(cper_read(c.buf, size, &r, why));
            g_assert_nonnull(strstr(why->str, "no record"));
        }
    }
}

/* The largest block a guest takes, filled: 431 pages */
static void test_full(void)
{
    g_autofree uint8_t *buf = g_malloc(65536);
    g_auto(CperReading) r = { 0 };
    CperMemoryError m = { .validation_bits = 2 };
    CperEntry e = { 0 };
    unsigned n = 0;
    CperBlock b;

    cper_block_init(&b, buf, 65536);
    do {
        m.physical_address = 0x40000000ull + n * 4096;
    } while (cper_block_add_memory(&b, &e, &m) && ++n);
    g_assert_cmpuint(n, ==, 431);
    g_assert_cmpuint(n, ==, cper_block_max_memory_entries(65536));
    g_assert_cmpuint(cper_block_finish(&b), ==, 20 + 431 * 152);
    g_assert_true(cper_read(buf, 65536, &r, NULL));
    g_assert_true(cper_read_strict(&r, NULL));
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(r.entries[i].memory.physical_address, ==,
                        0x40000000ull + i * 4096);
    }

    for (size_t size = 0; size < 400000; size += 1 + rand_below(300)) {
        size_t fits = size < 20 ? 0 : (size - 20) / 152;

        g_assert_cmpuint(cper_block_max_memory_entries(size), ==,
                         MIN(fits, 1023));
    }
}

/* The entry count has 10 bits: the 1024th entry is refused */
static void test_entry_count(void)
{
    size_t size = 20 + 1024 * 72;
    g_autofree uint8_t *buf = g_malloc(size);
    CperEntry e = { .severity = CPER_SEVERITY_CORRECTED };
    CperBlock b;

    cper_block_init(&b, buf, size);
    for (unsigned i = 0; i < 1023; i++) {
        g_assert_true(cper_block_add_section(&b, &e, cper_section_memory2,
                                             NULL, 0));
    }
    g_assert_false(cper_block_add_section(&b, &e, cper_section_memory2, NULL,
                                          0));
    g_assert_cmphex(cper_block_status(&b), ==, 0x3ffa);
}

/*
 * In place: while the body is being written the guest sees an empty block,
 * and with the status word it sees all of it
 */
static void test_in_place(void)
{
    for (unsigned i = 0; i < 200; i++) {
        g_auto(CperReading) before = { 0 };
        g_auto(CperReading) after = { 0 };
        uint8_t buf[1024] = { 0 };
        uint8_t whole[1024] = { 0 };
        CperMemoryError m = { 0 };
        CperEntry e;
        CperBlock in_place, at_once;
        uint32_t status;
        size_t length;

        while (!rand_entry(&e)) {
            /* until one is valid */
        }
        rand_bytes(&m, sizeof(m));
        cper_block_init(&in_place, buf, sizeof(buf));
        cper_block_init(&at_once, whole, sizeof(whole));
        for (unsigned n = 1 + rand_below(6); n; n--) {
            g_assert_true(cper_block_add_memory(&in_place, &e, &m));
            g_assert_true(cper_block_add_memory(&at_once, &e, &m));
        }
        length = cper_block_finish_body(&in_place);
        g_assert_cmpuint(cper_block_finish(&at_once), ==, length);
        g_assert_false(cper_read(buf, sizeof(buf), &before, NULL));
        g_assert_cmphex(before.block_status, ==, 0);

        status = cper_block_status(&in_place);
        for (unsigned byte = 0; byte < 4; byte++) {
            buf[byte] = status >> 8 * byte;
        }
        g_assert_true(cper_read(buf, sizeof(buf), &after, NULL));
        g_assert_cmpmem(buf, sizeof(buf), whole, sizeof(whole));
    }
}

/*
 * The guest drops a SEA record that equals one it has printed: FRU id or text
 * is enough to make the next record a different one
 */
static void test_unique(void)
{
    CperMemoryError m = {
        .validation_bits = CPER_MEMORY_VALID_PHYSICAL_ADDRESS,
        .physical_address = 0x40001000,
    };
    g_auto(CperGuest) guest;

    cper_guest_init(&guest);
    for (unsigned i = 0; i < 6; i++) {
        g_auto(CperReading) r = { 0 };
        CperEntry e = { .has_fru_id = true };
        CperGuestAction action;
        uint8_t buf[256];
        CperBlock b;

        e.fru_id[15] = i;
        cper_block_init(&b, buf, sizeof(buf));
        g_assert_true(cper_block_add_memory(&b, &e, &m));
        cper_block_finish(&b);
        g_assert_true(cper_read(buf, sizeof(buf), &r, NULL));
        cper_guest_take(&guest, &r, CPER_READ_SOURCE_SEA, 1000, &action);
        g_assert_false(action.dropped);
        g_assert_cmpuint(action.n_failures, ==, 1);
        cper_guest_take(&guest, &r, CPER_READ_SOURCE_SEA, 1001, &action);
        g_assert_cmpint(action.dropped, ==, i < 2);     /* printed: 2 in 5 s */
    }
}

static void test_unix_time(void)
{
    const int64_t first = -62167219200, last = 253402300799;
    CperTimestamp t;

    for (unsigned i = 0; i < CASES; i++) {
        /* 0001-01-01, from where on GLib knows, to 9999-12-31 */
        int64_t seconds = -62135596800 +
                          (int64_t)(rand64() % (62135596800 + 253402300800));
        g_autoptr(GDateTime) d = g_date_time_new_from_unix_utc(seconds);

        g_assert_true(cper_timestamp_from_unix(&t, seconds));
        g_assert_cmpint(t.year, ==, g_date_time_get_year(d));
        g_assert_cmpint(t.month, ==, g_date_time_get_month(d));
        g_assert_cmpint(t.day, ==, g_date_time_get_day_of_month(d));
        g_assert_cmpint(t.hours, ==, g_date_time_get_hour(d));
        g_assert_cmpint(t.minutes, ==, g_date_time_get_minute(d));
        g_assert_cmpint(t.seconds, ==, g_date_time_get_second(d));
        g_assert_false(t.precise);
    }
    g_assert_true(cper_timestamp_from_unix(&t, first));
    g_assert_cmpint(t.year, ==, 0);
    g_assert_cmpint(t.month, ==, 1);
    g_assert_cmpint(t.day, ==, 1);
    g_assert_true(cper_timestamp_from_unix(&t, last));
    g_assert_cmpint(t.year, ==, 9999);
    g_assert_cmpint(t.seconds, ==, 59);
    g_assert_false(cper_timestamp_from_unix(&t, first - 1));
    g_assert_false(cper_timestamp_from_unix(&t, last + 1));
    g_assert_false(cper_timestamp_from_unix(&t, INT64_MIN));
    g_assert_false(cper_timestamp_from_unix(&t, INT64_MAX));
    g_assert_cmpint(t.year, ==, 9999);
}

static bool count_sections(const CperSection *section, void *opaque)
{
    size_t *n = opaque;

    g_assert_cmpuint(section->index, ==, *n);
    ++*n;
    return true;
}

/* Cut off anywhere: refused, and nothing is read behind the end */
static void test_truncated(void)
{
    g_auto(Case) c = { 0 };
    size_t length = 0;

    while (!c.n) {
        case_clear(&c);
        length = rand_block(&c, 600, 4, true);
    }
    for (size_t len = 0; len < length; len++) {
        g_autofree uint8_t *buf = g_malloc(len);
        size_t n = 0;

        if (len) {
            memcpy(buf, c.buf, len);
        }
        g_assert_false(cper_block_check(buf, len, NULL));
        g_assert_false(cper_block_foreach(buf, len, count_sections, &n, NULL));
        g_assert_cmpuint(n, <=, c.n);
        if (len >= 20) {
            g_assert_cmpuint(cper_block_length(buf, len), ==, 0);
        }
    }
}

/* Change a few bytes, by preference in block and entry headers */
static void damage(const Case *c, size_t length)
{
    unsigned n = 1 + rand_below(3);

    while (n--) {
        size_t at = rand_below(length);

        switch (rand_below(5)) {
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
        default:
            break;
        }
        if (at < length) {
            c->buf[at] = one_in(2) ? c->buf[at] ^ 1 << rand_below(8) :
                         g_test_rand_int();
        }
    }
}

/* The table of fields says where the bits of each valid bit are */
static void test_fields(void)
{
    static const struct {
        uint8_t offset, size, shift, bits;
    } fields[CPER_MEMORY_FIELDS] = {
        { 8, 8, 0, 64 }, { 16, 8, 0, 64 }, { 24, 8, 0, 64 }, { 32, 2, 0, 16 },
        { 34, 2, 0, 16 }, { 36, 2, 0, 16 }, { 38, 2, 0, 16 }, { 40, 2, 0, 16 },
        { 42, 2, 0, 16 }, { 44, 2, 0, 16 }, { 46, 2, 0, 16 }, { 48, 8, 0, 64 },
        { 56, 8, 0, 64 }, { 64, 8, 0, 64 }, { 72, 1, 0, 8 }, { 74, 2, 0, 16 },
        { 76, 2, 0, 16 }, { 78, 2, 0, 16 }, { 73, 1, 0, 2 }, { 38, 2, 8, 8 },
        { 38, 2, 0, 8 }, { 73, 1, 5, 3 },
    };
    uint8_t data[80];
    CperMemoryError m;

    rand_bytes(data, sizeof(data));
    g_assert_true(cper_memory_decode(data, sizeof(data), &m));
    for (unsigned i = 0; i < CPER_MEMORY_FIELDS; i++) {
        const CperMemoryField *f = &cper_memory_fields[i];
        uint64_t mask = UINT64_MAX >> (64 - fields[i].bits);
        uint64_t value = 0;

        g_assert_cmpuint(f->offset, ==, fields[i].offset);
        g_assert_cmpuint(f->size, ==, fields[i].size);
        g_assert_cmpuint(f->shift, ==, fields[i].shift);
        g_assert_cmphex(f->mask, ==, mask << fields[i].shift);
        for (unsigned byte = f->size; byte--;) {
            value = value << 8 | data[f->offset + byte];
        }
        g_assert_cmphex(cper_memory_field_get(&m, f), ==,
                        value >> fields[i].shift & mask);
    }
}

/* A value has a name where Linux has a text for it */
static void test_names(void)
{
    for (unsigned type = 0; type < 256; type++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_autofree char *unknown = NULL;
        g_auto(CperReading) r = { 0 };
        CperMemoryError m = {
            .validation_bits = CPER_MEMORY_VALID_ERROR_STATUS |
                               CPER_MEMORY_VALID_MEMORY_ERROR_TYPE,
            .error_status = type << 8,
            .memory_error_type = type,
        };
        CperEntry e = { 0 };
        uint8_t buf[256];
        CperBlock b;

        cper_block_init(&b, buf, sizeof(buf));
        g_assert_true(cper_block_add_memory(&b, &e, &m));
        cper_block_finish(&b);
        g_assert_true(cper_read(buf, sizeof(buf), &r, NULL));
        cper_print(&r, 0, 0, out);
        unknown = g_strdup_printf("error_type: %u, unknown\n", type);
        g_assert_cmpint(!cper_error_status_type_name(type), ==,
                        strstr(out->str, "error_status: Reserved") != NULL);
        g_assert_cmpint(type && !cper_memory_error_type_name(type), ==,
                        type && strstr(out->str, unknown));
        g_assert_cmpint(!cper_severity_name(type), ==, type > 3);
    }
    g_assert_nonnull(cper_memory_error_type_name(0));
}

/*
 * Damaged blocks: cper_block_check() lets through to a guest what the guest
 * takes and what keeps the rules of the specification, and nothing else; the
 * walker finds the sections that the guest finds.
 */
static void test_damaged(void)
{
    unsigned checked = 0, readable = 0;

    for (unsigned i = 0; i < 2 * CASES; i++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_auto(CperReading) r = { 0 };
        g_auto(Case) c = { 0 };
        size_t length = rand_block(&c, 1024, 3, false);
        const char *reason = NULL;
        bool read, check, walk;
        size_t n = 0;

        if (!c.n) {
            continue;
        }
        damage(&c, length);
        read = cper_read(c.buf, c.size, &r, why);
        check = cper_block_check(c.buf, c.size, &reason);
        walk = cper_block_foreach(c.buf, c.size, count_sections, &n, NULL);
        readable += read;
        checked += check;
        if (check) {
            if (!read) {
                g_error("check accepts what a guest refuses: %s", why->str);
            }
            g_assert_cmpuint(cper_block_length(c.buf, c.size), ==,
                             r.record_length);
            if (!cper_read_strict_frame(&r, why)) {
                g_error("check accepts: %s", why->str);
            }
        } else if (read && cper_read_strict_frame(&r, NULL)) {
            g_error("check refuses: %s", reason);
        }
        if (read) {
            if (!walk) {
                g_error("the walker refuses what a guest reads");
            }
            g_assert_cmpuint(n, ==, r.n_entries);
            g_assert_true(cper_block_foreach(c.buf, c.size, compare_section,
                                             &r, NULL));
        }
    }
    g_test_message("%u readable, %u accepted", readable, checked);
    g_assert_cmpuint(checked, >, CASES / 4);
    g_assert_cmpuint(readable, >, checked);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cper-vs-reader/encode", test_encode);
    g_test_add_func("/cper-vs-reader/empty", test_empty);
    g_test_add_func("/cper-vs-reader/full", test_full);
    g_test_add_func("/cper-vs-reader/entry-count", test_entry_count);
    g_test_add_func("/cper-vs-reader/in-place", test_in_place);
    g_test_add_func("/cper-vs-reader/unique", test_unique);
    g_test_add_func("/cper-vs-reader/unix-time", test_unix_time);
    g_test_add_func("/cper-vs-reader/fields", test_fields);
    g_test_add_func("/cper-vs-reader/names", test_names);
    g_test_add_func("/cper-vs-reader/truncated", test_truncated);
    g_test_add_func("/cper-vs-reader/damaged", test_damaged);
    return g_test_run();
}
