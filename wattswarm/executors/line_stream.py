"""An answer that comes line by line: words of progress, then one result. Pure.

Each line is a JSON object with one member: `{"progress": …}` any number of times, then
`{"result": …}` or `{"error": {"status", "detail"}}` once. Empty lines keep a connection alive.

Source: github.com/ndjson/ndjson-spec.
"""

import attrs

from wattswarm.executors.contract import PROGRESS_LINE_BYTES_MAX, PROGRESS_LINES_MAX, Progress
from wattswarm.executors.decoding import progress
from wattswarm.executors.fields import Fields, parse
from wattswarm.kernel.errors import Malformed


@attrs.frozen
class Failed:
    """The executor gave up after it had begun to answer."""

    status: int
    detail: str


@attrs.define
class LineStream:
    """Cuts chunks into lines and reads them; `bytes_max` bounds the result line."""

    bytes_max: int
    _open: bytearray = attrs.field(factory=bytearray, init=False)
    _lines: int = attrs.field(default=0, init=False)
    _result: bytes | None = attrs.field(default=None, init=False)

    def feed(self, chunk: bytes) -> list[Progress | Failed]:
        """Return what the lines that end in `chunk` say; the result is kept for `end`.

        Raises:
            Malformed: A line is none of the three, too large, or comes after the result.
        """
        *ended, rest = chunk.split(b"\n")
        said: list[Progress | Failed] = []
        for piece in ended:
            self._open += piece
            said.extend(self._line(bytes(self._open)))
            self._open.clear()
        self._open += rest
        if len(self._open) > self.bytes_max:
            raise Malformed(code="too_large", message=f"a line of more than {self.bytes_max} bytes")
        return said

    def end(self) -> bytes:
        """Return the result line once the stream has ended; its last newline may be missing.

        Raises:
            Malformed: There is no result.
        """
        if self._open:
            self.feed(b"\n")
        if self._result is None:
            raise Malformed(code="no_result", message="the stream ended without a result")
        return self._result

    def _line(self, line: bytes) -> list[Progress | Failed]:
        self._lines += 1
        if self._lines > PROGRESS_LINES_MAX:
            raise Malformed(code="too_many", message=f"more than {PROGRESS_LINES_MAX} lines")
        if not line.strip():
            return []
        if self._result is not None:
            raise Malformed(code="after_result", message="a line after the result")
        if len(line) > self.bytes_max:
            raise Malformed(code="too_large", message=f"a line of more than {self.bytes_max} bytes")
        if len(line) > PROGRESS_LINE_BYTES_MAX:
            self._result = line  # nothing else may be so long, and it is read elsewhere
            return []
        return self._short_line(line)

    def _short_line(self, line: bytes) -> list[Progress | Failed]:
        fields = Fields.of(parse(line, bytes_max=PROGRESS_LINE_BYTES_MAX))
        match list(fields.members):
            case ["progress"]:
                return [progress(fields.value("progress"), "$.progress")]
            case ["result"]:
                self._result = line
                return []
            case ["error"]:
                error = fields.at("error")
                status = error.uint_or("status", 500, least=400, most=599)
                return [Failed(status, error.text_or("detail", "", chars_max=len(line)))]
            case _:
                raise Malformed(code="bad_line", message="a line is progress, result or error")
