# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt 11.3 (Debian 13), machine virt."""

import cases

MACHINE = 'arm64'
RELEASE = '13'


class TestManual(cases.ManualArm64):
    pass


class TestErrors(cases.Errors):
    pass


class TestMoves(cases.Moves):
    pass


class TestFailed(cases.Failed):
    pass


class TestDistribution(cases.Distribution):
    pass


class TestCrash(cases.Crash):
    pass


class TestDestroy(cases.Destroy):
    pass
