#include "server/device/jack_ports.hpp"

#include <dlfcn.h>

namespace continuo::device {
namespace {

// libjack's ABI, as much of it as is needed; the library is LGPL and found at run time, never linked.
struct JackClient;
using Open = JackClient*(const char* name, int options, int* status, ...);
using Close = int(JackClient*);
using GetPorts = const char**(JackClient*, const char* name_pattern, const char* type_pattern, unsigned long flags);
using Free = void(void*);

constexpr int kNoStartServer = 0x01;
constexpr unsigned long kPortIsInput = 0x1, kPortIsOutput = 0x2;
constexpr const char* kAudio = "32 bit float mono audio";

}  // namespace

std::string jack_port_pattern(std::string_view client) {
  std::string pattern = "^";
  for (const char c : client) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern + ":";
}

std::vector<std::optional<JackPorts>> read_jack_ports(void* library, const std::vector<std::string>& clients) {
  std::vector<std::optional<JackPorts>> result(clients.size());
  const auto open = reinterpret_cast<Open*>(dlsym(library, "jack_client_open"));
  const auto close = reinterpret_cast<Close*>(dlsym(library, "jack_client_close"));
  const auto get_ports = reinterpret_cast<GetPorts*>(dlsym(library, "jack_get_ports"));
  const auto free_ports = reinterpret_cast<Free*>(dlsym(library, "jack_free"));
  if (clients.empty() || !open || !close || !get_ports || !free_ports) return result;
  int status = 0;
  JackClient* client = open("continuo-names", kNoStartServer, &status);
  if (client == nullptr) return result;
  const auto names = [&](const std::string& of, unsigned long flags) {
    std::vector<std::string> found;
    const char** ports = get_ports(client, jack_port_pattern(of).c_str(), kAudio, flags);
    if (ports == nullptr) return found;
    for (const char** port = ports; *port != nullptr; ++port) {
      const std::string_view name = *port;  // lives in memory that the server writes: taken once, then looked at
      if (name.size() > of.size()) found.emplace_back(name.substr(of.size() + 1));
    }
    free_ports(ports);
    return found;
  };
  for (std::size_t i = 0; i < clients.size(); ++i) {
    result[i] = JackPorts{names(clients[i], kPortIsOutput), names(clients[i], kPortIsInput)};
  }
  close(client);
  return result;
}

}  // namespace continuo::device
