"""Carries an instance's events and metrics to OpenTelemetry.

A process of its own (`jsupervisor export otlp`), which watches from outside like any other operator: over
init's socket, which survives jlaunchd, and over the metrics socket. The SDK has threads, retries and a
hundred modules; nothing of that has a place in the supervisor, and the exporter's crash hurts nobody.

    restarts.py   events -> spans: one restart with its phases (pure)
    points.py     OpenMetrics text -> OTLP's data points (pure, but for the SDK's types)
    otlp.py       the SDK's exporters, in a thread that the watching never waits for
    exporter.py   the loop
"""
