"""Every size of a training: on a GPU in minutes, on two cores in hours, and a tiny one for the tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecRecipe:
    """The codec's networks and their training."""

    width: int = 256
    code_dim: int = 64
    codebooks: int = 12
    codes: int = 102
    encoder_blocks: tuple[int, int] = (3, 3)
    """At 80 and at 25 frames/s."""
    decoder_blocks: tuple[int, int] = (2, 3)
    """At 25 and at 80 frames/s."""
    rate: float = 1e-3
    batch: int = 16
    frames: int = 128
    """Of an excerpt, at 80/s."""
    steps: int = 2_000
    shards: int = 30
    """Of the corpus, from its beginning: the codec needs fewer than the student."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentRecipe:
    """The language model and its training."""

    hidden: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    inner: int = 640
    rope_theta: float = 1e4
    aligned_layers: tuple[int, ...] = (1, 3)
    """Their first head is taught, in training, to look at the phoneme that is being spoken."""
    alignment_weight: float = 1.0
    batch_tokens: int = 3000
    matrix_rate: float = 0.02
    other_rate: float = 2e-3
    noise: float = 0.03
    """Share of the input's codes that are replaced, so that the student learns to go on after a mistake."""
    steps: int = 2_300
    decay: float = 0.4
    """Share of the steps, the last ones, over which the rate falls to zero."""
    divergence_weight: float = 0.5
    """Share of the loss that comes from a larger teacher, where there is one."""
    book_weights: tuple[float, ...] = (4.0, 3.0, 2.2, 1.8, 1.2, 1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3)

    def gone_on_with(self) -> StudentRecipe:
        """For a checkpoint whose rates had fallen to nothing: lower ones, which fall from the first step on."""
        return replace(self, matrix_rate=0.3 * self.matrix_rate, other_rate=0.3 * self.other_rate, decay=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserRecipe:
    """The recognisers that hear the codec's features."""

    networks: int = 3
    """The last one only watches."""
    width: int = 128
    blocks: int = 2
    kernel: int = 5
    batch_frames: int = 2_400
    rate: float = 2e-3
    steps: int = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffroRecipe:
    """The alignment by the gradient of a reward."""

    prompts: int = 24
    longest: float = 8.0
    """Seconds of the teacher's audio that a prompt may have."""
    temperature: float = 0.6
    rate: float = 6e-5
    divergence: float = 0.6
    """Weight of what the student moves away from the one before this stage."""
    steps: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignRecipe:
    """The alignment by reward."""

    prompts: int = 4
    answers: int = 8
    """Of each prompt: a group."""
    candidates: int = 400
    """Sentences that are spoken once, so that those that the student alone says badly become the prompts."""
    longest: float = 8.0
    """Seconds of the teacher's audio that a prompt may have."""
    temperature: float = 0.8
    """Higher than a customer's, so that answers differ; what top_p and top_k leave out is not known here."""
    passes: int = 2
    """Over a step's answers, before new ones are drawn."""
    rate: float = 4e-5
    clip: float = 0.2
    divergence: float = 0.02
    """Weight of what the student moves away from the one before this stage."""
    steps: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    device: str = "cpu"
    shards: int = 44
    shard_sentences: int = 500
    own_share: float = 0.4
    """Of the sentences: those of our own templates, which have the names and numbers that books lack."""
    codec: CodecRecipe = field(default_factory=CodecRecipe)
    student: StudentRecipe = field(default_factory=StudentRecipe)
    larger: StudentRecipe
    """The network of the same kind that a student may learn from."""
    recogniser: RecogniserRecipe = field(default_factory=RecogniserRecipe)
    diffro: DiffroRecipe = field(default_factory=DiffroRecipe)
    align: AlignRecipe = field(default_factory=AlignRecipe)


_LARGER = StudentRecipe(hidden=384, layers=8, heads=6, kv_heads=3, inner=1152)
TWO_CORES = Recipe(larger=_LARGER)
ONE_GPU = Recipe(
    device="cuda",
    shards=75,
    codec=CodecRecipe(batch=128, steps=4_000, shards=40),
    student=StudentRecipe(batch_tokens=16_000, steps=8_000),
    larger=replace(_LARGER, batch_tokens=16_000, steps=4_000),
)
TINY = Recipe(
    shards=1,
    shard_sentences=16,
    codec=CodecRecipe(
        width=32, code_dim=16, codes=16, encoder_blocks=(1, 1), decoder_blocks=(1, 1), batch=4, steps=6
    ),
    student=StudentRecipe(
        hidden=64, layers=2, heads=2, kv_heads=1, inner=96, aligned_layers=(0,), batch_tokens=600, steps=6
    ),
    larger=StudentRecipe(
        hidden=96, layers=2, heads=2, kv_heads=1, inner=128, aligned_layers=(0,), batch_tokens=600, steps=6
    ),
    recogniser=RecogniserRecipe(width=32, blocks=1, batch_frames=400, steps=40),
    diffro=DiffroRecipe(prompts=4, steps=3),
    align=AlignRecipe(prompts=2, answers=2, candidates=4, steps=2),
)
RECIPES = {"gpu": ONE_GPU, "cores": TWO_CORES, "tiny": TINY}
