/*
 * Guest RAS under KVM: looking for memory of the guest that has failed, and
 * reporting it
 *
 * For what the host kernel has no way to say: of signals that arrive while one
 * is pending it keeps none, and on POWER a failed KVM_RUN names no address.
 *
 * See also include/system/kvm-ras.h.  Everything here is called with the BQL held,
 * on any thread.  What a scan finds is reported by the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_HWPOISON_SCAN_H
#define ACCEL_KVM_HWPOISON_SCAN_H

#include "hw/core/cpu.h"

/* hwpoison_scan_init: get ready; once, on the main thread */
void hwpoison_scan_init(void);

/*
 * hwpoison_report: the memory at host address @host has failed
 * @cpu: this thread's, which has accessed it in the guest; or NULL
 * @lsb: log2 of the size of what has failed, or 0 if that is not known
 */
void hwpoison_report(CPUState *cpu, void *host, unsigned int lsb);

/*
 * hwpoison_scan_start: have the main loop look at all of the guest's memory
 * @at_once: now, as a vCPU waits; else in a while, when more signals may have
 *           come
 *
 * Real time, in slices of less than 1 ms; others have the BQL in between.
 *
 * Returns the number of the pass that looks at all memory from now on.
 */
unsigned int hwpoison_scan_start(bool at_once);

/* hwpoison_scan_is_done: has pass number @pass come to its end? */
bool hwpoison_scan_is_done(unsigned int pass);

/*
 * hwpoison_scan_lost: a signal about memory of the guest was lost
 *
 * ras_host_memory_unreadable has been counted up for it, and is counted down
 * at the end of the pass that is started here.
 */
void hwpoison_scan_lost(void);

/*
 * hwpoison_scan_all: look at all memory before this returns
 *
 * For a reset, while no vCPU runs.  The BQL is held all the time: others must
 * not get to see, save or start a machine that is half reset.  How long that
 * takes is bounded by the size of the guest: with PAGEMAP_SCAN, 1 TiB in pages
 * of 4 KiB takes about a second; swapped pages and older kernels take more.
 */
void hwpoison_scan_all(void);

/*
 * hwpoison_page_is_good: can the page of @addr be read?
 *
 * When a signal about it is looked at, the guest may have given it back, and
 * have other memory there.
 */
bool hwpoison_page_is_good(void *addr);

#endif
