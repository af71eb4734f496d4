"""KVM or emulation, decided by a boot and not by a device's existence."""

import json
import os
import time
from pathlib import Path

import tenacity

from san.lab import process
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.progress import Report
from san.lab.qemu import ACCELERATORS

CHOICES = ("auto", *ACCELERATORS)

# A kernel without a root gets here in about 2 s with KVM; some hosts create the machine and then
# hang in its firmware for ever.
_PROBE_LIMIT_S = 15.0
_MARKER = b"VFS: Unable to mount root fs"


def decide(wanted: str, binary: str, kernel: Path, layout: Layout, report: Report) -> str:
    """Return `kvm` or `tcg`; `auto` takes KVM where it boots a kernel."""
    if wanted == "tcg":
        return wanted
    proven = _proven(binary, kernel, layout, report)
    if wanted == "kvm" and not proven:
        msg = "KVM doesn't boot a kernel on this machine: use --accel auto or tcg"
        raise LabError(msg)
    return "kvm" if proven else "tcg"


def _proven(binary: str, kernel: Path, layout: Layout, report: Report) -> bool:
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    host = f"{boot_id} {Path(binary).stat().st_mtime_ns}"
    try:
        verdict = json.loads(layout.accel.read_text())
    except (FileNotFoundError, ValueError):
        verdict = {}
    if verdict.get("host") != host:
        with report.step(f"probe of KVM (at most {_PROBE_LIMIT_S:.0f} s)"):
            verdict = {"host": host, "kvm": _boots(binary, kernel, layout)}
        layout.accel.write_text(json.dumps(verdict))
    return bool(verdict["kvm"])


def _boots(binary: str, kernel: Path, layout: Layout) -> bool:
    log = layout.log("kvm-probe")
    log.unlink(missing_ok=True)
    record = layout.processes / "kvm-probe.json"
    command = [binary, "-nodefaults", "-no-user-config", "-machine", "pc", *ACCELERATORS["kvm"]]
    command += ["-m", "256M", "-display", "none", "-no-reboot", "-serial", "stdio"]
    command += ["-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
    process.spawn(command, record, log)
    try:
        return _said(log, record)
    finally:
        process.end(record)


def _said(log: Path, record: Path) -> bool:
    deadline = time.monotonic() + _PROBE_LIMIT_S
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_delay(_PROBE_LIMIT_S),
        wait=tenacity.wait_fixed(0.1),
        retry=tenacity.retry_if_result(lambda over: not over),
        retry_error_callback=lambda _: None,
    )
    retry(
        lambda: (
            _MARKER in log.read_bytes()
            or process.running(record) is None
            or time.monotonic() > deadline
        )
    )
    return _MARKER in log.read_bytes()
