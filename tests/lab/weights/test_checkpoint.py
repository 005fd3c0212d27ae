import hashlib
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load, save  # noqa: E402

from isoflop.base import strict_json  # noqa: E402
from isoflop.base.errors import InputError  # noqa: E402
from isoflop.lab.data.position_proof import prove_position  # noqa: E402
from isoflop.lab.data.stream import TokenStream  # noqa: E402
from isoflop.lab.weights.checkpoint import (  # noqa: E402
    Checkpoint,
    load_checkpoint,
    pack_checkpoint,
    save_checkpoint,
    unpack_checkpoint,
)
from isoflop.lab.weights.pair import load_last, save_next  # noqa: E402


def checkpoint(step: int) -> Checkpoint:
    tensors = {"master": torch.arange(5.0) + step, "first": torch.full((2, 3), 0.25)}
    return Checkpoint(step, {1: 7}, tensors, {"row": step, "places": [[0, step]]})


def write_format_1(path, step: int) -> None:
    """A checkpoint as the first release wrote it, by its description in docs/formats.md."""
    tensors = checkpoint(step).tensors
    header = {"step": step, "diverged": {"1": 7}}
    digest = hashlib.sha256(json.dumps(header).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    header["sha256"] = digest.hexdigest()
    path.write_bytes(save(tensors, metadata={"isoflop": json.dumps(header)}))


def steps_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_comes_back_whole_and_is_plain_safetensors(tmp_path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, checkpoint(64))
    found = load_checkpoint(path)
    assert (found.step, found.diverged) == (64, {1: 7})
    assert found.position == {"row": 64, "places": [[0, 64]]}
    plain = load(path.read_bytes())
    for name, tensor in checkpoint(64).tensors.items():
        torch.testing.assert_close(found.tensors[name], tensor, rtol=0, atol=0)
        torch.testing.assert_close(plain[name], tensor, rtol=0, atol=0)
    assert pack_checkpoint(checkpoint(64)) == path.read_bytes()


def test_the_hash_is_of_the_file_with_its_digits_blanked(tmp_path) -> None:
    raw = pack_checkpoint(checkpoint(64))
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["isoflop"])
    blanked = raw.replace(header["sha256"].encode(), b"0" * 64)
    assert hashlib.sha256(blanked).hexdigest() == header["sha256"]


def test_any_flipped_bit_and_any_truncation_is_seen() -> None:
    raw = pack_checkpoint(checkpoint(64))
    for place in range(len(raw)):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << (place % 8)
        assert unpack_checkpoint(bytes(damaged)) is None, place
        assert unpack_checkpoint(raw[:place]) is None
    assert unpack_checkpoint(raw + b"\0") is None


def test_a_later_format_is_refused_only_if_it_is_intact(tmp_path) -> None:
    header = {"format": 3, "step": 1, "sha256": "0" * 64}
    raw = save({}, metadata={"isoflop": strict_json.dumps(header)})
    later = raw.replace(b"0" * 64, hashlib.sha256(raw).hexdigest().encode())
    (tmp_path / "checkpoint-1.safetensors").write_bytes(later)
    with pytest.raises(InputError, match=r"format 3, this release reads up to 2; use the isoflop"):
        load_last(tmp_path)
    assert unpack_checkpoint(later[:-1] + b"x") is None


def test_the_last_two_are_kept_and_litter_of_killed_writers_goes(tmp_path) -> None:
    (tmp_path / ".checkpoint-64.safetensors.abc").write_bytes(b"half")
    for step in (64, 91, 128, 181):
        save_next(tmp_path, checkpoint(step))
    assert steps_in(tmp_path) == ["checkpoint-128.safetensors", "checkpoint-181.safetensors"]
    assert load_last(tmp_path).checkpoint.step == 181
    assert load_last(tmp_path).notices == ()


def test_a_damaged_newest_falls_back_with_a_notice_and_is_replaced(tmp_path) -> None:
    for step in (64, 91, 128):
        save_next(tmp_path, checkpoint(step))
    newest = tmp_path / "checkpoint-128.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    resumed = load_last(tmp_path)
    assert resumed.checkpoint.step == 91
    assert resumed.notices == (f"{newest}: damaged; going on from step 91",)
    save_next(tmp_path, checkpoint(128))
    assert load_last(tmp_path).notices == ()
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    resumed = load_last(tmp_path)
    assert resumed.checkpoint is None
    assert len(resumed.notices) == 2
    assert all(notice.endswith("its trunk starts over") for notice in resumed.notices)


def test_an_intact_checkpoint_that_will_not_do_is_passed_over(tmp_path) -> None:
    for step in (64, 91):
        save_next(tmp_path, checkpoint(step))
    resumed = load_last(tmp_path, lambda found: "too late" if found.step > 64 else None)
    assert resumed.checkpoint.step == 64
    assert resumed.notices[0].endswith("checkpoint-91.safetensors: too late; going on from step 64")


def test_the_one_checkpoint_of_the_first_release_is_read_until_two_replace_it(tmp_path) -> None:
    old = tmp_path / "checkpoint.safetensors"
    write_format_1(old, 64)
    found = load_last(tmp_path).checkpoint
    assert (found.step, found.diverged, found.position) == (64, {1: 7}, {})
    torch.testing.assert_close(found.tensors["master"], torch.arange(5.0) + 64)
    save_next(tmp_path, checkpoint(91))
    assert steps_in(tmp_path) == ["checkpoint-91.safetensors", "checkpoint.safetensors"]
    save_next(tmp_path, checkpoint(128))
    assert steps_in(tmp_path) == ["checkpoint-128.safetensors", "checkpoint-91.safetensors"]
    write_format_1(old, 64)
    old.write_bytes(old.read_bytes()[:-4] + b"\0\0\0\1")
    assert load_checkpoint(old) is None


def test_the_position_names_the_tokens_that_come_next() -> None:
    tokens = np.arange(41, dtype=np.uint8)
    streams = [TokenStream(tokens, 4, (0, member, 0)) for member in (0, 1)]
    proof = prove_position(streams, 13)
    assert proof["row"] == 13
    assert proof["places"] == [[1, 3], [1, 3]]
    rows = b"".join(stream.rows(13, 1).astype("<i8").tobytes() for stream in streams)
    assert proof["next_sha256"] == hashlib.sha256(rows).hexdigest()
    changed = [TokenStream(tokens + 1, 4, (0, member, 0)) for member in (0, 1)]
    assert prove_position(changed, 13) != proof
    other_seed = [TokenStream(tokens, 4, (1, member, 0)) for member in (0, 1)]
    assert prove_position(other_seed, 13) != proof
