"""What is on offer: the models that have a voice behind them. Formats and voices are the speech room's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.errors import ApiError, not_found


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    created: int
    owned_by: str

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "object": "model", "created": self.created, "owned_by": self.owned_by}


MODELS = {model.id: model for model in (Model("boson/higgs-audio-v2.5", 1_764_547_200, "boson"),)}


def unknown_model(name: str, *, param: str | None = "model") -> ApiError:
    return not_found(
        f"The model {name!r} does not exist. Models: {', '.join(MODELS)}.", code="model_not_found", param=param
    )
