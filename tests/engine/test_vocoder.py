"""Audio is decoded beside the steps on a CPU: by several threads, each stream's windows in order."""

from __future__ import annotations

import threading
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from inference.engines.higgs.engine import threads_for  # noqa: E402
from inference.engines.higgs.vocoder import BackgroundVocoder  # noqa: E402
from inference.higgs.codec_stream import Window  # noqa: E402
from tests.benchmarks.geometries import geometry  # noqa: E402

CPU = torch.device("cpu")


class Held:
    """A codec that gives silence once it is let go on."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def decode(self, codes: Any, excerpts: Any) -> Any:
        assert self.go.wait(10)
        return torch.zeros(len(codes), 960 * codes.shape[2])


class Voice:
    """As much of a stream as a vocoder knows."""

    def codes(self, window: Window) -> Any:
        return torch.zeros(window.high - window.low, 2, dtype=torch.int16).numpy()

    def excerpt(self, window: Window) -> None: ...


@pytest.fixture
def vocoder() -> Any:
    vocoder = BackgroundVocoder(Held(), CPU, threads=1)  # type: ignore[arg-type]
    yield vocoder
    vocoder._codec.go.set()  # type: ignore[attr-defined]
    vocoder.close()


def test_nobody_waits_for_audio_who_has_something_else_to_do(vocoder: Any) -> None:
    windows = [(Voice(), Window(0, 8, 0, 4))]
    assert vocoder.decode(windows, wait=False) == []
    assert vocoder.decode(windows, wait=False) == []
    vocoder._codec.go.set()
    [(stream, window, audio)] = vocoder.decode(windows, wait=True)
    assert (stream, window, len(audio)) == (*windows[0], 8 * 960)


def test_a_window_is_decoded_once_however_often_it_is_planned(vocoder: Any) -> None:
    windows = [(Voice(), Window(0, 8, 0, 4)) for _ in range(6)]
    for _ in range(5):
        assert vocoder.decode(windows, wait=False) == []
    vocoder._codec.go.set()
    waiting, done = windows, []
    while waiting:
        done += vocoder.decode(waiting, wait=True)
        waiting = [pair for pair in windows if pair[0] not in {stream for stream, *_ in done}]
    assert len(done) == len({id(stream) for stream, *_ in done}) == 6


def test_a_failure_reaches_the_caller(vocoder: Any) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    vocoder._codec.decode = fail
    with pytest.raises(RuntimeError, match="out of memory"):
        vocoder.decode([(Voice(), Window(0, 8, 0, 4))], wait=True)


def test_small_networks_take_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    assert [threads_for(geometry(name)) for name in ("8M", "300M")] == [1, 6]
