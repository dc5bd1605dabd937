#include "clients/cli/media_files.hpp"

#include <algorithm>

#include "clients/cli/failure.hpp"
#include "clients/cli/media_client.hpp"
#include "clients/cli/media_path.hpp"

namespace continuo::cli {
namespace {

std::filesystem::path last_part(const std::string& media) { return media.substr(media.find_last_of(":/") + 1); }

std::vector<MediaFile> folder_of_daemon(Context& context, const std::string& folder) {
  MediaClient client(context.connection().address(),
                     std::chrono::milliseconds(static_cast<std::int64_t>(context.timeout_seconds * 1000.0)));
  std::vector<MediaFile> files;
  client.list(folder, false, 0, [&](const v1::MediaEntry& entry) {
    const std::filesystem::path name = last_part(entry.path());
    if (entry.kind() != v1::MediaEntry::KIND_FOLDER && looks_like_audio(name)) files.push_back({entry.path(), name});
  });
  if (files.empty()) throw Failure(kNoInput, "NO_AUDIO", folder, "there are no audio files in '" + folder + "'");
  std::ranges::sort(
      files, [](const MediaFile& a, const MediaFile& b) { return natural_less(a.file.string(), b.file.string()); });
  return files;
}

}  // namespace

std::vector<MediaFile> media_files(Context& context, const std::vector<std::string>& arguments) {
  std::vector<MediaFile> files;
  if (arguments.empty()) return files;
  const bool colons =
      std::ranges::any_of(arguments, [](const std::string& text) { return text.find(':') != std::string::npos; });
  MediaRoots roots;
  if (colons) roots = context.connection().media_roots();
  for (const std::string& argument : arguments) {
    if (!names_root(roots, argument)) {
      for (const std::filesystem::path& file : expand_audio({argument})) {
        if (roots.empty())
          roots = context.connection().media_roots();  // what is not here needs no daemon to be refused
        files.push_back({media_name(roots, file), file});
      }
    } else if (argument.ends_with(':') || argument.ends_with('/')) {
      const auto inside = folder_of_daemon(context, argument);
      files.insert(files.end(), inside.begin(), inside.end());
    } else {
      files.push_back({argument, last_part(argument)});
    }
  }
  return files;
}

}  // namespace continuo::cli
