# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: what the base does without guest RAS.

Shows the defects that the other tests would run into without this project, so
it is clear that they prove something.
"""

import re
from pathlib import Path
from typing import Any, Callable, List

import pytest

from ras import bare, environment
from ras.guest import Guest
from ras.migration import move
from ras.stream import StreamTimeout
from ras.targets import PPC64

MACHINE = 'ppc64'

# Guest physical address behind which nothing answers.
NOWHERE = 0x100000000000


# MSR[ME]: machine checks are enabled.
ME = 0x1000

# Their streams do not say which vCPUs are stopped.
OLD_MACHINES = ['pseries-9.2', 'pseries-10.0']


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
def test_machine_check_without_error_log(
        new_guest: Callable[..., Guest]) -> None:
    """The registered handler is entered without an error log, for ever."""
    guest = new_guest(stock=True).boot()
    victim = guest.spawn(memory='device', address=NOWHERE, cpu=1)
    mark = guest.console.mark()
    victim.tell('load')
    guest.console.wait(r'FWNMI: corrupt r3', mark, 60 * guest.factor,
                       count=10)
    assert not guest.agent.lines(rf'^\* victim {victim.id} sigbus ')
    assert not victim.has_exited()


def idle(variable: str, *args: str) -> Any:
    """A VM that does not run."""
    return bare.machine(
        variable, '-machine', 'pseries', '-accel', 'tcg', '-cpu', 'power9',
        '-m', '256M', '-S', '-nodefaults',
        '-L', str(environment.path('RAS_FIRMWARE')), *args)


def machine_checks_are_enabled(vm: Any) -> bool:
    """By MSR[ME]."""
    text = vm.cmd('human-monitor-command', **{'command-line': 'info registers'})
    msr = re.search(r'MSR (\w{16})', text)
    assert msr, text
    return bool(int(msr[1], 16) & ME)


@pytest.mark.parametrize('variable, after', [
    (PPC64.qemu_variable, True), (PPC64.stock_variable, False)],
    ids=['ras', 'stock'])
def test_machine_checks_after_a_load(tmp_path: Path, variable: str,
                                     after: bool) -> None:
    """In the base, a VM that was loaded goes on with MSR[ME]=0."""
    if not environment.has(variable):
        pytest.skip('there is no build of the base')
    stream = f'file:{tmp_path}/stream'
    with idle(variable) as vm:
        assert machine_checks_are_enabled(vm)
        vm.cmd('migrate', uri=stream)
        bare.wait_status(vm, 'query-migrate', {'completed'})
    with idle(variable, '-incoming', stream) as vm:
        bare.wait_status(vm, 'query-status', {'prelaunch', 'paused'})
        assert machine_checks_are_enabled(vm) == after


def old_machine(name: str, controller: str) -> List[str]:
    """Options of a machine of an older QEMU."""
    return ['-machine', f'{name},ic-mode={controller}']


@pytest.mark.parametrize('controller', ['xics', 'xive'])
@pytest.mark.parametrize('name', OLD_MACHINES)
def test_old_machine_moves(new_guest: Callable[..., Guest], name: str,
                           controller: str) -> None:
    """Its vCPUs are idle when it moves, and go on."""
    guest = new_guest(extra_args=old_machine(name, controller)).boot()
    for _ in range(2):
        move(guest)
        guest.qemu.qmp('cont')
        guest.check_alive()
        guest.spawn_control().kill()


# An older base takes all vCPUs but one for stopped.
@pytest.mark.since(10, 2)
@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
@pytest.mark.parametrize('controller', ['xics', 'xive'])
@pytest.mark.parametrize('name', OLD_MACHINES)
def test_old_machine_stops_in_stock(new_guest: Callable[..., Guest], name: str,
                                    controller: str) -> None:
    """The boot vCPU, if it is idle then, gets no interrupt any more."""
    guest = new_guest(stock=True,
                      extra_args=old_machine(name, controller)).boot()
    for _ in range(5):
        move(guest, stock=True)
        guest.qemu.qmp('cont')
        try:
            guest.agent.command('ping', timeout=10)
        except StreamTimeout:
            return
    pytest.fail('the boot vCPU goes on')
