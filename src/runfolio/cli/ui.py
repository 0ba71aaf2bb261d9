"""`runfolio ui`: the runs in a browser."""

from __future__ import annotations

import click


@click.command()
@click.argument("stores", nargs=-1, metavar="[STORE]...")
@click.option(
    "--port", "-p", type=click.IntRange(1, 65535), help="Listen on this port; 2001, or a free one, by default."
)
@click.option("--host", default="127.0.0.1", metavar="HOST", help="127.0.0.1, localhost or ::1: this machine only.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(stores: tuple[str, ...], port: int | None, host: str, no_browser: bool) -> None:
    """Show the runs in a browser, live, on this machine only. Ctrl-C ends it.

    STORE is the folder of a store, or the project folder that holds it; the store in use by default.
    """
    from runfolio.cli.render.screen import write
    from runfolio.server.memory import share_one_heap
    from runfolio.server.serve import end_process, listen, serve
    from runfolio.server.served import serve_all
    from runfolio.store.layout import find

    share_one_heap()
    layouts = [find(store) for store in stores] or [find()]
    for layout in layouts if stores else ():
        layout.store_id()  # a place that was named must have a store
    made, address = listen(host, port)

    def tell() -> None:
        write(f"{address.url}   Ctrl-C ends it")
        if not no_browser:
            _open_browser(address.url)

    serve(serve_all(layouts), made, address, tell)
    end_process()


def _open_browser(url: str) -> None:
    """Open the address in the user's browser, on a thread: some take seconds to answer."""
    from threading import Thread

    def open_it() -> None:
        import webbrowser

        webbrowser.open(url)

    Thread(target=open_it, daemon=True).start()
