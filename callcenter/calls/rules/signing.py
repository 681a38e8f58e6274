"""Signed requests: HMAC-SHA-256 over time and body with a shared secret, five minutes long.

The signature is over the bytes of `<timestamp>.<body>`, in hexadecimal digits. It proves
who sends and that nothing was changed; that nothing is taken twice is proved by the
number of each event.
"""

import hashlib
import hmac

from callcenter.calls.types import SignatureRefused

TIME_HEADER = "X-Gridhall-Timestamp"
SIGNATURE_HEADER = "X-Gridhall-Signature"
TOLERANCE_S = 300
LONGEST_TIME = 12  # digits


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Give the signature of a body at a time.

    Args:
        secret: shared with the sender.
        timestamp: Unix seconds, as written in the header.
        body: the bytes as sent.
    """
    content = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def check_signature(
    secret: str, *, timestamp: str | None, given: str | None, body: bytes, now_s: float
) -> None:
    """Refuse what is not signed, signed long ago, or signed otherwise.

    Args:
        secret: shared with the sender.
        timestamp: header of the request.
        given: the signature it came with.
        body: the bytes as received.
        now_s: the present, Unix seconds.

    Raises:
        SignatureRefused: facts: why.
    """
    if not timestamp or not given:
        raise SignatureRefused(why="missing")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > LONGEST_TIME:
        raise SignatureRefused(why="stale")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise SignatureRefused(why="stale")
    wanted = signature(secret, timestamp, body)
    if not hmac.compare_digest(wanted.encode(), given.strip().lower().encode()):
        raise SignatureRefused(why="wrong")
