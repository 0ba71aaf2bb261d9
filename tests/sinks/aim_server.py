"""Run Aim's own tracking server over a folder: `python aim_server.py FOLDER SEEN`.

It prints its port. Each request's headers go to the file SEEN as a line of JSON; with EXPECTED in the environment (a
JSON object) a request without those headers is refused, as a gate before a server does.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any


def main(folder: str, seen: str) -> None:
    """Serve until killed."""
    from aim import Repo

    os.environ["__AIM_SERVER_MOUNT_REPO_PATH__"] = Repo.from_path(folder).path

    import uvicorn
    from aim.ext.transport.run import app

    expected = json.loads(os.environ.get("EXPECTED", "{}"))

    async def gate(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
            with open(seen, "a", encoding="utf-8") as file:
                file.write(json.dumps({"kind": scope["type"], "path": scope["path"], "headers": headers}) + "\n")
            if any(headers.get(name.lower()) != value for name, value in expected.items()):
                await refuse(scope["type"], send)
                return
        await app(scope, receive, send)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on a client waits instead of being refused
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(gate, log_level="warning", lifespan="off")).run(sockets=[listener])


async def refuse(kind: str, send: Any) -> None:
    """Answer 403 to a request, close a socket before it opens."""
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<html>Forbidden</html>"})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
