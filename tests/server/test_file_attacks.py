"""Attacks by paths, links and ranges on what lies in files: artifacts, output, the app's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from query.runs import end_run, make_run
from runfolio.store.layout import Layout
from server.attacked import CONTENT, OUTPUT, SECRET, STORE, Target, is_safe, make_target, told
from server.filling import store_path
from server.serving import REFUSALS, Serving, hear, serving, wait_for

DOTS = (
    "../../../../etc/passwd", "..", ".", "", "a/../../b", "./.", "../secret", "../../secret", "../../../secret", "../../../passwd",
    "artifacts/../secret", "./own.txt", "own.txt/..", "own.txt/", "/own.txt",
)  # fmt: skip
ABSOLUTE = (
    "/etc/passwd", "//etc/passwd", "//proc/self/root/etc/passwd", "/proc/self/environ", "/proc/self/cmdline", "C:\\x", "\\\\host\\share",
    "~/.ssh/id_rsa", "~root/.ssh/id_rsa", "file:///etc/passwd", "/dev/stdin",
)  # fmt: skip
UP = (
    "%2e%2e%2f",
    "..%5c",
    "..%5C",
    "%c0%ae%c0%ae/",
    "%u002e%u002e/",
    "．．/",
    "..%00/",
    "....//",
    ".%09./",
    "%2e%2e;/",
    "..\\",
)


def layers(count: int) -> str:
    """Escape `../` so many times over."""
    text = "../"
    for _ in range(count):
        text = quote(text, safe="").replace(".", "%2e") if text == "../" else text.replace("%", "%25")
    return text


ENCODED = (*UP, *(layers(count) for count in range(1, 13)))


@pytest.fixture
def target() -> Target:
    return make_target()


@pytest.fixture
def server(target: Target) -> Iterator[Serving]:
    with serving(store_path()) as one:
        yield one


def refuses(server: Serving, address: str) -> None:
    """See that an address gives nothing, and that the server lives."""
    heard = server.ask(address.encode("utf-8").decode("latin-1"))
    assert heard.status in REFUSALS, (address, heard.status)
    assert is_safe(heard), address


def test_own_bytes(server: Serving, target: Target) -> None:
    """The way that the attacks are kept from is open to what belongs there."""
    heard = server.ask(target.artifact())
    assert (heard.status, heard.body) == (200, CONTENT)


# ---------------------------------------------------------------- A1, A2, A3, A9, A12: paths in names and addresses


def test_A01_dot_dot_in_a_name(server: Serving, target: Target) -> None:
    """A1: a name with ways up is the name of no artifact here, and never a path."""
    for name in DOTS:
        refuses(server, target.artifact(name))
        refuses(server, target.artifact(name.replace(" ", "%20"), raw=True))
        refuses(server, target.artifact(name).replace("/artifact?", "/preview?"))


def test_A01_a_name_that_is_a_way_up(server: Serving) -> None:
    """A1: an artifact may be called so by its script; it is then its own bytes, under a plain file name."""
    with_odd_name = make_target({"../../../../etc/passwd": b"mine"})
    heard = server.ask(with_odd_name.artifact("../../../../etc/passwd"))
    assert (heard.status, heard.body) == (200, b"mine")
    assert heard.header("content-disposition") == "attachment; filename=\"passwd\"; filename*=UTF-8''passwd"


def test_A02_absolute_names(server: Serving, target: Target) -> None:
    """A2: an absolute name, of any system, is the name of no artifact here, and never a path."""
    for name in ABSOLUTE:
        refuses(server, target.artifact(name))
        refuses(server, target.artifact(name).replace("/artifact?", "/preview?"))
        refuses(server, f"{STORE}/runs/{quote(name, safe='')}/output")
        refuses(server, f"{STORE}/runs/{quote(name, safe='')}/artifact?name=own.txt")


def test_A03_encodings(server: Serving, target: Target) -> None:
    """A3: escapes are undone once; what is left, twelve layers of it too, leads nowhere."""
    for up in ENCODED:
        for tail in ("secret", "etc/passwd"):
            refuses(server, target.artifact(f"{up * 4}{tail}", raw=True))
            refuses(server, f"{STORE}/runs/{target.id}/{up * 4}{tail}")
            refuses(server, f"{STORE}/runs/{up}{target.id}/output")
            refuses(server, f"/assets/{up * 4}{tail}")


def test_A09_sibling_prefix(server: Serving, target: Target) -> None:
    """A9: a folder whose name only begins like ours is another folder."""
    for name in ("../artifacts-evil/c", "artifacts-evil/c", "../../store-evil/c"):
        refuses(server, target.artifact(name))
    for address in (
        "/assets../secret",
        "/assetsx",
        "/static../secret",
        "/staticx",
        "/store-evil/c",
        f"{STORE}-evil/runs",
    ):
        refuses(server, address)


def test_A12_static_files(server: Serving) -> None:
    """A12: only what was built for the app is served beside the API, by its exact name."""
    for address in (
        "/static-files/../../../../etc/passwd", "/static/..%2f..%2fpyproject.toml", "/assets/.git/config", "/%2e%2e/%2e%2e/etc/passwd",
        "/../../etc/passwd", "/assets/../../app.py", "/assets//etc/passwd", "/assets/%2e%2e/%2e%2e/app.py", "/.env", "/app.py",
    ):  # fmt: skip
        refuses(server, address)


# ---------------------------------------------------------------- A8: links, devices, swaps


def refuses_bytes(server: Serving, target: Target) -> None:
    for address in (
        target.artifact(),
        target.artifact(more="&view=true"),
        target.artifact().replace("/artifact?", "/preview?"),
    ):
        refuses(server, address)


def test_A08_link_in_the_place_of_an_artifact(server: Serving, target: Target) -> None:
    """A8: a link is not followed, whether it leads to a secret of the same length or to nothing."""
    for aim in (store_path().parent / "secret", Path("/etc/passwd"), Path("/nowhere")):
        target.stored.unlink()
        target.stored.symlink_to(aim)
        refuses_bytes(server, target)


def test_A08_links_on_the_way(server: Serving, target: Target) -> None:
    """A8: a folder on the way that is a link is not followed either, for artifacts and for output."""
    elsewhere = store_path().parent / "elsewhere"
    (elsewhere / "artifacts").mkdir(parents=True)
    (elsewhere / "artifacts" / target.digest).write_bytes(SECRET)
    (elsewhere / "output.log").write_bytes(SECRET)
    shutil.rmtree(target.folder / "artifacts")
    (target.folder / "artifacts").symlink_to(elsewhere / "artifacts")
    refuses_bytes(server, target)
    (target.folder / "output.log").unlink()
    (target.folder / "output.log").symlink_to(elsewhere / "output.log")
    heard = server.ask(f"{STORE}/runs/{target.id}/output")
    assert heard.json["file"] is None and is_safe(heard)


def test_A08_hard_link_to_a_secret(server: Serving, target: Target) -> None:
    """A8: bytes of another length than the journal tells are not the artifact's."""
    secret = store_path().parent / "longer"
    secret.write_bytes(SECRET * 2)
    target.stored.unlink()
    os.link(secret, target.stored)
    refuses_bytes(server, target)


def test_A08_fifo(server: Serving, target: Target) -> None:
    """A8: what is no regular file is not opened to be read, and nobody waits for it."""
    target.stored.unlink()
    os.mkfifo(target.stored)
    refuses_bytes(server, target)


def test_A08_swapped_while_it_is_opened(server: Serving, target: Target) -> None:
    """A8: a link swapped in between two looks is never what is read: what was opened is what was looked at."""
    link = target.folder / "swap"
    stop = threading.Event()

    def swap() -> None:
        good = target.folder / "good"
        while not stop.is_set():
            good.write_bytes(CONTENT)
            link.symlink_to(store_path().parent / "secret")
            os.replace(link, target.stored)
            os.replace(good, target.stored)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(300):
            heard = server.ask(target.artifact())
            assert heard.status in {200, *REFUSALS} and is_safe(heard)
            assert heard.status != 200 or heard.body == CONTENT
    finally:
        stop.set()
        thread.join()


def test_A08_journal_that_tells_of_a_path(server: Serving) -> None:
    """A8: a hash that a hostile journal tells is a hash or nothing."""
    layout = Layout(str(store_path()))
    run_id, writer = make_run(layout)
    names = ["../../../secret", "../output.log", "secret", "/etc/passwd", "A" * 64]
    for number, digest in enumerate(names):
        writer.event(told(f"a{number}", digest, len(SECRET)))
    end_run(writer)
    for number in range(len(names)):
        refuses(server, f"{STORE}/runs/{run_id}/artifact?name=a{number}")


# ---------------------------------------------------------------- A25, A33: what a browser makes of the bytes

PAGE = b"<html><script>alert(1)</script></html>"
ODD = {
    "x.html": PAGE,
    "x.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>",
    "x.pdf": b"%PDF-1.4 app.alert(1)",
    "x.js": b"alert(1)",
    "x.xml": b"<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='x.xsl'?><a/>",
    "x.gif": b"GIF89a/*\x01\x00*/=1;alert(1)",
    "cat.png": PAGE,
}


def test_A25_artifact_as_page(server: Serving) -> None:
    """A25: an artifact is kept as a file; to be viewed it is in a sandbox without scripts, under a type that no script has, for our pages alone."""
    target = make_target(ODD)
    for name, content in ODD.items():
        kept, viewed = server.ask(target.artifact(name)), server.ask(target.artifact(name, more="&view=true"))
        assert kept.body == viewed.body == content
        assert kept.header("content-type") == "application/octet-stream"
        assert str(kept.header("content-disposition")).startswith("attachment;")
        for heard in (kept, viewed):
            policy = str(heard.header("content-security-policy"))
            assert policy.startswith("sandbox;") and "default-src 'none'" in policy and "allow-" not in policy
            sources = [
                part.split() for part in policy.split("; ")[2:]
            ]  # what a report carries within itself, and no address
            assert sources == [["style-src", "'unsafe-inline'"], ["img-src", "data:"], ["frame-ancestors", "'self'"]]
            assert heard.header("x-content-type-options") == "nosniff"
            assert heard.header("cross-origin-resource-policy") == "same-origin"
            assert "script" not in str(heard.header("content-type")) and "xml;" not in str(heard.header("content-type"))
    types = {name: server.ask(target.artifact(name, more="&view=true")).header("content-type") for name in ODD}
    assert types["cat.png"] == "text/plain; charset=utf-8"
    assert types["x.html"] == "text/html; charset=utf-8"


def test_A33_artifact_names_in_headers(server: Serving) -> None:
    """A33: whatever is in a name, it ends no header and begins none, and is a plain file name."""
    names = {
        'a"\r\nSet-Cookie: x=1': "a%22%0D%0ASet-Cookie%3A%20x%3D1",
        "a\r\n\r\n<script>alert(1)": "a%0D%0A%0D%0A%3Cscript%3Ealert%281%29",
        "\x1b]52;c;x\a": "%1B%5D52%3Bc%3Bx%07",
        "‮gpj.exe": "%E2%80%AEgpj.exe",
        "..": "artifact",
        "a/..\\": "artifact",
        "b\u0301" * 1000: None,
    }
    target = make_target({name: b"%d" % number for number, name in enumerate(names)})
    for number, (name, exact) in enumerate(names.items()):
        heard = server.ask(target.artifact(name))
        assert (heard.status, heard.body) == (200, b"%d" % number)
        assert heard.header("set-cookie") is None
        told = str(heard.header("content-disposition"))
        assert told.isascii() and told.isprintable()
        assert exact is None or told.endswith(f"filename*=UTF-8''{exact}")


# ---------------------------------------------------------------- A50, A51: ranges, large files


def test_A50_ranges(server: Serving, target: Target) -> None:
    """A50: one range is answered by it; many, nonsense and what the file does not have by the whole or by 416, at no more cost."""
    size = len(CONTENT)
    for header, status, body in (
        ("bytes=0-0", 206, CONTENT[:1]),
        ("bytes=4-9", 206, CONTENT[4:10]),
        ("bytes=-5", 206, CONTENT[-5:]),
        ("bytes=5-", 206, CONTENT[5:]),
        (f"bytes=0-{size + 100}", 206, CONTENT),
        ("bytes=-1000000", 206, CONTENT),
        ("bytes=-0", 416, b""),
        (f"bytes={size}-", 416, b""),
        (f"bytes={2**64}-", 416, b""),
        ("bytes=9-1", 200, CONTENT),
        ("bytes=-", 200, CONTENT),
        ("bytes=0-0,1-1", 200, CONTENT),
        ("bytes=" + ",".join(f"{at}-{at}" for at in range(5000)), 200, CONTENT),
        ("bytes=" + "9" * 5000 + "-", 200, CONTENT),
        ("bytes=0x1-2", 200, CONTENT),
        ("bytes=١-٢", 200, CONTENT),
        ("lines=1-2", 200, CONTENT),
        ("bytes=1-2;", 200, CONTENT),
    ):
        heard = server.ask(target.artifact(), {"Range": header.encode().decode("latin-1")})
        assert (heard.status, heard.body) == (status, body), header[:40]
        if status == 416:
            assert heard.header("content-range") == f"bytes */{size}"


def test_A50_range_of_other_bytes(server: Serving, target: Target) -> None:
    """A50: the rest of a file is not put behind the beginning of another."""
    tag = str(server.ask(target.artifact()).header("etag"))
    assert server.ask(target.artifact(), {"Range": "bytes=4-", "If-Range": tag}).body == CONTENT[4:]
    assert server.ask(target.artifact(), {"Range": "bytes=4-", "If-Range": '"other"'}).body == CONTENT


def test_A51_large_artifact_to_slow_readers(server: Serving, target: Target) -> None:
    """A51: ten readers that do not read 500 MB hold up nobody, and cost the server a piece each."""
    layout, size = Layout(str(store_path())), 500_000_000
    run_id, writer = make_run(layout)
    digest = "0" * 64
    os.makedirs(layout.artifacts(run_id))
    with open(os.path.join(layout.artifacts(run_id), digest), "wb") as file:
        file.truncate(size)
    writer.event(told("big", digest, size))
    end_run(writer)
    before = memory_bytes()
    address = f"{STORE}/runs/{run_id}/artifact?name=big"
    lines = [server.connect() for _ in range(10)]
    try:
        for line in lines:
            line.sendall(f"GET {address} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 200")
        assert server.ask().body == b"ok"
        assert server.ask(f"{STORE}/runs/{target.id}/output").json["text"] == OUTPUT.decode()
        assert memory_bytes() - before < 64 << 20
    finally:
        for line in lines:
            line.close()
    with server.connect() as line:
        line.sendall(f"GET {address} HTTP/1.1\r\nHost: {server.host}\r\nRange: bytes={size - 3}-\r\n\r\n".encode())
        assert hear(line).body == bytes(3)
    wait_for(lambda: not open_files(digest))


def memory_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(name: str) -> int:
    """Count this process's open files of a name."""
    found = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{fd}").endswith(name)
        except OSError:
            pass  # it was closed meanwhile
    return found


# ---------------------------------------------------------------- seen from the kernel


def test_A01_A2_A3_by_system_calls(target: Target, tmp_path: Path) -> None:
    """A1–A3: no attack makes the server open a file outside its store, run a program or connect to anything."""
    if shutil.which("strace") is None:
        pytest.skip("cannot trace: no strace")
    trace = tmp_path / "trace"
    with traced(trace) as server:
        server.ask(target.artifact())
        server.ask(target.artifact().replace("/artifact?", "/preview?"))
        server.ask(f"{STORE}/runs/{target.id}/output")
        begin = trace.stat().st_size
        for name in (*DOTS, *ABSOLUTE):
            server.ask(target.artifact(name))
        for up in ENCODED:
            address = target.artifact(f"{up * 4}etc/passwd", raw=True)
            server.ask(address.encode().decode("latin-1"))
        wait_for(lambda: server.ask().body == b"ok")
    calls = trace.read_bytes()[begin:].decode(errors="replace").splitlines()
    opened = [
        line
        for line in calls
        if "open" in line and str(store_path()) not in line and str(tmp_path / "cache") not in line
    ]
    assert not [
        line
        for line in opened
        if '"/' in line and '"/proc/' not in line and "/site-packages/" not in line and "/lib/" not in line
    ], opened[:5]
    assert not [
        line for line in calls if any(word in line for word in ("passwd", ".ssh", "secret", "environ", "-evil"))
    ]
    assert not [line for line in calls if "execve(" in line or "connect(" in line]


class traced:
    """A server in a process of its own, under strace."""

    def __init__(self, trace: Path) -> None:
        program = (
            "from runfolio.server.serve import listen, serve\n"
            "from runfolio.server.served import serve_all\n"
            "from runfolio.store.layout import find\n"
            "made, address = listen(port=None)\n"
            "serve(serve_all([find()]), made, address, lambda: print(address.port, flush=True))\n"
        )
        calls = "trace=openat,open,execve,connect"
        command = ["strace", "-f", "-q", "-e", calls, "-o", str(trace), sys.executable, "-c", program]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def __enter__(self) -> Serving:
        from runfolio.server.guard import Address

        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            self._process.wait()
            pytest.skip("cannot trace")
        return Serving(Address("127.0.0.1", int(told)))

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()
