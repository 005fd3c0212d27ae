"""A real Slurm of one machine: munged, slurmctld and slurmd with their files in one folder.

Needs root and Debian's slurm-wlm (`apt-get install slurm-wlm`). By hand, from the root of the
project: `python tests/slurm/start_slurm.py FOLDER`, then `export SLURM_CONF=FOLDER/slurm.conf`.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
_CONFIG = """
ClusterName=isoflop
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
JobRequeue=1
KillWait=2
OverTimeLimit=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Return why no Slurm can be started here, None if one can."""
    missing = [name for name in NEEDED if find(name) is None]
    if missing:
        return f"no Slurm on this machine ({', '.join(missing)}): apt-get install slurm-wlm"
    return None if os.getuid() == 0 else "starting Slurm needs root"


def find(name: str) -> str | None:
    """Return the path of a program, daemons included."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def slurm(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run a Slurm while the block runs; gives the environment its commands need."""
    write_files(folder)
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands(folder):
            with (folder / f"{Path(command[0]).name}.out").open("wb") as out:
                daemons.append(
                    subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
                )
            time.sleep(1.0)
        wait_for_node(environment)
        yield {"SLURM_CONF": environment["SLURM_CONF"]}
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def write_files(folder: Path) -> None:
    """Write the configuration and munge's key."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    controller, daemon = free_ports(2)
    text = _CONFIG.format(
        host=socket.gethostname().split(".")[0],
        folder=folder,
        controller=controller,
        daemon=daemon,
        cores=len(os.sched_getaffinity(0)),
    )
    (folder / "slurm.conf").write_text(text)


def commands(folder: Path) -> list[list[str]]:
    """Return the daemons in the order of their start, each in the foreground."""
    munge = [f"--{name}={folder}/munge.{name.split('-')[0]}" for name in ("socket", "pid-file")]
    munge += [f"--key-file={folder}/munge.key", f"--log-file={folder}/munge.log"]
    munge += [f"--seed-file={folder}/munge.seed", "--force", "--foreground"]
    programs = {name: find(name) or name for name in NEEDED}
    configured = ["-D", "-f", str(folder / "slurm.conf")]
    return [
        [programs["munged"], *munge],
        [programs["slurmctld"], *configured],
        [programs["slurmd"], *configured],
    ]


def wait_for_node(environment: Mapping[str, str], seconds: float = 60.0) -> None:
    """Wait until the one node takes jobs."""
    deadline = time.monotonic() + seconds
    while True:
        said = subprocess.run(
            ["sinfo", "--noheader", "--format=%t"],
            capture_output=True,
            text=True,
            check=False,
            env=dict(environment),
        )
        if said.stdout.strip() == "idle":
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"Slurm did not come up: {said.stdout}{said.stderr}")
        time.sleep(0.5)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that its daemons end with it
    if (reason := why_not()) is not None:
        sys.exit(reason)
    with slurm(Path(sys.argv[1]).resolve()) as needed:
        print(f"export SLURM_CONF={needed['SLURM_CONF']}", flush=True)
        while True:
            time.sleep(60)
