"""The IET resource script with a stand-in for ietd, which no kernel of today runs.

The stand-in does what captures of the real one show: it serves its configuration without the LUNs
whose device is missing, says nothing of it, and takes its targets along when it ends.
"""

import pytest
from private_machine import target

from san.model import Lun, Target
from san.render.iet import ietd_conf
from san.render.template import raw

IETD = r"""#!/bin/sh
awk '$1 == "Target" { printf "tid:%d name:%s\n", ++tid, $2 }
     $1 == "Lun" {
         split($3, part, ","); sub("Path=", "", part[1]); sub("Type=", "", part[2])
         format = "\tlun:%d state:0 iotype:%s iomode:wt blocks:8 blocksize:512 path:%s\n"
         if (system("test -b " part[1]) == 0) printf format, $2, part[2], part[1]
     }' /etc/iet/ietd.conf > /run/volume
: > /run/session
(BIN/ietd 600; : > /run/volume) > /dev/null 2>&1 &
"""


@pytest.fixture
def iet(machine, tmp_path):
    """The script, with the stand-in in its PATH and /proc/net/iet in /run."""
    programs = tmp_path / "bin"
    programs.mkdir()
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (programs / "ietd").write_text(IETD.replace("BIN", str(hidden)))
    (programs / "modprobe").write_text("#!/bin/sh\n")
    (programs / "logger").write_text("#!/bin/sh\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    machine.run("cp", "/bin/sleep", str(hidden / "ietd"))
    script = raw("resource.d/iscsi-target.iet").replace("/proc/net/iet/", "/run/")
    machine.script.write_text(
        script.replace("set -u\n", f"set -u\nPATH={programs}:$PATH\n").replace("_S=20 ", "_S=4 ")
    )
    machine.put("/run/volume", "")
    yield machine
    machine.run("sh", "-c", "pid=$(pidof ietd) && kill -9 $pid", check=False)
    machine.run("sh", "-c", "rm -rf /run/san /run/volume /run/session /etc/iet")


@pytest.fixture
def configure(iet, cluster):
    import attrs

    def write(*targets):
        text = ietd_conf(attrs.evolve(cluster, targets=targets))
        iet.put("/etc/iet/ietd.conf", text.replace("/dev/", f"{iet.devices}/"))

    return write


def one(volume="one", name="test"):
    return Target(f"iqn.2009-02.com.example:{name}", luns=(Lun(0, volume),))


def test_life(iet, configure):
    configure(one())
    assert iet.call("status").stdout == "stopped\n"
    assert iet.call("check").returncode == 3
    assert iet.call("start").returncode == 0
    assert iet.call("status").stdout == "running\n"
    assert iet.call("check").returncode == 0
    assert iet.call("start").returncode == 0
    assert iet.call("stop").returncode == 0
    assert iet.call("status").stdout == "stopped\n"
    assert iet.call("stop").returncode == 0


def test_a_missing_device_fails_before_anything_is_visible(iet, configure):
    configure(one("missing"))
    done = iet.call("start")
    assert done.returncode == 1
    assert "no such block device" in done.stderr
    assert iet.run("cat", "/run/volume").stdout == ""


def test_an_ietd_of_the_boot_without_its_lun_is_replaced(iet, configure):
    configure(one("missing"))
    iet.run("sh", "-c", str(iet.script.parent / "bin/ietd"))
    assert "name:iqn.2009-02.com.example:test" in iet.run("cat", "/run/volume").stdout
    configure(one())
    assert iet.call("status").stdout == "stopped\n"
    assert iet.call("start").returncode == 0
    assert "lun:0" in iet.run("cat", "/run/volume").stdout


def test_apply(iet, configure):
    configure(one())
    assert iet.call("apply").returncode == 3
    iet.call("start")
    assert iet.call("apply").returncode == 0
    configure(one(), one("two", "more"))
    assert "missing: iqn.2009-02.com.example:more" in iet.call("check").stdout
    assert iet.call("apply").returncode == 0
    assert iet.call("check").returncode == 0


def test_apply_with_clients_wants_to_be_told(iet, configure):
    configure(one())
    iet.call("start")
    iet.put("/run/session", "tid:1 name:x\n\tsid:1 initiator:y\n")
    configure(one("two"))
    assert iet.call("apply").returncode == 4
    assert iet.call("apply", "ietd").returncode == 0


@pytest.mark.parametrize(
    "oddity", ["state:1 iotype:fileio iomode:wt", "state:0 iotype:fileio iomode:wb"]
)
def test_a_lun_that_goes_or_is_cached_is_another_one(iet, configure, oddity):
    configure(one())
    iet.call("start")
    volume = iet.run("cat", "/run/volume").stdout
    iet.put("/run/volume", volume.replace("state:0 iotype:fileio iomode:wt", oddity))
    assert iet.call("check").returncode == 1
    assert iet.call("status").stdout == "stopped\n"


def test_a_stop_that_fails_is_running(iet, configure):
    """I/O below a LUN hangs: its line stays in the kernel. Heartbeat must reboot the node."""
    configure(one())
    iet.call("start")
    iet.run(
        "sh", "-c", "rm /run/volume; mkdir -p /run/stuck; echo 'tid:1 name:x' > /run/stuck/volume"
    )
    iet.run("ln", "-s", "/run/stuck/volume", "/run/volume")
    iet.run("mount", "--bind", "-o", "ro", "/run/stuck", "/run/stuck")
    iet.run("mount", "-o", "remount,bind,ro", "/run/stuck")
    try:
        assert iet.call("stop").returncode == 1
        assert iet.call("status").stdout == "running\n"
    finally:
        iet.run("umount", "/run/stuck")
        iet.run("sh", "-c", "rm -rf /run/stuck /run/volume")


def test_wrong_call(iet, configure):
    configure(target("test", "one"))
    assert iet.call("reload").returncode == 2
    assert iet.call("start", "now").returncode == 2
