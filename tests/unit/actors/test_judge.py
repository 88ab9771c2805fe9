"""The judge of outputs: cheap schemas are checked here, dear ones in a process that is killed."""

import json
import os
from contextlib import closing

import pytest
import trio

from wattswarm.actors.dispatch.judge import Judge, is_dear
from wattswarm.executors.fields import Json
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.policy import SCHEMA_ONLY, PolicyBinding, bind

POLICY = bind(SCHEMA_ONLY)
EMPTY: Json = {}
NO_OBJECTS: tuple[Json, ...] = ([], "text", None, 1)
OBJECT: Json = {"type": "object"}
REFERRING: Json = {"$defs": {"a": {"type": "object"}}, "$ref": "#/$defs/a"}
ENDLESS: Json = {
    "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)},
        "d60": {"type": "object"},
    },
    "$ref": "#/$defs/d0",
}


async def judged(judge: Judge, schema: Json, output: Json, policy: PolicyBinding = POLICY) -> bool:
    size_bytes = len(json.dumps(output))
    return await judge.passes(policy, json.dumps(schema), output, size_bytes=size_bytes)


@pytest.mark.parametrize("schema", [OBJECT, REFERRING, {"type": "object", "maxProperties": 0}])
async def test_both_ways_say_the_same(schema: Json) -> None:
    with closing(Judge()) as judge:
        for output in (EMPTY, *NO_OBJECTS):
            assert await judged(judge, schema, output) is (output == EMPTY)


async def test_a_check_without_end_is_ended_and_the_next_one_is_made() -> None:
    with closing(Judge(limit_s=0.3)) as judge:
        with pytest.raises(Malformed) as caught:
            await judged(judge, ENDLESS, {})
        assert caught.value.code == "schema_too_costly"
        assert await judged(judge, REFERRING, {})


async def test_many_may_ask_at_once() -> None:
    found: list[bool] = []

    async def ask(judge: Judge, output: Json) -> None:
        found.append(await judged(judge, REFERRING, output) is (output == EMPTY))

    with closing(Judge()) as judge:
        async with trio.open_nursery() as nursery:
            for output in (EMPTY, *NO_OBJECTS):
                nursery.start_soon(ask, judge, output)
    assert found == [True] * 5


async def test_whoever_stops_waiting_leaves_no_process() -> None:
    with closing(Judge(limit_s=60)) as judge:
        assert await judged(judge, REFERRING, {})
        pid = judge.pid
        assert pid is not None
        with trio.move_on_after(0.1):
            await judged(judge, ENDLESS, {})
        assert judge.pid is None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("schema", [OBJECT, REFERRING])
async def test_a_policy_that_cannot_be_used_is_told_either_way(schema: Json) -> None:
    other = PolicyBinding(id="vp.other", version=1, hash=Digest(bytes(32)))
    with closing(Judge()) as judge, pytest.raises(Malformed) as caught:
        await judged(judge, schema, {}, other)
    assert caught.value.code == "policy_unsupported"


def test_dear_words_are_found_wherever_they_stand() -> None:
    assert is_dear({"properties": {"a": {"items": [{"pattern": "a"}]}}})
    assert not is_dear({"properties": {"a": {"type": "string", "const": "$ref"}}, "items": True})
