# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: more failed memory than QEMU has room for, or than is left.

The layout of QEMU 10.0, in which nobody is told of memory that is not used.
"""

from typing import Iterator, List

import pytest

from lab import Host, KvmGuest
from ras.guest import PAGE, Victim

HOST = 'arm64'

# RAS_HOST_MEMORY_MAX (include/hw/ras.h)
PLACES = 1024
DIMM = 256 << 20
# The memory of the DIMM, in the host.
FILE = '/ram/more'


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest with a DIMM whose memory it does not use.

    Nobody is told of memory that QEMU has not either.
    """
    made = host.start_guest('ras', extra_args=[
        '-m slots=1,maxmem=2G', '-mem-prealloc',
        f'-object memory-backend-file,id=more,mem-path={FILE},'
        f'size={DIMM},share=on'])
    made.flavour = 'limits'
    made.damaged = True
    online = '/sys/devices/system/memory/auto_online_blocks'
    assert made.agent.run(
        f'echo offline >{online} && cat {online}').output == 'offline\n'
    made.qemu.qmp('device_add', driver='pc-dimm', id='dimm', memdev='more')
    yield made


def address_of_dimm(guest: KvmGuest) -> int:
    """The guest physical address of its first byte."""
    dimm, = guest.qemu.qmp('query-memory-devices')
    return dimm['data']['addr']


def test_more_places_than_fit(host: Host, guest: KvmGuest) -> None:
    """They are forgotten, but not by the reset, which replaces them all."""
    offsets = [2 * PAGE * number for number in range(PLACES + 100)]
    first = address_of_dimm(guest)
    host.poison_file(FILE, offsets)
    guest.wait_until(lambda: len(guest.ras()['host-poisoned']) == PLACES,
                     'host-poisoned', 120)
    assert {entry['address'] - first
            for entry in guest.ras()['host-poisoned']} <= set(offsets)
    with pytest.raises(Exception, match=rf'\({PLACES} ranges'):
        guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
    guest.check_alive()
    guest.reset()
    assert guest.ras()['host-poisoned'] == []
    # All of the file can be used again: this would fail otherwise.
    assert len(host.where_in_file(FILE, offsets)) == len(offsets)
    guest.check_alive()


def test_unplugged(host: Host, guest: KvmGuest) -> None:
    """Failed memory that the guest no longer has is no concern of it."""
    first = address_of_dimm(guest)
    host.poison_file(FILE, [DIMM // 2])
    guest.wait_until(lambda: guest.ras()['host-poisoned'] == [
        {'address': first + DIMM // 2, 'length': PAGE}], 'host-poisoned')
    guest.qemu.qmp('device_del', id='dimm')
    guest.wait_until(lambda: not guest.qemu.qmp('query-memory-devices'),
                     'the guest lets the DIMM go')
    guest.wait_until(lambda: guest.ras()['host-poisoned'] == [], 'forgotten')
    guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
    guest.check_alive()


def page_tables(guest: KvmGuest) -> List[int]:
    """Guest physical addresses of the guest's page tables."""
    said = guest.agent.run(
        'dd if=/proc/kpageflags bs=2M count=1 skip=1 2>/dev/null | '
        'hexdump -v -e \'1/4 "%08x" 1/4 " %08x\\n"\' | '
        # KPF_PGTABLE is bit 26.
        'awk \'substr($1, 2, 1) ~ /[4567cdef]/ { print NR - 1 }\'', 120)
    return [guest.host.lab.ram_base + int(line) * PAGE
            for line in said.output.split()]


def table_of(guest: KvmGuest, victim: Victim) -> int:
    """The page table that maps the first page of a victim."""
    tables = page_tables(guest)
    # Arm ARM, VMSAv8-64: a level 3 descriptor, valid, bits 47:12.
    index = victim.va // PAGE % (PAGE // 8)
    found = [table for table, entry in zip(tables, guest.host.read(
        [table + 8 * index for table in tables]))
             if entry & 1 and entry & 0xfffffffff000 == victim.pa[0]]
    assert len(found) == 1, f'{len(found)} of {len(tables)} page tables'
    return found[0]


def test_page_table(host: Host) -> None:
    """A page table has failed, which QEMU looks into as well: what was it?

    What is left of the guest is its own business; QEMU has to live, and to
    tell it.
    """
    guest = host.start_guest('ras')
    guest.damaged = True
    victim = guest.spawn(memory='code', cpu=1)
    table = table_of(guest, victim)
    account = guest.account()
    host.poison([table])
    guest.tell([victim], 'fetch', answer=False)
    account.wait('notified')
    for event in account.events('notified'):
        assert event['address'] & -PAGE == table
        assert event['origin'] == 'sigbus'
        assert event['access'] == 'unknown'
    assert guest.qemu.qmp('query-status')['running']
    assert guest.qemu.exit_status() is None
