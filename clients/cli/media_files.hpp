// THREAD: any - the files that a command is to play, on this machine or the daemon's
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "clients/cli/context.hpp"

namespace continuo::cli {

struct MediaFile {
  std::string media;           // as the daemon names it: "root:relative"
  std::filesystem::path file;  // its last part says what to call it
};

/// Each argument is a name of the daemon's ("music:a.wav", taken as it is: whether it is there is the daemon's to say;
/// "music:album/", all audio files right in that folder), or a file or a folder here that lies in one of its roots.
/// Failures as media_name() and expand_audio() have them.
[[nodiscard]] std::vector<MediaFile> media_files(Context& context, const std::vector<std::string>& arguments);

}  // namespace continuo::cli
