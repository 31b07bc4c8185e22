# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: guests that move to another release of QEMU, and back.

The CPU "max" has more features in each release; "neoverse-n1" stays the same.
"""

import pytest

from ras import other_base
from ras.targets import ARM64

MACHINE = 'arm64'
OLDER = ['-machine', f'type={other_base.machine(ARM64)}',
         '-cpu', 'neoverse-n1']
PATIENT_OPTIONS = {**other_base.OURS, 'extra_args': OLDER}

pytestmark = pytest.mark.needs('RAS_OTHER_BASE')


class TestMoves(other_base.OtherBase):
    """See ras/moves.py; there, back, there, and so on."""


class TestOlderStock(other_base.FromStock):
    """See ras/other_base.py.

    Not back: stock 10.0.13 refuses a register (test_arm64_registers.py).
    """

    OPTIONS = {**other_base.OLDER_STOCK, 'extra_args': OLDER}


class TestNewerStock(other_base.FromStock):
    """See ras/other_base.py."""

    OPTIONS = {**other_base.NEWER_STOCK, 'extra_args': OLDER}
