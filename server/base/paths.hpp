// THREAD: any - where things are kept unless somebody says otherwise
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"

namespace continuo {

/// Reads one environment variable; empty counts as not set. Tests bring their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] Environment process_environment();

struct Places {
  std::vector<std::filesystem::path> config_files;  // the first that exists is read
  std::filesystem::path state_folder;
  std::filesystem::path socket;
  std::filesystem::path home;  // empty: a system service has none
};

/// A system service (root, or told its folders by systemd): /etc, /var/lib and /run. A user: the XDG places, and a
/// folder in /tmp for the socket where there is no XDG_RUNTIME_DIR.
[[nodiscard]] Places default_places(const Environment& environment, uid_t uid);

/// Makes a folder and what leads to it; `mode` is that of the last. An existing one must be a folder, and, where
/// `private_to_us`, ours alone (in /tmp somebody else may have been first). `setting` names the key to change, for the
/// error.
Result<> make_folder(const std::filesystem::path& folder, mode_t mode, bool private_to_us, std::string_view setting);

}  // namespace continuo
