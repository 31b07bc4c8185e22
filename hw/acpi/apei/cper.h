/*
 * CPER: Generic Error Status Block, Generic Error Data Entry, platform memory
 * error section and ARM processor error section; encode, validate, decode.
 *
 * ACPI 6.5, 18.3.2.7.1 (status block and data entry) and UEFI 2.10,
 * appendix N.2.5 (memory error section) and N.2.4.4 (ARM processor error
 * section).  Everything on the wire is little endian and byte packed; every
 * plain struct here is in host order.
 *
 * Pure: no allocation, no I/O, no state outside the arguments.  Used by the
 * GHES transport, by the QMP injection of raw blocks, by rasctl, by tests.
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
#define CPER_ENTRY_VALID_FRU_ID    (1U << 0)
#define CPER_ENTRY_VALID_FRU_TEXT  (1U << 1)
#define CPER_ENTRY_VALID_TIMESTAMP (1U << 2)
#define CPER_ENTRY_VALID_ALL       0x07U

/* flags of an entry: the section flags of UEFI 2.10 N.2.2 */
#define CPER_ENTRY_PRIMARY                 (1U << 0)
#define CPER_ENTRY_CONTAINMENT_WARNING     (1U << 1)
#define CPER_ENTRY_RESET                   (1U << 2)
#define CPER_ENTRY_THRESHOLD_EXCEEDED      (1U << 3)
#define CPER_ENTRY_RESOURCE_NOT_ACCESSIBLE (1U << 4)
#define CPER_ENTRY_LATENT_ERROR            (1U << 5)
#define CPER_ENTRY_PROPAGATED              (1U << 6)
#define CPER_ENTRY_OVERFLOW                (1U << 7)

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

/* validation_bits of a memory error section */
#define CPER_MEMORY_VALID_ERROR_STATUS          (1ULL << 0)
#define CPER_MEMORY_VALID_PHYSICAL_ADDRESS      (1ULL << 1)
#define CPER_MEMORY_VALID_PHYSICAL_ADDRESS_MASK (1ULL << 2)
#define CPER_MEMORY_VALID_NODE                  (1ULL << 3)
#define CPER_MEMORY_VALID_CARD                  (1ULL << 4)
#define CPER_MEMORY_VALID_MODULE                (1ULL << 5)
#define CPER_MEMORY_VALID_BANK                  (1ULL << 6)
#define CPER_MEMORY_VALID_DEVICE                (1ULL << 7)
#define CPER_MEMORY_VALID_ROW                   (1ULL << 8)
#define CPER_MEMORY_VALID_COLUMN                (1ULL << 9)
#define CPER_MEMORY_VALID_BIT_POSITION          (1ULL << 10)
#define CPER_MEMORY_VALID_REQUESTOR_ID          (1ULL << 11)
#define CPER_MEMORY_VALID_RESPONDER_ID          (1ULL << 12)
#define CPER_MEMORY_VALID_TARGET_ID             (1ULL << 13)
#define CPER_MEMORY_VALID_MEMORY_ERROR_TYPE     (1ULL << 14)
#define CPER_MEMORY_VALID_RANK_NUMBER           (1ULL << 15)
#define CPER_MEMORY_VALID_CARD_HANDLE           (1ULL << 16)
#define CPER_MEMORY_VALID_MODULE_HANDLE         (1ULL << 17)
#define CPER_MEMORY_VALID_EXTENDED_ROW          (1ULL << 18)
#define CPER_MEMORY_VALID_BANK_GROUP            (1ULL << 19)
#define CPER_MEMORY_VALID_BANK_ADDRESS          (1ULL << 20)
#define CPER_MEMORY_VALID_CHIP_ID               (1ULL << 21)
#define CPER_MEMORY_VALID_ALL                   ((1ULL << 22) - 1)
/* what the 73-byte form can hold */
#define CPER_MEMORY_VALID_OLD                   ((1ULL << 15) - 1)

/* bank, when it is split (valid bits 19 and 20) */
#define CPER_MEMORY_BANK_GROUP_MASK   0xff00U
#define CPER_MEMORY_BANK_ADDRESS_MASK 0x00ffU

/* extended: bits 17:16 of the row (valid bit 18), chip id (valid bit 21) */
#define CPER_MEMORY_EXTENDED_ROW_MASK 0x03U
#define CPER_MEMORY_CHIP_ID_SHIFT     5
#define CPER_MEMORY_CHIP_ID_MASK      0xe0U

/* memory_error_type */
typedef enum CperMemoryErrorType {
    CPER_MEMORY_UNKNOWN               = 0,
    CPER_MEMORY_NO_ERROR              = 1,
    CPER_MEMORY_SINGLE_BIT_ECC        = 2,
    CPER_MEMORY_MULTI_BIT_ECC         = 3,
    CPER_MEMORY_SINGLE_SYMBOL_CHIPKILL = 4,
    CPER_MEMORY_MULTI_SYMBOL_CHIPKILL = 5,
    CPER_MEMORY_MASTER_ABORT          = 6,
    CPER_MEMORY_TARGET_ABORT          = 7,
    CPER_MEMORY_PARITY                = 8,
    CPER_MEMORY_WATCHDOG_TIMEOUT      = 9,
    CPER_MEMORY_INVALID_ADDRESS       = 10,
    CPER_MEMORY_MIRROR_BROKEN         = 11,
    CPER_MEMORY_SPARING               = 12,
    CPER_MEMORY_SCRUB_CORRECTED       = 13,
    CPER_MEMORY_SCRUB_UNCORRECTED     = 14,
    CPER_MEMORY_PHYSICAL_MAP_OUT      = 15,
    CPER_MEMORY_ERROR_TYPE__MAX
} CperMemoryErrorType;

/* error_status, "Error Status" in appendix N: bits 15:8 are its type */
#define CPER_STATUS_TYPE_SHIFT  8
#define CPER_STATUS_TYPE_MASK   0xff00ULL
#define CPER_STATUS_ADDRESS     (1ULL << 16)
#define CPER_STATUS_CONTROL     (1ULL << 17)
#define CPER_STATUS_DATA        (1ULL << 18)
#define CPER_STATUS_RESPONDER   (1ULL << 19)
#define CPER_STATUS_REQUESTOR   (1ULL << 20)
#define CPER_STATUS_FIRST_ERROR (1ULL << 21)
#define CPER_STATUS_OVERFLOW    (1ULL << 22)

typedef enum CperErrorStatusType {
    CPER_STATUS_TYPE_INTERNAL         = 1,
    CPER_STATUS_TYPE_DRAM             = 4,
    CPER_STATUS_TYPE_TLB              = 5,
    CPER_STATUS_TYPE_CACHE            = 6,
    CPER_STATUS_TYPE_FUNCTION         = 7,
    CPER_STATUS_TYPE_SELF_TEST        = 8,
    CPER_STATUS_TYPE_FLOW             = 9,      /* queue overflow */
    CPER_STATUS_TYPE_BUS              = 16,
    CPER_STATUS_TYPE_MAP              = 17,     /* IO-TLB */
    CPER_STATUS_TYPE_IMPROPER         = 18,
    CPER_STATUS_TYPE_UNIMPLEMENTED    = 19,     /* unmapped address */
    CPER_STATUS_TYPE_LOCKSTEP         = 20,
    CPER_STATUS_TYPE_RESPONSE         = 21,     /* without a request */
    CPER_STATUS_TYPE_PARITY           = 22,
    CPER_STATUS_TYPE_PROTOCOL         = 23,
    CPER_STATUS_TYPE_PATH             = 24,
    CPER_STATUS_TYPE_TIMEOUT          = 25,
    CPER_STATUS_TYPE_POISONED         = 26,
    CPER_STATUS_TYPE__MAX
} CperErrorStatusType;

/* A memory error section in host order; fields and bits as on the wire */
typedef struct CperMemoryError {
    uint64_t validation_bits;       /* CPER_MEMORY_VALID_* */
    uint64_t error_status;          /* CPER_STATUS_* */
    uint64_t physical_address;      /* bytes */
    uint64_t physical_address_mask;
    uint64_t requestor_id;
    uint64_t responder_id;
    uint64_t target_id;
    uint16_t node;
    uint16_t card;
    uint16_t module;
    uint16_t bank;
    uint16_t device;
    uint16_t row;
    uint16_t column;
    uint16_t bit_position;
    uint16_t rank_number;
    uint16_t card_handle;           /* SMBIOS type 16 */
    uint16_t module_handle;         /* SMBIOS type 17 */
    uint8_t memory_error_type;      /* CperMemoryErrorType */
    uint8_t extended;
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

/* validation_bits of an ARM processor error section */
#define CPER_ARM_VALID_MPIDR          (1U << 0)
#define CPER_ARM_VALID_AFFINITY_LEVEL (1U << 1)
#define CPER_ARM_VALID_RUNNING_STATE  (1U << 2) /* and psci_state */
#define CPER_ARM_VALID_VENDOR_INFO    (1U << 3)

/* running_state; all other bits are reserved */
#define CPER_ARM_RUNNING (1U << 0)      /* psci_state is 0 then */

/* validation_bits of an error information structure */
#define CPER_ARM_INFO_VALID_MULTIPLE_ERROR    (1U << 0)
#define CPER_ARM_INFO_VALID_FLAGS             (1U << 1)
#define CPER_ARM_INFO_VALID_ERROR_INFORMATION (1U << 2)
#define CPER_ARM_INFO_VALID_VIRTUAL_ADDRESS   (1U << 3)
#define CPER_ARM_INFO_VALID_PHYSICAL_ADDRESS  (1U << 4)
#define CPER_ARM_INFO_VALID_ALL               0x1fU

/* type of an error information structure: a bit each, since UEFI 2.9A */
#define CPER_ARM_TYPE_CACHE               (1U << 1)
#define CPER_ARM_TYPE_TLB                 (1U << 2)
#define CPER_ARM_TYPE_BUS                 (1U << 3)
#define CPER_ARM_TYPE_MICRO_ARCHITECTURAL (1U << 4)

/* multiple_error: these, or from 2 on the number of errors if it is known */
#define CPER_ARM_SINGLE_ERROR    0
#define CPER_ARM_MULTIPLE_ERRORS 1

/* flags of an error information structure */
#define CPER_ARM_INFO_FIRST_ERROR (1U << 0)
#define CPER_ARM_INFO_LAST_ERROR  (1U << 1)
#define CPER_ARM_INFO_PROPAGATED  (1U << 2)
#define CPER_ARM_INFO_OVERFLOW    (1U << 3)

/* One error of an ARM processor error section in host order */
typedef struct CperArmErrorInfo {
    uint16_t validation_bits;       /* CPER_ARM_INFO_VALID_* */
    uint8_t type;                   /* CPER_ARM_TYPE_* */
    uint8_t flags;                  /* CPER_ARM_INFO_* */
    uint16_t multiple_error;
    uint64_t error_information;     /* see CperArmError */
    uint64_t virtual_fault_address;
    uint64_t physical_fault_address;
} CperArmErrorInfo;

/* Error information structures that CperArmProcessor has room for */
#define CPER_ARM_ERR_INFO_MAX 4

/* An ARM processor error section in host order; fields as on the wire */
typedef struct CperArmProcessor {
    uint32_t validation_bits;       /* CPER_ARM_VALID_* */
    uint16_t err_info_num;
    uint8_t error_affinity_level;
    uint64_t mpidr_el1;
    uint64_t midr_el1;
    uint32_t running_state;         /* CPER_ARM_RUNNING */
    uint32_t psci_state;
    CperArmErrorInfo err_info[CPER_ARM_ERR_INFO_MAX];

    /* Only decoded; offsets from the start of the section, sizes in bytes */
    uint16_t context_info_num;
    uint32_t context_info_offset;
    uint32_t context_info_size;     /* all structures */
    uint32_t vendor_info_offset;
    uint32_t vendor_info_size;
} CperArmProcessor;

/*
 * What error_information says of a cache, TLB or bus error, UEFI 2.10 tables
 * N.18 to N.20.  In the other types of error it is up to the vendor.
 */
typedef struct CperArmError {
    uint16_t validation_bits;       /* CPER_ARM_ERROR_VALID_* */
    uint16_t transaction_type;      /* CperArmTransactionType */
    uint16_t operation;             /* CperArmOperation */
    uint16_t level;                 /* 0 to 7: of cache or TLB; affinity */
    uint16_t processor_context_corrupt; /* this and the next three: 0 or 1 */
    uint16_t corrected;
    uint16_t precise_pc;
    uint16_t restartable_pc;
    /* bus errors only */
    uint16_t participation_type;    /* CperArmParticipationType */
    uint16_t time_out;              /* 0 or 1 */
    uint16_t address_space;         /* CperArmAddressSpace */
    uint16_t memory_attributes;     /* 9 bits */
    uint16_t access_mode;           /* 0 secure, 1 normal */
} CperArmError;

#define CPER_ARM_ERROR_VALID_TRANSACTION_TYPE          (1U << 0)
#define CPER_ARM_ERROR_VALID_OPERATION                 (1U << 1)
#define CPER_ARM_ERROR_VALID_LEVEL                     (1U << 2)
#define CPER_ARM_ERROR_VALID_PROCESSOR_CONTEXT_CORRUPT (1U << 3)
#define CPER_ARM_ERROR_VALID_CORRECTED                 (1U << 4)
#define CPER_ARM_ERROR_VALID_PRECISE_PC                (1U << 5)
#define CPER_ARM_ERROR_VALID_RESTARTABLE_PC            (1U << 6)
/* bus errors only */
#define CPER_ARM_ERROR_VALID_PARTICIPATION_TYPE        (1U << 7)
#define CPER_ARM_ERROR_VALID_TIME_OUT                  (1U << 8)
#define CPER_ARM_ERROR_VALID_ADDRESS_SPACE             (1U << 9)
#define CPER_ARM_ERROR_VALID_MEMORY_ATTRIBUTES         (1U << 10)
#define CPER_ARM_ERROR_VALID_ACCESS_MODE               (1U << 11)

typedef enum CperArmTransactionType {
    CPER_ARM_TRANSACTION_INSTRUCTION = 0,
    CPER_ARM_TRANSACTION_DATA        = 1,
    CPER_ARM_TRANSACTION_GENERIC     = 2,
} CperArmTransactionType;

typedef enum CperArmOperation {
    CPER_ARM_OPERATION_GENERIC           = 0,
    CPER_ARM_OPERATION_GENERIC_READ      = 1,
    CPER_ARM_OPERATION_GENERIC_WRITE     = 2,
    CPER_ARM_OPERATION_DATA_READ         = 3,
    CPER_ARM_OPERATION_DATA_WRITE        = 4,
    CPER_ARM_OPERATION_INSTRUCTION_FETCH = 5,
    CPER_ARM_OPERATION_PREFETCH          = 6,
    /* cache errors only */
    CPER_ARM_OPERATION_EVICTION          = 7,
    CPER_ARM_OPERATION_SNOOPING          = 8,
    CPER_ARM_OPERATION_SNOOPED           = 9,
    CPER_ARM_OPERATION_MANAGEMENT        = 10,
    /* TLB errors only */
    CPER_ARM_OPERATION_LOCAL_MANAGEMENT    = 7,
    CPER_ARM_OPERATION_EXTERNAL_MANAGEMENT = 8,
} CperArmOperation;

typedef enum CperArmParticipationType {
    CPER_ARM_PARTICIPATION_ORIGINATED = 0,  /* by the local processor */
    CPER_ARM_PARTICIPATION_RESPONDED  = 1,
    CPER_ARM_PARTICIPATION_OBSERVED   = 2,
    CPER_ARM_PARTICIPATION_GENERIC    = 3,
} CperArmParticipationType;

typedef enum CperArmAddressSpace {
    CPER_ARM_ADDRESS_SPACE_EXTERNAL = 0,
    CPER_ARM_ADDRESS_SPACE_INTERNAL = 1,
    CPER_ARM_ADDRESS_SPACE_UNKNOWN  = 2,
    CPER_ARM_ADDRESS_SPACE_DEVICE   = 3,
} CperArmAddressSpace;

/* A time in UTC; kept as BCD on the wire */
typedef struct CperTimestamp {
    uint16_t year;                  /* 0 to 9999 */
    uint8_t month;                  /* 1 to 12 */
    uint8_t day;                    /* 1 to 31 */
    uint8_t hours;                  /* 0 to 23 */
    uint8_t minutes;                /* 0 to 59 */
    uint8_t seconds;                /* 0 to 59 */
    bool precise;                   /* the time of the error, not of its log */
} CperTimestamp;

/* What an entry says about its section, whatever the section is */
typedef struct CperEntry {
    uint32_t severity;              /* CperSeverity */
    uint8_t flags;                  /* CPER_ENTRY_* */
    bool has_fru_id;
    bool has_fru_text;
    bool has_timestamp;
    uint8_t fru_id[CPER_FRU_ID_SIZE];   /* in memory order, see CPER_GUID */
    char fru_text[CPER_FRU_TEXT_SIZE];  /* NUL terminated only if shorter */
    CperTimestamp timestamp;
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
 * cper_timestamp_from_unix:
 * @t: where to write the time; @precise is set to false
 * @seconds: seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted
 *
 * Needs no time zone data and takes no lock, unlike gmtime_r().
 *
 * Returns: false, and @t unchanged, if the year is not in 0 to 9999.
 */
bool cper_timestamp_from_unix(CperTimestamp *t, int64_t seconds);

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
 * cper_block_add_section:
 * @b: the writer
 * @e: severity, flags, FRU and time of the section
 * @type: the section type, CPER_GUID_SIZE bytes in memory order
 * @data: the section, little endian as its specification says
 * @data_length: bytes of @data
 *
 * Appends a data entry of revision 0x0300 (ACPI 6.5 table 18.12).  FRU id,
 * FRU text and time are written as zeros if @e has none; so is what follows a
 * NUL in the FRU text.
 *
 * Returns: false, and nothing changed, if the section does not fit in the
 * block, if the block already has CPER_BLOCK_ENTRY_COUNT_MAX entries, or if
 * cper_entry_check() refuses @e.
 */
bool cper_block_add_section(CperBlock *b, const CperEntry *e,
                            const uint8_t *type,
                            const void *data, size_t data_length);

/**
 * cper_block_add_memory:
 * @b: the writer
 * @e: severity, flags, FRU and time of the section
 * @m: the error
 *
 * Appends a data entry with a memory error section of 80 bytes (UEFI 2.10
 * N.2.5).  Validation bits that are not defined are left out; a field without
 * its validation bit is written as zero, and so are the halves of bank and the
 * parts of extended that are not declared valid.
 *
 * Returns: as cper_block_add_section().
 */
bool cper_block_add_memory(CperBlock *b, const CperEntry *e,
                           const CperMemoryError *m);

/**
 * cper_block_add_arm_processor:
 * @b: the writer
 * @e: severity, flags, FRU and time of the section
 * @a: the processor and its errors
 *
 * Appends a data entry with an ARM processor error section (UEFI 2.10
 * N.2.4.4) of 40 bytes and 32 for each error.  It has no context information
 * and no vendor specific bytes: what @a says of them is ignored.  Validation
 * bits that are not defined are left out; a field without its validation bit
 * is written as zero, and so are reserved bits of running_state, and
 * psci_state if the processor is running.
 *
 * Returns: as cper_block_add_section(), and false if err_info_num is not one
 * of 1 to CPER_ARM_ERR_INFO_MAX.
 */
bool cper_block_add_arm_processor(CperBlock *b, const CperEntry *e,
                                  const CperArmProcessor *a);

/**
 * cper_entry_check:
 * @e: the entry
 * @why: set to a constant string if refused; may be NULL
 *
 * Returns: whether @e can be written: known severity, and a time, if any,
 * that exists in the calendar.
 */
bool cper_entry_check(const CperEntry *e, const char **why);

/**
 * cper_block_status:
 * @b: the writer
 *
 * Returns: the block_status word in host order, as cper_block_finish() writes
 * it: informational entries count as correctable, so that a block with entries
 * has always bit 0 or bit 1.  It is 0 (empty) as long as there is no entry.
 */
uint32_t cper_block_status(const CperBlock *b);

/**
 * cper_block_finish_body:
 * @b: the writer
 *
 * Writes the block header except block_status, whose four bytes are left
 * alone: for a block that is built in place in memory that the guest sees.
 * The caller then stores cper_block_status(), little endian, after a barrier.
 *
 * Returns: the length of the block in bytes, block_status included; 0 if the
 * buffer is too small for the header (nothing is written then).
 */
size_t cper_block_finish_body(CperBlock *b);

/**
 * cper_block_finish:
 * @b: the writer
 *
 * Writes the whole block header (ACPI 6.5 table 18.11): status, no raw data,
 * data length, and the severity of the worst entry (fatal, recoverable,
 * corrected, informational).
 *
 * Returns: as cper_block_finish_body().
 */
size_t cper_block_finish(CperBlock *b);

/* One data entry as cper_block_foreach() found it */
typedef struct CperSection {
    unsigned index;                 /* from 0 */
    size_t offset;                  /* of the entry, from the block start */
    const uint8_t *type;            /* CPER_GUID_SIZE bytes, memory order */
    uint16_t revision;
    uint8_t validation_bits;        /* of the entry, as found */
    CperEntry entry;                /* severity may be an unknown one */
    const uint8_t *data;            /* the payload; any alignment */
    uint32_t data_length;           /* bytes */
} CperSection;

/* Returns: whether to go on with the next entry */
typedef bool CperSectionFn(const CperSection *section, void *opaque);

/**
 * cper_block_foreach:
 * @buf: a status block from anywhere, at any alignment
 * @len: bytes that may be read there
 * @fn: called for each entry in order
 * @opaque: passed to @fn
 * @why: set to a constant string if the block is damaged, else to NULL; may
 *       be NULL
 *
 * Walks the entries, checks only what is needed to stay inside, and accepts
 * entries of old revisions (64-byte header) and any entry count.  A time that
 * is not BCD or not in the calendar is given as no time, with the validation
 * bit as found.
 *
 * Returns: true if every entry was visited and data_length was used up; false
 * if the block is damaged (entries before the damage were visited), or if @fn
 * asked to stop (*@why is NULL then).
 */
bool cper_block_foreach(const void *buf, size_t len, CperSectionFn *fn,
                        void *opaque, const char **why);

/**
 * cper_block_length:
 * @buf: a status block that cper_block_check() or cper_block_foreach() took
 * @len: bytes that may be read there
 *
 * Returns: the length of the block in bytes with entries and raw data; 0 if
 * that is more than @len.
 */
size_t cper_block_length(const void *buf, size_t len);

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
 * The contents of sections are not judged, except that a memory error section
 * has all its 80 bytes, and that cper_arm_processor_decode() takes an ARM
 * processor error section.
 *
 * Returns: whether the block may be given to a guest.
 */
bool cper_block_check(const void *buf, size_t len, const char **why);

/**
 * cper_memory_decode:
 * @data: the payload of a section of type cper_section_memory, any alignment
 * @len: bytes of @data; more than the section has are ignored
 * @m: the result in host order
 *
 * Fields are given as found, valid or not.  The 73-byte form of UEFI 2.1 and
 * 2.2 is accepted: what it lacks is zero and not valid.
 *
 * Returns: false, and @m unchanged, if @len is too short.
 */
bool cper_memory_decode(const void *data, size_t len, CperMemoryError *m);

/**
 * cper_arm_processor_decode:
 * @data: the payload of a section of type cper_section_arm_processor, any
 *        alignment
 * @len: bytes of @data: error_data_length of the entry
 * @a: the result in host order
 * @why: set to a constant string if refused; may be NULL
 *
 * Fields are given as found, valid or not.  Of more than
 * CPER_ARM_ERR_INFO_MAX errors the first ones are given, with err_info_num as
 * found.  Of context information and vendor specific bytes, place and size
 * are given.
 *
 * Returns: false, and @a unchanged, if the lengths in the section contradict
 * each other or @len, or if there is no error in it.
 */
bool cper_arm_processor_decode(const void *data, size_t len,
                               CperArmProcessor *a, const char **why);

/**
 * cper_arm_error_encode:
 * @type: type of the error information structure
 * @error: what to say
 * @error_information: the result in host order
 *
 * Validation bits that the type of error does not have are left out; a field
 * without its validation bit is written as zero.
 *
 * Returns: false, and nothing changed, if @type is not just one of
 * CPER_ARM_TYPE_CACHE, _TLB and _BUS, or if a valid field has more bits than
 * there is room for.
 */
bool cper_arm_error_encode(uint8_t type, const CperArmError *error,
                           uint64_t *error_information);

/**
 * cper_arm_error_decode:
 * @type: type of the error information structure
 * @error_information: the field of that name, in host order
 * @error: the result; fields as found, valid or not; zero for those that the
 *         type of error does not have
 *
 * Returns: false, and nothing changed, if @type is not just one of
 * CPER_ARM_TYPE_CACHE, _TLB and _BUS.
 */
bool cper_arm_error_decode(uint8_t type, uint64_t error_information,
                           CperArmError *error);

/* What one validation bit of the memory error section stands for */
typedef struct CperMemoryField {
    const char *name;               /* as in UEFI 2.10 N.2.5 */
    uint64_t mask;                  /* the bits of the wire field it covers */
    uint8_t shift;                  /* lowest bit of @mask */
    uint8_t size;                   /* of the wire field: 1, 2 or 8 bytes */
    uint8_t offset;                 /* in the section */
    uint8_t host_offset;            /* in CperMemoryError */
} CperMemoryField;

/* Indexed by validation bit number; two or more may share a wire field */
#define CPER_MEMORY_FIELDS 22
extern const CperMemoryField cper_memory_fields[CPER_MEMORY_FIELDS];

/**
 * cper_memory_field_get:
 * @m: the error
 * @f: an element of cper_memory_fields
 *
 * Returns: the value of the field, shifted down to bit 0, valid or not.
 */
uint64_t cper_memory_field_get(const CperMemoryError *m,
                               const CperMemoryField *f);

/**
 * cper_severity_name, cper_memory_error_type_name, cper_error_status_type_name:
 *
 * Returns: a constant string in lower case, or NULL for a reserved value.
 */
const char *cper_severity_name(uint32_t severity);
const char *cper_memory_error_type_name(uint8_t type);
const char *cper_error_status_type_name(uint8_t type);

/**
 * cper_arm_type_name, cper_arm_transaction_type_name, cper_arm_operation_name,
 * cper_arm_participation_type_name, cper_arm_address_space_name:
 * @type: one of CPER_ARM_TYPE_*
 *
 * The fields of CperArmError, and the type of an error information structure.
 *
 * Returns: a constant string, or NULL for a reserved value.
 */
const char *cper_arm_type_name(uint8_t type);
const char *cper_arm_transaction_type_name(uint16_t transaction_type);
const char *cper_arm_operation_name(uint8_t type, uint16_t operation);
const char *cper_arm_participation_type_name(uint16_t participation_type);
const char *cper_arm_address_space_name(uint16_t address_space);

#endif /* HW_ACPI_APEI_CPER_H */
