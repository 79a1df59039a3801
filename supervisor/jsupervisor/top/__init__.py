"""`jsupervisor top`: the live screen of an instance, as a process of its own.

It asks, and nobody depends on its answers: whatever ends it harms nothing that it shows. Between what
is asked (`source`, `link`) and what is drawn (`app`) stands a pure model, which keeps what was known
last when the supervisor, or even init, is away.

    words.py      durations, sizes, rates as a few characters
    samples.py    one look at an instance: what init, jlaunchd and /proc said
    tree.py       modules in their groups
    model.py      looks and events in, rows out
    columns.py    rows as cells, as many columns as fit
    details.py    everything that is known of one module
    link.py       jlaunchd over gRPC: metrics, events, orders
    source.py     init, jlaunchd and /proc as one source that survives each of them
    feed.py       the threads that look and listen
    orders.py     what is ordered by key
    app.py        the Textual application; board.py: its main screen; panels.py, menus.py: their parts
"""
