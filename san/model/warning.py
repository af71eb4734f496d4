"""What is unwise and may be wanted all the same: `Cluster.acknowledged` names it then."""

SINGLE_HEARTBEAT_LINK = "single-heartbeat-link"
"""Fewer than two links join the nodes: one broken cable is then a split brain."""

PORTALS_SHARE_SUBNET = "portals-share-a-subnet"
"""Two portals in one subnet: to multipath they are two paths, and one switch breaks both."""

LOST_RESERVATIONS = "lost-reservations"
"""A client relies on SCSI-3 reservations, which a takeover drops."""

WARNINGS = (SINGLE_HEARTBEAT_LINK, PORTALS_SHARE_SUBNET, LOST_RESERVATIONS)
