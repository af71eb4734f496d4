"""What both nodes are, read once and kept until this run changes something.

pyinfra reads a fact anew at every call. A converging run asks the same of the same two nodes in
every phase, and each answer costs a remote command; so an answer is kept until an operation of
this run has run a command, or until it is FRESH seconds old.
"""

from collections.abc import Callable, Generator, Iterator
from functools import wraps
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from gevent.event import AsyncResult
from pyinfra import logger
from pyinfra.api.arguments_typed import PyinfraOperation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.context import host, inventory, state

from operations.plan import planned, tell
from operations.refusal import UnobservedError, refused
from san.decide.refusal import Refusal
from san.model import Client, Cluster, Node

T = TypeVar("T")
P = ParamSpec("P")

FRESH = 30.0
"""Seconds an answer may be used for: a whole run without a change takes less."""

_Key = tuple[str, bool, str, str]
_answers: dict[_Key, tuple[float, "AsyncResult[Any]"]] = {}


def observed(of: Host, fact: type[FactBase[T]], **arguments: Any) -> T:  # noqa: ANN401 (a fact's own)
    """What `fact` says of a host. Raises UnobservedError where it couldn't be read.

    Greenlets that ask the same at once share one remote command.
    """
    key = (of.data.member.name, state.is_executing, fact.name, repr(sorted(arguments.items())))
    asked, answer = _answers.get(key, (-FRESH, None))
    if answer is None or monotonic() - asked > FRESH:
        answer = AsyncResult()
        _answers[key] = (monotonic(), answer)
        try:
            answer.set(of.get_fact(fact, **arguments))
        except PyinfraError as error:  # mostly a count of failed hosts, after the reason itself
            _answers.pop(key, None)
            logger.error(f"{of.print_prefix}{error}")
            answer.set(None)
        except BaseException as error:
            _answers.pop(key, None)
            answer.set_exception(error)
            raise
    value = answer.get()
    if value is None:
        raise UnobservedError(f"{of.name}: fact {fact.name} could not be read; see above")
    return value  # type: ignore[no-any-return]  # AsyncResult is untyped


def pair(cluster: Cluster) -> dict[str, Host]:
    """The cluster's nodes that this run is connected to, by name; this host comes first.

    All hosts run an operation at once; each begins with itself, so they are asked side by side.
    """
    active = {
        each.data.member.name: each
        for each in inventory.get_active_hosts()
        if each.data.get("member")
    }
    nodes = {node.name: active[node.name] for node in cluster.nodes if node.name in active}
    return dict(sorted(nodes.items(), key=lambda item: item[1].name != host.name))


def of_pair(cluster: Cluster, fact: type[FactBase[T]], **arguments: Any) -> dict[str, T]:  # noqa: ANN401
    """What `fact` says of each node that this run is connected to, by name."""
    return {name: observed(each, fact, **arguments) for name, each in pair(cluster).items()}


def forget(cluster: Cluster) -> None:
    """Read the cluster's hosts anew at the next question: something was changed."""
    names = {each.name for each in cluster.hosts}
    for key in [key for key in _answers if key[0] in names]:
        del _answers[key]


def converging(
    *members: type[Node | Client],
) -> Callable[[Callable[P, Iterator[PyinfraCommand]]], PyinfraOperation[P]]:
    """Make an operation of a generator; it does nothing on a host that is none of `members`.

    Every host runs every operation, so that pyinfra keeps their order across nodes and clients.
    The plan shows each command. What was observed is forgotten with every command that runs; a
    refusal stops the run with its sentence.
    """

    def decorator(
        function: Callable[P, Iterator[PyinfraCommand]],
    ) -> PyinfraOperation[P]:
        @wraps(function)
        def commands(*args: P.args, **kwargs: P.kwargs) -> Generator[PyinfraCommand]:
            if not isinstance(host.data.get("member"), members):
                return
            try:
                if not state.is_executing:
                    yield from planned(function(*args, **kwargs))
                    return
                for command in function(*args, **kwargs):
                    if state.config.DIFF and not state.check_for_changes:  # no plan has told
                        tell(command)
                    yield command
                    forget(host.data.cluster)
            except (Refusal, UnobservedError) as reason:
                yield from refused(str(reason))

        return operation()(commands)

    return decorator
