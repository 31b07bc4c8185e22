/*
 * Guest RAS: synchronous external aborts of Arm CPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_RAS_H
#define TARGET_ARM_RAS_H

#include "hw/ras-queue.h"

/* KVM_EXIT_ARM_SEA; the headers of QEMU 10.0 do not have it yet */
#define ARM_RAS_EXIT_SEA 41

struct kvm_run;

/*
 * arm_ras_sea_target_el: the Exception level that takes a synchronous external
 * abort of the vCPU
 *
 * Arm ARM, routing of synchronous External aborts: SCR_EL3.EA, HCR_EL2.TEA and
 * HCR_EL2.TGE.
 */
int arm_ras_sea_target_el(struct CPUArchState *env);

/*
 * arm_ras_take_sea: make @cs take a synchronous external abort for @error
 *
 * EC, WnR and FAR follow from the access that consumed the error; an address
 * that is not known sets FnV.  The exception entry is done at once, so the
 * caller is on the vCPU's thread, between two instructions, with the BQL
 * held and the registers synchronized.
 *
 * Arm ARM: ESR_ELx, ISS encodings for Instruction and Data Abort; routing
 * by HCR_EL2.{TGE,TEA} and SCR_EL3.EA.
 */
void arm_ras_take_sea(CPUState *cs, const RasError *error);

/*
 * arm_ras_handler_failed: is @error that the first instruction of the handler
 * of synchronous external aborts could not be fetched?
 *
 * Then the next abort would fail in the same way, for ever.  Same context as
 * arm_ras_take_sea().
 */
bool arm_ras_handler_failed(CPUState *cs, const RasError *error);

/*
 * arm_ras_kvm_init: have KVM hand over the external aborts that the host does
 * not handle, if it can; called once the VM exists and guest RAS with it
 */
void arm_ras_kvm_init(void);

/*
 * arm_ras_kvm_sea: KVM_RUN has ended with KVM_EXIT_ARM_SEA
 *
 * On @cs's thread, without the BQL.  The error is reported, and @cs parked
 * before the access.  Returns what kvm_arch_handle_exit() has to return.
 */
int arm_ras_kvm_sea(CPUState *cs, struct kvm_run *run);

#endif
