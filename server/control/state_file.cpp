#include "server/control/state_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "server/base/descriptor.hpp"

namespace continuo::control {
namespace {

constexpr std::size_t kStep = 256u << 10;

}  // namespace

Result<std::optional<std::string>> read_state(const std::filesystem::path& file, std::size_t most) {
  const auto bad = [&](const std::string& why) {
    return make_error(ErrorKind::data_loss, "STATE_FILE", file.string(), file.string() + " " + why);
  };
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const int fd = opened.get();
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>();
  if (fd < 0) return bad(std::string("cannot be read: ") + std::strerror(errno));
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return bad("is no plain file");
  if (static_cast<std::uint64_t>(info.st_size) > most) return bad("is too long to be ours");
  std::string text;
  for (;;) {
    const std::size_t have = text.size();
    text.resize(have + kStep);
    const ssize_t got = ::read(fd, text.data() + have, kStep);
    if (got < 0 && errno != EINTR) return bad(std::string("cannot be read: ") + std::strerror(errno));
    text.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return std::optional(std::move(text));
    if (text.size() > most) return bad("is too long to be ours");
  }
}

std::string set_aside(const std::filesystem::path& folder, const std::string& stem, const std::string& ending) {
  std::error_code error;
  for (int i = 1; i < 100; ++i) {
    const std::string name = stem + ".bad-" + std::to_string(i) + ending;
    if (std::filesystem::exists(folder / name, error)) continue;
    std::filesystem::rename(folder / (stem + ending), folder / name, error);
    return name;
  }
  return stem + ending;
}

}  // namespace continuo::control
