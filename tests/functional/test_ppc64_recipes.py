# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: the recipes of the manual for kernel developers."""

from ras import rasctl, recipes

MACHINE = 'ppc64'
GUEST_OPTIONS = rasctl.GUEST_OPTIONS


@recipes.parametrize(MACHINE)
class TestRecipes(recipes.Recipes):
    """See ras/recipes.py."""
