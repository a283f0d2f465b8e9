"""What every family's cases are checked for."""

from inference.speech.text import normalize


def assert_spoken(written: str, spoken: str) -> None:
    """The text is said so, and saying what is said changes nothing."""
    assert normalize(written) == spoken
    assert normalize(spoken) == spoken
