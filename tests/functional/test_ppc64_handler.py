# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: machine checks that wait until a vCPU has left its handler."""

import re
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ras import bare, environment

MACHINE = 'ppc64'

# RAM.
ADDRESS = 0x10000000
# bare/handler-ppc64.S
COUNTERS = 0x4000


def wait(vm: Any, what: str, number: int) -> None:
    """Until a counter of query-ras has reached it."""
    end = time.monotonic() + 30 * environment.time_factor()
    while vm.cmd('query-ras')['counters'][what] < number:
        assert time.monotonic() < end, vm.cmd('query-ras')
        time.sleep(0.05)


def is_in_handler(vm: Any) -> bool:
    """Not all of MSR[IR], MSR[DR] and MSR[RI] are set."""
    text = vm.cmd('human-monitor-command',
                  **{'command-line': 'info registers'})
    msr = re.search(r'^MSR (\w{16})', text, re.MULTILINE)
    assert msr, text
    return int(msr[1], 16) & 0x32 != 0x32


def wait_ready(vm: Any) -> None:
    """Until the handler is registered, and then translation on."""
    end = time.monotonic() + 30 * environment.time_factor()
    while not vm.cmd('query-ras')['sources'][0]['ready'] or is_in_handler(vm):
        assert time.monotonic() < end
        time.sleep(0.05)


def inject(vm: Any) -> None:
    """A machine check for the vCPU."""
    vm.cmd('ras-inject', kind='memory', address=ADDRESS, mode='consume',
           severity='recoverable', vcpu=0)


def counters(vm: Any) -> List[int]:
    """How often the handler was entered, and how often while it was busy."""
    text = vm.cmd('human-monitor-command',
                  **{'command-line': f'xp /2wx {COUNTERS:#x}'})
    return [int(word, 16) for word in re.findall(r'0x(\w{8})', text)]


@pytest.mark.parametrize('thread', ['single', 'multi'])
def test_sleeps(tmp_path: Path, thread: str) -> None:
    """It sleeps in there: the next one is given time, and then comes.

    A vCPU that sleeps does not run in that time, unless it is made to.
    """
    with bare.pseries('handler-ppc64', tmp_path, '-accel',
                      f'tcg,thread={thread}', macro='SLEEPS') as vm:
        wait_ready(vm)
        for number in range(1, 4):
            inject(vm)
            wait(vm, 'acknowledged', number)


OPTIONS = ['-accel', 'tcg', '-global', 'spapr-ras.reclaim-ms=600000']


def test_next_one(tmp_path: Path) -> None:
    """The next one comes when the handler is left."""
    with bare.pseries('handler-ppc64', tmp_path, *OPTIONS,
                      macro='STAYS') as vm:
        wait_ready(vm)
        inject(vm)
        wait(vm, 'notified', 1)
        inject(vm)
        wait(vm, 'acknowledged', 2)
        assert counters(vm) == [2, 0]


@pytest.mark.parametrize('immediate', [
    {'kind': 'memory', 'address': ADDRESS, 'mode': 'consume',
     'severity': 'recoverable'},
    {'kind': 'machine-check', 'class': 'tlb', 'sub-type': 'multi-hit'},
], ids=['memory', 'machine-check'])
def test_immediate(tmp_path: Path, immediate: Dict[str, Any]) -> None:
    """It comes into the handler, if that is what is wanted."""
    # On a busy machine it may be too late.
    for _ in range(10):
        with bare.pseries('handler-ppc64', tmp_path, *OPTIONS,
                          macro='STAYS') as vm:
            wait_ready(vm)
            inject(vm)
            wait(vm, 'acknowledged', 1)
            vm.cmd('ras-inject', vcpu=0, immediate=True, **immediate)
            wait(vm, 'acknowledged', 2)
            counted = counters(vm)
        if counted == [2, 1]:
            return
    pytest.fail('it waits')


# Time passes with instructions, however busy the host is.
STEADY = ['-icount', 'shift=4']


def test_left_in_the_end(tmp_path: Path) -> None:
    """It stays too long once, and is waited for again when it was left."""
    with bare.pseries('handler-ppc64', tmp_path, *STEADY, *OPTIONS[2:],
                      macro='NESTS') as vm:
        wait_ready(vm)
        inject(vm)
        wait(vm, 'acknowledged', 1)
        # This one comes into the handler, after a second.
        inject(vm)
        wait(vm, 'acknowledged', 2)
        end = time.monotonic() + 30 * environment.time_factor()
        while is_in_handler(vm):
            assert time.monotonic() < end
        assert counters(vm) == [2, 1]
        # The second of these is due when the handler of the first has begun.
        vm.cmd('stop')
        inject(vm)
        inject(vm)
        vm.cmd('cont')
        wait(vm, 'acknowledged', 4)
        assert counters(vm) == [4, 1]


# bare/others-ppc64.S: the second vCPU runs into an error so often, per second.
PER_SECOND = 200


def delivered_meanwhile(events: List[Dict[str, Any]], number: int) -> int:
    """How many others, from "queued" to "notified" of error @number."""
    states = [(event['data']['error']['id'], event['data']['error']['state'])
              for event in events if event['event'] == 'RAS_ERROR']
    between = states[states.index((number, 'queued')):
                     states.index((number, 'notified'))]
    return sum(state == 'notified' for _, state in between)


def test_others_do_not_wait(tmp_path: Path) -> None:
    """One waits for a handler: errors of another vCPU come meanwhile.

    For a second of the guest's time, and no longer.
    """
    with bare.pseries('others-ppc64', tmp_path, *STEADY, *OPTIONS[2:], '-smp',
                      '2') as vm:
        vm.cmd('ras-inject', kind='memory', address=ADDRESS, mode='poison',
               severity='recoverable')
        wait(vm, 'acknowledged', 3)
        number = vm.cmd('ras-inject', kind='memory', address=ADDRESS + 0x1000,
                        mode='consume', severity='recoverable', vcpu=0)['id']
        events: List[Dict[str, Any]] = []
        end = time.monotonic() + 60 * environment.time_factor()
        while not any(event['event'] == 'RAS_ERROR' and
                      event['data']['error']['id'] == number and
                      event['data']['error']['state'] == 'notified'
                      for event in events):
            assert time.monotonic() < end, events
            events += vm.get_qmp_events(wait=True)
    # A little more than a period passes from one to the next.
    assert PER_SECOND / 2 < delivered_meanwhile(events, number) <= PER_SECOND


def save(folder: Path, after: str, waiting: bool) -> bool:
    """Save a VM in its handler; with an error that waits, if @waiting.

    @after: what has to be done about the log.  Returns false if more than
    that was done in the meantime, or the handler was left.
    """
    with bare.pseries('handler-ppc64', folder, *OPTIONS,
                      macro='STAYS') as vm:
        wait_ready(vm)
        inject(vm)
        wait(vm, 'notified', 1)
        if waiting:
            inject(vm)
        wait(vm, after, 1)
        vm.cmd('stop')
        acknowledged = vm.cmd('query-ras')['counters']['acknowledged']
        in_time = is_in_handler(vm) and \
            acknowledged == (1 if after == 'acknowledged' else 0)
        vm.cmd('migrate', uri=f'file:{folder}/stream')
        bare.wait_status(vm, 'query-migrate', {'completed'})
    return in_time


@pytest.mark.parametrize('after, waiting', [
    ('notified', True), ('acknowledged', True), ('acknowledged', False)])
def test_next_one_after_a_move(tmp_path: Path, after: str,
                               waiting: bool) -> None:
    """The same in another QEMU, to which the handler has moved.

    With the log in its hands, or when it has given it back; the next one waits
    when it moves, or comes only then.
    """
    # On a busy machine it may be too late.
    assert any(save(tmp_path, after, waiting) for _ in range(20))
    with bare.pseries('handler-ppc64', tmp_path, *OPTIONS, '-incoming',
                      f'file:{tmp_path}/stream', macro='STAYS') as vm:
        bare.wait_status(vm, 'query-status', {'paused'})
        before = vm.cmd('query-ras')['counters']['acknowledged']
        if not waiting:
            inject(vm)
        vm.cmd('cont')
        wait(vm, 'acknowledged',
             before + (2 if after == 'notified' else 1))
        assert counters(vm) == [2, 0]
