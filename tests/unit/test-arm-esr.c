/*
 * ESR_ELx of synchronous external aborts and SErrors
 *
 * The expected values are written by hand from the Arm ARM, or are what Linux
 * prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/arm/ras-esr.h"

static void assert_same_sea(const ArmRasSea *a, const ArmRasSea *b)
{
    g_assert_cmpint(a->fetch, ==, b->fetch);
    g_assert_cmpint(a->same_el, ==, b->same_el);
    g_assert_cmpint(a->write, ==, b->write);
    g_assert_cmpint(a->cm, ==, b->cm);
    g_assert_cmpint(a->fnv, ==, b->fnv);
    g_assert_cmpint(a->ea, ==, b->ea);
    g_assert_cmpint(a->s1ptw, ==, b->s1ptw);
    g_assert_cmphex(a->set, ==, b->set);
    g_assert_cmphex(a->fsc, ==, b->fsc);
}

static void assert_same_serror(const ArmRasSerror *a, const ArmRasSerror *b)
{
    g_assert_cmpint(a->ids, ==, b->ids);
    g_assert_cmphex(a->impdef, ==, b->impdef);
    g_assert_cmpint(a->iesb, ==, b->iesb);
    g_assert_cmpint(a->ea, ==, b->ea);
    g_assert_cmphex(a->aet, ==, b->aet);
    g_assert_cmphex(a->dfsc, ==, b->dfsc);
}

static const struct {
    uint32_t esr;
    ArmRasSea s;
} sea_values[] = {
    { 0x92000010, { .fsc = 0x10 } },                    /* EL0 load */
    { 0x96000010, { .fsc = 0x10, .same_el = true } },   /* EL1 load */
    { 0x82000010, { .fsc = 0x10, .fetch = true } },     /* EL0 fetch */
    { 0x86000010, { .fsc = 0x10, .fetch = true, .same_el = true } },
    /* one bit each */
    { 0x92000050, { .fsc = 0x10, .write = true } },
    { 0x92000090, { .fsc = 0x10, .s1ptw = true } },
    { 0x92000150, { .fsc = 0x10, .write = true, .cm = true } },
    { 0x92000210, { .fsc = 0x10, .ea = true } },
    { 0x92000410, { .fsc = 0x10, .fnv = true } },
    { 0x92001010, { .fsc = 0x10, .set = ARM_RAS_SET_UC } },
    { 0x92001810, { .fsc = 0x10, .set = ARM_RAS_SET_UEO } },
    /* what stock QEMU injects, and Linux prints for EL1 */
    { 0x96000410, { .fsc = 0x10, .same_el = true, .fnv = true } },
    /* what TCG makes of a failed access */
    { 0x92000250, { .fsc = 0x10, .ea = true, .write = true } },
    /* all at once */
    { 0x96001fd0, { .fsc = 0x10, .same_el = true, .set = ARM_RAS_SET_UEO,
                    .fnv = true, .ea = true, .cm = true, .s1ptw = true,
                    .write = true } },
    { 0x86001690, { .fsc = 0x10, .fetch = true, .same_el = true,
                    .set = ARM_RAS_SET_UC, .fnv = true, .ea = true,
                    .s1ptw = true } },
    /* table walks */
    { 0x92000012, { .fsc = ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_M2 } },
    { 0x92000013, { .fsc = ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_M1 } },
    { 0x92000014, { .fsc = ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_0 } },
    { 0x82000015, { .fsc = 0x15, .fetch = true } },
    { 0x96000216, { .fsc = 0x16, .same_el = true, .ea = true } },
    { 0x920000d7, { .fsc = ARM_RAS_FSC_EXTERNAL_WALK_LEVEL_3, .write = true,
                    .s1ptw = true } },
    { 0x92001017, { .fsc = 0x17, .set = ARM_RAS_SET_UC } },
    /* parity, without FEAT_RAS */
    { 0x92000018, { .fsc = ARM_RAS_FSC_PARITY } },
    { 0x8600001b, { .fsc = ARM_RAS_FSC_PARITY_WALK_LEVEL_M1, .fetch = true,
                    .same_el = true } },
    { 0x9200001c, { .fsc = ARM_RAS_FSC_PARITY_WALK_LEVEL_0 } },
    { 0x9200001d, { .fsc = 0x1d } },
    { 0x9200001e, { .fsc = 0x1e } },
    { 0x9200005f, { .fsc = ARM_RAS_FSC_PARITY_WALK_LEVEL_3, .write = true } },
};

static void test_sea_values(void)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(sea_values); i++) {
        const char *why = NULL;
        ArmRasSea s;

        if (!arm_ras_sea_check(&sea_values[i].s, &why)) {
            g_error("0x%x refused: %s", sea_values[i].esr, why);
        }
        g_assert_cmphex(arm_ras_sea_esr(&sea_values[i].s), ==,
                        sea_values[i].esr);
        memset(&s, 0xff, sizeof(s));
        if (!arm_ras_sea_decode(sea_values[i].esr, &s, &why)) {
            g_error("0x%x refused: %s", sea_values[i].esr, why);
        }
        assert_same_sea(&s, &sea_values[i].s);
    }
}

static void test_sea_refusals(void)
{
    static const char *const fsc = "FSC is not a synchronous external abort or "
                                   "parity error";
    static const char *const set = "SET is not one of 0 (UER), 2 (UC), 3 (UEO)";
    static const struct {
        ArmRasSea s;
        const char *why;
    } cases[] = {
        { { .fsc = 0x10, .set = 1 }, set },
        { { .fsc = 0x10, .set = 4 }, set },
        { { .fsc = 0x10, .set = 0xff }, set },
        { { .fsc = 0x18, .set = 2 },
          "SET is for external aborts, not parity errors" },
        { { .fsc = 0x14, .fnv = true }, "FnV is for FSC 0x10 only" },
        { { .fsc = 0x18, .fnv = true }, "FnV is for FSC 0x10 only" },
        { { .fsc = 0x10, .fetch = true, .write = true },
          "WnR and CM are for data aborts" },
        { { .fsc = 0x10, .fetch = true, .cm = true },
          "WnR and CM are for data aborts" },
        { { .fsc = 0x10, .cm = true }, "CM goes with WnR" },
    };
    static const uint8_t good_fsc[] = {
        0x10, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x1b, 0x1c, 0x1d, 0x1e,
        0x1f,
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *why = NULL;

        g_assert_false(arm_ras_sea_check(&cases[i].s, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
        g_assert_false(arm_ras_sea_check(&cases[i].s, NULL));
    }
    for (i = 0; i <= UINT8_MAX; i++) {
        ArmRasSea s = { .fsc = i };
        const char *why = NULL;

        if (memchr(good_fsc, i, sizeof(good_fsc))) {
            g_assert_true(arm_ras_sea_check(&s, &why));
            g_assert_null(why);
        } else {
            g_assert_false(arm_ras_sea_check(&s, &why));
            g_assert_cmpstr(why, ==, fsc);
        }
    }
}

static void test_sea_decode_refusals(void)
{
    static const char *const bits = "bits other than EC, IL, SET, FnV, EA, CM, "
                                    "S1PTW, WnR, FSC are set";
    static const struct {
        uint64_t esr;
        const char *why;
    } cases[] = {
        { 0x00000000, "EC is not an instruction or data abort" },
        { 0xbe000011, "EC is not an instruction or data abort" },
        { 0x8a000010, "EC is not an instruction or data abort" }, /* 0x22 */
        { 0x8e000010, "EC is not an instruction or data abort" }, /* 0x23 */
        { 0x9a000010, "EC is not an instruction or data abort" }, /* 0x26 */
        { 0x90000010, "IL is clear" },
        { 0x80000010, "IL is clear" },
        { 0x93000010, bits },                   /* ISV */
        { 0x92004010, bits },                   /* PFV */
        { 0x92002010, bits },                   /* VNCR */
        { 0x92008010, bits },                   /* FnP */
        { 0x92c00010, bits },                   /* SAS without ISV */
        { 0x82400010, bits },
        { 0x100000000 | 0x92000010, bits },     /* ISS2 */
        { 0x92000007, "FSC is not a synchronous external abort or "
                      "parity error" },         /* translation fault */
        { 0x92000011, "FSC is not a synchronous external abort or "
                      "parity error" },         /* tag check fault */
        { 0x92000810, "SET is not one of 0 (UER), 2 (UC), 3 (UEO)" },
        { 0x92000414, "FnV is for FSC 0x10 only" },
        { 0x82000050, "WnR and CM are for data aborts" },
        { 0x92000110, "CM goes with WnR" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        ArmRasSea former = { .fetch = true, .fnv = true, .set = 7, .fsc = 9 };
        ArmRasSea s = former;
        const char *why = NULL;

        g_assert_false(arm_ras_sea_decode(cases[i].esr, &s, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
        assert_same_sea(&s, &former);
        g_assert_false(arm_ras_sea_decode(cases[i].esr, &s, NULL));
    }
}

/* All 16 ISS bits that are used with every EC, and each other bit */
static void test_sea_decode_is_the_inverse(void)
{
    uint32_t ec, iss, taken = 0;

    for (ec = 0; ec < 0x40; ec++) {
        for (iss = 0; iss < 0x10000; iss++) {
            uint32_t esr = ec << 26 | 1 << 25 | iss;
            ArmRasSea s;

            if (arm_ras_sea_decode(esr, &s, NULL)) {
                g_assert_true(arm_ras_sea_check(&s, NULL));
                g_assert_cmphex(arm_ras_sea_esr(&s), ==, esr);
                taken++;
            }
        }
    }
    /*
     * FSC: 0x10 with SET and FnV 3 * 2, six walks with SET 6 * 3, parity 6:
     * 30.  With S1PTW and EA: * 4.  Fetches * 2 EC; data * 2 EC * 3, as CM
     * and WnR are none, WnR, or both.
     */
    g_assert_cmpuint(taken, ==, 30 * 4 * 2 + 30 * 4 * 2 * 3);
}

static void test_sea_encode_stays_in_its_fields(void)
{
    ArmRasSea s = { .set = 0xff, .fsc = 0xff };

    g_assert_cmphex(arm_ras_sea_esr(&s), ==, 0x9200183f);
}

static const struct {
    uint32_t esr;
    ArmRasSerror s;
} serror_values[] = {
    { 0xbe000011, { .dfsc = 0x11, .aet = ARM_RAS_AET_UC } },
    { 0xbe000411, { .dfsc = 0x11, .aet = ARM_RAS_AET_UEU } },
    { 0xbe000811, { .dfsc = 0x11, .aet = ARM_RAS_AET_UEO } },
    { 0xbe000c11, { .dfsc = 0x11, .aet = ARM_RAS_AET_UER } },
    { 0xbe001811, { .dfsc = 0x11, .aet = ARM_RAS_AET_CE } },
    { 0xbe000211, { .dfsc = 0x11, .ea = true } },
    { 0xbe002011, { .dfsc = 0x11, .iesb = true } },
    { 0xbe002e11, { .dfsc = 0x11, .iesb = true, .ea = true,
                    .aet = ARM_RAS_AET_UER } },
    { 0xbe000000, { .dfsc = ARM_RAS_DFSC_UNCATEGORIZED } },
    { 0xbf000000, { .ids = true } },            /* KVM without serror_esr */
    { 0xbfc0ffee, { .ids = true, .impdef = 0xc0ffee } },
    { 0xbfffffff, { .ids = true, .impdef = 0xffffff } },
};

static void test_serror_values(void)
{
    unsigned i;

    g_assert_cmphex(ARM_RAS_ESR_SERROR, ==, 0xbe000000);
    for (i = 0; i < ARRAY_SIZE(serror_values); i++) {
        const char *why = NULL;
        ArmRasSerror s;

        if (!arm_ras_serror_check(&serror_values[i].s, &why)) {
            g_error("0x%x refused: %s", serror_values[i].esr, why);
        }
        g_assert_cmphex(arm_ras_serror_esr(&serror_values[i].s), ==,
                        serror_values[i].esr);
        memset(&s, 0xff, sizeof(s));
        if (!arm_ras_serror_decode(serror_values[i].esr, &s, &why)) {
            g_error("0x%x refused: %s", serror_values[i].esr, why);
        }
        assert_same_serror(&s, &serror_values[i].s);
    }
}

static void test_serror_refusals(void)
{
    static const char *const aet = "AET is not one of 0 (UC), 1 (UEU), "
                                   "2 (UEO), 3 (UER), 6 (CE)";
    static const char *const ids = "IESB, AET, EA and DFSC are not there with "
                                   "IDS set";
    static const struct {
        ArmRasSerror s;
        const char *why;
    } cases[] = {
        { { .dfsc = 0x11, .aet = 4 }, aet },
        { { .dfsc = 0x11, .aet = 5 }, aet },
        { { .dfsc = 0x11, .aet = 7 }, aet },
        { { .dfsc = 0x11, .aet = 8 }, aet },
        { { .dfsc = 0x10 }, "DFSC is not 0x00 (uncategorized) or 0x11 "
                            "(asynchronous SError)" },
        { { .dfsc = 0x40 }, "DFSC is not 0x00 (uncategorized) or 0x11 "
                            "(asynchronous SError)" },
        { { .aet = 1 }, "IESB, AET and EA need DFSC 0x11" },
        { { .ea = true }, "IESB, AET and EA need DFSC 0x11" },
        { { .iesb = true }, "IESB, AET and EA need DFSC 0x11" },
        { { .dfsc = 0x11, .impdef = 1 },
          "implementation defined syndrome needs IDS" },
        { { .ids = true, .impdef = 0x1000000 },
          "implementation defined syndrome is wider than 24 bits" },
        { { .ids = true, .aet = 1 }, ids },
        { { .ids = true, .ea = true }, ids },
        { { .ids = true, .iesb = true }, ids },
        { { .ids = true, .dfsc = 0x11 }, ids },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *why = NULL;

        g_assert_false(arm_ras_serror_check(&cases[i].s, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
        g_assert_false(arm_ras_serror_check(&cases[i].s, NULL));
    }
}

static void test_serror_decode_refusals(void)
{
    static const char *const bits = "reserved bits of the syndrome are set";
    static const struct {
        uint64_t esr;
        const char *why;
    } cases[] = {
        { 0x00000011, "EC is not an SError" },
        { 0x92000010, "EC is not an SError" },
        { 0xbc000011, "IL is clear" },
        { 0xbd000000, "IL is clear" },
        { 0xbe000051, bits },
        { 0xbe000091, bits },
        { 0xbe000111, bits },
        { 0xbe004011, bits },
        { 0xbe800011, bits },
        { 0x100000000 | 0xbe000011, bits },
        { 0x100000000 | 0xbf000011, bits },
        { 0xbe001011, "AET is not one of 0 (UC), 1 (UEU), 2 (UEO), 3 (UER), "
                      "6 (CE)" },
        { 0xbe000001, "DFSC is not 0x00 (uncategorized) or 0x11 "
                      "(asynchronous SError)" },
        { 0xbe000400, "IESB, AET and EA need DFSC 0x11" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        ArmRasSerror former = { .impdef = 0x123456, .ea = true, .aet = 5,
                                .dfsc = 0x22 };
        ArmRasSerror s = former;
        const char *why = NULL;

        g_assert_false(arm_ras_serror_decode(cases[i].esr, &s, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
        assert_same_serror(&s, &former);
        g_assert_false(arm_ras_serror_decode(cases[i].esr, &s, NULL));
    }
}

/* Every ISS[15:0] without IDS, and some with it */
static void test_serror_decode_is_the_inverse(void)
{
    uint32_t iss, taken = 0;

    for (iss = 0; iss < 0x10000; iss++) {
        ArmRasSerror s;

        if (arm_ras_serror_decode(ARM_RAS_ESR_SERROR | iss, &s, NULL)) {
            g_assert_true(arm_ras_serror_check(&s, NULL));
            g_assert_cmphex(arm_ras_serror_esr(&s), ==,
                            ARM_RAS_ESR_SERROR | iss);
            taken++;
        }
        g_assert_true(arm_ras_serror_decode(0xbf000000 | iss << 8, &s, NULL));
        g_assert_cmphex(arm_ras_serror_esr(&s), ==, 0xbf000000 | iss << 8);
    }
    /* DFSC 0x11 with 5 AET, EA, IESB; and DFSC 0 */
    g_assert_cmpuint(taken, ==, 5 * 2 * 2 + 1);
}

static void test_serror_encode_stays_in_its_fields(void)
{
    ArmRasSerror s = { .aet = 0xff, .dfsc = 0xff };
    ArmRasSerror ids = { .ids = true, .impdef = UINT32_MAX };

    g_assert_cmphex(arm_ras_serror_esr(&s), ==, 0xbe001c3f);
    g_assert_cmphex(arm_ras_serror_esr(&ids), ==, 0xbfffffff);
}

/* Anything: what is taken can be made again */
static void test_random_values(void)
{
    unsigned round;

    for (round = 0; round < 200000; round++) {
        uint64_t esr = (uint32_t)g_test_rand_int();
        ArmRasSerror serror;
        ArmRasSea sea;

        if (g_test_rand_bit()) {
            /* close to something good */
            esr = sea_values[esr % ARRAY_SIZE(sea_values)].esr ^
                  1ULL << g_test_rand_int_range(0, 64);
        }
        if (arm_ras_sea_decode(esr, &sea, NULL)) {
            g_assert_cmphex(arm_ras_sea_esr(&sea), ==, esr);
        }
        if (arm_ras_serror_decode(esr, &serror, NULL)) {
            g_assert_cmphex(arm_ras_serror_esr(&serror), ==, esr);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/arm-esr/sea/values", test_sea_values);
    g_test_add_func("/arm-esr/sea/refusals", test_sea_refusals);
    g_test_add_func("/arm-esr/sea/decode-refusals", test_sea_decode_refusals);
    g_test_add_func("/arm-esr/sea/decode-is-the-inverse",
                    test_sea_decode_is_the_inverse);
    g_test_add_func("/arm-esr/sea/encode-stays-in-its-fields",
                    test_sea_encode_stays_in_its_fields);
    g_test_add_func("/arm-esr/serror/values", test_serror_values);
    g_test_add_func("/arm-esr/serror/refusals", test_serror_refusals);
    g_test_add_func("/arm-esr/serror/decode-refusals",
                    test_serror_decode_refusals);
    g_test_add_func("/arm-esr/serror/decode-is-the-inverse",
                    test_serror_decode_is_the_inverse);
    g_test_add_func("/arm-esr/serror/encode-stays-in-its-fields",
                    test_serror_encode_stays_in_its_fields);
    g_test_add_func("/arm-esr/random-values", test_random_values);

    return g_test_run();
}
