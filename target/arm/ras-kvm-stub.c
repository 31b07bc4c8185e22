/*
 * Guest RAS of Arm without KVM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras.h"

void arm_ras_kvm_init(void)
{
    g_assert_not_reached();
}

bool arm_ras_kvm_takes_syndrome(void)
{
    g_assert_not_reached();
}

bool arm_ras_kvm_check_serror(CPUState *cs, bool has_syndrome, Error **errp)
{
    g_assert_not_reached();
}
