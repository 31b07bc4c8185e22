/*
 * Without KVM, or on targets that have no machine with guest RAS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/kvm-ras.h"

__thread bool kvm_ras_after_run_pending;

void kvm_ras_init(void)
{
}

void kvm_ras_find_failed(void)
{
}

void kvm_ras_take_signals(void)
{
}

void kvm_ras_lost(void)
{
}

#ifdef CONFIG_LINUX
bool kvm_ras_sigbus(const siginfo_t *info)
{
    return false;
}
#endif

bool kvm_ras_run_failed(CPUState *cpu, int ret)
{
    return false;
}

void kvm_ras_after_run_slow(CPUState *cpu, int run_ret)
{
}

void kvm_ras_thread_ends(void)
{
}
