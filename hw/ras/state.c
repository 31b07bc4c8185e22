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

RasDevice *ras_get(void)
{
    return the_ras ? the_ras->device : NULL;
}

RasState *ras_state(void)
{
    return the_ras;
}

void ras_set(RasState *s)
{
    the_ras = s;
}

const RasInjectMethods *ras_inject_methods(RasState *s)
{
    static const RasInjectMethods none;
    RasDeviceClass *rc = ras_class(s);

    return rc->inject ? rc->inject : &none;
}

bool ras_has_channel(RasDevice *d, RasChannel channel)
{
    return channel == RAS_CHANNEL_SERROR ?
           ras_inject_methods(d->state)->raise_serror != NULL :
           RAS_GET_CLASS(d)->channel_name(d, channel) != NULL;
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
    ras_wakeup_now(&s->wakeup);
}
