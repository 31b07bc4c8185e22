# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs without an operating system: functional/bare, kvm/host."""

import re
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Set

from . import environment
from .targets import PPC64, Target

SOURCES = Path(__file__).resolve().parent.parent / 'bare'

# In serror.S: where it reports, and what.
SERROR_REPORT = 0x40500000
SERROR_REPORTED = ('running', 'offset', 'level', 'esr', 'pending', 'deferred',
                   'done')


class SerrorReport(NamedTuple):
    """What became of an SError that serror.S waited for."""

    offset: int = 0
    level: int = 0
    esr: int = 0
    pending: int = 0
    deferred: int = 0

    @staticmethod
    def of(words: Dict[str, int]) -> 'SerrorReport':
        """That of read_serror_report()."""
        return SerrorReport(*[words[field]
                              for field in SerrorReport._fields])


def _compile(compiler: str, source: Path, program: Path,
             *options: str) -> None:
    subprocess.run([compiler, '-nostdlib', '-static',
                    '-Wl,--build-id=none', *options, '-o', str(program),
                    str(source)], check=True,
                   timeout=60 * environment.time_factor())


def build(target: Target, source: Path, program: Path, *options: str) -> None:
    """Compile and link @source."""
    _compile(target.compiler, source, program, *options)


def build_arm64(target: Target, name: str, program: Path,
                **macros: int) -> None:
    """The same with the file of that name in SOURCES, for "virt"."""
    build(target, SOURCES / f'{name}.S', program, '-march=armv8.2-a',
          '-Wl,-Ttext=0x40400000',
          *[f'-D{key}={value}' for key, value in macros.items()])


def build_aarch32(target: Target, name: str, program: Path, address: int,
                  **macros: int) -> None:
    """The same for AArch32 state."""
    assert target.aarch32_compiler
    _compile(target.aarch32_compiler, SOURCES / f'{name}.S', program,
             f'-Wl,-Ttext={address:#x}',
             *[f'-D{key}={value}' for key, value in macros.items()])


def machine(variable: str, *args: str) -> Any:
    """A VM of the QEMU that @variable names, which lives within a "with"."""
    environment.use_qemu_python()
    from qemu.machine import QEMUMachine  # pylint: disable=C0415

    class Machine(QEMUMachine):
        """Nothing of it is needed when it ends."""

        def __enter__(self) -> Any:
            self.launch()
            return self

        def __exit__(self, *_: object) -> None:
            self.shutdown(hard=True)

    return Machine(str(environment.path(variable)), args=list(args),
                   qmp_timer=60 * environment.time_factor())


def pseries(name: str, folder: Path, *args: str, macro: str = 'NONE',
            macros: Sequence[str] = (),
            variable: str = PPC64.qemu_variable) -> Any:
    """A "pseries" VM that runs the file of that name in place of firmware."""
    build(PPC64, SOURCES / f'{name}.S', folder / 'firmware', '-mbig',
          '-Wl,-Ttext=0', '-Wl,--oformat=binary', f'-D{macro}',
          *[f'-D{another}' for another in macros])
    return machine(variable, '-machine', 'pseries', '-cpu', 'power9', '-m',
                   '512M', '-nodefaults', '-bios', str(folder / 'firmware'),
                   *args)


class Monitor:
    """A VM as ras.migration wants it."""

    def __init__(self, vm: Any) -> None:
        self.vm = vm

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Run a command."""
        return self.vm.cmd(command, **{
            name.replace('_', '-'): value
            for name, value in arguments.items()})

    def hmp(self, line: str) -> str:
        """The same, of HMP."""
        return str(self.qmp('human-monitor-command', command_line=line))


def wait_status(vm: Any, command: str, wanted: Set[str]) -> None:
    """Until a command gives one of these."""
    end = time.monotonic() + 60 * environment.time_factor()
    while vm.cmd(command)['status'] not in wanted:
        assert time.monotonic() < end, vm.cmd(command)
        time.sleep(0.05)


def wait_killed(vm: Any, *signals: int) -> None:
    """Until QEMU has ended by one of them."""
    end = time.monotonic() + 60 * environment.time_factor()
    while vm.exitcode() is None:
        assert time.monotonic() < end, 'it runs on'
        time.sleep(0.05)
    assert -vm.exitcode() in signals


def doublewords(vm: Any, address: int, number: int) -> List[int]:
    """So many in the memory of the VM."""
    text = vm.cmd('human-monitor-command',
                  **{'command-line': f'xp /{number}gx {address:#x}'})
    return [int(word, 16) for word in re.findall(r'0x(\w{16})', text)]


def read_serror_report(hmp: Callable[[str], str]) -> Dict[str, int]:
    """What serror.S has reported so far; @hmp runs a monitor command."""
    text = hmp(f'xp /{len(SERROR_REPORTED)}gx {SERROR_REPORT:#x}')
    return dict(zip(SERROR_REPORTED, [
        int(word, 16) for word in re.findall(r'0x(\w{16})', text)]))
