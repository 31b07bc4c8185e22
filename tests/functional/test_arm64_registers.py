# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: VMs from releases of QEMU that have other registers, or a timer more.

Under TCG, a stream has the number and the value of each system register.
"""

import struct
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from ras import environment
from ras.migration import (load_snapshot, save_snapshot, wait_status,
                           wait_until)
from ras.qemu import Qemu
from ras.targets import ARM64

from test_stream import sections

# One that all releases have, and a CPU that does not change.
OPTIONS = ['-machine', 'virt-10.0,gic-version=3', '-cpu', 'neoverse-n1',
           '-accel', 'tcg', '-m', '64M', '-nodefaults', '-S']
INCOMING = ['-incoming', 'defer']
# QEMU 10.0.0 and some of 10.0.x, and 10.1 to 11.0 have it: an AArch32 register
# that does not exist.
BOGUS = 0x40200000200e0298
# ID_AA64ISAR0_EL1; 11.1 does not send it.
ISAR0 = 0x603000000013c030
ISAR0_VALUE = 0x0000100010211120
# Nobody has them: at the beginning and at the end of a sorted list.
UNKNOWN = [0x40200000200e0001, 0x603000000013ffff]

# What QEMU 11 sends of each vCPU: a timer, here one that is not set, and, if there
# is one, an event that a WFE has not taken yet.
TIMER = ('cpu/wfxt-timer', struct.pack('>q', -1))
EVENT = ('cpu/event', b'\x01')
# For a vCPU: wait for an interrupt; then store 1 at REPORT.
CODE, REPORT = 0x40400000, 0x40500000
WAIT = [0xd2a80a01_d503207f, 0xf9000020_d2800020, 0x14000000_14000000]

needs_stock = pytest.mark.skipif(not environment.has(ARM64.stock_variable),
                                 reason='there is no build of the base')

Registers = Dict[int, int]


def registers(stream: Path) -> Registers:
    """Those of the only vCPU, by number."""
    cpu = sections(stream)['cpu']
    return {int(number, 16): int(value, 16)
            for number, value in zip(cpu['cpreg_vmstate_indexes'],
                                     cpu['cpreg_vmstate_values'])}


def packed(values: Registers) -> bytes:
    """As they are in a stream."""
    return struct.pack(f'>I{2 * len(values)}Q', len(values), *sorted(values),
                       *[values[number] for number in sorted(values)])


def edited(stream: Path, new: Registers) -> Path:
    """A copy of a stream that has these registers."""
    data = stream.read_bytes()
    old = packed(registers(stream))
    assert data.count(old) == 1
    copy = stream.with_suffix('.edited')
    copy.write_bytes(data.replace(old, packed(new)))
    return copy


def without_some(stream: Path) -> Path:
    """Every third register is not in it."""
    return edited(stream, {
        number: value
        for i, (number, value) in enumerate(registers(stream).items())
        if i % 3})


def machine(name: str, *args: str,
            variable: str = ARM64.qemu_variable) -> Qemu:
    """A VM that has not run."""
    vm = Qemu(environment.path(variable), [*OPTIONS, *args],
              f'registers-{name}')
    vm.launch()
    return vm


def save(vm: Qemu, stream: Path) -> Registers:
    """Write a stream; what registers it has."""
    vm.qmp('migrate', uri=f'file:{stream}')
    wait_status(vm, 'completed')
    return registers(stream)


def load(vm: Qemu, stream: Path) -> None:
    """Load one."""
    vm.qmp('migrate-incoming', uri=f'file:{stream}', exit_on_error=False)
    wait_status(vm, 'completed')


def refused() -> Any:
    """The load fails."""
    return pytest.raises(AssertionError, match='failed')


@pytest.fixture(autouse=True)
def no_zeroes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that nobody has written is not zero by chance."""
    monkeypatch.setenv('MALLOC_PERTURB_', '85')


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """That of a VM that has not run."""
    with machine('first') as vm:
        save(vm, tmp_path / 'stream')
    return tmp_path / 'stream'


def test_missing(stream: Path, tmp_path: Path) -> None:
    """Registers that are not in the stream keep their values."""
    with machine('missing', *INCOMING) as vm:
        load(vm, without_some(stream))
        assert save(vm, tmp_path / 'second') == registers(stream)


@needs_stock
def test_missing_in_stock(stream: Path) -> None:
    """It takes what was in memory before for their values, and refuses them."""
    with machine('missing-stock', *INCOMING,
                 variable=ARM64.stock_variable) as vm:
        with refused():
            load(vm, without_some(stream))


def test_bogus(stream: Path, tmp_path: Path) -> None:
    """The register that does not exist may be there, or not."""
    before = registers(stream)
    without = {number: value for number, value in before.items()
               if number != BOGUS}
    for loaded in (without, {**without, BOGUS: 0}):
        with machine('bogus', *INCOMING) as vm:
            load(vm, edited(stream, loaded))
            assert save(vm, tmp_path / 'second') == before


def test_isar0(stream: Path, tmp_path: Path) -> None:
    """It may be there, with the value that this CPU has."""
    before = registers(stream)
    assert before.get(ISAR0, ISAR0_VALUE) == ISAR0_VALUE
    with machine('isar0', *INCOMING) as vm:
        load(vm, edited(stream, {**before, ISAR0: ISAR0_VALUE}))
        assert save(vm, tmp_path / 'second') == before
    with machine('isar0-wrong', *INCOMING) as vm:
        with refused():
            load(vm, edited(stream, {**before, ISAR0: ISAR0_VALUE + 1}))


@pytest.mark.parametrize('bogus', [False, True])
@pytest.mark.parametrize('unknown', UNKNOWN, ids=['first', 'last'])
def test_unknown(stream: Path, unknown: int, bogus: bool) -> None:
    """Others have to be known."""
    more = {**registers(stream), unknown: 0}
    if bogus:
        more[BOGUS] = 0
    with machine('unknown', *INCOMING) as vm:
        with refused():
            load(vm, edited(stream, more))


def test_again(tmp_path: Path) -> None:
    """After a VM with fewer registers, and after one that is refused."""
    good, bad = tmp_path / 'good', tmp_path / 'bad'
    with machine('good') as vm:
        before = save(vm, tmp_path / 'stream')
        save_snapshot(vm, good)
    number = next(number for number in before if number + 1 not in before)
    bad.write_bytes(good.read_bytes().replace(
        number.to_bytes(8, 'big'), (number + 1).to_bytes(8, 'big')))
    with machine('again', *INCOMING) as vm:
        load(vm, without_some(tmp_path / 'stream'))
        load_snapshot(vm, good)
        with pytest.raises(AssertionError, match='error'):
            load_snapshot(vm, bad)
        vm.qmp('blockdev-del', node_name='disk')
        load_snapshot(vm, good)
        assert save(vm, tmp_path / 'second') == before


def with_more(stream: Path, *subsections: Tuple[str, bytes]) -> Path:
    """A copy of a stream that has these subsections of the only vCPU, too."""
    data = stream.read_bytes()
    start = data.index(b'\x03cpu' + bytes(4)) - 5
    end = data.index(b'\x7e' + data[start + 1:start + 5], start)
    more = b''.join(
        b'\x05' + bytes([len(name)]) + name.encode() + struct.pack('>I', 1) + value
        for name, value in subsections if name.encode() not in data[start:end])
    copy = stream.with_suffix('.more')
    copy.write_bytes(data[:end] + more + data[end:])
    return copy


def test_timer_and_event(stream: Path, tmp_path: Path) -> None:
    """Those of QEMU 11 may be there."""
    with machine('timer', *INCOMING) as vm:
        load(vm, with_more(stream, TIMER, EVENT))
        assert save(vm, tmp_path / 'second') == registers(stream)


# Newer ones have it, and a vCPU waits until it expires.
@pytest.mark.skipif(environment.release() >= (11, 0),
                    reason='this base has that timer')
def test_waits_for_the_timer(tmp_path: Path) -> None:
    """A vCPU that waits for what this CPU does not have goes on."""
    program = [arg for i, words in enumerate(WAIT) for arg in (
        '-device', f'loader,addr={CODE + 8 * i:#x},data={words:#x},data-len=8')]
    program += ['-device', f'loader,addr={CODE:#x},cpu-num=0']

    def reported(vm: Qemu) -> int:
        return int(vm.hmp(f'xp /1gx {REPORT:#x}').split(':')[1], 16)

    with machine('waits', *program) as vm:
        vm.qmp('cont')
        wait_until(lambda: f'PC={CODE + 4:016x}' in vm.hmp('info registers'),
                   'the vCPU waits')
        vm.qmp('stop')
        save(vm, tmp_path / 'stream')
        assert reported(vm) == 0
    with machine('goes-on', *program, *INCOMING) as vm:
        load(vm, with_more(tmp_path / 'stream', TIMER))
        vm.qmp('cont')
        wait_until(lambda: reported(vm) == 1, 'it goes on')
