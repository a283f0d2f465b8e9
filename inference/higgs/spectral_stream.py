"""The spectral decoder as a stream: each layer keeps what its next outputs look back on, and makes nothing twice.

A layer that looks `half` frames ahead gives its outputs so much later. What a stream has made so far is a
`Progress`, a value: a window that ends before its context does is decoded as if the stream ended with it, and the
stream then goes on from the progress before.

Shapes: B rows, N codebooks, T frames at 25/s, U frames at 80/s, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from inference.higgs.codec_stream import Excerpt
from inference.higgs.pulses import HALO

if TYPE_CHECKING:
    from inference.higgs.spectral_codec import SpectralCodec
    from inference.higgs.spectral_layers import ConvNeXt, CpuConvNeXt

PULSES_AHEAD = 3
"""Fine frames that a spectrum's pulses reach to, and their pitch one more."""
MARGIN = HALO + PULSES_AHEAD + 1
"""Fine frames beyond what is kept that are made, too: a sample depends on HALO of them, each of those on others'
pulses, and the last one is for fading."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """Inputs of a layer that its next outputs need."""

    inputs: Tensor  # [B, n, C]
    begin: int
    """The first one's number in the stream."""
    done: int
    """The next output's number."""

    @property
    def end(self) -> int:
        return self.begin + self.inputs.shape[1]

    def extended(self, more: Tensor, half: int, *, last: bool) -> tuple[Tensor, slice, Lookback]:
        """Take `more` [B, n, C].

        Args: last: nothing follows them, so that outputs up to the last one can be made.

        Returns:
            The inputs, those among them whose outputs can be made now, and what is left.
        """
        whole = self.joined(more)
        done = whole.end if last else max(self.done, whole.end - half)
        part = slice(self.done - self.begin, done - self.begin)
        return whole.inputs, part, Lookback(whole.inputs, self.begin, done).after(done - half)

    def after(self, number: int) -> Lookback:
        """Without the inputs before that one."""
        begin = min(max(self.begin, number), self.end)
        return Lookback(self.inputs[:, begin - self.begin :].clone(), begin, self.done)

    def joined(self, more: Tensor) -> Lookback:
        inputs = torch.cat((self.inputs, more), dim=1) if self.inputs.shape[1] else more
        return Lookback(inputs, self.begin, self.begin + inputs.shape[1])

    def moved(self, by: int) -> Lookback:
        return Lookback(self.inputs, self.begin + by, self.done + by)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the decoder is with B streams of one kind; the numbers are those of the first."""

    coarse: tuple[Lookback, ...]
    """Of the layers at 25 frames/s: the slow blocks, and what raises their rate."""
    fine: tuple[Lookback, ...]
    """Of the layers at 80 frames/s: the fast blocks, and the acoustic decoder's convolutions."""
    heard: tuple[Lookback, Lookback]
    """Spectra and rendered f0, which the samples are made of."""

    @property
    def taken(self) -> int:
        """Frames of codes so far."""
        return self.coarse[0].end

    @property
    def numbers(self) -> list[int]:
        """Equal for streams that can be joined."""
        return [n for each in self._every for n in (each.begin, each.done, each.end)]

    def moved(self, coarse: int, fine: int) -> Progress:
        by = [coarse] * len(self.coarse) + [fine] * (len(self.fine) + 2)
        return self._of([each.moved(n) for each, n in zip(self._every, by, strict=True)])

    def unheard(self, begin: int) -> Progress:
        """Without the sound before that fine frame."""
        spectra, f0 = self.heard
        return Progress(self.coarse, self.fine, (spectra.after(begin), f0.after(begin)))

    def row(self, index: int) -> Progress:
        return self._of([Lookback(each.inputs[index : index + 1], each.begin, each.done) for each in self._every])

    @classmethod
    def join(cls, rows: Sequence[Progress]) -> Progress:
        layers = zip(*(row._every for row in rows), strict=True)
        return rows[0]._of(
            [
                Lookback(torch.cat([each.inputs for each in layer]), layer[0].begin, layer[0].done)
                for layer in layers
            ]
        )

    @property
    def _every(self) -> tuple[Lookback, ...]:
        return *self.coarse, *self.fine, *self.heard

    def _of(self, every: Sequence[Lookback]) -> Progress:
        count = len(self.coarse)
        return Progress(tuple(every[:count]), tuple(every[count:-2]), (every[-2], every[-1]))


class StreamDecoder:
    """Codes of streams to their spectra and pitch, each frame once."""

    def __init__(self, codec: SpectralCodec) -> None:
        self._codec, self._ratio = codec, codec.config.ratio

    def kind(self, excerpt: Excerpt) -> tuple[int, ...]:
        """Equal for excerpts that can be decoded together: all their numbers, counted from a common frame."""
        window, origin = excerpt.window, self._origin(excerpt)
        numbers = [n - origin for n in (window.low, window.high, window.start, window.end)]
        if (progress := excerpt.progress) is not None:
            numbers += progress.moved(-origin, -self._fine(origin)).numbers
        return tuple(numbers)

    def advance(self, codes: Tensor, excerpts: Sequence[Excerpt]) -> tuple[Tensor, Tensor, list[int]]:
        """Decode what the tracks of excerpts of one kind have not taken yet, and move the tracks on.

        Args:
            codes: [B, N, T], of the whole windows.

        Returns:
            What the head gives [B, U, 5 · bins] of the audible frames, the rendered f0 [B, V] in Hz of these and
            of some after them, and the number of each row's first frame.
        """
        window, origins = excerpts[0].window, [self._origin(excerpt) for excerpt in excerpts]
        known = [each.progress or self._nothing(each.window.low) for each in excerpts]
        before = known[0] if len(known) == 1 else Progress.join(known)
        more = codes[:, :, before.taken - window.low :]
        last = window.high - window.end < self._codec.context
        if last:  # both rates end together
            missing = -window.high % self._ratio.denominator
            more = torch.cat((more, codes[:, :, -1:].expand(-1, -1, missing)), dim=2)
        after = self._take(more, excerpts, before, last=last)

        spectra, f0 = after.heard
        first = max(spectra.begin, math.floor(window.start * self._ratio) - MARGIN)
        end = min(spectra.end, math.ceil(window.end * self._ratio) + MARGIN)
        shifts = [origin - origins[0] for origin in origins]
        if not last:
            after = after.unheard(math.floor(window.end * self._ratio) - MARGIN)
            for row, (excerpt, shift) in enumerate(zip(excerpts, shifts, strict=True)):
                excerpt.track.progress = after.row(row).moved(shift, self._fine(shift))
        return (
            spectra.inputs[:, first - spectra.begin : end - spectra.begin],
            f0.inputs[:, first - f0.begin : end + PULSES_AHEAD - f0.begin, 0],
            [first + self._fine(shift) for shift in shifts],
        )

    def _take(self, codes: Tensor, excerpts: Sequence[Excerpt], before: Progress, *, last: bool) -> Progress:
        """The progress after codes [B, N, n], with all that can be heard."""
        codec, decoder, acoustic = self._codec, self._codec.decoder, self._codec.acoustic
        coarse, fine = iter(before.coarse), iter(before.fine)
        after: list[Lookback] = []

        def feed(layer: Lookback, x: Tensor, half: int) -> tuple[Tensor, slice]:
            inputs, part, rest = layer.extended(x, half, last=last)
            after.append(rest)
            return inputs, part

        x = decoder.inp(codec.quantizer.decode(codes))
        for block in _blocks(decoder.slow):
            x = block(*feed(next(coarse), x, block.sight))
        raising = next(coarse)
        x, _ = feed(raising, x, 1)
        x = decoder.raised(x, range(raising.done, after[-1].done), first=raising.begin)
        for block in _blocks(decoder.fast):
            x = block(*feed(next(fine), x, block.sight))
        x, f0 = codec.rendered(decoder.features(x), excerpts, before.heard[1].end)
        x, part = feed(next(fine), x, acoustic.sight)
        x = acoustic.entered(x)[:, part]
        for block in _blocks(acoustic.blocks):
            x = block(*feed(next(fine), x, block.sight))
        spectra, pitch = before.heard
        heard = spectra.joined(acoustic.head(acoustic.norm(x))), pitch.joined(f0[..., None])
        count = len(before.coarse)
        return Progress(tuple(after[:count]), tuple(after[count:]), heard)

    def _nothing(self, frame: int) -> Progress:
        """The progress of a stream that begins at that frame."""
        decoder, fine = self._codec.decoder, self._fine(frame)
        slow, fast = len(decoder.slow) + 1, len(decoder.fast) + 1 + len(self._codec.acoustic.blocks)
        empty = torch.zeros(1, 0, 1, device=self._codec.quantizer.codebooks.device)
        begin = Lookback(empty, fine, fine)
        return Progress((Lookback(empty, frame, frame),) * slow, (begin,) * fast, (begin, begin))

    def _origin(self, excerpt: Excerpt) -> int:
        """A frame near the excerpt's own at which a frame of either rate begins."""
        progress = excerpt.progress
        taken = excerpt.window.low if progress is None else progress.taken
        return taken - taken % self._ratio.denominator

    def _fine(self, frame: int) -> int:
        return frame * self._ratio.numerator // self._ratio.denominator


def _blocks(stack: nn.Sequential) -> Iterable[ConvNeXt | CpuConvNeXt]:
    return cast("Iterable[ConvNeXt | CpuConvNeXt]", stack)
