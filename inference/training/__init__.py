"""How the shipped voice was made, runnable again: corpus, codec, distillation, evaluation, export.

Nothing here is imported by what serves.
"""
