# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: what the base does without guest RAS.

Shows the defects that the other tests would run into without this project, so
it is clear that they prove something.
"""

from typing import Callable, List

import pytest

from ras import environment
from ras.guest import Guest
from ras.migration import move
from ras.stream import StreamTimeout
from ras.targets import PPC64

MACHINE = 'ppc64'

# Guest physical address behind which nothing answers.
NOWHERE = 0x100000000000


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


@pytest.mark.skipif(environment.release() < (10, 2),
                    reason='this base takes all vCPUs but one for stopped')
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
