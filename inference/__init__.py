"""From text to audio; knows nothing of HTTP or of money."""
