"""The Higgs Audio engine: one model on one device, a thread that steps it, and a mailbox per request."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from inference.engines.higgs.graphs import GraphRunner
from inference.engines.higgs.runners import EagerRunner, Runner
from inference.engines.higgs.scheduler import Policy, Scheduler
from inference.engines.higgs.script import Script
from inference.engines.higgs.speakers import Speaker, recorded, speakers_of
from inference.engines.higgs.state import BatchState
from inference.engines.higgs.stream import Stream
from inference.engines.higgs.vocoder import BackgroundVocoder, Vocoder
from inference.engines.protocol import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    EngineError,
    Generation,
    Segment,
    SpeechRequest,
)
from inference.failures import place_of
from inference.higgs.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from inference.higgs.codecs import Codec, load_codec
from inference.higgs.config import ConfigError, HiggsConfig, load_ras_config, load_sampling_defaults
from inference.higgs.frontend import load_prompt_builder
from inference.higgs.linear import Precision, matrix_dtype
from inference.higgs.silence import load_silence
from inference.higgs.voice_encoder import VoiceEncoder, load_voice_encoder

log = logging.getLogger(__name__)

CODEC_FOLDER = "codec"
WAIT_FOR_LISTENERS_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an engine uses its device.

    Args:
        device: "cpu", "cuda", "cuda:1".
        slots: requests spoken at once; fewer where the device's memory is too small.
        context: positions of a slot, for the prompt and the audio together.
        dtype: of the matrices; "auto" is what the device multiplies fastest. On the CPU all else is float32, on a
            GPU all is of the one type.
        threads: of the processor, for one operation. By default one for a small network, whose operations are too
            short to be shared out, and torch's choice for a larger one.
    """

    device: str = "cpu"
    slots: int = 8
    context: int = 2048
    dtype: Precision = "auto"
    threads: int | None = None
    policy: Policy = field(default_factory=Policy)


class HiggsEngine:
    """A checkpoint at work. Ready when constructed: it has spoken once, to nobody.

    `folder` holds config.json, *.safetensors, tokenizer.json and generation_config.json, and the codec's
    config.json and model.safetensors in a folder `codec` of its own.

    Raises:
        ConfigError, CheckpointError: `folder` is no such checkpoint, or its parts do not belong together.
    """

    def __init__(self, folder: Path, options: Options, speakers: Mapping[str, Speaker] | None = None) -> None:
        device = torch.device(options.device)
        if device.type == "cuda":
            device = torch.device("cuda", device.index or 0)
            torch.cuda.set_device(device)
        matrices = matrix_dtype(options.dtype, device)
        dtype = matrices if device.type == "cuda" else torch.float32
        paired = options.dtype == "auto" and matrices == torch.float32
        self._checkpoint = load_checkpoint(folder, device=device, dtype=dtype, matrices=matrices, paired=paired)
        self._ras, self._sampling = load_ras_config(folder), load_sampling_defaults(folder)
        self._silence = load_silence(folder, self._checkpoint.model.config)
        self._builder = load_prompt_builder(folder, self._checkpoint.model.config)
        self._speakers, self._options = dict(speakers or speakers_of(folder)), options
        self._codec = codec = load_codec(folder / CODEC_FOLDER, device=device, matrices=matrices)
        _check(self._checkpoint, codec)
        self._cloner = load_voice_encoder(folder / CODEC_FOLDER) if self._builder.remembers else None
        self._slots = options.slots
        state, runner = self._allocate()
        self._threads = options.threads or threads_for(self._checkpoint.model.config)
        self._vocoder = (
            BackgroundVocoder(codec, device, threads=self._threads)
            if device.type == "cpu"
            else Vocoder(codec, device)
        )
        self._scheduler = Scheduler(state, runner, self._vocoder, options.policy)
        self._arrived: deque[Stream] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._warm_up()
        self._thread = threading.Thread(target=self._run, name="higgs-engine", daemon=True)
        self._thread.start()

    @property
    def model(self) -> str:
        return self._checkpoint.id

    @property
    def device(self) -> str:
        device = self._checkpoint.model.device
        return f"{device} {torch.cuda.get_device_name(device)}" if device.type == "cuda" else str(device)

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def voices(self) -> tuple[str, ...]:
        return tuple(self._speakers)

    @property
    def cloner(self) -> VoiceEncoder | None:
        return self._cloner

    @property
    def healthy(self) -> bool:
        return self._thread.is_alive()

    def submit(self, request: SpeechRequest) -> Generation:
        """Put `request` in line; see `Engine.submit`. Where the engine is closed, it has failed."""
        generation = Generation(request)
        try:
            stream = self._stream(generation)
        except EngineError as error:
            generation.fail(error)
            return generation
        with self._changed:
            if self._closed:
                generation.fail(EngineError("the engine is closed"))
            else:
                self._arrived.append(stream)
                self._changed.notify()
        return generation

    def close(self) -> None:
        """Stop after the running step and fail what is unfinished. May be called again."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        self._vocoder.close()

    def _stream(self, generation: Generation) -> Stream:
        config = self._checkpoint.model.config
        script = Script(
            generation.request,
            self._builder,
            self._speakers | {name: recorded(each) for name, each in generation.request.references.items()},
            capacity=self._options.context,
            books=config.num_codebooks,
        )
        generation.prompt_tokens = script.tokens
        return Stream(
            generation,
            script,
            config,
            context=self._codec.context,
            alignment=self._codec.alignment,
            sampling=self._sampling,
            silence=self._silence,
        )

    def _run(self) -> None:
        reason = "the engine was closed"
        device = self._checkpoint.model.device
        try:
            torch.set_num_threads(self._threads)  # each thread has its own number, and its own device
            if device.type == "cuda":
                torch.cuda.set_device(device)
            while self._wait_for_work():
                if not self._turn():
                    time.sleep(WAIT_FOR_LISTENERS_SECONDS)
        except Exception as error:
            log.critical("the engine broke\n%s", place_of(error))
            reason = f"the engine broke: {type(error).__name__}"
        with self._changed:
            self._closed = True
        self._take_arrived()
        self._scheduler.fail_all(EngineError(reason))

    def _wait_for_work(self) -> bool:
        """Wait until there is something to do. False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._arrived or not self._scheduler.idle)
            if self._closed:
                return False
        self._take_arrived()
        return True

    def _take_arrived(self) -> None:
        while self._arrived:
            self._scheduler.add(self._arrived.popleft())

    def _turn(self) -> bool:
        try:
            return self._scheduler.turn()
        except RuntimeError as error:
            if not _is_out_of_memory(error) or self._slots == 1:
                raise
        self._shrink()
        return True

    def _shrink(self) -> None:
        """Continue with half the slots. Evicted streams keep their frames and wait at the front."""
        self._scheduler.withdraw()
        self._slots //= 2
        self._scheduler.use(*self._allocate())

    def _allocate(self) -> tuple[BatchState, Runner]:
        """Make room for `_slots`, or for as many as there is memory for."""
        model = self._checkpoint.model
        while True:
            try:
                state = BatchState(model, slots=self._slots, length=self._options.context, ras=self._ras)
                return state, GraphRunner(state) if model.device.type == "cuda" else EagerRunner(state)
            except RuntimeError as error:
                if not _is_out_of_memory(error) or self._slots == 1:
                    raise
            if model.device.type == "cuda":
                torch.cuda.empty_cache()
            log.warning("no memory for %d slots of %d positions", self._slots, self._options.context)
            self._slots //= 2

    def _warm_up(self) -> None:
        """Generate a short utterance, so that lazy set-up happens now and a broken checkpoint fails here."""
        voice = next(iter(self._speakers))
        request = SpeechRequest(id="warm-up", segments=(Segment("Hello.", voice),), max_frames=16)
        generation = Generation(request)
        self._scheduler.add(self._stream(generation))
        while not self._scheduler.idle:
            self._turn()
        for _ in generation:
            pass


def threads_for(config: HiggsConfig) -> int:
    """Processor threads that share one operation of a step.

    Two threads wait for each other after every operation, by spinning. In a network of 8 million weights that
    costs more than it saves, and doubles the step's time as soon as anything else wants a core.
    """
    return 1 if config.small else torch.get_num_threads()


def _check(checkpoint: Checkpoint, codec: Codec) -> None:
    """The codec must be the one whose codes the model speaks, and speak at the platform's rate."""
    model, geometry = checkpoint.model.config, codec.config
    spoken = (model.num_codebooks, model.codebook_size - 2)
    if spoken != (geometry.num_codebooks, geometry.codebook_size):
        raise CheckpointError(
            f"{checkpoint.name} speaks {spoken[0]} codebooks of {spoken[1]} codes, the codec in its folder"
            f" {CODEC_FOLDER!r} has {geometry.num_codebooks} of {geometry.codebook_size}"
        )
    if (geometry.sample_rate, geometry.samples_per_frame) != (SAMPLE_RATE, SAMPLES_PER_FRAME):
        raise ConfigError(
            f"the codec makes {geometry.samples_per_frame} samples a frame at {geometry.sample_rate} Hz, not"
            f" {SAMPLES_PER_FRAME} at {SAMPLE_RATE} Hz"
        )


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
