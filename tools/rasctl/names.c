/*
 * rasctl: kinds of injections and counters, by their names in QMP
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "names.h"

#define SEVERITIES "corrected|recoverable|fatal"

static const Member memory[] = {
    { "address", MEMBER_NUMBER, NULL, "guest physical address" },
    { "length", MEMBER_NUMBER, NULL, "bytes, a multiple of 4096 (4096)" },
    { "severity", MEMBER_WORD, SEVERITIES, "how bad it is (recoverable)" },
    { "mode", MEMBER_WORD, "poison|consume|report", "what happens (poison)" },
    { "vcpu", MEMBER_NUMBER, NULL, "vCPU that takes it; mode consume" },
    { "virtual-address", MEMBER_NUMBER, NULL,
      "virtual address that the guest is told; mode consume" },
    { "immediate", MEMBER_FLAG, NULL,
      "do not wait for a good moment; mode consume" },
    { "polled", MEMBER_FLAG, NULL, "by the polled source; mode report" },
    { NULL }
};

static const Member arm_processor[] = {
    { "vcpu", MEMBER_NUMBER, NULL, "vCPU that the error is of" },
    { "type", MEMBER_WORD, "cache|tlb|bus|micro-architectural",
      "part that failed" },
    { "severity", MEMBER_WORD, SEVERITIES, "how bad it is (recoverable)" },
    { "synchronous", MEMBER_FLAG, NULL, "the vCPU takes an exception" },
    { "count", MEMBER_NUMBER, NULL, "number of errors (1)" },
    { "flags", MEMBER_WORDS, "first|last|propagated|overflow",
      "flags, separated by commas" },
    { "error-information", MEMBER_NUMBER, NULL, "the field of that name" },
    { "virtual-address", MEMBER_NUMBER, NULL, "virtual fault address" },
    { "physical-address", MEMBER_NUMBER, NULL, "physical fault address" },
    { "polled", MEMBER_FLAG, NULL, "by the polled source" },
    { NULL }
};

static const Member machine_check[] = {
    { "vcpu", MEMBER_NUMBER, NULL, "vCPU that takes it" },
    { "class", MEMBER_WORD,
      "ue|slb|erat|tlb|d-cache|i-cache|link|real-address|user",
      "what failed" },
    { "sub-type", MEMBER_WORD,
      "fetch|fetch-foreign|table-walk-fetch|table-walk-fetch-foreign|load|"
      "store|load-store|load-store-foreign|table-walk-load-store|"
      "table-walk-load-store-foreign|parity|multi-hit|parity-or-multi-hit|"
      "tlbie|scv", "in what way" },
    { "fetch", MEMBER_FLAG, NULL, "it is that of an instruction fetch" },
    { "srr1", MEMBER_NUMBER, NULL, "bits of SRR1, instead of --class" },
    { "dsisr", MEMBER_NUMBER, NULL, "DSISR, with --srr1" },
    { "disposition", MEMBER_WORD, "recovered|limited|not-recovered",
      "what the platform did about it" },
    { "effective-address", MEMBER_NUMBER, NULL,
      "effective address that the guest is told" },
    { "logical-address", MEMBER_NUMBER, NULL,
      "guest physical address that the guest is told; class ue" },
    { "immediate", MEMBER_FLAG, NULL, "do not wait for a good moment" },
    { NULL }
};

static const Member cper[] = {
    { "data", MEMBER_TEXT, NULL,
      "the record in base64, instead of a file" },
    { "vcpu", MEMBER_NUMBER, NULL, "vCPU that takes an exception for it" },
    { "polled", MEMBER_FLAG, NULL, "by the polled source" },
    { NULL }
};

static const Member serror[] = {
    { "vcpu", MEMBER_NUMBER, NULL, "vCPU that takes it" },
    { "syndrome", MEMBER_NUMBER, NULL, "ESR_ELx.ISS as a whole" },
    { "ids", MEMBER_FLAG, NULL, "implementation defined syndrome" },
    { "dfsc", MEMBER_NUMBER, NULL, "0x11 or 0 (0x11)" },
    { "aet", MEMBER_WORD, "uc|ueu|ueo|uer|ce", "state of the processor" },
    { "ea", MEMBER_FLAG, NULL, "external abort type" },
    { NULL }
};

const Kind kinds[] = {
    { "memory", "address", "an error of main memory",
      "severity=recoverable mode=poison", memory },
    { "arm-processor", NULL, "an error of an Arm processor",
      "severity=recoverable", arm_processor },
    { "machine-check", NULL, "a machine check of a POWER processor", NULL,
      machine_check },
    { "cper", NULL, "a record of your own, from a file or - (virt)", NULL,
      cper },
    { "serror", NULL, "an SError of a vCPU (virt)", NULL, serror },
    { NULL }
};

const Counter counters[] = {
    { "accepted", "accepted_total", "Errors that QEMU took." },
    { "in-flight", "in_flight", "Accepted errors that have not ended.", TRUE },
    { "acknowledged", "acknowledged_total",
      "Errors whose record the guest has read." },
    { "delivered", "delivered_total",
      "Errors that ended as an exception without a record." },
    { "reclaimed", "reclaimed_total",
      "Errors whose record the guest did not read in time." },
    { "discarded", "discarded_total",
      "Errors that ended by a reset or with their vCPU." },
    { "refused", "refused_total", "Errors that QEMU did not take." },
    { "recorded", "recorded_total", "Records written into guest memory." },
    { "notified", "notified_total", "Exceptions and interrupts raised." },
    { "poison-other-accesses", "poison_other_accesses_total",
      "Accesses to poison by devices, page table walks and debuggers." },
    { "events-dropped", "events_dropped_total",
      "Events that were not sent, as there were too many." },
    { NULL }
};
