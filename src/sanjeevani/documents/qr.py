"""QR codes for paper and screens."""

import io

import segno

QUIET_ZONE = 2
"""Modules left white around; the standard's four where the page itself is not white."""


def qr_svg(content: str) -> str:
    """Return a QR code as an SVG without fixed size, black on nothing, for pages and print."""
    code = segno.make_qr(content, error="l", boost_error=True)
    return code.svg_inline(border=QUIET_ZONE, omitsize=True, xmldecl=False, svgclass=None)


def qr_png(content: str, scale: int = 6) -> bytes:
    """Return a QR code as a PNG with `scale` pixels to a module."""
    file = io.BytesIO()
    code = segno.make_qr(content, error="l", boost_error=True)
    code.save(file, kind="png", scale=scale, border=4)
    return file.getvalue()


def qr_modules(content: str) -> int:
    """Return how many modules the code is wide, quiet zone included: what decides its size."""
    code = segno.make_qr(content, error="l", boost_error=True)
    return int(code.symbol_size(border=QUIET_ZONE)[0])
