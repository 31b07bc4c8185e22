/*
 * Guest RAS: instructions that may meet failed memory; for hw/ras/copy.c
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_COPY_H
#define HW_RAS_COPY_H

typedef struct RasCopyEntry {
    int32_t start, end;         /* code, relative to these fields */
    int32_t recovery;
    int32_t len;                /* bytes that are accessed, 0: in a register */
} RasCopyEntry;

QEMU_BUILD_BUG_ON(sizeof(RasCopyEntry) != 16);

/* From the linker.  Hidden: not by way of a table that is filled at start. */
extern const RasCopyEntry __start_ras_copy[]
    __attribute__((visibility("hidden")));
extern const RasCopyEntry __stop_ras_copy[]
    __attribute__((visibility("hidden")));

#endif
