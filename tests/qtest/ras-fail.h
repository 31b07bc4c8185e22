/*
 * Guest RAS: have memory of a running QEMU fail, as it does on a real host
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_FAIL_H
#define TESTS_QTEST_RAS_FAIL_H

#include "ras-qtest.h"

/*
 * Can a test do that here?  It needs UFFDIO_POISON (Linux 6.6), ptrace() and
 * x86-64.  If not, the test is skipped, with the reason.
 */
bool ras_can_fail(void);

/*
 * Have one page of guest RAM fail every access by QEMU, as memory does that the
 * host has taken away.  Nobody is told: QEMU learns of it when it touches it.
 */
void ras_fail(RasVm *vm, uint64_t address);

/* The same for memory of that length, which is one range for QEMU, too */
void ras_fail_range(RasVm *vm, uint64_t address, uint64_t len);

#endif
