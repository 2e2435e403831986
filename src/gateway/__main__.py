"""`python -m gateway`."""

import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys

from gateway.application import Application
from gateway.server import listen, server
from gateway.settings import SettingError, read_settings

logger = logging.getLogger("gateway")

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent goes: no orphan keeps the port."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    die_with_parent()
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s gateway %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S%z",
    )
    # uvicorn's warnings repeat what a stranger sent.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("nats").setLevel(logging.ERROR)
    try:
        settings = read_settings()
        listener = listen(settings)
    except SettingError as error:
        sys.exit(f"gateway: {error}")
    except OSError as error:
        sys.exit(f"gateway: cannot listen on {settings.host}:{settings.port}: {error.strerror}.")
    application = Application(settings)
    logger.info("listening on %s:%d", settings.host, settings.port)
    # Ten thousand long-lived streams: the collector need not walk what was there at the start.
    gc.freeze()
    with contextlib.suppress(KeyboardInterrupt):
        server(settings, application, application.hub.end_all).run(sockets=[listener])


if __name__ == "__main__":
    main()
