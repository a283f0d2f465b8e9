"""What a key and its organization may ask for: rates, audio, requests at once, credit."""
