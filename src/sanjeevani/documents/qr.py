"""QR codes for paper and screens. Content of more than 2,953 bytes raises QrTooLong."""

import io
from functools import lru_cache

import segno
from segno import DataOverflowError as QrTooLong

__all__ = ["QrTooLong", "qr_modules", "qr_png", "qr_svg"]

MASK = 3

QUIET_ZONE = 2
"""Modules left white around; the standard's four where the page itself is not white."""


@lru_cache(maxsize=64)
def _code(content: str) -> segno.QRCode:
    """Make the code, once: its size is asked before its drawing.

    Any mask may be chosen. To find the best of the eight took 20 of 25 ms for a signed statement,
    whose bits look random under every one of them.
    """
    return segno.make_qr(content, error="l", boost_error=True, mask=MASK)


def qr_svg(content: str) -> str:
    """Return a QR code as an SVG without fixed size, black on nothing, for pages and print."""
    return _code(content).svg_inline(
        border=QUIET_ZONE, omitsize=True, svgclass=None, lineclass=None
    )


def qr_png(content: str, scale: int = 6) -> bytes:
    """Return a QR code as a PNG with `scale` pixels to a module."""
    file = io.BytesIO()
    _code(content).save(file, kind="png", scale=scale, border=4)
    return file.getvalue()


def qr_modules(content: str) -> int:
    """Return how many modules the code is wide, quiet zone included: what decides its size."""
    return int(_code(content).symbol_size(border=QUIET_ZONE)[0])
