/*
 * Guest RAS: poisoned memory that devices access
 *
 * The test is the driver of virtio devices, on both machines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ras-rig.h"
#include "standard-headers/linux/virtio_balloon.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_mem.h"
#include "standard-headers/linux/virtio_ring.h"

/*
 * One request for two poisoned pages, for good pages with poison between them,
 * and one out of poison: all end in error, are counted, and the disk lives and
 * is not written to.
 */
static void test_blk_pages(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;

    qtest_memset(vm->qts, PAGE(0), 0x11, 16 * RAS_PAGE);
    ras_poison(vm, PAGE(0), 2 * RAS_PAGE);
    ras_poison(vm, PAGE(4), RAS_PAGE);
    ras_poison(vm, PAGE(6), RAS_PAGE);
    ras_assert_count(vm, "poison-other-accesses", 0);

    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 0, PAGE(0), 2 * RAS_PAGE),
                     ==, IOERR);
    ras_assert_count(vm, "poison-other-accesses", 1);
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 0, PAGE(3), 5 * RAS_PAGE),
                     ==, IOERR);
    ras_assert_count(vm, "poison-other-accesses", 3);
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 0, PAGE(6), RAS_PAGE),
                     ==, IOERR);
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 0, PAGE(5), 2 * RAS_PAGE),
                     ==, IOERR);
    ras_assert_count(vm, "poison-other-accesses", 5);
    assert_disk_is_good(rig);
    ras_assert_count(vm, "accepted", 0);

    ras_unpoison(vm, PAGE(0), 2 * RAS_PAGE);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x11);
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 0, PAGE(0), 2 * RAS_PAGE),
                     ==, VIRTIO_BLK_S_OK);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x5a);
    rig_quit(rig);
}

/* Two requests at once, and more than there are buffers one after another. */
static void test_blk_requests(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;
    uint32_t head[2];

    ras_poison(vm, PAGE(0), RAS_PAGE);
    ras_poison(vm, PAGE(2), RAS_PAGE);
    head[0] = blk_add(rig, 1, VIRTIO_BLK_T_IN, 0, PAGE(0), RAS_PAGE);
    head[1] = blk_add(rig, 2, VIRTIO_BLK_T_IN, 8, PAGE(2), RAS_PAGE);
    rig_kick(rig, 0, head[0]);
    rig_kick(rig, 0, head[1]);
    g_assert_cmpuint(blk_wait(rig, 1), ==, IOERR);
    g_assert_cmpuint(blk_wait(rig, 2), ==, IOERR);
    assert_disk_is_good(rig);
    rig_quit(rig);
}

/*
 * A page that holds the header of a request, or its status: the device does
 * not do something else, and lives.
 */
static void test_blk_header(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;
    uint32_t head = blk_add(rig, 1, VIRTIO_BLK_T_OUT, 1, PAGE(0), RAS_PAGE);
    uint16_t before = used(rig, 0);

    ras_poison(vm, PAGE(256 + 1), RAS_PAGE);
    rig_kick(rig, 0, head);
    ras_wait_until(vm, used(rig, 0) == before + 1);
    ras_unpoison(vm, PAGE(256 + 1), RAS_PAGE);
    /* nobody could be told */
    g_assert_cmpuint(blk_status(rig, 1), ==, PENDING);
    assert_disk_is_good(rig);
    rig_quit(rig);
}

/*
 * Poison in a ring does nothing to a device that is not told to look, and is
 * over when it is made good.  If the device looks, that is counted, and a
 * reset of the device brings it back.
 */
static void test_ring(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;
    uint64_t ring = rig->vq[0]->desc & -RAS_PAGE;
    uint64_t end = ROUND_UP(rig->vq[0]->used + 6 + 8 * rig->vq[0]->size,
                            RAS_PAGE);

    assert_disk_is_good(rig);
    for (uint64_t page = ring; page < end; page += RAS_PAGE) {
        ras_poison(vm, page, RAS_PAGE);
        g_assert_false(rig_broken(rig));
        ras_assert_count(vm, "poison-other-accesses", 0);
        ras_unpoison(vm, page, RAS_PAGE);
        assert_disk_is_good(rig);
    }
    /* a page beside it that fails does not matter either */
    ras_poison(vm, ring - RAS_PAGE, RAS_PAGE);
    ras_poison(vm, end, RAS_PAGE);
    assert_disk_is_good(rig);
    ras_assert_count(vm, "poison-other-accesses", 0);
    ras_unpoison(vm, ring - RAS_PAGE, RAS_PAGE);
    ras_unpoison(vm, end, RAS_PAGE);

    /* it looks at its descriptors */
    blk_add(rig, 1, VIRTIO_BLK_T_IN, 0, PAGE(0), RAS_PAGE);
    ras_poison(vm, ring, RAS_PAGE);
    rig_kick(rig, 0, 0);
    ras_wait_until(vm, ras_count(vm, "poison-other-accesses") > 0);
    ras_unpoison(vm, ring, RAS_PAGE);
    qvirtio_start_device(&rig->dev->vdev);
    qvirtio_set_features(&rig->dev->vdev, 1ULL << VIRTIO_F_VERSION_1);
    rig->vq[0] = qvirtqueue_setup(&rig->dev->vdev, &rig->alloc, 0);
    qvirtio_set_driver_ok(&rig->dev->vdev);
    assert_disk_is_good(rig);
    rig_quit(rig);
}

/*
 * A request is made while each part of the ring is poisoned: it is done when
 * the ring is good again, or the device stops; but no device takes what it
 * cannot read for a request.  (Descriptor 0 would write to the disk.)
 */
static void ring_touched(const char *options, const char *device)
{
    for (int part = 0; part < 2; part++) {
        Rig *rig = rig_start(options, device, 1);
        RasVm *vm = rig->vm;
        uint32_t head;
        uint64_t page;

        qtest_memset(vm->qts, PAGE(0), 0x5a, RAS_PAGE);
        head = blk_add(rig, 1, VIRTIO_BLK_T_OUT, 0, PAGE(0), RAS_PAGE);
        rig_kick(rig, 0, head);
        g_assert_cmpuint(head, ==, 0);
        g_assert_cmpuint(blk_wait(rig, 1), ==, VIRTIO_BLK_S_OK);
        qtest_memset(vm->qts, PAGE(0), 0xee, RAS_PAGE);

        page = (part ? rig->vq[0]->used : rig->vq[0]->avail) & -RAS_PAGE;
        head = blk_add(rig, 2, VIRTIO_BLK_T_IN, 0, PAGE(1), RAS_PAGE);
        ras_poison(vm, page, RAS_PAGE);
        rig->dev->vdev.bus->virtqueue_kick(&rig->dev->vdev, rig->vq[0]);
        ras_wait_until(vm, ras_count(vm, "poison-other-accesses") > 0);
        ras_unpoison(vm, page, RAS_PAGE);
        g_assert_false(rig_broken(rig));
        g_assert_cmpuint(used(rig, 0), ==, 1);

        rig_kick(rig, 0, head);
        g_assert_cmpuint(blk_wait(rig, 2), ==, VIRTIO_BLK_S_OK);
        g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x5a);

        /* what the device cannot give back, it does not forget */
        head = blk_add(rig, 3, VIRTIO_BLK_T_IN, 0, PAGE(2), RAS_PAGE);
        page = rig->vq[0]->used & -RAS_PAGE;
        qtest_writew(vm->qts, rig->vq[0]->avail + 4 + 2 * 2,
                     ras_on_arm() ? head : bswap16(head));
        qtest_writew(vm->qts, rig->vq[0]->avail + 2,
                     ras_on_arm() ? 3 : bswap16(3));
        ras_poison(vm, page, RAS_PAGE);
        rig->dev->vdev.bus->virtqueue_kick(&rig->dev->vdev, rig->vq[0]);
        ras_wait_until(vm, rig_broken(rig));
        rig_quit(rig);
    }
}

static void test_ring_touched(void)
{
    ring_touched("-S", "virtio-blk-pci,drive=d");
}

/* Behind an IOMMU, whose translation a ring goes through at each access */
static void test_ring_iommu(void)
{
    ring_touched("-S -machine iommu=smmuv3",
                 "virtio-blk-pci,drive=d,iommu_platform=on");
}

/*
 * The last descriptor of a table has its length in poison, and its address in
 * front of it: the device does not take what was there for it.
 */
static void test_ring_descriptor(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;
    uint64_t table = PAGE(11) - 40;
    uint8_t descs[3 * 16];

    /* the request, as a table */
    blk_add(rig, 1, VIRTIO_BLK_T_IN, 1, PAGE(0), SECTOR);
    qtest_memread(vm->qts, rig->vq[0]->desc, descs, sizeof(descs));
    qtest_memwrite(vm->qts, table, descs, sizeof(descs));
    /* one descriptor for all of it */
    stq_le_p(descs, table);
    stl_le_p(descs + 8, sizeof(descs));
    stw_le_p(descs + 12, VRING_DESC_F_INDIRECT);
    stw_le_p(descs + 14, 0);
    qtest_memwrite(vm->qts, rig->vq[0]->desc, descs, 16);

    ras_poison(vm, PAGE(11), RAS_PAGE);
    rig_kick(rig, 0, 0);
    ras_wait_until(vm, rig_broken(rig) || used(rig, 0));
    g_assert_true(rig_broken(rig));
    g_assert_cmpuint(ras_count(vm, "poison-other-accesses"), >, 0);
    rig_quit(rig);
}

/* A disk that is idle while the VM is stopped and goes on is not harmed. */
static void test_ring_stopped(void)
{
    Rig *rig = rig_start("", "virtio-blk-pci,drive=d", 1);
    RasVm *vm = rig->vm;
    const uint64_t rings[] = {
        rig->vq[0]->desc, rig->vq[0]->avail, rig->vq[0]->used
    };

    for (int i = 0; i < ARRAY_SIZE(rings); i++) {
        uint64_t page = rings[i] & -RAS_PAGE;

        assert_disk_is_good(rig);
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'stop' }");
        ras_poison(vm, page, RAS_PAGE);
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'cont' }");
        ras_pump(vm);
        ras_unpoison(vm, page, RAS_PAGE);
        g_assert_false(rig_broken(rig));
        g_assert_cmpuint(used(rig, 0), ==, i + 1);
    }
    assert_disk_is_good(rig);
    rig_quit(rig);
}

static bool migrated(RasVm *vm)
{
    QDict *r = qtest_qmp(vm->qts, "{ 'execute': 'query-migrate' }");
    const char *status = qdict_get_try_str(qdict_get_qdict(r, "return"),
                                           "status");
    bool done = g_strcmp0(status, "completed") == 0;

    g_assert_cmpstr(status, !=, "failed");
    qobject_unref(r);
    return done;
}

static int64_t queue_status(RasVm *vm, const char *key)
{
    QDict *r = qtest_qmp(vm->qts, "{ 'execute': 'x-query-virtio-queue-status',"
                         " 'arguments': { 'queue': 0,"
                         " 'path': '/machine/peripheral/v/virtio-backend' } }");
    int64_t value = qdict_get_int(qdict_get_qdict(r, "return"), key);

    qobject_unref(r);
    return value;
}

/* That of another VM, at the same place.  (x-query-virtio-status ends 11.1.) */
static bool is_broken(Rig *rig, RasVm *vm)
{
    QPCIBus *bus = rig->dev->pdev->bus;
    QTestState *qts = bus->qts;
    bool broken;

    bus->qts = vm->qts;
    broken = rig_broken(rig);
    bus->qts = qts;
    return broken;
}

/* A ring that is poisoned moves with the device, which goes on where it was. */
static void test_ring_moves(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm, *to;
    g_autofree char *file = ras_temp_file();
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *args = g_strdup_printf("%s -incoming %s", rig->args, uri);
    uint64_t ring = rig->vq[0]->desc & -RAS_PAGE;
    uint64_t end = ROUND_UP(rig->vq[0]->used + 6 + 8 * rig->vq[0]->size,
                            RAS_PAGE);

    assert_disk_is_good(rig);
    assert_disk_is_good(rig);
    ras_poison(vm, ring, end - ring);
    qtest_qmp_assert_success(vm->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    ras_wait_until(vm, migrated(vm));

    to = ras_start(args);
    ras_wait_until(to, migrated(to));
    g_assert_false(is_broken(rig, to));
    g_assert_cmpint(queue_status(to, "last-avail-idx"), ==, 2);
    g_assert_cmpint(queue_status(to, "shadow-avail-idx"), ==, 2);
    g_assert_cmpint(queue_status(to, "used-idx"), ==, 2);
    g_assert_cmpint(queue_status(to, "inuse"), ==, 0);
    ras_unpoison(to, ring, end - ring);
    ras_quit(to);
    g_unlink(file);
    rig_quit(rig);
}

/* The event says where; there is one, and not one for each access. */
static void test_event(void)
{
    Rig *rig = rig_start_blk();
    RasVm *vm = rig->vm;
    QDict *event, *data;

    /* events stay until they are waited for */
    qtest_qmp_set_event_callback(vm->qts, NULL, NULL);
    ras_poison(vm, PAGE(0), RAS_PAGE);
    g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_IN, 0, PAGE(0) + SECTOR,
                            SECTOR), ==, IOERR);
    event = qtest_qmp_eventwait_ref(vm->qts, "RAS_POISON_ACCESS");
    data = qdict_get_qdict(event, "data");
    g_assert_cmphex(ras_get_uint(data, "address"), ==, PAGE(0) + SECTOR);
    g_assert_true(qdict_get_bool(data, "write"));
    g_assert_cmpuint(ras_get_uint(data, "count"), ==, 1);
    qobject_unref(event);

    for (int i = 0; i < 10; i++) {
        g_assert_cmpuint(blk_do(rig, VIRTIO_BLK_T_OUT, 0, PAGE(0), SECTOR),
                         ==, IOERR);
    }
    event = qtest_qmp_eventwait_ref(vm->qts, "RAS_POISON_ACCESS");
    data = qdict_get_qdict(event, "data");
    g_assert_cmphex(ras_get_uint(data, "address"), ==, PAGE(0));
    g_assert_false(qdict_get_bool(data, "write"));
    qobject_unref(event);
    ras_assert_count(vm, "poison-other-accesses", 11);
    rig_quit(rig);
}

/*
 * A disk that has a thread of its own: nothing there waits for the main
 * thread, which waits for it in "stop".
 */
static void test_iothread(void)
{
    Rig *rig = rig_start("-object iothread,id=io",
                         "virtio-blk-pci,drive=d,iothread=io", 1);
    RasVm *vm = rig->vm;

    ras_poison(vm, PAGE(0), RAS_PAGE);
    for (int i = 0; i < 30; i++) {
        for (int n = 1; n <= 8; n++) {
            rig_kick(rig, 0, blk_add(rig, n, VIRTIO_BLK_T_IN, 0, PAGE(0),
                                     RAS_PAGE));
        }
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'stop' }");
        qtest_qmp_assert_success(vm->qts, "{ 'execute': 'cont' }");
        for (int n = 1; n <= 8; n++) {
            g_assert_cmpuint(blk_wait(rig, n), ==, IOERR);
        }
        /* all of its descriptors are free again */
        rig->vq[0]->free_head = 0;
        rig->vq[0]->num_free = rig->vq[0]->size;
    }
    assert_disk_is_good(rig);
    rig_quit(rig);
}

/* --- virtio-scsi --------------------------------------------------------- */

static void test_scsi(void)
{
    Rig *rig = rig_start("-S", "virtio-scsi-pci", 3);
    RasVm *vm = rig->vm;

    qtest_qmp_device_add(vm->qts, "scsi-hd", "h", "{ 'drive': 'd',"
                         " 'bus': 'v.0' }");
    scsi_read(rig, PAGE(8), 1);
    g_assert_cmpuint(scsi_read(rig, PAGE(8), 1), ==, 0);
    ras_poison(vm, PAGE(0), 2 * RAS_PAGE);
    g_assert_cmpuint(scsi_read(rig, PAGE(0), 8), ==, 9);
    g_assert_cmpuint(scsi_read(rig, PAGE(0), 16), ==, 9);
    g_assert_cmpuint(ras_count(vm, "poison-other-accesses"), >=, 2);
    qtest_memset(vm->qts, PAGE(8), 0, SECTOR);
    g_assert_cmpuint(scsi_read(rig, PAGE(8), 1), ==, 0);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(8)), ==, 0x5a);
    g_assert_false(rig_broken(rig));
    rig_quit(rig);
}

/* --- IDE, which uses the functions that NVMe and other SCSI use, too ------ */

static void test_ahci(void)
{
    AhciRig rig;
    AHCIQState *ahci = &rig.ahci;
    RasVm *vm;

    ahci_start(&rig, "");
    vm = rig.vm;
    g_assert_false(ahci_read(ahci, PAGE(0), 2 * RAS_PAGE));
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x5a);
    ras_poison(vm, PAGE(0), 2 * RAS_PAGE);
    g_assert_true(ahci_read(ahci, PAGE(0), 2 * RAS_PAGE));
    g_assert_true(ahci_read(ahci, PAGE(1), 2 * RAS_PAGE));
    g_assert_cmpuint(ras_count(vm, "poison-other-accesses"), >=, 2);
    assert_ahci_is_good(&rig);
    ahci_quit(&rig);
}

/* Begin to read, and go another way before that is done. */
static void ahci_cancel(AhciRig *rig, uint8_t command, uint64_t address,
                        bool reset)
{
    AHCIQState *ahci = &rig->ahci;
    AHCICommand *cmd = ahci_command_create(command);

    ahci_command_set_buffer(cmd, address);
    ahci_command_set_size(cmd, RAS_PAGE);
    ahci_command_commit(ahci, cmd, 0);
    ahci_command_issue_async(ahci, cmd);
    if (reset) {
        ahci_reset(ahci);
    }
    ahci_restart(ahci);
    ahci_command_free(cmd);
}

/* A port is reset, or its engine stopped, with a request in poison. */
static void test_ahci_cancel(void)
{
    AhciRig rig;
    RasVm *vm;

    ahci_start(&rig, "");
    vm = rig.vm;
    ras_poison(vm, PAGE(0), RAS_PAGE);
    for (int i = 0; i < 8; i++) {
        ahci_cancel(&rig, i & 1 ? READ_FPDMA_QUEUED : CMD_READ_DMA, PAGE(0),
                    i & 2);
        assert_ahci_is_good(&rig);
    }
    ahci_quit(&rig);
}

/*
 * The same with a request that waits for a bounce buffer, which there never
 * is.  This is not poison, but the UART.
 */
static void test_ahci_waiting(void)
{
    for (int i = 0; i < 4; i++) {
        AhciRig rig;

        ahci_start(&rig, ",x-max-bounce-buffer-size=0");
        ahci_cancel(&rig, i & 1 ? READ_FPDMA_QUEUED : CMD_READ_DMA,
                    0x09000000, i & 1 || i & 2);
        if (!i) {
            /* stopped, but busy: AHCI 1.3, 10.4.2 */
            ahci_reset(&rig.ahci);
            ahci_restart(&rig.ahci);
        }
        assert_ahci_is_good(&rig);
        ahci_quit(&rig);
    }
}

/* --- parts of the machine ------------------------------------------------ */

#define ITS             0x08080000
#define GITS_CTLR       (ITS + 0x00)
#define GITS_CBASER     (ITS + 0x80)
#define GITS_CWRITER    (ITS + 0x88)
#define GITS_CREADR     (ITS + 0x90)
#define ITS_SYNC        0x05

/* An ITS that cannot read its commands says that it has stopped. */
static void test_its(void)
{
    RasVm *vm = ras_start("-accel tcg -S -machine gic-version=3");
    uint8_t command[32] = { ITS_SYNC };

    qtest_memwrite(vm->qts, PAGE(0), command, sizeof(command));
    qtest_memwrite(vm->qts, PAGE(0) + 32, command, sizeof(command));
    qtest_writeq(vm->qts, GITS_CBASER, 1ULL << 63 | PAGE(0));
    qtest_writel(vm->qts, GITS_CTLR, 1);
    qtest_writeq(vm->qts, GITS_CWRITER, 32);
    g_assert_cmphex(qtest_readq(vm->qts, GITS_CREADR), ==, 32);
    ras_poison(vm, PAGE(0), RAS_PAGE);
    qtest_writeq(vm->qts, GITS_CWRITER, 64);
    g_assert_cmphex(qtest_readq(vm->qts, GITS_CREADR), ==, 32 | 1);
    ras_quit(vm);
}

/* What is stored in NVRAM is what the guest had, or it is told. */
static void test_nvram(void)
{
    RasVm *vm = ras_start("-accel tcg -S");

    qtest_memset(vm->qts, PAGE(0), 0x33, 16);
    g_assert_cmphex(nvram_call(vm, "nvram-store", PAGE(0)), ==, 0);
    ras_poison(vm, PAGE(0), RAS_PAGE);
    g_assert_cmphex(nvram_call(vm, "nvram-store", PAGE(0)), ==, -1U);
    g_assert_cmphex(nvram_call(vm, "nvram-fetch", PAGE(1)), ==, 0);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x33);
    ras_quit(vm);
}

/* --- memory that is given back ------------------------------------------- */

/*
 * Pages in the balloon are given back, and with them their poison; inflating
 * goes on whatever is poisoned.
 */
static void test_balloon(void)
{
    Rig *rig = rig_start("-S", "virtio-balloon-pci", 2);
    RasVm *vm = rig->vm;
    enum { PAGES = 60 };
    uint8_t pfns[PAGES * 4];
    Part part = { PAGE(256), sizeof(pfns), false };

    for (int i = 0; i < PAGES; i++) {
        stl_le_p(pfns + 4 * i, PAGE(i) >> VIRTIO_BALLOON_PFN_SHIFT);
        if (i % 2) {
            ras_poison(vm, PAGE(i), RAS_PAGE);
        }
    }
    ras_poison(vm, PAGE(PAGES), 2 * RAS_PAGE);
    qtest_memset(vm->qts, PAGE(0), 0x77, RAS_PAGE);
    qtest_memwrite(vm->qts, PAGE(256), pfns, sizeof(pfns));
    rig_kick(rig, 0, rig_add(rig, 0, &part, 1));
    ras_wait_until(vm, used(rig, 0) == 1);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(0)), ==, 0);

    /* only what was given back is good */
    qtest_memset(vm->qts, PAGE(0), 0x55, PAGES * RAS_PAGE);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x55);
    ras_unpoison(vm, PAGE(PAGES), 2 * RAS_PAGE);
    ras_assert_part(vm, "poisoned", "[]");
    ras_assert_count(vm, "poison-other-accesses", 0);

    /* and the next one */
    rig_kick(rig, 0, rig_add(rig, 0, &part, 1));
    ras_wait_until(vm, used(rig, 0) == 2);
    g_assert_false(rig_broken(rig));
    rig_quit(rig);
}

/* The middle of a range goes, and its ends stay. */
static void test_balloon_middle(void)
{
    Rig *rig = rig_start("-S", "virtio-balloon-pci", 2);
    RasVm *vm = rig->vm;
    uint8_t pfn[4];
    Part part = { PAGE(256), sizeof(pfn), false };

    ras_poison(vm, PAGE(0), 3 * RAS_PAGE);
    stl_le_p(pfn, PAGE(1) >> VIRTIO_BALLOON_PFN_SHIFT);
    qtest_memwrite(vm->qts, PAGE(256), pfn, sizeof(pfn));
    rig_kick(rig, 0, rig_add(rig, 0, &part, 1));
    ras_wait_until(vm, used(rig, 0) == 1);
    qtest_writeb(vm->qts, PAGE(1), 0x33);
    g_assert_cmphex(qtest_readb(vm->qts, PAGE(1)), ==, 0x33);
    ras_assert_count(vm, "poison-other-accesses", 0);
    ras_unpoison(vm, PAGE(0), RAS_PAGE);
    ras_unpoison(vm, PAGE(2), RAS_PAGE);
    ras_assert_part(vm, "poisoned", "[]");
    rig_quit(rig);
}

/* Pages reported as free: the good ones are given back, poison stays. */
static void test_reporting(void)
{
    Rig *rig = rig_start("-S", "virtio-balloon-pci,free-page-reporting=on", 4);
    RasVm *vm = rig->vm;
    enum { PAGES = 60 };
    Part part = { PAGE(0), PAGES * RAS_PAGE, true };

    qtest_memset(vm->qts, PAGE(0), 0x77, PAGES * RAS_PAGE);
    for (int i = 0; i < PAGES; i += 2) {
        ras_poison(vm, PAGE(i), RAS_PAGE);
    }
    for (int n = 1; n <= 2; n++) {
        rig_kick(rig, 3, rig_add(rig, 3, &part, 1));
        ras_wait_until(vm, used(rig, 3) == n);
    }
    ras_assert_count(vm, "poison-other-accesses", 0);
    g_assert_false(rig_broken(rig));
    for (int i = 0; i < PAGES; i++) {
        if (i % 2) {
            g_assert_cmphex(qtest_readb(vm->qts, PAGE(i)), ==, 0);
        } else {
            ras_unpoison(vm, PAGE(i), RAS_PAGE);
            g_assert_cmphex(qtest_readb(vm->qts, PAGE(i)), ==, 0x77);
        }
    }
    rig_quit(rig);
}

#define MEM_BLOCK (4 * MiB)

static uint16_t mem_request(Rig *rig, uint16_t type, uint64_t address,
                            unsigned int *n)
{
    RasVm *vm = rig->vm;
    uint8_t request[24] = { 0 };
    uint8_t response[2];
    Part part[] = {
        { PAGE(256), sizeof(request), false },
        { PAGE(257), 10, true },
    };

    stw_le_p(request, type);
    stq_le_p(request + 8, address);
    stw_le_p(request + 16, 1);
    qtest_memwrite(vm->qts, PAGE(256), request, sizeof(request));
    rig_kick(rig, 0, rig_add(rig, 0, part, ARRAY_SIZE(part)));
    ++*n;
    ras_wait_until(vm, used(rig, 0) == *n);
    qtest_memread(vm->qts, PAGE(257), response, sizeof(response));
    return lduw_le_p(response);
}

/* virtio-mem: what is not plugged cannot be poisoned, and poison goes. */
static void test_virtio_mem(void)
{
    Rig *rig = rig_start("-S -m 256,maxmem=1G -object memory-backend-ram,"
                         "id=m,size=128M", "virtio-mem-pci,memdev=m,"
                         "block-size=4M,requested-size=64M", 1);
    RasVm *vm = rig->vm;
    QVirtioDevice *vdev = &rig->dev->vdev;
    uint64_t at = qvirtio_config_readq(vdev, offsetof(struct virtio_mem_config,
                                                      addr));
    const char *refused = "{ 'kind': 'memory', 'mode': 'poison',"
                          " 'severity': 'recoverable', 'address': %llu }";
    unsigned int n = 0;

    ras_inject_refused(vm, "*is not RAM*", refused, at);
    g_assert_cmpuint(mem_request(rig, VIRTIO_MEM_REQ_PLUG, at, &n), ==,
                     VIRTIO_MEM_RESP_ACK);
    ras_poison(vm, at, 2 * RAS_PAGE);
    ras_inject_refused(vm, "*is not RAM*", refused, at + MEM_BLOCK);
    g_assert_cmpuint(mem_request(rig, VIRTIO_MEM_REQ_UNPLUG, at, &n), ==,
                     VIRTIO_MEM_RESP_ACK);
    ras_assert_part(vm, "poisoned", "[]");
    g_assert_cmpuint(mem_request(rig, VIRTIO_MEM_REQ_PLUG, at, &n), ==,
                     VIRTIO_MEM_RESP_ACK);
    ras_poison(vm, at + RAS_PAGE, RAS_PAGE);
    g_assert_cmpuint(mem_request(rig, VIRTIO_MEM_REQ_UNPLUG_ALL, 0, &n), ==,
                     VIRTIO_MEM_RESP_ACK);
    ras_assert_part(vm, "poisoned", "[]");
    rig_quit(rig);
}

/* --- memory behind a device ---------------------------------------------- */

/* The memory of ivshmem is a backend's, but not RAM of the machine. */
static void test_ivshmem(void)
{
    RasVm *vm = ras_start("-accel tcg -S -object memory-backend-ram,id=m,"
                          "size=1M,share=on -device ivshmem-plain,memdev=m,"
                          "addr=4");
    QGuestAllocator alloc;
    QGenericPCIBus generic;
    QPCIBusSPAPR spapr;
    QPCIDevice *dev;
    QPCIBus *bus;
    QPCIBar bar;
    uint64_t at;

    alloc_init(&alloc, ALLOC_NO_FLAGS, vm->ram + 32 * MiB, vm->ram + 48 * MiB,
               RAS_PAGE);
    if (ras_on_arm()) {
        qpci_init_generic(&generic, vm->qts, &alloc, false);
        bus = &generic.bus;
    } else {
        qpci_init_spapr(&spapr, vm->qts, &alloc);
        bus = &spapr.bus;
    }
    dev = qpci_device_find(bus, QPCI_DEVFN(4, 0));
    g_assert_nonnull(dev);
    bar = qpci_iomap(dev, 2, NULL);
    qpci_device_enable(dev);
    at = bar.addr + (ras_on_arm() ? 0 : spapr.mmio32_cpu_base);
    /* it is memory, and it is there */
    qtest_writel(vm->qts, at, 0x12345678);
    g_assert_cmphex(qtest_readl(vm->qts, at), ==, 0x12345678);
    for (int i = 0; i < 2; i++) {
        ras_inject_refused(vm, "*is not RAM*", "{ 'kind': 'memory',"
                           " 'mode': %s, 'severity': 'recoverable',"
                           " 'address': %llu }", i ? "report" : "poison",
                           (unsigned long long)at);
    }
    g_free(dev);
    alloc_destroy(&alloc);
    ras_quit(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/ras/poison/blk/pages", test_blk_pages);
    qtest_add_func("/ras/poison/blk/requests", test_blk_requests);
    qtest_add_func("/ras/poison/blk/header", test_blk_header);
    qtest_add_func("/ras/poison/ring/untouched", test_ring);
    qtest_add_func("/ras/poison/ring/touched", test_ring_touched);
    qtest_add_func("/ras/poison/ring/descriptor", test_ring_descriptor);
    qtest_add_func("/ras/poison/ring/moves", test_ring_moves);
    qtest_add_func("/ras/poison/event", test_event);
    qtest_add_func("/ras/poison/scsi", test_scsi);
    qtest_add_func("/ras/poison/balloon", test_balloon);
    qtest_add_func("/ras/poison/balloon-middle", test_balloon_middle);
    qtest_add_func("/ras/poison/reporting", test_reporting);
    qtest_add_func("/ras/poison/ivshmem", test_ivshmem);
    if (ras_on_arm()) {
        qtest_add_func("/ras/poison/ahci/pages", test_ahci);
        qtest_add_func("/ras/poison/ahci/cancel", test_ahci_cancel);
        qtest_add_func("/ras/poison/ahci/waiting", test_ahci_waiting);
        qtest_add_func("/ras/poison/its", test_its);
        qtest_add_func("/ras/poison/ring/iommu", test_ring_iommu);
        qtest_add_func("/ras/poison/iothread", test_iothread);
        qtest_add_func("/ras/poison/ring/stopped", test_ring_stopped);
        qtest_add_func("/ras/poison/virtio-mem", test_virtio_mem);
    } else {
        qtest_add_func("/ras/poison/nvram", test_nvram);
    }
    return g_test_run();
}
