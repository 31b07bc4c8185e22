# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: more failed memory than QEMU has room for, or than is left.

The layout of QEMU 10.0, in which nobody is told of memory that is not used.
"""

from typing import Iterator, Set

import pytest

from lab import Host, KvmGuest
from ras.guest import PAGE

HOST = 'arm64'

# RAS_HOST_MEMORY_MAX (include/hw/ras.h)
PLACES = 1024
# In memory that the guest does not use.
UNUSED = 0x60000000
DIMM = 256 << 20


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest with a place for a DIMM, whose memory it does not use itself.

    Nobody is told of memory that QEMU has not either.
    """
    made = host.start_guest('ras', extra_args=[
        '-m slots=1,maxmem=2G', '-mem-prealloc',
        '-object memory-backend-file,id=more,'
        f'mem-path=/ram/more,size={DIMM},share=on'])
    made.flavour = 'limits'
    made.damaged = True
    yield made


def test_more_places_than_fit(host: Host, guest: KvmGuest) -> None:
    """They are forgotten, but not by the reset, which replaces them all."""
    pages = [UNUSED + 2 * PAGE * number for number in range(PLACES + 100)]
    host.poison(pages)
    guest.wait_until(lambda: len(guest.ras()['host-poisoned']) == PLACES,
                     'host-poisoned', 120)
    with pytest.raises(Exception, match=rf'\({PLACES} places'):
        guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
    guest.check_alive()
    guest.reset()
    assert guest.ras()['host-poisoned'] == []
    # All of the file can be used again: this would fail otherwise.
    assert len(host.where(pages)) == len(pages)
    guest.check_alive()


def test_unplugged(host: Host, guest: KvmGuest) -> None:
    """Failed memory that the guest no longer has is no concern of it."""
    guest.qemu.qmp('device_add', driver='pc-dimm', id='dimm', memdev='more')
    address = guest.qemu.qmp('query-memory-devices')[0]['data']['addr']
    host.poison_file('/ram/more', DIMM // 2)
    guest.wait_until(lambda: guest.ras()['host-poisoned'] == [
        {'address': address + DIMM // 2, 'length': PAGE}], 'host-poisoned')
    guest.qemu.qmp('device_del', id='dimm')
    guest.wait_until(lambda: not guest.qemu.qmp('query-memory-devices'),
                     'the guest lets the DIMM go')
    guest.wait_until(lambda: guest.ras()['host-poisoned'] == [], 'forgotten')
    guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
    guest.check_alive()


def page_tables(guest: KvmGuest) -> Set[int]:
    """Guest physical addresses of the guest's page tables."""
    said = guest.agent.run(
        'dd if=/proc/kpageflags bs=2M count=1 skip=1 2>/dev/null | '
        'hexdump -v -e \'1/8 "%016x\\n"\' | '
        # KPF_PGTABLE is bit 26.
        'awk \'substr($1, 10, 1) ~ /[4567cdef]/ { print NR - 1 }\'', 120)
    return {guest.host.lab.ram_base + int(line) * PAGE
            for line in said.output.split()}


def test_page_table(host: Host) -> None:
    """The guest's page tables have failed, which QEMU looks into as well.

    What is left of the guest is its own business; QEMU has to live, and to
    tell it.
    """
    guest = host.start_guest('ras')
    guest.damaged = True
    before = page_tables(guest)
    victim = guest.spawn(cpu=1)
    tables = page_tables(guest) - before
    assert tables
    account = guest.account()
    host.poison(sorted(tables))
    guest.tell([victim], 'load', answer=False)
    account.wait('notified')
    for event in account.events('notified'):
        assert event['address'] & -PAGE in tables
        assert event['origin'] == 'sigbus'
    assert guest.qemu.qmp('query-status')['running']
    assert guest.qemu.exit_status() is None
