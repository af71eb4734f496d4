"""`make bench-scale`: what a run that changes nothing costs, by the number of clusters.

Each simulated host takes 50 ms for a command. The processor's time is that of the whole process but
for what the simulation takes to answer; the memory has the simulated hosts in it.
"""

import json
import os
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from time import monotonic

import attrs
from bed import ROOT, SECRETS, Bed

from san.inventory import load
from san.model import Portal, Site
from san.render.files import client_files, node_files

SIZES = (1, 10, 50, 200)
DELAY = 0.05
FIGURES = ROOT / "build" / "bench-scale.json"
NETWORKS = {"replication": 10, "path-a": 60, "path-b": 110}
"""The second number of each network's subnets."""


def numbered(cluster, number):
    """A cluster like `cluster`, with names and networks of its own."""

    def place(network):
        return f"10.{NETWORKS[network] + number // 200}.{number % 200 + 1}"

    def moved(host):
        own = {name: f"{place(name)}.{ip.split('.')[-1]}" for name, ip in host.addresses.items()}
        more = {"iqn": f"{host.iqn}-{number}"} if hasattr(host, "iqn") else {}
        return attrs.evolve(host, name=f"{host.name}-{number}", addresses=own, ssh={}, **more)

    return attrs.evolve(
        cluster,
        name=f"{cluster.name}-{number}",
        nodes=tuple(map(moved, cluster.nodes)),
        clients=tuple(map(moved, cluster.clients)),
        networks=tuple(
            attrs.evolve(each, subnet=f"{place(each.name)}.0/24") if each.name in NETWORKS else each
            for each in cluster.networks
        ),
        portals=tuple(Portal(f"{place(path)}.1/24") for path in ("path-a", "path-b")),
        targets=tuple(attrs.evolve(each, name=f"{each.name}-{number}") for each in cluster.targets),
    )


def deployed(world, reference, cluster):
    """The hosts of `cluster`, as those of `reference` are after a run."""
    portals = {
        old.address: new.address
        for old, new in zip(reference.portals, cluster.portals, strict=True)
    }
    for old, new in zip(reference.hosts, cluster.hosts, strict=True):
        machine = deepcopy(world.machines[old.name])
        machine.name = machine.hostname = new.name
        machine.cluster = cluster.name
        files = (
            node_files(cluster, new.name)
            if machine.node
            else client_files(cluster, new.name, records=machine.records)
        )
        machine.files = {file.path: (file.content, file.mode) for file in files}
        own = {old.addresses[name]: address for name, address in new.addresses.items()} | portals
        machine.addresses = {
            interface: [own[address] for address in held]
            for interface, held in machine.addresses.items()
        }
        for name, replica in machine.replicas.items():
            replica.applied = machine.text(f"/etc/drbd.d/{name}.res")
        if machine.heartbeat:
            machine.heartbeat = machine.text("/etc/ha.d/ha.cf"), machine.text("/etc/ha.d/authkeys")
        if machine.targets:
            machine.targets = machine.text("/etc/san/stgt.conf")
        machine.sessions = [
            (target.name, portal.ip)
            for target in (() if machine.node else cluster.targets)
            for portal in cluster.portals
        ]
        yield machine


def settled(directory, bed, size):
    """`size` clusters at rest."""
    clusters = tuple(numbered(bed.cluster, number) for number in range(size))
    found = Bed(directory, Site(clusters))
    world, one = found.world, bed.world
    for cluster in clusters:
        for machine in deployed(one, bed.cluster, cluster):
            world.machines[machine.name] = machine
        world.physical[cluster.name] = dict(one.physical[bed.cluster.name])
        world.logical[cluster.name] = deepcopy(one.logical[bed.cluster.name])
    world.save(directory)
    return found


def measure(bed, size):
    """One run of `pyinfra -y`, as a whole process."""
    figures = bed.directory / "figures"
    began = monotonic()
    ran = bed.run("-y", SAN_FIGURES=str(figures), SAN_DELAY=str(DELAY))
    seconds = monotonic() - began
    assert ran.returncode == 0, ran.output
    found = json.loads(figures.read_text())
    assert found.pop("changes") == 0, ran.output
    return {"clusters": size, "wall_seconds": round(seconds, 1), **found}


def main(sizes):
    with tempfile.TemporaryDirectory() as place:
        one = Path(place, "one")
        one.mkdir()
        bed = Bed(one, load(ROOT / "inventory.py"))
        ran = bed.run("-y")
        assert ran.returncode == 0, ran.output
        rows = []
        for size in sizes:
            directory = Path(place, str(size))
            directory.mkdir()
            rows.append(measure(settled(directory, bed, size), size))
            print(json.dumps(rows[-1]), flush=True)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps({"rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    os.environ |= SECRETS
    main([int(word) for word in sys.argv[1:]] or SIZES)
