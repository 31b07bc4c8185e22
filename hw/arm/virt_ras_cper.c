/*
 * Guest RAS of the Arm virt machine: what is in its records
 *
 * Generic Error Status Blocks (ACPI 6.5 18.3.2.7.1) with sections for memory
 * and for Arm processors (UEFI 2.10 N.2.5, N.2.4.4).  The bytes are made by
 * hw/acpi/apei/cper.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cpu.h"
#include "hw/acpi/apei/cper.h"
#include "target/arm/multiprocessing.h"
#include "virt_ras_internal.h"

static const CperSeverity severity_of[] = {
    [RAS_SEVERITY_CORRECTED] = CPER_SEVERITY_CORRECTED,
    [RAS_SEVERITY_RECOVERABLE] = CPER_SEVERITY_RECOVERABLE,
    [RAS_SEVERITY_FATAL] = CPER_SEVERITY_FATAL,
};

/*
 * A Linux guest drops a record that is equal, byte for byte, to one of the
 * last ten seconds: the number of the error makes each one different.
 */
static void fill_entry(CperEntry *entry, RasSeverity severity,
                       const char what[3], uint64_t id)
{
    char *text = entry->fru_text, digit[CPER_FRU_TEXT_SIZE - 5];
    unsigned int n = 0;

    *entry = (CperEntry) {
        .severity = severity_of[severity],
        .flags = CPER_ENTRY_PRIMARY,
    };
    /* "RAM #1", by hand: snprintf would be most of the work for a record */
    do {
        digit[n++] = '0' + id % 10;
        id /= 10;
    } while (id && n < sizeof(digit));
    memcpy(text, what, 3);
    memcpy(text + 3, " #", 2);
    text += 5;
    while (n) {
        *text++ = digit[--n];
    }
}

/* Returns how many pages were added. */
static unsigned int add_pages(CperBlock *block, RasRecordPart *part,
                              unsigned int max)
{
    const RasError *error = part->error;
    CperMemoryError memory = {
        .error_status = CPER_STATUS_TYPE_DRAM << CPER_STATUS_TYPE_SHIFT |
                        CPER_STATUS_DATA,
        .physical_address_mask = -(uint64_t)RAS_PAGE_SIZE,
        .memory_error_type =
            error->severity == RAS_SEVERITY_CORRECTED ?
            CPER_MEMORY_SINGLE_BIT_ECC : CPER_MEMORY_MULTI_BIT_ECC,
    };
    /* of a record for an access, the page of the access is the first */
    bool access = error->synchronous;
    uint64_t accessed = error->addr & memory.physical_address_mask;
    CperEntry entry;
    unsigned int n = 0;

    fill_entry(&entry, error->severity, "RAM", part->id);
    part->len = 0;
    if (access) {
        memory.physical_address = error->addr;
        if (!max || !cper_block_add_memory(block, &entry, &memory)) {
            return 0;
        }
        entry.flags = 0;
        n++;
    }
    for (uint64_t at = part->from; at < error->len && n < max;
         at += RAS_PAGE_SIZE) {
        memory.physical_address = error->first + at;
        if (access && memory.physical_address == accessed) {
            part->len += RAS_PAGE_SIZE;
            continue;
        }
        if (!cper_block_add_memory(block, &entry, &memory)) {
            break;
        }
        entry.flags = 0;
        part->len += RAS_PAGE_SIZE;
        n++;
    }
    return n;
}

size_t virt_ras_build_block(uint8_t *buf, size_t size,
                            RasRecordPart *batch, unsigned int n)
{
    const RasError *error = batch[0].error;
    unsigned int max = MIN(ras_batch_limit(error),
                           cper_block_max_memory_entries(size));
    CperBlock block;

    if (error->record) {
        batch[0].len = error->len;
        assert(error->record_len <= size);
        memcpy(buf, error->record, error->record_len);
        return error->record_len;
    }
    cper_block_init(&block, buf, size);
    for (unsigned int i = 0; i < n; i++) {
        max -= add_pages(&block, &batch[i], max);
    }
    return cper_block_finish(&block);
}

/* --- records made at injection -------------------------------------------- */

/* A severity that nobody knows is fatal to Linux. */
static RasSeverity severity_of_block(const uint8_t *block)
{
    switch (ldl_le_p(block + offsetof(CperStatusBlockLe, error_severity))) {
    case CPER_SEVERITY_RECOVERABLE:
        return RAS_SEVERITY_RECOVERABLE;
    case CPER_SEVERITY_CORRECTED:
    case CPER_SEVERITY_INFORMATIONAL:
        return RAS_SEVERITY_CORRECTED;
    default:
        return RAS_SEVERITY_FATAL;
    }
}

bool virt_ras_check_record(RasDevice *d, const uint8_t *record, size_t len,
                           bool strict, RasSeverity *severity, Error **errp)
{
    const char *why;

    if (!(strict ? cper_block_check : cper_block_fits)(record, len, &why)) {
        error_setg(errp, "This is no Generic Error Status Block that a guest "
                   "can read: %s", why);
        return false;
    }
    *severity = severity_of_block(record);
    return true;
}

static uint8_t flags_of(const RasArmErrorFlagList *list)
{
    static const uint8_t bit[] = {
        [RAS_ARM_ERROR_FLAG_FIRST] = CPER_ARM_INFO_FIRST_ERROR,
        [RAS_ARM_ERROR_FLAG_LAST] = CPER_ARM_INFO_LAST_ERROR,
        [RAS_ARM_ERROR_FLAG_PROPAGATED] = CPER_ARM_INFO_PROPAGATED,
        [RAS_ARM_ERROR_FLAG_OVERFLOW] = CPER_ARM_INFO_OVERFLOW,
    };
    uint8_t flags = 0;

    for (; list; list = list->next) {
        flags |= bit[list->value];
    }
    return flags;
}

size_t virt_ras_build_arm_processor(RasDevice *d, uint64_t id,
                                    const RasInjectArmProcessor *arg,
                                    uint8_t *record, Error **errp)
{
    static const uint8_t type_of[] = {
        [RAS_ARM_ERROR_TYPE_CACHE] = CPER_ARM_TYPE_CACHE,
        [RAS_ARM_ERROR_TYPE_TLB] = CPER_ARM_TYPE_TLB,
        [RAS_ARM_ERROR_TYPE_BUS] = CPER_ARM_TYPE_BUS,
        [RAS_ARM_ERROR_TYPE_MICRO_ARCHITECTURAL] =
            CPER_ARM_TYPE_MICRO_ARCHITECTURAL,
    };
    ARMCPU *cpu = ARM_CPU(qemu_get_cpu(arg->vcpu));
    bool online = RAS_GET_CLASS(d)->vcpu_online(d, CPU(cpu));
    CperArmProcessor processor = {
        .mpidr_el1 = arm_cpu_mp_affinity(cpu) | 1U << 31,
        .midr_el1 = cpu->midr,
        .running_state = online ? CPER_ARM_RUNNING : 0,
        /* PSCI AFFINITY_INFO: 1 is OFF */
        .psci_state = online ? 0 : 1,
        .error = {
            .validation_bits =
                CPER_ARM_INFO_VALID_MULTIPLE_ERROR |
                CPER_ARM_INFO_VALID_FLAGS |
                (arg->has_error_information ?
                 CPER_ARM_INFO_VALID_ERROR_INFORMATION : 0) |
                (arg->has_virtual_address ?
                 CPER_ARM_INFO_VALID_VIRTUAL_ADDRESS : 0) |
                (arg->has_physical_address ?
                 CPER_ARM_INFO_VALID_PHYSICAL_ADDRESS : 0),
            .type = type_of[arg->type],
            .flags = flags_of(arg->flags),
            .multiple_error = arg->has_count && arg->count != 1 ?
                              arg->count : CPER_ARM_SINGLE_ERROR,
            .error_information = arg->error_information,
            .virtual_fault_address = arg->virtual_address,
            .physical_fault_address = arg->physical_address,
        },
    };
    CperEntry entry;
    CperBlock block;

    if (arg->has_count && arg->count == 0) {
        error_setg(errp, "Parameter 'count' is the number of errors: 1 or "
                   "more");
        return 0;
    }
    fill_entry(&entry, arg->severity, "CPU", id);
    cper_block_init(&block, record, RAS_GET_CLASS(d)->record_size(d));
    cper_block_add_arm_processor(&block, &entry, &processor);
    return cper_block_finish(&block);
}
