/*
 * Guest RAS: what differs between the libqtests of QEMU releases
 *
 * Our tests are written for the newest of them; this is QEMU 10.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_COMPAT_H
#define TESTS_QTEST_RAS_COMPAT_H

#endif
