"""Answers samples, here or in worker processes of a fresh interpreter each: one that dies costs its sample alone."""

import os
import signal
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Thread

from ... import ParleyError
from ...desk.clock import elapsed_s
from .outcomes import outcome_line
from .task import Outcome, Sample, Task

GRACE_S = 5.0
"""How long a worker that was told to stop may take."""


@dataclass(frozen=True, slots=True)
class Job:
    """One sample in one epoch; `place` is its rank in the whole evaluation."""

    place: int
    sample: Sample
    epoch: int


@dataclass(frozen=True, slots=True)
class Done:
    """What a job came to: an outcome, or why there is none. `seconds` is the machine's business alone."""

    job: Job
    outcome: Outcome | None
    error: str
    seconds: float


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job
    began_s: float


def run_jobs(task: Task, jobs: Sequence[Job], *, processes: int = 1, timeout_s: float | None = None) -> Generator[Done]:
    """Each job's result as it comes; with one process and no time limit in this one, in the order of the jobs."""
    if timeout_s is None and (processes <= 1 or len(jobs) <= 1):
        yield from (perform(task, job) for job in jobs)
        return
    yield from _pooled(task, jobs, max(processes, 1), timeout_s)


def perform(task: Task, job: Job) -> Done:
    """The outcome of one job; whatever goes wrong in it is its error, and nobody else's."""
    began_s = elapsed_s()
    try:
        outcome, error = task.run(job.sample, job.epoch), ""
        outcome_line(job.sample.id, job.epoch, outcome, "")  # refuses what a record cannot hold, such as a NaN
    except ParleyError as refused:
        outcome, error = None, f"{refused.code}: {refused}"
    except Exception as crash:  # the outer edge of a sample: a crash is counted, and the next sample is asked
        outcome, error = None, f"crash: {type(crash).__name__}: {crash}"
    return Done(job, outcome, error, elapsed_s() - began_s)


def _pooled(task: Task, jobs: Sequence[Job], processes: int, timeout_s: float | None) -> Generator[Done]:
    waiting, busy = deque(jobs), list[_Worker]()
    try:
        while waiting or busy:
            while waiting and len(busy) < processes:
                busy.append(_started(task, waiting.popleft()))
            for worker in _ready(busy, timeout_s):
                done = _result(worker, timeout_s)
                if done.error and not worker.process.is_alive():
                    busy.remove(worker)
                elif waiting:
                    _give(worker, waiting.popleft())
                else:
                    busy.remove(worker)
                    _stop(worker)
                yield done
    finally:
        for worker in busy:
            worker.process.terminate()
            _stop(worker)


def _started(task: Task, job: Job) -> _Worker:
    # A fresh interpreter for each worker: a fork would copy whatever threads and caches this one has.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, task))
    process.start()
    # With the only other end in the worker, its death is the end of the file here.
    theirs.close()
    worker = _Worker(process, ours, job, elapsed_s())
    _give(worker, job)
    return worker


def _give(worker: _Worker, job: Job) -> None:
    worker.job, worker.began_s = job, elapsed_s()
    # If it died between two samples, the end of its pipe is read next, and counted for this one.
    with suppress(ConnectionError):
        worker.pipe.send(job)


def _ready(busy: Sequence[_Worker], timeout_s: float | None) -> list[_Worker]:
    """Workers that have something to say, have died, or are over their time."""
    left_s = None
    if timeout_s is not None:
        left_s = max(min(worker.began_s for worker in busy) + timeout_s - elapsed_s(), 0.0)
    heard = connection.wait([worker.pipe for worker in busy], left_s)
    late_s = elapsed_s() - (timeout_s or float("inf"))
    return [worker for worker in busy if worker.pipe in heard or worker.began_s <= late_s]


def _result(worker: _Worker, timeout_s: float | None) -> Done:
    try:
        if worker.pipe.poll():
            return worker.pipe.recv()
        worker.process.kill()
        error = f"timeout: no answer within {timeout_s:g} s"
    except (EOFError, ConnectionError):
        error = "crash: the worker process died"
    worker.process.join()
    worker.pipe.close()
    code = worker.process.exitcode or 0
    how = f" by {signal.Signals(-code).name}" if code < 0 else f" with exit code {code}"
    return Done(worker.job, None, error + how * error.startswith("crash"), elapsed_s() - worker.began_s)


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.join(GRACE_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _end_with_parent() -> None:
    """Nobody waits any more for the sample at hand, however long it would take."""
    asking = parent_process()
    if asking is not None:
        asking.join()
        os._exit(1)


def _serve(pipe: Connection, task: Task) -> None:
    """The worker: answers until nobody asks, also when the asking process was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            pipe.send(perform(task, pipe.recv()))
    except (EOFError, ConnectionError):
        return
