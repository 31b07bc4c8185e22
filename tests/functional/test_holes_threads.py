# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves of VMs lose nothing but what has failed, whoever reads and writes it.

What several threads do at the same time, or one after the other.
"""

import random
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from ras import environment, failing, migration
from ras.failing import PAGE, RAM, Vm
from ras.targets import ARM64

STAYS = ['-global', 'ras.move-failed-memory=off']
INCOMING = ['-incoming', 'defer']
REFUSED = "Can't migrate this vm with hardware poisoned memory"


@pytest.fixture(scope='session')
def library(tmp_path_factory: Any) -> Path:
    """What makes memory fail."""
    path: Path = tmp_path_factory.mktemp('fail') / 'fail.so'
    failing.build(path)
    return path


def content(page: int) -> bytes:
    """No two pages are the same."""
    return struct.pack('<Q', page + 1) * (PAGE // 8)


def fill(vm: Vm, first: int, end: int) -> None:
    """Pages by number"""
    vm.preset(first * PAGE, (content(page) for page in range(first, end)))


def lost(vm: Vm, first: int, end: int) -> List[int]:
    """Pages of these that do not have what they had."""
    return [page for page in range(first, end)
            if vm.read(page * PAGE) != content(page)]


def capabilities(vms: List[Vm], *names: str) -> None:
    """Switch them on."""
    for vm in vms:
        vm.qmp('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': True} for name in names])


def find(vm: Vm, folder: Path) -> None:
    """Have it learn which of its memory has failed."""
    vm.qmp('dump-guest-memory', paging=False, protocol=f'file:{folder}/dump')
    (folder / 'dump').unlink()
    assert vm.failed()


def wait_sent(vm: Vm, size: int) -> None:
    """Until so many bytes are on their way."""
    migration.wait_until(lambda: vm.qmp('query-migrate').get('ram', {}).get(
        'transferred', 0) > size, 'it has begun')


def test_preempt(tmp_path: Path, monkeypatch: Any) -> None:
    """Pages that are asked for do not get into others.  Nothing has failed."""
    size = 1 << 30
    monkeypatch.setattr(failing, 'RAM', size)
    first, end = (128 << 20) // PAGE, size // PAGE
    with Vm(ARM64, 'old', tmp_path) as old, \
            Vm(ARM64, 'new', tmp_path, INCOMING) as new:
        fill(old, first, end)
        capabilities([old, new], 'postcopy-ram', 'postcopy-preempt')
        old.qmp('migrate-set-parameters', max_bandwidth=1 << 20)
        new.find_memory()
        migration.connect(old, new, tmp_path)  # type: ignore
        old.qmp('migrate-start-postcopy')
        migration.wait_status(old, 'postcopy-active')  # type: ignore
        rng = random.Random(1)
        while old.qmp('query-migrate')['status'] == 'postcopy-active':
            for _ in range(20):
                new.use(rng.randrange(first, end - 64) * PAGE, 64 * PAGE)
        migration.wait_status(old, 'completed')  # type: ignore
        assert old.qmp('query-migrate')['ram']['postcopy-requests'] > 100
        assert lost(new, first, end) == []


@pytest.mark.parametrize('detection', ['none', 'multifd'])
def test_mapped_ram_multifd(detection: str, library: Path,
                            tmp_path: Path) -> None:
    """A write that ends early, at what has failed, is not all of it."""
    first, end = (64 << 20) // PAGE, (72 << 20) // PAGE
    hole = first + 517
    with Vm(ARM64, 'old', tmp_path, library=library) as old, \
            Vm(ARM64, 'new', tmp_path, INCOMING) as new:
        fill(old, first, end)
        capabilities([old, new], 'mapped-ram', 'multifd')
        old.qmp('migrate-set-parameters', zero_page_detection=detection,
                max_bandwidth=0)
        old.memory.fail_at('pwritev', hole * PAGE)
        old.qmp('migrate', uri=f'file:{tmp_path}/state')
        migration.wait_status(old, 'completed')  # type: ignore
        assert not old.memory.armed()
        new.qmp('migrate-incoming', uri=f'file:{tmp_path}/state')
        migration.wait_status(new, 'completed')  # type: ignore
        assert lost(new, first, end) == [hole]
        assert new.failed() == [(hole * PAGE, PAGE, True)]


def test_snapshot_and_reset(library: Path, tmp_path: Path) -> None:
    """A snapshot of before a reset has what had failed by then as holes."""
    first, end = (64 << 20) // PAGE, (192 << 20) // PAGE
    hole = end - 5
    fifo = tmp_path / 'fifo'
    with Vm(ARM64, 'old', tmp_path, library=library) as old, \
            Vm(ARM64, 'new', tmp_path, INCOMING) as new, \
            socket.socket(socket.AF_UNIX) as server:
        fill(old, first, end)
        server.bind(str(fifo))
        server.listen(1)
        old.memory.fail_at('nothing', 0)
        capabilities([old], 'background-snapshot')
        old.qmp('cont')
        old.qmp('migrate', uri=f'unix:{fifo}')
        stream, _ = server.accept()
        # More is written when more is read.
        state = bytearray()
        while len(state) < 4 << 20:
            state += stream.recv(1 << 20)
        old.memory.fail(hole * PAGE)
        old.device_reads(hole * PAGE)
        migration.wait_until(old.failed, 'it is known')
        old.qmp('system_reset')
        migration.wait_until(lambda: not old.failed(), 'the reset')
        assert old.qmp('query-migrate')['status'] == 'active'
        while True:
            data = stream.recv(1 << 20)
            if not data:
                break
            state += data
        migration.wait_status(old, 'completed')  # type: ignore
        (tmp_path / 'state').write_bytes(state)
        new.qmp('migrate-incoming', uri=f'file:{tmp_path}/state')
        migration.wait_status(new, 'completed')  # type: ignore
        assert lost(new, first, end) == [hole]
        assert new.failed() == [(hole * PAGE, PAGE, True)]


@pytest.mark.parametrize('way', ['off', 'ignore-shared'])
def test_found_but_cannot_move(way: str, library: Path,
                               tmp_path: Path) -> None:
    """One that finds it, and cannot have holes, fails; the VM lives."""
    with Vm(ARM64, 'old', tmp_path, STAYS if way == 'off' else [],
            library=library) as old:
        fill(old, RAM // PAGE - 100, RAM // PAGE)
        old.memory.fail(RAM - 10 * PAGE)
        if way == 'ignore-shared':
            capabilities([old], 'x-ignore-shared')
        old.qmp('migrate', uri=f'file:{tmp_path}/state')
        assert REFUSED in migration.wait_failed(old)  # type: ignore
        assert old.alive()


def test_healed_then_another(library: Path, tmp_path: Path) -> None:
    """What is good again is no hole, when another page fails in postcopy."""
    first, end = (16 << 20) // PAGE, RAM // PAGE
    healed, hole = (20 << 20) // PAGE, (17 << 20) // PAGE
    with Vm(ARM64, 'old', tmp_path, library=library) as old, \
            Vm(ARM64, 'new', tmp_path, INCOMING) as new:
        fill(old, first, end)
        old.memory.fail(healed * PAGE)
        old.device_reads(healed * PAGE)
        migration.wait_until(old.failed, 'it is known')
        migration.prepare([old, new], 'postcopy-ram',  # type: ignore
                          'return-path')
        old.qmp('migrate-set-parameters', max_bandwidth=1 << 20,
                max_postcopy_bandwidth=256 << 10)
        new.find_memory()
        migration.connect(old, new, tmp_path)  # type: ignore
        wait_sent(old, 8 << 20)
        old.qmp('system_reset')
        migration.wait_until(lambda: not old.failed(), 'the reset')
        for page in range(hole, healed + 1):
            old.write(page * PAGE, content(page))
        old.memory.fail(hole * PAGE)
        old.qmp('migrate-start-postcopy')
        migration.wait_until(new.failed, 'the destination knows')
        old.qmp('migrate-set-parameters', max_postcopy_bandwidth=0)
        migration.wait_status(old, 'completed')  # type: ignore
        assert lost(new, first, end) == [hole]
        assert new.failed() == [(hole * PAGE, PAGE, True)]


def test_many_found_in_postcopy(library: Path, tmp_path: Path) -> None:
    """More at once than a list has room for: the VM is not lost."""
    first, end = (64 << 20) // PAGE, RAM // PAGE
    holes = [(80 << 20) // PAGE + 2 * i for i in range(1100)]
    with Vm(ARM64, 'old', tmp_path, library=library) as old, \
            Vm(ARM64, 'new', tmp_path, INCOMING) as new:
        fill(old, first, end)
        migration.prepare([old, new], 'postcopy-ram',  # type: ignore
                          'return-path')
        old.qmp('migrate-set-parameters', max_bandwidth=256 << 10)
        new.find_memory()
        migration.connect(old, new, tmp_path)  # type: ignore
        wait_sent(old, 64 << 10)
        for page in holes:
            old.memory.fail(page * PAGE)
        old.qmp('migrate-start-postcopy')
        migration.wait_status(old, 'completed')  # type: ignore
        assert lost(new, first, end) == holes


class Between:
    """Passes a migration on, and repeats "ras/holes" behind the package.

    @middle: the package has only the middle of the last hole.
    """

    COPIES = 20
    # Ping 2, and the command of the package
    MARK = bytes.fromhex('08 0002 0004 00000002 08 0007 0004')

    def __init__(self, listen: Path, connect: Path,
                 middle: bool = False) -> None:
        self._middle = middle
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(listen))
        self._server.listen(1)
        self._connect = connect
        self.done = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        source, _ = self._server.accept()
        target = socket.socket(socket.AF_UNIX)
        target.connect(str(self._connect))
        threading.Thread(target=self._pass, args=(target, source),
                         daemon=True).start()
        held = bytearray()
        while self.MARK not in held:
            target.sendall(held[:-len(self.MARK)])
            held = held[-len(self.MARK):] + source.recv(1 << 20)
        start = held.index(self.MARK) + len(self.MARK) + 4
        while len(held) < start or len(held) < start + struct.unpack_from(
                '>I', held, start - 4)[0]:
            held += source.recv(1 << 20)
        end = start + struct.unpack_from('>I', held, start - 4)[0]
        package = held[start:end]
        section = self._section(package)
        if self._middle:
            at = start + package.index(section) + len(section) - 22
            first, length = struct.unpack_from('>QQ', held, at)
            struct.pack_into('>QQ', held, at, first + length // 3,
                             length // 3)
        target.sendall(held[:end] + self.COPIES * section + held[end:])
        self.done = True
        self._pass(source, target)

    @staticmethod
    def _section(package: bytearray) -> bytearray:
        name = package.index(b'\x09ras/holes')
        at = name + 19
        at += 4 + 256 * struct.unpack_from('>i', package, at)[0]
        at += 4 + 21 * struct.unpack_from('>i', package, at)[0]
        assert package[name - 5] == 4 and package[at] == 0x7e
        return package[name - 5:at + 5]

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        while True:
            try:
                data = source.recv(1 << 16)
            except OSError:
                # The test has ended.
                break
            if not data:
                break
            target.sendall(data)
        target.close()


@pytest.mark.parametrize('turn', range(4))
def test_two_lists_at_once(turn: int, library: Path, tmp_path: Path) -> None:
    """The main thread loads one, and the one that loads memory another."""
    check_two_lists(turn, [((160 << 20) + 2 * PAGE * i, PAGE)
                           for i in range(900)], False, library, tmp_path)


def test_known_in_part(library: Path, tmp_path: Path) -> None:
    """What one has is in the middle of what the other has.

    So it is where somebody waits for a page of it, meets it, and that gets
    known before the list does.
    """
    check_two_lists(4, [(160 << 20, 900 * PAGE)], True, library, tmp_path)


def check_two_lists(turn: int, holes: List[Tuple[int, int]], middle: bool,
                    library: Path, tmp_path: Path) -> None:
    """Nothing else is lost, and each hole is known once."""
    first, end = (64 << 20) // PAGE, (65 << 20) // PAGE
    with Vm(ARM64, 'old', tmp_path, library=library) as old, \
            Vm(ARM64, f'new{turn}', tmp_path, INCOMING) as new:
        fill(old, first, end)
        for start, length in holes:
            old.memory.fail(start, length)
        find(old, tmp_path)
        migration.prepare([old, new], 'postcopy-ram',  # type: ignore
                          'return-path')
        old.qmp('migrate-set-parameters', max_bandwidth=256 << 10)
        new.find_memory()
        new.qmp('migrate-incoming', uri=f'unix:{tmp_path}/in')
        between = Between(tmp_path / 'out', tmp_path / 'in', middle)
        old.qmp('migrate', uri=f'unix:{tmp_path}/out')
        wait_sent(old, 64 << 10)
        old.qmp('migrate-start-postcopy')
        while old.qmp('query-migrate')['status'] != 'completed':
            assert new.alive()
            time.sleep(0.1)
        assert between.done
        migration.wait_until(lambda: sum(
            length for _, length, _ in new.failed()) >= sum(
            length for _, length in holes), 'all')
        assert new.failed() == [(*hole, True) for hole in holes]
        assert lost(new, first, end) == []


@pytest.mark.parametrize('turn', range(4))
def test_reset_at_the_end(turn: int, library: Path, tmp_path: Path) -> None:
    """A postcopy comes to its end while the VM is reset, again and again."""
    holes = [(128 << 20) + 2 * PAGE * i for i in range(100)]
    with Vm(ARM64, 'old', tmp_path, library=library) as old, \
            Vm(ARM64, f'new{turn}', tmp_path, INCOMING) as new:
        old.fill(64 << 20, RAM - PAGE)
        migration.prepare([old, new], 'postcopy-ram')  # type: ignore
        old.qmp('migrate-set-parameters', max_bandwidth=256 << 10,
                max_postcopy_bandwidth=256 << 10)
        new.find_memory()
        migration.connect(old, new, tmp_path)  # type: ignore
        old.qmp('migrate-start-postcopy')
        migration.wait_status(old, 'postcopy-active')  # type: ignore
        migration.wait_arrived(new)  # type: ignore
        for start in holes:
            old.memory.fail(start)
        resets = 0
        end = time.monotonic() + 120 * environment.time_factor()
        while (status := old.qmp('query-migrate')['status']) != 'completed':
            assert status not in ('failed', 'postcopy-paused')
            assert time.monotonic() < end, status
            new.qmp('system_reset')
            assert new.alive()
            resets += 1
            if resets == 1:
                old.qmp('migrate-set-parameters', max_postcopy_bandwidth=0)
        assert resets
        migration.wait_status(new, 'completed')  # type: ignore
        new.qmp('system_reset')
        assert new.failed() == []
        for start in holes:
            assert new.read(start) == bytes(PAGE)
            assert new.device_reads(start)
        assert new.read(RAM - 2 * PAGE) == old.read(RAM - 2 * PAGE)
