"""The program that saves what is on a node's replicated disk, as it runs there."""

from .template import TEMPLATES

SAVE = (TEMPLATES / "drbd/save-image").read_text(encoding="utf-8")
"""For `sh -c`, with the backing disk, the minor and the image as its arguments."""
