"""`isoflop import`: every format that is text, and the account given of it."""

import gzip
import json
import math
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from isoflop.base.errors import InputError, RunTableError, UnknownNameError
from isoflop.cli.main import run
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.run_tables import read_runs

HEADER = "Name,State,Notes,Created,Runtime,n_params,eval/loss,train/loss,tokens"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_is_read_with_its_mapping_and_bad_rows_are_counted(tmp_path: Path) -> None:
    text = "Model Size,D,val loss\n1e6,2e7,3.25\nabc,2e7,3\n1,2\n2e6,4e7,-1\n2e6,4e7,3.0\n"
    imported = import_runs(write(tmp_path / "r.csv", text))
    assert imported.n_read == 5
    assert imported.n_refused == 3
    assert dict(imported.table.mapping) == {
        "n_params": "Model Size", "n_tokens": "D", "loss": "val loss",
    }  # fmt: skip
    assert [r.why for r in imported.refused] == [
        "2 cells, but the header has 3",
        "expected a number, found 'abc'",
        "found -1, expected a positive number",
    ]
    assert imported.table.numbers("loss").tolist() == [3.25, 3.0]


@pytest.mark.parametrize(
    ("text", "at", "to", "taken"),
    [
        ('1e6,a,3\n2e6,b,"2.9\n3e6,c,2.8\n4e6,d,2.7\n', 3, 5, [3.0]),
        ('1e6,a,3\n"2e6,b,2.9\n3e6,c,2.8\r\n4e6,d,2.7', 3, 5, [3.0]),
        ('1e6,a,3\n2e6,b,"2.9\n3e6,c,"2.8"\n4e6,d,2.7\n', 3, 4, [3.0, 2.7]),
        ('1e6,"two\nlines",3\n2e6,"b\n3e6,c,2.8\n4e6,d,2.7\n', 4, 6, [3.0]),
    ],
)
def test_lines_that_an_open_quote_swallowed_are_counted_from_where_it_opens(
    text: str, at: int, to: int, taken: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(f"N,my note,loss\n{text}".encode())
    imported = import_runs(path)
    lost = to - at + 1
    assert imported.table.numbers("loss").tolist() == taken
    assert (imported.n_read, imported.n_refused) == (len(taken) + lost, lost)
    line = f"Refused  line {at}: the quote opened here is not closed; {lost} lines are swallowed"
    assert f"{line}, up to line {to}\n" in f"{imported}\n"


def test_cells_of_several_lines_and_quotes_inside_cells_are_no_open_quotes(tmp_path: Path) -> None:
    rows = '1e6,"two\nlines, ""quoted""",3\n2e6,a "word" or 5",2.9\n3e6,"last\n\none",2.8'
    imported = import_runs(write(tmp_path / "r.csv", f"N,my note,loss\n{rows}"))
    assert imported.n_refused == 0
    assert imported.table.numbers("loss").tolist() == [3.0, 2.9, 2.8]
    assert imported.table.text("my note")[1] == 'a "word" or 5"'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", "N,D,loss\n1e6,2e7,3.25\n2e6,4e7,3.0\n"),
        ("r.tsv", "N\tD\tloss\n1e6\t2e7\t3.25\n2e6\t4e7\t3.0\n"),
        ("r.txt", "N;D;loss\n1e6;2e7;3.25\n2e6;4e7;3.0\n"),
        ("r.json", '[{"N": 1e6, "D": 2e7, "loss": 3.25}, {"N": 2e6, "D": 4e7, "loss": 3.0}]'),
        ("r.json", '{"N": [1e6, 2e6], "D": [2e7, 4e7], "loss": [3.25, 3.0]}'),
        ("r.json", '{"runs": [{"N": 1e6, "D": 2e7, "loss": 3.25}, {"N":2e6,"D":4e7,"loss":3}]}'),
        ("r.jsonl", '{"N": 1e6, "D": 2e7, "loss": 3.25}\n{"N": 2e6, "D": 4e7, "loss": 3.0}\n'),
        ("r.log", '{"N": 1e6, "D": 2e7, "loss": 3.25}\n{"N": 2e6, "D": 4e7, "loss": 3.0}\n'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", ["", "gz", "zip"])
def test_the_same_runs_are_the_same_in_every_text_format(
    name: str, text: str, packed: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name, text)
    if packed == "gz":
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(text.encode()))
    elif packed == "zip":
        path = tmp_path / "r.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"folder/{name}", text)
        path = path if name != "r.log" else write(tmp_path / name, text)
    if packed == "zip" and path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, text)
    table = import_runs(path).table
    assert table.numbers("n_params").tolist() == [1e6, 2e6]
    assert table.numbers("n_tokens").tolist() == [2e7, 4e7]
    assert table.numbers("loss").tolist() == [3.25, 3.0]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_parquet_and_arrow(kind: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    table = pyarrow.table({"N": [1e6, 2e6], "loss": [3.25, 3.0]})
    path = tmp_path / f"r.{'parquet' if kind == 'parquet' else 'arrow'}"
    if kind == "parquet":
        parquet.write_table(table, path)
    else:
        make = pyarrow.ipc.new_file if kind == "arrow" else pyarrow.ipc.new_stream
        with make(str(path), table.schema) as writer:
            writer.write_table(table)
    imported = import_runs(path)
    assert imported.table.numbers("n_params").tolist() == [1e6, 2e6]
    assert imported.table.numbers("loss").tolist() == [3.25, 3.0]


def test_an_arrow_table_in_memory_is_a_frame() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("narwhals")
    imported = import_runs(pyarrow.table({"N": [1e6], "loss": [3.25]}))
    assert imported.table.numbers("n_params").tolist() == [1e6]


def test_wandb_runs_table(tmp_path: Path) -> None:
    rows = '"a","finished","-","2024","9","1e6","3.25","3.1","2e7"\n"b","crashed",,,,"2e6",,,\n'
    rows += "c,finished,,,,3e6,NaN,NaN,2e7\n"
    imported = import_runs(write(tmp_path / "export.csv", f"{HEADER}\n{rows}"))
    table = imported.table
    assert imported.format == "W&B CSV export of runs"
    assert table.mapping["loss"] == "eval/loss"
    assert table.names() == ["a", "b", "c"]
    assert table.text("status") == ["finished", "crashed", "diverged"]
    assert table.numbers("loss")[0] == 3.25
    assert table.numbers("n_tokens")[0] == 2e7


def test_wandb_chart(tmp_path: Path) -> None:
    lines = ["Step,a - eval/loss,a - eval/loss__MIN,a - eval/loss__MAX,b - eval/loss"]
    lines += [f"{k},{4 - k / 10},{4 - k / 10 - 0.01},{4 - k / 10},{5 - k / 10}" for k in range(11)]
    imported = import_runs(write(tmp_path / "chart.csv", "\n".join(lines)))
    assert imported.table.numbers("loss").tolist() == [3.0, 4.0]
    assert imported.table.numbers("steps").tolist() == [10, 10]
    assert any(note.startswith("11 points are means") for note in imported.notes)


def test_columns_that_could_be_one_are_asked_about_all_of_them(tmp_path: Path) -> None:
    header = HEADER.replace("tokens", "val/loss") + ",eval/c4/loss"
    path = write(tmp_path / "export.csv", f"{header}\na,finished,,,,1e6,3.25,3.1,3.3,3.4\n")
    with pytest.raises(InputError) as asked:
        import_runs(path)
    assert str(asked.value) == (
        "3 columns could be `loss`: 'eval/loss', 'val/loss', 'eval/c4/loss'; "
        "say which with --columns loss=NAME"
    )
    table = import_runs(path, columns={"loss": "eval/c4/loss"}).table
    assert table.numbers("loss").tolist() == [3.4]
    assert table.text("val/loss") == ["3.3"]
    with pytest.raises(UnknownNameError, match="did you mean eval/loss"):
        import_runs(path, columns={"loss": "eval/los"})


def test_columns_that_agree_in_every_run_are_no_question(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,params,loss\n1e6,1000000,3\n2e6,2e6,2.9\n")
    assert import_runs(path).table.mapping["n_params"] == "N"


def trainer_state(points: int = 20, **more: object) -> dict[str, object]:
    history: list[dict[str, object]] = []
    for k in range(1, points + 1):
        rate = 1e-3 * (1 - k / points) + 1e-3 / points
        # train_runtime is in every entry once tokens are counted
        history.append(
            {"step": 10 * k, "loss": 5 - 0.01 * k, "learning_rate": rate, "train_runtime": 1.0}
        )
        history.append({"step": 10 * k, "eval_loss": 5.1 - 0.01 * k})
    history.append({"step": 10 * points, "train_loss": 4.0, "total_flos": 1e15})
    return {"log_history": history, "global_step": 10 * points, "total_flos": 1e15, **more}


def test_a_trainer_state_that_counted_no_tokens_asks_for_them(tmp_path: Path) -> None:
    state = trainer_state(num_input_tokens_seen=0)
    path = write(tmp_path / "run-7/trainer_state.json", json.dumps(state))
    imported = import_runs(path)
    assert "n_tokens" not in imported.table
    assert any("give --tokens-per-step" in note for note in imported.notes)
    assert imported.table.names() == ["run-7"]
    assert imported.table.numbers("loss") == pytest.approx([4.9])
    assert imported.table.numbers("lr") == pytest.approx([1e-3])
    assert "flops" not in imported.table
    assert import_runs(path, tokens_per_step=512).table.numbers("n_tokens") == [200 * 512]
    counted = json.dumps(trainer_state(num_input_tokens_seen=99_000))
    assert import_runs(write(path, counted)).table.numbers("n_tokens") == [99_000]


def test_a_trainer_state_with_nan_is_a_diverged_run(tmp_path: Path) -> None:
    state = trainer_state()
    state["log_history"][-2]["eval_loss"] = math.nan  # type: ignore[index]
    imported = import_runs(write(tmp_path / "trainer_state.json", json.dumps(state)))
    assert imported.table.text("status") == ["diverged"]
    assert math.isnan(imported.table.numbers("loss")[0])


def test_of_several_checkpoints_the_last_stands_for_the_run(tmp_path: Path) -> None:
    for points in (10, 20, 5):
        folder = tmp_path / f"out/checkpoint-{10 * points}"
        write(folder / "trainer_state.json", json.dumps(trainer_state(points)))
    table = import_runs(tmp_path).table
    assert table.names() == ["out"]
    assert table.numbers("steps").tolist() == [200]
    assert import_runs(tmp_path / "out/checkpoint-100").table.names() == ["out"]
    write(tmp_path / "b/out/trainer_state.json", json.dumps(trainer_state(3)))
    assert import_runs(tmp_path).table.names() == ["b/out", "out"]


def test_the_mean_is_over_a_share_of_the_run_whatever_its_length(tmp_path: Path) -> None:
    for points in (40, 400):
        path = write(tmp_path / "trainer_state.json", json.dumps(trainer_state(points)))
        loss = import_runs(path, final="mean:0.1").table.numbers("loss")[0]
        last = [5.1 - 0.01 * k for k in range(1, points + 1) if 10 * k > 0.9 * 10 * points]
        assert loss == pytest.approx(float(np.mean(last)), rel=1e-12)
    csv = write(tmp_path / "r.csv", "N,loss\n1e6,3\n")
    with pytest.raises(InputError, match="holds no learning curves"):
        import_runs(csv, final="mean:0.1")


@pytest.mark.parametrize("final", ["mean", "mean:0", "mean:1", "mean:x", "first", "mean:nan"])
def test_no_other_rule_is_taken(final: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--final wants last or mean:SHARE"):
        import_runs(write(tmp_path / "r.csv", "N,loss\n1e6,3\n"), final=final)


def test_gaps_and_an_end_before_the_summary_are_told(tmp_path: Path) -> None:
    state = trainer_state()
    state["log_history"] = [e for e in state["log_history"] if not 60 < e["step"] < 150]  # type: ignore[union-attr]
    state["global_step"] = 500
    imported = import_runs(write(tmp_path / "run/trainer_state.json", json.dumps(state)))
    assert imported.gaps == (
        "run learning_rate: nothing between steps 60 and 150",
        "run eval_loss: nothing between steps 60 and 150",
    )
    assert imported.ends == ("run: points end at step 200, the run at 500",)


def test_nanochat(tmp_path: Path) -> None:
    header = (
        "flops_budget,depth,model_dim,params_wte,params_bigram_embed,params_value_embeds,"
        "params_lm_head,params_transformer,params_scalars,params_total,num_iterations,"
        "tokens_trained,val_bpb,core_score,train_time_sec"
    )
    row = "1e18,8,512,16777216,0,1000,16777216,25165824,48,58721304,2000,1048576000,0.95,0.0,100"
    imported = import_runs(write(tmp_path / "results.csv", f"{header}\n{row}\n"))
    table = imported.table
    assert imported.format == "nanochat results.csv"
    assert table.names() == ["d8 1e18 FLOPs"]
    assert table.numbers("n_params").tolist() == [58721304]
    assert table.numbers("n_params_non_embedding").tolist() == [25165824 + 48]
    assert table.numbers("n_params_with_head").tolist() == [25165824 + 48 + 16777216]
    assert table.numbers("n_tokens").tolist() == [1048576000]
    assert table.numbers("flops").tolist() == [1e18]
    assert table.text("loss_unit") == ["bits/byte"]
    assert table.text("core_score") == [""]


def test_olmo_ladder(tmp_path: Path) -> None:
    header = "_step,eval/c4_en-validation/CrossEntropyLoss,eval/pile-validation/CrossEntropyLoss"
    lines = [f"{header},learning_rate_peak,batch_size_in_tokens"]
    lines += [f"{200 * k},{6 - 0.1 * k},{7 - 0.1 * k},0.00097,524288" for k in range(1, 11)]
    for name in ("190M-1xC", "1B-1xC"):
        write(tmp_path / f"{name}.csv", "\n".join(lines) + "\n")
    with pytest.raises(InputError, match="2 columns could be `loss`"):
        import_runs(tmp_path)
    loss = {"loss": "eval/c4_en-validation/CrossEntropyLoss"}
    imported = import_runs(tmp_path, columns=loss)
    assert imported.table.names() == ["190M-1xC", "1B-1xC"]
    assert imported.table.numbers("loss") == pytest.approx([5.0, 5.0])
    assert imported.table.numbers("n_tokens").tolist() == [2000 * 524288] * 2
    assert imported.table.numbers("lr").tolist() == [0.00097] * 2


def test_aim(tmp_path: Path) -> None:
    text = (
        "experiment,run,metric,context,value,step,epoch,time,hparams.n_params\n"
        'e,Run: 1,loss,"subset=""val""",3.25,100,1,10:00,1e6\n'
        'e,Run: 1,loss,"subset=""train""",3.1,100,1,10:00,1e6\n'
        'e,Run: 2,loss,"subset=""val""",3.0,200,1,10:00,2e6\n'
    )
    imported = import_runs(write(tmp_path / "metrics.csv", text))
    assert imported.format == "Aim CSV export of metrics"
    assert imported.table.mapping["loss"] == "val/loss"
    assert imported.table.numbers("loss").tolist() == [3.25, 3.0]
    assert imported.table.numbers("n_params").tolist() == [1e6, 2e6]
    assert imported.table.numbers("steps").tolist() == [100, 200]
    assert not any("different steps" in note for note in imported.notes)
    later = text + "e,Run: 2,tokens,,4e6,230,1,10:00,2e6\n"
    notes = import_runs(write(tmp_path / "metrics.csv", later)).notes
    assert "in 1 runs these are of different steps; steps is the largest" in notes


def test_lm_eval(tmp_path: Path) -> None:
    document = {
        "results": {"arc": {"alias": "arc", "acc,none": 0.4, "acc_stderr,none": 0.01}},
        "versions": {"arc": 1},
        "n-shot": {"arc": 5},
        "n-samples": {"arc": {"original": 1172, "effective": 1172}},
        "config": {"model_num_parameters": 1e8},
        "model_name": "tiny",
    }
    write(tmp_path / "tiny/results_2024.json", json.dumps(document))
    table = import_runs(tmp_path).table
    assert table.names() == ["tiny arc"]
    assert table.numbers("accuracy").tolist() == [0.4]
    assert table.numbers("n_params").tolist() == [1e8]
    assert table.numbers("shots").tolist() == [5]
    assert table.numbers("acc_stderr").tolist() == [0.01]


def test_a_study(tmp_path: Path) -> None:
    row = {"format": 1, "run": "d16-s0-t100", "rung": "d16", "status": "finished", "seed": 0}
    row |= {"n_params": 1000, "n_tokens": 100, "flops": 6e5, "loss": 2.5, "journal_sha256": ""}
    write(tmp_path / "ladder.toml", "")
    write(tmp_path / "runs/d16-s0-t100/run.json", json.dumps(row))
    (tmp_path / "runs/d16-s0-t200").mkdir()
    imported = import_runs(tmp_path)
    assert imported.format == "isoflop study"
    assert imported.table.numbers("loss").tolist() == [2.5]
    assert "not over yet: 1 run" in imported.notes
    (tmp_path / "runs/d16-s0-t100/run.json").unlink()
    with pytest.raises(InputError, match=r"no run is over yet; go on with: isoflop ladder resume "):
        import_runs(tmp_path)


def test_rows_that_are_points_of_curves_become_runs(tmp_path: Path) -> None:
    lines = ["run,step,eval/loss,n_params"]
    lines += [
        f"{run},{k},{4 - 0.1 * k},{n}" for run, n in (("a", 1e6), ("b", 2e6)) for k in range(9)
    ]
    imported = import_runs(write(tmp_path / "r.csv", "\n".join(lines)))
    assert imported.table.names() == ["a", "b"]
    assert imported.table.numbers("loss") == pytest.approx([3.2, 3.2])
    assert imported.table.numbers("n_params").tolist() == [1e6, 2e6]
    assert imported.rule == "the last value"


def test_a_column_named_as_the_run_makes_curves_of_rows(tmp_path: Path) -> None:
    lines = ["hyper_id,step,loss_validation,model_params"]
    lines += [f"{h},{k},{14 - 0.1 * k - h},{1e6}" for h in (7, 8) for k in range(10)]
    path = write(tmp_path / "r.csv", "\n".join(lines))
    assert len(import_runs(path).table) == 20  # nothing tells that hyper_id is a run
    imported = import_runs(path, columns={"run": "hyper_id"})
    assert imported.table.names() == ["7", "8"]
    assert imported.table.numbers("loss") == pytest.approx([14 - 0.9 - 7, 14 - 0.9 - 8])
    assert imported.rule == "the last value"
    mean = import_runs(path, columns={"run": "hyper_id", "steps": "step"}, final="mean:0.2")
    assert mean.table.numbers("loss")[0] == pytest.approx(14 - 0.85 - 7)
    with pytest.raises(UnknownNameError, match="unknown column 'hyper'"):
        import_runs(path, columns={"run": "hyper"})


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".wandb.csv", ".db"])
def test_what_is_exported_imports_as_it_was(suffix: str, tmp_path: Path) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    source = write(
        tmp_path / "r.csv",
        "run,n_params,n_tokens,loss,=note,status\n"
        "'=1+1,1e6,2e7,0.30000000000000004,'@x,finished\nb,2e6,4e7,3.0,-y,finished\n",
    )
    first = import_runs(source).table
    assert run(["import", str(source), "-o", str(tmp_path / f"out{suffix}")]) == 0
    back = import_runs(tmp_path / f"out{suffix}").table
    for column in ("n_params", "n_tokens", "loss"):
        assert back.numbers(column).tolist() == first.numbers(column).tolist()
    assert back.names() == ["=1+1", "b"]
    assert back.text("=note") == ["@x", "-y"]
    if suffix == ".csv":
        written = (tmp_path / "out.csv").read_text(encoding="utf-8")
        assert all(
            cell[:1] not in "=+@-" for cell in written.replace("\r\n", ",").split(",") if cell
        )
        assert read_runs(tmp_path / "out.csv").records() == first.records()


def test_the_command_prints_its_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("r.csv"), "N,D,val_loss,color\n1e6,2e7,3.25,red\nx,2e7,3,red\n")
    assert run(["import", "r.csv", "-o", "runs.csv"]) == 0
    out = capsys.readouterr()
    assert out.err == "written to runs.csv\n"
    assert out.out.splitlines() == [
        "Format   CSV table",
        "Read     2 rows read, 1 refused; 1 runs",
        "Columns  n_params = 'N', n_tokens = 'D', loss = 'val_loss'",
        "Others   color, under their own names",
        "Refused  row 2 `n_params`: expected a number, found 'x'",
    ]
    assert run(["import", "r.csv", "--json", "--columns", "loss=val_loss"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["mapping"]["n_params"] == "N"
    assert (document["read"], document["n_refused"], document["n_runs"]) == (2, 1, 1)


@pytest.mark.parametrize("name", ["r.pkl", "r.pt", "r.npz", "r.npy", "r.joblib", "r.csv"])
def test_pickles_are_never_opened(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch " + str(tmp_path).encode() + b"/ran'\ntR.")
    with pytest.raises(InputError, match=r"may run code|a pickle"):
        import_runs(path)
    assert not (tmp_path / "ran").exists()


def test_bombs_and_escapes_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "r.csv.gz"
    bomb.write_bytes(gzip.compress(b"0" * 50_000_000))
    with pytest.raises(InputError, match="unpack to more than"):
        import_runs(bomb)
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.csv", b"0" * 50_000_000)
    with pytest.raises(InputError, match="unpack to more than"):
        import_runs(packed)
    for name in ("../out.csv", "/tmp/out.csv", "a/../../out.csv", "..\\out.csv", "C:/out.csv"):
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, "N,loss\n1,2\n")
        with pytest.raises(InputError, match="would leave its folder"):
            import_runs(packed)
    inner = packed.read_bytes()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("r.zip", inner)
    with pytest.raises(InputError, match="a zip inside a zip"):
        import_runs(packed)
    link = zipfile.ZipInfo("r.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="symbolic link"):
        import_runs(packed)


def test_links_inside_a_folder_are_passed_over_and_pipes_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    write(outside / "trainer_state.json", json.dumps(trainer_state()))
    inside.mkdir()
    (inside / "trainer_state.json").symlink_to(outside / "trainer_state.json")
    (inside / "more").symlink_to(outside)
    with pytest.raises(InputError, match="no runs recognised"):
        import_runs(inside)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="not a regular file"):
        import_runs(tmp_path / "pipe.csv")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.csv", "", "the file is empty"),
        ("r.csv", "N,loss\n", r"no runs found \(read as CSV table\)$"),
        ("r.csv", "N,loss\nx,1\n", "none of 1 rows can be taken; row 1 `n_params`"),
        ("r.json", "{" * 100_000, "nested too deeply|not valid JSON"),
        ("r.json", "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("r.json", '{"a": 1}', "expected a list of objects"),
        ("r.xyz", "hello", "format not recognised"),
        ("r.jsonl", "hello\n[1]\n", "no runs found .read as JSONL table.; row 1: not valid JSON"),
        ("trainer_state.json", '{"log_history": 3}', "no `log_history`"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message) as refused:
        import_runs(write(tmp_path / name, text))
    assert "\n" not in str(refused.value)


def test_a_folder_of_several_kinds_is_asked_about(tmp_path: Path) -> None:
    write(tmp_path / "a/trainer_state.json", json.dumps(trainer_state()))
    write(tmp_path / "b/files/wandb-summary.json", '{"eval/loss": 3.0}')
    with pytest.raises(InputError, match="holds trainer-state, wandb; say which with --format"):
        import_runs(tmp_path)
    assert len(import_runs(tmp_path, format="trainer-state").table) == 1
    summary = import_runs(tmp_path, format="wandb")
    assert summary.table.numbers("loss").tolist() == [3.0]
    with pytest.raises(RunTableError, match="no runs found"):
        import_runs(tmp_path, format="tensorboard")


def test_a_loss_in_a_summary_of_nested_json_is_found(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps([{"config": {"n_params": 1e6}, "summary": {"loss": 3.1}}]))
    assert import_runs(path).table.numbers("loss").tolist() == [3.1]
