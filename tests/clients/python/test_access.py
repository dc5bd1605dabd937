"""Who a client is: on port $PORT certificates count ($DESK is an operator's), and a token ($TOKEN, an engineer's) says more."""

import asyncio
import os
import unittest

import continuo

PORT, DESK, TOKEN = os.environ["PORT"], os.environ["DESK"], os.environ["TOKEN"]


def track(name):
    operations = continuo.Operations()
    operations.add_track(name)
    return operations


class Access(unittest.TestCase):
    def test_a_certificate(self):
        for port in (PORT, PORT.replace("127.0.0.1", "localhost")):
            with continuo.Client(port, tls=DESK) as client:
                self.assertTrue(client.stop(wait="committed").outcome in ("COMMITTED", "APPLIED"))
                with self.assertRaises(continuo.RefusedError) as caught:
                    client.apply(track("vox"))
                self.assertEqual((caught.exception.status, caught.exception.exit_code), ("PERMISSION_DENIED", 77))
                with client.mirror() as mirror:
                    self.assertEqual(mirror.document, client.session().document)

    def test_a_token_over_it(self):
        with continuo.Client(PORT, tls=DESK, token_file=TOKEN) as client:
            client.apply(track("drums"))
            with client.mirror() as mirror, client.transaction() as tx:
                self.assertEqual(mirror.node("drums")["type"], "track")
                tx.remove_node("drums")
            self.assertEqual([e.path for e in client.media.list("media:")], [])

    def test_the_environment(self):
        shown = {"CONTINUO_SERVER": PORT, "CONTINUO_TLS": DESK, "CONTINUO_TOKEN_FILE": TOKEN}
        before = {name: os.environ.get(name) for name in shown}
        os.environ.update(shown)
        try:
            with continuo.Client() as client:
                self.assertEqual(client.address, PORT)
                self.assertTrue(client.apply(track("env"), dry_run=True).valid)
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value

    def test_a_wrong_token_and_none_at_all(self):
        wrong = TOKEN + ".wrong"
        with open(wrong, "w", encoding="utf-8") as file:
            file.write("nonsense\n")
        with continuo.Client(token_file=wrong) as client:
            for call in (client.status, client.session, lambda: next(client.watch()), lambda: next(client.meters()),
                         lambda: client.load({"format": 1}), lambda: client.media.put(wrong, "media:"),
                         lambda: client.mirror().__enter__()):
                with self.assertRaises(continuo.RefusedError):
                    call()
        with continuo.Client(PORT, retry_s=0) as client, self.assertRaises(continuo.NoServerError):
            client.status()

    def test_asyncio(self):
        async def both():
            async with continuo.AsyncClient(PORT, tls=DESK) as client:
                with self.assertRaises(continuo.RefusedError):
                    await client.apply(track("vox"))
            async with continuo.AsyncClient(PORT, tls=DESK, token_file=TOKEN) as client:
                self.assertTrue((await client.apply(track("vox"), dry_run=True)).valid)
                async with client.mirror() as mirror:
                    self.assertTrue(mirror.connected)
            async with continuo.AsyncClient(PORT, tls=DESK) as client:
                with self.assertRaises(continuo.RefusedError):
                    await client.media.delete("media:none")
        asyncio.run(both())


if __name__ == "__main__":
    unittest.main()
