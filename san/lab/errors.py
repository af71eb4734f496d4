"""The one error family of the lab."""


class LabError(Exception):
    """What went wrong, where, and what to do next, in one sentence."""
