"""How a drill ends when it can't end well."""


class DrillError(Exception):
    """One sentence for the operator: what was found, where, and what to do next."""


class DrillRefusedError(DrillError):
    """The drill has not begun: a fault now would break more than it shows."""


class DrillFailedError(DrillError):
    """The cluster did not stand the fault; the evidence is kept."""
