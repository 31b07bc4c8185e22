# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds one vCPU at an instruction while the others run.

Speaks the little of GDB's remote protocol that this needs with QEMU's
gdbstub.  A vCPU that stands at the first instruction of the guest's error
handler has its error but has not acknowledged it, for as long as a test
wants; so another vCPU that meets an error meanwhile is parked.
"""

import re
import socket
import time
from typing import List

from . import environment
from .guest import Guest


class GdbError(Exception):
    """The stub refused a command or did not answer."""


class Gdb:
    """A connection to the gdbstub of a guest's QEMU.

    To connect stops the machine.
    """

    def __init__(self, guest: Guest) -> None:
        path = guest.qemu.gdb_socket
        guest.qemu.hmp(f'gdbserver unix:{path},server=on,wait=off')
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60 * environment.time_factor())
        self._socket.connect(str(path))
        self._buffer = b''
        self._acknowledge = True
        # With this, threads have names of the form p<process>.<thread>.
        self._command('qSupported:multiprocess+')
        self._command('QStartNoAckMode')
        self._acknowledge = False

    def __enter__(self) -> 'Gdb':
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _send(self, text: str) -> None:
        total = sum(text.encode()) % 256
        self._socket.sendall(f'${text}#{total:02x}'.encode())

    def _receive(self) -> str:
        while True:
            packet = re.search(rb'\$([^#]*)#..', self._buffer)
            if packet:
                self._buffer = self._buffer[packet.end():]
                if self._acknowledge:
                    self._socket.sendall(b'+')
                return packet.group(1).decode()
            data = self._socket.recv(4096)
            if not data:
                raise GdbError('the stub closed the connection')
            self._buffer += data

    def _command(self, text: str) -> str:
        self._send(text)
        answer = self._receive()
        while answer.startswith('T'):
            # The end of a run that an earlier connection began.
            answer = self._receive()
        if re.fullmatch('E[0-9a-f]+', answer):
            raise GdbError(f'{text}: {answer}')
        return answer

    def threads(self) -> List[str]:
        """Names of the vCPUs, in order."""
        names: List[str] = []
        answer = self._command('qfThreadInfo')
        while answer.startswith('m'):
            names += answer[1:].split(',')
            answer = self._command('qsThreadInfo')
        return names

    def set_breakpoint(self, address: int) -> None:
        """Stop the machine when a vCPU comes to @address."""
        self._command(f'Z1,{address:x},4')

    def clear_breakpoint(self, address: int) -> None:
        """Undo set_breakpoint()."""
        self._command(f'z1,{address:x},4')

    def continue_all(self) -> None:
        """Let the machine run."""
        self._send('vCont;c')

    def wait_stop(self) -> int:
        """Wait for the breakpoint; index of the vCPU that came to it."""
        stop = self._receive()
        thread = re.search(r'thread:([^;]+);', stop)
        if not thread:
            raise GdbError(f'unexpected stop: {stop}')
        return self._index(thread.group(1))

    @staticmethod
    def _index(thread: str) -> int:
        return int(thread.split('.')[-1], 16) - 1

    def continue_only(self, vcpu: int) -> None:
        """Let only that vCPU run; the machine counts as running."""
        for thread in self.threads():
            if self._index(thread) == vcpu:
                self._send(f'vCont;c:{thread}')
                return
        raise GdbError(f'no vCPU {vcpu}')

    def is_halted(self, vcpu: int) -> bool:
        """Whether the vCPU waits for an interrupt; the machine is stopped."""
        for thread in self.threads():
            if self._index(thread) == vcpu:
                extra = self._command(f'qThreadExtraInfo,{thread}')
                return 'halted' in bytes.fromhex(extra).decode()
        raise GdbError(f'no vCPU {vcpu}')

    def stop_halted(self, vcpu: int, timeout: float = 60) -> None:
        """Let the stopped machine run until that vCPU waits, and stop it."""
        end = time.monotonic() + timeout * environment.time_factor()
        while not self.is_halted(vcpu):
            if time.monotonic() > end:
                raise GdbError(f'vCPU {vcpu} is never idle')
            self.continue_all()
            time.sleep(0.02)
            self._socket.sendall(b'\x03')
            self._receive()
