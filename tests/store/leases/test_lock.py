import os
import signal
import subprocess
import sys

import pytest

from isoflop.base.errors import IsoflopError
from isoflop.store.leases.lock import exclusive

HOLDER = """
import sys, time
from pathlib import Path
from isoflop.store.leases.lock import exclusive
with exclusive(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_names_its_holder_and_dies_with_it(tmp_path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(IsoflopError, match=f"it is being written .*pid {holder.pid}"):
            exclusive(path, "it").__enter__()
        os.kill(holder.pid, signal.SIGKILL)
    with exclusive(path, "it"):
        assert path.read_text() == f"{os.getpid()}\n"
