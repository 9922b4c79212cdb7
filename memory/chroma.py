"""ChromaDB, in the one module that knows it: a table of rows with vectors in a folder, and its nearest rows.

It is loaded with this module, which takes most of a second: import it where it is needed. Telemetry is off, and every
collection is given our own embedding function, so that none makes the built-in one, which downloads a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import chromadb
import numpy as np
import numpy.typing as npt
from chromadb.api.types import Documents, EmbeddingFunction, Space
from chromadb.config import Settings

from .lesson_words import VERSION, Vectors, vectors_of


class WordEmbedding(EmbeddingFunction[Documents]):
    """A lesson's words, each at its own place. Nothing is loaded and nothing learned."""

    def __init__(self) -> None:
        """The base class warns where there is none."""

    def __call__(self, input: Documents) -> list[npt.NDArray[Any]]:
        return [np.asarray(row) for row in vectors_of([text.split() for text in input], weighted=False)]

    @staticmethod
    def name() -> str:
        return "parley-lesson-words"

    def default_space(self) -> Space:
        return "ip"

    def supported_spaces(self) -> list[Space]:
        return ["ip"]

    def get_config(self) -> dict[str, Any]:
        return {"version": VERSION}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> "WordEmbedding":
        return WordEmbedding()


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is kept; `vector` is empty where it was not asked for."""

    ident: str
    text: str
    available_at: int
    digest: str
    vector: tuple[float, ...] = ()


class Table:
    """One collection of a folder."""

    def __init__(self, path: Path, name: str) -> None:
        self._client = cast(Any, chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False)))
        self._rows = self._client.get_or_create_collection(
            name, embedding_function=WordEmbedding(), configuration={"hnsw": {"space": "ip"}}
        )

    def nearest(self, vector: Vectors, *, available_by: int, limit: int) -> list[Row]:
        """Rows near a vector, of those available by a second of the epoch; near is all that is promised."""
        found = self._rows.query(
            query_embeddings=[vector],
            n_results=min(limit, max(self._rows.count(), 1)),
            where={"available_at": {"$lte": available_by}},
            include=["documents", "metadatas"],
        )
        rows = zip(found["ids"][0], found["documents"][0], found["metadatas"][0], strict=True)
        return [Row(ident, text, kept["available_at"], kept["hash"]) for ident, text, kept in rows]

    def put(self, rows: Sequence[Row]) -> None:
        """Write rows, over those of the same ids."""
        self._rows.upsert(
            ids=[row.ident for row in rows],
            documents=[row.text for row in rows],
            embeddings=[np.array(row.vector, dtype=np.float32) for row in rows],
            metadatas=[{"available_at": row.available_at, "hash": row.digest} for row in rows],
        )

    def all(self) -> list[Row]:
        found = self._rows.get(include=["documents", "metadatas", "embeddings"])
        rows = zip(found["ids"], found["documents"], found["metadatas"], found["embeddings"], strict=True)
        return [
            Row(ident, text, kept["available_at"], kept["hash"], tuple(vector.tolist()))
            for ident, text, kept, vector in rows
        ]

    def close(self) -> None:
        self._client.close()
