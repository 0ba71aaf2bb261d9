"""Small stand-ins for the arrays of libraries that are not installed: they answer as the real ones do, and no more."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any


class TorchLikeTensor:
    """As torch.Tensor: `size` is a method, its dtype has no kind, `item()` takes one element, `__index__` is there."""

    def __init__(self, values: Any, shape: tuple[int, ...] = (), dtype: str = "torch.float32") -> None:
        self._values, self.shape, self.dtype = values, shape, dtype

    def size(self) -> tuple[int, ...]:
        return self.shape

    def item(self) -> Any:
        found = self._values
        while isinstance(found, list):
            (found,) = found
        return found

    def tolist(self) -> Any:
        return self._values

    def __float__(self) -> float:
        return float(self.item())

    def __index__(self) -> int:
        if isinstance(self.item(), float):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())


class _Named:
    """What torch's dtypes and devices have in common: a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return self._name


# As torch.dtype and torch.device: known by the name of their type.
TorchLikeDtype = type("dtype", (_Named,), {})
TorchLikeDevice = type("device", (_Named,), {})


class TensorFlowLikeTensor:
    """As TensorFlow's EagerTensor: no `item`, no `tolist`; `numpy()` gives a numpy scalar or array."""

    def __init__(self, array: Any) -> None:
        self._array, self.shape, self.dtype = array, array.shape, f"<dtype: {array.dtype.name!r}>"

    def numpy(self) -> Any:
        return self._array[()]

    def __float__(self) -> float:
        return float(self._array)


class OmegaConfLikeConfig(MutableMapping[Any, Any]):
    """As omegaconf.DictConfig: a mapping that is no dict; reading a missing value raises."""

    def __init__(self, values: dict[Any, Any]) -> None:
        self._values = values

    def __getitem__(self, key: Any) -> Any:
        found = self._values[key]
        if found == "???":
            raise RuntimeError(f"Missing mandatory value: {key}")
        return OmegaConfLikeConfig(found) if isinstance(found, dict) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class DuckConfig:
    """As ml_collections.ConfigDict: no Mapping by class, `keys()` and `[]` all the same."""

    def __init__(self, **values: Any) -> None:
        self._values = values

    def keys(self) -> list[str]:
        return list(self._values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]
