/*
 * Guest RAS: the device "ras-ghes" for the qtests of the Arm machine "virt"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-arm-ghes.h"
#include "ras-cper.h"

/* --- helpers ------------------------------------------------------------- */

RasVm *start(void)
{
    return ras_start_binary(NULL, MACHINE, "");
}

uint64_t read_sized(RasVm *vm, uint64_t addr, unsigned int size)
{
    switch (size) {
    case 1:
        return qtest_readb(vm->qts, addr);
    case 2:
        return qtest_readw(vm->qts, addr);
    case 4:
        return qtest_readl(vm->qts, addr);
    default:
        return qtest_readq(vm->qts, addr);
    }
}

void write_sized(RasVm *vm, uint64_t addr, unsigned int size, uint64_t value)
{
    switch (size) {
    case 1:
        qtest_writeb(vm->qts, addr, value);
        break;
    case 2:
        qtest_writew(vm->qts, addr, value);
        break;
    case 4:
        qtest_writel(vm->qts, addr, value);
        break;
    default:
        qtest_writeq(vm->qts, addr, value);
    }
}

void check_registers(RasVm *vm, int out)
{
    for (int i = 0; i < SOURCES; i++) {
        g_assert_cmphex(qtest_readq(vm->qts, STATUS_ADDRESS(i)), ==, BLOCK(i));
        g_assert_cmphex(qtest_readq(vm->qts, READ_ACK(i)), ==, i != out);
    }
}

uint32_t block_status(RasVm *vm, int source)
{
    return qtest_readl(vm->qts, BLOCK(source));
}

uint64_t consume_notified(RasVm *vm, uint64_t address)
{
    uint64_t id = ras_consume(vm, address, 0);

    ras_wait_until(vm, ras_state_is(vm, id, "notified"));
    return id;
}

uint64_t report(RasVm *vm, uint64_t address, bool polled)
{
    return ras_inject(vm, "{ 'kind': 'memory', 'mode': 'report',"
                      " 'severity': 'recoverable', 'address': %" PRIu64
                      ", 'polled': %i }", address, polled);
}

void check_block_at(RasVm *vm, uint64_t addr, uint64_t address)
{
    uint8_t block[20 + 72 + 80];

    qtest_memread(vm->qts, addr, block, sizeof(block));
    ras_cper_check_memory(block, sizeof(block), address, 1,
                          RAS_CPER_RECOVERABLE);
}

void check_block(RasVm *vm, uint64_t address)
{
    check_block_at(vm, BLOCK(SEA), address);
}

void scribble(RasVm *vm, uint8_t byte)
{
    qtest_memset(vm->qts, BLOCK(0), byte, BASE_END - BLOCK(0));
}

RasVm *load(const char *file, const char *machine)
{
    RasVm *vm = ras_start_binary(NULL, machine, "-incoming defer");

    ras_load(vm, file);
    ras_wait_until(vm, ras_run_state_is(vm, "running"));
    return vm;
}

GByteArray *mixed_record(void)
{
    GByteArray *record = ras_cper_new();
    uint8_t memory[80], arm[40 + 2 * 32] = { 0 }, vendor[3] = { 1, 2, 3 };
    uint8_t raw[64];
    unsigned int at;

    for (int i = 0; i < sizeof(memory); i++) {
        memory[i] = 0x80 + i;
    }
    at = ras_cper_add(record, ras_cper_memory, RAS_CPER_RECOVERABLE, memory,
                      sizeof(memory));
    memset(record->data + at - 44, 0x5a, 36);   /* FRU id and text */
    record->data[at - 50] = 3;                  /* are valid */
    record->data[at - 49] = 0x9;                /* flags */

    stl_le_p(arm, ~0U);                         /* validation bits */
    stw_le_p(arm + 4, 2);
    stl_le_p(arm + 8, sizeof(arm));
    memset(arm + 12, 0xc3, 28);
    for (int i = 0; i < 2; i++) {
        memset(arm + 40 + 32 * i, 0x96 + i, 32);
        arm[40 + 32 * i + 1] = 32;              /* length */
    }
    ras_cper_add(record, ras_cper_arm, RAS_CPER_CORRECTED, arm, sizeof(arm));
    ras_cper_add(record, ras_cper_vendor, RAS_CPER_INFORMATIONAL, vendor,
                 sizeof(vendor));

    /* raw data, behind a gap */
    memset(raw, 0xe7, sizeof(raw));
    stl_le_p(record->data + 4, record->len + 32);
    stl_le_p(record->data + 8, 32);
    g_byte_array_append(record, raw, sizeof(raw));
    return record;
}
