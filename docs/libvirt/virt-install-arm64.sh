virt-install --name made --arch aarch64 --machine virt \
    --boot emulator=/usr/bin/qemu-ras-system-aarch64,firmware=efi,firmware.feature0.name=secure-boot,firmware.feature0.enabled=no \
    --cpu neoverse-n1 --qemu-commandline='-machine ras=on' \
    --vcpus 2 --memory 1024 --osinfo detect=on,require=off \
    --import --disk /var/lib/libvirt/images/made.qcow2 --network user \
    --events on_crash=preserve --graphics none --noautoconsole
