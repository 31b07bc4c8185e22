/*
 * The part of QEMU's hw/core/cpu.h, and of what that includes, which headers of
 * guest RAS need, for the build without the QEMU source.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_CORE_CPU_H
#define HW_CORE_CPU_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define qatomic_read(p) __atomic_load_n(p, __ATOMIC_RELAXED)

typedef struct Error Error;
typedef struct RAMBlock RAMBlock;

typedef struct CPUState {
    int cpu_index;
} CPUState;

#endif /* HW_CORE_CPU_H */
