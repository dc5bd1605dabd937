#include "server/media/hidden_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "server/media/take_file.hpp"

namespace continuo::media {
namespace {

/// What stands under the name may be replaced, if it may be at all.
Result<> check_name(int folder, const std::string& name, const std::string& path, bool overwrite) {
  struct stat status{};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? Result<>() : disk_error(errno, path, "cannot make");
  if (!overwrite) return disk_error(EEXIST, path, "cannot make");
  if (S_ISREG(status.st_mode)) return {};
  return make_error(ErrorKind::invalid_argument, "NOT_A_FILE", path, "not a regular file: " + path);
}

int move_to(int folder, const std::string& hidden, const std::string& name, bool overwrite) {
  if (overwrite) return ::renameat(folder, hidden.c_str(), folder, name.c_str()) == 0 ? 0 : errno;
  if (::renameat2(folder, hidden.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag: a second name never replaces either.
  if (::linkat(folder, hidden.c_str(), folder, name.c_str(), 0) != 0) return errno;
  ::unlinkat(folder, hidden.c_str(), 0);
  return 0;
}

}  // namespace

Result<HiddenFile> HiddenFile::make(const Roots& roots, std::string_view name, std::string hidden, bool overwrite) {
  const FolderAndName parts = split_name(name);
  auto folder = roots.open_folder(parts.folder);
  if (!folder) return folder.error();
  const std::string last(parts.name);
  const std::string path(name);
  if (Result<> good = check_name(folder->get(), last, path, overwrite); !good) return good.error();
  Descriptor file(::openat(folder->get(), hidden.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return disk_error(errno == EEXIST ? EBUSY : errno, path, "cannot make");
  return HiddenFile(*std::move(folder), std::move(file), path, last, std::move(hidden), overwrite);
}

HiddenFile::~HiddenFile() {
  if (folder_ && !hidden_.empty()) ::unlinkat(folder_.get(), hidden_.c_str(), 0);
}

Result<> HiddenFile::publish() {
  if (::fsync(file_.get()) != 0) return disk_error(errno, path_, "cannot finish");
  if (Result<> good = check_name(folder_.get(), name_, path_, overwrite_); !good) return good;
  if (const int number = move_to(folder_.get(), hidden_, name_, overwrite_))
    return disk_error(number, path_, "cannot finish");
  hidden_.clear();
  // The name, too, is to outlive a power cut; a file system that cannot say so has it all the same.
  if (::fsync(folder_.get()) != 0 && errno != EINVAL) return disk_error(errno, path_, "cannot finish");
  return {};
}

void HiddenFile::remove_left(const Roots& roots, std::string_view name, const std::string& hidden) {
  const auto folder = roots.open_folder(split_name(name).folder);
  if (folder) ::unlinkat(folder->get(), hidden.c_str(), 0);
}

}  // namespace continuo::media
