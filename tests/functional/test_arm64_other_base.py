# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: guests that move to another release of QEMU, and back.

Of a CPU that is the same in both; "max" gains features with each release.
"""

import pytest

from ras import moves, other_base
from ras.targets import ARM64

MACHINE = 'arm64'
OLDER = ['-machine', f'type={other_base.machine(ARM64)}', '-cpu', 'cortex-a76']
PATIENT_OPTIONS = {**other_base.OURS, 'extra_args': OLDER}
GUEST_OPTIONS = {**other_base.OURS,
                 'extra_args': [*OLDER, '-machine', 'ras-ghes=on']}

pytestmark = pytest.mark.needs('RAS_OTHER_BASE')


class TestMoves(other_base.OtherBase):
    """See ras/moves.py; in the layout of the older release."""


class TestReports(other_base.Reports):
    """See ras/other_base.py; with ras-ghes=on."""


class TestOlderStock(moves.Stock):
    """See ras/moves.py; to guest RAS of the newer release, and back."""

    STOCK_OPTIONS = OLDER
    BUILDS = other_base.FROM_OLDER_STOCK


class TestNewerStock(moves.Stock):
    """See ras/moves.py; to guest RAS of the older release, and back."""

    STOCK_OPTIONS = OLDER
    BUILDS = other_base.FROM_NEWER_STOCK
