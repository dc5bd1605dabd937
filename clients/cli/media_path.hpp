// THREAD: any - local files as the daemon names them: "root:relative"; and the tracks that a folder becomes
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::cli {

/// Name to folder, as GetInfo gives them.
using MediaRoots = std::map<std::string, std::filesystem::path>;

/// "root:relative" of an existing file or folder, by the deepest root that holds it (symbolic links followed).
/// EX_NOINPUT where it is not there; EX_DATAERR where no root holds it: the message names the roots and the remedy.
[[nodiscard]] std::string media_name(const MediaRoots& roots, const std::filesystem::path& local);

/// The same, or empty where no root holds it.
[[nodiscard]] std::string try_media_name(const MediaRoots& roots, const std::filesystem::path& local);

/// `text` begins with "NAME:" where NAME is one of the roots.
[[nodiscard]] bool names_root(const MediaRoots& roots, std::string_view text);

/// By its ending; the daemon looks inside.
[[nodiscard]] bool looks_like_audio(const std::filesystem::path& file);

/// The audio files right in `folder`, as a person orders them ("2" before "10"). EX_NOINPUT where there are none.
[[nodiscard]] std::vector<std::filesystem::path> audio_files(const std::filesystem::path& folder);

/// Every argument a file, or a folder that stands for its files. EX_NOINPUT for what is not there.
[[nodiscard]] std::vector<std::filesystem::path> expand_audio(const std::vector<std::string>& arguments);

/// "2" before "10", letter case ignored unless nothing else differs.
[[nodiscard]] bool natural_less(std::string_view a, std::string_view b);

/// A node id from a file name: "03 Lead Vox (dry).wav" -> "03-lead-vox-dry"; [a-z0-9_-]{1,63}, not in `taken`, to
/// which it is added.
[[nodiscard]] std::string id_from_file(const std::filesystem::path& file, std::set<std::string>& taken);

}  // namespace continuo::cli
