import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.randomness import bits, check_seed, stream_number


def philox_block(counter, key):
    """Philox4x64-10, transcribed from Salmon et al. (2011), Section 3.3: four words from a counter and a
    key."""
    mask, (k0, k1) = 2**64 - 1, key
    c = [counter & mask, counter >> 64 & mask, counter >> 128 & mask, counter >> 192]
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [(second >> 64) ^ c[1] ^ k0, second & mask, (first >> 64) ^ c[3] ^ k1, first & mask]
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
    return c


def naive_bits(seed, stream, start, count):
    # numpy raises the counter before it makes a block, so block b of the stream has counter b + 1.
    halves = []
    for element in range(start, start + count):
        word = philox_block(element // 8 + 1, (seed, stream))[element // 2 % 4]
        halves.append(word >> 32 if element % 2 else word & 0xFFFFFFFF)
    return halves


def test_the_transcription_gives_the_known_answers():
    assert philox_block(0, (0, 0))[0] == 0x16554D9ECA36314C
    assert philox_block(1, (0, 0))[0] == 0x02F4BA6408E4D89B


def test_the_first_bits_of_the_zero_stream_are_pinned():
    assert [int(b) for b in bits(0, 0, 0, 2)] == [0x08E4D89B, 0x02F4BA64]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 10**12), st.integers(0, 20))
def test_bits_are_those_of_the_algorithm_as_published(seed, stream, start, count):
    found = bits(seed, stream, start, count)
    assert found.dtype == np.uint32
    assert found.tolist() == naive_bits(seed, stream, start, count)


@given(st.integers(0, 50), st.integers(0, 50))
def test_cutting_a_range_changes_no_bit(start, count):
    whole = bits(7, stream_number(1, 2), 0, 100)
    assert np.array_equal(bits(7, stream_number(1, 2), start, count), whole[start : start + count])


def test_streams_and_seeds_above_2_to_63_are_distinct():
    first = {tuple(bits(seed, stream, 0, 4)) for seed in (0, 2**63, 2**64 - 1) for stream in (0, 2**63, 2**64 - 1)}
    assert len(first) == 9


def test_stream_numbers_of_different_matrices_differ():
    pairs = [(0, 0), (0, 1), (1, 0), (0, 2**16 - 1), (2**48 - 1, 2**16 - 1)]
    assert len({stream_number(*pair) for pair in pairs}) == len(pairs)
    assert max(stream_number(*pair) for pair in pairs) == 2**64 - 1


@pytest.mark.parametrize(("trial", "matrix"), [(-1, 0), (2**48, 0), (0, -1), (0, 2**16)])
def test_indices_out_of_range_have_no_stream(trial, matrix):
    with pytest.raises(ValueError, match="need 0 <= trial"):
        stream_number(trial, matrix)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None, True])
def test_what_is_not_a_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be an integer"):
        check_seed(seed)
    with pytest.raises(ValueError, match="seed must be an integer"):
        bits(seed, 0, 0, 1)


def test_numpy_integers_are_seeds():
    assert check_seed(np.uint64(2**64 - 1)) == 2**64 - 1


@pytest.mark.parametrize(("stream", "start", "count"), [(-1, 0, 1), (2**64, 0, 1), (0, -1, 1), (0, 0, -1)])
def test_ranges_that_are_none_are_refused(stream, start, count):
    with pytest.raises(ValueError, match="need start, count >= 0"):
        bits(0, stream, start, count)
