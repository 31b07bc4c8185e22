# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: boot, reset, stop, quit and panic while errors are under way."""

from ras import cases

MACHINE = 'arm64'


class TestFatal(cases.Fatal):
    """See ras/cases.py."""


class TestResets(cases.Resets):
    """See ras/cases.py."""


class TestBootErrors(cases.BootErrors):
    """See ras/cases.py."""


class TestParked(cases.Parked):
    """See ras/cases.py."""
