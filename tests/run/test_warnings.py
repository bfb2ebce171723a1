"""Warnings of a component reach the user, each once."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

from ddbench import Context
from ddbench.run.executors.worker_process import parse_answer
from ddbench.run.worker import _warnings_to


def test_each_different_warning_of_a_job_is_sent_once() -> None:
    sent: list[dict[str, Any]] = []
    log, child = Context().log, logging.getLogger("ddbench.own")
    with _warnings_to(sent.append, cast("Any", SimpleNamespace(action_key="k"))):
        for _ in range(3):
            log.warning("no space on %s", "disk")
        log.info("ten images a second")
        child.error("a part failed")
    log.warning("after the job")
    assert sent == [
        {"kind": "warning", "action_key": "k", "message": message} for message in ("no space on disk", "a part failed")
    ]


def test_a_driver_reads_a_warning() -> None:
    line = b'{"kind": "warning", "action_key": "k", "message": "no space"}\n'
    assert parse_answer(line) == {"kind": "warning", "action_key": "k", "message": "no space"}
    assert parse_answer(line.replace(b'"no space"', b"3")) is None
