/*
 * Guest RAS: error records for the qtests of the Arm machine "virt"
 *
 * Records that a test injects, and records that it expects, byte for byte.
 * Offsets and values are numbers on purpose, by hand from ACPI 6.5 (18.3.2.7)
 * and UEFI 2.10 (N.2.2, N.2.4.4): a wrong constant in QEMU must not be wrong
 * here too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_CPER_H
#define TESTS_QTEST_RAS_CPER_H

#include "ras-qtest.h"

/* header of a status block, then entries: a header and a section each */
#define RAS_CPER_HEADER         20
#define RAS_CPER_ENTRY          72
#define RAS_CPER_ARM_SECTION    (40 + 32)
#define RAS_CPER_ARM_BLOCK      (RAS_CPER_HEADER + RAS_CPER_ENTRY + \
                                 RAS_CPER_ARM_SECTION)

/* error_severity */
#define RAS_CPER_RECOVERABLE    0
#define RAS_CPER_FATAL          1
#define RAS_CPER_CORRECTED      2
#define RAS_CPER_INFORMATIONAL  3

/* MPIDR_EL1 and MIDR_EL1 of vCPU 0; without TCG "-cpu max" is a Cortex-A57 */
#define RAS_ARM_MPIDR   0x80000000
#define RAS_ARM_MIDR    0x411fd070

/* MULTIPLE_ERROR and FLAGS, which are in every section of kind arm-processor */
#define RAS_ARM_VALID   0x03

/* What kind arm-processor puts into its section */
typedef struct RasArmRecord {
    unsigned int severity;
    uint64_t mpidr, midr;
    uint32_t running, psci;
    uint8_t type;
    uint16_t valid;             /* of the error information structure */
    uint16_t count;
    uint8_t flags;
    uint64_t information, va, pa;
} RasArmRecord;

/* section_type: e19e3d16-bc11-11e4-9caa-c2051d5d46b0, platform memory, ours */
static const uint8_t ras_cper_arm[16] = {
    0x16, 0x3d, 0x9e, 0xe1, 0x11, 0xbc, 0xe4, 0x11,
    0x9c, 0xaa, 0xc2, 0x05, 0x1d, 0x5d, 0x46, 0xb0,
};
static const uint8_t ras_cper_memory[16] = {
    0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1,
};
static const uint8_t ras_cper_vendor[16] = {
    0x70, 0x61, 0x73, 0x73, 0x65, 0x6e, 0x67, 0x65,
    0x72, 0x20, 0x70, 0x69, 0x67, 0x65, 0x6f, 0x6e,
};

/* Start a record: no entry yet, so its block_status says nothing yet. */
static inline GByteArray *ras_cper_new(void)
{
    GByteArray *record = g_byte_array_new();
    uint8_t header[RAS_CPER_HEADER] = { 0 };

    header[16] = RAS_CPER_INFORMATIONAL;
    return g_byte_array_append(record, header, sizeof(header));
}

/*
 * Add an entry with a section of len bytes, and keep the header in agreement.
 * Returns where in the record the section is.
 */
static inline unsigned int ras_cper_add(GByteArray *record,
                                        const uint8_t type[16],
                                        unsigned int severity,
                                        const void *section, size_t len)
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

/* A record of len bytes, with one vendor's section that counts up. */
static inline GByteArray *ras_cper_of_length(unsigned int severity, size_t len)
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

/* The record that kind arm-processor makes for error number id. */
static inline GByteArray *ras_cper_of_arm(uint64_t id, const RasArmRecord *r)
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

/* The record is in guest memory at addr. */
static inline void ras_cper_check(RasVm *vm, uint64_t addr,
                                  const GByteArray *record)
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

static inline void ras_cper_check_arm(RasVm *vm, uint64_t addr, uint64_t id,
                                      const RasArmRecord *r)
{
    g_autoptr(GByteArray) record = ras_cper_of_arm(id, r);

    ras_cper_check(vm, addr, record);
}

/* --- injection ----------------------------------------------------------- */

/* Arguments of ras-inject: more is JSON, without braces, maybe empty. */
static inline QDict *ras_arm_arguments(const char *more)
{
    g_autofree char *text = g_strdup_printf("{ 'kind': 'arm-processor'%s%s }",
                                            *more ? ", " : "", more);

    return qobject_to(QDict, qobject_from_json(text, &error_abort));
}

static inline QDict *ras_cper_arguments(const GByteArray *record,
                                        const char *more)
{
    g_autofree char *base64 = g_base64_encode(record->data, record->len);
    g_autofree char *text = g_strdup_printf("{ 'kind': 'cper', 'data': '%s'"
                                            "%s%s }", base64,
                                            *more ? ", " : "", more);

    return qobject_to(QDict, qobject_from_json(text, &error_abort));
}

static inline uint64_t ras_inject_arm(RasVm *vm, const char *more)
{
    return ras_inject(vm, "%p", ras_arm_arguments(more));
}

static inline uint64_t ras_inject_cper(RasVm *vm, const GByteArray *record,
                                       const char *more)
{
    return ras_inject(vm, "%p", ras_cper_arguments(record, more));
}

/* By the name that this has in QEMU 10.2 */
static inline void ras_inject_ghes_v2(RasVm *vm, const GByteArray *record)
{
    g_autofree char *base64 = g_base64_encode(record->data, record->len);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'inject-ghes-v2-error',"
                             " 'arguments': { 'cper': %s } }", base64);
}

static inline void ras_arm_refused(RasVm *vm, const char *more,
                                   const char *message)
{
    ras_assert_refused(vm, "ras-inject", ras_arm_arguments(more), message, 1);
}

static inline void ras_cper_refused(RasVm *vm, const GByteArray *record,
                                    const char *more, const char *message)
{
    ras_assert_refused(vm, "ras-inject", ras_cper_arguments(record, more),
                       message, 1);
}

/* By both commands; base64 is what is between the quotes. */
static inline void ras_base64_refused(RasVm *vm, const char *base64,
                                      const char *message)
{
    ras_inject_refused(vm, message, "{ 'kind': 'cper', 'data': %s }", base64);
    ras_assert_refused(vm, "inject-ghes-v2-error",
                       qdict_from_jsonf_nofail("{ 'cper': %s }", base64),
                       message, 1);
}

#endif
