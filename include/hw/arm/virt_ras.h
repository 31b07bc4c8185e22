/*
 * Guest RAS of the Arm virt machine
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_VIRT_RAS_H
#define HW_ARM_VIRT_RAS_H

#include "hw/acpi/aml-build.h"
#include "hw/arm/virt.h"

/* virt_ras_machine_class_init: give the machine its property ras-ghes */
void virt_ras_machine_class_init(ObjectClass *oc);

/*
 * virt_ras_create: give the machine its RAS device, if it has ras=on
 * @aarch64: its CPUs have AArch64 state
 * @firmware_loaded: it has firmware
 *
 * Ends QEMU if it is to have ACPI tables, and cannot.
 */
void virt_ras_create(VirtMachineState *vms, bool aarch64, bool firmware_loaded);

/*
 * virt_ras_build_dsdt: with ras-ghes=on, describe the device in the DSDT
 * @scope: \_SB
 */
void virt_ras_build_dsdt(VirtMachineState *vms, Aml *scope);

/*
 * virt_ras_build_tables: with ras-ghes=on, append HEST and BERT
 * @offsets: where tables begin, for the XSDT
 *
 * Returns false if the machine needs the HEST of QEMU 10.0 instead.
 */
bool virt_ras_build_tables(VirtMachineState *vms, GArray *offsets,
                           AcpiBuildTables *tables);

#endif
