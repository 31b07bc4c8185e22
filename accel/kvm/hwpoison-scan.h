/*
 * Guest RAS under KVM: looking for memory of the guest that has failed, and
 * reporting it
 *
 * For what the host kernel has no way to say: of signals that arrive while one
 * is pending it keeps none, and a failed KVM_RUN names no address.
 *
 * See also include/system/kvm-ras.h.  Everything here is called with the BQL
 * held, on any thread.  What a scan finds is reported by the main loop.
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
 * hwpoison_scan_soon: have the main loop look at all of the guest's memory, in
 * a while, when more signals may have come
 *
 * Real time, in slices of less than 1 ms; others have the BQL in between.
 */
void hwpoison_scan_soon(void);

/*
 * hwpoison_scan_lost: a signal about memory of the guest was lost
 *
 * ras_host_memory_unreadable has been counted up for it, and is counted down
 * at the end of the pass that is started here.
 */
void hwpoison_scan_lost(void);

/*
 * hwpoison_search_goes_on: KVM_RUN has returned @run_ret on a vCPU's thread
 *
 * Ends the search of kvm_ras_run_failed() if that is no error.  A KVM_RUN that
 * was interrupted (-EINTR) may not have run the guest at all.
 *
 * Returns true if this thread still waits for one.
 */
bool hwpoison_search_goes_on(int run_ret);

/*
 * hwpoison_page_is_good: can the page of @addr be read?
 *
 * When a signal about it is looked at, the guest may have given it back, and
 * have other memory there.
 */
bool hwpoison_page_is_good(void *addr);

#endif
