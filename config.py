"""pyinfra settings that guard a cluster."""

REQUIRE_PYINFRA_VERSION = ">=3.10,<3.11"

# While connecting, a host that doesn't answer is for the first operation to judge: it says what to
# do, and sets this to 0. From there on a host that fails ends the run for all.
FAIL_PERCENT = 99

CONNECT_TIMEOUT = 20  # seconds: a node under load answers late; a dead one shouldn't hold the run
