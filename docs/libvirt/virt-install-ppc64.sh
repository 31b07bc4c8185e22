virt-install --name made --arch ppc64le --machine pseries \
    --boot emulator=/usr/bin/qemu-ras-system-ppc64 \
    --vcpus 2 --memory 1024 --osinfo detect=on,require=off \
    --import --disk /var/lib/libvirt/images/made.qcow2 --network user \
    --events on_crash=preserve --graphics none --noautoconsole
