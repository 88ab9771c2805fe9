"""Judges outputs for `judge.py`, in a process that may be killed: `python -m` this module.

Reads requests from its input, each with its length before it, and answers each with a line. The
alarm and the bound on memory are the kernel's: no check outlives them, even if nobody waits.
"""

import json
import resource
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

from wattswarm.actors.dispatch.judge import LENGTH
from wattswarm.kernel import json_text
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.limits import SCHEMA_BYTES_MAX
from wattswarm.kernel.policy import PolicyBinding, evaluate

MEMORY_BYTES_MAX: Final = 1 << 30


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(LENGTH.size):
        request: Mapping[str, Any] = json.loads(source.read(*LENGTH.unpack(head)))
        signal.setitimer(signal.ITIMER_REAL, request["limit_s"])  # its default action ends us
        answer = json.dumps(_judged(request)).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        sink.write(answer + b"\n")
        sink.flush()


def _judged(request: Mapping[str, Any]) -> Mapping[str, object]:
    policy = request["policy"]
    binding = PolicyBinding(
        id=policy["id"],
        version=policy["version"],
        hash=Digest(bytes.fromhex(policy["hash"])),
        params=policy["params"],
    )
    try:
        schema: Any = json_text.parse(request["schema"], bytes_max=SCHEMA_BYTES_MAX)
        found = evaluate(binding, request["output"], schema)
    except Malformed as error:
        return {"code": error.code, "path": error.path, "message": error.message}
    return {"passed": found.status == "passed"}


if __name__ == "__main__":
    main()
