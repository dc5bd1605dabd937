// THREAD: disk - a file in the making, in the folder where it will be, under a name that nobody sees
#pragma once

#include <string>
#include <string_view>

#include "server/base/descriptor.hpp"
#include "server/base/result.hpp"
#include "server/media/roots.hpp"

namespace continuo::media {

/// Nothing is resolved twice: the folder is opened once, below its root, and all else happens in it. Whoever does not
/// publish() leaves nothing.
class HiddenFile {
 public:
  /// `name`: "root:folder/name" as it will be called; its folder must be there. `hidden`: what it is called until then,
  /// which begins with a dot. ALREADY_EXISTS where `name` exists and is not to be overwritten.
  [[nodiscard]] static Result<HiddenFile> make(const Roots& roots, std::string_view name, std::string hidden,
                                               bool overwrite);
  HiddenFile(HiddenFile&& other) noexcept = default;
  HiddenFile& operator=(HiddenFile&&) = delete;
  ~HiddenFile();

  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  /// Syncs, and gives it its name: never over another file unless it was to be overwritten.
  [[nodiscard]] Result<> publish();

  /// What a killed one left.
  static void remove_left(const Roots& roots, std::string_view name, const std::string& hidden);

 private:
  HiddenFile(Descriptor folder, Descriptor file, std::string path, std::string name, std::string hidden, bool overwrite)
      : folder_(std::move(folder)),
        file_(std::move(file)),
        path_(std::move(path)),
        name_(std::move(name)),
        hidden_(std::move(hidden)),
        overwrite_(overwrite) {}

  Descriptor folder_;
  Descriptor file_;
  std::string path_;  // as it was asked for, for messages
  std::string name_;
  std::string hidden_;
  bool overwrite_;
};

}  // namespace continuo::media
