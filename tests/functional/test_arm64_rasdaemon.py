# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: rasdaemon in the guest notes errors as they were injected.

Debian's rasdaemon reads the kernel's trace events and keeps them in a
database, which these tests copy out of the guest.
"""

import base64
import gzip
import sqlite3
import struct
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from ras import cases, cper, initramfs
from ras.guest import PAGE, Guest
from ras.targets import Target

MACHINE = 'arm64'
pytestmark = pytest.mark.needs('RAS_RASDAEMON_ARM64')
LOG = '/tmp/rasdaemon.log'
DATABASE = '/var/lib/rasdaemon/ras-mc_event.db'
# Before it listens it waits for a trace event that Arm has not: 30000 times
# for a bit more than a millisecond, or for much more if the host is busy.
PATIENCE = 1800


@pytest.fixture(scope='module', autouse=True)
def guest_options(request: pytest.FixtureRequest, target: Target) -> None:
    """The guest of this module has rasdaemon in its initramfs."""
    request.module.GUEST_OPTIONS = {'extra_args': [
        '-machine', 'ras-ghes=on',
        '-initrd', str(initramfs.get_with_rasdaemon(target))]}


class Database:
    """What rasdaemon has noted."""

    def __init__(self, guest: Guest, copy: Path) -> None:
        self._guest = guest
        self._copy = copy

    def _read(self, table: str) -> List[Dict[str, Any]]:
        packed = self._guest.agent.run(f'gzip -c {DATABASE} | base64').output
        self._copy.write_bytes(gzip.decompress(base64.b64decode(packed)))
        connection = sqlite3.connect(self._copy)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(
                f'SELECT * FROM {table} ORDER BY id')]
        finally:
            connection.close()

    def rows(self, table: str, count: int = 0) -> List[Dict[str, Any]]:
        """The rows of @table, when there are @count at least."""
        end = time.monotonic() + 60 * self._guest.factor
        while True:
            rows: List[Dict[str, Any]] = []
            problem = None
            try:
                rows = self._read(table)
            except sqlite3.Error as exc:
                # Copied while it was written, or without the table yet.
                problem = exc
            if not problem and len(rows) >= count:
                return rows
            assert time.monotonic() < end, \
                f'{table}: {len(rows)} rows, not {count} ({problem})'
            time.sleep(0.5)

    def new_row(self, table: str, before: int) -> Dict[str, Any]:
        """The one row that has come after @before rows."""
        rows = self.rows(table, before + 1)
        assert len(rows) == before + 1
        return rows[-1]


@pytest.fixture
def database(guest: Guest, tmp_path: Path) -> Iterator[Database]:
    """rasdaemon listens in the guest."""
    if guest.agent.run('pidof rasdaemon').status:
        guest.agent.run(f'((rasdaemon -f -r; echo it has ended) >{LOG} 2>&1 '
                        '</dev/null &)')
        end = time.monotonic() + PATIENCE * guest.factor
        while guest.agent.run(
                f'grep -q "Recording memory_failure" {LOG}').status:
            assert time.monotonic() < end and \
                guest.agent.run(f'grep "it has ended" {LOG}').status, \
                guest.agent.run(f'tail -n 40 {LOG}').output
            time.sleep(2)
    yield Database(guest, tmp_path / 'rasdaemon.db')
    assert not guest.agent.run('pidof rasdaemon').status


class TestRasdaemon(cases.Case):
    """One row for each error, with its fields."""

    @staticmethod
    def inject(guest: Guest, part: str) -> bytes:
        """An error of CPU 1; returns its error information structure."""
        information = 0x0123456789abcdef
        va, pa = 0x0000ffff87654321, 0x00000000feed0123
        guest.qemu.qmp('ras-inject', kind='arm-processor', vcpu=1, type=part,
                       severity='corrected', count=7, flags=['first', 'last'],
                       error_information=information, virtual_address=va,
                       physical_address=pa)
        kind = {'cache': 2, 'tlb': 4, 'bus': 8, 'micro-architectural': 16}
        # UEFI 2.10, N.2.4.4.1; all of its fields are valid.
        return struct.pack('<BBHBHBQQQ', 0, 32, 0x1f, kind[part], 7, 3,
                           information, va, pa)

    @pytest.mark.parametrize('part, shown', [
        ('cache', 'cache error'), ('tlb', 'TLB error'), ('bus', 'bus error'),
        ('micro-architectural', 'micro-architectural error')])
    def test_arm_event(self, guest: Guest, database: Database, part: str,
                       shown: str) -> None:
        """An error of a processor that runs."""
        account = guest.account()
        before = len(database.rows('arm_event'))
        structure = self.inject(guest, part)
        row = database.new_row('arm_event', before)
        assert row['err_info'] == structure
        assert row['mpidr'] == 0x80000001
        assert row['running_state'] == 1
        assert row['psci_state'] == 0
        # "Not valid"
        assert row['affinity'] == -1
        # As Linux, it counts from 0, though the specification does not.
        assert row['error_count'] == 8
        # It cuts its texts off.
        assert len(row['error_type'].strip()) > 4
        assert shown.startswith(row['error_type'].strip())
        assert row['error_flags'].strip() == 'first'
        assert row['error_info'] == 0x0123456789abcdef
        assert row['virt_fault_addr'] == 0x0000ffff87654321
        assert row['phy_fault_addr'] == 0x00000000feed0123
        assert row['context_info'] == row['vendor_info'] == b''
        account.settle(acknowledged=1)

    def test_arm_event_of_an_offline_cpu(self, guest: Guest,
                                         database: Database) -> None:
        """A processor that the guest has switched off."""
        online = '/sys/devices/system/cpu/cpu1/online'
        before = len(database.rows('arm_event'))
        assert not guest.agent.run(f'echo 0 >{online}').status
        structure = self.inject(guest, 'cache')
        row = database.new_row('arm_event', before)
        assert row['err_info'] == structure
        assert row['mpidr'] == 0x80000001
        assert row['running_state'] == 0
        # PSCI: OFF
        assert row['psci_state'] == 1
        assert not guest.agent.run(f'echo 1 >{online}').status
        guest.check_alive()

    def test_memory_failure_event(self, guest: Guest,
                                  database: Database) -> None:
        """A page that the kernel has taken out of use."""
        before = len(database.rows('memory_failure_event'))
        victim = guest.spawn(memory='file')
        guest.inject(victim.pa[0], mode='report')
        row = database.new_row('memory_failure_event', before)
        assert int(row['pfn'], 0) == victim.pa[0] // PAGE
        assert row['page_type'].endswith(' LRU page')
        assert row['action_result'] == 'Recovered'
        victim.kill()

    @pytest.mark.parametrize('severity, shown', [
        (cper.CORRECTED, 'Corrected'), (cper.RECOVERABLE, 'Recoverable')])
    def test_non_standard_event(self, guest: Guest, database: Database,
                                severity: int, shown: str) -> None:
        """A section that only its vendor understands."""
        before = len(database.rows('non_standard_event'))
        section = bytes(range(100, 200))
        guest.qemu.qmp('ras-inject', kind='cper', data=cper.block([
            cper.Entry(cper.VENDOR, severity, section, 'loft 7')]))
        row = database.new_row('non_standard_event', before)
        assert row['sec_type'].encode() == cper.VENDOR.bytes_le
        assert row['fru_text'] == 'loft 7'
        assert row['severity'] == shown
        assert row['error'] == section
