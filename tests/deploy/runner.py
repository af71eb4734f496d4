"""The `pyinfra` command, with simulated hosts behind its `@fake` connector.

Run as a program: the arguments are pyinfra's; SAN_WORLD names the directory with the hosts.
SAN_KILL=k kills this process after the k-th command of an operation, as a power cut would;
SAN_INTERRUPT=k interrupts it there, as Ctrl-C does. SAN_FAIL_OVER=k lets the service move by itself
before the k-th operation. SAN_KEEP=1 keeps the hosts as they are after
each of these commands. SAN_MANY=1: each directory in SAN_WORLD is a world of its own, and each has
its run, one after the other in forks of this process, which saves most of a run's time: importing.
SAN_FIGURES names a file for what the run costs; each command takes SAN_DELAY seconds then, and the
hosts are kept in memory alone.
"""

import pyinfra_cli  # noqa: I001 (patches the standard library first)

import atexit
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import traceback
from pathlib import Path
from time import process_time

import gevent
from pyinfra import logger
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.output import echo
from pyinfra.connectors.fake import FakeConnector
from pyinfra.connectors.util import (
    CommandOutput,
    OutputLine,
    extract_control_arguments,
    make_unix_command_for_host,
)
from pyinfra_cli.main import main
from tenacity import stop_after_delay

import operations
import operations.waiting
import pyinfra.api.operations
import pyinfra.operations.server
from simulation import World, held

assert pyinfra_cli
DIRECTORY = Path(os.environ["SAN_WORLD"])
ENDS = {
    int(os.environ[name]): number
    for name, number in (("SAN_KILL", signal.SIGKILL), ("SAN_INTERRUPT", signal.SIGINT))
    if name in os.environ
}
FIGURES = os.environ.get("SAN_FIGURES")
DELAY = float(os.environ.get("SAN_DELAY", "0"))
before = process_time()
KEPT = World.load(DIRECTORY) if FIGURES else None
simulating = process_time() - before
asked = 0
commands = 0
steps = 0
step = pyinfra.api.operations._run_single_op


def name_of(host):
    return host.name.removeprefix("@fake/")


def connect(self):
    if not (KEPT or World.load(DIRECTORY)).machines[name_of(self.host)].reachable:
        raise ConnectError("No route to host")


def run_shell_command(self, command, print_output=False, print_input=False, **arguments):
    """As SSHConnector's, but for the connection."""
    global asked, commands, simulating  # noqa: PLW0603 (the process's own counts)
    control = extract_control_arguments(arguments)
    unix = make_unix_command_for_host(self.state, self.host, command, **arguments)
    logger.debug("Running command on %s: (pty=%s) %s", self.host.name, False, unix)
    if print_input:
        echo(f"{self.host.print_prefix}>>> {unix}", err=True)
    gevent.sleep(DELAY)
    raw = command if isinstance(command, str) else command.get_raw_value()
    asked += 1
    began = process_time()
    status, output, kind = answer(self.host, raw, control.get("_stdin"), unix)
    simulating += process_time() - began
    if kind == "command":
        commands += 1
        if "SAN_KEEP" in os.environ:
            (DIRECTORY / f"world.{commands}").write_bytes((DIRECTORY / "world").read_bytes())
        if commands in ENDS:
            os.kill(os.getpid(), ENDS[commands])
    gevent.sleep(0)
    lines = [OutputLine("stdout" if status == 0 else "stderr", line) for line in output.split("\n")]
    if status and kind == "lock":
        lines = [OutputLine("stdout", output)]
    if print_output:
        for line in lines:
            echo(f"{self.host.print_prefix}{line.line}", err=True)
    return status == 0, CommandOutput(lines if output else [])


def answer(host, raw, stdin, unix):
    """What the simulated host makes of a command: status, output, and what kind it is."""
    if KEPT:
        return KEPT.run(name_of(host), raw, stdin, os.getpid())
    world = World.load(DIRECTORY)
    status, output, kind = world.run(name_of(host), raw, stdin, os.getpid())
    world.save(DIRECTORY)
    with (DIRECTORY / "log").open("a", encoding="utf-8") as log:
        plain = held(raw)[1]
        entry = {"host": name_of(host), "kind": kind, "command": plain, "status": status}
        entry["wrapped"] = unix.get_raw_value()
        log.write(f"{json.dumps(entry)}\n")
    return status, output, kind


def figures():
    """What the run has cost, but for the simulation."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    costs = {
        "cpu_seconds": round(process_time() - simulating, 1),
        "commands": asked,
        "rss_mib": memory >> 10,
        "changes": commands,
    }
    Path(FIGURES).write_text(json.dumps(costs))


def run_single_op(state, op_hash):
    """What pyinfra does for each operation, and what happens before one."""
    global steps  # noqa: PLW0603 (the process's own count)
    steps += 1
    if str(steps) == os.environ.get("SAN_FAIL_OVER"):
        world = World.load(DIRECTORY)
        world.fail_over()
        world.save(DIRECTORY)
    step(state, op_hash)


def many():
    """A run in each directory: its exit status and its output stay there."""
    for module in pkgutil.iter_modules(operations.__path__):
        importlib.import_module(f"operations.{module.name}")
    for directory in sorted(path for path in DIRECTORY.iterdir() if path.is_dir()):
        child = os.fork()
        if child == 0:
            one(directory)
        os.waitpid(child, 0)


def one(directory):
    global DIRECTORY  # noqa: PLW0603 (this fork's own)
    DIRECTORY = directory
    os.environ["SAN_WORLD"] = str(directory)
    if os.environ.get("SAN_FAIL_OVER") == "each":
        os.environ["SAN_FAIL_OVER"] = str(int(directory.name) + 1)
    output = os.open(directory / "output", os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = 99
    try:
        main()
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:  # noqa: BLE001 (a fork ends here, whatever happens)
        traceback.print_exc()
    (directory / "status").write_text(str(status))
    os._exit(0)


pyinfra.operations.server.sleep = lambda _: gevent.sleep(0)  # a simulated host boots at once
operations.waiting.PAUSE = 0.01  # seconds: simulated hosts change when they are asked
operations.waiting.stop_after_delay = lambda limit: stop_after_delay(limit / 50)
pyinfra.api.operations._run_single_op = run_single_op
FakeConnector.connect = connect
FakeConnector.run_shell_command = run_shell_command

if FIGURES:
    atexit.register(figures)

if __name__ == "__main__":
    sys.argv[0] = "pyinfra"
    if "SAN_MANY" in os.environ:
        many()
    else:
        main()
