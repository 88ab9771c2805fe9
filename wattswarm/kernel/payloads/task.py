"""The creation of a task."""

from typing import ClassVar, Final

import attrs

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract import Contract, read
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.payloads import form
from wattswarm.kernel.payloads.form import Form


@attrs.frozen(kw_only=True)
class TaskCreated:
    """A task, its whole contract, and the governance version that its first epoch runs under."""

    kind: ClassVar[str] = "TASK_CREATED"

    pin: Digest
    contract: Contract


def read_contract(value: Value, path: str) -> Contract:
    """Return the complete contract that `value` is."""
    try:
        return read(value)
    except Malformed as error:
        raise Malformed(
            code=error.code, path=path + error.path.removeprefix("$"), message=error.message
        ) from error


FORMS: Final = (Form(TaskCreated.kind, TaskCreated, {"pin": form.id32, "contract": read_contract}),)
