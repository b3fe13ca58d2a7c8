"""A model served in a thread, as `gatewise serve` would."""

import socket
import threading
import time
from contextlib import contextmanager

import uvicorn

from gatewise.serving import server


@contextmanager
def serving(app, **settings):
    """Serve `app` on localhost; yields the address and the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = uvicorn.Server(
        server.configured(app, "127.0.0.1", port, log_level="critical", **settings)
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}", running
    finally:
        running.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server does not end"
