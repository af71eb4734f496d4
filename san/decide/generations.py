"""How the data of two nodes compare, by the generation identifiers of both.

The rules are DRBD 8.4's own, in their order (drbd_uuid_compare and drbd_sync_handshake in
drivers/block/drbd/drbd_receiver.c); the numbers are those that it logs. So this says before the
nodes meet what DRBD will say when they do, and still says it after its log is gone.
"""

from typing import Literal

from san.observe.drbd_generations import JUST_CREATED, Generation

Relation = Literal["same", "newer", "older", "split", "unrelated"]
"""`newer`: this side has all that the other has, and more. `split`: each has what the other lacks
since they parted. `unrelated`: no common generation is known."""

MIRRORED: dict[Relation, Relation] = {
    "same": "same",
    "newer": "older",
    "older": "newer",
    "split": "split",
    "unrelated": "unrelated",
}
"""The same relation, seen from the other side."""

_NEW = int(JUST_CREATED, 16)
_PRIMARY = 1
"""The lowest bit of an identifier says whether the node was Primary, not which data it has."""


def compare(own: Generation, its: Generation) -> Relation:
    """How the data of a node compares with its peer's."""
    relation = _by_identifiers(own, its)
    if relation == "unrelated" or own.consistent is None or its.consistent is None:
        return relation
    if own.consistent != its.consistent:
        # The middle of a resync is never taken for data, whatever the identifiers say.
        return "newer" if own.consistent else "older"
    return relation


def _by_identifiers(own: Generation, its: Generation) -> Relation:
    mine, others = _bare(own.current), _bare(its.current)
    if mine == others:  # rule 10, and 34 to 41
        return _of_one_generation(own, its)
    rules: tuple[tuple[bool, Relation], ...] = (
        (_seen_no_data(mine, others), "older"),  # rule 20
        (_seen_no_data(others, mine), "newer"),  # rule 30
        # Rules 50 to 80: the side whose present is the other's past is the older one.
        (mine in _past(its), "older"),
        (others in _past(own), "newer"),
        # Rules 90 and 100: a common past. DRBD counts zeros, too; two disks that have never met
        # have those in common, and it would then copy single blocks of one over the other.
        (bool(_past(own) & _past(its)), "split"),
    )
    return next((relation for applies, relation in rules if applies), "unrelated")


def _of_one_generation(own: Generation, its: Generation) -> Relation:
    """The same generation: who was about to tell the other of a resync, or went down as Primary."""
    tracked, tracks = bool(_bare(own.bitmap)), bool(_bare(its.bitmap))
    if tracked != tracks:  # rules 34 to 37: the end, or the start, of a resync wasn't written down
        return "newer" if tracked else "older"
    flags, others = own.flags or (), its.flags or ()
    if "crashed-primary" not in (*flags, *others):  # rule 40
        return "same"
    for flag in ("primary", "crashed-primary"):  # rule 41, and the end of rule 40
        if (flag in flags) != (flag in others):
            return "newer" if flag in flags else "older"
        if flag == "primary" and flag in flags:
            return "split"
    return "same"  # each went down as Primary: DRBD takes one, no acknowledged write is on one only


def _seen_no_data(one: int, other: int) -> bool:
    return one in {0, _NEW} and other != _NEW


def _bare(identifier: str) -> int:
    return int(identifier, 16) & ~_PRIMARY


def _past(generation: Generation) -> set[int]:
    """What a node's data was: when its peer went away, and before."""
    return {_bare(each) for each in (generation.bitmap, *generation.history)} - {0}
