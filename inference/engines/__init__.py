"""The engines that speak, and the protocol that each of them keeps."""
