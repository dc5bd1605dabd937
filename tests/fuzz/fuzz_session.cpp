// Any bytes as a session file: it is refused, or it is read, printed, and read again as the same session.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/session/session_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace session = continuo::session;
  continuo::rt::Uid uid = 0;
  const session::UidSource new_uid = [&uid] { return ++uid; };
  const auto document = session::parse_session({reinterpret_cast<const char*>(data), size}, new_uid);
  if (!document) {
    if (document.error().message.empty() || document.error().reason.empty()) std::abort();
    return 0;
  }
  if (!session::validate(*document)) std::abort();
  const std::string printed = session::print_session(*document);
  uid = 0;
  const auto again = session::parse_session(printed, new_uid);
  if (!again || session::print_session(*again) != printed) std::abort();
  return 0;
}
