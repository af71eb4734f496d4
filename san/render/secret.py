"""Secrets on their way into a configuration file."""

from san.model import InventoryError, Problem, Secret
from san.model.text import carried


def revealed(secret: Secret, path: str, longest: int = 255) -> str:
    """The text of the secret at `path` of the cluster, as one word of at most `longest` characters.

    Raises InventoryError where a configuration file can't carry it; the message names the secret
    and never shows it.
    """
    value = secret.reveal()
    if carried(value) is not None or not value.isascii() or not value.isprintable():
        sentence = (
            f"{secret.name} has white space, a quote, a backslash, `::` or a character beyond "
            "ASCII; choose letters, digits and signs"
        )
    elif len(value) > longest:
        sentence = f"{secret.name} has {len(value)} characters; at most {longest} fit"
    elif value.startswith("#"):
        sentence = f"{secret.name} begins with `#`, as a comment does; choose another"
    else:
        return value
    raise InventoryError([Problem(path, sentence)])
