"""san-kmod on a node made of files: real sh, tar, patch and make; modules are small texts.

Real compilers, kernels and signatures are in tests/lab.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from kmod_node import MAKEFILE, NEW, OLD, Node

from san.model import Kernels, Patch, Signing, Tool
from san.render.template import TEMPLATES


def test_every_installed_kernel_gets_its_module_and_the_same_inputs_are_never_built_twice(node):
    done = node.call("build")

    assert done.returncode == 0, done.stderr
    assert f"vermagic={OLD}" in node.ko(OLD).read_text()
    assert f"vermagic={NEW}" in node.ko(NEW).read_text()
    assert node.call("check").returncode == 0
    assert node.call("build").returncode == 0
    assert node.compilations == 2


@pytest.mark.parametrize(
    "path", [f"lib/modules/{OLD}/build/Module.symvers", f"lib/modules/{OLD}/build/.config"]
)
def test_headers_that_change_without_a_new_kernel_are_a_reason_to_build(node, path):
    node.call("build")
    node.write(path, "two\n")

    assert node.stand(OLD) == "stale"
    assert node.call("gate").returncode == 0  # it works: the node may serve

    node.call("build")
    assert node.stand(OLD) == "ready"
    assert node.compilations == 3


def test_a_source_behind_a_link_is_part_of_the_build(node):
    node.write("usr/share/common.c", "int x;\n")
    source = node.root / "usr/src/fixture-1.0/source.c"
    source.unlink()
    source.symlink_to(node.root / "usr/share/common.c")
    node.call("build")

    node.write("usr/share/common.c", "int y;\n")

    assert node.stand(OLD) == "stale"


def test_a_changed_source_is_a_reason_to_build(node):
    node.call("build")
    node.write("usr/src/fixture-1.0/source.c", "int y;\n")

    assert {node.stand(OLD), node.stand(NEW)} == {"stale"}


def test_without_headers_it_says_which_and_the_next_boot_is_not_ready(node):
    shutil.rmtree(node.root / f"lib/modules/{NEW}/build")

    done = node.call("build")

    assert done.returncode == 1
    assert f"apt-get install linux-headers-{NEW}" in done.stderr
    assert node.call("check", "--running").returncode == 0
    assert node.call("check", "--next").returncode == 1
    assert node.call("gate").returncode == 0
    assert f"DO NOT REBOOT: the kernel that boots next, {NEW}, lacks" in node.call("motd").stdout


def test_the_gate_is_closed_while_the_running_kernel_lacks_a_module(node):
    done = node.call("gate")

    assert done.returncode == 1
    assert f"this node must not serve: its kernel {OLD} lacks fixture 1.0" in done.stderr


def test_a_source_that_does_not_compile_leaves_the_old_module_and_names_the_log(node):
    node.call("build")
    (node.root / "usr/src/fixture-1.0/source.c").unlink()

    said = node.refuses()

    log = f"/var/log/san/fixture-{OLD}.log"
    assert "fixture 1.0 was not built anew" in said
    assert f"it does not compile (log: {log})" in said
    assert "source.c" in (node.root / log.lstrip("/")).read_text()


def test_a_make_that_makes_nothing_is_a_failure(node):
    node.write("usr/src/fixture-1.0/Makefile", "all:\n\ttrue\n")

    assert "make succeeded, and there is no fixture.ko" in node.refuses()


def test_a_module_for_another_kernel_is_a_failure(node):
    node.write("usr/src/fixture-1.0/Makefile", MAKEFILE.replace("$(RELEASE)", "5.10.0"))

    assert f"fixture.ko was built for kernel '5.10.0', not for {OLD}" in node.refuses()


def test_a_missing_compiler_is_named(node, tmp_path):
    (node.bin / "gcc").unlink()
    without = tmp_path / "without"
    without.mkdir()
    for directory in ("/usr/bin", "/bin"):
        for program in Path(directory).iterdir():
            if not (without / program.name).exists() and program.name not in {"gcc", "cc"}:
                (without / program.name).symlink_to(program)

    done = node.call("build", PATH=f"{node.bin}:{without}")

    assert "gcc is missing: apt-get install gcc make binutils" in done.stderr


def test_a_full_disk_is_refused_before_anything_is_written(node):
    node.describe(space=100_000_000 - 1)

    assert "MiB free, and a build takes up to 99999999 MiB: make room" in node.refuses()


def test_an_archive_is_unpacked_and_its_sha256_must_be_the_inventorys(node):
    packed = node.archive()
    assert node.call("build").returncode == 0

    packed.write_bytes(packed.read_bytes() + b"\0")
    node.write(f"lib/modules/{OLD}/build/Module.symvers", "two\n")

    assert f"the sha256 of fixture-1.0.tar.gz is not {packed.name}" in node.refuses()


def member(name, **changes):
    info = tarfile.TarInfo(name)
    for field, value in changes.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    ("astray", "sentence"),
    [
        (member("/etc/evil"), "names a file outside of itself: /etc/evil"),
        (member("fixture-1.0/../../evil"), "names a file outside of itself"),
        (
            member("fixture-1.0/l", type=tarfile.SYMTYPE, linkname="/etc"),
            "has a link that leaves it: fixture-1.0/l",
        ),
        (
            member("fixture-1.0/l", type=tarfile.SYMTYPE, linkname="../../x"),
            "has a link that leaves it: fixture-1.0/l",
        ),
        (
            member("fixture-1.0/l", type=tarfile.LNKTYPE, linkname="../etc/passwd"),
            "names a file outside of itself: ../etc/passwd",
        ),
    ],
)
def test_an_archive_that_reaches_out_of_itself_is_refused(node, astray, sentence):
    node.archive(astray)

    assert sentence in node.refuses()
    assert node.compilations == 0


def test_a_name_with_a_tab_leaves_the_report_readable(node):
    node.archive(member("fixture-1.0/a\tb", type=tarfile.SYMTYPE, linkname="/etc"))

    node.call("build", "--kernel", OLD)

    assert "has a link that leaves it: fixture-1.0/a b" in node.state.builds["fixture", OLD].reason


def test_patches_apply_to_their_kernels_only(node):
    text = "--- a/source.c\n+++ b/source.c\n@@ -1 +1 @@\n-int x;\n+int patched;\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    node.write(f"var/lib/san/kmod/sources/{sha256}", text)
    node.describe(patches=(Patch("fix.patch", sha256, Kernels("6.12")),))

    assert node.call("build").returncode == 0

    logs = node.root / "var/log/san"
    assert "int patched" not in (logs / f"fixture-{OLD}.log").read_text()
    assert "int patched" in (logs / f"fixture-{NEW}.log").read_text()


def test_a_patch_that_does_not_apply_is_named(node):
    text = "--- a/source.c\n+++ b/source.c\n@@ -1 +1 @@\n-int other;\n+int patched;\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    node.write(f"var/lib/san/kmod/sources/{sha256}", text)
    node.describe(patches=(Patch("fix.patch", sha256),))

    assert f"patch {sha256[:12]} does not apply to fixture 1.0" in node.refuses()


@pytest.mark.parametrize(
    ("first", "last", "there"),
    [
        ("6.1", "6.1", {OLD}),
        ("6.2", None, {NEW}),
        (None, "6.11", {OLD}),
        ("6.12.117", "6.12.117", {NEW}),
        ("2.6.14", "3.2", set()),
    ],
)
def test_only_supported_kernels_are_built_for(node, first, last, there):
    node.describe(kernels=Kernels(first, last))

    done = node.call("build")

    assert {release for release in (OLD, NEW) if node.ko(release).exists()} == there
    for release in {OLD, NEW} - there:
        assert node.stand(release) == "unsupported"
        assert f"{release}: it is for kernels {first or '-'} to {last or '-'}" in done.stderr


def version_header(node, version):
    """What Debian's headers say of 6.1.0-47, whose own version is another."""
    major, minor, patch = version.split(".")
    node.write(
        f"lib/modules/{OLD}/build/include/generated/uapi/linux/version.h",
        f"#define LINUX_VERSION_CODE 393659\n#define LINUX_VERSION_MAJOR {major}\n"
        f"#define LINUX_VERSION_PATCHLEVEL {minor}\n#define LINUX_VERSION_SUBLEVEL {patch}\n",
    )


@pytest.mark.parametrize(
    ("first", "last", "supported"),
    [
        ("6.1.90", None, True),
        (None, "6.1.187", True),
        ("6.1.188", None, False),
        (None, "6.1.90", False),
    ],
)
def test_a_range_is_of_the_kernels_own_version_which_debians_release_has_not(
    node, first, last, supported
):
    version_header(node, "6.1.187")
    node.describe(kernels=Kernels(first, last))

    node.call("build", "--kernel", OLD)

    assert node.stand(OLD) == ("ready" if supported else "unsupported")


def test_without_headers_a_range_within_one_line_is_left_open(node):
    node.describe(kernels=Kernels("6.1.90", "6.1.200"))
    shutil.rmtree(node.root / f"lib/modules/{OLD}/build")

    assert f"apt-get install linux-headers-{OLD}" in node.call("check", "--running").stdout


def test_the_hook_never_fails_and_builds_when_the_second_half_of_a_kernel_arrives(node):
    release = "6.1.0-56-cloud-amd64"
    node.add_image(release)
    image = node.call("hook", "image", release)
    assert image.returncode == 0
    assert f"apt-get install linux-headers-{release}" in image.stderr
    assert f"do not reboot into {release}" in image.stderr

    node.add_headers(release)
    assert node.call("hook", "headers", release).returncode == 0
    assert node.stand(release) == "ready"


def test_headers_that_come_before_their_image_are_built_for_at_once(node):
    release = "6.1.0-56-cloud-amd64"
    node.add_headers(release)
    node.call("hook", "headers", release)
    assert node.ko(release).exists()

    node.add_image(release)
    image = node.call("hook", "image", release)

    assert (image.returncode, image.stderr) == (0, "")
    assert node.stand(release) == "ready"
    assert node.compilations == 1


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        ("image", [NEW]),
        ("headers", [NEW]),
        ("removed", [NEW]),
        ("kernel-install", ["add", NEW]),
        ("kernel-install", ["inspect"]),
    ],
)
def test_no_package_fails_where_the_program_is_gone(hook, arguments):
    """As on a node whose /usr/local isn't mounted."""
    done = subprocess.run(
        ("sh", TEMPLATES / f"kmod/hook-{hook}", *arguments),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert (f"san-kmod did nothing for {NEW}" in done.stderr) == (NEW in arguments)


def test_a_failed_rebuild_does_not_forbid_the_reboot_that_the_old_build_is_good_for(node):
    node.call("build")
    (node.root / "usr/src/fixture-1.0/source.c").unlink()

    done = node.call("hook", "headers", NEW)

    assert (
        f"fixture 1.0 was not built anew for {NEW}, which goes on with what it has" in done.stderr
    )
    assert "do not reboot" not in done.stderr
    assert node.call("check", "--next").returncode == 0


def test_a_package_that_is_installed_again_keeps_its_kernels_modules(node):
    """Debian's postrm calls the hook at an upgrade too, with the new image in place."""
    node.call("build")

    assert node.call("hook", "removed", OLD).returncode == 0

    assert node.stand(OLD) == "ready"


def test_a_kernel_that_leaves_takes_its_builds_with_it(node):
    node.call("build")
    (node.root / f"boot/vmlinuz-{NEW}").unlink()

    assert node.call("hook", "removed", NEW).returncode == 0

    left = [path for path in node.root.rglob("*") if NEW in str(path.relative_to(node.root))]
    assert all("build" in path.parts or path.name in {NEW, "modules.order"} for path in left), left
    assert node.stand(OLD) == "ready"


def test_a_module_that_moves_to_another_place_leaves_nothing_at_the_old_one(node):
    node.call("build")
    node.describe(place="extra")

    assert node.call("build").returncode == 0

    assert not node.ko(OLD).exists()
    assert (node.root / f"lib/modules/{OLD}/extra/fixture.ko").exists()


def test_a_source_that_no_module_names_any_longer_goes(node):
    other = node.archive()
    kept = node.archive(tarfile.TarInfo("fixture-1.0/more"))

    node.call("build")

    assert kept.exists()
    assert not other.exists()


def test_a_module_is_forgotten_with_all_that_was_made_for_it(node):
    node.describe(tools=(Tool("fixtured", "/usr/local/sbin/fixtured"),))
    node.call("build")
    node.write("etc/modprobe.d/san-fixture.conf", "options fixture x=1\n")

    assert node.call("forget", "fixture").returncode == 0

    assert {path.parent.name for path in node.root.rglob("*fixture*")} == {"src"}
    assert node.call("gate").returncode == 0
    again = node.call("forget", "fixture")
    assert (again.returncode, "no module 'fixture'" in again.stderr) == (2, True)


def test_one_finished_build_is_kept_for_a_kernel(node):
    node.call("build")
    node.write(f"lib/modules/{OLD}/build/Module.symvers", "two\n")
    node.call("build")

    assert len(list((node.root / f"var/lib/san/kmod/builds/fixture/{OLD}").iterdir())) == 1


def test_what_a_power_cut_left_is_finished_without_compiling_again(node):
    node.call("build")
    node.ko(OLD).write_text("vermagic=half")
    node.write("var/lib/san/kmod/work/abc/rest", "")
    node.write(f"var/lib/san/kmod/builds/fixture/{OLD}/abc.tar.new", "")
    assert node.stand(OLD) == "unusable"
    assert node.call("gate").returncode == 1

    assert node.call("build").returncode == 0

    assert node.stand(OLD) == "ready"
    assert node.compilations == 2
    assert not list(node.root.glob("var/lib/san/kmod/work/*"))
    assert not list(node.root.rglob("*.new"))


@pytest.fixture
def twin(node, tmp_path):
    """The other node, with the same inputs."""
    other = Node(tmp_path, "twin")
    other.describe(make=node.module.make)
    return other


def handed_over(node, twin):
    """The build for OLD, as a run carries it: key, sha256, and the file on the twin."""
    build = node.state.builds["fixture", OLD]
    (key,) = build.finished
    file = node.root / f"var/lib/san/kmod/builds/fixture/{OLD}/{key}.tar"
    arrived = twin.root / "arrived"
    shutil.copy(file, arrived)
    return key, build.finished[key], str(arrived)


def test_the_twin_takes_the_finished_build_and_compiles_nothing(node, twin):
    node.call("build")
    before = node.compilations

    done = twin.call("import", "fixture", OLD, *handed_over(node, twin))

    assert done.returncode == 0, done.stderr
    assert twin.stand(OLD) == "ready"
    assert node.compilations + twin.compilations == before


def test_a_build_that_was_damaged_on_its_way_or_is_of_other_inputs_is_not_taken(node, twin):
    node.call("build")
    key, sha256, arrived = handed_over(node, twin)
    damaged = Path(arrived)
    damaged.write_bytes(damaged.read_bytes() + b"x")
    assert "the sha256 of the twin's build is not" in (
        twin.call("import", "fixture", OLD, key, sha256, arrived).stderr
    )
    twin.write("usr/src/fixture-1.0/source.c", "int other;\n")
    shutil.copy(node.root / f"var/lib/san/kmod/builds/fixture/{OLD}/{key}.tar", arrived)
    assert "has another key" in twin.call("import", "fixture", OLD, key, sha256, arrived).stderr
    assert not twin.ko(OLD).exists()
    assert not damaged.exists(), "what isn't taken takes no room"


def test_a_machine_that_takes_signed_modules_only_gets_no_unsigned_one(node):
    node.call("build")
    node.write("sys/module/module/parameters/sig_enforce", "Y\n")
    node.write(f"lib/modules/{OLD}/build/Module.symvers", "two\n")

    assert "no signing key is configured" in node.refuses()
    assert "is not signed" in node.call("gate").stderr
    assert node.compilations == 2, "it is known before it is compiled"


def test_a_key_that_is_not_enrolled_is_a_refusal(node):
    node.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    node.write("root/mok.der", "")
    node.describe(signing=Signing("/root/mok.key", "/root/mok.der"))

    assert "/root/mok.der is not enrolled: mokutil --import /root/mok.der" in node.refuses()


def test_a_configured_key_signs_what_is_installed(node):
    node.write("root/mok.der", "")
    signer = node.root / f"lib/modules/{OLD}/build/scripts/sign-file"
    signer.parent.mkdir()
    signer.write_text('#!/bin/sh\necho "signer=operator $1 $2" >> "$4"\n')
    signer.chmod(0o755)
    node.describe(signing=Signing("/root/mok.key", "/root/mok.der"))

    assert node.call("build", "--kernel", OLD).returncode == 0

    (file,) = node.state.builds["fixture", OLD].files
    assert file.signer == f"operator sha256 {node.root}/root/mok.key"
    node.write("sys/module/module/parameters/sig_enforce", "Y\n")
    assert "/root/mok.der is not enrolled" in node.call("gate").stderr
    node.stub(mokutil='echo "$2 is already enrolled"')
    assert node.call("gate").returncode == 0


def test_an_initrd_that_has_to_carry_the_module_is_made_anew_and_looked_into(node):
    node.write(f"boot/initrd.img-{OLD}", "")
    node.describe(initrd=True)

    node.call("build", "--kernel", OLD)

    assert (node.root / "initramfs.log").read_text() == f"-u -k {OLD}\n"
    assert node.stand(OLD) == "ready"
    node.stub(lsinitramfs=":")
    node.write(f"boot/initrd.img-{OLD}", "made anew\n")
    assert f"update-initramfs -u -k {OLD}" in node.call("gate").stderr


def test_a_module_that_is_forgotten_leaves_the_initrd_too(node):
    """It would be loaded from there, at the next boot."""
    node.write(f"boot/initrd.img-{OLD}", "")
    node.describe(initrd=True)
    node.call("build", "--kernel", OLD)

    assert node.call("forget", "fixture").returncode == 0

    assert (node.root / "initramfs.log").read_text().splitlines() == [f"-u -k {OLD}"] * 2


def test_whether_an_initrd_carries_a_module_is_told_and_looked_up_once_for_each_initrd(node):
    """A copy that nobody asked for would be loaded in place of the newer one."""
    looks = node.root / "looks"
    listed = "echo usr/lib/modules/x/updates/san/fixture.ko.xz"
    node.stub(lsinitramfs=f"echo >>{looks}; {listed}")
    node.write(f"boot/initrd.img-{OLD}", "")
    node.call("build")

    for _ in range(2):
        builds = node.state.builds
        assert [file.initrd for file in builds["fixture", OLD].files] == [True]
        assert [file.initrd for file in builds["fixture", NEW].files] == [False]
    assert looks.read_text() == "\n"

    node.stub(lsinitramfs="echo usr/lib/modules/x/kernel/ext4.ko")
    node.write(f"boot/initrd.img-{OLD}", "made anew\n")
    assert [file.initrd for file in node.state.builds["fixture", OLD].files] == [False]


@pytest.mark.parametrize(
    ("first", "carries"),
    [
        ("echo init; echo usr/lib/modules/x/updates/san/fixture.ko", True),
        ("echo kernel/x86/microcode/GenuineIntel.bin", False),
    ],
)
def test_an_initrd_that_is_one_archive_is_read_as_one(node, first, carries):
    """lsinitramfs took 108 s for it under emulation; before a packed one lies the microcode."""
    node.stub(cpio=first, lsinitramfs="echo kernel/x86/microcode/GenuineIntel.bin; echo init")
    node.write(f"boot/initrd.img-{OLD}", "070701 and so on")
    node.call("build", "--kernel", OLD)

    assert [file.initrd for file in node.state.builds["fixture", OLD].files] == [carries]


def test_values_of_a_description_are_never_run(node, tmp_path):
    harmless = tmp_path / "harmful"
    node.describe(version="$(touch_it)", make=((f"X=`touch {harmless}`$(shell true)", "all"),))

    node.call("build")
    node.call("check")

    assert not harmless.exists()


def test_headers_that_have_come_since_are_no_longer_the_reason(node):
    shutil.rmtree(node.root / f"lib/modules/{NEW}/build")
    node.call("build")
    node.add_headers(NEW)

    assert "it was never built: san-kmod build" in node.call("check", "--next").stdout


def test_a_hold_is_told_at_each_login_until_it_ends(node):
    node.stub(**{"apt-mark": ":"})
    node.call("build")
    node.call("hold", "otter: fixture: it does not compile")
    assert "Kernel upgrade held: otter: fixture" in node.call("motd").stdout

    node.call("unhold")
    assert node.call("motd").stdout == ""


def test_a_call_that_is_none_is_told_what_there_is(node):
    done = node.call("rebuild")

    assert done.returncode == 2
    commands = ("build", "check", "gate", "report", "import", "forget", "hold", "motd", "hook")
    for command in commands:
        assert f"san-kmod {command}" in done.stderr


def test_the_table_names_the_role_of_each_kernel(node):
    node.call("build")

    running, upcoming = node.call("check").stdout.splitlines()

    assert running.split()[:2] == [OLD, "running"]
    assert upcoming.split()[:3] == [NEW, "next", "boot"]


def test_the_table_is_there_for_programs_too(node):
    node.stub(**{"apt-mark": ":"})
    node.call("build", "--kernel", OLD)
    node.call("hold", 'weasel: "it" does not compile')

    done = node.call("check", "--json")

    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["held"] == 'weasel: "it" does not compile'
    assert [(each["kernel"], each["running"], each["next_boot"]) for each in found["modules"]] == [
        (OLD, True, False),
        (NEW, False, True),
    ]
    assert [each["state"] for each in found["modules"]] == ["ready", "absent"]
    assert found["modules"][1]["reason"] == "it was never built: san-kmod build"
    running = json.loads(node.call("check", "--running", "--json").stdout)
    assert [each["kernel"] for each in running["modules"]] == [OLD]
