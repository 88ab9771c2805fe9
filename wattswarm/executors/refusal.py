"""How the code of an executor says no."""

import attrs


@attrs.define(eq=False)
class WorkRefused(Exception):
    """Raise it in a function to answer with a status and a code of your own."""

    detail: str
    code: str = "work_refused"
    status: int = 422

    def __str__(self) -> str:
        return self.detail
