from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from inference.higgs.codec import load_codec  # noqa: E402
from inference.higgs.codec_stream import ChunkStream  # noqa: E402
from tests.higgs.codec_oracle import make_codec  # noqa: E402


def test_decode_equals_transformers(tmp_path: Path) -> None:
    oracle = make_codec(tmp_path)
    codes = torch.randint(0, 32, (2, 8, 17))
    ours = load_codec(tmp_path).decode(codes)
    with torch.no_grad():
        theirs = oracle.decode(codes).audio_values[:, 0]
    assert ours.shape == (2, 17 * 960)
    assert ours.std() > 1e-3
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("frames", [1, 5, 20, 61])
def test_chunks_join_into_the_whole_decode(tmp_path: Path, frames: int) -> None:
    make_codec(tmp_path)
    codec = load_codec(tmp_path).double()  # float32 rounds otherwise where a window is of another length
    codes = torch.randint(0, 32, (8, frames))
    whole = codec.decode(codes[None])[0]
    for first_context in (10, 4):
        stream = ChunkStream(
            samples_per_frame=960, context=codec.context, chunk=12, first=4, first_context=first_context
        )
        pieces = []
        for available in range(frames + 1):
            while window := stream.plan(available, final=available == frames):
                audio = codec.decode(codes[None, :, window.low : window.high])[0]
                pieces.append(stream.take(window, audio))
        joined = torch.cat(pieces)
        assert joined.shape == whole.shape
        # With short context only the first chunk, and the fade after it, may differ.
        exact = 0 if first_context == 10 or frames < 8 else 4 * 960 + 240
        torch.testing.assert_close(joined[exact:], whole[exact:], atol=1e-9, rtol=1e-9)
