"""An executor in ten lines: decorate a function, run it.

    executor = Executor(task_types=["greet"], profiles=["default"])

    @executor.execute
    def greet(request):
        return {"answer": f"Hello, {request.inputs['name']}!"}

    executor.run(listen="127.0.0.1:8787")

Functions may be sync (they run in a thread) or async (on trio), and may take a second argument to
report progress with. `/execute` returns the candidate output, or an `ExecuteAnswer` with evidence.
`/verify` returns a `Judgement`, or true or false; without a function of its own an executor checks
the policy that the task is bound to, which every verifier must.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from wattswarm.executors.abilities import Abilities

LISTEN: Final = "127.0.0.1:8787"


@attrs.define(kw_only=True)
class Executor(Abilities):
    """An executor: what it can do, and the way to serve that."""

    def run(self, listen: str = LISTEN, *, bearer_token: str | None = None) -> None:
        """Serve until SIGTERM or SIGINT; the address is told in one line of JSON on stdout.

        Args:
            listen: `host:port`; port 0 takes a free one.
            bearer_token: When given, every call but `GET /health` needs it.
        """
        from wattswarm.executors.serving import serve_until_signal  # HTTP is slow to import

        trio.run(serve_until_signal, self, listen, bearer_token, sys.stdout)

    async def serve(
        self,
        listen: str = LISTEN,
        *,
        bearer_token: str | None = None,
        shutdown: Callable[[], Awaitable[None]] | None = None,
        task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled, or until `shutdown` returns; `task_status` gets the URL."""
        from wattswarm.executors.serving import listen_on, serve

        await serve(
            self,
            listen_on(listen),
            bearer_token=bearer_token,
            shutdown=shutdown,
            task_status=task_status,
        )
