# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: errors that one guest survives, one after another."""

from ras import cases

MACHINE = 'ppc64'


class TestUserHits(cases.UserHits):
    """See ras/cases.py."""


class TestBursts(cases.Bursts):
    """See ras/cases.py."""


class TestKernelHits(cases.KernelHits):
    """See ras/cases.py."""
