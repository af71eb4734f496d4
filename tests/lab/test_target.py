"""The target on a takeover: exactly the configured LUNs, or nothing."""

import pytest

from tests.lab.cluster import takes_over

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

SCRIPT = "/etc/ha.d/resource.d/iscsi-target"


def test_without_its_volume_the_target_fails_to_start_and_leaves_nothing(deployed_lab):
    started = deployed_lab.ssh("otter", f"{SCRIPT} start", check=False)

    assert started.returncode == 1
    assert "/dev/storage/test" in started.stderr
    assert deployed_lab.ssh("otter", "ss -Hltn 'sport = :3260'").stdout == ""
    assert deployed_lab.ssh("otter", "pidof tgtd", check=False).stdout == ""


def test_clients_come_back_though_a_daemon_ran_before_the_volume_was_there(deployed_lab):
    """The guide's reader: started at boot, before the volume existed; then by hand, every time."""
    deployed_lab.ssh("otter", "tgtd && tgtadm --op show --mode sys >/dev/null")

    deployed_lab.ssh("weasel", "/usr/share/heartbeat/hb_standby all", timeout=60)
    takes_over(deployed_lab, "otter")

    assert deployed_lab.ssh("otter", f"{SCRIPT} check").stdout == ""
    # multipath queues until a path is back: a read that returns has found the LUN
    disk = deployed_lab.ssh("badger", "ls /dev/mapper/3*").stdout.strip()
    deployed_lab.ssh("badger", f"dd if={disk} of=/dev/null bs=4k count=1 iflag=direct")
