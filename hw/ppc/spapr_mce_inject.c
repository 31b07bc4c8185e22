/*
 * Machine checks of pseries: ras-inject with kind machine-check
 *
 * From the words or register values of qapi/ras.json to an error.  Which CPU
 * has which cause: the tables in target/ppc/mce.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cpu.h"
#include "hw/ppc/spapr_fwnmi.h"
#include "hw/ppc/spapr_mce.h"
#include "target/ppc/ras.h"

static const PpcMceClass class_of[RAS_MACHINE_CHECK_CLASS__MAX] = {
    [RAS_MACHINE_CHECK_CLASS_UE] = PPC_MCE_CLASS_UE,
    [RAS_MACHINE_CHECK_CLASS_SLB] = PPC_MCE_CLASS_SLB,
    [RAS_MACHINE_CHECK_CLASS_ERAT] = PPC_MCE_CLASS_ERAT,
    [RAS_MACHINE_CHECK_CLASS_TLB] = PPC_MCE_CLASS_TLB,
    [RAS_MACHINE_CHECK_CLASS_D_CACHE] = PPC_MCE_CLASS_D_CACHE,
    [RAS_MACHINE_CHECK_CLASS_I_CACHE] = PPC_MCE_CLASS_I_CACHE,
    [RAS_MACHINE_CHECK_CLASS_LINK] = PPC_MCE_CLASS_LINK,
    [RAS_MACHINE_CHECK_CLASS_REAL_ADDRESS] = PPC_MCE_CLASS_RA,
    [RAS_MACHINE_CHECK_CLASS_USER] = PPC_MCE_CLASS_USER,
};

static const PpcMceSubtype subtype_of[RAS_MACHINE_CHECK_SUB_TYPE__MAX] = {
    [RAS_MACHINE_CHECK_SUB_TYPE_FETCH] = PPC_MCE_SUBTYPE_IFETCH,
    [RAS_MACHINE_CHECK_SUB_TYPE_FETCH_FOREIGN] =
        PPC_MCE_SUBTYPE_IFETCH_FOREIGN,
    [RAS_MACHINE_CHECK_SUB_TYPE_TABLE_WALK_FETCH] =
        PPC_MCE_SUBTYPE_TABLE_WALK_IFETCH,
    [RAS_MACHINE_CHECK_SUB_TYPE_TABLE_WALK_FETCH_FOREIGN] =
        PPC_MCE_SUBTYPE_TABLE_WALK_IFETCH_FOREIGN,
    [RAS_MACHINE_CHECK_SUB_TYPE_LOAD] = PPC_MCE_SUBTYPE_LOAD,
    [RAS_MACHINE_CHECK_SUB_TYPE_STORE] = PPC_MCE_SUBTYPE_STORE,
    [RAS_MACHINE_CHECK_SUB_TYPE_LOAD_STORE] = PPC_MCE_SUBTYPE_LOAD_STORE,
    [RAS_MACHINE_CHECK_SUB_TYPE_LOAD_STORE_FOREIGN] =
        PPC_MCE_SUBTYPE_LOAD_STORE_FOREIGN,
    [RAS_MACHINE_CHECK_SUB_TYPE_TABLE_WALK_LOAD_STORE] =
        PPC_MCE_SUBTYPE_TABLE_WALK_LOAD_STORE,
    [RAS_MACHINE_CHECK_SUB_TYPE_TABLE_WALK_LOAD_STORE_FOREIGN] =
        PPC_MCE_SUBTYPE_TABLE_WALK_LOAD_STORE_FOREIGN,
    [RAS_MACHINE_CHECK_SUB_TYPE_PARITY] = PPC_MCE_SUBTYPE_PARITY,
    [RAS_MACHINE_CHECK_SUB_TYPE_MULTI_HIT] = PPC_MCE_SUBTYPE_MULTIHIT,
    [RAS_MACHINE_CHECK_SUB_TYPE_PARITY_OR_MULTI_HIT] =
        PPC_MCE_SUBTYPE_PARITY_OR_MULTIHIT,
    [RAS_MACHINE_CHECK_SUB_TYPE_TLBIE] = PPC_MCE_SUBTYPE_TLBIE,
    [RAS_MACHINE_CHECK_SUB_TYPE_SCV] = PPC_MCE_SUBTYPE_SCV,
};

static PpcMceSide side_of(const RasInjectMachineCheck *arg)
{
    return arg->fetch ? PPC_MCE_SIDE_FETCH : PPC_MCE_SIDE_ANY;
}

static void append_word(GString *list, const char *word)
{
    g_string_append_printf(list, "%s%s", list->len ? ", " : "", word);
}

/* The sub-types of @cls that @cpu has there; empty if there are none. */
static GString *list_subtypes(PpcMceCpu cpu, PpcMceClass cls, PpcMceSide side)
{
    GString *list = g_string_new(NULL);
    RasError unused;

    for (int i = 0; i < RAS_MACHINE_CHECK_SUB_TYPE__MAX; i++) {
        if (spapr_mce_make_error(cpu, cls, subtype_of[i], side, &unused)) {
            append_word(list, RasMachineCheckSubType_str(i));
        }
    }
    return list;
}

static bool has_class_without_subtypes(PpcMceCpu cpu, PpcMceClass cls)
{
    RasError unused;

    return spapr_mce_make_error(cpu, cls, PPC_MCE_SUBTYPE_INDETERMINATE,
                                PPC_MCE_SIDE_ANY, &unused);
}

static GString *list_classes(PpcMceCpu cpu, PpcMceSide side)
{
    GString *list = g_string_new(NULL);

    for (int i = 0; i < RAS_MACHINE_CHECK_CLASS__MAX; i++) {
        g_autoptr(GString) subtypes = list_subtypes(cpu, class_of[i], side);

        if (subtypes->len || has_class_without_subtypes(cpu, class_of[i])) {
            append_word(list, RasMachineCheckClass_str(i));
        }
    }
    return list;
}

/* The CPU has no such cause: say what it has. */
static void refuse_cause(PpcMceCpu cpu, const RasInjectMachineCheck *arg,
                         Error **errp)
{
    PpcMceClass cls = class_of[arg->q_class];
    g_autoptr(GString) subtypes = list_subtypes(cpu, cls, side_of(arg));
    g_autoptr(GString) classes = list_classes(cpu, side_of(arg));
    const char *name = RasMachineCheckClass_str(arg->q_class);
    const char *where = arg->fetch ? " for instruction fetches" : "";

    if (has_class_without_subtypes(cpu, cls)) {
        error_setg(errp, "Class '%s' has no sub-types; leave out 'sub-type'",
                   name);
    } else if (!subtypes->len) {
        error_setg(errp, "A %s has no machine checks of class '%s'%s; it has "
                   "those of %s", ppc_mce_cpu_name(cpu), name, where,
                   classes->str);
    } else if (!arg->has_sub_type) {
        error_setg(errp, "Class '%s' needs parameter 'sub-type'; a %s has%s "
                   "%s", name, ppc_mce_cpu_name(cpu), where, subtypes->str);
    } else {
        error_setg(errp, "A %s has no machine checks of class '%s', sub-type "
                   "'%s'%s; of this class it has %s", ppc_mce_cpu_name(cpu),
                   name, RasMachineCheckSubType_str(arg->sub_type), where,
                   subtypes->str);
    }
}

static bool fill_named(PpcMceCpu cpu, const RasInjectMachineCheck *arg,
                       RasError *error, Error **errp)
{
    PpcMceSubtype subtype = arg->has_sub_type ? subtype_of[arg->sub_type] :
                            PPC_MCE_SUBTYPE_INDETERMINATE;

    if (!arg->has_q_class) {
        error_setg(errp, "Either parameter 'class' or parameter 'srr1' has to "
                   "say what failed");
        return false;
    }
    if (arg->has_dsisr) {
        error_setg(errp, "Parameter 'dsisr' goes with 'srr1', not with "
                   "'class'");
        return false;
    }
    if (arg->has_fetch && has_class_without_subtypes(cpu,
                                                     class_of[arg->q_class])) {
        error_setg(errp, "Class '%s' says by itself whether it is a fetch; "
                   "leave out 'fetch'", RasMachineCheckClass_str(arg->q_class));
        return false;
    }
    if (!spapr_mce_make_error(cpu, class_of[arg->q_class], subtype,
                              side_of(arg), error)) {
        refuse_cause(cpu, arg, errp);
        return false;
    }
    return true;
}

/* The bits of SRR1 that encode causes on @cpu. */
static uint64_t srr1_bits(PpcMceCpu cpu)
{
    switch (cpu) {
    case PPC_MCE_POWER7:
        return PPC_MCE_SRR1_CODE_MASK_POWER7 | PPC_MCE_SRR1_LOAD_STORE;
    case PPC_MCE_POWER10:
        return PPC_MCE_SRR1_CAUSE_MASK | PPC_MCE_SRR1_PREFIXED;
    default:
        return PPC_MCE_SRR1_CAUSE_MASK;
    }
}

/* Any cause will do: what no CPU has is something for guests to cope with. */
static bool fill_raw(PpcMceCpu cpu, const RasInjectMachineCheck *arg,
                     RasError *error, Error **errp)
{
    SpaprMceRegs regs = { .srr1 = arg->srr1, .dsisr = arg->dsisr };

    if (arg->has_q_class || arg->has_sub_type || arg->has_fetch) {
        error_setg(errp, "Parameter '%s' and parameter 'srr1' both say what "
                   "failed; leave out one of them",
                   arg->has_q_class ? "class" :
                   arg->has_sub_type ? "sub-type" : "fetch");
        return false;
    }
    if (arg->srr1 & ~srr1_bits(cpu)) {
        error_setg(errp, "Parameter 'srr1' 0x%" PRIx64 " has bits other than "
                   "those of causes on a %s, 0x%" PRIx64, arg->srr1,
                   ppc_mce_cpu_name(cpu), srr1_bits(cpu));
        return false;
    }
    if (arg->dsisr & ~PPC_MCE_DSISR_CAUSE_MASK) {
        error_setg(errp, "Parameter 'dsisr' 0x%" PRIx32 " has bits other than "
                   "those of causes, 0x%x", arg->dsisr,
                   PPC_MCE_DSISR_CAUSE_MASK);
        return false;
    }
    if (arg->dsisr && !(arg->srr1 & PPC_MCE_SRR1_LOAD_STORE)) {
        error_setg(errp, "Parameter 'dsisr' counts only if bit 0x%llx is set "
                   "in 'srr1'", PPC_MCE_SRR1_LOAD_STORE);
        return false;
    }
    spapr_mce_to_error(cpu, &regs, SPAPR_MCE_NOT_SAID, error);
    return true;
}

static bool fill_addresses(const RasInjectMachineCheck *arg, RasError *error,
                           Error **errp)
{
    bool memory = error->class == RAS_ERROR_CLASS_MEMORY;

    if (arg->has_effective_address && error->class == RAS_ERROR_CLASS_CACHE) {
        error_setg(errp, "The log of a cache error has no address; leave out "
                   "'effective-address'");
        return false;
    }
    if (arg->has_logical_address && !memory) {
        error_setg(errp, "Parameter 'logical-address' is only for memory "
                   "errors (class 'ue')");
        return false;
    }
    if (arg->has_effective_address && memory && !arg->has_logical_address) {
        error_setg(errp, "The log of a memory error has no effective address "
                   "without a logical one; give 'logical-address', too");
        return false;
    }
    error->has_vaddr = arg->has_effective_address;
    error->vaddr = arg->effective_address;
    if (error->access != RAS_ACCESS_FETCH) {
        error->syndrome.dar = arg->effective_address;
    }
    if (arg->has_logical_address) {
        error->has_addr = true;
        error->addr = arg->logical_address;
        error->first = QEMU_ALIGN_DOWN(arg->logical_address, RAS_PAGE_SIZE);
        error->len = RAS_PAGE_SIZE;
    }
    return true;
}

bool spapr_mce_fill(RasDevice *d, CPUState *cs,
                    const RasInjectMachineCheck *arg, RasError *error,
                    Error **errp)
{
    PpcMceCpu cpu = ppc_mce_cpu(cpu_env(cs));

    if (!(arg->has_srr1 ? fill_raw : fill_named)(cpu, arg, error, errp) ||
        !fill_addresses(arg, error, errp)) {
        return false;
    }
    if (arg->has_disposition &&
        arg->disposition != RAS_DISPOSITION_NOT_RECOVERED) {
        error->severity = RAS_SEVERITY_CORRECTED;
        error->limited = arg->disposition == RAS_DISPOSITION_LIMITED;
    }
    return true;
}
