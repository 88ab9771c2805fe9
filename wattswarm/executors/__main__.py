"""`python -m wattswarm.executors`: the executors that come with the node, each its own service."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from wattswarm.executors import chat
from wattswarm.executors import command as commands
from wattswarm.executors import openai as gateways
from wattswarm.executors.program import TIMEOUT_MS, Program
from wattswarm.executors.reference import PROFILES, reference_executor
from wattswarm.executors.refusal import WorkRefused
from wattswarm.executors.sdk import LISTEN, Executor
from wattswarm.kernel.errors import Malformed

USAGE_EXIT: Final = 2
FAILED_EXIT: Final = 1
SECRET_BYTES_MAX: Final = 4_096

app = App(name="python -m wattswarm.executors", help="Executors that come with WattSwarm.")


def _serve(executor: Executor, listen: str, token_file: Path | None) -> None:
    executor.run(listen, bearer_token=_secret(token_file))


def _secret(file: Path | None, variable: str | None = None) -> str | None:
    """Return the secret in a file or in an environment variable, or None where none is named."""
    if file is not None:
        with file.open("rb") as opened:
            return opened.read(SECRET_BYTES_MAX).decode("ascii").strip()
    return None if variable is None else os.environ[variable]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@app.command
def reference(
    *,
    listen: str = LISTEN,
    profiles: str = ",".join(PROFILES),
    name: str = "reference",
    token_file: Path | None = None,
) -> None:
    """Serve extractive summaries and keywords, offline.

    Args:
        listen: host:port; port 0 takes a free one.
        profiles: Methods to offer, with commas between.
        name: What to call this executor.
        token_file: File with the bearer token that callers must show.
    """
    _serve(reference_executor(name, _names(profiles)), listen, token_file)


@app.command
def command(
    *program: Annotated[str, Parameter(allow_leading_hyphen=True)],
    listen: str = LISTEN,
    task_types: str = "*",
    profiles: str = "default",
    name: str = "command",
    verify: commands.Verification = commands.Verification.POLICY,
    timeout_ms: int = TIMEOUT_MS,
    programs: int = commands.PROGRAMS,
    token_file: Path | None = None,
) -> None:
    """Serve any program: the request as JSON on its stdin, the output as JSON on its stdout.

    Args:
        program: The program and its arguments, after `--`.
        listen: host:port; port 0 takes a free one.
        task_types: Task types to offer, with commas between.
        profiles: Profiles to offer, with commas between.
        name: What to call this executor.
        verify: How candidates are judged.
        timeout_ms: How long one run may take.
        programs: How many runs at once.
        token_file: File with the bearer token that callers must show.
    """
    if not program:
        raise WorkRefused("name a program after `--`")
    if shutil.which(program[0]) is None:
        raise WorkRefused(f"there is no program {program[0]} that could be run")
    run = Program(argv=program, environ=dict(os.environ), timeout_ms=timeout_ms)
    executor = commands.command_executor(
        run,
        name=name,
        task_types=_names(task_types),
        profiles=_names(profiles),
        verification=verify,
        programs=programs,
    )
    _serve(executor, listen, token_file)


@app.command
def openai(
    *,
    base_url: str,
    model: str,
    listen: str = LISTEN,
    api_key_env: str | None = None,
    api_key_file: Path | None = None,
    json_mode: chat.JsonMode = chat.JsonMode.OBJECT,
    task_types: str = "*",
    profiles: str = "default",
    name: str = "openai",
    timeout_ms: int = chat.TIMEOUT_MS,
    token_file: Path | None = None,
) -> None:
    """Serve a model behind an OpenAI-compatible endpoint.

    Args:
        base_url: Up to and without /chat/completions.
        model: The model's name there.
        listen: host:port; port 0 takes a free one.
        api_key_env: Environment variable that holds the API key.
        api_key_file: File that holds the API key.
        json_mode: How the endpoint is told to answer in JSON.
        task_types: Task types to offer, with commas between.
        profiles: Profiles to offer, with commas between.
        name: What to call this executor.
        timeout_ms: How long one completion may take.
        token_file: File with the bearer token that callers must show.
    """
    asked = chat.Model(
        base_url=base_url,
        name=model,
        api_key=_secret(api_key_file, api_key_env),
        timeout_ms=timeout_ms,
        json_mode=json_mode,
    )
    executor = gateways.gateway_executor(
        asked, name=name, task_types=_names(task_types), profiles=_names(profiles)
    )
    _serve(executor, listen, token_file)


def main() -> int:
    """Run the command line; return the exit code."""
    try:
        app()
    except (WorkRefused, Malformed) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_EXIT
    except (OSError, KeyError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return FAILED_EXIT
    return 0


if __name__ == "__main__":
    sys.exit(main())
