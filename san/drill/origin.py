"""What a cluster in the lab was deployed from, as a digest: its drills make one campaign."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from san.lab.lab import Lab
from san.model import Cluster
from san.render.files import client_files, node_files

_INSTALLED = "uname -r; dpkg-query --show"


def origin(lab: Lab, clusters: Iterable[Cluster]) -> str:
    """The digest of what is deployed in the lab now.

    Asks each machine for its kernel and packages; files are those that a deploy writes.
    """
    now = lab.state
    machines = {host: lab.ssh(host, _INSTALLED).stdout for host in lab.hosts}
    return digest(clusters, machines, (now.suite, now.accel, now.hardware))


def digest(
    clusters: Iterable[Cluster], machines: Mapping[str, str], hardware: Iterable[str]
) -> str:
    """Twelve hex digits over rendered files, each machine's software, and what the lab runs on.

    Another deploy of the same comes to the same digits: they aren't the snapshot's own.
    """
    known = hashlib.sha256()
    for word in (*_files(clusters), *(f"{host} {text}" for host, text in machines.items())):
        known.update(f"{word}\0".encode())
    known.update(" ".join(hardware).encode())
    return known.hexdigest()[:12]


def _files(clusters: Iterable[Cluster]) -> Iterator[str]:
    for cluster in clusters:
        for node in cluster.nodes:
            for file in node_files(cluster, node.name):
                yield f"{node.name} {file.path} {file.mode:o} {file.content}"
        for client in cluster.clients:
            for file in client_files(cluster, client.name):
                yield f"{client.name} {file.path} {file.mode:o} {file.content}"
