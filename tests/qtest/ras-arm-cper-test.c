/*
 * QTest of guest RAS on "virt" with ras=on: records made by the caller
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"
#include "ras-cper.h"

/* One block of 1024 bytes, and it is for aborts. */
static void test_inject_record(void)
{
    const RasArmRecord expected = {
        .severity = RAS_CPER_FATAL, .mpidr = 0x80000001, .midr = RAS_ARM_MIDR,
        .running = 1, .type = 0x02, .valid = 0x13, .pa = PAGE(2),
    };
    g_autofree char *arguments =
        g_strdup_printf("'vcpu': 1, 'synchronous': true, 'type': 'cache',"
                        " 'severity': 'fatal', 'physical-address': %" PRIu64,
                        (uint64_t)PAGE(2));
    RasVm *vm = start_ready("");
    uint64_t id = ras_inject_arm(vm, arguments);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    g_assert_cmphex(read_ack(vm), ==, 0);
    ras_cper_check_arm(vm, HEADER + BLOCK, id, &expected);
    acknowledge(vm);
    ras_assert_state(vm, id, "over");

    for (size_t len = BLOCK_SIZE - 1; len <= BLOCK_SIZE; len++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                          len);

        id = ras_inject_cper(vm, record, "'vcpu': 0");
        ras_wait_until(vm, ras_state_is(vm, id, "notified"));
        ras_cper_check(vm, HEADER + BLOCK, record);
        acknowledge(vm);
        ras_assert_state(vm, id, "over");
    }
    ras_assert_count(vm, "acknowledged", 3);
    ras_quit(vm);
}

/* Records that wait for one another, each for its own vCPU */
static void test_inject_record_burst(void)
{
    const unsigned int count = 100;
    RasVm *vm = start_ready("");

    for (unsigned int i = 0; i < count; i++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                          200 + i);

        g_assert_cmpuint(ras_inject_cper(vm, record, i % 2 ? "'vcpu': 1" :
                                                             "'vcpu': 0"), ==,
                         i + 1);
    }
    for (unsigned int i = 0; i < count; i++) {
        g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                          200 + i);

        ras_wait_until(vm, ras_state_is(vm, i + 1, "notified"));
        ras_cper_check(vm, HEADER + BLOCK, record);
        acknowledge(vm);
    }
    ras_assert_count(vm, "acknowledged", count);
    ras_quit(vm);
}

static void test_inject_record_refused(void)
{
    static const char no_source[] =
        "The guest can only be notified of errors that a vCPU takes, because "
        "this machine's tables have no asynchronous error source; start it "
        "with ras-ghes=on, or have a vCPU take the error*";
    static const char not_ready[] =
        "The guest cannot be notified of a fatal error: its firmware has not "
        "set up the error status block; wait until it has booted, or use "
        "severity 'recoverable'";
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      BLOCK_SIZE);
    g_autoptr(GByteArray) fatal = ras_cper_of_length(RAS_CPER_FATAL, 200);
    g_autoptr(GByteArray) corrected = ras_cper_of_length(RAS_CPER_CORRECTED,
                                                         200);
    g_autoptr(GByteArray) too_long = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                        BLOCK_SIZE + 1);
    g_autofree char *base64 = g_base64_encode(record->data, record->len);
    RasVm *vm = ras_start("");

    /* before the firmware has run, and after that */
    for (int ready = 0; ready < 2; ready++) {
        ras_arm_refused(vm, "'vcpu': 0, 'type': 'cache',"
                        " 'severity': 'recoverable'", no_source);
        ras_arm_refused(vm, "'vcpu': 0, 'type': 'cache', 'polled': true,"
                        " 'severity': 'corrected'", no_source);
        ras_cper_refused(vm, record, "", no_source);
        ras_cper_refused(vm, record, "'polled': true", no_source);
        ras_base64_refused(vm, base64, no_source);
        ras_base64_refused(vm, "*", "Base64 data contains invalid characters");
        ras_cper_refused(vm, corrected, "'vcpu': 0",
                         "A corrected error is no abort of a vCPU; *");
        ras_cper_refused(vm, too_long, "'vcpu': 0", "The record has 1025 "
                         "bytes, and the guest's error status block only 1024");
        if (!ready) {
            ras_cper_refused(vm, fatal, "'vcpu': 0", not_ready);
            ras_arm_refused(vm, "'vcpu': 0, 'type': 'bus',"
                            " 'synchronous': true, 'severity': 'fatal'",
                            not_ready);
            run_firmware(vm);
        }
    }
    g_assert_cmphex(block_status(vm), ==, 0);
    g_assert_cmphex(read_ack(vm), ==, 1);
    ras_quit(vm);
}

/* The queue has room for so many; a reset empties it. */
static void test_inject_record_queue_full(void)
{
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      BLOCK_SIZE);
    RasVm *vm = start_ready("-S");

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < RAS_INJECTED_MAX; i++) {
            ras_inject_cper(vm, record, "'vcpu': 0");
        }
        ras_cper_refused(vm, record, "'vcpu': 0", "*queue*full*1024*");
        ras_arm_refused(vm, "'vcpu': 0, 'type': 'bus', 'synchronous': true,"
                        " 'severity': 'recoverable'", "*queue*full*1024*");
        ras_reset(vm);
        ras_assert_count(vm, "discarded", (round + 1) * RAS_INJECTED_MAX);
    }
    ras_quit(vm);
}

/* Where no record can go yet there is an exception without one. */
static void test_inject_record_early(void)
{
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      200);
    RasVm *vm = ras_start("");

    ras_inject_cper(vm, record, "'vcpu': 0");
    ras_wait_count(vm, "delivered", 1);
    ras_inject_arm(vm, "'vcpu': 1, 'type': 'tlb', 'synchronous': true,"
                   " 'severity': 'recoverable'");
    ras_wait_count(vm, "delivered", 2);
    ras_assert_count(vm, "recorded", 0);
    ras_quit(vm);
}

/* FAR has the virtual address, if one is given, and only then. */
static void test_inject_record_far(void)
{
    RasVm *vm = start_guest("");

    ras_inject_arm(vm, "'vcpu': 0, 'type': 'cache', 'synchronous': true,"
                   " 'severity': 'recoverable', 'virtual-address': 4886718345");
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 1);
    g_assert_cmphex(mail(vm, RAS_ARM_ESR) & (1 << 10 | 0x3f), ==, 0x10);
    g_assert_cmphex(mail(vm, RAS_ARM_FAR), ==, 4886718345);
    acknowledge_live(vm);
    ras_inject_arm(vm, "'vcpu': 0, 'type': 'cache', 'synchronous': true,"
                   " 'severity': 'recoverable'");
    ras_wait_until(vm, mail(vm, RAS_ARM_ENTRIES) == 2);
    g_assert_cmphex(mail(vm, RAS_ARM_ESR) & (1 << 10 | 0x3f), ==, 0x410);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/virt/inject-record/arrives", test_inject_record);
    qtest_add_func("/ras/virt/inject-record/burst", test_inject_record_burst);
    qtest_add_func("/ras/virt/inject-record/refused",
                   test_inject_record_refused);
    qtest_add_func("/ras/virt/inject-record/queue-full",
                   test_inject_record_queue_full);
    qtest_add_func("/ras/virt/inject-record/early", test_inject_record_early);
    qtest_add_func("/ras/virt/inject-record/far", test_inject_record_far);
    return g_test_run();
}
