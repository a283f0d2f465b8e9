"""Money; knows nothing of HTTP or of audio, only of milliseconds."""
