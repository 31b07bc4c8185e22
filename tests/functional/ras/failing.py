# SPDX-License-Identifier: GPL-2.0-or-later
"""VMs whose memory fails, without a host that fails: functional/fake/fail.c.

They execute nothing (-accel qtest).  What their memory contains, and whether
the host lets anybody read it, is found out through /proc.
"""

import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Iterable, List, Optional, Sequence

import pytest

from . import environment
from .qemu import QemuError
from .targets import Target

SOURCE = Path(__file__).resolve().parent.parent / 'fake' / 'fail.c'
# Of a kernel without UFFDIO_POISON.
OLD_KERNEL = SOURCE.parents[2] / 'kvm' / 'host' / 'old-kernel.c'
PAGE = 4096
# pseries has memory in units of this size.
RAM = 256 << 20
# Without what only TCG has.
CPUS = {'arm64': 'max', 'ppc64': 'power9'}


def build(library: Path, source: Path = SOURCE) -> None:
    """Compile and link one of them."""
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-Wall', '-Werror',
                    '-shared', '-fPIC', '-pthread', '-o', str(library),
                    str(source), '-ldl'],
                   check=True, timeout=60 * environment.time_factor())


class Failing:
    """Memory of a process that the library was loaded into.

    @ram: bytes; the size of the mapping that is meant
    """

    def __init__(self, path: Path, ram: int) -> None:
        self._ram = ram
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60 * environment.time_factor())
        self._socket.connect(str(path))

    def _command(self, text: str) -> str:
        self._socket.sendall(text.encode() + b'\n')
        return self._socket.recv(256).decode().strip()

    def _fail(self, text: str) -> None:
        answer = self._command(text)
        if answer == 'no UFFDIO_POISON':
            pytest.skip('needs UFFDIO_POISON (Linux 6.6) and userfaultfd')
        assert answer == 'ok', answer

    def fail(self, offset: int, length: int = PAGE,
             ram: Optional[int] = None) -> None:
        """Memory fails now; in another mapping, which has @ram bytes."""
        self._fail(f'fail {ram or self._ram} {offset} {length}')

    def fail_once(self, offset: int, length: int = PAGE) -> None:
        """The first access fails; then it is zero."""
        self._fail(f'once {self._ram} {offset} {length}')

    def fail_at(self, function: str, offset: int, length: int = PAGE) -> None:
        """It fails when it is about to be written, by this function."""
        self._fail(f'after {function} {self._ram} {offset} {length}')

    def fail_told(self, when: str, offset: int, length: int = PAGE) -> None:
        """It fails at that moment (fake/fail.c), and QEMU is told of it."""
        self._fail(f'told {when} {self._ram} {offset} {length}')

    def armed(self) -> bool:
        """Is that still to come?"""
        return self._command('armed') == 'yes'


class Vm:
    """A VM with RAM bytes of memory, of which some may fail.

    @library: if there is one, memory fails when it is told to.
    """

    def __init__(self, target: Target, name: str, folder: Path,
                 options: Sequence[str] = (), *,
                 library: Optional[Path] = None, stock: bool = False) -> None:
        environment.use_qemu_python()
        from qemu.machine import QEMUQtestMachine  # pylint: disable=C0415

        self.target = target
        self._folder = folder / name
        self._folder.mkdir()
        self._failing: Optional[Failing] = None
        self._base = 0
        preload = ['env', f'LD_PRELOAD={library}',
                   f'FAIL_SOCKET={self._folder}/fail'] if library else []
        self._vm = QEMUQtestMachine(
            str(environment.path(target.stock_variable if stock
                                 else target.qemu_variable)),
            name='qemu', base_temp_dir=str(self._folder),
            qmp_timer=60 * environment.time_factor(),
            wrapper=['setpriv', '--pdeathsig', 'KILL', '--', *preload],
            args=[*(word for word in target.machine_args()
                    if word not in ('-nodefaults', '-cpu',
                                    'max,pauth-impdef=on', 'power9')),
                  '-cpu', CPUS[target.name], '-m', f'{RAM >> 20}',
                  '-L', str(environment.path('RAS_FIRMWARE')),
                  '-nodefaults', '-display', 'none', '-S', *options])
        # Where it would be removed, what it has said cannot be looked at.
        self._vm._log_dir = str(self._folder)

    def __enter__(self) -> 'Vm':
        self._vm.launch()
        return self

    def __exit__(self, *_: object) -> None:
        self._vm.kill()

    def qmp(self, command: str, **arguments: Any) -> Any:
        """As Qemu.qmp()."""
        answer = self._vm.qmp(command, {
            key.replace('_', '-'): value for key, value in arguments.items()})
        if 'error' in answer:
            raise QemuError(answer['error']['desc'])
        return answer['return']

    def signal(self, number: int) -> None:
        """Send the process this one."""
        os.kill(self._vm.get_pid(), number)

    def alive(self) -> bool:
        """Does the process still exist?"""
        return self._vm.is_running()

    def wait_end(self) -> None:
        """Wait until the process has ended by itself."""
        end = time.monotonic() + 60 * environment.time_factor()
        while self.alive():
            assert time.monotonic() < end, 'it runs on'
            time.sleep(0.02)

    def log(self) -> str:
        """What it has said."""
        return ''.join(
            path.read_text(encoding='utf-8', errors='replace')
            for path in self._folder.glob('**/*.log')) + \
            (self._vm.get_log() or '')

    # Memory.  Offsets into it, bytes.

    @property
    def memory(self) -> Failing:
        """What makes it fail."""
        if not self._failing:
            self._failing = Failing(self._folder / 'fail', RAM)
        return self._failing

    def find_memory(self) -> int:
        """Host address of its beginning; now, before it is in pieces."""
        if self._base:
            return self._base
        for line in self.maps().splitlines():
            match = re.match(r'([0-9a-f]+)-([0-9a-f]+) rw', line)
            if match and int(match[2], 16) - int(match[1], 16) == RAM:
                self._base = int(match[1], 16)
                return self._base
        raise AssertionError('no such mapping')

    def maps(self) -> str:
        """What the process has mapped, a line each."""
        return Path(f'/proc/{self._vm.get_pid()}/maps').read_text(
            encoding='utf-8')

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes into memory; pages that are dirty afterwards."""
        address = self.address() + offset
        answer = self._vm.qtest(
            f'write {address:#x} {len(data):#x} 0x{data.hex()}')
        assert answer.strip() == 'OK', answer

    def put(self, offset: int, data: bytes) -> None:
        """Have bytes in memory, without anybody who notices: not dirty."""
        with open(f'/proc/{self._vm.get_pid()}/mem', 'r+b', 0) as memory:
            memory.seek(self.find_memory() + offset)
            assert memory.write(data) == len(data)

    def command(self, *words: object) -> None:
        """One of qtest, without an answer."""
        answer = self._vm.qtest(' '.join(str(word) for word in words))
        assert answer.strip() == 'OK', answer

    def ask(self, *words: object) -> int:
        """One that is answered by a number."""
        answer = self._vm.qtest(' '.join(str(word) for word in words))
        return int(answer.split()[1], 0)

    def fill(self, start: int, end: int) -> None:
        """No page there is zero."""
        address = self.address() + start
        answer = self._vm.qtest(f'memset {address:#x} {end - start:#x} 0x55')
        assert answer.strip() == 'OK', answer

    def preset(self, start: int, pages: Iterable[bytes]) -> None:
        """Put pages into memory that nobody has noticed to be dirty."""
        with open(f'/proc/{self._vm.get_pid()}/mem', 'r+b', 0) as memory:
            memory.seek(self.find_memory() + start)
            for page in pages:
                memory.write(page)

    def read(self, offset: int, length: int = PAGE) -> Optional[bytes]:
        """Bytes of memory; None if the host lets nobody read them."""
        with open(f'/proc/{self._vm.get_pid()}/mem', 'rb', 0) as memory:
            memory.seek(self.find_memory() + offset)
            try:
                return memory.read(length)
            except OSError:
                return None

    def device_reads(self, offset: int) -> bool:
        """Can a device read this page?"""
        before = self._accesses()
        self._vm.qtest(f'read {self.address() + offset:#x} 0x8')
        return self._accesses() == before

    def use(self, offset: int, length: int) -> None:
        """Have a device read these bytes, whatever comes of it."""
        self._vm.qtest(f'read {self.address() + offset:#x} {length:#x}')

    def _accesses(self) -> int:
        counters = self.qmp('query-ras')['counters']
        return int(counters['poison-other-accesses'])

    def address(self) -> int:
        """Guest physical address of its beginning."""
        return 0x40000000 if self.target.name == 'arm64' else 0

    def failed(self) -> List[Any]:
        """(offset, length, whether it has moved) of what is known."""
        return sorted((item['address'] - self.address(), item['length'],
                       item.get('moved', False))
                      for item in self.qmp('query-ras')['host-poisoned'])
