"""What DRBD's own programs do with a disk, on a node that has them."""

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_drbdmeta_asks_nothing_on_a_blank_disk_and_ends_where_it_would_ask(deployed_lab):
    """So metadata is never forced, and no question of it ever answered."""
    loop = deployed_lab.ssh(
        "otter", "truncate -s 64M /var/tmp/blank && losetup --find --show /var/tmp/blank"
    ).stdout.strip()
    make = f"drbdmeta 9 v08 {loop} internal create-md </dev/null"
    assert deployed_lab.ssh("otter", make, check=False).returncode == 0
    assert "drbd" in deployed_lab.ssh("otter", f"wipefs --no-act {loop}").stdout
    assert deployed_lab.ssh("otter", make, check=False).returncode != 0
