# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the binaries, kernels and caches are.

Everything comes from environment variables, which the Makefile sets; nothing
is searched for.
"""

import os
import sys
from pathlib import Path
from typing import Tuple


class MissingSetting(Exception):
    """An environment variable is not set, or names nothing."""


def path(variable: str) -> Path:
    """Existing file or directory that @variable names."""
    value = os.environ.get(variable)
    if not value:
        raise MissingSetting(f'{variable} is not set (run "make '
                             'check-functional" or "make demo")')
    result = Path(value)
    if not result.exists():
        raise MissingSetting(f'{variable}: {value} does not exist')
    return result


def has(variable: str) -> bool:
    """True if @variable names something that exists."""
    value = os.environ.get(variable)
    return bool(value) and Path(value).exists()


def setting(variable: str, default: str = '') -> str:
    """What @variable says."""
    return os.environ.get(variable, default)


def release() -> Tuple[int, ...]:
    """Of QEMU; (10, 2) for example."""
    return tuple(int(part) for part in setting('RAS_BASE', '0').split('.'))


def missing(variable: str) -> str:
    """Why @variable is not set, if what it names cannot be had at all."""
    return os.environ.get(f'RAS_MISSING_{variable[len("RAS_"):]}', '')


def directory(variable: str) -> Path:
    """Directory that @variable names, made if it is not there."""
    value = os.environ.get(variable)
    if not value:
        raise MissingSetting(f'{variable} is not set')
    result = Path(value)
    result.mkdir(parents=True, exist_ok=True)
    return result


def time_factor() -> float:
    """By how much all time limits are stretched (RAS_TIME_FACTOR)."""
    return float(os.environ.get('RAS_TIME_FACTOR', '1'))


def use_qemu_python() -> None:
    """Make QEMU's own Python packages (qemu.machine, qemu.qmp) importable."""
    # Those of QEMU 11.1 start no older release.
    folder = str(path('RAS_QEMU_PYTHON_OLDER' if has('RAS_QEMU_PYTHON_OLDER')
                      else 'RAS_QEMU_PYTHON'))
    if folder not in sys.path:
        sys.path.insert(0, folder)
