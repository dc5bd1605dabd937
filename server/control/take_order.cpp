#include "server/control/take_order.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "server/media/flac_format.hpp"
#include "server/media/take_names.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

struct Kind {
  v1::TakeFormat number;
  std::string_view name;
  media::SampleFormat format;
  media::Container container;
};
constexpr std::array<Kind, 5> kKinds{{
    {v1::TAKE_FORMAT_FLOAT32, "float32", media::SampleFormat::float32, media::Container::wav},
    {v1::TAKE_FORMAT_PCM24, "pcm24", media::SampleFormat::pcm24, media::Container::wav},
    {v1::TAKE_FORMAT_PCM16, "pcm16", media::SampleFormat::pcm16, media::Container::wav},
    {v1::TAKE_FORMAT_FLAC24, "flac24", media::SampleFormat::pcm24, media::Container::flac},
    {v1::TAKE_FORMAT_FLAC16, "flac16", media::SampleFormat::pcm16, media::Container::flac},
}};

constexpr std::size_t kMaxFieldBytes = 100;  // of a node's or a session's name in a file's

Error refused(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

/// A name as a part of a file's.
std::string plain(std::string_view text, const char* otherwise) {
  std::string name(text.empty() ? otherwise : text);
  if (name.size() > kMaxFieldBytes) {
    name.resize(kMaxFieldBytes);
    while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80) name.pop_back();
    if (!name.empty() && static_cast<unsigned char>(name.back()) >= 0x80) name.pop_back();
  }
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || c == '/' || c == '\\' || c == ':' || c == '{' || c == '}') c = '_';
  }
  for (std::size_t i = 0; i < name.size() && name[i] == '.'; ++i) name[i] = '_';
  return name;
}

std::optional<std::string> value_of(std::string_view field, const TakeNameFields& fields, const std::tm& when) {
  std::array<char, 16> text{};
  if (field == "node") return plain(fields.node, "_");
  if (field == "name") return plain(std::string_view(fields.node).substr(fields.node.rfind('/') + 1), "_");
  if (field == "session") return plain(fields.session, "session");
  if (field == "n") return std::to_string(fields.number);
  if (field == "take")
    std::snprintf(text.data(), text.size(), "%03d", fields.number);
  else if (field == "date")
    std::strftime(text.data(), text.size(), "%Y%m%d", &when);
  else if (field == "time")
    std::strftime(text.data(), text.size(), "%H%M%S", &when);
  else
    return std::nullopt;
  return text.data();
}

}  // namespace

Result<> read_take_files(const v1::RecordStart& start, const session::Document& document, const std::string& field,
                         Takes::Order& order) {
  order.field = field;
  order.file = start.file();
  order.next_free_name = start.next_free_name();
  order.split = start.split_channels();
  order.split_seconds = start.split_seconds();
  order.split_bytes = static_cast<std::int64_t>(start.split_bytes());
  order.session = document.name;
  Kind kind = kKinds.front();
  const session::DocNode* node = session::find_node(document, order.node);
  if (node != nullptr && node->type == "recorder") {
    order.file_template = session::text_of(*node, "file_template");
    kind = *std::ranges::find(kKinds, session::text_of(*node, "format"), &Kind::name);
  }
  order.format_field = start.has_file() ? ".file" : ".nodes";
  if (start.has_format()) {
    const auto found = std::ranges::find(kKinds, start.format(), &Kind::number);
    if (found == kKinds.end())
      return refused("OUT_OF_RANGE", field + ".format", "format must be one of TAKE_FORMAT_FLOAT32 to _FLAC16");
    kind = *found;
    order.format_field = ".format";
  }
  order.format = kind.format;
  order.container = kind.container;
  if (!start.has_file()) return {};
  const bool flac = media::container_of(order.file) == media::Container::flac;
  if (flac == (kind.container == media::Container::flac)) return {};
  if (start.has_format()) {
    return refused("WRONG_FIELD", field + ".file",
                   flac ? "a file that ends in .flac has format FLAC24 or FLAC16"
                        : "a file of format FLAC24 or FLAC16 ends in .flac");
  }
  order.container = flac ? media::Container::flac : media::Container::wav;
  if (flac && order.format == media::SampleFormat::float32) order.format = media::SampleFormat::pcm24;
  return {};
}

std::int64_t part_frames(const Takes::Order& order, double rate_hz) {
  std::int64_t frames = 0;
  if (order.split_seconds > 0.0) frames = std::llround(order.split_seconds * rate_hz);
  if (order.split_bytes > 0) {
    const std::int64_t channels = order.split ? 1 : order.channels;
    const std::int64_t frame = channels * media::bytes_per_sample(order.format);
    constexpr auto kHeader = static_cast<std::int64_t>(media::kTakeHeaderBytes);
    const std::int64_t fit = std::max<std::int64_t>(1, (order.split_bytes - kHeader - 1) / frame);
    frames = frames == 0 ? fit : std::min(frames, fit);
  }
  return frames;
}

Result<> check_take_files(const Takes::Order& order, double rate_hz) {
  if (!order.file.empty()) {
    const bool parts = order.split_seconds > 0.0 || order.split_bytes > 0;
    const std::string why = media::why_no_take_name(std::string_view(order.file).substr(order.file.find(':') + 1),
                                                    order.container, order.split ? order.channels : 0, parts);
    if (!why.empty())
      return refused("BAD_FILE_NAME", order.field + ".file",
                     "a take cannot be called \"" + order.file + "\": it " + why);
  }
  if (order.container == media::Container::flac && !order.split && order.channels > media::kMaxFlacChannels) {
    return refused("TOO_MANY_CHANNELS", order.field + order.format_field,
                   "a FLAC file has at most 8 channels, \"" + order.node + "\" has " + std::to_string(order.channels) +
                       ": ask for one file a channel, or for WAV");
  }
  if (order.container == media::Container::flac && rate_hz > media::kMaxFlacRate)
    return refused("BAD_FORMAT", order.field + order.format_field, "a FLAC file has at most 655350 Hz");
  const std::int64_t frames = part_frames(order, rate_hz);
  if (frames > 0 && static_cast<double>(frames) < rate_hz - 1.0) {
    return refused("OUT_OF_RANGE", order.field + (order.split_bytes > 0 ? ".split_bytes" : ".split_seconds"),
                   "a part holds at least one second: of \"" + order.node + "\" that is " +
                       std::to_string(std::llround(rate_hz) * (order.split ? 1 : order.channels) *
                                          media::bytes_per_sample(order.format) +
                                      static_cast<std::int64_t>(media::kTakeHeaderBytes) + 1) +
                       " bytes");
  }
  return {};
}

std::string take_name(const std::string& file_template, const TakeNameFields& fields) {
  const std::time_t now = fields.utc_s < 0 ? std::time(nullptr) : fields.utc_s;
  std::tm when{};
  localtime_r(&now, &when);
  std::string text = file_template;
  const bool counts = text.find("{n}") != std::string::npos || text.find("{take}") != std::string::npos;
  if (fields.number > 1 && !counts) text += "-{n}";
  std::string name;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    const auto value = end == std::string::npos
                           ? std::nullopt
                           : value_of(std::string_view(text).substr(at + 1, end - at - 1), fields, when);
    if (value) {
      name += *value;
      at = end + 1;
      continue;
    }
    const char c = text[at++];
    name += static_cast<unsigned char>(c) < 0x20 || c == ':' || c == '\\' ? '_' : c;
  }
  return name;
}

}  // namespace continuo::control
