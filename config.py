"""pyinfra settings that suit a cluster; nothing depends on them."""

REQUIRE_PYINFRA_VERSION = ">=3.10,<3.11"

CONNECT_TIMEOUT = 20  # seconds: a node under load answers late; a dead one shouldn't hold the run
