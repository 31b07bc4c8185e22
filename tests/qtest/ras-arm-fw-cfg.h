/*
 * Guest RAS: fw_cfg, for the qtests of the Arm machine "virt"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_ARM_FW_CFG_H
#define TESTS_QTEST_RAS_ARM_FW_CFG_H

#include "ras-qtest.h"
#include "standard-headers/linux/qemu_fw_cfg.h"

#define FW_CFG_DMA  0x09020010ULL

/* Where tests have their transfers in RAM */
#define DMA_ACCESS  0x40010000ULL
#define DMA_BUFFER  0x40020000ULL

/* Let fw_cfg transfer; returns what it says: 0 or FW_CFG_DMA_CTL_ERROR. */
uint32_t fw_cfg_dma(RasVm *vm, uint16_t key, uint32_t control, uint64_t address,
                    uint32_t len);
void fw_cfg_read(RasVm *vm, uint16_t key, void *data, uint32_t len);

/* Key of a file in fw_cfg, or 0 if there is none of that name; its size */
uint16_t fw_cfg_find(RasVm *vm, const char *name, uint32_t *size);

/* Content of a file in fw_cfg, or NULL */
GByteArray *fw_cfg_file(RasVm *vm, const char *name);

#endif
