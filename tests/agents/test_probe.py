"""What the probe finds out about endpoints that can do much, little or nothing."""

import asyncio
import json
from typing import Any

import pytest
from parley.agents.llm.http_wire import HttpWire
from parley.agents.llm.probe import Profile, probe

RED, BLUE = '{"color": "red"}', '{"color": "blue"}'
CALL = {"id": "1", "type": "function", "function": {"name": "ProbeReply", "arguments": BLUE}}


def probed(fake: Any, script: Any, timeout_s: float = 5.0) -> tuple[Profile, Any]:
    with fake.serving(script) as server:
        profile = asyncio.run(probe(HttpWire(server.url, None, 5.0), "tiny", timeout_s, lambda: 1.0))
        return profile, server


def able(profile: Profile) -> dict[str, bool]:
    return {trait.name: trait.is_able for trait in profile.traits}


def test_an_endpoint_that_can_do_everything(fake: Any):
    def script(body: dict[str, Any]) -> Any:
        if "tools" in body:
            return fake.Act(message={"content": None, "tool_calls": [CALL]})
        is_held = body.get("response_format", {}).get("type") == "json_schema"
        return fake.Act(BLUE if is_held else RED)

    profile, server = probed(fake, script)

    assert able(profile) == dict.fromkeys(("schema", "tool", "json", "stream", "usage"), True)
    assert (profile.failure, profile.advice()) == ("", "")
    assert len(server.bodies) == 5
    assert all(body["max_tokens"] <= 64 for body in server.bodies)


def test_an_endpoint_that_takes_everything_and_heeds_nothing(fake: Any):
    profile, _ = probed(fake, [fake.Act(RED, usage=None)])

    assert able(profile) == {"schema": False, "tool": False, "json": True, "stream": True, "usage": False}
    texts = {trait.name: trait.text for trait in profile.traits}
    assert (texts["schema"], texts["tool"]) == ("taken, but not enforced", "taken, but no tool is called")
    assert profile.advice() == 'set llm.output = "json"'


def test_an_endpoint_that_refuses_everything_but_plain_text(fake: Any):
    def script(body: dict[str, Any]) -> Any:
        return fake.Act("Red!") if not {"response_format", "tools", "stream"} & set(body) else fake.Act(status=400)

    profile, _ = probed(fake, script)

    assert able(profile) == {"schema": False, "tool": False, "json": False, "stream": False, "usage": True}
    assert profile.traits[0].text == "refused (HTTP 400)"
    assert profile.advice() == 'set llm.output = "text"'


def test_a_parameter_that_the_endpoint_will_not_have_is_not_held_against_it(fake: Any):
    def script(body: dict[str, Any]) -> Any:
        return fake.Act(status=400, complaint="temperature") if "temperature" in body else fake.Act(BLUE)

    profile, server = probed(fake, script)

    assert able(profile)["schema"] is True
    assert sum("temperature" in body for body in server.bodies) == 1


@pytest.mark.parametrize(("act", "text"), [({"status": 401}, "HTTP 401"), ({"is_silent": True}, "no reply within")])
def test_an_endpoint_that_gives_no_answer_at_all_is_asked_once(fake: Any, act: dict[str, Any], text: str):
    profile, server = probed(fake, [fake.Act(**act)], timeout_s=0.2)

    assert text in profile.failure
    assert profile.traits == ()
    assert len(server.bodies) == 1


def test_the_names_an_endpoint_lists_are_read_and_an_absent_one_lists_none(fake: Any):
    with fake.serving([fake.Act()]) as server:
        wire = HttpWire(server.url, None, 5.0)
        assert asyncio.run(wire.models()) == ("tiny",)
        server.server_close()
    assert asyncio.run(HttpWire("http://127.0.0.1:9/v1", None, 5.0).models()) == ()
    assert json.dumps(HttpWire("https://me:secret@host/v1?key=k", None, 5.0).where) == '"https://host/v1"'
