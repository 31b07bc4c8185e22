/*
 * Guest RAS: machine checks that KVM leaves to user space
 *
 * KVM_CAP_PPC_FWNMI: once it is enabled, for all of the VM's life, a machine
 * check of the guest ends KVM_RUN with KVM_EXIT_NMI, and KVM repairs nothing.
 * Without it, KVM tries to repair, and else gives the guest an interrupt at
 * 0x200.  It is enabled when the guest registers a handler (hw/ppc/
 * spapr_fwnmi.c), and not before, as a QEMU that does not know the exit ends.
 *
 * Linux, Documentation/virt/kvm/api.rst, "KVM_CAP_PPC_FWNMI".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "helper_regs.h"
#include "hw/ppc/spapr_fwnmi.h"
#include "hw/ras.h"
#include "internal.h"
#include "kvm_ppc.h"
#include "mmu-book3s-v3.h"
#include "mmu-books.h"
#include "ras.h"
#include "storage-operand.h"
#include "system/hw_accel.h"
#include "system/kvm-ras.h"
#include "system/ras.h"
#include "trace.h"
#include <linux/kvm.h>

QEMU_BUILD_BUG_ON(SPAPR_MCE_FULLY_RECOVERED !=
                  KVM_RUN_PPC_NMI_DISP_FULLY_RECOV);
QEMU_BUILD_BUG_ON(SPAPR_MCE_LIMITED_RECOVERY !=
                  KVM_RUN_PPC_NMI_DISP_LIMITED_RECOV);
QEMU_BUILD_BUG_ON(SPAPR_MCE_NOT_RECOVERED != KVM_RUN_PPC_NMI_DISP_NOT_RECOV);

typedef struct Finding {
    PowerPCCPU *cpu;
    RasStorageAccess *access;
    unsigned int n;
} Finding;

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

static uint32_t fetch_word(PowerPCCPU *cpu, hwaddr addr)
{
    AddressSpace *as = CPU(cpu)->as;

    return FIELD_EX64(cpu->env.msr, MSR, LE) ? ldl_le_phys(as, addr) :
                                               ldl_be_phys(as, addr);
}

static RasStorageAccess *add_access(Finding *f, RasAccess kind, vaddr ea)
{
    f->access[f->n] = (RasStorageAccess) { .kind = kind, .vaddr = ea };
    return &f->access[f->n++];
}

/* May be left at any read; what was found until then is kept. */
static void find_accesses(void *opaque)
{
    Finding *f = opaque;
    CPUPPCState *env = &f->cpu->env;
    PpcInstruction insn = {
        .cia = env->nip,
        .sf = FIELD_EX64(env->msr, MSR, SF),
        .gpr = env->gpr,
    };
    PpcStorageOperand op;
    RasAccess kind;
    RasStorageAccess *fetch = add_access(f, RAS_ACCESS_FETCH, env->nip);
    vaddr next;

    translate(f->cpu, fetch);
    if (!fetch->has_addr) {
        return;
    }
    insn.word = fetch_word(f->cpu, fetch->addr);
    /* a prefixed instruction does not cross a boundary of 64 bytes */
    insn.suffix = fetch->addr % 64 < 60 ?
                  fetch_word(f->cpu, fetch->addr + 4) : 0;
    if (!ppc_storage_operand(&insn, &op)) {
        return;
    }
    kind = op.store ? RAS_ACCESS_STORE : RAS_ACCESS_LOAD;
    add_access(f, kind, op.ea);
    next = (op.ea + op.len - 1) & -(vaddr)RAS_PAGE_SIZE;
    if (next != (op.ea & -(vaddr)RAS_PAGE_SIZE)) {
        add_access(f, kind, next);
    }
    for (unsigned int i = 1; i < f->n; i++) {
        translate(f->cpu, &f->access[i]);
    }
}

unsigned int ppc_ras_accesses(CPUState *cs,
                              RasStorageAccess access[RAS_ACCESSES_MAX])
{
    Finding f = { .cpu = POWERPC_CPU(cs), .access = access };

    /* KVM leaves them to whoever needs them */
    hreg_compute_hflags(&f.cpu->env);
    kvm_ras_probe(find_accesses, &f);
    return f.n;
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

int kvm_handle_nmi(PowerPCCPU *cpu, struct kvm_run *run)
{
    CPUPPCState *env = &cpu->env;
    CPUState *cs = CPU(cpu);
    bool in_kvm = !cs->vcpu_dirty;

    cpu_synchronize_state(cs);
    trace_ras_kvm_nmi(cs->cpu_index, run->flags & KVM_RUN_PPC_NMI_DISP_MASK,
                      env->spr[SPR_SRR0], env->spr[SPR_SRR1],
                      env->spr[SPR_DSISR], env->spr[SPR_DAR]);
    spapr_mce_kvm(cpu, run->flags & KVM_RUN_PPC_NMI_DISP_MASK);
    if (ras_vcpu_deliver(cs) && in_kvm && put_interrupt(cs)) {
        cs->vcpu_dirty = false;
    }
    /* leaves the run loop, if only to be parked */
    return EXCP_INTERRUPT;
}
