"""Bombs, escapes, links and depths at the door of `isoflop import` and of every file of ours."""

import gzip
import io
import json
import os
import struct
import time
import zipfile
from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.base.strict_json import loads
from isoflop.cli.main import run
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.plain_yaml import parse_yaml
from isoflop.exchange.sources.safetensors_size import count_weights

SECONDS = 2.0
"""Processor time within which each of these is refused."""


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def lying_zip() -> bytes:
    """A zip whose directory says 9 bytes where 5 MB unpack."""
    content = archive({"r.csv": b"0" * 5_000_000})
    return content.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 9))


def linked() -> bytes:
    info = zipfile.ZipInfo("r.csv")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, "/etc/passwd")
    return buffer.getvalue()


EVIL = {
    "gzip bomb": ("r.csv.gz", gzip.compress(b"0" * 50_000_000)),
    "gzip in gzip": ("r.csv.gz", gzip.compress(gzip.compress(b"0" * 50_000_000))),
    "zip bomb": ("r.zip", archive({"r.csv": b"0" * 50_000_000})),
    "zip of many": ("r.zip", archive({f"{k}.csv": b"0" * 500_000 for k in range(60)})),
    "zip that lies": ("r.zip", lying_zip()),
    "zip in zip": ("r.zip", archive({"r.zip": archive({"r.csv": b"N,loss\n1e6,3\n"})})),
    "parent": ("r.zip", archive({"../r.csv": b"N,loss\n1e6,3\n"})),
    "parent inside": ("r.zip", archive({"a/../../r.csv": b"N,loss\n1e6,3\n"})),
    "backslash": ("r.zip", archive({"..\\r.csv": b"N,loss\n1e6,3\n"})),
    "absolute": ("r.zip", archive({"/tmp/isoflop-escape.csv": b"N,loss\n1e6,3\n"})),
    "drive": ("r.zip", archive({"C:/r.csv": b"N,loss\n1e6,3\n"})),
    "too deep": ("r.zip", archive({"/".join("a" * 40) + "/r.csv": b"N,loss\n1e6,3\n"})),
    "link in a zip": ("r.zip", linked()),
    "deep JSON": ("r.json", b"[" * 200_000),
    "deep objects": ("r.json", b'{"a":' * 200_000 + b"1" + b"}" * 200_000),
    "long integer": ("r.json", b'[{"loss": ' + b"9" * 100_000 + b"}]"),
    "not UTF-8": ("r.csv", b"N,loss\n\xff\xfe,3\n"),
    "wide header": ("r.csv", b",".join(b"c%d" % k for k in range(5_000)) + b"\n"),
    "long cell": ("r.csv", b"N,loss\n" + b"1" * 5_000_000 + b",3\n"),
}


SAID = {
    "gzip bomb": "unpack to more than",
    "zip bomb": "unpack to more than",
    "zip of many": "unpack to more than",
    "zip in zip": "a zip inside a zip",
    "parent": "would leave its folder",
    "parent inside": "would leave its folder",
    "backslash": "would leave its folder",
    "absolute": "would leave its folder",
    "drive": "would leave its folder",
    "too deep": "lies deeper than",
    "link in a zip": "is a symbolic link",
    "deep JSON": "nested too deeply",
    "deep objects": "nested too deeply",
    "wide header": "more than 4096",
}
"""Refused for what it is, not for being no table."""


@pytest.mark.parametrize("what", EVIL)
def test_each_is_refused_in_one_line_and_soon(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content = EVIL[what]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    begun = time.process_time()
    assert run(["import", str(folder / name)]) == 2
    assert time.process_time() - begun < SECONDS
    out = capsys.readouterr()
    assert out.err.startswith("error: ")
    assert SAID.get(what, "") in out.err
    assert out.err.count("\n") == 1
    assert len(out.err) < 1_000
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert not Path("/tmp/isoflop-escape.csv").exists()


def test_links_in_a_folder_are_not_followed_and_pipes_not_waited_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    history = [{"step": k, "eval_loss": 4 - k / 10} for k in range(1, 6)]
    (secret / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "trainer_state.json").symlink_to(secret / "trainer_state.json")
    (folder / "all").symlink_to(secret)
    with pytest.raises(InputError, match="no runs recognised"):
        import_runs(folder)
    os.mkfifo(tmp_path / "runs.csv")
    for command in (["import"], ["fit"], ["check"]):
        assert run([*command, str(tmp_path / "runs.csv")]) == 2


def test_a_folder_that_is_too_deep_is_refused(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"a" * 15)
    deep.mkdir(parents=True)
    (deep / "trainer_state.json").write_text("{}")
    with pytest.raises(InputError, match="deeper than"):
        import_runs(tmp_path)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1, "a": 2}', "[1e999]", "[" * 100_000,
                                  "9" * 5_000])  # fmt: skip
def test_our_own_files_are_strict_json(text: str) -> None:
    with pytest.raises(InputError):
        loads(text, source="law.json")


def test_yaml_expands_nothing() -> None:
    """Aliases that would make 10^9 items, a tag that would call: read as nothing at all."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: !!python/object/apply:os.system ['ls']\nlr: 0.1\n"
    assert parse_yaml(bomb, source="config.yaml") == {"lr": 0.1}


def test_a_safetensors_header_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    assert count_weights(tmp_path) is None
    path.write_bytes(struct.pack("<Q", 100_000) + b"[" * 100_000)
    assert count_weights(tmp_path) is None
