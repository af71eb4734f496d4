"""The matrix: every fault that the cluster is held against."""

from fnmatch import fnmatchcase

from attrs import evolve

from . import strikes
from .errors import DrillRefusedError
from .fault import Fault, Step
from .faults import links, machines, programs, storage

CORE = ("frozen-60", "target-killed")
"""What `make test` runs, beside the power cut, which has a test of its own."""
IN_A_DEPLOY = 10
"""How many faults, from the first on, are played in the middle of a deploy as well."""


def _in_a_deploy(fault: Fault) -> Fault:
    """The same fault, in the middle of a deploy that began four seconds before.

    It deploys the shipped inventory, so there is none with STONITH.
    """
    steps = sorted((Step(-4, strikes.deploy()), *fault.steps), key=lambda step: step.at)
    return evolve(
        fault,
        name=f"{fault.name}-in-deploy",
        title=f"{fault.title}, in the middle of a deploy",
        steps=tuple(steps),
        fenced=None,
    )


def _all() -> dict[str, Fault]:
    plain = [
        *machines.power(),
        *machines.stalls(),
        *links.links(),
        *programs.programs(),
        *storage.storage_and_time(),
        *machines.resyncs(),
        *machines.fencing(),
        *programs.scripts(),
        *programs.moves(),
        machines.full_load(),
    ]
    faults = [*plain, *(_in_a_deploy(fault) for fault in plain[:IN_A_DEPLOY])]
    return {fault.name: fault for fault in faults}


FAULTS = _all()
"""Every fault by its name, in the order in which `san drill all` plays them."""


def chosen(pattern: str) -> list[Fault]:
    """The faults whose names match a shell pattern; refused where none does."""
    found = [fault for name, fault in FAULTS.items() if fnmatchcase(name, pattern)]
    if not found:
        raise DrillRefusedError(f"no fault matches {pattern!r}; `san drill list` names them all")
    return found
