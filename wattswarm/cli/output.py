"""Where a command's words go: results to stdout, for people or machines; the rest to stderr."""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from wattswarm.cli.failure import Failure

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

D = TypeVar("D")

PIPE_COLUMNS: Final = 180
"""Width of tables that go into a pipe: nothing is cut, and `--json` is for programs."""


@attrs.define
class Output:
    """The voice of one command."""

    as_json: bool = False
    _console: "Console | None" = None
    _errors: "Console | None" = None

    @property
    def console(self) -> "Console":
        """Return the console on stdout."""
        if self._console is None:
            self._console = _console_on(is_error=False)
        return self._console

    @property
    def errors(self) -> "Console":
        """Return the console on stderr."""
        if self._errors is None:
            self._errors = _console_on(is_error=True)
        return self._errors

    @property
    def is_live(self) -> bool:
        """Tell whether a person watches stdout, so that it can be redrawn."""
        return not self.as_json and sys.stdout.isatty()

    def show(self, document: D, view: "Callable[[D], RenderableType]") -> None:
        """Show a result: one JSON document, or its view."""
        if self.as_json:
            self.line(document)
        else:
            self.console.print(view(document))

    def line(self, document: object) -> None:
        """Write a document as one line of JSON."""
        import msgspec

        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Write a result that is a text as it stands."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Tell a person what is going on."""
        self.errors.print(text, markup=False, highlight=False)

    @contextmanager
    def busy(self, text: str) -> Generator[None]:
        """Show that something is going on, where a person watches stderr."""
        if self.as_json or not sys.stderr.isatty():
            yield
            return
        with self.errors.status(text):
            yield

    @contextmanager
    def progress(self, text: str) -> Generator[Callable[[int, int], None]]:
        """Give a function that shows how far something is, where a person watches stderr."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        from rich.progress import Progress

        with Progress(console=self.errors, transient=True) as bars:
            bar = bars.add_task(text, total=None)
            yield lambda done, total: bars.update(bar, completed=done, total=total)

    def failure(self, failure: Failure) -> None:
        """Tell what went wrong, why, and what to do; with `--json` as a line on stderr."""
        if self.as_json:
            import msgspec

            sys.stderr.write(msgspec.json.encode(_failure_document(failure)).decode() + "\n")
            return
        from rich.text import Text

        self.errors.print(Text.assemble(("error: ", "bold red"), failure.message))
        for problem in failure.details.get("errors", ()):
            self.errors.print(Text.assemble("  ", _problem(problem)))
        if failure.advice:
            self.errors.print(Text.assemble(("  try: ", "bold"), failure.advice))


def _failure_document(failure: Failure) -> Mapping[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "remedy": failure.advice,
        **failure.details,
    }


def _problem(problem: Mapping[str, str]) -> str:
    return f"{problem.get('path', '')}: {problem.get('message', '')}"


def _console_on(*, is_error: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if is_error else sys.stdout
    width = None if stream.isatty() else PIPE_COLUMNS
    return Console(stderr=is_error, width=width, highlight=False, soft_wrap=is_error)
