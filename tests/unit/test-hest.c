/*
 * HEST: the structure of a Generic Hardware Error Source version 2
 *
 * The expected bytes are written by hand from ACPI 6.5, 18.3.2.8 and 18.3.2.9:
 * one line a field.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/acpi/apei/hest.h"

/* No two bytes of these are equal. */
static const HestGhesV2 source = {
    .source_id = 0x5c5b,
    .related_source_id = 0x0403,
    .enabled = true,
    .number_of_records_to_preallocate = 0x08070605,
    .max_sections_per_record = 0x0e0d0c0b,
    .max_raw_data_length = 0x1211100f,
    .error_status_address = {
        .address_space_id = 0x13,
        .register_bit_width = 0x14,
        .register_bit_offset = 0x15,
        .access_size = 0x16,
        .address = 0x1e1d1b1a19181727,
    },
    .notification = {
        .type = 0x1f,
        .configuration_write_enable = 0x2120,
        .poll_interval = 0x25242322,
        .vector = 0x2a292826,
        .switch_to_polling_threshold_value = 0x2e2d2c2b,
        .switch_to_polling_threshold_window = 0x3231302f,
        .error_threshold_value = 0x36353433,
        .error_threshold_window = 0x3a393837,
    },
    .error_status_block_length = 0x3e3d3c3b,
    .read_ack_register = {
        .address_space_id = 0x3f,
        .register_bit_width = 0x40,
        .register_bit_offset = 0x41,
        .access_size = 0x42,
        .address = 0x4a49484746454443,
    },
    .read_ack_preserve = 0x5251504f4e4d4c4b,
    .read_ack_write = 0x5a59585756555453,
};

static const uint8_t golden[] = {
    0x0a, 0x00,                                     /* type */
    0x5b, 0x5c,                                     /* source id */
    0x03, 0x04,                                     /* related source id */
    0x00,                                           /* flags */
    0x01,                                           /* enabled */
    0x05, 0x06, 0x07, 0x08,                         /* preallocate */
    0x0b, 0x0c, 0x0d, 0x0e,                         /* max sections */
    0x0f, 0x10, 0x11, 0x12,                         /* max raw data length */
    /* error status address */
    0x13, 0x14, 0x15, 0x16,
    0x27, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1d, 0x1e,
    /* notification */
    0x1f,                                           /* type */
    0x1c,                                           /* length */
    0x20, 0x21,                                     /* write enable */
    0x22, 0x23, 0x24, 0x25,                         /* poll interval */
    0x26, 0x28, 0x29, 0x2a,                         /* vector */
    0x2b, 0x2c, 0x2d, 0x2e,                         /* switch to polling */
    0x2f, 0x30, 0x31, 0x32,
    0x33, 0x34, 0x35, 0x36,                         /* error threshold */
    0x37, 0x38, 0x39, 0x3a,
    0x3b, 0x3c, 0x3d, 0x3e,                         /* block length */
    /* read-ack register */
    0x3f, 0x40, 0x41, 0x42,
    0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a,
    0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, /* preserve */
    0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, /* write */
};

/* Encode at each alignment, into bytes that are all set, with a guard. */
static void assert_encodes(const HestGhesV2 *s, const uint8_t *expected)
{
    uint8_t buf[8 + HEST_GHESV2_SIZE + 8], want[sizeof(buf)];

    for (unsigned int align = 0; align < 8; align++) {
        memset(buf, 0xff, sizeof(buf));
        memset(want, 0xff, sizeof(want));
        memcpy(want + align, expected, HEST_GHESV2_SIZE);
        hest_ghesv2_encode(buf + align, s);
        g_assert_cmpmem(buf, sizeof(buf), want, sizeof(want));
    }
}

static void test_sizes(void)
{
    g_assert_cmpuint(HEST_GHESV2_SIZE, ==, 92);
    g_assert_cmpuint(HEST_NOTIFICATION_SIZE, ==, 28);
    g_assert_cmpuint(sizeof(golden), ==, 92);
}

/* Each field is where the specification has it, and nowhere else. */
static void test_golden(void)
{
    assert_encodes(&source, golden);
}

/* What is not said is zero, but for type and length. */
static void test_empty(void)
{
    const HestGhesV2 empty = { 0 };
    const uint8_t expected[HEST_GHESV2_SIZE] = { [0] = 10, [33] = 28 };

    assert_encodes(&empty, expected);
}

/* "enabled" is the only field that is not a number: 0 or 1, no other bits. */
static void test_disabled(void)
{
    HestGhesV2 disabled = source;
    uint8_t expected[HEST_GHESV2_SIZE];

    disabled.enabled = false;
    memcpy(expected, golden, sizeof(expected));
    expected[7] = 0;
    assert_encodes(&disabled, expected);
}

/* ACPI 6.5 18.3.2.9 */
static void test_notification_types(void)
{
    static const struct {
        HestNotificationType type;
        uint8_t value;
    } types[] = {
        { HEST_NOTIFICATION_POLLED, 0 },
        { HEST_NOTIFICATION_EXTERNAL_INTERRUPT, 1 },
        { HEST_NOTIFICATION_LOCAL_INTERRUPT, 2 },
        { HEST_NOTIFICATION_SCI, 3 },
        { HEST_NOTIFICATION_NMI, 4 },
        { HEST_NOTIFICATION_CMCI, 5 },
        { HEST_NOTIFICATION_MCE, 6 },
        { HEST_NOTIFICATION_GPIO, 7 },
        { HEST_NOTIFICATION_SEA, 8 },
        { HEST_NOTIFICATION_SEI, 9 },
        { HEST_NOTIFICATION_GSIV, 10 },
        { HEST_NOTIFICATION_SDEI, 11 },
    };
    uint8_t expected[HEST_GHESV2_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        HestGhesV2 s = source;

        s.notification.type = types[i].type;
        memcpy(expected, golden, sizeof(expected));
        expected[32] = types[i].value;
        assert_encodes(&s, expected);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hest/sizes", test_sizes);
    g_test_add_func("/hest/ghesv2/golden", test_golden);
    g_test_add_func("/hest/ghesv2/empty", test_empty);
    g_test_add_func("/hest/ghesv2/disabled", test_disabled);
    g_test_add_func("/hest/ghesv2/notification-types",
                    test_notification_types);
    return g_test_run();
}
