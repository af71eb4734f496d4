"""Simulated hosts: what they answer to each fact, and what each command of an operation changes.

The test bed for order, refusals, interruption and cost, not for DRBD itself: it knows as much of a
node as the operations lean on. A command that it doesn't know fails, so that nothing passes by
being ignored. Facts are answered by section name (san.observe.sections), in the tools' own format.
"""

import base64
import json
import pickle
import re
import shlex
import subprocess
from hashlib import sha256
from ipaddress import IPv4Interface
from pathlib import Path
from tempfile import NamedTemporaryFile

import attrs

HA = "/etc/ha.d"
SCRIPTS = f"{HA}/resource.d"
EXTENT = 4 << 20
SIZE = 1 << 30
"""Bytes of a replicated device."""

PROGRAMS = {
    "drbd-utils": ("drbdadm",),
    "lvm2": ("lvm",),
    "heartbeat": ("cl_status",),
    "tgt": ("tgtadm", "tgtd"),
    "open-iscsi": ("iscsiadm",),
    "multipath-tools": ("multipathd",),
}
UNITS = {
    "drbd-utils": ("drbd.service",),
    "heartbeat": ("heartbeat.service",),
    "tgt": ("tgt.service",),
    "open-iscsi": ("iscsid.service", "open-iscsi.service"),
    "multipath-tools": ("multipathd.service",),
}
FENCE = "/usr/local/sbin/san-fence"
HEARTBEAT = "/usr/libexec/heartbeat/heartbeat"
KERNEL = "6.1.0-47-cloud-amd64"
KMOD = "/usr/local/sbin/san-kmod"
OLDER_KMOD = "an earlier version's\n"
ORIGIN = "/var/lib/san/kmod/origin"
NEWER = "6.1.0-56-cloud-amd64"
"""The kernel that apt has."""
NEWEST = "6.1.0-57-cloud-amd64"
"""The one that it gets while a run goes on."""
BUILDS = "/var/lib/san/kmod/builds"
INITDEAD = 30
"""Looks at a lone Heartbeat until it takes the peer for dead."""


class CommandError(Exception):
    """What the command said, and its exit status."""

    def __init__(self, said, status=1):
        super().__init__(said)
        self.status = status


@attrs.define
class Replica:
    """A DRBD resource on a node."""

    generation: str | None = None
    """Of its metadata: None where there is none, NEW where it has seen no data."""
    bitmap: str = "0" * 16
    """The generation in which the nodes parted, where this side has moved on since."""
    changed: int = 0
    """KiB since then."""
    applied: str | None = None
    """The resource file as the kernel knows it; None where it isn't configured there."""
    role: str = "Secondary"
    parted: bool = False
    """StandAlone."""
    discards: bool = False
    """Connects to give up what it has changed."""
    differs: int = 0
    """KiB that a comparison would find to differ."""
    comparing: int = 0
    """Looks until the comparison that runs has ended."""
    diskless: bool = False
    holds: str = "zero"
    """What reading all of it would find."""


NEW = "0000000000000004"


@attrs.define
class Disk:
    """What is on a node's backing disk, as the fact prints it, line by line."""

    exists: bool = True
    block: bool = True
    signatures: list[str] = attrs.Factory(list)
    holders: list[str] = attrs.Factory(list)
    partitions: list[str] = attrs.Factory(list)
    mounted: str | None = None
    device: str = "/dev/vdb"
    content: str = "zero"
    """What reading it finds, while nobody has it for himself."""
    size: int = 1 << 30


@attrs.define
class Machine:
    """A host: a node or a client."""

    name: str
    cluster: str
    hostname: str
    node: bool
    reachable: bool = True
    """By the run."""
    powered: bool = True
    packages: set[str] = attrs.Factory(set)
    unpacked: set[str] = attrs.Factory(set)
    """Packages that dpkg was ended in the middle of."""
    enabled: set[str] = attrs.Factory(set)
    masked: set[str] = attrs.Factory(set)
    running: set[str] = attrs.Factory(set)
    """Units; heartbeat.service and multipathd.service among them."""
    files: dict[str, tuple[str, int]] = attrs.Factory(dict)
    """Content and mode by path."""
    up: set[str] = attrs.Factory(lambda: {"eth0"})
    addresses: dict[str, list[str]] = attrs.Factory(dict)
    arp_filter: bool = False
    serial_ports: list[str] = attrs.Factory(lambda: [f"/dev/ttyS{number}" for number in range(4)])
    below: dict[str, str] = attrs.Factory(dict)
    """The card of each VLAN."""
    bus: bool = True
    mtu: dict[str, int] = attrs.Factory(dict)
    network_files: dict[str, str] = attrs.Factory(dict)
    """Files of networkd that others wrote, each with the interface that it matches."""
    firewall: list[str] = attrs.Factory(list)
    """What was loaded of our table."""
    disk: Disk = attrs.Factory(Disk)
    disks: dict[str, Disk] = attrs.Factory(dict)
    """Its other disks, by path."""
    claims: list[str] = attrs.Factory(list)
    """What somebody else's DRBD resources have, as the fact prints it."""
    replicas: dict[str, Replica] = attrs.Factory(dict)
    active: set[str] = attrs.Factory(set)
    """Volume groups, or single volumes of them, that are active."""
    heartbeat: tuple[str, str] | None = None
    """ha.cf and authkeys as the running Heartbeat knows them."""
    lonely: int = 0
    holding: bool = False
    nexuses: list[str] = attrs.Factory(list)
    """Sessions at its targets, as tgtadm prints them."""
    targets: str | None = None
    """stgt.conf as the running tgtd serves it."""
    finding: str | None = None
    """What its watch finds amiss."""
    records: str = "/etc/iscsi/nodes"
    """Where its open-iscsi keeps node records."""
    sessions: list[tuple[str, str]] = attrs.Factory(list)
    proved: dict[str, list[str]] = attrs.Factory(dict)
    """How a client has logged in, by its node record's path."""
    """Target and portal."""
    bmc: bool = True
    """Whether the device that its peer would reset it with answers."""
    broken: str | None = None
    """What fails: the facts that have this in their script, or the commands."""
    compared: str | None = None
    """What san-verify has written: resource, time, KiB."""
    later: dict[str, dict] = attrs.Factory(dict)
    """Attributes that are otherwise after a command, by what that has in it."""
    kernels: list[str] = attrs.Factory(lambda: [KERNEL])
    """Installed; a boot takes the last."""
    headers: set[str] = attrs.Factory(lambda: {KERNEL})
    candidate: str = NEWER
    """The newest kernel in its apt's lists; empty where they have none."""
    booted: str = KERNEL
    uptime: int = 1000
    held: bool = False
    modules: dict[tuple[str, str], str] = attrs.Factory(dict)
    """Key of what is installed, by module and kernel."""
    compiled: list[tuple[str, str]] = attrs.Factory(list)
    failed: dict[tuple[str, str], str] = attrs.Factory(dict)
    """Key of the last build that failed."""
    uncompilable: set[tuple[str, str]] = attrs.Factory(set)
    lock: tuple[int, str] | None = None
    """Process and words of the run that holds it."""

    def text(self, path):
        """The content of a file; None where there is none."""
        return self.files[path][0] if path in self.files else None

    def programs(self):
        return {program for name in self.packages for program in PROGRAMS.get(name, ())}

    def backing(self, path):
        """The disk that a path leads to."""
        return self.disks.get(path, self.disk)

    def attached(self, name):
        """The path by which the kernel has a resource's disk; None where it has none."""
        replica = self.replicas[name]
        return None if replica.diskless else self.own_disk(replica.applied)

    def own_disk(self, content):
        """The disk that a resource's file says for this node."""
        said = rf'on {self.hostname} {{.*?disk "(.+?)";'
        return content and re.search(said, content, re.DOTALL)[1]

    def resources(self):
        """The resources of the files in /etc/drbd.d: minor, own disk and address, and text."""
        found = {}
        for path, (content, _) in self.files.items():
            if match := re.fullmatch(r"/etc/drbd\.d/(.+)\.res", path):
                own = re.search(rf"on {self.hostname} {{(.*?)}}", content, re.DOTALL)
                minor = re.search(r"device /dev/drbd(\d+);", own[1])
                address = re.search(r"address ipv4 ([\d.]+):", own[1])
                found[match[1]] = (int(minor[1]), address[1], content)
        return found


@attrs.define
class World:
    """All hosts, what is on the replicated devices, and what must never happen to them."""

    machines: dict[str, Machine] = attrs.Factory(dict)
    physical: dict[str, dict[str, str | None]] = attrs.Factory(dict)
    """Volume group by replicated device, by cluster."""
    logical: dict[str, dict[str, dict[str, int]]] = attrs.Factory(dict)
    """Bytes by volume and group, by cluster."""
    replicating: bool = True
    """Whether the nodes' replication link is whole."""
    accidents: list[str] = attrs.Factory(list)
    """A stop of what served."""

    @classmethod
    def of(cls, clusters):
        """Bare hosts of `clusters`."""
        world = cls()
        for cluster in clusters:
            world.physical[cluster.name] = {}
            world.logical[cluster.name] = {}
            for host in cluster.hosts:
                node = host in cluster.nodes
                machine = Machine(host.name, cluster.name, hostname=host.name, node=node)
                machine.addresses = {each.interface_on(host.name): [] for each in cluster.networks}
                machine.replicas = {each.name: Replica() for each in cluster.resources if node}
                world.machines[host.name] = machine
        return world

    @classmethod
    def load(cls, directory):
        return pickle.loads((directory / "world").read_bytes())  # noqa: S301 (our own)

    def save(self, directory):
        new = directory / "world.new"
        new.write_bytes(pickle.dumps(self))
        new.rename(directory / "world")

    def lasting(self):
        """All of it that a run is for: without locks, and what Heartbeat counts."""
        return attrs.evolve(
            self,
            machines={
                name: attrs.evolve(
                    each, lock=None, lonely=0, uptime=0, compiled=[], sessions=sorted(each.sessions)
                )
                for name, each in self.machines.items()
            },
        )

    def serving(self, cluster="reference"):
        """The node that holds the group, if one does."""
        holders = [each.name for each in self.nodes(cluster) if each.holding]
        assert len(holders) < 2
        return holders[0] if holders else None

    def fail_over(self, cluster="reference"):
        """Move the group to the other node."""
        old = self.machines[self.serving(cluster)]
        self.release(old)
        self.take(self.peer(old))
        assert self.serving(cluster) != old.name

    def peer(self, machine):
        return next(
            each
            for each in self.machines.values()
            if each.node and each.cluster == machine.cluster and each.name != machine.name
        )

    def nodes(self, cluster):
        return [each for each in self.machines.values() if each.node and each.cluster == cluster]

    # --- DRBD -----------------------------------------------------------------------------------

    def connected(self, machine, name):
        one, other = machine.replicas[name], self.peer(machine).replicas[name]
        return bool(
            one.applied
            and other.applied
            and self.peer(machine).powered
            and self.replicating
            and not (one.parted or other.parted)
        )

    def sync(self, machine, name):
        """Two sides that meet: a new one gets the other's data at once."""
        if not self.connected(machine, name):
            return
        one, other = machine.replicas[name], self.peer(machine).replicas[name]
        if one.generation == NEW:
            one.generation = other.generation
        elif other.generation == NEW:
            other.generation = one.generation
        elif one.generation != other.generation:
            self.meet(one, other)

    def meet(self, one, other):
        """Two sides with different data: one follows, or they stand alone."""
        for source, target in ((one, other), (other, one)):
            if target.discards or target.generation == source.bitmap:
                if target.role == "Primary":
                    self.accidents.append("a Primary lost its data")
                for each in (source, target):
                    each.generation, each.bitmap, each.changed = source.generation, "0" * 16, 0
                    each.discards = False
                return
        one.parted = other.parted = True

    def part(self, cluster="reference", alone=True):
        """Both sides move on apart from each other."""
        for number, node in enumerate(self.nodes(cluster), start=1):
            for replica in node.replicas.values():
                replica.bitmap = replica.generation
                replica.generation = f"{number}AAAAAAAAAAAAAA0"
                replica.changed = 8 * number
                replica.parted = alone

    def device(self, machine, name):
        """The states of a device: connection, roles, disks."""
        one, other = machine.replicas[name], self.peer(machine).replicas[name]
        own = self.stands(one)
        if not self.connected(machine, name):
            state = "StandAlone" if one.parted else "WFConnection"
            return state, f"{one.role}/Unknown", f"{own}/DUnknown"
        its = self.stands(other)
        return "Connected", f"{one.role}/{other.role}", f"{own}/{its}"

    def stands(self, replica):
        if replica.diskless:
            return "Diskless"
        return "Inconsistent" if replica.generation == NEW else "UpToDate"

    def promote(self, machine, name):
        one, other = machine.replicas[name], self.peer(machine).replicas[name]
        if one.applied is None:
            raise CommandError("Unknown resource", 10)
        if one.generation == NEW:
            raise CommandError("State change failed: Need access to UpToDate data", 17)
        if self.connected(machine, name) and other.role == "Primary":
            raise CommandError("State change failed: Multiple primaries not allowed", 11)
        one.role = "Primary"

    # --- Heartbeat ------------------------------------------------------------------------------

    def group(self, machine):
        """The preferred node, and the resources."""
        lines = [each for each in machine.text(f"{HA}/haresources").splitlines() if each]
        preferred, *resources = lines[-1].split()
        return preferred, [each.split("::") for each in resources]

    def settle(self, machine):
        """What Heartbeat does meanwhile: find its peer, or bury it, and take the group."""
        peer = self.peer(machine)
        if machine.heartbeat is None:
            return
        both = peer.heartbeat is not None and peer.powered
        if not both:
            machine.lonely += 1
            if machine.lonely < INITDEAD:
                return
        if machine.holding or (both and peer.holding):
            return
        preferred, _ = self.group(machine)
        if both and preferred != machine.hostname:
            return
        self.take(machine)

    def take(self, machine):
        for script, *arguments in self.group(machine)[1]:
            try:
                self.start(machine, script, arguments)
            except CommandError:
                self.release(machine)
                return
        machine.holding = True

    def start(self, machine, script, arguments):
        """A resource script's `start`."""
        match script:
            case "drbd-primary" | "drbddisk":
                self.promote(machine, arguments[0])
            case "LVM" | "volume-group":
                if self.visible(machine, arguments[0]) is None:
                    raise CommandError(f"Volume group {arguments[0]} not found", 5)
                machine.active.add(arguments[0])
            case "IPaddr" | "IPaddr2" | "portal":
                address, prefix, interface = arguments[0].split("/")
                if f"{address}/{prefix}" not in machine.addresses[interface]:
                    machine.addresses[interface].append(f"{address}/{prefix}")
            case "arp_filter":
                machine.arp_filter = True
            case "iscsi-target":
                self.serve(machine)
            case _:
                raise CommandError(f"{script}: not found", 127)

    def release(self, machine):
        machine.holding = False
        machine.active.clear()
        machine.targets = None
        for replica in machine.replicas.values():
            replica.role = "Secondary"
        for script, *arguments in self.group(machine)[1]:
            if script in {"IPaddr", "IPaddr2", "portal"}:
                address, prefix, interface = arguments[0].split("/")
                if f"{address}/{prefix}" in machine.addresses[interface]:
                    machine.addresses[interface].remove(f"{address}/{prefix}")

    def serve(self, machine):
        conf = machine.text("/etc/san/stgt.conf")
        if "tgt" not in machine.packages or conf is None:
            raise CommandError("iscsi-target: tgtd does not start")
        for line in conf.splitlines():
            if line.startswith("lun ") and not self.block(machine, line.split()[-1]):
                raise CommandError(f"iscsi-target: no such block device: {line.split()[-1]}")
        machine.targets = conf

    def block(self, machine, path):
        _, _, group, volume = path.split("/")
        return group in machine.active and volume in self.logical[machine.cluster].get(group, {})

    # --- LVM ------------------------------------------------------------------------------------

    def devices(self, machine):
        """The replicated devices that can be opened here, with what group is on them."""
        on = self.physical[machine.cluster]
        minors = {name: minor for name, (minor, *_) in machine.resources().items()}
        primary = [name for name, each in machine.replicas.items() if each.role == "Primary"]
        devices = [f"/dev/drbd{minors[name]}" for name in primary]
        return {device: on.get(device, "") for device in devices}

    def visible(self, machine, group):
        if "lvm2" in machine.packages and group in self.devices(machine).values():
            return self.logical[machine.cluster][group]
        return None

    # --- Commands -------------------------------------------------------------------------------

    def run(self, name, command, stdin, process):
        """Run a command on a host: exit status, output, and what kind of command it was."""
        machine = self.machines[name]
        if "[san:begin " in command:
            return 0, "\n".join(self.answer(machine, command)), "fact"
        owner, command = held(command)
        if owner is not None and (machine.lock is None or machine.lock[0] != owner):
            self.accidents.append(f"{command} on {name} without the lock")
        words = shlex.split(command)
        if words[0] in self.READ or words[-1] == "candidate":
            return 0, self.read(machine, words), "fact"
        if words[:2] == ["sh", "-c"] and words[3] == "san-lock":
            return (*self.take_lock(machine, words[4], process), "lock")
        try:
            for part in parts(words):
                self.act(machine, command, part, stdin)
        except CommandError as error:
            return error.status, str(error), "command"
        for text, attributes in machine.later.items():
            if text in command:
                self.machines[name] = attrs.evolve(self.machines[name], **attributes)
        return 0, "", "command"

    READ = ("base64", "cut", "uname")
    """Programs whose words a run reads as they are."""

    def read(self, machine, words):
        match words:
            case ["base64", *_, path]:
                return base64.b64encode(self.build(machine, path).encode()).decode()
            case ["cut", *_, "/proc/uptime"]:
                machine.uptime += 1
                return str(machine.uptime)
            case ["uname", "-s"]:
                return "Linux"
            case [_, "candidate"]:
                return machine.candidate

    def take_lock(self, machine, holder, process):
        owner, words = machine.lock or (process, holder)
        if owner != process and Path(f"/proc/{owner}").exists():
            return 3, words
        machine.lock = (process, holder)
        return 0, f"{process} 1"

    def act(self, machine, command, words, stdin):  # noqa: C901, PLR0912 (a case for each program)
        if machine.broken and machine.broken in command:
            raise CommandError("E: broken", 100)
        if words[0] == KMOD:
            self.kmod(machine, words)
        elif "apt-get install" in command or "dpkg --configure" in command:
            self.packages(machine, command)
        elif words[:2] == ["sh", "-c"] and words[3] == "san-install":
            content = stdin if stdin.endswith("\n") else f"{stdin}\n"  # as pyinfra's write_stdin
            machine.files[words[4]] = (content, int(words[5], 8))
        elif words[:2] == ["sh", "-c"] and words[3] == "drbdadm":
            self.act(machine, command, words[3:], stdin)
        elif words[:2] == ["sh", "-c"] and words[3] == "san-divert":
            if "heartbeat" not in machine.packages:
                raise CommandError(f"cp: cannot stat '{words[4]}'")
        elif words[:2] == ["sh", "-c"] and words[3] == "san-upload":
            machine.files[words[4]] = (base64.b64decode(stdin).decode(), 0o644)
        elif words[:2] == ["sh", "-c"] and words[3] == "san-image":
            self.image(machine, words[5], words[6])
        elif "reboot )" in command:
            self.reboot(machine)
        elif words[0] == "/usr/share/heartbeat/hb_standby":
            self.release(machine)
            self.take(self.peer(machine))
        elif words[:2] == ["apt-get", "update"] or words[0] in {"modprobe", FENCE}:
            pass
        elif words == [HEARTBEAT, "-r"]:
            self.replace_heartbeat(machine)
        elif words[0] == "systemctl":
            for unit in words[2:]:  # none for daemon-reload
                if unit != "--now":
                    self.unit(machine, words[1], unit)
            if words[2:3] == ["--now"]:
                self.unit(machine, "start", words[3])
        elif words[0] == "drbdadm":
            self.drbdadm(machine, *[word for word in words[1:] if word != ">/dev/null"])
        elif words[0].startswith(f"{SCRIPTS}/"):
            self.script(machine, words)
        elif words[0] == "iscsiadm":
            target, portal = words[words.index("--targetname") + 1], words[-2].split(":")[0]
            if words[-1] == "--logout":
                machine.sessions.remove((target, portal))
            else:
                self.login(machine, target, portal)
        else:
            self.system(machine, words)

    def image(self, machine, minor, path):
        """What is on a disk: here its generation stands for that."""
        (name,) = (name for name, (own, *_) in machine.resources().items() if own == int(minor))
        replica = machine.replicas[name]
        if replica.role == "Primary":
            self.accidents.append(f"an image of {machine.name}'s disk, which is written to")
        if path in machine.files and machine.files[path] != (replica.generation, 0o600):
            raise CommandError(f"{path} is there, and isn't what the disk holds: move it away")
        machine.files[path] = (replica.generation, 0o600)

    # --- Kernel modules -------------------------------------------------------------------------

    def key(self, machine, module, release):
        """Both nodes have one compiler and the same headers: the description makes the key."""
        if release not in machine.headers:
            return ""
        return sha256(f"{release} {self.described(machine)[module]}".encode()).hexdigest()[:32]

    def described(self, machine):
        """The modules that `san-kmod` knows there, with their descriptions."""
        return {
            match[1]: content
            for path, (content, _) in machine.files.items()
            if (match := re.fullmatch(r"/etc/san/kmod\.d/(.+)\.conf", path))
        }

    def build(self, machine, path):
        """The content of a finished build's file."""
        module, release, key = path.removeprefix(f"{BUILDS}/").removesuffix(".tar").split("/")
        if machine.modules.get((module, release)) != key:
            raise CommandError(f"base64: {path}: No such file or directory")
        return f"{module} {release} {key}"

    def compiles(self, machine, module, release):
        if (module, release) in machine.uncompilable:
            machine.failed[module, release] = self.key(machine, module, release)
            return False
        machine.compiled.append((module, release))
        machine.modules[module, release] = self.key(machine, module, release)
        return True

    def forget(self, machine, module):
        machine.modules = {key: it for key, it in machine.modules.items() if key[0] != module}
        machine.files.pop(f"/etc/san/kmod.d/{module}.conf")
        machine.files.pop(f"/etc/modprobe.d/san-{module}.conf", None)

    def take_build(self, machine, build, sum_, file):
        content = machine.files.pop(file)[0]
        module, release, key = build
        if (
            sha256(content.encode()).hexdigest() != sum_
            or content != " ".join(build)
            or key != self.key(machine, module, release)
        ):
            raise CommandError("san-kmod: the twin's build isn't what was promised")
        machine.modules[module, release] = key

    def kmod(self, machine, words):
        match words:
            case [_, "build", "--kernel", release, module]:
                if not self.compiles(machine, module, release):
                    raise CommandError(
                        f"san-kmod: {module} 1.0 is NOT there for {release}: it does not compile"
                    )
            case [_, "build", "--kernel", release, module, "||", ":"]:
                self.compiles(machine, module, release)
            case [_, "import", module, release, key, sum_, file, *_]:
                self.take_build(machine, (module, release, key), sum_, file)
            case [_, "forget", module]:
                self.forget(machine, module)
            case [_, "hold", _]:
                machine.held = True
            case [_, "unhold"]:
                machine.held = False
            case _:
                raise CommandError(f"san-kmod: {words[1:]}: unknown", 2)

    def fact_kmod(self, machine, _):
        if KMOD not in machine.files:
            return 127, []
        if machine.text(KMOD) == OLDER_KMOD:
            return 0, [f"running\t{machine.booted}", "what only an older one says"]
        rows = [["format", "3"], ["running", machine.booted], ["next", machine.kernels[-1]]]
        rows += [["packages", "linux-image-*", "linux-headers-*"]]
        rows += [["held", "it does not compile"]] if machine.held else []
        rows += [["origin", machine.text(ORIGIN).strip()]] if ORIGIN in machine.files else []
        rows += [["kernel", each, f"linux-headers-{each}"] for each in machine.kernels]
        rows += [["headers", release] for release in sorted(machine.headers)]
        for module in self.described(machine):
            rows.append(["module", module, "1.0"])
            for release in sorted({*machine.kernels, *machine.headers}):
                key = self.key(machine, module, release)
                has = machine.modules.get((module, release))
                stand = "absent" if has is None else "ready" if has == key else "stale"
                failed = machine.failed.get((module, release), "")
                why = "" if stand == "ready" else f"apt-get install linux-headers-{release}"
                rows.append(["stand", module, release, stand, key, failed, why])
                if has:
                    content = f"{module} {release} {has}"
                    sum_ = sha256(content.encode()).hexdigest()
                    rows.append(["build", module, release, has, sum_])
        return 0, ["\t".join(row) for row in rows]

    def reboot(self, machine):
        """Into the default kernel; Heartbeat starts where that has its modules."""
        if machine.holding:
            self.accidents.append(f"reboot of {machine.name}, which serves")
        if self.device(self.peer(machine), "r0")[2] != "UpToDate/UpToDate":
            self.accidents.append(f"reboot of {machine.name}, while its peer isn't whole")
        machine.booted = machine.kernels[-1]
        machine.uptime = 0
        machine.lonely = 0
        lacks = [
            name
            for name in self.described(machine)
            if (name, machine.booted) not in machine.modules
        ]
        machine.heartbeat = None if lacks else machine.heartbeat

    def packages(self, machine, command):
        if "dpkg --configure" in command:
            machine.packages |= machine.unpacked
            machine.unpacked.clear()
            return
        if machine.unpacked:
            raise CommandError("E: dpkg was interrupted, you must manually run it", 100)
        names = re.search(r"Timeout=\d+ ([^|;}]+?)(?: \|\||$)", command)[1].split()
        for name in names:
            if name.startswith("linux-headers-"):
                machine.headers.add(name.removeprefix("linux-headers-"))
            if name.startswith("linux-image-"):
                machine.kernels.append(name.removeprefix("linux-image-"))
        machine.packages.update(names)
        for unit in [unit for name in names for unit in UNITS.get(name, ())]:
            if unit not in machine.masked:
                machine.enabled.add(unit)

    def unit(self, machine, verb, unit):
        ours = f"/etc/systemd/system/{unit}" in machine.files
        owner = next((name for name, units in UNITS.items() if unit in units), None)
        if verb == "mask":
            machine.masked.add(unit)
            machine.enabled.discard(unit)
            return
        if not ours and owner not in machine.packages:
            raise CommandError(f"Unit {unit} not found.", 5)
        if verb == "enable":
            machine.enabled.add(unit)
        elif unit == "heartbeat.service":
            self.heartbeat(machine, verb)
        elif unit == "san-firewall.service":
            if "nftables" not in machine.packages:
                raise CommandError("nft: not found", 203)
            text = machine.text("/etc/san/firewall.nft")
            machine.firewall = text[text.rindex("table inet san {") :].splitlines()
        elif unit == "san-verify.service":
            for name, replica in machine.replicas.items():
                if self.connected(machine, name):
                    replica.comparing = replica.comparing or 2
        else:
            machine.running.add(unit)

    def heartbeat(self, machine, verb):
        read = machine.text(f"{HA}/ha.cf"), machine.text(f"{HA}/authkeys")
        if None in read or machine.files[f"{HA}/authkeys"][1] != 0o600:
            raise CommandError("Job for heartbeat.service failed", 1)
        if verb in {"stop", "restart"} and machine.holding:
            self.accidents.append(f"{verb} of Heartbeat on {machine.name}, which serves")
            self.release(machine)
        machine.heartbeat = None if verb == "stop" else read
        if verb in {"start", "restart"}:
            machine.lonely = 0

    def replace_heartbeat(self, machine):
        """It reads its files anew and keeps what it holds."""
        if machine.heartbeat is None:
            raise CommandError("heartbeat: not running", 1)
        machine.heartbeat = machine.text(f"{HA}/ha.cf"), machine.text(f"{HA}/authkeys")

    def drbdadm(self, machine, verb, *words):  # noqa: C901, PLR0912, PLR0915 (a case for each verb)
        if "drbd-utils" not in machine.packages:
            raise CommandError("drbdadm: not found", 127)
        known = machine.resources()
        here = {address for own in machine.addresses.values() for address in own}
        for _, address, _ in known.values():
            if address not in {str(IPv4Interface(each).ip) for each in here}:
                raise CommandError(f"IP {address} not found on this host.", 1)
        if verb == "dump":
            return
        name = words[-1].removesuffix("/0")
        if name not in known:
            raise CommandError(f"'{name}' not defined in your config (for this host).", 1)
        replica = machine.replicas[name]
        match verb:
            case "create-md":
                self.create(machine, name, known[name][2], words)
            case "detach":
                self.detach(machine, name)
            case "adjust":
                path = machine.own_disk(known[name][2])
                if machine.attached(name) not in {None, path}:
                    self.detach(machine, name)
                if "drbd" not in machine.backing(path).signatures:
                    raise CommandError("No valid meta data found", 119)
                replica.applied, replica.diskless = known[name][2], False
                replica.parted = False
                self.sync(machine, name)
            case "disconnect":
                if replica.parted:
                    raise CommandError("additional info from kernel: unknown connection", 10)
                replica.parted, replica.discards = True, False
            case "connect":
                if not replica.parted:
                    raise CommandError("(125) Device has a net-config (use disconnect first)", 10)
                replica.parted, replica.discards = False, "--discard-my-data" in words
                self.sync(machine, name)
            case "new-current-uuid":
                both = [replica, self.peer(machine).replicas[name]]
                if not self.connected(machine, name) or {each.generation for each in both} != {NEW}:
                    self.accidents.append("new-current-uuid on data")
                for each in both:
                    each.generation = "D5CA4B1DD2A0B4CE"
            case "primary":
                if "--force" in words and replica.generation == NEW:
                    replica.generation = "F0ACEDA7A0000000"
                self.promote(machine, name)
                self.sync(machine, name)
            case "secondary":
                if machine.active:
                    raise CommandError("State change failed: Device is held open by someone", 11)
                if machine.holding:
                    self.accidents.append(f"secondary on {machine.name}, which serves")
                replica.role = "Secondary"
            case _:
                raise CommandError(f"drbdadm: unknown command {verb}", 3)

    def create(self, machine, name, content, words):
        """drbdmeta asks nothing on an empty disk, and ends where it would ask."""
        disk, replica = machine.backing(machine.own_disk(content)), machine.replicas[name]
        if replica.applied and not replica.diskless:
            raise CommandError("Device '0' is configured!", 20)
        if "--force" in words:
            self.accidents.append("create-md --force")
        if disk.signatures or disk.content != "zero":
            raise CommandError("Operation canceled.", 1)
        replica.generation, replica.bitmap, replica.changed = NEW, "0" * 16, 0
        disk.signatures.append("drbd")

    def detach(self, machine, name):
        connected = self.connected(machine, name)
        if not connected or self.stands(self.peer(machine).replicas[name]) != "UpToDate":
            self.accidents.append(f"{machine.name}'s disk detached, the last copy")
        machine.replicas[name].diskless = True

    def script(self, machine, words):
        script, *arguments, verb = words
        script = script.removeprefix(f"{SCRIPTS}/")
        if verb == "start":
            self.start(machine, script, arguments)
        elif (script, verb) == ("iscsi-target", "stop"):
            if machine.holding:
                self.accidents.append(f"the targets on {machine.name}, which serves, stopped")
            machine.targets = None
        elif (script, verb) == ("iscsi-target", "apply"):
            self.serve(machine)
        else:
            raise CommandError(f"{script} {verb}: unknown", 2)

    def login(self, machine, target, portal):
        record = f"{machine.records}/{target}/{portal},3260,1/default"
        if record not in machine.files:
            raise CommandError("iscsiadm: No records found", 21)
        if "iscsid.service" not in machine.running or self.served(machine.cluster, portal) is None:
            raise CommandError("iscsiadm: connection to discovery portal failed", 8)
        if f" {target}\n" not in self.served(machine.cluster, portal):
            raise CommandError("iscsiadm: initiator reported error (19 - target not found)", 19)
        machine.sessions.append((target, portal))
        machine.proved[record] = self.credentials(machine, record)

    def credentials(self, machine, record):
        """The CHAP user and secret of a login by a node record."""
        pattern = r"(?m)^node\.session\.auth\.(?:username|password) = .*$"
        return re.findall(pattern, machine.text(record))

    def served(self, cluster, portal):
        """What is served at a portal: stgt.conf in force."""
        for node in self.nodes(cluster):
            own = [address for held in node.addresses.values() for address in held]
            if node.targets and node.powered and portal in {each.split("/")[0] for each in own}:
                return node.targets
        return None

    def system(self, machine, words):  # noqa: C901, PLR0912 (a case for each tool)
        volumes = self.logical[machine.cluster]
        match words:
            case ["ip", "link", "set", interface, "up"]:
                machine.up.add(interface)
            case ["ip", "link", "set", interface, "mtu", mtu]:
                machine.mtu[interface] = int(mtu)
            case ["ip", "address", "add", address, "broadcast", "+", "dev", interface]:
                machine.addresses[interface].append(address)
            case ["sysctl", "-q", "--load", "/etc/sysctl.d/60-san.conf"]:
                machine.arp_filter = True
            case ["rm", "-f", *paths]:
                machine.files = {at: it for at, it in machine.files.items() if at not in paths}
                machine.compared = None if "/var/lib/san/verify" in paths else machine.compared
            case ["networkctl", "reload"]:
                pass
            case ["pvcreate", "--quiet", device] if self.devices(machine).get(device) == "":
                self.physical[machine.cluster][device] = None
                machine.disk.signatures.append("LVM2_member")
            case ["vgcreate", _, _, _, "--systemid", "", group, *devices] if all(
                device in self.devices(machine) for device in devices
            ):
                self.physical[machine.cluster].update(dict.fromkeys(devices, group))
                volumes[group] = {}
            case ["vgextend", "--quiet", group, *devices]:
                self.physical[machine.cluster].update(dict.fromkeys(devices, group))
            case ["lvcreate", *_, "--size", size, "--name", name, group] if (
                self.visible(machine, group) is not None
            ):
                volumes[group][name] = rounded(size)
                machine.active.add(group)
            case ["lvextend", "--quiet", "--size", size, path] if self.visible(
                machine, path.split("/")[0]
            ):
                group, name = path.split("/")
                volumes[group][name] = rounded(size)
            case ["vgchange", "--quiet", "--activate", "n", group]:
                machine.active.discard(group)
            case _:
                raise CommandError(f"sh: {shlex.join(words)}: can't", 127)

    # --- Facts ----------------------------------------------------------------------------------

    def answer(self, machine, command):
        """The sections that a fact's script would print."""
        words = shlex.split(command)
        for index, word in enumerate(words):
            if word.startswith("[san:fact "):
                yield word
            if match := re.match(r"\[san:begin (.+)\]", word):
                part = words[words.index("-c", index) + 1]
                name = re.sub(r"-\d+$", "", match[1])
                status, lines = getattr(self, f"fact_{name}")(machine, part)
                if machine.broken and f"{machine.broken} " in part:
                    status, lines = 5, ["it is broken"]
                yield from (f"[san:begin {match[1]}]", *lines, "", f"[san:end {match[1]} {status}]")

    def fact_files(self, machine, part):
        if "stat --printf" not in part:  # Heartbeat's files
            return 0, list(self.heartbeat_files(machine))
        paths = shlex.split(re.search(r"^set -- (.*)$", part, re.MULTILINE)[1])
        lines = []
        for path in paths:
            if path in machine.files:
                content, mode = machine.files[path]
                size = len(content.encode())
                lines.append(f"stat\t{mode:o}\troot\troot\t{size}\tregular file\t{path}")
            else:
                lines.append(f"stat: cannot statx '{path}': No such file or directory")
        for path in paths:
            if path in machine.files:
                digest = sha256(machine.files[path][0].encode()).hexdigest()
                lines.append(f"{digest}  {path}")
        return 0, lines

    def fact_text(self, machine, part):
        """By the real script, on a real file: what it masks is what counts."""
        path = shlex.split(part.partition(";")[0])[1]
        with NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(machine.files[path][0])
            file.flush()
            there = part.replace(path, file.name)
            done = subprocess.run(["sh", "-c", there], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.replace(file.name, path).splitlines()

    def fact_packages(self, machine, _):
        settled = [f"ok installed\t{name}\t1.0" for name in ["base-files", *machine.packages]]
        unpacked = [f"ok unpacked\t{name}\t1.0" for name in machine.unpacked]
        return 0, [*settled, *unpacked, *(["interrupted"] if machine.unpacked else [])]

    def fact_units(self, machine, part):
        names = part.split("\n")[0].split()[2:]
        there = {unit for name in machine.packages for unit in UNITS.get(name, ())}
        running = machine.running | ({"heartbeat.service"} if machine.heartbeat else set())
        lines = [f"units {' '.join(names)}"]
        for unit in names:
            masked = unit in machine.masked
            load = "masked" if masked else "loaded" if unit in there else "not-found"
            enabled = "enabled" if unit in machine.enabled else "disabled" if unit in there else ""
            lines += [
                f"LoadState={load}",
                f"ActiveState={'active' if unit in running else 'inactive'}",
                f"UnitFileState={'masked' if masked else enabled}",
                "",
            ]
        return 0, lines[:-1]

    def fact_network(self, machine, _):
        links = [
            {
                "ifindex": index,
                "ifname": interface,
                "flags": ["UP", "LOWER_UP"] if interface in machine.up else [],
                "link_type": "ether",
                "mtu": machine.mtu.get(interface, 1500),
                **({"link": machine.below[interface]} if interface in machine.below else {}),
                "addr_info": [
                    {
                        "local": address.split("/")[0],
                        "prefixlen": int(address.split("/")[1]),
                        "scope": "global",
                        "label": interface,
                    }
                    for address in own
                ],
            }
            for index, (interface, own) in enumerate(machine.addresses.items())
        ]
        value = int(machine.arp_filter)
        firewall = "enabled" if "san-firewall.service" in machine.enabled else "absent"
        return 0, [
            json.dumps(links),
            f"hostname {machine.hostname}",
            f"arp_filter all {value}",
            "arp_filter default 0",
            *(["setting net/ipv4/conf/all/arp_filter 1"] if self.unloaded(machine) else []),
            *(f"serial {port}" for port in machine.serial_ports),
            *(["bus"] if machine.bus else []),
            "daemon systemd-network",
            "unit systemd-networkd.service enabled",
            f"unit san-firewall.service {firewall}",
            *(f"nft {line.strip()}" for line in machine.firewall),
            *self.networkd(machine),
        ]

    def unloaded(self, machine):
        """Whether our sysctl file says what the kernel doesn't have."""
        return not machine.arp_filter and "/etc/sysctl.d/60-san.conf" in machine.files

    def networkd(self, machine):
        """Which file is in force on each link, and what is in those of others."""
        ours = {
            path: match[1]
            for path in machine.files
            if (match := re.fullmatch(r"/etc/systemd/network/50-san-(.+)\.network", path))
        }
        for path, interface in machine.network_files.items():
            yield from (f"{path}:[Match]", f"{path}:Name={interface}")
        for index, interface in enumerate(machine.addresses):
            files = {**ours, **machine.network_files}.items()
            chosen = [path for path, matches in files if matches == interface]
            if chosen:
                first = min(chosen, key=lambda path: Path(path).name)
                yield f"/run/systemd/netif/links/{index}:NETWORK_FILE={first}"

    def fact_kernel(self, machine, part):
        if "osrelease" in part:  # the kernels themselves
            lines = [f"running {machine.booted}", f"hostname {machine.hostname}", "ID debian"]
            for release in machine.kernels:
                lines += [f"image {release}", f"modules {release}"]
            return 0, [*lines, *(f"headers {release}" for release in sorted(machine.headers))]
        configured = [name for name, each in machine.replicas.items() if each.applied]
        if not configured:
            return 0, []
        lines = ["module 8.4.11", "version: 8.4.11 (api:1/proto:86-101)"]
        minors = {name: minor for name, (minor, *_) in machine.resources().items()}
        for name in configured:
            self.sync(machine, name)
            connection, roles, disks = self.device(machine, name)
            replica = machine.replicas[name]
            if replica.comparing:
                connection = "VerifyS"
                replica.comparing -= 1
                replica.changed = 0 if replica.comparing else replica.differs
                if not replica.comparing:
                    machine.compared = f"{name} 1795891300 {replica.differs}"
            lines.append(f" {minors[name]}: cs:{connection} ro:{roles} ds:{disks} C r-----")
            counters = "ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f"
            lines.append(f"    {counters} oos:{replica.changed}")
        return 0, lines

    def fact_tools(self, machine, part):
        if "drbd-utils" not in machine.packages:
            return 127, []
        lines = [f"resource {name}" for name in machine.resources()]
        lines.append("DRBDADM_VERSION=9.22.0")
        lines += [f"compared {machine.compared}"] if machine.compared else []
        if any(each.comparing for each in machine.replicas.values()):
            lines.append("daemon san-verify")
        if any(each.applied for each in machine.replicas.values()):
            every, asked = part.split("\n")[0].split("; ")
            for name in shlex.split(asked)[2::2]:
                replica = machine.replicas[name]
                healthy = self.device(machine, name)[2] == "UpToDate/UpToDate"
                if replica.applied and healthy and every == "every=0":
                    continue
                lines.append(f"generation {name}")
                if replica.generation:
                    flags = "0:0" if replica.generation == NEW else "1:1"
                    past = f"{replica.bitmap}:{':'.join(['0' * 16] * 2)}"
                    lines.append(f"{replica.generation}:{past}:{flags}:0:0:0:0:0")
        return 0, lines

    def fact_history(self, machine, _):
        lines = [f"resource {name} {minor}" for name, (minor, *_) in machine.resources().items()]
        for name, replica in machine.replicas.items():
            if replica.changed:
                at = f"{machine.name} kernel: "
                lines += [
                    f"1795891203.5 {at}drbd {name}: conn( Connected -> BrokenPipe )",
                    f"1795891204.5 {at}block drbd0: new current UUID {'A' * 16}",
                ]
        return 0, lines

    def fact_changes(self, machine, _):
        """All of it in the one volume."""
        return 0, [f"volume storage/test {each.changed}" for each in machine.replicas.values()]

    def fact_adjust(self, machine, _):
        if "drbd-utils" not in machine.packages:
            return 127, []
        known = machine.resources()
        if not known or not any(each.applied for each in machine.replicas.values()):
            return 0, []
        lines = ["configured"]
        for name, (_, _, content) in known.items():
            if machine.replicas[name].applied != content:
                ends = re.findall(r"address ipv4 (\S+);", content)
                lines.append(f"drbdsetup-84 net-options ipv4:{' ipv4:'.join(ends)} --ping-int=3")
            if machine.replicas[name].parted:
                lines.append(f"drbdsetup-84 connect {name}")
        return 0, lines

    def fact_claims(self, machine, _):
        if "drbd-utils" not in machine.packages:
            return 127, []
        lines = []
        for name, (minor, _, content) in machine.resources().items():
            if machine.replicas[name].applied:
                path = machine.attached(name)
                lines += [f"running {name}", f"minor {minor}", f"size {(SIZE - (1 << 20)) // 512}"]
                lines += [f"disk {path}", f"device {machine.backing(path).device}"] if path else []
            path = machine.own_disk(content)
            lines += [f"configured {name}", f"file /etc/drbd.d/{name}.res", "here"]
            lines += [f"minor {minor}", f"disk {path}", f"device {machine.backing(path).device}"]
        dump = [] if any(each.startswith("dump ") for each in machine.claims) else ["dump 0"]
        return 0, [*lines, *machine.claims, *dump]

    def fact_content(self, machine, part):
        (name,) = (
            name
            for name, (minor, *_) in machine.resources().items()
            if f"/drbd{minor}/" in part.split("\n")[0]
        )
        return 0, [machine.replicas[name].holds]

    def fact_disks(self, machine, part):
        words = shlex.split(re.search(r"^set -- (.*)$", part, re.MULTILINE)[1])
        lines, mounts = [], []
        attached = {machine.attached(name) for name in machine.replicas}
        for name, path in zip(words[::2], words[1::2], strict=True):
            disk = machine.backing(path)
            lines += [f"disk {name} {path}", f"device {disk.device}"]
            if not disk.block:
                lines.append("other" if disk.exists else "absent")
                continue
            lines += [f"size {disk.size // 512}", "dev 254:16"]
            lines += [f"holder {holder}" for holder in disk.holders]
            lines += [f"partition {each} 254:17" for each in disk.partitions]
            lines += [f"0x{218 + 8 * at:x} {kind}" for at, kind in enumerate(disk.signatures)]
            lines.append("wipefs 0")
            used = disk.holders or disk.mounted
            used = used or any(each and machine.backing(each) is disk for each in attached)
            found = "content 218" if disk.signatures and disk.content == "zero" else disk.content
            lines.append(f"content {'busy' if used else found}")
            if path == disk.device:
                lines.append("name /dev/disk/by-id/virtio-data")
            if disk.mounted:
                mounts.append(f"30 1 254:16 / {disk.mounted} rw - ext4 {disk.device} rw")
        return 0, [*lines, "mounts", *mounts]

    def fact_report(self, machine, _):
        if "lvm2" not in machine.packages:
            return 127, []
        on = self.devices(machine)
        used = self.physical[machine.cluster]
        groups = sorted({group for group in on.values() if group})
        report = {
            "pv": [
                {
                    "pv_name": device,
                    "vg_name": used[device] or "",
                    "pv_size": str(SIZE),
                    "pv_missing": "",
                }
                for device in used
                if device in on or not device.startswith("/dev/drbd")
            ],
            "vg": [
                {
                    "vg_name": group,
                    "vg_size": str(SIZE),
                    "vg_free": "0",
                    "vg_extent_size": str(EXTENT),
                    "vg_exported": "",
                    "vg_partial": "",
                }
                for group in groups
            ],
            "lv": [
                {
                    "vg_name": group,
                    "lv_name": name,
                    "lv_path": f"/dev/{group}/{name}",
                    "lv_size": str(size),
                    "lv_active": "active" if group in machine.active else "",
                    "lv_device_open": "",
                }
                for group in groups
                for name, size in self.logical[machine.cluster][group].items()
            ],
        }
        return 0, [json.dumps({"report": [report]}), "", "[stderr]"]

    def fact_configuration(self, machine, _):
        if "lvm2" not in machine.packages:
            return 127, []
        return 0, ['global_filter=["a|.*|"]', "use_devicesfile=0", 'devicesfile="system.devices"']

    def fact_cluster(self, machine, _):
        if "heartbeat" not in machine.packages:
            return 127, []
        self.settle(machine)
        peer = self.peer(machine)
        both = bool(peer.heartbeat and peer.powered)
        if not machine.heartbeat or not (both or machine.lonely >= INITDEAD):
            return 1, ["cl_status: [4]: ERROR: Cannot signon with heartbeat"]
        preferred, _ = self.group(machine)
        if machine.hostname == preferred:
            holds = "none" if not machine.holding else "local" if both else "all"
        else:
            holds = "all" if machine.holding else "local"
        links = re.findall(
            r"^(?:bcast|ucast|mcast|serial) (\S+)", machine.heartbeat[0], re.MULTILINE
        )
        seen = [f"\t{link}\tup" for link in dict.fromkeys(links)]
        return 0, [
            holds,
            "",
            f"{peer.hostname}\t{'active' if both else 'dead'}\t(nodetype: normal)",
            *seen,
            "",
            f"{machine.hostname}\tactive\t(nodetype: normal)",
            *seen,
        ]

    def heartbeat_files(self, machine):
        if "heartbeat" in machine.packages:
            yield "program cl_status"
        if machine.heartbeat:
            yield "daemon heartbeat"
            if machine.heartbeat[0] != machine.text(f"{HA}/ha.cf"):
                yield "outdated"
        yield "unit heartbeat.service enabled"
        for name in ("ha.cf", "haresources"):
            if (text := machine.text(f"{HA}/{name}")) is not None:
                yield f"file {name}"
                yield from (f"{HA}/{name}:{line}" for line in text.splitlines())

    def fact_stonith(self, machine, _):
        if "cluster-glue" not in machine.packages:
            return 127, []
        names = "hostname", "ipaddr", "userid", "passwd", "interface"
        named = [f"named {name}" for name in names]
        return 0, ["plugin external/ipmi", *named, "plugin external/own", "absent external/nothing"]

    def fact_devices(self, machine, _):
        peer = self.peer(machine)
        stand = "ok\t" if peer.bmc else "failed\tno session"
        return int(not peer.bmc), [f"{peer.hostname}\t1\texternal/ipmi\t{stand}"]

    def fact_stgt(self, machine, _):
        if "tgt" not in machine.packages:
            return 127, []
        lines = ["program tgtadm", "unit tgt.service masked"]
        if machine.targets is None:
            return 107, ["tgtadm: failed to send request hdr to tgt daemon", *lines]
        if machine.targets != machine.text("/etc/san/stgt.conf"):
            lines.append("differs add what the simulation doesn't name")
        return 0, [*self.tgtadm(machine), "daemon tgtd", *lines]

    def fact_watch(self, machine, _):
        unit = "san-watch.service"
        state = "enabled" if unit in machine.enabled else "absent"
        if unit not in machine.running:
            return 0, [f"unit {unit} {state}", "uptime 100.00"]
        said = {"name": "a login", "say": machine.finding, "since": 90, "fails": 2}
        report = {
            "now": 99.5,
            "role": "serving" if machine.holding else "standing by",
            "checks": [said],
            "waits": "",
            "action": None,
            "move": None,
            "limits": {"moved": 0},
        }
        return 0, ["daemon san-watch", f"unit {unit} {state}", "uptime 100.00", json.dumps(report)]

    def tgtadm(self, machine):
        lines = []
        for line in machine.targets.splitlines():
            match line.split():
                case ["portal", portal]:
                    lines.insert(0, f"Portal: {portal},1")
                case ["target", tid, name]:
                    lines += [
                        f"Target {tid}: {name}",
                        "    System information:",
                        "        Driver: iscsi",
                        "        State: ready",
                        "    I_T nexus information:",
                        *machine.nexuses,
                        "    LUN information:",
                        "    Account information:",
                        "    ACL information:",
                        "        ALL",
                    ]
                case ["lun", number, _, identity, serial, path]:
                    lines[-3:-3] = [
                        f"        LUN: {number}",
                        "            Type: disk",
                        f"            SCSI ID: {identity}",
                        f"            SCSI SN: {serial}",
                        "            Size: 537 MB, Block size: 512",
                        "            Online: Yes",
                        "            Readonly: No",
                        "            Backing store type: rdwr",
                        f"            Backing store path: {path}",
                    ]
        return lines

    def fact_initiator(self, machine, _):
        lines = [f"program {each}" for each in sorted(machine.programs())]
        daemons = [unit.removesuffix(".service") for unit in sorted(machine.running)]
        lines += [f"daemon {daemon}" for daemon in daemons]
        for number, (target, portal) in enumerate(machine.sessions, start=1):
            record = f"{machine.records}/{target}/{portal},3260,1/default"
            lines.append(f"session {number} LOGGED_IN {portal} 3260 5 {target}")
            now = self.credentials(machine, record)
            if machine.proved.get(record, now) != now:
                lines.append(f"outdated {number}")
            lines.append(f"disk {number} sd{number}")
        if "open-iscsi" in machine.packages:
            lines.append(f"records {machine.records}")
        return 0, lines

    def fact_maps(self, machine, _):
        if "multipathd.service" not in machine.running:
            return 1, []
        luns = {}
        for number, (target, portal) in enumerate(machine.sessions, start=1):
            current = None
            for line in (self.served(machine.cluster, portal) or "").splitlines():
                match line.split():
                    case ["target", _, current]:
                        pass
                    case ["lun", _, _, identity, *_] if current == target:
                        luns.setdefault(f"3{identity}", []).append((number, target))
        maps = [
            {
                "name": wwid,
                "uuid": wwid,
                "sysfs": "dm-0",
                "queueing": "on",
                "path_groups": [
                    {
                        "paths": [
                            {
                                "dev": f"sd{number}",
                                "target_wwnn": target,
                                "dm_st": "active",
                                "chk_st": "ready",
                                "dev_st": "running",
                            }
                            for number, target in targets
                        ]
                    }
                ],
            }
            for wwid, targets in luns.items()
        ]
        return 0, [json.dumps({"maps": maps})]


def held(command):
    """The process that a command needs the lock of, if any, and the command itself."""
    words = shlex.split(command)
    if words[:4] != ["flock", "--shared", "--close", "/run/san.lock"]:
        return None, command
    _, _, script, owner = words[4:]
    return int(owner.split()[0]), script.partition("\nfi\n")[2]


def parts(words):
    """The commands of a list `… && …`; apt's is one."""
    if "&&" not in words or words[0] == "{":
        return [words]
    cut = words.index("&&")
    return [words[:cut], *parts(words[cut + 1 :])]


def rounded(size):
    """Bytes as LVM allocates them."""
    wanted = int(size.removesuffix("b"))
    return -(-wanted // EXTENT) * EXTENT
