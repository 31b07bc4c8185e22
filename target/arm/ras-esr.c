/*
 * ESR_ELx for synchronous external aborts and SErrors: encode, validate,
 * decode.
 *
 * Arm ARM (DDI 0487), ESR_ELx.  Pure; see ras-esr.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-esr.h"

/* What an FSC allows to be said besides it */
typedef struct FscInfo {
    bool known;
    bool set_valid;
    bool fnv_valid;
} FscInfo;

/*
 * SET on a walk: by the text of the Arm ARM since FEAT_PFAR; before, the field
 * was RES0 there.
 */
static const FscInfo fsc_info[ARM_RAS_ISS_FSC_MASK + 1] = {
    [ARM_RAS_FSC_EXTERNAL] = { true, true, true },
    [ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_M2] = { true, true, false },
    [ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_M1] = { true, true, false },
    [ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_0] = { true, true, false },
    [ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_0 + 1] = { true, true, false },
    [ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_0 + 2] = { true, true, false },
    [ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_3] = { true, true, false },
    [ARM_RAS_FSC_PARITY] = { true, false, false },
    [ARM_RAS_FSC_PARITY_WALK_LEVEL_M1] = { true, false, false },
    [ARM_RAS_FSC_PARITY_WALK_LEVEL_0] = { true, false, false },
    [ARM_RAS_FSC_PARITY_WALK_LEVEL_0 + 1] = { true, false, false },
    [ARM_RAS_FSC_PARITY_WALK_LEVEL_0 + 2] = { true, false, false },
    [ARM_RAS_FSC_PARITY_WALK_LEVEL_3] = { true, false, false },
};

static bool refuse(const char **why, const char *reason)
{
    if (why) {
        *why = reason;
    }
    return false;
}

bool arm_ras_sea_check(const ArmRasSea *s, const char **why)
{
    const FscInfo *fsc;

    if (s->fsc >= ARRAY_SIZE(fsc_info) || !fsc_info[s->fsc].known) {
        return refuse(why, "FSC is not a synchronous external abort or "
                      "parity error");
    }
    fsc = &fsc_info[s->fsc];
    if (s->set != ARM_RAS_SET_UER && s->set != ARM_RAS_SET_UC &&
        s->set != ARM_RAS_SET_UEO) {
        return refuse(why, "SET is not one of 0 (UER), 2 (UC), 3 (UEO)");
    }
    if (s->set && !fsc->set_valid) {
        return refuse(why, "SET is for external aborts, not parity errors");
    }
    if (s->fnv && !fsc->fnv_valid) {
        return refuse(why, "FnV is for FSC 0x10 only");
    }
    if (s->fetch && (s->write || s->cm)) {
        return refuse(why, "WnR and CM are for data aborts");
    }
    if (s->cm && !s->write) {
        return refuse(why, "CM goes with WnR");
    }
    return true;
}

uint32_t arm_ras_sea_esr(const ArmRasSea *s)
{
    uint32_t ec = s->fetch ? ARM_RAS_EC_INSN_ABORT_LOWER_EL
                           : ARM_RAS_EC_DATA_ABORT_LOWER_EL;

    /* the EC of "same EL" is one more */
    return (ec + s->same_el) << ARM_RAS_ESR_EC_SHIFT | ARM_RAS_ESR_IL |
           ((uint32_t)s->set << ARM_RAS_ISS_SET_SHIFT & ARM_RAS_ISS_SET_MASK) |
           (s->fnv ? ARM_RAS_ISS_FNV : 0) |
           (s->ea ? ARM_RAS_ISS_EA : 0) |
           (s->cm ? ARM_RAS_ISS_CM : 0) |
           (s->s1ptw ? ARM_RAS_ISS_S1PTW : 0) |
           (s->write ? ARM_RAS_ISS_WNR : 0) |
           (s->fsc & ARM_RAS_ISS_FSC_MASK);
}

bool arm_ras_sea_decode(uint64_t esr, ArmRasSea *s, const char **why)
{
    uint32_t ec = (esr & ARM_RAS_ESR_EC_MASK) >> ARM_RAS_ESR_EC_SHIFT;
    ArmRasSea found = {
        .fetch = ec == ARM_RAS_EC_INSN_ABORT_LOWER_EL ||
                 ec == ARM_RAS_EC_INSN_ABORT_SAME_EL,
        .same_el = ec == ARM_RAS_EC_INSN_ABORT_SAME_EL ||
                   ec == ARM_RAS_EC_DATA_ABORT_SAME_EL,
        .write = esr & ARM_RAS_ISS_WNR,
        .cm = esr & ARM_RAS_ISS_CM,
        .fnv = esr & ARM_RAS_ISS_FNV,
        .ea = esr & ARM_RAS_ISS_EA,
        .s1ptw = esr & ARM_RAS_ISS_S1PTW,
        .set = (esr & ARM_RAS_ISS_SET_MASK) >> ARM_RAS_ISS_SET_SHIFT,
        .fsc = esr & ARM_RAS_ISS_FSC_MASK,
    };

    if (!found.fetch && ec != ARM_RAS_EC_DATA_ABORT_LOWER_EL &&
        ec != ARM_RAS_EC_DATA_ABORT_SAME_EL) {
        return refuse(why, "EC is not an instruction or data abort");
    }
    if (!arm_ras_sea_check(&found, why)) {
        return false;
    }
    if (!(esr & ARM_RAS_ESR_IL)) {
        return refuse(why, "IL is clear");
    }
    if (arm_ras_sea_esr(&found) != esr) {
        return refuse(why, "bits other than EC, IL, SET, FnV, EA, CM, S1PTW, "
                      "WnR, FSC are set");
    }
    *s = found;
    return true;
}

bool arm_ras_serror_check(const ArmRasSerror *s, const char **why)
{
    if (s->ids) {
        if (s->impdef > ARM_RAS_ISS_IMPDEF_MASK) {
            return refuse(why, "implementation defined syndrome is wider than "
                          "24 bits");
        }
        if (s->iesb || s->ea || s->aet || s->dfsc) {
            return refuse(why, "IESB, AET, EA and DFSC are not there with "
                          "IDS set");
        }
        return true;
    }

    if (s->impdef) {
        return refuse(why, "implementation defined syndrome needs IDS");
    }
    switch (s->dfsc) {
    case ARM_RAS_DFSC_UNCATEGORIZED:
        if (s->iesb || s->ea || s->aet) {
            return refuse(why, "IESB, AET and EA need DFSC 0x11");
        }
        return true;
    case ARM_RAS_DFSC_ASYNC_SERROR:
        break;
    default:
        return refuse(why, "DFSC is not 0x00 (uncategorized) or 0x11 "
                      "(asynchronous SError)");
    }
    switch (s->aet) {
    case ARM_RAS_AET_UC:
    case ARM_RAS_AET_UEU:
    case ARM_RAS_AET_UEO:
    case ARM_RAS_AET_UER:
    case ARM_RAS_AET_CE:
        return true;
    default:
        return refuse(why, "AET is not one of 0 (UC), 1 (UEU), 2 (UEO), "
                      "3 (UER), 6 (CE)");
    }
}

uint32_t arm_ras_serror_esr(const ArmRasSerror *s)
{
    if (s->ids) {
        return ARM_RAS_ESR_SERROR | ARM_RAS_ISS_IDS |
               (s->impdef & ARM_RAS_ISS_IMPDEF_MASK);
    }
    return ARM_RAS_ESR_SERROR |
           (s->iesb ? ARM_RAS_ISS_IESB : 0) |
           ((uint32_t)s->aet << ARM_RAS_ISS_AET_SHIFT & ARM_RAS_ISS_AET_MASK) |
           (s->ea ? ARM_RAS_ISS_EA : 0) |
           (s->dfsc & ARM_RAS_ISS_DFSC_MASK);
}

bool arm_ras_serror_decode(uint64_t esr, ArmRasSerror *s, const char **why)
{
    ArmRasSerror found = { .ids = esr & ARM_RAS_ISS_IDS };

    if ((esr & ARM_RAS_ESR_EC_MASK) >> ARM_RAS_ESR_EC_SHIFT !=
        ARM_RAS_EC_SERROR) {
        return refuse(why, "EC is not an SError");
    }
    if (!(esr & ARM_RAS_ESR_IL)) {
        return refuse(why, "IL is clear");
    }
    if (found.ids) {
        found.impdef = esr & ARM_RAS_ISS_IMPDEF_MASK;
    } else {
        found.iesb = esr & ARM_RAS_ISS_IESB;
        found.ea = esr & ARM_RAS_ISS_EA;
        found.aet = (esr & ARM_RAS_ISS_AET_MASK) >> ARM_RAS_ISS_AET_SHIFT;
        found.dfsc = esr & ARM_RAS_ISS_DFSC_MASK;
    }
    if (!arm_ras_serror_check(&found, why)) {
        return false;
    }
    if (arm_ras_serror_esr(&found) != esr) {
        return refuse(why, "reserved bits of the syndrome are set");
    }
    *s = found;
    return true;
}
