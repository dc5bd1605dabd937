// What the files of a take are called, and which takes there can be.
#include <algorithm>
#include <string>
#include <string_view>

#include "server/media/flac_format.hpp"
#include "server/media/take_parts.hpp"

namespace continuo::media {
namespace {

constexpr std::string_view kChannelField = "{channel}";

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

}  // namespace continuo::media
