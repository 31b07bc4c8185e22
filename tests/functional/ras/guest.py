# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest under test: boot, victims, injection, accounting."""

import itertools
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from . import environment, initramfs
from .agent import Agent, fields
from .qemu import Qemu
from .targets import Target

PAGE = 4096
BOOT_TIMEOUT = 180
# Property reclaim-ms, before it is stretched: a busy machine may not run a vCPU
# for the second that is the default.
RECLAIM_MS = 5000

# States in which the life of an error is over.
ENDS = ('acknowledged', 'delivered', 'reclaimed', 'discarded')
# The order in which states may follow each other; queued may be left out.
ORDER = ('accepted', 'queued', 'recorded', 'notified')


class Exit(NamedTuple):
    """How a process of the guest ended."""

    status: int   # exit status, -1 if a signal killed it
    signal: int   # signal that killed it, or 0


class Sigbus(NamedTuple):
    """What a SIGBUS handler saw."""

    code: int
    address: int
    lsb: int
    pc: int
    ns: int       # since the touch


# Accesses that an emulator has helpers for (victim.c)
HELPERS = ('zero', 'atomic', 'vector', 'pair')


class Victim:
    """A process in the guest that owns pages and touches them when told."""

    def __init__(self, guest: 'Guest', number: int, pid: int,
                 mark: int) -> None:
        self.guest = guest
        self.id = number
        self.pid = pid
        self._mark = mark
        self.va = 0
        self.pa: List[int] = []
        # Addresses of the instructions that touch.
        self.load_pc = 0
        self.store_pc = 0
        # The same, of those that an emulator has helpers for.
        self.helper_pcs: Dict[str, int] = {}
        # Addresses of the two instructions of the loop that spins.
        self.spin_pcs: List[int] = []

    def wait_ready(self, timeout: float = 60) -> 'Victim':
        """Wait until its pages are in memory and their addresses known."""
        line = self.wait('(ready|failed) ', timeout)
        assert ' failed ' not in line, line
        ready = fields(line)
        self.va = int(ready['va'], 0)
        self.pa = [int(pa, 0) for pa in ready['pa'].split(',')]
        self.load_pc = int(ready['load'], 0)
        self.store_pc = int(ready['store'], 0)
        self.helper_pcs = {word: int(ready[word], 0) for word in HELPERS
                           if word in ready}
        spin = int(ready['spin'], 0)
        self.spin_pcs = [spin, spin + 4]
        return self

    def wait(self, pattern: str, timeout: float = 60, mark: int = 0) -> str:
        """Wait for one of its reports."""
        return self.guest.agent.wait_line(
            rf'^\* victim {self.id} {pattern}', max(mark, self._mark),
            timeout)

    def tell(self, words: str) -> None:
        """Give it a command."""
        self.guest.tell([self], words)

    def ask(self, words: str, answer: str, timeout: float = 60) -> str:
        """Give it a command and wait for the report that answers it."""
        mark = self.guest.agent.stream.mark()
        self.tell(words)
        return self.wait(answer, timeout, mark)

    def wait_exit(self, timeout: float = 60) -> Exit:
        """Wait until it has ended."""
        line = self.guest.agent.wait_line(rf'^\* exit {self.id} ', self._mark,
                                          timeout)
        end = fields(line)
        return Exit(int(end['status']), int(end['signal']))

    def has_exited(self) -> bool:
        """True if it is known to have ended."""
        return bool(self.guest.agent.lines(rf'^\* exit {self.id} ',
                                           self._mark))

    def sigbus(self, timeout: float = 60) -> Sigbus:
        """Wait for the report of its SIGBUS handler."""
        seen = fields(self.wait('sigbus ', timeout))
        return Sigbus(int(seen['code']), int(seen['addr'], 0),
                      int(seen['lsb']), int(seen['pc'], 0), int(seen['ns']))

    def end_after_sigbus(self) -> Exit:
        """Let it go: its SIGBUS handler still keeps the page.

        The page is made good before that.  Linux may take it out of use much
        later than it sends the signal, or not at all (POWER, errors on two
        CPUs at once), and would hand it to somebody else.
        """
        for entry in self.guest.poisoned():
            for page in self.pa:
                if entry['address'] <= page < \
                        entry['address'] + entry['length']:
                    self.guest.unpoison(page)
        self.tell('exit')
        return self.wait_exit()

    def count(self) -> Dict[str, int]:
        """Rounds that a control process made, and faults that it found."""
        seen = fields(self.ask('count', 'counted '))
        return {key: int(value) for key, value in seen.items()}

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        self.guest.agent.command(f'kill {self.id}')
        self.wait_exit()


class Account:
    """What happened to errors since it was opened."""

    def __init__(self, guest: 'Guest') -> None:
        self._guest = guest
        self._before = guest.counters()
        self._mark = len(guest.qemu.events)

    def events(self, state: Optional[str] = None) -> List[Dict[str, Any]]:
        """The errors of the RAS_ERROR events so far, one per event."""
        return [event['data']['error']
                for event in self._guest.qemu.events[self._mark:]
                if event['event'] == 'RAS_ERROR'
                and state in (None, event['data']['error']['state'])]

    def wait(self, state: str, count: int = 1,
             timeout: float = 60) -> List[Dict[str, Any]]:
        """Wait until @count errors have reached @state."""
        self._guest.qemu.wait_events(
            lambda: len(self.events(state)) >= count,
            f'{count} errors {state}', timeout * environment.time_factor())
        return self.events(state)

    def delta(self) -> Dict[str, int]:
        """By how much the counters grew."""
        now = self._guest.counters()
        return {key: value - self._before[key] for key, value in now.items()}

    def settle(self, more: bool = False, timeout: float = 60,
               **ends: int) -> None:
        """Wait until so many errors have ended, and check the accounts.

        @more: more errors may have ended acknowledged.  So it is where the
        guest may let a process touch a page again.
        @ends: how many errors ended acknowledged, delivered, reclaimed,
        discarded; those that are not named: none.
        """
        expected = {end: ends.get(end, 0) for end in ENDS}
        total = sum(expected.values())
        self._guest.qemu.wait_events(
            lambda: self._all_over(total), f'{total} errors over',
            timeout * environment.time_factor())
        delta = self.delta()
        got = {end: delta[end] for end in ENDS}
        more = more or self._guest.target.may_hit_again
        if more and expected['acknowledged']:
            expected['acknowledged'] = max(expected['acknowledged'],
                                           got['acknowledged'])
        assert got == expected, f'errors ended {got}, expected {expected}'
        assert delta['accepted'] == sum(got.values())
        assert delta['in-flight'] == 0
        assert delta['poison-other-accesses'] == 0
        self.check_lives()

    def _all_over(self, total: int) -> bool:
        over = sum(len(self.events(end)) for end in ENDS)
        return over >= total and over == len(self.events('accepted'))

    def check_lives(self) -> None:
        """Each error went through the states in order, to one end."""
        lives: Dict[int, List[str]] = {}
        for error in self.events():
            lives.setdefault(error['id'], []).append(error['state'])
        for number, states in lives.items():
            assert states[0] == 'accepted', f'error {number}: {states}'
            for before, after in itertools.pairwise(states):
                assert before not in ENDS, f'error {number}: {states}'
                assert after in ENDS or \
                    ORDER.index(after) > ORDER.index(before), \
                    f'error {number}: {states}'
            if states[-1] == 'acknowledged':
                assert states[-3:] == ['recorded', 'notified',
                                       'acknowledged'], \
                    f'error {number}: {states}'
        delta = self.delta()
        seen = Counter(error['state'] for error in self.events())
        for state in ('accepted', 'recorded', 'notified', *ENDS):
            assert delta[state] == seen[state], \
                f'{state}: counter says {delta[state]}, events {seen[state]}'


class Guest:
    """One Debian guest on one machine."""

    def __init__(self, target: Target, name: str, stock: bool = False,
                 extra_args: Sequence[str] = (), paused: bool = False,
                 append: str = '', builds: Sequence[str] = ('',),
                 stock_build: str = '') -> None:
        """@builds, @stock_build: endings of the variables that name its QEMUs.

        With guest RAS it is started by the first of @builds, moves to the
        next, and so on.
        """
        self.target = target
        self._builds = itertools.cycle(builds)
        self._stock_build = stock_build
        self.factor = environment.time_factor()
        # Interrupts go to CPU 0, where the agent runs: it answers while a
        # test holds CPU 1.
        arguments = f'{target.kernel_arguments} irqaffinity=0 panic=0 ' \
                    f'{append}'.strip()
        self._name = name
        self._moves = itertools.count(1)
        self._args = [
            *target.machine_args(),
            '-m', '1G', '-smp', '2',
            '-L', str(environment.path('RAS_FIRMWARE')),
            '-kernel', str(environment.path(target.kernel_variable)),
            '-initrd', str(initramfs.get(target)),
            '-append', arguments,
            # A guest that has panicked stays there, as a real machine would.
            '-action', 'panic=none', *extra_args]
        self.qemu = self._make_qemu(name, stock, ['-S'] if paused else [])
        self.agent = Agent(self.qemu.agent, self.factor)
        self.console = self.qemu.console
        self.hello: Dict[str, str] = {}
        # Set when something happened after which tests want a fresh guest.
        self.damaged = False

    def __enter__(self) -> 'Guest':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_qemu(self, name: str, stock: bool,
                   more: Sequence[str]) -> Qemu:
        reclaim_ms = int(RECLAIM_MS * self.factor)
        return Qemu(environment.path(
            self.target.stock_variable + self._stock_build if stock
            else self.target.qemu_variable + next(self._builds)), [
                *([] if stock else
                  ['-global', f'ras.reclaim-ms={reclaim_ms}']),
                *self._args, *more], name)

    def successor(self, stock: bool, more: Sequence[str]) -> Qemu:
        """Another QEMU with the same machine and @more options."""
        return self._make_qemu(f'{self._name}-moved-{next(self._moves)}',
                               stock, more)

    def continue_in(self, qemu: Qemu) -> None:
        """The guest stands still, and has moved there."""
        qemu.take_over(self.qemu)
        self.qemu = qemu
        self.agent.stream = qemu.agent
        self.console = qemu.console

    def make_folder(self) -> Path:
        """An empty folder of the machine that QEMU runs on."""
        return Path(tempfile.mkdtemp(prefix='ras-'))

    def remove_folder(self, folder: Path) -> None:
        """Remove it, and all that is in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def launch(self) -> 'Guest':
        """Start QEMU; do not wait for the guest."""
        self.qemu.launch()
        return self

    def boot(self) -> 'Guest':
        """Start QEMU and wait until the agent is there."""
        self.launch()
        self.wait_boot(0)
        return self

    def wait_boot(self, mark: int) -> None:
        """Wait until the guest, started after @mark, is up."""
        self.hello = self.agent.wait_hello(mark, BOOT_TIMEOUT)

    def reset(self) -> None:
        """Reset the machine and wait until the guest is up again."""
        mark = self.agent.stream.mark()
        self.qemu.qmp('system_reset')
        if self.qemu.qmp('query-status')['status'] != 'running':
            self.qemu.qmp('cont')
        self.wait_boot(mark)
        self.damaged = False

    def close(self) -> None:
        """End QEMU."""
        self.qemu.close()

    # Processes of the guest

    @staticmethod
    def _words(options: Dict[str, Any]) -> str:
        return ''.join(f' {key}={int(value)}' if isinstance(value, bool)
                       else f' {key}={value}'
                       for key, value in options.items())

    def spawn(self, **options: Any) -> Victim:
        """Start a victim; options are those of the agent's spawn."""
        mark = self.agent.stream.mark()
        answer = self.agent.command('spawn' + self._words(options))
        return Victim(self, int(answer['id']), int(answer['pid']),
                      mark).wait_ready()

    def spawn_control(self) -> Victim:
        """Start a process that counts and checks its memory."""
        return self.spawn(control=True, pages=16)

    def burst(self, count: int, **options: Any) -> List[Victim]:
        """Start victims with one page each, physically adjacent."""
        mark = self.agent.stream.mark()
        answer = self.agent.command(
            f'burst count={count}' + self._words(options))
        first = int(answer['first'])
        victims = [Victim(self, number, 0, mark).wait_ready()
                   for number in range(first, first + count)]
        for before, after in itertools.pairwise(victims):
            assert after.pa[0] == before.pa[0] + PAGE
        return victims

    def tell(self, victims: Sequence[Victim], words: str,
             answer: bool = True) -> None:
        """Give victims a command, all the same one.

        @answer: wait until the agent has passed it on; not if the guest may
        be unable to answer after it.
        """
        ids = ','.join(str(victim.id) for victim in victims)
        if answer:
            self.agent.command(f'tell {ids} {words}')
        else:
            self.agent.send(f'tell {ids} {words}')

    def check_alive(self) -> None:
        """The guest answers, starts processes, and its memory is good."""
        assert self.agent.run('echo alive').output == 'alive\n'
        victim = self.spawn()
        assert victim.ask('check', 'checked ').endswith('bad=0')
        victim.tell('exit')
        assert victim.wait_exit() == Exit(0, 0)

    def corrupted(self) -> int:
        """How many pages its kernel has taken out of use."""
        text = self.agent.run('grep HardwareCorrupted /proc/meminfo').output
        return int(text.split()[1]) * 1024 // PAGE

    def wait_corrupted(self, count: int) -> None:
        """Wait until there are so many, and then a bit: no more come."""
        end = time.monotonic() + 60 * self.factor
        while self.corrupted() != count:
            assert time.monotonic() < end, \
                f'{self.corrupted()} pages are taken, expected {count}'
            time.sleep(0.1)
        self.agent.run('sleep 1')
        assert self.corrupted() == count

    def console_sync(self) -> None:
        """Wait until all that the kernel has printed is on the console."""
        text = f'ras-test-sync-{time.monotonic_ns()}'
        mark = self.console.mark()
        self.agent.command(f'kmsg {text}')
        self.console.wait(text, mark, 60 * self.factor)

    # Errors

    def ras(self) -> Dict[str, Any]:
        """query-ras, with the promise about its counters checked."""
        info = self.qemu.qmp('query-ras')
        counters = info['counters']
        assert counters['accepted'] == counters['in-flight'] + \
            sum(counters[end] for end in ENDS)
        assert counters['in-flight'] == len(info['queue'])
        return info

    def counters(self) -> Dict[str, int]:
        """The counters of query-ras."""
        return self.ras()['counters']

    def account(self) -> Account:
        """Start to keep accounts of errors."""
        return Account(self)

    def inject(self, address: int, mode: str = 'poison',
               severity: str = 'recoverable', length: Optional[int] = None,
               vcpu: Optional[int] = None,
               virtual_address: Optional[int] = None,
               polled: Optional[bool] = None) -> Dict[str, Any]:
        """ras-inject of a memory error."""
        return self.qemu.qmp('ras-inject', kind='memory', address=address,
                             length=length, severity=severity, mode=mode,
                             vcpu=vcpu, virtual_address=virtual_address,
                             polled=polled)

    def inject_machine_check(self, vcpu: int, what: str,
                             sub_type: Optional[str] = None,
                             **options: Any) -> Dict[str, Any]:
        """ras-inject of a machine check, class @what."""
        return self.qemu.qmp('ras-inject', kind='machine-check', vcpu=vcpu,
                             sub_type=sub_type, **{'class': what}, **options)

    def inject_serror(self, vcpu: int, **syndrome: Any) -> None:
        """ras-inject of an SError; its syndrome by the names of QMP."""
        self.qemu.qmp('ras-inject', kind='serror', vcpu=vcpu, **syndrome)

    def unpoison(self, address: int, length: Optional[int] = None) -> None:
        """ras-unpoison."""
        self.qemu.qmp('ras-unpoison', address=address, length=length)

    def symbol(self, name: str) -> int:
        """Address of a symbol of the guest's kernel."""
        return int(self.agent.command(f'symbol {name}')['address'], 0)

    def poisoned(self) -> List[Dict[str, Any]]:
        """The poisoned ranges."""
        return self.ras()['poisoned']
