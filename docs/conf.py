"""Sphinx settings of the documentation."""

from __future__ import annotations

from forgeyard import __version__

project = "Forgeyard"
author = "The Forgeyard developers"
project_copyright = "2026, The Forgeyard developers"
release = version = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Forgeyard"
html_static_path = ["_static"]
