"""Whether an output passes its task's own schema and policy, whatever the schema costs to check.

A schema of a few lines can ask for more steps than there are atoms, and the validator holds the
interpreter while it works, so that neither a thread nor a deadline would help: it would hang the
worker, and every worker after it. What cannot be that dear is checked here; the rest in a process
of its own, which the kernel ends when its time or memory is over.
"""

import json
import select
import struct
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, cast

import attrs
import trio

from wattswarm.executors.fields import Json, parse
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import SCHEMA_BYTES_MAX
from wattswarm.kernel.policy import PolicyBinding, evaluate
from wattswarm.kernel.schema import Schema

CHILD: Final = "wattswarm.actors.dispatch.judge_process"
LIMIT_S: Final = 2.0
START_S: Final = 10.0
"""Beyond `LIMIT_S`, for a child that has to be started first."""

STEPS_HERE_MAX: Final = 500_000_000
"""Bytes of the schema times bytes of the output that are checked here: some hundredths of a second.
"""

COMPILED_MAX: Final = 64
"""Schemas that are kept compiled: tasks of a kind have the same one."""

DEAR: Final = frozenset(
    {
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "pattern",
        "patternProperties",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
    }
)
"""Words that a schema needs to cost more than its length times that of the output."""

LENGTH: Final = struct.Struct(">I")
ANSWER_BYTES_MAX: Final = 65_536


@attrs.define(eq=False)
class Judge:
    """Judges outputs; whoever makes it closes it.

    Args:
        limit_s: Longest check; what takes longer cannot be used.
    """

    limit_s: float = LIMIT_S
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _child: "subprocess.Popen[bytes] | None" = attrs.field(default=None, init=False)
    _compiled: OrderedDict[str, Schema | None] = attrs.field(
        factory=OrderedDict[str, Schema | None], init=False
    )
    _closing: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    async def passes(
        self, policy: PolicyBinding, schema: str, output: Json, *, size_bytes: int
    ) -> bool:
        """Tell whether an output of this size passes.

        Raises:
            Malformed: The schema or the policy cannot be used, or costs too much to check.
        """
        rules = self._rules(schema)
        if len(schema) * size_bytes <= STEPS_HERE_MAX and rules is not None:
            return evaluate(policy, output, rules).status == "passed"
        async with self._turn:
            try:
                return await trio.to_thread.run_sync(
                    self._ask, policy, schema, output, abandon_on_cancel=True
                )
            except trio.Cancelled:
                self.close()  # which also ends the thread
                raise

    @property
    def pid(self) -> int | None:
        """The process that checks what is dear, if there is one."""
        return self._child and self._child.pid

    def close(self) -> None:
        """End the child, if there is one."""
        with self._closing:
            child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def _rules(self, schema: str) -> Schema | None:
        """Return a schema to be checked here, compiled; None: it is dear."""
        if schema not in self._compiled:
            document = parse(schema.encode(), bytes_max=SCHEMA_BYTES_MAX)
            rules = cast("Mapping[str, object]", document)
            self._compiled[schema] = None if is_dear(document) else Schema(rules)
            if len(self._compiled) > COMPILED_MAX:
                self._compiled.popitem(last=False)
        return self._compiled[schema]

    # --- in a thread ----------------------------------------------------------------------------

    def _ask(self, policy: PolicyBinding, schema: str, output: Json) -> bool:
        request = {
            "limit_s": self.limit_s,
            "policy": {**policy.to_payload(), "hash": policy.hash.hex()},
            "schema": schema,
            "output": output,
        }
        text = json.dumps(request).encode()
        child = self._started()
        answer = _exchange(child, LENGTH.pack(len(text)) + text, START_S + self.limit_s)
        if answer is None:
            self.close()
            raise Malformed(
                code="schema_too_costly",
                message=f"checking an output takes longer than {self.limit_s:g} s, or too much "
                "memory",
            )
        if "code" in answer:
            raise Malformed(**cast("dict[str, str]", answer))
        return answer["passed"] is True

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._closing:
            if self._child is None:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", CHILD],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            return self._child


def is_dear(rules: object) -> bool:
    """Tell whether a schema holds words that can multiply the work of checking it."""
    match rules:
        case Mapping():
            members = cast("Mapping[str, object]", rules)
            return not DEAR.isdisjoint(members) or any(map(is_dear, members.values()))
        case list() | tuple():
            return any(map(is_dear, cast("Sequence[object]", rules)))
        case _:
            return False


def _exchange(
    child: "subprocess.Popen[bytes]", request: bytes, wait_s: float
) -> Mapping[str, object] | None:
    """Return what the child answers, or None when it ended or did not answer in time."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(request)
        child.stdin.flush()
        readable, _, _ = select.select([child.stdout], [], [], wait_s)
        line = child.stdout.readline(ANSWER_BYTES_MAX) if readable else b""
        return cast("Mapping[str, object]", json.loads(line)) if line else None
    except (OSError, ValueError):
        return None
