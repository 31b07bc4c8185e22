# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with KVM, its guests, and how to poison their memory.

The host is an emulated machine that can have guests (EL2, or nested guests of
pseries), so no special hardware is needed:

    this machine       QEMU with guest RAS, TCG       (the outer one)
      host             Linux with /dev/kvm
        inner QEMU     the one under test, accel=kvm
          guest        Linux

Host and guest run the same program as the guests of the functional tests
(functional/guest), so what works there works on both.  Console, agent port,
QMP and messages of the inner QEMU are virtio-serial ports of the host that it
opens by itself; here they are sockets.  The host has two sets of them (Place):
a guest can move to another inner QEMU while the first one runs.

Memory of the guest fails in one of two ways:

- its RAM is a file in the host, in which host/ram.c poisons pages: the host's
  kernel knows from the start (Host.poison);
- the outer QEMU poisons the page of its own RAM that is behind it: nobody
  knows until the guest touches it (Host.break_memory).
"""

import asyncio
import itertools
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from ras import bare, environment, initramfs, migration, targets
from ras.agent import Agent, ShellResult
from ras.bare import SerrorReport
from ras.guest import Guest, Victim
from ras.qemu import Qemu
from ras.stream import LineStream
from ras.targets import Target

HOST_SOURCES = Path(__file__).resolve().parent / 'host'
# What inner and outer QEMU have in common, as names of ports of the host.
PORTS = ('qmp', 'console', 'serial', 'agent', 'log')
# Inner QEMUs that the host can have at a time.
PLACES = 2
# The guest's RAM, in the host: that of the first place.  A test may mount
# something on its folder.
RAM = '/ram/guest'
# A guest on its way from one inner QEMU to the next.
STATE = '/tmp/state'
# The program of Host.start_program().
PROGRAM = '/lab/serror'
# How often the programs host/reset*.S are reset.
RESETS = int(os.environ.get('RAS_RESETS', '10'))


@dataclass(frozen=True)
class Lab:
    """A kind of host, with what differs between architectures."""

    guest: Target
    host: Target
    emulator: str
    # Cache entries of the cross-built QEMU, by name (scripts/kvm-lab).
    entries: Dict[str, str]
    # Of the inner QEMU; "serial" and "console" are chardevs.
    machine_args: Sequence[str]
    console_args: Sequence[str]
    # Of the guest's kernel.
    kernel_arguments: str
    # The guest physical address of the first byte of RAM.
    ram_base: int
    firmware: Callable[[], Path]
    # Folder with the modules that make the host's kernel a hypervisor, and
    # their names, in the order of loading.
    modules_variable: str = ''
    modules: Sequence[str] = ()
    # The same for modules that tests load: host and guest have them, in their
    # root folders.
    spare_modules_variable: str = ''
    # Guests without an operating system: names and sources, in host/.
    programs: Dict[str, str] = field(default_factory=dict)
    program_flags: Sequence[str] = ()


# "sme" makes emulation slow and gives nothing here.
def _arm64_host_args(cpu: str = 'max,pauth-impdef=on,sme=off') -> List[str]:
    return ['-machine', 'virt,ras=on,virtualization=on,gic-version=3',
            '-cpu', cpu, '-bios', str(environment.path('RAS_AAVMF'))]


def _arm64_sea_host_args() -> List[str]:
    # This host never reads the records.
    return [*_arm64_host_args(), '-global', 'ras.reclaim-ms=50']


# A host whose kernel handles the errors of its memory itself.
ARM64 = Lab(
    guest=targets.ARM64,
    host=replace(targets.ARM64, machine_args=_arm64_host_args),
    emulator='qemu-system-aarch64',
    entries={'ras': 'RAS_KVM_ARM64', 'stock': 'RAS_KVM_STOCK_ARM64'},
    # In the layout of QEMU 10.0, unless a test says so.
    machine_args=['-machine', 'virt-10.0,ras=on,gic-version=3,accel=kvm',
                  '-cpu', 'host'],
    console_args=['-serial chardev:serial',
                  '-device virtconsole,chardev=console'],
    # Here each character on the serial port takes milliseconds, which hvc0
    # needs for a line; so ttyAMA0 is kept away, which the kernel would use
    # because ACPI says so.
    kernel_arguments='console=hvc0 initcall_blacklist=pl011_init acpi=force',
    ram_base=0x40000000,
    firmware=lambda: environment.path('RAS_AAVMF'),
    spare_modules_variable='RAS_MODULES_ARM64',
    programs={'reset': 'reset.S'},
    program_flags=['-Wl,-Ttext=0x40400000'])

# A host whose kernel does not look into error records, so that KVM is left
# with the external aborts of guests, and new enough (KVM_CAP_ARM_SEA_TO_USER)
# to pass them on.
ARM64_SEA = replace(ARM64, host=replace(
    targets.ARM64, machine_args=_arm64_sea_host_args,
    kernel_variable='RAS_KERNEL_ARM64_NEWER',
    kernel_arguments=f'{targets.ARM64.kernel_arguments} hest_disable'))

# The same with a kernel that does not pass them on.
ARM64_NO_SEA = replace(ARM64_SEA, host=replace(
    ARM64_SEA.host, kernel_variable='RAS_KERNEL_ARM64'))

# A host whose CPUs do not have the RAS extension.
ARM64_NO_RAS = replace(ARM64, host=replace(
    targets.ARM64, machine_args=lambda: _arm64_host_args('cortex-a57')))

# A host with an IOMMU, and a device to assign to a guest.
ARM64_DEVICES = replace(ARM64, host=replace(
    targets.ARM64, machine_args=lambda: [
        *_arm64_host_args(), '-machine', 'iommu=smmuv3',
        '-device', 'edu,dma_mask=0xffffffffffff']))

# A host whose guests may have guests.
ARM64_NESTED = replace(ARM64, host=replace(
    targets.ARM64, machine_args=_arm64_host_args,
    kernel_variable='RAS_KERNEL_ARM64_NEWER',
    kernel_arguments=f'{targets.ARM64.kernel_arguments} '
                     'kvm-arm.mode=nested'))


def _ppc64_host_args() -> List[str]:
    return ['-machine', 'pseries,cap-nested-hv=on', '-cpu', 'power9',
            '-nodefaults']


def _ppc64_v2_host_args() -> List[str]:
    return ['-machine', 'pseries,cap-nested-papr=on', '-cpu', 'power10',
            '-nodefaults']


# A host whose kernel is told by its hypervisor, the outer QEMU, that a guest
# of it has taken a machine check, and passes that on.
PPC64 = Lab(
    guest=targets.PPC64,
    host=replace(targets.PPC64, machine_args=_ppc64_host_args),
    emulator='qemu-system-ppc64',
    entries={'ras': 'RAS_KVM_PPC64', 'stock': 'RAS_KVM_STOCK_PPC64'},
    # Nested guests have the page size of the host's kernel.
    machine_args=['-machine', 'pseries,accel=kvm,cap-hpt-max-page-size=4096',
                  '-cpu', 'host'],
    console_args=['-serial chardev:console'],
    kernel_arguments='console=hvc0',
    ram_base=0,
    firmware=lambda: environment.path('RAS_FIRMWARE') / 'slof.bin',
    modules_variable='RAS_KVM_MODULES_PPC64',
    modules=['kvm.ko', 'kvm-hv.ko'],
    programs={'reset': 'reset-ppc64.S',
              'machine-check': 'machine-check-ppc64.S'},
    # Firmware is loaded as it is, to address 0.
    program_flags=['-mbig-endian', '-Wl,-Ttext=0', '-Wl,--oformat=binary'])

# The same by the other programming interface for nested guests, which PowerVM
# has.
PPC64_V2 = replace(PPC64, host=replace(
    targets.PPC64, machine_args=_ppc64_v2_host_args))

LABS = {'arm64': ARM64, 'arm64-sea': ARM64_SEA,
        'arm64-no-sea': ARM64_NO_SEA, 'arm64-no-ras': ARM64_NO_RAS,
        'arm64-devices': ARM64_DEVICES, 'arm64-nested': ARM64_NESTED,
        'ppc64': PPC64, 'ppc64-v2': PPC64_V2}


class GuestLost(Exception):
    """The guest panicked or the inner QEMU ended; the text says how."""


def _append(archive: Path, root: Path) -> None:
    """Append all that is in folder @root; Linux reads one after another."""
    names = sorted(str(path.relative_to(root)) for path in root.rglob('*'))
    with open(archive, 'ab') as output:
        subprocess.run(['cpio', '--quiet', '-o', '-H', 'newc', '-R', '+0:+0'],
                       cwd=root, stdout=output, check=True,
                       timeout=60 * environment.time_factor(),
                       input='\n'.join(names).encode() + b'\n')


def _compile(lab: Lab, source: str, output: Path, *flags: str) -> None:
    subprocess.run([lab.host.compiler, '-O2', '-Wall', '-Wextra', '-Werror',
                    *flags, '-o', str(output), str(HOST_SOURCES / source)],
                   check=True, timeout=300 * environment.time_factor())


def _archive(lab: Lab, folder: Path) -> Path:
    """Write the initramfs of the host to @folder.

    That of the guest, and what the host needs besides.
    """
    root = folder / 'root'
    files = {'kernel': environment.path(lab.guest.kernel_variable),
             'initrd': initramfs.get(lab.guest),
             'firmware': lab.firmware()}
    for name in lab.modules:
        files[name] = environment.path(lab.modules_variable) / name
    (root / 'lab').mkdir(parents=True)
    (root / 'lib').mkdir()
    # Where programs of ppc64 look for their loader.
    (root / 'lib64').symlink_to('lib')
    for name, source in files.items():
        shutil.copy(source, root / 'lab' / name)
    for name, variable in lab.entries.items():
        # "make check-smoke" has no stock.
        if name == 'stock' and not environment.has(variable):
            continue
        entry = environment.path(variable)
        shutil.copy(entry / 'bin' / lab.emulator, root / 'lab' / name)
        # Both were linked with the same libraries.
        for library in (entry / 'lib').iterdir():
            shutil.copy(library, root / 'lib')
    # What the guest has, too.
    both = folder / 'both'
    (both / 'lab').mkdir(parents=True)
    for name in 'ram', 'wire':
        _compile(lab, f'{name}.c', both / 'lab' / name, '-static')
    if lab.spare_modules_variable:
        for module in environment.path(
                lab.spare_modules_variable).glob('*.ko'):
            shutil.copy(module, both)
    _append(root / 'lab' / 'initrd', both)
    for name in 'late-signal', 'old-kernel':
        _compile(lab, f'{name}.c', root / 'lab' / f'{name}.so',
                 '-shared', '-fPIC')
    for name, program in lab.programs.items():
        bare.build(lab.guest, HOST_SOURCES / program, root / 'lab' / name,
                   f'-DROUNDS={RESETS}', *lab.program_flags)
    if lab.guest is targets.ARM64:
        bare.build_arm64(lab.guest, 'serror', root / 'lab' / 'serror',
                         LEVEL=1, SCR=0, HCR=0, UNMASK=1, HOLD=1, NO_RAS=1)
        for level in range(3):
            bare.build_arm64(lab.guest, 'el2-abort',
                             root / 'lab' / f'el2-abort-{level}', LEVEL=level)
    archive = folder / 'initramfs.cpio'
    shutil.copy(initramfs.get(lab.host), archive)
    for part in root, both:
        _append(archive, part)
        shutil.rmtree(part)
    return archive


class Place:
    """What one inner QEMU has of the host."""

    def __init__(self, host: 'Host', number: int) -> None:
        self.host = host
        self.number = number
        self.ram = RAM if number == 0 else f'{RAM}-{number}'
        self.status = f'/tmp/qemu{number}.status'
        self.pid = f'/tmp/qemu{number}.pid'
        # Device files in the host.
        self.ports: Dict[str, str] = {}
        self.taken = False

    def label(self, port: str) -> str:
        """What the outer QEMU calls a port."""
        return f'{port}{self.number}'

    def socket(self, port: str) -> Path:
        """The socket that a port is here."""
        return self.host.folder / self.label(port)

    def is_connected(self, port: str) -> bool:
        """True if somebody here listens to what arrives at @port."""
        return not self._chardev(port)['filename'].startswith('disconnected:')

    def is_open(self, port: str) -> bool:
        """True if a process of the host has opened the device of @port."""
        return self._chardev(port)['frontend-open']

    def _chardev(self, port: str) -> Dict[str, Any]:
        devices = self.host.qemu.qmp('query-chardev')
        return next(each for each in devices
                    if each['label'] == self.label(port))


class Host(Guest):
    """The emulated machine whose kernel has KVM; has one guest at a time."""

    def __init__(self, lab: Lab, name: str,
                 extra_args: Sequence[str] = ()) -> None:
        self.lab = lab
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix='ras-kvm-'))
        self.kvm_guest: Optional['KvmGuest'] = None
        self._places = [Place(self, number) for number in range(PLACES)]
        self._numbers: Iterator[int] = itertools.count(1)
        ports: List[str] = []
        for place, port in itertools.product(self._places, PORTS):
            label = place.label(port)
            ports += ['-chardev', f'socket,id={label},reconnect-ms=100,'
                                  f'path={place.socket(port)}',
                      '-device', f'virtserialport,bus=lab.0,chardev={label},'
                                 f'name=lab.{label}']
        super().__init__(lab.host, name, extra_args=[
            '-m', '4G', '-initrd', str(_archive(lab, self.folder)),
            '-device', 'virtio-serial-pci,id=lab', *ports, *extra_args])

    def boot(self) -> 'Host':
        """Start the outer QEMU and wait until the host is up."""
        super().boot()
        for module in self.lab.modules:
            self.command(f'insmod /lab/{module}')
        # A VM that moves is there twice, and a file of it.
        self.command('test -c /dev/kvm && mkdir /ram && '
                     'mount -t tmpfs -o size=3G none /ram')
        devices = {}
        for line in self.command('cd /sys/class/virtio-ports; '
                                 'grep lab. */name').splitlines():
            device, name = line.split('/name:lab.')
            devices[name] = f'/dev/{device}'
        for place in self._places:
            place.ports = {port: devices[place.label(port)] for port in PORTS}
        return self

    def command(self, text: str) -> str:
        """Run a shell command in the host, which must succeed."""
        result = self.agent.run(text)
        assert result.status == 0, f'{text}: {result}'
        return result.output

    def start_guest(self, qemu: str, smp: int = 4,
                    extra_args: Sequence[str] = (), megabytes: int = 1024,
                    append: str = '') -> 'KvmGuest':
        """Boot a guest with the inner QEMU of that name, "ras" or "stock"."""
        made = self.launch_guest(qemu, smp, extra_args, megabytes, append)
        # If it does not come up, the next test is to have another one.
        made.damaged = True
        made.wait_boot(0)
        made.damaged = False
        return made

    def launch_guest(self, qemu: str, smp: int = 4,
                     extra_args: Sequence[str] = (), megabytes: int = 1024,
                     append: str = '') -> 'KvmGuest':
        """The same, but do not wait for the guest."""
        self.stop_guest()
        self.kvm_guest = KvmGuest(self, qemu, smp, [
            '-bios /lab/firmware -kernel /lab/kernel -initrd /lab/initrd',
            f'-append "{self.lab.kernel_arguments} irqaffinity=0 panic=0 '
            f'{append}"',
            *extra_args], megabytes)
        self.kvm_guest.launch()
        return self.kvm_guest

    def start_program(self, qemu: str,
                      extra_args: Sequence[str] = ()) -> 'KvmProgram':
        """Let functional/bare/serror.S run instead of a guest (arm64)."""
        self.stop_guest()
        made = self.kvm_guest = KvmProgram(self, qemu, 1, [
            '-machine acpi=off', f'-device loader,file={PROGRAM},cpu-num=0',
            *extra_args], 64)
        made.launch()
        return made

    @contextmanager
    def wrapped(self, commands: str) -> Iterator[None]:
        """Let inner QEMU "ras" be started by these shell commands.

        They end with: exec "$qemu" "$@"
        """
        script = shlex.quote(f'#!/bin/sh\\nqemu=/lab/ras-itself\\n{commands}')
        self.stop_guest()
        self.command('mv /lab/ras /lab/ras-itself && '
                     f"printf %b {script} >/lab/ras && chmod +x /lab/ras")
        try:
            yield
        finally:
            self.stop_guest()
            self.command('mv /lab/ras-itself /lab/ras')

    def take_place(self) -> Place:
        """One for an inner QEMU, which gives it back."""
        place = next(each for each in self._places if not each.taken)
        place.taken = True
        return place

    def next_name(self, qemu: str) -> str:
        """A name for what comes next."""
        return f'{self.name}-{qemu}-{next(self._numbers)}'

    def stop_guest(self) -> None:
        """End the inner QEMU, if there is one."""
        if self.kvm_guest is not None:
            self.kvm_guest.close()
            self.kvm_guest = None

    def _ram(self, action: str, file: str, offsets: Sequence[int]
             ) -> List[str]:
        # As many at once as are sure to fit into a command line.
        at_once = 128
        said: List[str] = []
        for first in range(0, len(offsets), at_once):
            words = ' '.join(map(hex, offsets[first:first + at_once]))
            said += self.command(f'/lab/ram {action} {file} {words}').split()
        return said

    def _guest_ram(self) -> str:
        assert self.kvm_guest is not None
        return self.kvm_guest.ram_file

    def _ram_offsets(self, pages: Sequence[int]) -> List[int]:
        return [page - self.lab.ram_base for page in pages]

    def poison(self, pages: Sequence[int]) -> None:
        """Let the memory at these guest physical addresses fail.

        The host's kernel knows at once, and tells the inner QEMU.
        """
        self._ram('poison', self._guest_ram(), self._ram_offsets(pages))

    def poison_file(self, file: str, offsets: Sequence[int]) -> None:
        """The same for pages of another file of the host."""
        self._ram('poison', file, offsets)

    def break_memory(self, pages: Sequence[int]) -> None:
        """The same, but nobody knows until it is touched."""
        for page in self.where(pages):
            self.inject(page)

    def mend_memory(self) -> None:
        """Make good what break_memory() has broken."""
        for entry in self.poisoned():
            self.unpoison(entry['address'], entry['length'])

    def where(self, pages: Sequence[int]) -> List[int]:
        """The physical addresses, in the host, of pages of the guest."""
        return self.where_in_file(self._guest_ram(), self._ram_offsets(pages))

    def where_in_file(self, file: str, offsets: Sequence[int]) -> List[int]:
        """The same for pages of another file of the host."""
        return [int(line, 0) for line in self._ram('where', file, offsets)]

    def compare_files(self, file: str, other: str, but: Sequence[int]
                      ) -> List[str]:
        """Where files of the host differ, but for these pages, and what is
        there: of each page, the first 8 bytes that do."""
        words = ' '.join(map(hex, but))
        result = self.agent.run(f'/lab/ram compare {file} {other} {words}',
                                300)
        assert result.status == 0, result
        return result.output.split()

    def read(self, addresses: Sequence[int]) -> List[int]:
        """What is in the guest's memory there, in 8 bytes each."""
        return [int(line, 0) for line in
                self._ram('read', self._guest_ram(),
                          self._ram_offsets(addresses))]

    def load(self, addresses: Sequence[int]) -> List[str]:
        """What a process that maps the memory finds there; or "SIGBUS"."""
        return self._ram('load', self._guest_ram(),
                         self._ram_offsets(addresses))

    def close(self) -> None:
        """End everything."""
        try:
            self.stop_guest()
        finally:
            super().close()
            shutil.rmtree(self.folder, ignore_errors=True)


class _Process:
    """The inner QEMU: what ras.qemu.Qemu wants of qemu.machine.QEMUMachine."""

    def __init__(self, place: Place, command: str) -> None:
        from qemu.qmp.legacy import \
            QEMUMonitorProtocol  # pylint: disable=C0415

        self._place = place
        self._host = place.host
        self._command = command
        self._exitcode: Optional[int] = None
        socket = place.socket('qmp')
        socket.unlink(missing_ok=True)
        self._qmp = QEMUMonitorProtocol(str(socket), server=True)
        self._qmp_connection: Optional[QEMUMonitorProtocol] = None

    def launch(self) -> None:
        """Start the process, with its output to port "log"."""
        end = time.monotonic() + 30
        place = self._place
        while not all(map(place.is_connected, PORTS)):
            assert time.monotonic() < end, 'a port is not connected'
            time.sleep(0.05)
        self._host.command(f'rm -f {place.status} {place.ram}')
        self._host.command(
            f'(sh -c \'echo $$ >{place.pid}; exec {self._command}\'; '
            f'echo $? >{place.status}) >{place.ports["log"]} 2>&1 &')
        while not place.is_open('qmp'):
            if not self.is_running():
                raise GuestLost(f'QEMU ended with status {self._exitcode}')
        self._qmp.accept(60 * self._host.factor)
        self._qmp_connection = self._qmp

    def qmp(self, command: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """Run a QMP command."""
        return self._qmp.cmd_raw(command, arguments)

    def get_qmp_events(self, wait: float = 0) -> List[Dict[str, Any]]:
        """The events that have arrived."""
        return self._qmp.get_events(wait=wait)

    def get_pid(self) -> int:
        """The process id, in the host."""
        return int(self._host.command(f'cat {self._place.pid}'))

    def exitcode(self) -> Optional[int]:
        """Exit status; negative for a signal, None while it runs."""
        if self._exitcode is None:
            status = self._host.agent.run(f'cat {self._place.status}')
            if status.status == 0 and status.output:
                code = int(status.output)
                self._exitcode = code if code <= 128 else 128 - code
        return self._exitcode

    def is_running(self) -> bool:
        """True until it has ended."""
        return self.exitcode() is None

    def shutdown(self, **_: Any) -> None:
        """End it at once."""
        try:
            if self.is_running():
                self._host.command(f'kill -9 $(cat {self._place.pid})')
                while self.is_running():
                    time.sleep(0.05)
            self._host.command(f'rm -f {self._place.ram}')
        finally:
            self._qmp_connection = None
            self._qmp.close()
            self._place.taken = False


def _command_line(lab: Lab, binary: str, args: Sequence[str],
                  backends: Dict[str, str]) -> str:
    """How to start an inner QEMU; @backends are those of its chardevs."""
    return ' '.join([
        f'/lab/{binary} -nodefaults -display none', *args,
        *(f'-chardev {backends[name]},id={name}'
          for name in PORTS if name != 'log'),
        '-mon chardev=qmp,mode=control', '-device virtio-serial-pci',
        *lab.console_args,
        '-device virtserialport,chardev=agent,name=ras.agent',
        '-msg timestamp=on'])


class _InnerQemu(Qemu):
    """ras.qemu.Qemu for a process in the host: has the same attributes."""

    # Everything is made here that the base class would make for a process
    # of this machine.
    # pylint: disable-next=super-init-not-called
    def __init__(self, place: Place, binary: str, args: Sequence[str],
                 name: str) -> None:
        environment.use_qemu_python()
        self.place = place
        self.name = name
        self.events: List[Dict[str, Any]] = []
        self.exchange = []
        self.logs = environment.directory('RAS_RESULTS') / 'kvm' / name
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self._qmp_log = open(self.logs / 'qmp.log', 'w', encoding='utf-8')
        self.console, self.serial, self.agent, self.log = self._streams = [
            self._stream(port) for port in PORTS if port != 'qmp']
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._vm = _Process(place, _command_line(
            place.host.lab, binary, args,
            {name: f'pipe,path={port}' for name, port in place.ports.items()}))

    def _stream(self, port: str) -> LineStream:
        socket = self.place.socket(port)
        socket.unlink(missing_ok=True)
        return LineStream(port, socket, self.logs / f'{port}.log')

    def launch(self) -> None:
        """Start the process."""
        try:
            for stream in self._streams:
                stream.accept(60 * environment.time_factor())
            self._vm.launch()
            self._vm._qmp.settimeout(60 * environment.time_factor())
        except BaseException:
            self.close()
            raise

    def output(self) -> List[str]:
        """What QEMU wrote so far: messages and trace."""
        return [line.text for line in self.log.since(0)]

    def close(self) -> None:
        """End the process, whatever state it is in, and clean up."""
        if self._loop.is_closed():
            return
        try:
            self.pump()
            self._vm.shutdown()
        except Exception as exc:  # pylint: disable=broad-except
            self._note(f'shutdown: {type(exc).__name__} {exc}')
        finally:
            for stream in self._streams:
                stream.close()
            self._loop.close()
            self._qmp_log.close()


class KvmGuest(Guest):
    """A guest of the inner QEMU: ras.guest.Guest, and poison of the host."""

    # The base class would start a process of this machine.
    # pylint: disable-next=super-init-not-called
    def __init__(self, host: Host, qemu: str, smp: int,
                 args: Sequence[str], megabytes: int) -> None:
        lab = host.lab
        self._megabytes = megabytes
        self.host = host
        self.flavour = qemu
        self.smp = smp
        self.target = lab.guest
        self.factor = environment.time_factor()
        self._name = host.next_name(qemu)
        self._moves = itertools.count(1)
        self._args = [
            *lab.machine_args, '-machine memory-backend=ram',
            f'-m {megabytes}M', f'-smp {smp}', '-action panic=none',
            *(['-trace "ras_*"'] if qemu == 'ras' else []), *args]
        self.qemu = self._make_qemu(self._name, qemu == 'stock', [])
        self.agent = Agent(self.qemu.agent, self.factor)
        self.console = self.qemu.console
        self.hello: Dict[str, str] = {}
        self.damaged = False

    def _make_qemu(self, name: str, stock: bool,
                   more: Sequence[str]) -> Qemu:
        place = self.host.take_place()
        return _InnerQemu(place, 'stock' if stock else 'ras',
                          [*self._args, self._ram(place.ram), *more], name)

    def _ram(self, file: str) -> str:
        return f'-object memory-backend-file,id=ram,mem-path={file},' \
               f'size={self._megabytes}M,share=on'

    @property
    def ram_file(self) -> str:
        """Its RAM, in the host."""
        assert isinstance(self.qemu, _InnerQemu)
        return self.qemu.place.ram

    def make_folder(self) -> Path:
        """An empty folder of the host, not in /ram: see huge_pages()."""
        return Path(self.host.command('mktemp -d /tmp/move-XXXXXX').strip())

    def remove_folder(self, folder: Path) -> None:
        """Remove it, and all that is in it."""
        self.host.command(f'rm -r {folder}')

    def compare_ram(self, old: Qemu, new: Qemu, failed: Sequence[int]
                    ) -> List[str]:
        """Where RAM of the VM differs between them, but in @failed pages."""
        assert isinstance(old, _InnerQemu) and isinstance(new, _InnerQemu)
        return self.host.compare_files(old.place.ram, new.place.ram, [
            page - self.host.lab.ram_base for page in failed])

    def try_load(self) -> ShellResult:
        """Let another inner QEMU load what save() has saved, and not run it.

        It ends when it cannot, or after a minute.
        """
        other = '/ram/other'
        command = _command_line(
            self.host.lab, 'ras', [*self._args, self._ram(other), '-S',
                                   f'-incoming file:{STATE}'],
            dict.fromkeys(PORTS, 'null'))
        return self.host.agent.run(
            f'timeout {int(60 * self.factor)} {command} 2>&1; ended=$?; '
            f'rm -f {other}; exit $ended', 90)

    def save(self) -> None:
        """Save the VM in a file of the host, STATE; it stands still."""
        self.qemu.qmp('migrate', uri=f'file:{STATE}')
        self.wait_until(lambda: self.qemu.qmp('query-migrate')['status'] in
                        ('completed', 'failed'), 'migration', 300)
        saved = self.qemu.qmp('query-migrate')
        assert saved['status'] == 'completed', saved

    def wait_arrived(self) -> None:
        """Wait until the inner QEMU, started to load a VM, has done so."""
        self.wait_until(lambda: self.qemu.qmp('query-status')['status'] !=
                        'inmigrate', 'the guest arrives', 300)

    def move(self, snapshot: bool = False) -> None:
        """Let the guest go on in a new inner QEMU; it stands still there.

        The host has one at a time, so the way is through a file: that of a
        migration, or a disk with a snapshot; then the guest stands still
        before, too.
        """
        old = self.qemu
        if snapshot:
            migration.save_snapshot(old, Path(STATE))
        else:
            self.save()
        old.close()
        new = self.successor(self.flavour == 'stock', [
            '-S', *([] if snapshot else [f'-incoming file:{STATE}'])])
        new.launch()
        self.continue_in(new)
        if snapshot:
            migration.load_snapshot(new, Path(STATE))
        self.wait_arrived()
        self.host.command(f'rm {STATE}')

    def check_not_lost(self) -> None:
        """Raise GuestLost if the guest has panicked or QEMU has ended."""
        for line in self.console.matching('Kernel panic'):
            raise GuestLost(line.text)
        status = self.qemu.exit_status()
        if status is not None:
            said = [line for line in self.qemu.output()
                    if line.strip() and ' warning: ' not in line]
            raise GuestLost(f'QEMU ended with status {status}: '
                            + ' / '.join(said[-3:]))

    def wait_until(self, done: Callable[[], bool], what: str,
                   timeout: float = 60) -> None:
        """Wait until done(), or until the guest is lost: GuestLost."""
        end = time.monotonic() + timeout * self.factor
        while not done():
            self.check_not_lost()
            assert time.monotonic() < end, f'{what}: not in {timeout:.0f} s'
            time.sleep(0.2)

    def victims(self, count: int) -> List[Victim]:
        """Start that many victims with a page each, on all vCPUs in turn."""
        return [self.spawn(cpu=number % self.smp) for number in range(count)]

    def wait_sigbus(self, victims: Sequence[Victim]) -> None:
        """Wait until the SIGBUS handler of each victim has run."""
        def all_hit() -> bool:
            return all(self.agent.lines(rf'^\* victim {victim.id} sigbus ')
                       for victim in victims)

        self.wait_until(all_hit, f'SIGBUS for {len(victims)} victims')

    def poisoned(self) -> List[Dict[str, Any]]:
        """None that could be made good again: it is the host's poison."""
        return []


class KvmProgram(KvmGuest):
    """Waits for an SError with SErrors masked, and holds it back."""

    def report(self) -> SerrorReport:
        """What became of it so far."""
        return SerrorReport.of(self._words())

    def wait_running(self) -> None:
        """Wait until it waits."""
        self.wait_until(lambda: bool(self._words()['running']),
                        'the program runs')

    def release(self) -> SerrorReport:
        """Let it take what is pending."""
        self.qemu.serial.send('.')
        self.wait_until(lambda: bool(self._words()['done']),
                        'the SError is taken')
        return self.report()

    def _words(self) -> Dict[str, int]:
        return bare.read_serror_report(self.qemu.hmp)
