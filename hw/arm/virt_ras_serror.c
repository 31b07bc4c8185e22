/*
 * Guest RAS of the Arm virt machine: SErrors
 *
 * From what ras-inject says to a syndrome; the rest is the CPU's, see
 * target/arm/ras-serror.c.  Linux has no way to hand a guest a record along
 * with an SError: all that it looks at is ESR_ELx.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cpu.h"
#include "hw/ras.h"
#include "target/arm/ras.h"
#include "virt_ras_internal.h"

static const uint8_t aet_value[] = {
    [RAS_ARM_AET_UC] = ARM_RAS_AET_UC,
    [RAS_ARM_AET_UEU] = ARM_RAS_AET_UEU,
    [RAS_ARM_AET_UEO] = ARM_RAS_AET_UEO,
    [RAS_ARM_AET_UER] = ARM_RAS_AET_UER,
    [RAS_ARM_AET_CE] = ARM_RAS_AET_CE,
};

/* The syndrome by its fields, as an ISS. */
static bool iss_of_fields(const RasInjectSerror *arg, uint32_t *iss,
                          Error **errp)
{
    uint8_t dfsc = arg->has_dfsc ? arg->dfsc : ARM_RAS_DFSC_ASYNC_SERROR;
    bool async = dfsc == ARM_RAS_DFSC_ASYNC_SERROR;

    if (arg->ids) {
        if (arg->has_dfsc || arg->has_aet || arg->has_ea) {
            error_setg(errp, "With 'ids' the syndrome has no fields; leave out "
                       "'dfsc', 'aet' and 'ea', or give 'syndrome' instead");
            return false;
        }
        *iss = R_SERROR_ISS_IDS_MASK;
        return true;
    }
    if (async && !arg->has_aet) {
        error_setg(errp, "Parameter 'aet' is missing: with 'dfsc' 0x11 (the "
                   "default) it says how bad the SError is");
        return false;
    }
    if (!async && arg->has_aet) {
        error_setg(errp, "Parameter 'aet' is only for 'dfsc' 0x11");
        return false;
    }
    if (!async && dfsc != ARM_RAS_DFSC_UNCATEGORIZED) {
        error_setg(errp, "No CPU has such a syndrome: DFSC is not 0x00 "
                   "(uncategorized) or 0x11 (asynchronous SError)");
        return false;
    }
    if (!async && arg->ea) {
        error_setg(errp, "No CPU has such a syndrome: IESB, AET and EA need "
                   "DFSC 0x11");
        return false;
    }
    *iss = FIELD_DP32(0, SERROR_ISS, DFSC, dfsc);
    *iss = FIELD_DP32(*iss, SERROR_ISS, EA, arg->ea);
    if (arg->has_aet) {
        *iss = FIELD_DP32(*iss, SERROR_ISS, AET, aet_value[arg->aet]);
    }
    return true;
}

static bool syndrome_of(const RasInjectSerror *arg, RasSyndrome *syndrome,
                        Error **errp)
{
    bool has_fields = arg->has_ids || arg->has_dfsc || arg->has_aet ||
                      arg->has_ea;
    uint32_t iss = arg->syndrome;

    if (arg->has_syndrome && has_fields) {
        error_setg(errp, "The syndrome is given twice: use either 'syndrome', "
                   "or 'ids', 'dfsc', 'aet' and 'ea'");
        return false;
    }
    if (arg->syndrome & ~(uint64_t)ARM_RAS_ISS_MASK) {
        error_setg(errp, "Parameter 'syndrome' 0x%" PRIx64 " has bits outside "
                   "of ESR_ELx.ISS; its maximum is 0x%x, without EC and IL",
                   arg->syndrome, ARM_RAS_ISS_MASK);
        return false;
    }
    if (has_fields && !iss_of_fields(arg, &iss, errp)) {
        return false;
    }
    if (arg->has_syndrome || has_fields) {
        syndrome->valid = true;
        syndrome->esr_el = syn_serror(iss);
    }
    return true;
}

/* What the guest can do with it. */
static RasSeverity severity_of(const RasSyndrome *syndrome)
{
    const uint32_t known = R_SERROR_ISS_DFSC_MASK | R_SERROR_ISS_EA_MASK |
                           R_SERROR_ISS_AET_MASK | R_SERROR_ISS_IESB_MASK;
    uint32_t iss = syndrome->esr_el & ARM_RAS_ISS_MASK;

    if (!syndrome->valid || (iss & ~known) ||
        FIELD_EX32(iss, SERROR_ISS, DFSC) != ARM_RAS_DFSC_ASYNC_SERROR) {
        return RAS_SEVERITY_FATAL;
    }
    switch (FIELD_EX32(iss, SERROR_ISS, AET)) {
    case ARM_RAS_AET_CE:
        return RAS_SEVERITY_CORRECTED;
    case ARM_RAS_AET_UEO:
    case ARM_RAS_AET_UER:
        return RAS_SEVERITY_RECOVERABLE;
    default:
        return RAS_SEVERITY_FATAL;
    }
}

bool virt_ras_build_serror(RasDevice *d, CPUState *cpu,
                           const RasInjectSerror *arg, RasError *error,
                           Error **errp)
{
    if (!syndrome_of(arg, &error->syndrome, errp) ||
        !arm_ras_check_serror(cpu, error->syndrome.valid, errp)) {
        return false;
    }
    error->severity = severity_of(&error->syndrome);
    return true;
}

const char *virt_ras_raise_serror(RasDevice *d, const RasError *error,
                                  CPUState *cpu)
{
    bool has_iss = error->syndrome.valid;

    arm_ras_raise_serror(cpu, has_iss,
                         error->syndrome.esr_el & ARM_RAS_ISS_MASK);
    return has_iss ? "SError with a syndrome" : "SError without a syndrome";
}

bool virt_ras_serror_pending(RasDevice *d, CPUState *cpu, RasSerrorInfo *info)
{
    CPUARMState *env = cpu_env(cpu);

    if (info && env->serror.pending && env->serror.has_esr) {
        info->has_syndrome = true;
        info->syndrome = env->serror.esr & ARM_RAS_ISS_MASK;
    }
    return env->serror.pending;
}
