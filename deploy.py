"""Two bare nodes to one redundant store: the phases, in order."""

from pyinfra.context import host

from operations import (
    clients,
    cluster,
    network,
    packages,
    preflight,
    replication,
    targets,
    verify,
    volumes,
)

preflight.safe(name="Check that it is safe to go on, and take the cluster's lock")
packages.installed(name="Packages")
network.configured(name="Networks")

if "nodes" in host.groups:
    replication.configured("standby", name="Replication, standby first")
    volumes.visible("standby", name="LVM filter, standby first")
    cluster.configured("standby", name="Cluster files, standby first")
    targets.configured("standby", name="Targets, standby first")
    replication.configured("serving", name="Replication, serving node")
    volumes.visible("serving", name="LVM filter, serving node")
    cluster.configured("serving", name="Cluster files, serving node")
    targets.configured("serving", name="Targets, serving node")
    replication.first_generation(name="Replication without a first full sync")
    volumes.created(name="Volumes")
    cluster.started(name="Cluster start")
    cluster.complete(name="Resources of the serving node")
    verify.cluster_serves(name="Verify the cluster")

if "clients" in host.groups:
    clients.connected(name="Clients")
    verify.paths_active(name="Verify the clients' paths")
