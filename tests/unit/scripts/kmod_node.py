"""A node made of files, for san-kmod: what it takes for /, and the programs it would ask."""

import hashlib
import io
import os
import subprocess
import tarfile

import attrs

from san.model import Archive, Directory, KernelModule
from san.observe.kmodule import parse
from san.render.kmod import description
from san.render.template import TEMPLATES

OLD, NEW = "6.1.0-47-cloud-amd64", "6.12.117+deb12-cloud-amd64"
MAKEFILE = """\
all:
\t@echo made >> $(LOG)
\tcat $(PWD)/source.c
\tprintf 'vermagic=%s SMP\\nsrcversion=1234\\n' $(RELEASE) > fixture.ko
\tprintf 'tool' > fixtured
"""
STUBS = {
    "depmod": ":",
    "logger": ":",
    "getent": ":",
    "chown": ":",
    "setpriv": 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
}
"""What would change this machine, or needs another user."""

FIXTURE_STUBS = {
    # nothing is compiled, and this machine may have no compiler
    "gcc": "echo gcc 99",
    # a module is a text of field=value lines
    "modinfo": 'sed -n "s/^$2=//p" "$3"',
    "uname": f"echo {OLD}",
    "strip": ":",
    "mokutil": 'echo "$2 is not enrolled"',
    "update-initramfs": 'echo "$@" >> "$SAN_KMOD_ROOT/initramfs.log"',
    "lsinitramfs": 'echo "usr/lib/modules/x/updates/san/fixture.ko"',
}


class Node:
    """A directory that `san-kmod` takes for /, with kernels and their headers."""

    def __init__(self, root, name="node", kernels=(OLD, NEW)):
        self.root = root / name
        self.bin = root / "bin"
        self.stub(**STUBS)
        self.made = root / f"{name}.made"
        self.made.touch()
        self.module = KernelModule(
            "fixture",
            version="1.0",
            source=Directory("/usr/src/fixture-1.0"),
            files=("fixture.ko",),
            make=(("RELEASE={release}", f"LOG={self.made}", "all"),),
            space=1,
        )
        for release in kernels:
            self.add_image(release)
            self.add_headers(release)
        if kernels:
            self.stub(**FIXTURE_STUBS)
            self.write("usr/src/fixture-1.0/Makefile", MAKEFILE)
            self.write("usr/src/fixture-1.0/source.c", "int x;\n")
            self.describe()

    def stub(self, **programs):
        self.bin.mkdir(exist_ok=True)
        for name, body in programs.items():
            (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.bin / name).chmod(0o755)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def add_image(self, release):
        self.write(f"boot/vmlinuz-{release}", "")
        self.write(f"lib/modules/{release}/modules.order", "")

    def add_headers(self, release):
        build = f"lib/modules/{release}/build"
        self.write(f"{build}/Makefile", "")
        self.write(f"{build}/.config", 'CONFIG_CC_VERSION_TEXT="gcc-99 (Debian) 99"\n')
        self.write(f"{build}/Module.symvers", "one\n")

    def describe(self, **changes):
        self.describe_as(attrs.evolve(self.module, **changes))

    def describe_as(self, module):
        self.module = module
        self.write(f"etc/san/kmod.d/{module.name}.conf", description(module))

    def keep(self, sha256, content):
        """A source as the deploy brings it."""
        file = self.root / "var/lib/san/kmod/sources" / sha256
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def log(self, module, release):
        return (self.root / f"var/log/san/{module}-{release}.log").read_text(errors="replace")

    def archive(self, *members):
        """A source archive of the fixture with further `members`, kept on the node."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name, text in (("Makefile", MAKEFILE), ("source.c", "int x;\n")):
                info = tarfile.TarInfo(f"fixture-1.0/{name}")
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
            for info in members:
                tar.addfile(info)
        sha256 = hashlib.sha256(packed.getvalue()).hexdigest()
        self.describe(source=Archive("fixture-1.0.tar.gz", sha256))
        return self.keep(sha256, packed.getvalue())

    def call(self, *arguments, **environment):
        return subprocess.run(
            ("sh", str(TEMPLATES / "kmod/san-kmod"), *arguments),
            env={"PATH": f"{self.bin}:{os.environ['PATH']}", "SAN_KMOD_ROOT": str(self.root)}
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def refuses(self, *arguments):
        """The sentence on standard error of a call that fails; nothing is half-installed."""
        before = self.ko(OLD).read_bytes() if self.ko(OLD).exists() else None
        done = self.call("build", "--kernel", OLD, *arguments)
        assert done.returncode == 1, done.stdout
        assert before == (self.ko(OLD).read_bytes() if self.ko(OLD).exists() else None)
        assert not list(self.root.glob("var/lib/san/kmod/work/*"))
        assert not list(self.root.rglob(".*.san-kmod"))
        return done.stderr

    @property
    def state(self):
        lines = self.call("report").stdout.splitlines()
        return parse(["[san:begin kmod]", *lines, "", "[san:end kmod 0]"])

    def stand(self, release):
        return self.state.builds["fixture", release].stand

    def ko(self, release):
        return self.root / f"lib/modules/{release}/updates/san/fixture.ko"

    @property
    def compilations(self):
        return self.made.read_text().count("made")
