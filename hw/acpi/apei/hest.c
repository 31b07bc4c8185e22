/*
 * HEST: the structure of a Generic Hardware Error Source version 2
 *
 * ACPI 6.5, 18.3.2.8, 18.3.2.9.  Pure; see hest.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/acpi/apei/hest.h"

/* type of the structure, ACPI 6.5 18.3.2 */
#define TYPE_GHESV2 10

/* Field names as in hest.h */
typedef struct AddressLe {
    uint8_t address_space_id;
    uint8_t register_bit_width;
    uint8_t register_bit_offset;
    uint8_t access_size;
    uint64_t address;
} QEMU_PACKED AddressLe;

QEMU_BUILD_BUG_ON(offsetof(AddressLe, address) != 4);
QEMU_BUILD_BUG_ON(sizeof(AddressLe) != 12);

typedef struct NotificationLe {
    uint8_t type;
    uint8_t length;                     /* of this structure */
    uint16_t configuration_write_enable;
    uint32_t poll_interval;
    uint32_t vector;
    uint32_t switch_to_polling_threshold_value;
    uint32_t switch_to_polling_threshold_window;
    uint32_t error_threshold_value;
    uint32_t error_threshold_window;
} QEMU_PACKED NotificationLe;

#define NOTIFICATION(field) offsetof(NotificationLe, field)
QEMU_BUILD_BUG_ON(NOTIFICATION(length) != 1);
QEMU_BUILD_BUG_ON(NOTIFICATION(configuration_write_enable) != 2);
QEMU_BUILD_BUG_ON(NOTIFICATION(poll_interval) != 4);
QEMU_BUILD_BUG_ON(NOTIFICATION(vector) != 8);
QEMU_BUILD_BUG_ON(NOTIFICATION(switch_to_polling_threshold_value) != 12);
QEMU_BUILD_BUG_ON(NOTIFICATION(switch_to_polling_threshold_window) != 16);
QEMU_BUILD_BUG_ON(NOTIFICATION(error_threshold_value) != 20);
QEMU_BUILD_BUG_ON(NOTIFICATION(error_threshold_window) != 24);
QEMU_BUILD_BUG_ON(sizeof(NotificationLe) != HEST_NOTIFICATION_SIZE);

typedef struct GhesV2Le {
    uint16_t type;
    uint16_t source_id;
    uint16_t related_source_id;
    uint8_t flags;                      /* reserved */
    uint8_t enabled;
    uint32_t number_of_records_to_preallocate;
    uint32_t max_sections_per_record;
    uint32_t max_raw_data_length;
    AddressLe error_status_address;
    NotificationLe notification;
    uint32_t error_status_block_length;
    AddressLe read_ack_register;
    uint64_t read_ack_preserve;
    uint64_t read_ack_write;
} QEMU_PACKED GhesV2Le;

#define GHESV2(field) offsetof(GhesV2Le, field)
QEMU_BUILD_BUG_ON(GHESV2(source_id) != 2);
QEMU_BUILD_BUG_ON(GHESV2(related_source_id) != 4);
QEMU_BUILD_BUG_ON(GHESV2(flags) != 6);
QEMU_BUILD_BUG_ON(GHESV2(enabled) != 7);
QEMU_BUILD_BUG_ON(GHESV2(number_of_records_to_preallocate) != 8);
QEMU_BUILD_BUG_ON(GHESV2(max_sections_per_record) != 12);
QEMU_BUILD_BUG_ON(GHESV2(max_raw_data_length) != 16);
QEMU_BUILD_BUG_ON(GHESV2(error_status_address) != 20);
QEMU_BUILD_BUG_ON(GHESV2(notification) != 32);
QEMU_BUILD_BUG_ON(GHESV2(error_status_block_length) != 60);
QEMU_BUILD_BUG_ON(GHESV2(read_ack_register) != 64);
QEMU_BUILD_BUG_ON(GHESV2(read_ack_preserve) != 76);
QEMU_BUILD_BUG_ON(GHESV2(read_ack_write) != 84);
QEMU_BUILD_BUG_ON(sizeof(GhesV2Le) != HEST_GHESV2_SIZE);

static AddressLe encode_address(const HestAddress *a)
{
    return (AddressLe) {
        .address_space_id = a->address_space_id,
        .register_bit_width = a->register_bit_width,
        .register_bit_offset = a->register_bit_offset,
        .access_size = a->access_size,
        .address = cpu_to_le64(a->address),
    };
}

static NotificationLe encode_notification(const HestNotification *n)
{
    return (NotificationLe) {
        .type = n->type,
        .length = HEST_NOTIFICATION_SIZE,
        .configuration_write_enable =
            cpu_to_le16(n->configuration_write_enable),
        .poll_interval = cpu_to_le32(n->poll_interval),
        .vector = cpu_to_le32(n->vector),
        .switch_to_polling_threshold_value =
            cpu_to_le32(n->switch_to_polling_threshold_value),
        .switch_to_polling_threshold_window =
            cpu_to_le32(n->switch_to_polling_threshold_window),
        .error_threshold_value = cpu_to_le32(n->error_threshold_value),
        .error_threshold_window = cpu_to_le32(n->error_threshold_window),
    };
}

void hest_ghesv2_encode(uint8_t *buf, const HestGhesV2 *source)
{
    const GhesV2Le le = {
        .type = cpu_to_le16(TYPE_GHESV2),
        .source_id = cpu_to_le16(source->source_id),
        .related_source_id = cpu_to_le16(source->related_source_id),
        .enabled = source->enabled,
        .number_of_records_to_preallocate =
            cpu_to_le32(source->number_of_records_to_preallocate),
        .max_sections_per_record =
            cpu_to_le32(source->max_sections_per_record),
        .max_raw_data_length = cpu_to_le32(source->max_raw_data_length),
        .error_status_address = encode_address(&source->error_status_address),
        .notification = encode_notification(&source->notification),
        .error_status_block_length =
            cpu_to_le32(source->error_status_block_length),
        .read_ack_register = encode_address(&source->read_ack_register),
        .read_ack_preserve = cpu_to_le64(source->read_ack_preserve),
        .read_ack_write = cpu_to_le64(source->read_ack_write),
    };

    memcpy(buf, &le, sizeof(le));
}
