/*
 * Guest RAS under TCG: generated code meets failed memory of the host
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_RAS_TCG_H
#define SYSTEM_RAS_TCG_H

#include "hw/core/cpu.h"

/*
 * tcg_ras_try_again: leave the loop of @cpu at the instruction of the guest
 * that has been translated to what is at @pc
 *
 * From a signal handler on @cpu's thread.  Returns if @pc is not generated
 * code: what a helper was about nobody knows.
 */
void tcg_ras_try_again(CPUState *cpu, uintptr_t pc);

#endif
