/*
 * Guest RAS: a hardware error
 *
 * Pure: nothing of QEMU but osdep.h and the enumerations of qapi/ras.json.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_ERROR_H
#define HW_RAS_ERROR_H

#include "qapi/qapi-types-ras.h"

/* How the guest is notified; each has its own record and acknowledgement. */
typedef enum RasChannel {
    RAS_CHANNEL_EXCEPTION,      /* the vCPU of the error takes an exception */
    RAS_CHANNEL_INTERRUPT,      /* no vCPU: an interrupt, when there is time */
    RAS_CHANNEL_POLLED,         /* no vCPU: the guest looks now and then */
    RAS_RECORD_CHANNELS,        /* those above have records */
    /* the vCPU of the error has an SError, which it takes when it can */
    RAS_CHANNEL_SERROR = RAS_RECORD_CHANNELS,
    RAS_CHANNELS,
} RasChannel;

/* One access that an instruction makes: virtual and guest physical address. */
typedef struct RasStorageAccess {
    RasAccess kind;
    bool has_addr;      /* it is mapped, as far as can be found out */
    uint64_t vaddr;
    uint64_t addr;
} RasStorageAccess;

/* An instruction is fetched, and has data in two pages at most. */
#define RAS_ACCESSES_MAX 3

/*
 * Architected syndrome as it came from the CPU or from KVM.  What an
 * architecture has is named by its own registers; a migration stream has the
 * three values, whichever they are.
 */
typedef struct RasSyndrome {
    bool valid;
    union {
        struct {                /* POWER */
            uint64_t srr1;      /* with its cause bits */
            uint64_t dar;
            uint32_t dsisr;
            /* what they mean; NULL if nobody has looked at them yet */
            const struct PpcMceInfo *info;
        };
        struct {                /* Arm */
            uint64_t esr_el;
            uint64_t far_el;
        };
    };
} RasSyndrome;

/*
 * One hardware error.  Host byte order.  No host address is ever in it, but
 * for the pointer to a record that somebody else has made.
 *
 * What has to agree (ras_error_check() in hw/ras/queue.c refuses all else):
 *
 * - synchronous is true on the exception channel, and on no other.  A channel
 *   that was not set is the exception channel, so to forget either is refused.
 * - vcpu is set on the exception and SError channels, and -1 on the others;
 *   a vcpu that was not set is 0.
 * - With len, also has_addr and no record: first and len are whole pages, addr
 *   is in them.  Without len, first is 0, and has_addr needs a record.
 * - On the interrupt and polled channels: class memory with len, or a record;
 *   no access, no vaddr.  The origin is injected, or, for interrupt, sigbus.
 *   An SError is injected, and has neither address nor record nor access.
 * - A record has bytes, and the origin injected.
 * - Poison is not corrected.  limited needs severity corrected, and immediate
 *   the origin injected, both on the exception channel.
 */
typedef struct RasError {
    RasErrorClass class;
    RasSeverity severity;
    RasOrigin origin;
    RasAccess access;
    RasChannel channel;
    bool synchronous;   /* delivered as an exception of its vCPU */
    bool limited;       /* corrected, but something is out of use now */
    bool immediate;     /* injected, and to be taken wherever the vCPU is */
    bool moved;         /* set by the core: the vCPU has left the instruction */
    bool has_addr;
    bool has_vaddr;
    int32_t vcpu;       /* CPUState::cpu_index; -1 on the other channels */
    uint64_t addr;      /* guest physical address, bytes */
    uint64_t first;     /* what has failed begins here, at a page, */
    uint64_t len;       /* and has so many bytes: whole pages, addr in them */
    uint64_t vaddr;     /* guest virtual (effective) address */
    RasSyndrome syndrome;
    /* the record is given: bytes for the guest, g_free() when it has ended */
    uint8_t *record;
    uint32_t record_len;
} RasError;

/* Unit of poison and of injected addresses, bytes: the smallest guest page. */
#define RAS_PAGE_SIZE 4096

/*
 * Errors in one record of a channel that batches: as many as a block of 16384
 * bytes takes.  But Linux puts the pages that it has to give up into a queue of
 * 16 for each CPU, and drops what finds no room; so half of that.
 */
#define RAS_BATCH_MAX   107
#define RAS_BATCH_PAGES 8

/* ras_batch_limit: how many pages of errors like @error one record may name */
#define ras_batch_limit(error) \
    ((error)->severity == RAS_SEVERITY_CORRECTED ? RAS_BATCH_MAX : \
                                                   RAS_BATCH_PAGES)

/*
 * An error, or a part of it, in a record
 *
 * The record of the exception channel is about one error, and all of it.  If
 * one error does not fit into a record of another channel, it gets several,
 * each after the acknowledgement of the one before.
 */
typedef struct RasRecordPart {
    const RasError *error;
    uint64_t id;                /* number of the error */
    uint64_t from;              /* bytes of error->len in earlier records */
    uint64_t len;               /* and in this one; who writes it sets this */
} RasRecordPart;

/* ras_error_parks: true if a vCPU must wait for the delivery of @error */
static inline bool ras_error_parks(const RasError *error)
{
    return error->synchronous && error->severity != RAS_SEVERITY_CORRECTED;
}

/*
 * ras_error_has_insn: true if @error belongs to the instruction that its vCPU
 * is at, which has consumed it
 */
static inline bool ras_error_has_insn(const RasError *error)
{
    return error->origin != RAS_ORIGIN_INJECTED && ras_error_parks(error) &&
           !error->moved;
}

/* ras_error_can_wait: true if @error need not be delivered where its vCPU is */
static inline bool ras_error_can_wait(const RasError *error)
{
    return !error->immediate && !ras_error_has_insn(error);
}

/*
 * ras_error_comes_again: true if a vCPU whose access is not reported makes it
 * again, until it is.  What the hardware of the host has seen need not be seen
 * again.
 */
static inline bool ras_error_comes_again(const RasError *error)
{
    return ras_error_parks(error) && (error->origin == RAS_ORIGIN_POISON ||
                                      error->origin == RAS_ORIGIN_ACCESS ||
                                      error->origin == RAS_ORIGIN_SIGBUS);
}

#endif
