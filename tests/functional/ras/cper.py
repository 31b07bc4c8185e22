# SPDX-License-Identifier: GPL-2.0-or-later
"""Error records for ras-inject, kind cper.

A Generic Error Status Block (ACPI 6.5, 18.3.2.7.1) is a header and entries,
and each entry is a header and a section.
"""

import base64
import struct
import uuid
from typing import List, NamedTuple

RECOVERABLE, FATAL, CORRECTED, INFORMATIONAL = range(4)

# UEFI 2.10, N.2.5
MEMORY = uuid.UUID('a5bc1114-6f64-4ede-b863-3e83ed7c83b1')
# A vendor's own, which no guest knows.  rasdaemon keeps it as text, so it is
# made of letters.
VENDOR = uuid.UUID('70617373-656e-6765-7220-70696765306e')


class Entry(NamedTuple):
    """One error of a record."""

    section_type: uuid.UUID
    severity: int
    section: bytes
    fru_text: str = ''


def memory_section(address: int) -> bytes:
    """A memory error (multi-bit ECC) at a physical address."""
    status, valid_address, valid_type = 1 << 0, 1 << 1, 1 << 14
    return struct.pack('<4Q40xB7x', status | valid_address | valid_type,
                       4 << 8, address, 0, 3)


def _entry(entry: Entry) -> bytes:
    valid = 2 if entry.fru_text else 0
    return struct.pack('<16sIHBBI16x20s8x', entry.section_type.bytes_le,
                       entry.severity, 0x300, valid, 0, len(entry.section),
                       entry.fru_text.encode()) + entry.section


def block(entries: List[Entry]) -> str:
    """The record, as ras-inject wants it."""
    uncorrectable = sum(entry.severity in (RECOVERABLE, FATAL)
                        for entry in entries)
    correctable = len(entries) - uncorrectable
    status = bool(uncorrectable) | bool(correctable) << 1 | \
        (uncorrectable > 1) << 2 | (correctable > 1) << 3 | len(entries) << 4
    worst = next(severity
                 for severity in (FATAL, RECOVERABLE, CORRECTED, INFORMATIONAL)
                 if any(entry.severity == severity for entry in entries))
    body = b''.join(map(_entry, entries))
    return base64.b64encode(struct.pack('<5I', status, 0, 0, len(body), worst)
                            + body).decode()
