# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: guests that move to another release of QEMU, and back."""

import pytest

from ras import moves, other_base
from ras.targets import PPC64

MACHINE = 'ppc64'
OLDER = ['-machine', f'type={other_base.machine(PPC64)}']
PATIENT_OPTIONS = {**other_base.OURS, 'extra_args': OLDER}

pytestmark = pytest.mark.needs('RAS_OTHER_BASE')


class TestMoves(other_base.OtherBase):
    """See ras/moves.py; there, back, there, and so on."""


class TestOlderStock(moves.Stock):
    """See ras/moves.py; to guest RAS of the newer release, and back.

    With one vCPU, because of what stock 10.0 does.
    """

    STOCK_OPTIONS = [*OLDER, '-smp', '1']
    BUILDS = other_base.OLDER_STOCK


class TestNewerStock(other_base.FromStock):
    """See ras/other_base.py.

    Not back: stock 10.2 and later take an idle boot vCPU of such a machine for
    one that was never started.
    """

    OPTIONS = {**other_base.NEWER_STOCK, 'extra_args': OLDER}
