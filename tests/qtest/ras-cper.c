/*
 * Guest RAS: error records for the qtests of the Arm machine "virt"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-cper.h"
#include "tests/unit/oracle/cper-reader.h"

const uint8_t ras_cper_arm[16] = {
    0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,
    0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0,
};
const uint8_t ras_cper_memory[16] = {
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,
};
const uint8_t ras_cper_vendor[16] = {
    0x70, 0x61, 0x73, 0x73, 0x65, 0x6e, 0x67, 0x65,
    0x72, 0x20, 0x70, 0x69, 0x67, 0x65, 0x6f, 0x6e,
};

GByteArray *ras_cper_new(void)
{
    GByteArray *record = g_byte_array_new();
    uint8_t header[RAS_CPER_HEADER] = { 0 };

    header[16] = RAS_CPER_INFORMATIONAL;
    return g_byte_array_append(record, header, sizeof(header));
}

unsigned int ras_cper_add(GByteArray *record, const uint8_t type[16],
                          unsigned int severity, const void *section,
                          size_t len)
{
    /* how bad: informational, corrected, recoverable, fatal */
    static const uint8_t rank[] = { 2, 3, 1, 0 };
    uint8_t entry[RAS_CPER_ENTRY] = { 0 };
    uint32_t status = ldl_le_p(record->data);
    bool corrected = severity >= RAS_CPER_CORRECTED;

    memcpy(entry, type, 16);
    stl_le_p(entry + 16, severity);
    stw_le_p(entry + 20, 0x300);
    stl_le_p(entry + 24, len);
    g_byte_array_append(record, entry, sizeof(entry));
    g_byte_array_append(record, section, len);

    /* bits 0 and 2: uncorrectable, several; bits 1 and 3: correctable */
    status |= status & 1 << corrected ? 4 << corrected : 1 << corrected;
    stl_le_p(record->data, status + (1 << 4));
    stl_le_p(record->data + 12, record->len - RAS_CPER_HEADER);
    if (rank[severity] > rank[record->data[16]]) {
        stl_le_p(record->data + 16, severity);
    }
    return record->len - len;
}

GByteArray *ras_cper_of_length(unsigned int severity, size_t len)
{
    GByteArray *record = ras_cper_new();
    size_t payload = len - RAS_CPER_HEADER - RAS_CPER_ENTRY;
    g_autofree uint8_t *section = g_malloc(payload);

    for (size_t i = 0; i < payload; i++) {
        section[i] = i * 7 + i / 256;
    }
    ras_cper_add(record, ras_cper_vendor, severity, section, payload);
    g_assert_cmpuint(record->len, ==, len);
    return record;
}

GByteArray *ras_cper_of_arm(uint64_t id, const RasArmRecord *r)
{
    GByteArray *record = ras_cper_new();
    uint8_t section[RAS_CPER_ARM_SECTION] = { 0 }, *info = section + 40, *entry;

    stl_le_p(section, 0x5);             /* MPIDR, running state */
    stw_le_p(section + 4, 1);           /* ERR_INFO_NUM */
    stl_le_p(section + 8, sizeof(section));
    stq_le_p(section + 16, r->mpidr);
    stq_le_p(section + 24, r->midr);
    stl_le_p(section + 32, r->running);
    stl_le_p(section + 36, r->psci);
    info[1] = 32;                       /* length */
    stw_le_p(info + 2, r->valid);
    info[4] = r->type;
    stw_le_p(info + 5, r->count);
    info[7] = r->flags;
    stq_le_p(info + 8, r->information);
    stq_le_p(info + 16, r->va);
    stq_le_p(info + 24, r->pa);
    ras_cper_add(record, ras_cper_arm, r->severity, section, sizeof(section));

    entry = record->data + RAS_CPER_HEADER;
    entry[22] = 2;                      /* FRU text is valid */
    entry[23] = 1;                      /* primary */
    snprintf((char *)entry + 44, 20, "CPU #%" PRIu64, id);
    return record;
}

void ras_cper_check(RasVm *vm, uint64_t addr, const GByteArray *record)
{
    g_autofree uint8_t *is = g_malloc(record->len);

    qtest_memread(vm->qts, addr, is, record->len);
    for (unsigned int i = 0; i < record->len; i++) {
        if (is[i] != record->data[i]) {
            g_error("byte %u of the record is 0x%02x and not 0x%02x", i, is[i],
                    record->data[i]);
        }
    }
}

void ras_cper_check_arm(RasVm *vm, uint64_t addr, uint64_t id,
                        const RasArmRecord *r)
{
    g_autoptr(GByteArray) record = ras_cper_of_arm(id, r);

    ras_cper_check(vm, addr, record);
}

void ras_cper_check_memory(const uint8_t *block, size_t size, uint64_t address,
                           unsigned int pages, unsigned int severity)
{
    g_autoptr(GString) why = g_string_new(NULL);
    g_auto(CperReading) r = { 0 };
    bool corrected = severity == 2;

    if (!cper_read(block, size, &r, why) || !cper_read_strict(&r, why)) {
        g_error("record: %s", why->str);
    }
    /* uncorrectable or correctable, several of them, number of entries */
    g_assert_cmphex(r.block_status, ==,
                    (1 | (pages > 1 ? 4 : 0)) << corrected | pages << 4);
    g_assert_cmpuint(r.error_severity, ==, severity);
    g_assert_cmpuint(r.n_entries, ==, pages);
    for (unsigned int i = 0; i < pages; i++) {
        const CperReadEntry *e = &r.entries[i];

        g_assert_cmpint(e->section, ==, CPER_READ_SECTION_MEMORY);
        g_assert_cmpuint(e->error_severity, ==, severity);
        g_assert_cmpstr(e->fru_text, !=, "");
        g_assert_cmphex(e->memory.physical_address, ==,
                        address + i * RAS_PAGE);
        g_assert_cmphex(e->memory.physical_address_mask, ==, -RAS_PAGE);
        /* single-bit or multi-bit ECC */
        g_assert_cmpuint(e->memory.error_type, ==, corrected ? 2 : 3);
    }
    for (size_t i = r.record_length; i < size; i++) {
        g_assert_cmphex(block[i], ==, 0);
    }
}

/* --- injection ----------------------------------------------------------- */

QDict *ras_arm_arguments(const char *more)
{
    g_autofree char *text = g_strdup_printf("{ 'kind': 'arm-processor'%s%s }",
                                            *more ? ", " : "", more);

    return qobject_to(QDict, qobject_from_json(text, &error_abort));
}

QDict *ras_cper_arguments(const GByteArray *record, const char *more)
{
    g_autofree char *base64 = g_base64_encode(record->data, record->len);
    g_autofree char *text = g_strdup_printf("{ 'kind': 'cper', 'data': '%s'"
                                            "%s%s }", base64,
                                            *more ? ", " : "", more);

    return qobject_to(QDict, qobject_from_json(text, &error_abort));
}

uint64_t ras_inject_arm(RasVm *vm, const char *more)
{
    return ras_inject(vm, "%p", ras_arm_arguments(more));
}

uint64_t ras_inject_cper(RasVm *vm, const GByteArray *record, const char *more)
{
    return ras_inject(vm, "%p", ras_cper_arguments(record, more));
}

void ras_inject_ghes_v2(RasVm *vm, const GByteArray *record)
{
    g_autofree char *base64 = g_base64_encode(record->data, record->len);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'inject-ghes-v2-error',"
                             " 'arguments': { 'cper': %s } }", base64);
}

void ras_arm_refused(RasVm *vm, const char *more, const char *message)
{
    ras_assert_refused(vm, "ras-inject", ras_arm_arguments(more), message, 1);
}

void ras_cper_refused(RasVm *vm, const GByteArray *record, const char *more,
                      const char *message)
{
    ras_assert_refused(vm, "ras-inject", ras_cper_arguments(record, more),
                       message, 1);
}

void ras_base64_refused(RasVm *vm, const char *base64, const char *message)
{
    ras_inject_refused(vm, message, "{ 'kind': 'cper', 'data': %s }", base64);
    ras_assert_refused(vm, "inject-ghes-v2-error",
                       qdict_from_jsonf_nofail("{ 'cper': %s }", base64),
                       message, 1);
}
