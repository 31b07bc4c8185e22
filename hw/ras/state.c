/*
 * Guest RAS: the device's state, and how an error in it moves on
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ras.h"
#include "internal.h"
#include "trace.h"

static RasState *the_ras;

RasState *ras_get(void)
{
    return the_ras;
}

void ras_set(RasState *s)
{
    the_ras = s;
}

bool ras_has_channel(RasState *s, RasChannel channel)
{
    RasDeviceClass *rc = RAS_GET_CLASS(s);

    return channel == RAS_CHANNEL_SERROR ? rc->raise_serror != NULL :
                                           rc->channel_name(s, channel) != NULL;
}

void ras_step(RasState *s, RasEntry *e, RasErrorState state)
{
    bool done = ras_queue_advance(&s->queue, e, state);

    /* every caller asks for the state first, so this cannot fail */
    assert(done);
    trace_ras_error_step(e->id, RasErrorState_str(state), e->error.vcpu,
                         e->error.addr);
}

void ras_advance(RasState *s, RasEntry *e, RasErrorState state)
{
    ras_step(s, e, state);
    ras_wakeup_now(&s->events);
}
