import pytest

from datamate.platform.telemetry.context import current_request, read_context, request_scope, trace_fields

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_trace_goes_on_under_a_new_span_when_the_header_is_valid():
    context = read_context(traceparent=f"00-{TRACE}-00f067aa0ba902b7-00".encode())
    assert (context.trace_id, context.flags) == (TRACE, "00")
    assert context.span_id != "00f067aa0ba902b7"
    assert context.traceparent == f"00-{TRACE}-{context.span_id}-00"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"garbage",
        f"ff-{TRACE}-00f067aa0ba902b7-01".encode(),
        f"00-{'0' * 32}-00f067aa0ba902b7-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01".encode(),
        f"00-{TRACE}-00f067aa0ba902b7-01-more".encode(),
        f"00-{TRACE}-00f067aa0ba902b7-01\n".encode(),
    ],
)
def test_trace_is_new_when_the_header_is_not_valid(header):
    context = read_context(traceparent=header)
    assert context.trace_id != TRACE
    assert len(context.trace_id) == 32


def test_trace_goes_on_when_a_later_version_has_more_fields():
    assert read_context(traceparent=f"01-{TRACE}-00f067aa0ba902b7-01-x".encode()).trace_id == TRACE


@pytest.mark.parametrize(("sent", "kept"), [(b"abc-1.2_x", True), (b"", False), (b"a b", False), (b"a" * 65, False)])
def test_request_id_is_kept_when_it_is_plain(sent, kept):
    context = read_context(request_id=sent)
    assert (context.request_id == sent.decode()) is kept


def test_fields_for_the_next_service_exist_when_inside_a_request():
    assert trace_fields() == []
    with request_scope(read_context()) as context:
        assert current_request() is context
        assert dict(trace_fields())[b"traceparent"].decode() == context.traceparent
    assert current_request() is None
