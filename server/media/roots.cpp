#include "server/media/roots.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "server/base/descriptor.hpp"
#include "server/media/file_text.hpp"

namespace continuo::media {
namespace {

namespace fs = std::filesystem;

struct Name {
  std::optional<std::string> root;
  std::string rest;
};

Name split(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.substr(0, colon).find('/') != std::string_view::npos) {
    return {std::nullopt, std::string(text)};
  }
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Error outside(std::string_view name, const char* why) {
  return make_error(ErrorKind::permission_denied, "OUTSIDE_ROOT", std::string(name),
                    std::string(name) + " leaves its media root: " + why);
}

Error missing(std::string_view name) {
  return make_error(ErrorKind::not_found, "FILE_NOT_FOUND", std::string(name), "no such file: " + std::string(name));
}

Error failed(std::string_view name, int number) {
  if (number == ENOENT || number == ENOTDIR) return missing(name);
  const auto kind = number == EACCES || number == EPERM || number == EROFS ? ErrorKind::permission_denied
                    : number == ELOOP || number == ENAMETOOLONG            ? ErrorKind::invalid_argument
                                                                           : ErrorKind::data_loss;
  return make_error(kind, "NOT_REACHABLE", std::string(name),
                    std::string(name) + ": " + std::generic_category().message(number));
}

/// What no name may hold, whatever is on the disk.
Result<> check_text(std::string_view name, std::string_view rest) {
  if (rest.empty() || rest.find('\0') != std::string_view::npos || rest.size() > 4000) {
    return make_error(ErrorKind::invalid_argument, "BAD_FILE_NAME", std::string(name),
                      "not a file's name: \"" + std::string(name) + "\"");
  }
  const fs::path path(rest);
  if (path.is_absolute()) return outside(name, "it begins with '/'");
  if (std::find(path.begin(), path.end(), "..") != path.end()) return outside(name, "it holds '..'");
  // Keys, tokens and histories of whose home a root is; lists do not show them either.
  for (const fs::path& part : path) {
    if (part.native().size() < 2 || part.native().front() != '.') continue;
    return make_error(ErrorKind::permission_denied, "HIDDEN_FILE", std::string(name),
                      std::string(name) + ": names that begin with a dot are not served");
  }
  return {};
}

Result<fs::path> regular(std::string_view name, const fs::path& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) {
    return make_error(ErrorKind::invalid_argument, "NOT_A_FILE", std::string(name),
                      "not a regular file: " + std::string(name));
  }
  return path;
}

/// The kernel's own way: nothing can be swapped under its eyes. Nothing where it has no answer (an old kernel, a link
/// that names an absolute path, which may yet lead inside).
std::optional<Result<fs::path>> find_by_kernel(std::string_view name, const fs::path& root, const fs::path& rest) {
  const Descriptor root_fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd) return failed(name, errno);
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const Descriptor fd(static_cast<int>(::syscall(SYS_openat2, root_fd.get(), rest.c_str(), &how, sizeof how)));
  if (!fd && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG))
    return failed(name, errno);
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) return std::nullopt;
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd.get()), error);
  if (error) return std::nullopt;
  return regular(name, path, status);
}

Result<fs::path> find_by_path(std::string_view name, const fs::path& root, const fs::path& rest) {
  std::error_code error;
  const fs::path real_root = fs::canonical(root, error);
  if (error) return failed(name, error.value());
  const fs::path path = fs::canonical(real_root / rest, error);
  if (error) return failed(name, error.value());
  if (!is_below(path, real_root)) return outside(name, "a link leads out");
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed(name, errno);
  return regular(name, path, status);
}

Error unknown_root(std::string_view name, const std::string& root, const std::map<std::string, fs::path>& folders) {
  std::string known;
  for (const auto& [key, folder] : folders) {
    if (!key.empty()) known += (known.empty() ? "" : ", ") + key;
  }
  return make_error(ErrorKind::not_found, "UNKNOWN_ROOT", std::string(name),
                    "no media root \"" + root + "\"; there is " + (known.empty() ? "none" : known));
}

Error no_root(std::string_view name) {
  return make_error(ErrorKind::invalid_argument, "NO_ROOT", std::string(name),
                    "name a media root: \"root:" + std::string(name) + "\"");
}

/// Where a file to be made belongs; its folder is made.
Result<fs::path> place_for(std::string_view name, const std::map<std::string, fs::path>& folders) {
  const Name parts = split(name);
  if (auto ok = check_text(name, parts.rest); !ok) return ok.error();
  if (!parts.root) return no_root(name);
  const auto root = folders.find(*parts.root);
  if (parts.root->empty() || root == folders.end()) return unknown_root(name, *parts.root, folders);
  const fs::path rest = fs::path(parts.rest).lexically_normal();
  if (!rest.has_filename() || rest.filename() == ".") {
    return make_error(ErrorKind::invalid_argument, "BAD_FILE_NAME", std::string(name),
                      "not a file's name: \"" + std::string(name) + "\"");
  }
  std::error_code error;
  const fs::path real_root = fs::canonical(root->second, error);
  if (error) return failed(name, error.value());
  fs::path folder = real_root;
  for (const fs::path& part : rest.parent_path()) {
    fs::path next = folder / part;
    if (::mkdir(next.c_str(), 0755) != 0 && errno != EEXIST) return failed(name, errno);
    folder = fs::canonical(next, error);
    if (error) return failed(name, error.value());
    if (!is_below(folder, real_root)) return outside(name, "a link leads out");
    if (!fs::is_directory(folder, error)) return failed(name, ENOTDIR);
  }
  return folder / rest.filename();
}

}  // namespace

FolderAndName split_name(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  const std::size_t colon = path.find(':') + 1;
  const std::size_t end = slash == std::string_view::npos ? colon : slash;
  return {path.substr(0, end), path.substr(slash == std::string_view::npos ? colon : slash + 1)};
}

Result<fs::path> Roots::find_file(std::string_view name, std::string_view base) const {
  Name parts = split(name);
  if (auto ok = check_text(name, parts.rest); !ok) return ok.error();
  fs::path rest = parts.rest;
  if (!parts.root) {
    Name base_parts = split(base);
    if (!base_parts.root) {
      return make_error(ErrorKind::invalid_argument, "NO_BASE", std::string(name),
                        std::string(name) + " is relative and there is no base to start from; name it \"root:" +
                            std::string(name) + "\"");
    }
    if (!base_parts.rest.empty()) {
      if (auto ok = check_text(base, base_parts.rest); !ok) return ok.error();
      rest = fs::path(base_parts.rest) / rest;
    }
    parts.root = base_parts.root;
  } else if (parts.root->empty()) {
    return unknown_root(name, "", folders_);
  }
  const auto root = folders_.find(*parts.root);
  if (root == folders_.end()) return unknown_root(name, *parts.root, folders_);
  if (auto found = find_by_kernel(name, root->second, rest)) return *found;
  return find_by_path(name, root->second, rest);
}

Result<fs::path> Roots::new_file(std::string_view name) const {
  auto file = place_for(name, folders_);
  if (!file) return file;
  struct stat status{};
  if (::lstat(file->c_str(), &status) == 0) {
    return make_error(ErrorKind::already_exists, "FILE_EXISTS", std::string(name),
                      std::string(name) + " exists already");
  }
  if (errno != ENOENT) return failed(name, errno);
  return file;
}

Result<fs::path> Roots::file_to_write(std::string_view name) const {
  auto file = place_for(name, folders_);
  if (!file) return file;
  struct stat status{};
  if (::lstat(file->c_str(), &status) == 0) return regular(name, *file, status);
  if (errno != ENOENT) return failed(name, errno);
  return file;
}

Result<fs::path> Roots::find_folder(std::string_view name) const {
  const Name parts = split(name);
  if (!parts.root) return no_root(name);
  const auto root = folders_.find(*parts.root);
  if (parts.root->empty() || root == folders_.end()) return unknown_root(name, *parts.root, folders_);
  std::error_code error;
  const fs::path real_root = fs::canonical(root->second, error);
  if (error) return failed(name, error.value());
  if (parts.rest.empty()) return real_root;
  if (auto ok = check_text(name, parts.rest); !ok) return ok.error();
  const fs::path folder = fs::canonical(real_root / parts.rest, error);
  if (error) return failed(name, error.value());
  if (!is_below(folder, real_root)) return outside(name, "a link leads out");
  if (!fs::is_directory(folder, error)) {
    return make_error(ErrorKind::invalid_argument, "NOT_A_FOLDER", std::string(name),
                      "not a folder: " + std::string(name));
  }
  return folder;
}

Result<Descriptor> Roots::open_folder(std::string_view name) const {
  const Name parts = split(name);
  if (!parts.root) return no_root(name);
  const auto root = folders_.find(*parts.root);
  if (parts.root->empty() || root == folders_.end()) return unknown_root(name, *parts.root, folders_);
  if (!parts.rest.empty()) {
    if (auto ok = check_text(name, parts.rest); !ok) return ok.error();
  }
  const Descriptor root_fd(::open(root->second.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd) return failed(name, errno);
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const fs::path rest = parts.rest.empty() ? fs::path(".") : fs::path(parts.rest);
  Descriptor folder(static_cast<int>(::syscall(SYS_openat2, root_fd.get(), rest.c_str(), &how, sizeof how)));
  if (folder) return folder;
  if (errno == ENOTDIR) {
    return make_error(ErrorKind::invalid_argument, "NOT_A_FOLDER", std::string(name),
                      "not a folder: " + std::string(name));
  }
  if (errno == ENOENT || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG) return failed(name, errno);
  // An old kernel, or a link that names an absolute path, which may yet lead inside.
  const auto found = find_folder(name);
  if (!found) return found.error();
  folder = Descriptor(::open(found->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder) return failed(name, errno);
  return folder;
}

}  // namespace continuo::media
