/*
 * Guest RAS of Arm under KVM: external aborts that KVM leaves to user space,
 * and SErrors
 *
 * KVM_CAP_ARM_SEA_TO_USER: a synchronous external abort of a guest that the
 * host could not handle ends KVM_RUN with KVM_EXIT_ARM_SEA.  Without the
 * capability, or with a host kernel that lacks it, KVM gives the guest an
 * SError instead.
 *
 * A virtual SError is a part of the vCPU's events, which QEMU puts behind all
 * registers: newer kernels do the exception entry as soon as they get an SError
 * that is not masked.  They are read again before they are looked at.
 *
 * Linux, Documentation/virt/kvm/api.rst, "KVM_EXIT_ARM_SEA",
 * "KVM_SET_VCPU_EVENTS".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "hw/ras.h"
#include "system/kvm.h"
#include "ras.h"

/* The headers of QEMU 10.0 do not have these yet. */
#define ARM_RAS_CAP_SEA_TO_USER    245
#define ARM_RAS_SEA_FLAG_GPA_VALID (1ULL << 0)

/* The exit's part of struct kvm_run. */
typedef struct ArmRasSeaExit {
    uint64_t flags;
    uint64_t esr;
    uint64_t gva;               /* valid if ESR_ELx.FnV is clear */
    uint64_t gpa;               /* aligned to 4096 */
} ArmRasSeaExit;

void arm_ras_kvm_init(void)
{
    int ret;

    if (!kvm_vm_check_extension(kvm_state, ARM_RAS_CAP_SEA_TO_USER)) {
        return;
    }
    ret = kvm_vm_enable_cap(kvm_state, ARM_RAS_CAP_SEA_TO_USER, 0);
    if (ret) {
        warn_report("ras: KVM does not hand over external aborts: %s; the "
                    "guest gets an SError for them", strerror(-ret));
    }
}

static RasError error_of_exit(CPUState *cs, const ArmRasSeaExit *exit)
{
    RasError error = {
        .class = RAS_ERROR_CLASS_UNKNOWN,
        .severity = RAS_SEVERITY_RECOVERABLE,
        .origin = RAS_ORIGIN_KVM_SEA,
        .synchronous = true,
        .vcpu = cs->cpu_index,
    };

    arm_ras_decode_sea(exit->esr, exit->gva, &error);
    if (exit->flags & ARM_RAS_SEA_FLAG_GPA_VALID) {
        error.class = RAS_ERROR_CLASS_MEMORY;
        error.has_addr = true;
        error.addr = exit->gpa;
        error.first = exit->gpa & -(uint64_t)RAS_PAGE_SIZE;
        error.len = RAS_PAGE_SIZE;
    }
    return error;
}

int arm_ras_kvm_sea(CPUState *cs, struct kvm_run *run)
{
    RasError error = error_of_exit(cs, (ArmRasSeaExit *)&run->hw);
    Error *err = NULL;

    bql_lock();
    if (!ras_report(&error, &err)) {
        /* the vCPU tries again, so nothing is lost */
        error_free(err);
    }
    bql_unlock();
    return EXCP_INTERRUPT;
}

bool arm_ras_kvm_takes_syndrome(void)
{
    return kvm_check_extension(kvm_state, KVM_CAP_ARM_INJECT_SERROR_ESR) > 0;
}

bool arm_ras_kvm_check_serror(CPUState *cs, bool has_syndrome, Error **errp)
{
    if (!kvm_has_vcpu_events()) {
        error_setg(errp, "The kernel of the host cannot give a vCPU an SError "
                   "(no KVM_CAP_VCPU_EVENTS); use Linux 4.19 or later");
        return false;
    }
    if (has_syndrome && !arm_ras_kvm_takes_syndrome()) {
        error_setg(errp, "KVM cannot give an SError a syndrome here (no "
                   "KVM_CAP_ARM_INJECT_SERROR_ESR), because the CPUs of this "
                   "host have no RAS extension; leave the syndrome out, or "
                   "use a host whose CPUs have it");
        return false;
    }
    if (has_syndrome && !arm_feature(cpu_env(cs), ARM_FEATURE_AARCH64)) {
        error_setg(errp, "vCPU %d runs a 32-bit guest, whose SErrors KVM "
                   "gives no syndrome of this form; leave it out",
                   cs->cpu_index);
        return false;
    }
    return true;
}

void arm_ras_kvm_reset_serror(CPUState *cs)
{
    CPUARMState *env = cpu_env(cs);
    struct kvm_vcpu_events events = { 0 };

    if (!ras_get() || !kvm_has_vcpu_events() ||
        kvm_vcpu_ioctl(cs, KVM_GET_VCPU_EVENTS, &events) ||
        !events.exception.serror_pending) {
        return;
    }
    env->serror.pending = 1;
    env->serror.has_esr = events.exception.serror_has_esr;
    env->serror.esr = events.exception.serror_esr;
    warn_report("ras: vCPU %d has an SError from before the reset, which the "
                "kernel of the host cannot cancel: the guest takes it when it "
                "unmasks SErrors; to get rid of it, end QEMU and start it "
                "again", cs->cpu_index);
}
