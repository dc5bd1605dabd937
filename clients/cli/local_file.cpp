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

Failure cannot_open(const std::string& file, int code) {
  return {code == EACCES ? kRefused : kNoInput, code == ENOENT ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE", file,
          "cannot open '" + file + "': " + std::strerror(code)};
}

std::string read_file(const std::string& file, std::size_t limit) {
  Descriptor in;
  if (file == "-") {
    in = {STDIN_FILENO, false};
  } else {
    in.fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (in.fd < 0) throw cannot_open(file, errno);
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

struct NewFile::State {
  std::filesystem::path file;
  std::filesystem::path target;
  std::string temporary;
  Descriptor out;
  bool force = false;
  bool exists = false;
  mode_t mode_before = 0;

  [[nodiscard]] Failure taken() const {
    return {kCannotCreate, "ALREADY_EXISTS", file.string(),
            "'" + file.string() + "' exists; give --force to replace it"};
  }
  [[nodiscard]] Failure failed(const char* doing, int code) const {
    return {code == ENOSPC || code == EIO || code == EDQUOT ? kIoError : kCannotCreate, "WRITE_FAILED", file.string(),
            std::string("cannot ") + doing + " '" + file.string() + "': " + std::strerror(code)};
  }
  ~State() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
};

NewFile::NewFile(const std::filesystem::path& file, bool force) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.file = file;
  s.force = force;
  struct stat before{};
  s.exists = ::lstat(file.c_str(), &before) == 0;
  s.mode_before = before.st_mode & 0777U;
  if (s.exists && !force) throw s.taken();
  // A link is followed, so that it stays a link; what is not a regular file (/dev/stdout) is left alone.
  std::error_code error;
  s.target = s.exists ? std::filesystem::canonical(file, error) : file;
  if (error || (s.exists && !std::filesystem::is_regular_file(s.target))) {
    throw Failure(kCannotCreate, "NOT_A_FILE", file.string(), "'" + file.string() + "' is not a regular file");
  }
  const std::filesystem::path folder = s.target.has_parent_path() ? s.target.parent_path() : ".";
  std::string temporary = (folder / ("." + s.target.filename().string() + ".XXXXXX")).string();
  s.out.fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (s.out.fd < 0) throw s.failed("create", errno);
  s.temporary = temporary;
}

NewFile::~NewFile() = default;

void NewFile::write(std::string_view content) {
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t wrote = ::write(state_->out.fd, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw state_->failed("write", errno);
    done += static_cast<std::size_t>(wrote);
  }
}

void NewFile::publish() {
  State& s = *state_;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(s.out.fd, s.exists ? s.mode_before : 0666U & ~mask) != 0 || ::fsync(s.out.fd) != 0)
    throw s.failed("write", errno);
  if (s.force) {
    if (::rename(s.temporary.c_str(), s.target.c_str()) != 0) throw s.failed("create", errno);
    s.temporary.clear();
  } else if (::link(s.temporary.c_str(), s.target.c_str()) != 0) {  // fails where somebody was faster
    if (errno == EEXIST) throw s.taken();
    // A file system without links.
    if (::rename(s.temporary.c_str(), s.target.c_str()) != 0) throw s.failed("create", errno);
    s.temporary.clear();
  }
}

void write_file(const std::filesystem::path& file, std::string_view content, bool force) {
  NewFile fresh(file, force);
  fresh.write(content);
  fresh.publish();
}

}  // namespace continuo::cli
