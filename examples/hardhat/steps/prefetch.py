"""Makes the next batches while the processor trains on this one: augmentation runs on one core, training waits for both."""

import queue
import threading

AHEAD = 2


def ahead(iterable):
    """The same items in the same order, made by a thread of its own, at most AHEAD of the reader."""
    made = queue.Queue(maxsize=AHEAD)
    stopped = threading.Event()
    end = object()

    def put(item):
        while not stopped.is_set():
            try:
                return made.put(item, timeout=0.1)
            except queue.Full:
                continue

    def work():
        try:
            for item in iterable:
                if stopped.is_set():
                    return
                put((item, None))
            put((end, None))
        except BaseException as cause:  # handed to the reader, who raises it
            put((end, cause))

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            item, cause = made.get()
            if cause is not None:
                raise cause
            if item is end:
                return
            yield item
    finally:
        stopped.set()
