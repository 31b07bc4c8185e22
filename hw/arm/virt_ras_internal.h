/*
 * Guest RAS of the Arm virt machine: what ras=on and ras-ghes=on share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_VIRT_RAS_INTERNAL_H
#define HW_ARM_VIRT_RAS_INTERNAL_H

#include "hw/acpi/apei/ghes.h"
#include "hw/arm/virt.h"
#include "hw/ras.h"

#define TYPE_VIRT_RAS "virt-ras"
#define TYPE_VIRT_RAS_GHES "virt-ras-ghes"  /* a kind of the other */

OBJECT_DECLARE_SIMPLE_TYPE(VirtRasState, VIRT_RAS)

struct VirtRasState {
    RasDevice parent_obj;

    /* where the outstanding record of a channel is */
    GhesSource source[RAS_RECORD_CHANNELS];
};

/*
 * virt_ras_build_block: the Generic Error Status Block of some errors
 *
 * @buf, @size: where it goes, bytes
 * @batch, @n: the errors; the page of an access is the first
 *
 * Sets RasRecordPart::len of each.  Only as many pages as there is room for,
 * and ras_batch_limit() at most, are named.
 *
 * Returns the length of the block in bytes.
 */
size_t virt_ras_build_block(uint8_t *buf, size_t size,
                            RasRecordPart *batch, unsigned int n);

/* Methods of RasDeviceClass. */
bool virt_ras_check_record(RasDevice *d, const uint8_t *record, size_t len,
                           bool strict, RasSeverity *severity, Error **errp);
size_t virt_ras_build_arm_processor(RasDevice *d, uint64_t id,
                                    const RasInjectArmProcessor *arg,
                                    uint8_t *record, Error **errp);

bool virt_ras_build_serror(RasDevice *d, CPUState *cpu,
                           const RasInjectSerror *arg, RasError *error,
                           Error **errp);
const char *virt_ras_raise_serror(RasDevice *d, const RasError *error,
                                  CPUState *cpu);
bool virt_ras_serror_pending(RasDevice *d, CPUState *cpu, RasSerrorInfo *info);

/* virt_ras_ghes_create: create the RAS device of ras-ghes=on */
RasDevice *virt_ras_ghes_create(VirtMachineState *vms);

#endif
