/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rtas-log uses of librtasevent.so.2, whose own header is in a package
 * that nothing else is needed of.
 */
#ifndef RAS_TEST_LIBRTASEVENT_H
#define RAS_TEST_LIBRTASEVENT_H

#include <stdio.h>

struct rtas_event;

/* NULL if the event makes no sense.  The buffer is used until clean-up. */
struct rtas_event *parse_rtas_event(char *buffer, int length);
int rtas_print_event(FILE *stream, struct rtas_event *event, int verbosity);
int cleanup_rtas_event(struct rtas_event *event);

#endif
