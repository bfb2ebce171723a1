"""A worker process, started as ``python -P -m ddbench.run.worker STORE EVENTS DEVICE``.

It reads jobs from stdin and writes answers to stdout, each as one line of JSON. It ends when its driver ends.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from ddbench.errors import ChanceError, DdbenchError, LeakError, StoreError
from ddbench.plan import STAGES
from ddbench.record import Provenance
from ddbench.registry import catalogue
from ddbench.run.events import EventLog
from ddbench.run.failure import describe, trace_of
from ddbench.run.job import Job
from ddbench.run.worker_cache import WorkerCache, new_worker_cache
from ddbench.store import CorruptError, Manifest
from ddbench.store.lock import hold_as_worker
from ddbench.text import one_line

Send = Callable[[dict[str, Any]], None]


def main() -> None:
    """Run jobs until the driver ends."""
    root, events, device = Path(sys.argv[1]), EventLog(Path(sys.argv[2])), sys.argv[3]
    send = _take_over_stdout()
    lock = hold_as_worker(root)
    _drop_in_forks(lock)
    jobs: queue.SimpleQueue[tuple[Job, float]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, _take_over_stdin()), daemon=True).start()
    cache = new_worker_cache(root, device)
    _warm_up()
    if (reason := _unusable(device)) is not None:
        send({"kind": "unusable", "message": reason})
        sys.exit(1)
    send({"kind": "ready"})
    while not lock.closed:
        job, received = jobs.get()
        answer = _attempt(job, cache, events, send, received)
        send({"action_key": job.action_key, **answer})


def _warm_up() -> None:
    """Import what every job needs before the first job arrives."""
    for module in ("torch", "safetensors.torch", "ddbench.run.stages", "ddbench.run.evaluation"):
        importlib.import_module(module)
    catalogue()


def _unusable(device: str) -> str | None:
    """Return the reason why torch cannot compute on a GPU; None if it can."""
    import torch

    if device == "cpu":
        return None
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA"
    try:
        torch.ones(1, device=device).sum().item()
    except Exception as error:
        return f"torch {torch.__version__} cannot open it: {str(error).strip().splitlines()[0]}"
    return None


def _drop_in_forks(file: IO[Any]) -> None:
    """Close a file in processes that components fork.

    Such a process may outlive the worker. It must not keep the lock, or the pipe by whose end the driver sees a death.
    """
    descriptor = file.fileno()

    def drop() -> None:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, descriptor, inheritable=False)
        os.close(nothing)

    os.register_at_fork(after_in_child=drop)


def _take_over_stdin() -> IO[bytes]:
    """Return the driver's pipe. Components read an empty stdin, and ``exit()`` closes that alone."""
    pipe = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    _drop_in_forks(pipe)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    return pipe


def _take_over_stdout() -> Send:
    """Return a function that sends answers to the driver. Redirect other output to the worker's log."""
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii", buffering=1)
    _drop_in_forks(pipe)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            pipe.write(json.dumps(message) + "\n")

    return send


def _listen(jobs: queue.SimpleQueue[tuple[Job, float]], pipe: IO[bytes]) -> None:
    """Queue the driver's jobs, each with the time of its arrival. When the driver has ended, end at once."""
    for line in pipe:
        jobs.put((Job.from_line(line), time.monotonic()))
    os._exit(0)


def _attempt(
    job: Job, cache: WorkerCache, events: EventLog, send: Send, received: float | None = None
) -> dict[str, Any]:
    """Run a job and return an answer. Any error becomes an answer too.

    Args:
        job: the job.
        cache: the objects that jobs share.
        events: the log of events.
        send: sends messages before the answer.
        received: the time at which the job arrived, by ``time.monotonic``; by default now.
    """
    about = {"stage": job.stage, "action_key": job.action_key, "recipe_key": job.recipe_key}
    try:
        with cache.store.writing():
            events.add("start", **about)
            result = run_job(job, cache, send, received)
            events.add("done", **about)
    except CorruptError as error:
        cache.lru.clear()
        return {"kind": "corrupt", "message": one_line(str(error))}
    except DdbenchError as error:
        fatal = isinstance(error, ChanceError | LeakError | StoreError)
        return {"kind": "failed", "user": True, "fatal": fatal, "message": one_line(str(error)), "trace": ""}
    except BaseException as error:  # a component may call exit()
        return {"kind": "failed", "user": False, "fatal": False, "message": describe(error), "trace": trace_of(error)}
    return {"kind": "done", **result}


@contextmanager
def _warnings_to(send: Send, job: Job) -> Iterator[None]:
    """Send each different warning of the logger ``ddbench`` to the driver."""
    sent: set[str] = set()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if message not in sent:
                sent.add(message)
                send({"kind": "warning", "action_key": job.action_key, "message": message})

    handler, logger = Handler(logging.WARNING), logging.getLogger("ddbench")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def run_job(job: Job, cache: WorkerCache, send: Send, received: float | None = None) -> dict[str, Any]:
    """Run one node and store what it made; return what the driver needs to know of it."""
    import torch

    from ddbench.run.evaluation import evaluate, make_record
    from ddbench.run.stages import RUN
    from ddbench.run.usage import measured
    from ddbench.toolkit.environment import environment
    from ddbench.toolkit.kept_parts import kept_files

    torch.set_num_threads(job.threads)
    if cache.device != "cpu":  # on a CPU it changes nothing here, and costs two seconds of imports
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.allow_tf32 = False

    def progress(done: int, total: int) -> None:
        send({"kind": "progress", "action_key": job.action_key, "done": done, "total": total})

    began = time.monotonic() if received is None else received
    with cache.context(job, progress, began) as ctx, _warnings_to(send, job):
        measure = partial(measured, cache.device, resumed=bool(kept_files(ctx.checkpoint_file)))
        if STAGES[job.stage].makes_result:
            with measure() as usage:
                made = evaluate(job, cache, ctx)
            cache.store.put_result(make_record(job, cache, ctx, made, usage), made.predictions)
            cache.store.finished(job.action_key)
            return {"usage": usage, "accuracy": made.result.last}
        with measure() as usage:
            output = RUN[job.stage](job, cache, ctx)
        unsigned = Manifest(
            action_key=job.action_key,
            recipe_key=job.recipe_key,
            stage=job.stage,
            recipe=job.recipe,
            inputs=dict(job.input_digests.named()),
            digest="",
            files={},
            provenance={role: Provenance.model_validate(known) for role, known in job.provenance.items()},
            info={
                **output.info,
                "samples": output.samples,
                "usage": usage,
                "environment": environment(cache.device, job.threads),
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )
        cache.store.put(output, unsigned)
        cache.store.finished(job.action_key)
        notes = output.info.get("notes")
        return {"usage": usage, **({"note": "; ".join(notes)} if notes else {})}


if __name__ == "__main__":
    main()
