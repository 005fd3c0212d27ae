import dataclasses
import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isoflop.base.errors import HeldError, InputError
from isoflop.store.leases import holding
from isoflop.store.leases.holding import Holding, read_holding, write_holding
from isoflop.store.leases.lease import Sighting, Watch, claim
from isoflop.store.leases.process import identify, known_dead, this_process


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def elsewhere(token: int = 4, beat: int = 7) -> Holding:
    """Held by a process of another machine, lease time 60 s."""
    process = dataclasses.replace(this_process(), host="another", boot="other")
    return Holding(token, beat, "them", process, 60.0)


def test_a_second_claim_is_refused_by_name_and_tokens_only_grow(tmp_path: Path) -> None:
    tokens = []
    for _ in range(3):
        with claim(tmp_path, "rung d4") as lease:
            tokens.append(lease.token)
            with pytest.raises(HeldError, match=rf"rung d4 is being trained.*pid {os.getpid()} on"):
                claim(tmp_path, "rung d4")
            assert Watch().look(tmp_path) is None
    assert tokens == [1, 2, 3]
    assert Watch().look(tmp_path) == Sighting(3, read_holding(tmp_path).beat)


def test_a_holder_beats_and_a_beating_holder_is_never_taken_for_gone(tmp_path: Path) -> None:
    watch, clock = None, Clock()
    watch = Watch(clock)
    with claim(tmp_path, "it", seconds=0.2):
        for _ in range(4):
            before = read_holding(tmp_path).beat
            deadline = time.monotonic() + 10
            while read_holding(tmp_path).beat == before:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            clock.now += 100.0
            assert watch.look(tmp_path) is None


def test_a_dead_process_of_this_machine_is_replaced_at_once(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from isoflop.store.leases.lease import claim;"
        "claim(Path(sys.argv[1]), 'it'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HeldError, match=f"pid {holder.pid} on"):
            claim(tmp_path, "it")
        holder.kill()
        deadline = time.monotonic() + 10  # a zombie until it is waited for
        while Watch().look(tmp_path) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with claim(tmp_path, "it") as lease:
            assert lease.token == 2


def test_a_pid_in_use_again_is_another_process() -> None:
    mine = this_process()
    assert not known_dead(mine)
    assert known_dead(dataclasses.replace(mine, started=mine.started - 1))
    assert mine == identify(os.getpid())
    with Path("/proc/sys/kernel/pid_max").open() as largest:
        assert known_dead(dataclasses.replace(mine, pid=int(largest.read()) + 1))


@pytest.mark.parametrize("field", ["host", "boot", "namespace"])
def test_of_another_machine_boot_or_container_nothing_is_known(field: str) -> None:
    stranger = dataclasses.replace(this_process(), started=-5, **{field: "another"})
    assert not known_dead(stranger)


def test_a_holder_elsewhere_is_replaced_after_its_lease_time_only(tmp_path: Path) -> None:
    clock = Clock()
    watch = Watch(clock)
    write_holding(tmp_path, elsewhere())
    assert watch.look(tmp_path) is None
    clock.now = 59.9
    assert watch.look(tmp_path) is None
    with pytest.raises(HeldError, match="on another"):
        claim(tmp_path, "it")
    write_holding(tmp_path, elsewhere(beat=8))
    clock.now = 61.0  # longer than the lease, but not since it last beat
    assert watch.look(tmp_path) is None
    clock.now = 121.0
    seen = watch.look(tmp_path)
    assert seen == Sighting(4, 8)
    write_holding(tmp_path, elsewhere(beat=9))  # it beat after all
    with pytest.raises(HeldError):
        claim(tmp_path, "it", seen=seen)
    write_holding(tmp_path, elsewhere(beat=8))
    with claim(tmp_path, "it", seen=seen) as lease:
        assert lease.token == 5


def test_who_was_fenced_off_writes_nothing_and_takes_nothing_back(tmp_path: Path) -> None:
    late = claim(tmp_path, "rung d4", seconds=1e6)
    seen = Sighting(late.token, read_holding(tmp_path).beat)
    with claim(tmp_path, "rung d4", seen=seen) as lease:
        assert lease.token == late.token + 1
        with pytest.raises(HeldError, match="took over; nothing more is written"), late.guard():
            pytest.fail("the guard let it in")
        late.close()
        assert read_holding(tmp_path).token == lease.token
        assert read_holding(tmp_path).owner
        with lease.guard():
            pass


def test_a_damaged_lease_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lease.json").write_text('{"token": 3')
    with pytest.raises(InputError, match=r"lease\.json.*stop every runner of this study"):
        claim(tmp_path, "it")


def test_a_full_disk_hides_no_error_and_keeps_the_lease_until_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    def fill_the_disk_and_write() -> None:
        with claim(tmp_path, "rung d4", seconds=5.0):
            monkeypatch.setattr(holding, "write_atomic", refuse)
            raise OSError(errno.ENOSPC, "No space left on device", "journal.jsonl")

    with pytest.raises(OSError, match="No space left") as caught:
        fill_the_disk_and_write()
    assert caught.value.filename == "journal.jsonl"
    monkeypatch.undo()
    clock = Clock()
    watch = Watch(clock)
    assert watch.look(tmp_path) is None
    clock.now = 5.1  # nobody beats any more
    with claim(tmp_path, "rung d4", seen=watch.look(tmp_path)) as lease:
        assert lease.token == 2


def test_a_damaged_lease_ends_its_heartbeat_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with claim(tmp_path, "rung d4", seconds=0.1) as lease:
        (tmp_path / "lease.json").write_text("{")
        lease._thread.join(timeout=10)
        with pytest.raises(InputError, match="not valid JSON"), lease.guard():
            pytest.fail("the guard let it in")
    assert capfd.readouterr().err == ""
