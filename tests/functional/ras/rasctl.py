# SPDX-License-Identifier: GPL-2.0-or-later
"""rasctl with QEMU and Linux: what operators do, on both machines.

A module with these classes has GUEST_OPTIONS = rasctl.GUEST_OPTIONS, so that
its guests have one more QMP monitor.
"""

import base64
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from . import cases, environment
from .guest import PAGE, Guest
from .qemu import Qemu
from .targets import Target

sys.path.append(str(Path(__file__).resolve().parents[2] / 'rasctl'))

import fake  # noqa: E402

# Names of sockets are short; the folder is gone when the tests are.
_FOLDER = tempfile.TemporaryDirectory(prefix='ras-')
SOCKET = Path(_FOLDER.name) / 'qmp'
QMP = ['-qmp', f'unix:{SOCKET},server=on,wait=off']
GUEST_OPTIONS = {'extra_args': QMP}
BLOCK = {'arm64': 'mach-virt.ram', 'ppc64': 'ppc_spapr.ram'}


def run(*arguments: str, status: int = 0) -> str:
    """Run rasctl; it has to end with @status; its output."""
    done = subprocess.run(
        [environment.path('RAS_RASCTL'), '-q', str(SOCKET), '-t', '60',
         *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, check=False,
        timeout=180 * environment.time_factor())
    assert done.returncode == status, (done.returncode, done.stdout,
                                       done.stderr)
    return done.stdout if status in (0, 1) else done.stderr


def status_of() -> Dict[str, Any]:
    """What status says, whether there are errors or not."""
    done = subprocess.run(
        [environment.path('RAS_RASCTL'), '-q', str(SOCKET), 'status',
         '--json'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        check=False, timeout=180 * environment.time_factor())
    shown = json.loads(done.stdout)
    assert done.returncode == (0 if shown['well'] else 1)
    return shown


class Watch:
    """rasctl watch, while it runs."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [environment.path('RAS_RASCTL'), '-q', str(SOCKET), '-t', '60',
             'watch', *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: List[str] = []
        assert self._process.stderr and self._process.stdout
        assert self._process.stderr.readline().startswith('rasctl: watching')
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line.rstrip('\n'))

    def wait_line(self, pattern: str) -> str:
        """Wait for a line in which @pattern is found."""
        return fake.wait_for(lambda: next(
            (line for line in list(self.lines) if re.search(pattern, line)),
            None), 60)

    def end(self) -> int:
        """Its exit status, by itself."""
        status = self._process.wait(60 * environment.time_factor())
        self._thread.join()
        return status

    def __enter__(self) -> 'Watch':
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe
            pipe.close()


def files_of(guest: Guest, *paths: str) -> fake.Guest:
    """The guest's own files, for a guest agent that stands in for qemu-ga."""

    def reader(path: str) -> Any:
        def read(offset: int, count: int) -> bytes:
            # A file of /proc wants whole words.
            text = guest.agent.run(
                f'dd if={path} bs=8 skip={offset // 8} '
                f'count={(count + 7) // 8} 2>/dev/null | base64').output
            return base64.b64decode(text)[:count]
        return read

    return fake.Guest({path: reader(path) for path in paths})


class Operate(cases.Case):
    """Status, watch, inject and unpoison."""

    def test_hit(self, guest: Guest, target: Target) -> None:
        """A process runs into a page: every step is seen."""
        victim = guest.spawn()
        before = status_of()
        assert before['well'] and before['state'] == 'running'
        assert any(source['ready'] for source in before['ras']['sources'])
        account = guest.account()
        assert run('inject', 'memory', hex(victim.pa[0])) == ''
        bad = status_of()['bad-memory']
        assert [{key: entry[key] for key in ('address', 'length', 'what',
                                             'severity', 'block')}
                for entry in bad] == [{
                    'address': victim.pa[0], 'length': PAGE,
                    'what': 'poisoned', 'severity': 'recoverable',
                    'block': BLOCK[target.name]}]
        with Watch() as watch:
            victim.tell('load')
            victim.sigbus()
            line = watch.wait_line(r'error \d+ acknowledged: ')
            assert f'address {victim.pa[0]:#x}' in line
            assert f'virtual {victim.va:#x}' in line
            states = [re.search(r' error \d+ (\w+): memory, recoverable, '
                                'poison, load, vCPU', line)
                      for line in watch.lines if ' error ' in line]
            assert [match[1] for match in states if match][:5] == [
                'accepted', 'queued', 'recorded', 'notified', 'acknowledged']
            assert watch.wait_line('memory failure: guest, inject, action '
                                   'required')
        run('unpoison', hex(victim.pa[0]))
        victim.tell('exit')
        victim.wait_exit()
        account.settle(acknowledged=1)
        after = status_of()
        assert after['well'] and after['bad-memory'] == []
        metrics = run('status', '--metrics').splitlines()
        count = after['ras']['counters']['accepted']
        assert any(line.startswith('qemu_ras_accepted_total{')
                   and line.endswith(f' {count}') for line in metrics)

    def test_unpoison_all(self, guest: Guest) -> None:
        """All ranges, however many."""
        victim = guest.spawn(pages=3)
        run('inject', 'memory', hex(victim.pa[0]))
        run('inject', 'memory', hex(victim.pa[2]), '--severity', 'fatal')
        assert 'poisoned, fatal' in run('status', status=1)
        run('unpoison', '--all')
        assert guest.poisoned() == []
        victim.kill()

    def test_refused(self, guest: Guest) -> None:
        """QEMU's text, which says what would be right."""
        assert 'the page begins at 0x1000' in run('inject', 'memory',
                                                  '0x1010', status=4)
        assert "does not accept value 'soup'" in run(
            'inject', 'memory', '0x1000', '--mode', 'soup', status=4)
        assert 'is not poisoned' in run('unpoison', '0x1000', status=4)

    def test_busy(self, guest: Guest) -> None:
        """One client at a time."""
        with Watch():
            done = subprocess.run(
                [environment.path('RAS_RASCTL'), '-q', str(SOCKET), '-t', '1',
                 'status'], stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 3
            assert 'is busy' in done.stderr
        # QEMU notices by and by that both have left.
        assert status_of()['well']

    def test_alarm_pauses(self, guest: Guest) -> None:
        """Two different pages within a minute: the VM stands still."""
        victims = [guest.spawn(), guest.spawn()]
        account = guest.account()
        for victim in victims:
            run('inject', 'memory', hex(victim.pa[0]))
        with Watch('--json', '--once', '--pause', '--alarm',
                   '2 pages in 10m') as watch:
            victims[0].tell('load')
            victims[0].sigbus()
            assert guest.qemu.qmp('query-status')['status'] == 'running'
            guest.tell([victims[1]], 'load', answer=False)
            assert watch.end() == 1
            alarm = json.loads(watch.lines[-1])['alarm']
            assert alarm == {'pages': 2, 'seconds': 600, 'addresses': [
                victim.pa[0] for victim in victims]}
        assert guest.qemu.qmp('query-status')['status'] == 'paused'
        assert run('status', status=1).startswith('VM          paused')
        guest.qemu.qmp('cont')
        victims[1].sigbus()
        run('unpoison', '--all')
        for victim in victims:
            victim.tell('exit')
            victim.wait_exit()
        account.settle(acknowledged=2)


class Where(cases.Case):
    """The guest physical address of a page of a process."""

    @pytest.fixture
    def agent(self, guest: Guest) -> Iterator[Any]:
        """A guest agent that reads what @paths names in the guest."""
        servers = []

        def start(*paths: str) -> str:
            path = SOCKET.with_name('agent')
            path.unlink(missing_ok=True)
            servers.append(fake.Agent(path, files_of(guest, *paths)).start())
            return str(path)

        yield start
        for server in servers:
            server.close()

    def test_process(self, guest: Guest, agent: Any) -> None:
        """/proc/PID/pagemap of a real guest."""
        victim = guest.spawn(pages=2)
        socket = agent('/proc/self/auxv', f'/proc/{victim.pid}/pagemap')
        for index in range(2):
            address = victim.va + index * PAGE + 0x128
            assert run('-g', socket, 'where', str(victim.pid),
                       hex(address)) == f'{victim.pa[index] + 0x128:#x}\n'
        assert 'never touched' in run('-g', socket, 'where', str(victim.pid),
                                      '0x10', status=4)
        victim.kill()

    def test_vcpu(self, guest: Guest) -> None:
        """A process that computes on vCPU 1."""
        victim = guest.spawn(cpu=1)
        victim.tell('spin')
        end = time.monotonic() + 60 * environment.time_factor()
        while True:
            done = subprocess.run(
                [environment.path('RAS_RASCTL'), '-q', str(SOCKET), '-t',
                 '60', 'where', '--page', '--vcpu', '1', hex(victim.va)],
                stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode == 0:
                break
            # Another process ran there at that moment; let the guest run.
            assert time.monotonic() < end
            time.sleep(0.2)
        assert done.stdout == f'{victim.pa[0]:#x}\n'
        assert guest.qemu.qmp('query-status')['status'] == 'running'
        victim.kill()


class Nodes:
    """RAM blocks and NUMA nodes; no guest is needed for it."""

    def test_nodes(self, target: Target) -> None:
        """Two nodes, and a memory module."""
        base = 0x40000000 if target.name == 'arm64' else 0
        half = 512 << 20
        args = [*target.machine_args(), *QMP, '-S',
                '-L', str(environment.path('RAS_FIRMWARE')),
                '-m', '1G,slots=2,maxmem=4G', '-smp', '2']
        for number in range(3):
            args += ['-object',
                     f'memory-backend-ram,id=m{number},size=512M']
        args += ['-numa', 'node,memdev=m0,cpus=0',
                 '-numa', 'node,memdev=m1,cpus=1',
                 '-device', 'pc-dimm,memdev=m2,node=1,id=d']
        with Qemu(environment.path(target.qemu_variable), args,
                  f'rasctl-{target.name}-nodes') as qemu:
            qemu.launch()
            module, = qemu.qmp('query-memory-devices')
            for address in (base + half - PAGE, module['data']['addr']):
                run('inject', 'memory', hex(address), '--length', '8K')
            info = json.loads(run('status', '--json', status=1))
            assert [(entry['block'], entry['node'], entry['pages'])
                    for entry in info['bad-memory']] == [
                ('m0', 0, 1), ('m1', 1, 1), ('m2', 1, 2)]
