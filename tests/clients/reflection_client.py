"""A client that knows nothing of Continuo but where it listens: gRPC's reflection tells it the rest. It lists, reads, sets and
watches. reflection_client.py ADDRESS; exit 1 with a line for what was not as it should be."""

import functools
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

PATIENCE_S = 60  # how long it waits for what must come; never how long that should take


@functools.lru_cache(maxsize=1)
def reflection_messages():
    """Request and response of grpc/reflection/v1alpha/reflection.proto, as far as such questions need it. In a pool of their own:
    the daemon tells of this file, too."""
    file = descriptor_pb2.FileDescriptorProto(name="reflection.proto", package="grpc.reflection.v1alpha", syntax="proto3")
    text, message = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    fields = {
        "ServerReflectionRequest": [("file_containing_symbol", 4, text, False, ""), ("list_services", 7, text, False, "")],
        "FileDescriptorResponse": [("file_descriptor_proto", 1, descriptor_pb2.FieldDescriptorProto.TYPE_BYTES, True, "")],
        "ServiceResponse": [("name", 1, text, False, "")],
        "ListServiceResponse": [("service", 1, message, True, "ServiceResponse")],
        "ServerReflectionResponse": [("file_descriptor_response", 4, message, False, "FileDescriptorResponse"),
                                     ("list_services_response", 6, message, False, "ListServiceResponse")],
    }
    for name, members in fields.items():
        declared = file.message_type.add(name=name)
        for member, number, kind, many, of in members:
            declared.field.add(name=member, number=number, type=kind, label=3 if many else 1,
                               type_name=f".grpc.reflection.v1alpha.{of}" if of else None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return [factory.GetPrototype(pool.FindMessageTypeByName("grpc.reflection.v1alpha.ServerReflection" + end))
            for end in ("Request", "Response")]


class Reflected:
    """Services by their names, and calls whose requests and answers are JSON."""

    def __init__(self, channel):
        self._channel = channel
        self._pool = descriptor_pool.DescriptorPool()
        self._factory = message_factory.MessageFactory(self._pool)
        self._waiting = {}  # files whose imports are not there yet
        self.services = [one.name for one in self._ask(list_services="*").list_services_response.service]
        for service in self.services:
            for file in self._ask(file_containing_symbol=service).file_descriptor_response.file_descriptor_proto:
                self._add(descriptor_pb2.FileDescriptorProto.FromString(file))

    def _ask(self, **question):
        asked, answer = reflection_messages()
        call = self._channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                           asked.SerializeToString, answer.FromString)
        return next(call(iter([asked(**question)]), timeout=PATIENCE_S))

    def _add(self, file):
        """After what it imports: a question for a symbol is answered with its file and all that it needs, in any order."""
        if not self._there(file.name):
            self._waiting[file.name] = file
        while ready := [name for name, one in self._waiting.items() if all(map(self._there, one.dependency))]:
            for name in ready:
                self._pool.Add(self._waiting.pop(name))

    def _there(self, name):
        try:
            return self._pool.FindFileByName(name) is not None
        except KeyError:
            return False

    def call(self, path, request=None, timeout=PATIENCE_S):
        """ "continuo.v1.SystemService/GetInfo": one answer, or an iterator of a stream's."""
        service, name = path.split("/")
        method = self._pool.FindServiceByName(service).FindMethodByName(name)
        declared = descriptor_pb2.MethodDescriptorProto()
        method.CopyToProto(declared)
        asked, answer = (self._factory.GetPrototype(one) for one in (method.input_type, method.output_type))
        kind = self._channel.unary_stream if declared.server_streaming else self._channel.unary_unary
        made = kind("/" + path, asked.SerializeToString, answer.FromString)
        told = made(json_format.ParseDict(request or {}, asked(), descriptor_pool=self._pool), timeout=timeout)
        if declared.server_streaming:
            return told
        return json_format.MessageToDict(told, including_default_value_fields=True, descriptor_pool=self._pool)


def insist(condition, what):
    if not condition:
        sys.exit(what)


def main(address):
    daemon = Reflected(grpc.insecure_channel(address))
    insist("continuo.v1.SessionService" in daemon.services, f"the services: {daemon.services}")
    sessions = "continuo.v1.SessionService/"

    # What there can be, and what each kind of it has.
    types = {one["name"]: one for one in daemon.call(sessions + "ListTypes")["types"]}
    insist({"track", "player", "eq"} <= types.keys(), f"the types: {sorted(types)}")
    gain = next(one for one in types["track"]["params"] if one["name"] == "gain_db")
    insist(gain["kind"] == "KIND_NUMBER" and gain["unit"] == "dB" and gain["min"] < gain["max"], f"gain_db: {gain}")

    # Follow, then make, set and read.
    stream = daemon.call(sessions + "Watch", timeout=None)
    first = next(stream)
    while first.WhichOneof("kind") != "snapshot_end":
        first = next(stream)
    made = daemon.call(sessions + "Apply", {"operations": [{"addNode": {"node": {"id": "vox", "type": "track"}}}]})
    insist(made["outcome"] == "OUTCOME_APPLIED", f"the answer to a new track: {made}")
    params = daemon.call(sessions + "ListParams", {"path": "vox"})["params"]
    insist({one["spec"]["name"] for one in params} == {one["name"] for one in types["track"]["params"]}, f"its parameters: {params}")
    daemon.call(sessions + "Apply", {"operations": [{"setParams": {"path": "vox", "values": {"gain_db": -6}}}]})
    values = {one["spec"]["name"]: one["value"] for one in daemon.call(sessions + "ListParams", {"path": "vox"})["params"]}
    insist(values["gain_db"] == -6.0, f"what was set reads {values['gain_db']}")
    session = b"".join(piece.json for piece in daemon.call(sessions + "GetSession"))
    insist(b'"vox"' in session and b'"gain_db": -6' in session, f"the session: {session.decode()}")

    kinds = []
    while kinds.count("set_params") == 0:
        message = next(stream)
        if message.WhichOneof("kind") == "change":
            kinds += [operation.WhichOneof("kind") for operation in message.change.operations]
    insist(kinds == ["add_node", "set_params"], f"what the watch told: {kinds}")
    stream.cancel()

    # The rest of "see": levels, health's own service, and a refusal that says why.
    levels = daemon.call("continuo.v1.MeterService/WatchMeters", {"nodes": ["vox"], "rateHz": 50}, timeout=None)
    insist(next(levels).layout[0].node == "vox", "the meters' layout")
    levels.cancel()
    try:
        daemon.call(sessions + "Apply", {"operations": [{"setParams": {"path": "vox", "values": {"gain_db": 600}}}]})
    except grpc.RpcError as error:
        insist(error.code() == grpc.StatusCode.INVALID_ARGUMENT and "gain_db" in error.details(), f"a refusal: {error}")
    else:
        sys.exit("600 dB were taken")
    print(len(daemon.services), "services,", len(types), "types")


main(sys.argv[1])
