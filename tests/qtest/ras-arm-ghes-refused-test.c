/*
 * QTest of the device "ras-ghes" on the Arm machine "virt": refused records
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-ghes.h"
#include "ras-cper.h"

#define ARM "'type': 'cache', 'severity': 'recoverable'"

static void test_arm_refused(void)
{
    static const struct {
        const char *arguments, *message;
    } cases[] = {
        { "'vcpu': 2, " ARM,
          "There is no vCPU 2; 'info cpus' shows which there are" },
        { "'vcpu': -1, " ARM,
          "There is no vCPU -1; 'info cpus' shows which there are" },
        { "'vcpu': -4294967296, " ARM,
          "There is no vCPU -4294967296; 'info cpus' shows which there are" },
        { "'vcpu': 4294967296, " ARM,
          "There is no vCPU 4294967296; 'info cpus' shows which there are" },
        { "'vcpu': 2, 'synchronous': true, " ARM,
          "There is no vCPU 2; 'info cpus' shows which there are" },
        { "'vcpu': 1, 'synchronous': true, " ARM,
          "vCPU 1 is offline, so it cannot consume anything; choose one that "
          "the guest has started" },
        { "'vcpu': 0, 'synchronous': true, 'polled': true, " ARM,
          "An error that a vCPU takes cannot be polled; leave out 'polled'" },
        { "'vcpu': 0, 'synchronous': true, 'type': 'tlb',"
          " 'severity': 'corrected'",
          "A corrected error is no abort of a vCPU; *" },
        { "'vcpu': 0, 'count': 0, " ARM,
          "Parameter 'count' is the number of errors: 1 or more" },
        { "'vcpu': 0, 'count': 0, 'synchronous': true, " ARM,
          "Parameter 'count' is the number of errors: 1 or more" },
    };
    /* by the monitor, before they get anywhere */
    static const struct {
        const char *arguments, *message;
    } malformed[] = {
        { "", "*'vcpu' is missing" },
        { "'vcpu': 0, 'severity': 'fatal'", "*'type' is missing" },
        { "'vcpu': 0, 'type': 'cache'", "*'severity' is missing" },
        { "'vcpu': 0, 'type': 'memory', 'severity': 'fatal'", "*'memory'*" },
        { "'vcpu': 0, 'count': 65536, " ARM, "*'count' expects uint16*" },
        { "'vcpu': 0, 'count': -1, " ARM, "*'count' expects uint16*" },
        { "'vcpu': 0, 'flags': [ 'none' ], " ARM, "*'none'*" },
        { "'vcpu': 0, 'address': 0, " ARM, "*'address' is unexpected" },
        { "'vcpu': 0, 'mode': 'report', " ARM, "*'mode' is unexpected" },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_test_message("%s", cases[i].arguments);
        ras_arm_refused(vm, cases[i].arguments, cases[i].message);
        check_registers(vm, NONE);
    }
    for (int i = 0; i < ARRAY_SIZE(malformed); i++) {
        g_test_message("%s", malformed[i].arguments);
        ras_assert_refused(vm, "ras-inject",
                           ras_arm_arguments(malformed[i].arguments),
                           malformed[i].message, 0);
    }
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(block_status(vm, i), ==, 0);
    }
    /* the next one is the first */
    g_assert_cmpuint(ras_inject_arm(vm, "'vcpu': 0, " ARM), ==, 1);
    ras_quit(vm);
}

/* Memory of a device is not the guest's to give up. */
static void test_device_memory_refused(void)
{
    static const char *const modes[] = { "poison", "report", "consume" };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(modes); i++) {
        QDict *args = qdict_from_jsonf_nofail(
            "{ 'kind': 'memory', 'severity': 'recoverable', 'mode': %s }",
            modes[i]);

        qdict_put_int(args, "address", BLOCK(0));
        if (g_str_equal(modes[i], "consume")) {
            qdict_put_int(args, "vcpu", 0);
        }
        ras_assert_refused(vm, "ras-inject", args,
                           "*0xb010000 is not RAM of the guest*", 1);
    }
    ras_quit(vm);
}

/* How the record gets to the guest makes no sense. */
static void test_cper_way_refused(void)
{
    static const struct {
        const char *more, *message;
    } cases[] = {
        { "'vcpu': 2",
          "There is no vCPU 2; 'info cpus' shows which there are" },
        { "'vcpu': -1",
          "There is no vCPU -1; 'info cpus' shows which there are" },
        { "'vcpu': -4294967296",
          "There is no vCPU -4294967296; 'info cpus' shows which there are" },
        { "'vcpu': 1",
          "vCPU 1 is offline, so it cannot consume anything; choose one that "
          "the guest has started" },
        { "'vcpu': 0, 'polled': true",
          "An error that a vCPU takes cannot be polled; leave out 'polled'" },
    };
    g_autoptr(GByteArray) record = mixed_record();
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        ras_cper_refused(vm, record, cases[i].more, cases[i].message);
    }
    check_registers(vm, NONE);
    ras_quit(vm);
}

#define NO_BLOCK "This is no Generic Error Status Block that a guest can read: "

/* QEMU 10.2 ends when it is given base64 that is none. */
static void test_base64_refused(void)
{
    static const char invalid[] = "Base64 data contains invalid characters";
    static const char too_short[] =
        NO_BLOCK "block is shorter than its 20-byte header";
    RasVm *vm = start();

    ras_base64_refused(vm, "*", invalid);
    ras_base64_refused(vm, "EQAAAAAAAAA AAAAA", invalid);
    ras_base64_refused(vm, "gr\xc3\xbc\xc3\x9f" "e", invalid);
    ras_base64_refused(vm, "", too_short);
    ras_base64_refused(vm, "\n", too_short);
    ras_base64_refused(vm, "====", too_short);
    ras_base64_refused(vm, "EQ", too_short);
    ras_base64_refused(vm, "EQAAAAAAAAAAAAAAAAAAAAAAAA==", too_short);
    check_registers(vm, NONE);
    ras_quit(vm);
}

/* One field of a good record spoilt */
static void test_block_refused(void)
{
    static const struct {
        unsigned int offset, size;
        uint32_t value;
        const char *why;
        bool by_both;           /* by the name of QEMU 10.2, too */
    } cases[] = {
        { 0, 4, 0, "block_status is 0: the block is empty", true },
        { 0, 4, 0x43, "entry count in block_status is not the number of "
                      "entries" },
        { 0, 4, 0x23, "entry count in block_status is not the number of "
                      "entries" },
        { 0, 4, 0x32, "block_status does not say uncorrectable, but an entry "
                      "is fatal or recoverable" },
        { 0, 4, 0x31, "block_status does not say correctable, but an entry "
                      "is corrected" },
        { 0, 4, 0x80000033, "block_status has reserved bits set" },
        { 4, 4, 0, "raw data overlaps the header or the entries" },
        { 8, 4, 33, "raw data runs past the end of the block", true },
        { 8, 4, 0xffffffff, "raw data runs past the end of the block", true },
        { 12, 4, 0xffffffff, "data_length runs past the end of the block",
          true },
        { 12, 4, 80, "section does not fit in data_length" },
        { 12, 4, 152 + 20, "entry header does not fit in data_length" },
        { 16, 4, 1, "error_severity of the block is not that of its worst "
                    "entry" },
        { 16, 4, 4, "error_severity of the block is not one of 0 to 3" },
        { 20 + 16, 4, 4, "error_severity of an entry is not one of 0 to 3" },
        { 20 + 20, 2, 0x301, "revision of an entry is not 0x0300" },
        { 20 + 22, 1, 0xff, "validation_bits of an entry has reserved bits "
                            "set" },
        { 20 + 22, 1, 4, "timestamp of an entry is not a BCD date" },
        { 20 + 24, 4, 0xffffffff, "section does not fit in data_length" },
        { 172 + 72 + 4, 2, 0, "ERR_INFO_NUM of an ARM processor section is "
                              "0" },
        { 172 + 72 + 4, 2, 3, "error information does not fit in its ARM "
                              "processor section" },
        { 172 + 72 + 6, 2, 1, "context information does not fit in its ARM "
                              "processor section" },
        { 172 + 72 + 8, 4, 40, "section length of an ARM processor section is "
                               "not the error_data_length of its entry" },
        /* one that Linux would step over for ever */
        { 172 + 72 + 41, 1, 0, "length of an ARM error information structure "
                               "is not 32" },
    };
    RasVm *vm = start();

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(GByteArray) record = mixed_record();
        g_autofree char *message = g_strconcat(NO_BLOCK, cases[i].why, NULL);
        g_autofree char *base64 = NULL;
        uint8_t *p = record->data + cases[i].offset;

        g_test_message("%s", cases[i].why);
        switch (cases[i].size) {
        case 1:
            *p = cases[i].value;
            break;
        case 2:
            stw_le_p(p, cases[i].value);
            break;
        default:
            stl_le_p(p, cases[i].value);
        }
        if (cases[i].by_both) {
            base64 = g_base64_encode(record->data, record->len);
            ras_base64_refused(vm, base64, message);
        } else {
            ras_cper_refused(vm, record, "", message);
        }
    }
    check_registers(vm, NONE);
    ras_quit(vm);
}

static void test_long_refused(void)
{
    g_autoptr(GByteArray) record = ras_cper_of_length(RAS_CPER_RECOVERABLE,
                                                      BLOCK_LENGTH + 1);
    g_autofree char *base64 = g_base64_encode(record->data, record->len);
    RasVm *vm = start();

    ras_base64_refused(vm, base64,
                       "The record has 16385 bytes, and the guest's "
                       "error status block only 16384");
    ras_cper_refused(vm, record, "'vcpu': 0", "The record has 16385 bytes*");
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ras/ghes/arm-processor/refused", test_arm_refused);
    qtest_add_func("/ras/ghes/device-memory-refused",
                   test_device_memory_refused);
    qtest_add_func("/ras/ghes/cper/way-refused", test_cper_way_refused);
    qtest_add_func("/ras/ghes/cper/base64-refused", test_base64_refused);
    qtest_add_func("/ras/ghes/cper/block-refused", test_block_refused);
    qtest_add_func("/ras/ghes/cper/long-refused", test_long_refused);
    return g_test_run();
}
