/*
 * Guest RAS: SErrors of Arm vCPUs, from the core's side
 *
 * An SError comes without a record and is not acknowledged.  It is "notified"
 * when the vCPU has it pending, and "delivered" when that has ended.  Until
 * then it is a part of the vCPU's state, which masks it for as long as it
 * likes, so it keeps no other error waiting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "internal.h"

/* The error behind the SError of @vcpu, or NULL. */
static RasEntry *find(RasState *s, int vcpu)
{
    RasEntry *e;

    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->error.channel == RAS_CHANNEL_SERROR &&
            e->error.vcpu == vcpu) {
            return e;
        }
    }
    return NULL;
}

void ras_serror_deliver(RasState *s, RasEntry *e)
{
    CPUState *cpu = qemu_get_cpu(e->error.vcpu);

    e->delivery = ras_inject_methods(s)->raise_serror(s->device, &e->error,
                                                      cpu);
    ras_advance(s, e, RAS_ERROR_STATE_NOTIFIED);
}

void ras_serror_taken(CPUState *cpu)
{
    RasState *s = ras_state();
    RasEntry *e = s ? find(s, cpu->cpu_index) : NULL;

    assert(bql_locked());
    if (e) {
        ras_advance(s, e, RAS_ERROR_STATE_DELIVERED);
    }
}

void ras_serror_settle(RasState *s, CPUState *cpu)
{
    RasEntry *e;

    /* the vCPU may not be loaded yet */
    if (!find(s, cpu->cpu_index) || runstate_check(RUN_STATE_INMIGRATE)) {
        return;
    }
    cpu_synchronize_state(cpu);
    /* others had the BQL meanwhile */
    e = find(s, cpu->cpu_index);
    if (e && !ras_inject_methods(s)->serror_pending(s->device, cpu, NULL)) {
        /* TCG says so if it is taken: then the vCPU was reset alone */
        ras_advance(s, e, kvm_enabled() ? RAS_ERROR_STATE_DELIVERED :
                                          RAS_ERROR_STATE_DISCARDED);
    }
}

void ras_serrors_settle(RasState *s)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        ras_serror_settle(s, cpu);
    }
}

bool ras_serror_in_flight(RasState *s, int vcpu)
{
    return find(s, vcpu);
}
