"""Two bare nodes to one redundant store: the phases, in order."""

from operations import (
    clients,
    cluster,
    kmodule,
    network,
    packages,
    preflight,
    replication,
    targets,
    verify,
    volumes,
    watch,
)

preflight.safe(name="Check that it is safe to go on, and take the cluster's lock")
packages.installed(name="Packages")

kmodule.built(turn="standby", name="Kernel modules, standby first")
kmodule.built(turn="serving", name="Kernel modules, serving node")

network.configured(turn="standby", name="Networks, standby first")
replication.configured(turn="standby", name="Replication, standby first")
volumes.visible(turn="standby", name="LVM filter, standby first")
cluster.configured(turn="standby", name="Cluster files, standby first")
targets.configured(turn="standby", name="Targets, standby first")
watch.running(turn="standby", name="Watch, standby first")

network.configured(turn="serving", name="Networks, serving node")
replication.configured(turn="serving", name="Replication, serving node")
volumes.visible(turn="serving", name="LVM filter, serving node")
replication.first_generation(name="Replication without a first full sync")
volumes.created(name="Volumes")
cluster.configured(turn="serving", name="Cluster files, serving node")
targets.configured(turn="serving", name="Targets, serving node")
watch.running(turn="serving", name="Watch, serving node")

cluster.started(name="Cluster start")
cluster.complete(name="Resources of the serving node")
verify.cluster_serves(name="Verify the cluster")

clients.connected(name="Clients")
verify.paths_active(name="Verify the clients' paths")
