"""Artifacts: what is kept of files, folders, bytes and pictures, and what is refused."""

from __future__ import annotations

import hashlib
import os
import resource
import socket
import stat
import sys
import threading
import tracemalloc
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from runfolio.errors import InvalidValue
from runfolio.model.ids import new_id
from runfolio.sdk.artifacts import NotKept, add
from runfolio.sdk.picture import encode_png
from runfolio.sdk.source_files import Changed, read
from runfolio.sdk.trouble import RunfolioWarning
from runfolio.store.blobs import create_draft, draft_in, open_blob
from runfolio.store.layout import Layout

MIB = 1 << 20


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "store"))


def kept(layout: Layout, source: object, name: str | None = None, media: str | None = None) -> dict[str, bytes]:
    """Add a source to a new run; give the bytes that are kept under each name, each checked against its hash and size."""
    run_id = new_id()
    found = {}
    for told in add(layout, run_id, source, name, media):
        with open_blob(layout, run_id, told["sha256"]) as file:
            data = file.read()
        assert hashlib.sha256(data).hexdigest() == told["sha256"]
        assert len(data) == told["size_bytes"]
        found[told["name"]] = data
    assert not list(Path(layout.root).rglob("*.tmp")), "a draft is left behind"
    return found


def one(layout: Layout, source: object, name: str | None = None, media: str | None = None) -> dict[str, Any]:
    (told,) = add(layout, new_id(), source, name, media)
    return told


# ------------------------------------------------------------------------------------------------------------- sources


def test_a_file_keeps_its_name_and_bytes(layout: Layout, tmp_path: Path) -> None:
    """A path is kept byte for byte, under its own name or the one given."""
    path = tmp_path / "weights.npz"
    path.write_bytes(os.urandom(3 * MIB + 17))
    assert kept(layout, path) == {"weights.npz": path.read_bytes()}
    assert kept(layout, str(path), "best.npz") == {"best.npz": path.read_bytes()}


def test_bytes_need_a_name(layout: Layout) -> None:
    """Bytes, bytearrays and memoryviews of any layout are kept; without a name they are refused."""
    strided = memoryview(bytes(range(20)))[::2]
    for data in (b"abc", bytearray(b"abc"), memoryview(b"abc"), strided):
        assert kept(layout, data, "x.bin") == {"x.bin": bytes(data)}
    with pytest.raises(InvalidValue, match="give one"):
        kept(layout, b"abc")


def test_F47_zero_length_artifact_and_empty_folder(layout: Layout, tmp_path: Path) -> None:
    """An empty file is an artifact of 0 bytes; an empty folder makes none."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "below").mkdir()
    (tmp_path / "none.txt").touch()
    assert kept(layout, tmp_path / "none.txt") == {"none.txt": b""}
    assert kept(layout, b"", "none") == {"none": b""}
    assert kept(layout, tmp_path / "empty") == {}


def test_a_symbolic_link_that_is_given_is_followed(layout: Layout, tmp_path: Path) -> None:
    """`latest -> checkpoint` is what the user means by `latest`."""
    (tmp_path / "real.txt").write_text("x")
    (tmp_path / "latest").symlink_to("real.txt")
    assert kept(layout, tmp_path / "latest") == {"latest": b"x"}


@pytest.mark.parametrize("source", [None, 3, object(), {"a": 1}, ["path"]])
def test_what_is_no_artifact_is_refused(layout: Layout, source: object) -> None:
    """Anything else is refused by its type."""
    with pytest.raises(InvalidValue, match="no artifact"):
        kept(layout, source, "x")


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 20_000])
def test_F44_names_of_artifacts_follow_the_rule_of_names(layout: Layout, name: str) -> None:
    """A name that no journal can carry is refused before anything is copied."""
    with pytest.raises(InvalidValue):
        kept(layout, b"x", name)
    assert not os.path.exists(layout.runs)


@settings(max_examples=30)
@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_F44_no_name_becomes_a_path(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Whatever the name, the file that is made is named by a hash in the run's own folder."""
    layout = Layout(str(tmp_path_factory.mktemp("names")))
    run_id = new_id()
    (told,) = add(layout, run_id, b"x", name, None)
    assert told["name"] == name
    made = {str(path.relative_to(layout.root)) for path in Path(layout.root).rglob("*") if path.is_file()}
    assert made == {"store.json", f"blobs/{told['sha256']}", f"runs/{run_id}/artifacts/{told['sha256']}"}


def test_media_type(layout: Layout, tmp_path: Path) -> None:
    """The media type is what was given, else by the name's ending, else unknown."""
    assert one(layout, b"x", "a.png")["media"] == "image/png"
    assert one(layout, b"x", "a.CSV")["media"] == "text/csv"
    assert one(layout, b"x", "a.unheard")["media"] is None
    assert one(layout, b"x", "a.png", "application/x-own")["media"] == "application/x-own"
    with pytest.raises(InvalidValue):
        one(layout, b"x", "a", 3)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4), (1, 1), (300, 200, 3)])
def test_pixels_become_a_png(layout: Layout, shape: tuple[int, ...]) -> None:
    """A uint8 array comes back pixel by pixel from the PNG that is kept, also where it does not lie row by row."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for array in (pixels, np.asfortranarray(pixels), np.repeat(pixels, 2, 0)[::2]):
        ((name, data),) = kept(layout, array).items()
        assert name == "image.png"
        again = np.asarray(Image.open(BytesIO(data)))
        assert np.array_equal(again, pixels.reshape(again.shape))
        Image.open(BytesIO(data)).verify()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2)),
        np.zeros((2, 2), bool),
        np.zeros(4, np.uint8),
        np.zeros((2, 2, 2), np.uint8),
        np.zeros((0, 3), np.uint8),
        np.uint8(3),
    ],
)
def test_an_array_that_is_no_picture_is_refused(layout: Layout, array: object) -> None:
    """No guess is made at floats, odd channels or empty arrays: the message says what is wanted."""
    with pytest.raises(InvalidValue, match="uint8"):
        kept(layout, array)


def test_png_by_hand_is_refused_where_the_shape_lies() -> None:
    """Bytes that do not fill the shape make no PNG."""
    with pytest.raises(InvalidValue):
        encode_png(b"123", (2, 2))


def test_a_figure_is_saved_by_the_ending_of_its_name(layout: Layout) -> None:
    """A matplotlib figure becomes a PNG; a name that ends in .svg or .pdf gets what it says."""
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2, 3])
    assert kept(layout, figure)["figure.png"].startswith(b"\x89PNG")
    assert kept(layout, figure, "loss.pdf")["loss.pdf"].startswith(b"%PDF")
    assert b"<svg" in kept(layout, figure, "loss.svg")["loss.svg"]
    assert one(layout, figure, "plain")["media"] == "image/png"


def test_a_pil_image_is_saved(layout: Layout) -> None:
    """A PIL image becomes a PNG, or what its name says."""
    image = Image.new("RGB", (4, 4), "red")
    assert np.array_equal(np.asarray(Image.open(BytesIO(kept(layout, image)["image.png"]))), np.asarray(image))
    assert kept(layout, image, "a.jpg")["a.jpg"].startswith(b"\xff\xd8")
    assert one(layout, image, "a.jpg")["media"] == "image/jpeg"


# ------------------------------------------------------------------------------------------------- what is no file


def special(tmp_path: Path, kind: str) -> str:
    path = str(tmp_path / "special")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(tmp_path)  # the path of a socket is short
        server.bind("special")
        os.chdir(here)
        server.close()
    else:
        path = kind
    return path


@pytest.mark.parametrize(
    "kind",
    ["fifo", "socket", "/dev/zero", "/dev/null", "/proc/version", "/proc/self/status", "/sys/kernel/uevent_seqnum"],
)
def test_A14_special_files_are_refused(layout: Layout, tmp_path: Path, kind: str) -> None:
    """A FIFO without a writer, a socket, a device, a file made up by the kernel: refused before it is read."""
    path = special(tmp_path, kind)
    if not os.path.exists(path):
        pytest.skip(f"needs a file system that has {kind}")
    with pytest.raises(InvalidValue):
        kept(layout, path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(InvalidValue):
        kept(layout, link)
    assert not os.path.exists(layout.runs)


def test_A14_a_device_is_not_even_opened(layout: Layout) -> None:
    """Opening a device can have effects: a tape rewinds, a terminal hangs up."""

    def act() -> None:
        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" and arguments[0] == "/dev/null":
                os._exit(2)

        sys.addaudithook(hook)
        with pytest.raises(InvalidValue):
            list(add(layout, new_id(), "/dev/null", None, None))

    in_child(act)


def test_a_missing_source_raises(layout: Layout, tmp_path: Path) -> None:
    """The caller's own mistake raises at the call, with the path."""
    with pytest.raises(FileNotFoundError) as caught:
        kept(layout, tmp_path / "nothing")
    assert caught.value.filename == str(tmp_path / "nothing")


# ------------------------------------------------------------------------------------------------------------- folders


def tree(folder: Path) -> None:
    """Make a folder with everything that a folder can have."""
    (folder / "below" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"a")
    (folder / "below" / "b.txt").write_bytes(b"b")
    (folder / "below" / "deep" / "c").write_bytes(b"c")
    os.link(folder / "a.txt", folder / "hard.txt")
    (folder / "in").symlink_to("a.txt")
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(".")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(str(folder)) + b"/n\xffme")).write_bytes(b"n")


def test_F50_folder_of_everything(layout: Layout, tmp_path: Path) -> None:
    """Each regular file is kept under its way in the folder, also one whose name is no UTF-8; links and FIFOs are left out, and told of."""
    folder = tmp_path / "everything"
    folder.mkdir()
    tree(folder)
    with pytest.warns(RunfolioWarning, match="5 entries of a folder are no artifacts"):
        found = kept(layout, folder)
    names = {"a.txt": b"a", "hard.txt": b"a", "below/b.txt": b"b", "below/deep/c": b"c", "n\\xffme": b"n"}
    assert found == {f"everything/{name}": data for name, data in names.items()}
    with pytest.warns(RunfolioWarning):
        assert set(kept(layout, str(folder) + "/", "model")) == {f"model/{name}" for name in names}


def test_F50_many_files(layout: Layout, tmp_path: Path) -> None:
    """A folder of more files than are synced at once is kept whole, in memory that does not grow with it."""
    many_files(layout, tmp_path, 2_000)


@pytest.mark.long
def test_F50_very_many_files(layout: Layout, tmp_path: Path) -> None:
    """So is one of 10⁵ files."""
    many_files(layout, tmp_path, 100_000)


def many_files(layout: Layout, tmp_path: Path, count: int) -> None:
    folder = tmp_path / "many"
    for number in range(count):
        path = folder / str(number % 10) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    assert len(kept(layout, folder)) == count
    assert len(os.listdir(layout.blobs)) == count


def test_F50_vanished_mid_walk(layout: Layout, tmp_path: Path) -> None:
    """A file that is gone when its turn comes is left out and told of; all others are kept."""
    folder = tmp_path / "going"
    folder.mkdir()
    for number in range(600):
        (folder / f"{number:03}").write_text(str(number))
    keeping = add(layout, new_id(), folder, None, None)
    names = [next(keeping)["name"]]  # the first some hundred are kept by now
    (folder / "599").unlink()
    with pytest.warns(RunfolioWarning, match="1 entries.*599 .gone"):
        names += [told["name"] for told in keeping]
    assert names == [f"going/{number:03}" for number in range(599)]


def test_F50_the_store_inside_the_folder(tmp_path: Path) -> None:
    """Adding the project folder does not copy the store into itself."""
    layout = Layout(str(tmp_path / "project" / ".runfolio"))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "train.py").write_text("x")
    kept(layout, b"earlier", "earlier")
    with pytest.warns(RunfolioWarning, match="the store itself"):
        assert kept(layout, tmp_path / "project") == {"project/train.py": b"x"}


def in_child(act: Callable[[], None]) -> None:
    """Run something in a fork; it must succeed there."""
    pid = os.fork()
    if not pid:
        try:
            warnings.simplefilter("ignore")
            act()
            os._exit(0)
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def unprivileged() -> None:
    """Become somebody who is not root, to whom modes mean something."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


@pytest.fixture
def open_folder(tmp_path: Path) -> Any:
    """Give a folder that everybody may reach and write."""
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(dir="/var/tmp"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


def test_F50_unreadable_file(open_folder: Path) -> None:
    """What cannot be read raises, by its path, when everything else is kept."""
    folder = open_folder / "partly"
    (folder / "closed").mkdir(parents=True)
    for name in ("a", "b", "c"):
        (folder / name).write_text(name)
    (folder / "b").chmod(0)
    (folder / "closed").chmod(0)
    layout = Layout(str(open_folder / "store"))

    def act() -> None:
        unprivileged()
        names = []
        try:
            for told in add(layout, new_id(), str(folder), None, None):
                names.append(told["name"])
        except PermissionError as error:
            assert "2 of the folder's files are not kept" in str(error), error
            assert error.filename in (str(folder / "b"), str(folder / "closed"))
        else:
            raise AssertionError("not raised")
        assert names == ["partly/a", "partly/c"], names

    in_child(act)


# --------------------------------------------------------------------------------------------------- while it is copied


def test_F49_a_source_that_never_holds_still(layout: Layout, tmp_path: Path) -> None:
    """A file that is appended to all the while is refused in the end, and nothing of it is kept."""
    path = tmp_path / "growing.log"
    with open(path, "wb") as file:
        file.truncate(64 * MIB)
    done = threading.Event()

    def grow() -> None:
        with open(path, "ab") as file:
            while not done.is_set():
                file.write(b"x")
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        with pytest.raises(OSError, match="written while it was read") as caught:
            kept(layout, path)
    finally:
        done.set()
        thread.join()
    assert caught.value.filename == str(path)
    assert not [found for found in Path(layout.root).rglob("*") if found.is_file() and found.name != "store.json"]


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite"])
def test_F49_a_source_that_changes_once(layout: Layout, tmp_path: Path, change: str) -> None:
    """A file that changes during the first copy is copied again: what is kept is what it is now, under its right hash."""
    path = tmp_path / "moving.bin"
    path.write_bytes(bytes(64 * MIB))
    run_id = new_id()

    def interfere() -> None:
        folder = Path(layout.artifacts(run_id))
        while not (folder.is_dir() and any(draft.stat().st_size for draft in folder.glob("*.tmp"))):
            pass
        with open(path, "r+b") as file:
            if change == "truncate":
                file.truncate(5 * MIB)
            else:
                file.seek(0, 2 if change == "append" else 0)
                file.write(b"changed")

    thread = threading.Thread(target=interfere)
    thread.start()
    (told,) = add(layout, run_id, path, None, None)
    thread.join()
    with open_blob(layout, run_id, told["sha256"]) as file:
        data = file.read()
    assert data == path.read_bytes()
    assert told["sha256"] == hashlib.sha256(data).hexdigest()


def test_F49_reading_what_grows_has_an_end(tmp_path: Path) -> None:
    """A file that grows as fast as it is read is left as soon as it is longer than it was at first."""
    path = tmp_path / "endless"
    path.write_bytes(bytes(2 * MIB))
    size = 0
    with pytest.raises(Changed):
        for data in read(str(path)):
            size += len(data)
            with open(path, "ab") as file:
                file.write(bytes(2 * MIB))
    assert size <= 4 * MIB


def test_F48_big_file_in_little_memory(layout: Layout, tmp_path: Path) -> None:
    """A file is copied piece by piece: 256 MiB pass through less than 8."""
    path = tmp_path / "big.bin"
    with open(path, "wb") as file:
        file.truncate(256 * MIB)
    tracemalloc.start()
    try:
        told = one(layout, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told["size_bytes"] == 256 * MIB
    assert peak < 8 * MIB


# ------------------------------------------------------------------------------------------------------ where it lands


def test_F51_same_content_is_kept_once(layout: Layout) -> None:
    """The same bytes under any name, in any run, take their space once."""
    first = one(layout, b"same", "a")
    second = one(layout, b"same", "b")
    assert first["sha256"] == second["sha256"]
    assert os.listdir(layout.blobs) == [first["sha256"]]
    assert os.stat(os.path.join(layout.blobs, first["sha256"])).st_nlink == 3


def test_F51_two_uploaders_at_once(layout: Layout) -> None:
    """Writers that bring the same content at the same time do each other no harm: one blob, and a name for it in each run."""
    data = os.urandom(MIB)
    ids = [new_id() for _ in range(8)]
    threads = [
        threading.Thread(target=lambda run_id=run_id: list(add(layout, run_id, data, "x", None))) for run_id in ids
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (name,) = os.listdir(layout.blobs)
    for run_id in ids:
        assert os.listdir(layout.artifacts(run_id)) == [name]
        with open_blob(layout, run_id, name) as file:
            assert file.read() == data


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0o000])
def test_A13_modes_follow_the_umask(layout: Layout, mask: int) -> None:
    """What is kept may be read by whom the umask says; nothing is ever executable or wider than that."""
    before = os.umask(mask)
    try:
        told = one(layout, b"x", "x")
    finally:
        os.umask(before)
    path = os.path.join(layout.blobs, told["sha256"])
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666 & ~mask


def test_A13_planted_links_are_not_followed(layout: Layout, tmp_path: Path) -> None:
    """A symbolic link that lies where a content belongs is replaced: its target is neither written nor taken for the content."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"good")
    run_id = new_id()
    digest = hashlib.sha256(b"good").hexdigest()
    for folder in (layout.blobs, layout.artifacts(run_id)):
        os.makedirs(folder)
        os.symlink(victim, os.path.join(folder, digest))
    list(add(layout, run_id, b"good", "x", None))
    for folder in (layout.blobs, layout.artifacts(run_id)):
        found = os.lstat(os.path.join(folder, digest))
        assert stat.S_ISREG(found.st_mode) and found.st_ino != victim.stat().st_ino
    assert victim.read_bytes() == b"good" and victim.stat().st_nlink == 1


def test_A13_drafts_are_new_files(tmp_path: Path) -> None:
    """The name of a draft cannot be foretold, and a link that lies there all the same is not followed."""
    assert draft_in(str(tmp_path)) != draft_in(str(tmp_path))
    (tmp_path / "planted.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        create_draft(str(tmp_path / "planted.tmp"))
    assert not (tmp_path / "victim").exists()


# ------------------------------------------------------------------------------------------------- trouble of the disk


def test_F12_a_store_that_takes_nothing_is_no_error_of_the_script(layout: Layout, tmp_path: Path) -> None:
    """Where the store cannot be written, the artifacts are counted as lost and told of once; the source is not blamed."""
    (tmp_path / "store").write_text("in the way")
    folder = tmp_path / "three"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name)
    run_id = new_id()
    for source, count in ((folder, 3), (folder / "a", 1)):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with pytest.raises(NotKept) as caught:
                list(add(layout, run_id, source, None, None))
        assert caught.value.events == count
        assert len(told) == (1 if source is folder else 0)


def test_F09_full_disk_leaves_nothing_behind(layout: Layout) -> None:
    """A write that fails halfway removes its draft; what was kept before stays."""

    def act() -> None:
        run_id = new_id()
        list(add(layout, run_id, b"small", "small", None))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        try:
            list(add(layout, run_id, bytes(3 * MIB), "big", None))
        except NotKept as lost:
            assert (lost.events, lost.cause) == (1, "File too large")
        assert len(os.listdir(layout.artifacts(run_id))) == 1

    in_child(act)


def test_a_disk_that_is_too_small_is_not_filled_first(layout: Layout, tmp_path: Path) -> None:
    """A file that is bigger than the free space is given up before a byte of it is copied."""
    path = tmp_path / "huge"
    with open(path, "wb") as file:
        file.truncate(1 << 43)
    with pytest.warns(RunfolioWarning, match="No space left"), pytest.raises(NotKept):
        one(layout, path)
    assert not [found for found in Path(layout.runs).rglob("*") if found.is_file()]


def test_adding_loads_no_heavy_module() -> None:
    """Nothing outside the standard library is imported to keep a file."""
    import subprocess

    heavy = "('numpy', 'duckdb', 'PIL', 'ctypes')"
    program = (
        f"import sys, runfolio.sdk.artifacts, runfolio.sdk.data_use; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
