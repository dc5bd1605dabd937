// THREAD: any - parameters, values, channel maps and device channels as people write them
#pragma once

#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace continuo::cli {

/// "vox/eq1.band1.freq_hz": the first dot ends the path. EX_USAGE where there is no dot or a side is empty.
struct ParamName {
  std::string path;
  std::string param;
};
[[nodiscard]] ParamName parse_param_name(std::string_view text);

/// "NAME=VALUE"; the first '=' divides. EX_USAGE where there is none or the name is empty; the value may be empty.
[[nodiscard]] std::pair<std::string, std::string> split_assignment(std::string_view text);

/// A number (-6, 1e3, .5), true or false, or text. Text in double quotes is text whatever it holds: "\"12\"".
/// nan and inf are text, which no number parameter takes.
[[nodiscard]] google::protobuf::Value parse_value(std::string_view text);
/// As parse_value reads it back.
[[nodiscard]] std::string value_text(const google::protobuf::Value& value);
/// The shortest digits that read back as the same double.
[[nodiscard]] std::string number_text(double value);

/// "1:3,2:4": pairs of channels, from 1. EX_USAGE.
[[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint32_t>> parse_channel_map(std::string_view text);

/// "out:5" or "5" -> 5. EX_USAGE.
[[nodiscard]] std::uint32_t parse_output_channel(std::string_view text);

/// A level: "-6", "-6dB", "-6 dB". EX_USAGE that names `what`.
[[nodiscard]] double parse_db(std::string_view text, std::string_view what);

}  // namespace continuo::cli
