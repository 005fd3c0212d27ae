"""Ray keeps the contract on a cluster of two raylets; a node that dies, a driver that dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
ray = pytest.importorskip("ray", reason="needs the extra `ray`: pip install 'isoflop[ray]'")

from isoflop.lab.launchers.ray import RayLauncher  # noqa: E402
from isoflop.store.leases.holding import read_holding  # noqa: E402
from isoflop.testing.launcher_contract import (  # noqa: E402
    SLOW,
    LauncherContract,
    file_identities,
    lasting_bytes,
    make_study,
    wait_until,
)

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
PATIENCE = 300.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two raylets, each with one CPU: two machines, as far as Ray can tell."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_DISABLE_IMPORT_WARNING"] = "1"
    found = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    found.add_node(**NODE)
    found.wait_for_nodes()
    yield found
    ray.shutdown()
    found.shutdown()


@pytest.fixture
def connected(cluster: Any) -> Any:
    ray.init(address=cluster.address, log_to_driver=False, ignore_reinit_error=True)
    return cluster


@pytest.mark.usefixtures("connected")
class TestRayLauncher(LauncherContract):
    patience_seconds = PATIENCE

    def make_launcher(self) -> RayLauncher:
        return RayLauncher()


def test_a_node_that_dies_in_mid_sweep_costs_no_run_and_repeats_none(
    connected: Any, tmp_path: Path
) -> None:
    study = make_study(tmp_path, SLOW)
    doomed = connected.add_node(**NODE)
    connected.remove_node(next(iter(connected.worker_nodes - {doomed})))
    connected.wait_for_nodes()
    raylet = doomed.all_processes["raylet"][0].process.pid
    seen: dict[str, tuple[int, int]] = {}
    killed: list[str] = []

    def watch(event: Any) -> None:
        seen.update({k: v for k, v in file_identities(study).items() if k not in seen})
        for name in [] if killed else ["d4", "d8"]:
            process = read_holding(study.rung_folder(name)).process
            begun = (study.run_folder(f"{name}-s0-t{SLOW[0]}") / "run.json").exists()
            if begun and process is not None and parent_of(process.pid) == raylet:
                killed.append(name)
                connected.remove_node(doomed, allow_graceful=False)

    failures = RayLauncher().launch(study, ["d8", "d4"], 2, watch)
    connected.add_node(**NODE)
    connected.wait_for_nodes()
    assert killed, "no rung was in work on the node that was to die"
    assert failures == []
    assert study.finished()
    assert read_holding(study.rung_folder(killed[0])).token == 2
    assert file_identities(study).items() >= seen.items()
    assert lasting_bytes(study) == LauncherContract._reference(SLOW)


DRIVER = """
import sys
import ray
from isoflop.lab.launchers.ray import RayLauncher
from isoflop.store.study import Study
ray.init(address=sys.argv[1], log_to_driver=False)
RayLauncher().launch(Study.open(sys.argv[2]), ["d8", "d4"], 2, lambda event: None)
"""


def test_a_driver_that_dies_is_started_again_and_goes_on(connected: Any, tmp_path: Path) -> None:
    study = make_study(tmp_path, SLOW)
    command = [sys.executable, "-c", DRIVER, connected.address, str(study.path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as driver:
        wait_until(lambda: len(study.manifests()) > 0, PATIENCE)
        os.kill(driver.pid, signal.SIGKILL)
    before = file_identities(study)
    assert not study.finished()
    assert RayLauncher().launch(study, ["d8", "d4"], 2, lambda event: None) == []
    assert study.finished()
    assert file_identities(study).items() >= before.items()
    assert lasting_bytes(study) == LauncherContract._reference(SLOW)


def parent_of(pid: int) -> int:
    """The parent of a process, 0 if there is none any more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])
