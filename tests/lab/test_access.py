"""Who reaches what on real machines: ports, sessions, files of networkd, and what lies in a LUN."""

import pytest

from tests.lab.cluster import NODES, ROOT, deploy, takes_over

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

SCRIPT = "/etc/ha.d/resource.d/iscsi-target"
OPEN, SHUT, REFUSED = "open", "shut", "refused"


OTHERS = """\
import attrs
from san.model import Acl

(one,) = site.clusters
others = attrs.evolve(one.targets[0], acl=Acl(("iqn.2009-02.com.example:other",)))
site = Site((attrs.evolve(one, clients=(), targets=(others,)),))
nodes = site.nodes()"""
"""The target is another client's, and badger is none of the cluster's any more."""


@pytest.fixture(autouse=True)
def lab_secrets(monkeypatch):
    """Those of the lab, for an inventory beside the reports, too."""
    monkeypatch.setenv("SAN_SECRETS_FILE", "secrets.env")


def asked(lab, host, address, port, before=""):
    """Whether a TCP port is open, refuses (nobody listens, but the packet came in), or is mute."""
    connect = f"timeout 4 bash -c 'exec 3<>/dev/tcp/{address}/{port}'"
    done = lab.ssh(host, f"{before} {connect}".strip(), check=False)
    return {0: OPEN, 124: SHUT}.get(done.returncode, REFUSED)


def test_each_segment_reaches_its_own_services_only(deployed_lab):
    for portal in ("192.168.1.1", "192.168.2.1"):
        assert asked(deployed_lab, "badger", portal, 3260) == OPEN
        assert asked(deployed_lab, "badger", portal, 7788) == SHUT
    # DRBD listens only while it has no peer.
    assert asked(deployed_lab, "otter", "10.10.10.1", 7788) in {OPEN, REFUSED}
    assert asked(deployed_lab, "otter", "10.10.10.1", 3260) == SHUT


def test_another_network_of_a_node_reaches_none_of_them(deployed_lab):
    """QEMU's user network has one guest each, so a neighbour is made beside the serving node."""
    deployed_lab.ssh(
        "weasel",
        "ip netns add beside && ip link add out0 type veth peer name in0 netns beside &&"
        " ip address add 10.99.0.1/24 dev out0 && ip link set out0 up &&"
        " ip -n beside address add 10.99.0.2/24 dev in0 && ip -n beside link set in0 up &&"
        " ip -n beside route add default via 10.99.0.1",
    )
    beside = "ip netns exec beside"
    for address, port in (("192.168.1.1", 3260), ("10.10.10.1", 7788), ("10.99.0.1", 3260)):
        assert asked(deployed_lab, "weasel", address, port, beside) == SHUT
    assert asked(deployed_lab, "weasel", "10.99.0.1", 22, beside) == OPEN


def test_a_boot_and_a_flush_of_the_distributions_leave_it_loaded(deployed_lab):
    loaded = "nft list table inet san"
    before = deployed_lab.ssh("otter", loaded).stdout
    deployed_lab.ssh("otter", "systemctl enable nftables && systemctl restart nftables")
    assert deployed_lab.ssh("otter", loaded).stdout == before
    deployed_lab.ssh("otter", "systemctl reload nftables")
    assert deployed_lab.ssh("otter", loaded).stdout == before

    deployed_lab.reset("otter")
    deployed_lab.wait_ssh(["otter"])

    assert deployed_lab.ssh("otter", loaded).stdout == before


def test_networkd_has_our_files_in_force_and_nobody_elses_beside_them(deployed_lab):
    for host, names in (("weasel", "123"), ("otter", "123"), ("badger", "23")):
        for at in names:
            said = deployed_lab.ssh(host, f"networkctl status eth{at}").stdout
            assert f"/etc/systemd/network/50-san-eth{at}.network" in said
    file = "/run/systemd/network/10-netplan-eth1.network"
    deployed_lab.ssh("otter", f"printf '[Match]\\nName=eth1\\n' > {file}")

    refused = deploy()

    assert refused.returncode == 1
    assert f"eth1 is configured by {file} too" in " ".join(refused.log.split())
    assert "Traceback" not in refused.log


def inventory(name, old, new):
    """The inventory with a change, beside the reports."""
    text = (ROOT / "inventory.py").read_text(encoding="utf-8")
    changed = text.replace(old, new)
    assert changed != text
    path = ROOT / "build" / f"inventory_{name}.py"
    path.write_text(changed, encoding="utf-8")
    return f"build/{path.name}"


@pytest.mark.drill
def test_a_revoked_client_stops_the_run_until_it_is_gone(deployed_lab):
    other = inventory("acl", "nodes = site.nodes()", OTHERS)
    who = "iqn.2009-02.com.example:test/iqn.2009-02.com.example:badger"

    refused = deploy(inventory=other)

    assert refused.returncode == 1
    assert f"apply {who}" in refused.log
    assert "end the session" in deployed_lab.ssh("weasel", f"{SCRIPT} check", check=False).stdout
    deployed_lab.ssh("weasel", f"{SCRIPT} apply {who}")
    shown = deployed_lab.ssh("weasel", "tgtadm --lld iscsi --op show --mode target").stdout
    assert "Initiator: iqn.2009-02.com.example:badger" not in shown


@pytest.mark.drill
def test_another_chap_secret_costs_the_client_its_session_and_no_write(deployed_lab):
    """It can't come back by the old one, is logged in anew by the run, and its I/O has waited."""
    disk = deployed_lab.ssh("badger", "ls /dev/mapper/3*").stdout.strip()
    other = inventory("chap", 'Secret("CHAP_SECRET")', 'Secret("CHAP_NEW")')
    who = "iqn.2009-02.com.example:test/iqn.2009-02.com.example:badger"
    secrets = ROOT / "secrets.env"
    before = secrets.read_text()
    try:
        secrets.write_text(f"{before}CHAP_NEW=another-secret-1\n")
        assert deploy(inventory=other).returncode == 1
        writes = f"dd if=/dev/urandom of={disk} bs=4k count=1 oflag=direct"
        deployed_lab.ssh("weasel", f"{SCRIPT} apply {who}")
        deployed_lab.ssh("badger", f"systemd-run --unit=writer {writes}")
        run = deploy(inventory=other)
    finally:
        secrets.write_text(before)
    assert run.returncode == 0, run.log
    deployed_lab.ssh("badger", "until ! systemctl is-active writer; do sleep 1; done", timeout=120)
    assert deployed_lab.ssh("badger", "systemctl is-failed writer", check=False).returncode != 0


ARRAYS = "grep ^md /proc/mdstat"


@pytest.mark.drill
def test_an_array_in_a_lun_is_its_clients(deployed_lab):
    """A real one, made on the serving node's volume; a takeover with our rule, and one without."""
    apt = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends mdadm"
    for node in NODES:
        deployed_lab.ssh(node, f"SYSTEMD_OFFLINE=1 {apt}", timeout=300)
    deployed_lab.ssh(
        "weasel",
        "mdadm --create /dev/md/inner --run --metadata=1.2 --level=1 --raid-devices=2"
        " /dev/storage/test missing && mdadm --stop /dev/md/inner",
    )
    moves = "/usr/share/heartbeat/hb_standby all"

    deployed_lab.ssh("weasel", moves, timeout=60)
    takes_over(deployed_lab, "otter")
    deployed_lab.ssh("otter", "udevadm settle")
    assert deployed_lab.ssh("otter", ARRAYS, check=False).stdout == ""
    known = deployed_lab.ssh("otter", "udevadm info --query=property /dev/storage/test").stdout
    assert "ID_FS_TYPE" not in known

    # An activation: what udev has noted of a device outlives the rule, for all events but that.
    deployed_lab.ssh("weasel", "rm /etc/udev/rules.d/57-san.rules && udevadm control --reload")
    deployed_lab.ssh("otter", moves, timeout=60)
    takes_over(deployed_lab, "weasel")
    deployed_lab.ssh("weasel", "udevadm settle")
    assert deployed_lab.ssh("weasel", ARRAYS, check=False).stdout != "", "the test can't fail"
