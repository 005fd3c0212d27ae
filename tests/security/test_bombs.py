"""Files that run a command when a pickle is read: refused at every door, the command never run."""

import gzip
import io
import lzma
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from isoflop.cli.main import run


def payloads(command: str) -> dict[str, bytes]:
    """Pickles of three protocols, written opcode by opcode, that call os.system(command)."""
    said = command.encode()
    return {
        "text": b"cos\nsystem\n(S'" + said + b"'\ntR.",
        "binary": b"\x80\x02cos\nsystem\n(X" + struct.pack("<I", len(said)) + said + b"tR.",
        "short": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c"
        + bytes([len(said)])
        + said
        + b"\x85R.",
    }


def numpy_array(pickled: bytes) -> bytes:
    """A .npy file of one Python object."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickled


def packed(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def bombs(marker: Path) -> dict[str, bytes]:
    """Twelve files; each would make `marker` if whoever reads it unpickled."""
    pickles = payloads(f"touch {marker}")
    torch = {"archive/data.pkl": pickles["binary"], "archive/version": b"3\n"}
    return {
        "runs.pkl": pickles["short"],
        "runs.csv": pickles["text"],
        "runs.json": pickles["binary"],
        "runs.parquet": pickles["short"],
        "runs.csv.gz": gzip.compress(pickles["text"]),
        "runs.pickle.xz": lzma.compress(pickles["short"]),
        "runs.npy": numpy_array(pickles["short"]),
        "runs.npz": packed({"x.npy": numpy_array(pickles["short"])}),
        "model.pt": packed(torch),
        "old.pth": pickles["binary"],
        "sweep.joblib": pickles["short"],
        "runs.zip": packed({"runs.csv": pickles["text"]}),
    }


NAMES = tuple(bombs(Path("x")))


def test_there_are_twelve() -> None:
    assert len(NAMES) == 12


@pytest.mark.parametrize("kind", ["text", "binary", "short"])
def test_the_payloads_are_live(kind: str, tmp_path: Path) -> None:
    """Unpickled by Python itself, in a process of its own, each makes its marker."""
    marker, path = tmp_path / "ran", tmp_path / "payload"
    path.write_bytes(payloads(f"touch {marker}")[kind])
    subprocess.run([sys.executable, "-m", "pickle", str(path)], capture_output=True, check=False)
    assert marker.exists()


DOORS: dict[str, tuple[str, ...]] = {
    "import": ("import", "FILE", "-o", "out.csv"),
    "fit": ("fit", "FILE"),
    "check": ("check", "FILE"),
    "report": ("report", "FILE", "-o", "out.html"),
    "backtest": ("backtest", "FILE"),
    "plan": ("plan", "--law", "FILE", "--flops", "1e22"),
    "ladder": ("ladder", "plan", "FILE"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", NAMES)
def test_every_bomb_is_refused_at_every_door(
    name: str,
    door: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    marker = tmp_path / "ran"
    Path(name).write_bytes(bombs(marker)[name])
    code = run([name if word == "FILE" else word for word in DOORS[door]])
    out = capsys.readouterr()
    assert code == 2, out
    assert out.err.startswith("error: ")
    assert out.out == ""
    assert not marker.exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "trainer-state", "lm-eval", "wandb-runs"])
def test_naming_the_format_opens_no_door(kind: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for name, content in bombs(marker).items():
        path = tmp_path / name
        path.write_bytes(content)
        assert run(["import", str(path), "--format", kind]) == 2
    assert not marker.exists()


def test_pickles_beside_runs_are_passed_over(tmp_path: Path) -> None:
    """As optimizer.pt lies beside trainer_state.json; only the latter is read."""
    marker = tmp_path / "ran"
    folder = tmp_path / "out"
    folder.mkdir()
    for name, content in bombs(marker).items():
        (folder / name).write_bytes(content)
    entries = ", ".join(f'{{"step": {k}, "eval_loss": {4 - k / 10}}}' for k in range(1, 6))
    (folder / "trainer_state.json").write_text(f'{{"log_history": [{entries}], "global_step": 5}}')
    for name in ("runs.csv", "runs.json", "runs.parquet", "runs.zip", "runs.csv.gz"):
        (folder / name).unlink()
    assert run(["import", str(folder), "--format", "trainer-state"]) == 0
    assert not marker.exists()
