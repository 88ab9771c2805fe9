"""How a story is told: in plain sentences, with claims that must hold."""

from collections.abc import Callable

import attrs


class NotSo(Exception):
    """A story went otherwise than it claims; the message says what did not hold."""


@attrs.frozen
class Tale:
    """One telling of a story: what is written goes out sentence by sentence."""

    write: Callable[[str], None]

    def tell(self, sentence: str) -> None:
        """Say what happens."""
        self.write(f"  {sentence}")

    def hold(self, claim: bool, sentence: str) -> None:
        """Say what holds now.

        Raises:
            NotSo: It does not.
        """
        if not claim:
            raise NotSo(sentence)
        self.write(f"  → {sentence}")
