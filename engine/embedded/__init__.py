"""Runs one workflow in one process: topics in memory, states and archive in SQLite, live.

    from engine.embedded.store import Store
    from engine.embedded.runner import Embedded

    store = Store(folder)                     # DIR/state.db; one process at a time, raises StoreFailed
    embedded = Embedded(plan, store, clock=SystemClock(), process="embedded")
    embedded.start()                          # restores, applies a pending tick, then a thread takes what is sent

    embedded.send(topic: str, values: Sequence[bytes], *, key: bytes | None = None, idempotency: str | None = None)
        -> Future[Receipt]                    # done once the checkpoint that holds the messages is on the disk
        # Receipt(topic, messages, first, last, replayed); raises UnknownTopic, Full(after), Ended

    embedded.view() -> View                   # from any thread, a copy
        # View(time, streams, emissions, rejects, metrics, firing, changes)
        #   streams: StreamView(name, topic, messages, rate (messages a second), time (stream time or None))
        #   metrics: last Metric of each series (the newest 10,000), firing: Alerts, changes: the last 100 Alerts

    embedded.ended -> Future[None]            # done when the thread has ended, with StoreFailed where it had to
    embedded.close()                          # takes nothing more, answers what waits, checkpoints; then store.close()

What the archiver reads: Store.archive_after, position, save_position, refused, drop_passed, wait_newer; each may be
called from any thread.
"""
