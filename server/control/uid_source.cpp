#include "server/control/uid_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>

#include "server/base/check.hpp"
#include "server/base/log.hpp"
#include "server/control/state_file.hpp"

namespace continuo::control {

bool write_whole(const std::filesystem::path& file, const std::string& text, std::string& error) {
  const auto failed = [&](const char* what) {
    error = std::string(what) + " " + file.string() + ": " + std::strerror(errno);
    return false;
  };
  std::filesystem::path beside = file;
  beside += ".new";
  // A FIFO of that name would be waited for.
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);
  if (fd < 0) return failed("cannot write");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const bool result = failed("cannot write");
      ::close(fd);
      ::unlink(beside.c_str());
      return result;
    }
    done += static_cast<std::size_t>(n);
  }
  const bool synced = ::fsync(fd) == 0;
  if (::close(fd) != 0 || !synced) return failed("cannot sync");
  if (::rename(beside.c_str(), file.c_str()) != 0) return failed("cannot rename to");
  return true;
}

UidSource::UidSource(std::filesystem::path folder, Worker& worker, const char* name)
    : name_(name), file_(std::move(folder) / name_), worker_(worker) {
  std::uint64_t stored = 0;
  const auto text = read_state(file_, 100);
  const bool readable = text && *text && static_cast<bool>(std::istringstream(**text) >> stored) && stored >= 1 &&
                        stored < (std::uint64_t{1} << 53) - 2 * kBlock;
  std::error_code none;
  const bool lost = !readable && std::filesystem::exists(file_, none);
  if (readable) {
    next_ = stored;
  } else if (lost) {
    // What was given before is not known: begin where no counter has come to.
    warning_ = "the file " + file_.string() + " cannot be read; " + name_ + " begin at a number made of the time";
  }
  std::filesystem::create_directories(file_.parent_path(), none);
  std::string error;
  reserved_ = next_ + kBlock;
  const auto from_time = [] {
    return static_cast<std::uint64_t>(
               std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                   .count())
           << 21;
  };
  if (lost) {
    next_ = from_time();
    reserved_ = next_ + kBlock;
  }
  if (!write_whole(file_, std::to_string(reserved_) + "\n", error)) {
    next_ = from_time();
    reserved_ = std::uint64_t{1} << 53;
    warning_ = name_ + " are not kept over a restart: " + error + "; make the state folder writable";
  }
  if (!warning_.empty()) log::warning("{}", warning_);
}

rt::Uid UidSource::next() {
  if (reserved_ - next_ == kBlock / 2) {
    // In good time and aside; the second half of the block is as many as the largest transaction could take.
    reserved_ += kBlock;
    worker_.post([name = name_, file = file_, text = std::to_string(reserved_) + "\n"] {
      std::string error;
      if (!write_whole(file, text, error)) log::error("{}: {}", name, error);
    });
  }
  CONTINUO_CHECK(next_ < (std::uint64_t{1} << 53), "uids stay below 2^53");
  return next_++;
}

}  // namespace continuo::control
