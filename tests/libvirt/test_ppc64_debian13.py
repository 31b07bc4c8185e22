# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt 11.3 (Debian 13), machine pseries."""

import cases

MACHINE = 'ppc64'
RELEASE = '13'


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


class TestDestroy(cases.Destroy):
    pass
