/*
 * Guest RAS under KVM: hardware errors that the host kernel reports
 *
 * See include/system/kvm-ras.h.  A SIGBUS with BUS_MCEERR_AR on a vCPU thread
 * means that the guest, in KVM_RUN, accessed memory that has failed; with
 * BUS_MCEERR_AO, on any thread, that memory has failed and nobody has touched
 * it yet.  A signal handler can do little, so on a vCPU thread it only fills
 * a ring, which is emptied when KVM_RUN has returned.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "hw/ras.h"
#include "hw/ras-ring.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/kvm-ras.h"

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5
#endif

static __thread RasRing ring;
__thread bool kvm_ras_sigbus_pending;

/*
 * QEMU has touched failed memory itself: the access would fail again when the
 * handler returns, and there is no content to go on with.
 */
static G_NORETURN void touched_by_qemu(void *addr)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(addr, false, &offset);

    if (block) {
        error_report("ras: hardware memory error: QEMU itself accessed guest "
                     "memory that has failed (block '%s', offset 0x"
                     RAM_ADDR_FMT "), for a device; the guest cannot be told "
                     "of that",
                     qemu_ram_get_idstr(block), offset);
    } else {
        error_report("ras: hardware memory error in memory of QEMU itself, "
                     "not of the guest (host address %p)", addr);
    }
    _exit(1);
}

/* The guest physical address behind @host, if the guest has it mapped. */
static bool guest_address(void *host, hwaddr *addr)
{
    return kvm_physical_memory_addr_from_host(kvm_state, host, addr);
}

/*
 * The part of the failed host granule that the guest has mapped as one range:
 * all of it, or the host page with the address.
 */
static void guest_range(RasHostMemory *m, RAMBlock *block, void *host,
                        unsigned int lsb)
{
    uint64_t page = qemu_real_host_page_size();
    uint64_t granule = lsb < 63 ? MAX(1ULL << lsb, page) : page;
    uint64_t before = (uintptr_t)host & (granule - 1);
    hwaddr first, last;

    if (granule == page || before > m->addr ||
        !guest_address(host - before, &first) ||
        !guest_address(host - before + granule - page, &last) ||
        first != m->addr - before || last != first + granule - page) {
        granule = page;
        before = m->addr & (granule - 1);
    }
    m->first = m->addr - before;
    m->len = granule;
    m->ram_addr = qemu_ram_addr_from_host(host - before);
    m->ram_page = qemu_ram_pagesize(block);
}

static void host_error(CPUState *cpu, const RasHostError *e)
{
    RasHostMemory m = { 0 };
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(e->addr, false, &offset);

    if (!block) {
        /* nothing has used it yet; what will, ends QEMU */
        warn_report("ras: hardware memory error in memory of QEMU itself, not "
                    "of the guest (host address %p)", e->addr);
    } else if (!guest_address(e->addr, &m.addr)) {
        warn_report("ras: hardware memory error in block '%s', offset 0x"
                    RAM_ADDR_FMT ", which the guest does not see now",
                    qemu_ram_get_idstr(block), offset);
    } else {
        guest_range(&m, block, e->addr, e->lsb);
        ras_host_memory_failed(e->required ? cpu : NULL, &m);
    }
}

bool kvm_ras_sigbus(const siginfo_t *info)
{
    RasHostError e = {
        .addr = info->si_addr,
        .lsb = info->si_addr_lsb,
        .required = info->si_code == BUS_MCEERR_AR,
    };

    if (!kvm_enabled() || !ras_get()) {
        return false;
    }
    if (!current_cpu) {
        if (e.required) {
            touched_by_qemu(e.addr);
        }
        host_error(NULL, &e);
        return true;
    }
    /*
     * KVM_RUN returns when it has sent one of these, and is not called again
     * before the ring was emptied.
     */
    if (e.required && (ras_ring_has_required(&ring) ||
                       !qemu_ram_block_from_host(e.addr, false,
                                                 &(ram_addr_t) { 0 }))) {
        touched_by_qemu(e.addr);
    }
    ras_ring_put(&ring, e);
    kvm_ras_sigbus_pending = true;
    qatomic_set(&current_cpu->exit_request, 1);
    return true;
}

void kvm_ras_drain(CPUState *cpu)
{
    RasHostError e;
    int lost;

    bql_lock();
    kvm_ras_sigbus_pending = false;
    while (ras_ring_get(&ring, &e)) {
        host_error(cpu, &e);
    }
    lost = ring.lost;
    if (lost) {
        ring.lost = 0;
        warn_report("ras: %d reports of failed memory came too fast and are "
                    "lost; the guest learns of them when it uses the memory",
                    lost);
    }
    bql_unlock();
}
