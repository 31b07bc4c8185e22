# SPDX-License-Identifier: GPL-2.0-or-later
"""The package is installed, used beside what others need, and removed."""

import dataclasses
import json
import os
import re
import shutil
import stat
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

import vm
from system import EMULATORS, System
from ras import environment
from ras.guest import Guest
from ras.targets import ARM64, TARGETS

TOP = Path(__file__).resolve().parents[2]
DESCRIPTORS = '/usr/share/qemu/firmware'
FLASH_SIZE = 64 << 20
ABSTRACTION = '/etc/apparmor.d/abstractions/libvirt-qemu'
LOCAL = '/etc/apparmor.d/local/abstractions/libvirt-qemu'
RULES = '/etc/apparmor.d/abstractions/libvirt-qemu.d/qemu-ras'
# As libvirt makes it of its template, for a VM.
PROFILE = '''#include <tunables/global>
profile libvirt-12345678-1234-1234-1234-123456789abc {
  #include <abstractions/libvirt-qemu>
}
'''
DOMAIN = '''<domain type='qemu'>
  <name>guest</name>
  <uuid>12345678-1234-1234-1234-123456789abc</uuid>
  <memory>1048576</memory>
  <os>
    <type arch='aarch64' machine='virt'>hvm</type>
    <loader readonly='yes' type='pflash'>{code}</loader>
    <nvram>/var/lib/libvirt/qemu/nvram/guest_VARS.fd</nvram>
  </os>
  <features><acpi/></features>
  <devices><emulator>{emulator}</emulator></devices>
</domain>
'''
# What runs in a VM: with the package, and with a package that has no rules. The
# pages are in the middle of the memory of each machine.
CONFINED = f'''
apparmor_parser -r /etc/apparmor.d/usr.sbin.libvirtd \\
    /etc/apparmor.d/usr.lib.libvirt.virt-aa-helper
virtlogd -d
libvirtd -d
until virsh -q uri; do sleep 1; done
grep '^libvirtd ' /sys/kernel/security/apparmor/profiles
for name in arm64:0x50000000 ppc64:0x10000000; do
    page=${{name#*:}} name=${{name%:*}}
    virsh -q define --validate /$name.xml
    virsh -q start $name
    echo "$name: $(cat /proc/$(cat /run/libvirt/qemu/$name.pid)/attr/current)"
    virsh -q qemu-monitor-command --hmp $name "ras_inject memory $page poison"
    virsh -q qemu-monitor-command --hmp $name 'info ras'
    virsh -q destroy $name
done
dmesg | grep 'apparmor="DENIED"' || :
echo
echo 'without rules'
: >{RULES}
dmesg -C
! virsh -q start arm64
dmesg | grep 'apparmor="DENIED"'
'''


def descriptor(system: System) -> Dict[str, object]:
    """The firmware descriptor."""
    return json.loads(system.read(f'{DESCRIPTORS}/70-qemu-ras-aarch64.json'))


def firmware(system: System, part: str) -> str:
    """File name of "executable" or "nvram-template"."""
    return descriptor(system)['mapping'][part]['filename']  # type: ignore


def test_lintian(system: System) -> None:
    """lintian has nothing to say."""
    assert system.read('/package/qemu-ras_lintian.txt') == ''


def test_install(system: System) -> None:
    """apt installs the package, with what it depends on."""
    system.apt_get('update')
    system.before = system.files()
    system.apt_get('install /package/qemu-ras_*_amd64.deb')
    assert system.run('dpkg --audit') == ''
    for program in (*EMULATORS.values(), '/usr/bin/rasctl'):
        assert 'not found' not in system.run(f'ldd {program}')


def test_own_names(system: System) -> None:
    """No file may be one that another package has."""
    listed = system.run('dpkg -L qemu-ras').splitlines()
    files = [name for name in listed if not system.file(name).is_dir() or
             system.file(name).is_symlink()]
    assert len(files) > 20
    assert [name for name in files
            if 'qemu-ras' not in name and 'rasctl' not in name] == []


def test_version(system: System) -> None:
    """-version says the version of the package, but for the commit."""
    version = re.split('[~+]', system.run(
        "dpkg-query -W -f '${Version}' qemu-ras"))[0]
    for emulator in EMULATORS.values():
        assert f'(qemu-ras {version})\n' in system.run(f'{emulator} -version')


def test_built_using(system: System) -> None:
    """The package says which sources it was made from."""
    using = system.run("dpkg-query -W -f '${Built-Using}' qemu-ras")
    names = re.findall(r'(\S+) \(= \S+\)', using)
    assert names == ['edk2', 'ipxe', 'qemu', 'seabios']
    licences = system.file('/usr/share/doc/qemu-ras/copyright.d')
    assert sorted(path.stem for path in licences.iterdir()) == [
        'ipxe-qemu', 'qemu-efi-aarch64', 'qemu-system-data', 'seabios']
    assert all(path.stat().st_size > 1000 for path in licences.iterdir())


def test_pages(system: System) -> None:
    """Each program has a manual page; rasctl has completion."""
    for program in (*EMULATORS.values(), '/usr/bin/rasctl'):
        page = f'/usr/share/man/man1/{Path(program).name}.1.gz'
        assert 'guest RAS' in system.run(f'zcat {page}')
    completions = '/usr/share/bash-completion/completions/rasctl'
    assert system.run(f"bash -c '. {completions}; complete -p rasctl'")


def test_manual(system: System) -> None:
    """What README and the manual refer to is there, as it is."""
    folder = system.file('/usr/share/doc/qemu-ras')
    named = [folder / name for name in re.findall(
        r'\]\((docs/[^)#:]+)\)', (folder / 'README.md').read_text())]
    for page in folder.glob('docs/**/*.rst'):
        text = page.read_text()
        named += [page.parent / name for name in re.findall(
            r'^\.\. (?:literal)?include:: (\S+)', text, re.M)]
        for name in re.findall(r':doc:`(?:[^`<]*<)?([^`>]+)>?`', text):
            start = folder / 'docs' if name[0] == '/' else page.parent
            named.append(start / f'{name.lstrip("/")}.rst')
    assert len(named) > 50
    html = folder / 'html'
    for file in html.glob('**/*.html'):
        named += [file.parent / name for name in re.findall(
            r'(?:href|src)="([^":?#]+)', file.read_text())]
    assert html / 'index.html' in named
    assert [str(name) for name in named if not name.is_file()] == []
    assert (folder / 'MAINTAINERS').is_file()


def test_firmware(system: System) -> None:
    """libvirt's description of UEFI is right, and comes after Debian's."""
    found = descriptor(system)
    assert found['interface-types'] == ['uefi']
    assert found['mapping']['device'] == 'flash'  # type: ignore
    # Kernels need no signature.
    assert not {'secure-boot', 'enrolled-keys'} & \
        set(found['features'])  # type: ignore
    for part in ('executable', 'nvram-template'):
        path = firmware(system, part)
        # AppArmor and virt-aa-helper let VMs use what is there.
        assert path.startswith('/usr/share/AAVMF/')
        status = system.file(path).stat()
        assert status.st_size == FLASH_SIZE
        assert stat.S_IMODE(status.st_mode) == 0o644
    system.run('cd /run && apt-get download -q qemu-efi-aarch64 && '
               'dpkg-deb -x qemu-efi-aarch64_*.deb efi')
    theirs = os.listdir(system.file('/run/efi') / DESCRIPTORS[1:])
    assert theirs
    assert all(name < '70-qemu-ras-aarch64.json' for name in theirs)
    shutil.rmtree(system.file('/run/efi'))


def test_finds_firmware(system: System) -> None:
    """QEMU finds UEFI, SLOF and keyboard layouts by itself."""
    quit_at_once = 'echo quit | timeout 120'
    system.run(f'{quit_at_once} {EMULATORS["arm64"]} -M virt,ras=on -cpu max '
               '-bios QEMU_EFI.fd -S -vnc unix:/run/vnc -monitor stdio')
    system.run(f'{quit_at_once} {EMULATORS["ppc64"]} -M pseries -S '
               '-vnc unix:/run/vnc -monitor stdio')


@pytest.mark.parametrize('machine', TARGETS)
def test_demo(system: System, outside: Path, machine: str) -> None:
    """A guest survives a memory error."""
    del system
    done = subprocess.run(
        ['/usr/bin/python3', TOP / 'tests/functional/demo.py',
         '--machine', machine], check=False, env=os.environ, cwd=outside,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert 'everything else lives.' in done.stdout


def boot_from_flash(system: System, outside: Path, name: str) -> None:
    """Boot a guest with UEFI in flash, as libvirt starts it."""
    variables = outside / 'guest_VARS.fd'
    shutil.copyfile(system.file(firmware(system, 'nvram-template')),
                    variables)
    flash = dataclasses.replace(ARM64, machine_args=lambda: [
        '-machine', 'virt,ras=on,gic-version=3', '-cpu',
        'max,pauth-impdef=on',
        '-drive', 'if=pflash,format=raw,readonly=on,'
        f'file={firmware(system, "executable")}',
        '-drive', f'if=pflash,format=raw,file={variables}'])
    with Guest(flash, f'{name}-{system.suite}') as guest:
        guest.boot()
        # Linux has found the tables that need UEFI.
        guest.console.wait('HEST: Table parsing has been initialized', 0,
                           60 * environment.time_factor())


def test_flash(system: System, outside: Path) -> None:
    """A guest boots as libvirt starts it."""
    boot_from_flash(system, outside, 'flash')


def test_remove(system: System) -> None:
    """Nothing is left of the package, and of what came with it."""
    system.apt_get('purge --auto-remove qemu-ras')
    assert system.files() - system.before == set()


def rules(system: System) -> List[str]:
    """The rules that a VM of libvirt gets, as the parser reads them."""
    system.file('/run/profile').write_text(PROFILE)
    return system.run('apparmor_parser -Q -K -p /run/profile').splitlines()


def our_rules(system: System) -> Iterator[str]:
    """Those of them that are about the emulators and their data."""
    return (line.strip() for line in rules(system) if 'qemu-ras' in line
            and 'include' not in line and not line.startswith('#'))


def test_apparmor(system: System) -> None:
    """VMs of libvirt may run the emulators; libvirt came after the package."""
    system.apt_get('install /package/qemu-ras_*_amd64.deb')
    system.apt_get('install libvirt-daemon-system apparmor')
    assert set(our_rules(system)) == {
        '/usr/bin/qemu-ras-system-{aarch64,ppc64} rmix,',
        '/usr/share/qemu-ras/{,**} r,'}
    # The profile is one that can be compiled.
    system.run('apparmor_parser -Q -K /run/profile')
    # The administrator's file is left alone where there is another way.
    has_folder = '<abstractions/libvirt-qemu.d>' in system.read(ABSTRACTION)
    assert has_folder == (system.suite != 'bookworm')
    local = system.file(LOCAL)
    if has_folder:
        assert not local.exists() or 'qemu-ras' not in system.read(LOCAL)
    else:
        assert system.read(LOCAL).count('qemu-ras') == 1
        local.write_text('# of the administrator\n' + system.read(LOCAL))
    # libvirtd may start what is in /usr/bin.
    assert re.search(r'^ *(/usr/bin/\*|/{,usr/}bin/\*) PUx,',
                     system.read('/etc/apparmor.d/usr.sbin.libvirtd'), re.M)


def test_virt_aa_helper(system: System) -> None:
    """What makes the profile of a VM takes our UEFI."""
    system.file('/run/domain.xml').write_text(DOMAIN.format(
        code=firmware(system, 'executable'), emulator=EMULATORS['arm64']))
    made = system.run(
        '/usr/lib/libvirt/virt-aa-helper -d -c '
        '-u libvirt-12345678-1234-1234-1234-123456789abc </run/domain.xml')
    assert f'"{firmware(system, "executable")}" rk,' in made


def test_remove_without_purge(system: System) -> None:
    """The rules stay, as configuration does, and nobody misses the rest."""
    system.apt_get('remove qemu-ras')
    assert [name for name in system.files() if 'qemu-ras' in name] == [
        'etc/apparmor.d/abstractions/libvirt-qemu.d/qemu-ras']
    system.file('/run/profile').write_text(PROFILE)
    system.run('apparmor_parser -Q -K /run/profile')
    if system.suite == 'bookworm':
        assert not list(our_rules(system))
        assert system.read(LOCAL) == '# of the administrator\n'
    system.apt_get('install /package/qemu-ras_*_amd64.deb')
    assert len(list(our_rules(system))) == 2


def test_remove_beside_libvirt(system: System) -> None:
    """The rules go, and the administrator's stay."""
    system.apt_get('purge qemu-ras')
    assert not list(our_rules(system))
    if system.suite == 'bookworm':
        assert system.read(LOCAL) == '# of the administrator\n'
    assert not [name for name in system.files() if 'qemu-ras' in name]


def test_install_beside_libvirt(system: System) -> None:
    """The rules are there if libvirt was there first, and once only."""
    for more in ('', '--reinstall'):
        system.apt_get(f'install {more} /package/qemu-ras_*_amd64.deb')
        assert len(list(our_rules(system))) == 2


def older_package(system: System) -> str:
    """The package, with a version and a set of rules of the past."""
    system.run(
        'cd /run && rm -rf older && dpkg-deb -R /package/qemu-ras_*_amd64.deb '
        'older && sed -i "s/^Version: .*/Version: 0.9/" older/DEBIAN/control '
        f'&& echo "# Of the past." >>older{RULES} '
        '&& dpkg-deb --root-owner-group -Znone -b older older.deb')
    return '/run/older.deb'


def check_installed(system: System) -> None:
    """All is in place that VMs of libvirt need, and nothing of the past."""
    assert system.run('dpkg --audit; dpkg --verify qemu-ras') == ''
    assert 'Of the past' not in system.read(RULES)
    assert len(list(our_rules(system))) == 2
    has_folder = '<abstractions/libvirt-qemu.d>' in system.read(ABSTRACTION)
    local = system.file(LOCAL)
    assert (local.read_text().count('qemu-ras') if local.exists() else 0) == \
        (0 if has_folder else 1)
    assert [name for name in system.files() if 'qemu-ras' in name and
            re.search(r'\.(dpkg|ucf)-', name)] == []
    for part in ('executable', 'nvram-template'):
        assert system.file(firmware(system, part)).is_file()


def test_upgrade(system: System, outside: Path) -> None:
    """No questions, nothing is left, and a guest boots."""
    system.apt_get('purge qemu-ras')
    system.apt_get(f'install {older_package(system)}')
    assert 'Of the past' in system.read(RULES)
    # dpkg would ask about a file that somebody has changed, and read the end
    # of a file.
    assert 'Unpacking qemu-ras' in system.apt_get(
        'install /package/qemu-ras_*_amd64.deb')
    assert system.run("dpkg-query -W -f '${Version}' qemu-ras") != '0.9'
    check_installed(system)
    boot_from_flash(system, outside, 'upgrade')


def test_enforced(system: System, tmp_path: Path) -> None:
    """libvirt starts VMs of both machines when AppArmor is enforced, and only
    with our rules."""
    vm.install_kernel(system)
    manual = system.file('/usr/share/doc/qemu-ras/docs/libvirt')
    release = '9.0' if system.suite == 'bookworm' else '11.3'
    for name, file in (('arm64', f'arm64-{release}.xml'),
                       ('ppc64', 'pseries.xml')):
        domain = xml.fromstring((manual / file).read_text(encoding='utf-8'))
        for tag, text in (('name', name), ('memory', '0.5')):
            found = domain.find(tag)
            assert found is not None
            found.text = text if tag == 'name' else '512'
            if tag == 'memory':
                found.set('unit', 'MiB')
        devices = domain.find('devices')
        disk = domain.find('devices/disk')
        assert devices is not None and disk is not None
        devices.remove(disk)
        system.file(f'/{name}.xml').write_text(
            xml.tostring(domain, encoding='unicode'), encoding='utf-8')
    logs = environment.directory('RAS_RESULTS')
    said = vm.run(system, CONFINED, tmp_path,
                  logs / f'enforced-{system.suite}.log')
    assert '\nlibvirtd (enforce)\n' in said
    with_rules, _, without = said.partition('\nwithout rules\n')
    for name in ('arm64', 'ppc64'):
        assert re.search(rf'^{name}: libvirt-[0-9a-f-]{{36}} \(enforce\)$',
                         with_rules, re.M)
    assert with_rules.count('\nbad pages of ') == 2
    assert re.findall(r'.*DENIED.* profile="libvirt-.*', with_rules) == []
    assert re.search(r'DENIED.* name="/usr/bin/qemu-ras-system-aarch64"',
                     without)
