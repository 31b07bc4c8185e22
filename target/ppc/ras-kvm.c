/*
 * Guest RAS: machine checks that KVM leaves to user space, and what an
 * instruction accesses
 *
 * KVM_CAP_PPC_FWNMI: once it is enabled, for all of the VM's life, a machine
 * check of the guest ends KVM_RUN with KVM_EXIT_NMI, and KVM repairs nothing.
 * Without it, KVM tries to repair, and else gives the guest an interrupt at
 * 0x200.  It is enabled when the guest registers a handler (ibm,nmi-register),
 * and not before, as a QEMU that does not know the exit ends.
 *
 * If the host's kernel has taken a page out of use before the guest accesses
 * it, there is no machine check: KVM_RUN returns -EFAULT, and no address
 * (kvm_ras_run_failed()).
 *
 * Linux, Documentation/virt/kvm/api.rst, "KVM_CAP_PPC_FWNMI".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "helper_regs.h"
#include "hw/ras.h"
#include "internal.h"
#include "kvm_ppc.h"
#include "mmu-book3s-v3.h"
#include "mmu-books.h"
#include "ras.h"
#include "storage-operand.h"
#include "system/hw_accel.h"
#include "system/ras-poison.h"
#include "system/ras.h"
#include "trace.h"
#include <linux/kvm.h>

/*
 * By the guest's own radix tables, or the address is real.  A hash table is
 * KVM's: QEMU's code for that allocates memory, ends QEMU if it cannot read the
 * table, and has KVM forget that entries have changed, which a migration needs.
 */
static void translate(PowerPCCPU *cpu, RasStorageAccess *access)
{
    bool fetch = access->kind == RAS_ACCESS_FETCH;
    int mmu_idx = ppc_env_mmu_index(&cpu->env, fetch);
    bool radix = cpu->env.mmu_model == POWERPC_MMU_3_00 && ppc64_v3_radix(cpu);
    int page_shift, prot;

    if (!radix && !mmuidx_real(mmu_idx)) {
        return;
    }
    /* what may be written need not be readable: user memory, by the kernel */
    access->has_addr =
        (ppc_xlate(cpu, access->vaddr, fetch ? MMU_INST_FETCH : MMU_DATA_LOAD,
                   &access->addr, &page_shift, &prot, mmu_idx, false) ||
         (!fetch &&
          ppc_xlate(cpu, access->vaddr, MMU_DATA_STORE, &access->addr,
                    &page_shift, &prot, mmu_idx, false))) &&
        ras_is_memory(access->addr & -(hwaddr)RAS_PAGE_SIZE, RAS_PAGE_SIZE);
}

static bool fetch_word(PowerPCCPU *cpu, hwaddr addr, uint32_t *word)
{
    AddressSpace *as = CPU(cpu)->as;
    MemTxResult result;

    *word = FIELD_EX64(cpu->env.msr, MSR, LE) ?
            address_space_ldl_le(as, addr, MEMTXATTRS_UNSPECIFIED, &result) :
            address_space_ldl_be(as, addr, MEMTXATTRS_UNSPECIFIED, &result);
    return result == MEMTX_OK;
}

static bool find_operand(PowerPCCPU *cpu, hwaddr fetched,
                         PpcStorageOperand *op)
{
    CPUPPCState *env = &cpu->env;
    PpcInstruction insn = {
        .cia = env->nip,
        .sf = FIELD_EX64(env->msr, MSR, SF),
        .gpr = env->gpr,
    };

    /* a prefixed instruction does not cross a boundary of 64 bytes */
    return fetch_word(cpu, fetched, &insn.word) &&
           (fetched % 64 >= 60 ||
            fetch_word(cpu, fetched + 4, &insn.suffix)) &&
           ppc_storage_operand(&insn, op);
}

static unsigned int find_accesses(PowerPCCPU *cpu,
                                  RasStorageAccess access[RAS_ACCESSES_MAX])
{
    PpcStorageOperand op;
    unsigned int n = 1;
    vaddr next;

    access[0] = (RasStorageAccess) {
        .kind = RAS_ACCESS_FETCH,
        .vaddr = cpu->env.nip,
    };
    translate(cpu, &access[0]);
    if (!access[0].has_addr || !find_operand(cpu, access[0].addr, &op)) {
        return n;
    }
    access[n++] = (RasStorageAccess) {
        .kind = op.store ? RAS_ACCESS_STORE : RAS_ACCESS_LOAD,
        .vaddr = op.ea,
    };
    next = (op.ea + op.len - 1) & -(vaddr)RAS_PAGE_SIZE;
    if (next != (op.ea & -(vaddr)RAS_PAGE_SIZE)) {
        access[n] = access[1];
        access[n++].vaddr = next;
    }
    for (unsigned int i = 1; i < n; i++) {
        translate(cpu, &access[i]);
    }
    return n;
}

unsigned int ppc_ras_accesses(CPUState *cs,
                              RasStorageAccess access[RAS_ACCESSES_MAX])
{
    unsigned int n;

    /* KVM leaves them to whoever needs them */
    hreg_compute_hflags(cpu_env(cs));
    ras_poison_probe(true);
    n = find_accesses(POWERPC_CPU(cs), access);
    ras_poison_probe(false);
    return n;
}

/*
 * Give KVM what a machine check interrupt changes, instead of all registers:
 * each of those is a system call, and the guest waits.  KVM knows DAR and DSISR
 * already, unless it is an earlier error that is delivered.
 */
static bool put_interrupt(CPUState *cs)
{
    CPUPPCState *env = cpu_env(cs);
    uint32_t dsisr = env->spr[SPR_DSISR];
    struct kvm_regs regs;

    if (kvm_set_one_reg(cs, KVM_REG_PPC_DAR, &env->spr[SPR_DAR]) < 0 ||
        kvm_set_one_reg(cs, KVM_REG_PPC_DSISR, &dsisr) < 0 ||
        kvm_vcpu_ioctl(cs, KVM_GET_REGS, &regs) < 0) {
        return false;
    }
    regs.pc = env->nip;
    regs.msr = env->msr;
    regs.srr0 = env->spr[SPR_SRR0];
    regs.srr1 = env->spr[SPR_SRR1];
    regs.gpr[3] = env->gpr[3];
    return kvm_vcpu_ioctl(cs, KVM_SET_REGS, &regs) == 0;
}

bool ppc_ras_kvm_nmi(PowerPCCPU *cpu, struct kvm_run *run)
{
    CPUPPCState *env = &cpu->env;
    CPUState *cs = CPU(cpu);
    RasDevice *s = ras_get();
    bool in_kvm = !cs->vcpu_dirty;
    PpcMachineCheck mc = {
        .disposition = run->flags & KVM_RUN_PPC_NMI_DISP_MASK,
    };

    if (!s) {
        return false;
    }
    cpu_synchronize_state(cs);
    trace_ras_kvm_nmi(cs->cpu_index, mc.disposition, env->spr[SPR_SRR0],
                      env->spr[SPR_SRR1], env->spr[SPR_DSISR],
                      env->spr[SPR_DAR]);
    /* KVM leaves SRR1 in the MSR, causes included */
    env->msr &= ~PPC_MCE_SRR1_NOT_MSR_MASK;
    mc.info = ppc_mce_decode(ppc_mce_cpu(env), env->spr[SPR_SRR1],
                             env->spr[SPR_DSISR]);
    if (ppc_mce_is_access(mc.info)) {
        mc.n_accesses = ppc_ras_accesses(cs, mc.access);
    }
    RAS_GET_CLASS(s)->machine_check(s, cs, &mc);
    if (ras_vcpu_deliver(cs) && in_kvm && put_interrupt(cs)) {
        cs->vcpu_dirty = false;
    }
    return true;
}
