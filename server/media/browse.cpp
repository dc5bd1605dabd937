#include "server/media/browse.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "server/media/file_text.hpp"
#include "server/media/file_time.hpp"

namespace continuo::media {
namespace {

namespace fs = std::filesystem;

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// The part of `path` before its first '/', and what follows.
std::pair<std::string_view, std::string_view> first_part(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

/// The `count` names that come first, from `from` on (with it where `with`), in order.
std::vector<std::string> first_names(DIR* folder, std::string_view from, bool with, std::size_t count) {
  std::vector<std::string> names;  // a heap, its greatest in front
  while (const dirent* found = ::readdir(folder)) {
    const std::string_view name = found->d_name;
    const bool wanted = with ? name >= from : name > from;
    if (!wanted || name.starts_with('.') || !is_utf8(name)) continue;
    if (found->d_type != DT_REG && found->d_type != DT_DIR && found->d_type != DT_LNK && found->d_type != DT_UNKNOWN)
      continue;
    if (names.size() == count) {
      if (name >= names.front()) continue;
      std::ranges::pop_heap(names);
      names.pop_back();
    }
    names.emplace_back(name);
    std::ranges::push_heap(names);
  }
  std::ranges::sort_heap(names);
  return names;
}

class Browser {
 public:
  Browser(fs::path root, bool recursive, std::size_t size)
      : root_(std::move(root)), recursive_(recursive), size_(size) {}

  /// `fd` is consumed. Goes on until the page is full. One entry more than the page says whether there is more.
  void enter(int fd, const std::string& prefix, std::string_view after, int depth) {
    const Folder folder(::fdopendir(fd));
    if (!folder) {
      ::close(fd);
      return;
    }
    const auto [from, rest] = first_part(after);
    std::string last(from);
    bool with = !rest.empty() || (recursive_ && !from.empty());  // `after` itself is told, what is in it may not be
    std::string_view inside = rest;
    for (;;) {
      const std::size_t want = size_ + 1 - page_.size() + (with ? 1 : 0);
      ::rewinddir(folder.get());
      const std::vector<std::string> names = first_names(folder.get(), last, with, want);
      for (const std::string& name : names) {
        const bool told = with && name == last;
        look(::dirfd(folder.get()), prefix, name, told, told ? inside : std::string_view{}, depth);
        if (full()) return;
      }
      if (names.size() < want) return;
      last = names.back();  // some of them were nothing to tell: on from there
      with = false;
    }
  }

  [[nodiscard]] bool full() const { return page_.size() > size_; }
  BrowsePage take() {
    BrowsePage page;
    page.more = full();
    if (page.more) page_.pop_back();
    page.entries = std::move(page_);
    return page;
  }

 private:
  void look(int folder, const std::string& prefix, const std::string& name, bool told, std::string_view inside,
            int depth) {
    struct stat status{};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // gone meanwhile
    const bool link = S_ISLNK(status.st_mode);
    if (link && (!stays_inside(folder, name) || ::fstatat(folder, name.c_str(), &status, 0) != 0)) return;
    const bool is_folder = S_ISDIR(status.st_mode);
    if (!is_folder && !S_ISREG(status.st_mode)) return;
    if (!told) {
      BrowseEntry entry;
      entry.path = prefix + name;
      entry.folder = is_folder;
      entry.bytes = is_folder ? 0 : status.st_size;
      entry.modified_ns = modified_ns(status);
      page_.push_back(std::move(entry));
    }
    if (!recursive_ || !is_folder || link || full() || depth + 1 >= kMaxBrowseDepth) return;
    const int fd = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) enter(fd, prefix + name + "/", inside, depth + 1);
  }

  [[nodiscard]] bool stays_inside(int folder, const std::string& name) const {
    std::error_code error;
    const fs::path target = fs::canonical("/proc/self/fd/" + std::to_string(folder) + "/" + name, error);
    return !error && is_below(target, root_);
  }

  const fs::path root_;
  const bool recursive_;
  const std::size_t size_;
  std::vector<BrowseEntry> page_;
};

}  // namespace

Result<BrowsePage> browse(const Roots& roots, std::string_view folder, bool recursive, std::string_view after,
                          std::size_t size) {
  const auto path = roots.find_folder(folder);
  if (!path) return path.error();
  const auto root = roots.find_folder(folder.substr(0, folder.find(':') + 1));
  if (!root) return root.error();
  const int fd = ::open(path->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    const auto kind = errno == EACCES ? ErrorKind::permission_denied : ErrorKind::data_loss;
    return make_error(kind, "READ_FAILED", std::string(folder),
                      "cannot read " + std::string(folder) + ": " + std::generic_category().message(errno));
  }
  Browser browser(*root, recursive, size);
  browser.enter(fd, "", after, 0);
  return browser.take();
}

}  // namespace continuo::media
