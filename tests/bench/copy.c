/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long it takes to copy 4 KiB to memory of the guest: by guest RAS, and by
 * memcpy().  Prints both, in picoseconds: the best of some rounds, in turns.
 */
#include "qemu/osdep.h"
#include "system/ras-copy.h"

#define LEN 4096
#define COPIES 20000
#define ROUNDS 50

static uint8_t from[LEN], to[LEN];

static size_t by_memcpy(void *dst, const void *src, size_t len)
{
    memcpy(dst, src, len);
    return len;
}

/* volatile: the compiler is not to know which one it is */
static void measure(size_t (*volatile copy)(void *, const void *, size_t),
                    int64_t *best)
{
    gint64 begun = g_get_monotonic_time(), took;

    for (int i = 0; i < COPIES; i++) {
        copy(to, from, LEN);
    }
    took = (g_get_monotonic_time() - begun) * 1000000 / COPIES;
    *best = MIN(*best, took);
}

int main(void)
{
    int64_t ours = INT64_MAX, libc = INT64_MAX;

    for (int i = 0; i < ROUNDS; i++) {
        measure(ras_copy_to_guest, &ours);
        measure(by_memcpy, &libc);
    }
    printf("%lld %lld\n", (long long)ours, (long long)libc);
    return 0;
}
