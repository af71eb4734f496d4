"""Kernels of other makers than Debian: the packages that san-kmod names are those there are."""

import pytest
from kmod_node import NEW, OLD, Node

PVE = "6.8.12-4-pve"
UBUNTU = "6.8.0-45-generic"


def kernel(tmp_path, release, package):
    """A node with one kernel without headers, which the package has brought; none has with None."""
    node = Node(tmp_path, kernels=(release,))
    node.stub(uname=f"echo {release}")
    (node.root / f"lib/modules/{release}/build/Makefile").unlink()
    node.write("var/lib/dpkg/info/base-files.list", "/.\n/boot\n")
    if package:
        node.write(f"var/lib/dpkg/info/{package}.list", f"/.\n/boot\n/boot/vmlinuz-{release}\n")
    return node


@pytest.mark.parametrize(
    ("release", "image", "headers"),
    [
        (OLD, f"linux-image-{OLD}", f"linux-headers-{OLD}"),
        (OLD, f"linux-image-{OLD}-unsigned", f"linux-headers-{OLD}"),
        (NEW, f"linux-image-{NEW}", f"linux-headers-{NEW}"),
        (PVE, f"proxmox-kernel-{PVE}-signed", f"proxmox-headers-{PVE}"),
        (PVE, f"proxmox-kernel-{PVE}", f"proxmox-headers-{PVE}"),
        ("5.15.158-2-pve", "pve-kernel-5.15.158-2-pve", "pve-headers-5.15.158-2-pve"),
        (UBUNTU, f"linux-image-unsigned-{UBUNTU}", f"linux-headers-{UBUNTU}"),
        ("6.12.6-zabbly+", "linux-image-6.12.6-zabbly+", "linux-headers-6.12.6-zabbly+"),
    ],
)
def test_headers_are_of_the_kernels_maker(tmp_path, release, image, headers):
    node = kernel(tmp_path, release, image)

    assert f"apt-get install {headers}\n" in node.call("build").stderr
    assert node.state.headers_packages == {release: headers}
    assert node.state.image_package == image.replace(release, "*")
    assert node.state.headers_package.replace("*", release) == headers


def test_a_kernel_without_a_package_has_no_package_of_headers(tmp_path):
    node = kernel(tmp_path, "6.12.10-mine", None)

    said = node.call("build").stderr
    assert "apt-get install" not in said
    assert "no package brought this kernel: let /lib/modules/6.12.10-mine/build lead to" in said
    assert node.state.headers_packages == {"6.12.10-mine": ""}
    assert (node.state.image_package, node.state.headers_package) == ("", "")


def test_one_that_is_to_come_has_the_running_ones_maker(tmp_path):
    node = kernel(tmp_path, PVE, f"proxmox-kernel-{PVE}-signed")

    done = node.call("build", "--kernel", "6.8.12-8-pve")

    assert "apt-get install proxmox-headers-6.8.12-8-pve\n" in done.stderr


def installed(node, *packages):
    """dpkg's answer: STATUS PACKAGE DEPENDS."""
    lines = "\n".join(packages)
    node.stub(**{"dpkg-query": f"cat <<'.'\n{lines}\n."})


def apt(node, *depends):
    lines = "\n".join(depends)
    node.stub(
        **{
            "apt-cache": f"echo \"$@\" >>{node.root}/asked; cat <<'.'\n{lines}\n.",
            "apt-mark": f'echo "$@" >>{node.root}/marked',
        }
    )


def test_the_newest_kernel_is_of_the_running_ones_kind(tmp_path):
    node = kernel(tmp_path, "6.1.0-47-amd64", "linux-image-6.1.0-47-amd64")
    installed(
        node,
        "installed linux-image-amd64 linux-image-6.1.0-56-amd64 (= 6.1.187-1)",
        "installed linux-image-cloud-amd64 linux-image-6.1.0-57-cloud-amd64 (= 6.1.188-1)",
        "config-files linux-image-rt-amd64 linux-image-6.1.0-57-rt-amd64 (= 6.1.188-1)",
        "installed linux-headers-amd64 linux-headers-6.1.0-56-amd64 (= 6.1.187-1)",
    )
    apt(node, "linux-image-amd64", "  Depends: linux-image-6.1.0-56-amd64")

    assert node.call("candidate").stdout == "6.1.0-56-amd64\n"
    assert (node.root / "asked").read_text() == "depends --important linux-image-amd64\n"

    node.write("var/lib/san/kmod/x", "")
    assert node.call("hold", "why").returncode == 0
    assert node.call("unhold").returncode == 0
    marked = (node.root / "marked").read_text().splitlines()
    assert marked == ["hold linux-image-amd64", "unhold linux-image-amd64"]


def test_another_makers_kernels_are_followed_by_its_own_packages(tmp_path):
    node = kernel(tmp_path, PVE, f"proxmox-kernel-{PVE}-signed")
    installed(
        node,
        "installed proxmox-default-kernel proxmox-kernel-6.8",
        f"installed proxmox-kernel-6.8 proxmox-kernel-{PVE}-signed | proxmox-kernel-{PVE}",
    )
    apt(
        node,
        "proxmox-kernel-6.8",
        " |Depends: proxmox-kernel-6.8.12-8-pve-signed",
        "  Depends: proxmox-kernel-6.8.12-8-pve",
    )

    assert node.call("candidate").stdout == "6.8.12-8-pve\n"
    assert (node.root / "asked").read_text() == "depends --important proxmox-kernel-6.8\n"


@pytest.mark.parametrize(
    ("release", "asked"),
    [
        ("6.1.0-47-cloud-amd64", "cloud-amd64"),
        ("6.1.0-28-686-pae", "686-pae"),
        ("6.12.9+bpo-686-pae", "686-pae"),
        ("6.16-rc7-amd64", "amd64"),
        ("5.10.0-0.deb10.16-amd64", "amd64"),
        ("6.12.25+rpt-rpi-v8", "rpi-v8"),
    ],
)
def test_the_kind_of_a_kernel(tmp_path, release, asked):
    """Nothing that is installed follows it; apt is asked for what Debian would call that."""
    node = kernel(tmp_path, release, f"linux-image-{release}")
    installed(node)
    apt(node)

    assert node.call("candidate").stdout == ""
    assert (node.root / "asked").read_text() == f"depends --important linux-image-{asked}\n"


def test_where_nothing_brings_new_kernels_nothing_is_held(tmp_path):
    node = kernel(tmp_path, PVE, f"proxmox-kernel-{PVE}-signed")
    installed(node)
    apt(node)
    node.write("var/lib/san/kmod/x", "")

    assert node.call("hold", "it does not compile").returncode == 0

    assert not (node.root / "marked").exists()
    assert node.call("motd").stdout.endswith("Kernel upgrade held: it does not compile\n")
