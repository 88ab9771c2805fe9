"""What the node knows of one executor: where it is, how it is called, what it last said it can do.

Secrets are named, not held: a bearer token lives in a file or an environment variable, and is read
when the client connects. Values of extra headers are kept, but neither printed nor listed.
"""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import attrs

from wattswarm.executors.contract import NAMES_MAX, URI_CHARS_MAX, Capabilities
from wattswarm.executors.errors import ExecutorUnavailable
from wattswarm.executors.fields import Fields, Json
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.ids import ID_TEXT
from wattswarm.kernel.limits import CREATED_AT_MAX, ID_CHARS_MAX

PROFILE: Final = "default"
TIMEOUT_MS: Final = 120_000
PROBE_TIMEOUT_MS: Final = 5_000
CONCURRENCY: Final = 4

TIMEOUT_MS_MAX: Final = 86_400_000
CONCURRENCY_MAX: Final = 1_024
TRIES_MAX: Final = 20
HEADERS_MAX: Final = 32
HEADER_CHARS_MAX: Final = 4_096
TOKEN_BYTES_MAX: Final = 4_096
PATH_CHARS_MAX: Final = 4_096

HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}\Z")
HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*\Z")
URL: Final = re.compile(r"[\x21-\x7e]+\Z")
HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?\Z"
)
"""Source: RFC 1123, section 2.1; underscores are not in it, but in names of containers."""

TOKEN: Final = re.compile(r"[\x21-\x7e]+\Z")
ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")

HEADERS_OURS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "idempotency-key",
        "te",
        "traceparent",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that the client sets itself; a token belongs in `bearer_token_file` or `_env`."""

MASK: Final = "…"


@attrs.frozen(kw_only=True)
class ExecutorSettings:
    """One executor of the registry."""

    name: str
    base_url: str
    profile: str = PROFILE
    timeout_ms: int = TIMEOUT_MS
    """For one call, retries included."""
    verify_timeout_ms: int | None = None
    """For one call of /verify, when it is not `timeout_ms`."""
    probe_timeout_ms: int = PROBE_TIMEOUT_MS
    """For /health and /capabilities."""
    tries: int | None = None
    """How often a call is made at most, when it is not as for other executors."""
    concurrency: int = CONCURRENCY
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    bearer_token_env: str | None = None
    bearer_token_file: str | None = None
    task_types: tuple[str, ...] = ()
    """What it said that it does when it was last asked; so are the next two."""
    provider_family: str = ""
    model_id: str = ""
    added_ms: int = 0
    """When it was added, ms since the Unix epoch."""

    def learned(self, capabilities: Capabilities) -> "ExecutorSettings":
        """Return these settings with what the executor says of itself now."""
        return attrs.evolve(
            self,
            task_types=capabilities.task_types,
            provider_family=capabilities.provider_family,
            model_id=capabilities.model_id,
        )

    def to_plain(self) -> dict[str, Json]:
        """Return the JSON object that `read` understands; for the registry, not for people."""
        return {
            "name": self.name,
            "base_url": self.base_url,
            "profile": self.profile,
            "timeout_ms": self.timeout_ms,
            "verify_timeout_ms": self.verify_timeout_ms,
            "probe_timeout_ms": self.probe_timeout_ms,
            "tries": self.tries,
            "concurrency": self.concurrency,
            "headers": dict(self.headers),
            "bearer_token_env": self.bearer_token_env,
            "bearer_token_file": self.bearer_token_file,
            "task_types": list(self.task_types),
            "provider_family": self.provider_family,
            "model_id": self.model_id,
            "added_ms": self.added_ms,
        }

    def shown(self) -> dict[str, Json]:
        """Return the settings as lists and logs may show them: header values are masked."""
        return {**self.to_plain(), "headers": dict.fromkeys(self.headers, MASK)}


NAMES: Final = frozenset(item.name for item in attrs.fields(ExecutorSettings))


def read(value: Json) -> ExecutorSettings:
    """Return the settings that a JSON object holds.

    Raises:
        Malformed: With the path of the first member that is wrong, unknown members included.
    """
    fields = Fields.of(value)
    _check_names(fields)
    return ExecutorSettings(
        name=_name(fields),
        base_url=_base_url(fields),
        profile=fields.name_or("profile", PROFILE),
        timeout_ms=fields.uint_or("timeout_ms", TIMEOUT_MS, least=1, most=TIMEOUT_MS_MAX),
        verify_timeout_ms=_uint_or_none(fields, "verify_timeout_ms", TIMEOUT_MS_MAX),
        probe_timeout_ms=fields.uint_or(
            "probe_timeout_ms", PROBE_TIMEOUT_MS, least=1, most=TIMEOUT_MS_MAX
        ),
        tries=_uint_or_none(fields, "tries", TRIES_MAX),
        concurrency=fields.uint_or("concurrency", CONCURRENCY, least=1, most=CONCURRENCY_MAX),
        headers=_headers(Fields(fields.object_or_empty("headers"), "$.headers")),
        bearer_token_env=_environment_name(fields),
        bearer_token_file=_token_file(fields),
        task_types=_task_types(fields),
        provider_family=fields.name_or("provider_family", ""),
        model_id=fields.name_or("model_id", ""),
        added_ms=fields.uint_or("added_ms", 0, least=0, most=CREATED_AT_MAX),
    )


def _uint_or_none(fields: Fields, name: str, most: int) -> int | None:
    return fields.uint(name, least=1, most=most) if fields.has(name) else None


def _check_names(fields: Fields) -> None:
    for name in fields.members.keys() - NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise fields.wrong(name, f"no setting has this name{hint}", code="unknown_field")


def _name(fields: Fields) -> str:
    name = fields.text("name", chars_max=ID_CHARS_MAX)
    if not ID_TEXT.match(name):
        raise fields.wrong("name", "letters, digits, dot, underscore, colon and dash, at most 128")
    return name


def _base_url(fields: Fields) -> str:
    url = fields.text("base_url", chars_max=URI_CHARS_MAX)
    if not URL.match(url) or not _is_base(_split(url, fields)):
        raise fields.wrong(
            "base_url", "an http or https URL with a host, without user, query and fragment"
        )
    return url.rstrip("/")


def _split(url: str, fields: Fields) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise fields.wrong("base_url", f"not a URL: {error}") from error
    return parts


def _is_base(parts: SplitResult) -> bool:
    return (
        parts.scheme in ("http", "https")
        and _is_host(parts)
        and "@" not in parts.netloc
        and not parts.query
        and not parts.fragment
    )


def _is_host(parts: SplitResult) -> bool:
    """Tell whether an address or a name can be asked for: the client raises on others."""
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "[" not in parts.netloc and HOST_NAME.match(host) is not None
    return True


def _headers(fields: Fields) -> Mapping[str, str]:
    if len(fields.members) > HEADERS_MAX:
        raise Malformed(code="too_many", path=fields.path, message=f"at most {HEADERS_MAX} headers")
    return {name: _header(fields, name) for name in fields.members}


def _header(fields: Fields, name: str) -> str:
    if not HEADER_NAME.match(name):
        raise fields.wrong(name, "not a header name")
    if name.lower() in HEADERS_OURS:
        raise fields.wrong(name, "the client sets this header itself")
    value = fields.text(name, chars_max=HEADER_CHARS_MAX)
    if not HEADER_VALUE.match(value):
        raise fields.wrong(name, "a header value is printable ASCII")
    return value


def _environment_name(fields: Fields) -> str | None:
    if not fields.has("bearer_token_env"):
        return None
    name = fields.text("bearer_token_env", chars_max=ID_CHARS_MAX)
    if not ENVIRONMENT_NAME.match(name):
        raise fields.wrong("bearer_token_env", "the name of an environment variable, not a token")
    return name


def _token_file(fields: Fields) -> str | None:
    if not fields.has("bearer_token_file"):
        return None
    if fields.has("bearer_token_env"):
        raise fields.wrong("bearer_token_file", "a token comes from a file or a variable, not both")
    path = fields.text("bearer_token_file", chars_min=1, chars_max=PATH_CHARS_MAX)
    if "\0" in path:
        raise fields.wrong("bearer_token_file", "no path holds U+0000")
    return path


def _task_types(fields: Fields) -> tuple[str, ...]:
    if not fields.has("task_types"):
        return ()
    return fields.texts("task_types", items_max=NAMES_MAX, chars_max=ID_CHARS_MAX)


def bearer_token(settings: ExecutorSettings, environ: Mapping[str, str]) -> str | None:
    """Return the token that the settings name, or None when they name none.

    Raises:
        ExecutorUnavailable: The named file or variable holds none; the sentence never shows one.
    """
    if settings.bearer_token_env is not None:
        source, token = settings.bearer_token_env, environ.get(settings.bearer_token_env, "")
    elif settings.bearer_token_file is not None:
        source, token = settings.bearer_token_file, _token_in(settings)
    else:
        return None
    if not TOKEN.match(token):
        raise _no_token(settings, f"{source} holds no bearer token")
    return token


def _token_in(settings: ExecutorSettings) -> str:
    try:
        with Path(settings.bearer_token_file or "").open("rb") as file:
            return file.read(TOKEN_BYTES_MAX).decode("ascii", errors="replace").strip()
    except OSError as error:
        raise _no_token(settings, f"its token file cannot be read: {error.strerror}") from error


def _no_token(settings: ExecutorSettings, reason: str) -> ExecutorUnavailable:
    return ExecutorUnavailable(executor=settings.name, call="connect", reason=reason)
