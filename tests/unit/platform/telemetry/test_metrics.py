from datamate.platform.telemetry.metrics import RequestMetrics, render_metrics


def value(sample: str) -> float:
    return next(
        (float(line.split()[-1]) for line in render_metrics().decode().splitlines() if line.startswith(sample)), 0
    )


def test_open_requests_go_up_and_down_when_requests_come_and_go():
    metrics = RequestMetrics("of-this-test")
    gauge = 'datamate_http_requests_open{service="of-this-test"}'
    metrics.start()
    metrics.start()
    assert value(gauge) == 2
    metrics.finish("GET", "/a", 200, 0.1)
    assert value(gauge) == 1


def test_count_and_seconds_grow_when_requests_end():
    metrics = RequestMetrics("counted")
    for _ in range(3):
        metrics.start()
        metrics.finish("GET", "/a/{id}", 404, 0.5)
    labels = '{method="GET",route="/a/{id}",service="counted",status="404"}'
    assert value(f"datamate_http_request_seconds_count{labels}") == 3
    assert value(f"datamate_http_request_seconds_sum{labels}") == 1.5


def test_methods_make_one_series_when_clients_invent_them():
    metrics = RequestMetrics("inventive")
    for number in range(50):
        metrics.start()
        metrics.finish(f"X{number}", "/a", 405, 0.1)
    assert (
        value('datamate_http_request_seconds_count{method="other",route="/a",service="inventive",status="405"}') == 50
    )
    assert not metrics._histograms
