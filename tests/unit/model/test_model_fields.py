"""Each field, with values that it must refuse by name, and some that it must take."""

import pytest
from model_tree import problems, put

IQN = "iqn.2009-02.com.example:"
NUL = "a\0b"

REFUSED = [
    # field, value, words of the sentence
    ("name", "two words", "white space"),
    ("name", "", "non-empty string"),
    ("name", None, "non-empty string"),
    ("nodes", [], "tuple of Nodes"),
    ("nodes", "weasel", "of type str"),
    ("target_software", "lio", "'stgt', 'iet'"),
    ("address_agent", "IPaddr3", "'IPaddr', 'IPaddr2', 'portal'"),
    ("volume_agent", "lvm", "'LVM', 'volume-group'"),
    ("acknowledged", ("everything",), "not a warning"),
    ("acknowledged", "single-heartbeat-link", "write (…,), with the comma"),
    ("acknowledged", (1,), "names of warnings"),
    *[
        ("nodes[0].name", name, words)
        for name, words in (
            ("Weasel", "lower case"),
            ("weasel_1", "uname -n"),
            ("-weasel", "uname -n"),
            ("weasel-", "uname -n"),
            ("weasel..net", "uname -n"),
            ("weasel.", "uname -n"),
            ("w" * 65, "at most 64"),
            ("wiesel-ä", "uname -n"),
            ("weasel\n", "white space"),
            ("wea::sel", "`::`"),
            (NUL, "control character"),
            (7, "non-empty string"),
        )
    ],
    ("nodes[0].addresses", ["10.10.10.1/24"], "of type list"),
    ("nodes[0].addresses", {7: "10.10.10.1/24"}, "non-empty string"),
    ("nodes[0].ssh", {"user": "root"}, "ssh_"),
    ("nodes[0].ssh", "root", "ssh_"),
    ("networks[1].mtu", 500, "from 576 to 65520"),
    ("networks[1].mtu", 9000.0, "from 576 to 65520"),
    ("networks[1].interfaces", "eth1", "for each host"),
    ("networks[1].interfaces", {"weasel": "lo"}, "not a card"),
    ("clients[0].reservations", 1, "True, False"),
    ("targets[0].acl", "everyone", "an Acl or Everyone()"),
    *[
        ("portals[0].address", address, words)
        for address, words in (
            ("192.168.1.1", "with a prefix"),
            ("192.168.1.0/24", "network's own"),
            ("192.168.1.255/24", "broadcast"),
            ("192.168.1.1/255.255.255.0", "write 192.168.1.1/24"),
            ("192.168.1.1/024", "write 192.168.1.1/24"),
            ("192.168.1.01/24", "IPv4"),
            ("192.168.1.1/33", "IPv4"),
            ("192.168.1.1/32", "from /8 to /31"),
            ("192.168.1.1/0", "from /8 to /31"),
            ("127.0.0.1/8", "host's address"),
            ("224.0.0.5/24", "host's address"),
            ("0.0.0.0/24", "host's address"),
            ("192.168.1.1/24\n", "IPv4"),
            ("fd00::1/64", "IPv4"),
            (3232235777, "IPv4"),
            (None, "IPv4"),
        )
    ],
    ("networks[2].subnet", "192.168.1.1/24", "its network is 192.168.1.0/24"),
    ("networks[2].subnet", "192.168.1.0", "from /8 to /31"),
    ("networks[2].subnet", "fd00::/64", "IPv4"),
    ("networks[2].subnet", None, "write its subnet"),
    ("networks[2].role", "Storage", "'management', 'replication', 'storage'"),
    ("networks[2].role", ["storage"], "'management', 'replication', 'storage'"),
    ("networks[2].interface", "a" * 16, "1 to 15"),
    ("networks[2].interface", "eth0:1", "interface's name"),
    ("networks[2].interface", "..", "interface's name"),
    ("networks[2].interface", "all", "not a card"),
    ("networks[2].interface", "lo", "not a card"),
    ("resources[0].name", "all", "drbdadm"),
    ("resources[0].name", "global", "drbdadm"),
    ("resources[0].name", "minor-0", "drbdadm"),
    ("resources[0].name", "r 0", "white space"),
    ("resources[0].name", "r" * 128, "127"),
    ("resources[0].disk", "sdb", "/dev/"),
    ("resources[0].disk", "/dev/", "/dev/"),
    ("resources[0].disk", "/dev/disk/../sdb", "write the plain path, /dev/sdb"),
    ("resources[0].disk", "/dev//sdb", "write the plain path, /dev/sdb"),
    ("resources[0].disk", "/dev/sd b", "white space"),
    ("resources[0].disk", "/dev/drbd1", "DRBD device"),
    ("resources[0].disk", {"weasel": "/dev/sdb"}, "each of weasel, otter"),
    ("resources[0].disk", {"weasel": "/dev/sdb", "otter": "sdb"}, "['otter']: 'sdb' is not"),
    ("resources[0].disk", {"weasel": "/dev/sdb", "otter": "/dev/drbd/by-res/r0"}, "DRBD device"),
    ("resources[0].minor", True, "whole number"),
    ("resources[0].minor", -1, "whole number"),
    ("resources[0].minor", 2**20, "1048575"),
    ("resources[0].minor", 10**5000, "unprintable int"),
    ("resources[0].port", "7788", "whole number"),
    ("resources[0].port", 0, "whole number"),
    ("resources[0].port", 65536, "65535"),
    ("resources[0].port", 7788.0, "whole number"),
    ("resources[0].port", 3260, "iSCSI"),
    ("resources[0].secret", "hunter2", "of type str"),
    ("volume_groups[0].name", "mapper", "/dev/mapper"),
    ("volume_groups[0].name", "drbd", "/dev/drbd"),
    ("volume_groups[0].name", ".", "plain name"),
    ("volume_groups[0].name", "..", "plain name"),
    ("volume_groups[0].name", "-vg", "plain name"),
    ("volume_groups[0].volumes[0].name", "snapshot0", "LVM"),
    ("volume_groups[0].volumes[0].name", "pvmove", "LVM"),
    ("volume_groups[0].volumes[0].name", "test_tmeta", "LVM"),
    ("volume_groups[0].volumes[0].name", "-" * 3, "plain name"),
    ("volume_groups[0].volumes[0].name", "a" + "-" * 60, "more than 127"),
    *[
        ("volume_groups[0].volumes[0].size", size, words)
        for size, words in (
            ("512", "unit"),
            (512, "unit"),
            ("0M", "out of range"),
            ("1K", "out of range"),
            ("8192P", "out of range"),
            ("-1G", "unit"),
            ("1e3G", "unit"),
            ("1.1M", "sectors"),
            ("512m", "unit"),
            ("٣G", "unit"),
            ("9" * 5000 + "G", "unit"),
            ("1G\n", "unit"),
            ("", "unit"),
        )
    ],
    *[
        ("targets[0].name", name, words)
        for name, words in (
            ("test", "not an iSCSI name"),
            ("iqn.2009-13.com.example:test", "YYYY-MM"),
            ("iqn.09-02.com.example:test", "YYYY-MM"),
            ("iqn.\N{FULLWIDTH DIGIT TWO}009-02.com.example:test", "YYYY-MM"),
            ("iqn.2009-02.com.Example:test", "lower case"),
            ("iqn.2009-02.com..example:test", "iSCSI name"),
            ("iqn.2009-02.com.-example:test", "iSCSI name"),
            ("iqn.2009-02", "iSCSI name"),
            ("iqn.2009-02.:test", "iSCSI name"),
            (f"{IQN}a_b", "iSCSI name"),
            (f"{IQN}a/b", "iSCSI name"),
            (f"{IQN}ä", "iSCSI name"),
            (IQN, "iSCSI name"),
            (f"{IQN}:test", "`::`"),
            (f"{IQN}a b", "white space"),
            (f"{IQN}a\n", "white space"),
            (IQN + "a" * (224 - len(IQN)), "224 bytes"),
            ("eui.0123456789ABCDE", "iSCSI name"),
            ("naa.0123456789ABCDEF0", "iSCSI name"),
            (b"iqn.2009-02.com.example:test", "non-empty string"),
        )
    ],
    ("targets[0].luns[0].number", 256, "255"),
    ("targets[0].luns[0].number", 1.0, "whole number"),
    ("targets[0].luns[0].number", 0, "start at 1"),
    *[
        ("targets[0].luns[0].scsi_id", value, "32 hex digits")
        for value in ("", "6" * 31, "6" * 33, "5" + "0" * 31, "6" + "A" * 31, "IET     00010001")
    ],
    *[
        ("targets[0].luns[0].serial", value, "serial number")
        for value in ("", "a b", "a" * 37, "ä", "a\n", 7)
    ],
    ("volume_groups[0].volumes[0].size", "50%FREE", "unit"),
    ("clients[0].name", "two words", "white space"),
    ("clients[0].name", "-badger", "uname -n"),
    ("clients[0].iqn", "iqn.2009-02.com.example:Badger", "write 'iqn.2009-02.com.example:badger'"),
    ("nodes[0].name", "Weasel", "hostnamectl set-hostname weasel"),
    ("targets[0].luns[0].iotype", "nullio", "'fileio', 'blockio'"),
    ("targets[0].luns[0].volume", "storage/nothing", "no volume"),
    ("targets[0].luns[0].volume", "../etc", "no volume"),
    ("targets[0].alias", "a b", "white space"),
    ("targets[0].chap", ("badger", "hunter2"), "of type tuple"),
    ("targets[0].chap.user", 'ba"dger', "a quote"),
    ("targets[0].chap.secret", "hunter2", "of type str"),
    ("targets[0].chap.secret.name", "hunter2", "not the name of a secret"),
    ("targets[0].chap.secret.name", "NOWHERE", "run: san secrets init"),
    ("heartbeat", None, "a Heartbeat"),
    ("heartbeat.links", (), "at least 1"),
    ("heartbeat.links[1]", "serial", "of type str"),
    ("heartbeat.links[1].device", "ttyS0", "/dev/"),
    ("heartbeat.links[1].baud", 9601, "9600"),
    ("heartbeat.links[1].baud", 9600.0, "9600"),
    ("heartbeat.links[0].network", "nowhere", "no network 'nowhere'"),
    ("heartbeat.watchdog.device", "/dev/null", "a watchdog's device"),
    ("heartbeat.keepalive", float("nan"), "write seconds"),
    ("heartbeat.deadtime", float("inf"), "write seconds"),
    ("heartbeat.deadtime", 10**400, "write seconds"),
    ("heartbeat.deadtime", "10", "write seconds"),
    ("heartbeat.deadtime", True, "write seconds"),
    ("heartbeat.keepalive", 0.12345, "millisecond"),
    ("heartbeat.udpport", "694", "UDP port"),
    ("heartbeat.auto_failback", "no", "True, False"),
    ("heartbeat.auto_failback", 0, "True, False"),
    ("heartbeat.secret", None, "not a Secret"),
    ("clients[0].iqn", "badger", "iSCSI name"),
]


@pytest.mark.parametrize(("field", "value", "words"), REFUSED, ids=range(len(REFUSED)))
def test_it_is_refused_at_its_path_in_one_line(cluster, field, value, words):
    found = problems(put(cluster, field, value))

    assert any(words in problem for problem in found), found
    assert any(problem.startswith(field.split("[")[0].split(".")[0]) for problem in found), found
    assert all("\n" not in problem for problem in found)
    assert not any("hunter2" in problem for problem in found), "a literal secret is quoted"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nodes[0].ssh", {"ssh_hostname": "10.0.0.1", "ssh_port": 22}),
        ("nodes[0].addresses", {"replication": "10.10.10.1/24", "path-a": "192.168.1.2/24"}),
        ("networks[2].interface", "eth2.100"),
        ("resources[0].disk", {"weasel": "/dev/sdb", "otter": "/dev/mapper/raid-data"}),
        ("resources[0].minor", 1048575),
        ("volume_groups[0].volumes[0].size", "1.5G"),
        ("volume_groups[0].volumes[0].size", "20 GiB"),
        ("volume_groups[0].volumes[0].size", "8191P"),
        ("targets[0].name", "iqn.2009-02.com.example"),
        ("targets[0].name", "iqn.2009-02.com.example:a.b-c:d"),
        ("targets[0].name", "eui.0123456789ABCDEF"),
        ("targets[0].name", "naa.0123456789abcdef0123456789abcdef"),
        ("targets[0].name", IQN + "a" * (223 - len(IQN))),
        ("targets[0].chap", None),
        ("targets[0].alias", None),
        ("targets[0].luns[0].scsi_id", "6001405" + "0" * 25),
        ("targets[0].luns[0].serial", "beaf11"),
        ("volume_groups[0].volumes[0].size", "100%FREE"),
        ("clients[0].name", "BADGER01"),
        ("heartbeat.keepalive", 0.5),
        ("heartbeat.links[1].device", "/dev/ttyUSB0"),
    ],
)
def test_it_is_taken(cluster, field, value):
    assert problems(put(cluster, field, value)) == []
