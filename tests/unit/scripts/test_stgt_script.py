"""The STGT resource script against the real tgtd: exactly the configured LUNs, or nothing."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from private_machine import target
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from san.model import Acl, Portal

TEST = "iqn.2009-02.com.example:test"
MORE = "iqn.2009-02.com.example:more"
PROBE = "iqn.2009-02.com.example:probe"
OTHER = "iqn.2009-02.com.example:other"
WATCH = "iqn.2026-11.invalid.san-watch:node"
LONG = "InitiatorAlias=" + 1100 * "x"
LINES = """InitiatorAlias=x
            Connection: 0
                IP Address: 10.0.0.1
        I_T nexus: 999
            Initiator: iqn.2009-02.com.example:other alias: none
            Connection: 0
                IP Address: 10.0.0.1
    LUN information:
        LUN: 9
            Type: disk
    Account information:
        eve
    ACL information:
        10.0.0.0/8
"""
"""An alias that looks like another session, a LUN, a user and an ACL."""
READ = "28000000000000000100"
WRITE = "2a000000000000000100"
INQUIRY = "12000000ff00"
CACHING_PAGE = "1a000800ff00"


def served(machine):
    """What tgtd's own tool shows: {(target, LUN): device}."""
    found, name, lun = {}, None, None
    for line in machine.run("tgtadm", "--mode", "target", "--op", "show").stdout.splitlines():
        words = line.split()
        if words[:1] == ["Target"]:
            name = words[2]
        elif words[:1] == ["LUN:"]:
            lun = int(words[1])
        elif words[:3] == ["Backing", "store", "path:"] and lun:
            found[name.rpartition(":")[2], lun] = Path(words[3]).name
    return found


def logged_in(machine, *arguments):
    one = machine.initiator(*arguments)
    assert one.said == "logged in"
    one.scsi(1, INQUIRY)
    one.scsi(1, READ)  # takes the unit attention that follows a login
    return one


class TestHeartbeat:
    """start, stop, status, as ResourceManager calls them."""

    def test_whole_life(self, machine, configured):
        configured(target("test", "one", "two"))
        assert machine.call("status").stdout == "stopped\n"
        assert machine.call("start").returncode == 0
        assert machine.call("status").stdout == "running\n"
        assert served(machine) == {("test", 1): "one", ("test", 2): "two"}
        assert machine.listeners() == ["192.168.1.1:3260", "192.168.2.1:3260"]
        assert machine.call("stop").returncode == 0
        assert machine.tgtd_pids() == []
        assert machine.call("status").stdout == "stopped\n"

    def test_stop_when_stopped(self, machine, configured):
        configured(target("test", "one"))
        assert machine.call("stop").returncode == 0

    def test_stop_without_configuration(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        machine.run("rm", "/etc/san/stgt.conf")
        assert machine.call("status").stdout == "running\n"
        assert machine.call("stop").returncode == 0
        assert machine.tgtd_pids() == []

    def test_start_twice_keeps_the_daemon(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        before = machine.tgtd_pids()
        client = logged_in(machine)
        assert machine.call("start").returncode == 0
        assert machine.tgtd_pids() == before
        assert client.scsi(1, READ).startswith("good")

    def test_stop_with_a_client_logged_in_frees_the_device(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        client = logged_in(machine)
        assert machine.call("stop").returncode == 0
        device = os.open(machine.devices / "one", os.O_RDWR | os.O_EXCL)  # what vgchange -an needs
        os.close(device)
        assert client.scsi(1, READ) == "refused: connection closed"

    def test_looking_leaves_tgtd_at_rest(self, machine, configured):
        """tgtd takes the end of a connection for an old EAGAIN, keeps it, and spins on it for ever.

        That is so while the rest of a client's request is on its way; the script must end none
        of its connections without a request.
        """
        configured(target("test", "one"))
        machine.call("start")
        with machine.half_a_request():
            for look in ("status", "check", "start", "apply"):
                assert machine.call(look).returncode == 0

            # A connection that was answered is closed a moment after its answer.
            waiting = Retrying(
                stop=stop_after_delay(5),
                wait=wait_fixed(0.1),
                retry=retry_if_result(lambda count: count != 1),
            )
            waiting(machine.control_sockets)

    def test_the_same_identity_on_each_start(self, machine, configured):
        configured(target("test", "one"))
        seen = set()
        for _ in range(2):
            machine.call("start")
            seen.add(logged_in(machine).scsi(1, "12018300ff00"))
            machine.call("stop")
        assert len(seen) == 1
        (page,) = seen
        assert page.startswith("good 00830")

    @pytest.mark.parametrize("call", [(), ("restart",), ("start", "now")])
    def test_wrong_call(self, machine, call):
        assert machine.call(*call).returncode == 2


class TestReadersCase:
    """Clients that could not come back: the target was there, its volume was not."""

    def test_a_missing_device_fails_before_anything_is_visible(self, machine, configured):
        configured(target("test", "one", "missing"))
        done = machine.call("start")
        assert done.returncode == 1
        assert "no such block device" in done.stderr
        assert "/dev/missing" in done.stderr
        assert machine.tgtd_pids() == []
        assert machine.initiator().said == "refused: [Errno 111] Connection refused"

    def test_a_file_in_place_of_the_device_fails(self, machine, configured):
        (machine.devices / "file").write_bytes(bytes(1 << 20))
        configured(target("test", "file"))
        assert machine.call("start").returncode == 1
        assert machine.tgtd_pids() == []

    def test_the_boots_tgtd_without_a_target_is_replaced(self, machine, configured):
        machine.run("tgtd")
        wait_for_tgtd(machine)
        configured(target("test", "one"))
        assert machine.call("status").stdout == "stopped\n"
        assert machine.call("start").returncode == 0
        assert served(machine) == {("test", 1): "one"}
        assert machine.listeners() == ["192.168.1.1:3260", "192.168.2.1:3260"]
        assert logged_in(machine).scsi(1, READ).startswith("good")

    def test_a_tgtd_with_other_things_is_replaced(self, machine, configured):
        configured(target("other", "two", "three"))
        machine.call("start")
        configured(target("test", "one"))
        assert machine.call("status").stdout == "stopped\n"
        assert machine.call("start").returncode == 0
        assert served(machine) == {("test", 1): "one"}

    def test_it_listens_before_the_portals_address_comes(self, machine, configured):
        """A client that finds the address finds the target: one that is refused waits for 3 s."""
        if machine.run(
            "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_nonlocal_bind", check=False
        ).returncode:
            pytest.skip("/proc/sys is read-only in this container: run make test on a machine")
        configured(target("test", "one"), portals=(Portal("192.168.9.1/24"),))
        assert machine.call("start").returncode == 0
        machine.run("ip", "address", "add", "192.168.9.1/24", "dev", "lo")
        try:
            machine.run("bash", "-c", "exec 3<>/dev/tcp/192.168.9.1/3260")
        finally:
            machine.run("ip", "address", "del", "192.168.9.1/24", "dev", "lo")

    def test_an_unreadable_line_fails_without_being_shown(self, machine, configured):
        machine.put("/etc/san/stgt.conf", configured(target("test", "one")) + "acount x hidden\n")
        done = machine.call("start")
        assert done.returncode == 1
        assert "hidden" not in done.stderr
        assert machine.tgtd_pids() == []

    def test_an_empty_configuration_fails(self, machine):
        machine.put("/etc/san/stgt.conf", "")
        assert machine.call("start").returncode == 1

    def test_a_tgtd_that_hangs_counts_as_running_and_is_stopped(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        os.kill(machine.tgtd, signal.SIGSTOP)
        patient = machine.script.read_text()
        machine.script.write_text(patient.replace("$ANSWER_S = 10;", "$ANSWER_S = 1;"))
        assert machine.call("status").stdout == "running\n"
        assert machine.call("stop").returncode == 0
        assert machine.tgtd_pids() == []


class TestNoLostWrite:
    """What tgtd acknowledges is on the disk."""

    @pytest.mark.parametrize(
        ("iotype", "flags"), [("fileio", os.O_SYNC), ("blockio", os.O_SYNC | os.O_DIRECT)]
    )
    def test_the_device_is_opened_for_synchronous_writes(self, machine, configured, iotype, flags):
        configured(target("test", f"one:{iotype}"))
        assert machine.call("start").returncode == 0
        pid = machine.tgtd
        device = (machine.devices / "one").readlink()
        (number,) = [
            file.name for file in Path(f"/proc/{pid}/fd").iterdir() if file.readlink() == device
        ]
        info = Path(f"/proc/{pid}/fdinfo/{number}").read_text()
        opened = int(info.partition("flags:")[2].split()[0], 8)
        assert opened & (os.O_SYNC | os.O_DIRECT) == flags

    def test_no_volatile_cache_is_advertised(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        page = bytes.fromhex(logged_in(machine).scsi(1, CACHING_PAGE).split()[1])
        caching = page[4 + page[3] :]
        assert caching[0] & 0x3F == 8
        assert caching[2] & 0x04 == 0  # WCE

    def test_what_is_written_is_there_after_stop(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        data = os.urandom(512)
        assert logged_in(machine).scsi(1, WRITE, data) == "good"
        machine.call("stop")
        with (machine.devices / "one").open("rb") as device:
            assert device.read(512) == data


class TestLogin:
    """CHAP and ACLs."""

    def test_chap(self, machine, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        machine.call("start")
        secret = os.environ["CHAP_SECRET"]
        assert machine.initiator("192.168.1.1", TEST, "badger", secret).said == "logged in"
        assert machine.initiator("192.168.2.1", TEST, "badger", secret).said == "logged in"
        assert (
            machine.initiator("192.168.1.1", TEST, "badger", "wrong").said == "refused: status 0201"
        )
        assert machine.initiator().said == "refused: status 0201"

    @pytest.mark.parametrize(
        ("entries", "said"),
        [
            (("192.168.1.0/24",), "logged in"),
            (("192.168.1.10/32",), "logged in"),
            (("0.0.0.0/0",), "logged in"),
            (("iqn.2009-02.com.example:probe",), "logged in"),
            (("10.0.0.0/8", "iqn.2009-02.com.example:probe"), "logged in"),
            (("10.0.0.0/8",), "refused: status 0203"),
            (("iqn.2009-02.com.example:other",), "refused: status 0203"),
        ],
    )
    def test_acl(self, machine, configured, entries, said):
        configured(target("test", "one", acl=Acl(entries)))
        assert machine.call("start").returncode == 0
        assert machine.initiator().said == said

    def test_secrets_in_no_readable_file(self, machine, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        machine.call("start")
        secret = os.environ["CHAP_SECRET"]
        holding = machine.run("grep", "-rl", secret, "/run", "/etc").stdout.split()
        assert sorted(holding) == ["/etc/san/stgt.conf", "/run/san/stgt.applied"]
        modes = machine.run("stat", "-c", "%a", *holding).stdout.split()
        assert modes == ["600", "600"]

    def test_another_tgtd_that_has_a_former_ones_number_lives(self, machine, configured, tmp_path):
        configured(target("test", "one"))
        machine.call("start")
        ours = machine.tgtd
        told = machine.run("cat", "/run/san/stgt.applied").stdout
        machine.call("stop")
        (tmp_path / "tgtd").symlink_to("/bin/sleep")
        with subprocess.Popen((*machine.enter, str(tmp_path / "tgtd"), "600")) as stranger:
            try:
                written = told.replace(str(ours), str(stranger.pid), 1)
                machine.put("/run/san/stgt.applied", written)
                assert machine.call("stop").returncode == 0
                assert stranger.poll() is None
            finally:
                stranger.kill()

    def test_secrets_in_no_process_argument(self, machine, configured, tmp_path):
        configured(target("test", "one", chap="CHAP_SECRET"))
        trace = tmp_path / "trace"
        strace = ("strace", "-f", "-s", "999", "-e", "trace=execve", "-o", str(trace))
        with subprocess.Popen((*machine.enter, *strace, str(machine.script), "start")) as traced:
            for _ in range(200):
                if machine.call("status").returncode == 0:
                    break
                time.sleep(0.05)
            machine.call("stop")
            traced.wait(timeout=30)
        assert "tgtd" in trace.read_text()
        assert os.environ["CHAP_SECRET"] not in trace.read_text()


class TestApply:
    """A changed configuration, online."""

    def test_stopped(self, machine, configured):
        configured(target("test", "one"))
        assert machine.call("apply").returncode == 3
        assert machine.call("check").returncode == 3
        assert machine.tgtd_pids() == []

    def test_nothing_to_do(self, machine, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        machine.call("start")
        done = machine.call("apply")
        assert (done.returncode, done.stdout) == (0, "")

    def test_add_under_a_client(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        before = machine.tgtd_pids()
        client = logged_in(machine)
        configured(target("test", "one", "two"), target("more", "three"))
        check = machine.call("check")
        assert check.returncode == 1
        assert f"add LUN 2 of {TEST}\n" in check.stdout
        done = machine.call("apply")
        assert done.returncode == 0
        assert f"add LUN 2 of {TEST}\n" in done.stdout
        assert served(machine) == {("test", 1): "one", ("test", 2): "two", ("more", 1): "three"}
        assert machine.tgtd_pids() == before
        assert client.scsi(1, READ) == "failed 6/3f0e"  # REPORTED LUNS DATA HAS CHANGED
        assert client.scsi(1, READ).startswith("good")
        assert client.scsi(2, READ).startswith("good")
        assert machine.call("check").returncode == 0

    def test_remove_what_nobody_uses(self, machine, configured):
        configured(target("test", "one", "two"), target("more", "three"))
        machine.call("start")
        client = logged_in(machine)
        configured(target("test", "one", "two"))
        assert machine.call("apply").returncode == 0
        assert served(machine) == {("test", 1): "one", ("test", 2): "two"}
        assert client.scsi(1, READ).startswith("good")

    def test_remove_in_use_is_refused_unless_named(self, machine, configured):
        configured(target("test", "one", "two"))
        machine.call("start")
        client = logged_in(machine)
        configured(target("test", "one"))
        done = machine.call("apply")
        assert done.returncode == 4
        assert f"remove LUN 2 of {TEST}; to do it all the same: apply {TEST}/2" in done.stderr
        assert served(machine) == {("test", 1): "one", ("test", 2): "two"}
        assert machine.call("apply", f"{TEST}/2").returncode == 0
        assert served(machine) == {("test", 1): "one"}
        assert client.scsi(1, READ) == "failed 6/3f0e"  # REPORTED LUNS DATA HAS CHANGED

    def test_another_device_in_use_is_refused_unless_named(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        logged_in(machine)
        configured(target("test", "two"))
        assert machine.call("apply").returncode == 4
        assert served(machine) == {("test", 1): "one"}
        assert machine.call("apply", f"{TEST}/1").returncode == 0
        assert served(machine) == {("test", 1): "two"}

    def test_a_missing_device_changes_nothing(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        configured(target("test", "one", "missing"))
        assert machine.call("apply").returncode == 1
        assert served(machine) == {("test", 1): "one"}

    def test_a_new_secret(self, machine, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        machine.call("start")
        held = logged_in(machine, "192.168.1.1", TEST, "badger", os.environ["CHAP_SECRET"])
        configured(target("test", "one", chap="CHAP_OTHER"))
        ends = f"end the session of {PROBE} at {TEST}"
        assert f"{ends}\n" in machine.call("check").stdout
        refused = machine.call("apply")
        assert refused.returncode == 4
        assert f"{ends}; to do it all the same: apply {TEST}/{PROBE}" in refused.stderr
        assert held.scsi(1, READ).startswith("good"), "nothing was changed at all"
        done = machine.call("apply", f"{TEST}/{PROBE}")
        assert done.returncode == 0
        assert os.environ["CHAP_OTHER"] not in done.stdout + done.stderr
        assert held.scsi(1, READ).startswith("refused: ")
        old = machine.initiator("192.168.1.1", TEST, "badger", os.environ["CHAP_SECRET"])
        new = machine.initiator("192.168.1.1", TEST, "badger", os.environ["CHAP_OTHER"])
        assert old.said == "refused: status 0201"
        assert new.said == "logged in"
        assert machine.initiator().said == "refused: status 0201"

    def test_chap_on_and_off(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        configured(target("test", "one", chap="CHAP_SECRET"))
        assert machine.call("apply").returncode == 0
        assert machine.initiator().said == "refused: status 0201"
        configured(target("test", "one"))
        assert machine.call("apply").returncode == 0
        assert machine.initiator().said == "logged in"

    def test_users_added_by_hand_go(self, machine, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        machine.call("start")
        tid = machine.run("grep", "^target", "/etc/san/stgt.conf").stdout.split()[1]
        account = ("tgtadm", "--lld", "iscsi", "--mode", "account")
        machine.run(*account, "--op", "new", "--user", "eve", "--password", "eve-eve-eve-eve")
        machine.run(*account, "--op", "bind", "--tid", tid, "--user", "eve")
        assert machine.call("check").returncode == 1
        assert machine.call("apply").returncode == 0
        assert machine.initiator("192.168.1.1", TEST, "eve", "eve-eve-eve-eve").said == (
            "refused: status 0201"
        )
        good = machine.initiator("192.168.1.1", TEST, "badger", os.environ["CHAP_SECRET"])
        assert good.said == "logged in"

    def test_a_narrower_acl(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        configured(target("test", "one", acl=Acl(("10.0.0.0/8",))))
        assert machine.call("apply").returncode == 0
        assert machine.initiator().said == "refused: status 0203"
        assert machine.call("check").returncode == 0

    @pytest.mark.parametrize("entry", [PROBE, "192.168.1.0/24", "192.168.1.10", "192.0.0.0/2"])
    def test_a_revoked_client_writes_no_more(self, machine, configured, entry):
        configured(target("test", "one", acl=Acl((entry, OTHER))))
        machine.call("start")
        before = machine.tgtd_pids()
        client = logged_in(machine)
        configured(target("test", "one", acl=Acl((OTHER, "10.0.0.0/8", "192.168.1.9"))))
        assert f"end the session of {PROBE} at {TEST}\n" in machine.call("check").stdout
        refused = machine.call("apply")
        assert refused.returncode == 4
        assert client.scsi(1, WRITE, bytes(512)) == "good", "it was told, and nothing was changed"
        assert machine.call("apply", f"{TEST}/1").returncode == 4
        assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
        assert client.scsi(1, WRITE, bytes(512)).startswith("refused: ")
        assert machine.call("check").returncode == 0
        assert machine.tgtd_pids() == before
        assert machine.initiator().said == "refused: status 0203"

    def test_what_moves_to_another_target_leaves_the_first_before(self, machine, configured):
        """The one that gets it comes first by name."""
        configured(target("test", "one", "two"), target("more", "three"))
        machine.call("start")
        logged_in(machine)
        configured(target("test", "one", acl=Acl((OTHER,))), target("more", "three", "two"))
        said = machine.call("check").stdout.splitlines()
        order = [
            f"end the session of {PROBE} at {TEST}",
            f"remove LUN 2 of {TEST}",
            f"add LUN 2 of {MORE}",
        ]
        assert [line for line in said if line in order] == order
        assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
        assert served(machine) == {("test", 1): "one", ("more", 1): "three", ("more", 2): "two"}

    def test_only_the_revoked_one_goes(self, machine, configured):
        configured(target("test", "one"), target("more", "two"))
        machine.call("start")
        gone, stays = logged_in(machine), logged_in(machine, "192.168.1.1", MORE)
        configured(target("test", "one", acl=Acl((OTHER,))), target("more", "two"))
        assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
        assert stays.scsi(1, READ).startswith("good")
        assert gone.scsi(1, READ).startswith("refused: ")

    def test_a_client_that_stays_is_not_asked_to_go(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        client = logged_in(machine)
        configured(target("test", "one", acl=Acl((PROBE,))))
        assert machine.call("apply").returncode == 0
        assert client.scsi(1, READ).startswith("good")
        assert machine.call("check").returncode == 0

    def test_a_session_over_both_portals_ends_on_both(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        both = [logged_in(machine, portal) for portal in ("192.168.1.1", "192.168.2.1")]
        configured(target("test", "one", acl=Acl((OTHER,))))
        assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
        assert all(each.scsi(1, READ).startswith("refused: ") for each in both)

    def test_who_has_proved_nothing_is_gone_once_a_user_is_asked_for(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        client = logged_in(machine)
        configured(target("test", "one", chap="CHAP_SECRET"))
        assert machine.call("apply").returncode == 4
        assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
        assert client.scsi(1, READ).startswith("refused: ")

    def test_a_proof_that_is_no_longer_asked_for_harms_nobody(self, machine, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        machine.call("start")
        client = logged_in(machine, "192.168.1.1", TEST, "badger", os.environ["CHAP_SECRET"])
        configured(target("test", "one"))
        assert machine.call("apply").returncode == 0
        assert client.scsi(1, READ).startswith("good")

    def test_a_session_ends_in_the_middle_of_a_write(self, machine, configured):
        """tgtd waits for the data of it; it must outlive that, and serve the others."""
        configured(target("test", "one"), target("more", "two"))
        machine.call("start")
        stays = logged_in(machine, "192.168.1.1", MORE)
        before = machine.tgtd_pids()
        configured(target("test", "one", acl=Acl((OTHER,))), target("more", "two"))
        with machine.half_a_write(TEST):
            assert f"end the session of {PROBE} at {TEST}\n" in machine.call("check").stdout
            done = machine.call("apply", f"{TEST}/{PROBE}")
            assert done.returncode == 0, done.stderr
        assert machine.tgtd_pids() == before
        assert machine.call("check").returncode == 0
        assert stays.scsi(1, READ).startswith("good")

    def test_a_client_that_sends_no_more_ends_as_well(self, machine, configured):
        """A frozen one: it neither answers nor closes its connection."""
        configured(target("test", "one"))
        machine.call("start")
        client = logged_in(machine)
        os.kill(client.process.pid, signal.SIGSTOP)
        configured(target("test", "one", acl=Acl((OTHER,))))
        try:
            assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
            assert machine.call("check").returncode == 0
        finally:
            os.kill(client.process.pid, signal.SIGCONT)

    def test_a_portal_comes_and_goes(self, machine, configured):
        configured(target("test", "one"), portals=(Portal("192.168.1.1/24"),))
        machine.call("start")
        client = logged_in(machine)
        configured(target("test", "one"))
        assert machine.call("apply").returncode == 0
        assert machine.listeners() == ["192.168.1.1:3260", "192.168.2.1:3260"]
        configured(target("test", "one"), portals=(Portal("192.168.2.1/24"),))
        assert machine.call("apply").returncode == 0
        assert machine.listeners() == ["192.168.2.1:3260"]
        assert client.scsi(1, READ).startswith("good")

    def test_a_grown_device(self, machine, configured, loops):
        configured(target("test", "three"))
        machine.call("start")
        client = logged_in(machine)
        backing = Path("/sys/block", Path(loops[2]).name, "loop/backing_file").read_text().strip()
        os.truncate(backing, 96 << 20)
        machine.run("losetup", "-c", loops[2])
        try:
            left = f"resize LUN 1 of {TEST} from 67 MB to 101 MB"
            assert machine.call("check").stdout == f"{left}\n"
            done = machine.call("apply")
            assert done.returncode == 0
            assert done.stdout.startswith(f"left for the next takeover, a client uses it: {left};")
            assert machine.call("status").stdout == "running\n"
            assert machine.call("start").returncode == 0
            assert client.scsi(1, READ).startswith("good"), "still the same tgtd"
            assert machine.call("apply", f"{TEST}/1").returncode == 0
            assert machine.call("check").returncode == 0
            capacity = client.scsi(1, "25000000000000000000").split()[1]
            assert int(capacity[:8], 16) == (96 << 20) // 512 - 1
        finally:
            machine.call("stop")
            os.truncate(backing, 64 << 20)
            machine.run("losetup", "-c", loops[2])


class TestWhoIsLoggedIn:
    """No client's session makes a target that serves a stopped one, or a start fail."""

    @pytest.mark.parametrize("to", [{"acl": Acl((OTHER,))}, {"chap": "CHAP_SECRET"}])
    def test_a_revoked_session_ends_nobodys_service(self, machine, configured, to):
        configured(target("test", "one"), target("more", "two"))
        machine.call("start")
        before = machine.tgtd_pids()
        logged_in(machine)
        stays = logged_in(machine, "192.168.1.1", MORE)
        configured(target("test", "one", **to), target("more", "two"))
        assert machine.call("status").stdout == "running\n"
        assert machine.call("start").returncode == 0
        assert machine.tgtd_pids() == before
        assert stays.scsi(1, READ).startswith("good")
        assert f"end the session of {PROBE} at {TEST}\n" in machine.call("check").stdout
        assert machine.call("apply").returncode == 4

    @pytest.mark.parametrize("alias", [LONG, LINES])
    def test_who_comes_while_the_ports_open_fails_no_start(self, machine, configured, alias):
        configured(target("test", "one", acl=Acl(("192.168.1.0/24",))))
        slow = "sleep 1 if qq(@_[0, 1]) eq 'new portal';\n    return $text;\n}\n\n# As ask"
        text = machine.script.read_text()
        machine.script.write_text(text.replace("return $text;\n}\n\n# As ask", slow))
        with subprocess.Popen((*machine.enter, str(machine.script), "start")) as start:
            for _ in range(100):
                client = machine.initiator("192.168.1.1", TEST, alias)
                if client.said == "logged in":
                    break
                time.sleep(0.05)
            assert start.poll() is None
            assert start.wait(timeout=30) == 0
        client.scsi(1, READ)
        assert client.scsi(1, READ).startswith("good")
        assert machine.call("status").stdout == "running\n"

    @pytest.mark.parametrize("alias", [LONG, LINES])
    def test_an_alias_is_no_session(self, machine, configured, alias):
        configured(
            target("test", "one", acl=Acl(("192.168.1.0/24",))),
            target("more", "two", acl=Acl(("192.168.1.0/24",))),
        )
        machine.call("start")
        for name in (TEST, MORE):
            client = logged_in(machine, "192.168.1.1", name, alias)
        assert machine.call("status").stdout == "running\n"
        done = machine.call("check")
        assert (done.returncode, done.stdout) == (0, "")
        assert machine.call("apply").returncode == 0
        assert client.scsi(1, READ).startswith("good")

    @pytest.mark.parametrize(
        "alias", [LONG, LINES, f"InitiatorAlias=x\n            Initiator: {OTHER} alias: x"]
    )
    def test_an_alias_hides_no_session(self, machine, configured, alias):
        configured(target("test", "one"))
        machine.call("start")
        clients = [logged_in(machine, "192.168.1.1", TEST, each) for each in (alias, alias)]
        configured(target("test", "one", acl=Acl((OTHER, "10.0.0.0/8"))))
        assert f"end the session of {PROBE} at {TEST}\n" in machine.call("check").stdout
        assert machine.call("apply").returncode == 4
        assert machine.call("apply", f"{TEST}/{PROBE}").returncode == 0
        assert all(client.scsi(1, READ).startswith("refused: ") for client in clients)

    def test_a_name_that_begins_as_an_admitted_one_is_another(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        logged_in(machine, "192.168.1.1", TEST, f"InitiatorName={OTHER} x")
        configured(target("test", "one", acl=Acl((OTHER,))))
        assert f"end the session of {OTHER} x at {TEST}\n" in machine.call("check").stdout

    @pytest.mark.parametrize("tid", [1, 99999])
    def test_an_alias_that_looks_like_a_target_changes_none(self, machine, configured, tid):
        """It can't be told from one in what tgtd shows: nothing is done by that."""
        configured(target("test", "one"))
        machine.call("start")
        before = machine.tgtd_pids()
        forged = f"InitiatorAlias=x\nTarget {tid}: {OTHER}\n    System information:\n"
        client = logged_in(machine, "192.168.1.1", TEST, forged)
        assert machine.call("status").stdout == "running\n"
        assert machine.call("check").returncode == 1
        assert machine.call("apply").returncode == 1
        assert machine.tgtd_pids() == before
        assert client.scsi(1, READ).startswith("good")

    def test_the_watch_is_known_by_where_it_comes_from(self, machine, configured):
        configured(target("test", "one"))
        machine.call("start")
        own = (f"InitiatorName={WATCH}", "from=192.168.1.1")
        logged_in(machine, "192.168.1.1", TEST, *own)
        configured(target("test", "one", acl=Acl((OTHER,))))
        ends = f"end the session of {WATCH} at {TEST}\n"
        assert ends not in machine.call("check").stdout
        configured(target("test", "one"))
        logged_in(machine, "192.168.1.1", TEST, own[0])
        configured(target("test", "one", acl=Acl((OTHER,))))
        assert ends in machine.call("check").stdout
        assert machine.call("apply").returncode == 4


class TestDoor:
    """The ports open last and close first."""

    def test_never_open_without_its_luns(self, machine, configured):
        configured(target("test", "one", "two", "three"))
        watch = machine.run(
            "sh",
            "-c",
            f"{machine.script} start & "
            "while kill -0 $! 2>/dev/null; do "
            "  ss -Htln 'sport = :3260' | grep -q . && "
            "  tgtadm --mode target --op show 2>/dev/null | grep -c 'Type: disk'; "
            "done; wait",
            check=False,
        )
        assert set(watch.stdout.split()) <= {"3"}


def wait_for_tgtd(machine):
    for _ in range(100):
        if machine.run("tgtadm", "--mode", "sys", "--op", "show", check=False).returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail("tgtd does not come up")
