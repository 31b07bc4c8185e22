/*
 * Guest RAS without TCG
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/ras-tcg.h"

void tcg_ras_try_again(CPUState *cpu, uintptr_t pc)
{
}
