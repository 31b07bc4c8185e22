/*
 * Guest RAS: fw_cfg, for the qtests of the Arm machine "virt"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-fw-cfg.h"

uint32_t fw_cfg_dma(RasVm *vm, uint16_t key, uint32_t control, uint64_t address,
                    uint32_t len)
{
    struct fw_cfg_dma_access access = {
        .control = cpu_to_be32(key << 16 | FW_CFG_DMA_CTL_SELECT | control),
        .length = cpu_to_be32(len),
        .address = cpu_to_be64(address),
    };

    qtest_memwrite(vm->qts, DMA_ACCESS, &access, sizeof(access));
    qtest_writeq(vm->qts, FW_CFG_DMA, bswap64(DMA_ACCESS));
    qtest_memread(vm->qts, DMA_ACCESS, &access, sizeof(access));
    return be32_to_cpu(access.control);
}

void fw_cfg_read(RasVm *vm, uint16_t key, void *data, uint32_t len)
{
    g_assert_cmpuint(fw_cfg_dma(vm, key, FW_CFG_DMA_CTL_READ, DMA_BUFFER, len),
                     ==, 0);
    qtest_memread(vm->qts, DMA_BUFFER, data, len);
}

uint16_t fw_cfg_find(RasVm *vm, const char *name, uint32_t *size)
{
    g_autofree struct fw_cfg_file *file = NULL;
    g_autofree uint8_t *dir = NULL;
    uint32_t count;

    fw_cfg_read(vm, FW_CFG_FILE_DIR, &count, sizeof(count));
    count = be32_to_cpu(count);
    dir = g_malloc(sizeof(count) + count * sizeof(*file));
    fw_cfg_read(vm, FW_CFG_FILE_DIR, dir,
                sizeof(count) + count * sizeof(*file));
    file = g_memdup2(dir + sizeof(count), count * sizeof(*file));
    for (uint32_t i = 0; i < count; i++) {
        if (g_str_equal(file[i].name, name)) {
            *size = be32_to_cpu(file[i].size);
            return be16_to_cpu(file[i].select);
        }
    }
    return 0;
}

GByteArray *fw_cfg_file(RasVm *vm, const char *name)
{
    GByteArray *content = NULL;
    uint32_t size;
    uint16_t key = fw_cfg_find(vm, name, &size);

    if (key) {
        content = g_byte_array_new();
        g_byte_array_set_size(content, size);
        fw_cfg_read(vm, key, content->data, size);
    }
    return content;
}
