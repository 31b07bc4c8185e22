# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: failed memory that others than QEMU use.

The kernel of the host (vhost), a device (vfio), and another process that has
the guest's memory mapped, as one of vhost-user has.

The layout of QEMU 10.0, in which nobody tells the guest of memory that it
does not use: it goes on to give it to its devices.
"""

from contextlib import closing
from typing import Iterator, List, NamedTuple, Union

import pytest

from checks import free_huge_page
from lab import Host, KvmGuest
from ras import migration
from ras.guest import PAGE
from ras.qemu import QemuError

HOST = 'arm64-devices'

# What is in a page, again and again; a line each.
GOOD, BAD = 'GoodPag', 'Bad Pag'
# How much of it wire.c sends.
LENGTH = 1000
# What it has received, in the host.
RECEIVED = '/tmp/received'
# Of times in /proc/PID/stat, per second.
USER_HZ = 100


def load(side: Union[Host, KvmGuest], *modules: str) -> None:
    """Load modules in the host or in the guest, those that are not there."""
    for module in modules:
        done = side.agent.run(f'test -d /sys/module/{module.replace("-", "_")}'
                              f' || insmod /{module}.ko')
        assert done.status == 0, done


def command(guest: KvmGuest, text: str) -> str:
    """Run a shell command in the guest, which must succeed."""
    done = guest.agent.run(text)
    assert done.status == 0, f'{text}: {done}'
    return done.output


def number(line: str) -> int:
    """A line of a page, as a number."""
    return int.from_bytes(f'{line}\n'.encode(), 'little')


class Page(NamedTuple):
    """A page of the guest."""

    file: str
    address: int   # guest physical


def make_page(guest: KvmGuest, line: str) -> Page:
    """Let the guest make a file of a page, which it keeps."""
    file, address = command(
        guest, f'file=$(mktemp); yes "{line}" 2>/dev/null | head -c {PAGE} '
               '>$file; echo $file; /lab/ram where $file 0').split()
    return Page(file, int(address, 0))


def failed(guest: KvmGuest) -> List[int]:
    """Guest physical addresses of what has failed."""
    return [each['address'] for each in guest.ras()['host-poisoned']]


def let_fail(host: Host, guest: KvmGuest, page: int) -> None:
    """A page fails; QEMU knows, and the guest is not told."""
    host.poison([page])
    guest.wait_until(lambda: page in failed(guest), 'host-poisoned')


class Wire:
    """What the guest sends to the host, by "udp" or "vsock".

    The host receives until it is closed.
    """

    def __init__(self, guest: KvmGuest, kind: str, address: str) -> None:
        self.host = guest.host
        self.guest = guest
        self.good = make_page(guest, GOOD)
        self._send = f'/lab/wire send {kind} {address}'
        self._pid = self.host.command(
            f'/lab/wire receive {kind} >{RECEIVED} 2>&1 & echo $!; '
            f'until grep -q ready {RECEIVED}; do usleep 10000; done').strip()

    def close(self) -> None:
        """Receive nothing any more."""
        self.host.command(f'kill {self._pid}')

    def send(self, page: Page) -> None:
        """Let the guest send a page that it does not read itself."""
        command(self.guest, f'{self._send} {page.file}')

    def received(self, line: str) -> int:
        """How often all that was sent of such a page has arrived."""
        return self.host.command(f'cat {RECEIVED}').splitlines().count(
            f'{LENGTH} {number(line):#x}')

    def check(self) -> None:
        """A good page arrives; UDP may lose some."""
        before = self.received(GOOD)

        def arrived() -> bool:
            self.send(self.good)
            return self.received(GOOD) > before

        self.guest.wait_until(arrived, 'arrival')

    def fail(self) -> None:
        """A page fails that the guest then sends."""
        page = make_page(self.guest, BAD)
        self.check()
        let_fail(self.host, self.guest, page.address)
        self.send(page)

    def check_lost(self) -> None:
        """It has not arrived, and neither the guest nor QEMU minds."""
        assert not self.received(BAD)
        self.guest.check_alive()
        self.guest.check_not_lost()


# Of tap devices, by the guest's names of its cards: one as it is by default,
# and one whose socket has a limit.
CARDS = {'eth0': '', 'eth1': ',sndbuf=1M'}


@pytest.fixture(scope='module')
def vhost_guest(host: Host) -> Iterator[KvmGuest]:
    """A guest with devices of vhost."""
    load(host, 'tun', 'tap', 'vhost_iotlb', 'vhost', 'vhost_net', 'vsock',
         'vmw_vsock_virtio_transport_common', 'vhost_vsock')
    guest = host.start_guest('ras', 2, [
        *(f'-netdev tap,id={card},ifname={card},script=no,downscript=no,'
          f'vhost=on{options} -device virtio-net-pci,netdev={card},romfile='
          for card, options in CARDS.items()),
        '-device vhost-vsock-pci,guest-cid=3'], 512)
    load(guest, 'failover', 'net_failover', 'virtio_net', 'vsock',
         'vmw_vsock_virtio_transport_common', 'vmw_vsock_virtio_transport')
    for network, card in enumerate(CARDS):
        for side, run in enumerate((host.command,
                                    lambda text: command(guest, text)), 1):
            run(f'ip addr add 192.0.{network}.{side}/24 dev {card}; '
                f'ip link set {card} up')
    yield guest
    guest.damaged = True


def vhost_seconds(guest: KvmGuest) -> float:
    """Processor time of the kernel's threads of vhost, tasks of QEMU."""
    # utime and stime, proc(5); the name has no blanks.
    ticks, = guest.host.command(
        f'cat /proc/{guest.qemu.pid}/task/*/stat | '
        "awk '$2 ~ /^\\(vhost-/ { n++; sum += $14 + $15 } "
        "END { if (n) print sum }'").split()
    return int(ticks) / USER_HZ


def test_vhost_net(vhost_guest: KvmGuest) -> None:
    """The kernel tries again, for ever, and sends nothing else any more.

    Link down and up again drops what the guest has sent meanwhile.
    """
    with closing(Wire(vhost_guest, 'udp', '192.0.0.1')) as wire:
        wire.fail()
        seconds = int(5 * vhost_guest.factor)
        used = vhost_seconds(vhost_guest)
        wire.host.command(f'sleep {seconds}')
        assert vhost_seconds(vhost_guest) - used > seconds / 2
        before = wire.received(GOOD)
        wire.send(wire.good)
        wire.host.command(f'sleep {seconds}')
        assert wire.received(GOOD) == before
        wire.check_lost()
        for up in False, True:
            vhost_guest.qemu.qmp('set_link', name='eth0', up=up)
        wire.check()
        wire.check_lost()


def test_vhost_net_with_sndbuf(vhost_guest: KvmGuest) -> None:
    """It is lost, and what comes after it arrives."""
    with closing(Wire(vhost_guest, 'udp', '192.0.1.1')) as wire:
        wire.fail()
        wire.check()
        wire.check_lost()


def test_vhost_vsock(vhost_guest: KvmGuest) -> None:
    """The same, and QEMU says so."""
    with closing(Wire(vhost_guest, 'vsock', '2')) as wire:
        wire.fail()
        vhost_guest.wait_until(
            lambda: any('vhost vring error in virtqueue 1' in line
                        for line in vhost_guest.qemu.output()), 'said')
        wire.check()
        wire.check_lost()


# Its folder, for the shell.
EDU = '$(dirname $(grep -l 0x11e8 /sys/bus/pci/devices/*/device))'


class Edu:
    """The device that is assigned: it copies a few bytes when it is told to.

    As QEMU's docs/specs/edu.rst says.
    """

    def __init__(self, guest: KvmGuest) -> None:
        self.guest = guest
        folder = command(guest, f'echo {EDU}').strip()
        # PCI Local Bus, 6.2.2: Memory Space, Bus Master.
        command(guest, f'printf "\\006\\000" | dd of={folder}/config bs=2 '
                       'seek=2 count=1 conv=notrunc')
        self.bar = int(command(guest, f'head -n1 {folder}/resource').split()
                       [0], 0)

    def _dma(self, source: int, destination: int, direction: int) -> None:
        writes = ''.join(
            f'devmem {self.bar + register:#x} 64 {value:#x}; '
            for register, value in ((0x80, source), (0x88, destination),
                                    (0x90, 8), (0x98, direction | 1)))
        command(self.guest, f'{writes} until [ $(($(devmem '
                            f'{self.bar + 0x98:#x} 64) & 1)) = 0 ]; do '
                            'usleep 10000; done')

    def copy(self, source: int, destination: int) -> None:
        """8 bytes, both guest physical addresses."""
        self._dma(source, 0x40000, 0)
        self._dma(0x40000, destination, 2)


def assign(host: Host) -> str:
    """Let the host give the device away; its address."""
    load(host, 'vfio', 'vfio_iommu_type1', 'vfio-pci-core', 'vfio-pci')
    device = host.command(f'basename {EDU}').strip()
    host.command(f'cd /sys/bus/pci; echo vfio-pci >devices/{device}/'
                 f'driver_override; echo {device} >drivers_probe')
    return device


def test_vfio(host: Host) -> None:
    """A reset leaves what has failed to the guest, as the device has it, too.

    Without the device, it is replaced; and before that, the device cannot
    come back.
    """
    device = {'driver': 'vfio-pci', 'id': 'edu', 'host': assign(host),
              'bus': 'root'}
    guest = host.start_guest('ras', 2, [
        '-device pcie-root-port,id=root,chassis=1', '-device ' + ','.join(
            '='.join(pair) for pair in device.items()).replace('driver=', '')])
    guest.damaged = True
    page = free_huge_page(guest) + 5 * PAGE
    Edu(guest).copy(make_page(guest, GOOD).address, page)
    assert host.read([page]) == [number(GOOD)]
    let_fail(host, guest, page)

    guest.reset()
    assert any('a device is assigned to the guest' in line
               for line in guest.qemu.output())
    assert failed(guest) == [page]
    assert host.load([page]) == ['SIGBUS']
    other = free_huge_page(guest) + 6 * PAGE
    Edu(guest).copy(page, other)
    assert host.read([other]) == [number(GOOD)]

    guest.qemu.qmp('device_del', id='edu')
    guest.qemu.wait_events(
        lambda: any(event['event'] == 'DEVICE_DELETED'
                    for event in guest.qemu.events), 'unplugged',
        60 * guest.factor)
    with pytest.raises(QemuError, match='vfio_container_dma_map'):
        guest.qemu.qmp('device_add', **device)
    guest.check_alive()
    guest.qemu.qmp('system_reset')
    guest.wait_until(lambda: not failed(guest), 'replaced')
    assert host.read([page]) == [0]
    guest.qemu.qmp('device_add', **device)


def test_another_process(host: Host) -> None:
    """It gets a signal of its own; of what has failed elsewhere, zeroes."""
    guest = host.start_guest('ras', 2, megabytes=512)
    guest.damaged = True
    victim, = guest.victims(1)
    let_fail(host, guest, victim.pa[0])
    assert host.load(victim.pa) == ['SIGBUS']
    migration.move(guest, migration.precopy)
    guest.qemu.qmp('cont')
    assert failed(guest) == victim.pa
    assert host.load(victim.pa) == ['0x0']
    assert any('if another process maps it' in line
               for line in guest.qemu.output())
    victim.tell('load')
    guest.wait_sigbus([victim])
