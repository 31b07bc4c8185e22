# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt 9.0 (Debian 12), machine virt."""

import cases

MACHINE = 'arm64'
RELEASE = '12'


class TestManual(cases.ManualArm64):
    pass


class TestErrors(cases.Errors):
    pass


class TestMoves(cases.Moves):
    pass


class TestFailed(cases.Failed):
    pass


class TestCrash(cases.Crash):
    pass


class TestUpgrade(cases.Upgrade):
    pass


class TestDestroy(cases.Destroy):
    pass
