/*
 * Guest RAS: what differs between the QEMU releases that it is for
 *
 * Our files are written for the newest of them, QEMU 11.1, which is this one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_COMPAT_H
#define HW_RAS_COMPAT_H

/* QEMU 10.0 has it without const */
#define RAS_CLASS_DATA const void

/* hw/acpi/ghes.h: the firmware has told the address of the table HEST */
#define ras_ghes_has_hest(ags) ((ags)->use_hest_addr)
#define ras_ghes_hest_address(ags) le64_to_cpu((ags)->hest_addr_le)
#define ras_ghes_forget_hest(ags) ((ags)->hest_addr_le = 0)

/* target/arm/internals.h: QEMU 10.0 has one more argument */
#define ras_regime_el(env, idx) regime_el(idx)

/* hw/arm/virt.h: machine types before 4.2, which are gone */
#define ras_virt_has_no_ged(vms) false

#endif
