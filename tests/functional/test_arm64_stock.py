# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: what the base does with inject-ghes-v2-error, and what guest RAS does.

QEMU 10.2 and later have the command; with guest RAS it ends in ras-inject.
"""

import signal
from typing import Callable

import pytest

from ras import cases, cper, environment
from ras.guest import Guest
from ras.qemu import QemuError, QemuGone
from ras.targets import ARM64

MACHINE = 'arm64'

NO_BASE64 = '*'

pytestmark = pytest.mark.since(10, 2)
needs_stock = pytest.mark.skipif(
    not environment.has(ARM64.stock_variable),
    reason='there is no build of the base')


def record(text: str = 'a record') -> str:
    """One that Linux prints, and does nothing about."""
    return cper.block([cper.Entry(cper.VENDOR, cper.INFORMATIONAL,
                                  bytes(range(32)), text)])


def test_records_wait(guest: Guest) -> None:
    """Several, before the guest can acknowledge the first: all arrive."""
    account, mark = guest.account(), guest.console.mark()
    guest.qemu.qmp('stop')
    for number in range(5):
        guest.qemu.qmp('inject-ghes-v2-error', cper=record(f'no. {number}'))
    guest.qemu.qmp('cont')
    account.settle(acknowledged=5)
    # Linux prints no more than two of these in 5 seconds.
    cases.check_console(guest, mark, ['fru_text: no. 0', 'fru_text: no. 1'])


@needs_stock
def test_stock_refuses_the_second(new_guest: Callable[..., Guest]) -> None:
    """The user has to try again."""
    guest = new_guest(stock=True).boot()
    guest.qemu.qmp('stop')
    guest.qemu.qmp('inject-ghes-v2-error', cper=record())
    with pytest.raises(QemuError, match='does not acknowledge'):
        guest.qemu.qmp('inject-ghes-v2-error', cper=record())


def test_no_base64(guest: Guest) -> None:
    """The command fails, and nothing else."""
    account = guest.account()
    with pytest.raises(QemuError, match='Base64'):
        guest.qemu.qmp('inject-ghes-v2-error', cper=NO_BASE64)
    assert account.delta()['accepted'] == 0
    guest.check_alive()


@needs_stock
def test_stock_dies_of_no_base64(new_guest: Callable[..., Guest]) -> None:
    """As it sets an error twice."""
    guest = new_guest(stock=True).boot()
    with pytest.raises(QemuGone):
        guest.qemu.qmp('inject-ghes-v2-error', cper=NO_BASE64)
    guest.qemu.close()
    assert guest.qemu.exit_status() == -signal.SIGABRT


def test_before_boot(new_guest: Callable[..., Guest]) -> None:
    """The guest gets to know of it when it is up."""
    guest = new_guest(paused=True).launch()
    account, mark = guest.account(), guest.console.mark()
    guest.qemu.qmp('inject-ghes-v2-error', cper=record())
    assert account.delta()['accepted'] == 1
    guest.qemu.qmp('cont')
    guest.wait_boot(0)
    cases.check_console(guest, mark, [
        'Hardware error from APEI Generic Hardware Error Source: 1$',
        'fru_text: a record'])
    account.settle(acknowledged=1)


@needs_stock
def test_stock_loses_it_before_boot(new_guest: Callable[..., Guest]) -> None:
    """The command succeeds, and there is no record."""
    guest = new_guest(stock=True, paused=True).launch()
    guest.qemu.qmp('inject-ghes-v2-error', cper=record('lost'))
    guest.qemu.qmp('cont')
    guest.wait_boot(0)
    # One that is injected now arrives, alone.
    guest.qemu.qmp('inject-ghes-v2-error', cper=record('arrives'))
    guest.console.wait('fru_text: arrives', 0, 60 * guest.factor)
    assert not guest.console.matching('fru_text: lost')
