"""What a label's index says of the channel behind it (CEP 42).

A label other than ``main`` declares that it overrides its channel, so a client that was
given only the label finds everything else in the channel itself.
"""

from __future__ import annotations

from forgeyard.channels.names import MAIN_LABEL


def label_relations(label: str) -> dict[str, str] | None:
    """``info.channel_relations`` of a label; None where there is nothing to say."""
    if label == MAIN_LABEL:
        return None
    # The address is CHANNEL/label/LABEL, and a label may itself hold slashes.
    return {"overrides": "/".join([".."] * (1 + len(label.split("/"))))}
