"""The show lock against a daemon ($CONTINUO_SERVER): who has it alone writes, until it is given back or broken."""

import asyncio
import threading
import unittest

import continuo
from support import PATIENCE_S, Daemon, WithDaemon, until


class Leases(WithDaemon):
    def setUp(self):
        super().setUp()
        self.tracks("vox", "band")
        self.other = continuo.Client(name="other", timeout_s=PATIENCE_S)
        self.addCleanup(self.other.close)

    def refused(self, call):
        with self.assertRaises(continuo.BadDataError) as caught:
            call()
        self.assertEqual(caught.exception.reason, "LEASED")
        return caught.exception

    def test_in_the_block_nobody_else_writes(self):
        with self.client.lease("vox", note="show") as lease:
            self.assertTrue(lease.held)
            self.client.set("vox.gain_db", -3)
            error = self.refused(lambda: self.other.set("vox.gain_db", -6))
            self.assertIn("show", error.message)
            self.assertNotIn(lease.token, str(error))
            self.other.set("band.gain_db", -6)
            self.refused(lambda: self.other.load({"format": 1}))
            self.refused(self.other.lease("").__enter__)
            (seen,) = self.other.leases()
            self.assertEqual((seen.path, seen.holder.client, seen.token), ("vox", "test", ""))
        self.assertFalse(lease.held)
        self.other.set("vox.gain_db", -6)
        self.assertEqual(self.client.leases(), [])

    def test_the_whole_and_a_part_of_it(self):
        with self.client.lease() as whole, self.client.lease("vox"):
            self.client.set("vox.gain_db", -3)
            self.client.play()
            self.refused(lambda: self.other.stop())
            self.refused(lambda: self.other.use_device("clock"))
            self.client.use_device("clock")
            later = self.client.stop(at="1:00").transaction_id
            self.refused(lambda: self.other.cancel(later))
            self.client.cancel(later)
            self.assertEqual(len(self.client.leases()), 2)
            self.client.load({"format": 1})  # with every token; and they end with the session that they were of
            until(lambda: not self.client.leases(), "no lease is left")
        self.assertFalse(whole.held)

    def test_it_is_renewed(self):
        with self.client.lease("vox", seconds=1.0) as lease:
            first = lease.lease.ends_utc
            until(lambda: lease.lease.ends_utc > first, "it ends later than it did")
            second = lease.lease.ends_utc
            until(lambda: lease.lease.ends_utc > second, "and later again")
            self.refused(lambda: self.other.set("vox.gain_db", -6))

    def test_a_broken_one_is_not_sent_any_more(self):
        with self.client.lease("vox", seconds=1.0) as lease:
            self.other.break_lease(self.other.leases()[0].lease_id)
            with self.other.lease("vox"):
                until(lambda: not lease.held, "the client hears of it")
                self.refused(lambda: self.client.set("vox.gain_db", -3))
        with self.assertRaises(continuo.NotFoundError):
            self.other.break_lease(lease.lease.lease_id)

    def test_what_raises_gives_it_back(self):
        with self.assertRaises(ZeroDivisionError), self.client.lease("vox"):
            1 / 0
        self.assertEqual(self.client.leases(), [])
        with self.assertRaises(continuo.NotFoundError):
            self.client.lease("nobody").__enter__()
        with self.assertRaises(continuo.UsageError):
            _ = self.client.lease("vox").token
        with self.client.lease("vox", seconds=86400):
            pass
        with self.assertRaises(continuo.BadDataError) as caught:
            self.client.lease("vox", seconds=0.5).__enter__()
        self.assertEqual(caught.exception.field, "seconds")

    def test_threads_that_take_the_same_one_by_turns(self):
        inside, worst = [], []

        def work():
            with continuo.Client(timeout_s=PATIENCE_S) as client:
                for _ in range(5):
                    def attempt():
                        try:
                            return client.lease("vox").__enter__()
                        except continuo.BadDataError:
                            return None
                    while (lease := attempt()) is None:
                        pass
                    inside.append(1)
                    worst.append(len(inside))
                    client.set("vox.gain_db", -3)
                    inside.pop()
                    lease.__exit__(None, None, None)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        self.assertEqual((len(worst), max(worst)), (15, 1))

    def test_asyncio(self):
        async def both():
            async with continuo.AsyncClient(timeout_s=PATIENCE_S) as client:
                async with client.lease("vox", seconds=1.0) as lease:
                    await client.set("vox.gain_db", -3)
                    self.refused(lambda: self.client.set("vox.gain_db", -6))
                    first = lease.lease.ends_utc
                    while lease.lease.ends_utc == first:
                        await asyncio.sleep(0.02)
                    self.assertEqual([seen.path for seen in await client.leases()], ["vox"])
                self.client.set("vox.gain_db", -6)
                async with client.lease("vox", seconds=1.0) as lease:
                    await client.break_lease((await client.leases())[0].lease_id)
                    while lease.held:
                        await asyncio.sleep(0.02)
        asyncio.run(asyncio.wait_for(both(), PATIENCE_S))


class OverARestart(unittest.TestCase):
    def test_a_lease_does_not_outlive_the_daemon(self):
        with Daemon() as daemon, continuo.Client(daemon.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            with client.lease(seconds=1.0) as lease:
                daemon.stop()
                daemon.start()
                until(lambda: not lease.held, "the client hears that it is gone")
                client.stop()


if __name__ == "__main__":
    unittest.main()
