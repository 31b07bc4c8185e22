# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixes of the base, with what the base does without them.

Those that no other module tests.  The VMs have no operating system.
"""

import re
import signal
import socket
import struct
from pathlib import Path
from typing import Iterator

import pytest

from ras import environment, failing, migration
from ras.qemu import Qemu, QemuGone
from ras.targets import ARM64

import test_ppc64_nested

RAM = 256 << 20
SLOW_SENDER = failing.SOURCE.parent / 'slow-sender.c'

# QEMU, "virt" with highmem=off: PCI configuration space and memory; RAM; the
# UART, which is no RAM.
PCI_CONFIG = 0x3f000000
PCI_MEMORY = 0x10000000
RAM_START = 0x40000000
UART = 0x09000000

# PCI: command register (memory, bus master), and the BAR that AHCI has.
COMMAND, MEMORY_AND_MASTER = 0x04, 6
BAR5 = 0x24
# AHCI 1.3.1, section 3: global host control; of a port, addresses of lists and
# of received FISes, command and status, commands issued.
GHC, GHC_RESET, GHC_ENABLE = 0x04, 1, 1 << 31
PORT, PORT_CLB, PORT_FB, PORT_CMD, PORT_CI = 0x100, 0x00, 0x08, 0x18, 0x38
CMD_START, CMD_RECEIVE = 1, 1 << 4
# Where the driver has them.
LIST, RECEIVED, TABLE = (RAM_START + offset for offset in
                         (0x10000, 0x11000, 0x12000))
SECTORS, READ_DMA = 8, 0xc8
# QEMU: VIRTQUEUE_MAX_SIZE.
QUEUE_MAX = 1024

each_build = pytest.mark.parametrize('stock', [
    False, pytest.param(True, marks=pytest.mark.skipif(
        not environment.has(ARM64.stock_variable),
        reason='there is no build of the base'))], ids=['ras', 'stock'])


def virt(stock: bool, name: str, *args: str) -> Qemu:
    """A VM that executes nothing."""
    vm = Qemu(environment.path(
        ARM64.stock_variable if stock else ARM64.qemu_variable), [
        '-machine', 'virt,highmem=off', '-accel', 'qtest', '-m', '256M', '-S',
        '-nodefaults', '-display', 'none',
        '-L', str(environment.path('RAS_FIRMWARE')), *args],
        f'fixes-{name}-{"stock" if stock else "ras"}')
    vm.launch()
    return vm


def wait_killed(vm: Qemu, number: int) -> None:
    """Until QEMU has ended by this signal."""
    migration.wait_until(lambda: not vm.is_running(), 'the end of QEMU')
    assert vm.exit_status() == -number


def test_unplug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The TLB of a vCPU that is unplugged is not flushed once it is free.

    free() unmaps memory of this size, or finds it changed, so that whoever uses
    it afterwards is noticed.  The base (10.0, 10.2) mostly ends by SIGABRT or
    SIGSEGV, but not each time.
    """
    monkeypatch.setenv('GLIBC_TUNABLES', 'glibc.malloc.mmap_threshold=4096')
    with test_ppc64_nested.nested(
            tmp_path, '-smp', '1,maxcpus=2', '-device',
            'power9_v2.2-spapr-cpu-core,core-id=1,id=core',
            macro='UNPLUGS') as vm:
        test_ppc64_nested.wait_counts(vm)
        vm.cmd('device_del', id='core')
        assert vm.event_wait('DEVICE_DELETED',
                             60 * environment.time_factor(),
                             {'data': {'device': 'core'}})
        assert len(vm.cmd('query-cpus-fast')) == 1


@each_build
def test_flash_loaded_twice(stock: bool, tmp_path: Path) -> None:
    """A VM is loaded again before it has run."""
    with virt(stock, 'flash') as vm:
        migration.save_snapshot(vm, tmp_path / 'disk')
        for _ in range(2):
            migration.load_snapshot(vm, tmp_path / 'disk')
        if stock:
            with pytest.raises(QemuGone):
                vm.qmp('cont')
                vm.qmp('query-status')
            wait_killed(vm, signal.SIGSEGV)
            return
        vm.qmp('cont')
        assert vm.qmp('query-status')['status'] == 'running'


@each_build
@pytest.mark.parametrize('size', [QUEUE_MAX, QUEUE_MAX + 1])
def test_size_of_queue(stock: bool, size: int, tmp_path: Path) -> None:
    """The largest that QEMU has room for is loaded, whoever made it.

    In the base, all are, until 11.1, which loads none that is larger than its
    own.
    """
    device = ('-device', 'virtio-serial-pci')
    state = tmp_path / 'state'
    with virt(stock, 'queue', *device) as vm:
        vm.qmp('migrate', uri=f'file:{state}')
        migration.wait_status(vm, 'completed')
    # virtio_save(): how many queues; of each, entries, address, index, and the
    # vector of PCI, which there is none.
    changed, found = re.subn(
        rb'(/virtio-console.*?\x00\x00\x00\x40)....(?=\x00{10}\xff\xff)',
        lambda queue: queue[1] + struct.pack('>I', size), state.read_bytes(),
        count=1, flags=re.S)
    assert found == 1
    state.write_bytes(changed)
    with virt(stock, 'queue-loaded', *device, '-incoming', 'defer') as vm:
        vm.qmp('migrate-incoming', uri=f'file:{state}', exit_on_error=False)
        if environment.release() < (11,) if stock else size == QUEUE_MAX:
            migration.wait_arrived(vm)
        else:
            migration.wait_failed(vm)
            assert any('VQ 0 ' in line for line in vm.output())


@each_build
def test_cancelled_with_pages_to_write(
        stock: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads have some when the migration is cancelled (mapped-ram)."""
    library = tmp_path / 'slow-sender.so'
    failing.build(library, SLOW_SENDER)
    memory = tmp_path / 'memory'
    memory.write_bytes(b'\x55' * RAM)
    with monkeypatch.context() as patch:
        patch.setenv('LD_PRELOAD', str(library))
        vm = virt(stock, 'cancel', '-name', 'debug-threads=on', '-object',
                  f'memory-backend-file,id=m,size={RAM},mem-path={memory},'
                  'share=off', '-machine', 'memory-backend=m')
    with vm:
        migration.prepare([vm], 'multifd', 'mapped-ram')
        vm.qmp('migrate', uri=f'file:{tmp_path}/state')
        migration.wait_status(vm, 'active')
        vm.qmp('migrate_cancel')
        if stock:
            with pytest.raises(QemuGone):
                migration.wait_status(vm, 'cancelled')
            wait_killed(vm, signal.SIGSEGV)
            return
        migration.wait_status(vm, 'cancelled')
        assert vm.qmp('query-status')['status'] == 'prelaunch'


class Ahci:
    """The driver of an AHCI controller in slot 4, with a disk at port 0."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60 * environment.time_factor())
        self._socket.connect(str(path))
        config = PCI_CONFIG + (4 << 15)
        self._writel(config + BAR5, PCI_MEMORY)
        self._writel(config + COMMAND, MEMORY_AND_MASTER)
        self._writel(PCI_MEMORY + GHC, GHC_ENABLE)

    def _command(self, text: str) -> None:
        self._socket.sendall(text.encode() + b'\n')
        assert self._socket.recv(256).startswith(b'OK')

    def _writel(self, address: int, value: int) -> None:
        self._command(f'writel {address:#x} {value:#x}')

    def _write(self, address: int, data: bytes) -> None:
        self._command(f'write {address:#x} {len(data):#x} 0x{data.hex()}')

    def _port(self, register: int, value: int) -> None:
        self._writel(PCI_MEMORY + PORT + register, value)

    def read_to(self, address: int) -> None:
        """Begin to read sectors; nobody waits for them."""
        self._port(PORT_CLB, LIST)
        self._port(PORT_FB, RECEIVED)
        self._port(PORT_CMD, CMD_RECEIVE)
        self._port(PORT_CMD, CMD_RECEIVE | CMD_START)
        # A register FIS of 5 words, from the host to the disk; one buffer.
        self._write(LIST, struct.pack('<IIII', 5 | 1 << 16, 0, TABLE, 0))
        self._write(TABLE, bytes([0x27, 0x80, READ_DMA, 0, 0, 0, 0, 0x40,
                                  0, 0, 0, 0, SECTORS]))
        self._write(TABLE + 0x80, struct.pack('<IIII', address, 0, 0,
                                              SECTORS * 512 - 1))
        self._port(PORT_CI, 1)

    def stop(self) -> None:
        """Stop the port, and reset the controller."""
        self._port(PORT_CMD, CMD_RECEIVE)
        self._writel(PCI_MEMORY + GHC, GHC_ENABLE | GHC_RESET)

    def close(self) -> None:
        """It ends."""
        self._socket.close()


@pytest.fixture(name='path')
def _path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / 'qtest'


@each_build
def test_disk_stopped_before_it_has_a_buffer(stock: bool, path: Path) -> None:
    """Its request waits for a bounce buffer, which there never is.

    In the base, QEMU ends or hangs, by release.
    """
    with virt(stock, 'disk', '-qtest', f'unix:{path},server=on,wait=off',
              '-drive', 'if=none,id=d,driver=null-co,size=1M', '-device',
              'ich9-ahci,id=a,addr=4,x-max-bounce-buffer-size=0', '-device',
              'ide-hd,drive=d,bus=a.0') as vm:
        ahci = Ahci(path)
        ahci.read_to(UART)
        if stock:
            with pytest.raises((OSError, AssertionError)):
                ahci.stop()
        else:
            ahci.stop()
            assert vm.qmp('query-status')['status'] == 'prelaunch'
        ahci.close()
