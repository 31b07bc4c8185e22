# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands to PID 1 of the guest, and to the victims that it starts.

The protocol is described in ../guest/agent.h.
"""

import urllib.parse
from typing import Dict, List, NamedTuple

from .stream import LineStream


class AgentError(Exception):
    """The agent refused a command; the text is the agent's."""


class ShellResult(NamedTuple):
    """Result of a shell command in the guest."""

    status: int
    output: str


def fields(text: str) -> Dict[str, str]:
    """The key=value words of a line."""
    return dict(word.split('=', 1) for word in text.split() if '=' in word)


class Agent:
    """PID 1 of the guest."""

    def __init__(self, stream: LineStream, time_factor: float) -> None:
        self.stream = stream
        self._factor = time_factor
        self._sequence = 0

    def wait_hello(self, mark: int, timeout: float) -> Dict[str, str]:
        """Wait until the guest has booted since @mark."""
        line = self.stream.wait(r'^\* hello ', mark, timeout * self._factor)
        return fields(line.text)

    def send(self, text: str) -> None:
        """Send a command and do not wait for the answer."""
        self._sequence += 1
        self.stream.send(f'{self._sequence} {text}\n')

    def command(self, text: str, timeout: float = 60) -> Dict[str, str]:
        """Run a command of the agent."""
        mark = self.stream.mark()
        self.send(text)
        answer = self.stream.wait(rf'^{self._sequence} ', mark,
                                  timeout * self._factor).text
        _, word, *rest = answer.split(' ', 2)
        if word != 'ok':
            raise AgentError(f'{text}: {" ".join(rest)}')
        return fields(rest[0] if rest else '')

    def run(self, command: str, timeout: float = 60) -> ShellResult:
        """Run a shell command in the guest."""
        answer = self.command(f'run {command}', timeout)
        return ShellResult(int(answer['status']),
                           urllib.parse.unquote(answer.get('output', '')))

    def wait_line(self, pattern: str, mark: int = 0, timeout: float = 60,
                  count: int = 1) -> str:
        """Wait for a line that the agent sends by itself."""
        return self.stream.wait(pattern, mark, timeout * self._factor,
                                count).text

    def lines(self, pattern: str, mark: int = 0) -> List[str]:
        """Lines so far."""
        return [line.text for line in self.stream.matching(pattern, mark)]
