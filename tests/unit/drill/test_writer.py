"""The writer as the client runs it: a process of its own, O_DIRECT, a real file."""

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from san.drill import writer
from san.drill.writer import BLOCK, Ack, Block, End, Failure, Run

SCRIPT = writer.__file__
RUN = bytes(range(16))
BLOCKS = 64


@pytest.fixture
def disk(tmp_path):
    """A disk of BLOCKS blocks that takes O_DIRECT."""
    path = tmp_path / "disk"
    path.write_bytes(bytes(BLOCKS * BLOCK))
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        pytest.skip(f"{tmp_path} takes no O_DIRECT (an older tmpfs): set TMPDIR to a disk")
    return path


def run_writer(*arguments):
    return json.loads(subprocess.check_output([sys.executable, SCRIPT, *map(str, arguments)]))


@contextmanager
def writing(disk, log, *, run=RUN, blocks=BLOCKS, depth=1, seed=0):
    """A writer at work; ended with SIGTERM, cleanly."""
    numbers = map(str, (blocks, depth, seed))
    process = subprocess.Popen(
        [sys.executable, SCRIPT, "write", disk, log, run.hex(), *numbers],
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, process.stderr.read()


def await_lines(log, kind, enough):
    """Wait until the log holds `enough` lines of the kind."""
    for attempt in Retrying(
        stop=stop_after_delay(20),  # seconds: a write to a local file takes milliseconds
        wait=wait_fixed(0.02),
        retry=retry_if_exception_type((AssertionError, FileNotFoundError)),
    ):
        with attempt:
            assert log.read_text().count(f"{kind} ") >= enough


def write_some(disk, log, *, enough, **region):
    """Let the writer acknowledge at least `enough` blocks and end it."""
    with writing(disk, log, **region):
        await_lines(log, "ack", enough)
    return writer.read_log(log.read_text())


def put(disk, position, data):
    with disk.open("r+b") as file:
        file.seek(position * BLOCK)
        file.write(data)


def test_every_acknowledged_block_is_found(disk, tmp_path):
    log = tmp_path / "log"
    lines = write_some(disk, log, enough=20)
    acks = [line for line in lines if isinstance(line, Ack)]

    assert lines[0] == Run(RUN, BLOCKS)
    assert lines[-1] == End(len(acks))
    assert [ack.sequence for ack in acks] == list(range(len(acks)))
    assert all(a.end >= a.start for a in acks)
    assert all(b.start >= a.end for a, b in pairwise(acks))
    answer = run_writer("verify", disk, log)
    assert answer["lost"] == 0
    assert answer["checked"] == answer["intact"] == min(len(acks), BLOCKS)


def test_round_the_region_the_last_acknowledged_block_counts(disk, tmp_path):
    log = tmp_path / "log"
    write_some(disk, log, enough=20, blocks=4)
    answer = run_writer("verify", disk, log)
    assert (answer["checked"], answer["intact"], answer["lost"]) == (4, 4, 0)


def damaged(disk, log, position, data):
    put(disk, position, data)
    answer = run_writer("verify", disk, log)
    assert answer["lost"] == 1
    (example,) = answer["examples"]
    assert example["position"] == position
    assert answer[example["verdict"]] == 1
    return example["verdict"]


def test_what_was_acknowledged_and_is_gone_is_lost(disk, tmp_path):
    log = tmp_path / "log"
    write_some(disk, log, enough=10, blocks=8)
    good = disk.read_bytes()[5 * BLOCK : 6 * BLOCK]
    flipped = bytes([*good[:2000], good[2000] ^ 1, *good[2001:]])
    torn = good[:512] + writer.build(Block(RUN, 99999, 5))[512:]

    assert damaged(disk, log, 5, flipped) == "corrupt"
    assert damaged(disk, log, 5, torn) == "corrupt"
    assert damaged(disk, log, 5, bytes(BLOCK)) == "missing"
    assert damaged(disk, log, 5, writer.build(Block(RUN, 6, 6))) == "corrupt"
    assert damaged(disk, log, 5, writer.build(Block(bytes(16), 10**6, 5))) == "older"
    put(disk, 5, good)
    assert run_writer("verify", disk, log)["lost"] == 0


def test_an_older_block_of_the_same_run_is_lost(disk, tmp_path):
    log = tmp_path / "log"
    lines = write_some(disk, log, enough=40, blocks=8)
    newest = {line.position: line.sequence for line in lines if isinstance(line, Ack)}
    older = writer.build(Block(RUN, newest[3] - 8, 3))
    assert damaged(disk, log, 3, older) == "older"


def test_a_disk_cut_short_loses_what_lay_behind_the_cut(disk, tmp_path):
    log = tmp_path / "log"
    write_some(disk, log, enough=8, blocks=8)
    os.truncate(disk, 6 * BLOCK)
    answer = run_writer("verify", disk, log)
    assert (answer["intact"], answer["unreadable"], answer["lost"]) == (6, 2, 2)


def hand_written(log, *acked, blocks=8):
    lines = [f"run {RUN.hex()} {blocks}"]
    lines += [f"ack {sequence} {sequence % blocks} 1 2 3" for sequence in acked]
    log.write_text("\n".join(lines) + "\n")


def test_a_write_without_an_acknowledgement_promises_nothing(disk, tmp_path):
    """In flight when the writer was killed: its position may hold the old block or the new one."""
    log = tmp_path / "log"
    hand_written(log, *range(9))  # sequence 9, at position 1, was in flight
    for sequence in range(9):
        put(disk, sequence % 8, writer.build(Block(RUN, sequence, sequence % 8)))
    old = run_writer("verify", disk, log)
    put(disk, 1, writer.build(Block(RUN, 9, 1)))
    new = run_writer("verify", disk, log)
    put(disk, 2, writer.build(Block(RUN, 10, 2)))
    never_sent = run_writer("verify", disk, log)

    assert (old["checked"], old["intact"], old["lost"]) == (8, 8, 0)
    assert (new["checked"], new["intact"], new["in_flight"], new["lost"]) == (8, 7, 1, 0)
    assert never_sent["lost"] == 1


DEPTH = 4


def test_several_writes_are_in_flight_at_a_time(disk, tmp_path):
    log = tmp_path / "log"
    lines = write_some(disk, log, enough=2 * BLOCKS, depth=DEPTH, seed=7)
    acks = [line for line in lines if isinstance(line, Ack)]

    assert lines[0] == Run(RUN, BLOCKS, DEPTH, 7)
    assert lines[-1] == End(len(acks))
    for lane in range(DEPTH):
        mine = [ack for ack in acks if ack.sequence % DEPTH == lane]
        order = writer.positions(lines[0], lane)
        assert [ack.sequence for ack in mine] == [n * DEPTH + lane for n in range(len(mine))]
        assert [ack.position for ack in mine] == [order[n % len(order)] for n in range(len(mine))]
        assert all(b.start >= a.end for a, b in pairwise(mine)), "a lane has one write in flight"
    assert any(b.start < a.end for a, b in pairwise(acks)), "lanes don't wait for each other"
    answer = run_writer("verify", disk, log)
    written = len({ack.position for ack in acks})
    assert (answer["checked"], answer["intact"], answer["lost"]) == (written, written, 0)


@given(blocks=st.integers(1, 2000), depth=st.integers(1, 20), seed=st.integers(0, 9))
def test_lanes_share_the_region_and_a_seed_names_their_order(blocks, depth, seed):
    run = Run(RUN, blocks, depth, seed)
    lanes = [writer.positions(run, lane) for lane in range(depth)]

    assert sorted(p for lane in lanes for p in lane) == list(range(blocks))
    assert lanes == [writer.positions(run, lane) for lane in range(depth)]
    if depth == 1:
        assert lanes[0] == list(range(blocks))
    # what was written first lies together: verify reads no more of the disk than it must
    window = writer.WINDOW * depth
    assert all(p < window for lane in lanes for p in lane[: writer.WINDOW])


def test_another_seed_is_another_order():
    assert writer.positions(Run(RUN, 640, 4, 1), 0) != writer.positions(Run(RUN, 640, 4, 2), 0)


def deep(log, disk, done):
    """Four lanes on eight blocks, two positions each; `done` is how often each lane wrote."""
    run = Run(RUN, 8, DEPTH, 3)
    orders = [writer.positions(run, lane) for lane in range(DEPTH)]
    lines = [f"run {RUN.hex()} 8 {DEPTH} 3"]
    for lane, count in enumerate(done):
        for n in range(count):
            sequence, position = n * DEPTH + lane, orders[lane][n % 2]
            lines.append(f"ack {sequence} {position} 1 2 3")
            put(disk, position, writer.build(Block(RUN, sequence, position)))
    log.write_text("\n".join(lines) + "\n")
    return orders


def test_each_lane_may_have_had_one_write_in_flight(disk, tmp_path):
    """Whichever of them reached the disk when the writer was killed, nothing is lost."""
    log = tmp_path / "log"
    done = (3, 2, 5, 4)
    orders = deep(log, disk, done)
    assert run_writer("verify", disk, log)["intact"] == 8

    for lane, count in enumerate(done):
        position = orders[lane][count % 2]
        put(disk, position, writer.build(Block(RUN, count * DEPTH + lane, position)))
    answer = run_writer("verify", disk, log)
    assert (answer["intact"], answer["in_flight"], answer["lost"]) == (4, 4, 0)


def test_a_lane_s_write_beyond_the_one_in_flight_was_never_sent(disk, tmp_path):
    log = tmp_path / "log"
    orders = deep(log, disk, (3, 2, 5, 4))
    position = orders[1][0]
    assert damaged(disk, log, position, writer.build(Block(RUN, 4 * DEPTH + 1, position))) == (
        "corrupt"
    )


def test_a_write_lost_or_overtaken_by_an_older_one_is_lost_in_any_lane(disk, tmp_path):
    log = tmp_path / "log"
    done = (3, 4, 5, 4)
    orders = deep(log, disk, done)
    newest = {}
    for lane, count in enumerate(done):
        for n in range(count):
            newest[orders[lane][n % 2]] = n * DEPTH + lane
    for position, sequence in newest.items():
        good = disk.read_bytes()[position * BLOCK : (position + 1) * BLOCK]
        assert damaged(disk, log, position, bytes(BLOCK)) == "missing"
        if sequence >= 2 * DEPTH:
            overtaken = writer.build(Block(RUN, sequence - 2 * DEPTH, position))
            assert damaged(disk, log, position, overtaken) == "older"
        put(disk, position, good)
    assert run_writer("verify", disk, log)["lost"] == 0


def test_a_depth_that_the_region_can_t_hold_is_refused(disk, tmp_path):
    command = [sys.executable, SCRIPT, "write", disk, tmp_path / "log", RUN.hex(), "8", "9"]
    refused = subprocess.run(command, capture_output=True, check=False, text=True)
    assert refused.returncode == 1
    assert "9 writes in flight need a region of as many blocks" in refused.stderr


def test_an_error_is_logged_retried_and_never_acknowledged(disk, tmp_path):
    """A limit on the file's size, lifted while the writer runs, is a disk that fails and heals."""
    log = tmp_path / "log"
    disk.write_bytes(b"")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    with writing(disk, log) as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4 * BLOCK, unlimited[1]))
        await_lines(log, "error", 3)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        await_lines(log, "ack", 20)
    lines = writer.read_log(log.read_text())
    failures = [line for line in lines if isinstance(line, Failure)]
    acks = [line for line in lines if isinstance(line, Ack)]

    assert {failure.error for failure in failures} == {"File too large"}
    assert len({failure.sequence for failure in failures}) == 1, "the same block is tried again"
    assert [ack.sequence for ack in acks] == list(range(len(acks)))
    assert acks[failures[0].sequence].start > failures[-1].end
    assert run_writer("verify", disk, log)["lost"] == 0


def test_a_log_is_never_overwritten(disk, tmp_path):
    log = tmp_path / "log"
    log.write_text("evidence")
    command = [sys.executable, SCRIPT, "write", disk, log, RUN.hex(), "8"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    assert log.read_text() == "evidence"


def test_inspect_tells_our_blocks_from_foreign_data(disk):
    size = BLOCKS * BLOCK
    assert run_writer("inspect", disk) == {"bytes": size, "foreign": None}
    put(disk, 0, writer.build(Block(RUN, 0, 0)))
    assert run_writer("inspect", disk) == {"bytes": size, "foreign": None}
    put(disk, 7, b"somebody's data")
    assert run_writer("inspect", disk) == {"bytes": size, "foreign": 7}


@given(
    run=st.binary(min_size=16, max_size=16),
    sequence=st.integers(0, 2**64 - 1),
    position=st.integers(0, 2**64 - 1),
)
def test_a_block_says_what_was_put_into_it(run, sequence, position):
    block = Block(run, sequence, position)
    data = writer.build(block)
    assert len(data) == BLOCK
    assert writer.parse(data) == block


@given(offset=st.integers(0, BLOCK - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(offset, bit):
    data = bytearray(writer.build(Block(RUN, 5, 5)))
    data[offset] ^= 1 << bit
    assert writer.judge(bytes(data), Block(RUN, 5, 5), 6) in writer.LOSSES


def test_a_log_line_cut_short_is_no_line():
    text = f"run {RUN.hex()} 8\nack 0 0 1000000 2000000 3000000\nack 1 1 10"
    assert writer.read_log(text) == [Run(RUN, 8), Ack(0, 0, 1.0, 2.0, 3.0)]


def test_the_script_needs_nothing_but_python():
    source = Path(SCRIPT).read_text()
    assert "import attrs" not in source
    assert "from san" not in source
