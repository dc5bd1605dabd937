#include "clients/cli/media_path.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <system_error>

#include "clients/cli/failure.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace fs = std::filesystem;
namespace {

fs::path existing(const fs::path& local) {
  std::error_code error;
  fs::path path = fs::canonical(local, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    throw Failure(kNoInput, "FILE_NOT_FOUND", local.string(), "there is no file or folder '" + local.string() + "'");
  }
  if (error) {
    throw Failure(error == std::errc::permission_denied ? kRefused : kNoInput, "FILE_NOT_READABLE", local.string(),
                  "cannot reach '" + local.string() + "': " + error.message());
  }
  return path;
}

int lower(char c) { return std::tolower(static_cast<unsigned char>(c)); }
bool digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string try_media_name(const MediaRoots& roots, const fs::path& local) {
  const fs::path path = existing(local);
  std::string best;
  std::ptrdiff_t best_depth = -1;
  for (const auto& [name, folder] : roots) {
    std::error_code error;
    const fs::path root = fs::weakly_canonical(folder, error);
    if (error || root.empty()) continue;
    const auto [in_root, in_path] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
    const auto depth = std::distance(root.begin(), root.end());
    if (in_root != root.end() || depth <= best_depth) continue;
    fs::path relative;
    for (auto part = in_path; part != path.end(); ++part) relative /= *part;
    best = name + ":" + relative.generic_string();
    if (!is_utf8(best)) {
      throw Failure(kBadData, "NOT_UTF8", printable(best),
                    "the name of '" + local.string() + "' is not UTF-8; rename the file");
    }
    best_depth = depth;
  }
  return best;
}

std::string media_name(const MediaRoots& roots, const fs::path& local) {
  std::string name = try_media_name(roots, local);
  if (!name.empty()) return name;
  std::string known;
  for (const auto& [root, folder] : roots) known += (known.empty() ? "" : ", ") + root + "=" + folder.string();
  const fs::path path = existing(local);
  const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  throw Failure(kBadData, "OUTSIDE_MEDIA_ROOTS", local.string(),
                "'" + path.string() + "' is in none of the daemon's media roots (" +
                    (known.empty() ? "it has none" : known) +
                    "); start continuod with --media-root NAME=" + folder.string() + " or move the file");
}

bool names_root(const MediaRoots& roots, std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && roots.contains(std::string(text.substr(0, colon)));
}

bool looks_like_audio(const fs::path& file) {
  static constexpr std::array<const char*, 18> kEndings{".wav",  ".wave", ".bwf",  ".rf64", ".w64", ".flac",
                                                        ".aif",  ".aiff", ".aifc", ".caf",  ".ogg", ".oga",
                                                        ".opus", ".mp3",  ".au",   ".snd",  ".voc", ".mp2"};
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](char c) { return static_cast<char>(lower(c)); });
  return std::any_of(kEndings.begin(), kEndings.end(), [&](const char* known) { return ending == known; });
}

bool natural_less(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      while (i < a.size() && a[i] == '0') ++i;
      while (j < b.size() && b[j] == '0') ++j;
      std::size_t m = i;
      std::size_t n = j;
      while (m < a.size() && digit(a[m])) ++m;
      while (n < b.size() && digit(b[n])) ++n;
      if (m - i != n - j) return m - i < n - j;
      if (const int order = a.substr(i, m - i).compare(b.substr(j, n - j)); order != 0) return order < 0;
      i = m;
      j = n;
    } else if (lower(a[i]) != lower(b[j])) {
      return lower(a[i]) < lower(b[j]);
    } else {
      ++i;
      ++j;
    }
  }
  const std::size_t left_a = a.size() - i;
  const std::size_t left_b = b.size() - j;
  return left_a != left_b ? left_a < left_b : a < b;
}

std::vector<fs::path> audio_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) {
    throw Failure(kNoInput, "FOLDER_NOT_READABLE", folder.string(),
                  "cannot read the folder '" + folder.string() + "': " + error.message());
  }
  for (const fs::directory_entry& entry : entries) {
    std::error_code ignored;
    if (looks_like_audio(entry.path()) && !entry.path().filename().string().starts_with('.') &&
        entry.is_regular_file(ignored)) {
      files.push_back(entry.path());
    }
  }
  if (files.empty()) {
    throw Failure(kNoInput, "NO_AUDIO", folder.string(),
                  "there are no audio files in the folder '" + folder.string() + "'");
  }
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return natural_less(a.filename().string(), b.filename().string());
  });
  return files;
}

std::vector<fs::path> expand_audio(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const std::string& argument : arguments) {
    const fs::path path = existing(argument);
    if (fs::is_directory(path)) {
      const auto inside = audio_files(argument);
      files.insert(files.end(), inside.begin(), inside.end());
    } else {
      files.emplace_back(argument);
    }
  }
  return files;
}

std::string id_from_file(const fs::path& file, std::set<std::string>& taken) {
  static constexpr std::size_t kLongest = 63;
  std::string id;
  for (const char c : file.stem().string()) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80) {
      id += static_cast<char>(lower(c));
    } else if (c == '_') {
      id += c;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  if (id.size() > kLongest) id.resize(kLongest);
  while (id.ends_with('-')) id.pop_back();
  if (id.empty()) id = "track";
  std::string unique = id;
  for (int n = 2; !taken.insert(unique).second; ++n) {
    const std::string tail = "-" + std::to_string(n);
    unique = id.substr(0, kLongest - tail.size()) + tail;
  }
  return unique;
}

}  // namespace continuo::cli
