/*
 * Guest RAS of Arm without KVM, or KVM of Arm without guest RAS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras.h"

void arm_ras_kvm_init(void)
{
    g_assert_not_reached();
}

/* KVM is asked when it is given the SError. */
bool arm_ras_kvm_takes_syndrome(void)
{
    return true;
}

bool arm_ras_kvm_check_serror(CPUState *cs, bool has_syndrome, Error **errp)
{
    g_assert_not_reached();
}

void arm_ras_kvm_reset_serror(CPUState *cs)
{
}

int arm_ras_kvm_sea(CPUState *cs, struct kvm_run *run)
{
    g_assert_not_reached();
}
