"""What `SummaryWriter.add_hparams` writes belongs to its run, and is no run of its own."""

import struct
from pathlib import Path

from foreign_files import chunk, event, frame_events

from isoflop.exchange.import_runs import import_runs


def settings_event(**cells: float | str) -> bytes:
    """One event as add_hparams writes it: SessionStartInfo in the metadata of a value."""
    entries = b""
    for key, cell in cells.items():
        held = (
            chunk(3, cell.encode()) if isinstance(cell, str) else b"\x11" + struct.pack("<d", cell)
        )
        entries += chunk(1, chunk(1, key.encode()) + chunk(2, held))
    plugin = chunk(1, b"hparams") + chunk(2, chunk(3, entries))
    value = chunk(1, b"_hparams_/session_start_info") + chunk(9, chunk(1, plugin))
    return b"\x09" + struct.pack("<d", 1e9) + chunk(5, chunk(1, value))


def lay(folder: Path, records: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.out.tfevents.1").write_bytes(frame_events(records))


def test_settings_in_a_folder_below_join_the_run_above(tmp_path: Path) -> None:
    for name, size in (("a", 1e6), ("b", 2e6)):
        curve = [event(k, "eval/loss", 4 - k / 10, tensor=True) for k in range(11)]
        lay(tmp_path / name, curve)
        last = event(0, "hparam/acc", 0.5, tensor=False)
        lay(tmp_path / name / "1795.3", [settings_event(n_params=size, opt="adam"), last])
    table = import_runs(tmp_path).table
    assert table.names() == ["a", "b"]
    assert table.numbers("n_params").tolist() == [1e6, 2e6]
    assert table.numbers("steps").tolist() == [10, 10]
    assert table.text("opt") == ["adam", "adam"]
    assert table.numbers("hparam/acc").tolist() == [0.5, 0.5]


def test_settings_in_the_folder_of_the_run_are_its_own(tmp_path: Path) -> None:
    curve = [event(k, "eval/loss", 4 - k / 10, tensor=True) for k in range(11)]
    lay(tmp_path / "a", [settings_event(n_params=1e6), *curve])
    table = import_runs(tmp_path).table
    assert table.names() == ["a"]
    assert table.numbers("n_params").tolist() == [1e6]
