/*
 * Guest RAS: hooks for who saves memory of the guest, of which some has failed
 *
 * Pages that have failed are "holes": they are not read, and fail at the
 * destination, too.  See migration/ras-holes.c.  Without guest RAS, or if
 * failed memory does not move, a hook costs a test of one global variable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_RAS_HOLES_H
#define SYSTEM_RAS_HOLES_H

#include "exec/cpu-common.h"
#include "qemu/cutils.h"
#include "system/ras.h"
#include "system/ras-copy.h"

/*
 * this migration can have holes; but is to fail because of one; is in postcopy;
 * and sends what it has read, once
 */
extern bool ras_holes_moved, ras_holes_unwanted, ras_holes_in_postcopy,
    ras_holes_read_once;

/*
 * In postcopy, a page of the host that is larger than those of the stream comes
 * as a whole.  If some of it has failed, this byte in the place of 0, in a page
 * of zeroes, says so: it is not placed, and the section has it fail.
 */
#define RAS_HOLES_FAILED 0xfa

bool ras_holes_check_slow(RAMBlock *rb, uint64_t offset);
bool ras_holes_is_zero_slow(RAMBlock *rb, const void *host, size_t len);
void ras_holes_copy_slow(void *to, RAMBlock *rb, const void *host, size_t len);

/* ras_holes_init: when QEMU starts, before anything is loaded */
void ras_holes_init(void);

/*
 * ras_holes_begin: memory of the guest is about to be saved
 * ras_holes_end: and was
 *
 * With the BQL held, or while no vCPU runs.  The first returns false, with the
 * reason in @errp, if that is not possible.
 */
bool ras_holes_begin(Error **errp);
void ras_holes_end(void);

/*
 * ras_holes_begin_xbzrle: it looks more than once at what it sends
 * ras_holes_begin_postcopy: the guest sees at once what is sent
 */
static inline void ras_holes_begin_xbzrle(void)
{
    ras_holes_read_once = ras_holes_moved;
}

static inline void ras_holes_begin_postcopy(void)
{
    ras_holes_in_postcopy = true;
    ras_holes_read_once = ras_holes_moved;
}

/*
 * ras_holes_refused: has memory failed that cannot be moved, or is not to?  In
 * postcopy, the guest is lost without what is still to be sent: go on there.
 */
static inline bool ras_holes_refused(void)
{
    return ras_host_memory_is_unreadable() && ras_holes_unwanted &&
           !ras_holes_in_postcopy;
}

/* ras_holes_refuse: end the migration to @f because of that; returns -errno */
int ras_holes_refuse(QEMUFile *f);

/*
 * ras_holes_check: is this page known to have failed?  If not, who reads it may
 * still find out.
 */
static inline bool ras_holes_check(RAMBlock *rb, uint64_t offset)
{
    return ras_holes_moved && ras_host_memory_is_unreadable() &&
           ras_holes_check_slow(rb, offset);
}

/*
 * ras_holes_is_hole: was this page found to have failed when it was looked at
 *                    last?  It is not read again: that may work.
 */
bool ras_holes_is_hole(RAMBlock *rb, uint64_t offset);

/* ras_holes_is_zero: is this page of @rb zero?  One that has failed is. */
static inline bool ras_holes_is_zero(RAMBlock *rb, const void *host, size_t len)
{
    RasIsZero is_zero = ras_is_zero(host, len);

    return is_zero && (is_zero == RAS_IS_ZERO ||
                       ras_holes_is_zero_slow(rb, host, len));
}

/* ras_holes_copy: a copy of this page of @rb.  One that has failed is zero. */
static inline void ras_holes_copy(void *to, RAMBlock *rb, const void *host,
                                  size_t len)
{
    if (ras_holes_moved) {
        ras_holes_copy_slow(to, rb, host, len);
    } else {
        memcpy(to, host, len);
    }
}

/*
 * ras_holes_read: a copy of the page at @offset of @rb, which stays until the
 * next call for @channel, or NULL if that has failed.  Only if
 * ras_holes_read_once.  With postcopy-preempt, each of two threads has a
 * channel of its own.
 */
#define RAS_HOLES_CHANNELS 2
uint8_t *ras_holes_read(RAMBlock *rb, uint64_t offset, unsigned int channel);

/*
 * ras_dump_read: a copy of memory of the guest, whether or not it has failed
 * ras_dump_lost: say that @what has zeroes in the place of those that could not
 *                be read, and of @lost bytes more
 */
void ras_dump_read(void *to, const void *host, size_t len);
void ras_dump_lost(const char *what, uint64_t lost);

/*
 * ras_holes_send: write the section with the holes, if there are any
 * @announce: only say once that there will be some; can the destination have
 *            them?
 */
int ras_holes_send(QEMUFile *f, bool announce);

/*
 * ras_holes_can_postcopy: has no memory failed, or can the destination have
 *                         holes?  Asked by the thread of the migration.
 * ras_holes_pong: the destination has answered ping @value
 */
bool ras_holes_can_postcopy(void);
void ras_holes_pong(uint32_t value);

/* ras_holes_resume: what was sent in postcopy may not have arrived */
void ras_holes_resume(void);

/* ras_holes_unsent: are there new ones since that was called? */
bool ras_holes_unsent(void);

#endif
