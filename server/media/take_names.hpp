// THREAD: any that may wait - which names a take may have, and which are taken in a folder
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "server/media/sample_writer.hpp"

namespace continuo::media {

/// Why a take cannot be called "folder/name.wav", in words that go on from the name; empty: it can. `split_channels`: 0
/// for one file with all of them. `parts`: it will be one of several.
[[nodiscard]] std::string why_no_take_name(std::string_view name, Container container, std::uint32_t split_channels,
                                           bool parts);

/// The takes that the files of a folder belong to: "vox-002-ch01-003.wav.part" says that there is a take "vox-002", and
/// maybe a "vox" of which it is a part, so that no other take begins under either. Reads the folder once.
class TakenNames {
 public:
  explicit TakenNames(const std::filesystem::path& folder);
  /// `name`: of a take, with or without its "{channel}"; its ending says nothing.
  [[nodiscard]] bool contains(const std::filesystem::path& name) const;
  void add(const std::filesystem::path& file);

 private:
  std::set<std::string> takes_;
};

}  // namespace continuo::media
