"""The journal: what was written is read back, whatever a crash or a bad disk did to the rest."""

from __future__ import annotations

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finiex_ray.core.errors import DataError
from finiex_ray.results.journal import Segment, SegmentWriter, read_segment, segment_files

PAYLOADS = [b"", b"first", bytes(range(256)) * 2, b"\xf1nX\x01 a magic in a payload", b"last"]


def write(folder, payloads, number=3) -> bytes:
    writer = SegmentWriter(folder, number, 7, {"run_id": "r"})
    for payload in payloads:
        writer.append(payload)
    writer.close()
    return writer.path.read_bytes()


def read(folder, data: bytes) -> Segment:
    path = folder / "damaged.journal"
    path.write_bytes(data)
    return read_segment(path)


def test_what_is_written_is_read_back(tmp_path) -> None:
    write(tmp_path, PAYLOADS)
    (path,) = segment_files(tmp_path).values()
    segment = read_segment(path)
    assert segment.payloads == PAYLOADS
    assert (segment.epoch, segment.damaged) == (7, 0)
    assert segment.head == {"format": 1, "segment": 3, "epoch": 7, "run_id": "r"}
    assert list(segment_files(tmp_path)) == [3]


def test_a_segment_is_never_written_over(tmp_path) -> None:
    write(tmp_path, PAYLOADS)
    with pytest.raises(FileExistsError):
        write(tmp_path, [])


def test_cut_off_anywhere_it_gives_the_whole_frames_before(tmp_path) -> None:
    data = write(tmp_path, PAYLOADS)
    ends = [len(data) - sum(16 + len(each) for each in PAYLOADS[place:]) for place in range(len(PAYLOADS) + 1)]
    for length in range(len(data) + 1):
        segment = read(tmp_path, data[:length])
        whole = max((place for place, end in enumerate(ends) if end <= length), default=0)
        assert segment.payloads == PAYLOADS[:whole]
        assert segment.damaged == length - (ends[whole] if length >= ends[0] else 0)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_one_frame_and_is_never_believed(tmp_path_factory, place: int, bit: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    data = bytearray(write(folder, PAYLOADS))
    data[place % len(data)] ^= 1 << bit
    segment = read(folder, bytes(data))
    assert segment.damaged > 0
    lost = [each for each in PAYLOADS if each not in segment.payloads]
    assert len(lost) <= 1
    assert segment.payloads == [each for each in PAYLOADS if each not in lost]


def test_a_spoilt_first_frame_costs_the_head_alone(tmp_path) -> None:
    data = bytearray(write(tmp_path, PAYLOADS))
    data[20] ^= 1
    segment = read(tmp_path, bytes(data))
    assert segment.payloads == PAYLOADS
    assert segment.epoch == 0


def test_another_format_is_refused(tmp_path) -> None:
    payload = b"head" + json.dumps({"format": 99}).encode()
    checksum = zlib.crc32(payload, zlib.crc32(struct.pack("<II", 1, len(payload))))
    with pytest.raises(DataError, match="has format 99"):
        read(tmp_path, struct.pack("<4sIII", b"\xf1nX\x01", 1, len(payload), checksum) + payload)
