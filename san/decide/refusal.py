"""Why nothing may be done: what was found, and what the operator does next."""


class Refusal(Exception):  # noqa: N818 (a refusal is no error of ours)
    """A sentence for the operator; raised before anything of the phase was changed."""
