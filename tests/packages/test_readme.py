# SPDX-License-Identifier: GPL-2.0-or-later
"""README is followed to the letter, by a user who can use sudo.

What is typed is read from the README in the package.  The tests of test_packages.py
have left the system with the package installed.
"""

import os
import pty
import re
import select
import subprocess
import time
from typing import Iterator, List

import pytest

from ras import environment
from system import ENVIRONMENT, System

USER = 'newcomer'
# Seconds, before they are stretched.
PATIENCE = 900
# So long a shell may be silent before Enter is pressed again.
PAUSE = 10


def blocks(system: System, heading: str) -> List[str]:
    """What is indented in a section of README, for this release."""
    text = system.read('/usr/share/doc/qemu-ras/README.md')
    section = text.split(f'\n## {heading}\n')[1].split('\n## ')[0]
    if system.suite != 'bookworm':
        # As the comments beside it say.
        section = section.replace('debian-installer-12-',
                                  'debian-installer-13-')
    return [re.sub('^    ', '', block, flags=re.M).strip('\n') for block in
            re.findall(r'((?:^(?:    .*)?\n)+)', section, re.M)
            if block.strip()]


def as_user(system: System, commands: str) -> str:
    """Let a user, who has just logged in, run them."""
    system.file('/run/commands').write_text(commands + '\n', encoding='utf-8')
    return system.run(f'su -l {USER} -c "bash -e /run/commands"')


class Terminal:
    """A terminal on which a user runs a command."""

    def __init__(self, system: System, commands: str) -> None:
        # bash reads it while others use theirs.
        system.file('/run/terminal').write_text(commands + '\n',
                                                encoding='utf-8')
        self.output = ''
        self._process, self._master = pty.fork()
        if self._process == 0:
            os.execvpe('chroot', [
                'chroot', str(system.root), 'su', '-l', USER, '-c',
                'bash -e /run/terminal'], {**ENVIRONMENT, 'TERM': 'dumb'})

    def type(self, text: str) -> int:
        """Type this; where the output is then."""
        mark = len(self.output)
        os.write(self._master, text.encode())
        return mark

    def read(self, timeout: float) -> bool:
        """Read what is there, and wait for that; is there more to come?"""
        if not select.select([self._master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._master, 4096)
        except OSError:
            return False
        self.output += data.decode(errors='replace').replace('\r', '')
        return bool(data)

    def wait(self, pattern: str, mark: int = 0, key: str = '') -> None:
        """Wait for this behind @mark, and press @key now and then."""
        end = time.monotonic() + PATIENCE * environment.time_factor()
        pressed = time.monotonic()
        while not re.search(pattern, self.output[mark:]):
            assert time.monotonic() < end and self.read(0.5), \
                f'no {pattern!r} in:\n{self.output}'
            if key and time.monotonic() > pressed + PAUSE:
                self.type(key)
                pressed = time.monotonic()

    def ended(self) -> int:
        """Its exit status."""
        end = time.monotonic() + PATIENCE * environment.time_factor()
        while self.read(0.5):
            assert time.monotonic() < end, self.output
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


@pytest.fixture(name='libvirtd')
def _libvirtd(system: System) -> Iterator[None]:
    """What systemd would start.  polkit, which lets the members of a group use
    libvirt, is started by dbus."""
    system.apt_get('install dbus polkitd')
    # /dev is that of this machine: libvirt cannot make a copy for each VM.
    system.run('mkdir -p /run/dbus; dbus-uuidgen --ensure; '
               'echo "namespaces = []" >>/etc/libvirt/qemu.conf')
    daemons = [subprocess.Popen(  # pylint: disable=R1732
        ['chroot', str(system.root), *command], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in (['dbus-daemon', '--system', '--nofork', '--nopidfile'],
                        ['virtlogd'], ['libvirtd'])]
    end = time.monotonic() + PATIENCE * environment.time_factor()
    for ready in ('dbus-send --system --print-reply --dest=org.freedesktop.DBus'
                  ' / org.freedesktop.DBus.ListNames', 'virsh uri'):
        while system.status(ready) != 0:
            assert time.monotonic() < end, ready
            time.sleep(0.5)
    yield
    for daemon in reversed(daemons):
        daemon.terminate()
        daemon.wait()


def test_user(system: System) -> None:
    """The newcomer, whose apt asks nothing."""
    system.apt_get('install sudo adduser')
    system.run(f'useradd -m -s /bin/bash {USER}')
    system.file(f'/etc/sudoers.d/{USER}').write_text(
        f'{USER} ALL=(ALL) NOPASSWD: ALL\n'
        'Defaults env_keep += "DEBIAN_FRONTEND http_proxy https_proxy"\n')
    system.file('/etc/apt/apt.conf.d/90newcomer').write_text(
        'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n')
    # What is recommended, and competes with our UEFI.
    system.apt_get('install qemu-efi-aarch64')


def test_first_error(system: System) -> None:
    """One page is reported bad to Debian's installer."""
    commands, dialogue = blocks(system, 'A first error in one minute')
    terminal = Terminal(system, commands)
    terminal.wait('~ # ', key='\n')
    terminal.type('\x01c')
    terminal.wait(r'\(qemu\) ')
    typed = re.findall(r'^\(qemu\) (.*)', dialogue, re.M)
    assert len(typed) == 2
    mark = terminal.type(typed[0] + '\n')
    # All lines that README shows, but for what differs from run to run.
    for line in ('error 1', 'no vCPU: interrupt with a CPER record',
                 r'\[Hardware Error\]: event severity: recoverable',
                 'physical_address: 0x0000000060000000',
                 'Memory failure: 0x60000: recovery action for .*: Recovered'):
        assert re.search(line.replace(' ', r'\s+'), dialogue)
        terminal.wait(line, mark)
    shown = re.findall(r'^(?:source|accepted|refused).*', dialogue, re.M)
    assert len(shown) == 5

    def is_closed() -> bool:
        mark = terminal.type(typed[1] + '\n')
        terminal.wait('refused 0, .*\n', mark)
        return all(line in terminal.output[mark:] for line in shown)

    end = time.monotonic() + PATIENCE * environment.time_factor()
    while not is_closed():
        assert time.monotonic() < end, terminal.output
        time.sleep(1)
    terminal.type('\x01x')
    assert terminal.ended() == 0


def test_libvirt(system: System, libvirtd: None) -> None:
    """The same in a domain that virt-install has made."""
    del libvirtd
    install, use = blocks(system, 'Under libvirt')
    # "then log in again"
    before, _, after = install.partition('# then log in again\n')
    assert after
    as_user(system, before)
    as_user(system, after)
    shell = 'export LIBVIRT_DEFAULT_URI=qemu:///system\n'
    assert shell in after
    console = Terminal(system, shell + 'virsh console first')
    console.wait('~ # ', key='\n')
    inject, show, remove = use.split('\n')
    mark = len(console.output)
    as_user(system, shell + inject)
    console.wait('Memory failure: .* Recovered', mark)
    assert 'accepted 1 = ' in as_user(system, shell + show)
    console.type('\x1d')
    assert console.ended() == 0
    as_user(system, shell + remove)
    assert as_user(system, shell + 'virsh list --all --name').strip() == ''
