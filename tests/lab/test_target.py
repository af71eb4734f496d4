"""The target on a takeover: exactly the configured LUNs, or nothing."""

import pytest

from san.drill import power_cut
from san.lab.progress import Silent

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

SCRIPT = "/etc/ha.d/resource.d/iscsi-target"


def test_without_its_volume_the_target_fails_to_start_and_leaves_nothing(deployed_lab):
    started = deployed_lab.ssh("otter", f"{SCRIPT} start", check=False)

    assert started.returncode == 1
    assert "/dev/storage/test" in started.stderr
    assert deployed_lab.ssh("otter", "ss -Hltn 'sport = :3260'").stdout == ""
    assert deployed_lab.ssh("otter", "pidof tgtd", check=False).stdout == ""


def test_clients_come_back_though_a_daemon_ran_before_the_volume_was_there(deployed_lab, tmp_path):
    """The guide's reader: started at boot, before the volume existed; then by hand, every time."""
    deployed_lab.ssh("otter", "tgtd && tgtadm --op show --mode sys >/dev/null")

    report = power_cut.run(
        deployed_lab, ("weasel", "otter"), "badger", out=tmp_path, progress=Silent()
    )

    assert report.lost == 0
    assert report.errors == 0
    assert deployed_lab.ssh("otter", f"{SCRIPT} check").stdout == ""
