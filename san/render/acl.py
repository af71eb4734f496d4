"""ACLs, in what both tgtd and ietd match."""

from san.model import Acl, Everyone


def addresses(acl: Acl | Everyone) -> tuple[str, ...]:
    """Addresses and networks that may log in; `ALL` for everyone.

    tgtd and ietd share the code that matches them: a /32 never matches, and a /0 counts as a host.
    """
    if isinstance(acl, Everyone):
        return ("ALL",)
    return tuple(
        "ALL" if network.endswith("/0") else network.removesuffix("/32") for network in acl.networks
    )


def names(acl: Acl | Everyone) -> tuple[str, ...]:
    """Initiators that may log in, by name, from wherever they come."""
    return () if isinstance(acl, Everyone) else acl.names
