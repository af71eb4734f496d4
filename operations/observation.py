"""What both nodes are, read once and kept until something changes.

pyinfra reads a fact anew at every call. A converging run asks the same of the same two nodes in
every phase, and each answer costs a remote command; so an answer is kept until an operation has run
a command on the cluster, however long that takes. A kept answer may say that there is nothing to
do. What is done is decided on what was read in the operation that does it.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from gevent.event import AsyncResult
from pyinfra import logger
from pyinfra.api.arguments_typed import PyinfraOperation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from operations import lock, together
from operations.connection import elsewhere
from operations.joined import Asked, Joined, Several
from operations.member import hosts_of, member_of
from operations.plan import planned, tell
from operations.refusal import UnobservedError, refused
from san.decide.refusal import Refusal
from san.model import Client, Cluster, Node

T = TypeVar("T")
P = ParamSpec("P")

_Key = tuple[str, bool, int, str, str]
_Answer = tuple[str | None, "AsyncResult[Any]"]
"""The operation that asked, and what was said."""
_answers: dict[str, dict[_Key, _Answer]] = {}
"""By cluster."""
_ALONE = object()
"""Said of a fact that has to be asked for alone: so it fails in its own words."""
_recalled: set[str] = set()
"""The hosts whose running operation has used an answer that an earlier one asked for."""


def observed(of: Host, fact: type[FactBase[T]], **arguments: Any) -> T:  # noqa: ANN401 (a fact's own)
    """What `fact` says of a host. Raises UnobservedError where it couldn't be read.

    Greenlets that ask the same at once share one remote command.
    """
    key = _key(of, fact, arguments)
    answers = _answers.setdefault(host.data.cluster.name, {})
    asking, answer = answers.get(key, (None, None))
    if answer is None:
        answer = AsyncResult()
        answers[key] = (host.current_op_hash, answer)
        try:
            answer.set(of.get_fact(fact, **arguments, **elsewhere(of)))
        except PyinfraError as error:  # mostly a count of failed hosts, after the reason itself
            answers.pop(key, None)
            logger.error(f"{of.print_prefix}{error}")
            answer.set(None)
        except BaseException as error:
            answers.pop(key, None)
            answer.set_exception(error)
            raise
    elif asking != host.current_op_hash:
        _recalled.add(host.name)
    value = answer.get()
    if value is _ALONE:
        return observed(of, fact, **arguments)
    if value is None:
        raise UnobservedError(f"{of.name}: fact {fact.name} could not be read; see above")
    return value  # type: ignore[no-any-return]  # AsyncResult is untyped


def foreseen(of: Host, *asked: Asked) -> None:
    """Read at once, in one remote command, what will be asked of a host.

    What can't be read so is asked for alone, when it is needed.
    """
    answers = _answers.setdefault(host.data.cluster.name, {})
    keys = {_key(of, fact, arguments): (fact, arguments) for fact, arguments in asked}
    new = {key: AsyncResult() for key in keys if key not in answers}
    answers |= {key: (host.current_op_hash, answer) for key, answer in new.items()}
    values: list[Any] = [None] * len(new)
    try:
        if new:
            wanted = Several(keys[key] for key in new)
            values = of.get_fact(Joined, asked=wanted, **elsewhere(of)) or values
    except PyinfraError as error:
        logger.error(f"{of.print_prefix}{error}")
    finally:
        for (key, answer), value in zip(new.items(), values, strict=True):
            if value is None:
                answers.pop(key, None)
            answer.set(_ALONE if value is None else value)


def _key(of: Host, fact: type[FactBase[Any]], arguments: Mapping[str, Any]) -> _Key:
    asked = repr(sorted(arguments.items()))
    return (of.name, state.is_executing, together.others(), fact.name, asked)


def pair(cluster: Cluster) -> dict[str, Host]:
    """The cluster's nodes that this run has connected to, by name; this host comes first.

    All hosts run an operation at once; each begins with itself, so they are asked side by side.
    One that fails meanwhile stays: its cluster is left after this operation.
    """
    known = hosts_of(host.inventory, cluster)
    nodes = {
        node.name: known[node.name]
        for node in cluster.nodes
        if known.get(node.name) in state.activated_hosts
    }
    return dict(sorted(nodes.items(), key=lambda item: item[1].name != host.name))


def of_pair(cluster: Cluster, fact: type[FactBase[T]], **arguments: Any) -> dict[str, T]:  # noqa: ANN401
    """What `fact` says of each node that this run is connected to, by name."""
    return {name: observed(each, fact, **arguments) for name, each in pair(cluster).items()}


def forget(cluster: Cluster) -> None:
    """Read the cluster's hosts anew at the next question: something was changed."""
    _answers.pop(cluster.name, None)


def renew(*hosts: Host) -> None:
    """Read anew at the next question what an earlier operation has read of these hosts."""
    names = {each.name for each in hosts}
    answers = _answers.get(host.data.cluster.name, {})
    for key, (asking, _) in list(answers.items()):
        if key[0] in names and asking != host.current_op_hash:
            del answers[key]


def converging(
    *members: type[Node | Client],
) -> Callable[[Callable[P, Iterator[PyinfraCommand]]], PyinfraOperation[P]]:
    """Make an operation of a generator; it does nothing on a host that is none of `members`.

    Every host runs every operation, so that pyinfra keeps their order across nodes and clients.
    The plan shows each command. What was observed is forgotten with every command that runs; a
    refusal stops the run for its cluster, with its sentence.
    """

    def decorator(
        function: Callable[P, Iterator[PyinfraCommand]],
    ) -> PyinfraOperation[P]:
        @wraps(function)
        def commands(*args: P.args, **kwargs: P.kwargs) -> Generator[PyinfraCommand]:
            if not isinstance(member_of(host), members) or together.left(host):
                return
            if not together.in_step():
                return
            try:
                if state.is_executing:
                    yield from _decided(partial(function, *args, **kwargs))
                else:
                    yield from planned(function(*args, **kwargs))
            except (Refusal, UnobservedError) as reason:
                yield from refused(str(reason))

        return operation()(commands)

    return decorator


def _decided(function: Callable[[], Iterator[PyinfraCommand]]) -> Iterator[PyinfraCommand]:
    """The commands of an operation, none of them for what an earlier operation has read."""
    cluster: Cluster = host.data.cluster
    _recalled.discard(host.name)
    commands = function()
    command = next(commands, None)
    if command is not None and host.name in _recalled:
        renew(*hosts_of(host.inventory, cluster).values())
        commands = function()
        command = next(commands, None)
    while command is not None:
        if state.config.DIFF and not state.check_for_changes:  # no plan has told
            tell(command)
        try:
            yield lock.under(host, command)
        finally:  # it may have failed after half of its work
            forget(cluster)
        command = next(commands, None)
