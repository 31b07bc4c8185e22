# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux on memory that has failed, and moves with it: only who uses it is hit."""

from pathlib import Path
from typing import Any

import pytest

from ras import failing, migration
from ras.cases import HANDLED, hit_of
from ras.guest import HELPERS, Guest
from ras.migration import move, postcopy, precopy
from ras.oracles import oracle_for
from ras.targets import ARM64, PPC64, Target

GIB = 1 << 30
PAGE = 4096


@pytest.mark.parametrize('target', [ARM64, PPC64], ids=['arm64', 'ppc64'])
class TestGuest:
    """Each way has a boot; test_holes.py has the other ways."""

    def test_unknown(self, target: Target, tmp_path: Path,
                     monkeypatch: Any) -> None:
        """A process touches memory that nobody knew had failed.

        What it has not touched since it was run last TCG has to look up, so
        that a helper makes the access, or the translator.  For some instructions
        that is always so.
        """
        library = tmp_path / 'fail.so'
        failing.build(library)
        oracle = oracle_for(target)
        with Guest(target, f'unknown-{target.name}') as guest:
            with monkeypatch.context() as patch:
                patch.setenv('LD_PRELOAD', str(library))
                patch.setenv('FAIL_SOCKET', f'{tmp_path}/fail')
                guest.boot()
            memory = failing.Failing(tmp_path / 'fail', GIB)
            control = guest.spawn_control()
            base = 0x40000000 if target is ARM64 else 0
            accesses = ('load', 'store', 'fetch', *HELPERS)
            for access in accesses:
                victim = guest.spawn(
                    memory='code' if access == 'fetch' else 'anon')
                memory.fail(victim.pa[0] - base)
                victim.tell(f'{access} 0')
                oracle.check_sigbus(victim.sigbus(), hit_of(victim, access))
                assert victim.end_after_sigbus() == HANDLED
            # Neighbours are one range.
            assert sum(item['length'] for item in guest.qemu.qmp(
                'query-ras')['host-poisoned']) == len(accesses) * PAGE
            assert control.count()['bad'] == 0
            guest.check_alive()

    def test_moves(self, target: Target, tmp_path: Path,
                   monkeypatch: Any) -> None:
        """A process meets its lost page at the destination, others do not."""
        library = tmp_path / 'fail.so'
        failing.build(library)
        oracle = oracle_for(target)
        for number, way in enumerate((precopy, postcopy)):
            with Guest(target, f'holes-{target.name}-{way.__name__}') as guest:
                with monkeypatch.context() as patch:
                    patch.setenv('LD_PRELOAD', str(library))
                    patch.setenv('FAIL_SOCKET', f'{tmp_path}/{number}')
                    guest.boot()
                failed = failing.Failing(tmp_path / str(number), GIB)
                victim, other = guest.spawn(), guest.spawn()
                control = guest.spawn_control()
                base = 0x40000000 if target is ARM64 else 0
                failed.fail(victim.pa[0] - base)
                move(guest, way)
                guest.qemu.qmp('cont')
                mark = guest.qemu.qmp('query-ras')['host-poisoned']
                assert [(item['address'], item['moved']) for item in mark] == \
                    [(victim.pa[0], True)]
                assert other.ask('load 0 0', 'done ').endswith('good=1')
                victim.tell('load 0 0')
                oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
                assert control.count()['bad'] == 0
                guest.check_alive()

    def test_fails_elsewhere(self, target: Target, tmp_path: Path,
                             monkeypatch: Any) -> None:
        """In postcopy: who waits for the page gets the error, and no zeroes."""
        library = tmp_path / 'fail.so'
        failing.build(library)
        oracle = oracle_for(target)
        with Guest(target, f'elsewhere-{target.name}') as guest:
            with monkeypatch.context() as patch:
                patch.setenv('LD_PRELOAD', str(library))
                patch.setenv('FAIL_SOCKET', f'{tmp_path}/fail')
                guest.boot()
            memory = failing.Failing(tmp_path / 'fail', GIB)
            victim, control = guest.spawn(), guest.spawn_control()
            old = guest.qemu
            new = guest.successor(False, ['-S', '-incoming', 'defer'])
            try:
                new.launch()
                # Until the end, little more than what the guest asks for.
                old.qmp('migrate-set-parameters',
                        max_postcopy_bandwidth=64 << 10)
                postcopy(old, new, tmp_path)
                memory.fail(victim.pa[0] -
                            (0x40000000 if target is ARM64 else 0))
                guest.continue_in(new)
                new.qmp('cont')
                victim.tell('load 0')
                oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
                old.qmp('migrate-set-parameters', max_postcopy_bandwidth=0)
                migration.wait_status(old, 'completed')
                assert [item['address'] for item in guest.qemu.qmp(
                    'query-ras')['host-poisoned']] == victim.pa
                assert control.count()['bad'] == 0
                guest.check_alive()
            finally:
                (new if guest.qemu is old else old).close()
