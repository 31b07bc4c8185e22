/*
 * Guest RAS on targets that have no machine with it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-acpi-hest.h"
#include "qapi/qapi-commands-ras.h"
#include "hw/ras.h"
#include "monitor/hmp.h"
#include "system/ras.h"
#include "system/ras-poison.h"

unsigned int ras_errors_waiting;
unsigned int ras_poison_ranges;
uint8_t *ras_poison_buffers;
MemoryRegion ras_poison_region;
int ras_host_memory_unreadable;
unsigned int ras_copy_failures;

bool ras_vcpu_parked_slow(CPUState *cpu)
{
    return false;
}

bool ras_vcpu_idle_slow(CPUState *cpu, bool *idle)
{
    return false;
}

bool ras_vcpu_enter_slow(CPUState *cpu)
{
    return true;
}

void ras_vcpu_note_pc(CPUState *cpu)
{
}

void ras_vcpu_check_pc(CPUState *cpu)
{
}

bool ras_vcpu_deliver(CPUState *cpu)
{
    return false;
}

void ras_serror_taken(CPUState *cpu)
{
}

bool ras_poison_consumed(CPUState *cpu, hwaddr addr, vaddr vaddr,
                         MMUAccessType access_type)
{
    return false;
}

bool ras_poison_overlaps_slow(MemoryRegion *mr, hwaddr offset, hwaddr len)
{
    return false;
}

MemoryRegion *ras_poison_translate_slow(MemoryRegion *mr, hwaddr *offset,
                                        hwaddr *len)
{
    return mr;
}

bool ras_poison_is_buffer_slow(const void *p)
{
    return false;
}

bool ras_poison_is_mapped_slow(const struct iovec *iov, unsigned int n)
{
    return false;
}

bool ras_has_failed(const struct iovec *iov, unsigned int n)
{
    return false;
}

#ifdef CONFIG_LINUX
bool ras_sigbus(const siginfo_t *info, void *context)
{
    return false;
}
#endif

bool ras_on_main_thread(void)
{
    return qemu_get_thread_id() == getpid();
}

void *ras_poison_map(hwaddr offset, hwaddr *len, bool is_write)
{
    g_assert_not_reached();
}

void ras_poison_unmap(const void *buffer, hwaddr written)
{
    g_assert_not_reached();
}

void ras_poison_overlook(bool overlook)
{
}

void ras_memory_discarded(RAMBlock *rb, uint64_t start, size_t length)
{
}

void ras_host_memory_why_unreadable(Error **errp)
{
    g_assert_not_reached();
}

static void no_guest_ras(Error **errp)
{
    error_setg(errp, "No machine of this target has guest RAS");
}

RasInjectResult *qmp_ras_inject(RasInject *arg, Error **errp)
{
    no_guest_ras(errp);
    return NULL;
}

void qmp_inject_ghes_v2_error(const char *cper, Error **errp)
{
    no_guest_ras(errp);
}

void qmp_ras_unpoison(uint64_t address, bool has_length, uint64_t length,
                      Error **errp)
{
    no_guest_ras(errp);
}

RasInfo *qmp_query_ras(Error **errp)
{
    no_guest_ras(errp);
    return NULL;
}

/* Since QEMU 11 the monitor is the same for all targets. */
void hmp_info_ras(Monitor *mon, const QDict *qdict)
{
    g_assert_not_reached();
}

void hmp_ras_inject(Monitor *mon, const QDict *qdict)
{
    g_assert_not_reached();
}

void ras_inject_completion(ReadLineState *rs, int nb_args, const char *str)
{
    g_assert_not_reached();
}

void hmp_ras_unpoison(Monitor *mon, const QDict *qdict)
{
    g_assert_not_reached();
}
