"""Bytes from strangers: files of configs and named arrays. No model is known here, no class is found."""
