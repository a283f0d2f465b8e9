"""The life of one speech request, from its body to the last byte of its answer."""
