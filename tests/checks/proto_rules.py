"""proto_rules.py ROOT: the contract only grows. The files of proto/ are compared with every descriptor set in proto/released,
and each declaration has a comment. Needs protoc and python3-protobuf."""

import os
import sys

import tree
from google.protobuf import descriptor_pb2 as pb
from proto_set import Contract, compile_files, read_set, upper_snake

PACKAGE = "continuo.v1"
FOLDER = "continuo/v1/"
ROLES = {"rpc": ("role", 52001), "field": ("operation_role", 52002)}
KINDS = {number: name[5:].lower() for name, number in pb.FieldDescriptorProto.Type.items()}
LABELS = {number: name[6:].lower() for name, number in pb.FieldDescriptorProto.Label.items()}
WORDS = {"value": "enum value", "rpc": "method"}


def role_of(declaration):
    """The number of its role, read off the wire, so that no generated code is needed; None where it has none."""
    wanted, data, at, role = ROLES[declaration.kind][1], declaration.proto.options.SerializeToString(), 0, None

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            value = varint()
            role = value if tag >> 3 == wanted else role
        else:
            at += {1: 8, 5: 4}.get(tag & 7) or varint()
    return role


def type_of(field, message):
    entry = next((one for one in message.nested_type if one.options.map_entry and field.type_name.endswith(f".{message.name}.{one.name}")), None)
    if entry:
        return f"map<{type_of(entry.field[0], entry)}, {type_of(entry.field[1], entry)}>"
    return f"{KINDS[field.type]} {field.type_name}".rstrip()


def shape(field, message):
    """What a client depends on, by what it is called in a finding."""
    in_oneof = field.HasField("oneof_index") and not field.proto3_optional
    return {
        "name": field.name,
        "JSON name": field.json_name,
        "type": type_of(field, message),
        "label": "optional" if field.proto3_optional else LABELS[field.label] if field.label == field.LABEL_REPEATED else "none",
        "oneof": message.oneof_decl[field.oneof_index].name if in_oneof else "none",
        "packing": str(field.options.packed) if field.options.HasField("packed") else "the default",
    }


def declared(proto):
    """Reserved numbers and names of a message or an enum."""
    last = 0 if isinstance(proto, pb.DescriptorProto) else 1  # of an enum the end is part of the range
    return {number for r in proto.reserved_range for number in range(r.start, min(r.end + last, r.start + 100000))}, set(proto.reserved_name)


def breaks(old, new, say):
    """Whatever a client of `old` would notice in `new`."""
    for was in old.declarations:
        if was.kind in ("file", "field", "value", "extension"):
            continue
        now = new.find(was.kind, was.name)
        word = WORDS.get(was.kind, was.kind)
        if now is None:
            if was.parent is None or new.find(was.parent.kind, was.parent.name):
                say(None, f"{word} {was.name} is gone")
            continue
        if not new.reaches(was.file, now.file):
            say(now, f"{word} {was.name} was in {was.file}: that must import {now.file} publicly")
        if was.kind == "message":
            members(was, now, was.proto.field, now.proto.field, "field", say)
        elif was.kind == "enum":
            members(was, now, was.proto.value, now.proto.value, "enum value", say)
        elif was.kind == "rpc":
            for what, a, b in (("request", was.proto.input_type, now.proto.input_type),
                               ("response", was.proto.output_type, now.proto.output_type),
                               ("streaming of requests", was.proto.client_streaming, now.proto.client_streaming),
                               ("streaming of responses", was.proto.server_streaming, now.proto.server_streaming),
                               ("role", role_of(was), role_of(now))):
                if a != b:
                    say(now, f"method {was.name}: its {what} was {a}, now {b}")
        if was.kind in ("message", "enum"):
            for what, before, after in zip(("number", "name"), declared(was.proto), declared(now.proto)):
                for one in sorted(before - after, key=str)[:5]:
                    say(now, f"{word} {was.name}: the {what} {one} is no longer reserved")
    for was in old.of("extension"):
        now = new.find("extension", was.name)
        if now is None or (now.proto.number, now.proto.extendee, now.proto.type, now.proto.type_name) != (
                was.proto.number, was.proto.extendee, was.proto.type, was.proto.type_name):
            say(now, f"option {was.name} is gone or another one")
    for was in old.of("field"):
        now = new.find("field", was.name)
        if now and role_of(was) != role_of(now):
            say(now, f"operation {was.name}: its role was {role_of(was)}, now {role_of(now)}")


def members(was, now, before, after, word, say):
    """Fields or values: each keeps its number, its name and its shape."""
    by_number, numbers = {one.number: one for one in after}, {one.name: one.number for one in after}
    for one in before:
        if one.name in numbers and numbers[one.name] != one.number:
            say(now, f"{word} {was.name}.{one.name} was number {one.number}, now {numbers[one.name]}")
        elif one.number not in by_number:
            say(now, f"{word} {was.name}.{one.name} is gone")
        elif word == "enum value" and by_number[one.number].name != one.name:
            say(now, f"{word} {was.name}.{one.name} is now called {by_number[one.number].name}")
        elif word == "field":
            told, found = shape(one, was.proto), shape(by_number[one.number], now.proto)
            for what in told:
                if told[what] != found[what] and not (what == "JSON name" and told["name"] != found["name"]):
                    say(now, f"field {was.name}.{one.name}: its {what} was {told[what]}, now {found[what]}")


def lint(new, say):
    for one in new.declarations:
        zero = one.kind == "value" and one.proto.number == 0  # says the same everywhere: nothing was said
        if not one.comment and not zero:
            say(one, f"{WORDS.get(one.kind, one.kind)} {one.name} has no comment")
        if one.kind == "enum":
            want = upper_snake(one.proto.name)
            first = one.proto.value[0]
            if first.number != 0 or first.name != want + "_UNSPECIFIED":
                say(one, f"enum {one.name}: value 0 is {want}_UNSPECIFIED")
            for value in one.proto.value:
                if not value.name.startswith(want + "_"):
                    say(one, f"enum {one.name}: {value.name} begins with {want}_")
        if one.kind == "rpc" and not role_of(one):
            say(one, f"method {one.name} names no role: nobody could call it")
        if one.kind == "field" and one.parent.name == PACKAGE + ".Operation" and not role_of(one):
            say(one, f"operation {one.name} names no role: nobody could send it")
        if one.kind == "file" and len(one.proto.service) > 1:
            say(one, f"file {one.name} has {len(one.proto.service)} services: one file a service")


def main():
    root = sys.argv[1]
    findings = []
    folder = os.path.join(root, "proto")
    names = [name[len("proto/"):] for name in tree.files(root, ".proto") if name.startswith("proto/" + FOLDER)]
    if not names:
        tree.report("proto rules", findings, 0)
    try:
        new = Contract(compile_files(folder, names), PACKAGE)
    except ValueError as error:
        tree.report("proto rules", [f"proto/{line}" for line in str(error).splitlines()], 1)

    def say(declaration, what):
        where = f"proto/{declaration.file}:{declaration.line}: " if declaration else "proto/: "
        findings.append(where + what)

    for name in names:
        if name not in new.files:
            findings.append(f"proto/{name}: its package is not {PACKAGE}")
    lint(new, say)
    released = tree.files(root, ".binpb")
    if not released:
        findings.append("proto/released: no descriptor set of a release to compare with")
    for name in released:
        old = Contract(read_set(os.path.join(root, name)), PACKAGE)
        if not old.declarations:
            findings.append(f"{name}: nothing of {PACKAGE} is in it")
        breaks(old, new, lambda declaration, what, name=name: say(declaration, f"{what} (since {os.path.basename(name)})"))
    tree.report("proto rules", findings, len(new.declarations))


if __name__ == "__main__":
    main()
