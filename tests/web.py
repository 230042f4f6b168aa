"""A server of files on this machine that can break off, as the web does."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves `files` (name -> bytes) at `url` inside a `with`.

    requests: the Range header of each request. breaks: bytes after which the next answers end. ranges: whether it
    knows ranges.
    """

    def __init__(self, files):
        self.files, self.requests, self.breaks, self.ranges = dict(files), [], [], True

    def __enter__(self):
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        owner, wanted = self.owner, self.headers.get("Range")
        owner.requests.append(wanted)
        content = owner.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and owner.ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + owner.breaks.pop(0) if owner.breaks else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *words):
        """Not on stderr."""
