"""Padding of plaintext, so that the length of a ciphertext says little about its content."""

BLOCK = 64  # bytes


def pad(plaintext: bytes) -> bytes:
    """Return `plaintext` with spaces added up to a multiple of 64 bytes; JSON decoders ignore them."""
    return plaintext.ljust(-(-len(plaintext) // BLOCK) * BLOCK)
