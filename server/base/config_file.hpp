// THREAD: any - reads continuod.toml
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "server/base/config.hpp"

namespace continuo {

/// Stores every value of the file in `loaded.config` and where it stood in `loaded.origins`. The earliest line that is
/// wrong is the error: an unknown key, a value of the wrong kind or out of range, a text that is not TOML.
Result<> read_config_file(const std::filesystem::path& file, LoadedConfig& loaded);

}  // namespace continuo
