#include "clients/cli/local_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "clients/cli/failure.hpp"

namespace continuo::cli {
namespace {

struct Descriptor {
  int fd = -1;
  bool owned = true;
  ~Descriptor() {
    if (owned && fd >= 0) ::close(fd);
  }
};

}  // namespace

std::string read_file(const std::string& file, std::size_t limit) {
  Descriptor in;
  if (file == "-") {
    in = {STDIN_FILENO, false};
  } else {
    in.fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (in.fd < 0) {
      const int code = errno;
      throw Failure(code == EACCES ? kRefused : kNoInput, code == ENOENT ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE", file,
                    "cannot open '" + file + "': " + std::strerror(code));
    }
  }
  std::string content;
  std::array<char, 65536> block{};
  while (true) {
    const ssize_t got = ::read(in.fd, block.data(), block.size());
    if (got == 0) return content;
    if (got < 0) {
      const int code = errno;
      if (code == EINTR) continue;
      throw Failure(code == EISDIR ? kNoInput : kIoError, "READ_FAILED", file,
                    "cannot read '" + file + "': " + std::strerror(code));
    }
    content.append(block.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      throw Failure(kBadData, "FILE_TOO_LARGE", file,
                    "'" + file + "' is larger than " + std::to_string(limit >> 20U) + " MiB");
    }
  }
}

void write_file(const std::filesystem::path& file, std::string_view content, bool force) {
  const auto taken = [&] {
    return Failure(kCannotCreate, "ALREADY_EXISTS", file.string(),
                   "'" + file.string() + "' exists; give --force to replace it");
  };
  struct stat before{};
  const bool exists = ::lstat(file.c_str(), &before) == 0;
  if (exists && !force) throw taken();
  // A link is followed, so that it stays a link; what is not a regular file (/dev/stdout) is left alone.
  std::error_code error;
  const std::filesystem::path target = exists ? std::filesystem::canonical(file, error) : file;
  if (error || (exists && !std::filesystem::is_regular_file(target))) {
    throw Failure(kCannotCreate, "NOT_A_FILE", file.string(), "'" + file.string() + "' is not a regular file");
  }
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  std::string temporary = (folder / ("." + target.filename().string() + ".XXXXXX")).string();
  const auto fail = [&](const char* doing, int code) {
    return Failure(code == ENOSPC || code == EIO || code == EDQUOT ? kIoError : kCannotCreate, "WRITE_FAILED",
                   file.string(), std::string("cannot ") + doing + " '" + file.string() + "': " + std::strerror(code));
  };
  Descriptor out{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (out.fd < 0) throw fail("create", errno);
  struct Cleanup {
    std::string name;
    ~Cleanup() {
      if (!name.empty()) ::unlink(name.c_str());
    }
  } cleanup{temporary};
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t wrote = ::write(out.fd, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw fail("write", errno);
    done += static_cast<std::size_t>(wrote);
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(out.fd, exists ? before.st_mode & 0777U : 0666U & ~mask) != 0 || ::fsync(out.fd) != 0)
    throw fail("write", errno);
  if (force) {
    if (::rename(temporary.c_str(), target.c_str()) != 0) throw fail("create", errno);
    cleanup.name.clear();
  } else if (::link(temporary.c_str(), target.c_str()) != 0) {  // fails where somebody was faster
    if (errno == EEXIST) throw taken();
    if (::rename(temporary.c_str(), target.c_str()) != 0) throw fail("create", errno);  // a file system without links
    cleanup.name.clear();
  }
}

}  // namespace continuo::cli
