"""A new kernel for a cluster that goes on serving: `san upgrade-kernel` runs this.

Nothing is installed that could strand a node before every module has been built for it, and no node
reboots while the other isn't whole. The serving node gets the kernel only after the standby has
booted it and has taken the service over. Interrupted anywhere, the next run goes on.
"""

from operations import preflight, upgrade, verify

preflight.safe(name="Check that it is safe to go on, and take the cluster's lock")
verify.cluster_serves(name="Both nodes are whole")

upgrade.lists(name="apt's lists")
upgrade.headers(name="Headers of the new kernel")
upgrade.built(turn="standby", name="Its modules, standby first")
upgrade.built(turn="serving", name="Its modules, serving node")
upgrade.complete(name="Every module is there")

upgrade.origin(name="Where the service returns to")
upgrade.image(first=True, name="The standby's kernel")
upgrade.rebooted(first=True, name="The standby boots it")

upgrade.moved(name="The service moves over")
upgrade.image(first=False, name="The other node's kernel")
upgrade.rebooted(first=False, name="The other node boots it")

upgrade.returned(name="The service moves back")
verify.cluster_serves(name="Verify the cluster")
