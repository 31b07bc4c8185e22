# SPDX-License-Identifier: GPL-2.0-or-later
"""The last thing that happens to a system: it moves to the next release."""

import shutil
from pathlib import Path

from system import EMULATORS, System
from test_packages import boot_from_flash, check_installed, our_rules


def test_upgrade_of_debian(system: System, after: System, outside: Path
                           ) -> None:
    """The whole system moves to the next release, and the package with it."""
    sources = system.file('/etc/apt/sources.list')
    sources.write_text(sources.read_text().replace(system.suite, after.suite))
    newer = system.file('/run/newer')
    shutil.copytree(after.file('/package'), newer)
    options = '-o Dpkg::Options::=--force-confdef'
    system.apt_get('update')
    system.apt_get(f'dist-upgrade {options}')
    # The old package works until the new one is there.
    system.run(f'{EMULATORS["arm64"]} -version')
    assert len(list(our_rules(system))) == 2
    assert 'Unpacking qemu-ras' in system.apt_get(
        'install /run/newer/qemu-ras_*_amd64.deb')
    check_installed(system)
    shutil.rmtree(newer)
    boot_from_flash(system, outside, 'newer-debian')
