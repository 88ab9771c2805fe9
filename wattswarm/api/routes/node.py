"""The node as a whole."""

from typing import Final

from wattswarm.api.operation import PREFIX, Operation
from wattswarm.surface.node import ConfigView, Diagnosis, NodeView, SigningView, Stopping

OPERATIONS: Final = (
    Operation(
        method="GET",
        path=f"{PREFIX}/node",
        name="get_node",
        summary="The node on one page.",
        call=lambda call: call.api.node(),
        answer=NodeView,
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/node/stop",
        name="stop_node",
        summary="Begin to stop the node.",
        call=lambda call: call.api.stop(),
        answer=Stopping,
        status=202,
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/node/restored",
        name="say_restored",
        summary="Say that the log was restored: what was opened before is left alone.",
        call=lambda call: call.api.restored(),
        answer=SigningView,
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/node/cloned",
        name="say_cloned",
        summary="Say that another node has this one's key: nothing is signed any more.",
        call=lambda call: call.api.cloned(),
        answer=SigningView,
    ),
    Operation(
        method="GET",
        path=f"{PREFIX}/doctor",
        name="diagnose",
        summary="What ails the node, and how to mend it.",
        call=lambda call: call.api.doctor(),
        answer=Diagnosis,
    ),
    Operation(
        method="GET",
        path=f"{PREFIX}/config",
        name="get_config",
        summary="Every setting in force, and where it came from.",
        call=lambda call: call.api.config(),
        answer=ConfigView,
    ),
)
