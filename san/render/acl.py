"""ACLs, in what both tgtd and ietd match."""

from san.model import Acl


def addresses(acl: Acl | None) -> tuple[str, ...]:
    """Addresses and networks that may log in; `ALL` where there is no ACL.

    tgtd and ietd share the code that matches them: a /32 never matches, and a /0 counts as a host.
    """
    if acl is None:
        return ("ALL",)
    return tuple(
        "ALL" if network.endswith("/0") else network.removesuffix("/32") for network in acl.networks
    )


def names(acl: Acl | None) -> tuple[str, ...]:
    """Initiators that may log in, by name, from wherever they come."""
    return () if acl is None else acl.names
