"""One call of a model inside its deadline, as the record of it that the log keeps, whether it failed or not."""

import asyncio

from ...domain.decisions import ModelCall
from ..errors import ModelFailed
from .port import ChatModel, ChatRequest, request_tokens

MAX_CHARS_PER_TOKEN = 32
"""A reply longer than this times the tokens allowed did not keep to them; the log need not hold it."""


async def call_model(model: ChatModel, name: str, request: ChatRequest, timeout_s: float) -> ModelCall:
    """The call as recorded under the model's `name`; a failed one is counted as having sent its prompt."""
    reply, error, tokens = "", None, (request_tokens(request), 0)
    try:
        async with asyncio.timeout(timeout_s):
            answer = await model.complete(request)
        tokens = (answer.prompt_tokens, answer.completion_tokens)
        if len(answer.text) > MAX_CHARS_PER_TOKEN * request.max_tokens:
            error = f"a reply of {len(answer.text)} characters, where {request.max_tokens} tokens were allowed"
        else:
            # Half of a surrogate pair is legal in JSON and in a Python string, but not in UTF-8.
            reply = answer.text.encode("utf-8", "replace").decode("utf-8")
    except ModelFailed as failed:
        error = failed.message
    except TimeoutError:
        error = f"no reply within {timeout_s:g} s"
    return ModelCall(
        node=request.node,
        prompt=request.prompt.name,
        prompt_version=request.prompt.version,
        prompt_hash=request.prompt.hash,
        model=name,
        request_hash=request.hash,
        reply=reply,
        error=error,
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
    )
