"""Small files of every format that is imported, and ways to spoil them."""

import contextlib
import gzip
import io
import json
import random
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from isoflop.exchange.tfrecord import masked_crc

TOKENS = [
    *(b"", b"nan", b"NaN", b"inf", b"-1", b"1e999", b"9" * 400, b'"', b"'", b",", b"\n", b"\r\n"),
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"[", b"]", b"{", b"}", b"[" * 3000, b'{"a":' * 3000),
    *(b"null", b"true", b"step", b"loss", b"=1+1", b"\xe2\x80\xa8", b"&a [*a]", b"../", b"1_0"),
    b"\x80\x04",
    *(b"\xff" * 10, b"\x7f\xff\xff\xff", b"\x00" * 16, b"_step", b"eval_loss", b"-0.0", b"1e-400"),
]  # fmt: skip


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def chunk(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def event(step: int, tag: str, value: float, *, tensor: bool) -> bytes:
    """One scalar of an event file, as TF1 (`simple_value`) or TF2 (`tensor`) wrote it."""
    if tensor:
        body = chunk(8, b"\x08\x01\x12\x00" + chunk(4, struct.pack("<f", value)))
    else:
        body = b"\x15" + struct.pack("<f", value)
    head = b"\x09" + struct.pack("<d", 1e9) + b"\x10" + varint(step)
    return head + chunk(5, chunk(1, chunk(1, tag.encode()) + body))


def frame_events(records: list[bytes]) -> bytes:
    out = b""
    for data in records:
        length = struct.pack("<Q", len(data))
        out += length + struct.pack("<I", masked_crc(length)) + data
        out += struct.pack("<I", masked_crc(data))
    return out


def frame_log(records: list[bytes]) -> bytes:
    out = b":W&B\xe1\xbe\x00"
    for data in records:
        crc = zlib.crc32(data, zlib.crc32(b"\x01"))
        out += struct.pack("<IHB", crc, len(data), 1) + data
    return out


def item(key: str, value: object) -> bytes:
    return chunk(1, chunk(1, key.encode()) + chunk(16, json.dumps(value).encode()))


def event_records() -> list[bytes]:
    tags = [("train/loss", False), ("eval/loss", True)]
    return [event(k, tag, 4 - 0.1 * k, tensor=t) for k in range(12) for tag, t in tags]


def log_records() -> list[bytes]:
    run = chunk(1, b"abc") + chunk(8, b"tiny") + chunk(4, item("n_params", {"value": 1000}))
    records = [chunk(17, run), chunk(5, item("n_params", 1000) + item("lr", 1e-3))]
    for k in range(12):
        cells = item("_step", k) + item("eval/loss", 4 - 0.1 * k) + item("tokens", 100 * k)
        records.append(chunk(2, cells))
    return [*records, chunk(3, item("eval/loss", 2.9)), chunk(18, b"\x08\x00")]


def mlflow_database() -> bytes:
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time INTEGER,"
        " lifecycle_stage TEXT, experiment_id INTEGER);"
        "CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);"
        "CREATE TABLE metrics (key TEXT, value FLOAT, timestamp INTEGER, run_uuid TEXT,"
        " step INTEGER, is_nan BOOLEAN);"
        "CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp INTEGER, step INTEGER,"
        " is_nan BOOLEAN, run_uuid TEXT);"
        "INSERT INTO experiments VALUES (1, 'sweep');"
    )
    for k in range(3):
        database.execute(f"INSERT INTO runs VALUES ('u{k}', 'r{k}', 'FINISHED', {k}, 'active', 1)")
        database.execute(f"INSERT INTO params VALUES ('n_params', '{1000 * (k + 1)}', 'u{k}')")
        for i in range(12):
            row = ("val_loss", 4 - 0.1 * i, i, f"u{k}", i, 0)
            database.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", row)
        row = ("val_loss", 2.9, 11, 11, 0, f"u{k}")
        database.execute("INSERT INTO latest_metrics VALUES (?, ?, ?, ?, ?, ?)", row)
    database.commit()
    return database.serialize()


def trackio_database() -> bytes:
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id TEXT, timestamp TEXT, run_name TEXT,"
        " step INTEGER, metrics TEXT);"
        "CREATE TABLE configs (id INTEGER PRIMARY KEY, run_id TEXT, run_name TEXT, config TEXT);"
    )
    for k in range(2):
        config = json.dumps({"n_params": 1000 * (k + 1)})
        database.execute("INSERT INTO configs VALUES (NULL, ?, ?, ?)", (f"u{k}", f"r{k}", config))
        for i in range(12):
            cells = json.dumps({"val_loss": 4 - 0.1 * i, "tokens": 10 * i}).encode()
            row = (f"u{k}", "2026", f"r{k}", i, cells)
            database.execute("INSERT INTO metrics VALUES (NULL, ?, ?, ?, ?, ?)", row)
    database.commit()
    return database.serialize()


def trainer_state() -> bytes:
    history = [{"step": k, "loss": 5 - 0.1 * k, "eval_loss": 5.1 - 0.1 * k} for k in range(1, 9)]
    return json.dumps({"log_history": history, "global_step": 8, "total_flos": 1e9}).encode()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.csv", CSV)
    return buffer.getvalue()


def _arrow() -> tuple[bytes, bytes]:
    import pyarrow
    import pyarrow.parquet as parquet

    table = pyarrow.table({"N": [1e6, 2e6, 3e6], "loss": [3.25, 3.0, 2.9], "run": ["a", "b", "c"]})
    first, second = io.BytesIO(), io.BytesIO()
    parquet.write_table(table, first)
    with pyarrow.ipc.new_file(second, table.schema) as writer:
        writer.write_table(table)
    return first.getvalue(), second.getvalue()


CSV = "run,N,D,loss\n" + "".join(f"r{k},{k}e6,{k}e7,{4 - k / 10}\n" for k in range(1, 9))
_ROWS = [{"run": f"r{k}", "N": 1e6 * k, "loss": 4 - k / 10} for k in range(1, 9)]
_NANOCHAT = (
    "depth,model_dim,num_params,num_scaling_params,num_iterations,tokens_trained,param_data_ratio,"
    "val_bpb,core_score,train_time_sec\n8,512,5e7,4e7,100,5e7,1.2,0.95,0.1,9\n"
)
_AIM = 'run,metric,context,value,step,n_params\na,loss,"subset=""val""",3.2,10,1e6\n'
_OLMO = "_step,eval/c4/CrossEntropyLoss,learning_rate_peak,batch_size_in_tokens\n" + "".join(
    f"{k},{6 - k / 10},1e-3,1024\n" for k in range(1, 9)
)
_RUN = {"format": 1, "run": "d16", "status": "finished", "n_params": 1000, "loss": 2.5}
_LM_EVAL = {
    "results": {"arc": {"alias": "arc", "acc,none": 0.4, "acc_stderr,none": 0.01}},
    "n-shot": {"arc": 5},
    "n-samples": {"arc": {"effective": 100}},
    "config": {"model_num_parameters": 1e8},
}
_CHART = "Step,a - eval/loss,a - eval/loss__MIN,a - eval/loss__MAX\n" + "".join(
    f"{k},{4 - k / 10},{4 - k / 10},{4 - k / 10}\n" for k in range(1, 9)
)
_YAML = "_wandb:\n    value:\n        t: {}\nn_params:\n    value: 1000\nlr:\n    value: 0.001\n"


def seeds() -> dict[str, tuple[str, bytes]]:
    """Return {format: (name of the file, its bytes)}."""
    files: dict[str, tuple[str, bytes]] = {
        "csv": ("r.csv", CSV.encode()),
        "gzip": ("r.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        "zip": ("r.zip", _zip()),
        "json": ("r.json", json.dumps(_ROWS).encode()),
        "jsonl": ("r.jsonl", "\n".join(map(json.dumps, _ROWS)).encode()),
        "wandb-runs": (
            "w.csv",
            b"Name,State,Created,n_params,eval/loss\na,finished,2024,1e6,3\nb,failed,2024,2e6,2.9\n",
        ),
        "wandb-chart": ("chart.csv", _CHART.encode()),
        "wandb-log": ("run-abc.wandb", frame_log(log_records())),
        "wandb-yaml": ("files/config.yaml", _YAML.encode()),
        "trainer-state": ("trainer_state.json", trainer_state()),
        "tensorboard": ("events.out.tfevents.1", frame_events(event_records())),
        "mlflow": ("mlflow.db", mlflow_database()),
        "trackio": ("p.db", trackio_database()),
        "lm-eval": ("results_1.json", json.dumps(_LM_EVAL).encode()),
        "nanochat": ("results.csv", _NANOCHAT.encode()),
        "aim": ("aim.csv", _AIM.encode()),
        "olmo-ladder": ("190M-1xC.csv", _OLMO.encode()),
        "study": ("runs/d16/run.json", json.dumps(_RUN).encode()),
    }
    with contextlib.suppress(ImportError):
        files["parquet"], files["arrow"] = zip(("r.parquet", "r.arrow"), _arrow(), strict=True)
    return files


def lay(folder: Path, kind: str, name: str, content: bytes) -> Path:
    """Write a file where its format has it; return what is to be imported."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if kind == "study":
        (folder / "ladder.toml").write_bytes(b"")
        return folder
    if kind == "wandb-yaml":
        (path.parent / "wandb-summary.json").write_bytes(b'{"eval/loss": 3.0}')
        return folder
    return path


def spoil(kind: str, content: bytes, seed: int) -> bytes:
    """Return the file spoiled; in framed formats half the time inside, with checksums made anew."""
    rng = random.Random(f"{kind} {seed}")
    if kind in ("tensorboard", "wandb-log") and rng.random() < 0.5:
        tensorboard = kind == "tensorboard"
        records = event_records() if tensorboard else log_records()
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(records))
            records[at] = rng.choice(WAYS)(rng, records[at])[:60_000]
        return frame_events(records) if tensorboard else frame_log(records)
    for _ in range(rng.randint(1, 4)):
        content = rng.choice(WAYS)(rng, content)
    return content


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(TOKENS) + content[at:]


def _replace(rng: random.Random, content: bytes) -> bytes:
    token = rng.choice(TOKENS)
    at = rng.randrange(len(content) + 1)
    return content[:at] + token + content[at + len(token) :]


def _cut(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + content[at + rng.randint(1, 60) :]


def _truncate(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _repeat(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    part = content[at : at + rng.randint(1, 200)]
    return content[:at] + part * rng.randint(2, 30) + content[at:]


def _digits(rng: random.Random, content: bytes) -> bytes:
    digit = str(rng.randint(0, 9)).encode()
    return content.replace(digit, rng.choice([b"", b"e", b"-", b'"', b"99999999"]), 20)


WAYS: list[Callable[[random.Random, bytes], bytes]] = [
    *(_flip, _flip, _insert, _replace, _cut, _truncate, _repeat, _digits)
]
