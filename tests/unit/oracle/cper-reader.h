/*
 * A reader of generic error status blocks, as a Linux guest reads them
 *
 * The second opinion for tests of hw/acpi/apei/cper.c: it is written from
 * ACPI 6.5 section 18.3.2.7.1, UEFI 2.10 appendix N and the behaviour of Linux
 * 6.12 (drivers/acpi/apei/ghes.c, drivers/firmware/efi/cper.c), shares no code
 * with the encoder, and reads every field byte by byte.
 *
 * Each question is a call: would Linux accept these bytes (cper_read), does the
 * specification allow them (cper_read_strict), are unused bytes 0
 * (cper_read_tidy), what would the guest do (cper_guest_take, cper_print).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CPER_READER_H
#define TESTS_UNIT_CPER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

/* Severities: one numbering for blocks and entries */
enum {
    CPER_READ_RECOVERABLE = 0,
    CPER_READ_FATAL = 1,
    CPER_READ_CORRECTED = 2,
    CPER_READ_INFORMATIONAL = 3,
};

/* Platform Memory Error section, UEFI 2.10 N.2.5; as found, valid or not */
typedef struct CperReadMemory {
    uint64_t validation_bits;
    uint64_t error_status;
    uint64_t physical_address;
    uint64_t physical_address_mask;
    uint16_t node, card, module, bank;
    uint16_t device, row, column, bit_position;
    uint64_t requestor_id, responder_id, target_id;
    uint8_t error_type;
    uint8_t extended;
    uint16_t rank_number;
    uint16_t card_handle, module_handle;
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

#define CPER_READ_ARM_INFOS 8

/*
 * ARM Processor Error section, N.2.4.4. Structures that would begin or end
 * behind the section are not counted in n_infos and n_contexts.
 */
typedef struct CperReadArm {
    uint32_t validation_bits;
    uint16_t err_info_num, context_info_num;
    uint32_t section_length;
    uint8_t affinity_level;
    uint64_t mpidr, midr;
    uint32_t running_state, psci_state;
    size_t n_infos;
    CperReadArmInfo infos[CPER_READ_ARM_INFOS];     /* the first ones */
    bool odd_info_length;       /* of one of n_infos: not 32 */
    size_t n_contexts;
    size_t contexts_at, contexts_length;    /* from the start of the section */
    size_t vendor_at, vendor_length;        /* all that is left */
} CperReadArm;

/*
 * The 64 bits about a cache, TLB or bus error, UEFI 2.10 tables N.18 to N.20;
 * as found, valid or not. The last five are for bus errors.
 */
typedef struct CperReadArmError {
    uint16_t validation_bits;
    unsigned transaction_type, operation, level;
    bool context_corrupt, corrected, precise_pc, restartable_pc;
    unsigned participation_type;
    bool time_out;
    unsigned address_space, memory_attributes;
    bool access_mode;
} CperReadArmError;

typedef enum CperReadSection {
    CPER_READ_SECTION_OTHER,    /* known to Linux, not decoded here */
    CPER_READ_SECTION_UNKNOWN,  /* hex dump and non_standard_event */
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
    bool too_small;             /* Linux: "error section length is too small" */
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

/* How a source notifies the guest: SEA is the only synchronous one */
typedef enum CperReadSource {
    CPER_READ_SOURCE_SEA,
    CPER_READ_SOURCE_ASYNC,     /* interrupt, GED or poll */
} CperReadSource;

/* memory_failure_queue() keeps this many per CPU; more are lost */
#define CPER_GUEST_FIFO 16
#define CPER_GUEST_CACHE 4

typedef struct CperGuestFailure {
    size_t entry;               /* index of the entry that asked for it */
    uint64_t physical_address;
    uint64_t pfn;
    bool action_required;       /* MF_ACTION_REQUIRED: BUS_MCEERR_AR */
    bool soft_offline;          /* MF_SOFT_OFFLINE */
} CperGuestFailure;

/* What the guest does with one record */
typedef struct CperGuestAction {
    bool panic;                 /* "GHES: Fatal hardware error" */
    bool dropped;               /* SEA: same as one printed in the last 10 s */
    bool printed;               /* the lines of cper_print() are in the log */
    bool sigbus;                /* SEA, nothing queued: SIGBUS (SI_KERNEL) */
    size_t n_failures;          /* memory_failure() calls */
    CperGuestFailure failures[CPER_GUEST_FIFO];
    size_t n_lost;              /* did not fit: "buffer overflow" */
    size_t n_outside;           /* "Invalid address in generic error data" */
} CperGuestAction;

typedef struct CperGuestCached {
    size_t length;
    uint8_t *record;
    uint64_t time_ms;
    unsigned count;
} CperGuestCached;

typedef struct CperGuestLimit {
    uint64_t begin_ms;
    unsigned printed;
    bool running;
} CperGuestLimit;

/*
 * The part of a guest's state that decides what it does with a record. Set
 * page_shift and the RAM range after cper_guest_init() if the default (4 KiB
 * pages, every address is RAM) is not what the test wants.
 */
typedef struct CperGuest {
    unsigned page_shift;
    uint64_t ram_base;
    uint64_t ram_last;
    CperGuestCached cache[CPER_GUEST_CACHE];
    CperGuestLimit corrected, uncorrected;
} CperGuest;

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
 * that cper_read() accepted. Every broken rule is appended to @why.
 */
bool cper_read_strict(const CperReading *r, GString *why);

/*
 * The same for block and entries; of sections, memory has its 80 bytes, and
 * all lengths and numbers in an ARM processor section fit together
 */
bool cper_read_strict_frame(const CperReading *r, GString *why);

/*
 * Do the first four bits of the block status and the severity of the block
 * say the same as the entries? More than cper_read_strict() asks for: each
 * entry is taken for an error of its own.
 */
bool cper_read_consistent(const CperReading *r, GString *why);

/*
 * No specification asks for it, the project does: every byte that is not
 * declared valid is 0, so that nothing of the host can be in it.
 */
bool cper_read_tidy(const CperReading *r, GString *why);

/*
 * The lines that Linux prints for the record, without log level, the first
 * number in braces being @seqno. Sections other than memory and unknown ones
 * are reduced to their "section_type:" line.
 */
void cper_print(const CperReading *r, uint16_t source_id, unsigned seqno,
                GString *out);

void cper_guest_init(CperGuest *guest);
void cper_guest_clear(CperGuest *guest);

/*
 * The guest reads @r from a source of kind @source at @now_ms, a clock that
 * does not go backwards.
 */
void cper_guest_take(CperGuest *guest, const CperReading *r,
                     CperReadSource source, uint64_t now_ms,
                     CperGuestAction *action);

/* The row number Linux prints: row plus the two extension bits if valid */
uint32_t cper_read_row(const CperReadMemory *m);

/* Take @error_info of a cache, TLB or bus error apart */
void cper_read_arm_error(uint64_t error_info, CperReadArmError *e);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CperReading, cper_reading_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CperGuest, cper_guest_clear)

#endif /* TESTS_UNIT_CPER_READER_H */
