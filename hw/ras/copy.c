/*
 * Guest RAS: access memory of the guest that may have failed on the host
 *
 * See system/ras-copy.h.  What touches memory of the guest is an "asm goto" of
 * a few instructions, with an entry in the section ras_copy: where they begin
 * and end, where to go on if one of them fails, and how much they access.
 * Which registers have the addresses, and which of them is the guest's, is
 * fixed for each kind of host: the handler takes no failure of other memory
 * for the guest's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/ras-copy.h"
#include "copy.h"

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#endif

/* What one entry's instructions move, if it is not in a register */
#define BLOCK 64
#define WIDE_BLOCK 256

/* As "rep movsb" begins slowly, what is shorter is moved otherwise. */
#define REP_MIN 8192

/* what a copy is about: the guest's is the source, or the destination */
enum { FROM_GUEST = 0, TO_GUEST = 1 };

#if defined(__linux__) && defined(__LP64__) && \
    (defined(__x86_64__) || defined(__aarch64__) || \
     (defined(__powerpc64__) && defined(__VSX__)))
#define HAVE_RECOVERY
#endif

#ifdef HAVE_RECOVERY

#include <ucontext.h>

/* What the handler has found: [from, failed) can still be accessed. */
static __thread struct {
    uintptr_t from;             /* all before it was copied */
    uintptr_t failed;
} fault;

#define ENTRY                                                           \
    "\n2:\n"                                                            \
    ".pushsection ras_copy, \"a\"\n"                                    \
    ".balign 4\n"                                                       \
    ".long 1b - .\n"                                                    \
    ".long 2b - .\n"                                                    \
    ".long %l[failed] - .\n"                                            \
    ".long %c[len]\n"                                                   \
    ".popsection\n"

#if defined(__x86_64__)

#define ASM(insns, bytes, side, dst, src, clobbers...)                  \
    asm goto("1:\n" insns ENTRY : :                                     \
             "D" (dst), "S" (src), "d" (side), [len] "i" (bytes) :      \
             "memory", "cc", clobbers : failed)

#define COPY_1(side, d, s) \
    ASM("movb (%%rsi), %%al; movb %%al, (%%rdi)", 1, side, d, s, "rax")
#define COPY_2(side, d, s) \
    ASM("movw (%%rsi), %%ax; movw %%ax, (%%rdi)", 2, side, d, s, "rax")
#define COPY_4(side, d, s) \
    ASM("movl (%%rsi), %%eax; movl %%eax, (%%rdi)", 4, side, d, s, "rax")
#define COPY_8(side, d, s) \
    ASM("movq (%%rsi), %%rax; movq %%rax, (%%rdi)", 8, side, d, s, "rax")
#define COPY_16(side, d, s) \
    ASM("movups (%%rsi), %%xmm0; movups %%xmm0, (%%rdi)", \
        16, side, d, s, "xmm0")
#define COPY_BLOCK(side, d, s)                                          \
    ASM("movups (%%rsi), %%xmm0; movups 16(%%rsi), %%xmm1;"             \
        "movups 32(%%rsi), %%xmm2; movups 48(%%rsi), %%xmm3;"           \
        "movups %%xmm0, (%%rdi); movups %%xmm1, 16(%%rdi);"             \
        "movups %%xmm2, 32(%%rdi); movups %%xmm3, 48(%%rdi)",           \
        BLOCK, side, d, s, "xmm0", "xmm1", "xmm2", "xmm3")

/* where can_be_wide */
#define COPY_WIDE(side, d, s)                                           \
    ASM("vmovdqu 0(%%rsi), %%ymm0; vmovdqu 32(%%rsi), %%ymm1;"          \
        "vmovdqu 64(%%rsi), %%ymm2; vmovdqu 96(%%rsi), %%ymm3;"         \
        "vmovdqu 128(%%rsi), %%ymm4; vmovdqu 160(%%rsi), %%ymm5;"       \
        "vmovdqu 192(%%rsi), %%ymm6; vmovdqu 224(%%rsi), %%ymm7;"       \
        "vmovdqu %%ymm0, 0(%%rdi); vmovdqu %%ymm1, 32(%%rdi);"          \
        "vmovdqu %%ymm2, 64(%%rdi); vmovdqu %%ymm3, 96(%%rdi);"         \
        "vmovdqu %%ymm4, 128(%%rdi); vmovdqu %%ymm5, 160(%%rdi);"       \
        "vmovdqu %%ymm6, 192(%%rdi); vmovdqu %%ymm7, 224(%%rdi)",       \
        WIDE_BLOCK, side, d, s, "xmm0", "xmm1", "xmm2", "xmm3",         \
        "xmm4", "xmm5", "xmm6", "xmm7")

/* Or each instruction of SSE that follows is slow. */
#define AFTER_WIDE()                                                    \
    asm volatile("vzeroupper" : : : "xmm0", "xmm1", "xmm2", "xmm3",     \
                 "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",        \
                 "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

static bool can_be_wide;

static void __attribute__((constructor)) find_width(void)
{
    __builtin_cpu_init();
    can_be_wide = __builtin_cpu_supports("avx2");
}

/* The addresses move: they are not where the compiler has them. */
#define COPY_REP(side, d, s, len)                                       \
    asm goto("movq %0, %%rdi; movq %1, %%rsi; movq %2, %%rcx\n"         \
             "1: rep movsb" ENTRY : :                                   \
             "r" (d), "r" (s), "r" (len), "d" (side), [len] "i" (0) :   \
             "memory", "cc", "rdi", "rsi", "rcx" : failed)

#define READ_1(s) ASM("movb (%%rsi), %%al", 1, FROM_GUEST, 0, s, "rax")
#define ZERO_BLOCK(s)                                                   \
    asm goto("1: movups (%%rsi), %%xmm0; movups 16(%%rsi), %%xmm1;"     \
             "movups 32(%%rsi), %%xmm2; movups 48(%%rsi), %%xmm3;"      \
             "por %%xmm1, %%xmm0; por %%xmm3, %%xmm2;"                  \
             "por %%xmm2, %%xmm0; pxor %%xmm1, %%xmm1;"                 \
             "pcmpeqb %%xmm1, %%xmm0; pmovmskb %%xmm0, %%eax;"          \
             "cmpl $0xffff, %%eax; jne %l[not_zero]" ENTRY : :          \
             "S" (s), "d" (FROM_GUEST), [len] "i" (BLOCK) :             \
             "memory", "cc", "rax", "xmm0", "xmm1", "xmm2", "xmm3" :    \
             failed, not_zero)
#define ZERO_1(s)                                                       \
    asm goto("1: cmpb $0, (%%rsi); jne %l[not_zero]" ENTRY : :          \
             "S" (s), "d" (FROM_GUEST), [len] "i" (1) :                 \
             "memory", "cc" : failed, not_zero)

/* where can_be_wide */
#define ZERO_WIDE(s)                                                    \
    asm goto("1: vmovdqu 0(%%rsi), %%ymm0; vmovdqu 32(%%rsi), %%ymm1;"  \
             "vpor 64(%%rsi), %%ymm0, %%ymm0;"                          \
             "vpor 96(%%rsi), %%ymm1, %%ymm1;"                          \
             "vpor 128(%%rsi), %%ymm0, %%ymm0;"                         \
             "vpor 160(%%rsi), %%ymm1, %%ymm1;"                         \
             "vpor 192(%%rsi), %%ymm0, %%ymm0;"                         \
             "vpor 224(%%rsi), %%ymm1, %%ymm1;"                         \
             "vpor %%ymm0, %%ymm1, %%ymm1;"                             \
             "vptest %%ymm1, %%ymm1; jne %l[not_zero]" ENTRY : :        \
             "S" (s), "d" (FROM_GUEST), [len] "i" (WIDE_BLOCK) :        \
             "memory", "cc", "xmm0", "xmm1" : failed, not_zero)

#define CONTEXT_PC(uc)      ((uc)->uc_mcontext.gregs[REG_RIP])
#define CONTEXT_DST(uc)     ((uc)->uc_mcontext.gregs[REG_RDI])
#define CONTEXT_SRC(uc)     ((uc)->uc_mcontext.gregs[REG_RSI])
#define CONTEXT_SIDE(uc)    ((uc)->uc_mcontext.gregs[REG_RDX])
#define CONTEXT_LEN(uc)     ((uc)->uc_mcontext.gregs[REG_RCX])

#elif defined(__aarch64__)

#define ASM(insns, bytes, side, dst, src, clobbers...)                  \
    do {                                                                \
        register uintptr_t d_ asm("x0") = (uintptr_t)(dst);             \
        register uintptr_t s_ asm("x1") = (uintptr_t)(src);             \
        register uintptr_t side_ asm("x2") = side;                      \
        asm goto("1:\n" insns ENTRY : :                                 \
                 "r" (d_), "r" (s_), "r" (side_), [len] "i" (bytes) :   \
                 "memory", clobbers : failed);                          \
    } while (0)

#define COPY_1(side, d, s) \
    ASM("ldrb w9, [x1]; strb w9, [x0]", 1, side, d, s, "x9")
#define COPY_2(side, d, s) \
    ASM("ldrh w9, [x1]; strh w9, [x0]", 2, side, d, s, "x9")
#define COPY_4(side, d, s) \
    ASM("ldr w9, [x1]; str w9, [x0]", 4, side, d, s, "x9")
#define COPY_8(side, d, s) \
    ASM("ldr x9, [x1]; str x9, [x0]", 8, side, d, s, "x9")
#define COPY_16(side, d, s) \
    ASM("ldr q16, [x1]; str q16, [x0]", 16, side, d, s, "v16")
#define COPY_BLOCK(side, d, s)                                          \
    ASM("ldp q16, q17, [x1]; ldp q18, q19, [x1, 32];"                   \
        "stp q16, q17, [x0]; stp q18, q19, [x0, 32]",                   \
        BLOCK, side, d, s, "v16", "v17", "v18", "v19")

#define READ_1(s) ASM("ldrb w9, [x1]", 1, FROM_GUEST, 0, s, "x9")
#define ZERO_BLOCK(s)                                                   \
    do {                                                                \
        register uintptr_t s_ asm("x1") = (uintptr_t)(s);               \
        register uintptr_t side_ asm("x2") = FROM_GUEST;                \
        asm goto("1: ldp q16, q17, [x1]; ldp q18, q19, [x1, 32];"       \
                 "orr v16.16b, v16.16b, v17.16b;"                       \
                 "orr v18.16b, v18.16b, v19.16b;"                       \
                 "orr v16.16b, v16.16b, v18.16b;"                       \
                 "umaxv b16, v16.16b; fmov w9, s16;"                    \
                 "cbnz w9, %l[not_zero]" ENTRY : :                      \
                 "r" (s_), "r" (side_), [len] "i" (BLOCK) :             \
                 "memory", "x9", "v16", "v17", "v18", "v19" :           \
                 failed, not_zero);                                     \
    } while (0)
#define ZERO_1(s)                                                       \
    do {                                                                \
        register uintptr_t s_ asm("x1") = (uintptr_t)(s);               \
        register uintptr_t side_ asm("x2") = FROM_GUEST;                \
        asm goto("1: ldrb w9, [x1]; cbnz w9, %l[not_zero]" ENTRY : :    \
                 "r" (s_), "r" (side_), [len] "i" (1) :                 \
                 "memory", "x9" : failed, not_zero);                    \
    } while (0)

#define CONTEXT_PC(uc)      ((uc)->uc_mcontext.pc)
#define CONTEXT_DST(uc)     ((uc)->uc_mcontext.regs[0])
#define CONTEXT_SRC(uc)     ((uc)->uc_mcontext.regs[1])
#define CONTEXT_SIDE(uc)    ((uc)->uc_mcontext.regs[2])

#else /* ppc64 */

#define ASM(insns, bytes, side, dst, src, clobbers...)                  \
    do {                                                                \
        register uintptr_t d_ asm("r3") = (uintptr_t)(dst);             \
        register uintptr_t s_ asm("r4") = (uintptr_t)(src);             \
        register uintptr_t side_ asm("r5") = side;                      \
        asm goto("1:\n" insns ENTRY : :                                 \
                 "r" (d_), "r" (s_), "r" (side_), [len] "i" (bytes) :   \
                 "memory", clobbers : failed);                          \
    } while (0)

#define COPY_1(side, d, s) \
    ASM("lbz 9, 0(4); stb 9, 0(3)", 1, side, d, s, "r9")
#define COPY_2(side, d, s) \
    ASM("lhz 9, 0(4); sth 9, 0(3)", 2, side, d, s, "r9")
#define COPY_4(side, d, s) \
    ASM("lwz 9, 0(4); stw 9, 0(3)", 4, side, d, s, "r9")
#define COPY_8(side, d, s) \
    ASM("ld 9, 0(4); std 9, 0(3)", 8, side, d, s, "r9")
#define COPY_16(side, d, s)                                             \
    ASM("ld 9, 0(4); ld 10, 8(4); std 9, 0(3); std 10, 8(3)",           \
        16, side, d, s, "r9", "r10")
/* whatever order of bytes lxvd2x has, stxvd2x has it, too */
#define COPY_BLOCK(side, d, s)                                          \
    ASM("li 9, 16; li 10, 32; li 11, 48;"                               \
        "lxvd2x 32, 0, 4; lxvd2x 33, 9, 4;"                             \
        "lxvd2x 34, 10, 4; lxvd2x 35, 11, 4;"                           \
        "stxvd2x 32, 0, 3; stxvd2x 33, 9, 3;"                           \
        "stxvd2x 34, 10, 3; stxvd2x 35, 11, 3",                         \
        BLOCK, side, d, s, "r9", "r10", "r11", "v0", "v1", "v2", "v3")

#define READ_1(s) ASM("lbz 9, 0(4)", 1, FROM_GUEST, 0, s, "r9")
#define ZERO_BLOCK(s)                                                   \
    do {                                                                \
        register uintptr_t s_ asm("r4") = (uintptr_t)(s);               \
        register uintptr_t side_ asm("r5") = FROM_GUEST;                \
        asm goto("1: ld 6, 0(4); ld 7, 8(4); ld 8, 16(4); ld 9, 24(4);" \
                 "or 6, 6, 7; or 8, 8, 9; or 6, 6, 8;"                  \
                 "ld 7, 32(4); ld 8, 40(4); ld 9, 48(4); ld 10, 56(4);" \
                 "or 7, 7, 8; or 9, 9, 10; or 6, 6, 7; or 6, 6, 9;"     \
                 "cmpdi 0, 6, 0; bne 0, %l[not_zero]" ENTRY : :         \
                 "r" (s_), "r" (side_), [len] "i" (BLOCK) :             \
                 "memory", "cr0", "r6", "r7", "r8", "r9", "r10" :       \
                 failed, not_zero);                                     \
    } while (0)
#define ZERO_1(s)                                                       \
    do {                                                                \
        register uintptr_t s_ asm("r4") = (uintptr_t)(s);               \
        register uintptr_t side_ asm("r5") = FROM_GUEST;                \
        asm goto("1: lbz 9, 0(4); cmpdi 0, 9, 0; bne 0, %l[not_zero]"   \
                 ENTRY : :                                              \
                 "r" (s_), "r" (side_), [len] "i" (1) :                 \
                 "memory", "cr0", "r9" : failed, not_zero);             \
    } while (0)

#define CONTEXT_PC(uc)      ((uc)->uc_mcontext.gp_regs[32])
#define CONTEXT_DST(uc)     ((uc)->uc_mcontext.gp_regs[3])
#define CONTEXT_SRC(uc)     ((uc)->uc_mcontext.gp_regs[4])
#define CONTEXT_SIDE(uc)    ((uc)->uc_mcontext.gp_regs[5])

#endif

#ifndef CONTEXT_LEN
#define CONTEXT_LEN(uc) 0
#endif

/*
 * On POWER, the kernel names the instruction if it is the hardware that has
 * found the error, and the address of the data if it knew of the error.
 */
#if defined(__powerpc64__)
#define NAMES_INSTRUCTION 1
#else
#define NAMES_INSTRUCTION 0
#endif

/* Then an access over the edge of a page does not tell which page it is. */
#define TWO_PAGES (NAMES_INSTRUCTION && fault.failed == UINTPTR_MAX)

/*
 * Returns the number of bytes before the failed one.  Until there, they are
 * copied byte by byte: a block may begin before the page that has failed, which
 * may not be known before.
 */
static size_t copy_rest(uint8_t *dst, const uint8_t *src, size_t len,
                        const int side)
{
    uintptr_t guest = side == TO_GUEST ? (uintptr_t)dst : (uintptr_t)src;
    size_t done = fault.from - guest;
    size_t end = MIN(fault.failed - guest, len);

#ifdef COPY_WIDE
    if (can_be_wide) {
        AFTER_WIDE();
    }
#endif
    for (; done < end; done++) {
        COPY_1(side, dst + done, src + done);
    }
failed:
    if (side == FROM_GUEST) {
        /* there are callers who do not look at the result */
        memset(dst + done, 0, len - done);
    }
    return done;
}

static inline __attribute__((always_inline)) size_t
copy(uint8_t *dst, const uint8_t *src, size_t len, const int side)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    size_t left = len;

#ifdef COPY_REP
    if (len >= REP_MIN) {
        COPY_REP(side, dst, src, len);
        return len;
    }
#endif
#ifdef COPY_WIDE
    if (len >= WIDE_BLOCK && can_be_wide) {
        for (; left >= WIDE_BLOCK; left -= WIDE_BLOCK) {
            COPY_WIDE(side, d, s);
            d += WIDE_BLOCK;
            s += WIDE_BLOCK;
        }
        AFTER_WIDE();
    }
#endif
    for (; left >= BLOCK; left -= BLOCK) {
        COPY_BLOCK(side, d, s);
        d += BLOCK;
        s += BLOCK;
    }
    if (!left) {
        return len;
    }
    if (len & 32) {
        COPY_16(side, d, s);
        COPY_16(side, d + 16, s + 16);
        d += 32;
        s += 32;
    }
    if (len & 16) {
        COPY_16(side, d, s);
        d += 16;
        s += 16;
    }
    if (len & 8) {
        COPY_8(side, d, s);
        d += 8;
        s += 8;
    }
    if (len & 4) {
        COPY_4(side, d, s);
        d += 4;
        s += 4;
    }
    if (len & 2) {
        COPY_2(side, d, s);
        d += 2;
        s += 2;
    }
    if (len & 1) {
        COPY_1(side, d, s);
    }
    return len;

failed:
    return copy_rest(dst, src, len, side);
}

static bool can_read(const uint8_t *host, size_t len)
{
    uint8_t block[BLOCK];

    for (; len >= BLOCK; host += BLOCK, len -= BLOCK) {
        COPY_BLOCK(FROM_GUEST, block, host);
    }
    for (; len; host++, len--) {
        READ_1(host);
    }
    return true;

failed:
    while (TWO_PAGES && len) {
        READ_1(host);
        host++;
        len--;
    }
    return false;
}

#ifdef ZERO_WIDE
static RasIsZero is_zero_wide(const uint8_t *host, size_t len)
{
    RasIsZero result = RAS_IS_NOT_ZERO;

    for (; len >= WIDE_BLOCK; host += WIDE_BLOCK, len -= WIDE_BLOCK) {
        ZERO_WIDE(host);
    }
    for (; len; host += BLOCK, len -= BLOCK) {
        ZERO_BLOCK(host);
    }
    result = RAS_IS_ZERO;

not_zero:
    AFTER_WIDE();
    return result;

failed:
    AFTER_WIDE();
    return RAS_IS_UNREADABLE;
}
#endif

static RasIsZero is_zero(const uint8_t *host, size_t len)
{
    if (len >= WIDE_BLOCK) {
        /* here, most of what is not zero shows it */
        ZERO_1(host);
        ZERO_1(host + len - 1);
        ZERO_1(host + len / 2);
#ifdef ZERO_WIDE
        if (can_be_wide) {
            return is_zero_wide(host, len);
        }
#endif
    }
    for (; len; host += BLOCK, len -= BLOCK) {
        ZERO_BLOCK(host);
    }
    return RAS_IS_ZERO;

not_zero:
    return RAS_IS_NOT_ZERO;

failed:
    if (TWO_PAGES) {
        can_read(host, BLOCK);
    }
    return RAS_IS_UNREADABLE;
}

static uintptr_t address(const int32_t *field)
{
    return (uintptr_t)field + *field;
}

uintptr_t ras_copy_context_pc(const void *context)
{
    return CONTEXT_PC((const ucontext_t *)context);
}

bool ras_copy_recover(const siginfo_t *info, void *context, void **at)
{
    ucontext_t *uc = context;
    uintptr_t pc = CONTEXT_PC(uc), failed = (uintptr_t)info->si_addr;
    uintptr_t guest, len, granule;
    const RasCopyEntry *e;

    if (info->si_code != BUS_MCEERR_AR) {
        return false;
    }
    for (e = __start_ras_copy; e < __stop_ras_copy; e++) {
        if (pc - address(&e->start) < address(&e->end) - address(&e->start)) {
            break;
        }
    }
    if (e == __stop_ras_copy) {
        return false;
    }
    guest = CONTEXT_SIDE(uc) == TO_GUEST ? CONTEXT_DST(uc) : CONTEXT_SRC(uc);
    len = e->len ?: CONTEXT_LEN(uc);
    /* all of the granule has failed; what is named may be its beginning */
    granule = (uintptr_t)1 << MIN((unsigned short)info->si_addr_lsb, 48);
    failed &= -granule;
    if (NAMES_INSTRUCTION && (uintptr_t)info->si_addr == pc) {
        uintptr_t page = qemu_real_host_page_size();

        failed = (guest ^ (guest + len - 1)) & -page ? UINTPTR_MAX : guest;
    } else if (failed >= guest + len || failed + granule <= guest) {
        return false;
    }
    fault.from = guest;
    fault.failed = MAX(failed, guest);
    *at = TWO_PAGES ? NULL : (void *)fault.failed;
    CONTEXT_PC(uc) = address(&e->recovery);
    return true;
}

#else /* no recovery */

static inline size_t copy(uint8_t *dst, const uint8_t *src, size_t len,
                          const int side)
{
    memcpy(dst, src, len);
    return len;
}

static bool can_read(const uint8_t *host, size_t len)
{
    /* volatile: what counts is that they are read */
    const volatile uint8_t *byte = host;

    for (size_t i = 0; i < len; i++) {
        (void)byte[i];
    }
    return true;
}

static RasIsZero is_zero(const uint8_t *host, size_t len)
{
    return len && (*host || memcmp(host, host + 1, len - 1)) ? RAS_IS_NOT_ZERO :
                                                               RAS_IS_ZERO;
}

#ifdef CONFIG_LINUX
uintptr_t ras_copy_context_pc(const void *context)
{
    return 0;
}

bool ras_copy_recover(const siginfo_t *info, void *context, void **at)
{
    return false;
}
#endif

#endif

/* From the end, as the end of the source is overwritten first. */
static size_t copy_backwards(uint8_t *dst, const uint8_t *src, size_t len,
                             const int side)
{
    uint8_t block[BLOCK];

    for (size_t left = len; left; ) {
        size_t n = MIN(left, BLOCK), done;

        left -= n;
        if (side == TO_GUEST) {
            memcpy(block, src + left, n);
            done = copy(dst + left, block, n, TO_GUEST);
        } else {
            done = copy(block, src + left, n, FROM_GUEST);
            memcpy(dst + left, block, n);
        }
        if (done < n) {
            return left + done;
        }
    }
    return len;
}

static inline bool overlaps_ahead(const void *dst, const void *src, size_t len)
{
    return (uintptr_t)dst - (uintptr_t)src < len && dst != src;
}

#define ACCESS(bytes)                                                   \
    size_t ras_copy_from_guest_##bytes(void *dst, const void *host)     \
    {                                                                   \
        return copy(dst, host, bytes, FROM_GUEST);                      \
    }                                                                   \
    size_t ras_copy_to_guest_##bytes(void *host, const void *src)       \
    {                                                                   \
        return copy(host, src, bytes, TO_GUEST);                        \
    }

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)

size_t ras_copy_from_guest_any(void *dst, const void *host, size_t len)
{
    return overlaps_ahead(dst, host, len) ?
           copy_backwards(dst, host, len, FROM_GUEST) :
           copy(dst, host, len, FROM_GUEST);
}

size_t ras_copy_to_guest_any(void *host, const void *src, size_t len)
{
    return overlaps_ahead(host, src, len) ?
           copy_backwards(host, src, len, TO_GUEST) :
           copy(host, src, len, TO_GUEST);
}

size_t ras_set_guest(void *host, int c, size_t len)
{
    uint8_t block[256];

    memset(block, c, sizeof(block));
    for (size_t done = 0, n; done < len; done += n) {
        size_t now = MIN(len - done, sizeof(block));

        n = ras_copy_to_guest((uint8_t *)host + done, block, now);
        if (n < now) {
            return done + n;
        }
    }
    return len;
}

bool ras_can_read(const void *host, size_t len)
{
    return can_read(host, len);
}

RasIsZero ras_is_zero(const void *host, size_t len)
{
    return is_zero(host, len);
}
