/*
 * Guest RAS: devices whose driver is a test
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-rig.h"
#include <sys/wait.h>
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_ring.h"

char *make_disk(void)
{
    g_autofree uint8_t *content = g_malloc(DISK_BYTES);
    char *name = ras_temp_file();

    memset(content, 0x5a, DISK_BYTES);
    g_assert_true(g_file_set_contents(name, (char *)content, DISK_BYTES,
                                      NULL));
    return name;
}

/* A firmware for pseries that does nothing: SLOF would look for devices. */
static char *idle_firmware(void)
{
    uint32_t code[1024];
    char *name = ras_temp_file();

    for (size_t i = 0; i < ARRAY_SIZE(code); i++) {
        code[i] = cpu_to_be32(0x48000000);      /* b . */
    }
    g_assert_true(g_file_set_contents(name, (char *)code, sizeof(code), NULL));
    return name;
}

Rig *rig_start(const char *options, const char *device, unsigned int queues)
{
    return rig_start_binary(NULL, options, device, queues);
}

Rig *rig_start_binary(const char *var, const char *options, const char *device,
                      unsigned int queues)
{
    Rig *rig = g_new0(Rig, 1);
    g_autofree char *firmware = ras_on_arm() ? NULL : idle_firmware();
    QPCIAddress address = { .devfn = QPCI_DEVFN(SLOT, 0) };
    QVirtioDevice *vdev;
    QPCIBus *bus;

    rig->disk = make_disk();
    rig->args = g_strdup_printf("-accel tcg %s -drive if=none,id=d,format=raw,"
                                "file=%s,file.locking=off -device %s,id=v,"
                                "addr=%d,disable-legacy=on", options,
                                rig->disk, device, SLOT);
    if (firmware) {
        g_autofree char *args = g_strdup_printf("%s -bios %s", rig->args,
                                                firmware);

        rig->vm = ras_start_binary(var, "", args);
        g_unlink(firmware);
    } else {
        rig->vm = ras_start_binary(var, ",ras=on,secure=on", rig->args);
    }
    alloc_init(&rig->alloc, ALLOC_NO_FLAGS, rig->vm->ram + 32 * MiB,
               rig->vm->ram + 48 * MiB, RAS_PAGE);
    if (ras_on_arm()) {
        qpci_init_generic(&rig->bus.generic, rig->vm->qts, &rig->alloc, false);
        bus = &rig->bus.generic.bus;
    } else {
        qpci_init_spapr(&rig->bus.spapr, rig->vm->qts, &rig->alloc);
        bus = &rig->bus.spapr.bus;
    }
    rig->dev = virtio_pci_new(bus, &address);
    g_assert_nonnull(rig->dev);
    qvirtio_pci_start_hw(&rig->dev->obj);
    vdev = &rig->dev->vdev;
    qvirtio_set_features(vdev, qvirtio_get_features(vdev) &
                         ~((1ULL << VIRTIO_RING_F_INDIRECT_DESC) |
                           (1ULL << VIRTIO_RING_F_EVENT_IDX)));
    for (unsigned int i = 0; i < queues; i++) {
        rig->vq[i] = qvirtqueue_setup(vdev, &rig->alloc, i);
    }
    qvirtio_set_driver_ok(vdev);
    return rig;
}

Rig *rig_start_blk(void)
{
    return rig_start("-S", "virtio-blk-pci,drive=d", 1);
}

static void rig_free(Rig *rig)
{
    g_free(rig->dev->pdev);
    g_free(rig->dev);
    alloc_destroy(&rig->alloc);
    g_unlink(rig->disk);
    g_free(rig->disk);
    g_free(rig->args);
    g_free(rig);
}

void rig_quit(Rig *rig)
{
    qvirtio_pci_device_disable(rig->dev);
    ras_quit(rig->vm);
    rig_free(rig);
}

int rig_killed_by(Rig *rig)
{
    int64_t end = g_get_monotonic_time() + RAS_PATIENCE;
    pid_t pid = qtest_pid(rig->vm->qts), died;
    int status;

    while (!(died = waitpid(pid, &status, WNOHANG))) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(500);
    }
    g_assert_cmpint(died, ==, pid);
    /* libqtest would wait for it, too, so it does not learn of that */
    rig_free(rig);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

uint32_t rig_add(Rig *rig, unsigned int queue, const Part *part,
                        unsigned int n)
{
    QTestState *qts = rig->vm->qts;
    uint32_t head = 0;

    for (unsigned int i = 0; i < n; i++) {
        uint32_t desc = qvirtqueue_add(qts, rig->vq[queue], part[i].address,
                                       part[i].len, part[i].write, i < n - 1);

        if (!i) {
            head = desc;
        }
    }
    return head;
}

void rig_kick(Rig *rig, unsigned int queue, uint32_t head)
{
    qvirtqueue_kick(rig->vm->qts, &rig->dev->vdev, rig->vq[queue], head);
}

void rig_offer(Rig *rig, unsigned int queue, const uint32_t *head,
               unsigned int n)
{
    QTestState *qts = rig->vm->qts;
    QVirtQueue *vq = rig->vq[queue];
    uint8_t b[2];
    uint16_t index;

    qtest_memread(qts, vq->avail + 2, b, sizeof(b));
    index = lduw_le_p(b);
    for (unsigned int i = 0; i < n; i++) {
        stw_le_p(b, head[i]);
        qtest_memwrite(qts, vq->avail + 4 + 2 * ((index + i) % vq->size), b,
                       sizeof(b));
    }
    stw_le_p(b, index + n);
    qtest_memwrite(qts, vq->avail + 2, b, sizeof(b));
}

void rig_kick_all(Rig *rig, unsigned int queue, const uint32_t *head,
                  unsigned int n)
{
    rig_offer(rig, queue, head, n);
    rig->dev->vdev.bus->virtqueue_kick(&rig->dev->vdev, rig->vq[queue]);
}

/* How many requests the device has given back; little-endian */
uint16_t used(Rig *rig, unsigned int queue)
{
    uint8_t b[2];

    qtest_memread(rig->vm->qts, rig->vq[queue]->used + 2, b, sizeof(b));
    return b[0] | b[1] << 8;
}

bool rig_broken(Rig *rig)
{
    QVirtioDevice *vdev = &rig->dev->vdev;

    return vdev->bus->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* --- virtio-blk ---------------------------------------------------------- */

/* Header and status of request n are in a page of their own, which is good. */
uint32_t blk_add(Rig *rig, unsigned int n, uint32_t type,
                        uint64_t sector, uint64_t address, uint32_t len)
{
    RasVm *vm = rig->vm;
    uint64_t header = PAGE(256 + n);
    uint8_t bytes[17] = { 0 };
    Part part[] = {
        { header, 16, false },
        { address, len, type == VIRTIO_BLK_T_IN },
        { header + 16, 1, true },
    };

    stl_le_p(bytes, type);
    stq_le_p(bytes + 8, sector);
    bytes[16] = PENDING;
    qtest_memwrite(vm->qts, header, bytes, sizeof(bytes));
    return rig_add(rig, 0, part, ARRAY_SIZE(part));
}

uint8_t blk_status(Rig *rig, unsigned int n)
{
    RasVm *vm = rig->vm;

    return qtest_readb(vm->qts, PAGE(256 + n) + 16);
}

uint8_t blk_wait(Rig *rig, unsigned int n)
{
    ras_wait_until(rig->vm, blk_status(rig, n) != PENDING);
    return blk_status(rig, n);
}

uint8_t blk_do(Rig *rig, uint32_t type, uint64_t sector,
                      uint64_t address, uint32_t len)
{
    rig_kick(rig, 0, blk_add(rig, 0, type, sector, address, len));
    return blk_wait(rig, 0);
}

/* The disk works, and has what it had. */
void assert_disk_is_good(Rig *rig)
{
    RasVm *vm = rig->vm;
    uint8_t data[2 * SECTOR];

    qtest_memset(vm->qts, PAGE(128), 0, sizeof(data));
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 1, PAGE(128), sizeof(data)),
                     ==, VIRTIO_BLK_S_OK);
    qtest_memread(vm->qts, PAGE(128), data, sizeof(data));
    for (unsigned int i = 0; i < sizeof(data); i++) {
        g_assert_cmphex(data[i], ==, 0x5a);
    }
    g_assert_false(rig_broken(rig));
}

/* --- virtio-scsi --------------------------------------------------------- */

/* READ(10) of blocks from block 1 on; returns the response of the device. */
uint8_t scsi_read(Rig *rig, uint64_t address, unsigned int blocks)
{
    RasVm *vm = rig->vm;
    uint8_t header[51] = { 1, 0, 0x40, 0 };     /* LUN: target 0, unit 0 */
    uint64_t response = PAGE(256) + 128;
    uint16_t before = used(rig, 2);
    Part part[] = {
        { PAGE(256), sizeof(header), false },
        { response, 108, true },
        { address, blocks * SECTOR, true },
    };

    header[19] = 0x28;
    header[24] = 1;
    header[27] = blocks;
    qtest_memwrite(vm->qts, PAGE(256), header, sizeof(header));
    qtest_memset(vm->qts, response, 0xff, 108);
    rig_kick(rig, 2, rig_add(rig, 2, part, ARRAY_SIZE(part)));
    ras_wait_until(vm, used(rig, 2) == (uint16_t)(before + 1));
    /* the first one after power-on has a unit attention: status, not that */
    return qtest_readb(vm->qts, response + 11);
}

/* --- IDE ----------------------------------------------------------------- */

/* COMRESET of the port */
void ahci_reset(AHCIQState *ahci)
{
    ahci_px_wreg(ahci, 0, AHCI_PX_SCTL, 1);
    ahci_px_wreg(ahci, 0, AHCI_PX_SCTL, 0);
}

void ahci_restart(AHCIQState *ahci)
{
    ahci_px_clr(ahci, 0, AHCI_PX_CMD, AHCI_PX_CMD_ST);
    ahci_px_set(ahci, 0, AHCI_PX_CMD, AHCI_PX_CMD_ST);
    ahci_port_clear(ahci, 0);
}

/* Read; returns whether the disk says that this was an error. */
bool ahci_read(AHCIQState *ahci, uint64_t address, uint64_t len)
{
    AHCICommand *cmd = ahci_command_create(CMD_READ_DMA);
    uint32_t issued;
    bool busy, error;

    ahci_command_set_buffer(cmd, address);
    ahci_command_set_size(cmd, len);
    ahci_command_commit(ahci, cmd, 0);
    issued = 1u << ahci_command_slot(cmd);
    ahci_command_issue_async(ahci, cmd);
    ahci_command_free(cmd);
    /* until it is done, PxTFD may have the error of the command before */
    do {
        busy = ahci_px_rreg(ahci, 0, AHCI_PX_CI) & issued;
        error = ahci_px_rreg(ahci, 0, AHCI_PX_IS) & AHCI_PX_IS_TFES;
    } while (busy && !error);
    /* as after an error, AHCI 1.3, 6.2.2.1 */
    ahci_restart(ahci);
    return error;
}

void ahci_start(AhciRig *rig, const char *options)
{
    g_autofree char *args = NULL;
    RasVm *vm;

    rig->disk = make_disk();
    args = g_strdup_printf("-accel tcg -S -drive if=none,id=d,format=raw,"
                           "file=%s -device ich9-ahci,id=a,addr=4%s"
                           " -device ide-hd,drive=d,bus=a.0", rig->disk,
                           options);
    vm = ras_start(args);
    rig->vm = vm;
    rig->qos = (QOSState) { .qts = vm->qts };
    rig->ahci = (AHCIQState) {
        .parent = &rig->qos,
        .fingerprint = AHCI_INTEL_ICH9,
    };
    alloc_init(&rig->qos.alloc, ALLOC_NO_FLAGS, vm->ram + 32 * MiB,
               vm->ram + 48 * MiB, RAS_PAGE);
    qpci_init_generic(&rig->generic, vm->qts, &rig->qos.alloc, false);
    rig->qos.pcibus = &rig->generic.bus;
    rig->ahci.dev = qpci_device_find(rig->qos.pcibus, QPCI_DEVFN(4, 0));
    g_assert_nonnull(rig->ahci.dev);
    ahci_pci_enable(&rig->ahci);
    ahci_hba_enable(&rig->ahci);
    ahci_port_clear(&rig->ahci, 0);
}

void ahci_quit(AhciRig *rig)
{
    g_free(rig->ahci.dev);
    alloc_destroy(&rig->qos.alloc);
    ras_quit(rig->vm);
    g_unlink(rig->disk);
    g_free(rig->disk);
}

void assert_ahci_is_good(AhciRig *rig)
{
    RasVm *vm = rig->vm;

    qtest_memset(vm->qts, PAGE(4), 0, RAS_PAGE);
    g_assert_false(ahci_read(&rig->ahci, PAGE(4), RAS_PAGE));
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(4)), ==, 0x5a);
}

/* --- parts of the machine ------------------------------------------------ */

/* Store or fetch 16 bytes; returns the status. */
uint32_t nvram_call(RasVm *vm, const char *name, uint64_t buffer)
{
    uint8_t args[12], ret[4];

    stl_be_p(args, 64);
    stl_be_p(args + 4, buffer);
    stl_be_p(args + 8, 16);
    qtest_memwrite(vm->qts, PAGE(8), args, sizeof(args));
    qtest_rtas_call(vm->qts, name, 3, PAGE(8), 2, PAGE(9));
    qtest_memread(vm->qts, PAGE(9), ret, sizeof(ret));
    return ldl_be_p(ret);
}

