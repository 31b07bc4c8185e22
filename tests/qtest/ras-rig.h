/*
 * Guest RAS: devices whose driver is a test
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_QTEST_RAS_RIG_H
#define TESTS_QTEST_RAS_RIG_H

#include "ras-qtest.h"
#include "hw/pci/pci.h"
#include "libqos/ahci.h"
#include "libqos/generic-pcihost.h"
#include "libqos/libqos.h"
#include "libqos/libqos-malloc.h"
#include "libqos/pci-spapr.h"
#include "libqos/virtio.h"
#include "libqos/virtio-pci.h"
#include "standard-headers/linux/virtio_blk.h"

#define SECTOR      512
#define DISK_BYTES  (1 * MiB)
#define SLOT        4           /* of the device on its PCI bus */

#define IOERR       VIRTIO_BLK_S_IOERR
#define PENDING     0xff        /* a status that no device writes */

/* Where tests put their buffers: the page with this number */
#define PAGE(n) (vm->ram + 64 * MiB + (n) * RAS_PAGE)

/* A machine with one virtio device that is ready */
typedef struct Rig {
    RasVm *vm;
    QGuestAllocator alloc;
    union {
        QGenericPCIBus generic;
        QPCIBusSPAPR spapr;
    } bus;
    QVirtioPCIDevice *dev;
    QVirtQueue *vq[4];
    char *disk;
    char *args;
} Rig;

/* Part of a request: written by the device, or read by it */
typedef struct Part {
    uint64_t address;
    uint32_t len;
    bool write;
} Part;

typedef struct AhciRig {
    RasVm *vm;
    QOSState qos;
    AHCIQState ahci;
    QGenericPCIBus generic;
    char *disk;
} AhciRig;

char *make_disk(void);

/*
 * rig_start: a VM with this virtio device, whose first queues are set up
 * rig_start_binary: with the QEMU that environment variable @var names
 *
 * There is drive "d".  vCPUs do nothing.
 */
Rig *rig_start(const char *options, const char *device, unsigned int queues);
Rig *rig_start_binary(const char *var, const char *options, const char *device,
                      unsigned int queues);
Rig *rig_start_blk(void);
void rig_quit(Rig *rig);

/* Wait until QEMU has ended by itself; returns the signal, or 0 */
int rig_killed_by(Rig *rig);
uint32_t rig_add(Rig *rig, unsigned int queue, const Part *part,
                 unsigned int n);
void rig_kick(Rig *rig, unsigned int queue, uint32_t head);

/*
 * rig_kick_all: the device finds all of these requests at once
 * rig_offer: it is not told of them
 */
void rig_kick_all(Rig *rig, unsigned int queue, const uint32_t *head,
                  unsigned int n);
void rig_offer(Rig *rig, unsigned int queue, const uint32_t *head,
               unsigned int n);
uint16_t used(Rig *rig, unsigned int queue);
bool rig_broken(Rig *rig);
uint32_t blk_add(Rig *rig, unsigned int n, uint32_t type, uint64_t sector,
                 uint64_t address, uint32_t len);
uint8_t blk_status(Rig *rig, unsigned int n);
uint8_t blk_wait(Rig *rig, unsigned int n);
uint8_t blk_do(Rig *rig, uint32_t type, uint64_t sector, uint64_t address,
               uint32_t len);
void assert_disk_is_good(Rig *rig);
uint8_t scsi_read(Rig *rig, uint64_t address, unsigned int blocks);
void ahci_reset(AHCIQState *ahci);
void ahci_restart(AHCIQState *ahci);
bool ahci_read(AHCIQState *ahci, uint64_t address, uint64_t len);
void ahci_start(AhciRig *rig, const char *options);
void ahci_quit(AhciRig *rig);
void assert_ahci_is_good(AhciRig *rig);
uint32_t nvram_call(RasVm *vm, const char *name, uint64_t buffer);

#endif
