import threading
import time
import unittest

from prefetch import AHEAD, ahead

THREAD_END_SECONDS = 5.0


class Prefetch(unittest.TestCase):
    def test_gives_the_same_items_in_the_same_order(self):
        self.assertEqual(list(ahead(range(20))), list(range(20)))

    def test_hands_a_failure_to_the_reader_after_the_items_before_it(self):
        def failing():
            yield 1
            raise ValueError("no such picture")

        read = []
        with self.assertRaisesRegex(ValueError, "no such picture"):
            for item in ahead(failing()):
                read.append(item)
        self.assertEqual(read, [1])

    def test_makes_no_more_than_asked_ahead_of_the_reader(self):
        made = []

        def counted():
            for number in range(100):
                made.append(number)
                yield number

        reader = ahead(counted())
        next(reader)
        time.sleep(0.3)
        # One read, AHEAD waiting, one in the maker's hand.
        self.assertLessEqual(len(made), AHEAD + 2)
        reader.close()

    def test_ends_its_thread_when_the_reader_leaves_early(self):
        before = threading.active_count()
        reader = ahead(range(100))
        next(reader)
        reader.close()
        limit = time.monotonic() + THREAD_END_SECONDS
        while threading.active_count() > before and time.monotonic() < limit:
            time.sleep(0.02)
        self.assertEqual(threading.active_count(), before)
