"""The channels that carry messages, by name."""

from collections.abc import Mapping

from promograph.channels import Channel, MessageChannel
from promograph.errors import BadInput, InputProblem


class Carriers:
    """Empty until `connect`."""

    def __init__(self) -> None:
        self._channels: dict[str, MessageChannel] = {}

    def connect(self, channels: Mapping[str, Channel]) -> None:
        """Use those of these that carry messages, from now on."""
        self._channels = {name: channel for name, channel in channels.items() if isinstance(channel, MessageChannel)}

    def find(self, name: str) -> MessageChannel | None:
        return self._channels.get(name)

    def get(self, name: str) -> MessageChannel:
        """BadInput where no channel of that name carries messages."""
        found = self.find(name)
        if found is None:
            there = ", ".join(self._channels) or "none"
            sentence = f"No channel {name!r} is loaded that carries messages; there are: {there}."
            raise BadInput(InputProblem.NOT_FOUND, sentence, field=("channel",))
        return found
