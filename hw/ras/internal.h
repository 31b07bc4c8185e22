/*
 * Guest RAS: what the files of the core share among themselves
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_CORE_RAS_INTERNAL_H
#define HW_CORE_RAS_INTERNAL_H

#include "hw/ras.h"

/* ras_advance: move @e to @stage, which its life cycle must allow */
void ras_advance(RasState *s, RasEntry *e, RasStage stage);

/*
 * ras_report_steps: tell now of all steps that were not told of yet
 *
 * Not on the thread of a vCPU, as this may take long.
 */
void ras_report_steps(RasState *s);

/* ras_report_all: the same, and what else is left to the main thread */
void ras_report_all(RasState *s);

/*
 * ras_loaded: the queue was restored from a migration stream or a snapshot
 * @lost: the machine was check-stopped
 * @pause_ns: guest time until the next asynchronous record, if there is one
 */
void ras_loaded(RasState *s, bool lost, int64_t pause_ns);

/*
 * Errors that no vCPU consumed (hw/ras/batch.c).  @channel is none but
 * the asynchronous ones.
 */
void ras_async_init(RasState *s);
void ras_async_reset(RasState *s);
void ras_async_loaded(RasState *s, int64_t pause_ns);

/* ras_async_pause: guest time until the next record may be written */
int64_t ras_async_pause(RasState *s);

/* ras_async_deliver: tell the guest of what waits, if it can be told now */
void ras_async_deliver(RasState *s, RasChannel channel);

/* ras_async_acknowledged: the guest is done with the outstanding record */
void ras_async_acknowledged(RasState *s, RasChannel channel);

/*
 * SErrors that vCPUs have been given (hw/ras/serror.c).
 *
 * ras_serror_deliver: give @e to its vCPU, on whose thread this is called
 */
void ras_serror_deliver(RasState *s, RasEntry *e);

/*
 * ras_serror_settle: find out whether that of @cpu is still pending
 *
 * TCG says when a vCPU takes one, KVM has to be asked.
 */
void ras_serror_settle(RasState *s, CPUState *cpu);

/* ras_serrors_settle: the same for all vCPUs */
void ras_serrors_settle(RasState *s);

/* ras_serror_in_flight: has @vcpu one whose life is not over? */
bool ras_serror_in_flight(RasState *s, int vcpu);

/* ras_host_memory_forget_absent: forget memory that was unplugged */
void ras_host_memory_forget_absent(RasState *s);

/* ras_host_memory_block: block migration if memory has failed, or allow it */
void ras_host_memory_block(RasState *s);

/* ras_host_memory_reset: put good memory where memory of the host failed */
void ras_host_memory_reset(RasState *s);

/* ras_send_events: send the QMP events that belong to one step */
void ras_send_events(const RasReport *r);

/*
 * ras_send_lost: send the QMP event of a guest that could not be told
 * @recursive: it was still busy with another error
 */
void ras_send_lost(bool recursive);

/*
 * ras_check_error: is @error one that this machine can have?
 *
 * What can change is not asked: whether the guest has set up what a record
 * needs, or whether a vCPU is online.  Asked of every error that is reported,
 * or loaded; if not, returns false and says in @errp what is wrong.
 */
bool ras_check_error(RasState *s, const RasError *error, Error **errp);

/*
 * ras_check_poison: can memory at @addr be poison of that severity?
 * @ready: the guest has set up what a record needs
 *
 * If not, returns false and says in @errp why.  Whether there is memory is for
 * ras_poison_add() to say.
 */
bool ras_check_poison(RasState *s, uint64_t addr, RasSeverity severity,
                      bool ready, Error **errp);

/* ras_poison_init: allocate what poison.c needs */
void ras_poison_init(RasState *s);

/*
 * ras_send_poison_access: send the QMP event of accesses to poison
 * @addr: guest physical address of the last one, NULL if it has none any more
 * @count: number of accesses
 */
void ras_send_poison_access(const uint64_t *addr, bool is_write,
                            uint64_t count);

/* ras_poison_discarded: part of @rb is new memory: its poison ends */
void ras_poison_discarded(RAMBlock *rb, uint64_t offset, uint64_t len);

/* ras_poison_count: number of poisoned ranges */
unsigned int ras_poison_count(RasState *s);

/*
 * ras_check_ram: is @addr, @len a range of whole pages of good RAM?
 * If not, return false and say in @errp what it is.
 */
bool ras_check_ram(RasState *s, uint64_t addr, uint64_t len, Error **errp);

#endif
