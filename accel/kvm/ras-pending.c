/*
 * Operations that a vCPU has begun and KVM has not finished
 *
 * After some exits KVM waits for the result of the operation, a load from a
 * device for instance, and writes it to the vCPU's registers at the beginning
 * of the next KVM_RUN.  Until then it cannot be seen, moved or cancelled.  So
 * if somebody writes the registers in between, for a reset or an exception,
 * the result of something that is long gone lands in the new state.
 *
 * kvm_cpu_exec() calls this when it leaves its loop, so that outside of it
 * nothing is ever left to be finished.
 *
 * Linux, Documentation/virt/kvm/api.rst, section 5, note on "KVM_EXIT_MMIO".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/kvm-ras.h"

/*
 * An access that is wider than KVM's exit has room for, or a string
 * instruction of x86, comes in parts.  No instruction has more than this.
 */
#define PARTS_MAX 2048

/* Is there something to be finished after an exit for this reason? */
static bool leaves_operation(uint32_t exit_reason)
{
    switch (exit_reason) {
    case KVM_EXIT_IO:
    case KVM_EXIT_MMIO:
    case KVM_EXIT_HYPERCALL:
    case KVM_EXIT_DCR:
    case KVM_EXIT_OSI:
    case KVM_EXIT_PAPR_HCALL:
    case KVM_EXIT_EPR:
    case KVM_EXIT_HYPERV:
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
    case KVM_EXIT_XEN:
    case KVM_EXIT_RISCV_SBI:
    case KVM_EXIT_RISCV_CSR:
    case KVM_EXIT_LOONGARCH_IOCSR:
        return true;
    default:
        return false;
    }
}

/* The part of the operation that KVM has exited with. */
static void access_device(struct kvm_run *run, MemTxAttrs attrs)
{
    uint8_t *data;

    switch (run->exit_reason) {
    case KVM_EXIT_MMIO:
        address_space_rw(&address_space_memory, run->mmio.phys_addr, attrs,
                         run->mmio.data, run->mmio.len, run->mmio.is_write);
        break;
    case KVM_EXIT_IO:
        data = (uint8_t *)run + run->io.data_offset;
        for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
            address_space_rw(&address_space_io, run->io.port, attrs, data,
                             run->io.size,
                             run->io.direction == KVM_EXIT_IO_OUT);
        }
        break;
    }
}

void kvm_finish_operation(CPUState *cpu, int run_ret)
{
    struct kvm_run *run = cpu->kvm_run;
    unsigned int parts = 0;
    MemTxAttrs attrs;

    if (run_ret < 0 || !leaves_operation(run->exit_reason) ||
        !kvm_check_extension(kvm_state, KVM_CAP_IMMEDIATE_EXIT)) {
        return;
    }
    do {
        if (parts++ == PARTS_MAX) {
            error_report("KVM does not finish an operation of vCPU %d, which "
                         "has had %d parts", cpu->cpu_index, PARTS_MAX);
            break;
        }
        qatomic_set(&run->immediate_exit, 1);
        run_ret = kvm_vcpu_ioctl(cpu, KVM_RUN, 0);
        attrs = kvm_arch_post_run(cpu, run);
        kvm_ras_after_run(cpu);
        if (run_ret >= 0) {
            access_device(run, attrs);
        }
    } while (run_ret >= 0 && leaves_operation(run->exit_reason));
    qatomic_set(&run->immediate_exit, 0);
}
