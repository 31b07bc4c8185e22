/*
 * Guest RAS: a guest for the qtests of the POWER machine "pseries"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-ppc-guest.h"

/* --- the guest ----------------------------------------------------------- */

void emit(Code *code, uint32_t instruction)
{
    qtest_writel(code->qts, code->at, instruction);
    code->at += 4;
}

void emit_li(Code *code, int reg, uint32_t value)
{
    emit(code, 0x3c000000 | reg << 21 | value >> 16);               /* lis */
    emit(code, 0x60000000 | reg << 21 | reg << 16 | (value & 0xffff));
}

void emit_std(Code *code, int reg, int offset)
{
    emit(code, 0xf8000000 | reg << 21 | 9 << 16 | offset);
}

void emit_ld(Code *code, int reg, int offset)
{
    emit(code, 0xe8000000 | reg << 21 | 9 << 16 | offset);
}

static uint32_t spr_field(int spr)
{
    return (spr & 31) << 16 | spr >> 5 << 11;
}

void emit_mfspr(Code *code, int reg, int spr)
{
    emit(code, 0x7c0002a6 | reg << 21 | spr_field(spr));
}

void emit_mtspr(Code *code, int reg, int spr)
{
    emit(code, 0x7c0003a6 | reg << 21 | spr_field(spr));
}

void emit_branch(Code *code, uint64_t target)
{
    emit(code, 0x48000000 | ((target - code->at) & 0x03fffffc));
}

void emit_poll(Code *code, int offset, uint64_t poll)
{
    emit_ld(code, 4, offset);
    emit(code, 0x2c240000);                                 /* cmpdi r4,0 */
    emit(code, 0x41820000 | ((poll - code->at) & 0xfffc));  /* beq */
}

void emit_clear(Code *code, int offset)
{
    emit_li(code, 5, 0);
    emit_std(code, 5, offset);
}

void emit_count(Code *code, int offset)
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

uint64_t mail(RasVm *vm, int offset)
{
    return qtest_readq(vm->qts, MAILBOX + offset);
}

void run_guest(RasVm *vm)
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

RasVm *start_guest(const char *options)
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

size_t find_rtas_node(const uint8_t *tree, size_t len)
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

void start_hypercall(RasVm *vm, uint64_t number, uint64_t argument)
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

void set_rtas_base(RasVm *vm, uint32_t rtas_base)
{
    g_autoptr(GByteArray) tree = tree_with_rtas_base(vm, rtas_base);

    qtest_memwrite(vm->qts, DEVICE_TREE, tree->data, tree->len);
    update_tree(vm);
}

void change_rtas_base(RasVm *vm, uint32_t rtas_base)
{
    size_t len = qtest_readl(vm->qts, DEVICE_TREE + 4);
    g_autofree uint8_t *tree = g_malloc(len);

    qtest_memread(vm->qts, DEVICE_TREE, tree, len);
    qtest_writel(vm->qts, DEVICE_TREE + find_rtas_node(tree, len) + 12,
                 rtas_base);
    update_tree(vm);
}

/* --- RTAS ---------------------------------------------------------------- */

int32_t rtas(RasVm *vm, const char *name, uint32_t nargs, const uint32_t *args,
             uint32_t nret)
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

int32_t nmi_register(RasVm *vm, uint32_t system_reset, uint32_t machine_check)
{
    uint32_t args[] = { system_reset, machine_check };

    return rtas(vm, "ibm,nmi-register", 2, args, 1);
}

int32_t nmi_interlock(RasVm *vm)
{
    return rtas(vm, "ibm,nmi-interlock", 0, NULL, 1);
}

void register_handler(RasVm *vm)
{
    set_rtas_base(vm, RTAS_BASE);
    g_assert_cmpint(nmi_register(vm, LOOP, HANDLER), ==, SUCCESS);
    g_assert_true(ras_ready(vm));
}

RasVm *start_registered(const char *options)
{
    RasVm *vm = start_guest(options);

    register_handler(vm);
    return vm;
}

void start_second_vcpu(RasVm *vm)
{
    uint32_t args[] = { 1, LOOP, SECOND_R3 };

    g_assert_cmpint(rtas(vm, "start-cpu", 3, args, 1), ==, SUCCESS);
}

void wait_entries(RasVm *vm, uint64_t n)
{
    unsigned int panics = vm->panics;

    ras_wait_until(vm, mail(vm, MAIL_ENTRIES) == n || vm->panics > panics);
    g_assert_cmpuint(mail(vm, MAIL_ENTRIES), ==, n);
}

/* --- records ------------------------------------------------------------- */

RtasReading read_log(RasVm *vm)
{
    g_autoptr(GString) why = g_string_new(NULL);
    uint8_t log[LOG_SIZE];
    RtasReading r;

    qtest_memread(vm->qts, RTAS_BASE + SAVE_AREA_LOG, log, LOG_SIZE);
    if (!rtas_read(log, LOG_SIZE, &r, why) || !rtas_read_strict(&r, why)) {
        g_error("log: %s", why->str);
    }
    g_assert_cmpuint(r.length, ==, LOG_SIZE);
    g_assert_cmpint(r.initiator, ==, 1);                    /* a CPU */
    return r;
}

void check_log(RasVm *vm, uint64_t ea, uint64_t ra)
{
    RtasReading r = read_log(vm);

    /* error sync, not recovered */
    g_assert_cmpint(r.severity, ==, 3);
    g_assert_cmpint(r.disposition, ==, 2);
    g_assert_cmpint(r.mc.error_type, ==, 0);                /* UE */
    g_assert_cmpint(r.mc.subtype, ==, 3);                   /* load or store */
    g_assert_true(r.mc.transient && r.mc.ra_valid);
    g_assert_cmpint(r.mc.ea_valid, ==, ea != 0);
    g_assert_cmphex(r.mc.effective_address, ==, ea);
    g_assert_cmphex(r.mc.logical_address, ==, ra);
}

uint64_t consume_at(RasVm *vm, uint64_t address, uint64_t ea)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'consume',"
                      " 'severity': 'recoverable', 'address': %" PRIu64
                      ", 'virtual-address': %" PRIu64 ", 'vcpu': 0,"
                      " 'immediate': true }", address, ea);
}

/* --- moves and unplug --------------------------------------------------- */

bool has_ras_state(RasVm *vm)
{
    /* of the core and of pseries, in the description at its end */
    static const char *const names[] = {
        "\"name\": \"ras\"", "\"name\": \"spapr/ras\"",
    };
    g_autofree char *file = ras_temp_file();
    g_autofree char *data = NULL;
    size_t len;

    ras_save(vm, file, "completed");
    ras_cont(vm);
    data = ras_read_file(file, &len);
    g_unlink(file);
    for (int i = 0; i < ARRAY_SIZE(names); i++) {
        if (memmem(data, len, names[i], strlen(names[i]))) {
            return true;
        }
    }
    return false;
}

RasVm *move(RasVm *vm, const char *binary)
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

void release_core(RasVm *vm, uint32_t core)
{
    static const uint32_t indicators[] = { 9001, 9003 };

    for (int i = 0; i < ARRAY_SIZE(indicators); i++) {
        uint32_t args[] = { indicators[i], 0x10000000 | core, 0 };

        g_assert_cmpint(rtas(vm, "set-indicator", 3, args, 1), ==, SUCCESS);
    }
}
