"""Kernel modules as an inventory declares them."""

import attrs
import pytest
from model_tree import problems, put

from san.model import Archive, Directory, KernelModule, Kernels, Patch, Signing, Tool
from san.modules import iet_0_4_17, iet_1_4_20_3, scst

SHA256 = "0" * 64
MODULE = KernelModule(
    "fixture",
    "1.0",
    Archive("https://example.org/fixture-1.0.tar.gz", SHA256),
    files=("kernel/fixture.ko",),
    patches=(Patch("fix.patch", SHA256, Kernels("6.1")),),
    tools=(Tool("usr/fixtured", "/usr/local/sbin/fixtured"),),
    signing=Signing("/root/mok.key", "/root/mok.der"),
)


@pytest.mark.parametrize(
    "module",
    [
        MODULE,
        attrs.evolve(MODULE, source=Directory("/usr/src/fixture-1.0")),
        attrs.evolve(MODULE, source=Archive("sources/fixture.tar.xz", SHA256)),
        attrs.evolve(MODULE, signing=Signing("pkcs11:token=mok;object=key", "/root/mok.der")),
        attrs.evolve(MODULE, kernels=Kernels("6.1.90", "6.1")),
        iet_0_4_17(Archive("iscsitarget-0.4.17.tar.gz", SHA256)),
        iet_1_4_20_3(Archive("iscsitarget-1.4.20.3.tar.gz", SHA256)),
        scst(Archive("scst-3.9.tar.gz", SHA256), "3.9"),
    ],
)
def test_what_can_be_built_is_sound(cluster, module):
    assert problems(attrs.evolve(cluster, modules=(module,))) == []


@pytest.mark.parametrize(
    ("module", "first", "last"),
    [
        (iet_0_4_17(Archive("iet.tar.gz", SHA256)), "2.6.14", "2.6.27"),
        (iet_1_4_20_3(Archive("iet.tar.gz", SHA256)), "2.6.14", "3.2"),
        (scst(Archive("scst.tar.gz", SHA256), "3.9"), "3.10", "6.12"),
        (scst(Archive("scst.tar.gz", SHA256), "3.10.1"), "3.10", "6.18"),
        (scst(Archive("scst.tar.gz", SHA256), "master"), "3.10", None),
    ],
)
def test_a_shipped_description_knows_the_kernels_of_its_release(module, first, last):
    assert module.kernels == Kernels(first, last)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("source", "fixture.tar.gz", "it is of type str, not an Archive or a Directory"),
        ("source.sha256", "ABC", "is not a sha256: 64 hex digits in lower case"),
        ("source.location", "ftp://example.org/x.tar.gz", "has the scheme 'ftp'; write https://"),
        ("source.location", "fixture.zip", "does not end with an archive's name"),
        ("files", ("fixture.o",), "is not a module's file; it ends with .ko"),
        ("files", ("../fixture.ko",), "is not a plain path below the source"),
        ("files", ("a/x.ko", "b/x.ko"), "x.ko is there twice"),
        ("files", (), "declare at least 1"),
        ("make", (("all\nname evil",),), "is not an argument on one line"),
        ("make", ("all",), "here stand tuples of make's arguments"),
        ("kernels", Kernels("6.x"), "is not a kernel's version"),
        ("kernels", Kernels("6.12", "6.1"), "'6.1' comes before '6.12'; exchange them"),
        ("place", "../../etc", "is not a plain path below the source"),
        ("place", "weak-updates/x", "is not below updates/, extra/ or kernel/"),
        ("tools[0].destination", "usr/sbin/x", "is not an absolute path on the node"),
        ("tools[0].destination", "/usr/../etc/x", "is not an absolute path on the node"),
        (
            "tools",
            (Tool("a/t", "/usr/sbin/t"), Tool("b/t", "/usr/local/sbin/t")),
            "two of them land as t; give each a name of its own",
        ),
        ("options", ("options a b\ninstall a evil",), "is not an argument on one line"),
        ("packages", ("libssl-dev; reboot",), "has white space"),
        ("signing.key", "pkcs11:token=mok;object=k?pin-value=1234", "pin-source=file:/PATH here"),
        ("signing.certificate", "mok.der", "is not an absolute path on the node"),
        ("space", 0, "is not MiB that a build may take"),
        ("initrd", "yes", "is not one of True, False"),
        ("name", "a b", "has white space"),
    ],
)
def test_what_cannot_be_built_is_told_by_its_path(cluster, path, value, sentence):
    found = problems(attrs.evolve(cluster, modules=(put(MODULE, path, value),)))

    assert len(found) == 1, found
    assert found[0].startswith(f"modules[0].{path.split('[')[0].split('.')[0]}")
    assert sentence in found[0]


def test_a_module_is_declared_once(cluster):
    assert (
        "'fixture' is there twice" in problems(attrs.evolve(cluster, modules=(MODULE, MODULE)))[0]
    )
