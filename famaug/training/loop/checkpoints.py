"""What a checkpoint holds: states of networks and of optimisers, as named tensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from famaug.errors import WeightsError


def network_tensors(prefix: str, networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """State of networks by name, as `PREFIX/NAME/KEY`."""
    return {
        f"{prefix}/{name}/{key}": value
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }


def restore_networks(
    prefix: str, networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]
) -> None:
    """Raises:
    WeightsError: names or shapes differ.
    """
    for name, network in networks.items():
        try:
            network.load_state_dict(_below(f"{prefix}/{name}/", tensors))
        except RuntimeError as error:
            raise WeightsError(f"the checkpoint does not fit the network {name!r}: {error}") from (
                error
            )


def optimizer_tensors(optimizers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    """What optimisers remember of each parameter, as `optimizer/NAME/PLACE/KEY`."""
    return {
        f"optimizer/{name}/{place}/{key}": value
        for name, optimizer in optimizers.items()
        for place, slot in optimizer.state_dict()["state"].items()
        for key, value in slot.items()
    }


def restore_optimizers(optimizers: Mapping[str, Optimizer], tensors: Mapping[str, Tensor]) -> None:
    for name, optimizer in optimizers.items():
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(f"optimizer/{name}/", tensors).items():
            place, _, what = key.partition("/")
            slots.setdefault(int(place), {})[what] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
