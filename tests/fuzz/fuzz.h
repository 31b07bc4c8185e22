/*
 * What each fuzzer is for libFuzzer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

/* libFuzzer calls it by this name; returns 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
