/*
 * Guest RAS: a guest for the qtests of the POWER machine "pseries"
 *
 * RTAS is called with the "rtas" command of qtest, always as the first vCPU.
 * ibm,nmi-register needs to know where the RTAS area is: property
 * linux,rtas-base in a device tree that the guest hands over with hypercall
 * KVMPPC_H_UPDATE_DT.  Only instructions make hypercalls, so these tests use
 * TCG, and as guest a few instructions that do what the test asks for in a
 * mailbox, and note there what a machine check brought them.
 *
 * Offsets and values are those of LoPAR 2.9 (7.3.14, 10.3.2) and the Power
 * ISA, written as numbers on purpose.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_PPC_GUEST_H
#define TESTS_QTEST_RAS_PPC_GUEST_H

#include "ras-qtest.h"
#include "tests/unit/oracle/rtas-reader.h"

#define STOCK "RAS_STOCK_QEMU_PPC64"

#define H_CEDE 0xe0
#define H_PROD 0xe8
#define H_SIGNAL_SYS_RESET 0x380
#define H_RTAS 0xf000
#define H_UNKNOWN 0xeffc
#define H_UPDATE_DT 0xf003

/* RTAS tokens, as in the properties of node /rtas */
#define NMI_INTERLOCK_TOKEN 0x202c

/* RTAS status */
#define SUCCESS         0
#define PARAM_ERROR     (-3)

/* where things are in guest memory */
#define CLIENT          0x100       /* where the machine starts its guest */
#define VECTOR          0x200       /* machine check interrupt */
#define DECREMENTER     0x900       /* interrupt of the decrementer */
#define LOOP            0x3000
#define HANDLER         0x4000      /* what is registered */
#define OTHER_HANDLER   0x5000
#define RESET_HANDLER   0x6000
#define TRANSACTION     0x6800      /* vCPU that is in a transaction */
#define CROWD           0x7000      /* what many vCPUs run */
#define CROWD_HANDLER   0x7100
#define MAILBOX         0x8000
#define ARGS            0x9800
#define RETS            0xa000
#define DEVICE_TREE     (32 * MiB)
#define RTAS_BASE       (48 * MiB)
#define RMA_END         (256 * MiB) /* with one NUMA node */

/* the mailbox: double words */
#define MAIL_RESULT     0
#define MAIL_COMMAND    8           /* its argument; call it if not 0 */
#define MAIL_R3         16
#define MAIL_MSR        24
#define MAIL_SRR0       32
#define MAIL_SRR1       40
#define MAIL_DAR        48
#define MAIL_DSISR      56
#define MAIL_ENTRIES    64
#define MAIL_LOAD       72          /* address to load from, if not 0 */
#define MAIL_VALUE      80          /* what was loaded */
#define MAIL_DONE       88          /* loads that went well */
#define MAIL_HCALL      96          /* the hypercall to make */
#define MAIL_EVENT      104         /* number of the event, in the log */
#define MAIL_ENTERED    112         /* time base at the entry to the handler */
#define MAIL_LEFT       120         /* time base when it calls interlock */
#define MAIL_AUTO       128         /* MAIL_BLOCK: call it at once, or 0 */
#define MAIL_BLOCK      136         /* arguments of the RTAS call */
#define MAIL_SIZE       256

/* one for each vCPU of a crowd */
#define CROWD_MAX       17
#define MAILBOX_OF(n)   (MAILBOX + MAIL_SIZE * (n))

/* r3 of a guest that has nothing to do */
#define IDLE_R3 0x1234
/* r3 of the second vCPU, which has nothing to do either */
#define SECOND_R3 0x5678

/* save area in the RTAS area: r3, fixed part of the log, extended part */
#define SAVE_AREA       0x30
#define SAVE_AREA_LOG   (SAVE_AREA + 8)
#define SAVE_AREA_END   0x800
#define LOG_SIZE        216

#define PAGE(n) (64 * MiB + (n) * RAS_PAGE)

/* with MSR[ME]=0 it would be a check-stop; no guest of pseries can clear it */
#define MSR_ME 0x1000
#define MSR_RI 0x2
#define SRR1_LOAD_STORE 0x200000    /* bit 42 */

/* --- the guest ----------------------------------------------------------- */

typedef struct Code {
    QTestState *qts;
    uint64_t at;
} Code;

void emit(Code *code, uint32_t instruction);
void emit_li(Code *code, int reg, uint32_t value);

/* to or from the mailbox, whose address is in r9 */
void emit_std(Code *code, int reg, int offset);
void emit_ld(Code *code, int reg, int offset);

void emit_mfspr(Code *code, int reg, int spr);
void emit_mtspr(Code *code, int reg, int spr);
void emit_branch(Code *code, uint64_t target);

/* r4 = double word in the mailbox; go back to poll if it is 0 */
void emit_poll(Code *code, int offset, uint64_t poll);
void emit_clear(Code *code, int offset);
void emit_count(Code *code, int offset);

uint64_t mail(RasVm *vm, int offset);

/* Put the guest into a machine that was started with -S, and start it. */
void run_guest(RasVm *vm);

/* TCG, and all the time of the world to call ibm,nmi-interlock */
#define PATIENT "-accel tcg -global spapr-ras.reclaim-ms=600000 "

RasVm *start_guest(const char *options);

/* --- the device tree ----------------------------------------------------- */

/* Offset of the first property of node /rtas */
size_t find_rtas_node(const uint8_t *tree, size_t len);

void start_hypercall(RasVm *vm, uint64_t number, uint64_t argument);

void set_rtas_base(RasVm *vm, uint32_t rtas_base);

/*
 * The same, later.  The tree is changed in guest memory: QEMU's "dumpdtb"
 * looks at memory that KVMPPC_H_UPDATE_DT has freed.
 */
void change_rtas_base(RasVm *vm, uint32_t rtas_base);

/* --- RTAS ---------------------------------------------------------------- */

#define NO_STATUS 0x5a5a5a5a

/* Call RTAS with so many arguments and results; returns the status. */
int32_t rtas(RasVm *vm, const char *name, uint32_t nargs, const uint32_t *args,
             uint32_t nret);
int32_t nmi_register(RasVm *vm, uint32_t system_reset, uint32_t machine_check);
int32_t nmi_interlock(RasVm *vm);
void register_handler(RasVm *vm);

/* A guest that has registered its machine check routine */
RasVm *start_registered(const char *options);

/* Let the second vCPU run, in a loop. */
void start_second_vcpu(RasVm *vm);

/* Wait for the n-th machine check that the guest takes. */
void wait_entries(RasVm *vm, uint64_t n);

/* --- records ------------------------------------------------------------- */

/* The log in the save area; it keeps all rules of LoPAR (tests/unit/oracle). */
RtasReading read_log(RasVm *vm);

/* It is that of a page: effective address, or 0, and logical address. */
void check_log(RasVm *vm, uint64_t ea, uint64_t ra);
uint64_t consume_at(RasVm *vm, uint64_t address, uint64_t ea);

/* --- moves and unplug --------------------------------------------------- */

/* Is there something in the stream that only guest RAS can load? */
bool has_ras_state(RasVm *vm);

/* Move a running VM to a new one of that binary; the old one is gone. */
RasVm *move(RasVm *vm, const char *binary);

/* What the guest does with a core that it gives back: isolate, unusable. */
void release_core(RasVm *vm, uint32_t core);

#endif
