"""What every response says to the browser."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from sanjeevani.web.errors import GetResponse


def security_headers(get_response: GetResponse) -> GetResponse:
    """Add the security headers; a view that needs another value sets its own header."""
    live = settings.GATEWAY_URL
    connect = f"'self' {live} {live.replace('http', 'ws', 1)}"
    headers = {
        "Content-Security-Policy": "; ".join(
            [
                "default-src 'self'",
                f"connect-src {connect}",
                "img-src 'self' data: blob:",
                "media-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        ),
        "Permissions-Policy": (
            "camera=(self), microphone=(self), screen-wake-lock=(self), geolocation=(), "
            "payment=(), usb=()"
        ),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if settings.PUBLIC_URL.startswith("https://"):
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        # Pages speak of one person: a shared phone or tablet must not show them to the next one.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
