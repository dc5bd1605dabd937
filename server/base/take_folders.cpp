#include "server/base/take_folders.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "server/base/paths.hpp"

namespace continuo {
namespace {

namespace fs = std::filesystem;
constexpr const char* kTakes = "media.take_folder";
constexpr const char* kSecond = "media.second_take_folder";

Error wrong(const char* setting, const std::string& why) {
  return make_error(ErrorKind::configuration, "CONFIGURATION", setting, std::string(setting) + ": " + why);
}

/// By trying: neither an owner's bits nor a mount's options say what a folder really takes. A full disk is no reason.
Result<> check_writable(const fs::path& folder, const char* setting) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string name = (folder / ".continuo-XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
  }
  const int number = fd < 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  if (number == 0 || number == ENOSPC || number == EDQUOT) return {};
  return wrong(setting,
               "cannot write to the folder " + folder.string() + ": " + std::generic_category().message(number));
}

/// With links followed as far as there is something.
fs::path real(const fs::path& folder) {
  std::error_code error;
  const fs::path path = fs::weakly_canonical(fs::absolute(folder, error), error);
  const fs::path whole = error ? folder.lexically_normal() : path;
  return whole.has_filename() ? whole : whole.parent_path();  // without a '/' at its end
}

bool is_same_or_below(const fs::path& folder, const fs::path& above) {
  const auto [mine, theirs] = std::mismatch(folder.begin(), folder.end(), above.begin(), above.end());
  return theirs == above.end();
}

bool is_same_on_disk(const fs::path& a, const fs::path& b) {
  struct stat one{}, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

Result<> check_apart(const Config& config) {
  const fs::path first = real(config.take_folder), second = real(config.second_take_folder);
  const std::string both = config.second_take_folder.string() + " and the take folder " + config.take_folder.string();
  if (first == second || is_same_on_disk(first, second)) return wrong(kSecond, both + " are one folder");
  if (is_same_or_below(second, first)) return wrong(kSecond, both + ": it lies in the take folder");
  if (is_same_or_below(first, second)) return wrong(kSecond, both + ": the take folder lies in it");
  return {};
}

}  // namespace

Result<std::string> make_take_folders(const Config& config) {
  const bool two = !config.second_take_folder.empty();
  if (two) {
    if (Result<> apart = check_apart(config); !apart) return apart.error();  // before anything is made
  }
  if (Result<> made = make_folder(config.take_folder, 0755, false, kTakes); !made) return made.error();
  if (Result<> fit = check_writable(config.take_folder, kTakes); !fit) return fit.error();
  if (!two) return std::string();
  if (Result<> made = make_folder(config.second_take_folder, 0755, false, kSecond); !made) return made.error().message;
  if (Result<> apart = check_apart(config); !apart) return apart.error();
  if (Result<> fit = check_writable(config.second_take_folder, kSecond); !fit) return fit.error().message;
  return std::string();
}

}  // namespace continuo
