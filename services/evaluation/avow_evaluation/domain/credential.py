"""A credential: 128 random bits that admit one ballot; the log knows its SHA-256 and nothing else of it (R-41).

Promises: nobody who reads the log can cast a ballot with what stands there.
Limit: whoever hands credentials out can see who gets which; so reviews are confidential, not anonymous.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from pydantic import StringConstraints

LENGTH = 16

Credential = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""16 random bytes in lower-case hexadecimal."""

CredentialHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a credential's 16 bytes, in lower-case hexadecimal."""


def fresh(count: int, random_bytes: Callable[[int], bytes]) -> tuple[str, ...]:
    """So many new credentials."""
    return tuple(random_bytes(LENGTH).hex() for _ in range(count))


def hash_of(credential: str) -> str:
    """The hash a credential is known by."""
    return sha256(bytes.fromhex(credential)).hexdigest()
