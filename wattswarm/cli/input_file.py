"""What is given as a file, or on stdin."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, cast

from cyclopts import Parameter

from wattswarm.cli.failure import Failure, usage

STDIN: Final = "-"
CONTRACT_BYTES_MAX: Final = 1_048_576

InputFile = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A path, or `-` for stdin."""


def read_file(file: str) -> bytes:
    """Return what is in a file; `-` is stdin.

    Raises:
        Failure: There is no such file.
    """
    try:
        return sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise Failure(code="file_not_found", message=f"{file}: {error.strerror}") from error


def read_text(file: str) -> str:
    """Return the text in a file; `-` is stdin.

    Raises:
        Failure: There is no such file, or it holds no text.
    """
    try:
        return read_file(file).decode()
    except UnicodeDecodeError as error:
        raise usage(f"{file} holds no text in UTF-8") from error


def read_contract(file: str) -> Mapping[str, Any]:
    """Return the contract in a JSON file; `-` is stdin.

    Raises:
        Failure: There is no such file, or it holds no JSON object.
    """
    from wattswarm.kernel import json_text
    from wattswarm.kernel.errors import Malformed

    try:
        document = json_text.parse(read_file(file), bytes_max=CONTRACT_BYTES_MAX, path=file)
    except Malformed as error:
        message = f"{error.path}: {error.message}"
        raise Failure(code="bad_json", status=400, message=message) from error
    if not isinstance(document, dict):
        raise Failure(code="bad_json", status=400, message=f"{file} holds no JSON object")
    return cast("dict[str, Any]", document)
