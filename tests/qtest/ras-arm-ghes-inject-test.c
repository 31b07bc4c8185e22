/*
 * QTest of the device "ras-ghes" on the Arm machine "virt": injected records
 *
 * Kinds arm-processor and cper, and inject-ghes-v2-error, byte by byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-ghes.h"
#include "ras-cper.h"

/* Two vCPUs that run. */
static RasVm *start_online(void)
{
    return ras_start_binary(NULL, MACHINE ",secure=on", "");
}

/* Acknowledge what is out, so that the next record can follow. */
static void finish(RasVm *vm, int source, uint64_t id)
{
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    qtest_writeq(vm->qts, READ_ACK(source), 1);
    ras_wait_until(vm, ras_state_is(vm, id, "over"));
    qtest_clock_step(vm->qts, PACE_NS);
}

/* An error of vCPU 0 whose section is as expected */
static void check_arm(RasVm *vm, const char *arguments,
                      const RasArmRecord *expected)
{
    uint64_t id = ras_inject_arm(vm, arguments);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, GED);
    ras_cper_check_arm(vm, BLOCK(GED), id, expected);
    finish(vm, GED, id);
}

/* Each part of a processor with each severity: the section, and the event. */
static void test_arm_types(void)
{
    static const struct {
        const char *name, *class;
        uint8_t type;
    } types[] = {
        { "cache", "cache", 0x02 },
        { "tlb", "tlb", 0x04 },
        { "bus", "bus", 0x08 },
        { "micro-architectural", "unknown", 0x10 },
    };
    static const char *const severities[] = {
        [RAS_CPER_RECOVERABLE] = "recoverable",
        [RAS_CPER_FATAL] = "fatal",
        [RAS_CPER_CORRECTED] = "corrected",
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(types); i++) {
        for (int severity = 0; severity < ARRAY_SIZE(severities); severity++) {
            g_autofree char *arguments =
                g_strdup_printf("'vcpu': 0, 'type': '%s', 'severity': '%s'",
                                types[i].name, severities[severity]);
            const RasArmRecord expected = {
                .severity = severity, .mpidr = RAS_ARM_MPIDR,
                .midr = RAS_ARM_MIDR, .running = 1, .type = types[i].type,
                .valid = RAS_ARM_VALID,
            };
            uint64_t id = 3 * i + severity + 1;
            QDict *error;

            check_arm(vm, arguments, &expected);
            error = ras_next_step(vm, id, "accepted");
            g_assert_cmpstr(qdict_get_str(error, "class"), ==, types[i].class);
            g_assert_cmpstr(qdict_get_str(error, "severity"), ==,
                            severities[severity]);
            g_assert_cmpstr(qdict_get_str(error, "origin"), ==, "injected");
            g_assert_false(qdict_get_bool(error, "synchronous"));
            g_assert_false(qdict_haskey(error, "vcpu"));
            g_assert_false(qdict_haskey(error, "address"));
            qobject_unref(error);
            /* no MEMORY_FAILURE among them */
            ras_expect_step(vm, id, "queued");
            ras_expect_step(vm, id, "recorded");
            ras_expect_step(vm, id, "notified");
            ras_expect_step(vm, id, "acknowledged");
        }
    }
    ras_quit(vm);
}

/* Each optional argument alone, with its extremes, and all together */
static void test_arm_arguments(void)
{
    static const struct {
        const char *arguments;
        uint16_t valid, count;
        uint8_t flags;
        uint64_t information, va, pa;
    } cases[] = {
        { "'count': 1", 0x03 },
        { "'count': 2", 0x03, .count = 2 },
        { "'count': 65535", 0x03, .count = 65535 },
        { "'flags': []", 0x03 },
        { "'flags': [ 'first' ]", 0x03, .flags = 1 },
        { "'flags': [ 'last' ]", 0x03, .flags = 2 },
        { "'flags': [ 'propagated' ]", 0x03, .flags = 4 },
        { "'flags': [ 'overflow' ]", 0x03, .flags = 8 },
        { "'flags': [ 'overflow', 'last', 'first' ]", 0x03, .flags = 11 },
        { "'error-information': 0", 0x07 },
        { "'error-information': 18446744073709551615", 0x07,
          .information = UINT64_MAX },
        { "'virtual-address': 0", 0x0b },
        { "'virtual-address': 18446638520593289216", 0x0b,
          .va = 0xffffa00000001000 },
        { "'physical-address': 0", 0x13 },
        { "'physical-address': 18446744073709551615", 0x13,
          .pa = UINT64_MAX },
        { "'synchronous': false, 'polled': false", 0x03 },
        { "'count': 259, 'flags': [ 'first', 'propagated' ],"
          " 'error-information': 81985529216486895,"
          " 'virtual-address': 1311768467463790320,"
          " 'physical-address': 1116691513", 0x1f, 259, 5,
          0x0123456789abcdef, 0x123456789abcdef0, 0x428f5c39 },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *arguments =
            g_strdup_printf("'vcpu': 0, 'type': 'cache',"
                            " 'severity': 'recoverable', %s",
                            cases[i].arguments);
        const RasArmRecord expected = {
            .mpidr = RAS_ARM_MPIDR, .midr = RAS_ARM_MIDR, .running = 1,
            .type = 0x02, .valid = cases[i].valid, .count = cases[i].count,
            .flags = cases[i].flags, .information = cases[i].information,
            .va = cases[i].va, .pa = cases[i].pa,
        };

        g_test_message("%s", cases[i].arguments);
        check_arm(vm, arguments, &expected);
    }
    ras_quit(vm);
}

/* The section names the vCPU as the vCPU itself does, and says if it runs. */
static void test_arm_vcpus(void)
{
    RasArmRecord expected = {
        .severity = RAS_CPER_CORRECTED, .mpidr = RAS_ARM_MPIDR,
        .midr = RAS_ARM_MIDR, .running = 1, .type = 0x04,
        .valid = RAS_ARM_VALID,
    };
    RasVm *vm = start();

    /* switched off, which PSCI calls OFF, 1 */
    expected.mpidr = 0x80000001;
    expected.running = 0;
    expected.psci = 1;
    check_arm(vm, "'vcpu': 1, 'type': 'tlb', 'severity': 'corrected'",
              &expected);
    ras_quit(vm);

    /* another model, and two clusters of 16, because of GICv3 */
    vm = ras_start_binary(NULL, MACHINE ",secure=on,gic-version=3",
                          "-cpu cortex-a57 -smp 18");
    expected.midr = 0x411fd070;
    expected.running = 1;
    expected.psci = 0;
    check_arm(vm, "'vcpu': 1, 'type': 'tlb', 'severity': 'corrected'",
              &expected);
    expected.mpidr = 0x80000101;
    check_arm(vm, "'vcpu': 17, 'type': 'tlb', 'severity': 'corrected'",
              &expected);
    ras_quit(vm);
}

static void test_arm_polled(void)
{
    const RasArmRecord expected = {
        .mpidr = RAS_ARM_MPIDR, .midr = RAS_ARM_MIDR, .running = 1,
        .type = 0x08, .valid = RAS_ARM_VALID,
    };
    RasVm *vm = start();
    uint64_t id;

    id = ras_inject_arm(vm, "'vcpu': 0, 'type': 'bus', 'polled': true,"
                        " 'severity': 'recoverable'");
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, POLLED);
    ras_cper_check_arm(vm, BLOCK(POLLED), id, &expected);
    g_assert_cmphex(block_status(vm, GED), ==, 0);
    finish(vm, POLLED, id);
    ras_quit(vm);
}

/* PC of a vCPU: an exception from where firmware is goes to VBAR + 0x200. */
static void assert_pc(RasVm *vm, int vcpu, const char *pc)
{
    QDict *response = qtest_qmp(vm->qts, "{"
                          " 'execute': 'human-monitor-command', 'arguments': {"
                          " 'command-line': 'info registers',"
                          " 'cpu-index': %d } }", vcpu);
    g_autofree char *pattern = g_strdup_printf("* PC=%s *", pc);

    ras_assert_like(qdict_get_str(response, "return"), pattern);
    qobject_unref(response);
}

static void test_arm_synchronous(void)
{
    const RasArmRecord expected = {
        .mpidr = 0x80000001, .midr = RAS_ARM_MIDR, .running = 1,
        .type = 0x02, .valid = 0x1b, .va = 0xffff00001234, .pa = PAGE(5),
    };
    g_autofree char *arguments =
        g_strdup_printf("'vcpu': 1, 'type': 'cache', 'synchronous': true,"
                        " 'severity': 'recoverable',"
                        " 'virtual-address': 281470681748020,"
                        " 'physical-address': %" PRIu64, (uint64_t)PAGE(5));
    RasVm *vm = start_online();
    uint64_t id;
    QDict *error;

    id = ras_inject_arm(vm, arguments);
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, SEA);
    ras_cper_check_arm(vm, BLOCK(SEA), id, &expected);
    assert_pc(vm, 0, "0000000000000000");
    assert_pc(vm, 1, "0000000000000200");

    error = ras_next_step(vm, id, "accepted");
    g_assert_cmpstr(qdict_get_str(error, "class"), ==, "cache");
    g_assert_true(qdict_get_bool(error, "synchronous"));
    g_assert_cmpuint(ras_get_uint(error, "vcpu"), ==, 1);
    g_assert_cmphex(ras_get_uint(error, "virtual-address"), ==, expected.va);
    qobject_unref(error);
    finish(vm, SEA, id);
    ras_quit(vm);
}

/* It arrives as it is, whatever its length, on each of the ways. */
static void test_cper(void)
{
    static const struct {
        int source;
        const char *more;
    } ways[] = {
        { GED, "" },
        { GED, "'polled': false" },
        { POLLED, "'polled': true" },
        { SEA, "'vcpu': 1" },
    };
    GByteArray *records[] = {
        mixed_record(),
        ras_cper_of_length(RAS_CPER_RECOVERABLE, 92),
        ras_cper_of_length(RAS_CPER_FATAL, 1025),
        ras_cper_of_length(RAS_CPER_RECOVERABLE, BLOCK_LENGTH - 1),
        ras_cper_of_length(RAS_CPER_RECOVERABLE, BLOCK_LENGTH),
    };
    static const char *const severity[] = {
        "recoverable", "recoverable", "fatal", "recoverable", "recoverable",
    };

    for (int w = 0; w < ARRAY_SIZE(ways); w++) {
        RasVm *vm = start_online();

        for (int r = 0; r < ARRAY_SIZE(records); r++) {
            uint64_t id = ras_inject_cper(vm, records[r], ways[w].more);
            QDict *error = ras_next_step(vm, id, "accepted");

            g_assert_cmpstr(qdict_get_str(error, "class"), ==, "unknown");
            g_assert_cmpstr(qdict_get_str(error, "severity"), ==, severity[r]);
            g_assert_cmpint(qdict_haskey(error, "vcpu"), ==,
                            ways[w].source == SEA);
            qobject_unref(error);
            ras_wait_until(vm, ras_state_is(vm, id, "notified"));
            check_registers(vm, ways[w].source);
            ras_cper_check(vm, BLOCK(ways[w].source), records[r]);
            for (int other = 0; other < SOURCES; other++) {
                if (other != ways[w].source) {
                    g_assert_cmphex(block_status(vm, other), ==, 0);
                }
            }
            finish(vm, ways[w].source, id);
            ras_drop_events(vm);
        }
        assert_pc(vm, 1, ways[w].source == SEA ? "0000000000000200" :
                                                 "0000000000000000");
        ras_quit(vm);
    }
    for (int r = 0; r < ARRAY_SIZE(records); r++) {
        g_byte_array_unref(records[r]);
    }
}

/* Corrected and informational records, which no vCPU can take */
static void test_cper_corrected(void)
{
    RasVm *vm = start_online();

    for (int severity = RAS_CPER_CORRECTED; severity <= RAS_CPER_INFORMATIONAL;
         severity++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(severity, 200);
        QDict *error;
        uint64_t id;

        ras_cper_refused(vm, record, "'vcpu': 0",
                         "A corrected error is no abort of a vCPU; *");
        id = ras_inject_cper(vm, record, "");
        error = ras_next_step(vm, id, "accepted");
        g_assert_cmpstr(qdict_get_str(error, "severity"), ==, "corrected");
        qobject_unref(error);
        finish(vm, GED, id);
        ras_cper_check(vm, BLOCK(GED), record);
        ras_drop_events(vm);
    }
    ras_quit(vm);
}

/* What is not told yet at a reset is in the boot error records after it. */
static void test_cper_reset(void)
{
    g_autoptr(GByteArray) record = mixed_record();
    const RasArmRecord expected = {
        .mpidr = RAS_ARM_MPIDR, .midr = RAS_ARM_MIDR, .running = 1,
        .type = 0x04, .valid = RAS_ARM_VALID,
    };
    RasVm *vm = start();
    uint64_t id;

    ras_inject_cper(vm, record, "");
    id = ras_inject_arm(vm, "'vcpu': 0, 'type': 'tlb',"
                        " 'severity': 'recoverable', 'polled': true");
    ras_reset(vm);
    ras_cper_check(vm, BERT, record);
    ras_cper_check_arm(vm, BERT + record->len, id, &expected);
    g_assert_cmphex(qtest_readl(vm->qts, BERT + record->len +
                                RAS_CPER_ARM_BLOCK), ==, 0);
    ras_assert_count(vm, "discarded", 2);
    ras_quit(vm);
}

static void test_inject_ghes_v2(void)
{
    g_autoptr(GByteArray) record = mixed_record();
    RasVm *vm = start();

    for (uint64_t id = 1; id <= 2; id++) {
        ras_inject_ghes_v2(vm, record);
        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        check_registers(vm, GED);
        ras_cper_check(vm, BLOCK(GED), record);
        finish(vm, GED, id);
    }
    ras_assert_count(vm, "acknowledged", 2);
    ras_quit(vm);
}

/*
 * The record that scripts/ghes_inject.py of QEMU 10.2 sends for "arm", with its
 * options: one entry, which is not counted, and a section with errors of these
 * types.
 */
static GByteArray *script_record(uint32_t block_status, uint32_t severity,
                                 const uint8_t *types, unsigned int nr_types,
                                 const GByteArray *behind)
{
    GByteArray *record = g_byte_array_new();
    size_t section = 40 + 32 * nr_types + (behind ? behind->len : 0);
    uint8_t *p;

    g_byte_array_set_size(record, 20 + 72 + section);
    p = memset(record->data, 0, record->len);
    stl_le_p(p, block_status);
    stl_le_p(p + 12, 72 + section);
    stl_le_p(p + 16, severity);
    p += 20;
    memcpy(p, ras_cper_arm, 16);
    stl_le_p(p + 16, severity);
    stw_le_p(p + 20, 0x300);
    stl_le_p(p + 24, section);
    p += 72;
    stl_le_p(p, behind ? 7 : 4);                /* validation bits */
    stw_le_p(p + 4, nr_types);
    stw_le_p(p + 6, !!behind);                  /* context information */
    stl_le_p(p + 8, section);
    stq_le_p(p + 24, RAS_ARM_MIDR);
    stl_le_p(p + 32, !!behind);                 /* running state */
    p += 40;
    for (unsigned int i = 0; i < nr_types; i++, p += 32) {
        p[1] = 32;
        stw_le_p(p + 2, 4);                     /* error information */
        p[4] = types[i];
        stw_le_p(p + 5, 1);                     /* several errors */
        p[7] = 3;                               /* first, last */
        stq_le_p(p + 8, i ? 0x54007f : 0x91000f);
        stq_le_p(p + 16, 0xdeadbeef);
        stq_le_p(p + 24, 0xabba0bad);
    }
    if (behind) {
        memcpy(p, behind->data, behind->len);
    }
    return record;
}

/* It arrives as it is, and kind cper, which is stricter, refuses it. */
static void check_script_record(RasVm *vm, uint64_t id,
                                const GByteArray *record)
{
    ras_cper_refused(vm, record, "", "This is no Generic Error Status Block*");
    ras_inject_ghes_v2(vm, record);
    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    check_registers(vm, GED);
    ras_cper_check(vm, BLOCK(GED), record);
    finish(vm, GED, id);
    ras_drop_events(vm);
}

/*
 * Under QEMU 10.2's name, what its script sends is taken: both examples of the
 * script's manual, any severity with any block status, and raw data that the
 * entries run into.
 */
static void test_inject_ghes_v2_script(void)
{
    static const uint8_t cache = 0x02;
    static const uint8_t types[] = { 0x02, 0x04, 0x08, 0x10, 0x14 };
    /* context information: EL1 registers, six of seven given; vendor's bytes */
    uint8_t behind[8 + 7 * 8 + 5] = { 0, 0, 5, 0, 7 * 8 };
    g_autoptr(GByteArray) more = g_byte_array_new();
    g_autoptr(GByteArray) raw = NULL;
    GByteArray *record;
    RasVm *vm = start();
    uint64_t id = 0;

    for (int i = 0; i < 6; i++) {
        behind[8 + 8 * i] = i;
    }
    memcpy(behind + sizeof(behind) - 5, "\x13\x7b\x04\x05\x01", 5);
    g_byte_array_append(more, behind, sizeof(behind));

    for (uint32_t status = 1; status <= 2; status++) {
        for (uint32_t severity = 0; severity <= 3; severity++) {
            record = script_record(status, severity, &cache, 1, NULL);
            check_script_record(vm, ++id, record);
            g_byte_array_unref(record);
        }
    }
    record = script_record(1, RAS_CPER_RECOVERABLE, types, ARRAY_SIZE(types),
                           more);
    check_script_record(vm, ++id, record);
    g_byte_array_unref(record);

    raw = script_record(1, RAS_CPER_RECOVERABLE, &cache, 1, NULL);
    g_byte_array_append(raw, behind, 3);
    stl_le_p(raw->data + 8, 3);
    stl_le_p(raw->data + 12, ldl_le_p(raw->data + 12) + 3);
    check_script_record(vm, ++id, raw);
    ras_assert_count(vm, "acknowledged", id);
    ras_quit(vm);
}

/*
 * Such a record moves with the VM, and a reset does not lose it; but if nobody
 * could walk over it, it would hide those behind it.
 */
static void test_inject_ghes_v2_moves(void)
{
    static const uint8_t cache = 0x02;
    GByteArray *record = script_record(1, RAS_CPER_FATAL, &cache, 1, NULL);
    g_autoptr(GByteArray) broken = script_record(2, RAS_CPER_FATAL, &cache, 1,
                                                 NULL);
    g_autofree char *file = ras_temp_file();
    RasVm *vm = start();

    broken->data[20 + 24]--;                    /* length of the section */
    ras_inject_ghes_v2(vm, broken);
    finish(vm, GED, 1);
    ras_inject_ghes_v2(vm, record);
    finish(vm, GED, 2);
    ras_inject_ghes_v2(vm, broken);
    ras_wait_until(vm, ras_state_is(vm, 3, "notified"));
    ras_inject_ghes_v2(vm, record);
    ras_assert_state(vm, 4, "queued");
    ras_save(vm, file, "completed");
    ras_quit(vm);

    vm = load(file, MACHINE);
    ras_assert_state(vm, 3, "notified");
    ras_assert_state(vm, 4, "queued");
    ras_cper_check(vm, BLOCK(GED), broken);
    ras_reset(vm);
    /* what was cut off, then what was told before */
    ras_cper_check(vm, BERT, record);
    ras_cper_check(vm, BERT + record->len, record);
    g_assert_cmphex(qtest_readl(vm->qts, BERT + 2 * record->len), ==, 0);
    ras_quit(vm);
    g_byte_array_unref(record);
    g_unlink(file);
}

/* Sections of types that UEFI defines: the least length that each has */
static void test_section_lengths(void)
{
    static const struct {
        const char *what;
        uint8_t type[16];
        unsigned int least;
        const char *why;
    } cases[] = {
        { "firmware error record", {
            0x96, 0x2a, 0x21, 0x81, 0xed, 0x09, 0x96, 0x49,
            0x94, 0x71, 0x8d, 0x72, 0x9c, 0x8e, 0x69, 0xed }, 16,
          "firmware error section is shorter than 16 bytes" },
        { "PCIe", {
            0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43,
            0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35 }, 208,
          "PCIe error section is shorter than 208 bytes" },
        { "CXL, general media", {
            0x77, 0x0a, 0xcd, 0xfb, 0x60, 0xc2, 0x7f, 0x41,
            0x85, 0xa9, 0x08, 0x8b, 0x16, 0x21, 0xeb, 0xa6 }, 144,
          "CXL general media event section is shorter than 144 bytes" },
        { "memory, UEFI 2.2", {
            0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
            0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1 }, 73,
          "memory error section is shorter than 80 bytes" },
    };
    const uint8_t section[208] = { 0 };
    RasVm *vm = start();
    uint64_t id;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *message = g_strconcat("*: ", cases[i].why, NULL);

        g_test_message("%s", cases[i].what);
        for (unsigned int len = 0; len <= cases[i].least; len++) {
            g_autoptr(GByteArray) record = ras_cper_new();

            ras_cper_add(record, cases[i].type, RAS_CPER_RECOVERABLE, section,
                         len);
            if (len < cases[i].least) {
                ras_cper_refused(vm, record, "", message);
                continue;
            }
            id = ras_inject_cper(vm, record, "");
            finish(vm, GED, id);
            ras_drop_events(vm);
        }
    }
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/ghes/arm-processor/types", test_arm_types);
    qtest_add_func("/ras/ghes/arm-processor/arguments", test_arm_arguments);
    qtest_add_func("/ras/ghes/arm-processor/vcpus", test_arm_vcpus);
    qtest_add_func("/ras/ghes/arm-processor/polled", test_arm_polled);
    qtest_add_func("/ras/ghes/arm-processor/synchronous",
                   test_arm_synchronous);
    qtest_add_func("/ras/ghes/cper/arrives", test_cper);
    qtest_add_func("/ras/ghes/cper/corrected", test_cper_corrected);
    qtest_add_func("/ras/ghes/cper/reset", test_cper_reset);
    qtest_add_func("/ras/ghes/cper/inject-ghes-v2-error/good",
                   test_inject_ghes_v2);
    qtest_add_func("/ras/ghes/cper/inject-ghes-v2-error/script",
                   test_inject_ghes_v2_script);
    qtest_add_func("/ras/ghes/cper/inject-ghes-v2-error/moves",
                   test_inject_ghes_v2_moves);
    qtest_add_func("/ras/ghes/cper/section-lengths", test_section_lengths);
    return g_test_run();
}
