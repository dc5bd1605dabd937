// Any bytes as a transaction, over the wire's form and on a small session: it is refused, or what it leaves is valid.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/session/edit.hpp"
#include "server/session/session_file.hpp"

namespace {

constexpr const char* kSession = R"({"format": 1, "nodes": [
  {"id": "a", "type": "track", "children": [{"id": "osc", "type": "oscillator"}, {"id": "gain", "type": "gain"}]},
  {"id": "b", "type": "bus"}, {"id": "c", "type": "container"}],
  "connections": [{"from": "a", "to": "b"}, {"from": "b", "to": "out"}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace session = continuo::session;
  continuo::rt::Uid uid = 0;
  const session::UidSource new_uid = [&uid] { return ++uid; };
  continuo::v1::ApplyRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  auto document = session::parse_session(kSession, new_uid);
  if (!document) std::abort();
  const auto result = session::apply_operations(*document, request.operations(), new_uid);
  if (!result) {
    if (result.error().message.empty() || result.error().reason.empty()) std::abort();
    return 0;
  }
  if (!session::validate(*document)) std::abort();
  const std::string printed = session::print_session(*document);
  uid = 0;
  if (!session::parse_session(printed, new_uid)) std::abort();
  return 0;
}
