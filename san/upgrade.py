"""`san upgrade-kernel`: a new kernel for running clusters, as a deploy that pyinfra runs."""

import subprocess
import sys
from pathlib import Path

import click

from san.inventory import load
from san.model import InventoryError

DEPLOY = Path(__file__).resolve().parents[1] / "upgrade.py"


@click.command("upgrade-kernel")
@click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")
@click.option("--to", metavar="RELEASE", help="The kernel, as `uname -r` prints it there.")
@click.option("--dry", is_flag=True, help="Show what would be done, and do nothing.")
def upgrade_kernel(inventory: Path, *, to: str | None, dry: bool) -> None:
    """Bring both nodes of each cluster to a new kernel, while the cluster serves.

    First the kernel's headers and every module for it; only then the standby's kernel and reboot,
    a planned move of the service, the other node's kernel and reboot, and the move back. Run it
    again after an interruption: it goes on where it was.
    """
    try:
        load(inventory)
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    program = str(Path(sys.executable).with_name("pyinfra"))
    how = "--dry" if dry else "-y"
    done = subprocess.run([program, how, str(inventory), str(DEPLOY), *target(to)], check=False)
    sys.exit(done.returncode)


def target(to: str | None) -> tuple[str, ...]:
    """pyinfra's arguments that name the kernel, where one is named."""
    return ("--data", f"to={to}") if to else ()
