"""A kernel module of Debian's on real kernels: compiled once, and no service without it."""

import base64
import subprocess

import pytest

from tests.lab.cluster import deploy, serving
from tests.lab.writeboost import INVENTORY, KO, LOADS, broken, log, mended, with_module

pytestmark = [pytest.mark.lab, pytest.mark.kernels, pytest.mark.timeout(1800)]


def test_a_declared_module_is_compiled_once_for_both_nodes_and_loads(deployed_lab):
    run = with_module(deployed_lab)

    assert run.returncode == 0, run.log
    compiled = {node: "+ make" in log(deployed_lab, node) for node in ("weasel", "otter")}
    assert compiled == {"weasel": False, "otter": True}, "the standby compiles"
    sums = {deployed_lab.ssh(node, f"sha256sum < {KO}").stdout for node in ("weasel", "otter")}
    assert len(sums) == 1
    for node in ("weasel", "otter"):
        deployed_lab.ssh(node, LOADS)
        assert deployed_lab.ssh(node, "san-kmod check").returncode == 0
    builder = "stat -c %U /var/lib/san/kmod; getent passwd _san-kmod"
    assert "_san-kmod:" in deployed_lab.ssh("otter", builder).stdout
    again = deploy(inventory=INVENTORY)
    assert again.changed == 0, again.log
    assert max(again.commands_per_host.values()) <= 25


def test_a_node_without_its_module_stays_out_of_the_cluster_until_it_is_built(lab):
    """Goes on where the test before has ended."""
    restarted = f"systemctl stop heartbeat; {broken()}; rm {KO}; systemctl start heartbeat"
    lab.ssh("otter", restarted, timeout=300)

    status = lab.ssh("otter", "systemctl status heartbeat", check=False).stdout
    assert "this node must not serve: its kernel" in status
    assert "inactive" in status
    assert serving(lab) == "weasel"

    lab.ssh("otter", f"{mended()}; systemctl start heartbeat", timeout=300)

    assert lab.ssh("otter", "systemctl is-active heartbeat").stdout.strip() == "active"
    assert "+ make" in log(lab, "otter")
    lab.ssh("otter", LOADS)
    assert serving(lab) == "weasel"


def test_a_module_that_belongs_into_the_initrd_is_carried_there(lab):
    """Goes on where the test before has ended. initramfs-tools takes none of updates/ by itself."""
    description = "/etc/san/kmod.d/dm-writeboost.conf"
    lab.ssh("otter", f"sed -i 's/^initrd no$/initrd yes/' {description}")
    assert "the initrd of" in lab.ssh("otter", "san-kmod gate", check=False).stderr
    refused = lab.ssh("otter", "san-kmod build --kernel $(uname -r)", check=False).stderr
    assert "update-initramfs leaves dm-writeboost.ko out" in refused
    settings = "/etc/initramfs-tools/update-initramfs.conf"  # the lab's image saves that minute
    lab.ssh("otter", f"sed -i 's/^update_initramfs=no$/update_initramfs=yes/' {settings}")

    lab.ssh("otter", "san-kmod build --kernel $(uname -r)", timeout=900)

    assert lab.ssh("otter", "san-kmod gate", check=False).returncode == 0
    listed = lab.ssh("otter", "lsinitramfs /boot/initrd.img-$(uname -r)", timeout=900).stdout
    assert "/updates/san/dm-writeboost.ko" in listed
    lab.ssh("otter", f"sed -i 's/^initrd yes$/initrd no/' {description}")


def operators_key(directory):
    """A key as an operator makes it, in PEM, and its certificate in DER."""
    private, certificate = directory / "kmod.pem", directory / "kmod.der"
    request = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=operator -outform DER"
    command = [*request.split(), "-keyout", private, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    return private.read_text(), certificate.read_bytes()


def test_a_module_is_signed_and_a_machine_that_insists_takes_none_by_an_unknown_key(lab, tmp_path):
    """Goes on where the test before has ended."""
    private, certificate = operators_key(tmp_path)
    lab.ssh("otter", "umask 077; cat >/root/kmod.pem", input=private)
    encoded = base64.b64encode(certificate).decode()
    lab.ssh("otter", "base64 --decode >/root/kmod.der", input=encoded)
    signing = "signing-key /root/kmod.pem\nsigning-certificate /root/kmod.der\n"
    lab.ssh("otter", "cat >>/etc/san/kmod.d/dm-writeboost.conf", input=signing)

    lab.ssh("otter", "san-kmod build --kernel $(uname -r)", timeout=600)

    assert lab.ssh("otter", f"modinfo -F signer {KO}").stdout == "operator\n"
    lab.ssh("otter", LOADS)
    assert lab.ssh("otter", "san-kmod gate", check=False).returncode == 0

    insists = "modprobe -r dm-writeboost; echo 1 >/sys/module/module/parameters/sig_enforce"
    lab.ssh("otter", insists)

    assert "rejected" in lab.ssh("otter", "modprobe dm-writeboost", check=False).stderr
    gate = lab.ssh("otter", "san-kmod gate", check=False)
    assert gate.returncode == 1
    assert "/root/kmod.der is not enrolled: mokutil --import /root/kmod.der" in gate.stderr
