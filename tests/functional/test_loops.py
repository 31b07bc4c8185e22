# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest goes round for ever because of poison, and QEMU says where it is.

Programs without an operating system, bare/external-abort.S and
bare/loop-ppc64.S, on one vCPU.
"""

import re
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ras import bare, environment
from ras.targets import ARM64, TARGETS

PAGE = 4096
# At most so many errors with events, and lines in the log, in so many seconds
EVENTS = 2000, 10
LINES = 20, 5
POISON = {'arm64': 0x40600000, 'ppc64': 0x10000000}


def start(machine: str, folder: Path, what: str) -> Any:
    """A stopped VM whose program is to fetch from poison, or to walk it."""
    if machine == 'ppc64':
        return bare.pseries('loop-ppc64', folder, '-S', '-accel', 'tcg',
                            macro=what)
    program = folder / 'external-abort'
    bare.build_arm64(ARM64, 'external-abort', program,
                     **{'EA': 0, 'HCR': 0, 'SCR': 0, 'LEVEL': 1, 'AGAIN': 1,
                        'BAD': POISON[machine], what: 1})
    return bare.machine(
        ARM64.qemu_variable, '-machine', 'virt,virtualization=on,ras=on,acpi=off',
        '-cpu', 'max', '-m', '64M', '-S', '-L', str(environment.path('RAS_FIRMWARE')),
        '-nodefaults', '-device', f'loader,file={program},cpu-num=0')


def events(vm: Any, name: str, number: int) -> List[Dict[str, Any]]:
    """The first events of that name."""
    end = time.monotonic() + 60 * environment.time_factor()
    found: List[Dict[str, Any]] = []
    while len(found) < number:
        assert time.monotonic() < end, vm.cmd('query-ras')
        found += [event['data'] for event in vm.get_qmp_events(wait=False)
                  if event['event'] == name]
        time.sleep(0.02)
    return found


def run(vm: Any, machine: str) -> None:
    """Poison the page, and start the program."""
    vm.cmd('ras-inject', kind='memory', address=POISON[machine],
           mode='poison', severity='recoverable')
    vm.cmd('cont')


@pytest.mark.parametrize('machine', sorted(TARGETS))
def test_page_table(tmp_path: Path, machine: str) -> None:
    """There is no error of a vCPU, but the host is told, again and again."""
    with start(machine, tmp_path, 'WALK') as vm:
        run(vm, machine)
        told = events(vm, 'RAS_POISON_ACCESS', 2)
        for event in told:
            assert POISON[machine] <= event['address'] < POISON[machine] + PAGE
            assert not event['write']
        # The second one is about all since the first.
        assert told[1]['count'] > 1
        counters = vm.cmd('query-ras')['counters']
        assert counters['accepted'] == 0
        assert counters['poison-other-accesses'] >= \
            sum(event['count'] for event in told)
        assert vm.cmd('query-status')['status'] == 'running'
    lines = re.findall(r'warning: ras: .*walk.* address (0x\w+)', vm.get_log())
    assert len(lines) >= 2
    for line in lines:
        assert POISON[machine] <= int(line, 0) < POISON[machine] + PAGE


@pytest.mark.parametrize('machine', sorted(TARGETS))
def test_fetch(tmp_path: Path, machine: str) -> None:
    """Each is an error; not more are told than somebody can read."""
    with start(machine, tmp_path, 'FETCH') as vm:
        begin = time.monotonic()
        run(vm, machine)
        while vm.cmd('query-ras')['counters']['accepted'] <= EVENTS[0]:
            assert time.monotonic() < begin + 60 * environment.time_factor()
            time.sleep(0.02)
        assert vm.cmd('query-status')['status'] == 'running'
        vm.cmd('stop')
        dropped = vm.cmd('query-ras')['counters']['events-dropped']
        duration = time.monotonic() - begin
        told = [event['data']['error'] for event in vm.get_qmp_events()
                if event['event'] == 'RAS_ERROR']
    for error in told:
        assert error['access'] == 'fetch'
        assert error['address'] == POISON[machine]
    lines = re.findall(f'ras: error .* address {POISON[machine]:#x}, vCPU 0',
                       vm.get_log())
    for number, (most, seconds) in ((len({error['id'] for error in told}),
                                     EVENTS), (len(lines), LINES)):
        assert 0 < number <= most * (1 + duration / seconds)
    assert dropped or duration > EVENTS[1]
