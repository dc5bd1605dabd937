#include "server/media/scan.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <memory>
#include <utility>

#include "server/media/browse.hpp"
#include "server/media/decode.hpp"
#include "server/media/file_text.hpp"
#include "server/media/probe.hpp"

namespace continuo::media {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 1000;
constexpr std::size_t kBlockFrames = 16'384;
constexpr std::size_t kMaxMessage = 300;

std::string ending_of(const std::string& file) {
  std::string ending = fs::path(file).extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

bool sounds_by_name(const std::string& file) {
  static constexpr std::array kEndings{".wav",  ".wave", ".bwf", ".rf64", ".bw64", ".w64", ".aif", ".aiff", ".aifc",
                                       ".flac", ".ogg",  ".oga", ".opus", ".mp3",  ".caf", ".au",  ".snd"};
  return std::ranges::find(kEndings, ending_of(file)) != kEndings.end();
}

Error cancelled() { return make_error(ErrorKind::aborted, "CANCELLED", "", "the scan was cancelled"); }

class Scan {
 public:
  Scan(const Roots& roots, std::string_view folder, const std::function<bool(std::int64_t, std::int64_t)>& go_on)
      : roots_(roots), folder_(folder), go_on_(go_on) {
    while (folder_.ends_with('/')) folder_.pop_back();
  }

  Result<ScanReport> run() {
    // Twice over the names: what there is to read is known before it is read.
    if (Result<> counted = each_file([this](const BrowseEntry& entry) {
          all_ += entry.bytes;
          return go_on_(0, all_);
        });
        !counted)
      return counted.error();
    if (Result<> done = each_file([this](const BrowseEntry& entry) { return read(entry); }); !done) return done.error();
    return std::move(report_);
  }

 private:
  template <class Use>
  Result<> each_file(Use&& use) const {
    std::string after;
    for (;;) {
      const auto page = browse(roots_, folder_, true, after, kPage);
      if (!page) return page.error();
      for (const BrowseEntry& entry : page->entries) {
        if (entry.folder || ending_of(entry.path) == ".part") continue;
        if (!use(entry)) return cancelled();
      }
      if (!page->more) return {};
      after = page->entries.back().path;
    }
  }

  bool read(const BrowseEntry& entry) {
    if (!go_on_(std::min(behind_, all_), all_)) return false;
    const std::int64_t before = behind_;
    behind_ += entry.bytes;
    const std::string name = folder_ + (folder_.ends_with(':') ? "" : "/") + entry.path;
    const auto file = roots_.find_file(name, "");
    if (!file) {
      if (sounds_by_name(name) && file.error().reason != "FILE_NOT_FOUND")  // gone meanwhile
        broken(name, file.error().reason, file.error().message);
      return true;
    }
    auto decoder = Decoder::open(*file);
    if (!decoder) {
      const bool unknown = decoder.error().reason == "NOT_AUDIO";
      if (sounds_by_name(name) || !unknown)
        broken(name, unknown ? "FORMAT_UNKNOWN" : decoder.error().reason, decoder.error().message);
      return true;
    }
    const MediaInfo& info = (*decoder)->info();
    buffer_.resize(kBlockFrames * info.channels);
    std::int64_t frames = 0;
    for (std::size_t got = 1; got > 0;) {
      got = (*decoder)->read(buffer_.data(), kBlockFrames);
      frames += static_cast<std::int64_t>(got);
      const double part =
          info.frames > 0 ? std::min(1.0, static_cast<double>(frames) / static_cast<double>(info.frames)) : 1.0;
      const auto bytes = static_cast<std::int64_t>(part * static_cast<double>(entry.bytes));
      if (!go_on_(std::min(before + bytes, all_), all_)) return false;
    }
    if (!(*decoder)->error().empty()) {
      broken(name, "DAMAGED", name + ": " + (*decoder)->error());
    } else if (info.missing_frames > 0) {
      broken(name, "CUT_OFF", name + cut_off_text(info));
    } else if (frames < info.frames) {
      broken(name, "CUT_OFF",
             name + " ends after " + std::to_string(frames) + " of " + std::to_string(info.frames) + " frames");
    } else {
      ++report_.files;
      report_.seconds += static_cast<double>(frames) / info.sample_rate_hz;
      report_.bytes += entry.bytes;
    }
    return true;
  }

  void broken(std::string file, std::string reason, std::string message) {
    ++report_.broken_count;
    message = readable(message.substr(0, kMaxMessage));
    broken_bytes_ += file.size() + reason.size() + message.size();
    if (report_.broken.size() < kMaxBroken && broken_bytes_ <= kMaxBrokenBytes)
      report_.broken.push_back({std::move(file), std::move(reason), std::move(message)});
  }

  const Roots& roots_;
  std::string folder_;
  const std::function<bool(std::int64_t, std::int64_t)>& go_on_;
  std::int64_t all_ = 0;
  std::int64_t behind_ = 0;
  std::size_t broken_bytes_ = 0;
  std::vector<float> buffer_;
  ScanReport report_;
};

}  // namespace

Result<ScanReport> scan_folder(const Roots& roots, std::string_view folder,
                               const std::function<bool(std::int64_t, std::int64_t)>& go_on) {
  return Scan(roots, folder, go_on).run();
}

}  // namespace continuo::media
