# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways for a guest to move from one QEMU process to another.

Each function takes the two processes.  The new one was started stopped, and
waits for a migration if the way is one.  Afterwards the guest
stands still in the new one, and what is left to transfer is on its way.
"""

import time
from pathlib import Path
from typing import Any, Callable, Dict, Sequence

import pytest

from . import environment
from .guest import Guest
from .qemu import Qemu, QemuError

Way = Callable[[Qemu, Qemu, Path], None]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 120 * environment.time_factor()
    pause = 0.02
    while not condition():
        assert time.monotonic() < end, f'{what}: not in time'
        time.sleep(pause)
        # To ask takes time, too, in a QEMU that is slow.
        pause = min(2 * pause, 0.5)


def wait_status(qemu: Qemu, *wanted: str) -> Dict[str, Any]:
    """Wait until the migration has got that far; query-migrate."""
    info: Dict[str, Any] = {}

    def there() -> bool:
        info.clear()
        info.update(qemu.qmp('query-migrate'))
        assert info.get('status') != 'failed', info
        return info.get('status') in wanted

    wait_until(there, f'migration {" or ".join(wanted)}')
    return info


def wait_failed(qemu: Qemu) -> str:
    """Wait until the migration fails; why it did."""
    info: Dict[str, Any] = {}

    def failed() -> bool:
        info.clear()
        info.update(qemu.qmp('query-migrate'))
        assert info.get('status') != 'completed'
        return info.get('status') == 'failed'

    wait_until(failed, 'a migration that fails')
    return str(info.get('error-desc'))


# What a process may still have from when the guest moved to it.
CAPABILITIES = ('return-path', 'postcopy-ram', 'multifd', 'mapped-ram')


def prepare(qemus: Sequence[Qemu], *wanted: str) -> None:
    """Give them these capabilities, and no limits."""
    for qemu in qemus:
        qemu.qmp('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': name in wanted}
            for name in CAPABILITIES])
        # As fast as it goes, and no hurry at the end.
        qemu.qmp('migrate-set-parameters', max_bandwidth=0,
                 downtime_limit=3000)


def connect(old: Qemu, new: Qemu, folder: Path) -> None:
    """Begin, over a socket."""
    uri = f'unix:{folder}/migration'
    new.qmp('migrate-incoming', uri=uri)
    old.qmp('migrate', uri=uri)


def wait_arrived(new: Qemu) -> None:
    """Wait until the guest is there."""
    wait_until(lambda: new.qmp('query-status')['status'] != 'inmigrate',
              'the guest on the other side')


def precopy(old: Qemu, new: Qemu, folder: Path) -> None:
    """Over a socket; the source notices if the destination fails."""
    prepare([old, new], 'return-path')
    connect(old, new, folder)
    wait_status(old, 'completed')
    wait_arrived(new)


def postcopy(old: Qemu, new: Qemu, folder: Path) -> None:
    """Memory follows when the guest touches it."""
    try:
        prepare([old, new], 'postcopy-ram')
    except QemuError as exc:
        pytest.skip(f'QEMU cannot do postcopy here: {exc}')
    # So slow that it cannot be over before it is told to start.
    old.qmp('migrate-set-parameters', max_bandwidth=1 << 20)
    connect(old, new, folder)
    old.qmp('migrate-start-postcopy')
    wait_status(old, 'postcopy-active', 'completed')
    wait_arrived(new)


def multifd(old: Qemu, new: Qemu, folder: Path) -> None:
    """Memory goes over several connections."""
    prepare([old, new], 'multifd', 'return-path')
    connect(old, new, folder)
    assert wait_status(old, 'completed')['ram']['multifd-bytes'] > 0
    wait_arrived(new)


def file(old: Qemu, new: Qemu, folder: Path) -> None:
    """Into a file, and from there; what "virsh save" does."""
    prepare([old, new])
    uri = f'file:{folder}/state'
    old.qmp('migrate', uri=uri)
    wait_status(old, 'completed')
    new.qmp('migrate-incoming', uri=uri)
    wait_status(new, 'completed')
    wait_arrived(new)


def mapped_ram(old: Qemu, new: Qemu, folder: Path) -> None:
    """Into a file in which each page has its place, by several threads."""
    prepare([old, new], 'multifd', 'mapped-ram')
    uri = f'file:{folder}/state'
    old.qmp('migrate', uri=uri)
    wait_status(old, 'completed')
    new.qmp('migrate-incoming', uri=uri)
    wait_status(new, 'completed')
    wait_arrived(new)


# Snapshots

def _job(qemu: Qemu, command: str, **arguments: Any) -> None:
    jobs: Dict[str, Any] = {}

    def concluded() -> bool:
        jobs.update(qemu.qmp('query-jobs')[0])
        return jobs['status'] == 'concluded'

    qemu.qmp(command, job_id='job', **arguments)
    wait_until(concluded, command)
    qemu.qmp('job-dismiss', id='job')
    assert 'error' not in jobs, jobs


def _add_disk(qemu: Qemu, disk: Path) -> None:
    qemu.qmp('blockdev-add', driver='qcow2', node_name='disk',
             file={'driver': 'file', 'filename': str(disk)})


def create_disk(qemu: Qemu, disk: Path) -> None:
    """A new disk that can hold a snapshot; it is not opened."""
    _job(qemu, 'blockdev-create', options={
        'driver': 'file', 'filename': str(disk), 'size': 0})
    qemu.qmp('blockdev-add', driver='file', node_name='file',
             filename=str(disk))
    _job(qemu, 'blockdev-create', options={
        'driver': 'qcow2', 'file': 'file', 'size': 1 << 20})
    qemu.qmp('blockdev-del', node_name='file')


def save_snapshot(qemu: Qemu, disk: Path) -> None:
    """What savevm does, into a new disk; the guest stands still."""
    create_disk(qemu, disk)
    _add_disk(qemu, disk)
    _job(qemu, 'snapshot-save', tag='moment', vmstate='disk',
         devices=['disk'])
    qemu.qmp('blockdev-del', node_name='disk')


def load_snapshot(qemu: Qemu, disk: Path) -> None:
    """What loadvm does; the guest stands still."""
    _add_disk(qemu, disk)
    _job(qemu, 'snapshot-load', tag='moment', vmstate='disk',
         devices=['disk'])
    qemu.qmp('blockdev-del', node_name='disk')


def snapshot(old: Qemu, new: Qemu, folder: Path) -> None:
    """savevm, and loadvm in another process."""
    old.qmp('stop')
    save_snapshot(old, folder / 'disk')
    load_snapshot(new, folder / 'disk')


WAYS: Dict[str, Way] = {'precopy': precopy, 'postcopy': postcopy,
                        'multifd': multifd, 'file': file,
                        'snapshot': snapshot}


def move(guest: Guest, way: Way = precopy, stock: bool = False,
         compare: Callable[[Qemu, Qemu], None] = lambda old, new: None
         ) -> None:
    """Let the guest go on in another QEMU; it stands still there.

    @stock: in one without guest RAS.
    @compare: called when the guest stands still in both.
    """
    old = guest.qemu
    new = guest.successor(stock, ['-S', *(
        [] if way is snapshot else ['-incoming', 'defer'])])
    folder = guest.make_folder()
    try:
        new.launch()
        way(old, new, folder)
        if way is not postcopy:
            compare(old, new)
        guest.continue_in(new)
        if way is postcopy:
            # Running, so that it meets memory that is not there yet.
            new.qmp('cont')
            ram = wait_status(old, 'completed')['ram']
            assert ram['postcopy-bytes'] > 0
    except BaseException:
        if guest.qemu is not new:
            new.close()
        raise
    finally:
        if guest.qemu is not old:
            old.close()
        guest.remove_folder(folder)
