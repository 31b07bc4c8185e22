/*
 * A reader of generic error status blocks, as a Linux guest reads them
 *
 * The second opinion for tests of hw/acpi/apei/cper.c: it is written from
 * ACPI 6.5 section 18.3.2.7.1, UEFI 2.10 appendix N and the behaviour of Linux
 * 6.12 (drivers/acpi/apei/ghes.c, drivers/firmware/efi/cper.c), shares no code
 * with the encoder and the check, and reads every field byte by byte.
 *
 * Each question is a call: would Linux accept these bytes (cper_read), does the
 * specification allow the block (cper_read_strict_frame), and, of what QEMU
 * makes, the sections (cper_read_strict)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CPER_READER_H
#define TESTS_UNIT_CPER_READER_H

/* Severities: one numbering for blocks and entries */
enum {
    CPER_READ_RECOVERABLE = 0,
    CPER_READ_FATAL = 1,
    CPER_READ_CORRECTED = 2,
    CPER_READ_INFORMATIONAL = 3,
};

/*
 * Platform Memory Error section, UEFI 2.10 N.2.5; as found, valid or not, and
 * whether all other bytes of the 80 are 0
 */
typedef struct CperReadMemory {
    uint64_t validation_bits;
    uint64_t error_status;
    uint64_t physical_address;
    uint64_t physical_address_mask;
    uint8_t error_type;
    bool others_zero;
} CperReadMemory;

/* One error information structure of an ARM processor section, N.2.4.4.1 */
typedef struct CperReadArmInfo {
    uint8_t version, length;
    uint16_t validation_bits;
    uint8_t type;
    uint16_t multiple_error;
    uint8_t flags;
    uint64_t error_info;
    uint64_t virtual_address;
    uint64_t physical_address;
} CperReadArmInfo;

/*
 * ARM Processor Error section, N.2.4.4. Structures that would begin or end
 * behind the section are not counted in n_infos and n_contexts.
 */
typedef struct CperReadArm {
    uint32_t validation_bits;
    uint16_t err_info_num, context_info_num;
    uint32_t section_length;
    bool others_zero;           /* affinity level and reserved bytes */
    uint64_t mpidr, midr;
    uint32_t running_state, psci_state;
    size_t n_infos;
    CperReadArmInfo info;       /* the first one */
    bool odd_info_length;       /* of one of n_infos: not 32 */
    size_t n_contexts;
    size_t vendor_length;       /* all that is left */
} CperReadArm;

typedef enum CperReadSection {
    CPER_READ_SECTION_OTHER,
    CPER_READ_SECTION_MEMORY,
    CPER_READ_SECTION_ARM,
} CperReadSection;

/* Generic error data entry, ACPI 6.5 table 18.392 */
typedef struct CperReadEntry {
    size_t offset;              /* of the entry, from the start of the block */
    size_t header_length;       /* 64, or 72 from revision 3 */
    uint8_t section_type[16];
    CperReadSection section;
    uint32_t error_severity;
    uint16_t revision;
    uint8_t validation_bits;
    uint8_t flags;
    uint32_t error_data_length;
    uint8_t fru_id[16];
    char fru_text[21];          /* NUL added */
    uint8_t timestamp[8];       /* all 0 if header_length is 64 */
    bool too_small;             /* less than what there is of the section */
    CperReadMemory memory;      /* CPER_READ_SECTION_MEMORY and not too small */
    CperReadArm arm;            /* CPER_READ_SECTION_ARM and not too small */
} CperReadEntry;

typedef struct CperReading {
    uint32_t block_status;
    uint32_t raw_data_offset;
    uint32_t raw_data_length;
    uint32_t data_length;
    uint32_t error_severity;
    size_t n_entries;
    CperReadEntry *entries;
    size_t record_length;       /* what Linux copies */
    uint8_t *record;            /* the copy */
} CperReading;

/*
 * Read the status block at @buf, which is as long as the HEST says
 * (@block_length bytes, all readable). Returns false and appends the reason
 * to @why if Linux 6.12 would not process it, or would read beyond its copy
 * or loop for ever. Call cper_reading_clear() on @out in either case.
 */
bool cper_read(const uint8_t *buf, size_t block_length, CperReading *out,
               GString *why);
void cper_reading_clear(CperReading *r);

/*
 * The rules of the specifications that Linux does not check, for a reading
 * that cper_read() accepted. Every broken rule is appended to @why. Of
 * sections, memory has its 80 bytes, and all lengths and numbers in an ARM
 * processor section fit together.
 */
bool cper_read_strict_frame(const CperReading *r, GString *why);

/*
 * The same and more, for what QEMU makes: what is in memory and ARM processor
 * sections, all that is not declared valid is 0, so that nothing of the host
 * can be in it, and each entry is an error of its own.
 */
bool cper_read_strict(const CperReading *r, GString *why);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CperReading, cper_reading_clear)

#endif /* TESTS_UNIT_CPER_READER_H */
