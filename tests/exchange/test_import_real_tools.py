"""Imports of files that the real tools made: `python -m pytest -m integration`.

A tool that is not installed skips its tests. `pip install mlflow-skinny sqlalchemy alembic lm-eval
tensorboard trackio transformers accelerate wandb pandas polars` installs them all.
"""

import csv
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isoflop.exchange.attach_scores import attach_scores
from isoflop.exchange.export import export_runs
from isoflop.exchange.import_runs import import_runs
from isoflop.runs.table import RunTable

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]


def run_script(text: str, folder: Path, **settings: str) -> None:
    """Run a tool in a process of its own, offline, as a user's training script would."""
    environment = {**os.environ, "HOME": str(folder), **settings}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def need(*modules: str) -> None:
    for module in modules:
        pytest.importorskip(module, reason=f"{module} is not installed", exc_type=ImportError)


MLFLOW = """
import math, mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("sweep")
for k in range(3):
    with mlflow.start_run(run_name=f"r{k}") as run:
        mlflow.log_params({"n_params": 1000 * (k + 1), "learning_rate": 1e-3})
        for i in range(20):
            loss = math.nan if k == 1 and i == 19 else 4 - 0.1 * i - 0.01 * k
            mlflow.log_metric("val_loss", loss, step=10 * i)
            mlflow.log_metric("tokens", 1000 * i, step=10 * i)
    if k == 2:
        mlflow.delete_run(run.info.run_id)
"""


def test_mlflow(tmp_path: Path) -> None:
    need("mlflow", "sqlalchemy")
    run_script(MLFLOW, tmp_path)
    before = (tmp_path / "mlflow.db").read_bytes()
    imported = import_runs(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_bytes() == before
    assert imported.format == "MLflow database"
    assert imported.n_read == 3 * 40
    table = imported.table
    assert table.names() == ["r0", "r1"]
    assert table.numbers("loss")[0] == pytest.approx(2.1, rel=1e-15)
    assert math.isnan(table.numbers("loss")[1])
    assert table.text("status") == ["finished", "diverged"]
    assert table.numbers("n_params").tolist() == [1000, 2000]
    assert table.numbers("n_tokens").tolist() == [19000, 19000]
    assert table.numbers("lr").tolist() == [1e-3, 1e-3]
    assert [r.why for r in imported.refused] == ["deleted in MLflow"]
    assert imported.ends == ()
    mean = import_runs(tmp_path, final="mean:0.1").table
    assert mean.numbers("loss")[0] == pytest.approx(4 - 0.1 * 18.5, rel=1e-12)


TRACKIO = """
import trackio
for k in range(2):
    trackio.init(project="demo", name=f"run-{k}", config={"n_params": 1000 * (k + 1), "lr": 1e-3})
    for i in range(30):
        trackio.log({"eval": {"loss": 4 - 0.1 * i}, "tokens": 512 * i, "odd": float("nan")}, step=i)
    trackio.finish()
"""


def test_trackio_in_and_out(tmp_path: Path) -> None:
    need("trackio")
    run_script(TRACKIO, tmp_path, TRACKIO_DIR=str(tmp_path / "store"))
    imported = import_runs(tmp_path / "store")
    table = imported.table
    assert imported.format == "trackio database"
    assert table.names() == ["run-0", "run-1"]
    assert table.numbers("loss") == pytest.approx([1.1, 1.1], rel=1e-12)
    assert table.numbers("n_tokens").tolist() == [512 * 29] * 2
    assert imported.n_read == 2 * 30 * 3

    ours = tmp_path / "ours"
    export_runs(table, ours / "ours.db")
    script = (
        "import json, trackio\n"
        "api = trackio.Api()\n"
        "runs = api.runs('ours')\n"
        "print(json.dumps([[r.name, r.config] for r in runs]))\n"
    )
    environment = {**os.environ, "TRACKIO_DIR": str(ours)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    read = dict(json.loads(done.stdout.strip().splitlines()[-1]))
    assert sorted(read) == ["run-0", "run-1"]
    assert read["run-1"]["n_params"] == 2000


WANDB = """
import wandb
for k in range(2):
    run = wandb.init(project="p", name=f"tiny-{k}", mode="offline",
                     config={"n_params": 1000 * (k + 1), "lr": 1e-3, "model": {"n_layer": 2}})
    for i in range(1500):
        run.log({"train/loss": 4 - 1e-3 * i, "eval/loss": 4.1 - 1e-3 * i, "tokens": 100 * i})
    run.finish(exit_code=k)
"""


def test_wandb_offline_runs_are_read_whole(tmp_path: Path) -> None:
    need("wandb")
    run_script(WANDB, tmp_path, WANDB_MODE="offline")
    imported = import_runs(tmp_path / "wandb")
    table = imported.table
    assert imported.format == "W&B run folder"
    assert imported.n_read == 2 * 1500 * 3
    assert imported.refused == ()
    assert imported.gaps == ()
    assert imported.ends == ()
    assert table.names() == ["tiny-0", "tiny-1"]
    assert table.text("status") == ["finished", "failed"]
    assert table.numbers("loss") == pytest.approx([4.1 - 1.499] * 2, rel=1e-12)
    assert table.numbers("n_tokens").tolist() == [149900.0] * 2
    assert table.numbers("n_layer").tolist() == [2, 2]

    log = next((tmp_path / "wandb").glob("offline*/*.wandb"))
    log.write_bytes(log.read_bytes()[:200_000])
    cut = import_runs(log)
    assert 0 < cut.n_read < 1500 * 3
    assert cut.table.text("status") == ["running"]


WANDB_PROJECT = """
import inspect, json, sys
import wandb
from wandb.apis.public import Api, HistoryScan, Run
from wandb.proto import wandb_api_pb2 as pb

N = 2500

class Service:
    '''wandb-core's answers, page by page, in the real messages.'''
    def send_api_request(self, request, **_):
        asked, answer = request.read_run_history_request, pb.ApiResponse()
        page = asked.scan_run_history
        if asked.HasField("scan_run_history_init"):
            answer.read_run_history_response.scan_run_history_init.request_id = 7
        for step in range(page.min_step, min(page.max_step, N)):
            row = answer.read_run_history_response.run_history.history_rows.add()
            cells = {"_step": step, "eval/loss": 4 - step / 1000, "tokens": 9 * step}
            for key, value in cells.items():
                row.history_items.add(key=key, value_json=json.dumps(value))
        return answer
    def finalize(self, *_):
        pass

class Listed(Run):
    lastHistoryStep = N - 1

def make(k):
    run = object.__new__(Listed)
    run._attrs = {"name": f"id{k}", "displayName": f"tiny-{k}", "config": {"n_params": 1000 + k},
                  "summaryMetrics": {"eval/loss": 4 - (N - 1) / 1000}}
    run._entity, run.project, run._state = "team", "ladder", "finished"
    run._lazy, run._full_data_loaded, run._summary = False, True, None
    run._service_api = Service()
    return run

inspect.signature(Api.__init__).bind(None, timeout=60)
inspect.signature(Api.runs).bind(None, "team/ladder")
inspect.signature(Api.run).bind(None, "team/ladder/id")
wandb.Api = lambda timeout: type("Mine", (), {"runs": lambda self, path: [make(0), make(1)]})()
from isoflop.exchange.import_runs import import_runs
imported = import_runs("wandb:team/ladder")
assert isinstance(make(0).scan_history(), HistoryScan)
assert imported.n_read == 2 * N * 2, imported.n_read
assert imported.ends == imported.gaps == imported.refused == ()
table = imported.table
assert table.numbers("n_tokens").tolist() == [9.0 * (N - 1)] * 2
assert table.numbers("n_params").tolist() == [1000, 1001]
assert table.text("status") == ["finished"] * 2
"""


def test_wandb_projects_through_the_real_client_and_its_messages(tmp_path: Path) -> None:
    need("wandb")
    here = str(Path(__file__).parents[2])
    run_script(WANDB_PROJECT, tmp_path, WANDB_MODE="offline", PYTHONPATH=here)


TRAINER = """
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
torch.manual_seed(0)
class Tokens(torch.utils.data.Dataset):
    def __len__(self): return 64
    def __getitem__(self, k):
        ids = torch.full((16,), k % 7)
        return {"input_ids": ids, "labels": ids}
model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=16, vocab_size=32, n_positions=16))
arguments = TrainingArguments(
    "out", max_steps=12, per_device_train_batch_size=4, logging_steps=1, eval_strategy="steps",
    eval_steps=4, save_steps=6, report_to=[], use_cpu=True, disable_tqdm=True,
    include_num_input_tokens_seen=COUNTED, learning_rate=1e-3)
trainer = Trainer(model, arguments, train_dataset=Tokens(), eval_dataset=Tokens())
trainer.train()
trainer.save_state()
print(sum(p.numel() for p in model.parameters()), file=open("n_params", "w"))
"""


@pytest.mark.parametrize("counted", [False, True])
def test_trainer_state(counted: bool, tmp_path: Path) -> None:
    need("transformers", "torch", "accelerate")
    run_script(TRAINER.replace("COUNTED", str(counted)), tmp_path, TOKENIZERS_PARALLELISM="false")
    imported = import_runs(tmp_path, tokens_per_step=None if counted else 64)
    table = imported.table
    state = json.loads((tmp_path / "out/trainer_state.json").read_text())
    assert imported.format == "Hugging Face trainer_state.json"
    assert len(table) == 1
    evals = [entry["eval_loss"] for entry in state["log_history"] if "eval_loss" in entry]
    assert table.mapping["loss"] == "eval_loss"
    assert table.numbers("loss").tolist() == [evals[-1]]
    assert table.numbers("steps").tolist() == [12]
    assert table.numbers("n_tokens").tolist() == [12 * 4 * 16], state
    assert table.numbers("lr").tolist() == [1e-3]
    assert "flops" not in table
    asked = any("include_num_input_tokens_seen" in note for note in imported.notes)
    assert asked == (not counted)
    checkpoint = import_runs(tmp_path / "out/checkpoint-12").table
    assert checkpoint.numbers("n_params").tolist() == [float((tmp_path / "n_params").read_text())]


def test_tensorboard_agrees_with_its_own_reader_on_20_000_points(tmp_path: Path) -> None:
    need("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util import tensor_util

    rng = random.Random(0)
    writer = EventFileWriter(str(tmp_path / "run"))
    for step in range(10_000):
        old = Summary(value=[Summary.Value(tag="train/loss", simple_value=rng.uniform(1, 9))])
        writer.add_event(Event(wall_time=1e9 + step, step=step, summary=old))
        new = scalar_pb("eval/loss", rng.uniform(1, 9))
        writer.add_event(Event(wall_time=1e9 + step, step=step, summary=new))
    writer.close()

    from isoflop.exchange.sources.tensorboard import read

    found = read(tmp_path)
    theirs = EventAccumulator(str(tmp_path / "run"), size_guidance={"scalars": 0, "tensors": 0})
    theirs.Reload()
    (run,) = found.runs
    assert found.n_read == 20_000
    assert found.refused == ()
    old = [(e.step, e.value) for e in theirs.Scalars("train/loss")]
    curve = run.curves["train/loss"]
    assert list(zip(curve.step.tolist(), curve.value.tolist(), strict=True)) == old
    tag = next(tag for tag in theirs.Tags()["tensors"] if tag.startswith("eval/loss"))
    new = [(e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in theirs.Tensors(tag)]
    curve = run.curves[tag]
    assert list(zip(curve.step.tolist(), curve.value.tolist(), strict=True)) == new
    assert len(old) == len(new) == 10_000

    file = next((tmp_path / "run").iterdir())
    whole = file.read_bytes()
    for cut in (1, 7, 30, 100, 5_000):
        file.write_bytes(whole[:-cut])
        short = read(tmp_path)
        assert 20_000 - cut // 30 - 1 <= short.n_read < 20_000
        assert [r.count for r in short.refused] == [1]


def test_torch_summary_writer(tmp_path: Path) -> None:
    need("tensorboard", "torch")
    from torch.utils.tensorboard import SummaryWriter

    for k in range(2):
        with SummaryWriter(str(tmp_path / f"run{k}")) as writer:
            for step in range(100):
                writer.add_scalar("val/loss", 4 - 0.01 * step - k, step)
            writer.add_histogram("weights", np.random.default_rng(0).normal(size=1000), 0)
            writer.add_text("notes", "hello", 0)
            writer.add_hparams({"n_params": 1e6 * (k + 1), "opt": "adam"}, {"hparam/loss": 3.0})
    table = import_runs(tmp_path, tokens_per_step=1000).table
    assert table.numbers("n_params").tolist() == [1e6, 2e6]
    assert table.text("opt") == ["adam", "adam"]
    assert table.names() == ["run0", "run1"]
    assert table.numbers("loss") == pytest.approx([3.01, 2.01], rel=1e-6)
    assert table.numbers("n_tokens").tolist() == [99_000, 99_000]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library: str) -> None:
    need(library, "narwhals")
    module = pytest.importorskip(library)
    columns = {"N": [1e6, 2e6], "D": [2e7, 4e7], "val loss": [3.25, None], "who": ["a", "b"]}
    imported = import_runs(module.DataFrame(columns))
    assert imported.format == f"{library} frame"
    assert imported.table.numbers("n_params").tolist() == [1e6, 2e6]
    assert imported.table.numbers("loss")[0] == 3.25
    assert math.isnan(imported.table.numbers("loss")[1])
    assert imported.table.text("who") == ["a", "b"]


def test_pandas_opens_every_export_as_it_was(tmp_path: Path) -> None:
    need("pandas")
    import pandas

    rows = [{"run": "=1+1", "n_params": 1e6, "loss": 0.1 + 0.2}, {"run": "b", "loss": 3.0}]
    table = RunTable.from_records(rows)
    frame = pandas.read_csv(export_runs(table, tmp_path / "runs.csv"))
    assert frame["loss"].tolist() == [0.1 + 0.2, 3.0]
    frame = pandas.read_csv(export_runs(table, tmp_path / "runs.wandb.csv"))
    assert frame["Name"].tolist() == ["'=1+1", "b"]
    with (tmp_path / "runs.wandb.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file))[:2] == ["Name", "State"]


LM_EVAL_TASK = """task: parity
dataset_path: json
dataset_kwargs: {data_files: {test: data.jsonl}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{q}}"
doc_to_choice: ["yes", "no"]
doc_to_target: "{{label}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""


def test_lm_eval(tmp_path: Path) -> None:
    need("lm_eval", "torch")
    rows = [json.dumps({"q": f"q{k}", "label": k % 2}) + "\n" for k in range(20)]
    (tmp_path / "data.jsonl").write_text("".join(rows))
    (tmp_path / "parity.yaml").write_text(LM_EVAL_TASK)
    script = (
        "import runpy, sys\n"
        "line = 'lm_eval --model dummy --tasks parity --include_path . --output_path out'\n"
        "sys.argv = line.split()\n"
        "runpy.run_module('lm_eval', run_name='__main__')\n"
    )
    run_script(script, tmp_path, HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")
    imported = import_runs(tmp_path / "out")
    written = json.loads(next((tmp_path / "out").rglob("results*.json")).read_text())
    assert imported.format == "lm-eval results"
    assert imported.table.text("task") == ["parity"]
    expected = written["results"]["parity"]
    assert imported.table.numbers("accuracy").tolist() == [expected["acc,none"]]
    assert imported.table.numbers("acc_stderr").tolist() == [expected["acc_stderr,none"]]
    assert imported.table.numbers("n_examples").tolist() == [20]
    (name,) = {str(model) for model in imported.table.text("model")}
    runs = RunTable.from_records([{"run": name, "n_params": 1e6, "loss": 3.0}])
    attached = attach_scores(runs, tmp_path / "out")
    assert attached.matched == {name: name}
    assert attached.table.numbers("accuracy").tolist() == [expected["acc,none"]]
    assert attached.table.numbers("n_examples").tolist() == [20]
