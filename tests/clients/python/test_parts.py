"""What needs no daemon: addresses, times, errors, operations, files."""

import datetime
import hashlib
import os
import pathlib
import random
import socket
import stat
import tempfile
import unittest

import continuo
from continuo import _calls, _server, errors, files, show, v1, when
from continuo._transfer import Attempts, download_target


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Addresses(Folder):
    def test_what_is_an_address(self):
        for given, target in (("unix:/run/a", "unix:/run/a"), ("unix:///run/a", "unix:/run/a"), ("/run/a", "unix:/run/a"),
                              ("desk:50551", "desk:50551"), ("[::1]:50551", "[::1]:50551"), ("unix:a", f"unix:{os.getcwd()}/a")):
            self.assertEqual(_server.find_server(given, {}), target)
            self.assertEqual(_server.find_server(None, {"CONTINUO_SERVER": given}), target)
        for given in ("desk", "desk:", ":1", "unix:", "desk:1x", "a:-1"):
            with self.subTest(given), self.assertRaises(continuo.UsageError) as caught:
                _server.find_server(given, {})
            self.assertEqual((caught.exception.exit_code, caught.exception.reason), (64, "BAD_ADDRESS"))

    def test_the_users_socket_comes_first(self):
        environment = {"XDG_RUNTIME_DIR": str(self.folder)}
        self.assertEqual(_server.default_sockets(environment)[0], f"{self.folder}/continuo/continuo.sock")
        (self.folder / "continuo").mkdir()
        path = self.folder / "continuo" / "continuo.sock"
        path.write_text("no socket")
        with socket.socket(socket.AF_UNIX) as daemon:
            path.unlink()
            daemon.bind(str(path))
            self.assertEqual(_server.find_server(None, environment), f"unix:{path}")

    def test_identity(self):
        found = _server.find_identity
        self.assertEqual(found("unix:/a", environment={"CONTINUO_TLS": "/t"}).tls, None)
        self.assertEqual(found("127.0.0.1:1", environment={"CONTINUO_TLS": "/t", "CONTINUO_TOKEN_FILE": "/f"}),
                         _server.Identity(pathlib.Path("/f"), pathlib.Path("/t")))
        environment = {"XDG_CONFIG_HOME": str(self.folder)}
        self.assertEqual(found("desk:1", environment=environment).tls, None)
        (self.folder / "continuo" / "tls").mkdir(parents=True)
        self.assertEqual(found("desk:1", environment=environment).tls, self.folder / "continuo" / "tls")
        self.assertEqual(found("localhost:1", environment=environment).tls, None)
        with self.assertRaises(continuo.RefusedError) as caught:
            _server.credentials("desk:1", _server.Identity())
        self.assertEqual(caught.exception.reason, "NO_CERTIFICATE")
        with self.assertRaises(continuo.NotFoundError):
            _server.credentials("desk:1", _server.Identity(tls=self.folder))

    def test_tokens(self):
        file = self.folder / "token"
        file.write_text("secret\nrest\n")
        self.assertEqual(_server.call_metadata(_server.Identity(token_file=file)), (("authorization", "Bearer secret"),))
        for text in ("", "\nx", "a b", "a\tb", "x" * 1001):
            file.write_text(text)
            with self.subTest(text[:5]), self.assertRaises(continuo.BadDataError):
                _server.read_token(file)
        with self.assertRaises(continuo.NotFoundError):
            _server.read_token(self.folder / "none")


class Moments(unittest.TestCase):
    def test_texts(self):
        rate = 48000.0
        for text, kind, value in (("+3s", "after_seconds", 3.0), ("+250ms", "after_seconds", 0.25), ("+1:00", "after_seconds", 60.0),
                                  ("1:02.5", "timeline_frame", 3000000), ("62.5s", "timeline_frame", 3000000), ("0", "timeline_frame", 0),
                                  ("48000f", "timeline_frame", 48000), ("1:00:00", "timeline_frame", 172800000), ("90:00", "timeline_frame", 259200000),
                                  ("@2026-11-20T12:00:00Z", "utc", "2026-11-20T12:00:00Z")):
            with self.subTest(text):
                self.assertEqual(getattr(when.to_when(text, rate), kind), value)
                self.assertEqual(when.to_when(text, rate).WhichOneof("kind"), kind)
        for text in ("", "3", "-1s", "+", "+48000f", "1:75", "1:60:00", "x", "1e3s", "nan", "infs", f"{1 << 53}0f", "9007199254740992s"):
            with self.subTest(text), self.assertRaises(continuo.UsageError):
                when.to_when(text, rate)

    def test_values(self):
        moment = datetime.datetime(2026, 11, 20, 13, 0, 0, 500000, datetime.timezone(datetime.timedelta(hours=1)))
        self.assertEqual(when.to_when(moment).utc, "2026-11-20T12:00:00.500000Z")
        with self.assertRaises(continuo.UsageError):
            when.to_when(datetime.datetime(2026, 11, 20))
        self.assertEqual(when.to_when(datetime.timedelta(milliseconds=1500)).after_seconds, 1.5)
        self.assertEqual(continuo.engine_frame(7, 3).engine_frame.generation, 3)
        self.assertFalse(continuo.engine_frame(7).engine_frame.HasField("generation"))
        self.assertEqual([when.needs_rate(text) for text in (None, "+1s", "@x", "5f", "now", "1:00", continuo.timeline(5))],
                         [False, False, False, False, False, True, False])


def field(number, blob):
    return bytes([number << 3 | 2, len(blob)]) + blob


class Errors(unittest.TestCase):
    INFO = field(3, field(1, b"type.googleapis.com/google.rpc.ErrorInfo") + field(2, field(1, b"FULL") + field(2, b"continuo")))
    REQUEST = field(3, field(1, b"type.googleapis.com/google.rpc.BadRequest") + field(2, field(1, field(1, b"a.b") + field(2, b"why"))))

    def test_details(self):
        self.assertEqual(errors.read_details(b"\x08\x03" + field(2, b"text") + self.INFO + self.REQUEST), ("FULL", "a.b"))
        self.assertEqual(errors.read_details(self.INFO), ("FULL", ""))
        self.assertEqual(errors.read_details(b""), ("", ""))

    def test_broken_details_are_no_fault(self):
        dice = random.Random(1)
        whole = self.INFO + self.REQUEST
        for end in range(len(whole)):
            errors.read_details(whole[:end])
        for _ in range(3000):
            broken = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            errors.read_details(bytes(broken))
        errors.read_details(b"\xff" * 40)

    def test_one_class_an_exit_code(self):
        table = {"INVALID_ARGUMENT": 65, "FAILED_PRECONDITION": 65, "NOT_FOUND": 66, "UNAVAILABLE": 69, "UNIMPLEMENTED": 69,
                 "INTERNAL": 70, "UNKNOWN": 70, "ALREADY_EXISTS": 73, "DATA_LOSS": 74, "ABORTED": 75, "DEADLINE_EXCEEDED": 75,
                 "RESOURCE_EXHAUSTED": 75, "UNAUTHENTICATED": 77, "PERMISSION_DENIED": 77}
        for status, code in table.items():
            self.assertEqual(errors.make_error(status, "x").exit_code, code, status)
        self.assertEqual(errors.make_error("RESOURCE_EXHAUSTED", "x", "DISK_FULL").exit_code, 74)
        self.assertEqual(str(errors.make_error("NOT_FOUND", "no node", "UNKNOWN_NODE", "path")), "no node (UNKNOWN_NODE, field path)")

    def test_pauses(self):
        backoff = _calls.Backoff()
        self.assertEqual([backoff.pause_s() for _ in range(7)], [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0])
        attempts = Attempts(retry_s=0.0)
        with self.assertRaises(continuo.NoServerError):
            attempts.pause_s(errors.make_error("UNAVAILABLE", "x"))
        with self.assertRaises(continuo.NotFoundError):
            Attempts(retry_s=60.0).pause_s(errors.make_error("NOT_FOUND", "x"))
        self.assertEqual(Attempts(retry_s=60.0).pause_s(errors.make_error("ABORTED", "x", "UPLOAD_BUSY")), 0.05)


class Building(unittest.TestCase):
    def test_operations(self):
        tx = continuo.Operations()
        tx.add_track("mix/vox", "media:a.wav", {"gain_db": -3}, label="Vox", connect="out:3", before="bass")
        tx.set("vox/eq1.band1.freq_hz", 100, ramp_ms=0)
        tx.automate("vox.gain_db", [(0, -6), (10, 0, "hold")])
        tx.record_start("vox", file="takes:a.flac", format="flac24", split_channels=False)
        tx.queue_remove("deck/p")
        tx.go(expected="12.5")
        add, connect, set_params, lane, record, remove, go = tx.operations
        self.assertEqual((add.add_node.parent, add.add_node.before), ("mix", "bass"))
        self.assertEqual(dict(add.add_node.node)["id"], "vox")
        self.assertEqual((getattr(connect.connect, "from"), connect.connect.to), ("mix/vox", "out:3"))
        self.assertEqual((set_params.set_params.path, list(set_params.set_params.values)), ("vox/eq1", ["band1.freq_hz"]))
        self.assertTrue(set_params.set_params.HasField("ramp_ms"))
        self.assertFalse(lane.set_automation.HasField("on"))
        self.assertEqual((record.record_start.format, record.record_start.HasField("split_channels")), (v1.TAKE_FORMAT_FLAC24, True))
        self.assertTrue(remove.queue_remove.all)
        self.assertEqual(go.go.expected.name, "12.5")

    def test_nonsense_is_found_before_it_is_sent(self):
        tx = continuo.Operations()
        for wrong in (lambda: tx.set("vox", 1), lambda: tx.set(".x", 1), lambda: tx.add_node("a/", "track"),
                      lambda: tx.add_node("/a", "track"), lambda: tx.set("a.b", None), lambda: tx.set("a.b", [1]),
                      lambda: tx.record_start(format="MP3"), lambda: tx.queue_set("d", "third", {}),
                      lambda: tx.queue_insert("d", [{"flie": "a"}]), lambda: _calls.apply_request([], _calls.Send(wait="x"), "", 0, []),
                      lambda: _calls.events_request(None, None, ["party"], 0, 1, False)):
            with self.assertRaises(continuo.UsageError):
                wrong()
        self.assertEqual(tx.operations, [])

    def test_every_attempt_has_the_same_id(self):
        request = _calls.apply_request([], _calls.Send(max_wait_s=0.25), "me", 0, [])
        self.assertEqual(len(request.request_id), 36)
        self.assertNotEqual(request.request_id, _calls.apply_request([], _calls.Send(), "me", 0, []).request_id)
        self.assertEqual((request.max_wait_ms, request.HasField("wait"), request.HasField("when")), (250, False, False))
        self.assertEqual(_calls.Send(max_wait_s=30).call_timeout_s(10), 32)
        self.assertEqual(show.to_item_ref(7).uid, 7)


class Files(Folder):
    def test_a_new_file_is_whole_or_not_there(self):
        target = self.folder / "a"
        with files.NewFile(target, False) as fresh:
            fresh.write(b"wrong")
            fresh.restart()
            fresh.write(b"right")
            self.assertEqual(fresh.sha256(), hashlib.sha256(b"right").hexdigest())
            self.assertFalse(target.exists())
            fresh.publish()
        self.assertEqual(target.read_bytes(), b"right")
        self.assertEqual(stat.S_IMODE(target.stat().st_mode) & 0o600, 0o600)
        with self.assertRaises(continuo.ExistsError):
            files.NewFile(target, False)
        with files.NewFile(self.folder / "b", False) as fresh, self.assertRaises(continuo.ExistsError):
            (self.folder / "b").write_text("somebody was faster")
            fresh.publish()
        with files.NewFile(target, True) as fresh:
            fresh.write(b"new")
            fresh.publish()
        with self.assertRaises(RuntimeError), files.NewFile(target, True) as fresh:
            fresh.write(b"half")
            raise RuntimeError
        self.assertEqual(target.read_bytes(), b"new")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a", "b"])
        with self.assertRaises(continuo.ExistsError):
            files.NewFile(self.folder / "none" / "a", True)

    def test_what_is_sent(self):
        with self.assertRaises(continuo.NotFoundError):
            files.LocalFile(self.folder)
        with self.assertRaises(continuo.NotFoundError):
            files.LocalFile(self.folder / "none")
        source = self.folder / "a"
        source.write_bytes(b"x" * (files.PIECE_BYTES + 1))
        with files.LocalFile(source) as local:
            self.assertEqual([len(local.piece(at)) for at in (0, files.PIECE_BYTES, files.PIECE_BYTES + 1)], [files.PIECE_BYTES, 1, 0])
            self.assertEqual(local.sha256(), hashlib.sha256(source.read_bytes()).hexdigest())
            os.truncate(source, 5)
            with self.assertRaises(continuo.StorageError):
                local.piece(files.PIECE_BYTES)

    def test_names(self):
        (self.folder / "deep" / "er").mkdir(parents=True)
        roots = {"all": str(self.folder), "deep": str(self.folder / "deep"), "gone": "/nowhere"}
        self.assertEqual(_calls.media_name(roots, self.folder / "deep" / "er" / "a.wav"), "deep:er/a.wav")
        self.assertEqual(_calls.media_name(roots, self.folder), "all:")
        self.assertIsNone(_calls.media_name(roots, "/etc/passwd"))
        self.assertIsNone(_calls.media_name({"all": str(self.folder)}, str(self.folder) + "x"))
        self.assertEqual(download_target("takes:day/a.wav", None), pathlib.Path("a.wav"))
        self.assertEqual(download_target("takes:a.wav", self.folder), self.folder / "a.wav")
        with self.assertRaises(continuo.NotFoundError):
            files.read_session(self.folder / "none.json")
        with self.assertRaises(continuo.BadDataError):
            files.read_session(self.folder)


if __name__ == "__main__":
    unittest.main()
