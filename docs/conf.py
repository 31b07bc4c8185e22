# SPDX-License-Identifier: GPL-2.0-or-later
"""Sphinx configuration: nothing but what Debian's python3-sphinx brings."""

project = 'qemu-ras'
author = 'the qemu-ras developers'
project_copyright = 'the qemu-ras developers'

extensions = []
root_doc = 'index'
exclude_patterns = []
# As in QEMU: `text` alone is a name of the code, and a mistake if it is not.
default_role = 'literal'
smartquotes = False
nitpicky = True

html_theme = 'alabaster'
html_theme_options = {
    'description': 'Guest RAS for QEMU',
    'page_width': '70em',
    'show_powered_by': 'false',
}
html_show_sphinx = False
html_copy_source = False
