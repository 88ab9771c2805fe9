"""From how people write a field to how it stands in a payload: JSON to its text, hex to bytes."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from wattswarm.kernel import fields, json_text, policy
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract.rules import unknown_field
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import (
    DURATION_MS_MAX,
    INPUTS_INLINE_BYTES_MAX,
    POLICY_PARAMS_BYTES_MAX,
)
from wattswarm.kernel.policy import BUILTIN, NO_PARAMS, Policy
from wattswarm.kernel.schema import Schema

Conversion: TypeAlias = Callable[[object, str], Value]
"""Raises Malformed when a value cannot be converted; the result may still break a rule."""

NODE_HEX: Final = re.compile(r"[0-9a-f]{64}\Z")
POLICY_FIELDS: Final = ("id", "version", "hash", "params")


def convert(name: str, value: object, path: str) -> Value:
    """Return the value of a document's field as it stands in a payload.

    Raises:
        Malformed: It cannot be converted.
    """
    return CONVERSIONS.get(name, _as_it_is)(value, path)


def _as_it_is(value: object, path: str) -> Value:
    """The rules decide, for they know what may stand here; they take any object."""
    del path
    return cast("Value", value)


def _inputs(value: object, path: str) -> str:
    text = json_text.write(_json_object(value, path), path)
    if len(text.encode()) > INPUTS_INLINE_BYTES_MAX:
        raise Malformed(
            code="too_large",
            path=path,
            message=f"{len(text.encode())} bytes, at most {INPUTS_INLINE_BYTES_MAX} fit into a "
            "contract; store them as an artifact and name it in inputs_ref",
        )
    return text


def _output_schema(value: object, path: str) -> str:
    schema = _json_object(value, path)
    Schema(schema, path)
    return json_text.write(schema, path)


def _policy(value: object, path: str) -> Value:
    given = {"id": value} if isinstance(value, str) else _json_object(value, path)
    for name in given:
        if name not in POLICY_FIELDS:
            problem = unknown_field(name, POLICY_FIELDS, path)
            raise Malformed(code=problem.code, path=problem.path, message=problem.message)
    chosen = _chosen_policy(given.get("id", ""), f"{path}.id")
    _check_version(given, chosen, path)
    binding = policy.bind(chosen, _params(given.get("params", {}), f"{path}.params"))
    policy.read_params(binding, f"{path}.params")
    if "hash" in given and given["hash"] != binding.hash.hex():
        raise Malformed(
            code="policy_mismatch",
            path=f"{path}.hash",
            message=f"{chosen.id} with these parameters has the hash {binding.hash.hex()}; "
            "correct it or leave it out",
        )
    return binding.to_payload()


def _chosen_policy(name: object, path: str) -> Policy:
    found = BUILTIN.get(name) if isinstance(name, str) else None
    if found is None:
        near = difflib.get_close_matches(str(name), BUILTIN, n=1)
        advice = f"did you mean {near[0]}?" if near else f"use one of {', '.join(BUILTIN)}"
        raise Malformed(
            code="policy_unsupported", path=path, message=f"there is no policy {name!r}; {advice}"
        )
    return found


def _check_version(given: Mapping[str, object], chosen: Policy, path: str) -> None:
    if given.get("version", chosen.version) != chosen.version:
        raise Malformed(
            code="policy_mismatch",
            path=f"{path}.version",
            message=f"{chosen.id} is known in version {chosen.version} only; leave this field out",
        )


def _params(value: object, path: str) -> str:
    if isinstance(value, str):
        value = json_text.parse(value, bytes_max=POLICY_PARAMS_BYTES_MAX, path=path)
    text = json_text.write(_json_object(value, path), path)
    return fields.text(text, path, bytes_max=POLICY_PARAMS_BYTES_MAX) if value else NO_PARAMS


def _node(value: object, path: str) -> Value:
    """Return the bytes of a node id in hex; anything else is left to the rules."""
    del path
    if isinstance(value, str) and NODE_HEX.match(value):
        return bytes.fromhex(value)
    return cast("Value", value)


def _settlement(value: object, path: str) -> Value:
    if not isinstance(value, Mapping):
        return cast("Value", value)
    settlement = cast("Mapping[str, Value]", value)
    return {
        name: _node(item, path) if name == "authority" else item
        for name, item in settlement.items()
    }


def _expires_in(value: object, path: str) -> int:
    return fields.uint(cast("Value", value), path, least=1, most=DURATION_MS_MAX)


def _json_object(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise fields.bad(path, f"{type(value).__name__} is not a JSON object")
    return cast("Mapping[str, object]", value)


CONVERSIONS: Final[Mapping[str, Conversion]] = {
    "inputs": _inputs,
    "output_schema": _output_schema,
    "policy": _policy,
    "decider": _node,
    "settlement": _settlement,
    "expires_in_ms": _expires_in,
}
