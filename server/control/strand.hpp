// THREAD: any posts, the control strand runs - the way home for what workers have to say
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <mutex>

namespace continuo::control {

/// The control strand: one io_context that one thread runs. Work that was posted and not yet run when the Strand goes
/// is dropped, so a worker that comes late finds nobody, never a destroyed engine.
class Strand {
 public:
  explicit Strand(boost::asio::io_context& io);
  ~Strand();
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  [[nodiscard]] boost::asio::io_context& io() const noexcept { return io_; }

 private:
  struct Core {
    std::mutex mutex;
    boost::asio::io_context* io = nullptr;  // null once the strand is closed; written by the strand only
  };

 public:
  /// Copyable; outlives the strand. Any thread but audio.
  class Poster {
   public:
    void operator()(std::function<void()> work) const;

   private:
    friend class Strand;
    explicit Poster(std::shared_ptr<Core> core) : core_(std::move(core)) {}
    std::shared_ptr<Core> core_;
  };

  [[nodiscard]] Poster poster() const { return Poster(core_); }
  void post(std::function<void()> work) const { poster()(std::move(work)); }

 private:
  boost::asio::io_context& io_;
  std::shared_ptr<Core> core_;
};

}  // namespace continuo::control
