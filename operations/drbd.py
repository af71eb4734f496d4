"""drbdadm, run so that it never shows a secret."""

from pyinfra.api.command import QuoteString, StringCommand

from san.render.programs import QUIET


def drbdadm(*words: str) -> StringCommand:
    """The command that runs drbdadm; what it says of a failed drbdsetup has no secret in it."""
    quoted = (QuoteString(word) for word in words)
    return StringCommand("sh", "-c", QuoteString(QUIET), "drbdadm", *quoted)
