"""A contract as people read it: the JSON texts in it as JSON, bytes in hex.

What is shown can be given back: it resolves to the same contract.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from wattswarm.kernel import json_text
from wattswarm.kernel.contract import Contract, to_payload
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import CONTRACT_BYTES_MAX
from wattswarm.surface.words import plain

JSON_TEXTS: Final = ("inputs", "output_schema")


def contract_view(contract: Contract) -> Mapping[str, object]:
    """Return the document of a complete contract."""
    shown = cast("dict[str, Any]", plain(to_payload(contract)))
    for name in JSON_TEXTS:
        if name in shown:
            shown[name] = _json(shown[name])
    shown["policy"]["params"] = _json(shown["policy"]["params"])
    return shown


def _json(text: str) -> object:
    """Return the value of a JSON text; what another node signed need not be one, and stays text."""
    try:
        return json_text.parse(text, bytes_max=CONTRACT_BYTES_MAX)
    except Malformed:
        return text
