"""The fault plane."""


class FaultPlane:
    """Off unless armed: one attribute test."""

    __slots__ = ("armed",)

    def __init__(self) -> None:
        self.armed = False

    async def pass_point(self, actor: str, point: str) -> None:
        """Pass a point."""

    def pass_point_sync(self, actor: str, point: str) -> None:
        """Pass a point."""

    async def before_handle(self, actor: str, message: object) -> None:
        """Pass the point before a handler."""

    async def after_handle(self, actor: str, message: object) -> None:
        """Pass the point after a handler."""
