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
extern const uint8_t ras_cper_arm[16];
extern const uint8_t ras_cper_memory[16];
extern const uint8_t ras_cper_vendor[16];

/* Start a record: no entry yet, so its block_status says nothing yet. */
GByteArray *ras_cper_new(void);

/*
 * Add an entry with a section of len bytes, and keep the header in agreement.
 * Returns where in the record the section is.
 */
unsigned int ras_cper_add(GByteArray *record, const uint8_t type[16],
                          unsigned int severity, const void *section,
                          size_t len);

/* A record of len bytes, with one vendor's section that counts up. */
GByteArray *ras_cper_of_length(unsigned int severity, size_t len);

/* The record that kind arm-processor makes for error number id. */
GByteArray *ras_cper_of_arm(uint64_t id, const RasArmRecord *r);

/* The record is in guest memory at addr. */
void ras_cper_check(RasVm *vm, uint64_t addr, const GByteArray *record);
void ras_cper_check_arm(RasVm *vm, uint64_t addr, uint64_t id,
                        const RasArmRecord *r);

/*
 * In these size bytes is a record of memory errors: one for each page from
 * address on.  All of its bytes are as a reader of tests/unit/oracle wants them
 * to be, and those behind it are 0.
 */
void ras_cper_check_memory(const uint8_t *block, size_t size, uint64_t address,
                           unsigned int pages, unsigned int severity);

/* --- injection ----------------------------------------------------------- */

/* Arguments of ras-inject: more is JSON, without braces, maybe empty. */
QDict *ras_arm_arguments(const char *more);
QDict *ras_cper_arguments(const GByteArray *record, const char *more);
uint64_t ras_inject_arm(RasVm *vm, const char *more);
uint64_t ras_inject_cper(RasVm *vm, const GByteArray *record, const char *more);

/* By the name that this has in QEMU 10.2 */
void ras_inject_ghes_v2(RasVm *vm, const GByteArray *record);
void ras_arm_refused(RasVm *vm, const char *more, const char *message);
void ras_cper_refused(RasVm *vm, const GByteArray *record, const char *more,
                      const char *message);

/* By both commands; base64 is what is between the quotes. */
void ras_base64_refused(RasVm *vm, const char *base64, const char *message);

#endif
