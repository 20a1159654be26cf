"""A real Dask scheduler and real worker processes on this machine."""

import os
import re
import socket
import subprocess
import sys

import pandas as pd
import psutil
import pytest

import capalloc as ca
from capalloc import clusters
from capalloc.clusters import ClusterFailed
from sample import sample

AMOUNT = "envelopes.state.2026-2030.amount"


def free_port():
    """Return a port that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def dask(*arguments):
    """Start a command of Dask as a process of its own."""
    command = [sys.executable, "-m", "dask", *map(str, arguments)]
    quiet = {"DASK_LOGGING__DISTRIBUTED": "error"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | quiet)


def end(process):
    """Kill a process and whatever it started."""
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def processes():
    """Return the port of a scheduler, its process, and that of two workers, which begin anew when they are killed."""
    port = free_port()
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    workers = dask("worker", f"127.0.0.1:{port}", "--nworkers", 2, "--nthreads", 1, "--no-dashboard")
    yield port, scheduler, workers
    for process in (workers, scheduler):
        if process.poll() is None:
            end(process)


@pytest.fixture
def cluster(processes):
    """Return the address of the scheduler once it has both workers."""
    from distributed import Client

    address = f"127.0.0.1:{processes[0]}"
    with Client(f"tcp://{address}", set_as_default=False, timeout=120) as client:
        client.wait_for_workers(2, timeout=120)
    return address


def amounts(count):
    """Return scenarios of as many different amounts of the state's envelope."""
    return pd.DataFrame({AMOUNT: range(900, 900 + count)})


def worth(runs):
    """Return the value of each scenario."""
    return runs.to_frame().set_index("scenario")["value"].to_dict()


def test_a_cluster_gives_what_this_machine_gives(cluster, processes, tmp_path):
    """Though one of its workers is killed in the middle: nothing is lost and nothing is written twice."""
    killed = []

    def kill(report):
        if report.done > 1 and not killed:
            # Beside the two workers there is the process that multiprocessing tracks its resources with.
            children = psutil.Process(processes[2].pid).children()
            killed.append(max(children, key=lambda child: child.memory_info().rss))
            killed[0].kill()

    runs = ca.run(sample(), amounts(40), store=tmp_path / "d.sqlite", workers=f"dask://{cluster}", progress=kill)
    here = ca.run(sample(), amounts(40), store=tmp_path / "h.sqlite", workers=2)
    assert killed
    assert runs.complete
    assert worth(runs) == worth(here)
    assert len({own.row["id"] for own in runs.held}) == 41
    assert all(re.search(r", \d+$", own.row["worker"]) for own in runs.held)


def test_a_scheduler_that_is_not_there_is_told(tmp_path, monkeypatch):
    """With what to start; the store is kept and can be gone on with."""
    monkeypatch.setattr(clusters, "_SECONDS_TO_CONNECT", 1.0)
    with pytest.raises(
        ClusterFailed, match=r"There is no Dask scheduler at 127\.0\.0\.1:\d+ .* Start one with: dask scheduler"
    ):
        ca.run(sample(), amounts(2), store=tmp_path / "r.sqlite", workers=f"dask://127.0.0.1:{free_port()}")
    assert ca.run(sample(), amounts(2), store=tmp_path / "r.sqlite", workers=1).complete


def test_a_cluster_without_workers_is_told(tmp_path):
    """Instead of waiting for ever."""
    port = free_port()
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    try:
        with pytest.raises(ClusterFailed, match="has no workers"):
            ca.run(sample(), amounts(2), store=tmp_path / "r.sqlite", workers=f"dask://127.0.0.1:{port}")
    finally:
        end(scheduler)


def test_a_cluster_that_goes_away_leaves_what_was_written(cluster, processes, tmp_path):
    """The run says so, and can be gone on with elsewhere; the last test here, as it ends the scheduler."""

    def leave(report):
        if report.done == 1:
            end(processes[1])

    with pytest.raises(ClusterFailed, match="went away"):
        ca.run(sample(), amounts(30), store=tmp_path / "r.sqlite", workers=f"dask://{cluster}", progress=leave)
    runs = ca.load_runs(tmp_path / "r.sqlite")
    assert worth(runs)["base"] == 16
    assert not runs.complete
