/*
 * What the readers share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_REFUSE_H
#define TESTS_UNIT_REFUSE_H

/* Append one more reason to @why; returns false. */
static inline bool G_GNUC_PRINTF(2, 3) refuse(GString *why, const char *fmt,
                                              ...)
{
    va_list ap;

    if (why->len) {
        g_string_append(why, "; ");
    }
    va_start(ap, fmt);
    g_string_append_vprintf(why, fmt, ap);
    va_end(ap);
    return false;
}

static inline bool all_zero(const uint8_t *p, size_t length)
{
    while (length--) {
        if (p[length]) {
            return false;
        }
    }
    return true;
}

#endif /* TESTS_UNIT_REFUSE_H */
