"""Running a program once: JSON in on stdin, JSON out on stdout, within a time and a size.

The program gets a session of its own, and nothing of it is left when the call ends, however that
is.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import attrs
import trio

from wattswarm.executors.fields import Json, parse, write
from wattswarm.executors.refusal import WorkRefused
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.limits import JSON_CHECKED_BYTES_MAX

TIMEOUT_MS: Final = 60_000
STDERR_TAIL_BYTES: Final = 2_048
TERM_GRACE_S: Final = 1.0
KILL_WAIT_S: Final = 5.0
CHUNK_BYTES: Final = 65_536

CALL_VARIABLE: Final = "WATTSWARM_CALL"
"""Tells the program which call it answers: execute or verify."""


@attrs.frozen(kw_only=True)
class Program:
    """What to run, and what it may use."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = attrs.field(repr=False)
    timeout_ms: int = TIMEOUT_MS
    output_bytes_max: int = JSON_CHECKED_BYTES_MAX

    async def run(self, call: str, document: Json) -> Json:
        """Return the JSON that the program writes when it is given `document`.

        Raises:
            WorkRefused: It cannot be started, fails, takes too long, or writes too much or no JSON.
        """
        process = await self._start(call)
        run = _Run(self, process)
        try:
            with trio.move_on_after(self.timeout_ms / 1_000):
                await run.converse(write(document))
                return run.result()
            raise run.failure("program_timed_out", f"no end within {self.timeout_ms} ms")
        finally:
            await _end(process)

    async def _start(self, call: str) -> trio.Process:
        try:
            return await trio.lowlevel.open_process(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**self.environ, CALL_VARIABLE: call},
            )
        except OSError as error:
            raise WorkRefused(
                f"{self.argv[0]} cannot be started: {error.strerror}",
                code="program_not_started",
                status=500,
            ) from error


@attrs.define
class _Run:
    """One run of a program."""

    program: Program
    process: trio.Process
    output: bytearray = attrs.field(factory=bytearray)
    complaints: bytearray = attrs.field(factory=bytearray)

    async def converse(self, document: bytes) -> None:
        """Feed the program, read what it writes, and wait for its end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feed, document)
            nursery.start_soon(self._read_output, nursery.cancel_scope)
            nursery.start_soon(self._read_complaints)
            await self.process.wait()
            _signal(self.process, signal.SIGKILL)  # children that would keep the pipes open

    def result(self) -> Json:
        """Return what the program wrote, once it has ended."""
        if len(self.output) > self.program.output_bytes_max:
            most = self.program.output_bytes_max
            raise self.failure("output_too_large", f"more than {most} bytes on stdout")
        if self.process.returncode != 0:
            raise self.failure("program_failed", _ending(self.process.returncode))
        try:
            return parse(self.output, bytes_max=self.program.output_bytes_max)
        except Malformed as error:
            raise self.failure("output_not_json", f"stdout holds no JSON: {error}") from error

    def failure(self, code: str, what: str) -> WorkRefused:
        """Return the error that tells what went wrong, with the end of stderr."""
        tail = self.complaints[-STDERR_TAIL_BYTES:].decode("utf-8", errors="replace").strip()
        said = f"; stderr: {tail}" if tail else ""
        return WorkRefused(f"{self.program.argv[0]}: {what}{said}", code=code, status=500)

    async def _feed(self, document: bytes) -> None:
        assert self.process.stdin is not None
        async with self.process.stdin as stdin:
            with suppress(trio.BrokenResourceError):  # it need not read everything
                await stdin.send_all(document)

    async def _read_output(self, conversation: trio.CancelScope) -> None:
        assert self.process.stdout is not None
        async with self.process.stdout as stdout:
            while chunk := await stdout.receive_some(CHUNK_BYTES):
                self.output += chunk
                if len(self.output) > self.program.output_bytes_max:
                    conversation.cancel()

    async def _read_complaints(self) -> None:
        assert self.process.stderr is not None
        async with self.process.stderr as stderr:
            while chunk := await stderr.receive_some(CHUNK_BYTES):
                self.complaints += chunk
                del self.complaints[:-STDERR_TAIL_BYTES]


async def _end(process: trio.Process) -> None:
    """Make sure that the program and its children are gone: asked first, then not asked."""
    with trio.CancelScope(shield=True):
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            with trio.move_on_after(TERM_GRACE_S):
                await process.wait()
        _signal(process, signal.SIGKILL)
        with trio.move_on_after(KILL_WAIT_S):
            await process.wait()


def _signal(process: trio.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone already; macOS says the latter
        os.killpg(process.pid, number)


def _ending(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"ended by signal {-returncode}"
    return f"exit status {returncode}"
