# SPDX-License-Identifier: GPL-2.0-or-later
"""A target without a machine that has guest RAS is as it was.

x86_64 stands for all of them, with the small QEMU on a fake KVM.
"""

import shutil
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from ras import environment, fake_kvm

BUILDS = ['RAS_QEMU_X86_64', 'RAS_STOCK_QEMU_X86_64']

pytestmark = pytest.mark.skipif(
    not all(environment.has(build) for build in BUILDS),
    reason='there is no build for x86_64')


@pytest.fixture(name='vms', scope='module')
def _vms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dict[str, Any]]:
    """A stopped VM of each build."""
    environment.use_qemu_python()
    from qemu.machine import QEMUMachine  # pylint: disable=C0415

    folder = tmp_path_factory.mktemp('other')
    library = folder / 'fake-kvm.so'
    fake_kvm.build(library)
    vms: Dict[str, Any] = {}
    for build in BUILDS:
        own = folder / build
        own.mkdir()
        settings = fake_kvm.settings(library, 'wait', own / 'log')
        vms[build] = QEMUMachine(
            str(environment.path(build)), name=build,
            base_temp_dir=str(own), log_dir=str(own),
            qmp_timer=60 * environment.time_factor(),
            wrapper=['setpriv', '--pdeathsig', 'KILL', '--', 'env',
                     *(f'{name}={value}'
                       for name, value in settings.items())],
            args=['-S', '-rtc', 'base=2026-11-29,clock=vm',
                  *fake_kvm.arguments(own, fake_kvm.Q35)])
        vms[build].launch()
    yield vms
    for vm in vms.values():
        vm.shutdown(hard=True)
    shutil.rmtree(folder, ignore_errors=True)


def _both(vms: Dict[str, Any], command: str, **arguments: Any) -> Any:
    """What the two answer, which is the same."""
    ours, stock = (vms[build].qmp(command, arguments) for build in BUILDS)
    assert ours == stock
    return ours


def test_same_types(vms: Dict[str, Any]) -> None:
    """There is no device, nor any other type, that stock has not."""
    types = _both(vms, 'qom-list-types')['return']
    assert 'pc-q35-10.0-machine' in [entry['name'] for entry in types]


def test_no_monitor_commands(vms: Dict[str, Any]) -> None:
    """The monitor does not know our commands."""
    for line in ['info ras', 'ras_inject memory 0 poison', 'ras_unpoison 0',
                 'help']:
        _both(vms, 'human-monitor-command', **{'command-line': line})


@pytest.mark.parametrize('command, arguments', [
    ('query-ras', {}),
    ('ras-unpoison', {'address': 0}),
    ('ras-inject', {'kind': 'memory', 'mode': 'poison', 'address': 0,
                    'severity': 'recoverable'}),
    ('inject-ghes-v2-error', {'cper': ''})])
def test_qmp_says_why(vms: Dict[str, Any], command: str,
                      arguments: Dict[str, Any]) -> None:
    """QMP has one schema for all targets; the commands say why they fail."""
    error = vms[BUILDS[0]].qmp(command, arguments)['error']
    assert error['desc'] == 'No machine of this target has guest RAS'


def test_same_stream(vms: Dict[str, Any]) -> None:
    """The state that is saved has the same bytes."""
    streams = []
    for build in BUILDS:
        vm = vms[build]
        file = Path(vm.temp_dir) / 'stream'
        vm.cmd('migrate', {'uri': f'exec:cat >{file}'})
        while vm.cmd('query-migrate')['status'] not in ('completed', 'failed'):
            pass
        assert vm.cmd('query-migrate')['status'] == 'completed'
        streams.append(file.read_bytes())
    assert len(streams[0]) > 1000
    assert streams[0] == streams[1]
