"""One task for each file, on processes of this machine or on a cluster, until all have ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.lazy import lazy

dask = lazy("dask", "Dask", "pip install 'eqhls[dask]'")
distributed = lazy("distributed", "Dask", "pip install 'eqhls[dask]'")
system = lazy("dask.system", "Dask", "pip install 'eqhls[dask]'")

PATIENCE = 5.0
"""Seconds after which a process that is missing is started anew."""
POLL = 0.5
"""Seconds between two looks at what runs."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be done, and why."""

    file: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Pool:
    """What does the work: so many processes of this machine, one for each processor if 0, or the cluster
    whose scheduler has an address."""

    workers: int = 0
    scheduler: str = ""


@contextmanager
def client_of(pool: Pool, files: int) -> Generator[Any]:
    """Return a client of the cluster, or of processes that end with it, no more than there are files. Each of
    these holds one file, so that none is blamed for the end of another's process. Raises CompileError for
    a cluster that does not answer."""
    if pool.scheduler:
        try:
            client = distributed.Client(pool.scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise CompileError(
                "--scheduler",
                f"{pool.scheduler} does not answer ({error})",
                "start dask scheduler, and give its address",
            ) from None
        with client:
            yield client
        return
    workers, cluster_of = min(pool.workers or system.CPU_COUNT, files), distributed.LocalCluster
    with (
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        cluster_of(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def run_each(
    client: Any,
    task: Callable[..., Any],
    files: Sequence[Path],
    arguments: Callable[[Path], tuple[Any, ...]],
    running: Callable[[frozenset[Path]], None],
) -> Iterator[tuple[Path, Any]]:
    """Call task(file, *arguments(file)) for every file and yield each result, as they come; a task whose
    worker is lost is done again by another, some times. `running` is told which files are worked on.

    A task returns what it finds and raises nothing; a file that a task does not survive gives a `Failed`.
    """
    futures = {client.submit(task, f, *arguments(f), pure=False): f for f in files}
    by_key = {future.key: file for future, file in futures.items()}
    waiting, crew = set(futures), _Crew(client)
    while waiting:
        crew.fill()
        running(frozenset(by_key[k] for keys in client.processing().values() for k in keys if k in by_key))
        try:
            done = distributed.wait(waiting, timeout=POLL, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            continue
        for future in done:
            waiting.discard(future)
            yield futures[future], _result(future, futures[future])
            future.release()


class _Crew:
    """The processes of this machine: Dask does not always start another one for one that was killed."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._cluster: Any = client.cluster
        self._wanted = len(client.nthreads())
        self._since = time.monotonic()

    def fill(self) -> None:
        """Start as many processes as are missing, if they have been for a while. A cluster minds its own."""
        if self._cluster is None:
            return
        lack = self._wanted - len(self._client.nthreads())
        if lack <= 0:
            self._since = time.monotonic()
        elif time.monotonic() > self._since + PATIENCE:
            self._cluster.scale(len(self._cluster.worker_spec) + lack)
            self._since = time.monotonic()


def _result(future: Any, file: Path) -> Any:
    if future.status == "finished":
        return future.result()
    error = future.exception() if future.status == "error" else None
    if isinstance(error, distributed.scheduler.KilledWorker):
        return Failed(file, "every worker that held it was lost, maybe for want of memory")
    return Failed(file, f"{type(error).__name__} {error}" if error else f"was {future.status}")
