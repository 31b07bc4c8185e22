/*
 * Guest RAS: machine checks of POWER CPUs
 *
 * See ras.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "helper_regs.h"
#include "hw/ras.h"
#include "internal.h"
#include "mmu-book3s-v3.h"
#include "mmu-books.h"
#include "ras.h"
#include "storage-operand.h"
#include "system/kvm-ras.h"

bool ppc_ras_access_failed(CPUState *cs, uint64_t cause, vaddr addr,
                           MMUAccessType access_type)
{
    CPUPPCState *env = cpu_env(cs);
    RasError error = {
        .kind = RAS_KIND_BUS,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_ACCESS,
        .access = ras_access_kind(access_type),
        .synchronous = true,
        .has_vaddr = true,
        .vcpu = cs->cpu_index,
        .vaddr = addr,
        .syndrome = {
            .valid = true,
            .srr1 = cause,
            /* not of this error, if it is the fetch of an instruction */
            .dsisr = access_type == MMU_INST_FETCH ? 0 : env->spr[SPR_DSISR],
            .dar = addr,
        },
    };

    if (!ras_get()) {
        return false;
    }
    BQL_LOCK_GUARD();
    ras_report(&error, NULL);
    /* leaves the CPU loop; a refused error is tried again by the next run */
    cs->exception_index = EXCP_INTERRUPT;
    return true;
}

#if defined(TARGET_PPC64)

typedef struct Finding {
    PowerPCCPU *cpu;
    RasStorageAccess *access;
    unsigned int n;
} Finding;

/*
 * Only where no more than reading the guest's memory is needed.  For a hash
 * table that is KVM's, QEMU's code allocates memory and may give up.
 */
static bool can_translate(PowerPCCPU *cpu, int mmu_idx)
{
    return mmuidx_real(mmu_idx) ||
           (cpu->env.mmu_model == POWERPC_MMU_3_00 && ppc64_v3_radix(cpu));
}

static void translate(PowerPCCPU *cpu, RasStorageAccess *access)
{
    static const MMUAccessType fetch[] = { MMU_INST_FETCH };
    static const MMUAccessType data[] = { MMU_DATA_LOAD, MMU_DATA_STORE };
    bool is_fetch = access->kind == RAS_ACCESS_KIND_FETCH;
    const MMUAccessType *type = is_fetch ? fetch : data;
    int mmu_idx = ppc_env_mmu_index(&cpu->env, is_fetch);
    int page_shift, prot;

    if (!can_translate(cpu, mmu_idx)) {
        return;
    }
    /* what may be written need not be readable: the kernel, in user space */
    for (int i = 0; i < (is_fetch ? 1 : 2) && !access->has_addr; i++) {
        access->has_addr = ppc_xlate(cpu, access->vaddr, type[i],
                                     &access->addr, &page_shift, &prot,
                                     mmu_idx, false) &&
                           ras_ram_is_good(access->addr &
                                           -(hwaddr)RAS_PAGE_SIZE,
                                           RAS_PAGE_SIZE);
    }
}

static uint32_t fetch_word(PowerPCCPU *cpu, hwaddr addr)
{
    AddressSpace *as = CPU(cpu)->as;

    return FIELD_EX64(cpu->env.msr, MSR, LE) ? ldl_le_phys(as, addr) :
                                               ldl_be_phys(as, addr);
}

static RasStorageAccess *add_access(Finding *f, RasAccessKind kind, vaddr ea)
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
    RasAccessKind kind;
    RasStorageAccess *fetch = add_access(f, RAS_ACCESS_KIND_FETCH, env->nip);
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
    kind = op.store ? RAS_ACCESS_KIND_STORE : RAS_ACCESS_KIND_LOAD;
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

#endif
