# SPDX-License-Identifier: GPL-2.0-or-later
"""A target without a machine that has guest RAS is as it was.

x86_64 stands for all of them, with the small QEMU on a fake KVM; and s390x in
"make check-long", as its build takes long.
"""

import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from ras import environment, fake_kvm

# For each target, our build and the base, and a type that both have.
BUILDS = {'x86_64': ['RAS_QEMU_X86_64', 'RAS_STOCK_QEMU_X86_64'],
          's390x': ['RAS_QEMU_S390X', 'RAS_STOCK_QEMU_S390X']}
MACHINES = {'x86_64': 'pc-q35-10.0-machine',
            's390x': 's390-ccw-virtio-10.0-machine'}

# Nothing runs, and time does not differ.
SAME = ['-S', '-rtc', 'base=2026-11-29,clock=vm']


def _s390x(folder: Path) -> List[str]:
    """Arguments of a VM, which runs nothing."""
    (folder / 'bios').write_bytes(bytes(0x1000))
    return ['-machine', 's390-ccw-virtio', '-accel', 'tcg', '-m', '16M',
            '-nodefaults', '-bios', str(folder / 'bios')]


@pytest.fixture(name='target', scope='module', params=[
    target for target, builds in BUILDS.items()
    if all(environment.has(build) for build in builds)])
def _target(request: pytest.FixtureRequest) -> str:
    """A target for which there are builds."""
    return str(request.param)


@pytest.fixture(name='vms', scope='module')
def _vms(target: str, tmp_path_factory: pytest.TempPathFactory
         ) -> Iterator[List[Any]]:
    """A stopped VM of each build."""
    folder = tmp_path_factory.mktemp('other')
    library = folder / 'fake-kvm.so'
    if target == 'x86_64':
        fake_kvm.build(library)
    else:
        environment.use_qemu_python()
        from qemu.machine import QEMUMachine  # pylint: disable=C0415
    vms: List[Any] = []
    for build in BUILDS[target]:
        own = folder / build
        own.mkdir()
        if target == 'x86_64':
            vms.append(fake_kvm.machine(build, library, 'wait', own,
                                        [*SAME, *fake_kvm.Q35]))
        else:
            vms.append(QEMUMachine(
                str(environment.path(build)), name=build,
                base_temp_dir=str(own), log_dir=str(own),
                qmp_timer=60 * environment.time_factor(),
                wrapper=['setpriv', '--pdeathsig', 'KILL', '--'],
                args=[*SAME, *_s390x(own)]))
        vms[-1].launch()
    yield vms
    for vm in vms:
        vm.shutdown(hard=True)
    shutil.rmtree(folder, ignore_errors=True)


def _both(vms: List[Any], command: str, **arguments: Any) -> Any:
    """What the two answer, which is the same."""
    ours, stock = (vm.qmp(command, arguments) for vm in vms)
    assert ours == stock
    return ours


def test_same_types(target: str, vms: List[Any]) -> None:
    """There is no device, nor any other type, that stock has not."""
    types = _both(vms, 'qom-list-types')['return']
    assert MACHINES[target] in [entry['name'] for entry in types]


def test_no_monitor_commands(vms: List[Any]) -> None:
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
def test_qmp_says_why(vms: List[Any], command: str,
                      arguments: Dict[str, Any]) -> None:
    """QMP has one schema for all targets; the commands say why they fail."""
    error = vms[0].qmp(command, arguments)['error']
    assert error['desc'] == 'No machine of this target has guest RAS'


def test_same_stream(vms: List[Any]) -> None:
    """The state that is saved has the same bytes."""
    streams = []
    for vm in vms:
        file = Path(vm.temp_dir) / 'stream'
        vm.cmd('migrate', {'uri': f'exec:cat >{file}'})
        while vm.cmd('query-migrate')['status'] not in ('completed', 'failed'):
            pass
        assert vm.cmd('query-migrate')['status'] == 'completed'
        streams.append(file.read_bytes())
    assert len(streams[0]) > 1000
    assert streams[0] == streams[1]
