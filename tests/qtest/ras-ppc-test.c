/*
 * QTest of guest RAS on the POWER machine "pseries"
 *
 * RTAS is called with the "rtas" command of qtest, always as the first vCPU.
 * ibm,nmi-register needs to know where the RTAS area is: property
 * linux,rtas-base in a device tree that the guest hands over with hypercall
 * KVMPPC_H_UPDATE_DT.  Only instructions make hypercalls, so these tests use
 * TCG, and as guest a few instructions that do what the test asks for in a
 * mailbox, and note there what a machine check brought them.
 *
 * Offsets and values are those of LoPAR 2.9 (7.3.14, 10.3.2) and the Power
 * ISA, written as numbers on purpose.
 *
 * RAS_STOCK_QEMU_PPC64: the same release of QEMU without guest RAS; the tests
 * that compare with it are skipped without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-qtest.h"

#define STOCK "RAS_STOCK_QEMU_PPC64"

#define H_CEDE 0xe0
#define H_PROD 0xe8
#define H_SIGNAL_SYS_RESET 0x380
#define H_RTAS 0xf000
#define H_UNKNOWN 0xeffc
#define H_UPDATE_DT 0xf003

/* RTAS tokens, as in the properties of node /rtas */
#define NMI_INTERLOCK_TOKEN 0x202c

/* RTAS status */
#define SUCCESS         0
#define PARAM_ERROR     (-3)

/* where things are in guest memory */
#define CLIENT          0x100       /* where the machine starts its guest */
#define VECTOR          0x200       /* machine check interrupt */
#define DECREMENTER     0x900       /* interrupt of the decrementer */
#define LOOP            0x3000
#define HANDLER         0x4000      /* what is registered */
#define OTHER_HANDLER   0x5000
#define RESET_HANDLER   0x6000
#define TRANSACTION     0x6800      /* vCPU that is in a transaction */
#define CROWD           0x7000      /* what many vCPUs run */
#define CROWD_HANDLER   0x7100
#define MAILBOX         0x8000
#define ARGS            0x9800
#define RETS            0xa000
#define DEVICE_TREE     (32 * MiB)
#define RTAS_BASE       (48 * MiB)
#define RMA_END         (256 * MiB) /* with one NUMA node */

/* the mailbox: double words */
#define MAIL_RESULT     0
#define MAIL_COMMAND    8           /* its argument; call it if not 0 */
#define MAIL_R3         16
#define MAIL_MSR        24
#define MAIL_SRR0       32
#define MAIL_SRR1       40
#define MAIL_DAR        48
#define MAIL_DSISR      56
#define MAIL_ENTRIES    64
#define MAIL_LOAD       72          /* address to load from, if not 0 */
#define MAIL_VALUE      80          /* what was loaded */
#define MAIL_DONE       88          /* loads that went well */
#define MAIL_HCALL      96          /* the hypercall to make */
#define MAIL_EVENT      104         /* number of the event, in the log */
#define MAIL_ENTERED    112         /* time base at the entry to the handler */
#define MAIL_LEFT       120         /* time base when it calls interlock */
#define MAIL_AUTO       128         /* MAIL_BLOCK: call it at once, or 0 */
#define MAIL_BLOCK      136         /* arguments of the RTAS call */
#define MAIL_SIZE       256

/* one for each vCPU of a crowd */
#define CROWD_MAX       17
#define MAILBOX_OF(n)   (MAILBOX + MAIL_SIZE * (n))

/* r3 of a guest that has nothing to do */
#define IDLE_R3 0x1234
/* r3 of the second vCPU, which has nothing to do either */
#define SECOND_R3 0x5678

/* save area in the RTAS area: r3, fixed part of the log, extended part */
#define SAVE_AREA       0x30
#define SAVE_AREA_LOG   (SAVE_AREA + 8)
#define SAVE_AREA_END   0x800
#define LOG_SIZE        216

#define PAGE(n) (64 * MiB + (n) * RAS_PAGE)

/* with MSR[ME]=0 it would be a check-stop; no guest of pseries can clear it */
#define MSR_ME 0x1000
#define MSR_RI 0x2
#define SRR1_LOAD_STORE 0x200000    /* bit 42 */

/* --- the guest ----------------------------------------------------------- */

typedef struct Code {
    QTestState *qts;
    uint64_t at;
} Code;

static void emit(Code *code, uint32_t instruction)
{
    qtest_writel(code->qts, code->at, instruction);
    code->at += 4;
}

static void emit_li(Code *code, int reg, uint32_t value)
{
    emit(code, 0x3c000000 | reg << 21 | value >> 16);               /* lis */
    emit(code, 0x60000000 | reg << 21 | reg << 16 | (value & 0xffff));
}

/* to or from the mailbox, whose address is in r9 */
static void emit_std(Code *code, int reg, int offset)
{
    emit(code, 0xf8000000 | reg << 21 | 9 << 16 | offset);
}

static void emit_ld(Code *code, int reg, int offset)
{
    emit(code, 0xe8000000 | reg << 21 | 9 << 16 | offset);
}

static uint32_t spr_field(int spr)
{
    return (spr & 31) << 16 | spr >> 5 << 11;
}

static void emit_mfspr(Code *code, int reg, int spr)
{
    emit(code, 0x7c0002a6 | reg << 21 | spr_field(spr));
}

static void emit_mtspr(Code *code, int reg, int spr)
{
    emit(code, 0x7c0003a6 | reg << 21 | spr_field(spr));
}

static void emit_branch(Code *code, uint64_t target)
{
    emit(code, 0x48000000 | ((target - code->at) & 0x03fffffc));
}

/* r4 = double word in the mailbox; go back to poll if it is 0 */
static void emit_poll(Code *code, int offset, uint64_t poll)
{
    emit_ld(code, 4, offset);
    emit(code, 0x2c240000);                                 /* cmpdi r4,0 */
    emit(code, 0x41820000 | ((poll - code->at) & 0xfffc));  /* beq */
}

static void emit_clear(Code *code, int offset)
{
    emit_li(code, 5, 0);
    emit_std(code, 5, offset);
}

static void emit_count(Code *code, int offset)
{
    emit_ld(code, 5, offset);
    emit(code, 0x38a50001);                                 /* addi r5,r5,1 */
    emit_std(code, 5, offset);
}

/*
 * For ever: make the hypercall whose number and argument are in the mailbox,
 * or load from the address that is there.
 */
static void write_client(QTestState *qts)
{
    Code code = { qts, CLIENT };
    uint64_t poll, load;

    emit_li(&code, 9, MAILBOX);
    poll = code.at;
    emit_li(&code, 3, IDLE_R3);
    load = code.at + 13 * 4;
    emit_poll(&code, MAIL_COMMAND, load);
    emit_clear(&code, MAIL_COMMAND);
    emit_ld(&code, 3, MAIL_HCALL);
    emit(&code, 0x44000022);                                /* sc 1 */
    emit_li(&code, 9, MAILBOX);
    emit_std(&code, 3, MAIL_RESULT);
    emit_branch(&code, poll);
    emit(&code, 0x60000000);                                /* nop */

    g_assert_cmphex(code.at, ==, load);
    emit_poll(&code, MAIL_LOAD, poll);
    emit_clear(&code, MAIL_LOAD);
    emit(&code, 0xe8a40000);                                /* ld r5,0(r4) */
    emit_std(&code, 5, MAIL_VALUE);
    emit_count(&code, MAIL_DONE);
    emit_branch(&code, poll);
    g_assert_cmphex(code.at, <=, VECTOR);
}

/* Note what a machine check routine gets, then go on as client. */
static void write_handler(QTestState *qts, uint64_t at)
{
    static const struct {
        int spr, offset;
    } sprs[] = {
        { 26, MAIL_SRR0 }, { 27, MAIL_SRR1 }, { 19, MAIL_DAR },
        { 18, MAIL_DSISR },
    };
    Code code = { qts, at };

    emit_li(&code, 9, MAILBOX);
    emit_std(&code, 3, MAIL_R3);
    emit(&code, 0x7c6000a6);                                /* mfmsr r3 */
    emit_std(&code, 3, MAIL_MSR);
    for (int i = 0; i < ARRAY_SIZE(sprs); i++) {
        emit_mfspr(&code, 3, sprs[i].spr);
        emit_std(&code, 3, sprs[i].offset);
    }
    emit_count(&code, MAIL_ENTRIES);
    emit_branch(&code, CLIENT);
    g_assert_cmphex(code.at, <=, at + 0x100);
}

static uint64_t mail(RasVm *vm, int offset)
{
    return qtest_readq(vm->qts, MAILBOX + offset);
}

/* Put the guest into a machine that was started with -S, and start it. */
static void run_guest(RasVm *vm)
{
    Code loop = { vm->qts, LOOP };

    qtest_memset(vm->qts, MAILBOX, 0, MAIL_SIZE * CROWD_MAX);
    write_client(vm->qts);
    write_handler(vm->qts, VECTOR);
    write_handler(vm->qts, HANDLER);
    write_handler(vm->qts, OTHER_HANDLER);
    write_handler(vm->qts, RESET_HANDLER);
    emit_branch(&loop, LOOP);
    ras_cont(vm);
}

/* TCG, and all the time of the world to call ibm,nmi-interlock */
#define PATIENT "-accel tcg -global spapr-ras.reclaim-ms=600000 "

static RasVm *start_guest(const char *options)
{
    g_autofree char *all = g_strdup_printf(PATIENT "-S %s", options);
    RasVm *vm = ras_start(all);

    run_guest(vm);
    return vm;
}

/* --- the device tree ----------------------------------------------------- */

static void add_be32(uint8_t *at, uint32_t value)
{
    stl_be_p(at, ldl_be_p(at) + value);
}

/* Offset of the first property of node /rtas */
static size_t find_rtas_node(const uint8_t *tree, size_t len)
{
    static const char node[] = "\0\0\0\1rtas\0\0\0";
    const uint8_t *found = memmem(tree, len, node, sizeof(node));

    g_assert_nonnull(found);
    return found + sizeof(node) - tree;
}

/*
 * The machine's device tree, with property linux,rtas-base in node /rtas: 16
 * bytes more of structure, and 16 bytes more of strings.
 */
static GByteArray *tree_with_rtas_base(RasVm *vm, uint32_t rtas_base)
{
    static const char name[] = "linux,rtas-base";
    g_autofree char *file = ras_temp_file();
    g_autofree char *old = NULL;
    GByteArray *tree = g_byte_array_new();
    uint8_t property[16];
    uint32_t strings;
    size_t len, at;

    QEMU_BUILD_BUG_ON(sizeof(name) != 16);
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'dumpdtb',"
                             " 'arguments': { 'filename': %s } }", file);
    old = ras_read_file(file, &len);
    g_unlink(file);
    g_assert_cmphex((uint32_t)ldl_be_p(old), ==, 0xd00dfeed);
    strings = ldl_be_p(old + 12);
    g_assert_cmpuint(strings + ldl_be_p(old + 32), ==, len);
    at = find_rtas_node((uint8_t *)old, len);

    stl_be_p(property, 3);
    stl_be_p(property + 4, 4);
    stl_be_p(property + 8, len - strings);
    stl_be_p(property + 12, rtas_base);
    g_byte_array_append(tree, (uint8_t *)old, at);
    g_byte_array_append(tree, property, sizeof(property));
    g_byte_array_append(tree, (uint8_t *)old + at, len - at);
    g_byte_array_append(tree, (const uint8_t *)name, sizeof(name));
    add_be32(tree->data + 4, 32);       /* total */
    add_be32(tree->data + 12, 16);      /* begin of strings */
    add_be32(tree->data + 32, 16);      /* size of strings */
    add_be32(tree->data + 36, 16);      /* size of structure */
    return tree;
}

static void start_hypercall(RasVm *vm, uint64_t number, uint64_t argument)
{
    qtest_writeq(vm->qts, MAILBOX + MAIL_RESULT, -1);
    qtest_writeq(vm->qts, MAILBOX + MAIL_HCALL, number);
    qtest_writeq(vm->qts, MAILBOX + MAIL_COMMAND, argument);
}

/* Let the guest hand over the device tree that is at DEVICE_TREE. */
static void update_tree(RasVm *vm)
{
    start_hypercall(vm, H_UPDATE_DT, DEVICE_TREE);
    ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1);
    g_assert_cmphex(mail(vm, MAIL_RESULT), ==, 0);
}

static void set_rtas_base(RasVm *vm, uint32_t rtas_base)
{
    g_autoptr(GByteArray) tree = tree_with_rtas_base(vm, rtas_base);

    qtest_memwrite(vm->qts, DEVICE_TREE, tree->data, tree->len);
    update_tree(vm);
}

/*
 * The same, later.  The tree is changed in guest memory: QEMU's "dumpdtb"
 * looks at memory that KVMPPC_H_UPDATE_DT has freed.
 */
static void change_rtas_base(RasVm *vm, uint32_t rtas_base)
{
    size_t len = qtest_readl(vm->qts, DEVICE_TREE + 4);
    g_autofree uint8_t *tree = g_malloc(len);

    qtest_memread(vm->qts, DEVICE_TREE, tree, len);
    qtest_writel(vm->qts, DEVICE_TREE + find_rtas_node(tree, len) + 12,
                 rtas_base);
    update_tree(vm);
}

/* --- RTAS ---------------------------------------------------------------- */

#define NO_STATUS 0x5a5a5a5a

/* Call RTAS with so many arguments and results; returns the status. */
static int32_t rtas(RasVm *vm, const char *name, uint32_t nargs,
                    const uint32_t *args, uint32_t nret)
{
    for (uint32_t i = 0; i < nargs; i++) {
        qtest_writel(vm->qts, ARGS + 4 * i, args[i]);
    }
    for (int i = -1; i < 8; i++) {
        qtest_writel(vm->qts, RETS + 4 * i, NO_STATUS);
    }
    g_assert_cmpuint(qtest_rtas_call(vm->qts, name, nargs, ARGS, nret, RETS),
                     ==, 0);
    g_assert_cmphex(qtest_readl(vm->qts, RETS - 4), ==, NO_STATUS);
    return qtest_readl(vm->qts, RETS);
}

static int32_t nmi_register(RasVm *vm, uint32_t system_reset,
                            uint32_t machine_check)
{
    uint32_t args[] = { system_reset, machine_check };

    return rtas(vm, "ibm,nmi-register", 2, args, 1);
}

static int32_t nmi_interlock(RasVm *vm)
{
    return rtas(vm, "ibm,nmi-interlock", 0, NULL, 1);
}

static void register_handler(RasVm *vm)
{
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    g_assert_true(ras_ready(vm));
}

/* A guest that has registered its machine check routine */
static RasVm *start_registered(const char *options)
{
    RasVm *vm = start_guest(options);

    register_handler(vm);
    return vm;
}

/* Let the second vCPU run, in a loop. */
static void start_second_vcpu(RasVm *vm)
{
    uint32_t args[] = { 1, LOOP, SECOND_R3 };

    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
}

/* Wait for the n-th machine check that the guest takes. */
static void wait_entries(RasVm *vm, uint64_t n)
{
    unsigned int panics = vm->panics;

    ras_wait_until(vm, mail(vm, MAIL_ENTRIES) == n || vm->panics > panics);
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, n);
}

/* --- records ------------------------------------------------------------- */

/* Only what a reader of the log goes by; all of its bytes: tests/unit. */
static void check_log(const uint8_t *log, uint64_t ea, uint64_t ra)
{
    static const struct {
        const char *id;
        unsigned int len;
    } sections[] = { { "PH", 48 }, { "UH", 24 }, { "PS", 80 }, { "MC", 40 } };
    const uint8_t *at = log + 8 + 16;

    /* version 6, error sync, not recovered, extended; platform error */
    g_assert_cmphex(log[0], ==, 6);
    g_assert_cmphex(log[1], ==, 0x74);
    g_assert_cmphex(log[2] >> 4, ==, 1);                    /* by a CPU */
    g_assert_cmphex(log[3], ==, 224);
    g_assert_cmpuint(ldl_be_p(log + 4), ==, LOG_SIZE - 8);
    g_assert_cmphex(log[8] & 0xc0, ==, 0xc0);   /* valid, unrecoverable */
    g_assert_cmphex(log[8 + 2], ==, 0x8e);      /* PowerPC, platform event */
    g_assert_cmpmem(log + 8 + 12, 4, "IBM", 4);

    for (int i = 0; i < ARRAY_SIZE(sections); i++) {
        g_assert_cmpmem(at, 2, sections[i].id, 2);
        g_assert_cmpuint(lduw_be_p(at + 2), ==, sections[i].len);
        at += sections[i].len;
    }
    g_assert_cmpuint(at - log, ==, LOG_SIZE);
    at -= 40;
    g_assert_cmphex(at[0x10], ==, 0);                       /* UE */
    /* page unusable, addresses given, load or store */
    g_assert_cmphex(at[0x11], ==, ea ? 0xe3 : 0xa3);
    g_assert_cmphex(ldq_be_p(at + 0x18), ==, ea);
    g_assert_cmphex(ldq_be_p(at + 0x20), ==, ra);
}

static void read_log(RasVm *vm, uint8_t *log)
{
    qtest_memread(vm->qts, RTAS_BASE + SAVE_AREA_LOG, log, LOG_SIZE);
}

static uint64_t consume_at(RasVm *vm, uint64_t address, uint64_t ea)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                      " 'severity': 'recoverable', 'address': %" PRIu64
                      ", 'virtual-address': %" PRIu64 ", 'vcpu': 0,"
                      " 'immediate': true }", address, ea);
}

/*
 * A registered handler gets its r3 saved, r3 pointing to it, the log behind
 * it, the registers of a machine check, and MSR as LoPAR wants it.
 */
static void test_handler(void)
{
    const uint64_t ea = 0xc0000000deadb008;
    RasVm *vm = start_guest("");
    uint8_t log[LOG_SIZE];
    QDict *step;
    uint64_t id;

    set_rtas_base(vm, RTAS_BASE);
    qtest_memset(vm->qts, RTAS_BASE, 0x99, RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    id = consume_at(vm, PAGE(1), ea);
    wait_entries(vm, 1);

    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA);
    g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + SAVE_AREA), ==, IDLE_R3);
    read_log(vm, log);
    check_log(log, ea, PAGE(1));
    for (int i = 0; i < SAVE_AREA; i++) {
        g_assert_cmphex(qtest_readb(vm->qts, RTAS_BASE + i), ==, 0x99);
    }
    g_assert_cmphex(qtest_readb(vm->qts, RTAS_BASE + SAVE_AREA_END), ==, 0x99);

    g_assert_cmphex(mail(vm, MAIL_MSR) & MSR_ME, ==, MSR_ME);
    g_assert_cmphex(mail(vm, MAIL_MSR) & MSR_RI, ==, 0);
    /* it was in the client's loop */
    g_assert_cmphex(mail(vm, MAIL_SRR0), >=, CLIENT);
    g_assert_cmphex(mail(vm, MAIL_SRR0), <, VECTOR);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & SRR1_LOAD_STORE, ==,
                    SRR1_LOAD_STORE);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x8000);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, ea);

    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_step(vm, id, "recorded");
    step = ras_next_step(vm, id, "notified");
    ras_assert_like(qdict_get_str(step, "delivery"),
                    "machine check at the registered handler*");
    qobject_unref(step);
    ras_expect_memory_failure(vm, "inject", false);
    ras_assert_state(vm, id, "notified");
    ras_assert_part(vm, "sources", "[ { 'name': 'RTAS error log, FWNMI', "
                    "'synchronous': true, 'ready': true, 'outstanding': 1 } "
                    "]");

    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_expect_step(vm, id, "acknowledged");
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/*
 * Bits 29 and 30 of the MSR: an active transaction is suspended for the
 * handler, one that was suspended stays so, and SRR1 has what was.
 */
static void test_transaction(void)
{
    const uint64_t active = 1ULL << 34, suspended = 1ULL << 33;
    const uint64_t states[] = { active, suspended };

    for (int i = 0; i < ARRAY_SIZE(states); i++) {
        RasVm *vm = start_registered("-cpu power8_v2.0");
        Code code = { vm->qts, TRANSACTION };
        Code inside = { vm->qts, TRANSACTION + 0x80 };
        uint32_t args[] = { 1, TRANSACTION, SECOND_R3 };

        emit_li(&code, 5, states[i] >> 32);
        emit(&code, 0x78a507c6);                            /* sldi r5,r5,32 */
        emit(&code, 0x7c8000a6);                            /* mfmsr r4 */
        emit(&code, 0x7c842b78);                            /* or r4,r4,r5 */
        emit_mtspr(&code, 4, 27);
        emit_li(&code, 4, inside.at);
        emit_mtspr(&code, 4, 26);
        emit(&code, 0x4c000024);                            /* rfid */
        emit_li(&inside, 9, MAILBOX);
        emit_count(&inside, MAIL_DONE);
        emit_branch(&inside, LOOP);

        g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
        ras_wait_until(vm, mail(vm, MAIL_DONE));
        ras_consume(vm, PAGE(0), 1);
        wait_entries(vm, 1);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & (active | suspended), ==,
                        states[i]);
        g_assert_cmphex(mail(vm, MAIL_MSR) & (active | suspended), ==,
                        suspended);
        ras_quit(vm);
    }
}

/* Without a handler: 0x200, with the cause in SRR1 and DSISR; r3 stays. */
static void test_vector(void)
{
    const uint64_t ea = 0xc000000012345678;
    RasVm *vm = start_guest("");

    g_assert_false(ras_ready(vm));
    /* the client has been round once */
    set_rtas_base(vm, RTAS_BASE);
    qtest_memset(vm->qts, RTAS_BASE, 0x99, RAS_PAGE);
    consume_at(vm, PAGE(1), ea);
    wait_entries(vm, 1);
    ras_wait_count(vm, "delivered", 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, IDLE_R3);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & SRR1_LOAD_STORE, ==,
                    SRR1_LOAD_STORE);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x8000);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, ea);
    for (int i = 0; i < RAS_PAGE; i += 8) {
        g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + i), ==,
                        0x9999999999999999);
    }
    ras_quit(vm);
}

/*
 * A guest that loads from poison: the log has the exact address, DAR too; the
 * next load works when the page is good again.
 */
static void test_load(const void *options)
{
    RasVm *vm = start_registered(options);
    uint64_t address = PAGE(3) + 0x248;
    uint64_t content = 0x1122334455667788;
    uint8_t log[LOG_SIZE];
    QDict *error;

    qtest_writeq(vm->qts, address, content);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, address);
    wait_entries(vm, 1);
    read_log(vm, log);
    check_log(log, address, address);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, address);
    g_assert_cmphex(mail(vm, MAIL_DSISR), ==, 0x8000);
    error = ras_next_step(vm, 1, "accepted");
    g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "poison");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "load");
    g_assert_cmphex(ras_get_uint(error, "address"), ==, address);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, address);
    qobject_unref(error);
    ras_assert_count(vm, "poison-other-accesses", 0);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);

    ras_unpoison(vm, PAGE(3), RAS_PAGE);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, address);
    ras_wait_until(vm, mail(vm, MAIL_DONE));
    g_assert_cmpuint(mail(vm, MAIL_DONE), ==, 1);
    g_assert_cmphex(mail(vm, MAIL_VALUE), ==, content);
    ras_assert_count(vm, "accepted", 1);
    ras_quit(vm);
}

/*
 * The lines of errors are in QEMU's log, and in no command of the monitor that
 * happens to be carried out when they are due: here, just after the guest has
 * entered its handler.
 */
static void test_log_of_monitor(void)
{
    /* fewer than the log takes in its window */
    enum { ERRORS = 18 };
    g_autofree char *file = ras_temp_file();
    g_autofree char *options = g_strdup_printf("2>%s", file);
    g_autofree char *log = NULL;
    RasVm *vm = start_registered(options);

    ras_poison(vm, PAGE(3), RAS_PAGE);
    for (unsigned int id = 1; id <= ERRORS; id++) {
        g_autofree char *said = NULL;

        qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(3));
        while (mail(vm, MAIL_ENTRIES) != id) {
            /* as soon as can be */
        }
        said = qtest_hmp(vm->qts, "info ras");
        g_assert_null(strstr(said, "ras: error"));
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    log = ras_read_file(file, NULL);
    for (unsigned int id = 1; id <= ERRORS; id++) {
        g_autofree char *line = g_strdup_printf("*qemu-*: warning: ras: error "
                                                "%u: memory*", id);

        ras_assert_like(log, line);
    }
    ras_quit(vm);
    g_unlink(file);
}

static RasVm *move(RasVm *vm, const char *binary);

/* Is there something in the stream that only guest RAS can load? */
static bool has_ras_state(RasVm *vm)
{
    /* in the description at its end */
    static const char name[] = "\"name\": \"ras\"";
    g_autofree char *file = ras_temp_file();
    g_autofree char *data = NULL;
    size_t len;

    ras_save(vm, file, "completed");
    ras_cont(vm);
    data = ras_read_file(file, &len);
    g_unlink(file);
    return memmem(data, len, name, strlen(name));
}

/* Second byte of the log of an error, the n-th that the guest takes. */
static uint8_t head_of(RasVm *vm, const char *severity, uint64_t n)
{
    uint8_t log[LOG_SIZE];

    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume', 'severity': %s,"
               " 'address': %" PRIu64 ", 'vcpu': 0, 'immediate': true }",
               severity, (uint64_t)PAGE(n));
    wait_entries(vm, n);
    read_log(vm, log);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    return log[1];
}

/* Severity as it was given; a corrected error is recovered. */
static void test_severity(void)
{
    static const struct {
        const char *name;
        uint8_t head;           /* second byte of the log */
    } cases[] = {
        { "recoverable", 3 << 5 | 2 << 3 | 1 << 2 },
        { "corrected", 3 << 5 | 0 << 3 | 1 << 2 },
        { "fatal", 5 << 5 | 2 << 3 | 1 << 2 },
    };
    RasVm *vm = start_registered("");
    uint32_t last_plid = 0;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t log[LOG_SIZE];
        uint32_t plid;

        ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume', 'severity': %s,"
                   " 'address': %" PRIu64 ", 'vcpu': 0, 'immediate': true }",
                   cases[i].name, (uint64_t)PAGE(i));
        wait_entries(vm, i + 1);
        read_log(vm, log);
        g_assert_cmphex(log[1], ==, cases[i].head);
        /* the number of the event is no other event's */
        plid = ldl_be_p(log + 8 + 16 + 0x28);
        g_assert_cmpuint(plid, !=, last_plid);
        last_plid = plid;
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    ras_assert_count(vm, "acknowledged", ARRAY_SIZE(cases));
    ras_quit(vm);
}

/* LoPAR 7.3.14: after a fatal error, everything is "already reported". */
static void test_after_fatal(void)
{
    const uint8_t fatal = 5 << 5, reported = 6 << 5, sync = 3 << 5;
    const uint8_t lost = 2 << 3 | 1 << 2, recovered = 1 << 2;
    RasVm *vm = start_registered("");

    g_assert_cmphex(head_of(vm, "fatal", 1), ==, fatal | lost);
    g_assert_cmphex(head_of(vm, "fatal", 2), ==, reported | lost);
    g_assert_cmphex(head_of(vm, "recoverable", 3), ==, reported | lost);
    g_assert_cmphex(head_of(vm, "corrected", 4), ==, reported | recovered);
    ras_assert_count(vm, "in-flight", 0);
    /* a QEMU without guest RAS could not take that along */
    g_assert_false(has_ras_state(vm));
    ras_poison(vm, PAGE(9), RAS_PAGE);
    g_assert_true(has_ras_state(vm));
    vm = move(vm, NULL);
    g_assert_cmphex(head_of(vm, "recoverable", mail(vm, MAIL_ENTRIES) + 1),
                    ==, reported | lost);

    /* nothing was reported to a new kernel, nor is after a reset */
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    g_assert_cmphex(head_of(vm, "recoverable", mail(vm, MAIL_ENTRIES) + 1),
                    ==, sync | lost);
    g_assert_cmphex(head_of(vm, "fatal", mail(vm, MAIL_ENTRIES) + 1), ==,
                    fatal | lost);
    ras_stop(vm);
    ras_reset(vm);
    run_guest(vm);
    register_handler(vm);
    g_assert_cmphex(head_of(vm, "recoverable", 1), ==, sync | lost);
    ras_quit(vm);
}

/* A machine check is about one address: more pages are refused. */
static void test_pages(void)
{
    RasVm *vm = start_registered("");

    ras_inject_refused(vm, "*one page*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'length': 8192, 'vcpu': 0 }",
                       (uint64_t)PAGE(0));
    ras_quit(vm);
}

/* Processors of another make, and records that its guests do not know */
static void test_records_refused(void)
{
    static const char no_cper[] =
        "This machine tells its guest of errors in another way than by CPER "
        "records; use kind 'memory'";
    RasVm *vm = start_registered("");

    ras_inject_refused(vm, "This machine has no Arm processors; use kind "
                       "'memory'", "{ 'kind': 'arm-processor', 'vcpu': 0,"
                       " 'type': 'cache', 'severity': 'recoverable' }");
    ras_inject_refused(vm, "This machine has no Arm processors, and so no "
                       "SErrors; use kind 'memory'",
                       "{ 'kind': 'serror', 'vcpu': 0 }");
    ras_inject_refused(vm, no_cper, "{ 'kind': 'cper', 'data': '' }");
    ras_inject_refused(vm, no_cper, "{ 'kind': 'cper', 'data': 'EQAA',"
                       " 'vcpu': 0 }");
    ras_assert_refused(vm, "inject-ghes-v2-error",
                       qdict_from_jsonf_nofail("{ 'cper': '*' }"), no_cper, 1);
    ras_quit(vm);
}

/* --- ibm,nmi-register ---------------------------------------------------- */

/* Without linux,rtas-base there is no place for a record. */
static void test_register_no_rtas_base(void)
{
    RasVm *vm = ras_start("");

    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    g_assert_false(ras_ready(vm));
    ras_quit(vm);
}

/* With cap-fwnmi=off there are no such calls, and errors go to 0x200. */
static void test_register_cap_off(void)
{
    RasVm *vm = ras_start_binary(NULL, ",cap-fwnmi=off", "-accel tcg -S");

    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    g_assert_cmpint(nmi_interlock(vm), ==, PARAM_ERROR);
    g_assert_false(ras_ready(vm));
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_assert_count(vm, "delivered", 1);
    ras_inject_refused(vm, "No register can say*; start it with cap-fwnmi=on",
                       "{ 'kind': 'machine-check', 'vcpu': 0,"
                       " 'class': 'd-cache' }");
    ras_quit(vm);
}

/* Wrong numbers of arguments or results are an error, and only that. */
static void test_register_counts(void)
{
    static const uint32_t args[] = { LOOP, HANDLER, 0 };
    static const struct {
        uint32_t nargs, nret;
    } cases[] = { { 0, 1 }, { 1, 1 }, { 3, 1 }, { 2, 2 }, { 2, 8 } };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_assert_cmpint(rtas(vm, "ibm,nmi-register", cases[i].nargs, args,
                             cases[i].nret), ==, PARAM_ERROR);
        g_assert_false(ras_ready(vm));
    }
    ras_quit(vm);
}

/* A caller without room for a status has no byte written behind its block. */
static void test_register_no_result(void)
{
    static const uint32_t args[] = { LOOP, HANDLER };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmphex(rtas(vm, "ibm,nmi-register", 2, args, 0), ==, NO_STATUS);
    g_assert_false(ras_ready(vm));
    ras_quit(vm);
}

/*
 * The routines are instructions in the first 32 MiB.  (The RMA is not smaller
 * on any machine that QEMU makes, so its end cannot be tried.)
 */
static void test_register_addresses(void)
{
    static const uint32_t bad[] = {
        32 * MiB, 32 * MiB + 4, HANDLER + 1, HANDLER + 2, HANDLER + 3,
        0x80000000, 0xfffffffc, 0xffffffff,
    };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(nmi_register(vm, LOOP, bad[i]), ==, PARAM_ERROR);
        g_assert_cmpint(nmi_register(vm, bad[i], HANDLER), ==, PARAM_ERROR);
        g_assert_false(ras_ready(vm));
    }
    g_assert_cmpint(nmi_register(vm, 32 * MiB - 4, 32 * MiB - 4), ==, SUCCESS);
    g_assert_true(ras_ready(vm));

    /* what fails leaves the registration as it was */
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(nmi_register(vm, LOOP, bad[i]), ==, PARAM_ERROR);
        g_assert_true(ras_ready(vm));
    }
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA);
    ras_quit(vm);
}

/*
 * The RTAS area, too, is the guest's word: whole pages of RAM in the RMA, or
 * no record.
 */
static void test_register_rtas_base(void)
{
    static const uint32_t bad[] = {
        0, RTAS_BASE + 2, RTAS_BASE + 4, RTAS_BASE + 2048, RMA_END - 4,
        RMA_END, RMA_END + 64 * KiB, 0x7ffffffc, 0x80000000, 0xfffff000,
        0xfffffffc,
    };
    RasVm *vm = start_guest("");

    set_rtas_base(vm, RTAS_BASE);
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        change_rtas_base(vm, bad[i]);
        g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
        g_assert_false(ras_ready(vm));
    }
    /* what just fits does */
    change_rtas_base(vm, RMA_END - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RMA_END - RAS_PAGE + SAVE_AREA);
    ras_quit(vm);
}

/*
 * The area has 16 bytes for each CPU that there may be: with 128 of them it
 * has a second page, which must be there, too, and not in other 256 MiB.
 */
static void test_register_area_size(void)
{
    RasVm *vm = start_guest("-m 512 -smp 2,maxcpus=128");

    set_rtas_base(vm, 256 * MiB - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    change_rtas_base(vm, 512 * MiB - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    change_rtas_base(vm, 512 * MiB - 2 * RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    change_rtas_base(vm, 256 * MiB - 2 * RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    ras_quit(vm);
}

/* RAM outside the real mode area cannot be reached by the handler. */
static void test_register_outside_rma(void)
{
    RasVm *vm = start_guest("-m 512 "
                            "-object memory-backend-ram,id=m0,size=256M "
                            "-object memory-backend-ram,id=m1,size=256M "
                            "-numa node,memdev=m0 -numa node,memdev=m1");

    set_rtas_base(vm, RMA_END);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    change_rtas_base(vm, RMA_END - RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    ras_quit(vm);
}

/*
 * Registering again is legal (kexec): from then on the new routine is
 * entered, and what the old one owned is nobody's.
 */
static void test_register_again(void)
{
    RasVm *vm = start_registered("");
    uint64_t first, second;

    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    first = consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    second = consume_at(vm, PAGE(1), 0);
    ras_assert_state(vm, second, "queued");
    ras_drop_events(vm);

    /* a routine that does nothing */
    g_assert_cmpint(nmi_register(vm, LOOP, LOOP), ==, SUCCESS);
    ras_expect_step(vm, first, "reclaimed");
    ras_expect_step(vm, second, "recorded");
    ras_expect_step(vm, second, "notified");
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, 1);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "reclaimed", 1);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* A reset ends the registration and frees the save area. */
static void test_reset(void)
{
    RasVm *vm = start_registered("");
    uint64_t id = consume_at(vm, PAGE(0), 0);

    wait_entries(vm, 1);
    ras_stop(vm);
    ras_drop_events(vm);
    ras_reset(vm);
    ras_expect_step(vm, id, "discarded");
    g_assert_false(ras_ready(vm));
    g_assert_cmpint(nmi_interlock(vm), ==, PARAM_ERROR);

    run_guest(vm);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_assert_count(vm, "delivered", 1);
    register_handler(vm);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 2);
    ras_assert_count(vm, "recorded", 2);
    ras_quit(vm);
}

/* --- unplug -------------------------------------------------------------- */

/* What the guest does with a core that it gives back: isolate, unusable. */
static void release_core(RasVm *vm, uint32_t core)
{
    static const uint32_t indicators[] = { 9001, 9003 };

    for (int i = 0; i < ARRAY_SIZE(indicators); i++) {
        uint32_t args[] = { indicators[i], 0x10000000 | core, 0 };

        g_assert_cmpint(rtas(vm, "set-indicator", 3, args, 1), ==, SUCCESS);
    }
}

/* Errors of a vCPU end with it, and do not block those of the others. */
static void test_unplug(void)
{
    RasVm *vm = ras_start("-S -smp 1,maxcpus=2 -device "
                          "power10_v2.0-spapr-cpu-core,core-id=1,id=c1");
    uint64_t gone, stays;

    start_second_vcpu(vm);
    gone = ras_consume(vm, PAGE(1), 1);
    stays = ras_consume(vm, PAGE(2), 0);
    ras_assert_part(vm, "parked", "[ 0, 1 ]");
    ras_drop_events(vm);
    qtest_qmp_device_del_send(vm->qts, "c1");
    release_core(vm, 1);
    ras_expect_step(vm, gone, "discarded");
    ras_assert_count(vm, "discarded", 1);
    ras_assert_part(vm, "parked", "[ 0 ]");
    ras_inject_refused(vm, "*no vCPU 1*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 1 }",
                       (uint64_t)PAGE(0));
    ras_cont(vm);
    ras_expect_step(vm, stays, "notified");
    ras_assert_count(vm, "delivered", 1);
    ras_quit(vm);
}

/* The save area of an owner that is unplugged is for others. */
static void test_unplug_owner(void)
{
    RasVm *vm = start_registered("-smp 1,maxcpus=2 -device "
                                 "power10_v2.0-spapr-cpu-core,core-id=1,"
                                 "id=c1");
    uint64_t gone, stays;

    start_second_vcpu(vm);
    gone = ras_consume(vm, PAGE(1), 1);
    wait_entries(vm, 1);
    stays = ras_consume(vm, PAGE(2), 0);
    ras_assert_state(vm, stays, "queued");
    ras_drop_events(vm);
    qtest_qmp_device_del_send(vm->qts, "c1");
    release_core(vm, 1);
    ras_expect_step(vm, gone, "discarded");
    ras_expect_step(vm, stays, "recorded");
    wait_entries(vm, 2);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* --- ibm,nmi-interlock --------------------------------------------------- */

/* Out of turn it does no harm, and says what LoPAR and Linux expect. */
static void test_interlock(void)
{
    static const uint32_t args[] = { 0 };
    RasVm *vm = start_guest("");
    uint64_t id;

    g_assert_cmpint(nmi_interlock(vm), ==, PARAM_ERROR);
    register_handler(vm);
    /* after a system reset there is nothing to release: success */
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);

    id = consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    g_assert_cmpint(rtas(vm, "ibm,nmi-interlock", 1, args, 1), ==,
                    PARAM_ERROR);
    g_assert_cmpint(rtas(vm, "ibm,nmi-interlock", 0, NULL, 2), ==,
                    PARAM_ERROR);
    g_assert_cmphex(rtas(vm, "ibm,nmi-interlock", 0, NULL, 0), ==, NO_STATUS);
    ras_assert_state(vm, id, "notified");
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/*
 * A second vCPU waits, parked, for the save area; the interlock of the owner
 * hands it over, that of another vCPU does not.
 */
static void test_second_vcpu(const void *options)
{
    RasVm *vm = start_registered(options);
    uint8_t before[LOG_SIZE], after[LOG_SIZE];
    uint64_t a, b;

    start_second_vcpu(vm);
    a = ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    read_log(vm, before);
    b = ras_consume(vm, PAGE(2), 1);
    g_usleep(20 * 1000);
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[ 1 ]");
    /* a parked vCPU does not keep the VM from being stopped */
    ras_stop(vm);
    ras_assert_part(vm, "parked", "[ 1 ]");
    ras_cont(vm);
    read_log(vm, after);
    g_assert_cmpmem(before, LOG_SIZE, after, LOG_SIZE);
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, 1);

    ras_drop_events(vm);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_expect_step(vm, a, "acknowledged");
    wait_entries(vm, 2);
    ras_expect_step(vm, b, "recorded");
    ras_expect_step(vm, b, "notified");
    ras_expect_memory_failure(vm, "inject", true);
    ras_assert_part(vm, "parked", "[]");
    read_log(vm, after);
    check_log(after, 0, PAGE(2));
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOOP);

    /* these calls come from the first vCPU, which does not own it */
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_state(vm, b, "notified");
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    ras_assert_count(vm, "reclaimed", 1);
    ras_quit(vm);
}

/*
 * A second injected error on the owner waits while the owner runs: it has
 * not consumed anything that it must not run past.
 */
static void test_second_same_vcpu(void)
{
    RasVm *vm = start_registered("");
    uint64_t a = ras_consume(vm, PAGE(1), 0), b;
    uint8_t log[LOG_SIZE];

    wait_entries(vm, 1);
    b = ras_consume(vm, PAGE(2), 0);
    g_usleep(20 * 1000);
    ras_assert_state(vm, a, "notified");
    ras_assert_state(vm, b, "queued");
    ras_assert_part(vm, "parked", "[]");
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, 2);
    read_log(vm, log);
    check_log(log, 0, PAGE(2));
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* A burst: one at a time, in order, none is lost. */
static void test_burst(void)
{
    const unsigned int n = 32;
    RasVm *vm = start_registered("");

    for (unsigned int i = 1; i <= n; i++) {
        g_assert_cmpuint(ras_consume(vm, PAGE(i), 0), ==, i);
    }
    for (unsigned int i = 1; i <= n; i++) {
        uint8_t log[LOG_SIZE];

        wait_entries(vm, i);
        read_log(vm, log);
        check_log(log, 0, PAGE(i));
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    ras_assert_count(vm, "acknowledged", n);
    ras_assert_count(vm, "in-flight", 0);
    ras_quit(vm);
}

/*
 * A log that nobody interlocks is reclaimed after reclaim-ms; the next error
 * gets the area, and a late interlock is nobody's.
 */
static void test_reclaim(void)
{
    RasVm *vm = start_registered("-global spapr-ras.reclaim-ms=50");
    uint64_t a = ras_consume(vm, PAGE(1), 0), b;

    wait_entries(vm, 1);
    b = ras_consume(vm, PAGE(2), 0);
    wait_entries(vm, 2);
    ras_assert_state(vm, a, "over");
    ras_wait_until(vm, ras_state_is(vm, b, "over"));
    ras_assert_count(vm, "reclaimed", 2);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 0);
    ras_quit(vm);
}

static RasVm *start_with_log(unsigned int reclaim_ms)
{
    g_autofree char *options =
        g_strdup_printf("-global spapr-ras.reclaim-ms=%u", reclaim_ms);
    RasVm *vm = start_registered(options);

    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    return vm;
}

/* While QEMU is frozen, the guest's time does not run out. */
static void test_reclaim_frozen(void)
{
    ras_check_frozen(start_with_log);
}

/*
 * Nor does the time that it has to leave its handler.  The first vCPU runs in
 * real mode, which counts as a handler.
 */
static void test_handler_frozen(void)
{
    const int64_t limit = G_TIME_SPAN_SECOND;

    for (;;) {
        RasVm *vm = start_registered("");
        int64_t begin = g_get_monotonic_time(), frozen;
        bool waits;

        ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume', 'severity':"
                   " 'recoverable', 'address': %" PRIu64 ", 'vcpu': 0 }",
                   (uint64_t)PAGE(1));
        /* the vCPU has seen the error when it has made a hypercall */
        start_hypercall(vm, H_UNKNOWN, 1);
        ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1);
        frozen = g_get_monotonic_time();
        g_assert_cmpint(kill(qtest_pid(vm->qts), SIGSTOP), ==, 0);
        g_usleep(limit * 3 / 2);
        g_assert_cmpint(kill(qtest_pid(vm->qts), SIGCONT), ==, 0);
        frozen = g_get_monotonic_time() - frozen;
        g_usleep(20 * 1000);
        /* with the second command, timers that are due have run */
        ras_pump(vm);
        ras_pump(vm);
        start_hypercall(vm, H_UNKNOWN, 1);
        ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1 ||
                           ras_count(vm, "notified"));
        waits = ras_count(vm, "notified") == 0;
        if (g_get_monotonic_time() - begin - frozen < limit / 2) {
            g_assert_true(waits);
            /* but it does not wait for ever */
            wait_entries(vm, 1);
            ras_quit(vm);
            return;
        }
        /* this machine was too slow to tell */
        ras_quit(vm);
    }
}

/* Errors that wait for a vCPU which the guest stops are discarded. */
static void test_stop_self(void)
{
    RasVm *vm = start_registered("");
    uint64_t a = ras_consume(vm, PAGE(1), 0), b;

    wait_entries(vm, 1);
    b = ras_consume(vm, PAGE(2), 0);
    g_assert_cmpint(rtas(vm, "stop-self", 0, NULL, 1), ==, NO_STATUS);
    ras_drop_events(vm);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_expect_step(vm, a, "acknowledged");
    ras_expect_step(vm, b, "discarded");
    ras_assert_part(vm, "parked", "[]");
    ras_inject_refused(vm, "*vCPU 0 is offline*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 0 }",
                       (uint64_t)PAGE(0));
    ras_quit(vm);
}

/* --- vCPUs that are moved ------------------------------------------------ */

/* What the second vCPU does: load from the address that is in r3. */
#define LOADER          0x6800
#define LOADER_LOAD     (LOADER + 24)
#define STOP_SELF_ARGS  0xb000

static void write_loader(QTestState *qts)
{
    Code code = { qts, LOADER };

    emit_li(&code, 13, MAILBOX_OF(1));
    emit_li(&code, 4, MSR_RI);
    emit(&code, 0x7c810164);                                /* mtmsrd r4,1 */
    g_assert_cmphex(code.at, <=, LOADER_LOAD);
    while (code.at < LOADER_LOAD) {
        emit(&code, 0x60000000);                            /* nop */
    }
    emit(&code, 0xe8a30000);                                /* ld r5,0(r3) */
    emit_branch(&code, code.at);
}

/*
 * A system reset routine that notes where it comes from, and goes back.  r13 of
 * the first vCPU is 0: what it notes is in nobody's way.
 */
static void write_reset_routine(QTestState *qts)
{
    Code code = { qts, RESET_HANDLER };

    emit_mfspr(&code, 10, 26);
    emit(&code, 0xf94d0000 | MAIL_SRR0);            /* std r10,SRR0(r13) */
    emit(&code, 0xe8630000);                        /* ld r3,0(r3) */
    emit(&code, 0x4c000024);                        /* rfid */
}

/*
 * A system reset of a vCPU that is parked with what it has run into goes first,
 * although the error has to wait: its routine is entered from the instruction,
 * which then runs into the error again.
 */
static void test_reset_while_parked(const void *options)
{
    g_autofree char *all = g_strdup_printf(PATIENT "-S %s",
                                           (const char *)options);
    RasVm *vm = ras_start(all);
    uint32_t args[] = { 1, LOADER, PAGE(3) };
    uint64_t a;
    QDict *step;

    write_loader(vm->qts);
    run_guest(vm);
    write_reset_routine(vm->qts);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, RESET_HANDLER, HANDLER), ==, SUCCESS);
    a = ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
    ras_wait_count(vm, "accepted", 2);
    ras_drop_events(vm);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'inject-nmi' }");
    step = ras_next_step(vm, 2, "discarded");
    ras_assert_like(qdict_get_str(step, "delivery"), "not told, *again");
    qobject_unref(step);
    ras_wait_count(vm, "accepted", 3);
    ras_assert_part(vm, "parked", "[ 1 ]");
    g_assert_cmphex(qtest_readq(vm->qts, MAILBOX_OF(1) + MAIL_SRR0), ==,
                    LOADER_LOAD);
    ras_assert_state(vm, a, "notified");

    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, 2);
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOADER_LOAD);
    g_assert_cmphex(mail(vm, MAIL_SRR1) & MSR_RI, ==, MSR_RI);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, PAGE(3));
    ras_assert_state(vm, 3, "notified");
    ras_quit(vm);
}

static RasVm *move_stopped(RasVm *vm)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start(PATIENT "-incoming defer");
    ras_load(vm, file);
    g_unlink(file);
    return vm;
}

/*
 * The same after a move: the error that is parked belongs to the place at which
 * its vCPU is then.
 */
static void test_reset_after_move(void)
{
    RasVm *vm = ras_start(PATIENT "-S");
    uint32_t args[] = { 1, LOADER, PAGE(3) };

    write_loader(vm->qts);
    run_guest(vm);
    write_reset_routine(vm->qts);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, RESET_HANDLER, HANDLER), ==, SUCCESS);
    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, 1);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
    ras_wait_count(vm, "accepted", 2);
    ras_stop(vm);
    vm = move_stopped(vm);

    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'inject-nmi' }");
    ras_cont(vm);
    ras_wait_count(vm, "accepted", 3);
    ras_assert_count(vm, "discarded", 1);
    g_assert_cmphex(qtest_readq(vm->qts, MAILBOX_OF(1) + MAIL_SRR0), ==,
                    LOADER_LOAD);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, 2);
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOADER_LOAD);
    ras_quit(vm);
}

static bool is_stopped(RasVm *vm, uint32_t vcpu)
{
    g_assert_cmpint(rtas(vm, "query-cpu-stopped-state", 1, &vcpu, 2), ==,
                    SUCCESS);
    return qtest_readl(vm->qts, RETS + 4) == 0;
}

/*
 * stop-self, and then H_PROD of another vCPU, by which it runs again: it takes
 * what it runs into, although it counts as stopped.
 */
static void test_stopped_and_prodded(void)
{
    RasVm *vm = ras_start(PATIENT "-S");
    Code second = { vm->qts, LOADER };
    uint32_t args[] = { 1, LOADER, 0 };

    run_guest(vm);
    /* token, no arguments, no results */
    qtest_writel(vm->qts, STOP_SELF_ARGS, 0x2007);
    qtest_writeq(vm->qts, STOP_SELF_ARGS + 4, 0);
    emit_li(&second, 13, MAILBOX_OF(1));
    emit_li(&second, 9, MAILBOX_OF(1));
    emit_count(&second, MAIL_DONE);
    emit_li(&second, 3, H_RTAS);
    emit_li(&second, 4, STOP_SELF_ARGS);
    emit(&second, 0x44000022);                              /* sc 1 */
    emit_li(&second, 3, PAGE(3));
    emit(&second, 0xe8a30000);                              /* ld r5,0(r3) */
    emit_branch(&second, second.at);
    register_handler(vm);
    ras_poison(vm, PAGE(3), RAS_PAGE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
    ras_wait_until(vm, qtest_readq(vm->qts, MAILBOX_OF(1) + MAIL_DONE));
    ras_wait_until(vm, is_stopped(vm, 1));
    start_hypercall(vm, H_PROD, 1);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, PAGE(3));
    ras_assert_count(vm, "accepted", 1);
    ras_assert_count(vm, "notified", 1);
    ras_quit(vm);
}

/* --- many vCPUs ---------------------------------------------------------- */

/*
 * A guest with many vCPUs.  Each has a mailbox of its own, and sleeps most of
 * the time: a busy one would keep the others from running.  Its decrementer
 * wakes it each millisecond, to see if there is a hypercall to make.
 */
#define SPR_DEC     22
#define SPR_SPRG0   272             /* address of the mailbox */
#define TIME_BASE_MHZ 512

static void emit_stamp(Code *code, int offset)
{
    emit(code, 0x7cac42e6);                                 /* mftb r5 */
    emit_std(code, 5, offset);
}

static void write_crowd(QTestState *qts)
{
    Code start = { qts, CROWD }, handler = { qts, CROWD_HANDLER };
    Code decrementer = { qts, DECREMENTER };
    uint64_t idle, poll;

    emit_mtspr(&start, 3, SPR_SPRG0);
    emit_mfspr(&start, 9, SPR_SPRG0);
    emit_count(&start, MAIL_DONE);
    idle = start.at;
    emit_li(&start, 3, H_CEDE);
    emit(&start, 0x44000022);                               /* sc 1 */
    poll = start.at;
    emit_mfspr(&start, 9, SPR_SPRG0);
    emit_poll(&start, MAIL_COMMAND, idle);
    emit_clear(&start, MAIL_COMMAND);
    emit_ld(&start, 3, MAIL_HCALL);
    emit(&start, 0x44000022);                               /* sc 1 */
    emit_branch(&start, poll);

    emit_mfspr(&handler, 9, SPR_SPRG0);
    emit_stamp(&handler, MAIL_ENTERED);
    emit(&handler, 0x80a30048);                             /* lwz r5,72(r3) */
    emit_std(&handler, 5, MAIL_EVENT);
    emit_count(&handler, MAIL_ENTRIES);
    emit_poll(&handler, MAIL_AUTO, poll);
    emit_li(&handler, 3, H_RTAS);
    emit_stamp(&handler, MAIL_LEFT);
    emit(&handler, 0x44000022);                             /* sc 1 */
    emit_branch(&handler, poll);

    /* nothing but sleep has interrupts enabled, and it needs no register */
    emit_li(&decrementer, 8, 1000 * TIME_BASE_MHZ);
    emit_mtspr(&decrementer, 8, SPR_DEC);
    emit(&decrementer, 0x4c000024);                         /* rfid */
}

static uint64_t mail_of(RasVm *vm, int vcpu, int offset)
{
    return qtest_readq(vm->qts, MAILBOX_OF(vcpu) + offset);
}

/* A vCPU that is offline begins, with an empty mailbox. */
static void join_crowd(RasVm *vm, int vcpu)
{
    uint32_t args[] = { vcpu, CROWD, MAILBOX_OF(vcpu) };

    qtest_memset(vm->qts, MAILBOX_OF(vcpu), 0, MAIL_SIZE);
    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
}

/* It can take machine checks from now on. */
static void wait_joined(RasVm *vm, int vcpu)
{
    ras_wait_until(vm, mail_of(vm, vcpu, MAIL_DONE));
}

/* All vCPUs up to n join; the first one has run the client until then. */
static void gather_crowd(RasVm *vm, const bool *absent, int n)
{
    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, CROWD_HANDLER), ==, SUCCESS);
    ras_stop(vm);
    write_crowd(vm->qts);
    g_assert_cmpint(rtas(vm, "stop-self", 0, NULL, 1), ==, NO_STATUS);
    for (int i = 0; i < n; i++) {
        if (!absent || !absent[i]) {
            join_crowd(vm, i);
        }
    }
    ras_cont(vm);
    for (int i = 0; i < n; i++) {
        if (!absent || !absent[i]) {
            wait_joined(vm, i);
        }
    }
}

static uint64_t write_interlock_block(RasVm *vm, int vcpu)
{
    uint64_t block = MAILBOX_OF(vcpu) + MAIL_BLOCK;

    qtest_writel(vm->qts, block, NMI_INTERLOCK_TOKEN);
    qtest_writel(vm->qts, block + 4, 0);
    qtest_writel(vm->qts, block + 8, 1);
    qtest_writel(vm->qts, block + 12, NO_STATUS);
    return block;
}

/*
 * One that runs calls ibm,nmi-interlock.  Its status is there before anything
 * else can happen to the vCPU.
 */
static void interlock_by(RasVm *vm, int vcpu)
{
    uint64_t block = write_interlock_block(vm, vcpu);

    qtest_writeq(vm->qts, MAILBOX_OF(vcpu) + MAIL_HCALL, H_RTAS);
    qtest_writeq(vm->qts, MAILBOX_OF(vcpu) + MAIL_COMMAND, block);
    ras_wait_until(vm, qtest_readl(vm->qts, block + 12) != NO_STATUS);
    g_assert_cmpint(qtest_readl(vm->qts, block + 12), ==, SUCCESS);
}

/* What must be, and how it came to that */
typedef struct Crowd {
    RasVm *vm;
    GRand *rand;
    GQueue errors;              /* CrowdError *, oldest first */
    bool absent[CROWD_MAX];
    uint64_t entries[CROWD_MAX];
    uint64_t acknowledged, reclaimed, discarded;
} Crowd;

typedef struct CrowdError {
    uint64_t id;
    int vcpu;
    bool delivered;
} CrowdError;

/* enough for each vCPU to wait twice */
#define CROWD_SIZE   16
#define CROWD_ERRORS 32

static int crowd_owner(Crowd *c)
{
    CrowdError *e = g_queue_peek_head(&c->errors);

    return e ? e->vcpu : -1;
}

static bool crowd_waits(Crowd *c, int vcpu)
{
    for (GList *l = c->errors.head; l; l = l->next) {
        CrowdError *e = l->data;

        if (e->vcpu == vcpu) {
            return vcpu != crowd_owner(c);
        }
    }
    return false;
}

static int crowd_any(Crowd *c)
{
    int vcpu;

    do {
        vcpu = g_rand_int_range(c->rand, 0, CROWD_SIZE);
    } while (c->absent[vcpu]);
    return vcpu;
}

/* The queue is what the model has, in its order; the first one is out. */
static void check_crowd_queue(Crowd *c, const QDict *info)
{
    const QListEntry *entry;
    GList *l = c->errors.head;
    uint32_t parked = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "queue"), entry) {
        QDict *error = qobject_to(QDict, qlist_entry_obj(entry));
        CrowdError *e;

        g_assert_nonnull(l);
        e = l->data;
        g_assert_cmpuint(ras_get_uint(error, "id"), ==, e->id);
        g_assert_cmpuint(ras_get_uint(error, "vcpu"), ==, e->vcpu);
        g_assert_cmpstr(qdict_get_str(error, "state"), ==,
                        l->prev ? "queued" : "notified");
        l = l->next;
    }
    g_assert_null(l);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "parked"), entry) {
        QNum *vcpu = qobject_to(QNum, qlist_entry_obj(entry));

        parked |= 1 << qnum_get_int(vcpu);
    }
    for (int i = 0; i < CROWD_SIZE; i++) {
        g_assert_cmpint(!!(parked & 1 << i), ==, crowd_waits(c, i));
    }
}

/*
 * The oldest error is its vCPU's turn: that one has entered its handler, with
 * this error's log, and nobody else has.
 */
static void check_crowd(Crowd *c)
{
    CrowdError *e = g_queue_peek_head(&c->errors);
    QDict *info;

    if (e && !e->delivered) {
        e->delivered = true;
        c->entries[e->vcpu]++;
        ras_wait_until(c->vm, mail_of(c->vm, e->vcpu, MAIL_ENTRIES) ==
                              c->entries[e->vcpu]);
        g_assert_cmpuint(mail_of(c->vm, e->vcpu, MAIL_EVENT), ==, e->id);
    }
    for (int i = 0; i < CROWD_SIZE; i++) {
        if (!c->absent[i]) {
            g_assert_cmpuint(mail_of(c->vm, i, MAIL_ENTRIES), ==,
                             c->entries[i]);
        }
    }
    info = ras_query(c->vm);
    check_crowd_queue(c, info);
    g_assert_cmpuint(ras_counter(info, "acknowledged"), ==, c->acknowledged);
    g_assert_cmpuint(ras_counter(info, "reclaimed"), ==, c->reclaimed);
    g_assert_cmpuint(ras_counter(info, "discarded"), ==, c->discarded);
    qobject_unref(info);
}

static void crowd_inject(Crowd *c)
{
    for (int n = g_rand_int_range(c->rand, 1, 6);
         n && c->errors.length < CROWD_ERRORS; n--) {
        CrowdError *e = g_new0(CrowdError, 1);

        e->vcpu = crowd_any(c);
        if (g_rand_boolean(c->rand)) {
            e->id = ras_consume(c->vm, PAGE(n), e->vcpu);
        } else {
            e->id = ras_inject(c->vm, "{ 'kind': 'machine-check',"
                               " 'vcpu': %d, 'class': 'slb',"
                               " 'sub-type': 'parity', 'immediate': true }",
                               e->vcpu);
        }
        g_queue_push_tail(&c->errors, e);
    }
}

/* The first error is over. */
static void crowd_end(Crowd *c, uint64_t *counter)
{
    g_free(g_queue_pop_head(&c->errors));
    ++*counter;
}

/* By the owner: the next one; by all others: nothing. */
static void crowd_interlock(Crowd *c, int vcpu)
{
    if (crowd_waits(c, vcpu)) {
        return;
    }
    interlock_by(c->vm, vcpu);
    if (vcpu == crowd_owner(c)) {
        crowd_end(c, &c->acknowledged);
    }
}

/* As the first vCPU, from outside: it can even be parked. */
static void crowd_interlock_outside(Crowd *c)
{
    g_assert_cmpint(nmi_interlock(c->vm), ==, SUCCESS);
    if (crowd_owner(c) == 0) {
        crowd_end(c, &c->acknowledged);
    }
}

static void crowd_register(Crowd *c)
{
    g_assert_cmpint(nmi_register(c->vm, LOOP, CROWD_HANDLER), ==, SUCCESS);
    if (!g_queue_is_empty(&c->errors)) {
        crowd_end(c, &c->reclaimed);
    }
}

static void crowd_reset(Crowd *c)
{
    ras_stop(c->vm);
    ras_reset(c->vm);
    while (!g_queue_is_empty(&c->errors)) {
        crowd_end(c, &c->discarded);
    }
    g_assert_cmpint(nmi_interlock(c->vm), ==, PARAM_ERROR);
    memset(c->entries, 0, sizeof(c->entries));
    gather_crowd(c->vm, c->absent, CROWD_SIZE);
}

static unsigned int count_vcpus(RasVm *vm)
{
    QDict *answer = qtest_qmp(vm->qts, "{ 'execute': 'query-cpus-fast' }");
    unsigned int n = qlist_size(qdict_get_qlist(answer, "return"));

    qobject_unref(answer);
    return n;
}

/* Owner, waiting, or neither */
static void crowd_unplug(Crowd *c, int vcpu)
{
    g_autofree char *id = g_strdup_printf("c%d", vcpu);
    unsigned int before = count_vcpus(c->vm);

    qtest_qmp_device_del_send(c->vm->qts, id);
    release_core(c->vm, vcpu);
    ras_wait_until(c->vm, count_vcpus(c->vm) == before - 1);
    c->absent[vcpu] = true;
    for (GList *l = c->errors.head, *next; l; l = next) {
        CrowdError *e = l->data;

        next = l->next;
        if (e->vcpu == vcpu) {
            g_free(e);
            g_queue_delete_link(&c->errors, l);
            c->discarded++;
        }
    }
}

static void crowd_plug(Crowd *c, int vcpu)
{
    uint32_t usable[] = { 9003, 0x10000000 | vcpu, 1 };
    g_autofree char *id = g_strdup_printf("c%d", vcpu);

    qtest_qmp_device_add(c->vm->qts, "power10_v2.0-spapr-cpu-core", id,
                         "{ 'core-id': %d }", vcpu);
    g_assert_cmpint(rtas(c->vm, "set-indicator", 3, usable, 1), ==, SUCCESS);
    join_crowd(c->vm, vcpu);
    wait_joined(c->vm, vcpu);
    c->absent[vcpu] = false;
    c->entries[vcpu] = 0;
}

/* The first one stays: RTAS is called as this one. */
static void crowd_plug_or_unplug(Crowd *c)
{
    int vcpu = g_rand_int_range(c->rand, 1, CROWD_SIZE);

    if (c->absent[vcpu]) {
        crowd_plug(c, vcpu);
    } else {
        crowd_unplug(c, vcpu);
    }
}

static void crowd_step(Crowd *c)
{
    int what = g_rand_int_range(c->rand, 0, 100);
    int owner = crowd_owner(c), vcpu = crowd_any(c);

    if (what < 30) {
        crowd_inject(c);
    } else if (what < 70 && owner >= 0) {
        crowd_interlock(c, owner);
    } else if (what < 84) {
        crowd_interlock(c, vcpu);
        check_crowd(c);
        crowd_interlock(c, vcpu);
    } else if (what < 88) {
        crowd_interlock_outside(c);
    } else if (what < 92) {
        crowd_register(c);
    } else if (what < 99) {
        crowd_plug_or_unplug(c);
    } else {
        crowd_reset(c);
    }
}

/*
 * With room for more: QEMU wants a place for each thread that TCG ever had,
 * also if a vCPU that is plugged takes the number of one that has gone.
 */
static RasVm *start_crowd(int n)
{
    g_autoptr(GString) options = g_string_new(NULL);

    g_string_printf(options, PATIENT "-S -smp 1,maxcpus=%d", n + 47);
    for (int i = 1; i < n; i++) {
        g_string_append_printf(options, " -device power10_v2.0-spapr-cpu-core,"
                               "core-id=%d,id=c%d", i, i);
    }
    return ras_start(options->str);
}

/*
 * Machine checks on many vCPUs: however the guest and the monitor behave, they
 * are served one after another, oldest first, each on its own vCPU.
 */
static void test_crowd(void)
{
    static const uint32_t seeds[] = { 1, 2 };

    for (int i = 0; i < ARRAY_SIZE(seeds); i++) {
        Crowd c = {
            .vm = start_crowd(CROWD_SIZE),
            .rand = g_rand_new_with_seed(seeds[i]),
        };

        g_queue_init(&c.errors);
        gather_crowd(c.vm, NULL, CROWD_SIZE);
        for (int step = 0; step < 200; step++) {
            crowd_step(&c);
            check_crowd(&c);
        }
        while (!g_queue_is_empty(&c.errors)) {
            crowd_interlock(&c, crowd_owner(&c));
            check_crowd(&c);
        }
        g_assert_cmpuint(c.acknowledged, >, 50);
        g_assert_cmpuint(c.reclaimed, >, 0);
        g_assert_cmpuint(c.discarded, >, 0);
        ras_quit(c.vm);
        g_rand_free(c.rand);
    }
}

/*
 * 16 vCPUs that wait for the owner, which does nothing, keep nobody waiting:
 * stop is answered at once, reset and quit come to their end.
 */
static void test_crowd_stops(void)
{
    RasVm *vm = start_crowd(CROWD_MAX);
    gint64 best = G_MAXINT64;

    for (int round = 0; round < 2; round++) {
        gather_crowd(vm, NULL, CROWD_MAX);
        for (int i = 0; i < CROWD_MAX; i++) {
            ras_consume(vm, PAGE(i), i);
        }
        ras_wait_until(vm, mail_of(vm, 0, MAIL_ENTRIES) == 1);
        for (int i = 0; i < 10; i++) {
            gint64 begun = g_get_monotonic_time();

            ras_stop(vm);
            best = MIN(best, g_get_monotonic_time() - begun);
            ras_cont(vm);
        }
        /* the best one: this host may be busy */
        g_assert_cmpint(best, <, 100 * G_TIME_SPAN_MILLISECOND);
        ras_assert_count(vm, "in-flight", CROWD_MAX);
        if (round == 0) {
            ras_reset(vm);
            ras_assert_count(vm, "discarded", CROWD_MAX);
            ras_stop(vm);
            ras_reset(vm);
        }
    }
    ras_quit(vm);
}

static int compare_times(const void *a, const void *b)
{
    return *(const uint64_t *)a < *(const uint64_t *)b ? -1 : 1;
}

/*
 * All vCPUs have a machine check and call ibm,nmi-interlock at once, as Linux
 * does.  From that call to the entry of the next one's handler, by the time
 * base: a limit for make bench to check, as it depends on the host.
 */
static void test_hand_over(void)
{
    uint64_t took[20][CROWD_MAX - 1];
    uint64_t *all = &took[0][0];
    RasVm *vm = start_crowd(CROWD_MAX);

    gather_crowd(vm, NULL, CROWD_MAX);
    for (int round = 0; round < ARRAY_SIZE(took); round++) {
        ras_stop(vm);
        for (int i = 0; i < CROWD_MAX; i++) {
            qtest_writeq(vm->qts, MAILBOX_OF(i) + MAIL_AUTO,
                         write_interlock_block(vm, i));
            ras_consume(vm, PAGE(i), i);
        }
        ras_cont(vm);
        ras_wait_count(vm, "acknowledged", (round + 1) * CROWD_MAX);
        for (int i = 0; i < CROWD_MAX; i++) {
            g_assert_cmpuint(mail_of(vm, i, MAIL_ENTRIES), ==, round + 1);
            if (i) {
                uint64_t left = mail_of(vm, i - 1, MAIL_LEFT);
                uint64_t entered = mail_of(vm, i, MAIL_ENTERED);

                g_assert_cmpuint(entered, >, left);
                took[round][i - 1] = entered - left;
            }
        }
    }
    qsort(all, sizeof(took) / sizeof(*all), sizeof(*all), compare_times);
    g_test_message("hand-over: %" PRIu64 " us, at most %" PRIu64 " us",
                   all[sizeof(took) / sizeof(*all) / 2] / TIME_BASE_MHZ,
                   all[sizeof(took) / sizeof(*all) - 1] / TIME_BASE_MHZ);
    ras_quit(vm);
}

/* --- kind machine-check -------------------------------------------------- */

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
        uint8_t log[LOG_SIZE], *mc = log + LOG_SIZE - 40;

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
        read_log(vm, log);
        g_assert_cmphex(log[1], ==, c->head);
        g_assert_cmphex(log[3], ==, 224);
        /* subsystem: memory, or a processor */
        g_assert_cmphex(log[72 + 8], ==, c->type ? 0x10 : 0x20);
        g_assert_cmphex(ldl_be_p(mc + 12), ==, 0);
        g_assert_cmphex(mc[16], ==, c->type);
        g_assert_cmphex(mc[17], ==, c->sub_type);
        g_assert_cmphex(ldq_be_p(mc + 24), ==,
                        has_ea && c->type != 3 ? 0x123456789abcdef0 : 0);
        g_assert_cmphex(ldq_be_p(mc + 32), ==,
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
            "has other bits than those that tell causes on a POWER9, "
            "0x83c0000");
    refused(vm, "'vcpu': 0, 'srr1': 2097152, 'dsisr': 65536",
            "Parameter 'dsisr' 0x10000 has other bits than those that tell "
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
            ", 'disposition': 'recovered'", "*only be told of "
            "recoverable errors; wait until it has booted");
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
    uint8_t log[LOG_SIZE];
    uint64_t entries;

    ras_consume(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_inject(vm, "{ 'kind': 'machine-check', 'vcpu': 0, 'class': 'i-cache',"
               " 'disposition': 'limited' }");
    vm = move(vm, NULL);
    entries = mail(vm, MAIL_ENTRIES);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    wait_entries(vm, entries + 1);
    read_log(vm, log);
    g_assert_cmphex(log[1], ==, LIMITED);
    g_assert_cmphex(log[LOG_SIZE - 40 + 16], ==, 7);
    ras_quit(vm);
}

/* --- system reset -------------------------------------------------------- */

static void signal_reset(RasVm *vm, int64_t target)
{
    qtest_memset(vm->qts, RTAS_BASE, 0x99, 2 * RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, RESET_HANDLER, HANDLER), ==, SUCCESS);
    start_hypercall(vm, H_SIGNAL_SYS_RESET, target);
    wait_entries(vm, 1);
}

/* -1: all vCPUs.  (The first one alone is 0, which is no command here.) */
#define ALL_VCPUS (-1)

/*
 * A vCPU that resets itself by H_SIGNAL_SYS_RESET: the handler gets the
 * registers of after the hypercall, and r3 points to the saved one.
 */
static void test_sys_reset(void)
{
    RasVm *vm = start_registered("-smp 1");

    signal_reset(vm, ALL_VCPUS);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA_END);
    /* the status of the hypercall: success */
    g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + SAVE_AREA_END), ==, 0);
    ras_quit(vm);
}

/* The other vCPU, which makes no hypercall, has its own place. */
static void test_sys_reset_other(void)
{
    static const int64_t targets[] = { 1, -2 };

    for (int i = 0; i < ARRAY_SIZE(targets); i++) {
        RasVm *vm = start_registered("");
        uint64_t area = RTAS_BASE + SAVE_AREA_END + 16;

        start_second_vcpu(vm);
        signal_reset(vm, targets[i]);
        g_assert_cmphex(mail(vm, MAIL_R3), ==, area);
        g_assert_cmphex(qtest_readq(vm->qts, area), ==, SECOND_R3);
        g_assert_cmphex(mail(vm, MAIL_SRR0), ==, LOOP);
        ras_wait_until(vm, mail(vm, MAIL_RESULT) != -1);
        g_assert_cmphex(mail(vm, MAIL_RESULT), ==, 0);
        ras_quit(vm);
    }
}

/* In stock, the status ends up as the pointer. */
static void test_stock_sys_reset(void)
{
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    vm = ras_start_binary(STOCK, "", "-accel tcg -S -smp 1");
    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    signal_reset(vm, ALL_VCPUS);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, 0);
    g_assert_cmphex(qtest_readq(vm->qts, RTAS_BASE + SAVE_AREA_END), ==,
                    H_SIGNAL_SYS_RESET);
    ras_quit(vm);
}

/* --- check-stop ---------------------------------------------------------- */

/* The guest has stopped; a reset brings it back, and forgets everything. */
static void expect_checkstop(RasVm *vm, bool recursive, const char *reason)
{
    uint64_t discarded = ras_count(vm, "in-flight");
    uint64_t delivered = ras_count(vm, "delivered");
    g_autofree char *lost = NULL;

    ras_expect_memory_failure(vm, "reset", recursive);
    qobject_unref(ras_next_event(vm, "GUEST_PANICKED"));
    ras_wait_until(vm, ras_run_state_is(vm, "guest-panicked"));
    ras_assert_part(vm, "parked", "[ 0 ]");
    lost = ras_lost(vm);
    ras_assert_like(lost, reason);
    ras_inject_refused(vm, "*check-stop*reset*", "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 0 }",
                       (uint64_t)PAGE(9));

    ras_reset(vm);
    g_assert_null(ras_lost(vm));
    ras_assert_count(vm, "discarded", discarded);
    ras_assert_count(vm, "in-flight", 0);
    ras_assert_part(vm, "poisoned", "[]");
    ras_drop_events(vm);
    run_guest(vm);
    consume_at(vm, PAGE(0), 0);
    wait_entries(vm, 1);
    ras_assert_count(vm, "delivered", delivered + 1);
}

static void check_no_save_area(RasVm *vm)
{
    uint64_t id = consume_at(vm, PAGE(0), 0);

    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_wait_until(vm, vm->panics);
    ras_assert_state(vm, id, "queued");
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, 0);
    expect_checkstop(vm, false, "1: *RTAS area*usable*");
}

/*
 * The guest has taken the save area away after it registered: it stops, QEMU
 * lives, and a reset brings the guest back.
 */
static void test_checkstop_area_gone(void)
{
    static const uint32_t bases[] = { 0, RMA_END, 0xfffffffc };

    for (int i = 0; i < ARRAY_SIZE(bases); i++) {
        RasVm *vm = start_registered("-action panic=pause");

        change_rtas_base(vm, bases[i]);
        check_no_save_area(vm);
        ras_quit(vm);
    }
}

/* Its page is poisoned: the same; and nobody registers on such a page. */
static void test_checkstop_area_poisoned(void)
{
    RasVm *vm = start_registered("-action panic=pause");

    ras_poison(vm, RTAS_BASE, RAS_PAGE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, PARAM_ERROR);
    check_no_save_area(vm);
    ras_quit(vm);
}

static void expect_fetch(RasVm *vm, uint64_t id, uint64_t address)
{
    QDict *error = ras_next_step(vm, id, "accepted");

    g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "poison");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "fetch");
    g_assert_cmphex(ras_get_uint(error, "address"), ==, address);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, address);
    qobject_unref(error);
    ras_expect_step(vm, id, "queued");
}

/* The registered routine is poisoned: one try, then the guest stops. */
static void test_checkstop_handler_poisoned(void)
{
    RasVm *vm = start_registered("-action panic=pause");
    uint64_t id;

    ras_poison(vm, HANDLER, RAS_PAGE);
    id = consume_at(vm, PAGE(0), 0);
    ras_expect_step(vm, id, "accepted");
    ras_expect_step(vm, id, "queued");
    ras_expect_step(vm, id, "recorded");
    ras_expect_step(vm, id, "notified");
    ras_expect_memory_failure(vm, "inject", false);
    expect_fetch(vm, id + 1, HANDLER);
    expect_checkstop(vm, true, "2: second machine check *");
    ras_quit(vm);
}

/*
 * So is 0x200, and what the guest runs: the fetch brings it to 0x200, which
 * it cannot fetch either.
 */
static void test_checkstop_vector_poisoned(void)
{
    RasVm *vm = start_guest("-action panic=pause");
    QDict *error;

    ras_poison(vm, 0, RAS_PAGE);
    error = ras_next_step(vm, 1, "accepted");
    g_assert_cmpstr(qdict_get_str(error, "access"), ==, "fetch");
    g_assert_cmphex(ras_get_uint(error, "address"), >=, CLIENT);
    g_assert_cmphex(ras_get_uint(error, "address"), <, VECTOR);
    qobject_unref(error);
    ras_expect_step(vm, 1, "queued");
    ras_expect_step(vm, 1, "notified");
    ras_expect_memory_failure(vm, "inject", false);
    ras_expect_step(vm, 1, "delivered");
    expect_fetch(vm, 2, VECTOR);
    expect_checkstop(vm, false, "2: *handler cannot be fetched*");
    ras_quit(vm);
}

/*
 * A second machine check on the owner of the save area, before its interlock,
 * is beyond recovery.
 */
static void test_checkstop_second(void)
{
    RasVm *vm = start_registered("-action panic=pause");

    ras_poison(vm, PAGE(3), RAS_PAGE);
    ras_poison(vm, PAGE(5), RAS_PAGE);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(3));
    wait_entries(vm, 1);
    ras_drop_events(vm);
    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(5));
    ras_expect_step(vm, 2, "accepted");
    ras_expect_step(vm, 2, "queued");
    ras_wait_until(vm, vm->panics);
    ras_assert_state(vm, 1, "notified");
    ras_assert_state(vm, 2, "queued");
    expect_checkstop(vm, true, "2: second machine check *");
    ras_quit(vm);
}

/* A check-stop ends with its vCPU, and leaves nothing that has to move. */
static void test_checkstop_unplugged(void)
{
    RasVm *vm = start_registered("-action panic=pause -smp 1,maxcpus=2 -device "
                                 "power10_v2.0-spapr-cpu-core,core-id=1,"
                                 "id=c1");
    g_autofree char *why = NULL;

    start_second_vcpu(vm);
    ras_poison(vm, RTAS_BASE, RAS_PAGE);
    ras_consume(vm, PAGE(1), 1);
    ras_wait_until(vm, vm->panics);
    why = ras_lost(vm);
    ras_assert_like(why, "1: the RTAS area *");
    ras_inject_refused(vm, "*check-stopped since error 1*",
                       "{ 'kind': 'memory',"
                       " 'mode': 'consume', 'severity': 'recoverable',"
                       " 'address': %" PRIu64 ", 'vcpu': 0 }",
                       (uint64_t)PAGE(2));
    ras_unpoison(vm, RTAS_BASE, RAS_PAGE);
    ras_cont(vm);
    qtest_qmp_device_del_send(vm->qts, "c1");
    release_core(vm, 1);
    ras_wait_count(vm, "discarded", 1);
    g_assert_null(ras_lost(vm));
    g_assert_false(has_ras_state(vm));

    ras_consume(vm, PAGE(2), 0);
    wait_entries(vm, 1);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_quit(vm);
}

/* --- poison -------------------------------------------------------------- */

/* Ranges of different severity lie beside each other without joining. */
static void test_poison_severity(void)
{
    RasVm *vm = start_registered("");

    ras_poison(vm, PAGE(1), RAS_PAGE);
    ras_inject(vm, "{ 'kind': 'memory', 'mode': 'poison',"
               " 'severity': 'fatal', 'address': %" PRIu64 " }",
               (uint64_t)PAGE(2));
    ras_poison(vm, PAGE(3), RAS_PAGE);
    ras_assert_part(vm, "poisoned",
        "[ { 'address': 67112960, 'length': 4096,"
        "    'severity': 'recoverable' },"
        "  { 'address': 67117056, 'length': 4096, 'severity': 'fatal' },"
        "  { 'address': 67121152, 'length': 4096,"
        "    'severity': 'recoverable' } ]");
    ras_quit(vm);
}

/*
 * A prefixed instruction that hits poison: SRR1 says so, at the handler and at
 * 0x200 alike.
 */
static void test_prefixed(void)
{
    for (int registered = 0; registered < 2; registered++) {
        RasVm *vm = start_guest("-cpu power10_v2.0");
        Code code = { vm->qts, LOOP };
        uint64_t load;

        emit_li(&code, 4, PAGE(1));
        load = code.at;
        emit(&code, 0x04000000);                            /* pld r5,0(r4) */
        emit(&code, 0xe4a40000);
        emit_branch(&code, load);
        if (registered) {
            register_handler(vm);
        }
        ras_poison(vm, PAGE(1), RAS_PAGE);
        start_second_vcpu(vm);
        wait_entries(vm, 1);
        g_assert_cmphex(mail(vm, MAIL_SRR0), ==, load);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & 0x20000000, ==, 0x20000000);
        ras_quit(vm);

        /* one that is not prefixed */
        vm = start_guest("-cpu power10_v2.0");
        if (registered) {
            register_handler(vm);
        }
        ras_poison(vm, PAGE(1), RAS_PAGE);
        qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, PAGE(1));
        wait_entries(vm, 1);
        g_assert_cmphex(mail(vm, MAIL_SRR1) & 0x20000000, ==, 0);
        ras_quit(vm);
    }
}

/* A store that crosses into a poisoned page: nothing of it was done. */
static void test_crossing(void)
{
    RasVm *vm = start_guest("");
    Code code = { vm->qts, LOOP };
    uint64_t store;

    emit_li(&code, 4, PAGE(1) + 4);
    emit_li(&code, 5, 0x22222222);
    store = code.at;
    emit(&code, 0xf8a4fff9);                                /* stdu r5,-8(r4) */
    emit_branch(&code, LOOP);
    register_handler(vm);
    qtest_memset(vm->qts, PAGE(0), 0x11, 2 * RAS_PAGE);
    ras_poison(vm, PAGE(1), RAS_PAGE);
    start_second_vcpu(vm);
    wait_entries(vm, 1);
    g_assert_cmphex(mail(vm, MAIL_SRR0), ==, store);
    g_assert_cmphex(mail(vm, MAIL_DAR), ==, PAGE(1));
    g_assert_cmphex(qtest_readl(vm->qts, PAGE(1) - 4), ==, 0x11111111);
    ras_quit(vm);
}

static uint64_t nip_of(RasVm *vm, unsigned int vcpu)
{
    g_autofree char *registers = qtest_hmp(vm->qts, "info registers -a");
    g_autofree char *head = g_strdup_printf("CPU#%u", vcpu);
    const char *at = strstr(registers, head);

    g_assert_nonnull(at);
    at = strstr(at, "NIP ");
    g_assert_nonnull(at);
    return g_ascii_strtoull(at + 4, NULL, 16);
}

/*
 * An interrupt at 0x200 that was told of was taken: nothing that comes before
 * the vCPU runs, a system reset for instance, can replace it.  One thread runs
 * all vCPUs here, so that another one may run first.
 */
static void test_vector_stopped(void)
{
    RasVm *vm = ras_start("-accel tcg,thread=single -S");
    int between = 0;

    run_guest(vm);
    start_second_vcpu(vm);
    for (int i = 1; i <= 100 || (i <= 2000 && !between); i++) {
        ras_consume(vm, PAGE(1), 1);
        g_usleep(g_test_rand_int_range(0, 500));
        ras_stop(vm);
        if (ras_count(vm, "delivered") == i && mail(vm, MAIL_ENTRIES) < i) {
            g_assert_cmphex(nip_of(vm, 1), >=, VECTOR);
            g_assert_cmphex(nip_of(vm, 1), <, VECTOR + 0x100);
            between++;
        }
        ras_cont(vm);
        ras_wait_until(vm, mail(vm, MAIL_ENTRIES) == i);
        ras_drop_events(vm);
    }
    g_test_message("%d times told of, and not taken yet", between);
    g_assert_cmpint(between, >, 0);
    ras_quit(vm);
}

/* --- a guest that does anything ------------------------------------------ */

static const uint32_t corners[] = {
    0, 1, 2, 3, 4, 8, CLIENT, VECTOR, LOOP, HANDLER, MAILBOX, 32 * MiB - 4,
    32 * MiB, RTAS_BASE, RTAS_BASE + SAVE_AREA, RMA_END - RAS_PAGE, RMA_END - 4,
    RMA_END, 0x7ffffffc, 0x80000000, 0xfffff000, 0xfffffffc, 0xffffffff,
};

static uint32_t random_word(GRand *rand)
{
    return g_rand_int_range(rand, 0, 4) ?
           corners[g_rand_int_range(rand, 0, ARRAY_SIZE(corners))] :
           g_rand_int(rand);
}

/* Where a call has its arguments and results: mostly where nobody runs */
static uint64_t random_place(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        return random_word(rand);
    case 1:
        return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
    default:
        return PAGE(512) + g_rand_int_range(rand, 0, RAS_PAGE);
    }
}

static uint32_t random_count(GRand *rand, uint32_t right)
{
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        return g_rand_int(rand);
    case 1 ... 2:
        return g_rand_int_range(rand, 0, 9);
    default:
        return right;
    }
}

typedef struct AnyCall {
    const char *name;
    uint32_t token, nargs;
} AnyCall;

/* Not ibm,os-term, which prints whatever it is pointed at. */
static const AnyCall any_calls[] = {
    { "ibm,nmi-register", 0x202b, 2 },
    { "ibm,nmi-interlock", NMI_INTERLOCK_TOKEN, 0 },
    { "check-exception", 0x200e, 6 },
    { "event-scan", 0x200f, 4 },
};

static const AnyCall *random_call(GRand *rand)
{
    /* the first two are what this is about */
    return &any_calls[g_rand_boolean(rand) ? g_rand_int_range(rand, 0, 2) :
                      g_rand_int_range(rand, 0, ARRAY_SIZE(any_calls))];
}

/* As the first vCPU, from outside; the arguments begin at @args. */
static void call_anything(RasVm *vm, GRand *rand)
{
    const AnyCall *call = random_call(rand);
    uint32_t nargs = random_count(rand, call->nargs);
    uint32_t nret = random_count(rand, 1);
    uint64_t args = random_place(rand), rets = random_place(rand);

    for (uint32_t i = 0; i < MIN(nargs, 8); i++) {
        qtest_writel(vm->qts, PAGE(512) + args % RAS_PAGE + 4 * i,
                     random_word(rand));
    }
    qtest_rtas_call(vm->qts, call->name, nargs, args, nret, rets);
}

/* The guest's own way: the hypercall, with the token in the block. */
static void call_anything_from_guest(RasVm *vm, GRand *rand)
{
    const AnyCall *call = random_call(rand);
    uint64_t block = PAGE(512) + g_rand_int_range(rand, 0, 1000) * 4;

    qtest_writel(vm->qts, block, g_rand_int_range(rand, 0, 8) ? call->token :
                                 0x2100 + g_rand_int_range(rand, 0, 0x10000));
    qtest_writel(vm->qts, block + 4, random_count(rand, call->nargs));
    qtest_writel(vm->qts, block + 8, random_count(rand, 1));
    for (int i = 0; i < 8; i++) {
        qtest_writel(vm->qts, block + 12 + 4 * i, random_word(rand));
    }
    start_hypercall(vm, H_RTAS, g_rand_int_range(rand, 0, 8) ? block :
                                random_place(rand) | 1);
}

/* Another linux,rtas-base: its four bytes are at @property. */
static void change_tree(RasVm *vm, GRand *rand, uint64_t property)
{
    qtest_writel(vm->qts, property, g_rand_boolean(rand) ? RTAS_BASE :
                                    random_word(rand));
    start_hypercall(vm, H_UPDATE_DT, DEVICE_TREE);
}

static void consume_anything(RasVm *vm, GRand *rand)
{
    static const char *const severity[] = {
        "corrected", "recoverable", "fatal"
    };

    /* refused or not: either is fine */
    qobject_unref(qtest_qmp(vm->qts, "{ 'execute': 'ras-inject',"
        " 'arguments': { 'kind': 'memory', 'mode': 'consume', 'address':"
        " %" PRIu64 ", 'severity': %s, 'vcpu': %d, 'immediate': true } }",
        PAGE(g_rand_int_range(rand, 0, 8)),
        severity[g_rand_int_range(rand, 0, ARRAY_SIZE(severity))],
        g_rand_int_range(rand, 0, 2)));
}

/*
 * Boot again: the guest may have written over itself.  Returns where the value
 * of linux,rtas-base is.
 */
static uint64_t restart_anything(RasVm *vm)
{
    g_autofree uint8_t *tree = NULL;
    size_t len;

    ras_stop(vm);
    ras_reset(vm);
    run_guest(vm);
    register_handler(vm);
    start_second_vcpu(vm);
    len = qtest_readl(vm->qts, DEVICE_TREE + 4);
    tree = g_malloc(len);
    qtest_memread(vm->qts, DEVICE_TREE, tree, len);
    return DEVICE_TREE + find_rtas_node(tree, len) + 12;
}

/*
 * RTAS calls with any arguments, from inside and outside, while machine checks
 * come: QEMU lives, its promises hold, and after a reset all is as always.  A
 * fixed seed and some seconds, unless the environment has RAS_FUZZ_SEED and
 * RAS_FUZZ_SECONDS.
 */
static void test_anything(void)
{
    const char *seconds = g_getenv("RAS_FUZZ_SECONDS");
    const char *seed = g_getenv("RAS_FUZZ_SEED");
    gint64 end = g_get_monotonic_time() +
                 (seconds ? g_ascii_strtoll(seconds, NULL, 10) : 0) *
                 G_USEC_PER_SEC;
    GRand *rand = g_rand_new_with_seed(seed ? g_ascii_strtoll(seed, NULL, 10)
                                            : 1);
    RasVm *vm = ras_start("-accel tcg -global spapr-ras.reclaim-ms=20 -S"
                          " -action panic=none");
    uint64_t property = restart_anything(vm), acknowledged;

    for (int i = 0; i < 4000 || g_get_monotonic_time() < end; i++) {
        switch (g_rand_int_range(rand, 0, 1000)) {
        case 0 ... 399:
            call_anything(vm, rand);
            break;
        case 400 ... 699:
            call_anything_from_guest(vm, rand);
            break;
        case 700 ... 849:
            consume_anything(vm, rand);
            break;
        case 850 ... 899:
            change_tree(vm, rand, property);
            break;
        case 900 ... 989:
            /* as a good guest does */
            nmi_interlock(vm);
            break;
        default:
            property = restart_anything(vm);
            break;
        }
        if (i % 50 == 0) {
            qobject_unref(ras_query(vm));
            ras_drop_events(vm);
        }
    }
    g_assert_cmpuint(ras_count(vm, "recorded"), >, 20);
    acknowledged = ras_count(vm, "acknowledged");
    g_assert_cmpuint(acknowledged, >, 5);

    restart_anything(vm);
    /* on a busy machine the log may be withdrawn before */
    for (int i = 1; i <= 20 && ras_count(vm, "acknowledged") == acknowledged;
         i++) {
        ras_consume(vm, PAGE(0), 0);
        wait_entries(vm, i);
        g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    }
    ras_assert_count(vm, "acknowledged", acknowledged + 1);
    ras_quit(vm);
    g_rand_free(rand);
}

/* --- saving, and equal to stock ------------------------------------------ */


/* Move a running VM to a new one of that binary; the old one is gone. */
static RasVm *move(RasVm *vm, const char *binary)
{
    g_autofree char *file = ras_temp_file();

    ras_save(vm, file, "completed");
    ras_quit(vm);
    vm = ras_start_binary(binary, "", binary ? "-accel tcg -incoming defer" :
                          PATIENT "-incoming defer -action panic=pause");
    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    g_unlink(file);
    return vm;
}

/* The guest is registered, and gets its error. */
static void check_moved(RasVm *vm)
{
    uint64_t entries = mail(vm, MAIL_ENTRIES);

    g_assert_true(ras_ready(vm));
    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, entries + 1);
    g_assert_cmphex(mail(vm, MAIL_R3), ==, RTAS_BASE + SAVE_AREA);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
}

/* A guest that has registered can be moved. */
static void test_move(void)
{
    RasVm *vm = start_registered("");

    check_moved(vm);
    vm = move(vm, NULL);
    check_moved(vm);
    ras_quit(vm);
}

/* The handler runs when it is moved, and finishes on arrival. */
static void test_move_log_out(void)
{
    RasVm *vm = start_registered("");
    uint64_t id = ras_consume(vm, PAGE(0), 0);
    uint64_t entries;

    wait_entries(vm, 1);
    vm = move(vm, NULL);
    ras_assert_state(vm, id, "notified");
    entries = mail(vm, MAIL_ENTRIES);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 1);
    ras_consume(vm, PAGE(1), 0);
    wait_entries(vm, entries + 1);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/* It can move to stock, and back. */
static void test_stock_moves(void)
{
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    vm = start_registered("");
    check_moved(vm);
    vm = move(vm, STOCK);
    g_assert_cmpint(nmi_interlock(vm), ==, SUCCESS);
    vm = move(vm, NULL);
    check_moved(vm);
    ras_quit(vm);
}

/* It can have begun on stock. */
static void test_stock_begins(void)
{
    RasVm *vm;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    vm = ras_start_binary(STOCK, "", "-accel tcg -S");
    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    vm = move(vm, NULL);
    check_moved(vm);
    ras_quit(vm);
}

/* What a guest sees of a machine check: registers, and statuses of RTAS */
typedef struct Seen {
    int32_t status[8];
    uint64_t registers[6];
    uint8_t area[SAVE_AREA_END];
} Seen;

static Seen see(const char *var, const char *machine_options)
{
    static const int registers[] = {
        MAIL_R3, MAIL_MSR, MAIL_SRR0, MAIL_SRR1, MAIL_DAR, MAIL_DSISR,
    };
    const uint32_t args[] = { LOOP, HANDLER };
    RasVm *vm = ras_start_binary(var, machine_options, "-accel tcg -S");
    Seen seen = { 0 };
    int n = 0;

    run_guest(vm);
    set_rtas_base(vm, RTAS_BASE);
    qtest_memset(vm->qts, RTAS_BASE, 0x99, RAS_PAGE);
    seen.status[n++] = nmi_interlock(vm);
    seen.status[n++] = nmi_register(vm, LOOP, 32 * MiB);
    seen.status[n++] = nmi_register(vm, LOOP, HANDLER + 1);
    seen.status[n++] = rtas(vm, "ibm,nmi-register", 1, args, 1);
    seen.status[n++] = nmi_register(vm, LOOP, HANDLER);
    seen.status[n++] = nmi_interlock(vm);
    seen.status[n++] = rtas(vm, "ibm,nmi-interlock", 1, args, 1);
    g_assert_cmpint(n, <, ARRAY_SIZE(seen.status));

    qtest_writeq(vm->qts, MAILBOX + MAIL_LOAD, 0x100000000000);
    wait_entries(vm, 1);
    for (int i = 0; i < ARRAY_SIZE(registers); i++) {
        seen.registers[i] = mail(vm, registers[i]);
    }
    qtest_memread(vm->qts, RTAS_BASE, seen.area, sizeof(seen.area));
    ras_quit(vm);
    return seen;
}

/* With ras=off all is as in stock, and with ras=on it is not. */
static void test_off(void)
{
    Seen on, off, stock;

    if (!ras_env_or_skip(STOCK)) {
        return;
    }
    stock = see(STOCK, "");
    off = see(NULL, ",ras=off");
    on = see(NULL, ",ras=on");
    g_assert_cmpmem(&off, sizeof(off), &stock, sizeof(stock));
    g_assert_cmphex(stock.registers[0], ==, IDLE_R3);
    g_assert_cmpint(stock.status[2], ==, SUCCESS);
    g_assert_cmpint(on.status[2], ==, PARAM_ERROR);
    g_assert_cmphex(on.registers[0], ==, RTAS_BASE + SAVE_AREA);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/pseries/off", test_off);
    qtest_add_func("/ras/pseries/delivery/handler", test_handler);
    qtest_add_func("/ras/pseries/delivery/transaction", test_transaction);
    qtest_add_func("/ras/pseries/delivery/vector", test_vector);
    qtest_add_data_func("/ras/pseries/delivery/load", "", test_load);
    qtest_add_data_func("/ras/pseries/delivery/load-icount",
                        "-icount shift=3", test_load);
    qtest_add_func("/ras/pseries/delivery/log", test_log_of_monitor);
    qtest_add_func("/ras/pseries/delivery/severity", test_severity);
    qtest_add_func("/ras/pseries/delivery/after-fatal", test_after_fatal);
    qtest_add_func("/ras/pseries/delivery/pages", test_pages);
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
    qtest_add_func("/ras/pseries/system-reset/self", test_sys_reset);
    qtest_add_func("/ras/pseries/system-reset/other", test_sys_reset_other);
    qtest_add_func("/ras/pseries/records-refused", test_records_refused);
    qtest_add_func("/ras/pseries/register/no-rtas-base",
                   test_register_no_rtas_base);
    qtest_add_func("/ras/pseries/register/cap-off", test_register_cap_off);
    qtest_add_func("/ras/pseries/register/counts", test_register_counts);
    qtest_add_func("/ras/pseries/register/no-result",
                   test_register_no_result);
    qtest_add_func("/ras/pseries/register/addresses",
                   test_register_addresses);
    qtest_add_func("/ras/pseries/register/rtas-base",
                   test_register_rtas_base);
    qtest_add_func("/ras/pseries/register/area-size",
                   test_register_area_size);
    qtest_add_func("/ras/pseries/register/outside-rma",
                   test_register_outside_rma);
    qtest_add_func("/ras/pseries/register/again", test_register_again);
    qtest_add_func("/ras/pseries/reset", test_reset);
    qtest_add_func("/ras/pseries/interlock", test_interlock);
    qtest_add_func("/ras/pseries/reclaim/time", test_reclaim);
    qtest_add_func("/ras/pseries/reclaim/frozen", test_reclaim_frozen);
    qtest_add_func("/ras/pseries/handler-frozen", test_handler_frozen);
    qtest_add_func("/ras/pseries/stop-self", test_stop_self);
    qtest_add_func("/ras/pseries/unplug", test_unplug);
    qtest_add_func("/ras/pseries/unplug-owner", test_unplug_owner);
    qtest_add_data_func("/ras/pseries/second/other-vcpu", "",
                        test_second_vcpu);
    /* all vCPUs in one thread */
    qtest_add_data_func("/ras/pseries/second/other-vcpu-icount",
                        "-icount shift=3", test_second_vcpu);
    qtest_add_func("/ras/pseries/second/same-vcpu", test_second_same_vcpu);
    qtest_add_func("/ras/pseries/second/burst", test_burst);
    qtest_add_func("/ras/pseries/delivery/vector-stopped",
                   test_vector_stopped);
    qtest_add_func("/ras/pseries/delivery/prefixed", test_prefixed);
    qtest_add_func("/ras/pseries/crowd/any-order", test_crowd);
    qtest_add_func("/ras/pseries/crowd/stops", test_crowd_stops);
    qtest_add_func("/ras/pseries/crowd/hand-over", test_hand_over);
    qtest_add_func("/ras/pseries/check-stop/second", test_checkstop_second);
    qtest_add_func("/ras/pseries/check-stop/area-gone",
                   test_checkstop_area_gone);
    qtest_add_func("/ras/pseries/check-stop/area-poisoned",
                   test_checkstop_area_poisoned);
    qtest_add_func("/ras/pseries/check-stop/handler-poisoned",
                   test_checkstop_handler_poisoned);
    qtest_add_func("/ras/pseries/check-stop/vector-poisoned",
                   test_checkstop_vector_poisoned);
    qtest_add_func("/ras/pseries/check-stop/unplugged",
                   test_checkstop_unplugged);
    qtest_add_data_func("/ras/pseries/moved/system-reset", "",
                        test_reset_while_parked);
    qtest_add_data_func("/ras/pseries/moved/system-reset-icount",
                        "-icount shift=3", test_reset_while_parked);
    qtest_add_func("/ras/pseries/moved/system-reset-after-move",
                   test_reset_after_move);
    qtest_add_func("/ras/pseries/stopped-and-prodded",
                   test_stopped_and_prodded);
    qtest_add_func("/ras/pseries/anything", test_anything);
    qtest_add_func("/ras/pseries/poison/severity", test_poison_severity);
    qtest_add_func("/ras/pseries/poison/crossing", test_crossing);
    qtest_add_func("/ras/pseries/move/log-out", test_move_log_out);
    qtest_add_func("/ras/pseries/moves", test_move);
    qtest_add_func("/ras/pseries/stock/moves", test_stock_moves);
    qtest_add_func("/ras/pseries/stock/begins", test_stock_begins);
    qtest_add_func("/ras/pseries/stock/system-reset", test_stock_sys_reset);
    return g_test_run();
}
