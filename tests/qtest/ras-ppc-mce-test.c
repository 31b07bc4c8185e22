/*
 * QTest of guest RAS on "pseries": kind machine-check of ras-inject
 *
 * Each cause that each CPU has, by name and by register: registers, section MC
 * of the log, and what is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/* One way to inject, and what the guest gets. */
typedef struct MachineCheck {
    const char *json;           /* besides kind and vcpu */
    uint32_t srr1, dsisr;       /* bits that tell the cause; DSISR */
    uint8_t type, sub_type;     /* bytes 16 and 17 of section MC */
    uint8_t head;               /* second byte of the log */
} MachineCheck;

#define SRR1_CAUSES 0x083c0000
#define EA "'effective-address': 1311768467463790320"   /* 0x123456789abcdef0 */
#define RA "'logical-address': 67113216"                /* PAGE(1) + 256 */

#define LOST      (3 << 5 | 2 << 3 | 1 << 2)    /* error sync, not recovered */
#define LIMITED   (3 << 5 | 1 << 3 | 1 << 2)
#define RECOVERED (3 << 5 | 0 << 3 | 1 << 2)
#define FATAL     (5 << 5 | 2 << 3 | 1 << 2)

static void check_machine_checks(const char *cpu, const MachineCheck *checks,
                                 size_t n)
{
    RasVm *vm = start_registered(cpu);

    for (size_t i = 0; i < n; i++) {
        g_autofree char *json = g_strdup_printf("{ 'kind': 'machine-check',"
                                                " 'vcpu': 0, 'immediate': true,"
                                                " %s }", checks[i].json);
        const MachineCheck *c = &checks[i];
        bool has_ea = strstr(c->json, "effective");
        RtasReading log;

        g_test_message("%s", c->json);
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'ras-inject',"
                                 " 'arguments': %p }",
                                 qobject_from_json(json, &error_abort));
        wait_entries(vm, i + 1);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & SRR1_CAUSES, ==, c->srr1);
        g_assert_cmphex(mail(vm, MAIL_DSISR), ==, c->dsisr);
        if (c->srr1 & SRR1_LOAD_STORE) {
            g_assert_cmphex(mail(vm, MAIL_DAR), ==,
                            has_ea ? 0x123456789abcdef0 : 0);
        }
        log = read_log(vm);
        g_assert_cmphex(log.bytes[1], ==, c->head);
        g_assert_cmphex(log.mc.processor_id, ==, 0);
        g_assert_cmphex(log.mc.error_type, ==, c->type);
        g_assert_cmphex(log.mc.sub_error_type, ==, c->sub_type);
        g_assert_cmphex(log.mc.effective_address, ==,
                        has_ea && c->type != 3 ? 0x123456789abcdef0 : 0);
        g_assert_cmphex(log.mc.logical_address, ==,
                        strstr(c->json, "logical") ? PAGE(1) + 256 : 0);
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
        if (c->head == FATAL) {
            /* what follows is not "already reported" */
            g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
        }
    }
    ras_assert_count(vm, "acknowledged", n);
    ras_quit(vm);
}

#define NAMED(cls, sub) "'class': '" cls "', 'sub-type': '" sub "'"
#define DATA 0x200000

static const MachineCheck on_all[] = {
    { NAMED("ue", "fetch") ", " RA, 0x00040000, 0, 0, 0xa1, LOST },
    { NAMED("ue", "table-walk-fetch") ", " EA ", " RA,
      0x00180000, 0, 0, 0xe2, LOST },
    { NAMED("ue", "load-store") ", " EA ", " RA, DATA, 0x8000, 0, 0xe3, LOST },
    { NAMED("ue", "load-store"), DATA, 0x8000, 0, 0x83, LOST },
    { NAMED("ue", "table-walk-load-store") ", " EA ", " RA,
      DATA, 0x4000, 0, 0xe4, LOST },
    { NAMED("slb", "parity") ", " EA, DATA, 0x100, 1, 0x80, LOST },
    { NAMED("slb", "multi-hit") ", " EA, DATA, 0x80, 1, 0x81, LOST },
    { NAMED("slb", "multi-hit") ", 'fetch': true", 0x000c0000, 0, 1, 1, LOST },
    { NAMED("erat", "multi-hit"), DATA, 0x800, 2, 2, LOST },
    { NAMED("tlb", "multi-hit") ", " EA, DATA, 0x400, 4, 0x82, LOST },
    { NAMED("tlb", "multi-hit") ", 'fetch': true", 0x00140000, 0, 4, 2, LOST },
    /* no code in the registers */
    { NAMED("erat", "parity") ", " EA, 0, 0, 2, 0x81, LOST },
    { NAMED("tlb", "parity"), 0, 0, 4, 1, LOST },
    { "'class': 'd-cache'", 0, 0, 5, 0, LOST },
    { "'class': 'i-cache', 'disposition': 'limited'", 0, 0, 7, 0, LIMITED },
    /* what the platform did */
    { NAMED("tlb", "multi-hit") ", 'disposition': 'recovered'",
      DATA, 0x400, 4, 2, RECOVERED },
    { NAMED("slb", "parity") ", 'disposition': 'limited'",
      DATA, 0x100, 1, 0, LIMITED },
    { NAMED("ue", "load-store") ", 'disposition': 'not-recovered'",
      DATA, 0x8000, 0, 0x83, LOST },
    /* by register; what is in none of the tables is unknown, not UE */
    { "'srr1': 2097152, 'dsisr': 128", DATA, 0x80, 1, 1, LOST },
    { "'srr1': 786432", 0x000c0000, 0, 1, 1, LOST },
    { "'srr1': 2097152, 'dsisr': 1", DATA, 1, 3, 0, LOST },
    { "'srr1': 2097152, " EA, DATA, 0, 3, 0, LOST },
    { "'srr1': 0", 0, 0, 3, 0, LOST },
};

/* What all CPUs have, by name and by register */
static void test_machine_check(const void *cpu)
{
    check_machine_checks(cpu, on_all, ARRAY_SIZE(on_all));
}

static void test_machine_check_power7(void)
{
    static const MachineCheck checks[] = {
        { NAMED("slb", "parity-or-multi-hit"), DATA, 0x40, 1, 2, LOST },
        { NAMED("slb", "parity-or-multi-hit") ", 'fetch': true",
          0x00100000, 0, 1, 2, LOST },
    };

    check_machine_checks("-cpu power7_v2.3", checks, ARRAY_SIZE(checks));
}

static void test_machine_check_power8(void)
{
    static const MachineCheck checks[] = {
        { NAMED("erat", "multi-hit") ", 'fetch': true",
          0x00100000, 0, 2, 2, LOST },
        { "'srr1': 2097152, 'dsisr': 512, " EA, DATA, 0x200, 2, 0x82, LOST },
        { NAMED("link", "load"), DATA, 0x2000, 3, 0, LOST },
        { NAMED("link", "table-walk-load-store"), DATA, 0x1000, 3, 0, LOST },
        { NAMED("link", "fetch"), 0x08000000, 0, 3, 0, LOST },
    };

    check_machine_checks("-cpu power8_v2.0", checks, ARRAY_SIZE(checks));
}

/* Stores that fail late are fatal. */
static void test_machine_check_power9(void)
{
    static const MachineCheck checks[] = {
        { NAMED("link", "store"), DATA | 0x08180000, 0, 3, 0, FATAL },
        { NAMED("real-address", "store"), DATA | 0x08140000, 0, 8, 0x10,
          FATAL },
        { NAMED("real-address", "store") ", 'disposition': 'limited'",
          DATA | 0x08140000, 0, 8, 0x10, LIMITED },
        { NAMED("user", "tlbie"), DATA, 0x200, 3, 0, LOST },
    };

    check_machine_checks("-cpu power9_v2.2", checks, ARRAY_SIZE(checks));
}

static void test_machine_check_power10(void)
{
    static const MachineCheck checks[] = {
        { NAMED("real-address", "load") ", " EA, DATA, 0x40, 8, 0x90, LOST },
        { NAMED("real-address", "load-store-foreign") ", " EA,
          DATA, 0x08, 8, 0x90, LOST },
        { NAMED("real-address", "table-walk-load-store-foreign"),
          DATA, 0x10, 8, 0, LOST },
        { NAMED("real-address", "table-walk-fetch-foreign"),
          0x081c0000, 0, 8, 0, LOST },
        { NAMED("real-address", "fetch-foreign"), 0x001c0000, 0, 8, 0x10,
          LOST },
        { NAMED("user", "scv"), 0x08080000, 0, 3, 0, LOST },
        { "'srr1': 538968064, 'dsisr': 32768", DATA, 0x8000, 0, 0x83, LOST },
    };

    check_machine_checks("-cpu power10_v2.0", checks, ARRAY_SIZE(checks));
}

/* Is it accepted?  The VM is stopped, so the error waits. */
static bool has_machine_check(RasVm *vm, const char *cls, const char *subtype)
{
    g_autofree char *sub = subtype ?
        g_strdup_printf(", 'sub-type': '%s'", subtype) : g_strdup("");
    g_autofree char *json = g_strdup_printf("{ 'kind': 'machine-check',"
                                            " 'vcpu': 0, 'class': '%s'%s }",
                                            cls, sub);
    QDict *answer = qtest_qmp(vm->qts, "{ 'execute': 'ras-inject',"
                              " 'arguments': %p }",
                              qobject_from_json(json, &error_abort));
    bool has = qdict_haskey(answer, "return");

    qobject_unref(answer);
    return has;
}

/* Each CPU model has the causes that it has, and no others. */
static void test_machine_check_causes(void)
{
    static const char *const sub_types[] = {
        NULL, "fetch", "fetch-foreign", "table-walk-fetch",
        "table-walk-fetch-foreign", "load", "store", "load-store",
        "load-store-foreign", "table-walk-load-store",
        "table-walk-load-store-foreign", "parity", "multi-hit",
        "parity-or-multi-hit", "tlbie", "scv",
    };
    static const char *const cpus[] = {
        "power7_v2.3", "power8_v2.0", "power9_v2.2", "power10_v2.0",
    };
    static const char all_addresses[] = "fetch fetch-foreign table-walk-fetch "
        "table-walk-fetch-foreign load store load-store-foreign "
        "table-walk-load-store table-walk-load-store-foreign";
    static const struct {
        const char *cls;
        const char *has[ARRAY_SIZE(cpus)];
    } classes[] = {
#define ALL(list) { list, list, list, list }
        { "ue", ALL("fetch table-walk-fetch load-store "
                    "table-walk-load-store") },
        { "slb", { "parity multi-hit parity-or-multi-hit",
                   "parity multi-hit", "parity multi-hit",
                   "parity multi-hit" } },
        { "erat", ALL("parity multi-hit") },
        { "tlb", ALL("parity multi-hit") },
        { "d-cache", ALL("none") },
        { "i-cache", ALL("none") },
        { "link", { "", "fetch table-walk-fetch load table-walk-load-store",
                    "fetch table-walk-fetch load store table-walk-load-store",
                    "" } },
        { "real-address", { "", "", all_addresses, all_addresses } },
        { "user", { "", "", "tlbie", "tlbie scv" } },
#undef ALL
    };

    for (int c = 0; c < ARRAY_SIZE(cpus); c++) {
        g_autofree char *options = g_strdup_printf("-cpu %s", cpus[c]);
        RasVm *vm = start_registered(options);

        ras_stop(vm);
        for (int i = 0; i < ARRAY_SIZE(classes); i++) {
            g_autoptr(GString) has = g_string_new(NULL);

            for (int j = 0; j < ARRAY_SIZE(sub_types); j++) {
                if (has_machine_check(vm, classes[i].cls, sub_types[j])) {
                    g_string_append_printf(has, "%s%s", has->len ? " " : "",
                                           sub_types[j] ?: "none");
                }
            }
            g_assert_cmpstr(has->str, ==, classes[i].has[c]);
        }
        ras_quit(vm);
    }
}

static void refused(RasVm *vm, const char *arguments, const char *pattern)
{
    g_autofree char *json = g_strdup_printf("{ 'kind': 'machine-check', %s }",
                                            arguments);

    ras_assert_refused(vm, "ras-inject",
                       qobject_to(QDict, qobject_from_json(json,
                                                           &error_abort)),
                       pattern, 1);
}

static void test_machine_check_refused(void)
{
    RasVm *vm = start_registered("-cpu power9_v2.2");

    refused(vm, "'vcpu': 2, " NAMED("slb", "parity"),
            "There is no vCPU 2; *");
    refused(vm, "'vcpu': 1, " NAMED("slb", "parity"), "vCPU 1 is offline*");
    refused(vm, "'vcpu': 0", "Either parameter 'class' or parameter 'srr1'*");
    refused(vm, "'vcpu': 0, 'class': 'slb'", "Class 'slb' needs parameter "
            "'sub-type'; a POWER9 has parity, multi-hit");
    refused(vm, "'vcpu': 0, " NAMED("user", "scv"), "A POWER9 has no machine "
            "checks of class 'user', sub-type 'scv'; of this class it has "
            "tlbie");
    refused(vm, "'vcpu': 0, " NAMED("ue", "load-store") ", 'fetch': true",
            "A POWER9 has no machine checks of class 'ue', sub-type "
            "'load-store' for instruction fetches; of this class it has "
            "fetch, table-walk-fetch");
    refused(vm, "'vcpu': 0, " NAMED("d-cache", "parity"),
            "Class 'd-cache' has no sub-types; leave out 'sub-type'");
    refused(vm, "'vcpu': 0, 'class': 'd-cache', 'fetch': true",
            "Class 'd-cache' says by itself*; leave out 'fetch'");
    refused(vm, "'vcpu': 0, 'class': 'd-cache', " EA,
            "The log of a cache error has no address; *");
    refused(vm, "'vcpu': 0, " NAMED("slb", "parity") ", " RA,
            "Parameter 'logical-address' is only for memory errors*");
    refused(vm, "'vcpu': 0, " NAMED("ue", "load-store") ", " EA,
            "*give 'logical-address', too");
    refused(vm, "'vcpu': 0, 'srr1': 2097152, 'dsisr': 32768, " EA,
            "*give 'logical-address', too");
    refused(vm, "'vcpu': 0, " NAMED("ue", "load-store")
            ", 'logical-address': 1099511627776",
            "0x10000000000 is not RAM of the guest*");
    refused(vm, "'vcpu': 0, 'srr1': 0, 'class': 'slb'",
            "Parameter 'class' and parameter 'srr1' both say*");
    refused(vm, "'vcpu': 0, 'srr1': 0, 'sub-type': 'load'",
            "Parameter 'sub-type' and parameter 'srr1' both say*");
    refused(vm, "'vcpu': 0, " NAMED("slb", "parity") ", 'dsisr': 1",
            "Parameter 'dsisr' goes with 'srr1', not with 'class'");
    refused(vm, "'vcpu': 0, 'srr1': 538968064", "Parameter 'srr1' 0x20200000 "
            "has bits other than those of causes on a POWER9, "
            "0x83c0000");
    refused(vm, "'vcpu': 0, 'srr1': 2097152, 'dsisr': 65536",
            "Parameter 'dsisr' 0x10000 has bits other than those of "
            "causes, 0xffff");
    refused(vm, "'vcpu': 0, 'srr1': 262144, 'dsisr': 1",
            "Parameter 'dsisr' counts only if bit 0x200000 is set in 'srr1'");
    ras_assert_count(vm, "accepted", 0);
    ras_quit(vm);

    vm = start_registered("-cpu power7_v2.3");
    refused(vm, "'vcpu': 0, " NAMED("link", "load"), "A POWER7 has no machine "
            "checks of class 'link'; it has those of ue, slb, erat, tlb, "
            "d-cache, i-cache");
    refused(vm, "'vcpu': 0, 'srr1': 134217728", "*on a POWER7, 0x3c0000");
    ras_quit(vm);
}

/* A guest that has registered nothing has registers, but no log. */
static void test_machine_check_vector(void)
{
    RasVm *vm = start_guest("");

    refused(vm, "'vcpu': 0, 'class': 'd-cache'",
            "No register can say what failed*; wait until it has booted");
    refused(vm, "'vcpu': 0, " NAMED("slb", "parity")
            ", 'disposition': 'recovered'", "*only be notified of "
            "recoverable errors; wait until it has booted");
    /* it has set r3 when it has loaded something */
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, MAILBOX);
    ras_wait_until(vm, mail(vm, MAIL_DONE));
    ras_inject(vm, "{ 'kind': 'machine-check', 'vcpu': 0, 'class': 'slb',"
               " 'sub-type': 'parity', 'effective-address': 4660 }");
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, IDLE_R3);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & SRR1_CAUSES, ==, DATA);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x100);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, 4660);
    ras_wait_count(vm, "delivered", 1);
    ras_quit(vm);
}

/* One that waits, and has been recovered with limits, moves as it is. */
static void test_machine_check_moves(void)
{
    RasVm *vm = start_registered("");
    RtasReading log;
    uint64_t entries;

    ras_consume(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_inject(vm, "{ 'kind': 'machine-check', 'vcpu': 0, 'class': 'i-cache',"
               " 'disposition': 'limited' }");
    vm = move(vm, NULL);
    entries = mail(vm, MAIL_ENTRIES);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, entries + 1);
    log = read_log(vm);
    g_assert_cmphex(log.bytes[1], ==, LIMITED);
    g_assert_cmphex(log.mc.error_type, ==, 7);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_data_func("/ras/pseries/machine-check/power7",
                        "-cpu power7_v2.3", test_machine_check);
    qtest_add_data_func("/ras/pseries/machine-check/power8",
                        "-cpu power8_v2.0", test_machine_check);
    qtest_add_data_func("/ras/pseries/machine-check/power9",
                        "-cpu power9_v2.2", test_machine_check);
    qtest_add_data_func("/ras/pseries/machine-check/power10",
                        "-cpu power10_v2.0", test_machine_check);
    qtest_add_func("/ras/pseries/machine-check/power7-only",
                   test_machine_check_power7);
    qtest_add_func("/ras/pseries/machine-check/power8-only",
                   test_machine_check_power8);
    qtest_add_func("/ras/pseries/machine-check/power9-only",
                   test_machine_check_power9);
    qtest_add_func("/ras/pseries/machine-check/power10-only",
                   test_machine_check_power10);
    qtest_add_func("/ras/pseries/machine-check/causes",
                   test_machine_check_causes);
    qtest_add_func("/ras/pseries/machine-check/refused",
                   test_machine_check_refused);
    qtest_add_func("/ras/pseries/machine-check/vector",
                   test_machine_check_vector);
    qtest_add_func("/ras/pseries/machine-check/moves",
                   test_machine_check_moves);
    return g_test_run();
}
