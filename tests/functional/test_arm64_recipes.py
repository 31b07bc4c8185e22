# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: the recipes of the manual for kernel developers."""

from ras import rasctl, recipes

MACHINE = 'arm64'
GUEST_OPTIONS = {'extra_args': ['-machine', 'ras-ghes=on', *rasctl.QMP]}


@recipes.parametrize(MACHINE)
class TestRecipes(recipes.Recipes):
    """See ras/recipes.py."""
