"""A contract that is given as a file, or on stdin."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, cast

from cyclopts import Parameter

from wattswarm.cli.failure import Failure

STDIN: Final = "-"
CONTRACT_BYTES_MAX: Final = 1_048_576

ContractFile = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A path, or `-` for stdin."""


def read_contract(file: str) -> Mapping[str, Any]:
    """Return the contract in a JSON file; `-` is stdin.

    Raises:
        Failure: There is no such file, or it holds no JSON object.
    """
    from wattswarm.kernel import json_text
    from wattswarm.kernel.errors import Malformed

    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise Failure(code="file_not_found", message=f"{file}: {error.strerror}") from error
    try:
        document = json_text.parse(content, bytes_max=CONTRACT_BYTES_MAX, path=file)
    except Malformed as error:
        message = f"{error.path}: {error.message}"
        raise Failure(code="bad_json", status=400, message=message) from error
    if not isinstance(document, dict):
        raise Failure(code="bad_json", status=400, message=f"{file} holds no JSON object")
    return cast("dict[str, Any]", document)
