/*
 * Guest RAS: machine checks of emulated POWER CPUs
 *
 * See ras.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "hw/ras.h"
#include "ras.h"

PpcMceCpu ppc_mce_cpu(const CPUPPCState *env)
{
    switch (env->excp_model) {
#if defined(TARGET_PPC64)
    case POWERPC_EXCP_POWER8:
        return PPC_MCE_POWER8;
    case POWERPC_EXCP_POWER9:
        return PPC_MCE_POWER9;
    case POWERPC_EXCP_POWER10:
    case POWERPC_EXCP_POWER11:
        return PPC_MCE_POWER10;
#endif
    default:
        return PPC_MCE_POWER7;
    }
}

bool ppc_ras_access_failed(CPUState *cs, uint64_t cause, vaddr addr,
                           MMUAccessType access_type)
{
    CPUPPCState *env = cpu_env(cs);
    RasError error = {
        .class = RAS_ERROR_CLASS_BUS,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_ACCESS,
        .access = ras_access_kind(access_type),
        .synchronous = true,
        .has_vaddr = true,
        .vcpu = cs->cpu_index,
        .vaddr = addr,
        .syndrome = {
            .valid = true,
            .srr1 = cause,
            /* of something else, if it is not a load */
            .dsisr = access_type == MMU_DATA_LOAD ? env->spr[SPR_DSISR] : 0,
            .dar = addr,
        },
    };

    if (!ras_get()) {
        return false;
    }
    BQL_LOCK_GUARD();
    ras_report(&error, NULL);
    /* leaves the CPU loop; a refused error is tried again by the next run */
    cs->exception_index = EXCP_INTERRUPT;
    return true;
}
