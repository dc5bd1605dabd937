"""proto_self_test.py: the check of the contract can fail. A small contract and its release pass, and so does one that grew; then one
break at a time is planted, and the check must name it."""

import os
import subprocess
import sys
import tempfile

from proto_set import compile_files

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = """// Roles.
syntax = "proto3";
package continuo.v1;
import "google/protobuf/descriptor.proto";
// Who may.
enum Role {
  ROLE_UNSPECIFIED = 0;
  // Looks.
  ROLE_VIEWER = 1;
  // Does.
  ROLE_OPERATOR = 2;
}
extend google.protobuf.MethodOptions {
  // The least.
  optional Role role = 52001;
}
extend google.protobuf.FieldOptions {
  // The least.
  optional Role operation_role = 52002;
}
"""
DECK = """// Decks.
syntax = "proto3";
package continuo.v1;
import "continuo/v1/options.proto";
import public "continuo/v1/tape.proto";
// A deck.
service DeckService {
  // Starts.
  rpc Play(PlayRequest) returns (PlayResponse) {
    option (role) = ROLE_OPERATOR;
  }
  // Follows.
  rpc Watch(PlayRequest) returns (stream PlayResponse) {
    option (role) = ROLE_VIEWER;
  }
}
// What Play takes.
message PlayRequest {
  reserved 5, 8 to 9;
  reserved "speed";
  // Which.
  string deck = 1;
  // dB, -150 to 24.
  optional double gain_db = 2;
  oneof from {
    // Frames.
    sint64 frame = 3;
    // Seconds.
    double seconds = 4;
  }
  // From 1.
  repeated uint32 channels = 6;
  // By name.
  map<string, double> levels = 7;
  // What it is.
  Tape tape = 10;
}
// What Play answers.
message PlayResponse {}
// One of them.
message Operation {
  oneof kind {
    // Starts.
    PlayRequest play = 1 [(operation_role) = ROLE_OPERATOR];
  }
}
"""
TAPE = """// Tapes.
syntax = "proto3";
package continuo.v1;
// A tape.
message Tape {
  // How it moves.
  Motion motion = 1;
  // How it may move.
  enum Motion {
    MOTION_UNSPECIFIED = 0;
    // Not.
    MOTION_STILL = 1;
    // So.
    MOTION_ROLLING = 2;
  }
}
"""
FILES = {"options": OPTIONS, "deck": DECK, "tape": TAPE}
MOVED = TAPE[TAPE.index("// A tape"):]

# What is allowed: file, what is replaced, by what.
GROWTH = [
    ("deck", "message PlayResponse {}", "message PlayResponse {\n  // Hz.\n  double rate_hz = 1;\n}"),
    ("deck", "  // Which.\n", "  // Another comment.\n"),
    ("deck", "    // Seconds.\n", "    // By name.\n    string mark = 12;\n    // Seconds.\n"),
    ("deck", "  // Follows.\n", "  // Stops.\n  rpc Stop(PlayRequest) returns (PlayResponse) {\n    option (role) = ROLE_OPERATOR;\n  }\n  // Follows.\n"),
    ("deck", "reserved 5,", "reserved 5, 11,"),
    ("tape", "    // Not.\n", "    // Back.\n    MOTION_BACK = 3;\n    // Not.\n"),
    # To a file that this one passes on.
    ("deck", "// What Play answers.\nmessage PlayResponse {}\n", "", "tape", "// A tape.\n", "// What Play answers.\nmessage PlayResponse {}\n// A tape.\n"),
]
# The same, and what the check must say.
SINS = [
    ("deck", "  // Which.\n  string deck = 1;\n", "", "field continuo.v1.PlayRequest.deck is gone"),
    ("deck", "  // Which.\n  string deck = 1;\n", "  reserved 1;\n", "field continuo.v1.PlayRequest.deck is gone"),
    ("deck", "string deck = 1;", "string deck = 11;", "PlayRequest.deck was number 1, now 11"),
    ("deck", "string deck = 1;", "string player = 1;", "its name was deck, now player"),
    ("deck", "string deck = 1;", 'string deck = 1 [json_name = "d"];', "its JSON name was deck, now d"),
    ("deck", "string deck = 1;", "bytes deck = 1;", "its type was string, now bytes"),
    ("deck", "Tape tape = 10;", "PlayResponse tape = 10;", "its type was message .continuo.v1.Tape, now message .continuo.v1.PlayResponse"),
    ("deck", "sint64 frame = 3;", "int64 frame = 3;", "its type was sint64, now int64"),
    ("deck", "optional double gain_db", "double gain_db", "its label was optional, now none"),
    ("deck", "string deck = 1;", "repeated string deck = 1;", "its label was none, now repeated"),
    ("deck", "repeated uint32 channels = 6;", "repeated uint32 channels = 6 [packed = false];", "its packing was the default, now False"),
    ("deck", "map<string, double>", "map<string, float>", "PlayRequest.levels: its type was map<string, double>, now map<string, float>"),
    ("deck", "  oneof from {\n    // Frames.\n    sint64 frame = 3;\n", "  // Frames.\n  sint64 frame = 3;\n  oneof from {\n", "its oneof was from, now none"),
    ("deck", "  oneof from {", "  oneof place {", "its oneof was from, now place"),
    ("deck", "reserved 5, 8 to 9;", "reserved 8 to 9;", "the number 5 is no longer reserved"),
    ("deck", "reserved 5, 8 to 9;", "reserved 5, 8;", "the number 9 is no longer reserved"),
    ("deck", '  reserved "speed";\n', "", "the name speed is no longer reserved"),
    ("deck", "rpc Play(PlayRequest) returns", "rpc Start(PlayRequest) returns", "method continuo.v1.DeckService.Play is gone"),
    ("deck", "rpc Play(PlayRequest)", "rpc Play(Operation)", "its request was .continuo.v1.PlayRequest"),
    ("deck", "returns (PlayResponse) {\n    option (role) = ROLE_OPERATOR;", "returns (Tape) {\n    option (role) = ROLE_OPERATOR;", "its response was .continuo.v1.PlayResponse"),
    ("deck", "rpc Play(PlayRequest)", "rpc Play(stream PlayRequest)", "its streaming of requests was False"),
    ("deck", "returns (stream PlayResponse)", "returns (PlayResponse)", "its streaming of responses was True"),
    ("deck", "    option (role) = ROLE_OPERATOR;", "    option (role) = ROLE_VIEWER;", "its role was 2, now 1"),
    ("deck", "    option (role) = ROLE_VIEWER;", "    option (role) = ROLE_OPERATOR;", "its role was 1, now 2"),
    ("deck", "[(operation_role) = ROLE_OPERATOR]", "[(operation_role) = ROLE_VIEWER]", "operation continuo.v1.Operation.play: its role was 2, now 1"),
    ("deck", "service DeckService", "service PlayerService", "service continuo.v1.DeckService is gone"),
    ("deck", "message PlayResponse {}", "", "\"PlayResponse\" is not defined"),
    ("tape", "    // So.\n    MOTION_ROLLING = 2;\n", "", "enum value continuo.v1.Tape.Motion.MOTION_ROLLING is gone"),
    ("tape", "MOTION_ROLLING = 2;", "MOTION_ROLLING = 3;", "MOTION_ROLLING was number 2, now 3"),
    ("tape", "MOTION_ROLLING = 2;", "MOTION_MOVING = 2;", "MOTION_ROLLING is now called MOTION_MOVING"),
    ("tape", MOVED, "", "options", "// Who may.\n", MOVED + "// Who may.\n", "message continuo.v1.Tape was in continuo/v1/tape.proto"),
    ("options", "52001", "52003", "names no role"),
    # What every declaration owes a reader.
    ("deck", "  // Which.\n", "", "field continuo.v1.PlayRequest.deck has no comment"),
    ("deck", "// What Play takes.\n", "", "message continuo.v1.PlayRequest has no comment"),
    ("deck", "  // Starts.\n  rpc", "  rpc", "method continuo.v1.DeckService.Play has no comment"),
    ("deck", "// A deck.\n", "", "service continuo.v1.DeckService has no comment"),
    ("deck", "// Decks.\n", "", "file continuo/v1/deck.proto has no comment"),
    ("tape", "    // Not.\n", "", "enum value continuo.v1.Tape.Motion.MOTION_STILL has no comment"),
    ("tape", "  // How it may move.\n", "", "enum continuo.v1.Tape.Motion has no comment"),
    ("tape", "MOTION_UNSPECIFIED", "MOTION_NONE", "value 0 is MOTION_UNSPECIFIED"),
    ("tape", "    // Not.\n", "    // Back.\n    BACK = 3;\n    // Not.\n", "BACK begins with MOTION_"),
    ("deck", "// What Play takes.\n", "// More.\nservice SecondService {}\n// What Play takes.\n", "one file a service"),
    ("deck", "    option (role) = ROLE_OPERATOR;\n", "", "names no role: nobody could call it"),
    ("deck", " [(operation_role) = ROLE_OPERATOR]", "", "names no role: nobody could send it"),
    ("tape", "package continuo.v1;", "package continuo.v2;", "\"Tape\" is not defined"),
    ("deck", "string deck = 1;", "string deck = 5;", "uses reserved number 5"),
]


def plant(root, edits):
    """The tree with each (file, old, new) of `edits` in force."""
    for name, text in FILES.items():
        for at, old, new in edits:
            if at == name:
                if old not in text:
                    raise ValueError(f"{old!r} is not in {name}")
                text = text.replace(old, new, 1)
        path = os.path.join(root, "proto/continuo/v1", name + ".proto")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def main():
    failed = 0

    def expect(what, good, said):
        nonlocal failed
        if not good:
            failed += 1
            print(f"FAIL {what}\n{said}")

    def run(edits, prepare=lambda root: None):
        with tempfile.TemporaryDirectory(prefix="continuo-proto-") as root:
            plant(root, [])
            release = os.path.join(root, "proto/released/continuo-v1.binpb")
            os.makedirs(os.path.dirname(release))
            made = compile_files(os.path.join(root, "proto"), [f"continuo/v1/{name}.proto" for name in FILES], source_info=False)
            with open(release, "wb") as file:
                file.write(made.SerializeToString())
            plant(root, edits)
            prepare(root)
            done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "proto_rules.py"), root], capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def triples(row):
        return [row[i:i + 3] for i in range(0, len(row) - 2, 3)]

    code, said = run([])
    expect("a contract as it was released passes", code == 0, said)
    for row in GROWTH:
        code, said = run(triples(row))
        expect(f"{row[2]!r} in place of {row[1]!r} is growth", code == 0, said)
    for row in SINS:
        code, said = run(triples(row[:-1]))
        expect(f"{row[-1]!r} for {row[2]!r} in place of {row[1]!r}", code == 1 and row[-1] in said and "Traceback" not in said, said)
    code, said = run([], lambda root: os.remove(os.path.join(root, "proto/released/continuo-v1.binpb")))
    expect("no release to compare with", code == 1 and "no descriptor set of a release" in said, said)
    code, said = run([], lambda root: open(os.path.join(root, "proto/released/continuo-v1.binpb"), "wb").close())
    expect("an empty release", code == 1 and "nothing of continuo.v1" in said, said)
    with tempfile.TemporaryDirectory(prefix="continuo-proto-") as empty:
        done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "proto_rules.py"), empty], capture_output=True, text=True)
        expect("an empty folder", done.returncode == 1, done.stdout)
    print(f"{len(SINS)} breaks planted, {failed} of all not as expected")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
