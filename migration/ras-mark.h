/*
 * Guest RAS: memory that fails each access, because it has failed elsewhere
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef MIGRATION_RAS_MARK_H
#define MIGRATION_RAS_MARK_H

#include "exec/cpu-common.h"
#include "hw/ras.h"

/*
 * ras_mark_supported: can this host do so, so that a guest under KVM is told?
 * If not, @errp says why.
 */
bool ras_mark_supported(Error **errp);

/*
 * ras_mark: have memory fail, in the memory that a VM is loaded into
 * @moved: @n places, in order
 * @fail: false if they are to be zero, because something else has them fail, or
 *        they have been replaced
 *
 * In whole pages of the blocks.  On any thread.  Returns false, with the reason
 * in @errp, if that is not possible.
 */
bool ras_mark(const RasMovedMemory *moved, unsigned int n, bool fail,
              Error **errp);

/*
 * ras_mark_renew: map memory again where it is not, because ras_mark() has had
 * it fail; with the BQL held
 */
void ras_mark_renew(RAMBlock *rb, uint64_t offset, uint64_t len);

/* ras_mark_can_move: can the migration that begins have holes? */
bool ras_mark_can_move(void);

/* ras_mark_in_snapshot: is it one that is made while the VM runs? */
bool ras_mark_in_snapshot(void);

/* ras_mark_send_section: write section @idstr now; returns -errno */
int ras_mark_send_section(QEMUFile *f, const char *idstr);

/*
 * ras_mark_ping: have the destination answer when it has loaded what was sent
 *                so far; false without a return path
 */
bool ras_mark_ping(QEMUFile *f, uint32_t value);

#endif
