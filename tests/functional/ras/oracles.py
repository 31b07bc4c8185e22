# SPDX-License-Identifier: GPL-2.0-or-later
"""What Linux 6.12 says and does about an error, on each machine.

The texts are those of the guest's kernel: drivers/acpi/apei/ghes.c,
mm/memory-failure.c and arch/arm64/mm/fault.c; arch/powerpc/kernel/mce.c and
platforms/pseries/ras.c.
"""

from typing import Dict, List, NamedTuple, Sequence

from .guest import PAGE, Exit, Guest, Sigbus
from .targets import BUS_MCEERR_AR, SIGBUS, Target

SIGSEGV = 11
EFAULT = 14


class Hit(NamedTuple):
    """An access of a process to a poisoned page."""

    name: str     # of the process
    pid: int
    access: str   # load, store, fetch, spin
    va: int
    pa: int
    pcs: Sequence[int]  # of the instruction; of the loop for spin


class Oracle:
    """What is the same on both machines."""

    # Console, when the kernel tells of an error at an address, in full.
    record_lines: List[str]
    # Console, after a hit in kernel mode, and the end of the process.
    kernel_lines: List[str]
    kernel_exit: Exit
    # How the error of a hit in kernel mode ends.
    kernel_ends: Dict[str, int]
    # Console, after a fatal error; how that error ends.
    fatal_lines: List[str]
    fatal_ends: Dict[str, int]
    # Are pages that were hit at the same time retired by the next error only,
    # and only if the queue for that had room?
    needs_next_error: bool
    # Does the kernel retire a page only if it is told where it is mapped?
    needs_virtual_address: bool
    # A vCPU that takes errors: where a debugger can stop it between the
    # notification and the acknowledgement.
    handler_symbol: str

    def signal_lines(self, hit: Hit) -> List[str]:
        """Console, when the process that was hit gets its signal."""
        raise NotImplementedError

    def user_lines(self, hit: Hit) -> List[str]:
        """Console, after a single hit in user mode, in no certain order.

        The page was taken out of use, too.  When pages are hit at the same
        time Linux does not get to do this for all of them.
        """
        return [*self.signal_lines(hit), self.retired_line(hit.pa)]

    def check_sigbus(self, seen: Sigbus, hit: Hit) -> None:
        """What the SIGBUS handler must have seen."""
        raise NotImplementedError

    @staticmethod
    def retired_line(pa: int) -> str:
        """Console, when the guest has given up the page."""
        return rf'Memory failure: 0x{pa // PAGE:x}: ' \
            r'recovery action for .*: Recovered'

    def handler_address(self, guest: Guest) -> int:
        """Where the debugger finds handler_symbol."""
        return guest.symbol(self.handler_symbol)

    def vector_page(self, guest: Guest) -> int:
        """Guest physical address of the code that an error enters first."""
        raise NotImplementedError

    @staticmethod
    def in_user_mode(registers: str, pcs: Sequence[int]) -> bool:
        """Is a vCPU with these registers in user mode, at one of @pcs?"""
        raise NotImplementedError


class Arm64(Oracle):
    """Synchronous external abort with a CPER record (GHES)."""

    record_lines = [
        r'\[Hardware Error\]: Hardware error from APEI Generic Hardware Error '
        r'Source: 0',
        r'\[Hardware Error\]: event severity: recoverable',
        r'\[Hardware Error\]:  Error 0, type: recoverable',
        r'\[Hardware Error\]:   section_type: memory error',
        r'\[Hardware Error\]:   physical_address: 0x{pa:016x}',
        r'\[Hardware Error\]:   physical_address_mask: 0xfffffffffffff000']
    # The kernel does not look at the record of an abort of its own.
    kernel_lines = [r'Internal error: synchronous external abort: 0*96000\w10 '
                    r'\[#\d+\]']
    kernel_exit = Exit(-1, SIGSEGV)
    kernel_ends = {'reclaimed': 1}
    fatal_lines = [r'\[Hardware Error\]: event severity: fatal',
                   r'Kernel panic - not syncing: GHES: Fatal hardware error']
    fatal_ends = {'acknowledged': 1}
    needs_next_error = False
    needs_virtual_address = False
    handler_symbol = 'do_sea'

    def signal_lines(self, hit: Hit) -> List[str]:
        return []

    def check_sigbus(self, seen: Sigbus, hit: Hit) -> None:
        assert seen.code == BUS_MCEERR_AR
        # The signal comes from mm/memory-failure.c, with the address of the
        # page, or, if the kernel's worker was faster than the way back to
        # the process, from the next page fault, with the exact one.
        assert seen.address in (hit.va & -PAGE, hit.va)
        assert 1 << seen.lsb == PAGE
        assert seen.pc in hit.pcs

    def vector_page(self, guest: Guest) -> int:
        code = guest.agent.run('grep "Kernel code" /proc/iomem').output
        start = int(code.split('-')[0], 16)
        return (start + guest.symbol('vectors') -
                guest.symbol('_text')) & -PAGE

    @staticmethod
    def in_user_mode(registers: str, pcs: Sequence[int]) -> bool:
        return 'EL0t' in registers and \
            any(f'PC={pc:016x}' in registers for pc in pcs)


class Ppc64(Oracle):
    """Machine check with an RTAS error log (FWNMI)."""

    record_lines = [
        r'MCE: CPU\d+: machine check \(Severe\)  UE Load/Store DAR: .* '
        r'paddr: {pa:016x} \[Not recovered\]',
        r'MCE: CPU\d+: Initiator CPU']
    kernel_lines = [r'MCE: CPU\d+: machine check \(Severe\)  UE Load/Store '
                    r'.*\[Not recovered\]',
                    r'Oops: Machine check, sig: 7 \[#\d+\]']
    kernel_exit = Exit(-1, SIGBUS)
    kernel_ends = {'acknowledged': 1}
    fatal_lines = [r'Machine check interrupt is fatal',
                   r'Oops: Machine check, sig: 7']
    fatal_ends = {'acknowledged': 1}
    needs_next_error = True
    needs_virtual_address = True
    handler_symbol = 'machine_check_fwnmi'

    def signal_lines(self, hit: Hit) -> List[str]:
        nips = '|'.join(f'{pc:016x}' for pc in hit.pcs)
        if hit.access == 'fetch':
            first = r'UE Instruction fetch .*\[Not recovered\]'
        else:
            first = rf'UE Load/Store DAR: {hit.va:016x} paddr: ' \
                rf'{hit.pa:016x} \[Not recovered\]'
        return [rf'MCE: CPU\d+: machine check \(Severe\)  {first}',
                rf'MCE: CPU\d+: PID: {hit.pid} Comm: {hit.name} '
                rf'NIP: \[({nips})\]']

    def check_sigbus(self, seen: Sigbus, hit: Hit) -> None:
        assert seen.code == BUS_MCEERR_AR
        # Linux reports the instruction, not what it touched.
        assert seen.address == seen.pc
        assert seen.pc in hit.pcs

    def handler_address(self, guest: Guest) -> int:
        # The routine is entered in real mode.
        return guest.symbol(self.handler_symbol) & 0x0fffffffffffffff

    def vector_page(self, guest: Guest) -> int:
        return self.handler_address(guest) & -PAGE

    @staticmethod
    def in_user_mode(registers: str, pcs: Sequence[int]) -> bool:
        msr_pr = 0x4000
        words = registers.split()
        values = {name: int(value, 16) for name, value in zip(words, words[1:])
                  if name in ('NIP', 'MSR')}
        return values['NIP'] in pcs and bool(values['MSR'] & msr_pr)


def oracle_for(target: Target) -> Oracle:
    """The oracle for the guests of @target."""
    return {'arm64': Arm64, 'ppc64': Ppc64}[target.name]()
