# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of the user's own, from a disk image, that nothing is written to.

Its serial console is on the terminal.  Ctrl-a and a letter are commands, as with
QEMU's own console; one of them poisons memory of a process that computes.
"""

import os
import re
import selectors
import socket
import tempfile
import termios
import textwrap
import threading
import time
import tty
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import environment
from .targets import TARGETS, Target

ESCAPE = b'\x01'
PAGE = 4096

# A process that computes is looked for so often, with this pause, and is one if
# it has been seen so often.
LOOKS = 200
PAUSE = 0.02
ENOUGH = 10

# What is read of a disk: the MBR, and a GPT with 128 entries.
PARTITION_TABLES = 34 * 512
# PReP: where firmware of POWER boots from.
PREP_GPT = bytes.fromhex('38 2d 1a 9e 12 c6 16 43 aa 26 8b 49 52 1e 5a 8b')
PREP_MBR = 0x41

KEYS = '''\
  Ctrl-a i   poison memory of a process that computes at this moment
  Ctrl-a s   show the state of guest RAS
  Ctrl-a x   end
  Ctrl-a a   send a Ctrl-a to the guest
'''

INTRODUCTION = '''\
{machine}: booting {image}; nothing is written to it.
The guest's console follows.  If it stays empty, the guest's console is not the
serial port: its kernel needs console={console}.  By ssh:
  ssh -p {port} USER@127.0.0.1
To see the guest survive an error:
  1. log in, and start a process that computes:
       sh -c 'while :; do :; done' &
  2. type Ctrl-a i.  The page of the stack of that process is poisoned; Linux
     kills it (SIGBUS), and all others live.
{keys}From another terminal, with QMP:
  {rasctl} -q {qmp} status
'''


def _machine(binary: str, *args: str) -> Any:
    environment.use_qemu_python()
    from qemu.machine import QEMUMachine  # pylint: disable=C0415

    return QEMUMachine(str(environment.path(binary)), args=list(args),
                       qmp_timer=60 * environment.time_factor(),
                       wrapper=['setpriv', '--pdeathsig', 'KILL', '--'])


def _drive(image: Path, *options: str) -> List[str]:
    return ['-drive', ','.join(['file=' + str(image).replace(',', ',,'),
                                *options])]


def _read(image: Path, size: int) -> bytes:
    """The beginning of the disk, whatever the format of its image is."""
    vm = _machine('RAS_QEMU_AARCH64', '-machine', 'none', '-nodefaults',
                  *_drive(image, 'if=none', 'id=disk', 'readonly=on'))
    vm.launch()
    try:
        vm.cmd('human-monitor-command',
               command_line=f'qemu-io disk "read -v 0 {size}"')
    finally:
        vm.shutdown()
    return bytes.fromhex(''.join(re.findall(
        r'^[0-9a-f]{8}:  ((?:[0-9a-f]{2} ){16})', vm.get_log(),
        re.MULTILINE)))


def machine_of(image: Path) -> str:
    """The machine that a disk is for."""
    data = _read(image, PARTITION_TABLES)
    kinds = data[446 + 4:510:16]
    return 'ppc64' if PREP_GPT in data or PREP_MBR in kinds else 'arm64'


class Keyboard:
    """What is typed: text for the guest, and commands."""

    def __init__(self) -> None:
        self._escaped = False

    def parse(self, typed: bytes) -> Iterator[Tuple[bytes, str]]:
        """Text and command, one of which is empty."""
        for byte in (bytes([number]) for number in typed):
            if self._escaped:
                self._escaped = False
                if byte in (b'a', ESCAPE):
                    yield ESCAPE, ''
                else:
                    yield b'', byte.decode('latin-1')
            elif byte == ESCAPE:
                self._escaped = True
            else:
                yield byte, ''


class Terminal:
    """Standard input and output; raw, if it is a terminal."""

    def __init__(self) -> None:
        self._before: Optional[List[Any]] = None
        self._at_start = True
        self._lock = threading.RLock()

    def __enter__(self) -> 'Terminal':
        if os.isatty(0):
            self._before = termios.tcgetattr(0)
            tty.setraw(0)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before:
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)

    def write(self, data: bytes) -> None:
        """As it is."""
        with self._lock:
            self._at_start = data.endswith(b'\n')
            while data:
                data = data[os.write(1, data):]

    def say(self, text: str) -> None:
        """Lines of our own."""
        end = '\r\n' if self._before else '\n'
        with self._lock:
            self.write((('' if self._at_start else end) +
                        end.join([*text.splitlines(), ''])).encode())


class OwnGuest:
    """The guest, its console, and what is done to it."""

    def __init__(self, image: Path, target: Target, terminal: Terminal,
                 folder: Path) -> None:
        self.image = image
        self.target = target
        self._terminal = terminal
        self._registers: Dict[int, str] = {}
        self._qmp = folder / 'qmp'
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / 'console'))
        self._listener.listen()
        self._vm = _machine(
            target.qemu_variable, *target.machine_args(), '-m', '2G', '-smp',
            '2', '-L', str(environment.path('RAS_FIRMWARE')),
            *_drive(image, 'if=virtio', 'snapshot=on'),
            '-nic', 'user,model=virtio-net-pci,'
            'hostfwd=tcp:127.0.0.1:0-:22',
            '-chardev', f'socket,id=c,path={folder}/console',
            '-serial', 'chardev:c', '-action', 'panic=none',
            '-qmp', f'unix:{self._qmp},server=on,wait=off')

    # QEMU

    def _hmp(self, command: str, vcpu: Optional[int] = None) -> str:
        more = {} if vcpu is None else {'cpu_index': vcpu}
        return self._vm.cmd('human-monitor-command', command_line=command,
                            **more)

    def _introduce(self) -> None:
        port = re.search(r'HOST_FORWARD\] +\S+ +\S+ +(\d+)',
                         self._hmp('info usernet'))
        self._terminal.say(INTRODUCTION.format(
            machine=self.target.name, image=self.image, keys=KEYS,
            console='ttyAMA0' if self.target.name == 'arm64' else 'hvc0',
            port=port.group(1) if port else '?', qmp=self._qmp,
            rasctl=os.environ.get('RAS_RASCTL', 'rasctl')))

    def _stack_of_process(self, registers: str) -> Optional[int]:
        """Address of the stack in a process; None if the vCPU is in none."""
        if self.target.name == 'arm64':
            if not re.search(r'^PSTATE=.* EL0t', registers, re.MULTILINE):
                return None
            found = re.search(r' SP=(\w+)', registers)
        else:
            msr = re.search(r'MSR (\w+)', registers)
            if not msr or not int(msr.group(1), 16) & 0x4000:
                return None
            found = re.search(r'^GPR00 \w+ (\w+)', registers, re.MULTILINE)
        return int(found.group(1), 16) if found else None

    def _look(self) -> Iterator[Tuple[int, int, int]]:
        """vCPU, virtual and guest physical address; the VM is stopped."""
        for cpu in self._vm.cmd('query-cpus-fast'):
            vcpu = cpu['cpu-index']
            registers = self._hmp('info registers', vcpu)
            stack = self._stack_of_process(registers)
            if stack is None or registers == self._registers.get(vcpu):
                continue
            self._registers[vcpu] = registers
            where = re.match(r'gpa: (0x\w+)',
                             self._hmp(f'gva2gpa {stack:#x}', vcpu))
            if where:
                yield vcpu, stack, int(where.group(1), 16) & -PAGE

    def inject(self) -> None:
        """Poison the stack of a process that computes.

        One that goes to sleep would not touch it: so it has to be seen often,
        and each time in another state.
        """
        seen: Dict[int, int] = {}
        for _ in range(LOOKS):
            self._vm.cmd('stop')
            try:
                for vcpu, stack, page in self._look():
                    seen[page] = seen.get(page, 0) + 1
                    if seen[page] < ENOUGH:
                        continue
                    self._vm.cmd('ras-inject', kind='memory', address=page,
                                 mode='poison', severity='recoverable')
                    self._terminal.say(
                        f'[demo] The process on vCPU {vcpu} has its stack at '
                        f'{stack:#x}: guest physical page {page:#x} is '
                        'poisoned.')
                    return
            finally:
                self._vm.cmd('cont')
            time.sleep(PAUSE)
        self._terminal.say(
            '[demo] No vCPU runs a process. Start one that computes, for '
            "example sh -c 'while :; do :; done' &, and try again.")

    # Events

    def _tell_event(self, name: str, data: Dict[str, Any]) -> None:
        if name == 'RAS_ERROR':
            error = data['error']
            text = f'error {error["id"]} {error["state"]}'
            if error['state'] == 'accepted':
                text += f': {error["severity"]}, {error["access"]}'
                if 'address' in error:
                    text += f' at {error["address"]:#x}'
            elif error['state'] == 'notified':
                text += f': {error["delivery"]}'
        elif name in ('RAS_POISON_ACCESS', 'MEMORY_FAILURE',
                      'GUEST_PANICKED'):
            text = f'event {name} {data}'
        else:
            return
        self._terminal.say(f'[demo] {text}')

    def _tell_events(self) -> None:
        try:
            events = self._vm.get_qmp_events(wait=False)
        except Exception:  # pylint: disable=broad-except
            # QEMU has ended; so does its end of the console.
            return
        for event in events:
            self._tell_event(event['event'], event.get('data', {}))

    # The console

    def _obey(self, key: str) -> bool:
        """Do what was asked; False if that is to end."""
        if key == 'i':
            self.inject()
        elif key == 's':
            self._terminal.say(self._hmp('info ras'))
        elif key == 'x':
            return False
        else:
            self._terminal.say(KEYS)
        return True

    def _show(self, console: socket.socket) -> None:
        """Until the guest has ended QEMU.

        In a thread: QEMU answers nobody while a guest writes to a console that is
        not read.
        """
        while output := console.recv(4096):
            self._terminal.write(output)

    def _talk(self, console: socket.socket) -> bool:
        """Until the user ends it, or the guest has ended QEMU: then False."""
        keyboard = Keyboard()
        reader = threading.Thread(target=self._show, args=[console],
                                  daemon=True)
        reader.start()
        with selectors.DefaultSelector() as ready:
            ready.register(0, selectors.EVENT_READ)
            while reader.is_alive():
                for _ in ready.select(0.2):
                    typed = os.read(0, 4096)
                    if not typed:
                        # The guest may go on without a keyboard.
                        ready.unregister(0)
                    for text, command in keyboard.parse(typed):
                        if command and not self._obey(command):
                            return True
                        console.sendall(text)
                self._tell_events()
        return False

    def _tell_counters(self) -> None:
        counters = self._vm.cmd('query-ras')['counters']
        self._terminal.say('[demo] ' + ', '.join(
            f'{name} {counters[name]}' for name in
            ('accepted', 'acknowledged', 'delivered', 'reclaimed',
             'in-flight', 'poison-other-accesses')))

    def run(self) -> None:
        """Boot it, and stay with it."""
        self._vm.launch()
        try:
            console, _ = self._listener.accept()
            self._introduce()
            with console:
                if self._talk(console):
                    self._tell_counters()
        finally:
            self._vm.shutdown(hard=True)
            self._listener.close()
        log = self._vm.get_log() or ''
        lines = re.findall(r'.*ras: .*', log)
        if lines:
            self._terminal.say("QEMU's log:\n" + '\n'.join(
                textwrap.fill(line, 80, subsequent_indent='  ')
                for line in lines[-20:]))


def run(image: Path, machine: str) -> None:
    """The demo with a guest of the user's own."""
    with tempfile.TemporaryDirectory(prefix='ras-') as folder:
        with Terminal() as terminal:
            OwnGuest(image, TARGETS[machine], terminal, Path(folder)).run()
