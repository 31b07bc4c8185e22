# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: Debian's tools in the guest.

librtasevent, which rtas_errd reads error logs with; and kexec, which starts a
kernel that registers for machine checks after another one has.
"""

import re
import time
from typing import List

import pytest

from ras import cases, initramfs
from ras.cases import HANDLED, check_user_hit, hit_of
from ras.guest import Guest, Victim
from ras.oracles import Oracle, Ppc64
from ras.targets import Target

MACHINE = 'ppc64'
VCPU = 1
OUTPUT = '/tmp/rtas-log'
# Of memory.  kexec puts the second kernel into the other one: when Linux copies
# it there, it goes on to use its own task_struct, to find out whether it may
# copy by VMX ("XXX" in default_machine_kexec()).  If that is where the copy
# goes, it finds a part of the second kernel, and changes another part of that,
# or accesses any address.
FIRST_HALF = 'mem=512M'


@pytest.fixture(scope='module', autouse=True)
def guest_options(request: pytest.FixtureRequest, target: Target) -> None:
    """The guest of this module has the tools in its initramfs."""
    request.module.GUEST_OPTIONS = {
        'extra_args': ['-initrd',
                       str(initramfs.get_with_rtas_tools(target))],
        'append': FIRST_HALF}


def section(text: str, title: str) -> str:
    """A section of an event as librtasevent prints it."""
    found = re.search(rf'^==== {title} =+\n(.*?)(?=^====|\Z)', text,
                      re.MULTILINE | re.DOTALL)
    assert found, f'no section {title} in:\n{text}'
    return found.group(1)


@pytest.mark.needs('RAS_LIBRTASEVENT_PPC64')
class TestLibrtasevent:
    """It reads the logs that the kernel hands on."""

    @pytest.fixture(autouse=True)
    def listener(self, guest: Guest) -> None:
        """rtas-log runs in the guest; its output begins with this test."""
        if guest.agent.run('pidof rtas-log').status:
            guest.agent.run(f'(rtas-log >>{OUTPUT} 2>&1 </dev/null &)')
            end = time.monotonic() + 60 * guest.factor
            while guest.agent.run(f'grep -q listening {OUTPUT}').status:
                assert time.monotonic() < end, \
                    guest.agent.run(f'cat {OUTPUT}').output
                time.sleep(0.1)
        guest.agent.run(f': >{OUTPUT}')

    @staticmethod
    def events(guest: Guest) -> List[str]:
        """The events so far; none of them was unreadable."""
        output = guest.agent.run(f'cat {OUTPUT}').output
        assert not re.search('^unreadable', output, re.MULTILINE), output
        return re.findall(r'^event \d+ \d+\n(.*?)^end \d+$', output,
                          re.MULTILINE | re.DOTALL)

    def event(self, guest: Guest) -> str:
        """The one event of this test."""
        end = time.monotonic() + 60 * guest.factor
        while not self.events(guest):
            assert time.monotonic() < end, 'no event came'
            time.sleep(0.5)
        events = self.events(guest)
        assert len(events) == 1
        return events[0]

    @pytest.mark.parametrize('what, sub_type, code, subsystem', [
        ('ue', 'load-store', 'QEMUMC03', 'Memory, including external cache'),
        ('tlb', 'multi-hit', 'QEMUMC42', 'Processor, including internal'),
        ('d-cache', None, 'QEMUMC50', 'Processor, including internal'),
        ('link', 'load', 'QEMUMC30', 'Processor, including internal'),
        ('real-address', 'load', 'QEMUMC81', 'Processor, including internal'),
    ])
    def test_not_recovered(self, guest: Guest, what: str, sub_type: str,
                           code: str, subsystem: str) -> None:
        """All its sections are there, and understood but for the last."""
        victim = guest.spawn(cpu=VCPU)
        cases.stop_spinning(guest, Ppc64(), {VCPU: victim})
        options = {}
        if what == 'ue':
            options = {'effective_address': victim.va,
                       'logical_address': victim.pa[0]}
        number = guest.inject_machine_check(VCPU, what, sub_type,
                                            **options)['id']
        guest.qemu.qmp('cont')
        victim.sigbus()
        text = self.event(guest)
        head = section(text, 'RTAS Event Dump Begin')
        assert re.search(r'^Version: +00000006 ', head, re.MULTILINE)
        # Its own spelling
        for word in (r'\(Error Sync\)', r'\(Not Recoverd\)', r'\(CPU\)',
                     r'\(Platform Error\)'):
            assert re.search(word, head), head
        private = section(text, 'Private Header')
        assert 'Creator ID:         PHyp (H).' in private
        assert f'Platform Log ID:    {number:08x}' in private
        user = section(text, 'User Header')
        assert subsystem in user
        assert 'Unrecoverable error, general.' in user
        source = section(text, 'Primary SRC Section')
        assert f'Primary Reference Code: "{code.ljust(32)}"' in source
        last = section(text, 'Unknown Section')
        assert re.search(r'^Section ID: +MC +Section Length: +00000028$',
                         last, re.MULTILINE)
        if what == 'ue':
            high, low = victim.va >> 32, victim.va & 0xffffffff
            assert f'{high:08x} {low:08x}' in last
        assert victim.end_after_sigbus() == HANDLED


@pytest.mark.needs('RAS_KEXEC_PPC64')
class TestKexec:
    """A second kernel, started by the first one."""

    @pytest.fixture
    def oracle(self) -> Oracle:
        """What the guest's kernel is expected to say."""
        return Ppc64()

    def hit(self, guest: Guest, oracle: Oracle) -> None:
        """A process hits poison."""
        victim: Victim = guest.spawn(cpu=VCPU)
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        victim.tell('load')
        check_user_hit(guest, oracle, hit_of(victim, 'load'), victim, account,
                       mark)

    def test_second_kernel(self, guest: Guest, oracle: Oracle) -> None:
        """It takes machine checks as the first one did."""
        guest.damaged = True
        self.hit(guest, oracle)
        loaded = guest.agent.run(
            'kexec -l /boot/kernel --initrd=/boot/initrd '
            '--mem-min=0x20000000 --command-line='
            f'"$(sed s/{FIRST_HALF}// /proc/cmdline)"', 120)
        assert not loaded.status, loaded.output
        mark, said = guest.agent.stream.mark(), guest.console.mark()
        events = len(guest.qemu.events)
        guest.agent.send('run kexec -e')
        guest.wait_boot(mark)
        guest.console.wait('kexec_core: Starting new kernel', said,
                           60 * guest.factor)
        guest.qemu.pump()
        assert not [event for event in guest.qemu.events[events:]
                    if event['event'] == 'RESET']
        self.hit(guest, oracle)
        guest.check_alive()
