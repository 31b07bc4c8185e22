/*
 * Guest RAS: firmware and guest for the qtests of the Arm machine "virt"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-guest.h"
#include "ras-cper.h"

/* --- the firmware -------------------------------------------------------- */

void set_address(RasVm *vm, uint64_t address)
{
    uint32_t size;
    uint16_t key = fw_cfg_find(vm, "etc/hardware_errors_addr", &size);

    g_assert_cmpuint(key, !=, 0);
    g_assert_cmpuint(size, ==, 8);
    qtest_writeq(vm->qts, DMA_BUFFER, address);
    g_assert_cmpuint(fw_cfg_dma(vm, key, FW_CFG_DMA_CTL_WRITE, DMA_BUFFER, 8),
                     ==, 0);
}

void place_blob(RasVm *vm, uint64_t header)
{
    g_autoptr(GByteArray) blob = fw_cfg_file(vm, "etc/hardware_errors");

    g_assert_nonnull(blob);
    g_assert_cmpuint(blob->len, ==, BLOB_SIZE);
    qtest_memwrite(vm->qts, header, blob->data, blob->len);
    qtest_writeq(vm->qts, header, header + BLOCK);
}

void run_firmware(RasVm *vm)
{
    place_blob(vm, HEADER);
    set_address(vm, HEADER);
    g_assert_true(ras_ready(vm));
}

RasVm *start_ready(const char *options)
{
    RasVm *vm = ras_start(options);

    run_firmware(vm);
    return vm;
}

/* --- the guest ----------------------------------------------------------- */

uint64_t read_ack(RasVm *vm)
{
    return qtest_readq(vm->qts, HEADER + READ_ACK);
}

void read_block(RasVm *vm, uint8_t *block)
{
    qtest_memread(vm->qts, HEADER + BLOCK, block, BLOCK_SIZE);
}

uint32_t block_status(RasVm *vm)
{
    return qtest_readl(vm->qts, HEADER + BLOCK);
}

void step_ms(RasVm *vm, unsigned int ms)
{
    qtest_clock_step(vm->qts, ms * 1000000LL);
}

void acknowledge(RasVm *vm)
{
    qtest_writel(vm->qts, HEADER + BLOCK, 0);
    qtest_writeq(vm->qts, HEADER + READ_ACK, read_ack(vm) | 1);
    step_ms(vm, 20);
}

uint64_t consume_notified(RasVm *vm, uint64_t address, int vcpu)
{
    uint64_t id = ras_consume(vm, address, vcpu);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    return id;
}

uint64_t consume_taken(RasVm *vm)
{
    uint64_t delivered = ras_count(vm, "delivered");
    uint64_t recorded = ras_count(vm, "recorded");
    uint64_t id = ras_consume(vm, PAGE(0), 0);

    ras_wait_count(vm, "delivered", delivered + 1);
    ras_assert_count(vm, "recorded", recorded);
    return id;
}

/* --- records ------------------------------------------------------------- */

void check_block(const uint8_t *block, uint64_t address, unsigned int pages,
                 unsigned int severity)
{
    ras_cper_check_memory(block, BLOCK_SIZE, address, pages, severity);
}

/* --- real accesses ------------------------------------------------------- */

uint64_t mail(RasVm *vm, int offset)
{
    return qtest_readq(vm->qts, RAS_ARM_MAILBOX + offset);
}

RasVm *start_guest(const char *options)
{
    g_autofree char *all = g_strdup_printf("-accel tcg -global virt-ras."
                                           "reclaim-ms=600000 %s", options);
    RasVm *vm = ras_start_binary(NULL, ",ras=on", all);

    run_firmware(vm);
    return vm;
}

void access_memory(RasVm *vm, uint64_t address, int kind)
{
    qtest_writeq(vm->qts, RAS_ARM_MAILBOX + RAS_ARM_KIND, kind);
    qtest_writeq(vm->qts, RAS_ARM_MAILBOX + RAS_ARM_ADDRESS, address);
}

void acknowledge_live(RasVm *vm)
{
    uint64_t before = ras_count(vm, "acknowledged");

    qtest_writel(vm->qts, HEADER + BLOCK, 0);
    qtest_writeq(vm->qts, HEADER + READ_ACK, read_ack(vm) | 1);
    ras_wait_count(vm, "acknowledged", before + 1);
}
