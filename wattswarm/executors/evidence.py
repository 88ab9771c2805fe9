"""Bodies that an executor refers to: fetched from its own origin only, and checked by digest.

An answer could otherwise make a node read any address that it can reach.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from blake3 import blake3

from wattswarm.executors.contract import BodyRef

DIGESTS: Final[Mapping[str, Callable[[bytes], str]]] = {
    "sha256": lambda body: hashlib.sha256(body).hexdigest(),
    "blake3": lambda body: blake3(body).hexdigest(),
}

PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


def local_url(base_url: str, uri: str) -> str | None:
    """Return the URL of `uri`, read relative to `base_url`, or None when it is of another origin.

    Source: RFC 6454, section 4.
    """
    try:
        url = urljoin(f"{base_url}/", uri)
        base, other = urlsplit(base_url), urlsplit(url)
        same = _origin(base) == _origin(other)
    except ValueError:
        return None
    return url if same and "@" not in other.netloc and uri.isprintable() else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def has_digest(ref: BodyRef, body: bytes) -> bool:
    """Tell whether `body` is the one that `ref` names."""
    algorithm, _, digest = ref.digest.partition(":")
    return DIGESTS[algorithm](body) == digest
