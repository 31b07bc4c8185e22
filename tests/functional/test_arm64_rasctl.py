# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: rasctl with a real guest."""

from ras import rasctl

MACHINE = 'arm64'
GUEST_OPTIONS = rasctl.GUEST_OPTIONS


class TestOperate(rasctl.Operate):
    """See ras/rasctl.py."""


class TestWhere(rasctl.Where):
    """See ras/rasctl.py."""


class TestNodes(rasctl.Nodes):
    """See ras/rasctl.py."""
