"""A device that keeps a passkey, as the browser shows it to a page (W3C, Web Authentication, "none" attestation)."""

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _WITH_CREDENTIAL = 0x01, 0x04, 0x40


class PasskeyDevice:
    """Makes one passkey for `origin` and signs challenges with it; `counter` is raised by each signature."""

    def __init__(self, origin: str, host: str) -> None:
        self.origin = origin
        self.host = host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.counter = 0

    def creates(self, options: dict[str, Any]) -> str:
        """Return the credential that answers `options` of a page that adds a passkey."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        data = self._authenticator_data(_PRESENT | _VERIFIED | _WITH_CREDENTIAL) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options["challenge"])
        return self._json({"clientDataJSON": _text(client_data), "attestationObject": _text(attestation)})

    def signs(self, options: dict[str, Any]) -> str:
        """Return the credential that answers `options` of a page that asks for a passkey."""
        self.counter += 1
        data = self._authenticator_data(_PRESENT | _VERIFIED)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": _text(data), "signature": _text(signature)}
        return self._json({"clientDataJSON": _text(client_data), **response})

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _json(self, response: dict[str, str]) -> str:
        return json.dumps({"id": _text(self.id), "rawId": _text(self.id), "type": "public-key", "response": response})


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
