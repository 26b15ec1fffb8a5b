"""The forms of inputs: what is taken, what is refused, and what a refusal says."""

import pytest

from console.guides.inputs import Input, Kind, filled, uses

MEGABYTE = "a" * 2**20


def given(kind: str, text: str) -> object:
    return Input("it", Kind(kind), "It").read(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("email", "jane.o'brien+x@mail.example.org", "jane.o'brien+x@mail.example.org"),
        ("email", "  jane@example.org\n", "jane@example.org"),
        ("number", "42", 42),
        ("number", "-1.5", -1.5),
        ("word", "sms_backend-1.2", "sms_backend-1.2"),
        ("text", "the left door", "the left door"),
        ("folder", "/opt/dotmac/backups", "/opt/dotmac/backups"),
        ("url", "https://help.example.org:8443/a?b=c", "https://help.example.org:8443/a?b=c"),
        ("url", "http://[::1]:8000/", "http://[::1]:8000/"),
        ("host", "db-1.internal", "db-1.internal"),
        ("host", "2001:db8::1", "2001:db8::1"),
        ("correlation-id", "7f1e4c3a-0000-4000-8000-000000000001", "7f1e4c3a-0000-4000-8000-000000000001"),
        ("token", "Bearer eyJhbGciOi.eyJzdWIiOi.c2ln", "eyJhbGciOi.eyJzdWIiOi.c2ln"),
        ("password", " with spaces ", " with spaces "),
        ("password", "test", "test"),
    ],
)
def test_what_has_the_form_is_taken(kind: str, text: str, value: object) -> None:
    assert given(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "a@b.c'; DROP TABLE users; --"),
        ("email", "nobody"),
        ("email", "-a b@example.org"),
        ("email", "ä@example.org"),
        ("number", "1e9"),
        ("number", "٤٢"),
        ("number", "1; SELECT 1"),
        ("word", "../etc"),
        ("word", "-rf"),
        ("word", "a b"),
        ("text", "two\nlines"),
        ("text", "\x1b]0;title\x07"),
        ("text", "\u202eright to left"),
        ("folder", "/opt/../etc"),
        ("folder", "opt"),
        ("folder", "/opt/a\x00b"),
        ("url", "ftp://example.org/"),
        ("url", "https://user:word@example.org/"),
        ("url", "https://example.org/$(id)`"),
        ("url", "https://exa mple.org/"),
        ("url", "http://[::1"),
        ("url", "http://example.org:99999/"),
        ("host", "-oProxyCommand=x"),
        ("host", "300.1.1.1"),
        ("host", "fe80::1%eth0"),
        ("host", "a;b"),
        ("correlation-id", "%"),
        ("token", "not a token"),
        ("token", MEGABYTE + ".a.b"),
        ("password", ""),
        ("password", "tab\tinside"),
    ],
)
def test_what_has_not_the_form_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        given(kind, text)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("text", [MEGABYTE, "", "\x00", "\ud800", "a\x1b[2Jb"])
def test_a_refusal_names_the_form_and_is_short_and_clean(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=kind.form.split(",")[0][:20]) as caught:
        Input("it", kind, "It").read(text)

    told = str(caught.value)
    assert told.isprintable()
    assert len(told) < len(kind.form) + 80
    assert "a" * 61 not in told


@pytest.mark.parametrize("kind", [Kind.TOKEN, Kind.PASSWORD])
def test_a_refused_secret_is_not_repeated(kind: Kind) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        Input("it", kind, "It").read("hunt2\x00")
    assert "hunt" not in str(caught.value)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_sample_has_the_form_that_it_stands_for(kind: Kind) -> None:
    wanted = Input("student_id", kind, "It")
    assert wanted.read(str(wanted.sample)) == wanted.sample


def test_inputs_are_found_wherever_a_value_names_them_and_never_in_keys() -> None:
    raw = {"$no": "$email", "list": ("a", "grades:${student_id}:${term}"), "price": "$5", "end": "^x$"}

    assert [(use.path, use.name, use.at, use.inside) for use in uses(raw)] == [
        (("$no",), "email", 0, False),
        (("list", 1), "student_id", 7, True),
        (("list", 1), "term", 21, True),
    ]


def test_a_whole_value_keeps_its_type_and_one_inside_a_text_becomes_text() -> None:
    assert filled({"a": "$n", "b": "k:${n}", "c": ("$n",), "d": 1}, {"n": 7}) == {"a": 7, "b": "k:7", "c": (7,), "d": 1}


def test_a_value_is_never_looked_through_for_inputs_again() -> None:
    assert filled("${a}", {"a": "${b}", "b": "x"}) == "${b}"
