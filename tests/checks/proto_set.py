"""What the checks of the contract share: proto files compiled to descriptors, and each declaration with its place and comment."""

import os
import re
import subprocess
import tempfile
from collections import namedtuple

from google.protobuf import descriptor_pb2 as pb

# kind: file, message, field, oneof, enum, value, service, rpc, extension. name: the full one. path: the file's, from proto/.
Declaration = namedtuple("Declaration", "kind name file line comment proto parent")


def compile_files(folder, names, source_info=True):
    """A FileDescriptorSet of `names` and all that they import, or protoc's words in ValueError."""
    with tempfile.TemporaryDirectory(prefix="continuo-protoset-") as here:
        out = os.path.join(here, "set")
        info = ["--include_source_info"] if source_info else []
        done = subprocess.run(["protoc", "-I", folder, "--include_imports", *info, "--descriptor_set_out=" + out, *names],
                              capture_output=True, text=True)
        if done.returncode:
            raise ValueError(done.stderr.strip())
        return read_set(out)


def read_set(path):
    with open(path, "rb") as file:
        return pb.FileDescriptorSet.FromString(file.read())


def upper_snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


class Contract:
    """The files of one package in a descriptor set; names of declarations are full ones, without the package's dot in front."""

    def __init__(self, descriptor_set, package):
        self.files = {file.name: file for file in descriptor_set.file if file.package == package}
        self.declarations = []
        for file in self.files.values():
            self._places = {tuple(at.path): at for at in file.source_code_info.location}
            self._add("file", file.name, file, (12,), file, None)
            self._walk(file, file, file.package, (), {"message": 4, "enum": 5, "service": 6, "extension": 7})
        self.by_name = {(one.kind, one.name): one for one in self.declarations}

    def of(self, kind):
        return [one for one in self.declarations if one.kind == kind]

    def find(self, kind, name):
        return self.by_name.get((kind, name))

    def reaches(self, file, wanted):
        """`file` declares what `wanted` declares, or passes it on: an importer of `file` sees it as before."""
        if file == wanted:
            return True
        here = self.files.get(file)
        return here is not None and any(self.reaches(here.dependency[i], wanted) for i in here.public_dependency)

    def _add(self, kind, name, file, path, proto, parent):
        at = self._places.get(path)
        comment = (at.leading_comments + at.trailing_comments).strip() if at else ""
        made = Declaration(kind, name, file.name, at.span[0] + 1 if at else 0, comment, proto, parent)
        self.declarations.append(made)
        return made

    def _walk(self, file, scope, prefix, path, numbers):
        messages = scope.message_type if not path else scope.nested_type
        for i, message in enumerate(messages):
            if message.options.map_entry:
                continue
            here, name = path + (numbers["message"], i), f"{prefix}.{message.name}"
            made = self._add("message", name, file, here, message, None)
            for k, field in enumerate(message.field):
                self._add("field", f"{name}.{field.name}", file, here + (2, k), field, made)
            self._walk(file, message, name, here, {"message": 3, "enum": 4, "extension": 6})
        for i, enum in enumerate(scope.enum_type):
            here, name = path + (numbers["enum"], i), f"{prefix}.{enum.name}"
            made = self._add("enum", name, file, here, enum, None)
            for k, value in enumerate(enum.value):
                self._add("value", f"{name}.{value.name}", file, here + (2, k), value, made)
        for i, extension in enumerate(scope.extension):
            self._add("extension", f"{prefix}.{extension.name}", file, path + (numbers["extension"], i), extension, None)
        for i, service in enumerate(scope.service if not path else ()):
            here, name = (numbers["service"], i), f"{prefix}.{service.name}"
            made = self._add("service", name, file, here, service, None)
            for k, method in enumerate(service.method):
                self._add("rpc", f"{name}.{method.name}", file, here + (2, k), method, made)
