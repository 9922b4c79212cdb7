"""A GGUF file as a model: llama.cpp in this process, no server and no network; needs the extra `[local]`."""

import asyncio
import os
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import ModelMissing, WireFailed
from .streams import Assembly
from .wire import Body

PREFIX = "local:"
"""What the name of such a model begins with; the path of the file follows."""

CONTEXT_TOKENS = 8_192
GGUF_MAGIC = b"GGUF"


class LocalWire:
    """One file, loaded at the first question and kept; one question at a time."""

    def __init__(self, path: Path) -> None:
        refuse_unusable(path)
        self._path = path
        self._server: Any = None
        self._busy = threading.Lock()

    @property
    def where(self) -> str:
        return f"{self._path.name} in this process"

    async def post(self, body: Body, max_bytes: int) -> Body:
        """Always streamed inside, so that an answer nobody waits for any more stops at its next token."""
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(self._complete, body, max_bytes, given_up)
        finally:
            given_up.set()

    def _complete(self, body: Body, max_bytes: int, given_up: threading.Event) -> Body:
        assembly, broken, n_bytes = Assembly(), list[WireFailed](), 0

        def take(chunk: Body) -> bool:
            """Called in mid-answer; True ends it. An error raised here would be lost in llama.cpp."""
            nonlocal n_bytes
            n_bytes += len(str(chunk))
            try:
                _refuse_error(chunk)
                assembly.chunk(chunk)
            except WireFailed as error:
                broken.append(error)
            return given_up.is_set() or bool(broken) or n_bytes > max_bytes

        with self._busy:
            if given_up.is_set():
                raise WireFailed("given up before its turn")
            self._ask({**body, "stream": True, "stream_options": {"include_usage": True}}, take)
        if broken:
            raise broken[0]
        if n_bytes > max_bytes:
            raise WireFailed(f"the reply is longer than {max_bytes} bytes")
        return assembly.completion()

    def _ask(self, body: Body, take: Callable[[Body], bool]) -> None:
        try:
            refused = self._loaded().handle_chat_completions(body, take)
        except ValueError as error:
            raise WireFailed("llama.cpp refused the request", status=400, complaint=str(error)) from error
        except RuntimeError as error:
            raise WireFailed(f"llama.cpp failed ({type(error).__name__})") from error
        if isinstance(refused, dict):
            _refuse_error(refused)

    def _loaded(self) -> Any:
        if self._server is None:
            self._server = _load(self._path)
        return self._server


def refuse_unusable(path: Path) -> None:
    """Raises ModelMissing unless there is a GGUF file and something to run it."""
    from importlib.util import find_spec

    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise ModelMissing(
            f"{path}: no model file there ({error.strerror or error})", remedy=f"Name one as {PREFIX}PATH.gguf."
        ) from error
    if magic != GGUF_MAGIC:
        raise ModelMissing(f"{path}: this is no GGUF file", remedy="Give the weights in llama.cpp's GGUF format.")
    if find_spec("xllamacpp") is None:
        raise ModelMissing(f"{path}: llama.cpp is not installed", remedy='Install it: pip install "parley[local]".')


def _load(path: Path) -> Any:
    # Read when libgomp loads. Its default is to spin at every barrier: on two cores with one busy neighbor
    # an answer then takes 10 to 30 times as long; this costs 20 % on an idle machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    llama: Any = import_module("xllamacpp")

    params = llama.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    params.use_jinja = True
    params.offline = True
    params.ui = False
    params.verbosity = 0
    try:
        return llama.Server(params)
    except RuntimeError as error:
        raise WireFailed(f"{path.name} could not be loaded by llama.cpp") from error


def _refuse_error(chunk: Body) -> None:
    """llama.cpp says what is wrong with a request in the form an HTTP server would."""
    error = chunk.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        status = code if isinstance(code, int) else 500
        raise WireFailed(f"llama.cpp refused ({status})", status=status, complaint=str(error.get("message", "")))
