"""Addresses of actors: the only way to reach one.

A `Ref` survives its target: it names an actor, and the route behind it leads to whatever
incarnation lives, in this process or another. Delivery is in order per sender and target while
the target's process lives.
"""

from collections.abc import Coroutine
from typing import Any, Generic, Protocol, TypeVar, cast

from wattswarm.actors.runtime.message import Request

M_contra = TypeVar("M_contra", contravariant=True)
R = TypeVar("R")


class Route(Protocol):
    """The way to an actor, whichever process it lives in."""

    def tell(self, msg: object, sender: str) -> Coroutine[Any, Any, bool]: ...
    def offer(self, msg: object, sender: str) -> bool: ...
    def ask(self, msg: object, sender: str, deadline_s: float) -> Coroutine[Any, Any, object]: ...

    def load(self) -> int:
        """Return about how many messages wait for the actor."""
        ...

    def damage(self, msg: object, sender: str) -> None:
        """Send a message with a bit flipped: the fault plane's doing."""
        ...


class Ref(Generic[M_contra]):
    """The address of an actor that takes messages of type `M_contra`."""

    __slots__ = ("__weakref__", "_may_ask", "_route", "_sender", "name")

    def __init__(self, name: str, route: Route, sender: str, *, may_ask: bool = True) -> None:
        self.name = name
        self._route = route
        self._sender = sender
        self._may_ask = may_ask

    def tell(self, msg: M_contra) -> Coroutine[Any, Any, bool]:
        """Send, waiting for room; False when the inbox's policy refused it. Await it.

        It waits as long as the target's process is away, and yields only if it has to wait.

        Raises:
            Down: The target has ended for good.
        """
        return self._route.tell(msg, self._sender)

    def offer(self, msg: M_contra) -> bool:
        """Send if that needs no waiting, and tell whether it was sent.

        Raises:
            Down: The target has ended for good.
        """
        return self._route.offer(msg, self._sender)

    def ask(self, msg: Request[R], *, deadline_s: float) -> Coroutine[Any, Any, R]:
        """Send and return the answer. Await it; the deadline counts from now and travels with
        the ask.

        When the deadline passes or the asker is cancelled, the handler is cancelled too.

        Raises:
            Refused: The actor or its inbox said no. Down: It went away. TooSlow: The deadline
            passed.
            RemoteFailure: Its handler raised.
        """
        assert self._may_ask, f"{self._sender} asks {self.name}, which is not in its `asks`"
        answer = self._route.ask(msg, self._sender, deadline_s)
        return cast("Coroutine[Any, Any, R]", answer)

    def lead_to(self, route: Route) -> None:
        """Take another way from now on; the name stays."""
        self._route = route

    def __repr__(self) -> str:
        return f"Ref({self.name})"
