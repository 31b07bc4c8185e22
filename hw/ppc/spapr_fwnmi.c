/*
 * Machine checks of pseries: ibm,nmi-register, ibm,nmi-interlock, delivery
 *
 * LoPAR 2.9, 7.3.14 (non-maskable interrupts) and 10.3.2 (RTAS error log).
 *
 * The guest registers a machine check routine.  On a machine check QEMU saves
 * r3 and writes the error log into the RTAS area, points r3 there and enters
 * the routine.  The area then belongs to that vCPU until it calls
 * ibm,nmi-interlock; other machine checks wait in the queue of the core.  A
 * guest that has registered nothing gets the interrupt at 0x200.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/units.h"
#include "cpu.h"
#include "helper_regs.h"
#include "hw/ppc/spapr_fwnmi.h"
#include "hw/ppc/spapr_mce.h"
#include "kvm_ppc.h"
#include "migration/vmstate.h"
#include "system/address-spaces.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "system/qtest.h"
#include "target/ppc/ras.h"

#define TYPE_SPAPR_RAS "spapr-ras"
OBJECT_DECLARE_SIMPLE_TYPE(SpaprRasState, SPAPR_RAS)

/* How long a vCPU gets to leave its handler. */
#define HANDLER_LEAVE_NS (1000 * SCALE_MS)

/* What is known of a vCPU whose errors wait until it has left its handler. */
typedef struct SpaprRasVcpu {
    CPUState *cpu;              /* seen in its handler, or NULL */
    int64_t seen_ns;            /* when it was seen there last */
    int64_t left_ns;            /* guest time until they wait no longer */
} SpaprRasVcpu;

struct SpaprRasState {
    RasDevice parent_obj;

    SpaprMceRepair *repair;     /* one for each vCPU, by cpu_index */
    SpaprRasVcpu *vcpu;         /* the same */
    bool fatal_reported;        /* the guest has had a log of a fatal error */
};

/* Save area in the RTAS area: r3, then the log; what follows is in use. */
#define SAVE_AREA_R3    RTAS_ERROR_LOG_OFFSET
#define SAVE_AREA_LOG   (SAVE_AREA_R3 + 8)
#define SAVE_AREA_END   RTAS_ERROR_LOG_MAX

QEMU_BUILD_BUG_ON(SAVE_AREA_LOG + RTAS_ELOG_MC_LOG_SIZE > SAVE_AREA_END);

/* LoPAR R1-7.3.14-1: the routines are in the first 32 MiB */
#define ROUTINE_LIMIT   (32 * MiB)
#define INSTRUCTION_SIZE 4

/* the first word of a prefixed instruction */
#define OPCODE_SHIFT    26
#define OPCODE_PREFIX   1u

/* LoPAR 7.2: where RTAS may be */
#define RTAS_ALIGN      (4 * KiB)
#define RTAS_BOUNDARY   (256 * MiB)

#define MCHECK_VECTOR   0x200

static bool is_registered(const SpaprMachineState *spapr)
{
    return spapr->fwnmi_machine_check_addr != -1;
}

/* As property rtas-size of the guest's device tree says */
static hwaddr rtas_size(const SpaprMachineState *spapr)
{
    return RTAS_MIN_SIZE + RTAS_ERROR_LOG_MAX +
           MACHINE(spapr)->smp.max_cpus * 2 * sizeof(uint64_t) +
           sizeof(uint64_t);
}

/*
 * The area is where the guest's device tree says, so the address is the
 * guest's word: it has to be as LoPAR 7.2 wants it, and its first @len bytes
 * RAM in the real mode area.  Returns 0 if it is not usable.
 */
static hwaddr usable_rtas_area(const SpaprMachineState *spapr, hwaddr len)
{
    hwaddr base = spapr_get_rtas_addr();

    if (!base || base % RTAS_ALIGN ||
        base / RTAS_BOUNDARY != (base + len - 1) / RTAS_BOUNDARY ||
        base > spapr->rma_size || spapr->rma_size - base < len ||
        !ras_ram_is_good(base, len)) {
        return 0;
    }
    return base;
}

/* --- RTAS calls ---------------------------------------------------------- */

static bool usable_routine(const SpaprMachineState *spapr, target_ulong addr)
{
    return addr < ROUTINE_LIMIT && addr < spapr->rma_size &&
           addr % INSTRUCTION_SIZE == 0;
}

/* One status is returned; without room for it there is nowhere to put one. */
static bool counts_are_right(uint32_t want, uint32_t nargs, uint32_t nret,
                             target_ulong rets)
{
    if (nargs == want && nret == 1) {
        return true;
    }
    if (nret > 0) {
        rtas_st(rets, 0, RTAS_OUT_PARAM_ERROR);
    }
    return false;
}

void spapr_ras_nmi_register(PowerPCCPU *cpu, SpaprMachineState *spapr,
                            uint32_t nargs, target_ulong args, uint32_t nret,
                            target_ulong rets)
{
    target_ulong system_reset, machine_check;

    if (!counts_are_right(2, nargs, nret, rets)) {
        return;
    }
    if (spapr_get_cap(spapr, SPAPR_CAP_FWNMI) == SPAPR_CAP_OFF ||
        !usable_rtas_area(spapr, rtas_size(spapr))) {
        rtas_st(rets, 0, RTAS_OUT_NOT_SUPPORTED);
        return;
    }
    system_reset = rtas_ld(args, 0);
    machine_check = rtas_ld(args, 1);
    if (!usable_routine(spapr, system_reset) ||
        !usable_routine(spapr, machine_check)) {
        rtas_st(rets, 0, RTAS_OUT_PARAM_ERROR);
        return;
    }
    if (kvm_enabled()) {
        int ret = kvmppc_set_fwnmi(cpu);

        if (ret < 0) {
            warn_report_once("ras: KVM does not hand over machine checks "
                             "(KVM_CAP_PPC_FWNMI): %s; the guest gets them at "
                             "0x200, without a log", strerror(-ret));
            rtas_st(rets, 0, RTAS_OUT_NOT_SUPPORTED);
            return;
        }
    }

    spapr->fwnmi_system_reset_addr = system_reset;
    spapr->fwnmi_machine_check_addr = machine_check;
    /* a new kernel (kexec, kdump) knows nothing of what the old one owned */
    spapr->fwnmi_machine_check_interlock = -1;
    SPAPR_RAS(ras_get())->fatal_reported = false;
    ras_release(ras_get());
    rtas_st(rets, 0, RTAS_OUT_SUCCESS);
}

void spapr_ras_nmi_interlock(PowerPCCPU *cpu, SpaprMachineState *spapr,
                             uint32_t nargs, uint32_t nret, target_ulong rets)
{
    if (!counts_are_right(0, nargs, nret, rets)) {
        return;
    }
    if (spapr_get_cap(spapr, SPAPR_CAP_FWNMI) == SPAPR_CAP_OFF) {
        rtas_st(rets, 0, RTAS_OUT_NOT_SUPPORTED);
        return;
    }
    if (!is_registered(spapr)) {
        qemu_log_mask(LOG_GUEST_ERROR, "ibm,nmi-interlock without "
                      "ibm,nmi-register\n");
        rtas_st(rets, 0, RTAS_OUT_PARAM_ERROR);
        return;
    }
    /* success for all others, too: Linux calls this after a system reset */
    if (spapr->fwnmi_machine_check_interlock == cpu->vcpu_id) {
        spapr->fwnmi_machine_check_interlock = -1;
        ras_acknowledge(ras_get(), RAS_CHANNEL_EXCEPTION);
    }
    rtas_st(rets, 0, RTAS_OUT_SUCCESS);
}

/* --- KVM ----------------------------------------------------------------- */

#ifdef CONFIG_KVM_IS_POSSIBLE
QEMU_BUILD_BUG_ON(SPAPR_MCE_FULLY_RECOVERED !=
                  KVM_RUN_PPC_NMI_DISP_FULLY_RECOV);
QEMU_BUILD_BUG_ON(SPAPR_MCE_LIMITED_RECOVERY !=
                  KVM_RUN_PPC_NMI_DISP_LIMITED_RECOV);
QEMU_BUILD_BUG_ON(SPAPR_MCE_NOT_RECOVERED != KVM_RUN_PPC_NMI_DISP_NOT_RECOV);
#endif

static unsigned int
spapr_ras_accesses(RasDevice *d, CPUState *cs,
                   RasStorageAccess access[RAS_ACCESSES_MAX])
{
    cpu_synchronize_state(cs);
    return ppc_ras_accesses(cs, access);
}

static void spapr_ras_machine_check(RasDevice *d, CPUState *cs,
                                    const PpcMachineCheck *mc)
{
    CPUPPCState *env = cpu_env(cs);
    SpaprMceRegs regs = {
        .srr1 = env->spr[SPR_SRR1],
        .dar = env->spr[SPR_DAR],
        .dsisr = env->spr[SPR_DSISR],
        .nip = env->nip,
    };
    Error *err = NULL;
    RasError error;

    if (!spapr_mce_of_kvm(mc->info, &regs, mc->disposition,
                          &SPAPR_RAS(d)->repair[cs->cpu_index], &error)) {
        return;
    }
    spapr_mce_add_access(mc->access, mc->n_accesses, &error);
    error.vcpu = cs->cpu_index;
    error.origin = RAS_ORIGIN_KVM_NMI;
    if (!ras_report(&error, &err)) {
        ras_log(d, "ras: a machine check of vCPU %d was not delivered: %s",
                error.vcpu, error_get_pretty(err));
        error_free(err);
    }
}

/* --- delivery ------------------------------------------------------------ */

static bool spapr_ras_ready(RasDevice *d)
{
    return is_registered(SPAPR_MACHINE(qdev_get_machine()));
}

/* What a guest that has not registered needs for that. */
static const char *how_to_register(void)
{
    SpaprMachineState *spapr = SPAPR_MACHINE(qdev_get_machine());

    return spapr_get_cap(spapr, SPAPR_CAP_FWNMI) == SPAPR_CAP_OFF ?
           "start it with cap-fwnmi=on" : "wait until it has booted";
}

static bool spapr_ras_check(RasDevice *d, const RasError *error, bool ready,
                            Error **errp)
{
    if (!error->synchronous) {
        error_setg(errp, "Mode 'report' needs an asynchronous error source, "
                   "which 'pseries' does not have for memory; use mode "
                   "'poison' or 'consume'");
        return false;
    }
    if (error->severity != RAS_SEVERITY_RECOVERABLE && !ready) {
        error_setg(errp, "The guest has not registered a machine check "
                   "handler (ibm,nmi-register), so it can only be notified of "
                   "recoverable errors; %s", how_to_register());
        return false;
    }
    if (spapr_mce_is_log_only(error) && !ready) {
        error_setg(errp, "No register can say what failed, only an error log, "
                   "and the guest has not registered a machine check handler "
                   "(ibm,nmi-register); %s", how_to_register());
        return false;
    }
    if (error->len > RAS_PAGE_SIZE) {
        error_setg(errp, "A machine check reports one page of %" PRIu64
                   " bytes; use one command for each page, or mode 'poison'",
                   (uint64_t)RAS_PAGE_SIZE);
        return false;
    }
    return true;
}

static bool spapr_ras_vcpu_online(RasDevice *d, CPUState *cpu)
{
    return !cpu_env(cpu)->quiesced;
}

/*
 * Power ISA, Book III: SRR0 and SRR1 are in use while MSR[RI] is 0.  After
 * ibm,nmi-interlock the routine goes on in real mode; a guest has stacks for a
 * few machine checks in there (Linux: four).  RTAS calls are made in real mode,
 * too, and Linux does not get back to one after ibm,nmi-interlock.
 */
static bool in_handler(RasDevice *d, CPUState *cs)
{
    target_ulong msr = cpu_env(cs)->msr;

    return spapr_ras_ready(d) && !vhyp_cpu_in_nested(POWERPC_CPU(cs)) &&
           !(FIELD_EX64(msr, MSR, RI) && FIELD_EX64(msr, MSR, IR) &&
             FIELD_EX64(msr, MSR, DR));
}

/*
 * A guest that never leaves its handler gets the error in the end, and the next
 * ones at once.  Time in which QEMU is frozen does not count as the guest's.
 */
static bool spapr_ras_put_off(RasDevice *d, CPUState *cs)
{
    SpaprRasVcpu *v = &SPAPR_RAS(d)->vcpu[cs->cpu_index];
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    /* vCPUs do not run under qtest */
    if (qtest_enabled()) {
        return false;
    }
    if (!in_handler(d, cs)) {
        v->cpu = NULL;
        return false;
    }
    if (v->cpu == cs) {
        v->left_ns -= MIN(now - v->seen_ns, 2 * RAS_PUT_OFF_NS);
    } else {
        v->cpu = cs;
        v->left_ns = HANDLER_LEAVE_NS;
    }
    v->seen_ns = now;
    return v->left_ns > 0;
}

/* LoPAR R1-7.3.14-13: r3, the fixed part, the extended log */
static void write_save_area(hwaddr area, target_ulong r3,
                            const RtasElogMcLogBytes *log)
{
    uint8_t saved[8];

    stq_be_p(saved, r3);
    address_space_write(&address_space_memory, area + SAVE_AREA_R3,
                        MEMTXATTRS_UNSPECIFIED, saved, sizeof(saved));
    address_space_write(&address_space_memory, area + SAVE_AREA_LOG,
                        MEMTXATTRS_UNSPECIFIED, log, sizeof(*log));
}

/* The first instruction of the handler cannot be fetched: no use in trying. */
static bool handler_failed(const SpaprMachineState *spapr,
                           const CPUPPCState *env, const RasError *error)
{
    target_ulong handler = is_registered(spapr) ?
                           spapr->fwnmi_machine_check_addr : MCHECK_VECTOR;

    return error->access == RAS_ACCESS_FETCH && env->nip == handler &&
           !FIELD_EX64(env->msr, MSR, PR) && !FIELD_EX64(env->msr, MSR, IR);
}

static RasRecordResult spapr_ras_record(RasDevice *d, RasRecordPart *part,
                                        CPUState *cs, const char **why)
{
    SpaprMachineState *spapr = SPAPR_MACHINE(qdev_get_machine());
    PowerPCCPU *cpu = POWERPC_CPU(cs);
    RtasElogMcLogBytes log;
    hwaddr area;

    if (vhyp_cpu_in_nested(cpu)) {
        return RAS_RECORD_NONE;
    }
    /* a hypervisor runs its guests with ME=1; H_GUEST_RUN_VCPU may hide that */
    if (!kvm_enabled() && !FIELD_EX64(cpu->env.msr, MSR, ME)) {
        *why = "machine checks are disabled, MSR[ME]=0";
        return RAS_RECORD_CHECKSTOP;
    }
    if (handler_failed(spapr, &cpu->env, part->error)) {
        *why = "the machine check handler cannot be fetched";
        return RAS_RECORD_CHECKSTOP;
    }
    if (!is_registered(spapr)) {
        return RAS_RECORD_NONE;
    }
    area = usable_rtas_area(spapr, SAVE_AREA_END);
    if (!area) {
        *why = "the RTAS area of the guest is not usable RAM";
        return RAS_RECORD_CHECKSTOP;
    }
    spapr_mce_build_log(ppc_mce_cpu(&cpu->env), part->error, part->id,
                        cpu->vcpu_id, &log);
    if (SPAPR_RAS(d)->fatal_reported) {
        /* LoPAR R1-7.3.14-15 */
        rtas_elog_put_severity(&log, RTAS_ELOG_SEVERITY_ALREADY_REPORTED);
    }
    write_save_area(area, cpu->env.gpr[3], &log);
    cpu->env.gpr[3] = area + SAVE_AREA_R3;
    spapr->fwnmi_machine_check_interlock = cpu->vcpu_id;
    return RAS_RECORD_WRITTEN;
}

/*
 * Was it a prefixed instruction that made the access?  KVM says so in SRR1.
 * What was injected has nothing to do with the instruction at NIP.
 */
static bool is_prefixed(CPUState *cs, const RasError *error)
{
    CPUPPCState *env = cpu_env(cs);
    uint8_t word[INSTRUCTION_SIZE];

    if ((error->origin != RAS_ORIGIN_POISON &&
         error->origin != RAS_ORIGIN_ACCESS) ||
        error->access == RAS_ACCESS_FETCH ||
        !(env->insns_flags2 & PPC2_ISA310) ||
        cpu_memory_rw_debug(cs, env->nip, word, sizeof(word), false) < 0) {
        return false;
    }
    return (FIELD_EX64(env->msr, MSR, LE) ? ldl_le_p(word) : ldl_be_p(word)) >>
           OPCODE_SHIFT == OPCODE_PREFIX;
}

/* What the CPU itself does on a machine check, before it jumps. */
static void set_syndrome(CPUState *cs, const RasError *error)
{
    CPUPPCState *env = cpu_env(cs);
    SpaprMceRegs regs;
    uint64_t cause;

    spapr_mce_from_error(ppc_mce_cpu(env), error, &cause, &regs);
    if (is_prefixed(cs, error)) {
        cause |= PPC_MCE_SRR1_PREFIXED;
    }
    env->spr[SPR_SRR0] = env->nip;
    env->spr[SPR_SRR1] = (env->msr & ~PPC_MCE_SRR1_NOT_MSR_MASK) | cause;
    env->spr[SPR_DSISR] = regs.dsisr;
    env->spr[SPR_DAR] = regs.dar;
}

/*
 * What an interrupt does to the MSR and ppc_cpu_do_fwnmi_machine_check() does
 * not: it sets SF, and turns a transaction into a suspended one.
 */
static void fix_entry_msr(CPUPPCState *env, target_ulong old_msr)
{
#if defined(TARGET_PPC64)
    env->msr |= 1ULL << MSR_SF;
    if (old_msr & ((1ULL << MSR_TS0) | (1ULL << MSR_TS1))) {
        env->msr |= 1ULL << MSR_TS1;
    }
    hreg_compute_hflags(env);
#endif
}

/*
 * At once: an exception that TCG only has pending would be replaced by a
 * system reset, and would move without its cause.
 */
static void enter(CPUState *cs, target_ulong routine)
{
    CPUPPCState *env = cpu_env(cs);
    target_ulong msr = env->msr;

    ppc_cpu_do_fwnmi_machine_check(cs, routine);
    fix_entry_msr(env, msr);
}

static const char *spapr_ras_notify(RasDevice *d, const RasError *error,
                                    CPUState *cs, bool recorded)
{
    SpaprMachineState *spapr = SPAPR_MACHINE(qdev_get_machine());
    PowerPCCPU *cpu = POWERPC_CPU(cs);

    set_syndrome(cs, error);
    cs->halted = 0;
    if (recorded) {
        SPAPR_RAS(d)->fatal_reported |= error->severity == RAS_SEVERITY_FATAL;
        enter(cs, spapr->fwnmi_machine_check_addr);
        return "machine check at the registered handler, with an RTAS error "
               "log";
    }
    if (vhyp_cpu_in_nested(cpu)) {
        /* ends the call by which its hypervisor runs it, as on hardware */
        cpu->vhyp_class->deliver_hv_excp(cpu, POWERPC_EXCP_MCHECK);
        return "machine check of a nested guest, to its hypervisor";
    }
    enter(cs, MCHECK_VECTOR);
    return "machine check interrupt at 0x200, without a log, because the "
           "guest has not registered a handler";
}

/*
 * LoPAR 7.3.14: a second machine check on the processor that owns the save
 * area is beyond recovery.
 */
static bool spapr_ras_second_error(RasDevice *d, const RasError *error,
                                   const char **why)
{
    *why = "second machine check before ibm,nmi-interlock";
    return false;
}

/* Whoever has not called ibm,nmi-interlock by now does not own the area. */
static void spapr_ras_reclaim(RasDevice *d)
{
    SPAPR_MACHINE(qdev_get_machine())->fwnmi_machine_check_interlock = -1;
}

static void spapr_ras_reset(RasDevice *d)
{
    unsigned int max_cpus = MACHINE(qdev_get_machine())->smp.max_cpus;
    SpaprRasState *s = SPAPR_RAS(d);

    memset(s->repair, 0, max_cpus * sizeof(*s->repair));
    memset(s->vcpu, 0, max_cpus * sizeof(*s->vcpu));
    s->fatal_reported = false;
}

static unsigned int spapr_ras_record_pages(RasDevice *d)
{
    return 1;
}

static const char *spapr_ras_channel_name(RasDevice *d, RasChannel channel)
{
    return channel == RAS_CHANNEL_EXCEPTION ? "RTAS error log, FWNMI" : NULL;
}

/* --- migration ------------------------------------------------------------ */

static bool is_needed(void *opaque)
{
    return SPAPR_RAS(opaque)->fatal_reported && ras_has_errors(opaque);
}

static const VMStateDescription vmstate_spapr_ras = {
    .name = "spapr/ras",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = is_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(fatal_reported, SpaprRasState),
        VMSTATE_END_OF_LIST()
    },
};

static const RasInjectMethods spapr_ras_inject = {
    .fill_machine_check = spapr_mce_fill,
};

static void spapr_ras_class_init(ObjectClass *oc, RAS_CLASS_DATA *data)
{
    RasDeviceClass *rc = RAS_CLASS(oc);

    DEVICE_CLASS(oc)->vmsd = &vmstate_spapr_ras;
    rc->channel_name = spapr_ras_channel_name;
    rc->record_pages = spapr_ras_record_pages;
    rc->accesses = spapr_ras_accesses;
    rc->machine_check = spapr_ras_machine_check;
    rc->check = spapr_ras_check;
    rc->ready = spapr_ras_ready;
    rc->vcpu_online = spapr_ras_vcpu_online;
    rc->put_off = spapr_ras_put_off;
    rc->record = spapr_ras_record;
    rc->notify = spapr_ras_notify;
    rc->second_error = spapr_ras_second_error;
    rc->reclaim = spapr_ras_reclaim;
    rc->reset = spapr_ras_reset;
    rc->inject = &spapr_ras_inject;
}

void spapr_ras_create(SpaprMachineState *spapr)
{
    SpaprRasState *s;

    if (!spapr->ras) {
        return;
    }
    s = SPAPR_RAS(ras_create(TYPE_SPAPR_RAS));
    s->repair = g_new0(SpaprMceRepair, MACHINE(spapr)->smp.max_cpus);
    s->vcpu = g_new0(SpaprRasVcpu, MACHINE(spapr)->smp.max_cpus);
}

static bool get_ras(Object *obj, Error **errp)
{
    return SPAPR_MACHINE(obj)->ras;
}

static void set_ras(Object *obj, bool value, Error **errp)
{
    if (phase_check(PHASE_MACHINE_INITIALIZED)) {
        error_setg(errp, "Property 'ras' can be set only before the machine "
                   "has been created");
        return;
    }
    SPAPR_MACHINE(obj)->ras = value;
}

/*
 * A guest without errors sees no difference, so all versions of the machine
 * have it.  One that is not to have it clears SpaprMachineClass::ras in its
 * class options.
 */
void spapr_ras_machine_class_init(ObjectClass *oc)
{
    SPAPR_MACHINE_CLASS(oc)->ras = true;
    object_class_property_add_bool(oc, "ras", get_ras, set_ras);
    object_class_property_set_description(oc, "ras",
                                          "Deliver hardware errors to the "
                                          "guest, and let them be injected; "
                                          "if off, machine checks of KVM are "
                                          "all that it gets (default: on)");
}

static const TypeInfo spapr_ras_types[] = {
    {
        .name = TYPE_SPAPR_RAS,
        .parent = TYPE_RAS,
        .instance_size = sizeof(SpaprRasState),
        .class_init = spapr_ras_class_init,
    },
};

DEFINE_TYPES(spapr_ras_types)
