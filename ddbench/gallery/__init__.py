"""Galleries: the images that each method of a suite chose, and the pools that it chose from."""

from ddbench.gallery.collect import collect
from ddbench.gallery.page import to_html
from ddbench.gallery.picture import to_png

__all__ = ["collect", "to_html", "to_png"]
