# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: memory of the guest fails while the VM is saved.

It is not to move with it ("move-failed-memory=off").
Who reads it then is killed, so QEMU must not, and the guest has to live.
"""

from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from checks import Patients
from lab import RAM, Host, KvmGuest
from ras.migration import create_disk

HOST = 'arm64'

STAYS = ['-global ras.move-failed-memory=off']
# Says that something has arrived, and takes the rest when it is told to.
BEGUN, GO = '/tmp/begun', '/tmp/go'
SINK = f'exec:head -c 1 >{BEGUN}; until [ -e {GO} ]; do sleep 0.1; done; ' \
       'cat >/dev/null'
FILE = '/ram/stream'
# Bytes in a second: so slow that all of the guest takes half a minute.
SLOW = 8 << 20
# Capabilities, the way, and what lets it go on.
WAYS: Dict[str, List[str]] = {
    'precopy': [], 'background-snapshot': ['background-snapshot'],
    'multifd': ['multifd', 'mapped-ram']}


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest of its own for each test."""
    host.command(f'rm -f {BEGUN} {GO} {FILE}')
    made = host.start_guest('ras', extra_args=STAYS)
    made.damaged = True
    yield made


def migration(guest: KvmGuest) -> Dict[str, Any]:
    """What query-migrate says."""
    return guest.qemu.qmp('query-migrate')


def check_lives(guest: KvmGuest, patients: Patients) -> None:
    """The guest runs on here, is told, and cannot be saved before a reset."""
    assert guest.qemu.qmp('query-status')['status'] == 'running'
    # None if that was over when QEMU came to say it.
    said = [line for line in guest.qemu.output()
            if 'while it is migrated or saved' in line]
    assert len(said) <= 1, said
    guest.wait_until(lambda: 'blocked-reasons' in migration(guest), 'blocked')
    reason, = migration(guest)['blocked-reasons']
    assert 'have failed on this host' in reason
    patients.touch(lambda _: None)
    patients.check('sigbus')


def test_before(host: Host, guest: KvmGuest) -> None:
    """It has failed already: refused."""
    patients = Patients(guest, 1)
    host.poison(patients.pages)
    guest.wait_until(lambda: guest.ras()['host-poisoned'], 'host-poisoned')
    with pytest.raises(Exception, match='have failed on this host'):
        guest.qemu.qmp('migrate', uri='exec:cat >/dev/null')
    check_lives(guest, patients)


@pytest.mark.parametrize('way', WAYS)
def test_migration(host: Host, guest: KvmGuest, way: str) -> None:
    """A migration is under way, and has not come to that memory yet."""
    patients = Patients(guest, 1)
    guest.qemu.qmp('migrate-set-capabilities', capabilities=[
        {'capability': name, 'state': True} for name in WAYS[way]])
    if way == 'multifd':
        guest.qemu.qmp('migrate-set-parameters', max_bandwidth=SLOW)
        guest.qemu.qmp('migrate', uri=f'file:{FILE}')
        guest.wait_until(lambda: migration(guest).get('ram', {})
                         .get('transferred', 0) > 0, 'memory is written')
    else:
        # QEMU need not answer now: with a background snapshot it waits for
        # memory that it would change, until that was sent.
        guest.qemu.qmp('migrate', uri=SINK)
        guest.wait_until(lambda: host.agent.run(f'test -s {BEGUN}')
                         .status == 0, 'memory is sent', 300)
    host.poison(patients.pages)
    host.command(f'touch {GO}')
    guest.qemu.qmp('migrate-set-parameters', max_bandwidth=0)
    guest.wait_until(lambda: migration(guest)['status'] not in
                     ('setup', 'active'), 'the migration ends', 120)
    ended = migration(guest)
    assert ended['status'] == 'failed', ended
    assert 'has failed on this host' in ended['error-desc']
    check_lives(guest, patients)


def test_snapshot(host: Host, guest: KvmGuest) -> None:
    """A snapshot is made, and QEMU does nothing else meanwhile."""
    disk = '/ram/disk'
    host.command(f'rm -f {disk}')
    patients = Patients(guest, 1)
    guest.qemu.qmp('object-add', qom_type='throttle-group', id='slow',
                   limits={'bps-write': SLOW})
    create_disk(guest.qemu, Path(disk))
    guest.qemu.qmp('blockdev-add', driver='qcow2', node_name='disk', file={
        'driver': 'throttle', 'throttle-group': 'slow',
        'file': {'driver': 'file', 'filename': disk}})
    # QEMU does not answer before it is over, so the host does this by itself.
    size = f'du -k {disk} | cut -f1'
    begun = int(host.command(size)) + 4096
    page = patients.pages[0] - host.lab.ram_base
    host.command(f'(until [ $({size}) -gt {begun} ]; do sleep 0.1; done; '
                 f'/lab/ram poison {RAM} {page:#x}) >/dev/null 2>&1 &')
    guest.qemu.qmp('snapshot-save', job_id='job', tag='moment',
                   vmstate='disk', devices=['disk'])
    guest.wait_until(lambda: guest.qemu.qmp('query-jobs')[0]['status'] ==
                     'concluded', 'the snapshot ends', 120)
    job, = guest.qemu.qmp('query-jobs')
    assert 'Error while writing VM state' in job['error']
    check_lives(guest, patients)
