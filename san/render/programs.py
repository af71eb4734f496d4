"""Programs that are run on a node and not installed there."""

from .template import TEMPLATES

SAVE = (TEMPLATES / "drbd/save-image").read_text(encoding="utf-8")
"""For `sh -c`, with the backing disk, the minor and the image as its arguments: save what is on a
node's replicated disk."""

QUIET = (TEMPLATES / "drbd/quiet").read_text(encoding="utf-8")
"""For `sh -c`, with a command as $0 and its arguments: run it, and hide DRBD's secret in what it
says."""

CHANGES = (TEMPLATES / "drbd/changes").read_text(encoding="utf-8")
"""For `perl -e`, with the minor and the backing disk as its arguments: in which logical volumes a
replicated disk has changed since its peer had all of it."""

CONTENT = (TEMPLATES / "drbd/content").read_text(encoding="utf-8")
"""For `perl -e`, with a disk and how much of it as its arguments: whether it holds anything."""
