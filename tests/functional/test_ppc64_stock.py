# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: what the base does without guest RAS.

Shows the defect that the other tests would run into without this project, so
it is clear that they prove something.
"""

from typing import Callable

import pytest

from ras import environment
from ras.guest import Guest
from ras.targets import PPC64

MACHINE = 'ppc64'

# Guest physical address behind which nothing answers.
NOWHERE = 0x100000000000


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
