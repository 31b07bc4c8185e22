virt-install --name first --arch aarch64 --machine virt \
    --boot emulator=/usr/bin/qemu-ras-system-aarch64,firmware=efi,firmware.feature0.name=secure-boot,firmware.feature0.enabled=no,kernel=/var/lib/libvirt/boot/linux,initrd=/var/lib/libvirt/boot/initrd.gz,kernel_args='console=ttyAMA0 rdinit=/bin/sh' \
    --cpu neoverse-n1 --qemu-commandline='-machine ras=on,ras-ghes=on' \
    --vcpus 2 --memory 2048 --osinfo detect=on,require=off \
    --import --disk none --network user --graphics none --noautoconsole
