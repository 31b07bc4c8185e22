/*
 * Guest RAS: a ring between a signal handler and the thread that it interrupts
 *
 * One producer and one consumer on the same thread; the producer may interrupt
 * the consumer at any instruction.  Pure, no locks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RAS_RING_H
#define HW_RAS_RING_H

#include <signal.h>
#include <stdatomic.h>

/* a power of two */
#define RAS_RING_SIZE 64

/* A memory error as SIGBUS reports it. */
typedef struct RasHostError {
    void *addr;                 /* host virtual address */
    uint8_t lsb;                /* log2 of the granule that failed, or 0 */
    bool required;              /* an access has failed (BUS_MCEERR_AR) */
    bool in_guest;              /* it is memory of the guest */
} RasHostError;

/* All zero bytes are an empty ring. */
typedef struct RasRing {
    RasHostError error[RAS_RING_SIZE];
    volatile sig_atomic_t head;     /* written by the consumer only */
    volatile sig_atomic_t tail;     /* written by the producer only */
    volatile sig_atomic_t lost;     /* errors that found no room */
} RasRing;

/*
 * ras_ring_put: append @error; for the signal handler
 *
 * Returns false, and counts the error as lost, if the ring is full.
 */
static inline bool ras_ring_put(RasRing *r, RasHostError error)
{
    int next = (r->tail + 1) % RAS_RING_SIZE;

    if (next == r->head) {
        r->lost = r->lost + 1;
        return false;
    }
    r->error[r->tail] = error;
    atomic_signal_fence(memory_order_release);
    r->tail = next;
    return true;
}

/* ras_ring_get: take the oldest error; false if there is none */
static inline bool ras_ring_get(RasRing *r, RasHostError *error)
{
    if (r->head == r->tail) {
        return false;
    }
    atomic_signal_fence(memory_order_acquire);
    *error = r->error[r->head];
    atomic_signal_fence(memory_order_release);
    r->head = (r->head + 1) % RAS_RING_SIZE;
    return true;
}

/* ras_ring_has_required: does it hold an error of the thread's own access? */
static inline bool ras_ring_has_required(const RasRing *r)
{
    for (int i = r->head; i != r->tail; i = (i + 1) % RAS_RING_SIZE) {
        if (r->error[i].required) {
            return true;
        }
    }
    return false;
}

#endif
