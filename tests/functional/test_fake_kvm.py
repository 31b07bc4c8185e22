# SPDX-License-Identifier: GPL-2.0-or-later
"""What KVM owes a vCPU is settled before its registers are written.

The VM is one of x86_64 on a KVM that executes nothing, fake/kvm.c: it says
in which order QEMU runs the vCPU and writes its registers.
"""

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional

import pytest

from ras import environment, fake_kvm

RAS = 'RAS_QEMU_X86_64'
STOCK = 'RAS_STOCK_QEMU_X86_64'
# Where it begins, as enter and put show it: RIP and RAX.
RESET_STATE = 'fff0 0'
# fake/kvm.c: what a step loads, or the hypercall returns.
RESULTS = {'hypercall': 'badca11', 'load': '11111111', 'bad-load': '11111111',
           'load-pair': '2222222211111111',
           'bad-load-pair': '2222222211111111'}
# Steps after which the VM does not run on.
FAILING = ['hypercall', 'bad-load', 'bad-load-pair']

# With a vCPU that can be unplugged, and QEMU's registers for that: which vCPU,
# 4 bytes, and what to do, 1 byte (docs/specs/acpi_cpu_hotplug.rst of QEMU).
SECOND = {'driver': 'qemu64-x86_64-cpu', 'id': 'second', 'socket-id': 0,
          'core-id': 1, 'thread-id': 0}
WITH_SECOND = [*fake_kvm.Q35, '-smp', '1,maxcpus=2',
               '-device', json.dumps(SECOND)]
# The first write has the registers appear.
EJECT_SECOND = 'out:cd8:4:0 out:cd8:4:1 out:cdc:1:8'

pytestmark = pytest.mark.skipif(
    not environment.has(RAS), reason='there is no build for x86_64')
needs_stock = pytest.mark.skipif(
    not environment.has(STOCK), reason='there is no build of the base')


class Vm:
    """A VM with vCPUs that follow a plan."""

    def __init__(self, variable: str, plan: str, options: List[str],
                 kick: bool, fake: Path, folder: Path) -> None:
        self._log = folder / 'log'
        more = {'FAKE_KVM_KICK': '1'} if kick else {}
        self._vm = fake_kvm.machine(variable, fake, plan, folder, options,
                                    **more)
        self._vm.launch()

    def close(self) -> None:
        """End it."""
        self._vm.shutdown(hard=True)

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Run a QMP command."""
        return self._vm.cmd(command, arguments)

    def exit_code(self) -> Optional[int]:
        """Of QEMU; None while it runs."""
        return self._vm.exitcode()

    def status(self) -> str:
        """The run state."""
        return self.qmp('query-status')['status']

    def log(self, vcpu: int = 0) -> List[str]:
        """What KVM was asked to do so far for one vCPU."""
        try:
            lines = self._log.read_text(encoding='ascii').splitlines()
        except FileNotFoundError:
            return []
        return [line[2:] for line in lines if line.startswith(f'{vcpu} ')]

    def wait(self, done: Callable[[], Any], what: str) -> None:
        """Wait until done()."""
        end = time.monotonic() + 60 * environment.time_factor()
        while not done():
            assert time.monotonic() < end, f'{what}: {self.log()[-20:]}'
            time.sleep(0.01)

    def entered(self, mark: int, vcpu: int = 0) -> str:
        """RIP and RAX when the guest first executed after line @mark."""
        def lines() -> List[str]:
            return [line for line in self.log(vcpu)[mark:]
                    if line.startswith('enter ')]

        self.wait(lines, 'the guest executes')
        return lines()[0].split(' ', 1)[1]

    def steps_done(self, mark: int) -> int:
        """How many operations KVM has finished since line @mark."""
        return sum(line.startswith('finish ') for line in self.log()[mark:])


@pytest.fixture(name='fake', scope='module')
def _fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp('fake-kvm') / 'fake-kvm.so'
    fake_kvm.build(library)
    return library


@pytest.fixture(name='start')
def _start(fake: Path, tmp_path: Path) -> Iterator[Callable[..., Vm]]:
    made: List[Vm] = []

    def start(plan: str, variable: str = RAS, *,
              options: Optional[List[str]] = None, kick: bool = False) -> Vm:
        folder = tmp_path / str(len(made))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        made.append(Vm(variable, plan, options or fake_kvm.MICROVM, kick,
                       fake, folder))
        return made[-1]

    yield start
    for vm in made:
        vm.close()


def state_after_reset(vm: Vm) -> str:
    """Let it fail, reset it, and go on: with which registers?"""
    vm.wait(lambda: vm.status() == 'internal-error', 'internal error')
    mark = len(vm.log())
    vm.qmp('system_reset')
    vm.wait(lambda: vm.status() != 'internal-error', 'reset')
    vm.qmp('cont')
    return vm.entered(mark)


@pytest.mark.parametrize('step', FAILING)
def test_failure_then_reset(start: Callable[..., Vm], step: str) -> None:
    """An exit that cannot be handled, and registers that cannot be pushed.

    The rest of an operation with two parts is done, not dropped: the first
    has reached the device before anything failed.
    """
    vm = start(f'{step} wait')
    assert state_after_reset(vm) == RESET_STATE
    log = vm.log()
    begun = next(n for n, line in enumerate(log) if line.startswith('exit '))
    finished = log.index(f'finish fff3 {RESULTS[step]}')
    assert begun < finished
    runs = [line for line in log[begun:finished] if line.startswith('run ')]
    assert set(runs) == {'run 1 1'}
    # Nothing is written and nothing is read out before it is finished, but
    # what was pushed in vain.
    assert not [line for line in log[begun:finished]
                if line.startswith('put ')]
    assert not [line for line in log[finished:] if line in ('get 1', 'run 1 1')
                or line.startswith('put ') and line.endswith(' 1')]


@needs_stock
@pytest.mark.parametrize('step', FAILING)
def test_failure_then_reset_in_stock(start: Callable[..., Vm],
                                     step: str) -> None:
    """The base: the result lands in the registers of after the reset."""
    vm = start(f'{step} wait', STOCK)
    assert state_after_reset(vm) == f'fff3 {RESULTS[step]}'
    log = vm.log()
    assert f'put {RESET_STATE} 1' in log[:log.index(
        f'finish fff3 {RESULTS[step]}')]


def check_clean(log: List[str]) -> None:
    """Registers were never read or written while something was owed."""
    assert 'get 1' not in log
    assert not [line for line in log
                if line.startswith('put ') and line.endswith(' 1')]


# The base is right there as well; this says that it is so.
@pytest.mark.parametrize('step', ['load', 'load-pair'])
def test_reset_while_loading(start: Callable[..., Vm], step: str) -> None:
    """A guest that does nothing but load from a device is reset."""
    vm = start(step)
    for _ in range(10):
        mark = len(vm.log())
        vm.wait(lambda mark=mark: vm.steps_done(mark) >= 5, 'loads')
        mark = len(vm.log())
        vm.qmp('system_reset')
        vm.wait(lambda mark=mark: f'put {RESET_STATE} 0' in vm.log()[mark:],
                'reset')
        log = vm.log()
        assert vm.entered(log.index(f'put {RESET_STATE} 0', mark)) == \
            RESET_STATE
    check_clean(vm.log())


@pytest.mark.since(11)
@pytest.mark.parametrize('step', ['load', *FAILING])
def test_reset_makes_a_new_vm(start: Callable[..., Vm], step: str) -> None:
    """KVM gets new descriptors for VM and vCPUs, as for confidential guests."""
    machine, options = fake_kvm.MICROVM
    vm = start(step if step == 'load' else f'{step} wait',
               options=[machine, f'{options},x-change-vmfd-on-reset=on'])
    for _ in range(3):
        if step == 'load':
            mark = len(vm.log())
            vm.wait(lambda mark=mark: vm.steps_done(mark) >= 5, 'loads')
            mark = len(vm.log())
            vm.qmp('system_reset')
        else:
            vm.wait(lambda: vm.status() == 'internal-error', 'internal error')
            mark = len(vm.log())
            vm.qmp('system_reset')
            vm.wait(lambda: vm.status() != 'internal-error', 'reset')
            vm.qmp('cont')
        vm.wait(lambda mark=mark: 'new' in vm.log()[mark:], 'a new vCPU')
        log = vm.log()
        assert vm.entered(log.index('new', mark)) == RESET_STATE
    check_clean(vm.log())


@pytest.mark.parametrize('step', ['load', 'load-pair'])
def test_state_is_saved_while_loading(start: Callable[..., Vm],
                                      step: str, tmp_path: Path) -> None:
    """A guest that does nothing but load from a device is migrated."""
    vm = start(step)
    vm.wait(lambda: vm.steps_done(0) >= 5, 'loads')
    mark = len(vm.log())
    vm.qmp('migrate', uri=f'file:{tmp_path}/stream')
    vm.wait(lambda: vm.qmp('query-migrate')['status'] == 'completed',
            'migration')
    assert 'get 0' in vm.log()[mark:]
    check_clean(vm.log())


def test_costs_nothing(start: Callable[..., Vm]) -> None:
    """As long as nothing fails, each operation takes one KVM_RUN."""
    vm = start('load')
    vm.wait(lambda: vm.steps_done(0) >= 100, 'loads')
    log = vm.log()
    log = log[log.index('exit load'):]
    assert {line for line in log if line.startswith('run ')} == {'run 0 1'}


def unplug_during(start: Callable[..., Vm], step: str, variable: str = RAS,
                  kick: bool = False) -> Vm:
    """The second vCPU is unplugged when it has begun a step, and not ended."""
    return start(f'meet {EJECT_SECOND} wait;during:cdc {step} wait', variable,
                 options=WITH_SECOND, kick=kick)


def wait_unplugged(vm: Vm) -> None:
    """Until the second vCPU is gone."""
    vm.wait(lambda: len(vm.qmp('query-cpus-fast')) == 1, 'unplug')


def plug_after_reset(vm: Vm) -> str:
    """Reset the VM, plug a vCPU again: with which registers does it begin?

    It is the same for KVM, which keeps those that are unplugged.
    """
    marks = [len(vm.log(vcpu)) for vcpu in range(2)]
    put = f'put {RESET_STATE} 0'
    vm.qmp('system_reset')
    vm.wait(lambda: put in vm.log()[marks[0]:], 'reset')
    vm.qmp('cont')
    assert vm.entered(vm.log().index(put, marks[0])) == RESET_STATE
    vm.qmp('device_add', **SECOND)
    return vm.entered(marks[1], 1)


@pytest.mark.parametrize('step', ['hypercall', 'load', 'load-pair'])
def test_unplug_then_reset(start: Callable[..., Vm], step: str) -> None:
    """A vCPU is unplugged in the middle of an operation, which is finished."""
    vm = unplug_during(start, step)
    wait_unplugged(vm)
    log = vm.log(1)
    begun = log.index(f'exit {step}')
    finished = log.index(f'finish fff3 {RESULTS[step]}')
    assert begun < finished
    assert {line for line in log[begun:finished]
            if line.startswith('run ')} == {'run 1 1'}
    assert plug_after_reset(vm) == RESET_STATE
    check_clean(vm.log(0))
    check_clean(vm.log(1))


@needs_stock
def test_unplug_then_reset_in_stock(start: Callable[..., Vm]) -> None:
    """The base: the result lands in the registers of the next vCPU."""
    vm = unplug_during(start, 'hypercall', STOCK)
    wait_unplugged(vm)
    assert plug_after_reset(vm) == f'fff3 {RESULTS["hypercall"]}'


def test_unplug_and_kick(start: Callable[..., Vm]) -> None:
    """A vCPU is kicked, as by "stop", when it has almost gone."""
    vm = unplug_during(start, 'load', kick=True)
    wait_unplugged(vm)
    assert plug_after_reset(vm) == RESET_STATE


@needs_stock
def test_unplug_and_kick_in_stock(start: Callable[..., Vm]) -> None:
    """The base: it dies."""
    vm = unplug_during(start, 'load', STOCK, kick=True)
    vm.wait(lambda: vm.exit_code() is not None, 'QEMU ends')
    assert vm.exit_code() == -signal.SIGSEGV
