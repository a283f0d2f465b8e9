from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402

from inference.higgs.checkpoint import CheckpointError, load_checkpoint  # noqa: E402
from inference.higgs.config import ConfigError, parse_config  # noqa: E402
from inference.higgs.delay import delay  # noqa: E402
from inference.higgs.model import HiggsModel, Prompt  # noqa: E402
from inference.higgs.sampler import SamplerState, sample  # noqa: E402
from tests.higgs.oracle import AUDIO_OUT, AUDIO_OUT_BOS, DELAY, make_language_model  # noqa: E402


def make_prompt(model: HiggsModel, words: int, reference: int, seed: int) -> Prompt:
    generator = torch.Generator().manual_seed(seed)
    books = model.config.num_codebooks
    text = torch.randint(0, 490, (words,), generator=generator)
    rows = torch.empty((0, books), dtype=torch.int64)
    ids = [text[:6]]
    if reference:
        rows = delay(torch.randint(0, 32, (reference, books), generator=generator), model.config)
        ids += [torch.full((len(rows) - books + 1,), AUDIO_OUT), torch.full((books - 1,), DELAY)]
    return Prompt(torch.cat([*ids, text[6:], torch.tensor([AUDIO_OUT_BOS])]), rows)


def generate(model: HiggsModel, prompts: list[Prompt], steps: int, **options: Any) -> tuple[list[Any], list[Any]]:
    """Rows [B, R, N] and the logits of every step, with each prompt in a slot of its own, scattered."""
    slots = [(3 * i + 1) % (2 * len(prompts)) for i in range(len(prompts))]
    slots = slots if len(set(slots)) == len(slots) else list(range(len(prompts)))
    cache = model.new_cache(slots=2 * len(prompts), length=160)
    state = SamplerState(model.config, slots=2 * len(prompts), device="cpu")
    for i, slot in enumerate(slots):
        state.admit(slot, **{"temperature": 0.0, "ras_repeats": 0, "seed": i, **options})
    where = torch.tensor(slots)
    logits = model.prefill(prompts, slots, cache)
    positions = torch.tensor([len(p.tokens) for p in prompts])
    rows, seen = [], []
    for _ in range(steps):
        seen.append(logits)
        rows.append(sample(logits, state, where))
        logits = model.decode(rows[-1], where, positions, cache, window=int(positions.max()) + 1)
        positions = positions + 1
    return torch.stack(rows, 1), torch.stack(seen, 1)


@pytest.mark.parametrize(("books", "kv_heads"), [(8, 2), (8, 4), (12, 2), (12, 1)])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_transformers(tmp_path: Path, books: int, kv_heads: int, seed: int) -> None:
    oracle = make_language_model(tmp_path, books=books, kv_heads=kv_heads, seed=seed)
    model = load_checkpoint(tmp_path).model
    shapes = [(20, 0), (31, 9), (26, 3), (40, 0)]
    prompts = [make_prompt(model, words, reference, 7 * seed + i) for i, (words, reference) in enumerate(shapes)]
    rows, logits = generate(model, prompts, 30)
    for i, prompt in enumerate(prompts):
        inputs: dict[str, Any] = {"input_ids": prompt.tokens[None]}
        if len(prompt.codes):
            inputs |= {
                "audio_input_ids": prompt.codes[None],
                "audio_input_ids_mask": torch.ones(1, len(prompt.codes), dtype=torch.bool),
            }
        answer = oracle.generate(
            **inputs, max_new_tokens=30, do_sample=False, return_dict_in_generate=True, output_logits=True
        )
        theirs = answer.audio_sequences[0][len(prompt.codes) :]
        assert torch.equal(rows[i][: len(theirs)], theirs)
        assert (rows[i][len(theirs) :] == 33).all()
        expected = torch.cat(answer.logits).view(len(theirs), books, -1)
        torch.testing.assert_close(logits[i][: len(theirs)], expected, atol=1e-4, rtol=1e-4)


def test_a_request_does_not_depend_on_its_batch_nor_on_a_resume(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    model = load_checkpoint(tmp_path).model
    prompts = [make_prompt(model, 20 + i, i % 3, i) for i in range(32)]
    options: dict[str, Any] = {"temperature": 1.0, "top_p": 0.95, "top_k": 20, "ras_repeats": 2}
    together, _ = generate(model, prompts, 24, **options)
    for i in (0, 5, 31):
        alone, _ = generate(model, [prompts[i]], 24, **options, seed=i)
        assert torch.equal(alone[0], together[i])
        cache = model.new_cache(slots=1, length=160)
        state = SamplerState(model.config, slots=1, device="cpu")
        state.admit(0, **options, seed=i, rows=alone[0][:10])
        resumed = prompts[i].extended(alone[0][:10], AUDIO_OUT)
        cut = len(prompts[i].tokens) - 2  # prefilled in two pieces
        split = int((resumed.tokens[:cut] == AUDIO_OUT).sum() + (resumed.tokens[:cut] == DELAY).sum())
        model.prefill([Prompt(resumed.tokens[:cut], resumed.codes[:split])], [0], cache)
        logits = model.prefill([Prompt(resumed.tokens[cut:], resumed.codes[split:])], [0], cache, starts=[cut])
        assert torch.equal(sample(logits, state, torch.tensor([0]))[0], alone[0][10])


def to_boson(folder: Path, target: Path) -> None:
    """Rewrite a Hugging Face checkpoint as Boson's, in two shards, its tables split into frozen and trainable."""
    target.mkdir()
    tensors = load_file(folder / "model.safetensors")
    old: dict[str, Any] = {}
    for name, value in tensors.items():
        name = name.removeprefix("model.")
        if name == "embed_audio_tokens.embed_audio_tokens.weight":
            old["audio_codebook_embeddings.weight"] = value
        elif name == "embed_tokens.weight":
            old["embed_tokens.embedding_frozen.weight"] = value[:500].clone()
            old["embed_tokens.embedding_trainable.weight"] = value[500:].clone()
        elif "lm_head" in name:
            old[f"audio_decoder_proj.{name}"] = value
        else:
            old[name] = value
    old["audio_codebook_weights"] = torch.ones(8)
    names = sorted(old)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for shard, part in shards.items():
        save_file({name: old[name] for name in part}, target / shard)
    index = {"weight_map": {name: shard for shard, part in shards.items() for name in part}}
    (target / "model.safetensors.index.json").write_text(json.dumps(index))
    config = json.loads((folder / "config.json").read_text())
    text = {k: v for k, v in config.items() if k not in ("rope_parameters", "model_type")}
    text |= {"rope_theta": config["rope_parameters"]["rope_theta"], "rope_scaling": config["rope_parameters"]}
    boson = {
        "model_type": "higgs_audio", "text_config": text, "audio_adapter_type": "dual_ffn_fast_forward",
        "audio_dual_ffn_layers": [0, 1, 2], "audio_num_codebooks": 8, "audio_codebook_size": 32,
        "audio_stream_bos_id": 32, "audio_stream_eos_id": 33, "audio_out_bos_token_id": AUDIO_OUT_BOS,
        "audio_out_token_idx": AUDIO_OUT, "use_delay_pattern": True,
    }  # fmt: skip
    (target / "config.json").write_text(json.dumps(boson))


def test_both_layouts_load_the_same_model(tmp_path: Path) -> None:
    make_language_model(tmp_path / "hf")
    to_boson(tmp_path / "hf", tmp_path / "boson")
    one, two = load_checkpoint(tmp_path / "hf"), load_checkpoint(tmp_path / "boson")
    prompt = make_prompt(one.model, 20, 0, 0)
    ours, theirs = (generate(checkpoint.model, [prompt], 6)[1] for checkpoint in (one, two))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert one.id.startswith("hf@")
    assert one.digest != two.digest
    assert one.digest == load_checkpoint(tmp_path / "hf").digest


def test_a_broken_checkpoint_says_what_is_wrong(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)

    def fails(changed: dict[str, Any], match: str) -> None:
        save_file(changed, file)
        with pytest.raises(CheckpointError, match=match):
            load_checkpoint(tmp_path)

    norm = "model.norm.weight"
    fails({k: v for k, v in tensors.items() if k != norm}, r"lacks 1 tensors: model.norm.weight \(64,\)")
    fails({**tensors, "adapter.weight": torch.ones(3)}, r"1 unknown tensors: adapter.weight \(3,\)")
    fails({**tensors, norm: torch.ones(63)}, r"model.norm.weight has shape \(63,\), config.json asks for \(64,\)")
    save_file(tensors, file)
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"not a whole safetensors file"):
        load_checkpoint(tmp_path)
    file.unlink()
    with pytest.raises(CheckpointError, match=r"has neither model.safetensors nor"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"model_type": "llama"}, "model_type 'llama'"),
        ({"attention_bias": True}, "attention_bias=True"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings=True"),
        ({"hidden_act": "gelu"}, "hidden_act='gelu'"),
        ({"num_attention_heads": 3}, "3 attention heads"),
        ({"alignment_heads": [[0, 0]], "alignment_window": 4}, "alignment_window"),
        ({"alignment_heads": [[0, 0]], "alignment_window": [2, -1]}, "alignment_window"),
        ({"alignment_window": [2, 4]}, "needs alignment_heads"),
    ],
)
def test_unpublished_features_are_refused_by_name(tmp_path: Path, change: dict[str, Any], match: str) -> None:
    make_language_model(tmp_path)
    with pytest.raises(ConfigError, match=match):
        parse_config(json.loads((tmp_path / "config.json").read_text()) | change)


def test_codebook_k_runs_k_rows_behind(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    config = load_checkpoint(tmp_path).model.config
    frames = torch.randint(0, 32, (11, 8))
    rows = delay(frames, config)
    assert rows.shape == (11 + 8 + 1, 8)
    for k in range(8):
        assert torch.equal(rows[k + 1 : k + 12, k], frames[:, k])
        assert (rows[: k + 1, k] == config.bos_code).all()
        assert (rows[k + 12 :, k] == config.eos_code).all()
