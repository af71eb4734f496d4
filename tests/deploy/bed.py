"""Clusters on simulated hosts, and deploy.py as a user runs it."""

import json
import os
import pickle
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import attrs
from simulation import World

from san.model import Site

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECRETS = {
    "CHAP_SECRET": "secret-of-chap-1",
    "DRBD_SECRET": "secret-of-drbd-1",
    "HEARTBEAT_SECRET": "secret-of-heartbeat-1",
}
_QUIET = re.compile(r"^sh -c .* (?=drbdadm )", re.DOTALL)
"""What drbdadm is run by, so that it shows no secret."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@attrs.frozen
class Ran:
    """A run that has ended."""

    returncode: int
    output: str = attrs.field(repr=False)
    log: tuple[dict, ...] = attrs.field(repr=False)
    """Each remote command: host, kind (fact, lock, command), command, status."""

    @property
    def commands(self):
        """What operations ran: host and command."""
        return [
            (each["host"], _QUIET.sub("", each["command"]))
            for each in self.log
            if each["kind"] == "command"
        ]

    @property
    def per_host(self):
        """Remote commands of every kind."""
        return dict(Counter(each["host"] for each in self.log))

    @property
    def plan(self):
        """The operations of `--json --dry` in their order."""
        return self._report["plan"]

    @property
    def planned(self):
        """Operation and host of each change in the plan of `--json --dry`."""
        return {(each["name"], host) for each in self.plan for host in each["hosts_with_change"]}

    @property
    def changed(self):
        """Operation and host of each change in the results of `--json -y`."""
        results = self._report["results"]["operations"]
        return {(each["name"], host) for each in results for host in each["success"]}

    @property
    def _report(self):
        return json.loads(next(line for line in self.output.splitlines() if line[:1] == "{"))

    @property
    def refusal(self):
        """The sentence that the user sees, and that it is one: no traceback, exit 1."""
        assert self.returncode == 1, self.output
        assert "Traceback" not in self.output
        assert "internal exception" not in self.output
        return " ".join(self.output.split())


@attrs.define
class Bed:
    """Clusters on simulated hosts, and runs of deploy.py against them."""

    directory: Path
    site: Site

    def __attrs_post_init__(self):
        self.declare(*self.site.clusters)
        World.of(self.site.clusters).save(self.directory)

    def declare(self, *clusters):
        """Write another inventory."""
        self.site = Site(clusters)
        (self.directory / "site").write_bytes(pickle.dumps(self.site))

    @property
    def cluster(self):
        return self.site.clusters[0]

    @property
    def world(self):
        return World.load(self.directory)

    def change(self, **of):
        """Change hosts behind the run's back: functions by host name."""
        world = self.world
        for name, change in of.items():
            change(world.machines[name])
        world.save(self.directory)

    def keep(self):
        """The hosts as they are, to return to."""
        return (self.directory / "world").read_bytes()

    def restore(self, kept):
        (self.directory / "world").write_bytes(kept)

    def run(self, *arguments, answer="\n", deploy="deploy.py", **environment):
        """Run `pyinfra inventory.py deploy.py ARGUMENTS`; `answer` is typed at a prompt.

        `deploy` may be several words, such as a fact's.
        """
        (self.directory / "log").write_text("")
        done = self._pyinfra(arguments, answer, environment, deploy)
        return _ran(self.directory, done.returncode, done.stderr + done.stdout)

    def run_each(self, worlds, *arguments, deploy="deploy.py", **environment):
        """Run once from each of `worlds`, as they were kept: the run, and the hosts after it."""
        places = self.directory / "each"
        for number, kept in enumerate(worlds):
            place = places / f"{number:03}"
            place.mkdir(parents=True)
            for name, content in (("world", kept), ("log", b"")):
                (place / name).write_bytes(content)
            (place / "site").symlink_to(self.directory / "site")
        environment |= {"SAN_WORLD": str(places), "SAN_MANY": "1"}
        self._pyinfra(arguments, "", environment, deploy)
        for place in sorted(places.iterdir()):
            status = int((place / "status").read_text())
            yield _ran(place, status, (place / "output").read_text()), World.load(place)

    def _pyinfra(self, arguments, answer, environment, deploy="deploy.py"):
        return subprocess.run(
            [
                *(sys.executable, HERE / "runner.py", *arguments, HERE / "inventory.py"),
                *([deploy] if isinstance(deploy, str) else deploy),
            ],
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=600,
            env={
                **os.environ,
                **SECRETS,
                "PYTHONPATH": f"{ROOT}:{HERE}",
                "PYTHONDONTWRITEBYTECODE": "1",
                "SAN_WORLD": str(self.directory),
                **environment,
            },
        )


def _ran(directory, returncode, output):
    log = (directory / "log").read_text().splitlines()
    return Ran(returncode, _ANSI.sub("", output), tuple(json.loads(line) for line in log))
