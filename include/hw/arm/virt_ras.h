/*
 * Guest RAS of the Arm virt machine
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_VIRT_RAS_H
#define HW_ARM_VIRT_RAS_H

#include "hw/arm/virt.h"

/* virt_ras_create: give the machine its RAS device, if it has ras=on */
void virt_ras_create(VirtMachineState *vms);

#endif
