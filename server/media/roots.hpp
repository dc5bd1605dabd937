// THREAD: any - named folders, and the only way from a client's text to a path
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "server/base/descriptor.hpp"
#include "server/base/result.hpp"

namespace continuo::media {

/// "root:folder/name" as find_folder() takes its folder, and the name in it.
struct FolderAndName {
  std::string_view folder;  // "root:folder", "root:"
  std::string_view name;
};
[[nodiscard]] FolderAndName split_name(std::string_view path) noexcept;

/// "root:relative/path" or, with a base, "relative/path" (what stands before a colon is a root's name unless it holds a
/// '/'). Resolution cannot leave a root: "..", absolute parts and symlinks that lead out are refused
/// (PERMISSION_DENIED), an unknown root is NOT_FOUND and names the roots there are. It is a statement about the moment
/// of the call: whoever may change a root's folders may change what its names mean.
///
/// A root whose name is "" can be reached through the base ":" alone: the folder of a session file that a person
/// renders.
class Roots {
 public:
  Roots() = default;
  explicit Roots(std::map<std::string, std::filesystem::path> folders) : folders_(std::move(folders)) {}

  /// An existing regular file (not a device, FIFO or folder). `base` is "root:folder" or empty.
  [[nodiscard]] Result<std::filesystem::path> find_file(std::string_view name, std::string_view base) const;
  /// A file to be made: its folder is made below the root where it is missing; the file must not exist
  /// (ALREADY_EXISTS).
  [[nodiscard]] Result<std::filesystem::path> new_file(std::string_view name) const;
  /// The same, but the file may exist: then it is a regular one (not a link).
  [[nodiscard]] Result<std::filesystem::path> file_to_write(std::string_view name) const;
  /// An existing folder: "root:folder", or "root:" for the root itself.
  [[nodiscard]] Result<std::filesystem::path> find_folder(std::string_view name) const;
  /// The same folder, opened: what is made in it by `openat` and its kin is in it whatever is swapped meanwhile.
  [[nodiscard]] Result<Descriptor> open_folder(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::filesystem::path>& folders() const noexcept { return folders_; }

 private:
  std::map<std::string, std::filesystem::path> folders_;
};

}  // namespace continuo::media
