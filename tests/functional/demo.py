#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Boots a Linux guest on each machine, poisons a page of one of its processes
over QMP, lets the process touch the page, and tells what happened: that
process gets SIGBUS, everything else lives.

With --image, boots the guest that is on this disk instead, and lets the user
do the same in it.

Exit status: 0 if it went like that on all machines, 1 if not.
"""

import argparse
import re
import signal
import sys
import textwrap
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ras import own_guest  # noqa: E402
from ras.guest import PAGE, Account, Exit, Guest, Sigbus, Victim  # noqa: E402
from ras.oracles import Hit, oracle_for  # noqa: E402
from ras.targets import BUS_MCEERR_AR, TARGETS, Target  # noqa: E402

WIDTH = 80
OFFSET = 0x128
HANDLED = Exit(43, 0)

# Console lines that belong to the story; the rest is noise.
TOLD = r'Hardware Error|Memory failure|MCE: |machine check|SIGBUS|bus error'

_output_lock = threading.Lock()


def colour(text: str, code: str) -> str:
    """@text in a colour, if somebody can see it."""
    return f'\033[{code}m{text}\033[0m' if sys.stdout.isatty() else text


def say(text: str) -> None:
    """A line of progress."""
    with _output_lock:
        print(text, flush=True)


def paragraph(text: str, first: str, rest: str) -> str:
    """@text in lines of at most 80 columns."""
    return textwrap.fill(text, WIDTH, initial_indent=first,
                         subsequent_indent=rest,
                         break_long_words=False, break_on_hyphens=False)


class Story:
    """What happens on one machine, step by step."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.oracle = oracle_for(target)
        self.guest = Guest(target, f'demo-{target.name}')
        self.begun = 0.0
        self.moments: List[Tuple[float, str]] = []
        self.checks: List[Tuple[bool, str]] = []
        self.durations: List[Tuple[str, float]] = []
        self.victim: Optional[Victim] = None
        self.sigbus: Optional[Sigbus] = None
        self.console_lines: List[str] = []
        self.failure = ''

    def launch(self) -> None:
        """Start QEMU."""
        self.begun = self.note('QEMU starts')
        self.guest.launch()

    def note(self, text: str, moment: Optional[float] = None) -> float:
        """Put something on the time line."""
        moment = moment or time.time()
        self.moments.append((moment, text))
        return moment

    def check(self, good: bool, text: str) -> None:
        """A claim, and whether it is true."""
        self.checks.append((good, text))

    def run(self) -> None:
        """All of it; what goes wrong ends up in self.failure."""
        try:
            self.tell()
        except BaseException:  # pylint: disable=broad-except
            self.failure = traceback.format_exc()

    def tell(self) -> None:
        """The story itself."""
        guest = self.guest
        guest.wait_boot(0)
        up = self.note(f'Linux {guest.hello["release"]} is up, '
                       f'{guest.hello["cpus"]} CPUs')
        self.durations.append(('boot', up - self.begun))
        say(f'{self.target.name}: the guest is up')

        control = guest.spawn_control()
        self.note(f'process {control.pid} ("control-{control.id}") counts and '
                  'checks its memory all the time')
        victim = self.victim = guest.spawn(cpu=1)
        self.note(f'process {victim.pid} ("victim-{victim.id}") has a page at '
                  f'{victim.va:#x}, which is guest physical address '
                  f'{victim.pa[0]:#x}')
        before = control.count()

        account, mark = guest.account(), guest.console.mark()
        injected = self.note('QMP: ras-inject memory, recoverable, poison, '
                             f'address {victim.pa[0]:#x}')
        guest.inject(victim.pa[0])
        touched = self.note(f'the victim loads from {victim.va + OFFSET:#x}')
        self.durations.append(('injection', touched - injected))
        victim.tell(f'load 0 {OFFSET}')
        self.sigbus = victim.sigbus()
        got = self.note(
            f'the victim\'s handler gets SIGBUS, code {self.sigbus.code}, '
            f'address {self.sigbus.address:#x}')
        self.durations.append(('access to SIGBUS', got - touched))
        self.look_at_guest(mark, account)
        self.look_at_others(control, before['count'])
        self.durations.append(('demo', time.time() - self.begun))

    def look_at_guest(self, mark: int, account: Account) -> None:
        """What kernel, victim and QEMU say."""
        guest, victim, seen = self.guest, self.victim, self.sigbus
        assert victim is not None and seen is not None
        guest.console.wait(self.oracle.retired_line(victim.pa[0]), mark,
                           60 * guest.factor)
        account.settle(acknowledged=1)
        guest.console_sync()
        for line in guest.console.since(mark):
            if re.search(TOLD, line.text):
                self.console_lines.append(
                    f'{line.time - self.begun:10.3f}  ' +
                    re.sub(r'^\[ *[0-9.]+\] ', '', line.text))
        self.note_events(account)

        end = victim.end_after_sigbus()
        self.note(f'process {victim.pid} ("victim-{victim.id}") is gone')
        self.check(seen.code == BUS_MCEERR_AR and end == HANDLED,
                   'the process that touched the page got SIGBUS with code '
                   f'BUS_MCEERR_AR ({seen.code})')
        self.check_address(seen, victim)
        self.check(True, 'the guest has taken the page out of use')
        counters = guest.counters()
        self.check(counters['acknowledged'] == counters['accepted'] > 0,
                   f'QEMU\'s accounts: {counters["accepted"]} accepted = '
                   f'{counters["acknowledged"]} acknowledged by the guest')

    def check_address(self, seen: Sigbus, victim: Victim) -> None:
        """Is the signal about the right address?"""
        hit = Hit(f'victim-{victim.id}', victim.pid, 'load',
                  victim.va + OFFSET, victim.pa[0] + OFFSET, [victim.load_pc])
        try:
            self.oracle.check_sigbus(seen, hit)
            good = True
        except AssertionError:
            good = False
        if self.target.name == 'ppc64':
            text = f'its si_addr is {seen.address:#x}: on POWER, Linux ' \
                'reports there the instruction that touched the page; the ' \
                f'page ({victim.va:#x}) is in the kernel\'s message'
        else:
            text = f'its si_addr is {seen.address:#x}, in the poisoned page ' \
                f'({victim.va:#x} to {victim.va + PAGE - 1:#x})'
        self.check(good, text)

    def note_events(self, account: Account) -> None:
        """Put the events of QEMU on the time line."""
        for event in self.guest.qemu.events:
            stamp = event['timestamp']
            moment = stamp['seconds'] + stamp['microseconds'] / 1e6
            if event['event'] == 'RAS_ERROR':
                self.note(self.event_text(event['data']['error']), moment)
            elif event['event'] == 'MEMORY_FAILURE':
                data = event['data']
                self.note(f'event MEMORY_FAILURE: recipient '
                          f'{data["recipient"]}, action {data["action"]}',
                          moment)
        self.check(bool(account.events('notified')),
                   'QEMU reported each step as an event')

    @staticmethod
    def event_text(error: Dict[str, Any]) -> str:
        """One RAS_ERROR event in words."""
        text = f'event RAS_ERROR {error["id"]}: {error["state"]}'
        if error['state'] == 'accepted':
            text += f', {error["access"]} by vCPU {error["vcpu"]} at ' \
                f'{error["address"]:#x} (virtual ' \
                f'{error["virtual-address"]:#x})'
        elif error['state'] == 'notified':
            text += f', {error["delivery"]}'
        return text

    def look_at_others(self, control: Victim, before: int) -> None:
        """Everybody else must be well."""
        guest = self.guest
        after = control.count()
        self.check(after['count'] > before and after['bad'] == 0
                   and not control.has_exited(),
                   f'the control process lives: it had counted to {before}, '
                   f'now to {after["count"]}; its memory is intact')
        guest.check_alive()
        self.check(True, 'the guest lives: it runs commands and new '
                   'processes')
        status = guest.qemu.qmp('query-status')['status']
        self.check(status == 'running', f'QEMU lives: status {status}')

    def succeeded(self) -> bool:
        """Did all go well?"""
        return not self.failure and all(good for good, _ in self.checks)

    # The account

    def print(self) -> None:
        """Print the account of this machine."""
        title = f'{self.target.name}: machine {self.target.machine}'
        if self.guest.hello:
            title += f', guest with Linux {self.guest.hello["release"]}'
        print()
        print(title)
        print('-' * len(title))
        print('Time line, seconds since the start of QEMU:')
        for moment, text in sorted(self.moments, key=lambda m: m[0]):
            print(paragraph(text, f'{moment - self.begun:10.3f}  ',
                            ' ' * 14))
        print('What the guest\'s kernel said on its console:')
        for line in self.console_lines:
            print(paragraph(line, '', ' ' * 14))
        print('What QEMU\'s log says:')
        for line in self.guest.qemu.trace(r'warning: ras: '):
            print(paragraph(re.sub(r'^\S+ \S+: ', '', line), '  ', ' ' * 14))
        print('What it shows:')
        for good, text in self.checks:
            mark = colour('ok', '32') if good else colour('NO', '31')
            print(f'  {mark}  ' + paragraph(text, ' ' * 6, ' ' * 6).lstrip())
        if self.failure:
            self.print_failure()
        print(paragraph('Times: ' + ', '.join(
            f'{name} {seconds:.3f} s' for name, seconds in self.durations),
            '', '       '))

    def print_failure(self) -> None:
        """What somebody needs who looks for the reason."""
        print(colour('It went wrong:', '31'))
        print(self.failure)
        qemu = self.guest.qemu
        for title, lines in (
                ('guest console', [l.text for l in qemu.console.since(0)]),
                ('QEMU', qemu.output()),
                ('QMP', [line.text for line in qemu.exchange])):
            print(f'--- {title}, last lines')
            print('\n'.join(lines[-40:]))
        print(f'--- all of it is in {qemu.logs}')


def end_by_signal(number: int, _: Any) -> None:
    """Leave no QEMU behind."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run the stories side by side and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--machine', action='append', choices=sorted(TARGETS),
                        help='only this one (default: all, or what the '
                        'image is for)')
    parser.add_argument('--image', type=Path, metavar='FILE',
                        help='the disk of a guest; nothing is written to it')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, end_by_signal)
    if options.image:
        machines = options.machine or [own_guest.machine_of(options.image)]
        own_guest.run(options.image, machines[0])
        return 0

    begun = time.monotonic()
    stories = [Story(TARGETS[name])
               for name in options.machine or sorted(TARGETS)]
    try:
        for story in stories:
            say(f'{story.target.name}: booting a guest')
            story.launch()
        threads = [threading.Thread(target=story.run, daemon=True)
                   for story in stories]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for story in stories:
            story.print()
    finally:
        for story in stories:
            story.guest.close()
    good = all(story.succeeded() for story in stories)
    print()
    print(colour('The right process died, everything else lives.', '32')
          if good else colour('The demo FAILED.', '31'),
          f'({time.monotonic() - begun:.0f} s)')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
