// THREAD: control, which asks the disk threads - the impulse responses of the session's convolutions
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/control/strand.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/roots.hpp"
#include "server/session/impulse_table.hpp"

namespace continuo::control {

/// Read, converted and transformed before the plan that needs them is compiled. The table holds what the newest plan
/// needs and no more; what still fades out is kept by its node.
class Impulses {
 public:
  /// A disk that hangs holds a transaction no longer than this: it goes on with no wet sound, and `came` is called
  /// when there is one.
  static constexpr std::chrono::seconds kPatience{8};

  Impulses(Strand& strand, media::DiskPool& pool, const media::Roots& roots, std::function<void()> came)
      : strand_(strand), pool_(pool), roots_(roots), came_(std::move(came)) {}

  /// `done` once the table has all of `wanted` that can be had; at once where nothing is to be read. `fresh`: files may
  /// have changed, they are read again.
  void prepare(const std::vector<session::ImpulseKey>& wanted, const std::string& base, bool fresh,
               std::function<void()> done);

  [[nodiscard]] const session::ImpulseTable& table() const noexcept { return table_; }
  /// By file: why it is not heard.
  [[nodiscard]] const std::map<std::string, std::string>& errors() const noexcept { return errors_; }

 private:
  struct Round;
  void read(const session::ImpulseKey& key, const std::string& base, const std::shared_ptr<Round>& round);

  Strand& strand_;
  media::DiskPool& pool_;
  const media::Roots& roots_;
  const std::function<void()> came_;
  session::ImpulseTable table_;
  std::map<std::string, std::string> errors_;
  std::map<session::ImpulseKey, std::weak_ptr<Round>> under_way_;  // by whom it is awaited: the newest one counts
  std::string base_;
};

}  // namespace continuo::control
