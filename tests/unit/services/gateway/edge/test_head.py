import pytest

from datamate.services.gateway.edge.head import answer_fields, read_head

HOST = (b"host", b"x")


def test_ordinary_fields_go_on_in_order_when_nothing_is_wrong():
    fields = [(b"accept", b"a"), (b"x-custom", b"1"), (b"x-custom", b"2"), (b"content-type", b"text/plain")]
    head = read_head([HOST, *fields])
    assert (head.fields, head.fault) == (fields, None)


def test_fields_named_by_connection_are_taken_out_when_it_names_them():
    fields = [(b"connection", b"close, X-Custom"), (b"connection", b"accept"), (b"x-custom", b"1"), (b"accept", b"a")]
    assert read_head([HOST, *fields, (b"x-kept", b"1")]).fields == [(b"x-kept", b"1")]


@pytest.mark.parametrize(
    ("fields", "has_body"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"5")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_body_is_expected_when_the_framing_says_so(fields, has_body):
    assert read_head([HOST, *fields]).has_body is has_body


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [HOST, HOST],
        [HOST, (b"content-length", b"-1")],
        [HOST, (b"content-length", b"1"), (b"content-length", b"1")],
        [HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [HOST, (b"transfer-encoding", b"gzip, chunked")],
        [HOST, (b"authorization", b"a"), (b"authorization", b"a")],
        [HOST, (b"content-type", b"a"), (b"content-type", b"b")],
        [HOST, (b"x_user", b"a")],
        [HOST, *[(b"x", b"y")] * 100],
        [HOST, (b"x", b"y" * 33_000)],
    ],
)
def test_head_has_a_fault_when_it_is_not_clear(fields):
    assert read_head(fields).fault is not None


def test_answer_loses_what_is_meant_for_one_hop_when_it_goes_on():
    fields = [
        (b"Content-Type", b"text/plain"),
        (b"Connection", b"close, x-hop"),
        (b"X-Hop", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Server", b"s"),
        (b"Date", b"d"),
    ]
    assert answer_fields(fields) == [(b"content-type", b"text/plain")]
