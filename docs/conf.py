"""How the site is built. `python docs/build.py` builds it strictly; everything it needs is in the extra `docs`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "extensions"), str(DOCS)]

import page  # noqa: E402

import kernel_profile  # noqa: E402 - found by the line above
import multilayer  # noqa: E402

project = "multilayer"
author = "the multilayer authors"
copyright = author  # noqa: A001
release = version = multilayer.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_codeautolink",
    "access",
    "api",
    "mathml",
    "korean",
    "figures",
    "house_picture",
    "lesson_pages",
    "progress",
]
exclude_patterns = []
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"numpy.*|np.*|collections\.abc\..*"),  # their own pages say what these are, and links are not fetched
    ("py:class", r"multilayer\.export\.integers\..*"),  # the parts of a network in whole numbers, described with it
]

# Markdown. Links to headings are checked as far as these levels.
myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 4

# Lessons run anew in every build. A cell that fails ends it, and one that warns is a warning of the build.
nb_execution_mode = "inline"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_output_stderr = "warn"
suppress_warnings = ["mystnb.unknown_mime_type"]  # a figure's data: for `lessons.py`, not for the page
kernel_profile.use(os.environ.get("LESSONS_PYTHON"))

# API reference, from docstrings.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
default_role = "code_or_link"
highlight_language = "text"  # formulas; examples are known by their >>>
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Pages that need nothing from elsewhere: no fonts, no scripts, and formulas in the browser's own MathML.
html_theme = "furo"
html_title = "multilayer"
html_static_path = ["static"]
html_extra_path = ["../build/page"]  # the page that thinks, beside the index
page.write(DOCS.parent / "build" / "page" / "digits.html")
templates_path = ["templates"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"loading_method": "defer"})]
html_favicon = "static/favicon.svg"
html_math_renderer = "mathml"
html_search_language = "en+ko"
html_copy_source = False
pygments_dark_style = "github-dark"
