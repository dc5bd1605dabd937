// Any bytes as a configuration file: it is refused with a reason, or it prints as a file that says the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "server/base/config.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace {

continuo::Result<continuo::LoadedConfig> load(const void* data, std::size_t size) {
  const continuo::fuzz::MemoryFile file(data, size);
  continuo::ConfigSources sources;
  sources.environment = [](const std::string&) { return std::optional<std::string>(); };
  sources.file = file.path();
  return continuo::load_config(sources);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = load(data, size);
  if (!loaded) {
    if (loaded.error().message.empty()) std::abort();
    return 0;
  }
  const std::string printed = continuo::print_config(*loaded);
  const auto again = load(printed.data(), printed.size());
  if (!again || !(again->config == loaded->config)) std::abort();
  return 0;
}
