// THREAD: control, which asks the disk threads - what is known of each file that the session names
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/control/strand.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/roots.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

/// Every text in `document` that names a file (parameters of kind file, not empty; items of queues; what
/// its cues will play), once each.
[[nodiscard]] std::set<std::string> files_of(const session::Document& document);

/// The media table of the compiler, and why a file is not in it.
class MediaCache {
 public:
  MediaCache(Strand& strand, media::DiskPool& pool, media::Roots roots);

  /// Looks at `files` on the disk threads. `done`: by name, what is wrong with those that cannot be played. The table
  /// changes only through keep().
  struct Found {
    session::MediaTable facts;
    std::map<std::string, Error, std::less<>> errors;
    std::map<std::string, std::string, std::less<>> cut_off;  // of those that can be played: a line for a person
  };
  void probe(const std::set<std::string>& files, const std::string& base, std::function<void(Found)> done);

  /// The table is now that of `files`: what is in `found`, else what was known before.
  void keep(const std::set<std::string>& files, const Found& found);
  [[nodiscard]] std::set<std::string> unknown(const std::set<std::string>& files) const;
  void set_base(std::string base) { base_ = std::move(base); }
  [[nodiscard]] const std::string& base() const noexcept { return base_; }

  [[nodiscard]] const session::MediaTable& table() const noexcept { return table_; }
  [[nodiscard]] const std::map<std::string, Error, std::less<>>& errors() const noexcept { return errors_; }
  /// Files that are shorter than their headers say.
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& cut_off() const noexcept { return cut_off_; }
  [[nodiscard]] const media::Roots& roots() const noexcept { return roots_; }

 private:
  Strand& strand_;
  media::DiskPool& pool_;
  const media::Roots roots_;
  std::string base_;
  session::MediaTable table_;
  std::map<std::string, Error, std::less<>> errors_;
  std::map<std::string, std::string, std::less<>> cut_off_;
};

}  // namespace continuo::control
