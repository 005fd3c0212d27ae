"""Event files, W&B logs and databases: damage, torn tails, repeated steps, every value told."""

import math
import sqlite3
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from foreign_files import (
    chunk,
    event,
    event_records,
    frame_events,
    frame_log,
    item,
    lay,
    log_records,
    mlflow_database,
    seeds,
    trackio_database,
)

from isoflop.base.errors import InputError
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.sources import tensorboard, wandb_folder
from isoflop.exchange.tfrecord import masked_crc, read_records


def unmasked_crc32c(data: bytes) -> int:
    """CRC-32C bit by bit, as RFC 3720 defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_checksums_are_those_of_rfc_3720() -> None:
    assert unmasked_crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4: 32 bytes of zeroes
    for data in (b"", b"a", bytes(32), b"\xff" * 32, bytes(range(256))):
        crc = unmasked_crc32c(data)
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        assert masked_crc(data) == masked


def test_an_event_file_cut_anywhere_gives_every_record_before_the_cut() -> None:
    records = event_records()
    whole = frame_events(records)
    ends = np.cumsum([16 + len(record) for record in records])
    for cut in range(len(whole) + 1):
        read = read_records(whole[:cut])
        assert list(read.data) == records[: int((ends <= cut).sum())]
        assert read.torn == cut - max([0, *ends[ends <= cut].tolist()])


def test_a_damaged_record_is_dropped_alone_and_a_damaged_length_ends_the_file(
    tmp_path: Path,
) -> None:
    records = event_records()
    whole = bytearray(frame_events(records))
    whole[14] ^= 1
    assert list(read_records(bytes(whole)).data) == records[1:]
    at = 16 + len(records[0])
    whole[at] ^= 1
    assert read_records(bytes(whole)).n_framed == 1
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(frame_events([*records, b"\xff\xff"]))
    found = tensorboard.read(path)
    assert found.n_read == len(records)
    assert found.refused[0].count == 1


def test_every_scalar_of_both_kinds_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run" / "events.out.tfevents.1"
    path.parent.mkdir()
    path.write_bytes(frame_events(event_records()))
    (run,) = tensorboard.read(tmp_path).runs
    assert run.name == "run"
    for tag in ("train/loss", "eval/loss"):
        assert run.curves[tag].step.tolist() == list(range(12))
        expected = [struct.unpack("<f", struct.pack("<f", 4 - 0.1 * k))[0] for k in range(12)]
        assert run.curves[tag].value.tolist() == expected
    table = import_runs(tmp_path, tokens_per_step=512).table
    assert table.mapping["loss"] == "eval/loss"
    assert table.numbers("n_tokens").tolist() == [11 * 512]


def test_of_a_resumed_run_the_later_file_holds(tmp_path: Path) -> None:
    first = [event(k, "val/loss", 5.0, tensor=False) for k in range(10)]
    second = [event(k, "val/loss", 3.0, tensor=False) for k in range(6, 20)]
    (tmp_path / "events.out.tfevents.1").write_bytes(frame_events(first))
    (tmp_path / "events.out.tfevents.2").write_bytes(frame_events(second))
    found = tensorboard.read(tmp_path)
    (run,) = found.runs
    assert run.curves["val/loss"].value.tolist() == [5.0] * 6 + [3.0] * 14
    assert [(r.count, r.why) for r in found.refused] == [
        (4, "logged again at the same step; the last one holds")
    ]


def test_a_wandb_log_is_read_whole_across_its_blocks(tmp_path: Path) -> None:
    fixed = item("eval/loss", 4.0) + item("note", "x" * 90)
    records = [chunk(2, item("_step", k) + fixed) for k in range(3000)]
    path = tmp_path / "run-abc.wandb"
    path.write_bytes(_blocks(records))
    found = wandb_folder.read(path)
    (run,) = found.runs
    assert run.curves["eval/loss"].step.tolist() == list(range(3000))
    assert found.refused == ()


def _blocks(records: list[bytes]) -> bytes:
    """LevelDB's log format: 32 KiB blocks, records split where a block ends."""
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        first = True
        while True:
            left = 32768 - len(out) % 32768
            if left < 7:
                out += bytes(left)
                left = 32768
            part, record = record[: left - 7], record[left - 7 :]
            kind = (1 if first else 4) if not record else (2 if first else 3)
            crc = zlib.crc32(part, zlib.crc32(bytes([kind])))
            out += struct.pack("<IHB", crc, len(part), kind) + part
            first = False
            if not record:
                break
    return bytes(out)


def test_a_wandb_log_says_how_the_run_ended(tmp_path: Path) -> None:
    path = tmp_path / "run-abc.wandb"
    path.write_bytes(frame_log(log_records()))
    table = import_runs(path).table
    assert table.names() == ["tiny"]
    assert table.text("status") == ["finished"]
    assert table.numbers("n_params").tolist() == [1000]
    assert table.numbers("lr").tolist() == [1e-3]
    assert table.numbers("n_tokens").tolist() == [1100]
    path.write_bytes(frame_log(log_records())[:-20])
    cut = import_runs(path)
    assert cut.table.text("status") == ["running"]
    assert "bytes after the last whole record" in cut.refused[0].why
    summary = [*log_records()[:-2], chunk(3, item("eval/loss", 2.0))]
    path.write_bytes(frame_log(summary))
    assert import_runs(path).ends == ("tiny eval/loss: last point 2.9, its summary 2",)


def test_mlflow_leaves_the_file_as_it_was_and_refuses_deleted_runs(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(mlflow_database())
    database = sqlite3.connect(path)
    database.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'r0'")
    database.execute("UPDATE metrics SET is_nan = 1, value = 0 WHERE run_uuid = 'u1' AND step = 11")
    database.commit()
    database.close()
    before = path.read_bytes()
    path.chmod(0o400)
    imported = import_runs(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mlflow.db"]
    assert imported.table.names() == ["r1", "r2"]
    assert imported.table.text("status") == ["diverged", "finished"]
    assert imported.table.numbers("loss")[1] == pytest.approx(2.9)
    assert math.isnan(imported.table.numbers("loss")[0])
    assert [(r.where, r.why) for r in imported.refused] == [("run r0", "deleted in MLflow")]
    assert imported.ends == ("r1 val_loss: last point nan, its summary 2.9",)


def test_a_run_that_ended_at_infinity_is_diverged_and_a_bad_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(mlflow_database())
    database = sqlite3.connect(path)  # the store clamps an infinity to the largest float
    for table in ("metrics", "latest_metrics"):
        whose = f"UPDATE {table} SET value = ? WHERE run_uuid = 'u1' AND step = 11"
        database.execute(whose, (sys.float_info.max,))
    database.execute("UPDATE params SET value = '-5' WHERE run_uuid = 'u2'")
    database.commit()
    database.close()
    imported = import_runs(path)
    assert imported.table.names() == ["r0", "r1"]
    assert imported.table.text("status") == ["finished", "diverged"]
    assert [each.where for each in imported.refused] == ["run r2 `n_params`"]


def test_a_database_in_use_is_read_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    path.write_bytes(trackio_database())
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    row = ("u0", "2026", "r0", 99, '{"val_loss": 1.5}')
    writer.execute("INSERT INTO metrics VALUES (NULL, ?, ?, ?, ?, ?)", row)
    writer.commit()
    table = import_runs(path).table
    writer.close()
    assert table.numbers("loss").tolist() == pytest.approx([1.5, 2.9])


def test_a_database_of_views_that_run_for_ever_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(mlflow_database())
    database = sqlite3.connect(path)
    database.executescript(
        "DROP TABLE metrics; CREATE VIEW metrics AS WITH RECURSIVE n(key) AS"
        " (SELECT 1 UNION ALL SELECT key + 1 FROM n) SELECT key, 1.0 AS value, 1 AS timestamp,"
        " 'u0' AS run_uuid, 1 AS step, 0 AS is_nan FROM n;"
    )
    database.close()
    with pytest.raises(InputError, match="no table 'metrics'"):
        import_runs(path)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE things (a)")
    database.close()
    with pytest.raises(InputError, match=r"neither MLflow nor trackio \(tables: things\)"):
        import_runs(path)


def test_a_summary_without_a_log_is_a_run_without_curves(tmp_path: Path) -> None:
    name, content = seeds()["wandb-yaml"]
    imported = import_runs(lay(tmp_path, "wandb-yaml", name, content))
    assert imported.table.numbers("n_params").tolist() == [1000]
    assert imported.table.numbers("lr").tolist() == [0.001]
    assert imported.table.numbers("loss").tolist() == [3.0]
    assert imported.rule == ""
