"""What an executor of ours answers when it cannot answer: problem documents with stable codes.

Source: RFC 9457.
"""

from typing import Final

from wattswarm.executors.fields import write
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.remembered import KeyReused, Reply
from wattswarm.kernel.errors import Malformed

PROBLEM: Final = "application/problem+json"
DETAIL_CHARS_MAX: Final = 1_024


def problem(status: int, code: str, detail: str, path: str | None = None) -> Reply:
    """Return the reply that tells a problem."""
    body = {"title": code.replace("_", " "), "status": status, "code": code, "detail": _cut(detail)}
    return Reply(status, write(body if path is None else {**body, "path": path}))


def problem_of(error: Exception) -> Reply:
    """Return the reply that tells what an error means to the caller."""
    match error:
        case WorkRefused(detail=detail, code=code, status=status):
            return problem(status, code, detail)
        case Malformed(code="too_large", message=message, path=path):
            return problem(413, "too_large", message, path)
        case Malformed(code=code, message=message, path=path):
            return problem(400, code, message, path)
        case KeyReused():
            return problem(
                422, "idempotency_key_reused", "the Idempotency-Key came with another request"
            )
        case _:
            return problem(500, "work_failed", f"{type(error).__name__}: {error}")


def _cut(detail: str) -> str:
    """Return a detail that JSON can hold, of bounded length."""
    return detail[:DETAIL_CHARS_MAX].encode("utf-8", errors="replace").decode("utf-8")
