/*
 * Bit fields of 32-bit words, with the names and types of QEMU's
 * qemu/bitops.h, for the build without the QEMU source.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BITOPS_H
#define BITOPS_H

static inline uint32_t extract32(uint32_t value, int start, int length)
{
    return value << (32 - start - length) >> (32 - length);
}

static inline int32_t sextract32(uint32_t value, int start, int length)
{
    return (int32_t)(value << (32 - start - length)) >> (32 - length);
}

static inline uint32_t deposit32(uint32_t value, int start, int length,
                                 uint32_t field)
{
    uint32_t mask = UINT32_MAX >> (32 - length) << start;

    return (value & ~mask) | (field << start & mask);
}

#endif
