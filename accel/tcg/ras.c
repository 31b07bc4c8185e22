/*
 * Guest RAS under TCG: an instruction meets failed memory of the host
 *
 * See system/ras-tcg.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "accel/tcg/cpu-loop.h"
#include "exec/cpu-common.h"
#include "hw/core/cpu.h"
#include "system/ras-tcg.h"
#include "tcg/tcg.h"

/* What is taken off an address of the host that is one of a return */
#define RETURN_ADDRESS_ADJUST 2

void tcg_ras_try_again(CPUState *cpu, uintptr_t pc)
{
    uintptr_t ra = helper_retaddr;
    sigset_t set;

    if (in_code_gen_buffer((void *)(pc - tcg_splitwx_diff))) {
        ra = pc + RETURN_ADDRESS_ADJUST;
    } else if (!ra) {
        return;
    }
    /* this handler is left for good */
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);

    cpu->exception_index = EXCP_INTERRUPT;
    cpu_loop_exit_restore(cpu, ra);
}
