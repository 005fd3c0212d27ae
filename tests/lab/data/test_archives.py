import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.lab.data.archives import Member, read_members
from isoflop.lab.data.corpora import read_corpus
from isoflop.lab.data.unpack import LIMITS, Limits, unpack_bytes

TEXTS = {"a/one.txt": b"first", "a/two.txt": b"second", "a/skip.bin": b"\x00\xff"}


def tar_bytes(files: dict[str, bytes], *extra: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def deb_bytes(data: bytes, member: str = "data.tar.xz") -> bytes:
    parts = [b"!<arch>\n"]
    for name, content in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), (member, data)):
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        parts += [head, content, b"\n" * (len(content) % 2)]
    return b"".join(parts)


def texts_of(path: Path, **options) -> dict[str, bytes]:
    found = read_members(path, lambda name: name.endswith(".txt"), **options)
    return {member.path: member.content for member in found}


EXPECTED = {"a/one.txt": b"first", "a/two.txt": b"second"}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["tar", "gz", "xz"])
def test_wanted_files_of_a_tar_are_read_in_order(tmp_path: Path, pack) -> None:
    path = tmp_path / "texts.tgz"
    path.write_bytes(pack(tar_bytes(TEXTS)))
    assert texts_of(path) == EXPECTED
    assert next(read_members(path, lambda name: True)) == Member("a/one.txt", b"first")


def test_wanted_files_of_a_zip_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "texts.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in TEXTS.items():
            archive.writestr(name, content)
    assert texts_of(tmp_path / "texts.zip") == EXPECTED


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress])
def test_wanted_files_of_a_debian_package_are_read(tmp_path: Path, pack) -> None:
    (tmp_path / "texts.deb").write_bytes(deb_bytes(pack(tar_bytes(TEXTS))))
    assert texts_of(tmp_path / "texts.deb") == EXPECTED


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
def test_a_package_that_debian_tools_built_is_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    control = "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: A\nDescription: t\n"
    (root / "DEBIAN" / "control").write_text(control)
    (root / "usr").mkdir()
    (root / "usr" / "one.txt").write_bytes(b"first")
    command = ["dpkg-deb", "-Zxz", "--root-owner-group", "--build", str(root), "tiny.deb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert texts_of(tmp_path / "tiny.deb") == {"usr/one.txt": b"first"}


def test_a_packed_tar_inside_a_package_is_read_in_its_place(tmp_path: Path) -> None:
    inner = lzma.compress(tar_bytes(TEXTS))
    outer = {"./src/other.txt": b"no", "./src/inner.tar.xz": inner}
    (tmp_path / "texts.deb").write_bytes(deb_bytes(gzip.compress(tar_bytes(outer))))
    assert texts_of(tmp_path / "texts.deb", inner="src/inner.tar.xz") == EXPECTED
    with pytest.raises(InputError, match="found no src/none"):
        texts_of(tmp_path / "texts.deb", inner="src/none.tar.xz")


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "a\\..\\b.txt"])
def test_a_name_that_leads_out_condemns_the_archive(tmp_path: Path, name: str) -> None:
    (tmp_path / "texts.tar").write_bytes(tar_bytes({**TEXTS, name: b"evil"}))
    with pytest.raises(InputError, match="leads out of the archive; refused"):
        texts_of(tmp_path / "texts.tar")
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        archive.writestr(name, "evil")
    with pytest.raises(InputError, match="leads out of the archive; refused"):
        texts_of(tmp_path / "texts.zip")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused_and_never_followed(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "texts.tar").write_bytes(tar_bytes(TEXTS, link("a/link.txt", "/etc/passwd", kind)))
    with pytest.raises(InputError, match=r"a/link\.txt is a link or a device"):
        texts_of(tmp_path / "texts.tar")
    assert texts_of(tmp_path / "texts.tar", links="skip") == EXPECTED


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link.txt")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="is a link"):
        texts_of(tmp_path / "texts.zip")
    assert texts_of(tmp_path / "texts.zip", links="skip") == {}


ZEROS = bytes(64 << 20)


def test_bombs_are_refused_by_their_ratio(tmp_path: Path) -> None:
    """64 MiB of zeros pack about 1000-fold by gzip; text packs 3- to 10-fold."""
    (tmp_path / "bomb.tgz").write_bytes(gzip.compress(tar_bytes({"a.bin": ZEROS})))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", ZEROS)
    for name in ("bomb.tgz", "bomb.zip"):
        with pytest.raises(InputError, match="refused as a bomb"):
            texts_of(tmp_path / name)
    with pytest.raises(InputError, match="refused as a bomb"):
        unpack_bytes(gzip.compress(ZEROS), "a.gz")


def test_bombs_are_refused_by_size_and_by_number(tmp_path: Path) -> None:
    (tmp_path / "texts.tar").write_bytes(tar_bytes(TEXTS))
    for limits in (Limits(members=2), Limits(member_bytes=5), Limits(total_bytes=2000)):
        with pytest.raises(InputError, match="refused as a bomb"):
            texts_of(tmp_path / "texts.tar", limits=limits)
    assert LIMITS.total_bytes > 2_000_000_000, "kernel sources unpack to 1.3e9 bytes"


def test_damage_is_one_sentence(tmp_path: Path) -> None:
    whole = gzip.compress(tar_bytes(TEXTS))
    for name, content in {
        "cut.tgz": whole[: len(whole) // 2],
        "none.tar": b"no archive at all " * 100,
        "cut.deb": deb_bytes(lzma.compress(tar_bytes(TEXTS)))[:150],
        "new.deb": deb_bytes(b"\x28\xb5\x2f\xfd0000", "data.tar.zst"),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            texts_of(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_archive_of_the_user_is_a_corpus_and_an_evil_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "texts.tar.gz").write_bytes(gzip.compress(tar_bytes(TEXTS)))
    assert read_corpus(str(tmp_path / "texts.tar.gz")).documents == (b"first", b"second")
    (tmp_path / "evil.tar").write_bytes(tar_bytes(TEXTS, link("b.txt", "/etc/passwd")))
    with pytest.raises(InputError, match="is a link"):
        read_corpus(str(tmp_path / "evil.tar"))
    (tmp_path / "bad.tar").write_bytes(tar_bytes({"x.txt": b"\xff\xfe"}))
    with pytest.raises(InputError, match=r"x\.txt: cannot be read as UTF-8"):
        read_corpus(str(tmp_path / "bad.tar"))


def test_a_link_out_of_a_folder_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("first")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    assert len(read_corpus(str(folder)).documents) == 2
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "c.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(InputError, match="a link that leads out"):
        read_corpus(str(folder))
