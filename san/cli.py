"""`san`: what pyinfra itself has no command for."""

from importlib import import_module

import click

COMMANDS = {
    "bench": ("san.bench", "bench"),
    "budget": ("san.budget", "budget"),
    "check": ("san.check", "check"),
    "demo": ("san.demo", "demo"),
    "drill": ("san.drill.commands", "drill"),
    "fence": ("san.fence", "fence"),
    "lab": ("san.lab.commands", "lab"),
    "recover": ("san.recover", "recover"),
    "secrets": ("san.check", "secrets"),
    "upgrade-kernel": ("san.upgrade", "upgrade_kernel"),
}


class LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for: `san check` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Name the commands in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of `cmd_name` and return its command; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 (a programming error, not input)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pyinfra-san", message="%(prog)s %(version)s")
def main() -> None:
    """Check, drill, fence, recover and upgrade a cluster; run the lab."""
