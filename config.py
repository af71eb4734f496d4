"""pyinfra settings that guard a cluster."""

import click
from pyinfra.api.exceptions import PyinfraError

REQUIRE_PYINFRA_VERSION = ">=3.10,<3.11"

# While connecting, a host that doesn't answer is for the first operation to judge: it says what to
# do, and sets this to 0. From there on a host that fails ends the run for all.
FAIL_PERCENT = 99

CONNECT_TIMEOUT = 20  # seconds: a node under load answers late; a dead one shouldn't hold the run

# Each phase takes the standby first, then the serving node, and the next begins after both.
_context = click.get_current_context(silent=True)
for _option in ("serial", "no_wait"):
    if _context is not None and _context.params.get(_option):
        raise PyinfraError(
            f"--{_option.replace('_', '-')} takes a cluster's nodes out of step, and deploy.py "
            "orders them by itself; run without it"
        )
