/*
 * Guest RAS on targets that have no machine with it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/ras-holes.h"

bool ras_holes_moved, ras_holes_unwanted, ras_holes_in_postcopy,
    ras_holes_read_once;

void ras_holes_init(void)
{
}

bool ras_holes_begin(Error **errp)
{
    return true;
}

void ras_holes_end(void)
{
}

bool ras_holes_check_slow(RAMBlock *rb, uint64_t offset)
{
    return false;
}

int ras_holes_refuse(QEMUFile *f)
{
    g_assert_not_reached();
}

bool ras_holes_is_zero_slow(RAMBlock *rb, const void *host, size_t len)
{
    return buffer_is_zero(host, len);
}

uint8_t *ras_holes_read(RAMBlock *rb, uint64_t offset, unsigned int channel)
{
    g_assert_not_reached();
}

void ras_holes_resume(void)
{
}

void ras_holes_copy_slow(void *to, RAMBlock *rb, const void *host, size_t len)
{
    g_assert_not_reached();
}

void ras_dump_read(void *to, const void *host, size_t len)
{
    memcpy(to, host, len);
}

void ras_dump_lost(const char *what, uint64_t lost)
{
}

int ras_holes_send(QEMUFile *f, bool announce)
{
    return 0;
}

void ras_holes_pong(uint32_t value)
{
}

bool ras_holes_can_postcopy(void)
{
    return true;
}

bool ras_holes_is_hole(RAMBlock *rb, uint64_t offset)
{
    return false;
}

bool ras_holes_unsent(void)
{
    return false;
}
