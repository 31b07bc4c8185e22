# SPDX-License-Identifier: GPL-2.0-or-later
"""The test cases, written once for all machines.

A test module names its machine and subclasses these classes.  Each case
looks at both sides: what the guest saw, and what QEMU says about the errors.

A memory error is injected by ras-inject, kind memory.  "Hit" means that an
instruction of the guest touched a page that is poisoned.
"""

import itertools
import time
from typing import Any, Callable, Dict, List, Sequence, Tuple

import pytest

from .gdb import Gdb
from .guest import PAGE, Account, Exit, Guest, Victim
from .oracles import EFAULT, Hit, Oracle, oracle_for
from .stream import StreamTimeout
from .targets import SIGBUS, Target

# Exit status of a victim whose SIGBUS handler ran (guest/agent.h).
HANDLED = Exit(43, 0)
KILLED = Exit(-1, SIGBUS)

VCPUS = (0, 1)

# What QEMU must answer at once may take this long on a busy machine.
AT_ONCE = 2.0


def hit_of(victim: Victim, access: str, page: int = 0,
           offset: int = 0) -> Hit:
    """The hit that "<access> <page> <offset>" makes."""
    va = victim.va + page * PAGE + offset
    pcs = {'load': [victim.load_pc], 'store': [victim.store_pc],
           'fetch': [va], 'spin': victim.spin_pcs,
           **{word: [pc] for word, pc in victim.helper_pcs.items()}}[access]
    return Hit(f'victim-{victim.id}', victim.pid, access, va,
               victim.pa[page] + offset, pcs)


def check_console(guest: Guest, mark: int, patterns: Sequence[str]) -> None:
    """Wait for each of the patterns on the console, after @mark."""
    for pattern in patterns:
        guest.console.wait(pattern, mark, 60 * guest.factor)


def check_event(event: Dict[str, Any], hit: Hit) -> None:
    """A RAS_ERROR event tells of @hit."""
    assert event['class'] == 'memory'
    assert event['origin'] == 'poison'
    assert event['synchronous'] is True
    assert event['access'] == hit.access
    assert event['address'] == hit.pa
    assert event['length'] == PAGE
    assert event['virtual-address'] == hit.va


def check_user_hit(guest: Guest, oracle: Oracle, hit: Hit, victim: Victim,
                   account: Account, mark: int) -> None:
    """A victim with a handler was told, and nothing else happened."""
    oracle.check_sigbus(victim.sigbus(), hit)
    check_console(guest, mark, oracle.user_lines(hit))
    account.settle(acknowledged=1)
    for event in account.events():
        check_event(event, hit)
    assert victim.end_after_sigbus() == HANDLED


def drain_errors(guest: Guest, oracle: Oracle) -> None:
    """Let the guest finish its work on errors that happened at the same time.

    Linux on POWER notes the pages of such errors in a queue of each CPU and
    may not look into it until the next error of that CPU.  By then the page
    may have got a new owner, so do this while the victims keep their pages.
    A full queue drops an error, so the first one for a CPU may do nothing but
    start the work; when it is done for two, what was before is done as well.
    """
    if not oracle.needs_next_error:
        return
    helpers = []
    for vcpu in VCPUS:
        done = 0
        mark = guest.console.mark()
        lines: List[str] = []
        while done < 2:
            assert len(lines) < 10, f'CPU {vcpu} does not retire pages'
            helper = guest.spawn(cpu=vcpu)
            helpers.append(helper)
            lines.append(oracle.retired_line(helper.pa[0]))
            guest.inject(helper.pa[0])
            helper.tell('load')
            helper.sigbus()
            try:
                guest.console.wait(lines[-1], mark, 3 * guest.factor)
            except StreamTimeout:
                pass
            # Also those that came late.
            done = sum(bool(guest.console.matching(line, mark))
                       for line in lines)
    for helper in helpers:
        assert helper.end_after_sigbus() == HANDLED


def stop_spinning(guest: Guest, oracle: Oracle,
                  victims: Dict[int, Victim]) -> None:
    """Stop the machine at a moment when these processes run on their vCPUs.

    Each of them is told to spin in user mode; @victims is by vCPU.
    """
    for victim in victims.values():
        victim.ask('spin', 'spinning')
    for _ in range(500):
        guest.qemu.qmp('stop')
        if all(oracle.in_user_mode(
                guest.qemu.qmp('human-monitor-command', cpu_index=vcpu,
                               command_line='info registers'),
                victim.spin_pcs) for vcpu, victim in victims.items()):
            return
        guest.qemu.qmp('cont')
        # Whoever runs instead gets a chance to finish, and they to go on.
        guest.agent.command('ping')
        time.sleep(0.005)
    raise AssertionError('the spinning processes do not run')


class Case:
    """What all cases use."""

    @pytest.fixture
    def oracle(self, target: Target) -> Oracle:
        """What the guest's kernel is expected to say."""
        return oracle_for(target)


class UserHits(Case):
    """Processes hit a poisoned page."""

    def test_story_of_one_error(self, guest: Guest, oracle: Oracle) -> None:
        """Guest's console, QEMU's log, trace and events tell the same.

        The first test: kernel and QEMU limit the rate of these messages.
        """
        victim = guest.spawn(cpu=1)
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        victim.tell('load 0 24')
        check_user_hit(guest, oracle, hit_of(victim, 'load', 0, 24), victim,
                       account, mark)
        address = victim.pa[0] + 24
        check_console(guest, mark, [
            line.replace('{pa:016x}', f'{address:016x}')
            for line in oracle.record_lines])
        number = account.events()[0]['id']
        lines = guest.qemu.trace(rf'warning: ras: error {number}: ')
        assert len(lines) == 1
        assert f'{address:#x}' in lines[0] and 'vCPU 1' in lines[0]
        for state in ('recorded', 'notified', 'acknowledged'):
            assert guest.qemu.trace(
                rf'ras_error_step id={number} state={state} ')
        for event in account.events():
            assert event['vcpu'] == 1
            assert ('delivery' in event) == \
                (event['state'] in ('notified', 'acknowledged'))

    @pytest.mark.parametrize('access', ['load', 'store'])
    @pytest.mark.parametrize('offset', [0, 0x128, PAGE - 8])
    def test_user_access(self, guest: Guest, oracle: Oracle, access: str,
                         offset: int) -> None:
        """A process loads from, or stores to, a poisoned page."""
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        assert guest.inject(victim.pa[0]) == {}
        assert account.delta()['accepted'] == 0
        victim.tell(f'{access} 0 {offset}')
        check_user_hit(guest, oracle, hit_of(victim, access, 0, offset),
                       victim, account, mark)
        guest.check_alive()

    @pytest.mark.parametrize('executed_before', [False, True])
    def test_user_fetch(self, guest: Guest, oracle: Oracle,
                        executed_before: bool) -> None:
        """A process executes instructions of a poisoned page."""
        victim = guest.spawn(memory='code', pages=2)
        if executed_before:
            assert victim.ask('fetch 1', 'done ').endswith('good=1')
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[1])
        victim.tell('fetch 1')
        check_user_hit(guest, oracle, hit_of(victim, 'fetch', 1), victim,
                       account, mark)
        guest.check_alive()

    def test_guest_retires_the_page(self, guest: Guest,
                                    oracle: Oracle) -> None:
        """The guest takes the page out of use, and only this one."""
        before = guest.corrupted()
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        victim.tell('load')
        check_user_hit(guest, oracle, hit_of(victim, 'load'), victim, account,
                       mark)
        assert guest.corrupted() == before + 1

    def test_page_that_nobody_touches(self, guest: Guest) -> None:
        """Poison alone does nothing; without it the page is as before."""
        victim = guest.spawn(pages=3)
        account, mark = guest.account(), guest.qemu.hmp('info status')
        guest.inject(victim.pa[1])
        assert guest.poisoned() == [{'address': victim.pa[1], 'length': PAGE,
                                     'severity': 'recoverable'}]
        # The neighbours are good.
        assert victim.ask('load 0 0', 'done ').endswith('good=1')
        assert victim.ask('load 2 0', 'done ').endswith('good=1')
        guest.check_alive()
        assert guest.qemu.hmp('info status') == mark
        guest.unpoison(victim.pa[1])
        assert guest.poisoned() == []
        assert victim.ask('check', 'checked ').endswith('bad=0')
        assert victim.ask('store 1 64', 'done ').endswith('good=1')
        account.settle()
        assert account.events() == []
        assert account.delta()['poison-other-accesses'] == 0
        victim.kill()

    def test_victim_without_handler(self, guest: Guest,
                                    oracle: Oracle) -> None:
        """SIGBUS kills the process that was hit, another one goes on.

        The page is one of a file, so that nobody gets it when the victim dies.
        """
        control = guest.spawn_control()
        victim = guest.spawn(handler=False, memory='file')
        bystander = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        victim.tell('load 0 8')
        assert victim.wait_exit() == KILLED
        check_console(guest, mark, [
            *oracle.signal_lines(hit_of(victim, 'load', 0, 8)),
            rf'Memory failure: {victim.pa[0] // PAGE:#x}: recovery action'])
        account.settle(acknowledged=1)
        before = control.count()
        after = control.count()
        assert after['count'] > before['count']
        assert after['bad'] == 0
        assert bystander.ask('check', 'checked ').endswith('bad=0')
        for process in (control, bystander):
            assert not process.has_exited()
            process.kill()

    def test_two_vcpus_at_the_same_time(self, guest: Guest,
                                        oracle: Oracle) -> None:
        """Two processes on two vCPUs are hit at once; each by its own."""
        for _ in range(5):
            victims = [guest.spawn(cpu=vcpu) for vcpu in VCPUS]
            account, mark = guest.account(), guest.console.mark()
            for victim in victims:
                guest.inject(victim.pa[0])
            guest.tell(victims, 'load 0 16 meet')
            for victim in victims:
                hit = hit_of(victim, 'load', 0, 16)
                oracle.check_sigbus(victim.sigbus(), hit)
                check_console(guest, mark, oracle.signal_lines(hit))
            account.settle(acknowledged=2)
            by_vcpu = {event['vcpu']: event
                       for event in account.events('acknowledged')}
            drain_errors(guest, oracle)
            check_console(guest, mark, [oracle.retired_line(victim.pa[0])
                                        for victim in victims])
            for vcpu, victim in zip(VCPUS, victims):
                check_event(by_vcpu[vcpu], hit_of(victim, 'load', 0, 16))
                assert victim.end_after_sigbus() == HANDLED
        guest.check_alive()

    def test_consume(self, guest: Guest, oracle: Oracle) -> None:
        """A vCPU takes an error while a process runs on it."""
        for vcpu, known in itertools.product(VCPUS, (True, False)):
            virtual_address = None
            victim = guest.spawn(cpu=vcpu)
            account, mark = guest.account(), guest.console.mark()
            stop_spinning(guest, oracle, {vcpu: victim})
            if known:
                virtual_address = victim.va
            number = guest.inject(victim.pa[0], mode='consume', vcpu=vcpu,
                                  virtual_address=virtual_address)['id']
            info = guest.ras()
            assert info['parked'] == [vcpu]
            assert [error['id'] for error in info['queue']] == [number]
            assert info['queue'][0]['state'] == 'queued'
            guest.qemu.qmp('cont')
            oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'spin'))
            if known or not oracle.needs_virtual_address:
                check_console(guest, mark,
                              [oracle.retired_line(victim.pa[0])])
            account.settle(acknowledged=1)
            assert victim.end_after_sigbus() == HANDLED
            for event in account.events():
                assert event['id'] == number
                assert event['origin'] == 'injected'
                assert event['vcpu'] == vcpu
                assert event['address'] == victim.pa[0]
                assert event.get('virtual-address') == virtual_address
        assert guest.poisoned() == []
        guest.check_alive()

    def test_consume_on_two_vcpus(self, guest: Guest,
                                  oracle: Oracle) -> None:
        """The second error waits for the acknowledgement of the first."""
        victims = {vcpu: guest.spawn(cpu=vcpu) for vcpu in VCPUS}
        account, mark = guest.account(), guest.console.mark()
        stop_spinning(guest, oracle, victims)
        for vcpu, victim in victims.items():
            guest.inject(victim.pa[0], mode='consume', vcpu=vcpu,
                         virtual_address=victim.va)
        info = guest.ras()
        assert sorted(info['parked']) == sorted(VCPUS)
        assert [error['state'] for error in info['queue']] == ['queued'] * 2
        guest.qemu.qmp('cont')
        for victim in victims.values():
            oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'spin'))
        account.settle(acknowledged=2)
        order = [(event['id'], event['state']) for event in account.events()
                 if event['state'] in ('recorded', 'acknowledged')]
        first, second = sorted({number for number, _ in order})
        assert order == [(first, 'recorded'), (first, 'acknowledged'),
                         (second, 'recorded'), (second, 'acknowledged')]
        drain_errors(guest, oracle)
        check_console(guest, mark, [oracle.retired_line(victim.pa[0])
                                    for victim in victims.values()])
        for victim in victims.values():
            assert victim.end_after_sigbus() == HANDLED
        guest.check_alive()

    def test_memory_failure_event(self, guest: Guest) -> None:
        """The event that management software knows from x86 is sent."""
        victim = guest.spawn()
        account, mark = guest.account(), len(guest.qemu.events)
        guest.inject(victim.pa[0])
        victim.tell('load')
        victim.sigbus()
        event = guest.qemu.wait_event('MEMORY_FAILURE', mark)
        assert event['data'] == {
            'recipient': 'guest', 'action': 'inject',
            'flags': {'action-required': True, 'recursive': False}}
        account.settle(acknowledged=1)
        assert len([event for event in guest.qemu.events[mark:]
                    if event['event'] == 'MEMORY_FAILURE']) == \
            account.delta()['notified']
        assert victim.end_after_sigbus() == HANDLED

    def test_hmp(self, guest: Guest) -> None:
        """The human monitor injects and shows errors."""
        victim = guest.spawn()
        account = guest.account()
        page = victim.pa[0]
        assert guest.qemu.hmp(f'ras_inject memory {page:#x} poison') == ''
        assert guest.poisoned() == [{'address': page, 'length': PAGE,
                                     'severity': 'recoverable'}]
        text = guest.qemu.hmp('info ras')
        assert f'poisoned: {page:#x}..{page + PAGE - 1:#x}, recoverable' \
            in text
        assert 'already poisoned' in \
            guest.qemu.hmp(f'ras_inject memory {page:#x} poison')
        assert guest.qemu.hmp(f'ras_unpoison {page:#x}') == ''
        assert victim.ask('load', 'done ').endswith('good=1')
        guest.qemu.hmp(f'ras_inject memory {page:#x} poison recoverable')
        victim.tell('load')
        victim.sigbus()
        assert victim.end_after_sigbus() == HANDLED
        account.settle(acknowledged=1)
        counters = guest.counters()
        text = guest.qemu.hmp('info ras')
        assert f'accepted {counters["accepted"]} = in flight 0 + ' \
            f'acknowledged {counters["acknowledged"]}' in text


class Bursts(Case):
    """Many errors at once."""

    COUNT = 32

    def hit_all(self, guest: Guest, oracle: Oracle, victims: List[Victim],
                account: Account) -> None:
        """Let all touch their pages at once; check that these die."""
        control = guest.spawn_control()
        bystanders = [guest.spawn(cpu=vcpu) for vcpu in VCPUS]
        mark = guest.console.mark()
        guest.tell(victims, 'load 0 32 meet')
        for victim in victims:
            oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load', 0, 32))
        account.settle(acknowledged=len(victims))
        assert {event['address'] for event in account.events()} == \
            {victim.pa[0] + 32 for victim in victims}
        drain_errors(guest, oracle)
        if not oracle.needs_next_error:
            check_console(guest, mark, [oracle.retired_line(victim.pa[0])
                                        for victim in victims])
        for victim in victims:
            assert victim.end_after_sigbus() == HANDLED
        assert guest.poisoned() == []
        # Nobody else has died, and nobody's memory has changed.
        for process in bystanders:
            assert process.ask('check', 'checked ').endswith('bad=0')
        before = control.count()
        after = control.count()
        assert after['count'] > before['count'] and after['bad'] == 0
        for process in (control, *bystanders):
            assert not process.has_exited()
            process.kill()
        guest.check_alive()

    def test_adjacent_pages_by_one_command(self, guest: Guest,
                                           oracle: Oracle) -> None:
        """32 processes own adjacent pages; one command poisons all."""
        victims = guest.burst(self.COUNT)
        account = guest.account()
        guest.inject(victims[0].pa[0], length=self.COUNT * PAGE)
        assert guest.poisoned() == [{'address': victims[0].pa[0],
                                     'length': self.COUNT * PAGE,
                                     'severity': 'recoverable'}]
        self.hit_all(guest, oracle, victims, account)

    def test_scattered_pages_by_many_commands(self, guest: Guest,
                                              oracle: Oracle) -> None:
        """32 processes own pages here and there; 32 commands."""
        victims = [guest.spawn(cpu=number % len(VCPUS))
                   for number in range(self.COUNT)]
        account = guest.account()
        for victim in victims:
            guest.inject(victim.pa[0])
        assert sum(entry['length'] for entry in guest.poisoned()) == \
            self.COUNT * PAGE
        self.hit_all(guest, oracle, victims, account)

    def test_poison_comes_and_goes_while_devices_work(
            self, guest: Guest) -> None:
        """Poison of untouched pages disturbs neither devices nor vCPUs.

        All that goes through the devices arrives, nothing is counted as an
        access to poison, and the pages keep what is in them.
        """
        rounds, lines = 20, 250
        victims = [guest.spawn() for _ in range(2)]
        pages = sorted(victim.pa[0] for victim in victims)
        account, mark = guest.account(), guest.console.mark()
        for _ in range(rounds):
            # Keeps both vCPUs busy with the console and the agent's port.
            guest.agent.send(f'run (head -c {lines * 80} /dev/zero | '
                             'tr "\\0" . | fold; echo) > /dev/console')
            for _ in range(50):
                for page in pages:
                    guest.inject(page)
                for page in pages:
                    guest.unpoison(page)
            assert guest.poisoned() == []
            guest.agent.command('ping')
        guest.console.wait(r'\.{40}', mark, 60 * guest.factor,
                           count=rounds * lines)
        for victim in victims:
            assert victim.ask('check', 'checked ').endswith('bad=0')
            victim.kill()
        account.settle()
        guest.check_alive()

    def test_one_after_another(self, guest: Guest, oracle: Oracle) -> None:
        """Identical errors in a row: none is dropped as a duplicate."""
        for _ in range(4):
            victim = guest.spawn()
            account, mark = guest.account(), guest.console.mark()
            guest.inject(victim.pa[0])
            victim.tell('store')
            check_user_hit(guest, oracle, hit_of(victim, 'store'), victim,
                           account, mark)


class KernelHits(Case):
    """The guest's kernel touches a poisoned page."""

    def test_kernel_reads_poisoned_file(self, guest: Guest,
                                        oracle: Oracle) -> None:
        """An oops, and the next error of another process is delivered."""
        guest.damaged = True
        victim = guest.spawn(memory='file', cpu=0)
        next_victim = guest.spawn(cpu=1)
        control = guest.spawn_control()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        guest.inject(next_victim.pa[0])
        victim.tell('exec')
        assert victim.wait_exit() == oracle.kernel_exit
        check_console(guest, mark, oracle.kernel_lines)
        notified = account.wait('notified')
        assert notified[0]['address'] & -PAGE == victim.pa[0]
        assert guest.qemu.is_running()

        mark = guest.console.mark()
        next_victim.tell('load')
        oracle.check_sigbus(next_victim.sigbus(), hit_of(next_victim, 'load'))
        check_console(guest, mark,
                      oracle.signal_lines(hit_of(next_victim, 'load')))
        assert next_victim.end_after_sigbus() == HANDLED
        ends = dict(oracle.kernel_ends)
        ends['acknowledged'] = ends.get('acknowledged', 0) + 1
        account.settle(**ends)
        assert control.count()['bad'] == 0
        guest.unpoison(victim.pa[0])
        guest.check_alive()

    def test_second_kernel_hit_on_the_same_vcpu(self, guest: Guest,
                                                oracle: Oracle) -> None:
        """Two oopses in a row on one vCPU; then a process is hit there."""
        guest.damaged = True
        victims = [guest.spawn(memory='file', cpu=0) for _ in range(2)]
        user = guest.spawn(cpu=0)
        account = guest.account()
        for victim in victims:
            guest.inject(victim.pa[0])
            victim.tell('exec')
            assert victim.wait_exit() == oracle.kernel_exit
        guest.inject(user.pa[0])
        user.tell('load')
        oracle.check_sigbus(user.sigbus(), hit_of(user, 'load'))
        ends = {end: 2 * count for end, count in oracle.kernel_ends.items()}
        ends['acknowledged'] = ends.get('acknowledged', 0) + 1
        account.settle(**ends)
        assert user.end_after_sigbus() == HANDLED
        for victim in victims:
            guest.unpoison(victim.pa[0])
        guest.check_alive()

    def test_system_call_with_poisoned_argument(self, guest: Guest,
                                                oracle: Oracle) -> None:
        """open(2) of a name in a poisoned page.

        Linux on POWER recovers from it (EFAULT); on arm64 6.12 it oopses.
        """
        guest.damaged = True
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        if guest.target.name == 'ppc64':
            answer = victim.ask('open', 'returned open ')
            assert answer.endswith(f'value=-1 errno={EFAULT}')
            victim.kill()
        else:
            victim.tell('open')
            assert victim.wait_exit() == oracle.kernel_exit
            check_console(guest, mark, oracle.kernel_lines)
        # The fixup on POWER tries once more, byte by byte.
        account.settle(more=True, **oracle.kernel_ends)
        guest.unpoison(victim.pa[0])
        guest.check_alive()


class Fatal(Case):
    """Errors that the guest must not survive."""

    def test_fatal(self, guest: Guest, oracle: Oracle) -> None:
        """The guest goes down as its kernel does it; QEMU lives."""
        guest.damaged = True
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0], severity='fatal')
        assert guest.poisoned()[0]['severity'] == 'fatal'
        guest.tell([victim], 'load', answer=False)
        check_console(guest, mark, oracle.fatal_lines)
        account.settle(**oracle.fatal_ends)
        assert account.events('notified')[0]['severity'] == 'fatal'
        assert guest.qemu.qmp('query-status')['status'] == 'running'
        guest.reset()
        assert guest.poisoned() == []
        guest.check_alive()


class Resets(Case):
    """The machine is reset while errors are under way."""

    def check_clean(self, guest: Guest, oracle: Oracle) -> None:
        """Nothing is left after a reset, and errors are delivered."""
        info = guest.ras()
        assert info['queue'] == [] and info['parked'] == []
        assert info['poisoned'] == []
        assert info['sources'][0]['ready'] is True
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        victim.tell('load')
        check_user_hit(guest, oracle, hit_of(victim, 'load'), victim, account,
                       mark)
        guest.check_alive()

    def test_reset_after_injection(self, guest: Guest,
                                   oracle: Oracle) -> None:
        """Poisoned pages and waiting errors end with the reset."""
        victims = {vcpu: guest.spawn(cpu=vcpu, pages=2) for vcpu in VCPUS}
        account = guest.account()
        stop_spinning(guest, oracle, victims)
        for vcpu, victim in victims.items():
            guest.inject(victim.pa[0], mode='consume', vcpu=vcpu)
            guest.inject(victim.pa[1])
        assert sorted(guest.ras()['parked']) == sorted(VCPUS)
        guest.reset()
        account.settle(discarded=2)
        self.check_clean(guest, oracle)

    def test_reset_during_burst(self, guest: Guest, oracle: Oracle) -> None:
        """Whatever was under way is accounted for."""
        victims = [guest.spawn(cpu=number % len(VCPUS))
                   for number in range(16)]
        account = guest.account()
        for victim in victims:
            guest.inject(victim.pa[0])
        guest.tell(victims, 'load 0 0 meet', answer=False)
        account.wait('accepted')
        guest.reset()
        delta = account.delta()
        assert delta['in-flight'] == 0
        assert delta['accepted'] >= 1
        # As many as there are victims, unless one may be hit again.
        assert guest.target.may_hit_again or \
            delta['accepted'] <= len(victims)
        account.check_lives()
        self.check_clean(guest, oracle)


class BootErrors(Case):
    """Errors while firmware and kernel boot.

    What the firmware makes of them is its own business.  QEMU must live and
    answer, and after a reset the guest boots as if nothing had been.
    """

    def check_recovers(self, guest: Guest) -> None:
        """QEMU answers at once; a reset makes all good."""
        for command in ('query-status', 'query-ras', 'query-cpus-fast'):
            assert guest.qemu.timed(command) < AT_ONCE * guest.factor
        guest.reset()
        assert guest.poisoned() == []
        guest.check_alive()
        victim = guest.spawn()
        account = guest.account()
        guest.inject(victim.pa[0])
        victim.tell('load')
        victim.sigbus()
        account.settle(acknowledged=1)

    def test_firmware_hits_poison(
            self, new_guest: Callable[..., Guest]) -> None:
        """Memory is poisoned before the first instruction."""
        guest = new_guest(paused=True).launch()
        account = guest.account()
        assert guest.ras()['sources'][0]['ready'] is False
        guest.inject(guest.target.firmware_ram, length=32 << 20)
        guest.qemu.qmp('cont')
        taken = account.wait('delivered')[0]
        assert taken['origin'] == 'poison'
        self.check_recovers(guest)

    def test_kernel_hits_poison_while_it_boots(
            self, new_guest: Callable[..., Guest]) -> None:
        """A quarter of the memory is poisoned when the kernel starts."""
        guest = new_guest(append='nokaslr').launch()
        guest.console.wait(guest.target.kernel_line, 0, 120 * guest.factor)
        guest.inject(guest.target.boot_ram, length=256 << 20)
        end = time.monotonic() + 60 * guest.factor
        while not self.was_hit(guest):
            assert time.monotonic() < end
            time.sleep(0.05)
        self.check_recovers(guest)

    @staticmethod
    def was_hit(guest: Guest) -> bool:
        """Did an instruction, or the walk of a page table, hit poison?"""
        counters = guest.counters()
        return counters['accepted'] + counters['poison-other-accesses'] > 0

    def test_error_handler_is_poisoned(self, guest: Guest,
                                       oracle: Oracle) -> None:
        """The first instruction of the guest's error handler is bad.

        There is nothing that the guest could do.  A machine that went round
        in errors for ever must not keep QEMU from answering.
        """
        guest.damaged = True
        victim = guest.spawn(cpu=1)
        page = oracle.vector_page(guest)
        account = guest.account()
        stop_spinning(guest, oracle, {1: victim})
        guest.inject(victim.pa[0])
        guest.inject(page)
        guest.qemu.qmp('cont')
        account.wait('notified')
        guest.qemu.wait_events(
            lambda: any(event['address'] & -PAGE == page
                        for event in account.events('accepted')),
            'the handler is hit', 60 * guest.factor)
        self.check_recovers(guest)


class Parking(Case):
    """What the cases of parked vCPUs use."""

    @pytest.fixture
    def parked(self, guest: Guest, oracle: Oracle) -> Any:
        """One vCPU at its error handler, the other one parked.

        Returns both, the victims by vCPU, and the account.
        """
        address = oracle.handler_address(guest)
        victims = {vcpu: guest.spawn(cpu=vcpu) for vcpu in VCPUS}
        account = guest.account()
        for victim in victims.values():
            guest.inject(victim.pa[0])
        with Gdb(guest) as gdb:
            gdb.set_breakpoint(address)
            gdb.continue_all()
            guest.tell(list(victims.values()), 'load 0 0 meet', answer=False)
            owner = gdb.wait_stop()
            gdb.clear_breakpoint(address)
            other = 1 - owner
            gdb.continue_only(other)
            account.wait('queued', 2)
            info = guest.ras()
            assert info['parked'] == [other]
            assert [error['state'] for error in info['queue']] == \
                ['notified', 'queued']
            assert info['sources'][0]['outstanding'] == info['queue'][0]['id']
            yield owner, other, victims, account


class Parked(Parking):
    """A vCPU waits with its error until that of another was acknowledged."""

    @pytest.fixture
    def guest(self, patient_guest: Guest) -> Guest:
        """A guest whose records are never reclaimed for their age."""
        return patient_guest

    def test_stop_and_cont(
            self, guest: Guest, oracle: Oracle,
            parked: Tuple[int, int, Dict[int, Victim], Account]) -> None:
        """The machine stops and goes on at once, and nothing is lost."""
        _, other, victims, account = parked
        limit = AT_ONCE * guest.factor
        assert guest.qemu.timed('query-status') < limit
        assert guest.qemu.timed('stop') < limit
        assert guest.qemu.qmp('query-status')['status'] == 'paused'
        info = guest.ras()
        assert info['parked'] == [other] and len(info['queue']) == 2
        assert guest.qemu.timed('query-cpus-fast') < limit
        assert guest.qemu.timed('cont') < limit
        # Now the first one goes on, too, and acknowledges.
        for victim in victims.values():
            oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
            assert victim.end_after_sigbus() == HANDLED
        account.settle(acknowledged=2)
        guest.check_alive()
        guest.damaged = False

    def test_reset(
            self, guest: Guest,
            parked: Tuple[int, int, Dict[int, Victim], Account]) -> None:
        """A reset ends the waiting; the guest boots clean."""
        account = parked[3]
        mark = len(guest.qemu.events)
        boot = guest.agent.stream.mark()
        assert guest.qemu.timed('system_reset') < AT_ONCE * guest.factor
        guest.qemu.wait_event('RESET', mark)
        account.settle(discarded=2)
        guest.wait_boot(boot)
        info = guest.ras()
        assert info['parked'] == [] and info['poisoned'] == []
        guest.check_alive()
        guest.damaged = False

    def test_quit(
            self, guest: Guest,
            parked: Tuple[int, int, Dict[int, Victim], Account]) -> None:
        """QEMU ends at once, without complaint."""
        assert guest.ras()['parked'] == [parked[1]]
        assert guest.qemu.quit() < AT_ONCE * guest.factor
        assert guest.qemu.exit_status() == 0
