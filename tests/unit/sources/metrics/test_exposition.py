import math

import pytest

from console.sources.metrics.exposition import read_histogram

NAME = "http_request_duration_seconds"
TEXT = f"""# HELP {NAME} How long.
# TYPE {NAME} histogram
{NAME}_bucket{{endpoint="/grades",status="200",le="0.1"}} 3.0
{NAME}_bucket{{endpoint="/grades",status="200",le="+Inf"}} 5 1700000000000
{NAME}_sum{{endpoint="/grades",status="200"}} 1.5
{NAME}_count{{endpoint="/grades",status="200"}} 5
other_total 7
"""


def test_the_buckets_of_one_histogram_are_read_by_their_other_labels() -> None:
    exposed = read_histogram(TEXT, NAME)
    assert exposed.declared
    assert exposed.series == {(("endpoint", "/grades"), ("status", "200")): {0.1: 3.0, math.inf: 5.0}}
    assert exposed.broken_lines == 0


def test_label_values_may_hold_braces_commas_quotes_and_line_ends() -> None:
    line = NAME + '_bucket{ endpoint="/a{id},\\"x\\"\\n\\\\" , le="1" , } 2'
    (labels,) = read_histogram(line, NAME).series
    assert dict(labels) == {"endpoint": '/a{id},"x"⏎\\'}


def test_escape_sequences_in_labels_do_not_get_in() -> None:
    (labels,) = read_histogram(NAME + '_bucket{endpoint="\x1b[31mred\x1b]0;x\x07",le="1"} 2', NAME).series
    assert dict(labels) == {"endpoint": "red"}


def test_an_exemplar_behind_the_value_is_passed_over() -> None:
    text = NAME + '_bucket{le="0.5"} 17 # {trace_id="KOO5S4vxi0o"} 0.31'
    assert read_histogram(text, NAME).series == {(): {0.5: 17.0}}


def test_a_histogram_whose_name_only_begins_alike_is_another_one() -> None:
    text = f'{NAME}_bucket_total{{le="1"}} 1\nx_{NAME}_bucket{{le="1"}} 1\n'
    assert not read_histogram(text, NAME).declared


def test_a_declared_histogram_without_series_is_there() -> None:
    exposed = read_histogram(f"# TYPE {NAME} histogram\n", NAME)
    assert exposed.declared
    assert exposed.series == {}


def test_broken_lines_are_counted_and_the_others_kept() -> None:
    text = f'{NAME}_bucket{{le="1" 3\n{NAME}_bucket{{le="1"}} many\n{NAME}_bucket{{le="2"}} 4\n'
    exposed = read_histogram(text, NAME)
    assert exposed.series == {(): {2.0: 4.0}}
    assert exposed.broken_lines == 2


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_values_that_no_counter_has_are_left_out(value: str) -> None:
    assert read_histogram(f'{NAME}_bucket{{le="1"}} {value}\n', NAME).series == {}


@pytest.mark.parametrize("text", ["<html><body>Log in</body></html>", '{"status": "ok"}', "\x00\x01\x02"])
def test_text_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not in the Prometheus format"):
        read_histogram(text, NAME)


def test_an_empty_answer_is_an_exposition_of_nothing() -> None:
    assert not read_histogram("", NAME).declared
