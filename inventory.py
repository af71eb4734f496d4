"""The one file that you edit: your clusters. As shipped, the reference cluster on the lab."""

from san.model import (
    Bcast,
    Chap,
    Client,
    Cluster,
    DrbdResource,
    Heartbeat,
    Lun,
    Network,
    Node,
    Portal,
    Secret,
    Serial,
    Site,
    Target,
    Volume,
    VolumeGroup,
)

LAB = {"ssh_config_file": "build/lab/ssh_config"}  # on your own servers: {"ssh_user": "root"}

site = Site(
    clusters=(
        Cluster(
            name="reference",
            accept_no_fencing="the lab's default cluster has no BMC",
            nodes=(
                Node("weasel", addresses={"replication": "10.10.10.1/24"}, ssh=LAB),
                Node("otter", addresses={"replication": "10.10.10.2/24"}, ssh=LAB),
            ),
            networks=(
                Network("management", interface="eth0", role="management"),
                Network("replication", "eth1", role="replication", subnet="10.10.10.0/24"),
                Network("path-a", interface="eth2", role="storage", subnet="192.168.1.0/24"),
                Network("path-b", interface="eth3", role="storage", subnet="192.168.2.0/24"),
            ),
            resources=(DrbdResource("r0", disk="/dev/disk/by-id/virtio-data"),),
            volume_groups=(
                VolumeGroup("storage", resources=("r0",), volumes=(Volume("test", "512M"),)),
            ),
            portals=(Portal("192.168.1.1/24"), Portal("192.168.2.1/24")),
            targets=(
                Target(
                    "iqn.2009-02.com.example:test",
                    luns=(Lun(1, "storage/test"),),
                    alias="test",
                    chap=Chap("badger", Secret("CHAP_SECRET")),
                ),
            ),
            heartbeat=Heartbeat(links=(Bcast("replication"), Serial("/dev/ttyS1"))),
            clients=(
                Client(
                    "badger",
                    iqn="iqn.2009-02.com.example:badger",
                    addresses={"path-a": "192.168.1.10/24", "path-b": "192.168.2.10/24"},
                    ssh=LAB,
                ),
            ),
        ),
    ),
)

nodes = site.nodes()
clients = site.initiators()
