"""Settings of Sphinx. Build the site with `python -m sphinx -W -b html docs docs/_build/html`; it needs no network."""

project = "ddbench"
author = "The ddbench authors"
extensions = ["myst_parser"]
exclude_patterns = ["_build", "_generate"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "ddbench"
