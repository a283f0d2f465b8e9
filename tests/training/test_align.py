"""Alignment by reward: its gradient, its rewards, and the whole stage at its smallest size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("onnx", reason="the teacher is an extra: pip install -e .[training]")

from inference.training import align, corpus, grpo  # noqa: E402
from inference.training.recipe import TINY  # noqa: E402
from inference.training.rewards import longest_silence, reward  # noqa: E402
from inference.training.run import Run  # noqa: E402
from inference.training.teacher import Teacher  # noqa: E402
from inference.training.verdict import Verdict  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")  # one process trains the tiny voice, and not each

RIGHT = Verdict(words=4, word_errors=0, signs=20, sign_errors=0, mos=4.5, log_probability=-0.1)


def surrogate(logits: torch.Tensor, drawn: torch.Tensor, advantage: torch.Tensor) -> torch.Tensor:
    new = logits.log_softmax(-1)[drawn]
    weight = torch.full_like(advantage, 1 / len(advantage))
    old = new.detach()
    return grpo.loss(new, old, old, advantage, weight, clip=0.2, kl=0.0)


def test_the_gradient_is_that_of_the_policy() -> None:
    """Of a softmax over arms it is, by hand, -E[A · (onehot - p)]."""
    logits = torch.tensor([0.3, -0.2, 0.9], requires_grad=True)
    drawn, rewards = torch.tensor([0, 2, 1, 2]), torch.tensor([[1.0, 0.0, 0.5, 0.25]])
    advantage = grpo.advantages(rewards)[0]
    surrogate(logits, drawn, advantage).backward()
    chances = logits.detach().softmax(-1)
    onehot = torch.nn.functional.one_hot(drawn, 3).float()
    expected = -(advantage[:, None] * (onehot - chances)).mean(0)
    torch.testing.assert_close(logits.grad, expected)


def test_a_bandit_finds_the_better_arm() -> None:
    torch.manual_seed(0)
    logits = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=0.5)
    pays = torch.tensor([0.1, 0.9, 0.3])
    for _ in range(80):
        drawn = torch.multinomial(logits.detach().softmax(-1), 16, replacement=True)
        rewards = torch.bernoulli(pays[drawn])
        optimizer.zero_grad()
        surrogate(logits, drawn, grpo.advantages(rewards[None])[0]).backward()
        optimizer.step()
    assert logits.softmax(-1)[1] > 0.9


def test_a_group_that_is_all_alike_teaches_nothing() -> None:
    advantages = grpo.advantages(torch.tensor([[0.5, 0.5], [0.0, 1.0]]))
    torch.testing.assert_close(advantages, torch.tensor([[0.0, 0.0], [-1.0, 1.0]]))


@pytest.mark.parametrize(("ratio", "advantage", "learns"), [(1.5, 1, False), (0.5, -1, False), (1.1, 1, True)])
def test_what_has_moved_far_enough_moves_no_further(ratio: float, advantage: float, learns: bool) -> None:
    old = torch.zeros(1)
    new = torch.full((1,), ratio).log().requires_grad_()
    grpo.loss(new, old, old, torch.tensor([advantage]), torch.ones(1), clip=0.2, kl=0.0).backward()
    assert bool(new.grad) is learns


def test_the_divergence_draws_back_to_the_reference() -> None:
    fixed = torch.tensor([-1.0])
    nothing = torch.zeros(1)
    for start in (-2.0, -0.5):
        new = torch.tensor([start], requires_grad=True)
        grpo.loss(new, new.detach(), fixed, nothing, torch.ones(1), clip=0.2, kl=1.0).backward()
        assert new.grad is not None
        assert (fixed - new.detach()).sign() == -new.grad.sign()


def test_a_reward_falls_with_each_fault() -> None:
    random = np.random.default_rng(0)
    audio = random.normal(0, 0.1, 48_000).astype(np.float32)
    paused = audio.copy()
    paused[10_000:34_000] = 0
    best = reward(RIGHT, audio, ended=True, expected_seconds=2).total
    assert best > 0.9
    worse = {
        "words": reward(Verdict(4, 1, 20, 5, 4.5, -0.1), audio, ended=True, expected_seconds=2),
        "certainty": reward(Verdict(4, 0, 20, 0, 4.5, -1.0), audio, ended=True, expected_seconds=2),
        "quality": reward(Verdict(4, 0, 20, 0, 2.5, -0.1), audio, ended=True, expected_seconds=2),
        "length": reward(RIGHT, audio, ended=True, expected_seconds=3),
        "pauses": reward(RIGHT, paused, ended=True, expected_seconds=2),
        "ended": reward(RIGHT, audio, ended=False, expected_seconds=2),
    }
    for part, fault in worse.items():
        assert fault.total < best, part
        assert fault.parts()[part] < reward(RIGHT, audio, ended=True, expected_seconds=2).parts()[part]
    assert worse["ended"].total == 0


def test_silence_is_measured_at_its_longest() -> None:
    audio = np.ones(24_000, np.float32)
    audio[4_800:14_400] = 0
    assert longest_silence(audio) == pytest.approx(0.4, abs=0.021)
    assert longest_silence(np.zeros(24_000, np.float32)) == pytest.approx(1.0)


def by_length(text: str, audio: np.ndarray) -> Verdict:
    """A judge without a network: it hears fewer mistakes the longer the audio is."""
    return Verdict(4, 0, 100, max(0, 100 - len(audio) // 960), 3.0, -0.5)


def test_it_learns_from_what_the_student_alone_says_badly(trained: Path, tmp_path: Path) -> None:
    for name in ("corpus", "codec.pt", "distill.pt"):
        (tmp_path / name).symlink_to(trained / name)
    teacher, heard = Teacher(tmp_path), []
    known = [u for shard in corpus.read(tmp_path / "corpus") for u in shard.utterances if not u.held_out]
    readings = {u.text: len(teacher.say(u.phonemes, seed=0).audio) for u in known}
    unspelled = set(sorted(readings)[::2])

    def judge(text: str, audio: np.ndarray) -> Verdict:
        """It mishears the student always, and the teacher where nobody could spell the text."""
        right = len(audio) == readings[text] and text not in unspelled
        heard.append(text)
        return Verdict(4, 0 if right else 2, 100, 0 if right else 50, 3.0, -0.5)

    sizes = replace(TINY, align=replace(TINY.align, candidates=12, steps=0))
    align.train(Run(tmp_path, "align"), sizes, judge)
    chosen = json.loads((tmp_path / "align-prompts.json").read_text())
    assert set(chosen) == set(heard) - unspelled


def test_the_stage_speaks_learns_and_goes_on(trained: Path, tmp_path: Path) -> None:
    for name in ("corpus", "codec.pt", "distill.pt"):
        (tmp_path / name).symlink_to(trained / name)
    align.train(Run(tmp_path, "align"), TINY, by_length)
    lines = [json.loads(line) for line in (tmp_path / "align.jsonl").read_text().splitlines()]
    curve = [line for line in lines if "step" in line]
    assert [line["step"] for line in curve] == [1, 2]
    assert {"words", "certainty", "quality", "length", "pauses", "ended", "total", "divergence"} <= curve[0].keys()
    assert (tmp_path / "align" / "00000-best.wav").stat().st_size > 44
    before, after = Run(tmp_path, "distill").load(), Run(tmp_path, "align").load()
    assert before is not None
    assert after is not None
    assert after["step"] == 2
    moved = [name for name, value in after["model"].items() if not torch.equal(value, before["model"][name])]
    assert moved
    align.train(Run(tmp_path, "align"), TINY, by_length)  # it was done: it takes no further step
    assert (tmp_path / "align.jsonl").read_text().count('"step"') == 2
