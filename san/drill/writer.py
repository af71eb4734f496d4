"""The client's writer: numbered, checksummed blocks to a disk, and their reading back.

It runs on the client, where this package isn't: one file, the standard library, Python 3.9.

    writer.py inspect DEVICE             what lies on the disk, before anything is written
    writer.py write DEVICE LOG RUN BLOCKS [DEPTH] [SEED]
    writer.py verify DEVICE LOG

`write` goes round a region of BLOCKS blocks from the disk's start through O_DIRECT and O_SYNC,
until SIGTERM, with DEPTH writes in flight at a time (1 unless told). A write that fails is logged,
counted as an error and tried again with the same block; only a write that returned whole is
acknowledged. The log belongs on another disk than DEVICE.

Each of the DEPTH lanes is a thread with positions of its own: two writes in flight never meet at
one position, so what a position must hold is known without asking in which order they arrived.
One lane alone goes straight on; several shuffle their positions, window by window, by SEED.

`verify` reads every acknowledged block back. Where a lane went round the region, the last
acknowledged block of a position counts. The write that each lane had in flight when the writer
ended (none after a clean end) promised nothing: its position may hold the old block or the new one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import random
import signal
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple, Union

BLOCK = 4096  # bytes; O_DIRECT's alignment on every disk we know
MAGIC = b"SANDRILL"
HEADER = struct.Struct(">8s16sQQ")  # magic, run, sequence, position
DIGEST = 16  # bytes, at the block's end: a torn block never matches
READ_AT_ONCE = 256  # blocks: 1 MiB
INSPECTED = 256  # blocks: 1 MiB at the start must be empty or ours before we write
RETRY_PAUSE = 0.1  # seconds: an error that returns at once must not flood the log
WINDOW = 64  # positions that a lane shuffles at a time: what was written stays together on the disk
EXAMPLES = 20  # blocks named one by one in verify's answer
INTACT = "intact"
IN_FLIGHT = "in_flight"
LOSSES = ("missing", "older", "corrupt", "unreadable")


class Block(NamedTuple):
    """What a block says about itself."""

    run: bytes
    sequence: int
    position: int


class Run(NamedTuple):
    """The log's first line: one run of the writer."""

    run: bytes
    blocks: int
    depth: int = 1
    seed: int = 0


class Ack(NamedTuple):
    """A write that the disk acknowledged; monotonic and wall clock in seconds."""

    sequence: int
    position: int
    start: float
    end: float
    wall: float


class Failure(NamedTuple):
    """A write that the disk answered with an error."""

    sequence: int
    position: int
    start: float
    end: float
    wall: float
    error: str


class End(NamedTuple):
    """The log's last line after a clean end: how many writes were acknowledged."""

    acked: int


Line = Union[Run, Ack, Failure, End]  # noqa: UP007 (Python 3.9 on the client)


def build(block: Block) -> bytes:
    """Fill a block: header, readable text without any superblock's magic, checksum."""
    head = HEADER.pack(MAGIC, *block)
    text = b"san drill %s block %d at %d\n" % (
        block.run.hex().encode(),
        block.sequence,
        block.position,
    )
    room = BLOCK - HEADER.size - DIGEST
    body = head + (text * (room // len(text) + 1))[:room]
    return body + hashlib.blake2b(body, digest_size=DIGEST).digest()


def is_ours(data: bytes) -> bool:
    """Whether a drill, this one or an earlier one, wrote the block."""
    return data.startswith(MAGIC)


def parse(data: bytes) -> Block | None:
    """Read a block of ours; None when its checksum doesn't match."""
    body, digest = data[:-DIGEST], data[-DIGEST:]
    if hashlib.blake2b(body, digest_size=DIGEST).digest() != digest:
        return None
    _, run, sequence, position = HEADER.unpack_from(body)
    return Block(run, sequence, position)


def positions(run: Run, lane: int) -> list[int]:
    """List a lane's positions in the order in which it goes round them."""
    own = list(range(lane, run.blocks, run.depth))
    if run.depth == 1:
        return own
    shuffle = random.Random(f"{run.seed} {lane}").shuffle  # noqa: S311 (the same order again)
    ordered: list[int] = []
    for first in range(0, len(own), WINDOW):
        window = own[first : first + WINDOW]
        shuffle(window)
        ordered += window
    return ordered


def in_flight(run: Run, acks: list[Ack]) -> list[int]:
    """Tell for each lane the sequence of the write that may have been on its way at the end.

    A lane numbers its writes in steps of the depth, from its own number on, one after the other.
    """
    following = list(range(run.depth))
    for ack in acks:
        lane = ack.sequence % run.depth
        following[lane] = max(following[lane], ack.sequence + run.depth)
    return following


def judge(data: bytes, acked: Block, in_flight: int) -> str:
    """Name what became of the acknowledged block, from what its position holds now.

    `in_flight` is the sequence that the lane of this position may have had on its way.
    """
    if not is_ours(data):
        return "missing"
    found = parse(data)
    if found is None or found.position != acked.position:
        return "corrupt"
    if found == acked:
        return INTACT
    if found.run != acked.run or found.sequence < acked.sequence:
        return "older"
    return IN_FLIGHT if found.sequence == in_flight else "corrupt"


def parse_line(line: str) -> Line:
    """Read one line of the log; ValueError when it is none."""
    kind, *words = line.split(maxsplit=6)
    if kind == "run":
        return Run(bytes.fromhex(words[0]), *map(int, words[1:]))
    if kind == "end":
        return End(int(words[0]))
    sequence, position = int(words[0]), int(words[1])
    start, end, wall = (int(word) / 1e6 for word in words[2:5])
    if kind == "ack":
        return Ack(sequence, position, start, end, wall)
    if kind == "error":
        return Failure(sequence, position, start, end, wall, words[5])
    raise ValueError(f"not a line of the drill's log: {line!r}")


def read_log(text: str) -> list[Line]:
    """Read a whole log; a last line that was cut short isn't one."""
    whole, _, _ = text.rpartition("\n")
    return [parse_line(line) for line in whole.splitlines()]


class Log:
    """The log being written: one system call a line, so that no line waits in a buffer."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def line(self, *words: object) -> None:
        """Append the words as one line."""
        os.write(self._fd, (" ".join(map(str, words)) + "\n").encode())


def write(device: Path, log: Log, run: Run) -> None:
    """Write blocks until SIGTERM; each is retried until the disk takes it."""
    if not 0 < run.depth <= run.blocks:
        raise SystemExit(f"{run.depth} writes in flight need a region of as many blocks at least")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    # O_EXCL on a block device: refused while it is mounted or part of another device
    fd = os.open(device, os.O_RDWR | os.O_DIRECT | os.O_SYNC | os.O_EXCL)
    log.line("run", run.run.hex(), *run[1:])
    with ThreadPoolExecutor(run.depth) as pool:
        lanes = [pool.submit(write_lane, fd, log, run, lane, stopped) for lane in range(run.depth)]
        for lane in as_completed(lanes):
            stopped.set()  # a lane that failed takes the others with it
            lane.exception()
    log.line("end", sum(lane.result() for lane in lanes))


def write_lane(fd: int, log: Log, run: Run, lane: int, stopped: threading.Event) -> int:
    """Write one lane's blocks one at a time until `stopped`; return how many were acknowledged."""
    order = positions(run, lane)
    buffer = mmap.mmap(-1, BLOCK)  # page-aligned, as O_DIRECT wants it
    acked = 0
    while not stopped.is_set():
        sequence, position = acked * run.depth + lane, order[acked % len(order)]
        buffer[:] = build(Block(run.run, sequence, position))
        start = time.monotonic_ns()
        error = None
        try:
            if os.pwrite(fd, buffer, position * BLOCK) != BLOCK:
                error = OSError(errno.EIO, "short write")
        except OSError as failed:
            error = failed
        times = (start // 1000, time.monotonic_ns() // 1000, time.time_ns() // 1000)
        if error is None:
            log.line("ack", sequence, position, *times)
            acked += 1
        else:
            log.line("error", sequence, position, *times, error.strerror)
            stopped.wait(RETRY_PAUSE)
    return acked


def read(fd: int, position: int, count: int) -> dict[int, bytes]:
    """Read blocks past the page cache; one that can't be read is absent from the answer."""
    buffer = mmap.mmap(-1, count * BLOCK)
    try:
        got = os.preadv(fd, [buffer], position * BLOCK) // BLOCK
    except OSError:
        got = 0
    found = {position + n: buffer[n * BLOCK : (n + 1) * BLOCK] for n in range(got)}
    if count > 1:  # one bad block among many must not take the others with it
        for n in range(got, count):
            found.update(read(fd, position + n, 1))
    return found


def verify(device: Path, lines: list[Line]) -> dict[str, object]:
    """Read every acknowledged block back and count what became of them.

    `lost` counts those that can't be read back as they were acknowledged, for whatever reason.
    """
    run = next(line for line in lines if isinstance(line, Run))
    acks = [line for line in lines if isinstance(line, Ack)]
    # one lane writes a position, and logs in its order: the last line is the last write
    acked = {ack.position: Block(run.run, ack.sequence, ack.position) for ack in acks}
    following = in_flight(run, acks)
    counts = dict.fromkeys((INTACT, IN_FLIGHT, *LOSSES), 0)
    examples: list[dict[str, object]] = []
    fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
    for first in range(0, run.blocks, READ_AT_ONCE):
        wanted = [acked[p] for p in range(first, first + READ_AT_ONCE) if p in acked]
        if not wanted:
            continue
        found = read(fd, first, min(READ_AT_ONCE, run.blocks - first))
        for block in wanted:
            data = found.get(block.position)
            verdict = "unreadable"
            if data is not None:
                verdict = judge(data, block, following[block.sequence % run.depth])
            counts[verdict] += 1
            if verdict in LOSSES and len(examples) < EXAMPLES:
                examples.append(
                    {"position": block.position, "sequence": block.sequence, "verdict": verdict}
                )
    os.close(fd)
    lost = sum(counts[loss] for loss in LOSSES)
    return {"checked": len(acked), "lost": lost, **counts, "examples": examples}


def inspect(device: Path) -> dict[str, object]:
    """Tell the disk's size and the first block at its start that no drill has written."""
    fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
    size = os.lseek(fd, 0, os.SEEK_END)
    found = read(fd, 0, min(INSPECTED, size // BLOCK))
    os.close(fd)
    foreign = [p for p, data in sorted(found.items()) if any(data) and not is_ours(data)]
    return {"bytes": size, "foreign": foreign[0] if foreign else None}


def main(mode: str, device: str, *rest: str) -> None:
    """Run one mode; `inspect` and `verify` answer in JSON."""
    if mode == "write":
        log, run, *numbers = rest
        write(Path(device), Log(Path(log)), Run(bytes.fromhex(run), *map(int, numbers)))
    elif mode == "verify":
        print(json.dumps(verify(Path(device), read_log(Path(rest[0]).read_text()))))
    elif mode == "inspect":
        print(json.dumps(inspect(Path(device))))
    else:
        raise SystemExit(f"unknown mode {mode!r}: inspect, write or verify")


if __name__ == "__main__":
    main(*sys.argv[1:])
