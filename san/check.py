"""`san check` and `san secrets`: the inventory looked at without touching a host."""

import json
import os
import string
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from secrets import choice, token_hex

import click
from rich.console import Console
from rich.tree import Tree

from san.decide.budget import prediction
from san.inventory import load
from san.model import (
    Acl,
    Chap,
    Cluster,
    Everyone,
    InventoryError,
    Network,
    Problem,
    Secret,
    Site,
    Stonith,
)
from san.model.declare import parts_of
from san.model.heartbeat import Serial
from san.model.secret import a_name, misplaced_secrets, read_secrets, secrets_file

CHAP_ALPHABET = string.ascii_letters + string.digits
CHAP_CHARACTERS = 16
"""The most that every initiator takes."""

KEY_BYTES = 20
"""Of the other secrets: as long as SHA-1's digest, written as 40 hexadecimal digits."""

LINE_MAX = 1000
"""Columns of a line: a name that is cut or wrapped can't be copied, nor found by grep."""

NO_FENCING = (
    "a node that hangs or is cut off stops acknowledging by itself, through DRBD's fencing and "
    "the watchdog, and its peer takes over only while it hears nothing of it on any link or path; "
    "where the peer can't tell a dead node from one that is cut off, the service stands still "
    "until a person has looked"
)
"""What a cluster without STONITH leaves open."""

_inventory = click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")


@click.command()
@_inventory
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(inventory: Path, *, as_json: bool) -> None:
    """Check an inventory without touching a host. Exits 1 where it has problems."""
    clusters: tuple[Cluster, ...] = ()
    problems: tuple[Problem, ...] = ()
    try:
        clusters = load(inventory).clusters
    except InventoryError as error:
        problems = error.problems
    if as_json:
        answer = {
            "ok": not problems,
            "problems": [{"path": p.path, "sentence": p.sentence} for p in problems],
            "clusters": [cluster.to_json() for cluster in clusters],
        }
        click.echo(json.dumps(answer, indent=2))
    elif not problems:
        _show(inventory, clusters)
    else:
        for problem in problems:
            click.echo(str(problem), err=True)
    sys.exit(1 if problems else 0)


def _show(inventory: Path, clusters: tuple[Cluster, ...]) -> None:
    """Print each cluster as a tree, under one line that counts."""
    counts = (
        _count(len(clusters), "cluster"),
        _count(sum(len(cluster.nodes) for cluster in clusters), "node"),
        _count(sum(len(cluster.clients) for cluster in clusters), "client"),
    )
    console = Console(markup=False, highlight=False, soft_wrap=True, width=LINE_MAX)
    console.print(f"{inventory}: {', '.join(counts)}: no problems")
    for cluster in clusters:
        console.print(_tree(cluster))
        cut = prediction(cluster, "power-cut")
        console.print(
            f"{cluster.name}: a power cut of the serving node is expected to stop its clients for "
            f"{cut.expected:g} s, at worst {cut.worst:g} s, at the emulated lab's pace (san budget)"
        )
        for warning in cluster.acknowledged:
            console.print(f"warning, acknowledged by {cluster.name}: {warning}")
        if cluster.accept_no_fencing is not None:
            reason = cluster.accept_no_fencing
            console.print(f"no fencing, accepted by {cluster.name} ({reason}): {NO_FENCING}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _tree(cluster: Cluster) -> Tree:
    tree = Tree(cluster.name)
    _branch(tree, "nodes", (f"{cluster.nodes[0].name} (preferred)", cluster.nodes[1].name))
    _branch(
        tree,
        "networks",
        (f"{n.name} {_interfaces(n)} {n.role} {n.subnet or ''}".strip() for n in cluster.networks),
    )
    _branch(
        tree,
        "replication",
        (f"{r.name} {r.device} over {r.network}, port {r.port}" for r in cluster.resources),
    )
    _branch(
        tree,
        "volumes",
        (
            f"{group.name}/{volume.name} {volume.size}"
            for group in cluster.volume_groups
            for volume in group.volumes
        ),
    )
    _branch(
        tree,
        "portals",
        (f"{p.address} on {cluster.network_of(p).interface}" for p in cluster.portals),
    )
    _branch(
        tree,
        f"targets ({cluster.target_software})",
        (
            f"{target.name} LUN {lun.number} {lun.volume} {lun.iotype}"
            for target in cluster.targets
            for lun in target.luns
        ),
    )
    _branch(
        tree,
        "who may log in",
        (f"{target.name}: {_admitted(cluster.acl_of(target))}" for target in cluster.targets),
    )
    _branch(
        tree,
        "fencing",
        (
            f"{node.name} by {', then '.join(device.plugin for device in node.stonith)}"
            for node in cluster.nodes
            if node.stonith
        ),
    )
    _branch(tree, "kernel modules", (f"{m.name} {m.version}" for m in cluster.modules))
    _branch(
        tree,
        f"heartbeat, deadtime {cluster.heartbeat.deadtime} s",
        (
            f"{type(link).__name__.lower()} "
            + (link.device if isinstance(link, Serial) else link.network)
            for link in cluster.heartbeat.peer_links
        ),
    )
    _branch(tree, "clients", (f"{client.name} {client.iqn}" for client in cluster.clients))
    return tree


def _interfaces(network: Network) -> str:
    others = ", ".join(f"{host}: {name}" for host, name in network.interfaces.items())
    return f"{network.interface} ({others})" if others else network.interface


def _admitted(acl: Acl | Everyone) -> str:
    return ", ".join(acl.initiators) if isinstance(acl, Acl) else "everyone who reaches a portal"


def _branch(tree: Tree, label: str, leaves: Iterable[str]) -> None:
    leaves = tuple(leaves)
    if leaves:
        branch = tree.add(label)
        for leaf in leaves:
            branch.add(leaf)


@click.group()
def secrets() -> None:
    """The secrets that the inventory names."""


@secrets.command()
@_inventory
def init(inventory: Path) -> None:
    """Write a random secret for each that the inventory names and that is nowhere yet."""
    try:
        site = _declared(inventory)
        if misplaced := misplaced_secrets():
            raise click.ClickException(misplaced)
        path = secrets_file().resolve()
        kept = read_secrets(path)
        devices = _of_devices(site)
        wanted = {name: text for name, text in _wanted(site).items() if name not in devices}
        there = {*kept, *(name for name in wanted if os.environ.get(name))}
        new = {name: text for name, text in wanted.items() if name not in there}
        if new:
            _append(path, new)
    except InventoryError as error:
        raise click.ClickException("\n".join(map(str, error.problems))) from None
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    for name in devices:
        known = name in kept or os.environ.get(name)
        said = "kept" if known else f"missing: it is the device's own; write it into {path}"
        click.echo(f"{name}: {said}")
    for name in wanted:
        if name in new:
            said = f"new, in {path}"
        else:
            said = f"kept, from {path if name in kept else 'the environment'}"
        click.echo(f"{name}: {said}")


def _declared(inventory: Path) -> Site:
    """The site as far as it was declared: it lacks secrets, or this command had no purpose."""
    try:
        return load(inventory)
    except InventoryError as error:
        if error.site is None:
            raise
        return error.site


def _wanted(site: Site) -> dict[str, str]:
    """A random text for each secret that the site names."""
    parts = tuple(parts_of(site))
    chap = {part.secret.name for part in parts if isinstance(part, Chap) and _named(part.secret)}
    names = dict.fromkeys(part.name for part in parts if isinstance(part, Secret) and _named(part))
    return {name: _chap_secret() if name in chap else token_hex(KEY_BYTES) for name in names}


def _of_devices(site: Site) -> tuple[str, ...]:
    """The secrets that STONITH devices ask for: nobody can invent them."""
    devices = (part for part in parts_of(site) if isinstance(part, Stonith))
    asked = (secret for device in devices for secret in device.secrets.values())
    return tuple(dict.fromkeys(secret.name for secret in asked if _named(secret)))


def _named(secret: object) -> bool:
    """Whether it is a Secret by a name that a secrets file can hold."""
    return isinstance(secret, Secret) and a_name(secret.name) is None


def _chap_secret() -> str:
    return "".join(choice(CHAP_ALPHABET) for _ in range(CHAP_CHARACTERS))


def _append(path: Path, new: dict[str, str]) -> None:
    """Add secrets to the file, whole or not at all, and closed to others from its first byte."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if old and not old.endswith("\n"):
        old += "\n"
    # mkstemp opens with O_EXCL and mode 0600.
    handle, staged = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(old + "".join(f"{name}={text}\n" for name, text in new.items()))
            file.flush()
            os.fsync(file.fileno())
        Path(staged).replace(path)
    except BaseException:
        Path(staged).unlink(missing_ok=True)
        raise
