"""SQLite checkpoints of the decision graph, restricted to our own types."""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from inspect import getmembers, isclass
from types import ModuleType
from typing import Any

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from ..domain import decisions, orders, portfolio, reflections, trading, views
from .errors import CheckpointUnreadable


class LocalSaver(SqliteSaver):
    """The synchronous saver under the asynchronous names: a local SQLite write is shorter than a thread hop."""

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        found: Iterator[CheckpointTuple] = self.list(config, filter=filter, before=before, limit=limit)
        for item in found:
            yield item

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self.put_writes(config, writes, task_id, task_path)


def open_checkpoints(path: str) -> LocalSaver:
    """A saver on this file that will rebuild the desk's own types and nothing else."""
    connection = sqlite3.connect(path, check_same_thread=False)
    with readable(path):
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=normal")
    allowed = [
        pair for module in (decisions, orders, portfolio, reflections, trading, views) for pair in _types_of(module)
    ]
    return LocalSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=allowed))


@contextmanager
def readable(path: str) -> Iterator[None]:
    """What can't be read is refused and never taken for something else; a checkpoint is only work done in advance."""
    try:
        yield
    except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as error:
        raise CheckpointUnreadable(
            f"{path}: the checkpoint of a decision can't be read: {error}",
            remedy="Delete this file and resume: the decision is made again from its beginning.",
        ) from error


def _types_of(module: ModuleType) -> list[tuple[str, str]]:
    return [(kind.__module__, name) for name, kind in getmembers(module, isclass) if kind.__module__ == module.__name__]
