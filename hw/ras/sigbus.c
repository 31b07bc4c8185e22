/*
 * Guest RAS: QEMU itself has touched memory that has failed
 *
 * The kernel sends SIGBUS to the thread that has done so.  If the access is one
 * of system/ras-copy.h, it fails, and whoever made it goes on with an error.
 * If an instruction of the guest has made it under TCG, that is tried again and
 * meets what is known to have failed by then.  Anything else ends QEMU: there
 * is no content to go on with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/thread.h"
#include "exec/cpu-common.h"
#include "hw/core/cpu.h"
#include "hw/ras.h"
#include "system/kvm.h"
#include "system/kvm-ras.h"
#include "system/ras-copy.h"
#include "system/ras-poison.h"
#include "system/ras.h"
#include "system/ramblock.h"
#include "system/tcg.h"
#include "system/ras-tcg.h"
#include "internal.h"

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5
#endif

bool ras_on_main_thread(void)
{
    return qemu_get_thread_id() == getpid();
}

void ras_touched_by_qemu(void *addr)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(addr, false, &offset);
    char text[300];

    /* in a signal handler: no locks, no allocation */
    if (block) {
        snprintf(text, sizeof(text), "qemu: ras: hardware memory error: QEMU "
                 "itself accessed guest memory that has failed (block '%s', "
                 "offset 0x" RAM_ADDR_FMT ") in a way that cannot fail; the "
                 "guest cannot be notified of that\n",
                 qemu_ram_get_idstr(block), offset);
    } else {
        snprintf(text, sizeof(text), "qemu: ras: hardware memory error in "
                 "memory of QEMU itself, not of the guest (host address "
                 "%p)\n", addr);
    }
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        /* and nowhere else to write to */
    }
    _exit(1);
}

#ifdef CONFIG_LINUX

static bool is_guest_memory(void *addr)
{
    ram_addr_t offset;

    return qemu_ram_block_from_host(addr, false, &offset);
}

bool ras_sigbus(const siginfo_t *siginfo, void *context)
{
    size_t page = qemu_real_host_page_size();
    siginfo_t info = *siginfo;
    void *failed = info.si_addr;

    if (!ras_get()) {
        return false;
    }
    /*
     * Kernels without support of memory failure have UFFDIO_POISON as well, and
     * send BUS_ADRERR: as for a file that has been cut, but a look at the page
     * says what it is.  So do all for a page of migration/ras-mark.c that is
     * not mapped.
     */
    if (info.si_code == BUS_ADRERR &&
        ras_pages_have_failed(QEMU_ALIGN_PTR_DOWN(failed, page), page)) {
        info.si_code = BUS_MCEERR_AR;
        info.si_addr_lsb = ctz64(page);
    }
    if (info.si_code != BUS_MCEERR_AR && info.si_code != BUS_MCEERR_AO) {
        /* not about failed memory: a file that was cut, or kill() */
        return false;
    }
    if (info.si_code == BUS_MCEERR_AR &&
        ras_copy_recover(&info, context, &failed)) {
        if (!failed) {
            return true;
        }
        if (!is_guest_memory(failed)) {
            ras_touched_by_qemu(failed);
        }
        qatomic_inc(&ras_copy_failures);
        ras_host_memory_note(failed, true);
        return true;
    }
    if (kvm_enabled()) {
        return kvm_ras_sigbus(&info);
    }
    if (info.si_code == BUS_MCEERR_AO) {
        ras_host_memory_note(failed, false);
        return true;
    }
    if (tcg_enabled() && current_cpu && is_guest_memory(failed)) {
        ras_host_memory_note(failed, true);
        /* does not return if it can */
        tcg_ras_try_again(current_cpu, ras_copy_context_pc(context));
    }
    ras_touched_by_qemu(failed);
}

void ras_sigbus_init(void)
{
    sigset_t set;

    /*
     * To the handler, and not to the file descriptor that QEMU reads signals
     * from: the kernel kills who touches failed memory with SIGBUS blocked.
     */
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

#else

void ras_sigbus_init(void)
{
}

#endif

/* The handler of what is raised by that takes note of it. */
static bool can_read(uint8_t *host, size_t len)
{
    size_t page = qemu_real_host_page_size(), now;
    bool good = true;

    for (; len; host += now, len -= now) {
        now = MIN(len, page - (uintptr_t)host % page);
        good &= ras_can_read(host, now);
    }
    return good;
}

bool ras_has_failed(const struct iovec *iov, unsigned int n)
{
    bool good = true;

    for (unsigned int i = 0; ras_get() && i < n; i++) {
        good &= can_read(iov[i].iov_base, iov[i].iov_len);
    }
    return !good;
}
