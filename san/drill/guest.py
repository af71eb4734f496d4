"""Shell scripts that break something inside a node, and mend it again."""

import shlex

STATE = "/var/tmp/san-drill"  # noqa: S108 (in a guest of the lab; /run lets nothing execute)

LOAD_UNIT = "san-drill-load"  # by which a node under load logs its load average

PANIC = "sync; systemd-run --quiet --no-block sh -c 'sleep 1; echo c >/proc/sysrq-trigger'"
KILL_HEARTBEAT = "kill -KILL $(cat /run/heartbeat.pid)"
KILL_HEARTBEAT_PARTS = "pkill -KILL -P $(cat /run/heartbeat.pid)"
MOVE_AWAY = "/usr/share/heartbeat/hb_standby all"
# Pacemaker: away from here, wherever that is
MOVE_GROUP = "crm_resource --resource san --move"
# Heartbeat's own port; replication on the same wire goes on
_DROP = "protocol ip u32 match ip protocol 17 0xff match ip dport 694 0xffff action drop"
DEAF = (
    "tc qdisc add dev eth1 clsact && "
    f"tc filter add dev eth1 ingress {_DROP} && tc filter add dev eth1 egress {_DROP}"
)
HEARS = "tc qdisc del dev eth1 clsact"
INVALIDATE = "drbdadm invalidate r0"
LISTENS = "test -n \"$(ss -Hltn 'sport = :3260')\""
RESYNC = "grep -q 'cs:SyncTarget' /proc/drbd"


def beside(script: str, *options: str) -> str:
    """Run a script that outlives this login, whose shell it may stop."""
    run = ("systemd-run", "--quiet", "--no-block", "--collect", *options, "sh", "-c", script)
    return shlex.join(run)


def stop_user_space(seconds: float) -> str:
    """SIGSTOP for everything that runs but the kernel, init and the one who wakes them again."""
    return beside(f"kill -STOP -1; sleep {seconds:g}; kill -CONT -1")


def fork_bomb(seconds: float) -> str:
    """Starve a node's processes for a while; the bound is what its memory stands."""
    bomb = "f() { f | f & }; f; sleep 600"
    limits = ("TasksMax=1500", "MemoryMax=200M", "OOMPolicy=continue", f"RuntimeMaxSec={seconds:g}")
    return beside(bomb, *(f"--property={limit}" for limit in limits))


def full_load(seconds: float) -> str:
    """Load a node's processors, memory and root disk for a while, with Debian's base alone.

    Six loops for each processor want to run, so its load average is above 4 whatever the disk does;
    seven tenths of the memory that is free are written over and over.
    """
    script = f"""
for processor in $(seq "$(nproc)"); do
    for loop in 1 2 3; do
        sha256sum /dev/zero &
        perl -e 'while (1) {{ $root = sqrt 2 }}' &
    done
done
perl -ne '$free = 1024 * 0.7 * $1 if /^MemAvailable: +(\\d+)/;
    END {{ while (1) {{ for ($at = 0; $at < $free; $at += 4096) {{ vec($held, $at, 8) = 1 }} }} }}
    ' /proc/meminfo &
while :; do dd if=/dev/zero of={STATE}.load bs=1M count=64 conv=notrunc,fsync; done 2>/dev/null &
while sleep 10; do
    logger -t {LOAD_UNIT} "$(cut -d ' ' -f 1 /proc/loadavg) $(nproc)"
done
"""
    return beside(script, "--property=OOMPolicy=continue", f"--property=RuntimeMaxSec={seconds:g}")


def signal(name: str, process: str) -> str:
    """Send a signal to every process of a name; none there is no failure."""
    return f"pkill -{name} -x {process} || :"


def clock(seconds: int) -> str:
    """Set a node's clock so many seconds ahead."""
    return f"date --set=@$(($(date +%s) + {seconds})) >/dev/null"


def fill(path: str) -> str:
    """Leave no room on the file system that holds `path`, not for root either."""
    free = f"$(stat -f -c %f {path}) * $(stat -f -c %S {path})"
    return (
        f"fallocate -l $(({free} - 65536)) {path}/.san-drill;"
        f" dd if=/dev/zero of={path}/.san-drill-rest bs=4k 2>/dev/null || :"
    )


def room(path: str) -> str:
    """Undo `fill`."""
    return f"rm -f {path}/.san-drill {path}/.san-drill-rest"


def wrap(script: str, verb: str, does: str, *, times: int) -> str:
    """Lay a wrapper over a resource script: at `verb`, it `does` something else so many times."""
    path = f"/etc/ha.d/resource.d/{script}"
    real, wrapper = f"{STATE}/{script}", f"{STATE}/{script}.wrapper"
    count = f"{STATE}/{script}.count"
    text = f"""#!/bin/sh
for last; do :; done
if [ "$last" = {verb} ] && [ "$(wc -c <{count})" -lt {times} ]; then
    printf x >>{count}
    {does}
fi
exec {real} "$@"
"""
    return (
        f"mkdir -p {STATE} && cp -pL {path} {real} && : >{count} && "
        f"printf %s {shlex.quote(text)} >{wrapper} && chmod 755 {wrapper} && "
        f"mount --bind {wrapper} {path}"
    )
