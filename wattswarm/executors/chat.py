"""A chat with a model behind an OpenAI-compatible `chat/completions` endpoint, in JSON.

The model is asked for one JSON object; what it writes is checked against a schema here, and it is
told once what was wrong.

Source: OpenAI API reference, Chat Completions; as spoken by vLLM, llama.cpp, Ollama and others.
"""

import enum
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import httpx2
import trio

from wattswarm.executors.contract import ANSWER_BYTES_MAX, JSON
from wattswarm.executors.errors import ExecutorTooSlow
from wattswarm.executors.exchange import Exchange, Request
from wattswarm.executors.fields import Fields, Json, parse, write
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX
from wattswarm.kernel.schema import Schema

TIMEOUT_MS: Final = 120_000
TRIES: Final = 2
"""An answer, and a second one when the first does not suit the schema."""

FAULTS_TOLD_MAX: Final = 8


class JsonMode(enum.StrEnum):
    """How the endpoint is told to answer in JSON."""

    OBJECT = "object"
    SCHEMA = "schema"
    OFF = "off"


@attrs.frozen(kw_only=True)
class Model:
    """Which model, where, and how it is asked."""

    base_url: str
    name: str
    api_key: str | None = attrs.field(default=None, repr=False)
    timeout_ms: int = TIMEOUT_MS
    json_mode: JsonMode = JsonMode.OBJECT
    temperature: float = 0.0


Message = Mapping[str, Json]


@attrs.frozen
class Chat:
    """A conversation partner: one endpoint and its model."""

    model: Model
    exchange: Exchange

    async def answer(
        self, instructions: str, material: Mapping[str, Json], schema: Mapping[str, Json]
    ) -> Json:
        """Return JSON from the model that is valid under `schema`.

        Raises:
            ExecutorError: The endpoint gives no answer.
            Malformed: The answer is no such JSON, the second one either.
        """
        checked = Schema(schema)
        messages: list[Message] = [
            {"role": "system", "content": instructions + write(schema).decode()},
            {"role": "user", "content": write(material).decode()},
        ]
        for left in reversed(range(TRIES)):
            content = await self._complete(messages, schema)
            try:
                return _valid(content, checked)
            except Malformed as error:
                if not left:
                    raise
                messages += (
                    {"role": "assistant", "content": content},
                    {"role": "user", "content": f"That will not do: {error}. Answer again."},
                )
        raise AssertionError("unreachable")

    async def _complete(self, messages: Sequence[Message], schema: Mapping[str, Json]) -> str:
        body: dict[str, Json] = {
            "model": self.model.name,
            "messages": messages,
            "temperature": self.model.temperature,
            "stream": False,
            **_response_format(self.model.json_mode, schema),
        }
        request = Request(
            call="chat/completions",
            method="POST",
            path="chat/completions",
            headers={"content-type": JSON, "accept": JSON},
            body=body,
        )
        with trio.move_on_after(self.model.timeout_ms / 1_000):
            return await self.exchange.document(request, _content, bytes_max=ANSWER_BYTES_MAX)
        raise ExecutorTooSlow(
            executor=self.model.name, call=request.call, waited_ms=self.model.timeout_ms
        )


def _response_format(mode: JsonMode, schema: Mapping[str, Json]) -> Mapping[str, Json]:
    match mode:
        case JsonMode.OBJECT:
            return {"response_format": {"type": "json_object"}}
        case JsonMode.SCHEMA:
            described = {"name": "output", "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": described}}
        case JsonMode.OFF:
            return {}


def _content(value: Json, path: str) -> str:
    """Return the text of the first choice of a completion."""
    choices = list(Fields.of(value, path).items("choices", items_max=16))
    if not choices:
        raise Malformed(code="no_choice", path=f"{path}.choices", message="no choice in it")
    choice = Fields.of(*choices[0])
    if choice.text_or("finish_reason", "stop", chars_max=64) == "length":
        raise choice.wrong("finish_reason", "the answer was cut off", code="cut_off")
    return choice.at("message").text("content", chars_max=JSON_CHECKED_BYTES_MAX)


def _valid(content: str, schema: Schema) -> Json:
    document = parse(_unfenced(content).encode(), bytes_max=JSON_CHECKED_BYTES_MAX)
    faults = [f"{path}: {what}" for path, what in schema.faults(document)]
    if faults:
        raise Malformed(code="schema_invalid", message="; ".join(faults[:FAULTS_TOLD_MAX]))
    return document


def _unfenced(content: str) -> str:
    """Return a text without the code fence that models like to put around JSON."""
    text = content.strip()
    if not (text.startswith("```") and text.endswith("```")):
        return text
    return text[3:-3].removeprefix("json")


@asynccontextmanager
async def open_chat(
    model: Model, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncGenerator[Chat]:
    """Yield a chat with the model; its connections are closed on leaving."""
    headers = {"accept-encoding": "identity"}
    if model.api_key is not None:
        headers["authorization"] = f"Bearer {model.api_key}"
    async with httpx2.AsyncClient(
        base_url=f"{model.base_url.rstrip('/')}/",
        headers=headers,
        timeout=None,
        trust_env=False,
        transport=transport,
    ) as http:
        yield Chat(model, Exchange(model.name, http))
