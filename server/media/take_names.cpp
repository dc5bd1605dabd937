// What the files of a take are called, and which takes there can be.
#include "server/media/take_names.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>

#include "server/media/flac_format.hpp"
#include "server/media/take_parts.hpp"

namespace continuo::media {
namespace {

constexpr std::string_view kChannelField = "{channel}";

constexpr std::string_view kPart = ".part";
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kPartNumberBytes = 6;  // "-10000"
constexpr std::size_t kMaxNumberDigits = 5;  // more of them are a date or a time
constexpr std::size_t kStrippedNumbers = 2;  // "vox-2-003": another name's number, and a part's
constexpr std::array kWavEndings{".wav", ".wave", ".bwf", ".rf64"};
constexpr std::array kOtherEndings{".flac", ".w64", ".aif", ".aiff", ".aifc", ".ogg", ".oga", ".opus",
                                   ".mp3",  ".mp4", ".m4a", ".aac",  ".alac", ".wma", ".caf", ".au",
                                   ".snd",  ".raw", ".pcm", ".bw64", ".mka",  ".mp2"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// "vox-2" -> "vox"; empty where there is no number.
std::string without_number(const std::string& stem) {
  std::size_t at = stem.size();
  while (at > 0 && is_digit(stem[at - 1])) --at;
  const std::size_t digits = stem.size() - at;
  return digits == 0 || digits > kMaxNumberDigits || at < 2 || stem[at - 1] != '-' ? std::string()
                                                                                   : stem.substr(0, at - 1);
}

/// "a-ch01-b" -> "a-{channel}-b"; empty where no channel is told.
std::string with_channel_field(const std::string& stem) {
  for (std::size_t at = stem.find("ch"); at != std::string::npos; at = stem.find("ch", at + 1)) {
    std::size_t end = at + 2;
    while (end < stem.size() && is_digit(stem[end])) ++end;
    const std::size_t digits = end - at - 2;
    if (digits == 2 || digits == 3) return std::string(stem).replace(at, end - at, kChannelField);
  }
  return {};
}

Error refused(const char* field, std::string why) {
  return make_error(ErrorKind::invalid_argument, "BAD_FORMAT", field, std::move(why));
}

}  // namespace

std::vector<std::filesystem::path> take_files(const std::filesystem::path& file, std::uint32_t split_channels) {
  std::string stem = file.stem().string();
  std::size_t place = stem.find(kChannelField);
  if (place == std::string::npos && split_channels > 0) {
    place = stem.size() + 1;
    stem += "-" + std::string(kChannelField);
  }
  if (place == std::string::npos) return {file};
  const auto named = [&](const std::string& text) { return file.parent_path() / (text + file.extension().string()); };
  if (split_channels == 0) {
    stem.erase(place, kChannelField.size());
    const auto joins = [](char c) { return c == '-' || c == '_' || c == ' '; };
    if (place > 0 && joins(stem[place - 1]))
      stem.erase(place - 1, 1);
    else if (place < stem.size() && joins(stem[place]))
      stem.erase(place, 1);
    return {named(stem.empty() ? "all" : stem)};
  }
  std::vector<std::filesystem::path> files;
  for (std::uint32_t c = 1; c <= split_channels; ++c) {
    std::string number = std::to_string(c);
    number.insert(0, split_channels > 99 ? 3 - number.size() : number.size() < 2 ? 1 : 0, '0');
    files.push_back(named(std::string(stem).replace(place, kChannelField.size(), "ch" + number)));
  }
  return files;
}

Result<> check_take(const TakeRequest& request) {
  if (request.channels < 1 || request.channels > 128)
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "channels", "a take has 1 to 128 channels");
  if (request.container != Container::wav && request.container != Container::flac)
    return refused("format", "a take is a WAV or a FLAC file");
  if (request.container != Container::flac) return {};
  if (request.format == SampleFormat::float32)
    return refused("format", "a FLAC file holds no floats; ask for 16 or 24 bits");
  if (!request.split && request.channels > kMaxFlacChannels) {
    return refused("channels", "a FLAC file has at most 8 channels, this take " + std::to_string(request.channels) +
                                   ": ask for one file a channel, or for WAV");
  }
  if (request.sample_rate_hz > kMaxFlacRate)
    return refused("sample_rate_hz", "a FLAC file has at most " + std::to_string(kMaxFlacRate) + " Hz");
  return {};
}

std::string why_no_take_name(std::string_view name, Container container, std::uint32_t split_channels, bool parts) {
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "holds a control character";
  }
  const std::filesystem::path path(name);
  for (const std::filesystem::path& each : path) {
    const std::string text = each.string();
    // Of "..": it is refused where names are resolved, as one that leads out.
    if (text.starts_with('.') && text != "..") return "has a part that begins with a dot";
    if (text.size() > kMaxNameBytes) return "has a folder of more than 255 bytes";
  }
  if (!path.has_filename() || path.filename() == "..") return "names no file";
  const std::string ending = lower(path.extension().string());
  if (ending == kPart) return "ends in .part, as what is being written does";
  const auto is_one_of = [&](const auto& endings) { return std::ranges::find(endings, ending) != endings.end(); };
  const bool flac = container == Container::flac;
  if (flac ? is_one_of(kWavEndings) || (is_one_of(kOtherEndings) && ending != ".flac") : is_one_of(kOtherEndings))
    return "ends in " + ending + ", and the take is a " + (flac ? "FLAC file: .flac" : "WAV file: .wav");
  std::size_t longest = 0;
  for (const auto& file : take_files(path, split_channels))
    longest = std::max(longest, file.filename().string().size());
  longest += kPart.size() + (parts ? kPartNumberBytes : 0);
  if (longest > kMaxNameBytes)
    return "is too long: with channel, part and .part it is " + std::to_string(longest) + " bytes, 255 at most";
  return {};
}

TakenNames::TakenNames(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    add(at->path());
}

void TakenNames::add(const std::filesystem::path& file) {
  std::filesystem::path name = file.filename();
  if (name.extension() == kPart) name = name.stem();
  std::string stem = name.stem().string();
  for (std::size_t numbers = 0; numbers <= kStrippedNumbers && !stem.empty(); ++numbers) {
    takes_.insert(stem);
    if (const std::string field = with_channel_field(stem); !field.empty())
      takes_.insert(take_files(field + ".wav", 0).front().stem().string());
    stem = without_number(stem);
  }
}

bool TakenNames::contains(const std::filesystem::path& name) const {
  return takes_.contains(take_files(name, 0).front().stem().string());
}

}  // namespace continuo::media
