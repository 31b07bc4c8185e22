/*
 * Guest RAS: what differs between the QEMU releases that it is for
 *
 * Our files are written for the newest of them; this is QEMU 10.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_COMPAT_H
#define HW_RAS_COMPAT_H

#include "exec/hwaddr.h"
#include "exec/vaddr.h"
#include "hw/core/cpu.h"

#define RAS_CLASS_DATA const void

/* hw/acpi/ghes.h: the firmware has told the address of the table HEST */
#define ras_ghes_has_hest(ags) ((ags)->use_hest_addr)
#define ras_ghes_hest_address(ags) le64_to_cpu((ags)->hest_addr_le)
#define ras_ghes_forget_hest(ags) ((ags)->hest_addr_le = 0)

/* target/arm/internals.h */
#define ras_regime_el(env, idx) regime_el(idx)

/* target/arm/syndrome.h */
#define R_SYNDROME_IL_SHIFT ARM_EL_IL_SHIFT
#define R_SYNDROME_IL_MASK ARM_EL_IL
#define R_SYNDROME_ISS_MASK (ARM_EL_IL - 1)
#define R_DABORT_ISS_VNCR_MASK ARM_EL_VNCR

/* hw/core/cpu.h */
typedef struct TranslateForDebugResult {
    hwaddr physaddr;
} TranslateForDebugResult;

static inline bool cpu_translate_for_debug(CPUState *cpu, vaddr addr,
                                           TranslateForDebugResult *result)
{
    const vaddr offset = addr & 0xfff;
    hwaddr page = cpu_get_phys_page_debug(cpu, addr - offset);

    result->physaddr = (page & ~(hwaddr)0xfff) | offset;
    return page != -1;
}

/* hw/arm/virt.h: machine types before 4.2, which are gone */
#define ras_virt_has_no_ged(vms) false

#endif
