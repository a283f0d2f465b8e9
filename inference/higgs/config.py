"""The language model's geometry and special ids, read from a checkpoint's `config.json`; nothing is assumed.

Two dialects exist: Hugging Face's (`model_type` "higgs_audio_v2") and Boson's original ("higgs_audio").
Features of either format that no published checkpoint uses are refused by name.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

SMALL_WEIGHTS = 16_000_000
"""Weights read by a step, up to which one thread is as fast as several."""


class ConfigError(ValueError):
    """The checkpoint's config.json is missing, incomplete, or asks for a feature that is not supported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RopeConfig:
    """Rotary embedding; the last four fields only matter to the "llama3" kind."""

    kind: Literal["default", "llama3"]
    theta: float
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_max_positions: int = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class HiggsConfig:
    """Geometry of one checkpoint. `codebook_size` counts the two stream codes, `bos_code` and `eos_code`."""

    layout: Literal["huggingface", "boson"]
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    norm_eps: float
    rope: RopeConfig
    num_codebooks: int
    codebook_size: int
    bos_code: int
    eos_code: int
    audio_out_bos_id: int
    """`<|audio_out_bos|>`, the last token of every prompt."""
    audio_out_id: int
    """`<|AUDIO_OUT|>`, the placeholder of one row of codes."""
    audio_delay_id: int
    """The placeholder of a row in the delay tail; Hugging Face's dialect only, embedded like the other."""
    text_frontend: Literal["text", "phonemes"] = "text"
    """What the text tokens are: text in a chat's turns, as published, or one sentence's phonemes."""
    alignment_heads: tuple[tuple[int, int], ...] = ()
    """(layer, head) of those that look, from the row before a frame, at the token that it says. The last one gives
    the words' times. The published checkpoints have none."""
    alignment_window: tuple[int, int] | None = None
    """How many tokens before and after the last one said those heads see while they speak; None is all."""

    @property
    def step_weights(self) -> int:
        """The weights that a decode step reads: attention, audio feed-forwards, head."""
        q, kv = self.heads * self.head_dim, 2 * self.kv_heads * self.head_dim
        layer = self.hidden_size * (2 * q + kv + 3 * self.intermediate_size)
        return self.layers * layer + self.hidden_size * self.num_codebooks * self.codebook_size

    @property
    def small(self) -> bool:
        """Whether a step is so short that threads which share it would cost more than they save."""
        return self.step_weights <= SMALL_WEIGHTS

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise ConfigError(f"{self.heads} attention heads are no multiple of {self.kv_heads} key/value heads")
        if self.head_dim % 2:
            raise ConfigError(f"head_dim {self.head_dim} is odd, rotary embedding needs pairs")
        if not (0 <= self.bos_code < self.codebook_size and 0 <= self.eos_code < self.codebook_size):
            raise ConfigError(
                f"stream codes {self.bos_code} and {self.eos_code} lie outside a codebook of {self.codebook_size}"
            )
        for layer, head in self.alignment_heads:
            if not (0 <= layer < self.layers and 0 <= head < self.heads):
                raise ConfigError(f"alignment_heads names head {head} of layer {layer}, which does not exist")
        if self.alignment_window is not None and not (self.alignment_heads and min(self.alignment_window) >= 0):
            raise ConfigError(
                f"alignment_window={self.alignment_window!r} needs alignment_heads, and two numbers of at least 0"
            )
        if self.text_frontend not in ("text", "phonemes"):
            raise ConfigError(f"text_frontend={self.text_frontend!r} is neither 'text' nor 'phonemes'")


@dataclass(frozen=True, slots=True, kw_only=True)
class RasConfig:
    """Repetition-aware sampling: a code that stands `repeats` times in `window` rows is drawn anew; 0 is never."""

    window: int = 7
    repeats: int = 2


PUBLISHED_RAS = RasConfig()


def load_ras_config(folder: Path) -> RasConfig:
    """Read `folder/generation_config.json`; what it does not say is as published. Raises ConfigError."""
    path = folder / "generation_config.json"
    data = read_json(path) if path.exists() else {}
    window = data.get("ras_win_len", PUBLISHED_RAS.window)
    repeats = data.get("ras_win_max_num_repeat", PUBLISHED_RAS.repeats)
    if not window or not repeats:
        return RasConfig(repeats=0)
    if not (isinstance(window, int) and isinstance(repeats, int) and window > 0 and repeats > 0):
        raise ConfigError(f"{path.name}: ras_win_len={window!r} and ras_win_max_num_repeat={repeats!r} must count")
    return RasConfig(window=window, repeats=repeats)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingDefaults:
    """How codes are sampled for a request that does not say."""

    temperature: float = 1.0
    top_p: float = 0.95
    top_k: int = 50


def load_sampling_defaults(folder: Path) -> SamplingDefaults:
    """Read `folder/generation_config.json`; what it does not say is as published. Raises ConfigError."""
    path = folder / "generation_config.json"
    data = read_json(path) if path.exists() else {}
    published = SamplingDefaults()
    temperature = data.get("temperature", published.temperature)
    top_p, top_k = data.get("top_p", published.top_p), data.get("top_k", published.top_k)
    if not (isinstance(temperature, int | float) and 0 <= temperature <= 2):
        raise ConfigError(f"{path.name}: temperature={temperature!r} is no number from 0 to 2")
    if not (isinstance(top_p, int | float) and 0 < top_p <= 1):
        raise ConfigError(f"{path.name}: top_p={top_p!r} is no number above 0, 1 at most")
    if not (isinstance(top_k, int) and top_k >= 1):
        raise ConfigError(f"{path.name}: top_k={top_k!r} is no whole number of 1 or more")
    return SamplingDefaults(temperature=temperature, top_p=top_p, top_k=top_k)


def load_config(folder: Path) -> HiggsConfig:
    """Read `folder/config.json`. Raises ConfigError."""
    return parse_config(read_json(folder / "config.json"))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises ConfigError where the file is missing or holds something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path.name} of checkpoint {path.parent.name}: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path.name} of checkpoint {path.parent.name} is not a JSON object")
    return data


def parse_config(data: Mapping[str, Any]) -> HiggsConfig:
    """Build the config from a parsed config.json of either dialect. Raises ConfigError."""
    try:
        match data.get("model_type"):
            case "higgs_audio_v2":
                return _huggingface(data)
            case "higgs_audio":
                return _boson(data)
            case other:
                raise ConfigError(f"model_type {other!r} is not a Higgs Audio V2 language model")
    except KeyError as error:
        raise ConfigError(f"config.json lacks {error.args[0]!r}") from error


def _refuse(data: Mapping[str, Any], neutral: Mapping[str, tuple[Any, ...]]) -> None:
    for name, allowed in neutral.items():
        if name in data and data[name] not in allowed:
            raise ConfigError(f"{name}={data[name]!r} is not supported: no published checkpoint uses it")


_LLAMA_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "hidden_act": ("silu",),
    "attention_bias": (False, None),
    "mlp_bias": (False, None),
    "tie_word_embeddings": (False, None),
}
_BOSON_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio_adapter_type": ("dual_ffn", "dual_ffn_fast_forward"),
    "audio_embed_avg": (False, None),
    "audio_decoder_proj_num_layers": (0, None),
    "use_audio_out_embed_projector": (False, None),
    "use_audio_out_self_attention": (False, None),
    "use_rq_transformer": (False, None),
    "use_delay_pattern": (True,),
}


def _llama(data: Mapping[str, Any]) -> dict[str, Any]:
    _refuse(data, _LLAMA_NEUTRAL)
    heads = data["num_attention_heads"]
    return {
        "vocab_size": data["vocab_size"],
        "hidden_size": data["hidden_size"],
        "intermediate_size": data["intermediate_size"],
        "layers": data["num_hidden_layers"],
        "heads": heads,
        "kv_heads": data.get("num_key_value_heads") or heads,
        "head_dim": data.get("head_dim") or data["hidden_size"] // heads,
        "norm_eps": data["rms_norm_eps"],
        "rope": _rope(data),
    }


def _rope(data: Mapping[str, Any]) -> RopeConfig:
    rope: Mapping[str, Any] = data.get("rope_parameters") or data.get("rope_scaling") or {}
    theta = rope["rope_theta"] if "rope_theta" in rope else data["rope_theta"]
    match rope.get("rope_type", rope.get("type", "default")):
        case "default":
            return RopeConfig(kind="default", theta=theta)
        case "llama3":
            return RopeConfig(
                kind="llama3",
                theta=theta,
                factor=rope["factor"],
                low_freq_factor=rope["low_freq_factor"],
                high_freq_factor=rope["high_freq_factor"],
                original_max_positions=rope["original_max_position_embeddings"],
            )
        case other:
            raise ConfigError(f"rope_type={other!r} is not supported: no published checkpoint uses it")


def _huggingface(data: Mapping[str, Any]) -> HiggsConfig:
    window = data.get("alignment_window")
    return HiggsConfig(
        layout="huggingface",
        **_llama(data),
        num_codebooks=data["num_codebooks"],
        codebook_size=data["codebook_size"],
        bos_code=data["audio_stream_bos_id"],
        eos_code=data["audio_stream_eos_id"],
        audio_out_bos_id=data["audio_bos_token_id"],
        audio_out_id=data["audio_token_id"],
        audio_delay_id=data["audio_delay_token_id"],
        text_frontend=data.get("text_frontend", "text"),
        alignment_heads=_pairs("alignment_heads", data.get("alignment_heads") or []),
        alignment_window=None if window is None else _pairs("alignment_window", [window])[0],
    )


def _pairs(name: str, value: Any) -> tuple[tuple[int, int], ...]:
    try:
        return tuple((operator.index(first), operator.index(second)) for first, second in value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"config.json: {name}={value!r} is no list of pairs of numbers") from error


def _boson(data: Mapping[str, Any]) -> HiggsConfig:
    _refuse(data, _BOSON_NEUTRAL)
    if "audio_adapter_type" not in data:
        raise KeyError("audio_adapter_type")
    llama = _llama(data["text_config"])
    dual = data.get("audio_dual_ffn_layers")
    if dual is None or sorted(dual) != list(range(llama["layers"])):
        raise ConfigError(f"audio_dual_ffn_layers={dual!r} is not supported: every layer must have an audio FFN")
    return HiggsConfig(
        layout="boson",
        **llama,
        num_codebooks=data["audio_num_codebooks"],
        codebook_size=data["audio_codebook_size"] + 2,  # Boson's field leaves the two stream codes out
        bos_code=data["audio_stream_bos_id"],
        eos_code=data["audio_stream_eos_id"],
        audio_out_bos_id=data["audio_out_bos_token_id"],
        audio_out_id=data["audio_out_token_idx"],
        audio_delay_id=data["audio_out_token_idx"],
    )
