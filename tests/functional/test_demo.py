# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo, and with a guest from a disk image, as a user has it (IMAGE=)."""

import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from ras import bare, environment, initramfs
from ras.own_guest import Keyboard, machine_of
from ras.targets import ARM64, PPC64

DEMO = Path(__file__).resolve().parent / 'demo.py'
SECTOR = 512
DISK_SIZE = 16 << 20

# Of efi-arm64.S.
LOADER_SIZE = 0x10000

# FAT16: 32 KiB a cluster, and more clusters than FAT12 may have.
CLUSTER = 64 * SECTOR
CLUSTERS = 5000
ROOT_ENTRIES = 512
FAT_SECTORS = (2 * (CLUSTERS + 2) + SECTOR - 1) // SECTOR

INIT = '''\
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
exec /bin/busybox sh </dev/console >/dev/console 2>&1
'''


class Fat:
    """A disk that is a FAT file system."""

    def __init__(self) -> None:
        self._fat = [0xfff8, 0xffff]
        self._data = b''

    def _add(self, content: bytes) -> int:
        first = len(self._fat)
        count = (len(content) + CLUSTER - 1) // CLUSTER
        self._fat += [*range(first + 1, first + count), 0xffff]
        self._data += content.ljust(count * CLUSTER, b'\0')
        return first

    def add_file(self, name: str, content: bytes) -> bytes:
        """Its directory entry."""
        stem, _, suffix = name.partition('.')
        return f'{stem:8}{suffix:3}'.encode() + struct.pack(
            '<B14xHI', 0x20, self._add(content), len(content))

    def add_folder(self, name: str, entries: bytes) -> bytes:
        """The same of a folder, with entries that are not followed upwards."""
        return f'{name:11}'.encode() + struct.pack(
            '<B14xHI', 0x10, self._add(entries.ljust(CLUSTER, b'\0')), 0)

    def write(self, image: Path, root: bytes) -> None:
        """All of it, with these entries in the root."""
        boot = struct.pack(
            '<3s8sHBHBHHBHHHII3xI11s8s', b'\xeb\x3c\x90', b'QEMU-RAS', SECTOR,
            CLUSTER // SECTOR, 1, 1, ROOT_ENTRIES, 0, 0xf8, FAT_SECTORS, 63,
            16, 0, 1 + FAT_SECTORS + ROOT_ENTRIES * 32 // SECTOR +
            CLUSTERS * CLUSTER // SECTOR, 0x29000000, b'GUEST      ',
            b'FAT16   ')
        with open(image, 'wb') as disk:
            disk.write(boot.ljust(SECTOR - 2, b'\0') + b'\x55\xaa')
            disk.write(struct.pack(f'<{len(self._fat)}H', *self._fat).ljust(
                FAT_SECTORS * SECTOR, b'\0'))
            disk.write(root.ljust(ROOT_ENTRIES * 32, b'\0'))
            start = disk.tell()
            disk.write(self._data)
            disk.truncate(start + CLUSTERS * CLUSTER)


def make_loader(folder: Path) -> bytes:
    """The EFI application of bare/boot-arm64.c."""
    linked = folder / 'loader'
    bare.build(ARM64, bare.SOURCES / 'efi-arm64.S', linked,
               str(bare.SOURCES / 'boot-arm64.c'), '-ffreestanding', '-fpic',
               '-fvisibility=hidden', '-mgeneral-regs-only', '-O2',
               '-fno-asynchronous-unwind-tables', '-Wl,-Ttext=0', '-Wl,-N')
    flat = folder / 'loader.efi'
    subprocess.run(['aarch64-linux-gnu-objcopy', '-O', 'binary', str(linked),
                    str(flat)], check=True,
                   timeout=60 * environment.time_factor())
    return flat.read_bytes().ljust(LOADER_SIZE, b'\0')


def make_arm64(folder: Path) -> Path:
    """A disk with Linux, which UEFI boots."""
    root = folder / 'root'
    (root / 'bin').mkdir(parents=True)
    (root / 'dev').mkdir()
    shutil.copy(environment.path(ARM64.busybox_variable),
                root / 'bin' / 'busybox')
    (root / 'bin' / 'busybox').chmod(0o755)
    (root / 'bin' / 'sh').symlink_to('busybox')
    (root / 'init').write_text(INIT, encoding='ascii')
    (root / 'init').chmod(0o755)
    initramfs.pack(root, folder / 'initrd')
    fat = Fat()
    loader = fat.add_file('BOOTAA64.EFI', make_loader(folder))
    fat.write(folder / 'disk', b''.join([
        fat.add_folder('EFI', fat.add_folder('BOOT', loader)),
        fat.add_file('KERNEL', environment.path(
            ARM64.kernel_variable).read_bytes()),
        fat.add_file('INITRD', (folder / 'initrd').read_bytes())]))
    return folder / 'disk'


def make_ppc64(folder: Path) -> Path:
    """A disk with bare/disk-ppc64.S in a PReP partition."""
    program = folder / 'program'
    bare.build(PPC64, bare.SOURCES / 'disk-ppc64.S', program, '-mbig',
               '-Wl,-Ttext=0x1000000', '-Wl,-N', '-Wl,-e,entry')
    content = program.read_bytes()
    sectors = (len(content) + SECTOR - 1) // SECTOR
    partition = struct.pack('<B3xB3xII', 0x80, 0x41, 1, sectors)
    (folder / 'disk').write_bytes(
        partition.rjust(446 + 16, b'\0').ljust(SECTOR - 2, b'\0') +
        b'\x55\xaa' + content.ljust(DISK_SIZE, b'\0'))
    return folder / 'disk'


def qcow2_of(disk: Path) -> Path:
    """An image in QEMU's own format in front of @disk."""
    image = disk.with_suffix('.qcow2')
    image.touch()
    with bare.machine(ARM64.qemu_variable, '-machine', 'none',
                      '-nodefaults') as vm:
        vm.cmd('blockdev-add', driver='file', node_name='file',
               filename=str(image))
        vm.cmd('blockdev-create', job_id='create', options={
            'driver': 'qcow2', 'file': 'file', 'size': disk.stat().st_size,
            'backing-file': str(disk), 'backing-fmt': 'raw'})
        end = time.monotonic() + 60 * environment.time_factor()
        while (job := vm.cmd('query-jobs')[0])['status'] != 'concluded':
            assert time.monotonic() < end
            time.sleep(0.02)
        assert 'error' not in job
    return image


class Demo:
    """The demo as a process, with pipes in place of a terminal."""

    def __init__(self, image: Path, *options: str) -> None:
        self._process = subprocess.Popen(  # pylint: disable=R1732
            [sys.executable, '-B', str(DEMO), '--image', str(image), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.output = ''
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        while data := os.read(self._process.stdout.fileno(), 4096):
            self.output += data.decode(errors='replace')

    def type(self, text: str) -> int:
        """Type this; where the output is then."""
        assert self._process.stdin
        mark = len(self.output)
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()
        return mark

    def wait(self, pattern: str, mark: int = 0) -> 're.Match[str]':
        """Wait for this behind @mark."""
        end = time.monotonic() + 180 * environment.time_factor()
        while not (found := re.search(pattern, self.output[mark:])):
            assert time.monotonic() < end and self._process.poll() is None, \
                f'no {pattern!r} in:\n{self.output}'
            time.sleep(0.1)
        return found

    def inject(self) -> int:
        """Ctrl-a i, again if no process ran; where the output was before."""
        end = time.monotonic() + 180 * environment.time_factor()
        while time.monotonic() < end:
            mark = self.type('\x01i')
            if 'poisoned' in self.wait('is poisoned|try again', mark).group():
                return mark
        raise AssertionError(f'no process ran:\n{self.output}')

    def ended(self) -> int:
        """Its exit status, when all output has been read."""
        status = self._process.wait(60 * environment.time_factor())
        self._reader.join(60 * environment.time_factor())
        return status

    def kill(self) -> None:
        """Whatever it does."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(name='demos')
def _demos() -> Iterator[List[Demo]]:
    """Those that are to be gone afterwards."""
    demos: List[Demo] = []
    yield demos
    for demo in demos:
        demo.kill()


def test_both_machines() -> None:
    """Without an image: what "make demo" does."""
    demo = subprocess.run([sys.executable, '-B', str(DEMO)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=600 * environment.time_factor())
    assert demo.returncode == 0, demo.stdout
    for machine in ('arm64', 'ppc64'):
        assert f'{machine}: ' in demo.stdout


def test_linux(tmp_path: Path, demos: List[Demo]) -> None:
    """A process dies of SIGBUS, the shell that started it lives."""
    image = qcow2_of(make_arm64(tmp_path))
    before = image.read_bytes()
    demos.append(Demo(image))
    demo = demos[0]
    demo.wait(r'arm64: booting .*disk\.qcow2')
    demo.wait(r'ssh -p [1-9]\d+ USER@127')
    demo.wait('~ # ')
    demo.type("sh -c 'while :; do :; done' &\n")
    mark = demo.type('kill -0 $!; echo status $?\n')
    demo.wait(r'\bstatus 0\b', mark)
    mark = demo.inject()
    page = demo.wait(r'guest physical page (0x\w+) is poisoned', mark)
    demo.wait(rf'accepted: recoverable, \w+ at {page.group(1)[:-3]}', mark)
    demo.wait('acknowledged', mark)
    mark = demo.type('wait $!; echo status $?\n')
    demo.wait(r'\bstatus 135\b', mark)
    demo.type('busybox poweroff -f\n')
    assert demo.ended() == 0
    assert re.search(r"QEMU's log:\n.* error 1: memory, recoverable, poison",
                     demo.output)
    assert image.read_bytes() == before


def test_program(tmp_path: Path, demos: List[Demo]) -> None:
    """A disk with a PReP partition is one for ppc64."""
    image = make_ppc64(tmp_path)
    demos.append(Demo(image))
    demo = demos[0]
    demo.wait('ppc64: booting')
    demo.wait(r'runs\r')
    mark = demo.inject()
    demo.wait('has its stack at 0x2000: .* is poisoned', mark)
    demo.wait('ended', mark)
    demo.wait('delivered', mark)
    demo.type('\x01x')
    assert demo.ended() == 0
    assert 'accepted 1, acknowledged 0, delivered 1,' in demo.output


def test_no_process(tmp_path: Path, demos: List[Demo]) -> None:
    """Firmware at its prompt is no process: it says what to do."""
    (tmp_path / 'disk').write_bytes(bytes(SECTOR))
    demos.append(Demo(tmp_path / 'disk', '--machine', 'ppc64'))
    demo = demos[0]
    demo.wait('SLOF')
    mark = demo.type('\x01i')
    demo.wait('No vCPU runs a process', mark)
    demo.type('\x01?')
    demo.wait('Ctrl-a x +end', mark)
    demo.type('\x01s')
    demo.wait('FWNMI', mark)
    demo.type('\x01x')
    assert demo.ended() == 0


@pytest.mark.parametrize('table, machine', [
    (b'', 'arm64'),
    (b'\0' * 446 + struct.pack('<B3xB11x', 0, 0xef), 'arm64'),
    (b'\0' * 446 + struct.pack('<B3xB11x', 0, 0x41), 'ppc64'),
    (b'\0' * 494 + struct.pack('<B3xB11x', 0, 0x41), 'ppc64'),
    (b'\0' * 1024 + bytes.fromhex('28732ac11ff8d211ba4b00a0c93ec93b'),
     'arm64'),
    (b'\0' * 1152 + bytes.fromhex('382d1a9e12c61643aa268b49521e5a8b'),
     'ppc64'),
], ids=['nothing', 'MBR', 'PReP', 'PReP-fourth', 'GPT', 'GPT-PReP'])
def test_machine_of(tmp_path: Path, table: bytes, machine: str) -> None:
    """By the type of its partitions, in a MBR or a GPT."""
    disk = tmp_path / 'a,disk'
    disk.write_bytes(table.ljust(34 * SECTOR, b'\0'))
    assert machine_of(disk) == machine


def test_keys() -> None:
    """Ctrl-a is the beginning of a command, also at the end of a read."""
    keyboard = Keyboard()
    typed = [*keyboard.parse(b'ls\x01'), *keyboard.parse(b'ib\x01a\x01\x01c')]
    assert typed == [(b'l', ''), (b's', ''), (b'', 'i'), (b'b', ''),
                     (b'\x01', ''), (b'\x01', ''), (b'c', '')]
