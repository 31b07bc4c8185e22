# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/comparison.rst, measured.

Run by "make check-comparison" (scripts/check-comparison), which builds stock QEMU of
two releases.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'functional')]

pytest_plugins = ['ras.report']
