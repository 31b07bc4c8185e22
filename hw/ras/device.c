/*
 * Guest RAS: the device of a machine
 *
 * Its life: realize, reset, vCPUs and memory that are unplugged, and a VM
 * that stops and goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/core/boards.h"
#include "hw/core/cpu.h"
#include "hw/mem/memory-device.h"
#include "hw/core/qdev-properties.h"
#include "hw/ras.h"
#include "system/kvm.h"
#include "system/kvm-ras.h"
#include "system/ras.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "internal.h"
#include "trace.h"

#define RECLAIM_MS_DEFAULT 1000

/* Which SErrors are still pending has to be asked before vCPUs are reset. */
static void ras_reset_enter(Object *obj, ResetType type)
{
    RasState *s = RAS(obj)->state;

    ras_batch_reset(s);
    trace_ras_reset(s->queue.in_flight);
    ras_serrors_settle(s);
}

/*
 * This comes before what writes to RAM of the guest in this phase (firmware and
 * other images, which go where poison was, or good memory has replaced what
 * had failed): the machine creates the device, and so registers it for reset,
 * before these are.  It may come before or after ras-ghes, whose own hold phase
 * withdraws records from the error status blocks: discarded() and reset() only
 * write to the boot error region, which that leaves alone.
 */
static void ras_reset_hold(Object *obj, ResetType type)
{
    RasState *s = RAS(obj)->state;
    RasDeviceClass *rc = ras_class(s);
    RasEntry *e;

    for (e = ras_queue_first(&s->queue); e && rc->discarded;
         e = ras_queue_following(&s->queue, e)) {
        rc->discarded(s->device, &e->error, e->id);
    }
    if (ras_queue_discard(&s->queue, -1)) {
        ras_wakeup_now(&s->wakeup);
    }
    s->check_stopped = false;
    s->loaded = false;
    s->panic_is_due = false;
    ras_exception_reset(s);
    ras_poison_clear(s);
    ras_host_memory_reset(s);
    if (rc->reset) {
        rc->reset(s->device);
    }
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    RasState *s = opaque;

    ras_events_send(s);
    if (running) {
        ras_host_memory_tell(s->device);
    }
    if (running && s->loaded) {
        s->loaded = false;
        ras_exception_resume(s);
        if (s->panic_is_due) {
            /* the VM was saved before that was done */
            ras_wakeup_now(&s->wakeup);
        }
    }
}

/*
 * The last one when the VM stops: a system reset that was on its way, or the
 * end of a nested guest, may have moved a vCPU away from its error.  And KVM
 * does not say when a vCPU takes an SError, so it is asked: one that was taken
 * is no reason to send errors if the VM is saved now.
 */
static void vm_stopped(void *opaque, bool running, RunState state)
{
    RasState *s = opaque;
    CPUState *cpu;

    if (!running) {
        CPU_FOREACH(cpu) {
            ras_vcpu_check_pc(cpu);
        }
        ras_serrors_settle(s);
    }
}

/*
 * A vCPU that is unplugged takes its errors with it.  It has lost its index
 * already, so look for errors whose vCPU is not there.
 */
static void device_unrealized(DeviceListener *listener, DeviceState *dev)
{
    RasState *s = container_of(listener, RasState, listener);
    RasEntry *e;

    if (object_dynamic_cast(OBJECT(dev), TYPE_MEMORY_DEVICE)) {
        ras_poison_forget_absent(s);
        ras_host_memory_forget_absent(s);
    }
    if (!object_dynamic_cast(OBJECT(dev), TYPE_CPU)) {
        return;
    }
    for (e = ras_queue_first(&s->queue); e;
         e = ras_queue_following(&s->queue, e)) {
        if (e->error.vcpu < 0 || qemu_get_cpu(e->error.vcpu)) {
            continue;
        }
        ras_exception_vcpu_gone(s, e);
    }
    /* nobody is left who must not run on */
    s->check_stopped = s->check_stopped && s->queue.nr_blocked;
    s->panic_is_due = s->panic_is_due && s->check_stopped;
    ras_exception_update(s);
}

/* What struct RasDeviceClass says is mandatory, or comes together. */
static void check_methods(RasState *s)
{
    const RasInjectMethods *im = ras_inject_methods(s);
    RasDeviceClass *rc = ras_class(s);

    assert(rc->channel_name && rc->check && rc->ready && rc->vcpu_online &&
           rc->record_pages && rc->record && rc->notify && rc->second_error);
    assert(!rc->record_batch == !rc->notify_batch);
    assert(!rc->record_size == !im->check_record);
    assert(!im->build_arm_processor || rc->record_size);
    assert(!im->build_serror || (im->raise_serror && im->serror_pending));
}

static void ras_realize(DeviceState *dev, Error **errp)
{
    RasState *s;
    unsigned int nr_vcpus = MACHINE(qdev_get_machine())->smp.max_cpus;

    if (ras_get()) {
        error_setg(errp, "A machine has one RAS device at most");
        return;
    }
    s = g_new0(RasState, 1);
    s->device = RAS(dev);
    s->device->state = s;
    check_methods(s);
    ras_queue_init(&s->queue, g_new(RasQueueVcpu, nr_vcpus), nr_vcpus);
    ras_wakeup_init(&s->wakeup);
    ras_events_init(s);
    ras_exception_init(s, nr_vcpus);
    ras_poison_init(s);
    ras_host_memory_init(s);
    ras_batch_init(s);
    ras_migration_init(s);
    qemu_add_vm_change_state_handler(vm_state_changed, s);
    qemu_add_vm_change_state_handler_prio(vm_stopped, s, INT_MIN);
    s->listener.unrealize = device_unrealized;
    device_listener_register(&s->listener);
    ras_set(s);
    ras_sigbus_init();
    if (kvm_enabled()) {
        kvm_ras_init();
    }
    qemu_register_resettable(OBJECT(dev));
}

static const Property ras_properties[] = {
    DEFINE_PROP_UINT32("reclaim-ms", RasDevice, reclaim_ms,
                       RECLAIM_MS_DEFAULT),
    DEFINE_PROP_BOOL("move-failed-memory", RasDevice, move_failed_memory,
                     true),
};

static void ras_class_init(ObjectClass *oc, RAS_CLASS_DATA *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "Guest RAS: delivery of hardware errors";
    dc->realize = ras_realize;
    /* the machine creates it and relies on it for its lifetime */
    dc->user_creatable = false;
    dc->hotpluggable = false;
    device_class_set_props(dc, ras_properties);
    rc->phases.enter = ras_reset_enter;
    rc->phases.hold = ras_reset_hold;
}

RasDevice *ras_create(const char *type)
{
    DeviceState *dev = qdev_new(type);

    object_property_add_child(qdev_get_machine(), "guest-ras", OBJECT(dev));
    qdev_realize_and_unref(dev, NULL, &error_fatal);
    return RAS(dev);
}

static const TypeInfo ras_types[] = {
    {
        .name = TYPE_RAS,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(RasDevice),
        .class_init = ras_class_init,
        .class_size = sizeof(RasDeviceClass),
        .abstract = true,
    },
};

DEFINE_TYPES(ras_types)
