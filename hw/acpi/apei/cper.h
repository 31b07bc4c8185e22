/*
 * CPER: Generic Error Status Block, Generic Error Data Entry, platform memory
 * error section and ARM processor error section; encode and check.
 *
 * ACPI 6.5, 18.3.2.7.1 (status block and data entry) and UEFI 2.10,
 * appendix N.2.5 (memory error section) and N.2.4.4 (ARM processor error
 * section).  Everything on the wire is little endian and byte packed; every
 * plain struct here is in host order.
 *
 * Pure: no allocation, no I/O, no state outside the arguments.  Used by
 * hw/arm/virt_ras_cper.c for what QEMU tells of and for blocks that are
 * injected, and by the GHES transport for their lengths.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ACPI_APEI_CPER_H
#define HW_ACPI_APEI_CPER_H

/*
 * Generic Error Status Block, ACPI 6.5 table 18.11.  The wire structs of this
 * header are there for sizeof and offsetof: buffers have no alignment, so read
 * and write their fields with the ld/st functions of qemu/bswap.h only.
 */
typedef struct CperStatusBlockLe {
    uint32_t block_status;
    uint32_t raw_data_offset;       /* from the start of the block */
    uint32_t raw_data_length;
    uint32_t data_length;           /* all entries, headers included */
    uint32_t error_severity;
    /* Generic Error Data Entries follow, then raw data */
} QEMU_PACKED CperStatusBlockLe;

#define CPER_BLOCK_HEADER_SIZE 20

/*
 * A reader takes a block with block_status 0 as empty.  Whoever writes to
 * memory that the guest can see writes the bytes from CPER_BLOCK_BODY_OFFSET
 * on first, then (barrier) the CPER_BLOCK_STATUS_SIZE bytes of block_status.
 */
#define CPER_BLOCK_STATUS_OFFSET 0
#define CPER_BLOCK_STATUS_SIZE   4
#define CPER_BLOCK_BODY_OFFSET   (CPER_BLOCK_STATUS_OFFSET + \
                                  CPER_BLOCK_STATUS_SIZE)

/* block_status, ACPI 6.5 table 18.11 */
#define CPER_BLOCK_UNCORRECTABLE          (1U << 0)
#define CPER_BLOCK_CORRECTABLE            (1U << 1)
#define CPER_BLOCK_MULTIPLE_UNCORRECTABLE (1U << 2)
#define CPER_BLOCK_MULTIPLE_CORRECTABLE   (1U << 3)
#define CPER_BLOCK_ENTRY_COUNT_SHIFT      4
#define CPER_BLOCK_ENTRY_COUNT_MAX        0x3ffU
#define CPER_BLOCK_ENTRY_COUNT_MASK       (CPER_BLOCK_ENTRY_COUNT_MAX << \
                                           CPER_BLOCK_ENTRY_COUNT_SHIFT)
#define CPER_BLOCK_STATUS_RESERVED        0xffffc000U

/* Error severity of a block and of an entry; the codes are not ordered */
typedef enum CperSeverity {
    CPER_SEVERITY_RECOVERABLE   = 0,
    CPER_SEVERITY_FATAL         = 1,
    CPER_SEVERITY_CORRECTED     = 2,
    CPER_SEVERITY_INFORMATIONAL = 3,
} CperSeverity;

#define CPER_GUID_SIZE 16

/*
 * The 16 bytes of a GUID in memory: the first three fields little endian, the
 * others as written in the text form.
 */
#define CPER_GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                   \
    {                                                                        \
        (a) & 0xff, ((a) >> 8) & 0xff, ((a) >> 16) & 0xff, ((a) >> 24) & 0xff, \
        (b) & 0xff, ((b) >> 8) & 0xff, (c) & 0xff, ((c) >> 8) & 0xff,        \
        (d0), (d1), (d2), (d3), (d4), (d5), (d6), (d7)                       \
    }

/* Section types, UEFI 2.10 N.2.2, in memory order */
extern const uint8_t cper_section_memory[CPER_GUID_SIZE];
extern const uint8_t cper_section_memory2[CPER_GUID_SIZE];
extern const uint8_t cper_section_arm_processor[CPER_GUID_SIZE];
extern const uint8_t cper_section_generic_processor[CPER_GUID_SIZE];
extern const uint8_t cper_section_pcie[CPER_GUID_SIZE];
extern const uint8_t cper_section_firmware_error[CPER_GUID_SIZE];

#define CPER_FRU_ID_SIZE    16
#define CPER_FRU_TEXT_SIZE  20
#define CPER_TIMESTAMP_SIZE 8

/* Generic Error Data Entry, ACPI 6.5 table 18.12 */
typedef struct CperDataEntryLe {
    uint8_t section_type[CPER_GUID_SIZE];
    uint32_t error_severity;
    uint16_t revision;
    uint8_t validation_bits;
    uint8_t flags;
    uint32_t error_data_length;     /* payload only */
    uint8_t fru_id[CPER_FRU_ID_SIZE];
    uint8_t fru_text[CPER_FRU_TEXT_SIZE];
    uint8_t timestamp[CPER_TIMESTAMP_SIZE];     /* BCD; since revision 3.0 */
    /* payload follows */
} QEMU_PACKED CperDataEntryLe;

#define CPER_ENTRY_REVISION        0x0300
#define CPER_ENTRY_HEADER_SIZE     72
#define CPER_ENTRY_HEADER_SIZE_OLD 64   /* revision before 3.0 */

/* validation_bits of an entry */
#define CPER_ENTRY_VALID_FRU_TEXT  (1U << 1)
#define CPER_ENTRY_VALID_TIMESTAMP (1U << 2)
#define CPER_ENTRY_VALID_ALL       0x07U

/* flags of an entry: of the section flags of UEFI 2.10 N.2.2 */
#define CPER_ENTRY_PRIMARY                 (1U << 0)

/* Memory error section, UEFI 2.10 N.2.5 */
typedef struct CperMemoryErrorLe {
    uint64_t validation_bits;
    uint64_t error_status;
    uint64_t physical_address;
    uint64_t physical_address_mask;
    uint16_t node;
    uint16_t card;
    uint16_t module;
    uint16_t bank;
    uint16_t device;
    uint16_t row;
    uint16_t column;
    uint16_t bit_position;
    uint64_t requestor_id;
    uint64_t responder_id;
    uint64_t target_id;
    uint8_t memory_error_type;
    uint8_t extended;
    uint16_t rank_number;
    uint16_t card_handle;
    uint16_t module_handle;
} QEMU_PACKED CperMemoryErrorLe;

#define CPER_MEMORY_SIZE     80
#define CPER_MEMORY_SIZE_OLD 73     /* UEFI 2.1, 2.2: up to the error type */

/* validation_bits of a memory error section: those that QEMU sets */
#define CPER_MEMORY_VALID_ERROR_STATUS          (1ULL << 0)
#define CPER_MEMORY_VALID_PHYSICAL_ADDRESS      (1ULL << 1)
#define CPER_MEMORY_VALID_PHYSICAL_ADDRESS_MASK (1ULL << 2)
#define CPER_MEMORY_VALID_MEMORY_ERROR_TYPE     (1ULL << 14)
/* what the 73-byte form can hold */
#define CPER_MEMORY_VALID_OLD                   ((1ULL << 15) - 1)

/* memory_error_type: those that QEMU has */
typedef enum CperMemoryErrorType {
    CPER_MEMORY_SINGLE_BIT_ECC = 2,
    CPER_MEMORY_MULTI_BIT_ECC  = 3,
} CperMemoryErrorType;

/* error_status, "Error Status" in appendix N: bits 15:8 are its type */
#define CPER_STATUS_TYPE_SHIFT  8
#define CPER_STATUS_TYPE_DRAM   4ULL
#define CPER_STATUS_DATA        (1ULL << 18)

/* A memory error section in host order; all that it has is valid */
typedef struct CperMemoryError {
    uint64_t error_status;          /* CPER_STATUS_* */
    uint64_t physical_address;      /* bytes */
    uint64_t physical_address_mask;
    uint8_t memory_error_type;      /* CperMemoryErrorType */
} CperMemoryError;

/*
 * ARM processor error section, UEFI 2.10 N.2.4.4: this header, err_info_num
 * error information structures, context_info_num context information
 * structures, and vendor specific bytes up to section_length.
 */
typedef struct CperArmProcessorLe {
    uint32_t validation_bits;
    uint16_t err_info_num;
    uint16_t context_info_num;
    uint32_t section_length;        /* all of the section */
    uint8_t error_affinity_level;
    uint8_t reserved[3];
    uint64_t mpidr_el1;
    uint64_t midr_el1;
    uint32_t running_state;
    uint32_t psci_state;
} QEMU_PACKED CperArmProcessorLe;

/* ARM processor error information structure, UEFI 2.10 N.2.4.4.1 */
typedef struct CperArmErrorInfoLe {
    uint8_t version;                /* 0 */
    uint8_t length;                 /* of this structure */
    uint16_t validation_bits;
    uint8_t type;
    uint16_t multiple_error;
    uint8_t flags;
    uint64_t error_information;
    uint64_t virtual_fault_address;
    uint64_t physical_fault_address;
} QEMU_PACKED CperArmErrorInfoLe;

/* ARM processor context information structure, UEFI 2.10 N.2.4.4.2 */
typedef struct CperArmContextInfoLe {
    uint16_t version;
    uint16_t register_context_type;
    uint32_t register_array_size;   /* what follows */
} QEMU_PACKED CperArmContextInfoLe;

#define CPER_ARM_PROCESSOR_SIZE    40   /* without what follows the header */
#define CPER_ARM_ERROR_INFO_SIZE   32
#define CPER_ARM_CONTEXT_INFO_SIZE 8    /* without the registers */

/* validation_bits of an ARM processor error section: those that QEMU sets */
#define CPER_ARM_VALID_MPIDR          (1U << 0)
#define CPER_ARM_VALID_RUNNING_STATE  (1U << 2) /* and psci_state */

/* running_state; all other bits are reserved */
#define CPER_ARM_RUNNING (1U << 0)      /* psci_state is 0 then */

/* validation_bits of an error information structure */
#define CPER_ARM_INFO_VALID_MULTIPLE_ERROR    (1U << 0)
#define CPER_ARM_INFO_VALID_FLAGS             (1U << 1)
#define CPER_ARM_INFO_VALID_ERROR_INFORMATION (1U << 2)
#define CPER_ARM_INFO_VALID_VIRTUAL_ADDRESS   (1U << 3)
#define CPER_ARM_INFO_VALID_PHYSICAL_ADDRESS  (1U << 4)

/* type of an error information structure: a bit each, since UEFI 2.9A */
#define CPER_ARM_TYPE_CACHE               (1U << 1)
#define CPER_ARM_TYPE_TLB                 (1U << 2)
#define CPER_ARM_TYPE_BUS                 (1U << 3)
#define CPER_ARM_TYPE_MICRO_ARCHITECTURAL (1U << 4)

/* multiple_error: this, 1 for several, or from 2 on their number */
#define CPER_ARM_SINGLE_ERROR 0

/* flags of an error information structure */
#define CPER_ARM_INFO_FIRST_ERROR (1U << 0)
#define CPER_ARM_INFO_LAST_ERROR  (1U << 1)
#define CPER_ARM_INFO_PROPAGATED  (1U << 2)
#define CPER_ARM_INFO_OVERFLOW    (1U << 3)

/* One error of an ARM processor error section in host order */
typedef struct CperArmErrorInfo {
    uint16_t validation_bits;       /* CPER_ARM_INFO_VALID_*; others are 0 */
    uint8_t type;                   /* CPER_ARM_TYPE_* */
    uint8_t flags;                  /* CPER_ARM_INFO_* */
    uint16_t multiple_error;
    uint64_t error_information;
    uint64_t virtual_fault_address;
    uint64_t physical_fault_address;
} CperArmErrorInfo;

/* An ARM processor error section in host order, with one error */
typedef struct CperArmProcessor {
    uint64_t mpidr_el1;
    uint64_t midr_el1;
    uint32_t running_state;         /* CPER_ARM_RUNNING */
    uint32_t psci_state;
    CperArmErrorInfo error;
} CperArmProcessor;

/* What an entry says about its section, whatever the section is */
typedef struct CperEntry {
    CperSeverity severity;
    uint8_t flags;                  /* CPER_ENTRY_* */
    char fru_text[CPER_FRU_TEXT_SIZE];  /* NUL terminated only if shorter */
} CperEntry;

/* A status block being written; the fields belong to cper.c */
typedef struct CperBlock {
    uint8_t *buf;
    size_t size;
    size_t used;                    /* header and entries so far */
    unsigned entries;
    unsigned uncorrectable;
    unsigned correctable;
    uint32_t severity;              /* the worst entry so far */
} CperBlock;

/**
 * cper_block_max_memory_entries:
 * @block_size: bytes
 *
 * Returns: how many memory error sections a block of that size can hold
 * (6 for 1024 bytes), limited by the 10-bit entry count of block_status.
 */
unsigned cper_block_max_memory_entries(size_t block_size);

/**
 * cper_block_init:
 * @b: the writer
 * @buf: where the block will be; any alignment; the caller keeps it
 * @size: bytes that the block may use there
 *
 * Starts a block.  Writes nothing to @buf.
 */
void cper_block_init(CperBlock *b, void *buf, size_t size);

/**
 * cper_block_add_memory:
 * @b: the writer
 * @e: severity, flags, FRU text of the section
 * @m: the error
 *
 * Appends a data entry of revision 0x0300 (ACPI 6.5 table 18.12) with a memory
 * error section of 80 bytes (UEFI 2.10 N.2.5).  What follows a NUL in the FRU
 * text is written as zeros, and so is all that CperEntry and CperMemoryError
 * do not have.
 *
 * Returns: false, and nothing changed, if the section does not fit in the
 * block, or if the block already has CPER_BLOCK_ENTRY_COUNT_MAX entries.
 */
bool cper_block_add_memory(CperBlock *b, const CperEntry *e,
                           const CperMemoryError *m);

/**
 * cper_block_add_arm_processor:
 * @b: the writer
 * @e: severity, flags, FRU text of the section
 * @a: the processor and its error
 *
 * Appends a data entry with an ARM processor error section (UEFI 2.10
 * N.2.4.4) of 72 bytes: no context information, no vendor specific bytes.
 *
 * Returns: as cper_block_add_memory().
 */
bool cper_block_add_arm_processor(CperBlock *b, const CperEntry *e,
                                  const CperArmProcessor *a);

/**
 * cper_block_finish:
 * @b: the writer
 *
 * Writes the block header (ACPI 6.5 table 18.11): status, no raw data, data
 * length, and the severity of the worst entry (fatal, recoverable, corrected,
 * informational).  A block without entries has block_status 0: it is empty.
 *
 * Returns: the length of the block in bytes; 0 if the buffer is too small for
 * the header (nothing is written then).
 */
size_t cper_block_finish(CperBlock *b);

/**
 * cper_block_length:
 * @buf: a status block that cper_block_check() took
 * @len: bytes that may be read there
 *
 * Returns: the length of the block in bytes with entries and raw data; 0 if
 * that is more than @len.
 */
size_t cper_block_length(const void *buf, size_t len);

/**
 * cper_block_walk:
 * @buf: a status block of at most @len bytes, from anybody
 *
 * Returns: its length in bytes, without what may be behind it; 0 if a reader
 * cannot step from entry to entry to its end, as the boot error region needs.
 */
size_t cper_block_walk(const void *buf, size_t len);

/**
 * cper_block_fits:
 * @buf: a status block from anywhere, at any alignment
 * @len: bytes that may be read there; the block may be shorter
 * @why: set to a constant string if refused; may be NULL
 *
 * Checks what it takes to hand a block over: that it is not empty, or a reader
 * would not see that there is one, and that all of it is there.
 */
bool cper_block_fits(const void *buf, size_t len, const char **why);

/**
 * cper_block_check:
 * @buf: a status block from anywhere, at any alignment
 * @len: bytes that may be read there; the block may be shorter
 * @why: set to a constant string if refused; may be NULL
 *
 * Checks everything that ACPI 6.5 18.3.2.7.1 says about a whole block, more
 * than an operating system needs: see the reasons in cper.c.  If there are
 * entries, the severity of the block is that of the worst of them, and
 * block_status says uncorrectable and correctable as they do; how many errors
 * there are is not derived from them, as several entries may describe one.
 * The contents of sections are not judged, except that a section of a type of
 * UEFI 2.10 N.2.2 has the bytes that a reader may take for granted: what is
 * fixed in it, and of what follows so many as it says itself.
 *
 * Returns: whether the block may be given to a guest.
 */
bool cper_block_check(const void *buf, size_t len, const char **why);

#endif /* HW_ACPI_APEI_CPER_H */
