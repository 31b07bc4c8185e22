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
#include "target/arm/ras-esr.h"
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
    ArmRasSerror serror = {
        .ids = arg->ids,
        .dfsc = arg->has_dfsc ? arg->dfsc :
                arg->ids ? 0 : ARM_RAS_DFSC_ASYNC_SERROR,
        .aet = arg->has_aet ? aet_value[arg->aet] : 0,
        .ea = arg->ea,
    };
    const char *why;

    if (arg->ids && (arg->has_dfsc || arg->has_aet || arg->has_ea)) {
        error_setg(errp, "With 'ids' the syndrome has no fields; leave out "
                   "'dfsc', 'aet' and 'ea', or give 'syndrome' instead");
        return false;
    }
    if (serror.dfsc == ARM_RAS_DFSC_ASYNC_SERROR && !arg->has_aet) {
        error_setg(errp, "Parameter 'aet' is missing: with 'dfsc' 0x11 (the "
                   "default) it says how bad the SError is");
        return false;
    }
    if (serror.dfsc != ARM_RAS_DFSC_ASYNC_SERROR && arg->has_aet) {
        error_setg(errp, "Parameter 'aet' is only for 'dfsc' 0x11");
        return false;
    }
    if (!arm_ras_serror_check(&serror, &why)) {
        error_setg(errp, "No CPU has such a syndrome: %s", why);
        return false;
    }
    *iss = arm_ras_serror_esr(&serror) & ARM_RAS_ESR_ISS_MASK;
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
    if (arg->syndrome & ~(uint64_t)ARM_RAS_ESR_ISS_MASK) {
        error_setg(errp, "Parameter 'syndrome' 0x%" PRIx64 " has bits outside "
                   "of ESR_ELx.ISS; its maximum is 0x%x, without EC and IL",
                   arg->syndrome, ARM_RAS_ESR_ISS_MASK);
        return false;
    }
    if (has_fields && !iss_of_fields(arg, &iss, errp)) {
        return false;
    }
    if (arg->has_syndrome || has_fields) {
        syndrome->valid = true;
        syndrome->srr1 = ARM_RAS_ESR_SERROR | iss;
    }
    return true;
}

/* What the guest can do with it. */
static RasSeverity severity_of(const RasSyndrome *syndrome)
{
    ArmRasSerror serror;

    if (!syndrome->valid ||
        !arm_ras_serror_decode(syndrome->srr1, &serror, NULL) ||
        serror.dfsc != ARM_RAS_DFSC_ASYNC_SERROR) {
        return RAS_SEVERITY_FATAL;
    }
    switch (serror.aet) {
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
                         error->syndrome.srr1 & ARM_RAS_ESR_ISS_MASK);
    return has_iss ? "SError with a syndrome" : "SError without a syndrome";
}

bool virt_ras_serror_pending(RasDevice *d, CPUState *cpu, RasSerrorInfo *info)
{
    CPUARMState *env = cpu_env(cpu);

    if (info && env->serror.pending && env->serror.has_esr) {
        info->has_syndrome = true;
        info->syndrome = env->serror.esr & ARM_RAS_ESR_ISS_MASK;
    }
    return env->serror.pending;
}
