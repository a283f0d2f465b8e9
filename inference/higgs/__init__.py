"""Higgs Audio in compact torch: config, checkpoint, transformer, delay pattern, sampler, codec, prompt."""
