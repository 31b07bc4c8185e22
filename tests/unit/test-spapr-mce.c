/*
 * Guest RAS: machine checks from registers to RasError to RTAS log
 *
 * What KVM reports (raw SRR1, DSISR, DAR) becomes an error, the error becomes
 * registers and a log again: nothing of it may get lost or be made up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/ppc/spapr_mce.h"
#include "oracle/rtas-reader.h"

#define LOAD_STORE PPC_MCE_SRR1_LOAD_STORE
#define MSR_BITS 0x8000000000001032ULL

static const SpaprMceRegs ue_load = {
    .srr1 = MSR_BITS | LOAD_STORE,
    .dsisr = 0x8000,
    .dar = 0x7fff12345678,
    .nip = 0x10000abc,
};

/* The log that the guest gets, as it reads it */
static RtasReading log_of(PpcMceCpu cpu, const RasError *e)
{
    g_autoptr(GString) why = g_string_new(NULL);
    RtasElogMcLogBytes bytes;
    RtasReading log;

    memset(&bytes, 0xaa, sizeof(bytes));
    spapr_mce_build_log(cpu, e, 0x11223344, 5, &bytes);
    if (!rtas_read((uint8_t *)&bytes, sizeof(bytes), &log, why) ||
        !rtas_read_strict(&log, why)) {
        g_error("%s", why->str);
    }
    g_assert_cmphex(log.plid, ==, 0x11223344);
    g_assert_cmpuint(log.mc.processor_id, ==, 5);
    g_assert_cmpint(log.initiator, ==, RTAS_ELOG_ENTITY_CPU);
    g_assert_cmpint(log.target, ==, log.mc.error_type == RTAS_MC_TYPE_UE ?
                                    RTAS_ELOG_ENTITY_MEMORY :
                                    RTAS_ELOG_ENTITY_CPU);
    return log;
}

/* DSISR bit 48: POWER does not say where; DAR is left over from before. */
static void test_ue_load_has_no_address(void)
{
    RasError e;

    for (PpcMceCpu cpu = 0; cpu < PPC_MCE_CPU__MAX; cpu++) {
        g_assert_true(spapr_mce_to_error(cpu, &ue_load,
                                         SPAPR_MCE_NOT_RECOVERED, &e));
        g_assert_cmpint(e.class, ==, RAS_ERROR_CLASS_MEMORY);
        g_assert_cmpint(e.severity, ==, RAS_SEVERITY_RECOVERABLE);
        g_assert_true(e.synchronous);
        g_assert_false(e.has_vaddr || e.has_addr);
        g_assert_cmphex(e.vaddr, ==, 0);
        g_assert_cmphex(e.syndrome.srr1, ==, ue_load.srr1);
        g_assert_cmphex(e.syndrome.dsisr, ==, 0x8000);
        g_assert_cmphex(e.syndrome.dar, ==, ue_load.dar);
    }
}

static void test_table_walk_has_dar(void)
{
    SpaprMceRegs regs = ue_load;
    RasError e;

    regs.dsisr = 0x4000;
    g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs,
                                     SPAPR_MCE_NOT_RECOVERED, &e));
    g_assert_cmpint(e.class, ==, RAS_ERROR_CLASS_MEMORY);
    g_assert_true(e.has_vaddr);
    g_assert_cmphex(e.vaddr, ==, regs.dar);
}

static void test_fetch_has_nip(void)
{
    SpaprMceRegs regs = { .srr1 = MSR_BITS | 0x00040000, .nip = 0x10000abc };
    RasError e;

    g_assert_true(spapr_mce_to_error(PPC_MCE_POWER8, &regs,
                                     SPAPR_MCE_NOT_RECOVERED, &e));
    g_assert_cmpint(e.class, ==, RAS_ERROR_CLASS_MEMORY);
    g_assert_cmpint(e.access, ==, RAS_ACCESS_FETCH);
    g_assert_true(e.has_vaddr);
    g_assert_cmphex(e.vaddr, ==, 0x10000abc);
}

static void test_kinds(void)
{
    static const struct {
        uint32_t dsisr;
        RasErrorClass class;
    } rows[] = {
        { 0x0080, RAS_ERROR_CLASS_SLB }, { 0x0100, RAS_ERROR_CLASS_SLB },
        { 0x0800, RAS_ERROR_CLASS_ERAT }, { 0x0400, RAS_ERROR_CLASS_TLB },
        { 0x2000, RAS_ERROR_CLASS_BUS }, { 0x0040, RAS_ERROR_CLASS_BUS },
        { 0x0200, RAS_ERROR_CLASS_UNKNOWN },
        { 0x0001, RAS_ERROR_CLASS_UNKNOWN },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        SpaprMceRegs regs = ue_load;
        RasError e;

        regs.dsisr = rows[i].dsisr;
        g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs,
                                         SPAPR_MCE_NOT_RECOVERED, &e));
        g_assert_cmpint(e.class, ==, rows[i].class);
    }
}

/*
 * KVM says "fully recovered" of what it has not looked at.  If SRR1 says that
 * something failed, the guest would run into it again, for ever.
 */
static void test_recovered_only_without_cause(void)
{
    static const struct {
        uint64_t srr1;
        uint32_t dsisr;
    } causes[] = {
        { LOAD_STORE, 0 }, { LOAD_STORE, 0x8000 }, { LOAD_STORE, 0x4000 },
        { 0x00040000 }, { 0x00180000 }, { 0x001c0000 }, { 0x08000000 },
    };
    SpaprMceRegs regs = { .srr1 = MSR_BITS };
    RasError e;

    for (PpcMceCpu cpu = 0; cpu < PPC_MCE_CPU__MAX; cpu++) {
        regs.srr1 = MSR_BITS;
        g_assert_true(spapr_mce_to_error(cpu, &regs,
                                         SPAPR_MCE_FULLY_RECOVERED, &e));
        g_assert_cmpint(e.severity, ==, RAS_SEVERITY_CORRECTED);
        g_assert_false(ras_error_parks(&e) || e.limited);
        for (size_t i = 0; i < G_N_ELEMENTS(causes); i++) {
            regs.srr1 = MSR_BITS | causes[i].srr1;
            regs.dsisr = causes[i].dsisr;
            g_assert_true(spapr_mce_to_error(cpu, &regs,
                                             SPAPR_MCE_FULLY_RECOVERED, &e));
            g_assert_cmpint(e.severity, ==, RAS_SEVERITY_RECOVERABLE);
            g_assert_true(ras_error_parks(&e));
        }
    }
}

/* Hosts before Linux 5.11 flush these, and say so. */
static const struct {
    uint64_t srr1;
    uint32_t dsisr;
} arrays[] = {
    { LOAD_STORE, 0x0080 }, { LOAD_STORE, 0x0100 }, { LOAD_STORE, 0x0400 },
    { LOAD_STORE, 0x0800 },
    { 0x00080000 }, { 0x000c0000 }, { 0x00100000 }, { 0x00140000 },
};

static void test_repaired(void)
{
    for (PpcMceCpu cpu = 0; cpu < PPC_MCE_CPU__MAX; cpu++) {
        for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
            SpaprMceRegs regs = {
                .srr1 = MSR_BITS | arrays[i].srr1, .dsisr = arrays[i].dsisr,
            };
            RasError e;

            g_assert_true(spapr_mce_to_error(cpu, &regs,
                                             SPAPR_MCE_FULLY_RECOVERED, &e));
            g_assert_cmpint(e.severity, ==, RAS_SEVERITY_CORRECTED);
            g_assert_false(ras_error_parks(&e) || e.limited);
            g_assert_cmpint(log_of(cpu, &e).disposition, ==,
                            RTAS_ELOG_DISPOSITION_FULLY_RECOVERED);
            /* newer ones say that, and leave the repair to the guest */
            g_assert_true(spapr_mce_to_error(cpu, &regs,
                                             SPAPR_MCE_NOT_RECOVERED, &e));
            g_assert_cmpint(e.severity, ==, RAS_SEVERITY_RECOVERABLE);
        }
    }
}

/* A nested host has looked at nothing, and says so of these, too. */
static void test_repaired_once(void)
{
    static const struct {
        uint64_t nip;
        SpaprMceDisposition said;
        bool has_cause;
        RasSeverity severity;
    } rows[] = {
        { 0x100, SPAPR_MCE_FULLY_RECOVERED, true, RAS_SEVERITY_CORRECTED },
        { 0x104, SPAPR_MCE_FULLY_RECOVERED, true, RAS_SEVERITY_CORRECTED },
        { 0x104, SPAPR_MCE_FULLY_RECOVERED, true, RAS_SEVERITY_RECOVERABLE },
        /* the guest has been told, and may have done something about it */
        { 0x104, SPAPR_MCE_FULLY_RECOVERED, true, RAS_SEVERITY_CORRECTED },
        { 0x104, SPAPR_MCE_NOT_RECOVERED, true, RAS_SEVERITY_RECOVERABLE },
        { 0x104, SPAPR_MCE_FULLY_RECOVERED, true, RAS_SEVERITY_CORRECTED },
        /* something that has hit the host, while the vCPU waits */
        { 0x108, SPAPR_MCE_FULLY_RECOVERED, false, RAS_SEVERITY_CORRECTED },
        { 0x108, SPAPR_MCE_FULLY_RECOVERED, false, RAS_SEVERITY_CORRECTED },
    };
    SpaprMceRepair repair = { 0 };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        SpaprMceRegs regs = {
            .srr1 = MSR_BITS | (rows[i].has_cause ? LOAD_STORE : 0),
            .dsisr = 0x0400,
            .nip = rows[i].nip,
        };
        RasError e;

        g_assert_true(spapr_mce_of_kvm(ppc_mce_decode(PPC_MCE_POWER9, regs.srr1,
                                                      regs.dsisr),
                                       &regs, rows[i].said,
                                       &repair, &e));
        g_assert_cmpint(e.severity, ==, rows[i].severity);
    }
}

/* The machine check has overwritten SRR0 and SRR1: no going on. */
static void test_recovered_only_with_ri(void)
{
    static const SpaprMceDisposition said[] = {
        SPAPR_MCE_FULLY_RECOVERED, SPAPR_MCE_LIMITED_RECOVERY,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        SpaprMceRegs regs = { .srr1 = MSR_BITS & ~PPC_MCE_SRR1_RI };
        RasError e;

        g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs, said[i], &e));
        g_assert_cmpint(e.severity, ==, RAS_SEVERITY_RECOVERABLE);
        g_assert_true(ras_error_parks(&e) && !e.limited);
        regs.srr1 |= PPC_MCE_SRR1_RI;
        g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs, said[i], &e));
        g_assert_cmpint(e.severity, ==, RAS_SEVERITY_CORRECTED);
    }
}

static void test_dispositions(void)
{
    static const struct {
        SpaprMceDisposition said;
        RasSeverity severity;
        RtasElogDisposition logged;
    } rows[] = {
        { SPAPR_MCE_NOT_SAID, RAS_SEVERITY_RECOVERABLE,
          RTAS_ELOG_DISPOSITION_NOT_RECOVERED },
        { SPAPR_MCE_FULLY_RECOVERED, RAS_SEVERITY_CORRECTED,
          RTAS_ELOG_DISPOSITION_FULLY_RECOVERED },
        { SPAPR_MCE_LIMITED_RECOVERY, RAS_SEVERITY_CORRECTED,
          RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY },
        { SPAPR_MCE_NOT_RECOVERED, RAS_SEVERITY_RECOVERABLE,
          RTAS_ELOG_DISPOSITION_NOT_RECOVERED },
    };
    SpaprMceRegs regs = { .srr1 = MSR_BITS };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RtasReading log;
        RasError e;

        g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs, rows[i].said,
                                         &e));
        g_assert_cmpint(e.severity, ==, rows[i].severity);
        log = log_of(PPC_MCE_POWER9, &e);
        g_assert_cmpint(log.disposition, ==, rows[i].logged);
    }
}

/* --- which memory has failed --------------------------------------------- */

#define PAGE_MASK (-(uint64_t)RAS_PAGE_SIZE)

static RasError add_access(uint64_t cause, uint32_t dsisr, uint64_t dar,
                           const RasStorageAccess *access, unsigned int n)
{
    SpaprMceRegs regs = {
        .srr1 = MSR_BITS | cause, .dsisr = dsisr, .dar = dar,
        .nip = access[0].vaddr,
    };
    RasError e;

    g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs,
                                     SPAPR_MCE_NOT_RECOVERED, &e));
    spapr_mce_add_access(access, n, &e);
    return e;
}

static void assert_page(const RasError *e, const RasStorageAccess *access)
{
    g_assert_true(e->has_addr && e->has_vaddr);
    g_assert_cmphex(e->vaddr, ==, access->vaddr);
    g_assert_cmphex(e->addr, ==, access->addr);
    g_assert_cmphex(e->first, ==, access->addr & PAGE_MASK);
    g_assert_cmpuint(e->len, ==, RAS_PAGE_SIZE);
    g_assert_cmpint(e->access, ==, access->kind);
}

static const RasStorageAccess accesses[] = {
    { RAS_ACCESS_FETCH, true, 0x10000abc, 0x1230abc },
    { RAS_ACCESS_STORE, true, 0x7fff12345ffe, 0x4560ffe },
    { RAS_ACCESS_STORE, true, 0x7fff12346000, 0x789a000 },
};

/* DAR is left over from before: it must not matter. */
static void test_data_of_the_instruction(void)
{
    static const uint64_t dar[] = { 0, 0x10000abc, 0xc000000012345678ULL };

    for (size_t i = 0; i < G_N_ELEMENTS(dar); i++) {
        RasError e = add_access(LOAD_STORE, 0x8000, dar[i], accesses, 2);

        assert_page(&e, &accesses[1]);
    }
}

static void test_data_in_two_pages(void)
{
    RasError e = add_access(LOAD_STORE, 0x8000, 0x7fff12345ffe, accesses, 3);

    assert_page(&e, &accesses[1]);
    e = add_access(LOAD_STORE, 0x8000, 0x7fff12346004, accesses, 3);
    assert_page(&e, &accesses[2]);

    /* one of them is good, and nothing says which */
    e = add_access(LOAD_STORE, 0x8000, 0x123, accesses, 3);
    g_assert_false(e.has_addr || e.has_vaddr);
}

static void test_instruction_itself(void)
{
    RasError e = add_access(0x00040000, 0x8000, 0x7fff12345ffe, accesses, 3);

    assert_page(&e, &accesses[0]);
}

/* Not in what is fetched or loaded: which page it is nobody knows. */
static void test_page_table(void)
{
    static const uint64_t srr1[] = { LOAD_STORE, 0x00180000 };

    for (size_t i = 0; i < G_N_ELEMENTS(srr1); i++) {
        RasError e = add_access(srr1[i], 0x4000, 0x7fff12345ffe, accesses, 2);
        RtasReading log;

        g_assert_cmpint(e.class, ==, RAS_ERROR_CLASS_MEMORY);
        g_assert_false(e.has_addr);
        /* with the address of the data Linux would give up their page */
        log = log_of(PPC_MCE_POWER9, &e);
        g_assert_cmpint(log.mc.error_type, ==, RTAS_MC_TYPE_UE);
        g_assert_false(log.mc.ea_valid || log.mc.ra_valid);
    }
}

static void test_not_mapped(void)
{
    RasStorageAccess unmapped[] = { accesses[0], accesses[1] };
    RtasReading log;
    RasError e;

    unmapped[1].has_addr = false;
    e = add_access(LOAD_STORE, 0x8000, 0, unmapped, 2);
    g_assert_true(e.has_vaddr);
    g_assert_cmphex(e.vaddr, ==, accesses[1].vaddr);
    g_assert_false(e.has_addr);
    log = log_of(PPC_MCE_POWER9, &e);
    g_assert_false(log.mc.ea_valid || log.mc.ra_valid);

    /* and if the instruction has no data */
    e = add_access(LOAD_STORE, 0x8000, 0x7fff12345ffe, accesses, 1);
    g_assert_false(e.has_addr || e.has_vaddr);
}

/* SLB, ERAT, TLB: the address in DAR is right, and there is no page. */
static void test_no_page_for_arrays(void)
{
    RasError e = add_access(LOAD_STORE, 0x0400, 0x7fff12345678, accesses, 2);
    RtasReading log;

    g_assert_false(e.has_addr);
    g_assert_cmphex(e.vaddr, ==, 0x7fff12345678);
    log = log_of(PPC_MCE_POWER9, &e);
    g_assert_true(log.mc.ea_valid);
}

static void test_asynchronous_store_is_fatal(void)
{
    SpaprMceRegs regs = { .srr1 = LOAD_STORE | 0x08140000, .dsisr = 0x8000 };
    RasError e;

    spapr_mce_to_error(PPC_MCE_POWER9, &regs, SPAPR_MCE_NOT_RECOVERED, &e);
    g_assert_cmpint(e.class, ==, RAS_ERROR_CLASS_BUS);
    g_assert_cmpint(e.severity, ==, RAS_SEVERITY_FATAL);
    g_assert_cmpint(e.access, ==, RAS_ACCESS_STORE);
    g_assert_false(e.has_vaddr);
}

static void test_spurious(void)
{
    SpaprMceRegs regs = { .srr1 = LOAD_STORE, .dsisr = 0x02000000 };
    RasError e;

    g_assert_false(spapr_mce_to_error(PPC_MCE_POWER9, &regs,
                                      SPAPR_MCE_NOT_RECOVERED, &e));
    g_assert_true(spapr_mce_to_error(PPC_MCE_POWER10, &regs,
                                     SPAPR_MCE_NOT_RECOVERED, &e));
    g_assert_cmpint(e.class, ==, RAS_ERROR_CLASS_UNKNOWN);
}

/* The cause survives the way back, MSR bits are not mixed into it. */
static void test_syndrome_goes_back(void)
{
    SpaprMceRegs regs = { .srr1 = 1, .nip = 2 };
    SpaprMceRegs prefixed = ue_load;
    uint64_t cause;
    RasError e;

    prefixed.srr1 |= PPC_MCE_SRR1_PREFIXED;
    spapr_mce_to_error(PPC_MCE_POWER10, &prefixed, SPAPR_MCE_NOT_RECOVERED, &e);
    spapr_mce_from_error(PPC_MCE_POWER10, &e, &cause, &regs);
    g_assert_cmphex(cause, ==, LOAD_STORE | PPC_MCE_SRR1_PREFIXED);
    g_assert_cmphex(regs.dsisr, ==, 0x8000);
    g_assert_cmphex(regs.dar, ==, ue_load.dar);
    g_assert_cmphex(regs.srr1, ==, 1);
    g_assert_cmphex(regs.nip, ==, 2);
}

static RasError poison_hit(RasAccess access)
{
    return (RasError) {
        .class = RAS_ERROR_CLASS_MEMORY,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_POISON,
        .access = access,
        .synchronous = true,
        .has_addr = true,
        .has_vaddr = true,
        .addr = 0x12345008,
        .vaddr = 0x7fff00000008,
        .len = 4096,
    };
}

/* The registers made for poison mean on that CPU what happened. */
static void test_poison_registers(void)
{
    for (PpcMceCpu cpu = 0; cpu < PPC_MCE_CPU__MAX; cpu++) {
        for (RasAccess access = RAS_ACCESS_LOAD;
             access <= RAS_ACCESS_FETCH; access++) {
            RasError e = poison_hit(access);
            SpaprMceRegs regs;
            const PpcMceInfo *info;
            uint64_t cause;

            spapr_mce_from_error(cpu, &e, &cause, &regs);
            g_assert_cmphex(cause & ~PPC_MCE_SRR1_CAUSE_MASK, ==, 0);
            info = ppc_mce_decode(cpu, cause, regs.dsisr);
            g_assert_cmpint(info->cls, ==, PPC_MCE_CLASS_UE);
            g_assert_cmpint(info->subtype, ==,
                            access == RAS_ACCESS_FETCH ?
                            PPC_MCE_SUBTYPE_IFETCH :
                            PPC_MCE_SUBTYPE_LOAD_STORE);
            g_assert_cmphex(regs.dar, ==, 0x7fff00000008);
        }
    }
}

static void test_poison_log(void)
{
    RasError e = poison_hit(RAS_ACCESS_STORE);
    RtasReading log = log_of(PPC_MCE_POWER9, &e);

    g_assert_cmpint(log.severity, ==, RTAS_ELOG_SEVERITY_ERROR_SYNC);
    g_assert_cmpint(log.disposition, ==,
                    RTAS_ELOG_DISPOSITION_NOT_RECOVERED);
    g_assert_cmpint(log.mc.error_type, ==, RTAS_MC_TYPE_UE);
    g_assert_cmpint(log.mc.subtype, ==, RTAS_MC_UE_LOAD_STORE);
    g_assert_true(log.mc.ea_valid && log.mc.ra_valid && log.mc.transient);
    g_assert_cmphex(log.mc.effective_address, ==, 0x7fff00000008);
    g_assert_cmphex(log.mc.logical_address, ==, 0x12345008);
}

static void test_log_severities(void)
{
    RasError e = poison_hit(RAS_ACCESS_LOAD);
    RtasReading log;

    e.severity = RAS_SEVERITY_FATAL;
    log = log_of(PPC_MCE_POWER9, &e);
    g_assert_cmpint(log.severity, ==, RTAS_ELOG_SEVERITY_FATAL);
    g_assert_cmpint(log.disposition, ==, RTAS_ELOG_DISPOSITION_NOT_RECOVERED);

    e.severity = RAS_SEVERITY_CORRECTED;
    log = log_of(PPC_MCE_POWER9, &e);
    g_assert_cmpint(log.severity, ==, RTAS_ELOG_SEVERITY_ERROR_SYNC);
    g_assert_cmpint(log.disposition, ==,
                    RTAS_ELOG_DISPOSITION_FULLY_RECOVERED);
}

/* Recovered, but with limits from now on */
static void test_limited(void)
{
    RasError e = poison_hit(RAS_ACCESS_LOAD);
    RtasReading log;

    e.severity = RAS_SEVERITY_CORRECTED;
    e.limited = true;
    log = log_of(PPC_MCE_POWER9, &e);
    g_assert_cmpint(log.severity, ==, RTAS_ELOG_SEVERITY_ERROR_SYNC);
    g_assert_cmpint(log.disposition, ==,
                    RTAS_ELOG_DISPOSITION_LIMITED_RECOVERY);
}

/* What the log has no word for is unknown: neither UE nor something else. */
/*
 * What TCG has in the registers when an access finds nothing: only POWER9 and
 * later ones have codes for that, but the log is the same.
 */
static void test_log_of_access_to_nothing(void)
{
    static const struct {
        uint64_t srr1;
        uint32_t dsisr;
    } rows[] = {
        { LOAD_STORE, 0x0040 }, { 0x08340000 }, { 0x080c0000 },
    };

    for (PpcMceCpu cpu = PPC_MCE_POWER8; cpu < PPC_MCE_CPU__MAX; cpu++) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            RasError e = {
                .class = RAS_ERROR_CLASS_BUS,
                .severity = RAS_SEVERITY_RECOVERABLE,
                .origin = RAS_ORIGIN_ACCESS, .synchronous = true,
                .has_vaddr = true, .vaddr = 0x7fff12345678,
                .syndrome = { .valid = true, .srr1 = rows[i].srr1,
                              .dsisr = rows[i].dsisr },
            };
            RtasReading log = log_of(cpu, &e);

            g_assert_cmpint(log.mc.error_type, ==,
                            RTAS_MC_TYPE_CTRL_MEM_ACCESS);
            g_assert_cmpint(log.mc.subtype, ==,
                            RTAS_MC_CTRL_MEM_OPERAND_ACCESS);
            g_assert_true(log.mc.ea_valid);
            g_assert_cmphex(log.mc.effective_address, ==, e.vaddr);
        }
    }
}

static void test_log_unknown(void)
{
    static const struct {
        uint32_t srr1, dsisr;
        RtasMcType type;
        uint8_t subtype;
    } rows[] = {
        { LOAD_STORE, 0, RTAS_MC_TYPE_UNKNOWN },
        { LOAD_STORE, 1, RTAS_MC_TYPE_UNKNOWN },
        { 0, 0, RTAS_MC_TYPE_UNKNOWN },
        { LOAD_STORE, 0x2000, RTAS_MC_TYPE_UNKNOWN },           /* link */
        { LOAD_STORE, 0x0200, RTAS_MC_TYPE_UNKNOWN },           /* tlbie */
        /* bad real addresses are close to what type 8 is for */
        { LOAD_STORE, 0x0040, RTAS_MC_TYPE_CTRL_MEM_ACCESS,
          RTAS_MC_CTRL_MEM_OPERAND_ACCESS },
        { LOAD_STORE, 0x0020, RTAS_MC_TYPE_CTRL_MEM_ACCESS,
          RTAS_MC_CTRL_MEM_TABLE_WALK },
        { 0x08100000, 0, RTAS_MC_TYPE_CTRL_MEM_ACCESS,
          RTAS_MC_CTRL_MEM_TABLE_WALK },
        { 0x080c0000, 0, RTAS_MC_TYPE_CTRL_MEM_ACCESS,
          RTAS_MC_CTRL_MEM_OPERAND_ACCESS },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        SpaprMceRegs regs = { .srr1 = rows[i].srr1, .dsisr = rows[i].dsisr };
        RtasReading log;
        RasError e;

        g_assert_true(spapr_mce_to_error(PPC_MCE_POWER9, &regs,
                                         SPAPR_MCE_NOT_SAID, &e));
        log = log_of(PPC_MCE_POWER9, &e);
        g_assert_cmpint(log.mc.error_type, ==, rows[i].type);
        g_assert_cmpint(log.mc.subtype, ==, rows[i].subtype);
    }
}

/*
 * An error made from a cause has the cause in the registers of that CPU, or,
 * if it has none for it, nothing in the registers; a log it always has.
 */
static void test_make_error(void)
{
    for (PpcMceCpu cpu = 0; cpu < PPC_MCE_CPU__MAX; cpu++) {
        for (PpcMceClass cls = 0; cls < PPC_MCE_CLASS__MAX; cls++) {
            for (PpcMceSubtype sub = 0; sub < PPC_MCE_SUBTYPE__MAX; sub++) {
                SpaprMceRegs regs = { 0 };
                RtasReading log;
                uint64_t cause, bits;
                uint32_t dsisr;
                RasError e;
                bool coded = ppc_mce_encode_side(cpu, cls, sub,
                                                 PPC_MCE_SIDE_ANY, &bits,
                                                 &dsisr);

                if (!spapr_mce_make_error(cpu, cls, sub, PPC_MCE_SIDE_ANY,
                                          &e)) {
                    g_assert_false(coded);
                    continue;
                }
                g_assert_true(e.synchronous);
                g_assert_false(e.has_addr || e.has_vaddr);
                g_assert_cmpint(spapr_mce_is_log_only(&e), ==, !coded);
                spapr_mce_from_error(cpu, &e, &cause, &regs);
                g_assert_cmphex(cause, ==, bits);
                g_assert_cmphex(regs.dsisr, ==, dsisr);
                g_assert_cmpint(ppc_mce_decode(cpu, cause, regs.dsisr)->cls,
                                ==, coded ? cls : PPC_MCE_CLASS_UNKNOWN);
                log = log_of(cpu, &e);
                g_assert_cmpint(log.mc.error_type == RTAS_MC_TYPE_UE, ==,
                                cls == PPC_MCE_CLASS_UE);
            }
        }
    }
}

/* The causes that only a log has a word for */
static void test_log_only(void)
{
    static const struct {
        PpcMceClass cls;
        PpcMceSubtype subtype;
        RasErrorClass class;
        RtasMcType type;
        uint8_t rtas_subtype;
    } rows[] = {
        { PPC_MCE_CLASS_D_CACHE, PPC_MCE_SUBTYPE_INDETERMINATE,
          RAS_ERROR_CLASS_CACHE, RTAS_MC_TYPE_D_CACHE, 0 },
        { PPC_MCE_CLASS_I_CACHE, PPC_MCE_SUBTYPE_INDETERMINATE,
          RAS_ERROR_CLASS_CACHE, RTAS_MC_TYPE_I_CACHE, 0 },
        { PPC_MCE_CLASS_ERAT, PPC_MCE_SUBTYPE_PARITY,
          RAS_ERROR_CLASS_ERAT, RTAS_MC_TYPE_ERAT, RTAS_MC_ERAT_PARITY },
        { PPC_MCE_CLASS_TLB, PPC_MCE_SUBTYPE_PARITY,
          RAS_ERROR_CLASS_TLB, RTAS_MC_TYPE_TLB, RTAS_MC_TLB_PARITY },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (PpcMceSide side = 0; side <= PPC_MCE_SIDE_FETCH; side++) {
            RtasReading log;
            RasError e;

            g_assert_true(spapr_mce_make_error(PPC_MCE_POWER9, rows[i].cls,
                                               rows[i].subtype, side, &e));
            g_assert_cmpint(e.class, ==, rows[i].class);
            log = log_of(PPC_MCE_POWER9, &e);
            g_assert_cmpint(log.mc.error_type, ==, rows[i].type);
            g_assert_cmpint(log.mc.subtype, ==, rows[i].rtas_subtype);
        }
    }
}

/* Whatever a CPU reports, a valid log can be built, and UE is never made up. */
static void test_every_syndrome_has_a_log(void)
{
    for (int i = 0; i < 20000; i++) {
        PpcMceCpu cpu = g_test_rand_int_range(0, PPC_MCE_CPU__MAX);
        SpaprMceRegs regs = {
            .srr1 = (uint64_t)g_test_rand_int() << 32 |
                    (uint32_t)g_test_rand_int(),
            .dsisr = g_test_rand_bit() ? 1u << g_test_rand_int_range(0, 32) :
                     (uint32_t)g_test_rand_int(),
            .dar = g_test_rand_int(),
            .nip = g_test_rand_int(),
        };
        RtasReading log;
        RasError e;

        if (!spapr_mce_to_error(cpu, &regs, g_test_rand_int_range(0, 4), &e)) {
            continue;
        }
        log = log_of(cpu, &e);
        g_assert_cmpint(log.mc.error_type == RTAS_MC_TYPE_UE, ==,
                        ppc_mce_decode(cpu, regs.srr1, regs.dsisr)->cls ==
                        PPC_MCE_CLASS_UE);
    }
}

/* No error of ours, but a migration stream can have it. */
static void test_neither_syndrome_nor_memory(void)
{
    static const RasErrorClass kinds[] = {
        RAS_ERROR_CLASS_SLB, RAS_ERROR_CLASS_BUS, RAS_ERROR_CLASS_UNKNOWN,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        RasError e = poison_hit(RAS_ACCESS_LOAD);
        RtasReading log;

        e.class = kinds[i];
        log = log_of(PPC_MCE_POWER9, &e);
        g_assert_cmpint(log.mc.error_type, ==, RTAS_MC_TYPE_UNKNOWN);
        g_assert_false(log.mc.ea_valid || log.mc.ra_valid);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spapr-mce/ue-load-has-no-address",
                    test_ue_load_has_no_address);
    g_test_add_func("/spapr-mce/table-walk-has-dar", test_table_walk_has_dar);
    g_test_add_func("/spapr-mce/fetch-has-nip", test_fetch_has_nip);
    g_test_add_func("/spapr-mce/kinds", test_kinds);
    g_test_add_func("/spapr-mce/recovered-only-without-cause",
                    test_recovered_only_without_cause);
    g_test_add_func("/spapr-mce/repaired", test_repaired);
    g_test_add_func("/spapr-mce/repaired-once", test_repaired_once);
    g_test_add_func("/spapr-mce/recovered-only-with-ri",
                    test_recovered_only_with_ri);
    g_test_add_func("/spapr-mce/dispositions", test_dispositions);
    g_test_add_func("/spapr-mce/page/data-of-the-instruction",
                    test_data_of_the_instruction);
    g_test_add_func("/spapr-mce/page/data-in-two-pages",
                    test_data_in_two_pages);
    g_test_add_func("/spapr-mce/page/instruction-itself",
                    test_instruction_itself);
    g_test_add_func("/spapr-mce/page/page-table", test_page_table);
    g_test_add_func("/spapr-mce/page/not-mapped", test_not_mapped);
    g_test_add_func("/spapr-mce/page/none-for-arrays",
                    test_no_page_for_arrays);
    g_test_add_func("/spapr-mce/asynchronous-store-is-fatal",
                    test_asynchronous_store_is_fatal);
    g_test_add_func("/spapr-mce/spurious", test_spurious);
    g_test_add_func("/spapr-mce/syndrome-goes-back", test_syndrome_goes_back);
    g_test_add_func("/spapr-mce/poison-registers", test_poison_registers);
    g_test_add_func("/spapr-mce/poison-log", test_poison_log);
    g_test_add_func("/spapr-mce/log-severities", test_log_severities);
    g_test_add_func("/spapr-mce/limited", test_limited);
    g_test_add_func("/spapr-mce/log-unknown", test_log_unknown);
    g_test_add_func("/spapr-mce/log-of-access-to-nothing",
                    test_log_of_access_to_nothing);
    g_test_add_func("/spapr-mce/make-error", test_make_error);
    g_test_add_func("/spapr-mce/log-only", test_log_only);
    g_test_add_func("/spapr-mce/neither-syndrome-nor-memory",
                    test_neither_syndrome_nor_memory);
    g_test_add_func("/spapr-mce/every-syndrome-has-a-log",
                    test_every_syndrome_has_a_log);
    return g_test_run();
}
