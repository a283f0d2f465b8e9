"""English text as it will be spoken, and its division into pieces of speakable length.

The rules are our own, over num2words, because the ready-made normalisers (WeTextProcessing,
nemo_text_processing) take 750 MB to 1.1 GB of disk and misread money and decades.
"""

from .normalizer import normalize
from .sentences import has_word, split_sentences

__all__ = ["has_word", "normalize", "split_sentences"]
