/*
 * Machine checks of pseries: between registers, RasError and RTAS log
 *
 * See spapr_mce.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ppc/spapr_mce.h"

static RasErrorClass kind_of_class(PpcMceClass cls)
{
    static const RasErrorClass class[PPC_MCE_CLASS__MAX] = {
        [PPC_MCE_CLASS_UNKNOWN] = RAS_ERROR_CLASS_UNKNOWN,
        [PPC_MCE_CLASS_UE] = RAS_ERROR_CLASS_MEMORY,
        [PPC_MCE_CLASS_SLB] = RAS_ERROR_CLASS_SLB,
        [PPC_MCE_CLASS_ERAT] = RAS_ERROR_CLASS_ERAT,
        [PPC_MCE_CLASS_TLB] = RAS_ERROR_CLASS_TLB,
        [PPC_MCE_CLASS_LINK] = RAS_ERROR_CLASS_BUS,
        [PPC_MCE_CLASS_RA] = RAS_ERROR_CLASS_BUS,
        [PPC_MCE_CLASS_USER] = RAS_ERROR_CLASS_UNKNOWN,
        [PPC_MCE_CLASS_D_CACHE] = RAS_ERROR_CLASS_CACHE,
        [PPC_MCE_CLASS_I_CACHE] = RAS_ERROR_CLASS_CACHE,
    };

    return class[cls];
}

static RasAccess access_of(const PpcMceInfo *info)
{
    if (info->side == PPC_MCE_SIDE_FETCH) {
        return RAS_ACCESS_FETCH;
    }
    switch (info->subtype) {
    case PPC_MCE_SUBTYPE_LOAD:
        return RAS_ACCESS_LOAD;
    case PPC_MCE_SUBTYPE_STORE:
        return RAS_ACCESS_STORE;
    default:
        return RAS_ACCESS_UNKNOWN;
    }
}

/* Arrays of the CPU, which the host may have flushed. */
static bool is_repairable(const PpcMceInfo *info)
{
    return info->cls == PPC_MCE_CLASS_SLB || info->cls == PPC_MCE_CLASS_ERAT ||
           info->cls == PPC_MCE_CLASS_TLB;
}

static RasSeverity severity_of(const PpcMceInfo *info, uint64_t srr1,
                               SpaprMceDisposition disposition)
{
    bool recovered = disposition == SPAPR_MCE_LIMITED_RECOVERY ||
                     (disposition == SPAPR_MCE_FULLY_RECOVERED &&
                      (!(srr1 & PPC_MCE_SRR1_CAUSE_MASK) ||
                       is_repairable(info)));

    if (recovered && (srr1 & PPC_MCE_SRR1_RI)) {
        return RAS_SEVERITY_CORRECTED;
    }
    return info->severity == PPC_MCE_SEVERITY_FATAL ?
           RAS_SEVERITY_FATAL : RAS_SEVERITY_RECOVERABLE;
}

static bool to_error(const PpcMceInfo *info, const SpaprMceRegs *regs,
                     SpaprMceDisposition disposition, RasError *error)
{
    RasSeverity severity = severity_of(info, regs->srr1, disposition);

    if (info->severity == PPC_MCE_SEVERITY_NO_ERROR) {
        return false;
    }
    *error = (RasError) {
        .class = kind_of_class(info->cls),
        .severity = severity,
        .limited = severity == RAS_SEVERITY_CORRECTED &&
                   disposition == SPAPR_MCE_LIMITED_RECOVERY,
        .access = access_of(info),
        /* whatever the cause: the vCPU cannot go on before it has taken it */
        .synchronous = true,
        .has_vaddr = info->address != PPC_MCE_ADDRESS_NONE,
        .vaddr = info->address == PPC_MCE_ADDRESS_DAR ? regs->dar : regs->nip,
        .vcpu = -1,
        .syndrome = {
            .valid = true,
            .srr1 = regs->srr1,
            .dsisr = regs->dsisr,
            .dar = regs->dar,
            .info = info,
        },
    };
    if (!error->has_vaddr) {
        error->vaddr = 0;
    }
    return true;
}

bool spapr_mce_to_error(PpcMceCpu cpu, const SpaprMceRegs *regs,
                        SpaprMceDisposition disposition, RasError *error)
{
    return to_error(ppc_mce_decode(cpu, regs->srr1, regs->dsisr), regs,
                    disposition, error);
}

bool spapr_mce_of_kvm(const PpcMceInfo *info, const SpaprMceRegs *regs,
                      SpaprMceDisposition disposition, SpaprMceRepair *repair,
                      RasError *error)
{
    bool again = repair->done && repair->nip == regs->nip;
    bool has_cause = regs->srr1 & PPC_MCE_SRR1_CAUSE_MASK;
    bool is_error;

    if (disposition == SPAPR_MCE_FULLY_RECOVERED && has_cause && again) {
        disposition = SPAPR_MCE_NOT_RECOVERED;
    }
    is_error = to_error(info, regs, disposition, error);
    repair->done = is_error && has_cause &&
                   disposition == SPAPR_MCE_FULLY_RECOVERED &&
                   error->severity == RAS_SEVERITY_CORRECTED;
    repair->nip = regs->nip;
    return is_error;
}

void spapr_mce_add_access(const RasStorageAccess *access, unsigned int n,
                          RasError *error)
{
    const uint64_t page_mask = -(uint64_t)RAS_PAGE_SIZE;
    const RasStorageAccess *failed = NULL;
    unsigned int candidates = 0;
    const PpcMceInfo *info = error->syndrome.info;

    if (!ppc_mce_is_access(info)) {
        return;
    }
    for (unsigned int i = 0; i < n; i++) {
        if ((access[i].kind == RAS_ACCESS_FETCH) ==
            (info->subtype == PPC_MCE_SUBTYPE_IFETCH)) {
            candidates++;
            if (!failed || !((access[i].vaddr ^ error->syndrome.dar) &
                             page_mask)) {
                failed = &access[i];
            }
        }
    }
    if (!failed) {
        return;
    }
    error->access = failed->kind;
    if (candidates > 1 && ((failed->vaddr ^ error->syndrome.dar) & page_mask)) {
        return;
    }
    error->has_vaddr = true;
    error->vaddr = failed->vaddr;
    if (failed->has_addr) {
        error->has_addr = true;
        error->addr = failed->addr;
        error->first = failed->addr & page_mask;
        error->len = RAS_PAGE_SIZE;
    }
}

bool spapr_mce_make_error(PpcMceCpu cpu, PpcMceClass cls,
                          PpcMceSubtype subtype, PpcMceSide side,
                          RasError *error)
{
    bool cache = cls == PPC_MCE_CLASS_D_CACHE || cls == PPC_MCE_CLASS_I_CACHE;
    bool parity = subtype == PPC_MCE_SUBTYPE_PARITY &&
                  (cls == PPC_MCE_CLASS_ERAT || cls == PPC_MCE_CLASS_TLB);
    SpaprMceRegs regs = { 0 };

    if (ppc_mce_encode_side(cpu, cls, subtype, side, &regs.srr1,
                            &regs.dsisr)) {
        spapr_mce_to_error(cpu, &regs, SPAPR_MCE_NOT_SAID, error);
        error->has_vaddr = false;
        return true;
    }
    if (!parity && !(cache && subtype == PPC_MCE_SUBTYPE_INDETERMINATE)) {
        return false;
    }
    *error = (RasError) {
        .class = kind_of_class(cls),
        .severity = RAS_SEVERITY_RECOVERABLE,
        .access = cls == PPC_MCE_CLASS_I_CACHE ||
                  (parity && side == PPC_MCE_SIDE_FETCH) ?
                  RAS_ACCESS_FETCH : RAS_ACCESS_UNKNOWN,
        .synchronous = true,
        .vcpu = -1,
    };
    return true;
}

void spapr_mce_from_error(PpcMceCpu cpu, const RasError *error,
                          uint64_t *srr1_cause, SpaprMceRegs *regs)
{
    bool fetch = error->access == RAS_ACCESS_FETCH;

    if (error->syndrome.valid) {
        *srr1_cause = error->syndrome.srr1 &
                      (PPC_MCE_SRR1_CAUSE_MASK | PPC_MCE_SRR1_PREFIXED);
        regs->dsisr = error->syndrome.dsisr;
        regs->dar = error->syndrome.dar;
        return;
    }
    /* UNKNOWN has no code: nothing in the registers */
    ppc_mce_encode_side(cpu, spapr_mce_is_log_only(error) ?
                             PPC_MCE_CLASS_UNKNOWN : PPC_MCE_CLASS_UE,
                        fetch ? PPC_MCE_SUBTYPE_IFETCH :
                                PPC_MCE_SUBTYPE_LOAD_STORE,
                        fetch ? PPC_MCE_SIDE_FETCH : PPC_MCE_SIDE_LOAD_STORE,
                        srr1_cause, &regs->dsisr);
    regs->dar = error->has_vaddr ? error->vaddr : 0;
}

static void put_ue(const RasError *error, uint8_t subtype,
                   RtasElogMcLogBytes *log)
{
    rtas_elog_put_ue(log, subtype,
                     error->has_vaddr ? &error->vaddr : NULL,
                     error->has_addr ? &error->addr : NULL);
}

static void put_processor_error(const RasError *error, RtasMcType type,
                                uint8_t subtype, RtasElogMcLogBytes *log)
{
    rtas_elog_put_processor_error(log, type, subtype,
                                  error->has_vaddr ? &error->vaddr : NULL);
}

static void put_cause(PpcMceCpu cpu, const RasError *error,
                      RtasElogMcLogBytes *log)
{
    const PpcMceInfo *info = error->syndrome.info;

    if (!info) {
        /* of a failed bus access of TCG, or from a migration stream */
        info = ppc_mce_decode(cpu, error->syndrome.srr1, error->syndrome.dsisr);
    }
    if (info->rtas_type == RTAS_MC_TYPE_UE) {
        put_ue(error, info->rtas_subtype, log);
    } else if (info->cls == PPC_MCE_CLASS_UNKNOWN &&
               error->class == RAS_ERROR_CLASS_BUS) {
        /* a failed bus access: POWER8 has no code for it, the log has */
        put_processor_error(error, RTAS_MC_TYPE_CTRL_MEM_ACCESS,
                            RTAS_MC_CTRL_MEM_OPERAND_ACCESS, log);
    } else {
        put_processor_error(error, info->rtas_type, info->rtas_subtype, log);
    }
}

/* Without a syndrome it is an error that this QEMU made up. */
static void put_cause_of_kind(const RasError *error, RtasElogMcLogBytes *log)
{
    bool fetch = error->access == RAS_ACCESS_FETCH;

    switch (error->class) {
    case RAS_ERROR_CLASS_MEMORY:
        put_ue(error, fetch ? RTAS_MC_UE_IFETCH : RTAS_MC_UE_LOAD_STORE, log);
        break;
    case RAS_ERROR_CLASS_CACHE:
        put_processor_error(error, fetch ? RTAS_MC_TYPE_I_CACHE :
                                           RTAS_MC_TYPE_D_CACHE,
                            RTAS_MC_CACHE_UNSPECIFIED, log);
        break;
    case RAS_ERROR_CLASS_ERAT:
        put_processor_error(error, RTAS_MC_TYPE_ERAT, RTAS_MC_ERAT_PARITY,
                            log);
        break;
    case RAS_ERROR_CLASS_TLB:
        put_processor_error(error, RTAS_MC_TYPE_TLB, RTAS_MC_TLB_PARITY, log);
        break;
    default:
        put_processor_error(error, RTAS_MC_TYPE_UNKNOWN,
                            RTAS_MC_UNKNOWN_UNSPECIFIED, log);
        break;
    }
}

void spapr_mce_build_log(PpcMceCpu cpu, const RasError *error, uint64_t id,
                         uint32_t processor, RtasElogMcLogBytes *log)
{
    *log = rtas_elog_mc_template;
    rtas_elog_put_ids(log, id, processor);
    if (error->severity == RAS_SEVERITY_FATAL) {
        rtas_elog_put_severity(log, RTAS_ELOG_SEVERITY_FATAL);
    } else if (error->severity == RAS_SEVERITY_CORRECTED) {
        rtas_elog_put_disposition(log, error->limited ?
                                  RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY :
                                  RTAS_ELOG_DISPOSITION_FULLY_RECOVERED);
    }
    if (error->syndrome.valid) {
        put_cause(cpu, error, log);
    } else {
        put_cause_of_kind(error, log);
    }
}
