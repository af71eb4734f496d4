"""The shipped cluster with STONITH: each node has a BMC. The lab's; of a server's, the address.

pyinfra docs/examples/stonith.py deploy.py
san fence test weasel --inventory docs/examples/stonith.py
"""

import os
from pathlib import Path

import attrs

from san.inventory import load
from san.lab import bmc
from san.lab.lab import Lab
from san.model import Node, Secret, Site, Stonith

os.environ.setdefault("SAN_SECRETS_FILE", "secrets.env")  # the shipped one's, not beside this file
os.environ.setdefault("BMC_PASSWORD", bmc.PASSWORD)  # the lab's; yours belongs in secrets.env

shipped = load(Path("inventory.py"))
ports = Lab.open().state.bmc_ports  # of a lab that is up; a server's BMC has 623


def fenced(node: Node) -> Node:
    """The node with its BMC."""
    device = Stonith(
        "external/ipmi",
        parameters={
            "ipaddr": bmc.ADDRESS,
            "userid": bmc.USER,
            # The plugin has no parameter for a port, and takes words in this one.
            "interface": f"lanplus -p {ports[node.name]}",
        },
        secrets={"passwd": Secret("BMC_PASSWORD")},
    )
    return attrs.evolve(node, stonith=(device,))


site = Site(
    tuple(
        attrs.evolve(cluster, nodes=tuple(map(fenced, cluster.nodes)), accept_no_fencing=None)
        for cluster in shipped.clusters
    )
)

nodes = site.nodes()
clients = site.initiators()
