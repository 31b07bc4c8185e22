# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that has failed moves with the VM, and stays failed."""

import os
import re
import signal
import socket
import struct
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Iterator, List, Optional, Sequence, Set

import pytest

from ras import failing, migration
from ras.failing import PAGE, RAM, Vm
from ras.qemu import QemuError
from ras.rasctl import BLOCK
from ras.targets import ARM64, PPC64, Target

STAYS = ['-global', 'ras.move-failed-memory=off']
REFUSED = "Can't migrate this vm with hardware poisoned memory"
# A page, 2 MiB, and the last page; away from where firmware is.
FIRST = 16 << 20
HOLES = [(FIRST, PAGE), (32 << 20, 2 << 20), (RAM - PAGE, PAGE)]
# As the machines name it, if it is not named otherwise.
BLOCKS = {'arm64': 'mach-virt.ram', 'ppc64': 'ppc_spapr.ram'}
# Pages with content: neighbours of holes, and others
FULL = [FIRST - PAGE, FIRST + PAGE, (32 << 20) - PAGE, 34 << 20,
        RAM - 2 * PAGE, 100 << 20]


def _to_file(old: Any, new: Any, folder: Path, *capabilities: str) -> None:
    """By a file, with these capabilities on both sides."""
    for qemu in (old, new):
        _capabilities(qemu, *capabilities)
    old.qmp('migrate', uri=f'file:{folder}/state')
    migration.wait_status(old, 'completed')  # type: ignore
    new.qmp('migrate-incoming', uri=f'file:{folder}/state')
    migration.wait_status(new, 'completed')  # type: ignore


def _capabilities(qemu: Any, *capabilities: str) -> None:
    qemu.qmp('migrate-set-capabilities', capabilities=[
        {'capability': name, 'state': name in capabilities}
        for name in ('return-path', 'multifd', 'mapped-ram', 'xbzrle',
                     'background-snapshot')])


def mapped_ram(old: Any, new: Any, folder: Path) -> None:
    """Each page has its place in the file."""
    _to_file(old, new, folder, 'mapped-ram')


def mapped_ram_multifd(old: Any, new: Any, folder: Path) -> None:
    """The same, written by several threads."""
    _to_file(old, new, folder, 'mapped-ram', 'multifd')


def multifd_zlib(old: Any, new: Any, folder: Path) -> None:
    """Memory is compressed."""
    for qemu in (old, new):
        _capabilities(qemu, 'multifd', 'return-path')
        qemu.qmp('migrate-set-parameters', multifd_compression='zlib')
    _over_socket(old, new, folder)


def xbzrle(old: Any, new: Any, folder: Path) -> None:
    """What has changed of pages that have been sent."""
    for qemu in (old, new):
        _capabilities(qemu, 'xbzrle', 'return-path')
    _over_socket(old, new, folder)


def _over_socket(old: Any, new: Any, folder: Path) -> None:
    new.qmp('migrate-incoming', uri=f'unix:{folder}/socket')
    old.qmp('migrate', uri=f'unix:{folder}/socket')
    migration.wait_status(old, 'completed')  # type: ignore
    migration.wait_arrived(new)  # type: ignore


WAYS = {**migration.WAYS,
        **{way.__name__: way for way in (mapped_ram, mapped_ram_multifd,
                                         multifd_zlib, xbzrle)}}
INCOMING = [way for way in WAYS.values()
            if way is not migration.snapshot]


@pytest.fixture(scope='session')
def library(tmp_path_factory: Any) -> Path:
    """What makes memory fail."""
    path: Path = tmp_path_factory.mktemp('fail') / 'fail.so'
    failing.build(path)
    return path


@pytest.fixture(params=[ARM64, PPC64], ids=['arm64', 'ppc64'])
def target(request: Any) -> Target:
    """Both machines."""
    kind: Target = request.param
    return kind


@pytest.fixture(name='old')
def _old(target: Target, library: Path, tmp_path: Path) -> Iterator[Vm]:
    with Vm(target, 'old', tmp_path, library=library) as vm:
        fill(vm)
        yield vm


def content(offset: int) -> bytes:
    """Of a page: no two are the same."""
    return struct.pack('<Q', offset + 1) * (PAGE // 8)


def fill(vm: Vm) -> None:
    """Pages that are to be lost have content, too."""
    for offset in [*FULL, *(start for start, _ in HOLES)]:
        vm.write(offset, content(offset))


def check(vm: Vm, holes: Any = None, moved: bool = True) -> None:
    """Nothing but these holes is lost, and they fail."""
    holes = HOLES if holes is None else holes
    for offset in FULL:
        assert vm.read(offset) == content(offset), hex(offset)
        assert vm.device_reads(offset)
    assert vm.failed() == [(start, length, moved) for start, length in holes]
    for start, length in holes:
        for offset in (start, start + length - PAGE):
            assert vm.read(offset) is None
            assert not vm.device_reads(offset)


def check_lost(vm: Vm, hole: Any) -> None:
    """This hole is there; another hand has written to the rest."""
    assert vm.failed() == [(*hole, True)]
    assert vm.read(hole[0]) is None
    assert not vm.device_reads(hole[0])


def successor(old: Vm, tmp_path: Path, name: str = 'new', *,
              way: Any = migration.precopy, stock: bool = False,
              library: Optional[Path] = None,
              options: Sequence[str] = ()) -> Vm:
    """A VM that @old can move to."""
    incoming = ['-incoming', 'defer'] if way in INCOMING else []
    return Vm(old.target, name, tmp_path, [*options, *incoming],
              library=library, stock=stock)


def carry(way: Any, old: Vm, new: Vm, folder: Path, name: str) -> None:
    """Move to @new; when this returns, all of memory is there."""
    place = folder / name
    place.mkdir()
    way(old, new, place)
    if way is migration.postcopy:
        migration.wait_status(old, 'completed')  # type: ignore
    assert old.alive() and new.alive()


@pytest.mark.parametrize('way', WAYS.values(), ids=list(WAYS))
class TestMoves:
    """Each way to move."""

    def test_found_and_known(self, way: Any, old: Vm, library: Path,
                             tmp_path: Path) -> None:
        """What is found during the move, and on, when it is known."""
        for start, length in HOLES:
            old.memory.fail(start, length)
        with successor(old, tmp_path, way=way, library=library) as new:
            carry(way, old, new, tmp_path, 'first')
            check(new)
            new.memory.fail(FULL[0])
            with successor(new, tmp_path, 'third', way=way) as third:
                carry(way, new, third, tmp_path, 'second')
                more = sorted([(FULL[0], 2 * PAGE), *HOLES[1:]])
                assert third.read(FULL[0]) is None
                assert [(s, n) for s, n, _ in third.failed()] == more

    def test_reset_heals(self, way: Any, old: Vm, tmp_path: Path) -> None:
        """Then nothing of it is left."""
        old.memory.fail(*HOLES[0])
        with successor(old, tmp_path, way=way) as new:
            carry(way, old, new, tmp_path, 'first')
            check(new, HOLES[:1])
            new.qmp('system_reset')
            assert new.failed() == []
            assert new.read(HOLES[0][0]) == bytes(PAGE)
            assert new.device_reads(HOLES[0][0])
            with successor(new, tmp_path, 'stock', way=way,
                           stock=True) as stock:
                new.write(FULL[0], content(FULL[0]))
                carry(way, new, stock, tmp_path, 'second')
                assert stock.read(FULL[0]) == content(FULL[0])


def sent(vm: Vm) -> int:
    """How much of memory is behind it, bytes."""
    ram = vm.qmp('query-migrate').get('ram')
    return int(ram['total'] - ram['remaining']) if ram else 0


def find(vm: Vm, folder: Path) -> None:
    """Have it learn which of its memory has failed."""
    vm.qmp('dump-guest-memory', paging=False, protocol=f'file:{folder}/dump')
    (folder / 'dump').unlink()
    assert vm.failed()


def begin_slowly(old: Vm, new: Vm, folder: Path, bandwidth: int,
                 *capabilities: str) -> None:
    """Move, in so many bytes a second that it does not come to an end."""
    old.fill(64 << 20, RAM - PAGE)
    migration.prepare([old, new], *capabilities)  # type: ignore
    old.qmp('migrate-set-parameters', max_bandwidth=bandwidth)
    migration.connect(old, new, folder)  # type: ignore


def fail_when_sent(old: Vm, new: Vm, folder: Path) -> None:
    """A page that is sent, and clean, fails, and is known; postcopy can be."""
    begin_slowly(old, new, folder, 64 << 10, 'postcopy-ram', 'return-path')
    migration.wait_until(lambda: sent(old) > 2 * FIRST, 'the page')
    new.signal(signal.SIGSTOP)
    old.memory.fail(*HOLES[0])
    old.device_reads(HOLES[0][0])
    migration.wait_until(old.failed, 'it is known')


class TestOnTheWay:
    """What happens between the beginning of a move and its end."""

    @staticmethod
    def begin(old: Vm, new: Vm, folder: Path) -> None:
        """Move until the VM stands still; the last pages are to be sent."""
        find(old, folder)
        for vm in (old, new):
            vm.qmp('migrate-set-capabilities', capabilities=[
                {'capability': name, 'state': True}
                for name in ('return-path', 'pause-before-switchover')])
        new.qmp('migrate-incoming', uri=f'unix:{folder}/socket')
        old.qmp('migrate', uri=f'unix:{folder}/socket')
        migration.wait_status(old, 'pre-switchover')  # type: ignore

    @staticmethod
    def finish(old: Vm) -> None:
        """Move on."""
        old.qmp('migrate-continue', state='pre-switchover')
        migration.wait_status(old, 'completed')  # type: ignore

    def test_healed(self, old: Vm, tmp_path: Path) -> None:
        """A reset puts good memory there; its content moves."""
        start, _ = HOLES[0]
        old.memory.fail(*HOLES[0])
        # No more than is noted at once: a reset replaces what is known.
        old.memory.fail(HOLES[1][0], 16 * PAGE)
        with successor(old, tmp_path) as new:
            self.begin(old, new, tmp_path)
            old.qmp('system_reset')
            assert old.failed() == []
            old.write(start, content(start))
            self.finish(old)
            migration.wait_arrived(new)  # type: ignore
            assert new.failed() == []
            assert new.read(start) == content(start)
            # Nobody has written to this one.
            assert new.read(HOLES[1][0]) == bytes(PAGE)

    def test_healed_before_postcopy(self, old: Vm, tmp_path: Path) -> None:
        """The page was a hole, and is sent again: its last content counts."""
        start, length = HOLES[0]
        old.memory.fail(start, length)
        find(old, tmp_path)
        with successor(old, tmp_path, way=migration.postcopy) as new:
            begin_slowly(old, new, tmp_path, 256 << 10, 'postcopy-ram')
            migration.wait_until(lambda: sent(old) > 2 * start, 'the hole')
            old.qmp('system_reset')
            assert old.failed() == []
            old.write(start, content(start))
            old.qmp('migrate-start-postcopy')
            migration.wait_status(old, 'completed')  # type: ignore
            migration.wait_arrived(new)  # type: ignore
            assert new.failed() == []
            assert new.read(start) == content(start)
            assert new.device_reads(start)

    def test_known_before_postcopy(self, old: Vm, tmp_path: Path) -> None:
        """Nothing of it is sent again, and the destination can have it."""
        with successor(old, tmp_path, way=migration.postcopy) as new:
            fail_when_sent(old, new, tmp_path)
            old.qmp('migrate-start-postcopy')
            new.signal(signal.SIGCONT)
            migration.wait_status(old, 'completed')  # type: ignore
            migration.wait_arrived(new)  # type: ignore
            assert old.qmp('query-migrate')['ram']['postcopy-bytes'] > 0
            check_lost(new, HOLES[0])

    def test_fails_once_in_postcopy(self, old: Vm, tmp_path: Path) -> None:
        """What could not be read is lost, also if it could be read later."""
        old.memory.fail_once(*HOLES[2])
        with successor(old, tmp_path, way=migration.postcopy) as new:
            begin_slowly(old, new, tmp_path, 256 << 10, 'postcopy-ram')
            old.qmp('migrate-start-postcopy')
            migration.wait_status(old, 'completed')  # type: ignore
            migration.wait_arrived(new)  # type: ignore
            assert old.read(HOLES[2][0]) == bytes(PAGE)
            migration.wait_until(new.failed, 'the destination knows')
            check_lost(new, HOLES[2])

    def test_cancelled(self, old: Vm, tmp_path: Path) -> None:
        """The VM goes on, and moves later."""
        for hole in HOLES:
            old.memory.fail(*hole)
        with successor(old, tmp_path, 'first') as new:
            self.begin(old, new, tmp_path)
            old.qmp('migrate_cancel')
            migration.wait_status(old, 'cancelled')  # type: ignore
        with successor(old, tmp_path, 'second') as new:
            self.begin(old, new, tmp_path)
            self.finish(old)
            migration.wait_arrived(new)  # type: ignore
            check(new)

    @pytest.mark.parametrize('way', [migration.precopy, mapped_ram],
                             ids=['precopy', 'mapped_ram'])
    def test_shared(self, way: Any, old: Vm, tmp_path: Path) -> None:
        """Others who map the memory find zeroes, whatever was there."""
        holes = [HOLES[0], (FIRST + 4 * PAGE, PAGE), HOLES[1], HOLES[2]]
        for hole in holes:
            old.memory.fail(*hole)
        with tempfile.NamedTemporaryFile(prefix='ras-',
                                         dir='/dev/shm') as file:
            file.truncate(RAM)
            for start, _ in holes:
                file.seek(start)
                file.write(content(start))
            file.flush()
            with successor(old, tmp_path, way=way, options=[
                    '-machine', f'memory-backend={BLOCKS[old.target.name]}',
                    '-object', f'memory-backend-file,share=on,size={RAM},'
                    f'id={BLOCKS[old.target.name]},mem-path={file.name},'
                    'x-use-canonical-path-for-ramblock-id=off']) as new:
                new.find_memory()
                carry(way, old, new, tmp_path, 'first')
                check(new, holes)
                for start, _ in holes:
                    assert os.pread(file.fileno(), PAGE, start) == bytes(PAGE)

    def test_locked(self, old: Vm, tmp_path: Path) -> None:
        """Memory that may not be swapped is marked as well."""
        old.memory.fail(*HOLES[1])
        with successor(old, tmp_path,
                       options=['-overcommit', 'mem-lock=on']) as new:
            new.find_memory()
            carry(migration.precopy, old, new, tmp_path, 'first')
            check(new, HOLES[1:2])


# Pages of the host that are larger than those of the stream
LARGE = 64 << 10
LARGE_PAGES = ['-object', f'memory-backend-memfd,id=large,size={RAM}',
               '-machine', 'memory-backend=large']


def write_all(vm: Vm) -> None:
    """No two pages have the same content."""
    for start in range(0, RAM, 1 << 20):
        vm.put(start, b''.join(content(at) for at in range(
            start, start + (1 << 20), PAGE)))


def check_all(vm: Vm, holes: Any) -> None:
    """All pages arrived but these, each of which was a large one."""
    migration.wait_until(lambda: len(vm.failed()) == len(holes),
                         'the destination knows')
    assert vm.failed() == [(start, LARGE, True) for start in holes]
    for at in range(0, RAM, LARGE):
        if at in holes:
            for page in range(at, at + LARGE, PAGE):
                assert vm.read(page) is None, hex(page)
        else:
            assert vm.read(at, LARGE) == b''.join(
                content(page) for page in range(at, at + LARGE, PAGE)), hex(at)


class TestLargePages:
    """In postcopy, such a page comes as a whole; fake/fail.c has them."""

    @pytest.fixture(name='large')
    def _large(self, target: Target, library: Path, tmp_path: Path,
               monkeypatch: Any) -> Iterator[Vm]:
        monkeypatch.setenv('FAIL_PAGE', str(LARGE))
        with Vm(target, 'old', tmp_path, LARGE_PAGES, library=library) as vm:
            write_all(vm)
            yield vm

    @staticmethod
    def move(old: Vm, new: Vm, folder: Path) -> None:
        """Nearly all of it in postcopy."""
        migration.prepare([old, new], 'postcopy-ram')  # type: ignore
        old.qmp('migrate-set-parameters', max_bandwidth=256 << 10)
        migration.connect(old, new, folder)  # type: ignore
        old.qmp('migrate-start-postcopy')
        migration.wait_status(old, 'completed')  # type: ignore
        migration.wait_arrived(new)  # type: ignore
        assert old.qmp('query-migrate')['ram']['postcopy-bytes'] > 0

    def test_known(self, large: Vm, library: Path, tmp_path: Path) -> None:
        """Before it begins."""
        large.memory.fail((200 << 20) + 5 * PAGE)
        find(large, tmp_path)
        with successor(large, tmp_path, way=migration.postcopy,
                       library=library, options=LARGE_PAGES) as new:
            self.move(large, new, tmp_path)
            check_all(new, [200 << 20])

    def test_found(self, large: Vm, library: Path, tmp_path: Path) -> None:
        """When a part of the page has been sent; in the last page, too."""
        large.memory.fail((200 << 20) + 5 * PAGE, 2 * PAGE)
        large.memory.fail_once(RAM - PAGE)
        with successor(large, tmp_path, way=migration.postcopy,
                       library=library, options=LARGE_PAGES) as new:
            self.move(large, new, tmp_path)
            check_all(new, [200 << 20, RAM - LARGE])

    def test_precopy(self, large: Vm, library: Path, tmp_path: Path) -> None:
        """All before the VM runs there."""
        large.memory.fail((200 << 20) + 5 * PAGE)
        with successor(large, tmp_path, way=migration.precopy,
                       library=library, options=LARGE_PAGES) as new:
            new.find_memory()
            carry(migration.precopy, large, new, tmp_path, 'first')
            check_all(new, [200 << 20])


class Wire:
    """A connection that breaks before the source has said @last."""

    def __init__(self, folder: Path, last: bytes = b'') -> None:
        self.uri = f'unix:{folder}/wire'
        self._folder = folder
        self._last = last
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f'{folder}/wire')
        self._listener.listen()
        self._ends: List[socket.socket] = []
        threading.Thread(target=self._connect, daemon=True).start()

    def _connect(self) -> None:
        old, _ = self._listener.accept()
        new = socket.socket(socket.AF_UNIX)
        new.connect(f'{self._folder}/migration')
        self._ends = [old, new]
        threading.Thread(target=self._carry, args=[new, old, b''],
                         daemon=True).start()
        self._carry(old, new, self._last)
        self.cut()

    @staticmethod
    def _carry(source: socket.socket, to: socket.socket, last: bytes) -> None:
        kept = b''
        try:
            while data := source.recv(1 << 16):
                data = kept + data
                if last and last in data:
                    break
                # It may be in two pieces.
                kept = data[len(data) - len(last) + 1:] if last else b''
                to.sendall(data[:len(data) - len(kept)])
        except OSError:
            pass

    def cut(self) -> None:
        """Now."""
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class TestPostcopy:
    """Memory of the source that fails when the VM is elsewhere."""

    @staticmethod
    def begin(old: Vm, new: Vm, folder: Path, last: bytes = b'') -> Wire:
        """Slowly, but for what the destination asks for."""
        wire = Wire(folder, last)
        old.fill(64 << 20, RAM - PAGE)
        migration.prepare([old, new], 'postcopy-ram',  # type: ignore
                          'return-path')
        old.qmp('migrate-set-parameters', max_bandwidth=256 << 10,
                max_postcopy_bandwidth=256 << 10)
        new.qmp('migrate-incoming', uri=f'unix:{folder}/migration')
        old.qmp('migrate', uri=wire.uri)
        old.qmp('migrate-start-postcopy')
        migration.wait_status(old, 'postcopy-active')  # type: ignore
        migration.wait_arrived(new)  # type: ignore
        return wire

    @staticmethod
    def recover(old: Vm, new: Vm, wire: Wire, folder: Path) -> None:
        """On another connection, and to the end."""
        wire.cut()
        for vm in (old, new):
            migration.wait_status(vm, 'postcopy-paused')  # type: ignore
        new.qmp('migrate-recover', uri=f'unix:{folder}/again')
        old.qmp('migrate', uri=f'unix:{folder}/again', resume=True)
        migration.wait_status(  # type: ignore
            old, 'postcopy-active', 'completed')
        old.qmp('migrate-set-parameters', max_postcopy_bandwidth=0)
        migration.wait_status(old, 'completed')  # type: ignore
        migration.wait_status(new, 'completed')  # type: ignore

    def test_reset_recovered(self, old: Vm, tmp_path: Path) -> None:
        """What a reset has made good stays good when the move goes on."""
        start = 200 << 20
        with successor(old, tmp_path, way=migration.postcopy) as new:
            wire = self.begin(old, new, tmp_path)
            old.memory.fail(start)
            # It waits for the page.
            new.device_reads(start)
            migration.wait_until(new.failed, 'the destination knows')
            assert new.failed() == [(start, PAGE, True)]
            new.qmp('system_reset')
            assert new.failed() == []
            self.recover(old, new, wire, tmp_path)
            assert new.failed() == []
            assert new.read(start) == bytes(PAGE)
            assert new.device_reads(start)

    def test_lost_on_the_way(self, old: Vm, tmp_path: Path) -> None:
        """What the destination has not heard of fails there in the end."""
        start = 100 << 20
        with successor(old, tmp_path, way=migration.postcopy) as new:
            wire = self.begin(old, new, tmp_path, b'ras/holes')
            old.memory.fail(start)
            # So slow that much is still to be sent when the page has been.
            old.qmp('migrate-set-parameters', max_postcopy_bandwidth=8 << 20)
            migration.wait_status(old, 'postcopy-paused')  # type: ignore
            assert old.failed() == [(start, PAGE, False)]
            assert new.failed() == []
            self.recover(old, new, wire, tmp_path)
            migration.wait_until(new.failed, 'the destination knows')
            assert new.failed() == [(start, PAGE, True)]
            assert new.read(start) is None
            assert new.read(RAM - 2 * PAGE) == old.read(RAM - 2 * PAGE)

    def test_two_channels(self, target: Target, tmp_path: Path) -> None:
        """With postcopy-preempt, two threads read memory at a time."""
        with Vm(target, 'old', tmp_path) as old, \
                successor(old, tmp_path, way=migration.postcopy) as new:
            write_all(old)
            migration.prepare([old, new], 'postcopy-ram')  # type: ignore
            for vm in (old, new):
                vm.qmp('migrate-set-capabilities', capabilities=[
                    {'capability': 'postcopy-preempt', 'state': True}])
            old.qmp('migrate-set-parameters', max_bandwidth=256 << 10)
            migration.connect(old, new, tmp_path)  # type: ignore
            old.qmp('migrate-start-postcopy')
            migration.wait_arrived(new)  # type: ignore
            for at in range(RAM - PAGE, 0, -61 * PAGE):
                new.device_reads(at)
            migration.wait_status(old, 'completed')  # type: ignore
            for at in range(0, RAM, LARGE):
                assert new.read(at, LARGE) == b''.join(
                    content(page) for page in range(at, at + LARGE, PAGE)), \
                    hex(at)

    def test_just_before(self, old: Vm, tmp_path: Path) -> None:
        """Or when it is about to be: the destination cannot be asked."""
        with successor(old, tmp_path, way=migration.postcopy) as new:
            old.memory.fail_told('postcopy', *HOLES[0])
            begin_slowly(old, new, tmp_path, 256 << 10, 'postcopy-ram')
            old.qmp('migrate-start-postcopy')
            migration.wait_until(
                lambda: 'just before the switchover' in str(
                    old.qmp('query-migrate').get('error-desc')),
                'a migration that fails')
            migration.wait_failed(old)  # type: ignore
            assert not old.memory.armed()
            assert old.alive()
            assert old.failed() == [(*HOLES[0], False)]
            assert old.read(FULL[0]) == content(FULL[0])
            assert old.qmp('query-status')['status'] != 'finish-migrate'


class TestReset:
    """It replaces what has failed."""

    def test_found_meanwhile(self, old: Vm, tmp_path: Path) -> None:
        """Also a neighbour of what it has replaced already."""
        start, _ = HOLES[0]
        old.memory.fail(start)
        find(old, tmp_path)
        old.memory.fail_told('discard', start + PAGE)
        old.qmp('system_reset')
        assert not old.memory.armed()
        assert old.failed() == []
        assert old.read(start, 2 * PAGE) == bytes(2 * PAGE)
        assert old.device_reads(start + PAGE)


class TestRefused:
    """Moves that cannot be."""

    def test_not_wanted(self, target: Target, library: Path,
                        tmp_path: Path) -> None:
        """Switched off: the move fails, and the VM lives."""
        with Vm(target, 'old', tmp_path, STAYS, library=library) as old, \
                successor(old, tmp_path) as new:
            fill(old)
            old.memory.fail(*HOLES[0])
            find(old, tmp_path)
            with pytest.raises(QemuError, match='cannot be read; a reset'):
                carry(migration.precopy, old, new, tmp_path, 'first')
            assert old.alive()
            assert old.read(FULL[0]) == content(FULL[0])

    @pytest.mark.parametrize('way', [way for way in WAYS.values()
                                     if way is not migration.postcopy])
    @pytest.mark.parametrize('hole', [HOLES[0], HOLES[2]],
                             ids=['early', 'last'])
    def test_not_wanted_unknown(self, target: Target, library: Path,
                                tmp_path: Path, way: Any, hole: Any) -> None:
        """The same if it is the move that finds out."""
        with Vm(target, 'old', tmp_path, STAYS, library=library) as old, \
                successor(old, tmp_path, way=way) as new:
            fill(old)
            old.memory.fail(*hole)
            with pytest.raises(AssertionError):
                carry(way, old, new, tmp_path, 'first')
            assert old.alive()
            if way is not migration.snapshot:
                migration.wait_until(
                    lambda: REFUSED in str(
                        old.qmp('query-migrate').get('error-desc')), 'why')
            assert old.failed() == [(*hole, False)]
            assert old.read(FULL[0]) == content(FULL[0])
            assert old.device_reads(FULL[0])

    def test_not_wanted_in_postcopy(self, target: Target, library: Path,
                                    tmp_path: Path) -> None:
        """Then it is too late: the VM would be lost without the other pages."""
        with Vm(target, 'old', tmp_path, STAYS, library=library) as old, \
                successor(old, tmp_path, way=migration.postcopy) as new:
            fill(old)
            old.memory.fail(*HOLES[2])
            begin_slowly(old, new, tmp_path, 256 << 10, 'postcopy-ram')
            old.qmp('migrate-start-postcopy')
            migration.wait_status(old, 'completed')  # type: ignore
            migration.wait_arrived(new)  # type: ignore
            migration.wait_until(new.failed, 'the destination knows')
            check_lost(new, HOLES[2])

    def test_not_wanted_meanwhile(self, target: Target, library: Path,
                                  tmp_path: Path) -> None:
        """The same if memory fails when the move has begun."""
        with Vm(target, 'old', tmp_path, STAYS, library=library) as old, \
                successor(old, tmp_path) as new:
            fill(old)
            begin_slowly(old, new, tmp_path, 1 << 20, 'return-path')
            migration.wait_until(lambda: sent(old) > FIRST, 'memory is sent')
            old.memory.fail(*HOLES[2])
            old.device_reads(HOLES[2][0])
            migration.wait_until(old.failed, 'it is known')
            assert REFUSED in migration.wait_failed(old)  # type: ignore
            assert old.alive()
            assert old.read(FULL[0]) == content(FULL[0])

    def test_cannot_move(self, old: Vm, tmp_path: Path) -> None:
        """Nor where both have the same memory."""
        old.memory.fail(*HOLES[0])
        find(old, tmp_path)
        old.qmp('migrate-set-capabilities', capabilities=[
            {'capability': 'x-ignore-shared', 'state': True}])
        old.qmp('migrate', uri=f'file:{tmp_path}/state')
        assert REFUSED in migration.wait_failed(old)  # type: ignore
        assert old.alive()

    def test_noticed_early(self, old: Vm, tmp_path: Path) -> None:
        """Not only when all of memory was sent, which takes an hour here."""
        old.memory.fail(*HOLES[0])
        with successor(old, tmp_path, stock=True) as stock:
            begin_slowly(old, stock, tmp_path, 64 << 10, 'return-path')
            migration.wait_failed(old)  # type: ignore
            assert 'ras/holes' in stock.log()
            assert old.alive()

    def test_noticed_later(self, old: Vm, tmp_path: Path) -> None:
        """The same for what is sent, and is not looked at any more."""
        with successor(old, tmp_path, stock=True) as stock:
            fail_when_sent(old, stock, tmp_path)
            stock.signal(signal.SIGCONT)
            migration.wait_failed(old)  # type: ignore
            assert 'ras/holes' in stock.log()
            assert old.alive()

    def test_not_into_postcopy(self, old: Vm, tmp_path: Path) -> None:
        """Not before the destination has said that it can have it."""
        with successor(old, tmp_path, stock=True) as stock:
            fail_when_sent(old, stock, tmp_path)
            old.qmp('migrate-start-postcopy')
            # Time to do it; that may also be spent on a full socket.
            for _ in range(20):
                assert old.qmp('query-migrate')['status'] == 'active'
                time.sleep(0.1)
            stock.signal(signal.SIGCONT)
            migration.wait_failed(old)  # type: ignore
            assert 'ras/holes' in stock.log()
            assert old.alive()
            assert old.read(FULL[0]) == content(FULL[0])
            assert old.qmp('query-status')['status'] != 'finish-migrate'

    def test_stock_destination(self, old: Vm, tmp_path: Path) -> None:
        """It does not know the section: the VM runs on at the source."""
        old.memory.fail(*HOLES[0])
        find(old, tmp_path)
        with successor(old, tmp_path, stock=True) as stock:
            with pytest.raises(AssertionError, match='failed'):
                migration.precopy(old, stock, tmp_path)  # type: ignore
            assert old.alive()
            assert 'ras/holes' in stock.log()
        with successor(old, tmp_path, 'again') as new:
            carry(migration.precopy, old, new, tmp_path, 'second')
            check(new, HOLES[:1])

    def test_stock_source(self, target: Target, library: Path,
                          tmp_path: Path) -> None:
        """Stock QEMU dies of what has failed."""
        with Vm(target, 'old', tmp_path, library=library, stock=True) as old:
            fill(old)
            old.memory.fail(*HOLES[0])
            with pytest.raises(Exception):
                migration.prepare([old])  # type: ignore
                old.qmp('migrate', uri=f'file:{tmp_path}/state')
                migration.wait_status(old, 'completed')  # type: ignore
            old.wait_end()


class Section:
    """Section "ras/holes" of a stream, and what can be wrong with it."""

    def __init__(self, stream: bytes) -> None:
        name = b'\x09ras/holes'
        # The first one announces, and is empty; it may not be there.
        self.start = stream.rindex(name) + len(name) + 8
        self.before = stream[:self.start]
        at = self.start + 1
        blocks, = struct.unpack_from('>i', stream, at)
        at += 4
        self.blocks = [stream[at + 256 * i:at + 256 * (i + 1)]
                       for i in range(blocks)]
        at += 256 * blocks
        holes, = struct.unpack_from('>i', stream, at)
        at += 4
        self.holes = [list(struct.unpack_from('>IQQB', stream, at + 21 * i))
                      for i in range(holes)]
        self.after = stream[at + 21 * holes:]
        self.counts = (blocks, holes)

    def bytes(self) -> bytes:
        """The stream with it."""
        return b''.join([
            self.before, b'\0', struct.pack('>i', self.counts[0]),
            *self.blocks, struct.pack('>i', self.counts[1]),
            *(struct.pack('>IQQB', *hole) for hole in self.holes),
            self.after])


def bad_block(section: Section) -> None:
    """No block has this name."""
    section.blocks[0] = b'no such block'.ljust(256, b'\0')


def bad_name(section: Section) -> None:
    """It has no end."""
    section.blocks[0] = b'x' * 256


def twice(section: Section) -> None:
    """A block is there twice."""
    section.blocks.append(section.blocks[0])
    section.counts = (len(section.blocks), section.counts[1])


def bad_number(section: Section) -> None:
    """A hole of a block that is not there."""
    section.holes[0][0] = 7


def empty(section: Section) -> None:
    """Of no bytes."""
    section.holes[0][2] = 0


def not_aligned(section: Section) -> None:
    """Not of whole pages."""
    section.holes[0][1] += 512


def past_the_end(section: Section) -> None:
    """Larger than the block."""
    section.holes[-1][2] += PAGE


def huge(section: Section) -> None:
    """Larger than anything."""
    section.holes[-1][1:3] = [PAGE, 2**64 - PAGE]


def far_away(section: Section) -> None:
    """Behind everything."""
    section.holes[-1][1:3] = [2**64 - PAGE, PAGE]


def overlapping(section: Section) -> None:
    """Two of the same page."""
    section.holes[1][1] = section.holes[0][1]


def no_order(section: Section) -> None:
    """From the end to the beginning."""
    section.holes.reverse()


def many_blocks(section: Section) -> None:
    """More than there can be."""
    section.counts = (1025, section.counts[1])


def negative(section: Section) -> None:
    """Fewer than none."""
    section.counts = (section.counts[0], -1)


def many_holes(section: Section) -> None:
    """One more than there can be."""
    section.holes = [[0, 2 * PAGE * i, PAGE, 1] for i in range(1025)]
    section.counts = (section.counts[0], 1025)


HOSTILE = {
    bad_block: "unknown RAM block 'no such block'",
    bad_name: 'a RAM block has no name',
    twice: 'is there twice',
    bad_number: 'is in block 7 of 1',
    empty: 'is not of whole pages',
    not_aligned: 'is not of whole pages',
    past_the_end: 'is not in RAM block',
    huge: 'is not in RAM block',
    far_away: 'is not in RAM block',
    overlapping: 'overlaps the one before, or is not in order',
    no_order: 'overlaps the one before, or is not in order',
    many_blocks: 'number of RAM blocks',
    negative: 'number of holes',
    many_holes: 'number of holes',
}


# A memory module, and where its guest ejects it: the one of slot 0
MODULE = 128 << 20
MODULES = ['-m', f'{RAM >> 20},slots=1,maxmem=1G',
           '-object', f'memory-backend-ram,id=module,size={MODULE}',
           '-device', 'pc-dimm,id=dimm,memdev=module']
EJECT = [('writel', 0x9070000, 0), ('writeb', 0x9070014, 8)]


class TestUnplug:
    """Memory that the guest gives up while it moves: it was asked before."""

    @pytest.mark.parametrize('backend', ['stays', 'goes'])
    def test_module(self, backend: str, library: Path,
                    tmp_path: Path) -> None:
        """What had failed in it is of no concern to the destination."""
        with Vm(ARM64, 'old', tmp_path, MODULES, library=library) as old, \
                successor(old, tmp_path, options=MODULES) as new:
            fill(old)
            old.memory.fail(*HOLES[0])
            old.memory.fail(16 * PAGE, ram=MODULE)
            TestOnTheWay.begin(old, new, tmp_path)
            assert len(old.failed()) == 2
            for words in EJECT:
                old.command(*words)
            assert old.qmp('query-memory-devices') == []
            if backend == 'goes':
                old.qmp('object-del', id='module')
            TestOnTheWay.finish(old)
            migration.wait_arrived(new)  # type: ignore
            check(new, HOLES[:1])


class TestToldLater:
    """What the guest did not know when it moved."""

    def test_second_move(self, library: Path, tmp_path: Path,
                         monkeypatch: Any) -> None:
        """It is told where it runs next, of no more than that."""
        start, _ = HOLES[0]
        with Vm(ARM64, 'old', tmp_path, LARGE_PAGES, library=library) as old:
            # Two in the same large page.
            for page in (0, 3):
                old.memory.fail(start + page * PAGE)
            find(old, tmp_path)
            monkeypatch.setenv('FAIL_PAGE', str(LARGE))
            with successor(old, tmp_path, library=library,
                           options=LARGE_PAGES) as new:
                new.find_memory()
                carry(migration.precopy, old, new, tmp_path, 'first')
                assert self.covered(new) == set(range(LARGE // PAGE))
                assert f'ras: {(LARGE - 2 * PAGE) >> 10} KiB more' in new.log()
                with successor(new, tmp_path, 'third', library=library,
                               options=LARGE_PAGES) as third:
                    third.find_memory()
                    carry(migration.precopy, new, third, tmp_path, 'second')
                    third.qmp('cont')
                    assert re.findall(r'(\d+) KiB of the guest.s memory at '
                                      r'guest physical address (0x[0-9a-f]+) '
                                      'have failed', third.log()) == [
                        (str(length * PAGE >> 10),
                         hex(third.address() + start + page * PAGE))
                        for page, length in ((1, 2), (4, LARGE // PAGE - 4))]
                    assert 'more of the guest' not in third.log()
                    assert self.covered(third) == set(range(LARGE // PAGE))

    @staticmethod
    def covered(vm: Vm) -> Set[int]:
        """Pages of the first large page with holes that have moved."""
        return {(each + offset - HOLES[0][0]) // PAGE
                for each, length, moved in vm.failed() if moved
                for offset in range(0, length, PAGE)}


class TestBitmaps:
    """Postcopy of dirty bitmaps only; memory has come before."""

    def test_no_memory(self, old: Vm, tmp_path: Path) -> None:
        """Nobody waits for pages, and they are marked as in a precopy."""
        for start, length in HOLES:
            old.memory.fail(start, length)
        find(old, tmp_path)
        with successor(old, tmp_path) as new:
            migration.prepare([old, new], 'return-path')  # type: ignore
            for vm in (old, new):
                vm.qmp('migrate-set-capabilities', capabilities=[
                    {'capability': 'dirty-bitmaps', 'state': True}])
                vm.qmp('blockdev-add', driver='null-co', node_name='disk',
                       size=1 << 36)
            # So large that it is still to be sent when memory has been.
            old.qmp('block-dirty-bitmap-add', node='disk', name='bitmap',
                    granularity=512)
            # And so slow then that this is seen.
            old.qmp('migrate-set-parameters', max_bandwidth=1 << 20,
                    max_postcopy_bandwidth=64 << 10, downtime_limit=1)
            new.find_memory()
            migration.connect(old, new, tmp_path)  # type: ignore
            old.qmp('migrate-start-postcopy')
            migration.wait_status(  # type: ignore
                old, 'postcopy-active', 'postcopy-paused')
            old.qmp('migrate-set-parameters', max_postcopy_bandwidth=0)
            migration.wait_status(  # type: ignore
                old, 'completed', 'postcopy-paused')
            assert old.qmp('query-migrate')['status'] == 'completed'
            migration.wait_arrived(new)  # type: ignore
            check(new)


class TestHostile:
    """Lists of holes from who knows where."""

    def test_refused(self, old: Vm, tmp_path: Path) -> None:
        """Each is refused, by a QEMU that says why, and marks nothing."""
        for start, length in HOLES:
            old.memory.fail(start, length)
        stream = tmp_path / 'stream'
        migration.prepare([old])  # type: ignore
        old.qmp('migrate', uri=f'file:{stream}')
        migration.wait_status(old, 'completed')  # type: ignore
        good = stream.read_bytes()
        assert Section(good).bytes() == good
        for harm, message in HOSTILE.items():
            section = Section(good)
            harm(section)
            stream.write_bytes(section.bytes())
            with successor(old, tmp_path, harm.__name__) as new:
                try:
                    new.qmp('migrate-incoming', uri=f'file:{stream}')
                    migration.wait_status(new, 'completed')  # type: ignore
                except Exception:  # pylint: disable=broad-except
                    pass
                new.wait_end()
                assert message in new.log(), harm.__name__
        many = Section(good)
        many.holes = [[0, FIRST + 2 * PAGE * i, PAGE, 1] for i in range(1024)]
        many.counts = (1, 1024)
        stream.write_bytes(many.bytes())
        with successor(old, tmp_path, 'many') as new:
            new.qmp('migrate-incoming', uri=f'file:{stream}')
            migration.wait_status(new, 'completed')  # type: ignore
            assert [start for start, _, _ in new.failed()] == [
                FIRST + 2 * PAGE * i for i in range(1024)]
            assert new.read(FIRST + 2046 * PAGE) is None
            assert new.read(FIRST + 2045 * PAGE) is not None


@pytest.mark.parametrize('way, function', [
    (migration.precopy, 'sendmsg'), (migration.multifd, 'sendmsg'),
    (migration.file, 'writev')], ids=['precopy', 'multifd', 'file'])
class TestLate:
    """Memory that fails when it has been looked at, and is being written."""

    def test_becomes_hole(self, way: Any, function: str, old: Vm,
                          tmp_path: Path) -> None:
        """The move goes on."""
        start, length = HOLES[0]
        old.memory.fail_at(function, start, length)
        with successor(old, tmp_path, way=way) as new:
            carry(way, old, new, tmp_path, 'first')
            assert not old.memory.armed()
            check(new, HOLES[:1])


class TestDumps:
    """What is to look at, and not to run."""

    def test_zeroes(self, old: Vm, tmp_path: Path) -> None:
        """In the place of what has failed; and QEMU says so."""
        old.memory.fail(*HOLES[0])
        for name, options in (('elf', {}),
                              ('zlib', {'format': 'kdump-zlib'})):
            old.qmp('dump-guest-memory', paging=False,
                    protocol=f'file:{tmp_path}/{name}', **options)
            assert f'dump-guest-memory: zeroes are in the place of {PAGE} ' \
                'bytes' in old.log()
        assert content(FULL[0]) + bytes(PAGE) + content(FULL[1]) in \
            (tmp_path / 'elf').read_bytes()
        old.qmp('pmemsave', val=old.address() + FULL[0], size=3 * PAGE,
                filename=str(tmp_path / 'pmem'))
        assert (tmp_path / 'pmem').read_bytes() == \
            content(FULL[0]) + bytes(PAGE) + content(FULL[1])
        assert old.alive()


def on_file(target: Target, path: Path) -> Sequence[str]:
    """Memory of a VM is that of a file, which others do not see changed."""
    name = BLOCK[target.name]
    return ['-object', f'memory-backend-file,id={name},size={RAM},'
            f'mem-path={path},share=off',
            '-machine', f'memory-backend={name}']


BALLOON = ['-global', 'virtio-mmio.force-legacy=false',
           '-device', 'virtio-balloon-device']
# Transports of the machine "virt", and what a driver writes to one: the queue
# that inflates has a descriptor of one page number.
TRANSPORTS, TRANSPORT_SIZE, BALLOON_ID = 0xa000000, 0x200, 5


def inflate(vm: Vm, offset: int) -> None:
    """Its driver gives a page back."""
    ring = vm.address() + (8 << 20)
    at = [TRANSPORTS + i * TRANSPORT_SIZE for i in range(32)]
    transport, = [base for base in at
                  if vm.ask('readl', base + 8) == BALLOON_ID]
    for place, data in (
            (0x3000, struct.pack('<I', (vm.address() + offset) // PAGE)),
            (0, struct.pack('<QIHH', ring + 0x3000, 4, 0, 0)),
            (0x1000, struct.pack('<HHH', 0, 1, 0))):
        vm.command('write', ring + place, len(data), f'0x{data.hex()}')
    for register, value in (
            (0x70, 3), (0x24, 1), (0x20, 1), (0x70, 11), (0x30, 0), (0x38, 8),
            (0x80, ring), (0x84, 0), (0x90, ring + 0x1000), (0x94, 0),
            (0xa0, ring + 0x2000), (0xa4, 0), (0x44, 1), (0x70, 15),
            (0x50, 0)):
        vm.command('writel', transport + register, value)
    migration.wait_until(lambda: vm.ask('readw', ring + 0x2002) == 1,
                         'it is in the balloon')


class TestUnmapped:
    """The destination's kernel cannot mark memory as failed."""

    @pytest.fixture(name='old_kernel', scope='session')
    def _old_kernel(self, tmp_path_factory: Any) -> Path:
        path: Path = tmp_path_factory.mktemp('old-kernel') / 'old-kernel.so'
        failing.build(path, failing.OLD_KERNEL)
        return path

    @staticmethod
    def unmapped(vm: Vm) -> int:
        """How much of its memory is not there, in mappings."""
        return vm.maps().count('/memfd:ras-failed')

    @pytest.mark.parametrize('way', [migration.precopy, migration.file,
                                     mapped_ram, migration.multifd],
                             ids=['precopy', 'file', 'mapped-ram', 'multifd'])
    def test_moves(self, way: Any, old: Vm, old_kernel: Path,
                   tmp_path: Path) -> None:
        """It fails there, moves on, and is good after a reset."""
        for start, length in HOLES:
            old.memory.fail(start, length)
        with successor(old, tmp_path, way=way, library=old_kernel) as new:
            new.find_memory()
            carry(way, old, new, tmp_path, 'first')
            check(new)
            assert self.unmapped(new) == len(HOLES)
            with successor(new, tmp_path, 'third', way=way) as third:
                carry(way, new, third, tmp_path, 'second')
                check(third)
                assert self.unmapped(third) == 0
            new.qmp('system_reset')
            assert new.failed() == []
            assert self.unmapped(new) == 0
            for start, length in HOLES:
                assert new.read(start, length) == bytes(length)
                new.write(start, content(start))
                assert new.read(start) == content(start)
            for offset in FULL:
                assert new.read(offset) == content(offset)

    def test_file_of_a_disk(self, old: Vm, tmp_path: Path) -> None:
        """No kernel can mark that; its content is there after a reset."""
        start, length = HOLES[0]
        old.memory.fail(start, length)
        path = tmp_path / 'memory'
        with successor(old, tmp_path, options=on_file(old.target, path)) as new:
            new.find_memory()
            carry(migration.precopy, old, new, tmp_path, 'first')
            check(new, HOLES[:1])
            assert self.unmapped(new) == 1
            new.qmp('system_reset')
            assert self.unmapped(new) == 0
            new.write(start, content(start))
            assert new.read(start) == content(start)

    def test_given_back(self, library: Path, old_kernel: Path,
                        tmp_path: Path) -> None:
        """Then it is there again, empty; its neighbour is not."""
        start, length = HOLES[1]
        with Vm(ARM64, 'old', tmp_path, BALLOON, library=library) as old, \
                successor(old, tmp_path, library=old_kernel,
                          options=BALLOON) as new:
            fill(old)
            old.memory.fail(start, length)
            new.find_memory()
            carry(migration.precopy, old, new, tmp_path, 'first')
            check(new, HOLES[1:2])
            inflate(new, start + PAGE)
            check(new, [(start, PAGE), (start + 2 * PAGE, length - 2 * PAGE)])
            assert new.read(start + PAGE) == bytes(PAGE)
            new.write(start + PAGE, content(start))
            assert new.read(start + PAGE) == content(start)

    def test_not_in_postcopy(self, old: Vm, old_kernel: Path,
                             tmp_path: Path) -> None:
        """Pages may be waited for; it is refused before that begins."""
        old.memory.fail(*HOLES[0])
        find(old, tmp_path)
        with successor(old, tmp_path, way=migration.postcopy,
                       library=old_kernel) as new:
            migration.prepare([old, new],  # type: ignore
                              'postcopy-ram', 'return-path')
            migration.connect(old, new, tmp_path)  # type: ignore
            migration.wait_failed(old)  # type: ignore
            migration.wait_until(lambda: "move without 'postcopy-ram'"
                                 in new.log(), 'the reason')
        check(old, HOLES[:1], moved=False)
