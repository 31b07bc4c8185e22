# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt 9.0 (Debian 12), machine pseries."""

import cases

MACHINE = 'ppc64'
RELEASE = '12'


class TestManual(cases.Manual):
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
