/*
 * Machine checks of pseries: ibm,nmi-register, ibm,nmi-interlock, delivery
 *
 * With the machine property ras=off it is all QEMU's own: spapr_rtas.c,
 * spapr_events.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PPC_SPAPR_FWNMI_H
#define HW_PPC_SPAPR_FWNMI_H

#include "hw/ppc/spapr.h"
#include "hw/ras.h"

/* spapr_mce_fill: method fill_machine_check of RasInjectMethods */
bool spapr_mce_fill(RasDevice *d, CPUState *cs,
                    const RasInjectMachineCheck *arg, RasError *error,
                    Error **errp);

/* spapr_ras_machine_class_init: give the machine its property ras */
void spapr_ras_machine_class_init(ObjectClass *oc);

/* spapr_ras_create: give the machine its RAS device, unless it has ras=off */
void spapr_ras_create(SpaprMachineState *spapr);

/*
 * RTAS calls of a machine that has a RAS device, LoPAR 7.3.14.  Called on the
 * vCPU's thread with the BQL held.
 */
void spapr_ras_nmi_register(PowerPCCPU *cpu, SpaprMachineState *spapr,
                            uint32_t nargs, target_ulong args, uint32_t nret,
                            target_ulong rets);
void spapr_ras_nmi_interlock(PowerPCCPU *cpu, SpaprMachineState *spapr,
                             uint32_t nargs, uint32_t nret, target_ulong rets);

#endif
