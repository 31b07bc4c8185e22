# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of rasctl: the program, with its QEMU made up by fake.py.

$RAS_RASCTL_BUILD is the folder of the stand-alone build, with sanitizers: what
they find ends the program with a status that no test expects.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fake  # noqa: E402

BUILD = Path(os.environ['RAS_RASCTL_BUILD'])
RASCTL = BUILD / 'tools' / 'rasctl' / 'rasctl'
# An exit status of its own.
SANITIZERS = {'ASAN_OPTIONS': 'exitcode=99', 'LSAN_OPTIONS': 'exitcode=99',
              'UBSAN_OPTIONS': 'exitcode=99', 'LC_ALL': 'C.UTF-8',
              'TZ': 'UTC'}


class Program:
    """rasctl, told which VM."""

    def __init__(self, vm: List[str], environment: Dict[str, str]) -> None:
        self.vm = vm
        self.environment = {**os.environ, **SANITIZERS, **environment}

    def __call__(self, *arguments: str, status: int = 0, vm: bool = True,
                 **options: Any) -> 'subprocess.CompletedProcess[str]':
        """Run it to its end, which has to have @status."""
        # Whatever happens, it is not for ever.
        done = subprocess.run(
            [RASCTL, *(self.vm if vm else []), *arguments],
            env=self.environment,
            stdin=options.pop('stdin', subprocess.DEVNULL),
            stdout=options.pop('stdout', subprocess.PIPE),
            stderr=subprocess.PIPE, text=True,
            timeout=60 * float(os.environ.get('RAS_TIME_FACTOR', '1')),
            check=False, **options)
        assert done.returncode == status, (done.returncode, done.stdout,
                                           done.stderr)
        assert (status in (0, 1)) or done.stderr.startswith('rasctl: ')
        return done

    def start(self, *arguments: str, **options: Any
              ) -> 'subprocess.Popen[str]':
        """Start it."""
        return subprocess.Popen(
            [RASCTL, *self.vm, *arguments], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name of a socket; short."""
    return Path(os.path.relpath(tmp_path / 'qmp'))


@pytest.fixture
def serve() -> Iterator[Callable[[fake.Server], fake.Server]]:
    """Start servers, which end with the test and have had no trouble."""
    servers: List[fake.Server] = []

    def start(server: fake.Server) -> fake.Server:
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.close()
        assert server.failure is None, repr(server.failure)


@pytest.fixture
def by_socket(path: Path) -> Program:
    """rasctl -q SOCKET"""
    return Program(['-q', str(path)], {})


@pytest.fixture
def by_libvirt(path: Path, tmp_path: Path) -> Program:
    """rasctl -d vm, with a libvirt that has a socket behind it."""
    libraries = tmp_path / 'lib'
    libraries.mkdir()
    for name in ('libvirt.so.0', 'libvirt-qemu.so.0'):
        (libraries / name).symlink_to(BUILD / 'tests' / 'rasctl' /
                                      'fake-libvirt.so')
    return Program(['-d', 'vm', '-c', str(path)],
                   {'LD_LIBRARY_PATH': str(libraries)})


@pytest.fixture(params=['socket', 'libvirt'])
def rasctl(request: pytest.FixtureRequest) -> Program:
    """rasctl, by each of the two ways."""
    return request.getfixturevalue(f'by_{request.param}')
