/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In a ppc64 guest: prints each error log that the kernel hands to user space,
 * as librtasevent, the library of rtas_errd, reads it.
 *
 *   event <number of the kernel> <length>
 *   ...                                    what librtasevent prints
 *   end <number>                           or: unreadable <number>
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "librtasevent.h"

#define ERROR_LOG "/proc/powerpc/rtas/error_log"

int main(void)
{
    /* Reads give one event each: its number, and the log. */
    static char entry[8192];
    int fd = open(ERROR_LOG, O_RDONLY);

    if (fd < 0) {
        perror(ERROR_LOG);
        return 1;
    }
    puts("listening");
    for (;;) {
        ssize_t n;
        int32_t number;
        struct rtas_event *event;

        fflush(stdout);
        n = read(fd, entry, sizeof(entry));
        if (n < (ssize_t)sizeof(number)) {
            perror("read");
            return 1;
        }
        memcpy(&number, entry, sizeof(number));
        n -= sizeof(number);
        printf("event %d %zd\n", (int)number, n);
        event = parse_rtas_event(entry + sizeof(number), n);
        if (!event || rtas_print_event(stdout, event, 0) < 0) {
            printf("unreadable %d\n", (int)number);
            continue;
        }
        cleanup_rtas_event(event);
        printf("end %d\n", (int)number);
    }
}
