/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An EFI application that starts \KERNEL of the disk that it comes from, with
 * arguments: what a boot loader does (UEFI 2.10, 7 and 9).
 */

#include <stddef.h>
#include <stdint.h>

#define OK(status) ((status) == 0)

typedef struct {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
} Guid;

typedef struct {
    uint8_t type, sub_type;
    uint16_t length;
} __attribute__((packed)) Node;

typedef struct {
    uint8_t until_device[24];
    void *device;
    uint8_t until_size[16];
    uint32_t options_size;
    const void *options;
} LoadedImage;

typedef struct {
    uint8_t until_handle_protocol[152];
    uint64_t (*handle_protocol)(void *handle, const Guid *guid, void *result);
    uint8_t until_load_image[40];
    uint64_t (*load_image)(uint8_t by_policy, void *parent, const void *path,
                           const void *source, uint64_t size, void *result);
    uint64_t (*start_image)(void *image, void *size, void *data);
} BootServices;

typedef struct {
    uint8_t until_boot_services[96];
    const BootServices *boot_services;
} SystemTable;

_Static_assert(offsetof(LoadedImage, options_size) == 48, "");
_Static_assert(offsetof(LoadedImage, options) == 56, "");
_Static_assert(offsetof(BootServices, load_image) == 200, "");

static const Guid loaded_image = {
    0x5b1b31a1, 0x9562, 0x11d2,
    { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static const Guid device_path = {
    0x09576e91, 0x6d3f, 0x11d2,
    { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static const struct {
    Node node;
    uint16_t path[8];
    Node end;
} __attribute__((packed)) file = {
    { 4, 4, sizeof(Node) + 16 },
    { '\\', 'K', 'E', 'R', 'N', 'E', 'L', 0 },
    { 0x7f, 0xff, sizeof(Node) },
};
static const uint16_t arguments[] = u"KERNEL initrd=\\INITRD console=ttyAMA0 "
                                    "acpi=force quiet";

static uint8_t *append(uint8_t *to, const void *from, size_t len)
{
    /* volatile: no call of memcpy(), which is not here */
    const volatile uint8_t *p = from;

    while (len--) {
        *to++ = *p++;
    }
    return to;
}

uint64_t efi_main(void *self, const SystemTable *system)
{
    const BootServices *bs = system->boot_services;
    uint8_t path[1024], *to = path;
    const Node *node;
    LoadedImage *image;
    void *kernel;

    if (!OK(bs->handle_protocol(self, &loaded_image, &image)) ||
        !OK(bs->handle_protocol(image->device, &device_path, &node))) {
        return 1;
    }
    while (node->type != 0x7f) {
        to = append(to, node, node->length);
        node = (const void *)((const uint8_t *)node + node->length);
    }
    append(to, &file, sizeof(file));
    if (!OK(bs->load_image(0, self, path, NULL, 0, &kernel)) ||
        !OK(bs->handle_protocol(kernel, &loaded_image, &image))) {
        return 1;
    }
    image->options = arguments;
    image->options_size = sizeof(arguments);
    return bs->start_image(kernel, NULL, NULL);
}
