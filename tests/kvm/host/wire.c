/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in the host of the KVM tests and in the guest:
 *
 *   wire send udp|vsock ADDRESS FILE   sends the begin of FILE, which is in
 *                                      memory; nobody reads it on this side
 *   wire receive udp|vsock             prints "ready", and then what arrives,
 *                                      one a line: how many bytes, and the
 *                                      first 8, as a number
 *
 * ADDRESS is one of IPv4, or a context ID.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#define PORT 4000
/* Less than an MTU, and less than a page. */
#define LENGTH 1000

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_vm vm;
};

/* A socket for that, and what @text means there, or any address if NULL */
static int open_socket(bool udp, const char *text, union address *address)
{
    int fd = socket(udp ? AF_INET : AF_VSOCK,
                    udp ? SOCK_DGRAM : SOCK_STREAM, 0);

    if (fd < 0) {
        err(1, "socket");
    }
    memset(address, 0, sizeof(*address));
    if (udp) {
        address->in.sin_family = AF_INET;
        address->in.sin_port = htons(PORT);
        if (text && !inet_aton(text, &address->in.sin_addr)) {
            errx(2, "%s", text);
        }
    } else {
        address->vm.svm_family = AF_VSOCK;
        address->vm.svm_port = PORT;
        address->vm.svm_cid = text ? strtoul(text, NULL, 0) : VMADDR_CID_ANY;
    }
    return fd;
}

/* The pages themselves are given to the device (MSG_ZEROCOPY). */
static void send_file(bool udp, const char *text, const char *name)
{
    union address address;
    int fd = open_socket(udp, text, &address), file = open(name, O_RDONLY);
    void *page = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, file, 0);
    const int yes = 1;

    if (page == MAP_FAILED) {
        err(1, "%s", name);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &yes, sizeof(yes)) ||
        connect(fd, &address.any, udp ? sizeof(address.in) :
                sizeof(address.vm)) ||
        send(fd, page, LENGTH, MSG_ZEROCOPY) != LENGTH) {
        err(1, "send");
    }
}

static void receive(bool udp)
{
    union address address;
    int fd = open_socket(udp, NULL, &address);

    if (bind(fd, &address.any, udp ? sizeof(address.in) :
             sizeof(address.vm)) || (!udp && listen(fd, 1))) {
        err(1, "bind");
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int from = udp ? fd : accept(fd, NULL, NULL);
        uint64_t data[(LENGTH + 7) / 8] = { 0 };
        ssize_t n = recv(from, data, LENGTH, udp ? 0 : MSG_WAITALL);

        if (n < 0) {
            err(1, "recv");
        }
        printf("%zd 0x%llx\n", n, (unsigned long long)data[0]);
        fflush(stdout);
        if (!udp) {
            close(from);
        }
    }
}

int main(int argc, char **argv)
{
    bool udp = argc > 2 && !strcmp(argv[2], "udp");

    if (argc == 5 && !strcmp(argv[1], "send")) {
        send_file(udp, argv[3], argv[4]);
    } else if (argc == 3 && !strcmp(argv[1], "receive")) {
        receive(udp);
    } else {
        errx(2, "usage: wire send udp|vsock ADDRESS FILE, or "
             "wire receive udp|vsock");
    }
    return 0;
}
