"""The gateway against a server on loopback that speaks the chat completions protocol."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.support.executor_side import connected, serving, verification, work
from wattswarm.executors.chat import JsonMode, Model
from wattswarm.executors.client import ExecutorClient
from wattswarm.executors.contract import Outcome
from wattswarm.executors.errors import ExecutorRefused
from wattswarm.executors.openai import JUDGED_BAD, gateway_executor
from wattswarm.executors.retry import RetryLimits

CONTRACT = {
    "output_schema": {
        "type": "object",
        "required": ["answer"],
        "properties": {"answer": {"type": "string"}},
    }
}
GOOD_OUTPUT = {"answer": "yes", "check_summary": "looked"}


class ModelServer:
    """Answers each completion with the next of its lines."""

    def __init__(self, *lines: str | Response) -> None:
        self.lines = list(lines)
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    async def complete(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        line = self.lines.pop(0)
        if isinstance(line, Response):
            return line
        message = {"role": "assistant", "content": line}
        return JSONResponse({"choices": [{"message": message, "finish_reason": "stop"}]})


@asynccontextmanager
async def model_server(server: ModelServer) -> AsyncGenerator[str]:
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.loglevel = "ERROR"
    app = Starlette(routes=[Route("/v1/chat/completions", server.complete, methods=["POST"])])
    async with trio.open_nursery() as nursery:
        binds = await nursery.start(partial(serve, app, config, mode="asgi"))
        yield f"{binds[0]}/v1"
        nursery.cancel_scope.cancel()


ONCE = RetryLimits(attempts_max=1)


async def _through_gateway(server: ModelServer, ask: Callable[..., Any], **model: Any) -> Any:
    async with model_server(server) as base_url:
        executor = gateway_executor(Model(base_url=base_url, name="m", **model))
        async with serving(executor) as url, connected(url, retries=ONCE) as client:
            return await ask(client)


async def _refusal(client: ExecutorClient) -> ExecutorRefused:
    with pytest.raises(ExecutorRefused) as caught:
        await client.execute(work())
    return caught.value


async def test_a_models_json_is_the_output() -> None:
    server = ModelServer('```json\n{"answer": "yes"}\n```')
    answer = await _through_gateway(
        server, lambda client: client.execute(work(task_contract=CONTRACT)), api_key="k3y"
    )
    assert answer.candidate_output == {"answer": "yes"}
    (body,) = server.bodies
    assert (body["model"], body["temperature"]) == ("m", 0.0)
    assert body["response_format"] == {"type": "json_object"}
    assert json.dumps(CONTRACT["output_schema"]["required"]) in body["messages"][0]["content"]
    assert json.loads(body["messages"][1]["content"])["inputs"] == {"text": "hello"}
    assert server.keys == ["Bearer k3y"]


async def test_a_key_is_never_shown() -> None:
    assert "k3y" not in repr(Model(base_url="http://127.0.0.1:1", name="m", api_key="k3y"))


async def test_the_schema_may_be_given_to_the_endpoint() -> None:
    server = ModelServer('{"answer": "yes"}')
    await _through_gateway(
        server,
        lambda client: client.execute(work(task_contract=CONTRACT)),
        json_mode=JsonMode.SCHEMA,
    )
    described = server.bodies[0]["response_format"]["json_schema"]
    assert described["schema"] == CONTRACT["output_schema"]


async def test_a_model_is_told_once_what_was_wrong() -> None:
    server = ModelServer('{"answer": 3}', '{"answer": "three"}')
    answer = await _through_gateway(
        server, lambda client: client.execute(work(task_contract=CONTRACT))
    )
    assert answer.candidate_output == {"answer": "three"}
    assert "$.answer" in server.bodies[1]["messages"][-1]["content"]


async def test_a_model_that_will_not_answer_in_json_is_refused() -> None:
    server = ModelServer("I'd rather not", "Still not")
    refusal = await _through_gateway(server, _refusal)
    assert refusal.status == 422
    assert refusal.excerpt.startswith("model_output_invalid: the model's answer does not suit")


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (PlainTextResponse("no key", 401), 422),
        (PlainTextResponse("slow down", 429), 503),
        (PlainTextResponse("broken", 500), 502),
        (JSONResponse({"choices": []}), 422),
        (PlainTextResponse("hello"), 422),
    ],
)
async def test_an_endpoint_that_fails_is_told_as_what_it_is(reply: Response, status: int) -> None:
    refusal = await _through_gateway(ModelServer(reply), _refusal)
    assert refusal.status == status


@pytest.mark.parametrize(
    ("said", "outcome", "score_bp", "codes"),
    [
        ('{"passed":true,"score":0.8,"reason":"fine"}', Outcome.PASSED, 8_000, (100,)),
        ('{"passed":false,"score":0.1,"reason":"no"}', Outcome.FAILED, 1_000, (JUDGED_BAD,)),
    ],
)
async def test_a_models_judgement_counts(
    said: str, outcome: Outcome, score_bp: int, codes: tuple[int, ...]
) -> None:
    found = await _through_gateway(
        ModelServer(said), lambda client: client.verify(verification(GOOD_OUTPUT))
    )
    assert (found.outcome, found.score_bp, found.reason_codes) == (outcome, score_bp, codes)


async def test_a_model_is_not_asked_about_what_the_policy_refuses() -> None:
    server = ModelServer()
    found = await _through_gateway(
        server, lambda client: client.verify(verification({"answer": "yes"}))
    )
    assert found.outcome is Outcome.FAILED
    assert not server.bodies


async def test_without_a_judgement_nothing_is_said() -> None:
    server = ModelServer(PlainTextResponse("broken", 500))
    found = await _through_gateway(server, lambda client: client.verify(verification(GOOD_OUTPUT)))
    assert (found.outcome, found.reason_codes) == (Outcome.INCONCLUSIVE, (200,))
