import io
import subprocess
import sys

from isoflop.lab.progress.progress import Lines, default_progress


def test_off_a_terminal_every_finished_run_is_one_line_with_the_time_left() -> None:
    stream = io.StringIO()
    lines = Lines(stream, every_seconds=0.0)
    lines.start({"d8": 100, "d16": 100}, {"d8": 30.0, "d16": 90.0}, 2)
    lines.event({"event": "ready"})
    lines.event({"event": "steps", "rung": "d8", "steps": 50})
    lines.event(
        {"event": "run", "rung": "d8", "run": "d8-s0-t1", "loss": 2.5, "diverged_step": None}
    )
    lines.event({"event": "run", "rung": "d8", "run": "d8-s1-t1", "loss": None, "diverged_step": 9})
    lines.event({"event": "failed", "rung": "d16", "message": "no memory"})
    lines.stop()
    text = stream.getvalue().splitlines()
    assert text[0] == "0 s training 2 rungs on 2 workers, about 1:30, 1:30 left"
    assert "12% done" in text[1]
    assert "d8-s0-t1 loss 2.5000" in text[2]
    assert "diverged at step 9" in text[3]
    assert "d16 failed: no memory" in text[4]
    assert len(text) == 5


def test_one_rung_on_one_worker_is_in_the_singular() -> None:
    stream = io.StringIO()
    Lines(stream).start({"d8": 100}, {"d8": 30.0}, 1)
    assert "training 1 rung on 1 worker, about 30 s" in stream.getvalue()


def test_a_stream_that_is_no_terminal_gets_lines() -> None:
    assert isinstance(default_progress(io.StringIO()), Lines)


BARS = """
from isoflop.lab.progress.bars import Bars
bars = Bars()
bars.start({"d8": 10}, {"d8": 5.0}, 1)
bars.event({"event": "ready"})
bars.event({"event": "steps", "rung": "d8", "steps": 10})
bars.event({"event": "run", "rung": "d8", "run": "r", "loss": 2.0, "diverged_step": None})
bars.stop()
"""


def test_bars_are_drawn_on_standard_error_only() -> None:
    done = subprocess.run([sys.executable, "-c", BARS], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "d8" in done.stderr


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import isoflop.lab
from isoflop.base.errors import MissingExtraError
try:
    isoflop.lab.run_ladder
except MissingExtraError as error:
    print(error)
"""


def test_without_torch_the_extra_is_named_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True
    )
    assert done.stdout == "training needs an extra: pip install 'isoflop[train]'\n"


def test_the_package_and_its_lab_import_no_torch() -> None:
    code = "import sys, isoflop.lab, isoflop.store.study; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
