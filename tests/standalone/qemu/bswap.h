/*
 * Unaligned loads and stores of a given byte order, with the names and types
 * of QEMU's qemu/bswap.h, for the build without the QEMU source.
 *
 * As in QEMU, the 16-bit and 32-bit loads return int: assign them to a
 * variable of the wanted unsigned type before widening.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BSWAP_H
#define BSWAP_H

/* Include qemu/osdep.h first, as everywhere. */

#define bswap16(x) __builtin_bswap16(x)
#define bswap32(x) __builtin_bswap32(x)
#define bswap64(x) __builtin_bswap64(x)

#if HOST_BIG_ENDIAN
#define BSWAP_LE(x, bits) __builtin_bswap##bits(x)
#define BSWAP_BE(x, bits) (x)
#else
#define BSWAP_LE(x, bits) (x)
#define BSWAP_BE(x, bits) __builtin_bswap##bits(x)
#endif

static inline int ldub_p(const void *ptr)
{
    return *(const uint8_t *)ptr;
}

static inline void stb_p(void *ptr, uint8_t v)
{
    *(uint8_t *)ptr = v;
}

/* In the names: w is 16 bits, l is 32, q is 64. */
#define BSWAP_LOAD(name, ret, bits, order)              \
static inline ret name(const void *ptr)                 \
{                                                       \
    uint##bits##_t v;                                   \
                                                        \
    memcpy(&v, ptr, sizeof(v));                         \
    return BSWAP_##order(v, bits);                      \
}

#define BSWAP_STORE(name, bits, order)                  \
static inline void name(void *ptr, uint##bits##_t v)    \
{                                                       \
    v = BSWAP_##order(v, bits);                         \
    memcpy(ptr, &v, sizeof(v));                         \
}

BSWAP_LOAD(lduw_le_p, int, 16, LE)
BSWAP_LOAD(lduw_be_p, int, 16, BE)
BSWAP_LOAD(ldl_le_p, int, 32, LE)
BSWAP_LOAD(ldl_be_p, int, 32, BE)
BSWAP_LOAD(ldq_le_p, uint64_t, 64, LE)
BSWAP_LOAD(ldq_be_p, uint64_t, 64, BE)

BSWAP_STORE(stw_le_p, 16, LE)
BSWAP_STORE(stw_be_p, 16, BE)
BSWAP_STORE(stl_le_p, 32, LE)
BSWAP_STORE(stl_be_p, 32, BE)
BSWAP_STORE(stq_le_p, 64, LE)
BSWAP_STORE(stq_be_p, 64, BE)

#undef BSWAP_LOAD
#undef BSWAP_STORE

/* Host order from and to a fixed order; the same operation both ways */
#define BSWAP_CONVERT(order, lower, bits)                       \
static inline uint##bits##_t lower##bits##_to_cpu(uint##bits##_t v) \
{                                                               \
    return BSWAP_##order(v, bits);                              \
}                                                               \
                                                                \
static inline uint##bits##_t cpu_to_##lower##bits(uint##bits##_t v) \
{                                                               \
    return BSWAP_##order(v, bits);                              \
}

BSWAP_CONVERT(LE, le, 16)
BSWAP_CONVERT(LE, le, 32)
BSWAP_CONVERT(LE, le, 64)
BSWAP_CONVERT(BE, be, 16)
BSWAP_CONVERT(BE, be, 32)
BSWAP_CONVERT(BE, be, 64)

#undef BSWAP_CONVERT

#endif /* BSWAP_H */
