"""Files of a host: what is at each path, by mode, owner and digest; and texts, secrets masked."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import files, texts
from san.observe.sections import UnreadableError


class Files(FactBase[dict[str, files.FileState | None]]):
    """What is at each of `paths`; None where nothing is. Contents are never printed.

    .. code:: python

        state = host.get_fact(Files, paths=("/etc/ha.d/authkeys",))
        state["/etc/ha.d/authkeys"].mode == 0o600
    """

    def command(self, paths: tuple[str, ...] = ()) -> StringCommand:
        """One `stat`, one `sha256sum`, however many paths."""
        return StringCommand(files.shell(paths))

    def process(self, output: list[str]) -> dict[str, files.FileState | None]:
        """Parse; what can't be understood fails the host."""
        try:
            return files.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None


class Texts(FactBase[dict[str, tuple[str, ...]]]):
    """The lines of the files at `paths`, to be shown: the host masks what may be a secret.

    .. code:: python

        state = host.get_fact(Texts, paths=("/etc/ha.d/ha.cf",))
        state["/etc/ha.d/ha.cf"][0]
    """

    def command(self, paths: tuple[str, ...] = ()) -> StringCommand:
        """One `sed` for each path."""
        return StringCommand(texts.shell(paths) or ":")

    @staticmethod
    def default() -> dict[str, tuple[str, ...]]:
        """No path, no text."""
        return {}

    def process(self, output: list[str]) -> dict[str, tuple[str, ...]]:
        """Parse; what can't be understood fails the host."""
        try:
            return texts.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
