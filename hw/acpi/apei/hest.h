/*
 * HEST: the structure of a Generic Hardware Error Source version 2
 *
 * ACPI 6.5, 18.3.2.8 (GHESv2), 18.3.2.9 (notification) and 5.2.3.2 (generic
 * address structure).  On the wire all is little endian and byte packed; the
 * structs here are in host order.
 *
 * Pure: no allocation, no I/O, no state outside the arguments.  Used by the
 * device "ras-ghes", which wraps the structures into the table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ACPI_APEI_HEST_H
#define HW_ACPI_APEI_HEST_H

/* Bytes of one GHESv2 structure, and of the notification in it */
#define HEST_GHESV2_SIZE       92
#define HEST_NOTIFICATION_SIZE 28

/* related_source_id of a source that stands for itself */
#define HEST_NO_RELATED_SOURCE 0xffff

/* Address space id and access size of a generic address structure */
#define HEST_SPACE_SYSTEM_MEMORY 0
#define HEST_ACCESS_QWORD        4

/* Generic address structure, ACPI 6.5 5.2.3.2 */
typedef struct HestAddress {
    uint8_t address_space_id;
    uint8_t register_bit_width;
    uint8_t register_bit_offset;
    uint8_t access_size;            /* 1: byte, 2: word, 3: dword, 4: qword */
    uint64_t address;               /* guest physical */
} HestAddress;

/* Type of notification, ACPI 6.5 18.3.2.9 */
typedef enum HestNotificationType {
    HEST_NOTIFICATION_POLLED             = 0,
    HEST_NOTIFICATION_EXTERNAL_INTERRUPT = 1,
    HEST_NOTIFICATION_LOCAL_INTERRUPT    = 2,
    HEST_NOTIFICATION_SCI                = 3,
    HEST_NOTIFICATION_NMI                = 4,
    HEST_NOTIFICATION_CMCI               = 5,
    HEST_NOTIFICATION_MCE                = 6,
    HEST_NOTIFICATION_GPIO               = 7,
    HEST_NOTIFICATION_SEA                = 8,
    HEST_NOTIFICATION_SEI                = 9,
    HEST_NOTIFICATION_GSIV               = 10,
    HEST_NOTIFICATION_SDEI               = 11,
} HestNotificationType;

/* Hardware error notification, ACPI 6.5 18.3.2.9 */
typedef struct HestNotification {
    uint8_t type;                               /* HestNotificationType */
    uint16_t configuration_write_enable;
    uint32_t poll_interval;                     /* ms */
    uint32_t vector;
    uint32_t switch_to_polling_threshold_value;
    uint32_t switch_to_polling_threshold_window; /* ms */
    uint32_t error_threshold_value;
    uint32_t error_threshold_window;            /* ms */
} HestNotification;

/* Generic Hardware Error Source version 2, ACPI 6.5 18.3.2.8; sizes in bytes */
typedef struct HestGhesV2 {
    uint16_t source_id;
    uint16_t related_source_id;
    bool enabled;
    uint32_t number_of_records_to_preallocate;
    uint32_t max_sections_per_record;
    uint32_t max_raw_data_length;
    HestAddress error_status_address;   /* holds the address of the block */
    HestNotification notification;
    uint32_t error_status_block_length;
    HestAddress read_ack_register;
    uint64_t read_ack_preserve;         /* mask */
    uint64_t read_ack_write;            /* mask */
} HestGhesV2;

/*
 * hest_ghesv2_encode: write the structure as it is in the table
 *
 * @buf: HEST_GHESV2_SIZE bytes, any alignment; all of them are written
 * @source: taken as it is, nothing is checked
 */
void hest_ghesv2_encode(uint8_t *buf, const HestGhesV2 *source);

#endif /* HW_ACPI_APEI_HEST_H */
