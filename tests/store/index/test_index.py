import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from faults.big_studies import write_big_study, write_run

from isoflop.base.errors import InputError
from isoflop.store.index import index
from isoflop.store.index.index import INDEX_FROM, read_documents, read_listed
from isoflop.store.index.listing import list_runs
from isoflop.store.manifest import describe_runs
from isoflop.store.recording.record import record
from isoflop.store.study import Study

N_RUNS = 600


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.open(write_big_study(tmp_path / "s", N_RUNS, every=2))


def listed(study: Study) -> list:
    return read_listed(study.path, lambda: describe_runs(study.ladder))


def from_folders(study: Study) -> dict:
    """What the folders say, read by this test alone."""
    return {
        path.parent.name: json.loads(path.read_bytes())
        for path in (study.path / "runs").glob("*/run.json")
    }


def file(study: Study) -> Path:
    return study.path / "index.sqlite"


def dump(study: Study) -> list[str]:
    with closing(sqlite3.connect(file(study))) as database:
        return list(database.iterdump())


def test_it_lists_every_run_in_the_ladders_order(study: Study) -> None:
    rows, truth = listed(study), from_folders(study)
    assert [row[0] for row in rows] == [run.id for run in study.ladder.runs()]
    assert sum(row[1] is not None for row in rows) == len(truth) == N_RUNS // 2
    for row in rows:
        values = dict(zip(index.LISTED, row, strict=True))
        over = truth.get(values["run"], {})
        assert values["status"] == over.get("status")
        assert values["loss"] == over.get("loss")
        assert values["n_params"] > 0


def test_the_study_reads_it_and_says_what_the_folders_say(study: Study, monkeypatch) -> None:
    assert study.manifests() == from_folders(study)
    assert file(study).exists()
    indexed = study.status(), study.run_table().records()
    monkeypatch.setattr("isoflop.store.study.INDEX_FROM", N_RUNS + 1)
    file(study).unlink()
    assert (study.status(), study.run_table().records()) == indexed
    assert list(study.manifests()) == list(from_folders_in_order(study))
    assert not file(study).exists()


def from_folders_in_order(study: Study) -> list[str]:
    truth = from_folders(study)
    return [run.id for run in study.ladder.runs() if run.id in truth]


def test_deleted_it_is_rebuilt_equal(study: Study) -> None:
    rows, before = listed(study), dump(study)
    file(study).unlink()
    assert listed(study) == rows
    assert dump(study) == before


def test_a_run_finished_changed_or_deleted_behind_its_back_is_noticed(study: Study) -> None:
    rows = {row[0]: row for row in listed(study)}
    pending = next(run for run, row in rows.items() if row[1] is None)
    over = next(run for run, row in rows.items() if row[1] is not None)
    planned = next(row for row in describe_runs(study.ladder) if row["run"] == pending)
    write_run(study.path, planned, loss=1.5)
    path = study.run_folder(over) / "run.json"
    changed = json.loads(path.read_bytes()) | {"loss": 9.25}
    path.with_suffix(".new").write_text(json.dumps(changed))
    os.replace(path.with_suffix(".new"), path)
    found = {row[0]: row for row in listed(study)}
    assert (found[pending][1], found[pending][-1]) == ("finished", 1.5)
    assert found[over][-1] == 9.25
    (study.run_folder(pending) / "run.json").unlink()
    found = {row[0]: row for row in listed(study)}
    assert found[pending] == rows[pending]
    assert study.manifests() == from_folders(study)


def test_an_unchanged_run_is_not_read_again(study: Study, monkeypatch) -> None:
    listed(study)
    reads = []
    monkeypatch.setattr(index, "read_run", reads.append)
    listed(study)
    assert reads == []


def test_of_another_ladder_it_is_rebuilt(study: Study) -> None:
    listed(study)
    text = (study.path / "ladder.toml").read_text()
    (study.path / "ladder.toml").write_text(text.replace('"big"', '"other"'))
    pending = next(row for row in listed(Study.open(study.path)) if row[1] is None)
    assert pending[index.LISTED.index("family")] == "other-2layer"


def rubbish(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 8192] = bytes(8192)
    path.write_bytes(raw)


def one_digit(path: Path) -> None:
    """A flipped bit inside a row: SQLite itself does not see it."""
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"finished"', b'"finishee"', 1))


def a_row_less(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM documents WHERE place = 3")
        database.execute("DELETE FROM runs WHERE place = 4")


def another_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE runs")
        database.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    "damage", [rubbish, half, empty, zeros, one_digit, a_row_less, another_version]
)
def test_damaged_it_is_rebuilt_equal(study: Study, damage) -> None:
    rows, before = listed(study), dump(study)
    damage(file(study))
    assert listed(study) == rows
    assert study.manifests() == from_folders(study)
    assert dump(study) == before


def test_where_it_cannot_be_written_the_rows_are_the_same(study: Study, monkeypatch) -> None:
    rows = listed(study)
    file(study).unlink()
    file(study).mkdir()
    (file(study) / "in the way").touch()
    assert listed(study) == rows
    assert (file(study) / "in the way").exists()


def test_locked_by_another_process_the_rows_are_the_same(study: Study, monkeypatch) -> None:
    monkeypatch.setattr(index, "_PATIENCE_SECONDS", 0.05)
    listed(study)
    run = next(study.ladder.runs()).id
    path = study.run_folder(run) / "run.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"loss": 9.25}))
    with closing(sqlite3.connect(file(study), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert listed(study)[0][-1] == 9.25
    assert file(study).exists()


def test_a_damaged_run_is_one_error_that_names_it(study: Study) -> None:
    listed(study)
    path = study.run_folder(next(study.ladder.runs()).id) / "run.json"
    path.write_text("{")
    with pytest.raises(InputError, match=r"run\.json.*to train the run again"):
        listed(study)


def test_recorded_runs_have_one_too_unfinished_ones_named_so(tmp_path: Path) -> None:
    for name in ("b", "a"):
        with record(tmp_path / "runs" / name, n_params=1000, lr=0.1) as run:
            run.log(step=1, n_tokens=64, loss=3.0)
            if name == "a":
                run.finish()
    first, second = read_listed(tmp_path, None)
    assert first[:2] == ["a", "finished"]
    assert second[:2] == ["b", "unfinished"]
    with record(tmp_path / "runs" / "b", resume=True) as run:
        run.finish(loss=2.5)
    assert [row["loss"] for row in read_documents(tmp_path, None)] == [3.0, 2.5]
    for path in (tmp_path / "runs" / "a").iterdir():
        path.unlink()
    (tmp_path / "runs" / "a").rmdir()
    assert [row[0] for row in read_listed(tmp_path, None)] == ["b"]


def test_small_studies_have_none_until_they_are_listed(tmp_path: Path) -> None:
    """As docs/formats.md and docs/ladders.md say."""
    study = Study.open(write_big_study(tmp_path / "s", 100))
    assert len(study.manifests()) == len(study.status()) == 100 < INDEX_FROM == 500
    assert not file(study).exists()
    assert len(list_runs([study.path])) == 100
    assert file(study).exists()
